"""The parts of a mail: mail-parser reads the skeleton, this module gives each part its bytes.

mail-parser knows MIME's structure and names its defects; where it fails on a mail the standard
library's own parser takes over, and where that fails too the mail is its header and one body.
Header bytes come from the parser's `raw_items`, body bytes always from the raw mail, through the
number `frame` wrote into each part.

Promises: total; at most `PARTS_MAX` parts; paths are IMAP part numbers (RFC 3501 §6.4.5).
"""

from __future__ import annotations

import email
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final

import mailparser

from mailbot.core.mail.defects import Defects
from mailbot.core.mail.frame import Frame, frame
from mailbot.core.mail.model import DefectCode
from mailbot.core.mail.params import Parameterised, media_type, read_parameterised
from mailbot.core.mail.transfer import decode_transfer

# mail-parser logs what it cannot decode, in the mail's own words. A secret must reach no log.
mailparser.core.log.disabled = mailparser.utils.log.disabled = True

_STRUCTURAL: Final = {
    "NoBoundaryInMultipartDefect": "multipart without boundary",
    "StartBoundaryNotFoundDefect": "boundary never found",
    "CloseBoundaryNotFoundDefect": "multipart cut off",
    "MultipartInvariantViolationDefect": "multipart without parts",
    "InvalidMultipartContentTransferEncodingDefect": "encoded multipart",
    "MissingHeaderBodySeparatorDefect": "no empty line after the header",
    "FirstHeaderLineIsContinuationDefect": "header begins with a continuation",
    "MisplacedEnvelopeHeaderDefect": "envelope line inside the header",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One node of the mail. `body` is still transfer-encoded; for a multipart it is empty."""

    path: str
    content_type: str
    type: Parameterised
    disposition: Parameterised
    content_id: str
    encoding: str
    """Content-Transfer-Encoding, lower case."""
    body: memoryview
    headers: tuple[tuple[str, bytes], ...]
    children: tuple[Part, ...] = ()

    def content(self, defects: Defects) -> bytes:
        """The body with its transfer encoding undone."""
        data, damage = decode_transfer(self.body, self.encoding)
        if damage:
            defects.add(DefectCode.TRANSFER_DAMAGED, f"part {self.path}", damage)
        return data

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order of the mail."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Structure:
    """A mail taken apart. `body` is the offset of its own body in the raw mail."""

    root: Part
    body: int


def read_structure(raw: bytes, defects: Defects, *, complete: bool = True) -> Structure:
    """Takes the raw mail apart."""
    framed = frame(raw, hashlib.sha256(raw).hexdigest()[:40], complete=complete)
    for code, where, detail in framed.defects:
        defects.add(code, where, detail)
    message = _parse(framed, defects, complete=complete)
    return Structure(_Reader(raw, framed).part(message, "", "text/plain"), framed.body)


def _parse(framed: Frame, defects: Defects, *, complete: bool) -> Message:
    """The parsed skeleton, by the first of three readers that manages."""
    try:
        parsed = mailparser.parse_from_bytes(framed.skeleton)
        message: Message = parsed.message
        if complete:
            for category in sorted(parsed.defects_categories & _STRUCTURAL.keys()):
                defects.add(DefectCode.STRUCTURE_DAMAGED, "mail", _STRUCTURAL[category])
        return message
    except Exception as error:
        first = type(error).__name__
    try:
        message = email.message_from_bytes(framed.skeleton)
        defects.add(DefectCode.STRUCTURE_DAMAGED, "mail", f"mail-parser failed ({first})")
        return message
    except Exception as error:
        defects.add(DefectCode.PARSER_FAILED, "mail", f"{first}, {type(error).__name__}")
    message = Message()
    for one in framed.fields:
        name, _, value = one.decode("ascii", "surrogateescape").partition(":")
        message.set_raw(name, value.strip(" \t"))
    message.set_raw(framed.marker, "0")
    return message


class _Reader:
    """Turns parsed messages into parts."""

    def __init__(self, raw: bytes, framed: Frame) -> None:
        self._view = memoryview(raw)
        self._framed = framed

    def part(self, message: Message, path: str, default: str) -> Part:
        headers, span = self._headers(message)
        first = {name.lower(): value for name, value in reversed(headers)}
        kind = read_parameterised(first.get("content-type", b""))
        content_type = media_type(kind.value) if "content-type" in first else default
        payload: Any = message.get_payload()
        children: tuple[Part, ...] = ()
        if content_type.startswith("multipart/") and isinstance(payload, list):
            below = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
            children = tuple(
                self.part(child, f"{path}.{n}" if path else str(n), below)
                for n, child in enumerate(payload, 1)
            )
        if children or span is None:
            body = (
                b""
                if children or not isinstance(payload, str)
                else payload.encode("utf-8", "surrogateescape")
            )
            view = memoryview(body)
        else:
            view = self._view[span[0] : span[1]]
        return Part(
            path=path or ("" if children else "1"),
            content_type=content_type,
            type=kind,
            disposition=read_parameterised(first.get("content-disposition", b"")),
            content_id=first.get("content-id", b"").strip(b"<> \t\r\n").decode("latin-1").lower(),
            encoding=_token(first.get("content-transfer-encoding", b"")),
            body=view,
            headers=tuple(headers),
            children=children,
        )

    def _headers(self, message: Message) -> tuple[list[tuple[str, bytes]], tuple[int, int] | None]:
        """The part's own fields as bytes, and where its body lies in the raw mail."""
        headers: list[tuple[str, bytes]] = []
        span = None
        for name, value in message.raw_items():
            if name == self._framed.marker:
                span = self._framed.spans[int(str(value))]
            else:
                headers.append((name, str(value).encode("utf-8", "surrogateescape")))
        return headers, span


def _token(value: bytes) -> str:
    return value.split(b";")[0].split(b"(")[0].strip(b" \t\r\n\"'").decode("latin-1").lower()
