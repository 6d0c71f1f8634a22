"""The tasks of a ledger, out of the events that gave and finished them.

A task is one unit's: what several units were given together, each of them finishes. Given anew
after it was finished, it is open again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from mailbot.core.rules.events import Event, EventKind, Outcome, units_of
from mailbot.core.rules.scorebook import LedgerTask


def settled(events: Sequence[Event], ledger: Sequence[LedgerTask] = ()) -> Sequence[Event]:
    """The events, with every finished task on time or late where nobody said which.

    The due day is that of the giving before it, else the plan's. A task without a due day is never
    late. A finished task that nobody gave is left as it is: whether it was late cannot be known.
    """
    if not any(e.kind is EventKind.TASK_DONE and e.outcome is None for e in events):
        return events
    tasks = TaskTable(events, ledger)
    return [
        replace(e, outcome=tasks.outcome(e))
        if e.kind is EventKind.TASK_DONE and e.outcome is None
        else e
        for e in events
    ]


@dataclass(frozen=True, slots=True)
class OpenTask:
    given: Event
    due: date | None


class TaskTable:
    """Who was given which task, and when it was finished."""

    def __init__(self, events: Iterable[Event], ledger: Sequence[LedgerTask] = ()) -> None:
        self._due = {t.id: t.due for t in ledger}
        self._given: dict[tuple[str, str], list[Event]] = {}
        self._done: dict[tuple[str, str], date] = {}
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Events of other kinds are passed over."""
        if event.kind is EventKind.TASK:
            for unit in units_of(event):
                givings = self._given.setdefault((unit, event.item), [])
                givings.insert(bisect_right(givings, event.day, key=lambda g: g.day), event)
        elif event.kind is EventKind.TASK_DONE:
            for unit in units_of(event):
                key = (unit, event.item)
                self._done[key] = max(event.day, self._done.get(key, event.day))

    def outcome(self, done: Event) -> Outcome | None:
        givings = self._given.get((done.unit, done.item))
        if not givings:
            return None
        # One that stands after its own end in the books is a slip of dates, not another task.
        given = givings[max(bisect_right(givings, done.day, key=lambda g: g.day) - 1, 0)]
        due = self._due_of(given)
        return Outcome.LATE if due is not None and done.day > due else Outcome.ON_TIME

    def open(self) -> dict[str, list[OpenTask]]:
        """By unit, in the order they were first given."""
        found: dict[str, list[OpenTask]] = {}
        for (unit, item), givings in self._given.items():
            done, last = self._done.get((unit, item)), givings[-1]
            if done is None or done < last.day:
                found.setdefault(unit, []).append(OpenTask(last, self._due_of(last)))
        return found

    def _due_of(self, given: Event) -> date | None:
        return given.due or self._due.get(given.item)
