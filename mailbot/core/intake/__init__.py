"""What becomes of a mail: accept, return, hold, quarantine or ignore, with reasons."""
