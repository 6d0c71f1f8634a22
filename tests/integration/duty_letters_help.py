"""What the tests of letters by the calendar share: an office with people in its units, a world that
takes in mail, and short ways to prepare a round."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from mailbot.adapters.offices.calendar import WorkingCalendar
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.adapters.system import SHANGHAI, shipped
from mailbot.app.duties.model import Prepared, Runner
from mailbot.app.duties.quota_letters import QuotaRunner
from mailbot.app.duties.task_letters import TaskRunner
from mailbot.app.letter_content import office_card
from mailbot.app.posting import Posted, Posting
from mailbot.app.recording.desk import enter
from mailbot.app.recording.forms import Given
from mailbot.app.recording.keep import Desk, Entered
from mailbot.app.records import Outgoing
from mailbot.core.duties.model import DutyKind, LetterBook, LetterRule, Stage
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.office import RoundSummary
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.roster import Contact
from tests.integration.intake_help import World, item, templates

NINE = time(9, 0)
CALENDAR = WorkingCalendar(None)
FIRST = Stage("first", -5, NINE, ("liaison",))
SECOND = Stage("second", -2, NINE, ("liaison", "head"))


def at(text: str) -> datetime:
    """2026-08-25 09:00 in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@cache
def shipped_book(office: str) -> OfficeBook:
    return load_office(shipped("config") / "offices" / office)


def rule(kind: DutyKind, letter_id: str = "", **more: Any) -> LetterRule:
    values: dict[str, Any] = {
        "id": letter_id or kind.value,
        "kind": kind,
        "name": "报送任务提醒",
        "basis": Basis("办法", "第三条"),
        "start": date(2020, 1, 1),
        "stages": (FIRST, SECOND),
    }
    return LetterRule(**values | more)


def with_letters(book: OfficeBook, *rules: LetterRule, staff: Iterable[str] = ()) -> OfficeBook:
    return dataclasses.replace(book, letters=LetterBook(letters=rules, staff=tuple(staff)))


def with_people(book: OfficeBook, people: Mapping[str, tuple[Contact, ...]]) -> OfficeBook:
    """Only the named units have contacts."""
    return book.with_units(
        dataclasses.replace(u, contacts=people.get(u.id, ())) for u in book.roster.units
    )


def everybody(book: OfficeBook) -> dict[str, tuple[Contact, ...]]:
    """A liaison and a head with an address in every unit."""
    return {
        u.id: (
            Contact("liaison", "李丙", address=f"{u.id}@example.net"),
            Contact("head", "王甲", address=f"head.{u.id}@example.net"),
        )
        for u in book.roster.units
    }


class Letters:
    """Rounds of one office in a world."""

    def __init__(self, root: Path, book: OfficeBook) -> None:
        self.book = book
        self.world = World(root, book)
        self.posting = Posting(self.world.mailbox, templates(), self.world.signer)
        working, card = CALENDAR.is_working_day, lambda b: office_card(b, self.world.mailbox)
        self.quota = QuotaRunner(is_working_day=working, posting_card=card)
        self.tasks = TaskRunner(is_working_day=working, posting_card=card)

    # what happens

    def mailed(self, at_: datetime, unit: str, *titles: str) -> None:
        for title in titles:
            self.world.receive(item(title, unit), at=at_)

    def enter(self, kind: str, now: datetime, **values: str) -> Entered:
        given = Given({"kind": kind, "evidence": "值班记录", **values}, {}, "登记 第2行")
        return enter(given, Desk(self.book, "王芳芳", now), self.world.store)

    # what is due

    def occurrences(self, since: datetime, until: datetime) -> list[Occurrence]:
        found: list[Occurrence] = []
        with self.world.store.reading() as reads:
            for runner in (self.quota, self.tasks):
                found += runner.occurrences(reads, self.book, since, until)
        return sorted(found, key=lambda o: (o.due, o.key))

    def due(self, key: str, now: datetime) -> Occurrence:
        """The one of this key, due by now."""
        found = {o.key: o for o in self.occurrences(now - timedelta(days=400), now)}
        return found[key]

    def prepare(self, key: str, now: datetime) -> Prepared:
        occurrence = self.due(key, now)
        of_tasks = occurrence.rule.kind in (DutyKind.TASKS, DutyKind.COMMISSIONS)
        runner: Runner = self.tasks if of_tasks else self.quota
        with self.world.store.reading() as reads:
            return runner.prepare(reads, self.book, occurrence, now)

    def queued(self, posted: Posted, key: str, now: datetime) -> Outgoing:
        """The letter as a mail in the outbox."""
        outgoing = self.posting.compose(posted, f"duty:{key}", self.book, now)
        with self.world.store.begin() as tx:
            tx.queue(outgoing, now)
        return outgoing


def to_units(prepared: Prepared) -> dict[str, Posted]:
    """By key, without the summaries."""
    return {p.key: p for p in prepared.letters if p.kind is not LetterKind.SUMMARY}


def summary(prepared: Prepared) -> RoundSummary:
    found = [p.letter for p in prepared.letters if p.kind is LetterKind.SUMMARY]
    assert found, prepared
    assert all(letter == found[0] for letter in found)
    assert isinstance(found[0], RoundSummary)
    return found[0]
