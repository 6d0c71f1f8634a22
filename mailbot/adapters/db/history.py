"""What happened, in order, for `mailbot replay` (`app.replay.History`).

Decisions stand in the order in which they were committed. What staff did is in the audit trail; it
is put in by its time. Also the one thing a replay must be able to do to its throwaway store that
nobody may do to the real one: give an item another receipt number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlalchemy import Row, func, select, update

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.db.records import INBOUND_COLUMNS, to_inbound
from mailbot.adapters.db.tables import audit, decision, inbound, item, outbox
from mailbot.adapters.db.trail import BOT
from mailbot.adapters.db.unit_of_work import SqlTransaction
from mailbot.app.ports import Transaction
from mailbot.app.records import Binding, InboundRow, Outgoing
from mailbot.app.replay import Bound, ByHand, Categorised, Decided, Event, Released
from mailbot.core.letters.answers import AnswerKind

BINDING, RELEASE, CATEGORY = "binding", "release", "item.category"
"""Actions of the audit trail. The subject of the latter two is `item:<id>`."""


class SqlHistory:
    """`app.replay.History` of a store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def rows(self) -> list[InboundRow]:
        with self._store.snapshot() as db:
            return [
                to_inbound(r) for r in db.execute(select(*INBOUND_COLUMNS).order_by(inbound.c.id))
            ]

    def events(self) -> Iterable[Event]:
        decided = self._decided()
        by_hand = self._by_hand()
        for one in decided:
            while by_hand and by_hand[0].at <= one.at:
                yield by_hand.pop(0)
            yield one
        yield from by_hand

    def _decided(self) -> list[Decided]:
        newest = (
            select(decision.c.inbound_id, func.max(decision.c.id).label("id"))
            .where(decision.c.who == BOT)
            .group_by(decision.c.inbound_id)
            .subquery()
        )
        query = (
            select(
                *INBOUND_COLUMNS,
                decision.c.at,
                decision.c.kind,
                decision.c.office,
                decision.c.answer,
                decision.c.id == newest.c.id,
            )
            .join(decision, decision.c.inbound_id == inbound.c.id)
            .join(newest, newest.c.inbound_id == inbound.c.id)
            .where(decision.c.who == BOT)
            .order_by(decision.c.id)
        )
        width = len(INBOUND_COLUMNS)
        with self._store.snapshot() as db:
            return [
                _decided(to_inbound(cast("Row[Any]", r)), *r[width:]) for r in db.execute(query)
            ]

    def _by_hand(self) -> list[ByHand]:
        query = (
            select(audit.c.at, audit.c.who, audit.c.action, audit.c.subject, audit.c.detail)
            .where(audit.c.action.in_((BINDING, RELEASE, CATEGORY)), audit.c.who != BOT)
            .order_by(audit.c.id)
        )
        with self._store.snapshot() as db:
            receipts = {f"item:{i}": r for i, r in db.execute(select(item.c.id, item.c.receipt))}
            return [_by_hand(*row, receipts) for row in db.execute(query)]

    def letters(self, inbound_id: int) -> Sequence[Outgoing]:
        query = (
            select(
                outbox.c.key,
                outbox.c.kind,
                outbox.c.office,
                outbox.c.sender,
                outbox.c.recipient,
                outbox.c.message_id,
                outbox.c.subject,
            )
            .where(
                outbox.c.inbound_id == inbound_id,
                outbox.c.kind.in_([kind.value for kind in AnswerKind]),
            )
            .order_by(outbox.c.id)
        )
        with self._store.snapshot() as db:
            return [Outgoing(**row._mapping, raw=b"") for row in db.execute(query)]


def _decided(row: InboundRow, at: Any, kind: str, office: str, answer: str, last: bool) -> Decided:
    return Decided(at, row, kind, office, answer, bool(last))


def _by_hand(
    at: Any,
    who: str,
    action: str,
    subject: str,
    detail: dict[str, Any],
    receipts: dict[str, str],
) -> ByHand:
    if action == RELEASE:
        return Released(at, receipts[subject], detail["unit"], who)
    if action == CATEGORY:
        return Categorised(at, receipts[subject], detail["to"], who)
    _kind, office, address = subject.split(":", 2)
    return Bound(at, office, Binding(address, detail["unit"], detail["state"]), who)


def renumber(tx: Transaction, item_id: int, receipt: str) -> None:
    """Gives an item of a throwaway store another receipt number."""
    assert isinstance(tx, SqlTransaction)
    tx._db.execute(update(item).where(item.c.id == item_id).values(receipt=receipt))
