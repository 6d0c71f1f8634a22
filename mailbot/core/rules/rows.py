"""One unit's line in a table: what it sent, what was adopted, what it owes and has earned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from mailbot.core.rules.columns import Tally
from mailbot.core.rules.entries import Entry, QuotaState, Row
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.quota import QuotaBook
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Quota
from mailbot.core.subject.roster import Unit

_SHORTEST_FIRST = tuple(PeriodKind)


def year_start(period: Period) -> date:
    """From where cumulative points are counted: 1 January, of a week that of its Thursday's year,
    or its own first day where that is earlier."""
    if period.kind is not PeriodKind.WEEK:
        return date(period.first.year, 1, 1)
    return min(date((period.first + timedelta(days=3)).year, 1, 1), period.first)


def rows_of(
    book: OfficeBook,
    period: Period,
    as_of: date,
    tally: Tally,
    quotas: QuotaBook,
    entries: Iterable[Entry],
) -> list[Row]:
    """Everybody's line, without places: the units of the roster that were there in the period or
    have something in it, in the roster's order; then whoever else was booked something (a
    recommending unit outside the roster)."""
    sums = _sums(entries, period)
    active = dict.fromkeys([*tally.active(), *(u for u, s in sums.items() if s.active)])
    journals = [j.id for j in sorted(book.scoring.journals, key=lambda j: -j.rank)]
    owed = [(q, _over(period, q, as_of)) for q in book.quotas if not _longer(q.period, period.kind)]
    end = min(period.last, as_of)
    rows = []
    for unit in book.roster.units:
        if unit.id in active or _within(unit, period):
            row = _row(
                unit.id, unit.name, unit.group_on(period.last), tally, journals, sums[unit.id]
            )
            rows.append(
                replace(
                    row,
                    quotas=tuple(_states(quotas, unit, owed)),
                    status=quotas.status(unit.id, end).value,
                    no_submission=row.submissions == 0,
                    no_adoption=row.adopted == 0,
                )
            )
    known = {unit.id for unit in book.roster.units}
    strangers = [name for name in active if name not in known]
    return rows + [_row(name, name, "", tally, journals, sums[name]) for name in sorted(strangers)]


@dataclass(slots=True)
class _Sums:
    points: Decimal = Decimal(0)
    cumulative: Decimal = Decimal(0)
    stars: int = 0
    active: bool = False
    """Something was booked in the period."""


def _sums(entries: Iterable[Entry], period: Period) -> defaultdict[str, _Sums]:
    start, first, last = year_start(period), period.first, period.last
    found: defaultdict[str, _Sums] = defaultdict(_Sums)
    for entry in entries:
        if not start <= entry.day <= last:
            continue
        sums = found[entry.unit]
        sums.cumulative += entry.points
        if entry.day >= first:
            sums.active = True
            sums.points += entry.points
            # An entry that takes points back does not bring its stars a second time.
            if entry.points >= 0:
                sums.stars = max(sums.stars, entry.stars)
    return found


def _row(
    unit: str, name: str, group: str, tally: Tally, journals: Sequence[str], sums: _Sums
) -> Row:
    counts = tally.of(unit)
    # A journal that the data does not name stands last rather than nowhere.
    order = dict.fromkeys([*journals, *sorted(counts.journals)])
    return Row(
        unit=unit,
        name=name,
        group=group,
        place=None,
        previous_place=None,
        submissions=counts.submissions,
        adopted=counts.adopted.number,
        adoptions=tuple((j, counts.journals[j].number) for j in order if j in counts.journals),
        columns=tally.columns(unit),
        points=sums.points,
        cumulative=sums.cumulative,
        quotas=(),
        stars=sums.stars,
    )


def _over(period: Period, quota: Quota, as_of: date) -> list[Period]:
    """The quota's periods that end in this one and are over."""
    return [part for part in period.parts(quota.period) if part.last < as_of]


def _longer(kind: PeriodKind, than: PeriodKind) -> bool:
    return _SHORTEST_FIRST.index(kind) > _SHORTEST_FIRST.index(than)


def _states(
    quotas: QuotaBook, unit: Unit, owed: Iterable[tuple[Quota, Sequence[Period]]]
) -> Iterator[QuotaState]:
    """How the unit stands with each quota; nothing about one of which it owed nothing."""
    for quota, parts in owed:
        found = [o for part in parts if (o := quotas.owed(quota, unit, part)) is not None]
        if any(o.need for o in found):
            yield QuotaState(
                quota.id,
                sum(o.need for o in found),
                sum(o.got for o in found),
                sum(o.missing for o in found),
                quota.remark_only,
            )


def _within(unit: Unit, period: Period) -> bool:
    return (unit.start is None or unit.start <= period.last) and (
        unit.end is None or unit.end >= period.first
    )
