"""What a line is cut into: stretches between delimiters, and what each of them could be.

Only the shapes. Where the cuts are made is `tokens`' business, which piece is which field that of
`places`, `strangers`, `people` and `plain`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from mailbot.core.subject.names import NameShape
from mailbot.core.subject.phones import Phone
from mailbot.core.subject.roster import Roster
from mailbot.core.subject.statements import Statement
from mailbot.core.subject.text import Line
from mailbot.core.subject.units import UnitMatch


@dataclass(frozen=True, slots=True)
class Context:
    """What the reading of every line of one mail has in common. Words are folded."""

    roster: Roster
    day: date
    noise: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()


class Kind(Enum):
    TEXT = "text"
    UNIT = "unit"
    NAME = "name"
    NOISE = "noise"
    MARK = "mark"
    LABEL = "label"
    STATEMENT = "statement"
    ATTRIBUTE = "attribute"
    PHONE = "phone"


@dataclass(slots=True)
class Piece:
    """A stretch of the line between delimiters. `left` and `right` are classes of delimiter (see
    `RANK`), `^` at an end of the line, `#` next to a telephone number, `g` where a piece was cut
    without a delimiter."""

    start: int
    end: int
    left: str = "^"
    right: str = "^"
    kind: Kind = Kind.TEXT
    shape: NameShape = NameShape.NONE
    unit: UnitMatch | None = None
    statement: Statement | None = None
    phone: Phone | None = None
    used: bool = False
    labelled: bool = False


@dataclass(slots=True)
class Pieces:
    """A cut line. `items` holds pieces of text and telephones in their order."""

    line: Line
    items: list[Piece]
    units: list[UnitMatch]
    marks: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    primary: str = " "
    """The class of delimiter that this line separates its fields with."""
    blanks: bool = False

    def fold(self, piece: Piece) -> str:
        return self.line.fold[piece.start : piece.end]

    def text(self, piece: Piece) -> str:
        return self.line.text[piece.start : piece.end]

    def strength(self, border: str) -> int:
        """2 where the line clearly ends a field there, else 1."""
        return 2 if border in "^#g(" or border == self.primary else 1
