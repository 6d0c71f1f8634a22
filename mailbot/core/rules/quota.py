"""What each unit owed and gave, quota by quota and period by period.

A `QuotaBook` is made once for one reckoning: it goes through the events once, and then answers for
any unit and period. A quota is judged by the version in force on its period's last day, and a
surplus never fills another period. What a shortage costs is `ledger`'s business.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from mailbot.core.rules.basis import NoRuleInForce, in_force
from mailbot.core.rules.events import Event, EventKind, UnitStatus, units_of
from mailbot.core.rules.matching import Matcher
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Quota, QuotaVersion
from mailbot.core.subject.roster import Unit


@dataclass(frozen=True, slots=True)
class Owed:
    """How a unit stands with a quota over one of its periods."""

    need: int
    got: int

    @property
    def missing(self) -> int:
        return max(self.need - self.got, 0)


class QuotaBook:
    """Who owed how much, and who gave it, as known on the day `as_of`.

    A joint item counts for each of its units; a follow-up (续报) never counts again.
    """

    def __init__(self, book: OfficeBook, events: Iterable[Event], as_of: date) -> None:
        self._office = book.info.id
        self._counters = {quota.id: _Counter(quota) for quota in book.quotas}
        self._statuses: dict[str, list[tuple[date, UnitStatus]]] = {}
        self._read(events, as_of)

    def owed(self, quota: Quota, unit: Unit, period: Period) -> Owed | None:
        """None when nothing is owed: before the quota's first version, or when the unit was not
        there for all of the period or not appointed at its end. Raises `NoRuleInForce` when the
        version has no number for the unit."""
        page = self._counters[quota.id].page(period)
        if page.needs is None or not self._serves(unit, page.first, page.last):
            return None
        group = unit.group_on(page.last)
        need = page.needs.get(unit.id, page.needs.get(group))
        if need is None:
            raise NoRuleInForce(
                self._office, f"报送任务“{quota.name}”（组 {group}，{unit.name}）", page.last
            )
        return Owed(need, page.got.get(unit.id, 0))

    def got(self, quota: Quota, unit_id: str, period: Period) -> int:
        """What counts towards the quota in the period, owed or not."""
        return self._counters[quota.id].page(period).got.get(unit_id, 0)

    def serves(self, unit: Unit, period: Period) -> bool:
        """Is the unit on the roster on the period's first and last day, and appointed on its
        last?"""
        return self._serves(unit, period.first, period.last)

    def _serves(self, unit: Unit, first: date, last: date) -> bool:
        return (
            unit.on(first) and unit.on(last) and self.status(unit.id, last) is UnitStatus.APPOINTED
        )

    def status(self, unit_id: str, day: date) -> UnitStatus:
        """`APPOINTED` until something else is recorded."""
        history = self._statuses.get(unit_id)
        if history is None:
            return UnitStatus.APPOINTED
        before = bisect_right(history, day, key=lambda change: change[0])
        return history[before - 1][1] if before else UnitStatus.APPOINTED

    def _read(self, events: Iterable[Event], as_of: date) -> None:
        by_kind: dict[EventKind, list[_Counter]] = {}
        for counter in self._counters.values():
            for kind in counter.kinds:
                by_kind.setdefault(kind, []).append(counter)
        changes = []
        for event in events:
            if event.day > as_of:
                continue
            if event.kind is EventKind.STATUS and event.status is not None:
                changes.append(event)
            for counter in by_kind.get(event.kind, ()):
                counter.add(event)
        for change in sorted(changes, key=in_order):
            assert change.status is not None
            history = self._statuses.setdefault(change.unit, [])
            history.append((change.day, change.status))


def in_order(event: Event) -> tuple[date, date, int, str]:
    """Sorts events as they happened: those of one day as they were entered, and `record:9` before
    `record:10`. No two events of one reckoning are equal, so the order they came in is forgotten."""
    return event.day, event.recorded or date.min, len(event.id), event.id


class _Page:
    """One period of one quota."""

    __slots__ = ("counts", "first", "got", "last", "needs")

    def __init__(self, first: date, last: date, version: QuotaVersion | None) -> None:
        self.first, self.last = first, last
        self.needs = None if version is None else dict(version.need)
        self.counts = None if version is None else Matcher(version.counts)
        self.got: dict[str, int] = {}


class _Counter:
    """All periods of one quota that were asked for or had an event."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._pages: dict[date, _Page] = {}
        self._page_of_day: dict[date, _Page] = {}
        self.kinds = {match.event for v in quota.versions for match in v.counts}

    def page(self, period: Period) -> _Page:
        if period.kind is not self._quota.period:
            raise ValueError(
                f"quota {self._quota.id} is owed by the {self._quota.period}, not {period.code}"
            )
        page = self._pages.get(period.first)
        if page is None:
            last = period.last
            page = _Page(period.first, last, in_force(self._quota.versions, last))
            self._pages[period.first] = page
        return page

    def add(self, event: Event) -> None:
        if event.follow_up and event.kind is EventKind.SUBMISSION:
            return
        page = self._page_of_day.get(event.day)
        if page is None:
            page = self.page(Period.of(self._quota.period, event.day))
            self._page_of_day[event.day] = page
        if page.counts is not None and page.counts(event):
            for unit in units_of(event):
                page.got[unit] = page.got.get(unit, 0) + event.times
