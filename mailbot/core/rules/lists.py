"""The lists of a notice: who is to be praised, criticised or spoken to, and why, for people to
decide.

Every list is dated by the last day of the period. A unit is only named while it is on the roster
and appointed, except where it stands on a list for what happened or because a person put it there.
A period that is not over gives lists that may still change. Who heads a table is `listplaces`', how
it is said `listwords`' business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from mailbot.core.rules import listwords as words
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.columns import Tally, month_number
from mailbot.core.rules.entries import Listed, NoticeList, Table
from mailbot.core.rules.events import Event, Match, UnitStatus
from mailbot.core.rules.listplaces import by_place, may_name
from mailbot.core.rules.people import in_office
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.quota import QuotaBook, in_order
from mailbot.core.rules.rows import year_start
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import ListKind, ListRule, ListVersion, Ranking
from mailbot.core.rules.versions import book_start
from mailbot.core.subject.roster import Unit


@dataclass(frozen=True, slots=True)
class Ground:
    """What the lists are drawn from."""

    book: OfficeBook
    period: Period
    as_of: date
    ranking: Ranking
    tables: tuple[Table, ...]
    tally: Tally
    quotas: QuotaBook
    present: frozenset[str]
    """Units on the roster and appointed at the period's end."""
    began: date = date.min
    """First day of the month from which on something was recorded: earlier silence proves
    nothing."""


def lists_of(book: OfficeBook, period: Period) -> list[tuple[ListRule, ListVersion]]:
    """Those that belong to such a period and are in force at its end."""
    found = []
    for rule in book.scoring.lists:
        version = in_force(rule.versions, period.last)
        if period.kind in rule.periods and version is not None and not version.repealed:
            found.append((rule, version))
    return found


def event_lists(book: OfficeBook, period: Period) -> list[tuple[str, tuple[Match, ...]]]:
    """Which events the lists name units for, or pass them over for."""
    asked = ((r.id, v.matches + v.unless) for r, v in lists_of(book, period))
    return [(list_id, matches) for list_id, matches in asked if matches]


def events_from(book: OfficeBook, period: Period) -> date:
    """How far back the events must reach, so that no month looks silent only because nobody read
    it. Changes of status and tasks count from however long ago; they are always needed."""
    asked = [n for _, v in lists_of(book, period) for n in (v.running, v.unless_silent)]
    back = max(asked, default=1) - 1
    first = Period.of(PeriodKind.MONTH, period.first)
    for _ in range(back):
        first = first.previous()
    return min(first.first, year_start(period))


def proposed(ground: Ground) -> tuple[NoticeList, ...]:
    return tuple(
        NoticeList(
            id=rule.id,
            name=rule.name,
            consequence=rule.consequence,
            document=version.basis.document,
            clause=version.basis.clause,
            listed=tuple(_with_people(ground, rule, _LISTED[rule.kind](ground, rule, version))),
        )
        for rule, version in lists_of(ground.book, ground.period)
    )


def _with_people(ground: Ground, rule: ListRule, listed: Iterable[Listed]) -> Iterator[Listed]:
    """Those who answer for the unit at the period's end, where no event has named anybody; and
    whoever recommended it."""
    units = {u.id: u for u in ground.book.roster.units}
    day = min(ground.period.last, ground.as_of)
    for one in listed:
        unit = units.get(one.unit)
        if unit is None:
            yield one
            continue
        people, recommender = one.people, ""
        if rule.people and not (people or one.events):
            people = in_office(unit, rule.people, day)
        if rule.recommender and unit.recommender:
            by = units.get(unit.recommender)
            recommender = by.name if by is not None else unit.recommender
        yield replace(one, people=people, recommender=recommender)


def _by_place(ground: Ground, rule: ListRule, version: ListVersion) -> Iterator[Listed]:
    passed_over = {
        row.unit
        for table in ground.tables
        for row in table.rows
        if version.unless and ground.tally.of(row.unit).listed.get(rule.id)
    }
    if version.unless_silent:
        runs = _runs(ground, version.unless_silent)
        units = ground.book.roster.units
        passed_over |= {u.id for u in units if _silent_runs(ground, u, runs)}
    yield from by_place(ground.tables, ground.ranking, rule.kind, version, passed_over)


def _silent(ground: Ground, rule: ListRule, version: ListVersion) -> Iterator[Listed]:
    """Months are held against a unit only where it was there and appointed for the whole of them,
    and never months before the office's rules or its records began."""
    runs = _runs(ground, version.running)
    for unit in _present(ground, version):
        if silent := _silent_runs(ground, unit, runs):
            yield Listed(unit.id, words.silence(silent, ground.period))


def _runs(ground: Ground, number: int) -> list[tuple[Period, ...]]:
    """Each month of the period that is over, with those before it, so many in all; none that reach
    back before the office's rules or its records."""
    over = [m for m in ground.period.parts(PeriodKind.MONTH) if m.last < ground.as_of]
    start = book_start(ground.book) or date.max
    runs = (_running(month, number) for month in over)
    return [run for run in runs if run[0].last >= start and run[0].first >= ground.began]


def _silent_runs(
    ground: Ground, unit: Unit, runs: list[tuple[Period, ...]]
) -> list[tuple[Period, ...]]:
    sent = ground.tally.of(unit.id).months
    return [
        run
        for run in runs
        if not any(month_number(m.first) in sent for m in run)
        and _served(ground, unit, run[0].first, run[-1].last)
    ]


def _running(month: Period, number: int) -> tuple[Period, ...]:
    """So many months running, this one the last."""
    run = [month]
    while len(run) < number:
        run.insert(0, run[0].previous())
    return tuple(run)


def _served(ground: Ground, unit: Unit, first: date, last: date) -> bool:
    changes = (day for day in ground.tally.of(unit.id).changes if first < day <= last)
    return (
        unit.on(first)
        and unit.on(last)
        and all(
            ground.quotas.status(unit.id, day) is UnitStatus.APPOINTED for day in (first, *changes)
        )
    )


def _unadopted(ground: Ground, rule: ListRule, version: ListVersion) -> Iterator[Listed]:
    """Nobody, where not all of the period was recorded."""
    if ground.period.first < ground.began:
        return
    for unit in _present(ground, version):
        if not ground.tally.of(unit.id).adopted.number:
            yield Listed(unit.id, words.no_adoption(ground.period))


def _for_events(ground: Ground, rule: ListRule, version: ListVersion) -> Iterator[Listed]:
    for unit in _anybody(ground, version):
        found = ground.tally.of(unit).listed.get(rule.id, ())
        yield from _named(ground, unit, rule, version, found, words.happened)


def _mentioned(ground: Ground, rule: ListRule, version: ListVersion) -> Iterator[Listed]:
    for unit in _anybody(ground, version):
        mentions = ground.tally.of(unit).mentions.get(rule.id, ())
        yield from _named(ground, unit, rule, version, mentions, words.mentioned)


def _named(
    ground: Ground,
    unit: str,
    rule: ListRule,
    version: ListVersion,
    events: Iterable[Event],
    say: Callable[[Event], str],
) -> Iterator[Listed]:
    """For what happened since there is such a list: nobody is named for a day before it."""
    start = min(version.start for version in rule.versions)
    events = sorted((e for e in events if e.day >= start), key=in_order)
    if sum(e.times for e in events) >= version.at_least:
        people = dict.fromkeys(p for e in events for p in _answering(ground, unit, rule, e))
        why = "；".join(say(e) for e in events)
        yield Listed(unit, why, tuple(e.id for e in events), tuple(people))


def _answering(ground: Ground, unit: str, rule: ListRule, event: Event) -> tuple[str, ...]:
    """As entered with the event; else by the roster of that day."""
    if not rule.people or event.people:
        return event.people if rule.people else ()
    for known in ground.book.roster.units:
        if known.id == unit:
            return in_office(known, rule.people, event.day)
    return ()


def _short(ground: Ground, rule: ListRule, version: ListVersion) -> Iterator[Listed]:
    quota = {q.id: q for q in ground.book.quotas}[version.quota]
    over = (p for p in ground.period.parts(quota.period) if p.last < ground.as_of)
    parts = [p for p in over if p.first >= ground.began]
    for unit in _present(ground, version):
        owed = [(part, ground.quotas.owed(quota, unit, part)) for part in parts]
        if missing := [(part, o.missing) for part, o in owed if o is not None and o.missing]:
            yield Listed(unit.id, words.shortage(quota, missing, ground.period))


def _overdue(ground: Ground, rule: ListRule, version: ListVersion) -> Iterator[Listed]:
    for unit in _present(ground, version):
        late = [
            task
            for task in ground.tally.open_tasks.get(unit.id, ())
            if task.due is not None and task.due <= ground.period.last and task.due < ground.as_of
        ]
        if late:
            why = "；".join(words.overdue(task, ground.book.scoring.tasks) for task in late)
            yield Listed(unit.id, why, tuple(task.given.id for task in late))


def _below(ground: Ground, rule: ListRule, version: ListVersion) -> Iterator[Listed]:
    points = {row.unit: row.points for table in ground.tables for row in table.rows}
    for unit in _present(ground, version):
        if points[unit.id] < version.points:
            yield Listed(unit.id, words.below(points[unit.id], version.points))


_LISTED: dict[ListKind, Callable[[Ground, ListRule, ListVersion], Iterator[Listed]]] = {
    ListKind.FIRST: _by_place,
    ListKind.LAST: _by_place,
    ListKind.NO_SUBMISSION: _silent,
    ListKind.NO_ADOPTION: _unadopted,
    ListKind.EVENTS: _for_events,
    ListKind.MENTIONED: _mentioned,
    ListKind.SHORT: _short,
    ListKind.OVERDUE: _overdue,
    ListKind.BELOW: _below,
}


def _present(ground: Ground, version: ListVersion) -> Iterator[Unit]:
    """Whom the list may name for how it stands."""
    for unit in ground.book.roster.units:
        if unit.id in ground.present and may_name(
            version, unit.id, unit.group_on(ground.period.last)
        ):
            yield unit


def _anybody(ground: Ground, version: ListVersion) -> Iterator[str]:
    """Whom the list may name for what happened: the roster first, then strangers to it."""
    groups = {u.id: u.group_on(ground.period.last) for u in ground.book.roster.units}
    strangers = sorted(u for u in ground.tally.active() if u not in groups)
    for unit in (*groups, *strangers):
        if may_name(version, unit, groups.get(unit, "")):
            yield unit
