"""Items that came by another channel beside those of mail, and mail that answers a commission."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.db.engine import open_store
from mailbot.app.records import ItemRow, ItemState, NewItem, NewVersion
from mailbot.core.intake.titles import normal_title
from mailbot.core.rules.events import EventKind
from tests.integration.cli_help import Cli, demo_copy
from tests.integration.intake_help import NOON, World, item, letter, reply_to

TITLE = "春耕备耕工作进展顺利"
FAR = (NOON - timedelta(days=90)).date(), (NOON + timedelta(days=90)).date()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def of_oa(title: str = TITLE, **changes: Any) -> NewItem:
    values: dict[str, Any] = {
        "office": "otog",
        "unit_id": "agriculture",
        "state": ItemState.ACCEPTED,
        "received": NOON - timedelta(hours=3),
        "month": NOON.date().replace(day=1),
        "version": NewVersion(title, "张三", ("7622029",), "农牧局", {}, "brief", "staff"),
        "title_key": normal_title(title),
        "channel": "oa",
        "evidence": "OA〔2026〕118",
    }
    return NewItem(**(values | changes))


def entered(world: World, **changes: Any) -> ItemRow:
    with world.store.begin() as tx:
        return tx.add_channel_item(of_oa(**changes), "EQ", "王五", NOON)


# --- the mark of a commission


@pytest.mark.parametrize(
    ("subject", "marked"),
    [
        (f"【约稿】农牧局+{TITLE}+张三+7622029", True),
        (f"【问题】【约稿】农牧局+{TITLE}+张三+7622029", True),
        (f"农牧局+{TITLE}+张三+7622029", False),
        (f"农牧局+约稿工作的几点做法及{TITLE}+张三+7622029", False),
    ],
)
def test_a_mail_marked_so_answers_a_commission(world: World, subject: str, marked: bool) -> None:
    world.receive(letter(subject, body=f"{TITLE}。" * 40))
    found = world.only_item()
    assert (found.state, found.commissioned) == (ItemState.ACCEPTED, marked)
    with world.store.reading() as reads:
        (event,) = reads.unit_events("otog", *FAR, found.unit_id)
    assert (event.kind, event.commissioned) == (EventKind.SUBMISSION, marked)


@pytest.mark.parametrize("first", [True, False])
def test_a_correction_keeps_the_mark_whichever_mail_carried_it(world: World, first: bool) -> None:
    marks = ("【约稿】", "") if first else ("", "【约稿】")
    world.receive(letter(f"{marks[0]}农牧局+{TITLE}+张三", body=f"{TITLE}。" * 40))
    (returned,) = world.sent()
    world.receive(
        letter(
            f"{marks[1]}农牧局+{TITLE}+张三+7622029",
            body=f"{TITLE}。" * 40,
            **reply_to(returned),
        )
    )
    found = world.only_item()
    assert (found.state, found.version_no, found.commissioned) == (ItemState.ACCEPTED, 2, True)


# --- beside mail


def test_a_mail_with_the_title_of_an_item_of_another_channel_waits_for_a_person(
    world: World,
) -> None:
    by_oa = entered(world)
    settled = world.receive(item(TITLE))
    assert settled.kind == "hold"
    assert by_oa.receipt in settled.decision.reasons[0].text
    with world.store.reading() as reads:
        assert reads.month_count("otog", by_oa.unit_id or "", by_oa.month) == 1


def test_a_mail_from_nobody_cannot_change_an_item_of_another_channel(world: World) -> None:
    by_oa = entered(world)
    raw = letter(f"[{by_oa.receipt}] 发改委+完全另外的题目+李四+7622030", sender="x@example.com")
    raw = raw.replace(b"From: x@example.com\r\n", b"")
    assert b"From:" not in raw
    world.receive(raw)
    with world.store.reading() as reads:
        assert reads.item_by_receipt(by_oa.receipt) == by_oa


# --- for staff


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> Cli:
    monkeypatch.setenv("LOGNAME", "wangfang")
    return Cli(capsys, monkeypatch, demo_copy(tmp_path_factory.getbasetemp(), tmp_path / "office"))


def add(cli: Cli, **changes: Any) -> str:
    (path,) = cli.folder.rglob("mailbot.db")
    store = open_store(f"sqlite:///{path}")
    with store.begin() as tx:
        receipt = tx.add_channel_item(
            of_oa("草原防火再部署", **changes), "EQ", "王五", NOON
        ).receipt
    store.close()
    return receipt


def test_it_is_listed_and_shown_with_how_it_came(cli: Cli) -> None:
    receipt = add(cli, commissioned=True)
    (row,) = [x for x in cli("items", "--json").json if x["receipt"] == receipt]
    assert (row["channel"], row["mail"], row["sender"]) == ("oa", None, "")
    assert receipt in cli.good("items")
    shown = cli.good("show", receipt)
    assert "OA系统" in shown
    assert "OA〔2026〕118" in shown
    found = cli("show", receipt, "--json").json
    assert (found["items"][0]["channel"], found["mails"]) == ("oa", [])


def test_it_is_released_without_a_letter(cli: Cli) -> None:
    receipt = add(cli, state=ItemState.HELD)
    letters = len(cli.letters())
    said = cli.good("release", receipt, "--why", "核对无误")
    assert receipt in said
    (item,) = cli("show", receipt, "--json").json["items"]
    assert (item["state"], item["version_no"], item["channel"]) == ("accepted", 2, "oa")
    assert len(cli.letters()) == letters


def test_its_category_is_corrected(cli: Cli) -> None:
    receipt = add(cli)
    cli.good("category", receipt, "问题")
    (item,) = cli("show", receipt, "--json").json["items"]
    assert item["versions"][-1]["category"] == "problem"


def test_a_replay_passes_it_over(cli: Cli) -> None:
    before = cli("replay", "--json").json
    receipt = add(cli, state=ItemState.HELD)
    cli.good("release", receipt, "--why", "核对无误")
    cli.good("category", receipt, "问题")
    assert cli("replay", "--json").json == before
