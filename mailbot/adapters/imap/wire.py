"""IMAP's own spelling: sequence sets, FETCH responses, mailbox names. Pure functions."""

from __future__ import annotations

import imaplib
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from imapclient.imap_utf7 import encode as encode_utf7
from imapclient.response_parser import parse_response

from mailbot.adapters.imap import faults as imap_faults
from mailbot.adapters.imap.faults import GARBLED, Refused

log = logging.getLogger(__name__)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def uid_set(uids: Sequence[int]) -> str:
    """A sequence set with runs as ranges: 1:3,7."""
    return ",".join(f"{a}:{b}" if b > a else f"{a}" for a, b in _runs(uids))


def uid_chunks(uids: Iterable[int], length: int = 4000, count: int = 2000) -> Iterator[list[int]]:
    """Cuts so that no set is longer than `length` bytes (RFC 7162 §4: servers take lines of 8192)
    and no answer has more than `count` mails."""
    chunk: list[int] = []
    used = 0
    for uid in sorted(set(uids)):
        # A member of a run costs nothing, but it may end one: counted as if it stood alone.
        cost = len(str(uid)) + 1
        if chunk and (used + cost > length or len(chunk) >= count):
            yield chunk
            chunk, used = [], 0
        chunk.append(uid)
        used += cost
    if chunk:
        yield chunk


def _runs(uids: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = -1
    for uid in sorted(set(uids)):
        if uid != last + 1 or first < 0:
            if first > 0:
                yield first, last
            first = uid
        last = uid
    if first > 0:
        yield first, last


def responses(data: Sequence[Any]) -> Iterator[list[Any]]:
    """imaplib gives one flat list: (line with literal, literal) … and the line that ends it."""
    response: list[Any] = []
    for part in data:
        response.append(part)
        if not isinstance(part, tuple):
            yield response
            response = []


def attributes_of(response: list[Any]) -> dict[bytes, Any] | None:
    """Attribute -> value of one FETCH response, or None when it is none."""
    try:
        _, items = parse_response(response)
        pairs = zip(items[::2], items[1::2], strict=True)
        return {name.upper(): value for name, value in pairs if isinstance(name, bytes)}
    except (imaplib.IMAP4.error, *GARBLED) as error:
        log.warning("a FETCH response was not understood: %s", imap_faults.clean(error))
        return None


def search_day(day: date) -> str:
    """As SEARCH compares it: 05-Aug-2026, the months in English whatever the locale."""
    return f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year:04d}"


def number(values: list[Any] | None) -> int:
    text = imap_faults.clean(values[-1]) if values else ""
    return int(text) if re.fullmatch(r"[0-9]{1,10}", text) else 0


def mailbox_name(folder: str) -> str:
    """As an argument: modified UTF-7 (RFC 3501 §5.1.3), quoted."""
    if re.search(r"[\x00-\x1f\x7f]", folder):
        raise Refused(f"{folder!r} is no folder name")
    return quoted(encode_utf7(folder).decode("ascii"))


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
