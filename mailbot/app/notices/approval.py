"""A person decides about a draft: approves it, sends it, rejects it; or wants one.

A draft is approved as it was shown. In the transaction that approves it, with the ledger held, it is
worked out once more: where today's says anything else, nothing is approved and a new draft takes its
place, with what changed. Where the letter seals its period, the same transaction does. What goes out
afterwards is what was kept with the approval.

Who may decide is settled by whoever asks (the command line; a code in a reply). What cannot be done
is raised as `NotDecided`; what keeps a period from being sealed as `NotScored`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from mailbot.app.letter_content import office_card
from mailbot.app.letter_records import DraftFile, DraftRow, DraftState
from mailbot.app.notices.changes import changes
from mailbot.app.notices.drafting import Drafting, drafts_of, is_empty
from mailbot.app.notices.draftmail import announced, draft_letters
from mailbot.app.notices.files import (
    DOCUMENT,
    checked,
    draft_files,
    edited,
    exported,
    statement_file,
)
from mailbot.app.notices.guards import (
    approved,
    book_of,
    letter_for,
    letter_of,
    may_be_approved,
    must_be_unsent,
    named,
    waiting,
)
from mailbot.app.notices.refusals import NotDecided
from mailbot.app.notices.said import FACTS, Said, facts_of
from mailbot.app.notices.sending import about, composed, mailing
from mailbot.app.ports import Reads, Store, Transaction
from mailbot.app.posting import Posted, Posting
from mailbot.app.records import OutboxState
from mailbot.app.scoring import seal_in, statements_in
from mailbot.core.duties.model import LetterRule, Part
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.rules.periods import Period, day_of
from mailbot.core.rules.rulebook import OfficeBook

BOT = "mailbot"
"""Who drafts by the calendar, and anew what has become stale."""
AUTOMATIC = "mailbot（自动批准）"


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of an approval or of sending."""

    row: DraftRow
    sealed: bool = False
    """Its period was sealed with it."""
    queued: int = 0
    """Letters in the outbox."""
    notices: tuple[str, ...] = ()
    """What is to be looked at in the office's own document, each a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    store: Store
    books: Mapping[str, OfficeBook]
    drafting: Drafting
    posting_for: Callable[[str], Posting]
    """By office id."""

    # --- drafts

    def draft(self, office: str, letter: str, period: Period, who: str, now: datetime) -> DraftRow:
        """A draft by hand: of a rejected period, of one that the calendar passed over, or because
        the facts have changed. `letter` may be empty where the office has one for such periods."""
        who = named(who)
        book = book_of(self.books, office)
        rule = letter_for(book, letter, period)
        with self.store.reading() as reads:
            said = self.drafting.said(reads, book, rule, period, now)
            if is_empty(said):
                raise NotDecided("nothing")
            new = self.drafting.new(said, book)
        with self.store.begin() as tx:
            must_be_unsent(tx.read, office, rule.id, period)
            earlier = drafts_of(tx.read, office, rule.id, period)
            if earlier and earlier[0].state is DraftState.DRAFT and _same(earlier[0], said):
                raise NotDecided("same", earlier[0].id, str(earlier[0].id))
            row = tx.add_draft(new, who, now)
            self._announce(tx, book, row, now)
        return row

    def announce(
        self, tx: Transaction, book: OfficeBook, row: DraftRow, now: datetime
    ) -> tuple[Posted, ...]:
        """The mails that bring a draft to the office; their codes are written. None where the
        letter is approved without asking."""
        if not announced(book.letters.letter(row.letter)):
            return ()
        posting = self.posting_for(book.info.id)
        letters, tokens = draft_letters(
            row,
            tx.read.draft_recipients(row.id),
            exported(tx.read.draft_files(row.id), row, self.drafting.papers),
            book,
            office_card(book, posting.mailbox),
            posting.signer,
            now,
        )
        for token in tokens:
            tx.add_token(token, now)
        return letters

    def _announce(self, tx: Transaction, book: OfficeBook, row: DraftRow, now: datetime) -> None:
        posting = self.posting_for(book.info.id)
        for letter in self.announce(tx, book, row, now):
            posting.queue(tx, letter, about(row.id), book, now)

    # --- decisions

    def approve(
        self,
        draft_id: int,
        who: str,
        now: datetime,
        *,
        number: str = "",
        issued: date | None = None,
        document: bytes | None = None,
        send: bool = True,
        state: OutboxState = OutboxState.READY,
    ) -> Decided:
        """`number`: 发文字号. `issued`: 成文日期; the day of the approval where none is given.
        `document`: the office's own .docx or .pdf in place of ours. With `send` its letters are
        queued as well (in `state`), after it is approved: where that fails, it stays approved."""
        who, issued = named(who), issued or day_of(now)
        number = number.strip()
        with self.store.reading() as reads:
            row = waiting(reads, draft_id)
            may_be_approved(reads, row, number, issued, day_of(now))
            book, rule, period = self._about(row)
            if document is None and leaves_blanks(rule):
                raise NotDecided("unfilled", draft_id)
            own: DraftFile | None = None
            remarks: tuple[str, ...] = ()
            if document is not None:
                own = edited(document, row.title)
                remarks = checked(own, row, number, self.drafting.papers)
            said = self.drafting.said(reads, book, rule, period, now)
            files = None
            if _same(row, said):
                files = self._files(reads, row, said, book, now, number, issued, own)
        with self.store.begin() as tx:
            tx.hold_ledger()
            row = waiting(tx.read, draft_id)
            may_be_approved(tx.read, row, number, issued, day_of(now))
            today = self.drafting.said(tx.read, book, rule, period, now)
            stale = None if _same(row, today) else self._anew(tx, row, today, book, now)
            sealed = False
            if stale is None:
                if files is None or said.digest != today.digest:
                    files = self._files(tx.read, row, today, book, now, number, issued, own)
                sealed = _seal(tx, book, rule, period, who, now)
                row = tx.decide_draft(
                    draft_id,
                    DraftState.APPROVED,
                    who,
                    now,
                    number=number,
                    issued=issued,
                    files=files,
                )
        if stale is not None:  # raised here: the new draft stays
            raise stale
        if send:
            return replace(self.send(draft_id, who, now, state), sealed=sealed, notices=remarks)
        return Decided(row, sealed, notices=remarks)

    def reject(self, draft_id: int, who: str, why: str, now: datetime) -> DraftRow:
        who, why = named(who), why.strip()
        if not why:
            raise NotDecided("no_reason", draft_id)
        with self.store.begin() as tx:
            tx.hold_ledger()  # one decision about drafts at a time
            waiting(tx.read, draft_id)
            return tx.decide_draft(draft_id, DraftState.REJECTED, who, now, why=why)

    def send(
        self, draft_id: int, who: str, now: datetime, state: OutboxState = OutboxState.READY
    ) -> Decided:
        """Queues the letters of an approved draft, all in one transaction."""
        who = named(who)
        with self.store.reading() as reads:
            row = approved(reads, draft_id)
            book, rule, _period = self._about(row)
            posting = self.posting_for(row.office)
            of = mailing(reads, row, book, rule, posting, self.drafting.papers)
        letters = composed(of, posting, now)
        with self.store.begin() as tx:
            tx.hold_ledger()  # one decision about drafts at a time
            approved(tx.read, draft_id)
            for letter in letters:
                tx.queue(letter, now, state=state)
            row = tx.decide_draft(draft_id, DraftState.SENT, who, now)
        return Decided(row, queued=len(letters))

    def decide(
        self, row: DraftRow, now: datetime, state: OutboxState = OutboxState.READY
    ) -> Decided:
        """Without asking anybody (`LetterRule.auto_approve`). Finishes what a crash left between
        approving and sending."""
        if row.state is DraftState.APPROVED:
            return self.send(row.id, AUTOMATIC, now, state)
        return self.approve(row.id, AUTOMATIC, now, state=state)

    # --- parts

    def _about(self, row: DraftRow) -> tuple[OfficeBook, LetterRule, Period]:
        book = book_of(self.books, row.office, row.id)
        return book, letter_of(book, row), Period.parse(row.period)

    def _files(
        self,
        reads: Reads,
        row: DraftRow,
        said: Said,
        book: OfficeBook,
        now: datetime,
        number: str,
        issued: date,
        own: DraftFile | None,
    ) -> list[DraftFile]:
        """All that goes out, with number and date; a statement for each unit, also where nobody has
        an address yet."""
        papers = self.drafting.papers
        files = list(draft_files(said, book, papers, number=number, issued=issued))
        for at, file in enumerate(files):
            if file.role == DOCUMENT:
                files[at] = own or replace(file, content=papers.noted(file.content, row.id))
        units = [r.unit_id for r in said.recipients if r.kind == LetterKind.COVER]
        if units:
            statement = statements_in(reads, book, said.material.period, day_of(now))
            files += [
                statement_file(statement(unit), book, papers) for unit in dict.fromkeys(units)
            ]
        return files

    def _anew(
        self, tx: Transaction, row: DraftRow, today: Said, book: OfficeBook, now: datetime
    ) -> NotDecided:
        """The draft that takes the place of one that is not so any more, and what to say of it."""
        before = [f for f in tx.read.draft_files(row.id) if f.role == FACTS]
        differing = changes(facts_of(before), today, row.flags)
        new = self.drafting.new(today, book)
        compared = f"与第 {row.id} 号草稿相比：{''.join(differing)}"
        fresh = tx.add_draft(replace(new, flags=(compared, *new.flags)), BOT, now)
        self._announce(tx, book, fresh, now)
        return NotDecided("stale", row.id, str(fresh.id), differing)


def _same(row: DraftRow, said: Said) -> bool:
    """Does the draft say what is so today, and does nothing unusual come on top?"""
    return row.digest == said.digest and all(flag in row.flags for flag in said.flags)


def leaves_blanks(rule: LetterRule) -> bool:
    """Has its document places for names that only people can give?"""
    document = rule.document
    sections = (*document.sections, *document.annexes) if document else ()
    return any(section.part is Part.PEOPLE for section in sections)


def _seal(
    tx: Transaction, book: OfficeBook, rule: LetterRule, period: Period, who: str, now: datetime
) -> bool:
    """False where the letter seals nothing, or the period was sealed before: with the same
    standings, else the draft would not be what is so today."""
    if not rule.seals or any(s.period == period for s in tx.read.seals(book.info.id)):
        return False
    seal_in(tx, book, period, who, now)
    return True
