"""What bounds or passes on the points of a period: `cap`, `floor`, `zeroing`, `conversion`.

They look at what was booked before them. What they change they book as an entry of their own:
nobody's entry disappears. A cap and a zeroing hold at every moment, so they book on the day they
bite, and a month looked at by itself is right whenever it is looked at; a floor is judged at its
period's end, of a running one as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import TypeVar

from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event
from mailbot.core.rules.kinds import Cap, Conversion, Floor, Rule, Version, Zeroing
from mailbot.core.rules.matching import Matcher
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.reckoning.frame import Frame, governing, rounded
from mailbot.core.rules.reckoning.sheet import ZERO, Sheet
from mailbot.core.rules.reckoning.words import short

L = TypeVar("L", Cap, Floor, Zeroing, Conversion)


def book_cap(rule: Rule, frame: Frame, sheet: Sheet) -> None:
    """What of the named rules goes beyond the limits, back, on the day it does. Caps on nothing but
    these rules count with them, so that a yearly cap sees what a monthly one has left."""
    page, days = sheet.open(rule, changes=_named(rule, Cap)), cache(sheet.days)
    for version, cap, period in _governed(rule, frame, Cap):
        of_units = days(period.kind, sheet.with_changes(cap.rules)).get(period.first, {})
        for unit, by_day in of_units.items():
            for day, total, back in _held(by_day, partial(_capped, cap)):
                limit = f"最多 {plain(cap.most)}" if back < 0 and cap.most is not None else ""
                if not limit and cap.least is not None:
                    limit = f"最少 {plain(cap.least)}"
                text = f"{rule.name}：{short(period)}累计 {plain(total)} 分，{limit or '不受限'} 分"
                page.append(_entry(rule, version, unit, day, back, text))


def _capped(cap: Cap, _day: date, total: Decimal) -> Decimal:
    if cap.most is not None:
        total = min(total, cap.most)
    return total if cap.least is None else max(total, cap.least)


def _held(
    by_day: Mapping[date, Decimal], limited: Callable[[date, Decimal], Decimal]
) -> Iterator[tuple[date, Decimal, Decimal]]:
    """The days on which something has to be booked back, so that the running total is always what
    the limit makes of it: the day, the total without the limit, and what to book."""
    total = held = ZERO
    for day in sorted(by_day):
        points = by_day[day]
        total += points
        now = limited(day, total)
        if now - held != points:
            yield day, total, now - held - points
        held = now


def book_floor(rule: Rule, frame: Frame, sheet: Sheet) -> None:
    """What the named deductions take beyond the floor, back: with D their sum and X the total
    without them only min(D, max(X - at, 0)) counts."""
    page, sums = sheet.open(rule, changes=_named(rule, Floor)), cache(sheet.sums)
    for version, floor, period in _governed(rule, frame, Floor):
        day = min(period.last, frame.as_of)
        if day > frame.horizon:
            continue
        named = sheet.with_changes(floor.rules)
        of = sheet.with_changes(floor.of) - named if floor.of else None
        totals = sums(period.kind, of).get(period.first, {})
        for unit, points in sums(period.kind, named).get(period.first, {}).items():
            deducted = -points
            others = totals.get(unit, ZERO) - (ZERO if floor.of else points)
            counted = min(deducted, max(others - floor.at, ZERO))
            if counted < deducted:
                text = (
                    f"{rule.name}：{short(period)}应扣 {plain(deducted)} 分，"
                    f"扣至 {plain(floor.at)} 分为止，实扣 {plain(counted)} 分"
                )
                page.append(_entry(rule, version, unit, day, deducted - counted, text))


def book_zeroing(rule: Rule, frame: Frame, sheet: Sheet) -> None:
    """Takes what a unit has, from the day on which enough has happened in the period."""
    page, days = sheet.open(rule), cache(sheet.days)
    for version, zeroing, period in _governed(rule, frame, Zeroing):
        of_unit = frame.by_unit(Matcher(zeroing.matches), period, zeroing.excused_by)
        by_units = days(period.kind, None).get(period.first, {}) if of_unit else {}
        for unit, events in of_unit.items():
            since = _enough(events, zeroing.at_least)
            if since is None or since > frame.horizon:
                continue
            ids = tuple(event.id for event in events)
            by_day = {since: ZERO, **by_units.get(unit, {})}
            for day, total, back in _held(by_day, partial(_zeroed, since)):
                what = f"{zeroing.at_least} 次，{plain(total)} 分清零" if day == since else "已清零"
                text = f"{rule.name}：{short(period)} {what}"
                page.append(_entry(rule, version, unit, day, back, text, ids))


def _zeroed(since: date, day: date, total: Decimal) -> Decimal:
    return total if day < since else min(total, ZERO)


def _enough(events: Sequence[Event], number: int) -> date | None:
    """The day of the `number`-th; None where there are fewer."""
    so_far = 0
    for event in events:
        so_far += event.times
        if so_far >= number:
            return event.day
    return None


def book_conversions(rules: list[Rule], frame: Frame, sheet: Sheet) -> None:
    """Passes points on to the recommending unit, at most one step: what a unit was itself passed
    on does not go further."""
    booked = [(rule, list(_converted(rule, frame, sheet))) for rule in rules]
    for rule, entries in booked:
        sheet.open(rule).extend(entries)


def _converted(rule: Rule, frame: Frame, sheet: Sheet) -> Iterator[Entry]:
    sums = cache(sheet.sums)
    for version, conversion, period in _governed(rule, frame, Conversion):
        day = min(period.last, frame.as_of)
        if conversion.factor is None or day > frame.horizon:
            continue
        totals = sums(period.kind).get(period.first, {})
        for unit in frame.book.roster.units:
            points = rounded(totals.get(unit.id, ZERO) * conversion.factor)
            if not points or not unit.recommender:
                continue
            if not conversion.groups or unit.group_on(day) in conversion.groups:
                text = (
                    f"{rule.name}：{unit.name}{short(period)} {plain(totals[unit.id])} 分，"
                    f"按 {plain(conversion.factor)} 折算"
                )
                yield _entry(rule, version, unit.recommender, day, points, text)


def _governed(rule: Rule, frame: Frame, values: type[L]) -> Iterator[tuple[Version, L, Period]]:
    """The periods that the rule judges, each with its version. The shorter come first: where a
    version changes from months to quarters, the quarter sees what they left."""
    kinds = {v.values.period for v in rule.versions if isinstance(v.values, values)}
    for kind in (k for k in PeriodKind if k in kinds):
        for period in frame.periods(kind):
            version = governing(rule, period.last, values)
            if version is not None and version[1].period is kind:
                yield version[0], version[1], period


def _named(rule: Rule, values: type[Cap] | type[Floor]) -> set[str]:
    """The rules that any version names."""
    found = (v.values.rules for v in rule.versions if isinstance(v.values, values))
    return {rule_id for rules in found for rule_id in rules}


def _entry(
    rule: Rule,
    version: Version,
    unit: str,
    day: date,
    points: Decimal,
    text: str,
    events: tuple[str, ...] = (),
) -> Entry:
    return Entry(
        unit=unit,
        day=day,
        rule=rule.id,
        version=version.start,
        points=points,
        document=version.basis.document,
        clause=version.basis.clause,
        text=text,
        events=events,
    )
