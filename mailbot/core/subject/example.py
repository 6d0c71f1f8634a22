"""A well-formed subject line for one unit, after the example of the office's convention."""

from __future__ import annotations

from datetime import date

from mailbot.core.subject.form import format_subject
from mailbot.core.subject.model import FieldName
from mailbot.core.subject.reader import read_subject
from mailbot.core.subject.roster import Roster

_TITLE, _SUBMITTER, _CONTACT = "春季重点工作推进情况", "张三", "13800000000"
"""What stands in where the convention's example does not read as a whole line."""


def example_for(unit_id: str, example: str, roster: Roster, day: date) -> str:
    """The example with the unit's own name in place of the one in it; read back, it is this unit's.
    Where that does not come out, the recommended line of four fields."""
    name = roster.get(unit_id).name
    reading = read_subject(example, roster, day)
    if reading.unit is not None and example.count(reading.unit.value) == 1:
        line = example.replace(reading.unit.value, name)
        again = read_subject(line, roster, day)
        if (
            again.unit is not None
            and again.unit.unit_id == unit_id
            and again.field(FieldName.TITLE) is not None
        ):
            return line
    title = reading.title.value if reading.title else _TITLE
    submitter = reading.submitter.value if reading.submitter else _SUBMITTER
    contact = [c.value for c in reading.contact] or [_CONTACT]
    return format_subject(name, title, submitter, contact, roster=roster)
