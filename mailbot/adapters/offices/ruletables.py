"""What all rule files share: every rule has a basis, every version a first day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from mailbot.adapters.offices.tablereader import STAND_IN_DATE, Table
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.scorebook import Left

V = TypeVar("V")


def read_basis(table: Table) -> Basis:
    """`basis = { document, clause, reading?, alternative? }`, required: a number without its
    document cannot be explained to the unit that disputes it."""
    inner = table.table("basis")
    basis = Basis(
        document=inner.text("document"),
        clause=inner.text("clause"),
        reading=inner.flag("reading"),
        alternative=inner.text("alternative", ""),
    )
    if basis.alternative and not basis.reading:
        inner.fault("alternative", "写了另一种理解，却没有标 reading", "加上 reading = true")
    inner.close()
    return basis


def read_left(root: Table) -> tuple[Left, ...]:
    """`[[left]] about, basis`: what the document leaves to the office."""
    found = []
    for table in root.tables("left"):
        found.append(Left(table.text("about"), read_basis(table)))
        table.close()
    return tuple(found)


def read_versions(root: Table, key: str, read: Callable[[Table, date, Basis], V]) -> tuple[V, ...]:
    """The dated versions `[[key]]` by their first day (`from`). Two with the same first day
    overlap, and nobody could say which holds: a fault."""
    found: list[tuple[date, V]] = []
    seen: set[date] = set()
    for table in root.tables(key, required=True):
        start = table.recent_day("from") or STAND_IN_DATE
        if start != STAND_IN_DATE and start in seen:
            table.fault(
                "from",
                f"另一个 [[{root.dotted(key)}]] 也从 {start} 起",
                "每个版本的起始日期各不相同",
            )
        elif start != STAND_IN_DATE and any(start < earlier for earlier in seen):
            table.fault(
                "from",
                f"{start} 早于写在前面的 {max(seen)}",
                "版本从早到晚写；年份写错了就改正",
            )
        seen.add(start)
        found.append((start, read(table, start, read_basis(table))))
        table.close()
    return tuple(version for _, version in sorted(found, key=lambda f: f[0]))
