"""The decision on one mail, and what it is based on.

A `Decision` carries two texts for every reason: one for people (Chinese, whole sentences) and one
for the log (a stable code with details). It holds no receipt numbers and no counts: those exist
only once the decision has been recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from mailbot.core.intake.classify import Classification
from mailbot.core.intake.commands import Command
from mailbot.core.intake.problems import Problem
from mailbot.core.letters.answers import AnswerKind
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.mail.automatic import Automatic
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.model import FieldName, FieldValue, Reading, UnitValue


class DecisionKind(StrEnum):
    ACCEPT = "accept"
    RETURN = "return"
    HOLD = "hold"
    QUARANTINE = "quarantine"
    IGNORE = "ignore"
    COMMAND = "command"
    """It asked something of the bot (`core.intake.commands`); it is no submission."""


class Relation(StrEnum):
    """How a mail relates to an earlier mail, item or letter."""

    DUPLICATE = "duplicate"
    """The same mail again (equal content key)."""
    RESEND = "resend"
    """The same item sent once more."""
    CORRECTION = "correction"
    RECALL = "recall"
    BOUNCE = "bounce"
    RECEIPT = "receipt"
    REPLY = "reply"
    SAME_ID = "same_id"
    """Same Message-ID, other content: shown, never merged."""
    COPY = "copy"
    """A letter of our own come back to us."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why. `text` is for people, `code` and `detail` for the log."""

    code: str
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EarlierItem:
    """An item already recorded, as far as relating a new mail to it needs."""

    id: int
    receipt: str
    state: str
    """`app.records.ItemState` value."""
    unit_id: str | None
    title: str
    from_addr: str
    received: datetime
    inbound_id: int | None
    """None: it came by another channel."""
    fingerprint: frozenset[str]
    """Hashes of its documents, else of its text."""
    has_attachments: bool
    has_content: bool = True
    """Its mail brought a file, or a text that is more than a covering note."""
    month: date | None = None
    """First day of the month it counts in."""
    submitter: str = ""
    contact: tuple[str, ...] = ()
    attachment_paths: tuple[str, ...] = ()
    content_from: int | None = None
    """Inbound id of the mail that holds its files, which may be older than `inbound_id`."""
    classification: Classification | None = None
    scope: str = ""
    revises: str = ""
    """Receipt number of the accepted item this returned or held one is a new version of."""
    by_reference: bool = False
    """Found by a receipt number somebody wrote, not by our letter's Message-ID."""


class CodeState(StrEnum):
    """What is known of the code with which a mail rules on a draft."""

    UNKNOWN = "unknown"
    """There is none such, or it was made for somebody else."""
    SEVERAL = "several"
    USED = "used"
    EXPIRED = "expired"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision knows beside the mail: the office's data of the day and our records."""

    book: OfficeBook
    received: datetime
    automatic: Automatic | None = None
    answer_refused: str | None = None
    authentication: AuthResult = AuthResult.NONE
    verifiable: bool = False
    """The mailbox names the servers whose Authentication-Results count, so a mail without one is
    suspicious; False where nothing can be verified at all."""
    bound_unit: str | None = None
    """Unit the sender's address is bound to."""
    refused_sender: bool = False
    """Staff refused this address."""
    known_sender: bool = False
    """An earlier mail of the address was accepted."""
    duplicate_of: int | None = None
    """Inbound id of the same mail seen before."""
    duplicate_decision: str = ""
    same_id_as: int | None = None
    answers_our_letter: bool = False
    """In-Reply-To or References names a letter of ours."""
    thread: tuple[EarlierItem, ...] = ()
    """Items of the letter or receipt number the mail refers to."""
    of_sender: tuple[EarlierItem, ...] = ()
    """What the sender has returned or held."""
    of_unit: tuple[EarlierItem, ...] = ()
    """The unit's items of the mail's titles, and those that the sender's open ones revise."""
    line_only: bool = False
    """Only the subject line is judged (`mailbot subject`): text, files and sender are taken to be
    in order."""
    reading: Reading | None = None
    """The subject as read, where the caller had to read it to find the unit's items."""
    command: Command | None = None
    """What the mail asks of the bot, if anything."""
    approver: bool = False
    """The address may rule on drafts."""
    code: CodeState = CodeState.UNKNOWN
    """Of a ruling."""
    code_known: bool = False
    """The ruling's code is one of ours, for whomever it was made."""
    wrong_codes: int = 0
    """Rulings of the address with a wrong code earlier that day."""
    appeal_open: bool | None = None
    """Of a supplement: is the appeal it names still open? None: the unit has none of this number."""
    appeal_mail: int | None = None
    """Inbound id of the mail that opened it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One item as this mail gives it."""

    unit: UnitValue | None
    title: FieldValue | None
    submitter: FieldValue | None
    contact: tuple[FieldValue, ...]
    classification: Classification
    fingerprint: frozenset[str]
    attachment_paths: tuple[str, ...] = ()
    has_attachments: bool = False
    has_content: bool = False
    """It has a file, or a text that is more than a covering note."""
    scope: str = ""
    """Distribution scope as marked."""
    target: EarlierItem | None = None
    """The recorded item this is about: a correction's predecessor, a re-send's original."""
    link: Relation | None = None
    flags: tuple[str, ...] = ()
    keeps_content: bool = False
    """The mail brought no file (or nothing at all); what `target` had stays."""
    content_from: int | None = None
    """Inbound id of the mail whose files it keeps."""
    same_fields: bool = False
    """Its fields say nothing that `target` did not say before."""
    unchanged: bool = False
    """The same, and it brings no other content either."""
    absorbs: EarlierItem | None = None
    """A returned or held second version of `target`, which this mail completes."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the mail."""

    kind: DecisionKind
    reasons: tuple[Reason, ...]
    answer: AnswerKind | None = None
    no_answer: str = ""
    """Why there is no answer (stable word), when there is none."""
    lane: str = "item"
    reading: Reading | None = None
    drafts: tuple[Draft, ...] = ()
    problems: tuple[Problem, ...] = ()
    missing: tuple[FieldName, ...] = ()
    """Required fields that do not stand where the convention wants them."""
    warnings: tuple[str, ...] = ()
    """Whole sentences for the acknowledgement."""
    links: tuple[tuple[Relation, int], ...] = ()
    """(relation, inbound id) to earlier mails."""
    item_links: tuple[tuple[Relation, int], ...] = ()
    """(relation, item id)"""
    task: str = ""
    """What a person should do, in Chinese; empty when nothing."""
    keep_content: bool = True
    """False after a secrets hit: nothing of the mail may be written."""
    propose_binding: bool = False
    command: Command | None = None
    """Of a COMMAND: what is asked, and granted."""
