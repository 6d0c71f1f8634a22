"""Content-Transfer-Encoding undone: base64, quoted-printable, uuencode; damage repaired and told.

Works on memoryviews, because a mail's attachments are most of its bytes and the reading child has a
memory limit. Promises: total; damage is reported, never silent.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

_FOREIGN: Final = re.compile(rb"[^A-Za-z0-9+/=\s]|=\s*[A-Za-z0-9+/]")
_BASE64_LINE: Final = re.compile(rb"(?:\A|(?<=[\r\n]))[ \t]*([A-Za-z0-9+/=]+)[ \t]*(?=[\r\n]|\Z)")
_BAD_QUOTE: Final = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*(?:[\r\n]|\Z))")
_UU_BEGIN: Final = re.compile(rb"^begin [0-7]{3,4} [^\r\n]*\r?\n", re.MULTILINE)
_IDENTITY: Final = frozenset({"", "7bit", "8bit", "binary", "7-bit", "8-bit", "none", "utf-8"})


def decode_transfer(body: bytes | memoryview, encoding: str) -> tuple[bytes, str]:
    """The decoded bytes, and what was wrong ("" when nothing). `encoding` as in the header, in
    lower case without white space."""
    if encoding == "base64":
        return _base64(body)
    if encoding == "quoted-printable":
        damage = "invalid escape in quoted-printable" if _BAD_QUOTE.search(body) else ""
        return binascii.a2b_qp(body), damage
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _uuencode(bytes(body))
    damage = "" if encoding in _IDENTITY else f"unknown encoding {encoding[:40]}"
    return bytes(body), damage


def _base64(body: bytes | memoryview) -> tuple[bytes, str]:
    if _FOREIGN.search(body) is None:
        try:
            return binascii.a2b_base64(body), ""
        except binascii.Error:
            return _base64_pieces(bytes(body)), "base64 cut or without padding"
    data = bytes(body)
    lines = _BASE64_LINE.findall(data)
    kept = sum(map(len, lines))
    if kept * 5 < len(data.strip()):
        # Mostly something else: a text that was never encoded.
        return data, "not base64 although declared so"
    return _base64_pieces(b"".join(lines)), "foreign characters in base64"


def _base64_pieces(data: bytes) -> bytes:
    """Several base64 texts one after the other, each perhaps without its padding."""
    out: list[bytes] = []
    for piece in b"".join(data.split()).split(b"="):
        usable = piece[:-1] if len(piece) % 4 == 1 else piece
        out.append(binascii.a2b_base64(usable + b"=" * (-len(usable) % 4)))
    return b"".join(out)


def _uuencode(data: bytes) -> tuple[bytes, str]:
    begin = _UU_BEGIN.search(data)
    if begin is None:
        return data, "no uuencode although declared so"
    out: list[bytes] = []
    for line in data[begin.end() :].splitlines():
        if line.strip() in (b"end", b"`", b""):
            if line.strip() == b"end":
                return b"".join(out), ""
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Some encoders count wrong: the length byte says how much is needed.
            needed = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                out.append(binascii.a2b_uu(line[:needed]))
            except binascii.Error:
                return b"".join(out), "damaged uuencode"
    return b"".join(out), "uuencode without end"
