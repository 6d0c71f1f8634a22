"""What a string may hold.

Three levels. `scalar` takes out what no store or letter can bear (lone surrogates, noncharacters).
`one_line` is for everything that stands in one line: names, subjects, addresses, file names, header
values. `many_lines` is for texts. Both say whether something other than plain white space was taken
out, so that the caller can record it. Nothing here knows about mail.
"""

from __future__ import annotations

import re
from typing import Final

# Noncharacters: XML (Word, Excel) refuses U+FFFE and U+FFFF, PostgreSQL and JSON refuse surrogates.
_UNSTORABLE: Final = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(plane * 0x10000 + low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))
    + "]"
)
# Zero-width and direction characters: invisible, and able to make a name read as another one.
_INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f"
)
# A vowel separator belongs between Mongolian letters and is an invisible character anywhere else.
_STRAY_SEPARATOR: Final = "(?<![\u1820-\u18aa\u180b-\u180d])\u180e|\u180e(?![\u1820-\u18aa])"

_LINE_BREAKS: Final = re.compile("[\t\n\r\x0b\x0c\u0085\u2028\u2029]+")
_CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_SUSPECT: Final = re.compile(
    "[^ -~\u00a1-\u00ac\u00ae-\u033f\u2010-\u2027\u2030-\u205e\u3000-\u3130\u4e00-\u9fff\uff00-\uff9f]"
)
_LINE_INVISIBLE: Final = re.compile(f"[{_INVISIBLE}]|{_STRAY_SEPARATOR}")

_TEXT_BREAKS: Final = re.compile("\r\n?|[\x0b\x0c\u0085\u2028\u2029]")
_TEXT_DROPPED: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def scalar(text: str) -> tuple[str, bool]:
    """The text with lone surrogates and noncharacters as U+FFFD; whether there were any."""
    if text.isascii():
        return text, False
    cleaned, changes = _UNSTORABLE.subn("\ufffd", text)
    return cleaned, changes > 0


def one_line(text: str) -> tuple[str, bool]:
    """One line without control, direction or zero-width characters, and without white space at its
    ends. Line breaks and controls become a space, invisible characters vanish.

    The flag is True when more than tabs and line breaks was taken out: a folded header is no
    defect, a NUL is one.
    """
    if _LINE_SUSPECT.search(text) is None:  # what nearly every header value is
        return text.strip(" "), False
    text, unstorable = scalar(text)
    text = _LINE_BREAKS.sub(" ", text)
    text, controls = _CONTROLS.subn(" ", text)
    text, invisible = _LINE_INVISIBLE.subn("", text)
    return text.strip(" "), bool(unstorable or controls or invisible)


def many_lines(text: str) -> tuple[str, bool]:
    """A text with LF as its only line break and TAB as its only control character.

    The flag is True when characters were taken out (a byte order mark at the very start does not
    count). Joiners between emoji and letters of other scripts stay.
    """
    text = text.removeprefix("\ufeff")
    text, unstorable = scalar(text)
    text = _TEXT_BREAKS.sub("\n", text)
    text, dropped = _TEXT_DROPPED.subn("", text)
    return text, bool(unstorable or dropped)
