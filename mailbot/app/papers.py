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


class Papers(Protocol):
    def document(self, book: OfficeBook, letter_id: str, document: Document) -> bytes:
        """A .docx: by the office's own Word template for the letter where it has one, else in the
        official format. Raises `OperatorFault` when that template is broken."""
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
