"""Standings as lines of a terminal and as sheets of a workbook, and two of them beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from rich.cells import cell_len

from mailbot.adapters.i18n import N_, _
from mailbot.adapters.sheets import Cell, Sheet
from mailbot.cli import words
from mailbot.cli.rows import Column, Lines, room
from mailbot.cli.statementtables import STAR, entries_sheet
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.entries import Listed, NoticeList, QuotaState, Row, Standings, Table
from mailbot.core.rules.numbers import plain, signed
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import unit_name


def notes_of(found: Standings) -> list[str]:
    """What must be known before the numbers are believed."""
    notes = []
    if found.sealed:
        notes.append(_("Sealed: as it was when its notice was approved."))
    elif found.period.last >= found.as_of:
        notes.append(
            _(
                "Not over yet: as of {day}. Quotas, bases and shortages are those of the months that"
                " are over."
            ).format(day=found.as_of)
        )
    return notes


def table_lines(table: Table, found: Standings, book: OfficeBook) -> list[str]:
    """Columns of the table that hold nothing for anybody are left out; a file has them all."""
    titles = _titles(table, found, book)
    rows = [[_text(cell) for cell in cells] for cells in _rows(table, found, book)]
    kept = [
        i
        for i, title in enumerate(titles)
        if title in _always() or any(row[i] not in ("", "0") for row in rows)
    ]
    columns = [_column(titles[i], [row[i] for row in rows]) for i in kept]
    lines = Lines(columns, room())
    body = (lines.row([row[i] for i in kept]) for row in rows)
    return [f"〔{table.name}〕", lines.head(), *body]


def _always() -> tuple[str, ...]:
    return (_("Place"), _("Unit"), _("Submitted"), _("Points"), _("This year"))


_GIVE_WAY = {N_("Remarks"): 3, N_("Change"): 2, N_("Short of"): 1}


def _column(title: str, cells: Sequence[str]) -> Column:
    """As wide as what stands in it, within reason; counts of journals give way first."""
    width = min(max(map(cell_len, (title, *cells))), 30)
    if title == _("Unit"):
        return Column(title, width, min(width, 14))
    drop = next((d for name, d in _GIVE_WAY.items() if title == _(name)), 4)
    numbers = all(cell.lstrip("-").replace(".", "", 1).isdigit() for cell in cells if cell)
    return Column(title, width, 0, 0 if title in _always() else drop, right=numbers)


def _titles(table: Table, found: Standings, book: OfficeBook) -> list[str]:
    """Journals that adopted nothing from anybody take no column."""
    return [
        _("Place"),
        _("Change"),
        _("Unit"),
        _("Submitted"),
        _("Adopted"),
        *(f"《{name}》" for name in _journals(table, book).values()),
        *_columns(found.period, book).values(),
        _("Points"),
        _("This year"),
        _("Short of"),
        _("Remarks"),
    ]


def _rows(table: Table, found: Standings, book: OfficeBook) -> Iterable[list[Cell]]:
    journals, columns = _journals(table, book), _columns(found.period, book)
    names = {q.id: q.name for q in book.quotas}
    for row in table.rows:
        adopted, counted = dict(row.adoptions), dict(row.columns)
        yield [
            row.place,
            _change(row),
            row.name,
            row.submissions,
            row.adopted,
            *(adopted.get(journal, 0) for journal in journals),
            *(counted.get(column, 0) for column in columns),
            row.points,
            row.cumulative,
            "、".join(short_of(state, names) for state in row.quotas if state.missing),
            "、".join(_remarks(row)),
        ]


def _journals(table: Table, book: OfficeBook) -> dict[str, str]:
    used = {journal for row in table.rows for journal, _count in row.adoptions}
    return {j.id: j.name.strip("《》") for j in book.scoring.journals if j.id in used}


def _columns(period: Period, book: OfficeBook) -> dict[str, str]:
    ranking = in_force(book.scoring.rankings, period.last)
    return {c.id: c.name for c in ranking.columns} if ranking else {}


def _change(row: Row) -> str:
    if row.place is None or row.previous_place is None:
        return ""
    change = row.change or 0
    return f"↑{change}" if change > 0 else f"↓{-change}" if change < 0 else "—"


def short_of(state: QuotaState, names: dict[str, str]) -> str:
    name = names.get(state.quota, state.quota)
    text = _("{name} {missing}").format(name=name, missing=state.missing)
    return _("{text} (remark)").format(text=text) if state.remark_only else text


def _remarks(row: Row) -> Iterable[str]:
    if row.stars:
        yield STAR * row.stars
    if row.no_submission:
        yield _("no submission")
    elif row.no_adoption:
        yield _("no adoption")
    if row.status != "appointed":
        yield words.word(words.UNIT_STATUSES, row.status)


def lists_of(found: Standings, book: OfficeBook) -> Iterable[str]:
    """The lists a notice would carry, then what of sealed periods is set right in this one."""
    for one in found.lists:
        yield ""
        yield f"【{words.word(words.CONSEQUENCES, one.consequence)}】{one.name}"
        if not one.listed:
            yield "    " + _("nobody")
        for listed in one.listed:
            with_it = (listed.why, "、".join(listed.people), _recommended(listed))
            said = "  ".join(text for text in with_it if text)
            yield f"    {unit_name(listed.unit, book.roster)}  {said}"
        yield "    " + _("basis: {document} {clause}").format(
            document=one.document, clause=one.clause
        )
    if found.corrections:
        yield ""
        yield _("Corrections of sealed periods, booked in this one:")
        for entry in found.corrections:
            yield f"    {unit_name(entry.unit, book.roster)}  {signed(entry.points)}  {entry.text}"


def _recommended(listed: Listed) -> str:
    if not listed.recommender:
        return ""
    return _("recommended by {unit}").format(unit=listed.recommender)


def standings_sheets(found: Standings, book: OfficeBook) -> list[Sheet]:
    sheets = [
        Sheet(table.name, _titles(table, found, book), list(_rows(table, found, book)))
        for table in found.tables
    ]
    listed: list[list[Cell]] = [
        [words.word(words.CONSEQUENCES, one.consequence), one.name, *_listed(one, who, book)]
        for one in found.lists
        for who in range(len(one.listed))
    ]
    heads = [
        _("List"),
        _("Name"),
        _("Unit"),
        _("Why"),
        _("People"),
        _("Recommended by"),
        _("Document"),
        _("Clause"),
    ]
    sheets.append(Sheet(_("Lists"), heads, listed))
    if found.corrections:
        sheets.append(entries_sheet(_("Corrections"), found.corrections, Decimal(0), book))
    return sheets


def _listed(one: NoticeList, index: int, book: OfficeBook) -> list[Cell]:
    who = one.listed[index]
    return [
        unit_name(who.unit, book.roster),
        who.why,
        who.people,
        who.recommender,
        one.document,
        one.clause,
    ]


def comparison_lines(
    before: Standings, after: Standings, first: date, second: date
) -> Iterable[str]:
    """Units whose points or place would differ, table by table."""
    moved = 0
    for table in after.tables:
        lines = Lines(
            [
                Column(_("Unit"), 26, 14),
                Column(str(first), 16),
                Column(str(second), 16),
                Column(_("Points"), 10),
                Column(_("Places"), 8),
            ],
            room(),
        )
        changed = [
            (old, new)
            for new in table.rows
            if (old := _old_row(before, new.unit)) is None
            or (old.points, old.place) != (new.points, new.place)
        ]
        if not changed:
            continue
        moved += len(changed)
        yield f"〔{table.name}〕"
        yield lines.head()
        for old, new in changed:
            yield lines.row(_moved(old, new))
        yield ""
    yield _("{count} units would stand differently.").format(count=moved)


def _old_row(before: Standings, unit: str) -> Row | None:
    try:
        return before.row(unit)
    except KeyError:
        return None


def _moved(old: Row | None, new: Row) -> list[str]:
    def at(row: Row | None) -> str:
        if row is None:
            return "-"
        return f"{plain(row.points)} ({row.place if row.place is not None else '-'})"

    places = ""
    if old is not None and old.place is not None and new.place is not None:
        gained = old.place - new.place
        places = f"↑{gained}" if gained > 0 else f"↓{-gained}" if gained < 0 else "—"
    points = signed(new.points - (old.points if old else Decimal(0)))
    return [new.name, at(old), at(new), points, places]


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    return plain(cell) if isinstance(cell, Decimal) else str(cell)
