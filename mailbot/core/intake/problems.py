"""The sender's faults, as values. A closed list: every code has its paragraph in
`templates/mail/`, and a test holds the two lists equal. All problems of a mail are told at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProblemCode(StrEnum):
    UNIT_MISSING = "unit_missing"
    UNIT_UNKNOWN = "unit_unknown"
    """Something stands where the unit should, but it is nobody in the roster."""
    UNIT_AMBIGUOUS = "unit_ambiguous"
    TITLE_MISSING = "title_missing"
    TITLE_AMBIGUOUS = "title_ambiguous"
    SUBMITTER_MISSING = "submitter_missing"
    SUBMITTER_AMBIGUOUS = "submitter_ambiguous"
    CONTACT_MISSING = "contact_missing"
    CONTACT_MALFORMED = "contact_malformed"
    """A number stands there that is no phone: too short, too long, an ID."""
    FIELDS_ELSEWHERE = "fields_elsewhere"
    """Fields found in the body or a file name only; the convention wants them in the subject."""
    CONTENT_MISSING = "content_missing"
    """Neither text nor attachment carries the item."""
    CLOUD_ATTACHMENT = "cloud_attachment"
    """The file came as a 超大附件 link, which the office's network cannot open."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: what was found (`found`), which candidates there were, and for
    FIELDS_ELSEWHERE which fields (names from `FieldName`) it is about."""

    code: ProblemCode
    found: str = ""
    candidates: tuple[str, ...] = ()
