"""mailbot: the bot that runs a government information office's submission mailbox."""

__version__ = "0.1.0"
