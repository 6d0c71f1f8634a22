"""What is unusual about the places of a period: ties where a place decides something, units that
moved far, how many sent nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mailbot.core.rules.basis import in_force
from mailbot.core.rules.entries import NoticeList, Row, Standings, Table
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import ListKind, ListVersion
from mailbot.core.subject.units import unit_name

FAR = 10
"""Places lost or won beyond which a unit is named."""
_NAMED = 12
"""Names in one sentence; more are counted."""


def flags(
    book: OfficeBook, standings: Standings, shown: Sequence[str], *, tables: bool = True
) -> Iterator[str]:
    """`shown`: ids of the lists that the notice speaks of. `tables`: it tells places as well."""
    if not any(something(row) for table in standings.tables for row in table.rows):
        return  # said elsewhere, and then everybody ties
    said: set[frozenset[str]] = set()
    for one in standings.lists:
        if one.id in shown:
            yield from _beyond(book, standings, one, said)
    if not tables:
        return
    for table in standings.tables:
        yield from _ends(table, said)
    for table in standings.tables:
        yield from _moved(table)
    yield from _silent(book, standings)


def something(row: Row) -> bool:
    """Did the unit do, or was it credited with, anything?"""
    return bool(row.submissions or row.adopted or row.points or any(dict(row.columns).values()))


# --- ties ------------------------------------------------------------------------------------


def _beyond(
    book: OfficeBook, standings: Standings, found: NoticeList, said: set[frozenset[str]]
) -> Iterator[str]:
    """A list by place that names more units than it has places, because the last of them tie."""
    rule = next((r for r in book.scoring.lists if r.id == found.id), None)
    version = in_force(rule.versions, standings.period.last) if rule else None
    if rule is None or version is None or rule.kind not in (ListKind.FIRST, ListKind.LAST):
        return
    for heading, units in _fields(standings, found, version):
        if len(units) > version.places:
            said.add(frozenset(units))
            yield (
                f"“{found.name}”{heading}按规定取 {version.places} 个，因并列列了 {len(units)} 个："
                f"{names(unit_name(u, book.roster) for u in units)}。请核对边界上并列的单位。"
            )


def _fields(
    standings: Standings, found: NoticeList, version: ListVersion
) -> Iterator[tuple[str, list[str]]]:
    """Those listed, in the fields that the list counts its places in."""
    units = list(dict.fromkeys(one.unit for one in found.listed))
    if version.together:
        yield "", units
        return
    for table in standings.tables:
        here = {row.unit for row in table.rows}
        yield f"（{table.name}）", [u for u in units if u in here]


def _ends(table: Table, said: set[frozenset[str]]) -> Iterator[str]:
    """Several units on a table's first place or its last, where no list has told it."""
    ranked = [row for row in table.rows if row.place is not None]
    if len(ranked) < 2:
        return
    places = [row.place for row in ranked if row.place is not None]
    first, last = min(places), max(places)
    if first == last:
        yield f"{table.name} {len(ranked)} 个单位全部并列第 1 名。"
        return
    for place, called in ((first, f"第 {first} 名"), (last, "末位")):
        tied = [row for row in ranked if row.place == place]
        units = {row.unit for row in tied}
        if len(tied) > 1 and not any(told <= units for told in said):
            yield f"{table.name}{called}并列 {len(tied)} 个：{names(row.name for row in tied)}。"


# --- movement ----------------------------------------------------------------------------------


def _moved(table: Table) -> Iterator[str]:
    for row in table.rows:
        change = row.change or 0
        if abs(change) > FAR:
            verb = "上升" if change > 0 else "下降"
            yield (
                f"{row.name}在{table.name}由第 {row.previous_place} 名{verb} {abs(change)} 位，"
                f"到第 {row.place} 名。"
            )


def _silent(book: OfficeBook, standings: Standings) -> Iterator[str]:
    rows = {row.unit: row for table in standings.tables for row in table.rows}
    silent = [row for row in rows.values() if not row.submissions]
    if silent:
        yield f"{len(rows)} 个单位中有 {len(silent)} 个本期没有报送：{names(r.name for r in silent)}。"
    unadopted = sum(not row.adopted for row in rows.values())
    if unadopted and book.scoring.journals:
        yield f"{len(rows)} 个单位中有 {unadopted} 个本期没有信息被采用。"


def names(found: Iterable[str]) -> str:
    """甲、乙、丙; of many the first and their number."""
    every = list(found)
    text = "、".join(every[:_NAMED])
    return f"{text} 等 {len(every)} 个单位" if len(every) > _NAMED else text
