"""Which occurrences there are in a span of time, asked of all runners alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.app.duties.model import Runner
from mailbot.app.errors import WorldFault
from mailbot.app.ports import Reads
from mailbot.core.duties.model import DutyKind
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.rules.rulebook import OfficeBook

LOOK_BACK = timedelta(days=400)
"""What was due earlier is not made up for: a yearly letter is found a month late."""

Runners = Mapping[DutyKind, Runner]
"""One runner may serve several kinds."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A runner that could not say what is due."""

    kinds: tuple[DutyKind, ...]
    error: Exception


@dataclass(frozen=True, slots=True)
class Scan:
    occurrences: tuple[Occurrence, ...]
    """Each key once, by `due`."""
    blocked: tuple[Blocked, ...] = ()


def scan(
    reads: Reads, book: OfficeBook, runners: Runners, since: datetime, until: datetime
) -> Scan:
    """What is due in `since` < due <= `until`. A runner that fails keeps the others from nothing;
    a fault of the world as a whole is raised."""
    found: dict[str, Occurrence] = {}
    blocked = []
    wanted = {letter.kind for letter in book.letters.letters}
    by_runner: dict[int, list[DutyKind]] = {}
    for kind in runners:
        if kind in wanted:
            by_runner.setdefault(id(runners[kind]), []).append(kind)
    for kinds in by_runner.values():
        try:
            for one in runners[kinds[0]].occurrences(reads, book, since, until):
                found.setdefault(one.key, one)
        except WorldFault:
            raise
        except Exception as error:
            blocked.append(Blocked(tuple(kinds), error))
    return Scan(tuple(sorted(found.values(), key=lambda o: o.due)), tuple(blocked))
