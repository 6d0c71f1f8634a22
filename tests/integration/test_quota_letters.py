"""Reminders and results of quotas: mails and records come in as they do in the office, then a round
is prepared and looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from mailbot.app.duties.quotas import QuotaView
from mailbot.app.duties.recheck import Recheck
from mailbot.app.letter_records import DutyState, NewDuty
from mailbot.app.scoring import Scorer
from mailbot.app.staff import Filled, release
from mailbot.core.duties.catchup import catch_up
from mailbot.core.duties.model import DutyKind, Stage
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.periodic import PeriodResult, QuotaLine, Reminder, Thanks
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.reader import read_subject
from mailbot.core.subject.roster import Contact, Unit, UnitName
from tests.integration.duty_letters_help import (
    NINE,
    SECOND,
    Letters,
    at,
    everybody,
    rule,
    shipped_book,
    summary,
    to_units,
    with_letters,
    with_people,
)
from tests.integration.intake_help import LIAISON, item, letter

REMINDER = rule(DutyKind.REMINDER, quota="items")
STAFF = "shenhe@example.org"
MORNING = at("2026-08-25 09:00")
"""The fifth last working day of August 2026."""
EVE = at("2026-08-28 09:00")
"""The second last."""
ONE = "reminder:otog:2026-08:first"
TWO = "reminder:otog:2026-08:second"
MADE = {"agriculture": 8, "education": 8}


def otog(*units: str, **changes: Any) -> OfficeBook:
    """otog's book with these units only, all with people; `changes` are the letter's."""
    book = shipped_book("otog")
    book = book.only(units) if units else book
    book = with_people(book, everybody(book))
    return with_letters(book, dataclasses.replace(REMINDER, **changes), staff=[STAFF])


def titles(number: int, start: int = 1) -> list[str]:
    topics = "春播夏管秋收冬藏牧草水利林草农机种业畜牧渔业"
    return [
        f"{topics[n % 20]}{topics[n // 20 + 1]}重点工作第{n}阶段推进有力"
        for n in range(start, start + number)
    ]


# --- what a reminder says ----------------------------------------------------------------------


def test_a_short_unit_is_told_what_counts_and_what_is_missing(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture"))
    office.mailed(at("2026-07-31 20:00"), "农牧局", "七月最后一条信息报送及时")
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(2))
    office.world.receive(letter("农牧局+秋粮长势良好+张三"), at=at("2026-08-10 10:00"))
    prepared = office.prepare(ONE, MORNING)
    (posted,) = to_units(prepared).values()
    assert posted.key == "reminder:otog:2026-08:agriculture:first:liaison"
    assert posted.kind is LetterKind.REMINDER
    assert (posted.to.address, posted.to.unit_id) == ("agriculture@example.net", "agriculture")
    assert posted.not_after == at("2026-09-01 00:00")
    told = posted.letter
    assert isinstance(told, Reminder)
    assert [(c.title, c.received, c.category) for c in told.counted] == [
        (title, date(2026, 8, 3), "动态") for title in titles(2)
    ]
    assert [(o.title, o.received, o.held) for o in told.open] == [
        ("秋粮长势良好", date(2026, 8, 10), False)
    ]
    assert told.quotas == (QuotaLine("信息", 8, 2, 6),)
    assert (told.period, told.deadline, told.days_left) == ("2026年8月", date(2026, 8, 31), 5)
    assert told.document == "鄂前政办发〔2022〕65号"
    assert "每月政务信息报送基础条数为8条" in told.clause
    assert (told.role, told.liaison, told.stage, told.last_stage) == (
        "liaison",
        "李丙",
        "first",
        False,
    )
    reading = read_subject(told.example, office.book.roster, MORNING.date())
    assert reading.unit is not None
    assert reading.unit.unit_id == "agriculture"
    assert reading.title
    assert reading.contact


def test_the_heads_letter_comes_second_and_names_the_liaison(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture"))
    letters = to_units(office.prepare(TWO, EVE))
    assert list(letters) == [
        "reminder:otog:2026-08:agriculture:second:liaison",
        "reminder:otog:2026-08:agriculture:second:head",
    ]
    head = letters["reminder:otog:2026-08:agriculture:second:head"]
    assert head.to.address == "head.agriculture@example.net"
    assert isinstance(head.letter, Reminder)
    assert (head.letter.role, head.letter.liaison) == ("head", "李丙")
    assert head.letter.last_stage
    assert head.letter.days_left == 2


def test_a_letter_can_be_written_and_says_it(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture"))
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(2))
    prepared = office.prepare(ONE, MORNING)
    for posted in prepared.letters:
        assert office.queued(posted, ONE, MORNING).recipient == posted.to.address
    raw = office.posting.renderer.render("otog", prepared.letters[0].letter)
    assert titles(1)[0] in raw.text
    assert "农牧局" in raw.text


# --- who is short --------------------------------------------------------------------------------


def test_a_quota_met_between_the_stages_is_reminded_of_once(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture", "education"))
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(7))
    prepared = office.prepare(ONE, MORNING)
    first = {p.to.unit_id: office.queued(p, ONE, MORNING) for p in to_units(prepared).values()}
    assert set(first) == {"agriculture", "education"}
    recheck = Recheck(store=office.world.store, books={"otog": office.book})
    assert recheck.still_short(first["agriculture"], MORNING) == ""
    office.mailed(at("2026-08-25 11:00"), "农牧局", *titles(1, 8))
    noon = at("2026-08-25 12:00")
    assert recheck.still_short(first["agriculture"], noon) == "基础条数已完成"
    assert recheck.still_short(first["education"], noon) == ""
    second = to_units(office.prepare(TWO, EVE))
    assert {p.to.unit_id for p in second.values()} == {"education"}


def test_a_held_item_counts_once_it_is_released(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture", "education"))
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(7))
    office.world.bind("bieren@example.net", "education")
    held = office.world.receive(
        item("秋收进度过半 www.example.com/x", sender="bieren@example.net"),
        at=at("2026-08-30 23:50"),
    )
    assert held.decision.kind.value == "hold"
    (receipt,) = office.world.rows("select receipt from item where state = 'held'")[0]
    before = to_units(office.prepare(TWO, at("2026-08-31 08:00")))
    waits = before["reminder:otog:2026-08:agriculture:second:liaison"].letter
    assert isinstance(waits, Reminder)
    (open_,) = waits.open
    assert (open_.receipt, open_.held) == (receipt, True)
    assert "example.com" not in open_.title, "no letter of ours carries a stranger's link"
    assert (waits.quotas[0].got, len(waits.counted)) == (7, 7)
    release(
        receipt,
        Filled(unit="农牧局"),
        "王芳芳",
        "核实无误",
        office.world.settler,
        office.world.store,
        at("2026-08-31 09:00"),
    )
    prepared = office.prepare(TWO, at("2026-08-31 10:00"))
    assert {p.to.unit_id for p in to_units(prepared).values()} == {"education"}
    assert summary(prepared).met == 1


def test_a_returned_item_is_named_until_it_is_corrected(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture"))
    office.mailed(at("2026-07-31 10:00"), "农牧局", *titles(1))
    office.world.receive(letter("农牧局+秋粮长势良好+张三"), at=at("2026-08-31 10:00"))
    result = rule(DutyKind.RESULT, quota="items", stages=(Stage("result", 1, NINE, ("liaison",)),))
    office.book = with_letters(office.book, result)
    key = "result:otog:2026-08:result"
    (open_,) = to_units(office.prepare(key, at("2026-09-01 09:00"))).values()
    assert isinstance(open_.letter, PeriodResult)
    assert [o.title for o in open_.letter.open] == ["秋粮长势良好"]
    assert open_.letter.counted == ()
    assert open_.letter.days_left == 0
    assert open_.not_after is None
    office.world.receive(
        letter("农牧局+秋粮长势良好+张三+7622029", "全文如下。" * 40), at=at("2026-09-02 10:00")
    )
    (corrected,) = to_units(office.prepare(key, at("2026-09-03 09:00"))).values()
    assert isinstance(corrected.letter, PeriodResult)
    assert corrected.letter.open == ()
    assert [c.title for c in corrected.letter.counted] == ["秋粮长势良好"]
    assert corrected.letter.quotas[0].got == 1


def test_september_does_not_fill_august(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture"))
    office.mailed(at("2026-08-31 23:59"), "农牧局", *titles(7))
    office.mailed(at("2026-09-01 00:00"), "农牧局", *titles(3, 8))
    result = rule(DutyKind.RESULT, quota="items", stages=(Stage("result", 4, NINE, ("liaison",)),))
    office.book = with_letters(office.book, result)
    (posted,) = to_units(
        office.prepare("result:otog:2026-08:result", at("2026-09-04 09:00"))
    ).values()
    assert isinstance(posted.letter, PeriodResult)
    assert posted.letter.quotas == (QuotaLine("信息", 8, 7, 1),)
    assert len(posted.letter.counted) == 7


def test_the_last_moment_of_the_month_and_the_next(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture"))
    prepared = office.prepare(TWO, at("2026-08-31 23:59"))
    (liaison, _) = to_units(prepared).values()
    assert isinstance(liaison.letter, Reminder)
    assert liaison.letter.days_left == 1
    late = office.prepare(TWO, at("2026-09-01 00:00"))
    assert late.state is DutyState.SKIPPED
    assert late.letters == ()
    assert "2026年8月已经结束" in late.why


def test_when_the_stages_are_due(tmp_path: Path) -> None:
    """2026-10-01 to 08 is a holiday; Sunday the 20th and Saturday the 10th are worked."""
    office = Letters(tmp_path, otog("agriculture"))
    found = office.occurrences(at("2026-08-01 00:00"), at("2026-09-30 23:59"))
    assert [(o.key, o.due) for o in found] == [
        (ONE, MORNING),
        (TWO, EVE),
        ("reminder:otog:2026-09:first", at("2026-09-23 09:00")),
        ("reminder:otog:2026-09:second", at("2026-09-29 09:00")),
    ]
    assert found[0].until == at("2026-09-01 00:00")


# --- people ---------------------------------------------------------------------------------------


def test_two_liaisons_get_a_letter_each(tmp_path: Path) -> None:
    book = with_people(
        otog("agriculture"),
        {
            "agriculture": (
                Contact("liaison", "李丙", address="a@example.net"),
                Contact("liaison", "赵丁", address="b@example.net"),
                Contact("liaison", "旧人", address="c@example.net", end=date(2026, 8, 1)),
            )
        },
    )
    letters = to_units(Letters(tmp_path, book).prepare(ONE, MORNING))
    assert {k: p.to.address for k, p in letters.items()} == {
        "reminder:otog:2026-08:agriculture:first:liaison": "a@example.net",
        "reminder:otog:2026-08:agriculture:first:liaison#2": "b@example.net",
    }


def test_a_head_without_address_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    people = everybody(shipped_book("otog"))
    people["agriculture"] = (
        Contact("liaison", "李丙", address="a@example.net"),
        Contact("head", "王甲"),
    )
    office = Letters(tmp_path, with_people(otog("agriculture", "education"), people))
    prepared = office.prepare(TWO, EVE)
    assert len(to_units(prepared)) == 3
    lines = {line.unit: line for line in summary(prepared).short}
    assert lines["农牧局"].sent == ("信息员 a@example.net",)
    assert lines["农牧局"].unsent == ("主要负责人没有邮箱",)
    assert lines[office.book.roster.get("education").name].unsent == ()
    assert prepared.warnings == ()


def test_nobody_has_an_address(tmp_path: Path) -> None:
    """52 units as shipped: no contact at all. The office learns of each."""
    book = with_letters(shipped_book("otog"), REMINDER)
    office = Letters(tmp_path, book)
    prepared = office.prepare(ONE, MORNING)
    told = summary(prepared)
    assert len(told.short) == len(book.roster.units) == 52
    assert all(line.unsent == ("名册里没有信息员",) for line in told.short)
    assert to_units(prepared) == {}
    (posted,) = prepared.letters
    assert (posted.to.address, posted.to.role) == ("xinxi@example.org", "staff")
    assert posted.key == "reminder:otog:2026-08:first:summary:1"
    assert prepared.state is DutyState.DONE
    (warning,) = prepared.warnings
    assert warning.startswith("52 个单位收不到信，名册里没有信息员：上海庙经济开发区、")
    assert warning.endswith("等；请在名册里补上邮箱，或用 mailbot senders 确认来信用过的邮箱。")
    assert prepared.detail["units"]["agriculture"]["outcome"] == "unreachable"


def test_all_52_units_get_their_own(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog())
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(8))
    prepared = office.prepare(TWO, EVE)
    letters = to_units(prepared)
    assert len(letters) == 51 * 2
    assert len({p.to.address for p in letters.values()}) == 51 * 2
    for posted in letters.values():
        assert isinstance(posted.letter, Reminder)
        assert posted.letter.unit == office.book.roster.get(posted.to.unit_id).name
        assert posted.letter.counted == ()
    assert (summary(prepared).met, summary(prepared).sent) == (1, 102)


def test_units_without_an_address_are_told_of_by_reason(tmp_path: Path) -> None:
    people = {
        "education": (Contact("liaison", "赵丁"),),
        "agriculture": (Contact("liaison", "李丙", address="李丙"),),
    }
    book = with_people(otog("agriculture", "education", "aolezhaoqi", "chengchuan"), people)
    prepared = Letters(tmp_path, book).prepare(ONE, MORNING)
    assert prepared.warnings == (
        "2 个单位收不到信，名册里没有信息员：敖勒召其镇人民政府、城川镇人民政府；请在名册里补上邮箱，或用 mailbot senders 确认来信用过的邮箱。",
        "教体局收不到信：信息员没有邮箱；请在名册里补上邮箱，或用 mailbot senders 确认来信用过的邮箱。",
        "农牧局收不到信：信息员的邮箱写错了：李丙；请在名册里补上邮箱，或用 mailbot senders 确认来信用过的邮箱。",
    )
    assert "4 个单位没有可用的邮箱" in prepared.why


def test_the_liaison_is_found_through_a_bound_address(tmp_path: Path) -> None:
    book = with_people(otog("agriculture"), {})
    office = Letters(tmp_path, book)
    office.world.bind(LIAISON, "agriculture")
    (posted,) = to_units(office.prepare(ONE, MORNING)).values()
    assert posted.to.address == LIAISON


def test_a_wrong_staff_address_is_told_and_the_others_get_the_summary(tmp_path: Path) -> None:
    book = otog("agriculture")
    people = dataclasses.replace(book.letters, staff=("办公室", STAFF))
    office = Letters(tmp_path, dataclasses.replace(book, letters=people))
    prepared = office.prepare(ONE, MORNING)
    summaries = [p for p in prepared.letters if p.kind is LetterKind.SUMMARY]
    assert [p.to.address for p in summaries] == [STAFF]
    assert any("办公室" in w for w in prepared.warnings)


# --- everything in order, thanks, results -----------------------------------------------------------


def test_all_in_order_still_tells_the_office(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture"))
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(8))
    prepared = office.prepare(ONE, MORNING)
    assert to_units(prepared) == {}
    assert (summary(prepared).met, summary(prepared).short) == (1, ())
    assert prepared.state is DutyState.DONE
    assert prepared.detail["units"] == {"agriculture": {"outcome": "met", "why": ""}}


def test_thanks_go_out_at_the_first_stage_only(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture", "education", thanks=True))
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(8))
    first = office.prepare(ONE, MORNING)
    thanks = to_units(first)["reminder:otog:2026-08:agriculture:first:liaison"]
    assert thanks.kind is LetterKind.THANKS
    assert isinstance(thanks.letter, Thanks)
    assert (summary(first).sent, summary(first).thanked) == (1, 1)
    done = NewDuty(ONE, "otog", "reminder", "2026-08", "first", MORNING, DutyState.DONE)
    with office.world.store.begin() as tx:
        tx.add_duty(done, MORNING)
    second = office.prepare(TWO, EVE)
    assert {p.kind for p in to_units(second).values()} == {LetterKind.REMINDER}


def test_thanks_are_made_up_for_when_the_first_stage_was_missed(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture", thanks=True))
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(8))
    assert {p.kind for p in to_units(office.prepare(TWO, EVE)).values()} == {LetterKind.THANKS}


@pytest.mark.parametrize(("thanks", "written"), [(False, {"education"}), (True, set(MADE))])
def test_the_result_goes_to_the_short_ones_and_to_all_when_set(
    tmp_path: Path, thanks: bool, written: set[str]
) -> None:
    result = rule(
        DutyKind.RESULT, quota="items", thanks=thanks, stages=(Stage("r", 1, NINE, ("liaison",)),)
    )
    book = with_letters(otog(*MADE), result)
    office = Letters(tmp_path, book)
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(8))
    prepared = office.prepare("result:otog:2026-08:r", at("2026-09-01 09:00"))
    letters = to_units(prepared)
    assert {p.to.unit_id for p in letters.values()} == written
    assert {type(p.letter) for p in letters.values()} == {PeriodResult}


def test_a_unit_that_is_no_more_gets_no_result_and_is_named(tmp_path: Path) -> None:
    result = rule(DutyKind.RESULT, quota="items", stages=(Stage("r", 4, NINE, ("liaison",)),))
    book = with_letters(otog("agriculture", "education"), result)
    gone = {"education": date(2026, 8, 31)}
    book = book.with_units(dataclasses.replace(u, end=gone.get(u.id)) for u in book.roster.units)
    office = Letters(tmp_path, book)
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(1))
    prepared = office.prepare("result:otog:2026-08:r", at("2026-09-04 09:00"))
    assert {p.to.unit_id for p in to_units(prepared).values()} == {"agriculture"}
    (line,) = [one for one in summary(prepared).short if one.unit == "教体局"]
    assert line.unsent == ("单位已不在名册里",)


def test_no_result_of_a_month_that_was_over_before_anything_was_recorded(tmp_path: Path) -> None:
    """Installed in August: of July, nobody can say what came elsewhere. Of August it can be said,
    also to whoever sent nothing in it."""
    result = rule(DutyKind.RESULT, quota="items", stages=(Stage("r", 4, NINE, ("liaison",)),))
    office = Letters(tmp_path, with_letters(otog("agriculture", "education"), result))
    july, august = "result:otog:2026-07:r", "result:otog:2026-08:r"
    nothing_yet = office.prepare(july, at("2026-08-06 09:00"))
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(1))
    for prepared in (nothing_yet, office.prepare(july, at("2026-08-06 09:00"))):
        assert prepared.state is DutyState.SKIPPED
        assert prepared.letters == ()
        assert prepared.why == ("2026年7月结束时还没有登记过信息：投入使用以前没有登记，不发结果。")
    told = to_units(office.prepare(august, at("2026-09-04 09:00")))
    assert {p.to.unit_id for p in told.values()} == {"agriculture", "education"}
    # What came in July elsewhere is entered: then it can.
    by_oa(office, "农牧局", "2026-07-06", "动态", *titles(1, 5))
    told = to_units(office.prepare(july, at("2026-08-06 10:00")))
    assert len(told) == 2


def test_of_the_results_missed_in_a_long_downtime_only_the_newest_is_worth_sending(
    tmp_path: Path,
) -> None:
    result = rule(DutyKind.RESULT, quota="items", stages=(Stage("r", 4, NINE, ("liaison",)),))
    office = Letters(tmp_path, with_letters(otog("agriculture"), result))
    now = at("2026-10-13 10:00")
    steps = catch_up(office.occurrences(at("2026-08-01 00:00"), now), set(), now)
    done = [s.do.about for s in steps if s.do is not None]
    assert done == ["2026-09"]
    passed = {p.occurrence.about: p.why for s in steps for p in s.passed}
    assert passed.keys() == {"2026-07", "2026-08"}
    assert "2026-09-01 00:00 的时限，不再补发" in passed["2026-07"]


# --- who owes --------------------------------------------------------------------------------------


def test_a_withdrawn_unit_owes_nothing(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture", "education"))
    prepared = office.prepare(ONE, MORNING)
    queued = {p.to.unit_id: office.queued(p, ONE, MORNING) for p in to_units(prepared).values()}
    office.enter(
        "资格变动", at("2026-08-26 10:00"), unit="农牧局", day="2026-08-26", status="取消资格"
    )
    second = office.prepare(TWO, EVE)
    assert {p.to.unit_id for p in to_units(second).values()} == {"education"}
    recheck = Recheck(store=office.world.store, books={"otog": office.book})
    assert recheck.still_short(queued["agriculture"], EVE) == "本期已没有报送任务"


def test_units_that_joined_or_left_in_the_month_owe_nothing(tmp_path: Path) -> None:
    book = otog("agriculture", "education", "aolezhaoqi")
    joined, gone = {"education": date(2026, 8, 3)}, {"aolezhaoqi": date(2026, 8, 30)}
    book = book.with_units(
        dataclasses.replace(u, start=joined.get(u.id), end=gone.get(u.id))
        for u in book.roster.units
    )
    prepared = Letters(tmp_path, book).prepare(TWO, EVE)
    assert {p.to.unit_id for p in to_units(prepared).values()} == {"agriculture"}


def test_no_quota_is_in_force_yet(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture"))
    now = at("2022-06-24 09:00")
    prepared = office.prepare("reminder:otog:2022-06:first", now)
    assert prepared.state is DutyState.SKIPPED
    assert prepared.letters == ()
    assert "2022年6月没有单位有报送任务" in prepared.why


def test_a_unit_without_a_number_stops_nobody(tmp_path: Path) -> None:
    book = otog("agriculture", "education")
    lost = Unit("lost", (UnitName("新设单位"),), "nogroup")
    book = book.with_units((*book.roster.units, lost))
    prepared = Letters(tmp_path, book).prepare(ONE, MORNING)
    assert {p.to.unit_id for p in to_units(prepared).values()} == {"agriculture", "education"}
    assert any("新设单位" in w for w in prepared.warnings)


# --- sub-quotas, other periods -----------------------------------------------------------------------


def laiwu(*units: str) -> OfficeBook:
    book = shipped_book("laiwu").only(units)
    return with_letters(with_people(book, everybody(book)), REMINDER, staff=[STAFF])


def by_oa(office: Letters, unit: str, day: str, category: str, *names: str) -> None:
    for title in names:
        office.enter(
            "报送", at(f"{day} 18:00"), unit=unit, day=day, title=title, category=category,
            channel="OA系统",
        )  # fmt: skip


def test_sub_quotas_by_category_are_in_the_same_letter(tmp_path: Path) -> None:
    units = {u.id: u for u in shipped_book("laiwu").roster.units}
    town = next(u for u in units.values() if u.group == "towns")
    tier2 = next(u for u in units.values() if u.group == "tier2")
    office = Letters(tmp_path, laiwu(town.id, tier2.id))
    by_oa(office, town.name, "2026-08-03", "动态", *titles(19))
    by_oa(office, town.name, "2026-08-04", "调研", "镇域产业发展情况的调研报告")
    by_oa(office, tier2.name, "2026-08-04", "动态", *titles(10))
    prepared = office.prepare("reminder:laiwu:2026-08:first", MORNING)
    (posted,) = to_units(prepared).values()
    assert isinstance(posted.letter, Reminder)
    assert posted.to.unit_id == town.id
    assert [(q.name, q.need, q.got, q.missing) for q in posted.letter.quotas] == [
        ("主动报送信息", 20, 20, 0),
        ("调研类信息（每月）", 1, 1, 0),
        ("市专报信息", 2, 0, 2),
    ]
    assert "2 篇市专报信息" in posted.letter.clause
    assert "不少于 20 条" not in posted.letter.clause, "only the clause of what is missing"
    assert len(posted.letter.counted) == 20
    assert summary(prepared).met == 1


def test_what_answers_a_commission_was_not_sent_of_the_units_own_accord(tmp_path: Path) -> None:
    town = next(u for u in shipped_book("laiwu").roster.units if u.group == "towns")
    office = Letters(tmp_path, laiwu(town.id))
    by_oa(office, town.name, "2026-08-03", "动态", *titles(20))
    key = "reminder:laiwu:2026-08:first"
    (before,) = to_units(office.prepare(key, MORNING)).values()
    assert isinstance(before.letter, Reminder)
    assert before.letter.quotas[0].missing == 0
    level = next(t.name for t in office.book.scoring.levels if "commission" in t.events)
    office.enter(
        "约稿", at("2026-08-20 10:00"), unit=town.name, day="2026-08-20", title=titles(1)[0],
        level=level, outcome="完成",
    )  # fmt: skip
    (after,) = to_units(office.prepare(key, MORNING)).values()
    assert isinstance(after.letter, Reminder)
    assert (after.letter.quotas[0].got, after.letter.quotas[0].missing) == (19, 1)
    assert titles(1)[0] not in [c.title for c in after.letter.counted]


def test_another_letter_of_the_kind_keeps_its_own_quota(tmp_path: Path) -> None:
    town = next(u for u in shipped_book("laiwu").roster.units if u.group == "towns")
    book = laiwu(town.id)
    own = rule(DutyKind.REMINDER, "special-reminder", quota="special")
    office = Letters(tmp_path, with_letters(book, REMINDER, own))
    (one,) = to_units(office.prepare("reminder:laiwu:2026-08:first", MORNING)).values()
    (other,) = to_units(office.prepare("special-reminder:laiwu:2026-08:first", MORNING)).values()
    assert isinstance(one.letter, Reminder)
    assert isinstance(other.letter, Reminder)
    assert "市专报信息" not in [q.name for q in one.letter.quotas]
    assert "市专报信息" in [q.name for q in other.letter.quotas]


def shandong(
    *, thanks: bool = False, to: tuple[str, ...] = ("liaison",), recommender: str = ""
) -> OfficeBook:
    """A zone and a research body; the zone may be recommended."""
    units = (
        Unit("zone1", (UnitName("甲经济开发区"),), "zone", recommender=recommender),
        Unit("yanjiu", (UnitName("乙研究院"),), "research"),
        Unit("xian", (UnitName("丙县"),), "county"),
        Unit("shangji", (UnitName("丁市政府办公室"),), "recommender"),
    )
    book = shipped_book("shandong").with_units(units)
    quarterly = dataclasses.replace(
        REMINDER, thanks=thanks, stages=(Stage("first", -5, NINE, to), SECOND)
    )
    return with_letters(with_people(book, everybody(book)), quarterly, staff=[STAFF])


QUARTER = "reminder:shandong:2026-Q3:first"
SEPTEMBER = at("2026-09-23 09:00")


def test_a_quota_by_the_quarter_with_what_is_only_a_remark(tmp_path: Path) -> None:
    office = Letters(tmp_path, shandong(thanks=True))
    for month in ("07", "08", "09"):
        by_oa(office, "甲经济开发区", f"2026-{month}-03", "信息", *titles(1, int(month)))
    assert office.due(QUARTER, SEPTEMBER).due == SEPTEMBER
    prepared = office.prepare(QUARTER, SEPTEMBER)
    letters = {p.to.unit_id: p for p in to_units(prepared).values()}
    assert set(letters) == {"zone1", "yanjiu"}, "counties and recommenders owe nothing a quarter"
    zone = letters["zone1"]
    assert zone.kind is LetterKind.THANKS
    assert isinstance(zone.letter, Thanks)
    assert zone.letter.quotas == (
        QuotaLine("信息", 3, 3, 0),
        QuotaLine("专报", 1, 0, 1, remark_only=True),
    )
    assert letters["yanjiu"].kind is LetterKind.REMINDER
    told = summary(prepared)
    assert [line.unit for line in told.short] == ["乙研究院"]
    assert [line.unit for line in told.remarks] == ["甲经济开发区"]
    assert (told.met, told.period) == (1, "2026年第三季度")


def test_only_a_remark_is_missing_and_nobody_is_thanked(tmp_path: Path) -> None:
    office = Letters(tmp_path, shandong())
    by_oa(office, "甲经济开发区", "2026-08-03", "信息", *titles(3))
    prepared = office.prepare(QUARTER, SEPTEMBER)
    assert {p.to.unit_id for p in to_units(prepared).values()} == {"yanjiu"}
    assert [line.unit for line in summary(prepared).remarks] == ["甲经济开发区"]


def test_the_recommending_unit_gets_a_copy(tmp_path: Path) -> None:
    book = shandong(to=("liaison", "recommender"), recommender="shangji")
    office = Letters(tmp_path, book)
    letters = to_units(office.prepare(QUARTER, SEPTEMBER))
    copy = letters["reminder:shandong:2026-Q3:zone1:first:recommender"]
    assert copy.to.address == "shangji@example.net"
    assert copy.to.unit_id == "zone1"
    assert isinstance(copy.letter, Reminder)
    assert (copy.letter.unit, copy.letter.role) == ("甲经济开发区", "recommender")
    assert len(letters) == 3, "a unit nobody recommended has no copy and lacks none"


def test_a_recommender_outside_the_roster_is_named(tmp_path: Path) -> None:
    book = shandong(to=("liaison", "recommender"), recommender="某省直部门")
    prepared = Letters(tmp_path, book).prepare(QUARTER, SEPTEMBER)
    lines = {line.unit: line for line in summary(prepared).short}
    assert lines["甲经济开发区"].unsent == ("推荐单位（某省直部门）不在名册里，不抄送",)
    assert lines["甲经济开发区"].sent == ("信息员 zone1@example.net",)


# --- counted as the ledger counts, with few looks -----------------------------------------------------


@contextmanager
def statements(office: Letters) -> Iterator[list[str]]:
    found: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    engine = office.world.store.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_who_is_short_costs_the_same_for_a_thousand_units(tmp_path: Path) -> None:
    book = otog("agriculture")
    many = [Unit(f"u{n}", (UnitName(f"第{n}单位"),), "group3") for n in range(1_000)]
    office = Letters(tmp_path, book.with_units((*book.roster.units, *many)))
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(2))
    with statements(office) as asked, office.world.store.reading() as reads:
        view = QuotaView(
            reads, office.book, office.book.quotas, Period.parse("2026-08"), MORNING.date()
        )
        owing, unknown = view.owing()
    assert len(owing) == 1_001
    assert unknown == []
    assert [one.lines[0].got for one in owing[:2]] == [2, 0]
    assert len(asked) < 15


def test_a_round_looks_up_people_first_and_items_at_once(tmp_path: Path) -> None:
    """As many queries for fifty letters as for two, and none for items where nobody is written
    to."""
    counts = {}
    everyone = everybody(shipped_book("otog"))
    for number in (0, 2, 50):
        root = tmp_path / str(number)
        root.mkdir()
        people = dict(list(everyone.items())[:number])
        office = Letters(root, with_people(otog(), people))
        office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(2))
        office.due(ONE, MORNING)
        with statements(office) as asked:
            prepared = office.prepare(ONE, MORNING)
        assert len(to_units(prepared)) == number
        counts[number] = len(asked)
    assert counts[0] < counts[2] == counts[50] < 40


def test_it_counts_as_the_standings_do(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture", "education"))
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(5))
    office.mailed(at("2026-08-31 10:00"), "教体局", *titles(9))
    by_oa(office, "农牧局", "2026-08-04", "问题", "饲草储备不足问题亟待解决")
    after = date(2026, 9, 1)
    standings = Scorer(office.world.store, {"otog": office.book}).standings(
        "otog", Period.parse("2026-08"), after
    )
    with office.world.store.reading() as reads:
        view = QuotaView(reads, office.book, office.book.quotas, Period.parse("2026-08"), after)
        owing, _ = view.owing()
    for one in owing:
        (state,) = standings.row(one.unit.id).quotas
        (line,) = one.lines
        assert (line.need, line.got, line.missing) == (state.need, state.got, state.missing)
    assert {one.unit.id: one.lines[0].got for one in owing} == {"agriculture": 6, "education": 9}


def test_a_round_prepared_twice_is_the_same(tmp_path: Path) -> None:
    office = Letters(tmp_path, otog("agriculture", "education"))
    office.mailed(at("2026-08-03 10:00"), "农牧局", *titles(3))
    assert office.prepare(ONE, MORNING) == office.prepare(ONE, MORNING + timedelta(minutes=3))
