"""One read mail, decided and recorded within the caller's transaction.

The same code serves the daemon, `explain`, `subject` and `replay`: they differ only in the store it
writes to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from mailbot.app.answers import Answer, Answering
from mailbot.app.bounces import tell_bounces
from mailbot.app.facts import Gathered, gather
from mailbot.app.letter_content import office_card
from mailbot.app.ports import Transaction
from mailbot.app.posting import Posting
from mailbot.app.records import (
    Binding,
    InboundRow,
    ItemRow,
    ItemState,
    NewDecision,
    NewItem,
    NewTask,
    NewVersion,
    Relation,
)
from mailbot.app.secretmail import OfficerAlerts
from mailbot.app.service.desk import carry_out
from mailbot.core.intake.content import content_of
from mailbot.core.intake.decide import decide
from mailbot.core.intake.explain import field_json
from mailbot.core.intake.lanes import is_urgent_report
from mailbot.core.intake.lifecycle import COUNTED_STATES
from mailbot.core.intake.model import Decision, DecisionKind, Draft, EarlierItem, Facts, Reason
from mailbot.core.intake.titles import normal_title
from mailbot.core.mail.automatic import AutomaticKind, Ourselves
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.periods import WorkingDay, counting_month, month_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.model import FieldValue, Source

_STATES = {
    DecisionKind.ACCEPT: ItemState.ACCEPTED,
    DecisionKind.RETURN: ItemState.RETURNED,
    DecisionKind.HOLD: ItemState.HELD,
}


@dataclass(frozen=True, slots=True)
class Settled:
    """One mail done: what was decided, recorded and queued."""

    inbound_id: int
    kind: str
    office: str
    decision: Decision
    mail: IncomingMail
    facts: Facts
    items: tuple[ItemRow, ...]
    answer: Answer
    received: datetime
    received_source: str


class Settler:
    """Decides and records the mail of one mailbox."""

    def __init__(
        self,
        *,
        books: Mapping[str, OfficeBook],
        answering: Answering,
        us: Ourselves,
        is_working_day: WorkingDay,
        officers: Sequence[str] = (),
    ) -> None:
        """`officers`: addresses that are told of a mail with a secrets mark."""
        self.books, self.answering, self.us = books, answering, us
        posting = Posting(answering.mailbox, answering.renderer, answering.signer)
        self.alerts = OfficerAlerts(posting, officers)
        self.is_working_day = is_working_day

    @property
    def mailbox_offices(self) -> Sequence[OfficeBook]:
        return [self.books[o] for o in self.answering.mailbox.offices]

    def settle(
        self,
        mail: IncomingMail,
        row: InboundRow,
        tx: Transaction,
        now: datetime,
        *,
        line_only: bool = False,
    ) -> Settled:
        """Decides one mail and writes everything that follows from it. `line_only`: see `Facts`."""
        gathered = self._gather(mail, row, tx)
        if line_only:
            known = replace(gathered.facts, line_only=True, known_sender=True)
            gathered = replace(gathered, facts=known)
        facts = gathered.facts
        decision = decide(mail, facts)
        items = self._record_items(decision, mail, row, facts, tx, now)
        if decision.command is None:
            answer = self.answering.answer(decision, mail, row, items, facts, tx.read, now)
        else:
            answer = self._command(decision, mail, row, facts, tx, now)
        self._record(decision, mail, row, items, answer, gathered, tx, now)
        return Settled(
            row.id,
            decision.kind.value,
            facts.book.info.id,
            decision,
            mail,
            facts,
            tuple(items),
            answer,
            row.received,
            row.received_source,
        )

    def quarantine(
        self, mail: IncomingMail, row: InboundRow, trace: str, tx: Transaction, now: datetime
    ) -> Settled:
        """A mail on which our own code failed: kept, unanswered, with the traceback for us."""
        book = self.mailbox_offices[0]
        secret = mail.secret
        decision = Decision(
            DecisionKind.QUARANTINE,
            (
                Reason(
                    "bug",
                    "程序处理这封邮件时出错，原件已保存，转人工处理。",
                    "" if secret else trace,
                ),
            ),
            no_answer="bug",
            task="程序处理一封邮件时出错，原件已保存，请人工处理并把记录交给管理员。",
            keep_content=not secret,
        )
        facts = Facts(book=book, received=row.received)
        answer = Answer(None, none="bug")
        self._record(decision, mail, row, [], answer, Gathered(facts), tx, now)
        return Settled(
            row.id,
            "quarantine",
            book.info.id,
            decision,
            mail,
            facts,
            (),
            answer,
            row.received,
            row.received_source,
        )

    def _command(
        self,
        decision: Decision,
        mail: IncomingMail,
        row: InboundRow,
        facts: Facts,
        tx: Transaction,
        now: datetime,
    ) -> Answer:
        """What was asked is done, whether an answer may go out or not."""
        assert mail.author is not None, "nobody else is granted anything"
        card = office_card(facts.book, self.answering.mailbox)
        letter = carry_out(decision, row, mail.author.addr, facts, card, tx, now)
        if decision.answer is None:
            return Answer(None, none=decision.no_answer)
        if letter is None:
            return Answer(None, none="order")
        return self.answering.service(letter, mail, row, facts.book, tx.read, now)

    # --- facts

    def _gather(self, mail: IncomingMail, row: InboundRow, tx: Transaction) -> Gathered:
        """The facts as the office concerned sees them. Where a mailbox serves several offices the
        one whose lane or roster the mail fits best takes it, else the first."""
        offices = self.mailbox_offices
        mailbox = self.answering.mailbox
        first = gather(mail, row, mailbox, offices[0], self.us, tx.read)
        if len(offices) == 1:
            return first
        candidates = [first] + [
            gather(mail, row, mailbox, book, self.us, tx.read) for book in offices[1:]
        ]
        return max(candidates, key=lambda g: _fit(mail, g.facts))

    # --- records

    def _record_items(
        self,
        decision: Decision,
        mail: IncomingMail,
        row: InboundRow,
        facts: Facts,
        tx: Transaction,
        now: datetime,
    ) -> list[ItemRow]:
        state = _STATES.get(decision.kind)
        if state is None or not decision.keep_content:
            return []
        items = []
        for draft in decision.drafts:
            target = draft.target
            if target is not None and draft.link is Relation.RESEND:
                # It adds nothing.
                known = tx.read.item_by_receipt(target.receipt)
                assert known is not None
                items.append(known)
                continue
            item = self._new_item(decision, draft, row, facts, state)
            items.append(tx.add_item(item, row.id, facts.book.info.receipt_prefix, now))
            if draft.absorbs is not None and items[-1].id != draft.absorbs.id:
                tx.set_item_state(
                    draft.absorbs.id, ItemState.REPLACED, "mailbot", f"并入{items[-1].receipt}", now
                )
        return items

    def _new_item(
        self, decision: Decision, draft: Draft, row: InboundRow, facts: Facts, state: ItemState
    ) -> NewItem:
        # A malformed second version must not touch what is counted: it waits beside it, and takes
        # its place when it is corrected.
        revised = draft.target
        waits = (
            revised is not None
            and revised.state in COUNTED_STATES
            and state is not ItemState.ACCEPTED
        )
        target = draft.absorbs if waits else revised
        unit = draft.unit
        version = NewVersion(
            title=draft.title.value if draft.title else "",
            submitter=draft.submitter.value if draft.submitter else "",
            contact=tuple(c.value for c in draft.contact),
            unit_written=unit.value if unit else "",
            fields={
                **{n: field_json(v) for n, v in _named(draft).items()},
                "fingerprint": sorted(draft.fingerprint),
                "content": draft.has_content,
                **({"marks": list(draft.classification.link)} if draft.classification.link else {}),
                **({"revises": revised.receipt} if waits and revised is not None else {}),
            },
            category=draft.classification.category,
            category_by=draft.classification.by,
            category_evidence=draft.classification.evidence,
            attachments_from=draft.content_from,
            attachment_paths=draft.attachment_paths,
            topics=draft.classification.topics,
            scope=draft.scope,
        )
        return NewItem(
            office=facts.book.info.id,
            unit_id=unit.unit_id if unit else None,
            state=state,
            received=target.received if target else row.received,
            month=self._month(target, row, facts),
            version=version,
            flags=draft.flags,
            lane=decision.lane,
            title_key=normal_title(version.title),
            replaces=target.id if target else None,
            commissioned=bool(draft.classification.link),
        )

    def _month(self, target: EarlierItem | None, row: InboundRow, facts: Facts) -> date:
        """The month it counts in: a correction within the office's days keeps its first mail's; an
        item that counts already, or waits for a person, stays where it is."""
        if target is None:
            return month_of(row.received)
        if target.state != ItemState.RETURNED:
            return target.month or month_of(target.received)
        return counting_month(
            target.received,
            row.received,
            facts.book.limits.correction_days,
            self.is_working_day,
        )

    def _record(
        self,
        decision: Decision,
        mail: IncomingMail,
        row: InboundRow,
        items: Sequence[ItemRow],
        answer: Answer,
        gathered: Gathered,
        tx: Transaction,
        now: datetime,
    ) -> None:
        facts = gathered.facts
        office = facts.book.info.id
        unit = decision.reading.unit if decision.reading and decision.keep_content else None
        tx.decide(
            NewDecision(
                inbound_id=row.id,
                kind=decision.kind.value,
                office=office,
                unit_id=unit.unit_id if unit else facts.bound_unit,
                reasons=tuple(r.text for r in decision.reasons),
                log=tuple(
                    f"{r.code}: {r.detail}" if r.detail else r.code for r in decision.reasons
                ),
                answer=answer.kind.value
                if answer.kind and answer.letter
                else f"none:{answer.none}",
                book_digest=facts.book.digest,
                sender=mail.author.addr if mail.author else "",
            ),
            mail if decision.keep_content else None,
            now,
        )
        if not decision.keep_content:
            tx.remember_hash(row.id, mail.sha256, mail.content_key)
            if decision.task:
                self.alerts.tell(row, mail.sha256, facts.book, tx, now)
        counted = {i.id for i in facts.thread if i.state in COUNTED_STATES}
        for relation, earlier in decision.links:
            tx.link(row.id, relation, to_inbound=earlier)
        for relation, item_id in decision.item_links:
            tx.link(row.id, relation, to_item=item_id)
            if relation is Relation.RECALL and item_id in counted:
                tx.set_item_state(
                    item_id, ItemState.WITHDRAWAL_REQUESTED, "mailbot", "发信方撤回了邮件", now
                )
        tell_bounces(gathered.bounced, mail, row, self.books, tx, now)
        if facts.automatic is not None and facts.automatic.kind is AutomaticKind.OWN:
            for outbox_id, _ in tx.read.outgoing_by_message_ids([mail.message_id or ""]):
                tx.link(row.id, Relation.COPY, to_outbox=outbox_id)
        self._tasks_and_binding(decision, mail, row, items, answer, facts, tx, now)
        self.answering.queue(tx, answer, row, now)

    def _tasks_and_binding(
        self,
        decision: Decision,
        mail: IncomingMail,
        row: InboundRow,
        items: Sequence[ItemRow],
        answer: Answer,
        facts: Facts,
        tx: Transaction,
        now: datetime,
    ) -> None:
        office = facts.book.info.id
        if decision.task:
            kind = decision.reasons[0].code.partition(":")[0]
            item_id = items[0].id if items else None
            tx.add_task(NewTask(office, kind, decision.task, row.id, item_id), now)
        if answer.task:
            tx.add_task(NewTask(office, answer.task_kind, answer.task, row.id), now)
        unit = decision.reading.unit if decision.reading else None
        author = mail.author
        if (
            decision.propose_binding
            and author is not None
            and unit is not None
            and unit.unit_id is not None
            and tx.read.binding(office, author.addr) is None
        ):
            tx.add_binding(office, Binding(author.addr, unit.unit_id, "proposed"), "mailbot", now)


def _fit(mail: IncomingMail, facts: Facts) -> tuple[bool, ...]:
    """How well an office fits a mail, the strongest sign first; ties go to the mailbox's first
    office (max keeps it)."""
    lane = facts.book.info.urgent_lane and is_urgent_report(mail, content_of(mail))
    unit = facts.reading.unit if facts.reading else None
    named = unit is not None and unit.unit_id is not None
    in_subject = named and unit is not None and unit.source is Source.SUBJECT
    bound = facts.bound_unit is not None
    ruled = facts.approver and facts.code_known
    return (ruled, bool(facts.thread), lane, in_subject, bound, named)


def _named(draft: Draft) -> dict[str, FieldValue | Sequence[FieldValue] | None]:
    return {
        "unit": draft.unit,
        "title": draft.title,
        "submitter": draft.submitter,
        "contact": draft.contact,
    }
