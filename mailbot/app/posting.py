"""Puts one letter of our own accord into the outbox: rendered, composed, under its key.

A key is used once: queueing it again changes nothing and gives the first row. Who is written to,
and what the letter says, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailbot.app.answers import Signer
from mailbot.app.mailbox import Mailbox
from mailbot.app.ports import Renderer, Transaction
from mailbot.app.records import OutboxState, Outgoing
from mailbot.core.letters.every import Letter
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.mail.compose import compose
from mailbot.core.mail.enclosures import Enclosure, InlineImage
from mailbot.core.rules.rulebook import OfficeBook


@dataclass(frozen=True, slots=True)
class Addressee:
    """One reader. `address` is usable (`core.mail.compose.usable_address`)."""

    address: str
    role: str
    """`liaison`, `head`, `deputy`, `staff`, `approver`, `reader`, `recommender`, `submitter`."""
    unit_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """A letter ready to be queued. `key` is whole: `reminder:otog:2026-08:jiaoti:first:liaison`;
    a second person of one role has `#2` after it."""

    key: str
    kind: LetterKind
    letter: Letter
    to: Addressee
    files: Sequence[Enclosure] = ()
    images: Sequence[InlineImage] = ()
    not_after: datetime | None = None
    in_reply_to: str | None = None
    """Message-ID of the mail it answers, whose own `references` are these."""
    references: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Posting:
    """Writes an office's letters from the mailbox that serves it."""

    mailbox: Mailbox
    renderer: Renderer
    signer: Signer

    def compose(self, posted: Posted, about: str, book: OfficeBook, now: datetime) -> Outgoing:
        """Raises `OperatorFault` when a template is broken, ValueError for an unusable address."""
        rendered = self.renderer.render(book.info.id, posted.letter)
        message_id = self.signer.message_id(posted.key, self.mailbox.domain)
        return Outgoing(
            key=posted.key,
            kind=posted.kind.value,
            office=book.info.id,
            sender=self.mailbox.address,
            recipient=posted.to.address,
            message_id=message_id,
            raw=compose(
                rendered=rendered,
                from_addr=self.mailbox.address,
                from_name=self.mailbox.from_name or book.info.signature,
                to_addr=posted.to.address,
                message_id=message_id,
                date=now,
                in_reply_to=posted.in_reply_to,
                references=posted.references,
                auto_submitted="auto-generated",
                mark=self.signer.mark(message_id),
                files=posted.files,
                images=posted.images,
            ),
            subject=rendered.subject,
            unit_id=posted.to.unit_id,
            role=posted.to.role,
            about=about,
            not_after=posted.not_after,
        )

    def queue(
        self,
        tx: Transaction,
        posted: Posted,
        about: str,
        book: OfficeBook,
        now: datetime,
        state: OutboxState = OutboxState.READY,
    ) -> int:
        """Composes and queues; the outbox id. Raises as `compose`."""
        return tx.queue(self.compose(posted, about, book, now), now, state=state)
