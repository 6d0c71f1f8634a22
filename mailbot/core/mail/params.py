"""Content-Type and Content-Disposition with their parameters: charsets, boundaries, file names.

Reads RFC 2045 parameters, RFC 2231 continuations, percent-encoding and charsets, and what clients
write instead: encoded-words in the value (also spread over continuations), raw GBK or UTF-8, plain
percent-encoding. Promises: total, linear, at most `PARAMETERS_MAX` parameters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from urllib.parse import unquote_to_bytes

from mailbot.core.mail.charsets import decode_text
from mailbot.core.mail.clean import one_line
from mailbot.core.mail.limits import NAME_CHARS, PARAMETERS_MAX
from mailbot.core.mail.model import DefectCode
from mailbot.core.mail.words import decode_words, unfold, unraw

_PARAMETER: Final = re.compile(rb"[;\s]*([^\s=;\"]{1,80})\s*=\s*")
_QUOTED: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE: Final = re.compile(rb'\\(["\\])')
_SECTION: Final = re.compile(r"(.+?)\*(\d{1,3})?(\*)?")
_PERCENT: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_TOKEN: Final = re.compile(r"[!#-'*+.0-9A-Z^-~-]{1,80}/[!#-'*+.0-9A-Z^-~-]{1,120}")


@dataclass(frozen=True, slots=True)
class Parameterised:
    """A header value like `text/plain; charset=gbk`. `value` is lower case; `parameters` are raw
    bytes by lower-case name as written, sections of RFC 2231 still apart."""

    value: str = ""
    parameters: dict[str, bytes] = field(default_factory=dict)

    def word(self, name: str) -> str:
        """A parameter that is a plain token or RFC 2231 text, decoded and clean; "" when absent."""
        return self.text(name)[0]

    def text(self, name: str) -> tuple[str, tuple[DefectCode, ...]]:
        """A parameter for people, such as a file name."""
        extended = _extended(self.parameters, name)
        if extended is not None:
            return extended
        raw = self.parameters.get(name)
        return _plain(raw) if raw is not None else ("", ())


def read_parameterised(raw: bytes) -> Parameterised:
    """Splits a raw header value. The first of two parameters of one name counts."""
    flat = unfold(raw)
    head, separator, rest = flat.partition(b";")
    parameters: dict[str, bytes] = {}
    position = 0
    while separator and len(parameters) < PARAMETERS_MAX:
        match = _PARAMETER.match(rest, position)
        if match is None:
            position = rest.find(b";", position) + 1
            if not position:
                break
            continue
        value, position = _value(rest, match.end())
        parameters.setdefault(match[1].decode("latin-1").lower(), value)
    value_text = head.decode("latin-1").strip().lower()
    return Parameterised(one_line(value_text)[0], parameters)


def media_type(value: str) -> str:
    """A lower-case media type, or text/plain when the value is none (RFC 2045 §5.2)."""
    return value if _TOKEN.fullmatch(value.upper()) else "text/plain"


def _value(rest: bytes, position: int) -> tuple[bytes, int]:
    if rest[position : position + 1] == b'"':
        quoted = _QUOTED.match(rest, position)
        if quoted is not None:
            end = rest.find(b";", quoted.end())
            return _ESCAPE.sub(rb"\1", quoted[1]), len(rest) if end < 0 else end
        position += 1  # unclosed: up to the next semicolon
    end = rest.find(b";", position)
    end = len(rest) if end < 0 else end
    return rest[position:end].strip().strip(b'"'), end


def _extended(parameters: dict[str, bytes], name: str) -> tuple[str, tuple[DefectCode, ...]] | None:
    """RFC 2231: `name*=charset'lang'text`, `name*0*=`, `name*1=` ..."""
    sections: dict[int, tuple[bytes, bool]] = {}
    for key, value in parameters.items():
        match = _SECTION.fullmatch(key) if "*" in key else None
        if match is None or match[1] != name:
            continue
        sections.setdefault(int(match[2] or 0), (value, bool(match[3]) or not match[2]))
    if not sections:
        return None
    pieces = [sections[number] for number in sorted(sections)]
    if not any(encoded for _, encoded in pieces):
        # Continuations of plain text: clients spread encoded-words over them.
        return _plain(b"".join(value for value, _ in pieces))
    first, charset = pieces[0][0], None
    if pieces[0][1] and first.count(b"'") >= 2:
        label, _, first = first.split(b"'", 2)
        charset = label.decode("latin-1") or None
    # Neighbouring encoded sections are joined first: clients cut inside a %XX as well.
    data = b""
    for encoded, group in groupby([(first, pieces[0][1]), *pieces[1:]], key=lambda piece: piece[1]):
        joined = b"".join(value for value, _ in group)
        data += unquote_to_bytes(joined) if encoded else joined
    if data.isascii() and b"=?" in data:
        return _plain(data)
    read = decode_text(data, charset)
    text, removed = one_line(read.text[:NAME_CHARS])
    return text, (*read.codes, DefectCode.CONTROL_REMOVED) if removed else read.codes


def _plain(raw: bytes) -> tuple[str, tuple[DefectCode, ...]]:
    eight = unraw(raw)
    codes = eight.codes
    text = eight.text
    if len(_PERCENT.findall(raw)) >= 3 and b"=?" not in raw and raw.isascii():
        # filename="%E4%B8%8A..." without the star. Only if it gives text that needed encoding.
        data = unquote_to_bytes(raw)
        read = decode_text(data)
        if not data.isascii() and read.exact:
            text, codes = read.text, ()
    worded = decode_words(text)
    cleaned, removed = one_line(worded.text[:NAME_CHARS])
    codes = (*codes, *worded.codes)
    return cleaned, (*codes, DefectCode.CONTROL_REMOVED) if removed else codes
