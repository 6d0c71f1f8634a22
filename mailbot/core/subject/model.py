"""What a subject line was understood to say.

A `Reading` is what `reader.read_subject` returns: for each of the four fields of the convention
(报送单位, 信息标题, 报送人, 联系方式) the value, where it came from and how sure it is. It holds
no judgement: whether a field found only in the body is good enough is the office's data.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FieldName(StrEnum):
    UNIT = "unit"
    TITLE = "title"
    SUBMITTER = "submitter"
    CONTACT = "contact"


class Source(StrEnum):
    """Where a field's value was found, best first."""

    SUBJECT = "subject"
    EARLIER = "earlier"
    """Taken from the mail this one corrects."""
    BODY = "body"
    """Signature or labelled line of the body."""
    ATTACHMENT = "attachment"
    """An attachment's file name."""
    ROSTER = "roster"
    """The unit's entry in the roster (its liaison, its phone)."""
    SENDER = "sender"
    """The roster by the sender's address, or the sender's display name."""
    STAFF = "staff"


class Certainty(StrEnum):
    CERTAIN = "certain"
    """Only one reading fits: an exact unit name, a well-formed phone, a labelled field."""
    LIKELY = "likely"
    """Read by position or shape with one best candidate; good enough to accept."""
    GUESS = "guess"
    """Offered in the corrected line or to staff; never accepted by itself."""


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One field's value as the sender wrote it, widths and dashes folded, marks removed."""

    value: str
    source: Source
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class UnitValue(FieldValue):
    """A unit: `value` as written (鄂托克前旗农牧局); `unit_id` None when no roster entry fits, with
    the near misses in `candidates` (unit ids, best first)."""

    unit_id: str | None = None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Two or more readings that fit equally well. Never resolved by guessing."""

    field: FieldName
    candidates: tuple[str, ...]
    """As shown to the sender."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One subject line, understood.

    `marks` are the words of bracketed or labelled marks without brackets, as written
    (`问题类`, `约稿`, `紧急`); `prefixes` the normalised reply and forward prefixes from the outside
    in (`re`, `fw`, `auto`, `read`, `recall`); `reference` a receipt number of ours found in the
    line; `count` and `month` a statement such as 7月信息3条; `titles` several numbered titles in
    one line (then `title` holds them all as written); `leftover` text that fits no field.
    """

    raw: str
    unit: UnitValue | None = None
    title: FieldValue | None = None
    submitter: FieldValue | None = None
    contact: tuple[FieldValue, ...] = ()
    titles: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    reference: str | None = None
    count: int | None = None
    month: int | None = None
    ambiguities: tuple[Ambiguity, ...] = ()
    leftover: tuple[str, ...] = ()

    def field(self, name: FieldName) -> FieldValue | tuple[FieldValue, ...] | None:
        """The field by its name; `contact` is a tuple, perhaps empty."""
        return {
            FieldName.UNIT: self.unit,
            FieldName.TITLE: self.title,
            FieldName.SUBMITTER: self.submitter,
            FieldName.CONTACT: self.contact,
        }[name]


@dataclass(frozen=True, slots=True)
class Hints:
    """What stands beside the subject and may fill in what it lacks."""

    body: str = ""
    attachment_names: tuple[str, ...] = ()
    sender_unit_id: str | None = None
    """The unit the sender's address is bound to, if any."""
    sender_name: str = ""
    """Display name of the From address."""
