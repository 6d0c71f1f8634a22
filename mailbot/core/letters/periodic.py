"""Letters to units by the calendar: reminders, results, tasks, commissions, news."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from mailbot.core.letters.answers import OfficeCard


@dataclass(frozen=True, slots=True)
class QuotaLine:
    """One quota of a unit over a period."""

    name: str
    need: int
    got: int
    missing: int
    remark_only: bool = False
    """Missing ones are a remark, never a failed quota (“原则上”)."""


@dataclass(frozen=True, slots=True)
class CountedItem:
    receipt: str
    title: str
    received: date
    category: str


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Returned and not corrected, or held: does not count yet."""

    receipt: str
    title: str
    received: date
    held: bool = False


@dataclass(frozen=True, slots=True)
class QuotaLetter:
    """What a unit sent in a period and what it owes."""

    office: OfficeCard
    unit: str
    role: str
    """Who is written to: `liaison`, `head` …"""
    liaison: str
    """Name of the unit's liaison where the roster has it, for a letter to the head."""
    period: str
    """2026年8月"""
    deadline: date
    """The period's last day."""
    days_left: int
    """Working days from today to the deadline, both counted; 0 after it."""
    quotas: tuple[QuotaLine, ...]
    counted: tuple[CountedItem, ...]
    open: tuple[OpenItem, ...]
    document: str
    clause: str
    """Of the quota."""
    example: str
    """A well-formed subject line."""
    stage: str = ""
    last_stage: bool = False


@dataclass(frozen=True, slots=True)
class Reminder(QuotaLetter):
    """Before the deadline, to a unit that is short."""


@dataclass(frozen=True, slots=True)
class PeriodResult(QuotaLetter):
    """After it."""


@dataclass(frozen=True, slots=True)
class Thanks(QuotaLetter):
    """Before it, to a unit that has met everything."""


@dataclass(frozen=True, slots=True)
class DueLine:
    """A task or commission that waits for the unit."""

    what: str
    """The task's words, or the commission's topic."""
    clause: str
    number: str
    """What to write into the subject: the task's or commission's number."""
    due: date | None
    days_left: int | None
    """Working days; negative: so many late; None without a due day."""


@dataclass(frozen=True, slots=True)
class TaskReminder:
    office: OfficeCard
    unit: str
    role: str
    document: str
    lines: tuple[DueLine, ...]
    commissions: bool = False
    """They are commissions (约稿), not ledger tasks."""


@dataclass(frozen=True, slots=True)
class NewsLine:
    receipt: str
    title: str
    day: date
    what: str
    """《每日要情》采用, 旗领导批示 …"""


@dataclass(frozen=True, slots=True)
class AdoptionNews:
    office: OfficeCard
    unit: str
    to: str
    """Submitter's or head's name, may be empty."""
    lines: tuple[NewsLine, ...]
    since: datetime | None = None
