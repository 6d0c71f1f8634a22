"""The offices' data as people write it: `config/offices/<office>/*.toml`, and the holidays."""
