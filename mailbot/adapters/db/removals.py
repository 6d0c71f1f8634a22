"""Retention in the database (`app.upkeep.model.Removals`): what is past its time, what still needs it,
and giving it up.

A mail is still needed by: an open task about it, its items or the letters that answered it; an item of
its that is held, returned or asked to be withdrawn; an item whose month no seal covers yet; an appeal
nobody has answered; a letter that is not finished.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    union,
    update,
)

from mailbot.adapters.db.dialect import insert_or
from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.db.ledger_queries import COUNTED_STATES
from mailbot.adapters.db.tables import (
    inbound,
    item,
    item_version,
    mail,
    outbox,
    record,
    removal,
    seal,
    task,
)
from mailbot.adapters.db.tables_letters import appeal
from mailbot.adapters.db.trail import add_audit
from mailbot.adapters.system import SHANGHAI
from mailbot.app.records import InboundState, ItemState, OutboxState
from mailbot.app.upkeep.model import Archived, Due, Part, Why
from mailbot.core.rules.periods import Period, PeriodKind

_WAITING = (
    ItemState.HELD.value,
    ItemState.RETURNED.value,
    ItemState.WITHDRAWAL_REQUESTED.value,
)
_FINISHED = (OutboxState.SENT.value, OutboxState.FAILED.value, OutboxState.DROPPED.value)
_SLACK = 8
"""A server counts a mail's size with other line ends: by less than an eighth."""


class SqlRemovals:
    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def due(self, office: str, part: Part, days: int, before: datetime) -> Due:
        with self._store.snapshot() as db:
            past = _past(office, part, before)
            reasons = _reasons(db, office)
            size = inbound.c.size if part is Part.RAW else func.length(mail.c.content)
            count, total, oldest, newest = db.execute(
                past.with_only_columns(
                    func.count(),
                    func.coalesce(func.sum(size), 0),
                    func.min(inbound.c.received),
                    func.max(inbound.c.received),
                ).where(~or_(*reasons.values()))
            ).one()
            kept = tuple(
                (why, db.scalar(past.with_only_columns(func.count()).where(needed)) or 0)
                for why, needed in reasons.items()
            )
        return Due(
            office,
            part,
            days,
            before,
            count,
            int(total),
            oldest,
            newest,
            tuple((why, number) for why, number in kept if number),
        )

    def mark(self, office: str, part: Part, before: datetime, now: datetime, most: int) -> int:
        with self._store.writing() as db:
            wanted = _past(office, part, before).with_only_columns(inbound.c.id)
            ids = list(
                db.scalars(
                    wanted.where(~or_(*_reasons(db, office).values()))
                    .order_by(inbound.c.id)
                    .limit(most)
                )
            )
            if not ids:
                return 0
            insert = insert_or(db.dialect.name, removal)
            column = part.value
            db.execute(
                insert.on_conflict_do_update(
                    index_elements=["inbound_id"], set_={column: insert.excluded[column]}
                ),
                [{"inbound_id": i, column: now} for i in ids],
            )
            if part is Part.CONTENT:
                db.execute(delete(mail).where(mail.c.inbound_id.in_(ids)))
            return len(ids)

    def note(self, due: Due, count: int, who: str, now: datetime) -> None:
        detail = {
            "part": due.part.value,
            "count": count,
            "days": due.days,
            "before": due.before.astimezone(SHANGHAI).isoformat(),
        }
        with self._store.writing() as db:
            add_audit(db, who, "retention", f"office:{due.office}", detail, now)

    def leaving(self, most: int, passed: Iterable[str]) -> list[str]:
        query = (
            select(inbound.c.sha256)
            .join(removal, removal.c.inbound_id == inbound.c.id)
            .where(removal.c.raw.is_not(None), removal.c.raw_gone.is_(None))
            .distinct()
            .order_by(inbound.c.sha256)
        )
        skip = set(passed)
        with self._store.snapshot() as db:
            found = db.scalars(query.limit(most + len(skip)))
            return [sha256 for sha256 in found if sha256 not in skip][:most]

    def remove(self, sha256: str, archive: Archived, now: datetime) -> bool:
        """The bytes stay, and the matter is over, where another mail has the same ones. They stay for
        now where a mail of about their size is known and not yet decided: it may be the same once
        more, its bytes already put where they lie."""
        with self._store.snapshot() as db:
            if self._may_be_coming(db, sha256):
                return False
            needed = db.scalar(_still_wanted(sha256))
        if not needed:
            archive.remove(sha256)
        with self._store.writing() as db:
            db.execute(
                update(removal)
                .where(
                    removal.c.raw.is_not(None),
                    removal.c.raw_gone.is_(None),
                    removal.c.inbound_id.in_(
                        select(inbound.c.id).where(inbound.c.sha256 == sha256)
                    ),
                )
                .values(raw_gone=now)
            )
        return True

    def _may_be_coming(self, db: Connection, sha256: str) -> bool:
        size = db.scalar(select(func.max(inbound.c.size)).where(inbound.c.sha256 == sha256)) or 0
        slack = size // _SLACK
        return bool(
            db.scalar(
                select(
                    exists().where(
                        inbound.c.state == InboundState.NEW.value,
                        inbound.c.size.between(size - slack, size + slack),
                    )
                )
            )
        )


def _past(office: str, part: Part, before: datetime) -> Select[Any]:
    """Mails of the office past their time whose part is still there. Where the mailbox was not told
    yet, a mail is not finished."""
    readable = or_(mail.c.inbound_id.is_not(None), removal.c.content.is_not(None))
    there = (
        and_(readable, removal.c.raw.is_(None), inbound.c.sha256 != "")
        if part is Part.RAW
        else mail.c.inbound_id.is_not(None)
    )
    return (
        select(inbound.c.id)
        .select_from(
            inbound.outerjoin(mail, mail.c.inbound_id == inbound.c.id).outerjoin(
                removal, removal.c.inbound_id == inbound.c.id
            )
        )
        .where(
            inbound.c.office == office,
            inbound.c.received < before,
            inbound.c.state == InboundState.SETTLED.value,
            there,
        )
    )


def _reasons(db: Connection, office: str) -> dict[Why, ColumnElement[bool]]:
    """Conditions on `inbound`, each true where the mail is still needed."""
    about = _mails_of_items()
    through_item = select(about.c.mail).join(item, item.c.id == about.c.item)
    open_tasks = task.c.done_at.is_(None)
    open_appeals = appeal.c.answered_at.is_(None)
    return {
        Why.TASK: inbound.c.id.in_(
            union(
                select(task.c.inbound_id).where(open_tasks, task.c.inbound_id.is_not(None)),
                select(about.c.mail).join(task, task.c.item_id == about.c.item).where(open_tasks),
                select(outbox.c.inbound_id)
                .join(task, task.c.outbox_id == outbox.c.id)
                .where(open_tasks, outbox.c.inbound_id.is_not(None)),
            )
        ),
        Why.ITEM: inbound.c.id.in_(through_item.where(item.c.state.in_(_WAITING))),
        Why.APPEAL: inbound.c.id.in_(
            union(
                select(appeal.c.inbound_id).where(open_appeals),
                select(about.c.mail)
                .join(appeal, appeal.c.item_id == about.c.item)
                .where(open_appeals),
                select(about.c.mail)
                .join(record, record.c.item_id == about.c.item)
                .join(appeal, appeal.c.record_id == record.c.id)
                .where(open_appeals),
            )
        ),
        Why.PERIOD: inbound.c.id.in_(
            through_item.where(
                item.c.state.in_(COUNTED_STATES), item.c.month.not_in(_sealed_months(db, office))
            )
        ),
        Why.LETTER: inbound.c.id.in_(
            select(outbox.c.inbound_id).where(
                outbox.c.state.not_in(_FINISHED), outbox.c.inbound_id.is_not(None)
            )
        ),
    }


def _mails_of_items() -> Subquery:
    """Every mail an item rests on: its first, those of its versions, whose files it took over."""
    return union(
        select(item.c.id.label("item"), item.c.inbound_id.label("mail")).where(
            item.c.inbound_id.is_not(None)
        ),
        select(item.c.id, item.c.first_inbound_id).where(item.c.first_inbound_id.is_not(None)),
        select(item_version.c.item_id, item_version.c.inbound_id).where(
            item_version.c.inbound_id.is_not(None)
        ),
        select(item_version.c.item_id, item_version.c.attachments_from).where(
            item_version.c.attachments_from.is_not(None)
        ),
    ).subquery()


def _sealed_months(db: Connection, office: str) -> list[date]:
    months: set[date] = set()
    for first, last in db.execute(select(seal.c.first, seal.c.last).where(seal.c.office == office)):
        month = Period.of(PeriodKind.MONTH, first)
        while month.last <= last:
            if month.first >= first:
                months.add(month.first)
            month = month.next()
    return sorted(months)


def _still_wanted(sha256: str) -> Select[tuple[bool]]:
    return select(
        exists(
            select(inbound.c.id)
            .select_from(
                inbound.outerjoin(mail, mail.c.inbound_id == inbound.c.id).outerjoin(
                    removal, removal.c.inbound_id == inbound.c.id
                )
            )
            .where(
                inbound.c.sha256 == sha256,
                or_(mail.c.inbound_id.is_not(None), removal.c.content.is_not(None)),
                removal.c.raw.is_(None),
            )
        )
    )
