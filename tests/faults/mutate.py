"""Ways to damage a mail, as servers, clients and attackers do: structure more than single bytes."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

FIXTURES = Path(__file__).parents[2] / "fixtures" / "emails"

_CHARSETS = ["gb2312", "gbk", "gb18030", "utf-8", "utf-7", "utf-16", "big5", "hz-gb-2312", "idna", "rot13",
             "punycode", "unicode_escape", "undefined", "x-gbk", "iso-2022-cn", "us-ascii", "\x00", "zlib"]  # fmt: skip
_PIECES = [b"\r\n", b"\n", b"\r", b"\0", b"\r\n\r\n", b"=?utf-8?B?", b"?=", b"=?gbk?Q?=C4?=", b'"', b"<", b">",
           b"(" * 40, b"\xff\xfe", "农牧局+".encode("gbk"), "【】（".encode(), "\u202e\u2028\u200b".encode(),
           b"{{7*7}}", b"%s{0.__class__}", b"\r\nBcc: a@example.com", b"=2+5+cmd", b"<script>", b"' OR 1=1 --",
           "机密★".encode(), b"Auto-Submitted: no", b"X-Mailbot-Id: 1", b"9" * 40]  # fmt: skip
_FIELDS = [b"Subject: ", b"From: ", b"Content-Type: ", b"Content-Transfer-Encoding: ", b"Message-ID: ",
           b"Date: ", b"In-Reply-To: ", b"Auto-Submitted: ", b"Return-Path: ", b"Reply-To: ", b"List-Id: "]  # fmt: skip


@cache
def fixtures() -> tuple[bytes, ...]:
    return tuple(p.read_bytes() for p in sorted(FIXTURES.glob("*.eml")))


def damaged(seed: int) -> bytes:
    """A fixture with up to five damages; the same for the same seed."""
    dice = random.Random(seed)
    raw = dice.choice(fixtures())
    for _ in range(dice.randint(1, 5)):
        raw = dice.choice(DAMAGES)(raw, dice)
    return raw


def _cut(raw: bytes, dice: random.Random) -> bytes:
    return raw[: dice.randint(0, len(raw))]


def _insert(raw: bytes, dice: random.Random) -> bytes:
    at = dice.randint(0, len(raw))
    return raw[:at] + dice.choice(_PIECES) + raw[at + dice.randint(0, 8) :]


def _flip(raw: bytes, dice: random.Random) -> bytes:
    out = bytearray(raw)
    for _ in range(min(len(out), dice.randint(1, 20))):
        out[dice.randrange(len(out))] = dice.randrange(256)
    return bytes(out)


def _splice(raw: bytes, dice: random.Random) -> bytes:
    """The head of one mail, the rest of another."""
    other = dice.choice(fixtures())
    return raw[: dice.randint(0, len(raw))] + other[dice.randint(0, len(other)) :]


def _repeat(raw: bytes, dice: random.Random) -> bytes:
    """A stretch many times over: headers, parts, quotes."""
    start = dice.randint(0, len(raw))
    piece = raw[start : start + dice.randint(1, 400)]
    return raw[:start] + piece * dice.choice([2, 5, 50, 500]) + raw[start:]


def _charset(raw: bytes, dice: random.Random) -> bytes:
    name = dice.choice(_CHARSETS).encode()
    return re.sub(rb"(?i)(charset=\"?|=\?)(gb\w+|utf-8|us-ascii)", lambda m: m[1] + name, raw)


def _boundary(raw: bytes, dice: random.Random) -> bytes:
    found = re.search(rb'(?i)boundary="?([^"\r\n;]+)', raw)
    if not found:
        return b'Content-Type: multipart/mixed; boundary="b"\r\n' + raw
    by = dice.choice([b"", b"other", found[1] + b"--", b"x" * 2_000])
    return raw.replace(found[1], by, dice.randint(1, 4))


def _encoding(raw: bytes, dice: random.Random) -> bytes:
    name = dice.choice(
        [b"base64", b"quoted-printable", b"8bit", b"uuencode", b"x-unknown", b"binary"]
    )
    return re.sub(rb"(?i)(Content-Transfer-Encoding: *)[\w-]+", lambda m: m[1] + name, raw)


def _field(raw: bytes, dice: random.Random) -> bytes:
    """A field more, or a long one."""
    value = dice.choice(_PIECES) * dice.choice([1, 1, 30, 3_000])
    return dice.choice(_FIELDS) + value + b"\r\n" + raw


def _line_ends(raw: bytes, dice: random.Random) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\n", dice.choice([b"\n", b"\r", b"\r\n", b"\n\n"]))


def _nest(raw: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.choice([1, 3, 40])):
        raw = b"Subject: Fw: x\r\nFrom: a@example.com\r\nContent-Type: message/rfc822\r\n\r\n" + raw
    return raw


def _attach(raw: bytes, dice: random.Random) -> bytes:
    """Something that says it is a document."""
    magic = dice.choice([b"PK\3\4", b"%PDF-1.7", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"Rar!\x1a\x07",
                         b"\x78\x9f\x3e\x22", b"7z\xbc\xaf\x27\x1c", b"{\\rtf1"])  # fmt: skip
    data = base64.encodebytes(magic + dice.randbytes(dice.randint(0, 3_000)))
    return (
        b"From: zhangsan@example.com\r\nSubject: =?gbk?B?xanEwb7W?=+x+y+7622029\r\n"
        b'Content-Type: multipart/mixed; boundary="q"\r\n\r\n--q\r\n' + raw + b"\r\n--q\r\n"
        b'Content-Type: application/octet-stream; name="a.docx"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + data + b"--q--\r\n"
    )


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut, _insert, _insert, _flip, _splice, _repeat, _charset, _boundary, _encoding, _field, _line_ends,
    _nest, _attach,
)  # fmt: skip
