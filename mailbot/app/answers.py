"""The answer to one decided mail: whether one may go out now, of which kind, and its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailbot.app.letter_content import build_letter, office_card
from mailbot.app.limits import refusal
from mailbot.app.mailbox import IntakePolicy, Mailbox
from mailbot.app.ports import Reads, Renderer, Transaction
from mailbot.app.records import InboundRow, ItemRow, NewTask, OutboxState, Outgoing
from mailbot.app.witness import state_for
from mailbot.core.intake.content import hollow
from mailbot.core.intake.model import Decision, DecisionKind, Facts, Relation
from mailbot.core.letters.answers import (
    AnswerKind,
    LimitNotice,
    Rendered,
)
from mailbot.core.letters.every import Letter
from mailbot.core.mail.compose import compose, usable_address
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import OfficeBook

UNTOLD_TASK = (
    "这封来信不合要求，但该邮箱尚未被受理过、今天已退回过一次，没有再自动退回。"
    "请电话告知报送人，或绑定该邮箱（mailbot senders --bind）。"
)
THREAD_TASK = (
    "这封来信已登记，但在同一组往来邮件里自动答复已满3封，没有再自动答复。"
    "请告知报送人：报送新的信息请另写一封新邮件，不要在旧邮件上回复。"
)
ROW_TASK = (
    "{address}连续来信都没有可登记的内容（没有附件和正文，主题也没有分栏），已自动答复3次，不再逐封答复，"
    "可能是对方邮箱的自动回复。如是报送人所发，请电话告知怎样报送；该邮箱有一条信息被受理后恢复自动答复。"
)
BREAKER_TASK = (
    "本小时自动回复已达办公室设定的上限，已暂停自动回复；来信照常登记，请查看是否有异常来信。"
)
WITHHELD = "withheld"
"""Kind of the task that says so; closed by whoever empties the backlog."""
WITHHELD_TASK = (
    "有来信在收到 {hours} 小时以后才读到（例如程序停了较久，或首次启用时邮箱里已有来信）。"
    "来信照常登记，自动答复暂缓发送，以免对方收到过时的答复。请用 mailbot backlog 查看："
    "要发的用 --send 发送，不必发的用 --drop 作罢，只办其中一封的加 --only 编号。"
    "本任务关闭以前，再有这样的来信不另行提醒；全部办完后本任务自动关闭。"
)


class Signer(Protocol):
    """Makes stable, keyed Message-IDs, loop marks and codes for people to send back."""

    def message_id(self, key: str, domain: str) -> str: ...

    def mark(self, message_id: str) -> str: ...

    def code(self, key: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A letter ready for the outbox, or why there is none (`none`)."""

    letter: Outgoing | None
    rendered: Rendered | None = None
    kind: AnswerKind | None = None
    none: str = ""
    state: OutboxState = OutboxState.READY
    task: str = ""
    task_kind: str = ""


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
        # One neutral note to an address nobody has bound, and never a second (MAIL.md, `bound`).
        note = decision.answer is AnswerKind.PENDING and _unbound(decision)
        thread = f"note:{author.addr}" if note else _thread_of(mail, reads)
        counts = reads.answer_counts(book.info.id, author.addr, thread, now)
        again = bool(decision.drafts) and all(
            d.link is Relation.RESEND or d.unchanged for d in decision.drafts
        )
        counted = AnswerKind.REPEAT if again else decision.answer
        refused = refusal(
            counted,
            counts,
            book.limits,
            accepted_sender=bool(facts.bound_unit)
            or facts.known_sender
            or decision.kind is DecisionKind.ACCEPT,
            once=note,
            hollow=decision.answer in (AnswerKind.RETURN, AnswerKind.PENDING) and hollow(mail),
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
            task, about = "", refused or ""
            if refused == "breaker" and not reads.has_open_task(book.info.id, "breaker"):
                task = BREAKER_TASK
            elif refused == "repeat" and decision.answer is AnswerKind.RETURN:
                # A new address gets one return a day (it may be forged). The liaison behind it who
                # sends a second malformed item must not wait for an answer that never comes.
                task = UNTOLD_TASK
            elif refused == "row" and not any(
                kind == "row" and author.addr in text
                for kind, text, _ in reads.open_tasks(book.info.id)
            ):
                task = ROW_TASK.format(address=author.addr)
            elif refused == "thread" and not (again or note):
                # Three letters a conversation, ever. A liaison who sends each new item as a reply
                # to the last receipt reaches that without doing anything wrong.
                task = THREAD_TASK
            return Answer(None, none=f"limit: {refused}", task=task, task_kind=about)
        rendered = self.renderer.render(book.info.id, letter)
        logged = AnswerKind.REPEAT if again and kind is not AnswerKind.LIMIT else kind
        outgoing = self._compose(rendered, logged, mail, row, book, author.addr, thread, now)
        return Answer(
            outgoing,
            rendered,
            kind,
            state=self._state(row, reads, now),
            task=f"{author.addr}今日自动回复已达上限，来信照常登记，不再逐封回复。"
            if kind is AnswerKind.LIMIT
            else "",
            task_kind="limit",
        )

    def service(
        self,
        letter: Letter,
        mail: IncomingMail,
        row: InboundRow,
        book: OfficeBook,
        reads: Reads,
        now: datetime,
    ) -> Answer:
        """The answer to a command, which says what was done already: only limits can keep it back."""
        author = mail.author
        if author is None or not usable_address(author.addr):
            return Answer(None, none="no_usable_address")
        office, kind = book.info.id, AnswerKind.SERVICE
        thread = _thread_of(mail, reads)
        counts = reads.answer_counts(office, author.addr, thread, now)
        refused = refusal(kind, counts, book.limits, accepted_sender=True)
        task = ""
        if refused == "day" and not counts.limit_notice_today:
            kind = AnswerKind.LIMIT
            limit = book.limits.acknowledgements_per_day
            letter = LimitNotice(office_card(book, self.mailbox), day_of(row.received), limit)
        elif refused is not None:
            if refused == "breaker" and not reads.has_open_task(office, "breaker"):
                task = BREAKER_TASK
            return Answer(None, none=f"limit: {refused}", task=task, task_kind=refused)
        rendered = self.renderer.render(office, letter)
        outgoing = self._compose(rendered, kind, mail, row, book, author.addr, thread, now)
        return Answer(outgoing, rendered, kind, state=self._state(row, reads, now))

    def queue(self, tx: Transaction, answer: Answer, row: InboundRow, now: datetime) -> None:
        """Puts it into the outbox. The office is told when its answers begin to be withheld; of
        those withheld after a restore `app.witness` tells, once it has looked for them."""
        letter = answer.letter
        if letter is None:
            return
        tx.queue(letter, now, state=answer.state)
        if (
            answer.state is OutboxState.WITHHELD
            and state_for(tx.read, row.received) is OutboxState.READY
            and not tx.read.has_open_task(letter.office, WITHHELD)
        ):
            hours = int(self.policy.answer_max_age.total_seconds() // 3600)
            tx.add_task(NewTask(letter.office, WITHHELD, WITHHELD_TASK.format(hours=hours)), now)

    def service_id(self, mail: IncomingMail, row: InboundRow) -> str:
        """Message-ID of the answer to a command: the same whenever it is made."""
        return self._message_id(AnswerKind.SERVICE, mail, row)

    def _state(self, row: InboundRow, reads: Reads, now: datetime) -> OutboxState:
        """Old mail, and mail that an earlier life of the database may have answered, is not
        answered without a word of the operator's."""
        if now - row.received > self.policy.answer_max_age:
            return OutboxState.WITHHELD
        return state_for(reads, row.received)

    def _message_id(self, kind: AnswerKind, mail: IncomingMail, row: InboundRow) -> str:
        # The mail's hash keeps the id apart from that of another mail after a database was rebuilt.
        key = f"answer:{row.id}:{kind.value}:{mail.sha256}"
        return self.signer.message_id(key, self.mailbox.domain)

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
        message_id = self._message_id(kind, mail, row)
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


def _unbound(decision: Decision) -> bool:
    return any(r.code == "unbound_sender" for r in decision.reasons)


def _thread_of(mail: IncomingMail, reads: Reads, hops: int = 0) -> str:
    """The Message-ID that opened the conversation. What answers a letter of ours belongs to the
    conversation of the mail that letter answered: a responder that names only its direct
    predecessor, or makes up References, must not open a new one with every round."""
    if hops < _MAX_HOPS:
        for _, answered in reads.outgoing_by_message_ids((*mail.in_reply_to, *mail.references)):
            first = reads.mail(answered) if answered is not None else None
            if first is not None:
                return _thread_of(first, reads, hops + 1)
    if mail.references:
        return mail.references[0]
    if mail.in_reply_to:
        return mail.in_reply_to[0]
    return mail.message_id or f"sha256:{mail.sha256}"


_MAX_HOPS = 20
"""More rounds than any thread can have answers."""
