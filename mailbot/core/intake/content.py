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
    r"-{2,}\s*(?:原始邮件|原邮件|回复的(?:原)?邮件|转发的(?:原)?邮件|转发邮件|邮件原件|邮件原文"
    r"|Original Message|Replied Message|Forwarded message)"
    r"|-{4,}\s*Original"
    r"|_{20,}\s*$"
    r"|在\s?.{4,180}(?:写道|来信)[:：]?\s*$"
    r"|.{0,120}(?:\d{4}|@).{0,80}写道[:：]\s*$"
    r"|(?:On|Le|Am)\s.{4,120}wrote:\s*$"
    r")",
    re.IGNORECASE,
)
# Outlook and Foxmail copy the header fields. One such line alone may be a form's (发件人：张三).
_QUOTED_FROM = re.compile(r"^\s*\**(?:发件人|寄件者|From)\**\s?[:：]", re.IGNORECASE)
_QUOTED_FIELD = re.compile(
    r"^\s*\**(?:发送时间|发送日期|发件时间|日期|时间|收件人|抄送|主题|Sent|Date|To|Cc|Subject)\**\s?[:：]",
    re.IGNORECASE,
)
_QUOTED_FIELDS_WITHIN = 4
"""Lines after 发件人 among which another header field follows."""
_POINTS_TO_FILE = re.compile(r"见附件|附件|请查收|随信附|请审阅|attach", re.IGNORECASE)
_BLANK = re.compile(r"\s+")
_SIGNATURE_KINDS = frozenset(
    {AttachmentKind.SIGNATURE, AttachmentKind.EMPTY, AttachmentKind.CALENDAR}
)

_COURTESY = re.compile(
    r"[，！!,.、：:；;～~\-—_*=\s]|[。.]|您好|你好|大家好|谢谢|感谢|辛苦了?|领导|老师|同志|各位|尊敬的|此致|敬礼"
    r"|收到请回复|现将|现报送?|报送|上报|信息|请|见|附件|附|查收|查阅|审阅|审核|审定|随信|附上|给您|发给|发您"
    r"|发自我的\w+|来自\w+邮箱|从\w+(?:手机|邮箱)发送|Sent from my \w+|获取Outlook\w*",
    re.IGNORECASE,
)
LONG_LINE = 60
"""Characters from which a line is neither a covering sentence nor a signature."""
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
        rest = _COURTESY.sub("", self.text)
        if not rest:
            return True
        return bool(_POINTS_TO_FILE.search(self.text)) and not any(
            _says_something(line) for line in self.text.split("\n")
        )

    @property
    def slight(self) -> bool:
        """No file, and no line that could be part of an item: a note such as 已改正，请查收。"""
        return not self.files and not any(_says_something(s) for s in self.text.split("\n"))


def _says_something(line: str) -> bool:
    """Is the line part of an item, rather than of a covering note (现将…报送，请查收附件) or of the
    signature below it? A signature has no sentence."""
    rest = _COURTESY.sub("", line)
    if len(rest) >= LONG_LINE:
        return True
    sentence = "。" in line or "；" in line or line.count("，") >= 2
    return len(rest) >= THIN_TEXT and sentence and not _POINTS_TO_FILE.search(line)


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


_SET_OFF = re.compile(r"[+＋|｜/／_—–]")
_NOTE_CHARS = 300
"""Below this a text alone is a note and no item."""


def hollow(mail: IncomingMail) -> bool:
    """Has it nothing that could be an item: no file, a note for a text, and a subject that is not
    even set out in fields? So write responders that set no header; people do too, now and then."""
    own = content_of(mail)
    return (
        not own.files
        and not mail.cloud_attachments
        and len(_BLANK.sub("", own.text)) < _NOTE_CHARS
        and _SET_OFF.search(mail.subject[:500]) is None
    )


def own_text(text: str) -> str:
    """The part of a body its sender wrote: everything before the first quotation, without lines
    marked by `>`."""
    lines: list[str] = []
    all_lines = text.split("\n")
    for at, line in enumerate(all_lines):
        if _QUOTE_OPENERS.match(line[:300]) or _quoted_fields(all_lines, at):
            break
        if not line.lstrip().startswith((">", "＞")):
            lines.append(line)
    return "\n".join(lines).strip()


def _quoted_fields(lines: list[str], at: int) -> bool:
    """Does a copied header section begin here?"""
    return bool(_QUOTED_FROM.match(lines[at][:80])) and any(
        _QUOTED_FIELD.match(line[:80]) for line in lines[at + 1 : at + 1 + _QUOTED_FIELDS_WITHIN]
    )
