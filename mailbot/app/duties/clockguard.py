"""Whether the wall clock can be believed right now.

Letters sent by a clock that is wrong cannot be called back, and what a year ahead makes due would be
twelve months of reminders. Three things speak about the clock:

* the monotonic clock, while the process runs: a wall clock that leaps forward against it was set by
  hand or by a time server, or the machine slept. After a small leap nothing is done for ten minutes:
  long enough for a time server to step the clock back, too short for any letter to come late.
* what was written before (the last good search): a start long after it is a long stop, or a clock
  ahead.
* the mail server: what it received says what time it is there. Mail from a day or more in our
  future says that our clock is behind.

After a leap of more than a day or a stop of more than four the clock is believed when the server has
received a mail within a day of it, or when a person says so (`mailbot duties --clock-is-right`);
until then nothing is done by the calendar. Mail is taken in and answered all the while: it shows
that the clock is right. A clock set back does no harm: what was done is known by its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.app.ports import Clock, Reads, Store

LEAP = timedelta(hours=2)
HOLD = timedelta(minutes=10)
GAP = timedelta(hours=24)
"""A leap after which the clock needs a witness, and how near the witness must be."""
STOP = timedelta(days=4)
"""A stop after which it does: machines are switched off over weekends, and nobody need vouch for that."""
PATIENCE = timedelta(minutes=15)
"""For how long after a gap nobody is told: the mail that came meanwhile has to be read first."""
CONFIRMED = "clock_confirmed"
"""Fact: the moment a person said was right, ISO."""
DOUBTED = "clock_doubted"
"""Fact: the last believed moment before a gap nobody has vouched for yet, ISO; empty: none. Kept
because each run from cron is a process of its own, and its searches would look like no gap to the
next."""


@dataclass(frozen=True, slots=True)
class Look:
    now: datetime
    hold: bool = False
    warning: str = ""
    """A whole sentence, when something was noticed; not again while it lasts."""


class ClockGuard:
    """Looked at before each tick, by one thread. Made before this process searches any mailbox, so
    that it sees what the last one left."""

    def __init__(self, clock: Clock, store: Store, *, patience: timedelta = PATIENCE) -> None:
        """`patience`: for how long after a gap nobody is told; the mail that came meanwhile, which
        vouches for the clock, has to be found first."""
        self._clock, self._store, self._patience = clock, store, patience
        self._doubted_at = clock.monotonic()
        self._wall, self._steady = clock.now(), clock.monotonic()
        self._held_until: float | None = None
        self._told = False
        self._since: datetime | None = None
        """The same as `DOUBTED`."""
        with store.reading() as reads:
            doubted, last = reads.fact(DOUBTED), reads.last_moment()
        if doubted:
            self._since = datetime.fromisoformat(doubted)
        elif last is not None and self._wall - last > STOP:
            self._doubt(last)

    def look(self) -> Look:
        wall, steady = self._clock.now(), self._clock.monotonic()
        before = self._wall
        leap = wall - before - timedelta(seconds=steady - self._steady)
        self._wall, self._steady = wall, steady
        if leap > GAP and self._since is None:
            self._doubt(before)
        elif leap > LEAP:
            self._held_until = steady + HOLD.total_seconds()
            return Look(wall, True, _leapt(before, wall))
        elif leap < -LEAP:
            self._held_until = None
            return Look(
                wall,
                self._since is not None and self._unvouched(wall).hold,
                _set_back(before, wall),
            )
        if self._since is not None:
            return self._unvouched(wall)
        held = self._held_until is not None and steady < self._held_until
        return self._behind(wall) or Look(wall, held)

    def _unvouched(self, wall: datetime) -> Look:
        assert self._since is not None
        with self._store.reading() as reads:
            vouched = wall - self._since <= GAP or _vouched(reads, wall)
        if vouched:
            self._believe()
            return Look(wall)
        waited = timedelta(seconds=self._clock.monotonic() - self._doubted_at)
        if self._told or waited < self._patience:
            return Look(wall, True)
        self._told = True
        return Look(wall, True, _gap(self._since, wall))

    def _doubt(self, since: datetime) -> None:
        self._since, self._told = since, False
        self._doubted_at = self._clock.monotonic()
        self._write(since.isoformat())

    def _believe(self) -> None:
        self._since, self._told = None, False
        self._write("")

    def _write(self, doubted: str) -> None:
        with self._store.begin() as tx:
            tx.set_fact(DOUBTED, doubted, self._clock.now())

    def _behind(self, wall: datetime) -> Look | None:
        """The server has received mail that for us is still to come."""
        with self._store.reading() as reads:
            # The last one only: a single mail with a senseless time must not stop the calendar.
            ahead = reads.last_mail()
        if ahead is None or ahead - wall <= GAP:
            self._told = False
            return None
        warning = "" if self._told else _late(ahead, wall)
        self._told = True
        return Look(wall, True, warning)


def _vouched(reads: Reads, wall: datetime) -> bool:
    newest = reads.newest_mail(wall + GAP)
    if newest is not None and wall - newest <= GAP:
        return True
    said = reads.fact(CONFIRMED)
    return bool(said) and abs(wall - datetime.fromisoformat(said)) <= GAP


def _leapt(before: datetime, wall: datetime) -> str:
    return (
        f"系统时钟从 {before:%Y-%m-%d %H:%M} 一下子走到 {wall:%Y-%m-%d %H:%M}。"
        f"到期信件暂停 {HOLD.seconds // 60} 分钟，请核对服务器的时钟；"
        "时钟无误时无需处理，之后会自动补办，不会重发。"
    )


def _set_back(before: datetime, wall: datetime) -> str:
    return (
        f"系统时钟从 {before:%Y-%m-%d %H:%M} 退回到 {wall:%Y-%m-%d %H:%M}。"
        "已办理的信件不会重发；请核对服务器的时钟。"
    )


def _gap(since: datetime, wall: datetime) -> str:
    return (
        f"上一次确知的时间是 {since:%Y-%m-%d %H:%M}，现在系统时钟是 {wall:%Y-%m-%d %H:%M}，"
        "中间隔了好几天，又没有新到的邮件可以印证。为免按错误的日期成批发信，提醒、通报等到期信件先不办；"
        "收信照常，看上去是很久以前的来信，答复先扣下（mailbot backlog）。请核对服务器的时钟：时钟无误的，运行 mailbot duties --clock-is-right，"
        "或者等收到一封新邮件，会自动补办，不会重发。"
    )


def _late(ahead: datetime, wall: datetime) -> str:
    return (
        f"邮件服务器收到邮件的时间已是 {ahead:%Y-%m-%d %H:%M}，而系统时钟是 {wall:%Y-%m-%d %H:%M}，"
        "慢了一天以上。到期信件先不办，收信和答复照常。请校准服务器的时钟，校准后会自动补办，不会重发。"
    )
