"""Standings as lines of a terminal, and two of them beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from rich.cells import cell_len

from mailbot.adapters.i18n import N_, _
from mailbot.adapters.resultsheets import table_rows, table_titles
from mailbot.adapters.sheets import Cell
from mailbot.cli import words
from mailbot.cli.rows import Column, Lines, room
from mailbot.core.rules.entries import Listed, Row, Standings, Table
from mailbot.core.rules.numbers import plain, signed
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
    titles = table_titles(table, found, book, _)
    rows = [[_text(cell) for cell in cells] for cells in table_rows(table, found, book, _)]
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
