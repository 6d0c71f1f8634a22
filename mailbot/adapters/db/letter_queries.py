"""The queries of `letter_reads`, built once. What a row of them means is `letter_rows`' business."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from mailbot.adapters.db.ledger_queries import RECORD_ROW
from mailbot.adapters.db.letter_rows import APPEAL, DRAFT, DUTY, FILE, RECIPIENT, SENT, TOKEN
from mailbot.adapters.db.records import select_items
from mailbot.adapters.db.tables import (
    appeal,
    binding,
    decision,
    draft,
    draft_file,
    draft_recipient,
    duty,
    inbound,
    item,
    item_version,
    link,
    mail,
    outbox,
    record,
    task,
    token,
)
from mailbot.app.letter_records import DraftState
from mailbot.app.records import ItemState, OutboxState, Relation
from mailbot.core.letters.answers import AnswerKind

CHUNK = 500
"""Ids per statement."""
_SINCE: Any = bindparam("since")
_UNTIL: Any = bindparam("until")


def _in_office(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column == bindparam("office")


# --- duties

_DUTY = select(*(duty.c[name] for name in DUTY), duty.c.at)
DUTY_BY_KEY = _DUTY.where(duty.c.key == bindparam("key"))
DUTIES = _DUTY.where(_in_office(duty.c.office), duty.c.at >= _SINCE).order_by(duty.c.at, duty.c.id)
LAST_DUTY = (
    _DUTY.where(
        _in_office(duty.c.office),
        duty.c.letter == bindparam("letter"),
        duty.c.state == bindparam("state"),
    )
    .order_by(duty.c.id.desc())
    .limit(1)
)

# --- drafts

_DRAFT = select(*(draft.c[name] for name in DRAFT))
DRAFT_BY_ID = _DRAFT.where(draft.c.id == bindparam("id"))
DRAFTS = _DRAFT.where(
    draft.c.state.in_(bindparam("states", expanding=True)),
).order_by(draft.c.id.desc())
DRAFTS_OF_OFFICE = DRAFTS.where(_in_office(draft.c.office))
WAITING = (DraftState.DRAFT.value, DraftState.APPROVED.value)
ALL_DRAFTS = tuple(state.value for state in DraftState)
SAME_LETTER = select(draft.c.id, draft.c.no, draft.c.state).where(
    _in_office(draft.c.office),
    draft.c.letter == bindparam("letter"),
    draft.c.period == bindparam("period"),
)
RECIPIENTS = (
    select(*(draft_recipient.c[name] for name in RECIPIENT))
    .where(draft_recipient.c.draft_id == bindparam("draft"))
    .order_by(draft_recipient.c.id)
)
FILES = (
    select(*(draft_file.c[name] for name in FILE))
    .where(draft_file.c.draft_id == bindparam("draft"))
    .order_by(draft_file.c.id)
)

# --- letters sent, and their bounces


def _first_bounce(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return (
        select(column)
        .select_from(link)
        .join(inbound, inbound.c.id == link.c.inbound_id)
        .where(link.c.to_outbox == outbox.c.id, link.c.relation == Relation.BOUNCE.value)
        .order_by(inbound.c.received, inbound.c.id)
        .limit(1)
        .correlate(outbox)
        .scalar_subquery()
    )


SENT_LETTER: Select[Any] = select(
    *(outbox.c[name] for name in SENT),
    _first_bounce(inbound.c.received),
    _first_bounce(inbound.c.id),
)
ABOUT = SENT_LETTER.where(outbox.c.about == bindparam("about")).order_by(outbox.c.id)
BOUNCED_IDS = (
    select(link.c.to_outbox)
    .select_from(inbound)
    .join(link, link.c.inbound_id == inbound.c.id)
    .where(
        inbound.c.decided_at >= _SINCE,
        inbound.c.decided_at < _UNTIL,
        link.c.relation == Relation.BOUNCE.value,
    )
)
LETTERS_BY_ID = SENT_LETTER.where(outbox.c.id.in_(bindparam("ids", expanding=True)))
OFFICE_OF_LETTERS = select(outbox.c.id).where(
    outbox.c.id.in_(bindparam("ids", expanding=True)), _in_office(outbox.c.office)
)
ANSWERS = (
    select(
        outbox.c.finished, outbox.c.kind, outbox.c.recipient, outbox.c.subject, outbox.c.inbound_id
    )
    .where(
        _in_office(outbox.c.office),
        outbox.c.state == OutboxState.SENT.value,
        outbox.c.finished >= _SINCE,
        outbox.c.finished < _UNTIL,
        outbox.c.kind.in_([kind.value for kind in AnswerKind]),
    )
    .order_by(outbox.c.finished, outbox.c.id)
)

WITHHELD = select(func.count()).where(
    _in_office(outbox.c.office), outbox.c.state == OutboxState.WITHHELD.value
)

# --- items

_OPEN = (ItemState.RETURNED.value, ItemState.HELD.value)
ITEMS_OF_MONTHS = (
    select_items()
    .where(_in_office(item.c.office), item.c.month.between(bindparam("first"), bindparam("last")))
    .order_by(item.c.received, item.c.id)
)
ITEMS_OF_UNIT = ITEMS_OF_MONTHS.where(item.c.unit_id == bindparam("unit"))
OPEN_ITEMS = (
    select_items()
    .where(_in_office(item.c.office), item.c.state.in_(_OPEN), item.c.received >= _SINCE)
    .order_by(item.c.received, item.c.id)
)
OPEN_ITEMS_OF_UNIT = OPEN_ITEMS.where(item.c.unit_id == bindparam("unit"))

# --- mail as decided

_NEWEST = (
    select(func.max(decision.c.id))
    .where(decision.c.inbound_id == inbound.c.id)
    .correlate(inbound)
    .scalar_subquery()
)
MAILS_DECIDED = (
    select(
        inbound.c.id,
        inbound.c.received,
        inbound.c.from_addr,
        decision.c.unit_id,
        inbound.c.decision,
        decision.c.reasons,
        inbound.c.subject,
        mail.c.inbound_id.is_not(None),
    )
    .join(decision, decision.c.id == _NEWEST)
    .outerjoin(mail, mail.c.inbound_id == inbound.c.id)
    .where(
        _in_office(inbound.c.office), inbound.c.decided_at >= _SINCE, inbound.c.decided_at < _UNTIL
    )
    .order_by(inbound.c.decided_at, inbound.c.id)
)
ITEMS_OF_MAILS = (
    select(item_version.c.inbound_id, item.c.receipt, item_version.c.title)
    .join(item, item.c.id == item_version.c.item_id)
    .where(item_version.c.inbound_id.in_(bindparam("ids", expanding=True)))
    .order_by(item_version.c.inbound_id, item.c.id, item_version.c.no)
)
ITEMS_SENT_AGAIN = (
    select(link.c.inbound_id, item.c.receipt)
    .join(item, item.c.id == link.c.to_item)
    .where(
        link.c.inbound_id.in_(bindparam("ids", expanding=True)),
        link.c.relation.in_([Relation.RESEND.value, Relation.DUPLICATE.value]),
    )
    .order_by(link.c.inbound_id, item.c.id)
)
"""What adds nothing to an item is no version of it."""

# --- people

BOUND = (
    select(binding.c.address, binding.c.unit_id, binding.c.state)
    .where(_in_office(binding.c.office), binding.c.state == "bound")
    .order_by(binding.c.address)
)
OPEN_TASKS = (
    select(task.c.kind, task.c.text, task.c.created)
    .where(task.c.done_at.is_(None), _in_office(task.c.office))
    .order_by(task.c.id)
)

# --- records

RECORDS_ENTERED = RECORD_ROW.where(
    _in_office(record.c.office),
    record.c.id > bindparam("after"),
    record.c.kind.in_(bindparam("kinds", expanding=True)),
).order_by(record.c.id)

# --- objections and codes

APPEAL_ROW: Select[Any] = select(
    appeal.c.id,
    *(appeal.c[name] for name in APPEAL),
    appeal.c.opened,
    appeal.c.answer,
    appeal.c.answered_at,
    appeal.c.answered_by,
    inbound.c.from_addr,
    inbound.c.subject,
).join(inbound, inbound.c.id == appeal.c.inbound_id)
APPEAL_BY_ID = APPEAL_ROW.where(appeal.c.id == bindparam("id"))
APPEALS = APPEAL_ROW.where(_in_office(appeal.c.office)).order_by(appeal.c.id)
OF_UNIT = appeal.c.unit_id == bindparam("unit")
UNANSWERED = appeal.c.answered_at.is_(None)
TOKEN_BY_DIGEST = select(*(token.c[name] for name in TOKEN), token.c.created, token.c.used).where(
    token.c.digest == bindparam("digest")
)
