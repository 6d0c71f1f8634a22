"""What bounds or passes on the points of a period: `cap`, `floor`, `zeroing`, `conversion`.

They look at what was booked before them, and at a running period as it stands. What they change
they book as an entry of their own: nobody's entry disappears.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TypeVar

from mailbot.core.rules.entries import Entry
from mailbot.core.rules.kinds import Cap, Conversion, Floor, Rule, Version, Zeroing
from mailbot.core.rules.matching import Matcher
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.reckoning.frame import Frame, governing, rounded
from mailbot.core.rules.reckoning.sheet import ZERO, Sheet
from mailbot.core.rules.reckoning.words import plain, short

L = TypeVar("L", Cap, Floor, Zeroing, Conversion)


def book_cap(rule: Rule, frame: Frame, sheet: Sheet) -> None:
    """The surplus of the named rules, back. Caps and factors on nothing but these rules count with
    them, so that a yearly cap sees what a monthly one has left."""
    page, sums = sheet.open(rule, changes=_named(rule, Cap)), cache(sheet.sums)
    for version, cap, period, day in _governed(rule, frame, Cap):
        named = sheet.with_changes(cap.rules)
        for unit, points in sums(period.kind, named).get(period.first, {}).items():
            if points > cap.most:
                text = (
                    f"{rule.name}：{short(period)}计 {plain(points)} 分，最多 {plain(cap.most)} 分"
                )
                page.append(_entry(rule, version, unit, day, cap.most - points, text))


def book_floor(rule: Rule, frame: Frame, sheet: Sheet) -> None:
    """What the named deductions take beyond the floor, back: with D their sum and X the total
    without them only min(D, max(X - at, 0)) counts."""
    page, sums = sheet.open(rule, changes=_named(rule, Floor)), cache(sheet.sums)
    for version, floor, period, day in _governed(rule, frame, Floor):
        named = sheet.with_changes(floor.rules)
        totals = sums(period.kind).get(period.first, {})
        for unit, points in sums(period.kind, named).get(period.first, {}).items():
            deducted = -points
            others = totals.get(unit, ZERO) - points
            counted = min(deducted, max(others - floor.at, ZERO))
            if counted < deducted:
                text = (
                    f"{rule.name}：{short(period)}应扣 {plain(deducted)} 分，"
                    f"扣至 {plain(floor.at)} 分为止，实扣 {plain(counted)} 分"
                )
                page.append(_entry(rule, version, unit, day, deducted - counted, text))


def book_zeroing(rule: Rule, frame: Frame, sheet: Sheet) -> None:
    """Takes what a unit has, once enough has happened in the period."""
    page, sums = sheet.open(rule), cache(sheet.sums)
    for version, zeroing, period, day in _governed(rule, frame, Zeroing):
        of_unit = frame.by_unit(Matcher(zeroing.matches), period, zeroing.excused_by)
        totals = sums(period.kind).get(period.first, {}) if of_unit else {}
        for unit, events in of_unit.items():
            number, total = sum(event.times for event in events), totals.get(unit, ZERO)
            if number >= zeroing.at_least and total > 0:
                text = f"{rule.name}：{short(period)} {number} 次，{plain(total)} 分清零"
                ids = tuple(event.id for event in events)
                page.append(_entry(rule, version, unit, day, -total, text, ids))


def book_conversions(rules: list[Rule], frame: Frame, sheet: Sheet) -> None:
    """Passes points on to the recommending unit, at most one step: what a unit was itself passed
    on does not go further."""
    booked = [(rule, list(_converted(rule, frame, sheet))) for rule in rules]
    for rule, entries in booked:
        sheet.open(rule).extend(entries)


def _converted(rule: Rule, frame: Frame, sheet: Sheet) -> Iterator[Entry]:
    sums = cache(sheet.sums)
    for version, conversion, period, day in _governed(rule, frame, Conversion):
        if conversion.factor is None:
            continue
        totals = sums(period.kind).get(period.first, {})
        for unit in frame.book.roster.units:
            points = rounded(totals.get(unit.id, ZERO) * conversion.factor)
            if not points or not unit.recommender:
                continue
            if not conversion.groups or unit.group in conversion.groups:
                text = (
                    f"{rule.name}：{unit.name}{short(period)} {plain(totals[unit.id])} 分，"
                    f"按 {plain(conversion.factor)} 折算"
                )
                yield _entry(rule, version, unit.recommender, day, points, text)


def _governed(
    rule: Rule, frame: Frame, values: type[L]
) -> Iterator[tuple[Version, L, Period, date]]:
    """The periods that the rule judges, each with its version and the day it is booked. The shorter
    come first: where a version changes from months to quarters, the quarter sees what they left."""
    kinds = {v.values.period for v in rule.versions if isinstance(v.values, values)}
    for kind in (k for k in PeriodKind if k in kinds):
        for period, day in frame.current(kind):
            version = governing(rule, period.last, values)
            if version is not None and version[1].period is kind:
                yield version[0], version[1], period, day


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
