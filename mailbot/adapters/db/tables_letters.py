"""The tables of letters that go out of our own accord: what was due, what waits for approval, who
objected, and one-time codes. The letters themselves are in `outbox`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from mailbot.adapters.db.table_base import (
    NEVER_REUSE_IDS,
    Base,
    json_list,
    json_object,
    metadata,
    moment,
    refers,
    string,
)


class Duty(Base, table=True):
    """A duty settled, once and for ever: its key is what keeps a letter from going out twice."""

    __tablename__ = "duty"
    __table_args__ = (
        UniqueConstraint("key"),
        Index(None, "office", "at"),
        Index(None, "office", "letter", "state", "id"),
        NEVER_REUSE_IDS,
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = string()
    office: str = string()
    letter: str = string()
    period: str = string()
    stage: str = string()
    due: datetime = moment()
    state: str = string()
    """`DutyState`"""
    why: str = string()
    detail: dict[str, Any] = json_object()
    at: datetime = moment()


class Draft(Base, table=True):
    """A document that waits for a person's word, or had it."""

    __tablename__ = "draft"
    __table_args__ = (
        UniqueConstraint("office", "letter", "period", "no"),
        Index(None, "state", "office"),
        NEVER_REUSE_IDS,
    )

    id: int | None = Field(default=None, primary_key=True)
    office: str = string()
    letter: str = string()
    period: str = string()
    no: int
    title: str = string()
    digest: str = string()
    summary: list[str] = json_list()
    flags: list[str] = json_list()
    state: str = string()
    """`DraftState`"""
    created: datetime = moment()
    who: str = string()
    """Who had it drawn up."""
    number: str = string()
    issued: date | None = None
    decided_at: datetime | None = moment(default=None)
    decided_by: str = string()
    why: str = string()


class DraftRecipient(Base, table=True):
    """Who gets what when a draft is approved. Nobody else does."""

    __tablename__ = "draft_recipient"
    __table_args__ = (UniqueConstraint("draft_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    draft_id: int = refers("draft.id")
    key: str = string()
    kind: str = string()
    unit_id: str = string()
    role: str = string()
    name: str = string()
    address: str = string()
    phone: str = string()
    sms: str = string()


class DraftFile(Base, table=True):
    """A file of a draft. Those of one role are replaced when the office signs other ones."""

    __tablename__ = "draft_file"
    __table_args__ = (Index(None, "draft_id"),)

    id: int | None = Field(default=None, primary_key=True)
    draft_id: int = refers("draft.id")
    role: str = string()
    name: str = string()
    content: bytes = Field(sa_type=LargeBinary)


class Appeal(Base, table=True):
    """A unit's objection (申诉), and what a clerk answered."""

    __tablename__ = "appeal"
    __table_args__ = (
        Index(None, "office", "unit_id", "id"),
        Index(None, "answered_at", "office"),
        Index(None, "inbound_id"),
        Index(None, "item_id"),
        Index(None, "record_id"),
        NEVER_REUSE_IDS,
    )

    id: int | None = Field(default=None, primary_key=True)
    office: str = string()
    unit_id: str = string()
    about: str = string()
    inbound_id: int = refers("inbound.id")
    item_id: int | None = refers("item.id")
    record_id: int | None = refers("record.id")
    opened: datetime = moment()
    answer: str = string()
    answered_at: datetime | None = moment(default=None)
    answered_by: str = string()


class Token(Base, table=True):
    """A one-time code, of which only the digest is kept."""

    __tablename__ = "token"
    __table_args__ = (UniqueConstraint("digest"),)

    id: int | None = Field(default=None, primary_key=True)
    digest: str = string()
    office: str = string()
    purpose: str = string()
    subject: str = string()
    address: str = string()
    expires: datetime = moment()
    created: datetime = moment()
    used: datetime | None = moment(default=None)


duty = metadata.tables["duty"]
draft = metadata.tables["draft"]
draft_recipient = metadata.tables["draft_recipient"]
draft_file = metadata.tables["draft_file"]
appeal = metadata.tables["appeal"]
token = metadata.tables["token"]
