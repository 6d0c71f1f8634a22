"""What the duty engine and those who know each letter tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from mailbot.app.letter_records import DutyState, NewDraft
from mailbot.app.ports import Reads
from mailbot.app.posting import Posted
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.rules.rulebook import OfficeBook


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a duty comes to at one moment. Nothing has been written."""

    state: DutyState
    why: str
    """One Chinese sentence for `mailbot duties`: “12 个单位未完成，已提醒信息员 11 封”; of a skipped
    one why."""
    letters: tuple[Posted, ...] = ()
    draft: NewDraft | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    """For the record (`NewDuty.detail`)."""
    warnings: tuple[str, ...] = ()
    """For the office: units that nobody could be written to, and why."""


class Runner(Protocol):
    """Knows one kind of duty."""

    def occurrences(
        self, reads: Reads, book: OfficeBook, since: datetime, until: datetime
    ) -> list[Occurrence]:
        """Those of the office's letters of this kind that are due in `since` < due <= `until`."""
        ...

    def prepare(
        self, reads: Reads, book: OfficeBook, occurrence: Occurrence, now: datetime
    ) -> Prepared:
        """Reads only. Raises `NotScored`, `NoRuleInForce`, `OperatorFault` for what keeps it from
        being done; the engine tells the office and tries again later."""
        ...
