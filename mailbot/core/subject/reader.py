"""A subject line in, the four fields of the convention out, each with where it came from.

The subject is read alone first. Only then do body, file names, roster and sender fill what it
lacks, each under its own name: what stands in the subject is never overridden, and what does not
stand there is never passed off as if it did. Whether that is good enough is the office's data and
`core.intake`'s business.

Promises: total (any string gives a `Reading`), linear in the length, the same for the same input.
Only the first `text.CAP` characters are read for fields; `Reading.raw` keeps the whole.
"""

from __future__ import annotations

from datetime import date

from mailbot.core.subject.fields import Fields
from mailbot.core.subject.hints import fill_in
from mailbot.core.subject.labelled import read_labelled
from mailbot.core.subject.labels import Label, Segment, label_segments
from mailbot.core.subject.model import Hints, Reading
from mailbot.core.subject.phones import find_phones
from mailbot.core.subject.pieces import Context
from mailbot.core.subject.plain import read_plain
from mailbot.core.subject.prefixes import strip_prefixes, take_reference
from mailbot.core.subject.roster import Roster
from mailbot.core.subject.statements import BLANK
from mailbot.core.subject.text import CAP, Line, fold, quoted_spans
from mailbot.core.subject.units import find_units

_NO_HINTS = Hints()


def read_subject(
    subject: str,
    roster: Roster,
    day: date,
    *,
    hints: Hints = _NO_HINTS,
    noise: tuple[str, ...] = (),
    marks: tuple[str, ...] = (),
) -> Reading:
    """Reads one subject with the names in force on `day`.

    `noise` are words that carry no field (政务信息), `marks` those the office's categories declare
    (问题, 约稿): a bracketed or labelled text equal to one, perhaps with 类 or 信息 after it, goes to
    `Reading.marks`; other brackets hold a unit, a part of the title or a tag. Never raises.
    """
    context = Context(
        roster, day, frozenset(fold(w) for w in noise), frozenset(fold(w) for w in marks)
    )
    line = Line.of(subject[:CAP])
    prefixes, rest = strip_prefixes(line.text)
    reference, rest = take_reference(rest)
    inner, rest = strip_prefixes(rest)
    fields = read_line(Line.of(rest), context)
    reading = Reading(
        raw=subject,
        unit=fields.unit,
        title=fields.title,
        submitter=fields.submitter,
        contact=tuple(fields.contact),
        titles=fields.titles,
        marks=tuple(dict.fromkeys(fields.marks)),
        prefixes=prefixes + inner,
        reference=reference,
        count=fields.count,
        month=fields.month,
        ambiguities=tuple(fields.ambiguities),
        leftover=tuple(dict.fromkeys(t for t in fields.leftover if t.strip())),
    )
    if hints == _NO_HINTS:
        return reading
    return fill_in(reading, hints, context, read_line)


def read_line(line: Line, context: Context) -> Fields:
    """One line without prefixes: by its labels when it has any, else by its pieces."""
    segments = _segments(line, context)
    if segments:
        return read_labelled(line, segments, context)
    return read_plain(line, context)


def _segments(line: Line, context: Context) -> list[Segment]:
    """The line's labelled segments; [] where it has none, or nothing but a word before a telephone
    (电话：7622029), which belongs to the telephone."""
    if ":" not in line.fold:
        return []
    quoted = [False] * len(line.fold)
    for start, end in quoted_spans(line.text):
        quoted[start:end] = [True] * (end - start)
    for blank in BLANK.finditer(line.fold):
        quoted[blank.start() : blank.end()] = [True] * (blank.end() - blank.start())
    starts = {u.end for u in find_units(line.text, context.roster, context.day)}
    starts |= {p.end for p in find_phones(line.fold, quoted)}
    segments = label_segments(line.fold, quoted, starts)
    kinds = {s.label for s in segments if s.label is not None}
    if kinds <= {Label.CONTACT}:
        return []
    return segments
