"""What is wrong at this moment, as the parts of a running process say it themselves.

A part notes its trouble under a key of its own and takes it off when it is over; noting the same again
changes nothing but the words. Who is told, and how often, is `app.alerts`' business.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Trouble:
    text: str
    """Chinese, whole sentences: what was found, where, and what to do."""
    since: datetime


class Board:
    """For any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._troubles: dict[str, Trouble] = {}

    def note(self, key: str, text: str, now: datetime) -> None:
        with self._lock:
            old = self._troubles.get(key)
            self._troubles[key] = replace(old, text=text) if old else Trouble(text, now)

    def clear(self, key: str) -> None:
        with self._lock:
            self._troubles.pop(key, None)

    def troubles(self) -> Mapping[str, Trouble]:
        with self._lock:
            return dict(self._troubles)
