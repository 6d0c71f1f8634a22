"""Which characters separate, and how deliberately.

No delimiter is prescribed, so every character that people use for one counts, except where it
plainly belongs to a word: between Latin letters or digits (2022-2023, COVID-19, 1+N), or as the dot
of a name (斯琴·图雅).
"""

from __future__ import annotations

import re

from mailbot.core.subject.names import NameShape, name_shape
from mailbot.core.subject.statements import ATTRIBUTE
from mailbot.core.subject.text import is_cjk, is_symbol

RANK = "+|_/\\-;,、:。~&·=>*( "
"""Classes of delimiter, the most deliberate first. `(` stands for a bracket, `*` for ornaments."""

DELIMITERS = frozenset(" +-_/|、,;:。~&·\\=><*#^…")


def is_delimiter(folded: str, at: int) -> bool:
    """Whether the character at `at` separates; see the module's text for what does not."""
    char = folded[at]
    if char in "()[]":
        return True
    before = folded[at - 1] if at else " "
    after = folded[at + 1] if at + 1 < len(folded) else " "
    if char == ".":
        return is_cjk(before) and (is_cjk(after) or after.isdigit()) and not _name_dot(folded, at)
    if char == "·" and _name_dot(folded, at):
        return False
    if char in "-/_:~&+.,\\·=" and _ascii(before) and _ascii(after):
        return False
    return char in DELIMITERS or is_symbol(char)


def _name_dot(folded: str, at: int) -> bool:
    """斯琴·图雅: a middle dot inside a name rather than between fields."""
    start = at
    while start > 0 and at - start < 9 and is_cjk(folded[start - 1]):
        start -= 1
    end = at + 1
    while end < len(folded) and end - at < 9 and is_cjk(folded[end]):
        end += 1
    if (start and folded[start - 1] == folded[at]) or (
        end < len(folded) and folded[end] == folded[at]
    ):
        return False
    return any(
        name_shape(f"{folded[at - k : at]}·{folded[at + 1 : at + 1 + m]}") is NameShape.STRONG
        for k in range(1, min(6, at - start) + 1)
        for m in range(1, min(5, end - at - 1) + 1)
    )


def set_off_before(folded: str, at: int) -> bool:
    """A date, a number or a work in book marks run into the unit after it (8月12日农牧局,
    1.农牧局, 《条例》农牧局)."""
    if folded[at - 1 : at] == "》":
        return True
    start = at
    while start > 0 and at - start < 12 and not is_delimiter(folded, start - 1):
        start -= 1
    before = folded[start:at]
    if re.fullmatch(r"[0-9]{1,2}[.]", before):
        return True
    return before[-1:] in ("日", "号", "月", "年", "期") and bool(ATTRIBUTE.fullmatch(before))


def _ascii(char: str) -> bool:
    return char.isascii() and char.isalnum()


def class_of(char: str) -> str:
    if char in "()[]":
        return "("
    return char if char in RANK else "*"


def stronger(border: str, new: str) -> str:
    """The more deliberate of two neighbouring delimiters; line ends and telephones stay."""
    if border in ("^", "#"):
        return border
    if not border:
        return new
    return min(border, new, key=RANK.index)
