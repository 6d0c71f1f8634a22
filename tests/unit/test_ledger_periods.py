"""What periods give and take: bases, shortages, ladders."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest

from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.events import EventKind, Match, Outcome, Signer, UnitStatus
from mailbot.core.rules.kinds import (
    BaseLine,
    Ladder,
    Measure,
    Mode,
    QuotaBase,
    Rule,
    Shortage,
    ShortageLine,
    Step,
)
from mailbot.core.rules.periods import PeriodKind
from tests.unit.rules_help import (
    adopted,
    book,
    brief,
    event,
    posted,
    quota,
    rule,
    sent,
    totals,
    unit,
    version,
)

G = unit("a")
RESEARCH = (Match(EventKind.SUBMISSION, category=("research",)),)
BY_QUARTER = quota("research", {"g": 1, "h": 1}, PeriodKind.QUARTER, RESEARCH)
BY_MONTH = quota("research", {"g": 1, "h": 1}, counts=RESEARCH)


def base(*quotas: str, mode: Mode = Mode.ALL_OR_NOTHING, points: int = 20, **more) -> Rule:
    found = BaseLine(("g",), quotas or ("items",), D(points), "基础分", **more)
    return rule("base", QuotaBase((found,), mode))


def shortage(quota_id: str = "items", **more) -> Rule:
    return rule("short", Shortage((ShortageLine(("g",), quota_id, D(-2), "每少1篇", **more),)))


# --- base ------------------------------------------------------------------------------------


def test_the_base_of_a_month_is_all_or_nothing() -> None:
    office = book(base(), quotas=[quota()], units=[G])
    events = [sent("2026-01-31", times=8), sent("2026-02-01", times=7)]
    met, missed, none = posted(office, events, "2026-Q1")
    assert (met.day, met.points, met.text) == (date(2026, 1, 31), 20, "1月完成报送任务，得基础分")
    assert (missed.day, missed.points) == (date(2026, 2, 28), 0)
    assert missed.text == "2月未完成报送任务，不得基础分：2月报送信息 7 条，任务 8 条，少 1 条"
    assert (none.day, none.points) == (date(2026, 3, 31), 0)


def test_only_a_month_that_is_over_is_judged() -> None:
    office = book(base(), shortage(), quotas=[quota()], units=[G])
    events = [sent("2026-01-05", times=8)]
    assert posted(office, events, "2026-01", as_of="2026-01-31") == []
    assert totals(posted(office, events, "2026-01", as_of="2026-02-01")) == {"a": 20}


def test_several_quotas_must_all_be_met() -> None:
    office = book(base("items", "research"), quotas=[quota(), BY_MONTH], units=[G])
    events = [
        sent("2026-01-05", times=9),
        sent("2026-02-05", times=7),
        sent("2026-02-06", category="research"),
    ]
    january, february = posted(office, events, "2026-01") + posted(office, events, "2026-02")
    assert january.points == 0
    assert "research 0 条，任务 1 条" in january.text
    assert "信息" not in january.text
    assert february.points == 20


def test_a_base_pro_rata_gives_the_part_of_the_worst_quota() -> None:
    office = book(
        base("items", "research", mode=Mode.PRO_RATA),
        quotas=[quota(need={"g": 3}), replace(BY_MONTH)],
        units=[G],
    )
    events = [
        sent("2026-01-05", category="research"),
        sent("2026-02-05", category="research", times=9),
        sent("2026-03-05", category="news", times=9),
    ]
    assert [p for _, _, p in brief(posted(office, events, "2026-Q1"))] == [D("6.67"), 20, 0]


def test_pro_rata_over_weeks_a_surplus_of_one_does_not_fill_another() -> None:
    weekly = quota(need={"g": 2}, period=PeriodKind.WEEK)
    office = book(base(mode=Mode.PRO_RATA), quotas=[weekly], units=[G])
    # Weeks ending on 4, 11, 18 and 25 January: 2, 9, 0 and 1 of 2 each, so 5 of 8.
    counts = {"2026-01-04": 2, "2026-01-05": 9, "2026-01-19": 1, "2026-01-26": 9}
    events = [sent(day, times=n) for day, n in counts.items()]
    assert brief(posted(office, events, "2026-01")) == [("2026-01-31", "a", D("12.5"))]


def test_pro_rata_waits_for_a_quarter_that_runs() -> None:
    office = book(
        base("items", "research", mode=Mode.PRO_RATA), quotas=[quota(), BY_QUARTER], units=[G]
    )
    events = [sent("2026-01-05", times=4)]
    assert posted(office, events, "2026-01") == []
    assert brief(posted(office, events, "2026-01", as_of="2026-04-01")) == [("2026-01-31", "a", 0)]
    events.append(sent("2026-03-31", category="research"))
    assert brief(posted(office, events, "2026-01", as_of="2026-03-31")) == [("2026-01-31", "a", 10)]


def test_a_quarter_s_quota_gives_the_base_of_each_of_its_months() -> None:
    office = book(base("research", points=10), quotas=[BY_QUARTER], units=[G])
    events = [sent("2026-03-31", category="research")]
    assert brief(posted(office, events, "2026-Q1")) == [
        ("2026-01-31", "a", 10),
        ("2026-02-28", "a", 10),
        ("2026-03-31", "a", 10),
    ]
    assert brief(posted(office, [], "2026-Q1")) == [
        ("2026-01-31", "a", 0),
        ("2026-02-28", "a", 0),
        ("2026-03-31", "a", 0),
    ]


def test_a_quarter_that_runs_decides_nothing_until_its_quota_is_met() -> None:
    office = book(base("research", points=10), quotas=[BY_QUARTER], units=[G])
    events = [sent("2026-02-10", category="research")]
    assert posted(office, events, "2026-Q1", as_of="2026-02-09") == []
    assert brief(posted(office, events, "2026-Q1", as_of="2026-02-10")) == [("2026-01-31", "a", 10)]
    assert brief(posted(office, events, "2026-Q1", as_of="2026-03-31")) == [
        ("2026-01-31", "a", 10),
        ("2026-02-28", "a", 10),
    ]
    # A month already missed decides at once, whatever the quarter does.
    both = book(base("items", "research"), quotas=[quota(), BY_QUARTER], units=[G])
    assert brief(posted(both, [], "2026-01")) == [("2026-01-31", "a", 0)]


def test_the_base_takes_the_version_of_the_month_s_last_day() -> None:
    old = base().versions[0]
    new = replace(
        old,
        start=date(2026, 2, 28),
        values=QuotaBase((BaseLine(("g",), ("items",), D(30), ""),), Mode.ALL_OR_NOTHING),
    )
    changed = replace(base(), versions=(old, new))
    office = book(changed, quotas=[quota()], units=[G])
    events = [sent(f"2026-0{m}-01", times=8) for m in (1, 2)]
    assert [p for _, _, p in brief(posted(office, events, "2026-Q1"))] == [20, 30, 0]


def test_the_first_month_of_an_office_is_judged_whole() -> None:
    start = date(2019, 4, 5)
    values = base().versions[0].values
    office = book(rule("base", version(values, start)), quotas=[quota(start=start)], units=[G])
    assert brief(posted(office, [sent("2019-04-01", times=8)], "2019-04")) == [
        ("2019-04-30", "a", 20)
    ]
    with pytest.raises(NoRuleInForce):
        posted(office, [], "2019-03")


def test_who_owes_nothing_gets_no_base_and_no_shortage() -> None:
    came = unit("b", start=date(2026, 1, 2))
    office = book(base(), shortage(), quotas=[quota()], units=[G, came, unit("c")])
    events = [event("status", "2026-01-31", "c", status=UnitStatus.SUSPENDED)]
    assert {e.unit for e in posted(office, events, "2026-01")} == {"a"}


def test_a_quota_of_nought_is_met() -> None:
    office = book(base(), shortage(), quotas=[quota(need={"g": 0})], units=[G])
    assert totals(posted(office, [], "2026-01")) == {"a": 20}


def test_a_group_that_no_line_names_needs_no_number() -> None:
    office = book(base(), quotas=[quota(need={"g": 8})])
    assert {e.unit for e in posted(office, [], "2026-01")} == {"a", "b", "c"}
    everybody = rule(
        "base", QuotaBase((BaseLine(("g", "h"), ("items",), D(1), ""),), Mode.PRO_RATA)
    )
    with pytest.raises(NoRuleInForce, match="组 h"):
        posted(book(everybody, quotas=[quota(need={"g": 8})]), [], "2026-01")


# --- shortage --------------------------------------------------------------------------------


def test_each_missing_item_costs() -> None:
    office = book(shortage(), quotas=[quota()], units=[G])
    events = [sent("2026-01-31", times=5), sent("2026-02-01", times=8)]
    january, march = posted(office, events, "2026-Q1")
    assert (january.day, january.points) == (date(2026, 1, 31), -6)
    assert january.text == "1月报送信息 5 条，任务 8 条，少 3 条"
    assert (march.day, march.points) == (date(2026, 3, 31), -16)


def test_a_shortage_is_never_below_its_least() -> None:
    office = book(shortage(least=D(-10)), quotas=[quota()], units=[G])
    events = [sent("2026-01-31", times=3), sent("2026-02-01", times=2)]
    assert [p for _, _, p in brief(posted(office, events, "2026-Q1"))] == [-10, -10, -10]
    assert "最多扣 10 分" not in posted(office, events, "2026-01")[0].text
    assert "最多扣 10 分" in posted(office, events, "2026-02")[0].text


def test_a_shortage_is_booked_when_the_quota_s_own_period_ends() -> None:
    office = book(shortage("research"), quotas=[BY_QUARTER], units=[G])
    assert posted(office, [], "2026-02") == []
    assert brief(posted(office, [], "2026-03")) == [("2026-03-31", "a", -2)]
    weekly = quota("research", {"g": 1}, PeriodKind.WEEK, RESEARCH)
    office = book(shortage("research"), quotas=[weekly], units=[G])
    found = posted(office, [], "2026-01")
    assert [day for day, _, _ in brief(found)] == [
        "2026-01-04",
        "2026-01-11",
        "2026-01-18",
        "2026-01-25",
    ]


def test_a_quota_that_is_only_a_remark_costs_nothing() -> None:
    office = book(shortage(), quotas=[quota(remark_only=True)], units=[G])
    assert posted(office, [], "2026") == []


# --- ladders ---------------------------------------------------------------------------------


def ladder(measure: Measure, *steps: tuple[int | None, int | None, int], **more) -> Rule:
    """Steps as (at least, below, points)."""
    period = more.pop("period", PeriodKind.YEAR)
    found = tuple(
        Step(D(p), f"{p}分档", None if a is None else D(a), None if b is None else D(b))
        for a, b, p in steps
    )
    return rule("ladder", Ladder(measure, period, found, **more))


@pytest.mark.parametrize(
    ("sent_a_month", "expected"), [(8, []), (7, [-5]), (6, [-10]), (4, [-10]), (3, [-20])]
)
def test_a_ladder_by_missing_items(sent_a_month: int, expected: list[int]) -> None:
    # Missing 0, 12, 24, 48, 60 of the year's 96.
    steps = ((1, 24, -5), (24, 49, -10), (49, None, -20))
    office = book(ladder(Measure.MISSING, *steps, quota="items"), quotas=[quota()], units=[G])
    events = [sent(date(2026, m, 1), times=sent_a_month) for m in range(1, 13)]
    assert [p for _, _, p in brief(posted(office, events))] == expected
    assert posted(office, events, as_of="2026-12-31") == []


def test_a_surplus_of_one_month_does_not_fill_the_ladder_s_others() -> None:
    office = book(
        ladder(Measure.MISSING, (1, None, -5), quota="items"), quotas=[quota()], units=[G]
    )
    [entry] = posted(office, [sent("2026-01-01", times=96)])
    assert entry.text == "规则ladder：2026年少报信息 88 条"
    assert entry.clause == "-5分档"


def test_the_first_step_that_holds_counts_once_and_no_steps_book_nothing() -> None:
    overlapping = ladder(Measure.MISSING, (10, None, -1), (20, None, -2), quota="items")
    office = book(overlapping, quotas=[quota()], units=[G])
    assert totals(posted(office, [])) == {"a": -1}
    undecided = book(ladder(Measure.MISSING, quota="items"), quotas=[quota()], units=[G])
    assert posted(undecided, []) == []


def test_a_ladder_by_count_leaves_out_what_was_explained() -> None:
    office = book(
        ladder(
            Measure.COUNT,
            (2, 3, -10),
            (3, None, -30),
            period=PeriodKind.QUARTER,
            matches=(Match(EventKind.COMMISSION, outcome=(Outcome.MISSED,)),),
            excused_by=(Signer.HEAD,),
        )
    )
    missed = [
        event("commission", f"2026-0{m}-01", outcome=Outcome.MISSED, id=f"record:{m}")
        for m in (1, 2, 3, 4)
    ]
    done = event("commission", "2026-02-01", outcome=Outcome.DONE)
    told = event("explanation", "2026-03-05", about="record:2", signer=Signer.HEAD, accepted=True)
    [entry] = posted(office, [*missed, done])
    assert (entry.day, entry.points) == (date(2026, 3, 31), -30)
    assert entry.events == ("record:1", "record:2", "record:3")
    assert entry.text == "规则ladder：第一季度 3 次"
    assert totals(posted(office, [*missed, told])) == {"a": -10}


@pytest.mark.parametrize(
    ("items", "expected"), [(0, [-5]), (3, [-5]), (4, [0]), (6, [0]), (7, [5])]
)
def test_a_ladder_by_adoption_rate_counts_items_once(items: int, expected: list[int]) -> None:
    # Of 10 submitted: below 40 % loses, from 70 % wins.
    steps = ((None, 40, -5), (40, 70, 0), (70, None, 5))
    office = book(ladder(Measure.ADOPTION_RATE, *steps), units=[G])
    events = [sent("2026-05-01", times=10), sent("2026-05-02", follow_up=True)]
    for n in range(items):
        events += [adopted("2026-06-01", item=f"x{n}"), adopted("2026-07-01", "jn", item=f"x{n}")]
    assert [p for _, _, p in brief(posted(office, events))] == expected


def test_without_submissions_there_is_no_rate() -> None:
    office = book(ladder(Measure.ADOPTION_RATE, (None, 40, -5)), units=[G])
    assert posted(office, [adopted("2026-06-01", item="x")]) == []


def test_a_ladder_by_completion_rate() -> None:
    rate = ladder(
        Measure.COMPLETION_RATE,
        (120, None, 10),
        (None, 60, -10),
        quota="items",
        period=PeriodKind.QUARTER,
    )
    office = book(
        rate, quotas=[quota(need={"g": 10, "h": 0})], units=[G, unit("b"), unit("d", "h")]
    )
    events = [
        sent("2026-02-01", times=36),
        sent("2026-01-01", "b", times=17),
        sent("2026-01-01", "d"),
    ]
    found = posted(office, events, "2026-Q1")
    assert brief(found) == [("2026-03-31", "a", 10), ("2026-03-31", "b", -10)]
    assert found[1].text == ("规则ladder：第一季度报送信息 17 条，任务 30 条，完成率 56.67%")


def test_a_ladder_is_for_its_groups_and_for_units_that_were_there() -> None:
    rule_of_h = ladder(
        Measure.COUNT, (None, None, 1), matches=(Match(EventKind.FILING),), groups=("h",)
    )
    office = book(rule_of_h, units=[G, unit("d", "h"), unit("e", "h", end=date(2026, 12, 30))])
    assert totals(posted(office, [])) == {"d": 1}
