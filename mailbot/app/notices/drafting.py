"""A notice is drafted: what it says about a period, to whom it would go, and what is unusual about it.

`Drafting` only looks; what it gives is written by whoever asked for it (the duty engine, a person).
That nothing is sent without approval is `approval`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbot.app.duties.model import Prepared
from mailbot.app.letter_records import DraftRow, DraftState, DutyState, NewDraft
from mailbot.app.notices.addressing import addressees, listed, reach
from mailbot.app.notices.files import draft_files
from mailbot.app.notices.flagfacts import flagged, names_somebody
from mailbot.app.notices.flags import flags
from mailbot.app.notices.material import gather
from mailbot.app.notices.said import OwnDocument, Said
from mailbot.app.papers import Papers
from mailbot.app.ports import Reads
from mailbot.app.scoring import standings_in
from mailbot.core.documents.figures import summary
from mailbot.core.documents.ground import ground_of
from mailbot.core.documents.material import Material
from mailbot.core.documents.notice import notice_document, own_document
from mailbot.core.duties.model import DutyKind, LetterRule
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.duties.schedule import of_periods
from mailbot.core.rules.periods import Period, WorkingDay, day_of
from mailbot.core.rules.rulebook import OfficeBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    papers: Papers

    def draft(
        self, reads: Reads, book: OfficeBook, rule: LetterRule, period: Period, now: datetime
    ) -> NewDraft | None:
        """None where none of its lists names a unit and the rule wants no draft then
        (`skip_empty`). Raises `NotScored`, `NoRuleInForce`, and `OperatorFault` for a broken Word
        template."""
        said = self.said(reads, book, rule, period, now)
        return None if is_empty(said) else self.new(said, book)

    def said(
        self,
        reads: Reads,
        book: OfficeBook,
        rule: LetterRule,
        period: Period,
        now: datetime,
    ) -> Said:
        """What the draft says, without its files."""
        today = day_of(now)
        standings = standings_in(reads, book, period, today)
        material = gather(reads, book, period, standings.as_of, standings)
        recipients = addressees(reads, book, rule, standings, today)
        return Said(
            rule=rule,
            material=material,
            document=notice_document(book, rule, material),
            own=_own(book, rule, material),
            recipients=recipients,
            summary=tuple(summary(ground_of(book, material, {}))),
            flags=flags(flagged(reads, book, rule, material, recipients, today)),
        )

    def new(self, said: Said, book: OfficeBook) -> NewDraft:
        return NewDraft(
            office=book.info.id,
            letter=said.rule.id,
            period=said.material.period.code,
            title=said.document.title,
            digest=said.digest,
            summary=said.summary,
            flags=said.flags,
            recipients=said.recipients,
            files=draft_files(said, book, self.papers),
        )


def is_empty(said: Said) -> bool:
    return said.rule.skip_empty and not names_somebody(said.rule, said.material)


def _own(book: OfficeBook, rule: LetterRule, material: Material) -> tuple[OwnDocument, ...]:
    return tuple(
        OwnDocument(own.list, unit, own_document(book, rule, own, unit, material))
        for own in rule.own
        for unit in listed(material.standings, own.list)
    )


# --- as a duty ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRunner:
    """Drafts each notice when it is due, unless people were there first."""

    drafting: Drafting
    is_working_day: WorkingDay

    def occurrences(
        self, reads: Reads, book: OfficeBook, since: datetime, until: datetime
    ) -> list[Occurrence]:
        return [
            occurrence
            for rule in notices(book)
            if rule.period is not None
            for occurrence in of_periods(
                book.info.id, rule, rule.period, since, until, self.is_working_day
            )
        ]

    def prepare(
        self, reads: Reads, book: OfficeBook, occurrence: Occurrence, now: datetime
    ) -> Prepared:
        rule, period = occurrence.rule, occurrence.period
        assert period is not None, "a notice is about a period"
        if known := _by_hand(reads, book, rule, period):
            return Prepared(DutyState.SKIPPED, known)
        new = self.drafting.draft(reads, book, rule, period, now)
        if new is None:
            return Prepared(
                DutyState.SKIPPED, f"{period.name}没有单位列入名单，按设置不起草{rule.name}。"
            )
        letters, lacking = reach(new.recipients)
        waits = "按设置自动批准" if rule.auto_approve else "等待批准"
        unwritten = f"，另有 {lacking} 人没有邮箱" if lacking else ""
        why = f"已起草《{new.title}》，{waits}：将发 {letters} 封{unwritten}。"
        return Prepared(DutyState.DONE, why, draft=new, detail={"flags": list(new.flags)})


def notices(book: OfficeBook) -> list[LetterRule]:
    """The office's letters that are drafted and approved."""
    return [r for r in book.letters.letters if r.kind is DutyKind.NOTICE and r.document]


def _by_hand(reads: Reads, book: OfficeBook, rule: LetterRule, period: Period) -> str:
    """Why the calendar drafts nothing: a person did, or closed the period."""
    earlier = drafts_of(reads, book.info.id, rule.id, period)
    if earlier:
        return f"{period.name}的{rule.name}已有第 {earlier[0].id} 号草稿，不再起草。"
    seal = next((s for s in reads.seals(book.info.id) if s.period == period), None)
    if rule.seals and seal is not None:
        return (
            f"{period.name}已由{seal.who}在 {day_of(seal.at).isoformat()} 封账，不自动起草；"
            f"需要时用 mailbot notices draft {book.info.id} {period.code} 起草。"
        )
    return ""


def drafts_of(reads: Reads, office: str, letter: str, period: Period) -> list[DraftRow]:
    """Newest first, but those whose place another took."""
    return [
        row
        for row in reads.drafts(office)
        if (row.letter, row.period) == (letter, period.code)
        and row.state is not DraftState.SUPERSEDED
    ]
