"""Tables that fit the text area and survive page ends.

The header row repeats, a row is never cut (one that would not fit on a page alone is), the caption
stays with the first rows and the note with the last. Names wrap inside their cell; numbers are not
broken while there is room for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mailbot.adapters.word.markup import FANGSONG, HEI, Look, lines_of, paragraph
from mailbot.adapters.word.measure import (
    LINE,
    LINES,
    TEXT_WIDTH,
    lines,
    longest_unbroken,
    mm,
    width,
)
from mailbot.adapters.word.text import clean
from mailbot.adapters.word.titles import title_lines
from mailbot.core.documents.model import TableBlock

_SIZES = (24, 21, 18)
"""Half-points: 小四, 五号, 小五. The first that fits; the last in any case."""
_PADDING = mm(1)
"""Left and right of a cell's text."""
_AIR = 30
"""Above and below it."""
_PAGE = LINE * LINES
_TALL = _PAGE * 2 // 3
"""A row of more than this is cut at a page's end after all, rather than leave a page nearly
empty or lose what does not fit on one."""
_TALL_HEADER = _PAGE // 3
_LONG = 12.0
"""A longer number or Latin word may be broken, in characters."""
_WHOLE_HEADER = 4
"""A heading of up to so many characters stands on one line."""
_SLACK = 0.3
"""Characters more than the text takes: programs measure a little differently."""
_SOFT = 8
"""A column wider than this many characters may be narrowed to half: its texts wrap."""

CAPTION = Look(font=HEI, size=28, align="center", squeeze=0, before=LINE // 2, keep_next=True)
NOTE = Look(size=21, squeeze=0, line=360)
SPACER = Look(size=10, squeeze=0, line=200)
"""Two tables with nothing between them would become one."""


@dataclass(frozen=True, slots=True)
class _Plan:
    size: int
    """Half-points."""
    columns: tuple[int, ...]
    """Twips; together exactly the text area."""

    @property
    def line(self) -> int:
        return self.size * 15

    def chars(self, column: int) -> float:
        return (self.columns[column] - 2 * _PADDING) / (self.size * 10)

    def height(self, cells: tuple[str, ...]) -> int:
        rows = max(lines(cell, self.chars(i)) for i, cell in enumerate(cells))
        return rows * self.line + 2 * _AIR


def table(block: TableBlock, *, keep_with_next: bool = False) -> str:
    """`keep_with_next`: the last row stays on one page with what follows the table."""
    plan = _plan(block)
    caption = paragraph(block.caption, CAPTION) if block.caption else ""
    kept = _kept(len(block.rows), end=bool(block.note) or keep_with_next)
    rows = "".join(_row(block, plan, row, keep_next=i in kept) for i, row in enumerate(block.rows))
    note = _note(block, keep_next=keep_with_next) if block.note else ""
    grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in plan.columns)
    return (
        f"{caption}<w:tbl>{_PROPERTIES}<w:tblGrid>{grid}</w:tblGrid>"
        f"{_header(block, plan)}{rows}{note}</w:tbl>"
        f"{paragraph('', replace(SPACER, keep_next=keep_with_next))}"
    )


def _kept(rows: int, *, end: bool) -> set[int]:
    """Rows that stay on one page with the next: no page begins with a table's last row alone, or
    with its note. Never the first row: LibreOffice 7.4 loses the rest of a table whose first row
    is kept and may not be cut, and it keeps a first row with the header anyway."""
    return {i for i in (rows - 2, rows - 1 if end else 0) if i > 0}


def _note(block: TableBlock, *, keep_next: bool) -> str:
    """A last row without borders: a paragraph below would not stay with the table everywhere."""
    none = "".join(f'<w:{side} w:val="nil"/>' for side in ("left", "bottom", "right"))
    return (
        f'<w:tr><w:trPr><w:cantSplit/></w:trPr><w:tc><w:tcPr><w:tcW w:w="{TEXT_WIDTH}" w:type="dxa"/>'
        f'<w:gridSpan w:val="{len(block.header)}"/><w:tcBorders>{none}</w:tcBorders></w:tcPr>'
        f"{paragraph(block.note, replace(NOTE, keep_next=keep_next))}</w:tc></w:tr>"
    )


def _border(side: str) -> str:
    return f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'


_BORDERS = "".join(map(_border, ("top", "left", "bottom", "right", "insideH", "insideV")))
_PROPERTIES = (
    f'<w:tblPr><w:tblW w:w="{TEXT_WIDTH}" w:type="dxa"/><w:jc w:val="center"/>'
    f"<w:tblBorders>{_BORDERS}</w:tblBorders>"
    '<w:tblLayout w:type="fixed"/><w:tblCellMar>'
    f'<w:top w:w="{_AIR}" w:type="dxa"/><w:left w:w="{_PADDING}" w:type="dxa"/>'
    f'<w:bottom w:w="{_AIR}" w:type="dxa"/><w:right w:w="{_PADDING}" w:type="dxa"/>'
    "</w:tblCellMar></w:tblPr>"
)


def _header(block: TableBlock, plan: _Plan) -> str:
    look = Look(font=HEI, size=plan.size, align="center", squeeze=0, line=plan.line, keep_next=True)
    tall = plan.height(block.header) > _TALL_HEADER
    cells = (
        _cell(
            lines_of(title_lines(clean(text), max(1, math.floor(plan.chars(i)))), look),
            plan.columns[i],
        )
        for i, text in enumerate(block.header)
    )
    return _tr(cells, plan, cut=tall, header=not tall)


def _row(block: TableBlock, plan: _Plan, row: tuple[str, ...], *, keep_next: bool) -> str:
    look = Look(font=FANGSONG, size=plan.size, squeeze=0, line=plan.line, keep_next=keep_next)
    cells = (
        _cell(
            paragraph(text, replace(look, align="center" if i in block.centred else "left")), room
        )
        for i, (text, room) in enumerate(zip(row, plan.columns, strict=True))
    )
    return _tr(cells, plan, cut=plan.height(row) > _TALL)


def _tr(cells: Iterable[str], plan: _Plan, *, cut: bool, header: bool = False) -> str:
    properties = (
        ("" if cut else "<w:cantSplit/>")
        + f'<w:trHeight w:val="{plan.size * 20}" w:hRule="atLeast"/>'
        + ("<w:tblHeader/>" if header else "")
    )
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"


def _cell(content: str, room: int) -> str:
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{room}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>'
        f"{content}</w:tc>"
    )


def _plan(block: TableBlock) -> _Plan:
    count = len(block.header)
    wanted, needed = [], []
    columns = zip(block.header, *block.rows, strict=True)
    for share, texts in zip(block.widths, columns, strict=True):
        floor = min(_LONG, max(map(longest_unbroken, texts)))
        if width(texts[0]) <= _WHOLE_HEADER:
            floor = max(floor, width(texts[0]))
        want = max(floor, min(float(share), max(map(width, texts))), 1.0) + _SLACK
        wanted.append(want)
        needed.append(max(floor + _SLACK, want if want <= _SOFT else max(_SOFT, want / 2)))
    for size in _SIZES:
        room = (TEXT_WIDTH - 2 * _PADDING * count) / (size * 10)
        if sum(needed) <= room:
            break
    return _Plan(size, _columns(_shared(wanted, needed, room), size))


def _shared(wanted: list[float], needed: list[float], room: float) -> list[float]:
    """`room` shared out: all get what they want in proportion, none less than it needs. Where even
    the needs are more than there is, they shrink alike."""
    if sum(needed) > room:
        least = [min(need, 1.0 + _SLACK) for need in needed]
        if sum(least) >= sum(needed) or sum(least) > room:
            return [room / len(needed)] * len(needed)
        spare = (room - sum(least)) / (sum(needed) - sum(least))
        return [n + (w - n) * spare for w, n in zip(needed, least, strict=True)]
    if sum(wanted) <= room:
        return [want * room / sum(wanted) for want in wanted]
    spare = (room - sum(needed)) / (sum(wanted) - sum(needed))
    return [n + (w - n) * spare for w, n in zip(wanted, needed, strict=True)]


def _columns(chars: list[float], size: int) -> tuple[int, ...]:
    """Twips; what rounding leaves goes to the widest."""
    twips = [int(c * size * 10) + 2 * _PADDING for c in chars]
    twips[twips.index(max(twips))] += TEXT_WIDTH - sum(twips)
    return tuple(twips)
