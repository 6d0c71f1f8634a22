"""Dated look-ups: the version in force, the quota that counts, and a missing rule told as such."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.rules.basis import Basis, NoRuleInForce
from mailbot.core.rules.events import EventKind, Match
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.rulebook import (
    ITEMS,
    Group,
    Limits,
    OfficeBook,
    OfficeInfo,
)
from mailbot.core.rules.scorebook import Quota, QuotaVersion
from mailbot.core.subject.roster import Roster, Unit, UnitName

BASIS = Basis("甲政办发〔2020〕1号", "一")
FARMING = Unit("nongmu", (UnitName("农牧局"),), "g1")
WATER = Unit("shuili", (UnitName("水利局"),), "g1")
OTHER = Unit("linye", (UnitName("林业局"),), "g9")


def book(*versions: QuotaVersion, period: PeriodKind = PeriodKind.MONTH) -> OfficeBook:
    """An office that owes items by these versions; without any, nothing at all."""
    info = OfficeInfo("jia", "甲办", "甲办信息室", "7622000", "JA")
    roster = Roster((FARMING, WATER, OTHER))
    quotas = (Quota(ITEMS, "信息", period, versions),) if versions else ()
    return OfficeBook(
        info, roster, (), (), quotas, Limits(), "0" * 64, (Group("g1", "第一组", BASIS),)
    )


def quota(start: date, **need: int) -> QuotaVersion:
    return QuotaVersion(start, BASIS, tuple(need.items()), (Match(EventKind.SUBMISSION),))


def test_a_version_holds_from_its_first_day_to_the_day_before_the_next() -> None:
    rules = book(quota(date(2026, 7, 1), g1=10), quota(date(2022, 7, 6), g1=8))
    for day, owed in (
        (date(2022, 7, 6), 8),
        (date(2026, 6, 30), 8),
        (date(2026, 7, 1), 10),
        (date(2099, 1, 1), 10),
    ):
        assert rules.quota_on(FARMING, day) == owed


@given(
    st.lists(st.dates(date(2000, 1, 1), date(2040, 1, 1)), min_size=1, unique=True),
    st.dates(date(2000, 1, 1), date(2040, 1, 1)),
)
def test_the_latest_started_version_wins_whatever_the_order(starts: list[date], day: date) -> None:
    rules = book(*(quota(s, g1=s.toordinal()) for s in starts))
    begun = [s for s in starts if s <= day]
    if begun:
        assert rules.quota_on(FARMING, day) == max(begun).toordinal()
    else:
        with pytest.raises(NoRuleInForce):
            rules.quota_on(FARMING, day)


def test_a_unit_s_own_number_goes_before_its_group_s_even_when_it_is_zero() -> None:
    rules = book(quota(date(2022, 7, 6), g1=8, shuili=0))
    assert rules.quota_on(FARMING, date(2026, 1, 1)) == 8
    assert rules.quota_on(WATER, date(2026, 1, 1)) == 0


def test_what_is_missing_is_named_and_never_zero() -> None:
    rules = book(quota(date(2022, 7, 6), g1=8))
    before = date(2022, 7, 6) - timedelta(days=1)
    with pytest.raises(NoRuleInForce, match="jia：2022-07-05 没有有效的报送任务"):
        rules.quota_on(FARMING, before)
    with pytest.raises(NoRuleInForce, match="组 g9"):
        rules.quota_on(OTHER, date(2026, 1, 1))
    with pytest.raises(NoRuleInForce, match="主题规定"):
        rules.convention_on(date(2026, 1, 1))
    with pytest.raises(NoRuleInForce, match="类别"):
        rules.categories_on(date(2026, 1, 1))


@pytest.mark.parametrize("period", [p for p in PeriodKind if p is not PeriodKind.MONTH])
def test_an_office_that_owes_by_other_periods_has_no_monthly_number(period: PeriodKind) -> None:
    rules = book(quota(date(2022, 7, 6), g1=8), period=period)
    with pytest.raises(NoRuleInForce, match="每月报送任务"):
        rules.quota_on(FARMING, date(2026, 1, 1))


def test_an_office_that_owes_nothing_has_no_number_either() -> None:
    with pytest.raises(NoRuleInForce, match="每月报送任务"):
        book().quota_on(FARMING, date(2026, 1, 1))


def test_groups_are_found_by_id() -> None:
    assert book().group("g1").name == "第一组"
    with pytest.raises(KeyError):
        book().group("g9")
