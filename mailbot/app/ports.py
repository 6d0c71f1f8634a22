"""What the application needs from the world. Adapters implement these; tests use real ones.

Shapes only; what they take and give are the values of `app.records`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from mailbot.app.evidence import Restored, UncertainLetters, WithheldLetters
from mailbot.app.letter_ports import LetterReads, LetterWrites
from mailbot.app.records import (
    AnswerCounts,
    Binding,
    Disposition,
    Envelope,
    Fetched,
    FolderState,
    InboundRow,
    ItemRow,
    ItemState,
    KnownMail,
    NewDecision,
    NewItem,
    NewRecord,
    NewSeal,
    NewTask,
    NewVersion,
    Origin,
    OutboxState,
    Outgoing,
    QueuedLetter,
    RecordRow,
    Relation,
    SealRow,
)
from mailbot.core.letters.answers import Rendered
from mailbot.core.letters.every import Letter
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event, EventKind


class Clock(Protocol):
    def now(self) -> datetime:
        """Wall clock, aware, Asia/Shanghai."""
        ...

    def monotonic(self) -> float: ...


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

    def read_all(self, mails: Sequence[tuple[bytes, bool]]) -> list[IncomingMail]:
        """Of (raw, complete) pairs, in their order; several at the same time where it can."""
        ...

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


class Renderer(Protocol):
    def render(self, office_id: str, letter: Letter) -> Rendered:
        """Raises `OperatorFault` naming template and line when an office's template is broken."""
        ...


class Transport(Protocol):
    """Sends one letter. `before_dot` is called just before the final dot goes out; once it
    returned, anything but a read answer raises `Uncertain`. Returns the server's answer."""

    def send(self, letter: Outgoing, before_dot: BeforeDot) -> str: ...

    def close(self) -> None: ...


class BeforeDot(Protocol):
    def __call__(self) -> None: ...


class Transaction(LetterWrites, Protocol):
    """One write transaction; rolls back unless the block ends normally."""

    def savepoint(self) -> AbstractContextManager[None]:
        """Undoes what one mail wrote when it raises, keeping the batch."""
        ...

    def hold_offices(self, offices: Collection[str]) -> None:
        """Nobody else decides mail of these offices until this transaction ends: each sees what
        the others accepted, so that nothing that reached two mailboxes counts twice."""
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

    def free_numbers(self, inbound_ids: Sequence[int]) -> None:
        """Their UIDs name other mails by now: they lie nowhere any more."""
        ...

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

    def add_channel_item(self, item: NewItem, prefix: str, who: str, now: datetime) -> ItemRow:
        """Writes an item that came by another channel, or its next version when `replaces` is set,
        and its audit line. Raises as `add_item`, and ValueError for an unknown channel."""
        ...

    # the ledger
    def hold_ledger(self) -> None:
        """Nobody else writes items or records until this transaction ends."""
        ...

    def add_record(self, record: NewRecord, who: str, now: datetime) -> RecordRow:
        """Append-only. Raises ValueError when it reverses a record that is not there, another
        office's, itself a reversal, or reversed already; and when it could not be read back as an
        event, or is about an item that is not there or another office's."""
        ...

    def add_seal(self, seal: NewSeal, who: str, now: datetime) -> SealRow:
        """Append-only. Raises ValueError when the period is sealed already."""
        ...

    def add_task(self, task: NewTask, now: datetime) -> None: ...

    def add_binding(self, office: str, binding: Binding, who: str, now: datetime) -> None:
        """Inserts, or changes the state of, an address binding."""
        ...

    def audit(
        self, who: str, action: str, subject: str, detail: dict[str, Any], now: datetime
    ) -> None: ...

    # addresses that letters do not reach (`app.suspension`)
    def count_failure(self, outbox_id: int, now: datetime) -> None:
        """A letter failed for good, or came back: when it was one too many in a row, its address
        is suspended, with a task for a person and an audit line."""
        ...

    def end_suspensions(self, office: str, now: datetime) -> None:
        """Of addresses that a letter has evidently reached since."""
        ...

    def lift_suspension(self, office: str, address: str, who: str, now: datetime) -> None:
        """A person has said that the address is good."""
        ...

    def leave_gap(self, prefixes: Collection[str], restored: Restored, now: datetime) -> None:
        """In a database restored from a backup: receipt numbers (of these prefixes too) and ids go
        on beyond what the lost time can have given."""
        ...

    def doubt_unfinished(self, restored: Restored) -> int:
        """The same: letters that waited to be sent become UNKNOWN; how many."""
        ...

    def set_fact(self, name: str, value: str, now: datetime) -> None:
        """Inserts or changes what is true of the installation as a whole."""
        ...

    # outbox
    def queue(
        self, letter: Outgoing, now: datetime, *, state: OutboxState = OutboxState.READY
    ) -> int:
        """Id of the row; the existing one when the key is known (then nothing changes)."""
        ...

    # the same reads as outside a transaction, seeing its own writes
    @property
    def read(self) -> Reads: ...


class Reads(LetterReads, Protocol):
    """Look-ups. Each is one indexed query."""

    def known_uids(self, account: str, folder: str, uidvalidity: int) -> set[int]:
        """UIDs registered and not VANISHED."""
        ...

    def known_mails(
        self, account: str, folder: str, uidvalidity: int, first: int
    ) -> list[KnownMail]:
        """The same from a UID on, with what the folder showed of them."""
        ...

    def folder_validity(self, account: str, folder: str) -> int | None:
        """As the last good search found it."""
        ...

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

    def suspended(self, office: str) -> frozenset[str]:
        """Addresses, in lower case, that are written to no more of our own accord."""
        ...

    # the installation
    def fact(self, name: str) -> str:
        """What is known under this name; empty when nothing is."""
        ...

    def last_moment(self) -> datetime | None:
        """When a folder was last searched with success."""
        ...

    def newest_mail(self, until: datetime) -> datetime | None:
        """When the newest mail that did not come after `until` was received, by the server."""
        ...

    def last_mail(self) -> datetime | None:
        """When the mail registered last was received, by the server."""
        ...

    # the ledger
    def record(self, record_id: int) -> RecordRow | None: ...

    def records(
        self,
        office: str,
        *,
        unit_id: str | None = None,
        kind: EventKind | None = None,
        item_id: int | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> list[RecordRow]:
        """By day and number, reversed ones and reversals included."""
        ...

    def unit_events(self, office: str, first: date, last: date, unit_id: str | None) -> list[Event]:
        """Every event of one unit (None: of all) one by one, by day: submissions that count between
        the days, other events dated between them, earlier ones about the same items, earlier ones
        that hold on (a unit's status, tasks, commissions given), and later explanations about any of them. An event
        with partners is each partner's. Reversed records are left out. Held, returned, replaced
        and duplicate items never count."""
        ...

    def bulk_events(
        self,
        office: str,
        first: date,
        last: date,
        cuts: Sequence[date],
        class_of: Callable[[str], Hashable] = str,
        *,
        by_item: bool = True,
    ) -> list[Event]:
        """The same for all units, with like submissions taken together: same unit, counting month,
        class of category (the event has one of its categories), lane, commission, and the same side
        of every day in `cuts` (from which a rule version holds). `by_item`: items that records are
        about are given by themselves."""
        ...

    def first_event(self, office: str) -> date | None:
        """The day of the first record, or the month of the first submission, whichever is earlier.
        Statuses and tasks, which may be dated long before, are passed over."""
        ...

    def seals(self, office: str) -> list[SealRow]:
        """By period."""
        ...

    def seal_entries(self, seal_id: int, unit_id: str | None = None) -> list[Entry]: ...

    def seal_corrections(self, seal_id: int) -> list[Entry]:
        """Of its entries those that set an earlier sealed period right."""
        ...

    def seal_totals(self, seal_id: int) -> dict[str, Decimal]:
        """Points of each unit in the sealed period."""
        ...

    def version_history(self, item_id: int) -> list[tuple[int, int | None, NewVersion]]:
        """(version number, inbound id, version), oldest first."""
        ...


class Outbox(Protocol):
    """The delivery side of the store; each call is a transaction of its own."""

    def claim(self, now: datetime, senders: Collection[str] | None = None) -> QueuedLetter | None:
        """The oldest READY or due RETRY letter, moved to SENDING; only of these senders."""
        ...

    def dot(self, outbox_id: int, now: datetime) -> None: ...

    def sent(self, outbox_id: int, answer: str, now: datetime) -> None: ...

    def retry(self, outbox_id: int, error: str, at: datetime) -> None: ...

    def release(self, outbox_id: int) -> None:
        """Back to READY without counting an attempt (the connection failed as a whole)."""
        ...

    def failed(self, outbox_id: int, error: str, now: datetime) -> None: ...

    def dropped(self, outbox_id: int, why: str, now: datetime) -> None:
        """From SENDING: it is no longer wanted. Audited."""
        ...

    def unknown(self, outbox_id: int, error: str, now: datetime) -> None: ...

    def recover(self, now: datetime) -> tuple[int, int]:
        """At start: SENDING back to READY, DOT to UNKNOWN; how many of each."""
        ...

    def next_due(self) -> datetime | None: ...


class Store(Protocol):
    """The database."""

    def begin(self) -> AbstractContextManager[Transaction]: ...

    def reading(self) -> AbstractContextManager[Reads]: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def uncertain(self) -> UncertainLetters: ...

    @property
    def withheld(self) -> WithheldLetters: ...
