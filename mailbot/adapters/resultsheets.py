"""Standings and statements as sheets of a workbook, for the command line and for letters.

`say` finds the words for a message id: `i18n._` for whoever sits at the command line, `in_chinese`
for what units get, whatever language the operator reads.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache

from mailbot.adapters.i18n import DOMAIN, LOCALE_DIR, N_
from mailbot.adapters.sheets import Cell, Sheet
from mailbot.app.scoring import Statement
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.entries import Entry, NoticeList, QuotaState, Row, Standings, Table
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import unit_name

Say = Callable[[str], str]
STAR = "★"
CONSEQUENCES: Mapping[str, str] = {
    "praise": N_("praise"),
    "criticise": N_("criticism"),
    "name": N_("named"),
    "interview": N_("interview due"),
    "review": N_("for review"),
}
UNIT_STATUSES: Mapping[str, str] = {
    "appointed": N_("appointed"),
    "suspended": N_("suspended"),
    "withdrawn": N_("withdrawn"),
}


def in_chinese(message: str) -> str:
    return _chinese().gettext(message)


@cache
def _chinese() -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE_DIR, ["zh_CN"], fallback=True)


# --- standings


def standings_sheets(found: Standings, book: OfficeBook, say: Say) -> list[Sheet]:
    title = _title(found, book, say)
    sheets = [
        Sheet(
            table.name,
            table_titles(table, found, book, say),
            list(table_rows(table, found, book, say)),
            title,
        )
        for table in found.tables
    ]
    listed: list[list[Cell]] = [
        [_word(CONSEQUENCES, one.consequence, say), one.name, *_listed(one, who, book)]
        for one in found.lists
        for who in range(len(one.listed))
    ]
    heads = [
        say(N_("List")),
        say(N_("Name")),
        say(N_("Unit")),
        say(N_("Why")),
        say(N_("People")),
        say(N_("Recommended by")),
        say(N_("Document")),
        say(N_("Clause")),
    ]
    sheets.append(Sheet(say(N_("Lists")), heads, listed, title))
    if found.corrections:
        name = say(N_("Corrections"))
        sheets.append(entries_sheet(name, found.corrections, Decimal(0), book, say, title))
    return sheets


def _title(found: Standings, book: OfficeBook, say: Say) -> str:
    """Whose numbers these are, of when, and whether they can still change."""
    state = say(N_("Sealed, as of {day}.") if found.sealed else N_("Not sealed, as of {day}."))
    return f"{book.info.name}  {found.period.name}  {state.format(day=found.as_of)}"


def table_titles(table: Table, found: Standings, book: OfficeBook, say: Say) -> list[str]:
    """Journals that adopted nothing from anybody take no column."""
    return [
        say(N_("Place")),
        say(N_("Change")),
        say(N_("Unit")),
        say(N_("Submitted")),
        say(N_("Adopted")),
        *(f"《{name}》" for name in _journals(table, book).values()),
        *_columns(found.period, book).values(),
        say(N_("Points")),
        say(N_("This year")),
        say(N_("Short of")),
        say(N_("Remarks")),
    ]


def table_rows(table: Table, found: Standings, book: OfficeBook, say: Say) -> Iterable[list[Cell]]:
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
            "、".join(_short_of(state, names, say) for state in row.quotas if state.missing),
            "、".join(_remarks(row, say)),
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


def _short_of(state: QuotaState, names: Mapping[str, str], say: Say) -> str:
    name = names.get(state.quota, state.quota)
    text = say(N_("{name} {missing}")).format(name=name, missing=state.missing)
    return say(N_("{text} (remark)")).format(text=text) if state.remark_only else text


def _remarks(row: Row, say: Say) -> Iterable[str]:
    if row.stars:
        yield STAR * row.stars
    if row.no_submission:
        yield say(N_("no submission"))
    elif row.no_adoption:
        yield say(N_("no adoption"))
    if row.status != "appointed":
        yield _word(UNIT_STATUSES, row.status, say)


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


def _word(table: Mapping[str, str], code: str, say: Say) -> str:
    return say(table[code]) if code in table else code


# --- statements


def statement_sheets(found: Statement, book: OfficeBook, say: Say) -> list[Sheet]:
    name = f"{unit_name(found.unit, book.roster)} {found.period.code}"
    return [entries_sheet(name, found.entries, found.opening, book, say)]


def entries_sheet(
    name: str,
    entries: Sequence[Entry],
    opening: Decimal,
    book: OfficeBook,
    say: Say,
    title: str = "",
) -> Sheet:
    heads = [
        say(N_("Unit")),
        say(N_("Day")),
        say(N_("Points")),
        say(N_("Total")),
        say(N_("This year")),
        say(N_("Rule")),
        say(N_("What for")),
        say(N_("Item")),
        say(N_("Events")),
        say(N_("Document")),
        say(N_("Clause")),
        say(N_("Version")),
        say(N_("Corrects")),
    ]
    rows: list[list[Cell]] = []
    total = Decimal(0)
    for entry in entries:
        total += entry.points
        rows.append(
            [
                unit_name(entry.unit, book.roster),
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
    return Sheet(name, heads, rows, title)


def rule_name(entry: Entry, book: OfficeBook) -> str:
    try:
        return book.scoring.rule(entry.rule).name
    except KeyError:
        return entry.rule  # a rule of a sealed period that the office's data no longer has
