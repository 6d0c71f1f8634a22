"""Carries out what approvers ordered in a reply: a draft approved and sent, or rejected.

The mail's own transaction decides that the order stands and uses up its code. Carrying it out is a
transaction of its own (`app.notices.approval`) right after it. Nothing else is kept of what is under
way: an order is the decision on its mail, it is done when its answer is in the outbox, and whose
work a decided draft is can be read off `decided_by`. So a process that dies in between leaves an
order that the next one finds and finishes, and none is carried out twice.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from mailbot.app.answers import Answering
from mailbot.app.duties.reasons import why_not
from mailbot.app.errors import OperatorFault, WorldFault
from mailbot.app.letter_content import office_card
from mailbot.app.letter_records import DraftRow, DraftState
from mailbot.app.notices.approval import Approval
from mailbot.app.notices.refusals import NotDecided, told
from mailbot.app.notices.sending import progress
from mailbot.app.ports import Reads, Store
from mailbot.app.records import InboundRow, NewTask
from mailbot.app.scoring import NotScored
from mailbot.app.service.codes import draft_of, own_tokens
from mailbot.app.witness import state_for
from mailbot.core.intake.commands import Ruling, read_ruling
from mailbot.core.intake.model import DecisionKind
from mailbot.core.intake.requests import ORDERED
from mailbot.core.letters.service import DraftDecided, NotDone
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.periods import Period, day_of
from mailbot.core.rules.rulebook import OfficeBook

_log = logging.getLogger(__name__)

LOOK_BACK = timedelta(days=14)
"""How old an order may be that a new process still finishes."""


class Orders:
    """Of one mailbox. Not shared between threads."""

    def __init__(
        self,
        *,
        store: Store,
        books: Mapping[str, OfficeBook],
        approval: Approval,
        answering: Answering,
    ) -> None:
        self._store, self._books, self._approval = store, books, approval
        self._answering = answering
        self._waiting: list[int] | None = None
        """Inbound ids; None until what another process left behind was looked for."""

    def add(self, inbound_id: int) -> None:
        self._waiting = [*(self._waiting or ()), inbound_id]

    def carry_out(self, now: datetime) -> list[str]:
        """All that wait; why one could not be carried out yet. Raises systemic `WorldFault`s."""
        if self._waiting is None:
            self._waiting = self._left_behind(now)
        faults = []
        for inbound_id in list(dict.fromkeys(self._waiting)):
            try:
                self._one(inbound_id, now)
            except (WorldFault, OperatorFault) as fault:
                if isinstance(fault, WorldFault) and fault.systemic:
                    raise
                faults.append(f"mail:{inbound_id}: {fault}")  # again in the next round
                continue
            except Exception as bug:
                _log.exception("mail:%d: the order could not be carried out", inbound_id)
                faults.append(f"mail:{inbound_id}: {type(bug).__name__}: {bug}")
                self._tell(inbound_id, now)
            self._waiting.remove(inbound_id)
        return faults

    def _left_behind(self, now: datetime) -> list[int]:
        mailbox, until = self._answering.mailbox, now + timedelta(seconds=1)
        with self._store.reading() as reads:
            found = [
                reads.inbound(line.inbound_id)
                for office in mailbox.offices
                for line in reads.mail_lines(office, now - LOOK_BACK, until)
                if line.kind == DecisionKind.COMMAND and line.reasons == (ORDERED,)
            ]
        return [row.id for row in found if row and row.origin.account == mailbox.account]

    # --- one order

    def _one(self, inbound_id: int, now: datetime) -> None:
        with self._store.reading() as reads:
            row, mail = reads.inbound(inbound_id), reads.mail(inbound_id)
            assert row is not None and mail is not None and mail.author is not None
            if reads.outgoing_by_message_ids([self._answering.service_id(mail, row)]):
                return
            book = self._books[row.office]
            ruling = read_ruling(mail, day_of(row.received))
            assert ruling is not None, "decided so"
            tokens = own_tokens(ruling, mail.author.addr, row.office, reads)
            draft = reads.draft(draft_of(tokens[0]))
            assert draft is not None, "drafts are kept"
        letter = self._decided(ruling, draft, mail, row, book, now)
        with self._store.begin() as tx:
            answer = self._answering.service(letter, mail, row, book, tx.read, now)
            self._answering.queue(tx, answer, row, now)
            if answer.task:
                tx.add_task(NewTask(row.office, answer.task_kind, answer.task, row.id), now)

    def _decided(
        self,
        ruling: Ruling,
        draft: DraftRow,
        mail: IncomingMail,
        row: InboundRow,
        book: OfficeBook,
        now: datetime,
    ) -> DraftDecided | NotDone:
        card = office_card(book, self._answering.mailbox)
        assert mail.author is not None
        who = f"{mail.author.addr.lower()}（回信 mail:{row.id}）"
        try:
            if ruling.approves:
                said = self._approve(ruling, draft, who, row.received, now)
            else:
                said = self._reject(ruling, draft, who, now)
        except NotDecided as refusal:
            return NotDone(card, ruling.written, *told(refusal))
        except (NotScored, NoRuleInForce) as refusal:
            by_hand = f"排除后请用命令批准：mailbot notices approve {draft.id}"
            return NotDone(card, ruling.written, why_not(refusal, book), by_hand)
        return DraftDecided(card, draft.id, draft.title, ruling.approves is True, tuple(said))

    def _approve(
        self, ruling: Ruling, draft: DraftRow, who: str, received: datetime, now: datetime
    ) -> list[str]:
        """A draft that this very order approved before the process died is only sent."""
        ours = draft.decided_by == who
        if not ours or draft.state is DraftState.DRAFT:
            self._approval.approve(
                draft.id, who, now, number=ruling.number, issued=ruling.issued, send=False
            )
        if not ours or draft.state is not DraftState.SENT:
            with self._store.reading() as reads:
                state = state_for(reads, received)
            self._approval.send(draft.id, who, now, state)
        with self._store.reading() as reads:
            return _said(reads, draft.id)

    def _reject(self, ruling: Ruling, draft: DraftRow, who: str, now: datetime) -> list[str]:
        if draft.decided_by != who:
            self._approval.reject(draft.id, who, ruling.why, now)
        return [f"退回原因：{ruling.why}", "没有发送任何信件。需要重新起草的，请在值班电脑上办理。"]

    def _tell(self, inbound_id: int, now: datetime) -> None:
        with self._store.begin() as tx:
            row = tx.read.inbound(inbound_id)
            assert row is not None
            text = "按来信批准或退回草稿时程序出错，请查看 mailbot notices list，用命令办理。"
            tx.add_task(NewTask(row.office, "order", text, inbound_id), now)


def _said(reads: Reads, draft_id: int) -> list[str]:
    """What came of the approval, from what is kept: the same whoever finished it."""
    row = reads.draft(draft_id)
    assert row is not None
    period = Period.parse(row.period)
    said = [f"发文字号：{row.number}。" if row.number else "没有发文字号：批准时没有写。"]
    if row.issued is not None:
        said.append(f"成文日期：{row.issued.year}年{row.issued.month}月{row.issued.day}日。")
    if any(s.period == period and s.who == row.decided_by for s in reads.seals(row.office)):
        said.append(f"{period.name}的计分已封存。")
    deliveries = progress(reads, draft_id)
    without = sum(not one.to.address for one in deliveries)
    said.append(
        f"{sum(one.letter is not None for one in deliveries)}封信件已列入发送，按邮箱的限速陆续发出。"
    )
    if without:
        said.append(f"另有{without}人没有邮箱，没有发送。")
    return said
