"""Corrections, re-sends, second versions and mails with several items, through the real intake.

Each test is a short correspondence; what counts is what stands in the records afterwards.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailbot.adapters.system import SHANGHAI
from mailbot.app.settle import Settled
from mailbot.core.intake.model import Relation
from mailbot.core.subject.form import corrected_subject
from tests.integration.intake_help import (
    ARTICLE,
    NOON,
    ZIP,
    World,
    item,
    letter,
    photo,
    reply_to,
    text_file,
)

OTHER = "wangfangfang@example.net"
NO_CONTACT = "农牧局+春耕备耕工作进展顺利+张三"
FULL = "农牧局+春耕备耕工作进展顺利+张三+7622029"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def kinds(world: World) -> list[str]:
    return [s.decision.kind.value for s in world.log]


def line_of(settled: Settled) -> str:
    assert settled.decision.reading is not None
    line, complete = corrected_subject(settled.decision.reading, settled.facts.book.roster)
    assert complete
    return line


def pasted(line: str, **more: str) -> bytes:
    """A new mail with nothing but the line."""
    return letter(line, "", message_id=f"{abs(hash((line, *more.values())))}@example.com", **more)


# --- several items in one mail ---------------------------------------------------------------


THREE = [
    text_file("1.秋粮收购资金到位.txt", "甲" * 300),
    text_file("2.农机检修完成.txt", "乙" * 300),
    text_file("3.高素质农民培训启动.txt", "丙" * 300),
]


def test_three_stated_three_attached_is_three_items(world: World) -> None:
    world.receive(letter("农牧局+7月信息3条+张三+7622029", files=THREE))
    assert world.items() == [
        ("秋粮收购资金到位", "accepted", "2026-08"),
        ("农机检修完成", "accepted", "2026-08"),
        ("高素质农民培训启动", "accepted", "2026-08"),
    ], "7月 received in August is August"
    assert world.letters() == [("acknowledgement", "liaison@example.com", "ready")]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(THREE[:2], id="two files"),
        pytest.param([*THREE, text_file("4.又一条.txt", "丁" * 300)], id="four files"),
        pytest.param([("7月信息.zip", ZIP, "application/zip")], id="a zip"),
        pytest.param([photo(f"{i}.jpg") for i in range(3)], id="photographs only"),
    ],
)
def test_counts_that_disagree_are_held_and_told_pending(
    world: World, files: list[tuple[str, bytes, str]]
) -> None:
    settled = world.receive(letter("农牧局+7月信息3条+张三+7622029", files=files))
    assert settled.decision.kind.value == "hold"
    assert [k for k, _, _ in world.letters()] == ["pending"]
    assert world.tasks() == ["counts_disagree"]
    assert [state for _, state, _ in world.items()] == ["held"]


def test_a_photographed_copy_is_no_item_of_its_own(world: World) -> None:
    files = [text_file("春耕备耕工作进展顺利.txt"), photo("春耕备耕工作进展顺利（签批件）.jpg")]
    world.receive(letter(FULL, files=files))
    assert [t for t, _, _ in world.items()] == ["春耕备耕工作进展顺利"]
    assert len(world.only_item().version.attachment_paths) == 2


def test_photographs_go_with_the_item_they_are_named_after(world: World) -> None:
    files = [*THREE, photo("农机检修完成.jpg"), photo("签批单.jpg")]
    settled = world.receive(letter("农牧局+7月信息3条+张三+7622029", files=files))
    assert [len(d.attachment_paths) for d in settled.decision.drafts] == [2, 2, 1]


def test_a_returned_mail_of_three_is_corrected_by_its_line_alone(world: World) -> None:
    returned = world.receive(letter("农牧局+7月信息3条+张三", files=THREE))
    assert returned.decision.kind.value == "return"
    receipts = [i.receipt for i in returned.items]
    settled = world.receive(pasted("农牧局+7月信息3条+张三+7622029"))
    assert settled.decision.kind.value == "accept"
    assert [i.receipt for i in settled.items] == receipts
    assert [t for t, _, _ in world.items()] == [
        "秋粮收购资金到位",
        "农机检修完成",
        "高素质农民培训启动",
    ]
    assert {state for _, state, _ in world.items()} == {"accepted"}
    paths = [i.version.attachment_paths for i in settled.items]
    assert len(set(paths)) == 3, "each keeps its own file"


def test_one_item_of_three_is_corrected_and_the_others_stay(world: World) -> None:
    world.receive(letter("农牧局+7月信息3条+张三+7622029", files=THREE))
    ack = world.sent()[0]
    settled = world.receive(
        letter(
            "农牧局+农机检修完成+李四+7622029",
            files=[text_file("农机检修完成.txt", "新" * 300)],
            **reply_to(ack),
        )
    )
    assert [r for r, _ in settled.decision.item_links] == [Relation.CORRECTION]
    assert len(world.items()) == 3
    versions = [r[0] for r in world.rows("select version_no from item order by id")]
    assert versions == [1, 2, 1]


# --- corrections of a return -----------------------------------------------------------------


def test_a_reply_with_the_corrected_line_keeps_number_month_and_files(world: World) -> None:
    first = world.receive(letter(NO_CONTACT, files=[text_file("春耕.txt")]))
    settled = world.receive(letter(line_of_with_contact(first), "", **reply_to(world.sent()[0])))
    assert settled.decision.kind.value == "accept"
    assert settled.items[0].receipt == first.items[0].receipt
    assert world.items() == [("春耕备耕工作进展顺利", "accepted", "2026-08")]
    version = world.only_item().version
    assert version.attachments_from == first.inbound_id
    assert version.attachment_paths


def line_of_with_contact(settled: Settled) -> str:
    assert settled.decision.reading is not None
    line, complete = corrected_subject(settled.decision.reading, settled.facts.book.roster)
    assert not complete
    return line.replace("（请填联系方式）", "7622029")


def test_files_survive_two_corrections_without_any(world: World) -> None:
    """The second correction's predecessor has no files of its own."""
    first = world.receive(letter("农牧局+春耕备耕工作进展顺利", files=[text_file("春耕.txt")]))
    second = world.receive(pasted(NO_CONTACT))
    assert second.decision.kind.value == "return"
    assert {p.code.value for p in second.decision.problems} == {"contact_missing"}
    third = world.receive(pasted(FULL))
    assert third.decision.kind.value == "accept"
    version = world.only_item().version
    assert version.attachments_from == first.inbound_id
    assert version.attachment_paths == first.items[0].version.attachment_paths
    shown = world.sent()[-1].raw
    assert "沿用首次来信附件" in _text(shown)


def _text(raw: bytes) -> str:
    import email
    from email.policy import default

    body = email.message_from_bytes(raw, policy=default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_the_category_found_in_the_first_mails_text_is_kept(world: World) -> None:
    text = (
        "一、存在问题\n牧区饮水安全仍有短板，部分嘎查供水不足。\n二、原因分析\n水源工程老化，资金不足。\n"
        "三、对策建议\n建议增加投入，更新管网，落实管护责任。\n" + ARTICLE
    )
    first = world.receive(
        letter(
            "农牧局+【问题】牧区饮水安全存在的困难问题及建议+张三",
            files=[text_file("牧区饮水.txt", text)],
        )
    )
    assert first.items[0].version.category == "problem"
    done = world.receive(pasted("农牧局+牧区饮水安全存在的困难问题及建议+张三+7622029"))
    assert done.items[0].receipt == first.items[0].receipt
    assert done.items[0].version.category == "problem"


def test_a_category_staff_have_set_survives_a_new_version(world: World) -> None:
    first = world.receive(item())
    with world.store.begin() as tx:
        tx.set_category(first.items[0].id, "research", "王芳芳", "内容是调研报告", NOON)
    world.receive(item("春耕备耕工作进展顺利（修改稿）", text="改过的正文。" + ARTICLE))
    found = world.only_item()
    assert found.version_no == 3
    assert (found.version.category, found.version.category_by) == ("research", "staff")


def test_two_open_returns_of_one_sender_are_not_mixed_up(world: World) -> None:
    spring = world.receive(
        letter("农牧局+春耕备耕工作进展顺利+张三", files=[text_file("a.txt", "春" * 200)])
    )
    flood = world.receive(
        letter("农牧局+草原防火宣传深入牧户+张三", files=[text_file("b.txt", "火" * 200)])
    )
    done = world.receive(pasted("农牧局+春耕备耕工作进展顺利+张三+7622029"))
    assert [i.receipt for i in done.items] == [spring.items[0].receipt]
    assert world.items() == [
        ("春耕备耕工作进展顺利", "accepted", "2026-08"),
        ("草原防火宣传深入牧户", "returned", "2026-08"),
    ]
    done = world.receive(pasted("农牧局+草原防火宣传深入牧户+张三+7622029"))
    assert [i.receipt for i in done.items] == [flood.items[0].receipt]


def test_with_two_open_returns_a_line_about_neither_takes_neithers_file(world: World) -> None:
    world.receive(
        letter("农牧局+春耕备耕工作进展顺利+张三", files=[text_file("a.txt", "春" * 200)])
    )
    world.receive(
        letter("农牧局+草原防火宣传深入牧户+张三", files=[text_file("b.txt", "火" * 200)])
    )
    lost = world.receive(pasted("农牧局+冷季饲草储备充足+张三+7622029"))
    assert {p.code.value for p in lost.decision.problems} == {"content_missing"}
    assert [s for _, s, _ in world.items()] == ["returned", "returned", "returned"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("7月份安全生产工作动态", "8月份安全生产工作动态"),
        ("春耕备耕系列报道（一）", "春耕备耕系列报道（二）"),
        ("工作简报第12期", "工作简报第13期"),
        ("完成草原补播3万亩", "完成草原补播5万亩"),
    ],
)
def test_the_next_of_a_series_is_no_correction_of_the_one_returned(
    world: World, first: str, second: str
) -> None:
    world.receive(letter(f"农牧局+{first}+张三", files=[text_file("a.txt", "一" * 200)]))
    world.receive(letter(f"农牧局+{second}+张三+7622029", files=[text_file("b.txt", "二" * 200)]))
    assert [(t, s) for t, s, _ in world.items()] == [(first, "returned"), (second, "accepted")]


def test_a_new_item_written_as_a_reply_to_an_old_return_is_new(world: World) -> None:
    world.receive(letter(NO_CONTACT, files=[text_file("春耕.txt")]))
    world.receive(
        letter(
            "农牧局+草原防火宣传深入牧户+张三+7622029",
            files=[text_file("防火.txt", "火" * 300)],
            **reply_to(world.sent()[0]),
        )
    )
    assert world.items() == [
        ("春耕备耕工作进展顺利", "returned", "2026-08"),
        ("草原防火宣传深入牧户", "accepted", "2026-08"),
    ]


def test_a_new_item_written_as_a_reply_to_an_old_receipt_is_new(world: World) -> None:
    world.receive(item("7月份工作动态", text="七" * 300))
    world.clock.time = NOON + timedelta(days=25)
    world.receive(
        letter(
            "农牧局+8月份工作动态+张三+7622029",
            files=[text_file("8月.txt", "八" * 300)],
            **reply_to(world.sent()[0]),
        )
    )
    assert world.items() == [
        ("7月份工作动态", "accepted", "2026-08"),
        ("8月份工作动态", "accepted", "2026-09"),
    ]


def test_replying_to_the_receipt_with_another_submitter_corrects_it(world: World) -> None:
    first = world.receive(item())
    done = world.receive(
        letter("农牧局+春耕备耕工作进展顺利+李四+7622030", "", **reply_to(world.sent()[0]))
    )
    assert done.items[0].receipt == first.items[0].receipt
    assert world.only_item().version.submitter == "李四"
    assert world.only_item().version.attachments_from == first.inbound_id


def test_a_colleague_may_answer_our_return_for_the_same_unit(world: World) -> None:
    first = world.receive(letter(NO_CONTACT, files=[text_file("春耕.txt")]))
    done = world.receive(letter(FULL, "", sender=OTHER, **reply_to(world.sent()[0])))
    assert done.decision.kind.value == "accept"
    assert done.items[0].receipt == first.items[0].receipt


def test_a_colleague_of_another_unit_may_not(world: World) -> None:
    world.receive(letter(NO_CONTACT, files=[text_file("春耕.txt")]))
    before = world.items()
    done = world.receive(
        letter(
            "水利局+春耕备耕工作进展顺利+李四+7622041",
            files=[text_file("x.txt")],
            sender=OTHER,
            **reply_to(world.sent()[0]),
        )
    )
    assert done.decision.kind.value == "hold"
    assert world.items()[:1] == before
    assert done.decision.reasons[0].code == "conflict"


def test_a_bound_colleague_corrects_in_a_new_mail_by_number(world: World) -> None:
    first = world.receive(letter(NO_CONTACT, files=[text_file("春耕.txt")]))
    world.bind(OTHER, first.items[0].unit_id or "")
    done = world.receive(letter(f"[{first.items[0].receipt}] {FULL}", "", sender=OTHER))
    assert done.decision.kind.value == "accept"
    assert done.items[0].receipt == first.items[0].receipt


def test_quoting_another_units_receipt_number_changes_nothing(world: World) -> None:
    """Faults A19."""
    first = world.receive(item())
    before = world.items()
    done = world.receive(
        letter(
            f"[{first.items[0].receipt}] 水利局+春耕备耕工作进展顺利+李四+7622041",
            files=[text_file("x.txt", "水" * 300)],
            sender=OTHER,
        )
    )
    assert done.decision.kind.value == "hold"
    assert world.items()[0] == before[0]
    assert world.only_version(first.items[0].receipt) == 1
    assert done.decision.task


def test_a_number_alone_is_no_proof_where_senders_can_be_verified(tmp_path: Path) -> None:
    """Faults A13: anybody can write a number and a From; our letter's Message-ID nobody guesses."""
    world = World(tmp_path, authserv_ids=frozenset({"mx.example.org"}))
    first = world.receive(item())
    done = world.receive(
        letter(f"[{first.items[0].receipt}] {FULL}", files=[text_file("x.txt", "改" * 300)])
    )
    assert done.decision.kind.value == "hold"
    assert world.only_version(first.items[0].receipt) == 1
    done = world.receive(
        letter(FULL, files=[text_file("y.txt", "改" * 300)], **reply_to(world.sent()[0]))
    )
    assert done.decision.kind.value == "accept"
    assert world.only_version(first.items[0].receipt) == 2


@pytest.mark.parametrize(
    ("first", "corrected", "month"),
    [
        (datetime(2026, 7, 31, 17, 0), datetime(2026, 8, 5, 23, 59), "2026-07"),
        (datetime(2026, 7, 31, 17, 0), datetime(2026, 8, 6, 0, 1), "2026-08"),
    ],
    ids=["by the end of the third working day", "a minute later"],
)
def test_the_month_of_a_correction(
    world: World, first: datetime, corrected: datetime, month: str
) -> None:
    world.receive(
        letter(NO_CONTACT, files=[text_file("春耕.txt")]), at=first.replace(tzinfo=SHANGHAI)
    )
    world.receive(pasted(FULL), at=corrected.replace(tzinfo=SHANGHAI))
    assert world.items() == [("春耕备耕工作进展顺利", "accepted", month)]


def test_a_revision_does_not_move_a_late_correction_back(world: World) -> None:
    """Returned in July, corrected too late and so counted in August, then revised."""
    july = datetime(2026, 7, 28, 9, 0, tzinfo=SHANGHAI)
    world.receive(letter(NO_CONTACT, files=[text_file("春耕.txt")]), at=july)
    world.receive(pasted(FULL), at=july + timedelta(days=10))
    assert world.items()[0][2] == "2026-08"
    world.receive(
        letter(FULL, files=[text_file("新.txt", "新" * 300)], **reply_to(world.sent()[1])),
        at=july + timedelta(days=11),
    )
    assert world.only_item().version_no == 3
    assert world.items()[0][2] == "2026-08"


def test_a_held_item_is_corrected_by_its_sender(world: World) -> None:
    held = world.receive(letter("农牧局+7月信息3条+张三+7622029", files=THREE[:2]))
    assert held.decision.kind.value == "hold"
    done = world.receive(
        letter("农牧局+秋粮收购资金到位+张三+7622029", files=THREE[:1], **reply_to(world.sent()[0]))
    )
    assert done.decision.kind.value == "accept"
    assert [s for _, s, _ in world.items()] == ["accepted"]
    assert done.items[0].receipt == held.items[0].receipt


# --- sent again, and second versions ---------------------------------------------------------


def test_the_same_content_in_a_new_mail_is_one_item(world: World) -> None:
    first = world.receive(item())
    again = world.receive(item(message_id="again@example.com"))
    assert [r for r, _ in again.decision.item_links] == [Relation.RESEND]
    assert again.items[0].receipt == first.items[0].receipt
    assert len(world.items()) == 1
    assert [k for k, _, _ in world.letters()] == ["acknowledgement", "repeat"]
    world.receive(item(message_id="third@example.com"))
    assert [k for k, _, _ in world.letters()] == ["acknowledgement", "repeat"], "one a day"


def test_a_registered_item_sent_again_without_its_contact_is_not_returned(world: World) -> None:
    world.receive(item())
    again = world.receive(item(people="张三"))
    assert again.decision.kind.value == "accept"
    assert len(world.items()) == 1


def test_the_same_title_next_month_with_other_content_is_flagged(world: World) -> None:
    world.receive(item("安全生产工作动态", text="七" * 300))
    later = world.receive(item("安全生产工作动态", text="八" * 300), at=NOON + timedelta(days=30))
    assert [m for _, _, m in world.items()] == ["2026-08", "2026-09"]
    assert "same_title" in later.items[0].flags


def test_the_same_title_next_month_without_a_file_is_returned(world: World) -> None:
    world.receive(item("安全生产工作动态", text="七" * 300))
    later = world.receive(
        letter("农牧局+安全生产工作动态+张三+7622029"), at=NOON + timedelta(days=30)
    )
    assert later.decision.kind.value == "return"
    assert {p.code.value for p in later.decision.problems} == {"content_missing"}


def test_a_second_version_replaces_the_first_and_keeps_it(world: World) -> None:
    first = world.receive(item())
    second = world.receive(
        letter(
            "农牧局+春耕备耕工作进展顺利（修改稿）+张三+7622029",
            files=[text_file("修改稿.txt", "改" * 300)],
        ),
        at=NOON + timedelta(days=20),
    )
    assert second.items[0].receipt == first.items[0].receipt
    assert len(world.items()) == 1
    assert world.only_item().version_no == 2
    with world.store.reading() as reads:
        history = reads.version_history(second.items[0].id)
    assert [inbound for _, inbound, _ in history] == [first.inbound_id, second.inbound_id]


def test_a_second_version_from_a_stranger_is_for_a_person(world: World) -> None:
    first = world.receive(item())
    other = world.receive(item(text="别的内容。" + ARTICLE, sender=OTHER))
    assert other.decision.kind.value == "hold"
    assert world.only_version(first.items[0].receipt) == 1


def test_nobody_learns_a_submitters_number_by_naming_his_item(world: World) -> None:
    world.receive(item(people="朝鲁+13847700001"))
    world.receive(letter("农牧局+春耕备耕工作进展顺利+李四+7622030", "", sender=OTHER))
    told = [_text(s.raw) for s in world.sent() if s.recipient == OTHER]
    assert told
    assert not any("13847700001" in text or "朝鲁" in text for text in told)


def test_a_malformed_second_version_touches_nothing_until_it_is_corrected(world: World) -> None:
    first = world.receive(item())
    receipt = first.items[0].receipt
    bad = world.receive(
        letter(
            "农牧局+春耕备耕工作进展顺利（修改稿）+张三", files=[text_file("二稿.txt", "二" * 300)]
        )
    )
    assert bad.decision.kind.value == "return"
    assert world.only_version(receipt) == 1
    assert world.items()[0] == ("春耕备耕工作进展顺利", "accepted", "2026-08")
    done = world.receive(letter(FULL, "", **reply_to(world.sent()[1])))
    assert done.decision.kind.value == "accept"
    assert [i.receipt for i in done.items] == [receipt]
    with world.store.reading() as reads:
        found = reads.item_by_receipt(receipt)
        assert found is not None
        assert found.version.attachments_from == bad.inbound_id, "the second version's file"
        assert reads.month_count("otog", found.unit_id or "", found.month) == 1
    assert [s for _, s, _ in world.items()] == ["accepted", "replaced"]


def test_a_malformed_second_version_corrected_by_a_new_mail_alone(world: World) -> None:
    first = world.receive(item())
    world.receive(
        letter("农牧局+春耕备耕工作进展顺利+张三", files=[text_file("二稿.txt", "二" * 300)])
    )
    world.receive(pasted(FULL))
    assert world.only_version(first.items[0].receipt) == 2
    assert [s for _, s, _ in world.items()] == ["accepted", "replaced"]


# --- recalls ---------------------------------------------------------------------------------


def test_a_recall_asks_for_the_withdrawal_of_one_item(world: World) -> None:
    world.receive(item("草原防火", text="火" * 300))
    world.receive(item("草原防火宣传深入牧户", text="户" * 300))
    world.receive(letter("发信方已撤回邮件：农牧局+草原防火宣传深入牧户+张三+7622029", "已撤回。"))
    assert [s for _, s, _ in world.items()] == ["accepted", "withdrawal_requested"]
    assert len(world.letters()) == 2


def test_a_forged_recall_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, authserv_ids=frozenset({"mx.example.org"}))
    world.receive(item())
    world.receive(
        letter(
            f"发信方已撤回邮件：{FULL}",
            "已撤回。",
            Authentication_Results="mx.example.org; spf=fail smtp.mailfrom=x@example.com",
        )
    )
    assert [s for _, s, _ in world.items()] == ["accepted"]


# --- a note is no content, a short text is one -----------------------------------------------


@pytest.mark.parametrize(
    "note", ["已改正", "已按要求补充联系方式。", "您好，已更正，请查收。张三", ""]
)
def test_a_note_with_the_corrected_subject_keeps_the_text_of_the_first_mail(
    world: World, note: str
) -> None:
    first = world.receive(letter(NO_CONTACT, ARTICLE))
    again = world.receive(letter(FULL, note, **reply_to(world.sent()[-1])))
    assert again.decision.kind.value == "accept"
    (now,) = again.items
    assert now.receipt == first.items[0].receipt
    assert now.version.attachments_from == first.inbound_id, "where its text stands"
    assert now.version.fields["fingerprint"] == first.items[0].version.fields["fingerprint"]


def test_a_very_short_text_is_content_all_the_same(world: World) -> None:
    world.receive(letter("水利局+水库除险+李四", "水库已除险"))
    again = world.receive(pasted("水利局+水库除险+李四+7622030"))
    assert again.decision.kind.value == "accept"


def test_a_reply_that_names_another_unit_moves_no_counted_item(world: World) -> None:
    first = world.receive(letter("审计局+专项审计进点+李四+7622044", ARTICLE))
    again = world.receive(
        letter("财政局+专项审计进点+李四+7622044", "", **reply_to(world.sent()[-1]))
    )
    assert again.decision.kind.value == "hold"
    assert world.only_version(first.items[0].receipt) == 1


def test_a_strangers_held_mail_does_not_make_a_second_item(world: World) -> None:
    first = world.receive(letter(FULL, ARTICLE))
    other = "新的内容。" * 30
    assert world.receive(letter(FULL, other, sender=OTHER)).decision.kind.value == "hold"
    own = world.receive(letter(FULL, other))
    assert own.items[0].receipt == first.items[0].receipt
    assert "same_title" in own.items[0].flags, "staff should compare: nobody said it replaces"


def test_files_with_titles_of_their_own_are_not_swallowed_by_one_title(world: World) -> None:
    files = [
        text_file("财政收入稳步增长分析.txt", "甲" * 300),
        text_file("政府采购监管专项行动.txt", "乙" * 300),
    ]
    settled = world.receive(letter("财政局+财政监督检查启动+陈一+7622090", files=files))
    assert settled.decision.kind.value == "hold"
    with_text = [text_file("财政监督检查启动.txt", "丙" * 300), *files]
    settled = world.receive(letter("财政局+财政监督检查启动+陈一+7622090", files=with_text))
    assert settled.decision.kind.value == "accept" and len(settled.items) == 1


def test_a_marked_scope_is_kept_with_the_item_and_through_its_correction(world: World) -> None:
    world.receive(letter(NO_CONTACT, "发布范围：旗政府领导\n" + ARTICLE))
    again = world.receive(pasted(FULL))
    assert again.items[0].version.scope == "旗政府领导"
