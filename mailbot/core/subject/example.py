"""A well-formed subject line for one unit, after the example of the office's convention."""

from __future__ import annotations

from datetime import date

from mailbot.core.subject.form import format_subject
from mailbot.core.subject.model import FieldName, Reading
from mailbot.core.subject.reader import read_subject
from mailbot.core.subject.roster import Roster

_TITLE, _SUBMITTER, _CONTACT = "春季重点工作推进情况", "张三", "13900000000"
"""What stands in where the convention's example does not read as a whole line. Its telephone
number is never repeated: it may be somebody's, the office's own for one."""
_LIAISON = "liaison"


def example_for(
    unit_id: str, example: str, roster: Roster, day: date, *, named: bool = True
) -> str:
    """The example with the unit's own name in place of the one in it; read back, it is this unit's.
    With `named` its liaison stands in it, where the roster has his telephone number: only for
    readers who may know it. Where that does not come out, the recommended line of four fields."""
    name = roster.get(unit_id).name
    person = _person(unit_id, roster, day) if named else ("", "")
    reading = read_subject(example, roster, day)
    for who, phone in dict.fromkeys((person, ("", ""))):
        line = _filled(example, reading, name, who, phone or _CONTACT)
        if line and _is_whole(line, reading, unit_id, roster, day):
            return line
    title = reading.title.value if reading.title else _TITLE
    submitter = person[0] or (reading.submitter.value if reading.submitter else _SUBMITTER)
    return format_subject(name, title, submitter, [person[1] or _CONTACT], roster=roster)


def _person(unit_id: str, roster: Roster, day: date) -> tuple[str, str]:
    """Name and number of the liaison in office."""
    for one in roster.get(unit_id).contacts:
        if one.role == _LIAISON and one.name and one.phone and one.on(day):
            return one.name, one.phone
    return "", ""


def _filled(example: str, reading: Reading, unit: str, who: str, phone: str) -> str:
    """Empty where a field cannot be told from the rest of the line."""
    changes = [(reading.unit.value, unit)] if reading.unit is not None else []
    changes += [(c.value, phone) for c in reading.contact]
    if who and reading.submitter is not None:
        changes.append((reading.submitter.value, who))
    if reading.unit is None or any(example.count(old) != 1 for old, _ in changes):
        return ""
    at = sorted((example.index(old), old, new) for old, new in changes)
    line, end = "", 0
    for start, old, new in at:
        line += example[end:start] + new
        end = start + len(old)
    return line + example[end:]


def _is_whole(line: str, like: Reading, unit_id: str, roster: Roster, day: date) -> bool:
    """Does the line say for the unit what the example says?"""
    again = read_subject(line, roster, day)
    return (
        again.unit is not None
        and again.unit.unit_id == unit_id
        and again.field(FieldName.TITLE) is not None
        and bool(again.contact) == bool(like.contact)
        and (again.submitter is None) == (like.submitter is None)
    )
