"""One office's data, loaded and dated: who reports, in which form, what is owed each month.

Values only; `adapters.offices` reads them from `config/offices/<office>/*.toml` and refuses
files with faults. Asking for a day on which nothing is in force raises `NoRuleInForce`: a missing
rule is never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol, TypeVar

from mailbot.core.subject.model import FieldName
from mailbot.core.subject.roster import Roster, Unit


class NoRuleInForce(LookupError):
    """No version of a rule covers the day. Names the office, the rule and the day."""

    def __init__(self, office: str, rule: str, day: date) -> None:
        super().__init__(f"{office}: no {rule} in force on {day.isoformat()}")
        self.office, self.rule, self.day = office, rule, day


@dataclass(frozen=True, slots=True)
class Basis:
    """Where a rule stands written. `reading` is true where the document can be read in two ways;
    `alternative` then names the other way."""

    document: str
    clause: str
    reading: bool = False
    alternative: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A ranking and quota group of units (第一组 ...)."""

    id: str
    name: str
    basis: Basis


class SenderPolicy(StrEnum):
    """Whom the office answers (`senders` in `subject.toml`)."""

    OPEN = "open"
    BOUND = "bound"
    CLOSED = "closed"


class Elsewhere(StrEnum):
    """What a field found outside the subject is good for."""

    SUGGEST = "suggest"
    """It only fills in the corrected line of a return (otog)."""
    ACCEPT = "accept"
    """It counts as given when it is certain or likely."""


@dataclass(frozen=True, slots=True)
class Convention:
    """The subject convention in force from `start`."""

    start: date
    basis: Basis
    required: tuple[FieldName, ...]
    elsewhere: Elsewhere
    senders: SenderPolicy
    example: str
    """A well-formed subject shown in every return."""
    noise: tuple[str, ...] = ()
    """Words that carry no field: 政务信息, 信息报送."""


@dataclass(frozen=True, slots=True)
class Category:
    """One category of item: brief, news, roundup, problem, research ..."""

    id: str
    name: str
    marks: tuple[str, ...]
    """Words that declare it in a mark, without brackets: 问题, 问题类, 问题信息."""
    proof_required: bool = False
    """True for a category that words in a title must never decide alone (the five-point ones)."""


RULE_PLACES = ("title", "ending", "text", "heading")
"""Where a rule may look. `ending` is the end of the title; `heading` the section headings of the
text (一、存在问题 / 原因分析：...), which prove structure where a word in passing does not."""


@dataclass(frozen=True, slots=True)
class TitleRule:
    """Evidence in a title or text for a category. `words` are plain substrings; one is enough and
    several count once. A negative weight is evidence against the category (问题 in 问题整改)."""

    id: str
    category: str
    words: tuple[str, ...]
    weight: int
    where: str = "title"
    """One of `RULE_PLACES`."""


DEFAULT_THRESHOLD = 2
DEFAULT_PROOF = 4


@dataclass(frozen=True, slots=True)
class Categories:
    """The categories in force from `start`, how they are declared and recognised."""

    start: date
    basis: Basis
    categories: tuple[Category, ...]
    default: str
    """Category of an item that nothing proves to be another; flagged for staff where doubtful."""
    rules: tuple[TitleRule, ...] = ()
    link_marks: tuple[str, ...] = ()
    """Marks that are links, not categories (约稿): the item keeps its category."""
    topics: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Second dimension, never scored: topic name and its words."""
    threshold: int = DEFAULT_THRESHOLD
    """Sum of weights from which rules decide a category."""
    proof: int = DEFAULT_PROOF
    """Sum of the weights found in the text alone that proves a `proof_required` category."""

    def get(self, category_id: str) -> Category:
        for category in self.categories:
            if category.id == category_id:
                return category
        raise KeyError(category_id)


@dataclass(frozen=True, slots=True)
class Quota:
    """Items owed per month by each unit of a group (or by one named unit), from `start`."""

    start: date
    basis: Basis
    per_month: dict[str, int]
    """Group id, or unit id where a unit has a number of its own, to items a month."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Answering limits (RFC 3834 §4; counts from the send log) and intake dates of one office."""

    acknowledgements_per_day: int = 60
    returns_per_day: int = 20
    repeats_per_day: int = 1
    per_thread: int = 3
    per_hour: int = 300
    """The office's overall breaker, all automatic answers together."""
    correction_days: int = 3
    """Working days within which a corrected mail keeps the month of its first."""
    duplicate_days: int = 60
    """How far back a re-sent mail or title is looked for."""


@dataclass(frozen=True, slots=True)
class OfficeInfo:
    """Who the office is, as its letters sign."""

    id: str
    name: str
    signature: str
    """Last line of every answer: 鄂托克前旗人民政府办公室信息室"""
    phone: str
    receipt_prefix: str
    """Two to six capital letters that open its receipt numbers: EQ202608-0012."""
    mailbox: str = ""
    urgent_lane: bool = False


T = TypeVar("T", bound="_Dated")


class _Dated(Protocol):
    @property
    def start(self) -> date: ...


@dataclass(frozen=True, slots=True)
class OfficeBook:
    """Everything intake needs to know of one office."""

    info: OfficeInfo
    roster: Roster
    conventions: tuple[Convention, ...]
    categories: tuple[Categories, ...]
    quotas: tuple[Quota, ...]
    limits: Limits
    digest: str
    """SHA-256 over the office's files: kept with every decision."""
    groups: tuple[Group, ...] = ()

    def group(self, group_id: str) -> Group:
        """Raises KeyError: ids come from the office's data."""
        for group in self.groups:
            if group.id == group_id:
                return group
        raise KeyError(group_id)

    def convention_on(self, day: date) -> Convention:
        return self._on("subject convention", self.conventions, day)

    def categories_on(self, day: date) -> Categories:
        return self._on("categories", self.categories, day)

    def quota_on(self, unit: Unit, day: date) -> int:
        """Items the unit owes in the month of `day`; 0 only when the data says 0."""
        quota = self._on("quota", self.quotas, day)
        for key in (unit.id, unit.group):
            if key in quota.per_month:
                return quota.per_month[key]
        raise NoRuleInForce(self.info.id, f"quota of group {unit.group}", day)

    def _on(self, rule: str, versions: Iterable[T], day: date) -> T:
        best = max((v for v in versions if v.start <= day), key=lambda v: v.start, default=None)
        if best is None:
            raise NoRuleInForce(self.info.id, rule, day)
        return best


WorkingDay = Callable[[date], bool]
"""Is this a working day? Comes from the holiday calendar with the office's overrides."""
