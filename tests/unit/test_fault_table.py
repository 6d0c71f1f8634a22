"""docs/faults.md tells the truth: every fault has a test named by it or a note that says what holds."""

from __future__ import annotations

from tests.faults import table


def test_every_fault_has_a_test_or_a_note() -> None:
    assert table.missing() == []


def test_the_page_is_up_to_date() -> None:
    assert table.PAGE.read_text("utf-8") == table.page()
