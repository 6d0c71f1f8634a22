"""The tables. What each one is for stands with it; how they came to be stands in `migrations`.

Statements run on the `Table` objects at the end of this module over a plain connection: every
read ends in a record of `app.ports` anyway, so there is no identity map to keep in step.

Ids of mails, items and letters are never used twice, even after a deletion, because keys such as
`answer:<inbound id>:<kind>` must stay unique for ever.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from mailbot.adapters.db import tables_letters as letters
from mailbot.adapters.db import tables_machines as machines
from mailbot.adapters.db.columns import CleanText
from mailbot.adapters.db.table_base import (
    NEVER_REUSE_IDS,
    Base,
    json_list,
    json_object,
    key_text,
    moment,
    refers,
    string,
)
from mailbot.adapters.db.table_base import metadata as metadata

HEAD = "0004"
"""The newest migration: the schema this code works with. A test holds it to the scripts."""

_HELD = text("state = 'held'")
"""Held items are few among all items, and counted every few seconds (`adapters.db.health`)."""


class Folder(Base, table=True):
    """A watched folder: its UIDVALIDITY, and when it was last searched with success."""

    __tablename__ = "folder"
    __table_args__ = (UniqueConstraint("account", "folder"),)

    id: int | None = Field(default=None, primary_key=True)
    account: str = string()
    folder: str = string()
    uidvalidity: int = Field(default=0, sa_type=BigInteger)
    searched: datetime = moment()


class Inbound(Base, table=True):
    """A mail that came in. Written without content (commit 1); the content fields are filled by
    the decision, and never after a secrets hit. Small: the mail as read is in `mail`."""

    __tablename__ = "inbound"
    __table_args__ = (
        UniqueConstraint("account", "folder", "uidvalidity", "uid", name="uq_inbound_origin"),
        Index("ix_inbound_work", "account", "state", "id"),
        Index(None, "content_key", "id"),
        Index(None, "message_id", "id"),
        Index("ix_inbound_sender", "from_addr", "office", "decision"),
        Index(None, "office", "received"),
        Index(None, "office", "decided_at"),
        Index(None, "received"),
        Index(None, "decided_at"),
        NEVER_REUSE_IDS,
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str = string()
    folder: str = string()
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    size: int = Field(sa_type=BigInteger)
    marked: bool = False
    """It bore our own keyword when it was found: an earlier life of the database dealt with it."""
    received: datetime = moment()
    received_source: str = string()
    state: str = string()
    attempts: int = 0
    first_seen: datetime = moment()
    sha256: str = string()
    content_key: str = string()
    message_id: str = key_text()
    from_addr: str = key_text()
    subject: str = string()
    office: str = string()
    decision: str = string()
    """Kind of the newest decision."""
    decided_at: datetime | None = moment(default=None)


class Mail(Base, table=True):
    """A mail as read (`core.mail.wire`). No row after a secrets hit."""

    __tablename__ = "mail"
    __table_args__ = (ForeignKeyConstraint(["inbound_id"], ["inbound.id"]),)

    inbound_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    content: str = string()


class Decision(Base, table=True):
    """What was decided about a mail, and why. Append-only (a trigger refuses anything else); the
    newest one of a mail counts."""

    __tablename__ = "decision"
    __table_args__ = (Index(None, "inbound_id"), NEVER_REUSE_IDS)

    id: int | None = Field(default=None, primary_key=True)
    inbound_id: int = refers("inbound.id")
    at: datetime = moment()
    who: str = string()
    kind: str = string()
    office: str = string()
    unit_id: str | None = string(None)
    reasons: list[str] = json_list()
    log: list[str] = json_list()
    answer: str = string()
    book_digest: str = string()


class Item(Base, table=True):
    """A submitted item: what counts. Its readings are in `item_version`."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("receipt"),
        Index("ix_item_title", "office", "unit_id", "title_key", "received"),
        Index("ix_item_month", "office", "unit_id", "month", "state"),
        Index(
            "ix_item_ledger",
            "office",
            "month",
            "unit_id",
            "category",
            "lane",
            "commissioned",
            "follow_up",
            "state",
            "received",
        ),
        Index("ix_item_sender", "office", "from_addr", "received"),
        Index("ix_item_first_sender", "office", "first_from_addr", "received"),
        Index("ix_item_held", "state", sqlite_where=_HELD, postgresql_where=_HELD),
        Index(None, "inbound_id"),
        Index(None, "office", "received"),
        NEVER_REUSE_IDS,
    )

    id: int | None = Field(default=None, primary_key=True)
    receipt: str = string()
    office: str = string()
    unit_id: str | None = string(None)
    state: str = string()
    received: datetime = moment()
    month: date
    """First day of the month it counts in."""
    version_no: int = 1
    inbound_id: int | None = refers("inbound.id")
    """The mail of the current version; none where it came by another channel."""
    first_inbound_id: int | None = refers("inbound.id")
    from_addr: str = key_text()
    """Sender of the current version's mail; the first mail's stands beside it."""
    first_from_addr: str = key_text()
    channel: str = string("mail")
    evidence: str = string()
    """Of another channel: what shows it (a document number, a file)."""
    category: str = string()
    """Of the current version. It stands here too, because a year's standings count all items by
    it: from `ix_item_ledger` alone, without opening a row."""
    commissioned: bool = False
    follow_up: bool = False
    """Whether `flags` has `follow_up`, for the same reason."""
    title_key: str = key_text()
    """The current title as `core.intake.titles.normal_title` compares it."""
    flags: list[str] = json_list()
    lane: str = string("item")
    created: datetime = moment()


class ItemVersion(Base, table=True):
    """One reading of an item. Never changed; a correction adds the next."""

    __tablename__ = "item_version"
    __table_args__ = (UniqueConstraint("item_id", "no"), Index(None, "inbound_id"))

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = refers("item.id")
    no: int
    inbound_id: int | None = refers("inbound.id")
    title: str = string()
    submitter: str = string()
    contact: list[str] = json_list()
    unit_written: str = string()
    fields: dict[str, Any] = json_object()
    category: str = string()
    category_by: str = string()
    category_evidence: list[str] = json_list()
    attachments_from: int | None = refers("inbound.id")
    attachment_paths: list[str] = json_list()
    topics: list[str] = json_list()
    scope: str = string()
    created: datetime = moment()


class Outbox(Base, table=True):
    """Letters, as bytes that never change, and how far each one got. Also the send log that the
    limits on automatic answers are counted from."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("key"),
        Index(None, "state", "id"),
        Index(None, "state", "due"),
        Index("ix_outbox_recipient", "office", "recipient", "queued", "kind", "state"),
        Index("ix_outbox_hour", "office", "queued", "kind", "state"),
        Index("ix_outbox_thread", "thread", "kind", "state"),
        Index(None, "office", "state", "finished"),
        Index(None, "about", "id"),
        Index(None, "message_id"),
        Index(None, "inbound_id"),
        NEVER_REUSE_IDS,
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = string()
    kind: str = string()
    office: str = string()
    sender: str = string()
    recipient: str = string()
    message_id: str = string()
    subject: str = string()
    inbound_id: int | None = refers("inbound.id")
    thread: str = key_text()
    state: str = string()
    attempts: int = 0
    queued: datetime = moment()
    """When it was queued, or let go after having been withheld: the day it counts on."""
    due: datetime | None = moment(default=None)
    """Of a RETRY: not before."""
    claimed: datetime | None = moment(default=None)
    dot_sent: datetime | None = moment(default=None)
    finished: datetime | None = moment(default=None)
    answer: str = string()
    error: str = string()
    unit_id: str = string()
    """Of a letter to a unit that answers no mail; `role`: as what its reader gets it."""
    role: str = string()
    about: str = string()
    """What it belongs to: `duty:<key>`, `draft:<id>`, `appeal:<id>`."""
    not_after: datetime | None = moment(default=None)
    """Worthless later: dropped instead of sent."""
    claimed_by: str = string()
    """Of a letter in SENDING or DOT: the worker that has it in hand; empty where there is but one."""
    looks: int = 0
    """Of an UNKNOWN letter: how often it was looked for, and when last."""
    looked: datetime | None = moment(default=None)
    copies: int = 0
    """Identical copies sent after an uncertain send that left no trace: at most one."""
    raw: bytes = Field(sa_type=LargeBinary)


class Link(Base, table=True):
    """How a mail relates to an earlier mail, item or letter."""

    __tablename__ = "link"
    __table_args__ = (
        Index(None, "inbound_id"),
        Index(None, "to_inbound"),
        Index(None, "to_item"),
        Index(None, "to_outbox"),
    )

    id: int | None = Field(default=None, primary_key=True)
    inbound_id: int = refers("inbound.id")
    relation: str = string()
    to_inbound: int | None = refers("inbound.id")
    to_item: int | None = refers("item.id")
    to_outbox: int | None = refers("outbox.id")


class Task(Base, table=True):
    """Something a person should look at."""

    __tablename__ = "task"
    __table_args__ = (
        Index(None, "done_at", "office", "kind"),
        Index(None, "inbound_id"),
        Index(None, "item_id"),
        Index(None, "outbox_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    office: str = string()
    kind: str = string()
    text: str = string()
    inbound_id: int | None = refers("inbound.id")
    item_id: int | None = refers("item.id")
    outbox_id: int | None = refers("outbox.id")
    created: datetime = moment()
    done_at: datetime | None = moment(default=None)
    done_by: str = string()


class AddressBinding(Base, table=True):
    """Which unit an address speaks for."""

    __tablename__ = "binding"
    __table_args__ = (UniqueConstraint("office", "address"),)

    id: int | None = Field(default=None, primary_key=True)
    office: str = string()
    address: str = key_text()
    unit_id: str = string()
    state: str = string()
    changed: datetime = moment()


class Record(Base, table=True):
    """A fact a person entered (`core.rules.events`). Append-only (a trigger refuses anything else):
    what was wrong is reversed by a record of its own, and by one only."""

    __tablename__ = "record"
    __table_args__ = (
        UniqueConstraint("reverses"),
        Index(None, "office", "day"),
        Index(None, "office", "unit_id", "day"),
        Index(None, "office", "kind", "day"),
        Index(None, "office", "joint", "day"),
        Index(None, "office", "id"),
        Index(None, "item_id"),
        NEVER_REUSE_IDS,
    )

    id: int | None = Field(default=None, primary_key=True)
    office: str = string()
    kind: str = string()
    """`EventKind`"""
    unit_id: str = string()
    day: date
    item_id: int | None = refers("item.id")
    facts: dict[str, Any] = json_object()
    joint: bool = False
    """Whether `facts` names further units: theirs is the event as well."""
    reason: str = string()
    evidence: str = string()
    reverses: int | None = refers("record.id")
    source: str = string()
    who: str = string()
    at: datetime = moment()


class Seal(Base, table=True):
    """A period that its notice closed. Append-only, as its entries are."""

    __tablename__ = "seal"
    __table_args__ = (UniqueConstraint("office", "period"), NEVER_REUSE_IDS)

    id: int | None = Field(default=None, primary_key=True)
    office: str = string()
    period: str = string()
    """`2026-Q3`"""
    first: date
    last: date
    book_digest: str = string()
    ledger_digest: str = string()
    standings: dict[str, Any] = json_object()
    who: str = string()
    at: datetime = moment()


class SealEntry(Base, table=True):
    """An entry (`core.rules.entries`) as it stood when its period was sealed."""

    __tablename__ = "seal_entry"
    __table_args__ = (Index(None, "seal_id", "unit"), Index(None, "seal_id", "corrects"))

    id: int | None = Field(default=None, primary_key=True)
    seal_id: int = refers("seal.id")
    unit: str = string()
    day: date
    rule: str = string()
    version: date
    points: str = string()
    """A decimal number as text: exact on every database."""
    document: str = string()
    clause: str = string()
    text: str = string()
    item: str = string()
    events: list[str] = json_list()
    times: int = 1
    stars: int = 0
    corrects: str = string()


class Audit(Base, table=True):
    """Who changed what, when. Append-only (a trigger refuses anything else)."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "subject"), NEVER_REUSE_IDS)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = moment()
    who: str = string()
    action: str = string()
    subject: str = key_text()
    """`item:<id>`, `mail:<id>`, `outbox:<id>`, `binding:<office>:<address>` ..."""
    detail: dict[str, Any] = json_object()


class ReceiptCounter(Base, table=True):
    """The last receipt number given. Counted per prefix (an office's own) and month of receipt, in
    the transaction that writes the item: a rollback takes the number back, so there is no gap."""

    __tablename__ = "receipt_counter"

    prefix: str = Field(primary_key=True, sa_type=CleanText)
    month: str = Field(primary_key=True, sa_type=CleanText)
    """`202608`"""
    last: int = 0


folder = metadata.tables["folder"]
inbound = metadata.tables["inbound"]
mail = metadata.tables["mail"]
decision = metadata.tables["decision"]
item = metadata.tables["item"]
item_version = metadata.tables["item_version"]
outbox = metadata.tables["outbox"]
link = metadata.tables["link"]
task = metadata.tables["task"]
binding = metadata.tables["binding"]
record = metadata.tables["record"]
seal = metadata.tables["seal"]
seal_entry = metadata.tables["seal_entry"]
audit = metadata.tables["audit"]
receipt_counter = metadata.tables["receipt_counter"]
duty, token = letters.duty, letters.token
draft, draft_recipient, draft_file = letters.draft, letters.draft_recipient, letters.draft_file
appeal = letters.appeal
worker, lease, fact, alert, raw, removal = (
    machines.worker,
    machines.lease,
    machines.fact,
    machines.alert,
    machines.raw,
    machines.removal,
)

APPEND_ONLY: tuple[Table, ...] = (decision, audit, record, seal, seal_entry)
