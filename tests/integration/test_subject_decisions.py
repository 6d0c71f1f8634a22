"""Every V row of the subject table: the four columns and what becomes of the line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from mailbot.adapters.system import SHANGHAI
from mailbot.app.explain import Saved, explanation, look, subject_only
from mailbot.core.intake.secrets import find_secrets
from tests.fixture_mails import Bench, open_test_bench

TABLE = Path(__file__).parent.parent / "data" / "subjects.tsv"
RECEIVED = datetime(2026, 8, 12, 9, 30, tzinfo=SHANGHAI)

NOT_ACCEPTED = {
    "V12": "return",  # the contact is missing
    "V13": "return",  # only a title
    "V30": "quarantine",
    "V31": "ignore",
    "V32": "ignore",
    "V33": "ignore",
    "V34": "return",  # the file's name as subject
    "V35": "return",
}
BEFORE_READING = {"V30", "V31", "V32", "V33"}
"""Decided by the secrets look or as automatic mail: their fields are not read."""


def _rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [r for r in rows if r["id"].startswith("V")]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with open_test_bench() as office:
        yield Bench(office)


def test_the_table_is_whole() -> None:
    assert len(_rows()) == 39


@pytest.mark.parametrize("row", _rows(), ids=lambda r: r["id"])
def test_fields_and_decision(row: dict[str, str], bench: Bench) -> None:
    line = row["example_subject"]
    marks = find_secrets(
        subject=line, body="", attachment_names=(), attachment_texts=(), nested_texts=()
    )
    mail = replace(subject_only(line), secrets=marks)
    saved = Saved(row["id"], mail, RECEIVED, line_only=True)
    (settled,) = look([saved], bench.settler, bench.office.store, RECEIVED)
    found = explanation(settled)
    assert found["decision"] == NOT_ACCEPTED.get(row["id"], "accept"), found["reasons"]
    if row["id"] in BEFORE_READING:
        assert found["items"] == [] and found["answer"] is None
        return
    (item,) = found["items"]
    fields = item["fields"]
    for name in ("unit", "title", "submitter"):
        assert ((fields[name] or {}).get("value") or "") == row[name]
    assert ";".join(c["value"] for c in fields["contact"]) == row["contact"]
