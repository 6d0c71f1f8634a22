"""An invented office for the tests of standings, lists and cases: a few units, rules, events."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from mailbot.core.rules.basis import Basis
from mailbot.core.rules.entries import Entry, NoticeList, Standings
from mailbot.core.rules.events import Event, EventKind, Match
from mailbot.core.rules.kinds import DatedBy, Line, Points, Rule, Version
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.rulebook import ITEMS, Limits, OfficeBook, OfficeInfo
from mailbot.core.rules.scorebook import (
    Column,
    Consequence,
    ListKind,
    ListRule,
    ListVersion,
    OrderBy,
    Quota,
    QuotaVersion,
    Ranking,
    RankingTable,
    Scoring,
    Term,
    Ties,
)
from mailbot.core.rules.standings import standings
from mailbot.core.subject.roster import Roster, Unit, UnitName

BASIS = Basis("甲政办发〔2020〕1号", "三（一）：“按季通报”")
START = date(2020, 1, 1)
Q3 = Period.parse("2022-Q3")
AFTER_Q3 = date(2022, 10, 1)
SUBMISSIONS = Match(EventKind.SUBMISSION)
ADOPTIONS = Match(EventKind.ADOPTION)

_numbers = count(1)


def unit(unit_id: str, group: str = "dept", **more: Any) -> Unit:
    return Unit(unit_id, (UnitName(f"{unit_id}局"),), group, **more)


def event(kind: EventKind, unit_id: str, day: str, **more: Any) -> Event:
    return Event(f"record:{next(_numbers)}", kind, unit_id, date.fromisoformat(day), **more)


def sent(unit_id: str, day: str, **more: Any) -> Event:
    return event(EventKind.SUBMISSION, unit_id, day, **more)


def adopted(unit_id: str, day: str, item: str, journal: str = "zhengxun", **more: Any) -> Event:
    return event(EventKind.ADOPTION, unit_id, day, item=item, journal=journal, **more)


def entry(unit_id: str, points: str | int, day: str = "2022-08-01", **more: Any) -> Entry:
    return Entry(
        unit_id,
        date.fromisoformat(day),
        more.pop("rule", "adoption"),
        START,
        Decimal(points),
        BASIS.document,
        BASIS.clause,
        more.pop("text", "采用"),
        **more,
    )


def ranking(
    *tables: RankingTable,
    order: tuple[OrderBy, ...] = (OrderBy.POINTS,),
    ties: Ties = Ties.SHARE,
    columns: tuple[Column, ...] = (),
    start: date = START,
) -> Ranking:
    tables = tables or (RankingTable("dept", "部门", ("dept",)),)
    return Ranking(start, BASIS, tables, order, ties, columns)


def quota(
    number: int, period: PeriodKind = PeriodKind.MONTH, quota_id: str = ITEMS, **more: Any
) -> Quota:
    need = (("dept", number), ("town", number))
    version = QuotaVersion(START, BASIS, need, (more.pop("counts", SUBMISSIONS),))
    return Quota(quota_id, "信息", period, (version,), **more)


def list_rule(
    kind: ListKind,
    *,
    list_id: str = "named",
    periods: tuple[PeriodKind, ...] = tuple(PeriodKind),
    people: tuple[str, ...] = (),
    start: date = START,
    **version: Any,
) -> ListRule:
    versions = (ListVersion(start, BASIS, **version),)
    return ListRule(list_id, "名单", kind, Consequence.NAME, periods, versions, people=people)


def points_rule(each: int, adoption: int = 10) -> Rule:
    """Points for every submission and adoption."""
    lines = (
        Line(SUBMISSIONS, Decimal(each), "报送一条记分"),
        Line(ADOPTIONS, Decimal(adoption), "采用一条记分"),
    )
    version = Version(START, BASIS, Points(lines))
    return Rule("adoption", "采用", "points", DatedBy.EVENT, (version,))


def book(
    *units: Unit,
    rank: Ranking | None = None,
    quotas: tuple[Quota, ...] = (),
    lists: tuple[ListRule, ...] = (),
    rules: tuple[Rule, ...] = (),
) -> OfficeBook:
    info = OfficeInfo("jia", "甲办", "甲办信息室", "7622000", "JA")
    scoring = Scoring(
        journals=(Term("mryq", "每日要情", rank=3), Term("zhengxun", "政讯", rank=2)),
        rules=rules,
        rankings=(ranking() if rank is None else rank,),
        lists=lists,
    )
    roster = Roster(units or (unit("a"), unit("b"), unit("c")))
    return OfficeBook(info, roster, (), (), quotas, Limits(), "0" * 64, scoring=scoring)


def with_rankings(office: OfficeBook, *rankings: Ranking) -> OfficeBook:
    return replace(office, scoring=replace(office.scoring, rankings=rankings))


def stand(
    office: OfficeBook,
    events: list[Event] | None = None,
    entries: list[Entry] | None = None,
    period: Period = Q3,
    as_of: date | None = None,
    previous: Standings | None = None,
    *,
    began: date | None = None,
) -> Standings:
    """The standings on the day after the period, unless told otherwise."""
    day = as_of or period.next().first
    return standings(office, events or [], entries or [], period, day, previous, began=began)


def listed(result: Standings, list_id: str = "named") -> dict[str, str]:
    """Who is on the list, and why, in its order."""
    return {one.unit: one.why for one in the_list(result, list_id).listed}


def the_list(result: Standings, list_id: str = "named") -> NoticeList:
    return next(one for one in result.lists if one.id == list_id)


def placed(result: Standings) -> dict[str, int | None]:
    return {row.unit: row.place for table in result.tables for row in table.rows}
