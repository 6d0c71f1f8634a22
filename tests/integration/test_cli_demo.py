"""`demo` and `once`: the main job, as somebody sees it who has nothing set up."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.adapters.system import SystemClock, shipped
from tests.integration.cli_help import FIXTURES, Cli, installed, mail, speaking


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return Cli(capsys, monkeypatch, installed(tmp_path / "office", shipped("config")))


def _few(folder: Path) -> Path:
    folder.mkdir()
    for name in ("subject-plus-signs", "unit-missing", "bounce-163", "secrets-star-in-subject"):
        (folder / f"{name}.eml").write_bytes((FIXTURES / f"{name}.eml").read_bytes())
    return folder


def test_the_demo_shows_each_mail_the_counts_and_where_to_look_next(
    cli: Cli, tmp_path: Path
) -> None:
    source = _few(tmp_path / "mails")
    with speaking("zh"):
        said = cli.bare("demo", "--folder", "tour", "--mails", str(source))
    assert said.code == 0, said.err
    head = next(t for t in said.out.splitlines() if t.startswith("时间"))
    assert {"时间", "单位", "标题", "类别", "决定", "答复"} <= set(head.split())
    assert "春耕备耕工作进展顺利" in said.out and "收件回执" in said.out
    assert "来信 4 封" in said.out and "答复 2 封" in said.out
    assert "秘密★" not in said.out and "机密★" not in said.out
    commands = re.findall(r"--config (\S+) (\w+)(?: (\S+))?$", said.out, re.M)
    assert {c[1] for c in commands} == {"items", "show", "tasks", "duties"}
    for config, command, argument in commands:
        again = cli.bare("--config", config, command, *([argument] if argument else []))
        assert again.code == 0, "what the demo names can be run"


def test_a_second_demo_starts_afresh_and_touches_no_other_folder(cli: Cli, tmp_path: Path) -> None:
    source = _few(tmp_path / "mails")
    for _ in range(2):
        said = cli.bare("demo", "--folder", "tour", "--mails", str(source))
        assert said.code == 0
        assert "4 mails" in said.out
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "letter.txt").write_text("keep me", encoding="utf-8")
    said = cli.bare("demo", "--folder", str(precious), "--mails", str(source))
    assert said.code == 2
    assert (precious / "letter.txt").read_text("utf-8") == "keep me"


@pytest.mark.parametrize(
    "args",
    [
        ("--folder", "a-file"),
        ("--folder", "a-file/below"),
        ("--folder", "x", "--mails", "no-such-folder"),
        ("--folder", "x", "--mails", "a-file"),
    ],
)
def test_a_demo_that_cannot_be_made_says_why(
    cli: Cli, tmp_path: Path, args: tuple[str, ...]
) -> None:
    (tmp_path / "a-file").write_text("x", encoding="utf-8")
    said = cli.bare("demo", *args)
    assert said.code == 2
    assert args[-1].split("/")[0] in said.err


def test_a_demo_in_a_forbidden_folder_says_so(cli: Cli) -> None:
    """/proc takes no folder from anybody, root included."""
    said = cli.bare("demo", "--folder", "/proc/mailbot-demo")
    assert said.code == 2
    assert "/proc/mailbot-demo" in said.err and "--folder" in said.err


def test_once_takes_in_what_came_and_then_has_nothing_to_do(cli: Cli) -> None:
    cli.drop(
        mail("水利局+渠道清淤完成+李四+7622041"), SystemClock().now() - timedelta(hours=1), "a"
    )
    first = cli.good("once")
    assert "渠道清淤完成" in first and "1 mails in" in first and "1 answers out" in first
    second = cli.good("once")
    assert "0 mails in" in second and "0 answers out" in second
    assert len(cli.letters()) == 1


def test_one_mailbox_that_fails_does_not_keep_the_others_waiting(cli: Cli) -> None:
    text = cli.config.read_text("utf-8")
    broken = """
[[mailboxes]]
name = "broken"
offices = ["otog"]
address = "b@example.org"
credential_env = "NO_SUCH"
imap = { host = "127.0.0.1", port = 1, security = "plain" }
outgoing = { outbox = "outbox" }
"""
    first, box = text.split("[[mailboxes]]")
    cli.config.write_text(f"{first}{broken}\n[[mailboxes]]{box}", encoding="utf-8")
    cli.monkeypatch.setenv("NO_SUCH", "code")
    cli.drop(
        mail("水利局+渠道清淤完成+李四+7622041"), SystemClock().now() - timedelta(hours=1), "a"
    )
    said = cli("once")
    assert said.code == 3, said
    assert "broken" in said.err
    assert "渠道清淤完成" in said.out
    assert len(cli.letters()) == 1
