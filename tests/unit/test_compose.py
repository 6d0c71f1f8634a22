"""The mail that goes out, read back by a stranger's parser."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from email.header import decode_header
from email.message import EmailMessage, Message
from typing import Any

import mailparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.letters.answers import Rendered
from mailbot.core.mail.bodyparts import MAX_FILE_NAME, file_name
from mailbot.core.mail.compose import (
    HEADERS,
    MAX_ID,
    MAX_REFERENCES,
    compose,
    usable_address,
    usable_id,
)
from mailbot.core.mail.decode import decode, part_bytes
from mailbot.core.mail.enclosures import DOCX, PDF, XLSX, Enclosure, InlineImage

WHEN = datetime(2026, 8, 12, 9, 31, 5, tzinfo=timezone(timedelta(hours=8)))
LETTER = Rendered(
    "[EQ202608-0012] 已收到：春耕备耕工作进展顺利",
    "农牧局：\n\n您报送的信息已收到。\n.\n",
    "<html><body>农牧局：您报送的信息已收到。</body></html>\n",
)
OPTIONAL = {"In-Reply-To", "References"}


def built(rendered: Rendered = LETTER, **changes: Any) -> bytes:
    given_: dict[str, Any] = {
        "from_addr": "xinxi@example.com",
        "from_name": "某某旗信息室",
        "to_addr": "zhangsan@example.org",
        "message_id": "mb.abc.def@example.com",
        "date": WHEN,
        "in_reply_to": "first@example.org",
        "references": (),
        "auto_submitted": "auto-replied",
        "mark": "abc.def",
    }
    return compose(rendered=rendered, **(given_ | changes))


def read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def header_text(raw: bytes, name: str) -> str:
    """Decoded word by word, so that a character cut between two words would show."""
    value = email.message_from_bytes(raw)[name]
    words = [
        part.decode(charset or "ascii") if isinstance(part, bytes) else part
        for part, charset in decode_header(re.sub(r"\r\n(?=[ \t])", "", value))
    ]
    return "".join(words)


def names(raw: bytes) -> list[str]:
    return list(email.message_from_bytes(raw).keys())


def references(raw: bytes) -> list[str]:
    return re.findall(r"<([^<>]*)>", email.message_from_bytes(raw)["References"] or "")


def test_says_what_an_automatic_reply_must_say() -> None:
    raw = built(references=["zero@example.org"])
    message = read(raw)
    assert names(raw) == list(HEADERS)
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["X-Mailbot-Id"] == "abc.def"
    assert message["Message-ID"] == "<mb.abc.def@example.com>"
    assert message["In-Reply-To"] == "<first@example.org>"
    assert references(raw) == ["zero@example.org", "first@example.org"]
    assert message["Date"].datetime == WHEN
    assert message["To"] == "zhangsan@example.org"
    assert message["From"].addresses[0].display_name == "某某旗信息室"
    assert message["From"].addresses[0].addr_spec == "xinxi@example.com"
    assert message["Subject"] == LETTER.subject


def test_both_parts_come_back_whole() -> None:
    message = read(built())
    assert message.get_content_type() == "multipart/alternative"
    kinds = [p.get_content_type() for p in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    texts = [p.get_content().replace("\r\n", "\n") for p in message.iter_parts()]
    assert texts == [LETTER.text, LETTER.html]


def test_the_same_letter_is_the_same_bytes_and_another_id_another_boundary() -> None:
    assert built() == built()
    boundaries = {
        read(built(message_id=f"mb.{n}@example.com")).get_boundary() for n in ("one", "two")
    }
    assert len(boundaries) == 2


@pytest.mark.parametrize("length", range(1, 60))
def test_long_subjects_are_cut_between_characters(length: int) -> None:
    subject = "a" * (length % 4) + "镕堃𠮷农" * length
    raw = built(Rendered(subject, "x", "x"))
    words = re.findall(rb"=\?UTF-8\?B\?[^?]+\?=", raw)
    assert all(len(w) <= 75 for w in words)
    assert header_text(raw, "Subject") == (subject if len(subject) <= 200 else subject[:199] + "…")


@pytest.mark.parametrize(
    "name", ["", "Office", "Info (Office), Banner", '张三" <x@evil.cn>', "=?x?"]
)
def test_display_names_stay_names(name: str) -> None:
    message = read(built(from_name=name))
    assert [a.addr_spec for a in message["From"].addresses] == ["xinxi@example.com"]
    assert message["From"].addresses[0].display_name == name


@pytest.mark.parametrize(
    "unusable",
    [
        None,
        "",
        "no-at-sign",
        "<a@b> <c@d>",
        "a b@example.org",
        "a@example.org\r\nBcc: x@example.org",
        "张三@example.org",
        "x" * 10_000 + "@example.org",
        "a@b\x00",
        "<<a@b>>",
        "@",
        "a@",
    ],
)
def test_unusable_ids_are_left_out(unusable: str | None) -> None:
    raw = built(in_reply_to=unusable, references=[unusable] if unusable else [])
    assert set(HEADERS) - set(names(raw)) == OPTIONAL
    kept = built(in_reply_to=unusable, references=[*([unusable] if unusable else []), "ok@a.cn"])
    assert references(kept) == ["ok@a.cn"]


@pytest.mark.parametrize(
    "usable",
    ["a@b", "tencent_0123ABC@qq.com", "x$y!z@[10.0.0.1]", "a@b@c", "2026.8/12=x_y@h-1.example"],
)
def test_odd_but_harmless_ids_are_quoted_back(usable: str) -> None:
    assert references(built(in_reply_to=usable)) == [usable]
    assert usable_id(f" <{usable}> ") == usable


def test_a_hostile_thread_is_bounded_and_keeps_its_first_id() -> None:
    ids = [f"{n:05}{'x' * (MAX_ID - 20)}@example.org" for n in range(5000)]
    raw = built(references=ids, in_reply_to=ids[-1])
    found = references(raw)
    assert len(found) == MAX_REFERENCES
    assert (found[0], found[-1]) == (ids[0], ids[-1])
    assert max(map(len, raw.split(b"\r\n"))) < 998


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@b@c",
        "a@b, c@d",
        "a b@example.org",
        "<a@b.cn>",
        "a@b.cn\r\nBcc: c@d.cn",
        "张三@example.org",
        '"a b"@example.org',
        "a@example..org",
        "a@-x.cn",
        "a@[127.0.0.1]",
        "x" * 65 + "@example.org",
    ],
)
def test_an_address_no_letter_can_carry_is_refused(address: str) -> None:
    assert not usable_address(address)
    with pytest.raises(ValueError, match="address"):
        built(to_addr=address)


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": "a b"},
        {"message_id": "a@b>\r\nX: y"},
        {"mark": "a\r\nb"},
        {"mark": ""},
        {"date": datetime(2026, 8, 12)},
        {"auto_submitted": "no"},
    ],
)
def test_what_is_not_ours_to_send_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        built(**changes)


anything = st.text(alphabet=st.characters(), max_size=300) | st.sampled_from(
    ["\r\nBcc: x@evil.cn\r\n\r\nbody", "\u2028X-A: b", "a\x85b", "\ud800", "=?utf-8?B?Cg==?="]
)


@settings(max_examples=200, deadline=None)
@given(
    subject=anything,
    text=anything,
    html=anything,
    name=anything,
    parent=st.none() | anything,
    thread=st.lists(anything, max_size=30),
)
def test_nothing_a_stranger_writes_becomes_a_header(
    subject: str, text: str, html: str, name: str, parent: str | None, thread: Sequence[str]
) -> None:
    raw = built(
        Rendered(subject, text, html), from_name=name, in_reply_to=parent, references=thread
    )
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) < 998
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert raw.endswith(b"--\r\n")
    assert [n for n in names(raw) if n not in OPTIONAL] == [n for n in HEADERS if n not in OPTIONAL]
    assert len(names(raw)) == len(set(names(raw)))
    message: Message = email.message_from_bytes(raw)
    assert not message.defects
    parts = message.get_payload()
    assert isinstance(parts, list) and len(parts) == 2
    assert all(list(p.keys()) == ["Content-Type", "Content-Transfer-Encoding"] for p in parts)  # type: ignore[union-attr]
    got = parts[0].get_payload(decode=True)  # type: ignore[union-attr]
    expected = re.sub(r"\r\n?|\n", "\n", text).replace("\x00", "").encode("utf-8", "replace")
    assert isinstance(got, bytes) and got.replace(b"\r\n", b"\n") == expected


# --- files and images -----------------------------------------------------------------------

BYTES_BEFORE = "da3b09036f58b3ad91129fce9d5d9756f696eaa66ea7514268e90f2e5a5bd77b"
"""SHA-256 of `built()` since letters without files were first sent: a resend is byte for byte the
first send, so a change here is a change of every stored letter."""

DOCX_BYTES = b"PK\x03\x04" + bytes(range(256)) * 40
PICTURE = b"\x89PNG\r\n\x1a\n" + b"\x00\xff\r\n--" * 30
CIRCULAR = Enclosure("关于2026年第三季度政务信息报送情况的通报.docx", DOCX, DOCX_BYTES)
CHART = InlineImage("points@mailbot", PICTURE)
SHOWN = Rendered("通报", "第3位", '<html><body><img src="cid:points@mailbot"></body></html>')


def shape(message: Message) -> Any:
    """Content types as nested lists, and no defect anywhere."""
    assert not message.defects
    if not message.is_multipart():
        return message.get_content_type()
    return [message.get_content_subtype(), *(shape(p) for p in message.get_payload())]  # type: ignore[arg-type, union-attr]


def test_a_letter_without_files_is_byte_for_byte_what_it_was() -> None:
    assert hashlib.sha256(built()).hexdigest() == BYTES_BEFORE


@pytest.mark.parametrize(
    ("files", "images", "expected"),
    [
        ((), (), ["alternative", "text/plain", "text/html"]),
        ((CIRCULAR,), (), ["mixed", ["alternative", "text/plain", "text/html"], DOCX]),
        ((), (CHART,), ["related", ["alternative", "text/plain", "text/html"], "image/png"]),
        (
            (CIRCULAR, CIRCULAR),
            (CHART, InlineImage("second", PICTURE)),
            [
                "mixed",
                [
                    "related",
                    ["alternative", "text/plain", "text/html"],
                    "image/png",
                    "image/png",
                ],
                DOCX,
                DOCX,
            ],
        ),
    ],
)
def test_only_the_levels_that_are_needed(
    files: Sequence[Enclosure], images: Sequence[InlineImage], expected: Any
) -> None:
    raw = built(SHOWN, files=files, images=images)
    assert raw == built(SHOWN, files=files, images=images)
    message = read(raw)
    assert shape(message) == expected
    levels = [p for p in message.walk() if p.is_multipart()]
    assert len({p.get_boundary() for p in levels}) == len(levels)
    for level in levels:
        # As often as it has parts, and once to close: so never in a content.
        marks = raw.count(f"\r\n--{level.get_boundary()}".encode())
        assert marks == len(level.get_payload()) + 1
    assert max(map(len, raw.split(b"\r\n"))) < 998 and raw.isascii()


def test_an_image_is_what_the_html_points_to() -> None:
    message = read(built(SHOWN, images=[CHART], files=[CIRCULAR]))
    image = next(p for p in message.walk() if p.get_content_type() == "image/png")
    assert image["Content-ID"] == "<points@mailbot>"
    assert image.get_content_disposition() == "inline"
    assert image.get_payload(decode=True) == PICTURE
    related = next(p for p in message.walk() if p.get_content_subtype() == "related")
    assert related.get_param("type") == "multipart/alternative"  # RFC 2387 §3.1
    ours = decode(built(SHOWN, images=[CHART], files=[CIRCULAR]))
    assert [(a.name, a.inline) for a in ours.attachments] == [
        ("chart1.png", True),
        (CIRCULAR.name, False),
    ]


FILE_NAMES = [
    "tongbao.docx",
    "Q3 (final) - copy_2.xlsx",
    "计分明细.xlsx",
    "报" * 120 + ".docx",
    "镕喆堃𠮷𫚉䶮·朝克图 ᠮᠣᠩᠭᠣᠯ.pdf",
    '关于"放管服"的/通报\\一.docx',
    'a"b/c\\d.docx',
    "100%完成;附件=1,'单引号'*星*.docx",
    "x" * 150 + ".docx",
    "鄂前政办发〔2026〕12号 关于2026年第三季度政务信息报送情况的通报（附计分明细）.docx",
    "é́.docx",
]


@pytest.mark.parametrize("name", FILE_NAMES)
def test_every_reader_finds_name_and_bytes_again(name: str) -> None:
    raw = built(files=[Enclosure(name, DOCX, DOCX_BYTES), Enclosure("后.pdf", PDF, b"%PDF-1.7")])
    _found_again(raw, [(name, DOCX_BYTES), ("后.pdf", b"%PDF-1.7")])


def _found_again(raw: bytes, expected: list[tuple[str, bytes]]) -> None:
    modern = [p for p in read(raw).walk() if p.get_content_disposition() == "attachment"]
    assert [(p.get_filename(), p.get_payload(decode=True)) for p in modern] == expected
    old = [p for p in email.message_from_bytes(raw).walk() if p.get_filename()]
    assert [(p.get_filename(), p.get_payload(decode=True)) for p in old] == expected
    for part, (name, _) in zip(old, expected, strict=True):
        # What QQ reads: the encoded-words of Content-Type.
        value = re.sub(r"\r\n(?=[ \t])", "", str(part.get_param("name")))
        words = decode_header(value)
        assert "".join(w if isinstance(w, str) else w.decode(c or "ascii") for w, c in words) == (
            name
        )
    ours = decode(raw)
    assert [d for d in ours.defects if not d.where.endswith(" text")] == []
    assert [a.name for a in ours.attachments] == [n for n, _ in expected]
    assert [part_bytes(raw, a.path) for a in ours.attachments] == [b for _, b in expected]


@pytest.mark.parametrize("name", FILE_NAMES)
def test_mail_parser_finds_them_too(name: str) -> None:
    parsed = mailparser.parse_from_bytes(built(files=[Enclosure(name, DOCX, DOCX_BYTES)]))
    (found,) = parsed.attachments
    assert (found["filename"], base64.b64decode(found["payload"])) == (name, DOCX_BYTES)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("", "file"),
        ("\r\n \x00", "file"),
        ("甲\r\nBcc: x@evil.cn\u202ecod.exe", "甲 Bcc: x@evil.cncod.exe"),
        ("甲\ud800.pdf", "甲\ufffd.pdf"),
        ("=?UTF-8?B?eA==?=.pdf", "＝?UTF-8?B?eA=＝?=.pdf"),
        ("长" * 500 + ".docx", "长" * 194 + "….docx"),
        ("长" * 500, "长" * 199 + "…"),
        ("." * 500, "." * 199 + "…"),
    ],
)
def test_a_name_no_mail_can_carry_is_made_one(name: str, sent: str) -> None:
    assert file_name(name) == sent and len(sent) <= MAX_FILE_NAME
    _found_again(built(files=[Enclosure(name, PDF, b"x")]), [(sent, b"x")])


@settings(max_examples=150, deadline=None)
@given(name=anything, content=st.binary(max_size=300))
def test_no_file_disturbs_its_neighbours(name: str, content: bytes) -> None:
    around = Enclosure("前.docx", DOCX, b"\r\n.\r\n"), Enclosure("后.xlsx", XLSX, b"")
    raw = built(files=[around[0], Enclosure(name, PDF, content), around[1]])
    assert max(map(len, raw.split(b"\r\n"))) < 998 and raw.isascii()
    _found_again(raw, [("前.docx", b"\r\n.\r\n"), (file_name(name), content), ("后.xlsx", b"")])


@pytest.mark.parametrize(
    "changes",
    [
        {"images": [InlineImage("a b", PICTURE)]},
        {"images": [InlineImage("a>\r\nBcc: x", PICTURE)]},
        {"images": [InlineImage("", PICTURE)]},
        {"images": [CHART, CHART]},
        {"files": [Enclosure("x", "application/pdf\r\nX: y", b"")]},
        {"files": [Enclosure("x", "pdf", b"")]},
    ],
)
def test_parts_that_are_not_ours_to_send_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        built(**changes)
