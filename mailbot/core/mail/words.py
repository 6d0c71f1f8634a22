"""Header text: RFC 2047 as clients really write it.

What differs from the standard library: the bytes of neighbouring encoded-words of one charset are
joined before decoding (clients cut inside a character, and even inside a base64 quantum); words are
decoded inside quotes (QQ) and without separating spaces; padding may be missing; raw 8-bit text is
read by `charsets`, its charset judged over the whole field.

Promises: total, linear, and whatever could not be read has its code in the result. Which header it
is, and what it means, is not its business.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mailbot.core.mail.charset_labels import codec_for
from mailbot.core.mail.charsets import Decoded, decode_text
from mailbot.core.mail.clean import one_line
from mailbot.core.mail.model import DefectCode

_FOLD: Final = re.compile(rb"(?:\r\n|\r|\n)(?=[ \t])")
_BREAK: Final = re.compile(rb"[\r\n]+")
_START: Final = re.compile(r"=\?([^?\s=]{1,60})\?([bBqQ])\?")
_QUOTED: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_ONLY_WORDS: Final = re.compile(r"\s*(?:=\?[^?\s=]{1,60}\?[bBqQ]\?[^?]*\?=\s*)+")
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/=]")
_TAIL: Final = re.compile(r"[A-Za-z0-9+/=]+[?=]?\s*$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of decoded header text and what was wrong with it."""

    text: str
    codes: tuple[DefectCode, ...] = ()


@dataclass(frozen=True, slots=True)
class _Word:
    """One encoded-word; `data` is its decoded bytes."""

    charset: str
    base64: bool
    payload: str
    data: bytes
    damaged: bool


def unfold(raw: bytes) -> bytes:
    """A header value in one line (RFC 5322 §2.2.3); stray line breaks become a space."""
    if b"\n" not in raw and b"\r" not in raw:
        return raw
    return _BREAK.sub(b" ", _FOLD.sub(b"", raw))


def read_line(raw: bytes) -> Line:
    """A header value: unfolded, 8-bit bytes and encoded-words decoded, clean."""
    eight = unraw(raw)
    worded = decode_words(eight.text)
    text, removed = one_line(worded.text)
    codes = [*eight.codes, *worded.codes]
    if removed:
        codes.append(DefectCode.CONTROL_REMOVED)
    return Line(text, _once(codes))


def unraw(raw: bytes) -> Line:
    """A header value unfolded, its raw 8-bit bytes decoded, its encoded-words still encoded."""
    raw = unfold(raw)
    if raw.isascii() and b"\x1b" not in raw and b"~{" not in raw:
        return Line(raw.decode("ascii"))
    read = decode_text(raw)
    # RFC 6532 allows UTF-8 here; anything else is a client that did not encode.
    codes: list[DefectCode] = [c for c in read.codes if c is not DefectCode.CHARSET_MISSING]
    if not read.text.isascii() and read.charset != "utf-8":
        codes.append(DefectCode.CHARSET_MISSING)
    return Line(read.text, tuple(codes))


def decode_words(text: str) -> Line:
    """Decodes every encoded-word of an unfolded value. White space between two of them vanishes
    (RFC 2047 §6.2), other text stays as it is. What decodes to nothing but encoded-words was
    encoded twice, by a gateway that did not look, and is decoded once more."""
    line = _decode_once(text)
    if line.text == text or not _ONLY_WORDS.fullmatch(line.text):
        return line
    inner = _decode_once(line.text)
    return Line(inner.text, _once((*line.codes, *inner.codes)))


def _decode_once(text: str) -> Line:
    if "=?" not in text:
        return Line(text)
    out: list[str] = []
    codes: list[DefectCode] = []
    run: list[_Word] = []
    done = 0
    for start, end, word in _words(text):
        between = text[done:start]
        if not run or between.strip(" \t"):
            _flush(run, out, codes)
            out.append(between)
        run.append(word)
        done = end
    _flush(run, out, codes)
    out.append(text[done:])
    return Line("".join(out), _once(codes))


def _words(text: str) -> Iterable[tuple[int, int, _Word]]:
    position = 0
    while (match := _START.search(text, position)) is not None:
        end = text.find("?=", match.end())
        # "=?utf-8?Q??=" and a Q word that begins with an escaped byte: "?Q?=E4..."
        if end == match.end() - 1:
            end = text.find("?=", match.end())
        if end < 0:
            # No word ends any more. A header cut off by a gateway still tells something.
            tail = text[match.end() :]
            if match[2] in "bB" and _TAIL.match(tail):
                yield match.start(), len(text), _word(match, tail.strip("?= \t"), True)
            return
        yield match.start(), end + 2, _word(match, text[match.end() : end], False)
        position = end + 2


def _word(match: re.Match[str], payload: str, cut: bool) -> _Word:
    charset = match[1].split("*")[0]
    if match[2] in "bB":
        data, damaged = lenient_base64(payload)
        return _Word(charset, True, payload, data, damaged or cut)
    raw = _payload_bytes(payload, charset).replace(b"_", b" ")
    data = _QUOTED.sub(lambda m: bytes((int(m[1], 16),)), raw)
    return _Word(charset, False, payload, data, cut)


def _payload_bytes(payload: str, charset: str) -> bytes:
    """8-bit text inside a Q word was decoded with the rest of the field: back to its bytes."""
    codec = codec_for(charset) or "utf-8"
    try:
        return payload.encode("gb18030" if codec == "iso2022cn" else codec)
    except UnicodeError:
        return payload.encode("utf-8", "replace")


def lenient_base64(payload: str) -> tuple[bytes, bool]:
    """Bytes of a base64 text with missing or inner padding and foreign characters, and whether
    anything but white space and padding had to be repaired."""
    compact = "".join(payload.split())
    kept = _NOT_BASE64.sub("", compact)
    damaged = kept != compact
    out: list[bytes] = []
    for piece in kept.split("="):
        if len(piece) % 4 == 1:
            piece, damaged = piece[:-1], True
        if piece:
            out.append(binascii.a2b_base64(piece + "=" * (-len(piece) % 4)))
    return b"".join(out), damaged


def _flush(run: list[_Word], out: list[str], codes: list[DefectCode]) -> None:
    """Decodes a run of neighbouring words and empties it."""
    group: list[_Word] = []
    for word in run:
        if group and _family(word.charset) != _family(group[-1].charset):
            _decode_group(group, out, codes)
            group = []
        group.append(word)
    if group:
        _decode_group(group, out, codes)
    run.clear()


def _family(charset: str) -> str:
    return codec_for(charset) or charset.lower()


def _decode_group(words: list[_Word], out: list[str], codes: list[DefectCode]) -> None:
    """Words of one charset: joined as bytes; if that does not fit, joined as base64 text, or each
    by itself."""
    charset = words[0].charset
    damaged = any(word.damaged for word in words)
    best = decode_text(b"".join(word.data for word in words), charset)
    if best.codes and len(words) > 1:
        if all(w.base64 for w in words) and any("=" not in w.payload for w in words[:-1]):
            data, hurt = lenient_base64("".join(word.payload for word in words))
            whole = decode_text(data, charset)
            if len(whole.codes) < len(best.codes) and not hurt:
                best, damaged = whole, False
        if best.codes:
            single = [decode_text(word.data, charset) for word in words]
            if sum(len(d.codes) for d in single) < len(best.codes):
                best = Decoded("".join(d.text for d in single), best.charset)
    out.append(best.text)
    codes.extend(best.codes)
    if damaged:
        codes.append(DefectCode.HEADER_DAMAGED)


def _once(codes: Iterable[DefectCode]) -> tuple[DefectCode, ...]:
    return tuple(dict.fromkeys(codes))
