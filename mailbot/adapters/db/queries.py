"""Look-ups (`app.ports.Reads`). Each is one indexed query; a test reads the query plans.

The queries are built once, here at the top, and only given their values when they run: building
one costs several times as much as running it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, or_, select

from mailbot.adapters.db.facts import FactReads
from mailbot.adapters.db.ledger import LedgerReads
from mailbot.adapters.db.ledger_queries import COUNTED_STATES
from mailbot.adapters.db.letter_reads import LetterReads
from mailbot.adapters.db.records import (
    VERSION_COLUMNS,
    select_inbound,
    select_items,
    to_inbound,
    to_item,
    to_version,
)
from mailbot.adapters.db.suspension import SuspensionReads
from mailbot.adapters.db.tables import (
    binding,
    inbound,
    item,
    item_version,
    mail,
    outbox,
    task,
)
from mailbot.adapters.db.tables import folder as folder_table
from mailbot.adapters.system import SHANGHAI
from mailbot.app.records import (
    AnswerCounts,
    Binding,
    InboundRow,
    InboundState,
    ItemRow,
    ItemState,
    KnownMail,
    NewVersion,
    OutboxState,
)
from mailbot.core.letters.answers import AnswerKind
from mailbot.core.mail.model import IncomingMail
from mailbot.core.mail.wire import from_json

SENDER_ITEMS = 200
SAME_TITLE_ITEMS = 50
ACCEPTED = "accept"
"""The decision kind (`core.intake.decide`) that makes an address known."""

ANSWERS = tuple(kind.value for kind in AnswerKind)
UNSENT = (OutboxState.DROPPED.value, OutboxState.WITHHELD.value)

# --- mails

_KNOWN = (
    inbound.c.account == bindparam("account"),
    inbound.c.folder == bindparam("folder"),
    inbound.c.uidvalidity == bindparam("uidvalidity"),
    inbound.c.state != InboundState.VANISHED.value,
)
KNOWN_UIDS = select(inbound.c.uid).where(*_KNOWN)
KNOWN_MAILS = select(inbound.c.id, inbound.c.uid, inbound.c.size, inbound.c.received).where(
    *_KNOWN, inbound.c.uid >= bindparam("first")
)
FOLDER_VALIDITY = select(folder_table.c.uidvalidity).where(
    folder_table.c.account == bindparam("account"),
    folder_table.c.folder == bindparam("folder"),
)
IN_STATE = (
    select_inbound()
    .where(inbound.c.account == bindparam("account"), inbound.c.state == bindparam("state"))
    .order_by(inbound.c.id)
)
INBOUND = select_inbound().where(inbound.c.id == bindparam("id"))
_EARLIER = (
    select_inbound()
    .where(inbound.c.id < bindparam("before"), inbound.c.decision != "")
    .order_by(inbound.c.id)
    .limit(1)
)
BY_CONTENT = _EARLIER.where(inbound.c.content_key == bindparam("content_key"))
BY_MESSAGE_ID = _EARLIER.where(inbound.c.message_id == bindparam("message_id"))
MAIL = select(mail.c.content).where(mail.c.inbound_id == bindparam("id"))
OUTGOING = (
    select(outbox.c.id, outbox.c.inbound_id)
    .where(outbox.c.message_id.in_(bindparam("ids", expanding=True)))
    .order_by(outbox.c.id)
)

# --- items

ITEM = select_items().where(item.c.id == bindparam("id"))
BY_RECEIPT = select_items().where(item.c.receipt == bindparam("receipt"))
ITEMS_OF_MAIL = (
    select_items()
    .where(
        item.c.id.in_(
            select(item_version.c.item_id).where(item_version.c.inbound_id == bindparam("mail"))
        )
    )
    .order_by(item.c.id)
)
_RECENT = (
    select_items()
    .where(item.c.office == bindparam("office"), item.c.received >= bindparam("since"))
    .order_by(item.c.received.desc(), item.c.id.desc())
)
OF_SENDER = _RECENT.where(
    or_(
        item.c.from_addr == bindparam("address"),
        item.c.first_from_addr == bindparam("address"),
    )
).limit(SENDER_ITEMS)
OPEN_OF_SENDER = OF_SENDER.where(item.c.state.in_([ItemState.RETURNED.value, ItemState.HELD.value]))
WITH_TITLE = _RECENT.where(
    item.c.unit_id == bindparam("unit"), item.c.title_key == bindparam("title")
).limit(SAME_TITLE_ITEMS)
MONTH_COUNT = (
    select(func.count())
    .select_from(item)
    .where(
        item.c.office == bindparam("office"),
        item.c.unit_id == bindparam("unit"),
        item.c.month == bindparam("month"),
        item.c.state.in_(COUNTED_STATES),
    )
)
HISTORY = (
    select(item_version.c.no, item_version.c.inbound_id, *VERSION_COLUMNS)
    .where(item_version.c.item_id == bindparam("id"))
    .order_by(item_version.c.no)
)

# --- senders and answers

BINDING = select(binding.c.address, binding.c.unit_id, binding.c.state).where(
    binding.c.office == bindparam("office"), binding.c.address == bindparam("address")
)
SEEN = (
    select(inbound.c.id)
    .where(
        inbound.c.from_addr == bindparam("address"),
        inbound.c.office == bindparam("office"),
        inbound.c.decision == ACCEPTED,
    )
    .limit(1)
)
SENT_TODAY = (
    select(outbox.c.kind, func.count())
    .where(
        outbox.c.office == bindparam("office"),
        outbox.c.recipient == bindparam("address"),
        outbox.c.queued >= bindparam("start"),
        outbox.c.queued < bindparam("end"),
        outbox.c.state.not_in(UNSENT),
    )
    .group_by(outbox.c.kind)
)
IN_THREAD = (
    select(func.count())
    .select_from(outbox)
    .where(
        outbox.c.thread == bindparam("thread"),
        outbox.c.kind.in_(ANSWERS),
        outbox.c.state.not_in(UNSENT),
    )
)
_TO_ADDRESS = (
    outbox.c.office == bindparam("office"),
    outbox.c.recipient == bindparam("address"),
    outbox.c.state.not_in(UNSENT),
)
_ACKNOWLEDGED = (
    select(func.max(outbox.c.queued))
    .where(*_TO_ADDRESS, outbox.c.kind == AnswerKind.ACKNOWLEDGEMENT.value)
    .scalar_subquery()
)
IN_A_ROW = (
    select(func.count())
    .select_from(outbox)
    .where(
        *_TO_ADDRESS,
        outbox.c.kind.in_((AnswerKind.RETURN.value, AnswerKind.PENDING.value)),
        or_(_ACKNOWLEDGED.is_(None), outbox.c.queued > _ACKNOWLEDGED),
    )
)
LAST_HOUR = (
    select(func.count())
    .select_from(outbox)
    .where(
        outbox.c.office == bindparam("office"),
        outbox.c.queued > bindparam("start"),
        outbox.c.queued <= bindparam("end"),
        outbox.c.kind.in_(ANSWERS),
        outbox.c.state.not_in(UNSENT),
    )
)
OPEN_TASK = (
    select(task.c.id)
    .where(
        task.c.done_at.is_(None),
        task.c.office == bindparam("office"),
        task.c.kind == bindparam("kind"),
    )
    .limit(1)
)


class SqlReads(LedgerReads, LetterReads, FactReads, SuspensionReads):
    """Reads on one connection, inside whatever transaction it is in."""

    # mails

    def known_uids(self, account: str, folder: str, uidvalidity: int) -> set[int]:
        values = {"account": account, "folder": folder, "uidvalidity": uidvalidity}
        return set(self._db.scalars(KNOWN_UIDS, values))

    def known_mails(
        self, account: str, folder: str, uidvalidity: int, first: int
    ) -> list[KnownMail]:
        place = {"account": account, "folder": folder, "uidvalidity": uidvalidity}
        values = {**place, "first": first}
        return [KnownMail(*row) for row in self._db.execute(KNOWN_MAILS, values)]

    def folder_validity(self, account: str, folder: str) -> int | None:
        return self._db.scalar(FOLDER_VALIDITY, {"account": account, "folder": folder})

    def pending(self, account: str) -> list[InboundRow]:
        return self._mails(IN_STATE, account=account, state=InboundState.NEW)

    def unsettled(self, account: str) -> list[InboundRow]:
        return self._mails(IN_STATE, account=account, state=InboundState.DECIDED)

    def inbound(self, inbound_id: int) -> InboundRow | None:
        return next(iter(self._mails(INBOUND, id=inbound_id)), None)

    def inbound_by_content(self, content_key: str, before: int) -> InboundRow | None:
        if not content_key:
            return None
        return next(iter(self._mails(BY_CONTENT, content_key=content_key, before=before)), None)

    def inbound_by_message_id(self, message_id: str, before: int) -> InboundRow | None:
        """The first decided mail with the Message-ID and a smaller id than `before`."""
        if not message_id:
            return None
        return next(iter(self._mails(BY_MESSAGE_ID, message_id=message_id, before=before)), None)

    def mail(self, inbound_id: int) -> IncomingMail | None:
        content = self._db.scalar(MAIL, {"id": inbound_id})
        return None if content is None else from_json(content)

    def outgoing_by_message_ids(self, ids: Sequence[str]) -> list[tuple[int, int | None]]:
        bare = {i.strip("<> ") for i in ids} - {""}
        if not bare:
            return []
        rows = self._db.execute(OUTGOING, {"ids": sorted(bare | {f"<{i}>" for i in bare})})
        return [(r[0], r[1]) for r in rows]

    # items

    def items_of(self, inbound_id: int) -> list[ItemRow]:
        return self._items(ITEMS_OF_MAIL, mail=inbound_id)

    def item(self, item_id: int) -> ItemRow | None:
        return next(iter(self._items(ITEM, id=item_id)), None)

    def item_by_receipt(self, receipt: str) -> ItemRow | None:
        return next(iter(self._items(BY_RECEIPT, receipt=receipt)), None)

    def items_of_sender(self, office: str, address: str, since: datetime) -> list[ItemRow]:
        if not address:
            return []
        return self._items(OF_SENDER, office=office, address=address.lower(), since=since)

    def open_items_of_sender(self, office: str, address: str, since: datetime) -> list[ItemRow]:
        if not address:
            return []
        return self._items(OPEN_OF_SENDER, office=office, address=address.lower(), since=since)

    def items_with_title(
        self, office: str, unit_id: str, title_key: str, since: datetime
    ) -> list[ItemRow]:
        if not title_key:
            return []
        values = {"office": office, "unit": unit_id, "title": title_key, "since": since}
        return self._items(WITH_TITLE, **values)

    def month_count(self, office: str, unit_id: str, month: date) -> int:
        values = {"office": office, "unit": unit_id, "month": month}
        return self._db.scalar(MONTH_COUNT, values) or 0

    def version_history(self, item_id: int) -> list[tuple[int, int | None, NewVersion]]:
        rows = self._db.execute(HISTORY, {"id": item_id})
        return [(r[0], r[1], to_version(r[2:])) for r in rows]

    # senders and answers

    def binding(self, office: str, address: str) -> Binding | None:
        values = {"office": office, "address": address.lower()}
        row = self._db.execute(BINDING, values).first()
        return Binding(*row) if row else None

    def address_seen(self, office: str, address: str) -> bool:
        if not address:
            return False
        values = {"office": office, "address": address.lower()}
        return self._db.execute(SEEN, values).first() is not None

    def answer_counts(self, office: str, address: str, thread: str, now: datetime) -> AnswerCounts:
        """Counted from letters that went out or may go out: neither dropped nor withheld. Other
        letters (reminders, alerts) count in `kind_today` under their kind, nowhere else. Times
        after `now` are left out, so that a clock once set wrong cannot silence the office."""
        midnight = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
        day = {"start": midnight, "end": midnight + timedelta(days=1)}
        hour = {"start": now - timedelta(hours=1), "end": now + timedelta(hours=1)}
        to_address = {"office": office, "address": address.lower(), **day}
        today = {str(kind): int(n) for kind, n in self._db.execute(SENT_TODAY, to_address)}
        # From just after the same moment yesterday.
        last_day = {"start": now - timedelta(days=1, microseconds=-1), "end": day["end"]}
        recent = self._db.execute(SENT_TODAY, to_address | last_day)
        row = {"office": office, "address": address.lower()}
        return AnswerCounts(
            acknowledgements_today=today.get(AnswerKind.ACKNOWLEDGEMENT.value, 0),
            returns_today=today.get(AnswerKind.RETURN.value, 0),
            kind_today=today,
            thread_ever=(self._db.scalar(IN_THREAD, {"thread": thread}) or 0) if thread else 0,
            office_last_hour=self._db.scalar(LAST_HOUR, {"office": office, **hour}) or 0,
            limit_notice_today=bool(today.get(AnswerKind.LIMIT.value, 0)),
            kind_last_day={str(kind): int(n) for kind, n in recent},
            in_a_row=self._db.scalar(IN_A_ROW, row) or 0,
        )

    def has_open_task(self, office: str, kind: str) -> bool:
        """Is there a task of the kind that nobody has closed?"""
        values = {"office": office, "kind": kind}
        return self._db.execute(OPEN_TASK, values).first() is not None

    def _mails(self, query: Any, **values: Any) -> list[InboundRow]:
        return [to_inbound(row) for row in self._db.execute(query, values)]

    def _items(self, query: Any, **values: Any) -> list[ItemRow]:
        return [to_item(row) for row in self._db.execute(query, values)]
