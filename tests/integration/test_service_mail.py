"""查询, 帮助 and delivery failures by mail, on the real intake: what each answer says, and that
nothing of another unit is ever in one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from mailbot.app.duties.recipients import LIAISON as ROLE
from mailbot.app.posting import Addressee, Posted
from mailbot.app.records import Outgoing
from mailbot.app.scoring import NotScored
from mailbot.app.service import account
from mailbot.app.staff import bind
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.periodic import AdoptionNews
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.subject.roster import Contact
from tests.integration.intake_help import item, letter, otog, reply_to, text_file, with_limits
from tests.integration.morning_help import bounce_of, office
from tests.integration.service_help import ANOTHER, LIAISON, OTHER, UNIT, Service, text_of

PASSED = "mx.example.org; dmarc=pass header.from=example.com"
FAILED = "mx.example.org; dmarc=fail header.from=example.com"


@pytest.fixture
def desk(tmp_path: Path) -> Service:
    return Service(tmp_path)


def sent(desk: Service, title: str, unit: str = "农牧局", sender: str = LIAISON) -> str:
    """The receipt number of an accepted item."""
    settled = desk.world.receive(item(title, unit, sender=sender))
    assert settled.kind == "accept"
    return settled.items[0].receipt


# --- 查询


def test_an_account_of_the_running_month(desk: Service) -> None:
    own = sent(desk, "春耕备耕工作进展顺利")
    theirs = sent(desk, "牧区饮水安全工程完工", "水利局", OTHER)
    desk.adopt(own, day="2026-08-12")
    desk.adopt(theirs, day="2026-08-12")
    desk.ask("农牧局+缺少联系方式的信息标题+张三", files=[text_file("a.txt")])
    settled = desk.ask("Re: 【查询】")
    assert (settled.kind, settled.items) == ("command", ())
    said = desk.said(settled)
    assert "2026年8月共计入信息1条，另有1条尚未计入，得分31分" in said
    assert "应报8条，已报1条，还差7条" in said
    assert "缺少联系方式的信息标题" in said and "《每日要情》采用" in said
    assert "二（四）1" in said  # the clause
    assert "水利" not in said and "饮水" not in said and theirs not in said
    html = settled.answer.rendered.html if settled.answer.rendered else ""
    assert "春耕备耕工作进展顺利" in html and "饮水" not in html


def test_a_month_before_anything_was_recorded_is_no_debt(desk: Service) -> None:
    assert "还没有开始登记" in desk.said(desk.ask("查询 上月"))
    sent(desk, "春耕备耕工作进展顺利")
    july = desk.said(desk.ask("查询 上月"))
    assert "2026年7月本系统还没有开始登记" in july and "少报" not in july and "0分" not in july
    assert "还没有开始登记" not in desk.said(desk.ask("查询"))


def test_a_month_that_is_over_and_a_quarter_that_runs(desk: Service) -> None:
    now = desk.clock.now()
    desk.world.receive(item("渠道清淤完成", "水利局", sender=OTHER), at=now - timedelta(days=20))
    desk.clock.time = now  # another unit's: so much was registered in July
    sent(desk, "春耕备耕工作进展顺利")
    july = desk.said(desk.ask("查询 上月"))
    assert "2026年7月共计入信息0条，得分0分。" in july
    assert "应报8条，实报0条，少报8条" in july
    quarter = desk.said(desk.ask("查询 三季度"))
    assert "2026年第三季度共计入信息1条" in quarter
    assert "已结束的月份" in quarter  # of the running quarter only July is owed for good


def test_what_cannot_be_looked_up_is_told(desk: Service) -> None:
    assert "2027年1月还没有开始" in desk.said(desk.ask("查询 2027年1月"))
    assert "“2026年13月”不是月份" in desk.said(desk.ask("查询 2026年13月"))
    assert "2021年还没有报送任务和计分的规定" in desk.said(desk.ask("查询 2021年"))


def test_an_item_with_its_story(desk: Service) -> None:
    receipt = sent(desk, "春耕备耕工作进展顺利")
    number = desk.adopt(receipt, day="2026-08-12")
    desk.take_back(number)
    desk.adopt(receipt, journal="政讯", day="2026-08-12")
    said = desk.said(desk.ask(f"查询 {receipt.lower()}"))
    assert "2026年8月12日12:00收到并登记" in said
    assert "《每日要情》采用（记录1），后已撤销" in said
    assert "采用（记录3）" in said and "已登记" in said
    returned = desk.ask("农牧局+缺少联系方式的信息标题+张三", files=[text_file("a.txt")])
    said = desk.said(desk.ask(f"查询 {returned.items[0].receipt}"))
    assert "因不符合报送要求退回" in said and "已退回，待更正" in said
    assert "目前没有计分记录" in said


def test_another_units_number_is_as_if_it_did_not_exist(desk: Service) -> None:
    theirs = sent(desk, "牧区饮水安全工程完工", "水利局", OTHER)
    unknown = theirs[:-4] + "9999"
    answers = [desk.said(desk.ask(f"查询 {n}")).replace(n, "N") for n in (theirs, unknown)]
    assert answers[0] == answers[1] and "没有编号为N的信息" in answers[0]
    assert theirs in desk.said(desk.ask(f"查询 {theirs}", OTHER))


def test_of_a_joint_item_only_the_own_points_are_shown(desk: Service) -> None:
    receipt = sent(desk, "联合调研报告完成", "水利局", OTHER)
    desk.adopt(receipt, day="2026-08-12", partners="农牧局")
    own = desk.ask("查询")
    said = desk.said(own)
    assert "采用《联合调研报告完成》" in said and "记录1" in said
    assert "水利" not in said and receipt not in said
    assert desk.said(desk.ask(f"查询 {receipt}")).count("没有编号为") == 1
    assert "申诉已收到，编号为第1号" in desk.said(desk.ask("申诉 记录1"))


def test_a_query_with_a_document_makes_somebody_look(desk: Service) -> None:
    settled = desk.ask("查询", files=[text_file("春耕信息.txt")])
    assert settled.kind == "command" and desk.said(settled)
    assert any("带有附件" in text for _, text in desk.open_tasks())


def test_a_record_that_cannot_be_scored_keeps_nothing_else_back(desk: Service) -> None:
    sent(desk, "春耕备耕工作进展顺利")

    def refuse(*_: object) -> None:
        raise NotScored("unscorable", "record:1", "x")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(account, "statement_in", refuse)
        said = desk.said(desk.ask("查询"))
    assert "有一条记录正在核对" in said and "春耕备耕工作进展顺利" in said and "得分" not in said


# --- 帮助


def test_help_to_a_bound_address(desk: Service) -> None:
    said = desk.said(desk.ask("帮助", OTHER))
    assert "水利局+" in said and "报送单位、信息标题、报送人、联系方式" in said
    assert "申诉 EQ202608-0001" in said


def test_help_to_a_known_sender_promises_no_commands(desk: Service) -> None:
    desk.world.receive(item("林草资源保护", "林草局", sender="known@example.com"))
    settled = desk.ask("帮助", "known@example.com")
    assert settled.kind == "command"
    assert "查询" not in desk.said(settled) and "帮助：收到本说明" in desk.said(settled)
    assert desk.ask("查询", "known@example.com").kind == "hold"


# --- who is answered


@pytest.mark.parametrize("subject", ["查询", "帮助", "申诉 EQ202608-0001", "查询 EQ202608-0001"])
def test_a_stranger_is_held_in_silence(desk: Service, subject: str) -> None:
    sent(desk, "春耕备耕工作进展顺利")
    before = len(desk.world.letters())
    settled = desk.ask(subject, "stranger@example.com")
    assert (settled.kind, settled.answer.letter) == ("hold", None)
    assert len(desk.world.letters()) == before
    assert any("未绑定的邮箱来信" in text for _, text in desk.open_tasks())
    assert desk.appeals() == []


def test_a_refused_or_forged_sender_gets_nothing(tmp_path: Path) -> None:
    desk = Service(tmp_path, authserv_ids=frozenset({"mx.example.org"}))
    forged = desk.ask("查询", Authentication_Results=FAILED)
    assert (forged.kind, forged.answer.letter) == ("hold", None)
    assert forged.facts.authentication is AuthResult.FAIL
    assert desk.ask("查询", Authentication_Results=PASSED).kind == "command"
    desk.world.bind(LIAISON, "", "refused")
    refused = desk.ask("查询 上月", Authentication_Results=PASSED)
    assert (refused.kind, refused.answer.letter) == ("hold", None)


def test_an_address_of_the_roster_needs_no_binding(tmp_path: Path) -> None:
    people = {UNIT: (Contact("liaison", "王甲", address="wangjia@example.org"),)}
    desk = Service(tmp_path, office(contacts=people))
    assert desk.said(desk.ask("查询", "wangjia@example.org")).startswith("农牧局：")


def test_once_bound_a_held_query_is_answered(desk: Service) -> None:
    held = desk.ask("查询", "new@example.com")
    with desk.world.store.reading() as reads:
        row = reads.inbound(held.inbound_id)
    assert row is not None
    (again,) = bind(
        *("new@example.com", ANOTHER, "王芳芳", lambda _: desk.world.settler, "otog"),
        [row],
        desk.world.store,
        desk.clock.now(),
    )
    assert again.kind == "command" and desk.said(again).startswith("水利局：")


# --- the same gate and limits


def test_the_gate_refuses_machines(desk: Service) -> None:
    settled = desk.ask("查询", Precedence="bulk")
    assert settled.answer.letter is None and settled.answer.none.startswith("gate")


def test_the_days_limit_and_the_threads(tmp_path: Path) -> None:
    book = office()
    desk = Service(
        tmp_path, replace(book, limits=with_limits(otog(), acknowledgements_per_day=2).limits)
    )
    answers = [desk.ask(f"查询 2026年{n}月").answer for n in (1, 2, 3, 4)]
    assert [a.kind.value if a.kind else a.none for a in answers] == [
        *("service", "service", "limit", "limit: day"),
    ]
    desk = Service(tmp_path / "two", book)
    first = desk.ask("查询", message_id="q1@example.com")
    kinds = [first]
    for n in range(4):
        replied = reply_to(desk.world.sent()[-1])
        kinds.append(desk.ask("Re: 查询", message_id=f"q{n + 2}@example.com", **replied))
    assert [k.answer.none for k in kinds] == ["", "", "", "limit: thread", "limit: thread"]


def test_an_old_query_is_withheld(desk: Service) -> None:
    desk.world.box.put(letter("查询", "", sender=LIAISON), desk.clock.now() - timedelta(days=5))
    desk.world.run()
    assert desk.world.letters()[-1][0::2] == ("service", "withheld")
    assert desk.world.tasks() == ["withheld"]


# --- never an item, never a lost item


@pytest.mark.parametrize(
    "title", ["查询系统上线", "关于开展养老待遇查询的情况", "申诉渠道更加畅通"]
)
def test_a_submission_about_such_a_thing_is_an_item(desk: Service, title: str) -> None:
    settled = desk.world.receive(item(title, sender=LIAISON))
    assert settled.kind == "accept" and settled.items[0].version.title == title


# --- bounces


def reminder(desk: Service, unit: str = UNIT, role: str = ROLE, key: str = "k") -> int:
    """A letter of our own accord in the outbox."""
    news = AdoptionNews(desk.card(desk.book), "农牧局", "", ())
    to = Addressee("x@example.org", role, unit)
    posted = Posted(key, LetterKind.NEWS, news, to)
    with desk.world.store.begin() as tx:
        return desk.world.posting().queue(tx, posted, "duty:news", desk.book, desk.clock.now())


def test_a_failure_about_a_letter_of_ours_makes_a_task(desk: Service) -> None:
    number = reminder(desk)
    settled = desk.world.receive(bounce_of(_last_letter(desk)))
    assert settled.kind == "ignore"
    ((kind, text),) = desk.open_tasks()
    assert kind == "bounce" and text.startswith("给农牧局信息员（x@example.org）的《")
    assert "没有送达：地址不存在（550 User not found）；请核对名册里的邮箱" in text
    with desk.world.store.reading() as reads:
        found = reads.letter(number)
    assert found is not None and found.bounced_by == settled.inbound_id
    desk.world.receive(bounce_of(_last_letter(desk)).replace(b"Postmaster", b"Mailer-Daemon"))
    assert len(desk.open_tasks()) == 1


def test_a_failed_answer_is_linked_without_a_task(desk: Service) -> None:
    desk.ask("查询")
    desk.world.receive(bounce_of(desk.world.sent()[-1]))
    assert desk.open_tasks() == []


@pytest.mark.parametrize(("action", "status"), [("delayed", "4.4.1"), ("delivered", "2.0.0")])
def test_a_delay_is_no_failure(desk: Service, action: str, status: str) -> None:
    number = reminder(desk)
    settled = desk.world.receive(_dsn(_last_letter(desk).message_id, action, status))
    with desk.world.store.reading() as reads:
        found = reads.letter(number)
    assert found is not None and found.bounced is None
    assert desk.open_tasks() == []
    assert (settled.kind, settled.decision.reasons[0].text[:4]) == ("ignore", "投递延迟")


def test_a_failure_by_the_standard_gives_its_reason(desk: Service) -> None:
    reminder(desk, unit="", role="approver")
    desk.world.receive(_dsn(_last_letter(desk).message_id, "failed", "5.2.2"))
    ((_, text),) = desk.open_tasks()
    assert text.startswith("给x@example.org的《") and "对方邮箱已满" in text
    assert "letters.toml" in text


def _last_letter(desk: Service) -> Outgoing:
    return desk.world.sent()[-1]


def _dsn(message_id: str, action: str, status: str) -> bytes:
    lines = (
        "From: postmaster@example.net",
        "To: xinxi@example.org",
        "Subject: Delivery Status Notification",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        *("", "--b", "Content-Type: text/plain", "", "About your message."),
        *(
            "--b",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.example.net",
            "",
        ),
        "Final-Recipient: rfc822; x@example.org",
        *(f"Action: {action}", f"Status: {status}", ""),
        *(
            "--b",
            "Content-Type: message/rfc822",
            "",
            f"Message-ID: <{message_id}>",
            "Subject: x",
            "",
        ),
        *("x", "--b--", ""),
    )
    return "\r\n".join(lines).encode()


def test_the_answer_is_a_whole_mail(desk: Service) -> None:
    desk.ask("查询")
    mail = desk.world.sent()[-1]
    assert text_of(mail.raw).startswith("农牧局：") and mail.subject.startswith("【查询】农牧局")


def test_who_has_left_the_unit_gets_no_account_of_it_any_more(tmp_path: Path) -> None:
    book = office()
    left = Contact("liaison", "张三", address=LIAISON, end=date(2026, 8, 1))
    units = [
        replace(u, contacts=(*(c for c in u.contacts if c.address != LIAISON), left))
        if u.id == UNIT
        else u
        for u in book.roster.units
    ]
    desk = Service(tmp_path, book.with_units(units))
    settled = desk.ask("查询")
    assert (settled.kind, settled.answer.none) == ("hold", "unbound_command")
