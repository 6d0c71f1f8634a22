"""What staff decide by hand, through the command line: release, category, addresses, backlog."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.system import SystemClock, shipped
from tests.integration.cli_help import Cli, installed, mail

NOW = SystemClock().now()
EARLIER = NOW - timedelta(hours=3)
LAST_MONTH = (NOW.replace(day=1) - timedelta(days=3)).replace(hour=10)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """An office whose roster binds one address, so that mail naming another unit is held."""
    config_dir = tmp_path / "config"
    shutil.copytree(shipped("config"), config_dir)
    units = config_dir / "offices" / "otog" / "units.toml"
    text = units.read_text("utf-8")
    at = text.index('id = "agriculture"')
    units.write_text(
        text[:at] + 'addresses = ["bound@example.net"]\n' + text[at:], encoding="utf-8"
    )
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("LOGNAME", "wangfang")
    return Cli(capsys, monkeypatch, installed(tmp_path / "office", config_dir))


def _policy(cli: Cli, policy: str) -> None:
    path = cli.folder.parent / "config" / "offices" / "otog" / "subject.toml"
    text = path.read_text("utf-8")
    assert 'senders = "open"' in text
    path.write_text(text.replace('senders = "open"', f'senders = "{policy}"'), encoding="utf-8")


def _held(cli: Cli, received: datetime = EARLIER, **more: Any) -> str:
    """Takes in a mail whose address is bound to another unit; the receipt number of its item."""
    raw = mail("水利局+渠道清淤完成+李四+7622041", sender="bound@example.net", **more)
    cli.drop(raw, received, "held")
    cli.good("once")
    (item,) = cli("items", "--decision", "hold", "--json").json
    return str(item["receipt"])


def _returned(cli: Cli, received: datetime = EARLIER) -> str:
    cli.drop(mail("水利局+渠道清淤完成+李四"), received, "returned")
    cli.good("once")
    (item,) = cli("items", "--decision", "return", "--json").json
    return str(item["receipt"])


def _show(cli: Cli, what: str) -> Any:
    return cli("show", what, "--json").json


def _subjects(cli: Cli) -> list[str]:
    return [
        str(message_from_bytes(p.read_bytes(), policy=default)["Subject"]) for p in cli.letters()
    ]


# --- release ---------------------------------------------------------------------------------


def test_a_released_second_version_goes_into_the_item_that_counts(cli: Cli) -> None:
    first = "财政局+预算绩效评价启动+赵六+7622043"
    cli.drop(mail(first, sender="cz@example.net"), EARLIER, "first")
    cli.good("once")
    (counted,) = cli("items", "--json").json
    later = mail(
        "财政局+预算绩效评价启动（修改稿）+赵六", sender="cz@example.net", body="改过的正文。" * 9
    )
    cli.drop(later, EARLIER + timedelta(hours=1), "second")
    cli.good("once")
    (waiting,) = cli("items", "--decision", "return", "--json").json
    assert waiting["receipt"] != counted["receipt"]
    cli.good("release", waiting["receipt"], "--contact", "7622043", "--who", "王芳芳")
    states = {i["receipt"]: i["state"] for i in cli("items", "--json").json}
    assert states == {counted["receipt"]: "accepted", waiting["receipt"]: "replaced"}
    assert len(_show(cli, counted["receipt"])["items"][0]["versions"]) == 2


def test_a_released_item_counts_and_is_acknowledged_once(cli: Cli) -> None:
    receipt = _held(cli)
    assert "checked" in cli.good("items")
    said = cli.good("release", receipt, "--who", "王芳芳", "--why", "已电话核实")
    assert receipt in said and "bound@example.net" in said
    cli.good("once")
    cli.good("once")
    assert sum("已收到：" in s for s in _subjects(cli)) == 1
    (item,) = cli("items", "--json").json
    assert (item["state"], item["decision"], item["unit_id"]) == ("accepted", "accept", "water")
    record = _show(cli, receipt)
    assert [v["no"] for v in record["items"][0]["versions"]] == [1, 2]
    (entry,) = [a for a in record["audit"] if a["action"] == "release"]
    assert (entry["who"], entry["detail"]["why"]) == ("王芳芳", "已电话核实")
    assert [d["kind"] for d in record["mails"][0]["decisions"]] == ["hold", "accept"]
    assert all(t["done_at"] for t in record["tasks"])


def test_a_release_leaves_an_objections_task_open(cli: Cli) -> None:
    """It stays until it is answered, though it is about the item that is released."""
    receipt = _held(cli)
    cli.good("senders", "--bind", "zhangsan@example.net", "--unit", "水利局")
    cli.drop(
        mail(f"申诉 {receipt}", body="请尽快登记。", message_id="<o@example.net>"),
        NOW - timedelta(minutes=1),
        "o",
    )
    cli.good("once")
    assert "mailbot appeals show 1" in cli.good("tasks")
    cli.good("release", receipt)
    assert "mailbot appeals show 1" in cli.good("tasks")
    cli.good("appeals", "answer", "1", "--text", "已登记。")
    assert "mailbot appeals show 1" not in cli.good("tasks")


def test_it_counts_in_the_month_of_its_original_receipt(cli: Cli) -> None:
    receipt = _held(cli, LAST_MONTH)
    cli.good("release", receipt)
    (item,) = cli("items", "--month", f"{LAST_MONTH:%Y-%m}", "--json").json
    assert (item["receipt"], item["month"]) == (receipt, f"{LAST_MONTH:%Y-%m}")


def test_its_acknowledgement_goes_out_however_old_the_mail_is(cli: Cli) -> None:
    receipt = _held(cli, LAST_MONTH)
    cli.good("release", receipt)
    cli.good("once")
    assert sum("已收到：" in s for s in _subjects(cli)) == 1


def test_a_returned_item_is_released_with_what_was_missing(cli: Cli) -> None:
    receipt = _returned(cli)
    cli.good("release", receipt, "--contact", "7622041")
    item = _show(cli, receipt)["items"][0]
    assert item["state"] == "accepted"
    first, second = item["versions"]
    assert (first["contact"], second["contact"]) == ([], ["7622041"])
    assert second["fields"]["contact"][0]["source"] == "staff"
    cli.good("once")
    assert sum("已收到：" in s for s in _subjects(cli)) == 1


def test_release_under_another_unit_is_staffs_word(cli: Cli) -> None:
    receipt = _held(cli)
    cli.good("release", receipt, "--unit", "农牧局")
    item = _show(cli, receipt)["items"][0]
    assert item["unit_id"] == "agriculture"
    assert item["versions"][0]["fields"]["unit"]["unit_id"] == "water"
    assert item["versions"][1]["fields"]["unit"]["source"] == "staff"


def test_release_twice_is_refused_and_says_the_state(cli: Cli) -> None:
    receipt = _held(cli)
    cli.good("release", receipt.lower())
    assert "accepted" in cli.refused("release", receipt)


def test_a_mail_that_wants_no_automatic_answer_gets_none_from_a_release(cli: Cli) -> None:
    receipt = _held(cli, headers={"List-Id": "<units.example.net>"})
    said = cli.good("release", receipt)
    assert "No acknowledgement" in said
    cli.good("once")
    assert cli.letters() == []


def test_an_item_without_a_title_wants_one(cli: Cli) -> None:
    cli.drop(mail("水利局+李四+7622041"), EARLIER, "untitled")
    cli.good("once")
    (item,) = cli("items", "--json").json
    assert "--title" in cli.refused("release", item["receipt"])
    cli.good("release", item["receipt"], "--title", "渠道清淤完成")
    assert cli("items", "--json").json[0]["title"] == "渠道清淤完成"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("EQ202601-9999",), "mailbot items"),
        (("--", "水利局"), "mailbot items"),
    ],
)
def test_a_wrong_receipt_number_is_told(cli: Cli, args: tuple[str, ...], told: str) -> None:
    assert told in cli.refused("release", *args)


def test_a_unit_that_is_not_there_changes_nothing(cli: Cli) -> None:
    receipt = _held(cli)
    assert "水利局" in cli.refused("release", receipt, "--unit", "水力局")
    assert _show(cli, receipt)["items"][0]["state"] == "held"


def test_nobody_decides_in_the_programs_name(cli: Cli) -> None:
    receipt = _held(cli)
    assert "--who" in cli.refused("release", receipt, "--who", "mailbot")


# --- category --------------------------------------------------------------------------------


def test_a_corrected_category_keeps_its_history(cli: Cli) -> None:
    cli.drop(mail("水利局+渠道清淤完成+李四+7622041"), EARLIER, "item")
    cli.good("once")
    (item,) = cli("items", "--json").json
    receipt = item["receipt"]
    said = cli.good("category", receipt, "问题", "--why", "有对策建议", "--who", "王芳芳")
    assert "问题" in said
    versions = _show(cli, receipt)["items"][0]["versions"]
    assert [(v["category"], v["category_by"] == "staff") for v in versions] == [
        (item["category"], False),
        ("problem", True),
    ]
    (entry,) = [a for a in _show(cli, receipt)["audit"] if a["action"] == "item.category"]
    assert (entry["who"], entry["detail"]["why"]) == ("王芳芳", "有对策建议")
    cli.good("once")
    assert [i["receipt"] for i in cli("items", "--category", "问题", "--json").json] == [receipt]
    assert "有对策建议" in cli.good("show", receipt)


def test_a_category_that_is_not_there_is_told_with_those_that_are(cli: Cli) -> None:
    receipt = _held(cli)
    assert "问题（problem）" in cli.refused("category", receipt, "杂谈")
    assert "mailbot items" in cli.refused("category", "EQ202601-0001", "问题")


# --- addresses -------------------------------------------------------------------------------


def test_binding_an_address_takes_in_its_held_mail(cli: Cli) -> None:
    _policy(cli, "bound")
    for number in (1, 2):
        raw = mail(f"水利局+第{number}段渠道清淤完成+李四+7622041", body=f"第{number}段完成。")
        cli.drop(raw, EARLIER + timedelta(minutes=number), f"m{number}")
    cli.drop(mail("教体局+运动会+王五+7622033", sender="other@example.net"), EARLIER, "other")
    cli.good("once")
    assert len(cli("items", "--mails", "--decision", "hold", "--json").json) == 3
    said = cli.good("senders", "--bind", "Zhangsan@Example.net", "--unit", "水利局")
    assert "2 held mails were decided again" in said
    assert {i["sender"] for i in cli("items", "--json").json} == {"zhangsan@example.net"}
    assert {i["state"] for i in cli("items", "--json").json} == {"accepted"}
    left = cli("items", "--mails", "--decision", "hold", "--json").json
    assert [m["sender"] for m in left] == ["other@example.net"]
    cli.good("once")
    assert sum("已收到：" in s for s in _subjects(cli)) == 2
    assert "zhangsan@example.net" not in cli.good("tasks", "--all")
    assert "other@example.net" in cli.good("tasks", "--all")


def test_a_refused_address_is_no_longer_taken(cli: Cli) -> None:
    cli.good("senders", "--refuse", "zhangsan@example.net")
    cli.drop(mail("水利局+渠道清淤完成+李四+7622041"), EARLIER, "item")
    cli.good("once")
    assert cli("items", "--json").json == []
    (held,) = cli("items", "--mails", "--json").json
    assert (held["decision"], held["answer"]) == ("hold", None)
    assert "refused" in cli.good("senders")


def test_a_first_mail_proposes_its_address_and_the_answer_closes_the_task(cli: Cli) -> None:
    cli.drop(mail("水利局+渠道清淤完成+李四+7622041"), EARLIER, "item")
    cli.good("once")
    assert "proposed" in cli.good("senders")
    said = cli.good("tasks")
    assert "Another 1" in said, "what only asks for an address does not bury the rest"
    cli.good("senders", "--bind", "zhangsan@example.net", "--unit", "水利局")
    assert "0 tasks" in cli.good("tasks", "--all")
    assert "bound" in cli.good("senders")


@pytest.mark.parametrize(
    "args",
    [
        ("--bind", "a@example.net"),
        ("--unit", "水利局"),
        ("--bind", "a@example.net", "--refuse", "b@example.net"),
        ("--bind", "no address", "--unit", "水利局"),
        ("--refuse", "@"),
        ("--bind", "a@example.net", "--unit", "水力局"),
        ("--bind", "a@example.net", "--unit", "水利局", "--office", "laiwu"),
    ],
)
def test_a_wrong_binding_is_told_and_not_written(cli: Cli, args: tuple[str, ...]) -> None:
    said = cli("senders", *args)
    assert said.code == 2 and said.err
    assert "No address" in cli.good("senders")


# --- tasks and backlog -----------------------------------------------------------------------


def test_a_task_is_closed_by_its_number_and_a_wrong_number_closes_nothing(cli: Cli) -> None:
    _held(cli)
    number = cli.good("tasks").splitlines()[2].split()[0]
    assert "9999" in cli.refused("tasks", "--done", number, "--done", "9999")
    assert "1 tasks." in cli.good("tasks")
    cli.good("tasks", "--done", number, "--who", "王芳芳")
    assert "0 tasks." in cli.good("tasks")


def test_a_task_that_no_line_has_room_for_is_read_whole(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    _held(cli)
    monkeypatch.setenv("COLUMNS", "60")
    table = cli.good("tasks")
    number = table.splitlines()[2].split()[0]
    said = cli.good("tasks", number).splitlines()[-1]
    assert "…" in table
    assert said not in table
    assert said.endswith("。")
    assert "9999" in cli.refused("tasks", "9999")


def test_answers_to_old_mail_wait_for_a_word(cli: Cli) -> None:
    for number in (1, 2):
        raw = mail(f"水利局+第{number}段渠道清淤完成+李四+7622041", body=f"第{number}段完成。")
        cli.drop(raw, LAST_MONTH + timedelta(minutes=number), f"m{number}")
    assert "withheld" in cli.good("once")
    assert cli.letters() == []
    numbers = [r.split()[0] for r in cli.good("backlog").splitlines()[2:4]]
    (number,) = [row.split()[0] for row in cli.good("tasks").splitlines()[2:3]]
    assert "mailbot backlog" in cli.good("tasks", number)
    assert "77" in cli.refused("backlog", "--send", "--only", "77")
    assert cli("backlog", "--send", "--drop").code == 2
    cli.good("backlog", "--send", "--only", numbers[0])
    assert "1 tasks." in cli.good("tasks")
    cli.good("backlog", "--drop", "--only", numbers[1])
    assert "0 tasks." in cli.good("tasks"), "nothing is left to decide"
    cli.good("once")
    assert len(cli.letters()) == 1
    assert "No answer is withheld" in cli.good("backlog")
