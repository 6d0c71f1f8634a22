"""The office's documents as dated data."""
