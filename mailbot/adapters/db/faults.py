"""What an error of the database means: the world's fault, or our own bug.

One that concerns everything becomes a systemic `WorldFault` at the statement that met it, and the
connection is given up: SQLite may already have rolled back by itself, and what followed would be
committed statement by statement.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.engine import ExceptionContext

from mailbot.app.errors import Permanent, Retryable, WorldFault

_DISK = "the database cannot be written: disk full or failing"
_SQLITE: dict[int, tuple[type[WorldFault], str, str]] = {
    sqlite3.SQLITE_BUSY: (Retryable, "database_locked", "another program holds the database"),
    sqlite3.SQLITE_LOCKED: (Retryable, "database_locked", "another program holds the database"),
    sqlite3.SQLITE_NOMEM: (Retryable, "memory", "no memory left for the database"),
    sqlite3.SQLITE_FULL: (Retryable, "disk", _DISK),
    sqlite3.SQLITE_IOERR: (Retryable, "disk", _DISK),
    sqlite3.SQLITE_CANTOPEN: (Retryable, "database_open", "the database file cannot be opened"),
    sqlite3.SQLITE_READONLY: (Permanent, "database_readonly", "the database is read-only"),
    sqlite3.SQLITE_PERM: (Permanent, "database_readonly", "the database may not be written"),
    sqlite3.SQLITE_CORRUPT: (Permanent, "database_corrupt", "the database file is damaged"),
    sqlite3.SQLITE_NOTADB: (Permanent, "database_corrupt", "the file is no SQLite database"),
}
_POSTGRES: dict[str, tuple[type[WorldFault], str]] = {
    "08": (Retryable, "database_down"),
    # Not while it recovers, is shut down, or ended a session that lay idle: this process slept.
    "57": (Retryable, "database_down"),
    "25P03": (Retryable, "database_down"),
    "53": (Retryable, "database_busy"),
    "53100": (Retryable, "disk"),
    "53200": (Retryable, "memory"),
    "58": (Retryable, "disk"),
    # A deadlock, or a lock not given in time: the transaction goes again as a whole.
    "40": (Retryable, "database_locked"),
    "55": (Retryable, "database_locked"),
    # A standby, which may become the primary any moment.
    "25006": (Retryable, "database_readonly"),
    "42501": (Permanent, "database_rights"),
    "XX001": (Permanent, "database_corrupt"),
    "XX002": (Permanent, "database_corrupt"),
}
"""By SQLSTATE (PostgreSQL appendix A), or its class, the first two characters."""
_CONNECTION_GONE = frozenset({"database_down", "database_readonly"})


def world_fault(error: BaseException) -> WorldFault | None:
    """The world's fault behind a driver's error; None when it is our own (a broken constraint, a
    wrong statement)."""
    if isinstance(error, sqlite3.Error):
        found = _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if found is None:
            return None
        family, code, text = found
        return family(f"{text} ({error})", code=code, systemic=True)
    state = getattr(error, "sqlstate", "unknown")
    if state is None and _is_operational(error):
        text = f"the database server is away: {error}"
        return Retryable(text, code="database_down", systemic=True)
    state = state or ""
    known = _POSTGRES.get(state) or _POSTGRES.get(state[:2])
    if known is None:
        return None
    return known[0](f"the database: {error}", code=known[1], systemic=True)


def _is_operational(error: BaseException) -> bool:
    """By its name: which driver it is of is not known here."""
    return any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)


def translate(context: ExceptionContext) -> WorldFault | None:
    """For SQLAlchemy's `handle_error`."""
    fault = world_fault(context.original_exception)
    if fault is None or context.is_pre_ping:
        return None
    context.is_disconnect = True
    # The other connections of the pool are to the same server.
    context.invalidate_pool_on_disconnect = fault.code in _CONNECTION_GONE
    return fault
