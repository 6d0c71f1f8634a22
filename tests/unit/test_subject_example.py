"""The example of a well-formed subject: the unit's own, and nobody's telephone number by mistake."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from mailbot.adapters.offices.rulefiles import load_offices
from mailbot.adapters.system import shipped
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.example import example_for
from mailbot.core.subject.reader import read_subject
from mailbot.core.subject.roster import Contact, Roster

DAY = date(2026, 8, 12)
OFFICES = ("otog", "laiwu", "jinan", "openness")
BOOKS = load_offices(shipped("config") / "offices", OFFICES)


def example(book: OfficeBook, unit: str, **how: bool) -> str:
    return example_for(unit, book.convention_on(DAY).example, book.roster, DAY, **how)


def with_liaison(book: OfficeBook, unit_id: str, *contacts: Contact) -> OfficeBook:
    units = tuple(
        replace(u, contacts=contacts) if u.id == unit_id else u for u in book.roster.units
    )
    return replace(book, roster=Roster(units, book.roster.prefixes))


@pytest.mark.parametrize("office", OFFICES)
def test_every_units_example_reads_as_its_own(office: str) -> None:
    book = BOOKS[office]
    for unit in book.roster.units:
        if not unit.on(DAY):
            continue
        reading = read_subject(example(book, unit.id), book.roster, DAY)
        assert reading.unit is not None and reading.unit.unit_id == unit.id
        assert reading.title is not None and not reading.ambiguities


def test_nobodys_number_stands_in_it() -> None:
    """The convention's own example has the office's telephone."""
    book = BOOKS["otog"]
    assert book.info.phone in book.convention_on(DAY).example
    line = example(book, "education")
    assert book.info.phone not in line and "13900000000" in line
    assert line.startswith("教体局+") or "教育" in line
    (contact,) = read_subject(line, book.roster, DAY).contact
    assert contact.value == "13900000000"


def test_the_liaison_stands_in_it_where_the_roster_has_him() -> None:
    now = Contact("liaison", "王甲", "0477-7600001", start=date(2026, 1, 1))
    before = Contact("liaison", "李乙", "0477-7600002", end=date(2025, 12, 31))
    head = Contact("head", "赵丙", "0477-7600003")
    book = with_liaison(BOOKS["otog"], "education", head, before, now)
    line = example(book, "education")
    assert "王甲" in line and "0477-7600001" in line
    reading = read_subject(line, book.roster, DAY)
    assert reading.submitter is not None and reading.submitter.value == "王甲"
    unnamed = example(book, "education", named=False)
    assert "王甲" not in unnamed and "7600001" not in unnamed and "13900000000" in unnamed
    without = with_liaison(BOOKS["otog"], "education", Contact("liaison", "王甲"))
    assert "13900000000" in example(without, "education")


def test_a_number_that_does_not_read_is_not_shown() -> None:
    book = with_liaison(BOOKS["otog"], "education", Contact("liaison", "王甲", "见通讯录"))
    line = example(book, "education")
    assert "通讯录" not in line and "13900000000" in line
