"""What is due in 2026, by plain code: the State Council's schedule copied by hand, and `letters.toml`
read as it stands. Nothing of mailbot is used here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
_FREE = (
    ("01-01", "01-03"), ("02-15", "02-23"), ("04-04", "04-06"), ("05-01", "05-05"),
    ("06-19", "06-21"), ("09-25", "09-27"), ("10-01", "10-07"),
)  # fmt: skip
"""国务院办公厅关于2026年部分节假日安排的通知: 元旦、春节、清明、劳动、端午、中秋、国庆, first and last
day."""
_MADE_UP = ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")
"""调休上班."""
_NEW_YEAR = date(2027, 1, 1)
"""The office has entered it in its own file."""


def is_working_day(day: date) -> bool:
    if day == _NEW_YEAR:
        return False
    if day.year == 2026:
        written = f"{day:%m-%d}"
        if written in _MADE_UP:
            return True
        if any(first <= written <= last for first, last in _FREE):
            return False
    return day.weekday() < 5


def working_day(end: date, number: int) -> date:
    """1 is the first working day after the day, -1 the last one on or before it."""
    day = end if number < 0 else end + DAY
    step, left = (-DAY, -number) if number < 0 else (DAY, number)
    while True:
        if is_working_day(day):
            left -= 1
            if not left:
                return day
        day += step


def _months(kind: str) -> int:
    return {"month": 1, "quarter": 3, "half": 6, "year": 12}[kind]


def _periods(kind: str, first: date, last: date) -> Iterator[tuple[str, date]]:
    """Code and last day of each period that ends in reach of the days."""
    size = _months(kind)
    for year in range(first.year - 1, last.year + 1):
        for number in range(1, 12 // size + 1):
            following = number * size + 1
            end = (date(year + following // 13, (following - 1) % 12 + 1, 1)) - DAY
            code = {
                "month": f"{year}-{number:02}",
                "quarter": f"{year}-Q{number}",
                "half": f"{year}-H{number}",
                "year": f"{year}",
            }[kind]
            yield code, end


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, SHANGHAI)


def due_keys(
    offices: Path,
    office: str,
    since: datetime,
    until: datetime,
    given: Mapping[str, Sequence[date]] | None = None,
) -> dict[str, datetime]:
    """Key and moment of everything that is due after `since` and up to `until`. `given`: by letter,
    the days on which tasks or commissions fall due that units were given well before."""
    rules = tomllib.loads((offices / office / "letters.toml").read_text("utf-8"))
    quotas = tomllib.loads((offices / office / "quota.toml").read_text("utf-8"))["quota"]
    period_of = {quota["id"]: quota["period"] for quota in quotas}
    found: dict[str, datetime] = {}
    for letter in rules["letter"]:
        for about, stage, day in _occasions(letter, period_of, since, until, given or {}):
            moment = _moment(day, stage["at"])
            if since < moment <= until:
                found[f"{letter['id']}:{office}:{about}:{stage['id']}"] = moment
    return found


def _occasions(
    letter: Mapping[str, Any],
    period_of: Mapping[str, str],
    since: datetime,
    until: datetime,
    given: Mapping[str, Sequence[date]],
) -> Iterator[tuple[str, Mapping[str, Any], date]]:
    """What each firing is about, its stage and its day."""
    match letter["kind"]:
        case "digest":
            day = since.date()
            while day <= until.date():
                if is_working_day(day):
                    for stage in letter["stages"]:
                        yield day.isoformat(), stage, day
                day += DAY
        case "news":
            assert letter["news"] == "off", "no office sends news as shipped"
        case "tasks" | "commissions":
            for day in given.get(letter["id"], ()):
                for stage in letter["stages"]:
                    yield day.isoformat(), stage, working_day(day, stage["days"])
        case "reminder" | "result" | "notice":
            kind = letter["period"] if letter["kind"] == "notice" else period_of[letter["quota"]]
            for code, end in _periods(kind, since.date(), until.date()):
                for stage in letter["stages"]:
                    yield code, stage, working_day(end, stage["days"])
