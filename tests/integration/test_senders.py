"""Whom intake answers, how often, and which office takes a mail."""

from __future__ import annotations

import dataclasses
import email
import itertools
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from email.policy import default
from pathlib import Path

import pytest

from mailbot.core.mail.compose import HEADERS
from mailbot.core.rules.rulebook import OfficeBook, SenderPolicy
from mailbot.core.subject.roster import Roster, Unit, UnitName
from tests.integration.intake_help import (
    ARTICLE,
    LIAISON,
    LINE,
    NOON,
    OFFICE_ADDRESS,
    World,
    item,
    letter,
    otog,
    photo,
    reply_to,
    text_file,
    with_limits,
    with_policy,
)

STRANGER = "stranger@example.net"
MX = frozenset({"mx.example.org"})
PASS = {"Authentication_Results": "mx.example.org; dkim=pass header.d=example.com"}
FAIL = {"Authentication_Results": "mx.example.org; dmarc=fail header.from=example.com"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def text_of(raw: bytes) -> str:
    body = email.message_from_bytes(raw, policy=default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


# --- sender policies -------------------------------------------------------------------------


def test_open_a_new_address_is_accepted_flagged_and_proposed(world: World) -> None:
    settled = world.receive(item())
    assert "first_address" in settled.items[0].flags
    assert "unverified" in settled.items[0].flags
    with world.store.reading() as reads:
        found = reads.binding("otog", LIAISON)
    assert found is not None
    assert (found.state, found.unit_id) == ("proposed", settled.items[0].unit_id)
    again = world.receive(item("草原防火宣传深入牧户", text="火" * 300))
    assert "first_address" not in again.items[0].flags
    assert world.tasks() == ["complete"], "a person is asked once"


def test_bound_a_new_address_gets_one_neutral_note_ever(tmp_path: Path) -> None:
    world = World(tmp_path, with_policy(otog(), SenderPolicy.BOUND))
    for day in range(4):
        settled = world.receive(
            item(f"第{day}批草原生态补奖资金发放到户", text=f"{day}" * 300),
            at=NOON + timedelta(days=day),
        )
        assert settled.decision.kind.value == "hold"
    assert [k for k, _, _ in world.letters()] == ["pending"]
    assert world.items() == []
    note = text_of(world.sent()[0].raw)
    assert "农牧局" not in note, "nothing that a stranger could learn something from"
    assert "绑定" not in note
    assert set(world.tasks()) == {"unbound_sender"}


@pytest.mark.parametrize("policy", [SenderPolicy.BOUND, SenderPolicy.CLOSED])
def test_a_bound_address_is_served(tmp_path: Path, policy: SenderPolicy) -> None:
    world = World(tmp_path, with_policy(otog(), policy))
    world.bind(LIAISON, "agriculture")
    assert world.receive(item()).decision.kind.value == "accept"
    assert [k for k, _, _ in world.letters()] == ["acknowledgement"]


def test_closed_a_new_address_gets_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, with_policy(otog(), SenderPolicy.CLOSED))
    assert world.receive(item()).decision.kind.value == "hold"
    assert world.letters() == []
    assert world.tasks() == ["unbound_sender"]


def test_bound_to_one_unit_naming_another_is_held(world: World) -> None:
    world.bind(LIAISON, "agriculture")
    settled = world.receive(item(unit="水利局"))
    assert settled.decision.kind.value == "hold"
    assert [r.code for r in settled.decision.reasons] == ["other_unit"]
    assert [k for k, _, _ in world.letters()] == ["pending"]
    assert [s for _, s, _ in world.items()] == ["held"], "so that a person can release it"


def test_a_refused_address_is_stored_and_not_answered(world: World) -> None:
    world.bind(STRANGER, "", "refused")
    settled = world.receive(item(sender=STRANGER))
    assert settled.decision.kind.value == "hold"
    assert (world.letters(), world.items()) == ([], [])


def test_a13_a_forged_sender_is_held_in_silence(tmp_path: Path) -> None:
    """Faults A13."""
    world = World(tmp_path, authserv_ids=MX)
    world.receive(item(**PASS))
    for raw in (
        item(text="别的内容" * 50, **FAIL),
        letter("农牧局+春耕", "", **FAIL),
        letter(LINE, "", **FAIL, **reply_to(world.sent()[0])),
    ):
        settled = world.receive(raw)
        assert settled.decision.kind.value == "hold"
        assert settled.decision.task
    assert len(world.letters()) == 1
    assert world.items() == [("春耕备耕工作进展顺利", "accepted", "2026-08")]
    assert world.only_item().version_no == 1


def test_a13_without_the_servers_word_an_accepted_item_is_not_replaced(tmp_path: Path) -> None:
    """Faults A13: the mailbox names its server, the mail carries nothing of it."""
    world = World(tmp_path, authserv_ids=MX)
    first = world.receive(item(**PASS))
    forged = world.receive(item(text="别的内容。" + ARTICLE))
    assert forged.decision.kind.value == "hold"
    assert world.only_version(first.items[0].receipt) == 1
    new = world.receive(item("草原防火宣传深入牧户", text="火" * 300))
    assert new.decision.kind.value == "accept"
    assert "unverified" in new.items[0].flags


def test_a14_an_attackers_own_authentication_results_do_not_count(tmp_path: Path) -> None:
    """Faults A14."""
    world = World(tmp_path, authserv_ids=MX)
    first = world.receive(item(**PASS))
    raw = item(text="别的内容。" + ARTICLE)
    forged = b"Authentication-Results: mx.evil.example; dkim=pass header.d=example.com\r\n" + raw
    assert world.receive(forged).decision.kind.value == "hold"
    assert world.only_version(first.items[0].receipt) == 1


# --- backscatter and relaying ----------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        letter("恭喜您中奖", "点击 http://example.net 领取", sender=STRANGER),
        letter("hello", "I am interested in your products", sender=STRANGER),
        letter("", "", sender=STRANGER),
        letter("关于召开会议的通知", "请准时参加。", sender=STRANGER),
    ],
    ids=["advertisement", "English", "nothing", "a notice"],
)
def test_a16_a_stranger_without_anything_of_a_submission_gets_no_letter(
    world: World, raw: bytes
) -> None:
    """Faults A16."""
    settled = world.receive(raw)
    assert settled.decision.kind.value == "hold"
    assert (world.letters(), world.items()) == ([], [])
    assert settled.decision.task


@pytest.mark.parametrize(
    "raw",
    [
        letter("农牧局 春耕备耕", "正文如下。" + ARTICLE, sender=STRANGER),
        letter("春耕备耕 7622029", "正文如下。" + ARTICLE, sender=STRANGER),
        letter("春耕备耕", files=[text_file("春耕备耕.txt")], sender=STRANGER),
    ],
    ids=["a unit", "a telephone", "a file"],
)
def test_a16_a_stranger_with_something_of_one_is_sent_back_once_a_day(
    world: World, raw: bytes
) -> None:
    assert world.receive(raw).decision.kind.value == "return"
    assert [(k, r) for k, r, _ in world.letters()] == [("return", STRANGER)]
    second = world.receive(letter("水利局 安全饮水", "另一条。" + ARTICLE, sender=STRANGER))
    assert len(world.letters()) == 1
    assert "电话告知" in second.answer.task, "the liaison behind it must not wait for nothing"
    world.receive(
        letter("水利局 河湖巡查", "第三条。" + ARTICLE, sender=STRANGER),
        at=NOON + timedelta(days=1),
    )
    assert len(world.letters()) == 2


def test_a16_a_return_quotes_no_body_and_stays_short(world: World) -> None:
    world.receive(letter("农牧局+" + "春耕" * 200, "机要" + ARTICLE, sender=STRANGER))
    (sent,) = world.sent()
    text = text_of(sent.raw)
    assert "种子" not in text
    assert len(text.encode()) <= 2000


@pytest.mark.parametrize(
    "advert",
    [
        "http://cheap.example.net/buy",
        "www.cheap-loans.net",
        "cheap.vip/x",
        "HTTPS://CHEAP.TOP?a=1",
        "ｗｗｗ．ｃｈｅａｐ．ｃｏｍ",
    ],
)
def test_a17_nothing_of_an_advertisement_reaches_an_unverified_address(
    world: World, advert: str
) -> None:
    """Faults A17: in no place of the letter."""
    name = f"优惠{advert.replace('/', '_')}.txt"
    for raw in (
        letter(f"农牧局+低价贷款{advert}+张三+7622029", files=[text_file(name)], sender=STRANGER),
        letter(f"{advert}局+低价贷款{advert}+7622029", files=[text_file(name)], sender="b@x.com"),
    ):
        world.receive(raw)
    assert len(world.sent()) == 2
    for sent in world.sent():
        mail = email.message_from_bytes(sent.raw, policy=default)
        for part in (mail["Subject"], *(p.get_content() for p in mail.iter_parts())):
            shown = unicodedata.normalize("NFKC", str(part)).lower()
            assert "cheap" not in shown


def test_a11_a_hostile_subject_costs_no_time(world: World) -> None:
    world.receive(letter("农牧局 " + "a." * 15_000, ARTICLE, sender=STRANGER))
    assert len(world.letters()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"auto_submitted": "AUTO-GENERATED (by x); y=z"},
        {"Precedence": "bulk"},
        {"List_Id": "<x.example.com>"},
        {"X_Auto_Response_Suppress": "OOF"},
        {"Return_Path": "<>"},
        {"Reply_To": OFFICE_ADDRESS},
        {"Sender": f"bot <{OFFICE_ADDRESS.upper()}>"},
    ],
    ids=lambda h: next(iter(h)),
)
def test_the_gate_refuses_answers_of_every_kind(world: World, headers: dict[str, str]) -> None:
    world.receive(
        item(**headers),
        letter("农牧局+草原防火+张三", files=[text_file("x.txt")], **headers),
        letter("农牧局+7月信息3条+张三+7622029", files=[text_file("y.txt")], **headers),
    )
    assert world.letters() == []


def test_the_answer_goes_to_the_author_alone(world: World) -> None:
    """Faults L4, L11."""
    world.receive(
        item(Reply_To="list@example.net", Cc="a@example.com, b@example.com", message_id="m@x.com")
    )
    (sent,) = world.sent()
    mail = email.message_from_bytes(sent.raw, policy=default)
    assert mail.keys() == list(HEADERS)
    assert str(mail["To"]) == LIAISON == sent.recipient
    assert str(mail["In-Reply-To"]) == "<m@x.com>"
    assert not list(mail.iter_attachments())


# --- limits ----------------------------------------------------------------------------------


def submissions(count: int, **more: str) -> list[bytes]:
    return [
        item(f"第{n}批草原生态补奖资金发放到户", text=f"{n} " * 100, **more) for n in range(count)
    ]


def malformed(count: int, **more: str) -> list[bytes]:
    return [
        letter(
            f"农牧局+第{n}处饲草基地投入使用+张三",
            files=[text_file(f"{n}.txt", f"{n} 基地 " * 100)],
            **more,
        )
        for n in range(count)
    ]


def test_sixty_acknowledgements_a_day_then_one_word(world: World) -> None:
    world.receive(*submissions(65))
    kinds = [k for k, _, _ in world.letters()]
    assert kinds == ["acknowledgement"] * 60 + ["limit"]
    assert len(world.items()) == 65
    assert world.tasks().count("limit") == 1
    assert "60" in text_of(world.sent()[-1].raw)
    world.receive(item("新的一天", text="新" * 300), at=NOON + timedelta(days=1))
    assert world.letters()[-1][0] == "acknowledgement"


def test_twenty_returns_a_day_for_a_known_address(world: World) -> None:
    world.receive(item(), *malformed(23))
    kinds = [k for k, _, _ in world.letters()]
    assert kinds == ["acknowledgement"] + ["return"] * 20 + ["limit"]
    assert [s for _, s, _ in world.items()].count("returned") == 23


def test_the_same_malformed_mail_again_is_answered_once_more_a_day(world: World) -> None:
    """Not the same bytes: another Message-ID each time, as a client that resends makes it."""
    world.receive(item())
    for n in range(6):
        world.receive(
            letter(
                "农牧局+草原防火宣传深入牧户+张三",
                files=[text_file("x.txt", "火" * 300)],
                message_id=f"{n}@example.com",
            )
        )
    assert [k for k, _, _ in world.letters()] == ["acknowledgement", "return", "repeat"]
    assert len(world.items()) == 2


def test_pending_notes_have_a_daily_limit_too(world: World) -> None:
    world.bind(LIAISON, "agriculture")
    world.receive(
        *(item(f"第{n}批水利工程开工", unit="水利局", text=f"{n} " * 100) for n in range(23))
    )
    assert [k for k, _, _ in world.letters()] == ["pending"] * 20 + ["limit"]


def test_a16_the_breaker_trips_and_is_told_once(tmp_path: Path) -> None:
    world = World(tmp_path, with_limits(otog(), per_hour=5))
    senders = [f"s{n}@example.com" for n in range(9)]
    world.receive(
        *(item(f"第{n}批补奖资金发放", text=f"{n} " * 100, sender=s) for n, s in enumerate(senders))
    )
    assert len(world.letters()) == 5
    assert len(world.items()) == 9
    assert world.tasks().count("breaker") == 1
    world.receive(item("一小时以后", text="后" * 300), at=NOON + timedelta(hours=2))
    assert len(world.letters()) == 6


def test_a_thousand_mails_of_one_sender_in_a_minute(world: World) -> None:
    """Faults R5, in small: everything is stored, answers are capped, the office is told once."""
    world.receive(
        *(
            letter("农牧局+草原防火+张三", f"{n} " * 100, message_id=f"{n}@x.com")
            for n in range(200)
        )
    )
    assert len(world.rows("select inbound_id from mail")) == 200
    assert len(world.letters()) <= 2
    assert world.tasks().count("limit") <= 1


# --- loops -----------------------------------------------------------------------------------

Responder = Callable[[int, bytes, str], bytes]


def _subject(raw: bytes) -> str:
    return str(email.message_from_bytes(raw, policy=default)["Subject"])


def quoting(n: int, raw: bytes, message_id: str) -> bytes:
    return letter(
        "Re: " + _subject(raw),
        "您好，我正在休假，回来后处理。\n\n在 2026-08-12，office 写道：\n" + text_of(raw),
        message_id=f"auto{n}@example.com",
        In_Reply_To=f"<{message_id}>",
        References=f"<{message_id}>",
    )


def predecessor_only(n: int, raw: bytes, message_id: str) -> bytes:
    return letter(
        "已收到您的邮件 农牧局 7622029",
        f"第{n}号自动确认，农牧局办公室 7622029。",
        message_id=f"auto{n}@example.com",
        In_Reply_To=f"<{message_id}>",
    )


def made_up_references(n: int, raw: bytes, message_id: str) -> bytes:
    return letter(
        "农牧局 业务系统回执 7622029",
        f"流水号{n}。农牧局业务系统已受理，请勿回复，联系电话 7622029。",
        message_id=f"auto{n}@example.com",
        In_Reply_To=f"<{message_id}>",
        References=f"<random{n}@example.com> <{message_id}>",
    )


def without_any_reference(n: int, raw: bytes, message_id: str) -> bytes:
    return letter("Re: " + _subject(raw), "我在出差，请联系农牧局办公室 7622029。")


def ticket_system(n: int, raw: bytes, message_id: str) -> bytes:
    return letter(
        "农牧局 已受理 7622029",
        "您的来信已受理，请联系农牧局办公室 7622029。",
        message_id=f"t{n}@example.com",
    )


def with_a_logo(n: int, raw: bytes, message_id: str) -> bytes:
    return letter(
        "Re: " + _subject(raw),
        "收到，谢谢",
        [photo("logo.jpg")],
        message_id=f"l{n}@example.com",
        In_Reply_To=f"<{message_id}>",
    )


@pytest.mark.parametrize(
    "responder",
    [
        quoting,
        predecessor_only,
        made_up_references,
        without_any_reference,
        ticket_system,
        with_a_logo,
    ],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("first", ["accepted", "returned"])
def test_a_responder_without_any_sign_of_one_soon_gets_no_more(
    world: World, responder: Responder, first: str
) -> None:
    """Faults L2: up to a hundred rounds, all on one day; it falls silent when we do."""
    start = item() if first == "accepted" else malformed(1)[0]
    world.receive(start)
    for n in range(100):
        sent = world.sent()
        if len(sent) <= n:
            break
        world.receive(responder(n, sent[n].raw, sent[n].message_id))
    assert len(world.letters()) <= 3
    counted = [s for _, s, _ in world.items() if s == "accepted"]
    assert len(counted) == (first == "accepted"), "chatter is no submission"


@pytest.mark.parametrize("words", ["收到，谢谢！", "好的，知道了", "谢谢老师，辛苦了。", ""])
@pytest.mark.parametrize("first", ["accepted", "returned"])
def test_thanks_are_for_people(world: World, words: str, first: str) -> None:
    world.receive(item() if first == "accepted" else malformed(1)[0])
    (ours,) = world.sent()
    settled = world.receive(letter("回复：" + ours.subject, words, **reply_to(ours)))
    assert settled.decision.kind.value == "hold"
    assert [r.code for r in settled.decision.reasons] == ["reply"]
    assert len(world.letters()) == 1
    assert len(world.items()) == 1
    assert world.rows("select version_no from item") == [(1,)]


def test_an_added_number_behind_our_own_subject_is_a_correction(world: World) -> None:
    """People edit the subject of our letter in their reply instead of replacing it."""
    world.receive(letter("农牧局+春耕备耕进展+张三", files=[text_file("x.txt")]))
    (ours,) = world.sent()
    settled = world.receive(letter(f"回复：{ours.subject}+7622029", "", **reply_to(ours)))
    assert settled.decision.kind.value == "accept"
    assert world.items() == [("春耕备耕进展", "accepted", "2026-08")]


# --- several offices on one mailbox ----------------------------------------------------------


def duty() -> OfficeBook:
    """An office with an urgent lane and a small roster of its own."""
    info = dataclasses.replace(
        otog().info, id="duty", name="甲市人民政府值班室", receipt_prefix="ZB", urgent_lane=True
    )
    units = tuple(
        Unit(i, (UnitName(n),), "group1")
        for i, n in (("yingji", "甲市应急局"), ("shoufei", "市首飞公司"))
    )
    return dataclasses.replace(
        otog(),
        info=info,
        roster=Roster(units, ()),
        conventions=with_policy(otog(), SenderPolicy.CLOSED).conventions,
    )


@pytest.fixture
def two(tmp_path: Path) -> World:
    return World(tmp_path, otog(), duty())


def test_each_office_takes_the_mail_that_names_its_units(two: World) -> None:
    assert two.receive(item()).office == "otog"
    assert two.receive(item(unit="甲市应急局")).office == "duty"
    assert two.receive(letter("您好", "请问几点上班？")).office == "otog", "the first one"


URGENT = [
    letter("甲市应急局要情专报", "某水库出现险情。", sender=STRANGER),
    letter("要情专报", "", sender=STRANGER),
    letter("关于情况", "见附件", [text_file("甲市应急局要情专报.txt")], sender=STRANGER),
    letter("情况", "甲市应急局要情专报\n某路段山体滑坡。", sender=STRANGER),
    letter("不认识的单位要情专报", "突发情况。", sender=STRANGER),
    letter("甲市应急局要情专报", "内部资料 注意保存\n某水库出现险情。", sender=STRANGER),
    letter("甲市应急局要情专报（紧急）", "x" * 30_000, sender=STRANGER),
]


@pytest.mark.parametrize("raw", URGENT, ids=range(len(URGENT)))
def test_an_urgent_report_is_never_returned_and_never_held(tmp_path: Path, raw: bytes) -> None:
    """济政办字〔2016〕47号 “打破层层审核”: whatever is missing, unbound, marked or too large."""
    world = World(tmp_path, otog(), duty(), cap=20_000)
    settled = world.receive(raw)
    assert (settled.office, settled.decision.lane) == ("duty", "urgent")
    assert settled.decision.kind.value == "accept"
    assert [(k, r) for k, r, _ in world.letters()] == [("acknowledgement", STRANGER)]
    assert world.tasks() == ["urgent"]
    assert world.rows("select lane from item") == [("urgent",)]


def test_a_follow_up_never_replaces_the_first_report(two: World) -> None:
    two.receive(letter("甲市应急局要情专报", "某水库出现险情。" + ARTICLE, sender=STRANGER))
    two.receive(
        letter(
            "甲市应急局要情专报续报",
            "险情已经排除。" + ARTICLE,
            sender=STRANGER,
            **reply_to(two.sent()[0]),
        )
    )
    assert two.rows("select version_no from item") == [(1,), (1,)]
    assert two.rows("select relation, to_item from link") == [("reply", 1)]


def test_a_forged_urgent_report_is_held_but_told_at_once(tmp_path: Path) -> None:
    world = World(tmp_path, duty(), authserv_ids=MX)
    settled = world.receive(letter("甲市应急局要情专报", "险情。", **FAIL))
    assert settled.decision.kind.value == "hold"
    assert settled.decision.lane == "urgent"
    assert "电话核实" in settled.decision.task
    assert world.letters() == []


def test_a_secrets_mark_comes_before_the_urgent_lane(two: World) -> None:
    settled = two.receive(letter("甲市应急局要情专报", "秘密★1年\n险情。", sender=STRANGER))
    assert settled.decision.kind.value == "quarantine"
    assert settled.decision.lane == "urgent", "so that the duty desk is told too"
    assert two.letters() == []


@pytest.mark.parametrize(
    "subject",
    [
        "农牧局+关于加强要情专报工作的通知+张三+7622029",
        "农牧局+要情专报制度落实情况+张三+7622029",
        "农牧局+市专报采用三条+张三+7622029",
    ],
)
def test_the_word_alone_enters_no_lane(two: World, subject: str) -> None:
    settled = two.receive(letter(subject, files=[text_file("x.txt")]))
    assert settled.decision.lane == "item"


def test_an_office_without_the_lane_reads_it_as_any_item(world: World) -> None:
    settled = world.receive(letter("农牧局要情专报", "情况。", sender=STRANGER))
    assert settled.decision.lane == "item"


def test_policies_do_not_leak_between_offices(two: World) -> None:
    """otog is open, the duty office closed."""
    assert two.receive(item(sender=STRANGER)).decision.kind.value == "accept"
    assert two.receive(item(unit="甲市应急局", sender="n@x.com")).decision.kind.value == "hold"
    assert len(two.letters()) == 1


def test_internal_material_is_held_with_everything_a_person_needs(world: World) -> None:
    settled = world.receive(item(text="内部资料 注意保存\n" + ARTICLE))
    assert [r.code for r in settled.decision.reasons] == ["internal"]
    assert [s for _, s, _ in world.items()] == ["held"]
    assert [k for k, _, _ in world.letters()] == ["pending"]
    assert world.tasks() == ["internal"]


def test_ids_of_letters_are_unique(world: World) -> None:
    world.receive(*submissions(5), *malformed(5))
    ids = [s.message_id for s in world.sent()]
    assert len(set(ids)) == len(ids) == 10
    assert all(a != b for a, b in itertools.pairwise(ids))


def test_staff_hear_of_a_new_item_that_an_old_conversation_leaves_unanswered(world: World) -> None:
    world.receive(letter("农牧局+第一条信息标题内容+张三+7622029", ARTICLE))
    for number, title in enumerate(
        ("草原防火部署到位", "秋收进度过半", "冬储饲草充足", "牛羊出栏有序")
    ):
        last = world.receive(
            letter(
                f"农牧局+{title}+张三+7622029",
                title * 30,
                message_id=f"thread{number}@example.com",
                **reply_to(world.sent()[-1]),
            )
        )
    assert last.decision.kind.value == "accept"
    assert last.answer.letter is None and "没有再自动答复" in last.answer.task


def test_the_example_in_a_return_is_the_senders_units_and_names_nobody(tmp_path: Path) -> None:
    world = World(tmp_path)
    settled = world.receive(letter("教体局+秋季开学准备就绪+张三", "正文。" * 60))
    assert settled.kind == "return" and settled.answer.rendered is not None
    (line,) = [t for t in settled.answer.rendered.text.splitlines() if t.startswith("示例：")]
    assert "农牧局" not in line and "7622029" not in line
    name = world.books[0].roster.get("education").name
    assert name in line and "13900000000" in line
