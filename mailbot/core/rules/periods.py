"""Periods, which month a submission counts in, and how working days are counted.

Office time is Asia/Shanghai whatever zone a moment comes in. What a working day is comes from
outside (`WorkingDay`), because holidays are decided anew each year.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

WorkingDay = Callable[[date], bool]
"""Is this a working day? Comes from the holiday calendar with the office's overrides."""

OFFICE_ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Fixed: China has kept UTC+8 without summer time since 1992, and the core reads no zone files."""

LONGEST_BREAK = 60
"""Days without a single working day after which the calendar itself is taken to be wrong; the
longest break the State Council ever ordered is under two weeks."""


def day_of(moment: datetime) -> date:
    """The office's calendar day. Raises ValueError for a naive moment."""
    if moment.tzinfo is None:
        raise ValueError(f"naive moment {moment.isoformat()}: the time zone is not known")
    return moment.astimezone(OFFICE_ZONE).date()


def month_of(moment: datetime) -> date:
    """First day of the office's calendar month. Raises ValueError for a naive moment."""
    return day_of(moment).replace(day=1)


def working_days_after(start: date, n: int, is_working_day: WorkingDay) -> date:
    """The n-th working day after `start`, which itself never counts; `start` for 0.

    Raises ValueError when n is negative or the calendar knows no working day for two months.
    """
    if n < 0:
        raise ValueError(f"cannot count {n} working days forward")
    day, idle = start, 0
    while n:
        day += timedelta(days=1)
        if is_working_day(day):
            n, idle = n - 1, 0
        else:
            idle += 1
            if idle > LONGEST_BREAK:
                raise ValueError(f"no working day in the {LONGEST_BREAK} days before {day}")
    return day


def counting_month(
    first_received: datetime,
    corrected_received: datetime,
    correction_days: int,
    is_working_day: WorkingDay,
) -> date:
    """The month (its first day) in which a corrected submission counts: that of its first mail
    when the correction came by the end of the `correction_days`-th working day after it, else
    that of the correction."""
    last = working_days_after(day_of(first_received), correction_days, is_working_day)
    if day_of(corrected_received) <= last:
        return month_of(first_received)
    return month_of(corrected_received)


class PeriodKind(StrEnum):
    """What is counted over. Weeks are ISO weeks and belong to the year of their Thursday; the
    other kinds nest."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF = "half"
    YEAR = "year"


_MONTHS = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.HALF: 6, PeriodKind.YEAR: 12}
_NUMERALS = "一二三四"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A week, month, quarter, half-year or year. `Period.of` and `Period.parse` make valid ones;
    `first` is always its first day."""

    first: date
    kind: PeriodKind

    @classmethod
    def of(cls, kind: PeriodKind, day: date) -> Period:
        """The period of that kind the day lies in."""
        if kind is PeriodKind.WEEK:
            return cls(day - timedelta(days=day.weekday()), kind)
        months = _MONTHS[kind]
        return cls(date(day.year, (day.month - 1) // months * months + 1, 1), kind)

    @classmethod
    def parse(cls, text: str) -> Period:
        """2026-08, 202608, 2026年8月, 2026-Q3, 2026年第三季度, 2026-H1, 2026年上半年, 2026, 2026年,
        2026-W32. Raises ValueError for anything else."""
        plain = text.strip().upper().replace("/", "-").replace(".", "-").replace(" ", "")
        for kind, pattern in _WRITTEN:
            if found := re.fullmatch(pattern, plain):
                year, number = int(found[1]), _ordinal(found[2]) if found.re.groups > 1 else 1
                if kind is PeriodKind.WEEK:
                    return cls(date.fromisocalendar(year, number, 1), kind)
                return cls(date(year, (number - 1) * _MONTHS[kind] + 1, 1), kind)
        raise ValueError(f"not a period: {text!r}")

    @property
    def last(self) -> date:
        return self.next().first - timedelta(days=1)

    @property
    def code(self) -> str:
        """2026-08, 2026-Q3, 2026-H2, 2026, 2026-W32."""
        year, number = self.first.year, self._number
        match self.kind:
            case PeriodKind.WEEK:
                iso = self.first.isocalendar()
                return f"{iso.year}-W{iso.week:02d}"
            case PeriodKind.MONTH:
                return f"{year}-{number:02d}"
            case PeriodKind.QUARTER:
                return f"{year}-Q{number}"
            case PeriodKind.HALF:
                return f"{year}-H{number}"
        return str(year)

    @property
    def name(self) -> str:
        """As notices write it: 2026年8月, 2026年第三季度, 2026年上半年, 2026年, 2026年第32周."""
        year, number = self.first.year, self._number
        match self.kind:
            case PeriodKind.WEEK:
                iso = self.first.isocalendar()
                return f"{iso.year}年第{iso.week}周"
            case PeriodKind.MONTH:
                return f"{year}年{number}月"
            case PeriodKind.QUARTER:
                return f"{year}年第{_NUMERALS[number - 1]}季度"
            case PeriodKind.HALF:
                return f"{year}年{'上下'[number - 1]}半年"
        return f"{year}年"

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last

    def next(self) -> Period:
        if self.kind is PeriodKind.WEEK:
            return Period(self.first + timedelta(days=7), self.kind)
        month = self.first.month - 1 + _MONTHS[self.kind]
        return Period(date(self.first.year + month // 12, month % 12 + 1, 1), self.kind)

    def previous(self) -> Period:
        return Period.of(self.kind, self.first - timedelta(days=1))

    def parts(self, kind: PeriodKind) -> tuple[Period, ...]:
        """The periods of a smaller kind whose last day lies in this one, in order."""
        found, part = [], Period.of(kind, self.first)
        while part.last <= self.last:
            found.append(part)
            part = part.next()
        return tuple(found)

    @property
    def _number(self) -> int:
        return (self.first.month - 1) // _MONTHS.get(self.kind, 1) + 1


_WRITTEN = (
    (PeriodKind.WEEK, r"(\d{4})-?W(0?[1-9]|[1-4]\d|5[0-3])"),
    (PeriodKind.WEEK, r"(\d{4})年第(0?[1-9]|[1-4]\d|5[0-3])周"),
    (PeriodKind.QUARTER, r"(\d{4})-?Q([1-4])"),
    (PeriodKind.QUARTER, r"(\d{4})年第?([1-4一二三四])季度"),
    (PeriodKind.HALF, r"(\d{4})-?H([12])"),
    (PeriodKind.HALF, r"(\d{4})年([上下])半年"),
    (PeriodKind.MONTH, r"(\d{4})-?(0[1-9]|1[0-2])"),
    (PeriodKind.MONTH, r"(\d{4})-([1-9])"),
    (PeriodKind.MONTH, r"(\d{4})年(0?[1-9]|1[0-2])月"),
    (PeriodKind.YEAR, r"(\d{4})年?"),
)


def _ordinal(text: str) -> int:
    for words in (_NUMERALS, "上下"):
        if text in words:
            return words.index(text) + 1
    return int(text)
