"""The statements of a write transaction, built once: building one costs several times as much as
running it. Values come when they run; what a column is not given, its default fills."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, case, delete, insert, select, update

from mailbot.adapters.db import tables as t
from mailbot.adapters.db.dialect import insert_or
from mailbot.app.records import InboundState

LETTER = (
    "key",
    "kind",
    "office",
    "sender",
    "recipient",
    "message_id",
    "raw",
    "subject",
    "inbound_id",
    "thread",
    "unit_id",
    "role",
    "about",
    "not_after",
)
"""The columns that are an `Outgoing`."""

INSERTS = {
    table.name: insert(table)
    for table in (
        t.decision,
        t.link,
        t.item,
        t.item_version,
        t.task,
        t.audit,
        t.record,
        t.seal,
        t.seal_entry,
        t.draft,
        t.draft_recipient,
        t.draft_file,
        t.appeal,
    )
}
CHANGES = {
    table.name: update(table).where(table.c.id == bindparam("row_id"))
    for table in (t.inbound, t.item)
}
STRIKE = (
    update(t.inbound)
    .where(t.inbound.c.id.in_(bindparam("ids", expanding=True)))
    .values(attempts=t.inbound.c.attempts + 1)
)
PARDON = (
    update(t.inbound)
    .where(t.inbound.c.id.in_(bindparam("ids", expanding=True)), t.inbound.c.attempts > 0)
    .values(attempts=t.inbound.c.attempts - 1)
)
FREE = (
    update(t.inbound)
    .where(t.inbound.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        # Below zero there are no UIDs, and the id makes it unique.
        uid=-t.inbound.c.id,
        state=case(
            {
                InboundState.NEW.value: InboundState.VANISHED.value,
                InboundState.DECIDED.value: InboundState.SETTLED.value,
            },
            value=t.inbound.c.state,
            else_=t.inbound.c.state,
        ),
    )
)
WIPE = delete(t.mail).where(t.mail.c.inbound_id == bindparam("id"))
SENDER = select(t.inbound.c.from_addr).where(t.inbound.c.id == bindparam("id"))
HOLD_ITEM = select(t.item.c.id).where(t.item.c.id == bindparam("id")).with_for_update()
"""PostgreSQL: the row is another's only after this transaction. An SQLite database has one writer."""
LETTER_BY_KEY = select(t.outbox.c.id).where(t.outbox.c.key == bindparam("key"))


@dataclass(frozen=True, slots=True)
class Upserts:
    """Statements with ON CONFLICT."""

    register: Executable
    """Returns ids of new rows; a VANISHED one becomes new again, others stay as they are."""
    mail: Executable
    folder: Executable
    binding: Executable
    receipt: Executable
    """Returns the number given."""
    letter: Executable
    """Returns the id, or nothing when the key is known."""
    duty: Executable
    """The same."""
    token: Executable
    """A known one that was not used gets the new expiry."""


@cache
def upserts(dialect: str) -> Upserts:
    def replacing(table: Any, key: list[str], *columns: str) -> Executable:
        statement = insert_or(dialect, table)
        set_ = {name: statement.excluded[name] for name in columns}
        return statement.on_conflict_do_update(index_elements=key, set_=set_)

    token = insert_or(dialect, t.token)
    return Upserts(
        register=insert_or(dialect, t.inbound)
        .on_conflict_do_update(
            index_elements=["account", "folder", "uidvalidity", "uid"],
            set_={"state": InboundState.NEW.value, "attempts": 0},
            where=t.inbound.c.state == InboundState.VANISHED.value,
        )
        .returning(t.inbound.c.id),
        mail=replacing(t.mail, ["inbound_id"], "content"),
        folder=replacing(t.folder, ["account", "folder"], "uidvalidity", "searched"),
        binding=replacing(t.binding, ["office", "address"], "unit_id", "state", "changed"),
        receipt=insert_or(dialect, t.receipt_counter)
        .on_conflict_do_update(
            index_elements=["prefix", "month"], set_={"last": t.receipt_counter.c.last + 1}
        )
        .returning(t.receipt_counter.c.last),
        letter=insert_or(dialect, t.outbox)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(t.outbox.c.id),
        duty=insert_or(dialect, t.duty)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(t.duty.c.id),
        token=token.on_conflict_do_update(
            index_elements=["digest"],
            set_={"expires": token.excluded.expires},
            where=t.token.c.used.is_(None),
        ),
    )
