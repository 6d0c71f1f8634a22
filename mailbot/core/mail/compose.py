"""A rendered letter becomes the bytes of a mail.

Written by hand instead of with `email.message`, because the bytes must be the same for the same
letter on every Python (the outbox stores them once and a resend is byte for byte the first send),
and because nothing a stranger wrote may ever become a header line. It promises

* exactly the headers of `HEADERS`, each once, in that order (In-Reply-To and References only when
  there are usable ids), lines of at most 78 octets wherever the content can be folded and never
  998 or more (RFC 5322 §2.1.1), CRLF throughout, pure ASCII on the wire;
* one recipient, never a Cc;
* text and HTML, both UTF-8 in base64, which every Chinese webmail shows rightly and no relay needs
  to re-encode; files and images beside them (`bodyparts`).

What the letter says and whom it may be sent to is not its business.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Literal

from mailbot.core.letters.answers import Rendered
from mailbot.core.mail.bodyparts import body_lines
from mailbot.core.mail.enclosures import Enclosure, InlineImage
from mailbot.core.mail.encodedwords import encoded_words, header_line

HEADERS = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-Mailbot-Id",
    "MIME-Version",
    "Content-Type",
)

MAX_ID = 250
"""Longest Message-ID quoted back: with name and brackets it still fits one line of 998."""
MAX_REFERENCES = 20
"""The thread's first id and its newest ones; RFC 5322 sets no bound, a hostile thread does."""
MAX_SUBJECT = 200
MAX_NAME = 60

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_MESSAGE_ID = re.compile(r"[!#-'*+\-./-;=?A-Z\[\]^-~]+@[!#-'*+\-./-;=?@A-Z\[\]^-~]+")
"""Printable ASCII without blanks, quotes, backslash, brackets, comma and parentheses: what can be
repeated between `<` and `>` without reading as anything else."""
_MARK = re.compile(r"[A-Za-z0-9._-]{1,120}")


def usable_address(addr: str) -> bool:
    """Can a letter be sent to it: one plain ASCII address (RFC 5321 dot-string and domain, without
    quoted local parts, literals and SMTPUTF8), at most 254 octets."""
    local = addr.rpartition("@")[0]
    return len(addr) <= 254 and len(local) <= 64 and _ADDRESS.fullmatch(addr) is not None


def usable_id(message_id: str | None) -> str | None:
    """The id without angle brackets when it can be quoted back safely, else None: missing, longer
    than `MAX_ID`, without `@`, with blanks, control or non-ASCII characters, or brackets inside."""
    if message_id is None:
        return None
    bare = message_id.strip(" \t")
    if bare.startswith("<") and bare.endswith(">"):
        bare = bare[1:-1]
    return bare if len(bare) <= MAX_ID and _MESSAGE_ID.fullmatch(bare) else None


def compose(
    *,
    rendered: Rendered,
    from_addr: str,
    from_name: str,
    to_addr: str,
    message_id: str,
    date: datetime,
    in_reply_to: str | None,
    references: Sequence[str],
    auto_submitted: Literal["auto-replied", "auto-generated"],
    mark: str,
    files: Sequence[Enclosure] = (),
    images: Sequence[InlineImage] = (),
) -> bytes:
    """The mail's bytes; the same bytes for the same arguments.

    `message_id` with or without angle brackets; `in_reply_to` the answered mail's id, `references`
    that mail's own References, oldest first (ids that cannot be quoted back are left out).
    `images` are what the HTML shows by `cid:`.

    Raises `ValueError` where our own side gave something that no mail can carry: an address
    `usable_address` refuses, a Message-ID, mark or Content-ID that is not ours to send, a naive
    date.
    """
    for addr in (from_addr, to_addr):
        if not usable_address(addr):
            raise ValueError(f"not an address a letter can carry: {addr!r}")
    own_id = usable_id(message_id)
    if own_id is None:
        raise ValueError(f"unusable Message-ID {message_id!r}")
    if not _MARK.fullmatch(mark):
        raise ValueError(f"unusable mark {mark!r}")
    if date.tzinfo is None:
        raise ValueError("the Date of a letter needs a time zone")
    if auto_submitted not in ("auto-replied", "auto-generated"):
        raise ValueError(f"unknown Auto-Submitted value {auto_submitted!r} (RFC 3834 §5)")

    parent = usable_id(in_reply_to)
    thread = _thread(references, parent)

    lines = [f"From: {_mailbox(from_name, from_addr)}", f"To: {to_addr}"]
    lines.append(f"Subject: {_unstructured(rendered.subject, MAX_SUBJECT)}")
    lines.append(f"Date: {format_datetime(date)}")
    lines.append(f"Message-ID: <{own_id}>")
    if parent:
        lines.append(f"In-Reply-To: <{parent}>")
    if thread:
        lines.append("References: " + "\r\n ".join(f"<{i}>" for i in thread))
    lines += [
        f"Auto-Submitted: {auto_submitted}",
        "X-Auto-Response-Suppress: All",
        f"X-Mailbot-Id: {mark}",
        "MIME-Version: 1.0",
        *body_lines(rendered, files, images, own_id),
    ]
    return "\r\n".join(lines).encode("ascii")


def _thread(references: Sequence[str], parent: str | None) -> list[str]:
    """References as RFC 5322 §3.6.4 builds them, bounded: the thread's first id is kept, because
    clients hang the thread on it, then the newest."""
    ids = list(dict.fromkeys(i for i in map(usable_id, references) if i))
    if parent:
        ids = [*(i for i in ids if i != parent), parent]
    return ids if len(ids) <= MAX_REFERENCES else [ids[0], *ids[-(MAX_REFERENCES - 1) :]]


def _mailbox(name: str, addr: str) -> str:
    shown = header_line(name, MAX_NAME)
    if not shown:
        return addr
    if re.fullmatch(r"[A-Za-z0-9 ]+", shown):
        return f'"{shown}" <{addr}>'
    # Folded before the address: the longest one alone is shorter than a line may be.
    return "\r\n ".join([*encoded_words(shown), f"<{addr}>"])


def _unstructured(value: str, limit: int) -> str:
    shown = header_line(value, limit)
    if shown.isascii() and "=?" not in shown and len(shown) <= 66:
        return shown
    return "\r\n ".join(encoded_words(shown))
