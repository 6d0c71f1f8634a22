"""Faults C1–C5: a clock that is wrong, a machine in another time zone, days that are awkward."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.settings.model import load_settings
from mailbot.adapters.system import SHANGHAI
from mailbot.app.board import Board
from mailbot.app.duties.clockguard import CONFIRMED, ClockGuard
from mailbot.app.duties.engine import TickReport
from mailbot.app.leases import Lease
from mailbot.app.records import Envelope, Origin
from mailbot.bootstrap import Office, open_office
from mailbot.daemon.calendar import Calendar
from mailbot.daemon.onepass import one_pass
from tests.integration.intake_help import NOON, World, item
from tests.unit.store_help import fresh, letter

HOUR, DAY, NONE = timedelta(hours=1), timedelta(days=1), timedelta(0)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Clock:
    """Wall and monotonic clock; `run` is time going by, setting `wall` is somebody's hand."""

    def __init__(self, now: datetime) -> None:
        self.wall, self.steady = now, 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def run(self, span: timedelta) -> None:
        self.wall += span
        self.steady += span.total_seconds()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = fresh(tmp_path)
    yield made
    made.close()


def searched(store: SqlStore, when: datetime) -> None:
    with store.begin() as tx:
        tx.searched("otog", "INBOX", 7, when)


def received(store: SqlStore, when: datetime, uid: int = 1) -> None:
    with store.begin() as tx:
        tx.register([Envelope(Origin("otog", "INBOX", 7, uid), 10, when)], "internaldate", when)


# --- a clock ahead ------------------------------------------------------------------------------


def test_c2_after_a_leap_of_a_year_nothing_is_due_until_the_clock_has_a_witness(
    store: SqlStore,
) -> None:
    clock = Clock(at("2026-08-20T12:00"))
    searched(store, clock.wall)
    guard = ClockGuard(clock, store, patience=NONE)
    clock.wall += 365 * DAY
    first = guard.look()
    assert first.hold
    assert "2026-08-20 12:00" in first.warning
    assert "--clock-is-right" in first.warning
    for _ in range(60):  # however long it lasts; the watch over the mailbox goes on
        clock.run(HOUR)
        searched(store, clock.wall)
        assert guard.look() == replace(first, now=clock.wall, warning="")
    received(store, clock.wall - 365 * DAY)  # mail comes in: the server knows better
    assert guard.look().hold
    clock.wall -= 365 * DAY
    assert not guard.look().hold
    clock.run(timedelta(minutes=1))
    assert not guard.look().hold


def test_c2_a_start_with_a_clock_a_year_ahead_is_noticed_as_well(store: SqlStore) -> None:
    """What a run from cron meets: each is a process of its own."""
    searched(store, at("2026-08-20T12:00"))
    guard = ClockGuard(Clock(at("2027-08-20T12:05")), store, patience=NONE)
    searched(store, at("2027-08-20T12:05"))  # its own search vouches for nothing
    look = guard.look()
    assert look.hold
    assert "2026-08-20 12:00" in look.warning


def test_c2_two_runs_in_a_row_of_a_clock_a_year_ahead(store: SqlStore) -> None:
    searched(store, at("2026-08-20T12:00"))
    assert ClockGuard(Clock(at("2027-08-20T12:05")), store, patience=NONE).look().hold
    searched(store, at("2027-08-20T12:05"))
    again = ClockGuard(Clock(at("2027-08-20T12:10")), store, patience=NONE).look()
    assert again.hold, "the search of a run that nobody vouched for is no witness for the next"


def test_a_long_holiday_ends_with_the_first_mail(store: SqlStore) -> None:
    searched(store, at("2026-02-13T18:00"))
    received(store, at("2026-02-13T17:00"))
    guard = ClockGuard(clock := Clock(at("2026-02-24T08:00")), store, patience=NONE)
    assert guard.look().hold
    received(store, at("2026-02-24T07:55"), uid=2)
    look = guard.look()
    assert (look.hold, look.warning) == (False, "")
    clock.run(HOUR)
    assert not guard.look().hold


def test_a_weekend_without_mail_while_running_is_no_gap(store: SqlStore) -> None:
    clock = Clock(at("2026-08-21T18:00"))
    searched(store, clock.wall)
    guard = ClockGuard(clock, store, patience=NONE)
    for _ in range(62):
        clock.run(HOUR)
        searched(store, clock.wall)
        assert not guard.look().hold


def test_a_person_vouches_for_the_clock(store: SqlStore) -> None:
    searched(store, at("2026-02-13T18:00"))
    guard = ClockGuard(clock := Clock(at("2026-02-24T08:00")), store, patience=NONE)
    assert guard.look().hold
    with store.begin() as tx:
        tx.set_fact(CONFIRMED, clock.wall.isoformat(), clock.wall)
    assert not guard.look().hold
    # It was said of that day, not for ever.
    clock.wall += 200 * DAY
    assert guard.look().hold


def test_a_weekend_switched_off_needs_no_witness(store: SqlStore) -> None:
    searched(store, at("2026-08-21T18:00"))
    assert not ClockGuard(Clock(at("2026-08-24T08:00")), store, patience=NONE).look().hold


def test_the_first_start_needs_no_witness(store: SqlStore) -> None:
    assert not ClockGuard(Clock(at("2026-02-24T08:00")), store, patience=NONE).look().hold


def test_a_small_leap_is_waited_out(store: SqlStore) -> None:
    clock = Clock(at("2026-08-20T12:00"))
    guard = ClockGuard(clock, store, patience=NONE)
    clock.run(30 * HOUR)  # a long pause in which both clocks went on
    assert not guard.look().hold
    clock.wall += 5 * HOUR
    look = guard.look()
    assert look.hold
    assert "2026-08-21 18:00" in look.warning
    clock.run(timedelta(minutes=1))
    assert guard.look() == replace(look, now=clock.wall, warning="")
    clock.run(timedelta(minutes=10))
    assert not guard.look().hold


@pytest.mark.parametrize("leap", [5 * HOUR, 300 * DAY])
def test_a_leap_that_is_taken_back_has_done_nothing(store: SqlStore, leap: timedelta) -> None:
    clock = Clock(at("2026-08-20T12:00"))
    guard = ClockGuard(clock, store, patience=NONE)
    clock.wall += leap
    assert guard.look().hold
    clock.run(timedelta(minutes=1))
    clock.wall -= leap
    look = guard.look()
    assert not look.hold
    assert "退回" in look.warning
    assert look.now == at("2026-08-20T12:01")


def test_small_corrections_are_no_matter(store: SqlStore) -> None:
    clock = Clock(at("2026-08-20T12:00"))
    guard = ClockGuard(clock, store, patience=NONE)
    for correction in (90, -90):
        clock.wall += timedelta(minutes=correction)
        look = guard.look()
        assert not look.hold
        assert not look.warning


# --- a clock behind -----------------------------------------------------------------------------


def test_c2_mail_from_our_future_says_that_the_clock_is_behind(store: SqlStore) -> None:
    clock = Clock(at("2026-08-20T12:00"))
    guard = ClockGuard(clock, store, patience=NONE)
    received(store, at("2026-08-23T09:00"))
    look = guard.look()
    assert look.hold
    assert "2026-08-23 09:00" in look.warning
    assert guard.look().warning == ""
    clock.wall = at("2026-08-23T09:02")
    clock.steady += 10
    guard.look()
    clock.run(timedelta(minutes=11))
    assert not guard.look().hold


def test_one_mail_with_a_senseless_time_does_not_stop_the_calendar(store: SqlStore) -> None:
    clock = Clock(at("2026-08-20T12:00"))
    guard = ClockGuard(clock, store, patience=NONE)
    received(store, at("2031-01-01T00:00"))
    assert guard.look().hold
    received(store, at("2026-08-20T12:00"), uid=2)
    assert not guard.look().hold


# --- what a mail says of its own time -----------------------------------------------------------


@pytest.mark.parametrize(
    "date",
    ["Thu, 1 Jan 1970 00:00:00 +0000", "Fri, 31 Dec 9999 23:59:59 -0100", "yesterday, about noon",
     "Wed, 12 Aug 2026 09:30:00 +9999", "Wed, 99 Foo 2026 09:30:00 +0800", "", "0", "\x00",
     "Wed, 12 Aug 99999999999 09:30:00 +0800", "12.08.2026 下午3点"],
)  # fmt: skip
def test_c5_received_is_the_servers_time_whatever_the_mail_says(tmp_path: Path, date: str) -> None:
    world = World(tmp_path)
    raw = item().replace(b"Date: Wed, 12 Aug 2026 11:59:00 +0800", b"Date: " + date.encode())
    assert date.encode() in raw
    world.receive(raw)
    found = world.only_item()
    assert found.received == NOON
    assert found.receipt.startswith("EQ202608-")
    ((kind, _, state),) = world.letters()
    assert (kind, state) == ("acknowledgement", "ready"), "an answer to old mail would be withheld"


def test_c5_several_dates_or_none(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receive(item("一号工程开工").replace(b"Date:", b"X-Date:"))
    world.receive(item("二号工程开工").replace(b"Date:", b"Date: nonsense\r\nDate:"))
    assert [month for _, _, month in world.items()] == ["2026-08", "2026-08"]


# --- the machine's zone -------------------------------------------------------------------------

_CONFIG = """
data_dir = "data"
[[mailboxes]]
name = "box"
kind = "maildir"
offices = ["otog"]
address = "xinxi@example.org"
maildir = "mailbox"
outgoing = { outbox = "outbox" }
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zones")
    for part in ("tmp", "new", "cur"):
        (folder / "mailbox" / part).mkdir(parents=True)
    (folder / "mailbot.toml").write_text(_CONFIG, encoding="utf-8")
    _mailbot(folder, "Asia/Shanghai", "once")
    return folder


def _mailbot(folder: Path, zone: str | None, *words: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "TZ"} | (
        {"TZ": zone} if zone else {}
    )
    command = [sys.executable, "-m", "mailbot", "--config", str(folder / "mailbot.toml"), *words]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Apia", "UTC", None])
def test_c3_due_days_are_the_same_in_every_zone(installation: Path, zone: str | None) -> None:
    """Where summer time changes in between, where it is another day, where no zone is set."""
    asked = ("duties", "--now", "2027-03-01T00:30", "--days", "60", "--json")
    here = _mailbot(installation, "Asia/Shanghai", *asked)
    assert "2027-03-" in here and "2027-04-" in here
    assert _mailbot(installation, zone, *asked) == here


def test_c3_months_and_receipts_are_the_offices_whatever_the_machine_thinks(tmp_path: Path) -> None:
    """Half past midnight of 1 September in the office is still August in UTC."""
    world = World(tmp_path)
    world.receive(item(), at=datetime(2026, 8, 31, 16, 30, tzinfo=UTC))
    found = world.only_item()
    assert found.receipt.startswith("EQ202609-")
    assert f"{found.month:%Y-%m}" == "2026-09"


# --- through the calendar, in the daemon and from cron ------------------------------------------


def test_c2_once_with_a_clock_a_year_ahead_sends_nothing_by_the_calendar(tmp_path: Path) -> None:
    """Mail is taken in all the while; what is due waits, also at the next run, until somebody vouches."""
    office = _office(tmp_path, clock := Clock(at("2026-08-20T12:00")))
    assert _once(office).done == []
    clock.wall += 365 * DAY
    for _ in range(3):
        assert _once(office) == TickReport()
        clock.run(HOUR)
    with office.store.reading() as reads:
        ((kind, text, _created),) = reads.open_tasks("otog")
    assert "--clock-is-right" in text
    assert _queued(office) == []
    clock.wall -= 365 * DAY  # put right
    assert _once(office).done == []
    with office.store.reading() as reads:
        assert reads.open_tasks("otog") == [], f"the task ({kind}) is over with the trouble"
    clock.wall = at("2026-08-21T08:31")
    clock.steady += 3600 * 20
    assert _once(office).done == ["digest:otog:2026-08-21:morning"]


def test_c2_once_after_days_off_goes_by_the_mail_that_waits(tmp_path: Path) -> None:
    office = _office(tmp_path, clock := Clock(at("2026-08-20T12:00")))
    _once(office)
    clock.run(5 * DAY)
    raw = item("停机时报来的一条", sender="meanwhile@example.com")
    path = tmp_path / "mailbox" / "new" / "1.meanwhile"
    path.write_bytes(raw)
    moment = (clock.wall - 2 * HOUR).timestamp()
    os.utime(path, (moment, moment))
    report = _once(office)
    assert "digest:otog:2026-08-25:morning" in report.done
    with office.store.reading() as reads:
        assert "clock" not in [kind for kind, _, _ in reads.open_tasks("otog")]


def test_c2_a_daemon_that_starts_after_a_long_stop_tells_nobody_before_the_mail_was_read(
    tmp_path: Path,
) -> None:
    office = _office(tmp_path, clock := Clock(at("2026-08-20T12:00")))
    _once(office)
    clock.run(5 * DAY)
    board = Board()
    calendar = Calendar(office, board)
    lease = Lease("duties", "", 0)
    assert calendar.tick(office, lease) == TickReport()
    assert dict(board.troubles()) == {}
    clock.run(timedelta(minutes=16))
    assert calendar.tick(office, lease) == TickReport()
    assert "clock" in board.troubles(), "nothing came that could vouch for it"
    with office.store.begin() as tx:
        tx.set_fact(CONFIRMED, clock.wall.isoformat(), clock.wall)
    assert calendar.tick(office, lease).done
    assert dict(board.troubles()) == {}


def _office(folder: Path, clock: Clock) -> Office:
    for part in ("tmp", "new", "cur"):
        (folder / "mailbox" / part).mkdir(parents=True)
    (folder / "mailbot.toml").write_text(_CONFIG, encoding="utf-8")
    return open_office(load_settings(folder / "mailbot.toml", {}), clock=clock)


def _once(office: Office) -> TickReport:
    """As `mailbot once`: a process of its own knows nothing of the last."""
    troubles: list[str] = []
    passed = one_pass(office, lambda _: None, troubles.append, duties=True)
    assert troubles == []
    return passed.ticked


def _queued(office: Office) -> list[str]:
    with office.store.engine.connect() as db:
        return [row[0] for row in db.exec_driver_sql("select key from outbox order by id")]


# --- a clock set back ---------------------------------------------------------------------------


@pytest.mark.parametrize("back", [HOUR, DAY, 365 * DAY])
def test_c1_a_letter_put_off_is_not_put_off_for_the_time_the_clock_was_set_back(
    store: SqlStore, back: timedelta
) -> None:
    now = at("2026-08-20T12:00")
    with store.begin() as tx:
        tx.queue(letter(1), now)
    queued = store.outbox.claim(now)
    assert queued is not None
    store.outbox.retry(queued.id, "450 later", now + timedelta(minutes=5))
    now -= back
    waited = timedelta(0)
    while (again := store.outbox.claim(now + waited)) is None:
        waited += HOUR
        assert waited <= 2 * DAY + HOUR
    assert again.letter.key == queued.letter.key
