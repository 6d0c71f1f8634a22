"""Since when an office's letters are looked after: what was due earlier is not made up for.

A mark is written when a tick first sees an office, and one for each stage of each letter when it
first sees that. So neither a new installation nor a letter that the office adds (or renames) later
sends at once what it would have sent in the months before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailbot.app.letter_records import DutyState, NewDuty
from mailbot.app.ports import Reads
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.rules.rulebook import OfficeBook

START = "start"
"""`NewDuty.letter` of a mark."""

Since = Mapping[tuple[str, str], datetime]
"""By letter and stage."""


@dataclass(frozen=True, slots=True)
class Mark:
    key: str
    letter: str
    stage: str


def marks(book: OfficeBook) -> Iterator[Mark]:
    for rule in book.letters.letters:
        for stage in rule.stages:
            yield Mark(f"{START}:{book.info.id}:{rule.id}:{stage.id}", rule.id, stage.id)


def stages_since(reads: Reads, book: OfficeBook) -> dict[tuple[str, str], datetime]:
    """Those that were seen by a tick."""
    rows = ((mark, reads.duty(mark.key)) for mark in marks(book))
    return {(mark.letter, mark.stage): row.at for mark, row in rows if row is not None}


def counts(occurrence: Occurrence, since: Since, otherwise: datetime) -> bool:
    """Is it due after its stage was first seen? `otherwise`: when that is taken to be where it was
    not seen yet, or by a clock that was ahead of that."""
    seen = since.get((occurrence.rule.id, occurrence.stage.id), otherwise)
    return occurrence.due > min(seen, otherwise)


def office_start(office: str, now: datetime) -> NewDuty:
    why = "从此刻起按日历办理各项信件，此前到期的不补发。"
    return NewDuty(f"{START}:{office}", office, START, "", "", now, DutyState.DONE, why)


def stage_start(office: str, mark: Mark, now: datetime) -> NewDuty:
    why = "从此刻起办理，此前到期的不补发。"
    return NewDuty(mark.key, office, START, mark.letter, mark.stage, now, DutyState.DONE, why)
