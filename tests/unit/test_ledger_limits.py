"""What bounds the points of a period or passes them on: caps, floors, zeroing, conversion."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

from mailbot.core.rules.events import EventKind, Fault, Match, Outcome, Signer
from mailbot.core.rules.kinds import (
    BaseLine,
    Cap,
    Conversion,
    Floor,
    Manual,
    Mode,
    Multiplier,
    QuotaBase,
    Rule,
    Shortage,
    ShortageLine,
    Zeroing,
)
from mailbot.core.rules.periods import PeriodKind
from tests.unit.rules_help import (
    adopted,
    book,
    brief,
    event,
    line,
    points,
    posted,
    quota,
    rule,
    sent,
    totals,
    unit,
    version,
)

MONTH, QUARTER, YEAR = PeriodKind.MONTH, PeriodKind.QUARTER, PeriodKind.YEAR
SENT = rule("sent", points(line("submission", 1)))
ADOPTED = rule("adopted", points(line("adoption", 10)))
BY_HAND = rule("hand", Manual(D(-100), D(100)))


def by_hand(day: str, number: int, unit_id: str = "a"):
    return event("manual", day, unit_id, rule="hand", points=D(number), reason="某事")


def cap(rule_id: str, most: int, period: PeriodKind, *rules: str) -> Rule:
    return rule(rule_id, Cap(rules, D(most), period))


def of_rule(entries, rule_id: str) -> list[tuple[str, str, D]]:
    return brief(e for e in entries if e.rule == rule_id)


# --- caps ------------------------------------------------------------------------------------


def test_a_cap_books_the_surplus_back_on_the_day_it_goes_over() -> None:
    office = book(cap("cap", 5, MONTH, "sent"), SENT, ADOPTED)
    events = [
        sent("2026-01-01", times=4),
        sent("2026-01-31", times=3),
        sent("2026-02-01", times=5),
        sent("2026-01-01", "b", times=5),
        adopted("2026-01-01"),
    ]
    entries = posted(office, events)
    assert of_rule(entries, "cap") == [("2026-01-31", "a", -2)]
    assert [e.text for e in entries if e.rule == "cap"] == ["规则cap：1月累计 7 分，最多 5 分"]
    assert totals(entries) == {"a": 20, "b": 5}


def test_a_cap_bites_on_the_same_day_whenever_one_looks() -> None:
    office = book(cap("cap", 5, YEAR, "sent"), SENT)
    events = [sent("2026-01-01", times=9), sent("2026-03-01", times=9)]
    january, march = ("2026-01-01", "a", -4), ("2026-03-01", "a", -9)
    assert of_rule(posted(office, events, as_of="2026-02-10"), "cap") == [january]
    assert of_rule(posted(office, events, as_of="2026-12-31"), "cap") == [january, march]
    assert of_rule(posted(office, events, "2026-01"), "cap") == [january]
    assert of_rule(posted(office, events, "2026-Q1"), "cap") == [january, march]
    assert of_rule(posted(office, events, "2026-Q2"), "cap") == []


def test_a_cap_may_bound_what_is_deducted() -> None:
    late = rule("late", points(line("error", -2)))
    office = book(rule("cap", version(Cap(("late",), None, YEAR, D(-5)))), late)
    events = [event(EventKind.ERROR, f"2026-0{m}-01", fault=Fault.LATE) for m in (1, 2, 3, 4)]
    # -2, -4, then -6 and -8 stay at -5: 1 and 2 are given back.
    assert of_rule(posted(office, events), "cap") == [
        ("2026-03-01", "a", 1),
        ("2026-04-01", "a", 2),
    ]
    assert totals(posted(office, events)) == {"a": -5}


def test_a_cap_over_a_year_knows_what_came_before_the_days_asked_for() -> None:
    office = book(cap("cap", 5, YEAR, "sent"), SENT)
    events = [sent("2026-01-01", times=4), sent("2026-12-01", times=4)]
    assert of_rule(posted(office, events, "2026-Q4"), "cap") == [("2026-12-01", "a", -3)]


def test_a_yearly_cap_sees_what_a_monthly_one_has_left() -> None:
    office = book(cap("monthly", 5, MONTH, "sent"), cap("yearly", 12, YEAR, "sent"), SENT)
    events = [sent(f"2026-0{m}-01", times=8) for m in (1, 2, 3)]
    entries = posted(office, events)
    assert of_rule(entries, "monthly") == [
        ("2026-01-01", "a", -3),
        ("2026-02-01", "a", -3),
        ("2026-03-01", "a", -3),
    ]
    assert of_rule(entries, "yearly") == [("2026-03-01", "a", -3)]
    assert totals(entries) == {"a": 12}


def test_a_cap_on_more_than_its_own_rules_is_no_matter_of_it() -> None:
    both = cap("both", 15, YEAR, "sent", "adopted")
    office = book(both, cap("own", 10, YEAR, "sent"), SENT, ADOPTED)
    # 12 + 10 = 22: back 7 for both, and 2 of the 12.
    assert totals(posted(office, [sent("2026-01-01", times=12), adopted("2026-01-01")])) == {
        "a": 13
    }


def test_where_a_cap_changes_from_months_to_quarters_the_quarter_sees_what_they_left() -> None:
    changed = rule(
        "cap",
        version(Cap(("sent",), D(5), MONTH)),
        version(Cap(("sent",), D(12), QUARTER), date(2026, 6, 1)),
    )
    events = [sent(f"2026-0{m}-01", times=8) for m in (2, 3, 4, 5, 6, 7)]
    assert of_rule(posted(book(changed, SENT), events), "cap") == [
        ("2026-02-01", "a", -3),
        ("2026-03-01", "a", -3),
        ("2026-04-01", "a", -3),
        ("2026-05-01", "a", -3),
        ("2026-06-01", "a", -6),
    ]


def test_a_cap_holds_for_what_a_factor_adds_to_its_rules() -> None:
    double = rule("double", Multiplier(("sent",), (Match(EventKind.SUBMISSION),), D(2)))
    office = book(cap("cap", 5, YEAR, "sent"), double, SENT)
    assert totals(posted(office, [sent("2026-01-01", times=4)])) == {"a": 5}


def test_a_cap_over_several_rules_bounds_their_sum() -> None:
    office = book(cap("cap", 15, QUARTER, "sent", "adopted"), SENT, ADOPTED, BY_HAND)
    events = [sent("2026-01-01", times=9), adopted("2026-03-31"), by_hand("2026-02-01", 30)]
    entries = posted(office, events)
    assert of_rule(entries, "cap") == [("2026-03-31", "a", -4)]
    assert totals(entries) == {"a": 45}


def test_a_cap_takes_the_version_of_the_period_s_last_day() -> None:
    changed = rule(
        "cap",
        version(Cap(("sent",), D(5), MONTH)),
        version(Cap(("sent",), D(3), MONTH), date(2026, 2, 28)),
        version(None, date(2026, 3, 31)),
    )
    events = [sent(f"2026-0{m}-01", times=8) for m in (1, 2, 3)]
    assert of_rule(posted(book(changed, SENT), events), "cap") == [
        ("2026-01-01", "a", -3),
        ("2026-02-01", "a", -5),
    ]


# --- floors: the quarter of 莱芜 -----------------------------------------------------------------

BASE = rule("base", QuotaBase((BaseLine(("g",), ("items",), D(20), ""),), Mode.ALL_OR_NOTHING))
SHORT = rule("short", Shortage((ShortageLine(("g",), "items", D(-2), ""),)))
MAJOR = rule("major", points(line("error", -20, major=True), line("error", 0)))
MISSED = rule(
    "missed",
    points(line("commission", -20, outcome=(Outcome.MISSED,)), line("commission", 0)),
)
FLOOR = rule("floor", Floor(("short", "major"), D(0), QUARTER))
QUARTER_OF_TWENTY = {"quotas": [quota(need={"g": 20})], "units": [unit("a")]}


def laiwu(*more: Rule):
    return book(ADOPTED, MAJOR, MISSED, BASE, SHORT, FLOOR, *more, **QUARTER_OF_TWENTY)


def test_deductions_take_the_quarter_down_to_nought_and_no_further() -> None:
    # January met: +20. February 5 of 20: -30. March 10 of 20: -20. One major error: -20.
    events = [
        sent("2026-01-15", times=20),
        sent("2026-02-15", times=5),
        sent("2026-03-15", times=10),
        event("error", "2026-03-20", fault=Fault.LATE, major=True),
        adopted("2026-03-21"),
    ]
    entries = posted(laiwu(), events, "2026-Q1")
    # X = 20 + 10, D = 70: back 40.
    assert of_rule(entries, "floor") == [("2026-03-31", "a", 40)]
    assert totals(entries) == {}
    assert [e.text for e in entries if e.rule == "floor"] == [
        "规则floor：第一季度应扣 70 分，扣至 0 分为止，实扣 30 分"
    ]


def test_a_quarter_that_other_deductions_brought_below_nought_stays_there() -> None:
    # X = 20 - 40 = -20: none of the 30 for the shortage count, but the commissions do.
    events = [
        sent("2026-01-15", times=20),
        sent("2026-02-15", times=5),
        sent("2026-03-15", times=20),
        event("commission", "2026-03-01", outcome=Outcome.MISSED),
        event("commission", "2026-03-02", outcome=Outcome.MISSED),
        event("commission", "2026-03-03", outcome=Outcome.MISSED),
    ]
    entries = posted(laiwu(), events, "2026-Q1")
    assert of_rule(entries, "floor") == [("2026-03-31", "a", 30)]
    assert totals(entries) == {"a": -20}


def test_deductions_that_fit_are_left_alone() -> None:
    events = [
        sent("2026-01-15", times=20),
        sent("2026-02-15", times=20),
        sent("2026-03-15", times=10),
    ]
    entries = posted(laiwu(), events, "2026-Q1")
    assert of_rule(entries, "floor") == []
    assert totals(entries) == {"a": 20}


def test_each_quarter_has_its_own_floor() -> None:
    events = [sent(f"2026-0{m}-15", times=20) for m in (1, 2, 3)]
    entries = posted(laiwu(), events, "2026-H1")
    assert of_rule(entries, "floor") == [("2026-06-30", "a", 120)]
    assert totals(entries) == {"a": 60}


def test_a_floor_above_nought_and_in_a_running_period() -> None:
    at_five = rule("floor", Floor(("hand",), D(5), YEAR))
    office = book(ADOPTED, BY_HAND, at_five)
    events = [adopted("2026-01-01"), by_hand("2026-02-01", -30), by_hand("2026-02-01", -3, "b")]
    entries = posted(office, events, as_of="2026-02-02")
    assert of_rule(entries, "floor") == [("2026-02-02", "a", 25), ("2026-02-02", "b", 3)]
    assert totals(entries) == {"a": 5}


# --- zeroing ---------------------------------------------------------------------------------

ZEROING = rule(
    "zero",
    Zeroing((Match(EventKind.COMMISSION, outcome=(Outcome.MISSED,)),), 2, YEAR, (Signer.HEAD,)),
)


def missed(day: str, own_id: str):
    return event("commission", day, outcome=Outcome.MISSED, id=own_id)


def test_two_missed_commissions_zero_the_year() -> None:
    office = book(ADOPTED, ZEROING)
    events = [
        *(adopted(f"2026-{m:02}-01") for m in range(1, 13)),
        missed("2026-03-05", "record:901"),
    ]
    assert totals(posted(office, events)) == {"a": 120}
    second = missed("2026-12-31", "record:902")
    entries = posted(office, [*events, second])
    [zeroed] = [e for e in entries if e.rule == "zero"]
    assert (zeroed.day, zeroed.points) == (date(2026, 12, 31), -120)
    assert zeroed.events == ("record:901", "record:902")
    assert zeroed.text == "规则zero：2026年 2 次，120 分清零"
    assert totals(entries) == {}
    # While the year runs, what there is so far is gone so far.
    running = [*events[:9], events[-1], missed("2026-09-05", "record:902")]
    assert totals(posted(office, running, as_of="2026-09-30")) == {}


def test_an_explained_one_does_not_count_towards_zeroing() -> None:
    office = book(ADOPTED, ZEROING)
    events = [adopted("2026-01-01"), missed("2026-03-05", "r1"), missed("2026-04-05", "r2")]
    told = event("explanation", "2026-04-09", about="r2", signer=Signer.HEAD, accepted=True)
    assert totals(posted(office, [*events, told])) == {"a": 10}
    assert totals(posted(office, events)) == {}


def test_commissions_of_two_years_do_not_add_up() -> None:
    events = [adopted("2026-01-01"), missed("2026-12-31", "r1"), missed("2027-01-01", "r2")]
    assert totals(posted(book(ADOPTED, ZEROING), events)) == {"a": 10}


def test_zeroing_raises_nobody_who_is_below() -> None:
    events = [by_hand("2026-01-01", -7), missed("2026-03-05", "r1"), missed("2026-04-05", "r2")]
    assert totals(posted(book(BY_HAND, ZEROING), events)) == {"a": -7}


# --- conversion ------------------------------------------------------------------------------


def conversion(factor: str | None, period: PeriodKind = MONTH, *groups: str) -> Rule:
    return rule("convert", Conversion(None if factor is None else D(factor), period, groups))


POINTS_OF = [unit("a"), unit("b", recommender="a"), unit("c", recommender="某厅")]


def test_points_are_passed_on_to_the_recommending_unit_each_month() -> None:
    office = book(ADOPTED, SENT, conversion("0.333"), units=POINTS_OF)
    events = [
        adopted("2026-01-05", unit_id="b"),
        adopted("2026-01-31", unit_id="b"),
        sent("2026-02-01", "b"),
        adopted("2026-02-01", unit_id="c"),
        adopted("2026-02-01", unit_id="a"),
    ]
    entries = posted(office, events)
    assert of_rule(entries, "convert") == [
        ("2026-01-31", "a", D("6.66")),
        ("2026-02-28", "a", D("0.33")),
        ("2026-02-28", "某厅", D("3.33")),
    ]
    assert entries[2].text == "规则convert：b局1月 20 分，按 0.333 折算"
    assert totals(entries)["b"] == 21


def test_a_conversion_without_a_factor_is_off() -> None:
    office = book(ADOPTED, conversion(None), units=POINTS_OF)
    assert totals(posted(office, [adopted("2026-01-05", unit_id="b")])) == {"b": 10}


def test_what_was_passed_on_goes_no_further() -> None:
    chain = [unit("a"), unit("b", recommender="a"), unit("c", recommender="b")]
    again = rule("again", Conversion(D(1), MONTH, ()))
    office = book(ADOPTED, conversion("1"), again, units=chain)
    entries = posted(office, [adopted("2026-01-05", unit_id="c")])
    assert totals(entries) == {"c": 10, "b": 20}


def test_only_the_named_groups_are_converted() -> None:
    office = book(
        ADOPTED, conversion("1", MONTH, "h"), units=[*POINTS_OF, unit("d", "h", recommender="a")]
    )
    events = [adopted("2026-01-05", unit_id=u) for u in "bd"]
    assert totals(posted(office, events)) == {"a": 10, "b": 10, "d": 10}


def test_what_a_limit_took_is_not_passed_on() -> None:
    office = book(conversion("1"), cap("cap", 3, MONTH, "sent"), SENT, units=POINTS_OF)
    assert totals(posted(office, [sent("2026-01-05", "b", times=9)])) == {"a": 3, "b": 3}


# --- the order of reckoning ------------------------------------------------------------------


def test_kinds_are_reckoned_in_their_order_wherever_they_stand_in_the_file() -> None:
    # 12 adopted, capped to 10; 30 deducted, of which the floor leaves 10; nothing to pass on.
    rules = [
        conversion("1", QUARTER),
        rule("floor", Floor(("hand",), D(0), QUARTER)),
        cap("cap", 10, QUARTER, "sent"),
        BY_HAND,
        SENT,
    ]
    events = [sent("2026-01-05", "b", times=12), by_hand("2026-02-01", -30, "b")]
    for order in (rules, rules[::-1]):
        entries = posted(book(*order, units=POINTS_OF), events, "2026-Q1")
        assert of_rule(entries, "floor") == [("2026-03-31", "b", 20)]
        assert totals(entries) == {}


def test_what_is_earned_after_the_zeroing_is_zeroed_on_its_own_day() -> None:
    office = book(ADOPTED, ZEROING)
    events = [
        adopted("2026-02-01"),
        missed("2026-03-05", "record:901"),
        missed("2026-05-06", "record:902"),
        adopted("2026-11-01"),
    ]
    assert of_rule(posted(office, events), "zero") == [
        ("2026-05-06", "a", -10),
        ("2026-11-01", "a", -10),
    ]
    for as_of in ("2026-06-30", "2026-07-01", "2027-01-01"):
        second_quarter = posted(office, events, "2026-Q2", as_of=as_of)
        assert of_rule(second_quarter, "zero") == [("2026-05-06", "a", -10)], as_of


def test_a_floor_may_look_at_the_points_of_some_rules_only() -> None:
    late = rule("late", points(line("error", -6)))
    until_gone = rule("floor", Floor(("late",), D(0), QUARTER, ("sent",)))
    office = book(SENT, ADOPTED, late, until_gone)
    events = [
        sent("2026-01-01", times=9),
        adopted("2026-01-02"),
        event(EventKind.ERROR, "2026-02-01", fault=Fault.LATE),
        event(EventKind.ERROR, "2026-02-02", fault=Fault.LATE),
    ]
    # 12 deducted from the 9 sent: 9 count, the 10 of the adoption stay.
    assert of_rule(posted(office, events), "floor") == [("2026-03-31", "a", 3)]
    assert totals(posted(office, events)) == {"a": 10}
