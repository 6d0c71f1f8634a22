"""Bytes that should be text: labels that lie, labels that are missing, labels that attack."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.mail.charset_labels import codec_for
from mailbot.core.mail.charsets import decode_text, plausibility
from mailbot.core.mail.model import DefectCode

CHINESE = [
    "鄂托克前旗农牧局关于李堃同志的情况报告",
    "王喆",
    "朱镕基",
    "教育",
    "学校",
    "联通",
    "张三",
    "乌云其木格",
    "7月信息3条",
    "上海庙镇（经济开发区）报送：2026年8月",
    "pdf版",
]
LABELS = [None, "gb2312", "gbk", "x-gbk", "cp936", "utf-8", "iso-8859-1", "us-ascii", "x-nonsense"]


@pytest.mark.parametrize("text", [t for t in CHINESE if t != "pdf版"])
@pytest.mark.parametrize("label", LABELS)
def test_e1_gbk_is_read_whatever_the_label_says(text: str, label: str | None) -> None:
    assert decode_text(text.encode("gb18030"), label).text == text


@pytest.mark.parametrize("text", CHINESE)
@pytest.mark.parametrize("label", [n for n in LABELS if n != "iso-8859-1"])
def test_e1_utf8_is_read_whatever_the_label_says(text: str, label: str | None) -> None:
    assert decode_text(text.encode(), label).text == text


@pytest.mark.parametrize("label", [None, "big5", "BIG5-HKSCS", "utf-8", "x-nonsense"])
def test_big5(label: str | None) -> None:
    assert decode_text("關於報告問題的臺灣說明".encode("big5"), label).text == (
        "關於報告問題的臺灣說明"
    )


@pytest.mark.parametrize("label", [None, "us-ascii", "hz-gb-2312", "gb2312"])
def test_hz(label: str | None) -> None:
    assert decode_text("农牧局的信息".encode("hz"), label).text == "农牧局的信息"


@pytest.mark.parametrize("label", [None, "iso-2022-cn", "us-ascii"])
def test_iso_2022_cn(label: str | None) -> None:
    shifted = bytes(byte & 0x7F for byte in "农牧局".encode("gb2312"))
    data = b"from \x1b$)A\x0e" + shifted + b"\x0f: hello"
    assert decode_text(data, label).text == "from 农牧局: hello"


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
def test_unicode_by_its_mark_or_label(codec: str) -> None:
    data = "农牧局 信息".encode(codec)
    assert decode_text(data, codec).text == "农牧局 信息"


def test_utf16_with_a_mark_needs_no_label() -> None:
    assert decode_text("农牧局".encode("utf-16"), None).text == "农牧局"
    assert decode_text("农牧局".encode("utf-16"), "gb2312").text == "农牧局"


def test_utf16_text_without_mark_and_label() -> None:
    assert decode_text("Hello, 农牧局 office".encode("utf-16-le")).text == "Hello, 农牧局 office"


@pytest.mark.parametrize("text", ["café", "Größe und Länge", "Größe Müller"])
def test_a_western_text_with_its_label_stays_western(text: str) -> None:
    read = decode_text(text.encode("latin-1"), "iso-8859-1")
    assert (read.text, read.codes) == (text, ())


@pytest.mark.parametrize("text", ["20°C", "100m²", "café", "±5‰", "§3", "naïve", "Привет", "é"])
def test_a_few_signs_in_labelled_utf8_stay_themselves(text: str) -> None:
    assert decode_text(text.encode(), "utf-8").text == text


def test_a_wrong_label_is_reported() -> None:
    assert decode_text("农牧局".encode("gbk"), "utf-8").codes == (DefectCode.CHARSET_WRONG,)
    assert decode_text("农牧局".encode(), "gb2312").codes == (DefectCode.CHARSET_WRONG,)
    assert decode_text("农牧局".encode("gbk"), None).codes == (DefectCode.CHARSET_MISSING,)
    assert decode_text("农牧局".encode("gbk"), "gb2312").codes == ()
    assert decode_text(b"plain", "x-nonsense").codes == (DefectCode.CHARSET_UNKNOWN,)


@pytest.mark.parametrize(
    "label",
    [
        "punycode", "idna", "rot13", "rot_13", "zlib", "bz2", "hex", "base64", "uu", "quopri",
        "unicode_escape", "raw_unicode_escape", "undefined", "utf-7", "mbcs", "oem", "string_escape",
        "utf-8\0", "../../etc/passwd", "a" * 10_000, "", " ",
    ],
)  # fmt: skip
def test_a12_hostile_labels_look_up_no_codec(label: str) -> None:
    assert codec_for(label) in (None, "utf-8")
    data = "+ADw-script+AD4- \\u202e xn--fiq228c 农牧局的信息".encode("gbk")
    assert decode_text(data, label).text == "+ADw-script+AD4- \\u202e xn--fiq228c 农牧局的信息"


def test_a_character_cut_off_at_the_end_costs_one_character() -> None:
    for codec, label in (("utf-8", "utf-8"), ("utf-8", None), ("gb18030", "gbk")):
        read = decode_text("鄂托克前旗农牧局的工作信息".encode(codec)[:-1], label)
        assert read.text == "鄂托克前旗农牧局的工作信\ufffd"
        assert DefectCode.BYTES_REPLACED in read.codes


def test_e1_bytes_of_no_charset_are_replaced_and_reported() -> None:
    read = decode_text(b"\xff\xff\xfe\x80\xff" * 20, "utf-8")
    assert "\ufffd" in read.text
    assert DefectCode.BYTES_REPLACED in read.codes


def test_common_characters_look_more_chinese_than_misread_ones() -> None:
    text = "关于农牧工作的报告"
    misread = text.encode().decode("gb18030", "replace")
    assert plausibility(text) > 0.9 > 0.6 > plausibility(misread)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.one_of(st.none(), st.text(max_size=12), st.sampled_from(LABELS)))
def test_e1_total_and_never_silent(data: bytes, label: str | None) -> None:
    read = decode_text(data, label)
    assert (
        ("\ufffd" not in read.text)
        or not read.exact
        or "\ufffd".encode() in data
        or ("\ufffd".encode("gb18030") in data or b"\xff\xfd" in data or b"\xfd\xff" in data)
    )


COMMON = st.text(
    alphabet="的一是在了不和有大这主中人上为们地个用工时要动国产以我到他会作来分生",
    min_size=4,
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(COMMON, st.sampled_from(["utf-8", "gb18030"]), st.sampled_from(LABELS))
def test_everyday_chinese_survives_any_label(text: str, codec: str, label: str | None) -> None:
    assert decode_text(text.encode(codec), label).text == text
