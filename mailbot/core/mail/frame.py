"""The skeleton of a mail: its headers and boundaries, within the reader's limits, without bodies.

The libraries that know the structure of mail are quadratic or recursive on hostile input, and copy
every attachment several times. So before any of them sees the mail, this module walks once over the
raw bytes, linearly and without recursion, and writes a skeleton: every header section (cut to its
caps and, where a line broke it, repaired), every boundary line, and instead of the bodies a number
in a header field of our own, which leads back to the body's place in the raw mail.

Promises: linear; the skeleton never has more than `PARTS_MAX` parts, `DEPTH_MAX` levels and
`ALL_SECTIONS_BYTES` of headers; what was cut or repaired is in `defects`. What a part means is the
business of `structure`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

from mailbot.core.mail import limits
from mailbot.core.mail.model import DefectCode
from mailbot.core.mail.params import Parameterised, media_type, read_parameterised
from mailbot.core.mail.sections import Section, read_section

_OUTSIDE: Final = re.compile(rb"\S")
_USUAL_PREAMBLE: Final = re.compile(rb"multi-?part|mime", re.IGNORECASE)
_GUESS: Final = re.compile(
    rb"(?:\A|[\r\n])--([0-9A-Za-z'()+_,./:=?-]{1,70})[ \t]*(?:\r\n|\r|\n)(?=content-)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A mail's skeleton. `spans[n]` is the place of the body whose part carries number n in the
    field `marker`; `body` where the mail's own body begins."""

    skeleton: bytes
    fields: tuple[bytes, ...]
    """The mail's own header fields, as in the skeleton."""
    marker: str
    spans: tuple[tuple[int, int], ...]
    body: int
    defects: tuple[tuple[DefectCode, str, str], ...]


@dataclass(slots=True)
class _Walk:
    raw: bytes
    marker: bytes
    out: list[bytes] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    defects: list[tuple[DefectCode, str, str]] = field(default_factory=list)
    budget: int = limits.ALL_SECTIONS_BYTES
    stack: list[bytes] = field(default_factory=list)
    """Open multiparts' boundaries, outermost first."""
    written: list[bytes] = field(default_factory=list)
    """What stands for each of them in the skeleton."""


def frame(raw: bytes, nonce: str, *, complete: bool = True) -> Frame:
    """Walks over the mail. `nonce` must not be known to the sender (a hash of the mail): it names
    the field that carries the numbers."""
    walk = _Walk(raw, f"X-{nonce}".encode("ascii"))
    root = read_section(raw, 0, len(raw), limits.SECTION_BYTES, first=True)
    _report(walk, root, "header")
    _open(walk, root, len(raw), complete=complete)
    if complete:
        _parts(walk, root.body)
    return Frame(
        skeleton=b"".join(walk.out),
        fields=root.fields,
        marker=walk.marker.decode("ascii"),
        spans=tuple(walk.spans),
        body=root.body,
        defects=tuple(walk.defects),
    )


def _parts(walk: _Walk, position: int) -> None:
    """From boundary line to boundary line, until the outermost multipart is closed."""
    raw, count = walk.raw, 0
    leaf: int | None = None if walk.stack else 0
    outside = position
    while walk.stack:
        match = _delimiter(walk.stack).search(raw, max(position - 1, 0))
        end = _body_end(raw, match.start() if match else len(raw), match is not None)
        if leaf is not None:
            walk.spans[leaf] = (walk.spans[leaf][0], max(end, walk.spans[leaf][0]))
        else:
            _outside(walk, outside, end)
        if match is None:
            return
        level = _level(walk.stack, match[1])
        del walk.stack[level + 1 :], walk.written[level + 1 :]
        position = match.end()
        if match[2]:  # the closing line: what follows belongs to the multipart around it
            walk.stack.pop()
            walk.out.append(b"--" + walk.written.pop() + b"--\r\n")
            leaf, outside = None, position
            continue
        count += 1
        if count > limits.PARTS_MAX:
            walk.defects.append(
                (DefectCode.PARTS_CUT, "mail", f"more than {limits.PARTS_MAX} parts")
            )
            return
        walk.out.append(b"--" + walk.written[level] + b"\r\n")
        following = _delimiter(walk.stack).search(raw, position)
        stop = following.start() if following else len(raw)
        start = position + _line_end(raw, position)
        section = read_section(raw, min(start, stop), stop, _allowance(walk), first=False)
        _report(walk, section, f"part {count} header")
        opened = _open(walk, section, stop, complete=True)
        position = outside = section.body
        leaf = None if opened else len(walk.spans) - 1
    if leaf is None and position < len(raw):
        _outside(walk, position, len(raw))


def _open(walk: _Walk, section: Section, stop: int, *, complete: bool) -> bool:
    """Writes a part's header section; True when it is a multipart that was entered."""
    index = section.index(b"content-type")
    fields = list(section.fields)
    boundary = written = None
    if index is not None:
        value = fields[index].partition(b":")[2]
        if b"multipart" in value[:200].lower():
            kind = read_parameterised(value)
            if media_type(kind.value).startswith("multipart/") and complete:
                boundary = _boundary(walk, kind, section.body, stop)
            if boundary is not None:
                fields[index], written = _agreed(walk, kind, fields[index], boundary)
    if boundary is not None and len(walk.stack) >= limits.DEPTH_MAX:
        walk.defects.append(
            (DefectCode.DEPTH_CUT, "mail", f"more than {limits.DEPTH_MAX} levels of multiparts")
        )
        boundary = None
    walk.out.extend(one + b"\r\n" for one in fields)
    walk.out.append(b"%b: %d\r\n\r\n" % (walk.marker, len(walk.spans)))
    walk.spans.append((section.body, stop))
    walk.budget -= sum(map(len, fields))
    if boundary is None or written is None:
        return False
    walk.stack.append(boundary)
    walk.written.append(written)
    return True


def _boundary(walk: _Walk, kind: Parameterised, start: int, stop: int) -> bytes | None:
    """The boundary that is really used in this part: the declared one, else a likely one."""
    declared = kind.parameters.get("boundary", b"") or kind.word("boundary").encode()
    declared = declared.rstrip()[:200]
    if declared:
        found = _delimiter([*walk.stack, declared]).search(walk.raw, max(start - 1, 0), stop)
        if found is not None and found[1] == declared:
            return declared
    guess = _GUESS.search(walk.raw, start, stop)
    if guess is None:
        return None
    what = "wrong" if declared else "missing"
    walk.defects.append((DefectCode.STRUCTURE_DAMAGED, "mail", f"boundary {what}, guessed"))
    return guess[1]


def _agreed(
    walk: _Walk, kind: Parameterised, field_as_written: bytes, boundary: bytes
) -> tuple[bytes, bytes]:
    """The Content-Type field for the skeleton, and the boundary that stands in it: both as written
    if the structure parser reads them as we do, else a plain field with a boundary of our own."""
    probe = Message()
    try:
        probe["Content-Type"] = field_as_written.partition(b":")[2].strip().decode("ascii")
        if probe.get_boundary() == boundary.decode("ascii"):
            return field_as_written, boundary
    except Exception:
        pass  # whatever the parser stumbles over, it will not see it
    report = kind.parameters.get("report-type", b"")
    more = b"; report-type=" + report if report.replace(b"-", b"").isalnum() else b""
    own = b"%b-%d" % (walk.marker, len(walk.spans))
    name = media_type(kind.value).encode("ascii", "replace")
    return b'Content-Type: %b; boundary="%b"%b' % (name, own, more), own


def _report(walk: _Walk, section: Section, where: str) -> None:
    walk.defects.extend((code, where, detail) for code, detail in section.faults)


def _allowance(walk: _Walk) -> int:
    return max(0, min(limits.PART_SECTION_BYTES, walk.budget))


def _outside(walk: _Walk, start: int, end: int) -> None:
    """Text before the first or after the last part: shown by no mail program. Said, not read."""
    if _OUTSIDE.search(walk.raw, start, end) is None:
        return
    if end - start < 300 and _USUAL_PREAMBLE.search(walk.raw, start, end):
        return
    text = f"{end - start} bytes outside the parts"
    walk.defects.append((DefectCode.STRUCTURE_DAMAGED, "mail", text))


def _delimiter(stack: list[bytes]) -> re.Pattern[bytes]:
    """A boundary line of any open multipart (RFC 2046 §5.1.1), without its line end."""
    choices = b"|".join(re.escape(boundary) for boundary in reversed(stack))
    return re.compile(rb"[\r\n]--(%b)(--)?[ \t]*(?=[\r\n]|\Z)" % choices)


def _level(stack: list[bytes], boundary: bytes) -> int:
    return next(n for n in range(len(stack) - 1, -1, -1) if stack[n] == boundary)


def _body_end(raw: bytes, end: int, delimited: bool) -> int:
    """The line break before a boundary line belongs to the line."""
    return end - 1 if delimited and raw[end - 1 : end + 1] == b"\r\n" else end


def _line_end(raw: bytes, position: int) -> int:
    return 2 if raw[position : position + 2] == b"\r\n" else 1
