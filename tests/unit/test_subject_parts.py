"""Prefixes, telephones, names and statements by themselves."""

from __future__ import annotations

import ast
import inspect
from datetime import date

import pytest

from mailbot.core.subject import names_data, prose_data
from mailbot.core.subject.form import corrected_subject
from mailbot.core.subject.model import Ambiguity, Certainty, FieldName
from mailbot.core.subject.names import NameShape, name_at_end, name_shape, split_names
from mailbot.core.subject.names_data import GIVEN, NAMEABLE
from mailbot.core.subject.phones import find_phones, phones_in
from mailbot.core.subject.prefixes import strip_prefixes, take_reference
from mailbot.core.subject.prose_data import NEVER_GIVEN, PLACES, WORDS
from mailbot.core.subject.reader import read_subject
from mailbot.core.subject.roster import Roster, Unit, UnitName
from mailbot.core.subject.statements import Statement, is_placeholder, statement, without_extension
from mailbot.core.subject.text import fold
from mailbot.core.subject.units import containing
from tests.unit.roster_helper import otog, shipped_noise

DAY = date(2026, 8, 12)


@pytest.mark.parametrize(
    ("subject", "prefixes", "rest"),
    [
        ("Re: 甲", ("re",), "甲"),
        ("RE：甲", ("re",), "甲"),
        ("Re[2]: 甲", ("re",), "甲"),
        ("Re^3: 甲", ("re",), "甲"),
        ("回复(2)：甲", ("re",), "甲"),
        ("答复: 回复： Fw:甲", ("re", "re", "fw"), "甲"),
        ("转发：FWD: 甲", ("fw", "fw"), "甲"),
        ("Ｒｅ：甲", ("re",), "甲"),
        ("[External] Re: 甲", ("re",), "甲"),
        ("【外部邮件】转发：甲", ("fw",), "甲"),
        ("【转发】甲", ("fw",), "甲"),
        ("自动回复: 甲", ("auto",), "甲"),
        ("Automatic reply: 甲", ("auto",), "甲"),
        ("已读: 甲", ("read",), "甲"),
        ("发信方已撤回邮件：甲", ("recall",), "甲"),
        ("回复群众诉求的做法", (), "回复群众诉求的做法"),
        ("转发改委通知", (), "转发改委通知"),
        ("Report: 甲", (), "Report: 甲"),
        ("", (), ""),
        ("Re:", ("re",), ""),
    ],
)
def test_prefixes(subject: str, prefixes: tuple[str, ...], rest: str) -> None:
    assert strip_prefixes(subject) == (prefixes, rest)


@pytest.mark.parametrize(
    ("text", "reference", "rest"),
    [
        ("[EQ202608-0012]甲", "EQ202608-0012", "甲"),
        ("【ＥＱ２０２６０８－００１２】甲", "EQ202608-0012", "甲"),
        ("甲（编号：EQ202608-0012）", "EQ202608-0012", "甲"),
        ("编号EQ202608-0012 甲", "EQ202608-0012", "甲"),
        ("甲+EQ202608-00123", "EQ202608-00123", "甲+"),
        ("合同HT202108-0456签订", None, "合同HT202108-0456签订"),
        ("[HT2021-0456]甲", None, "[HT2021-0456]甲"),
        ("[EQ202613-0012]甲", None, "[EQ202613-0012]甲"),
    ],
)
def test_our_own_numbers(text: str, reference: str | None, rest: str) -> None:
    assert take_reference(text) == (reference, rest)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("7622029", ("7622029",)),
        ("0477-7622029转803", ("0477-7622029转803",)),
        ("0477-7622029 转 803", ("0477-7622029转803",)),
        ("0477-7622029-803", ("0477-7622029-803",)),
        ("（0477）7622029", ("(0477)7622029",)),
        ("0477—7622029", ("0477-7622029",)),
        ("0477 7622029", ("0477 7622029",)),
        ("138 4770 0000", ("13847700000",)),
        ("138-4770-0000", ("13847700000",)),
        ("138.4770.0000", ("13847700000",)),
        ("＋８６ １３８－４７７０－００００", ("+86 138-4770-0000",)),
        ("400-123-4567", ("400-123-4567",)),
        ("762202913847700000", ("7622029", "13847700000")),
        ("0477762202913847700000", ("04777622029", "13847700000")),
        ("13847700000138477000​01".replace("​", ""), ("13847700000", "13847700001")),
        ("办公室7622029 手机13847700000", ("7622029", "13847700000")),
        ("7622029/7622030", ("7622029", "7622030")),
        ("010-88120000", ("010-88120000",)),
    ],
)
def test_telephones(text: str, numbers: tuple[str, ...]) -> None:
    assert phones_in(fold(text)) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "110101199001011234", "152726198812138765", "1600012345", "20260812", "2026-08-12", "2022-2023", "762202", "12847700000",
        "1384770000", "138477000000", "HT2021-0456", "〔2022〕65号", "传真7625480", "3000000元", "2345678亩", "账号88012345", "学号2345678",
        "3456789.12", "12345", "第2345678号", "QQ：76220291", "0000000", "1234567",
    ],
)  # fmt: skip
def test_numbers_that_are_no_telephone(text: str) -> None:
    assert phones_in(fold(text)) == ()


def test_a_phone_says_whether_it_stands_by_itself() -> None:
    text = fold("举报电话7622031公布 张三7622029")
    first, second = find_phones(text, [False] * len(text))
    assert not first.clean and first.right_glued
    assert not second.clean and second.left_glued and not second.right_glued


@pytest.mark.parametrize(
    "name",
    [
        "张三",
        "李四",
        "王芳芳",
        "欧阳娜仁",
        "司马文静",
        "乌云其木格",
        "斯琴·图雅",
        "阿拉腾·敖其尔",
        "那顺巴雅尔",
        "额尔敦其其格",
        "买买提·艾力",
        "孟克",
        "陈晓",
        "石磊",
        "包图雅",
    ],
)
def test_names(name: str) -> None:
    assert name_shape(name) is NameShape.STRONG


@pytest.mark.parametrize(
    "word",
    [
        "春耕备耕",
        "高标准",
        "安全生产",
        "严防死守",
        "防汛",
        "夏收",
        "金融",
        "党建",
        "关于",
        "农牧局",
        "呼和浩特",
        "鄂尔多斯",
        "乌兰牧骑",
        "阿拉善",
        "推进会",
        "张家口",
        "上海",
        "一",
        "张",
        "7622029",
        "张3",
        "Tom",
    ],
)
def test_words_that_are_no_names(word: str) -> None:
    assert name_shape(word) is NameShape.NONE


def test_lists_of_names() -> None:
    assert (
        split_names("张三、李四")
        == split_names("张三 李四")
        == split_names("张三/李四")
        == ("张三", "李四")
    )
    assert split_names("张三和李四") == ("张三", "李四")
    assert split_names("李和平") == ("李和平",)
    assert split_names("张三、春耕") == ()
    assert split_names("王 芳") == ("王 芳",)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("春耕备耕工作进展顺利张三", ("张三",)),
        ("全面推进张文明", ("张文明",)),
        ("助力乡村振兴额尔敦其其格", ("额尔敦其其格",)),
        ("宣传进牧区斯琴·图雅", ("斯琴·图雅",)),
        ("夏收工作全面完成林海", ("成林海", "林海")),
        ("召开安全会议", ()),
        ("高质量发展大会", ()),
        ("成效明显", ()),
    ],
)
def test_a_name_run_into_the_text(text: str, names: tuple[str, ...]) -> None:
    assert name_at_end(text) == names


def test_the_word_lists_do_not_contradict_each_other() -> None:
    assert not GIVEN & NEVER_GIVEN
    assert not PLACES & {"乌兰", "张三"}
    assert all(name_shape(word) is NameShape.FAIR for word in NAMEABLE)
    assert all(name_shape(word) is NameShape.NONE for word in WORDS - NAMEABLE)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (module, name)
        for module in (names_data, prose_data)
        for name, value in vars(module).items()
        if name.isupper() and (module is names_data or not hasattr(names_data, name))
    ],
)
def test_the_word_lists_are_in_order_and_free_of_repeats(module: object, name: str) -> None:
    """As they stand in the file: a set would hide a word listed twice."""
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    value = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )
    text = next(
        n.value for n in ast.walk(value) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    )
    listed = text.split() if any(c.isspace() for c in text.strip()) else list(text)
    assert len(listed) == len(set(listed)) > 20
    if name != "COMMON_SURNAMES":
        assert listed == sorted(listed, key=lambda word: word.encode("gb18030"))


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("执法局", {"urban-enforcement", "farm-water-enforcement", "culture-enforcement"}),
        ("旗执法局", {"urban-enforcement", "farm-water-enforcement", "culture-enforcement"}),
        ("上海庙", {"shanghaimiao-zone", "shanghaimiao"}),
        ("农牧", {"agriculture", "farm-water-enforcement"}),
        ("卫健", {"health"}),
        ("城川", {"chengchuan"}),
        ("草原文化研究会", set()),
        ("局", set()),
        ("", set()),
    ],
)
def test_short_names_name_every_unit_they_may_mean(text: str, units: set[str]) -> None:
    assert set(containing(text, otog(), DAY)) == units


def test_a_short_name_of_several_units_is_asked_with_their_names() -> None:
    for line in (
        "执法局+占道经营整治+张三+7622071",
        "报送单位：执法局 信息标题：占道经营整治 报送人：张三 联系方式：7622071",
    ):
        reading = read_subject(line, otog(), DAY)
        assert reading.unit is None and [a.field for a in reading.ambiguities] == [FieldName.UNIT]
        assert set(reading.ambiguities[0].candidates) == {
            "城市管理综合执法局", "农牧和水务执法局", "文化旅游执法局",
        }  # fmt: skip
        corrected, complete = corrected_subject(reading, otog())
        assert not complete and all(n in corrected for n in reading.ambiguities[0].candidates)


def test_an_alias_of_two_units_is_asked_with_their_names() -> None:
    roster = Roster(
        tuple(
            Unit(i, (UnitName(n), UnitName("服务中心")), "g")
            for i, n in (("a", "甲局"), ("b", "乙局"))
        )
    )
    reading = read_subject("服务中心+春耕备耕工作进展顺利+张三+7622029", roster, DAY)
    assert reading.ambiguities == (Ambiguity(FieldName.UNIT, ("甲局", "乙局")),)


@pytest.mark.parametrize(
    "line",
    [
        "住建局报送：老旧小区改造——张三7622053",
        "住建局信息：老旧小区改造 张三 7622053",
        "住建局信息员张三+老旧小区改造+7622053",
        "住建局政务信息+老旧小区改造+张三+7622053",
        "住建局办公室+老旧小区改造+张三+7622053",
        "住建局：老旧小区改造（张三 7622053）",
    ],
)
def test_the_exact_name_at_the_front_is_certain_whatever_word_goes_with_it(line: str) -> None:
    reading = read_subject(line, otog(), DAY, noise=shipped_noise())
    assert reading.unit is not None and reading.unit.certainty is Certainty.CERTAIN
    assert reading.title is not None and reading.title.value == "老旧小区改造"


@pytest.mark.parametrize(
    "title",
    ["=SUM(A1:A9)农资销售旺季来临", "#最美家庭#评选揭晓", "-25℃极寒天气来袭", "*必看*防汛提示", "社会救助（修改稿）", "社会救助（终稿）"],
)  # fmt: skip
@pytest.mark.parametrize("delimiter", ["+", "｜", " ", "，"])
def test_a_title_keeps_its_own_first_and_last_characters(title: str, delimiter: str) -> None:
    reading = read_subject(delimiter.join(("民政局", title, "张三", "7622043")), otog(), DAY)
    assert reading.title is not None and reading.title.value == title


@pytest.mark.parametrize(
    ("text", "count", "month"),
    [
        ("7月信息3条", 3, 7),
        ("7月3篇上报信息", 3, 7),
        ("7月份政务信息(3条)", 3, 7),
        ("2026年7月份信息共三条", 3, 7),
        ("十二月信息十二条", 12, 12),
        ("信息3条", 3, None),
        ("报送信息2篇", 2, None),
        ("7月上旬信息2条", 2, 7),
        ("7月政务信息", None, 7),
        ("报送的8月份4篇信息", 4, 8),
        ("信息4篇(8月份)", 4, 8),
        ("8月第二批信息3篇", 3, 8),
        ("动态信息2篇、问题信息1篇", 3, None),
        ("8月信息4条(含问题类1条)", 4, 8),
    ],
)
def test_statements(text: str, count: int | None, month: int | None) -> None:
    assert statement(text) == Statement(count, month)


@pytest.mark.parametrize(
    "text",
    [
        "13月信息3条",
        "7月信息0条",
        "7月信息工作情况",
        "7月生产进展",
        "发放3条措施",
        "信息化",
        "3条意见",
        "春耕信息3条线",
        "第3篇信息",
        "发布预警信息12条",
        "信息2篇、问题很多",
    ],
)
def test_no_statements(text: str) -> None:
    assert statement(text) is None


@pytest.mark.parametrize(
    "text",
    ["(无主题)", "无标题", "(no subject)", "<无主题>", "新建 microsoft word 文档", "空", "未命名"],
)
def test_placeholders(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("春耕.docx", "春耕"),
        ("春耕.doc.docx", "春耕"),
        ("春耕(1).wps", "春耕"),
        ("春耕.2", "春耕.2"),
        ("春耕docx", "春耕docx"),
    ],
)
def test_document_extensions(text: str, rest: str) -> None:
    assert text[: without_extension(text, len(text))] == rest


def test_folding_keeps_every_position() -> None:
    text = "农牧局＋ＡＢＣ　（０４７７）—·•｜【】「」😀𠮷İ"
    assert len(fold(text)) == len(text)


def test_traditional_characters_are_the_same_name() -> None:
    assert fold("農牧局 張三 聯繫電話") == "农牧局 张三 联系电话"
    assert name_shape(fold("陳曉麗")) is NameShape.STRONG
