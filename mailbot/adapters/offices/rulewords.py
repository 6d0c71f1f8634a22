"""Reads what rules say about events (`Match`), with the office's own words checked.

A match stands flat in its table: `event = "adoption"`, `journal = ["mryq"]`, `form = "brief"`. One
word or a list of words; what is not given is any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from mailbot.adapters.offices.tablereader import Table, nearest
from mailbot.core.rules.events import (
    NAMES,
    NEVER_JUDGED,
    EventKind,
    Fault,
    Form,
    Match,
    Outcome,
)
from mailbot.core.rules.scorebook import Term

E = TypeVar("E", bound=StrEnum)

FLAGS = (
    "commissioned",
    "follow_up",
    "urgent_major",
    "major",
    "serious",
    "bad_effect",
    "forecast",
)
"""Conditions of a match that are true or false; absent: either."""
ALL_CONDITIONS = ("category", "journal", "level", "form", "outcome", "fault", *FLAGS)


_ITEM = ("category", "commissioned", "follow_up", "urgent_major", "forecast")
CONDITIONS: dict[EventKind, tuple[str, ...]] = {
    EventKind.SUBMISSION: _ITEM,
    EventKind.ADOPTION: (*_ITEM, "journal", "level", "form"),
    EventKind.INSTRUCTION: (*_ITEM, "level", "form"),
    EventKind.FORWARDING: (*_ITEM, "level", "form"),
    EventKind.COMMISSION: ("category", "urgent_major", "level", "outcome"),
    EventKind.TRAINING: ("level",),
    EventKind.JOINT_RESEARCH: ("category", "level"),
    EventKind.ERROR: (*_ITEM, "level", "fault", "major", "serious", "bad_effect"),
    EventKind.TASK_DONE: ("outcome",),
}
"""What may be asked of each kind of event; the kinds that are not named have nothing to ask for.
A condition that can never hold is a slip, and a line with it would silently give nothing."""
JUDGED = tuple(kind for kind in EventKind if kind not in NEVER_JUDGED)
OUTCOMES: dict[EventKind, tuple[Outcome, ...]] = {
    EventKind.COMMISSION: (Outcome.DONE, Outcome.MISSED),
    EventKind.TASK_DONE: (Outcome.ON_TIME, Outcome.LATE),
}


@dataclass(frozen=True, slots=True)
class Words:
    """The ids that rules may use. None where the file that defines them could not be read: then
    they cannot be checked."""

    categories: Sequence[str] | None = None
    journals: Sequence[str] | None = None
    levels: Sequence[Term] | None = None
    groups: Sequence[str] | None = None
    units: Sequence[str] | None = None
    quotas: Mapping[str, bool] | None = None
    """Id and whether a missing item is only a remark."""

    def levels_of(self, event: EventKind) -> tuple[str, ...] | None:
        """The levels that an event of that kind may name."""
        if self.levels is None:
            return None
        return tuple(t.id for t in self.levels if not t.events or event in t.events)


def read_match(table: Table, words: Words) -> Match:
    """The conditions in a table that may hold other keys as well; the caller closes it."""
    event = EventKind(table.choice("event", JUDGED))
    table.offer(*ALL_CONDITIONS)
    match = Match(
        event=event,
        category=known(table, "category", words.categories, "类别"),
        journal=known(table, "journal", words.journals, "刊物"),
        level=_levels(table, event, words),
        form=members(table, "form", Form),
        outcome=members(table, "outcome", Outcome),
        fault=members(table, "fault", Fault),
        **{name: table.flag(name) if name in table.data else None for name in FLAGS},
    )
    if table.data.get("event") == event.value:
        _check_sense(table, match)
    return match


def _levels(table: Table, event: EventKind, words: Words) -> tuple[str, ...]:
    every = None if words.levels is None else [t.id for t in words.levels]
    found = known(table, "level", every, "级别")
    allowed = words.levels_of(event)
    if allowed is not None and every is not None and "level" in CONDITIONS.get(event, ()):
        for word in found:
            if word in every and word not in allowed:
                what = f"级别“{word}”不用于{NAMES[event]}（见 [[level]] 的 events）"
                table.fault("level", what, nearest(word, allowed))
    return found


def _check_sense(table: Table, match: Match) -> None:
    sensible = CONDITIONS.get(match.event, ())
    for name in ALL_CONDITIONS:
        if name in table.data and name not in sensible:
            what = f"{NAMES[match.event]}（{match.event.value}）没有 {name} 可言"
            hint = f"删掉；能写的条件：{'、'.join(sensible)}" if sensible else "删掉这个条件"
            table.fault(name, what, hint)
    if "outcome" in sensible:
        for outcome in match.outcome:
            if outcome not in OUTCOMES[match.event]:
                what = f"{NAMES[match.event]}不会是“{outcome.value}”"
                options = "、".join(o.value for o in OUTCOMES[match.event])
                table.fault("outcome", what, f"可用的有：{options}")


def read_matches(
    table: Table, key: str, words: Words, *, required: bool = False
) -> tuple[Match, ...]:
    """The matches of `key`, a list of tables."""
    found = []
    for inner in table.tables(key, required=required):
        found.append(read_match(inner, words))
        inner.close()
    return tuple(found)


def known(
    table: Table, key: str, ids: Iterable[str] | None, what: str, *, required: bool = False
) -> tuple[str, ...]:
    """One word or several, each an id the office knows."""
    found = one_or_more(table, key, required=required)
    if ids is not None:
        options = list(ids)
        for word in found:
            if word not in options:
                table.fault(key, f"没有这个{what}“{word}”", nearest(word, options))
    return found


def one_or_more(table: Table, key: str, *, required: bool = False) -> tuple[str, ...]:
    if isinstance(table.data.get(key), str):
        word = table.text(key)
        return (word,) if word else ()
    return table.texts(key, required=required)


def members(table: Table, key: str, kind: type[E], *, required: bool = False) -> tuple[E, ...]:
    """One word or several of a closed list."""
    options = [member.value for member in kind]
    found = one_or_more(table, key, required=required)
    for word in found:
        if word not in options:
            table.fault(key, f"不认识“{word}”", nearest(word, options))
    return tuple(kind(word) for word in found if word in options)
