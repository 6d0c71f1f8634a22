"""Which letters an office owes of its own accord, and when each is due."""
