"""Subjects as published and as people write them, row by row.

`tests/data/subjects.tsv`: R rows are published rules with an example (each read with a roster that
holds its unit), V rows variants of the otog convention. `tests/data/subjects_more.tsv`: further
lines of our own.
"""

from __future__ import annotations

import csv
from datetime import date

import pytest

from mailbot.core.subject.model import Certainty, FieldName, Reading
from mailbot.core.subject.reader import read_subject
from tests.unit.roster_helper import ROOT, made_of, otog, shipped_noise

DAY = date(2026, 8, 12)
NOISE = shipped_noise()
MARKS = ("问题", "调研报告", "约稿", "简讯", "动态", "综合", "调研", "投稿")

with (ROOT / "tests/data/subjects.tsv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))

NOT_READABLE = {
    # row: (why a line alone cannot tell, field: what comes out instead)
    "R04": ("a date belongs to a title as in V20; the rule splits it off", {"title": "2月3日疫情信息日报告"}),
    "R08": ("the suffix 活动信息稿 is that rule's own", {"title": "模拟招聘会活动信息稿"}),
    "R10": ("submitter and contact person, two names and no title: asked, not guessed", {"submitter": ""}),
    "R14": ("the name of the contest stands where a title may begin", {"title": "征文演讲+我的中国梦"}),
    "R26": ("the title is in two places: asked", {"title": "CAMRP2025"}),
    "R29": ("reason or exercise, either could be the title: asked", {"title": "系统故障"}),
    "R32": ("where the applicant heard of it looks like a title", {"title": "会计+前程无忧"}),
    "R38": ("来自高德技术 is that rule's own", {"title": "后端-来自高德技术"}),
    "R40": ("a subject of study is no field of ours and looks like a title", {"title": "会计"}),
    "R41": ("a subject of study is no field of ours and looks like a title", {"title": "会计"}),
    "R50": ("a subject of study is no field of ours and looks like a title", {"title": "会计"}),
    "R54": ("eight digits from 2 to 8 are a telephone of a large city", {"contact": "88012345"}),
    # Secrets, autoresponders and receipts are settled before the subject is read.
    "V30": ("quarantined unread", {"unit": "农牧局", "title": "机密★1年", "submitter": "张三", "contact": "7622029"}),
    "V31": ("automatic, never a submission", {"title": "政务信息报送情况提醒"}),
    "V32": ("a read receipt, never a submission", {"title": "政务信息采用情况通报"}),
}  # fmt: skip


def as_row(reading: Reading) -> dict[str, str]:
    return {
        "unit": reading.unit.value if reading.unit and reading.unit.unit_id else "",
        "title": reading.title.value if reading.title else "",
        "submitter": reading.submitter.value if reading.submitter else "",
        "contact": ";".join(c.value for c in reading.contact),
    }


def read(row: dict[str, str]) -> Reading:
    roster = (
        otog() if row["id"].startswith("V") else made_of(*([row["unit"]] if row["unit"] else []))
    )
    return read_subject(row["example_subject"], roster, DAY, noise=NOISE, marks=MARKS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_every_published_and_constructed_subject(row: dict[str, str]) -> None:
    wanted = {name: (row[name] or "") for name in ("unit", "title", "submitter", "contact")}
    wanted["contact"] = wanted["contact"].replace("/", ";")
    wanted |= NOT_READABLE.get(row["id"], ("", {}))[1]
    assert as_row(read(row)) == wanted


def test_what_is_not_readable_is_listed_field_by_field(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints the list (pytest -s shows it) and holds it complete: no row fails unlisted, none is
    listed that reads."""
    failing = set()
    for row in ROWS:
        got = as_row(read(row))
        for name, value in got.items():
            wanted = (row[name] or "").replace("/", ";" if name == "contact" else "/")
            if value != wanted:
                failing.add(row["id"])
                print(
                    f"{row['id']} {name}: published {wanted!r}, read {value!r}: {NOT_READABLE[row['id']][0]}"
                )
    assert failing == set(NOT_READABLE)
    assert "R54 contact" in capsys.readouterr().out


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r["id"] in ("R10", "R26", "R29")], ids=lambda r: r["id"]
)
def test_two_readings_are_asked_and_never_accepted(row: dict[str, str]) -> None:
    reading = read(row)
    assert reading.ambiguities
    for ambiguity in reading.ambiguities:
        value = reading.field(ambiguity.field)
        assert value is None or (
            not isinstance(value, tuple) and value.certainty is Certainty.GUESS
        )


def _more() -> list[list[str]]:
    lines = (ROOT / "tests/data/subjects_more.tsv").read_text(encoding="utf-8").split("\n")[1:]
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("row", _more(), ids=lambda row: row[0][:40])
def test_further_subjects(row: list[str]) -> None:
    subject, unit, title, submitter, contact, also = row
    reading = read_subject(subject, otog(), DAY, noise=NOISE, marks=MARKS)
    got = as_row(reading)
    if reading.title and reading.title.certainty is Certainty.GUESS:
        got["title"] = ""
    assert got == {"unit": unit, "title": title, "submitter": submitter, "contact": contact}
    observed = {
        "titles": "/".join(reading.titles),
        "count": str(reading.count),
        "month": str(reading.month),
        "marks": "/".join(reading.marks),
        "prefixes": "/".join(reading.prefixes),
        "reference": str(reading.reference),
        "leftover": "/".join(reading.leftover),
        "ambiguous": "/".join(a.field for a in reading.ambiguities),
        "id": (reading.unit and reading.unit.unit_id) or "",
        "unknown": reading.unit.value if reading.unit and reading.unit.unit_id is None else "",
        "candidates": "/".join(reading.unit.candidates) if reading.unit else "",
    }
    wanted = dict(part.split("=", 1) for part in also.split(";") if part)
    assert {key: observed[key] for key in wanted} == wanted
    if "ambiguous" not in wanted:
        assert not reading.ambiguities


def test_certain_means_certain() -> None:
    """The plain line is certain in all four; a name run into the text is only likely."""
    plain = read_subject("农牧局+春耕备耕工作进展顺利+张三+7622029", otog(), DAY)
    for name in FieldName:
        value = plain.field(name)
        single = value[0] if isinstance(value, tuple) else value
        assert single is not None and single.certainty is Certainty.CERTAIN, name
    glued = read_subject("农牧局春耕备耕工作进展顺利张三7622029", otog(), DAY)
    assert glued.submitter is not None and glued.submitter.certainty is Certainty.LIKELY
    assert glued.unit is not None and glued.unit.certainty is Certainty.LIKELY
