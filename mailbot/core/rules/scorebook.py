"""An office's scoring as data: its words, quotas, rules, rankings and lists. Values only.

What the rules book is `ledger`'s business, who stands where `standings`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mailbot.core.rules.basis import Basis
from mailbot.core.rules.events import EventKind, Match
from mailbot.core.rules.kinds import Rule
from mailbot.core.rules.periods import PeriodKind


@dataclass(frozen=True, slots=True)
class Term:
    """A journal or a level as the office names it. `aliases` are other ways people write it."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    rank: int = 0
    """The higher, the higher: 国家 4, 省 3, 市 2, 区 1. Tables show the highest first."""
    events: tuple[EventKind, ...] = ()
    """Of a level: the kinds of event it may be named in. Empty: all that have a level."""


@dataclass(frozen=True, slots=True)
class QuotaVersion:
    """What is owed in each period from `start`. The version in force on a period's last day judges
    all of it."""

    start: date
    basis: Basis
    need: tuple[tuple[str, int], ...]
    """(group id or unit id, number). 0: nothing is owed."""
    counts: tuple[Match, ...]
    """What counts towards it."""

    def need_of(self, unit_id: str, group_id: str) -> int | None:
        """The unit's own number before its group's; None where the data has neither."""
        table = dict(self.need)
        return table.get(unit_id, table.get(group_id))


@dataclass(frozen=True, slots=True)
class Quota:
    """So many items a period. `remark_only`: missing ones are a remark in the tables, never a
    shortage (“原则上”)."""

    id: str
    name: str
    period: PeriodKind
    versions: tuple[QuotaVersion, ...]
    remark_only: bool = False


class OrderBy(StrEnum):
    """What a ranking sorts by, highest first."""

    POINTS = "points"
    ADOPTED = "adopted"
    """Distinct items adopted in the period."""
    SUBMISSIONS = "submissions"


class Ties(StrEnum):
    SHARE = "share"
    """1, 2, 2, 4."""
    DENSE = "dense"
    """1, 2, 2, 3."""


@dataclass(frozen=True, slots=True)
class RankingTable:
    """One table of the notice: the groups ranked together."""

    id: str
    name: str
    groups: tuple[str, ...]


class ColumnCount(StrEnum):
    EVENTS = "events"
    ITEMS = "items"
    """Distinct items."""
    OPEN = "open"
    """Ledger tasks given up to the period's end and not finished by then. Has no matches."""


@dataclass(frozen=True, slots=True)
class Column:
    """A number the tables show for each unit. `less` is taken off: on time = reports - late."""

    id: str
    name: str
    matches: tuple[Match, ...]
    count: ColumnCount = ColumnCount.EVENTS
    less: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """How units are ranked from `start`. The version in force on the period's last day counts."""

    start: date
    basis: Basis
    tables: tuple[RankingTable, ...]
    order: tuple[OrderBy, ...]
    """Empty: no ranking; units stand in the roster's order without a place."""
    ties: Ties
    columns: tuple[Column, ...]
    unranked: tuple[str, ...] = ()
    """Groups that stand in no table. Said, so that none is forgotten."""


class ListKind(StrEnum):
    """How a list of a notice finds its units."""

    FIRST = "first"
    """Of each table: everyone whose place is at most `places` and whose first order key is above
    0. Ties are included."""
    LAST = "last"
    """Of each table: the last `places` places, ties included; nobody who also stands first."""
    NO_SUBMISSION = "no_submission"
    """A month of the period, being over, without any item; with `running` n, the last of n such
    months running, which may reach back before the period."""
    NO_ADOPTION = "no_adoption"
    """Nothing adopted in the period."""
    EVENTS = "events"
    """Matching events dated in the period, `at_least` so many."""
    MENTIONED = "mentioned"
    """A person put it there (`EventKind.MENTION` with this list's id)."""
    SHORT = "short"
    """Below `quota` in a period of it that ends in the list's period."""
    OVERDUE = "overdue"
    """Ledger tasks past their due day and unfinished at the period's end."""
    BELOW = "below"
    """Points of the period below `points` (an office's own threshold)."""


class Consequence(StrEnum):
    PRAISE = "praise"
    CRITICISE = "criticise"
    NAME = "name"
    INTERVIEW = "interview"
    REVIEW = "review"
    """People decide; the list is a proposal."""


@dataclass(frozen=True, slots=True)
class ListVersion:
    start: date
    basis: Basis
    tables: tuple[str, ...] = ()
    """Of FIRST and LAST: only these ranking tables. Empty: all."""
    groups: tuple[str, ...] = ()
    """Only units of these groups. Empty: all."""
    exclude: tuple[str, ...] = ()
    """Unit ids that never stand on this list. A table's last place is then that of the others."""
    places: int = 1
    running: int = 1
    together: bool = False
    """Of FIRST and LAST: over all tables together, by the same order."""
    matches: tuple[Match, ...] = ()
    quota: str = ""
    points: int = 0
    at_least: int = 1
    unless: tuple[Match, ...] = ()
    """Of FIRST: units with such an event in the period are passed over (“有迟报的取消评优”)."""
    unless_silent: int = 0
    """Of FIRST: units with so many months running without an item, the last of them in the period,
    are passed over. 0: none is."""
    repealed: bool = False


@dataclass(frozen=True, slots=True)
class ListRule:
    """A list of the notice, proposed to people; dated by the period's last day."""

    id: str
    name: str
    kind: ListKind
    consequence: Consequence
    periods: tuple[PeriodKind, ...]
    """Of which standings it is part."""
    versions: tuple[ListVersion, ...]
    people: tuple[str, ...] = ()
    """Roles (`head`, `deputy`, `liaison`) whose holders are named with the unit: those in office on
    the event's day, where something happened; else at the period's end."""
    recommender: bool = False
    """The unit that recommended it is named with it (同步通报推荐单位)."""


@dataclass(frozen=True, slots=True)
class Left:
    """Something the document leaves to the office, or that cannot be known from it."""

    about: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class LedgerTask:
    """One sentence of a plan that orders something (`tasks.toml`)."""

    id: str
    clause: str
    quote: str
    year: int
    units: tuple[str, ...] = ()
    """As the text names them; empty where it names nobody."""
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Scoring:
    """All of it. `settles` is the period that a notice closes and `seal` freezes."""

    settles: PeriodKind = PeriodKind.QUARTER
    journals: tuple[Term, ...] = ()
    levels: tuple[Term, ...] = ()
    rules: tuple[Rule, ...] = ()
    rankings: tuple[Ranking, ...] = ()
    """Oldest first."""
    lists: tuple[ListRule, ...] = ()
    left: tuple[Left, ...] = ()
    tasks: tuple[LedgerTask, ...] = ()

    def rule(self, rule_id: str) -> Rule:
        """Raises KeyError."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)
