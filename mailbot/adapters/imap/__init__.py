"""IMAP: watched mailboxes on a server (RFC 3501, 2177, 2971, 6851)."""
