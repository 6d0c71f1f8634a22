"""One office's data, loaded and dated: who reports, in which form, what is owed each month.

Values only; `adapters.offices` reads them from `config/offices/<office>/*.toml` and refuses
files with faults. Asking for a day on which nothing is in force raises `NoRuleInForce`: a missing
rule is never zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import TypeVar

from mailbot.core.duties.model import LetterBook
from mailbot.core.rules.basis import Basis, Dated, NoRuleInForce, in_force
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.retention import Retention
from mailbot.core.rules.scorebook import Quota, Scoring
from mailbot.core.subject.model import FieldName
from mailbot.core.subject.roster import Roster, Unit


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


ITEMS = "items"
"""Id of the quota that acknowledgements speak of: items of any kind."""

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


T = TypeVar("T", bound=Dated)


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
    scoring: Scoring = field(default_factory=Scoring)
    letters: LetterBook = field(default_factory=LetterBook)
    retention: Retention = field(default_factory=Retention)

    def group(self, group_id: str) -> Group:
        """Raises KeyError: ids come from the office's data."""
        for group in self.groups:
            if group.id == group_id:
                return group
        raise KeyError(group_id)

    def with_units(self, units: Iterable[Unit]) -> OfficeBook:
        """The same book with these units on its roster and no others."""
        return replace(self, roster=replace(self.roster, units=tuple(units)))

    def only(self, unit_ids: Collection[str]) -> OfficeBook:
        """The same book as if nobody else were on its roster."""
        return self.with_units(u for u in self.roster.units if u.id in unit_ids)

    def convention_on(self, day: date) -> Convention:
        return self._on("主题规定", self.conventions, day)

    def categories_on(self, day: date) -> Categories:
        return self._on("类别", self.categories, day)

    def quota_on(self, unit: Unit, day: date) -> int:
        """Items the unit owes in the month of `day`: the office's quota `items`, where it is a
        monthly one; 0 only when the data says 0. Raises `NoRuleInForce`."""
        quota = next((q for q in self.quotas if q.id == ITEMS), None)
        if quota is None or quota.period is not PeriodKind.MONTH:
            raise NoRuleInForce(self.info.id, "每月报送任务", day)
        version = self._on("报送任务", quota.versions, day)
        group = unit.group_on(day)
        need = version.need_of(unit.id, group)
        if need is None:
            raise NoRuleInForce(self.info.id, f"报送任务（组 {group}）", day)
        return need

    def _on(self, rule: str, versions: Iterable[T], day: date) -> T:
        best = in_force(versions, day)
        if best is None:
            raise NoRuleInForce(self.info.id, rule, day)
        return best
