"""Mails made to break a reader: each is named by what it does too much of.

`CASES` maps a name to a function without arguments that builds the raw mail, so that collecting the
tests costs nothing. `mutations` are ways to damage an ordinary mail.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

HEAD = b"From: =?utf-8?B?5byg5LiJ?= <zhangsan@163.com>\r\nTo: <office@163.com>\r\n"
MIXED = HEAD + b'Subject: s\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'


def word(text: str, charset: str = "utf-8", encoding: str = "B") -> bytes:
    """An encoded-word, not limited to 75 characters."""
    data = text.encode("gb18030" if charset.startswith("gb") else charset)
    if encoding == "B":
        payload = base64.b64encode(data)
    else:
        payload = b"".join(b"=%02X" % byte for byte in data)
    return b"=?%b?%b?%b?=" % (charset.encode(), encoding.encode(), payload)


def plain(subject: bytes, body: bytes = b"text\r\n", extra: bytes = b"") -> bytes:
    return HEAD + b"Subject: " + subject + b"\r\n" + extra + b"\r\n" + body


def nested_multiparts(depth: int) -> bytes:
    out = [HEAD]
    for level in range(depth):
        out.append(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level))
    out.append(b"\r\ninnermost\r\n")
    out += [b"--b%d--\r\n" % level for level in reversed(range(depth))]
    return b"".join(out)


def nested_mails(depth: int) -> bytes:
    return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"Subject: last\r\n\r\nend\r\n"


def parts(count: int) -> bytes:
    return MIXED + b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * count + b"--b--\r\n"


def _zip_of(count: int) -> bytes:
    entry = b"PK\1\2" + b"\0" * 24 + b"\1\0" + b"\0" * 16 + b"n"
    end = b"PK\5\6" + b"\0" * 8 + (47 * count).to_bytes(4, "little") + (4).to_bytes(4, "little")
    return b"PK\3\4" + entry * count + end + b"\0\0"


def attached(data: bytes, name: bytes, kind: bytes = b"application/octet-stream") -> bytes:
    return (
        MIXED
        + b"--b\r\n\r\nbody\r\n--b\r\nContent-Type: "
        + kind
        + b'\r\nContent-Disposition: attachment; filename="'
        + name
        + b'"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + base64.encodebytes(data)
        + b"--b--\r\n"
    )


def html(source: bytes) -> bytes:
    return plain(b"s", source, b"Content-Type: text/html; charset=utf-8\r\n")


CASES: dict[str, Callable[[], bytes]] = {
    "subject of 1 MB": lambda: plain(b"x" * 1_000_000),
    "subject of 1 MB raw GBK": lambda: plain("信息".encode("gbk") * 250_000),
    "subject folded 100,000 times": lambda: plain(b"x\r\n " * 100_000),
    "20,000 encoded words": lambda: plain(b"\r\n ".join([word("信息")] * 20_000)),
    "20,000 encoded words without spaces": lambda: plain(word("信") * 20_000),
    "20,000 words that never end": lambda: plain(b"=?utf-8?B?" * 20_000),
    "20,000 words of other charsets": lambda: plain(b"=?gbk?B?yc8=?= =?utf-8?B?5LiK?= " * 10_000),
    "20,000 quotes in From": lambda: b"From: " + b'"' * 20_000 + b"<a@b.cn>\r\n\r\n",
    "20,000 escaped quotes in From": lambda: b"From: " + b'\\"' * 20_000 + b"<a@b.cn>\r\n\r\n",
    "100,000 comments in From": lambda: b"From: " + b"(" * 100_000 + b"<a@b.cn>\r\n\r\n",
    "100,000 angles in From": lambda: b"From: " + b"<" * 100_000 + b"a@b.cn>\r\n\r\n",
    "50,000 addresses": lambda: HEAD + b"Cc: " + b"a@b.cn, " * 50_000 + b"\r\n\r\nx",
    "50,000 addresses, folded": lambda: HEAD + b"Cc: " + b"a@b.cn,\r\n " * 50_000 + b"\r\n\r\nx",
    "100,000 groups": lambda: HEAD + b"Reply-To: " + b"a:;" * 100_000 + b"\r\n\r\nx",
    "100,000 header fields": lambda: b"X-A: b\r\n" * 100_000 + HEAD + b"\r\nx",
    "100,000 different header fields": lambda: (
        b"".join(b"X-%d: b\r\n" % n for n in range(100_000)) + HEAD + b"\r\nx"
    ),
    "100,000 Received": lambda: (
        b"Received: from a by b; Mon, 3 Aug 2026 10:00:00 +0800\r\n" * 100_000 + HEAD + b"\r\nx"
    ),
    "5,000 Subjects": lambda: b"Subject: x\r\n" * 5_000 + HEAD + b"\r\nx",
    "500 broken header lines": lambda: HEAD + b"no field\r\nSubject: x\r\n" * 500 + b"\r\nx",
    "100,000 References": lambda: (
        HEAD + b"References: " + b"\r\n ".join(b"<%d@x>" % n for n in range(100_000)) + b"\r\n\r\nx"
    ),
    "20,000 Content-Type parameters": lambda: (
        HEAD + b"Content-Type: text/plain" + b"; a=b" * 20_000 + b"\r\n\r\nx"
    ),
    "20,000 quoted semicolons": lambda: (
        HEAD + b'Content-Type: text/plain; a="' + b";" * 20_000 + b"\r\n\r\nx"
    ),
    "200 parts of 20,000 parameters": lambda: (
        MIXED + (b"--b\r\nContent-Type: text/plain" + b"; a=b" * 20_000 + b"\r\n\r\nx\r\n") * 200
    ),
    "20,000 name continuations": lambda: (
        MIXED
        + b"--b\r\nContent-Disposition: attachment"
        + b"".join(b"; filename*%d=a" % n for n in range(20_000))
        + b"\r\n\r\nx\r\n--b--\r\n"
    ),
    "10,000 parts": lambda: parts(10_000),
    "100,000 parts": lambda: parts(100_000),
    "100,000 empty parts": lambda: MIXED + b"--b\r\n" * 100_000,
    "depth 30": lambda: nested_multiparts(30),
    "depth 300": lambda: nested_multiparts(300),
    "depth 1,000": lambda: nested_multiparts(1_000),
    "depth 3,000": lambda: nested_multiparts(3_000),
    "mails in mails 30": lambda: nested_mails(30),
    "mails in mails 300": lambda: nested_mails(300),
    "mails in mails 3,000": lambda: nested_mails(3_000),
    "1,000 mails in one": lambda: (
        MIXED + b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n" * 1_000
    ),
    "200 boundaries": lambda: (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n"
        + b"".join(
            b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1)
            for n in range(200)
        )
    ),
    "multipart that is its own child": lambda: (
        MIXED + b'--b\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n' * 500
    ),
    "body of boundary look-alikes": lambda: MIXED + b"\r\n--b " * 300_000,
    "body of line ends": lambda: MIXED + b"\r\n" * 1_000_000,
    "body of lone CR": lambda: MIXED.replace(b"\r\n", b"\r") + b"\r" * 1_000_000,
    "zip of 100,000 entries": lambda: attached(_zip_of(100_000), b"a.zip"),
    "html of 100,000 open tags": lambda: html(b"<div>" * 100_000),
    "html of 200,000 lone brackets": lambda: html(b"<" * 200_000),
    "html of unclosed comments": lambda: html(b"<!--" * 100_000),
    "html of slashes": lambda: html(b"<p" + b"/" * 300_000),
    "html of unclosed scripts": lambda: html(b"<script>" * 50_000),
    "html of a number too long": lambda: html(b"&#" + b"9" * 200_000 + b";"),
    "html of links": lambda: html(b"<a href=http://wx.mail.qq.com/ftn/a.docx>" * 20_000),
    "base64 of rubbish": lambda: plain(
        b"s", b"=A!" * 300_000, b"Content-Transfer-Encoding: base64\r\n"
    ),
    "flowed text": lambda: plain(
        b"s", b"> a \r\n" * 100_000, b"Content-Type: text/plain; format=flowed\r\n"
    ),
    "text of bidi controls": lambda: plain(b"s", "\u202e".encode() * 300_000),
    "text without line ends": lambda: plain(b"s", "信息".encode("gbk") * 500_000),
    "tnef of many objects": lambda: attached(
        b"\x78\x9f\x3e\x22\1\0" + b"\1\0\0\0\0\0\0\0\0\0\0" * 90_000, b"winmail.dat"
    ),
}
