"""An office's books over a year: what was sealed as it was sealed, the rest as the rules have it now.

A sealed period is never reckoned anew into the books. What a later reckoning of it would change
(something recorded late, reversed, judged otherwise) is booked to the first period that is not
sealed, as entries that name the sealed one. All that one late fact changes is booked on one day: a
floor that now swallows less stands beside the points that made it so. How the difference of two
reckonings is found is `sealing`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event, EventKind, units_of
from mailbot.core.rules.ledger import passes_on, post, reach
from mailbot.core.rules.lists import events_from
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rows import year_start
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.sealing import corrections
from mailbot.core.rules.tasktable import settled

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A period closed by its notice, with its entries as they were then."""

    period: Period
    sealed_on: date
    entries: tuple[Entry, ...]


def accounts(
    book: OfficeBook,
    events: Sequence[Event],
    period: Period,
    as_of: date,
    sealed: Sequence[Sealed] = (),
) -> list[Entry]:
    """All entries from the year's first day (`rows.year_start`) to the period's last, by day.

    `sealed` are the office's seals, those of earlier years as far as corrections to them still
    matter; `events` reach back as far as `events_since` says. Raises `NoRuleInForce`, and ValueError
    for an event that a rule cannot be applied to.
    """
    start, last = year_start(period), period.last
    seals = sorted(sealed, key=lambda s: s.period)
    frozen = [e for s in seals for e in s.entries if start <= e.day <= last]
    if _all_sealed(start, last, seals):
        return sorted(frozen, key=_day)
    known = settled(events, book.scoring.tasks)
    reckoned = _Reckoned(post(book, known, start, last, as_of), seals)
    put_right = _corrections(book, known, _seals_to_correct(seals, last, as_of), as_of)
    fresh = [e for e in (*reckoned.unsealed, *put_right) if start <= e.day <= min(last, as_of)]
    return sorted([*frozen, *fresh], key=_day)


def events_since(book: OfficeBook, period: Period, sealed: Sequence[Sealed] = ()) -> date:
    """The day from which `accounts` and `standings` must be given the events. Changes of status,
    tasks, and what else was recorded about the same items, are needed from however long ago."""
    first = min([year_start(period), *(s.period.first for s in sealed)])
    return min(reach(book, first, period.last)[0], events_from(book, period))


def _all_sealed(start: date, last: date, seals: Sequence[Sealed]) -> bool:
    day = start
    for seal in seals:
        if seal.period.first <= day <= seal.period.last:
            day = seal.period.last + _DAY
    return day > last


class _Reckoned:
    """What the rules give now, parted by the seals that the entries' days lie in."""

    def __init__(self, entries: Iterable[Entry], seals: Sequence[Sealed]) -> None:
        self.unsealed: list[Entry] = []
        self.sealed: dict[str, list[Entry]] = {s.period.code: [] for s in seals}
        pages: dict[date, list[Entry]] = {}
        for entry in entries:
            if entry.day not in pages:
                code = next((s.period.code for s in seals if entry.day in s.period), None)
                pages[entry.day] = self.unsealed if code is None else self.sealed[code]
            pages[entry.day].append(entry)


def _seals_to_correct(seals: Sequence[Sealed], last: date, as_of: date) -> Sequence[Sealed]:
    """All of them, when the first day after the last lies in the books asked for; else none."""
    return seals if seals and seals[-1].period.last < min(last, as_of) else ()


def _corrections(
    book: OfficeBook, events: Sequence[Event], seals: Sequence[Sealed], as_of: date
) -> list[Entry]:
    """Differences between what the books hold for each sealed period and what the rules give for it
    now, step by step as the facts behind them were recorded. Each step is dated the day of its
    record, inside the first period that is not sealed; what nobody recorded (a mail released late,
    a reversal) its first day."""
    if not seals:
        return []
    late = _Late(events, seals)
    lump = _Lump(events)
    in_books: dict[str, list[Entry]] = {s.period.code: [] for s in seals}
    for seal in seals:
        for entry in seal.entries:
            # An earlier correction belongs to the period that it set right.
            in_books.setdefault(entry.corrects or seal.period.code, []).append(entry)
    opened = seals[-1].period.last + _DAY
    closes = Period.of(seals[-1].period.kind, opened).last
    found = []
    before = {s.period.code: lump(in_books[s.period.code]) for s in seals}
    for day in (date.min, *late.days):
        units = None if day == date.min or passes_on(book) else late.units_on(day)
        after = _sealed_now(book, late.known_on(day), seals, as_of, units)
        for code, entries in after.items():
            was = [e for e in before[code] if units is None or e.unit in units]
            now = lump(entries)
            found += corrections(was, now, code, min(max(opened, day), closes))
            others = [e for e in before[code] if units is not None and e.unit not in units]
            before[code] = [*others, *now]
    return found


class _Late:
    """What was recorded after the last seal and can change what is sealed."""

    def __init__(self, events: Sequence[Event], seals: Sequence[Sealed]) -> None:
        self._events = events
        last, sealed_on = seals[-1].period.last, seals[-1].sealed_on
        frozen = {i for s in seals for e in s.entries for i in e.events}
        self._late = {
            e.id: e.recorded
            for e in events
            if e.recorded is not None
            and (e.day <= last or e.kind is EventKind.EXPLANATION)
            and (e.recorded > sealed_on or (e.recorded == sealed_on and _is_new(e, frozen)))
        }
        self.days = sorted(set(self._late.values()))

    def known_on(self, day: date) -> list[Event]:
        return [e for e in self._events if self._late.get(e.id, date.min) <= day]

    def units_on(self, day: date) -> set[str]:
        found = (e for e in self._events if self._late.get(e.id) == day)
        return {unit for event in found for unit in units_of(event)}


def _is_new(event: Event, frozen: AbstractSet[str]) -> bool:
    """Of what was recorded on the very day of the seal: after it? What the seal knew stands behind
    one of its entries; a submission alone may not, and is taken to have been known."""
    return event.kind is not EventKind.SUBMISSION and event.id not in frozen


def _sealed_now(
    book: OfficeBook,
    events: Sequence[Event],
    seals: Sequence[Sealed],
    as_of: date,
    units: AbstractSet[str] | None,
) -> dict[str, list[Entry]]:
    """What the rules give for the sealed periods; of some units only, where nobody else's changed."""
    if units is not None:
        book = book.only(units)
        events = [e for e in events if not units.isdisjoint(units_of(e))]
    first, last = seals[0].period.first, seals[-1].period.last
    entries = post(book, events, first, last, as_of)
    if units is not None:
        entries = [e for e in entries if e.unit in units]
    return _Reckoned(entries, seals).sealed


class _Lump:
    """Makes a seal's entries, item by item, comparable with a reckoning of like submissions taken
    together: of both, what a rule gave for such submissions becomes one entry for each unit. Leaves
    everything alone where the events came one by one."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._together: set[str] = set()
        self._alone: set[str] = set()
        for event in events:
            if event.kind is EventKind.SUBMISSION:
                (self._alone if event.item else self._together).add(event.id)

    def __call__(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        if not self._together:
            return entries
        rest: list[Entry] = []
        lumps: dict[tuple[str, str], list[Entry]] = {}
        for entry in entries:
            if self._is_of_many(entry):
                lumps.setdefault((entry.unit, entry.rule), []).append(entry)
            else:
                rest.append(entry)
        return rest + [_one(lump) for lump in lumps.values()]

    def _is_of_many(self, entry: Entry) -> bool:
        if entry.item:
            alone = f"item:{entry.item}"
            return entry.events == (alone,) and alone not in self._alone
        return len(entry.events) == 1 and entry.events[0] in self._together


def _one(entries: Sequence[Entry]) -> Entry:
    points = sum((e.points for e in entries), Decimal(0))
    times = sum(e.times for e in entries if not e.corrects)
    text = f"报送 {times} 条"
    return replace(
        entries[-1], points=points, times=times, text=text, item="", events=(), corrects=""
    )


def _day(entry: Entry) -> date:
    return entry.day
