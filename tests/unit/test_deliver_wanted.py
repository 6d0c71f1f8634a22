"""A letter that is not wanted any more when its turn comes is dropped, and says why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.db.engine import SqlStore
from mailbot.app.deliver import Deliverer, DeliverReport
from mailbot.app.errors import Fault, OperatorFault, Retryable
from mailbot.app.ports import BeforeDot
from mailbot.app.records import OutboxState, Outgoing
from mailbot.core.letters.kinds import LetterKind
from tests.unit import store_help as h
from tests.unit.store_help import NOON

DROPPED, SENT, RETRY = OutboxState.DROPPED, OutboxState.SENT, OutboxState.RETRY
MET = "任务已完成（8月报送 8 条），不用再提醒。"


class Clock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - NOON).total_seconds()


class Line:
    """Sends well unless a fault is next."""

    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.sent: list[str] = []

    def send(self, letter: Outgoing, before_dot: BeforeDot) -> str:
        if self.faults:
            raise self.faults.pop(0)
        before_dot()
        self.sent.append(letter.key)
        return "250 ok"

    def close(self) -> None:
        pass


class Desk:
    """A real store; `met` are the units that have met their quota by now."""

    def __init__(self, store: SqlStore) -> None:
        self.store, self.clock, self.line = store, Clock(), Line()
        self.met: set[str] = set()
        self.broken: Exception | None = None
        self.asked: list[str] = []
        self.deliverer = Deliverer(store, lambda _: self.line, self.clock, wanted=self.wanted)

    def wanted(self, letter: Outgoing, now: datetime) -> str:
        assert now == self.clock.now()
        self.asked.append(letter.key)
        if self.broken is not None:
            raise self.broken
        short = letter.kind == LetterKind.REMINDER and letter.unit_id in self.met
        return MET if short else ""

    def queue(self, *units: str, **changes: Any) -> None:
        with self.store.begin() as tx:
            for unit in units:
                key = f"reminder:otog:2026-08:{unit}:first:liaison"
                values = {"key": key, "unit_id": unit, "about": "duty:reminder:otog:2026-08:first"}
                tx.queue(h.letter(0, LetterKind.REMINDER, **values | changes), NOON)

    def round(self) -> DeliverReport:
        return self.deliverer.deliver_due(self.clock.now())

    def states(self) -> list[tuple[str, OutboxState, str]]:
        about = "duty:reminder:otog:2026-08:first"
        with self.store.reading() as reads:
            return [(x.unit_id, x.state, x.error) for x in reads.letters_about(about)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = h.fresh(tmp_path)
    yield Desk(store)
    store.close()


def test_who_has_met_the_quota_meanwhile_gets_no_reminder(desk: Desk) -> None:
    desk.queue("nongmu", "jiaotiju", "shuiliju")
    desk.met = {"jiaotiju"}
    report = desk.round()
    assert (report.sent, report.dropped) == (2, 1)
    assert [(o.state, o.detail) for o in report.outcomes if o.state is DROPPED] == [(DROPPED, MET)]
    assert desk.states() == [
        ("nongmu", SENT, ""),
        ("jiaotiju", DROPPED, MET),
        ("shuiliju", SENT, ""),
    ]
    assert not [key for key in desk.line.sent if "jiaotiju" in key]
    desk.met.clear()
    assert desk.round().outcomes == (), "what was dropped stays dropped"


def test_it_is_asked_again_at_every_try(desk: Desk) -> None:
    desk.queue("nongmu")
    desk.line.faults = [Retryable("rcpt: 450 later", code="deferred")]
    assert desk.round().retried == 1
    desk.met = {"nongmu"}
    desk.clock.time += timedelta(minutes=10)
    assert desk.round().dropped == 1
    assert len(desk.asked) == 2
    assert desk.line.sent == []


@pytest.mark.parametrize(("minutes", "state"), [(-1, SENT), (0, DROPPED), (60 * 24 * 9, DROPPED)])
def test_a_letter_is_worth_nothing_from_its_time_on(
    desk: Desk, minutes: int, state: OutboxState
) -> None:
    over = NOON + timedelta(hours=6)
    desk.queue("nongmu", not_after=over)
    desk.queue("shuiliju")
    desk.clock.time = over + timedelta(minutes=minutes)
    desk.round()
    ((_, found, why), (_, other, _)) = desk.states()
    assert (found, other) == (state, SENT)
    assert ("2026-08-12 18:00" in why) == (state is DROPPED)


def test_its_time_is_looked_at_when_its_turn_comes_not_when_the_round_began(desk: Desk) -> None:
    desk.queue("nongmu", "jiaotiju", not_after=NOON + timedelta(minutes=1))
    send = desk.line.send

    def slow(letter: Outgoing, before_dot: BeforeDot) -> str:
        desk.clock.time += timedelta(minutes=2)
        return send(letter, before_dot)

    desk.line.send = slow  # type: ignore[method-assign]
    report = desk.round()
    assert (report.sent, report.dropped) == (1, 1)


@pytest.mark.parametrize(
    "fault",
    [ValueError("our bug"), LookupError("no rule"), OperatorFault(Fault("rules", "x", "y"))],
)
def test_what_cannot_be_looked_at_again_is_sent_and_stops_nobody(
    desk: Desk, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    desk.queue("nongmu", "shuiliju")
    desk.broken = fault
    assert desk.round().sent == 2
    assert "reminder:otog:2026-08:nongmu:first:liaison" in caplog.text


def test_a_resting_account_drops_nothing_and_asks_nothing(desk: Desk) -> None:
    desk.queue("nongmu", "shuiliju")
    desk.line.faults = [Retryable("connection: refused", code="connect", systemic=True)]
    desk.round()
    desk.met = {"nongmu", "shuiliju"}
    asked = len(desk.asked)
    assert desk.round().outcomes == ()
    assert len(desk.asked) == asked
    assert [state for _, state, _ in desk.states()] == [OutboxState.READY] * 2


def test_dropping_is_audited_and_only_what_is_being_sent_can_be(desk: Desk) -> None:
    desk.queue("nongmu")
    desk.met = {"nongmu"}
    desk.round()
    with desk.store.engine.connect() as db:
        rows = db.exec_driver_sql("select who, action, subject, detail from audit").all()
    assert [tuple(r[:3]) for r in rows] == [("mailbot", "outbox.dropped", "outbox:1")]
    assert MET in rows[0][3]
    with pytest.raises(ValueError, match="dropped"):
        desk.store.outbox.dropped(1, "again", NOON)


def test_a_record_of_dropping_that_fails_is_made_up_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.queue("nongmu", "shuiliju")
    desk.met = {"nongmu"}
    outbox = desk.store.outbox
    away = [Retryable("database locked", code="database_locked", systemic=True)] * 2
    dropped = outbox.dropped

    def fails_at_first(outbox_id: int, why: str, now: datetime) -> None:
        if away:
            raise away.pop()
        dropped(outbox_id, why, now)

    monkeypatch.setattr(outbox, "dropped", fails_at_first)
    with pytest.raises(Retryable):
        desk.round()
    assert desk.round().sent == 1
    assert [state for _, state, _ in desk.states()] == [DROPPED, SENT]
