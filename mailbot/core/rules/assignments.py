"""The commissions (约稿) that were given and not yet finished, out of the events.

A commission given is one unit's. A finished one names its number; without a number it finishes
what the same unit was given under the same title, the oldest first. What neither fits stays open
until a person names the number. Given anew under its number (another due day), only the last
giving counts; given anew after it was finished, it is open again.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable

from mailbot.core.intake.titles import normal_title
from mailbot.core.rules.events import Event, EventKind, units_of
from mailbot.core.rules.quota import in_order
from mailbot.core.rules.tasktable import OpenTask


def number_key(number: str) -> str:
    """As two writings of one number are compared: without widths, blanks and case."""
    plain = unicodedata.normalize("NFKC", number).casefold()
    return "".join(c for c in plain if not c.isspace())


def given_last(events: Iterable[Event]) -> dict[str, list[Event]]:
    """By unit, what it was given, in the order it was; of one number the last giving only."""
    found: dict[str, dict[str, Event]] = {}
    for event in sorted((e for e in events if e.kind is EventKind.ASSIGNMENT), key=in_order):
        for unit in units_of(event):
            given, key = found.setdefault(unit, {}), number_key(event.item) or event.id
            given.pop(key, None)
            given[key] = event
    return {unit: list(given.values()) for unit, given in found.items()}


def open_assignments(events: Iterable[Event]) -> dict[str, list[OpenTask]]:
    """By unit, in the order they were given. `events`: the commissions given, and the finished
    ones from the day of the earliest giving on."""
    known = list(events)
    finished = _Finished(known)
    found: dict[str, list[OpenTask]] = {}
    for unit, givings in given_last(known).items():
        left = [OpenTask(g, g.due) for g in givings if not finished.takes(unit, g)]
        if left:
            found[unit] = left
    return found


class _Finished:
    """What was finished, by number or, where it says none, by title."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._numbers: dict[tuple[str, str], Event] = {}
        self._titles: dict[tuple[str, str], list[Event]] = {}
        for event in sorted((e for e in events if e.kind is EventKind.COMMISSION), key=in_order):
            for unit in units_of(event):
                if event.about:
                    self._numbers[unit, number_key(event.about)] = event
                elif title := normal_title(event.title):
                    self._titles.setdefault((unit, title), []).append(event)

    def takes(self, unit: str, given: Event) -> bool:
        """Was it finished? Each finished one without a number is used up by one giving."""
        done = self._numbers.get((unit, number_key(given.item))) if given.item else None
        if done is not None and done.day >= given.day:
            return True
        same = self._titles.get((unit, normal_title(given.title)), [])
        first = bisect_left(same, given.day, key=lambda e: e.day)
        if first == len(same):
            return False
        del same[first]
        return True
