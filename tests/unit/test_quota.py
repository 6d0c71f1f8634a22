"""What units owe and give: versions, rosters, statuses, and what counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.events import EventKind, Match, UnitStatus
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.quota import Owed, QuotaBook
from mailbot.core.rules.scorebook import QuotaVersion
from tests.unit.rules_help import (
    BASIS,
    START,
    book,
    event,
    one_by_one,
    quota,
    quota_book,
    sent,
    unit,
)

MARCH = Period.parse("2026-03")


def test_a_surplus_of_one_month_never_fills_another() -> None:
    office = book(quotas=[quota()])
    books = quota_book(office, [sent("2026-02-28", times=16), sent("2026-03-31", times=3)])
    a = office.roster.get("a")
    february = books.owed(office.quotas[0], a, Period.parse("2026-02"))
    march = books.owed(office.quotas[0], a, MARCH)
    assert february == Owed(8, 16)
    assert february.missing == 0
    assert march == Owed(8, 3)
    assert march.missing == 5


def test_a_follow_up_is_not_counted_again() -> None:
    office = book(quotas=[quota()])
    books = quota_book(office, [sent("2026-03-01"), sent("2026-03-02", follow_up=True)])
    assert books.got(office.quotas[0], "a", MARCH) == 1


def test_only_what_the_quota_names_counts_towards_it() -> None:
    research = quota(
        "research", {"g": 1}, counts=[Match(EventKind.SUBMISSION, category=("research",))]
    )
    own = quota(counts=[Match(EventKind.SUBMISSION, commissioned=False)])
    office = book(quotas=[own, research])
    events = [
        sent("2026-03-01", category="research"),
        sent("2026-03-02", commissioned=True, times=4),
        event("adoption", "2026-03-03", journal="lw"),
    ]
    books = quota_book(office, events)
    assert books.got(own, "a", MARCH) == 1
    assert books.got(research, "a", MARCH) == 1


def test_the_version_of_the_period_s_last_day_judges_all_of_it() -> None:
    old = quota().versions[0]
    new = replace(old, start=date(2026, 3, 31), need=(("g", 3),))
    changed = replace(quota(), versions=(old, new))
    office = book(quotas=[changed])
    books = quota_book(office, [sent("2026-03-01", times=2)])
    a = office.roster.get("a")
    assert books.owed(changed, a, Period.parse("2026-02")) == Owed(8, 0)
    assert books.owed(changed, a, MARCH) == Owed(3, 2)
    later = replace(changed, versions=(old, replace(new, start=date(2026, 4, 1))))
    office = book(quotas=[later])
    assert quota_book(office, []).owed(later, a, MARCH) == Owed(8, 0)


def test_nothing_is_owed_before_the_first_version() -> None:
    late = quota(start=date(2026, 4, 1))
    office = book(quotas=[late])
    books = quota_book(office, [sent("2026-03-01")])
    assert books.owed(late, office.roster.get("a"), MARCH) is None
    assert books.owed(late, office.roster.get("a"), MARCH.next()) == Owed(8, 0)


def test_a_number_of_the_unit_s_own_stands_before_that_of_its_group() -> None:
    office = book(quotas=[quota(need={"g": 8, "h": 4, "b": 2, "c": 0})])
    books = quota_book(office, [])
    owed = {u.id: books.owed(office.quotas[0], u, MARCH) for u in office.roster.units}
    assert owed == {"a": Owed(8, 0), "b": Owed(2, 0), "c": Owed(0, 0), "d": Owed(4, 0)}


def test_a_group_without_a_number_is_an_error_that_names_office_rule_and_day() -> None:
    office = book(quotas=[quota(need={"g": 8})])
    books = quota_book(office, [])
    with pytest.raises(NoRuleInForce, match=r"office：2026-03-31.*信息.*组 h"):
        books.owed(office.quotas[0], office.roster.get("d"), MARCH)


@pytest.mark.parametrize(
    ("start", "end", "owes"),
    [
        (None, None, True),
        (date(2026, 3, 1), date(2026, 3, 31), True),
        (date(2026, 3, 2), None, False),
        (None, date(2026, 3, 30), False),
        (date(2026, 4, 1), None, False),
    ],
)
def test_a_unit_owes_only_whole_periods(start: date | None, end: date | None, owes: bool) -> None:
    new = unit("a", start=start, end=end)
    office = book(quotas=[quota()], units=[new])
    assert (quota_book(office, []).owed(office.quotas[0], new, MARCH) is not None) is owes


def test_the_status_on_the_last_day_decides_whether_it_owes() -> None:
    office = book(quotas=[quota()])
    a = office.roster.get("a")
    events = [
        event("status", "2026-04-01", status=UnitStatus.APPOINTED),
        event("status", "2026-02-28", status=UnitStatus.SUSPENDED),
    ]
    books = quota_book(office, events)
    owed = [books.owed(office.quotas[0], a, p) for p in Period.parse("2026-H1").parts(MARCH.kind)]
    assert [o is not None for o in owed] == [True, False, False, True, True, True]
    assert books.status("a", date(2026, 2, 27)) is UnitStatus.APPOINTED
    assert books.status("a", date(2026, 2, 28)) is UnitStatus.SUSPENDED
    assert books.status("b", date(2026, 3, 1)) is UnitStatus.APPOINTED


def test_of_two_statuses_of_one_day_the_one_entered_last_holds() -> None:
    first = event("status", "2026-03-05", status=UnitStatus.WITHDRAWN, id="record:9")
    second = event("status", "2026-03-05", status=UnitStatus.SUSPENDED, id="record:10")
    for events in ([first, second], [second, first]):
        books = quota_book(book(), events)
        assert books.status("a", date(2026, 3, 5)) is UnitStatus.SUSPENDED


def test_what_happens_after_the_day_we_look_is_not_known() -> None:
    office = book(quotas=[quota()])
    events = [
        sent("2026-03-10"),
        sent("2026-03-11"),
        event("status", "2026-03-11", status=UnitStatus.WITHDRAWN),
    ]
    books = QuotaBook(office, events, date(2026, 3, 10))
    assert books.owed(office.quotas[0], office.roster.get("a"), MARCH) == Owed(8, 1)


def test_weeks_quarters_and_years_are_counted_as_such() -> None:
    events = [sent("2025-12-29"), sent("2026-01-04"), sent("2026-01-05"), sent("2026-12-31")]
    expected = {"2026-W01": 2, "2026-Q1": 2, "2026-H2": 1, "2026": 3}
    for code, number in expected.items():
        period = Period.parse(code)
        found = quota(period=period.kind, start=date(2020, 1, 1))
        assert quota_book(book(quotas=[found]), events).got(found, "a", period) == number


def test_asking_a_monthly_quota_about_a_quarter_is_a_mistake() -> None:
    office = book(quotas=[quota()])
    with pytest.raises(ValueError, match="2026-Q1"):
        quota_book(office, []).got(office.quotas[0], "a", Period.parse("2026-Q1"))


SUBMISSIONS = st.lists(
    st.builds(
        sent,
        st.dates(START, date(2026, 6, 30)),
        st.sampled_from("abcd"),
        st.sampled_from(["news", "problem", "research"]),
        times=st.integers(1, 9),
        commissioned=st.booleans(),
    ),
    max_size=12,
)


@given(SUBMISSIONS, st.randoms(use_true_random=False))
def test_neither_order_nor_bundling_changes_what_a_unit_gave(events, random) -> None:
    versions = (
        QuotaVersion(START, BASIS, (("g", 1),), (Match(EventKind.SUBMISSION),)),
        QuotaVersion(
            date(2026, 3, 15),
            BASIS,
            (("g", 1),),
            (
                Match(EventKind.SUBMISSION, category=("problem",)),
                Match(EventKind.SUBMISSION, category=("news",), commissioned=False),
            ),
        ),
    )
    found = replace(quota(period=PeriodKind.MONTH), versions=versions)
    office = book(quotas=[found])
    apart = one_by_one(events)
    random.shuffle(apart)
    whole, parts = quota_book(office, events), quota_book(office, apart)
    for month in Period.parse("2026-H1").parts(PeriodKind.MONTH):
        for unit_id in "abcd":
            got = whole.got(found, unit_id, month)
            assert got == parts.got(found, unit_id, month)
            counts = versions[month.last >= date(2026, 3, 15)].counts
            assert got == sum(
                e.times
                for e in events
                if e.unit == unit_id and e.day in month and any(m(e) for m in counts)
            )
