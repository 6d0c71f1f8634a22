"""From the rows of a person's file to entries: where the header stands, which column is which.

Pure. The file itself is read by an adapter into a `Grid`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.app.errors import Fault
from mailbot.app.recording.columns import COLUMNS, IGNORED_HEADERS, KIND_COLUMN
from mailbot.app.recording.forms import Given, header_key, headers_of
from mailbot.app.recording.values import Cell, Unreadable, Wrong, near, read_text

HEADER_WITHIN = 10
"""Rows in which the header is looked for: a title and remarks may stand above it."""


@dataclass(frozen=True, slots=True)
class GridRow:
    """`number` as the spreadsheet program shows it, from 1."""

    number: int
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet's rows that hold anything. `name` is the sheet's, of a CSV the file's."""

    name: str
    rows: Sequence[GridRow]

    def place(self, row: int, index: int) -> str:
        """登记!F12."""
        return f"{self.name}!{column_letters(index)}{row}"


def column_letters(index: int) -> str:
    """0 is A, 26 is AA."""
    letters, rest = "", index + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def entries(grid: Grid) -> tuple[list[Given], list[Fault]]:
    """Every row below the header as an entry, and what is wrong with the header."""
    header = _header(grid)
    if header is None:
        wanted = "、".join(c.header for c in COLUMNS[:4])
        found = f"前 {HEADER_WITHIN} 行里没有表头（要有“{KIND_COLUMN.header}”这一列）"
        return [], [
            Fault(grid.name, found, f"用 mailbot record --template 写出的模板，表头如 {wanted}……")
        ]
    columns = headers_of([_text(c) for c in header.cells])
    below = [row for row in grid.rows if row.number > header.number]
    faults = _header_faults(grid, header, columns, below)
    absent = frozenset(c.key for c in COLUMNS) - frozenset(columns.values())
    given = [one for row in below if (one := _given(grid, row, columns, absent)) is not None]
    if not given and not faults:
        faults.append(Fault(grid.name, "表头下面没有一行内容", "从表头下面一行填起"))
    return given, faults


def _header(grid: Grid) -> GridRow | None:
    """The first row with 事项 and one more known header."""
    for row in grid.rows:
        if row.number > HEADER_WITHIN:
            return None
        known = headers_of([_text(c) for c in row.cells]).values()
        if KIND_COLUMN.key in known and len(known) > 1:
            return row
    return None


def _header_faults(
    grid: Grid, header: GridRow, columns: dict[int, str], below: Sequence[GridRow]
) -> list[Fault]:
    faults: list[Fault] = []
    known = [c.header for c in COLUMNS]
    for index in range(max((len(r.cells) for r in (header, *below)), default=0)):
        text = _text(header.cells[index]) if index < len(header.cells) else ""
        place = grid.place(header.number, index)
        if index in columns or text.lower() in IGNORED_HEADERS:
            continue
        if (key := header_key(text)) is not None:
            first = next(i for i, k in columns.items() if k == key)
            found = f"“{text}”这一列写了两次（另一列是 {column_letters(first)} 列）"
            faults.append(Fault(place, found, "只留一列"))
        elif text:
            faults.append(Fault(place, f"不认识的列“{text[:30]}”", near(text, known)))
        elif (row := _first_filled(below, index)) is not None:
            faults.append(
                Fault(
                    grid.place(row.number, index),
                    "这一列有内容，却没有表头",
                    "写上表头，或清空这一列",
                )
            )
    return faults


def _first_filled(rows: Sequence[GridRow], index: int) -> GridRow | None:
    return next((r for r in rows if index < len(r.cells) and _text(r.cells[index])), None)


def _given(
    grid: Grid, row: GridRow, columns: dict[int, str], absent: frozenset[str]
) -> Given | None:
    """None for a row that is blank under the known headers."""
    values = {key: row.cells[i] for i, key in columns.items() if i < len(row.cells)}
    if not any(isinstance(c, Unreadable) or _text(c) for c in values.values()):
        return None
    places = {key: grid.place(row.number, i) for i, key in columns.items()}
    return Given(values, places, f"{grid.name} 第{row.number}行", absent, grid.name)


def _text(cell: Cell) -> str:
    try:
        return read_text(cell)
    except Wrong as wrong:
        return wrong.found
