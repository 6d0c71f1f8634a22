"""Running a case: it holds, or every difference is told so that an official sees what to mend."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mailbot.core.rules.cases import Case, Expected, ExpectedEntry
from mailbot.core.rules.events import Event, Match
from mailbot.core.rules.events import EventKind as Kind
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Column, ListKind
from mailbot.core.rules.trial import run_case
from tests.unit.standings_help import (
    Q3,
    SUBMISSIONS,
    adopted,
    book,
    event,
    list_rule,
    points_rule,
    quota,
    ranking,
    sent,
    unit,
)


def office(**more: Any) -> OfficeBook:
    more.setdefault("rules", (points_rule(1),))
    return book(unit("a"), unit("b"), unit("c"), **more)


def case(*events: Event, expected: Expected, **more: Any) -> Case:
    given = {"period": Q3, "as_of": None, "units": None, "seal_before": ()} | more
    return Case("一句话", "jia", "cases/a.toml 第1个", events=events, expected=expected, **given)


def points(**units: int | str) -> tuple[tuple[str, Decimal], ...]:
    return tuple((u, Decimal(p)) for u, p in units.items())


EVENTS = (
    sent("a", "2022-07-05", times=4),
    sent("a", "2022-04-05"),
    sent("b", "2022-07-05", item="X"),
    adopted("b", "2022-08-05", "X"),
)


def test_a_case_holds_when_all_that_is_given_comes_out() -> None:
    rules = office(
        quotas=(quota(2),),
        lists=(list_rule(ListKind.NO_SUBMISSION), list_rule(ListKind.FIRST, list_id="first")),
        rank=ranking(columns=(Column("sent", "报送", (SUBMISSIONS,)),)),
    )
    expected = Expected(
        entries=(
            ExpectedEntry("b", "adoption", Decimal(10), "X", date(2022, 8, 5), "采用"),
            ExpectedEntry("b", "adoption", Decimal(1)),
        ),
        points=points(a=4, b=11, c=0),
        cumulative=points(a=5, b=11),
        places=(("b", 1), ("a", 2), ("c", 3)),
        columns=(("a", (("sent", 4), ("submissions", 4), ("adopted", 0))),),
        missing=(("a", (("items", 4),)),),
        lists=(("named", ("c", "b", "a")), ("first", ("b",))),
        stars=(("a", 0),),
    )
    assert run_case(rules, case(*EVENTS, expected=expected)) == []


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        (Expected(points=points(a="4.5")), "a局：得分应为 4.5，实为 4"),
        (Expected(cumulative=points(a=4)), "a局：累计得分应为 4，实为 5"),
        (Expected(places=(("a", None),)), "a局：名次应为 不排名，实为 2"),
        (Expected(places=(("a", 1),)), "a局：名次应为 1，实为 2"),
        (Expected(stars=(("b", 4),)), "b局：星级应为 4，实为 0"),
        (Expected(missing=(("b", (("items", 4),)),)), "b局：任务缺数 items 应为 4，实为 5"),
        (
            Expected(columns=(("b", (("submissions", 2),)),)),
            "b局：栏目 submissions 应为 2，实为 1",
        ),
        (
            Expected(columns=(("b", (("reports", 2),)),)),
            "b局：没有“reports”这一栏，只有 submissions、adopted",
        ),
        (Expected(points=points(x=1)), "x：得分应为 1，但结果里没有这个单位"),
        (
            Expected(lists=(("named", ("c", "x")),)),
            "名单“名单”（named）应为 c局、x，实为 a局、b局、c局",
        ),
        (Expected(lists=(("named", ()),)), "名单“名单”（named）应为 （无），实为 a局、b局、c局"),
        (Expected(lists=(("first", ()),)), "没有名单“first”，只有 named"),
    ],
)
def test_a_difference_names_the_unit_and_both_values(expected: Expected, told: str) -> None:
    rules = office(quotas=(quota(2),), lists=(list_rule(ListKind.NO_SUBMISSION),))
    assert run_case(rules, case(*EVENTS, expected=expected)) == [told]


def test_every_difference_is_told_at_once() -> None:
    expected = Expected(points=points(a=1, b=11, c=1), places=(("a", 1),))
    assert len(run_case(office(), case(*EVENTS, expected=expected))) == 3


def test_entries_are_compared_whole_for_the_units_named() -> None:
    expected = Expected(entries=(ExpectedEntry("b", "adoption", Decimal(10), item="X"),))
    (message,) = run_case(office(), case(*EVENTS, expected=expected))
    wanted, got = message.split("实有")
    assert "b局 adoption 10 分，信息 X" in wanted
    assert "b局 adoption 1 分，信息 X，2022-07-05，“报送一条记分”" in got
    assert "b局 adoption 10 分，信息 X，2022-08-05，“采用一条记分”" in got
    assert "a局" not in message


def test_a_vague_expectation_leaves_the_entry_to_the_precise_one() -> None:
    events = [sent("b", "2022-07-05", item="X"), sent("b", "2022-07-06", item="Y")]
    vague, precise = (
        ExpectedEntry("b", "adoption", Decimal(1)),
        ExpectedEntry("b", "adoption", Decimal(1), item="X"),
    )
    assert run_case(office(), case(*events, expected=Expected(entries=(vague, precise)))) == []
    assert run_case(office(), case(*events, expected=Expected(entries=(precise, precise))))


def test_entries_of_no_points_need_not_be_written_down() -> None:
    rules = office(rules=(points_rule(0),))
    adoption = ExpectedEntry("b", "adoption", Decimal(10))
    assert run_case(rules, case(*EVENTS, expected=Expected(entries=(adoption,)))) == []
    written = (adoption, ExpectedEntry("b", "adoption", Decimal(0), item="X"))
    assert run_case(rules, case(*EVENTS, expected=Expected(entries=written))) == []


def test_a_unit_may_be_expected_to_get_nothing_by_a_rule() -> None:
    nothing = ExpectedEntry("c", "adoption", Decimal(0))
    assert run_case(office(), case(*EVENTS, expected=Expected(entries=(nothing,)))) == []
    assert run_case(office(), case(sent("c", "2022-07-05"), expected=Expected(entries=(nothing,))))
    explained = replace(nothing, clause="采用")
    assert run_case(office(), case(*EVENTS, expected=Expected(entries=(explained,))))


def test_no_entries_at_all_may_be_expected() -> None:
    assert run_case(office(), case(expected=Expected(entries=()))) == []
    assert run_case(office(), case(*EVENTS, expected=Expected(entries=())))


def test_only_the_units_of_the_case_take_part() -> None:
    expected = Expected(places=(("z", 1), ("a", 2)))
    units = (unit("a"), unit("z"))
    events = (sent("z", "2022-07-05"),)
    assert run_case(office(), case(*events, expected=expected, units=units)) == []


def test_nothing_is_missing_of_what_is_not_owed() -> None:
    late_comer = (unit("a", start=date(2022, 9, 2)),)
    expected = Expected(missing=(("a", (("items", 0),)),))
    assert run_case(office(quotas=(quota(2),)), case(expected=expected, units=late_comer)) == []


def test_a_period_that_runs_is_looked_at_on_its_day() -> None:
    events = (sent("a", "2022-07-05"), sent("a", "2022-07-06"))
    early = case(*events, expected=Expected(points=points(a=1)), as_of=date(2022, 7, 5))
    assert run_case(office(), early) == []


# --- cases that must be refused --------------------------------------------------------------


def test_a_case_may_have_to_be_refused() -> None:
    refused = case(
        event(Kind.INSTRUCTION, "a", "2022-07-05", level="city"),
        sent("a", "2019-07-05"),
        period=Period.parse("2019-Q3"),
        expected=Expected(error="2019-09-30 没有有效的"),
    )
    assert run_case(office(), refused) == []
    (message,) = run_case(office(), replace(refused, expected=Expected(error="每日要情")))
    assert "每日要情" in message
    assert "2019-09-30" in message
    (message,) = run_case(office(), replace(refused, expected=Expected(points=points(a=1))))
    assert "2019-09-30" in message
    (message,) = run_case(office(), case(expected=Expected(error="每日要情")))
    assert "却算出了结果" in message


# --- sealed periods --------------------------------------------------------------------------

Q2 = Period.parse("2022-Q2")


def test_what_was_recorded_late_is_booked_to_the_running_quarter() -> None:
    events = (
        adopted("a", "2022-05-05", "X"),
        adopted("a", "2022-05-06", "Y", recorded=date(2022, 8, 10)),
        adopted("b", "2022-05-06", "Z", recorded=date(2022, 6, 30)),
    )
    late = ExpectedEntry("a", "adoption", Decimal(10), "Y", date(2022, 8, 10))
    expected = Expected(entries=(late,), points=points(a=10, b=0), cumulative=points(a=20, b=10))
    assert run_case(office(), case(*events, expected=expected, seal_before=(Q2,))) == []
    in_q2 = Expected(points=points(a=10, b=10))
    sealed = case(*events, expected=in_q2, period=Q2, as_of=date(2022, 9, 1), seal_before=(Q2,))
    assert run_case(office(), sealed) == []
    unsealed = Expected(points=points(a=0, b=0), cumulative=points(a=20, b=10))
    assert run_case(office(), case(*events, expected=unsealed)) == []


def test_a_correction_sealed_in_its_turn_is_not_made_again() -> None:
    events = (
        adopted("a", "2022-02-05", "X", recorded=date(2022, 5, 10)),
        adopted("a", "2022-02-06", "Y", recorded=date(2022, 8, 10)),
    )
    seals = (Period.parse("2022-Q1"), Q2)
    for period, expected in (("2022-Q1", 0), ("2022-Q2", 10), ("2022-Q3", 10), ("2022-Q4", 0)):
        one = case(
            *events,
            expected=Expected(points=points(a=expected)),
            period=Period.parse(period),
            as_of=date(2023, 1, 1),
            seal_before=(*seals, Q3) if period == "2022-Q4" else seals,
        )
        assert run_case(office(), one) == []


def test_columns_of_a_match_are_those_of_the_period_even_when_sealed() -> None:
    praised = Column("praised", "采用", (Match(Kind.ADOPTION),))
    rules = office(rank=ranking(columns=(praised,)))
    events = (adopted("a", "2022-05-05", "X"), adopted("a", "2022-07-05", "Y"))
    expected = Expected(columns=(("a", (("praised", 1), ("adopted", 1))),))
    assert run_case(rules, case(*events, expected=expected, seal_before=(Q2,))) == []
