"""One office's books, from what is in the store: which events a question needs, how they are read
without reading everything, and which entries come of them.

Submissions are read in bulk, like ones together. What the books hold for a sealed period is
compared with what the rules make of it now by each unit's total; only units for which the two
differ are reckoned in detail, beside their entries as sealed. So an office's size costs little, and
a correction still names the item it is about. What a rule gives and how a correction reads is
`core.rules`' business.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from operator import attrgetter

from mailbot.app.ports import Reads
from mailbot.app.records import SealRow
from mailbot.core.rules import recorded
from mailbot.core.rules.books import Sealed, accounts, events_since
from mailbot.core.rules.entries import Entry, Row
from mailbot.core.rules.events import Event, EventKind
from mailbot.core.rules.kinds import Cap, Ladder, Points, Repeat, Values, Zeroing
from mailbot.core.rules.ledger import passes_on, post, reach
from mailbot.core.rules.matching import classes, matches_in
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.quota import QuotaBook
from mailbot.core.rules.rows import year_start
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import ColumnCount
from mailbot.core.rules.tasktable import settled
from mailbot.core.rules.wire import standings_from

DAY = timedelta(days=1)
MANY = 40
"""Units from which it is cheaper to read everybody's events at once than one unit's after another."""


class Regrouped(Exception):
    """The roster puts a unit into another group for a sealed period than it was judged in. To go on
    would put the period right for everything the unit had earned in it."""

    def __init__(self, unit: str, period: Period, then: str, now: str) -> None:
        super().__init__(unit, period.code, then, now)
        self.unit, self.period, self.then, self.now = unit, period, then, now


@dataclass(frozen=True, slots=True)
class Books:
    """What `core.rules.standings` wants for a period, and for the one before it."""

    events: Sequence[Event]
    entries: Sequence[Entry]
    quotas: QuotaBook | None = None
    """Counted from the events already."""


def recorded_from(reads: Reads, office: str) -> date:
    """From when on silence proves anything: never, where nothing was recorded yet."""
    return reads.first_event(office) or date.max


class Reckoning:
    """Answers about one office at one moment. `sealing` False: as if nothing had ever been
    sealed."""

    def __init__(self, book: OfficeBook, reads: Reads, as_of: date, *, sealing: bool = True):
        self.began = recorded_from(reads, book.info.id)
        self.book, self.reads, self.as_of = recorded.since(book, self.began), reads, as_of
        self.office = book.info.id
        self.seals: list[SealRow] = reads.seals(self.office) if sealing else []
        self._judged: dict[int, dict[str, Row]] = {}
        """By seal: its rows by unit, read once for however many units are asked about."""

    def seal_of(self, period: Period) -> SealRow | None:
        return next((s for s in self.seals if s.period == period), None)

    # --- everybody

    def books(self, period: Period, *, since: date | None = None, exact: bool = False) -> Books:
        """All entries from the year's first day, or from `since` if that is earlier. `exact`: the
        period's own are made from its events one by one, as they are to be sealed. Only these and
        what is put right have texts."""
        start = min(year_start(period), since or period.first)
        whole, broken = self._seals(period)
        first = min([start, *(s.period.first for s in whole)])
        events = settled(self._everybodys(period, first), self.book.scoring.tasks)
        quotas = QuotaBook(self.book, events, self.as_of)
        posted = post(self.book, events, first, period.last, self.as_of, quotas, texts=False)
        differing = self._differing(whole, posted)
        if exact:
            since, until = reach(self.book, period.first, period.last)
            detailed = self.reads.unit_events(self.office, since, until, None)
            known = settled(detailed, self.book.scoring.tasks)
            fresh = post(self.book, known, period.first, period.last, self.as_of)
            posted = [e for e in posted if e.day < period.first] + fresh
        entries = posted
        if differing or broken:
            entries = [e for e in posted if e.unit not in differing and not _in(broken, e.day)]
        for seal in whole:
            kept = [e for e in self.reads.seal_corrections(seal.id) if e.unit not in differing]
            entries += [*kept, *self._not_yet(kept)]
        for seal in broken:
            kept = self.reads.seal_entries(seal.id)
            entries += [e for e in kept if e.unit not in differing and e.day <= period.last]
        entries += self._corrected(period, start, differing)
        entries = sorted(entries, key=_day)
        return Books(events, entries[bisect_left(entries, start, key=_day) :], quotas)

    def _not_yet(self, corrections: Iterable[Entry]) -> Iterator[Entry]:
        """What the rules make of a sealed period today has in it what was only put right later:
        taken out again where it does not belong yet."""
        ends = {s.period.code: s.period.last for s in self.seals}
        for entry in corrections:
            day = ends[entry.corrects]
            yield replace(entry, day=day, points=-entry.points, corrects="", stars=0)

    def _seals(self, period: Period) -> tuple[list[SealRow], list[SealRow]]:
        """Those that lie before the period's end, and those that it ends within."""
        begun = [s for s in self.seals if s.period.first <= period.last]
        whole = [s for s in begun if s.period.last <= min(period.last, self.as_of - DAY)]
        return whole, [s for s in begun if s not in whole]

    def _everybodys(self, period: Period, first: date) -> list[Event]:
        since, until = self._span(period, first)
        if _by_itself_only(self.book):
            return self.reads.unit_events(self.office, since, until, None)
        return self.reads.bulk_events(
            self.office,
            since,
            until,
            self._cuts(period, since, until),
            _class_of(self.book),
            by_item=_looks_at_items(self.book),
        )

    def _span(self, period: Period, first: date) -> tuple[date, date]:
        """The days whose events decide about entries from `first` to the period's last day."""
        _, until = reach(self.book, first, period.last)
        return min(events_since(self.book, period), reach(self.book, first, first)[0]), until

    def _cuts(self, period: Period, since: date, until: date) -> list[date]:
        """Days on which something changes: before and after them nothing is taken together."""
        cuts = {self.as_of + DAY}
        cuts |= {v.start for rule in self.book.scoring.rules for v in rule.versions}
        spans = (period, period.previous(), *(s.period for s in self.seals))
        cuts |= {day for p in spans for day in (p.first, p.last + DAY)}
        if PeriodKind.WEEK in {q.period for q in self.book.quotas}:
            week = Period.of(PeriodKind.WEEK, since)
            while week.first <= until:
                cuts.add(week.first)
                week = week.next()
        return sorted(cuts)

    # --- what was sealed

    def _differing(self, seals: Sequence[SealRow], posted: Iterable[Entry]) -> set[str]:
        """Units for which a sealed period, with all that was put right about it since, is not worth
        what the rules give today."""
        totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for seal in seals:
            for unit, points in self.reads.seal_totals(seal.id).items():
                totals[seal.period.code, unit] += points
            for entry in self.reads.seal_corrections(seal.id):
                totals[seal.period.code, entry.unit] -= entry.points
                totals[entry.corrects, entry.unit] += entry.points
        codes: dict[date, str | None] = {}
        for entry in posted:
            if entry.day not in codes:
                codes[entry.day] = next((s.period.code for s in seals if entry.day in s.period), "")
            if codes[entry.day]:
                totals[codes[entry.day] or "", entry.unit] -= entry.points
        return {unit for (_code, unit), points in totals.items() if points}

    def _corrected(self, period: Period, start: date, units: Collection[str]) -> list[Entry]:
        """The entries of units for which something has to be put right, in detail."""
        if not units:
            return []
        periods = [period]
        if start < year_start(period):
            periods.append(period.previous())
        events = self._of_units(period, start, units)
        seals = [self._sealed(s, units) for s in self.seals]
        return [
            entry
            for p in periods
            for entry in accounts(self.book, events, p, self.as_of, seals)
            if entry.unit in units and (p == period or entry.day < year_start(period))
        ]

    def _sealed(self, seal: SealRow, units: Collection[str]) -> Sealed:
        """Raises `Regrouped`."""
        self._must_be_grouped_alike(seal, units)
        if len(units) > MANY:
            entries = [e for e in self.reads.seal_entries(seal.id) if e.unit in units]
        else:
            entries = [e for u in sorted(units) for e in self.reads.seal_entries(seal.id, u)]
        return Sealed(seal.period, seal.at.date(), tuple(entries))

    def _must_be_grouped_alike(self, seal: SealRow, units: Collection[str]) -> None:
        if seal.id not in self._judged:
            tables = standings_from(seal.standings).tables
            self._judged[seal.id] = {row.unit: row for table in tables for row in table.rows}
        judged = self._judged[seal.id]
        for unit in self.book.roster.units:
            if unit.id not in units or unit.id not in judged:
                continue
            row, now = judged[unit.id], unit.group_on(seal.period.last)
            if row.group and row.group != now:
                raise Regrouped(row.name, seal.period, row.group, now)

    # --- some units

    def of_unit(self, unit: str, period: Period) -> Books:
        """One unit's events and entries, from the year's first day."""
        events = self._of_units(period, year_start(period), {unit})
        seals = [self._sealed(s, {unit}) for s in self.seals]
        entries = accounts(self.book, events, period, self.as_of, seals)
        return Books(events, [e for e in entries if e.unit == unit])

    def _of_units(self, period: Period, start: date, units: Collection[str]) -> list[Event]:
        """Everything that decides about the units' points, one by one."""
        first = min([start, *(s.period.first for s in self.seals)])
        since, until = self._span(period, first)
        wanted = self._with_recommended(units)
        if len(wanted) > MANY:
            return self.reads.unit_events(self.office, since, until, None)
        found: dict[str, Event] = {}
        for unit in sorted(wanted):
            for event in self.reads.unit_events(self.office, since, until, unit):
                found[event.id] = event
        return list(found.values())

    def _with_recommended(self, units: Collection[str]) -> set[str]:
        """The units, and those whose points pass on to them."""
        if not passes_on(self.book):
            return set(units)
        return {*units, *(u.id for u in self.book.roster.units if u.recommender in units)}


def _by_itself_only(book: OfficeBook) -> bool:
    """Does a rule count only the best of a year's submissions, or look at the order of a period's
    days while submissions give points? Then none is like another."""
    values = [v.values for rule in book.scoring.rules for v in rule.versions]
    scored = [v for v in values if isinstance(v, Points) and _of_submissions(v)]
    return any(v.repeat is Repeat.HIGHEST_PER_YEAR for v in scored) or any(
        (isinstance(v, Zeroing) and (scored or _of_submissions(v)))
        or (isinstance(v, Cap) and scored)
        for v in values
    )


def _class_of(book: OfficeBook) -> Callable[[str], Hashable]:
    """What tells submissions of two categories apart. Lists that name units for submissions show
    these as they are."""
    if _of_submissions(book.scoring.lists):
        return str
    everything = matches_in((book.quotas, book.scoring))
    return classes(m for m in everything if m.event is EventKind.SUBMISSION)


def _looks_at_items(book: OfficeBook) -> bool:
    """Does it matter for a submission what else happened to the same item? Where only the highest
    of an item counts, where it can be excused, where a column counts items, each once; and a list
    that names units for submissions shows them as they are."""
    columns = (c for ranking in book.scoring.rankings for c in ranking.columns)
    return _of_submissions(book.scoring.lists) or any(
        _of_submissions(judged)
        for judged in (
            *(v.values for rule in book.scoring.rules for v in rule.versions if _by_item(v.values)),
            *(c for c in columns if c.count is ColumnCount.ITEMS),
        )
    )


def _by_item(values: Values | None) -> bool:
    match values:
        case Points(lines=lines, repeat=repeat):
            return repeat is not Repeat.EACH or any(line.excused_by for line in lines)
        case Ladder(excused_by=by) | Zeroing(excused_by=by):
            return bool(by)
    return False


def _of_submissions(judged: object) -> bool:
    return any(m.event is EventKind.SUBMISSION for m in matches_in(judged))


def _in(seals: Iterable[SealRow], day: date) -> bool:
    return any(day in s.period for s in seals)


_day = attrgetter("day")
