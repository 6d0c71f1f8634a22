"""A sealed period: its digest, and the entries that set it right later."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.rules.entries import Entry
from mailbot.core.rules.kinds import BaseLine, Mode, QuotaBase, Repeat, Shortage, ShortageLine
from mailbot.core.rules.sealing import corrections, digest
from tests.unit.rules_help import (
    adopted,
    book,
    line,
    points,
    posted,
    quota,
    rule,
    sent,
    totals,
    unit,
)
from tests.unit.test_ledger_properties import EVENTS, EVERYTHING

LATER = date(2026, 4, 9)

ENTRY = Entry(
    unit="a",
    day=date(2026, 3, 31),
    rule="adopted",
    version=date(2026, 1, 1),
    points=D(10),
    document="办法",
    clause="第一条",
    text="《济南政务信息》采用《甲》",
    item="x",
    events=("record:1",),
)

OFFICE = book(
    rule(
        "adopted",
        points(
            line("adoption", 10, journal=("lw",), stars=1),
            line("adoption", 20, journal=("jn",), stars=2),
            line("adoption", 40, stars=3),
            repeat=Repeat.HIGHEST_PER_ITEM,
        ),
    ),
    rule(
        "base",
        QuotaBase((BaseLine(("g",), ("items",), D(20), "基础分"),), Mode.ALL_OR_NOTHING),
    ),
    rule("short", Shortage((ShortageLine(("g",), "items", D(-2), "减分"),))),
    quotas=[quota(need={"g": 2})],
    units=[unit("a"), unit("b")],
)


def set_right(before, after, period: str = "2026-Q1") -> list[Entry]:
    frozen, now = posted(OFFICE, before, period), posted(OFFICE, after, period)
    return corrections(frozen, now, period, LATER)


# --- digest ----------------------------------------------------------------------------------


def test_the_digest_does_not_depend_on_order_or_on_how_an_amount_is_written() -> None:
    other = replace(ENTRY, unit="b")
    assert digest([ENTRY, other]) == digest([other, ENTRY])
    assert digest([ENTRY]) == digest([replace(ENTRY, points=D("10.00"))])
    assert digest([replace(ENTRY, points=D("-0.0"))]) == digest([replace(ENTRY, points=D(0))])
    assert digest([ENTRY]) != digest([ENTRY, ENTRY])
    assert digest([]) != digest([ENTRY])


@pytest.mark.parametrize("name", [f.name for f in fields(Entry)])
def test_the_digest_covers_everything_an_entry_says(name: str) -> None:
    old = getattr(ENTRY, name)
    changed = {str: "别的", D: D("10.01"), date: date(2020, 1, 1), int: 7, tuple: ("r", "s")}
    assert digest([replace(ENTRY, **{name: changed[type(old)]})]) != digest([ENTRY])


# --- corrections -----------------------------------------------------------------------------


def test_what_is_worth_the_same_gives_nothing() -> None:
    events = [adopted("2026-02-01", item="x"), sent("2026-01-01", times=2)]
    assert set_right(events, events) == []
    retold = replace(ENTRY, text="别的说法", clause="别的条款")
    assert corrections([ENTRY], [retold], "2026-Q1", LATER) == []


def test_what_was_entered_late_is_booked_in_the_running_period() -> None:
    late = adopted("2026-02-01", "jn", item="x", title="甲", id="record:9")
    [entry] = set_right([], [late])
    assert (entry.day, entry.points, entry.corrects) == (LATER, 20, "2026-Q1")
    assert (entry.rule, entry.version, entry.clause) == ("adopted", date(2026, 1, 1), "第一条")
    assert (entry.item, entry.events, entry.stars) == ("x", ("record:9",), 2)
    assert entry.text == "更正2026年第一季度：现计“《济南政务信息》采用《甲》”20 分"


def test_what_was_taken_back_is_booked_back_without_stars() -> None:
    wrong = adopted("2026-02-01", "jn", item="x", title="甲", id="record:9")
    [entry] = set_right([wrong], [])
    assert (entry.points, entry.stars, entry.events) == (-20, 0, ("record:9",))
    assert entry.text == "更正2026年第一季度：原计“《济南政务信息》采用《甲》”20 分，现不计"


def test_a_higher_adoption_of_the_next_quarter_is_no_correction() -> None:
    first, second = adopted("2026-02-01", "lw", item="x"), adopted("2026-04-03", "gb", item="x")
    assert set_right([first], [first, second]) == []
    assert totals(posted(OFFICE, [first, second], "2026-04"))["a"] == 30 - 4


def test_a_reversed_adoption_moves_its_points_to_the_one_it_had_topped() -> None:
    high = adopted("2026-02-01", "gb", item="x", id="record:1")
    low = adopted("2026-03-01", "lw", item="x", id="record:2")
    found = set_right([high, low], [low])
    assert [(e.events, e.points) for e in found] == [(("record:1",), -40), (("record:2",), 10)]


def test_a_late_item_turns_the_months_it_touches() -> None:
    """January was short by one: +20 base, and the 2 points back; February and March stand."""
    before = [sent("2026-01-05"), sent("2026-02-05", times=2), sent("2026-03-05", times=2)]
    base, short = (e for e in set_right(before, [*before, sent("2026-01-20")]) if e.unit == "a")
    assert (base.rule, base.points, base.day) == ("base", 20, LATER)
    assert base.text == (
        "更正2026年第一季度：原计“1月未完成报送任务，不得基础分："
        "1月报送信息 1 条，任务 2 条，少 1 条”0 分，现计“1月完成报送任务，得基础分”20 分"
    )
    assert (short.rule, short.points) == ("short", 2)
    assert short.text.endswith("原计“1月报送信息 1 条，任务 2 条，少 1 条”-2 分，现不计")


def test_what_several_events_brought_about_is_set_right_in_one_entry() -> None:
    zeroed = replace(ENTRY, rule="zero", points=D(-50), item="", events=("record:1", "record:2"))
    more = replace(zeroed, points=D(-70), text="三次", events=("record:1", "record:2", "record:3"))
    [entry] = corrections([zeroed], [more], "2026-Q1", LATER)
    assert (entry.points, entry.events) == (-20, ("record:1", "record:2", "record:3"))


def test_an_amount_that_a_new_version_changes_names_both() -> None:
    [entry] = corrections(
        [ENTRY], [replace(ENTRY, points=D(15), version=date(2026, 3, 1))], "2026-03", LATER
    )
    assert (entry.points, entry.version) == (5, date(2026, 3, 1))
    assert "原计" in entry.text
    assert "现计" in entry.text
    assert entry.text.startswith("更正2026年3月：")


def test_a_correction_of_a_correction_says_so() -> None:
    frozen = [ENTRY]
    [first] = corrections(frozen, [replace(ENTRY, points=D(15))], "2026-Q1", LATER)
    [second] = corrections([ENTRY, first], [ENTRY], "2026-Q1", date(2026, 7, 9))
    assert second.points == -5
    assert "此前已更正 5 分" in second.text


def test_corrections_of_other_periods_among_the_frozen_ones_are_passed_over() -> None:
    other = replace(ENTRY, corrects="2025-Q4", points=D(99))
    assert corrections([ENTRY, other], [ENTRY], "2026-Q1", LATER) == []


@given(EVENTS, st.data())
def test_corrections_come_to_the_difference_and_then_nothing_is_left(events, data) -> None:
    kept = [e for e in events if data.draw(st.booleans())]
    frozen = posted(EVERYTHING, kept, "2026-Q2")
    now = posted(EVERYTHING, events, "2026-Q2")
    found = corrections(frozen, now, "2026-Q2", LATER)
    assert totals([*frozen, *found]) == totals(now)
    assert all(e.points and e.corrects == "2026-Q2" and e.day == LATER for e in found)
    assert corrections([*frozen, *found], now, "2026-Q2", LATER) == []
    undone = corrections([*frozen, *found], frozen, "2026-Q2", LATER)
    assert totals([*found, *undone]) == {}
