"""What each answer says, without a word of formatting.

`core.intake.decide` and `app.intake` fill these in; `adapters.letters` turns them into the text and
HTML of a mail through `templates/mail/`. Strings are those of the mail (already free of control
characters); the templates escape and shorten them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from mailbot.core.intake.problems import Problem
from mailbot.core.subject.model import Certainty, FieldName, Source


class AnswerKind(StrEnum):
    ACKNOWLEDGEMENT = "acknowledgement"
    RETURN = "return"
    PENDING = "pending"
    REPEAT = "repeat"
    """The answer to something sent again: the same letter, counted apart in the send log."""
    LIMIT = "limit"
    """The one "no more automatic answers today" of a day."""
    SERVICE = "service"
    """What a mail asked for (`core.letters.service`): an account, help, a note about a command."""


@dataclass(frozen=True, slots=True)
class OfficeCard:
    """How the office signs: name, signature line, telephone, mailbox; and what holds for whatever it
    writes about."""

    name: str
    signature: str
    phone: str
    mailbox: str
    correction_days: int | None = None
    """Working days after a mail in which its correction counts in its month; None: not said."""


@dataclass(frozen=True, slots=True)
class UnderstoodField:
    """A field as understood; `value` empty when nothing was found."""

    name: FieldName
    value: str = ""
    source: Source | None = None
    certainty: Certainty | None = None


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item of an acknowledgement."""

    receipt: str
    title: str
    unit: str
    submitter: str
    contact: str
    category: str
    """The category's Chinese name."""
    category_doubtful: bool = False
    """Booked under the office's default until staff look at it."""


@dataclass(frozen=True, slots=True)
class AttachmentLine:
    name: str
    size: int
    """Bytes."""
    from_earlier: bool = False
    """Taken over from the mail this one corrects."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    office: OfficeCard
    received: datetime
    items: tuple[ItemLine, ...]
    attachments: tuple[AttachmentLine, ...]
    month: date
    """First day of the month the items count in."""
    month_count: int
    """Items of the unit that count in that month, these included."""
    month_quota: int | None
    corrects: tuple[str, ...] = ()
    """Receipt numbers whose earlier version or returned mail this one replaces."""
    duplicate_of: tuple[str, ...] = ()
    """Receipt numbers already given to the same item: it was not counted again."""
    warnings: tuple[str, ...] = ()
    """Whole Chinese sentences: remarks that are no fault (length, sign-off, unread archive)."""


@dataclass(frozen=True, slots=True)
class ReturnNotice:
    """A send-back. Quotes nothing of the body; its text stays under 2 kB."""

    office: OfficeCard
    received: datetime
    receipt: str
    original_subject: str
    problems: tuple[Problem, ...]
    understood: tuple[UnderstoodField, ...]
    corrected_subject: str
    """Ready to copy. Where a field is nowhere to be found it holds that field's blank
    (`core.subject.form.BLANKS`)."""
    complete: bool
    """The corrected line has no blank: pasted unchanged it is accepted."""
    mailto: str
    """`mailto:` URI (RFC 6068) to the office with the corrected line as subject; put it into an
    href and escape it as HTML there."""
    example: str
    keeps_attachments: bool
    """The correction need not attach the files again."""
    attachments: tuple[AttachmentLine, ...] = ()


@dataclass(frozen=True, slots=True)
class PendingNotice:
    """Received, being checked by a person. Says nothing of why where that would tell a stranger
    anything; `reasons` are whole Chinese sentences fit for the sender."""

    office: OfficeCard
    received: datetime
    receipt: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LimitNotice:
    """Today's automatic answers to this address are used up; mail is still recorded."""

    office: OfficeCard
    day: date
    limit: int


AnswerLetter = Acknowledgement | ReturnNotice | PendingNotice | LimitNotice


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter ready for `core.mail.compose`."""

    subject: str
    text: str
    html: str
