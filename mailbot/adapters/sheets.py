"""Tables for people: CSV and XLSX that open well in Excel and WPS in China and run nothing.

A cell that Excel would take for a formula (`=`, `+`, `-`, `@`, their full-width forms, TAB, CR, LF
at the start) is text here: in CSV it gets a leading apostrophe, in XLSX it is written as a string.
`unguarded` takes the apostrophe off again, so a CSV reads back exactly. Numbers stay numbers.

Files are written beside their target and renamed: a reader sees the old file or the whole new one.
"""

from __future__ import annotations

import csv
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from mailbot.adapters.system import SHANGHAI

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

Cell = str | int | float | Decimal | bool | datetime | date | Sequence[str] | None
"""A sequence is shown joined by 、; an aware time as Shanghai wall time."""

MAX_TEXT = 32_767
"""Characters in a cell, and rows in a sheet (ECMA-376; Excel specifications and limits)."""
MAX_ROWS = 1_048_576
_MIN_WIDTH, _MAX_WIDTH = 8, 60

_INVISIBLE = r"\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LEAD = re.compile(rf"'*([{_INVISIBLE}]*)(.?)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook. `rows` is read once, row by row."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    title: str = ""
    """A line above the header; of workbooks only, a CSV is for programs."""


def guarded(text: str) -> str:
    """The text as it may stand in a CSV cell."""
    return "'" + text if _looks_like_formula(text) else text


def unguarded(cell: str) -> str:
    """What `guarded` was given."""
    return cell[1:] if cell.startswith("'") and _looks_like_formula(cell) else cell


def _looks_like_formula(text: str) -> bool:
    """Leading apostrophes are looked through, so that guarding can be undone; white space and
    invisible characters, because some programs trim them."""
    lead = _LEAD.match(text)
    if lead is None:
        return False
    blank, first = lead.groups()
    if blank[:1] in ("\t", "\r", "\n"):
        return True
    return bool(first) and unicodedata.normalize("NFKC", first)[:1] in ("=", "+", "-", "@", "−")


def write_csv(target: Path | TextIO, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """UTF-8 with BOM (without it Excel in China reads GBK), CRLF (RFC 4180). How many rows.

    A stream is written as it is and must encode UTF-8; a path is replaced as a whole."""
    if not isinstance(target, Path):
        return _csv_to(target, header, rows)
    with (
        replacing(target) as tmp,
        tmp.open("w", encoding="utf-8", errors="replace", newline="") as stream,
    ):
        return _csv_to(stream, header, rows)


def _csv_to(stream: TextIO, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    stream.write("\ufeff")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([guarded(h) for h in header])
    count = 0
    for row in rows:
        writer.writerow([_csv_cell(c) for c in row])
        count += 1
    return count


def _csv_cell(cell: Cell) -> str | int | float | Decimal:
    value = _plain(cell)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return guarded(value) if isinstance(value, str) else value


def _plain(cell: Cell) -> str | int | float | Decimal | datetime | date:
    """None is empty, a truth value a word, a list one text, a time local and without zone."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, datetime):
        return cell.astimezone(SHANGHAI).replace(tzinfo=None) if cell.tzinfo else cell
    if isinstance(cell, str):
        return _CONTROL.sub("", str(cell))
    if isinstance(cell, int | float | Decimal | date):
        return cell
    return _CONTROL.sub("", "、".join(cell))


def write_xlsx(path: Path, sheets: Sequence[Sheet]) -> int:
    """A workbook with frozen, filtered header rows and dates as dates; memory does not grow with
    the rows. How many rows in all. Raises ValueError when a sheet has more rows than fit."""
    import xlsxwriter  # here: most who import this module write no workbook

    count = 0
    with replacing(path) as tmp:
        book = xlsxwriter.Workbook(
            str(tmp),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "nan_inf_to_errors": True,
            },
        )
        formats = _Formats(
            title=book.add_format({"bold": True}),
            head=book.add_format({"bold": True, "bg_color": "#DDE7F0", "border": 1}),
            day=book.add_format({"num_format": "yyyy-mm-dd"}),
            time=book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        )
        taken: set[str] = set()
        for sheet in sheets:
            page = book.add_worksheet(_sheet_name(sheet.name, taken))
            count += _fill(page, sheet, formats)
        book.close()
    return count


@dataclass(frozen=True, slots=True)
class _Formats:
    title: Format
    head: Format
    day: Format
    time: Format


def _fill(page: Worksheet, sheet: Sheet, formats: _Formats) -> int:
    widths = [_width(h) + 4 for h in sheet.header]  # room for the filter's button
    top = 0
    if sheet.title:
        page.write_string(0, 0, str(_plain(sheet.title)), formats.title)
        top = 1
    for column, title in enumerate(sheet.header):
        page.write_string(top, column, title, formats.head)
    number = top
    for number, row in enumerate(sheet.rows, start=top + 1):
        if number >= MAX_ROWS:
            raise ValueError(f"more than {MAX_ROWS - 1 - top} rows do not fit on a sheet")
        for column, cell in enumerate(row):
            shown = _write_cell(page, number, column, _plain(cell), formats)
            if column == len(widths):
                widths.append(_MIN_WIDTH)
            widths[column] = max(widths[column], shown)
    for column, width in enumerate(widths):
        page.set_column(column, column, min(max(width, _MIN_WIDTH), _MAX_WIDTH))
    page.freeze_panes(top + 1, 0)
    if sheet.header:
        page.autofilter(top, 0, number, len(sheet.header) - 1)
    return number - top


def _write_cell(
    page: Worksheet,
    row: int,
    column: int,
    value: str | int | float | Decimal | datetime | date,
    formats: _Formats,
) -> int:
    """Writes by the value's own type, never by what a text looks like; the width it takes."""
    if isinstance(value, str):
        text = value.encode("utf-8", "replace").decode("utf-8")
        if len(text) > MAX_TEXT:
            text = text[: MAX_TEXT - 1] + "…"
        if text:
            page.write_string(row, column, text)
        return _width(text)
    if isinstance(value, datetime):
        page.write_datetime(row, column, value, formats.time)
        return 17
    if isinstance(value, date):
        page.write_datetime(row, column, value, formats.day)
        return 11
    if isinstance(value, int) and abs(value) >= 10**15:
        page.write_string(row, column, str(value))  # Excel keeps 15 digits of a number
    else:
        page.write_number(row, column, value)
    return len(str(value)) + 1


def _width(text: str) -> int:
    """Columns of the first line: a Chinese character takes two."""
    line = text.split("\n", 1)[0][:_MAX_WIDTH]
    return 1 + sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in line)


def _sheet_name(name: str, taken: set[str]) -> str:
    """At most 31 characters, none of []:*?/\\, not quoted, each name once whatever its case."""
    base = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", name).strip("' ")[:31] or "表"
    candidate, number = base, 2
    while candidate.lower() in taken or candidate.lower() == "history":
        tail = f"({number})"
        candidate, number = base[: 31 - len(tail)] + tail, number + 1
    taken.add(candidate.lower())
    return candidate


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; renamed over it, fsynced, when the block ends well, removed
    when it does not. An existing file keeps its mode; a new one gets the user's usual one."""
    tmp = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        fd = os.open(tmp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            if path.is_file():
                os.fchmod(fd, path.stat().st_mode & 0o777)
        finally:
            os.close(fd)
        yield tmp
        _fsync(tmp)
        tmp.replace(path)
        _fsync(path.parent)
    finally:
        tmp.unlink(missing_ok=True)


def _fsync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
