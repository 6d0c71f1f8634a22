"""What the tests of documents and covers share: material reckoned from events, and a document as
lines of text."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from mailbot.core.documents.counting import material_of
from mailbot.core.documents.material import Material
from mailbot.core.documents.model import Block, Document, Heading, Paragraph, TableBlock
from mailbot.core.documents.notice import notice_document
from mailbot.core.duties.model import DocumentRule, Part, Section
from mailbot.core.rules.books import Sealed, accounts
from mailbot.core.rules.entries import Standings
from mailbot.core.rules.events import Event
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.standings import standings
from tests.unit.standings_help import Q3


def reckoned(
    office: OfficeBook,
    events: list[Event],
    period: Period = Q3,
    *,
    as_of: date | None = None,
    sealed: tuple[Sealed, ...] = (),
    previous: Standings | None = None,
    earlier: tuple[Standings, ...] = (),
    as_sealed: bool = False,
    began: date | None = None,
) -> Material:
    """Through the ledger, on the day after the period unless told otherwise."""
    day = as_of or period.next().first
    entries = accounts(office, events, period, day, sealed)
    found = standings(office, events, entries, period, day, previous, began=began)
    passed_on = [e for e in entries if e.rule == "conversion" and e.day in period]
    told = replace(found, sealed=as_sealed)
    return material_of(office, events, told, earlier, passed_on, began=began)


def rule(*sections: Section, annexes: tuple[Section, ...] = (), **more: str) -> DocumentRule:
    return DocumentRule("{period}通报", sections=sections, annexes=annexes, **more)


def of_lists(*lists: str, heading: str = "名单", empty: str = "") -> Section:
    return Section(Part.LISTS, heading, lists=lists, empty=empty)


def written(office: OfficeBook, material: Material, *sections: Section) -> Document:
    return notice_document(office, rule(*sections), material)


def lines(document: Document) -> list[str]:
    """Headings with a # for each level, paragraphs, tables as their caption in brackets."""
    return [_line(block) for block in document.blocks]


def _line(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {text}"
        case Paragraph(text):
            return text
    return f"[{block.caption}]"


def tables(document: Document) -> list[TableBlock]:
    found = [b for b in document.blocks if isinstance(b, TableBlock)]
    for annex in document.annexes:
        found += [b for b in annex.blocks if isinstance(b, TableBlock)]
    return found
