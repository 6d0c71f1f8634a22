"""Entering what happened: kept once, as meant, or refused with everything that is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.offices.rulefiles import load_offices
from mailbot.adapters.system import SHANGHAI, shipped
from mailbot.app.recording.columns import COLUMNS, NEEDS, needs_in
from mailbot.app.recording.desk import Refused, enter, enter_all, reverse, reverse_item
from mailbot.app.recording.forms import Given, headers_of
from mailbot.app.recording.grid import Grid, GridRow, entries
from mailbot.app.recording.keep import Desk, Entered
from mailbot.app.recording.tell import as_event, to_facts
from mailbot.app.recording.worth import DISTINGUISHED, matches_on
from mailbot.app.records import CHANNELS, ItemRow, ItemState, NewRecord, NewSeal
from mailbot.core.intake.titles import normal_title
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.events import NAMES, Event, EventKind, Fault, Form, Outcome, Signer
from mailbot.core.rules.kinds import DatedBy, Joint, Manual, Points, Rule, Version
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Consequence, LedgerTask, ListKind, ListRule, ListVersion
from mailbot.core.subject.roster import Contact, Roster, Unit, UnitName
from tests.unit.store_help import arrive, new_item, version

NOW = datetime(2023, 2, 1, 9, 0, tzinfo=SHANGHAI)
START = date(2019, 4, 5)
BASIS = Basis("测试文件", "一")
ALL_OFFICES = ("otog", "laiwu", "shandong", "jinan", "openness")


@cache
def books() -> dict[str, OfficeBook]:
    return load_offices(shipped("config") / "offices", ALL_OFFICES)


@cache
def book() -> OfficeBook:
    """laiwu's, and what no office has yet: manual points, a list people fill, a ledger, contacts."""
    found = books()["laiwu"]
    manual = Rule(
        "bonus", "其他加分", "manual", DatedBy.EVENT,
        (Version(START, BASIS, Manual(Decimal("0.5"), Decimal(5))),),
    )  # fmt: skip
    praised = ListRule(
        "praised", "突出贡献单位", ListKind.MENTIONED, Consequence.PRAISE,
        (PeriodKind.QUARTER,), (ListVersion(START, BASIS),),
    )  # fmt: skip
    scoring = replace(
        found.scoring,
        rules=(*found.scoring.rules, manual),
        lists=(*found.scoring.lists, praised),
        tasks=(LedgerTask("t01-1", "（一）", "某事", 2022, due=date(2022, 12, 31)),),
    )
    contacts = (
        Contact("deputy", "王甲", end=date(2022, 8, 31)),
        Contact("deputy", "赵乙", start=date(2022, 9, 1)),
        Contact("liaison", "李丙"),
    )
    units = tuple(
        replace(u, contacts=contacts)
        if u.id == "education"
        else replace(u, start=date(2022, 6, 1))
        if u.id == "science"
        else u
        for u in found.roster.units
    )
    return replace(found, roster=Roster(units, found.roster.prefixes), scoring=scoring)


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


def desk(**changes: Any) -> Desk:
    return replace(Desk(book(), "王芳芳", NOW), **changes)


def row(kind: str, **values: Any) -> Given:
    """As a row of a file that has all columns."""
    values = {"kind": kind, "day": "2022-08-10", "evidence": "值班记录", **values}
    values = {k: v for k, v in values.items() if v is not None}
    places = {c.key: f"登记!{c.header}" for c in COLUMNS}
    return Given(values, places, "登记 第2行", sheet="登记")


def put(store: SqlStore, kind: str, **values: Any) -> Entered:
    return enter(row(kind, **values), desk(), store)


def refused(store: SqlStore, kind: str, **values: Any) -> str:
    """Where, what and what to do of every fault, a line each."""
    with pytest.raises(Refused) as caught:
        put(store, kind, **values)
    assert all(f.remedy for f in caught.value.faults)
    return "\n".join(f"{f.where} {f.found} → {f.remedy}" for f in caught.value.faults)


def submission(store: SqlStore, title: str = "秋季开学准备就绪", **values: Any) -> str:
    given = {"unit": "教体局", "day": "2022-08-01 10:20", "category": "动态", "channel": "OA系统"}
    return put(store, "报送", title=title, **given | values).receipt


def mailed(store: SqlStore, title: str, received: datetime, **changes: Any) -> ItemRow:
    """An item that came by mail."""
    new = new_item(
        title,
        office="laiwu",
        unit_id="education",
        received=received,
        month=received.date().replace(day=1),
        version=version(title, category="news"),
        title_key=normal_title(title),
        **changes,
    )
    with store.begin() as tx:
        (inbound,) = arrive(tx)
        return tx.add_item(new, inbound, "LW", NOW)


def gives(entered: Entered) -> Decimal:
    """The points booked for the event itself; what limits make of the total is another matter."""
    return sum((e.points for e in entered.points.added if entered.event.id in e.events), Decimal(0))


def kept(store: SqlStore, **how: Any) -> list[tuple[EventKind, str]]:
    with store.reading() as reads:
        return [(r.new.kind, r.new.unit_id) for r in reads.records("laiwu", **how)]


# --- the office's data can be answered ---------------------------------------------------------


@pytest.mark.parametrize("office", ALL_OFFICES)
def test_whatever_rules_ask_of_an_event_can_be_entered(office: str) -> None:
    """A fact that a line, a list or a column tells apart, but no column can hold, would be entered
    wrongly for ever."""
    of_the_item = {"category", "commissioned", "follow_up", "urgent_major"}
    days = {v.start for r in books()[office].scoring.rules for v in r.versions}
    for day in days | {date(2023, 1, 1)}:
        for match in matches_on(books()[office], day):
            if match.event is EventKind.SUBMISSION:
                continue
            asked = {
                f.name
                for f in fields(match)
                if f.name != "event" and getattr(match, f.name) not in (None, ())
            }
            needs = NEEDS[match.event]
            known = needs.known | (of_the_item if needs.item else set())
            if match.event is EventKind.TASK_DONE:
                known |= {"outcome"}  # from the due day
            assert asked <= known, match


NO_LEVELS = ("shandong", "jinan", "openness")


def one_unit(office: str) -> OfficeBook:
    """The office's data with a unit of this test's, whoever is on the roster."""
    found = books()[office]
    unit = Unit("ours", (UnitName("甲单位"),), found.groups[0].id)
    return replace(found, roster=Roster((unit, *found.roster.units), found.roster.prefixes))


@pytest.mark.parametrize("office", NO_LEVELS)
def test_no_level_is_asked_for_where_the_office_has_none(store: SqlStore, office: str) -> None:
    here = desk(book=one_unit(office))
    given = row("约稿布置", unit="甲单位", title="用工情况", number="约1", due="2022-08-20",
                day="2022-08-01")  # fmt: skip
    assert "接到约稿“用工情况”" in enter(given, here, store).said
    done = row("约稿", unit="甲单位", number="约1", outcome="未完成")
    assert "约稿（约稿编号 约1）未完成" in enter(done, here, store).said
    with store.reading() as reads:
        kinds = [r.new.kind for r in reads.records(office, unit_id="ours")]
    assert set(kinds) == {EventKind.ASSIGNMENT, EventKind.COMMISSION}


@pytest.mark.parametrize("office", NO_LEVELS)
def test_a_level_that_the_office_does_not_tell_apart_is_refused(
    store: SqlStore, office: str
) -> None:
    given = row("约稿", unit="甲单位", level="省", outcome="未完成")
    with pytest.raises(Refused) as caught:
        enter(given, desk(book=one_unit(office)), store)
    (fault,) = caught.value.faults
    assert "没有分级别" in fault.found and "不写级别" in fault.remedy


def test_a_recorded_commission_puts_the_unit_on_the_list_and_in_the_columns(
    store: SqlStore,
) -> None:
    here = one_unit("shandong")
    enter(row("约稿", unit="甲单位", outcome="未完成"), desk(book=here), store)
    with store.reading() as reads:
        events = reads.unit_events("shandong", date(2022, 7, 1), date(2022, 9, 30), "ours")
    version = next(r for r in here.scoring.lists if r.id == "commissions").versions[-1]
    assert [e for e in events if any(match(e) for match in version.matches)] == events != []


def test_an_adoption_needs_no_journal_where_the_office_has_none(store: SqlStore) -> None:
    here = desk(book=one_unit("jinan"))
    sent = row("报送", unit="甲单位", title="供水管网抢修", day="2022-08-01 10:20", channel="传真",
               category=books()["jinan"].categories_on(date(2022, 8, 1)).categories[0].name)  # fmt: skip
    receipt = enter(sent, here, store).receipt
    said = enter(row("采用", receipt=receipt), here, store).said
    assert "被采用" in said and "《》" not in said


def test_levels_and_journals_are_still_asked_for_where_the_office_has_them(
    store: SqlStore,
) -> None:
    assert "没有写级别" in refused(store, "约稿", unit="教体局", outcome="未完成")
    assert "没有写刊物" in refused(store, "采用", receipt=submission(store))
    for kind in EventKind:
        assert needs_in(kind, book()) == NEEDS[kind], kind


def test_levels_of_other_events_are_not_asked_of_a_commission(store: SqlStore) -> None:
    """Levels may be there for instructions only."""
    found = book()
    levels = tuple(replace(t, events=(EventKind.INSTRUCTION,)) for t in found.scoring.levels)
    here = replace(found, scoring=replace(found.scoring, levels=levels))
    assert "level" not in needs_in(EventKind.COMMISSION, here).required
    assert "level" not in needs_in(EventKind.ASSIGNMENT, here).required
    assert "level" in needs_in(EventKind.INSTRUCTION, here).required


def test_every_kind_and_every_channel_has_its_form() -> None:
    assert set(NEEDS) == set(EventKind)
    words = next(c.words for c in COLUMNS if c.key == "channel")
    assert set(words) == set(CHANNELS)
    headers = [name for c in COLUMNS for name in (c.header, *c.aliases)]
    assert len(headers) == len(set(headers)), "one header, one column"


# --- each kind -------------------------------------------------------------------------------


def test_an_adoption_gives_its_points_with_their_clause(store: SqlStore) -> None:
    receipt = submission(store)
    entered = put(store, "采用", receipt=receipt.lower(), journal="《济南政务信息》", form="简讯")
    assert entered.number == 1
    assert "济南政务信息" in entered.said and receipt in entered.said and "简讯" in entered.said
    (entry,) = [e for e in entered.points.added if entered.event.id in e.events]
    assert (entry.points, entry.item) == (Decimal(10), receipt)
    assert "10" in entry.clause


def test_only_what_an_entry_changes_is_told(store: SqlStore) -> None:
    receipt = submission(store)
    first = put(store, "采用", receipt=receipt, journal="莱芜政务信息", form="全文")
    higher = put(store, "采用", receipt=receipt, journal="国办采用", form="全文", day="2022-08-20")
    lower = put(
        store, "采用", receipt=receipt, journal="济南政务信息", form="全文", day="2022-08-22"
    )
    assert [gives(e) for e in (first, higher, lower)] == [10, 30, 0]


def test_people_in_office_that_day_are_proposed_and_can_be_named(store: SqlStore) -> None:
    def people(day: str, **more: Any) -> tuple[str, ...]:
        given = {"unit": "教体局", "fault": "漏报", "major": "否", "bad_effect": "否", "day": day}
        return put(store, "差错", **given | more).event.people

    assert people("2022-08-31") == ("分管 王甲", "信息员 李丙")
    assert people("2022-09-01") == ("分管 赵乙", "信息员 李丙")
    assert people("2022-09-02", deputy="钱丁", liaison="无") == ("分管 钱丁",)


def test_nobody_known_in_office_is_a_warning(store: SqlStore) -> None:
    entered = put(store, "差错", unit="发改委", fault="漏报", major="是", bad_effect="否")
    assert sum("在任" in w for w in entered.warnings) == 2
    assert gives(entered) == -20


def test_an_accepted_explanation_takes_the_deduction_off(store: SqlStore) -> None:
    missed = put(store, "约稿", unit="教体局", level="区", outcome="未完成")
    assert gives(missed) == -10
    excused = put(
        store,
        "情况说明",
        about=f"第{missed.number}号",
        day="2022-08-12",
        accepted="是",
        signer="主要负责人",
    )
    assert [e.points for e in excused.points.gone if missed.event.id in e.events] == [-10]
    assert excused.event.unit == "education"


def test_an_explanation_must_be_about_a_live_record_of_the_unit(store: SqlStore) -> None:
    number = put(store, "约稿", unit="教体局", level="区", outcome="未完成").number
    how = {"accepted": "是", "signer": "信息员"}
    assert "没有第 99 号" in refused(store, "情况说明", about="99", **how)
    assert "不是记录编号" in refused(store, "情况说明", about="那一条", **how)
    assert "不是" in refused(store, "情况说明", about=str(number), unit="科技局", **how)
    assert "早于" in refused(store, "情况说明", about=str(number), day="2022-08-09", **how)
    assert number is not None
    reverse(number, "登记错了", "", desk(), store)
    assert "已冲销" in refused(store, "情况说明", about=str(number), **how)


@pytest.mark.parametrize(
    ("points", "good"), [("0.5", True), ("5", True), ("5.5", False), ("-1", False)]
)
def test_points_by_hand_stay_within_the_rules_range(
    store: SqlStore, points: str, good: bool
) -> None:
    given = {"unit": "教体局", "rule": "其他加分", "points": points, "reason": "承办现场会"}
    if good:
        assert gives(put(store, "人工记分", **given)) == Decimal(points)
    else:
        told = refused(store, "人工记分", **given)
        assert "0.5 到 5" in told and "登记!分值" in told


def test_points_by_hand_and_lists_need_a_reason_and_an_office_that_has_them(
    store: SqlStore,
) -> None:
    assert "没有写理由" in refused(store, "人工记分", unit="教体局", rule="其他加分", points="1")
    assert "没有写理由" in refused(store, "列入名单", unit="教体局", list="突出贡献单位")
    assert "是不是 突出贡献单位" in refused(
        store, "列入名单", unit="教体局", list="突出贡献", reason="好"
    )
    by_rule = next(r for r in book().scoring.lists if r.kind is not ListKind.MENTIONED)
    assert "按规则" in refused(store, "列入名单", unit="教体局", list=by_rule.name, reason="好")
    assert (
        put(store, "列入名单", unit="教体局", list="praised", reason="好").event.rule == "praised"
    )


def test_a_task_is_finished_by_whom_it_was_given(store: SqlStore) -> None:
    assert "没有把任务" in refused(store, "任务完成", unit="教体局", task="t01-1")
    given = put(store, "任务", unit="教体局", task="T01-1", day="2022-08-01")
    assert given.event.due == date(2022, 12, 31)
    assert put(store, "任务完成", unit="教体局", task="t01-1").event.item == "t01-1"
    assert "没有把任务" in refused(store, "任务完成", unit="科技局", task="t01-1")
    assert "t01-1" in refused(store, "任务", unit="教体局", task="t1-1")


def test_the_remaining_kinds_are_kept(store: SqlStore) -> None:
    assert put(store, "专职人员", unit="教体局", times="２人").event.times == 2
    assert put(store, "training", unit="教体局").event.times == 1
    assert put(store, "联合调研", unit="教体局", partners="科技局、发改委").event.partners
    assert put(store, "制度备案", unit="教体局", title="教体局信息工作办法").event.title
    assert put(store, "资格变动", unit="教体局", status="暂停").said.endswith("暂停。")
    receipt = submission(store)
    assert gives(put(store, "转报", receipt=receipt, level="济南市")) == 5
    assert len(kept(store)) == 6


def test_an_item_names_its_unit(store: SqlStore) -> None:
    receipt = submission(store)
    entered = put(store, "差错", receipt=receipt, fault="质量不高", day="2022-08-09")
    assert (entered.event.unit, entered.event.item) == ("education", receipt)


def test_a_sealed_period_is_told(store: SqlStore) -> None:
    period = Period.parse("2022-Q3")
    with store.begin() as tx:
        tx.add_seal(NewSeal("laiwu", period, "d", "d", {}, []), "王芳芳", NOW)
    assert any("2022年第三季度已封账" in w for w in put(store, "以干代训", unit="教体局").warnings)
    assert not put(store, "以干代训", unit="教体局", day="2022-10-01").warnings


@pytest.mark.parametrize("office", ALL_OFFICES)
def test_every_office_takes_items_of_other_channels(store: SqlStore, office: str) -> None:
    its = books()[office]
    if not its.roster.units:  # a document that names none
        unit = Unit("zone1", (UnitName("甲开发区"),), its.groups[0].id)
        its = replace(its, roster=Roster((unit,)))
    category = its.categories[-1].categories[0].name
    given = row(
        "报送", unit=its.roster.units[0].name, day="2022-09-01", title="某项工作进展", channel="传真",
        category=category, urgent_major="是",
    )  # fmt: skip
    entered = enter(given, desk(book=its), store)
    with store.reading() as reads:
        (event,) = reads.unit_events(office, START, NOW.date(), None)
    assert replace(event, recorded=None) == entered.event and event.urgent_major
    assert event.recorded == NOW.date()  # known from then on, for what is sealed already


def test_a_ledger_without_rules_is_kept_too(store: SqlStore) -> None:
    its = books()["openness"]
    unit, task = its.roster.units[0].name, its.scoring.tasks[0].id
    for kind in ("任务", "任务完成"):
        done = enter(row(kind, unit=unit, task=task), desk(book=its), store)
        assert task in done.said and not done.warnings


# --- submissions of other channels -----------------------------------------------------------


def test_a_submission_of_another_channel_becomes_an_item_that_counts(store: SqlStore) -> None:
    receipt = submission(
        store, submitter="张三", contact="7622029", follow_up="否", scope="仅供领导参阅"
    )
    with store.reading() as reads:
        item = reads.item_by_receipt(receipt)
        assert item is not None
        assert reads.month_count("laiwu", "education", date(2022, 8, 1)) == 1
    assert (item.channel, item.evidence, item.state) == ("oa", "值班记录", ItemState.ACCEPTED)
    assert item.received == datetime(2022, 8, 1, 10, 20, tzinfo=SHANGHAI)
    assert (item.version.category, item.version.scope) == ("news", "仅供领导参阅")
    assert item.version.contact == ("7622029",)


@pytest.mark.parametrize("title", ["秋季开学准备就绪", "【动态】秋季开学，准备就绪（修改稿）"])
def test_what_came_by_mail_is_not_entered_again(store: SqlStore, title: str) -> None:
    item = mailed(store, "秋季开学准备就绪", datetime(2022, 7, 20, 8, 0, tzinfo=SHANGHAI))
    given = {"unit": "教体局", "category": "动态", "channel": "fax"}
    told = refused(store, "报送", title=title, **given)
    assert item.receipt in told and "登记!标题" in told
    other = put(store, "报送", title=title, not_duplicate="是", **given).receipt
    assert other != item.receipt
    far = datetime(2022, 8, 11, tzinfo=SHANGHAI) + timedelta(days=book().limits.duplicate_days)
    assert put(store, "报送", title=title, day=far, **given | {"channel": "oa"}).receipt


def test_the_same_title_of_a_returned_mail_is_only_told(store: SqlStore) -> None:
    received = datetime(2022, 7, 20, 8, 0, tzinfo=SHANGHAI)
    item = mailed(store, "秋季开学准备就绪", received, state=ItemState.RETURNED)
    entered = put(
        store, "报送", title="秋季开学准备就绪", unit="教体局", category="动态", channel="oa"
    )
    assert any(item.receipt in w for w in entered.warnings)


def test_an_item_entered_by_mistake_is_taken_back_once_nothing_is_about_it(store: SqlStore) -> None:
    receipt = submission(store)
    number = put(store, "转报", receipt=receipt, level="济南市").number
    with pytest.raises(Refused, match=f"冲销：{number}"):
        reverse_item(receipt, "登记错了", desk(), store)
    assert number is not None
    reverse(number, "登记错了", "", desk(), store)
    reverse_item(receipt, "登记错了", desk(), store)
    assert "不计数" in refused(store, "转报", receipt=receipt, level="济南市")
    by_mail = mailed(store, "另一条", datetime(2022, 7, 20, 8, 0, tzinfo=SHANGHAI))
    with pytest.raises(Refused, match="邮件"):
        reverse_item(by_mail.receipt, "登记错了", desk(), store)


# --- items by title --------------------------------------------------------------------------


def test_an_item_is_found_by_its_title_whatever_its_punctuation(store: SqlStore) -> None:
    receipt = submission(store, "秋季开学：准备就绪")
    found = put(store, "转报", unit="教体局", title="秋季开学准备就绪", level="济南市")
    assert found.event.item == receipt


def test_nearest_titles_are_offered_and_several_are_listed(store: SqlStore) -> None:
    first = submission(store, "一周工作动态", day="2022-08-01")
    told = refused(store, "转报", unit="教体局", title="一周工作动向", level="济南市")
    assert first in told and "登记!标题" in told
    second = submission(store, "一周工作动态", day="2022-08-08", not_duplicate="是")
    told = refused(store, "转报", unit="教体局", title="一周工作动态", level="济南市")
    assert first in told and second in told
    assert "没有相近" in refused(store, "转报", unit="科技局", title="一周工作动态", level="济南市")
    # Only one had come by then.
    early = put(
        store, "转报", unit="教体局", title="一周工作动态", level="济南市", day="2022-08-05"
    )
    assert early.event.item == first


def test_what_was_never_sent_in_keeps_its_title(store: SqlStore) -> None:
    entered = put(
        store, "差错", unit="教体局", fault="漏报", title="校车事故", major="是", bad_effect="否"
    )
    assert (entered.event.item, entered.event.title) == ("", "校车事故")
    assert any("只记标题" in w for w in entered.warnings)


def test_a_held_item_is_adopted_only_after_its_release(store: SqlStore) -> None:
    item = mailed(
        store, "待核的一条", datetime(2022, 8, 1, 8, 0, tzinfo=SHANGHAI), state=ItemState.HELD
    )
    assert "release" in refused(store, "转报", receipt=item.receipt, level="济南市")
    assert "release" in refused(store, "转报", unit="教体局", title="待核的一条", level="济南市")


# --- refusals ----------------------------------------------------------------------------------


def test_all_that_is_wrong_with_an_entry_is_told_at_once(store: SqlStore) -> None:
    told = refused(
        store, "采用", unit="教体剧", day="2099-01-01", journal="济南政务消息", form="整版",
        evidence=None, points="3", title="x",
    )  # fmt: skip
    for part in (
        "教育和体育局",
        "今天",
        "是不是 济南政务信息",
        "没有采用形式",
        "没有写依据",
        "没有“分值”",
    ):
        assert part in told, part


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "采纳"}, "是不是 采用"),
        ({"kind": None}, "没有写事项"),
        ({"unit": "不存在的单位"}, "rules units"),
        ({"unit": "科技局", "day": "2022-05-31"}, "2022-06-01 起才在名册"),
        ({"day": "2019-04-04"}, "laiwu：2019-04-04"),
        ({"day": "8月1日"}, "没有年份"),
        ({"day": "2023-02-02"}, "在今天（2023-02-01）之后"),
        ({"fault": "晚报"}, "没有差错类型"),
        ({"receipt": "LW202208-9999"}, "没有回执编号"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    store: SqlStore, changes: dict[str, Any], told: str
) -> None:
    given = {"unit": "教体局", "fault": "漏报", "major": "否", "bad_effect": "否"} | changes
    kind = given.pop("kind", "差错")
    assert told in refused(store, kind or "", **given)
    assert kept(store) == []


def test_the_first_day_of_the_rules_is_good_enough(store: SqlStore) -> None:
    assert put(store, "以干代训", unit="教体局", day="2019-04-05").number == 1


def test_an_adoption_before_its_item_or_of_another_units_item_is_refused(store: SqlStore) -> None:
    receipt = submission(store)
    how = {"receipt": receipt, "journal": "莱芜政务信息", "form": "全文"}
    assert "早于" in refused(store, "采用", day="2022-07-31", **how)
    assert put(store, "采用", day="2022-08-01", **how).number == 1
    assert "教育和体育局报送的" in refused(store, "采用", unit="科技局", **how)


def test_what_the_rules_tell_apart_must_be_said(store: SqlStore) -> None:
    receipt = submission(store)
    assert "采用形式" in refused(store, "采用", receipt=receipt, journal="莱芜政务信息")
    assert "重大信息" in refused(store, "差错", unit="教体局", fault="迟报", bad_effect="否")
    assert "情节严重" in refused(store, "差错", unit="教体局", fault="失实", bad_effect="否")
    # What no rule asks about this fault need not be said.
    assert put(store, "差错", unit="教体局", fault="质量不高").number == 1


def test_a_level_is_used_where_the_office_says(store: SqlStore) -> None:
    receipt = submission(store)
    assert "不用于转报" in refused(store, "转报", receipt=receipt, level="省")
    assert "是不是 济南市" in refused(store, "转报", receipt=receipt, level="济男市")


def test_an_event_that_no_line_gives_points_is_refused(store: SqlStore) -> None:
    """A journal the office knows, but that no line speaks of: never zero points."""
    scoring = book().scoring
    journal = replace(scoring.journals[0], id="new", name="新刊", aliases=())
    later = replace(book(), scoring=replace(scoring, journals=(*scoring.journals, journal)))
    receipt = submission(store)
    given = row("采用", receipt=receipt, journal="新刊", form="全文")
    with pytest.raises(Refused) as caught:
        enter(given, desk(book=later), store)
    (fault,) = caught.value.faults
    assert fault.where == "登记!刊物" and "laiwu" in fault.found and "2022-08-10" in fault.found
    assert kept(store) == []


def test_a_joint_item_by_hand_needs_its_shares(store: SqlStore) -> None:
    def by_hand(rule: Rule) -> Rule:
        if rule.id != "forwarding" and not any(
            isinstance(v.values, Points) and v.values.lines[0].match.event is EventKind.FORWARDING
            for v in rule.versions
        ):
            return rule
        versions = tuple(
            replace(v, values=replace(v.values, joint=Joint.HAND))
            if isinstance(v.values, Points)
            else v
            for v in rule.versions
        )
        return replace(rule, versions=versions)

    scoring = replace(book().scoring, rules=tuple(by_hand(r) for r in book().scoring.rules))
    here = desk(book=replace(book(), scoring=scoring))
    given = {"receipt": submission(store), "level": "济南市", "partners": "科技局"}

    def faults(**more: Any) -> str:
        with pytest.raises(Refused) as caught:
            enter(row("转报", **given | more), here, store)
        return "\n".join(map(str, caught.value.faults))

    assert "分配比例" in faults()
    assert "合计是 0.9" in faults(shares="教体局0.5、科技局0.4")
    assert "不一致" in faults(shares="教体局0.5、发改委0.5")
    entered = enter(row("转报", **given, shares="教体局60%、科技局 0.4"), here, store)
    assert entered.event.shares == (("education", Decimal("0.6")), ("science", Decimal("0.4")))
    assert gives(entered) == 3


def test_a_kind_the_office_never_speaks_of_is_kept_with_a_warning(store: SqlStore) -> None:
    otog = books()["otog"]
    entered = enter(row("以干代训", unit="农牧局"), desk(book=otog), store)
    assert entered.number == 1
    assert any("otog" in w and "以干代训" in w for w in entered.warnings)
    assert not put(store, "以干代训", unit="教体局").warnings


# --- twice -----------------------------------------------------------------------------------


def test_the_same_thing_is_kept_once_whoever_enters_it(store: SqlStore) -> None:
    receipt = submission(store)
    how = {"receipt": receipt, "journal": "莱芜政务信息", "form": "全文"}
    put(store, "采用", **how)
    told = refused(store, "采用", **how, evidence="另一份截图")
    assert "第 1 号" in told and "王芳芳" in told
    assert put(store, "采用", **how, evidence="另一份截图", not_duplicate="是").number == 2
    # The very same words are the very same thing, whatever is claimed.
    assert "不用再登记" in refused(store, "采用", **how, not_duplicate="是")
    assert any("第 1 号" in w for w in put(store, "采用", **how, day="2022-08-11").warnings)


def test_what_was_reversed_may_be_entered_again(store: SqlStore) -> None:
    put(store, "以干代训", unit="教体局", times="3")
    reverse(1, "人数有误", "", desk(), store)
    assert put(store, "以干代训", unit="教体局", times="3").number == 3


def test_a_reversal_takes_the_points_off_and_happens_once(store: SqlStore) -> None:
    put(store, "以干代训", unit="教体局")
    done = reverse(1, "登记错了", "", desk(), store)
    (gone,) = [e for e in done.points.gone if "record:1" in e.events]
    assert gone.points == 20
    for number, why, told in (
        (1, "再来", "已由"),
        (2, "再来", "本身是冲销"),
        (9, "再来", "没有这个编号"),
    ):
        with pytest.raises(Refused, match=told):
            reverse(number, why, "", desk(), store)
    put(store, "以干代训", unit="科技局")
    with pytest.raises(Refused, match="理由"):
        reverse(3, "", "", desk(), store)
    with pytest.raises(Refused, match="没有这个编号"):
        reverse(3, "别的单位的", "", desk(book=books()["otog"]), store)


def test_what_an_explanation_is_about_is_reversed_after_it(store: SqlStore) -> None:
    put(store, "约稿", unit="教体局", level="区", outcome="未完成")
    put(store, "情况说明", about="1", accepted="是", signer="主要负责人")
    with pytest.raises(Refused, match="第 2 号"):
        reverse(1, "登记错了", "", desk(), store)
    reverse(2, "登记错了", "", desk(), store)
    assert reverse(1, "登记错了", "", desk(), store).number == 4


# --- files -----------------------------------------------------------------------------------

FILE = [
    ["登记表"],
    ["事项", "依据", "日期", "单位 *", "标题", "类别", "渠道", "级别", "数量"],
    ["报送", "OA 1", "2022-08-01", "教体局", "秋季开学准备就绪", "动态", "OA系统", None, None],
    ["转报", "底稿", "2022/8/3", "教体局", "秋季开学准备就绪", None, None, "济南市", None],
    [None, " ", None, None, None, None, None, None, None],
    ["以干代训", "文件", "20220804", "科技局", None, None, None, None, Decimal(2)],
]


def grid(rows: Sequence[Sequence[Any]]) -> Grid:
    return Grid("登记", tuple(GridRow(n, tuple(r)) for n, r in enumerate(rows, 1)))


def imported(store: SqlStore, rows: Sequence[Sequence[Any]], *, apply: bool) -> list[Entered]:
    given, faults = entries(grid(rows))
    here = desk(source="import:表.xlsx")
    return enter_all(given, here, store, apply=apply, faults=faults)


def import_faults(
    store: SqlStore, rows: Sequence[Sequence[Any]], *, apply: bool = True
) -> list[str]:
    with pytest.raises(Refused) as caught:
        imported(store, rows, apply=apply)
    return [str(f) for f in caught.value.faults]


def test_a_trial_says_what_would_be_entered_and_leaves_nothing(store: SqlStore) -> None:
    done = imported(store, FILE, apply=False)
    assert [e.event.kind.value for e in done] == ["submission", "forwarding", "training"]
    assert kept(store) == []
    with store.reading() as reads:
        assert reads.item_by_receipt(done[0].receipt) is None
    applied = imported(store, FILE, apply=True)
    assert [e.said for e in applied] == [e.said for e in done]
    assert len(kept(store)) == 2
    with store.reading() as reads:
        assert {r.new.source for r in reads.records("laiwu")} == {"import:表.xlsx"}


def test_a_file_imported_twice_is_recognised_row_by_row(store: SqlStore) -> None:
    imported(store, FILE, apply=True)
    faults = import_faults(store, FILE)
    assert len(faults) == 3
    assert "登记!E3" in faults[0] and "LW202208-0001" in faults[0]
    assert "登记!A4" in faults[1] and "第 1 号" in faults[1]
    assert "登记!A6" in faults[2] and "第 2 号" in faults[2]
    assert len(kept(store)) == 2


def test_one_fault_keeps_the_whole_file_out_and_every_fault_is_told(store: SqlStore) -> None:
    rows = [
        *FILE,
        ["以干代训", "文件", "2022-08-05", "科技剧"],
        ["转报", "x", None, "教体局", "没有的标题", None, None, "市"],
    ]
    faults = import_faults(store, rows)
    assert [f.split(":")[0] for f in faults] == ["登记!D7", "登记!C8"]
    assert "科学技术局" in faults[0]
    assert kept(store) == []


def test_the_same_row_twice_in_one_file_is_told(store: SqlStore) -> None:
    (fault,) = import_faults(store, [*FILE, FILE[-1]], apply=False)
    assert "登记!A7" in fault and "第6行" in fault


def test_headers_are_understood_or_told_with_the_likest(store: SqlStore) -> None:
    rows = [
        ["事项", "单位", "日期", "依椐", "序号", "单位名称", None],
        ["以干代训", "科技局", "2022-08-05", "文件", "1", "", "多的"],
    ]
    faults = import_faults(store, rows)
    assert any("登记!D1" in f and "是不是 依据" in f for f in faults)
    assert any("登记!F1" in f and "两次" in f for f in faults)
    assert any("登记!G2" in f and "没有表头" in f for f in faults)
    assert sum("没有“依据”这一列" in f for f in faults) == 1


def test_a_column_that_is_missing_is_told_once_for_all_rows(store: SqlStore) -> None:
    rows = [
        ["事项", "单位", "日期"],
        *[["以干代训", "科技局", f"2022-08-{d:02}"] for d in range(1, 9)],
    ]
    (fault,) = import_faults(store, rows)
    assert "依据" in fault


@pytest.mark.parametrize("rows", [[], [["只有一行字"]], [["事项", "单位"]]])
def test_a_file_without_header_or_rows_is_told(store: SqlStore, rows: list[list[str]]) -> None:
    (fault,) = import_faults(store, rows)
    assert "登记" in fault


@any_of(st.permutations([c.header for c in COLUMNS]))
def test_columns_may_stand_in_any_order(order: list[str]) -> None:
    found = headers_of(order)
    assert [
        next(c.header for c in COLUMNS if c.key == found[i]) for i in range(len(order))
    ] == order


# --- facts -------------------------------------------------------------------------------------

_FACTS = st.fixed_dictionaries(
    {},
    optional={
        "form": st.sampled_from(Form),
        "journal": st.text(min_size=1, max_size=5),
        "outcome": st.sampled_from(Outcome),
        "fault": st.sampled_from(Fault),
        "signer": st.sampled_from(Signer),
        "points": st.decimals(-1000, 1000, places=2),
        "due": st.dates(),
        "times": st.integers(1, 1000),
        "partners": st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=3).map(tuple),
        "shares": st.just((("a", Decimal("0.25")), ("b", Decimal("0.75")))),
        "people": st.just(("分管 王甲",)),
        **{name: st.booleans() for name in DISTINGUISHED if name not in ("form", "level")},
    },
)


@any_of(_FACTS)
def test_facts_survive_their_way_through_json(facts: dict[str, Any]) -> None:
    new = NewRecord("laiwu", EventKind.ERROR, "education", date(2022, 8, 1), facts=to_facts(facts))
    back = as_event(replace(new, facts=json.loads(json.dumps(new.facts))), "record:1")
    assert back == Event("record:1", EventKind.ERROR, "education", date(2022, 8, 1), **facts)


def test_the_store_reads_an_entry_as_it_was_checked(store: SqlStore) -> None:
    """The event the rules were tried with is the one they will get."""
    receipt = submission(store)
    entered = [
        put(store, "采用", receipt=receipt, journal="莱芜政务信息", form="简讯", partners="科技局"),
        put(store, "差错", unit="教体局", fault="失实", serious="是", bad_effect="否"),
        put(store, "约稿", receipt=receipt, unit="教体局", level="区", outcome="完成"),
    ]
    with store.reading() as reads:
        events = {e.id: e for e in reads.unit_events("laiwu", START, NOW.date(), "education")}
    for one in entered:
        known = replace(events[one.event.id], recorded=None, by="")
        assert replace(known, commissioned=one.event.commissioned) == one.event


def test_names_of_all_kinds_are_understood(store: SqlStore) -> None:
    for kind in EventKind:
        told = refused(store, NAMES[kind.value], evidence=None)
        assert "没有事项" not in told


def test_a_row_of_no_known_kind_tells_what_else_cannot_be_read(store: SqlStore) -> None:
    given = row("采纳", unit="农牧局", day="2022-11-31", times="两个")
    with pytest.raises(Refused) as caught:
        enter(given, desk(), store)
    assert len(caught.value.faults) == 3


def test_shares_that_no_rule_asks_for_are_said_to_do_nothing(store: SqlStore) -> None:
    entered = put(
        store, "联合调研", partners="区司法局", shares="区财政局0.5、区司法局0.5", unit="区财政局"
    )
    assert any("不起作用" in w for w in entered.warnings)
