"""When a letter is due: its stages counted in working days from a period's end or a due day.

Every function gives the occurrences due in `since` < due <= `until`, earliest first, so that time
cut into ticks anyhow has each of them exactly once. What is due depends on the calendar alone;
whether it was done, and what is made up for, is decided elsewhere (`catchup`).

Where a period has hardly a working day (Spring Festival, 国庆):

* A stage counted back beyond the period's first day is due on the first working day in it.
* Stages that fall on one day that way (also -1 and 0 where the last day is a working day) are due
  together, at the latest of their hours: the later stage then stands for all of them.
* A period without any working day has those stages on the last working day before it; `catchup`
  passes reminders of it over, because nobody is reminded of what has not begun.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

from mailbot.core.duties.model import DutyKind, LetterRule, Stage
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.rules.periods import (
    LONGEST_BREAK,
    OFFICE_ZONE,
    Period,
    PeriodKind,
    WorkingDay,
    day_of,
    working_days_after,
)

_DAY = timedelta(days=1)


def stage_day(days: int, end: date, is_working_day: WorkingDay) -> date:
    """The day `days` working days from `end` (`Stage.days`).

    Raises ValueError where the calendar knows no working day for two months."""
    if days >= 0:
        return working_days_after(end, days, is_working_day)
    day, left, idle = end, -days, 0
    while True:
        if is_working_day(day):
            left, idle = left - 1, 0
            if not left:
                return day
        else:
            idle += 1
            if idle > LONGEST_BREAK:
                raise ValueError(f"no working day in the {LONGEST_BREAK} days after {day}")
        day -= _DAY


def of_periods(
    office: str,
    rule: LetterRule,
    kind: PeriodKind,
    since: datetime,
    until: datetime,
    is_working_day: WorkingDay,
) -> list[Occurrence]:
    """A letter about each period of the kind. A REMINDER is worth nothing once the period is over, a
    RESULT once the next one is; anything else can be done late. Raises ValueError for a REMINDER due
    after its period."""
    if rule.kind is DutyKind.REMINDER and any(s.days > 0 for s in rule.stages):
        raise ValueError(f"{rule.id}: a reminder after the period is over")
    first_day, last_day = max(day_of(since), rule.start), day_of(until)
    found = []
    for period in _periods_around(rule, kind, first_day, last_day, is_working_day):
        days = _days(rule, period.last, is_working_day, period.first)
        for stage, due in _moments(rule, days):
            if since < due <= until and day_of(due) >= rule.start:
                over = _over(rule, period, due)
                found.append(Occurrence(office, rule, period.code, stage, due, over, period))
    return sorted(found, key=_order)


def _over(rule: LetterRule, period: Period, due: datetime) -> datetime | None:
    match rule.kind:
        case DutyKind.REMINDER:
            return _midnight(period.last + _DAY)
        case DutyKind.RESULT:  # its own day it always has
            return _midnight(max(period.next().last, day_of(due)) + _DAY)
    return None


def of_due_days(
    office: str,
    rule: LetterRule,
    due_days: Iterable[date],
    since: datetime,
    until: datetime,
    is_working_day: WorkingDay,
) -> list[Occurrence]:
    """A letter about each of the days on which something falls due (tasks, commissions). A stage
    before that day is worth nothing after it."""
    found = []
    for end in sorted(set(due_days)):
        for stage, due in _moments(rule, _days(rule, end, is_working_day)):
            if since < due <= until and day_of(due) >= rule.start:
                over = _midnight(end + _DAY) if stage.days < 0 else None
                found.append(Occurrence(office, rule, end.isoformat(), stage, due, over))
    return sorted(found, key=_order)


def of_working_days(
    office: str, rule: LetterRule, since: datetime, until: datetime, is_working_day: WorkingDay
) -> list[Occurrence]:
    """A letter each working day (the digest), worth nothing on the next."""
    found = []
    day, last = max(day_of(since), rule.start), day_of(until)
    while day <= last:
        if is_working_day(day):
            for stage in rule.stages:
                due = _at(day, stage.at)
                if since < due <= until:
                    over = _midnight(day + _DAY)
                    found.append(Occurrence(office, rule, day.isoformat(), stage, due, over))
        day += _DAY
    return sorted(found, key=_order)


def of_weeks(
    office: str, rule: LetterRule, since: datetime, until: datetime, is_working_day: WorkingDay
) -> list[Occurrence]:
    """A letter on the first working day of each ISO week (weekly news), worth nothing in the next
    week. A week without a working day has none: what it would have told, the next one tells."""
    found = []
    week, last = Period.of(PeriodKind.WEEK, day_of(since)), day_of(until)
    while week.first <= last:
        days = (week.first + timedelta(days=n) for n in range(7))
        day = next((d for d in days if is_working_day(d)), None)
        if day is not None and day >= rule.start:
            for stage in rule.stages:
                due, over = _at(day, stage.at), _midnight(week.last + _DAY)
                if since < due <= until:
                    found.append(Occurrence(office, rule, week.code, stage, due, over, week))
        week = week.next()
    return sorted(found, key=_order)


# --- days and moments -------------------------------------------------------------------------


def _periods_around(
    rule: LetterRule, kind: PeriodKind, first: date, last: date, is_working_day: WorkingDay
) -> Iterator[Period]:
    """All that may have a stage between the days: no stage of a later period comes earlier."""
    if not rule.stages or first > last:
        return
    start = Period.of(kind, last)
    after = start
    while min(_days(rule, after.last, is_working_day, after.first).values()) <= last:
        yield after
        after = after.next()
    before = start.previous()
    while max(_days(rule, before.last, is_working_day, before.first).values()) >= first:
        yield before
        before = before.previous()


def _days(
    rule: LetterRule, end: date, is_working_day: WorkingDay, first: date | None = None
) -> dict[Stage, date]:
    """The day of each stage, not before `first` where that can be."""
    days = {stage: stage_day(stage.days, end, is_working_day) for stage in rule.stages}
    if first is None or min(days.values()) >= first:
        return days
    earliest = stage_day(1, first - _DAY, is_working_day)
    if earliest > end:
        earliest = stage_day(-1, first, is_working_day)
    return {stage: max(day, earliest) for stage, day in days.items()}


def _moments(rule: LetterRule, days: dict[Stage, date]) -> Iterator[tuple[Stage, datetime]]:
    for stage in rule.stages:
        together = [s for s in rule.stages if days[s] == days[stage]]
        meant = all(s.days == stage.days for s in together)  # two hours of one day, as set
        yield stage, _at(days[stage], stage.at if meant else max(s.at for s in together))


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, OFFICE_ZONE)


def _midnight(day: date) -> datetime:
    return _at(day, time())


def _order(occurrence: Occurrence) -> tuple[datetime, str, int]:
    return occurrence.due, occurrence.about, occurrence.stage.days
