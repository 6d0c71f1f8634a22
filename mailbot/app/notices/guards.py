"""What must hold before a draft is decided: that it waits, that somebody says who decides, that its
number is one and free. What does not is raised as `NotDecided`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from mailbot.app.letter_records import DraftRow, DraftState
from mailbot.app.notices.drafting import drafts_of, notices
from mailbot.app.notices.refusals import NotDecided
from mailbot.app.ports import Reads
from mailbot.core.duties.model import LetterRule
from mailbot.core.rules.periods import Period, day_of
from mailbot.core.rules.rulebook import OfficeBook

AHEAD = timedelta(days=31)
"""How far ahead of its approval a document may be dated."""
_NUMBER = re.compile(r"[^\s〔〕]+〔(\d{4})〕\d+号")
"""发文字号, GB/T 9704—2012, 7.2.5: 机关代字、年份、发文顺序号; the year in 〔〕."""


def book_of(books: Mapping[str, OfficeBook], office: str, draft_id: int = 0) -> OfficeBook:
    if office not in books:
        raise NotDecided("no_office", draft_id, office, tuple(books))
    return books[office]


def letter_of(book: OfficeBook, row: DraftRow) -> LetterRule:
    """The rule of a draft's letter, which the office may have dropped since."""
    known = notices(book)
    rule = next((r for r in known if r.id == row.letter), None)
    if rule is None:
        raise NotDecided("no_letter", row.id, row.letter, tuple(r.id for r in known))
    return rule


def draft(reads: Reads, draft_id: int) -> DraftRow:
    row = reads.draft(draft_id)
    if row is None:
        raise NotDecided("no_draft", draft_id)
    if row.state is DraftState.SUPERSEDED:
        raise NotDecided("superseded", draft_id, str(_newest(reads, row).id))
    return row


def _newest(reads: Reads, row: DraftRow) -> DraftRow:
    same = drafts_of(reads, row.office, row.letter, Period.parse(row.period))
    return same[0] if same else row


def must_be_unsent(reads: Reads, office: str, letter: str, period: Period) -> None:
    """A letter about a period goes out once, however many drafts there were of it."""
    sent = [d for d in drafts_of(reads, office, letter, period) if d.state is DraftState.SENT]
    if sent:
        raise NotDecided("sent", sent[0].id)


def waiting(reads: Reads, draft_id: int) -> DraftRow:
    row = draft(reads, draft_id)
    if row.state is not DraftState.DRAFT:
        day = day_of(row.decided_at).isoformat() if row.decided_at else ""
        raise NotDecided("not_draft", draft_id, row.state.value, (row.decided_by, day))
    return row


def approved(reads: Reads, draft_id: int) -> DraftRow:
    """And the newest of its letter and period: of two, only one may go out."""
    row = draft(reads, draft_id)
    if row.state is DraftState.SENT:
        raise NotDecided("sent", draft_id)
    if row.state is not DraftState.APPROVED:
        raise NotDecided("not_approved", draft_id, row.state.value)
    must_be_unsent(reads, row.office, row.letter, Period.parse(row.period))
    newer = _newest(reads, row)
    if newer.id != row.id and newer.state is not DraftState.REJECTED:
        raise NotDecided("superseded", draft_id, str(newer.id))
    return row


def named(who: str) -> str:
    if not who.strip():
        raise NotDecided("no_name")
    return who.strip()


def may_be_approved(reads: Reads, row: DraftRow, number: str, issued: date, today: date) -> None:
    """As far as can be told without working the draft out once more."""
    must_be_unsent(reads, row.office, row.letter, Period.parse(row.period))
    _may_be_dated(row, issued, today)
    if number:
        _must_be_a_number(row, number, issued)
        _must_be_free(reads, row, number)


def _may_be_dated(row: DraftRow, issued: date, today: date) -> None:
    """Not before the period was over (or, of one that is not over yet, before it was drafted), and
    not far ahead."""
    first = min(Period.parse(row.period).last, day_of(row.created))
    if not first <= issued <= today + AHEAD:
        raise NotDecided("date", row.id, issued.isoformat(), (first.isoformat(),))


def _must_be_a_number(row: DraftRow, number: str, issued: date) -> None:
    """The year in a document's number is that of its date (GB/T 9704—2012, 7.2.5)."""
    found = _NUMBER.fullmatch(number)
    if found is None:
        raise NotDecided("number", row.id, number)
    if int(found[1]) != issued.year:
        raise NotDecided("number_year", row.id, number, (str(issued.year),))


def _must_be_free(reads: Reads, row: DraftRow, number: str) -> None:
    """No two documents of an office have one number."""
    for other in reads.drafts(row.office):
        if other.number == number and other.id != row.id:
            raise NotDecided("number_used", row.id, number, (str(other.id),))


def letter_for(book: OfficeBook, letter: str, period: Period) -> LetterRule:
    """The letter meant: by id or name, or the only one about such periods."""
    known = notices(book)
    if letter:
        found: Sequence[LetterRule] = [r for r in known if letter in (r.id, r.name)]
    else:
        found = [r for r in known if r.period is period.kind]
    if len(found) != 1 or found[0].period is not period.kind:
        choices = tuple(f"{r.id}（{r.name}）" for r in known if r.period is period.kind)
        raise NotDecided("no_letter", found=letter or period.name, choices=choices)
    return found[0]
