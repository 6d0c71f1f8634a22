"""Matching many events against few matches, fast.

`Match.__call__` looks at every condition of every match. Over a year's events that is most of the
work, while the events differ only in a handful of ways: a `Matcher` looks at the fields that its
matches constrain, and remembers what came of each combination. It never answers differently from
asking the matches one by one in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

from mailbot.core.rules.events import Event, EventKind, Match

_CONDITIONS = tuple(f.name for f in fields(Match) if f.name != "event")


class Matcher:
    """The first of several matches that holds for an event."""

    def __init__(self, matches: Sequence[Match]) -> None:
        self._tables: dict[EventKind, _Table] = {}
        for kind in {m.event for m in matches}:
            own = [(n, m) for n, m in enumerate(matches) if m.event is kind]
            self._tables[kind] = _Table(own)

    @property
    def kinds(self) -> frozenset[EventKind]:
        """The kinds of event it speaks of at all."""
        return frozenset(self._tables)

    def first(self, event: Event) -> int | None:
        """Its position; None when none holds."""
        table = self._tables.get(event.kind)
        return None if table is None else table.first(event)

    def __call__(self, event: Event) -> bool:
        return self.first(event) is not None


class _Table:
    """The matches of one kind of event."""

    __slots__ = ("_key", "_known", "_matches")

    def __init__(self, matches: list[tuple[int, Match]]) -> None:
        self._matches = matches
        self._key = _constrained(m for _, m in matches)
        self._known: dict[Any, int | None] = {}

    def first(self, event: Event) -> int | None:
        key = self._key(event)
        try:
            return self._known[key]
        except KeyError:
            found = next((n for n, match in self._matches if match(event)), None)
            self._known[key] = found
            return found


def _constrained(matches: Any) -> Callable[[Event], Any]:
    """Reads the fields that at least one of the matches constrains."""
    given = list(matches)
    names = [n for n in _CONDITIONS if any(getattr(m, n) not in (None, ()) for m in given)]
    return attrgetter(*names) if names else lambda _: None


def matches_in(value: object) -> Iterator[Match]:
    """All matches within a value of the rule book, however deep they stand."""
    if isinstance(value, Match):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from matches_in(one)
    elif is_dataclass(value):
        for field in fields(value):
            yield from matches_in(getattr(value, field.name))


def classes(matches: Iterable[Match]) -> Callable[[str], Hashable]:
    """Sorts categories: two are of one class when every match answers the same for both."""
    named = {match.category for match in matches if match.category}
    known: dict[str, Hashable] = {}

    def class_of(category: str) -> Hashable:
        if category not in known:
            known[category] = frozenset(one for one in named if category in one)
        return known[category]

    return class_of
