"""What an SMTP server's refusal means for the letter, the sender and the round.

Chinese providers put the meaning into a tag or the text, and the number is often misleading: a
550 may say "not today" and a 552 "slower". The rows below are read top down, the first that fits
wins; without one the number decides (RFC 5321 §4.2.1). Sources: NetEase's and Tencent's published
lists of return codes, Sina's and Coremail's texts.

Codes of the faults raised here (`WorldFault.code`): `rate` slow down, `daily_quota` stop until
tomorrow, `session` this connection is used up, `spam`, `spam_retry`, `one_recipient`, `size`,
`sender` the login may not send under this address, `login`, `login_later`, `recipient`,
`blocked` our address or network is barred, `refused`, `deferred`, `closing`. (`adapters.smtp` adds
`connect`, `tls`, `starttls`, `closed`, `no_answer`, `garbled`.) Each has its row in
`adapters.doctor.remedies`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mailbot.app.errors import Permanent, Retryable, WorldFault

Phase = Literal["connect", "hello", "login", "mail", "rcpt", "data", "dot"]

QUARTER = 900.0
"""NetEase counts sent mails over 15 minutes."""


@dataclass(frozen=True, slots=True)
class _Row:
    """`codes`: first digits the row is about. `again`: worth another try unchanged. `systemic`:
    concerns every letter of this sender."""

    pattern: str
    code: str
    again: bool
    systemic: bool = False
    after: float | None = None
    codes: str = "45"


_TAG = r"(?<![A-Z]){}(?![A-Z])"

_ROWS = tuple(
    (re.compile(row.pattern, re.IGNORECASE), row)
    for row in (
        # Tags of NetEase (163, 126, yeah) and other Coremail installations.
        _Row(_TAG.format("MI:SFQ"), "rate", True, after=QUARTER),
        _Row(_TAG.format("(?:MI:STC|RP:TRC)"), "daily_quota", True, systemic=True),
        _Row(_TAG.format("RP:QRC"), "rate", True, after=QUARTER),
        _Row(_TAG.format("(?:MI:DMC|RP:DRC|MI:CCL|RP:CCL|MI:CEL|RP:CEL)"), "session", True),
        _Row(_TAG.format("DT:SPM"), "spam_retry", True, after=120.0, codes="4"),
        _Row(_TAG.format("DT:SPM"), "spam", False, codes="5"),
        _Row(_TAG.format("RP:RCL"), "one_recipient", False, codes="5"),
        _Row(_TAG.format("(?:DT:SUM|MI:IMF)"), "sender", False, systemic=True, codes="5"),
        _Row(_TAG.format("(?:HL:[A-Z]{3}|DT:RBL|WM:BL[IU])"), "blocked", True, True, QUARTER),
        # The login may only send as itself (Coremail, Tencent), never with the null sender.
        _Row(
            r"mail from must equal|from address must (?:be same|equal)|NULL sender is not allowed"
            r"|sender address rejected: not owned by user",
            "sender",
            False,
            systemic=True,
            codes="5",
        ),
        # Size before pace: "exceeded mailsize limit" is no rate limit.
        _Row(r"mail ?size|message (?:size|is too (?:long|large|big))|too large", "size", False),
        _Row(r"too much fail authentication|auth error limit", "login_later", True, True, QUARTER),
        _Row(
            r"(?:daily|per day|today).{0,40}(?:limit|quota|exceed)"
            r"|(?:exceed|over|limit|quota).{0,40}(?:daily|per day|today)|当(?:日|天).{0,20}(?:超|上限)",
            "daily_quota",
            True,
            systemic=True,
        ),
        _Row(
            r"too many (?:same size )?(?:mails?|messages?|connections?)|too much mail"
            r"|sending quota exceeded|frequency|frequently|rate ?limit|exceeded.{0,12}\brate\b"
            r"|too fast|slow down|频率|频繁|过快",
            "rate",
            True,
            after=QUARTER,
        ),
        _Row(r"\bspam|垃圾邮件", "spam", False, codes="5"),
    )
)


def classify(phase: Phase, code: int, text: str) -> WorldFault:
    """The fault to raise for a 4xx or 5xx answer `code` with `text` in `phase`.

    Before MAIL everything is systemic: no letter was named yet.
    """
    message = f"{phase}: {code} {text}".strip()
    early = phase in ("connect", "hello", "login")
    digit = str(code)[0]
    for pattern, row in _ROWS:
        if digit in row.codes and pattern.search(text):
            systemic = row.systemic or early
            if row.again:
                return Retryable(message, code=row.code, systemic=systemic, after=row.after)
            if not early:
                return Permanent(message, code=row.code, systemic=systemic)
            break
    if phase == "login":
        if digit == "5":
            return Permanent(message, code="login", systemic=True)
        return Retryable(message, code="login_later", systemic=True)
    if code in (530, 535):  # not logged in any more, or the server forgot it (RFC 4954 §6)
        return Permanent(message, code="login", systemic=True)
    if early:
        # A 5xx greeting is about our address or the server's mood, not about a letter: later.
        return Retryable(message, code="blocked" if digit == "5" else "connect", systemic=True)
    if code == 421:
        # The channel closes (RFC 5321 §3.8): at MAIL nothing was said about a letter yet.
        return Retryable(message, code="closing", systemic=phase == "mail")
    if digit == "4":
        return Retryable(message, code="deferred")
    return Permanent(message, code="recipient" if phase == "rcpt" else "refused")
