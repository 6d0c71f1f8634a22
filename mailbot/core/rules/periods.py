"""Which month a submission counts in, and how working days are counted.

Office time is Asia/Shanghai whatever zone a moment comes in. What a working day is comes from
outside (`WorkingDay`), because holidays are decided anew each year. Quarters and scoring are not
this module's business.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from mailbot.core.rules.rulebook import WorkingDay

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
    that of the correction (OFFICES.md, "Decided for all")."""
    last = working_days_after(day_of(first_received), correction_days, is_working_day)
    if day_of(corrected_received) <= last:
        return month_of(first_received)
    return month_of(corrected_received)
