"""Letters that are due by the calendar: found, written once, and shown."""
