"""TOML files as they come from Notepad: encodings, full-width slips, faults in plain words."""
