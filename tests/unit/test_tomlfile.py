"""TOML as people save it: encodings of Notepad, full-width slips, and what is said about each."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.adapters.toml.file import decode, parse_toml, read_toml
from mailbot.app.errors import OperatorFault

TEXT = 'name = "鄂托克前旗人民政府办公室"\npoints = 0.1\n# 说明：全角“引号”没关系\n'


def said_about(data: str | bytes) -> list[str]:
    with pytest.raises(OperatorFault) as caught:
        parse_toml(data.encode() if isinstance(data, str) else data, "某.toml")
    return [str(f) for f in caught.value.faults]


# --- encodings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030", "gb2312", "utf-32"]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_way_notepad_saves_is_read(tmp_path: Path, encoding: str, newline: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(TEXT.replace("\n", newline).encode(encoding))
    assert read_toml(path) == {"name": "鄂托克前旗人民政府办公室", "points": Decimal("0.1")}


def test_utf_16_of_both_byte_orders_with_its_mark() -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert "name" in parse_toml(mark + TEXT.encode(encoding), "x")


def test_rare_characters_of_names_survive_gb18030() -> None:
    name = "王喆、朱镕、李堃、𠮷田"
    assert parse_toml(f'name = "{name}"'.encode("gb18030"), "x")["name"] == name


def test_gbk_that_happens_to_be_valid_utf8_is_still_gbk() -> None:
    data = 'name = "一"'.replace("一", "签").encode("gbk")
    assert parse_toml(data, "x")["name"] == "签"
    lookalike = b'name = "' + b"\xc7\xa9\xd2\xbb" + b'"'  # 签一: two UTF-8 pairs as well
    assert lookalike.decode("utf-8")
    assert parse_toml(lookalike, "x")["name"] == "签一"


def test_letters_of_the_latin_supplement_stay_utf8() -> None:
    assert parse_toml('a = "café · 30°"'.encode(), "x")["a"] == "café · 30°"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (TEXT.encode("utf-16-le"), ["空字节", "UTF-8"]),
        (TEXT.encode("utf-16")[:-1], ["UTF-16", "UTF-8"]),
        (TEXT.encode().replace("旗".encode(), b"\xe6\x97", 1), ["第 1 行", "UTF-8", "0xE6"]),
        (b'a = 1\nname = "\xff\xff\xff"', ["第 2 行", "0xFF", "GBK"]),
        (b"\x89PNG\r\n\x1a\n\0\0\0", ["空字节"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_remedy(data: bytes, words: list[str]) -> None:
    (fault,) = said_about(data)
    assert "另存为" in fault
    for word in words:
        assert word in fault


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_plainly(data: bytes) -> None:
    try:
        parse_toml(data, "x")
    except OperatorFault as error:
        assert error.faults
        assert all(f.remedy for f in error.faults)


@given(st.text(alphabet="a=“”＝，,[]{}'\"# \n1-.：农牧局\\", max_size=60))
def test_any_text_is_read_or_refused_plainly(text: str) -> None:
    try:
        parse_toml(text.encode(), "x")
    except OperatorFault as error:
        assert all(f.found and f.remedy and "x 第 " in f.where for f in error.faults)


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=4))
def test_chinese_text_comes_back_from_gbk_and_utf8(text: str) -> None:
    for encoding in ("gb18030", "utf-8"):
        assert decode(text.encode(encoding), "x") == text


# --- files ------------------------------------------------------------------------------------


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    for path, word in ((tmp_path / "no.toml", "没有这个文件"), (tmp_path, "文件夹")):
        with pytest.raises(OperatorFault) as caught:
            read_toml(path)
        (fault,) = caught.value.faults
        assert (fault.where, word in fault.found, bool(fault.remedy)) == (str(path), True, True)


# --- syntax -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = “农牧局”", ["第 1 行第 8 列", "“", "双引号", '改成 "']),
        ('name = "农牧局”', ["第 1 行第 12 列", "全角 ”", "结尾"]),
        ("name = ‘农牧局’", ["第 8 列", "单引号"]),
        ('name ＝ "x"', ["第 6 列", "＝", "等号"]),
        ('name： "x"', ["第 5 列", "：", "="]),
        ('name: "x"', ["冒号", "半角等号"]),
        ('a = ["甲"，"乙"]', ["第 9 列", "，", "逗号"]),
        ('a = ["甲"、"乙"]', ["、", "逗号"]),
        ('a = 【"甲"】', ["【", "方括号"]),
        ("［limits］\na = 1", ["［", "方括号"]),
        ("＃ 说明\na = 1", ["＃", "井号"]),
        ("a = ８", ["全角数字 ８", "8"]),
        ("a = 8。", ["。"]),
        ("\u3000a = 1", ["全角空格"]),
        ("a\u00a0= 1", ["不换行空格"]),
        ("a = 1\u200b", ["零宽"]),
        ("name = 农牧局", ["没有加引号", '"农牧局"']),
        ("a = 8条", ["数字后面跟了文字", "只写数字 8"]),
        ("from = 2022-7-6", ["日期写法", "2022-07-06", "不加引号"]),
        ("from = 2022/07/06", ["日期写法", "2022-07-06"]),
        ("from = 2022年7月6日", ["日期写法", "2022-07-06"]),
        ("from = 2022.7.6", ["日期写法", "2022-07-06"]),
        ("from = 2022-02-30", ["没有 2022-02-30 这一天"]),
        ("a = True", ["true", "小写"]),
        ("a = 是", ["true 或 false"]),
        ("phone = 04777622029", ["以 0 开头", "引号"]),
        ('a = "x', ["引号没有配对"]),
        ("a = 'x", ["引号没有配对"]),
        ('a = """x', ["引号没有配对"]),
        ('a = ["x" "y"]', ["半角逗号"]),
        ('a = [\n"x",\n"y"\nb = 1', ["方括号", "收尾"]),
        ('a = [\n"x",\nb = 1', ["方括号", "收尾"]),
        ("a = { b = 1\n}", ["花括号"]),
        ("a = { b = 1, }", ["多余的逗号"]),
        ("a = 1\na = 2", ["第 2 行", "同一个键写了两次"]),
        ("[a]\n[a]", ["第 2 行", "[[ ]]"]),
        ("[[a]\nb = 1", ["第 1 行", "方括号没有配对"]),
        ("a", ["缺等号"]),
        ("a =", ["没有值"]),
        ("名称 = 1", ["行首是中文", "#"]),
        ("本文件请勿删除。", ["行首是中文", "#"]),
        ('a = "C:\\Users"', ["反斜杠", "单引号"]),
        ('a = "x" b = 2', ["多余"]),
        ('a = "x"\rb = 2', ["换行符"]),
        ("a = " + "[" * 5000, ["括号"]),
        ("a = " + "1" * 5000, ["不合格式"]),
    ],
)
def test_a_slip_is_named_with_its_place_and_remedy(text: str, words: list[str]) -> None:
    faults = said_about(text)
    assert len(faults) == 1, faults
    for word in ["某.toml", "→", *words]:
        assert word in faults[0]


def test_all_slips_of_a_file_are_told_at_once_in_order() -> None:
    text = """本文件请勿删除。
[[unit]]
name = “农牧局”
aliases = ["农牧"，"农牧业局"]
group ＝ "g1"
start = 2022.7.6
phone = 07622029
[[unit]]
id = "b"
id = "c"
"""
    faults = said_about(text)
    assert [f.split(" ")[2] for f in faults] == ["1", "3", "4", "5", "6", "7", "10"]


def test_chinese_punctuation_in_values_and_comments_is_welcome() -> None:
    text = (
        "# 说明：“引号”，＝、（）\n"
        'a = "打好“种+养+加”组合拳，＝：【】" # “尾注”\n'
        "b = '“x”'\n"
        'c = """多行“引号”\n仍在＝里面"""\n'
        'd = "\\"“转义”"\n'
    )
    data = parse_toml(text.encode(), "x")
    assert data["a"] == "打好“种+养+加”组合拳，＝：【】"
    assert data["d"] == '"“转义”'


def test_welcome_punctuation_is_not_blamed_for_another_slip() -> None:
    faults = said_about('a = "“好”，"\nb = 农牧局 # “尾注”\nc = """\n“x”＝\n"""\n')
    assert len(faults) == 1
    assert "第 2 行" in faults[0]
    assert "没有加引号" in faults[0]


def test_fractions_are_exact() -> None:
    data = parse_toml(b"a = 0.1\nb = [1.50]\nc = 3", "x")
    assert data == {"a": Decimal("0.1"), "b": [Decimal("1.50")], "c": 3}
    assert str(data["b"][0]) == "1.50"
