"""What letters of our own accord need from the store and the world: the part of `app.ports` that
only they use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from mailbot.app.letter_records import (
    AnswerLine,
    AppealRow,
    DraftFile,
    DraftRecipient,
    DraftRow,
    DraftState,
    DutyRow,
    DutyState,
    MailLine,
    NewAppeal,
    NewDraft,
    NewDuty,
    NewToken,
    SentLetter,
    TokenRow,
)
from mailbot.app.records import Binding, ItemRow, RecordRow
from mailbot.core.rules.events import EventKind


class LetterWrites(Protocol):
    def add_duty(self, duty: NewDuty, now: datetime) -> bool:
        """False, and nothing written, when the key is known."""
        ...

    def close_tasks(self, office: str, kind: str, now: datetime) -> None:
        """What a person was told of has settled itself."""
        ...

    def add_draft(self, draft: NewDraft, who: str, now: datetime) -> DraftRow:
        """The next draft of its letter and period; one that still waits is superseded. Audited."""
        ...

    def decide_draft(
        self,
        draft_id: int,
        state: DraftState,
        who: str,
        now: datetime,
        *,
        why: str = "",
        number: str = "",
        issued: date | None = None,
        files: Sequence[DraftFile] | None = None,
    ) -> DraftRow:
        """DRAFT to APPROVED or REJECTED, APPROVED to SENT; `files` replace those of the same role.
        Audited. Raises ValueError for any other step."""
        ...

    def add_appeal(self, appeal: NewAppeal, now: datetime) -> AppealRow: ...

    def answer_appeal(self, appeal_id: int, text: str, who: str, now: datetime) -> AppealRow:
        """Audited. Raises ValueError when it is not there or answered already."""
        ...

    def add_token(self, token: NewToken, now: datetime) -> None: ...

    def use_token(self, digest: str, now: datetime) -> TokenRow | None:
        """Marks it used, once: None when there is no such token or it was used before."""
        ...


class LetterReads(Protocol):
    def duty(self, key: str) -> DutyRow | None: ...

    def duties(self, office: str, since: datetime) -> list[DutyRow]:
        """Settled since then, oldest first."""
        ...

    def last_duty(
        self, office: str, letter: str, state: DutyState = DutyState.DONE
    ) -> DutyRow | None:
        """The one of the letter that was settled so last, by the order of writing: a clock set
        back does not change it."""
        ...

    def in_service_since(self, office: str) -> datetime | None:
        """When duties were first looked at (the duty `start:<office>`); nothing due before it is
        caught up with."""
        ...

    def drafts(self, office: str | None = None, *, waiting: bool = False) -> list[DraftRow]:
        """Newest first; `waiting`: only those in state DRAFT or APPROVED."""
        ...

    def draft(self, draft_id: int) -> DraftRow | None: ...

    def draft_recipients(self, draft_id: int) -> list[DraftRecipient]: ...

    def draft_files(self, draft_id: int) -> list[DraftFile]: ...

    def letter(self, outbox_id: int) -> SentLetter | None: ...

    def letters_about(self, about: str) -> list[SentLetter]:
        """Oldest first."""
        ...

    def bounces(self, office: str, since: datetime, until: datetime) -> list[SentLetter]:
        """Letters of any kind of which a delivery failure came in between."""
        ...

    def unit_items(
        self, office: str, unit_id: str | None, first: date, last: date
    ) -> list[ItemRow]:
        """The unit's items (None: of all units) of the months between, whatever their state, by
        receipt of the first mail."""
        ...

    def open_items(self, office: str, unit_id: str | None, since: datetime) -> list[ItemRow]:
        """Returned or held ones (None: of all units), oldest first."""
        ...

    def records_entered(
        self, office: str, after: int, kinds: Sequence[EventKind]
    ) -> list[RecordRow]:
        """Records of these kinds with a greater number, by number; reversed ones and reversals
        included."""
        ...

    def bound_addresses(self, office: str) -> list[Binding]:
        """Bindings in state `bound`."""
        ...

    def mail_lines(self, office: str, since: datetime, until: datetime) -> list[MailLine]:
        """Mail decided between, oldest first; machines' mail included."""
        ...

    def answer_lines(self, office: str, since: datetime, until: datetime) -> list[AnswerLine]:
        """Automatic answers sent between, oldest first."""
        ...

    def withheld_answers(self, office: str) -> int:
        """Answers that wait for the office's word because their mail was old."""
        ...

    def open_tasks(self, office: str) -> list[tuple[str, str, datetime]]:
        """(kind, text, created) of what waits for a person, oldest first."""
        ...

    def appeals(
        self, office: str, *, unit_id: str | None = None, waiting: bool = False
    ) -> list[AppealRow]:
        """Oldest first."""
        ...

    def appeal(self, appeal_id: int) -> AppealRow | None: ...

    def token(self, digest: str) -> TokenRow | None: ...
