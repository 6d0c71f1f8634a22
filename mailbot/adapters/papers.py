"""The files that letters carry, made by the adapters that know their formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mailbot.adapters import charts
from mailbot.adapters.resultsheets import in_chinese, standings_sheets, statement_sheets
from mailbot.adapters.sheets import Sheet, write_xlsx
from mailbot.adapters.word import gongwen, own, traces
from mailbot.app.papers import Bar, DraftTraces
from mailbot.app.scoring import Statement
from mailbot.core.documents.model import Document
from mailbot.core.rules.entries import Standings
from mailbot.core.rules.rulebook import OfficeBook


class OfficePapers:
    """Implements `app.papers.Papers`. What units get is in Chinese, whatever the operator's
    language."""

    def __init__(self, offices_dir: Path) -> None:
        """`offices_dir` holds a folder for each office; its own Word templates stand in there."""
        self._offices = offices_dir

    def document(self, book: OfficeBook, letter_id: str, document: Document) -> bytes:
        template = own.template_path(self._offices, book.info.id, letter_id)
        if template.exists():
            return own.render(template, document)
        return gongwen.write(document)

    def noted(self, docx: bytes, draft: int) -> bytes:
        return traces.noted(docx, draft)

    def draft_traces(self, docx: bytes) -> DraftTraces:
        return traces.traces(docx)

    def statement(self, book: OfficeBook, statement: Statement) -> bytes:
        return _workbook(statement_sheets(statement, book, in_chinese))

    def standings(self, book: OfficeBook, standings: Standings) -> bytes:
        return _workbook(standings_sheets(standings, book, in_chinese))

    def chart(self, bars: Sequence[Bar], width: int, height: int) -> bytes:
        return charts.draw(bars, width, height)


def _workbook(sheets: Sequence[Sheet]) -> bytes:
    with TemporaryDirectory(prefix="mailbot-") as folder:
        path = Path(folder) / "sheets.xlsx"
        write_xlsx(path, sheets)
        return path.read_bytes()
