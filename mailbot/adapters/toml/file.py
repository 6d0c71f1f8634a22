"""TOML as office people save it.

Reads UTF-8 with or without a byte order mark, UTF-16 with one, and GBK / GB18030 (what Windows
Notepad calls ANSI). Whatever cannot be read is refused with an `OperatorFault` that names the file,
the line, the column and, in Chinese, what to do; full-width quotes, commas and equals signs are
found on every line at once, because they are the commonest slip of all. Numbers with fractions
arrive as `Decimal`. What the keys mean is the callers' business.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from mailbot.adapters.toml.slips import UNCLOSED, explain, wide_signs
from mailbot.app.errors import Fault, OperatorFault

SAVE_AS_UTF8 = "用记事本打开原文件，选“另存为”，编码选 UTF-8，再保存"
RETRIES = 50
"""How many broken lines of one file are told at once."""


def read_toml(path: Path) -> dict[str, Any]:
    """The file as a dict. Raises `OperatorFault` with every fault found."""
    return parse_toml(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises `OperatorFault` naming the file and what to do."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        fault = Fault(str(path), "没有这个文件", "核对文件名和所在文件夹，或从随附的样本复制一份")
    except IsADirectoryError:
        fault = Fault(str(path), "这是文件夹，不是文件", "把文件夹改名或移走，放回同名的文件")
    except PermissionError:
        fault = Fault(str(path), "没有读取的权限", "请管理员把文件的读权限给运行本程序的用户")
    except OSError as error:
        fault = Fault(str(path), f"读不出来（{error.strerror or error}）", "检查磁盘和文件夹")
    raise OperatorFault(fault) from None


def parse_toml(data: bytes, where: str) -> dict[str, Any]:
    """As `read_toml`, from bytes already read; `where` names the file in faults."""
    return parse_text(decode(data, where), where)


def parse_text(text: str, where: str) -> dict[str, Any]:
    """As `parse_toml`, from text already decoded."""
    text = text.replace("\r\n", "\n")
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        raise OperatorFault(Fault(where, "括号套得太深", "检查方括号和花括号是否成对")) from None
    except ArithmeticError:
        raise OperatorFault(*_monstrous_numbers(text, where)) from None
    except ValueError as error:
        raise OperatorFault(*_syntax_faults(text, where, error)) from None


_MONSTROUS = re.compile(r"\d[eE][+-]?\d{10,}")


def _monstrous_numbers(text: str, where: str) -> list[Fault]:
    """What no Decimal can hold: 1e99999999999999999999."""
    lines = [n for n, line in enumerate(text.split("\n"), 1) if _MONSTROUS.search(line)]
    places = [f"{where} 第 {n} 行" for n in lines] or [where]
    return [Fault(place, "数字的指数大得离谱", "写成普通数字，例如 2.5") for place in places]


# --- syntax -----------------------------------------------------------------------------------

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_REMOVABLE = re.compile(r"\s*[A-Za-z0-9_.\"'-]+\s*=\s*[^\[{]*$|[^\[\]{}\"'=]*$")
"""A plain key line or a stray remark: taking it out breaks no table, array or string."""


def _syntax_faults(text: str, where: str, error: ValueError) -> list[Fault]:
    """Full-width signs anywhere, then what the parser says: line by line, each broken line taken
    out before the next try, as long as that can be done without breaking a structure."""
    lines = text.split("\n")  # wide_signs repairs these, so that the rest can be told as well
    faults: dict[int, Fault] = {}
    for number, column, found, remedy in wide_signs(lines):
        faults.setdefault(number, Fault(_at(where, number, column), found, remedy))
    current: Exception | None = _parse_error("\n".join(lines)) if faults else error
    for _ in range(RETRIES):
        if current is None:
            break
        message, number, column = _read_error(str(current), lines)
        line = lines[number - 1]
        if number not in faults:
            found, remedy = explain(message, line, column)
            faults[number] = Fault(_at(where, number, column), found, remedy)
            if found == UNCLOSED:
                break
        if not _REMOVABLE.match(line) or '"""' in line or "'''" in line:
            break
        lines[number - 1] = ""
        current = _parse_error("\n".join(lines))
    return [faults[number] for number in sorted(faults)]


def _parse_error(text: str) -> Exception | None:
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return error
    return None


def _read_error(message: str, lines: list[str]) -> tuple[str, int, int]:
    """The parser's message, line and column (both from 1)."""
    place = _PLACE.search(message)
    bare = _PLACE.sub("", message)
    if place and place.group(1):
        return bare, min(int(place.group(1)), len(lines)), int(place.group(2))
    last = max((n for n, line in enumerate(lines, 1) if line.strip()), default=1)
    return bare, last, len(lines[last - 1]) + 1


def _at(where: str, line: int, column: int) -> str:
    return f"{where} 第 {line} 行第 {column} 列"


# --- encodings --------------------------------------------------------------------------------

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(data: bytes, where: str) -> str:
    """The text of a file of unknown encoding. Raises `OperatorFault` rather than guess."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data[len(bom) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise _damaged(data, len(bom) + error.start, where, encoding.upper()) from None
    if b"\0" in data:
        found = "文件里有空字节：不是文本，或是没有标记的 UTF-16"
        raise OperatorFault(Fault(where, found, SAVE_AS_UTF8))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if _mostly_utf8(data):
            raise _damaged(data, error.start, where, "UTF-8") from None
        return _decode_gb(data, where)
    return _decode_gb(data, where) if _gbk_in_disguise(text) else text


def _decode_gb(data: bytes, where: str) -> str:
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise _damaged(data, error.start, where, "UTF-8，也不是 GBK（ANSI）") from None


def _mostly_utf8(data: bytes) -> bool:
    """Is this UTF-8 with a few damaged bytes? GBK read as UTF-8 hardly ever shows a Chinese
    character, damaged UTF-8 shows far more of them than damage. GB18030 would accept either."""
    text = data.decode("utf-8", errors="replace")
    chinese = sum(1 for c in text if "\u2e80" <= c <= "\uffef" and c != "\ufffd")
    return chinese > text.count("\ufffd")


def _gbk_in_disguise(text: str) -> bool:
    """Short GBK text can be valid UTF-8 by chance (the Notepad bug of 联通): then it shows letters
    of other scripts and not one Chinese character."""
    strange = [c for c in text if c > "\x7f"]
    return any("\u0100" <= c <= "\u07ff" for c in strange) and max(strange) <= "\u07ff"


def _damaged(data: bytes, start: int, where: str, encoding: str) -> OperatorFault:
    line = data.count(b"\n", 0, start) + 1
    found = f"第 {start + 1} 个字节（0x{data[start]:02X}）读不出来：文字编码不是 {encoding}，或文件已损坏"
    return OperatorFault(Fault(f"{where} 第 {line} 行", found, SAVE_AS_UTF8))
