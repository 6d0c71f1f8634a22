"""Runs the cases that stand beside an office's rules (`cases/*.toml`), or any case files.

An office whose cases do not come out as written must not score: `mailbot rules check`, the tests
and the start of the daemon all ask here. What a case means is `core.rules.trial`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mailbot.adapters.offices.casefile import office_of, read_case_file
from mailbot.app.errors import Fault, OperatorFault
from mailbot.core.rules.periods import WorkingDay
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.trial import run_case

CASES = "cases"
"""The folder beside an office's files. Its files are no part of the book nor of its digest."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One case that was run. `said` is what came out otherwise; empty: it passed."""

    office: str
    where: str
    """File and number."""
    name: str
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of some case files. With `faults` there are files that could not be read."""

    tried: tuple[Tried, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def failed(self) -> tuple[Tried, ...]:
        return tuple(t for t in self.tried if t.said)


def case_files(folder: Path) -> list[Path]:
    """The case files below a folder, in order."""
    found = (p for p in folder.rglob("*.toml") if not p.name.startswith((".", "~")))
    return sorted(p for p in found if p.is_file())


def home_of(path: Path) -> Path | None:
    """The office's folder that a case file lies in; None where it lies elsewhere."""
    return next((p for p in path.resolve().parents if (p / "office.toml").is_file()), None)


def named_office(path: Path) -> str:
    """The office a file outside an office's folder is for. Raises `OperatorFault` without one."""
    office = office_of(path)
    if not office:
        expected = '在文件开头写 office = "otog"，或把文件放进该办公室的 cases 文件夹'
        raise OperatorFault(Fault(str(path), "没有写是哪个办公室的算例", expected))
    return office


def run_files(paths: Iterable[Path], book: OfficeBook, is_working_day: WorkingDay) -> Trial:
    """Every case of the files against one office's book. Faulty files are told, not raised."""
    tried: list[Tried] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            found = read_case_file(path, book, is_working_day)
        except OperatorFault as error:
            faults.extend(error.faults)
            continue
        office = book.info.id
        tried.extend(Tried(office, str(path), name) for name in found.refused)
        for case in found.cases:
            tried.append(Tried(office, case.where, case.name, tuple(run_case(book, case))))
    return Trial(tuple(tried), tuple(faults))


def failing_cases(
    root: Path, books: Mapping[str, OfficeBook], is_working_day: WorkingDay
) -> list[Fault]:
    """What is wrong with the cases of the offices (folders of `root`): files with faults, and cases
    that come out otherwise. Empty: all is as written."""
    found: list[Fault] = []
    for name, book in books.items():
        trial = run_files(case_files(root / name / CASES), book, is_working_day)
        found.extend(trial.faults)
        found.extend(
            Fault(f"{t.where}“{t.name}”", "；".join(t.said), "改规则，或改这一例")
            for t in trial.failed
        )
    return found
