"""A year's books with sealed periods: what was sealed stays, and the sum is always today's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.rules.basis import Basis
from mailbot.core.rules.books import Sealed, accounts, events_since
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event, EventKind, Match
from mailbot.core.rules.kinds import DatedBy, Line, Points, Repeat, Rule, Version
from mailbot.core.rules.ledger import post
from mailbot.core.rules.periods import Period
from mailbot.core.rules.scorebook import ListKind
from tests.unit.standings_help import adopted, book, list_rule, points_rule

OFFICE = book(rules=(points_rule(1),))
Q1, Q2, Q3, Q4 = (Period.parse(f"2022-Q{n}") for n in (1, 2, 3, 4))
NEW_YEAR = date(2023, 1, 1)


def items(*days: str, unit: str = "a") -> list[Event]:
    """Submissions one by one, as the store gives them."""
    return [
        Event(f"item:{d}-{n}", EventKind.SUBMISSION, unit, date.fromisoformat(d), item=f"{d}-{n}")
        for n, d in enumerate(days)
    ]


def together(events: list[Event]) -> list[Event]:
    """The same, like ones of a month taken together."""
    months: dict[tuple[str, int], list[Event]] = {}
    for one in events:
        months.setdefault((one.unit, one.day.month), []).append(one)
    return [
        replace(of_month[0], id=f"items:{unit}:{month}", item="", times=len(of_month))
        for (unit, month), of_month in months.items()
    ]


def seal(period: Period, events: list[Event], *before: Sealed) -> Sealed:
    on = period.next().first
    entries = accounts(OFFICE, events, period, on, before)
    return Sealed(period, on, tuple(e for e in entries if e.day in period))


def total(entries: list[Entry], period: Period | None = None) -> Decimal:
    return sum((e.points for e in entries if period is None or e.day in period), Decimal(0))


def test_without_seals_the_books_are_what_the_rules_give() -> None:
    events = items("2022-01-01", "2022-07-05")
    expected = post(OFFICE, events, date(2022, 1, 1), Q3.last, NEW_YEAR)
    assert accounts(OFFICE, events, Q3, NEW_YEAR) == expected


def test_a_sealed_period_is_what_was_sealed_even_when_its_facts_are_gone() -> None:
    sealed = seal(Q2, items("2022-05-01", "2022-05-02"))
    assert accounts(OFFICE, [], Q2, NEW_YEAR, [sealed]) == list(sealed.entries)


def test_what_is_gone_is_taken_back_on_the_first_day_that_is_not_sealed() -> None:
    events = items("2022-05-01", "2022-05-02")
    sealed = seal(Q2, events)
    (kept, gone, correction) = accounts(OFFICE, events[:1], Q3, NEW_YEAR, [sealed])
    assert [kept, gone] == list(sealed.entries)
    assert (correction.day, correction.points, correction.corrects, correction.item) == (
        date(2022, 7, 1),
        -1,
        "2022-Q2",
        events[1].item,
    )


def test_corrections_go_to_the_first_period_that_is_not_sealed() -> None:
    late = adopted("a", "2022-02-01", "X", recorded=date(2022, 8, 10))
    seals = [seal(Q1, [])]
    # In August the notice of the second quarter has not been approved: it can still name it.
    (correction,) = accounts(OFFICE, [late], Q2, NEW_YEAR, seals)
    assert correction.day == Q2.last
    seals.append(seal(Q2, [], *seals))
    (correction,) = accounts(OFFICE, [late], Q3, NEW_YEAR, seals)
    assert correction.day == date(2022, 8, 10)
    # On the day before nobody knew of it.
    assert accounts(OFFICE, [late], Q3, date(2022, 8, 9), seals) == []


def test_a_seal_of_last_year_is_set_right_this_year() -> None:
    events = items("2022-11-01", "2022-11-02")
    sealed = seal(Q4, events)
    first_quarter = Period.parse("2023-Q1")
    (correction,) = accounts(OFFICE, events[:1], first_quarter, date(2023, 4, 1), [sealed])
    assert (correction.day, correction.points) == (NEW_YEAR, -1)
    assert events_since(OFFICE, first_quarter, [sealed]) <= Q4.first


def test_a_period_between_two_seals_is_reckoned_anew() -> None:
    seals = [seal(Q1, []), seal(Q3, [])]
    entries = accounts(OFFICE, items("2022-05-05"), Q3, NEW_YEAR, seals)
    assert [(e.day, e.corrects) for e in entries] == [(date(2022, 5, 5), "")]


def test_events_are_needed_from_as_far_back_as_anything_looks() -> None:
    silent = list_rule(ListKind.NO_SUBMISSION, running=3)
    office = book(rules=(points_rule(1),), lists=(silent,))
    assert events_since(OFFICE, Q3) == date(2022, 1, 1)
    assert events_since(office, Q1) == date(2021, 11, 1)


days_of = st.dates(date(2022, 1, 1), date(2022, 12, 31))
facts_of = st.lists(
    st.tuples(st.sampled_from("ab"), days_of, st.integers(0, 120), st.booleans()), max_size=12
)


def recorded_facts(drawn: list[tuple[str, date, int, bool]]) -> list[Event]:
    """Some known at once, some recorded days later."""
    return [
        Event(
            f"record:{n}",
            EventKind.ADOPTION,
            unit,
            day,
            item=f"X{n}",
            recorded=day + timedelta(days=later) if is_late else None,
        )
        for n, (unit, day, later, is_late) in enumerate(drawn)
    ]


def known(events: list[Event], day: date) -> list[Event]:
    return [e for e in events if e.recorded is None or e.recorded <= day]


@given(facts_of)
def test_whatever_was_sealed_when_the_year_comes_to_what_the_rules_give(
    drawn: list[tuple[str, date, int, bool]],
) -> None:
    events = recorded_facts(drawn)
    end = known(events, Q4.last)
    seals: list[Sealed] = []
    for period in (Q1, Q2, Q3):
        seals.append(seal(period, known(events, period.last), *seals))
        assert total(accounts(OFFICE, end, Q4, NEW_YEAR, seals)) == 10 * len(end)
    entries = accounts(OFFICE, end, Q4, NEW_YEAR, seals)
    for one in seals:
        assert [e for e in entries if e.day in one.period] == list(one.entries)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), days_of), max_size=20),
    st.sets(st.integers(0, 19)),
)
def test_like_submissions_taken_together_give_the_same_corrections_in_sum(
    drawn: list[tuple[str, date]], gone: set[int]
) -> None:
    events = [
        replace(one, id=f"item:{n}", item=str(n), unit=unit, day=day)
        for n, (unit, day) in enumerate(drawn)
        for one in items("2022-01-01")
    ]
    sealed = [seal(Q1, events), seal(Q2, events)]
    left = [e for n, e in enumerate(events) if n not in gone]
    apart = accounts(OFFICE, left, Q3, NEW_YEAR, sealed)
    lumped = accounts(OFFICE, together(left), Q3, NEW_YEAR, sealed)
    for unit in "ab":
        for period in (Q1, Q2, Q3):
            assert total([e for e in apart if e.unit == unit], period) == total(
                [e for e in lumped if e.unit == unit], period
            )
    if left:
        # One line for each unit and sealed period, however many items it stands for.
        assert sum(bool(e.corrects) for e in lumped) <= 4


def test_all_that_one_late_fact_changes_stands_on_one_day() -> None:
    # Sealed at 20 (August). Recorded in January, before the fourth quarter's notice: 100 of July,
    # which books 100 on its day and takes the 20 back.
    lines = tuple(
        Line(Match(EventKind.ADOPTION, journal=(journal,)), Decimal(points), "条")
        for journal, points in (("zhengxun", 20), ("guoban", 100))
    )
    highest = Points(lines, Repeat.HIGHEST_PER_ITEM)
    version = Version(date(2020, 1, 1), Basis("文", "条"), highest)
    office = book(rules=(Rule("adoption", "采用", "points", DatedBy.EVENT, (version,)),))
    known = adopted("a", "2022-08-03", "X")
    higher = adopted("a", "2022-07-25", "X", "guoban", recorded=date(2023, 1, 10))
    frozen = accounts(office, [known], Q3, Q4.first)
    assert total(frozen) == 20
    seals = [Sealed(Q3, Q4.first, tuple(frozen))]
    as_of = date(2023, 1, 15)
    fourth = [e for e in accounts(office, [known, higher], Q4, as_of, seals) if e.day in Q4]
    assert {(e.day, e.corrects) for e in fourth} == {(Q4.last, Q3.code)}
    assert (len(fourth), total(fourth)) == (2, 80)
    assert accounts(office, [known, higher], Period.parse("2023-Q1"), as_of, seals) == []
