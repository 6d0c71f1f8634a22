"""P4: a setting, an office's data or a template that is broken at a reload, or being edited."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.adapters.settings.model import load_settings
from mailbot.adapters.system import shipped
from mailbot.app.board import Board
from mailbot.app.errors import OperatorFault
from mailbot.app.records import OutboxState
from mailbot.bootstrap import Office, open_office
from mailbot.reloading import KEY, reload, renewed
from tests.integration.daemon_help import submission

SETTINGS = """
data_dir = "data"
templates_dir = "templates"
answer_max_age_hours = 1000000
[[mailboxes]]
name = "otog"
kind = "maildir"
maildir = "in"
offices = ["otog"]
address = "xinxi@example.org"
outgoing.outbox = "out"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shutil.copytree(shipped("templates"), tmp_path / "templates")
    shutil.copytree(shipped("config") / "offices" / "otog", tmp_path / "offices" / "otog")
    for cases in (tmp_path / "offices" / "otog" / "cases").glob("*.toml"):
        if cases.name != "adoption.toml":  # one file of them is enough, and quick
            cases.unlink()
    (tmp_path / "mailbot.toml").write_text(SETTINGS, "utf-8")
    for part in ("cur", "new", "tmp"):
        (tmp_path / "in" / part).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def office(home: Path) -> Office:
    return open_office(load_settings(home / "mailbot.toml", {}))


def acknowledgement(home: Path) -> Path:
    (found,) = (home / "templates" / "mail").glob("acknowledgement.txt.j2")
    return found


def answered(home: Path, office: Office, number: int) -> list[bytes]:
    """One submission arrives, is read and answered by this office; the letters that went out."""
    (home / "in" / "new" / f"{number}.mail").write_bytes(submission(number))
    (box,) = office.settings.mailboxes
    intake, source = office.intake(box), office.source(box)
    before = {p.name for p in (home / "out").rglob("*") if p.is_file()}
    try:
        report = intake.run_pass(source)
        assert report.faults == []
    finally:
        source.close()
        intake.reader.close()
    deliverer = office.deliverer()
    sent = deliverer.deliver_due(office.clock.now())
    deliverer.close()
    assert all(o.state is OutboxState.SENT for o in sent.outcomes)
    return [
        p.read_bytes()
        for p in sorted((home / "out").rglob("*"))
        if p.is_file() and p.name not in before
    ]


def words(letters: list[bytes]) -> str:
    import email
    import email.policy

    found = []
    for raw in letters:
        body = email.message_from_bytes(raw, policy=email.policy.default).get_body(("plain",))
        assert body is not None
        found.append(body.get_content())
    return "\n".join(found)


def half(path: Path) -> None:
    """As an editor or a copy leaves it that was interrupted."""
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.index(b"{") + 3])


BREAKS: list[tuple[str, Callable[[Path], None], str]] = [
    ("template", lambda home: half(acknowledgement(home)), "acknowledgement.txt.j2"),
    ("template gone", lambda home: acknowledgement(home).unlink(), "acknowledgement.txt.j2"),
    (
        "template not text",
        lambda home: acknowledgement(home).write_bytes(b"\xff\xfe\xfa\x00\xd8"),
        "acknowledgement.txt.j2",
    ),
    ("settings gone", lambda home: (home / "mailbot.toml").unlink(), "mailbot.toml"),
    ("units", lambda home: half_toml(home / "offices" / "otog" / "units.toml"), "units.toml"),
]


def half_toml(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def test_p4_what_is_broken_at_a_reload_changes_nothing(
    home: Path,
    office: Office,
    caplog: pytest.LogCaptureFixture,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The old office goes on answering, whole letters; the fault is on the board and in the log;
    mended, the next reload takes it and the trouble is over."""
    kept = tmp_path_factory.mktemp("kept")
    private = shutil.ignore_patterns("data", "in", "out")
    shutil.copytree(home, kept, ignore=private, dirs_exist_ok=True)
    board = Board()
    for what, breaks, named in BREAKS:
        caplog.clear()
        breaks(home)
        with caplog.at_level(logging.INFO):
            assert renewed(office, board) is office, what
        text = board.troubles()[KEY].text
        assert named in text and "继续使用原来的配置" in text, what
        assert named in caplog.text, what
        shutil.copytree(kept, home, dirs_exist_ok=True)
    half(acknowledgement(home))
    said = words(answered(home, renewed(office, board), 1))
    assert "第1批春耕物资储备到位" in said and "EQ" in said
    shutil.copytree(kept, home, dirs_exist_ok=True)
    fresh = renewed(office, board)
    assert fresh is not office and board.troubles() == {}
    assert "第2批春耕物资储备到位" in words(answered(home, fresh, 2))


def test_p4_a_template_edited_in_place_makes_no_half_letter(home: Path, office: Office) -> None:
    """Between two reloads nothing is read from the files, from the start on: not even the first
    letter of a kind comes from a file that was changed after it was checked."""
    half(acknowledgement(home))
    said = words(answered(home, office, 1))
    assert "第1批春耕物资储备到位" in said and "EQ" in said


def test_p4_all_faults_are_told_at_once(home: Path, office: Office) -> None:
    (home / "mailbot.toml").write_text("pol_seconds = 1\n" + SETTINGS)
    half(acknowledgement(home))
    half_toml(home / "offices" / "otog" / "quota.toml")
    with pytest.raises(OperatorFault) as caught:
        reload(office)
    told = str(caught.value)
    assert "pol_seconds" in told and "acknowledgement" in told and "quota.toml" in told


def test_p4_a_file_that_changes_while_it_is_read_is_refused(
    home: Path, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written in the very moment of the reload: what was read may be half of it."""
    from mailbot import reloading

    real = reloading.failing_cases

    def slow(*args: object) -> object:
        acknowledgement(home).write_text("another", "utf-8")
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(reloading, "failing_cases", slow)
    with pytest.raises(OperatorFault, match="又被改动"):
        reload(office)


def test_a_case_that_comes_out_otherwise_is_refused(home: Path, office: Office) -> None:
    cases = next((home / "offices" / "otog" / "cases").glob("*.toml"))
    text = cases.read_text("utf-8")
    assert "points" in text
    import re

    cases.write_text(re.sub(r'(points = "?)(\d)', r"\g<1>9\2", text, count=1), "utf-8")
    with pytest.raises(OperatorFault):
        reload(office)


def test_what_is_good_counts_from_now_on(home: Path, office: Office) -> None:
    path = acknowledgement(home)
    path.write_text(path.read_text("utf-8") + "\n咨询电话见通讯录。\n", "utf-8")
    (home / "mailbot.toml").write_text("max_mail_mb = 7\n" + SETTINGS, "utf-8")
    found = reload(office)
    assert found.after_restart == ()
    assert found.office.policy.cap_bytes == 7_000_000
    assert found.office.store is office.store
    assert "咨询电话见通讯录" in words(answered(home, found.office, 1))
    assert "咨询电话见通讯录" not in words(answered(home, office, 2)), "the old one stays as it was"


def test_what_needs_a_restart_is_named_and_left_alone(home: Path, office: Office) -> None:
    changed = SETTINGS.replace('"data"', '"elsewhere"').replace('"otog"\nkind', '"otog2"\nkind')
    (home / "mailbot.toml").write_text("health = '127.0.0.1:1'\npoll_seconds = 7\n" + changed)
    found = reload(office)
    assert found.after_restart == ("data_dir", "health", "mailboxes[otog]", "mailboxes[otog2]")
    assert found.office.settings.data_dir == office.settings.data_dir
    assert found.office.settings.mailboxes == office.settings.mailboxes
    assert found.office.settings.poll_seconds == 7
