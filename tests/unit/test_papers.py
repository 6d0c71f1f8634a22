"""The files of letters: workbooks that say whose they are, in Chinese whatever the operator reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest

from mailbot.adapters import i18n
from mailbot.adapters.papers import OfficePapers
from mailbot.adapters.resultsheets import standings_sheets
from mailbot.adapters.word import gongwen
from mailbot.app.papers import Bar
from mailbot.app.scoring import Statement
from mailbot.core.documents.model import Document, Paragraph
from mailbot.core.rules.scorebook import ListKind
from tests.unit.document_help import reckoned
from tests.unit.standings_help import AFTER_Q3, Q3, book, entry, list_rule, points_rule, sent, unit

OFFICE = book(unit("a"), unit("b"), rules=(points_rule(1),), lists=(list_rule(ListKind.FIRST),))


@pytest.fixture
def english() -> Iterator[None]:
    before = i18n.current()
    i18n.install("en")
    yield
    i18n.install(before)


def papers(tmp_path: Path) -> OfficePapers:
    return OfficePapers(tmp_path)


@pytest.mark.parametrize("sealed", [False, True])
def test_each_sheet_of_standings_says_whose_when_and_whether_sealed(
    tmp_path: Path, sealed: bool
) -> None:
    found = replace(reckoned(OFFICE, [sent("a", "2022-07-01")]).standings, sealed=sealed)
    content = papers(tmp_path).standings(OFFICE, found)
    workbook = openpyxl.load_workbook(BytesIO(content))
    for sheet in workbook:
        title = str(sheet.cell(1, 1).value)
        assert title.startswith("甲办  2022年第三季度  ") and "2022-10-01" in title
        assert sheet.freeze_panes == "A3" and str(sheet.auto_filter.ref).startswith("A2:")
    first = workbook.worksheets[0]
    assert [cell.value for cell in first[2]][:3] == ["名次", "升降", "单位"]
    assert [cell.value for cell in first[3]][2] == "a局"


def test_the_title_tells_a_sealed_period_from_an_open_one() -> None:
    found = reckoned(OFFICE, []).standings
    titles = {
        standings_sheets(replace(found, sealed=sealed), OFFICE, str)[0].title
        for sealed in (False, True)
    }
    assert titles == {
        "甲办  2022年第三季度  Sealed, as of 2022-10-01.",
        "甲办  2022年第三季度  Not sealed, as of 2022-10-01.",
    }


def test_what_units_get_is_chinese_though_the_operator_reads_english(
    tmp_path: Path, english: None
) -> None:
    entries = (entry("a", "1.50"), entry("a", -2, text="=HYPERLINK(1)"))
    statement = Statement("jia", "a", Q3, AFTER_Q3, Decimal(3), entries, (), (), None)
    content = papers(tmp_path).statement(OFFICE, statement)
    (sheet,) = openpyxl.load_workbook(BytesIO(content)).worksheets
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:2] == ("单位", "日期")
    assert rows[1][0] == "a局" and rows[1][2] == 1.5
    assert "=HYPERLINK(1)" in rows[2] and sheet.cell(3, 7).data_type == "s"


def test_a_document_is_in_the_official_format_where_the_office_has_no_template(
    tmp_path: Path,
) -> None:
    document = Document("甲的通报", (Paragraph("正文。"),), issued=date(2022, 10, 9))
    content = papers(tmp_path).document(OFFICE, "quarter", document)
    with ZipFile(BytesIO(content)) as packed:
        body = packed.read("word/document.xml").decode()
    assert "正文。" in body


def test_a_document_knows_its_draft_and_what_is_still_open_in_it(tmp_path: Path) -> None:
    papers = OfficePapers(tmp_path)
    draft = gongwen.write(Document("通报", (Paragraph("一段。"),), issuer="某办"))
    noted = papers.noted(draft, 12)
    assert papers.noted(draft, 12) == noted, "the same bytes"
    found = papers.draft_traces(noted)
    assert (found.draft, found.undated) == (12, True) and "草稿" in found.marked
    assert papers.draft_traces(papers.noted(noted, 13)).draft == 13
    done = Document("通报", (Paragraph("一段。"),), issuer="某办", issued=date(2026, 10, 12))
    found = papers.draft_traces(gongwen.write(done))
    assert (found.draft, found.marked, found.undated) == (None, "", False)
    for broken in (b"", b"PK", noted[:-200], b"%PDF-1.7"):
        assert papers.draft_traces(broken).unreadable


def test_a_chart_is_a_picture(tmp_path: Path) -> None:
    drawn = papers(tmp_path).chart([Bar("7", 3.0, 2.0), Bar("8", 1.0, strong=True)], 480, 160)
    width, height = (int.from_bytes(drawn[at : at + 4], "big") for at in (16, 20))
    assert drawn.startswith(b"\x89PNG") and width == 3 * height
