"""Writing a subject in the recommended form, so that reading it gives the same fields again.

The short form is 单位+标题+报送人+联系方式. Where a field's own wording could be taken for something
else there (a plus in the title, a title of two characters, a name no pattern knows), the labelled
form is written instead, and where the title itself contains labels, with the title last. Every line
is read back before it is handed out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from mailbot.core.subject.labels import mentions_label
from mailbot.core.subject.model import Certainty, FieldName, Reading
from mailbot.core.subject.reader import read_subject
from mailbot.core.subject.roster import Roster, Unit, UnitName
from mailbot.core.subject.statements import numbered_titles, statement
from mailbot.core.subject.text import clean, fold
from mailbot.core.subject.units import INSTITUTION

BLANKS: dict[FieldName, str] = {
    FieldName.UNIT: "（请填报送单位）",
    FieldName.TITLE: "（请填信息标题）",
    FieldName.SUBMITTER: "（请填报送人）",
    FieldName.CONTACT: "（请填联系方式）",
}
"""What stands in a corrected line for a field that is nowhere to be found. The reader takes an
unfilled blank for a missing field, never for a value."""

_LABELS = {
    FieldName.UNIT: "报送单位",
    FieldName.TITLE: "信息标题",
    FieldName.SUBMITTER: "报送人",
    FieldName.CONTACT: "联系方式",
}
_ANY_DAY = date(2022, 7, 6)
"""The check roster's names have no dates: any day will do."""

_PIECES = re.compile(r"[ +\-_/|、,;:。~&·=<>*#^@…()\[\]“”‘’\"]+")

_NOISY = re.compile(r"^.{0,4}(?:信息|报送|上报|稿件|投稿|来稿|简报).{0,2}$")
"""Short titles that an office may have declared as noise."""

_WORD_IN_BRACKETS = re.compile(r"[(\[][^()\[\]0-9]{0,8}[)\]]")


def format_subject(
    unit: str, title: str, submitter: str, contact: Sequence[str], *, roster: Roster | None = None
) -> str:
    """The recommended line for four fields in the form `read_subject` returns them: no blanks
    at the ends, no document extension or declared mark in the title, numbers as telephones. With a
    `roster` the title is also held against all its names."""
    fields = {
        FieldName.UNIT: clean(unit),
        FieldName.TITLE: clean(title),
        FieldName.SUBMITTER: clean(submitter),
        FieldName.CONTACT: "、".join(clean(c) for c in contact),
    }
    return _line(fields, (), roster)


def corrected_subject(reading: Reading, roster: Roster) -> tuple[str, bool]:
    """The line to copy, with the best value of every field and blanks for the rest, and whether it
    is complete: pasted unchanged, a complete line reads with all it needs. Declared marks stand in
    【】 before the title; a statement such as 7月信息3条 stands for the title where the titles are
    those of the files. A field with several readings is a blank that names them."""
    fields = {name: BLANKS[name] for name in FieldName}
    open_fields = {a.field: a.candidates for a in reading.ambiguities}
    if reading.unit is not None and reading.unit.unit_id is not None:
        fields[FieldName.UNIT] = _unit_name(reading, roster)
    elif reading.unit is not None and reading.unit.candidates:
        names = [u.name for c in reading.unit.candidates for u in roster.units if u.id == c]
        fields[FieldName.UNIT] = _blank(FieldName.UNIT, names)
    if reading.title is not None:
        fields[FieldName.TITLE] = clean(reading.title.value)
    elif reading.count is not None:
        fields[FieldName.TITLE] = _statement(reading)
    if reading.submitter is not None:
        fields[FieldName.SUBMITTER] = clean(reading.submitter.value)
    if reading.contact:
        fields[FieldName.CONTACT] = "、".join(clean(c.value) for c in reading.contact)
    for name, candidates in open_fields.items():
        fields[name] = _blank(name, candidates)
    complete = not any(value.startswith("（请填") for value in fields.values())
    return _line(fields, reading.marks, roster), complete


def _unit_name(reading: Reading, roster: Roster) -> str:
    """As written, unless only the roster's own name is sure to be read again."""
    assert reading.unit is not None
    written = clean(reading.unit.value)
    if reading.unit.certainty is Certainty.CERTAIN:
        return written
    return next((u.name for u in roster.units if u.id == reading.unit.unit_id), written)


def _blank(name: FieldName, candidates: Sequence[str]) -> str:
    words = "或".join(re.sub(r"[()（）\[\]【】+＋]", " ", c)[:20] for c in candidates[:3])
    words += "等" if len(candidates) > 3 else ""
    return BLANKS[name][:-1] + (f"：{words}）" if words else "）")


def _statement(reading: Reading) -> str:
    month = f"{reading.month}月" if reading.month else ""
    return f"{month}信息{reading.count}条"


def _line(fields: dict[FieldName, str], marks: Sequence[str], roster: Roster | None) -> str:
    title = fields[FieldName.TITLE]
    values = {**fields, FieldName.TITLE: "".join(f"【{m}】" for m in marks) + title}
    rosters = [_alone(fields[FieldName.UNIT]), *([_undated(roster)] if roster else [])]
    if not mentions_label(fold(title)):
        short = "+".join(values[n] for n in FieldName)
        safe = _speaking(title) and (roster is not None or _plain_title(title))
        if safe and all(_reads_back(short, fields, marks, r) for r in rosters):
            return short
        labelled = " ".join(f"{_LABELS[n]}：{values[n]}" for n in FieldName)
        if all(_reads_back(labelled, fields, marks, r) for r in rosters):
            return labelled
    order = (FieldName.UNIT, FieldName.SUBMITTER, FieldName.CONTACT, FieldName.TITLE)
    return " ".join(f"{_LABELS[n]}：{values[n]}" for n in order)


def _speaking(title: str) -> bool:
    """Whether neither the title nor a word in brackets in it could be an office's mark or noise."""
    folded = fold(title)
    if title.startswith("（请填") or statement(folded):
        return True
    if folded[:1] in ("[", "("):
        return bool(numbered_titles(folded))
    return (
        len(folded) >= 4 and not _NOISY.fullmatch(folded) and not _WORD_IN_BRACKETS.search(folded)
    )


def _plain_title(title: str) -> bool:
    """Whether no roster could find a unit of its own set apart in the title."""
    return not any(INSTITUTION.search(p) for p in _PIECES.split(fold(title)) if len(p) <= 16)


def _alone(unit: str) -> Roster:
    return Roster((Unit("unit", (UnitName(unit),), ""),))


def _undated(roster: Roster) -> Roster:
    """The roster with all its names at once: the line must hold whatever the day."""
    return Roster(
        tuple(Unit(u.id, tuple(UnitName(n.text) for n in u.names), u.group) for u in roster.units),
        roster.prefixes,
    )


def _reads_back(
    line: str, fields: dict[FieldName, str], marks: Sequence[str], roster: Roster
) -> bool:
    """Whether reading the line with the roster gives exactly the fields (a blank: none)."""
    reading = read_subject(line, roster, _ANY_DAY, marks=tuple(marks))
    got = {
        FieldName.UNIT: reading.unit.value if reading.unit and reading.unit.unit_id else "",
        FieldName.TITLE: reading.title.value if reading.title else "",
        FieldName.SUBMITTER: reading.submitter.value if reading.submitter else "",
        FieldName.CONTACT: "、".join(c.value for c in reading.contact),
    }
    if reading.title is None and reading.count is not None:
        got[FieldName.TITLE] = _statement(reading)
    wanted = {n: "" if v.startswith("（请填") else v for n, v in fields.items()}
    sure = all(
        v is None or v.certainty is not Certainty.GUESS
        for v in (reading.unit, reading.title, reading.submitter)
    )
    return got == wanted and sure and not reading.ambiguities
