"""When letters are due: stages in working days, and that no split of time loses or doubles one."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.adapters.offices.calendar import WorkingCalendar
from mailbot.core.duties.catchup import catch_up
from mailbot.core.duties.model import DutyKind, LetterRule, Stage
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.duties.schedule import (
    of_due_days,
    of_periods,
    of_weeks,
    of_working_days,
    stage_day,
)
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.periods import OFFICE_ZONE, Period, PeriodKind, day_of

working = WorkingCalendar(None).is_working_day
NINE = time(9)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=OFFICE_ZONE)


def stage(days: int, name: str = "", hour: time = NINE, *to: str) -> Stage:
    return Stage(name or f"s{days}", days, hour, to)


def letter(*stages: Stage, kind: DutyKind = DutyKind.REMINDER, start: str = "2022-01-01"):
    return LetterRule(
        id="letter",
        kind=kind,
        name="提醒",
        basis=Basis("某办发〔2022〕1号", "二"),
        start=date.fromisoformat(start),
        stages=stages,
    )


def months(rule: LetterRule, since: str, until: str, is_working_day=working) -> list[Occurrence]:
    span = at(since), at(until)
    return of_periods("otog", rule, PeriodKind.MONTH, *span, is_working_day)


def told(found: list[Occurrence]) -> list[str]:
    return [f"{o.about} {o.stage.id} {o.due:%m-%d %H:%M}" for o in found]


# --- the days of stages -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "end", "day"),
    [
        (-1, "2026-08-31", "2026-08-31"),  # a Monday
        (-5, "2026-08-31", "2026-08-25"),
        (-1, "2026-05-31", "2026-05-29"),  # a Sunday: the Friday before
        (0, "2026-05-31", "2026-05-31"),
        (1, "2026-05-31", "2026-06-01"),
        (1, "2026-09-30", "2026-10-08"),  # after 国庆
        (3, "2026-09-30", "2026-10-10"),  # a Saturday that is worked (调休)
        (-1, "2026-02-28", "2026-02-28"),  # another one
        (-2, "2026-02-28", "2026-02-27"),
    ],
)
def test_days_are_working_days_from_the_end(days: int, end: str, day: str) -> None:
    assert stage_day(days, date.fromisoformat(end), working) == date.fromisoformat(day)


def test_a_calendar_without_working_days_is_an_error_both_ways() -> None:
    for days in (-1, 1):
        with pytest.raises(ValueError, match="no working day"):
            stage_day(days, date(2026, 8, 31), lambda _day: False)


def test_a_month_s_reminders_and_their_end() -> None:
    rule = letter(stage(-5, "first"), stage(-1, "last", time(14, 30)))
    found = months(rule, "2026-08-01", "2026-09-01")
    assert told(found) == ["2026-08 first 08-25 09:00", "2026-08 last 08-31 14:30"]
    assert {o.until for o in found} == {at("2026-09-01")}
    assert [o.key for o in found] == ["letter:otog:2026-08:first", "letter:otog:2026-08:last"]


def test_a_result_comes_after_its_period_and_is_worth_something_until_the_next_has_ended() -> None:
    rule = letter(stage(1, "result"), kind=DutyKind.RESULT)
    (found,) = months(rule, "2026-10-01", "2026-10-31")
    assert told([found]) == ["2026-09 result 10-08 09:00"]
    assert found.until == at("2026-11-01")
    # However late an office wants it, on its own day it is still worth something.
    late = letter(stage(45, "result"), kind=DutyKind.RESULT)
    (found,) = (o for o in months(late, "2026-08-01", "2026-12-31") if o.about == "2026-08")
    assert found.due < found.until == at(f"{found.due.date() + timedelta(days=1)}")
    notice = letter(stage(1, "draft"), kind=DutyKind.NOTICE)
    assert {o.until for o in months(notice, "2026-01-01", "2026-12-31")} == {None}


def test_a_reminder_after_its_period_is_refused() -> None:
    with pytest.raises(ValueError, match="after the period"):
        months(letter(stage(1)), "2026-08-01", "2026-09-01")


def test_nothing_is_due_before_the_letter_starts() -> None:
    rule = letter(stage(-5, "first"), stage(-1, "last"), start="2026-08-26")
    found = months(rule, "2026-01-01", "2026-09-01")
    assert told(found) == ["2026-08 last 08-31 09:00"]


def test_the_bounds_are_after_since_and_up_to_until() -> None:
    rule = letter(stage(-1, "last"))
    assert months(rule, "2026-08-31T09:00", "2026-09-29") == []
    assert len(months(rule, "2026-08-31T08:59", "2026-08-31T09:00")) == 1


def test_years_and_quarters_far_behind_their_end() -> None:
    rule = letter(stage(10, "draft"), kind=DutyKind.NOTICE)
    span = at("2026-01-01"), at("2026-12-31")
    assert told(of_periods("x", rule, PeriodKind.QUARTER, *span, working)) == [
        "2025-Q4 draft 01-15 09:00",  # Sunday the 4th is worked
        "2026-Q1 draft 04-15 09:00",
        "2026-Q2 draft 07-14 09:00",
        "2026-Q3 draft 10-20 09:00",
    ]
    (yearly,) = of_periods("x", rule, PeriodKind.YEAR, *span, working)
    assert yearly.about == "2025"


# --- hardly a working day ---------------------------------------------------------------------


def only(*days: str):
    chosen = {date.fromisoformat(d) for d in days}
    return lambda day: day in chosen or (day.month != 2 and day.weekday() < 5)


def test_a_stage_before_its_period_waits_for_its_first_working_day() -> None:
    rule = letter(stage(-5, "first"), stage(-3, "second"), stage(-1, "last"))
    found = months(rule, "2026-01-31T12:00", "2026-03-01", only("2026-02-20", "2026-02-24"))
    assert told(found) == [
        "2026-02 first 02-20 09:00",
        "2026-02 second 02-20 09:00",
        "2026-02 last 02-24 09:00",
    ]


def test_stages_that_meet_on_a_day_are_due_together_and_sent_once() -> None:
    rule = letter(
        stage(-5, "first", time(8), "liaison"), stage(-1, "last", time(15), "head"), stage(0, "end")
    )
    found = months(rule, "2026-01-31T12:00", "2026-03-01", only("2026-02-20"))
    assert told(found) == [
        "2026-02 first 02-20 15:00",
        "2026-02 last 02-20 15:00",
        "2026-02 end 02-28 09:00",
    ]
    (step,) = catch_up(found, (), at("2026-02-20T15:01"))
    assert step.do is not None
    assert step.do.key.endswith(":last")
    assert step.do.stage.to == ("liaison", "head")
    assert [p.occurrence.stage.id for p in step.passed] == ["first"]


def test_two_hours_of_one_day_are_kept_as_the_office_set_them() -> None:
    rule = letter(stage(-1, "morning", time(9)), stage(-1, "noon", time(12)))
    assert told(months(rule, "2026-08-01", "2026-09-01")) == [
        "2026-08 morning 08-31 09:00",
        "2026-08 noon 08-31 12:00",
    ]


def test_nobody_is_reminded_of_a_period_without_working_days() -> None:
    found = of_periods(
        "otog",
        letter(stage(-2, "first"), stage(-1, "last")),
        PeriodKind.WEEK,
        at("2026-09-21"),
        at("2026-10-12"),
        lambda day: day.weekday() < 5 and not date(2026, 9, 28) <= day <= date(2026, 10, 4),
    )
    assert told(found) == [
        "2026-W39 first 09-24 09:00",
        "2026-W39 last 09-25 09:00",
        "2026-W40 first 09-25 09:00",
        "2026-W40 last 09-25 09:00",
        "2026-W41 first 10-08 09:00",
        "2026-W41 last 10-09 09:00",
    ]
    steps = catch_up(found, (), at("2026-09-25T10:00"))
    assert [s.do.about for s in steps if s.do] == ["2026-W39"]
    whys = {p.why for s in steps for p in s.passed if p.occurrence.about == "2026-W40"}
    assert whys == {"2026年第40周里没有工作日，不发送。"}


# --- tasks, the digest, weekly news -----------------------------------------------------------


def test_tasks_are_told_around_the_day_they_are_due() -> None:
    rule = letter(stage(-3, "before"), stage(1, "after"), kind=DutyKind.TASKS)
    days = [date(2026, 9, 30), date(2026, 9, 30), date(2026, 12, 31)]
    found = of_due_days("o", rule, days, at("2026-09-01"), at("2026-10-31"), working)
    assert told(found) == ["2026-09-30 before 09-28 09:00", "2026-09-30 after 10-08 09:00"]
    assert [o.until for o in found] == [at("2026-10-01"), None]


def test_the_digest_comes_on_working_days_only_and_is_worth_its_day() -> None:
    rule = letter(stage(0, "morning", time(8)), kind=DutyKind.DIGEST)
    found = of_working_days("o", rule, at("2026-09-29"), at("2026-10-11"), working)
    assert [f"{o.due:%m-%d}" for o in found] == ["09-29", "09-30", "10-08", "10-09", "10-10"]
    assert found[0].until == at("2026-09-30")


def test_weekly_news_come_on_the_first_working_day_of_a_week_that_has_one() -> None:
    rule = letter(stage(0, "news", time(8)), kind=DutyKind.NEWS)
    found = of_weeks("o", rule, at("2026-09-26"), at("2026-10-20"), working)
    assert told(found) == [
        "2026-W40 news 09-28 08:00",
        "2026-W41 news 10-08 08:00",
        "2026-W42 news 10-12 08:00",
        "2026-W43 news 10-19 08:00",
    ]
    none = of_weeks(
        "o", rule, at("2026-09-26"), at("2026-10-20"), lambda d: d.day < 27 and d.month == 10
    )
    assert [o.about for o in none] == ["2026-W40", "2026-W41", "2026-W42", "2026-W43"]
    assert [o.due.day for o in none] == [1, 5, 12, 19]
    idle = of_weeks("o", rule, at("2026-09-28"), at("2026-10-04T23:00"), lambda _day: False)
    assert idle == []


# --- properties -------------------------------------------------------------------------------

STAGES = st.lists(
    st.tuples(st.integers(-12, 15), st.sampled_from([time(8), NINE, time(17, 30)])),
    min_size=1,
    max_size=4,
    unique_by=lambda pair: pair[0],
)
KINDS = st.sampled_from(list(PeriodKind))
MOMENTS = st.datetimes(datetime(2024, 12, 1), datetime(2026, 12, 31)).map(
    lambda m: m.replace(tzinfo=OFFICE_ZONE)
)


def rule_of(stages: list[tuple[int, time]]) -> LetterRule:
    made = sorted((stage(days, hour=hour) for days, hour in stages), key=lambda s: s.days)
    return letter(*made, kind=DutyKind.NOTICE)


@given(STAGES, KINDS, st.lists(MOMENTS, min_size=2, max_size=12, unique=True))
@settings(max_examples=200)
def test_any_split_of_time_gives_the_same_occurrences(
    stages: list[tuple[int, time]], kind: PeriodKind, moments: list[datetime]
) -> None:
    rule = rule_of(stages)
    cuts = sorted(moments)
    whole = of_periods("o", rule, kind, cuts[0], cuts[-1], working)
    parts = [
        one
        for since, until in pairwise(cuts)
        for one in of_periods("o", rule, kind, since, until, working)
    ]
    assert Counter(o.key for o in parts) == Counter(o.key for o in whole)
    assert {o.key: o.due for o in parts} == {o.key: o.due for o in whole}


@given(STAGES, KINDS, st.dates(date(2025, 6, 1), date(2026, 6, 30)))
@settings(max_examples=200)
def test_c4_every_period_has_each_stage_once_and_on_a_working_day(
    stages: list[tuple[int, time]], kind: PeriodKind, day: date
) -> None:
    rule, period = rule_of(stages), Period.of(kind, day)
    found = of_periods("o", rule, kind, at("2023-06-01"), at("2028-06-30"), working)
    own = [o for o in found if o.about == period.code]
    assert Counter(o.stage.id for o in own) == Counter(s.id for s in rule.stages)
    for one in own:
        if one.stage.days:
            assert working(day_of(one.due))
        else:
            assert day_of(one.due) == period.last
        if one.stage.days > 0:
            assert day_of(one.due) > period.last
        else:
            assert day_of(one.due) <= period.last
    by_days = sorted(own, key=lambda o: o.stage.days)
    assert [o.due.date() for o in by_days] == sorted(o.due.date() for o in own)


@given(
    STAGES,
    st.sets(st.dates(date(2026, 1, 1), date(2026, 3, 31))),
    st.lists(MOMENTS, min_size=1, max_size=6),
)
def test_an_odd_calendar_loses_no_stage(
    stages: list[tuple[int, time]], free: set[date], cuts: list[datetime]
) -> None:
    """Holidays anywhere, whole months of them: still each stage once, in time's order."""

    def odd(day: date) -> bool:
        return day.weekday() < 5 and day not in free

    rule = rule_of(stages)
    found = of_periods("o", rule, PeriodKind.MONTH, at("2025-06-01"), at("2026-08-31"), odd)
    for month in range(1, 4):
        own = [o.stage.id for o in found if o.about == f"2026-{month:02d}"]
        assert sorted(own) == sorted(s.id for s in rule.stages)
    edges = [at("2025-06-01"), *sorted(c for c in cuts if at("2025-06-01") < c < at("2026-08-31"))]
    edges.append(at("2026-08-31"))
    parts = [
        o.key
        for since, until in pairwise(edges)
        for o in of_periods("o", rule, PeriodKind.MONTH, since, until, odd)
    ]
    assert sorted(parts) == sorted(o.key for o in found)


@given(STAGES, st.lists(MOMENTS, min_size=1, max_size=8, unique=True))
def test_c4_whenever_it_wakes_up_each_stage_is_settled_once(
    stages: list[tuple[int, time]], wakings: list[datetime]
) -> None:
    """Of a letter and month at most one stage is sent at a waking, and always the newest."""
    rule = rule_of(stages)
    since, last = at("2024-11-30"), at("2026-12-31T23:59")
    settled: dict[str, str] = {}
    for now in sorted((*wakings, last)):
        found = of_periods("o", rule, PeriodKind.MONTH, since, now, working)
        for step in catch_up(found, settled, now):
            keys = [p.occurrence.key for p in step.passed]
            if step.do is not None:
                newest = [o for o in found if o.about == step.do.about][-1]
                assert step.do.key == newest.key
                keys.append(step.do.key)
            for key in keys:
                assert key not in settled
                settled[key] = now.isoformat()
    everything = of_periods("o", rule, PeriodKind.MONTH, since, last, working)
    assert set(settled) == {o.key for o in everything}


def test_a_reminder_missed_until_its_month_is_over_is_passed_over() -> None:
    rule = letter(stage(-5, "first"), stage(-1, "last"))
    found = months(rule, "2026-08-01", "2026-09-02")
    (step,) = catch_up(found, (), at("2026-09-01"))
    assert step.do is None
    assert all("不再补发" in p.why for p in step.passed)
    (step,) = catch_up(found, (), at("2026-09-01") - timedelta(minutes=1))
    assert step.do is not None


def test_a_stage_added_behind_one_that_was_done_is_passed_over() -> None:
    rule = letter(stage(-5, "new"), stage(-1, "last"))
    found = months(rule, "2026-08-01", "2026-09-02")
    (step,) = catch_up(found, {"letter:otog:2026-08:last"}, at("2026-08-31T10:00"))
    assert step.do is None
    assert [p.occurrence.stage.id for p in step.passed] == ["new"]


def test_c4_awkward_ends_of_months_have_one_reminder_each_on_a_working_day() -> None:
    """29 February; a 31st that is a Saturday; the end of the year; an end within the National Day week
    and the Spring Festival; worked Sundays (调休)."""
    last = letter(stage(-1))
    found = months(last, "2024-01-01T00:00", "2026-12-31T23:59")
    due = {o.about: f"{o.due:%m-%d}" for o in found}
    assert len(found) == len(due)
    assert len(due) == 36
    assert due["2024-02"] == "02-29"
    assert due["2024-08"] == "08-30"
    assert due["2025-12"] == "12-31"
    assert due["2026-02"] == "02-28", "a Saturday worked for the Spring Festival"
    assert due["2025-05"] == "05-30", "the 31st is a holiday Saturday"
    assert due["2025-01"] == "01-27", "the Spring Festival begins on the 28th"
    assert due["2024-09"] == "09-30"
    assert all(working(date.fromisoformat(f"{about}-{day[3:]}")) for about, day in due.items())


def test_c4_a_due_day_in_a_downtime_is_made_up_for_once() -> None:
    """Away from before the first stage until after the last: one letter for the month, the newest."""
    rule = letter(stage(-5), stage(-2), stage(-1))
    missed = months(rule, "2026-02-15T00:00", "2026-02-28T18:00")
    assert len(missed) == 3
    (step,) = catch_up(missed, set(), at("2026-02-28T18:00"))
    assert step.do is not None
    assert step.do.stage.id == "s-1"
    assert sorted(passed.occurrence.stage.id for passed in step.passed) == ["s-2", "s-5"]
