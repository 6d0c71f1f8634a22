"""What passes through the ports: mail as found, letters as queued, rows as recorded.

Values only. Times are aware datetimes; the store keeps them in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from mailbot.core.intake.model import Relation as Relation
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import EventKind
from mailbot.core.rules.periods import Period

# --- mail coming in ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where a mail lies. Unique for ever: IMAP account + folder + UIDVALIDITY + UID. A Maildir
    uses UIDVALIDITY 1 and a 63-bit number made from the file's unique name."""

    account: str
    folder: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class FolderState:
    """One folder as a search saw it."""

    folder: str
    uidvalidity: int
    """0 when the server gives none; the numbers are then `lasting` ones of our own making."""
    uids: Sequence[int]
    uidnext: int = 0
    """The number the next mail will get; 0 when the server does not tell."""
    lasting: bool = False
    """The numbers were made from the mails themselves: none ever comes to mean another mail."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of a mail before its bytes are read."""

    origin: Origin
    size: int
    received: datetime
    """INTERNALDATE, or the file's time for a Maildir."""
    dated: bool = True
    """False when the server gave no time: `received` is then when it was first seen."""
    marked: bool = False
    """It bears the keyword that only mailbot sets: it was settled before."""


@dataclass(frozen=True, slots=True)
class KnownMail:
    """A registered mail as its folder showed it then."""

    id: int
    uid: int
    size: int
    received: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail's bytes. `raw` is None when it vanished between search and fetch; `complete` is False
    when only the header section was fetched because the mail is over the cap."""

    envelope: Envelope
    raw: bytes | None
    complete: bool = True


class Disposition(StrEnum):
    """Where a settled mail goes in the mailbox. A courtesy to people: repeatable, never the truth."""

    ACCEPTED = "accepted"
    RETURNED = "returned"
    HELD = "held"
    QUARANTINED = "quarantined"
    IGNORED = "ignored"


# --- letters going out ---------------------------------------------------------------------


class OutboxState(StrEnum):
    READY = "ready"
    WITHHELD = "withheld"
    """Answers to mail older than the configured age: waits for the operator's word."""
    SENDING = "sending"
    """Claimed; the final dot was certainly not sent."""
    DOT = "dot"
    """The final dot may have been sent; the answer was not read. Becomes UNKNOWN at restart."""
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DROPPED = "dropped"
    """The operator decided not to send it; or it was no longer wanted, or its time was over."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One letter as queued: stable Message-ID, stable bytes, one recipient."""

    key: str
    """Unique for ever: `answer:<inbound id>:<kind>`."""
    kind: str
    office: str
    sender: str
    """Envelope sender, also the header From's address."""
    recipient: str
    message_id: str
    raw: bytes
    subject: str
    inbound_id: int | None = None
    thread: str = ""
    """Message-ID that opened the thread; the limit per thread counts by it."""
    unit_id: str = ""
    """Of a letter to a unit that answers no mail."""
    role: str = ""
    """As what its reader gets it: `liaison`, `head`, `staff`, `reader` …"""
    about: str = ""
    """What the letter belongs to: `duty:<key>`, `draft:<id>`, `appeal:<id>`."""
    not_after: datetime | None = None
    """Worthless later: dropped instead of sent."""


@dataclass(frozen=True, slots=True)
class QueuedLetter:
    """A claimed outbox row."""

    id: int
    letter: Outgoing
    attempts: int


# --- records -------------------------------------------------------------------------------

MAIL_CHANNEL = "mail"
CHANNELS = ("oa", "fax", "official_mail", "letter", "wechat", "other")
"""Other ways an item may reach an office; such items are entered by hand and count equally."""


class InboundState(StrEnum):
    NEW = "new"
    """Registered without content (commit 1)."""
    DECIDED = "decided"
    """Decision, items and answer recorded (commit 2)."""
    SETTLED = "settled"
    """Flagged or moved in the mailbox as well."""
    VANISHED = "vanished"
    """Gone between search and fetch; processed if it reappears."""


class ItemState(StrEnum):
    ACCEPTED = "accepted"
    RETURNED = "returned"
    HELD = "held"
    REPLACED = "replaced"
    """Merged into another item as an earlier version."""
    WITHDRAWAL_REQUESTED = "withdrawal_requested"
    DUPLICATE = "duplicate"
    TAKEN_BACK = "taken_back"
    """Entered by hand, and reversed."""


@dataclass(frozen=True, slots=True)
class InboundRow:
    """A registered mail. Content fields stay empty until decided, and for ever after a secrets
    hit."""

    id: int
    origin: Origin
    size: int
    received: datetime
    received_source: str
    state: InboundState
    attempts: int
    sha256: str = ""
    content_key: str = ""
    message_id: str = ""
    from_addr: str = ""
    subject: str = ""
    office: str = ""
    decision: str = ""
    first_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewVersion:
    """One reading of one item, as decided from one mail."""

    title: str
    submitter: str
    contact: tuple[str, ...]
    unit_written: str
    fields: dict[str, Any]
    """The JSON of the fields as `explain` prints them."""
    category: str
    category_by: str
    """`mark`, `rule`, `default`, `staff`"""
    category_evidence: tuple[str, ...] = ()
    attachments_from: int | None = None
    """Inbound id whose attachments belong to this version (the first mail's when the correction
    brought none)."""
    attachment_paths: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    scope: str = ""
    """Distribution scope as marked."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item to be written. `replaces` is the id of the item it becomes a new version of: then
    the receipt number stays."""

    office: str
    unit_id: str | None
    state: ItemState
    received: datetime
    month: date
    """First day of the month it counts in."""
    version: NewVersion
    flags: tuple[str, ...] = ()
    """`category_doubtful`, `unverified`, `first_address` ...: what staff should look at."""
    lane: str = "item"
    title_key: str = ""
    """The title as `core.intake.titles.normal_title` compares it."""
    replaces: int | None = None
    channel: str = MAIL_CHANNEL
    """How it came: by mail, or one of `CHANNELS`; then there is no mail behind it."""
    evidence: str = ""
    """Of other channels: what shows it (a document number, a file)."""
    commissioned: bool = False
    """Sent as the answer to a commission, by its mark."""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item with its current version."""

    id: int
    receipt: str
    office: str
    unit_id: str | None
    state: ItemState
    received: datetime
    month: date
    version_no: int
    version: NewVersion
    inbound_id: int | None
    """The mail of the current version; None for an item of another channel."""
    first_inbound_id: int | None
    from_addr: str
    flags: tuple[str, ...]
    lane: str
    channel: str = MAIL_CHANNEL
    evidence: str = ""
    commissioned: bool = False


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision record: text for the sender and text for the log, apart."""

    inbound_id: int
    kind: str
    office: str
    unit_id: str | None
    reasons: tuple[str, ...]
    """For people: whole Chinese sentences."""
    log: tuple[str, ...]
    """Stable codes with details, for replay and search."""
    answer: str
    """Answer kind, or why there is none: `none:automatic`, `none:limit` ..."""
    book_digest: str
    by: str = "mailbot"
    sender: str = ""
    """The author's address, which is kept even when nothing of the content is."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """Something a person should look at."""

    office: str
    kind: str
    text: str
    inbound_id: int | None = None
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """From the send log, for one address (and one thread), at one moment."""

    acknowledgements_today: int
    returns_today: int
    kind_today: dict[str, int]
    thread_ever: int
    office_last_hour: int
    limit_notice_today: bool
    kind_last_day: dict[str, int] = field(default_factory=dict)
    """In the last 24 hours: midnight must not double what an address gets once a day."""
    in_a_row: int = 0
    """Returns and notes since its last acknowledgement."""


@dataclass(frozen=True, slots=True)
class Binding:
    address: str
    unit_id: str
    state: str
    """`proposed`, `bound`, `refused`"""


# --- what people enter, and what a notice closes -------------------------------------------


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A fact entered by a person (`core.rules.events`; never a submission, which is an item).
    Nothing is overwritten: what was wrong is reversed by a record of its own."""

    office: str
    kind: EventKind
    unit_id: str
    """Empty only for a reversal, which takes everything from the record it reverses."""
    day: date
    item_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """The other fields of `Event`, by name, as JSON: `{"journal": "mryq", "form": "brief"}`;
    Decimal as text, days as ISO text. `item` only for tasks of a ledger."""
    reason: str = ""
    evidence: str = ""
    reverses: int | None = None
    source: str = "hand"
    """`hand`, `import:<file name>`, `desk`"""


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record as kept."""

    id: int
    new: NewRecord
    receipt: str
    """Of its item; empty without one."""
    who: str
    at: datetime
    reversed_by: int | None = None


@dataclass(frozen=True, slots=True)
class NewSeal:
    """A period closed by its notice: what was in force and in the books, word for word."""

    office: str
    period: Period
    book_digest: str
    ledger_digest: str
    """SHA-256 over the entries (`core.rules.sealing.digest`)."""
    standings: dict[str, Any]
    """`core.rules.wire.standings_json`."""
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class SealRow:
    id: int
    office: str
    period: Period
    book_digest: str
    ledger_digest: str
    standings: dict[str, Any]
    who: str
    at: datetime
