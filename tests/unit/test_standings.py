"""Standings of a period: who stands where, what is counted for whom, and who is not ranked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.entries import QuotaState
from mailbot.core.rules.events import Event, EventKind, Fault, Match, Outcome, UnitStatus
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.scorebook import (
    Column,
    ColumnCount,
    LedgerTask,
    OrderBy,
    RankingTable,
    Ties,
)
from mailbot.core.rules.standings import OTHERS
from mailbot.core.subject.roster import EarlierGroup
from tests.unit.standings_help import (
    Q3,
    SUBMISSIONS,
    adopted,
    book,
    entry,
    event,
    placed,
    quota,
    ranking,
    sent,
    stand,
    unit,
    with_rankings,
)

# --- places ----------------------------------------------------------------------------------


def test_ties_share_a_place_and_the_next_one_is_left_free() -> None:
    office = book(*(unit(u) for u in "abcd"))
    points = [entry("a", 10), entry("b", 20), entry("c", 30), entry("d", 20)]
    assert placed(stand(office, entries=points)) == {"c": 1, "b": 2, "d": 2, "a": 4}


def test_dense_ties_leave_no_place_free() -> None:
    office = book(*(unit(u) for u in "abcd"), rank=ranking(ties=Ties.DENSE))
    points = [entry("a", 10), entry("b", 20), entry("c", 30), entry("d", 20)]
    assert placed(stand(office, entries=points)) == {"c": 1, "b": 2, "d": 2, "a": 3}


def test_the_second_key_decides_between_those_equal_in_the_first() -> None:
    office = book(rank=ranking(order=(OrderBy.ADOPTED, OrderBy.SUBMISSIONS)))
    events = [
        *(adopted(u, "2022-07-05", f"{u}1") for u in "ab"),
        *(sent("b", "2022-07-04", times=3) for _ in range(2)),
        sent("c", "2022-07-04", times=90),
    ]
    assert placed(stand(office, events)) == {"b": 1, "a": 2, "c": 3}


def test_without_an_order_units_stand_as_in_the_roster_and_nobody_has_a_place() -> None:
    office = book(rank=ranking(order=()))
    result = stand(office, entries=[entry("c", 5)])
    assert placed(result) == {"a": None, "b": None, "c": None}
    assert [r.unit for r in result.tables[0].rows] == ["a", "b", "c"]


def test_every_table_ranks_its_own_groups_and_the_rest_come_last() -> None:
    tables = (
        RankingTable("towns", "镇", ("town", "zone")),
        RankingTable("dept", "部门", ("dept",)),
    )
    office = book(
        unit("a"),
        unit("t", "town"),
        unit("z", "zone"),
        unit("q", "quango"),
        unit("b"),
        rank=ranking(*tables),
    )
    result = stand(office, entries=[entry("z", 3), entry("b", 2), entry("q", 99)])
    assert [(t.id, [(r.unit, r.place) for r in t.rows]) for t in result.tables] == [
        ("towns", [("z", 1), ("t", 2)]),
        ("dept", [("b", 1), ("a", 2)]),
        ("", [("q", None)]),
    ]
    assert result.tables[-1].name == OTHERS


def test_places_won_and_lost_are_told_against_the_period_before() -> None:
    office = book(unit("a"), unit("b"), unit("c", start=date(2022, 7, 1)))
    before = stand(office, entries=[entry("a", 5, "2022-05-01")], period=Period.parse("2022-Q2"))
    result = stand(office, entries=[entry("b", 5), entry("c", 4)], previous=before)
    changes = {r.unit: (r.place, r.previous_place, r.change) for r in result.tables[0].rows}
    assert changes == {"b": (1, 2, 1), "c": (2, None, None), "a": (3, 1, -2)}


def test_no_ranking_in_force_names_office_and_day() -> None:
    office = with_rankings(book(), ranking(start=date(2022, 10, 1)))
    with pytest.raises(NoRuleInForce, match="jia：2022-09-30 没有有效的排名"):
        stand(office)
    assert stand(office, period=Period.parse("2022-Q4")).period.code == "2022-Q4"


# --- who is ranked ---------------------------------------------------------------------------


def test_units_that_left_or_lost_their_standing_are_shown_unranked() -> None:
    office = book(
        unit("a"),
        unit("left", end=date(2022, 8, 31)),
        unit("long_gone", end=date(2022, 6, 30)),
        unit("suspended"),
        unit("back"),
    )
    events = [
        event(EventKind.STATUS, "suspended", "2022-09-30", status=UnitStatus.SUSPENDED),
        event(EventKind.STATUS, "back", "2021-03-01", status=UnitStatus.WITHDRAWN),
        event(EventKind.STATUS, "back", "2022-09-30", status=UnitStatus.APPOINTED),
    ]
    points = [entry("left", 9), entry("suspended", 8), entry("back", 1)]
    result = stand(office, events, points)
    assert placed(result) == {"back": 1, "a": 2, "left": None, "suspended": None}
    assert result.row("suspended").status == "suspended"
    assert result.row("suspended").points == 8


def test_a_standing_lost_after_the_day_we_look_counts_for_nothing() -> None:
    events = [event(EventKind.STATUS, "a", "2022-09-20", status=UnitStatus.WITHDRAWN)]
    assert placed(stand(book(), events, as_of=date(2022, 9, 19)))["a"] == 1
    assert placed(stand(book(), events, as_of=date(2022, 9, 20)))["a"] is None


def test_a_unit_that_left_before_is_shown_when_something_still_happened() -> None:
    office = book(unit("a"), unit("gone", end=date(2022, 6, 30)))
    late_praise = [adopted("gone", "2022-07-08", "X")]
    row = stand(office, late_praise).row("gone")
    assert (row.place, row.adopted) == (None, 1)


def test_a_recommender_outside_the_roster_stands_in_the_last_table() -> None:
    result = stand(book(), entries=[entry("省贸促会", 12, rule="conversion")])
    assert [t.id for t in result.tables] == ["dept", ""]
    row = result.row("省贸促会")
    assert (row.name, row.points, row.place) == ("省贸促会", 12, None)
    assert not row.no_submission


# --- numbers ---------------------------------------------------------------------------------


def test_points_are_the_periods_and_cumulative_ones_the_years() -> None:
    points = [
        entry("a", "0.1", "2022-01-01"),
        entry("a", "0.2", "2022-06-30"),
        entry("a", "10", "2022-07-01"),
        entry("a", "-3.5", "2022-09-30"),
        entry("a", "99", "2021-12-31"),
        entry("a", "99", "2022-10-01"),
    ]
    row = stand(book(), entries=points).row("a")
    assert (row.points, row.cumulative) == (Decimal("6.5"), Decimal("6.8"))


def test_an_item_in_two_journals_is_one_adopted_item_and_one_in_each() -> None:
    events = [
        adopted("a", "2022-07-05", "X", "zhengxun"),
        adopted("a", "2022-08-05", "X", "mryq"),
        adopted("a", "2022-08-06", "Y", "zhengxun"),
        adopted("a", "2022-08-09", "Y", "zhengxun"),
        adopted("a", "2022-06-30", "Z", "mryq"),
    ]
    row = stand(book(), events).row("a")
    assert (row.adopted, row.adoptions) == (2, (("mryq", 1), ("zhengxun", 2)))


def test_a_joint_item_counts_for_every_unit_of_it() -> None:
    events = [
        sent("a", "2022-07-05", item="X", partners=("b",)),
        adopted(
            "a",
            "2022-07-09",
            "X",
            partners=("b",),
            shares=(("a", Decimal("0.5")), ("b", Decimal("0.5"))),
        ),
    ]
    result = stand(book(), events)
    assert [(r.submissions, r.adopted) for r in map(result.row, "abc")] == [(1, 1), (1, 1), (0, 0)]


def test_follow_ups_are_not_counted_but_a_column_may_show_them() -> None:
    columns = (
        Column("reports", "报告", (SUBMISSIONS,)),
        Column("follow_ups", "续报", (replace(SUBMISSIONS, follow_up=True),)),
    )
    events = [sent("a", "2022-07-05", item="X"), sent("a", "2022-07-06", item="Y", follow_up=True)]
    row = stand(book(rank=ranking(columns=columns)), events).row("a")
    assert (row.submissions, row.columns) == (1, (("reports", 1), ("follow_ups", 1)))


def test_columns_count_events_or_items_less_what_is_taken_off() -> None:
    late = Match(EventKind.ERROR, fault=(Fault.LATE,))
    columns = (
        Column("on_time", "按时", (SUBMISSIONS,), less=(late,)),
        Column("praised", "获批示", (Match(EventKind.INSTRUCTION),), ColumnCount.ITEMS),
    )
    events = [
        sent("a", "2022-07-05", times=5),
        event(EventKind.ERROR, "a", "2022-07-06", fault=Fault.LATE),
        event(EventKind.ERROR, "a", "2022-07-06", fault=Fault.QUALITY),
        event(EventKind.ERROR, "b", "2022-07-06", fault=Fault.LATE),
        *(event(EventKind.INSTRUCTION, "a", "2022-07-06", item="X") for _ in range(3)),
        event(EventKind.INSTRUCTION, "a", "2022-07-07"),
    ]
    result = stand(book(rank=ranking(columns=columns)), events)
    assert result.row("a").columns == (("on_time", 4), ("praised", 2))
    # The late report may be one of the half-year before.
    assert result.row("b").columns == (("on_time", 0), ("praised", 0))


def test_stars_are_the_highest_of_the_period_and_do_not_come_back_with_a_correction() -> None:
    points = [
        entry("a", 30, stars=1),
        entry("a", 40, stars=2),
        entry("a", 100, "2022-06-30", stars=4),
        entry("b", -60, stars=3, corrects="2022-Q2"),
    ]
    result = stand(book(), entries=points)
    assert (result.row("a").stars, result.row("b").stars) == (2, 0)


def test_corrections_of_sealed_periods_are_named() -> None:
    corrected = entry("b", -5, "2022-07-01", corrects="2022-Q2")
    result = stand(book(), entries=[entry("a", 5), corrected])
    assert result.corrections == (corrected,)


# --- quotas and silence ----------------------------------------------------------------------


def test_a_surplus_of_one_month_never_fills_another() -> None:
    events = [sent("a", "2022-07-05", times=12), sent("a", "2022-09-05", times=7)]
    row = stand(book(quotas=(quota(8),)), events).row("a")
    assert row.quotas == (QuotaState("items", 24, 19, 9, False),)


def test_months_that_are_not_over_owe_nothing_yet() -> None:
    result = stand(book(quotas=(quota(8),)), as_of=date(2022, 8, 31))
    assert result.row("a").quotas == (QuotaState("items", 8, 0, 8, False),)


def test_quotas_longer_than_the_period_are_left_out() -> None:
    quotas = (quota(8), quota(1, PeriodKind.YEAR, "research", remark_only=True))
    office = book(quotas=quotas)
    assert [q.quota for q in stand(office).row("a").quotas] == ["items"]
    year = stand(office, period=Period.parse("2022")).row("a")
    assert year.quotas == (
        QuotaState("items", 96, 0, 96, False),
        QuotaState("research", 1, 0, 1, True),
    )


def test_of_a_quota_of_nothing_nothing_is_said() -> None:
    assert stand(book(quotas=(quota(0),)), [sent("a", "2022-07-05")]).row("a").quotas == ()


def test_silence_and_adoptions_are_told_for_the_whole_period() -> None:
    events = [sent("a", "2022-09-30"), adopted("b", "2022-09-30", "X"), sent("c", "2022-06-30")]
    rows = map(stand(book(), events).row, "abc")
    assert [(r.no_submission, r.no_adoption) for r in rows] == [
        (False, True),
        (True, False),
        (True, True),
    ]


# --- tasks -----------------------------------------------------------------------------------

TASK_COLUMNS = (
    Column("given", "任务", (Match(EventKind.TASK),)),
    Column("on_time", "按时", (Match(EventKind.TASK_DONE, outcome=(Outcome.ON_TIME,)),)),
    Column("late", "逾期完成", (Match(EventKind.TASK_DONE, outcome=(Outcome.LATE,)),)),
    Column("open", "未完成", (), ColumnCount.OPEN),
)


def of_tasks(events: list[Event], due: date | None = None) -> dict[str, int]:
    office = book(rank=ranking(columns=TASK_COLUMNS))
    plan = (LedgerTask("t", "一", "完善公开目录", 2022, (), due),)
    office = replace(office, scoring=replace(office.scoring, tasks=plan))
    return dict(stand(office, events).row("a").columns)


def task(day: str = "2022-07-01", **more: object) -> Event:
    return event(EventKind.TASK, "a", day, item="t", **more)


def done(day: str, **more: object) -> Event:
    return event(EventKind.TASK_DONE, "a", day, item="t", **more)


@pytest.mark.parametrize(
    ("events", "due", "column"),
    [
        ([task(due=date(2022, 8, 31)), done("2022-08-31")], None, "on_time"),
        ([task(due=date(2022, 8, 31)), done("2022-09-01")], None, "late"),
        ([task(), done("2022-09-01")], date(2022, 8, 31), "late"),
        ([task(), done("2022-09-30")], None, "on_time"),
        (
            [task(due=date(2022, 8, 31)), done("2022-09-01", outcome=Outcome.ON_TIME)],
            None,
            "on_time",
        ),
        ([task(due=date(2022, 8, 31))], None, "open"),
        ([task(due=date(2022, 8, 31)), done("2022-10-01")], None, "open"),
    ],
)
def test_a_task_is_on_time_late_or_open(events: list[Event], due: date | None, column: str) -> None:
    counts = of_tasks(events, due)
    assert counts == {"given": 1, "on_time": 0, "late": 0, "open": 0} | {column: 1}


def test_a_task_given_again_after_it_was_finished_is_open_again() -> None:
    events = [task(), done("2022-07-20"), task("2022-08-20", due=date(2022, 9, 10))]
    assert of_tasks(events) == {"given": 2, "on_time": 1, "late": 0, "open": 1}


# --- laws ------------------------------------------------------------------------------------

UNITS = "abcde"
points_of = st.lists(
    st.tuples(
        st.sampled_from(UNITS),
        st.decimals("-50", "50", places=2),
        st.dates(date(2022, 1, 1), date(2022, 9, 30)),
    ),
    max_size=30,
)


@given(points_of, st.sampled_from(Ties), st.randoms(use_true_random=False))
def test_places_follow_points_and_no_order_of_the_entries_matters(
    booked: list[tuple[str, Decimal, date]], ties: Ties, chance: Random
) -> None:
    office = book(*(unit(u) for u in UNITS), rank=ranking(ties=ties))
    entries = [entry(u, str(p), day.isoformat()) for u, p, day in booked]
    result = stand(office, entries=entries)
    rows = result.tables[0].rows
    for one in rows:
        for other in rows:
            assert one.place is not None and other.place is not None
            assert (one.points > other.points) == (one.place < other.place)
            assert (one.points == other.points) == (one.place == other.place)
    better = [sum(r.points > one.points for r in rows) for one in rows]
    values = [len({r.points for r in rows if r.points > one.points}) for one in rows]
    expected = values if ties is Ties.DENSE else better
    assert [r.place for r in rows] == [n + 1 for n in expected]
    chance.shuffle(entries)
    assert stand(office, entries=entries) == result


@given(points_of)
def test_nothing_booked_is_lost_or_counted_twice(booked: list[tuple[str, Decimal, date]]) -> None:
    office = book(*(unit(u, "dept" if u < "c" else "town") for u in UNITS))
    entries = [entry(u, str(p), day.isoformat()) for u, p, day in booked]
    rows = [r for table in stand(office, entries=entries).tables for r in table.rows]
    assert sum(r.points for r in rows) == sum(e.points for e in entries if e.day in Q3)
    assert sum(r.cumulative for r in rows) == sum(e.points for e in entries)


@given(
    st.lists(
        st.builds(
            lambda u, n, day, follow: sent(u, day.isoformat(), times=n, follow_up=follow),
            st.sampled_from(UNITS),
            st.integers(1, 9),
            st.dates(date(2022, 7, 1), date(2022, 9, 30)),
            st.booleans(),
        )
    )
)
def test_like_submissions_taken_together_count_as_one_by_one(events: list[Event]) -> None:
    office = book(
        *(unit(u) for u in UNITS),
        quotas=(quota(4),),
        rank=ranking(
            columns=(Column("all", "报送", (SUBMISSIONS,)),), order=(OrderBy.SUBMISSIONS,)
        ),
    )
    apart = [replace(e, id=f"{e.id}-{n}", times=1) for e in events for n in range(e.times)]
    assert stand(office, apart) == stand(office, events)


def test_a_unit_that_changed_groups_stays_where_it_was_for_periods_before() -> None:
    moved = unit("b", "town", earlier_groups=(EarlierGroup("dept", date(2022, 9, 30)),))
    tables = RankingTable("dept", "部门", ("dept",)), RankingTable("town", "镇", ("town",))
    office = book(unit("a"), moved, unit("c", "town"), rank=ranking(*tables), quotas=(quota(2),))
    before, after = stand(office), stand(office, period=Q3.next())
    assert [
        {row.unit: table.id for table in found.tables for row in table.rows}["b"]
        for found in (before, after)
    ] == ["dept", "town"]
