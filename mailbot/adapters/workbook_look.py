"""A first look at a workbook as the archive it is, before anything that understands it opens it.

Promises to refuse what is no workbook, may run something, or would unpack to more than a table
people fill in; and tells what reading cells one by one does not show: which cells are merged, and
whether there are formulas.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mailbot.adapters.csv_in import refused

MAX_UNPACKED = 120_000_000
"""20,000 full rows of the template take some 30 MB of XML."""
MAX_PARTS = 2_000
_RATIO, _RATIO_FROM = 300, 5_000_000
"""XML packs up to some 1:50; from 5 MB on more than 1:300 is a bomb."""
_CHUNK = 1 << 20

SAVE_AS = "在 Excel 或 WPS 里另存为“Excel 工作簿（.xlsx）”再导入"
_BOMB = "另存一份新的再导入；仍不行就复制到模板里"


@dataclass(frozen=True, slots=True)
class Part:
    """What a look at a sheet's XML shows beforehand, as references: F12, A2:A4."""

    valueless: tuple[str, ...] = ()
    """Cells with a formula whose result was not stored."""
    merges: tuple[str, ...] = ()


def inspect(path: Path, raw: bytes) -> dict[str, Part]:
    """Refuses what must not be unpacked, then looks once through the sheets' XML. A part is never
    unpacked beyond the size its directory declares, so that the sum holds."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        infos = archive.infolist()
        names = {i.filename for i in infos}
        _refuse_kind(path, names)
        total = sum(i.file_size for i in infos)
        if len(infos) > MAX_PARTS or total > MAX_UNPACKED:
            raise refused(
                path, f"解压后过大（{total // 1_000_000} MB，{len(infos)} 个部分）", _BOMB
            )
        for info in infos:
            if info.file_size > _RATIO_FROM and info.file_size > _RATIO * max(
                info.compress_size, 1
            ):
                raise refused(path, "压缩比不正常", _BOMB)
            if info.flag_bits & 1:
                raise refused(path, "文件加了密", "去掉密码，另存后再导入")
        return {
            i.filename: _scan(path, archive, i)
            for i in infos
            if i.filename.endswith((".xml", ".rels"))
        }


def _refuse_kind(path: Path, names: set[str]) -> None:
    if any(n.lower().endswith("vbaproject.bin") for n in names):
        raise refused(path, "文件带有宏", SAVE_AS)
    if "xl/workbook.bin" in names:
        raise refused(path, "这是二进制工作簿（.xlsb）", SAVE_AS)
    if "xl/workbook.xml" in names or any(n.endswith("workbook.xml") for n in names):
        return
    if "mimetype" in names:
        raise refused(path, "这是 OpenDocument 表格（.ods）", SAVE_AS)
    if "word/document.xml" in names:
        raise refused(path, "这是 Word 文档，不是表格", "把内容填到模板里再导入")
    raise refused(path, "这是压缩包或别的文件，不是表格", "解压后导入里面的 .xlsx 或 .csv")


_VALUELESS = re.compile(
    rb"<(?:\w+:)?c(\s[^>]*)>\s*<(?:\w+:)?f(?:\s[^>]*?)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
"""A cell with a formula and no result. A text result may be empty: that is one."""
_REF = re.compile(rb'\sr="([A-Z]{1,3}\d{1,7})"')
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})\"")
_OVERLAP = 40_000
"""Bytes looked at again with the next chunk: a formula has at most 8,192 characters."""


def _scan(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Part:
    merges: dict[bytes, None] = {}
    valueless: dict[bytes, None] = {}
    tail = b""
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK):
            text = tail + chunk
            if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                raise refused(path, "文件里有不该有的定义（DOCTYPE）", SAVE_AS)
            if info.filename.startswith("xl/worksheets/"):
                merges |= dict.fromkeys(_MERGE.findall(text))
                valueless |= dict.fromkeys(_without_value(text))
            tail = text[-_OVERLAP:]
    return Part(_ascii(valueless), _ascii(merges))


def _without_value(text: bytes) -> Iterator[bytes]:
    for found in _VALUELESS.finditer(text):
        if b't="str"' not in found[1] and (ref := _REF.search(found[1])):
            yield ref[1]


def _ascii(refs: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(r.decode("ascii") for r in refs)
