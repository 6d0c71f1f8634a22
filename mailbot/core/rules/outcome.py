"""What a case expected against what came out: one Chinese message for each difference, that names
the unit, what was expected and what was found. Only what is given is compared, but that whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mailbot.core.rules.cases import Expected, ExpectedEntry
from mailbot.core.rules.entries import Entry, Row, Standings
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.rulebook import OfficeBook


def differences(
    book: OfficeBook, expected: Expected, entries: Sequence[Entry], result: Standings
) -> list[str]:
    """`entries` are those of the period."""
    names = {u.id: u.name for u in book.roster.units}
    return [
        *_entries(expected.entries, entries, names),
        *_rows(expected, result, names),
        *_lists(book, expected, result, names),
        *_people(expected, result),
    ]


_Names = dict[str, str]


def _rows(expected: Expected, result: Standings, names: _Names) -> Iterator[str]:
    rows = {r.unit: (table, r) for table in result.tables for r in table.rows}
    for unit, what, wanted in _wanted(expected):
        who, at = names.get(unit, unit), rows.get(unit)
        if at is None:
            yield f"{who}：{_said(what)}应为 {wanted}，但结果里没有这个单位"
            continue
        table, row = at
        found = (table.id or _NO_TABLE) if what == _IN_TABLE else _found(row, what)
        if found is None:
            known = "、".join(("submissions", "adopted", *(c for c, _ in row.columns)))
            yield f"{who}：没有“{what[1]}”这一栏，只有 {known}"
        elif found != wanted:
            yield f"{who}：{_said(what)}应为 {wanted}，实为 {found}"


_What = tuple[str, str]
"""What is compared: one of `_CALLED`, and which column or quota of it."""

_CALLED = {
    "points": "得分",
    "cumulative": "累计得分",
    "place": "名次",
    "stars": "星级",
    "missing": "任务缺数",
    "remarks": "只作说明的缺数",
    "table": "所在的表",
    "column": "栏目",
}
_UNRANKED = "不排名"
_IN_TABLE = ("table", "")
_NO_TABLE = "（不在任何一张表）"


def _said(what: _What) -> str:
    kind, of = what
    return f"{_CALLED[kind]} {of} " if of else _CALLED[kind]


def _wanted(expected: Expected) -> Iterator[tuple[str, _What, str]]:
    """Unit, what, and how it should read."""
    for unit, points in expected.points:
        yield unit, ("points", ""), plain(points)
    for unit, points in expected.cumulative:
        yield unit, ("cumulative", ""), plain(points)
    for unit, place in expected.places:
        yield unit, ("place", ""), _place(place)
    for unit, stars in expected.stars:
        yield unit, ("stars", ""), str(stars)
    for unit, columns in expected.columns:
        for column, count in columns:
            yield unit, ("column", column), str(count)
    for unit, quotas in expected.missing:
        for quota, missing in quotas:
            yield unit, ("missing", quota), str(missing)
    for unit, quotas in expected.remarks:
        for quota, missing in quotas:
            yield unit, ("remarks", quota), str(missing)
    for unit, table in expected.tables:
        yield unit, _IN_TABLE, table or _NO_TABLE


def _found(row: Row, what: _What) -> str | None:
    """How it reads; None for a column that does not exist. Of a quota that the unit does not owe
    nothing is missing."""
    match what:
        case ("points", _):
            return plain(row.points)
        case ("cumulative", _):
            return plain(row.cumulative)
        case ("place", _):
            return _place(row.place)
        case ("stars", _):
            return str(row.stars)
        case ("missing" | "remarks" as kind, quota):
            only = kind == "remarks"
            states = (q for q in row.quotas if q.quota == quota and q.remark_only is only)
            return str(next((q.missing for q in states), 0))
        case (_, column):
            counts = {"submissions": row.submissions, "adopted": row.adopted, **dict(row.columns)}
            return str(counts[column]) if column in counts else None
    return None


def _place(place: int | None) -> str:
    return _UNRANKED if place is None else str(place)


def _lists(book: OfficeBook, expected: Expected, result: Standings, names: _Names) -> Iterator[str]:
    """A list that is not in force, or not of such a period, names nobody."""
    known = {rule.id: rule.name for rule in book.scoring.lists}
    found = {one.id: {listed.unit for listed in one.listed} for one in result.lists}
    for list_id, units in expected.lists:
        if list_id not in known:
            yield f"没有名单“{list_id}”，只有 {'、'.join(known) or '（一个也没有）'}"
        elif set(units) != found.get(list_id, set()):
            wanted, got = _who(units, names), _who(found.get(list_id, ()), names)
            yield f"名单“{known[list_id]}”（{list_id}）应为 {wanted}，实为 {got}"


def _people(expected: Expected, result: Standings) -> Iterator[str]:
    for what, wanted, of in (
        ("人", expected.people, lambda listed: listed.people),
        ("推荐单位", expected.recommenders, lambda listed: (listed.recommender,)),
    ):
        found = {
            one.id: sorted({n for listed in one.listed for n in of(listed) if n})
            for one in result.lists
        }
        for list_id, names in wanted:
            got = found.get(list_id, [])
            if sorted(names) != got:
                should = "、".join(names) or "（无）"
                is_so = "、".join(got) or "（无）"
                yield f"名单 {list_id} 上的{what}应为 {should}，实为 {is_so}"


def _who(units: Iterable[str], names: _Names) -> str:
    order = {unit: n for n, unit in enumerate(names)}
    ordered = sorted(units, key=lambda u: (order.get(u, len(order)), u))
    return "、".join(names.get(u, u) for u in ordered) or "（无）"


# --- entries ---------------------------------------------------------------------------------


def _entries(
    expected: Sequence[ExpectedEntry] | None, entries: Sequence[Entry], names: _Names
) -> Iterator[str]:
    """All entries of the units named; of everybody where none is expected at all. Those of 0 points
    need not be written down; and one of 0 written down without item, day or clause only says that
    the rule gives the unit nothing."""
    if expected is None:
        return
    units = {e.unit for e in expected}
    found = [e for e in entries if e.unit in units or not expected]
    pairs = _paired(expected, found)
    extra = [e for n, e in enumerate(found) if n not in pairs and e.points]
    missed = [e for n, e in enumerate(expected) if n not in pairs.values() and not _says_nothing(e)]
    if missed or extra:
        wanted = "".join(f"\n    {_line(e, names)}" for e in expected) or "（无）"
        got = "".join(f"\n    {_line(e, names)}" for e in found) or "（无）"
        yield f"记分条目不符。\n  应有：{wanted}\n  实有：{got}"


def _paired(expected: Sequence[ExpectedEntry], found: Sequence[Entry]) -> dict[int, int]:
    """Number of the found entry: number of the expected one that it answers. As many as can be
    paired: a vague expectation gives way where a precise one needs its entry."""
    pairs: dict[int, int] = {}

    def place(wanted: int, tried: set[int]) -> bool:
        for n, entry in enumerate(found):
            if n not in tried and _answers(entry, expected[wanted]):
                tried.add(n)
                if n not in pairs or place(pairs[n], tried):
                    pairs[n] = wanted
                    return True
        return False

    for wanted in range(len(expected)):
        place(wanted, set())
    return pairs


def _says_nothing(wanted: ExpectedEntry) -> bool:
    return not (wanted.points or wanted.item or wanted.day or wanted.clause)


def _answers(entry: Entry, wanted: ExpectedEntry) -> bool:
    return (
        (entry.unit, entry.rule, entry.points) == (wanted.unit, wanted.rule, wanted.points)
        and wanted.item in ("", entry.item)
        and wanted.day in (None, entry.day)
        and wanted.clause in entry.clause
    )


def _line(entry: Entry | ExpectedEntry, names: _Names) -> str:
    """农牧局 adoption 20 分，信息 A，2022-08-03，“条文”."""
    said = [f"{names.get(entry.unit, entry.unit)} {entry.rule} {plain(entry.points)} 分"]
    if entry.item:
        said.append(f"信息 {entry.item}")
    if entry.day is not None:
        said.append(entry.day.isoformat())
    if entry.clause:
        said.append(f"“{entry.clause}”")
    return "，".join(said)
