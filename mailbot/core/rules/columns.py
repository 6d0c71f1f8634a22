"""What the tables count for each unit, in one pass over the events.

Joint items count for every unit of theirs. Follow-ups of earlier reports are never counted, except
where a column or list asks for follow-ups. What is worth points is not this module's business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from mailbot.core.rules.events import NEVER_JUDGED, Event, EventKind, Match, units_of
from mailbot.core.rules.matching import Matcher
from mailbot.core.rules.scorebook import Column, ColumnCount, LedgerTask
from mailbot.core.rules.tasktable import TaskTable


def month_number(day: date) -> int:
    """Months counted from year 0, so that a month's neighbours are one apart."""
    return day.year * 12 + day.month - 1


@dataclass(slots=True)
class Distinct:
    """Counts items, each once. Events that name no item stand for items of their own."""

    items: set[str] = field(default_factory=set)
    loose: int = 0

    def add(self, event: Event) -> None:
        if event.item:
            self.items.add(event.item)
        else:
            self.loose += event.times

    @property
    def number(self) -> int:
        return len(self.items) + self.loose


@dataclass(slots=True)
class Times:
    """Counts events, `times` each."""

    number: int = 0

    def add(self, event: Event) -> None:
        self.number += event.times


@dataclass(slots=True)
class Counts:
    """One unit's, of the standings' period; `months` and `changes` reach back as far as the
    events do."""

    columns: tuple[Distinct | Times, ...]
    less: tuple[Distinct | Times, ...]
    submissions: int = 0
    adopted: Distinct = field(default_factory=Distinct)
    journals: defaultdict[str, Distinct] = field(default_factory=lambda: defaultdict(Distinct))
    listed: defaultdict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    """By list id: the events that put the unit there."""
    mentions: defaultdict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    """The same, where a person put it there."""
    months: set[int] = field(default_factory=set)
    """`month_number` of every month with a submission."""
    active: bool = False
    """Something happened in the period."""
    changes: list[date] = field(default_factory=list)
    """Days from which the unit has another status; which, `quota` knows."""


class Tally:
    """Counts of all units from `first` to `last`. Events after `last` are not looked at; earlier
    ones tell of statuses, silent months and tasks that are still open."""

    def __init__(
        self,
        events: Iterable[Event],
        first: date,
        last: date,
        columns: Sequence[Column] = (),
        lists: Sequence[tuple[str, Sequence[Match]]] = (),
        ledger: Sequence[LedgerTask] = (),
    ) -> None:
        """`events` are settled (`tasktable`). `lists`: id and matches of those that name units for
        what happened."""
        self._columns = columns
        self._counting = _by_kind((n, c.matches) for n, c in enumerate(columns))
        self._lessening = _by_kind((n, c.less) for n, c in enumerate(columns))
        self._listing = _by_kind(lists)
        self._units: dict[str, Counts] = {}
        known = [event for event in events if event.day <= last]
        for event in known:
            for unit in units_of(event):
                counts = self.of(unit)
                _remember(counts, event)
                if event.day >= first:
                    self._count(counts, event)
        self.open_tasks = TaskTable((e for e in known if e.kind in _OF_TASKS), ledger).open()

    def of(self, unit: str) -> Counts:
        counts = self._units.get(unit)
        if counts is None:
            counts = self._units[unit] = Counts(self._counters(), self._counters())
        return counts

    def active(self) -> list[str]:
        """Units something happened to in the period, in the order it came."""
        return [unit for unit, counts in self._units.items() if counts.active]

    def columns(self, unit: str) -> tuple[tuple[str, int], ...]:
        """Never below 0: what is taken off may belong to reports of an earlier period."""
        counts = self.of(unit)
        return tuple(
            (
                column.id,
                len(self.open_tasks.get(unit, ()))
                if column.count is ColumnCount.OPEN
                else max(counts.columns[n].number - counts.less[n].number, 0),
            )
            for n, column in enumerate(self._columns)
        )

    def _count(self, counts: Counts, event: Event) -> None:
        if event.kind in NEVER_JUDGED:
            return
        counts.active = True
        kind = event.kind
        if kind is EventKind.SUBMISSION and not event.follow_up:
            counts.submissions += event.times
        elif kind is EventKind.ADOPTION:
            counts.adopted.add(event)
            counts.journals[event.journal].add(event)
        elif kind is EventKind.MENTION:
            counts.mentions[event.rule].append(event)
        for n, about in self._counting.get(kind, ()):
            if about(event):
                counts.columns[n].add(event)
        for n, about in self._lessening.get(kind, ()):
            if about(event):
                counts.less[n].add(event)
        for name, about in self._listing.get(kind, ()):
            if about(event):
                counts.listed[name].append(event)

    def _counters(self) -> tuple[Distinct | Times, ...]:
        return tuple(Distinct() if c.count is ColumnCount.ITEMS else Times() for c in self._columns)


_OF_TASKS = frozenset({EventKind.TASK, EventKind.TASK_DONE})


def _remember(counts: Counts, event: Event) -> None:
    if event.kind is EventKind.SUBMISSION and not event.follow_up:
        counts.months.add(month_number(event.day))
    elif event.kind is EventKind.STATUS:
        counts.changes.append(event.day)


class _About:
    """Do the matches speak of an event? Of a follow-up only those that ask for follow-ups."""

    def __init__(self, matches: Sequence[Match]) -> None:
        self._any = Matcher(matches)
        self._follow_ups = Matcher([m for m in matches if m.follow_up is True])
        self.kinds = self._any.kinds

    def __call__(self, event: Event) -> bool:
        if event.follow_up and event.kind is EventKind.SUBMISSION:
            return self._follow_ups(event)
        return self._any(event)


K = TypeVar("K")


def _by_kind(
    named: Iterable[tuple[K, Sequence[Match]]],
) -> dict[EventKind, list[tuple[K, _About]]]:
    """So that an event is only tried against what may be about it."""
    found: dict[EventKind, list[tuple[K, _About]]] = {}
    for name, matches in named:
        about = _About(matches)
        for kind in about.kinds:
            found.setdefault(kind, []).append((name, about))
    return found
