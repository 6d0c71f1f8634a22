"""Who stands first and last for a list of the notice.

A list has its own field: whoever it excludes is passed over as if not there, so that the last
place is then that of the others; and it may rank several tables together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from mailbot.core.rules import listwords as words
from mailbot.core.rules.entries import Listed, Row, Table
from mailbot.core.rules.places import order_key, places, places_from_below
from mailbot.core.rules.scorebook import ListKind, ListVersion, Ranking


def may_name(version: ListVersion, unit: str, group: str) -> bool:
    return unit not in version.exclude and (not version.groups or group in version.groups)


def by_place(
    tables: Sequence[Table],
    ranking: Ranking,
    kind: ListKind,
    version: ListVersion,
    passed_over: Collection[str] = (),
) -> Iterator[Listed]:
    """Table by table, or of all of them together; inside by place, ties in the roster's order.
    Units `passed_over` are no part of the field, as if excluded."""
    if not ranking.order:
        return
    chosen = version.tables or tuple(t.id for t in ranking.tables)
    fields = [_field(t.rows, version, passed_over) for t in tables if t.id in chosen]
    if version.together:
        fields = [list({row.unit: row for field in fields for row in field}.values())]
    for field in fields:
        yield from _named(field, ranking, kind, version.places)


def _field(rows: Sequence[Row], version: ListVersion, passed_over: Collection[str]) -> list[Row]:
    return [
        r
        for r in rows
        if r.place is not None and r.unit not in passed_over and may_name(version, r.unit, r.group)
    ]


def _named(field: Sequence[Row], ranking: Ranking, kind: ListKind, number: int) -> Iterator[Listed]:
    """The first or last `number` places. Nobody is praised for nothing, and nobody who stands
    first is also last: neither where all are equal nor where there is only one."""
    keys = [order_key(r, ranking.order) for r in field]
    tops = places(keys, ranking.ties)
    if kind is ListKind.FIRST:
        counted, named = (
            tops,
            [t <= number and key[0] > 0 for t, key in zip(tops, keys, strict=True)],
        )
    else:
        counted = places_from_below(keys, ranking.ties)
        named = [c <= number and t > 1 for c, t in zip(counted, tops, strict=True)]
    for n in sorted(range(len(field)), key=tops.__getitem__):
        if named[n]:
            shared = counted.count(counted[n]) > 1
            yield Listed(
                field[n].unit, words.place(field[n], ranking.order[0], kind, counted[n], shared)
            )
