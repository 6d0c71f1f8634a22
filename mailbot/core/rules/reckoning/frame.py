"""What every kind of rule looks at: the question of one reckoning and the events behind it.

The frame holds the question (which days, seen from when) and the events in the order they happened.
Entries are needed from earlier than the first day asked for, because a limit over a year looks at
all of it: `start` is that earlier day, and `horizon` the last day on which anything is booked.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from mailbot.core.rules.basis import in_force
from mailbot.core.rules.events import Event, EventKind, Signer, units_of
from mailbot.core.rules.kinds import (
    Cap,
    Conversion,
    DatedBy,
    Floor,
    Ladder,
    Points,
    QuotaBase,
    Repeat,
    Rule,
    Shortage,
    Version,
    Zeroing,
)
from mailbot.core.rules.matching import Matcher
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.quota import QuotaBook, in_order
from mailbot.core.rules.reckoning.words import Words
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Quota
from mailbot.core.subject.roster import Unit

T = TypeVar("T")


class UnscorableEvent(ValueError):
    """An event that a rule cannot be applied to as it stands: a person has to put it right."""

    def __init__(self, office: str, event: Event, message: str) -> None:
        super().__init__(f"{office}：{event.id}（{event.day.isoformat()}）{message}")
        self.office, self.event = office, event.id


def rounded(points: Decimal) -> Decimal:
    """To 0.01, half up: what a division or a factor leaves."""
    return points.quantize(Decimal("0.01"), ROUND_HALF_UP)


_CHOSEN_BY_END = {
    DatedBy.MONTH_END: PeriodKind.MONTH,
    DatedBy.QUARTER_END: PeriodKind.QUARTER,
    DatedBy.YEAR_END: PeriodKind.YEAR,
}


def choosing_day(dated_by: DatedBy, day: date) -> date:
    """The day whose version judges an event of `day`."""
    kind = _CHOSEN_BY_END.get(dated_by)
    return day if kind is None else Period.of(kind, day).last


def governing(rule: Rule, day: date, values: type[T]) -> tuple[Version, T] | None:
    """The version in force on that day; None before the first, and of a repealed one."""
    version = in_force(rule.versions, day)
    if version is None or not isinstance(version.values, values):
        return None
    return version, version.values


def reach(book: OfficeBook, first: date, last: date) -> tuple[date, date]:
    """The days whose events decide about entries between `first` and `last`: all of the periods
    that those days lie in and that some rule judges as a whole."""
    kinds = {PeriodKind.MONTH}
    for rule in book.scoring.rules:
        for version in rule.versions:
            kinds |= _judged(version, book)
    start = min(Period.of(kind, first).first for kind in kinds)
    end = max(Period.of(kind, last).last for kind in kinds)
    if PeriodKind.WEEK in kinds:
        start = Period.of(PeriodKind.WEEK, start).first
    return start, end


def _judged(version: Version, book: OfficeBook) -> set[PeriodKind]:
    quotas = {quota.period for quota in book.quotas}
    match version.values:
        case QuotaBase(period=period):
            return {period} | quotas
        case Shortage():
            return quotas
        case Ladder(period=period):
            return {period} | quotas
        case Cap(period=period) | Floor(period=period) | Zeroing(period=period):
            return {period}
        case Conversion(period=period):
            return {period}
        case Points(repeat=Repeat.HIGHEST_PER_YEAR):
            return {PeriodKind.YEAR}
    return set()


class Frame:
    """One reckoning: the office's book, the events up to `as_of`, the days asked for."""

    def __init__(
        self,
        book: OfficeBook,
        events: Iterable[Event],
        first: date,
        last: date,
        as_of: date,
        quotas: QuotaBook | None = None,
        *,
        texts: bool = True,
    ) -> None:
        self.book = book
        self.office = book.info.id
        self.first, self.last, self.as_of = first, last, as_of
        self.start = reach(book, first, last)[0]
        self.horizon = min(last, as_of)
        self.events = sorted((e for e in events if _counts(e, as_of)), key=in_order)
        self.quotas = QuotaBook(book, self.events, as_of) if quotas is None else quotas
        self.words = Words(book)
        self.texts = texts
        self._quotas = {quota.id: quota for quota in book.quotas}
        self.explained = self._explanations()
        self._serving: dict[Period, list[Unit]] = {}
        self._of_kind: dict[EventKind, list[Event]] = defaultdict(list)
        for event in self.events:
            self._of_kind[event.kind].append(event)

    def of_kind(self, kind: EventKind) -> list[Event]:
        return self._of_kind.get(kind, [])

    def by_unit(
        self, matcher: Matcher, period: Period, excused_by: Collection[Signer] = ()
    ) -> dict[str, list[Event]]:
        """What matches in the period, less what is excused, unit by unit, in order."""
        found: dict[str, list[Event]] = defaultdict(list)
        last = period.last
        for kind in sorted(matcher.kinds):
            events = self.of_kind(kind)
            begin = bisect_left(events, period.first, key=_day)
            for event in events[begin : bisect_right(events, last, key=_day)]:
                if matcher(event):
                    for unit in units_of(event):
                        if not self.is_excused(event, unit, excused_by):
                            found[unit].append(event)
        return found

    def serving(self, groups: Collection[str], period: Period) -> Iterator[Unit]:
        """In the roster's order, the units that are judged for the period. No groups: all."""
        if period not in self._serving:
            everybody = self.book.roster.units
            self._serving[period] = [u for u in everybody if self.quotas.serves(u, period)]
        last = period.last
        return (u for u in self._serving[period] if not groups or u.group_on(last) in groups)

    def quota(self, quota_id: str) -> Quota:
        """Raises KeyError: ids come from the office's data."""
        return self._quotas[quota_id]

    def is_excused(self, event: Event, unit: str, by: Collection[Signer]) -> bool:
        """Was the unit's explanation about it accepted, signed by one of `by`? Each unit of a joint
        event answers for itself."""
        return any(self.explained.get((event.id, unit, signer)) for signer in by)

    def periods(self, kind: PeriodKind) -> Iterator[Period]:
        """Those of which something may be booked between `start` and `horizon`."""
        period = Period.of(kind, self.start)
        while period.first <= self.horizon:
            yield period
            period = period.next()

    def past(self, kind: PeriodKind) -> Iterator[Period]:
        """Those that are over, and whose last day is to be reckoned."""
        for period in self.periods(kind):
            if self.is_over(period) and period.last <= self.horizon:
                yield period

    def current(self, kind: PeriodKind) -> Iterator[tuple[Period, date]]:
        """Those that are over or running, with the day on which their limits are booked."""
        for period in self.periods(kind):
            day = min(period.last, self.as_of)
            if day <= self.horizon:
                yield period, day

    def is_over(self, period: Period) -> bool:
        return period.last < self.as_of

    def _explanations(self) -> dict[tuple[str, str, Signer], bool]:
        """By event, unit and signer: the last word on it counts."""
        return {
            (event.about, event.unit, event.signer): event.accepted
            for event in self.events
            if event.kind is EventKind.EXPLANATION and event.signer
        }


def _counts(event: Event, as_of: date) -> bool:
    """A follow-up (续报) of an item is shown, never counted again."""
    told_before = event.follow_up and event.kind is EventKind.SUBMISSION
    return event.day <= as_of and not told_before


def _day(event: Event) -> date:
    return event.day
