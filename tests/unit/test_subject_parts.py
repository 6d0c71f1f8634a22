"""Prefixes, telephones, names and statements by themselves."""

from __future__ import annotations

import pytest

from mailbot.core.subject.names import NameShape, name_at_end, name_shape, split_names
from mailbot.core.subject.names_data import GIVEN, NAMEABLE, NEVER_GIVEN, PLACES, WORDS
from mailbot.core.subject.phones import find_phones, phones_in
from mailbot.core.subject.prefixes import strip_prefixes, take_reference
from mailbot.core.subject.statements import Statement, is_placeholder, statement, without_extension
from mailbot.core.subject.text import fold


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
