"""What of a mail is the item itself: its own text and its documents.

Quoted mail, signatures' separators and phrases such as 请查收附件 are no content. Forwarded text
is: units forward what a colleague wrote.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from mailbot.core.mail.model import DOCUMENT_KINDS, Attachment, AttachmentKind, IncomingMail

# How clients open a quotation. Each stands at the start of a line.
_QUOTE_OPENERS = re.compile(
    r"^\s*(?:"
    r"-{2,}\s*(?:原始邮件|原邮件|回复的邮件|转发的邮件|Original Message|Replied Message|Forwarded message)"
    r"|-{4,}\s*Original"
    r"|_{20,}\s*$"
    r"|在\s?.{4,80}(?:写道|来信)[:：]?\s*$"
    r"|(?:On|Le|Am)\s.{4,120}wrote:\s*$"
    r"|(?:发件人|From)\s?[:：].{0,120}$"
    r")",
    re.IGNORECASE,
)
_POINTS_TO_FILE = re.compile(r"见附件|附件|请查收|随信附|请审阅|attach", re.IGNORECASE)
_BLANK = re.compile(r"\s+")
_SIGNATURE_KINDS = frozenset(
    {AttachmentKind.SIGNATURE, AttachmentKind.EMPTY, AttachmentKind.CALENDAR}
)

THIN_TEXT = 12
"""Characters below which a text that points to a file says nothing itself (请查收附件，谢谢！)."""


@dataclass(frozen=True, slots=True)
class Content:
    """A mail's own content."""

    text: str
    """The body without quotations."""
    documents: tuple[Attachment, ...]
    """Attachments that can carry an item's text, in order."""
    files: tuple[Attachment, ...]
    """All attachments a person would call one: documents, sheets, pictures, archives."""

    @property
    def fingerprint(self) -> frozenset[str]:
        """Equal for the same content sent twice: hashes of the files, else of the text."""
        if self.files:
            return frozenset(f.sha256 for f in self.files)
        letters = _BLANK.sub("", self.text)
        if len(letters) < THIN_TEXT:
            return frozenset()
        return frozenset({hashlib.sha256(letters.encode("utf-8", "replace")).hexdigest()})

    @property
    def empty(self) -> bool:
        """No file, and a text that is empty or only points to a file that is not there."""
        if self.files:
            return False
        letters = _BLANK.sub("", self.text)
        if not letters:
            return True
        rest = re.sub(
            r"[，。！!,.、：:；;～~\s]|您好|你好|谢谢|领导|老师|现将|报送|信息|请|见|附件|查收|审阅|随信|附上|给您",
            "",
            letters,
        )
        return bool(_POINTS_TO_FILE.search(letters)) and len(rest) < THIN_TEXT


def content_of(mail: IncomingMail, *, forwarded: bool = False) -> Content:
    """The mail's own content. `forwarded`: what stands below a quotation opener is content too."""
    files = [a for a in mail.attachments if not a.inline and a.kind not in _SIGNATURE_KINDS]
    for nested in mail.nested:
        files += [a for a in nested.attachments if not a.inline and a.kind not in _SIGNATURE_KINDS]
    text = mail.text if forwarded else own_text(mail.text)
    if mail.nested and not _BLANK.sub("", text):
        text = mail.nested[0].text
    return Content(
        text=text,
        documents=tuple(a for a in files if a.kind in DOCUMENT_KINDS),
        files=tuple(a for a in files if a.kind is not AttachmentKind.MAIL),
    )


def own_text(text: str) -> str:
    """The part of a body its sender wrote: everything before the first quotation, without lines
    marked by `>`."""
    lines: list[str] = []
    for line in text.split("\n"):
        if _QUOTE_OPENERS.match(line[:200]):
            break
        if not line.lstrip().startswith((">", "＞")):
            lines.append(line)
    return "\n".join(lines).strip()
