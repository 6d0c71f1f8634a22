"""What staff decide by hand: release, category, whose address it is. Always with name and reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from mailbot.app.answers import Answer
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.ports import (
    Binding,
    InboundRow,
    ItemRow,
    ItemState,
    NewDecision,
    NewItem,
    Store,
    Transaction,
)
from mailbot.app.settle import Settled, Settler
from mailbot.core.intake.model import Decision, DecisionKind, Facts, Reason
from mailbot.core.letters import AnswerKind
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.periods import day_of, month_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import find_units

RELEASABLE = frozenset({ItemState.HELD, ItemState.RETURNED})


def release(
    receipt: str,
    unit: str | None,
    who: str,
    settler: Settler,
    store: Store,
    now: datetime,
) -> ItemRow:
    """Accepts a held or returned item by hand; it counts in the month of its original receipt, and
    its sender gets the acknowledgement. `unit` names the unit where the item had none."""
    with store.begin() as tx:
        item = _item(tx, receipt)
        if item.state not in RELEASABLE:
            raise OperatorFault(
                Fault(
                    receipt,
                    f"该条目前的状态是“{item.state.value}”，不是待核或已退回",
                    "用 mailbot show 查看",
                )
            )
        book = settler.books[item.office]
        unit_id = resolve_unit(unit, book, now) if unit else item.unit_id
        if unit_id is None:
            raise OperatorFault(Fault(receipt, "还不知道是哪个单位报送的", "加上 --unit 单位名称"))
        row = tx.read.inbound(item.inbound_id)
        assert row is not None, "an item always has its mail"
        released = tx.add_item(
            NewItem(
                office=item.office,
                unit_id=unit_id,
                state=ItemState.ACCEPTED,
                received=item.received,
                month=month_of(item.received),
                version=item.version,
                flags=item.flags,
                lane=item.lane,
                replaces=item.id,
            ),
            item.inbound_id,
            book.info.receipt_prefix,
            now,
        )
        mail = tx.read.mail(item.inbound_id)
        answer = Answer(None, none="content not kept")
        decision = Decision(
            DecisionKind.ACCEPT,
            (Reason("released", f"{who}人工核对后登记。", receipt),),
            answer=AnswerKind.ACKNOWLEDGEMENT,
        )
        if mail is not None:
            facts = Facts(book=book, received=row.received, known_sender=True, bound_unit=unit_id)
            answer = settler.answering.answer(decision, mail, row, [released], facts, tx.read, now)
            if answer.letter is not None:
                tx.queue(answer.letter, now, state=answer.state)
        _decide_again(tx, row, mail, decision, book, unit_id, answer, who, now)
        tx.audit(who, "release", receipt, {"unit": unit_id}, now)
        return released


def correct_category(
    receipt: str,
    category: str,
    who: str,
    why: str,
    books: Mapping[str, OfficeBook],
    store: Store,
    now: datetime,
) -> ItemRow:
    """Staff's word on the category, by id or Chinese name."""
    with store.begin() as tx:
        item = _item(tx, receipt)
        categories = books[item.office].categories_on(day_of(item.received)).categories
        found = next((c for c in categories if category in (c.id, c.name, *c.marks)), None)
        if found is None:
            names = "、".join(f"{c.name}（{c.id}）" for c in categories)
            raise OperatorFault(Fault(category, "没有这个类别", f"可用的类别：{names}"))
        tx.set_category(item.id, found.id, who, why, now)
        after = tx.read.item_by_receipt(receipt)
        assert after is not None
        return after


def bind(
    address: str,
    unit: str | None,
    who: str,
    settler: Settler,
    office: str,
    held: list[InboundRow],
    store: Store,
    now: datetime,
) -> list[Settled]:
    """Binds an address to a unit (None: refuses it). Mail of the address that was held is looked
    at again."""
    book = settler.books[office]
    address = address.strip().lower()
    with store.begin() as tx:
        if unit is None:
            tx.add_binding(office, Binding(address, "", "refused"), who, now)
            return []
        unit_id = resolve_unit(unit, book, now)
        tx.add_binding(office, Binding(address, unit_id, "bound"), who, now)
        done = []
        for row in held:
            mail = tx.read.mail(row.id)
            if mail is not None:
                done.append(settler.settle(mail, replace(row, attempts=1), tx, now))
        return done


def resolve_unit(text: str, book: OfficeBook, now: datetime) -> str:
    """A unit's id from its id, name or alias as a person types it."""
    if any(u.id == text for u in book.roster.units):
        return text
    found = [m for m in find_units(text, book.roster, now.date()) if m.unit_id]
    ids = {m.unit_id for m in found}
    if len(ids) == 1:
        return str(ids.pop())
    names = "、".join(book.roster.get(i).name for i in sorted(i for i in ids if i))
    raise OperatorFault(
        Fault(
            text,
            "名册里没有这个单位" if not ids else f"不止一个单位叫这个名字：{names}",
            "请写名册中的单位名称",
        )
    )


def _item(tx: Transaction, receipt: str) -> ItemRow:
    item = tx.read.item_by_receipt(receipt.strip().upper())
    if item is None:
        raise OperatorFault(Fault(receipt, "没有这个回执编号", "用 mailbot items 查看编号"))
    return item


def _decide_again(
    tx: Transaction,
    row: InboundRow,
    mail: IncomingMail | None,
    decision: Decision,
    book: OfficeBook,
    unit_id: str,
    answer: Answer,
    who: str,
    now: datetime,
) -> None:
    tx.decide(
        NewDecision(
            inbound_id=row.id,
            kind=decision.kind.value,
            office=book.info.id,
            unit_id=unit_id,
            reasons=tuple(r.text for r in decision.reasons),
            log=tuple(f"{r.code}: {r.detail}" for r in decision.reasons),
            answer=answer.kind.value if answer.kind and answer.letter else f"none:{answer.none}",
            book_digest=book.digest,
            by=who,
        ),
        mail,
        now,
    )
