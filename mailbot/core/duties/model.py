"""An office's letters as data (`letters.toml`): which there are, when each is due, to whom it goes
and what a document of it holds.

Values only; `adapters.offices.letterfile` reads them. They decide no point and no answer, so they
are no part of the rule book's digest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum

from mailbot.core.rules.basis import Basis
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.scorebook import Left

RECOMMENDER = "recommender"
"""In a stage's `to`: the liaison of the unit that recommended this one gets a copy."""
DOCUMENT_WORDS = ("period", "year", "office")
"""What may stand in braces in every text of a document."""
OWN_WORDS = (*DOCUMENT_WORDS, "unit", "why")
"""The same of a letter of its own: also the unit and the list's reason."""
SMS_WORDS = (
    *("unit", "period", "submissions", "adopted", "points"),
    *("table", "place", "of", "office"),
)
STANDING_COLUMNS = (
    *("change", "submissions", "adopted", "journals"),
    *("points", "cumulative", "missing", "stars"),
)
"""What `Section.columns` may name beside the ranking's own columns (by their ids). Place and unit
always stand first; `journals` is a column for each journal that adopted something; `missing` is
what each quota is short of."""


class DutyKind(StrEnum):
    """What a letter is for. Closed: each has code of its own."""

    REMINDER = "reminder"
    """Before a quota's period ends, to each unit that is short. Needs no approval."""
    RESULT = "result"
    """After a quota's period, to each unit: what counted and what is missing. No approval."""
    NOTICE = "notice"
    """A document about a period: drafted, approved by a person, then sent (circular, review,
    appraisal, list of interviews)."""
    TASKS = "tasks"
    """Around the due day of ledger tasks, to each unit with an open one. No approval."""
    COMMISSIONS = "commissions"
    """The same of commissions (约稿) that were given and not yet delivered."""
    DIGEST = "digest"
    """Each working morning, to the office's own staff."""
    NEWS = "news"
    """Adoptions and instructions, to the item's submitter and the unit's head."""


class NewsMode(StrEnum):
    OFF = "off"
    AT_ONCE = "at_once"
    WEEKLY = "weekly"
    """On the first working day of each ISO week, what was entered since the last time."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One firing of a letter. `days` counts working days from the period's end (of TASKS and
    COMMISSIONS from the due day): -1 is the last working day on or before it, -5 the fifth last,
    1 the first working day after it. 0 is the end day itself, whatever day that is. Of DIGEST and
    NEWS it is 0 and says nothing."""

    id: str
    days: int
    at: time
    """Asia/Shanghai."""
    to: tuple[str, ...] = ()
    """Roles (`liaison`, `head`, `deputy`, `recommender`); empty where the letter goes to the office
    only."""


class Part(StrEnum):
    """What a section of a document shows. Closed."""

    TEXT = "text"
    """The section's own `text`."""
    OVERVIEW = "overview"
    """The period in numbers, one paragraph."""
    STANDINGS = "standings"
    """One table for each group."""
    LISTS = "lists"
    """Lists of the standings, by id (`lists`); each with its units, reasons and clause."""
    CORRECTIONS = "corrections"
    """What was put right about sealed periods."""
    QUOTAS = "quotas"
    """Units that missed a quota, with number owed, sent and missing."""
    TITLES = "titles"
    """Adopted items: unit, title, by whom, when."""
    TASKS = "tasks"
    """Tasks per unit: given, done on time, late, open, overdue."""
    PEOPLE = "people"
    """Places for names that only people can give (advanced persons); flagged in the draft."""


@dataclass(frozen=True, slots=True)
class Section:
    part: Part
    heading: str = ""
    """Without number: the document numbers its sections 一、二、三、 by itself."""
    text: tuple[str, ...] = ()
    """Paragraphs before the part itself (of TEXT: all there is)."""
    lists: tuple[str, ...] = ()
    empty: str = ""
    """What is printed where there is nothing to show; the section is left out when this is empty
    too."""
    columns: tuple[str, ...] = ()
    """Of STANDINGS: column keys; empty: all that the standings have."""
    number: int = 0
    """Of PEOPLE: how many places."""


@dataclass(frozen=True, slots=True)
class DocumentRule:
    """The fixed words of a document. In every text these names may stand in braces, no others:
    `{period}` (2026年第三季度), `{year}`, `{office}`, `{unit}` (own letters only)."""

    title: str
    addressee: str = ""
    """主送机关, without colon."""
    lead: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    annexes: tuple[Section, ...] = ()
    """Each on a new page under 附件1, 附件2 …"""
    closing: tuple[str, ...] = ()
    issuer: str = ""
    """署名; the office's name when empty."""
    openness: str = ""
    """主动公开, 依申请公开, 不予公开; 主动公开 prints （此件公开发布）. Empty: nothing is printed."""
    copies: str = ""
    """抄送机关, without colon."""


@dataclass(frozen=True, slots=True)
class OwnLetter:
    """A letter of its own to each unit on a list of the notice (零报送单位告知书), approved and sent
    with it."""

    list: str
    document: DocumentRule
    """`{why}` may stand in its texts as well: the list's reason."""
    to: tuple[str, ...] = ("head",)


@dataclass(frozen=True, slots=True)
class LetterRule:
    """One letter of an office."""

    id: str
    kind: DutyKind
    name: str
    basis: Basis
    start: date
    """The first day on which it may be due."""
    stages: tuple[Stage, ...]
    """By `days`, ascending."""
    period: PeriodKind | None = None
    """Of NOTICE; of REMINDER and RESULT it is the quota's."""
    quota: str = ""
    thanks: bool = False
    """Of REMINDER: units that have met the quota by its first stage get a short thanks then; of
    RESULT: they get the result too."""
    document: DocumentRule | None = None
    own: tuple[OwnLetter, ...] = ()
    to: tuple[str, ...] = ()
    """Of NOTICE: roles that get a cover mail with the document; empty: nobody in the units."""
    readers: bool = False
    """Of NOTICE: also to `LetterBook.readers`."""
    seals: bool = False
    """Of NOTICE: approving it seals the period."""
    skip_empty: bool = False
    """Of NOTICE: no draft when none of its lists names a unit."""
    auto_approve: bool = False
    sms: str = ""
    """Text message to heads. In braces: `{unit}`, `{period}`, `{submissions}`, `{adopted}`,
    `{points}`, `{table}`, `{place}`, `{of}`, `{office}`. Empty: none is exported."""
    news: NewsMode = NewsMode.OFF


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody outside the units who gets notices (district leaders)."""

    name: str
    title: str = ""
    address: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class LetterBook:
    """All letters of an office, and its own people."""

    letters: tuple[LetterRule, ...] = ()
    staff: tuple[str, ...] = ()
    """Addresses that get summaries, drafts and the daily digest; empty: the mailbox itself."""
    approvers: tuple[str, ...] = ()
    """Addresses whose reply may approve a draft."""
    readers: tuple[Reader, ...] = field(default=())
    left: tuple[Left, ...] = ()
    """What the letters leave to the office."""

    def letter(self, letter_id: str) -> LetterRule:
        """Raises KeyError."""
        for letter in self.letters:
            if letter.id == letter_id:
                return letter
        raise KeyError(letter_id)
