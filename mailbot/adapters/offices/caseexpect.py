"""Reads what a case expects (`[case.expect]`): points, places, lists, entries, or a refusal.

An expectation that nothing could fail is refused; every unit, list, column and rule in it is known.
Comparing it with what comes out is `core.rules.outcome`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import TypeVar

from mailbot.adapters.offices.casenames import Names
from mailbot.adapters.offices.rankingfile import OWN_COLUMNS
from mailbot.adapters.offices.tablereader import Table, nearest
from mailbot.core.rules.cases import Expected, ExpectedEntry

T = TypeVar("T")
MOST = 100_000


class Expectation:
    """`[case.expect]` being read. Units are named as on the period's last day."""

    def __init__(self, table: Table, names: Names, day: date) -> None:
        self.table, self.names, self.day = table, names, day

    def read(self) -> Expected:
        table, scoring = self.table, self.names.book.scoring
        table.offer(*(f.name for f in fields(Expected)))
        numbers = {q.id: None for q in self.names.book.quotas}
        columns = dict.fromkeys(
            (*OWN_COLUMNS, *(c.id for r in scoring.rankings for c in r.columns))
        )
        expected = Expected(
            entries=self._entries(),
            points=self._by_unit("points", _points),
            cumulative=self._by_unit("cumulative", _points),
            places=self._by_unit("places", lambda t, k: _count(t, k) or None),
            columns=self._by_unit("columns", lambda t, k: _counts(t, k, columns, "列")),
            missing=self._by_unit("missing", lambda t, k: _counts(t, k, numbers, "报送任务")),
            remarks=self._by_unit("remarks", lambda t, k: _counts(t, k, numbers, "报送任务")),
            tables=self._by_unit("tables", self._table),
            lists=self._lists(),
            people=self._people("people"),
            recommenders=self._people("recommenders"),
            stars=self._by_unit("stars", _count),
            error=table.text("error", "") if "error" in table.data else "",
        )
        self._check_use(expected)
        table.close()
        return expected

    def _check_use(self, expected: Expected) -> None:
        table = self.table
        others = [k for k in table.data if k != "error"]
        if table.stand_in:
            return
        if "error" in table.data and others:
            table.fault("error", f"既写了 error 又写了 {'、'.join(others)}", "拒绝的算例只写 error")
        elif "error" in table.data and not expected.error:
            table.fault("error", "是空的", "写上提示里应有的几个字")
        elif not table.data:
            table.fault("expect", "什么也没有写，这一例不会不对", "写上应有的结果，例如 points")
        for key in others:
            if table.data[key] == {}:
                table.fault(key, "是空的", f"写上应有的结果，或删掉 {key}")

    def _by_unit(self, key: str, read: Callable[[Table, str], T]) -> tuple[tuple[str, T], ...]:
        if key not in self.table.data:
            return ()
        inner = self.table.table(key)
        found: dict[str, T] = {}
        for word in inner.data:
            unit = self.names.unit(inner, word, word, self.day)
            if unit in found and unit:
                inner.fault(word, f"{unit} 写了两次", "每个单位只写一次")
            found[unit] = read(inner, word)
        return tuple(found.items())

    def _table(self, inner: Table, key: str) -> str:
        """The id of one of the ranking's tables; empty for none of them."""
        known = {t.id for r in self.names.book.scoring.rankings for t in r.tables}
        word = inner.text(key, "")
        if word and word not in known:
            inner.fault(key, f"没有这张表“{word}”", nearest(word, known))
        return word

    def _lists(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return tuple(
            (word, tuple(self.names.unit(inner, word, w, self.day) for w in inner.texts(word)))
            for inner, word in self._of_lists("lists")
        )

    def _people(self, key: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return tuple((word, inner.texts(word)) for inner, word in self._of_lists(key))

    def _of_lists(self, key: str) -> Iterator[tuple[Table, str]]:
        """Every list named in the table `key`, checked."""
        if key not in self.table.data:
            return
        inner = self.table.table(key)
        known = [r.id for r in self.names.book.scoring.lists]
        for word in inner.data:
            if word not in known:
                inner.fault(word, f"没有这份名单“{word}”", nearest(word, known))
            yield inner, word

    def _entries(self) -> tuple[ExpectedEntry, ...] | None:
        if "entries" not in self.table.data:
            return None
        rules = [r.id for r in self.names.book.scoring.rules]
        found = []
        for inner in self.table.tables("entries"):
            rule = inner.text("rule")
            if rule and rule not in rules:
                inner.fault("rule", f"没有这条规则“{rule}”", nearest(rule, rules))
            found.append(
                ExpectedEntry(
                    unit=self.names.unit(inner, "unit", inner.text("unit"), self.day),
                    rule=rule,
                    points=inner.decimal("points") or Decimal(0),
                    item=inner.text("item", ""),
                    day=inner.recent_day("day", required=False),
                    clause=inner.text("clause", ""),
                )
            )
            inner.close()
        return tuple(found)


def _points(table: Table, key: str) -> Decimal:
    return table.decimal(key) or Decimal(0)


def _count(table: Table, key: str) -> int:
    return table.number(key, most=MOST)


def _counts(
    table: Table, key: str, known: dict[str, None], what: str
) -> tuple[tuple[str, int], ...]:
    inner = table.table(key)
    for word in inner.data:
        if word not in known:
            inner.fault(word, f"没有这个{what}“{word}”", nearest(word, known))
    if not inner.data and not inner.stand_in:
        table.fault(key, "是空的", "写上应有的数，或删掉")
    return tuple((word, inner.number(word, most=MOST)) for word in inner.data)
