"""Look-ups for reckoning (`app.ports.Reads`, the ledger): events, records, seals.

Promises: what is given one by one and what is given in bulk are the same events, the bulk ones
with like submissions taken together; what was reversed is in neither. An office's year of 200,000
items is counted from one index, without opening an item.

An item that somebody recorded something about is always given by itself: its adoption must find
it. What events are worth is `core.rules`' business.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row

from mailbot.adapters.db import ledger_queries as q
from mailbot.adapters.db.event_rows import (
    URGENT,
    counted_day,
    day_after,
    event_of,
    item_event,
    midnight,
    month_first,
    record_event,
    to_entry,
)
from mailbot.adapters.db.tables import record
from mailbot.app.records import NewRecord, RecordRow, SealRow
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event, EventKind, Outcome, units_of
from mailbot.core.rules.periods import Period


class LedgerReads:
    """The part of `SqlReads` that reckoning uses."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # records

    def record(self, record_id: int) -> RecordRow | None:
        row = self._db.execute(q.RECORD, {"id": record_id}).first()
        return None if row is None else record_row(row)

    def records(
        self,
        office: str,
        *,
        unit_id: str | None = None,
        kind: EventKind | None = None,
        item_id: int | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> list[RecordRow]:
        query = q.RECORD_ROW.where(record.c.office == office)
        for column, value in (
            (record.c.unit_id, unit_id),
            (record.c.kind, None if kind is None else kind.value),
            (record.c.item_id, item_id),
        ):
            if value is not None:
                query = query.where(column == value)
        if first is not None:
            query = query.where(record.c.day >= first)
        if last is not None:
            query = query.where(record.c.day <= last)
        return [record_row(r) for r in self._db.execute(query.order_by(record.c.day, record.c.id))]

    # events

    def unit_events(self, office: str, first: date, last: date, unit_id: str | None) -> list[Event]:
        values = _values(office, first, last)
        if unit_id is None:
            items = self._db.execute(q.ITEMS_IN_MONTHS, values).all()
        else:
            items = self._db.execute(q.ITEMS_OF_UNIT, values | {"unit": unit_id}).all()
        return self._events(items, [], values, unit_id)

    def bulk_events(
        self,
        office: str,
        first: date,
        last: date,
        cuts: Sequence[date],
        class_of: Callable[[str], Hashable] = str,
        *,
        by_item: bool = True,
    ) -> list[Event]:
        values = _values(office, first, last)
        # Months are apart anyway; the first and last day may lie in the middle of one.
        inner = {c for c in (*cuts, first, day_after(last)) if c.day != 1}
        days = sorted(c for c in inner if month_first(first) <= month_first(c) <= last)
        moments = {f"cut{n}": midnight(c) for n, c in enumerate(days)}
        alone = q.WITH_RECORD if by_item else q.WITH_COMMISSION
        groups = self._db.execute(q.grouped(len(days), alone), values | moments).all()
        bulk = [e for e in _group_events(groups, class_of) if first <= e.day <= last]
        items = self._db.execute(q.ITEMS_IN_MONTHS.where(alone), values).all()
        return self._events(items, bulk, values, None, by_item=by_item)

    def _events(
        self,
        items: Sequence[Row[Any]],
        bulk: Sequence[Event],
        values: dict[str, Any],
        unit_id: str | None,
        *,
        by_item: bool = True,
    ) -> list[Event]:
        """Submissions and everything recorded, by day; of one day the submissions first. `items` are
        given one by one, `by_item` with earlier ones that the records are about."""
        done = self._commissions_done(values["office"])
        records = self._records(values, unit_id)
        touched = {row.item_id for row in records} - {None} if by_item else set()
        missing = sorted(touched - {row.id for row in items})
        items = sorted([*items, *self._items_by_id(values["office"], missing)], key=_id)
        events = []
        for row in items:
            event = item_event(row, commissioned=row.commissioned or row.id in done)
            if event.day <= values["last"] and (event.day >= values["first"] or row.id in touched):
                events.append(event)
        found = [
            record_event(row, commissioned=bool(row.commissioned) or row.item_id in done)
            for row in records
        ]
        if unit_id is not None:
            events = [e for e in events if e.unit == unit_id]
            found = [e for e in found if unit_id in units_of(e)]
        events += bulk
        events += found
        events += self._explanations(values, done, {e.id for e in events})
        return sorted(events, key=_day)

    def _items_by_id(self, office: str, ids: Sequence[int]) -> Iterable[Row[Any]]:
        for start in range(0, len(ids), q.CHUNK):
            values = {"office": office, "ids": ids[start : start + q.CHUNK]}
            yield from self._db.execute(q.ITEMS_BY_ID, values)

    def _records(self, values: dict[str, Any], unit_id: str | None) -> list[Row[Any]]:
        found: dict[int, Row[Any]] = {}
        for query in (q.RECORD_EVENT.where(q.BETWEEN), q.EARLIER_OF_ITEMS, q.HOLDING_ON):
            for one, more in q.narrowed(query, unit_id):
                found |= {row.id: row for row in self._db.execute(one, values | more).all()}
        return [found[n] for n in sorted(found)]

    def _explanations(
        self, values: dict[str, Any], done: set[int], events: set[str]
    ) -> Iterable[Event]:
        """Given after the days, about something in them: whether it counts is a matter of the day
        one looks."""
        for row in self._db.execute(q.LATER_EXPLANATIONS, values):
            event = record_event(row, commissioned=bool(row.commissioned) or row.item_id in done)
            if event.about in events:
                yield event

    def _commissions_done(self, office: str) -> set[int]:
        """Ids of items that answered a commission, as recorded."""
        rows = self._db.execute(q.COMMISSIONS_DONE, {"office": office})
        return {i for i, facts in rows if facts.get("outcome") is Outcome.DONE}

    def first_event(self, office: str) -> date | None:
        found = [self._db.scalar(q, {"office": office}) for q in (q.FIRST_ITEM, q.FIRST_RECORD)]
        return min((day for day in found if day is not None), default=None)

    # seals

    def seals(self, office: str) -> list[SealRow]:
        return [_seal_row(row) for row in self._db.execute(q.SEALS, {"office": office})]

    def seal_entries(self, seal_id: int, unit_id: str | None = None) -> list[Entry]:
        query = q.ENTRIES if unit_id is None else q.ENTRIES_OF_UNIT
        values = {"seal": seal_id} | ({} if unit_id is None else {"unit": unit_id})
        return [to_entry(row) for row in self._db.execute(query, values)]

    def seal_corrections(self, seal_id: int) -> list[Entry]:
        return [to_entry(row) for row in self._db.execute(q.CORRECTIONS, {"seal": seal_id})]

    def seal_totals(self, seal_id: int) -> dict[str, Decimal]:
        totals: dict[str, Decimal] = {}
        for unit, points, count in self._db.execute(q.TOTALS, {"seal": seal_id}):
            totals[unit] = totals.get(unit, Decimal(0)) + Decimal(points) * count
        return totals


# --- helpers ----------------------------------------------------------------------------------


def _values(office: str, first: date, last: date) -> dict[str, Any]:
    return {
        "office": office,
        "first": first,
        "last": last,
        "first_month": month_first(first),
        "last_month": month_first(last),
    }


def _group_events(
    rows: Iterable[Sequence[Any]], class_of: Callable[[str], Hashable]
) -> Iterator[Event]:
    """Those of one class of category are one event, under the category that came first."""
    found: dict[tuple[Any, ...], tuple[date, str, int]] = {}
    for month, unit, category, lane, commissioned, follow_up, side, first, count in rows:
        key = (month, unit, class_of(category), lane, commissioned, follow_up, side)
        one = (first, category, count)
        other = found.get(key)
        if other is not None:
            one = (*min(one, other)[:2], count + other[2])
        found[key] = one
    for (month, unit, _, lane, commissioned, follow_up, side), (
        day,
        category,
        count,
    ) in found.items():
        marks = f"{lane}{':c' * commissioned}{':f' * follow_up}"
        yield event_of(
            id=f"items:{unit}:{month.year}-{month.month}:{category}:{marks}:{side}",
            kind=EventKind.SUBMISSION,
            unit=unit,
            day=counted_day(day, month),
            times=count,
            category=category,
            commissioned=commissioned,
            follow_up=follow_up,
            urgent_major=lane == URGENT,
        )


_day, _id = attrgetter("day"), attrgetter("id")


def record_row(row: Row[Any]) -> RecordRow:
    new = NewRecord(
        office=row.office,
        kind=EventKind(row.kind),
        unit_id=row.unit_id,
        day=row.day,
        item_id=row.item_id,
        facts=row.facts,
        reason=row.reason,
        evidence=row.evidence,
        reverses=row.reverses,
        source=row.source,
    )
    return RecordRow(row.id, new, row.receipt or "", row.who, row.at, row.reversed_by)


def _seal_row(row: Row[Any]) -> SealRow:
    return SealRow(
        id=row.id,
        office=row.office,
        period=Period.parse(row.period),
        book_digest=row.book_digest,
        ledger_digest=row.ledger_digest,
        standings=row.standings,
        who=row.who,
        at=row.at,
    )
