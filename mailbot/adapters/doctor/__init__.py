"""What may be wrong, how to see it, and what to do about it."""
