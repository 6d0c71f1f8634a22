"""The category decision, on the office's own words.

`tests/data/titles.tsv` holds 300 invented titles labelled by what the item is, in three rounds:
the words of `categories.toml` were written with round 1 at hand, widened after round 2, then
frozen, and round 3 was written. First contact with round 3: no five-point category granted wrongly,
none lost without a flag, 4 of 8 problems and 4 of 4 research reports with a structured text proven,
all 27 news in the right category, but 18 of them flagged for a second look. The words were widened
once more afterwards. Run with `pytest -s` to see the table.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.adapters.offices.rulefiles import load_office
from mailbot.adapters.system import shipped
from mailbot.core.intake.classify import Classification, classify
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.rulebook import Categories, Category, TitleRule

TITLES = Path(__file__).parent.parent / "data" / "titles.tsv"
FIVE_POINTS = ("problem", "research")


@cache
def otog() -> Categories:
    return load_office(shipped("config") / "offices" / "otog").categories_on(date(2026, 8, 1))


def judge(title: str, text: str = "", *marks: str) -> Classification:
    return classify(title, text, marks, otog())


# --- labelled titles --------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    round: str
    category: str
    title: str
    text: str
    note: str


@cache
def labelled() -> tuple[Row, ...]:
    with TITLES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return tuple(Row(**{**row, "text": row["text"].replace("\\n", "\n")}) for row in rows)


@cache
def judged() -> tuple[tuple[Row, Classification], ...]:
    return tuple((row, judge(row.title, row.text)) for row in labelled())


def confusion(pairs: Iterable[tuple[Row, Classification]]) -> str:
    """Rows are the true categories, columns the decided ones, each `sure+flagged`; flagged items
    stand under the office's default until staff have looked."""
    pairs = list(pairs)
    ids = [c.id for c in otog().categories]
    counts = Counter((row.category, c.category, c.doubtful) for row, c in pairs)
    lines = [f"{len(pairs)} titles; sure+flagged", "true \\ decided".ljust(16)]
    lines[1] += "".join(i.rjust(10) for i in ids)
    for true in ids:
        cells = (f"{counts[true, d, False]}+{counts[true, d, True]}" for d in ids)
        lines.append(true.ljust(16) + "".join(c.rjust(10) for c in cells))
    return "\n".join(lines)


def test_confusion_table() -> None:
    """Prints the table and holds the floors.

    A wrongly granted five-point category costs the office its credit, one lost without a flag
    costs the unit four points: neither may happen here. The other floors are well below what is
    reached (news 100 %, roundup 88 %, with a text problems 96 % and research 100 %), so that a better word list for one
    category may cost another a title or two; a brief can hardly be told from news by its title,
    both are worth one point, and no floor would mean anything there.
    """
    pairs = judged()
    print("\n" + confusion(pairs))
    for number in ("1", "2", "3"):
        print(f"\nround {number}: " + confusion([p for p in pairs if p[0].round == number]))

    assert len(pairs) >= 170
    wrongly = [r.title for r, c in pairs if c.category in FIVE_POINTS and c.category != r.category]
    assert wrongly == []
    lost = [
        r.title
        for r, c in pairs
        if r.category in FIVE_POINTS and c.category != r.category and not c.doubtful
    ]
    assert lost == []

    def share(category: str, *, with_text: bool = False) -> float:
        of = [(r, c) for r, c in pairs if r.category == category and (r.text or not with_text)]
        return sum(c.category == category for _, c in of) / len(of)

    assert share("news") >= 0.95
    assert share("roundup") >= 0.75
    assert share("problem", with_text=True) >= 0.75
    assert share("research", with_text=True) >= 0.75
    news = [c for r, c in pairs if r.category == "news"]
    assert sum(c.doubtful for c in news) / len(news) <= 0.25


def test_labelled_titles_are_a_fair_sample() -> None:
    rows = labelled()
    assert {r.category for r in rows} == {c.id for c in otog().categories}
    assert len({(r.title, r.text) for r in rows}) == len(rows)
    assert sum("问题" in r.title and r.category == "news" for r in rows) >= 10
    assert sum("调研" in r.title and r.category == "news" for r in rows) >= 8


@pytest.mark.parametrize("row", labelled(), ids=lambda r: r.title)
def test_no_five_point_category_without_a_text(row: Row) -> None:
    decided = judge(row.title)
    assert decided.category not in FIVE_POINTS
    if row.category in FIVE_POINTS:
        assert (decided.category, decided.doubtful) == ("news", True)


# --- the law, whatever the words --------------------------------------------------------------

WORDS = sorted({w for r in otog().rules for w in r.words})
SHIPPED_TEXTS = sorted({r.text for r in labelled() if r.text})


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=8).map("".join))
def test_no_title_alone_ever_earns_five_points(title: str) -> None:
    assert judge(title).category not in FIVE_POINTS


@given(st.lists(st.sampled_from(WORDS), max_size=30).map("\n".join))
def test_no_text_alone_ever_earns_five_points(text: str) -> None:
    assert judge("旗图书馆", text).category not in FIVE_POINTS


@given(st.text(max_size=60), st.text(max_size=300), st.lists(st.text(max_size=12), max_size=3))
def test_any_strings_give_one_known_category_and_always_the_same(
    title: str, text: str, marks: list[str]
) -> None:
    decided = judge(title, text, *marks)
    otog().get(decided.category)
    assert decided == judge(title, text, *marks)
    assert decided.by in ("mark", "rule", "default")
    assert not (decided.doubtful and decided.category != otog().default)


@given(st.sampled_from(SHIPPED_TEXTS), st.sampled_from(WORDS), st.sampled_from(WORDS))
def test_what_is_granted_shows_its_evidence_from_both_places(
    text: str, first: str, second: str
) -> None:
    decided = judge(f"关于{first}{second}", text)
    if decided.category in FIVE_POINTS:
        name = otog().get(decided.category).name
        mine = [e for e in decided.evidence if f"：{name}+" in e]
        assert any(e.startswith("标题") for e in mine)
        assert any(e.startswith("正文") for e in mine)


# --- marks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mark", "category"),
    [
        ("问题", "problem"), ("问题类", "problem"), ("问题信息", "problem"), ("问题类信息", "problem"),
        ("问题类信息稿", "problem"), ("信息类别:问题类", "problem"), ("报忧", "problem"),
        ("调研", "research"), ("调研报告", "research"), ("调研类", "research"), ("调研信息", "research"),
        ("综合", "roundup"), ("综合类", "roundup"), ("综合信息", "roundup"), ("经验做法", "roundup"),
        ("动态", "news"), ("动态类", "news"), ("工作动态", "news"),
        ("简讯", "brief"), ("简讯类", "brief"), ("信息简讯", "brief"), (" 简 讯 ", "brief"),
    ],
)  # fmt: skip
def test_a_declared_mark_decides(mark: str, category: str) -> None:
    decided = judge("全旗夏粮生产现场会召开", "", mark)
    assert (decided.category, decided.by, decided.doubtful) == (category, "mark", False)
    assert "标记" in decided.evidence[0]


@pytest.mark.parametrize(
    "mark", ["紧急", "更正", "修改稿", "政务信息", "信息", "类", "", "问题整改", "2"]
)
def test_other_marks_declare_nothing(mark: str) -> None:
    decided = judge("全旗夏粮生产现场会召开", "", mark)
    assert (decided.category, decided.by) == ("news", "rule")


def test_contradicting_marks_leave_it_to_staff() -> None:
    decided = judge("奶价下跌牧户压栏", "", "问题类", "动态")
    assert (decided.category, decided.by, decided.doubtful) == ("news", "default", True)
    assert sum("标记【" in e for e in decided.evidence) == 2


def test_one_mark_said_twice_is_no_contradiction() -> None:
    assert judge("奶价下跌牧户压栏", "", "问题", "问题类信息").category == "problem"


@pytest.mark.parametrize(
    ("marks", "category", "by"),
    [
        (["约稿"], "news", "rule"),
        (["约稿", "问题类"], "problem", "mark"),
        (["问题类约稿"], "problem", "mark"),
        (["约稿/问题"], "problem", "mark"),
        (["市政府办约稿"], "news", "rule"),
        (["约稿-综合类"], "roundup", "mark"),
    ],
)
def test_a_commission_is_a_link_and_keeps_the_category(
    marks: list[str], category: str, by: str
) -> None:
    decided = judge("全旗夏粮生产现场会召开", "", *marks)
    assert (decided.category, decided.by, decided.link) == (category, by, ("约稿",))


def test_the_bare_commission_of_an_unproven_problem_stays_unproven() -> None:
    decided = judge("玉米大豆带状种植存在的问题及建议", "", "约稿")
    assert (decided.category, decided.doubtful, decided.link) == ("news", True, ("约稿",))


# --- proof ------------------------------------------------------------------------------------

SECTIONS = "一、存在问题\n（一）…\n二、原因分析\n…\n三、对策建议\n…"


@pytest.mark.parametrize(
    "text",
    [
        SECTIONS,
        "(一)主要问题:…\n(二)问题成因:…",
        "1.面临的困难\n…\n2.意见建议\n…",
        "存在的问题：一是…。原因：…。建议：…。",
        "主要困难\n…\n几点建议\n…",
        "第一、存在的主要问题\n第二、下一步工作建议",
        "（1）存在问题：奶价下跌（2）原因：供大于求（3）建议：收储",
    ],
)
def test_sections_of_the_text_with_the_title_prove_a_problem(text: str) -> None:
    decided = judge("奶价下跌牧户压栏", text)
    assert (decided.category, decided.by, decided.doubtful) == ("problem", "rule", False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "请查收。",
        "会议指出，当前存在的问题主要是奶价下跌，要分析原因，提出对策建议。",
        "一、存在问题\n奶价跌至每公斤3元。",  # one section proves nothing
        "一是深入查找存在的问题；二是剖析问题原因；三是提出对策建议。",
        "一、整改情况\n…\n二、存在问题\n…\n三、建议\n…",
    ],
)
def test_words_in_passing_or_one_section_prove_nothing(text: str) -> None:
    decided = judge("奶价下跌牧户压栏", text)
    assert (decided.category, decided.by, decided.doubtful) == ("news", "default", True)


@pytest.mark.parametrize(
    "title",
    [
        "旗长调研全旗供热工作",
        "市人大常委会一行来我旗调研",
        "住建局召开物业问题专题会议",
        "老旧小区改造问题整改动态",
        "信访局集中化解信访问题",
    ],
)
def test_visits_meetings_and_rectification_are_news_without_a_flag(title: str) -> None:
    decided = judge(title)
    assert (decided.category, decided.by, decided.doubtful) == ("news", "rule", False)


def test_a_leader_s_visit_stays_news_whatever_its_report_says() -> None:
    text = "一、调研情况\n调研组实地走访3个镇，召开座谈会。\n二、存在问题\n…\n三、建议\n…"
    assert judge("旗长调研全旗供热工作", text).category == "news"


def test_a_problem_structure_under_a_plain_title_is_flagged() -> None:
    decided = judge("关于全旗奶业的情况", SECTIONS)
    assert (decided.category, decided.doubtful) == ("news", True)
    assert "可能是问题" in decided.evidence[-1]


def test_a_readable_text_without_any_hint_needs_no_second_look() -> None:
    text = "9月，旗图书馆整理了藏书，更新了目录，读者可以凭证借阅。" * 12
    assert judge("旗图书馆藏书", text).doubtful is False
    assert judge("旗图书馆藏书", "请查收附件。").doubtful is True


def test_the_version_suffix_does_not_hide_the_ending() -> None:
    text = "调研方法：问卷。\n一、发展现状\n二、对策建议"
    for suffix in ("", "（修改稿2）", "（定稿）", "。"):
        assert judge("全旗肉羊产业调研报告" + suffix, text).category == "research"


@pytest.mark.parametrize("quotes", ["“三个聚焦”", '"三个聚焦"', "＂三个聚焦＂", "「三个聚焦」"])
def test_quotes_of_any_width_count(quotes: str) -> None:
    assert judge(f"{quotes}推动春耕备耕").category == "roundup"


def test_a_huge_text_is_cut_not_refused() -> None:
    assert judge("奶价下跌", "一、" * 400_000 + SECTIONS).doubtful


# --- topics -----------------------------------------------------------------------------------


def test_topics_come_from_the_title_first_then_from_the_text() -> None:
    assert judge("乡村振兴与民族团结进步").topics == ("乡村振兴", "民族团结")
    assert judge("全旗工作会议召开", "会议提到就业。").topics == ()
    assert judge("全旗工作会议召开", "稳就业。扩大就业。").topics == ("民生改善",)


# --- other offices' data ----------------------------------------------------------------------


def office(*rules: TitleRule, threshold: int = 2, proof: int = 4) -> Categories:
    return Categories(
        date(2020, 1, 1),
        Basis("甲", "一"),
        (
            Category("a", "甲类", ("甲",)),
            Category("b", "乙类", ("乙",)),
            Category("c", "丙类", (), True),
        ),
        "a",
        rules,
        threshold=threshold,
        proof=proof,
    )


def test_a_tie_is_not_guessed() -> None:
    data = office(TitleRule("1", "a", ("山",), 3), TitleRule("2", "b", ("水",), 3))
    decided = classify("山水", "", (), data)
    assert (decided.category, decided.by, decided.doubtful) == ("a", "default", True)
    assert decided.evidence[-1] == "几类依据相当"


def test_below_the_threshold_nothing_is_decided() -> None:
    rule = TitleRule("1", "b", ("水",), 3)
    assert classify("水", "", (), office(rule, threshold=4)).category == "a"
    assert classify("水", "", (), office(rule, threshold=3)).category == "b"


def test_counter_evidence_counts() -> None:
    data = office(TitleRule("1", "b", ("水",), 3), TitleRule("2", "b", ("河水",), -3))
    assert classify("水", "", (), data).category == "b"
    assert classify("河水", "", (), data).category == "a"


def test_without_rules_every_item_is_the_default_and_flagged() -> None:
    decided = classify("水", "", (), replace(office(), link_marks=()))
    assert (decided.category, decided.by, decided.doubtful) == ("a", "default", True)


def test_proof_must_come_from_the_text_to_its_full_weight() -> None:
    rules = (TitleRule("1", "c", ("火",), 9), TitleRule("2", "c", ("灾",), 3, "text"))
    assert classify("火", "灾", (), office(*rules, proof=4)).category == "a"
    assert classify("火", "灾", (), office(*rules, proof=3)).category == "c"
