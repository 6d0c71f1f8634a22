"""Points set by a person (`manual`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from mailbot.core.rules.basis import NoRuleInForce, in_force
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event, EventKind
from mailbot.core.rules.kinds import Manual, Rule, Version
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.reckoning.frame import (
    Frame,
    UnscorableEvent,
    choosing_day,
)
from mailbot.core.rules.reckoning.sheet import ZERO, Sheet


def book_manual(rules: Sequence[Rule], frame: Frame, sheet: Sheet) -> None:
    """Raises `NoRuleInForce` where the event names no such rule or none that existed by then, and
    `UnscorableEvent` where its points are out of the rule's range."""
    known = {rule.id: rule for rule in rules}
    pages = {rule.id: sheet.open(rule) for rule in rules}
    for event in _asked_for(frame):
        rule = known.get(event.rule)
        if rule is None:
            raise NoRuleInForce(frame.office, f"人工记分规则“{event.rule}”", event.day)
        version = in_force(rule.versions, choosing_day(rule.dated_by, event.day))
        if version is None:
            raise NoRuleInForce(frame.office, f"人工记分规则“{event.rule}”", event.day)
        pages[rule.id].append(_set_by_hand(rule, version, event, frame))


def _asked_for(frame: Frame) -> Iterator[Event]:
    return (
        event
        for event in frame.of_kind(EventKind.MANUAL)
        if frame.start <= event.day <= frame.horizon
    )


def _set_by_hand(rule: Rule, version: Version, event: Event, frame: Frame) -> Entry:
    text = f"{rule.name}：{event.reason or frame.words.event(event)}"
    points = ZERO
    if isinstance(version.values, Manual):
        points = _within(version.values, event, rule, frame)
    else:
        text += "（该规则已废止，不计）"
    return Entry(
        unit=event.unit,
        day=event.day,
        rule=rule.id,
        version=version.start,
        points=points,
        document=version.basis.document,
        clause=version.basis.clause,
        text=text,
        item=event.item,
        events=(event.id,),
        times=event.times,
    )


def _within(values: Manual, event: Event, rule: Rule, frame: Frame) -> Decimal:
    if event.points is None or not values.least <= event.points <= values.most:
        found = "没有写分值" if event.points is None else f"记了 {plain(event.points)} 分"
        raise UnscorableEvent(
            frame.office,
            event,
            f"“{rule.name}”{found}，只能在 {plain(values.least)} 到 {plain(values.most)} 之间；"
            "作废这条记录，重新登记",
        )
    return event.points
