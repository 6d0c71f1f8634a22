"""Header text on its way out: one clean line, in RFC 2047 encoded-words."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

_ENCODED_BYTES = 45
"""UTF-8 octets per encoded-word: base64 makes 60 of them, with `=?UTF-8?B??=` 72 <= 75
(RFC 2047 §2), and `Subject: ` before the first still keeps the line at 81 < 998."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def header_line(value: str, limit: int) -> str:
    """No control character, line separator or lone surrogate survives; at most `limit`
    characters, an ellipsis in place of the rest."""
    shown = " ".join(_UNSAFE.sub(" ", value).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def encoded_words(value: str) -> Iterator[str]:
    """RFC 2047 B encoding; each word decodes by itself, so it is cut between characters."""
    chunk = bytearray()
    for char in value:
        octets = char.encode("utf-8")
        if len(chunk) + len(octets) > _ENCODED_BYTES:
            yield _encoded_word(chunk)
            chunk.clear()
        chunk += octets
    if chunk:
        yield _encoded_word(chunk)


def _encoded_word(octets: bytes | bytearray) -> str:
    return f"=?UTF-8?B?{base64.b64encode(octets).decode('ascii')}?="
