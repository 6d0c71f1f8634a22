"""One attachment's facts out of one part: name, kind, size, hash, readable text.

The bytes are looked at once and let go; they stay in the archived raw mail. Of documents only the
words of a .docx are read, also inside a .zip. Promises: total; what could not be read of a name or text is a defect.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from mailbot.core.mail import limits
from mailbot.core.mail.archivetext import archive_text
from mailbot.core.mail.charsets import Decoded, decode_text, plausibility
from mailbot.core.mail.clean import many_lines
from mailbot.core.mail.defects import Defects
from mailbot.core.mail.htmltext import read_html
from mailbot.core.mail.magic import kind_of
from mailbot.core.mail.model import Attachment, AttachmentKind, DefectCode
from mailbot.core.mail.ooxmltext import ooxml_text
from mailbot.core.mail.params import Parameterised
from mailbot.core.mail.structure import Part

_META: Final = re.compile(
    rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE
)
_OFFICE: Final = frozenset({AttachmentKind.WORD, AttachmentKind.SHEET, AttachmentKind.SLIDES})
_BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ENCRYPTED_TYPES: Final = frozenset(
    {"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"}
)
_MEMBERS_MAX: Final = 5_000
"""Members a .docx may have to be opened: zipfile reads the whole directory first."""
_LOGO_BYTES: Final = 5_000
"""Below this an image beside an HTML text is the sender's logo, not a scanned submission."""


@dataclass(frozen=True, slots=True)
class File:
    """An attachment before it is known which images the text shows."""

    facts: Attachment
    content_id: str = ""
    disposition: str = ""


class TextBudget:
    """How many characters of text may still be kept of this mail."""

    def __init__(self) -> None:
        self._left = limits.ALL_TEXT_CHARS

    def take(self, text: str, defects: Defects, where: str) -> str:
        """The text, cut if it is too long by itself or for what is left."""
        allowed = min(limits.TEXT_CHARS, self._left)
        if len(text) > allowed:
            defects.add(DefectCode.TEXT_CUT, where, f"{len(text)} characters")
            text = text[:allowed]
        self._left -= len(text)
        return text


def file_name(part: Part, defects: Defects) -> str:
    """The attachment's name: filename, else name; the other one where only it can be read."""
    chosen, codes = part.disposition.text("filename")
    if not chosen or DefectCode.BYTES_REPLACED in codes:
        other, more = part.type.text("name")
        if other and (not chosen or DefectCode.BYTES_REPLACED not in more):
            chosen, codes = other, more
    defects.add_all(codes, f"attachment {part.path} name")
    return chosen[: limits.NAME_CHARS]


def describe(
    data: bytes,
    *,
    path: str,
    name: str,
    content_type: str,
    parameters: Parameterised,
    budget: TextBudget,
    defects: Defects,
) -> Attachment:
    """The facts of one file. `parameters`: of its Content-Type, for the charset of a text."""
    where = f"attachment {path} text"
    kind, flags = kind_of(data, name, content_type)
    if content_type in _ENCRYPTED_TYPES or name.lower().endswith(".p7m"):
        kind, flags = AttachmentKind.OTHER, ("encrypted",)
        defects.add(DefectCode.ENCRYPTED, f"part {path}", content_type)
    text = ""
    if kind is AttachmentKind.HTML:
        read = decode_html(data, parameters.word("charset"))
        text = read_html(_kept(read, defects, where)[: limits.HTML_CHARS]).text
    elif kind in _OFFICE and data[:2] == b"PK":
        text, whole = _word_text(data, "encrypted" in flags, defects, where)
        flags = flags if whole else (*flags, "in_part")
    elif kind is AttachmentKind.ARCHIVE and data[:2] == b"PK":
        text, whole = _zip_text(data, defects, where)
        flags = flags if whole or "encrypted" in flags else (*flags, "in_part")
    elif kind is None:
        read_text = _as_text(data, content_type, parameters.word("charset"))
        kind = AttachmentKind.OTHER
        if read_text is not None:
            # A file has no place for its charset: that it is missing is no defect.
            usual = tuple(c for c in read_text.codes if c is not DefectCode.CHARSET_MISSING)
            read_text = Decoded(read_text.text, read_text.charset, usual)
            kind, text = AttachmentKind.TEXT, _kept(read_text, defects, where)
    if len(data) > _text_bytes() and kind in (AttachmentKind.TEXT, AttachmentKind.HTML):
        defects.add(DefectCode.TEXT_CUT, where, f"{len(data)} bytes")
    return Attachment(
        name=name,
        content_type=content_type,
        kind=kind,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        path=path,
        text=budget.take(text, defects, where),
        flags=flags,
    )


def settle_inline(
    files: list[File], shown: frozenset[str], has_html: bool
) -> tuple[Attachment, ...]:
    """Marks the images that belong to the text rather than to the item. `shown`: Content-IDs the
    HTML refers to."""
    return tuple(
        Attachment(
            **{name: getattr(file.facts, name) for name in Attachment.__slots__}
            | {"inline": _inline(file, shown, has_html)}
        )
        for file in files
    )


def _inline(file: File, shown: frozenset[str], has_html: bool) -> bool:
    if file.facts.kind is not AttachmentKind.IMAGE:
        return False
    if file.content_id in shown and file.content_id:
        return True
    if file.disposition == "inline":
        return True
    return has_html and file.facts.size < _LOGO_BYTES and file.disposition != "attachment"


def decode_html(data: bytes, charset: str) -> Decoded:
    """HTML source as text; without a charset in the header the page's own `meta` speaks."""
    label = charset
    if not label:
        meta = _META.search(data[:4_096])
        label = meta[1].decode("ascii") if meta else ""
    return decode_text(data[: _text_bytes()], label or None)


def clean_text(read: Decoded, defects: Defects, where: str) -> str:
    """A decoded text with its faults recorded."""
    return _kept(read, defects, where)


def _kept(read: Decoded, defects: Defects, where: str) -> str:
    defects.add_all(read.codes, where, read.charset)
    text, removed = many_lines(read.text)
    if removed:
        defects.add(DefectCode.CONTROL_REMOVED, where)
    return text


def _word_text(data: bytes, locked: bool, defects: Defects, where: str) -> tuple[str, bool]:
    """The words of a .docx and whether they are all (or all that a password leaves). A file that
    is not what it claims costs its text, never the mail."""
    text, whole = "", False
    if data.count(b"PK\1\2") <= _MEMBERS_MAX:
        try:
            text, whole = ooxml_text(data)
        except MemoryError:
            raise
        except Exception as error:  # decompressors raise whatever the bytes lead them to
            defects.add(DefectCode.STRUCTURE_DAMAGED, where, type(error).__name__)
    if not whole and not locked:
        # A text longer than our limit was cut; one that cannot be read at all is damaged.
        code = DefectCode.TEXT_CUT if text else DefectCode.STRUCTURE_DAMAGED
        defects.add(code, where, "Word file not read whole")
    text, removed = many_lines(text)
    if removed:
        defects.add(DefectCode.CONTROL_REMOVED, where)
    return text, whole or locked


def _zip_text(data: bytes, defects: Defects, where: str) -> tuple[str, bool]:
    """The names and words in a .zip and whether they are all."""
    try:
        text, whole = archive_text(data)
    except MemoryError:
        raise
    except Exception as error:  # as above
        defects.add(DefectCode.STRUCTURE_DAMAGED, where, type(error).__name__)
        return "", False
    if not whole:
        defects.add(DefectCode.STRUCTURE_DAMAGED, where, "archive not read whole")
    return many_lines(text)[0], whole  # a packed text's controls are no fault of the mail


def _as_text(data: bytes, content_type: str, charset: str) -> Decoded | None:
    """The file as text, or None when it is none. A declared text is one whatever it holds."""
    declared = content_type.startswith(("text/", "message/"))
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not declared and not marked and _BINARY.search(data[:65_536]):
        return None
    read = decode_text(_whole_lines(data), charset or None)
    if declared or (read.exact and plausibility(read.text) > 0.3):
        return read
    return None


def _whole_lines(data: bytes) -> bytes:
    """As much of a very long text as is read, ending with a line so that no character is split."""
    if len(data) <= _text_bytes():
        return data
    cut = data[: _text_bytes()]
    end = cut.rfind(b"\n")
    return cut[:end] if end > 0 else cut


def _text_bytes() -> int:
    return 4 * limits.TEXT_CHARS
