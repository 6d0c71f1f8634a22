"""Standings and entries as JSON: nothing is lost on the way, whatever the numbers and words."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.core.rules.entries import (
    Entry,
    Listed,
    NoticeList,
    QuotaState,
    Row,
    Standings,
    Table,
)
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.scorebook import Consequence, ListKind
from mailbot.core.rules.wire import entry_from, entry_json, standings_from, standings_json
from tests.unit.standings_help import Q3, adopted, book, entry, list_rule, quota, sent, stand

WORDS = st.text(max_size=5)
NUMBERS = st.integers(-3, 10**6)
DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))
POINTS = st.decimals(allow_nan=False, allow_infinity=False)
ENTRIES = st.builds(
    Entry, unit=WORDS, day=DAYS, version=DAYS, points=POINTS, events=st.tuples(WORDS, WORDS)
)
ROWS = st.builds(
    Row,
    place=st.none() | NUMBERS,
    previous_place=st.none() | NUMBERS,
    adoptions=st.lists(st.tuples(WORDS, NUMBERS), max_size=2).map(tuple),
    columns=st.lists(st.tuples(WORDS, NUMBERS), max_size=2).map(tuple),
    points=POINTS,
    cumulative=POINTS,
    quotas=st.lists(st.builds(QuotaState), max_size=2).map(tuple),
    stars=NUMBERS,
    status=WORDS,
    no_submission=st.booleans(),
    no_adoption=st.booleans(),
)
LISTS = st.builds(
    NoticeList,
    consequence=st.sampled_from(Consequence),
    listed=st.lists(st.builds(Listed, people=st.tuples(WORDS)), max_size=2).map(tuple),
)
STANDINGS = st.builds(
    Standings,
    period=st.builds(Period.of, st.sampled_from(PeriodKind), DAYS),
    as_of=DAYS,
    tables=st.lists(st.builds(Table, rows=st.lists(ROWS, max_size=2).map(tuple)), max_size=2).map(
        tuple
    ),
    lists=st.lists(LISTS, max_size=2).map(tuple),
    corrections=st.lists(ENTRIES, max_size=2).map(tuple),
    sealed=st.booleans(),
)


def through_text(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(data, ensure_ascii=False))
    return found


@given(ENTRIES)
def test_an_entry_comes_back_as_it_was_to_the_last_digit(one: Entry) -> None:
    back = entry_from(through_text(entry_json(one)))
    assert back == one
    assert str(back.points) == str(one.points)


@given(STANDINGS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_standings_come_back_as_they_were(one: Standings) -> None:
    assert standings_from(through_text(standings_json(one))) == one


def test_standings_of_an_office_are_plain_to_read() -> None:
    office = book(quotas=(quota(2),), lists=(list_rule(ListKind.FIRST),))
    events = [sent("a", "2022-07-05", times=2), adopted("a", "2022-07-09", "X")]
    result = stand(office, events, [entry("a", "12.50")])
    data = through_text(standings_json(result))
    assert data["period"] == Q3.code
    assert data["as_of"] == "2022-10-01"
    row = data["tables"][0]["rows"][0]
    assert (row["unit"], row["place"], row["points"]) == ("a", 1, "12.50")
    assert row["adoptions"] == [["zhengxun", 1]]
    assert data["lists"][0]["listed"][0]["why"] == "第一名，12.5 分"
    assert standings_from(data) == result


def test_what_a_later_version_added_is_passed_over_and_what_an_earlier_lacked_is_filled_in() -> (
    None
):
    one = entry("a", 5)
    later = entry_json(one) | {"explained_by": {"some": ["thing"]}}
    assert entry_from(later) == one
    earlier = {k: v for k, v in entry_json(one).items() if k not in ("stars", "corrects")}
    assert entry_from(earlier) == one


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": 5},
        {"points": "five"},
        {"points": "NaN"},
        {"day": "2022-13-01"},
        {"day": None},
        {"times": "1"},
        {"times": True},
        {"events": "record:1"},
    ],
)
def test_anything_else_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not entry"):
        entry_from(entry_json(entry("a", 5)) | wrong)


def test_standings_without_what_they_need_are_refused() -> None:
    data = standings_json(stand(book()))
    for name in ("office", "period", "tables"):
        with pytest.raises(ValueError, match="not standings"):
            standings_from({k: v for k, v in data.items() if k != name})
    with pytest.raises(ValueError, match="not a period"):
        standings_from(data | {"period": "2022-Q9"})
    assert Decimal(data["tables"][0]["rows"][0]["points"]) == 0
