"""Tells somebody, over a second channel, when a trouble begins and when it is over: once each.

A trouble (`app.health.Reason`) becomes an alarm when it lasted for a grace of its kind, so that a
blip is none; the alarm is over when the trouble was away for a while. Each channel is told of each
beginning and each end; a channel that fails is tried again, later and later, and the others hear
nothing twice. Whatever has to be told a channel at one moment goes into one message, and there are
only so many messages an hour: a flood is told as a flood.

Alarms are kept in the database, so that a restart neither repeats nor forgets one. While the
database is away they are kept in memory, told all the same, and written down later.

Where several machines share the database each looks after the alarms it is responsible for (`mine`)
and after those of its own disk, clock and connection.

What is told names nobody and nothing of a mail: `app.health` masks its sentences.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mailbot.app.errors import OperatorFault, WorldFault
from mailbot.app.health import Health, Reason, span
from mailbot.app.ports import Clock

_log = logging.getLogger(__name__)

GRACES = {
    "database": 120.0,
    "disk": 0.0,
    "config": 0.0,
    "clock": 0.0,
    "mailbox": 300.0,
    "delivery": 600.0,
    "reader": 300.0,
}
"""Seconds a trouble lasts before it is an alarm, by the kind of its key."""
GRACE = 300.0
CALM = 300.0
"""Seconds without the trouble before it counts as over. Longer than a restart takes to find again
what was wrong before."""
PER_HOUR = 6
"""Messages to one channel: after them it is told of everything in one at the hour's end."""
_APART = 60.0
"""Seconds between two messages to one channel."""
_AGAIN = (60.0, 120.0, 300.0, 900.0, 1800.0)
"""Seconds until a failed channel is tried again."""
SHOWN = 8
"""Troubles told of one by one in a message."""
_QUIET = frozenset({"withheld", "tasks", "waiting_approval"})
"""States of affairs that `mailbot health` shows and nobody need be woken for."""


@dataclass(slots=True)
class Alarm:
    """One trouble that lasts, or lasted."""

    key: str
    host: str
    """The machine whose trouble it is; empty for the installation's."""
    text: str
    began: datetime
    told: datetime | None = None
    told_by: set[str] = field(default_factory=set)
    """Names of the channels that took it."""
    over: datetime | None = None
    over_by: set[str] = field(default_factory=set)
    told_over: datetime | None = None
    """Closed: everybody was told of the end."""
    id: int | None = None
    unsaved: bool = True


class AlarmStore(Protocol):
    """Raises `WorldFault` when the database is away."""

    def unclosed(self) -> list[Alarm]:
        """All that are not closed, of every machine, oldest first."""
        ...

    def save(self, alarm: Alarm) -> int:
        """Writes it, new or known; its id."""
        ...


class Channel(Protocol):
    """One way to reach somebody. `name` is stable: it is kept with what it was told."""

    name: str

    def tell(self, title: str, text: str) -> None:
        """Raises any exception when it cannot be known that the message was taken."""
        ...


def _everything(key: str) -> bool:
    return True


@dataclass(slots=True)
class _Line:
    """What is remembered of a channel; nothing of it outlives the process. Monotonic seconds."""

    channel: Channel
    sent: list[float] = field(default_factory=list)
    failures: int = 0
    not_before: float = 0.0


class Alerts:
    """Not shared between threads. `mine` says whether this machine answers for a trouble that is
    not its own; `title` heads every message (which installation speaks)."""

    def __init__(
        self,
        store: AlarmStore,
        channels: Sequence[Channel],
        clock: Clock,
        *,
        host: str,
        title: str = "mailbot",
        mine: Callable[[str], bool] = _everything,
    ) -> None:
        self._store, self._clock, self._host, self._title = store, clock, host, title
        self._mine = mine
        self._lines = [_Line(channel) for channel in channels]
        self._alarms: list[Alarm] = []
        self._seen: dict[str, float] = {}
        """Troubles that are no alarm yet: when they were first seen."""
        self._gone: dict[str, float] = {}
        """Alarms whose trouble is away: since when."""

    def look(self, health: Health) -> None:
        """Once a minute."""
        self._fetch()
        now, at = self._clock.monotonic(), self._clock.now()
        present = {r.key: r for r in health.reasons if self._counts(r)}
        self._begin(present, now, at)
        hosts = health.figures.hosts if health.figures else frozenset[str]()
        self._end(present, hosts, now, at, certain=health.figures is not None)
        self._keep()
        for line in self._lines:
            self._tell(line, now, at)
        self._close(at)
        self._keep()

    # --- what began, what is over ---

    def _counts(self, reason: Reason) -> bool:
        if reason.key.partition(":")[0] in _QUIET:
            return False
        return reason.local or self._mine(reason.key)

    def _begin(self, present: dict[str, Reason], now: float, at: datetime) -> None:
        self._seen = {key: since for key, since in self._seen.items() if key in present}
        on = {alarm.key for alarm in self._own() if alarm.over is None}
        for key, reason in present.items():
            if key in on:
                continue
            since = self._seen.setdefault(key, now)
            if now - since >= GRACES.get(key.partition(":")[0], GRACE):
                host = self._host if reason.local else ""
                self._alarms.append(Alarm(key, host, reason.text, at))
                del self._seen[key]
                _log.error("alarm: %s", reason.text)

    def _end(
        self,
        present: dict[str, Reason],
        hosts: frozenset[str],
        now: float,
        at: datetime,
        *,
        certain: bool,
    ) -> None:
        """`certain`: the database was read, so what it would show is really away."""
        for alarm in self._alarms:
            if alarm.over is not None:
                continue
            if alarm.host not in ("", self._host):
                if hosts and alarm.host not in hosts and self._mine(alarm.key):
                    alarm.text += f"（{alarm.host} 上的 mailbot 已不再运行，此事不再跟踪。）"
                    alarm.over, alarm.unsaved = at, True
                continue
            if alarm.key in present or not (certain or alarm.key == "database"):
                self._gone.pop(alarm.key, None)
            elif self._answers_for(alarm) and self._calm(alarm.key, now):
                alarm.over, alarm.unsaved = at, True
                _log.warning("alarm over: %s", alarm.text)

    def _calm(self, key: str, now: float) -> bool:
        """Has the trouble been away for long enough."""
        if now - self._gone.setdefault(key, now) < CALM:
            return False
        del self._gone[key]
        return True

    def _own(self) -> list[Alarm]:
        return [alarm for alarm in self._alarms if self._answers_for(alarm)]

    def _answers_for(self, alarm: Alarm) -> bool:
        if alarm.host:
            return alarm.host == self._host
        return self._mine(alarm.key)

    # --- telling ---

    def _tell(self, line: _Line, now: float, at: datetime) -> None:
        name = line.channel.name
        news = [alarm for alarm in self._tellable() if _owed(alarm, name)]
        line.sent = [sent for sent in line.sent if now - sent < 3600.0]
        if not news or now < line.not_before or len(line.sent) >= PER_HOUR:
            return
        try:
            line.channel.tell(f"{self._title}：{_headline(news)}", message(news))
        except Exception as error:
            wait = _AGAIN[min(line.failures, len(_AGAIN) - 1)]
            line.failures += 1
            line.not_before = now + wait
            # Its address may be a secret (a robot's key): the error's kind must do.
            _log.error("alarm channel %s failed (%s), again in %.0f s", name, _kind(error), wait)
            return
        line.failures = 0
        line.not_before = now + _APART
        line.sent.append(now)
        for alarm in news:
            alarm.told = alarm.told or at
            alarm.told_by.add(name)
            if alarm.over is not None:
                alarm.over_by.add(name)
            alarm.unsaved = True

    def _tellable(self) -> list[Alarm]:
        """Those of machines that are gone are told by whoever ended them."""
        return [a for a in self._alarms if self._answers_for(a) or (a.host and a.over is not None)]

    def _close(self, at: datetime) -> None:
        """What is over and was told everywhere. Without channels the log was the place to tell."""
        names = {line.channel.name for line in self._lines}
        for alarm in self._tellable():
            if alarm.over is not None and names <= alarm.over_by:
                alarm.told_over, alarm.unsaved = at, True

    # --- keeping ---

    def _fetch(self) -> None:
        """The database's alarms, with what this process has not written yet taken over them."""
        try:
            stored = self._store.unclosed()
        except (WorldFault, OperatorFault):
            return
        newer = {alarm.id: alarm for alarm in self._alarms if alarm.unsaved}
        self._alarms = [newer.get(a.id, a) for a in stored] + self._unwritten(stored)

    def _unwritten(self, stored: Iterable[Alarm]) -> list[Alarm]:
        """Alarms of this process without a row; one that another process has written meanwhile is
        that one."""
        on = {(a.key, a.host) for a in stored if a.over is None}
        new = [a for a in self._alarms if a.id is None]
        return [a for a in new if a.over is not None or (a.key, a.host) not in on]

    def _keep(self) -> None:
        try:
            for alarm in self._alarms:
                if alarm.unsaved:
                    alarm.id = self._store.save(alarm)
                    alarm.unsaved = False
        except (WorldFault, OperatorFault) as fault:
            _log.warning("alarms are kept in memory for now: %s", fault)
        self._alarms = [a for a in self._alarms if a.unsaved or a.told_over is None]


def _owed(alarm: Alarm, channel: str) -> bool:
    return channel not in (alarm.told_by if alarm.over is None else alarm.over_by)


def _kind(error: Exception) -> str:
    code = getattr(error, "code", "") or getattr(error, "errno", "") or ""
    return f"{type(error).__name__} {code}".strip()


def _headline(news: Sequence[Alarm]) -> str:
    begun, over = [a for a in news if a.over is None], [a for a in news if a.over is not None]
    said = [f"{len(begun)} 处故障"] if begun else []
    return "，".join([*said, *([f"{len(over)} 处已恢复"] if over else [])])


def message(news: Sequence[Alarm]) -> str:
    """The text of one message: troubles first, then what is over, the rest as a number."""
    ordered = sorted(news, key=lambda a: (a.over is not None, a.began))
    lines = [_line(alarm) for alarm in ordered[:SHOWN]]
    if len(ordered) > SHOWN:
        more = len(ordered) - SHOWN
        lines.append(f"另有 {more} 处，请在服务器上运行 mailbot health 查看。")
    return "\n".join(lines)


def _line(alarm: Alarm) -> str:
    place = f"［{alarm.host}］" if alarm.host else ""
    if alarm.over is None:
        return f"● 故障{place}（{alarm.began:%m月%d日 %H:%M}）：{alarm.text}"
    lasted = span(alarm.over - alarm.began).strip()
    return f"○ 已恢复{place}（{alarm.over:%m月%d日 %H:%M}，历时{lasted}）：{alarm.text}"
