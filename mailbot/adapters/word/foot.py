"""From 附件说明 to 抄送: what stands after the text of a document (GB/T 9704—2012, 7.3.4 to 7.4)."""

from __future__ import annotations

from dataclasses import replace

from mailbot.adapters.word.markup import (
    COPIES,
    INDENTED,
    Look,
    literal,
    paragraph,
    paragraph_of,
    run,
)
from mailbot.adapters.word.measure import CHAR, LINE, TEXT_WIDTH, width
from mailbot.adapters.word.text import clean
from mailbot.core.documents.model import Document

_AFTER_DATE = 4
"""Characters to the right of the date (7.3.5.1)."""
_SEAL = 2 * LINE
"""Above the signature: the seal's top may be at most a line below the text (7.3.5.1)."""
_PUBLIC = "主动公开"


def date_text(document: Document) -> str:
    """Arabic numerals without leading zeros (7.3.5.4); blanks for what is not yet decided."""
    day = document.issued
    if day is None:
        return "\u3000\u3000\u3000\u3000年\u3000\u3000月\u3000\u3000日"
    return f"{day.year}年{day.month}月{day.day}日"


def openness_text(document: Document) -> str:
    """附注. Only what is open to everybody is marked."""
    return "（此件公开发布）" if document.openness == _PUBLIC else ""


def annex_list_xml(document: Document) -> str:
    """附件说明: an empty line below the text; names begin under each other (7.3.4)."""
    count = len(document.annexes)
    if not count:
        return ""
    word = "附件："
    number_room = 0.0 if count == 1 else 1.6 if count < 10 else 2.1
    name_at = int((2 + 3 + number_room) * CHAR)
    parts = []
    for number, annex in enumerate(document.annexes, 1):
        look = Look(
            align="left",
            left=name_at,
            first=(2 if number == 1 else 5) * CHAR - name_at,
            before=LINE if number == 1 else 0,
            keep_next=True,
        )
        lead = word if number == 1 else ""
        if count > 1:
            lead += f"{number}."
        tab = "<w:r><w:tab/></w:r>" if count > 1 else ""
        parts.append(paragraph_of([run(lead, look), tab, run(annex.title, look)], look))
    return "".join(parts)


def signature_xml(document: Document) -> str:
    """署名 centred above 成文日期, which ends four characters from the right (7.3.5.1). Both are
    centred in one box at the right, so that they stand under each other in whatever font; a longer
    name widens the box."""
    issuer = clean(document.issuer)
    if not issuer and document.issued is None:
        return ""
    date_width = 4 + 3 * 1.0 + 4 if document.issued is None else width(date_text(document))
    box = max(date_width + 2 * _AFTER_DATE, width(issuer) + 0.5)
    left = max(0, TEXT_WIDTH - int(box * CHAR))
    note = openness_text(document)
    look = Look(align="center", left=left, before=_SEAL, keep_next=True)
    issuer_xml = paragraph(issuer, look) if issuer else ""
    day = replace(look, before=0 if issuer else _SEAL, keep_next=bool(note))
    return issuer_xml + _date_xml(document, day) + (paragraph(note, INDENTED) if note else "")


def _date_xml(document: Document, look: Look) -> str:
    return paragraph_of([literal(date_text(document), look)], look)


def copies_xml(document: Document) -> str:
    """版记 at the foot of the last page: 抄送 in 4号, a character in from both sides, further lines
    under the first name, a full stop at the end, between two lines of 0.35 mm (7.4.1, 7.4.2)."""
    names = clean(document.copies).rstrip("。.；;，,")
    if not names:
        return ""
    char = COPIES * 10
    rule = '<w:{side} w:val="single" w:sz="8" w:space="0" w:color="000000"/>'
    look = Look(
        size=COPIES,
        squeeze=0,
        left=4 * char,
        right=char,
        first=-3 * char,
        line=480,
        borders=rule.format(side="top") + rule.format(side="bottom"),
        extra=(
            f'<w:framePr w:w="{TEXT_WIDTH}" w:wrap="notBeside" w:vAnchor="margin" '
            'w:hAnchor="margin" w:xAlign="left" w:yAlign="bottom"/>'
        ),
    )
    return paragraph(f"抄送：{names}。", look) + paragraph("", Look(size=2, line=20))
