"""Letters whose fate is unknown, as `app.uncertain` works on them (`app.evidence.UncertainLetters`).

Each step is one short transaction that changes a letter only while it is still UNKNOWN: whoever comes
second (another machine, a person) changes nothing and is told so. A step leaves its audit line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, exists, func, literal, select, update

from mailbot.adapters.db.tables import inbound, link, outbox, task
from mailbot.adapters.db.trail import BOT, add_audit, add_task
from mailbot.app.evidence import UNKNOWN_SEND, UncertainLetter
from mailbot.app.records import NewTask, OutboxState, Relation

_Begin = Callable[[], AbstractContextManager[Connection]]

MOST = 500
"""Letters of one look; the others come with the next."""

_TASKS = select(task.c.id).where(task.c.outbox_id == outbox.c.id, task.c.kind == UNKNOWN_SEND)
_UNKNOWN = outbox.c.state == OutboxState.UNKNOWN.value
LETTERS = (
    select(
        outbox.c.id,
        outbox.c.office,
        outbox.c.sender,
        outbox.c.recipient,
        outbox.c.subject,
        outbox.c.message_id,
        outbox.c.queued,
        func.coalesce(outbox.c.dot_sent, outbox.c.finished, outbox.c.queued).label("dot"),
        outbox.c.not_after,
        outbox.c.error,
        outbox.c.looks,
        outbox.c.looked,
        outbox.c.copies,
        exists(_TASKS).label("asked"),
    )
    .where(
        _UNKNOWN,
        outbox.c.looks < bindparam("below"),
        # Where a person has closed the task the matter is his.
        ~exists(_TASKS.where(task.c.done_at.is_not(None))),
    )
    .order_by(outbox.c.id)
    .limit(MOST)
)
_OF_SENDERS = outbox.c.sender.in_(bindparam("senders", expanding=True))
CAME_BACK = (
    select(inbound.c.account, inbound.c.folder, literal("").label("relation"))
    .where(inbound.c.message_id == bindparam("message_id"))
    .order_by(inbound.c.id)
    .limit(1)
)
HEARD_OF = (
    select(inbound.c.account, inbound.c.folder, link.c.relation)
    .join(inbound, inbound.c.id == link.c.inbound_id)
    .where(link.c.to_outbox == bindparam("id"))
    .order_by(link.c.id)
    .limit(1)
)
ACCEPTED = (
    select(outbox.c.message_id)
    .where(
        outbox.c.state == OutboxState.SENT.value,
        outbox.c.sender == bindparam("sender"),
        outbox.c.finished >= bindparam("since"),
        outbox.c.finished <= bindparam("until"),
    )
    .order_by(outbox.c.finished.desc())
    .limit(bindparam("limit"))
)
_ONE = update(outbox).where(outbox.c.id == bindparam("row_id"), _UNKNOWN)
LOOKED = _ONE.values(looks=outbox.c.looks + 1, looked=bindparam("at"))
FOUND = _ONE.values(
    state=OutboxState.SENT.value, answer=bindparam("where"), error="", finished=bindparam("at")
)
_again = outbox.alias("again")
COPY = (
    _ONE.where(
        outbox.c.copies == 0,
        ~exists(_TASKS),
        # A letter of a notice that a person has sent once more (`app.notices.again`).
        ~exists(select(_again.c.id).where(_again.c.key == outbox.c.key + ":again:1")),
    )
    .values(
        state=OutboxState.READY.value,
        copies=1,
        looks=0,
        looked=None,
        claimed=None,
        finished=None,
    )
    .execution_options(synchronize_session=False)
)
DROP = _ONE.where(~exists(_TASKS)).values(
    state=OutboxState.DROPPED.value, error=bindparam("why"), finished=bindparam("at")
)
CLOSE = (
    update(task)
    .where(
        task.c.outbox_id == bindparam("row_id"),
        task.c.kind == UNKNOWN_SEND,
        task.c.done_at.is_(None),
    )
    .values(done_at=bindparam("at"), done_by=BOT)
)
# Locks the row (SQLite: the write transaction is alone), so that two cannot both find no task.
HOLD = (
    select(outbox.c.office, outbox.c.inbound_id, case((exists(_TASKS), 1), else_=0))
    .where(outbox.c.id == bindparam("row_id"), _UNKNOWN)
    .with_for_update()
)


class SqlUncertain:
    """`writing` and `reading` each give a connection inside a transaction of its own."""

    def __init__(self, writing: _Begin, reading: _Begin) -> None:
        self._writing, self._reading = writing, reading

    def letters(self, below: int, senders: Collection[str] | None = None) -> list[UncertainLetter]:
        query = LETTERS
        values: dict[str, Any] = {"below": below}
        if senders is not None:
            query = query.where(_OF_SENDERS)
            values["senders"] = list(senders)
        with self._reading() as db:
            rows = db.execute(query, values).all()
            return [_letter(db, row) for row in rows]

    def accepted(self, sender: str, since: datetime, until: datetime, limit: int) -> list[str]:
        values = {"sender": sender, "since": since, "until": until, "limit": limit}
        with self._reading() as db:
            return list(db.scalars(ACCEPTED, values))

    def looked(self, outbox_ids: Iterable[int], now: datetime) -> None:
        with self._writing() as db:
            for outbox_id in outbox_ids:
                db.execute(LOOKED, {"row_id": outbox_id, "at": now})

    def found(self, outbox_id: int, where: str, now: datetime) -> bool:
        with self._writing() as db:
            if not _changes(db, FOUND, row_id=outbox_id, where=where, at=now):
                return False
            db.execute(CLOSE, {"row_id": outbox_id, "at": now})
            add_audit(db, BOT, "outbox.found", f"outbox:{outbox_id}", {"where": where}, now)
        return True

    def copy(self, outbox_id: int, why: str, now: datetime) -> bool:
        with self._writing() as db:
            if not _changes(db, COPY, row_id=outbox_id):
                return False
            add_audit(db, BOT, "outbox.copied", f"outbox:{outbox_id}", {"why": why}, now)
        return True

    def drop(self, outbox_id: int, why: str, now: datetime) -> bool:
        with self._writing() as db:
            if not _changes(db, DROP, row_id=outbox_id, why=why, at=now):
                return False
            add_audit(db, BOT, "outbox.dropped", f"outbox:{outbox_id}", {"why": why}, now)
        return True

    def ask(self, outbox_id: int, text: str, now: datetime) -> bool:
        with self._writing() as db:
            row = db.execute(HOLD, {"row_id": outbox_id}).one_or_none()
            if row is None or row[2]:
                return False
            new = NewTask(
                office=row.office, kind=UNKNOWN_SEND, text=text, inbound_id=row.inbound_id
            )
            add_task(db, new, now, outbox_id=outbox_id)
        return True


def _changes(db: Connection, statement: Any, **values: Any) -> bool:
    return bool(db.execute(statement, values).rowcount)


def _letter(db: Connection, row: Any) -> UncertainLetter:
    seen = db.execute(CAME_BACK, {"message_id": row.message_id}).first() if row.message_id else None
    heard = seen or db.execute(HEARD_OF, {"id": row.id}).first()
    traced = ""
    if heard is not None:
        bounced = heard.relation == Relation.BOUNCE.value
        what = "退信通知" if bounced else "抄给本邮箱的一份"
        traced = f"{heard.account} 邮箱的“{heard.folder}”收到了它的{what}"
    return UncertainLetter(**row._mapping, traced=traced)
