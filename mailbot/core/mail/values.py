"""Dates and message identifiers of a mail's header.

Promises: total; a date is aware and converts to any time zone without overflowing; an identifier is
printable ASCII without angle brackets. Which header a value comes from is not its business.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

from mailbot.core.mail.limits import MESSAGE_ID_CHARS, REFERENCES_MAX

_BEIJING_SECONDS: Final = 8 * 3600
_DATE_CHARS: Final = 200
_ISO_ZONE: Final = re.compile(r"(?:GMT|UTC)?([+-])(\d\d):(\d\d)\b")
# Names that mean one zone only. CST is China's own as well as America's, so it counts as none.
_ZONE: Final = re.compile(r"[+-]\d{4}|\b(?:GMT|UTC?|Z|[EMP][SD]T)\b")
_ID: Final = re.compile(rf"[!-;=?-~]{{1,{MESSAGE_ID_CHARS}}}")
_BRACKETED: Final = re.compile(r"<{1,2}([^<>\s]{1,2000})>{1,2}")


def read_date(value: str) -> tuple[datetime | None, bool]:
    """A date-time (RFC 5322 §3.3), and whether it was sound.

    (None, False) when it cannot be read. Without a zone it is read as Beijing time and not sound.
    Years beyond 9998 cannot be shown in another zone and count as unreadable.
    """
    written = _ISO_ZONE.sub(r"\1\2\3", value[:_DATE_CHARS])
    zoned = _ZONE.search(written) is not None
    try:
        fields = parsedate_tz(written)
        if fields is None:
            return None, False
        seconds = (fields[9] or 0) if zoned else _BEIJING_SECONDS
        if abs(seconds) > 14 * 3600:
            return None, False
        # A leap second is the next minute's first.
        second = min(fields[5], 59)
        moment = datetime(*fields[:5], second, tzinfo=timezone(timedelta(seconds=seconds)))
    except Exception:  # the standard library raises whatever the garbage leads it to
        return None, False
    if not 1900 <= moment.year <= 9998:
        return None, False
    return moment, zoned and len(value) <= _DATE_CHARS


def read_message_id(value: str) -> str | None:
    """One identifier without brackets; None when there is none, several, or an unusable one."""
    value = value.strip()
    inside = _BRACKETED.findall(value)
    if len(inside) > 1:
        return None
    candidate = inside[0] if inside else value.strip("<>")
    return candidate if _ID.fullmatch(candidate) else None


def read_references(value: str) -> tuple[str, ...]:
    """The identifiers of a References or In-Reply-To field in order, at most the last fifty."""
    found = _BRACKETED.findall(value) or [w.strip("<>,;") for w in value.split() if "@" in w]
    usable = [one for one in found if _ID.fullmatch(one)]
    return tuple(dict.fromkeys(usable[-REFERENCES_MAX:]))
