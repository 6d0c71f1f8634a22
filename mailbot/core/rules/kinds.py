"""The closed list of rule kinds, as values. What each one books is `ledger`'s business.

A rule is a name, a kind, the date that chooses its version, and dated versions; all versions of a
rule are of one kind. There are no expressions: a new kind is reviewed code with property tests, a
new number is data. `KINDS` is the closed list; a test holds data, documentation and code equal.

Points are Decimal, positive when earned, negative when deducted. Lines are tried in their order;
the first that matches counts. Every line carries its own clause, because a unit disputes a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from mailbot.core.rules.basis import Basis
from mailbot.core.rules.events import Match, Signer
from mailbot.core.rules.periods import PeriodKind


class DatedBy(StrEnum):
    """Which date chooses the version of a rule. Kinds that judge a period (base, shortage, ladder,
    cap, floor, zeroing, conversion) take its last day whatever stands here, except that `base`
    takes the last day of each month it gives points for."""

    EVENT = "event"
    """The event's own day: received, printed, commented, found out."""
    MONTH_END = "month_end"
    """The last day of the month the event counts in."""
    QUARTER_END = "quarter_end"
    YEAR_END = "year_end"


class Repeat(StrEnum):
    """What happens when more than one event matches."""

    EACH = "each"
    """Every event gives its points."""
    HIGHEST_PER_ITEM = "highest_per_item"
    """Per unit and item only the highest ever counts; a later, higher one books the difference on
    its own day, a later lower one books nothing. Events without an item stand alone."""
    HIGHEST_PER_YEAR = "highest_per_year"
    """Per unit, line and calendar year only the highest counts, by differences as above."""


class Joint(StrEnum):
    """How the points of an item of several units are shared."""

    FULL = "full"
    EQUAL = "equal"
    HAND = "hand"
    """By the shares entered with the event; an event without them is an error."""


@dataclass(frozen=True, slots=True)
class Line:
    match: Match
    points: Decimal
    clause: str
    label: str = ""
    """What a statement calls it: 《每日要情》采用. Empty: made from the match."""
    stars: int = 0
    """Printed beside the item in tables (★★★)."""
    per_count: bool = False
    """Points times `Event.times`: persons, person-times. Submissions always count this way."""
    excused_by: tuple[Signer, ...] = ()
    """The event gives nothing when an accepted explanation about it was signed by one of these."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points by category × level × form. An event that the rule's lines speak of by kind, but that
    no line matches, is `NoRuleInForce`: missing is never zero (write a line with 0)."""

    lines: tuple[Line, ...]
    repeat: Repeat = Repeat.EACH
    joint: Joint = Joint.FULL


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Points of the named `points` rules times `factor` for matching events. It enters the points
    before anything is compared or capped; several that match multiply each other. The entry names
    the factor and its clause."""

    rules: tuple[str, ...]
    matches: tuple[Match, ...]
    factor: Decimal


class Mode(StrEnum):
    ALL_OR_NOTHING = "all_or_nothing"
    PRO_RATA = "pro_rata"
    """Points × the smallest of got/need over the quotas, at most in full."""


@dataclass(frozen=True, slots=True)
class BaseLine:
    groups: tuple[str, ...]
    quotas: tuple[str, ...]
    """Ids of quotas that must all be met; none: the points are given in any case. A quota over a
    longer period than the base's decides for each part of it."""
    points: Decimal
    clause: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class QuotaBase:
    """Points for meeting quotas, given for every `period` that is over (`kind = "base"`)."""

    lines: tuple[BaseLine, ...]
    mode: Mode
    period: PeriodKind = PeriodKind.MONTH


@dataclass(frozen=True, slots=True)
class ShortageLine:
    groups: tuple[str, ...]
    quota: str
    points_each: Decimal
    """Negative; per missing item of one period of the quota."""
    clause: str
    least: Decimal | None = None
    """The deduction of one period of the quota is never below this (negative)."""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Shortage:
    lines: tuple[ShortageLine, ...]


class Measure(StrEnum):
    """What a ladder measures, per unit and period."""

    MISSING = "missing"
    """Items short of `quota`, summed over the quota's periods that end in the ladder's."""
    COUNT = "count"
    """Matching events (`times` each; explained ones left out where `excused_by` says so)."""
    ADOPTION_RATE = "adoption_rate"
    """Adopted items / submitted items × 100. No submissions: no step."""
    COMPLETION_RATE = "completion_rate"
    """Items / quota × 100, over the quota's periods that end in the ladder's. No quota: no step."""


@dataclass(frozen=True, slots=True)
class Step:
    """Holds when `at_least` <= measured < `below` (None: open)."""

    points: Decimal
    clause: str
    at_least: Decimal | None = None
    below: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The first step that holds gives its points, once per unit and period. No steps: the office
    has not decided; nothing is booked and `rules check` says so."""

    measure: Measure
    period: PeriodKind
    steps: tuple[Step, ...]
    quota: str = ""
    matches: tuple[Match, ...] = ()
    excused_by: tuple[Signer, ...] = ()
    groups: tuple[str, ...] = ()
    """Empty: all."""


@dataclass(frozen=True, slots=True)
class Manual:
    """Points a person sets (`EventKind.MANUAL` with this rule's id), from `least` to `most`."""

    least: Decimal
    most: Decimal


@dataclass(frozen=True, slots=True)
class Cap:
    """The named rules together give a unit at most `most`, and take at most down to `least` (a
    negative number), each None for no limit, in one period. What goes beyond is booked back on the
    day it does."""

    rules: tuple[str, ...]
    most: Decimal | None
    period: PeriodKind
    least: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Floor:
    """The named deductions together take a total of the period at most down to `at`: with D their
    sum and X the total without them, D counts min(D, max(X - at, 0)). The total is the unit's, or
    that of the rules in `of`. The rest is booked back at the period's end."""

    rules: tuple[str, ...]
    at: Decimal
    period: PeriodKind
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Zeroing:
    """From the day of the `at_least`-th matching event the unit's total of the period is never above
    0."""

    matches: tuple[Match, ...]
    at_least: int
    period: PeriodKind
    excused_by: tuple[Signer, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversion:
    """A unit's points of each period times `factor` are booked to its recommending unit. None: the
    office has not decided; off."""

    factor: Decimal | None
    period: PeriodKind
    groups: tuple[str, ...] = ()


Values = (
    Points
    | Multiplier
    | QuotaBase
    | Shortage
    | Ladder
    | Manual
    | Cap
    | Floor
    | Zeroing
    | Conversion
)

KINDS: dict[str, type] = {
    "points": Points,
    "multiplier": Multiplier,
    "base": QuotaBase,
    "shortage": Shortage,
    "ladder": Ladder,
    "manual": Manual,
    "cap": Cap,
    "floor": Floor,
    "zeroing": Zeroing,
    "conversion": Conversion,
}
"""Kind as data names it. The order is the order of reckoning: first what events give, then what
periods give and take, then limits on all of it, last what passes on to others. Within a kind the
file's order counts."""


@dataclass(frozen=True, slots=True)
class Version:
    """A rule's values from `start`. `values` None: repealed from that day."""

    start: date
    basis: Basis
    values: Values | None


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    name: str
    """What statements call it."""
    kind: str
    dated_by: DatedBy
    versions: tuple[Version, ...]
    """Oldest first."""
