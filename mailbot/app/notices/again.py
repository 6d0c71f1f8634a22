"""A letter of a notice that did not reach somebody, once more to that one person: what went out to
the others, under a key of its own, where it is known whom it is for and why the first one was lost.

Whatever reached its mailbox is never sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.app.errors import OperatorFault
from mailbot.app.letter_records import DraftRecipient, DraftRow, DraftState, SentLetter
from mailbot.app.notices.draftmail import called
from mailbot.app.notices.guards import book_of, draft, letter_of, named
from mailbot.app.notices.refusals import NotDecided
from mailbot.app.notices.sending import Delivery, mailing, once_more, progress, why_not
from mailbot.app.papers import Papers
from mailbot.app.ports import Reads, Store
from mailbot.app.posting import Posting
from mailbot.app.records import OutboxState
from mailbot.core.mail.compose import usable_address
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import match_unit, unit_name

_LOST = (OutboxState.FAILED, OutboxState.UNKNOWN, OutboxState.DROPPED)
"""Of UNKNOWN a person is asked to look whether it went out: who sends again has looked."""
_STATES = {
    OutboxState.SENT: "已发出",
    OutboxState.WITHHELD: "暂缓发送",
    OutboxState.RETRY: "稍后自动再试",
}
"""Every other one of them waits."""
_CHOICES = 12


@dataclass(frozen=True, slots=True)
class Resent:
    to: DraftRecipient
    """With the address it went to."""
    number: int
    """First, second … time that it is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resending:
    store: Store
    books: Mapping[str, OfficeBook]
    papers: Papers
    posting_for: Callable[[str], Posting]

    def send(
        self,
        draft_id: int,
        to: str,
        who: str,
        now: datetime,
        *,
        address: str = "",
        why: str = "",
    ) -> Resent:
        """`to`: the key of a recipient, or a unit of which one letter was lost. `address`: where it
        goes instead. Raises `NotDecided`."""
        who, address = named(who), address.strip()
        with self.store.reading() as reads:
            row = _sent(reads, draft_id)
            book = book_of(self.books, row.office, draft_id)
            rule = letter_of(book, row)
            lost = _meant(progress(reads, draft_id), to.strip(), row, book, now)
            known = lost.again[-1].recipient if lost.again else lost.to.address
            there = replace(lost.to, address=_usable(reads, lost.to, address or known, book))
            number = len(lost.again) + 1
            posting = self.posting_for(row.office)
            of = mailing(reads, row, book, rule, posting, self.papers)
        try:
            letter = once_more(of, there, number, posting, now)
        except (OperatorFault, ValueError, LookupError) as error:
            who_to = (called(there, book),)
            raise NotDecided("again_failed", draft_id, why_not(error), who_to) from None
        with self.store.begin() as tx:
            tx.hold_ledger()  # of two people at once, one sends
            today = next(d for d in progress(tx.read, draft_id) if d.to.key == lost.to.key)
            if len(today.again) >= number or not is_lost(today):
                raise _not_lost(today, draft_id, book)
            tx.queue(letter, now)
            tx.lift_suspension(row.office, there.address, who, now)
            detail = {"to": lost.to.key, "address": there.address, "no": number, "why": why.strip()}
            tx.audit(who, "draft.again", f"draft:{draft_id}", detail, now)
        return Resent(there, number)


def is_lost(one: Delivery) -> bool:
    """Did the letter, or the last of those that followed it, fail to reach its reader?"""
    last = one.last
    return last is None or last.bounced is not None or last.state in _LOST


def _sent(reads: Reads, draft_id: int) -> DraftRow:
    row = draft(reads, draft_id)
    if row.state is not DraftState.SENT:
        raise NotDecided("not_sent", draft_id, row.state.value)
    return row


def _meant(
    found: Sequence[Delivery], to: str, row: DraftRow, book: OfficeBook, now: datetime
) -> Delivery:
    match = match_unit(to, book.roster, day_of(now))
    unit = match.unit_id if match is not None and match.unit_id else to
    meant = [d for d in found if d.to.key == to] or [
        d for d in found if to and to in (d.to.name, called(d.to, book))
    ]
    meant = meant or [d for d in found if unit and d.to.unit_id == unit]
    if not meant:
        keys = tuple(d.to.key for d in found if is_lost(d))
        raise NotDecided("nobody", row.id, to, keys[:_CHOICES])
    lost = [d for d in meant if is_lost(d)]
    if not lost:
        raise _not_lost(meant[0], row.id, book)
    if len(lost) > 1:
        raise NotDecided("which", row.id, to, tuple(d.to.key for d in lost))
    return lost[0]


def _not_lost(one: Delivery, draft_id: int, book: OfficeBook) -> NotDecided:
    return NotDecided("no_again", draft_id, _told(one.last), (called(one.to, book),))


def _told(letter: SentLetter | None) -> str:
    return _STATES.get(letter.state, "等待发送") if letter is not None else "没有列入发送"


def _usable(reads: Reads, to: DraftRecipient, address: str, book: OfficeBook) -> str:
    """What goes to a unit is nobody else's business: never to an address that is another's."""
    if not address:
        raise NotDecided("no_address", found=called(to, book))
    if not usable_address(address):
        raise NotDecided("address", found=address)
    owners = {b.unit_id for b in reads.bound_addresses(book.info.id) if _same(b.address, address)}
    for unit in book.roster.units:
        if any(_same(contact.address, address) for contact in unit.contacts):
            owners.add(unit.id)
    if to.unit_id and owners and to.unit_id not in owners:
        name = unit_name(min(owners), book.roster)
        raise NotDecided("address_of", found=address, choices=(name,))
    return address


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
