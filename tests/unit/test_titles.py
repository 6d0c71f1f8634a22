"""Titles compared, and taken from file names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.intake.titles import (
    bare_copy_name,
    normal_title,
    other_issue,
    same_numbers,
    says_new_version,
    similarity,
    title_from_file_name,
)
from tests.unit.roster_helper import made_of

ROSTER = made_of("农牧局", "水利局", "城川镇")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("春耕备耕工作进展顺利", "春耕备耕工作进展顺利（修改稿）"),
        ("春耕备耕工作进展顺利", "【问题】春耕备耕工作进展顺利"),
        ("春耕备耕工作进展顺利", "春耕备耕 工作，进展顺利。"),
        ("春耕备耕工作进展顺利", "春耕备耕工作进展顺利.docx"),
        ("春耕备耕工作进展顺利", "春耕备耕工作进展顺利（第二稿）"),
        ("春耕备耕工作进展顺利", "春耕备耕工作进展顺利（修改稿2）"),
        ("春耕备耕工作进展顺利", "春耕备耕工作进展顺利V2"),
        ("“双减”工作", "双减工作"),
        ("ＡＢ工作", "ab工作"),
    ],
)
def test_the_same_title_in_other_clothes(a: str, b: str) -> None:
    assert normal_title(a) == normal_title(b)
    assert similarity(a, b) == 1.0


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("7月份工作动态", "8月份工作动态"),
        ("七月份工作动态", "八月份工作动态"),
        ("2025年春耕备耕工作", "2026年春耕备耕工作"),
        ("工作简报第12期", "工作简报第13期"),
        ("一季度经济运行情况", "二季度经济运行情况"),
        ("系列报道（一）", "系列报道（二）"),
        ("系列报道之一", "系列报道之二"),
        ("上半年经济运行情况", "下半年经济运行情况"),
        ("第3批补奖资金发放", "第4批补奖资金发放"),
    ],
)
def test_two_issues_of_one_column_are_not_alike(a: str, b: str) -> None:
    assert other_issue(a, b)
    assert similarity(a, b) <= 0.5


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("7月份工作动态", "2026年7月份工作动态"),
        ("七月份工作动态", "7月份工作动态"),
        ("十二月工作动态", "12月工作动态"),
        ("工作简报第12期", "工作简报12期"),
        ("春耕备耕工作", "春耕备耕工作（一）"),
        ("完成种草3万亩", "完成种草5万亩"),
    ],
)
def test_what_only_one_title_says_sets_nothing_apart(a: str, b: str) -> None:
    assert not other_issue(a, b)


def test_numbers() -> None:
    assert same_numbers("完成种草3万亩5处", "完成5处种草3万亩")
    assert not same_numbers("完成种草3万亩", "完成种草5万亩")


@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_is_a_number_between_nothing_and_the_same(a: str, b: str) -> None:
    assert 0.0 <= similarity(a, b) <= 1.0
    assert similarity(a, a) == (1.0 if normal_title(a) else 0.0)
    assert other_issue(a, b) == other_issue(b, a)


@pytest.mark.parametrize(
    "text",
    [
        "春耕备耕工作（修改稿）",
        "请以此为准",
        "原稿作废",
        "更正如下：",
        "重新报送",
        "春耕v2",
        "标题有误",
    ],
)
def test_words_that_announce_a_new_version(text: str) -> None:
    assert says_new_version("", text)


@pytest.mark.parametrize(
    "text", ["修改完善工作方案", "更新改造老旧管网", "补充耕地", "", "第二版块"]
)
def test_words_that_do_not(text: str) -> None:
    assert not says_new_version(text)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("春耕备耕工作进展顺利.docx", "春耕备耕工作进展顺利"),
        ("1.春耕备耕工作进展顺利.docx", "春耕备耕工作进展顺利"),
        ("（二）春耕备耕工作进展顺利.wps", "春耕备耕工作进展顺利"),
        ("（二）、春耕备耕工作进展顺利.wps", "春耕备耕工作进展顺利"),
        ("附件1：春耕备耕工作进展顺利.pdf", "春耕备耕工作进展顺利"),
        ("附件：春耕备耕工作进展顺利.pdf", "春耕备耕工作进展顺利"),
        ("农牧局-春耕备耕工作进展顺利.docx", "春耕备耕工作进展顺利"),
        ("农牧局：春耕备耕工作进展顺利.docx", "春耕备耕工作进展顺利"),
        ("农牧局春耕备耕工作进展顺利.docx", "农牧局春耕备耕工作进展顺利"),
        ("农牧局＋抓防疫，保生产（7月）.docx", "抓防疫，保生产（7月）"),
        ("２．“三个聚焦”：春耕见实效！.docx", "“三个聚焦”：春耕见实效！"),
        ("三北工程建设稳步推进.docx", "三北工程建设稳步推进"),
        ("2026年春耕备耕工作全面启动.docx", "2026年春耕备耕工作全面启动"),
        ("12345热线办理质效提升.docx", "12345热线办理质效提升"),
        ("附件1.docx", ""),
        ("新建 Microsoft Word 文档.docx", ""),
        ("微信图片_20260801.jpg", ""),
        ("扫描件.pdf", ""),
        ("信息1.docx", ""),
        ("信息（二）.docx", ""),
        ("政务信息三.docx", ""),
        ("20260801.docx", ""),
        ("", ""),
    ],
)
def test_titles_from_file_names(name: str, title: str) -> None:
    assert title_from_file_name(name, ROSTER) == title


@pytest.mark.parametrize(
    "copy",
    [
        "秋播.pdf",
        "秋播（盖章版）.pdf",
        "2.秋播(盖章).pdf",
        "秋播_签批件.pdf",
        "秋播 扫描件.pdf",
        "秋播【签字版】.pdf",
    ],
)
def test_a_signed_copy_bears_the_name_of_its_text(copy: str) -> None:
    assert bare_copy_name(copy) == bare_copy_name("1.秋播.docx")
