"""What one mail says, as plain values.

`IncomingMail` is what is left of a mail once every charset, transfer encoding and MIME quirk has
been dealt with. It promises that

* every string is free of NUL, lone surrogates, CR and LF (body texts keep LF and TAB only),
* whatever could not be read exactly has a `Defect` saying what and where,
* it is small: attachment bytes stay behind, only their facts and readable text are kept.

It survives a round trip through JSON (`to_json`, `from_json`), because mails are read in a child
process that is not trusted with pickles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class DefectCode(StrEnum):
    """What was wrong with the bytes. The closed list: decode may report nothing else."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    """Only the header section was fetched: the mail is larger than the office's cap."""
    PARSER_FAILED = "parser_failed"
    HEADERS_CUT = "headers_cut"
    HEADER_DAMAGED = "header_damaged"
    HEADER_REPEATED = "header_repeated"
    CHARSET_MISSING = "charset_missing"
    CHARSET_UNKNOWN = "charset_unknown"
    CHARSET_WRONG = "charset_wrong"
    """The declared charset did not fit; another one did, exactly."""
    BYTES_REPLACED = "bytes_replaced"
    """Some bytes fit no charset and stand as U+FFFD."""
    CONTROL_REMOVED = "control_removed"
    TRANSFER_DAMAGED = "transfer_damaged"
    """Base64, quoted-printable or uuencode that had to be repaired or cut."""
    STRUCTURE_DAMAGED = "structure_damaged"
    """Missing boundary, cut multipart, impossible nesting."""
    PARTS_CUT = "parts_cut"
    DEPTH_CUT = "depth_cut"
    TEXT_CUT = "text_cut"
    ADDRESS_DAMAGED = "address_damaged"
    DATE_DAMAGED = "date_damaged"
    TNEF_UNREADABLE = "tnef_unreadable"
    ENCRYPTED = "encrypted"
    """S/MIME, PGP: stored, not read."""
    UNREADABLE = "unreadable"
    """The reading child died or ran out of time or memory on this mail."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that was not as it should be.

    `where` names the place ("header Subject", "part 1.2", "attachment 2 name"), `detail` what was
    found, already cleaned and short (at most 200 characters).
    """

    code: DefectCode
    where: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of an address header (RFC 5322 §3.4). `addr` is ASCII, the whole address in
    lower case; empty when none could be read."""

    addr: str
    name: str = ""


class AttachmentKind(StrEnum):
    """What an attachment is by its content (magic bytes), not by its name or declared type."""

    WORD = "word"
    """.docx and .doc/.wps"""
    SHEET = "sheet"
    SLIDES = "slides"
    PDF = "pdf"
    OFD = "ofd"
    TEXT = "text"
    RTF = "rtf"
    HTML = "html"
    IMAGE = "image"
    ARCHIVE = "archive"
    MAIL = "mail"
    """A nested message/rfc822."""
    CALENDAR = "calendar"
    SIGNATURE = "signature"
    OTHER = "other"
    EMPTY = "empty"


DOCUMENT_KINDS = frozenset(
    {
        AttachmentKind.WORD,
        AttachmentKind.PDF,
        AttachmentKind.OFD,
        AttachmentKind.TEXT,
        AttachmentKind.RTF,
        AttachmentKind.HTML,
    }
)
"""Kinds that can carry the text of an item: one of these is one candidate item."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment's facts. Its bytes stay in the archived raw mail, found by `path`."""

    name: str
    """As the sender named it, decoded; never used as a path. Empty when it had none."""
    content_type: str
    kind: AttachmentKind
    size: int
    sha256: str
    path: str
    """MIME part number, "2" or "1.3"; TNEF members append "/n"."""
    inline: bool = False
    """An image shown inside the HTML text (Content-ID referenced or Content-Disposition inline)."""
    text: str = ""
    """Readable text where reading it needs no document parser (text, HTML, .docx); of a .zip its
    members' names and such texts; else empty."""
    flags: tuple[str, ...] = ()
    """`encrypted`, `macro`, `in_part` (a .docx or .zip that was not read whole): what a person should
    know before opening it."""


@dataclass(frozen=True, slots=True)
class CloudAttachment:
    """A 超大附件 link in the text: an attachment that is not there. Never fetched."""

    host: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class SecretsMark:
    """A secrets mark by rule and place. Deliberately without a word of the content (保密法 29, 31)."""

    rule: str
    """Rule id: `level-star`, `level-label`, `internal` ..."""
    where: str
    """`subject`, `body`, `attachment name`, `attachment text`, `nested mail`"""
    hold_only: bool = False
    """True for 内部资料 / 注意保存: a person looks, but it is not a secrets hit."""


@dataclass(frozen=True, slots=True)
class IncomingMail:
    """One mail, read. See the module's promises."""

    size: int
    """Bytes of the raw mail as fetched."""
    sha256: str
    """Of the raw bytes."""
    content_key: str
    """SHA-256 hex over Message-ID, From, Date, Subject (decoded) and the body bytes: equal when the
    same mail arrives twice with other trace headers (Received, Delivered-To, Return-Path)."""
    headers: tuple[tuple[str, str], ...] = ()
    """Every header field, in order, name as written, value decoded and unfolded."""
    subject: str = ""
    from_: tuple[Address, ...] = ()
    sender: Address | None = None
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    return_path: Address | None = None
    """Topmost Return-Path; an `Address("")` is the null path `<>`, None is no such header."""
    message_id: str | None = None
    """Without angle brackets, at most 250 characters; None when absent or unusable."""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    """Newest last, at most the last 50."""
    date: datetime | None = None
    """The Date header, aware; display only, never trusted for counting."""
    received: tuple[datetime, ...] = ()
    """Times of the Received headers, topmost (newest) first."""
    text: str = ""
    """The body for a reader: text/plain, else HTML turned into text."""
    html: str = ""
    """The first HTML body as sent (bounded), for the desk's sandboxed view."""
    content_type: str = "text/plain"
    """Of the whole mail, lower case, without parameters."""
    report_type: str = ""
    """multipart/report's report-type parameter, lower case."""
    attachments: tuple[Attachment, ...] = ()
    cloud_attachments: tuple[CloudAttachment, ...] = ()
    nested: tuple[NestedMail, ...] = ()
    calendar: tuple[str, ...] = ()
    """One line per calendar part: method, summary, start."""
    secrets: tuple[SecretsMark, ...] = ()
    defects: tuple[Defect, ...] = field(default=())

    def header(self, name: str) -> str | None:
        """The first (topmost) value of a header field, or None. Names compare without case."""
        wanted = name.lower()
        return next((v for n, v in self.headers if n.lower() == wanted), None)

    def header_all(self, name: str) -> tuple[str, ...]:
        """Every value of a header field, topmost first."""
        wanted = name.lower()
        return tuple(v for n, v in self.headers if n.lower() == wanted)

    @property
    def secret(self) -> bool:
        """Does it bear a secrets mark? Then nothing of its content may be written."""
        return any(not mark.hold_only for mark in self.secrets)

    @property
    def author(self) -> Address | None:
        """The one author, or None when From is missing, empty or names several (RFC 5322 §3.6.2)."""
        usable = [a for a in self.from_ if a.addr]
        return usable[0] if len(usable) == 1 and len(self.from_) == 1 else None


@dataclass(frozen=True, slots=True)
class NestedMail:
    """A message/rfc822 inside the mail (a forward as attachment): kept apart, never merged."""

    path: str
    subject: str
    from_: tuple[Address, ...]
    message_id: str | None
    text: str
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
