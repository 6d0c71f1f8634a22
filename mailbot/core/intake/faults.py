"""The sender's faults in one submission: every one, so that one letter can tell them all."""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.core.intake.content import Content
from mailbot.core.intake.problems import Problem, ProblemCode
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.rulebook import Convention, Elsewhere
from mailbot.core.subject.model import (
    Certainty,
    FieldName,
    FieldValue,
    Reading,
    Source,
)
from mailbot.core.subject.roster import Roster

_MISSING = {
    FieldName.UNIT: ProblemCode.UNIT_MISSING,
    FieldName.TITLE: ProblemCode.TITLE_MISSING,
    FieldName.SUBMITTER: ProblemCode.SUBMITTER_MISSING,
    FieldName.CONTACT: ProblemCode.CONTACT_MISSING,
}
_AMBIGUOUS = {
    FieldName.UNIT: ProblemCode.UNIT_AMBIGUOUS,
    FieldName.TITLE: ProblemCode.TITLE_AMBIGUOUS,
    FieldName.SUBMITTER: ProblemCode.SUBMITTER_AMBIGUOUS,
}


@dataclass(frozen=True, slots=True)
class FieldFaults:
    problems: tuple[Problem, ...]
    missing: tuple[FieldName, ...]
    """Required fields that do not stand where the convention wants them."""


def field_faults(
    reading: Reading, convention: Convention, roster: Roster, *, titles_elsewhere: bool = False
) -> FieldFaults:
    """Holds a reading against the convention. `titles_elsewhere`: the mail states several items
    and their titles are the files' names, so the subject need not carry one."""
    problems: list[Problem] = []
    missing: list[FieldName] = []
    elsewhere: list[FieldName] = []
    ambiguous = {a.field: a for a in reading.ambiguities}
    for name in convention.required:
        if name is FieldName.TITLE and titles_elsewhere:
            continue
        if name in ambiguous and name in _AMBIGUOUS:
            problems.append(Problem(_AMBIGUOUS[name], candidates=ambiguous[name].candidates))
            missing.append(name)
            continue
        value = _best(reading, name)
        if name is FieldName.UNIT and _names_nobody(reading):
            problems.append(_unknown_unit(reading, roster))
            missing.append(name)
        elif value is None:
            problems.append(_absent(name, reading))
            missing.append(name)
        elif (value.source is Source.SUBJECT and value.certainty is not Certainty.GUESS) or (
            convention.elsewhere is Elsewhere.ACCEPT
            and value.source is not Source.SUBJECT
            and value.certainty is not Certainty.GUESS
        ):
            continue
        else:
            missing.append(name)
            if value.source is Source.SUBJECT:
                problems.append(Problem(_MISSING[name], found=value.value))
            else:
                elsewhere.append(name)
    if elsewhere:
        problems.append(
            Problem(ProblemCode.FIELDS_ELSEWHERE, candidates=tuple(f.value for f in elsewhere))
        )
    return FieldFaults(tuple(problems), tuple(missing))


def content_faults(mail: IncomingMail, content: Content) -> tuple[Problem, ...]:
    """Is there an item in the mail at all? A 超大附件 link is an attachment that is not there."""
    if mail.cloud_attachments and not content.files:
        name = mail.cloud_attachments[0].name
        return (Problem(ProblemCode.CLOUD_ATTACHMENT, found=name),)
    if content.empty:
        return (Problem(ProblemCode.CONTENT_MISSING),)
    return ()


def _best(reading: Reading, name: FieldName) -> FieldValue | None:
    value = reading.field(name)
    if isinstance(value, tuple):
        return value[0] if value else None
    return value


def _names_nobody(reading: Reading) -> bool:
    return reading.unit is not None and reading.unit.unit_id is None


def _unknown_unit(reading: Reading, roster: Roster) -> Problem:
    assert reading.unit is not None
    names = tuple(roster.get(u).name for u in reading.unit.candidates)
    return Problem(ProblemCode.UNIT_UNKNOWN, found=reading.unit.value, candidates=names)


def _absent(name: FieldName, reading: Reading) -> Problem:
    """Nothing there; for a contact, perhaps a number that is no telephone."""
    if name is FieldName.CONTACT:
        digits = [
            text
            for text in reading.leftover
            if sum(c.isdigit() for c in text) >= max(5, len(text) // 2)
        ]
        if digits:
            return Problem(ProblemCode.CONTACT_MALFORMED, found=digits[0])
    return Problem(_MISSING[name])
