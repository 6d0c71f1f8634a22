"""Standings and statements as lines of a terminal and as sheets of a workbook.

A statement puts each clause once at its end, under the number its entries carry: a unit that
disputes a line finds the sentence, and the account stays readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from rich.cells import cell_len

from mailbot.adapters.i18n import N_, _
from mailbot.adapters.sheets import Cell, Sheet
from mailbot.app.scoring import Statement
from mailbot.cli import words
from mailbot.cli.rows import Column, Lines, room
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.entries import Entry, Listed, NoticeList, QuotaState, Row, Standings, Table
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.wire import entry_json

STAR = "★"


def number(points: Decimal) -> str:
    """Without needless zeros, never in scientific notation."""
    text = f"{points:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed(points: Decimal) -> str:
    return f"+{number(points)}" if points > 0 else number(points)


# --- standings --------------------------------------------------------------------------------


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
            yield f"    {_name(listed.unit, book)}  {said}"
        yield "    " + _("basis: {document} {clause}").format(
            document=one.document, clause=one.clause
        )
    if found.corrections:
        yield ""
        yield _("Corrections of sealed periods, booked in this one:")
        for entry in found.corrections:
            yield f"    {_name(entry.unit, book)}  {signed(entry.points)}  {entry.text}"


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
        sheets.append(_entries_sheet(_("Corrections"), found.corrections, Decimal(0), book))
    return sheets


def _listed(one: NoticeList, index: int, book: OfficeBook) -> list[Cell]:
    who = one.listed[index]
    return [
        _name(who.unit, book),
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
        return f"{number(row.points)} ({row.place if row.place is not None else '-'})"

    places = ""
    if old is not None and old.place is not None and new.place is not None:
        gained = old.place - new.place
        places = f"↑{gained}" if gained > 0 else f"↓{-gained}" if gained < 0 else "—"
    points = signed(new.points - (old.points if old else Decimal(0)))
    return [new.name, at(old), at(new), points, places]


# --- statements -------------------------------------------------------------------------------


def statement_lines(found: Statement, book: OfficeBook) -> Iterable[str]:
    yield f"━━ {book.info.name}  {_name(found.unit, book)}  {found.period.name}"
    if found.seal is not None:
        yield _("Sealed {day} by {who}.").format(day=found.seal.at.date(), who=found.seal.who)
    elif found.period.last >= found.as_of:
        yield _(
            "Not over yet: as of {day}. Quotas, bases and shortages are those of the months that"
            " are over."
        ).format(day=found.as_of)
    lines = Lines(
        [
            Column(_("Day"), 10),
            Column(_("Points"), 7, right=True),
            Column(_("Total"), 7, right=True),
            Column(_("Rule"), 16, 10, 1),
            Column(_("What for"), 110, 24),
            Column(_("Item"), 16, 0, 2),
            Column(_("Basis"), 5),
        ],
        room(),
    )
    clauses = _clauses(found.entries)
    yield lines.head()
    total = Decimal(0)
    for entry in found.entries:
        total += entry.points
        yield lines.row(
            [
                entry.day.isoformat(),
                signed(entry.points),
                number(total),
                rule_name(entry, book),
                entry.text + (f"（{STAR * entry.stars}）" if entry.stars else ""),
                _source(entry),
                f"[{clauses[_cited(entry)]}]",
            ]
        )
    yield ""
    yield _(
        "Total of the period {total}; brought forward from January {opening}; together {all}."
    ).format(
        total=number(found.total),
        opening=number(found.opening),
        all=number(found.opening + found.total),
    )
    names = {q.id: q.name for q in book.quotas}
    for state in found.quotas:
        yield _("{name}: owed {need}, sent {got}, missing {missing}.").format(
            name=names.get(state.quota, state.quota),
            need=state.need,
            got=state.got,
            missing=state.missing,
        )
    for (rule, version, document, clause), mark in clauses.items():
        since = _("from {day}").format(day=version)
        yield f"[{mark}] {document} {clause}（{rule}，{since}）"
    for record in found.reversed:
        yield _("Taken back: record {number} of {day}, {kind}; see record {reversal}.").format(
            number=record.id,
            day=record.new.day,
            kind=words.event_name(record.new.kind),
            reversal=record.reversed_by,
        )


def _source(entry: Entry) -> str:
    """The item, or the record behind the entry: what to look up, or to take back."""
    records = [event.removeprefix("record:") for event in entry.events if ":" in event]
    if entry.item or not records:
        return entry.item
    return _("record {number}").format(number="、".join(records[:3]))


Cited = tuple[str, date, str, str]


def _cited(entry: Entry) -> Cited:
    return entry.rule, entry.version, entry.document, entry.clause


def _clauses(entries: Sequence[Entry]) -> dict[Cited, int]:
    """Each cited clause and the number it goes by, in the order of first use."""
    marks: dict[Cited, int] = {}
    for entry in entries:
        marks.setdefault(_cited(entry), len(marks) + 1)
    return marks


def statement_sheets(found: Statement, book: OfficeBook) -> list[Sheet]:
    name = f"{_name(found.unit, book)} {found.period.code}"
    return [_entries_sheet(name, found.entries, found.opening, book)]


def _entries_sheet(
    name: str, entries: Sequence[Entry], opening: Decimal, book: OfficeBook
) -> Sheet:
    heads = [
        _("Unit"),
        _("Day"),
        _("Points"),
        _("Total"),
        _("This year"),
        _("Rule"),
        _("What for"),
        _("Item"),
        _("Events"),
        _("Document"),
        _("Clause"),
        _("Version"),
        _("Corrects"),
    ]
    rows: list[list[Cell]] = []
    total = Decimal(0)
    for entry in entries:
        total += entry.points
        rows.append(
            [
                _name(entry.unit, book),
                entry.day,
                entry.points,
                total,
                opening + total,
                rule_name(entry, book),
                entry.text,
                entry.item,
                "、".join(entry.events),
                entry.document,
                entry.clause,
                entry.version,
                entry.corrects,
            ]
        )
    return Sheet(name, heads, rows)


def statement_json(found: Statement, book: OfficeBook) -> dict[str, Any]:
    return {
        "office": found.office,
        "unit": found.unit,
        "name": _name(found.unit, book),
        "period": found.period.code,
        "as_of": found.as_of,
        "opening": str(found.opening),
        "total": str(found.total),
        "entries": [entry_json(entry) for entry in found.entries],
        "quotas": [
            {"quota": q.quota, "need": q.need, "got": q.got, "missing": q.missing}
            for q in found.quotas
        ],
        "reversed": [record.id for record in found.reversed],
        "sealed": found.seal.at if found.seal else None,
    }


# --- names ------------------------------------------------------------------------------------


def rule_name(entry: Entry, book: OfficeBook) -> str:
    try:
        return book.scoring.rule(entry.rule).name
    except KeyError:
        return entry.rule  # a rule of a sealed period that the office's data no longer has


def _name(unit: str, book: OfficeBook) -> str:
    try:
        return book.roster.get(unit).name
    except KeyError:
        return unit  # a recommending unit outside the roster


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    return number(cell) if isinstance(cell, Decimal) else str(cell)
