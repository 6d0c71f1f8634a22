"""申诉: a unit objects to how an item was treated, or to an entry; a clerk answers, once.

A second objection to the same thing joins the one that is open. Whatever is not the unit's own is
answered as if it did not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailbot.app.letter_content import office_card
from mailbot.app.letter_records import AppealRow, NewAppeal
from mailbot.app.ports import Reads, Store, Transaction
from mailbot.app.posting import Addressee, Posted, Posting
from mailbot.app.recording.tell import as_event
from mailbot.app.records import InboundRow, NewTask, RecordRow, Relation
from mailbot.app.service.entries import RECORD, appeal_name
from mailbot.app.service.itemaccount import own_item
from mailbot.core.intake.commands import Request
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.service import AppealAnswer, AppealReceived, NotDone
from mailbot.core.mail.compose import usable_address
from mailbot.core.rules.events import EventKind, units_of
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import unit_name

TASK = "appeal"
MORE = "appeal_more"
"""Kind of task: what the unit sent for its appeal afterwards (the decision's reason)."""
_PARAGRAPH = 900
"""Characters of a paragraph that a letter shows whole."""
HOW = "请写成“申诉 回执编号”，如“申诉 {example}”，或“申诉 记录17”（编号见查询所得的计分明细），理由写在正文里。"


def shown_by(number: int) -> str:
    """The command that shows an appeal; the texts of its tasks end with it."""
    return f"mailbot appeals show {number}"


# --- opening


def open_appeal(
    request: Request,
    row: InboundRow,
    unit_id: str,
    book: OfficeBook,
    card: OfficeCard,
    tx: Transaction,
    now: datetime,
) -> AppealReceived | NotDone:
    """Its mail is registered. What the unit says for it stays in the mail."""
    wanted = _about(request, unit_id, book, tx.read, row.id)
    if wanted is None:
        return _unknown(request, book, card, now)
    unit = unit_name(unit_id, book.roster)
    open_one = next(
        (
            a
            for a in tx.read.appeals(book.info.id, unit_id=unit_id, waiting=True)
            if a.new.about == wanted.about
        ),
        None,
    )
    name = appeal_name(wanted.about)
    if open_one is None:
        appeal = tx.add_appeal(wanted, now)
        text = f"{unit}对{name}提出申诉（第{appeal.id}号），请核实后答复"
    else:
        appeal = open_one
        tx.audit("mailbot", "appeal.joined", f"appeal:{appeal.id}", {"mail": row.id}, now)
        tx.link(row.id, Relation.REPLY, to_inbound=appeal.new.inbound_id)
        text = f"{unit}就{name}再次来信，已并入第{appeal.id}号申诉，请一并核实答复"
    asked = f"{text}：{shown_by(appeal.id)}"
    tx.add_task(NewTask(book.info.id, TASK, asked, row.id, wanted.item_id), now)
    return AppealReceived(card, unit, appeal.id, name)


def _about(
    request: Request, unit_id: str, book: OfficeBook, reads: Reads, inbound_id: int
) -> NewAppeal | None:
    """What of the unit's own it is about."""
    office = book.info.id
    if request.receipt:
        item = own_item(reads, book, unit_id, request.receipt)
        if item is None:
            return None
        return NewAppeal(office, unit_id, item.receipt, inbound_id, item.id)
    if request.record is None:
        return None
    record = reads.record(request.record)
    if record is None or not _concerns(record, unit_id, book, reads):
        return None
    item_id = record.new.item_id
    return NewAppeal(office, unit_id, f"{RECORD}{record.id}", inbound_id, item_id, record.id)


def _concerns(record: RecordRow, unit_id: str, book: OfficeBook, reads: Reads) -> bool:
    """Is it a record of this office about this unit, alone or with others?"""
    if record.new.office != book.info.id or record.new.reverses is not None:
        return False
    if record.new.kind is EventKind.SUBMISSION:
        return record.new.unit_id == unit_id
    return unit_id in units_of(as_event(record.new, f"{RECORD}{record.id}"))


def _unknown(request: Request, book: OfficeBook, card: OfficeCard, now: datetime) -> NotDone:
    example = f"{book.info.receipt_prefix}{day_of(now):%Y%m}-0001"
    remedy = HOW.format(example=example)
    if request.receipt:
        found = f"贵单位没有编号为{request.receipt}的信息"
        remedy = f"请核对回执编号。{remedy}"
    elif request.record is not None:
        found = f"贵单位的计分明细里没有记录{request.record}"
        remedy = f"请核对编号。{remedy}"
    else:
        found = unreadable_appeal(request)
    return NotDone(card, request.written, found, remedy)


def unreadable_appeal(request: Request) -> str:
    """Why it cannot be told what is objected to; empty where it can."""
    if request.receipt or request.record is not None:
        return ""
    if request.unread:
        return f"“{request.unread}”不是回执编号，也不是记录编号"
    return "没有写明对哪一条信息或哪一笔计分有异议"


# --- answering


class NotAnswered(Exception):
    """`code`: `no_appeal`, `no_office`, `answered` (by `found`), `no_text`."""

    def __init__(self, code: str, number: int, found: str = "") -> None:
        super().__init__(code, number, found)
        self.code, self.number, self.found = code, number, found


@dataclass(frozen=True, slots=True)
class Answered:
    row: AppealRow
    to: str
    """Who is written to; empty: nobody, see `why_not`."""
    why_not: str = ""
    """A whole Chinese sentence."""


def answer_appeal(
    appeal_id: int,
    text: str,
    who: str,
    *,
    store: Store,
    books: Mapping[str, OfficeBook],
    posting_for: Callable[[str], Posting],
    now: datetime,
) -> Answered:
    """The answer is recorded and mailed to who objected, in one transaction. Where that address
    speaks for the unit no more, it is recorded only."""
    text = text.strip()
    with store.begin() as tx:
        appeal = tx.read.appeal(appeal_id)
        if appeal is None:
            raise NotAnswered("no_appeal", appeal_id)
        if appeal.answered_at is not None:
            raise NotAnswered("answered", appeal_id, appeal.answered_by)
        if appeal.new.office not in books:
            raise NotAnswered("no_office", appeal_id, appeal.new.office)
        if not text:
            raise NotAnswered("no_text", appeal_id)
        book = books[appeal.new.office]
        row = tx.answer_appeal(appeal_id, text, who, now)
        why_not = _unwritable(appeal, book, tx.read, now)
        if why_not:
            return Answered(row, "", why_not)
        posting = posting_for(book.info.id)
        letter = AppealAnswer(
            office=office_card(book, posting.mailbox),
            unit=unit_name(appeal.new.unit_id, book.roster),
            number=appeal_id,
            about=appeal_name(appeal.new.about),
            text=tuple(paragraphs(text)),
        )
        to = Addressee(appeal.from_addr, "submitter", appeal.new.unit_id)
        opened_by = tx.read.mail(appeal.new.inbound_id)
        posted = Posted(
            f"appeal:{appeal_id}:answer",
            LetterKind.APPEAL_ANSWER,
            letter,
            to,
            in_reply_to=opened_by.message_id if opened_by else None,
            references=opened_by.references if opened_by else (),
        )
        posting.queue(tx, posted, f"appeal:{appeal_id}", book, now)
        return Answered(row, appeal.from_addr)


def _unwritable(appeal: AppealRow, book: OfficeBook, reads: Reads, now: datetime) -> str:
    address = appeal.from_addr
    if not usable_address(address):
        return f"来信邮箱“{address}”不能发信，请电话答复。"
    binding = reads.binding(book.info.id, address)
    unit = book.roster.by_address(address, day_of(now))
    bound = unit.id if unit is not None else None
    if binding is not None and binding.state in ("bound", "refused"):
        bound = binding.unit_id if binding.state == "bound" else None
    if bound != appeal.new.unit_id:
        return f"来信邮箱{address}现在不再绑定该单位，没有发信，请用其他方式答复。"
    return ""


def paragraphs(text: str) -> list[str]:
    """Lines as paragraphs, none longer than a letter shows."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [line[at : at + _PARAGRAPH] for line in lines for at in range(0, len(line), _PARAGRAPH)]
