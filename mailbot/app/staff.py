"""What staff decide by hand: release, category, whose address it is. Always with name and reason.

Everything done here leaves its audit line in the same transaction. What cannot be done is raised as
`NotDone`, a value with a code: the command line (later the desk) finds the words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from mailbot.app.answers import Answer
from mailbot.app.ports import Store, Transaction
from mailbot.app.records import (
    Binding,
    InboundRow,
    ItemRow,
    ItemState,
    NewDecision,
    NewItem,
    NewVersion,
)
from mailbot.app.settle import Settled, Settler
from mailbot.core.intake.model import Decision, DecisionKind, Facts, Reason
from mailbot.core.intake.titles import normal_title
from mailbot.core.letters.answers import AnswerKind
from mailbot.core.mail.automatic import answer_refused
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.periods import day_of, month_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.model import Certainty, Source
from mailbot.core.subject.units import match_unit, near_misses

COUNTED = frozenset({ItemState.ACCEPTED, ItemState.WITHDRAWAL_REQUESTED})
RELEASABLE = frozenset({ItemState.HELD, ItemState.RETURNED})


class NotDone(Exception):
    """Why something could not be done. `code`: `no_item`, `not_open`, `no_unit`, `no_title`,
    `unknown_category`, `unknown_unit`, `several_units`, `no_office`. `what` is what was given,
    `found` what was found of it, `choices` what could have been given instead."""

    def __init__(
        self, code: str, what: str, found: str = "", choices: tuple[str, ...] = ()
    ) -> None:
        super().__init__(f"{code}: {what} {found} {choices}")
        self.code, self.what, self.found, self.choices = code, what, found, choices


@dataclass(frozen=True, slots=True)
class Filled:
    """What staff know of an item that its mail did not say, or said wrongly. Empty: as it was."""

    unit: str = ""
    title: str = ""
    submitter: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """A released item, and the acknowledgement that was queued for it, if any."""

    item: ItemRow
    answer: Answer
    still_open: tuple[str, ...] = ()
    """Receipt numbers of other items of the same mail that still wait."""


def release(
    receipt: str,
    filled: Filled,
    who: str,
    why: str,
    settler: Settler,
    store: Store,
    now: datetime,
) -> Release:
    """Accepts a held or returned item by hand: it counts in the month of its original receipt, and
    its sender gets the acknowledgement, once, at once, and never where the gate for automatic
    answers refuses one, nor where the item came by another channel."""
    with store.begin() as tx:
        item = _item(tx, receipt)
        if item.state not in RELEASABLE:
            raise NotDone("not_open", item.receipt, item.state.value)
        book = _book(settler.books, item)
        unit_id = resolve_unit(filled.unit, book, now.date()) if filled.unit else item.unit_id
        if unit_id is None:
            raise NotDone("no_unit", item.receipt)
        version = _completed(item, filled, unit_id, book)
        if not version.title:
            raise NotDone("no_title", item.receipt)
        new = replace(
            released_item(item, unit_id), version=version, title_key=normal_title(version.title)
        )
        revised = tx.read.item_by_receipt(version.fields.get("revises", ""))
        if revised is not None and revised.state in COUNTED:
            # A second version that waited: it goes into the item that already counts.
            new = replace(
                new,
                state=revised.state,
                received=revised.received,
                month=revised.month,
                replaces=revised.id,
            )
            why_replaced = f"并入{revised.receipt}"
            tx.set_item_state(item.id, ItemState.REPLACED, who, why_replaced, now)
        prefix = book.info.receipt_prefix
        answer = Answer(None, none="other_channel")
        others: tuple[str, ...] = ()
        if item.inbound_id is None:
            released = tx.add_channel_item(new, prefix, who, now)
        else:
            row = tx.read.inbound(item.inbound_id)
            assert row is not None, "its mail is registered"
            released = tx.add_item(new, row.id, prefix, now)
            answer = _tell(row, released, unit_id, who, why, book, settler, tx, now)
            others = tuple(
                i.receipt
                for i in tx.read.items_of(row.id)
                if i.id != item.id and i.state in RELEASABLE
            )
        detail = {"unit": unit_id, "from": item.state.value, "why": why}
        tx.audit(who, "release", f"item:{item.id}", detail, now)
        return Release(released, answer, others)


def _tell(
    row: InboundRow,
    released: ItemRow,
    unit_id: str,
    who: str,
    why: str,
    book: OfficeBook,
    settler: Settler,
    tx: Transaction,
    now: datetime,
) -> Answer:
    """The mail's new decision, and the letter that goes with it."""
    mail = tx.read.mail(row.id)
    decision = Decision(
        DecisionKind.ACCEPT,
        (Reason("released", f"{who}人工核对后登记。", why),),
        answer=AnswerKind.ACKNOWLEDGEMENT,
    )
    answer = _acknowledge(decision, mail, row, released, book, settler, tx, now)
    _decide_again(tx, row, mail, decision, book, unit_id, answer, who, now)
    return answer


def released_item(item: ItemRow, unit_id: str) -> NewItem:
    """The next version of an open item: the same, accepted."""
    return NewItem(
        office=item.office,
        unit_id=unit_id,
        state=ItemState.ACCEPTED,
        received=item.received,
        month=month_of(item.received),
        version=item.version,
        flags=item.flags,
        lane=item.lane,
        title_key=normal_title(item.version.title),
        replaces=item.id,
        channel=item.channel,
        evidence=item.evidence,
        commissioned=item.commissioned,
    )


def correct_category(
    receipt: str,
    category: str,
    who: str,
    why: str,
    books: Mapping[str, OfficeBook],
    store: Store,
    now: datetime,
) -> ItemRow:
    """Staff's word on the category, by id, name or mark. The earlier reading stays in the item's
    history."""
    with store.begin() as tx:
        item = _item(tx, receipt)
        book = _book(books, item)
        categories = book.categories_on(day_of(item.received)).categories
        found = next((c for c in categories if category in (c.id, c.name, *c.marks)), None)
        if found is None:
            names = tuple(f"{c.name}（{c.id}）" for c in categories)
            raise NotDone("unknown_category", category, choices=names)
        tx.set_category(item.id, found.id, who, why, now)
        after = tx.read.item_by_receipt(item.receipt)
        assert after is not None
        return after


def bind(
    address: str,
    unit_id: str | None,
    who: str,
    settler_of: Callable[[InboundRow], Settler],
    office: str,
    held: list[InboundRow],
    store: Store,
    now: datetime,
) -> list[Settled]:
    """Binds an address to a unit (None: refuses it). `held` mail of the address is decided again,
    oldest first, as if it came from the bound address."""
    with store.begin() as tx:
        if unit_id is None:
            tx.add_binding(office, Binding(address, "", "refused"), who, now)
            return []
        tx.add_binding(office, Binding(address, unit_id, "bound"), who, now)
        done = []
        for row in held:
            mail = tx.read.mail(row.id)
            if mail is not None:
                done.append(settler_of(row).settle(mail, replace(row, attempts=1), tx, now))
        return done


def resolve_unit(text: str, book: OfficeBook, day: date) -> str:
    """A unit's id from its id, or the whole of one of its names as a person types it: of the day,
    else of any day. What only resembles a name is never taken; it is offered in the `NotDone`."""
    text = text.strip()
    roster = book.roster
    if any(u.id == text for u in roster.units):
        return text
    match = match_unit(text, roster, day)
    ids = () if match is None else (match.unit_id,) if match.unit_id else match.candidates
    if not ids:
        ids = tuple(u.id for u in roster.units if any(n.text == text for n in u.names))
    if len(ids) == 1:
        return ids[0]
    if ids:
        raise NotDone("several_units", text, choices=tuple(roster.get(i).name for i in ids))
    near = near_misses(text, roster, day) or _containing(text, book)
    raise NotDone("unknown_unit", text, choices=tuple(roster.get(i).name for i in near))


def _containing(text: str, book: OfficeBook) -> tuple[str, ...]:
    """Units with a name that has the text in it, or is in it."""
    return tuple(
        u.id
        for u in book.roster.units
        if text and any(text in n.text or n.text in text for n in u.names)
    )[:5]


def _item(tx: Transaction, receipt: str) -> ItemRow:
    item = tx.read.item_by_receipt(receipt.strip().upper())
    if item is None:
        raise NotDone("no_item", receipt)
    return item


def _book(books: Mapping[str, OfficeBook], item: ItemRow) -> OfficeBook:
    if item.office not in books:
        raise NotDone("no_office", item.office, choices=tuple(books))
    return books[item.office]


def _completed(item: ItemRow, filled: Filled, unit_id: str, book: OfficeBook) -> NewVersion:
    """The item's reading with staff's words in it, each field marked as theirs."""

    def by_staff(value: str) -> dict[str, Any]:
        return {
            "value": value,
            "source": Source.STAFF.value,
            "certainty": Certainty.CERTAIN.value,
        }

    version = item.version
    fields = dict(version.fields)
    if filled.unit and unit_id != item.unit_id:
        name = book.roster.get(unit_id).name
        fields["unit"] = by_staff(name) | {"unit_id": unit_id}
        version = replace(version, unit_written=version.unit_written or name)
    if filled.title:
        fields["title"] = by_staff(filled.title)
        version = replace(version, title=filled.title)
    if filled.submitter:
        fields["submitter"] = by_staff(filled.submitter)
        version = replace(version, submitter=filled.submitter)
    if filled.contact:
        fields["contact"] = [by_staff(filled.contact)]
        version = replace(version, contact=(filled.contact,))
    return replace(version, fields=fields)


def _acknowledge(
    decision: Decision,
    mail: IncomingMail | None,
    row: InboundRow,
    item: ItemRow,
    book: OfficeBook,
    settler: Settler,
    tx: Transaction,
    now: datetime,
) -> Answer:
    """Queued as ready however old the mail is: a person has just said so."""
    if mail is None:
        return Answer(None, none="no_content")
    refused = answer_refused(mail, settler.us)
    if refused is not None:
        return Answer(None, none=f"gate: {refused}")
    facts = Facts(book=book, received=row.received, known_sender=True, bound_unit=item.unit_id)
    answer = settler.answering.answer(decision, mail, row, [item], facts, tx.read, now)
    if answer.letter is None:
        return answer
    if tx.read.outgoing_by_message_ids([answer.letter.message_id]):
        return Answer(None, none="already_acknowledged")
    tx.queue(answer.letter, now)
    return answer


def _decide_again(
    tx: Transaction,
    row: InboundRow,
    mail: IncomingMail | None,
    decision: Decision,
    book: OfficeBook,
    unit_id: str,
    answer: Answer,
    who: str,
    now: datetime,
) -> None:
    tx.decide(
        NewDecision(
            inbound_id=row.id,
            kind=decision.kind.value,
            office=book.info.id,
            unit_id=unit_id,
            reasons=tuple(r.text for r in decision.reasons),
            log=tuple(f"{r.code}: {r.detail}" if r.detail else r.code for r in decision.reasons),
            answer=answer.kind.value if answer.kind and answer.letter else f"none:{answer.none}",
            book_digest=book.digest,
            by=who,
        ),
        mail,
        now,
    )
