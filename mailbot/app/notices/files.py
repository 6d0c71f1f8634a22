"""The files of a draft: under which role each is kept, how it is called, how it is attached, and what
the office may put in its document's place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from mailbot.app.letter_records import DraftFile
from mailbot.app.notices.refusals import NotDecided
from mailbot.app.notices.said import Said
from mailbot.app.papers import Papers
from mailbot.app.scoring import Statement
from mailbot.core.documents.notice import notice_document, own_document
from mailbot.core.mail.enclosures import DOCX, PDF, XLSX, Enclosure
from mailbot.core.mail.magic import extension, kind_of
from mailbot.core.mail.model import AttachmentKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import unit_name

DOCUMENT, STANDINGS = "document", "standings"
MAX_DOCUMENT = 5_000_000
"""Bytes of a document that the office puts in: it goes to everybody."""
_TYPES = {"docx": DOCX, "pdf": PDF, "xlsx": XLSX}
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
"""Not in a file's name, on any system people open it on."""
_LONGEST = 70
"""Characters of a file's name: of Chinese ones three bytes each, and 255 is the most that fit."""


def own_role(list_id: str, unit: str) -> str:
    return f"own:{list_id}:{unit}"


def statement_role(unit: str) -> str:
    return f"statement:{unit}"


def draft_files(
    said: Said, book: OfficeBook, papers: Papers, *, number: str = "", issued: date | None = None
) -> tuple[DraftFile, ...]:
    """Everything that goes with the notice but statements. A letter of its own has no number: it is
    given to the notice."""
    rule = said.rule
    document = notice_document(book, rule, said.material, number=number, issued=issued)
    files = [
        DraftFile(
            DOCUMENT,
            file_name(document.title, "docx"),
            papers.document(book, rule.id, document),
        ),
        DraftFile(
            STANDINGS,
            file_name(f"{said.material.period.name}成绩表", "xlsx"),
            papers.standings(book, said.standings),
        ),
    ]
    rules = {own.list: own for own in rule.own}
    for one in said.own:
        letter = own_document(book, rule, rules[one.list], one.unit, said.material, issued=issued)
        name = file_name(f"{letter.title}（{unit_name(one.unit, book.roster)}）", "docx")
        content = papers.document(book, f"{rule.id}-{one.list}", letter)
        files.append(DraftFile(own_role(one.list, one.unit), name, content))
    return (*files, said.facts_file())


def statement_file(statement: Statement, book: OfficeBook, papers: Papers) -> DraftFile:
    unit = unit_name(statement.unit, book.roster)
    name = file_name(f"{unit}{statement.period.name}得分明细", "xlsx")
    return DraftFile(statement_role(statement.unit), name, papers.statement(book, statement))


def edited(content: bytes, title: str) -> DraftFile:
    """The office's own document in place of ours. Raises `NotDecided`."""
    kind, marks = kind_of(content[: MAX_DOCUMENT + 1], "", "")
    if len(content) > MAX_DOCUMENT:
        raise NotDecided("document_large", found=f"{len(content) / 1_000_000:.1f}")
    if kind is AttachmentKind.PDF and content.startswith(b"%PDF-"):
        ending = "pdf"
    elif kind is AttachmentKind.WORD and _is_docx(content):
        ending = "docx"
    else:
        raise NotDecided("document_kind")
    if marks:
        raise NotDecided("document_marked", found="、".join(_MARKS.get(m, m) for m in marks))
    return DraftFile(DOCUMENT, file_name(title, ending), content)


_MARKS = {"encrypted": "加了密码", "macro": "含有宏"}


def _is_docx(content: bytes) -> bool:
    """Office Open XML; an OpenDocument text names its type in its first member."""
    return content.startswith(b"PK") and b"opendocument" not in content[:200]


def file_name(title: str, ending: str) -> str:
    return f"{_UNFIT.sub(' ', title).strip()[:_LONGEST] or '通报'}.{ending}"


def enclosure(file: DraftFile) -> Enclosure:
    return Enclosure(file.name, _TYPES[extension(file.name)], file.content)


def find(files: Sequence[DraftFile], role: str) -> DraftFile | None:
    return next((f for f in files if f.role == role), None)
