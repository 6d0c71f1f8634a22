"""When tasks and commissions are reminded of: by the stages before and after their due day.

What was entered after a stage had passed still gets it, together with whatever else was entered in
that hour, unless the next stage comes on the same day. Such a round is about the due day and that
hour: `2026-12-31+2026-12-28T10`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from mailbot.app.duties.waiting import Given
from mailbot.core.duties.model import LetterRule
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.duties.schedule import of_due_days
from mailbot.core.rules.periods import OFFICE_ZONE, WorkingDay, day_of

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LATE = "+"
"""Between the due day and the hour of entering."""
_EVER = datetime(1, 1, 2, tzinfo=OFFICE_ZONE), datetime(9999, 12, 30, tzinfo=OFFICE_ZONE)


@dataclass(frozen=True, slots=True)
class Firing:
    """One round, and what it is about."""

    occurrence: Occurrence
    given: tuple[Given, ...]


def due_day(about: str) -> date:
    """Raises ValueError for what is not an `about` of these rounds."""
    return date.fromisoformat(about.partition(LATE)[0])


def firings(
    office: str,
    rule: LetterRule,
    given: Iterable[Given],
    others: Iterable[date],
    is_working_day: WorkingDay,
) -> Iterator[Firing]:
    """Every round there is for what was given; `others` are due days of tasks that nobody was."""
    by_day: dict[date, list[Given]] = {day: [] for day in others}
    unassigned = set(by_day)
    for one in given:
        if one.due is not None:
            by_day.setdefault(one.due, []).append(one)
    for due, ones in by_day.items():
        stages = of_due_days(office, rule, [due], *_EVER, is_working_day)
        for stage in stages:
            known = tuple(one for one in ones if one.entered <= stage.due)
            if known or due in unassigned:
                yield Firing(stage, known)
        yield from _late(due, ones, [s for s in stages if s.stage.days <= 0])


def _late(due: date, ones: Sequence[Given], stages: Sequence[Occurrence]) -> Iterator[Firing]:
    """Of what was entered after a stage, the last such stage, in the hour after it was entered."""
    found: dict[str, Firing] = {}
    for one in ones:
        passed = [s for s in stages if s.due < one.entered]
        at = _next_hour(one.entered)
        following = stages[len(passed)] if len(passed) < len(stages) else None
        too_late = day_of(at) > due
        if not passed or too_late or (following and day_of(following.due) <= day_of(at)):
            continue
        over = datetime.combine(due + DAY, time(), OFFICE_ZONE)
        occurrence = replace(
            passed[-1],
            about=f"{due.isoformat()}{LATE}{at:%Y-%m-%dT%H}",
            due=at,
            until=following.due if following else over,
        )
        before = found.get(occurrence.key, Firing(occurrence, ()))
        found[occurrence.key] = Firing(occurrence, (*before.given, one))
    yield from found.values()


def _next_hour(moment: datetime) -> datetime:
    """The full hour at or after the moment, in office time."""
    here = moment.astimezone(OFFICE_ZONE)
    hour = here.replace(minute=0, second=0, microsecond=0)
    return hour if hour == here else hour + HOUR
