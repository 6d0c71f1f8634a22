"""From standings and events to what a document can say: numbers, titles, shortfalls, tasks.

One pass or two over the events for all units together. What is worth points, and who stands where,
was decided before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from mailbot.core.documents.material import (
    AdoptedItem,
    Counts,
    Material,
    PlaceThen,
    Printing,
    Progress,
    Shortfall,
    TaskLine,
)
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.entries import Entry, Standings
from mailbot.core.rules.events import Event, EventKind, Outcome, known_on, units_of
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.quota import QuotaBook
from mailbot.core.rules.recorded import since
from mailbot.core.rules.rows import year_start
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Quota
from mailbot.core.rules.tasktable import TaskTable, settled
from mailbot.core.subject.roster import Unit

PLACES = 4
"""Periods of which places are told, this one included."""
_COURSE = (PeriodKind.MONTH, PeriodKind.QUARTER)
"""Quotas of these periods make a year's course."""


def events_from(period: Period) -> date:
    """How far back the events must reach: to January, and to the period before."""
    return min(year_start(period), period.previous().first)


def material_of(
    book: OfficeBook,
    events: Sequence[Event],
    standings: Standings,
    earlier: Sequence[Standings] = (),
    conversions: Sequence[Entry] = (),
    *,
    began: date | None = None,
) -> Material:
    """`standings` are the period's, `earlier` those of sealed periods of its kind before it. Of a
    sealed period only what was known then is told: what came later is a correction of another.
    `began`: from when on anything was recorded here; nothing is told of what was over before.
    Raises `NoRuleInForce` as the standings do."""
    period, as_of = standings.period, standings.as_of
    before, end = period.previous(), min(period.last, as_of)
    if standings.sealed:
        events = known_on(events, as_of)
    events = settled(events, book.scoring.tasks)
    owed = QuotaBook(since(book, began), events, as_of)
    then = _counts(book, events, before.first, before.last)
    return Material(
        standings=standings,
        counts=_counts(book, events, period.first, end),
        before=then if then.submissions or then.adopted else None,
        adopted=tuple(_adopted(book, events, period.first, end)),
        shortfalls=tuple(_shortfalls(book, owed, period, as_of, standings)),
        tasks=tuple(_tasks(book, events, period, as_of)),
        conversions=tuple(conversions),
        progress=_progress(book, owed, events, period, as_of, began or date.min),
        places=_places(standings, earlier),
        began=began,
    )


# --- the period in numbers


def _counts(book: OfficeBook, events: Iterable[Event], first: date, last: date) -> Counts:
    """As the standings count, but a joint item once."""
    submissions = 0
    units: set[str] = set()
    adopted: set[str] = set()
    instructed: set[str] = set()
    journals: dict[str, set[str]] = {}
    for event in events:
        if not first <= event.day <= last:
            continue
        if event.kind is EventKind.SUBMISSION and not event.follow_up:
            submissions += event.times
            units.update(units_of(event))
        elif event.kind is EventKind.ADOPTION:
            # What names no item stands for one of its own, or for several alike.
            same = [event.item] if event.item else [f"{event.id}#{n}" for n in range(event.times)]
            adopted.update(same)
            journals.setdefault(event.journal, set()).update(same)
        elif event.kind is EventKind.INSTRUCTION:
            instructed.add(event.item or event.id)
    order = [j.id for j in sorted(book.scoring.journals, key=lambda j: -j.rank)]
    order += sorted(journals.keys() - set(order))
    return Counts(
        submissions=submissions,
        adopted=len(adopted),
        journals=tuple((j, len(journals[j])) for j in order if j in journals),
        instructed=len(instructed),
        units=len(units),
    )


def _adopted(
    book: OfficeBook, events: Iterable[Event], first: date, last: date
) -> Iterator[AdoptedItem]:
    """Each item once, with all its units and journals."""
    of_item: dict[str, list[Event]] = {}
    for event in events:
        if event.kind is EventKind.ADOPTION and first <= event.day <= last:
            of_item.setdefault(event.item or event.id, []).append(event)
    order = _roster_order(book)
    found = []
    for adoptions in of_item.values():
        adoptions.sort(key=lambda e: (e.day, len(e.id), e.id))
        units = dict.fromkeys(u for e in adoptions for u in units_of(e))
        printings = dict.fromkeys(Printing(e.journal, e.form, e.day) for e in adoptions)
        title = next((e.title for e in adoptions if e.title), "")
        found.append(AdoptedItem(title, tuple(units), tuple(printings)))
    yield from sorted(
        found, key=lambda a: (order.get(a.units[0], len(order)), a.printings[0].day, a.title)
    )


def _roster_order(book: OfficeBook) -> dict[str, int]:
    return {unit.id: n for n, unit in enumerate(book.roster.units)}


# --- what was owed


def _shortfalls(
    book: OfficeBook, owed: QuotaBook, period: Period, as_of: date, standings: Standings
) -> Iterator[Shortfall]:
    """In detail what the standings' lines have in sum."""
    short = {
        (row.unit, q.quota)
        for table in standings.tables
        for row in table.rows
        for q in row.quotas
        if q.missing
    }
    for unit in book.roster.units:
        for quota in book.quotas:
            if (unit.id, quota.id) not in short:
                continue
            for part in period.parts(quota.period):
                found = owed.owed(quota, unit, part) if part.last < as_of else None
                if found is not None and found.missing:
                    yield Shortfall(unit.id, quota.id, part, found.missing)


def _progress(
    book: OfficeBook,
    owed: QuotaBook,
    events: Iterable[Event],
    period: Period,
    as_of: date,
    began: date,
) -> dict[str, tuple[Progress, ...]]:
    """The course of the year, as far as it was recorded, up to the period's end: by the first quota
    that asks for something by the month or quarter, else by month what was sent."""
    end = min(period.last, as_of)
    year = Period.of(PeriodKind.YEAR, end)
    sent: defaultdict[tuple[str, date], int] = defaultdict(int)
    for event in events:
        if event.kind is EventKind.SUBMISSION and not event.follow_up and event.day <= end:
            for sender in units_of(event):
                sent[sender, event.day.replace(day=1)] += event.times
    quota = next((q for q in book.quotas if q.period in _COURSE and not q.remark_only), None)
    kind = quota.period if quota is not None else PeriodKind.MONTH
    parts = [part for part in year.parts(kind) if part.first <= end and part.last >= began]
    found = {}
    for unit in book.roster.units:
        course = []
        for part in parts:
            if not (unit.on(part.first) or unit.on(part.last)):
                continue  # it was not there
            months = part.parts(PeriodKind.MONTH)
            got = sum(sent.get((unit.id, month.first), 0) for month in months)
            need = None
            if quota is not None:
                got = owed.got(quota, unit.id, part)
                need = _need(owed, quota, unit, part)
            course.append(Progress(part, got, need))
        found[unit.id] = tuple(course)
    return found


def _need(owed: QuotaBook, quota: Quota, unit: Unit, part: Period) -> int | None:
    try:
        found = owed.owed(quota, unit, part)
    except NoRuleInForce:
        return None  # of another part of the year; the standings have looked at this one
    return found.need if found is not None and found.need else None


# --- tasks


def _tasks(
    book: OfficeBook, events: Sequence[Event], period: Period, as_of: date
) -> Iterator[TaskLine]:
    end = min(period.last, as_of)
    known = [e for e in events if e.day <= end and e.kind in _OF_TASKS]
    if not known:
        return
    given: defaultdict[str, int] = defaultdict(int)
    on_time: defaultdict[str, int] = defaultdict(int)
    late: defaultdict[str, int] = defaultdict(int)
    for event in known:
        if event.day < period.first:
            continue
        for unit in units_of(event):
            if event.kind is EventKind.TASK:
                given[unit] += event.times
            elif event.outcome is Outcome.LATE:
                late[unit] += event.times
            else:
                on_time[unit] += event.times
    still = TaskTable(known, book.scoring.tasks).open()
    order = _roster_order(book)
    units = {*given, *on_time, *late, *still}
    for unit in sorted(units, key=lambda u: (order.get(u, len(order)), u)):
        opened = still.get(unit, [])
        overdue = sum(t.due is not None and t.due <= end and t.due < as_of for t in opened)
        yield TaskLine(unit, given[unit], on_time[unit], late[unit], len(opened), overdue)


_OF_TASKS = frozenset({EventKind.TASK, EventKind.TASK_DONE})


# --- places of earlier periods


def _places(standings: Standings, earlier: Sequence[Standings]) -> dict[str, tuple[PlaceThen, ...]]:
    """Of sealed periods as sealed; of the one before this, where it is not, as reckoned now."""
    period = standings.period
    found: defaultdict[str, list[PlaceThen]] = defaultdict(list)
    for one in sorted(earlier, key=lambda e: e.period)[1 - PLACES :]:
        _note_places(one, found)
    before = period.previous()
    if all(one.period != before for one in earlier):
        for table in standings.tables:
            for row in table.rows:
                if row.previous_place is not None:
                    found[row.unit].append(PlaceThen(before, row.previous_place, None))
    _note_places(standings, found)
    return {unit: tuple(places[-PLACES:]) for unit, places in found.items()}


def _note_places(standings: Standings, found: defaultdict[str, list[PlaceThen]]) -> None:
    for table in standings.tables:
        of = sum(row.place is not None for row in table.rows)
        for row in table.rows:
            if row.place is not None:
                found[row.unit].append(PlaceThen(standings.period, row.place, of))
