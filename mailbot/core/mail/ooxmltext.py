"""The text of .docx, .xlsx and .pptx, without a document parser (ECMA-376).

Secrets marks, titles and category evidence sit in Office files, so the words are needed before
anything is written to disk. Only the text runs of the parts people write in are read, with limits
on what is inflated, and no XML parser is involved: there are no entities to expand and nothing to
fetch. Numbers, formulas, tracked changes and formatting are not its business.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
import zlib

MAX_INFLATED = 8_000_000
"""Bytes of XML read from one file: a 300-page report has about 3 MB."""
MAX_TEXT = 200_000
"""Characters kept."""
MAX_ENTRIES = 2_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What Word writes. Others (LZMA) can ask for any amount of memory."""

_PARTS = re.compile(
    r"word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml"
    r"|xl/(?:sharedStrings|worksheets/sheet\d*|comments\d*)\.xml"
    r"|ppt/(?:slides/slide|notesSlides/notesSlide)\d*\.xml"
)
# No class may cross a `<`: the scan stays linear on `<w:t <w:t <w:t …`.
_TOKEN = re.compile(
    r"<(?:[wax]:)?t(?: [^<>]*)?>([^<]*)</(?:[wax]:)?t>"
    r"|<[wa]:(tab|br|cr)\b[^<>]*>"
    r"|(</(?:[wa]:p|(?:x:)?(?:si|is|row|comment))>)"
)


ZIP_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
)
"""What zipfile raises for damaged or hostile bytes."""


def ooxml_text(data: bytes) -> tuple[str, bool]:
    """(text, whole): the words with a line per paragraph, headers first. `whole` is False when a
    limit or damage cut it short. Never raises."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [
                i.filename
                for i in archive.infolist()[:MAX_ENTRIES]
                if _PARTS.fullmatch(i.filename) and i.compress_type in _METHODS
            ]
            # A level mark stands in the header or the first lines: keep those before the rest.
            names.sort(key=lambda n: (not n.startswith("word/header"), n != "word/document.xml", n))
            return _read(archive, names)
    except ZIP_DAMAGE:
        return "", False


def _read(archive: zipfile.ZipFile, names: list[str]) -> tuple[str, bool]:
    left, whole, out = MAX_INFLATED, True, []
    for name in names:
        with archive.open(name) as part:
            xml = part.read(left + 1)
        if len(xml) > left:
            xml, whole = xml[:left], False
        left -= len(xml)
        out.append(_words(xml.decode("utf-8", "replace")))
        if not whole or left <= 0:
            break
    text = "\n".join(t for t in out if t)
    return text[:MAX_TEXT], whole and len(text) <= MAX_TEXT


def _words(xml: str) -> str:
    pieces = []
    for match in _TOKEN.finditer(xml):
        words, blank, end = match.groups()
        if end:
            pieces.append("\n")
        elif blank:
            pieces.append(" ")
        else:
            pieces.append(html.unescape(words))
    lines = ("".join(pieces)).split("\n")
    return "\n".join(line.strip() for line in lines if line.strip())
