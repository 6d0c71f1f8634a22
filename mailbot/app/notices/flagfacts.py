"""What a draft is looked at for before people are told what is unusual about it: the standings, who
gets it, and what the store knows beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from mailbot.app.duties.waiting import Given, given, waiting
from mailbot.app.letter_records import AppealRow, DraftRecipient
from mailbot.app.ports import Reads
from mailbot.app.records import ItemRow
from mailbot.app.scoring import open_before
from mailbot.core.documents.material import Material
from mailbot.core.documents.notice import lists_shown
from mailbot.core.duties.model import DutyKind, LetterRule
from mailbot.core.rules.events import Event, EventKind
from mailbot.core.rules.lists import lists_of
from mailbot.core.rules.periods import OFFICE_ZONE, Period, PeriodKind, day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import unit_name

_BEFORE = timedelta(days=62)


@dataclass(frozen=True, slots=True)
class Flagged:
    """What a draft is looked at for."""

    book: OfficeBook
    rule: LetterRule
    material: Material
    recipients: tuple[DraftRecipient, ...]
    waiting: tuple[ItemRow, ...] = ()
    """Items of the period that are held, or returned and not corrected."""
    appeals: tuple[AppealRow, ...] = ()
    """Open ones that touch the period."""
    earlier_open: Period | None = None
    recorded: bool = True
    """Is anything in the books of the period at all?"""
    began: date | None = None
    """The first day since which what happens is recorded here, where the notice speaks of a time
    that lies before it or of which that day is a part."""
    overdue: tuple[Given, ...] = ()
    """Commissions due by the period's end that nobody has settled."""

    @property
    def period(self) -> Period:
        return self.material.period

    def name(self, unit: str) -> str:
        return unit_name(unit, self.book.roster)


def flagged(
    reads: Reads,
    book: OfficeBook,
    rule: LetterRule,
    material: Material,
    recipients: tuple[DraftRecipient, ...],
    today: date,
) -> Flagged:
    """With what the store knows beside the standings."""
    period = material.period
    settling = rule.seals and period.kind is book.scoring.settles
    return Flagged(
        book=book,
        rule=rule,
        material=material,
        recipients=recipients,
        waiting=_waiting(reads, book, period),
        appeals=_appeals(reads, book, period),
        earlier_open=open_before(reads, book, period, today) if settling else None,
        recorded=_recorded(reads, book, period),
        began=_began(reads, book, rule, material),
        overdue=_overdue(reads, book, period, today),
    )


def _waiting(reads: Reads, book: OfficeBook, period: Period) -> tuple[ItemRow, ...]:
    # A corrected item may count in a later month than the one its first mail came in.
    since = datetime.combine(period.first, time(), OFFICE_ZONE) - _BEFORE
    by_week = period.kind is PeriodKind.WEEK
    return tuple(
        item
        for item in reads.open_items(book.info.id, None, since)
        if (day_of(item.received) if by_week else item.month) in period
    )


def _recorded(reads: Reads, book: OfficeBook, period: Period) -> bool:
    if period.kind is PeriodKind.WEEK:
        return True  # submissions count by the month
    events = reads.bulk_events(book.info.id, period.first, period.last, (), by_item=False)
    return any(_happened(event, period) for event in events)


def _happened(event: Event, period: Period) -> bool:
    """What was entered ahead, or holds on from before, does not say that anything happened."""
    if event.kind is EventKind.TASK_DONE:
        return event.day in period
    return event.kind not in (EventKind.STATUS, EventKind.TASK, EventKind.ASSIGNMENT)


def _began(reads: Reads, book: OfficeBook, rule: LetterRule, material: Material) -> date | None:
    """Neither what was entered later of an earlier time, nor a program that ran while nobody sent
    it anything, proves that the time before is in the books."""
    started = reads.in_service_since(book.info.id)
    days = [day_of(started)] if started is not None else []
    first = reads.first_event(book.info.id)
    if first is not None:
        days.append(first)
    began = max(days, default=None)
    return began if began is not None and began >= _speaks_from(book, rule, material) else None


def _speaks_from(book: OfficeBook, rule: LetterRule, material: Material) -> date:
    """The first day of the first month that the notice speaks of: a list of months running looks
    back beyond the period."""
    month = Period.of(PeriodKind.MONTH, material.period.first)
    wanted = shown(rule, material)
    running = [v.running for one, v in lists_of(book, material.period) if one.id in wanted]
    for _ in range(max(running, default=1) - 1):
        month = month.previous()
    return min(month.first, material.period.first)


def _overdue(reads: Reads, book: OfficeBook, period: Period, today: date) -> tuple[Given, ...]:
    commissions = given(reads, book, DutyKind.COMMISSIONS)
    found = waiting(reads, book, DutyKind.COMMISSIONS, commissions, today)
    return tuple(g for g in found if g.due is not None and g.due <= period.last and g.due < today)


def _appeals(reads: Reads, book: OfficeBook, period: Period) -> tuple[AppealRow, ...]:
    return tuple(
        appeal
        for appeal in reads.appeals(book.info.id, waiting=True)
        if _day(reads, appeal) in period
    )


def _day(reads: Reads, appeal: AppealRow) -> date:
    """Of what it is about; where that cannot be told, the day it was opened."""
    if appeal.new.record_id is not None:
        record = reads.record(appeal.new.record_id)
        if record is not None:
            return record.new.day
    item = reads.item_by_receipt(appeal.new.about)
    return item.month if item is not None else day_of(appeal.opened)


def shown(rule: LetterRule, material: Material) -> tuple[str, ...]:
    """Ids of the lists that the notice speaks of, or sends letters of their own for."""
    document = lists_shown(rule.document, material) if rule.document else ()
    return tuple(dict.fromkeys((*document, *(own.list for own in rule.own))))


def names_somebody(rule: LetterRule, material: Material) -> bool:
    """Does any of its lists name a unit?"""
    wanted = shown(rule, material)
    return any(one.listed for one in material.standings.lists if one.id in wanted)
