"""What `docs/` says about rules is true: its words are the code's, its examples load, its cases hold.

An example names its file in its first line (`# scoring.toml`). In the reference every section is
tried by itself on top of a fresh skeleton; the walk-through is one office, built from all of its
examples in their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest

from mailbot.adapters.offices.calendar import WorkingCalendar
from mailbot.adapters.offices.caseevents import ALWAYS, EXTRA
from mailbot.adapters.offices.newoffice import write_office
from mailbot.adapters.offices.rulefiles import FILES, OPTIONAL, load_office
from mailbot.adapters.offices.rulewords import ALL_CONDITIONS
from mailbot.adapters.offices.selftest import case_files, run_files
from mailbot.core.duties.model import (
    OWN_WORDS,
    RECOMMENDER,
    SMS_WORDS,
    STANDING_COLUMNS,
    DocumentRule,
    DutyKind,
    LetterBook,
    LetterRule,
    NewsMode,
    OwnLetter,
    Part,
    Reader,
    Stage,
)
from mailbot.core.duties.model import Section as DocumentSection
from mailbot.core.rules.cases import Expected, ExpectedEntry
from mailbot.core.rules.events import (
    EventKind,
    Fault,
    Form,
    Outcome,
    Signer,
    UnitStatus,
)
from mailbot.core.rules.kinds import (
    KINDS,
    BaseLine,
    DatedBy,
    Joint,
    Line,
    Measure,
    Mode,
    Repeat,
    Rule,
    ShortageLine,
    Step,
)
from mailbot.core.rules.people import CALLED
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.scorebook import (
    Column,
    ColumnCount,
    Consequence,
    LedgerTask,
    Left,
    ListKind,
    ListRule,
    ListVersion,
    OrderBy,
    Quota,
    QuotaVersion,
    Ranking,
    RankingTable,
    Term,
    Ties,
)

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "规则与案例.md"
WALK = ROOT / "docs" / "新单位上手.md"
HOLIDAYS = ROOT / "config" / "holidays.toml"

NAMED = {
    "lines": "line",
    "steps": "step",
    "matches": "match",
    "start": "from",
    "versions": "version",
    "columns": "column",
    "letters": "letter",
    "sections": "section",
    "annexes": "annex",
}
"""Where data calls a value otherwise than the code."""
VALUES = (
    *(*KINDS.values(), Rule, Line, BaseLine, ShortageLine, Step),
    *(Quota, QuotaVersion, Ranking, RankingTable, Column, Term),
    *(ListRule, ListVersion, LedgerTask, Left),
    *(LetterBook, LetterRule, Stage, DocumentRule, DocumentSection, OwnLetter, Reader),
)

_BLOCK = re.compile(r"^```toml\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_UNNAMED = re.compile(r"^```toml\n(?!# \S+\.toml\n)", re.MULTILINE)
_HEADING = re.compile(r"^#{2,4} (.+)$", re.MULTILINE)


@dataclass
class Section:
    """A heading and the examples below it: (file, text)."""

    name: str
    blocks: list[tuple[str, str]] = field(default_factory=list)


def sections(path: Path) -> list[Section]:
    found = [Section("")]
    text = path.read_text(encoding="utf-8")
    marks = sorted(
        [*_HEADING.finditer(text), *_BLOCK.finditer(text)], key=lambda mark: mark.start()
    )
    inside = 0
    for mark in marks:
        if mark.re is _BLOCK:
            found[-1].blocks.append((mark[1], mark[2]))
            inside = mark.end()
        elif mark.start() >= inside:
            found.append(Section(mark[1]))
    return [s for s in found if s.blocks]


def skeleton(root: Path, name: str) -> Path:
    """A fresh office without the skeleton's own case: rules that are added change its points."""
    write_office(root, name)
    for path in case_files(root / name / "cases"):
        path.unlink()
    return root / name


def tried(folder: Path) -> int:
    """How many cases the folder has; all of them hold."""
    book = load_office(folder)
    working = WorkingCalendar(HOLIDAYS).is_working_day
    trial = run_files(case_files(folder / "cases"), book, working)
    assert not trial.faults, [str(fault) for fault in trial.faults]
    assert not trial.failed, [(t.name, t.said) for t in trial.failed]
    return len(trial.tried)


@pytest.mark.parametrize("section", sections(REFERENCE), ids=lambda s: s.name)
def test_the_examples_of_each_section_load_and_hold(section: Section, tmp_path: Path) -> None:
    folder = skeleton(tmp_path, "yangben")
    for name, text in section.blocks:
        path = folder / name
        assert name.startswith("cases/") or name in (*FILES, *OPTIONAL), name
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(f"{before}\n{text}", encoding="utf-8")
    cases = sum(text.count("[[case]]") for name, text in section.blocks if "cases/" in name)
    assert tried(folder) == cases


def test_the_office_of_the_walk_through_loads_and_its_cases_hold(tmp_path: Path) -> None:
    folder = skeleton(tmp_path, "lw")
    blocks = [block for section in sections(WALK) for block in section.blocks]
    written: dict[str, str] = {}
    for name, text in blocks:
        written[name] = written.get(name, "") + text + "\n"
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    assert set(FILES) <= set(written), "a file of the skeleton was left as it was"
    assert tried(folder) == sum(text.count("[[case]]") for text in written.values()) > 10


@pytest.mark.parametrize("path", [REFERENCE, WALK], ids=lambda p: p.stem)
def test_every_example_says_which_file_it_is_of(path: Path) -> None:
    assert not _UNNAMED.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "words",
    [
        KINDS,
        [k.value for k in EventKind],
        [k.value for k in ListKind],
        [f.name for f in fields(Expected)],
        [f.name for f in fields(ExpectedEntry)],
        ALWAYS,
        [key for keys in EXTRA.values() for key in keys],
        (*ALL_CONDITIONS, *CALLED),
        (*OWN_WORDS, *SMS_WORDS, *STANDING_COLUMNS, RECOMMENDER),
        [NAMED.get(f.name, f.name) for values in VALUES for f in fields(values)],
        [
            word.value
            for kind in (
                *(DatedBy, Repeat, Joint, Mode, Measure, PeriodKind),
                *(Form, Outcome, Fault, Signer, UnitStatus),
                *(OrderBy, Ties, ColumnCount, Consequence),
                *(DutyKind, Part, NewsMode),
            )
            for word in kind
        ],
    ],
    ids=[
        "kinds",
        "events",
        "lists",
        "expect",
        "entries",
        "always",
        "extra",
        "conditions",
        "letters",
        "keys",
        "words",
    ],
)
def test_every_word_of_the_data_is_explained(words: Iterable[str]) -> None:
    missing = set(words) - set(_explained(REFERENCE.read_text(encoding="utf-8")))
    assert not missing


KINDS_OF = {
    "scoring.toml": set(KINDS),
    "notices.toml": {k.value for k in ListKind},
    "letters.toml": {k.value for k in DutyKind},
}


@pytest.mark.parametrize("file", KINDS_OF)
def test_every_kind_of_rule_list_and_letter_has_an_example(file: str) -> None:
    blocks = [block for section in sections(REFERENCE) for block in section.blocks]
    text = "".join(text for name, text in blocks if name == file)
    assert KINDS_OF[file] == set(re.findall(r'^kind = "(\w+)"', text, re.MULTILINE))


def _explained(text: str) -> Iterator[str]:
    """Words in code marks outside of examples; `[[rule.version.line]]` explains nothing else."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for mark in re.findall(r"`([^`\n]+)`", prose):
        yield from re.findall(r"[a-z_]+", mark)
