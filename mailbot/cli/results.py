"""`standings`, `statement`, `seal`, `rules diff`: what the rules make of what was recorded.

Each as a table on the screen, as JSON for scripts, as a workbook for people. Nothing but `seal`
changes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from mailbot.adapters.i18n import _
from mailbot.adapters.resultsheets import standings_sheets, statement_sheets
from mailbot.adapters.sheets import Sheet, write_xlsx
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.scoring import NotScored, Scorer
from mailbot.app.service.entries import beside
from mailbot.bootstrap import Office
from mailbot.cli import context, words
from mailbot.cli.context import decided_by, installation, print_json, say
from mailbot.cli.standingtables import (
    comparison_lines,
    lists_of,
    notes_of,
    table_lines,
)
from mailbot.cli.statementtables import (
    statement_json,
    statement_lines,
)
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.entries import Standings
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.wire import standings_json

OfficeArgument = Annotated[str, typer.Argument(help=_("The office, e.g. otog."))]
PeriodArgument = Annotated[str, typer.Argument(help="2026-08, 2026-Q3, 2026-H1, 2026")]
OfOffice = Annotated[str, typer.Option("--office", help=_("Whose rules; default the only office."))]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help=_("The day that counts as today: 2026-10-08."))
]
AsJson = Annotated[bool, typer.Option("--json", help=_("Print JSON."))]
AsXlsx = Annotated[Path | None, typer.Option("--xlsx", help=_("Write an Excel file."))]


def standings(
    office: OfficeArgument,
    period: PeriodArgument,
    as_of: AsOf = None,
    as_json: AsJson = False,
    xlsx: AsXlsx = None,
) -> None:
    """Changes nothing. A sealed period is shown as it was sealed."""
    here, book = _open(office)
    with _in_words():
        found = Scorer(here.store, here.books).standings(
            book.info.id, words.period(period), _day(here, as_of)
        )
    if as_json:
        print_json(standings_json(found))
    elif xlsx is not None:
        _write(xlsx, standings_sheets(found, book, _))
    else:
        _print_standings(found, book, _sealed_around(here, found))


def statement(
    unit: Annotated[str, typer.Argument(help=_("The unit, by name or alias."))],
    period: PeriodArgument,
    office: OfOffice = "",
    as_of: AsOf = None,
    as_json: AsJson = False,
    xlsx: AsXlsx = None,
) -> None:
    """Every entry with its rule, version and clause, and the running total."""
    from mailbot.app.staff import resolve_unit

    here, book = _open(office)
    day, wanted = _day(here, as_of), words.period(period)
    with words.in_words(), _in_words():
        unit_id = resolve_unit(unit, book, min(day, wanted.last))
        found = Scorer(here.store, here.books).statement(book.info.id, unit_id, wanted, day)
    with here.store.reading() as reads:
        appeals = beside(reads.appeals(book.info.id, unit_id=unit_id), found.entries, wanted)
    if as_json:
        print_json(statement_json(found, book, appeals))
    elif xlsx is not None:
        _write(xlsx, statement_sheets(found, book, _))
    else:
        for line in statement_lines(found, book, appeals):
            say(line)


def seal(
    office: OfficeArgument,
    period: PeriodArgument,
    who: Annotated[str, typer.Option(help=_("Who decides; default the login name."))] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))] = False,
) -> None:
    """Closes a period for good: later corrections become entries of the running one."""
    here, book = _open(office)
    wanted = words.period(period)
    if not yes:
        question = _("Seal {period} of {office}? Its entries can never be changed again.")
        typer.confirm(question.format(period=wanted.name, office=book.info.name), abort=True)
    with _in_words():
        done = Scorer(here.store, here.books).seal(
            book.info.id, wanted, decided_by(who), here.clock.now()
        )
    say(
        _("{period} is sealed. Ledger {ledger}, rule book {book}.").format(
            period=wanted.name, ledger=done.ledger_digest[:12], book=done.book_digest[:12]
        )
    )


def diff(
    office: OfficeArgument,
    period: PeriodArgument,
    first: Annotated[str, typer.Option("--from", help=_("Rules as in force on this day."))],
    second: Annotated[str, typer.Option("--to", help=_("Against those of this day."))],
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Scores a period under the rules of two days and shows who would move. Changes nothing."""
    here, book = _open(office)
    days = [_as_day("--from", first), _as_day("--to", second)]
    with _in_words():
        before, after = Scorer(here.store, here.books).compare(
            book.info.id, words.period(period), days[0], days[1], _day(here, as_of)
        )
    if as_json:
        print_json({"from": standings_json(before), "to": standings_json(after)})
        return
    for line in comparison_lines(before, after, days[0], days[1]):
        say(line)


def _sealed_around(here: Office, found: Standings) -> Period | None:
    """The sealed period that this shorter one lies in."""
    with here.store.reading() as reads:
        seals = reads.seals(found.office)
    part = found.period
    around = (s.period for s in seals if part.first in s.period and part.last in s.period)
    return next((period for period in around if period != part), None)


def _print_standings(found: Standings, book: OfficeBook, sealed_around: Period | None) -> None:
    say(f"━━ {book.info.name}  {found.period.name}")
    for line in notes_of(found):
        say(line)
    if sealed_around is not None:
        told = _(
            "{period} is sealed: points are those that were sealed, counts as recorded today. What"
            " was recorded since is corrected in a later period."
        )
        say(told.format(period=sealed_around.name))
    for table in found.tables:
        say()
        for line in table_lines(table, found, book):
            say(line)
    for line in lists_of(found, book):
        say(line)


def _open(name: str) -> tuple[Office, OfficeBook]:
    here = installation(letters=False)
    chosen = name or (next(iter(here.books)) if len(here.books) == 1 else "")
    if chosen not in here.books:
        raise OperatorFault(
            Fault(
                name or "--office",
                _("this office is not set up") if name else _("which office is meant?"),
                _("known: {names}").format(names="、".join(here.books)),
            )
        )
    return here, here.books[chosen]


def _day(here: Office, text: str | None) -> date:
    return here.clock.now().date() if text is None else _as_day("--as-of", text)


def _as_day(option: str, text: str) -> date:
    found = context.moment(option, text)
    assert found is not None, "a text was given"
    return found.date()


def _write(path: Path, sheets: list[Sheet]) -> None:
    if path.suffix.lower() != ".xlsx":
        raise OperatorFault(
            Fault(str(path), _("this is no name of an Excel file"), _("let it end in .xlsx"))
        )
    if path.is_dir():
        raise OperatorFault(
            Fault(str(path), _("this is a folder"), _("name the file to write, e.g. ranking.xlsx"))
        )
    try:
        count = write_xlsx(path, sheets)
    except OSError as error:
        raise OperatorFault(
            Fault(
                str(path),
                _("cannot be written ({why})").format(why=context.why(error)),
                _("name a file in a folder that exists and that you may write to"),
            )
        ) from None
    say(_("{count} rows written to {path}.").format(count=count, path=path))


@contextmanager
def _in_words() -> Iterator[None]:
    """What could not be reckoned, as a fault with what to do."""
    try:
        yield
    except NoRuleInForce as gap:
        raise OperatorFault(words.no_rule(gap)) from None
    except NotScored as refusal:
        raise OperatorFault(words.not_scored(refusal)) from None
