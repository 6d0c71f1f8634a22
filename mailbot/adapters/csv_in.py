"""Reads CSV as people's programs write it: any of three separators, UTF-8 or what Excel and WPS in
China save. Every cell is text; which row of the spreadsheet program it stood in is kept.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from mailbot.adapters.sheets import unguarded
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.recording.grid import Grid, GridRow

MAX_ROWS = 20_000
MAX_COLUMNS = 200


def read_csv(path: Path, raw: bytes) -> Grid:
    text = _decoded(path, raw)
    first, _newline, rest = text.partition("\n")
    skipped = 0
    if declared := re.fullmatch(r"\ufeff?sep=(.)\s*", first):
        delimiter, text, skipped = declared[1], rest, 1
    else:
        delimiter = _delimiter(text)
    rows: list[GridRow] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, values in enumerate(reader, 1 + skipped):
            if any(v.strip() for v in values):
                rows.append(GridRow(number, tuple(unguarded(v) for v in values[:MAX_COLUMNS])))
            if len(rows) > MAX_ROWS + 20:
                raise too_long(path)
    except csv.Error:
        line = reader.line_num + skipped
        raise refused(
            path,
            f"第 {line} 行附近引号没有配对，或一格过长",
            "核对这一行的双引号；或存为 .xlsx 再导入",
        ) from None
    return Grid(path.name, tuple(rows))


def _decoded(path: Path, raw: bytes) -> str:
    """UTF-8, else what Excel and WPS in China write; “Unicode 文本” is UTF-16 and says so."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise refused(path, "这不是表格，也不是能认出的文字", "导入 .xlsx，或存为 UTF-8 的 .csv")


def _delimiter(text: str) -> str:
    """The one that the first filled line uses most, outside quotes."""
    first = next((line for line in text.splitlines() if line.strip(',;\t "')), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return max(",;\t", key=lambda d: (bare.count(d), -",;\t".index(d)))


def refused(path: Path, found: str, remedy: str) -> OperatorFault:
    return OperatorFault(Fault(str(path), found, remedy))


def too_long(path: Path) -> OperatorFault:
    return refused(path, f"超过 {MAX_ROWS} 行", "分成几个文件，一次导入一个")
