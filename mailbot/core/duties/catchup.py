"""Of the occurrences not settled yet: which are done now, and which are passed over and why.

Whoever was away is not answered for twice: of several missed stages of one letter about one thing
the newest is done, for the readers of all of them, and the others count as part of it. What is
worth nothing any more is passed over, with the reason in words.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.rules.periods import day_of


@dataclass(frozen=True, slots=True)
class Passed:
    """An occurrence for which nothing is sent."""

    occurrence: Occurrence
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """What is settled together. `do` None: nothing is to be done."""

    do: Occurrence | None
    passed: tuple[Passed, ...] = ()

    @property
    def due(self) -> datetime:
        occurrence = self.do or self.passed[-1].occurrence
        return occurrence.due


def catch_up(
    occurrences: Iterable[Occurrence], settled: Container[str], now: datetime
) -> list[Step]:
    """For all due occurrences of an office, earliest first. `settled` holds the keys of those that
    were; they are given too, for what they say about earlier ones."""
    subjects: dict[tuple[str, str], list[Occurrence]] = {}
    for occurrence in sorted(occurrences, key=lambda o: (o.due, o.stage.days)):
        if occurrence.due <= now:
            subjects.setdefault((occurrence.rule.id, occurrence.about), []).append(occurrence)
    steps = (_step(of_one, settled, now) for of_one in subjects.values())
    return sorted((s for s in steps if s is not None), key=lambda s: s.due)


def _step(occurrences: Sequence[Occurrence], settled: Container[str], now: datetime) -> Step | None:
    """Of one letter and subject, earliest first."""
    is_open = [o.key not in settled for o in occurrences]
    if not any(is_open):
        return None
    newest = occurrences[-1]
    waiting = [o for o, open_ in zip(occurrences, is_open, strict=True) if open_]
    if not is_open[-1]:
        return Step(None, tuple(Passed(o, _MERGED.format(day=_day(newest))) for o in waiting))
    reasons = [(o, _worthless(o, now)) for o in waiting]
    if reasons[-1][1]:
        return Step(None, tuple(Passed(o, why or _late(o)) for o, why in reasons))
    earlier = waiting[:-1]
    merged = tuple(Passed(o, _MERGED.format(day=_day(newest))) for o in earlier)
    roles = tuple(dict.fromkeys(role for o in waiting for role in o.stage.to))
    return Step(replace(newest, stage=replace(newest.stage, to=roles)), merged)


_MERGED = "已并入 {day} 到期的同一事项的后一次，不再单独发送。"


def _worthless(occurrence: Occurrence, now: datetime) -> str:
    if occurrence.until is None:
        return ""
    period = occurrence.period
    if period is not None and day_of(occurrence.due) < period.first:
        return f"{period.name}里没有工作日，不发送。"
    return _late(occurrence) if now >= occurrence.until else ""


def _late(occurrence: Occurrence) -> str:
    until = f"{occurrence.until:%Y-%m-%d %H:%M} 的" if occurrence.until else ""
    return f"应在 {occurrence.due:%Y-%m-%d %H:%M} 发送，当时未能办理，现已过{until}时限，不再补发。"


def _day(occurrence: Occurrence) -> str:
    return f"{day_of(occurrence.due).isoformat()}"
