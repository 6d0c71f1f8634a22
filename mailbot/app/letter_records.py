"""What the store keeps of letters that go out of our own accord. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from mailbot.app.records import OutboxState

# --- duties --------------------------------------------------------------------------------


class DutyState(StrEnum):
    DONE = "done"
    """Its letters were queued, or its draft was written."""
    SKIPPED = "skipped"
    """Nothing was to be sent: `why` says so."""


@dataclass(frozen=True, slots=True)
class NewDuty:
    """A duty settled, once and for ever. Written in the transaction that queues its letters."""

    key: str
    """`reminder:<office>:2026-08:first`: letter, office, period (or what it is about), stage."""
    office: str
    letter: str
    period: str
    """Code of the period, a task's or commission's id, or a day; what the stage is of."""
    stage: str
    due: datetime
    state: DutyState
    why: str = ""
    """A whole Chinese sentence."""
    detail: dict[str, Any] = field(default_factory=dict)
    """JSON; `units`: what became of each: `{"jiaoti": {"outcome": "sent", "why": ""}}`."""


@dataclass(frozen=True, slots=True)
class DutyRow:
    new: NewDuty
    at: datetime


# --- drafts ---------------------------------------------------------------------------------


class DraftState(StrEnum):
    DRAFT = "draft"
    """Waits for a person."""
    APPROVED = "approved"
    """Approved and, where it seals, sealed; its letters are not queued yet."""
    SENT = "sent"
    """Its letters are in the outbox."""
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    """A newer draft of the same letter and period took its place."""


@dataclass(frozen=True, slots=True)
class DraftRecipient:
    """Who gets what when a draft is approved. Nobody else does."""

    key: str
    """Ends the outbox key: `cover:<unit>:<role>`, `own:<list>:<unit>:<role>`, `reader:<number>`."""
    kind: str
    """`LetterKind` value."""
    unit_id: str
    role: str
    name: str
    address: str
    """Empty: nobody can be written to; shown, not sent."""
    phone: str = ""
    sms: str = ""
    """The text message exported for this person; empty: none."""


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file of a draft. `role`: `document`, `own:<list>:<unit>`, `standings` …"""

    role: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class NewDraft:
    office: str
    letter: str
    period: str
    title: str
    digest: str
    """Over everything it says. Approval refuses when today's would be another."""
    summary: tuple[str, ...]
    flags: tuple[str, ...]
    recipients: tuple[DraftRecipient, ...]
    files: tuple[DraftFile, ...]


@dataclass(frozen=True, slots=True)
class DraftRow:
    id: int
    office: str
    letter: str
    period: str
    no: int
    """First, second … draft of this letter and period."""
    title: str
    digest: str
    summary: tuple[str, ...]
    flags: tuple[str, ...]
    state: DraftState
    created: datetime
    by: str
    number: str = ""
    """发文字号"""
    issued: date | None = None
    decided_at: datetime | None = None
    decided_by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class SentLetter:
    """A letter in the outbox and what became of it."""

    id: int
    key: str
    kind: str
    unit_id: str
    role: str
    recipient: str
    subject: str
    state: OutboxState
    queued: datetime
    finished: datetime | None
    error: str
    bounced: datetime | None = None
    """When the first delivery failure about it came in."""
    bounced_by: int | None = None
    """Inbound id of that."""
    office: str = ""
    about: str = ""


# --- appeals and tokens ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewAppeal:
    """申诉: a unit's objection to an item's treatment or to an entry."""

    office: str
    unit_id: str
    about: str
    """A receipt number, or `record:<number>`."""
    inbound_id: int
    item_id: int | None = None
    record_id: int | None = None


@dataclass(frozen=True, slots=True)
class AppealRow:
    id: int
    new: NewAppeal
    opened: datetime
    answer: str = ""
    answered_at: datetime | None = None
    answered_by: str = ""
    from_addr: str = ""
    """Of the mail that opened it."""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A one-time code. Only its digest is kept."""

    digest: str
    """SHA-256, hex, of the code in its plain form."""
    office: str
    purpose: str
    """`approve`"""
    subject: str
    """`draft:12`"""
    address: str
    """Only a mail from here may use it."""
    expires: datetime


@dataclass(frozen=True, slots=True)
class TokenRow:
    new: NewToken
    created: datetime
    used: datetime | None = None


# --- the morning's digest -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MailLine:
    """A mail that was decided, as the digest lists it."""

    inbound_id: int
    received: datetime
    from_addr: str
    unit_id: str | None
    kind: str
    """`DecisionKind` value."""
    reasons: tuple[str, ...]
    receipts: tuple[str, ...]
    titles: tuple[str, ...]
    """Empty after a secrets hit."""
    subject: str = ""
    """Empty after a secrets hit."""


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """An automatic answer that was sent."""

    sent: datetime
    kind: str
    recipient: str
    subject: str
    receipt: str
