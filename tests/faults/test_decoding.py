"""Faults E1 to E3: what clients really write, read without a lost or an invented character.

The single decoders are shown in `tests/unit/test_charsets.py` and `test_decode_*`; here whole mails
go through intake.
"""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from mailbot.core.mail.model import DefectCode
from tests.integration.intake_help import ARTICLE, World

LINE = "农牧局+王喆朱镕基李堃𠮷考察牧区+王喆+7622029"
PLAIN = "农牧局+朱镕基李堃考察牧区+王喆+7622029"
"""Without the character that GB18030 writes in four bytes."""
HEAD = b"From: liaison@example.com\r\nTo: xinxi@example.org\r\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def b64(label: str, data: bytes) -> bytes:
    return b"=?" + label.encode() + b"?B?" + base64.b64encode(data) + b"?="


def cut_in_a_character(label: str, data: bytes) -> bytes:
    return b"\r\n ".join(b64(label, data[i : i + 7]) for i in range(0, len(data), 7))


SUBJECTS = {
    "raw UTF-8": LINE.encode(),
    "raw GBK": PLAIN.encode("gbk"),
    "raw GB18030": LINE.encode("gb18030"),
    "gb2312 label, GBK bytes": b64("gb2312", PLAIN.encode("gbk")),
    "gb2312 label, GB18030 bytes": b64("GB2312", LINE.encode("gb18030")),
    "x-gbk": b64("x-gbk", PLAIN.encode("gbk")),
    "cp936": b64("cp936", PLAIN.encode("gbk")),
    "utf-8 label, GBK bytes": b64("utf-8", PLAIN.encode("gbk")),
    "gbk label, UTF-8 bytes": b64("gbk", LINE.encode()),
    "unknown-8bit": b64("unknown-8bit", LINE.encode()),
    "split, GBK": cut_in_a_character("gbk", PLAIN.encode("gbk")),
    "split, UTF-8": cut_in_a_character("utf-8", LINE.encode()),
    "no padding": b64("utf-8", LINE.encode()).replace(b"==?=", b"?=").replace(b"=?=", b"?="),
    "language tag": b64("utf-8*zh", LINE.encode()),
    "quoted word": b'"' + b64("utf-8", LINE.encode()) + b'"',
    "lower b": b64("utf-8", LINE.encode()).replace(b"?B?", b"?b?"),
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_e1_the_exact_subject(world: World, name: str) -> None:
    settled = world.receive(HEAD + b"Subject: " + SUBJECTS[name] + b"\r\n\r\n" + ARTICLE.encode())
    wanted = (
        LINE if LINE.encode("gb18030") in SUBJECTS[name] or "𠮷" in settled.mail.subject else PLAIN
    )
    assert settled.mail.subject.strip('"') == wanted
    ((title,),) = world.rows("select title from item_version")
    assert title in wanted and "喆" in settled.mail.subject


FILE = "王喆考察李堃.txt"
FILE_NAMES = {
    "raw GBK": b'filename="' + FILE.encode("gbk") + b'"',
    "raw UTF-8": b'filename="' + FILE.encode() + b'"',
    "gb2312 label": b'filename="' + b64("gb2312", FILE.encode("gbk")) + b'"',
    "2231 gb2312": b"filename*=gb2312''"
    + "".join(f"%{b:02X}" for b in FILE.encode("gbk")).encode(),
    "2231 in pieces": b"filename*0*=utf-8''%E7%8E%8B%E5; filename*1*=%96%86%E8%80%83"
    b'%E5%AF%9F; filename*2=""; filename*3*=%E6%9D%8E%E5%A0%83.txt',
}


@pytest.mark.parametrize("name", FILE_NAMES)
def test_e1_the_exact_file_name(world: World, name: str) -> None:
    raw = (
        HEAD + b"Subject: " + LINE.encode() + b'\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\n\r\nx\r\n--b\r\nContent-Disposition: attachment; " + FILE_NAMES[name] + b"\r\n\r\n"
        + ARTICLE.encode() + b"\r\n--b--\r\n"
    )  # fmt: skip
    settled = world.receive(raw)
    assert [a.name for a in settled.mail.attachments] == [FILE]


@pytest.mark.parametrize(
    "data",
    [
        b"\xc5\xff\xff\xc4\xff",
        "农牧局".encode("gbk")[:-1] + b"\xff\xff",
        b"\x81\x00\xfe\xfe\x80",
        b"a\xe5\x86b\xff",
    ],
    ids=ascii,
)
def test_e1_bytes_of_no_charset_are_marked_and_the_raw_is_kept(world: World, data: bytes) -> None:
    """U+FFFD and a defect; the mail's bytes are in the archive."""
    raw = HEAD + b"Subject: " + b64("utf-8", data) + b"\r\n\r\n" + ARTICLE.encode()
    settled = world.receive(raw)
    codes = {d.code for d in settled.mail.defects}
    assert DefectCode.BYTES_REPLACED in codes
    assert "\ufffd" in settled.mail.subject
    assert world.archive.get(settled.mail.sha256) == raw


@pytest.mark.parametrize(
    "folded",
    [
        b"\r\n ".join(LINE[i : i + 4].encode() for i in range(0, len(LINE), 4)),
        b"\r\n " + b64("utf-8", LINE.encode()),
        b64("utf-8", LINE[:9].encode()) + b"\r\n\t" + b64("utf-8", LINE[9:].encode()),
        b64("utf-8", LINE[:9].encode()) + b"\n " + b64("gbk", LINE[9:].encode("gb18030")),
        b64("utf-8", (LINE[:9] + "\r\n " + LINE[9:]).encode()),
        b"\r\n \r\n " + LINE.encode() + b"\r\n ",
    ],
    ids=range(6),
)
def test_e2_no_line_end_is_left_in_a_subject(world: World, folded: bytes) -> None:
    settled = world.receive(HEAD + b"Subject: " + folded + b"\r\n\r\n" + ARTICLE.encode())
    subject = settled.mail.subject
    assert not set("\r\n\t") & set(subject)
    assert subject.replace(" ", "") == LINE
    for (stored,) in world.rows(
        "select subject from inbound union all select title from item_version"
    ):
        assert not set("\r\n") & set(stored)
    assert b"\r\nSubject" in world.sent()[0].raw


def multipart(body: bytes, boundary: bytes = b'; boundary="b"') -> bytes:
    return (
        HEAD
        + b"Subject: "
        + LINE.encode()
        + b"\r\nContent-Type: multipart/mixed"
        + boundary
        + b"\r\n\r\n"
        + body
    )


TROUBLE = {
    "unknown charset": HEAD + b"Subject: x\r\nContent-Type: text/plain; charset=martian\r\n\r\n" + ARTICLE.encode(),
    "wrong base64": HEAD + b"Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!=A=B\xff",
    "cut multipart": multipart(b"--b\r\n\r\ntext\r\n--b\r\nContent-Disposition: attachment; filename=a.do"),
    "no boundary": multipart(b"--x\r\n\r\ntext", b""),
    "headers only": HEAD + b"Subject: x\r\n",
    "no blank line": HEAD + b"Subject: x",
    "empty": b"",
    "one byte": b"\x00",
    "NULs": HEAD + b"Subject: a\x00b\r\n\r\n" + b"\x00" * 500,
    "UTF-16": (HEAD + b"Subject: x\r\n\r\n").decode().encode("utf-16"),
    "UTF-16 body": HEAD + b"Content-Type: text/plain; charset=utf-16\r\n\r\n" + ARTICLE.encode("utf-16"),
    "CR only": (HEAD + b"Subject: " + LINE.encode() + b"\r\n\r\n" + ARTICLE.encode()).replace(b"\r\n", b"\r"),
    "LF only": (HEAD + b"Subject: " + LINE.encode() + b"\r\n\r\n" + ARTICLE.encode()).replace(b"\r\n", b"\n"),
    "mbox From line": b"From x@y Mon Aug  3 10:00:00 2026\r\n" + HEAD + b"Subject: x\r\n\r\ny",
    "body first": b"\r\n\r\nno header at all",
    "lone surrogates": HEAD + b"Subject: =?utf-8?B?7aCA?=\r\n\r\n\xed\xa0\x80",
    "binary": bytes(range(256)) * 20,
    "only spaces": b" \r\n \t\r\n",
    "header without colon": b"nonsense\r\n" + HEAD + b"\r\nx",
}  # fmt: skip


@pytest.mark.parametrize("name", TROUBLE)
def test_e3_it_ends_as_an_item_or_with_a_person(world: World, name: str) -> None:
    """Never as an exception: the mails beside it are taken in as ever."""
    world.box.put(TROUBLE[name], world.clock.time)
    good = HEAD + b"Subject: " + LINE.encode() + b"\r\n\r\n" + ARTICLE.encode() + name.encode()
    world.box.put(good, world.clock.time)
    report = world.run()
    assert report.faults == []
    assert [r.state for r in world.rows("select state from inbound")] == ["settled"] * 2
    first, second = world.log
    assert second.decision.kind.value in ("accept", "hold")
    assert first.decision.kind.value != "accept" or first.items
    assert first.decision.kind.value in ("accept", "return", "ignore") or first.decision.task
    assert "bug" not in world.tasks()
    if name in ("CR only", "LF only"):
        assert first.mail.subject == LINE


@pytest.mark.parametrize("name", ["CR only", "UTF-16 body", "unknown charset"])
def test_e3_what_can_be_read_is_read(world: World, name: str) -> None:
    settled = world.receive(TROUBLE[name])
    assert ARTICLE[:40] in settled.mail.text
