"""The tables. What each one is for stands with it; how they came to be stands in `migrations`.

Statements run on the `Table` objects at the end of this module over a plain connection: every
read ends in a record of `app.ports` anyway, so there is no identity map to keep in step.

Ids of mails, items and letters are never used twice, even after a deletion, because keys such as
`answer:<inbound id>:<kind>` must stay unique for ever.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, cast

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from mailbot.adapters.db.columns import CleanText, JsonText, UtcTime

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every index and constraint has a name, or no later migration could alter it."""

metadata = MetaData(naming_convention=NAMES)

HEAD = "0002"
"""The newest migration: the schema this code works with. A test holds it to the scripts."""

NEVER_REUSE_IDS = {"sqlite_autoincrement": True}


def _text(default: str | None = "") -> Any:
    return Field(default=default, sa_type=CleanText)


def _json() -> Any:
    return Field(default_factory=list, sa_type=cast(Any, JsonText))


def _time(**options: Any) -> Any:
    return Field(sa_type=cast(Any, UtcTime), **options)


def _refers(target: str, **options: Any) -> Any:
    return Field(default=None, sa_column_args=[ForeignKey(target)], **options)


class Base(SQLModel):
    metadata: ClassVar[MetaData] = metadata


class Folder(Base, table=True):
    """A watched folder: its UIDVALIDITY, and when it was last searched with success."""

    __tablename__ = "folder"
    __table_args__ = (UniqueConstraint("account", "folder"),)

    id: int | None = Field(default=None, primary_key=True)
    account: str = _text()
    folder: str = _text()
    uidvalidity: int = Field(default=0, sa_type=BigInteger)
    searched: datetime = _time()


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
        Index(None, "received"),
        NEVER_REUSE_IDS,
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str = _text()
    folder: str = _text()
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    size: int = Field(sa_type=BigInteger)
    received: datetime = _time()
    received_source: str = _text()
    state: str = _text()
    attempts: int = 0
    first_seen: datetime = _time()
    sha256: str = _text()
    content_key: str = _text()
    message_id: str = _text()
    from_addr: str = _text()
    subject: str = _text()
    office: str = _text()
    decision: str = _text()
    """Kind of the newest decision."""
    decided_at: datetime | None = _time(default=None)


class Mail(Base, table=True):
    """A mail as read (`core.mail.wire`). No row after a secrets hit."""

    __tablename__ = "mail"
    __table_args__ = (ForeignKeyConstraint(["inbound_id"], ["inbound.id"]),)

    inbound_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    content: str = _text()


class Decision(Base, table=True):
    """What was decided about a mail, and why. Append-only (a trigger refuses anything else); the
    newest one of a mail counts."""

    __tablename__ = "decision"
    __table_args__ = (Index(None, "inbound_id"), NEVER_REUSE_IDS)

    id: int | None = Field(default=None, primary_key=True)
    inbound_id: int = _refers("inbound.id")
    at: datetime = _time()
    who: str = _text()
    kind: str = _text()
    office: str = _text()
    unit_id: str | None = _text(None)
    reasons: list[str] = _json()
    log: list[str] = _json()
    answer: str = _text()
    book_digest: str = _text()


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
        Index(None, "inbound_id"),
        Index(None, "office", "received"),
        NEVER_REUSE_IDS,
    )

    id: int | None = Field(default=None, primary_key=True)
    receipt: str = _text()
    office: str = _text()
    unit_id: str | None = _text(None)
    state: str = _text()
    received: datetime = _time()
    month: date
    """First day of the month it counts in."""
    version_no: int = 1
    inbound_id: int | None = _refers("inbound.id")
    """The mail of the current version; none where it came by another channel."""
    first_inbound_id: int | None = _refers("inbound.id")
    from_addr: str = _text()
    """Sender of the current version's mail; the first mail's stands beside it."""
    first_from_addr: str = _text()
    channel: str = _text("mail")
    evidence: str = _text()
    """Of another channel: what shows it (a document number, a file)."""
    category: str = _text()
    """Of the current version. It stands here too, because a year's standings count all items by
    it: from `ix_item_ledger` alone, without opening a row."""
    commissioned: bool = False
    follow_up: bool = False
    """Whether `flags` has `follow_up`, for the same reason."""
    title_key: str = _text()
    """The current title as `core.intake.titles.normal_title` compares it."""
    flags: list[str] = _json()
    lane: str = _text("item")
    created: datetime = _time()


class ItemVersion(Base, table=True):
    """One reading of an item. Never changed; a correction adds the next."""

    __tablename__ = "item_version"
    __table_args__ = (UniqueConstraint("item_id", "no"), Index(None, "inbound_id"))

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = _refers("item.id")
    no: int
    inbound_id: int | None = _refers("inbound.id")
    title: str = _text()
    submitter: str = _text()
    contact: list[str] = _json()
    unit_written: str = _text()
    fields: dict[str, Any] = Field(default_factory=dict, sa_type=cast(Any, JsonText))
    category: str = _text()
    category_by: str = _text()
    category_evidence: list[str] = _json()
    attachments_from: int | None = _refers("inbound.id")
    attachment_paths: list[str] = _json()
    topics: list[str] = _json()
    scope: str = _text()
    created: datetime = _time()


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
        Index(None, "message_id"),
        Index(None, "inbound_id"),
        NEVER_REUSE_IDS,
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = _text()
    kind: str = _text()
    office: str = _text()
    sender: str = _text()
    recipient: str = _text()
    message_id: str = _text()
    subject: str = _text()
    inbound_id: int | None = _refers("inbound.id")
    thread: str = _text()
    state: str = _text()
    attempts: int = 0
    queued: datetime = _time()
    """When it was queued, or let go after having been withheld: the day it counts on."""
    due: datetime | None = _time(default=None)
    """Of a RETRY: not before."""
    claimed: datetime | None = _time(default=None)
    dot_sent: datetime | None = _time(default=None)
    finished: datetime | None = _time(default=None)
    answer: str = _text()
    error: str = _text()
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
    inbound_id: int = _refers("inbound.id")
    relation: str = _text()
    to_inbound: int | None = _refers("inbound.id")
    to_item: int | None = _refers("item.id")
    to_outbox: int | None = _refers("outbox.id")


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
    office: str = _text()
    kind: str = _text()
    text: str = _text()
    inbound_id: int | None = _refers("inbound.id")
    item_id: int | None = _refers("item.id")
    outbox_id: int | None = _refers("outbox.id")
    created: datetime = _time()
    done_at: datetime | None = _time(default=None)
    done_by: str = _text()


class AddressBinding(Base, table=True):
    """Which unit an address speaks for."""

    __tablename__ = "binding"
    __table_args__ = (UniqueConstraint("office", "address"),)

    id: int | None = Field(default=None, primary_key=True)
    office: str = _text()
    address: str = _text()
    unit_id: str = _text()
    state: str = _text()
    changed: datetime = _time()


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
        Index(None, "item_id"),
        NEVER_REUSE_IDS,
    )

    id: int | None = Field(default=None, primary_key=True)
    office: str = _text()
    kind: str = _text()
    """`EventKind`"""
    unit_id: str = _text()
    day: date
    item_id: int | None = _refers("item.id")
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=cast(Any, JsonText))
    joint: bool = False
    """Whether `facts` names further units: theirs is the event as well."""
    reason: str = _text()
    evidence: str = _text()
    reverses: int | None = _refers("record.id")
    source: str = _text()
    who: str = _text()
    at: datetime = _time()


class Seal(Base, table=True):
    """A period that its notice closed. Append-only, as its entries are."""

    __tablename__ = "seal"
    __table_args__ = (UniqueConstraint("office", "period"), NEVER_REUSE_IDS)

    id: int | None = Field(default=None, primary_key=True)
    office: str = _text()
    period: str = _text()
    """`2026-Q3`"""
    first: date
    last: date
    book_digest: str = _text()
    ledger_digest: str = _text()
    standings: dict[str, Any] = Field(default_factory=dict, sa_type=cast(Any, JsonText))
    who: str = _text()
    at: datetime = _time()


class SealEntry(Base, table=True):
    """An entry (`core.rules.entries`) as it stood when its period was sealed."""

    __tablename__ = "seal_entry"
    __table_args__ = (Index(None, "seal_id", "unit"), Index(None, "seal_id", "corrects"))

    id: int | None = Field(default=None, primary_key=True)
    seal_id: int = _refers("seal.id")
    unit: str = _text()
    day: date
    rule: str = _text()
    version: date
    points: str = _text()
    """A decimal number as text: exact on every database."""
    document: str = _text()
    clause: str = _text()
    text: str = _text()
    item: str = _text()
    events: list[str] = _json()
    times: int = 1
    stars: int = 0
    corrects: str = _text()


class Audit(Base, table=True):
    """Who changed what, when. Append-only (a trigger refuses anything else)."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "subject"), NEVER_REUSE_IDS)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _time()
    who: str = _text()
    action: str = _text()
    subject: str = _text()
    """`item:<id>`, `mail:<id>`, `outbox:<id>`, `binding:<office>:<address>` ..."""
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=cast(Any, JsonText))


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

APPEND_ONLY: tuple[Table, ...] = (decision, audit, record, seal, seal_entry)
