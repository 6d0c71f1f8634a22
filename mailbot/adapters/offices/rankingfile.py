"""Reads the `[[ranking]]` tables of `scoring.toml`: which groups stand together, sorted by what.

Schema: `[[ranking]] from, basis, order, ties?, unranked?`, `[[ranking.table]] id, name, groups`,
`[[ranking.column]] id, name, match?, count?, less?`. Places are `core.rules.standings`' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from mailbot.adapters.offices.ruletables import read_versions
from mailbot.adapters.offices.rulewords import Words, known, members, read_matches
from mailbot.adapters.offices.tablereader import Table
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.scorebook import Column, ColumnCount, OrderBy, Ranking, RankingTable, Ties

OWN_COLUMNS = ("submissions", "adopted")
"""Columns that every table has."""


def read_rankings(root: Table, words: Words) -> tuple[Ranking, ...]:
    return read_versions(root, "ranking", lambda t, s, b: _ranking(t, s, b, words))


def _ranking(table: Table, start: date, basis: Basis, words: Words) -> Ranking:
    order = _order(table)
    tables = _tables(table, words, required=bool(order))
    return Ranking(
        start=start,
        basis=basis,
        tables=tables,
        order=order,
        ties=Ties(table.choice("ties", Ties, Ties.SHARE.value)),
        columns=_columns(table, words),
        unranked=_unranked(table, tables, words),
    )


def _unranked(table: Table, tables: Sequence[RankingTable], words: Words) -> tuple[str, ...]:
    """Every group stands in a table or among these: a forgotten one would silently be unranked."""
    unranked = known(table, "unranked", words.groups, "组")
    ranked = {group for one in tables for group in one.groups}
    for group in unranked:
        if group in ranked:
            table.fault("unranked", f"组“{group}”已在一张排名表里", "从一处删掉")
    missing = [g for g in words.groups or () if g not in ranked and g not in unranked]
    if missing and tables:
        remedy = "写进一张 [[ranking.table]]；不参加排名的写 unranked = [...]"
        table.fault("unranked", f"这些组不在任何一张表里：{'、'.join(missing)}", remedy)
    return unranked


def _order(table: Table) -> tuple[OrderBy, ...]:
    """Required, though it may be empty: that nobody is ranked must be said. By points after a
    fault, so that nothing seems unranked."""
    before = len(table.source.faults)
    if "order" not in table.data:
        table.fault("order", "缺少 order", '补上，例如 order = ["points"]；不排名次写 order = []')
    order = members(table, "order", OrderBy)
    return order if len(table.source.faults) == before else (OrderBy.POINTS,)


def _tables(table: Table, words: Words, *, required: bool) -> tuple[RankingTable, ...]:
    found: list[RankingTable] = []
    for inner in table.tables("table", required=required):
        one = RankingTable(
            id=inner.identifier("id"),
            name=inner.text("name"),
            groups=known(inner, "groups", words.groups, "组", required=True),
        )
        inner.close()
        if one.id and one.id in {t.id for t in found}:
            inner.fault("id", f"表“{one.id}”写了两次", "每张表的 id 各不相同")
        for group in one.groups:
            other = next((t for t in found if group in t.groups), None)
            if other is not None:
                what = f"组“{group}”已在表“{other.id}”里"
                inner.fault("groups", what, "一个组只在一张表里排名")
        found.append(one)
    return tuple(found)


def _columns(table: Table, words: Words) -> tuple[Column, ...]:
    found: list[Column] = []
    for inner in table.tables("column"):
        count = ColumnCount(inner.choice("count", ColumnCount, ColumnCount.EVENTS.value))
        is_open = count is ColumnCount.OPEN
        for key in ("match", "less"):
            if is_open and key in inner.data:
                inner.fault(key, "未完成任务数（open）不看条件", f"删掉 {key}")
        column = Column(
            id=inner.identifier("id"),
            name=inner.text("name"),
            matches=read_matches(inner, "match", words, required=not is_open),
            count=count,
            less=read_matches(inner, "less", words),
        )
        inner.close()
        if column.id in OWN_COLUMNS:
            inner.fault("id", f"“{column.id}”是每张表都有的列", "换一个 id")
        elif column.id and column.id in {c.id for c in found}:
            inner.fault("id", f"列“{column.id}”写了两次", "每一列的 id 各不相同")
        found.append(column)
    return tuple(found)
