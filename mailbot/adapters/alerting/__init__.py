"""Second channels: a program, a web address, a mail through another account."""
