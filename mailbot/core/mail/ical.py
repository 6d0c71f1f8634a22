"""One line about a calendar part (RFC 5545): method, summary, start, description. Nothing more is
needed: an invitation is shown to people, never acted on."""

from __future__ import annotations

import re
from typing import Final

from mailbot.core.mail.clean import one_line

_FOLD: Final = re.compile(r"\r?\n[ \t]")
_FIELD: Final = re.compile(
    r"^(METHOD|SUMMARY|DTSTART|DESCRIPTION|COMMENT)((?:;[^:\r\n]*)?):(.*)$",
    re.MULTILINE | re.IGNORECASE,
)
_SHOWN: Final = ("METHOD", "SUMMARY", "DTSTART", "DESCRIPTION", "COMMENT")
_ESCAPE: Final = re.compile(r"\\([\\;,nN])")
_READ_CHARS: Final = 100_000
_VALUE_CHARS: Final = 2_000


def summarise(text: str) -> str:
    """`REQUEST · 工作例会 · 20260803T090000`, with what is missing left out. The start of the event
    itself, not of its time zone rules, is taken."""
    flat = _FOLD.sub("", text[:_READ_CHARS])
    event = flat.find("BEGIN:VEVENT")
    found: dict[str, str] = {}
    for match in _FIELD.finditer(flat):
        name = match[1].upper()
        if name == "METHOD" or match.start() > event:
            value = _ESCAPE.sub(lambda m: " " if m[1] in "nN" else m[1], match[3][:_VALUE_CHARS])
            found.setdefault(name, one_line(value)[0])
    return " · ".join(found[n] for n in _SHOWN if found.get(n))
