"""The application: what happens to mail and letters, spoken to through ports."""
