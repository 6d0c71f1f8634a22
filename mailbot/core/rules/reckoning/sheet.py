"""Where entries are booked, in the order of reckoning, and summed for the rules that limit them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from decimal import Decimal

from mailbot.core.rules.entries import Entry
from mailbot.core.rules.kinds import Rule
from mailbot.core.rules.periods import Period, PeriodKind

ZERO = Decimal(0)

Sums = dict[date, dict[str, Decimal]]
"""First day of a period, unit, points."""
Days = dict[date, dict[str, dict[date, Decimal]]]
"""The same, day by day."""


class Sheet:
    """The entries of one reckoning, rule by rule."""

    def __init__(self) -> None:
        self._of_rule: dict[str, list[Entry]] = {}
        self._changes: dict[str, frozenset[str]] = {}
        self._firsts: dict[PeriodKind, dict[date, date]] = defaultdict(dict)

    def open(self, rule: Rule, changes: Iterable[str] = ()) -> list[Entry]:
        """The rule's own page. `changes` are the rules whose points it only changes: a cap's, a
        floor's."""
        named = frozenset(changes)
        if named:
            self._changes[rule.id] = named
        return self._of_rule.setdefault(rule.id, [])

    def page(self, rule_id: str) -> list[Entry]:
        return self._of_rule.get(rule_id, [])

    def entries(self) -> list[Entry]:
        return [entry for page in self._of_rule.values() for entry in page]

    def with_changes(self, rules: Collection[str]) -> frozenset[str]:
        """The rules, and those that so far changed the points of nothing else: the sum of both is
        what these rules came to."""
        found = set(rules)
        for rule_id, named in self._changes.items():
            if named <= found:
                found.add(rule_id)
        return frozenset(found)

    def sums(self, kind: PeriodKind, rules: Collection[str] | None = None) -> Sums:
        """Points of each period and unit, of the named rules or of all."""
        found: Sums = defaultdict(dict)
        for first, entry in self._booked(kind, rules):
            units = found[first]
            units[entry.unit] = units.get(entry.unit, ZERO) + entry.points
        return found

    def days(self, kind: PeriodKind, rules: Collection[str] | None = None) -> Days:
        """Points of each period, unit and day, of the named rules or of all."""
        found: Days = defaultdict(dict)
        for first, entry in self._booked(kind, rules):
            days = found[first].setdefault(entry.unit, {})
            days[entry.day] = days.get(entry.day, ZERO) + entry.points
        return found

    def _booked(
        self, kind: PeriodKind, rules: Collection[str] | None
    ) -> Iterator[tuple[date, Entry]]:
        """First day of the period, and entry; those of no points left out."""
        firsts = self._firsts[kind]
        for rule_id, page in self._of_rule.items():
            if rules is not None and rule_id not in rules:
                continue
            for entry in page:
                if not entry.points:
                    continue
                first = firsts.get(entry.day)
                if first is None:
                    first = firsts[entry.day] = Period.of(kind, entry.day).first
                yield first, entry
