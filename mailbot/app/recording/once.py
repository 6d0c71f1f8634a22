"""The same thing is never kept twice: not from two people, two files, or two channels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mailbot.app.ports import Reads
from mailbot.app.recording.entry import Checked
from mailbot.app.recording.keep import Desk
from mailbot.app.records import MAIL_CHANNEL, ItemState, NewRecord
from mailbot.app.staff import COUNTED
from mailbot.core.intake.titles import normal_title
from mailbot.core.rules.events import EventKind
from mailbot.core.rules.periods import day_of


def not_twice(checked: Checked, desk: Desk, reads: Reads, above: Mapping[str, str]) -> None:
    """Notes a fault where the entry is in the books. `above`: ids of events entered in the same go,
    and where they stand."""
    if checked.answers.kind is EventKind.SUBMISSION:
        _no_other_title(checked, desk, reads, above)
    else:
        _no_other_record(checked, desk, reads, above)


def _no_other_record(checked: Checked, desk: Desk, reads: Reads, above: Mapping[str, str]) -> None:
    new = checked.record(desk.book.info.id, desk.source)
    if new.item_id is not None:
        rows = reads.records(new.office, kind=new.kind, item_id=new.item_id)
    else:
        rows = reads.records(
            new.office, unit_id=new.unit_id, kind=new.kind, first=new.day, last=new.day
        )
    sure = checked.answers.flag("not_duplicate")
    for row in rows:
        if row.reversed_by is not None or row.new.reverses is not None:
            continue
        old = row.new
        if _core(old) != _core(new):
            continue
        if old.day != new.day:
            if new.item_id is not None and new.kind is EventKind.ADOPTION:
                checked.warnings.append(
                    f"第 {row.id} 号记录已登记同一条信息 {old.day} 被同一刊物同样采用，请核对是不是一回事"
                )
            continue
        exact = (old.reason, old.evidence) == (new.reason, new.evidence)
        if exact or not sure:
            remedy = "确是另一件事的，写明不同的依据，并在“确非重复”写 是（--not-duplicate）"
            found = f"已经登记过：第 {row.id} 号记录（{row.who} {day_of(row.at)} 登记）"
            if twin := above.get(f"record:{row.id}"):
                found = f"与同一文件里的另一行（{twin}）相同"
            checked.fault("kind", found, "已登记的不用再登记，把这一行删掉" if exact else remedy)
            return


def _core(new: NewRecord) -> tuple[Any, ...]:
    """What makes a record this one, besides its day and words."""
    facts = {k: v for k, v in new.facts.items() if k != "people"}
    return new.unit_id, new.kind, new.item_id, sorted(facts.items(), key=lambda f: f[0])


def _no_other_title(checked: Checked, desk: Desk, reads: Reads, above: Mapping[str, str]) -> None:
    """The same item by mail and by another channel, or by two of these, counts once."""
    read = checked.answers
    assert checked.unit is not None, "without faults the unit is known"
    around = timedelta(days=desk.book.limits.duplicate_days)
    same = reads.items_with_title(
        desk.book.info.id, checked.unit.id, normal_title(read.text("title")), read.moment - around
    )
    for item in same:
        if abs(item.received - read.moment) > around:
            continue
        if item.state is ItemState.RETURNED:
            checked.warnings.append(
                f"同名信息 {item.receipt}（{day_of(item.received)}）已退回，请核对是否补报"
            )
        if item.state not in (*COUNTED, ItemState.HELD):
            continue
        exact = item.channel == read.text("channel") and item.received == read.moment
        if exact or not read.flag("not_duplicate"):
            how = "邮件" if item.channel == MAIL_CHANNEL else "其他渠道"
            found = f"同一单位同名信息已登记：{item.receipt}（{how}，{day_of(item.received)}）"
            if twin := above.get(f"item:{item.receipt}"):
                found = f"与同一文件里的另一行（{twin}）同名"
            remedy = "确是另一条的，在“确非重复”写 是（--not-duplicate）"
            checked.fault("title", found, "已登记的不用再登记，把这一行删掉" if exact else remedy)
            return
