"""The answer to one decided mail: which letter, what it says, whether it may go out now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailbot.app.limits import refusal
from mailbot.app.mailbox import IntakePolicy, Mailbox
from mailbot.app.ports import (
    InboundRow,
    ItemRow,
    OutboxState,
    Outgoing,
    Reads,
    Renderer,
)
from mailbot.core.intake.content import content_of
from mailbot.core.intake.describe import mailto
from mailbot.core.intake.model import Decision, DecisionKind, Facts, Relation
from mailbot.core.letters import (
    Acknowledgement,
    AnswerKind,
    AttachmentLine,
    ItemLine,
    Letter,
    LimitNotice,
    OfficeCard,
    PendingNotice,
    Rendered,
    ReturnNotice,
    UnderstoodField,
)
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.mail.compose import compose, usable_address
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.form import corrected_subject
from mailbot.core.subject.model import FieldName, FieldValue, Reading

UNVERIFIED_LENGTH = 60
"""Characters of a value that are repeated to an address nobody vouches for (faults A17)."""
BREAKER_TASK = (
    "本小时自动回复已达办公室设定的上限，已暂停自动回复；来信照常登记，请查看是否有异常来信。"
)
_URL = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w.-]+\.(?:com|cn|net|org|top|xyz|vip|cc|info)\b\S*", re.I
)


class Signer(Protocol):
    """Makes stable, keyed Message-IDs and loop marks."""

    def message_id(self, key: str, domain: str) -> str: ...

    def mark(self, message_id: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A letter ready for the outbox, or why there is none (`none`)."""

    letter: Outgoing | None
    rendered: Rendered | None = None
    kind: AnswerKind | None = None
    none: str = ""
    state: OutboxState = OutboxState.READY
    task: str = ""


@dataclass(frozen=True, slots=True)
class Answering:
    """Builds answers for one mailbox."""

    mailbox: Mailbox
    policy: IntakePolicy
    renderer: Renderer
    signer: Signer

    def answer(
        self,
        decision: Decision,
        mail: IncomingMail,
        row: InboundRow,
        items: Sequence[ItemRow],
        facts: Facts,
        reads: Reads,
        now: datetime,
    ) -> Answer:
        """The answer to a mail whose items have just been recorded."""
        if decision.answer is None:
            return Answer(None, none=decision.no_answer or "none")
        author = mail.author
        if author is None or not usable_address(author.addr):
            return Answer(None, none="no_usable_address")
        book = facts.book
        thread = _thread_of(mail)
        counts = reads.answer_counts(book.info.id, author.addr, thread, now)
        again = bool(decision.drafts) and all(d.link is Relation.RESEND for d in decision.drafts)
        counted = AnswerKind.REPEAT if again else decision.answer
        refused = refusal(
            counted,
            counts,
            book.limits,
            accepted_sender=bool(facts.bound_unit)
            or facts.known_sender
            or decision.kind is DecisionKind.ACCEPT,
        )
        kind, letter = decision.answer, None
        if refused is None:
            letter = build_letter(decision, mail, row, items, facts, reads, self.mailbox)
        elif refused == "day" and not counts.limit_notice_today:
            kind = AnswerKind.LIMIT
            limit = (
                book.limits.acknowledgements_per_day
                if decision.answer is AnswerKind.ACKNOWLEDGEMENT
                else book.limits.returns_per_day
            )
            letter = LimitNotice(office_card(book, self.mailbox), day_of(row.received), limit)
        if letter is None:
            breaker = refused == "breaker" and not reads.has_open_task(book.info.id, "breaker")
            return Answer(None, none=f"limit: {refused}", task=BREAKER_TASK if breaker else "")
        rendered = self.renderer.render(book.info.id, letter)
        logged = AnswerKind.REPEAT if again and kind is not AnswerKind.LIMIT else kind
        outgoing = self._compose(rendered, logged, mail, row, book, author.addr, thread, now)
        too_old = now - row.received > self.policy.answer_max_age
        return Answer(
            outgoing,
            rendered,
            kind,
            state=OutboxState.WITHHELD if too_old else OutboxState.READY,
            task=f"{author.addr}今日自动回复已达上限，来信照常登记，不再逐封回复。"
            if kind is AnswerKind.LIMIT
            else "",
        )

    def _compose(
        self,
        rendered: Rendered,
        kind: AnswerKind,
        mail: IncomingMail,
        row: InboundRow,
        book: OfficeBook,
        to_addr: str,
        thread: str,
        now: datetime,
    ) -> Outgoing:
        key = f"answer:{row.id}:{kind.value}"
        # The mail's hash keeps the id apart from that of another mail after a database was rebuilt.
        message_id = self.signer.message_id(f"{key}:{mail.sha256}", self.mailbox.domain)
        raw = compose(
            rendered=rendered,
            from_addr=self.mailbox.address,
            from_name=self.mailbox.from_name or book.info.signature,
            to_addr=to_addr,
            message_id=message_id,
            date=now,
            in_reply_to=mail.message_id,
            references=mail.references,
            auto_submitted="auto-replied",
            mark=self.signer.mark(message_id),
        )
        return Outgoing(
            key=key,
            kind=kind.value,
            office=book.info.id,
            sender=self.mailbox.address,
            recipient=to_addr,
            message_id=message_id,
            raw=raw,
            subject=rendered.subject,
            inbound_id=row.id,
            thread=thread,
        )


def office_card(book: OfficeBook, mailbox: Mailbox) -> OfficeCard:
    info = book.info
    return OfficeCard(info.name, info.signature, info.phone, mailbox.address or info.mailbox)


def build_letter(
    decision: Decision,
    mail: IncomingMail,
    row: InboundRow,
    items: Sequence[ItemRow],
    facts: Facts,
    reads: Reads,
    mailbox: Mailbox,
) -> Letter:
    """What the decided answer says."""
    card = office_card(facts.book, mailbox)
    if decision.answer is AnswerKind.RETURN:
        return _return_notice(decision, mail, row, items, facts, card)
    if decision.answer is AnswerKind.PENDING:
        receipt = items[0].receipt if items else f"{facts.book.info.receipt_prefix}-{row.id}"
        return PendingNotice(card, row.received, receipt)
    return _acknowledgement(decision, mail, row, items, facts, reads, card)


def _acknowledgement(
    decision: Decision,
    mail: IncomingMail,
    row: InboundRow,
    items: Sequence[ItemRow],
    facts: Facts,
    reads: Reads,
    card: OfficeCard,
) -> Acknowledgement:
    book = facts.book
    categories = book.categories_on(day_of(row.received))
    clean = _cleaner(facts)
    month = items[0].month
    unit_id = items[0].unit_id
    count, quota = 0, None
    if unit_id is not None:
        count = reads.month_count(book.info.id, unit_id, month)
        quota = book.quota_on(book.roster.get(unit_id), month)
    return Acknowledgement(
        office=card,
        received=row.received,
        items=tuple(
            ItemLine(
                receipt=i.receipt,
                title=clean(i.version.title),
                unit=book.roster.get(i.unit_id).name
                if i.unit_id
                else clean(i.version.unit_written),
                submitter=clean(i.version.submitter),
                contact=clean("、".join(i.version.contact)),
                category=categories.get(i.version.category).name,
                category_doubtful="category_doubtful" in i.flags,
            )
            for i in items
        ),
        attachments=_attachments(decision, mail, items, row, reads, clean),
        month=month,
        month_count=count,
        month_quota=quota,
        corrects=_receipts(decision, Relation.CORRECTION),
        duplicate_of=_receipts(decision, Relation.RESEND),
        warnings=decision.warnings,
    )


def _return_notice(
    decision: Decision,
    mail: IncomingMail,
    row: InboundRow,
    items: Sequence[ItemRow],
    facts: Facts,
    card: OfficeCard,
) -> ReturnNotice:
    reading = decision.reading
    assert reading is not None, "a return is about a reading"
    clean = _cleaner(facts)
    line, complete = corrected_subject(reading, facts.book.roster)
    if not _vouched_for(facts):
        line = _URL.sub("", line)
    files = content_of(mail).files
    keeps = bool(files) or any(d.keeps_content for d in decision.drafts)
    receipt = items[0].receipt
    return ReturnNotice(
        office=card,
        received=row.received,
        receipt=receipt,
        original_subject=clean(mail.subject),
        problems=decision.problems,
        understood=tuple(_understood(reading, name, clean) for name in FieldName),
        corrected_subject=line,
        complete=complete,
        mailto=mailto(card.mailbox, line, f"（更正退回的来信，编号{receipt}）"),
        example=facts.book.convention_on(day_of(row.received)).example,
        keeps_attachments=keeps,
        attachments=tuple(AttachmentLine(clean(f.name), f.size) for f in files),
    )


def _understood(reading: Reading, name: FieldName, clean: _Clean) -> UnderstoodField:
    value = reading.field(name)
    values: tuple[FieldValue, ...] = (
        value if isinstance(value, tuple) else ((value,) if value else ())
    )
    if not values:
        return UnderstoodField(name)
    return UnderstoodField(
        name,
        clean("、".join(v.value for v in values)),
        values[0].source,
        values[0].certainty,
    )


def _attachments(
    decision: Decision,
    mail: IncomingMail,
    items: Sequence[ItemRow],
    row: InboundRow,
    reads: Reads,
    clean: _Clean,
) -> tuple[AttachmentLine, ...]:
    lines = [AttachmentLine(clean(f.name), f.size) for f in content_of(mail).files]
    earlier = {i.version.attachments_from for i in items} - {None, row.id}
    for inbound_id in sorted(e for e in earlier if e is not None):
        first = reads.mail(inbound_id)
        if first is not None:
            lines += [AttachmentLine(clean(f.name), f.size, True) for f in content_of(first).files]
    return tuple(lines)


def _receipts(decision: Decision, relation: Relation) -> tuple[str, ...]:
    return tuple(
        d.target.receipt for d in decision.drafts if d.link is relation and d.target is not None
    )


class _Clean(Protocol):
    def __call__(self, value: str) -> str: ...


def _cleaner(facts: Facts) -> _Clean:
    """To an address nobody vouches for, values go back short and without links: a forged sender
    must not make us deliver an advertisement."""
    if _vouched_for(facts):
        return lambda value: value
    return lambda value: _URL.sub("（链接已略去）", value)[:UNVERIFIED_LENGTH]


def _vouched_for(facts: Facts) -> bool:
    return facts.bound_unit is not None or facts.authentication is AuthResult.PASS


def _thread_of(mail: IncomingMail) -> str:
    """The Message-ID that opened the conversation."""
    if mail.references:
        return mail.references[0]
    if mail.in_reply_to:
        return mail.in_reply_to[0]
    return mail.message_id or f"sha256:{mail.sha256}"
