"""Texts as they may stand in a Word file, whatever made them."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from mailbot.adapters.letters.text import one_line

_NO_CHARACTERS = re.compile(r"[\ufdd0-\ufdef]|[\ufffe\uffff]")


def clean(text: str) -> str:
    """One line of characters that XML 1.0 (2.2) allows: controls become a space, what is no
    character at all (lone surrogates, U+FFFE) becomes U+FFFD, so that one sees something stood
    there."""
    return _NO_CHARACTERS.sub("\ufffd", one_line(text))


def xml(text: str) -> str:
    """`clean`, escaped for an element's content or an attribute."""
    return escape(clean(text), {'"': "&quot;"})
