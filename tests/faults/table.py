"""Makes docs/faults.md: every fault of tests/faults/faults.tsv beside the tests that show what happens.

    python -m tests.faults.table          # writes docs/faults.md
    python -m tests.faults.table --check  # exit 1 when it is out of date or a fault has neither

A test belongs to a fault by its name: `test_i5_…`, `test_s1_s2_…`. Where the table's expectation is met
in another way, or cannot be tested here, `tests/faults/notes.toml` says so.
"""

from __future__ import annotations

import ast
import csv
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAULTS = ROOT / "tests" / "faults" / "faults.tsv"
NOTES = ROOT / "tests" / "faults" / "notes.toml"
PAGE = ROOT / "docs" / "faults.md"

_IDS = re.compile(r"test_((?:[a-z]\d{1,2}_)+)")
_GROUPS = {
    "kill": "Killed at any moment",
    "smtp": "Sending",
    "imap": "Reading the mailbox",
    "dup": "The same mail again",
    "resource": "Disk, database, memory",
    "clock": "Clocks and calendars",
    "process": "Processes and machines",
    "loop": "Loops and automatic mail",
    "attack": "Attacks",
    "decode": "Decoding",
}
_HEAD = """\
# Faults and what happens

Made by `python -m tests.faults.table` from `tests/faults/faults.tsv`, the names of the tests, and
`tests/faults/notes.toml`. Every test named here runs in `make test`, or in `make long` where it says
so; CI runs both and skips none.
"""


@dataclass(frozen=True, slots=True)
class Shown:
    file: str
    name: str
    long: bool


def faults() -> list[dict[str, str]]:
    with FAULTS.open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


def notes() -> dict[str, str]:
    """Id -> what holds instead, or beside it."""
    return tomllib.loads(NOTES.read_text("utf-8")) if NOTES.exists() else {}


@cache
def shown() -> dict[str, list[Shown]]:
    """Id -> tests."""
    found: dict[str, list[Shown]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for function, long in _tests(ast.parse(path.read_text("utf-8"))):
            ids = _IDS.match(function)
            for fault in ids[1].strip("_").upper().split("_") if ids else ():
                file = path.relative_to(ROOT).as_posix()
                found.setdefault(fault, []).append(Shown(file, function, long))
    return found


def _tests(module: ast.Module) -> Iterator[tuple[str, bool]]:
    everything_long = any(
        isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets)
        and "mark.long" in ast.unparse(node.value)
        for node in module.body
    )
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = " ".join(ast.unparse(d) for d in node.decorator_list)
            yield node.name, everything_long or "mark.long" in marks


def page() -> str:
    tests, said = shown(), notes()
    lines = [_HEAD]
    group = ""
    for fault in faults():
        if fault["group"] != group:
            group = fault["group"]
            lines += [
                "",
                f"## {_GROUPS[group]}",
                "",
                "| | Fault | Expected | Shown by |",
                "| --- | --- | --- | --- |",
            ]
        number = fault["id"]
        by = [
            f"`{t.file}::{t.name}`" + (" (long)" if t.long else "") for t in tests.get(number, ())
        ]
        if number in said:
            by.append(said[number])
        cells = (
            number,
            _cell(fault["fault_and_injection"]),
            _cell(fault["expected"]),
            "<br>".join(by),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"([|<>\\*_`])", r"\\\1", text)


def missing() -> list[str]:
    """Faults that have neither a test nor a note, and notes or tests of no fault."""
    tests, said = shown(), notes()
    known = {f["id"] for f in faults()}
    return [
        f"{number}: no test and no note" for number in sorted(known - set(tests) - set(said))
    ] + [f"{number}: a note on no fault" for number in sorted(set(said) - known)]


def main() -> int:
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    wrong = missing()
    if not PAGE.exists() or PAGE.read_text("utf-8") != page():
        wrong.append("docs/faults.md is out of date: python -m tests.faults.table")
    print("\n".join(wrong) or f"{len(faults())} faults, each with a test or a note")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
