"""Leases in the database (`app.leases.Leases`), and the check that every write under one makes.

How the three fit together on PostgreSQL, where each transaction sees what is committed:

* a write holds the lease's row with FOR KEY SHARE until it commits;
* a renewal changes other columns than the key, which that does not stand in the way of;
* a takeover takes the row FOR UPDATE: it passes over a row that a running write holds, and a write
  that comes later finds another fence and is refused.

A process that sleeps in the middle of a transaction cannot hold a row for ever: the server ends a
session that does nothing within a transaction for as long as a lease lasts.

On SQLite, where one writes at a time, the same statements need none of this (only tests do so).
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)

from mailbot.adapters.db import dialect
from mailbot.adapters.db import tables as t
from mailbot.app.errors import Retryable
from mailbot.app.leases import LOST, Lease

DEAD_AFTER = 3
"""Leases' times without a sign of life after which a worker is struck off the list."""
_Begin = Callable[[], AbstractContextManager[Connection]]


class SqlLeases:
    """`begin` gives a connection inside a write transaction of its own. For any number of
    threads."""

    def __init__(self, begin: _Begin, worker: str, seconds: float) -> None:
        self.worker, self.seconds = worker, seconds
        self._begin = begin

    def beat(self) -> int:
        with self._begin() as db:
            now = dialect.server_time(db)
            row = {"host": socket.gethostname(), "pid": os.getpid(), "version": _version()}
            insert = dialect.insert_or(db.dialect.name, t.worker)
            insert = insert.values(id=self.worker, started=now, seen=now, **row)
            db.execute(insert.on_conflict_do_update(index_elements=["id"], set_={"seen": now}))
            dead = t.worker.c.seen < dialect.server_time(db, -DEAD_AFTER * self.seconds)
            found = db.scalars(select(t.worker.c.id).where(dead).with_for_update(skip_locked=True))
            if gone := found.all():
                db.execute(delete(t.worker).where(t.worker.c.id.in_(gone)))
            return living(db, self.seconds)

    def acquire(self, name: str) -> Lease | None:
        with self._begin() as db:
            _let_sleepers_go(db, self.seconds)
            new = dialect.insert_or(db.dialect.name, t.lease)
            new = new.values(name=name, holder="", fence=0, until=dialect.server_time(db))
            db.execute(new.on_conflict_do_nothing())
            free = or_(_free(db), t.lease.c.holder == self.worker)
            fence = db.scalar(
                select(t.lease.c.fence)
                .where(t.lease.c.name == name, free)
                .with_for_update(skip_locked=True)
            )
            if fence is None:
                return None
            until = dialect.server_time(db, self.seconds)
            db.execute(
                update(t.lease)
                .where(t.lease.c.name == name)
                .values(holder=self.worker, fence=fence + 1, until=until)
            )
        return Lease(name, self.worker, fence + 1)

    def free(self, names: Collection[str]) -> frozenset[str]:
        with self._begin() as db:
            query = select(t.lease.c.name).where(t.lease.c.name.in_(list(names)), ~_free(db))
            return frozenset(names) - set(db.scalars(query))

    def renew(self, leases: Sequence[Lease]) -> frozenset[str]:
        """Also one that has expired and that nobody took meanwhile."""
        if not leases:
            return frozenset()
        with self._begin() as db:
            _let_sleepers_go(db, self.seconds)
            done = db.execute(
                update(t.lease)
                .where(_ours(leases), t.lease.c.holder == self.worker)
                .values(until=dialect.server_time(db, self.seconds))
                .returning(t.lease.c.name)
            )
            return frozenset(done.scalars())

    def release(self, lease: Lease) -> None:
        with self._begin() as db:
            ours = (_ours([lease]), t.lease.c.holder == self.worker)
            db.execute(update(t.lease).where(*ours).values(holder=""))

    def leave(self) -> None:
        with self._begin() as db:
            db.execute(update(t.lease).where(t.lease.c.holder == self.worker).values(holder=""))
            db.execute(delete(t.worker).where(t.worker.c.id == self.worker))


def living(db: Connection, seconds: float) -> int:
    """How many workers gave a sign of life within a lease's time."""
    seen = t.worker.c.seen > dialect.server_time(db, -seconds)
    return db.scalar(select(func.count()).select_from(t.worker).where(seen)) or 0


def check_fence(db: Connection, lease: Lease) -> float:
    """Within a write transaction, before anything is written: for how many seconds the lease is
    still held. Nobody takes it over before the transaction ends. Raises `Retryable` when it is
    lost."""
    left = dialect.seconds_until(db, t.lease.c.until)
    columns: list[ColumnElement[Any]] = [left.label("left")]
    if db.dialect.name == "postgresql":
        limit = func.round(func.greatest(left, 0) * 1000) + 1000
        columns.append(_end_after(func.concat(limit, "ms")))
    found = db.execute(
        select(*columns)
        .where(
            t.lease.c.name == lease.name,
            t.lease.c.holder == lease.holder,
            t.lease.c.fence == lease.fence,
        )
        .with_for_update(read=True, key_share=True, of=t.lease)
    ).first()
    if found is None or found.left <= 0:
        raise lost(lease)
    return float(found.left)


def lost(lease: Lease) -> Retryable:
    return Retryable(
        f"the lease of {lease.name} (fence {lease.fence}) is lost: nothing was written",
        code=LOST,
        systemic=True,
    )


def worker_id() -> str:
    """Another one for every process, also where pids are used again."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def _free(db: Connection) -> ColumnElement[bool]:
    return or_(t.lease.c.holder == "", t.lease.c.until <= dialect.server_time(db))


def _ours(leases: Sequence[Lease]) -> ColumnElement[bool]:
    return tuple_(t.lease.c.name, t.lease.c.fence).in_([(x.name, x.fence) for x in leases])


def _let_sleepers_go(db: Connection, seconds: float) -> None:
    """Should this very process be stopped in the middle of this transaction."""
    if db.dialect.name == "postgresql":
        db.execute(select(_end_after(literal(f"{int(seconds * 1000)}ms"))))


def _end_after(limit: ColumnElement[str]) -> ColumnElement[str]:
    """PostgreSQL: how long this transaction may lie idle before the server ends it."""
    return func.set_config("idle_in_transaction_session_timeout", limit, true())


def _version() -> str:
    try:
        return version("mailbot")
    except PackageNotFoundError:
        return ""
