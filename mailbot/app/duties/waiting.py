"""Tasks and commissions that units were given, which of them wait, and how letters tell of them.

Read from the records: when something was entered decides which reminders it still gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mailbot.app.ports import Reads
from mailbot.app.recording.tell import as_event
from mailbot.app.records import RecordRow
from mailbot.core.duties.model import DutyKind
from mailbot.core.rules.assignments import given_last, open_assignments
from mailbot.core.rules.events import Event, EventKind, units_of
from mailbot.core.rules.quota import in_order
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import LedgerTask
from mailbot.core.rules.tasktable import TaskTable

GIVEN_BY = {DutyKind.TASKS: EventKind.TASK, DutyKind.COMMISSIONS: EventKind.ASSIGNMENT}
"""The event that gives a unit what a letter of the kind is about."""


@dataclass(frozen=True, slots=True)
class Given:
    """A task or commission of one unit, as it was given last."""

    unit: str
    event: Event
    due: date | None
    entered: datetime

    @property
    def key(self) -> tuple[str, str]:
        return self.unit, self.event.id


def given(
    reads: Reads, book: OfficeBook, kind: DutyKind, unit_id: str | None = None
) -> list[Given]:
    """All there are, finished or not, in the order they were given."""
    rows = _live(reads, book, GIVEN_BY[kind], unit_id)
    entered = {f"record:{row.id}": row.at for row in rows}
    events = _events(rows)
    due = {task.id: task.due for task in book.scoring.tasks}
    last = given_last(events) if kind is DutyKind.COMMISSIONS else _tasks_last(events)
    return [
        Given(unit, event, event.due or due.get(event.item), entered[event.id])
        for unit, givings in last.items()
        for event in givings
    ]


def waiting(
    reads: Reads,
    book: OfficeBook,
    kind: DutyKind,
    given_: Sequence[Given],
    today: date,
    unit_id: str | None = None,
) -> list[Given]:
    """Those that are not finished. `given_`: all of the office, or of the unit."""
    if not given_:
        return []
    if kind is DutyKind.TASKS:
        rows = [
            *_live(reads, book, EventKind.TASK, unit_id),
            *_live(reads, book, EventKind.TASK_DONE, unit_id),
        ]
        found = TaskTable((e for e in _events(rows) if e.day <= today), book.scoring.tasks).open()
    else:
        # From the first one on, so that what was finished is never taken for another's end.
        first = min(g.event.day for g in given_)
        office = book.info.id
        if unit_id is None:
            events = reads.bulk_events(office, first, today, (), by_item=False)
        else:
            events = reads.unit_events(office, first, today, unit_id)
        found = open_assignments(events)
    still = {(unit, task.given.id) for unit, tasks in found.items() for task in tasks}
    return [g for g in given_ if g.key in still]


def unassigned(book: OfficeBook, given_: Iterable[Given]) -> list[LedgerTask]:
    """Tasks of the ledger with a due day that nobody was given."""
    known = {g.event.item for g in given_}
    return [task for task in book.scoring.tasks if task.due is not None and task.id not in known]


def _tasks_last(events: Iterable[Event]) -> dict[str, list[Event]]:
    found: dict[str, dict[str, Event]] = {}
    for event in sorted(events, key=in_order):
        for unit in units_of(event):
            found.setdefault(unit, {})[event.item] = event
    return {unit: list(tasks.values()) for unit, tasks in found.items()}


def _live(reads: Reads, book: OfficeBook, kind: EventKind, unit_id: str | None) -> list[RecordRow]:
    rows = reads.records(book.info.id, kind=kind, unit_id=unit_id)
    return [row for row in rows if row.new.reverses is None and row.reversed_by is None]


def _events(rows: Iterable[RecordRow]) -> list[Event]:
    return [as_event(row.new, f"record:{row.id}") for row in rows]
