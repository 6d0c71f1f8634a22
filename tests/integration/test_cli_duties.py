"""`mailbot duties` as the office sees it, and the calendar in `once` and the daemon."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import closing
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.settings.model import load_settings
from mailbot.adapters.system import SHANGHAI, shipped
from mailbot.app.board import Board
from mailbot.app.duties.engine import Duties
from mailbot.app.leases import DUTIES, Lease
from mailbot.bootstrap import Office, open_office
from mailbot.daemon import Daemon
from mailbot.daemon.calendar import Calendar
from mailbot.daemon.main import _guarded
from tests.integration.cli_help import Cli, installed

ALONE = Lease(DUTIES, "", 0)

LETTERS = """
[people]
staff = ["clerk@example.org"]

[[letter]]
id = "reminder"
kind = "reminder"
name = "报送任务提醒"
from = 2022-07-06
basis = { document = "鄂前政办发〔2022〕65号", clause = "二（四）1（1）" }
quota = "items"
stages = [
  { id = "first", days = -5, at = 09:00:00, to = ["liaison"] },
  { id = "last", days = -1, at = 14:30:00, to = ["liaison"] },
]

[[letter]]
id = "digest"
kind = "digest"
name = "每日简报"
from = 2022-07-06
basis = { document = "本室内部工作安排", clause = "每个工作日早上" }
stages = [{ id = "morning", at = 08:30:00 }]
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """An office with letters of its own; one unit of its roster has an address."""
    config_dir = tmp_path / "config"
    shutil.copytree(shipped("config"), config_dir)
    units = config_dir / "offices" / "otog" / "units.toml"
    text = units.read_text("utf-8")
    place = text.index('id = "agriculture"')
    units.write_text(
        text[:place] + 'addresses = ["bound@example.net"]\n' + text[place:], encoding="utf-8"
    )
    (config_dir / "offices" / "otog" / "letters.toml").write_text(LETTERS, encoding="utf-8")
    monkeypatch.delenv("COLUMNS", raising=False)
    return Cli(capsys, monkeypatch, installed(tmp_path / "office", config_dir))


class Clock:
    """Both clocks of a machine."""

    def __init__(self, now: datetime) -> None:
        self.wall, self.steady = now, 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def go(self, moment: datetime) -> None:
        self.steady += (moment - self.wall).total_seconds()
        self.wall = moment


def opened(cli: Cli, clock: Clock) -> Office:
    return open_office(load_settings(cli.config, {}), clock=clock)


def rows(office: Office, table: str = "duty") -> int:
    """But for what only says since when letters are looked after."""
    marks = " WHERE letter != 'start'" if table == "duty" else ""
    with office.store.snapshot() as connection:
        found = connection.exec_driver_sql(f"SELECT count(*) FROM {table}{marks}")
        return int(found.scalar_one())


def everything(cli: Cli) -> str:
    """A digest of all that the database holds."""
    store = open_office(load_settings(cli.config, {}), letters=False).store
    with store.snapshot() as db:
        names = [
            str(r[0])
            for r in db.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        held = [(n, db.exec_driver_sql(f'SELECT * FROM "{n}"').all()) for n in sorted(names)]
    return hashlib.sha256(repr(held).encode()).hexdigest()


# --- previews ---------------------------------------------------------------------------------


def test_a_preview_of_any_day_says_who_would_get_what_and_writes_nothing(cli: Cli) -> None:
    before = everything(cli)
    shown = cli.good("duties", "otog", "--now", "2026-08-25")
    assert everything(cli) == before
    assert "2026-08-25 23:59" in shown
    assert "A preview" in shown
    assert "Not in service yet" in shown
    assert "08-25 08:30  每日简报 2026-08-25  [due]" in shown
    assert "08-25 09:00  报送任务提醒 2026年8月 第1次  [due]" in shown
    assert "2 letters, 1 units: 农牧局" in shown  # the liaison's, and the office's summary
    assert "! 51 个单位收不到信，名册里没有信息员：" in shown  # nobody else has an address
    assert shown.count("!") == 1
    assert "没有收到" not in shown  # it is still to come
    assert "08-31 14:30  Mon" in shown
    assert "every working day, 23 in all" in shown  # Sunday 20 September is worked


def test_digests_that_would_be_passed_over_now_take_one_line(cli: Cli) -> None:
    office = opened(cli, Clock(at("2026-08-12T12:00")))
    office.duties().tick(at("2026-08-12T12:00"))
    shown = cli.good("duties", "otog", "--now", "2026-08-20T12:00")
    due = shown[shown.index("Due now:") : shown.index("The last 30 days:")]
    lines = [line.strip() for line in due.splitlines() if "每日简报" in line]
    assert lines == [
        "08-19 08:30  每日简报 2026-08-19  [nothing to send]",
        "08-20 08:30  每日简报 2026-08-20  [due]",
    ]
    assert "5 of them, 08-13 to 08-19, this one the last: 应在 2026-08-19 08:30 发送" in due
    assert "━━ otog  鄂托克前旗人民政府办公室  2026-08-20 12:00" in shown


def test_a_moment_of_a_day_and_the_days_ahead_can_be_chosen(cli: Cli) -> None:
    early = cli("duties", "otog", "--now", "2026-08-25T08:45", "--days", "1", "--json").json
    assert [d["key"] for d in early["due"]] == ["digest:otog:2026-08-25:morning"]
    assert [d["key"] for d in early["coming"]] == [
        "reminder:otog:2026-08:first",
        "digest:otog:2026-08-26:morning",
    ]
    assert early["in_service"] is None
    everyone = cli("duties", "--now", "2026-08-25", "--json").json
    assert [o["office"] for o in everyone] == ["otog"]


def test_days_beyond_the_known_holidays_are_marked_and_told(cli: Cli) -> None:
    known = open_office(load_settings(cli.config, {}), letters=False).calendar.covered_until
    day = known - timedelta(days=10)
    shown = cli.good("duties", "--now", day.isoformat(), "--days", "60")
    assert "Attention: 即将没有节假日安排" in shown
    assert f"已知的安排到 {known.isoformat()} 为止" in shown
    assert "guessed: beyond the known holidays" in shown
    found = cli("duties", "otog", "--now", day.isoformat(), "--days", "60", "--json").json
    for one in found["coming"]:
        assert one["guessed"] is (one["due"][:10] > known.isoformat())
    assert found["calendar"]["warnings"]
    year = known.year + 1
    (cli.folder.parent / "config" / "holidays.toml").write_text(
        f'complete_until = {year}-12-31\n[[day]]\ndate = {year}-01-01\nkind = "holiday"\n'
        'name = "元旦"\n',
        encoding="utf-8",
    )
    mended = cli.good("duties", "--now", day.isoformat(), "--days", "60")
    assert "guessed" not in mended
    assert "Attention" not in mended


def test_what_is_wrong_with_the_question_is_said(cli: Cli) -> None:
    assert "nix" in cli.refused("duties", "nix")
    assert "gestern" in cli.refused("duties", "--now", "gestern")


def test_an_office_that_no_mailbox_serves_has_no_letters(cli: Cli) -> None:
    cli.good("duties")
    cli.config.write_text(
        f'data_dir = "data"\nconfig_dir = "{cli.folder.parent / "config"}"\n', encoding="utf-8"
    )
    assert "No mailbox serves this office" in cli.good("duties")
    assert cli("duties", "otog", "--json").json == {"office": "otog", "served": False}


# --- what was done ----------------------------------------------------------------------------


def test_what_was_done_and_passed_over_is_shown_with_the_reason(cli: Cli) -> None:
    office = opened(cli, Clock(at("2026-08-20T12:00")))
    office.duties().tick(at("2026-08-20T12:00"))
    report = office.duties().tick(at("2026-08-31T15:00"))
    assert report.done == ["digest:otog:2026-08-31:morning", "reminder:otog:2026-08:last"]
    shown = cli.good("duties", "otog", "--now", "2026-08-31T15:01")
    table = {line[:11]: line for line in shown.splitlines() if line[:3] == "08-"}
    assert "passed over" in table["08-25 09:00"]
    assert "已并入 2026-08-31" in table["08-25 09:00"]
    digests = [line for line in shown.splitlines() if "每日简报" in line and "passed over" in line]
    assert [line[:11] for line in digests] == ["08-28 08:30"]  # the six that were missed
    assert "6 of them, 08-21 to 08-28" in digests[0]
    assert "当时未能办理" in digests[0]
    assert "done" in table["08-31 14:30"]
    assert "08-31 15:00" in table["08-31 14:30"]
    assert "Due now:\n  nothing" in shown
    with closing(office.deliverer()) as deliverer:
        assert deliverer.deliver_due(at("2026-08-31T15:02")).sent == 3
    letters = [message_from_bytes(p.read_bytes(), policy=default) for p in cli.letters()]
    assert sorted(str(m["To"]) for m in letters) == [
        "bound@example.net",
        "clerk@example.org",
        "clerk@example.org",
    ]


def test_once_does_what_is_due_and_says_so(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(at("2026-08-24T12:00"))
    monkeypatch.setattr("mailbot.bootstrap.SystemClock", lambda: clock)
    assert "duties done" not in cli.good("once")
    clock.go(at("2026-08-25T09:05"))
    shown = cli.good("once")
    assert "2 duties done, 3 letters queued" in shown
    assert "0 answers out: none" in shown
    assert "3 letters out: " in shown
    (out,) = [line for line in shown.splitlines() if line.startswith("3 letters out: ")]
    kinds = out.removeprefix("3 letters out: ").split(", ")
    assert sorted(kinds) == ["daily digests 1", "reminders 1", "summaries for the office 1"]
    assert len(cli.letters()) == 3
    assert "duties done" not in cli.good("once")
    assert len(cli.letters()) == 3


# --- the daemon -------------------------------------------------------------------------------


def test_the_daemon_does_what_is_due_and_wakes_the_delivery(cli: Cli) -> None:
    clock = Clock(at("2026-08-24T12:00"))
    office = opened(cli, clock)
    woken: list[bool] = []
    calendar = Calendar(office, Board(), wake=lambda: woken.append(True))
    calendar.tick(office, ALONE)
    assert rows(office) == 0
    assert not woken
    clock.go(at("2026-08-25T08:31"))
    calendar.tick(office, ALONE)
    assert woken
    assert rows(office) == 1
    for minute in range(1, 20):
        clock.go(at("2026-08-25T08:31") + timedelta(minutes=minute))
        calendar.tick(office, ALONE)
    assert rows(office) == 1
    assert rows(office, "outbox") == 1


def test_the_daemon_waits_when_its_clock_leaps(cli: Cli, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock(at("2026-08-24T12:00"))
    office = opened(cli, clock)
    calendar = Calendar(office, Board(), wake=lambda: None)
    calendar.tick(office, ALONE)
    clock.wall = at("2027-08-25T12:00")
    calendar.tick(office, ALONE)
    assert rows(office) == 0
    clock.go(at("2027-08-25T12:16"))  # long enough for mail that vouches for it to be read
    calendar.tick(office, ALONE)
    assert rows(office) == 0
    assert "上一次确知的时间是 2026-08-24 12:00" in caplog.text
    with office.store.reading() as reads:
        (task,) = reads.open_tasks("otog")
    assert task[0] == "clock"
    clock.wall = at("2026-08-24T12:17")
    calendar.tick(office, ALONE)
    clock.go(at("2026-08-25T09:01"))
    calendar.tick(office, ALONE)
    assert rows(office) == 2
    with office.store.reading() as reads:
        assert reads.open_tasks("otog") == []


def test_a_fault_in_the_calendar_does_not_end_the_daemon(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = Daemon(opened(cli, Clock(at("2026-08-24T12:00"))))
    daemon.keeper.tick()

    def broken(*_: Any) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr(Duties, "tick", broken)
    _guarded(daemon.do_duties)
    assert "oops" in caplog.text
    assert "duties" in daemon.board.troubles()


def test_the_end_of_the_known_holidays_is_logged_once_a_day(
    cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    probe = opened(cli, Clock(at("2026-08-24T12:00")))
    end = probe.calendar.covered_until
    clock = Clock(datetime(end.year, 12, 20, 10, tzinfo=SHANGHAI))
    office = opened(cli, clock)
    calendar = Calendar(office, Board(), wake=lambda: None)
    for minutes in (0, 1, 60, 24 * 60):
        clock.go(clock.wall + timedelta(minutes=minutes))
        calendar.tick(office, ALONE)
    assert caplog.text.count("即将没有节假日安排") == 2
