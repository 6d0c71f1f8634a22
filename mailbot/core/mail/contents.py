"""What a mail's parts amount to: its text, its attachments, the mails inside it.

Walks the part tree once. `multipart/alternative` gives one text (plain, else HTML turned into
text); several texts beside one another are one text. Whatever is neither text nor structure is an
attachment, so nothing a sender attached can get lost here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from mailbot.core.mail import limits
from mailbot.core.mail.attachments import (
    File,
    TextBudget,
    clean_text,
    decode_html,
    describe,
    file_name,
    settle_inline,
)
from mailbot.core.mail.charsets import decode_text
from mailbot.core.mail.cloud import find_cloud
from mailbot.core.mail.defects import Defects
from mailbot.core.mail.htmltext import Link, read_html
from mailbot.core.mail.ical import summarise
from mailbot.core.mail.model import (
    Attachment,
    AttachmentKind,
    CloudAttachment,
    DefectCode,
    NestedMail,
)
from mailbot.core.mail.params import Parameterised
from mailbot.core.mail.structure import Part
from mailbot.core.mail.tnef import is_tnef, read_tnef

_PGP: Final = re.compile(r"^-----BEGIN PGP MESSAGE-----", re.MULTILINE)
_MAIL_TYPES: Final = ("message/rfc822", "message/global", "text/rfc822-headers")

NestedReader = Callable[[bytes, str], tuple[NestedMail, ...]]
"""Reads a mail inside the mail: raw bytes and path to the nested mails found (none: too deep)."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Fields as in `IncomingMail`."""

    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    cloud: tuple[CloudAttachment, ...] = ()
    nested: tuple[NestedMail, ...] = ()
    calendar: tuple[str, ...] = ()


@dataclass(slots=True)
class _Piece:
    """One text of the mail in its versions; `plain` None when there is only HTML."""

    plain: str | None = None
    html: str | None = None


@dataclass(slots=True)
class _Collector:
    defects: Defects
    budget: TextBudget
    nest: NestedReader
    files: list[File] = field(default_factory=list)
    nested: list[NestedMail] = field(default_factory=list)
    calendar: list[str] = field(default_factory=list)
    tnef: list[_Piece] = field(default_factory=list)

    def pieces(self, part: Part, *, root: bool, alternative: bool = False) -> list[_Piece]:
        """The texts at and below a part; everything else is collected on the way."""
        if part.content_type == "multipart/encrypted":
            self.defects.add(DefectCode.ENCRYPTED, f"part {part.path or '1'}", part.content_type)
        if part.children:
            below = part.content_type == "multipart/alternative"
            found: list[_Piece] = []
            for child in part.children:
                found += self.pieces(child, root=False, alternative=below or alternative)
            return [_merged(found)] if below and found else found
        if _is_text_body(part, root):
            return [self._text(part)]
        self._file(part, alternative)
        return []

    def _text(self, part: Part) -> _Piece:
        where = f"part {part.path}"
        data = part.content(self.defects)
        charset = part.type.word("charset")
        if part.content_type == "text/html":
            read = decode_html(data, charset)
            if len(data) > 4 * limits.TEXT_CHARS:
                self.defects.add(DefectCode.TEXT_CUT, where, f"{len(data)} bytes")
            return _Piece(html=clean_text(read, self.defects, where))
        text = clean_text(decode_text(data, charset or None), self.defects, where)
        if part.type.word("format").lower() == "flowed":
            text = _flowed(text, part.type.word("delsp").lower() == "yes")
        if _PGP.search(text):
            self.defects.add(DefectCode.ENCRYPTED, where, "PGP message")
        return _Piece(plain=text)

    def _file(self, part: Part, alternative: bool) -> None:
        data = part.content(self.defects)
        name = file_name(part, self.defects)
        if part.content_type == "text/calendar":
            text = clean_text(
                decode_text(data, part.type.word("charset") or None),
                self.defects,
                f"part {part.path}",
            )
            self.calendar.append(summarise(text))
            if alternative and not name:
                return
        if is_tnef(data):
            self._winmail(data, part, name)
            return
        facts = self._facts(data, part.path, name, part.content_type, part.type)
        self.files.append(File(facts, part.content_id, part.disposition.value))
        if part.content_type in _MAIL_TYPES or facts.kind is AttachmentKind.MAIL:
            self.nested += self.nest(data, part.path)

    def _facts(
        self, data: bytes, path: str, name: str, content_type: str, parameters: Parameterised
    ) -> Attachment:
        return describe(
            data,
            path=path,
            name=name,
            content_type=content_type,
            parameters=parameters,
            budget=self.budget,
            defects=self.defects,
        )

    def _winmail(self, data: bytes, part: Part, name: str) -> None:
        """The members of a winmail.dat stand in for it; it shows itself only when it hides them."""
        unpacked = read_tnef(data)
        if unpacked.damage:
            self.defects.add(DefectCode.TNEF_UNREADABLE, f"part {part.path}", unpacked.damage)
        for number, file in enumerate(unpacked.files, 1):
            facts = self._facts(
                file.data, f"{part.path}/{number}", file.name, "application/octet-stream",
                Parameterised(),
            )  # fmt: skip
            self.files.append(File(facts, "", "attachment"))
        if unpacked.damage and not unpacked.files:
            facts = self._facts(data, part.path, name, part.content_type, Parameterised())
            self.files.append(File(facts, "", "attachment"))
        if unpacked.text or unpacked.html:
            self.tnef.append(_Piece(unpacked.text or None, unpacked.html or None))


def read_contents(root: Part, budget: TextBudget, defects: Defects, nest: NestedReader) -> Contents:
    """Reads everything below the mail's header."""
    collector = _Collector(defects, budget, nest)
    pieces = collector.pieces(root, root=True)
    if not any(_speaks(piece) for piece in pieces):
        pieces += collector.tnef
    texts: list[str] = []
    page_text, html = "", ""
    links: list[Link] = []
    images: frozenset[str] = frozenset()
    for piece in pieces:
        page = read_html(piece.html) if piece.html else None
        if page is not None:
            images |= page.images
            if not html:
                html = (piece.html or "")[: limits.HTML_CHARS]
                if len(piece.html or "") > limits.HTML_CHARS:
                    defects.add(DefectCode.TEXT_CUT, "html", f"{len(piece.html or '')} characters")
            offset = len(page_text) + bool(page_text)
            links += [replace(link, offset=link.offset + offset) for link in page.links]
            page_text = f"{page_text}\n{page.text}" if page_text else page.text
        plain = piece.plain if piece.plain is not None and piece.plain.strip() else None
        text = plain if plain is not None else (page.text if page else "")
        if text.strip():
            texts.append(text.strip("\n"))
    text = budget.take("\n\n".join(texts), defects, "text")
    return Contents(
        text=text,
        html=html,
        attachments=settle_inline(collector.files, images, bool(html)),
        cloud=find_cloud(text, page_text, links),
        nested=tuple(collector.nested),
        calendar=tuple(line for line in collector.calendar if line),
    )


def _is_text_body(part: Part, root: bool) -> bool:
    """Whether a part is the mail's own words rather than a file."""
    if part.disposition.value.startswith("attachment"):
        return False
    if part.content_type not in ("text/plain", "text/html"):
        # A multipart without any boundary: its bytes are all the mail has to say.
        return (
            root
            and part.content_type.startswith(("multipart/", "text/"))
            and (part.content_type != "text/calendar")
        )
    named = any(
        key.split("*")[0] in ("filename", "name")
        for key in (*part.disposition.parameters, *part.type.parameters)
    )
    return root or not named


def _merged(found: list[_Piece]) -> _Piece:
    """The versions of an alternative as one text."""
    plains = [p.plain for p in found if p.plain is not None and p.plain.strip()]
    pages = [p.html for p in found if p.html is not None and p.html.strip()]
    return _Piece("\n\n".join(plains) if plains else None, "\n".join(pages) if pages else None)


def _speaks(piece: _Piece) -> bool:
    return bool((piece.plain or "").strip() or (piece.html or "").strip())


def _flowed(text: str, delete_space: bool) -> str:
    """RFC 3676: a line that ends with a space goes on in the next one of the same quote depth."""
    out: list[str] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        words = line[depth:]
        words = words[1:] if words.startswith(" ") else words
        soft = words.endswith(" ") and words != "-- "
        kept = words[:-1] if soft and delete_space else words
        if open_depth == depth and out and words != "-- ":
            out[-1] += kept
        else:
            out.append(">" * depth + (" " if depth else "") + kept)
        open_depth = depth if soft else None
    return "\n".join(out)
