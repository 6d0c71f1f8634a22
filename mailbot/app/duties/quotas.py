"""What the units owe and have sent, as a letter tells it: counted as the ledger counts.

Who is short is found for the whole office with a handful of queries, and so are titles and dates,
once somebody is written to. Nothing is booked, so that a record that no rule can score never
keeps a reminder from going out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from mailbot.app.letter_content import without_links
from mailbot.app.ports import Reads
from mailbot.app.records import ItemRow, ItemState
from mailbot.core.duties.model import LetterRule
from mailbot.core.letters.periodic import CountedItem, OpenItem, QuotaLine
from mailbot.core.rules.basis import NoRuleInForce, in_force
from mailbot.core.rules.events import NAMES, Event, EventKind, units_of
from mailbot.core.rules.matching import Matcher, classes, matches_in
from mailbot.core.rules.periods import Period, PeriodKind, day_of
from mailbot.core.rules.quota import QuotaBook
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Quota
from mailbot.core.subject.roster import Unit

_LONGEST = 300
"""Characters of a title that are looked at."""
_LANES = ("item", "urgent")
"""Items; what else comes by mail (reports on tasks) counts towards no quota."""


def _title(text: str) -> str:
    """Without links: whoever forged a sender must not make us deliver them (faults A17)."""
    return without_links(text[:_LONGEST])


@dataclass(frozen=True, slots=True)
class Owing:
    """A unit that owes something in a period."""

    unit: Unit
    lines: tuple[QuotaLine, ...]
    document: str
    clause: str
    """Of what is missing, else of all it owes."""

    @property
    def short(self) -> bool:
        return any(line.missing and not line.remark_only for line in self.lines)

    @property
    def remarked(self) -> bool:
        """Only something is missing that is no more than a remark."""
        return not self.short and any(line.missing for line in self.lines)


def quotas_of(book: OfficeBook, rule: LetterRule) -> tuple[Quota, ...]:
    """The letter's own quota, then those of like periods of which no other letter of the kind is:
    sub-quotas and remarks belong into the same letter. Empty for a quota that is not there."""
    own = next((q for q in book.quotas if q.id == rule.quota), None)
    if own is None:
        return ()
    elsewhere = {
        other.quota
        for other in book.letters.letters
        if other.kind is rule.kind and other.id != rule.id
    }
    others = (q for q in book.quotas if q.id != own.id and q.id not in elsewhere)
    return (own, *(q for q in others if q.period is own.period))


class QuotaView:
    """How the office's units stand with some quotas over one period, as known on `as_of`."""

    def __init__(
        self,
        reads: Reads,
        book: OfficeBook,
        quotas: Sequence[Quota],
        period: Period,
        as_of: date,
        unit_id: str | None = None,
    ) -> None:
        """`unit_id`: only this one will be asked about."""
        self._only = unit_id
        self._reads, self._book, self._period, self._as_of = reads, book, period, as_of
        self._quotas = tuple(quotas)
        self._last = max(min(period.last, as_of), period.first)
        self._counts = Matcher(
            [m for q in quotas if (v := in_force(q.versions, period.last)) for m in v.counts]
        )
        self._categories = {c.id: c.name for v in book.categories for c in v.categories}
        events = self._everybodys() if unit_id is None else self._of_unit(unit_id)
        self._owed = QuotaBook(replace(book, quotas=self._quotas), events, as_of)

    def owing(self) -> tuple[list[Owing], list[str]]:
        """Every unit of the roster that owes something, in the roster's order; and why that cannot
        be said of one, a sentence each."""
        found, unknown = [], []
        for unit in self._book.roster.units:
            try:
                one = self.of(unit)
            except NoRuleInForce as missing:
                unknown.append(f"{unit.name}：{missing}，无法统计，也不写信。")
            else:
                if one is not None:
                    found.append(one)
        return found, unknown

    def of(self, unit: Unit) -> Owing | None:
        """None for one that owes nothing. Raises `NoRuleInForce`."""
        told: list[tuple[QuotaLine, Quota]] = []
        for quota in self._quotas:
            owed = self._owed.owed(quota, unit, self._period)
            if owed is not None and owed.need:
                line = QuotaLine(quota.name, owed.need, owed.got, owed.missing, quota.remark_only)
                told.append((line, quota))
        if not told:
            return None
        judged = [quota for line, quota in told if line.missing] or [q for _, q in told]
        document, clause = self._basis(judged)
        return Owing(unit, tuple(line for line, _ in told), document, clause)

    def _basis(self, quotas: Sequence[Quota]) -> tuple[str, str]:
        versions = (in_force(q.versions, self._period.last) for q in quotas)
        bases = [v.basis for v in versions if v is not None]
        clauses = dict.fromkeys(b.clause for b in bases if b.document == bases[0].document)
        return bases[0].document, "；".join(clauses)

    # --- the details of one unit

    def items(self, unit_id: str) -> tuple[tuple[CountedItem, ...], tuple[OpenItem, ...]]:
        """What counts, and what was returned and not corrected or is held, each by its date."""
        rows, events = self._details.get(unit_id, ([], []))
        received = {row.receipt: day_of(row.received) for row in rows}
        events = [e for e in events if self._is_counted(e)]
        counted = [
            CountedItem(
                receipt=event.item,
                title=_title(event.title) or NAMES[event.kind.value],
                received=received.get(event.item, event.day),
                category=self._categories.get(event.category, event.category),
            )
            for event in events
        ]
        opened = [
            OpenItem(
                receipt=row.receipt,
                title=_title(row.version.title) or "（没有写标题）",
                received=day_of(row.received),
                held=row.state is ItemState.HELD,
            )
            for row in rows
            if row.state in (ItemState.RETURNED, ItemState.HELD) and self._is_of_period(row)
        ]
        return (
            tuple(sorted(counted, key=lambda c: (c.received, c.receipt))),
            tuple(sorted(opened, key=lambda o: (o.received, o.receipt))),
        )

    @cached_property
    def _details(self) -> dict[str, tuple[list[ItemRow], list[Event]]]:
        """Items and events by unit: of everybody at once, who is asked about or not."""
        found: dict[str, tuple[list[ItemRow], list[Event]]] = {}
        first, office = self._period.first, self._book.info.id
        for row in self._reads.unit_items(office, self._only, first, self._last):
            if row.unit_id is not None:
                found.setdefault(row.unit_id, ([], []))[0].append(row)
        for event in self._of_unit(self._only):
            for unit in units_of(event):
                found.setdefault(unit, ([], []))[1].append(event)
        return found

    def _is_counted(self, event: Event) -> bool:
        again = event.follow_up and event.kind is EventKind.SUBMISSION
        inside = event.day in self._period and event.day <= self._as_of
        return inside and not again and self._counts(event)

    def _is_of_period(self, row: ItemRow) -> bool:
        day = day_of(row.received) if self._period.kind is PeriodKind.WEEK else row.month
        return row.lane in _LANES and day in self._period

    # --- events

    def _everybodys(self) -> list[Event]:
        """Like submissions taken together; nothing is asked of single items."""
        submitted = [m for m in matches_in(self._quotas) if m.event is EventKind.SUBMISSION]
        return self._reads.bulk_events(
            self._book.info.id,
            self._period.first,
            self._last,
            (),
            classes(submitted),
            by_item=False,
        )

    def _of_unit(self, unit_id: str | None) -> list[Event]:
        office = self._book.info.id
        return self._reads.unit_events(office, self._period.first, self._last, unit_id)
