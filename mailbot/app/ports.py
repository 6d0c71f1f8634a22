"""What the application needs from the world. Adapters implement these; tests use real ones.

Shapes only. Times are aware datetimes; the store keeps them in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from mailbot.core.intake.model import Relation as Relation
from mailbot.core.letters import Letter, Rendered
from mailbot.core.mail.model import IncomingMail


class Clock(Protocol):
    def now(self) -> datetime:
        """Wall clock, aware, Asia/Shanghai."""
        ...

    def monotonic(self) -> float: ...


# --- mail coming in -------------------------------------------------------------------------


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
    """0 when the server gives none: then nothing known about the folder can be relied on."""
    uids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of a mail before its bytes are read."""

    origin: Origin
    size: int
    received: datetime
    """INTERNALDATE, or the file's time for a Maildir."""


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


class MailSource(Protocol):
    """One watched mailbox. Raises `Retryable`/`Permanent`; both systemic when login or the
    connection as a whole failed. Not shared between threads."""

    account: str

    @property
    def missing_folders(self) -> frozenset[str]:
        """Required folders the last search did not find. They do not stop the others."""
        ...

    def search(self) -> Iterator[FolderState]:
        """Every watched folder with all UIDs of interest. Connects when needed."""
        ...

    def envelopes(self, state: FolderState, uids: Sequence[int]) -> Iterator[Envelope]:
        """Size and INTERNALDATE; silently leaves out what vanished."""
        ...

    def fetch(self, envelopes: Sequence[Envelope], cap: int) -> Iterator[Fetched]:
        """Bytes without marking anything (PEEK), in batches of at most 50 mails or 8 MB; above
        `cap` bytes the header section only."""
        ...

    def settle(self, origin: Origin, disposition: Disposition) -> None:
        """Flag or move, as configured for this mailbox. Doing it twice is harmless."""
        ...

    def wait(self, seconds: float) -> bool:
        """Until something may have arrived or the time is over (IDLE where offered)."""
        ...

    def abort(self) -> None:
        """Cuts the connection, from any thread: a watchdog's last resort. The thread that uses it
        gets a `Retryable` and connects anew."""
        ...

    def close(self) -> None: ...


class MailReader(Protocol):
    """Reads raw mail in a limited child process. Total: what kills the child comes back as an
    `IncomingMail` with the defect UNREADABLE."""

    def read(self, raw: bytes, *, complete: bool = True) -> IncomingMail: ...

    def close(self) -> None: ...


class Archive(Protocol):
    """Raw mail on disk, content-addressed by SHA-256, written tmp + fsync + rename + dir fsync."""

    def put(self, raws: Iterable[tuple[str, bytes]]) -> None:
        """(sha256, raw) pairs; all of them durable on return. Known ones are not written again."""
        ...

    def get(self, sha256: str) -> bytes:
        """Raises `KeyError` when it is not there, `Permanent` when the bytes do not match."""
        ...

    def __contains__(self, sha256: str) -> bool: ...


# --- letters going out ----------------------------------------------------------------------


class Renderer(Protocol):
    def render(self, office_id: str, letter: Letter) -> Rendered:
        """Raises `OperatorFault` naming template and line when an office's template is broken."""
        ...


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
    """The operator decided not to send it."""


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


@dataclass(frozen=True, slots=True)
class QueuedLetter:
    """A claimed outbox row."""

    id: int
    letter: Outgoing
    attempts: int


class Transport(Protocol):
    """Sends one letter. `before_dot` is called just before the final dot goes out; once it
    returned, anything but a read answer raises `Uncertain`. Returns the server's answer."""

    def send(self, letter: Outgoing, before_dot: BeforeDot) -> str: ...

    def close(self) -> None: ...


class BeforeDot(Protocol):
    def __call__(self) -> None: ...


# --- records --------------------------------------------------------------------------------


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
    inbound_id: int
    """The mail of the current version."""
    first_inbound_id: int
    from_addr: str
    flags: tuple[str, ...]
    lane: str


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


@dataclass(frozen=True, slots=True)
class Binding:
    address: str
    unit_id: str
    state: str
    """`proposed`, `bound`, `refused`"""


class Transaction(Protocol):
    """One write transaction; rolls back unless the block ends normally."""

    def savepoint(self) -> AbstractContextManager[None]:
        """Undoes what one mail wrote when it raises, keeping the batch."""
        ...

    # inbound
    def register(self, envelopes: Sequence[Envelope], source: str, now: datetime) -> int:
        """Writes rows without content for the origins not known yet; how many were new."""
        ...

    def strike(self, inbound_ids: Sequence[int]) -> None:
        """One more attempt for each, counted before the attempt."""
        ...

    def pardon(self, inbound_ids: Sequence[int]) -> None:
        """Takes back the last strike: the attempt failed for a reason outside the mail."""
        ...

    def vanished(self, inbound_id: int) -> None: ...

    def searched(self, account: str, folder: str, uidvalidity: int, now: datetime) -> None:
        """Notes a good search (the watchdog's clock) and the folder's UIDVALIDITY."""
        ...

    def decide(self, decision: NewDecision, mail: IncomingMail | None, now: datetime) -> None:
        """Stores the decision and moves the row to DECIDED. `mail` None (secrets hit): hash only,
        no content."""
        ...

    def remember_hash(self, inbound_id: int, sha256: str, content_key: str) -> None: ...

    def settled(self, inbound_id: int) -> None: ...

    def link(
        self,
        inbound_id: int,
        relation: Relation,
        *,
        to_inbound: int | None = None,
        to_item: int | None = None,
        to_outbox: int | None = None,
    ) -> None: ...

    # items
    def add_item(self, item: NewItem, inbound_id: int, prefix: str, now: datetime) -> ItemRow:
        """Writes the item, or its next version when `replaces` is set, and its audit line.
        Receipt numbers count per office and month of receipt: EQ202608-0012."""
        ...

    def set_item_state(
        self, item_id: int, state: ItemState, who: str, why: str, now: datetime
    ) -> None: ...

    def set_category(self, item_id: int, category: str, who: str, why: str, now: datetime) -> None:
        """Staff's correction: a new version with `category_by="staff"`."""
        ...

    def add_task(self, task: NewTask, now: datetime) -> None: ...

    def add_binding(self, office: str, binding: Binding, who: str, now: datetime) -> None:
        """Inserts, or changes the state of, an address binding."""
        ...

    def audit(
        self, who: str, action: str, subject: str, detail: dict[str, Any], now: datetime
    ) -> None: ...

    # outbox
    def queue(
        self, letter: Outgoing, now: datetime, *, state: OutboxState = OutboxState.READY
    ) -> int:
        """Id of the row; the existing one when the key is known (then nothing changes)."""
        ...

    # the same reads as outside a transaction, seeing its own writes
    @property
    def read(self) -> Reads: ...


class Reads(Protocol):
    """Look-ups. Each is one indexed query."""

    def known_uids(self, account: str, folder: str, uidvalidity: int) -> set[int]:
        """UIDs registered and not VANISHED."""
        ...

    def folder_validity(self, account: str, folder: str) -> int | None: ...

    def pending(self, account: str) -> list[InboundRow]:
        """Rows in state NEW, oldest first."""
        ...

    def unsettled(self, account: str) -> list[InboundRow]:
        """Rows in state DECIDED: decided, but not yet flagged or moved."""
        ...

    def inbound(self, inbound_id: int) -> InboundRow | None: ...

    def inbound_by_content(self, content_key: str, before: int) -> InboundRow | None:
        """The first decided mail with the same content key and a smaller id than `before`."""
        ...

    def inbound_by_message_id(self, message_id: str, before: int) -> InboundRow | None: ...

    def mail(self, inbound_id: int) -> IncomingMail | None:
        """As stored with the decision; None when there is no content."""
        ...

    def outgoing_by_message_ids(self, ids: Sequence[str]) -> list[tuple[int, int | None]]:
        """(outbox id, inbound id it answers) for those of the ids that are letters of ours."""
        ...

    def items_of(self, inbound_id: int) -> list[ItemRow]:
        """Items one of whose versions came with this mail."""
        ...

    def item_by_receipt(self, receipt: str) -> ItemRow | None: ...

    def items_of_sender(self, office: str, address: str, since: datetime) -> list[ItemRow]:
        """Items whose current or first mail came from the address, newest first, at most 200."""
        ...

    def open_items_of_sender(self, office: str, address: str, since: datetime) -> list[ItemRow]:
        """The same, only returned and held ones."""
        ...

    def items_with_title(
        self, office: str, unit_id: str, title_key: str, since: datetime
    ) -> list[ItemRow]:
        """The unit's items of one normalised title, newest first, at most 50."""
        ...

    def month_count(self, office: str, unit_id: str, month: date) -> int:
        """Accepted items of the unit that count in the month."""
        ...

    def binding(self, office: str, address: str) -> Binding | None: ...

    def address_seen(self, office: str, address: str) -> bool:
        """Has an earlier mail of this address been accepted?"""
        ...

    def answer_counts(
        self, office: str, address: str, thread: str, now: datetime
    ) -> AnswerCounts: ...

    def has_open_task(self, office: str, kind: str) -> bool: ...

    def version_history(self, item_id: int) -> list[tuple[int, int, NewVersion]]:
        """(version number, inbound id, version), oldest first."""
        ...


class Outbox(Protocol):
    """The delivery side of the store; each call is a transaction of its own."""

    def claim(self, now: datetime) -> QueuedLetter | None:
        """The oldest READY or due RETRY letter, moved to SENDING."""
        ...

    def dot(self, outbox_id: int, now: datetime) -> None: ...

    def sent(self, outbox_id: int, answer: str, now: datetime) -> None: ...

    def retry(self, outbox_id: int, error: str, at: datetime) -> None: ...

    def release(self, outbox_id: int) -> None:
        """Back to READY without counting an attempt (the connection failed as a whole)."""
        ...

    def failed(self, outbox_id: int, error: str, now: datetime) -> None: ...

    def unknown(self, outbox_id: int, error: str, now: datetime) -> None: ...

    def recover(self, now: datetime) -> tuple[int, int]:
        """At start: SENDING back to READY, DOT to UNKNOWN (with a task); how many of each."""
        ...

    def next_due(self) -> datetime | None: ...


class Store(Protocol):
    """The database."""

    def begin(self) -> AbstractContextManager[Transaction]: ...

    def reading(self) -> AbstractContextManager[Reads]: ...

    @property
    def outbox(self) -> Outbox: ...
