"""Reads the tables people send back: XLSX and CSV, whatever their program made of them.

Promises: a file that is no such table, or is larger than a table people fill in, is refused before
anything is unpacked, with what to do; what is in it comes back cell by cell, never guessed at:
numbers as Decimal without float noise, days as days, an error or a formula without a value as
`Unreadable`. Nothing of the file is ever run: formulas count by the value their program stored.

What the columns mean is the application's business.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from mailbot.adapters.csv_in import MAX_COLUMNS, MAX_ROWS, read_csv, refused, too_long
from mailbot.adapters.sheets import unguarded
from mailbot.adapters.workbook_look import SAVE_AS, Part, inspect
from mailbot.app.errors import OperatorFault
from mailbot.app.recording.grid import Grid, GridRow
from mailbot.app.recording.values import Cell, Unreadable

MAX_BYTES = 20_000_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Compound files: .xls, .et, and any Office file with a password."""
_NO_VALUE = Unreadable(
    "这一格是公式，文件里没有存下它的结果", "在 Excel 里打开并保存一次，或把公式换成数值"
)


def read_table(path: Path, sheet: str) -> Grid:
    """The sheet named so, or the only one with anything on it. Raises `OperatorFault`."""
    raw = _bytes(path)
    if raw.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in raw:
            raise refused(path, "文件设了打开密码", "去掉密码，另存后再导入")
        raise refused(path, "这是旧格式的表格（.xls 或 .et）", SAVE_AS)
    if raw.startswith(b"PK"):
        return _workbook(path, raw, sheet)
    return read_csv(path, raw)


def _bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise refused(path, "这是一个文件夹", "写上文件名")
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise refused(path, "没有这个文件", "核对文件名和文件夹") from None
    except OSError as error:
        raise refused(
            path, f"打不开（{error.strerror}）", "关掉占用它的程序，核对读取权限"
        ) from None
    if len(raw) > MAX_BYTES:
        raise refused(path, f"文件大于 {MAX_BYTES // 1_000_000} MB", "分成几个文件，一次导入一个")
    if not raw.strip():
        raise refused(path, "文件是空的", "用 mailbot record --template 写出的模板填写")
    return raw


# --- XLSX --------------------------------------------------------------------------------------


def _workbook(path: Path, raw: bytes, wanted: str) -> Grid:
    try:
        parts = inspect(path, raw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions we do not look at
            return _sheet_of(path, raw, wanted, parts)
    except OperatorFault:
        raise
    except Exception as error:
        # openpyxl raises whatever a damaged file makes it stumble over.
        told = f"{type(error).__name__}: {str(error)[:80]}"
        raise refused(path, f"文件损坏，读不出来（{told}）", SAVE_AS) from None


def _sheet_of(path: Path, raw: bytes, wanted: str, parts: dict[str, Part]) -> Grid:
    book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
    try:
        if book.epoch == CALENDAR_MAC_1904:
            raise refused(
                path,
                "工作簿用 1904 年日期系统，日期会差四年",
                "在 Excel 选项里取消“使用 1904 日期系统”，核对日期",
            )
        names = [s.title for s in book.worksheets]
        rows: list[GridRow] = []
        if wanted in names:
            name = wanted
            rows = _rows(path, book[wanted])
            _refuse_others(path, book, rows, wanted)
        else:
            filled = {n: r for n in names if (r := _rows(path, book[n]))}
            if len(filled) != 1:
                told = "、".join(names[:10])
                raise refused(
                    path, f"没有工作表“{wanted}”（有：{told}）", f"把要导入的工作表改名为 {wanted}"
                )
            ((name, rows),) = filled.items()
        part = parts.get(_part_name(book[name]), Part())
    finally:
        book.close()
    grid = _Cells(rows)
    for ref in part.merges:
        grid.fill(ref)
    for ref in part.valueless:
        grid.mark_valueless(ref)
    return Grid(name, tuple(grid.rows()))


def _refuse_others(path: Path, book: Any, rows: list[GridRow], wanted: str) -> None:
    """A sheet a month, each with the same headings: only one would be read, and nobody told."""
    head = _filled(rows)
    for sheet in book.worksheets:
        other = [] if sheet.title == wanted else _rows(path, sheet)
        if len(other) > 1 and head and _filled(other) == head:
            raise refused(
                path,
                f"工作表“{sheet.title}”也填了内容，但只导入“{wanted}”",
                f"把要登记的行都移到“{wanted}”，或把它们分别存成文件",
            )


def _filled(rows: list[GridRow]) -> list[Cell]:
    """What stands in the first row."""
    return [cell for row in rows[:1] for cell in row.cells if cell not in (None, "")]


def _part_name(sheet: Any) -> str:
    """The sheet's part in the archive, as the reader found it."""
    return str(getattr(sheet, "_worksheet_path", "")).lstrip("/")


def _rows(path: Path, sheet: Any) -> list[GridRow]:
    """Rows that hold anything. What the sheet says of its own size is not believed."""
    if not hasattr(sheet, "iter_rows"):
        return []  # a chart on a sheet of its own
    sheet.reset_dimensions()
    rows: list[GridRow] = []
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = tuple(_cell(v) for v in values[:MAX_COLUMNS])
        while cells and cells[-1] in (None, ""):
            cells = cells[:-1]
        if not cells:
            continue
        rows.append(GridRow(number, cells))
        if len(rows) > MAX_ROWS + 20:
            raise too_long(path)
    return rows


_ERRORS = frozenset(
    [
        "#NULL!",
        "#DIV/0!",
        "#VALUE!",
        "#REF!",
        "#NAME?",
        "#NUM!",
        "#N/A",
        "#GETTING_DATA",
        "#SPILL!",
        "#CALC!",
    ]
)


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, bool | datetime | date):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return _decimal(value)
    if isinstance(value, time):
        return value.strftime("%H:%M")
    text = str(value)
    if text.strip().upper() in _ERRORS:
        return Unreadable(f"这一格是错误值 {text.strip()}", "改正公式，或直接写上内容")
    return unguarded(text)


def _decimal(value: float) -> Cell:
    """As Excel shows it: 15 digits, so that 0.1 + 0.2 is 0.3."""
    if value != value or value in (float("inf"), float("-inf")):
        return Unreadable("这一格不是有限的数", "直接写上数字")
    return Decimal(f"{value:.15g}")


class _Cells:
    """A sheet's cells by row and column, for what is told apart from the cells: merges, formulas."""

    def __init__(self, rows: Sequence[GridRow]) -> None:
        self._rows = {row.number: list(row.cells) for row in rows}

    def rows(self) -> Iterator[GridRow]:
        return (GridRow(n, tuple(cells)) for n, cells in sorted(self._rows.items()))

    def fill(self, ref: str) -> None:
        """Cells merged downwards all say what the first says. Those merged to the right are titles
        and remarks: they stay one cell."""
        left, top, right, bottom = range_boundaries(ref)
        if left is None or top is None or bottom is None or left != right:
            return  # a whole row or column
        value = self._get(top, left - 1)
        for number in [n for n in self._rows if top < n <= bottom]:
            if self._get(number, left - 1) is None:
                self._set(number, left - 1, value)

    def mark_valueless(self, ref: str) -> None:
        row, column = coordinate_to_tuple(ref)
        if self._get(row, column - 1) is None:
            self._set(row, column - 1, _NO_VALUE)

    def _get(self, number: int, index: int) -> Cell:
        cells = self._rows.get(number, [])
        return cells[index] if index < len(cells) else None

    def _set(self, number: int, index: int, value: Cell) -> None:
        cells = self._rows.setdefault(number, [])
        cells += [None] * (index + 1 - len(cells))
        cells[index] = value
