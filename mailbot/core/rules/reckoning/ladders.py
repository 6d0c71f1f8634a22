"""Steps by what a whole period came to (`ladder`): missing items, events, rates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event, EventKind, Match
from mailbot.core.rules.kinds import Ladder, Measure, Rule, Step, Version
from mailbot.core.rules.matching import Matcher
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.periods import Period
from mailbot.core.rules.quota import Owed
from mailbot.core.rules.reckoning.frame import Frame, governing, rounded
from mailbot.core.rules.reckoning.sheet import Sheet
from mailbot.core.rules.reckoning.words import short
from mailbot.core.subject.roster import Unit


class _Measured(NamedTuple):
    value: Fraction
    text: str
    events: tuple[str, ...] = ()


_Measuring = Callable[[Unit], _Measured | None]
"""None: there is nothing to measure, so no step holds."""


def book_ladder(rule: Rule, frame: Frame, sheet: Sheet) -> None:
    """Once per unit and period that is over, the first step that holds."""
    page = sheet.open(rule)
    kinds = {v.values.period for v in rule.versions if isinstance(v.values, Ladder)}
    for kind in kinds:
        for period in frame.past(kind):
            found = governing(rule, period.last, Ladder)
            if found is not None and found[1].period is kind and found[1].steps:
                page.extend(_steps(rule, *found, period, frame))


def _steps(
    rule: Rule, version: Version, ladder: Ladder, period: Period, frame: Frame
) -> Iterator[Entry]:
    measure = _MEASURES[ladder.measure](ladder, period, frame)
    for unit in frame.serving(ladder.groups, period):
        measured = measure(unit)
        step = None if measured is None else _first_step(ladder, measured.value)
        if measured is None or step is None:
            continue
        yield Entry(
            unit=unit.id,
            day=period.last,
            rule=rule.id,
            version=version.start,
            points=step.points,
            document=version.basis.document,
            clause=step.clause,
            text=f"{rule.name}：{short(period)}{measured.text}",
            events=measured.events,
        )


def _first_step(ladder: Ladder, value: Fraction) -> Step | None:
    for step in ladder.steps:
        above = step.at_least is None or Fraction(step.at_least) <= value
        if above and (step.below is None or value < Fraction(step.below)):
            return step
    return None


def _missing(ladder: Ladder, period: Period, frame: Frame) -> _Measuring:
    def measure(unit: Unit) -> _Measured | None:
        owed = _owed(ladder, unit, period, frame)
        if not owed:
            return None
        missing = sum(one.missing for one in owed)
        name = frame.quota(ladder.quota).name
        return _Measured(Fraction(missing), f"少报{name} {missing} 条")

    return measure


def _completion_rate(ladder: Ladder, period: Period, frame: Frame) -> _Measuring:
    def measure(unit: Unit) -> _Measured | None:
        owed = _owed(ladder, unit, period, frame)
        need, got = sum(one.need for one in owed), sum(one.got for one in owed)
        if not need:
            return None
        name = frame.quota(ladder.quota).name
        rate = Fraction(got * 100, need)
        return _Measured(rate, f"报送{name} {got} 条，任务 {need} 条，完成率 {_percent(rate)}")

    return measure


def _owed(ladder: Ladder, unit: Unit, period: Period, frame: Frame) -> list[Owed]:
    quota = frame.quota(ladder.quota)
    found = (frame.quotas.owed(quota, unit, part) for part in period.parts(quota.period))
    return [owed for owed in found if owed is not None]


def _count(ladder: Ladder, period: Period, frame: Frame) -> _Measuring:
    of_unit = frame.by_unit(Matcher(ladder.matches), period, ladder.excused_by)

    def measure(unit: Unit) -> _Measured:
        events = of_unit.get(unit.id, [])
        number = sum(event.times for event in events)
        return _Measured(Fraction(number), f" {number} 次", tuple(e.id for e in events))

    return measure


def _adoption_rate(ladder: Ladder, period: Period, frame: Frame) -> _Measuring:
    sent = frame.by_unit(Matcher([Match(EventKind.SUBMISSION)]), period)
    adopted = frame.by_unit(Matcher([Match(EventKind.ADOPTION)]), period)

    def measure(unit: Unit) -> _Measured | None:
        submitted = sum(event.times for event in sent.get(unit.id, ()))
        if not submitted:
            return None
        items = len({_item(event) for event in adopted.get(unit.id, ())})
        rate = Fraction(items * 100, submitted)
        return _Measured(rate, f"报送 {submitted} 条，采用 {items} 条，采用率 {_percent(rate)}")

    return measure


def _item(event: Event) -> str:
    """An adoption that names no item is of an item of its own."""
    return event.item or f"event:{event.id}"


def _percent(rate: Fraction) -> str:
    return f"{plain(rounded(Decimal(rate.numerator) / rate.denominator))}%"


_MEASURES: dict[Measure, Callable[[Ladder, Period, Frame], _Measuring]] = {
    Measure.MISSING: _missing,
    Measure.COUNT: _count,
    Measure.ADOPTION_RATE: _adoption_rate,
    Measure.COMPLETION_RATE: _completion_rate,
}
