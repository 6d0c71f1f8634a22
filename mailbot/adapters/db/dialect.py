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

PostgreSQL's: a session speaks UTC, its commits are on the server's disk when they return, it waits
for another's lock as long as SQLite would, it notices when the server's machine is gone, and the
server ends it when it lies still with locks in hand (a process stopped at the wrong moment, a machine
that is gone).

What errors mean is in `faults`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Table,
    create_engine,
    event,
    func,
    literal_column,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from mailbot.adapters.db.faults import translate, world_fault
from mailbot.app.errors import Fault, OperatorFault

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

BUSY_SECONDS = 30.0
IDLE_WRITER_SECONDS = 300
"""How long a transaction that writes may do nothing. (Under a lease: shorter, see `leases`.)"""
STATEMENT_SECONDS = 900
"""How long one statement that writes may take; an upgrade's may take as long as they like."""
IDLE_READER_SECONDS = 4 * 3600
"""A reader has no locks that others wait for, but the server may not clean up behind it. A backup
reads while it compresses, and standings are reckoned between two reads."""
WAL_LEFT_BYTES = 64 * 1024 * 1024
"""A long read lets the write-ahead log grow; this is what it is cut back to."""

_CONNECTION: dict[str, Any] = {
    "application_name": "mailbot",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""What a PostgreSQL connection asks for, unless the address says otherwise: a server whose machine
is gone is noticed within a minute."""

MIGRATION_LOCK = 0x6D61696C626F74
"""PostgreSQL advisory lock held while migrating ("mailbot" in ASCII)."""


def make_engine(url: str | URL, *, connections: int | None = None) -> Engine:
    """An engine whose transactions read; `writing(engine)` gives the one whose transactions write.
    `connections`: a server's, at most; some more than a dozen unless told.

    Raises `OperatorFault` for an address that names no database we can use."""
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise NoSuchModuleError(parsed.get_backend_name())
        if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
            raise ArgumentError("an SQLite database needs a file")
        options = _options(parsed)
        if connections is not None:
            options |= {"pool_size": connections, "max_overflow": 0}
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
    else:
        # A number goes as wide as it is: somebody may ask for record 99999999999, and gets none.
        engine.dialect.colspecs = {**engine.dialect.colspecs, Integer: _AnyInteger}
        event.listen(engine, "connect", _prepare_postgres)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", translate)
    return engine


class _AnyInteger(Integer):
    """Without the cast to PostgreSQL's 31 bits; a column that is too narrow still refuses."""

    render_bind_cast = False


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        patience = {} if "timeout" in url.query else {"timeout": BUSY_SECONDS}
        return {"connect_args": {"isolation_level": None, **patience}}
    wanted = {name: value for name, value in _CONNECTION.items() if name not in url.query}
    # Asked before each use: after a restart of the server nobody is handed a dead connection.
    return {"connect_args": wanted, "pool_pre_ping": True}


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


def _prepare_postgres(connection: DBAPIConnection, _record: object) -> None:
    """Whatever the role or the server is set to. (Statements, not start options: a pool of
    connections between here and the server lets these through.)"""
    cursor = connection.cursor()
    for setting in (
        "timezone = 'UTC'",
        f"lock_timeout = {int(BUSY_SECONDS * 1000)}",
        f"idle_in_transaction_session_timeout = {IDLE_WRITER_SECONDS * 1000}",
        f"statement_timeout = {STATEMENT_SECONDS * 1000}",
        "default_transaction_isolation = 'read committed'",
    ):
        cursor.execute(f"SET {setting}")
    # A server may wait for standbys as well; it may not be told to wait for nothing.
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )
    cursor.close()
    connection.commit()


_READER = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; "
    f"SET LOCAL idle_in_transaction_session_timeout = {IDLE_READER_SECONDS * 1000}; "
    "SET LOCAL statement_timeout = 0"
)
"""One round trip."""


def _begin(connection: Connection) -> None:
    """A writer takes its lock at once; a reader sees one moment throughout."""
    writes = connection.get_execution_options().get("mailbot_writes", False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    elif not writes:
        connection.exec_driver_sql(_READER)


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


def unfit(connection: Connection) -> str | None:
    """Why a server's database cannot hold what mailbot stores: its encoding."""
    if connection.dialect.name != "postgresql":
        return None
    encoding = str(connection.exec_driver_sql("SHOW server_encoding").scalar_one())
    return None if encoding == "UTF8" else encoding


def lock_for_migration(connection: Connection) -> None:
    """Within the migrating transaction. SQLite's BEGIN IMMEDIATE is the lock already."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")


def hold_tables(connection: Connection, *tables: str) -> None:
    """Lets nobody else write them until the transaction ends; everybody may read. SQLite's BEGIN
    IMMEDIATE does so already, for all of them."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(tables)
        connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")


def hold_names(connection: Connection, names: Iterable[str]) -> None:
    """Lets nobody else hold one of these names until the transaction ends. SQLite's BEGIN IMMEDIATE
    does so already."""
    if connection.dialect.name == "postgresql":
        for name in sorted(names):  # always in one order, or two could wait for each other
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def insert_or(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """INSERT with ON CONFLICT, which both databases write alike and the standard lacks."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def server_time(connection: Connection, plus: float = 0.0) -> ColumnElement[Any]:
    """The database's own clock, some seconds on, as a column of moments keeps it. It runs on within
    a transaction. (SQLite's is this machine's, in milliseconds.)"""
    if connection.dialect.name == "postgresql":
        return literal_column(f"(clock_timestamp() + interval '{plus:.3f} seconds')")
    return literal_column(f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '{plus:+.3f} seconds')")


def seconds_until(connection: Connection, moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """From now, by the database's clock."""
    if connection.dialect.name == "postgresql":
        return func.extract("epoch", moment - func.clock_timestamp())
    return (func.julianday(moment) - func.julianday("now")) * 86400


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
