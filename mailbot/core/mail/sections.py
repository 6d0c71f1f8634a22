"""One header section out of raw bytes: its fields, cut to caps and repaired.

A line that is no field would end the header for every standard parser and turn all later fields
(Subject, Content-Type) into body text. Where real fields follow such a line, it is taken as a broken
continuation instead. Promises: total, linear; faults are told. Decoding is not its business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mailbot.core.mail.limits import FIELD_BYTES, FIELDS_MAX, PARAMETERS_MAX
from mailbot.core.mail.model import DefectCode

_FIELD_END: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?![ \t])")
_NAME: Final = re.compile(rb"([!-9;-~]{1,100})([ \t]*):")
_BLANK: Final = re.compile(rb"\r\n\r\n|\n\n|\n\r\n|\r\r|\A(?:\r\n|\r|\n)")
_KNOWN: Final = (
    rb"(?:from|to|cc|bcc|subject|date|message-id|mime-version|content-[a-z-]+|received|return-path|"
    rb"reply-to|sender|references|in-reply-to|delivered-to|x-[a-z0-9-]+|dkim-signature|"
    rb"authentication-results|disposition-notification-to|importance|priority|user-agent)[ \t]*:"
)
_KNOWN_LINE: Final = re.compile(rb"[\r\n]" + _KNOWN, re.IGNORECASE)
_LEADING: Final = re.compile(
    rb"\A(?:\xef\xbb\xbf)?[\r\n]{0,20}(?:>?From [^\r\n]{0,200}[\r\n]+)?(?=" + _KNOWN + rb")",
    re.IGNORECASE,
)
_PARAMETRISED: Final = (b"content-type", b"content-disposition")
_TAIL_COUNTS: Final = (b"references", b"in-reply-to")
_LOOKAHEAD: Final = 8_192


@dataclass(frozen=True, slots=True)
class Section:
    """A header section. Each field is `name: value` as written (folds included, last line break
    not); `body` is where the body begins."""

    fields: tuple[bytes, ...]
    body: int
    faults: tuple[tuple[DefectCode, str], ...] = ()

    def index(self, name: bytes) -> int | None:
        """Of the first field of this lower-case name."""
        wanted = name + b":"
        return next(
            (n for n, f in enumerate(self.fields) if f[:40].lower().startswith(wanted)), None
        )


def read_section(raw: bytes, start: int, stop: int, allowance: int, *, first: bool) -> Section:
    """Reads the section that begins at `start`, looking no further than `stop`, keeping at most
    `allowance` bytes. `first`: the mail's own header, before which rubbish may stand."""
    fields: list[bytes] = []
    faults: dict[tuple[DefectCode, str], None] = {}
    position = start
    if first:
        leading = _LEADING.match(raw, start, min(stop, start + 1_000))
        if leading is not None and leading.end() > start:
            position = leading.end()
            if not leading[0].lstrip(b"\xef\xbb\xbf>").startswith(b"From "):
                faults[DefectCode.HEADER_DAMAGED, "line breaks or a mark before the header"] = None
    kept = 0
    while position < stop:
        if raw[position] in b"\r\n":
            two = raw[position : position + 2] == b"\r\n"
            return Section(tuple(fields), min(position + 1 + two, stop), tuple(faults))
        if len(fields) >= FIELDS_MAX or kept > allowance:
            faults[DefectCode.HEADERS_CUT, "header section cut"] = None
            return Section(tuple(fields), _after_blank(raw, position, stop), tuple(faults))
        match = _FIELD_END.search(raw, position, stop)
        end, following = (match.start(), match.end()) if match else (stop, stop)
        name = _NAME.match(raw, position, end)
        if name is None:
            if fields and _goes_on(raw, position, stop):
                text = raw[position : min(end, position + FIELD_BYTES)]
                if len(fields[-1]) + len(text) < FIELD_BYTES:
                    fields[-1] += b"\r\n " + text
                faults[DefectCode.HEADER_DAMAGED, "a line that is no header field"] = None
                position = following
                continue
            if fields:
                faults[DefectCode.STRUCTURE_DAMAGED, "no empty line after the header"] = None
            return Section(tuple(fields), position, tuple(faults))
        one, cut = _field(raw, name, position, end)
        if cut:
            faults[DefectCode.HEADERS_CUT, f"field {name[1].decode('ascii')} cut"] = None
        fields.append(one)
        kept += len(one)
        position = following
    return Section(tuple(fields), stop, tuple(faults))


def _field(raw: bytes, name: re.Match[bytes], start: int, end: int) -> tuple[bytes, bool]:
    """One field, cut to its cap; of the identifiers of a thread the newest, last ones stay."""
    cut = end - start > FIELD_BYTES
    lower = name[1].lower()
    if cut and lower in _TAIL_COUNTS:
        tail = raw[max(name.end(), end - FIELD_BYTES) : end]
        return name[1] + b": <" + tail.partition(b"<")[2], True
    value_end = min(end, start + FIELD_BYTES)
    if cut:
        # Not in the middle of an encoded-word or an address, if there is any seam near.
        seam = max(raw.rfind(b" ", start, value_end), raw.rfind(b"\n", start, value_end))
        value_end = seam if seam > value_end - 1_000 else value_end
    value = raw[name.end() : value_end].rstrip(b"\r\n")
    if lower in _PARAMETRISED and value.count(b";") > PARAMETERS_MAX:
        value = b";".join(value.split(b";", PARAMETERS_MAX + 1)[: PARAMETERS_MAX + 1])
        cut = True
    return name[1] + b":" + value, cut


def _goes_on(raw: bytes, position: int, stop: int) -> bool:
    """Whether a well-known field comes before the next empty line."""
    window = min(stop, position + _LOOKAHEAD)
    known = _KNOWN_LINE.search(raw, position, window)
    if known is None:
        return False
    blank = _BLANK.search(raw, position, window)
    return blank is None or known.start() < blank.start()


def _after_blank(raw: bytes, position: int, stop: int) -> int:
    blank = _BLANK.search(raw, max(position - 1, 0), stop)
    return blank.end() if blank else stop
