"""Which days are working days: the State Council's schedule, corrected by the office's own file.

The schedule comes from the `chinesecalendar` package, which knows the years announced when it was
released. Beyond them Monday to Friday stand in, and `warnings` says so weeks ahead: a fallback that
is stated, never silent. The office's `holidays.toml` overrides both:

    complete_until = 2027-12-31     # optional: every special day up to here is entered; a year
                                    # without any holiday is not believed
    [[day]]
    date = 2027-01-01
    kind = "holiday"                # or "workday" (调休上班)
    name = "元旦"
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
from chinese_calendar.constants import holidays as KNOWN_HOLIDAYS

from mailbot.adapters.offices.opening import open_source
from mailbot.adapters.offices.tablereader import STAND_IN_DATE
from mailbot.adapters.toml.file import read_bytes
from mailbot.app.errors import OperatorFault

NOTICE = timedelta(weeks=8)
"""How long before the end of coverage people are told: the schedule of the next year is usually
announced from late October to late November."""
KINDS = {"holiday": False, "workday": True}
SATURDAY = 5
SHIPPED_UNTIL = date(max(KNOWN_HOLIDAYS).year, 12, 31)
"""The last day that the package knows."""


class WorkingCalendar:
    """Working days of one office. `overrides` is its holidays.toml, None for none.

    Raises `OperatorFault` with every fault of that file, also when it is not there.
    """

    def __init__(self, overrides: Path | None) -> None:
        self._days: dict[date, bool] = {}
        self._asked: dict[date, bool] = {}
        self._covered = SHIPPED_UNTIL
        self._file = str(overrides) if overrides else "config/holidays.toml"
        if overrides is not None:
            self._days, complete = _read(overrides)
            self._covered = max(self._covered, complete or self._covered)

    @property
    def covered_until(self) -> date:
        """The last day whose schedule is known."""
        return self._covered

    def is_working_day(self, day: date) -> bool:
        known = self._asked.get(day)  # every minute the same days are asked about
        if known is None:
            known = self._asked[day] = self._find(day)
        return known

    def _find(self, day: date) -> bool:
        if day in self._days:
            return self._days[day]
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            return day.weekday() < SATURDAY

    def warnings(self, today: date) -> list[str]:
        """What the office should know, in Chinese; empty while coverage lasts eight weeks more."""
        if today + NOTICE <= self._covered:
            return []
        following = self._covered + timedelta(days=1)
        state = "已经没有" if today > self._covered else "即将没有"
        return [
            f"{state}节假日安排：已知的安排到 {self._covered.isoformat()} 为止，"
            f"从 {following.isoformat()} 起只按周一至周五算工作日（另加 {self._file} 里写明的日子）。"
            f"请按国务院办公厅的放假通知把 {following.year} 年的放假和调休上班日写进 {self._file}，"
            f"写全后加一行 complete_until = {following.year}-12-31；或升级 chinesecalendar 软件包。"
        ]


def _read(path: Path) -> tuple[dict[date, bool], date | None]:
    """Overrides by day, and the day up to which the office says they are complete."""
    source = open_source(read_bytes(path), str(path))
    root = source.root()
    complete = root.maybe_day("complete_until")
    days: dict[date, bool] = {}
    for table in root.tables("day"):
        day = table.day("date")
        kind = table.choice("kind", KINDS)
        table.text("name")
        table.close()
        if day in days and day != STAND_IN_DATE:
            table.fault("date", f"{day} 写了两次", "每天只写一次")
        days[day] = KINDS[kind]
    if complete is not None:
        with_holidays = {day.year for day, working in days.items() if not working}
        years = range(SHIPPED_UNTIL.year + 1, complete.year + 1)
        if empty := next((y for y in years if y not in with_holidays), 0):
            root.fault(
                "complete_until",
                f"写着安排已写全到 {complete}，但文件里没有 {empty} 年的放假日",
                f"先写上 {empty} 年的放假日和调休上班日，或把这一行改到已写全的那一天",
            )
    root.close()
    if source.faults:
        raise OperatorFault(*source.faults)
    return days, complete
