"""One line of Chinese text, folded for looking at and kept as written for quoting.

Why: people type the same thing in full and half width, with six kinds of dash and five kinds of
bracket. Everything else in this package looks at `Line.fold`, where those are one, and quotes from
`Line.text`, where they are as written. Both have the same length, so a position found in one is a
position in the other. Nothing here knows what a field is.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

CAP = 500
"""Characters of a subject that are read for fields. RFC 5322 lines hold 998 bytes, about 330
Chinese characters; no honest subject is longer than this."""

_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufe00-\ufe0f]"
)
"""Soft hyphen, zero-width and direction marks, variation selectors: pasted along, never meant."""

_BREAKS = re.compile("[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]")


def _table() -> dict[int, str]:
    table = {0xFF01 + i: chr(0x21 + i) for i in range(94)}
    groups = {
        " ": "\u3000\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f",
        "-": "‐‑‒–—―−─━﹘﹣﹉⸺⸻－",
        "(": "（﹙⦅",
        ")": "）﹚⦆",
        "[": "【〔［〖「『｢﹁﹃﹝｛{",
        "]": "】〕］〗」』｣﹂﹄﹞｝}",
        "·": "・•‧∙⋅･●◆■▪",
        "|": "｜│┃︱¦丨",
        "/": "／∕⁄",
        "\\": "＼",
        "~": "～〜∼",
        "。": "｡",
        "、": "､﹑",
        ":": "：﹕∶",
        ",": "，﹐",
        ";": "；﹔",
        "+": "﹢➕✚",
        '"': "＂",
    }
    for plain, variants in groups.items():
        table.update({ord(c): plain for c in variants})
    for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        table[ord(upper)] = upper.lower()
        table[ord(upper) + 0xFEE0] = upper.lower()
    return table


_FOLD = _table()


def fold(text: str) -> str:
    """Half width, ASCII lower case, one kind of dash, bracket and space; character for character,
    so that `len(fold(x)) == len(x)`."""
    return text.translate(_FOLD)


def clean(text: str) -> str:
    """`text` without invisible characters, breaks and lone surrogates as spaces, ends trimmed."""
    return _BREAKS.sub(" ", _INVISIBLE.sub("", text)).strip()


def is_cjk(char: str) -> bool:
    """An ideograph as used in names and words (URO, extension A, compatibility, beyond the BMP)."""
    return (
        "\u4e00" <= char <= "\u9fff"
        or "\u3400" <= char <= "\u4dbf"
        or "\uf900" <= char <= "\ufaff"
        or "\U00020000" <= char <= "\U0003fffd"
        or char == "〇"
    )


def is_symbol(char: str) -> bool:
    """Emoji and ornaments: they separate as a dash does and never belong to a name."""
    return ord(char) > 0x2000 and unicodedata.category(char) in ("So", "Sk", "Sm")


@dataclass(frozen=True, slots=True)
class Line:
    """A cleaned line and its folded twin, equal in length."""

    text: str
    fold: str

    @classmethod
    def of(cls, text: str) -> Line:
        cleaned = clean(text)
        return cls(cleaned, fold(cleaned))

    def cut(self, start: int, end: int) -> Line:
        return Line(self.text[start:end], self.fold[start:end])

    def strip(self) -> Line:
        start, end = trim(self.fold, 0, len(self.fold), " ")
        return self.cut(start, end)


def trim(folded: str, start: int, end: int, chars: str) -> tuple[int, int]:
    """The span without leading and trailing `chars`."""
    while start < end and folded[start] in chars:
        start += 1
    while end > start and folded[end - 1] in chars:
        end -= 1
    return start, end


_QUOTES = {"“": "”", "《": "》", "〈": "〉", "‘": "’", "„": "”", "«": "»", '"': '"', "〝": "〞"}


def quoted_spans(text: str) -> list[tuple[int, int]]:
    """Outermost quoted or book-marked spans, marks included. What stands in them is the author's
    wording: no delimiter, phone or label is looked for there. Unpaired marks quote nothing."""
    closers: dict[str, list[int]] = {}
    for i, char in enumerate(text):
        if char in _QUOTES.values():
            closers.setdefault(char, []).append(i)
    spans: list[tuple[int, int]] = []
    i = 0
    used = dict.fromkeys(closers, 0)
    while i < len(text):
        closer = _QUOTES.get(text[i])
        places = closers.get(closer, []) if closer else []
        if closer and places:
            k = used[closer]
            while k < len(places) and places[k] <= i:
                k += 1
            used[closer] = k
            if k < len(places):
                spans.append((i, places[k] + 1))
                i = places[k]
        i += 1
    return spans


def bracket_pairs(folded: str, skip: list[bool]) -> list[tuple[int, int]]:
    """Outermost matching pairs of folded brackets `()` and `[]` (position of the opening and of
    the closing one), outside positions marked in `skip`. Unmatched brackets pair with nothing."""
    stack: list[int] = []
    pairs: list[tuple[int, int]] = []
    wanted = {")": "(", "]": "["}
    for i, char in enumerate(folded):
        if skip[i]:
            continue
        if char in "([":
            stack.append(i)
        elif char in wanted:
            depth = len(stack) - 1
            # A stray opening bracket of the other kind inside is stepped over; a deep search
            # through a long stack would be quadratic, and nobody nests brackets deeper than this.
            while depth >= max(0, len(stack) - 4) and folded[stack[depth]] != wanted[char]:
                depth -= 1
            if depth >= max(0, len(stack) - 4):
                start = stack[depth]
                del stack[depth:]
                while pairs and pairs[-1][0] > start:
                    pairs.pop()
                pairs.append((start, i))
    return pairs
