"""`rules check`, `rules test`, `rules units`, `rules new`: the offices' data and its cases.

Exit codes: 2 with every fault of every file, each with its place and what to do; 1 where a case
does not come out as written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mailbot.adapters.i18n import N_, _
from mailbot.adapters.offices.newoffice import write_office
from mailbot.adapters.offices.rulefiles import load_office, load_offices
from mailbot.adapters.offices.selftest import (
    CASES,
    Tried,
    case_files,
    home_of,
    named_office,
    run_files,
)
from mailbot.adapters.settings.model import Settings
from mailbot.adapters.system import SystemClock
from mailbot.app.errors import Fault, OperatorFault
from mailbot.bootstrap import DEFAULT_OFFICE, working_calendar
from mailbot.cli.context import print_json, say, settings
from mailbot.cli.rows import Column, Lines, room
from mailbot.cli.rulesview import Checked, failure_json, office_json, print_failure, print_office
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.roster import Unit

CASE_FAILED = 1
"""Exit code."""

rules = typer.Typer(no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help=_("Print JSON."))]
OfficesArgument = Annotated[
    list[str] | None, typer.Argument(help=_("Offices, or folders of offices; default all."))
]
_PERIODS = {
    PeriodKind.WEEK: N_("week"),
    PeriodKind.MONTH: N_("month"),
    PeriodKind.QUARTER: N_("quarter"),
    PeriodKind.HALF: N_("half-year"),
    PeriodKind.YEAR: N_("year"),
}


@rules.command(
    "check",
    help=_("Reads the offices' data, lists every fault, runs the cases, says what is open."),
)
def check_rules(offices: OfficesArgument = None, as_json: JsonOption = False) -> None:
    """Exit code 2 with all faults, each with file and key; 1 where a case fails."""
    checked = _check(settings(), offices or [])
    if as_json:
        print_json([office_json(one) for one in checked])
    else:
        for one in checked:
            print_office(one)
    if any(one.trial.failed for one in checked):
        raise typer.Exit(CASE_FAILED)


@rules.command("test", help=_("Runs case files: what is expected, and what comes out."))
def test_rules(
    paths: Annotated[
        list[Path] | None, typer.Argument(help=_("Case files or folders; default all offices'."))
    ] = None,
    against: Annotated[
        str, typer.Option(help=_("The office, or its folder, that the cases are for."))
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Exit code 1 where a case does not come out as written, 2 where a file has faults: the other
    files are run nevertheless."""
    found = settings()
    tried, faults = _run_paths(found, paths, against) if paths else _run_all(found)
    failed = [t for t in tried if t.said]
    if as_json:
        print_json({"cases": len(tried), "failed": [failure_json(t) for t in failed]})
    else:
        for one in failed:
            print_failure(one)
        if not tried and not faults:
            say(_("No cases there."))
        elif tried:
            say(_("{count} cases, {failed} failed.").format(count=len(tried), failed=len(failed)))
    if faults:
        raise OperatorFault(*faults)
    if failed:
        raise typer.Exit(CASE_FAILED)


@rules.command("new", help=_("Writes the commented folder of a new office, ready to be changed."))
def new_office(
    name: Annotated[str, typer.Argument(help=_("Its short name in Latin letters, e.g. laiwu."))],
    path: Annotated[
        Path | None, typer.Option(help=_("Where to put the folder; default beside the others."))
    ] = None,
) -> None:
    """Never overwrites."""
    root = path or settings().offices_dir
    for file in write_office(root, name):
        say(str(file))
    target = name if path is None else root / name
    say()
    say(_("Change what stands there, then: mailbot rules check {name}").format(name=target))


@rules.command("units", help=_("Every unit with the names it may be called by, and its quota."))
def list_units(
    office: Annotated[
        str | None, typer.Option(help=_("Whose units; default all set-up offices'."))
    ] = None,
) -> None:
    """In the order of the roster."""
    found = settings()
    names = (office,) if office else found.offices or (DEFAULT_OFFICE,)
    day = SystemClock().now().date()
    for book in load_offices(found.offices_dir, names).values():
        say(f"━━ {book.info.name}")
        owed = {u.id: _owed(book, u) for u in book.roster.units}
        lines = Lines(
            [
                Column(_("Unit"), 26, 18),
                Column(_("Group"), 10, 0, 1),
                Column(_("Owes"), 60 if len(book.quotas) > 1 else 10, 10),
                Column(_("Also called"), 90, 30),
            ],
            room(),
        )
        say(lines.head())
        for unit in book.roster.units:
            if unit.on(day):
                others = "、".join(n.text for n in unit.names[1:] if n.on(day))
                say(lines.row([unit.name, book.group(unit.group).name, owed[unit.id], others]))
        say()


# --- reading and running ----------------------------------------------------------------------


def _check(found: Settings, asked: Sequence[str]) -> list[Checked]:
    """The offices' books and cases. Raises with the faults of all their files."""
    checked, faults = _checked(found, asked)
    if faults:
        raise OperatorFault(*faults)
    return checked


def _checked(found: Settings, asked: Sequence[str]) -> tuple[list[Checked], list[Fault]]:
    faults: list[Fault] = []
    checked: list[Checked] = []
    working = working_calendar(found).is_working_day
    folders = _folders(found, asked)
    for root in dict.fromkeys(f.parent for f in folders):
        names = [f.name for f in folders if f.parent == root]
        try:
            books = load_offices(root, names)
        except OperatorFault as error:
            faults.extend(error.faults)
            books = _sound_ones(root, names)  # whose cases can be read nevertheless
        for name, book in books.items():
            trial = run_files(case_files(root / name / CASES), book, working)
            faults.extend(trial.faults)
            checked.append(Checked(root / name, book, trial))
    return checked, faults


def _sound_ones(root: Path, names: Sequence[str]) -> dict[str, OfficeBook]:
    books = {}
    for name in names:
        try:
            books[name] = load_office(root / name)
        except OperatorFault:
            continue  # its faults are told already
    return books


def _folders(found: Settings, asked: Sequence[str]) -> list[Path]:
    """The offices asked for; a path to an office's folder will do as well."""
    root = found.offices_dir
    if asked:
        return [_folder(root, one) for one in dict.fromkeys(asked)]
    if not root.is_dir():
        raise OperatorFault(
            Fault(str(root), _("there is no such folder"), _("set config_dir in the settings file"))
        )
    names = found.offices or sorted(p.name for p in root.iterdir() if p.is_dir())
    return [root / name for name in names]


def _folder(root: Path, asked: str) -> Path:
    path = Path(asked)
    if path.name in ("", "..") or asked in (".", "./"):
        path = path.resolve()
    return (
        path if not (root / asked).is_dir() and (path / "office.toml").is_file() else root / asked
    )


def _run_all(found: Settings) -> tuple[list[Tried], list[Fault]]:
    checked, faults = _checked(found, [])
    return [t for one in checked for t in one.trial.tried], faults


def _run_paths(
    found: Settings, paths: Sequence[Path], against: str
) -> tuple[list[Tried], list[Fault]]:
    """The cases of the files and folders, each against the office it is for; and the faults of
    files that could not be read."""
    working = working_calendar(found).is_working_day
    faults: list[Fault] = []
    tried: list[Tried] = []
    files: dict[Path, list[Path]] = {}
    for path in _files(paths, found.offices_dir):
        try:
            if against:
                home = _folder(found.offices_dir, against)
            else:
                home = home_of(path) or found.offices_dir / named_office(path)
            files.setdefault(home, []).append(path)
        except OperatorFault as error:
            faults.extend(error.faults)
    for home, of_office in files.items():
        try:
            book = load_offices(home.parent, [home.name])[home.name]
        except OperatorFault as error:
            faults.extend(error.faults)
            continue
        trial = run_files(of_office, book, working)
        faults.extend(trial.faults)
        tried.extend(trial.tried)
    return tried, faults


def _files(paths: Sequence[Path], offices: Path) -> list[Path]:
    """The case files meant: of an office's folder, or of its name, those in `cases`."""
    files: dict[Path, None] = {}
    faults = []
    for path in paths:
        folder = path if path.exists() else offices / path
        if folder.is_dir():
            inside = folder / CASES if (folder / "office.toml").is_file() else folder
            files.update(dict.fromkeys(case_files(inside)))
        elif folder.is_file():
            files[folder] = None
        else:
            faults.append(
                Fault(str(path), _("there is no such file or folder"), _("check the path"))
            )
    if faults:
        raise OperatorFault(*faults)
    return list(files)


# --- printing ---------------------------------------------------------------------------------


def _owed(book: OfficeBook, unit: Unit) -> str:
    """What the unit owes today: 8/month, and by name where the office has several quotas."""
    day = SystemClock().now().date()
    several = len(book.quotas) > 1
    told = []
    for quota in book.quotas:
        version = in_force(quota.versions, day)
        need = version.need_of(unit.id, unit.group) if version is not None else None
        if need or (need == 0 and not several):
            name = f"{quota.name} " if several else ""
            told.append(f"{name}{need}/{_(_PERIODS[quota.period])}")
    return "、".join(told) or "-"
