"""What a letter of ours carries beside its text."""

from __future__ import annotations

from dataclasses import dataclass

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Enclosure:
    """An attached file. `name` may be Chinese."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class InlineImage:
    """A PNG shown inside the HTML by `<img src="cid:…">` (RFC 2392)."""

    cid: str
    content: bytes
