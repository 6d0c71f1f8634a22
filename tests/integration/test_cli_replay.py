"""`replay`: nothing differs while nothing changed; what changed is seen, and only that."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.system import SystemClock, shipped
from tests.integration.cli_help import FIXTURES, Cli, demo_copy, installed, mail

EARLIER = SystemClock().now() - timedelta(hours=5)


@pytest.fixture
def demo(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> Cli:
    config = demo_copy(tmp_path_factory.getbasetemp(), tmp_path / "office")
    shutil.copytree(shipped("config"), tmp_path / "config")
    text = config.read_text("utf-8")
    config.write_text(f'config_dir = "{tmp_path / "config"}"\n{text}', encoding="utf-8")
    return Cli(capsys, monkeypatch, config)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    shutil.copytree(shipped("config"), tmp_path / "config")
    monkeypatch.setenv("LOGNAME", "wangfang")
    return Cli(capsys, monkeypatch, installed(tmp_path / "office", tmp_path / "config"))


def _edit(cli: Cli, file: str, change: Callable[[str], str]) -> None:
    path = cli.folder.parent / "config" / "offices" / "otog" / file
    before = path.read_text("utf-8")
    after = change(before)
    assert after != before
    path.write_text(after, encoding="utf-8")


def _different(cli: Cli, *args: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cli("replay", "--json", *args).json["different"]
    return found


def _whats(found: dict[str, Any]) -> set[str]:
    return {c["what"] for c in found["changes"]}


def test_all_sample_mails_come_out_as_they_did(demo: Cli) -> None:
    said = demo("replay", "--json").json
    assert said["different"] == []
    assert said["mails"] + len(said["skipped"]) == len(list(FIXTURES.glob("*.eml"))) > 150
    assert {s["why"] for s in said["skipped"]} == {"bytes"}
    assert len(said["skipped"]) == 7, "after a secrets hit there are no bytes"


def test_replay_changes_nothing(demo: Cli) -> None:
    before = (demo.good("items", "--mails", "--json"), demo.good("tasks", "--all"), demo.letters())
    demo.good("replay")
    after = (demo.good("items", "--mails", "--json"), demo.good("tasks", "--all"), demo.letters())
    assert before == after


def test_a_new_alias_changes_just_the_mail_that_used_it(demo: Cli) -> None:
    (unknown,) = [
        m
        for m in demo("items", "--mails", "--text", "草原文化研究会", "--json").json
        if m["decision"] == "return"
    ]

    def add(text: str) -> str:
        at = text.index("aliases = [", text.index('id = "culture"')) + len("aliases = [")
        return text[:at] + '"草原文化研究会", ' + text[at:]

    _edit(demo, "units.toml", add)
    (found,) = _different(demo)
    assert found["mail"] == unknown["mail"]
    assert {"decision", "unit", "answer"} <= _whats(found)
    (decision,) = [c for c in found["changes"] if c["what"] == "decision"]
    assert (decision["before"], decision["now"]) == ("return", "accept")
    assert "returned → accepted" in demo.good("replay")


def test_a_month_and_a_limit_keep_what_came_before_in_sight(demo: Cli) -> None:
    """The last mails are corrections of earlier ones, which are not replayed for their own sake."""
    for args in (("--limit", "5"), ("--limit", "40"), ("--month", f"{SystemClock().now():%Y-%m}")):
        assert _different(demo, *args) == []
    assert demo("replay", "--json", "--limit", "5").json["mails"] == 5
    assert demo("replay", "--json", "--month", "2020-01").json["mails"] == 0


def test_what_staff_did_is_no_difference(demo: Cli) -> None:
    held = [i for i in demo("items", "--decision", "hold", "--json").json if i["title"]]
    returned = [i for i in demo("items", "--decision", "return", "--json").json if i["unit_id"]]
    accepted = demo("items", "--decision", "accept", "--json").json
    demo.good("release", held[0]["receipt"], "--title", "另拟的标题", "--who", "王芳芳")
    demo.good(
        "release", returned[0]["receipt"], "--unit", "农牧局", "--title", "补", "--who", "王芳芳"
    )
    demo.good("category", accepted[0]["receipt"], "问题", "--who", "王芳芳")
    demo.good("category", held[0]["receipt"], "调研", "--who", "王芳芳")
    demo.good("senders", "--refuse", accepted[1]["sender"], "--who", "王芳芳")
    demo.good(
        "senders", "--bind", accepted[2]["sender"], "--unit", accepted[2]["unit"], "--who", "王芳芳"
    )
    assert _different(demo) == []


def test_held_mail_taken_in_by_a_binding_is_no_difference(cli: Cli) -> None:
    _edit(cli, "subject.toml", lambda t: t.replace('senders = "open"', 'senders = "bound"'))
    for number in (1, 2):
        raw = mail(f"水利局+第{number}段渠道清淤完成+李四+7622041", body=f"第{number}段完成。")
        cli.drop(raw, EARLIER + timedelta(minutes=number), f"m{number}")
    cli.good("once")
    cli.good("senders", "--bind", "zhangsan@example.net", "--unit", "水利局")
    cli.drop(mail("水利局+第3段渠道清淤完成+李四+7622041", body="第3段完成。"), EARLIER, "m3")
    cli.good("once")
    assert {m["decision"] for m in cli("items", "--mails", "--json").json} == {"accept"}
    assert _different(cli) == []


@pytest.mark.parametrize("by", ["message id", "receipt number"])
def test_a_reply_to_our_letter_still_finds_it(cli: Cli, by: str) -> None:
    """Message-IDs and receipt numbers of the records hold, also where an earlier mail now comes out
    otherwise or is out of reach. Another title: nothing but the letter tells what it is about."""
    _mail_of_a_mailbox_that_is_gone(cli)
    cli.drop(mail("火星局+首次探测+王五+7622033", sender="w@example.net"), EARLIER, "a")
    cli.drop(mail("水利局+渠道清淤完成+李四"), EARLIER + timedelta(minutes=1), "b")
    cli.good("once")
    letter = _letter_to(cli, "zhangsan@example.net")
    receipt = str(letter["Subject"]).split("]")[0].strip("[")
    subject = "水利局+节水灌溉示范区建成+李四+7622041"
    reply = (
        mail(f"答复: {subject}", body="灌区建成投用。", reply_to=str(letter["Message-ID"]))
        if by == "message id"
        else mail(f"[{receipt}] {subject}", body="灌区建成投用。")
    )
    cli.drop(reply, EARLIER + timedelta(minutes=2), "c")
    cli.good("once")
    record = cli("show", receipt, "--json").json
    assert len(record["items"][0]["versions"]) == 2, "the reply corrected the returned item"
    assert _different(cli) == []

    def add(text: str) -> str:
        at = text.index("aliases = [", text.index('id = "culture"')) + len("aliases = [")
        return text[:at] + '"火星局", ' + text[at:]

    _edit(cli, "units.toml", add)
    (found,) = _different(cli)
    assert found["subject"].startswith("火星局")


def test_a_reply_after_a_release_is_another_item_then_and_now(cli: Cli) -> None:
    """Had the item not been released, the reply would have corrected it."""
    cli.drop(mail("水利局+渠道清淤完成+李四"), EARLIER, "a")
    cli.good("once")
    (item,) = cli("items", "--json").json
    cli.good("release", item["receipt"], "--contact", "7622041")
    letter = _letter_to(cli, "zhangsan@example.net")
    reply = mail("水利局+节水灌溉示范区建成+李四+7622041", reply_to=str(letter["Message-ID"]))
    cli.drop(reply, EARLIER + timedelta(minutes=2), "b")
    cli.good("once")
    assert len(cli("items", "--json").json) == 2
    assert _different(cli) == []


def test_a_corrected_category_holds_for_the_next_version_then_and_now(cli: Cli) -> None:
    cli.drop(mail("水利局+渠道清淤完成+李四+7622041"), EARLIER, "a")
    cli.good("once")
    (item,) = cli("items", "--json").json
    cli.good("category", item["receipt"], "问题", "--why", "有对策建议")
    second = mail("水利局+渠道清淤完成（修改稿）+李四+7622041", body="改过的正文。")
    cli.drop(second, EARLIER + timedelta(minutes=2), "b")
    cli.good("once")
    (item,) = cli("items", "--json").json
    assert item["category"] == "problem", "it survives a new version from the sender"
    assert _different(cli) == []


def _mail_of_a_mailbox_that_is_gone(cli: Cli) -> None:
    text = cli.config.read_text("utf-8")
    second = text[text.index("[[mailboxes]]") :].replace('"box"', '"old"')
    cli.config.write_text(
        text + "\n" + second.replace('maildir = "mailbox"', 'maildir = "old"'), encoding="utf-8"
    )
    for part in ("tmp", "new", "cur"):
        (cli.folder / "old" / part).mkdir(parents=True)
    raw = mail("教体局+运动会开幕+王五+7622033", sender="old@example.net")
    (cli.folder / "old" / "new" / "1.old").write_bytes(raw)
    cli.good("once")
    cli.config.write_text(text, encoding="utf-8")


def _letter_to(cli: Cli, address: str) -> Message:
    """The first letter that went to the address."""
    letters = (message_from_bytes(p.read_bytes(), policy=default) for p in cli.letters())
    return next(m for m in letters if str(m["To"]).endswith(address))


def test_two_equal_mails_keep_their_order(cli: Cli) -> None:
    """A folder may list the later one first."""
    raw = mail("水利局+渠道清淤完成+李四+7622041", message_id="<same@example.net>")
    for name, minutes in (("a", 9), ("b", 1), ("c", 5)):
        cli.drop(raw, EARLIER + timedelta(minutes=minutes), name)
    cli.good("once")
    assert _different(cli) == []


def test_a_mailbox_that_is_gone_is_said(cli: Cli) -> None:
    cli.drop(mail("水利局+渠道清淤完成+李四+7622041"), EARLIER, "a")
    cli.good("once")
    text = cli.config.read_text("utf-8")
    cli.config.write_text(text.replace('name = "box"', 'name = "new"'), encoding="utf-8")
    said = cli("replay")
    assert said.code == 0
    assert "box" in said.err and "0 mails" in said.out


def test_a_wrong_month_is_told(cli: Cli) -> None:
    assert "2026-08" in cli.refused("replay", "--month", "August")
