"""Address headers (RFC 5322 §3.4), read so that nobody is taken for somebody else.

Tolerant with names, strict with addresses: an address is taken only when it stands there in plain
ASCII. What only looks like an address (encoded, non-ASCII, with spaces) gives an `Address` with an
empty `addr` and the text as its name. Groups are flattened; in From a group leaves an additional
empty address behind, so that the mail has no single author.

Promises: total, linear in the length of the field, at most `ADDRESSES_MAX` results.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mailbot.core.mail.clean import one_line
from mailbot.core.mail.limits import ADDRESSES_MAX
from mailbot.core.mail.model import Address, DefectCode
from mailbot.core.mail.words import decode_words, unraw

_ADDR: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,128}@(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?|"
    r"\[[0-9A-Fa-f:.]{3,45}\])"
)
_STOP: Final = re.compile(r'[",;:<(]')
_NAME_CHARS: Final = 1_000
_COMMENT: Final = re.compile(r"\\.|[()]")
_COMMA: Final = re.compile("[,;]")
_ESCAPE: Final = re.compile(r"\\(.)")


def read_addresses(
    raw: bytes, *, author: bool = False
) -> tuple[tuple[Address, ...], tuple[DefectCode, ...]]:
    """The mailboxes of one address field's raw value. `author`: a From or Sender field, where a
    group is not an author."""
    eight = unraw(raw)
    codes = list(eight.codes)
    found: list[Address] = []
    group = False
    for kind, phrase, angle, comment in _items(eight.text):
        if kind == "group":
            group = True
            continue
        address, more = _address(phrase, angle, comment)
        codes.extend(more)
        if address is not None:
            if len(found) >= ADDRESSES_MAX:
                codes.append(DefectCode.HEADERS_CUT)
                break
            found.append(address)
    if group and author:
        found.append(Address(""))
        codes.append(DefectCode.ADDRESS_DAMAGED)
    return tuple(found), tuple(dict.fromkeys(codes))


def _items(text: str) -> Iterator[tuple[str, str, str | None, str]]:
    """Splits into mailboxes: ("box", phrase, angle content or None, comment) and ("group", ...).

    An unclosed quote or comment is taken literally, so that it cannot swallow the rest.
    """
    phrase: list[str] = []
    comments: list[str] = []
    angle: str | None = None
    position, length = 0, len(text)
    closers = {'"': True, ">": True, ")": True}
    while position < length:
        stop = _STOP.search(text, position)
        if stop is None:
            phrase.append(text[position:])
            break
        phrase.append(text[position : stop.start()])
        char, position = stop[0], stop.end()
        if char == '"':
            end = _closing_quote(text, position) if closers['"'] else -1
            closers['"'] = end >= 0
            if end >= 0:
                phrase.append(_ESCAPE.sub(r"\1", text[position:end]))
                position = end + 1
        elif char == "(":
            end = _closing_comment(text, position) if closers[")"] else -1
            closers[")"] = end >= 0
            if end >= 0:
                comments.append(text[position:end])
                position = end + 1
            else:
                phrase.append("(")
        elif char == "<":
            if angle is not None:
                # Two addresses without a comma: two people, and so no single author.
                yield "box", "".join(phrase), angle, " ".join(comments)
                phrase, comments = [], []
            end = text.find(">", position) if closers[">"] else -1
            closers[">"] = end >= 0
            if end < 0:
                comma = _COMMA.search(text, position)
                end = comma.start() if comma else length
            angle = text[position:end]
            position = end + (1 if text[end : end + 1] == ">" else 0)
        elif char == ":" and angle is None:
            if "@" in "".join(phrase):
                phrase.append(":")  # no group's name: left to the address check
                continue
            if "".join(phrase).strip().lower() == "mailto":
                phrase = []
                continue
            yield "group", "".join(phrase), None, ""
            phrase, comments = [], []
        elif char in ",;":
            yield "box", "".join(phrase), angle, " ".join(comments)
            phrase, comments, angle = [], [], None
    yield "box", "".join(phrase), angle, " ".join(comments)


def _closing_quote(text: str, position: int) -> int:
    while True:
        end = text.find('"', position)
        if end < 0:
            return -1
        slashes = len(text[position:end]) - len(text[position:end].rstrip("\\"))
        if slashes % 2 == 0:
            return end
        position = end + 1


def _closing_comment(text: str, position: int) -> int:
    """Comments nest (RFC 5322 §3.2.2), but no client nests them deeper than its own name."""
    depth = 1
    for match in _COMMENT.finditer(text, position, position + 200):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if not depth:
                return match.start()
    return -1


def _address(
    phrase: str, angle: str | None, comment: str
) -> tuple[Address | None, tuple[DefectCode, ...]]:
    if angle is None:
        written, label = phrase, comment
    else:
        written, label = angle, phrase if phrase.strip() else comment
    written = written.strip(" \t")
    if not written and not label.strip():
        # "<>" is a mailbox that is missing; between two commas there is just nothing.
        empty = Address("") if angle is not None else None
        return empty, ((DefectCode.ADDRESS_DAMAGED,) if angle is not None else ())
    name, codes = _name(label)
    if written.startswith("@") and ":" in written:  # obsolete source route, RFC 5322 §4.4
        written = written.rpartition(":")[2]
    written = written.removeprefix("mailto:").strip(" \t")
    addr = written.lower() if _ADDR.fullmatch(written) else ""
    if addr and ".." not in addr.rpartition("@")[2]:
        return Address(addr, name[:_NAME_CHARS]), codes
    shown, more = _name(written)
    return Address("", (name or shown)[:_NAME_CHARS]), (*codes, *more, DefectCode.ADDRESS_DAMAGED)


def _name(label: str) -> tuple[str, tuple[DefectCode, ...]]:
    worded = decode_words(label.strip(" \t"))
    text, removed = one_line(worded.text)
    # QQ puts the encoded-word into quotes, others quote inside the encoded-word.
    text = text.strip("\"' ") if text[:1] in "\"'" and text[-1:] in "\"'" else text
    return text, (*worded.codes, DefectCode.CONTROL_REMOVED) if removed else worded.codes
