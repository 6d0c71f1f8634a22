"""Reminders of ledger tasks and of commissions (约稿): before they are due, and when they are not
done in time.

One mail for each unit, stage and due day. The office's summary also names the tasks of the plan
that nobody was given yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mailbot.app.duties.model import Prepared
from mailbot.app.duties.rounds import Round, Written, working_days
from mailbot.app.duties.taskstages import Firing, due_day, firings
from mailbot.app.duties.waiting import GIVEN_BY, Given, given, unassigned, waiting
from mailbot.app.letter_records import DutyState
from mailbot.app.ports import Reads
from mailbot.app.posting import Addressee
from mailbot.core.duties.model import DutyKind, LetterRule
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.office import RoundLine, RoundSummary
from mailbot.core.letters.periodic import DueLine, TaskReminder
from mailbot.core.rules.periods import WorkingDay, day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import LedgerTask
from mailbot.core.subject.units import unit_name

CALLED = {DutyKind.TASKS: "任务", DutyKind.COMMISSIONS: "约稿"}
DAY = timedelta(days=1)


class TaskRunner:
    """Of TASKS and COMMISSIONS."""

    def __init__(
        self, *, is_working_day: WorkingDay, posting_card: Callable[[OfficeBook], OfficeCard]
    ) -> None:
        """`posting_card`: how the office signs."""
        self._working, self._card = is_working_day, posting_card

    def occurrences(
        self, reads: Reads, book: OfficeBook, since: datetime, until: datetime
    ) -> list[Occurrence]:
        found = [
            firing.occurrence
            for rule in book.letters.letters
            if rule.kind in GIVEN_BY
            for firing in self._firings(rule, book, given(reads, book, rule.kind), since, until)
            if since < firing.occurrence.due <= until
        ]
        return sorted(found, key=lambda o: (o.due, o.about, o.stage.days))

    def prepare(
        self, reads: Reads, book: OfficeBook, occurrence: Occurrence, now: datetime
    ) -> Prepared:
        rule, today = occurrence.rule, day_of(now)
        due, called = due_day(occurrence.about), CALLED[rule.kind]
        known = given(reads, book, rule.kind)
        about = self._about(occurrence, book, known)
        still = {g.key for g in waiting(reads, book, rule.kind, known, today)}
        left = [g for g in about if g.key in still]
        nobodys = _nobodys(rule, book, known, due) if occurrence.about == due.isoformat() else []
        if not left and not nobodys:
            why = f"{due}到期的{called}都已完成或取消，不用写信。"
            return Prepared(DutyState.SKIPPED, why)
        round_ = Round(reads, book, occurrence, self._card(book), today)
        lines = _Lines(book, rule, today, self._working)
        told = [_write(round_, lines, unit, ones) for unit, ones in _by_unit(left, book)]
        done = {g.unit for g in about} - {g.unit for g in left}
        summary = RoundSummary(
            office=round_.card,
            name=rule.name,
            period=f"{due.year}年{due.month}月{due.day}日到期的{called}",
            stage=occurrence.stage.id,
            deadline=due,
            short=tuple(told),
            met=len(done),
            sent=len(round_.letters),
            what=called,
            unassigned=tuple(lines.of_plan(task) for task in nobodys),
        )
        summaries, wrong = round_.summaries(summary)
        return Prepared(
            DutyState.DONE,
            _why(round_, due, called, len(told), len(nobodys)),
            letters=(*round_.letters, *summaries),
            detail=round_.detail(),
            warnings=(*round_.unreached, *wrong),
        )

    def _firings(
        self,
        rule: LetterRule,
        book: OfficeBook,
        known: Sequence[Given],
        since: datetime,
        until: datetime,
    ) -> Iterable[Firing]:
        """Of what may be due in the span."""
        margin = timedelta(days=60) + 3 * DAY * max((abs(s.days) for s in rule.stages), default=0)
        first, last = day_of(since) - margin, day_of(until) + margin
        near = [g for g in known if g.due is not None and first <= g.due <= last]
        others = [t.due for t in _unassigned(rule, book, known) if t.due and first <= t.due <= last]
        return firings(book.info.id, rule, near, others, self._working)

    def _about(
        self, occurrence: Occurrence, book: OfficeBook, known: Sequence[Given]
    ) -> tuple[Given, ...]:
        """What the round is about; nothing when it was all taken back or moved to another day."""
        due = due_day(occurrence.about)
        near = [g for g in known if g.due == due]
        found = firings(book.info.id, occurrence.rule, near, (), self._working)
        return next((f.given for f in found if f.occurrence.key == occurrence.key), ())


@dataclass(frozen=True, slots=True)
class _Lines:
    """How a letter tells of what waits."""

    book: OfficeBook
    rule: LetterRule
    today: date
    is_working_day: WorkingDay

    def of(self, one: Given) -> DueLine:
        plan = {task.id: task for task in self.book.scoring.tasks}
        task = plan.get(one.event.item) if self.rule.kind is DutyKind.TASKS else None
        return DueLine(
            what=task.quote if task else one.event.title or one.event.item,
            clause=task.clause if task else self.rule.basis.clause,
            number=one.event.item,
            due=one.due,
            days_left=self._left(one.due),
        )

    def of_plan(self, task: LedgerTask) -> DueLine:
        return DueLine(task.quote, task.clause, task.id, task.due, self._left(task.due))

    def _left(self, due: date | None) -> int | None:
        if due is None:
            return None
        if due >= self.today:
            return working_days(self.today, due, self.is_working_day)
        # Late is late, also when no working day has passed since.
        return -max(working_days(due + DAY, self.today, self.is_working_day), 1)


def _unassigned(rule: LetterRule, book: OfficeBook, known: Sequence[Given]) -> list[LedgerTask]:
    return unassigned(book, known) if rule.kind is DutyKind.TASKS else []


def _nobodys(
    rule: LetterRule, book: OfficeBook, known: Sequence[Given], due: date
) -> list[LedgerTask]:
    return [task for task in _unassigned(rule, book, known) if task.due == due]


def _by_unit(left: Iterable[Given], book: OfficeBook) -> list[tuple[str, list[Given]]]:
    """In the roster's order; units that are no longer on it last."""
    found: dict[str, list[Given]] = {}
    for one in left:
        found.setdefault(one.unit, []).append(one)
    order = {unit.id: n for n, unit in enumerate(book.roster.units)}
    return sorted(found.items(), key=lambda item: (order.get(item[0], len(order)), item[0]))


def _write(round_: Round, lines: _Lines, unit_id: str, ones: Sequence[Given]) -> RoundLine:
    book = round_.book
    name, told = unit_name(unit_id, book.roster), tuple(lines.of(one) for one in ones)
    unit = next((u for u in book.roster.units if u.id == unit_id), None)
    group = ""
    if unit is None or not unit.on(round_.day):
        why = "单位已不在名册里"
        written = Written(unsent=(why,))
        round_.units[unit_id] = {"outcome": "unreachable", "why": why}
        round_.note_unreachable(name, why, "请核对名册，或冲销交办的记录")
    else:
        group = next((g.name for g in book.groups if g.id == unit.group), unit.group)

        def letter_for(person: Addressee) -> TaskReminder:
            return TaskReminder(
                office=round_.card,
                unit=name,
                role=person.role,
                document=lines.rule.basis.document,
                lines=told,
                commissions=lines.rule.kind is DutyKind.COMMISSIONS,
            )

        written = round_.write(unit, LetterKind.TASKS, letter_for, round_.occurrence.until)
    return RoundLine(name, group, (), written.sent, written.unsent, told)


def _why(round_: Round, due: date, called: str, units: int, nobodys: int) -> str:
    parts = [f"{units} 个单位的{called}（{due}到期）还没有完成，{round_.said()}"] if units else []
    if nobodys:
        parts.append(f"台账里还有 {nobodys} 件{due}到期的任务没有交给任何单位")
    return "；".join(parts) + "。"
