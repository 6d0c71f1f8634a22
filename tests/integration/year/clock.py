"""The machine's time: a wall clock that can be set, and a steady one that cannot."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailbot.adapters.system import SHANGHAI


def at(text: str) -> datetime:
    """`2026-08-25 09:00`, or `08-25 09:00` of 2026, in Shanghai."""
    whole = text if text[4:5] == "-" else f"2026-{text}"
    return datetime.fromisoformat(whole).replace(tzinfo=SHANGHAI)


class VirtualClock:
    """Implements `app.ports.Clock`."""

    def __init__(self, now: datetime) -> None:
        self._now, self._steady = now, 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._steady

    def advance(self, to: datetime) -> None:
        """Time goes by. A moment that has passed changes nothing."""
        if to > self._now:
            self._steady += (to - self._now).total_seconds()
            self._now = to

    def set_back(self, by: timedelta) -> None:
        """Somebody, or a time server, sets the wall clock; nothing has happened meanwhile."""
        self._now -= by
