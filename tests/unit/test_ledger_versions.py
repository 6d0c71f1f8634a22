"""A past period under another day's rules, and how far back a reckoning must look."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest

from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.kinds import (
    BaseLine,
    Cap,
    Manual,
    Mode,
    QuotaBase,
    Repeat,
    Shortage,
    ShortageLine,
)
from mailbot.core.rules.ledger import reach
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.scorebook import (
    Consequence,
    ListKind,
    ListRule,
    ListVersion,
    OrderBy,
    Ranking,
    Ties,
)
from mailbot.core.rules.versions import as_if, book_start
from tests.unit.rules_help import (
    BASIS,
    adopted,
    book,
    event,
    line,
    points,
    posted,
    quota,
    rule,
    totals,
    unit,
    version,
)

JULY = date(2026, 7, 1)
ADOPTED = rule(
    "adopted",
    version(points(line("adoption", 10))),
    version(points(line("adoption", 15)), JULY),
    version(None, date(2027, 1, 1)),
)


def test_a_period_can_be_scored_by_another_version() -> None:
    events = [adopted("2026-06-30"), adopted("2026-07-01")]
    assert totals(posted(book(ADOPTED), events)) == {"a": 25}
    by_day = {"2026-06-30": 20, "2026-07-01": 30, "2026-12-31": 30, "2027-01-01": 0}
    for day, total in by_day.items():
        again = as_if(book(ADOPTED), date.fromisoformat(day))
        assert totals(posted(again, events)).get("a", 0) == total


def test_even_a_period_before_the_first_rule_can_be_scored_as_if() -> None:
    again = as_if(book(ADOPTED), JULY)
    assert totals(posted(again, [adopted("2020-01-01")], "2020")) == {"a": 15}


def test_what_was_not_written_yet_gives_nothing_but_is_still_known() -> None:
    late = rule("late", version(Manual(D(0), D(9)), JULY))
    short = rule("short", Shortage((ShortageLine(("g",), "items", D(-2), ""),)))
    office = book(ADOPTED, late, short, quotas=[quota(start=JULY)], units=[unit("a")])
    before = as_if(office, date(2026, 6, 30))
    events = [event("manual", "2026-08-01", rule="late", points=D(5))]
    assert totals(posted(before, events)) == {}
    assert totals(posted(as_if(office, JULY), events, "2026-08")) == {"a": 5 - 16}


def test_a_quota_takes_one_version_for_all_time() -> None:
    old = quota().versions[0]
    changed = replace(quota(), versions=(old, replace(old, start=JULY, need=(("g", 2),))))
    base = rule("base", QuotaBase((BaseLine(("g",), ("items",), D(1), ""),), Mode.PRO_RATA))
    office = as_if(book(base, quotas=[changed], units=[unit("a")]), JULY)
    [entry] = posted(office, [], "2026-01")
    assert "任务 2 条" in entry.text


def test_rankings_and_lists_take_one_version_for_all_time() -> None:
    def ranking(start: date, ties: Ties) -> Ranking:
        return Ranking(start, BASIS, (), (OrderBy.POINTS,), ties, ())

    lists = ListRule(
        "first",
        "首位",
        ListKind.FIRST,
        Consequence.PRAISE,
        (PeriodKind.QUARTER,),
        (ListVersion(JULY, BASIS),),
    )
    rankings = [ranking(date(2026, 1, 1), Ties.SHARE), ranking(JULY, Ties.DENSE)]
    office = book(rankings=rankings, lists=[lists])
    before, after = as_if(office, date(2026, 6, 30)), as_if(office, JULY)
    assert [(r.start, r.ties) for r in before.scoring.rankings] == [(date.min, Ties.SHARE)]
    assert [(r.start, r.ties) for r in after.scoring.rankings] == [(date.min, Ties.DENSE)]
    assert [len(one.versions) for one in before.scoring.lists] == [0]
    assert [one.versions[0].start for one in after.scoring.lists] == [date.min]


def test_before_the_book_there_is_nothing_to_score_by() -> None:
    assert book_start(book(ADOPTED, quotas=[quota(start=date(2025, 7, 1))])) == date(2025, 7, 1)
    assert book_start(book()) is None
    with pytest.raises(NoRuleInForce, match="2025-12-31"):
        as_if(book(ADOPTED), date(2025, 12, 31))
    with pytest.raises(NoRuleInForce):
        as_if(book(), JULY)


def test_how_far_back_and_ahead_events_are_needed() -> None:
    may = date(2026, 5, 3), date(2026, 5, 20)
    quarterly = quota(period=PeriodKind.QUARTER)
    base = rule("base", QuotaBase((), Mode.PRO_RATA))
    staff = rule("staff", points(line("staff", 1), repeat=Repeat.HIGHEST_PER_YEAR))
    weekly = rule("cap", Cap(("adopted",), D(1), PeriodKind.WEEK))
    assert reach(book(ADOPTED), *may) == (date(2026, 5, 1), date(2026, 5, 31))
    assert reach(book(base, quotas=[quarterly]), *may) == (date(2026, 4, 1), date(2026, 6, 30))
    assert reach(book(staff), *may) == (date(2026, 1, 1), date(2026, 12, 31))
    assert reach(book(weekly), *may) == (date(2026, 4, 27), date(2026, 5, 31))
