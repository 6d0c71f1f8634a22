"""Reading one mail as the intake needs it: decoded, and looked through for secrets marks.

Stands beside `decode` because the marks belong to the intake's rules, which know the mail only as
an `IncomingMail`. Runs in the reading child, in memory, before anything is written (保密法 29, 31).
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.core.intake.secrets import find_secrets
from mailbot.core.mail.decode import PartsOf, decode
from mailbot.core.mail.htmltext import read_html
from mailbot.core.mail.model import AttachmentKind, IncomingMail
from mailbot.core.mail.oletext import ole_words

_OLD_OFFICE = frozenset(
    {AttachmentKind.WORD, AttachmentKind.SHEET, AttachmentKind.SLIDES, AttachmentKind.OTHER}
)
_SUBJECT_LINES = frozenset({"subject", "thread-topic", "comments", "keywords"})


def read_mail(raw: bytes, complete: bool = True) -> IncomingMail:
    """`decode(raw)` with its `secrets` filled in. Total, as `decode` is."""
    mail = decode(raw, complete=complete)
    body = [mail.text]
    if mail.html:
        # The HTML version may say what the plain text does not.
        body.append(read_html(mail.html).text)
    nested: list[str] = []
    for inner in mail.nested:
        nested += [inner.subject, *_subject_lines(inner.headers), inner.text]
        for attachment in inner.attachments:
            nested += [attachment.name, attachment.text]
    old = [
        a.path
        for a in (*mail.attachments, *(x for n in mail.nested for x in n.attachments))
        if a.kind in _OLD_OFFICE and not a.text
    ]
    parts = PartsOf(raw) if old else None
    old_files = [ole_words(parts.content(path) or b"") for path in old] if parts else []
    names = [a.name for a in (*mail.from_, *mail.reply_to) if a.name]
    marks = find_secrets(
        subject="\n".join(dict.fromkeys((mail.subject, *_subject_lines(mail.headers)))),
        body="\n".join([*body, *mail.calendar, *names]),
        attachment_names=[a.name for a in mail.attachments]
        + [c.name for c in mail.cloud_attachments],
        attachment_texts=[t for t in (*(a.text for a in mail.attachments), *old_files) if t],
        nested_texts=[text for text in nested if text],
    )
    return replace(mail, secrets=marks)


def _subject_lines(headers: tuple[tuple[str, str], ...]) -> list[str]:
    """What says as much as the subject: a second one, and the Thread-Topic that Outlook keeps of
    the first mail of a thread."""
    return [text for name, text in headers if name.lower() in _SUBJECT_LINES]
