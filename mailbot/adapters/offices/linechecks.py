"""What the lines of points rules leave out, and which of them can never count.

A line behind one that takes all its events is dead: its points look decided and are not. And an
event that no line matches stops a reckoning (`NoRuleInForce`), so the gap is told when the data is
read, with the combination that has no points, not when the first such mail arrives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Any

from mailbot.adapters.offices.rulewords import ALL_CONDITIONS, FLAGS, OUTCOMES, Words
from mailbot.adapters.offices.tablereader import Table
from mailbot.core.rules.events import NAMES, EventKind, Fault, Form, Match
from mailbot.core.rules.kinds import Points
from mailbot.core.rules.rulebook import Categories

TOLD = 5
"""Gaps of one kind of event told at once."""


@dataclass
class PointsVersion:
    """A version of a points rule and where it stands. `end` is the next one's first day."""

    table: Table
    start: date
    values: Points | None
    end: date | None = None

    def covers(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


# --- dead lines -------------------------------------------------------------------------------


def find_unreachable(lines: Sequence[tuple[Table, Match | None]]) -> None:
    """Notes each line that an earlier one leaves nothing for. A match that is None was faulty:
    what it takes cannot be known."""
    for number, (table, later) in enumerate(lines):
        for before, (_, earlier) in enumerate(lines[:number], 1):
            if earlier is not None and later is not None and _takes_all(earlier, later):
                what = f"第 {before} 行已经包括了这一行的全部情形，这一行永远轮不到"
                table.fault("event", what, "把具体的行放在前面，或删掉多余的行")
                break


def _takes_all(earlier: Match, later: Match) -> bool:
    if earlier.event is not later.event:
        return False
    for name in ALL_CONDITIONS:
        wide, narrow = getattr(earlier, name), getattr(later, name)
        if wide is None or wide == ():
            continue
        if narrow is None or narrow == ():
            return False
        if not (set(narrow) <= set(wide) if isinstance(wide, tuple) else narrow is wide):
            return False
    return True


# --- events without points --------------------------------------------------------------------


def find_gaps(
    versions: Sequence[PointsVersion],
    words: Words,
    categories: Sequence[Categories],
) -> None:
    """Notes every combination of conditions that points rules speak of and give nothing for, on
    the first day it is so."""
    told: set[str] = set()
    days = sorted({v.start for v in versions})
    for day, end in zip_longest(days, days[1:]):
        holding = [v for v in versions if v.values is not None and v.covers(day)]
        matches: dict[EventKind, list[Match]] = {}
        for version in holding:
            for line in version.values.lines if version.values else ():
                matches.setdefault(line.match.event, []).append(line.match)
        named = _categories(categories, day, end)
        for event, lines in matches.items():
            gaps = [_told(event, gap) for gap in _gaps(lines, _domains(event, words, named))]
            fresh = [gap for gap in gaps if gap not in told]
            told.update(fresh)
            for gap in fresh[:TOLD]:
                more = f"（这样的还有 {len(fresh) - TOLD} 种）" if len(fresh) > TOLD else ""
                place = next(v for v in holding if v.values and _speaks_of(v.values, event))
                found = f"从 {day} 起，{gap} 没有记分的行{more}"
                place.table.fault("line", found, "补一行；不给分就写 points = 0")


def _speaks_of(points: Points, event: EventKind) -> bool:
    return any(line.match.event is event for line in points.lines)


def _categories(versions: Sequence[Categories], day: date, end: date | None) -> list[str]:
    """Ids of the categories an item may have from `day` until before `end`."""
    running = max((v.start for v in versions if v.start <= day), default=None)
    named = {
        c.id: None
        for v in versions
        if (running is None or v.start >= running) and (end is None or v.start < end)
        for c in v.categories
    }
    return list(named) or [c.id for v in versions for c in v.categories]


def _domains(
    event: EventKind, words: Words, categories: Sequence[str]
) -> dict[str, tuple[Any, ...]]:
    domains: dict[str, tuple[Any, ...]] = dict.fromkeys(FLAGS, (False, True))
    if event is EventKind.SUBMISSION:
        domains["follow_up"] = (False,)  # follow-ups are shown and never counted
    outcomes: tuple[Any, ...] = OUTCOMES.get(event, ())
    if event is EventKind.TASK_DONE:
        outcomes = (*outcomes, None)  # a task without a day
    return domains | {
        "category": tuple(categories),
        "journal": tuple(words.journals or ()),
        "level": words.levels_of(event) or (),
        "form": tuple(Form),
        "outcome": outcomes,
        "fault": tuple(Fault),
    }


def _gaps(
    matches: Sequence[Match], domains: Mapping[str, tuple[Any, ...]], chosen: tuple[Any, ...] = ()
) -> Iterator[dict[str, Any]]:
    """The combinations no match holds for. Splits by one condition after the other; values that
    no match tells apart are taken together, so that the cost follows the lines, not the words."""
    if not matches:
        yield dict(chosen)
        return
    done = {name for name, _ in chosen}
    name = next((n for n in ALL_CONDITIONS if n not in done and _constrains(matches[0], n)), None)
    if name is None:
        return  # the first match asks for nothing more
    classes: dict[tuple[bool, ...], list[Any]] = {}
    for value in domains[name]:
        classes.setdefault(tuple(_allows(m, name, value) for m in matches), []).append(value)
    for allowed, values in classes.items():
        rest = [m for m, yes in zip(matches, allowed, strict=True) if yes]
        yield from _gaps(rest, domains, (*chosen, (name, tuple(values))))


def _constrains(match: Match, name: str) -> bool:
    return getattr(match, name) not in (None, ())


def _allows(match: Match, name: str, value: object) -> bool:
    wanted = getattr(match, name)
    if wanted is None or wanted == ():
        return True
    return value in wanted if isinstance(wanted, tuple) else value is wanted


def _told(event: EventKind, gap: Mapping[str, tuple[Any, ...]]) -> str:
    parts = [f"{name} = {'、'.join(_word(v) for v in values)}" for name, values in gap.items()]
    return "，".join([f"{NAMES[event]}（{event.value}）", *parts])


def _word(value: object) -> str:
    if value is None:
        return "（没有）"
    return str(value).lower() if isinstance(value, bool) else str(value)
