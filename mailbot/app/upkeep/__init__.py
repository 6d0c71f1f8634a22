"""Keeping an installation whole for years: checking what is stored, and what may go."""
