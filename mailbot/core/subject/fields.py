"""The fields of one line while it is being read: a mutable slip that ends up in a `Reading`."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailbot.core.subject.model import Ambiguity, Certainty, FieldValue, Source, UnitValue
from mailbot.core.subject.statements import numbered_titles


@dataclass(slots=True)
class Fields:
    """What one line gave. All values have `Source.SUBJECT`; the caller knows the true source."""

    unit: UnitValue | None = None
    title: FieldValue | None = None
    submitter: FieldValue | None = None
    contact: list[FieldValue] = field(default_factory=list)
    titles: tuple[str, ...] = ()
    marks: list[str] = field(default_factory=list)
    count: int | None = None
    month: int | None = None
    ambiguities: list[Ambiguity] = field(default_factory=list)
    leftover: list[str] = field(default_factory=list)


def value(text: str, certainty: Certainty) -> FieldValue:
    return FieldValue(text, Source.SUBJECT, certainty)


def set_titles(fields: Fields, text: str, folded: str) -> None:
    spans = numbered_titles(folded)
    if spans:
        fields.titles = tuple(text[start:end].strip() for start, end in spans)
        fields.count = fields.count or len(spans)
