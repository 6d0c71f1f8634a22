"""Mail: bytes in, values out. Nothing here decides what an office does with a mail."""
