"""Points set by a person (`manual`), and points times a factor (`multiplier`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from mailbot.core.rules.basis import NoRuleInForce, in_force
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event, EventKind
from mailbot.core.rules.kinds import Manual, Multiplier, Rule, Version
from mailbot.core.rules.matching import Matcher
from mailbot.core.rules.reckoning.frame import (
    Frame,
    UnscorableEvent,
    choosing_day,
    governing,
    rounded,
)
from mailbot.core.rules.reckoning.sheet import ZERO, Sheet
from mailbot.core.rules.reckoning.words import plain


def book_multiplier(rule: Rule, frame: Frame, sheet: Sheet) -> None:
    """The difference that the factor makes, beside each entry that it applies to. Of an item that
    counts by its highest adoption, to each step by itself."""
    page = sheet.open(rule, changes=_named(rule))
    known: dict[date, tuple[Version, Multiplier, Matcher] | None] = {}
    for rule_id in _named(rule):
        for entry in sheet.page(rule_id) if rule_id != rule.id else ():
            event = frame.by_id.get(entry.events[0]) if len(entry.events) == 1 else None
            if event is None or not entry.points:
                continue
            if event.day not in known:
                known[event.day] = _multiplier(rule, event.day)
            now = known[event.day]
            if now is None or rule_id not in now[1].rules or not now[2](event):
                continue
            page.append(_multiplied(rule, now[0], now[1].factor, entry, event))


def _named(rule: Rule) -> dict[str, None]:
    """The rules that any version multiplies, in the order of the file."""
    values = (v.values for v in rule.versions if isinstance(v.values, Multiplier))
    return {rule_id: None for v in values for rule_id in v.rules}


def _multiplier(rule: Rule, day: date) -> tuple[Version, Multiplier, Matcher] | None:
    found = governing(rule, choosing_day(rule.dated_by, day), Multiplier)
    return None if found is None else (*found, Matcher(found[1].matches))


def _multiplied(rule: Rule, version: Version, factor: Decimal, entry: Entry, event: Event) -> Entry:
    # Like items taken together are rounded one by one, as they would be apart.
    times = event.times if event.kind is EventKind.SUBMISSION else 1
    return Entry(
        unit=entry.unit,
        day=entry.day,
        rule=rule.id,
        version=version.start,
        points=rounded(entry.points / times * (factor - 1)) * times,
        document=version.basis.document,
        clause=version.basis.clause,
        text=f"{rule.name}：{entry.text}，{plain(entry.points)} 分乘以 {plain(factor)}",
        item=entry.item,
        events=entry.events,
        times=entry.times,
    )


def book_manual(rules: Sequence[Rule], frame: Frame, sheet: Sheet) -> None:
    """Raises `NoRuleInForce` where the event names no such rule or none that existed by then, and
    `UnscorableEvent` where its points are out of the rule's range."""
    known = {rule.id: rule for rule in rules}
    pages = {rule.id: sheet.open(rule) for rule in rules}
    for event in _asked_for(frame):
        rule = known.get(event.rule)
        if rule is None:
            raise NoRuleInForce(frame.office, f"manual rule {event.rule!r}", event.day)
        version = in_force(rule.versions, choosing_day(rule.dated_by, event.day))
        if version is None:
            raise NoRuleInForce(frame.office, f"manual rule {event.rule!r}", event.day)
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
        found = "no points" if event.points is None else f"{plain(event.points)} points"
        raise UnscorableEvent(
            frame.office,
            event,
            f"{found} by rule {rule.id!r}, which allows {plain(values.least)} to"
            f" {plain(values.most)}; reverse the record and enter it again within the range",
        )
    return event.points
