"""Answers to what a mail asks of the bot. Nothing of another unit is ever in one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.periodic import CountedItem, OpenItem, QuotaLine


@dataclass(frozen=True, slots=True)
class AccountEntry:
    day: date
    points: Decimal
    text: str
    clause: str


@dataclass(frozen=True, slots=True)
class AppealLine:
    number: int
    about: str
    opened: date
    answer: str
    """Empty while it is open."""


@dataclass(frozen=True, slots=True)
class Account:
    """A unit's own account of a month or other period (查询)."""

    office: OfficeCard
    unit: str
    period: str
    over: bool
    quotas: tuple[QuotaLine, ...]
    counted: tuple[CountedItem, ...]
    open: tuple[OpenItem, ...]
    points: Decimal | None
    entries: tuple[AccountEntry, ...]
    appeals: tuple[AppealLine, ...] = ()
    note: str = ""
    """What could not be shown, a whole sentence: a period without rules …"""


@dataclass(frozen=True, slots=True)
class ItemAccount:
    """One of the unit's items (查询 with a receipt number)."""

    office: OfficeCard
    unit: str
    receipt: str
    title: str
    received: datetime
    category: str
    state: str
    """已登记, 已退回, 待核 …"""
    history: tuple[str, ...]
    """What happened to it, oldest first, each a sentence with its date."""
    entries: tuple[AccountEntry, ...]
    appeals: tuple[AppealLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Help:
    """帮助: the convention, with an example."""

    office: OfficeCard
    unit: str
    fields: tuple[str, ...]
    example: str
    commands: tuple[tuple[str, str], ...]
    """(subject to write, what it does)"""


@dataclass(frozen=True, slots=True)
class AppealReceived:
    office: OfficeCard
    unit: str
    number: int
    about: str


@dataclass(frozen=True, slots=True)
class AppealAnswer:
    office: OfficeCard
    unit: str
    number: int
    about: str
    text: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotDone:
    """A command that could not be carried out: what was found, what was expected, what to do."""

    office: OfficeCard
    command: str
    found: str
    remedy: str


@dataclass(frozen=True, slots=True)
class DraftDecided:
    """The answer to a reply that approved or rejected a draft."""

    office: OfficeCard
    draft: int
    title: str
    approved: bool
    said: tuple[str, ...]
    """What follows: sealed, so many letters queued …"""
