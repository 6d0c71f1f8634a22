"""Reminders before a quota's period ends, and its result afterwards.

Whoever is short gets a reminder, whoever has met everything at most one short thanks; the result
goes to whoever stayed short. What is “in principle” (a remark-only quota) makes nobody short, but
every letter and the summary tell of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import cache

from mailbot.app.duties.model import Prepared
from mailbot.app.duties.quotas import Owing, QuotaView, quotas_of
from mailbot.app.duties.rounds import Round, Written, liaison_name, working_days
from mailbot.app.letter_records import DutyState
from mailbot.app.ports import Reads
from mailbot.app.posting import Addressee
from mailbot.app.reckoning import recorded_from
from mailbot.core.duties.model import DutyKind
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.duties.schedule import of_periods
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.every import Letter
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.office import RoundLine, RoundSummary
from mailbot.core.letters.periodic import PeriodResult, QuotaLetter, Reminder, Thanks
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.periods import OFFICE_ZONE, Period, WorkingDay, day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.example import example_for
from mailbot.core.subject.roster import Unit

KINDS = (DutyKind.REMINDER, DutyKind.RESULT)
DAY = timedelta(days=1)


class QuotaRunner:
    """Of REMINDER and RESULT."""

    def __init__(
        self, *, is_working_day: WorkingDay, posting_card: Callable[[OfficeBook], OfficeCard]
    ) -> None:
        """`posting_card`: how the office signs."""
        self._working, self._card = is_working_day, posting_card

    def occurrences(
        self, reads: Reads, book: OfficeBook, since: datetime, until: datetime
    ) -> list[Occurrence]:
        found: list[Occurrence] = []
        for rule in book.letters.letters:
            if rule.kind in KINDS and (quotas := quotas_of(book, rule)):
                kind = quotas[0].period
                found += of_periods(book.info.id, rule, kind, since, until, self._working)
        return found

    def prepare(
        self, reads: Reads, book: OfficeBook, occurrence: Occurrence, now: datetime
    ) -> Prepared:
        period, reminds = _period(occurrence), occurrence.rule.kind is DutyKind.REMINDER
        today = day_of(now)
        if reminds and today > period.last:
            return Prepared(DutyState.SKIPPED, f"{period.name}已经结束，不再提醒。")
        if not reminds and period.last < recorded_from(reads, book.info.id):
            why = f"{period.name}结束时还没有登记过信息：投入使用以前没有登记，不发结果。"
            return Prepared(DutyState.SKIPPED, why)
        view = QuotaView(reads, book, quotas_of(book, occurrence.rule), period, today)
        owing, unknown = view.owing()
        if not owing:
            why = f"{period.name}没有单位有报送任务，不用写信。"
            return Prepared(DutyState.SKIPPED, why, warnings=tuple(unknown))
        thanked = occurrence.rule.thanks and (not reminds or _is_first(reads, occurrence))
        work = _Work(
            Round(reads, book, occurrence, self._card(book), today), view, period, self._working
        )
        short = [work.to_short(one) for one in owing if one.short]
        met = [one for one in owing if not one.short]
        lines = [work.to_met(one, write=thanked) for one in met]
        remarks = [line for one, line in zip(met, lines, strict=True) if one.remarked]
        return work.prepared(short, lines, remarks, unknown)


class _Work:
    """One round about one period."""

    def __init__(
        self, round_: Round, view: QuotaView, period: Period, is_working_day: WorkingDay
    ) -> None:
        self._round, self._view, self._period = round_, view, period
        self._rule = round_.occurrence.rule
        self._reminds = self._rule.kind is DutyKind.REMINDER
        self._left = working_days(round_.day, period.last, is_working_day)
        self._not_after = _end(period) if self._reminds else None
        try:
            self._convention = round_.book.convention_on(round_.day).example
        except NoRuleInForce:
            self._convention = ""

    def to_short(self, one: Owing) -> RoundLine:
        kind, made = (
            (LetterKind.REMINDER, Reminder) if self._reminds else (LetterKind.RESULT, PeriodResult)
        )
        return self._told(one, self._write(one, kind, made))

    def to_met(self, one: Owing, *, write: bool) -> RoundLine:
        if not write:
            self._round.units[one.unit.id] = {"outcome": "met", "why": ""}
            return self._told(one, Written())
        kind, made = (
            (LetterKind.THANKS, Thanks) if self._reminds else (LetterKind.RESULT, PeriodResult)
        )
        return self._told(one, self._write(one, kind, made))

    def _told(self, one: Owing, written: Written) -> RoundLine:
        return RoundLine(
            unit=one.unit.name,
            group=self._group(one.unit.group_on(self._period.last)),
            quotas=one.lines,
            sent=written.sent,
            unsent=written.unsent,
        )

    def _group(self, group_id: str) -> str:
        return next((g.name for g in self._round.book.groups if g.id == group_id), group_id)

    def _write(self, one: Owing, kind: LetterKind, made: type[QuotaLetter]) -> Written:
        card, stage = self._round.card, self._round.occurrence.stage

        @cache
        def example() -> str:  # looked up once there is somebody to write to
            return self._example(one.unit)

        def letter_for(person: Addressee) -> Letter:
            counted, opened = self._view.items(one.unit.id)
            letter = made(
                office=card,
                unit=one.unit.name,
                role=person.role,
                liaison=liaison_name(one.unit, self._round.day),
                period=self._period.name,
                deadline=self._period.last,
                days_left=self._left,
                quotas=one.lines,
                counted=counted,
                open=opened,
                document=one.document,
                clause=one.clause,
                example=example(),
                stage=stage.id,
                last_stage=stage.id == self._rule.stages[-1].id,
            )
            assert isinstance(letter, Reminder | PeriodResult | Thanks)
            return letter

        return self._round.write(one.unit, kind, letter_for, self._not_after)

    def _example(self, unit: Unit) -> str:
        return example_for(unit.id, self._convention, self._round.book.roster, self._round.day)

    def prepared(
        self,
        short: list[RoundLine],
        met: list[RoundLine],
        remarks: list[RoundLine],
        unknown: list[str],
    ) -> Prepared:
        round_ = self._round
        thanked = sum(1 for posted in round_.letters if posted.kind is LetterKind.THANKS)
        summary = RoundSummary(
            office=round_.card,
            name=self._rule.name,
            period=self._period.name,
            stage=round_.occurrence.stage.id,
            deadline=self._period.last,
            short=tuple(short),
            met=len(met),
            sent=len(round_.letters) - thanked,
            thanked=thanked,
            remarks=tuple(remarks),
        )
        summaries, wrong = round_.summaries(summary)
        return Prepared(
            DutyState.DONE,
            self._why(len(short), len(met), thanked),
            letters=(*round_.letters, *summaries),
            detail=round_.detail(),
            warnings=(*unknown, *round_.unreached, *wrong),
        )

    def _why(self, short: int, met: int, thanked: int) -> str:
        said = self._round.said()
        others = f"（其中致谢 {thanked} 封）" if thanked else ""
        if not short:
            return f"有任务的 {met} 个单位都已完成，{said}{others}。"
        unreached = len(self._round.unreachable)
        missed = f"；{unreached} 个单位没有可用的邮箱" if unreached else ""
        return f"{short} 个单位未完成，{met} 个已完成，{said}{others}{missed}。"


def _is_first(reads: Reads, occurrence: Occurrence) -> bool:
    """Thanks go out once: with the first stage, or with the one that stands for it because the
    first fell on the same day or was missed."""
    for stage in occurrence.rule.stages:
        if stage.id == occurrence.stage.id:
            return True
        earlier = f"{occurrence.rule.id}:{occurrence.office}:{occurrence.about}:{stage.id}"
        row = reads.duty(earlier)
        if row is not None and row.new.state is DutyState.DONE:
            return False
    return True


def _period(occurrence: Occurrence) -> Period:
    return occurrence.period or Period.parse(occurrence.about)


def _end(period: Period) -> datetime:
    return datetime.combine(period.last + DAY, time(), OFFICE_ZONE)
