"""What people list and export: items and mails (and, from `dossier`, everything about one).

Streams: a listing of years runs in constant memory. Search text is taken literally (no wildcards).
What columns a table shows, and in which words, is the command line's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from mailbot.adapters.db.dossier import everything_about
from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.db.records import (
    INBOUND_COLUMNS,
    ITEM_COLUMNS,
    select_items,
    to_inbound,
    to_item,
)
from mailbot.adapters.db.tables import (
    decision,
    inbound,
    item,
    item_version,
    outbox,
)
from mailbot.adapters.system import SHANGHAI
from mailbot.app.records import InboundRow, ItemRow
from mailbot.core.letters.answers import AnswerKind

__all__ = [
    "ItemFilter",
    "ListedItem",
    "ListedMail",
    "count_decisions",
    "everything_about",
    "list_items",
    "mails",
]

PAGE = 500
"""Rows fetched from the database at a time."""

_ANSWERS = tuple(kind.value for kind in AnswerKind)


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Empty fields do not filter. `month` is any day of the month meant: for items the month they
    count in, for mails the month they were received."""

    office: str = ""
    unit_id: str = ""
    category: str = ""
    month: date | None = None
    decision: str = ""
    """Kind of the newest decision of the mail: accept, return, hold, quarantine, ignore, command."""
    state: str = ""
    """Items: `ItemState`. Mails: `InboundState`."""
    text: str = ""
    """Part of title, submitter, unit as written, receipt number or sender; for mails of subject,
    sender or receipt number. Letters of either case."""
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ListedItem:
    item: ItemRow
    decision: str
    """Of the mail of the current version; empty where it came by another channel."""
    answer: str
    """Kind of the newest answer to that mail; empty when there is none."""
    answer_state: str
    """`OutboxState` of that answer."""
    subject: str


@dataclass(frozen=True, slots=True)
class ListedMail:
    inbound: InboundRow
    unit_id: str | None
    """As decided: a mail need not have become an item."""
    reasons: tuple[str, ...]
    """Of the newest decision, whole Chinese sentences."""
    why_answered: str
    """The decision's `answer`: a kind, or `none:…`."""
    answer: str
    answer_state: str
    receipts: tuple[str, ...]
    """Of items that came, in some version, with this mail."""


def list_items(store: SqlStore, wanted: ItemFilter) -> Iterator[ListedItem]:
    """Newest received first."""
    answer, answer_state = _newest_answer(item.c.inbound_id)
    query: Select[Any] = (
        select_items()
        .add_columns(inbound.c.decision, answer, answer_state, inbound.c.subject)
        .outerjoin(inbound, inbound.c.id == item.c.inbound_id)
        .where(*_item_conditions(wanted))
        .order_by(item.c.received.desc(), item.c.id.desc())
    )
    width = len(ITEM_COLUMNS)
    with store.snapshot() as db:
        for row in _stream(db, query, wanted):
            kind, sent, state, subject = row[width:]
            yield ListedItem(to_item(row), kind or "", sent or "", state or "", subject or "")


def mails(store: SqlStore, wanted: ItemFilter) -> Iterator[ListedMail]:
    """All mails, newest received first: also the returned, held, quarantined, ignored, and those
    not decided yet."""
    answer, answer_state = _newest_answer(inbound.c.id)
    every = decision.alias()
    newest = (
        select(func.max(every.c.id)).where(every.c.inbound_id == inbound.c.id).correlate(inbound)
    )
    receipts = select(func.aggregate_strings(item.c.receipt, " ")).where(
        item.c.id.in_(_items_of_mail())
    )
    query: Select[Any] = (
        select(
            *INBOUND_COLUMNS,
            decision.c.unit_id,
            decision.c.reasons,
            decision.c.answer,
            answer,
            answer_state,
            receipts.scalar_subquery(),
        )
        .select_from(inbound)
        .outerjoin(decision, decision.c.id == newest.scalar_subquery())
        .where(*_mail_conditions(wanted))
        .order_by(inbound.c.received.desc(), inbound.c.id.desc())
    )
    width = len(INBOUND_COLUMNS)
    with store.snapshot() as db:
        for row in _stream(db, query, wanted):
            unit_id, reasons, why, sent, state, numbers = row[width:]
            yield ListedMail(
                inbound=to_inbound(row),
                unit_id=unit_id,
                reasons=tuple(reasons or ()),
                why_answered=why or "",
                answer=sent or "",
                answer_state=state or "",
                receipts=tuple(sorted((numbers or "").split())),
            )


def count_decisions(store: SqlStore, office: str = "") -> dict[str, int]:
    """Mails by the kind of their newest decision; undecided ones under ""."""
    query = select(inbound.c.decision, func.count()).group_by(inbound.c.decision)
    if office:
        query = query.where(inbound.c.office == office)
    with store.snapshot() as db:
        return {str(kind): n for kind, n in db.execute(query)}


def _stream(db: Connection, query: Select[Any], wanted: ItemFilter) -> Any:
    if wanted.limit is not None:
        query = query.limit(wanted.limit)
    elif wanted.offset:
        query = query.limit(2**31 - 1)  # SQLite knows no OFFSET without LIMIT
    return db.execute(
        query.offset(wanted.offset) if wanted.offset else query,
        execution_options={"yield_per": PAGE},
    )


def _newest_answer(mail_id: ColumnElement[Any]) -> tuple[Any, Any]:
    """Kind and state of the newest automatic answer to a mail, as two scalar subqueries."""
    found = []
    for column in (outbox.c.kind, outbox.c.state):
        query = (
            select(column)
            .where(outbox.c.inbound_id == mail_id, outbox.c.kind.in_(_ANSWERS))
            .order_by(outbox.c.id.desc())
            .limit(1)
        )
        found.append(query.correlate(item, inbound).scalar_subquery())
    return found[0], found[1]


def _items_of_mail() -> Select[Any]:
    return (
        select(item_version.c.item_id)
        .where(item_version.c.inbound_id == inbound.c.id)
        .correlate(inbound)
    )


def _item_conditions(f: ItemFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (item.c.office, f.office),
        (item.c.unit_id, f.unit_id),
        (item.c.state, f.state),
        (item_version.c.category, f.category),
        (inbound.c.decision, f.decision),
    ):
        if value:
            conditions.append(column == value)
    if f.month:
        conditions.append(item.c.month == f.month.replace(day=1))
    if f.text:
        columns = (
            item_version.c.title,
            item_version.c.submitter,
            item_version.c.unit_written,
            item.c.receipt,
            item.c.from_addr,
        )
        conditions.append(or_(*(c.icontains(f.text, autoescape=True) for c in columns)))
    return conditions


def _mail_conditions(f: ItemFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (inbound.c.office, f.office),
        (decision.c.unit_id, f.unit_id),
        (inbound.c.state, f.state),
        (inbound.c.decision, f.decision),
    ):
        if value:
            conditions.append(column == value)
    if f.month:
        start, end = _month_span(f.month)
        conditions += [inbound.c.received >= start, inbound.c.received < end]
    if f.category:
        with_category = (
            select(item_version.c.item_id)
            .join(item, item.c.id == item_version.c.item_id)
            .where(
                item_version.c.inbound_id == inbound.c.id,
                item_version.c.no == item.c.version_no,
                item_version.c.category == f.category,
            )
            .correlate(inbound)
        )
        conditions.append(with_category.exists())
    if f.text:
        numbered = (
            select(item.c.id)
            .where(
                item.c.id.in_(_items_of_mail()), item.c.receipt.icontains(f.text, autoescape=True)
            )
            .correlate(inbound)
        )
        conditions.append(
            or_(
                inbound.c.subject.icontains(f.text, autoescape=True),
                inbound.c.from_addr.icontains(f.text, autoescape=True),
                numbered.exists(),
            )
        )
    return conditions


def _month_span(day: date) -> tuple[datetime, datetime]:
    start = datetime(day.year, day.month, 1, tzinfo=SHANGHAI)
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return start, datetime(year, month, 1, tzinfo=SHANGHAI)
