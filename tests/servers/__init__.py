"""Servers the tests talk to. Real ones where there is one."""
