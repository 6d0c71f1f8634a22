"""What became of one of a unit's items (查询 with a receipt number)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from mailbot.app.letter_content import without_links
from mailbot.app.ports import Reads
from mailbot.app.recording.columns import CHANNEL_NAMES
from mailbot.app.recording.tell import as_event
from mailbot.app.records import ItemRow, ItemState, NewVersion
from mailbot.app.scoring import NotScored, statement_in
from mailbot.app.service.entries import account_entries, appeal_lines
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.service import ItemAccount
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import NEVER_JUDGED, units_of
from mailbot.core.rules.periods import OFFICE_ZONE, Period, PeriodKind, day_of
from mailbot.core.rules.reckoning.words import Words
from mailbot.core.rules.rulebook import OfficeBook

STATES = {
    ItemState.ACCEPTED: "已登记",
    ItemState.RETURNED: "已退回，待更正",
    ItemState.HELD: "正在核对",
    ItemState.REPLACED: "已并入另一条登记",
    ItemState.WITHDRAWAL_REQUESTED: "已登记，撤回待确认",
    ItemState.DUPLICATE: "重复，不另计数",
    ItemState.TAKEN_BACK: "登记已撤销",
}
_ARRIVED = {
    "accept": "收到并登记",
    "return": "收到，因不符合报送要求退回",
    "hold": "收到，转人工核对",
}
_LONGEST = 300


def own_item(reads: Reads, book: OfficeBook, unit_id: str, receipt: str) -> ItemRow | None:
    """None for an unknown number, and just so for another unit's."""
    item = reads.item_by_receipt(receipt)
    if item is None or item.office != book.info.id or item.unit_id != unit_id:
        return None
    return item


def item_account(
    reads: Reads, book: OfficeBook, card: OfficeCard, unit_id: str, item: ItemRow, today: date
) -> ItemAccount:
    version = item.version
    appeals = [
        a
        for a in reads.appeals(book.info.id, unit_id=unit_id)
        if a.new.about == item.receipt or a.new.item_id == item.id
    ]
    return ItemAccount(
        office=card,
        unit=book.roster.get(unit_id).name,
        receipt=item.receipt,
        title=without_links(version.title[:_LONGEST]),
        received=item.received.astimezone(OFFICE_ZONE),
        category=_category(book, item, version),
        state=STATES[item.state],
        history=tuple(text for _, text in sorted(_history(reads, book, unit_id, item))),
        entries=account_entries(
            _entries(reads, book, unit_id, item, today), frozenset({item.receipt})
        ),
        appeals=appeal_lines(appeals),
    )


def _category(book: OfficeBook, item: ItemRow, version: NewVersion) -> str:
    try:
        return book.categories_on(day_of(item.received)).get(version.category).name
    except (NoRuleInForce, KeyError):
        return ""


# --- what happened to it


def _history(
    reads: Reads, book: OfficeBook, unit_id: str, item: ItemRow
) -> Iterator[tuple[tuple[str, int], str]]:
    """Each with what it is sorted by. Of records only those about this unit, without the others
    that share in them."""
    if item.inbound_id is None:
        channel = CHANNEL_NAMES.get(item.channel, item.channel)
        yield _at(item.received, 0), f"{_moment(item.received)}由{channel}渠道收到并登记。"
    yield from _versions(reads, book, item)
    words = Words(book)
    for row in reads.records(book.info.id, item_id=item.id):
        if row.new.reverses is not None or row.new.kind in NEVER_JUDGED:
            continue
        event = as_event(row.new, f"record:{row.id}", item)
        if unit_id not in units_of(event):
            continue
        what = words.event(replace(event, title="", item="", partners=(), shares=()))
        back = "，后已撤销" if row.reversed_by is not None else ""
        day = f"{event.day.year}年{event.day.month}月{event.day.day}日"
        yield (event.day.isoformat() + "T99", row.id), f"{day}：{what}（记录{row.id}）{back}。"


def _versions(
    reads: Reads, book: OfficeBook, item: ItemRow
) -> Iterator[tuple[tuple[str, int], str]]:
    """Mails that brought it or a correction, and what staff settled by hand after them."""
    seen: set[int] = set()
    before: NewVersion | None = None
    at = _at(item.received, 0)
    for number, inbound_id, version in reads.version_history(item.id):
        mail = reads.inbound(inbound_id) if inbound_id is not None else None
        if mail is not None and mail.id not in seen:
            told = "收到新的来稿" if seen else _ARRIVED.get(mail.decision, "收到")
            seen.add(mail.id)
            at = _at(mail.received, number)
            yield at, f"{_moment(mail.received)}{told}。"
        elif before is not None and before.category != version.category:
            yield (at[0], number), f"经核定，类别为“{_category(book, item, version)}”。"
        elif before is not None:
            yield (at[0], number), "经人工核对后登记。"
        before = version


def _at(moment: datetime, number: int) -> tuple[str, int]:
    return moment.astimezone(OFFICE_ZONE).isoformat(), number


def _moment(moment: datetime) -> str:
    local = moment.astimezone(OFFICE_ZONE)
    return f"{local.year}年{local.month}月{local.day}日{local:%H:%M}"


# --- its points


def _entries(
    reads: Reads, book: OfficeBook, unit_id: str, item: ItemRow, today: date
) -> list[Entry]:
    """Of the years from its receipt on: an item may be adopted, or an entry corrected, long after."""
    found: list[Entry] = []
    year = Period.of(PeriodKind.YEAR, min(item.month, today))
    while year.first <= today:
        try:
            statement = statement_in(reads, book, unit_id, year, today)
        except (NoRuleInForce, NotScored):
            statement = None
        if statement is not None:
            found += [e for e in statement.entries if e.item == item.receipt]
        year = year.next()
    return found
