"""Reads case files (`cases/*.toml`): rules tried on events, as an official would write them down.

The format is explained in `docs/`. Promises: all faults of a file at once, each with its line; a
case that could not fail is refused; names are the office's own, of the day of the event. Running
the cases is `core.rules.trial`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mailbot.adapters.offices.caseevents import Reader
from mailbot.adapters.offices.caseexpect import Expectation
from mailbot.adapters.offices.casenames import Names, chosen_units
from mailbot.adapters.offices.opening import open_source
from mailbot.adapters.offices.tablereader import Table, TomlSource, nearest
from mailbot.adapters.offices.unitfile import read_contact
from mailbot.adapters.toml.file import read_bytes
from mailbot.app.errors import Fault, OperatorFault
from mailbot.core.rules.cases import Case
from mailbot.core.rules.events import Event
from mailbot.core.rules.periods import Period, PeriodKind, WorkingDay
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.roster import Unit, UnitName

STAND_IN = Period(date(2000, 1, 1), PeriodKind.YEAR)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """`cases` are to be run. `refused` names those that expected to be refused and were, in so many
    words, when they were read: an unknown journal needs no reckoning."""

    cases: tuple[Case, ...]
    refused: tuple[str, ...] = ()


def read_cases(path: Path, book: OfficeBook, is_working_day: WorkingDay) -> list[Case]:
    """The cases of a file that are to be run. Raises `OperatorFault` with all its faults."""
    return list(read_case_file(path, book, is_working_day).cases)


def read_case_file(path: Path, book: OfficeBook, is_working_day: WorkingDay) -> CaseFile:
    """As `read_cases`, and what was refused as expected."""
    source = _parse(path)
    root = source.root()
    office = root.text("office", "")
    if office and office != book.info.id:
        root.fault("office", f"是“{office}”的算例，不是“{book.info.id}”的", "改 office，或移走文件")
    cases: list[Case] = []
    refused: list[str] = []
    for number, table in enumerate(root.tables("case", required=True), 1):
        before = len(source.faults)
        reading = _Reading(table, book, is_working_day, f"{path} 第 {number} 例")
        case = reading.read()
        told, words = source.faults[before:], case.expected.error
        if case.name and case.name in {*(c.name for c in cases), *refused}:
            table.fault("name", f"“{case.name}”写了两次", "每一例的名称各不相同")
        if words and told == reading.of_events and _all_say(told, words):
            del source.faults[before : before + len(told)]
            refused.append(case.name)
        else:
            cases.append(case)
    root.close()
    if source.faults:
        raise OperatorFault(*source.faults)
    return CaseFile(tuple(cases), tuple(refused))


def _all_say(faults: list[Fault], words: str) -> bool:
    return bool(faults) and all(words in f.found or words in f.remedy for f in faults)


def office_of(path: Path) -> str:
    """The office a case file says it is for; "" where it leaves that to its folder."""
    return _parse(path).root().text("office", "")


def _parse(path: Path) -> TomlSource:
    return open_source(read_bytes(path), str(path))


class _Reading:
    """One case being read."""

    def __init__(
        self, table: Table, book: OfficeBook, is_working_day: WorkingDay, where: str
    ) -> None:
        self.table, self.book, self.where = table, book, where
        self.is_working_day = is_working_day
        self.of_events: list[Fault] = []
        """What was wrong with the events, after `read`."""

    def read(self) -> Case:
        table = self.table
        name = table.text("name")
        period = table.period("period") or STAND_IN
        as_of = table.recent_day("as_of", required=False)
        brought = self._units()
        names = chosen_units(table, self.book, brought, period.last)
        events = self._events(names)
        case = Case(
            name=name,
            office=self.book.info.id,
            where=self.where,
            period=period,
            as_of=as_of,
            units=None if names.whole_roster else names.units,
            events=events,
            seal_before=self._seals(),
            expected=Expectation(table.table("expect"), names, period.last).read(),
        )
        table.close()
        return case

    def _events(self, names: Names) -> tuple[Event, ...]:
        faults = self.table.source.faults
        before = len(faults)
        events = Reader(names, self.is_working_day).read(self.table.tables("event"))
        self.of_events = faults[before:]
        return events

    def _units(self) -> tuple[Unit, ...]:
        units: list[Unit] = []
        groups = [g.id for g in self.book.groups]
        for inner in self.table.tables("unit"):
            unit = Unit(
                id=inner.identifier("id"),
                names=(UnitName(inner.text("name")),),
                group=inner.identifier("group"),
                start=inner.maybe_day("start"),
                end=inner.maybe_day("end"),
                recommender=inner.text("recommender", ""),
                contacts=tuple(read_contact(c) for c in inner.tables("contact")),
            )
            inner.close()
            if unit.group and unit.group not in groups:
                inner.fault("group", f"没有这个组“{unit.group}”", nearest(unit.group, groups))
            for key, value in (("id", unit.id), ("name", unit.name)):
                if value and value in {w for u in units for w in (u.id, u.name)}:
                    inner.fault(key, f"“{value}”写了两次", "每个单位只写一次")
            units.append(unit)
        return tuple(units)

    def _seals(self) -> tuple[Period, ...]:
        found = []
        settles = self.book.scoring.settles
        for written in self.table.texts("seal_before"):
            period = self.table.as_period("seal_before", written)
            if period is not None and period.kind is not settles:
                what = f"“{written}”不是封账的时段"
                example = Period.of(settles, period.first).code
                self.table.fault("seal_before", what, f"封账按 {settles.value}，例如 {example}")
            elif period is not None:
                found.append(period)
        return tuple(sorted(found))
