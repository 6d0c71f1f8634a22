"""What people put into a cell or behind an option, read as a day, a time, a number, a yes.

Pure. Total for any cell: what cannot be read is raised as `Wrong`, which says what was found and
what to write instead. Numbers stay Decimal; nothing here knows what a value is for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher

from mailbot.core.rules.numbers import plain
from mailbot.core.rules.periods import OFFICE_ZONE


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell that holds something no value can be taken from: an error, a formula never
    reckoned."""

    found: str
    remedy: str


Cell = str | Decimal | datetime | date | bool | Unreadable | None
"""What a file reader hands over; the command line gives text."""


class Wrong(ValueError):
    """A value that cannot be meant: what was found, what to do."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(found)
        self.found, self.remedy = found, remedy


_ALIKE = 0.5
LONGEST = 2_000
"""Characters of one value; a longer one is a text in the wrong cell."""
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0e-\x1f]")
_YES = frozenset(["是", "有", "对", "√", "✓", "✔", "y", "yes", "true", "1"])
_NO = frozenset(["否", "无", "不", "不是", "没有", "×", "✗", "✘", "x", "n", "no", "false", "0"])
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)")
_CLOCK = re.compile(
    r"[T\s]*(上午|下午|中午|晚上)?\s*(\d{1,2})\s*[:时点]\s*(?:(\d{1,2})\s*(?::(\d{1,2})(?:\.0+)?|分)?)?"
)
_YEARLESS = re.compile(r"\d{1,2}\s*[-/.月]\s*\d{1,2}\s*[日号]?")
_NUMBER = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,9})?|[+-]?\.\d{1,9}")
_SERIALS = (Decimal(36526), Decimal(73051))
"""Excel's numbers of 2000-01-01 and 2100-01-01 (1900 system): other numbers are no days here."""
_EPOCH = date(1899, 12, 30)
_WRITE_DAY = "写成 2026-08-03"


def read_text(cell: Cell) -> str:
    """One line, without blanks at its ends, inside as written; "" for an empty cell."""
    if isinstance(cell, Unreadable):
        raise Wrong(cell.found, cell.remedy)
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d" if cell.time() == time() else "%Y-%m-%d %H:%M")
    if isinstance(cell, date):
        return cell.isoformat()
    text = plain(cell) if isinstance(cell, Decimal) else _INVISIBLE.sub("", cell)
    text = " ".join(text.split())
    if len(text) > LONGEST:
        raise Wrong(f"有 {len(text)} 个字", f"这一格至多 {LONGEST} 个字")
    return text


def folded(cell: Cell) -> str:
    """The same without widths: for words and figures, never for titles."""
    return " ".join(unicodedata.normalize("NFKC", read_text(cell)).split())


def read_day(cell: Cell) -> date:
    """A day; a time beside it is let go."""
    return _moment(cell)[0]


def read_moment(cell: Cell) -> datetime:
    """A time in the office's zone; midnight where only the day is given."""
    day, clock = _moment(cell)
    return datetime.combine(day, clock, OFFICE_ZONE)


def _moment(cell: Cell) -> tuple[date, time]:
    if isinstance(cell, datetime):
        local = cell.astimezone(OFFICE_ZONE) if cell.tzinfo else cell
        return local.date(), local.time().replace(microsecond=0)
    if isinstance(cell, date):
        return cell, time()
    text = folded(cell)
    number = _as_number(text)
    if number is not None and _SERIALS[0] <= number < _SERIALS[1]:
        return _from_serial(number)
    found = _DAY.match(text) or _COMPACT.match(text)
    if found is None:
        if _YEARLESS.match(text):
            raise Wrong(f"日期“{text[:30]}”没有年份", _WRITE_DAY)
        raise Wrong(f"“{text[:30]}”不是日期", _WRITE_DAY)
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise Wrong(f"没有“{text[:30]}”这一天", "核对月份和日期") from None
    return day, _clock(text[found.end() :], text)


def _from_serial(number: Decimal) -> tuple[date, time]:
    days = int(number)
    seconds = int(((number - days) * 86_400).to_integral_value())
    moment = datetime.combine(_EPOCH + timedelta(days=days), time()) + timedelta(seconds=seconds)
    return moment.date(), moment.time()


def _clock(rest: str, whole: str) -> time:
    rest = re.sub(r"^\s*[（(]?(?:星期|周)[一二三四五六日天][)）]?", "", rest)
    if not rest.strip(" T"):
        return time()
    found = _CLOCK.fullmatch(rest.rstrip())
    if found is None:
        raise Wrong(f"看不懂时间“{whole[:40]}”", "写成 2026-08-03 15:20")
    half, hour, minute, second = found.groups()
    hours = int(hour)
    if half in ("下午", "晚上", "中午") and hours < (11 if half == "中午" else 12):
        hours += 12
    if half == "上午" and hours == 12:  # as Excel writes the hour after midnight
        hours = 0
    try:
        return time(hours, int(minute or 0), int(second or 0))
    except ValueError:
        raise Wrong(f"没有“{whole[:40]}”这个时间", "写成 2026-08-03 15:20") from None


def read_number(cell: Cell) -> Decimal:
    """A number as written, without rounding. 分 or 条 may stand behind it, never a comma inside:
    1,5 is one and a half to some and fifteen to others."""
    if isinstance(cell, bool):
        raise Wrong("这里是“是/否”，应当是数字", "写数字，例如 12.5")
    text = folded(cell).replace("−", "-").replace("—", "-").replace(" ", "")
    number = _as_number(re.sub(r"[分条人次名个]+$", "", text))
    if number is None:
        raise Wrong(f"“{text[:30]}”不是数字", "只写数字，例如 12.5")
    return number


def _as_number(text: str) -> Decimal | None:
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def read_count(cell: Cell) -> int:
    """A whole number from 1."""
    number = read_number(cell)
    if number != number.to_integral_value() or not 1 <= number <= 100_000:
        raise Wrong(f"“{plain(number)}”不是合理的数量", "写从 1 起的整数")
    return int(number)


def read_part(cell: Cell) -> Decimal:
    """A part of one: 0.6, 60%."""
    text = folded(cell).replace(" ", "")
    if text.endswith("%"):
        return read_number(text[:-1]) / 100
    return read_number(text)


def read_yes(cell: Cell) -> bool:
    text = folded(cell).lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise Wrong(f"“{text[:30]}”不是“是”或“否”", "写 是 或 否")


def read_list(cell: Cell) -> tuple[str, ...]:
    """Names between 、，；or a line's end; each once."""
    parts = re.split(r"[、，,;；|/]+", read_text(cell))
    return tuple(dict.fromkeys(p.strip() for p in parts if p.strip()))


def near(found: str, known: Iterable[str], what: str = "可以写") -> str:
    """“是不是……？” with the likest known word, two where they are equally like; else all of them,
    if they are few."""
    options = list(dict.fromkeys(known))
    if close := likest(found, options):
        return f"是不是 {' 或 '.join(close)}？"
    listed = "、".join(options[:20]) + ("等" if len(options) > 20 else "")
    return (
        f"{what}：{listed}"
        if options
        else "本办公室的规则里一个也没有，不能这样登记；要用先写进规则文件"
    )


def likest(found: str, known: Sequence[str]) -> list[str]:
    """The likest of the known words, with a second one that is as like; none where none is."""
    scored = sorted(((SequenceMatcher(None, w, found).ratio(), w) for w in known), reverse=True)
    close = [(ratio, word) for ratio, word in scored[:2] if ratio >= _ALIKE]
    return [word for ratio, word in close if ratio > close[0][0] - 0.05]
