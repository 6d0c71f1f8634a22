"""Which addresses are written to no more of our own accord (`app.suspension`).

An open task of that kind, tied to the last letter that failed, is the suspension itself: there is
nothing else to keep in step with it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, func, select, update

from mailbot.adapters.db.tables import link, outbox, task
from mailbot.adapters.db.trail import BOT, add_audit, add_task
from mailbot.app.records import NewTask, OutboxState, Relation
from mailbot.app.suspension import LIMIT, PROVEN, TASK, Tried, failing, task_text

_LOOKED_AT = 10 * LIMIT
"""Letters to one address that are looked at, the newest first."""

_BOUNCED = (
    exists()
    .where(link.c.to_outbox == outbox.c.id, link.c.relation == Relation.BOUNCE.value)
    .correlate(outbox)
)
_TO_ADDRESS = (
    outbox.c.office == bindparam("office"),
    outbox.c.recipient.in_(bindparam("spelled", expanding=True)),
)
LETTER = select(outbox.c.office, outbox.c.recipient, outbox.c.subject, outbox.c.error).where(
    outbox.c.id == bindparam("id")
)
TASKS = (
    select(task.c.id, task.c.created, task.c.done_at, outbox.c.recipient)
    .join(outbox, outbox.c.id == task.c.outbox_id)
    .where(task.c.office == bindparam("office"), task.c.kind == TASK)
)
OPEN = TASKS.where(task.c.done_at.is_(None)).order_by(task.c.id)
LIFTED = select(func.max(task.c.done_at)).where(
    task.c.kind == TASK,
    task.c.outbox_id.in_(select(outbox.c.id).where(*_TO_ADDRESS)),
)
TRIED = (
    select(outbox.c.state, outbox.c.finished, _BOUNCED)
    .where(
        *_TO_ADDRESS,
        outbox.c.state.in_([OutboxState.SENT.value, OutboxState.FAILED.value]),
    )
    .order_by(outbox.c.id.desc())
    .limit(_LOOKED_AT)
)
ARRIVED = (
    select(outbox.c.id)
    .where(
        *_TO_ADDRESS,
        outbox.c.state == OutboxState.SENT.value,
        outbox.c.finished > bindparam("since"),
        outbox.c.finished <= bindparam("proven"),
        ~_BOUNCED,
    )
    .limit(1)
)


class SuspensionReads:
    """The part of `SqlReads` about addresses that letters do not reach."""

    _db: Connection

    def suspended(self, office: str) -> frozenset[str]:
        return suspended(self._db, office)


class SuspensionWrites:
    """The part of `SqlTransaction` about them."""

    _db: Connection

    def count_failure(self, outbox_id: int, now: datetime) -> None:
        count_failure(self._db, outbox_id, now)

    def end_suspensions(self, office: str, now: datetime) -> None:
        for row in self._db.execute(OPEN, {"office": office}).all():
            since = {"since": row.created, "proven": now - PROVEN}
            if self._db.scalar(ARRIVED, {**_to(office, row.recipient), **since}) is not None:
                self._close(row.id, BOT, now)

    def lift_suspension(self, office: str, address: str, who: str, now: datetime) -> None:
        for row in self._db.execute(OPEN, {"office": office}).all():
            if row.recipient.lower() == address.lower():
                self._close(row.id, who, now)

    def _close(self, task_id: int, who: str, now: datetime) -> None:
        self._db.execute(
            update(task)
            .where(task.c.id == task_id, task.c.done_at.is_(None))
            .values(done_at=now, done_by=who)
        )


def suspended(db: Connection, office: str) -> frozenset[str]:
    return frozenset(row.recipient.lower() for row in db.execute(OPEN, {"office": office}))


def count_failure(db: Connection, outbox_id: int, now: datetime) -> None:
    """What failed before the last suspension was lifted counts no more."""
    letter = db.execute(LETTER, {"id": outbox_id}).one()
    to = _to(letter.office, letter.recipient)
    lifted = db.scalar(LIFTED, to)
    tried = [
        Tried(row.state == OutboxState.FAILED.value or bool(row[2]), row.finished)
        for row in db.execute(TRIED, to)
        if row.finished is not None and (lifted is None or row.finished > lifted)
    ]
    if not failing(tried, now) or letter.recipient.lower() in suspended(db, letter.office):
        return
    said = f"邮件服务器的说明：{letter.error}。" if letter.error else ""
    text = task_text(letter.recipient, letter.subject, said)
    add_task(db, NewTask(letter.office, TASK, text), now, outbox_id=outbox_id)
    detail = {"address": letter.recipient}
    add_audit(db, BOT, "suspended", f"outbox:{outbox_id}", detail, now)


def _to(office: str, recipient: str) -> dict[str, object]:
    return {"office": office, "spelled": sorted({recipient, recipient.lower()})}
