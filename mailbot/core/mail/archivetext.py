"""The words inside a .zip: its members' names, and the text of those that can be read.

Units zip a month's files, and a secrets mark in there must be found before anything is written.
Names come first, in the order of the archive; they are UTF-8 where the archive says so and else in
whatever the packer's system used (GB18030 in China). Members are read in memory, within limits on
their number, what is inflated, the text itself (`limits.TEXT_CHARS`) and archives inside archives;
nothing is ever unpacked to a disk.
Which items an archive holds is not its business, nor are other formats (.rar, .7z).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Final

from mailbot.core.mail import limits
from mailbot.core.mail.charsets import decode_text
from mailbot.core.mail.htmltext import read_html
from mailbot.core.mail.magic import extension, kind_of
from mailbot.core.mail.model import AttachmentKind
from mailbot.core.mail.ooxmltext import ZIP_DAMAGE, ooxml_text

MAX_MEMBERS: Final = 500
"""Members named and read: a month of a busy unit has about twenty."""
MAX_INFLATED: Final = 24_000_000
"""Bytes unpacked from one archive with those inside it: twenty documents with pictures."""
MAX_DEPTH: Final = 2
"""Archives inside archives: colleagues zip what they were sent zipped."""
MAX_DIRECTORY: Final = 5_000
"""Entries an archive may have to be opened: zipfile reads the whole directory first."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Others (LZMA) can ask for any amount of memory."""
_TEXTS: Final = frozenset({"txt", "csv", "md", "htm", "html"})
_WORDS: Final = frozenset({"docx", "docm", "dotx", "doc", "wps", "wpt"})
"""WPS and careless renaming put .docx bytes under any of these names; the bytes decide."""
_UTF8_NAME: Final = 0x800
_ENCRYPTED: Final = 0x1


def archive_text(data: bytes) -> tuple[str, bool]:
    """(text, whole): a line per member's name, then the members' words. `whole` is False when a
    limit or damage hid something. Never raises."""
    reading = _Archive()
    reading.read(data, 1)
    return "\n".join((*reading.names, *reading.texts)), reading.whole


class _Archive:
    """The reading of one archive and those inside it, which share their limits."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.texts: list[str] = []
        self.whole = True
        self._left = MAX_INFLATED
        self._room = limits.TEXT_CHARS

    def read(self, data: bytes, depth: int) -> None:
        if data.count(b"PK\1\2") > MAX_DIRECTORY:
            self.whole = False
            return
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for info in self._listed(archive):
                    self._member(archive, info, depth)
        except ZIP_DAMAGE:
            self.whole = False

    def _listed(self, archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
        """The members worth opening, all names taken down first."""
        infos = archive.infolist()
        room = max(MAX_MEMBERS - len(self.names), 0)
        self.whole = self.whole and len(infos) <= room
        self.names += [self._fitting(_name(info)) for info in infos[:room]]
        yield from (info for info in infos[:room] if not info.is_dir())

    def _member(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, depth: int) -> None:
        name = _name(info)
        ending = extension(name)
        if ending not in _TEXTS | _WORDS | {"zip"}:
            return
        if info.compress_type not in _METHODS or info.flag_bits & _ENCRYPTED:
            self.whole = False
            return
        try:
            with archive.open(info) as stream:
                content = stream.read(self._left + 1)
        except ZIP_DAMAGE:
            self.whole = False
            return
        if len(content) > self._left:
            content, self.whole = content[: self._left], False
        self._left -= len(content)
        self._words(content, name, ending, depth)

    def _words(self, content: bytes, name: str, ending: str, depth: int) -> None:
        kind, _ = kind_of(content, name, "")
        if kind is AttachmentKind.WORD and content[:2] == b"PK":
            text, whole = ooxml_text(content)
            self.whole = self.whole and whole
            text = self._fitting(text)
        elif kind is AttachmentKind.ARCHIVE and depth < MAX_DEPTH:
            self.read(content, depth + 1)
            return
        elif kind is AttachmentKind.ARCHIVE:
            self.whole = False
            return
        elif kind is AttachmentKind.HTML:
            text = read_html(self._source(content)).text
        elif kind is None and ending in _TEXTS:
            text = self._source(content)
        else:
            return
        self.texts.append(text)

    def _source(self, content: bytes) -> str:
        """A text's bytes as text. Four bytes a character are as many as any charset takes."""
        most = 4 * self._room
        self.whole = self.whole and len(content) <= most
        return self._fitting(decode_text(content[:most]).text)

    def _fitting(self, text: str) -> str:
        """As much of it as there is room for."""
        self.whole = self.whole and len(text) <= self._room
        text = text[: self._room]
        self._room -= len(text)
        return text


def _name(info: zipfile.ZipInfo) -> str:
    """A member's name. Without the UTF-8 flag zipfile has read the bytes as cp437."""
    if info.flag_bits & _UTF8_NAME:
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    return decode_text(raw).text
