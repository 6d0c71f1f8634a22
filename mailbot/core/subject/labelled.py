"""The four fields out of a line with labels (报送单位：… 信息标题：… 报送人：…).

Labels are the sender's own word, so what stands under one is that field. People label one or two
fields and leave the rest bare: a segment that holds more than its label says is read like a line
of its own, and gives what the other segments lack.
"""

from __future__ import annotations

from mailbot.core.subject.fields import Fields, set_titles, value
from mailbot.core.subject.labels import Label, Segment
from mailbot.core.subject.model import Certainty, Source, UnitValue
from mailbot.core.subject.names import NameShape, names_shape
from mailbot.core.subject.phones import phones_in
from mailbot.core.subject.pieces import Context
from mailbot.core.subject.plain import EDGE, read_plain
from mailbot.core.subject.statements import (
    BLANK,
    is_placeholder,
    mark_of,
    statement,
    without_extension,
)
from mailbot.core.subject.strangers import put_stranger
from mailbot.core.subject.text import Line, bracket_pairs, trim
from mailbot.core.subject.units import containing, match_unit, near_misses

_LONGEST_NAME = 24


def read_labelled(line: Line, segments: list[Segment], context: Context) -> Fields:
    """Reads a line cut at its labels. Total."""
    fields = Fields()
    labels = {s.label for s in segments}
    loose: list[Line] = []
    person: Line | None = None
    for segment in segments:
        text = _value_of(line, segment)
        blank = BLANK.fullmatch(text.fold) or is_placeholder(text.fold)
        if not text.fold or (segment.label is not None and blank):
            continue
        match segment.label:
            case Label.UNIT:
                _unit(text, fields, loose, context)
            case Label.TITLE:
                complete = {Label.UNIT, Label.CONTACT} <= labels and bool(
                    labels & {Label.SUBMITTER, Label.PERSON}
                )
                _title(text, fields, loose, context, verbatim=complete)
            case Label.SUBMITTER:
                _submitter(text, fields, loose)
            case Label.PERSON:
                person = text
            case Label.CONTACT:
                _contact(text, fields, loose)
            case Label.MARK:
                _mark(text, fields, loose, context)
            case Label.OTHER:
                _other(text, fields, loose)
            case None:
                loose.append(text)
    if person is not None:
        if fields.submitter is None:
            _submitter(person, fields, loose)
        else:
            fields.leftover.append(person.text)
    for rest in loose:
        _fill(fields, read_plain(rest, context))
    return fields


def _value_of(line: Line, segment: Segment) -> Line:
    """The segment without blanks around it and, unless it ends the line, without the delimiter
    before the next label."""
    start, end = trim(line.fold, segment.start, segment.end, " ")
    if segment.label is None or not segment.last:
        while end > start and (line.fold[end - 1] in EDGE or line.fold[end - 1] == "。"):
            end -= 1
    if segment.label is not Label.TITLE:
        # A bracket that opened before the label closes in its value: （报送人：张三）.
        while end > start and line.fold[end - 1] in ")]" and not _paired(line, start, end - 1):
            end -= 1
        while end > start and line.fold[end - 1] in "([ ":
            end -= 1
    return line.cut(start, end)


def _paired(line: Line, start: int, closing: int) -> bool:
    inner = line.fold[start : closing + 1]
    return any(end == closing - start for _, end in bracket_pairs(inner, [False] * len(inner)))


def _unit(text: Line, fields: Fields, loose: list[Line], context: Context) -> None:
    match = match_unit(text.text, context.roster, context.day)
    if match and match.unit_id:
        fields.unit = UnitValue(text.text, Source.SUBJECT, Certainty.CERTAIN, match.unit_id)
        return
    plain = read_plain(text, context)
    if (plain.unit is not None and plain.unit.unit_id is not None) or plain.ambiguities:
        loose.insert(0, text)
        return
    if plain.contact or plain.submitter or len(text.text) > 30:
        loose.insert(0, text)
        return
    several = containing(text.text, context.roster, context.day)
    close = near_misses(text.text, context.roster, context.day)
    put_stranger(text, several, tuple(dict.fromkeys((*several, *close))), fields, context)


def _title(
    text: Line, fields: Fields, loose: list[Line], context: Context, *, verbatim: bool
) -> None:
    text = _without_mark(text, fields, context).strip()
    if not verbatim:
        plain = read_plain(text, context)
        if plain.contact or (plain.submitter and plain.title):
            loose.append(text)
            return
    if found := statement(text.fold):
        fields.count, fields.month = fields.count or found.count, fields.month or found.month
        return
    text = text.cut(0, without_extension(text.fold, len(text.fold))).strip()
    if not text.fold:
        return
    fields.title = value(text.text, Certainty.CERTAIN)
    set_titles(fields, text.text, text.fold)


def _without_mark(text: Line, fields: Fields, context: Context) -> Line:
    """The title without declared marks in brackets before or after it."""
    while text.fold[:1] in ("[", "("):
        end = text.fold.find("]" if text.fold[0] == "[" else ")")
        if end < 0 or not mark_of(text.fold[1:end], context.marks):
            break
        fields.marks.append(text.text[1:end].strip())
        text = text.cut(end + 1, len(text.fold)).strip()
    while text.fold[-1:] in ("]", ")"):
        start = text.fold.rfind("[" if text.fold[-1] == "]" else "(")
        if start <= 0 or not mark_of(text.fold[start + 1 : -1], context.marks):
            break
        fields.marks.append(text.text[start + 1 : -1].strip())
        text = text.cut(0, start).strip()
    return text


def _submitter(text: Line, fields: Fields, loose: list[Line]) -> None:
    short = len(text.fold) <= _LONGEST_NAME and not phones_in(text.fold)
    if short and (
        names_shape(text.fold) >= NameShape.FAIR or not any(c in text.fold for c in "+|_")
    ):
        fields.submitter = value(text.text, Certainty.CERTAIN)
        return
    loose.insert(0, text)


def _contact(text: Line, fields: Fields, loose: list[Line]) -> None:
    numbers = phones_in(text.fold)
    if numbers:
        fields.contact.extend(value(n, Certainty.CERTAIN) for n in dict.fromkeys(numbers))
        rest = text.fold
        if sum(c.isalpha() for c in rest) > 12:
            loose.append(text)
    elif "@" in text.fold and " " not in text.fold:
        fields.contact.append(value(text.text, Certainty.LIKELY))
    else:
        fields.leftover.append(text.text)


def _mark(text: Line, fields: Fields, loose: list[Line], context: Context) -> None:
    """类别：问题, perhaps with more of the line after it."""
    end = next((i for i, c in enumerate(text.fold) if c in EDGE or c in "()[]"), len(text.fold))
    if mark_of(text.fold[:end], context.marks):
        fields.marks.append(text.text[:end])
        rest = text.cut(end, len(text.fold))
        start, stop = trim(rest.fold, 0, len(rest.fold), EDGE + "])")
        if start < stop:
            loose.append(rest.cut(start, stop))
    else:
        loose.append(text)


def _other(text: Line, fields: Fields, loose: list[Line]) -> None:
    """审核：王五+7622029: not ours up to the next delimiter; after it, fields may go on."""
    end = next((i for i, c in enumerate(text.fold) if c in EDGE), len(text.fold))
    rest = text.cut(end, len(text.fold))
    if phones_in(rest.fold) and not phones_in(text.fold[:end]):
        fields.leftover.append(text.text[:end])
        start, stop = trim(rest.fold, 0, len(rest.fold), EDGE)
        loose.append(rest.cut(start, stop))
    else:
        fields.leftover.append(text.text)


def _fill(fields: Fields, plain: Fields) -> None:
    """What a bare stretch gives where no label gave it; a second title is left over."""
    if fields.unit is None:
        fields.unit = plain.unit
    elif plain.unit is not None and plain.unit.unit_id != fields.unit.unit_id:
        fields.leftover.append(plain.unit.value)
    if fields.submitter is None:
        fields.submitter = plain.submitter
    elif plain.submitter is not None:
        fields.leftover.append(plain.submitter.value)
    if not fields.contact:
        fields.contact = plain.contact
    elif plain.contact:
        fields.leftover.extend(c.value for c in plain.contact)
    if fields.title is None:
        fields.title, fields.titles = plain.title, plain.titles
    elif plain.title is not None:
        fields.leftover.append(plain.title.value)
    fields.marks.extend(plain.marks)
    fields.count = fields.count or plain.count
    fields.month = fields.month or plain.month
    given = {"unit": fields.unit, "title": fields.title, "submitter": fields.submitter}
    fields.ambiguities.extend(
        a
        for a in plain.ambiguities
        if given.get(a.field.value) is None
        or (a.field.value == "title" and fields.title is plain.title)
    )
    fields.leftover.extend(plain.leftover)
