"""Look-ups for letters of our own accord (`app.letter_ports.LetterReads`). Spans of time are from
`since` on and before `until`, so that spans that touch leave nothing out and tell nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from mailbot.adapters.db import letter_queries as q
from mailbot.adapters.db.ledger import record_row
from mailbot.adapters.db.letter_rows import (
    to_appeal,
    to_draft,
    to_duty,
    to_file,
    to_recipient,
    to_sent,
    to_token,
)
from mailbot.adapters.db.records import to_item
from mailbot.app.letter_records import (
    AnswerLine,
    AppealRow,
    DraftFile,
    DraftRecipient,
    DraftRow,
    DutyRow,
    DutyState,
    MailLine,
    SentLetter,
    TokenRow,
)
from mailbot.app.records import Binding, ItemRow, RecordRow
from mailbot.core.rules.events import EventKind

START = "start"
"""Letter and key of the duty that says since when an office's letters are sent."""


class LetterReads:
    """The part of `SqlReads` that letters use."""

    _db: Connection

    # duties

    def duty(self, key: str) -> DutyRow | None:
        row = self._db.execute(q.DUTY_BY_KEY, {"key": key}).first()
        return None if row is None else to_duty(row)

    def duties(self, office: str, since: datetime) -> list[DutyRow]:
        rows = self._db.execute(q.DUTIES, {"office": office, "since": since})
        return [to_duty(row) for row in rows]

    def last_duty(
        self, office: str, letter: str, state: DutyState = DutyState.DONE
    ) -> DutyRow | None:
        values = {"office": office, "letter": letter, "state": state}
        row = self._db.execute(q.LAST_DUTY, values).first()
        return None if row is None else to_duty(row)

    def in_service_since(self, office: str) -> datetime | None:
        start = self.duty(f"{START}:{office}")
        return None if start is None else start.at

    # drafts

    def drafts(self, office: str | None = None, *, waiting: bool = False) -> list[DraftRow]:
        values: dict[str, Any] = {"states": q.WAITING if waiting else q.ALL_DRAFTS}
        if office is None:
            return [to_draft(row) for row in self._db.execute(q.DRAFTS, values)]
        rows = self._db.execute(q.DRAFTS_OF_OFFICE, values | {"office": office})
        return [to_draft(row) for row in rows]

    def draft(self, draft_id: int) -> DraftRow | None:
        row = self._db.execute(q.DRAFT_BY_ID, {"id": draft_id}).first()
        return None if row is None else to_draft(row)

    def draft_recipients(self, draft_id: int) -> list[DraftRecipient]:
        return [to_recipient(r) for r in self._db.execute(q.RECIPIENTS, {"draft": draft_id})]

    def draft_files(self, draft_id: int) -> list[DraftFile]:
        return [to_file(row) for row in self._db.execute(q.FILES, {"draft": draft_id})]

    # letters

    def letter(self, outbox_id: int) -> SentLetter | None:
        row = self._db.execute(q.LETTERS_BY_ID, {"ids": [outbox_id]}).first()
        return None if row is None else to_sent(row)

    def letters_about(self, about: str) -> list[SentLetter]:
        if not about:
            return []
        return [to_sent(row) for row in self._db.execute(q.ABOUT, {"about": about})]

    def bounces(self, office: str, since: datetime, until: datetime) -> list[SentLetter]:
        """By the letter's number. A failure counts when it was looked at: what a mailbox held back
        for a day is told then, and not lost."""
        bounced = self._db.scalars(q.BOUNCED_IDS, {"since": since, "until": until})
        ids = sorted({number for number in bounced if number is not None})
        found = []
        for some in _chunks(ids):
            own = list(self._db.scalars(q.OFFICE_OF_LETTERS, {"ids": some, "office": office}))
            found += [to_sent(row) for row in self._db.execute(q.LETTERS_BY_ID, {"ids": own})]
        return sorted(found, key=lambda letter: letter.id)

    def answer_lines(self, office: str, since: datetime, until: datetime) -> list[AnswerLine]:
        values = {"office": office, "since": since, "until": until}
        rows = self._db.execute(q.ANSWERS, values).all()
        receipts = self._receipts([row.inbound_id for row in rows if row.inbound_id is not None])
        return [
            AnswerLine(
                sent=row.finished,
                kind=row.kind,
                recipient=row.recipient,
                subject=row.subject,
                receipt="、".join(receipts.get(row.inbound_id, ())),
            )
            for row in rows
        ]

    # items

    def unit_items(
        self, office: str, unit_id: str | None, first: date, last: date
    ) -> list[ItemRow]:
        values = {"office": office, "first": first.replace(day=1), "last": last}
        if unit_id is None:
            return [to_item(row) for row in self._db.execute(q.ITEMS_OF_MONTHS, values)]
        rows = self._db.execute(q.ITEMS_OF_UNIT, values | {"unit": unit_id})
        return [to_item(row) for row in rows]

    def open_items(self, office: str, unit_id: str | None, since: datetime) -> list[ItemRow]:
        values = {"office": office, "since": since}
        if unit_id is None:
            return [to_item(row) for row in self._db.execute(q.OPEN_ITEMS, values)]
        rows = self._db.execute(q.OPEN_ITEMS_OF_UNIT, values | {"unit": unit_id})
        return [to_item(row) for row in rows]

    # mail as decided

    def mail_lines(self, office: str, since: datetime, until: datetime) -> list[MailLine]:
        """By its newest decision. Without the mail's content there are no titles either: the items
        of a mail whose secrets mark was found late still have theirs."""
        values = {"office": office, "since": since, "until": until}
        rows = self._db.execute(q.MAILS_DECIDED, values).all()
        ids = [row.id for row in rows]
        items = self._items_of_mails(ids)
        receipts = self._receipts(ids)
        return [_mail_line(row, items.get(row.id, {}), receipts.get(row.id, ())) for row in rows]

    def _receipts(self, mail_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Of items that came with the mails, or that they brought once more."""
        found = {n: tuple(items) for n, items in self._items_of_mails(mail_ids).items()}
        again: dict[int, list[str]] = defaultdict(list)
        for ids in _chunks(sorted(set(mail_ids))):
            for mail_id, receipt in self._db.execute(q.ITEMS_SENT_AGAIN, {"ids": ids}):
                again[mail_id].append(receipt)
        return {n: tuple(dict.fromkeys((*found.get(n, ()), *again.get(n, ())))) for n in mail_ids}

    def _items_of_mails(self, mail_ids: Sequence[int]) -> dict[int, dict[str, str]]:
        """Of each mail the receipt numbers with the titles as this mail gave them."""
        found: dict[int, dict[str, str]] = defaultdict(dict)
        for ids in _chunks(sorted(set(mail_ids))):
            for mail_id, receipt, title in self._db.execute(q.ITEMS_OF_MAILS, {"ids": ids}):
                found[mail_id][receipt] = title
        return found

    # people

    def bound_addresses(self, office: str) -> list[Binding]:
        return [Binding(*row) for row in self._db.execute(q.BOUND, {"office": office})]

    def withheld_answers(self, office: str) -> int:
        return int(self._db.scalar(q.WITHHELD, {"office": office}) or 0)

    def open_tasks(self, office: str) -> list[tuple[str, str, datetime]]:
        rows = self._db.execute(q.OPEN_TASKS, {"office": office})
        return [(row.kind, row.text, row.created) for row in rows]

    # records

    def records_entered(
        self, office: str, after: int, kinds: Sequence[EventKind]
    ) -> list[RecordRow]:
        values = {"office": office, "after": after, "kinds": [kind.value for kind in kinds]}
        return [record_row(row) for row in self._db.execute(q.RECORDS_ENTERED, values)]

    # objections and codes

    def appeals(
        self, office: str, *, unit_id: str | None = None, waiting: bool = False
    ) -> list[AppealRow]:
        query, values = q.APPEALS, {"office": office}
        if unit_id is not None:
            query, values = query.where(q.OF_UNIT), values | {"unit": unit_id}
        if waiting:
            query = query.where(q.UNANSWERED)
        return [to_appeal(row) for row in self._db.execute(query, values)]

    def appeal(self, appeal_id: int) -> AppealRow | None:
        row = self._db.execute(q.APPEAL_BY_ID, {"id": appeal_id}).first()
        return None if row is None else to_appeal(row)

    def token(self, digest: str) -> TokenRow | None:
        row = self._db.execute(q.TOKEN_BY_DIGEST, {"digest": digest}).first()
        return None if row is None else to_token(row)


def _mail_line(row: Sequence[Any], items: dict[str, str], receipts: tuple[str, ...]) -> MailLine:
    number, received, from_addr, unit_id, kind, reasons, subject, has_content = row
    return MailLine(
        inbound_id=number,
        received=received,
        from_addr=from_addr,
        unit_id=unit_id,
        kind=kind,
        reasons=tuple(reasons),
        receipts=receipts,
        titles=tuple(items.get(receipt, "") for receipt in receipts) if has_content else (),
        subject=subject if has_content else "",
    )


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + q.CHUNK] for start in range(0, len(ids), q.CHUNK))
