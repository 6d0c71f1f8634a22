"""An empty sheet of the official format: A4, margins, the grid of 22 lines, page numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from mailbot.adapters.word.markup import (
    BODY,
    FANGSONG,
    NAMESPACE,
    PAGE_NUMBER,
    SONG,
    SUBSTITUTES,
    Look,
    field_run,
    literal,
    paragraph_of,
)
from mailbot.adapters.word.measure import (
    BOTTOM,
    LEFT,
    LINE,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    RIGHT,
    TOP,
    mm,
)
from mailbot.adapters.word.text import clean

_FOOTER = mm(25.2)
"""From the page's end: the dashes of the page number then stand 7 mm below the text area (7.5)."""
_NOMINAL = date(2000, 1, 1)
"""Creation date of a document that has none yet: a file must not differ by when it was made."""


def sheet(body: str, *, header: str, title: str, author: str, made: date | None) -> Any:
    """A file of the library (`.save`) that holds the paragraphs `body`; `header` is a paragraph for
    every page, empty for none."""
    file = docx.Document()
    _plain(file)
    _page(file)
    section = file.sections[0]
    if header:
        _fill(section.header, header)
        _fill(section.even_page_header, header)
    _properties(file, title, author, made or _NOMINAL)
    end = file.element.body.sectPr
    for element in parse_xml(f"<w:body {NAMESPACE}>{body}</w:body>"):
        end.addprevious(element)
    return file


def _plain(file: Any) -> None:
    """The library's starting document without its own look: only the default styles stay."""
    styles = file.styles.element
    for style in list(styles):
        if style.tag == qn("w:latentStyles") or (
            style.tag == qn("w:style") and style.get(qn("w:default")) != "1"
        ):
            styles.remove(style)
    look = f"""<w:docDefaults {NAMESPACE}><w:rPrDefault><w:rPr>
      <w:rFonts w:ascii="{FANGSONG}" w:hAnsi="{FANGSONG}" w:eastAsia="{FANGSONG}" w:cs="{FANGSONG}"/>
      <w:sz w:val="{BODY}"/><w:szCs w:val="{BODY}"/><w:lang w:val="en-US" w:eastAsia="zh-CN"/>
      </w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>"""
    styles.replace(styles.find(qn("w:docDefaults")), parse_xml(look))
    package = file.part.package
    for key, relation in list(package.rels.items()):
        if relation.reltype == RELATIONSHIP_TYPE.THUMBNAIL:
            del package.rels[key]
    for key, relation in list(file.part.rels.items()):
        name = str(relation.target_ref)
        if name.endswith("stylesWithEffects.xml") or "customXml" in name:
            del file.part.rels[key]
        elif relation.reltype == RELATIONSHIP_TYPE.FONT_TABLE:
            relation.target_part._blob = _font_table()
    _settings(file.settings.element)


def _font_table() -> bytes:
    """Names what to take on a machine that has not the fonts."""
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
        for name, other in SUBSTITUTES.items()
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><w:fonts {NAMESPACE}>{fonts}</w:fonts>'.encode()


def _settings(settings: Any) -> None:
    for tag in ("w:savePreviewPicture", "w:rsids", "w:doNotAutoCompressPictures"):
        for element in settings.findall(qn(tag)):
            settings.remove(element)
    for element in settings.iter(qn("w:themeFontLang")):
        element.set(qn("w:eastAsia"), "zh-CN")
    for element in settings.iter(qn("w:compatSetting")):
        if element.get(qn("w:name")) == "compatibilityMode":
            element.set(qn("w:val"), "15")


def _page(file: Any) -> None:
    section = file.sections[0]
    section.page_width, section.page_height = _twips(PAGE_WIDTH), _twips(PAGE_HEIGHT)
    section.top_margin, section.bottom_margin = _twips(TOP), _twips(BOTTOM)
    section.left_margin, section.right_margin = _twips(LEFT), _twips(RIGHT)
    section.header_distance, section.footer_distance = _twips(mm(15)), _twips(_FOOTER)
    properties = section._sectPr
    for grid in properties.findall(qn("w:docGrid")):
        properties.remove(grid)
    # Not `linesAndChars`: with it the characters no longer stand where the run spacing puts them.
    properties.append(parse_xml(f'<w:docGrid {NAMESPACE} w:type="lines" w:linePitch="{LINE}"/>'))
    file.settings.odd_and_even_pages_header_footer = True
    _fill(section.footer, _page_number(align="right"))
    _fill(section.even_page_footer, _page_number(align="left"))


def _page_number(align: str) -> str:
    """— 1 — in 4号宋体: odd pages right, even pages left, a character in (7.5)."""
    char = PAGE_NUMBER * 10
    look = Look(
        font=SONG,
        size=PAGE_NUMBER,
        squeeze=0,
        align=align,
        left=char,
        right=char,
        line=PAGE_NUMBER * 10,
    )
    return paragraph_of(
        [literal("— ", look), field_run("PAGE", "1", look), literal(" —", look)], look
    )


def _fill(part: Any, xml: str) -> None:
    part.is_linked_to_previous = False
    root = part._element
    for child in list(root):
        root.remove(child)
    root.append(parse_xml(xml.replace("<w:p>", f"<w:p {NAMESPACE}>", 1)))


def _properties(file: Any, title: str, author: str, made: date) -> None:
    properties = file.core_properties
    properties.title = clean(title)[:255]
    properties.author = properties.last_modified_by = clean(author)[:255]
    properties.comments = properties.keywords = properties.subject = ""
    properties.language = "zh-CN"
    properties.created = properties.modified = datetime(made.year, made.month, made.day, tzinfo=UTC)


def _twips(length: int) -> int:
    """In English Metric Units, as the library counts: 635 to a twip."""
    return length * 635
