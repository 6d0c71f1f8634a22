"""The page of GB/T 9704—2012 in numbers, and how wide a text stands on it.

Lengths are twips (1/20 pt), the unit of WordprocessingML. Widths of texts are counted in full-width
characters, as the people who write notices count them.
"""

from __future__ import annotations

import math
import re
import unicodedata


def mm(length: float) -> int:
    return round(length * 1440 / 25.4)


PAGE_WIDTH, PAGE_HEIGHT = 11906, 16838
"""A4 as Word itself writes it."""
TOP, BOTTOM, LEFT, RIGHT = mm(37), mm(35), mm(28), mm(26)
TEXT_WIDTH = PAGE_WIDTH - LEFT - RIGHT
"""版心 156 mm × 225 mm (5.2.1)."""
LINE = 579
"""22 lines of 28.95 pt fill 225 mm (5.2.3); 29 pt would leave room for 21."""
LINES, CHARS = 22, 28
SQUEEZE = -5
"""Added to each character: 28 of 15.75 pt fill 156 mm (5.2.3); 28 of 16 pt do not."""
CHAR = 320 + SQUEEZE
"""One character of the body."""

_NARROW = 0.56
"""Of a full-width character: digits are half of it in Chinese fonts, a little more in others, and
capitals wider still. A column is better a little too wide than a number broken."""
_UNBROKEN = re.compile(r"[!-~\u00a1-\u024f]+")


def width(text: str) -> float:
    """In full-width characters."""
    return sum(
        0.0 if unicodedata.combining(c) or unicodedata.category(c) == "Cf"
        else 1.0 if unicodedata.east_asian_width(c) in "WFA"
        else _NARROW
        for c in text
    )  # fmt: skip


def longest_unbroken(text: str) -> float:
    """Width of the longest piece that is not broken at a line's end: a number, a Latin word."""
    return max((width(m[0]) for m in _UNBROKEN.finditer(text)), default=1.0 if text else 0.0)


def lines(text: str, room: float) -> int:
    """How many lines the text takes at most in `room` characters; never less than one."""
    return max(1, math.ceil(width(text) / max(1.0, room - 0.5)))
