"""Tables of the installation itself: which machine does what, what was restored, which alarms are on.

`tables` re-exports them; statements use it alone.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary
from sqlmodel import Field

from mailbot.adapters.db.columns import CleanText
from mailbot.adapters.db.table_base import Base, json_list, metadata, moment, string


class Worker(Base, table=True):
    """A process that watches mailboxes, and when it last said so (the database's clock)."""

    __tablename__ = "worker"

    id: str = Field(primary_key=True, sa_type=CleanText)
    """`<host>-<pid>-<random>`: another one after every start."""
    host: str = string()
    pid: int = 0
    version: str = string()
    started: datetime = moment()
    seen: datetime = moment()


class Lease(Base, table=True):
    """Who may do what only one process may do. The fence grows with every change of holder: what a
    former holder still tries to write with an older one is refused."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True, sa_type=CleanText)
    """`mailbox:<account>` (reading it and sending from it), `duties`."""
    holder: str = string()
    """`worker.id`; empty: given back."""
    fence: int = Field(default=0, sa_type=BigInteger)
    until: datetime = moment()
    """By the database's clock."""


class Fact(Base, table=True):
    """What is true of this installation as a whole, each told by one word: the print of its signing
    secret, the name of its archive, when it was last restored and from what moment."""

    __tablename__ = "fact"

    name: str = Field(primary_key=True, sa_type=CleanText)
    value: str = string()
    changed: datetime = moment()


class Alert(Base, table=True):
    """A trouble somebody was told of, once when it began and once when it was over."""

    __tablename__ = "alert"
    __table_args__ = (Index(None, "told_over"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = string()
    """`mailbox:<account>`, `disk`, `outbox` …: at most one of a key and host is on."""
    host: str = string()
    """The machine whose trouble it is; empty for what concerns the installation."""
    text: str = string()
    began: datetime = moment()
    told: datetime | None = moment(default=None)
    """When the first channel took the news; none while none has."""
    told_by: list[str] = json_list()
    """The channels that took it: the others are still owed it, also after a restart."""
    over: datetime | None = moment(default=None)
    told_over: datetime | None = moment(default=None)
    """When the last channel took the end of it: the matter is closed."""
    over_by: list[str] = json_list()


class Raw(Base, table=True):
    """Raw mail, where the archive is kept in the database (several machines without a shared
    disk)."""

    __tablename__ = "raw"

    sha256: str = Field(primary_key=True, sa_type=CleanText)
    size: int = Field(sa_type=BigInteger)
    raw: bytes = Field(sa_type=LargeBinary)


class Removal(Base, table=True):
    """What the office's retention took from a mail, after a person confirmed it. Marked before
    anything is removed, so that a removal cut short is known and can be finished."""

    __tablename__ = "removal"
    __table_args__ = (
        ForeignKeyConstraint(["inbound_id"], ["inbound.id"]),
        Index(None, "raw_gone", "raw"),
    )

    inbound_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    content: datetime | None = moment(default=None)
    """When the mail as read was wiped."""
    raw: datetime | None = moment(default=None)
    """When its raw bytes were given up."""
    raw_gone: datetime | None = moment(default=None)
    """When they were really gone, or found to be needed for a mail that has the same ones."""


worker = metadata.tables["worker"]
lease = metadata.tables["lease"]
fact = metadata.tables["fact"]
alert = metadata.tables["alert"]
raw = metadata.tables["raw"]
removal = metadata.tables["removal"]
