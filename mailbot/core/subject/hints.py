"""What a subject lacks, looked for beside it: body, file names, the sender, the roster.

Everything found here carries its own source and is never more certain than its place allows: a
labelled line of the body is the sender's word, a signature or a file name is likely, the roster's
liaison or a display name is a guess. Two places that disagree make a guess of the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

from mailbot.core.subject.fields import Fields
from mailbot.core.subject.labels import Label, label_segments
from mailbot.core.subject.model import (
    Certainty,
    FieldName,
    FieldValue,
    Hints,
    Reading,
    Source,
    UnitValue,
)
from mailbot.core.subject.names import NameShape, name_shape, names_shape
from mailbot.core.subject.phones import phones_in
from mailbot.core.subject.pieces import Context
from mailbot.core.subject.roster import Contact, UnitName
from mailbot.core.subject.text import Line
from mailbot.core.subject.units import find_units, match_unit

ReadLine = Callable[[Line, Context], Fields]

_HEAD, _TAIL, _WIDEST = 40, 15, 200
"""Lines of the body looked at from its top and its end, and how wide a line may be."""

_DOCUMENT = re.compile(r"\.(?:docx?|wps|wpt|pdf|ofd|rtf|txt|odt|zip|rar|xlsx?|et)$", re.I)
_LETTER = re.compile(
    r"(?:您好|你好|尊敬的|现将|请查收|请审阅|附件|谢谢|此致|敬礼|领导|各位|收到|发自|祝|如下|报送如下)"
)
_QUOTED = re.compile(
    r"^\s*(?:>|-{3,}\s*(?:原始邮件|original|forwarded|转发)|(?:发件人|from|在.{4,40}写道)\s*[:：])",
    re.I,
)


def fill_in(reading: Reading, hints: Hints, context: Context, read_line: ReadLine) -> Reading:
    """The reading with missing fields taken from the hints, in the order of `Source`."""
    labelled, signature, opening = _body(hints.body, context)
    files = _files(hints.attachment_names, context, read_line)
    ambiguous = {a.field for a in reading.ambiguities}

    if reading.unit is None and FieldName.UNIT not in ambiguous:
        reading = replace(reading, unit=_unit(reading, labelled, signature, files, hints, context))
    if reading.title is None and FieldName.TITLE not in ambiguous and not reading.count:
        title = _first(
            _from(labelled.title, Source.BODY, Certainty.CERTAIN),
            _from(files.title, Source.ATTACHMENT, Certainty.LIKELY),
            _from(opening, Source.BODY, Certainty.GUESS),
        )
        reading = replace(reading, title=title)
    if reading.submitter is None and FieldName.SUBMITTER not in ambiguous:
        reading = replace(
            reading, submitter=_submitter(reading, labelled, signature, files, hints, context)
        )
    if not reading.contact:
        reading = replace(reading, contact=_contacts(reading, labelled, signature, files, context))
    return reading


def _unit(
    reading: Reading,
    labelled: Fields,
    signature: Fields,
    files: Fields,
    hints: Hints,
    context: Context,
) -> UnitValue | None:
    found = [
        _from_unit(labelled.unit, Source.BODY, Certainty.CERTAIN),
        _from_unit(signature.unit, Source.BODY, Certainty.LIKELY),
        _from_unit(files.unit, Source.ATTACHMENT, Certainty.LIKELY),
        _bound(hints, context),
        _named(hints.sender_name, Source.SENDER, Certainty.LIKELY, context),
    ]
    known = [u for u in found if u is not None and u.unit_id is not None]
    if known:
        agreed = all(u.unit_id == known[0].unit_id for u in known)
        return known[0] if agreed else replace(known[0], certainty=Certainty.GUESS)
    title = reading.title
    return _named(title.value, Source.SUBJECT, Certainty.GUESS, context) if title else None


def _bound(hints: Hints, context: Context) -> UnitValue | None:
    if hints.sender_unit_id is None:
        return None
    unit = next((u for u in context.roster.units if u.id == hints.sender_unit_id), None)
    return UnitValue(unit.name, Source.SENDER, Certainty.CERTAIN, unit.id) if unit else None


def _named(text: str, source: Source, certainty: Certainty, context: Context) -> UnitValue | None:
    """The one unit named anywhere in a text."""
    matches = find_units(text[:_WIDEST], context.roster, context.day)
    ids = {m.unit_id for m in matches}
    if len(ids) != 1 or None in ids:
        return None
    return UnitValue(matches[0].text, source, certainty, matches[0].unit_id)


def _submitter(
    reading: Reading,
    labelled: Fields,
    signature: Fields,
    files: Fields,
    hints: Hints,
    context: Context,
) -> FieldValue | None:
    shown = Line.of(hints.sender_name)
    own = match_unit(shown.text, context.roster, context.day) is None and (
        name_shape(shown.fold) >= NameShape.FAIR
    )
    return _first(
        _from(labelled.submitter, Source.BODY, Certainty.CERTAIN),
        _from(signature.submitter, Source.BODY, Certainty.LIKELY),
        _from(files.submitter, Source.ATTACHMENT, Certainty.LIKELY),
        *(
            FieldValue(c.name, Source.ROSTER, Certainty.GUESS)
            for c in _liaisons(reading, context)
            if c.name
        ),
        FieldValue(shown.text, Source.SENDER, Certainty.GUESS) if own else None,
    )


def _contacts(
    reading: Reading, labelled: Fields, signature: Fields, files: Fields, context: Context
) -> tuple[FieldValue, ...]:
    for values, source, most in (
        (labelled.contact, Source.BODY, Certainty.CERTAIN),
        (signature.contact, Source.BODY, Certainty.LIKELY),
        (files.contact, Source.ATTACHMENT, Certainty.LIKELY),
    ):
        if values:
            return tuple(FieldValue(v.value, source, _least(v.certainty, most)) for v in values)
    return tuple(
        FieldValue(c.phone, Source.ROSTER, Certainty.GUESS)
        for c in _liaisons(reading, context)
        if c.phone
    )[:1]


def _liaisons(reading: Reading, context: Context) -> Iterable[Contact]:
    """The liaisons of the unit in office on the day."""
    unit_id = reading.unit.unit_id if reading.unit else None
    unit = next((u for u in context.roster.units if u.id == unit_id), None)
    for contact in unit.contacts if unit else ():
        if contact.role == "liaison" and _in_office(contact, context.day):
            yield contact


def _in_office(contact: Contact, day: date) -> bool:
    return UnitName("", contact.start, contact.end).on(day)


def _body(body: str, context: Context) -> tuple[Fields, Fields, FieldValue | None]:
    """Labelled lines, the signature, and the line that opens the text like a title. What is quoted
    from an earlier mail is nobody's signature."""
    lines: list[Line] = []
    for raw in body[:20_000].splitlines():
        if _QUOTED.match(raw):
            break
        if raw.strip():
            lines.append(Line.of(raw[:_WIDEST]))
    labelled, signature = Fields(), Fields()
    near = lines if len(lines) <= _HEAD + _TAIL else lines[:_HEAD] + lines[-_TAIL:]
    for line in near:
        _labelled_line(line, labelled, context)
    for line in lines[-_TAIL:]:
        _signature_line(line, signature, context)
    return labelled, signature, _opening(lines, context)


def _labelled_line(line: Line, fields: Fields, context: Context) -> None:
    for segment in label_segments(line.fold, [False] * len(line.fold), set()):
        part = line.cut(segment.start, segment.end)
        text = part.text.strip(" \u3000,，;；、。.|()（）")
        if not text:
            continue
        match segment.label:
            case Label.UNIT if fields.unit is None:
                unit = match_unit(text, context.roster, context.day)
                if unit and unit.unit_id:
                    fields.unit = UnitValue(text, Source.BODY, Certainty.CERTAIN, unit.unit_id)
            case Label.TITLE if fields.title is None and 4 <= len(text) <= 80:
                fields.title = FieldValue(text, Source.BODY, Certainty.CERTAIN)
            case Label.SUBMITTER | Label.PERSON if fields.submitter is None:
                if names_shape(Line.of(text).fold) >= NameShape.FAIR:
                    fields.submitter = FieldValue(text, Source.BODY, Certainty.CERTAIN)
            case Label.CONTACT if not fields.contact:
                fields.contact = [
                    FieldValue(n, Source.BODY, Certainty.CERTAIN) for n in phones_in(part.fold)
                ]
            case _:
                pass


def _signature_line(line: Line, fields: Fields, context: Context) -> None:
    """A short closing line made of nothing but a unit, a name, a telephone."""
    if len(line.fold) > 60 or _LETTER.search(line.fold):
        return
    numbers = phones_in(line.fold)
    rest = re.sub(r"[0-9+()\- ]{6,}|(?:联系)?(?:电话|手机|方式)|[,、;:/|()]", " ", line.fold)
    for word in [line.fold.strip(), *rest.split()]:
        unit = match_unit(word, context.roster, context.day)
        if unit and unit.unit_id:
            at = line.fold.find(word)
            fields.unit = UnitValue(
                line.text[at : at + len(word)], Source.BODY, Certainty.LIKELY, unit.unit_id
            )
        elif name_shape(word) is NameShape.STRONG:
            at = line.fold.find(word)
            fields.submitter = FieldValue(
                line.text[at : at + len(word)], Source.BODY, Certainty.LIKELY
            )
    if numbers and len(rest.split()) <= 4:
        fields.contact = [
            FieldValue(n, Source.BODY, Certainty.LIKELY) for n in dict.fromkeys(numbers)
        ]


def _opening(lines: list[Line], context: Context) -> FieldValue | None:
    for line in lines[:3]:
        text = line.text
        if not 6 <= len(text) <= 40 or text[-1] in "。，；：,;:！!" or _LETTER.search(line.fold):
            continue
        if (
            match_unit(text, context.roster, context.day)
            or phones_in(line.fold)
            or ":" in line.fold
        ):
            continue
        return FieldValue(text, Source.BODY, Certainty.GUESS)
    return None


def _files(names: tuple[str, ...], context: Context, read_line: ReadLine) -> Fields:
    """What the names of the documents say: read as subjects are; a title only where there is one
    document, or all agree."""
    read = [read_line(Line.of(n[:_WIDEST]), context) for n in names[:20] if _DOCUMENT.search(n)]
    fields = Fields()
    for one in read:
        if fields.unit is None and one.unit is not None and one.unit.unit_id is not None:
            fields.unit = one.unit
        fields.submitter = fields.submitter or one.submitter
        fields.contact = fields.contact or one.contact
    titles = {f.title.value for f in read if f.title and f.title.certainty is not Certainty.GUESS}
    if len(titles) == 1 and len(read) == 1:
        fields.title = read[0].title
    return fields


def _from(found: FieldValue | None, source: Source, most: Certainty) -> FieldValue | None:
    return FieldValue(found.value, source, _least(found.certainty, most)) if found else None


def _from_unit(found: UnitValue | None, source: Source, most: Certainty) -> UnitValue | None:
    return replace(found, source=source, certainty=_least(found.certainty, most)) if found else None


def _least(one: Certainty, other: Certainty) -> Certainty:
    order = (Certainty.GUESS, Certainty.LIKELY, Certainty.CERTAIN)
    return min(one, other, key=order.index)


def _first(*values: FieldValue | None) -> FieldValue | None:
    return next((v for v in values if v is not None), None)
