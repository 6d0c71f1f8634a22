"""A database as files, and back.

SQLite through its online backup, from inside a read transaction: one moment, however long it takes and
whatever the daemon writes meanwhile. PostgreSQL table by table through COPY, in one read transaction
as well: needs no client programs, no password outside the connection, and goes back into any later
version of the server. It goes back in one transaction: a load that is killed leaves an empty
database.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, text

from mailbot.adapters.db import dialect, migrate
from mailbot.adapters.db.faults import world_fault
from mailbot.adapters.db.tables import HEAD, metadata
from mailbot.adapters.db.unit_of_work import SqlTransaction
from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault, Permanent

SQLITE_FILE = "mailbot.db"
COPY_FOLDER = "database"
PAGES = 4096
"""Copied in one go: 16 MB, after which progress is told."""
_COPY_NAME = re.compile(r"\d\d-([a-z_]+)\.copy\.gz")

Told = Callable[[int, int], None]


def dump(connection: Connection, folder: Path, told: Told) -> None:
    """Writes what the transaction of `connection` sees: `mailbot.db`, or files in `database/`."""
    # The transaction begins with its first statement; what goes past SQLAlchemy begins none, and the
    # tables, or the copy's steps, would each be of another moment.
    connection.exec_driver_sql("SELECT 1").all()
    if connection.dialect.name == "sqlite":
        _copy_sqlite(connection, folder / SQLITE_FILE, told)
    else:
        _copy_out(connection, folder / COPY_FOLDER, told)


def prove_sqlite(path: Path) -> None:
    """Raises `Permanent` when the copy is damaged, which means that the original is."""
    with _immutable(path) as copy:
        lines = [str(row[0]) for row in copy.execute("PRAGMA quick_check(5)")]
    if lines != ["ok"]:
        raise Permanent("; ".join(lines)[:500], code="database_corrupt", systemic=True)


def load_postgres(
    url: str,
    folder: Path,
    schema: str,
    counts: dict[str, int],
    finish: Callable[[SqlTransaction], None],
) -> None:
    """Loads the files into the empty database at `url`: schema, rows, counters, `finish`; all or
    nothing. Raises `OperatorFault` when the database is not empty, ValueError when a table has not
    as many rows as `counts` says."""
    from alembic import command

    engine = dialect.make_engine(url)
    try:
        with dialect.writing(engine).begin() as connection:
            dialect.lock_for_migration(connection)
            if migrate.version_of(connection) is not None:
                raise OperatorFault(
                    Fault(
                        engine.url.render_as_string(hide_password=True),
                        _("the database is not empty"),
                        _("name a new, empty database: a restore never overwrites"),
                    )
                )
            command.upgrade(migrate.alembic_config(connection), schema)
            for path in sorted(folder.glob("*.copy.gz")):
                _copy_in(connection, path, counts)
            _advance_counters(connection)
            if schema != HEAD:
                command.upgrade(migrate.alembic_config(connection), "head")
            finish(SqlTransaction(connection))
    finally:
        engine.dispose()


def known_schemas() -> frozenset[str]:
    """The schema versions this program can bring up to date."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(migrate.alembic_config())
    return frozenset(s.revision for s in scripts.walk_revisions())


# --- SQLite


def _copy_sqlite(connection: Connection, target: Path, told: Told) -> None:
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with _faults(), contextlib.closing(sqlite3.connect(target)) as copy:
        # BEGIN alone takes no snapshot: without a read every commit of the daemon makes the copy start
        # anew.
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").all()
        source: sqlite3.Connection = _driver(connection)
        source.backup(
            copy, pages=PAGES, progress=lambda _status, left, total: told(total - left, total)
        )


@contextmanager
def _immutable(path: Path) -> Iterator[sqlite3.Connection]:
    """Leaves nothing beside the file, which a plain opening would."""
    with (
        _faults(),
        contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
        ) as db,
    ):
        yield db


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as e:
        raise world_fault(e) or e from e


# --- PostgreSQL


def _copy_out(connection: Connection, folder: Path, told: Told) -> None:
    folder.mkdir(mode=0o700)
    tables = metadata.sorted_tables
    for number, table in enumerate(tables):
        columns = ", ".join(f'"{c.name}"' for c in table.columns)
        path = folder / f"{number:02d}-{table.name}.copy.gz"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(handle, "wb") as file,
            gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed,
            _driver(connection).cursor() as cursor,
        ):
            # The first line names the columns, so that a later schema may have others.
            packed.write(columns.encode() + b"\n")
            with cursor.copy(f'COPY "{table.name}" ({columns}) TO STDOUT') as copy:
                for block in copy:
                    packed.write(block)
        told(number + 1, len(tables))


def _copy_in(connection: Connection, path: Path, counts: dict[str, int]) -> None:
    named = _COPY_NAME.fullmatch(path.name)
    if named is None or named[1] not in metadata.tables:
        raise ValueError(f"no table of ours: {path.name}")
    name = named[1]
    with gzip.open(path, "rb") as packed, _driver(connection).cursor() as cursor:
        columns = packed.readline().decode().strip()
        if not re.fullmatch(r'"[a-z0-9_]+"(, "[a-z0-9_]+")*', columns):
            raise ValueError(f"no list of columns: {path.name}")
        with cursor.copy(f'COPY "{name}" ({columns}) FROM STDIN') as copy:
            while block := packed.read(1 << 16):
                copy.write(block)
    found = connection.scalar(text(f'SELECT count(*) FROM "{name}"'))
    if found != counts.get(name, 0):
        raise ValueError(f"{name}: {found} rows instead of {counts.get(name, 0)}")


def _advance_counters(connection: Connection) -> None:
    """Numbers given once are never given again."""
    for table in metadata.sorted_tables:
        if "id" in table.columns and table.columns["id"].autoincrement:
            sequence = connection.scalar(
                text("SELECT pg_get_serial_sequence(:table, 'id')"), {"table": table.name}
            )
            if sequence:
                connection.execute(
                    text(
                        f"SELECT setval(:sequence, coalesce(max(id), 0) + 1, false) "
                        f'FROM "{table.name}"'
                    ),
                    {"sequence": sequence},
                )


def _driver(connection: Connection) -> Any:
    return cast(Any, connection.connection.driver_connection)
