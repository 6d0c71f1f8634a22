"""SMTP: letters out (RFC 5321), with the final dot under control."""
