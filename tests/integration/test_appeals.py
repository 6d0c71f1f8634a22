"""申诉: opened by mail, answered by a clerk, and kept beside what it is about."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from mailbot.adapters.db.staff_lists import replies_to
from mailbot.adapters.system import SHANGHAI, shipped
from mailbot.app.service.appeals import Answered, NotAnswered, answer_appeal
from tests.integration.cli_help import Cli, installed, mail, speaking
from tests.integration.intake_help import item, letter, reply_to, text_file
from tests.integration.service_help import LIAISON, OTHER, Service, parsed, text_of


@pytest.fixture
def desk(tmp_path: Path) -> Service:
    return Service(tmp_path)


@pytest.fixture
def receipt(desk: Service) -> str:
    return desk.world.receive(item("春耕备耕工作进展顺利", sender=LIAISON)).items[0].receipt


def answer(desk: Service, number: int, text: str = "经核实，补记20分。\n谢谢。") -> Answered:
    return answer_appeal(
        number,
        text,
        "王芳芳",
        store=desk.world.store,
        books={"otog": desk.book},
        posting_for=desk.world.posting,
        now=desk.clock.now(),
    )


def test_an_appeal_is_opened_with_a_task_for_a_person(desk: Service, receipt: str) -> None:
    settled = desk.ask(f"申诉：{receipt} 应计为问题类", body="理由：文中有建议。")
    assert (settled.kind, settled.items) == ("command", ())
    (appeal,) = desk.appeals()
    assert (appeal.new.about, appeal.new.inbound_id) == (receipt, settled.inbound_id)
    assert appeal.new.item_id is not None and appeal.from_addr == LIAISON
    assert f"贵单位对{receipt}提出的申诉已收到，编号为第1号" in desk.said(settled)
    ((_kind, text),) = [t for t in desk.open_tasks() if t[0] == "appeal"]
    assert f"农牧局对{receipt}提出申诉（第1号）" in text and "mailbot appeals show 1" in text


def test_a_second_one_about_the_same_joins_while_it_is_open(desk: Service, receipt: str) -> None:
    desk.ask(f"申诉 {receipt}")
    assert "第1号" in desk.said(desk.ask(f"申诉 {receipt}", body="补充。"))
    assert len(desk.appeals()) == 1
    assert any("再次来信，已并入第1号" in text for _, text in desk.open_tasks())
    answer(desk, 1)
    assert "第2号" in desk.said(desk.ask(f"申诉 {receipt}"))
    assert [a.id for a in desk.appeals()] == [1, 2]


def test_an_entry_is_objected_to_by_its_records_number(desk: Service, receipt: str) -> None:
    number = desk.adopt(receipt, day="2026-08-12")
    assert "编号为第1号" in desk.said(desk.ask(f"申诉 记录{number}"))
    assert desk.appeals()[0].new.record_id == number
    assert "记录1" in desk.said(desk.ask("查询")).split("【申诉】")[1]
    assert "没有记录99" in desk.said(desk.ask("申诉 记录99"))


def test_nothing_of_another_unit_can_be_objected_to(desk: Service, receipt: str) -> None:
    number = desk.adopt(receipt, day="2026-08-12")
    for theirs, unknown in ((receipt, "EQ202608-9999"), (f"记录{number}", "记录99")):
        said = [desk.said(desk.ask(f"申诉 {x}", OTHER)).split("。")[0] for x in (theirs, unknown)]
        assert said[0].replace(theirs, "N") == said[1].replace(unknown, "N")
    assert desk.appeals("water") == [] == desk.appeals()


def test_what_it_is_about_must_be_said(desk: Service) -> None:
    assert "没有写明" in desk.said(desk.ask("申诉"))
    assert "“0012”不是回执编号" in desk.said(desk.ask("申诉 0012"))
    assert desk.appeals() == []


def test_the_answer_is_mailed_once_and_stays(desk: Service, receipt: str) -> None:
    desk.ask(f"申诉 {receipt}")
    done = answer(desk, 1)
    assert (done.to, done.row.answered_by) == (LIAISON, "王芳芳")
    sent = desk.world.sent()[-1]
    assert (sent.kind, sent.recipient) == ("appeal_answer", LIAISON)
    assert "经核实，补记20分。" in text_of(sent.raw) and "第1号" in sent.subject
    with pytest.raises(NotAnswered) as refused:
        answer(desk, 1, "另一个答复")
    assert (refused.value.code, refused.value.found) == ("answered", "王芳芳")
    assert [k for k, _, _ in desk.world.letters()].count("appeal_answer") == 1
    assert "经核实，补记20分。" in desk.said(desk.ask(f"查询 {receipt}"))
    assert "经核实，补记20分。" in desk.said(desk.ask("查询"))


def test_an_address_bound_elsewhere_since_gets_no_answer(desk: Service, receipt: str) -> None:
    desk.ask(f"申诉 {receipt}")
    desk.world.bind(LIAISON, "water")
    done = answer(desk, 1)
    assert done.to == "" and "不再绑定" in done.why_not
    assert desk.appeals()[0].answer and desk.world.letters()[-1][0] == "service"


@pytest.mark.parametrize(("number", "text", "code"), [(7, "好", "no_appeal"), (1, " ", "no_text")])
def test_what_cannot_be_answered(
    desk: Service, receipt: str, number: int, text: str, code: str
) -> None:
    desk.ask(f"申诉 {receipt}")
    with pytest.raises(NotAnswered) as refused:
        answer(desk, number, text)
    assert refused.value.code == code and desk.appeals()[0].answer == ""


def test_the_answer_belongs_to_the_conversation_it_ends(desk: Service, receipt: str) -> None:
    asked = desk.ask(
        f"申诉 {receipt}", message_id="asked@example.com", references="<f@example.com>"
    )
    answer(desk, 1)
    found = parsed(desk.world.sent()[-1].raw)
    assert found["In-Reply-To"] == "<asked@example.com>"
    assert found["References"].split() == [
        *(f"<{r}>" for r in asked.mail.references),
        "<asked@example.com>",
    ]


def test_a_long_answer_is_shown_whole(desk: Service, receipt: str) -> None:
    desk.ask(f"申诉 {receipt}")
    answer(desk, 1, "甲" * 2500)
    assert text_of(desk.world.sent()[-1].raw).count("甲") == 2500


def test_a_reply_with_evidence_waits_for_a_person(desk: Service, receipt: str) -> None:
    """It must not become a correction of the item it is about."""
    desk.ask(f"申诉 {receipt}")
    sent = desk.world.sent()[-1]
    more = letter(
        f"Re: {sent.subject}",
        "补充材料。",
        [text_file("证明.txt")],
        sender=LIAISON,
        **reply_to(sent),
    )
    settled = desk.world.receive(more)
    assert (settled.kind, settled.answer.letter, settled.items) == ("hold", None, ())
    assert desk.world.only_version(receipt) == 1
    assert any("第1号申诉的补充材料" in text for _, text in desk.open_tasks())
    (linked,) = replies_to(desk.world.store, desk.appeals()[0].new.inbound_id)
    assert linked.id == settled.inbound_id
    stranger = desk.world.receive(
        letter(f"Re: {sent.subject}", "看看", sender=OTHER, message_id="o@example.com")
    )
    assert "appeal" not in {r.code for r in stranger.decision.reasons}


# --- at the command line

NOW = datetime.now(SHANGHAI).replace(microsecond=0)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """An office that got an item and an objection to it."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("LOGNAME", "wangfang")
    found = Cli(capsys, monkeypatch, installed(tmp_path / "office", shipped("config")))
    body = "牧区饮水安全工程全部完工，惠及群众三千余人，水质全部达标，管护制度同步建立。" * 4
    found.drop(
        mail("农牧局+牧区饮水安全工程完工+张三+7622029", body=body, message_id="<i@example.net>"),
        NOW - timedelta(minutes=9),
        "a",
    )
    found.good("once")
    found.good("senders", "--bind", "zhangsan@example.net", "--unit", "农牧局")
    (row,) = found("items", "--json").json
    found.receipt = row["receipt"]  # type: ignore[attr-defined]
    found.drop(
        mail(f"申诉 {row['receipt']}", body="应计为问题类。", message_id="<q@example.net>"),
        NOW - timedelta(minutes=5),
        "b",
    )
    found.good("once")
    return found


def test_a_clerk_lists_shows_and_answers(cli: Cli) -> None:
    receipt = cli.receipt  # type: ignore[attr-defined]
    listed = cli.good("appeals", "list")
    assert receipt in listed and "农牧局" in listed and "zhangsan@example.net" in listed
    shown = cli.good("appeals", "show", "1")
    assert "应计为问题类。" in shown and "mailbot appeals answer 1" in shown
    assert "mailbot appeals show 1" in cli.good("tasks")
    before = len(cli.letters())
    said = cli.good("appeals", "answer", "1", "--text", "经核实，已改为问题类。")
    assert "zhangsan@example.net" in said
    assert "mailbot appeals show 1" not in cli.good("tasks")
    cli.good("once")
    assert len(cli.letters()) == before + 1
    cli.good("appeals", "list")
    assert cli("appeals", "list", "--json").json == []
    (row,) = cli("appeals", "list", "--all", "--json").json
    assert (row["answered_by"], row["answer"]) == ("wangfang", "经核实，已改为问题类。")
    assert "经核实，已改为问题类。" in cli.good("appeals", "show", "1")
    assert "经核实，已改为问题类。" in cli.good("show", receipt)
    assert "经核实，已改为问题类。" in cli.good("statement", "农牧局", f"{NOW:%Y-%m}")
    assert cli("statement", "农牧局", f"{NOW:%Y-%m}", "--json").json["appeals"][0]["id"] == 1
    assert cli("show", receipt, "--json").json["appeals"][0]["id"] == 1


def test_what_a_unit_adds_is_shown_with_its_appeal(cli: Cli) -> None:
    """By a reply to our letter, and by a second mail of the same subject."""
    receipt = cli.receipt  # type: ignore[attr-defined]
    reply = mail(
        "答复：申诉已收到（第1号）",
        body="附上水质报告。\n\n在 2026-08-12 09:00，信息室 写道：\n> 贵单位提出的申诉已收到",
        message_id="<m@example.net>",
    )
    more = message_from_bytes(reply, policy=default)
    assert isinstance(more, EmailMessage)
    more.add_attachment(
        "水质达标。".encode(), maintype="text", subtype="plain", filename="报告.txt"
    )
    cli.drop(more.as_bytes(), NOW - timedelta(minutes=4), "c")
    again = mail(f"申诉 {receipt}", body="另有照片为证。", message_id="<n@example.net>")
    cli.drop(again, NOW - timedelta(minutes=3), "d")
    cli.good("once")
    assert cli.good("tasks").count("mailbot appeals show 1") == 3
    shown = cli.good("appeals", "show", "1")
    assert "附上水质报告。" in shown and "报告.txt" in shown and "另有照片为证。" in shown
    assert "贵单位提出的申诉已收到" not in shown  # our own words, quoted
    added = cli("appeals", "show", "1", "--json").json["more"]
    assert [m["text"] for m in added] == ["附上水质报告。", "另有照片为证。"]
    assert [m["files"] for m in added] == [["报告.txt"], []]
    assert [f"mail:{m['mail']}" in shown for m in added] == [True, True]
    cli.good("appeals", "answer", "1", "--text", "维持。")
    assert "mailbot appeals show 1" not in cli.good("tasks")


def test_requests_are_listed_and_replayed_as_mail(cli: Cli) -> None:
    (row,) = cli("items", "--decision", "command", "--json").json
    assert row["subject"].startswith("申诉 ")
    assert cli("replay", "--json").json["different"] == []
    assert len(cli("items", "--json").json) == 1  # it counts for nothing


def test_what_the_command_line_refuses(cli: Cli, tmp_path: Path) -> None:
    assert "9" in cli.refused("appeals", "show", "9")
    assert "9" in cli.refused("appeals", "answer", "9", "--text", "好")
    cli.refused("appeals", "answer", "1")
    cli.refused("appeals", "answer", "1", "--text", "x" * 10_001)
    missing = str(tmp_path / "none.txt")
    told = cli.refused("appeals", "answer", "1", "--file", missing)
    assert f"{missing}: " in told and "文件夹" not in told and "folder" not in told
    assert str(tmp_path) in cli.refused("appeals", "answer", "1", "--file", str(tmp_path))
    (tmp_path / "gbk.txt").write_bytes("经核实".encode("gbk"))
    cli.refused("appeals", "answer", "1", "--file", str(tmp_path / "gbk.txt"))
    cli.refused("appeals", "list", "--office", "nowhere")
    (tmp_path / "answer.txt").write_text("经核实，\n维持。\n", encoding="utf-8-sig")
    cli.good("appeals", "answer", "1", "--file", str(tmp_path / "answer.txt"))
    with speaking("en"):
        assert "wangfang" in cli.refused("appeals", "answer", "1", "--text", "再答")
    (row,) = cli("appeals", "list", "--all", "--json").json
    assert row["answer"] == "经核实，\n维持。"
