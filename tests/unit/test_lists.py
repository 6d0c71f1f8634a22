"""Lists of a notice: who is named, why, and above all who must not be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.rules.entries import Entry, Standings
from mailbot.core.rules.events import Event, EventKind, Fault, Match, Outcome, UnitStatus
from mailbot.core.rules.lists import events_from
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.scorebook import ListKind, ListRule, OrderBy, RankingTable
from tests.unit.standings_help import (
    BASIS,
    Q3,
    adopted,
    book,
    entry,
    event,
    list_rule,
    listed,
    points_rule,
    quota,
    ranking,
    sent,
    stand,
    the_list,
    unit,
)

TABLES = (RankingTable("towns", "镇", ("town",)), RankingTable("dept", "部门", ("dept",)))
DEPARTMENTS = tuple(unit(u) for u in "abcde")


def ranked(rule: ListRule, points: dict[str, int], *, tables: bool = False) -> Standings:
    """Letters up to m are departments, the others towns."""
    units = (unit(u, "dept" if u < "m" else "town") for u in points)
    tabled = TABLES if tables else (RankingTable("all", "全部", ("dept", "town")),)
    office = book(*units, rank=ranking(*tabled), lists=(rule,))
    return stand(office, entries=[entry(u, p) for u, p in points.items()])


# --- first and last --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("places", "points", "named"),
    [
        (1, {"a": 5, "b": 9, "c": 1}, "b"),
        (1, {"a": 9, "b": 9, "c": 1}, "ab"),
        (3, {"a": 9, "b": 8, "c": 8, "d": 7}, "abc"),
        (2, {"a": 9, "b": 8, "c": 8, "d": 7}, "abc"),
        (2, {"a": 0, "b": 8, "c": -1}, "b"),
        (1, {"a": 0, "b": 0}, ""),
    ],
)
def test_first_are_all_on_the_places_who_have_anything(
    places: int, points: dict[str, int], named: str
) -> None:
    rule = list_rule(ListKind.FIRST, places=places)
    assert "".join(listed(ranked(rule, points))) == named


@pytest.mark.parametrize(
    ("places", "points", "named"),
    [
        (1, {"a": 5, "b": 9, "c": 1}, "c"),
        (1, {"a": 9, "b": 1, "c": 1}, "bc"),
        (2, {"a": 9, "b": 2, "c": 1}, "bc"),
        (2, {"a": 9, "b": 2, "c": 2, "d": 1}, "bcd"),
        (1, {"a": 0, "b": 0}, ""),
        (1, {"a": 0}, ""),
        (9, {"a": 9, "b": 9, "c": 1}, "c"),
        (1, {"a": 9, "b": 0, "c": 0}, "bc"),
    ],
)
def test_last_are_all_on_the_places_but_never_who_is_also_first(
    places: int, points: dict[str, int], named: str
) -> None:
    rule = list_rule(ListKind.LAST, places=places)
    assert "".join(listed(ranked(rule, points))) == named


def test_each_table_has_its_own_first_and_last() -> None:
    points = {"a": 5, "b": 9, "t": 2, "u": 1}
    assert [*listed(ranked(list_rule(ListKind.FIRST), points, tables=True))] == ["t", "b"]
    assert [*listed(ranked(list_rule(ListKind.LAST), points, tables=True))] == ["u", "a"]
    only = list_rule(ListKind.LAST, tables=("dept",))
    assert [*listed(ranked(only, points, tables=True))] == ["a"]


def test_together_ranks_the_units_of_all_tables_in_one_order() -> None:
    points = {"a": 5, "b": 9, "t": 2, "u": 7}
    first = list_rule(ListKind.FIRST, together=True, places=2)
    assert [*listed(ranked(first, points, tables=True))] == ["b", "u"]
    assert [*listed(ranked(list_rule(ListKind.LAST, together=True), points, tables=True))] == ["t"]


def test_whom_a_list_passes_over_takes_no_place_on_it() -> None:
    points = {"a": 5, "b": 9, "c": 1, "t": 0}
    last = ranked(list_rule(ListKind.LAST, exclude=("c",), groups=("dept",)), points)
    assert listed(last) == {"a": "最后一名，5 分"}
    assert last.row("t").place == 4
    first = ranked(list_rule(ListKind.FIRST, exclude=("b",)), points)
    assert listed(first) == {"a": "第一名，5 分"}


def test_places_are_said_with_what_is_ranked_by() -> None:
    rule = list_rule(ListKind.FIRST, places=2)
    points = {"a": 86, "b": 3, "c": 3}
    assert listed(ranked(rule, points)) == {
        "a": "第一名，86 分",
        "b": "并列第二名，3 分",
        "c": "并列第二名，3 分",
    }
    below = list_rule(ListKind.LAST, places=2)
    assert listed(ranked(below, {"a": 9, "b": 2, "c": 1})) == {
        "b": "倒数第二名，2 分",
        "c": "最后一名，1 分",
    }
    office = book(rank=ranking(order=(OrderBy.ADOPTED,)), lists=(rule,))
    assert listed(stand(office, [adopted("a", "2022-07-01", "X")])) == {"a": "第一名，采用 1 条"}


def test_without_an_order_nobody_is_first_or_last() -> None:
    rules = (list_rule(ListKind.FIRST), list_rule(ListKind.LAST, list_id="last"))
    result = stand(book(rank=ranking(order=()), lists=rules), entries=[entry("a", 5)])
    assert [one.listed for one in result.lists] == [(), ()]


@given(
    st.dictionaries(st.sampled_from("abcdefgt"), st.integers(-2, 3), min_size=1),
    st.integers(1, 4),
    st.booleans(),
)
def test_nobody_is_both_first_and_last_and_like_units_are_treated_alike(
    points: dict[str, int], places: int, together: bool
) -> None:
    first, last = (
        {*listed(ranked(list_rule(kind, places=n, together=together), points, tables=True))}
        for kind, n in ((ListKind.FIRST, 1), (ListKind.LAST, places))
    )
    assert not first & last
    for named in (first, last):
        for one in points:
            for other in points:
                if points[one] == points[other] and (together or (one < "m") == (other < "m")):
                    assert (one in named) == (other in named)


# --- silence ---------------------------------------------------------------------------------

SILENT = list_rule(ListKind.NO_SUBMISSION)
TWICE = list_rule(ListKind.NO_SUBMISSION, running=2)


def test_every_silent_month_of_the_period_is_named() -> None:
    events = [sent("a", "2022-08-31"), *(sent("b", f"2022-0{m}-01") for m in (7, 8, 9))]
    result = stand(book(lists=(SILENT,)), events)
    assert listed(result) == {"a": "7月、9月未报送", "c": "7月、8月、9月未报送"}


def test_a_follow_up_is_no_report_of_its_own_and_a_joint_one_is_everybodys() -> None:
    events = [
        sent("a", "2022-07-01", follow_up=True),
        sent("b", "2022-07-01", partners=("c",)),
    ]
    result = stand(book(lists=(SILENT,)), events, period=Period.parse("2022-07"))
    assert listed(result) == {"a": "7月未报送"}


def test_only_months_that_are_over_are_held_against_a_unit() -> None:
    result = stand(book(lists=(SILENT,)), as_of=date(2022, 8, 31))
    assert listed(result)["a"] == "7月未报送"
    assert listed(stand(book(lists=(SILENT,)), as_of=date(2022, 7, 31))) == {}


@pytest.mark.parametrize(
    ("months", "why"),
    [
        ((4, 5, 7, 9), None),
        ((4, 5, 8, 9), "6月、7月连续未报送"),
        ((4, 5, 6, 9), "7月、8月连续未报送"),
        ((4, 5), "6月、7月、8月、9月连续未报送"),
        ((4, 5, 6, 7, 8), None),
    ],
)
def test_two_months_running_reach_back_before_the_period(
    months: tuple[int, ...], why: str | None
) -> None:
    events = [sent("a", f"2022-{m:02d}-15") for m in months]
    assert listed(stand(book(lists=(TWICE,)), events)).get("a") == why


def test_runs_apart_are_told_apart_and_last_years_months_with_their_year() -> None:
    events = [sent("a", f"2022-{m:02d}-15") for m in (2, 5, 6)] + [sent("a", "2021-11-30")]
    half = stand(book(lists=(TWICE,)), events, period=Period.parse("2022-H1"))
    assert listed(half)["a"] == "2021年12月、1月连续未报送；3月、4月连续未报送"


def test_months_before_the_book_or_without_the_unit_are_not_silent() -> None:
    units = (
        unit("a"),
        unit("new", start=date(2022, 7, 2)),
        unit("from_the_first", start=date(2022, 7, 1)),
        unit("paused"),
        unit("left", end=date(2022, 9, 29)),
    )
    events = [
        event(EventKind.STATUS, "paused", "2022-08-10", status=UnitStatus.SUSPENDED),
        event(EventKind.STATUS, "paused", "2022-08-20", status=UnitStatus.APPOINTED),
    ]
    result = stand(book(*units, lists=(SILENT,)), events)
    assert listed(result) == {
        "a": "7月、8月、9月未报送",
        "new": "8月、9月未报送",
        "from_the_first": "7月、8月、9月未报送",
        "paused": "7月、9月未报送",
    }
    first_days = book(
        unit("a"), rank=ranking(start=date(2022, 8, 20)), lists=(SILENT, replace(TWICE, id="twice"))
    )
    result = stand(first_days)
    assert listed(result) == {"a": "8月、9月未报送"}
    assert listed(result, "twice") == {"a": "8月、9月连续未报送"}


@pytest.mark.parametrize(
    ("began", "once", "twice"),
    [
        (date(2022, 6, 30), "7月、8月、9月未报送", "6月、7月、8月、9月连续未报送"),
        (date(2022, 7, 1), "7月、8月、9月未报送", "7月、8月、9月连续未报送"),
        (date(2022, 7, 31), "7月、8月、9月未报送", "7月、8月、9月连续未报送"),
        (date(2022, 8, 3), "8月、9月未报送", "8月、9月连续未报送"),
        (date(2022, 9, 1), "9月未报送", None),
        (date(2022, 10, 1), None, None),
        (date.max, None, None),
    ],
)
def test_months_before_anything_was_recorded_are_not_silent(
    began: date, once: str | None, twice: str | None
) -> None:
    office = book(lists=(SILENT, replace(TWICE, id="twice")))
    result = stand(office, began=began)
    assert listed(result).get("a") == once
    assert listed(result, "twice").get("a") == twice


def test_who_was_silent_before_the_records_began_is_not_passed_over_for_it() -> None:
    """On a list of the last: only whoever is known to have been silent stands on another one."""
    last = list_rule(ListKind.LAST, unless_silent=3)
    entries = [entry("a", 5, "2022-09-01"), entry("b", 1, "2022-09-02")]
    events = [sent("a", "2022-09-01"), sent("b", "2022-09-02")]
    month, office = Period.parse("2022-09"), book(lists=(last,))
    assert listed(stand(office, events, entries, month)) == {"b": "最后一名，1 分"}
    later = stand(office, events, entries, month, began=date(2022, 8, 1))
    assert listed(later) == {"c": "最后一名，0 分"}


@pytest.mark.parametrize(
    ("began", "named"), [(date(2022, 7, 9), "abc"), (date(2022, 8, 1), ""), (date.max, "")]
)
def test_no_adoption_needs_a_period_that_was_recorded_as_a_whole(began: date, named: str) -> None:
    office = book(lists=(list_rule(ListKind.NO_ADOPTION),))
    assert "".join(listed(stand(office, began=began))) == named


def test_a_quota_is_not_missed_in_what_nobody_recorded() -> None:
    """Table and list: months over before the first record; the list no quarter it is in either."""
    monthly = book(quotas=(quota(3),), lists=(list_rule(ListKind.SHORT, quota="items"),))
    result = stand(monthly, began=date(2022, 8, 3))
    assert [(q.need, q.missing) for q in result.row("a").quotas] == [(6, 6)]
    assert "7月" not in listed(result)["a"]
    assert stand(monthly, began=date(2022, 10, 1)).row("a").quotas == ()
    by_quarter = replace(monthly, quotas=(quota(3, PeriodKind.QUARTER),))
    result = stand(by_quarter, began=date(2022, 8, 3))
    assert [q.missing for q in result.row("a").quotas] == [3]
    assert listed(result) == {}
    assert "a" in listed(stand(by_quarter, began=date(2022, 7, 3)))


def test_the_events_must_reach_as_far_back_as_the_lists_look() -> None:
    first_quarter = Period.parse("2022-Q1")
    assert events_from(book(lists=(SILENT,)), first_quarter) == date(2022, 1, 1)
    assert events_from(book(lists=(TWICE,)), first_quarter) == date(2021, 12, 1)
    assert events_from(book(lists=(TWICE,)), Q3) == date(2022, 1, 1)


def test_no_adoption_names_those_on_the_roster_and_appointed_at_the_end() -> None:
    units = (unit("a"), unit("b"), unit("left", end=date(2022, 8, 1)), unit("out"))
    events = [
        adopted("b", "2022-09-30", "X"),
        event(EventKind.STATUS, "out", "2022-09-30", status=UnitStatus.WITHDRAWN),
    ]
    result = stand(book(*units, lists=(list_rule(ListKind.NO_ADOPTION),)), events)
    assert listed(result) == {"a": "2022年第三季度无采用"}


# --- what happened ---------------------------------------------------------------------------

LATE = Match(EventKind.ERROR, fault=(Fault.LATE, Fault.OMITTED))


def test_events_name_the_unit_whatever_its_standing_with_people_and_reasons() -> None:
    office = book(
        unit("a"),
        unit("left", end=date(2022, 8, 1)),
        lists=(list_rule(ListKind.EVENTS, matches=(LATE,), people=("deputy", "liaison")),),
    )
    events = [
        event(EventKind.ERROR, "left", "2022-08-03", fault=Fault.LATE, title="草场火情"),
        event(EventKind.ERROR, "a", "2022-09-01", fault=Fault.OMITTED, people=("分管 某甲",)),
        event(
            EventKind.ERROR,
            "a",
            "2022-07-09",
            fault=Fault.LATE,
            reason="值班室核实",
            people=("分管 某甲", "信息员 某乙"),
        ),
        event(EventKind.ERROR, "a", "2022-07-10", fault=Fault.QUALITY),
        event(EventKind.ERROR, "a", "2022-06-30", fault=Fault.LATE),
        event(EventKind.ERROR, "a", "2022-10-01", fault=Fault.LATE),
    ]
    result = stand(office, events)
    assert listed(result) == {
        "a": "迟报：值班室核实（2022-07-09）；漏报（2022-09-01）",
        "left": "迟报：草场火情（2022-08-03）",
    }
    named = the_list(result).listed[0]
    assert named.people == ("分管 某甲", "信息员 某乙")
    assert named.events == (events[2].id, events[1].id)
    assert the_list(result).clause == BASIS.clause


def test_nobody_is_named_for_what_happened_before_there_was_such_a_list() -> None:
    rule = list_rule(ListKind.EVENTS, matches=(LATE,), start=date(2022, 8, 15))
    later = replace(rule.versions[0], start=date(2022, 9, 1))
    rule = replace(rule, versions=(*rule.versions, later))
    events = [
        event(EventKind.ERROR, unit_id, day, fault=Fault.LATE)
        for unit_id, day in (("a", "2022-08-14"), ("b", "2022-08-15"))
    ]
    assert listed(stand(book(lists=(rule,)), events)) == {"b": "迟报（2022-08-15）"}


def test_people_are_only_named_where_the_list_names_people() -> None:
    rule = list_rule(ListKind.EVENTS, matches=(LATE,))
    slip = event(EventKind.ERROR, "a", "2022-08-03", fault=Fault.LATE, people=("分管 某甲",))
    assert the_list(stand(book(lists=(rule,)), [slip])).listed[0].people == ()


def test_a_missed_commission_reads_as_the_office_would_say_it() -> None:
    missed = Match(EventKind.COMMISSION, outcome=(Outcome.MISSED,))
    events = [
        event(EventKind.COMMISSION, "a", "2022-08-03", outcome=Outcome.MISSED, title="春耕约稿"),
        event(EventKind.COMMISSION, "b", "2022-08-03", outcome=Outcome.DONE),
    ]
    result = stand(book(lists=(list_rule(ListKind.EVENTS, matches=(missed,)),)), events)
    assert listed(result) == {"a": "约稿未完成：春耕约稿（2022-08-03）"}


def test_a_mention_puts_a_unit_on_that_list_only() -> None:
    rules = (
        list_rule(ListKind.MENTIONED, list_id="interview"),
        list_rule(ListKind.MENTIONED, list_id="praise"),
    )
    mention = event(
        EventKind.MENTION, "a", "2022-08-03", rule="praise", reason="信息质量高", people=("某丙",)
    )
    result = stand(book(lists=rules), [mention])
    assert listed(result, "praise") == {"a": "信息质量高（2022-08-03）"}
    assert listed(result, "interview") == {}


# --- short, overdue, below -------------------------------------------------------------------


def test_short_names_each_period_of_the_quota_that_is_over() -> None:
    office = book(quotas=(quota(3),), lists=(list_rule(ListKind.SHORT, quota="items"),))
    events = [
        sent("a", "2022-07-05", times=2),
        sent("a", "2022-08-05", times=9),
        *(sent("b", f"2022-0{m}-05", times=3) for m in (7, 8, 9)),
    ]
    assert listed(stand(office, events)) == {
        "a": "信息：7月缺1条、9月缺3条",
        "c": "信息：7月缺3条、8月缺3条、9月缺3条",
    }
    assert listed(stand(office, events, as_of=date(2022, 9, 30)))["a"] == "信息：7月缺1条"


@pytest.mark.parametrize(
    ("due", "finished", "as_of", "named"),
    [
        ("2022-09-30", None, "2022-10-01", True),
        ("2022-09-30", None, "2022-09-30", False),
        ("2022-10-01", None, "2022-11-01", False),
        ("2022-08-31", "2022-09-30", "2022-10-01", False),
        ("2022-08-31", "2022-10-08", "2022-11-01", True),
    ],
)
def test_overdue_are_tasks_unfinished_when_the_period_ended(
    due: str, finished: str | None, as_of: str, named: bool
) -> None:
    office = book(lists=(list_rule(ListKind.OVERDUE),))
    due_day = date.fromisoformat(due)
    events = [event(EventKind.TASK, "a", "2022-02-01", item="t", title="完善目录", due=due_day)]
    if finished:
        events.append(event(EventKind.TASK_DONE, "a", finished, item="t"))
    expected = {"a": f"完善目录：应于{due}前完成"} if named else {}
    assert listed(stand(office, events, as_of=date.fromisoformat(as_of))) == expected


def test_below_is_the_offices_own_threshold() -> None:
    points = [entry("a", 20), entry("b", "19.99")]
    result = stand(book(lists=(list_rule(ListKind.BELOW, points=20),)), entries=points)
    assert listed(result) == {"b": "19.99 分，低于 20 分", "c": "0 分，低于 20 分"}


# --- which lists there are -------------------------------------------------------------------


def test_a_list_belongs_to_its_periods_and_days() -> None:
    rules = (
        list_rule(ListKind.NO_ADOPTION, list_id="yearly", periods=(PeriodKind.YEAR,)),
        list_rule(ListKind.NO_ADOPTION, list_id="later", start=date(2022, 10, 1)),
        list_rule(ListKind.NO_ADOPTION, list_id="today", start=date(2022, 9, 30)),
        list_rule(ListKind.NO_ADOPTION, list_id="repealed", repealed=True),
    )
    assert [one.id for one in stand(book(lists=rules)).lists] == ["today"]


@given(st.permutations(range(6)))
def test_lists_do_not_depend_on_the_order_of_events(order: list[int]) -> None:
    rules = (
        list_rule(ListKind.EVENTS, list_id="late", matches=(LATE,), people=("deputy", "liaison")),
        replace(SILENT, id="silent"),
    )
    events: list[Event] = [
        Event(
            f"record:{n}",
            EventKind.ERROR if n % 2 else EventKind.SUBMISSION,
            "a",
            date(2022, 7 + n // 3, 5),
            fault=Fault.LATE,
            people=(f"某{n}",),
        )
        for n in range(6)
    ]
    entries: list[Entry] = []
    office = book(*DEPARTMENTS, lists=rules)
    assert stand(office, [events[n] for n in order], entries) == stand(office, events, entries)


def test_silent_months_may_cost_the_first_place() -> None:
    """“连续两个月未报送的不参加评优”: the next of the others is named."""
    rule = list_rule(ListKind.FIRST, places=1)
    rule = replace(rule, versions=(replace(rule.versions[0], unless_silent=2),))
    events = [
        adopted("a", "2022-09-01", "X"),
        adopted("a", "2022-09-02", "Y"),
        adopted("b", "2022-09-01", "Z"),
        *(event(EventKind.SUBMISSION, "b", f"2022-0{m}-01") for m in (7, 8, 9)),
        event(EventKind.SUBMISSION, "a", "2022-09-01"),  # nothing in July and August
    ]
    office = book(lists=(rule,), rules=(points_rule(1),))
    entries = [entry("a", 21, "2022-09-01"), entry("b", 13, "2022-09-01")]
    assert set(listed(stand(office, events, entries))) == {"b"}
    open_to_all = replace(rule, versions=(replace(rule.versions[0], unless_silent=0),))
    office = book(lists=(open_to_all,), rules=(points_rule(1),))
    assert set(listed(stand(office, events, entries))) == {"a"}
