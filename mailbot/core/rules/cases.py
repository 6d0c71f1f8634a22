"""A rule case: events in, entries and totals and places and lists out, as an official would write
them down (`cases/*.toml`, the format is in `docs/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mailbot.core.rules.events import Event
from mailbot.core.rules.periods import Period
from mailbot.core.subject.roster import Unit


@dataclass(frozen=True, slots=True)
class ExpectedEntry:
    """Compared on what is given; `item`, `day` and `clause` only where they are."""

    unit: str
    rule: str
    points: Decimal
    item: str = ""
    day: date | None = None
    clause: str = ""
    """A part of the entry's clause."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come out. Only what is given is compared, but what is given is compared whole:
    `entries` are all entries of the period of the units in them, in any order; a list names all
    its units."""

    entries: tuple[ExpectedEntry, ...] | None = None
    points: tuple[tuple[str, Decimal], ...] = ()
    """(unit id, points of the period)."""
    cumulative: tuple[tuple[str, Decimal], ...] = ()
    places: tuple[tuple[str, int | None], ...] = ()
    columns: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    """(unit id, ((column id or `submissions`, `adopted`, number), ...))."""
    missing: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    """(unit id, ((quota id, number missing), ...)), of quotas that are owed in earnest."""
    remarks: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    """The same of quotas that are a remark only (“原则上”)."""
    tables: tuple[tuple[str, str], ...] = ()
    """(unit id, id of the ranking's table it stands in; "" for none)."""
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(list id, unit ids, all of them, in any order)."""
    people: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(list id, the people it names, all of them, in any order)."""
    recommenders: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(list id, names of the recommending units on it, all of them, in any order)."""
    stars: tuple[tuple[str, int], ...] = ()
    error: str = ""
    """The whole case must be refused, and the message hold these words."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case of one office. `units` replaces the roster where the case brings or chooses units;
    otherwise the whole roster takes part."""

    name: str
    """A sentence."""
    office: str
    where: str
    """File and number, for messages."""
    period: Period
    as_of: date | None
    """None: the day after the period's last, or the last day on which something of the case was
    recorded, if that is later."""
    units: tuple[Unit, ...] | None
    events: tuple[Event, ...]
    seal_before: tuple[Period, ...]
    """Periods sealed before the later events (those with `recorded` after their last day)."""
    expected: Expected
