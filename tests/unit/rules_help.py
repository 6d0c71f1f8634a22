"""Small books and events for the tests of rules: each says only what it is about.

Everything is in force from `START`, in the groups `g` (units a, b, c) and `h` (unit d), unless a
test says otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from mailbot.core.rules.basis import Basis
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event, EventKind, Match
from mailbot.core.rules.kinds import (
    KINDS,
    DatedBy,
    Joint,
    Line,
    Points,
    Repeat,
    Rule,
    Values,
    Version,
)
from mailbot.core.rules.ledger import post
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.quota import QuotaBook
from mailbot.core.rules.rulebook import Categories, Category, Group, Limits, OfficeBook, OfficeInfo
from mailbot.core.rules.scorebook import ListRule, Quota, QuotaVersion, Ranking, Scoring, Term
from mailbot.core.subject.roster import Roster, Unit, UnitName

START = date(2026, 1, 1)
BASIS = Basis("办法", "第一条")
D = Decimal

JOURNALS = (
    Term("lw", "莱芜政务信息", rank=1),
    Term("jn", "济南政务信息", rank=2),
    Term("gb", "国办"),
)
LEVELS = (Term("district", "区", rank=1), Term("city", "市", rank=2), Term("state", "国家", rank=4))
CATEGORIES = Categories(
    START,
    BASIS,
    tuple(
        Category(i, n, (n,))
        for i, n in (("news", "动态"), ("problem", "问题"), ("research", "调研"))
    ),
    "news",
)


# --- books ---------------------------------------------------------------------------------


def unit(unit_id: str, group: str = "g", **more: Any) -> Unit:
    return Unit(unit_id, (UnitName(f"{unit_id}局"),), group, **more)


UNITS = (unit("a"), unit("b"), unit("c"), unit("d", "h"))


def version(values: Values | None, start: date = START, clause: str = "第一条") -> Version:
    return Version(start, Basis("办法", clause), values)


def rule(
    rule_id: str,
    *values: Values | Version | None,
    dated_by: DatedBy = DatedBy.EVENT,
    kind: str = "",
) -> Rule:
    """Of values alone, a version from `START`."""
    versions = tuple(v if isinstance(v, Version) else version(v) for v in values)
    found = next((type(v.values) for v in versions if v.values is not None), Points)
    kinds = {cls: name for name, cls in KINDS.items()}
    return Rule(rule_id, f"规则{rule_id}", kind or kinds[found], dated_by, versions)


def line(event: str | Match, points: int | str | Decimal, **more: Any) -> Line:
    """What the match takes and what the line takes, in one go."""
    own = {k: more.pop(k) for k in list(more) if k in Line.__dataclass_fields__}
    match = event if isinstance(event, Match) else Match(EventKind(event), **more)
    return Line(match, Decimal(points), own.pop("clause", "第一条"), **own)


def points(*lines: Line, repeat: Repeat = Repeat.EACH, joint: Joint = Joint.FULL) -> Points:
    return Points(tuple(lines), repeat, joint)


def quota(
    quota_id: str = "items",
    need: dict[str, int] | None = None,
    period: PeriodKind = PeriodKind.MONTH,
    counts: Sequence[Match] = (Match(EventKind.SUBMISSION),),
    start: date = START,
    **more: Any,
) -> Quota:
    table = tuple((need or {"g": 8, "h": 4}).items())
    found = QuotaVersion(start, BASIS, table, tuple(counts))
    return Quota(quota_id, {"items": "信息"}.get(quota_id, quota_id), period, (found,), **more)


def book(
    *rules: Rule,
    quotas: Iterable[Quota] = (),
    units: Iterable[Unit] = UNITS,
    rankings: Iterable[Ranking] = (),
    lists: Iterable[ListRule] = (),
) -> OfficeBook:
    roster = Roster(tuple(units))
    groups = tuple(Group(g, f"{g}组", BASIS) for g in dict.fromkeys(u.group for u in roster.units))
    return OfficeBook(
        info=OfficeInfo("office", "某办", "某办信息室", "000", "MB"),
        roster=roster,
        conventions=(),
        categories=(CATEGORIES,),
        quotas=tuple(quotas),
        limits=Limits(),
        digest="0",
        groups=groups,
        scoring=Scoring(
            journals=JOURNALS,
            levels=LEVELS,
            rules=tuple(rules),
            rankings=tuple(rankings),
            lists=tuple(lists),
        ),
    )


# --- events --------------------------------------------------------------------------------

_numbers = count(1)


def event(kind: str, day: date | str, unit_id: str = "a", **more: Any) -> Event:
    """Of its own id, unless it is given one."""
    when = date.fromisoformat(day) if isinstance(day, str) else day
    own_id = more.pop("id", None) or f"record:{next(_numbers)}"
    return Event(id=own_id, kind=EventKind(kind), unit=unit_id, day=when, **more)


def sent(day: date | str, unit_id: str = "a", category: str = "news", **more: Any) -> Event:
    return event("submission", day, unit_id, category=category, **more)


def adopted(day: date | str, journal: str = "lw", unit_id: str = "a", **more: Any) -> Event:
    return event("adoption", day, unit_id, journal=journal, **more)


def one_by_one(events: Iterable[Event]) -> list[Event]:
    """Like events taken together, apart again."""
    return [replace(e, id=f"{e.id}/{n}", times=1) for e in events for n in range(e.times)]


# --- reckoning -----------------------------------------------------------------------------


def posted(
    office: OfficeBook,
    events: Iterable[Event],
    period: str = "2026",
    as_of: date | str | None = None,
) -> list[Entry]:
    """The entries of a period, looked at on the day after it unless said otherwise."""
    of = Period.parse(period)
    day = date.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    return post(office, list(events), of.first, of.last, day or of.next().first)


def totals(entries: Iterable[Entry]) -> dict[str, Decimal]:
    """By unit; who has 0 is left out."""
    sums: Counter[str] = Counter()
    for entry in entries:
        sums[entry.unit] += entry.points  # type: ignore[assignment]
    return {unit_id: Decimal(total) for unit_id, total in sums.items() if total}


def brief(entries: Iterable[Entry]) -> list[tuple[str, str, Decimal]]:
    """(day, unit, points) of each, by day."""
    return [(e.day.isoformat(), e.unit, e.points) for e in entries]


def quota_book(
    office: OfficeBook, events: Iterable[Event], as_of: date = date(2027, 1, 1)
) -> QuotaBook:
    return QuotaBook(office, events, as_of)
