"""One write transaction (`app.ports.Transaction`): everything a mail changes, or nothing.

Every change of an item, a binding or a withheld letter leaves its audit line in the same
transaction. Decisions and audit lines are only ever added.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select, update

from mailbot.adapters.db import tables as t
from mailbot.adapters.db.dialect import hold_names
from mailbot.adapters.db.event_rows import FOLLOW_UP
from mailbot.adapters.db.facts import FactWrites
from mailbot.adapters.db.leases import living
from mailbot.adapters.db.ledger_writes import LedgerWrites
from mailbot.adapters.db.letter_writes import LetterWrites
from mailbot.adapters.db.queries import SqlReads
from mailbot.adapters.db.records import version_values
from mailbot.adapters.db.restored import RestoreWrites
from mailbot.adapters.db.statements import (
    CHANGES,
    FREE,
    HOLD_ITEM,
    INSERTS,
    LETTER,
    LETTER_BY_KEY,
    PARDON,
    SENDER,
    STRIKE,
    WIPE,
    upserts,
)
from mailbot.adapters.db.suspension import SuspensionWrites
from mailbot.adapters.db.trail import BOT, add_audit, add_task
from mailbot.adapters.system import SHANGHAI
from mailbot.app.errors import WorldFault
from mailbot.app.records import (
    CHANNELS,
    Binding,
    Envelope,
    InboundState,
    ItemRow,
    ItemState,
    NewDecision,
    NewItem,
    NewTask,
    NewVersion,
    OutboxState,
    Outgoing,
    Relation,
)
from mailbot.core.mail.model import IncomingMail
from mailbot.core.mail.wire import to_json

CHUNK = 500
"""Rows or ids per statement."""


class SqlTransaction(LedgerWrites, LetterWrites, FactWrites, SuspensionWrites, RestoreWrites):
    """Lives inside `SqlStore.begin()`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._read = SqlReads(connection)
        self._sql = upserts(connection.dialect.name)
        self._without_sender: set[int] = set()
        """Mails whose items were written before their decision brought the sender's address."""

    @property
    def read(self) -> SqlReads:
        return self._read

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        before = set(self._without_sender)
        point = self._db.begin_nested()
        try:
            yield
        except BaseException as e:
            self._without_sender = before
            if isinstance(e, WorldFault):
                # The connection is already given up; what broke it must come out, not this.
                with contextlib.suppress(Exception):
                    point.rollback()
            else:
                point.rollback()
            raise
        point.commit()

    def hold_offices(self, offices: Collection[str]) -> None:
        hold_names(self._db, (f"office:{office}" for office in offices))

    # inbound

    def register(self, envelopes: Sequence[Envelope], source: str, now: datetime) -> int:
        """A mail that had vanished and is back counts as new and starts afresh."""
        new = 0
        once = list({e.origin: e for e in envelopes}.values())
        for start in range(0, len(once), CHUNK):
            rows = [
                {
                    "account": e.origin.account,
                    "folder": e.origin.folder,
                    "uidvalidity": e.origin.uidvalidity,
                    "uid": e.origin.uid,
                    "size": e.size,
                    "received": e.received,
                    "received_source": source,
                    "state": InboundState.NEW,
                    "marked": e.marked,
                    "first_seen": now,
                }
                for e in once[start : start + CHUNK]
            ]
            new += len(self._db.execute(self._sql.register, rows).all())
        return new

    def strike(self, inbound_ids: Sequence[int]) -> None:
        for start in range(0, len(inbound_ids), CHUNK):
            self._db.execute(STRIKE, {"ids": inbound_ids[start : start + CHUNK]})

    def pardon(self, inbound_ids: Sequence[int]) -> None:
        for start in range(0, len(inbound_ids), CHUNK):
            self._db.execute(PARDON, {"ids": inbound_ids[start : start + CHUNK]})

    def free_numbers(self, inbound_ids: Sequence[int]) -> None:
        for start in range(0, len(inbound_ids), CHUNK):
            self._db.execute(FREE, {"ids": inbound_ids[start : start + CHUNK]})

    def vanished(self, inbound_id: int) -> None:
        self._change(t.inbound, inbound_id, state=InboundState.VANISHED)

    def settled(self, inbound_id: int) -> None:
        self._change(t.inbound, inbound_id, state=InboundState.SETTLED)

    def searched(self, account: str, folder: str, uidvalidity: int, now: datetime) -> None:
        values = {"uidvalidity": uidvalidity, "searched": now}
        self._db.execute(self._sql.folder, {"account": account, "folder": folder, **values})

    def decide(self, decision: NewDecision, mail: IncomingMail | None, now: datetime) -> None:
        """With `mail` None, the mail's content as an earlier decision stored it is wiped: a later
        look may find a secrets mark that an earlier one missed. Items and answers made from it
        before then stay; the security officer decides about those."""
        d = decision
        values: dict[str, Any] = {
            "state": InboundState.DECIDED,
            "office": d.office,
            "decision": d.kind,
            "decided_at": now,
        }
        if mail is None:
            values |= {"message_id": "", "subject": "", "from_addr": d.sender.lower()}
            self._db.execute(WIPE, {"id": d.inbound_id})
        else:
            author = mail.author
            values |= {
                "sha256": mail.sha256,
                "content_key": mail.content_key,
                "message_id": mail.message_id or "",
                "from_addr": author.addr.lower() if author else "",
                "subject": mail.subject,
            }
            content = {"inbound_id": d.inbound_id, "content": to_json(mail)}
            self._db.execute(self._sql.mail, content)
        self._change(t.inbound, d.inbound_id, **values)
        self._insert(
            t.decision,
            inbound_id=d.inbound_id,
            at=now,
            who=d.by,
            kind=d.kind,
            office=d.office,
            unit_id=d.unit_id,
            reasons=d.reasons,
            log=d.log,
            answer=d.answer,
            book_digest=d.book_digest,
        )
        if mail is not None and d.inbound_id in self._without_sender:
            self._fill_sender(d.inbound_id, values["from_addr"])

    def _fill_sender(self, inbound_id: int, address: str) -> None:
        self._without_sender.discard(inbound_id)
        for mail_column, address_column in (
            (t.item.c.inbound_id, t.item.c.from_addr),
            (t.item.c.first_inbound_id, t.item.c.first_from_addr),
        ):
            self._db.execute(
                update(t.item).where(mail_column == inbound_id).values({address_column: address})
            )

    def remember_hash(self, inbound_id: int, sha256: str, content_key: str) -> None:
        self._change(t.inbound, inbound_id, sha256=sha256, content_key=content_key)

    def link(
        self,
        inbound_id: int,
        relation: Relation,
        *,
        to_inbound: int | None = None,
        to_item: int | None = None,
        to_outbox: int | None = None,
    ) -> None:
        """Writing the same link again changes nothing."""
        values = {
            "inbound_id": inbound_id,
            "relation": relation.value,
            "to_inbound": to_inbound,
            "to_item": to_item,
            "to_outbox": to_outbox,
        }
        same = [t.link.c[name].is_not_distinct_from(value) for name, value in values.items()]
        if self._db.execute(select(t.link.c.id).where(*same).limit(1)).first() is None:
            self._insert(t.link, **values)

    # items

    def add_item(self, item: NewItem, inbound_id: int, prefix: str, now: datetime) -> ItemRow:
        """Raises KeyError when the item to replace is not there, ValueError when it is another
        office's or `month` is no first day."""
        sender = self._db.execute(SENDER, {"id": inbound_id}).scalar_one()
        if not sender:
            self._without_sender.add(inbound_id)
        return self._write_item(item, inbound_id, sender, prefix, BOT, now)

    def add_channel_item(self, item: NewItem, prefix: str, who: str, now: datetime) -> ItemRow:
        if item.channel not in CHANNELS:
            raise ValueError(f"no channel {item.channel!r}")
        return self._write_item(item, None, "", prefix, who, now)

    def _write_item(
        self,
        item: NewItem,
        inbound_id: int | None,
        sender: str,
        prefix: str,
        who: str,
        now: datetime,
    ) -> ItemRow:
        """A version once marked as the answer to a commission makes the item one for good."""
        if item.month.day != 1:
            raise ValueError(f"an item counts in a month, not on {item.month}")
        commissioned = item.commissioned
        common = {
            "unit_id": item.unit_id,
            "state": item.state,
            "received": item.received,
            "month": item.month,
            "inbound_id": inbound_id,
            "from_addr": sender,
            "title_key": item.title_key,
            "flags": item.flags,
            "lane": item.lane,
            "category": item.version.category,
            "follow_up": FOLLOW_UP in item.flags,
        }
        if item.replaces is None:
            no = 1
            receipt = self._next_receipt(prefix, item.received)
            item_id = self._insert(
                t.item,
                receipt=receipt,
                office=item.office,
                version_no=no,
                first_inbound_id=inbound_id,
                first_from_addr=sender,
                channel=item.channel,
                evidence=item.evidence,
                commissioned=commissioned,
                created=now,
                **common,
            )
        else:
            item_id = item.replaces
            old = self._item(item_id)
            if old.office != item.office:
                raise ValueError(f"item {item_id} belongs to another office")
            no, receipt = old.version_no + 1, old.receipt
            commissioned = commissioned or old.commissioned
            self._change(t.item, item_id, version_no=no, commissioned=commissioned, **common)
        self._add_version(item_id, no, inbound_id, item.version, now)
        detail = {
            "receipt": receipt,
            "version": no,
            "mail": inbound_id,
            "state": item.state.value,
            "unit": item.unit_id,
            "month": item.month.isoformat(),
            "category": item.version.category,
        }
        if commissioned:
            detail["commissioned"] = True
        if inbound_id is None:
            del detail["mail"]
            detail |= {"channel": item.channel, "evidence": item.evidence}
        action = "item.added" if no == 1 else "item.version"
        self.audit(who, action, f"item:{item_id}", detail, now)
        return self._item(item_id)

    def _add_version(
        self, item_id: int, no: int, inbound_id: int | None, version: NewVersion, now: datetime
    ) -> None:
        self._insert(
            t.item_version,
            item_id=item_id,
            no=no,
            inbound_id=inbound_id,
            created=now,
            **version_values(version),
        )

    def _next_receipt(self, prefix: str, received: datetime) -> str:
        month = received.astimezone(SHANGHAI).strftime("%Y%m")
        values = {"prefix": prefix, "month": month, "last": 1}
        number = self._db.execute(self._sql.receipt, values).scalar_one()
        return f"{prefix}{month}-{number:04d}"

    def set_item_state(
        self, item_id: int, state: ItemState, who: str, why: str, now: datetime
    ) -> None:
        old = self._item(item_id)
        self._change(t.item, item_id, state=state)
        detail = {"from": old.state.value, "to": state.value, "why": why}
        self.audit(who, "item.state", f"item:{item_id}", detail, now)

    def set_category(self, item_id: int, category: str, who: str, why: str, now: datetime) -> None:
        old = self._item(item_id)
        no = old.version_no + 1
        version = replace(old.version, category=category, category_by="staff")
        self._add_version(item_id, no, old.inbound_id, version, now)
        flags = tuple(f for f in old.flags if f != "category_doubtful")
        self._change(t.item, item_id, version_no=no, flags=flags, category=category)
        detail = {"from": old.version.category, "to": category, "why": why, "version": no}
        self.audit(who, "item.category", f"item:{item_id}", detail, now)

    # people

    def add_task(self, task: NewTask, now: datetime) -> None:
        add_task(self._db, task, now)

    def add_binding(self, office: str, binding: Binding, who: str, now: datetime) -> None:
        """An unchanged binding leaves no trace."""
        address = binding.address.lower()
        old = self._read.binding(office, address)
        if old and (old.unit_id, old.state) == (binding.unit_id, binding.state):
            return
        values = {"unit_id": binding.unit_id, "state": binding.state, "changed": now}
        self._db.execute(self._sql.binding, {"office": office, "address": address, **values})
        detail = {
            "unit": binding.unit_id,
            "state": binding.state,
            "was": [old.unit_id, old.state] if old else [],
        }
        self.audit(who, "binding", f"binding:{office}:{address}", detail, now)

    def audit(
        self, who: str, action: str, subject: str, detail: dict[str, Any], now: datetime
    ) -> None:
        add_audit(self._db, who, action, subject, detail, now)

    def working(self, seconds: float) -> int:
        """How many daemons gave a sign of life within so many seconds."""
        return living(self._db, seconds)

    # outbox

    def queue(
        self, letter: Outgoing, now: datetime, *, state: OutboxState = OutboxState.READY
    ) -> int:
        values = {name: getattr(letter, name) for name in LETTER}
        new = self._db.execute(
            self._sql.letter, {**values, "state": state, "queued": now}
        ).scalar_one_or_none()
        if new is None:
            new = self._db.execute(LETTER_BY_KEY, {"key": letter.key}).scalar_one()
        return int(new)

    # shared

    def _item(self, item_id: int) -> ItemRow:
        """Nobody else changes it until the transaction ends."""
        self._db.execute(HOLD_ITEM, {"id": item_id})
        found = self._read.item(item_id)
        if found is None:
            raise KeyError(f"no item {item_id}")
        return found

    def _insert(self, table: Table, **values: Any) -> int:
        """The new row's id."""
        key = self._db.execute(INSERTS[table.name], values).inserted_primary_key
        assert key is not None, "a single row was inserted"
        return int(key[0])

    def _change(self, table: Table, row_id: int, **values: Any) -> None:
        """Raises KeyError when there is no such row."""
        done = self._db.execute(CHANGES[table.name], {"row_id": row_id, **values})
        if done.rowcount != 1:
            raise KeyError(f"no {table.name} {row_id}")
