"""The way of an entry: checked, tried on the rules, kept; or reversed.

A dry run goes the whole way in a transaction that is taken back, so that it says exactly what an
entry would do, also where a row of a file speaks of an item registered some rows above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from mailbot.app.errors import Fault
from mailbot.app.ports import Reads, Store
from mailbot.app.recording import worth
from mailbot.app.recording.check import check
from mailbot.app.recording.entry import Checked, no_rule
from mailbot.app.recording.forms import Answers, Given, answers
from mailbot.app.recording.keep import Desk, Entered, keep, sealed
from mailbot.app.recording.once import not_twice
from mailbot.app.recording.tell import as_event, sentence
from mailbot.app.recording.values import LONGEST
from mailbot.app.records import MAIL_CHANNEL, ItemRow, ItemState, NewRecord, RecordRow
from mailbot.app.staff import COUNTED
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import EventKind
from mailbot.core.rules.ledger import UnscorableEvent
from mailbot.core.rules.rulebook import OfficeBook


class Refused(Exception):
    """What was given cannot be kept: all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(f) for f in faults))
        self.faults = tuple(dict.fromkeys(faults))


class _TakenBack(Exception):
    """Ends a dry run: the transaction rolls back."""


def enter(given: Given, desk: Desk, store: Store) -> Entered:
    """One event. Raises `Refused`."""
    with store.begin() as tx:
        tx.hold_ledger()
        checked, faults = _checked(given, desk, tx.read, {})
        if checked is None or faults:
            raise Refused(faults)
        unit = checked.event("").unit
        before = _year(unit, checked.answers.day, desk, tx.read)
        entered = keep(checked, desk, tx)
        after = _year(unit, checked.answers.day, desk, tx.read)
        return _with_points(entered, before, after)


def enter_all(
    given: Sequence[Given], desk: Desk, store: Store, *, apply: bool, faults: Sequence[Fault] = ()
) -> list[Entered]:
    """Every row of a file, in its order, so that a row may speak of an item registered above it.
    With `apply` false nothing stays. `faults` are those found in the file before. Raises `Refused`
    with every fault of every row."""
    entered: list[Entered] = []
    found = list(faults)
    above: dict[str, str] = {}
    try:
        with store.begin() as tx:
            tx.hold_ledger()
            for one in given:
                checked, wrong = _checked(one, desk, tx.read, above)
                found += wrong
                if checked is not None and not wrong:
                    entered.append(keep(checked, desk, tx))
                    above[entered[-1].event.id] = one.row
            if found or not apply:
                raise _TakenBack
    except _TakenBack:
        if found:
            raise Refused(found) from None
    return entered


def reverse(number: int, why: str, evidence: str, desk: Desk, store: Store) -> Entered:
    """Takes a record back by a record of its own. Raises `Refused`."""
    place = f"--reverse {number}"
    with store.begin() as tx:
        tx.hold_ledger()
        row = tx.read.record(number)
        _may_reverse(row, place, why, desk.book.info.id, tx.read)
        assert row is not None, "looked at a moment ago"
        item = tx.read.item_by_receipt(row.receipt) if row.receipt else None
        event = as_event(row.new, f"record:{row.id}", item)
        before = _year(row.new.unit_id, row.new.day, desk, tx.read)
        new = NewRecord(
            office=row.new.office,
            kind=row.new.kind,
            unit_id="",
            day=row.new.day,
            reason=why,
            evidence=evidence,
            reverses=number,
            source=desk.source,
        )
        kept = tx.add_record(new, desk.who, desk.now)
        after = _year(row.new.unit_id, row.new.day, desk, tx.read)
        entered = Entered(event, sentence(event, desk.book), sealed(event, desk, tx.read), kept.id)
        return _with_points(entered, before, after)


def reverse_item(receipt: str, why: str, desk: Desk, store: Store) -> ItemRow:
    """Takes back an item of another channel that was entered by mistake: it counts no more, and is
    not brought back. Raises `Refused`."""
    place = f"--reverse {receipt}"
    with store.begin() as tx:
        tx.hold_ledger()
        item = tx.read.item_by_receipt(receipt)
        if item is None or item.office != desk.book.info.id:
            raise Refused(
                [Fault(place, "没有这个编号", "查编号：mailbot items，mailbot record --list")]
            )
        if item.channel == MAIL_CHANNEL:
            raise Refused(
                [Fault(place, "这条信息是邮件报来的，不是手工登记的", "只能冲销手工登记的报送")]
            )
        if item.state not in COUNTED:
            raise Refused([Fault(place, "这条信息已不计数", "不用再冲销")])
        about = tx.read.records(desk.book.info.id, item_id=item.id)
        live = [str(r.id) for r in about if r.reversed_by is None and r.new.reverses is None]
        if live:
            remedy = f"先冲销：{'、'.join(live)}"
            raise Refused([Fault(place, f"还有 {len(live)} 条记录涉及这条信息", remedy)])
        if not why:
            raise Refused([_no_why(place)])
        tx.set_item_state(item.id, ItemState.TAKEN_BACK, desk.who, why, desk.now)
        return item


def told(row: RecordRow, book: OfficeBook, reads: Reads) -> str:
    """The sentence of a record already kept."""
    item = reads.item_by_receipt(row.receipt) if row.receipt else None
    return sentence(as_event(row.new, f"record:{row.id}", item), book)


# --- checking ----------------------------------------------------------------------------------


def _checked(
    given: Given, desk: Desk, reads: Reads, above: Mapping[str, str]
) -> tuple[Checked | None, list[Fault]]:
    """The entry with its names looked up, its points tried, and not kept before. `above`: ids of
    events entered in the same go, and where they stand."""
    read = answers(given, desk.book)
    if isinstance(read, list):
        return None, read
    checked = check(read, desk.book, reads, desk.today)
    if not checked.faults:
        not_twice(checked, desk, reads, above)
    if not checked.faults:
        _has_points(checked, desk)
    return checked, checked.faults


def _has_points(checked: Checked, desk: Desk) -> None:
    """Tries the event on the rules alone: what no line speaks of is an error, never zero."""
    event = checked.event("record:0")
    try:
        worth.single_points(desk.book, event, desk.today)
        if event.shares and not worth.shares_matter(desk.book, event):
            checked.warnings.append("本办公室的规则不按比例分给各家，写的分配比例不起作用")
    except NoRuleInForce as missing:
        where = _deciding(checked.answers)
        checked.fault(where, *no_rule(missing, desk.book))
    except UnscorableEvent as error:
        if event.partners and not event.shares:
            found = "联合信息没有写分配比例，规则要求各家分别写明"
            checked.fault("shares", found, "写成 农牧局0.6、水利局0.4，合计为 1")
        else:
            checked.fault("kind", f"按规则不能记分：{error}", "核对这一行的内容")


def _deciding(read: Answers) -> str:
    """The column that most likely decides whether there is a line."""
    for key in ("journal", "level", "fault", "category", "kind"):
        if key in read.values:
            return key
    return "kind"


def _may_reverse(row: RecordRow | None, place: str, why: str, office: str, reads: Reads) -> None:
    see = "查编号：mailbot record --list"
    if row is None or row.new.office != office:
        raise Refused([Fault(place, "没有这个编号的记录", see)])
    if row.new.reverses is not None:
        found = f"这一条本身是冲销（冲销第 {row.new.reverses} 号）"
        raise Refused([Fault(place, found, "要恢复原来的内容，请重新登记")])
    if row.reversed_by is not None:
        raise Refused([Fault(place, f"已由第 {row.reversed_by} 号记录冲销", "不用再冲销")])
    if not why:
        raise Refused([_no_why(place)])
    if len(why) > LONGEST:
        raise Refused([Fault(f"{place} --why", f"有 {len(why)} 个字", f"至多 {LONGEST} 个字")])
    about = [
        str(r.id)
        for r in reads.records(office, unit_id=row.new.unit_id, kind=EventKind.EXPLANATION)
        if r.new.facts.get("about") == f"record:{row.id}" and r.reversed_by is None
        and r.new.reverses is None
    ]  # fmt: skip
    if about:
        raise Refused(
            [Fault(place, f"还有对它的情况说明：第 {'、'.join(about)} 号记录", "先冲销那一条")]
        )


def _no_why(place: str) -> Fault:
    return Fault(place, "没有写冲销的理由", "加 --why 理由")


# --- what it gives -----------------------------------------------------------------------------


def _year(unit: str, day: date, desk: Desk, reads: Reads) -> list[Entry] | None:
    """The unit's entries of the year; None where they cannot be reckoned: that is for the tables
    to say, not a reason to refuse this entry."""
    first, last = date(day.year, 1, 1), date(day.year, 12, 31)
    try:
        events = reads.unit_events(desk.book.info.id, first, last, unit)
        return worth.year_entries(desk.book, events, unit, day, desk.today)
    except (LookupError, ValueError):
        return None


def _with_points(
    entered: Entered, before: list[Entry] | None, after: list[Entry] | None
) -> Entered:
    if before is None or after is None:
        return entered
    return replace(entered, points=worth.difference(before, after))
