"""What holds for every subject: reading is total, writing and reading back agree."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.subject.form import BLANKS, corrected_subject, format_subject
from mailbot.core.subject.model import Certainty, FieldName, Hints, Reading
from mailbot.core.subject.prefixes import strip_prefixes
from mailbot.core.subject.reader import read_subject
from mailbot.core.subject.statements import is_placeholder, statement, without_extension
from mailbot.core.subject.text import clean, fold
from tests.unit.roster_helper import made_of, otog

DAY = date(2026, 8, 12)
NOISE = ("政务信息", "政务信息报送", "信息报送", "信息", "报送")
MARKS = ("问题", "调研报告", "约稿", "简讯")

NAMES = [
    "张三", "李四", "王芳芳", "欧阳娜仁", "乌云其木格", "斯琴·图雅", "那顺巴雅尔", "额尔敦其其格", "呼和", "张三、李四", "李四 王五", "萧红",
    "买买提·艾力", "阿拉腾·敖其尔", "Tom Lee", "旺姆", "高飞", "全胜", "向阳", "徐一",
]  # fmt: skip
PHONES = [
    "7622029", "0477-7622029", "0477-7622029转803", "0477-7622029-803", "13847700000", "(0477)7622029", "+86 138-4770-0000", "010-88120000",
]  # fmt: skip
PIECES = st.sampled_from(
    [*"春耕备牧区工作进展顺利的、，。；：！？“”《》（）【】[]()+＋-－—_/|｜·~&=*%#@0123456789 　一二三abcXYZ张王李𠮷🌾", "农牧局", "水利局", "报送人：", "标题：",
     "7622031", "2022-2023年", "张三", "【问题】", "Re: ", "转发：", "7月信息3条", "电话：", "13847700001", "EQ202608-0012", "（修改稿2）"]
)  # fmt: skip
TITLES = st.lists(PIECES, min_size=1, max_size=24).map(lambda parts: clean("".join(parts)))


def normal(title: str) -> bool:
    """A title in the form the reader returns one: what a reader takes off is not part of it."""
    folded = fold(title)
    return (
        any(c.isalpha() for c in folded)
        and title == title.strip()
        and without_extension(folded, len(folded)) == len(folded)
        and not is_placeholder(folded)
        and statement(folded) is None
        and "EQ202608" not in title
        and re.search(r"^[(\[] *问题 *[)\]]|[(\[] *问题 *[)\]]$", folded) is None
        and "请填" not in title
    )


def got(reading: Reading) -> tuple[str, str, str, tuple[str, ...]]:
    assert reading.unit and reading.title and reading.submitter, reading
    assert Certainty.GUESS not in (
        reading.unit.certainty, reading.title.certainty, reading.submitter.certainty,
    )  # fmt: skip
    assert reading.unit.unit_id is not None and not reading.ambiguities
    return (
        reading.unit.value,
        reading.title.value,
        reading.submitter.value,
        tuple(c.value for c in reading.contact),
    )


@settings(max_examples=200, deadline=None)
@given(
    unit=st.sampled_from([n.text for u in otog().units for n in u.names]),
    prefix=st.sampled_from(["", *otog().prefixes]),
    title=TITLES.filter(normal),
    submitter=st.sampled_from(NAMES),
    contact=st.lists(st.sampled_from(PHONES), min_size=1, max_size=2, unique=True),
    with_roster=st.booleans(),
)
def test_reading_what_was_written_gives_the_same_fields(
    unit: str, prefix: str, title: str, submitter: str, contact: list[str], with_roster: bool
) -> None:
    line = format_subject(
        prefix + unit, title, submitter, contact, roster=otog() if with_roster else None
    )
    reading = read_subject(line, otog(), DAY, noise=NOISE, marks=MARKS)
    assert got(reading) == (prefix + unit, title, submitter, tuple(contact))


@pytest.mark.parametrize("unit", otog().units, ids=lambda u: u.id)
def test_the_plain_form_is_used_where_it_is_safe(unit: object) -> None:
    name = unit.name  # type: ignore[attr-defined]
    line = format_subject(name, "春耕备耕工作进展顺利", "张三", ["7622029"])
    assert line == f"{name}+春耕备耕工作进展顺利+张三+7622029"


@pytest.mark.parametrize(
    "title",
    [
        "打好“种+养+加”组合拳", "种+养+加", "水利局", "农牧局", "张三", "夏收", "防汛", "关于“报送人：张三”标注的说明", "报送单位：水利局",
        "1.春耕 2.防疫", "（修改稿2）", "+++甲", "甲+", "《条例》", "公布热线7622031", "2022-2023年", "“", "信息报送", "（未完", "a b　c",
    ],
)  # fmt: skip
def test_difficult_titles_come_back_as_they_were(title: str) -> None:
    line = format_subject("农牧局", title, "乌云其木格", ["7622029", "13847700000"])
    if title == "“":
        return
    reading = read_subject(line, otog(), DAY, noise=NOISE, marks=MARKS)
    if title == "2022-2023年" or normal(title):
        assert got(reading) == ("农牧局", title, "乌云其木格", ("7622029", "13847700000"))


ANY = st.one_of(
    st.text(max_size=700),
    st.lists(PIECES, max_size=80).map("".join),
    st.text(alphabet="（）【】[]()“”《》+-_ 　：:、，局镇7张李·", max_size=600),
)


@settings(max_examples=200, deadline=None)
@given(subject=ANY, body=st.text(max_size=200), name=st.text(max_size=30), bound=st.booleans())
def test_reading_is_total_and_honest(subject: str, body: str, name: str, bound: bool) -> None:
    hints = Hints(body, (name,), "agriculture" if bound else None, name)
    reading = read_subject(subject, otog(), DAY, hints=hints, noise=NOISE, marks=MARKS)
    assert reading.raw == subject
    assert reading == read_subject(subject, otog(), DAY, hints=hints, noise=NOISE, marks=MARKS)
    alone = read_subject(subject, otog(), DAY, noise=NOISE, marks=MARKS)
    for field in FieldName:
        if alone.field(field):
            assert reading.field(field) == alone.field(field)
    strings = [reading.title, reading.submitter, reading.unit, *reading.contact]
    for value in strings:
        assert value is None or (
            value.value and value.value == value.value.strip() and "\n" not in value.value
        )
    assert strip_prefixes(subject)[1] in subject


@settings(max_examples=200, deadline=None)
@given(subject=ANY)
def test_a_complete_corrected_line_reads_completely(subject: str) -> None:
    reading = read_subject(subject, otog(), DAY, noise=NOISE, marks=MARKS)
    line, complete = corrected_subject(reading, otog())
    again = read_subject(line, otog(), DAY, noise=NOISE, marks=MARKS)
    if complete and reading.title is not None:
        _, title, submitter, contact = got(again)
        assert title == reading.title.value
        assert submitter == reading.submitter.value  # type: ignore[union-attr]
        assert contact == tuple(c.value for c in reading.contact)
        assert again.marks == reading.marks
    assert complete or any(BLANKS[n][:-1] in line for n in FieldName)


@pytest.mark.parametrize(
    "subject",
    ["单位-" * 500, "（" * 5000, "【" * 400 + "】" * 400, "“" * 500, "张三、" * 300, "7" * 500, "0477-" * 120, "农牧局" * 200, "Re:" * 200,
     "报送人：" * 150, "·" * 500, "斯·" * 250, "1." * 250, "EQ202608-" * 60, "一二三四" * 130, "\u0000\ud800\u200b" * 160, "［［［（（（" * 80, "信息1条" * 100],
    ids=lambda s: s[:8].encode("ascii", "backslashreplace").decode(),
)  # fmt: skip
def test_hostile_lines_are_read_to_the_end(subject: str) -> None:
    reading = read_subject(
        subject,
        otog(),
        DAY,
        hints=Hints(subject, (subject,), None, subject),
        noise=NOISE,
        marks=MARKS,
    )
    assert reading.raw == subject
    corrected_subject(reading, otog())


def test_a_roster_of_another_office_is_all_that_is_needed() -> None:
    roster = made_of("北京大学", "星火队", "A/B中心", "教育局（学校）")
    for unit in ("北京大学", "星火队", "A/B中心", "教育局（学校）"):
        line = format_subject(unit, "春耕备耕工作进展顺利", "张三", ["7622029"])
        assert got(read_subject(line, roster, DAY)) == (
            unit,
            "春耕备耕工作进展顺利",
            "张三",
            ("7622029",),
        )
