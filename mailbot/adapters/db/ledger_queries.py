"""The queries of `ledger`, built once. One of a unit differs from one of everybody only by its
conditions; nothing here knows what an event is.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from mailbot.adapters.db.event_rows import URGENT, EventFacts, OfficeDay
from mailbot.adapters.db.tables import item, item_version, record, seal, seal_entry
from mailbot.app.records import ItemState
from mailbot.core.rules.events import EventKind

COUNTED_STATES = (ItemState.ACCEPTED.value, ItemState.WITHDRAWAL_REQUESTED.value)
COUNTED_LANES = ("item", URGENT)
CHUNK = 500
"""Ids per statement."""
HOLDING = (
    EventKind.STATUS.value,
    EventKind.TASK.value,
    EventKind.TASK_DONE.value,
    EventKind.ASSIGNMENT.value,
)
"""Kinds that hold on: what came before the first day still says how things stand on it."""

# --- submissions

COUNTED = and_(
    item.c.office == bindparam("office"),
    item.c.state.in_(COUNTED_STATES),
    item.c.lane.in_(COUNTED_LANES),
    item.c.unit_id.is_not(None),
)
IN_MONTHS = item.c.month.between(bindparam("first_month"), bindparam("last_month"))
GROUP = (
    item.c.month,
    item.c.unit_id,
    item.c.category,
    item.c.lane,
    item.c.commissioned,
    item.c.follow_up,
)
ITEM_EVENT: Select[Any] = select(
    item.c.id,
    item.c.receipt,
    item.c.unit_id,
    item.c.month,
    type_coerce(item.c.received, OfficeDay).label("received_on"),
    item.c.lane,
    item.c.category,
    item.c.commissioned,
    item.c.follow_up,
    item.c.evidence,
    item_version.c.title,
    item.c.channel,
    type_coerce(item.c.created, OfficeDay).label("created_on"),
).join(
    item_version, and_(item_version.c.item_id == item.c.id, item_version.c.no == item.c.version_no)
)
ITEMS_IN_MONTHS = ITEM_EVENT.where(COUNTED, IN_MONTHS)
ITEMS_OF_UNIT = ITEMS_IN_MONTHS.where(item.c.unit_id == bindparam("unit"))
_ABOUT = record.alias("about")
_ITEMS_TOLD = select(_ABOUT.c.item_id).where(
    _ABOUT.c.office == bindparam("office"), _ABOUT.c.item_id.is_not(None)
)
WITH_RECORD = item.c.id.in_(_ITEMS_TOLD)
WITH_COMMISSION = item.c.id.in_(_ITEMS_TOLD.where(_ABOUT.c.kind == EventKind.COMMISSION.value))
ITEMS_BY_ID = ITEM_EVENT.where(COUNTED, item.c.id.in_(bindparam("ids", expanding=True)))

# --- records

_REVERSAL = record.alias("reversal")
_OTHER = record.alias("other")
LIVE = and_(
    record.c.reverses.is_(None),
    ~select(_REVERSAL.c.id).where(_REVERSAL.c.reverses == record.c.id).exists(),
)
FACTS = type_coerce(record.c.facts, EventFacts).label("known")
RECORD_EVENT: Select[Any] = (
    select(
        record.c.id,
        record.c.kind,
        record.c.unit_id,
        record.c.day,
        record.c.item_id,
        FACTS,
        record.c.reason,
        record.c.evidence,
        record.c.who,
        type_coerce(record.c.at, OfficeDay).label("recorded"),
        item.c.receipt,
        item.c.lane,
        item.c.category,
        item.c.commissioned,
        item.c.follow_up,
        item_version.c.title,
    )
    .select_from(record)
    .outerjoin(item, item.c.id == record.c.item_id)
    .outerjoin(
        item_version,
        and_(item_version.c.item_id == item.c.id, item_version.c.no == item.c.version_no),
    )
    .where(record.c.office == bindparam("office"), LIVE)
)
BETWEEN = and_(record.c.day >= bindparam("first"), record.c.day <= bindparam("last"))
_BEFORE = record.c.day < bindparam("first")
_TOUCHED = (
    select(_OTHER.c.item_id)
    .where(
        _OTHER.c.office == bindparam("office"),
        _OTHER.c.day.between(bindparam("first"), bindparam("last")),
        _OTHER.c.item_id.is_not(None),
    )
    .distinct()
)
"""Items that records of the days are about."""
EARLIER_OF_ITEMS = RECORD_EVENT.where(_BEFORE, or_(record.c.item_id.in_(_TOUCHED), IN_MONTHS))
HOLDING_ON = RECORD_EVENT.where(_BEFORE, record.c.kind.in_(HOLDING))
LATER_EXPLANATIONS = RECORD_EVENT.where(
    record.c.day > bindparam("last"), record.c.kind == EventKind.EXPLANATION.value
)
COMMISSIONS_DONE = select(record.c.item_id, FACTS).where(
    record.c.office == bindparam("office"),
    record.c.kind == EventKind.COMMISSION.value,
    record.c.item_id.is_not(None),
    LIVE,
)

FIRST_ITEM = select(func.min(item.c.month)).where(COUNTED)
FIRST_RECORD = select(func.min(record.c.day)).where(
    record.c.office == bindparam("office"), record.c.kind.not_in(HOLDING), LIVE
)

RECORD_ROW: Select[Any] = (
    select(record, item.c.receipt, _REVERSAL.c.id.label("reversed_by"))
    .outerjoin(item, item.c.id == record.c.item_id)
    .outerjoin(_REVERSAL, _REVERSAL.c.reverses == record.c.id)
)
RECORD = RECORD_ROW.where(record.c.id == bindparam("id"))

# --- seals

SEALS = select(seal).where(seal.c.office == bindparam("office")).order_by(seal.c.first, seal.c.last)
ENTRIES = (
    select(seal_entry).where(seal_entry.c.seal_id == bindparam("seal")).order_by(seal_entry.c.id)
)
ENTRIES_OF_UNIT = ENTRIES.where(seal_entry.c.unit == bindparam("unit"))
CORRECTIONS = ENTRIES.where(seal_entry.c.corrects != "")
TOTALS = (
    select(seal_entry.c.unit, seal_entry.c.points, func.count())
    .where(seal_entry.c.seal_id == bindparam("seal"))
    .group_by(seal_entry.c.unit, seal_entry.c.points)
)
"""Added up outside: no database adds decimal numbers that are kept as text."""


@cache
def grouped(cuts: int, alone: ColumnElement[bool]) -> Select[Any]:
    """Like submissions counted together, apart by how many of the cuts they came after, without
    those that stand alone."""
    after: ColumnElement[Any] = literal(0)
    for n in range(cuts):
        after = after + case((item.c.received >= bindparam(f"cut{n}"), 1), else_=0)
    side = after.label("side")
    first = type_coerce(func.min(item.c.received), OfficeDay).label("received_on")
    return (
        select(*GROUP, side, first, func.count().label("n"))
        .where(COUNTED, IN_MONTHS, ~alone)
        .group_by(*GROUP, *([side] if cuts else []))
    )


def narrowed(query: Select[Any], unit_id: str | None) -> list[tuple[Select[Any], dict[str, Any]]]:
    """The query for everybody; for one unit its own records and those with several units."""
    if unit_id is None:
        return [(query, {})]
    own = query.where(record.c.unit_id == bindparam("unit"))
    return [(own, {"unit": unit_id}), (query.where(record.c.joint), {})]
