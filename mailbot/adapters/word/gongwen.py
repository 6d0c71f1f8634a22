"""Documents in the official format, GB/T 9704—2012.

Promises: 22 lines of 28 characters on A4; the same bytes for the same document; every character of
the document is in the file, whatever somebody typed (`text.clean` says what becomes of characters
that cannot be). Fonts are named, not embedded.

The red head is not printed: an office has paper with it, or a template of its own
(`adapters.word.own`). A document with a number leaves the head its room; a draft without one does
not. What a document says is `core.documents`' business.
"""

from __future__ import annotations

import io

from mailbot.adapters.word.blocks import annexes_xml, blocks_xml, title_xml
from mailbot.adapters.word.foot import annex_list_xml, copies_xml, signature_xml
from mailbot.adapters.word.markup import HEI, Look, paragraph
from mailbot.adapters.word.measure import LINE
from mailbot.adapters.word.package import settled
from mailbot.adapters.word.sheet import sheet
from mailbot.adapters.word.text import clean
from mailbot.core.documents.model import Document

DRAFT_MARK = "草稿（未经审定，不得印发）"
DRAFT_LOOK = Look(font=HEI, align="center", squeeze=0, color="C00000")
_HEAD_LINES = 7
"""From the top of the text area to 发文字号: 35 mm, the red name of some 15 mm and two empty lines
(7.2.4, 7.2.5)."""


def write(document: Document) -> bytes:
    """A .docx."""
    file = sheet(
        body_xml(document),
        header=paragraph(DRAFT_MARK, DRAFT_LOOK) if document.issued is None else "",
        title=document.title,
        author=document.issuer,
        made=document.issued,
    )
    out = io.BytesIO()
    file.save(out)
    return settled(out.getvalue())


def body_xml(document: Document) -> str:
    return (
        _opening(document)
        + blocks_xml(document.blocks, keep_last=True)
        + annex_list_xml(document)
        + signature_xml(document)
        + annexes_xml(document.annexes)
        + copies_xml(document)
    )


def _opening(document: Document) -> str:
    """发文字号, title, 主送机关 (7.2.5, 7.3.1, 7.3.2)."""
    number = ""
    if clean(document.number):
        # Space above the first line of a page is dropped by some programs, empty lines are not.
        number = paragraph("", Look()) * _HEAD_LINES
        number += paragraph(document.number, Look(align="center", keep_next=True))
    addressee = clean(document.addressee).rstrip(":：")
    return (
        number
        + title_xml(document.title, before=2 * LINE if number else 0)
        + (paragraph(addressee + "：", Look(align="left", keep_next=True)) if addressee else "")
    )
