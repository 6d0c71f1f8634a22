"""What an approver is told of a draft: every unusual thing once, as a sentence, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from mailbot.app.duties.waiting import Given
from mailbot.app.letter_records import DraftRecipient
from mailbot.app.notices.flagfacts import Flagged
from mailbot.app.notices.flags import flags
from mailbot.app.notices.standingflags import flags as standing_flags
from mailbot.core.documents.material import Material, Shortfall
from mailbot.core.duties.model import (
    DocumentRule,
    DutyKind,
    LetterRule,
    OwnLetter,
    Part,
    Section,
    Stage,
)
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.entries import Entry, Listed, NoticeList, Row, Standings, Table
from mailbot.core.rules.events import Event, EventKind
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Consequence, Left, ListKind, ListRule, ListVersion
from tests.unit import rules_help as r

OCTOBER = datetime(2026, 10, 12, tzinfo=UTC)
Q3 = Period.parse("2026-Q3")
LISTS = ("first", "last", "silent")
SECTION = Section(Part.LISTS, "名单", lists=LISTS)
RULE = LetterRule(
    id="quarter",
    kind=DutyKind.NOTICE,
    name="季度通报",
    basis=Basis("别的文件", "第九条"),
    start=r.START,
    stages=(Stage("draft", 6, time(9)),),
    period=PeriodKind.QUARTER,
    document=DocumentRule("通报", sections=(SECTION,)),
    to=("head",),
    seals=True,
)


def row(unit: str, place: int | None, **changes: Any) -> Row:
    values: dict[str, Any] = {
        "unit": unit,
        "name": f"{unit}局",
        "group": "g",
        "place": place,
        "previous_place": None,
        "submissions": 3,
        "adopted": 1,
        "adoptions": (),
        "columns": (),
        "points": Decimal(3),
        "cumulative": Decimal(3),
        "quotas": (),
    }
    return Row(**(values | changes))


def standings(
    *tables: tuple[Row, ...], lists: tuple[NoticeList, ...] = (), **more: Any
) -> Standings:
    shown = tuple(Table(f"t{n}", f"第{n}组", rows) for n, rows in enumerate(tables, 1))
    every = {one.id: one for one in (*(listed(i) for i in LISTS), *lists)}
    values: dict[str, Any] = {"as_of": date(2026, 10, 12), "lists": tuple(every.values())}
    return Standings("office", Q3, book_digest="0", tables=shown, **(values | more))


def listed(list_id: str, *units: str, consequence: Consequence = Consequence.NAME) -> NoticeList:
    names = {"first": "表扬", "last": "批评", "silent": "零报送"}
    why = tuple(Listed(unit, "缘由") for unit in units)
    return NoticeList(list_id, names[list_id], consequence, "办法", "第一条", why)


def book(**versions: ListVersion) -> OfficeBook:
    kinds = {"first": ListKind.FIRST, "last": ListKind.LAST, "silent": ListKind.NO_SUBMISSION}
    rules = tuple(
        ListRule(
            i,
            i,
            kind,
            Consequence.NAME,
            (PeriodKind.QUARTER,),
            (versions.get(i, ListVersion(r.START, Basis("另一办法", "第三条"))),),
        )
        for i, kind in kinds.items()
    )
    return r.book(units=tuple(r.unit(u) for u in "abcdefghijklmno"), lists=rules)


ORDINARY = (row("a", 1), row("b", 2), row("c", 3))
ADDRESSED = (DraftRecipient("cover:a:head", "cover", "a", "head", "王甲", "a@example.org"),)


def said(found: Standings, rule: LetterRule = RULE, **more: Any) -> list[str]:
    values: dict[str, Any] = {"book": book(), "recipients": ADDRESSED}
    material = Material(found, shortfalls=more.pop("shortfalls", ()))
    return [
        flag
        for flag in flags(Flagged(rule=rule, material=material, **(values | more)))
        if "本期没有单位列入的名单" not in flag
    ]


def test_an_ordinary_quarter_has_nothing_to_look_at() -> None:
    assert said(standings(ORDINARY)) == []


# --- ties


def test_ties_at_both_ends_of_a_table() -> None:
    tied = (row("a", 1), row("b", 1), row("c", 3), row("d", 4), row("e", 4))
    assert said(standings(tied)) == [
        "第1组第 1 名并列 2 个：a局、b局。",
        "第1组末位并列 2 个：d局、e局。",
    ]


def test_a_tie_in_the_middle_decides_nothing() -> None:
    assert said(standings((row("a", 1), row("b", 2), row("c", 2), row("d", 4)))) == []


def test_all_equal_is_said_once() -> None:
    assert said(standings((row("a", 1), row("b", 1)))) == ["第1组 2 个单位全部并列第 1 名。"]


def test_one_unit_alone_ties_with_nobody() -> None:
    assert said(standings((row("a", 1),), (row("b", None), row("c", None)))) == []


def test_a_list_that_ties_at_its_boundary_is_named_instead_of_the_place() -> None:
    tied = (row("a", 1), row("b", 1), row("c", 3))
    found = standings(tied, lists=(listed("first", "a", "b"),))
    assert said(found) == [
        "“表扬”（第1组）按规定取 1 个，因并列列了 2 个：a局、b局。请核对边界上并列的单位。"
    ]


def test_a_list_over_all_tables_counts_them_together() -> None:
    ten = ListVersion(r.START, Basis("另一办法", "第三条"), places=2, together=True)
    found = standings(
        (row("a", 1), row("b", 2), row("d", 3)),
        (row("c", 1), row("e", 2)),
        lists=(listed("first", "a", "c"),),
    )
    assert said(found, book=book(first=ten)) == []
    more = replace(found, lists=(listed("first", "a", "c", "b"), *found.lists[1:]))
    (flag,) = said(more, book=book(first=ten))
    assert flag.startswith("“表扬”按规定取 2 个，因并列列了 3 个：a局、c局、b局")


def test_many_names_are_cut_and_counted() -> None:
    rows = (row("a", 1), *(row(u, 2, points=Decimal(0)) for u in "bcdefghijklmno"))
    (flag,) = said(standings(rows))
    assert "末位并列 14 个" in flag and flag.endswith("等 14 个单位。")


def test_a_notice_without_places_tells_no_ties_of_places() -> None:
    rule = replace(RULE, to=(), own=(OwnLetter("silent", DocumentRule("告知书")),))
    tied = standings((row("a", 1), row("b", 1), row("c", 3, submissions=0)))
    assert said(tied, rule) == []


def test_a_list_that_passes_somebody_over_tells_the_tie_of_the_others() -> None:
    tied = (row("a", 1), row("b", 2), row("c", 2), row("d", 2))
    found = standings(tied, lists=(listed("last", "c", "d"),))
    (flag,) = said(found)
    assert flag.startswith("“批评”（第1组）") and "b局" not in flag


# --- movement, lists


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [(1, 11, False), (1, 12, True), (12, 1, True), (11, 1, False), (None, 14, False)],
)
def test_more_than_ten_places_up_or_down(before: int | None, now: int, told: bool) -> None:
    others = tuple(row(f"u{n}", n) for n in range(1, 15) if n != now)
    rows = (*others, row("a", now, previous_place=before))
    found = list(standing_flags(book(), standings(rows), LISTS))
    assert any(f.startswith("a局在第1组由第") for f in found) is told
    if told:
        assert any("下降 11 位" in f or "上升 11 位" in f for f in found)


def test_praised_and_criticised_at_once() -> None:
    found = standings(
        ORDINARY,
        lists=(
            listed("first", "a", consequence=Consequence.PRAISE),
            listed("last", "a", "c", consequence=Consequence.CRITICISE),
        ),
    )
    flagged = said(found)
    assert "a局既列入“表扬”，又列入“批评”（缘由）。" in flagged
    assert not any(f.startswith("c局既") for f in flagged)


def test_lists_that_name_nobody_and_lists_there_are_not() -> None:
    found = standings(ORDINARY, lists=(listed("first", "a"),))
    found = replace(found, lists=found.lists[:2])
    told = flags(Flagged(book(), RULE, Material(found), ADDRESSED))
    assert "本期没有单位列入的名单：“批评”。" in told
    assert any("通报里要写的名单在本期没有：“silent”" in f for f in told)


def test_a_list_for_letters_of_their_own_is_one_of_the_notice() -> None:
    rule = replace(
        RULE,
        document=DocumentRule("通报"),
        own=(OwnLetter("silent", DocumentRule("告知书")),),
    )
    told = flags(Flagged(book(), rule, Material(standings(ORDINARY)), ADDRESSED))
    assert told == ("本期没有单位列入的名单：“零报送”。",)


# --- the period


def test_a_quarter_without_anything_says_only_that() -> None:
    nothing = {"submissions": 0, "adopted": 0, "points": Decimal(0), "cumulative": Decimal(9)}
    (flag,) = said(standings(tuple(row(u, 1, **nothing) for u in "abc")))
    assert flag.startswith("2026年第三季度没有任何登记")


def test_a_column_that_counts_something_is_data_too() -> None:
    counted = row("a", 1, submissions=0, adopted=0, points=Decimal(0), columns=(("late", 1),))
    assert not any("没有任何登记" in f for f in said(standings((counted,))))


def test_nobody_on_the_roster() -> None:
    (flag,) = said(standings(()))
    assert "成绩表是空的" in flag


def test_silent_units_are_counted() -> None:
    rows = (row("a", 1), row("b", 2, submissions=0, adopted=0), row("c", 3, adopted=0))
    assert said(standings(rows)) == [
        "3 个单位中有 1 个本期没有报送：b局。",
        "3 个单位中有 2 个本期没有信息被采用。",
    ]


def test_corrections_name_unit_points_and_quarter() -> None:
    entry = Entry("a", date(2026, 7, 1), "x", r.START, Decimal("-2.50"), "办法", "一", "更正")
    found = standings(ORDINARY, corrections=(replace(entry, corrects="2026-Q2"),))
    assert said(found) == ["本期含对已封账各期的更正 1 笔：a局 -2.5 分（2026年第二季度）。"]


def test_an_unsealed_quarter_before_it() -> None:
    (flag,) = said(standings(ORDINARY), earlier_open=Period.parse("2026-Q2"))
    assert "2026年第二季度还没有封账" in flag and "mailbot seal office 2026-Q2" in flag


def test_names_to_be_filled_in() -> None:
    people = replace(
        RULE, document=DocumentRule("通报", annexes=(Section(Part.PEOPLE, number=10),))
    )
    assert any("“季度通报”要填写 10 个姓名" in f for f in said(standings(ORDINARY), people))


# --- who gets it


def test_recipients_without_address_are_named_by_kind() -> None:
    recipients = (
        *ADDRESSED,
        DraftRecipient("cover:b:head", "cover", "b", "head", "李乙", ""),
        DraftRecipient("cover:b:liaison", "cover", "b", "liaison", "", ""),
        DraftRecipient("own:silent:b:deputy", "own", "b", "deputy", "", ""),
        DraftRecipient("reader:1", "reader", "", "reader", "周某副旗长", ""),
        DraftRecipient("sms:c:head", "sms", "c", "head", "赵丙", "", "13900000003", "短信"),
    )
    assert said(standings(ORDINARY), recipients=recipients) == [
        "没有可用邮箱、收不到通报的 2 人：b局主要负责人李乙、信息员。",
        "没有可用邮箱、收不到告知书的 1 人：b局分管负责人。",
        "没有可用邮箱、收不到报送件的 1 人：周某副旗长。",
    ]


def test_nobody_at_all() -> None:
    (flag,) = said(standings(ORDINARY), recipients=())
    assert "没有任何收件人" in flag


def test_heads_that_no_text_message_reaches() -> None:
    recipients = (
        replace(ADDRESSED[0], sms="短信", phone="0477-7622029"),
        DraftRecipient("sms:c:head", "sms", "c", "head", "赵丙", "", "13900000003", "短信"),
    )
    (flag,) = said(standings(ORDINARY), recipients=recipients)
    assert flag == "主要负责人没有手机号、收不到短信的单位：a局。"


# --- what the document leaves open


def test_only_what_touches_the_notice_is_mentioned() -> None:
    left = (
        Left("末位怎样算", Basis("另一办法", "第三条：“最后一名”")),
        Left("基础分怎样扣", Basis("办法", "第一条")),
        Left("别的事", Basis("别的办法", "第三条")),
    )
    office = book()
    office = replace(
        office,
        scoring=replace(office.scoring, left=left),
        quotas=(r.quota(),),
    )
    assert said(standings(ORDINARY), book=office) == [
        "文件留给本室定、与本期通报有关的 1 处（每期相同）：末位怎样算（另一办法第三条）。"
    ]
    missed = (Shortfall("a", "items", Period.parse("2026-08"), 2),)
    told = said(standings(ORDINARY), book=office, shortfalls=missed)
    assert told == [
        "文件留给本室定、与本期通报有关的 2 处（每期相同）："
        "1. 末位怎样算（另一办法第三条）；2. 基础分怎样扣（办法第一条）。"
    ]


def test_what_is_the_same_every_time_comes_after_everything_unusual() -> None:
    office = book()
    left = (Left("末位怎样算", Basis("另一办法", "第三条")),)
    office = replace(office, scoring=replace(office.scoring, left=left))
    recipients = (replace(ADDRESSED[0], address=""), *ADDRESSED)
    found = standings((row("a", 1), row("b", 1), row("c", 3)))
    told = said(found, book=office, recipients=recipients)
    assert told[0].startswith("没有可用邮箱")
    assert told[-1].startswith("文件留给本室定") and len(told) == 3


# --- what the books may lack


def test_deductions_for_silence_do_not_hide_that_nothing_is_in_the_books() -> None:
    silent = {"submissions": 0, "adopted": 0, "points": Decimal(-10)}
    tables = standings(tuple(row(u, 1, **silent) for u in "abc"))
    (flag,) = said(tables, recorded=False)
    assert flag.startswith("2026年第三季度没有任何登记") and "扣分和名单只因没有登记" in flag
    assert not any("没有任何登记" in f for f in said(tables)), "criticised by name, for example"


def test_a_time_before_the_first_record_is_told() -> None:
    (flag,) = said(standings(ORDINARY), began=date(2026, 7, 20))
    assert flag.startswith("本系统自2026年7月20日起使用")


def test_commissions_that_nobody_settled() -> None:
    given = Event("record:1", EventKind.ASSIGNMENT, "b", date(2026, 8, 1), title="秋粮收购")
    (flag,) = said(standings(ORDINARY), overdue=(Given("b", given, date(2026, 8, 15), OCTOBER),))
    assert "1 项约稿已逾期" in flag and "b局“秋粮收购”（2026-08-15 到期）" in flag
