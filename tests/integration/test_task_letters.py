"""Reminders of tasks and commissions: given, finished and taken back through `mailbot record`, then
the rounds that are due are looked at."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.offices.rulefiles import load_office
from mailbot.adapters.system import shipped
from mailbot.app.duties.recheck import Recheck
from mailbot.app.duties.view import overview
from mailbot.app.letter_records import DutyState
from mailbot.app.recording.desk import Refused, reverse
from mailbot.app.recording.keep import Desk
from mailbot.app.scoring import Scorer
from mailbot.core.duties.model import DutyKind, Stage
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.periodic import DueLine, TaskReminder
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import LedgerTask
from mailbot.core.rules.wire import standings_json
from tests.integration.cli_help import Cli, installed
from tests.integration.duty_letters_help import (
    NINE,
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
from tests.integration.intake_help import item
from tests.unit.rulefile_help import SOUND, faults_of, write

STAGES = (
    Stage("early", -10, NINE, ("liaison",)),
    Stage("near", -3, NINE, ("liaison", "head")),
    Stage("overdue", 1, NINE, ("liaison", "head")),
)
TASKS = rule(DutyKind.TASKS, name="任务提醒", stages=STAGES)
COMMISSIONS = rule(DutyKind.COMMISSIONS, name="约稿提醒", stages=STAGES)
DUE = date(2026, 8, 31)
"""A Monday: the tenth last working day is the 18th, the third last the 27th."""
EARLY, NEAR, LATE = at("2026-08-18 09:00"), at("2026-08-27 09:00"), at("2026-09-01 09:00")
PLAN = (
    LedgerTask("t1", "（一）", "公开规划。", 2026, due=DUE),
    LedgerTask("t2", "（二）", "公开预算。", 2026, due=DUE),
    LedgerTask("t3", "（三）", "公开项目。", 2026),
)


def otog(*units: str) -> OfficeBook:
    book = shipped_book("otog").only(units)
    book = dataclasses.replace(book, scoring=dataclasses.replace(book.scoring, tasks=PLAN))
    return with_letters(with_people(book, everybody(book)), TASKS, COMMISSIONS)


@pytest.fixture
def office(tmp_path: Path) -> Letters:
    return Letters(tmp_path, otog("agriculture", "education"))


def give(office: Letters, when: str, unit: str = "农牧局", task: str = "t1", **more: str) -> int:
    now = at(when)
    entered = office.enter("任务", now, unit=unit, day=now.date().isoformat(), task=task, **more)
    assert entered.number is not None
    return entered.number


def finish(office: Letters, when: str, unit: str = "农牧局", task: str = "t1") -> None:
    now = at(when)
    office.enter("任务完成", now, unit=unit, day=now.date().isoformat(), task=task)


def order(office: Letters, when: str, title: str, unit: str = "农牧局", **more: str) -> int:
    now = at(when)
    values = {"day": now.date().isoformat(), "due": DUE.isoformat(), **more}
    entered = office.enter("约稿布置", now, unit=unit, title=title, **values)
    assert entered.number is not None
    return entered.number


def deliver(office: Letters, when: str, unit: str = "农牧局", **more: str) -> Any:
    now = at(when)
    values = {"day": now.date().isoformat(), "outcome": "完成", "level": "旗", **more}
    level = next(t.name for t in office.book.scoring.levels if "commission" in t.events)
    return office.enter("约稿", now, unit=unit, **values | {"level": level})


def keys(office: Letters, since: datetime, until: datetime) -> list[str]:
    return [o.key for o in office.occurrences(since, until)]


# --- tasks ----------------------------------------------------------------------------------------


def test_one_mail_for_a_unit_with_several_tasks_of_a_day(office: Letters) -> None:
    give(office, "2026-08-03 10:00")
    give(office, "2026-08-03 10:05", task="t2")
    give(office, "2026-08-03 10:06", task="t3", due="2026-09-15")
    prepared = office.prepare("tasks:otog:2026-08-31:near", NEAR)
    letters = to_units(prepared)
    assert list(letters) == [
        "tasks:otog:2026-08-31:agriculture:near:liaison",
        "tasks:otog:2026-08-31:agriculture:near:head",
    ]
    told = letters["tasks:otog:2026-08-31:agriculture:near:head"].letter
    assert isinstance(told, TaskReminder)
    assert told.lines == (
        DueLine("公开规划。", "（一）", "t1", DUE, 3),
        DueLine("公开预算。", "（二）", "t2", DUE, 3),
    )
    assert (told.role, told.document, told.commissions) == ("head", "办法", False)
    seen = summary(prepared)
    assert (seen.what, seen.period, seen.sent) == ("任务", "2026年8月31日到期的任务", 2)
    assert seen.short[0].due == told.lines
    assert seen.unassigned == ()


def test_what_is_finished_is_left_out_and_what_is_late_is_told(office: Letters) -> None:
    give(office, "2026-08-03 10:00")
    give(office, "2026-08-03 10:00", unit="教体局")
    give(office, "2026-08-03 10:00", unit="教体局", task="t2")
    finish(office, "2026-08-31 17:00", unit="教体局")
    finish(office, "2026-08-31 17:01", unit="教体局", task="t2")
    (liaison, _) = to_units(office.prepare("tasks:otog:2026-08-31:overdue", LATE)).values()
    assert liaison.to.unit_id == "agriculture"
    assert isinstance(liaison.letter, TaskReminder)
    assert liaison.letter.lines[0].days_left == -1
    assert liaison.not_after is None
    finish(office, "2026-09-01 08:00")
    done = office.prepare("tasks:otog:2026-08-31:overdue", LATE)
    assert done.state is DutyState.SKIPPED
    assert "2026-08-31到期的任务都已完成" in done.why


def test_when_they_are_due_and_until_when(office: Letters) -> None:
    give(office, "2026-08-03 10:00")
    found = office.occurrences(at("2026-08-01 00:00"), at("2026-09-30 00:00"))
    assert [(o.key, o.due, o.until) for o in found] == [
        ("tasks:otog:2026-08-31:early", EARLY, at("2026-09-01 00:00")),
        ("tasks:otog:2026-08-31:near", NEAR, at("2026-09-01 00:00")),
        ("tasks:otog:2026-08-31:overdue", LATE, None),
    ]


def test_a_task_given_late_is_reminded_of_within_the_hour(office: Letters) -> None:
    give(office, "2026-08-03 10:00")
    give(office, "2026-08-20 10:20", unit="教体局")
    give(office, "2026-08-20 10:40", unit="教体局", task="t2")
    found = office.occurrences(EARLY, NEAR - timedelta(seconds=1))
    assert [(o.key, o.due, o.until) for o in found] == [
        ("tasks:otog:2026-08-31+2026-08-20T11:early", at("2026-08-20 11:00"), NEAR)
    ]
    prepared = office.prepare(found[0].key, at("2026-08-20 11:00"))
    (posted,) = to_units(prepared).values()
    assert posted.to.unit_id == "education"
    assert isinstance(posted.letter, TaskReminder)
    assert [line.number for line in posted.letter.lines] == ["t1", "t2"]
    both = to_units(office.prepare("tasks:otog:2026-08-31:near", NEAR))
    assert {p.to.unit_id for p in both.values()} == {"agriculture", "education"}
    early = to_units(office.prepare("tasks:otog:2026-08-31:early", at("2026-08-20 12:00")))
    assert {p.to.unit_id for p in early.values()} == {"agriculture"}, "not what came after it"


def test_a_task_given_after_two_stages_gets_the_last_of_them_once(office: Letters) -> None:
    give(office, "2026-08-28 09:30")
    assert keys(office, at("2026-08-01 00:00"), at("2026-09-30 00:00")) == [
        "tasks:otog:2026-08-31:early",
        "tasks:otog:2026-08-31:near",
        "tasks:otog:2026-08-31+2026-08-28T10:near",
        "tasks:otog:2026-08-31:overdue",
    ], "the plain rounds name what is left to nobody (t2)"
    assert to_units(office.prepare("tasks:otog:2026-08-31:near", at("2026-08-28 11:00"))) == {}
    late = office.prepare("tasks:otog:2026-08-31+2026-08-28T10:near", at("2026-08-28 10:00"))
    assert [p.to.role for p in to_units(late).values()] == ["liaison", "head"]
    assert summary(late).unassigned == ()


def test_a_task_given_on_the_day_of_the_next_stage_waits_for_it(tmp_path: Path) -> None:
    stages = (STAGES[0], Stage("near", -3, datetime(2026, 1, 1, 16).time(), ("liaison",)))
    book = with_letters(otog("agriculture"), dataclasses.replace(TASKS, stages=stages))
    office = Letters(tmp_path, book)
    give(office, "2026-08-27 09:30", task="t3", due="2026-08-31")
    found = keys(office, at("2026-08-27 00:00"), at("2026-09-30 00:00"))
    assert found == ["tasks:otog:2026-08-31:near"]


def test_a_task_entered_after_its_due_day_is_not_caught_up_with(office: Letters) -> None:
    give(office, "2026-08-31 23:30", task="t3", due="2026-08-31")
    give(office, "2026-09-03 10:00", unit="教体局", task="t3", due="2026-08-31")
    late = [k for k in keys(office, at("2026-08-01 00:00"), at("2026-10-30 00:00")) if "+" in k]
    assert late == []
    overdue = to_units(office.prepare("tasks:otog:2026-08-31:overdue", LATE))
    assert {p.to.unit_id for p in overdue.values()} == {"agriculture"}


def test_tasks_that_nobody_was_given_are_named_to_the_office(office: Letters) -> None:
    give(office, "2026-08-03 10:00")
    prepared = office.prepare("tasks:otog:2026-08-31:early", EARLY)
    assert summary(prepared).unassigned == (DueLine("公开预算。", "（二）", "t2", DUE, 10),)
    assert "1 件2026-08-31到期的任务没有交给任何单位" in prepared.why
    finish(office, "2026-08-19 10:00")
    alone = office.prepare("tasks:otog:2026-08-31:near", NEAR)
    assert to_units(alone) == {}
    assert alone.state is DutyState.DONE
    assert [line.number for line in summary(alone).unassigned] == ["t2"]


def test_another_due_day_takes_the_place_of_the_first(office: Letters) -> None:
    give(office, "2026-08-03 10:00", task="t3", due="2026-08-31")
    give(office, "2026-08-10 10:00", task="t3", due="2026-09-30")
    assert keys(office, at("2026-08-11 00:00"), at("2026-08-25 00:00")) == [
        "tasks:otog:2026-08-31:early"
    ], "of the plan's own tasks"
    prepared = office.prepare("tasks:otog:2026-08-31:early", EARLY)
    assert to_units(prepared) == {}


def test_a_task_taken_back_is_not_reminded_of(office: Letters) -> None:
    number = give(office, "2026-08-03 10:00", task="t3", due="2026-08-20")
    assert keys(office, at("2026-08-03 00:00"), at("2026-08-20 00:00")) != []
    desk = Desk(office.book, "王芳芳", at("2026-08-04 10:00"))
    reverse(number, "录错", "", desk, office.world.store)
    found = keys(office, at("2026-08-03 00:00"), at("2026-08-17 00:00"))
    assert found == []


def test_a_unit_that_left_is_named_and_the_others_are_written_to(office: Letters) -> None:
    give(office, "2026-08-03 10:00")
    give(office, "2026-08-03 10:00", unit="教体局")
    office.book = office.book.with_units(
        dataclasses.replace(u, end=date(2026, 8, 20)) if u.id == "education" else u
        for u in office.book.roster.units
    )
    prepared = office.prepare("tasks:otog:2026-08-31:near", NEAR)
    assert {p.to.unit_id for p in to_units(prepared).values()} == {"agriculture"}
    lines = {line.unsent: line.unit for line in summary(prepared).short}
    assert lines[("单位已不在名册里",)] == office.book.roster.get("education").name
    assert lines[()] == "农牧局"
    assert len(prepared.warnings) == 1


def test_a_letter_is_no_longer_wanted_once_the_task_is_done(office: Letters) -> None:
    give(office, "2026-08-03 10:00")
    key = "tasks:otog:2026-08-31:near"
    prepared = office.prepare(key, NEAR)
    letters = [office.queued(p, key, NEAR) for p in to_units(prepared).values()]
    recheck = Recheck(store=office.world.store, books={"otog": office.book})
    assert [recheck.still_short(one, NEAR) for one in letters] == ["", ""]
    finish(office, "2026-08-27 09:05")
    later = at("2026-08-27 09:10")
    assert [recheck.still_short(one, later) for one in letters] == ["任务已完成"] * 2
    answer = dataclasses.replace(letters[0], kind="acknowledgement", about="")
    assert recheck.still_short(answer, later) == ""


# --- commissions ----------------------------------------------------------------------------------


def left(office: Letters) -> list[str]:
    """Topics that are still waited for on the due day."""
    prepared = office.prepare("commissions:otog:2026-08-31:overdue", LATE)
    if prepared.state is DutyState.SKIPPED:
        return []
    return [line.what for row in summary(prepared).short for line in row.due]


def test_a_commission_is_reminded_of_until_it_is_delivered(office: Letters) -> None:
    order(office, "2026-08-03 10:00", "夏粮收购情况", number="约〔2026〕3号")
    prepared = office.prepare("commissions:otog:2026-08-31:near", NEAR)
    (liaison, head) = to_units(prepared).values()
    assert (liaison.kind, head.to.role) == (LetterKind.TASKS, "head")
    assert isinstance(liaison.letter, TaskReminder)
    assert liaison.letter.commissions
    assert liaison.letter.lines == (DueLine("夏粮收购情况", "第三条", "约〔2026〕3号", DUE, 3),)
    assert summary(prepared).what == "约稿"
    for posted in prepared.letters:
        office.queued(posted, "commissions:otog:2026-08-31:near", NEAR)
    deliver(office, "2026-08-28 10:00", number=" 约 〔2026〕3号")
    assert left(office) == []


def test_without_a_number_unit_and_title_tell(office: Letters) -> None:
    order(office, "2026-08-03 10:00", "夏粮收购情况")
    order(office, "2026-08-03 10:00", "夏粮收购情况", unit="教体局")
    office.world.receive(item("夏粮收购情况"), at=at("2026-08-20 10:00"))
    entered = deliver(office, "2026-08-21 10:00", title="《夏粮收购情况》")
    assert entered.warnings == ()
    assert left(office) == ["夏粮收购情况"]
    prepared = office.prepare("commissions:otog:2026-08-31:overdue", LATE)
    assert {p.to.unit_id for p in to_units(prepared).values()} == {"education"}


def test_another_title_closes_nothing_until_the_number_is_named(office: Letters) -> None:
    order(office, "2026-08-03 10:00", "夏粮收购情况", number="3")
    other = deliver(office, "2026-08-20 10:00", title="全旗夏粮收购进度过半")
    assert any("夏粮收购情况" in w and "约稿编号" in w for w in other.warnings)
    assert left(office) == ["夏粮收购情况"]
    deliver(office, "2026-08-21 10:00", title="又一个题目", number="3")
    assert left(office) == []


def test_a_monthly_topic_is_waited_for_again(office: Letters) -> None:
    order(office, "2026-07-01 10:00", "月度经济形势分析", due="2026-07-31")
    deliver(office, "2026-07-30 10:00", title="月度经济形势分析")
    order(office, "2026-08-01 10:00", "月度经济形势分析")
    assert left(office) == ["月度经济形势分析"]
    deliver(office, "2026-08-30 10:00", title="月度经济形势分析")
    assert left(office) == []


def test_two_of_one_title_are_closed_one_by_one(office: Letters) -> None:
    order(office, "2026-08-01 10:00", "防汛情况", number="1")
    order(office, "2026-08-02 10:00", "防汛情况", number="2")
    deliver(office, "2026-08-20 10:00", title="防汛情况")
    assert left(office) == ["防汛情况"]
    deliver(office, "2026-08-21 10:00", title="防汛情况")
    assert left(office) == []


def test_a_number_that_was_never_given_is_refused(office: Letters) -> None:
    order(office, "2026-08-03 10:00", "夏粮收购情况", number="3")
    with pytest.raises(Refused) as caught:
        deliver(office, "2026-08-20 10:00", number="33")
    (fault,) = caught.value.faults
    assert "编号为“33”" in fault.found
    assert fault.remedy == "还没有办结的是：3"
    with pytest.raises(Refused):
        deliver(office, "2026-08-20 10:00", unit="教体局", number="3")


def test_the_due_day_must_be_said_and_a_rule_may_not_ask_for_it(office: Letters) -> None:
    with pytest.raises(Refused) as caught:
        office.enter("约稿布置", NEAR, unit="农牧局", day="2026-08-27", title="某题")
    assert ["“约稿布置”没有写完成期限" in f.found for f in caught.value.faults] == [True]


def test_what_is_only_given_changes_no_table_and_no_account(office: Letters) -> None:
    office.world.receive(item("春耕备耕工作进展顺利"), at=at("2026-08-03 10:00"))
    scorer = Scorer(office.world.store, {"otog": office.book})
    quarter, day = Period.parse("2026-Q3"), date(2026, 9, 1)
    before = standings_json(scorer.standings("otog", quarter, day))
    number = order(office, "2026-08-05 10:00", "夏粮收购情况", number="3")
    order(office, "2026-08-05 10:00", "夏粮收购情况", unit="教体局")
    assert standings_json(scorer.standings("otog", quarter, day)) == before
    desk = Desk(office.book, "王芳芳", at("2026-08-06 10:00"))
    reverse(number, "录错", "", desk, office.world.store)
    account = scorer.statement("otog", "agriculture", quarter, day)
    assert account.reversed == ()
    assert [e.rule for e in account.entries] != []
    assert all("夏粮" not in e.text for e in account.entries)


# --- as the office enters it ----------------------------------------------------------------------


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("LOGNAME", "wangfang")
    return Cli(capsys, monkeypatch, installed(tmp_path / "office", shipped("config")))


def test_a_commission_is_given_and_finished_on_the_command_line(cli: Cli) -> None:
    given = cli.good(
        "record", "assignment", "--unit", "农牧局", "--title", "夏粮收购情况", "--number", "约3",
        "--day", "2022-08-01", "--due", "2022-08-20", "--evidence", "电话通知记录",
    )  # fmt: skip
    assert "接到约稿“夏粮收购情况”（约3），2022年8月20日前完成" in given
    assert "没有用到" not in given, "the office has reminders of commissions"
    refused = cli.refused(
        "record", "约稿", "--unit", "农牧局", "--number", "约4", "--outcome", "完成",
        "--level", "国办", "--day", "2022-08-10", "--evidence", "交稿记录",
    )  # fmt: skip
    assert "--number" in refused
    assert "还没有办结的是：约3" in refused
    done = cli.good(
        "record", "约稿", "--unit", "农牧局", "--number", "约3", "--outcome", "完成",
        "--level", "国办", "--day", "2022-08-10", "--evidence", "交稿记录",
    )  # fmt: skip
    assert "（约稿编号 约3）完成" in done


def test_no_rule_may_look_at_what_was_only_given(tmp_path: Path) -> None:
    text = SOUND["scoring.toml"]
    assert 'event = "submission"' in text
    files: dict[str, str | bytes] = {
        **SOUND,
        "scoring.toml": text.replace('event = "submission"', 'event = "assignment"'),
    }
    said = faults_of(lambda: load_office(write(tmp_path / "jia", files)))
    assert any("不认识“assignment”" in fault for fault in said)


def test_what_is_done_by_everybody_is_marked_in_what_is_to_come(office: Letters) -> None:
    give(office, "2026-08-03 10:00")
    give(office, "2026-08-03 10:00", unit="教体局")
    give(office, "2026-08-03 10:05", task="t2")
    finish(office, "2026-08-10 10:00", unit="教体局")

    def coming(now: datetime) -> dict[str, str]:
        found = overview(
            office.world.store,
            office.book,
            {DutyKind.TASKS: office.tasks, DutyKind.COMMISSIONS: office.tasks},
            now,
        )
        return {line.stage: line.why for line in found.coming}

    assert coming(at("2026-08-11 10:00")) == {"early": "", "near": "", "overdue": ""}
    finish(office, "2026-08-19 10:00")
    assert coming(at("2026-08-19 11:00")) == {"near": "", "overdue": ""}
    finish(office, "2026-08-19 11:30", task="t2")
    later = coming(at("2026-08-19 12:00"))
    assert later == dict.fromkeys(
        ("near", "overdue"), "2026-08-31到期的任务都已完成或取消，不用写信。"
    )
