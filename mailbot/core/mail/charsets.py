"""Bytes that should be text, into text.

Mail lies about its charset: GBK under a gb2312, utf-8 or iso-8859-1 label, UTF-8 under a gb2312
label, no label at all. `decode_text` believes the label only as long as nothing speaks against it,
and otherwise asks how Chinese the possible readings look.

Promises: total; no codec is ever looked up by a name from the mail (an allow-list maps labels to
codecs: `zlib`, `rot13`, `punycode`, `utf-7` are just unknown labels); every byte that could not be
read stands as U+FFFD and is reported. Control characters are not its business (`clean`).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

import chardet

from mailbot.core.mail.charset_labels import codec_for
from mailbot.core.mail.limits import SAMPLE_CHARS
from mailbot.core.mail.model import DefectCode

_GB: Final = "gb18030"
_SINGLE_BYTE_GUESSES: Final = {"ascii", "cp1252", "iso8859-15"}
"""What clients write when they do not know: these labels fit any bytes, so they prove nothing."""

_EXACT: Final[tuple[DefectCode, ...]] = ()
_WRONG: Final = (DefectCode.CHARSET_WRONG,)
_UNKNOWN: Final = (DefectCode.CHARSET_UNKNOWN,)
_MISSING: Final = (DefectCode.CHARSET_MISSING,)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the charset it was read in, and what was wrong (empty: read as declared)."""

    text: str
    charset: str
    codes: tuple[DefectCode, ...] = ()

    @property
    def exact(self) -> bool:
        """Every byte was read."""
        return DefectCode.BYTES_REPLACED not in self.codes


def decode_text(data: bytes, label: str | None = None) -> Decoded:
    """Reads `data`, believing `label` (a charset name from the mail, or None) if it fits.

    Order: byte order mark; the label, strictly, unless another reading looks far better; UTF-8,
    strictly; GB18030 and Big5 by how common their characters are; chardet; replacement.
    """
    codec = codec_for(label)
    if _just_ascii(data) and (codec is None or not codec.startswith("utf-16")):
        known = codec is not None or not label
        return Decoded(data.decode("ascii"), codec or "ascii", _EXACT if known else _UNKNOWN)
    marked = _by_mark(data)
    if marked is not None:
        # A mark is the sender's own word and stronger than a label.
        return Decoded(marked[0], marked[1])
    if codec is None:
        return _guess(data, None, _UNKNOWN if label else _MISSING)
    text = _strict(data, codec)
    if text is None or codec == "ascii":
        return _guess(data, codec, _WRONG)
    if data.isascii():
        seven_bit = _seven_bit(data) if codec in ("utf-8", _GB, "cp1252") else None
        return Decoded(*seven_bit, _WRONG) if seven_bit else Decoded(text, codec)
    rival = _rival(data, codec, text)
    return Decoded(text, codec) if rival is None else Decoded(rival[0], rival[1], _WRONG)


def _just_ascii(data: bytes) -> bool:
    """ASCII without a sign of one of the seven-bit charsets."""
    return data.isascii() and b"\x1b" not in data and b"~{" not in data and b"\0" not in data


def plausibility(text: str) -> float:
    """How much a text looks like what people write in China: 1.0 for common characters only, below
    0 for private-use, control and replacement characters. Plain ASCII gives 1.0."""
    sample = _ASCII_RUN.sub("", text[: 20 * SAMPLE_CHARS])[:SAMPLE_CHARS]
    if not sample:
        return 1.0
    # One lone Chinese character after a small Latin letter: an accented letter, misread.
    accents = len(_LONE_CHARACTER.findall(text[: 20 * SAMPLE_CHARS]))
    return (sum(map(_weight, sample)) - min(accents, len(sample))) / len(sample)


_ASCII_RUN: Final = re.compile("[\x00-\x7f]+")
_LONE_CHARACTER: Final = re.compile("(?<=[a-z])[\u3400-\u9fff](?![\u3000-\u9fff\uff00-\uffef])")


def _block(leads: range, trails: tuple[range, ...], codec: str) -> frozenset[str]:
    raw = b"".join(bytes((lead, trail)) for lead in leads for part in trails for trail in part)
    return frozenset(raw.decode(codec, "ignore"))


# GB 2312 orders its 3,755 common characters first (rows B0-D7), Big5 its 5,401 (A4-C6).
_COMMON: Final = _block(range(0xB0, 0xD8), (range(0xA1, 0xFF),), "gb2312")
_SECOND: Final = _block(range(0xD8, 0xF8), (range(0xA1, 0xFF),), "gb2312")
_TRADITIONAL: Final = _block(range(0xA4, 0xC7), (range(0x40, 0x7F), range(0xA1, 0xFF)), "big5")
_MARKS: Final = frozenset(
    "，。、；：？！（）【】《》〈〉「」『』〔〕“”‘’—…·～－＋／％＃＆＊＠｜＝＿　★☆●○◆◇■□▲△※→←↑↓№℃‰"
    "①②③④⑤⑥⑦⑧⑨⑩⑴⑵⑶⑷⑸㈠㈡㈢㈣㈤ⅠⅡⅢⅣⅤ\u00a0"
    + "".join(map(chr, [*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)]))
)


def _weight(char: str) -> float:
    if char in _COMMON or char in _MARKS:
        return 1.0
    if char in _TRADITIONAL:
        return 0.8
    if char in _SECOND:
        return 0.6
    point = ord(char)
    if 0x1800 <= point <= 0x18AF:
        return 0.7  # Mongolian
    if 0x4E00 <= point <= 0x9FFF:
        return 0.25  # a rare character in a name
    if 0xC0 <= point <= 0x17F or 0x391 <= point <= 0x451 or 0x3040 <= point <= 0x30FF:
        return 0.2  # Latin with accents, Greek, Cyrillic, kana: mostly misread Chinese
    if char == "\ufffd":
        return -4.0
    if point < 0xA0 or 0xD800 <= point <= 0xF8FF or 0x300 <= point <= 0x36F:
        return -1.0  # C1 controls, private use, combining marks
    if point >= 0x1F000:
        return 0.5  # emoji
    return 0.1


def _strict(data: bytes, codec: str) -> str | None:
    """`codec` is one of ours. None when a byte does not fit."""
    try:
        if codec == "iso2022cn":
            return _iso2022cn(data)
        text = data.decode(codec)
    except (UnicodeError, ValueError):
        return None
    return text


def _replacing(data: bytes, codec: str) -> str:
    if codec == "iso2022cn":
        codec = "ascii"
    return data.decode(codec, "replace")


def _by_mark(data: bytes) -> tuple[str, str] | None:
    """UTF-8, UTF-16 or UTF-32 by its byte order mark."""
    if data.startswith(codecs.BOM_UTF8):
        text = _strict(data[3:], "utf-8")
        return None if text is None else (text, "utf-8")
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        text = _strict(data, "utf-32")
        if text is not None:
            return text, "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _strict(data, "utf-16")
        return None if text is None else (text, "utf-16")
    return None


def _rival(data: bytes, codec: str, text: str) -> tuple[str, str] | None:
    """Another reading that looks so much better that the (fitting) label must be wrong."""
    own = plausibility(text)
    if codec == "utf-8":
        # Others hardly become valid UTF-8 by chance, but two or four bytes of GBK may: 学校 gives
        # archaic Cyrillic.
        if own >= 0.19 or _UNUSUAL.search(text) is None or _utf8_strength(text) < 2:
            return None
        reading = _strict(data, _GB)
        return (reading, _GB) if reading and plausibility(reading) > 0.95 else None
    guess = codec in _SINGLE_BYTE_GUESSES
    if own > 0.9 and not guess:
        return None
    # A single-byte label fits everything; a multi-byte one that fits deserves some trust.
    need = own + (0.05 if guess else 0.25)
    chinese = guess or _rare_hanzi(text)
    best: tuple[str, str] | None = None
    for other in ("utf-8", _GB, "big5hkscs"):
        if other == codec or not (chinese or other == "utf-8"):
            continue
        reading = _strict(data, other)
        if reading is None:
            continue
        looks = plausibility(reading)
        if other == "utf-8":
            strength = _utf8_strength(reading)
            if strength >= 4 or (guess and strength >= 2 and looks >= 0.25):
                return reading, other
            wanted = own + 0.02 if strength > 1 else need
        else:
            wanted = max(need, _chinese_floor(data)) if guess else need
        if looks >= wanted:
            best, need = (reading, other), max(need, looks + 0.05)
    return best


def _rare_hanzi(text: str) -> bool:
    """Whether a fitting reading looks like Big5 read as GB, or the other way round: rare Chinese
    characters and more than one or two of them. Kana or Cyrillic under their label are just that."""
    sample = _ASCII_RUN.sub("", text[: 20 * SAMPLE_CHARS])[:SAMPLE_CHARS]
    hanzi = sum("\u4e00" <= char <= "\u9fff" for char in sample)
    return len(sample) >= 4 and hanzi * 10 > len(sample) * 6


def _utf8_strength(text: str) -> int:
    """How little chance has to do with it that bytes were valid UTF-8: 1 for a sequence of two
    bytes (one GBK character in seven is one), 2 for a longer one."""
    return sum(2 if char > "\u07ff" else 1 for char in _ASCII_RUN.sub("", text[:400]))


def _chinese_floor(data: bytes) -> float:
    """How Chinese a reading must look to overrule a single-byte label. Accents stand alone among
    letters, Chinese characters come as runs of bytes."""
    runs = _HIGH_RUN.findall(data[:2_000])
    return 0.5 if sum(map(len, runs)) > 2 * len(runs) else 0.75


# Letters no mail to the office is written in; degree signs and accents are not among them.
_UNUSUAL: Final = re.compile("[\x80-\x9f\u0250-\u0390\u03ca-\u03ff\u0460-\u07ff]")
_HIGH_RUN: Final = re.compile(rb"[\x80-\xff]+")


def _guess(data: bytes, failed: str | None, codes: tuple[DefectCode, ...]) -> Decoded:
    """The label said nothing usable. `codes` is what to report when a reading fits exactly."""
    seven_bit = _seven_bit(data)
    if seven_bit is not None:
        return Decoded(seven_bit[0], seven_bit[1], codes)
    if data.isascii():
        return Decoded(data.decode("ascii"), "ascii", codes if failed != "ascii" else _EXACT)
    cut = _cut_utf8(data)
    if cut is not None and (failed == "utf-8" or _utf8_strength(cut) >= 4):
        return Decoded(cut, "utf-8", (*codes, DefectCode.BYTES_REPLACED))
    best: tuple[float, str, str, bool] | None = None
    for codec, bonus in (("utf-8", 0.0), (_GB, 0.1), ("big5hkscs", 0.0)):
        text = _strict(data, codec)
        fits = text is not None
        if text is None:
            text = _replacing(data, codec)
        if codec == "utf-8" and fits:
            bonus = (0.1, 0.1, 0.1, 0.5, 1.0)[min(4, _utf8_strength(text))]
        looks = plausibility(text) + (bonus if fits else 0.0)
        if best is None or looks > best[0]:
            best = (looks, text, codec, fits)
    assert best is not None
    looks, text, codec, fits = best
    if fits and looks >= 0.6:
        return Decoded(text, codec, codes)
    asked = _by_chardet(data)
    if asked is not None and asked[1] not in (codec, failed):
        rated = plausibility(asked[0])
        if not fits or rated > looks or (asked[1] == "cp1252" and looks < 0.5):
            return Decoded(asked[0], asked[1], codes)
    if fits:
        return Decoded(text, codec, codes)
    return Decoded(text, codec, (*codes, DefectCode.BYTES_REPLACED))


def _cut_utf8(data: bytes) -> str | None:
    """UTF-8 that is sound but for a character cut off at its end (a header cut by a gateway)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(data)
    except UnicodeDecodeError:
        return None
    return text + "\ufffd" if decoder.getstate()[0] and not text.isascii() else None


def _by_chardet(data: bytes) -> tuple[str, str] | None:
    """chardet's pick from a short list, if the bytes fit it. Its confidence is no gate: right
    answers on short Chinese came with 0.05."""
    found = chardet.detect(
        data[:200_000],
        include_encodings=["utf-8", "gb18030", "big5", "hz-gb-2312", "ascii", "cp1252"],
        prefer_superset=True,
        no_match_encoding="gb18030",
    )
    codec = codec_for(found["encoding"])
    text = _strict(data, codec) if codec else None
    return None if codec is None or text is None else (text, codec)


def _seven_bit(data: bytes) -> tuple[str, str] | None:
    """Chinese in seven bits (RFC 1843 HZ, RFC 1922 ISO-2022-CN), and UTF-16 without a mark."""
    if b"\x1b$)" in data and b"\x0e" in data:
        text = _strict(data, "iso2022cn")
        if text is not None:
            return text, "iso2022cn"
    if data.isascii() and b"~{" in data and b"~}" in data:
        text = _strict(data, "hz")
        if text is not None and not text.isascii() and plausibility(text) > 0.8:
            return text, "hz"
    if data.isascii() and b"\x1b$B" in data:
        text = _strict(data, "iso2022_jp_ext")
        if text is not None:
            return text, "iso2022_jp_ext"
    if len(data) >= 4 and data[:400].count(0) * 5 > len(data[:400]):
        for codec, zeros in (("utf-16-le", data[1:400:2]), ("utf-16-be", data[0:400:2])):
            text = _strict(data, codec) if zeros.count(0) * 4 > len(zeros) else None
            if text is not None and "\0" not in text and plausibility(text) > 0.5:
                return text, codec
    return None


_SHIFTED: Final = re.compile(rb"\x1b\$\)([AGE])|\x0e([^\x0f\n]*)\x0f?")


def _iso2022cn(data: bytes) -> str:
    """RFC 1922 with its GB 2312 plane, which Python has no codec for. Raises UnicodeError for
    anything else."""
    out: list[str] = []
    plane, end = b"A", 0
    for match in _SHIFTED.finditer(data):
        out.append(data[end : match.start()].decode("ascii"))
        end = match.end()
        if match[1]:
            plane = match[1]
        elif plane == b"G":
            raise UnicodeError("CNS 11643 is not supported")
        else:
            out.append(bytes(byte | 0x80 for byte in match[2]).decode("gb2312"))
    out.append(data[end:].decode("ascii"))
    text = "".join(out)
    if "\x1b" in text:
        raise UnicodeError("unknown escape sequence")
    return text
