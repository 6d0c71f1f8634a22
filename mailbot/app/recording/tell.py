"""An entry as the event the rules see, and as one Chinese sentence people can check.

Pure. `facts` of a record are JSON (`NewRecord.facts`); `to_facts` and `as_event` are each other's
inverse for every field of an event that a record may carry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from mailbot.app.recording.columns import CHANNEL_NAMES
from mailbot.app.records import ItemRow, NewRecord
from mailbot.core.rules.events import (
    NAMES,
    Event,
    EventKind,
    Fault,
    Form,
    Outcome,
    Signer,
    UnitStatus,
)
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.reckoning.words import Words
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Term
from mailbot.core.subject.units import unit_name

_WORDS: dict[str, type[StrEnum]] = {
    "form": Form,
    "outcome": Outcome,
    "fault": Fault,
    "signer": Signer,
    "status": UnitStatus,
}
URGENT = "urgent"
"""Lane of an item that is a major urgent one."""
FOLLOW_UP = "follow_up"
"""Flag of an item that continues an earlier report."""
_NAMES = frozenset(f.name for f in fields(Event))


def to_facts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of an event as JSON: Decimal as text, days as ISO text, words as their codes."""
    return {name: _json(value) for name, value in values.items() if value not in (None, "", ())}


def _json(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_json(v) for v in value]
    return value


def as_event(new: NewRecord, event_id: str, item: ItemRow | None = None) -> Event:
    """The event of a record (not of a reversal). What the item says comes from the item."""
    values = {k: _typed(k, v) for k, v in new.facts.items() if k in _NAMES}
    if item is not None:
        values |= {
            "item": item.receipt,
            "title": item.version.title,
            "category": item.version.category,
            "commissioned": item.commissioned,
            "follow_up": FOLLOW_UP in item.flags,
        }
        values.setdefault("urgent_major", item.lane == URGENT)
    return Event(
        **{
            **values,
            "id": event_id,
            "kind": new.kind,
            "unit": new.unit_id,
            "day": new.day,
            "reason": new.reason,
            "evidence": new.evidence,
        }
    )


def _typed(name: str, value: Any) -> Any:
    if name in _WORDS:
        return _WORDS[name](value)
    if name == "points":
        return Decimal(value)
    if name in ("due", "recorded"):
        return date.fromisoformat(value)
    if name == "shares":
        return tuple((unit, Decimal(part)) for unit, part in value)
    if name in ("partners", "people"):
        return tuple(value)
    return value


# --- the sentence ------------------------------------------------------------------------------


def sentence(event: Event, book: OfficeBook) -> str:
    """2026年8月3日，农牧局《牧区饮水……》（EQ202608-0012）被《每日要情》采用（简讯）。"""
    day = f"{event.day.year}年{event.day.month}月{event.day.day}日"
    others = "、".join(unit_name(p, book.roster) for p in event.partners)
    who = unit_name(event.unit, book.roster) + (f"（联合单位：{others}）" if others else "")
    what = _WHAT[event.kind](event, book)
    times = event.times if event.kind not in _COUNTED and event.times > 1 else 0
    remarks = [f"{times} 次" if times else "", f"理由：{event.reason}" if event.reason else ""]
    remarks.append("；".join(event.people))
    if event.shares:
        shared = "、".join(f"{unit_name(u, book.roster)}{plain(p)}" for u, p in event.shares)
        remarks.append(f"分配：{shared}")
    tail = "".join(f"；{r}" for r in remarks if r)
    return f"{day}，{who}{what}{tail}。"


_COUNTED = (EventKind.STAFF, EventKind.TRAINING)
"""Say themselves how many."""


def submission_sentence(event: Event, channel: str, book: OfficeBook) -> str:
    """The same for an item of another channel."""
    return (
        sentence(event, book).removesuffix("。")
        + f"，渠道：{CHANNEL_NAMES.get(channel, channel)}。"
    )


def _item(event: Event) -> str:
    number = f"（{event.item}）" if event.item and event.title else event.item
    return (f"“{event.title}”" if event.title else "") + number


def _term(terms: tuple[Term, ...], term_id: str) -> str:
    return next((t.name for t in terms if t.id == term_id), term_id)


def _level(event: Event, book: OfficeBook) -> str:
    return _term(book.scoring.levels, event.level)


def _category(event: Event, book: OfficeBook) -> str:
    names = {c.id: c.name for v in book.categories for c in v.categories}
    return names.get(event.category, event.category)


def _urgent(event: Event) -> str:
    return "，属重大紧急类" if event.urgent_major else ""


def _form(event: Event) -> str:
    """Of other events than adoptions only where it is not the usual one."""
    return "" if event.form is Form.FULL else f"（{NAMES[event.form]}）"


def _adoption(event: Event, book: OfficeBook) -> str:
    level = f"，级别：{_level(event, book)}" if event.level else ""
    journal = Words(book).journal(event.journal) if event.journal else ""
    return f"{_item(event)}被{journal}采用（{NAMES[event.form]}{level}）{_urgent(event)}"


def _error(event: Event, book: OfficeBook) -> str:
    marks = (
        (event.major, "重大信息"),
        (event.serious, "情节严重"),
        (event.bad_effect, "造成不良影响"),
        (event.forecast, "预测预警或情况后来变化"),
    )
    told = "、".join(word for holds, word in marks if holds)
    assert event.fault is not None, "an error has its fault"
    return f"{_item(event)}差错：{NAMES[event.fault]}" + (f"（{told}）" if told else "")


def _commission(event: Event, book: OfficeBook) -> str:
    assert event.outcome is not None, "a commission that is recorded is finished"
    number = f"（约稿编号 {event.about}）" if event.about else ""
    return f"{_level(event, book)}约稿{_item(event)}{number}{NAMES[event.outcome]}"


def _assignment(event: Event, book: OfficeBook) -> str:
    return f"接到{_level(event, book)}约稿{_item(event)}{_due(event)}"


def _explanation(event: Event, book: OfficeBook) -> str:
    assert event.signer is not None, "an explanation is signed"
    taken = "予以采纳" if event.accepted else "不予采纳"
    return f"对{event.about.replace('record:', '第')}号记录作情况说明，{NAMES[event.signer]}签字，{taken}"


def _manual(event: Event, book: OfficeBook) -> str:
    name = next((r.name for r in book.scoring.rules if r.id == event.rule), event.rule)
    points = plain(event.points) if event.points is not None else "0"
    return f"按“{name}”人工记 {points} 分"


def _mention(event: Event, book: OfficeBook) -> str:
    name = next((r.name for r in book.scoring.lists if r.id == event.rule), event.rule)
    return f"列入“{name}”名单"


def _status(event: Event, book: OfficeBook) -> str:
    assert event.status is not None, "a change of status says to which"
    return f"资格变动：自当日起{NAMES[event.status]}"


def _task(event: Event, book: OfficeBook) -> str:
    return f"承担台账任务 {event.item}{_due(event)}"


def _due(event: Event) -> str:
    due = event.due
    return f"，{due.year}年{due.month}月{due.day}日前完成" if due else ""


_WHAT: dict[EventKind, Callable[[Event, OfficeBook], str]] = {
    EventKind.SUBMISSION: lambda e, b: (
        f"报送{_item(e)}，类别：{_category(e, b)}"
        + ("，系约稿" if e.commissioned else "")
        + ("，系续报" if e.follow_up else "")
        + _urgent(e)
    ),
    EventKind.ADOPTION: _adoption,
    EventKind.INSTRUCTION: lambda e, b: f"{_item(e)}获{_level(e, b)}领导批示{_form(e)}{_urgent(e)}",
    EventKind.FORWARDING: lambda e, b: f"{_item(e)}转报{_level(e, b)}{_form(e)}{_urgent(e)}",
    EventKind.COMMISSION: _commission,
    EventKind.STAFF: lambda e, b: f"增配专职人员 {e.times} 人",
    EventKind.TRAINING: lambda e, b: f"以干代训 {e.times} 人次",
    EventKind.JOINT_RESEARCH: lambda e, b: f"参加联合调研{_item(e)}",
    EventKind.FILING: lambda e, b: f"信息工作制度备案{_item(e)}",
    EventKind.ERROR: _error,
    EventKind.EXPLANATION: _explanation,
    EventKind.MANUAL: _manual,
    EventKind.MENTION: _mention,
    EventKind.STATUS: _status,
    EventKind.TASK: _task,
    EventKind.TASK_DONE: lambda e, b: f"完成台账任务 {e.item}",
    EventKind.ASSIGNMENT: _assignment,
}
