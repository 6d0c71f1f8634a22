"""An office's books over a year: what was sealed as it was sealed, the rest as the rules have it now.

A sealed period is never reckoned anew into the books. What a later reckoning of it would change
(something recorded late, reversed, judged otherwise) is booked to the first period that is not
sealed, as entries that name the sealed one. How the difference of two reckonings is found is
`sealing`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event, EventKind
from mailbot.core.rules.ledger import post, reach
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
    to_correct = _seals_to_correct(seals, last, as_of)
    first = min([start, *(s.period.first for s in to_correct)])
    reckoned = _Reckoned(post(book, settled(events, book.scoring.tasks), first, last, as_of), seals)
    put_right = _corrections(to_correct, reckoned, events, min(last, as_of))
    fresh = [e for e in (*reckoned.unsealed, *put_right) if e.day >= start]
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
    seals: Sequence[Sealed], reckoned: _Reckoned, events: Iterable[Event], last: date
) -> list[Entry]:
    """Differences between what the books hold for each sealed period and what the rules give for it
    now: on the first day that is not sealed, or the day the fact was recorded if that is later.
    What was recorded after `last` waits for its own period."""
    if not seals:
        return []
    recorded = {e.id: e.recorded for e in events if e.recorded is not None}
    in_books: dict[str, list[Entry]] = {s.period.code: [] for s in seals}
    for seal in seals:
        for entry in seal.entries:
            # An earlier correction belongs to the period that it set right.
            in_books.setdefault(entry.corrects or seal.period.code, []).append(entry)
    lump = _Lump(events)
    opened, found = seals[-1].period.last + _DAY, []
    for code in (s.period.code for s in seals):
        before, after = lump(in_books[code]), lump(reckoned.sealed[code])
        for entry in corrections(before, after, code, opened):
            known = [recorded[e] for e in entry.events if e in recorded]
            found.append(replace(entry, day=max([opened, *known])))
    return [e for e in found if e.day <= last]


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
