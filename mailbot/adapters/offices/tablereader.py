"""Reads values out of parsed TOML and collects every fault instead of stopping at the first.

A `Table` is one table of a file. Each getter returns a value of the right type whatever stands
there: on a fault it notes what was found and what was expected, and returns a neutral stand-in, so
that reading goes on. Callers must throw the result away when `faults` is not empty. `close()`
reports the keys nobody asked for, with the nearest known name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeVar

from mailbot.app.errors import Fault
from mailbot.core.rules.periods import Period

T = TypeVar("T")
Path = tuple[str | int, ...]
STAND_IN_DATE = date(1, 1, 1)
LONGEST_TEXT = 2_000
MOST_POINTS = 100_000
"""A larger number is a slip of the finger."""
OLDEST_YEAR, LAST_YEAR = 1990, 2099
"""Years that rules and events may speak of; anything else is a slip of the finger."""
_ID = re.compile(r"[\w.-]{1,64}")


@dataclass
class TomlSource:
    """One parsed file, what is wrong with it, and where each key stands in its text."""

    where: str
    data: dict[str, Any]
    text: str
    faults: list[Fault] = field(default_factory=list)
    _places: dict[Path, int] | None = None

    def root(self, label: str = "") -> Table:
        return Table(self, self.data, (), label)

    def add(self, path: Path, label: str, found: str, expected: str) -> None:
        if self._places is None:
            self._places = _key_lines(self.text)
        line = next(
            (self._places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._places), 0
        )
        place = f"{self.where} 第 {line} 行" if line else self.where
        self.faults.append(Fault(f"{place} {label}".rstrip(), found, expected))


class Table:
    """One TOML table. `label` is how people find it: `[[unit]] 第 3 个（农牧局）`."""

    def __init__(self, source: TomlSource, data: Mapping[str, Any], path: Path, label: str) -> None:
        self.source, self.data, self.path, self.label = source, data, path, label
        self._asked: dict[str, None] = {}

    # --- single values

    def text(self, key: str, default: str | None = None, *, longest: int = LONGEST_TEXT) -> str:
        """One line of text, stripped. Required unless a default is given."""
        value = self._get(key, default is None, "加引号的文字")
        if value is None:
            return default or ""
        if not isinstance(value, str):
            return self._wrong(key, value, f'加半角引号的文字，例如 "{_plain(value)}"', "")
        return self._line(key, value, longest, empty=default == "")

    def identifier(self, key: str) -> str:
        """A short name without spaces that other tables refer to."""
        value = self.text(key)
        if value and not _ID.fullmatch(value):
            self.fault(
                key, f"“{value}”不能作标识", "只用字母、数字、下划线、短横，不带空格，至多 64 个"
            )
        return value

    def day(self, key: str) -> date:
        """A required day."""
        return self.maybe_day(key, required=True) or STAND_IN_DATE

    def maybe_day(self, key: str, *, required: bool = False) -> date | None:
        value = self._get(key, required, "日期，例如 2022-07-06")
        if value is None:
            return None
        if isinstance(value, datetime):
            return self._wrong(key, value, f"只写日期：{value.date().isoformat()}", None)
        if not isinstance(value, date):
            hint = (
                f"不加引号的日期：{value}" if _is_iso(value) else "不加引号的日期，例如 2022-07-06"
            )
            return self._wrong(key, value, hint, None)
        return value

    def recent_day(self, key: str, *, required: bool = True) -> date | None:
        """A day of the years that rules speak of; None when it is absent or wrong."""
        day = self.maybe_day(key, required=required)
        if day is None or OLDEST_YEAR <= day.year <= LAST_YEAR:
            return day
        self.fault(key, f"{day} 年份不对", f"{OLDEST_YEAR} 到 {LAST_YEAR} 年之间的日期")
        return None

    def time_of_day(self, key: str) -> time:
        """A required time; midnight after a fault."""
        value = self._get(key, True, "时间，例如 09:00:00")
        if value is None or isinstance(value, time):
            return value or time()
        hint = "不加引号，写到秒，例如 09:00:00"
        return self._wrong(key, value, hint, time())

    def number(
        self, key: str, default: int | None = None, *, least: int = 0, most: int = 1_000_000
    ) -> int:
        """A whole number between `least` and `most`. Required unless a default is given."""
        value = self._get(key, default is None, "整数")
        if value is None:
            return default or 0
        return self.as_number(key, value, least, most)

    def as_number(self, key: str, value: object, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            return self._wrong(key, value, "整数，不加引号，不带小数", 0)
        if not least <= value <= most:
            self.fault(key, f"{_plain(value)} 超出范围", f"{least} 到 {most} 之间的整数")
        return value

    def decimal(
        self,
        key: str,
        *,
        required: bool = True,
        least: Decimal | int = -MOST_POINTS,
        most: Decimal | int = MOST_POINTS,
        places: int = 4,
    ) -> Decimal | None:
        """A number with at most `places` decimals; None when it is absent or wrong. Never a float:
        a point must be what the document says, to the last digit."""
        value = self._get(key, required, "数字")
        return None if value is None else self.as_decimal(key, value, least, most, places)

    def as_decimal(
        self, key: str, value: object, least: Decimal | int, most: Decimal | int, places: int = 4
    ) -> Decimal | None:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return self._wrong(key, value, "数字，不加引号", None)
        found = Decimal(value)
        if not found.is_finite():
            return self._wrong(key, value, "写明的数字，例如 2.5", None)
        if not least <= found <= most:
            self.fault(key, f"{_plain(value)} 超出范围", f"{least} 到 {most} 之间的数字")
            return None
        exponent = int(found.as_tuple().exponent)
        if exponent > 0 or -exponent > places:
            expected = f"不用指数，小数至多 {places} 位，例如 2.5"
            self.fault(key, f"数字的写法 {_plain(value)} 不行", expected)
            return None
        return found

    def flag(self, key: str, default: bool = False) -> bool:
        value = self._get(key, False, "true 或 false")
        if value is None:
            return default
        if not isinstance(value, bool):
            return self._wrong(key, value, "true 或 false，不加引号", default)
        return value

    def choice(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        """One of the known words; the first of them after a fault."""
        value = self.text(key, default)
        options = [str(k) for k in known]
        if value in options:
            return value
        if value:
            self.fault(key, f"不认识“{value}”", nearest(value, options))
        return options[0]

    def period(self, key: str) -> Period | None:
        """A required period, written 2022-Q3 or 2022年第三季度; None when it is absent or wrong."""
        written = self.text(key)
        return self.as_period(key, written) if written else None

    def as_period(self, key: str, written: str) -> Period | None:
        try:
            period = Period.parse(written)
        except ValueError:
            self.fault(key, f"“{written}”不是时段", "写成 2022-07、2022-Q3、2022-H2 或 2022")
            return None
        if not OLDEST_YEAR <= period.first.year <= LAST_YEAR:
            self.fault(key, f"“{written}”年份不对", f"{OLDEST_YEAR} 到 {LAST_YEAR} 年之间的时段")
            return None
        return period

    # --- lists and tables

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of one-line texts; a repeated one is kept once. A required list is not empty."""
        value = self._get(key, required, "文字列表")
        if value is None:
            return ()
        if not isinstance(value, list):
            return self._wrong(key, value, '列表，例如 ["甲", "乙"]', ())
        if required and not value:
            self.fault(key, "列表是空的", "至少写一项")
        return tuple(dict.fromkeys(self.each_text(key, value)))

    def each_text(self, key: str, values: Sequence[object], first: int = 1) -> Iterable[str]:
        for number, value in enumerate(values, first):
            name = f"{key} 第 {number} 项"
            if isinstance(value, str):
                if line := self._line(name, value, LONGEST_TEXT):
                    yield line
            else:
                self._wrong(name, value, f'加半角引号的文字，例如 "{_plain(value)}"', None)

    def list_of(self, key: str) -> list[Any]:
        """A list whose items the caller checks."""
        value = self._get(key, False, "列表")
        if value is not None and not isinstance(value, list):
            return self._wrong(key, value, '列表，例如 ["甲", "乙"]', [])
        return value or []

    def table(self, key: str) -> Table:
        """A required table, empty after a fault."""
        value = self._get(key, True, f"表 [{key}]")
        if value is not None and not isinstance(value, dict):
            self._wrong(key, value, f"表 [{key}]", None)
        inner = value if isinstance(value, dict) else None
        child = Table(self.source, inner or {}, (*self.path, key), self._join(f"[{key}]"))
        child.stand_in = inner is None
        return child

    def tables(self, key: str, *, required: bool = False) -> list[Table]:
        """The tables of [[key]]; at least one when required."""
        dotted = self.dotted(key)
        value = self._get(key, required, f"至少一个 [[{dotted}]]")
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            hint = f"双方括号的表 [[{dotted}]]" + (
                "（单方括号只能写一个）" if isinstance(value, dict) else ""
            )
            return self._wrong(key, value, hint, [])
        if required and not value:
            self.fault(key, "列表是空的", f"至少写一个 [[{dotted}]]")
        return [
            Table(self.source, item, (*self.path, key, n), self._join(_nth(dotted, n, item)))
            for n, item in enumerate(value)
        ]

    def dotted(self, key: str) -> str:
        """The key as a header names it: rule.version.line."""
        return ".".join(part for part in (*self.path, key) if isinstance(part, str))

    stand_in = False
    """True for a table that is not there: its own keys are then not reported as missing too."""

    def offer(self, *keys: str) -> None:
        """Keys that may stand here, asked for or not: `close` then knows them."""
        self._asked.update(dict.fromkeys(keys))

    def forgive(self) -> None:
        """Asks for every key: what stands there cannot be judged, or was judged already."""
        self._asked.update(dict.fromkeys(self.data))

    def close(self) -> None:
        """Reports every key that was never asked for."""
        for key in self.data:
            if key not in self._asked:
                self.fault(key, f"不认识的键 {key}", nearest(key, self._asked, "可用的键"))

    # --- faults

    def fault(self, key: str, found: str, expected: str) -> None:
        bare = key.split(" ")[0]
        self.source.add((*self.path, bare), self._join(key), found, expected)

    def _get(self, key: str, required: bool, expected: str) -> Any:
        self._asked[key] = None
        if key in self.data:
            return self.data[key]
        if required and not self.stand_in:
            close = get_close_matches(key, [k for k in self.data if k not in self._asked], 1, 0.75)
            hint = f"（是不是把 {key} 写成了 {close[0]}？）" if close else ""
            self.fault(key, f"缺少 {key}{hint}", f"补上：{expected}")
        return None

    def _wrong(self, key: str, value: object, expected: str, stand_in: T) -> T:
        self.fault(key, f"是{_kind(value)} {_plain(value)}", expected)
        return stand_in

    def _line(self, key: str, value: str, longest: int, *, empty: bool = False) -> str:
        line = value.strip()
        if not line and not empty:
            self.fault(key, "是空的", "写上内容，或整行删掉")
        elif len(line) > longest:
            self.fault(key, f"有 {len(line)} 个字", f"至多 {longest} 个字")
        elif any(ord(c) < 32 or ord(c) == 127 for c in line):
            self.fault(key, "里面有换行或控制字符", "写在一行里")
        return line

    def _join(self, name: str) -> str:
        return f"{self.label} {name}".strip()


def nearest(found: str, known: Iterable[str], what: str = "可用的有") -> str:
    """“是不是……” with the nearest known word, else the list of them."""
    options = sorted(set(known))
    if close := get_close_matches(found, options, 1, 0.6):
        return f"是不是 {close[0]}？"
    listed = "、".join(options[:20]) + (" 等" if len(options) > 20 else "")
    return f"{what}：{listed}" if options else "删掉"


def _nth(key: str, index: int, item: Mapping[str, Any]) -> str:
    name = item.get("name") or item.get("id") or item.get("from") or ""
    shown = f"（{name}）" if isinstance(name, str | date) and name else ""
    return f"[[{key}]] 第 {index + 1} 个{shown}"


def _kind(value: object) -> str:
    for kinds, name in _KINDS:
        if isinstance(value, kinds):
            return name
    return type(value).__name__


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "是否值"),
    (int, "数字"),
    ((float, Decimal), "小数"),
    (str, "文字"),
    (datetime, "日期时间"),
    (date, "日期"),
    (time, "时间"),
    (list, "列表"),
    (dict, "表"),
)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{…}"
    if isinstance(value, list):
        return "[…]" if value else "[]"
    try:
        return str(value)[:40]
    except ValueError:  # a number of thousands of digits, written in another base
        return "（数字太长）"


def _is_iso(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value.strip()))
    except ValueError:
        return False


# --- where a key stands -----------------------------------------------------------------------

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\- ]+?)\s*\]")
_KEY = re.compile(r"^\s*\"?([\w.-]+)\"?\s*=")


def _key_lines(text: str) -> dict[Path, int]:
    """Lines of all headers and plain keys. Good enough to point a finger: keys inside multi-line
    strings may be taken for real ones, which only matters for the line number shown."""
    places: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    current: Path = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(line):
            parts = [p.strip() for p in header.group(2).split(".")]
            current = ()
            for part in parts[:-1]:
                current = (*current, part)
                places.setdefault(current, number)
                if current in counts:
                    current = (*current, counts[current])
            current = (*current, parts[-1])
            if header.group(1) == "[[":
                counts[current] = counts.get(current, -1) + 1
                places.setdefault(current, number)
                current = (*current, counts[current])
            places.setdefault(current, number)
        elif key := _KEY.match(line):
            path = current
            for part in key.group(1).split("."):
                path = (*path, part)
                places.setdefault(path, number)
    return places
