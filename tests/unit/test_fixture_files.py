"""The fixture directory is whole: every mail has its expectation, in known words, and the script
that made them still makes the same bytes."""

from __future__ import annotations

import importlib.util
import io
import sys
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mailbot.app.records import Relation
from mailbot.core.intake.problems import ProblemCode
from mailbot.core.mail.automatic import AutomaticKind
from mailbot.core.mail.model import DefectCode
from mailbot.core.subject.model import FieldName

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
EMAILS = FIXTURES / "emails"
TOMLS = sorted(EMAILS.glob("*.toml"))

DECISIONS = {"accept", "return", "hold", "quarantine", "ignore"}
ANSWERS = {"acknowledgement", "return", "pending", "none"}
LISTS = {
    "problems": {c.value for c in ProblemCode},
    "missing": {f.value for f in FieldName},
    "defects": {d.value for d in DefectCode},
    "secrets": {"level-star", "level-label", "level-list", "level-alone", "internal"},
    "links": {r.value for r in Relation},
}
CATEGORIES = {"brief", "news", "roundup", "problem", "research"}


def load(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def make_fixtures() -> Iterator[ModuleType]:
    before = list(sys.path)
    spec = importlib.util.spec_from_file_location("make_fixtures", FIXTURES / "make_fixtures.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = before


def test_mails_and_expectations_come_in_pairs() -> None:
    mails = {p.stem for p in EMAILS.glob("*.eml")}
    assert mails == {p.stem for p in TOMLS}
    assert len(mails) >= 85
    assert {p.suffix for p in EMAILS.iterdir()} == {".eml", ".toml"}


@pytest.mark.parametrize("path", TOMLS, ids=lambda p: p.stem)
def test_expectations_use_known_words_only(path: Path) -> None:
    data = load(path)
    assert set(data) == {"why", "received", "after", "expect"}
    assert data["why"].strip()
    assert isinstance(data["received"], datetime) and data["received"].tzinfo is not None
    expect = data["expect"]
    assert set(expect) <= {"decision", "answer", "automatic", "items", *LISTS}
    assert expect["decision"] in DECISIONS
    assert expect["answer"] in ANSWERS
    for key, known in LISTS.items():
        assert set(expect.get(key, ())) <= known, key
    if "automatic" in expect:
        assert expect["automatic"] in {k.value for k in AutomaticKind}
    for item in expect.get("items", ()):
        assert set(item) <= {"unit_name", "title", "submitter", "contact", "category"}
        assert item.get("category", "news") in CATEGORIES


@pytest.mark.parametrize("path", TOMLS, ids=lambda p: p.stem)
def test_earlier_mails_exist_and_come_earlier(path: Path) -> None:
    data = load(path)
    for name in data["after"]:
        assert load(EMAILS / f"{name}.toml")["received"] < data["received"]


@pytest.mark.parametrize("path", TOMLS, ids=lambda p: p.stem)
def test_what_must_never_be_answered_expects_no_answer(path: Path) -> None:
    expect = load(path)["expect"]
    if expect["decision"] in ("ignore", "quarantine"):
        assert expect["answer"] == "none"
    if expect["answer"] == "return":
        assert expect["decision"] == "return"


def test_every_kind_of_trouble_is_there() -> None:
    expects = [load(p)["expect"] for p in TOMLS]
    decisions = [e["decision"] for e in expects]
    enough = {"accept": 30, "return": 20, "ignore": 12, "quarantine": 5, "hold": 8}
    assert [d for d, least in enough.items() if decisions.count(d) < least] == []
    told = {code for e in expects for code in e.get("problems", ())}
    assert told >= LISTS["problems"] - {"title_ambiguous", "submitter_ambiguous"}


def test_mails_have_line_ends_as_on_the_wire() -> None:
    for path in EMAILS.glob("*.eml"):
        raw = path.read_bytes()
        assert b"\n" not in raw.replace(b"\r\n", b""), path.name
        assert len(raw) < 200_000, path.name


def test_the_script_makes_the_same_bytes(make_fixtures: ModuleType, tmp_path: Path) -> None:
    make_fixtures.write(tmp_path)
    there = {p.name: p.read_bytes() for p in EMAILS.iterdir()}
    made = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert sorted(there) == sorted(made)
    assert [name for name in there if there[name] != made[name]] == []


def test_the_script_removes_what_no_fixture_makes(
    make_fixtures: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "old.eml").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    make_fixtures.write(tmp_path)
    assert not (tmp_path / "old.eml").exists()
    assert (tmp_path / "notes.txt").exists()


def test_attachments_are_files_that_programs_open() -> None:
    import docx

    sys.path.insert(0, str(FIXTURES))
    try:
        from making import files
    finally:
        sys.path.remove(str(FIXTURES))
    opened = docx.Document(io.BytesIO(files.docx("第一段", "第二段 <&>")))
    assert [p.text for p in opened.paragraphs] == ["第一段", "第二段 <&>"]
    assert files.doc("春耕").startswith(bytes.fromhex("d0cf11e0a1b11ae1"))
    assert files.pdf("春耕").startswith(b"%PDF-")
