"""What `app.health` asks of the database: a dozen small look-ups in one read transaction, each by
an index, because it is asked every few seconds."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, bindparam, exists, func, literal_column, or_, select, text

from mailbot.adapters.db.queries import LAST_HOUR
from mailbot.adapters.db.tables import fact, folder, inbound, item, lease, outbox, task, worker
from mailbot.app.evidence import UNKNOWN_SEND
from mailbot.app.health import Figures, MailboxFigures
from mailbot.app.records import InboundState, OutboxState

LAST_BACKUP = "last_backup"
"""The fact a whole backup leaves: its moment in ISO 8601."""
BACKUP_LACKS = "backup_lacks"
"""The fact each backup leaves: how many mails it lacks, damaged or missing in the archive; empty
when it is whole."""
ALIVE = timedelta(minutes=2)
"""A worker that was seen since then counts as alive: the longest sensible lease and more."""

_OPEN_LETTERS = [s.value for s in OutboxState if s not in (OutboxState.SENT, OutboxState.DROPPED)]
# An uncertain letter whose task a person has closed stays UNKNOWN and wants nobody any more.
_CLOSED = exists(
    select(task.c.id).where(
        task.c.outbox_id == outbox.c.id, task.c.kind == UNKNOWN_SEND, task.c.done_at.is_not(None)
    )
)
LAST_SEARCH = select(func.max(folder.c.searched)).where(folder.c.account == bindparam("account"))
LETTERS = (
    select(outbox.c.state, func.count())
    .where(
        outbox.c.state.in_(_OPEN_LETTERS),
        or_(outbox.c.state != OutboxState.UNKNOWN.value, ~_CLOSED),
    )
    .group_by(outbox.c.state)
)
OLDEST_LETTER = select(func.min(outbox.c.queued)).where(
    outbox.c.state.in_([OutboxState.READY.value, OutboxState.RETRY.value])
)
WAITING = select(func.count(), func.min(inbound.c.first_seen)).where(
    inbound.c.account == bindparam("account"), inbound.c.state == InboundState.NEW.value
)
DECIDED = (
    select(inbound.c.decided_at)
    .where(inbound.c.account == bindparam("account"), inbound.c.state == bindparam("state"))
    .order_by(inbound.c.id.desc())
    .limit(1)
)
# The literal stands in the statement: a partial index is of no use to a value given later.
HELD = select(func.count()).select_from(item).where(item.c.state == literal_column("'held'"))
TASKS = (
    select(task.c.kind, func.count(), func.min(task.c.created))
    .where(task.c.done_at.is_(None))
    .group_by(task.c.kind)
)
FACT = select(fact.c.value).where(fact.c.name == bindparam("name"))
WORKERS = select(worker.c.host, worker.c.seen)
LEASES = select(lease.c.name, lease.c.until).where(lease.c.holder != "")
SCHEMA = text("SELECT version_num FROM alembic_version")


class SqlHealthReads:
    """`app.health.HealthReads`. `snapshot` is the store's; `data_dir` where mail is written down."""

    def __init__(
        self,
        snapshot: Callable[[], contextlib.AbstractContextManager[Connection]],
        data_dir: Path,
        accounts: Sequence[str],
        offices: Sequence[str],
    ) -> None:
        self._snapshot, self._data_dir = snapshot, data_dir
        self._accounts, self._offices = accounts, offices

    def figures(self, now: datetime) -> Figures:
        with self._snapshot() as db:
            tasks = db.execute(TASKS).all()
            hour = {"start": now - timedelta(hours=1), "end": now}
            seen = [str(host) for host, at in db.execute(WORKERS) if now - at < ALIVE]
            return Figures(
                schema=str(db.execute(SCHEMA).scalar_one_or_none() or ""),
                mailboxes={name: _mailbox(db, name) for name in self._accounts},
                letters={str(state): int(n) for state, n in db.execute(LETTERS)},
                oldest_letter=db.scalar(OLDEST_LETTER),
                held=db.scalar(HELD) or 0,
                tasks={str(kind): int(n) for kind, n, _created in tasks},
                oldest_task=min((created for _kind, _n, created in tasks), default=None),
                last_hour={
                    office: db.scalar(LAST_HOUR, {"office": office, **hour}) or 0
                    for office in self._offices
                },
                last_backup=_moment(db.scalar(FACT, {"name": LAST_BACKUP})),
                backup_lacks=_number(db.scalar(FACT, {"name": BACKUP_LACKS})),
                workers=len(seen),
                leased=frozenset(
                    str(name) for name, until in db.execute(LEASES) if now - until < ALIVE
                ),
                hosts=frozenset(seen),
            )

    def free_bytes(self) -> int | None:
        try:
            return shutil.disk_usage(self._data_dir).free
        except OSError:
            return None


def _mailbox(db: Connection, name: str) -> MailboxFigures:
    waiting, oldest = db.execute(WAITING, {"account": name}).one()
    decided = [
        db.scalar(DECIDED, {"account": name, "state": state.value})
        for state in (InboundState.DECIDED, InboundState.SETTLED)
    ]
    return MailboxFigures(
        searched=db.scalar(LAST_SEARCH, {"account": name}),
        decided=max((at for at in decided if at is not None), default=None),
        waiting=int(waiting),
        oldest=oldest,
    )


def _number(written: str | None) -> int:
    return int(written) if written and written.isdecimal() else 0


def _moment(written: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return found if found.tzinfo else None
