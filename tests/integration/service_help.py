"""An office that answers what mails ask: its mail comes in by the real intake, its desk records, its
drafts wait for approval. Only the line out is a list."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from mailbot.adapters.papers import OfficePapers
from mailbot.adapters.system import shipped
from mailbot.app.intake import Intake
from mailbot.app.letter_records import AppealRow
from mailbot.app.notices.approval import Approval
from mailbot.app.notices.drafting import Drafting
from mailbot.app.posting import Posting
from mailbot.app.service.orders import Orders
from mailbot.app.settle import Settled
from mailbot.core.duties.model import LetterBook
from mailbot.core.rules.rulebook import OfficeBook
from tests.integration.intake_help import World, letter, templates
from tests.integration.morning_help import Days, office

LIAISON = "liaison@example.com"
OTHER = "other@example.com"
UNIT, ANOTHER = "agriculture", "water"


class Service(Days):
    """`LIAISON` is bound to 农牧局, `OTHER` to 水利局. It is 12 August 2026."""

    def __init__(self, root: Path, book: OfficeBook | None = None, **more: Any) -> None:
        super().__init__(root, book or office())
        self.world: Mailroom = Mailroom(root, self.book, store=self.world.store, **more)
        self.clock = self.world.clock
        self.restart()
        self.world.bind(LIAISON, UNIT)
        self.world.bind(OTHER, ANOTHER)

    def ask(self, subject: str, sender: str = LIAISON, body: str = "", **more: Any) -> Settled:
        more.setdefault("message_id", f"ask{len(self.world.log)}@example.com")
        return self.world.receive(letter(subject, body, sender=sender, **more))

    def said(self, settled: Settled) -> str:
        """The text of the answer."""
        assert settled.answer.rendered is not None, settled.answer.none
        return settled.answer.rendered.text

    def appeals(self, unit: str = UNIT) -> list[AppealRow]:
        with self.world.store.reading() as reads:
            return reads.appeals(self.book.info.id, unit_id=unit)

    def open_tasks(self) -> list[tuple[str, str]]:
        with self.world.store.reading() as reads:
            return [(kind, text) for kind, text, _ in reads.open_tasks(self.book.info.id)]


class Mailroom(World):
    """A mailbox by which drafts may be ruled on as well."""

    def __init__(self, root: Path, book: OfficeBook, **more: Any) -> None:
        super().__init__(root, book, **more)
        offices = shipped("config") / "offices"
        self.approval = Approval(
            store=self.store,
            books={book.info.id: book},
            drafting=Drafting(papers=OfficePapers(offices)),
            posting_for=self.posting,
        )
        self.orders = self.new_orders()

    def posting(self, _office: str = "") -> Posting:
        return Posting(self.mailbox, templates(), self.signer)

    def new_orders(self) -> Orders:
        """Of a new process."""
        return Orders(
            store=self.store,
            books={b.info.id: b for b in self.books},
            approval=self.approval,
            answering=self.settler.answering,
        )

    @property
    def intake(self) -> Intake:
        made = super().intake
        made.orders = self.orders
        return made


def with_letters(book: OfficeBook, **changes: Any) -> OfficeBook:
    return replace(book, letters=replace(book.letters or LetterBook(), **changes))


def parsed(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def text_of(raw: bytes) -> str:
    body = parsed(raw).get_body(("plain",))
    assert body is not None
    return str(body.get_content())
