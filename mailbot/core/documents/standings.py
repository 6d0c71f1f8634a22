"""The standings as tables of a document: one for each group.

A page holds so many columns. The main table has the place, what was sent and adopted, and the
points; what has no room beside them follows in a table of its own, of the units that have any of
it. Nothing is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mailbot.core.documents.ground import Ground
from mailbot.core.documents.model import Block, TableBlock
from mailbot.core.documents.words import clean, several
from mailbot.core.duties.model import Section
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.entries import Row
from mailbot.core.rules.events import NAMES, EventKind, Match
from mailbot.core.rules.kinds import Points
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import OrderBy, Ranking

MOST = 9
"""Columns on a page, the unit's name not counted among them."""
STAR, DASH = "★", "—"
UNRANKED = "不参加排名的单位"
_NOTHING = ("0", "", DASH)
_ASKED_FOR = ("missing", "change", "stars")
"""Columns that a section has to name. Stars stand beside the unit's name where it names none."""
_ORDER = {
    OrderBy.POINTS: "得分",
    OrderBy.ADOPTED: "采用条数",
    OrderBy.SUBMISSIONS: "报送条数",
}


@dataclass(frozen=True, slots=True)
class _Column:
    key: str
    title: str
    cell: Callable[[Row], str]
    always: bool = False
    """Also where it holds nothing for anybody."""
    aside: bool = False
    """Gives way to a table of its own where there is no room."""


def gives_points(book: OfficeBook, ranking: Ranking | None) -> bool:
    """Does anything earn or cost points, or the ranking go by them?"""
    earning = any(r.kind not in ("conversion", "multiplier") for r in book.scoring.rules)
    return earning or (ranking is not None and OrderBy.POINTS in ranking.order)


def standings(section: Section, ground: Ground) -> list[Block]:
    tables = [t for t in ground.material.standings.tables if t.id and t.rows]
    chosen = _chosen(section, ground, [row for t in tables for row in t.rows])
    main, rest = _on_a_page(chosen)
    with_stars = not section.columns
    found: list[Block] = []
    for table in tables:
        name = clean(table.name)
        said = any("并列" in text for text in section.text)
        note = _note(table.rows, main, ground, with_stars, ties=not said)
        found.append(_table(table.rows, main, ground, name, with_stars, note))
        for at in range(0, len(rest), MOST):
            some = rest[at : at + MOST]
            if rows := [r for r in table.rows if any(c.cell(r) not in _NOTHING for c in some)]:
                about = several(c.title for c in some)
                found.append(_table(rows, some, ground, f"{name}{about}情况", with_stars))
    return [*found, *_unranked(chosen, ground), *_conversions(ground)]


def _chosen(section: Section, ground: Ground, rows: Sequence[Row]) -> list[_Column]:
    """As the section names them; else what somebody has something of. The place always."""
    every = _columns(ground)
    if not section.columns:
        return [
            c
            for c in every
            if c.key not in _ASKED_FOR
            and (c.always or any(c.cell(r) not in _NOTHING for r in rows))
        ]
    found = [c for c in every if c.key == "place"]
    for key in section.columns:
        named = [c for c in every if c.key == key]
        found += [c for c in named if key != "journals" or any(c.cell(r) != "0" for r in rows)]
    return found


def _columns(ground: Ground) -> list[_Column]:
    """All there are, in the order of a page. What the ranking counts itself is not told twice."""
    ranking, book = ground.ranking, ground.book
    order = ranking.order if ranking else ()
    counted = ranking.columns if ranking else ()
    found = []
    if order:
        found.append(_Column("place", "排名", _place, always=True))
    said = any(c.matches == (Match(EventKind.SUBMISSION),) and not c.less for c in counted)
    title, always = "报送条数", bool(order)
    if not said:
        found.append(_Column("submissions", title, lambda r: str(r.submissions), always))
    found.append(
        _Column(
            "adopted", "采用条数", lambda r: str(r.adopted), bool(order or book.scoring.journals)
        )
    )
    for journal in sorted(book.scoring.journals, key=lambda j: -j.rank):
        found.append(_Column("journals", ground.journal(journal.id), _adopted_by(journal.id)))
    for column in counted:
        title = clean(column.name)
        found.append(_Column(column.id, title, _counted(column.id), not order, aside=bool(order)))
    if gives_points(book, ranking):
        found.append(_Column("points", "得分", lambda r: plain(r.points), always=True))
        found.append(_Column("cumulative", "累计得分", lambda r: plain(r.cumulative), always=True))
    names = {q.id: clean(q.name) for q in book.quotas}
    found.append(_Column("missing", "缺报", lambda r: _missing(r, names)))
    found.append(_Column("change", "升降", _change))
    found.append(_Column("stars", "标注", lambda r: STAR * r.stars))
    return found


def _place(row: Row) -> str:
    return DASH if row.place is None else str(row.place)


def _adopted_by(journal: str) -> Callable[[Row], str]:
    return lambda row: str(dict(row.adoptions).get(journal, 0))


def _counted(column: str) -> Callable[[Row], str]:
    return lambda row: str(dict(row.columns).get(column, 0))


def _missing(row: Row, names: dict[str, str]) -> str:
    short = [s for s in row.quotas if s.missing and not s.remark_only]
    if len(names) == 1:
        return str(sum(s.missing for s in short))
    return "、".join(f"{names.get(s.quota, s.quota)}{s.missing}" for s in short) or "0"


def _change(row: Row) -> str:
    change = row.change
    if change is None:
        return DASH
    return f"↑{change}" if change > 0 else f"↓{-change}" if change else "持平"


def _on_a_page(chosen: Sequence[_Column]) -> tuple[list[_Column], list[_Column]]:
    """The main table's columns, and those that stand apart: what the ranking counts beside, and
    where even that is not enough the lowest journals."""
    if len(chosen) <= MOST:
        return list(chosen), []
    firm = [c for c in chosen if not c.aside]
    main = firm
    if len(firm) > MOST:
        kept = [c for c in firm if c.always]
        optional = [c for c in firm if not c.always][: max(MOST - len(kept), 0)]
        main = [c for c in firm if c in kept or c in optional][:MOST]
    return main, [c for c in chosen if c not in main]


def _table(
    rows: Iterable[Row],
    columns: Sequence[_Column],
    ground: Ground,
    caption: str,
    with_stars: bool,
    note: str = "",
) -> TableBlock:
    """The unit stands behind its place, else first."""
    placed = [c for c in columns if c.key == "place"]
    numbers = [c for c in columns if c.key != "place"]
    body = [
        (
            *(c.cell(row) for c in placed),
            _unit(row, ground, with_stars),
            *(c.cell(row) for c in numbers),
        )
        for row in rows
    ]
    at = len(placed)
    widest = max((len(line[at]) for line in body), default=2)
    header = (*(c.title for c in placed), "单位", *(c.title for c in numbers))
    return TableBlock(
        header=header,
        rows=tuple(body),
        widths=(*(4 for _ in placed), min(max(widest, 6), 14), *map(_width, numbers)),
        caption=caption,
        note=note,
        centred=frozenset(i for i in range(len(header)) if i != at),
    )


def _width(column: _Column) -> int:
    """Titles of columns break into two or three lines."""
    return 4 if len(column.title) <= 6 else 5


def _unit(row: Row, ground: Ground, with_stars: bool) -> str:
    stars = STAR * row.stars if with_stars else ""
    status = "" if row.status == "appointed" else f"（{NAMES.get(row.status, row.status)}）"
    return f"{ground.name(row.unit)}{stars}{status}"


def _note(
    rows: Sequence[Row],
    columns: Sequence[_Column],
    ground: Ground,
    with_stars: bool,
    *,
    ties: bool,
) -> str:
    """What a reader of the table could ask."""
    said = []
    keys = {c.key for c in columns}
    places = [r.place for r in rows if r.place is not None]
    if ties and "place" in keys and ground.ranking and len(set(places)) < len(places):
        by = several(_ORDER[one] for one in ground.ranking.order)
        said.append(f"{by}相同的名次并列")
    if "place" in keys and len(places) < len(rows):
        said.append(f"“{DASH}”为不参加排名")
    if any(sum(n for _, n in r.adoptions) > r.adopted for r in rows):
        said.append("同一条信息被多个刊物采用的，采用条数计1条")
    stars = {row.stars for row in rows if with_stars or "stars" in keys}
    said += [f"{STAR * n}为{label}" for n, label in _stars(ground) if n in stars]
    return f"注：{'；'.join(said)}。" if said else ""


def _stars(ground: Ground) -> list[tuple[int, str]]:
    """What so many stars stand for, the most first: the shortest of the lines' labels."""
    found: dict[int, list[str]] = {}
    for rule in ground.book.scoring.rules:
        version = in_force(rule.versions, ground.period.last)
        if version is not None and isinstance(version.values, Points):
            for line in version.values.lines:
                if line.stars:
                    found.setdefault(line.stars, []).append(clean(line.label) or rule.name)
    return [(n, min(found[n], key=len)) for n in sorted(found, reverse=True)]


def _unranked(columns: Sequence[_Column], ground: Ground) -> list[Block]:
    """Units in no table of the ranking, as far as there is something to tell of them."""
    numbers = [c for c in columns if c.key not in ("place", "change")][:MOST]
    found: list[Block] = []
    for table in ground.material.standings.tables:
        if table.id:
            continue
        rows = [r for r in table.rows if any(c.cell(r) not in _NOTHING for c in numbers)]
        if rows:
            found.append(_table(rows, numbers, ground, UNRANKED, True))
    return found


def _conversions(ground: Ground) -> list[Block]:
    """Points passed on to the units that recommended others."""
    entries = ground.material.conversions
    if not entries:
        return []
    rows = tuple((ground.name(e.unit), clean(e.text), plain(e.points)) for e in entries)
    return [
        TableBlock(
            header=("推荐单位", "折算依据", "折算得分"),
            rows=rows,
            widths=(10, 22, 5),
            caption="折算到推荐单位的得分",
            centred=frozenset({2}),
        )
    ]
