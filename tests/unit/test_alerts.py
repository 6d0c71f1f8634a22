"""Told once when it begins and once when it is over, whatever fails meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from mailbot.adapters.db.alerts import SqlAlarms
from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.app.alerts import CALM, GRACE, PER_HOUR, SHOWN, Alarm, Alerts
from mailbot.app.errors import Retryable
from mailbot.app.health import Figures, Health, Reason, State
from tests.unit import store_help as h

MINUTE = 60.0


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.start = h.NOON

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class Spy:
    """A channel that keeps what it is told, or fails."""

    def __init__(self, name: str = "spy") -> None:
        self.name = name
        self.heard: list[str] = []
        self.tried = 0
        self.broken = False

    def tell(self, title: str, text: str) -> None:
        self.tried += 1
        if self.broken:
            raise Retryable("away", code="connect")
        self.heard.append(f"{title}\n{text}")


class Away:
    """A store whose database may be away."""

    def __init__(self, store: SqlAlarms) -> None:
        self.store, self.away = store, False

    def unclosed(self) -> list[Alarm]:
        self._reach()
        return self.store.unclosed()

    def save(self, alarm: Alarm) -> int:
        self._reach()
        return self.store.save(alarm)

    def _reach(self) -> None:
        if self.away:
            raise Retryable("the database server is away", code="database_down", systemic=True)


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


class Watch:
    """`Alerts`, looked at every minute of a clock that the test turns."""

    def __init__(
        self,
        store: SqlStore,
        *channels: Spy,
        clock: Clock | None = None,
        host: str = "",
        mine: Callable[[str], bool] = lambda key: True,
    ) -> None:
        self.clock = clock or Clock()
        self.away = Away(SqlAlarms(store))
        self.alerts = Alerts(self.away, channels, self.clock, host=host, mine=mine)
        self.hosts: frozenset[str] = frozenset()

    def minutes(self, count: float, *keys: str) -> None:
        """So many looks, a minute apart, with these troubles on. `!key` is this machine's own."""
        for _ in range(int(count)):
            self.alerts.look(health(self.clock.now(), *keys, away=self.away.away, hosts=self.hosts))
            self.clock.seconds += MINUTE


def health(
    now: datetime, *keys: str, away: bool = False, hosts: frozenset[str] = frozenset()
) -> Health:
    reasons = tuple(
        Reason(key.strip("!"), State.FAILED, f"{key.strip('!')} 有故障。", key.startswith("!"))
        for key in keys
    )
    figures = None if away else Figures("0004", {}, {}, hosts=hosts)
    return Health(now, State.FAILED, reasons, figures, None, {})


GRACE_MINUTES = GRACE / MINUTE + 1
CALM_MINUTES = CALM / MINUTE + 2


def test_told_once_when_it_begins_and_once_when_it_is_over(store: SqlStore) -> None:
    spy = Spy()
    watch = Watch(store, spy)
    watch.minutes(180, "outbox")
    assert len(spy.heard) == 1 and "故障" in spy.heard[0] and "outbox 有故障" in spy.heard[0]
    watch.minutes(180)
    assert len(spy.heard) == 2 and "已恢复" in spy.heard[1]
    assert SqlAlarms(store).unclosed() == []


def test_a_blip_is_no_alert_and_a_flicker_is_not_over(store: SqlStore) -> None:
    spy = Spy()
    watch = Watch(store, spy)
    for _ in range(20):
        watch.minutes(GRACE_MINUTES - 2, "outbox")
        watch.minutes(1)
    assert spy.heard == []
    watch.minutes(GRACE_MINUTES, "outbox")
    for _ in range(20):
        watch.minutes(3)
        watch.minutes(1, "outbox")
    assert len(spy.heard) == 1


def test_some_troubles_are_told_at_once(store: SqlStore) -> None:
    spy = Spy()
    Watch(store, spy).minutes(1, "disk", "config")
    assert len(spy.heard) == 1 and "2 处故障" in spy.heard[0]


def test_a_restart_neither_repeats_nor_forgets(store: SqlStore) -> None:
    spy, clock = Spy(), Clock()
    Watch(store, spy, clock=clock).minutes(GRACE_MINUTES, "outbox")
    for _ in range(5):
        Watch(store, spy, clock=clock).minutes(GRACE_MINUTES, "outbox")
    assert len(spy.heard) == 1
    Watch(store, spy, clock=clock).minutes(CALM_MINUTES)
    assert len(spy.heard) == 2 and "已恢复" in spy.heard[1]
    Watch(store, spy, clock=clock).minutes(CALM_MINUTES)
    assert len(spy.heard) == 2


def test_a_channel_that_fails_is_tried_again_and_the_others_hear_nothing_twice(
    store: SqlStore,
) -> None:
    good, bad, clock = Spy("good"), Spy("bad"), Clock()
    bad.broken = True
    Watch(store, good, bad, clock=clock).minutes(120, "outbox")
    assert len(good.heard) == 1 and bad.heard == []
    assert 4 <= bad.tried < 20, "later and later"
    bad.broken = False
    Watch(store, good, bad, clock=clock).minutes(GRACE_MINUTES, "outbox")
    assert len(good.heard) == 1 and len(bad.heard) == 1, "also after a restart"
    bad.broken = True
    watch = Watch(store, good, bad, clock=clock)
    watch.minutes(CALM_MINUTES)
    assert len(good.heard) == 2 and len(bad.heard) == 1
    bad.broken = False
    watch.minutes(60)
    assert len(good.heard) == 2 and len(bad.heard) == 2


def test_what_began_and_ended_unheard_is_told_in_one(store: SqlStore) -> None:
    spy = Spy()
    spy.broken = True
    watch = Watch(store, spy)
    watch.minutes(GRACE_MINUTES, "outbox")
    watch.minutes(CALM_MINUTES)
    spy.broken = False
    watch.minutes(60)
    assert len(spy.heard) == 1 and "已恢复" in spy.heard[0] and "历时" in spy.heard[0]


def test_a_flood_is_one_message(store: SqlStore) -> None:
    spy = Spy()
    keys = [f"mailbox:m{n}" for n in range(20)]
    Watch(store, spy).minutes(GRACE_MINUTES + 60, *keys)
    (message,) = spy.heard
    assert "20 处故障" in message and f"另有 {20 - SHOWN} 处" in message


def test_troubles_that_come_one_after_another_are_not_a_message_each(store: SqlStore) -> None:
    spy = Spy()
    watch = Watch(store, spy)
    for n in range(60):
        watch.minutes(1, *(f"mailbox:m{k}" for k in range(n)))
    assert 1 <= len(spy.heard) <= PER_HOUR
    watch.minutes(61, *(f"mailbox:m{k}" for k in range(60)))
    told = "\n".join(spy.heard)
    assert "另有" in told and len(spy.heard) <= PER_HOUR + 2


def test_without_the_database_it_is_told_all_the_same_and_written_later(store: SqlStore) -> None:
    spy = Spy()
    watch = Watch(store, spy)
    watch.away.away = True
    watch.minutes(30, "!database")
    assert len(spy.heard) == 1
    watch.away.away = False
    watch.minutes(1)
    (alarm,) = SqlAlarms(store).unclosed()
    assert alarm.key == "database" and alarm.told_by == {"spy"}
    watch.minutes(CALM_MINUTES)
    assert len(spy.heard) == 2 and "已恢复" in spy.heard[1]
    assert SqlAlarms(store).unclosed() == []


def test_what_only_the_database_shows_is_not_over_while_it_is_away(store: SqlStore) -> None:
    spy = Spy()
    watch = Watch(store, spy)
    watch.minutes(GRACE_MINUTES, "outbox")
    watch.away.away = True
    watch.minutes(60, "!database")
    assert not any("已恢复" in told for told in spy.heard)
    watch.away.away = False
    watch.minutes(60, "outbox")
    assert sum("outbox" in told for told in spy.heard) == 1


def test_a_clock_that_jumps_makes_no_alert(store: SqlStore) -> None:
    spy = Spy()
    watch = Watch(store, spy)
    for jump in (timedelta(days=365), timedelta(days=-730)):
        watch.minutes(1, "outbox")
        watch.clock.start += jump
        watch.minutes(1, "outbox")
        watch.minutes(1)
    assert spy.heard == []


def test_two_machines_tell_of_one_trouble_once(store: SqlStore) -> None:
    """Each of its own disk; of the installation the one that has the lease."""
    spy, clock = Spy(), Clock()
    holder = {"a"}
    a = Watch(store, spy, clock=clock, host="a", mine=lambda key: "a" in holder)
    b = Watch(store, spy, clock=clock, host="b", mine=lambda key: "b" in holder)

    def both(minutes: float, *keys: str, alive: str = "ab") -> None:
        for _ in range(int(minutes)):
            for watch, name in ((a, "a"), (b, "b")):
                watch.hosts = frozenset(alive)
                if name in alive:
                    watch.minutes(1, *keys)

    both(20, "outbox", "!disk")
    told = "\n".join(spy.heard)
    assert told.count("outbox 有故障") == 1
    assert told.count("故障［a］") == 1 and told.count("故障［b］") == 1
    spy.heard.clear()
    holder.symmetric_difference_update("ab")  # b takes over, a goes away
    both(20, "outbox", "!disk", alive="b")
    (only,) = spy.heard
    assert "已恢复［a］" in only and "不再跟踪" in only
    both(20, alive="b")
    assert sum("outbox 有故障" in told for told in spy.heard) == 1
    assert SqlAlarms(store).unclosed() == []


def test_without_channels_the_alarm_is_kept_all_the_same(store: SqlStore) -> None:
    watch = Watch(store)
    watch.minutes(GRACE_MINUTES, "outbox")
    assert [alarm.key for alarm in SqlAlarms(store).unclosed()] == ["outbox"]
    watch.minutes(CALM_MINUTES)
    assert SqlAlarms(store).unclosed() == []
