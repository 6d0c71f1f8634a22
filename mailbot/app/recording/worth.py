"""What an office's rules make of an entry before it is kept: do they reach back to its day, do they
speak of such an event at all, which of its facts do they tell apart, does a line give it points.

Pure. Nothing here books points; `core.rules.ledger` does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from mailbot.core.duties.model import DutyKind
from mailbot.core.rules.basis import NoRuleInForce, in_force
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import NAMES, Event, EventKind, Match, Outcome, units_of
from mailbot.core.rules.kinds import Joint, Ladder, Manual, Measure, Multiplier, Points, Zeroing
from mailbot.core.rules.ledger import post
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import ColumnCount, ListKind, OrderBy
from mailbot.core.rules.tasktable import settled
from mailbot.core.rules.versions import book_start

DISTINGUISHED = ("form", "level", "urgent_major", "major", "serious", "bad_effect", "forecast")
"""Facts with a silent default that must be said where a rule tells them apart: the default would
otherwise decide over points."""


def check_start(book: OfficeBook, kind: EventKind, day: date) -> None:
    """Raises `NoRuleInForce` for a day before the office's rules begin."""
    start = book_start(book)
    if start is not None and day < start:
        raise NoRuleInForce(book.info.id, f"规则（{NAMES[kind.value]}）", day)


def single_points(book: OfficeBook, event: Event, as_of: date) -> list[Entry]:
    """What the event gives taken alone. Raises `NoRuleInForce` where a rule speaks of its kind but
    no line of it matches, and whatever else the ledger refuses."""
    if event.kind is EventKind.TASK_DONE:
        event = replace(event, outcome=Outcome.ON_TIME)  # from its due day, once it is in the books
    # Nobody else's shortages need be reckoned: most of the time of a large import.
    entries = post(book.only(units_of(event)), [event], event.day, event.day, as_of)
    return [e for e in entries if event.id in e.events]


def shares_matter(book: OfficeBook, event: Event) -> bool:
    """Does a rule in force that speaks of the event share its points by hand?"""
    return any(
        values.joint is Joint.HAND and any(line.match(event) for line in values.lines)
        for values in _values(book, event.day)
        if isinstance(values, Points)
    )


def year_entries(
    book: OfficeBook, events: list[Event], unit: str, day: date, as_of: date
) -> list[Entry]:
    """The unit's entries of the calendar year: the longest that any limit looks."""
    year = Period.of(PeriodKind.YEAR, day)
    known = settled(events, book.scoring.tasks)
    return [
        e for e in post(book.only({unit}), known, year.first, year.last, as_of) if e.unit == unit
    ]


def distinguished(book: OfficeBook, event: Event, unsaid: Collection[str]) -> frozenset[str]:
    """Which of `DISTINGUISHED`, as far as nobody said them, something in force on the event's day
    tells apart for an event like this one."""
    open_ = [name for name in DISTINGUISHED if name in unsaid]
    found: set[str] = set()
    for match in matches_on(book, event.day):
        asked = [name for name in open_ if getattr(match, name) not in (None, ())]
        if asked and replace(match, **{n: _ANY[n] for n in asked})(event):
            found.update(asked)
    return frozenset(found)


_ANY: dict[str, Any] = {f.name: f.default for f in fields(Match)}


def speaks_of(book: OfficeBook, kind: EventKind, day: date) -> bool:
    """Does any rule, quota, list or column in force on the day look at events of the kind?"""
    return kind in _spoken(book, day)


def _spoken(book: OfficeBook, day: date) -> Iterator[EventKind]:
    yield from (match.event for match in matches_on(book, day))
    yield EventKind.SUBMISSION  # every table counts them
    yield EventKind.ADOPTION
    if book.quotas:
        yield EventKind.STATUS  # a suspended unit owes nothing
    if any(letter.kind is DutyKind.COMMISSIONS for letter in book.letters.letters):
        yield EventKind.ASSIGNMENT  # reminders of it
    yield from _by_rule(book, day)
    yield from _by_tables(book, day)


def _by_rule(book: OfficeBook, day: date) -> Iterator[EventKind]:
    for values in _values(book, day):
        match values:
            case Manual():
                yield EventKind.MANUAL
            case Points(lines=lines) if any(line.excused_by for line in lines):
                yield EventKind.EXPLANATION
            case Ladder(excused_by=excused) | Zeroing(excused_by=excused) if excused:
                yield EventKind.EXPLANATION
            case Ladder(measure=Measure.ADOPTION_RATE):
                yield EventKind.ADOPTION


def _by_tables(book: OfficeBook, day: date) -> Iterator[EventKind]:
    ranking = in_force(book.scoring.rankings, day)
    if ranking is not None:
        if OrderBy.ADOPTED in ranking.order:
            yield EventKind.ADOPTION
        if any(c.count is ColumnCount.OPEN for c in ranking.columns):
            yield from (EventKind.TASK, EventKind.TASK_DONE)
    for rule in book.scoring.lists:
        version = in_force(rule.versions, day)
        if version is None or version.repealed:
            continue
        if rule.kind is ListKind.MENTIONED:
            yield EventKind.MENTION
        if rule.kind is ListKind.OVERDUE:
            yield from (EventKind.TASK, EventKind.TASK_DONE)


def matches_on(book: OfficeBook, day: date) -> Iterator[Match]:
    """Everything in force on the day that tells one event from another."""
    for values in _values(book, day):
        match values:
            case Points(lines=lines):
                yield from (line.match for line in lines)
            case Multiplier(matches=matches) | Ladder(matches=matches) | Zeroing(matches=matches):
                yield from matches
    for quota in book.quotas:
        if (owed := in_force(quota.versions, day)) is not None:
            yield from owed.counts
    if (ranking := in_force(book.scoring.rankings, day)) is not None:
        for column in ranking.columns:
            yield from (*column.matches, *column.less)
    for rule in book.scoring.lists:
        if (listed := in_force(rule.versions, day)) is not None and not listed.repealed:
            yield from listed.matches


def _values(book: OfficeBook, day: date) -> Iterator[object]:
    for rule in book.scoring.rules:
        version = in_force(rule.versions, day)
        if version is not None and version.values is not None:
            yield version.values


@dataclass(frozen=True, slots=True)
class Change:
    """What an entry changed in the books: entries that are there now, and those that are not."""

    added: tuple[Entry, ...] = ()
    gone: tuple[Entry, ...] = ()


def difference(before: list[Entry], after: list[Entry]) -> Change:
    """As between two multisets, in their order."""
    left = list(after)
    gone = []
    for entry in before:
        if entry in left:
            left.remove(entry)
        else:
            gone.append(entry)
    return Change(tuple(left), tuple(gone))
