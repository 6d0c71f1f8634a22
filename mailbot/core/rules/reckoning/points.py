"""Points that events give: `points` with their `multiplier`s, highest-only and joint items.

All rules of the kind go through the events together, because an event has to be known to one of
them: a kind of event that lines in force speak of, and that none of them matches, is an error and
never zero points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from mailbot.core.rules.basis import NoRuleInForce, in_force
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event, EventKind, Match
from mailbot.core.rules.kinds import Joint, Line, Multiplier, Points, Repeat, Rule, Version
from mailbot.core.rules.matching import Matcher
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.quick import quick
from mailbot.core.rules.reckoning.frame import (
    Frame,
    UnscorableEvent,
    choosing_day,
    governing,
    rounded,
)
from mailbot.core.rules.reckoning.sheet import ZERO, Sheet


def book_points(
    rules: Sequence[Rule],
    multipliers: Sequence[Rule],
    frame: Frame,
    sheet: Sheet,
    opening: date,
) -> None:
    """`opening` is the first day of the office's rules; what they score, dated before it, is
    `NoRuleInForce`. Factors enter the points here, before the highest is looked for."""
    readers = [_Reader(rule, multipliers) for rule in rules]
    speaking: dict[EventKind, list[_Reader]] = {}
    for reader in readers:
        for kind in reader.kinds:
            speaking.setdefault(kind, []).append(reader)
    for event in frame.events:
        if event.day > frame.horizon:
            break
        if event.kind in speaking:
            _read(event, speaking[event.kind], frame, opening)
    for reader in readers:
        sheet.open(reader.rule).extend(_entries(reader, frame))


def _read(event: Event, readers: list[_Reader], frame: Frame, opening: date) -> None:
    spoken = matched = False
    for reader in readers:
        page = reader.page(event.day)
        if page is None or event.kind not in page.matcher.kinds:
            continue
        spoken = True
        line = page.matcher.first(event)
        if line is not None:
            matched = True
            reader.hits.append((event, page, page.values.lines[line]))
    # What lies before the days asked for only tells what was highest, or is limited with them.
    if spoken and not matched and event.day >= frame.start:
        raise NoRuleInForce(frame.office, f"分值：{frame.words.event(event)}", event.day)
    if not spoken and event.day >= frame.first:
        chosen = max(choosing_day(reader.rule.dated_by, event.day) for reader in readers)
        if chosen < opening:
            raise NoRuleInForce(frame.office, f"分值：{frame.words.event(event)}", event.day)


def _names(multiplier: Rule, rule_id: str) -> bool:
    values = (v.values for v in multiplier.versions if isinstance(v.values, Multiplier))
    return any(rule_id in v.rules for v in values)


class _Page:
    """One version, ready to be asked."""

    __slots__ = ("matcher", "values", "version")

    def __init__(self, version: Version, values: Points) -> None:
        self.version = version
        self.values = values
        self.matcher = Matcher([line.match for line in values.lines])


class _Reader:
    """One rule: its versions, and the events that they match."""

    def __init__(self, rule: Rule, multipliers: Sequence[Rule]) -> None:
        self.rule = rule
        self.factors = [_Factor(m, rule.id) for m in multipliers if _names(m, rule.id)]
        self.hits: list[tuple[Event, _Page, Line]] = []
        self._pages = {
            version.start: _Page(version, version.values)
            for version in rule.versions
            if isinstance(version.values, Points)
        }
        self._of_day: dict[date, _Page | None] = {}
        self.kinds = {kind for page in self._pages.values() for kind in page.matcher.kinds}

    def page(self, day: date) -> _Page | None:
        """What holds for an event of that day; None before the first version, or repealed."""
        try:
            return self._of_day[day]
        except KeyError:
            version = in_force(self.rule.versions, choosing_day(self.rule.dated_by, day))
            page = None if version is None else self._pages.get(version.start)
            self._of_day[day] = page
            return page

    @property
    def compares(self) -> bool:
        """Does any version count only the highest?"""
        return any(page.values.repeat is not Repeat.EACH for page in self._pages.values())


_booked = quick(Entry)


class _Claim(NamedTuple):
    """What an event would give a unit if it were the only one."""

    event: Event
    page: _Page
    line: Line
    unit: str
    points: Decimal
    remark: str
    clause: str
    excused: bool


LIKE_ONES = (
    EventKind.SUBMISSION,
    EventKind.ADOPTION,
    EventKind.INSTRUCTION,
    EventKind.FORWARDING,
)
"""Events whose `times` are like ones taken together, each worth the points; of the others
`times` are persons or the like, which a line has to count (`per_count`)."""


def _claims(reader: _Reader, frame: Frame) -> Iterator[_Claim]:
    for event, page, line in reader.hits:
        times = event.times if line.per_count or event.kind in LIKE_ONES else 1
        points, remark, clause = line.points, "", line.clause
        for factor in reader.factors:
            points, remark, clause = factor(event, points, remark, clause)
        for unit, share, shared in _shares(event, page.values.joint, points, frame):
            if line.excused_by and frame.is_excused(event, unit, line.excused_by):
                excused = "（情况说明已获认可，不计）"
                yield _Claim(event, page, line, unit, ZERO, excused, clause, True)
            else:
                worth = share if times == 1 else share * times
                yield _Claim(event, page, line, unit, worth, remark + shared, clause, False)


class _Factor:
    """A multiplier, ready to be asked about the events of one rule."""

    def __init__(self, rule: Rule, of: str) -> None:
        self._rule, self._of = rule, of
        self._of_day: dict[date, tuple[Version, Multiplier, Matcher] | None] = {}

    def __call__(
        self, event: Event, points: Decimal, remark: str, clause: str
    ) -> tuple[Decimal, str, str]:
        now = self._now(event.day)
        if now is None or not now[2](event):
            return points, remark, clause
        version, multiplier, _ = now
        said = f"{remark}（{self._rule.name}：{plain(points)} 分乘以 {plain(multiplier.factor)}）"
        basis = f"{version.basis.document} {version.basis.clause}"
        return rounded(points * multiplier.factor), said, f"{clause}；{basis}"

    def _now(self, day: date) -> tuple[Version, Multiplier, Matcher] | None:
        if day not in self._of_day:
            found = governing(self._rule, choosing_day(self._rule.dated_by, day), Multiplier)
            known = found is not None and self._of in found[1].rules
            self._of_day[day] = (
                (*found, Matcher(found[1].matches)) if found is not None and known else None
            )
        return self._of_day[day]


def _shares(
    event: Event, joint: Joint, points: Decimal, frame: Frame
) -> Iterator[tuple[str, Decimal, str]]:
    """Each unit of a joint item with its part of the points."""
    if not event.partners:
        yield event.unit, points, ""
        return
    units = (event.unit, *event.partners)
    match joint:
        case Joint.FULL:
            for unit in units:
                yield unit, points, "（联合报送）"
        case Joint.EQUAL:
            for unit in units:
                yield unit, rounded(points / len(units)), f"（联合报送，{len(units)} 家均分）"
        case Joint.HAND:
            by_hand = dict(event.shares)
            if set(by_hand) != set(units):
                named = "、".join(frame.words.unit(unit) for unit in units)
                raise UnscorableEvent(
                    frame.office,
                    event,
                    f"{named}联合报送，要写明这几家各占多少，合计为 1；作废这条记录，重新登记",
                )
            for unit in units:
                part = by_hand[unit]
                yield unit, rounded(points * part), f"（联合报送，占 {plain(part * 100)}%）"


def _entries(reader: _Reader, frame: Frame) -> Iterator[Entry]:
    if not reader.compares:
        for claim in _claims(reader, frame):
            if claim.event.day >= frame.start and not _unasked(claim, claim.points):
                yield _entry(reader.rule, claim, claim.points, frame)
        return
    best: dict[tuple[str | Match | int, ...], Decimal] = {}
    # Of two on one day the higher is looked at first, whichever was entered first.
    for claim in sorted(_claims(reader, frame), key=lambda c: (c.event.day, -c.points)):
        points, remark = _beyond(claim, best)
        if claim.event.day >= frame.start and not _unasked(claim, points):
            yield _entry(reader.rule, claim, points, frame, remark)


def _beyond(
    claim: _Claim, best: dict[tuple[str | Match | int, ...], Decimal]
) -> tuple[Decimal, str]:
    """The points by which the claim is higher than what the unit has for the same already."""
    repeat = claim.page.values.repeat
    if claim.excused:
        return claim.points, ""
    key: tuple[str | Match | int, ...]
    if repeat is Repeat.HIGHEST_PER_YEAR:
        key = (claim.unit, claim.line.match, claim.event.day.year)
    elif claim.event.item:
        key = (claim.unit, claim.event.item)
    else:
        return claim.points, ""
    before = best.get(key)
    best[key] = claim.points if before is None else max(before, claim.points)
    if before is None or repeat is Repeat.EACH:
        return claim.points, ""
    scope = "本年" if repeat is Repeat.HIGHEST_PER_YEAR else "同一信息"
    if claim.points <= before:
        return ZERO, f"（{scope}已计 {plain(before)} 分，就高，不重复计）"
    return claim.points - before, f"（{scope}已计 {plain(before)} 分，就高，补计差额）"


def _unasked(claim: _Claim, points: Decimal) -> bool:
    """Many like items taken together that are worth nothing: nobody asks why."""
    return not points and claim.event.kind is EventKind.SUBMISSION and not claim.event.item


def _entry(rule: Rule, claim: _Claim, points: Decimal, frame: Frame, remark: str = "") -> Entry:
    event, line = claim.event, claim.line
    return _booked(
        unit=claim.unit,
        day=event.day,
        rule=rule.id,
        version=claim.page.version.start,
        points=points,
        document=claim.page.version.basis.document,
        clause=claim.clause,
        text=_text(claim, remark, frame) if frame.texts else "",
        item=event.item,
        events=(event.id,),
        times=event.times,
        # Stars stand beside what counts; nothing is added for what was topped before.
        stars=line.stars if points or not (remark or claim.excused) else 0,
    )


def _text(claim: _Claim, remark: str, frame: Frame) -> str:
    return frame.words.event(claim.event, claim.line.label) + claim.remark + remark
