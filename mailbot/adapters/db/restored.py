"""What a database restored from a backup needs: no number given twice, no letter sent twice.

The backup knows nothing of what was given and sent after it was taken (`app.witness`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, or_, select, text, update
from sqlalchemy import bindparam as given

from mailbot.adapters.db.dialect import insert_or
from mailbot.adapters.db.tables import (
    appeal,
    audit,
    decision,
    draft,
    duty,
    inbound,
    item,
    outbox,
    receipt_counter,
    record,
    seal,
)
from mailbot.adapters.db.trail import BOT, add_audit
from mailbot.adapters.system import SHANGHAI
from mailbot.app.evidence import Restored, WithheldLetter
from mailbot.app.records import OutboxState

_Begin = Callable[[], AbstractContextManager[Connection]]

LEAP = 1000
"""Numbers passed over at least; more where an office takes in more than half of it in a month."""
MONTHS_BACK = 12
"""Items of earlier months may have been entered in the lost time."""
_NUMBERED = (inbound, decision, item, outbox, audit, record, seal, duty, draft, appeal)
"""Tables whose ids are part of keys, codes and Message-IDs that are out in the world."""

_UNFINISHED = tuple(
    state.value
    for state in (OutboxState.READY, OutboxState.RETRY, OutboxState.SENDING, OutboxState.DOT)
)
PERHAPS_SENT = (
    update(outbox)
    .where(outbox.c.state.in_(_UNFINISHED))
    .values(
        state=OutboxState.UNKNOWN.value,
        dot_sent=case((outbox.c.queued < given("taken"), given("taken")), else_=outbox.c.queued),
        finished=given("at"),
        claimed=None,
        due=None,
        looks=0,
        looked=None,
        error="the database was restored from a backup taken before its outcome was known",
    )
)
WITHHELD = (
    select(
        outbox.c.id,
        outbox.c.office,
        outbox.c.sender,
        outbox.c.message_id,
        inbound.c.folder,
        inbound.c.account,
        inbound.c.message_id.label("answers"),
        inbound.c.marked,
        outbox.c.looks,
    )
    .join(inbound, inbound.c.id == outbox.c.inbound_id, isouter=True)
    .where(
        outbox.c.state == OutboxState.WITHHELD.value,
        outbox.c.looks < given("below"),
        or_(outbox.c.inbound_id.is_(None), inbound.c.received <= given("until")),
    )
    .order_by(outbox.c.id)
    .limit(given("limit"))
)
_ONE = update(outbox).where(
    outbox.c.id == given("row_id"), outbox.c.state == OutboxState.WITHHELD.value
)
LOOKED = _ONE.values(looks=outbox.c.looks + 1, looked=given("at"))
SENT_BEFORE = _ONE.values(
    state=OutboxState.SENT.value, answer=given("why"), error="", finished=given("at")
)
DROPPED = _ONE.values(state=OutboxState.DROPPED.value, error=given("why"), finished=given("at"))


class RestoreWrites:
    """The part of `SqlTransaction` that comes before anything else in a restored database."""

    _db: Connection

    def leave_gap(self, prefixes: Collection[str], restored: Restored, now: datetime) -> None:
        """Receipt numbers and ids go on far beyond what can have been given in the lost time."""
        db = self._db
        per_month = select(func.count().label("n")).select_from(item)
        busiest = per_month.group_by(item.c.office, item.c.month).subquery()
        most = db.scalar(select(func.max(busiest.c.n))) or 0
        leap = LEAP * (1 + 2 * int(most) // LEAP)
        known = db.scalars(select(receipt_counter.c.prefix).distinct())
        for prefix in sorted({*known, *prefixes}):
            for month in _months(restored):
                row = insert_or(db.dialect.name, receipt_counter).values(
                    prefix=prefix, month=month, last=leap
                )
                db.execute(
                    row.on_conflict_do_update(
                        index_elements=["prefix", "month"],
                        set_={"last": receipt_counter.c.last + leap},
                    )
                )
        for table in _NUMBERED:
            _leap_ids(db, table.name, leap)
        detail = {"taken": restored.taken.isoformat(), "passed_over": leap}
        add_audit(db, BOT, "restored", "installation", detail, now)

    def doubt_unfinished(self, restored: Restored) -> int:
        """What waited to be sent when the backup was taken went out since, or not."""
        values = {"taken": restored.taken, "at": restored.at}
        return self._db.execute(PERHAPS_SENT, values).rowcount


def _leap_ids(db: Connection, table: str, leap: int) -> None:
    if db.dialect.name == "sqlite":
        done = db.execute(
            text("UPDATE sqlite_sequence SET seq = seq + :leap WHERE name = :name"),
            {"leap": leap, "name": table},
        )
        if not done.rowcount:
            db.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :leap)"),
                {"leap": leap, "name": table},
            )
        return
    db.execute(
        text(
            "SELECT setval(pg_get_serial_sequence(:name, 'id'),"
            f" (SELECT coalesce(max(id), 0) FROM {table}) + :leap)"  # our own table names
        ),
        {"leap": leap, "name": table},
    )


def _months(restored: Restored) -> Iterable[str]:
    """`202607`, `202608` …: every month in which an item of the lost time may count."""
    first, last = restored.taken.astimezone(SHANGHAI), restored.at.astimezone(SHANGHAI)
    number = first.year * 12 + first.month - 1 - MONTHS_BACK
    while number <= last.year * 12 + last.month - 1:
        yield f"{number // 12:04d}{number % 12 + 1:02d}"
        number += 1


class SqlWithheld:
    """`app.evidence.WithheldLetters`. `writing` and `reading` as in `SqlOutbox`."""

    def __init__(self, writing: _Begin, reading: _Begin) -> None:
        self._writing, self._reading = writing, reading

    def letters(
        self, until: datetime, below: int, limit: int, senders: Collection[str] | None = None
    ) -> list[WithheldLetter]:
        query = WITHHELD
        values: dict[str, Any] = {"until": until, "below": below, "limit": limit}
        if senders is not None:
            query = query.where(outbox.c.sender.in_(given("senders", expanding=True)))
            values["senders"] = list(senders)
        with self._reading() as db:
            return [WithheldLetter(**row._mapping) for row in db.execute(query, values)]

    def looked(self, outbox_ids: Iterable[int], now: datetime) -> None:
        with self._writing() as db:
            for outbox_id in outbox_ids:
                db.execute(LOOKED, {"row_id": outbox_id, "at": now})

    def sent_before(self, outbox_id: int, why: str, now: datetime) -> bool:
        return self._end(SENT_BEFORE, "outbox.found", outbox_id, why, now)

    def drop(self, outbox_id: int, why: str, now: datetime) -> bool:
        return self._end(DROPPED, "outbox.dropped", outbox_id, why, now)

    def _end(self, step: Any, action: str, outbox_id: int, why: str, now: datetime) -> bool:
        with self._writing() as db:
            if not db.execute(step, {"row_id": outbox_id, "why": why, "at": now}).rowcount:
                return False
            add_audit(db, BOT, action, f"outbox:{outbox_id}", {"why": why}, now)
        return True
