"""A unit's own account of a period (查询): what it owes and sent, what waits, its points.

Everything is read for this one unit; nobody else's name, place or points is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from mailbot.app.duties.quotas import QuotaView
from mailbot.app.letter_content import without_links
from mailbot.app.ports import Reads
from mailbot.app.records import ItemState
from mailbot.app.scoring import NotScored, Statement, statement_in
from mailbot.app.service.entries import account_entries, appeal_lines, beside
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.periodic import CountedItem, OpenItem, QuotaLine
from mailbot.core.letters.service import Account
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.periods import Period, PeriodKind, day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Quota
from mailbot.core.rules.versions import book_start

_COUNTED = (ItemState.ACCEPTED, ItemState.WITHDRAWAL_REQUESTED)
_LONGEST = 300
_ENDED = {
    PeriodKind.WEEK: "已结束的各周",
    PeriodKind.MONTH: "已结束的月份",
    PeriodKind.QUARTER: "已结束的季度",
    PeriodKind.HALF: "已结束的半年",
    PeriodKind.YEAR: "已结束的年度",
}


def account(
    reads: Reads, book: OfficeBook, card: OfficeCard, unit_id: str, period: Period, today: date
) -> Account:
    """The period has begun."""
    over = period.last < today
    found, note = _statement(reads, book, unit_id, period, today)
    counted, opened = _items(reads, book, unit_id, period, today)
    entries = found.entries if found else ()
    own = frozenset(
        row.receipt for row in reads.unit_items(book.info.id, unit_id, date.min, period.last)
    )
    appeals = reads.appeals(book.info.id, unit_id=unit_id)
    return Account(
        office=card,
        unit=book.roster.get(unit_id).name,
        period=period.name,
        over=over,
        quotas=_quotas(reads, book, unit_id, period, today, found),
        counted=counted,
        open=opened,
        points=found.total if found and book.scoring.rules else None,
        entries=account_entries(entries, own),
        appeals=appeal_lines(beside(appeals, entries, period)),
        note=note,
    )


def _statement(
    reads: Reads, book: OfficeBook, unit_id: str, period: Period, today: date
) -> tuple[Statement | None, str]:
    start = book_start(book)
    if start is None:
        return None, ""  # an office that scores nothing
    if start > period.last:
        return None, f"{period.name}还没有报送任务和计分的规定，只列出来信登记情况。"
    began = reads.first_event(book.info.id)
    if began is None or began > period.last:
        # Nobody's silence means anything then: neither quotas nor a total are told.
        return None, f"{period.name}本系统还没有开始登记，没有报送和计分的记录。"
    try:
        return statement_in(reads, book, unit_id, period, today), ""
    except NoRuleInForce:
        return None, f"{period.name}有一段时间没有计分规定，分数没有列出，只列出来信登记情况。"
    except NotScored as refusal:
        if refusal.code != "unscorable":
            raise
        return None, "有一条记录正在核对，分数和计分明细暂时没有列出，请与我们联系。"


def _items(
    reads: Reads, book: OfficeBook, unit_id: str, period: Period, today: date
) -> tuple[tuple[CountedItem, ...], tuple[OpenItem, ...]]:
    """What counts towards the quotas; every registered one where there is no quota to count for."""
    try:
        counted, opened = QuotaView(reads, book, book.quotas, period, today, unit_id).items(unit_id)
    except NoRuleInForce:
        counted, opened = (), ()
    return (counted if book.quotas else _registered(reads, book, unit_id, period)), opened


def _registered(
    reads: Reads, book: OfficeBook, unit_id: str, period: Period
) -> tuple[CountedItem, ...]:
    names = {c.id: c.name for v in book.categories for c in v.categories}
    return tuple(
        CountedItem(
            row.receipt,
            without_links(row.version.title[:_LONGEST]),
            day_of(row.received),
            names.get(row.version.category, ""),
        )
        for row in reads.unit_items(book.info.id, unit_id, period.first, period.last)
        if row.state in _COUNTED
    )


def _quotas(
    reads: Reads,
    book: OfficeBook,
    unit_id: str,
    period: Period,
    today: date,
    found: Statement | None,
) -> tuple[QuotaLine, ...]:
    """As settled. Of a period that still runs: quotas of just such periods as they stand now, and
    of shorter ones what is over of it, which their names say."""
    known = {quota.id: quota for quota in book.quotas}
    over = period.last < today
    running = [q for q in book.quotas if q.period is period.kind and not over]
    lines = list(_running(reads, book, unit_id, running, period, today))
    for state in found.quotas if found else ():
        quota = known.get(state.quota)
        if not state.need or quota in running:
            continue
        name = quota.name if quota else state.quota
        part = f"（{_ENDED[quota.period]}）" if quota and not over else ""
        lines.append(
            QuotaLine(name + part, state.need, state.got, state.missing, state.remark_only)
        )
    return tuple(lines)


def _running(
    reads: Reads,
    book: OfficeBook,
    unit_id: str,
    quotas: Sequence[Quota],
    period: Period,
    today: date,
) -> tuple[QuotaLine, ...]:
    if not quotas:
        return ()
    try:
        owing = QuotaView(reads, book, quotas, period, today, unit_id).of(book.roster.get(unit_id))
    except NoRuleInForce:
        return ()
    return owing.lines if owing is not None else ()
