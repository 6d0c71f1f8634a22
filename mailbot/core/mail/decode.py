"""Any bytes into an `IncomingMail`. The reader's main path.

    raw ── structure (frame, mail-parser) ── header ── contents ── IncomingMail
                                                          └── nested mails, to a small depth

`decode` is total: it never raises for any bytes, and what it could not read exactly is a `Defect`.
Time and memory stay within bounds for every mail (`limits`); the child process it runs in is for
what nobody foresaw. Secrets marks are looked for by `reading`, not here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from mailbot.core.mail import limits
from mailbot.core.mail.attachments import TextBudget
from mailbot.core.mail.contents import Contents, read_contents
from mailbot.core.mail.defects import Defects
from mailbot.core.mail.headers import Header, read_header
from mailbot.core.mail.model import (
    Attachment,
    Defect,
    DefectCode,
    IncomingMail,
    NestedMail,
)
from mailbot.core.mail.structure import Part, Structure, read_structure
from mailbot.core.mail.tnef import TnefFile, read_tnef

_CHUNK: Final = 1_048_576
_LINE_END: Final = re.compile(rb"\r\n?")


def decode(raw: bytes, *, complete: bool = True) -> IncomingMail:
    """Reads one raw mail. `complete` False: `raw` is only the header section of a mail above the
    size cap; its body and attachments are left empty and TOO_LARGE is recorded."""
    try:
        return _Reading().mail(raw, complete, depth=0)
    except MemoryError:
        raise  # the child's limit, not a property of the bytes: the child is replaced
    except Exception as error:
        # A bug of ours must not stop the mails behind this one. It is told, and a person looks.
        what = Defect(DefectCode.PARSER_FAILED, "mail", type(error).__name__)
        return unread_mail(raw, what)


def unread_mail(raw: bytes, defect: Defect) -> IncomingMail:
    """What can be said of a mail without reading it."""
    digest = hashlib.sha256(raw).hexdigest()
    return IncomingMail(size=len(raw), sha256=digest, content_key=digest, defects=(defect,))


def part_bytes(raw: bytes, path: str) -> bytes | None:
    """The content of the attachment with this `Attachment.path`, or None when there is none. For
    several of one mail: `PartsOf`."""
    return PartsOf(raw).content(path)


class PartsOf:
    """The contents of a mail's attachments by `Attachment.path`: its structure, and that of each mail
    inside it, is read once however many are asked for."""

    def __init__(self, raw: bytes) -> None:
        self._defects = Defects()
        walked = read_structure(raw, self._defects).root.walk()
        self._leaves = {p.path: p for p in walked if not p.children}
        self._inner: dict[str, PartsOf] = {}
        self._files: dict[str, Sequence[TnefFile]] = {}

    def content(self, path: str) -> bytes | None:
        head, _, member = path.partition("/")
        part = self._holding(head)
        if part is None:
            return None
        if head != part.path:
            rest = head[len(part.path) + 1 :] + (f"/{member}" if member else "")
            if part.path not in self._inner:
                self._inner[part.path] = PartsOf(part.content(self._defects))
            return self._inner[part.path].content(rest)
        if not member:
            return part.content(self._defects)
        if head not in self._files:
            self._files[head] = read_tnef(part.content(self._defects)).files
        files = self._files[head]
        number = int(member) if member.isdecimal() and len(member) < 6 else 0
        return files[number - 1].data if 1 <= number <= len(files) else None

    def _holding(self, path: str) -> Part | None:
        """The leaf with this path, or the mail or container in which it lies."""
        while path:
            if path in self._leaves:
                return self._leaves[path]
            path = path.rpartition(".")[0]
        return None


class _Reading:
    """The reading of one mail and the mails inside it, which share their limits."""

    def __init__(self) -> None:
        self._budget = TextBudget()
        self._nested_left = limits.NESTED_MAX

    def mail(self, raw: bytes, complete: bool, depth: int) -> IncomingMail:
        defects = Defects()
        if not raw.strip():
            defects.add(DefectCode.EMPTY, "mail")
        if not complete:
            defects.add(DefectCode.TOO_LARGE, "mail", "header section only")
        structure = read_structure(raw, defects, complete=complete)
        root = structure.root
        header = read_header(root.headers, defects)
        contents = Contents()
        if complete:
            contents = read_contents(
                root,
                self._budget,
                defects,
                lambda data, path: self._nested(data, path, depth + 1, defects),
            )
        return IncomingMail(
            size=len(raw),
            sha256=hashlib.sha256(raw).hexdigest(),
            content_key=_content_key(raw, structure, header),
            headers=header.headers,
            subject=header.subject,
            from_=header.from_,
            sender=header.sender,
            reply_to=header.reply_to,
            to=header.to,
            cc=header.cc,
            return_path=header.return_path,
            message_id=header.message_id,
            in_reply_to=header.in_reply_to,
            references=header.references,
            date=header.date,
            received=header.received,
            text=contents.text,
            html=contents.html,
            content_type=root.content_type,
            report_type=root.type.word("report-type").lower(),
            attachments=contents.attachments,
            cloud_attachments=contents.cloud,
            nested=contents.nested,
            calendar=contents.calendar,
            defects=defects.found(),
        )

    def _nested(
        self, raw: bytes, path: str, depth: int, defects: Defects
    ) -> tuple[NestedMail, ...]:
        """A mail inside the mail, followed by those inside it."""
        if depth > limits.NESTED_DEPTH_MAX or self._nested_left <= 0:
            defects.add(DefectCode.DEPTH_CUT, f"part {path}", "mail inside mail not read")
            return ()
        self._nested_left -= 1
        inner = self.mail(raw, True, depth)
        for defect in inner.defects:
            defects.add(defect.code, f"part {path}, {defect.where}", defect.detail)
        own = NestedMail(
            path=path,
            subject=inner.subject,
            from_=inner.from_,
            message_id=inner.message_id,
            text=inner.text,
            attachments=tuple(_moved(inner.attachments, path)),
            headers=inner.headers,
        )
        deeper = (
            replace(
                one,
                path=f"{path}.{one.path}",
                attachments=tuple(_moved(one.attachments, path)),
            )
            for one in inner.nested
        )
        return (own, *deeper)


def _moved(attachments: tuple[Attachment, ...], path: str) -> Iterator[Attachment]:
    for attachment in attachments:
        yield replace(attachment, path=f"{path}.{attachment.path}")


def _content_key(raw: bytes, structure: Structure, header: Header) -> str:
    """See `IncomingMail.content_key`. Line ends are folded, because a mail store may change them."""
    digest = hashlib.sha256()
    for name in ("message-id", "from", "date", "subject"):
        value = header.text(name).encode("utf-8", "replace")
        digest.update(b"%s:%d:" % (name.encode(), len(value)))
        digest.update(value)
    body = memoryview(raw)[structure.body :]
    position = 0
    while position < len(body):
        end = min(position + _CHUNK, len(body))
        if end < len(body) and body[end - 1] == 0x0D:
            end += 1  # keep CR and LF together
        digest.update(_LINE_END.sub(b"\n", bytes(body[position:end])))
        position = end
    return digest.hexdigest()
