"""What a Word file tells of the draft it was made from: a note that is put into every document of
ours, and what an office's own file still has of a draft.

The note is a custom property (ECMA-376 Part 2; Part 1, 22.3): Word, WPS and LibreOffice keep it when
the file is edited and saved, and a print does not show it.
"""

from __future__ import annotations

import io
import re
from typing import Any

import docx
from docx.opc.oxml import parse_xml, serialize_part_xml
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml.ns import qn

from mailbot.adapters.word.gongwen import DRAFT_MARK
from mailbot.adapters.word.package import refusal, settled
from mailbot.app.papers import DraftTraces

_NAME = "mailbot草稿"
_PART = "/docProps/custom.xml"
_CONTENT = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties"
_VALUES = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_PROPERTIES = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_EMPTY = f'<Properties xmlns="{_PROPERTIES}" xmlns:vt="{_VALUES}"/>'.encode()
_FORMAT = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
"""The one format id that custom properties have."""
_DATE = re.compile(r"(\d*)年(\d*)月(\d*)日")


def noted(content: bytes, draft: int) -> bytes:
    """The same document with a note of its draft; other custom properties stay."""
    file = docx.Document(io.BytesIO(content))
    package = file.part.package
    part = _properties_part(file)
    if part is None:
        part = Part(PackURI(_PART), _CONTENT, _EMPTY, package)
        package.relate_to(part, _RELATION)
    root = parse_xml(part.blob)
    for one in _properties(root):
        if one.get("name") == _NAME:
            root.remove(one)
    pid = max((int(one.get("pid") or 1) for one in _properties(root)), default=1) + 1
    note = (
        f'<property xmlns="{_PROPERTIES}" xmlns:vt="{_VALUES}" fmtid="{_FORMAT}" pid="{pid}"'
        f' name="{_NAME}"><vt:lpwstr>{draft}</vt:lpwstr></property>'
    )
    root.append(parse_xml(note))
    part._blob = serialize_part_xml(root)
    out = io.BytesIO()
    file.save(out)
    return settled(out.getvalue())


def traces(content: bytes) -> DraftTraces:
    if why := refusal(content):
        return DraftTraces(unreadable=why)
    try:
        file = docx.Document(io.BytesIO(content))
        parts = [part for part in file.part.package.iter_parts() if _has_text(part)]
        text = "\n".join(line for part in parts for line in _lines(part))
        return DraftTraces(
            draft=_noted(file),
            marked=DRAFT_MARK if DRAFT_MARK in text else "",
            undated=any(_undated(line) for line in _lines(file.part)),
            text=text,
        )
    except Exception as error:  # the library raises whatever a broken file makes it stumble over
        return DraftTraces(unreadable=f"文件已损坏，内容读不出来（{type(error).__name__}）")


def _has_text(part: Any) -> bool:
    name = str(part.partname)
    return name.startswith("/word/") and "wordprocessingml" in part.content_type


def _lines(part: Any) -> list[str]:
    """Its paragraphs, without blanks. A text box stands in a paragraph of its own as well."""
    root = parse_xml(part.blob)
    return [
        "".join("".join(t.text or "" for t in paragraph.iter(qn("w:t"))).split())
        for paragraph in root.iter(qn("w:p"))
    ]


def _undated(line: str) -> bool:
    """成文日期 alone in its paragraph, with something left open."""
    found = _DATE.fullmatch(line)
    return found is not None and not all(found.groups())


def _noted(file: Any) -> int | None:
    part = _properties_part(file)
    for one in _properties(parse_xml(part.blob)) if part is not None else ():
        value = "".join(one.itertext()).strip()
        if one.get("name") == _NAME and value.isascii() and value.isdigit():
            return int(value[:18])
    return None


def _properties_part(file: Any) -> Any:
    relations = file.part.package.rels.values()
    return next(
        (r.target_part for r in relations if r.reltype == _RELATION and not r.is_external), None
    )


def _properties(root: Any) -> list[Any]:
    return list(root.iterchildren(f"{{{_PROPERTIES}}}property"))
