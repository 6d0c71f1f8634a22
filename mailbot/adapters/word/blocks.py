"""What stands between the addressee and the signature, and in annexes: headings, paragraphs, tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mailbot.adapters.word.markup import (
    FANGSONG,
    HEI,
    INDENTED,
    KAI,
    SONG_TITLE,
    TITLE,
    Look,
    lines_of,
    paragraph,
)
from mailbot.adapters.word.measure import CHARS, LINE, lines
from mailbot.adapters.word.tables import table
from mailbot.adapters.word.titles import title_lines
from mailbot.core.documents.model import Annex, Block, Heading, Paragraph, TableBlock

_HEADING_FONTS = (HEI, KAI, FANGSONG, FANGSONG)
"""Levels 一、 （一） 1. （1） (GB/T 9704—2012, 7.3.3)."""

_KEPT = 5
"""Lines of a paragraph that may move to the next page together with the signature: some programs
move it whole. A longer one would leave a page half empty."""


def blocks_xml(blocks: Sequence[Block], *, keep_last: bool = False) -> str:
    """`keep_last`: the end stays on one page with what follows, so that a signature never stands
    alone."""
    last = len(blocks) - 1
    return "".join(_block(b, keep_next=keep_last and i == last) for i, b in enumerate(blocks))


def _block(block: Block, *, keep_next: bool) -> str:
    if isinstance(block, TableBlock):
        return table(block, keep_with_next=keep_next)
    if isinstance(block, Heading):
        level = min(max(block.level, 1), 4)
        look = replace(INDENTED, font=_HEADING_FONTS[level - 1], keep_next=True, outline=level - 1)
        return paragraph(block.text, look)
    assert isinstance(block, Paragraph)
    look = INDENTED if block.indent else Look()
    short = lines(block.text, CHARS) <= _KEPT
    return paragraph(block.text, replace(look, bold=block.bold, keep_next=keep_next and short))


def title_xml(title: str, *, before: int = 0, after: int = LINE) -> str:
    """Centred, 2号小标宋, an empty line below it."""
    look = Look(
        font=SONG_TITLE, size=TITLE, align="center", squeeze=0, before=before, keep_next=True
    )
    return lines_of(title_lines(title), look) + paragraph("", Look(line=after, keep_next=True))


def annex_mark(number: int, of: int) -> str:
    """附件 alone where there is one, 附件1, 附件2 … where there are more (7.3.4, 7.3.7)."""
    return "附件" if of == 1 else f"附件{number}"


def annexes_xml(annexes: Sequence[Annex]) -> str:
    return "".join(_annex(annex, i, len(annexes)) for i, annex in enumerate(annexes, 1))


def _annex(annex: Annex, number: int, of: int) -> str:
    """On a new page: 附件 flush left in the first line, the title in the third (7.3.7)."""
    mark = paragraph(
        annex_mark(number, of),
        Look(font=HEI, new_page=True, align="left", keep_next=True, outline=0),
    )
    return mark + title_xml(annex.title, before=LINE) + blocks_xml(annex.blocks)
