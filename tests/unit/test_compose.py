"""The mail that goes out, read back by a stranger's parser."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from email.header import decode_header
from email.message import EmailMessage, Message
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.letters.answers import Rendered
from mailbot.core.mail.compose import (
    HEADERS,
    MAX_ID,
    MAX_REFERENCES,
    compose,
    usable_address,
    usable_id,
)

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
