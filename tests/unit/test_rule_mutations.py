"""Would anybody notice? Each small mistake in an office's rules must be refused by the loader or
turn one of the office's cases red. Those that pass unnoticed are listed here, with the reason.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailbot.adapters.offices.calendar import WorkingCalendar
from mailbot.adapters.offices.casefile import read_cases
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.app.errors import OperatorFault
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.cases import Case
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.trial import run_case
from tests.unit.mutants import FILES, Mutant, mutants

OFFICES = Path(__file__).resolve().parents[2] / "config" / "offices"
NAMES = sorted(p.name for p in OFFICES.iterdir() if p.is_dir())

LETTERS = dict.fromkeys(
    (
        "acknowledgements_per_day",
        "returns_per_day",
        "repeats_per_day",
        "per_thread",
        "per_hour",
        "duplicate_days",
        "urgent_lane",
    ),
    (1, "limits letters, not points: see test_limits"),
)
DAY_LATER = "judged by a period's last day: any first day in the same month is the same"
SURVIVORS: dict[str, dict[str, tuple[int, str]]] = {
    "jinan": {
        "2016-06-14 -> 2016-06-15": (3, DAY_LATER),
        "2016-06-14 -> 2017-06-14": (1, "nothing is owed, under any version"),
    },
    "laiwu": {
        "2019-04-05 -> 2019-04-06": (27, DAY_LATER),
    },
    "openness": {
        "2021-04-12 -> 2021-04-13": (3, DAY_LATER),
        "2021-04-12 -> 2022-04-12": (1, "nothing is owed, under any version"),
    },
    "otog": {
        "2022-07-06 -> 2022-07-07": (8, DAY_LATER),
        "2022-07-06 -> 2023-07-06": (3, "a ladder without steps books nothing"),
    },
    "shandong": {
        "2022-07-01 -> 2022-07-02": (10, DAY_LATER),
        "2022-07-01 -> 2023-07-01": (
            1,
            "the conversion has no factor yet: it is off",
        ),
        'left out: id = "conversion"': (1, "the conversion has no factor yet: it is off"),
    },
}
"""By office: a part of the mutants' description, how many there are, and why nothing can notice them."""


@dataclass
class Bench:
    """A copy of one office whose files can be mistaken one at a time."""

    folder: Path
    calendar: WorkingCalendar

    def notices(self, mutant: Mutant) -> bool:
        path = self.folder / mutant.file
        original = path.read_bytes()
        try:
            path.write_text(mutant.text, encoding="utf-8")
            try:
                book = load_office(self.folder)
                cases = self.cases(book)
            except OperatorFault:
                return True
            return any(self.fails(book, case) for case in cases)
        finally:
            path.write_bytes(original)

    def cases(self, book: OfficeBook) -> list[Case]:
        return [
            case
            for path in sorted((self.folder / "cases").glob("*.toml"))
            for case in read_cases(path, book, self.calendar.is_working_day)
        ]

    @staticmethod
    def fails(book: OfficeBook, case: Case) -> bool:
        try:
            return bool(run_case(book, case))
        except NoRuleInForce:
            return True


@pytest.mark.long
@pytest.mark.parametrize("office", NAMES)
def test_every_mistake_in_the_rules_is_noticed(office: str, tmp_path: Path) -> None:
    folder = tmp_path / office
    shutil.copytree(OFFICES / office, folder)
    (folder / "letters.toml").unlink()  # it would miss a list left out before any case could
    bench = Bench(folder, WorkingCalendar(OFFICES.parent / "holidays.toml"))
    book = load_office(folder)
    assert not [c.name for c in bench.cases(book) if bench.fails(book, c)], "red before any mistake"
    known = SURVIVORS.get(office, {}) | LETTERS
    tried = 0
    survivors = []
    for name in FILES:
        if not (folder / name).exists():
            continue
        for mutant in mutants(name, (folder / name).read_text(encoding="utf-8")):
            tried += 1
            if not bench.notices(mutant):
                survivors.append(str(mutant))
    assert tried > 10, "the files hold no rules?"
    unlisted = [s for s in survivors if not any(part in s for part in known)]
    assert not unlisted, "unnoticed:\n" + "\n".join(unlisted)
    counted = {part: sum(part in s for s in survivors) for part in known}
    assert counted == {part: number for part, (number, _why) in known.items()}
