"""Rows of the ledger to events (`core.rules.events`) and entries, and back. No query stands here.

A submission's day is the one it was received, in Shanghai, when that lies in the month it counts
in; else the day of that month nearest to it, so that every event lies in the month it counts in.
What concerns the item (title, category, commission) stands in every event about it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Dialect, Row, Text
from sqlalchemy.types import TypeDecorator

from mailbot.adapters.db.columns import JsonText
from mailbot.adapters.system import SHANGHAI
from mailbot.app.records import MAIL_CHANNEL, NewRecord
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event, EventKind, Fault, Form, Outcome, Signer, UnitStatus
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.quick import quick

URGENT = "urgent"
"""Lane of an item that is a major urgent one (要情专报)."""
FOLLOW_UP = "follow_up"
"""Flag of an item that continues an earlier report."""

Facts = Mapping[str, Any]

event_of = quick(Event)


class OfficeDay(TypeDecorator[date]):
    """Reads only a moment's day in Shanghai. A year's moments lie in few hours, and no hour lies in
    two days: SQLite's text is read once for each hour."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        if value is None:
            return None
        if isinstance(value, str):
            return _day_of_hour(value[: len("2026-08-12 01")])
        return _day_of(value)


@lru_cache(maxsize=20_000)
def _day_of_hour(hour: str) -> date:
    return _day_of(datetime.fromisoformat(hour).replace(tzinfo=UTC))


def _day_of(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


class EventFacts(JsonText):
    """Reads `record.facts` as `read_facts` does: many records say the same, which is read once."""

    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else _facts_in(value)


@lru_cache(maxsize=10_000)
def _facts_in(text: str) -> Facts:
    return MappingProxyType(read_facts(json.loads(text)))


def counted_day(day: date, month: date) -> date:
    """The day of a submission received on `day` that counts in `month` (its first day)."""
    if day.year == month.year and day.month == month.month:
        return day
    return month if day < month else Period(month, PeriodKind.MONTH).last


def item_event(row: Sequence[Any], *, commissioned: bool) -> Event:
    """A submission of its own, from a row of `ledger_queries.ITEM_EVENT`."""
    _, receipt, unit, month, received_on, lane, category, _, follow_up, *told = row
    evidence, title, channel, created_on = told
    return event_of(
        id=f"item:{receipt}",
        kind=EventKind.SUBMISSION,
        unit=unit,
        day=counted_day(received_on, month),
        item=receipt,
        title=title,
        category=category,
        commissioned=commissioned,
        follow_up=follow_up,
        urgent_major=lane == URGENT,
        evidence=evidence,
        # A mail is there when it comes; what came otherwise is known when it is entered.
        recorded=None if channel == MAIL_CHANNEL else created_on,
    )


def record_event(row: Sequence[Any], *, commissioned: bool) -> Event:
    """From a row of `ledger_queries.RECORD_EVENT`. `commissioned`: the item it is about, if any."""
    number, kind, unit, day, _, known, reason, evidence, who, recorded, *item = row
    receipt, lane, category, _, follow_up, title = item
    facts = dict(known)
    if receipt is not None:
        facts |= {
            "item": receipt,
            "title": title,
            "category": category,
            "commissioned": commissioned,
            "follow_up": follow_up,
        }
        facts.setdefault("urgent_major", lane == URGENT)
    return event_of(
        id=f"record:{number}",
        kind=EventKind(kind),
        unit=unit,
        day=day,
        recorded=recorded,
        by=who,
        reason=reason,
        evidence=evidence,
        **facts,
    )


# --- facts ------------------------------------------------------------------------------------


def read_facts(facts: Facts) -> dict[str, Any]:
    """The fields of `Event` they stand for. Raises ValueError, naming the field, for one that is
    none or that holds something else than it should."""
    found = {}
    for name, value in facts.items():
        read = _READ.get(name)
        if read is None:
            raise ValueError(f"a record has no field {name!r}")
        try:
            found[name] = read(value)
        except (TypeError, ValueError, KeyError, InvalidOperation) as e:
            raise ValueError(f"a record's {name} cannot be {value!r}") from e
    return found


def check(record: NewRecord) -> None:
    """Raises ValueError for a record that could not be read back as an event."""
    if record.kind is EventKind.SUBMISSION:
        raise ValueError("a submission is an item, not a record")
    if not record.unit_id:
        raise ValueError("a record needs a unit")
    facts = read_facts(record.facts)
    if record.item_id is not None and "item" in facts:
        raise ValueError("a record about an item names no other item")


def is_joint(facts: Facts) -> bool:
    return bool(facts.get("partners") or facts.get("shares"))


def _of(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(kind.__name__)
        return value

    return read


def _number(value: Any) -> Decimal:
    """Text or a whole number: a float has lost what was written."""
    if type(value) not in (str, int):
        raise TypeError("number")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(value)
    return number


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError("list")
    return tuple(_of(str)(one) for one in value)


def _shares(value: Any) -> tuple[tuple[str, Decimal], ...]:
    pairs = value.items() if isinstance(value, dict) else value
    return tuple((_of(str)(unit), _number(share)) for unit, share in pairs)


def _times(value: Any) -> int:
    count: int = _of(int)(value)
    if count < 1:
        raise ValueError(count)
    return count


_READ: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("item", "title", "category", "journal", "level", "rule", "about"), _of(str)),
    **dict.fromkeys(
        (
            "commissioned",
            "follow_up",
            "urgent_major",
            "major",
            "serious",
            "bad_effect",
            "forecast",
            "accepted",
        ),
        _of(bool),
    ),
    "times": _times,
    "form": Form,
    "outcome": Outcome,
    "fault": Fault,
    "signer": Signer,
    "status": UnitStatus,
    "points": _number,
    "due": date.fromisoformat,
    "partners": _texts,
    "people": _texts,
    "shares": _shares,
}
"""All fields of `Event` that do not stand in columns of their own."""


# --- entries ----------------------------------------------------------------------------------

_ENTRY = (
    "unit",
    "day",
    "rule",
    "version",
    "points",
    "document",
    "clause",
    "text",
    "item",
    "events",
    "times",
    "stars",
    "corrects",
)


def entry_values(entry: Entry, seal_id: int) -> dict[str, Any]:
    """The entry's columns, ready to insert."""
    values = {name: getattr(entry, name) for name in _ENTRY}
    return values | {"seal_id": seal_id, "points": str(entry.points)}


def to_entry(row: Row[Any]) -> Entry:
    values = {name: getattr(row, name) for name in _ENTRY}
    return Entry(
        **values | {"points": Decimal(values["points"]), "events": tuple(values["events"])}
    )


def midnight(day: date) -> datetime:
    """The day's beginning in Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def month_first(day: date) -> date:
    return day.replace(day=1)


def day_after(day: date) -> date:
    return day + timedelta(days=1)
