"""Five hundred further lines, written before the reader they judge, with what becomes of each.

`tests/data/subjects_fresh.tsv`: subject, the unit's own name, title, submitter, contacts, decision
of a new sender's mail (`accept`; `hold`: complete, but the unit is only likely; `return`), and what
else must be observed. `*` matches anything: where two readings are as good, the line only holds the
reader to not accepting the wrong one. Several decisions stand with |.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from fnmatch import fnmatchcase

import pytest

from mailbot.core.intake.faults import field_faults
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.rulebook import Convention, Elsewhere, SenderPolicy
from mailbot.core.subject.model import Certainty, FieldName, Reading
from mailbot.core.subject.reader import read_subject
from tests.unit.roster_helper import ROOT, otog, shipped_noise

DAY = date(2026, 8, 12)
MARKS = ("问题", "调研报告", "约稿", "简讯", "动态", "综合", "调研", "投稿")

CONVENTION = Convention(
    date(2022, 7, 6),
    Basis("文件", "条款"),
    tuple(FieldName),
    Elsewhere.SUGGEST,
    SenderPolicy.OPEN,
    "",
)


def _rows() -> list[list[str]]:
    lines = (ROOT / "tests/data/subjects_fresh.tsv").read_text(encoding="utf-8").split("\n")[1:]
    return [line.split("\t") for line in lines if line and not line.startswith("# ")]


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[0][:40])
def test_what_becomes_of_a_line(row: list[str]) -> None:
    subject, unit, title, submitter, contact, decisions, also = row
    reading = read_subject(
        subject.replace("\\t", "\t"), otog(), DAY, noise=shipped_noise(), marks=MARKS
    )
    assert _decision(reading) in decisions.split("|")
    asked = {a.field for a in reading.ambiguities}
    got = {
        FieldName.UNIT: otog().get(reading.unit.unit_id).name
        if reading.unit and reading.unit.unit_id
        else "",
        FieldName.TITLE: reading.title.value if reading.title else "",
        FieldName.SUBMITTER: reading.submitter.value if reading.submitter else "",
    }
    for name, wanted in zip(got, (unit, title, submitter), strict=True):
        if wanted or name not in asked:
            assert fnmatchcase(_plain(got[name]), _plain(wanted)), name
    assert ";".join(_digits(c.value) for c in reading.contact) == ";".join(
        map(_digits, contact.split(";"))
    )
    wanted_also = dict(part.split("=", 1) for part in also.split(";") if part)
    observed = _observed(reading)
    assert {key: observed[key] for key in wanted_also} == wanted_also


def _decision(reading: Reading) -> str:
    several = reading.count is not None and reading.count > 1
    if field_faults(reading, CONVENTION, otog(), titles_elsewhere=several).problems:
        return "return"
    assert reading.unit is not None
    return "accept" if reading.unit.certainty is Certainty.CERTAIN else "hold"


def _observed(reading: Reading) -> dict[str, str]:
    unit = reading.unit
    return {
        "ntitles": str(len(reading.titles)),
        "count": str(reading.count),
        "month": str(reading.month),
        "marks": "/".join(reading.marks),
        "prefixes": "/".join(reading.prefixes),
        "ambiguous": "/".join(a.field for a in reading.ambiguities),
        "unknown": unit.value if unit and unit.unit_id is None else "",
        "candidates": "/".join(unit.candidates) if unit else "",
        "first": unit.candidates[0] if unit and unit.candidates else "",
    }


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", text)) or text
