"""Short lists staff work from: tasks, address bindings, held mail of an address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.db.records import INBOUND_COLUMNS, to_inbound
from mailbot.adapters.db.tables import binding, inbound, item, link, task
from mailbot.app.records import Binding, InboundRow, Relation


@dataclass(frozen=True, slots=True)
class ListedTask:
    """Something a person should look at, with the receipt number it concerns, if any."""

    id: int
    office: str
    kind: str
    text: str
    created: datetime
    inbound_id: int | None
    receipt: str
    sender: str = ""


def open_tasks(store: SqlStore, office: str = "", kind: str = "") -> list[ListedTask]:
    """Tasks nobody has closed, oldest first."""
    conditions = []
    if office:
        conditions.append(task.c.office == office)
    if kind:
        conditions.append(task.c.kind == kind)
    return _tasks(store, *conditions)


def tasks_of_address(store: SqlStore, office: str, address: str) -> list[ListedTask]:
    """Open tasks about mail of one address, oldest first."""
    return _tasks(store, task.c.office == office, inbound.c.from_addr == address.strip().lower())


def tasks_of_mail(store: SqlStore, inbound_id: int) -> list[ListedTask]:
    """Open tasks about one mail or an item of it, oldest first."""
    return _tasks(store, or_(task.c.inbound_id == inbound_id, item.c.inbound_id == inbound_id))


def close_tasks(store: SqlStore, ids: list[int], who: str, now: datetime) -> int:
    """Marks tasks done; how many were open."""
    with store.writing() as db:
        done = db.execute(
            task.update()
            .where(task.c.id.in_(ids), task.c.done_at.is_(None))
            .values(done_at=now, done_by=who)
        )
        return int(done.rowcount)


def replies_to(store: SqlStore, inbound_id: int) -> list[InboundRow]:
    """Mails that were taken for more about an earlier one, oldest first."""
    query = (
        select(*INBOUND_COLUMNS)
        .join(link, link.c.inbound_id == inbound.c.id)
        .where(link.c.to_inbound == inbound_id, link.c.relation == Relation.REPLY.value)
        .order_by(inbound.c.received, inbound.c.id)
    )
    with store.snapshot() as db:
        return [to_inbound(row) for row in db.execute(query)]


def bindings(store: SqlStore, office: str) -> list[Binding]:
    """Every address the office has decided on or is asked about, by address."""
    query = select(binding.c.address, binding.c.unit_id, binding.c.state).where(
        binding.c.office == office
    )
    with store.snapshot() as db:
        return [Binding(*row) for row in db.execute(query.order_by(binding.c.address))]


def held_mail(store: SqlStore, office: str, address: str) -> list[InboundRow]:
    """Mail of an address whose newest decision is to hold it, oldest first."""
    query = (
        select(*INBOUND_COLUMNS)
        .where(
            inbound.c.office == office,
            inbound.c.from_addr == address.strip().lower(),
            inbound.c.decision == "hold",
        )
        .order_by(inbound.c.id)
    )
    with store.snapshot() as db:
        return [to_inbound(row) for row in db.execute(query)]


def _tasks(store: SqlStore, *conditions: ColumnElement[bool]) -> list[ListedTask]:
    query = (
        select(
            task.c.id,
            task.c.office,
            task.c.kind,
            task.c.text,
            task.c.created,
            task.c.inbound_id,
            item.c.receipt,
            inbound.c.from_addr,
        )
        .outerjoin(item, item.c.id == task.c.item_id)
        .outerjoin(inbound, inbound.c.id == task.c.inbound_id)
        .where(task.c.done_at.is_(None), *conditions)
        .order_by(task.c.id)
    )
    with store.snapshot() as db:
        return [ListedTask(*row[:6], row[6] or "", row[7] or "") for row in db.execute(query)]
