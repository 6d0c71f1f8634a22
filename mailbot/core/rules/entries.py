"""What the rules make of events: point entries, standings, and what a sealed period keeps.

Values only. An entry explains itself: rule, version, document, clause, the events behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mailbot.core.rules.periods import Period
from mailbot.core.rules.scorebook import Consequence


@dataclass(frozen=True, slots=True)
class Entry:
    """Points booked to a unit. Never changed; what turns out wrong is answered by another entry."""

    unit: str
    day: date
    """Books it into month, quarter and year. Of a submission the event's day, of a period's rule
    the last day of the period judged, of a correction the first day after the last sealed period
    or the day it was entered, whichever is later."""
    rule: str
    version: date
    """First day of the rule's version."""
    points: Decimal
    document: str
    clause: str
    text: str
    """In the office's words, why: 《每日要情》采用《牧区饮水……》."""
    item: str = ""
    events: tuple[str, ...] = ()
    times: int = 1
    stars: int = 0
    corrects: str = ""
    """Code of the sealed period that this entry sets right; empty for ordinary ones."""


@dataclass(frozen=True, slots=True)
class QuotaState:
    """How a unit stands with one quota over the standings' period."""

    quota: str
    need: int
    """Summed over the quota's periods that end in it."""
    got: int
    missing: int
    """Summed over those periods: a surplus of one month never fills another."""
    remark_only: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One unit's line."""

    unit: str
    name: str
    group: str
    place: int | None
    """None: not ranked."""
    previous_place: int | None
    """In the period before, in the same table; None where there was none."""
    submissions: int
    adopted: int
    """Distinct items adopted in the period."""
    adoptions: tuple[tuple[str, int], ...]
    """(journal id, distinct items), in the order of the journals; zero ones are left out."""
    columns: tuple[tuple[str, int], ...]
    """(column id, number), all of them, in order."""
    points: Decimal
    cumulative: Decimal
    """Points from 1 January to the period's end."""
    quotas: tuple[QuotaState, ...]
    stars: int = 0
    status: str = "appointed"
    no_submission: bool = False
    no_adoption: bool = False

    @property
    def change(self) -> int | None:
        """Places won (positive) or lost since the period before."""
        if self.place is None or self.previous_place is None:
            return None
        return self.previous_place - self.place


@dataclass(frozen=True, slots=True)
class Table:
    id: str
    name: str
    rows: tuple[Row, ...]
    """By place, ties in the roster's order."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A unit on a list, and why: the months, events or place."""

    unit: str
    why: str
    events: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    recommender: str = ""
    """Name of the unit that recommended it, where the list names it."""


@dataclass(frozen=True, slots=True)
class NoticeList:
    id: str
    name: str
    consequence: Consequence
    document: str
    clause: str
    listed: tuple[Listed, ...]
    """In the roster's order; FIRST and LAST by table."""


@dataclass(frozen=True, slots=True)
class Standings:
    """A period as the rules see it on the day `as_of`. `book_digest` is the rule book's."""

    office: str
    period: Period
    as_of: date
    book_digest: str
    tables: tuple[Table, ...]
    """The ranking's tables, then one with id "" for units in none of them, if there are any."""
    lists: tuple[NoticeList, ...]
    corrections: tuple[Entry, ...] = ()
    """Of earlier sealed periods, booked in this one."""
    sealed: bool = False

    def row(self, unit: str) -> Row:
        """Raises KeyError."""
        for table in self.tables:
            for row in table.rows:
                if row.unit == unit:
                    return row
        raise KeyError(unit)
