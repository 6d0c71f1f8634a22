"""What a file is, by its content.

Names and declared types are the sender's claims; the kind decides what may be an item's text, so it
is read from the bytes: the first bytes, the member names of a ZIP, the storages of an OLE2 file.
Nothing is unpacked. Promises: total; the cost does not grow with the number of members.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

from mailbot.core.mail.model import AttachmentKind as Kind

_OLE2: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MEMBERS_MAX: Final = 1_000
_DIRECTORY_MAX: Final = 2_000

_PREFIXES: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"{\\rtf", Kind.RTF),
    (b"\xff\xd8\xff", Kind.IMAGE),
    (b"\x89PNG\r\n\x1a\n", Kind.IMAGE),
    (b"GIF87a", Kind.IMAGE),
    (b"GIF89a", Kind.IMAGE),
    (b"II*\0", Kind.IMAGE),
    (b"MM\0*", Kind.IMAGE),
    (b"\xd7\xcd\xc6\x9a", Kind.IMAGE),  # WMF
    (b"\0\0\1\0", Kind.IMAGE),  # ICO
    (b"Rar!\x1a\x07", Kind.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE),
    (b"\x1f\x8b", Kind.ARCHIVE),
    (b"BZh", Kind.ARCHIVE),
    (b"\xfd7zXZ\0", Kind.ARCHIVE),
    (b"LZIP", Kind.ARCHIVE),
    (b"MSCF", Kind.ARCHIVE),
)
_BY_NAME: Final[dict[str, Kind]] = {
    **dict.fromkeys(("doc", "wps", "wpt", "dot", "docx", "docm", "odt"), Kind.WORD),
    **dict.fromkeys(("xls", "et", "ett", "xlt", "xlsx", "xlsm", "ods"), Kind.SHEET),
    **dict.fromkeys(("ppt", "dps", "pps", "pptx", "pptm", "odp"), Kind.SLIDES),
}
_HTML: Final = re.compile(
    rb"\s*(?:<!--.{0,500}?-->\s*)*<(?:!doctype\s+html|html|head|body|meta)\b", re.I | re.S
)
_MAIL: Final = re.compile(
    rb"(?:from|received|return-path|date|subject|message-id|mime-version|delivered-to|to|x-[a-z-]+):",
    re.IGNORECASE,
)


def kind_of(data: bytes, name: str, content_type: str) -> tuple[Kind | None, tuple[str, ...]]:
    """The kind and flags of a file that is recognised by its bytes; None when it is not, and may be
    text. `name` and `content_type` decide only where the bytes leave it open."""
    if not data:
        return Kind.EMPTY, ()
    if content_type in _SIGNATURES or name.lower().endswith(".p7s"):
        return Kind.SIGNATURE, ()
    if content_type in ("message/rfc822", "message/global"):
        return Kind.MAIL, ()
    head = data[:1_024]
    if head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08PK\3\4")):
        return _zip(data)
    if head.startswith(_OLE2):
        return _ole2(data, extension(name))
    if b"%PDF-" in (head[:5] if content_type.startswith("text/") else head):
        # The trailer stands at the end, in a linearised file also near the beginning.
        locked = b"/Encrypt" in data[-16_384:] or b"/Encrypt" in data[:4_096]
        return Kind.PDF, ("encrypted",) if locked else ()
    for prefix, kind in _PREFIXES:
        if head.startswith(prefix):
            return kind, _archive_flags(data) if kind is Kind.ARCHIVE else ()
    if (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:12] in _HEIF:
        return Kind.IMAGE, ()
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return Kind.IMAGE, ()
    if head[:4] == b"\1\0\0\0" and head[40:44] == b" EMF":
        return Kind.IMAGE, ()
    if data[257:262] == b"ustar":
        return Kind.ARCHIVE, ()
    return _by_text(data, name, content_type)


_SIGNATURES: Final = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
    }
)
_HEIF: Final = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif", b"ftyphevc")


def extension(name: str) -> str:
    """The lower-case ending of a file name without its dot, "" when it has none."""
    return name.rpartition(".")[2].strip().lower() if "." in name else ""


def _by_text(data: bytes, name: str, content_type: str) -> tuple[Kind | None, tuple[str, ...]]:
    head = data[:4_096].removeprefix(b"\xef\xbb\xbf").lstrip()
    upper = head[:200].upper()
    if upper.startswith(b"BEGIN:VCALENDAR"):
        return Kind.CALENDAR, ()
    if b'progid="Word.Document"' in head:
        return Kind.WORD, ()
    if b'progid="Excel.Sheet"' in head:
        return Kind.SHEET, ()
    if b"<svg" in head[:1_000].lower() and content_type.startswith("image/"):
        return Kind.IMAGE, ()
    if extension(name) == "eml" and _MAIL.match(head):
        return Kind.MAIL, ()
    if upper.startswith(b"-----BEGIN PGP MESSAGE"):
        return Kind.OTHER, ("encrypted",)
    if _HTML.match(head) or (extension(name) in ("htm", "html") and b"<" in head):
        return Kind.HTML, ()
    return None, ()


def _archive_flags(data: bytes) -> tuple[str, ...]:
    """Whether an archive's header says that a password is needed."""
    if data.startswith(b"Rar!\x1a\x07\x01\x00"):
        locked = data[13:14] == b"\x04" or data[12:13] == b"\x04"
    elif data.startswith(b"Rar!\x1a\x07\x00"):
        locked = len(data) > 23 and bool(data[10] & 0x80 or (data[22] == 0x74 and data[23] & 0x04))
    else:
        # 7z names its methods at the end: AES-256 is 06F10701.
        locked = data.startswith(b"7z") and b"\x06\xf1\x07\x01" in data[-65_536:]
    return ("encrypted",) if locked else ()


# --- ZIP (APPNOTE.TXT 4.3): docx, xlsx, pptx, ofd, odt and plain archives ---------------------


def _zip(data: bytes) -> tuple[Kind, tuple[str, ...]]:
    names: set[bytes] = set()
    locked = False
    for name, bits in _members(data):
        names.add(name)
        locked = locked or bool(bits & 1)
    flags = ("encrypted",) if locked else ()
    if any(name.lower().endswith(b"vbaproject.bin") for name in names):
        flags = (*flags, "macro")
    for folder, kind in ((b"word/", Kind.WORD), (b"xl/", Kind.SHEET), (b"ppt/", Kind.SLIDES)):
        if b"[Content_Types].xml" in names and any(name.startswith(folder) for name in names):
            return kind, flags
    if any(name.lower().lstrip(b"/") == b"ofd.xml" for name in names):
        return Kind.OFD, flags
    if b"mimetype" in names and b"content.xml" in names:
        # OpenDocument: the first member is stored and holds the type (ODF 1.2 part 3, 3.3).
        for word, kind in (
            (b"opendocument.text", Kind.WORD),
            (b"opendocument.spreadsheet", Kind.SHEET),
        ):
            if word in data[:200]:
                return kind, flags
        return Kind.SLIDES, flags
    return Kind.ARCHIVE, flags


def _members(data: bytes) -> Iterator[tuple[bytes, int]]:
    """(name, flag bits) of the first members: from the central directory, or, in a cut file, from
    the members' own headers."""
    end = data.rfind(b"PK\5\6", max(0, len(data) - 65_557))
    if end >= 0 and len(data) >= end + 22:
        position = int(struct.unpack_from("<I", data, end + 16)[0])
        for _ in range(_MEMBERS_MAX):
            if data[position : position + 4] != b"PK\1\2" or position + 46 > len(data):
                break
            bits = struct.unpack_from("<H", data, position + 8)[0]
            name, extra, comment = struct.unpack_from("<HHH", data, position + 28)
            yield data[position + 46 : position + 46 + name], bits
            position += 46 + name + extra + comment
        if position > struct.unpack_from("<I", data, end + 16)[0]:
            return
    position = 0
    for _ in range(_MEMBERS_MAX):
        position = data.find(b"PK\3\4", position)
        if position < 0 or position + 30 > len(data):
            return
        bits = struct.unpack_from("<H", data, position + 6)[0]
        name, extra = struct.unpack_from("<HH", data, position + 26)
        yield data[position + 30 : position + 30 + name], bits
        size = struct.unpack_from("<I", data, position + 18)[0]
        position += 30 + name + extra + (0 if bits & 8 or size == 0xFFFFFFFF else size)


# --- OLE2 ([MS-CFB]): doc, xls, ppt, wps, et, dps ---------------------------------------------


def _ole2(data: bytes, ending: str) -> tuple[Kind, tuple[str, ...]]:
    entries = _directory(data)
    top = {name for name, _ in entries}
    flags: tuple[str, ...] = ()
    if top & {"Macros", "_VBA_PROJECT_CUR", "VBA"}:
        flags = ("macro",)
    if "EncryptedPackage" in top:
        return _BY_NAME.get(ending, Kind.OTHER), (*flags, "encrypted")
    if top & {"WordDocument", "WpsDocument", "WPSDocument"}:
        start = next((begin for name, begin in entries if name == "WordDocument"), -1)
        size = 1 << min(struct.unpack_from("<H", data, 30)[0], 16)
        fib = (start + 1) * size
        # FibBase bit fEncrypted ([MS-DOC] 2.5.2), where the stream is long enough to have sectors.
        if start >= 0 and data[fib : fib + 2] == b"\xec\xa5" and data[fib + 11] & 1:
            flags = (*flags, "encrypted")
        return Kind.WORD, flags
    if top & {"Workbook", "Book", "WORKBOOK", "BOOK"}:
        return Kind.SHEET, flags
    if "PowerPoint Document" in top:
        return Kind.SLIDES, flags
    if any(name.startswith("__substg1.0_") for name in top):
        return Kind.MAIL, flags  # an Outlook .msg
    return _BY_NAME.get(ending, Kind.OTHER), flags


def _directory(data: bytes) -> list[tuple[str, int]]:
    """(name, first sector) of the streams and storages at the top level of an OLE2 file; all of
    them when the tree is damaged."""
    if len(data) < 1_024:
        return []
    shift = struct.unpack_from("<H", data, 30)[0]
    if not 7 <= shift <= 16:
        return []
    size = 1 << shift
    entries: list[tuple[str, int, int, int, int]] = []
    sector = struct.unpack_from("<I", data, 48)[0]
    table = struct.unpack_from("<109I", data, 76)
    seen: set[int] = set()
    while sector < 0xFFFFFFFA and sector not in seen and len(entries) < _DIRECTORY_MAX:
        seen.add(sector)
        begin = (sector + 1) * size
        for at in range(begin, min(begin + size, len(data) - 127), 128):
            length = min(struct.unpack_from("<H", data, at + 64)[0], 64)
            name = data[at : at + max(0, length - 2)].decode("utf-16-le", "replace")
            left, right, child = struct.unpack_from("<III", data, at + 68)
            entries.append((name, left, right, child, struct.unpack_from("<I", data, at + 116)[0]))
        # The next sector of the directory stands in the allocation table.
        row, column = divmod(sector, size // 4)
        if row >= 109:
            break
        place = (table[row] + 1) * size + column * 4
        if place + 4 > len(data):
            break
        sector = struct.unpack_from("<I", data, place)[0]
    if not entries:
        return []
    top: list[tuple[str, int]] = []
    pending, visited = [entries[0][3]], set[int]()
    while pending:
        index = pending.pop()
        if index >= len(entries) or index in visited:
            continue
        visited.add(index)
        name, left, right, _, start = entries[index]
        top.append((name, start))
        pending += [left, right]
    return top or [(entry[0], entry[4]) for entry in entries]
