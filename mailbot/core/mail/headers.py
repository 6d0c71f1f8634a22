"""The header of a mail as values: every field as text, and the fields the office works with.

Only reads; judges nothing. Promises: total; a field that occurs twice where the standard allows one
(RFC 5322 §3.6) leaves a defect, and two From fields leave the mail without a single author.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mailbot.core.mail import limits
from mailbot.core.mail.addresses import read_addresses
from mailbot.core.mail.defects import Defects
from mailbot.core.mail.model import Address, DefectCode
from mailbot.core.mail.values import read_date, read_message_id, read_references
from mailbot.core.mail.words import Line, read_line

RawFields = Sequence[tuple[str, bytes]]

_NULL_PATH = re.compile(rb"\s*(?:<\s*>)?\s*(?:\([^()]*\)\s*)?")
"""RFC 5321 §4.5.5, also empty, spaced or with a comment."""

_ONCE: Final = frozenset(
    {
        "from",
        "sender",
        "reply-to",
        "to",
        "cc",
        "message-id",
        "in-reply-to",
        "references",
        "subject",
        "date",
        "content-type",
    }
)


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says. Fields as in `IncomingMail`."""

    headers: tuple[tuple[str, str], ...]
    subject: str
    from_: tuple[Address, ...]
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    return_path: Address | None
    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    date: datetime | None
    received: tuple[datetime, ...]

    def text(self, name: str) -> str:
        """All values of a field, one below the other ("" when there is none)."""
        return "\n".join(value for key, value in self.headers if key.lower() == name)


def read_header(raw: RawFields, defects: Defects) -> Header:
    """Reads the fields of one header section, in their order."""
    values = [(name, *_decoded(name, value, defects)) for name, value in raw]
    lines: dict[str, list[str]] = {}
    bytes_by_name: dict[str, list[bytes]] = {}
    for (name, text), (_, value) in zip(values, raw, strict=True):
        lines.setdefault(name.lower(), []).append(text)
        bytes_by_name.setdefault(name.lower(), []).append(value)
    for name in sorted(_ONCE & lines.keys()):
        if len(lines[name]) > 1:
            defects.add(
                DefectCode.HEADER_REPEATED, f"header {name.title()}", f"{len(lines[name])} times"
            )
    reader = _Fields(lines, bytes_by_name, defects)
    return Header(
        headers=tuple(values),
        subject=reader.first("subject"),
        from_=reader.addresses("from", author=True),
        sender=next(iter(reader.addresses("sender", author=True)), None),
        reply_to=reader.addresses("reply-to"),
        to=reader.addresses("to"),
        cc=reader.addresses("cc"),
        return_path=reader.return_path(),
        message_id=reader.message_id(),
        in_reply_to=reader.references("in-reply-to"),
        references=reader.references("references"),
        date=reader.date(),
        received=reader.received(),
    )


def _decoded(name: str, raw: bytes, defects: Defects) -> tuple[str]:
    line: Line = read_line(raw)
    if line.codes:
        # A field nobody reads may be odd: what is wrong in it is told only for those that matter.
        defects.add_all(line.codes, f"header {name}")
    return (line.text[: limits.VALUE_CHARS],)


class _Fields:
    """The decoded and raw values of each field name, and how to read them."""

    def __init__(
        self, lines: dict[str, list[str]], raw: dict[str, list[bytes]], defects: Defects
    ) -> None:
        self._lines, self._raw, self._defects = lines, raw, defects

    def first(self, name: str) -> str:
        return next(iter(self._lines.get(name, ())), "")

    def addresses(self, name: str, *, author: bool = False) -> tuple[Address, ...]:
        found: list[Address] = []
        for value in self._raw.get(name, ()):
            more, codes = read_addresses(value, author=author)
            found += more
            self._defects.add_all(codes, f"header {name.title()}")
        return tuple(found[: limits.ADDRESSES_MAX])

    def return_path(self) -> Address | None:
        """`<>` is the null path; an unreadable one is as good as none."""
        values = self._raw.get("return-path")
        if not values:
            return None
        if any(_NULL_PATH.fullmatch(value) for value in values):
            return Address("")
        found, _ = read_addresses(values[0])
        if len(found) == 1 and found[0].addr:
            return found[0]
        self._defects.add(DefectCode.ADDRESS_DAMAGED, "header Return-Path")
        return None

    def message_id(self) -> str | None:
        values = self._lines.get("message-id", [])
        if not values:
            return None
        found = read_message_id(values[0]) if len(values) == 1 else None
        if found is None and len(values) == 1:
            self._defects.add(DefectCode.HEADER_DAMAGED, "header Message-Id", values[0])
        return found

    def references(self, name: str) -> tuple[str, ...]:
        return read_references(" ".join(self._lines.get(name, ())))

    def date(self) -> datetime | None:
        values = self._lines.get("date", [])
        if not values:
            return None
        moment, sound = read_date(values[0])
        if not sound:
            self._defects.add(DefectCode.DATE_DAMAGED, "header Date", values[0])
        return moment

    def received(self) -> tuple[datetime, ...]:
        """The date stands behind the last semicolon (RFC 5322 §3.6.7)."""
        moments: list[datetime] = []
        for number, value in enumerate(self._lines.get("received", [])[: limits.RECEIVED_MAX], 1):
            moment, _ = read_date(value.rpartition(";")[2])
            if moment is None:
                self._defects.add(DefectCode.DATE_DAMAGED, f"header Received {number}")
            else:
                moments.append(moment)
        return tuple(moments)
