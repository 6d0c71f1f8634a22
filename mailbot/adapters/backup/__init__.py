"""The backup folder: what it holds, how it grows, and how an installation comes back from it."""
