"""Header text, addresses, dates and identifiers of mails as clients really write them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.mail.addresses import read_addresses
from mailbot.core.mail.decode import decode
from mailbot.core.mail.model import Address, DefectCode, IncomingMail
from mailbot.core.mail.values import read_date, read_message_id, read_references
from mailbot.core.mail.words import read_line
from tests.unit.hostile import plain, word

SUBJECT = "鄂托克前旗农牧局+关于李堃、朱镕基同志的情况+王芳芳+7622029"


def codes(mail: IncomingMail) -> set[DefectCode]:
    return {defect.code for defect in mail.defects}


def cut(data: bytes, label: str, size: int, encoding: str = "B") -> bytes:
    """Encoded-words of `size` bytes each, wherever that cuts the characters."""
    pieces = [data[n : n + size] for n in range(0, len(data), size)]
    if encoding == "B":
        payloads = [base64.b64encode(piece) for piece in pieces]
    else:
        payloads = [b"".join(b"=%02x" % byte for byte in piece) for piece in pieces]
    return b"\r\n ".join(b"=?%b?%b?%b?=" % (label.encode(), encoding.encode(), p) for p in payloads)


@pytest.mark.parametrize("size", [5, 7, 17, 45])
@pytest.mark.parametrize("encoding", ["B", "Q", "b", "q"])
@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("utf-8", "utf-8"), ("gb2312", "gb18030"), ("GBK", "gb18030"), ("gb18030", "gb18030"),
        ("x-gbk", "gb18030"), ("utf-8", "gb18030"), ("gb2312", "utf-8"), ("zlib", "gb18030"),
        ("utf-8*zh-CN", "utf-8"),
    ],
)  # fmt: skip
def test_e1_words_cut_inside_a_character(label: str, codec: str, encoding: str, size: int) -> None:
    mail = decode(plain(cut(SUBJECT.encode(codec), label, size, encoding.upper())))
    assert mail.subject == SUBJECT


@pytest.mark.parametrize("at", range(1, 12))
def test_words_cut_inside_the_base64(at: int) -> None:
    whole = base64.b64encode(SUBJECT.encode())
    assert (
        read_line(b"=?utf-8?B?" + whole[:at] + b"?=\r\n =?utf-8?B?" + whole[at:] + b"?=").text
        == SUBJECT
    )


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b'"' + word("农牧局", "gb18030") + b'"', '"农牧局"'),
        (word("农牧局") + word("信息", "gb18030"), "农牧局信息"),
        (b"Re:" + word("农牧局") + b"/" + word("张三"), "Re:农牧局/张三"),
        (word("农牧局") + b" \r\n\t " + word("信息"), "农牧局信息"),
        (b"=?utf-8?B?5Yac54mn5bGA?=", "农牧局"),
        (b"=?utf-8?B?5Yac54mn5bGA5A?=", "农牧局\ufffd"),
        (b"=?utf-8?B?5Yac\r\n 54mn5bGA?=", "农牧局"),
        (b"=?utf-8?B?5Yac54mn5bGA", "农牧局"),
        (b"=?utf-8?Q?a_b=20c=3D?=", "a b c="),
        (b"=?utf-8?Q?why??= =?utf-8?q?=?=", "why?="),
        (b"=?utf-8?Q??=x", "x"),
        (b"=?utf-8?X?abc?= =?utf-8?B?", "=?utf-8?X?abc?= =?utf-8?B?"),
        (b"=??B?5Yac?=", "=??B?5Yac?="),
        ("农牧局".encode(), "农牧局"),
        ("农牧局信息".encode("gbk"), "农牧局信息"),
        ("农牧局".encode("gbk") + word("张三"), "农牧局张三"),
        ("很长的标题\r\n 分成两行".encode(), "很长的标题 分成两行"),
        (b"a\r\nb\rc\nd", "a b c d"),
        (b"50% = ?x?=", "50% = ?x?="),
        (word(word("农牧局+信息").decode()), "农牧局+信息"),
        (word(word(word("农牧局").decode()).decode()), word("农牧局").decode()),
        (word("写法 " + word("农牧局").decode()), "写法 " + word("农牧局").decode()),
    ],
)
def test_a_line(raw: bytes, text: str) -> None:
    assert read_line(raw).text == text


@pytest.mark.parametrize("base64_padding", [b"", b"=", b"=="])
def test_e1_padding_may_be_missing(base64_padding: bytes) -> None:
    payload = base64.b64encode("局长".encode("gbk")).rstrip(b"=")
    assert read_line(b"=?gbk?B?" + payload + base64_padding + b"?=").text == "局长"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("农\x00牧", "农 牧"), ("农\r\n牧", "农 牧"), ("农\u2028牧", "农 牧"), ("农\u0085牧", "农 牧"),
        ("农\u202e牧", "农牧"), ("农\u200b牧", "农牧"), ("\ufeff农牧", "农牧"), ("农\x1b[31m", "农 [31m"),
        ("农\ufffe牧", "农\ufffd牧"), ("农\t牧", "农 牧"), ("ᠮᠣ\u180eᠩ", "ᠮᠣ\u180eᠩ"), ("农\u180e牧", "农牧"),
    ],
)  # fmt: skip
def test_a1_a2_a_word_cannot_smuggle_characters_in(written: str, text: str) -> None:
    assert decode(plain(word(written))).subject == text
    assert decode(plain(word(written, encoding="Q"))).subject == text


def test_what_was_taken_out_is_told() -> None:
    assert DefectCode.CONTROL_REMOVED in codes(decode(plain(word("农\x00牧"))))
    assert codes(decode(plain(b"folded\r\n\tsubject"))) == set()


OFFICE = b"office@qq.com"


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"ZhangSan@163.com", [Address("zhangsan@163.com")]),
        (word("张三") + b" <a@b.cn>", [Address("a@b.cn", "张三")]),
        (b'"' + word("张三", "gb18030") + b'" <a@b.cn>', [Address("a@b.cn", "张三")]),
        ("张三 <a@b.cn>".encode("gbk"), [Address("a@b.cn", "张三")]),
        (b"a@b.cn (" + word("张三") + b")", [Address("a@b.cn", "张三")]),
        (b'"Li, Si" <a@b.cn>, c@d.cn; e@f.cn', [Address("a@b.cn", "Li, Si"), Address("c@d.cn"), Address("e@f.cn")]),
        (word("王<office@qq.com>, 五") + b" <a@b.cn>", [Address("a@b.cn", "王<office@qq.com>, 五")]),
        (b'"office@qq.com" <a@b.cn>', [Address("a@b.cn", "office@qq.com")]),
        (b"office@qq.com <a@b.cn>", [Address("a@b.cn", "office@qq.com")]),
        (b'"unclosed <a@b.cn>', [Address("a@b.cn", "unclosed")]),
        (b"<a@b.cn", [Address("a@b.cn")]),
        (b"<@x.cn,@y.cn:a@b.cn>", [Address("a@b.cn")]),
        (b"mailto:a@b.cn", [Address("a@b.cn")]),
        (b"a@b.cn, , c@d.cn,", [Address("a@b.cn"), Address("c@d.cn")]),
        (b"undisclosed-recipients:;", []),
        (b"group: a@b.cn, c@d.cn;", [Address("a@b.cn"), Address("c@d.cn")]),
        (b"", []),
    ],
)  # fmt: skip
def test_addresses(raw: bytes, found: list[Address]) -> None:
    assert list(read_addresses(raw)[0]) == found


@pytest.mark.parametrize(
    "raw",
    [
        word("office@qq.com"),
        b"<" + word("office@qq.com") + b">",
        "office@ｑｑ.com".encode(),
        "оffice@qq.com".encode(),  # a Cyrillic o
        "用户@例子.中国".encode(),
        b"office @ qq.com",
        b"office@qq..com",
        b"office",
        b"office@qq.com@evil.cn",
        b"<>",
    ],
)
def test_what_only_looks_like_an_address_is_none(raw: bytes) -> None:
    found, defects = read_addresses(raw)
    assert [a.addr for a in found] == [""]
    assert DefectCode.ADDRESS_DAMAGED in defects


@pytest.mark.parametrize(
    "header",
    [
        b"From: a@b.cn\r\nFrom: a@b.cn\r\n",
        b"From: a@b.cn\r\nFROM: office@qq.com\r\n",
        b"From: a@b.cn, office@qq.com\r\n",
        b"From: <a@b.cn> <office@qq.com>\r\n",
        b"From: office: a@b.cn;\r\n",
        b"From: " + word("a@b.cn") + b"\r\n",
        b"From: \r\n",
        b"From: <>\r\n",
        b"To: a@b.cn\r\n",
    ],
)
def test_no_single_author(header: bytes) -> None:
    assert decode(header + b"Subject: x\r\n\r\nx").author is None


def test_return_path() -> None:
    def path(value: bytes) -> Address | None:
        return decode(b"Return-Path: " + value + b"\r\nReturn-Path: <z@z.cn>\r\n\r\n").return_path

    assert path(b"<>") == Address("")
    assert path(b"<A@b.cn>") == Address("a@b.cn")
    assert path(b"rubbish") is None
    assert decode(b"Subject: x\r\n\r\n").return_path is None


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("Mon, 3 Aug 2026 10:00:00 +0800", datetime(2026, 8, 3, 2, tzinfo=UTC)),
        ("3 Aug 2026 10:00 +0800 (CST)", datetime(2026, 8, 3, 2, tzinfo=UTC)),
        ("Mon, 3 Aug 2026 10:00:00 -0000", datetime(2026, 8, 3, 10, tzinfo=UTC)),
        ("Mon, 3 Aug 2026 10:00:00 GMT+08:00", datetime(2026, 8, 3, 2, tzinfo=UTC)),
        ("Mon, 3 Aug 2026 10:00:00 CST", datetime(2026, 8, 3, 2, tzinfo=UTC)),
        ("Mon, 3 Aug 2026 10:00:00 GMT", datetime(2026, 8, 3, 10, tzinfo=UTC)),
        ("Mon, 3 Aug 2026 10:00:00", datetime(2026, 8, 3, 2, tzinfo=UTC)),
        ("Thu, 1 Jan 1970 00:00:00 +0000", datetime(1970, 1, 1, tzinfo=UTC)),
        ("Thu, 31 Dec 2026 23:59:60 +0000", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_dates(value: str, moment: datetime) -> None:
    assert read_date(value)[0] == moment


@pytest.mark.parametrize(
    "value",
    [
        "Fri, 31 Dec 9999 23:59:59 +0000", "Mon, 3 Aug 2026 10:00:00 +9999", "garbage", "", "2026年8月3日",
        "Mon, 31 Feb 2026 10:00:00 +0800", "Mon, 3 Aug 2026 99:00:00 +0800",
        "3 Aug 99999999999999999999 10:00:00 +0800", "9" * 5_000, ",,,:::", "Mon, 3 Aug 2026 10:00 +" + "9" * 400,
    ],
)  # fmt: skip
def test_impossible_dates_are_no_dates(value: str) -> None:
    assert read_date(value) == (None, False)
    mail = decode(b"Date: " + value.encode() + b"\r\n\r\nx")
    assert mail.date is None
    assert not value or DefectCode.DATE_DAMAGED in codes(mail)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="0123456789 :+-,()JanDecMoZUTGM年", max_size=40))
def test_any_date_can_be_shown_in_any_zone(value: str) -> None:
    moment, _ = read_date(value)
    if moment is not None:
        assert moment.astimezone(UTC) + timedelta(days=1) > moment - timedelta(days=1)


def test_received_times_are_newest_first() -> None:
    mail = decode(
        b"Received: from a by b; Mon, 3 Aug 2026 10:00:05 +0800\r\n"
        b"Received: from x (y; z)\r\n\tby b with ESMTP id 1; Mon, 3 Aug 2026 10:00:00 +0800\r\n"
        b"Received: nonsense\r\n\r\n"
    )
    assert [t.second for t in mail.received] == [5, 0]
    assert DefectCode.DATE_DAMAGED in codes(mail)


@pytest.mark.parametrize(
    ("value", "identifier"),
    [
        ("<1@x.cn>", "1@x.cn"), ("1@x.cn", "1@x.cn"), ("<<1@x.cn>>", "1@x.cn"), (" <1@x.cn> ", "1@x.cn"),
        ("<tencent_0A@qq.com>", "tencent_0A@qq.com"), ("<a@x> <b@x>", None), ("<a b@x>", None),
        ("<" + "a" * 10_000 + "@x>", None), ("", None), ("<>", None), ("<农牧@x>", None),
    ],
)  # fmt: skip
def test_message_ids(value: str, identifier: str | None) -> None:
    assert read_message_id(value) == identifier


def test_two_message_ids_are_none() -> None:
    mail = decode(b"Message-ID: <1@x>\r\nMessage-Id: <2@x>\r\nSubject: x\r\n\r\n")
    assert mail.message_id is None
    assert DefectCode.HEADER_REPEATED in codes(mail)


def test_references_keep_the_newest() -> None:
    many = " ".join(f"<{n}@x>" for n in range(500))
    assert read_references(many) == tuple(f"{n}@x" for n in range(450, 500))
    mail = decode(
        plain(
            b"x",
            extra=b"References: "
            + b"<%d@x> " * 0
            + b"".join(b"<%d@example.cn>\r\n " % n for n in range(100_000))
            + b"\r\n",
        )
    )
    assert mail.references[-1] == "99999@example.cn"
    assert len(mail.references) == 50


def test_e2_every_field_is_kept_in_order_and_unfolded() -> None:
    mail = decode(
        b"Received: from a\r\n\tby b\r\nX-Mailer: "
        + word("网易邮箱")
        + b"\r\nSUBJECT: x\r\n\r\nbody"
    )
    assert mail.headers == (
        ("Received", "from a\tby b".replace("\t", " ")),
        ("X-Mailer", "网易邮箱"),
        ("SUBJECT", "x"),
    )
    assert mail.subject == "x"


@pytest.mark.parametrize(
    "header",
    [
        b"Subject : x\r\nFrom: a@b.cn\r\n\r\nbody",
        b"\xef\xbb\xbfSubject: x\r\nFrom: a@b.cn\r\n\r\nbody",
        b"\r\n\r\nSubject: x\r\nFrom: a@b.cn\r\n\r\nbody",
        b"From a@b.cn Mon Aug  3 10:00:00 2026\nSubject: x\nFrom: a@b.cn\n\nbody",
        b"Subject: x\rFrom: a@b.cn\r\rbody",
        b"X-Broken: one\r\nthis line is no field\r\nSubject: x\r\nFrom: a@b.cn\r\n\r\nbody",
        b"X-Broken: one\r\n" + "没有空格的续行".encode("gbk") + b"\r\nSubject: x\r\nFrom: a@b.cn\r\n\r\nbody",
        b"Subject: x\r\nFrom: a@b.cn\r\nbody",
    ],
)  # fmt: skip
def test_a_damaged_header_still_says_what_it_says(header: bytes) -> None:
    mail = decode(header)
    assert (mail.subject, mail.from_, mail.text) == ("x", (Address("a@b.cn"),), "body")
