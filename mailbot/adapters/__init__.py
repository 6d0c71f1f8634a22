"""The edges: mailboxes, database, files, templates, clock. Nothing here decides."""
