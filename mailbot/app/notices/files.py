"""The files of a draft: under which role each is kept, how it is called, how it is attached, and what
the office may put in its document's place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from mailbot.app.letter_records import DraftFile, DraftRow, DraftState
from mailbot.app.notices.refusals import NotDecided
from mailbot.app.notices.said import FACTS, Said
from mailbot.app.papers import DraftTraces, Papers
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


def exported(files: Sequence[DraftFile], row: DraftRow, papers: Papers) -> list[DraftFile]:
    """As they leave for somebody's desk: named after the draft, so that those of two drafts are told
    apart, and its document with a note of it. One that was approved has its note already, or is the
    office's own: it stays what went out."""
    return [
        replace(
            file,
            name=_named(row.id, file.name),
            content=papers.noted(file.content, row.id)
            if file.role == DOCUMENT and row.state is DraftState.DRAFT
            else file.content,
        )
        for file in files
        if file.role != FACTS
    ]


def _named(draft: int, name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"第{draft}号草稿 {stem[: _LONGEST - 10]}{dot}{ending}"


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


def checked(own: DraftFile, row: DraftRow, number: str, papers: Papers) -> tuple[str, ...]:
    """What is to be said of a document that may stand in place of ours. Raises `NotDecided` for one
    of another draft, and for one in which something of a draft was left."""
    if not own.name.endswith(".docx"):
        return (f"换上的是 PDF，没有核对其中的内容，请确认它就是第 {row.id} 号草稿的定稿。",)
    found = papers.draft_traces(own.content)
    if found.unreadable:
        raise NotDecided("document_broken", row.id, found.unreadable)
    if found.draft not in (None, row.id):
        raise NotDecided("document_other", row.id, str(found.draft))
    left = list(_left(found, number))
    ours = found.draft == row.id
    if found.marked or (ours and left):
        raise NotDecided("document_draft", row.id, "；".join(left))
    notices = (
        []
        if ours
        else [f"换上的文件不是从第 {row.id} 号草稿导出的，没有核对其中的数字，请确认与草稿一致。"]
    )
    return (*notices, *(f"换上的文件里{one}，请核对。" for one in left))


def _left(found: DraftTraces, number: str) -> Iterator[str]:
    if found.marked:
        yield f"页眉或正文里还有“{found.marked}”字样"
    if found.undated:
        yield "成文日期还空着"
    if number and number not in found.text.translate(_BRACKETS):
        yield f"没有写上发文字号“{number}”"


_BRACKETS = str.maketrans("[]［］【】", "〔〕" * 3)
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
