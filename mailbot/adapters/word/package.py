"""The file around a document: the same bytes for the same document, and a careful look at a file
somebody else made."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

_WHEN = (1980, 1, 1, 0, 0, 0)
"""The first moment a ZIP archive can name."""
_UNIX = 3

MAX_FILE = 20_000_000
MAX_UNPACKED = 100_000_000
MAX_PARTS = 2_000
MAX_XML = 20_000_000
"""A part of XML: what is parsed takes some ten times that in memory."""
_CHUNK = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What Word writes. Others (LZMA) can ask for any amount of memory."""

DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError, RuntimeError)
"""What zipfile raises for damaged bytes."""


def settled(data: bytes) -> bytes:
    """The same archive with every date fixed and its parts in order, the table of contents first."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in sorted(old.namelist(), key=lambda n: (n != "[Content_Types].xml", n)):
            info = zipfile.ZipInfo(name, _WHEN)
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, _UNIX
            info.external_attr = 0o600 << 16
            new.writestr(info, old.read(name), compresslevel=6)
    return out.getvalue()


def refusal(data: bytes) -> str:
    """Why these bytes are not to be opened as a Word document, as a Chinese sentence; empty when
    they may be. Nothing is unpacked beyond the size its directory declares, so the limits hold."""
    if len(data) > MAX_FILE:
        return f"文件有 {len(data) // 1_000_000} MB，超过上限 {MAX_FILE // 1_000_000} MB"
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return "这是旧格式（.doc）或加了密码的文档，不是 .docx"
    if not data.startswith(b"PK"):
        return "不是 Word 文档（.docx）：文件开头不对，可能是改了扩展名或没有保存完整"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return next(_objections(archive), "")
    except DAMAGE:
        return "文件已损坏，打不开"


def _objections(archive: zipfile.ZipFile) -> Iterator[str]:
    infos = archive.infolist()
    names = [i.filename for i in infos]
    total = sum(i.file_size for i in infos)
    if len(infos) > MAX_PARTS or total > MAX_UNPACKED:
        yield f"解压后过大（{total // 1_000_000} MB，{len(infos)} 个部分）"
    if len(set(names)) < len(names):
        yield "压缩包里有同名的部分"
    if any(i.flag_bits & 1 or i.compress_type not in _METHODS for i in infos):
        yield "文件加了密，或压缩方式不是 Word 用的"
    if any(n.lower().endswith("vbaproject.bin") for n in names):
        yield "文件带有宏"
    if "word/document.xml" not in names or "[Content_Types].xml" not in names:
        yield "压缩包里没有 Word 文档的正文"
    for info in infos:
        if info.filename.lower().endswith((".xml", ".rels")):
            yield from _part_objections(archive, info)


def _part_objections(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[str]:
    if info.file_size > MAX_XML:
        yield f"{info.filename} 解压后有 {info.file_size // 1_000_000} MB，过大"
        return
    with archive.open(info) as stream:
        tail = b""
        while chunk := stream.read(_CHUNK):
            if b"<!DOCTYPE" in tail + chunk or b"<!ENTITY" in tail + chunk:
                yield f"{info.filename} 里有不该有的定义（DOCTYPE）"
                return
            tail = chunk[-16:]
