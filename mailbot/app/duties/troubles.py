"""What could not be done: tried again later and later, and a person told once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.app.duties.reasons import why_not
from mailbot.app.ports import Store
from mailbot.app.records import NewTask
from mailbot.core.rules.rulebook import OfficeBook

_log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=2)
"""Before a duty that failed is tried again; doubles up to `LONGEST_PAUSE`."""
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Failed:
    what: str
    """The duty's key."""
    why: str


@dataclass(slots=True)
class _Trouble:
    tries: int
    at: datetime

    def waits(self, now: datetime) -> bool:
        pause = min(FIRST_PAUSE * (1 << min(self.tries - 1, 10)), LONGEST_PAUSE)
        return self.at <= now < self.at + pause


class Troubles:
    """Kept in memory: after a restart everything is tried at once, and nobody is told again while
    the first task is open."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, _Trouble] = {}

    def waits(self, key: str, now: datetime) -> bool:
        trouble = self._known.get(key)
        return trouble is not None and trouble.waits(now)

    def over(self, key: str) -> None:
        self._known.pop(key, None)

    def note(
        self, book: OfficeBook, key: str, what: str, error: Exception, now: datetime
    ) -> Failed:
        """`what`: as people call it."""
        why = why_not(error, book)
        trouble = self._known.get(key)
        first = trouble is None
        _log.error("%s: not done: %s", key, why, exc_info=error if first else None)
        self._known[key] = _Trouble(1 if trouble is None else trouble.tries + 1, now)
        if first:
            text = f"{what}没有办成：{why}排除后会自动补办，其他信件不受影响。"
            self.tell(book.info.id, told_as(key), text, now)
        return Failed(key, why)

    def tell(self, office: str, kind: str, text: str, now: datetime) -> None:
        """A task for a person, unless one of its kind is open."""
        with self._store.reading() as reads:
            if reads.has_open_task(office, kind):
                return
        with self._store.begin() as tx:
            if not tx.read.has_open_task(office, kind):
                tx.add_task(NewTask(office, kind, text), now)


def told_as(key: str) -> str:
    """Kind of the task that tells a person that a duty is not done."""
    return f"duty:{key}"
