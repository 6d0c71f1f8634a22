"""The circular as a document: tables, lists, figures, numbering; periods with hardly anything in
them; what hostile titles do to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from mailbot.adapters.offices.casefile import read_cases
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.core.documents.material import Material
from mailbot.core.documents.model import Document, Heading, Paragraph, TableBlock
from mailbot.core.documents.notice import notice_document, own_document
from mailbot.core.documents.words import clean, fill, numeral, place_of
from mailbot.core.duties.model import DocumentRule, LetterRule, OwnLetter, Part, Section
from mailbot.core.rules import kinds
from mailbot.core.rules.books import Sealed, accounts
from mailbot.core.rules.events import (
    Event,
    EventKind,
    Fault,
    Form,
    Match,
    UnitStatus,
)
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import (
    Column,
    ColumnCount,
    Consequence,
    ListKind,
    RankingTable,
    Term,
)
from mailbot.core.rules.trial import run_case
from mailbot.core.subject.roster import Contact
from tests.unit.document_help import lines, of_lists, reckoned, rule, tables, written
from tests.unit.standings_help import (
    BASIS,
    Q3,
    START,
    SUBMISSIONS,
    adopted,
    book,
    event,
    list_rule,
    points_rule,
    quota,
    ranking,
    sent,
    unit,
)

STANDINGS = Section(Part.STANDINGS, "排名情况")
OVERVIEW = Section(Part.OVERVIEW, "总体情况")
TITLES = Section(Part.TITLES, "采用目录")
QUOTAS = Section(Part.QUOTAS, "未完成任务的单位")
CORRECTIONS = Section(Part.CORRECTIONS, "更正")
TASKS = Section(Part.TASKS, "任务")

OFFICES = Path("config/offices")
POINTS = (points_rule(1),)


# --- standings ---------------------------------------------------------------------------------


def test_ties_share_their_place_in_the_table_and_the_note_says_so() -> None:
    office = book(*(unit(u) for u in "abc"), rules=POINTS)
    events = [sent("a", "2022-07-01"), *(sent(u, "2022-08-02", times=3) for u in "bc")]
    (table,) = tables(written(office, reckoned(office, events), STANDINGS))
    assert table.caption == "部门"
    assert table.header == ("排名", "单位", "报送条数", "采用条数", "得分", "累计得分")
    assert table.rows == (
        ("1", "b局", "3", "0", "3", "3"),
        ("1", "c局", "3", "0", "3", "3"),
        ("3", "a局", "1", "0", "1", "1"),
    )
    assert table.note == "注：得分相同的名次并列。"


def test_what_the_section_says_itself_is_not_noted_again() -> None:
    office = book(rules=POINTS)
    section = replace(STANDINGS, text=("得分相同的名次并列。",))
    (table,) = tables(written(office, reckoned(office, []), section))
    assert table.note == ""


def test_a_suspended_unit_stands_at_the_end_without_a_place_and_is_marked() -> None:
    office = book(*(unit(u) for u in "ab"), rules=POINTS)
    events = [
        sent("a", "2022-07-01", times=9),
        event(EventKind.STATUS, "a", "2022-09-01", status=UnitStatus.SUSPENDED),
    ]
    (table,) = tables(written(office, reckoned(office, events), STANDINGS))
    assert [row[:2] for row in table.rows] == [("1", "b局"), ("—", "a局（暂停）")]
    assert "“—”为不参加排名" in table.note


def test_units_in_no_table_stand_apart_without_a_place_as_far_as_there_is_something() -> None:
    office = book(unit("a"), unit("x", "county"), unit("y", "county"), rules=POINTS)
    events = [sent("x", "2022-07-01", times=4)]
    first, second = tables(written(office, reckoned(office, events), STANDINGS))
    assert [row[1] for row in first.rows] == ["a局"]
    assert second.caption == "不参加排名的单位"
    assert second.rows == (("x局", "4", "0", "4", "4"),)
    assert "排名" not in second.header


def test_a_table_too_wide_goes_on_in_another_and_loses_nothing() -> None:
    columns = tuple(
        Column(f"c{n}", f"第{n}项", (Match(EventKind.TRAINING, category=(f"c{n}",)),))
        for n in range(12)
    )
    office = book(unit("a"), unit("b"), rank=ranking(columns=columns), rules=POINTS)
    events = [
        event(EventKind.TRAINING, "a", "2022-07-01", category=f"c{n}", times=n + 1)
        for n in range(12)
    ]
    found = tables(written(office, reckoned(office, events), STANDINGS))
    assert all(len(t.header) <= 10 for t in found)
    said = {
        name: row[at]
        for table in found
        for row in table.rows
        if "a局" in row
        for at, name in enumerate(table.header)
    }
    assert {f"第{n}项": str(n + 1) for n in range(12)}.items() <= said.items()
    assert [len(t.rows) for t in found] == [2, 1, 1], "only units with something go on"


def test_an_office_with_more_journals_than_a_page_has_room_for_keeps_points_on_it() -> None:
    office = book(unit("a"), rules=POINTS)
    journals = tuple(Term(f"j{n}", f"第{n}刊", rank=n) for n in range(1, 12))
    office = replace(office, scoring=replace(office.scoring, journals=journals))
    events = [adopted("a", "2022-07-01", f"i{n}", f"j{n}") for n in range(1, 12)]
    first, second = tables(written(office, reckoned(office, events), STANDINGS))
    assert first.header[-2:] == ("得分", "累计得分")
    assert "《第11刊》" in first.header and "《第1刊》" in second.header
    names = [h for t in (first, second) for h in t.header if "刊" in h]
    assert sorted(names) == sorted(f"《第{n}刊》" for n in range(1, 12))


def test_a_section_names_its_columns_in_its_own_order() -> None:
    office = book(unit("a"), rules=POINTS, quotas=(quota(2),))
    section = replace(STANDINGS, columns=("points", "missing", "submissions", "journals"))
    events = [sent("a", "2022-07-01"), adopted("a", "2022-07-05", "i", "mryq")]
    (table,) = tables(written(office, reckoned(office, events), section))
    assert table.header == ("排名", "单位", "得分", "缺报", "报送条数", "《每日要情》")
    assert table.rows == (("1", "a局", "11", "5", "1", "1"),)


def test_stars_stand_beside_the_name_with_what_they_mean_or_in_their_column() -> None:
    line = kinds.Line(Match(EventKind.INSTRUCTION), Decimal(30), "三", "区领导批示", stars=1)
    version = kinds.Version(START, BASIS, kinds.Points((line,)))
    starred = kinds.Rule("i", "批示", "points", kinds.DatedBy.EVENT, (version,))
    office = book(unit("a"), unit("b"), rules=(starred,))
    material = reckoned(office, [event(EventKind.INSTRUCTION, "b", "2022-07-09", item="x")])
    (table,) = tables(written(office, material, STANDINGS))
    assert [row[1] for row in table.rows] == ["b局★", "a局"]
    assert "★为区领导批示" in table.note
    section = replace(STANDINGS, columns=("points", "stars"))
    (table,) = tables(written(office, material, section))
    assert table.rows[0] == ("1", "b局", "30", "★")


def test_an_office_without_a_ranking_is_told_by_its_own_columns() -> None:
    columns = (
        Column("reports", "报送", (SUBMISSIONS,)),
        Column("late", "迟报", (Match(EventKind.ERROR, fault=(Fault.LATE,)),)),
        Column("open", "未办结", (), ColumnCount.OPEN),
    )
    office = book(unit("a"), rank=ranking(order=(), columns=columns))
    office = replace(office, scoring=replace(office.scoring, journals=()))
    (table,) = tables(written(office, reckoned(office, [sent("a", "2022-07-01")]), STANDINGS))
    assert table.header == ("单位", "报送", "迟报", "未办结")
    assert table.rows == (("a局", "1", "0", "0"),)


def test_points_passed_on_are_told_with_what_they_come_from() -> None:
    conversion = kinds.Conversion(Decimal("0.5"), PeriodKind.MONTH, ("dept",))
    version = kinds.Version(START, BASIS, conversion)
    passing = kinds.Rule("conversion", "折算", "conversion", kinds.DatedBy.MONTH_END, (version,))
    units = (unit("a", recommender="p"), unit("p", "parent"))
    office = book(*units, rules=(points_rule(2), passing))
    material = reckoned(office, [sent("a", "2022-07-01", times=3)])
    found = tables(written(office, material, STANDINGS))[-1]
    assert found.header == ("推荐单位", "折算依据", "折算得分")
    assert [(row[0], row[2]) for row in found.rows] == [("p局", "3")]
    assert "a局" in found.rows[0][1]


# --- lists -------------------------------------------------------------------------------------


def test_a_list_names_units_reason_and_clause() -> None:
    office = book(unit("a"), unit("b"), rules=POINTS, lists=(list_rule(ListKind.FIRST),))
    material = reckoned(office, [sent(u, "2022-07-01", times=2) for u in "ab"])
    assert lines(written(office, material, of_lists("named", heading="表扬"))) == [
        "# 表扬",
        "名单：",
        "a局、b局（共2个单位）：并列第一名，2分。（依据：甲政办发〔2020〕1号三（一））",
    ]


def test_where_each_table_has_its_first_the_tables_are_named() -> None:
    rank = ranking(RankingTable("d", "部门", ("dept",)), RankingTable("t", "镇", ("town",)))
    units = (unit("a"), unit("b"), unit("c", "town"))
    office = book(*units, rank=rank, rules=POINTS, lists=(list_rule(ListKind.FIRST),))
    material = reckoned(office, [sent(u, "2022-07-01", times=2) for u in "abc"])
    assert lines(written(office, material, of_lists("named"))) == [
        "# 名单",
        "部门：a局、b局，并列第一名，2分。",
        "镇：c局，第一名，2分。",
        "（依据：甲政办发〔2020〕1号三（一））",
    ]


def test_an_event_is_named_with_its_day_and_who_answers_for_it() -> None:
    people = (Contact("deputy", "王甲"), Contact("liaison", "李乙"))
    late = list_rule(
        ListKind.EVENTS,
        matches=(Match(EventKind.ERROR, fault=(Fault.LATE,)),),
        people=("deputy", "liaison"),
    )
    office = book(unit("a", contacts=people), rules=POINTS, lists=(late,))
    events = [event(EventKind.ERROR, "a", "2022-08-03", fault=Fault.LATE, title="草场火情")]
    told = lines(written(office, reckoned(office, events), of_lists("named")))
    assert told[-1].startswith(
        "a局（分管负责人王甲、信息员李乙），迟报：草场火情（2022年8月3日）。（依据"
    )


def test_a_proposal_asks_for_a_decision() -> None:
    proposed = replace(list_rule(ListKind.NO_ADOPTION), consequence=Consequence.REVIEW)
    office = book(unit("a"), rules=POINTS, lists=(proposed,))
    told = lines(written(office, reckoned(office, []), of_lists("named")))
    assert told[-1] == (
        "a局：2022年第三季度无采用。提请研究。（依据：甲政办发〔2020〕1号三（一））"
    )


def test_several_lists_of_a_section_are_numbered_and_empty_ones_leave_no_gap() -> None:
    rules = (
        list_rule(ListKind.FIRST, list_id="first"),
        list_rule(ListKind.MENTIONED, list_id="nobody"),
        list_rule(ListKind.NO_ADOPTION, list_id="none"),
    )
    office = book(unit("a"), rules=POINTS, lists=rules)
    material = reckoned(office, [sent("a", "2022-07-01")])
    told = lines(written(office, material, of_lists("first", "nobody", "none")))
    assert [line for line in told if line.startswith("##")] == ["## （一）名单", "## （二）名单"]


def test_a_section_with_nobody_says_so_or_is_left_out_without_a_gap() -> None:
    office = book(unit("a"), rules=POINTS, lists=(list_rule(ListKind.MENTIONED),))
    material = reckoned(office, [])
    silent, said = of_lists("named", heading="批评"), of_lists("named", empty="本季度没有。")
    told = lines(written(office, material, OVERVIEW, silent, said, STANDINGS))
    assert [line for line in told if line.startswith("#")] == [
        "# 一、总体情况",
        "# 二、名单",
        "# 三、排名情况",
    ]
    assert "本季度没有。" in told


def test_of_a_repealed_list_nothing_is_said_not_even_that_it_is_empty() -> None:
    repealed = list_rule(ListKind.NO_ADOPTION)
    repealed = replace(repealed, versions=(replace(repealed.versions[0], repealed=True),))
    office = book(unit("a"), rules=POINTS, lists=(repealed,))
    told = lines(written(office, reckoned(office, []), of_lists("named", empty="没有零采用。")))
    assert told == []


def test_the_recommending_unit_is_named_where_the_list_names_it() -> None:
    named = replace(list_rule(ListKind.NO_ADOPTION), recommender=True)
    units = (unit("a", recommender="p"), unit("b", recommender="省某厅"), unit("p", "parent"))
    office = book(*units, rules=POINTS, lists=(replace(named),))
    told = "".join(lines(written(office, reckoned(office, []), of_lists("named"))))
    assert "a局（推荐单位：p局）" in told and "b局（推荐单位：省某厅）" in told


# --- figures -----------------------------------------------------------------------------------


def test_the_overview_tells_the_numbers_and_compares_them_with_the_period_before() -> None:
    office = book(*(unit(u) for u in "abc"), rules=POINTS)
    events = [
        sent("a", "2022-05-01", times=5),
        adopted("a", "2022-05-03", "old"),
        sent("a", "2022-07-01", times=4),
        sent("b", "2022-07-01", times=3),
        adopted("a", "2022-08-01", "i1", "mryq"),
        adopted("a", "2022-08-02", "i1", "zhengxun"),
        adopted("b", "2022-08-03", "i2", "zhengxun", partners=("c",)),
        event(EventKind.INSTRUCTION, "a", "2022-08-09", item="i1"),
        event(EventKind.INSTRUCTION, "a", "2022-08-10", item="i1"),
    ]
    lettered = replace(office, scoring=replace(office.scoring, rules=()))
    assert lines(written(lettered, reckoned(lettered, events), OVERVIEW)) == [
        "# 总体情况",
        "2022年第三季度，共收到2个单位报送的信息7条，比2022年第二季度增加2条。"
        "采用2条，比2022年第二季度增加1条，其中《每日要情》1条、《政讯》2条"
        "（同一条信息被多个刊物采用的，各刊物分别统计）。有1条信息得到领导批示。",
    ]


def test_a_quarter_without_anything_reads_whole() -> None:
    office = book(rules=POINTS, quotas=(quota(8),), lists=(list_rule(ListKind.FIRST),))
    document = notice_document(
        office,
        rule(OVERVIEW, STANDINGS, of_lists("named"), QUOTAS, CORRECTIONS, annexes=(TITLES,)),
        reckoned(office, []),
    )
    told = lines(document)
    assert "2022年第三季度，未收到信息。" in told
    assert [line for line in told if line.startswith("#")] == [
        "# 一、总体情况",
        "# 二、排名情况",
        "# 三、未完成任务的单位",
    ]
    assert document.annexes == ()


def test_a_period_still_running_says_as_of_which_day() -> None:
    office = book(unit("a"), rules=POINTS)
    material = reckoned(office, [sent("a", "2022-07-01")], as_of=date(2022, 8, 20))
    told = lines(written(office, material, OVERVIEW))
    assert told[1].startswith("2022年第三季度（截至2022年8月20日），共收到1个单位")


def test_shortfalls_name_the_months_and_explain_a_surplus() -> None:
    office = book(unit("a"), unit("b"), rules=POINTS, quotas=(quota(3),))
    events = [
        sent("a", "2022-07-05", times=9),
        sent("a", "2022-08-05", times=1),
        sent("a", "2022-09-05", times=3),
        *(sent("b", f"2022-0{m}-05", times=3) for m in (7, 8, 9)),
    ]
    (table,) = tables(written(office, reckoned(office, events), QUOTAS))
    assert table.rows == (("a局", "9", "13", "2", "8月2条"),)
    assert table.note == "注：各期分别计算，多报的不抵其他时段。"


def test_months_before_anything_was_recorded_are_nobodys_shortfall() -> None:
    """Began in August: neither the table nor the year's course tells of the months before."""
    office = book(unit("a"), unit("b"), rules=POINTS, quotas=(quota(3),))
    events = [sent("a", "2022-08-05", times=3), *(sent("b", "2022-09-05") for _ in range(3))]
    material = reckoned(office, events, began=date(2022, 8, 1))
    document = written(office, material, QUOTAS)
    (table,) = tables(document)
    assert table.rows == (
        ("a局", "6", "3", "3", "9月3条"),
        ("b局", "6", "3", "3", "8月3条"),
    )
    assert lines(document)[-1] == (
        "2022年8月以前没有登记信息，缺报、未报送和无采用的情况未作统计。"
    )
    course = [(p.period.code, p.got, p.need) for p in material.progress["a"]]
    assert course == [("2022-08", 3, 3), ("2022-09", 0, 3)]
    # Without the day on which it began, all nine months are told.
    assert len(reckoned(office, events).progress["a"]) == 9


@pytest.mark.parametrize("began", [date(2022, 10, 8), date.max, date(2022, 8, 1)])
def test_of_what_nobody_recorded_it_is_not_said_that_all_was_well(began: date) -> None:
    """“Everybody sent enough”, “nobody was silent” would be as wrong as the contrary."""
    lists = (list_rule(ListKind.NO_ADOPTION), list_rule(ListKind.EVENTS, list_id="faults"))
    office = book(unit("a"), rules=POINTS, quotas=(quota(3),), lists=lists)
    sections = (
        replace(QUOTAS, empty="各单位均已报足。"),
        of_lists("named", heading="零采用", empty="没有零采用单位。"),
        of_lists("named", heading="零采用的单位"),
        of_lists("faults", heading="迟报", empty="没有迟报。"),
    )
    events = [sent("a", "2022-08-05", times=3), sent("a", "2022-09-05", times=3)]
    unknown = "没有登记信息，缺报、未报送和无采用的情况未作统计。"
    unknown = f"{'2022年第三季度' if began.month > 9 else '2022年8月以前'}{unknown}"
    told = lines(written(office, reckoned(office, events, began=began), *sections))
    assert told == [
        "# 一、未完成任务的单位", unknown, "# 二、零采用", unknown, "# 三、迟报", "没有迟报。"
    ]  # fmt: skip
    whole = lines(written(office, reckoned(office, events), *sections))
    assert unknown not in whole


def test_shortfalls_of_several_quotas_are_told_apart_and_wishes_from_duties() -> None:
    special = quota(1, PeriodKind.QUARTER, "special", remark_only=True)
    office = book(unit("a"), unit("b"), rules=POINTS, quotas=(quota(1), special))
    office = replace(office, quotas=(office.quotas[0], replace(special, name="专报")))
    (table,) = tables(written(office, reckoned(office, [sent("b", "2022-07-01")]), QUOTAS))
    assert table.rows == (
        ("b局", "信息", "3", "1", "2", "8月1条、9月1条"),
        ("a局", "信息", "3", "0", "3", "7月1条、8月1条、9月1条"),
        ("a局", "专报（原则上）", "1", "0", "1", "第三季度1条"),
    )


def test_an_item_adopted_twice_or_sent_together_stands_once() -> None:
    office = book(*(unit(u) for u in "ab"), rules=())
    events = [
        adopted("a", "2022-07-09", "i1", "zhengxun", title="甲", partners=("b",)),
        adopted("a", "2022-08-09", "i1", "mryq", title="甲", partners=("b",), form=Form.BRIEF),
        adopted("b", "2022-07-10", "i2", title=""),
        adopted("b", "2022-06-30", "i3", title="上季度的"),
    ]
    (table,) = tables(written(office, reckoned(office, events), TITLES))
    assert table.rows == (
        ("1", "a局、b局", "甲", "《政讯》7月9日；《每日要情》（简讯）8月9日"),
        ("2", "b局", "（标题未登记）", "《政讯》7月10日"),
    )


def test_a_journal_that_is_called_an_adoption_takes_no_title_marks() -> None:
    office = book(unit("a"), rules=())
    named = (Term("s", "省政府办公厅采用"),)
    office = replace(office, scoring=replace(office.scoring, journals=named))
    material = reckoned(office, [sent("a", "2022-07-01"), adopted("a", "2022-07-09", "i", "s")])
    assert "均为省政府办公厅采用1条。" in lines(written(office, material, OVERVIEW))[1]


def test_corrections_name_the_sealed_period_what_changed_and_the_clause() -> None:
    office = book(unit("a"), unit("b"), rules=POINTS)
    q2 = Q3.previous()
    known = [sent("a", "2022-04-02"), sent("b", "2022-04-02")]
    entries = [e for e in accounts(office, known, q2, q2.next().first) if e.day in q2]
    seal = Sealed(q2, q2.next().first, tuple(entries))
    late = [
        replace(adopted("a", "2022-06-02", "i1", title="一号"), recorded=date(2022, 7, 9)),
        replace(adopted("b", "2022-06-02", "i2", title="二号"), recorded=date(2022, 7, 9)),
    ]
    material = reckoned(office, [*known, *late], sealed=(seal,))
    told = lines(written(office, material, CORRECTIONS))
    assert told[1].startswith("1. 对2022年第二季度的更正：a局增加10分，现计“")
    assert "《一号》" in told[1] and "”10分。（依据：甲政办发〔2020〕1号采用一条记分）" in told[1]
    assert told[2].startswith("2. 对2022年第二季度的更正：b局")


def test_a_sealed_period_tells_only_what_was_known_then() -> None:
    office = book(unit("a"), rules=())
    events = [
        replace(adopted("a", "2022-08-01", "i1", title="早"), recorded=date(2022, 8, 2)),
        replace(adopted("a", "2022-08-01", "i2", title="晚"), recorded=date(2022, 11, 2)),
    ]
    (table,) = tables(written(office, reckoned(office, events, as_sealed=True), TITLES))
    assert [row[2] for row in table.rows] == ["早"]


def test_tasks_are_told_by_unit_with_what_is_overdue() -> None:
    office = book(unit("a"), unit("b"), rules=())
    events = [
        event(EventKind.TASK, "a", "2022-07-01", item="t1", due=date(2022, 8, 1)),
        event(EventKind.TASK, "a", "2022-07-01", item="t2", due=date(2022, 8, 1)),
        event(EventKind.TASK, "a", "2022-03-01", item="t3", due=date(2022, 8, 1)),
        event(EventKind.TASK, "a", "2022-07-01", item="t4", due=date(2023, 1, 1)),
        event(EventKind.TASK_DONE, "a", "2022-08-01", item="t1"),
        event(EventKind.TASK_DONE, "a", "2022-08-02", item="t2"),
    ]
    document = written(office, reckoned(office, events), OVERVIEW, TASKS)
    (table,) = tables(document)
    assert table.rows == (("a局", "3", "1", "1", "2", "1"),)
    assert lines(document)[1].endswith(
        "交办任务3项，按时办结1项，逾期办结1项，未办结2项，其中已超过期限1项。"
    )


def test_persons_are_left_for_people_to_write() -> None:
    office = book(rules=POINTS)
    told = lines(written(office, reckoned(office, []), Section(Part.PEOPLE, "先进个人", number=3)))
    assert [line[:2] for line in told[1:]] == ["1.", "2.", "3."]
    assert all("＿" in line for line in told[1:])


# --- the whole ---------------------------------------------------------------------------------


def test_fixed_words_stand_with_their_braces_filled_and_nothing_is_invented() -> None:
    office = book(rules=POINTS)
    words = DocumentRule(
        "{office}{period}通报",
        addressee="各单位",
        lead=("{year}年。",),
        closing=("完。",),
        openness="主动公开",
        copies="某某",
    )
    document = notice_document(office, words, reckoned(office, []))
    assert (document.title, document.number, document.issued) == (
        "甲办2022年第三季度通报",
        "",
        None,
    )
    assert lines(document) == ["2022年。", "完。"]
    assert (document.issuer, document.addressee, document.copies) == ("甲办", "各单位", "某某")
    assert document.openness == "主动公开"
    stamped = notice_document(
        office, words, reckoned(office, []), number="甲〔2022〕1号", issued=date(2022, 10, 9)
    )
    assert (stamped.number, stamped.issued) == ("甲〔2022〕1号", date(2022, 10, 9))


def test_an_annex_with_nothing_in_it_is_left_out() -> None:
    office = book(unit("a"), rules=())
    annexes = (Section(Part.CORRECTIONS, "更正"), Section(Part.TITLES, "{period}目录"))
    material = reckoned(office, [adopted("a", "2022-07-09", "i", title="甲")])
    document = notice_document(office, rule(annexes=annexes), material)
    assert [a.title for a in document.annexes] == ["2022年第三季度目录"]


def test_a_letter_of_its_own_speaks_of_its_unit_and_of_nobody_else() -> None:
    office = book(
        *(unit(u) for u in "abc"),
        rules=POINTS,
        quotas=(quota(2),),
        lists=(list_rule(ListKind.NO_SUBMISSION),),
    )
    own = OwnLetter(
        "named",
        DocumentRule(
            "告知书",
            "{unit}",
            ("{period}，你单位{why}。",),
            (OVERVIEW, STANDINGS, of_lists("named"), QUOTAS, TITLES),
        ),
    )
    events = [
        sent("a", "2022-08-01"),
        adopted("a", "2022-08-09", "i", title="联合的", partners=("b",)),
        *(sent("c", f"2022-0{m}-01", times=5) for m in (7, 8, 9)),
    ]
    material = reckoned(office, events)
    document = own_document(office, rule(), own, "a", material)
    assert document.addressee == "a局"
    assert lines(document)[0] == "2022年第三季度，你单位7月、9月未报送。"
    whole = repr(document)
    assert "a局" in whole and "联合的" in whole
    assert "b局" not in whole and "c局" not in whole and "16" not in whole
    with pytest.raises(KeyError):
        own_document(office, rule(), own, "c", material)


def test_hostile_titles_and_names_stay_one_line_and_fill_no_braces() -> None:
    hostile = "{period}\r\n第二行\u202e反\u200b\x00=1+1 《甲》"
    office = book(unit("a"), rules=(), lists=(list_rule(ListKind.MENTIONED),))
    events = [
        adopted("a", "2022-07-09", "i", title=hostile),
        event(EventKind.MENTION, "a", "2022-08-01", rule="named", reason="{office}\n换行"),
        adopted("外来{unit}\n单位", "2022-07-09", "j", title="乙"),
    ]
    document = written(office, reckoned(office, events), STANDINGS, of_lists("named"), TITLES)
    cells = [cell for t in tables(document) for row in t.rows for cell in row]
    assert "{period} 第二行反 =1+1 《甲》" in cells
    for text in (*lines(document), *cells):
        assert not set(text) & set("\r\n\x00\u202e\u200b")
    assert any("{office} 换行" in line for line in lines(document))


def test_one_unit_alone_is_no_table_of_many() -> None:
    office = book(
        unit("a"),
        rules=POINTS,
        lists=(list_rule(ListKind.FIRST), list_rule(ListKind.LAST, list_id="last")),
    )
    material = reckoned(office, [sent("a", "2022-07-01")])
    told = lines(written(office, material, STANDINGS, of_lists("named", "last")))
    assert told[-1].startswith("a局：第一名，1分。")
    assert "最后" not in "".join(told)


def _large(number: int) -> tuple[OfficeBook, list[Event]]:
    office = book(
        *(unit(f"u{n}") for n in range(number)),
        rules=POINTS,
        quotas=(quota(2),),
        lists=(list_rule(ListKind.NO_ADOPTION), list_rule(ListKind.FIRST, list_id="first")),
    )
    events = [sent(f"u{n}", "2022-07-03", times=n % 5 + 1) for n in range(number)]
    events += [adopted(f"u{n}", "2022-08-03", f"i{n}", title="甲") for n in range(0, number, 2)]
    return office, events


@pytest.mark.slow
def test_a_thousand_units_are_all_there() -> None:
    office, events = _large(1000)
    document = written(
        office, reckoned(office, events), STANDINGS, of_lists("named", "first"), QUOTAS, TITLES
    )
    standing, short, titles = tables(document)
    assert (len(standing.rows), len(short.rows), len(titles.rows)) == (1000, 1000, 500)
    assert any("（共500个单位）" in line for line in lines(document))


@pytest.mark.parametrize("office_id", sorted(p.name for p in OFFICES.iterdir() if p.is_dir()))
def test_every_letter_of_every_office_can_be_written_about_each_of_its_cases(
    office_id: str,
) -> None:
    """The shipped letters on the events of the shipped cases: whole tables, headings without gaps,
    one line a text, no brace left."""
    office = load_office(OFFICES / office_id)
    count = 0
    for path in sorted((OFFICES / office_id / "cases").glob("*.toml")):
        for case in read_cases(path, office, lambda day: day.weekday() < 5):
            own = office if case.units is None else office.with_units(case.units)
            if case.expected.error or run_case(office, case):
                continue
            for letter in own.letters.letters:
                if letter.document is not None and letter.period is case.period.kind:
                    material = reckoned(own, list(case.events), case.period, as_of=case.as_of)
                    _is_whole(notice_document(own, letter, material))
                    _are_whole(own, letter, material)
                    count += 1
    assert count, "no case is about a period that a letter is about"


def _are_whole(office: OfficeBook, letter: LetterRule, material: Material) -> None:
    for own in letter.own:
        for one in material.standings.lists:
            for who in one.listed if one.id == own.list else ():
                _is_whole(own_document(office, letter, own, who.unit, material))


def _is_whole(document: Document) -> None:
    blocks = [*document.blocks, *(b for annex in document.annexes for b in annex.blocks)]
    for block in blocks:
        texts: tuple[str, ...]
        match block:
            case TableBlock():
                width = len(block.header)
                assert block.rows and len(block.widths) == width <= 10
                assert all(len(row) == width for row in block.rows)
                texts = (block.caption, block.note, *block.header, *sum(block.rows, ()))
            case Heading(_, text) | Paragraph(text):
                assert text.strip()
                texts = (text,)
        assert all("\n" not in t and "{" not in t for t in texts)
    first = [b.text for b in document.blocks if isinstance(b, Heading) and b.level == 1]
    if len(first) > 1:
        for n, text in enumerate(first, start=1):
            assert text.startswith(f"{numeral(n)}、")


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clause", "place"),
    [
        ("五（二）：“首位的进行通报表扬”", "五（二）"),
        ("二（四）：“纳入“五位一体”考核”；二（四）2：“七月底备案”", "二（四）、二（四）2"),
        (
            "二（四）1（1）报送标准；约稿见二（四）1（3）",
            "二（四）1（1）报送标准、约稿见二（四）1（3）",
        ),
        ("17：“依法”；乙政办字〔2016〕47号 三：“定期”", "第17条、乙政办字〔2016〕47号三"),
        ("第十四条", "第十四条"),
        ("三：“没有写完", "三：“没有写完"),
        ("“引在前面”的一条", "“引在前面”的一条"),
        ("", ""),
    ],
)
def test_a_clause_is_cited_by_its_place(clause: str, place: str) -> None:
    assert place_of(clause) == place


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "一"),
        (10, "十"),
        (11, "十一"),
        (20, "二十"),
        (21, "二十一"),
        (99, "九十九"),
        (100, "100"),
    ],
)
def test_numbers_of_headings(number: int, text: str) -> None:
    assert numeral(number) == text


def test_what_fills_a_brace_is_not_filled_again() -> None:
    assert fill("{unit}和{x}", {"unit": "{office}", "office": "甲"}) == "{office}和{x}"
    assert clean("  甲\n乙\u200b ") == "甲 乙"
