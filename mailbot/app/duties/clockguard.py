"""Whether the wall clock of a running process can be believed right now.

A clock that leaps forward against the monotonic one was set by hand or by a time server, or the
machine slept. Rarely it is a slip that is put right soon after, and letters sent by it could not be
called back. So after a leap nothing is done for ten minutes: long enough for a time server to step
the clock back, too short for any letter to come late. A clock set back does no harm: what was done
is known by its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.app.ports import Clock

LEAP = timedelta(hours=2)
HOLD = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Look:
    now: datetime
    hold: bool = False
    warning: str = ""
    """A whole sentence, at the moment of the leap only."""


class ClockGuard:
    """Looked at before each tick, by one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._steady = clock.now(), clock.monotonic()
        self._held_until: float | None = None

    def look(self) -> Look:
        wall, steady = self._clock.now(), self._clock.monotonic()
        leap = wall - self._wall - timedelta(seconds=steady - self._steady)
        before = self._wall
        self._wall, self._steady = wall, steady
        if leap > LEAP:
            self._held_until = steady + HOLD.total_seconds()
            warning = (
                f"系统时钟从 {before:%Y-%m-%d %H:%M} 一下子走到 {wall:%Y-%m-%d %H:%M}。"
                f"到期信件暂停 {HOLD.seconds // 60} 分钟，请核对服务器的时钟；"
                "时钟无误时无需处理，之后会自动补办，不会重发。"
            )
            return Look(wall, True, warning)
        if leap < -LEAP:
            self._held_until = None
            warning = (
                f"系统时钟从 {before:%Y-%m-%d %H:%M} 退回到 {wall:%Y-%m-%d %H:%M}。"
                "已办理的信件不会重发；请核对服务器的时钟。"
            )
            return Look(wall, False, warning)
        held = self._held_until is not None and steady < self._held_until
        return Look(wall, held)
