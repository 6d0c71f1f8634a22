"""All that differs between SQLite (the default) and PostgreSQL, so that nothing else needs to.

SQLite settings and why:

* WAL: readers and the one writer do not block each other.
* `synchronous=FULL`: WAL with NORMAL may lose the last commits at a power cut. A sender who holds
  a receipt number must find it in the database afterwards, and "dot sent" must be on disk before
  the dot is; so every commit is fsynced.
* `BEGIN IMMEDIATE` for writers: the write lock is taken at once, waited for up to 30 s, and never
  upgraded in the middle, where SQLite would refuse without waiting.
* `secure_delete`: what is deleted is overwritten, because what a person orders deleted may be
  content that must not exist here.

An error of the database that concerns everything becomes a systemic `WorldFault` at the statement
that met it, and the connection is given up: SQLite may already have rolled back by itself, and
what followed would be committed statement by statement.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from mailbot.app.errors import Fault, OperatorFault, Permanent, Retryable, WorldFault

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

BUSY_SECONDS = 30.0
WAL_LEFT_BYTES = 64 * 1024 * 1024
"""A long read lets the write-ahead log grow; this is what it is cut back to."""

MIGRATION_LOCK = 0x6D61696C626F74
"""PostgreSQL advisory lock held while migrating ("mailbot" in ASCII)."""


def make_engine(url: str) -> Engine:
    """An engine whose transactions read; `writing(engine)` gives the one whose transactions write.

    Raises `OperatorFault` for an address that names no database we can use."""
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise NoSuchModuleError(parsed.get_backend_name())
        if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
            raise ArgumentError("an SQLite database needs a file")
        options: dict[str, Any] = {}
        if parsed.get_backend_name() == "sqlite":
            options["connect_args"] = {"timeout": BUSY_SECONDS, "isolation_level": None}
        engine = create_engine(parsed, hide_parameters=True, **options)
    except (ArgumentError, NoSuchModuleError, ImportError) as e:
        raise OperatorFault(
            Fault(
                "database.url",
                f"cannot be used ({e})",
                "write sqlite:////var/lib/mailbot/mailbot.db, or postgresql://user@host/name "
                "with the psycopg package installed",
            )
        ) from e
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _translate)
    return engine


def writing(engine: Engine) -> Engine:
    """The same engine and pool for transactions that write."""
    return engine.execution_options(mailbot_writes=True)


def database_path(engine: Engine) -> Path | None:
    """The file of an SQLite database, None for a server's."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    return Path(engine.url.database)


def create_file(path: Path) -> None:
    """An empty SQLite file only we can read (0600, in a folder 0700); its -wal and -shm files get
    the same mode from SQLite. An existing file or folder keeps its mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in (
        "foreign_keys=ON",
        "synchronous=FULL",
        "secure_delete=ON",
        f"journal_size_limit={WAL_LEFT_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """A writer takes its lock at once; a reader sees one moment throughout."""
    writes = connection.get_execution_options().get("mailbot_writes", False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    elif not writes:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def turn_on_wal(connection: Connection) -> None:
    """Once per database (it stays in the file). Outside a transaction."""
    _pragma(connection, "journal_mode=WAL")


def foreign_keys(connection: Connection, on: bool) -> None:
    """Off while a migration rebuilds tables (SQLite only; outside a transaction)."""
    _pragma(connection, f"foreign_keys={'ON' if on else 'OFF'}")


def _pragma(connection: Connection, pragma: str) -> None:
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        try:
            driver.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as e:
            raise world_fault(e) or e from e


def broken_references(connection: Connection) -> list[str]:
    """Rows that point to nothing (SQLite; PostgreSQL keeps its own order)."""
    if connection.dialect.name != "sqlite":
        return []
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return [f"{r[0]} row {r[1]} -> {r[2]}" for r in rows[:20]]


def integrity_faults(connection: Connection) -> list[str]:
    """What a full look at the file finds wrong (SQLite; reads everything, for `mailbot doctor`)."""
    if connection.dialect.name != "sqlite":
        return []
    lines = [str(r[0]) for r in connection.exec_driver_sql("PRAGMA integrity_check(20)").all()]
    return [] if lines == ["ok"] else lines


def lock_for_migration(connection: Connection) -> None:
    """Within the migrating transaction. SQLite's BEGIN IMMEDIATE is the lock already."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")


def hold_tables(connection: Connection, *tables: str) -> None:
    """Lets nobody else write them until the transaction ends; everybody may read. SQLite's BEGIN
    IMMEDIATE does so already, for all of them."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(tables)
        connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")


def insert_or(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """INSERT with ON CONFLICT, which both databases write alike and the standard lacks."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def append_only_sql(dialect: str, table: str) -> list[str]:
    """Statements that make a table refuse UPDATE and DELETE. Used by migrations, so what they give
    for a table must not change once released. Rebuilding a table in SQLite drops its triggers: a
    migration that does so runs these again."""
    message = f"{table} is append-only"
    if dialect == "postgresql":
        return [
            f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{message}' "
            "USING ERRCODE = 'integrity_constraint_violation'; END $$",
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
        ]
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        for verb in ("UPDATE", "DELETE")
    ]


# --- errors ---------------------------------------------------------------------------------

_DISK = "the database cannot be written: disk full or failing"
_SQLITE_FAULTS: dict[int, tuple[type[WorldFault], str, str]] = {
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
_POSTGRES_CLASSES: dict[str, str] = {
    "08": "database_down",
    "53": "disk",
    "57": "database_down",
    "58": "disk",
    "40": "database_locked",
    "55": "database_locked",
}
"""First two characters of SQLSTATE (PostgreSQL appendix A) that concern everything."""


def world_fault(error: BaseException) -> WorldFault | None:
    """The world's fault behind a driver's error; None when it is our own (a broken constraint, a
    wrong statement)."""
    if isinstance(error, sqlite3.Error):
        known = _SQLITE_FAULTS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if known is None:
            return None
        family, code, text = known
        return family(f"{text} ({error})", code=code, systemic=True)
    state = getattr(error, "sqlstate", "unknown")
    if state == "unknown":
        return None
    if state is None and type(error).__name__ == "OperationalError":
        return Retryable(
            f"the database server is away: {error}", code="database_down", systemic=True
        )
    if state == "25006":  # read_only_sql_transaction: a standby, or a role set so
        return Permanent(f"the database: {error}", code="database_readonly", systemic=True)
    code = _POSTGRES_CLASSES.get((state or "")[:2], "")
    return Retryable(f"the database: {error}", code=code, systemic=True) if code else None


def _translate(context: ExceptionContext) -> WorldFault | None:
    fault = world_fault(context.original_exception)
    if fault is not None:
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False
    return fault
