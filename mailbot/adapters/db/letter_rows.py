"""Rows of duties, drafts, objections and codes to `app.letter_records`, and back. No query stands
here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mailbot.app.letter_records import (
    AppealRow,
    DraftFile,
    DraftRecipient,
    DraftRow,
    DraftState,
    DutyRow,
    DutyState,
    NewAppeal,
    NewDraft,
    NewDuty,
    NewToken,
    SentLetter,
    TokenRow,
)
from mailbot.app.records import OutboxState

DUTY = ("key", "office", "letter", "period", "stage", "due", "state", "why", "detail")
DRAFT = (
    "id",
    "office",
    "letter",
    "period",
    "no",
    "title",
    "digest",
    "summary",
    "flags",
    "state",
    "created",
    "who",
    "number",
    "issued",
    "decided_at",
    "decided_by",
    "why",
)
RECIPIENT = ("key", "kind", "unit_id", "role", "name", "address", "phone", "sms")
FILE = ("role", "name", "content")
APPEAL = ("office", "unit_id", "about", "inbound_id", "item_id", "record_id")
TOKEN = ("digest", "office", "purpose", "subject", "address", "expires")
SENT = (
    "id",
    "key",
    "kind",
    "unit_id",
    "role",
    "recipient",
    "subject",
    "state",
    "queued",
    "finished",
    "error",
    "office",
    "about",
)


def to_duty(row: Sequence[Any]) -> DutyRow:
    *told, at = row
    values = dict(zip(DUTY, told, strict=True))
    return DutyRow(NewDuty(**values | {"state": DutyState(values["state"])}), at)


def to_draft(row: Sequence[Any]) -> DraftRow:
    v = dict(zip(DRAFT, row, strict=True))
    return DraftRow(
        by=v.pop("who"),
        state=DraftState(v.pop("state")),
        summary=tuple(v.pop("summary")),
        flags=tuple(v.pop("flags")),
        **v,
    )


def to_recipient(row: Sequence[Any]) -> DraftRecipient:
    return DraftRecipient(**dict(zip(RECIPIENT, row, strict=True)))


def to_file(row: Sequence[Any]) -> DraftFile:
    return DraftFile(**dict(zip(FILE, row, strict=True)))


def to_appeal(row: Sequence[Any]) -> AppealRow:
    """From `letter_queries.APPEAL_ROW`."""
    number, *new, opened, answer, answered_at, answered_by, sender, subject = row
    return AppealRow(
        id=number,
        new=NewAppeal(**dict(zip(APPEAL, new, strict=True))),
        opened=opened,
        answer=answer,
        answered_at=answered_at,
        answered_by=answered_by,
        from_addr=sender,
        subject=subject,
    )


def to_token(row: Sequence[Any]) -> TokenRow:
    *new, created, used = row
    return TokenRow(NewToken(**dict(zip(TOKEN, new, strict=True))), created, used)


def to_sent(row: Sequence[Any]) -> SentLetter:
    """From `letter_queries.SENT_LETTER`."""
    *told, bounced, bounced_by = row
    v = dict(zip(SENT, told, strict=True))
    return SentLetter(
        state=OutboxState(v.pop("state")), bounced=bounced, bounced_by=bounced_by, **v
    )


# --- to insert


def duty_values(duty: NewDuty) -> dict[str, Any]:
    return {name: getattr(duty, name) for name in DUTY}


def draft_values(draft: NewDraft) -> dict[str, Any]:
    return {
        "office": draft.office,
        "letter": draft.letter,
        "period": draft.period,
        "title": draft.title,
        "digest": draft.digest,
        "summary": draft.summary,
        "flags": draft.flags,
    }


def recipient_values(recipient: DraftRecipient, draft_id: int) -> dict[str, Any]:
    return {name: getattr(recipient, name) for name in RECIPIENT} | {"draft_id": draft_id}


def file_values(file: DraftFile, draft_id: int) -> dict[str, Any]:
    return {name: getattr(file, name) for name in FILE} | {"draft_id": draft_id}


def appeal_values(appeal: NewAppeal) -> dict[str, Any]:
    return {name: getattr(appeal, name) for name in APPEAL}


def token_values(token: NewToken) -> dict[str, Any]:
    return {name: getattr(token, name) for name in TOKEN}
