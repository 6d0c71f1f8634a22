"""`mailbot run`: the mailboxes this process holds, read and answered; what is due, done.

With a database file one process holds everything. On a database server any number of processes, on
any number of machines, share the mailboxes: each takes its fair part (`keeper`), works on it while it
holds it (`work`: `reading`, `sending`), and one of them does what is due by the calendar (`calendar`).
`main` supervises all that.
"""

from mailbot.daemon.main import Daemon

__all__ = ["Daemon"]
