"""`decode` is total: hostile mails, damaged mails, any bytes."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.mail import structure
from mailbot.core.mail.decode import decode
from mailbot.core.mail.limits import PARTS_MAX
from mailbot.core.mail.model import Defect, DefectCode, IncomingMail
from mailbot.core.mail.reading import read_mail
from mailbot.core.mail.wire import from_json, to_json
from tests.unit import hostile
from tests.unit.hostile import HEAD, attached, html, nested_multiparts, plain, word

TEXTS = {"text", "html"}
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
FORBIDDEN_LINE = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
)  # fmt: skip


def check(value: Any, name: str = "") -> None:
    """Every string of a mail, however deep, is clean."""
    if isinstance(value, str):
        rule = FORBIDDEN if name in TEXTS else FORBIDDEN_LINE
        assert not rule.search(value), (name, value[:200])
    elif isinstance(value, tuple):
        for one in value:
            check(one, name)
    elif is_dataclass(value):
        for one in fields(value):
            check(getattr(value, one.name), one.name)


def read(raw: bytes, complete: bool = True) -> IncomingMail:
    mail = decode(raw, complete=complete)
    check(mail)
    assert from_json(to_json(mail)) == mail
    assert mail.size == len(raw)
    assert len(mail.defects) == len(set(mail.defects))
    assert DefectCode.PARSER_FAILED not in {d.code for d in mail.defects}
    for moment in (mail.date, *mail.received):
        assert moment is None or moment.astimezone(UTC)
    return mail


@pytest.mark.parametrize("name", hostile.CASES)
def test_a9_a10_hostile_mails(name: str) -> None:
    mail = read(hostile.CASES[name]())
    attachments = len(mail.attachments) + sum(len(n.attachments) for n in mail.nested)
    assert attachments <= PARTS_MAX
    assert len(to_json(mail)) < 8_000_000
    assert read_mail(b"Subject: next\r\n\r\nx").subject == "next"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("subject of 1 MB", DefectCode.HEADERS_CUT),
        ("20,000 encoded words", DefectCode.HEADERS_CUT),
        ("50,000 addresses", DefectCode.HEADERS_CUT),
        ("100,000 header fields", DefectCode.HEADERS_CUT),
        ("100,000 References", DefectCode.HEADERS_CUT),
        ("20,000 Content-Type parameters", DefectCode.HEADERS_CUT),
        ("10,000 parts", DefectCode.PARTS_CUT),
        ("100,000 parts", DefectCode.PARTS_CUT),
        ("depth 30", DefectCode.DEPTH_CUT),
        ("depth 300", DefectCode.DEPTH_CUT),
        ("depth 1,000", DefectCode.DEPTH_CUT),
        ("depth 3,000", DefectCode.DEPTH_CUT),
        ("mails in mails 300", DefectCode.DEPTH_CUT),
        ("1,000 mails in one", DefectCode.DEPTH_CUT),
        ("tnef of many objects", DefectCode.TNEF_UNREADABLE),
        ("text of bidi controls", DefectCode.CONTROL_REMOVED),
        ("text without line ends", DefectCode.TEXT_CUT),
    ],
)
def test_a9_a10_what_was_cut_is_told(name: str, code: DefectCode) -> None:
    assert code in {d.code for d in decode(hostile.CASES[name]()).defects}


def test_what_stands_before_the_cut_is_read() -> None:
    mail = decode(hostile.CASES["100,000 parts"]())
    assert (mail.subject, mail.author and mail.author.name) == ("s", "张三")
    assert mail.text.startswith("x")
    assert decode(hostile.CASES["20,000 encoded words"]()).subject.startswith("信息信息信息")


def test_what_lies_too_deep_is_still_an_attachment() -> None:
    raw = nested_multiparts(30)
    assert sum(a.size for a in decode(raw).attachments) > 100


BASE = [
    plain(word("农牧局+李堃") + b"\r\n " + word("的信息", "gb18030"), "正文".encode("gbk"),
          b"Message-ID: <1@x>\r\nDate: Mon, 3 Aug 2026 10:00:00 +0800\r\nReferences: <a@b> <c@d>\r\n"),
    attached(b"PK\3\4 rubbish", word("材料.docx", "gb18030")),
    attached(b"%PDF-1.4", "材料.pdf".encode("gbk")).replace(b"\r\n", b"\n"),
    html("<p>正文</p><a href=https://wx.mail.qq.com/ftn/x>a.docx</a>".encode()),
    nested_multiparts(3),
    HEAD + b'Content-Type: multipart/report; report-type=x; boundary="b"\r\n\r\n--b\r\n\r\nx\r\n--b\r\n'
    b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ny\r\n--b\r\nContent-Type: text/calendar\r\n\r\n"
    b"BEGIN:VCALENDAR\r\nMETHOD:X\r\nBEGIN:VEVENT\r\nSUMMARY:s\r\n--b--\r\n",
    hostile.attached(b"\x78\x9f\x3e\x22" + b"\1\0" * 50, b"winmail.dat"),
]  # fmt: skip
SPICE = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b"=?utf-8?B?", b"=?gbk?Q?", b"?=", b"--b", b"--b--", b'"',
    b"<", b">", b"(", b";", b":", b"\xff", b"\xc4\xe3", "农".encode(), b"\x1b$)A\x0e", b"~{", b"\xff\xfe", b"%E4",
    b"filename*0*=", b"charset=utf-7", b"charset=idna", b"charset=\"undefined\"", b"charset=utf-16",
    b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: message/rfc822\r\n",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-Type: text/html\r\n", b"From: x\r\n",
    "\u202e\u200b\u2028\u0085".encode(), b"=?utf-16?B?2AA=?=", b"=?utf-8?B?7aCA?=", b"9999",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    raw = bytearray(draw(st.sampled_from(BASE)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(raw)))
        length = draw(st.integers(0, 12))
        piece = draw(st.one_of(st.sampled_from(SPICE), st.binary(max_size=4)))
        raw[at : at + length] = piece
    return bytes(raw[: draw(st.integers(0, len(raw)))]) if draw(st.booleans()) else bytes(raw)


@settings(max_examples=200, deadline=None)
@given(mutated(), st.booleans())
def test_e3_damaged_mails(raw: bytes, complete: bool) -> None:
    read(raw, complete)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(SPICE), max_size=30).map(b"".join))
def test_nothing_but_trouble(raw: bytes) -> None:
    read(raw)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_e3_any_bytes(raw: bytes) -> None:
    read(raw)


# Without the letters (Arabic, Syriac ...) that two GBK characters may look like in UTF-8.
LETTERS = st.characters(max_codepoint=0x24F) | st.characters(min_codepoint=0x900)


@settings(max_examples=100, deadline=None)
@given(
    st.text(LETTERS, max_size=40),
    st.sampled_from(["utf-8", "gb18030"]),
    st.sampled_from(["B", "Q"]),
)
def test_any_text_in_a_subject(text: str, charset: str, encoding: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    mail = read(plain(word(text, charset, encoding)))
    printable = "".join(c for c in text if c.isprintable() and c != " " and c.isalnum())
    assert [c for c in printable if c not in mail.subject] == []


def test_a_failing_mail_parser_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: bytes) -> None:
        raise TypeError("expected string or bytes-like object")

    monkeypatch.setattr(structure.mailparser, "parse_from_bytes", fail)
    mail = decode(attached(b"%PDF-1.4", b"a.pdf"))
    assert (mail.text, mail.attachments[0].name) == ("body", "a.pdf")
    assert (
        Defect(DefectCode.STRUCTURE_DAMAGED, "mail", "mail-parser failed (TypeError)")
        in mail.defects
    )

    monkeypatch.setattr(structure.email, "message_from_bytes", fail)
    mail = decode(attached(b"%PDF-1.4", b"a.pdf"))
    assert {d.code for d in mail.defects} >= {DefectCode.PARSER_FAILED}
    assert (mail.subject, mail.author and mail.author.addr) == ("s", "zhangsan@163.com")


def test_a_bug_of_ours_is_told_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("mailbot.core.mail.decode.read_structure", fail)
    mail = decode(b"Subject: x\r\n\r\n")
    assert mail.defects == (Defect(DefectCode.PARSER_FAILED, "mail", "ZeroDivisionError"),)
    assert mail.size == 14


def test_no_word_of_a_mail_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        decode(plain(b"=?utf-8?B?\xe6\x9c\xba*secretword*?= =?utf-8?B?a?=", b"x"))
        decode(attached(b"\x78\x9f\x3e\x22" + b"secretword" * 20, b"winmail.dat"))
    assert "secretword" not in caplog.text


@pytest.mark.parametrize("case", ["secret in the page only", "secret in a nested mail"])
def test_secrets_are_found_where_they_hide(case: str) -> None:
    if case == "secret in the page only":
        raw = (
            HEAD
            + b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\n\r\nplain\r\n--b\r\n'
            + (
                "Content-Type: text/html; charset=utf-8\r\n\r\n<p>机密★1年</p>\r\n--b--\r\n".encode()
            )
        )
    else:
        raw = attached("Subject: 机密★1年\r\n\r\nx".encode(), b"a.eml")
    assert any(not mark.hold_only for mark in read_mail(raw).secrets)
    assert decode(raw).secrets == ()


@pytest.mark.parametrize("field", ["Subject", "Thread-Topic", "Keywords"])
def test_secrets_beside_the_subject_are_found(field: str) -> None:
    second = f"Subject: 农牧局+春耕\r\n{field}: 机密★1年\r\n\r\nx".encode()
    assert [(m.rule, m.where) for m in read_mail(second).secrets] == [("level-star", "subject")]
    assert not read_mail(f"Subject: 春耕\r\n{field}: 商业秘密\r\n\r\nx".encode()).secrets
