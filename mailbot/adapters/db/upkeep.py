"""What checks and backups ask of the database: which bytes must be in the archive, whether the tables
that only grow are still guarded, how many rows there are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    column,
    func,
    literal,
    or_,
    select,
    table,
)

from mailbot.adapters.db import dialect
from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.db.tables import APPEND_ONLY, inbound, mail, metadata, removal
from mailbot.app.records import InboundState
from mailbot.app.upkeep.model import Damage, Kept

AT_A_TIME = 1000
"""Rows in memory."""

_DECIDED = inbound.c.state.in_([InboundState.DECIDED.value, InboundState.SETTLED.value])
_READABLE = or_(mail.c.inbound_id.is_not(None), removal.c.content.is_not(None))
"""Of a decided mail: its content was stored. After a secrets hit it never is."""
_WANTED = and_(_READABLE, removal.c.raw.is_(None))
_LEAVING = and_(removal.c.raw.is_not(None), removal.c.raw_gone.is_(None))


def _any(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.max(case((condition, 1), else_=0))


def _bytewise(connection: Connection) -> ColumnElement[str]:
    """The column by which digests sort as their characters do, whatever the database's language."""
    if connection.dialect.name == "postgresql":
        return inbound.c.sha256.collate("C")
    return inbound.c.sha256


def _kept(connection: Connection) -> Select[Any]:
    return (
        select(
            inbound.c.sha256,
            _any(_WANTED),
            _any(~_READABLE),
            _any(_LEAVING),
            func.min(inbound.c.id),
        )
        .select_from(
            inbound.outerjoin(mail, mail.c.inbound_id == inbound.c.id).outerjoin(
                removal, removal.c.inbound_id == inbound.c.id
            )
        )
        .where(_DECIDED, inbound.c.sha256 != "")
        .group_by(inbound.c.sha256)
        .order_by(_bytewise(connection))
    )


def kept_mails(connection: Connection) -> Iterator[Kept]:
    """All digests the database knows, in ascending order. The archive's names are 64 characters of
    0-9 and a-f; others (made by hand) are left out."""
    rows = connection.execute(_kept(connection), execution_options={"yield_per": AT_A_TIME})
    for sha256, wanted, secret, leaving, inbound_id in rows:
        yield Kept(sha256, bool(wanted), bool(secret), bool(leaving), inbound_id)


def all_kept(store: SqlStore) -> tuple[int, Iterator[Kept]]:
    """How many, and one after another. Read in one go into an unnamed file: who looks at each mail in
    turn takes long, and must not hold up the database so long."""
    spool = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115 - closed by `told`
    count = 0
    with store.snapshot() as connection:
        for one in kept_mails(connection):
            spool.write(
                f"{one.sha256} {one.wanted:d} {one.secret:d} {one.leaving:d} {one.inbound_id}\n"
            )
            count += 1
    spool.seek(0)

    def told() -> Iterator[Kept]:
        with spool:
            for line in spool:
                sha256, wanted, secret, leaving, inbound_id = line.split()
                yield Kept(sha256, wanted == "1", secret == "1", leaving == "1", int(inbound_id))

    return count, told()


def row_counts(connection: Connection) -> dict[str, int]:
    """Rows of each of our tables."""
    return {
        name: connection.scalar(select(func.count()).select_from(one)) or 0
        for name, one in sorted(metadata.tables.items())
    }


def check_database(store: SqlStore) -> Iterator[Damage]:
    """Integrity and references, and whether what only grows is guarded against changes."""
    remedy = "停止 mailbot，把损坏的文件另存一份，再用 mailbot restore 从备份恢复"
    for found in store.check():
        yield Damage("数据库", found, remedy)
    with store.snapshot() as connection:
        for name in _unguarded(connection):
            yield Damage(
                f"数据库的表 {name}",
                "禁止改动的触发器不在了，记录可能被人改过",
                "查清是谁动了数据库；用 mailbot restore 把昨天的备份恢复到另一个文件夹对照",
            )


def _unguarded(connection: Connection) -> list[str]:
    """Tables that should refuse UPDATE and DELETE, and would not."""
    if connection.dialect.name == "sqlite":
        master = table("sqlite_master", column("type"), column("name"))
        found = set(connection.scalars(select(master.c.name).where(master.c.type == "trigger")))
        return [
            t.name
            for t in APPEND_ONLY
            if not {f"{t.name}_no_update", f"{t.name}_no_delete"} <= found
        ]
    trigger = table("pg_trigger", column("tgname"), column("tgenabled"))
    found = set(
        connection.scalars(select(trigger.c.tgname).where(trigger.c.tgenabled != literal("D")))
    )
    return [t.name for t in APPEND_ONLY if f"{t.name}_append_only" not in found]


def engine_kind(store: SqlStore) -> str:
    """`sqlite` or `postgresql`."""
    return store.engine.dialect.name


def is_empty(url: str) -> bool:
    """Nothing is in the database yet (of SQLite: no file)."""
    from mailbot.adapters.db.migrate import version_of

    engine = dialect.make_engine(url)
    try:
        path = dialect.database_path(engine)
        if path is not None and not path.exists():
            return True
        with engine.connect() as connection:
            return version_of(connection) is None
    finally:
        engine.dispose()


def fact_in(url: str, name: str) -> str:
    """A fact of the database at `url`; empty where there is none, nor any database."""
    from mailbot.adapters.db.engine import open_store

    if is_empty(url):
        return ""
    store = open_store(url, create=False)
    try:
        with store.reading() as reads:
            return reads.fact(name)
    finally:
        store.close()


def prepare_restored_file(path: Path) -> None:
    """A copy that the online backup made keeps no write-ahead log; the daemon wants one."""
    engine = dialect.make_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            dialect.turn_on_wal(connection)
    finally:
        engine.dispose()
