"""The delivery loop against an outbox in memory and a transport that does as it is told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from mailbot.adapters.smtp.transport import SmtpAccount, SmtpTransport
from mailbot.app.deliver import (
    FIRST_RETRY,
    GIVE_UP,
    LOGIN_TRIES,
    LONGEST_RETRY,
    Deliverer,
    DeliverReport,
    retry_delay,
)
from mailbot.app.errors import Fault, OperatorFault, Permanent, Retryable, Uncertain
from mailbot.app.ports import BeforeDot, Reads, Transaction
from mailbot.app.records import OutboxState, Outgoing, QueuedLetter
from tests.servers.smtp_sink import CUT, FaultServer, SmtpSink, reply

START = datetime(2026, 8, 12, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai
ME, OTHER = "xinxi@example.com", "other@example.com"


class Clock:
    def __init__(self) -> None:
        self.wall, self.seconds = START, 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def pass_(self, **time: float) -> None:
        self.wall += timedelta(**time)
        self.seconds += timedelta(**time).total_seconds()


@dataclass
class Row:
    letter: Outgoing
    state: OutboxState = OutboxState.READY
    attempts: int = 0
    due: datetime | None = None
    note: str = ""
    history: list[OutboxState] = field(default_factory=list)


class Outbox:
    """`app.ports.Outbox` in memory. `broken` maps a call's name to faults it raises first."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.broken: dict[str, list[Exception]] = {}

    def _move(self, call: str, number: int, state: OutboxState, note: str = "") -> Row:
        if faults := self.broken.get(call):
            raise faults.pop(0)
        row = self.rows[number]
        row.state, row.note = state, note
        row.history.append(state)
        return row

    def claim(self, now: datetime, senders: Collection[str] | None = None) -> QueuedLetter | None:
        for number, row in enumerate(self.rows):
            due = row.state is OutboxState.RETRY and row.due is not None and row.due <= now
            if row.state is OutboxState.READY or due:
                self._move("claim", number, OutboxState.SENDING)
                row.attempts += 1
                return QueuedLetter(number, row.letter, row.attempts)
        return None

    def dot(self, outbox_id: int, now: datetime) -> None:
        self._move("dot", outbox_id, OutboxState.DOT)

    def sent(self, outbox_id: int, answer: str, now: datetime) -> None:
        self._move("sent", outbox_id, OutboxState.SENT, answer)

    def retry(self, outbox_id: int, error: str, at: datetime) -> None:
        self._move("retry", outbox_id, OutboxState.RETRY, error).due = at

    def release(self, outbox_id: int) -> None:
        self._move("release", outbox_id, OutboxState.READY).attempts -= 1

    def failed(self, outbox_id: int, error: str, now: datetime) -> None:
        self._move("failed", outbox_id, OutboxState.FAILED, error)

    def unknown(self, outbox_id: int, error: str, now: datetime) -> None:
        self._move("unknown", outbox_id, OutboxState.UNKNOWN, error)

    def recover(self, now: datetime) -> tuple[int, int]:
        raise AssertionError("the loop never recovers by itself")

    def next_due(self) -> datetime | None:
        ready = any(r.state is OutboxState.READY for r in self.rows)
        waiting = [r.due for r in self.rows if r.state is OutboxState.RETRY and r.due]
        return START if ready else min(waiting, default=None)


class Store:
    def __init__(self) -> None:
        self.memory = Outbox()

    @property
    def outbox(self) -> Outbox:
        return self.memory

    def begin(self) -> AbstractContextManager[Transaction]:
        raise AssertionError

    def reading(self) -> AbstractContextManager[Reads]:
        raise AssertionError


Act = Callable[[Outgoing, BeforeDot], str] | Exception


class Told:
    """Does the next of `acts` for each letter, then sends well. An exception in `acts` is raised
    before the dot; `after_dot` makes one for after it."""

    def __init__(self, *acts: Act, clock: Clock | None = None) -> None:
        self.acts, self.clock = list(acts), clock
        self.letters: list[Outgoing] = []
        self.starts: list[float] = []
        self.closed = 0

    def send(self, letter: Outgoing, before_dot: BeforeDot) -> str:
        self.letters.append(letter)
        if self.clock:
            self.starts.append(self.clock.monotonic())
        act = self.acts.pop(0) if self.acts else None
        if isinstance(act, Exception):
            raise act
        if act is not None:
            return act(letter, before_dot)
        before_dot()
        return "250 ok"

    def close(self) -> None:
        self.closed += 1


def after_dot(fault: Exception) -> Act:
    def act(letter: Outgoing, before_dot: BeforeDot) -> str:
        before_dot()
        raise fault

    return act


def down(code: str = "connect", after: float | None = None) -> Retryable:
    return Retryable("connection: refused", code=code, systemic=True, after=after)


class World:
    """One store, one clock and a transport per sender."""

    def __init__(self, *acts: Act, pace: float = 0.0) -> None:
        self.clock, self.store = Clock(), Store()
        self.told = Told(*acts, clock=self.clock)
        self.others: dict[str, Told] = {}
        self.asked: list[str] = []
        self.deliverer = Deliverer(self.store, self._transport, self.clock, pace=pace)

    def _transport(self, sender: str) -> Told:
        self.asked.append(sender)
        return self.told if sender == ME else self.others.setdefault(sender, Told())

    def queue(self, count: int, sender: str = ME) -> None:
        for _ in range(count):
            number = len(self.rows)
            self.rows.append(
                Row(
                    Outgoing(
                        key=f"answer:{number}:return",
                        kind="return",
                        office="otog",
                        sender=sender,
                        recipient=f"p{number}@example.org",
                        message_id=f"mb.{number}@example.com",
                        raw=f"letter {number}\r\n".encode(),
                        subject="x",
                    )
                )
            )

    @property
    def rows(self) -> list[Row]:
        return self.store.memory.rows

    @property
    def states(self) -> list[OutboxState]:
        return [r.state for r in self.rows]

    def round(self, **options: Any) -> DeliverReport:
        return self.deliverer.deliver_due(self.clock.now(), **options)


SENT, READY, RETRY = OutboxState.SENT, OutboxState.READY, OutboxState.RETRY
FAILED, UNKNOWN, DOT = OutboxState.FAILED, OutboxState.UNKNOWN, OutboxState.DOT


def test_everything_due_goes_out_in_order_each_with_its_dot_recorded_first() -> None:
    world = World()
    world.queue(3)
    report = world.round()
    assert report.sent == 3 and report.next_try is None and report.rests == ()
    assert [x.message_id for x in world.told.letters] == [r.letter.message_id for r in world.rows]
    assert all(r.history == [OutboxState.SENDING, DOT, SENT] for r in world.rows)
    assert world.rows[0].note == "250 ok"
    assert world.asked == [ME], "one transport, kept"
    assert world.round().outcomes == ()


def test_a_limit_and_a_stop_leave_the_rest_ready() -> None:
    world = World()
    world.queue(3)
    assert world.round(limit=2).sent == 2
    assert world.states == [SENT, SENT, READY]
    stop = threading.Event()
    stop.set()
    assert world.round(stop=stop).outcomes == ()
    assert world.states[2] is READY


def test_a_refused_letter_fails_alone() -> None:
    world = World(Permanent("rcpt: 550 User not found", code="recipient"))
    world.queue(2)
    report = world.round()
    assert (report.failed, report.sent) == (1, 1)
    assert world.states == [FAILED, SENT] and "550" in world.rows[0].note


@pytest.mark.parametrize(
    "fault", [Uncertain("no answer"), after_dot(Uncertain("no answer")), after_dot(ValueError("x"))]
)
def test_an_unread_answer_is_unknown_and_never_sent_again(fault: Act) -> None:
    world = World(fault)
    world.queue(2)
    report = world.round()
    assert (report.unknown, report.sent) == (1, 1)
    world.clock.pass_(days=10)
    world.round()
    assert world.states == [UNKNOWN, SENT] and len(world.told.letters) == 2


def test_a_temporary_refusal_waits_longer_each_time_and_ends_with_a_person() -> None:
    world = World(*[Retryable("rcpt: 450 later", code="deferred")] * 100)
    world.queue(1)
    waits: list[timedelta] = []
    begun = world.clock.now()
    for _ in range(50):
        report = world.round()
        if report.failed:
            break
        due = world.rows[0].due
        assert due is not None and report.next_try == due
        waits.append(due - world.clock.now())
        assert world.round().outcomes == (), "not before its time"
        world.clock.pass_(seconds=waits[-1].total_seconds())
    assert waits[0] == FIRST_RETRY
    assert all(b == min(a * 2, LONGEST_RETRY) for a, b in pairwise(waits))
    assert GIVE_UP <= world.clock.now() - begun <= GIVE_UP + timedelta(days=1)
    assert world.states == [FAILED] and "450" in world.rows[0].note
    assert {x.message_id for x in world.told.letters} == {world.rows[0].letter.message_id}
    assert {x.raw for x in world.told.letters} == {world.rows[0].letter.raw}


def test_a_letter_first_counted_as_nought_or_as_one_waits_the_same() -> None:
    assert retry_delay(0) == retry_delay(1) == FIRST_RETRY


@pytest.mark.parametrize(("after", "minutes"), [(120.0, 5), (900.0, 15), (None, 5)])
def test_the_servers_wait_counts_when_it_is_the_longer(after: float | None, minutes: int) -> None:
    world = World(Retryable("451 DT:SPM", code="spam_retry", after=after))
    world.queue(2)
    assert world.round().retried == 1
    assert world.rows[0].due == START + timedelta(minutes=minutes)
    assert world.states == [RETRY, SENT]


# --- the account is in trouble --------------------------------------------------------------


def test_no_connection_leaves_every_letter_untouched_and_comes_back_by_itself() -> None:
    world = World(down())
    world.queue(3)
    report = world.round()
    assert world.states == [READY] * 3 and [r.attempts for r in world.rows] == [0] * 3
    assert [r.code for r in report.rests] == ["connect"]
    assert report.next_try == START + timedelta(minutes=1)
    assert len(world.told.letters) == 1, "the others were not tried"
    world.clock.pass_(seconds=59)
    assert world.round().sent == 0 and len(world.told.letters) == 1
    world.clock.pass_(seconds=1)
    assert world.round().sent == 3


def test_failed_connections_are_tried_less_and_less_often() -> None:
    world = World(*[down()] * 20)
    world.queue(1)
    rests = []
    for _ in range(7):
        (rest,) = world.round().rests
        assert rest.until is not None
        rests.append((rest.until - world.clock.now()).total_seconds())
        world.clock.pass_(seconds=rests[-1])
    assert rests == sorted(rests) and rests[0] == 60 and rests[-1] == 900


def test_a_letter_that_always_breaks_the_line_does_not_block_the_others() -> None:
    poison = "mb.0@example.com"

    def breaks_on_poison(letter: Outgoing, before_dot: BeforeDot) -> str:
        if letter.message_id == poison:
            raise down("closed")
        before_dot()
        return "250 ok"

    world = World(*[breaks_on_poison] * 200)
    world.queue(3)
    for _ in range(5):
        world.round()
        world.clock.pass_(minutes=16)
    assert world.states[1:] == [SENT, SENT]
    for _ in range(60):
        world.round()
        world.clock.pass_(hours=12)
    assert world.states[0] is FAILED, "and a person hears of it in the end"


@pytest.mark.parametrize("code", ["connect", "tls", "starttls", "login_later", "disk"])
def test_days_without_a_connection_cost_no_letter(code: str) -> None:
    world = World(*[down(code)] * 1000)
    world.queue(3)
    for _ in range(90):  # each round tries anew: no rest is longer than a quarter of an hour
        world.round()
        world.clock.pass_(hours=2)
    assert world.states == [READY] * 3 and [r.attempts for r in world.rows] == [0] * 3


def test_one_accounts_trouble_does_not_hold_up_another() -> None:
    world = World(down())
    world.queue(5)
    world.queue(2, OTHER)
    report = world.round()
    assert world.states == [READY] * 5 + [SENT] * 2
    assert report.sent == 2 and [r.sender for r in report.rests] == [ME]


def test_refused_logins_stop_before_the_provider_locks_the_account() -> None:
    world = World(*[Permanent("login: 535", code="login", systemic=True)] * 50)
    world.queue(2)
    for _ in range(200):
        report = world.round()
        world.clock.pass_(minutes=15)
    assert len(world.told.letters) == LOGIN_TRIES
    assert world.states == [READY, READY]
    (rest,) = report.rests
    assert (rest.code, rest.until, report.next_try) == ("login", None, None)


def test_a_login_that_works_again_forgets_the_refused_ones() -> None:
    refused = Permanent("login: 535", code="login", systemic=True)

    def good(letter: Outgoing, before_dot: BeforeDot) -> str:
        before_dot()
        return "250 ok"

    world = World(refused, refused, good, refused, refused, good)
    for _ in range(2):
        world.queue(1)
        for _ in range(3):
            world.round()
            world.clock.pass_(hours=2)
    assert world.states == [SENT, SENT]


def test_a_used_up_quota_waits_for_the_next_day_in_china() -> None:
    world = World(Retryable("550 MI:STC", code="daily_quota", systemic=True))
    world.queue(2)
    report = world.round()
    assert report.next_try == datetime(2026, 8, 12, 16, 10, tzinfo=UTC)  # 00:10 in Shanghai
    assert world.states == [READY, READY] and world.rows[0].attempts == 0
    world.clock.pass_(hours=2, minutes=5)
    assert world.round().sent == 0
    world.clock.pass_(minutes=5)
    assert world.round().sent == 2


def test_asked_to_slow_down_the_account_pauses_and_then_goes_slower(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(Retryable("451 MI:SFQ", code="rate", after=900.0))
    monkeypatch.setattr("mailbot.app.deliver.time.sleep", lambda s: world.clock.pass_(seconds=s))
    world.queue(4)
    report = world.round()
    assert world.states == [RETRY, READY, READY, READY]
    assert report.next_try == START + timedelta(minutes=15)
    world.clock.pass_(minutes=15)
    assert world.round().sent == 4
    assert len({x.message_id for x in world.told.letters}) == 4
    gaps = [b - a for a, b in pairwise(world.told.starts[1:])]
    assert gaps[0] > 0 and gaps == sorted(gaps, reverse=True), "slower at first, then recovering"


def test_the_clock_set_back_or_forth_does_not_change_a_rest() -> None:
    world = World(down())
    world.queue(1)
    world.round()
    world.clock.wall += timedelta(days=365)
    assert world.round().sent == 0
    world.clock.wall -= timedelta(days=730)
    world.clock.seconds += 60
    assert world.round().sent == 1


def test_a_setting_in_the_way_is_the_operators_and_is_looked_at_again() -> None:
    world = World()
    fault = OperatorFault(Fault("smtp.password_file", "missing"))
    world.queue(1)
    world.queue(1, OTHER)
    working = world._transport
    broken = iter([fault])

    def transport_for(sender: str) -> Told:
        if sender == ME and (error := next(broken, None)):
            raise error
        return working(sender)

    world.deliverer = Deliverer(world.store, transport_for, world.clock)
    report = world.round()
    assert world.states == [READY, SENT]
    assert "smtp.password_file" in report.rests[0].reason
    world.clock.pass_(minutes=20)
    assert world.round().sent == 1


def test_a_bug_in_the_transport_is_retried_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    world = World(ZeroDivisionError("oops"))
    world.queue(2)
    with caplog.at_level(logging.ERROR):
        report = world.round()
    assert world.states == [RETRY, SENT] and report.retried == 1
    assert "ZeroDivisionError" in world.rows[0].note
    assert any(r.exc_info for r in caplog.records)


# --- the database is in trouble -------------------------------------------------------------


def busy() -> Retryable:
    return Retryable("database is locked", code="database", systemic=True)


def test_an_outcome_that_could_not_be_recorded_is_recorded_first_next_time() -> None:
    world = World()
    world.queue(2)
    world.store.memory.broken["sent"] = [busy(), busy()]
    with pytest.raises(Retryable, match="locked"):
        world.round()
    assert world.states == [DOT, READY]
    world.round()
    assert world.states == [SENT, SENT] and len(world.told.letters) == 2


def test_no_dot_goes_out_unrecorded_and_the_letter_is_given_back() -> None:
    world = World()
    world.queue(1)
    world.store.memory.broken["dot"] = [busy()]
    with pytest.raises(Retryable, match="locked"):
        world.round()
    assert world.round().sent == 1
    assert world.rows[0].attempts == 1, "the broken try is not counted"


def test_set_aside_letters_are_given_back_even_when_the_database_was_busy() -> None:
    world = World(down())
    world.queue(3)
    world.store.memory.broken["release"] = [busy()]
    with pytest.raises(Retryable, match="locked"):
        world.round()
    world.clock.pass_(minutes=1)
    assert world.round().sent == 3


def test_a_bug_in_the_store_is_not_tried_for_ever() -> None:
    world = World()
    world.queue(2)
    world.store.memory.broken["sent"] = [KeyError("row")]
    with pytest.raises(KeyError):
        world.round()
    assert world.round().sent == 1


# --- pace and end ---------------------------------------------------------------------------


def test_letters_keep_the_pace_and_a_stop_ends_the_waiting() -> None:
    world = World(pace=30.0)
    world.queue(3)

    class Stop:
        waited: list[float | None] = []  # noqa: RUF012

        def is_set(self) -> bool:
            return len(self.waited) > 1

        def wait(self, timeout: float | None = None) -> bool:
            self.waited.append(timeout)
            world.clock.pass_(seconds=timeout or 0.0)
            return self.is_set()

    stop = Stop()
    assert world.round(stop=stop).sent == 2
    assert stop.waited == [30.0, 30.0]
    assert world.states == [SENT, SENT, READY] and world.rows[2].attempts == 0


def test_close_closes_every_connection() -> None:
    world = World()
    world.queue(1)
    world.queue(1, OTHER)
    world.round()
    world.deliverer.close()
    assert world.told.closed == 1 and world.others[OTHER].closed == 1


# --- over real sockets ----------------------------------------------------------------------


@pytest.fixture
def smtp() -> Iterator[Callable[[World, int], None]]:
    made: list[Deliverer] = []

    def connect(world: World, port: int) -> None:
        account = SmtpAccount("127.0.0.1", port, "plain", ME, timeout=5, dot_timeout=5)
        world.deliverer = Deliverer(
            world.store, lambda _sender: SmtpTransport(account, "", world.clock), world.clock
        )
        made.append(world.deliverer)

    yield connect
    for deliverer in made:
        deliverer.close()


def test_over_smtp_everything_arrives_once_over_one_connection(
    smtp: Callable[[World, int], None],
) -> None:
    world = World()
    world.queue(20)
    world.rows[7].letter = replace(world.rows[7].letter, recipient="gone@example.org")
    with SmtpSink(refuse={"gone@example.org": "550 User not found"}) as sink:
        smtp(world, sink.port)
        report = world.round()
        world.deliverer.close()
    assert (report.sent, report.failed, sink.connections) == (19, 1, 1)
    expected = [r.letter.raw for n, r in enumerate(world.rows) if n != 7]
    assert [t.raw for t in sink.letters] == expected


def test_over_smtp_a_cut_after_the_dot_is_one_unknown_and_no_second_copy(
    smtp: Callable[[World, int], None],
) -> None:
    world = World()
    world.queue(3)
    with FaultServer({"dot": [reply("250 ok"), CUT], "quit": [CUT]}) as server:
        smtp(world, server.port)
        assert world.round().unknown == 1
        world.clock.pass_(days=1)
        world.round()
        world.deliverer.close()
    assert world.states == [SENT, UNKNOWN, SENT]
    assert server.letters == [r.letter.raw for r in world.rows]
