"""Laws of the ledger, whatever happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.events import Event, EventKind, Form, Match, Outcome, Signer
from mailbot.core.rules.kinds import (
    BaseLine,
    Cap,
    Conversion,
    Floor,
    Joint,
    Ladder,
    Manual,
    Measure,
    Mode,
    Multiplier,
    QuotaBase,
    Repeat,
    Rule,
    Shortage,
    ShortageLine,
    Step,
    Zeroing,
)
from mailbot.core.rules.ledger import post
from mailbot.core.rules.matching import Matcher
from mailbot.core.rules.periods import Period, PeriodKind
from tests.unit.rules_help import (
    START,
    adopted,
    book,
    event,
    line,
    one_by_one,
    points,
    posted,
    quota,
    rule,
    sent,
    totals,
    unit,
    version,
)

DAYS = st.dates(START, date(2026, 12, 31))
UNITS = st.sampled_from("abcd")
ITEMS = st.sampled_from(["", "x", "y", "z"])
MISSED = Match(EventKind.COMMISSION, outcome=(Outcome.MISSED,))

# --- a book in which every kind of rule has its say ------------------------------------------

FROM_EVENTS = (
    rule(
        "sent",
        version(points(line("submission", 1, category=("news",)), line("submission", 5))),
        version(points(line("submission", "1.5")), date(2026, 6, 15)),
    ),
    rule(
        "adopted",
        points(
            line("adoption", 5, form=(Form.BRIEF,)),
            line("adoption", 10, journal=("lw",)),
            line("adoption", 40),
            repeat=Repeat.HIGHEST_PER_ITEM,
            joint=Joint.EQUAL,
        ),
    ),
    rule("staff", points(line("staff", 10, per_count=True), repeat=Repeat.HIGHEST_PER_YEAR)),
    rule(
        "missed",
        points(
            line("commission", -20, outcome=(Outcome.MISSED,), excused_by=(Signer.HEAD,)),
            line("commission", 10),
        ),
    ),
    rule("hand", Manual(D(-50), D(50))),
    rule(
        "factor",
        Multiplier(
            ("sent", "adopted"),
            (Match(EventKind.ADOPTION), Match(EventKind.SUBMISSION, category=("research",))),
            D("1.333"),
        ),
    ),
)
FROM_QUOTAS = (
    rule(
        "base",
        QuotaBase(
            (
                BaseLine(("g",), ("items",), D(20), ""),
                BaseLine(("g", "h"), ("items", "research"), D(7), ""),
            ),
            Mode.PRO_RATA,
        ),
    ),
    rule("short", Shortage((ShortageLine(("g", "h"), "items", D(-2), "", D(-9)),))),
    rule(
        "ladder",
        Ladder(
            Measure.MISSING,
            PeriodKind.QUARTER,
            (Step(D(-5), "", D(5), D(10)), Step(D(-10), "", D(10))),
            "items",
        ),
    ),
)
LIMITS = (
    rule("cap", Cap(("sent", "adopted"), D(60), PeriodKind.QUARTER)),
    rule("floor", Floor(("short", "ladder"), D(0), PeriodKind.QUARTER)),
    rule("zero", Zeroing((MISSED,), 2, PeriodKind.YEAR, (Signer.HEAD,))),
    rule("convert", Conversion(D("0.3"), PeriodKind.MONTH)),
)
QUOTAS = (
    quota(need={"g": 3, "h": 1}),
    quota(
        "research",
        {"g": 1, "h": 1},
        PeriodKind.QUARTER,
        [Match(EventKind.SUBMISSION, category=("research",))],
    ),
)
RECOMMENDED = (unit("a"), unit("b"), unit("c", recommender="a"), unit("d", "h", recommender="b"))


def rich(*rules: Rule):
    return book(*rules, quotas=QUOTAS, units=RECOMMENDED)


EVERYTHING = rich(*FROM_EVENTS, *FROM_QUOTAS, *LIMITS)


@st.composite
def partners_of(draw, unit_id: str):
    others = [u for u in "abcd" if u != unit_id]
    return tuple(draw(st.lists(st.sampled_from(others), unique=True, max_size=2)))


@st.composite
def happenings(draw, kinds: tuple[str, ...] = ("sent", "adopted", "staff", "missed", "hand")):
    day, who = draw(DAYS), draw(UNITS)
    match draw(st.sampled_from(kinds)):
        case "sent":
            category = draw(st.sampled_from(["news", "problem", "research"]))
            times = draw(st.integers(1, 9))
            return sent(day, who, category, times=times, follow_up=draw(st.booleans()))
        case "adopted":
            return adopted(
                day,
                draw(st.sampled_from(["lw", "jn", "gb"])),
                who,
                item=draw(ITEMS),
                form=draw(st.sampled_from([Form.FULL, Form.BRIEF])),
                partners=draw(partners_of(who)),
            )
        case "staff":
            return event("staff", day, who, times=draw(st.integers(1, 4)))
        case "missed":
            return event(
                "commission",
                day,
                who,
                outcome=draw(st.sampled_from([Outcome.DONE, Outcome.MISSED])),
            )
    number = D(draw(st.integers(-500, 500))) / 10
    return event("manual", day, who, rule="hand", points=number, reason="某事")


EVENTS = st.lists(happenings(), max_size=14)


@st.composite
def explained(draw):
    """Events, some of them with a signed explanation."""
    events = draw(EVENTS)
    told = [
        event(
            "explanation",
            min(e.day + timedelta(days=draw(st.integers(0, 40))), date(2026, 12, 31)),
            e.unit,
            about=e.id,
            accepted=draw(st.booleans()),
            signer=draw(st.sampled_from(Signer)),
        )
        for e in events
        if e.kind is EventKind.COMMISSION
    ]
    return events + told


# --- laws ------------------------------------------------------------------------------------


@given(explained(), st.randoms(use_true_random=False))
def test_the_order_of_events_changes_nothing(events: list[Event], random) -> None:
    expected = posted(EVERYTHING, events)
    random.shuffle(events)
    assert posted(EVERYTHING, events) == expected


@given(EVENTS)
def test_like_events_taken_together_are_worth_what_they_are_apart(events: list[Event]) -> None:
    apart = one_by_one(e for e in events if e.kind is EventKind.SUBMISSION)
    others = [e for e in events if e.kind is not EventKind.SUBMISSION]
    assert totals(posted(EVERYTHING, apart + others)) == totals(posted(EVERYTHING, events))


@given(EVENTS, st.integers(1, 12), st.integers(1, 12))
def test_periods_put_together_are_the_whole(events: list[Event], one: int, other: int) -> None:
    first, last = min(one, other), max(one, other)
    as_of = date(2027, 1, 1)
    year = posted(EVERYTHING, events)
    days = [date(2026, m, 1) for m in range(first, last + 1)]
    by_month = []
    for day in days:
        month = Period.of(PeriodKind.MONTH, day)
        by_month += post(EVERYTHING, events, month.first, month.last, as_of)
    assert by_month == [e for e in year if days[0] <= e.day and first <= e.day.month <= last]


@given(EVENTS, DAYS, DAYS)
def test_looked_at_later_nothing_booked_before_has_gone(
    events: list[Event], one: date, other: date
) -> None:
    """Without limits, which are of a running period as it stands."""
    office = rich(*FROM_EVENTS, *FROM_QUOTAS)
    then, now = (
        posted(office, events, as_of=min(one, other)),
        posted(office, events, as_of=max(one, other)),
    )
    assert all(entry in now for entry in then)
    assert all(entry.day <= min(one, other) for entry in then)


@given(EVENTS)
def test_every_entry_names_a_rule_its_version_and_its_reason(events: list[Event]) -> None:
    ids = {e.id for e in events}
    for entry in posted(EVERYTHING, events):
        found = EVERYTHING.scoring.rule(entry.rule)
        assert entry.version in {v.start for v in found.versions}
        assert entry.text
        assert entry.document == "办法"
        assert set(entry.events) <= ids


@given(
    st.lists(
        st.tuples(DAYS, st.sampled_from(["lw", "jn", "gb"]), UNITS, ITEMS.filter(bool)), max_size=12
    )
)
def test_of_an_item_the_highest_counts_and_only_it(found) -> None:
    worth = {"lw": 10, "jn": 20, "gb": 40}
    lines = [line("adoption", n, journal=(j,)) for j, n in worth.items()]
    office = book(rule("adopted", points(*lines, repeat=Repeat.HIGHEST_PER_ITEM)))
    highest: dict[tuple[str, str], int] = {}
    for _, journal, who, item in found:
        highest[who, item] = max(highest.get((who, item), 0), worth[journal])
    expected: dict[str, D] = {}
    for (who, _), number in highest.items():
        expected[who] = expected.get(who, D(0)) + number
    events = [adopted(d, j, u, item=i) for d, j, u, i in found]
    entries = posted(office, events)
    assert totals(entries) == expected
    assert len(entries) == len(events)
    assert all(e.points >= 0 for e in entries)


@given(
    st.lists(st.tuples(UNITS, st.integers(-100, 100)), max_size=10),
    st.integers(-60, 60),
    st.sets(st.sampled_from(["one", "two"]), min_size=1),
)
def test_a_floor_takes_a_total_down_to_it_and_no_further(found, at, named) -> None:
    """S = X - min(D, max(X - at, 0))"""
    rules = [rule(i, Manual(D(-100), D(100))) for i in ("one", "two", "other")]
    office = book(*rules, rule("floor", Floor(tuple(named), D(at), PeriodKind.YEAR)))
    deducted, others = dict.fromkeys("abcd", 0), dict.fromkeys("abcd", 0)
    events = []
    for n, (who, number) in enumerate(found):
        name = ("one", "two", "other")[n % 3]
        value = -abs(number) if name in named else number
        events.append(event("manual", "2026-03-01", who, rule=name, points=D(value)))
        if name in named:
            deducted[who] -= value
        else:
            others[who] += value
    booked = totals(posted(office, events))
    for who in "abcd":
        x, d = others[who], deducted[who]
        assert booked.get(who, 0) == x - min(d, max(x - at, 0))


@given(EVENTS, st.integers(0, 80), st.sampled_from(PeriodKind))
def test_a_cap_is_never_exceeded(events: list[Event], most: int, kind: PeriodKind) -> None:
    office = rich(*FROM_EVENTS, rule("cap", Cap(("sent", "adopted", "factor"), D(most), kind)))
    sums: dict[tuple[str, Period], D] = {}
    raw: dict[tuple[str, Period], D] = {}
    for entry in posted(office, events, "2026", as_of="2027-02-01"):
        key = entry.unit, Period.of(kind, entry.day)
        if entry.rule in ("sent", "adopted", "factor", "cap"):
            sums[key] = sums.get(key, D(0)) + entry.points
        if entry.rule in ("sent", "adopted", "factor"):
            raw[key] = raw.get(key, D(0)) + entry.points
    for key, total in sums.items():
        # The last week of the year ends in the next, where its cap is booked.
        if key[1].last.year == 2026:
            assert total == min(raw[key], D(most))


@given(EVENTS)
def test_after_two_missed_commissions_nobody_keeps_points_of_the_year(events: list[Event]) -> None:
    office = rich(*FROM_EVENTS, *(r for r in LIMITS if r.id == "zero"))
    missed = dict.fromkeys("abcd", 0)
    for one in events:
        missed[one.unit] += one.outcome is Outcome.MISSED
    for who, total in totals(posted(office, events)).items():
        assert missed[who] < 2 or total < 0


@given(st.decimals(-100, 100, places=2), st.integers(1, 3))
def test_equal_shares_are_equal_and_rounded_half_up(number: D, others: int) -> None:
    office = book(rule("adopted", points(line("adoption", number), joint=Joint.EQUAL)))
    entries = posted(office, [adopted("2026-03-01", partners=tuple("bcd"[:others]))])
    share = (number / (others + 1)).quantize(D("0.01"), ROUND_HALF_UP)
    assert [(e.unit, e.points) for e in entries] == [(u, share) for u in "abcd"[: others + 1]]


@given(DAYS, DAYS)
def test_the_version_is_that_of_the_day(changes: date, day: date) -> None:
    office = book(
        rule(
            "adopted",
            version(points(line("adoption", 1))),
            version(points(line("adoption", 2)), max(changes, date(2026, 1, 2))),
        )
    )
    expected = 2 if day >= max(changes, date(2026, 1, 2)) else 1
    assert totals(posted(office, [adopted(day)])) == {"a": expected}


@given(
    st.sets(st.sampled_from(["lw", "jn", "gb"])),
    st.sampled_from(["lw", "jn", "gb"]),
    st.sampled_from(Form),
    st.sets(st.sampled_from(Form), min_size=1),
)
def test_an_uncovered_combination_is_an_error_and_every_covered_one_an_entry(
    journals, journal, form, forms
) -> None:
    lines = [line("adoption", 1, journal=(j,), form=tuple(forms)) for j in journals]
    office = book(rule("adopted", points(*lines, line("filing", 1))))
    one = adopted("2026-03-01", journal, form=form)
    if not journals:
        assert posted(office, [one]) == []
    elif journal in journals and form in forms:
        assert totals(posted(office, [one])) == {"a": 1}
    else:
        with pytest.raises(NoRuleInForce):
            posted(office, [one])


@given(
    st.lists(
        st.builds(
            Match,
            st.sampled_from([EventKind.ADOPTION, EventKind.SUBMISSION]),
            category=st.lists(st.sampled_from(["news", "problem"]), max_size=2).map(tuple),
            journal=st.lists(st.sampled_from(["lw", "jn"]), max_size=2).map(tuple),
            form=st.lists(st.sampled_from(Form), max_size=2).map(tuple),
            commissioned=st.sampled_from([None, True, False]),
            urgent_major=st.sampled_from([None, True, False]),
        ),
        max_size=5,
    ),
    st.lists(happenings(("sent", "adopted")), max_size=8),
    st.booleans(),
)
def test_a_matcher_answers_as_its_matches_would(matches, events, commissioned) -> None:
    matcher = Matcher(matches)
    for one in [replace(e, commissioned=commissioned) for e in events] + events:
        assert matcher.first(one) == next((n for n, m in enumerate(matches) if m(one)), None)
