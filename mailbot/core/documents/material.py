"""Everything a document or a cover can say about a period. Values only: `app.notices.material`
gathers them, `notice` and the covers say them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from mailbot.core.rules.entries import Entry, Row, Standings
from mailbot.core.rules.events import Form
from mailbot.core.rules.periods import Period


@dataclass(frozen=True, slots=True)
class Counts:
    """A period in numbers. A joint item is one item."""

    submissions: int = 0
    adopted: int = 0
    """Distinct items."""
    journals: tuple[tuple[str, int], ...] = ()
    """(journal id, distinct items), in the order of the journals; zero ones are left out."""
    instructed: int = 0
    """Distinct items with a leader's comment."""
    units: int = 0
    """That sent something."""


@dataclass(frozen=True, slots=True)
class Printing:
    """An adoption."""

    journal: str
    form: Form
    day: date


@dataclass(frozen=True, slots=True)
class AdoptedItem:
    """One item, however many journals printed it and units sent it."""

    title: str
    units: tuple[str, ...]
    printings: tuple[Printing, ...]
    """By day."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A unit that missed a quota in one of its periods."""

    unit: str
    quota: str
    period: Period
    missing: int


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A unit's ledger tasks: given and finished in the period, open at its end."""

    unit: str
    given: int = 0
    on_time: int = 0
    late: int = 0
    open: int = 0
    overdue: int = 0
    """Of the open ones."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a unit sent in one period of the year's course."""

    period: Period
    got: int
    need: int | None
    """None: nothing was owed, or nobody knows how much."""


@dataclass(frozen=True, slots=True)
class PlaceThen:
    """A unit's place in one period."""

    period: Period
    place: int
    of: int | None
    """Ranked units of its table; None where it is not known any more."""


@dataclass(frozen=True, slots=True)
class Material:
    standings: Standings
    counts: Counts = Counts()
    before: Counts | None = None
    """Of the period before, where something had happened in it."""
    adopted: tuple[AdoptedItem, ...] = ()
    """By the roster's order of their first unit, then by day."""
    shortfalls: tuple[Shortfall, ...] = ()
    """In the roster's order; of periods that are over."""
    tasks: tuple[TaskLine, ...] = ()
    """Units that have any, in the roster's order."""
    conversions: tuple[Entry, ...] = ()
    """Points passed on to recommending units in the period."""
    progress: Mapping[str, tuple[Progress, ...]] = field(default_factory=dict)
    """By unit, from January, or from when on anything was recorded, to the period's end."""
    places: Mapping[str, tuple[PlaceThen, ...]] = field(default_factory=dict)
    """By unit, at most four periods, this one last."""
    began: date | None = None
    """From when on anything was recorded here: nobody is held to have been silent before."""

    @property
    def period(self) -> Period:
        return self.standings.period

    @property
    def as_of(self) -> date:
        return self.standings.as_of

    def only(self, unit: str) -> Material:
        """The same as if there were no other unit: for letters that must not speak of others."""
        found = self.standings
        tables = (replace(t, rows=tuple(r for r in t.rows if r.unit == unit)) for t in found.tables)
        lists = (
            replace(one, listed=tuple(who for who in one.listed if who.unit == unit))
            for one in found.lists
        )
        own = replace(
            found,
            tables=tuple(tables),
            lists=tuple(lists),
            corrections=tuple(e for e in found.corrections if e.unit == unit),
        )
        adopted = (replace(a, units=(unit,)) for a in self.adopted if unit in a.units)
        rows = (row for table in own.tables for row in table.rows)
        return Material(
            standings=own,
            counts=_counts(next(rows, None)),
            adopted=tuple(adopted),
            shortfalls=tuple(s for s in self.shortfalls if s.unit == unit),
            tasks=tuple(t for t in self.tasks if t.unit == unit),
            conversions=tuple(e for e in self.conversions if e.unit == unit),
            progress={unit: self.progress[unit]} if unit in self.progress else {},
            places={unit: self.places[unit]} if unit in self.places else {},
            began=self.began,
        )


def _counts(row: Row | None) -> Counts:
    if row is None:
        return Counts()
    return Counts(row.submissions, row.adopted, row.adoptions, units=int(row.submissions > 0))
