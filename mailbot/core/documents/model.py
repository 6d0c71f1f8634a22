"""A document as people read it, from the number at its head to the date at its foot.

`core.documents.notice` builds one; `adapters.word` prints it (GB/T 9704—2012). Texts are plain:
one paragraph a string, no line breaks, no formatting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading with its number already in it: level 1 一、, 2 （一）, 3 1., 4 （1）."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    bold: bool = False
    indent: bool = True
    """Two characters at the first line."""


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table with a header row that repeats on each page; a row is never cut. Every row has as many
    cells as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    """Relative widths of the columns, in characters."""
    caption: str = ""
    """Above the table, centred: 第一组."""
    note: str = ""
    """Below it, small."""
    centred: frozenset[int] = frozenset()
    """Columns whose cells are centred (numbers, places); the others stand left."""


Block = Heading | Paragraph | TableBlock


@dataclass(frozen=True, slots=True)
class Annex:
    """附件, on a new page."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    blocks: tuple[Block, ...]
    number: str = ""
    """发文字号: 鄂前政办通〔2026〕12号. Empty until the office gives one; none is invented."""
    addressee: str = ""
    annexes: tuple[Annex, ...] = ()
    issuer: str = ""
    issued: date | None = None
    """成文日期. None: a draft; year, month and day are left open."""
    openness: str = ""
    copies: str = ""
