"""What is answered to a command, and what it leaves in the books. One transaction with the mail's
decision; approvals are carried out after it (`orders`)."""

from __future__ import annotations

from datetime import date, datetime

from mailbot.app.ports import Reads, Transaction
from mailbot.app.records import InboundRow
from mailbot.app.service.account import account
from mailbot.app.service.appeals import open_appeal
from mailbot.app.service.helping import help_letter
from mailbot.app.service.itemaccount import item_account, own_item
from mailbot.app.service.rulings import not_ruled, take_order
from mailbot.core.intake.commands import Request, Ruling, Verb
from mailbot.core.intake.model import Decision, Facts
from mailbot.core.intake.requests import is_order
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.every import Letter
from mailbot.core.letters.service import NotDone
from mailbot.core.rules.periods import Period, PeriodKind, day_of
from mailbot.core.rules.rulebook import OfficeBook


def carry_out(
    decision: Decision,
    row: InboundRow,
    sender: str,
    facts: Facts,
    card: OfficeCard,
    tx: Transaction,
    now: datetime,
) -> Letter | None:
    """The answer; None for an order, whose code is used up now and which is answered when it has
    been carried out."""
    command = decision.command
    if isinstance(command, Ruling):
        if not is_order(decision):
            return not_ruled(decision, command, card)
        return take_order(command, sender, facts.book, card, tx, now)
    assert isinstance(command, Request), "a supplement is held"
    unit, today = facts.bound_unit, day_of(row.received)
    if command.verb is Verb.HELP or unit is None:
        return help_letter(facts.book, card, unit, today)
    if command.verb is Verb.APPEAL:
        return open_appeal(command, row, unit, facts.book, card, tx, now)
    return _query(command, unit, facts.book, card, tx.read, today)


# --- 查询


def _query(
    request: Request, unit: str, book: OfficeBook, card: OfficeCard, reads: Reads, today: date
) -> Letter:
    if request.receipt:
        item = own_item(reads, book, unit, request.receipt)
        if item is not None:
            return item_account(reads, book, card, unit, item, today)
        found = f"贵单位没有编号为{request.receipt}的信息"
        return NotDone(
            card, request.written, found, "请核对回执编号；查看全部信息请写“查询”加月份。"
        )
    if (wrong := unanswerable(request, today)) is not None:
        return NotDone(card, request.written, *wrong)
    return account(reads, book, card, unit, asked_period(request, today), today)


def asked_period(request: Request, today: date) -> Period:
    return request.period or Period.of(PeriodKind.MONTH, today)


def unanswerable(request: Request, today: date) -> tuple[str, str] | None:
    """What is wrong with the period that is asked for, and what to write instead."""
    period = asked_period(request, today)
    month = Period.of(PeriodKind.MONTH, today).previous().name
    if request.unread:
        found = f"“{request.unread}”不是月份、季度、半年或年份，也不是回执编号"
        return found, f"请写成“查询 {month}”，或“查询”加回执编号。"
    if period.first > today:
        return f"{period.name}还没有开始", f"请查询已经开始的月份，如“查询 {month}”。"
    return None
