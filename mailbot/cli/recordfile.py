"""`record --template` and `record --import`: tables to fill in, and filled in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from mailbot.adapters.i18n import _
from mailbot.adapters.record_template import ENTRIES, write_template
from mailbot.adapters.sheets_in import read_table
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.recording.desk import Refused, enter_all
from mailbot.app.recording.forms import Given
from mailbot.app.recording.grid import entries
from mailbot.app.recording.keep import Desk
from mailbot.bootstrap import Office
from mailbot.cli.context import say, why
from mailbot.cli.recordshown import print_import
from mailbot.core.rules.rulebook import OfficeBook


@contextmanager
def refusals() -> Iterator[None]:
    """What cannot be entered, as the operator's faults."""
    try:
        yield
    except Refused as refused:
        raise OperatorFault(*refused.faults) from None


def write(path: Path, book: OfficeBook, today: date) -> None:
    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise OperatorFault(
            Fault(str(path), _("neither .xlsx nor .csv"), _("name the file like entries.xlsx"))
        )
    if path.exists():
        # People's entries may stand in it.
        raise OperatorFault(
            Fault(str(path), _("the file is there already"), _("name a new one, or move it away"))
        )
    try:
        write_template(path, book, today)
    except OSError as error:
        raise OperatorFault(
            Fault(
                str(path),
                _("cannot be written ({why})").format(why=why(error)),
                _("name a file in a folder that exists and that you may write to"),
            )
        ) from None
    say(_("The template is in {path}.").format(path=path))
    say(_("Fill it in, then try it with: mailbot record --import {path}").format(path=path))


def import_file(path: Path, evidence: str, desk: Desk, here: Office, *, apply: bool) -> None:
    """The whole file, or nothing of it; without `apply` only what would be entered. `evidence` is
    that of the rows that have none of their own."""
    given, faults = entries(read_table(path, ENTRIES))
    if evidence:
        given = [_with_evidence(g, evidence) for g in given]
    desk = replace(desk, source=f"import:{path.name}")
    with refusals():
        done = enter_all(given, desk, here.store, apply=apply, faults=faults)
    print_import(done, path, applied=apply)


def _with_evidence(given: Given, evidence: str) -> Given:
    cell = given.values.get("evidence")
    if cell is not None and not (isinstance(cell, str) and not cell.strip()):
        return given
    return replace(
        given,
        values={**given.values, "evidence": evidence},
        absent=given.absent - {"evidence"},
    )
