"""Letters to the office's own people: what a round of letters did, what awaits a decision, the
morning's digest, the security officer's alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.periodic import DueLine, QuotaLine


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A unit in a round of reminders or results."""

    unit: str
    group: str
    quotas: tuple[QuotaLine, ...]
    sent: tuple[str, ...] = ()
    """Role and address: “信息员 xinxi@example.org”."""
    unsent: tuple[str, ...] = ()
    """Why nobody in a role was written to: “主要负责人没有邮箱”."""
    due: tuple[DueLine, ...] = ()
    """Of a round about tasks or commissions: what waits for the unit; `quotas` is empty then."""


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """What a round did, to the office; one for each round, also when everybody was in order."""

    office: OfficeCard
    name: str
    """The letter's name: 报送任务提醒."""
    period: str
    """2026年8月"""
    stage: str
    deadline: date
    short: tuple[RoundLine, ...]
    met: int
    """Units that owe something and have met it."""
    sent: int
    """Letters queued."""
    thanked: int = 0
    remarks: tuple[RoundLine, ...] = ()
    """Units that are not short but lack something “in principle” (`QuotaLine.remark_only`)."""
    what: str = ""
    """“任务” or “约稿”: the round is about these, due on `deadline`. Empty: about quotas."""
    unassigned: tuple[DueLine, ...] = ()
    """Tasks of the ledger due that day that nobody has been given yet."""


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A recipient of a draft, as shown to whoever approves it."""

    to: str
    """Unit and role, or the reader's name."""
    address: str


@dataclass(frozen=True, slots=True)
class DraftMail:
    """A draft that waits for approval; the document is attached."""

    office: OfficeCard
    draft: int
    """Its number: `mailbot notices show N`."""
    name: str
    """季度通报"""
    period: str
    title: str
    summary: tuple[str, ...]
    """The period in a few sentences."""
    flags: tuple[str, ...]
    """Everything unusual, each a sentence: missing addresses, ties at a boundary, corrections, a
    unit that fell far, names still to be filled in."""
    recipients: tuple[DraftLine, ...]
    files: tuple[str, ...]
    token: str = ""
    """One-time code for a reply; empty for somebody who may not approve."""
    valid_until: datetime | None = None
    seals: bool = False


@dataclass(frozen=True, slots=True)
class SecretsAlert:
    """To a security officer: a mail with a secrets mark lies in a mailbox. Says nothing of it."""

    office: OfficeCard
    number: int
    """`mailbot secrets fetch N`."""
    received: datetime
    mailbox: str
    folder: str
    last: bool = False
    """The last one for today: others are only listed."""


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One line of a part of the digest."""

    when: datetime | None
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DigestPart:
    """收到, 退回, 待核, 隔离, 退信, 今天到期, 自动回执 … `total` may be more than the lines shown."""

    title: str
    lines: tuple[DigestLine, ...]
    total: int
    urgent: bool = False
    """Somebody has to act."""


@dataclass(frozen=True, slots=True)
class Digest:
    office: OfficeCard
    day: date
    since: datetime
    until: datetime
    parts: tuple[DigestPart, ...]
    warnings: tuple[str, ...] = ()
    """Whole sentences: the holiday calendar ends, a duty failed …"""
