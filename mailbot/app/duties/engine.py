"""Does what is due, once: whenever it is asked, however long it was away.

`tick(now)` finds the occurrences since the office came into service that are not settled, and
settles each in one write transaction: the duty's key, its letters, its draft with the mails that
bring it. The key is unique for ever, so that a crash leaves all of it or nothing, and two processes
at once do it once. What fails stays open: a person is told once, later ticks try again, and nothing
else waits for it. A fault of the world as a whole (the database is away) ends the tick.

When each letter is due and what it says is the runners' business, sending is `deliver`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailbot.app.duties.model import Prepared
from mailbot.app.duties.scan import LOOK_BACK, Blocked, Runners, Scan, scan
from mailbot.app.duties.service import counts, marks, office_start, stage_start, stages_since
from mailbot.app.duties.troubles import Failed, Troubles, told_as
from mailbot.app.duties.written import called, composed, passed_duty, settled_duty
from mailbot.app.errors import WorldFault
from mailbot.app.letter_records import DraftRow, DraftState, DutyState
from mailbot.app.ports import Reads, Store, Transaction
from mailbot.app.posting import Posted, Posting
from mailbot.app.records import OutboxState, Outgoing
from mailbot.app.witness import state_for
from mailbot.core.duties.catchup import Passed, Step, catch_up
from mailbot.core.duties.occurrence import Occurrence, occurrence_key
from mailbot.core.rules.rulebook import OfficeBook

RECENT = timedelta(days=10)
"""How far most ticks look back. The first, and one an hour, look back `LOOK_BACK`: what becomes due
in the past (a task that was entered late) is rare and can wait an hour."""
SWEEP = timedelta(hours=1)
WHO = "mailbot"

Announce = Callable[[Transaction, OfficeBook, DraftRow, datetime], Sequence[Posted]]
"""The mails that bring a draft to the office, with their codes written beside it."""
Decide = Callable[[DraftRow, datetime, OutboxState], object]
"""Approves and sends a draft without asking (`auto_approve`), or sends one approved that way. The
state is that of its letters."""


@dataclass(slots=True)
class TickReport:
    """What one tick did."""

    done: list[str] = field(default_factory=list)
    """Keys."""
    skipped: list[str] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    """Tried now, in vain."""
    letters: int = 0
    """Queued."""
    warnings: list[str] = field(default_factory=list)


class Duties:
    """The duties of the offices in `books`. Not shared between threads."""

    def __init__(
        self,
        *,
        store: Store,
        books: Mapping[str, OfficeBook],
        runners: Runners,
        posting_for: Callable[[str], Posting],
        announce: Announce | None = None,
        decide: Decide | None = None,
    ) -> None:
        self._store = store
        self._offices = [
            _Office(store, book, runners, posting_for, announce, decide) for book in books.values()
        ]

    def tick(self, now: datetime) -> TickReport:
        """Settles what is due at `now`. Raises `WorldFault` only."""
        report = TickReport()
        for office in self._offices:
            office.tick(now, report)
        return report


@dataclass(slots=True)
class _Office:
    """One office, and what a process remembers of it; nothing is lost with that."""

    store: Store
    book: OfficeBook
    runners: Runners
    posting_for: Callable[[str], Posting]
    announce: Announce | None
    decide: Decide | None
    settled: set[str] = field(default_factory=set)
    since: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """By letter and stage: when it was first seen."""
    began: datetime | None = None
    swept: datetime | None = None
    troubles: Troubles = field(init=False)

    def __post_init__(self) -> None:
        self.troubles = Troubles(self.store)

    @property
    def id(self) -> str:
        return self.book.info.id

    def tick(self, now: datetime, report: TickReport) -> None:
        self.began = min(self.began or now, now)
        try:
            found = self._look(now, report)
            if found is None:
                return
            for blocked in found.blocked:
                self._blocked(blocked, now, report)
            for step in catch_up(found.occurrences, self.settled, now):
                if step.do is None:
                    self._pass_over(step.passed, now, report)
                else:
                    self._do(step, step.do, now, report)
            if self.decide is not None:
                self._approve_by_itself(self.decide, now, report)
        except WorldFault:
            raise
        except Exception as error:
            self._failed(f"{self.id}:tick", "到期信件", error, now, report)

    # --- what there is to do

    def _look(self, now: datetime, report: TickReport) -> Scan | None:
        """What counts of the time looked back on; None at the first tick ever."""
        recently = self.swept is not None and self.swept <= now < self.swept + SWEEP
        back = RECENT if recently else LOOK_BACK
        if not recently:
            self._lift_suspensions(now)
        with self.store.reading() as reads:
            start = reads.in_service_since(self.id)
            if start is not None:
                if not recently:
                    rows = reads.duties(self.id, now - LOOK_BACK)
                    self.settled = {row.new.key for row in rows}
                    self.since = stages_since(reads, self.book)
                since = max(now - back, self._start(start, now, report))
                found = scan(reads, self.book, self.runners, since, now)
        if start is None or any((m.letter, m.stage) not in self.since for m in marks(self.book)):
            self._begin(start is None, now)
        if start is None:
            return None
        if not recently:
            self.swept = now
        own = (o for o in found.occurrences if o.key in self.settled or self._counts(o, now))
        return Scan(tuple(own), found.blocked)

    def _lift_suspensions(self, now: datetime) -> None:
        with self.store.reading() as reads:
            waiting = reads.suspended(self.id)
        if waiting:
            with self.store.begin() as tx:
                tx.end_suspensions(self.id, now)

    def _begin(self, new: bool, now: datetime) -> None:
        with self.store.begin() as tx:
            if new:
                tx.add_duty(office_start(self.id, now), now)
            for mark in marks(self.book):
                if (mark.letter, mark.stage) not in self.since:
                    tx.add_duty(stage_start(self.id, mark, now), now)
            self.since = stages_since(tx.read, self.book)

    def _counts(self, occurrence: Occurrence, now: datetime) -> bool:
        seen = self.since[occurrence.rule.id, occurrence.stage.id]
        return counts(occurrence, self.since, now if seen <= now else self.began or now)

    def _start(self, start: datetime, now: datetime, report: TickReport) -> datetime:
        """A start in the future was written when the clock was wrong: waiting for it would mean
        silence for as long."""
        if start <= now:
            return start
        text = (
            f"记录的投入使用时间 {start:%Y-%m-%d %H:%M} 晚于现在（{now:%Y-%m-%d %H:%M}）："
            "当时或现在的系统时钟不对。信件从程序本次启动时起照常办理；请核对服务器的时钟。"
        )
        report.warnings.append(text)
        self.troubles.tell(self.id, "clock", text, now)
        return self.began or now

    # --- one duty

    def _do(self, step: Step, occurrence: Occurrence, now: datetime, report: TickReport) -> None:
        key = occurrence.key
        if self.troubles.waits(key, now):
            return
        try:
            with self.store.reading() as reads:
                prepared = self._prepared(reads, occurrence, now)
            if prepared is None:  # another process did it
                self.settled.add(key)
                return
            posting = self.posting_for(self.id)
            outgoing, unwritten = composed(posting, prepared, occurrence, self.book, now)
            warnings = (*prepared.warnings, *unwritten)
            duty = settled_duty(occurrence, prepared.state, prepared.why, prepared.detail, warnings)
            letters = None
            with self.store.begin() as tx:
                if tx.add_duty(duty, now):
                    tx.close_tasks(self.id, told_as(key), now)
                    for passed in step.passed:
                        tx.add_duty(passed_duty(passed), now)
                    state = state_for(tx.read, occurrence.due)
                    letters = self._write(tx, posting, prepared, outgoing, state, now)
        except Exception as error:
            if isinstance(error, WorldFault) and error.systemic:
                raise
            self._failed(key, called(occurrence), error, now, report)
            return
        self.settled.update((key, *(p.occurrence.key for p in step.passed)))
        self.troubles.over(key)
        if letters is None:
            return
        report.letters += letters
        report.warnings.extend(warnings)
        report.skipped.extend(p.occurrence.key for p in step.passed)
        (report.done if prepared.state is DutyState.DONE else report.skipped).append(key)

    def _prepared(self, reads: Reads, occurrence: Occurrence, now: datetime) -> Prepared | None:
        if reads.duty(occurrence.key) is not None:
            return None
        return self.runners[occurrence.rule.kind].prepare(reads, self.book, occurrence, now)

    def _write(
        self,
        tx: Transaction,
        posting: Posting,
        prepared: Prepared,
        outgoing: Sequence[Outgoing],
        state: OutboxState,
        now: datetime,
    ) -> int:
        """All that a duty leaves behind beside its key; how many letters."""
        for letter in outgoing:
            tx.queue(letter, now, state=state)
        if prepared.draft is None:
            return len(outgoing)
        row = tx.add_draft(prepared.draft, WHO, now)
        mails = self.announce(tx, self.book, row, now) if self.announce is not None else ()
        for mail in mails:
            posting.queue(tx, mail, f"draft:{row.id}", self.book, now, state)
        return len(outgoing) + len(mails)

    def _pass_over(self, passed: Sequence[Passed], now: datetime, report: TickReport) -> None:
        with self.store.begin() as tx:
            fresh = [p.occurrence.key for p in passed if tx.add_duty(passed_duty(p), now)]
            for key in fresh:
                tx.close_tasks(self.id, told_as(key), now)
        report.skipped.extend(fresh)
        for one in passed:
            self.settled.add(one.occurrence.key)
            self.troubles.over(one.occurrence.key)

    def _approve_by_itself(self, decide: Decide, now: datetime, report: TickReport) -> None:
        """Drafts that no person need look at, also those left behind by a crash."""
        alone = {r.id for r in self.book.letters.letters if r.auto_approve}
        if not alone:
            return
        with self.store.reading() as reads:
            drafts = [
                (draft, state_for(reads, self._due(reads, draft)))
                for draft in reads.drafts(self.id, waiting=True)
                if draft.letter in alone
            ]
        for draft, state in drafts:
            key = f"draft:{draft.id}"
            last = draft.decided_by if draft.state is DraftState.APPROVED else draft.by
            if not last.startswith(WHO):
                continue
            if self.troubles.waits(key, now):
                continue
            try:
                decide(draft, now, state)
            except Exception as error:
                if isinstance(error, WorldFault) and error.systemic:
                    raise
                self._failed(key, f"自动批准《{draft.title}》", error, now, report)
                continue
            self.troubles.over(key)
            report.done.append(key)

    def _due(self, reads: Reads, draft: DraftRow) -> datetime:
        """When the calendar wanted it, also where a newer draft has taken the first one's place."""
        stages = self.book.letters.letter(draft.letter).stages
        keys = (occurrence_key(draft.letter, self.id, draft.period, s.id) for s in stages)
        duties = (reads.duty(key) for key in keys)
        dues = [row.new.due for row in duties if row and row.new.state is DutyState.DONE]
        return min(dues, default=draft.created)

    # --- what goes wrong

    def _blocked(self, blocked: Blocked, now: datetime, report: TickReport) -> None:
        kinds = {*blocked.kinds}
        names = "、".join(r.name for r in self.book.letters.letters if r.kind in kinds)
        key = f"{self.id}:{blocked.kinds[0].value}"
        self._failed(key, f"推算{names}的到期时间", blocked.error, now, report)

    def _failed(
        self, key: str, what: str, error: Exception, now: datetime, report: TickReport
    ) -> None:
        if not self.troubles.waits(key, now):
            report.failed.append(self.troubles.note(self.book, key, what, error, now))
