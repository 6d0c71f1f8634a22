"""The files that letters carry, as the application asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mailbot.app.scoring import Statement
from mailbot.core.documents.model import Document
from mailbot.core.rules.entries import Standings
from mailbot.core.rules.rulebook import OfficeBook


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    """ASCII: a month's or quarter's number. A chart holds no other text, so it needs no font."""
    value: float
    line: float | None = None
    """Drawn across the bar: what was owed."""
    strong: bool = False
    """The bar the letter is about."""
    shown: str = ""
    """ASCII, above the bar in place of its value: the place, where a bar is the higher the better
    the place is."""


@dataclass(frozen=True, slots=True)
class DraftTraces:
    """What a .docx still has of a draft."""

    draft: int | None = None
    """Number of the draft it was made from; None: it does not say."""
    marked: str = ""
    """The words that mark a draft, where they stand in it, in the text or at a page's head."""
    undated: bool = False
    """成文日期 is left open."""
    text: str = ""
    """Everything it says, without blanks; a line for each paragraph."""
    unreadable: str = ""
    """Why it cannot be read, as a Chinese sentence; nothing else is known then."""


class Papers(Protocol):
    def document(self, book: OfficeBook, letter_id: str, document: Document) -> bytes:
        """A .docx: by the office's own Word template for the letter where it has one, else in the
        official format. Raises `OperatorFault` when that template is broken."""
        ...

    def noted(self, docx: bytes, draft: int) -> bytes:
        """The same .docx of ours with a note of the draft's number that stays in it when it is
        edited."""
        ...

    def draft_traces(self, docx: bytes) -> DraftTraces:
        """Of a file from outside: whatever the bytes are, nothing is raised."""
        ...

    def statement(self, book: OfficeBook, statement: Statement) -> bytes:
        """An .xlsx."""
        ...

    def standings(self, book: OfficeBook, standings: Standings) -> bytes:
        """An .xlsx."""
        ...

    def chart(self, bars: Sequence[Bar], width: int, height: int) -> bytes:
        """A .png to be shown in that many pixels; drawn finer, for screens that can show it."""
        ...
