"""What the offices' retention lets go, and removing it once a person has confirmed it.

Never by itself. Each part has its days (`core.rules.retention`); what an open task, a held or returned
item, an open appeal, an unfinished letter or a period that is not sealed still needs stays whatever
its age. Marked in the database first, then removed from the archive: a removal that was cut short
is finished by the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from mailbot.app.upkeep.model import Archived, Due, Part, Progress, Removals, silent
from mailbot.core.rules.periods import OFFICE_ZONE, day_of
from mailbot.core.rules.retention import Retention, due_before

BATCH = 200
"""Mails marked in one transaction: the daemon waits for no more than that."""


@dataclass(frozen=True, slots=True)
class Removed:
    due: Sequence[Due]
    marked: Mapping[Part, int]
    gone: int
    """Raw mails removed, those of an earlier removal that was cut short included."""
    left: int
    """Raw mails given up that could not be removed now; the next removal tries again."""


def what_is_due(rules: Mapping[str, Retention], removals: Removals, now: datetime) -> list[Due]:
    """By office and part, only what has a time set."""
    found = []
    for office, retention in rules.items():
        for part, days in (
            (Part.RAW, retention.mail_days),
            (Part.CONTENT, retention.content_days),
        ):
            if days is not None:
                start = datetime.combine(due_before(days, day_of(now)), time(), OFFICE_ZONE)
                found.append(removals.due(office, part, days, start))
    return found


def remove_due(
    rules: Mapping[str, Retention],
    removals: Removals,
    archive: Archived,
    who: str,
    now: datetime,
    progress: Progress = silent,
) -> Removed:
    """Removes what is due. `who` confirmed it."""
    due = what_is_due(rules, removals, now)
    marked = dict.fromkeys(Part, 0)
    for one in due:
        count = 0
        while batch := removals.mark(one.office, one.part, one.before, now, BATCH):
            count += batch
            progress(one.part.value, count, one.count)
        if count:
            removals.note(one, count, who, now)
        marked[one.part] += count
    gone, left = _finish(removals, archive, now, progress)
    return Removed(due, marked, gone, left)


def _finish(
    removals: Removals, archive: Archived, now: datetime, progress: Progress
) -> tuple[int, int]:
    gone, left = 0, set[str]()
    while batch := removals.leaving(BATCH, left):
        for sha256 in batch:
            if removals.remove(sha256, archive, now):
                gone += 1
                progress("gone", gone, 0)
            else:
                left.add(sha256)
    return gone, len(left)
