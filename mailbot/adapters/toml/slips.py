"""What people get wrong when they write TOML by hand, said in Chinese.

`wide_signs` finds full-width punctuation standing where TOML wants half-width; `explain` turns a
parser's message about one line into what was found and what to do. Never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_WIDE = {
    "“": '"', "”": '"', "„": '"', "＂": '"', "「": '"', "」": '"', "『": '"', "』": '"',
    "‘": "'", "’": "'", "＇": "'",
    "＝": "=", "，": ",", "、": ",", "；": ",", "：": "=",
    "［": "[", "］": "]", "【": "[", "】": "]", "｛": "{", "｝": "}",
    "＃": "#", "．": ".", "。": ".", "－": "-", "—": "-", "＿": "_",
}  # fmt: skip
_NAMES = {
    '"': "双引号", "'": "单引号", "=": "等号", ",": "逗号", "[": "方括号", "]": "方括号",
    "{": "花括号", "}": "花括号", "#": "井号", ".": "小数点", "-": "短横", "_": "下划线",
}  # fmt: skip
_BLANKS = {
    "\u3000": "全角空格",
    "\u00a0": "不换行空格",
    "\u200b": "看不见的零宽字符",
    "\ufeff": "看不见的字节顺序标记",
}
_PROSE = re.compile(r"\s*[\u4e00-\u9fff]")
_DIGITS = "０１２３４５６７８９"

UNCLOSED = "方括号 [ ] 没有收尾，或两项之间缺半角逗号（看这一行和前几行）"
"""After this nothing more of the file can be told apart."""

Slip = tuple[int, int, str, str]
"""Line and column (from 1), what was found, what to do."""
_Found = tuple[int, str, str, str]
"""Column (from 1), what was found, what to do, the half-width sign."""


def wide_signs(lines: list[str]) -> Iterator[Slip]:
    """The first misplaced full-width sign of each line. Inside quotes and comments they are
    welcome; a quote opened half-width and closed full-width is found too. Every one is replaced
    in `lines` by its half-width sign, column for column, so that what else is wrong can be told."""
    block = ""
    for number, line in enumerate(lines, 1):
        first = None
        if not block and _PROSE.match(line):
            continue  # a remark without its #: told as such
        for _ in range(len(line) + 1):
            slip, left_open = _scan(lines[number - 1], block)
            if slip is None:
                break
            column, found, remedy, half = slip
            first = first or (number, column, found, remedy)
            now = lines[number - 1]
            lines[number - 1] = now[: column - 1] + half + now[column:]
        block = left_open
        if first is not None:
            yield first


def _scan(line: str, block: str) -> tuple[_Found | None, str]:
    """One line: its slip, and the triple quote still open at its end ("" for none)."""
    slip: _Found | None = None
    i = 0
    while i < len(line):
        if block:
            end = line.find(block, i)
            if end < 0:
                return slip, block
            i, block = end + 3, ""
            continue
        char = line[i]
        if char == "#":
            break
        if line[i : i + 3] in ('"""', "'''"):
            block, i = line[i : i + 3], i + 3
            continue
        if char in "\"'":
            end = _string_end(line, i)
            if end < 0:
                return slip or _closed_wide(line, i), ""
            i = end + 1
            continue
        if slip is None:
            slip = _misplaced(char, i)
        i += 1
    return slip, block


def _string_end(line: str, start: int) -> int:
    quote, i = line[start], start + 1
    while i < len(line):
        if line[i] == "\\" and quote == '"':
            i += 2
            continue
        if line[i] == quote:
            return i
        i += 1
    return -1


def _closed_wide(line: str, start: int) -> _Found | None:
    wide = next((i for i in range(len(line) - 1, start, -1) if line[i] in "”“’‘＂＇„"), None)
    if wide is None:
        return None
    found = f"引号用半角 {line[start]} 开头，却用全角 {line[wide]} 结尾"
    return (
        wide + 1,
        found,
        f"把 {line[wide]} 改成半角 {line[start]}（切换到英文输入法再打）",
        line[start],
    )


def _misplaced(char: str, index: int) -> _Found | None:
    if char in _WIDE:
        half = _WIDE[char]
        found = f"这里是全角或中文的 {char}，应当是半角的{_NAMES[half]} {half}"
        return (
            index + 1,
            found,
            f"把 {char} 改成 {half}（切换到英文输入法再打；引号里面的中文标点不用改）",
            half,
        )
    if char in _BLANKS:
        return index + 1, f"这里有{_BLANKS[char]}", "删掉它，需要空格时打半角空格", " "
    if char in _DIGITS:
        return (
            index + 1,
            f"这里是全角数字 {char}",
            f"改成半角数字 {_DIGITS.index(char)}",
            str(_DIGITS.index(char)),
        )
    return None


# --- the parser's messages ---------------------------------------------------------------------

_DATE = re.compile(r"=\s*(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})")
_CLOCK = re.compile(r"=\s*(\d{1,2}):([0-5]\d)(?::(\d\d?))?(?![\d:])")
_COLON = re.compile(r"^\s*[A-Za-z0-9_-]+\s*:")
_BARE_VALUE = re.compile(r"=\s*([^\s\"'\[{#][^#]*?)\s*(?:#.*)?$")
_FIGURE_UNIT = re.compile(r"=\s*(\d+)\s*([\u4e00-\u9fff]+)")
_LEADING_ZERO = re.compile(r"=\s*0\d+")


def explain(message: str, line: str, column: int) -> tuple[str, str]:
    """What was found and what to do, from the parser's message and the line it points at."""
    seen = _by_line(message, line, column)
    if seen is not None:
        return seen
    for pattern, found, remedy in _MESSAGES:
        if re.search(pattern, message):
            return found, remedy
    excerpt = line.strip()[:40]
    return f"这一行不合格式：{excerpt}", "每行应是 键 = 值；文字加半角引号，日期写成 2022-07-06"


def _by_line(message: str, line: str, column: int) -> tuple[str, str] | None:
    """What the line itself shows, where the parser's message would mislead."""
    if "Cannot" in message:
        return None
    if "\r" in line:
        return "有旧式（Mac）的换行符", "用记事本打开后重新保存"
    if "Unclosed array" in message or ("Invalid value" in message and column <= line.find("=")):
        return UNCLOSED, "各项之间用半角逗号，末尾补 ]"
    if match := _DATE.search(line):
        year, month, day = match.groups()
        iso = f"{year}-{int(month):02d}-{int(day):02d}"
        if "Invalid date" in message:
            return f"没有 {iso} 这一天", "核对月份和日期"
        if match.group().replace(" ", "") != f"={iso}":
            return f"日期写法不对：{match.group()[1:].strip()}", f"写成 {iso}（不加引号）"
    for match in _CLOCK.finditer(line):
        hour, minute, second = match.groups()
        if len(hour) == 1 or second is None:
            written = match.group()[1:].strip()
            return (
                f"时间写法不对：{written}",
                f"写到秒，两位数字：{int(hour):02d}:{minute}:{second or '00'}（不加引号）",
            )
    if _COLON.match(line):
        return "键和值之间用了冒号", '改成半角等号，例如 name = "农牧局"'
    if _PROSE.match(line):
        return f"行首是中文：{line.strip()[:20]}", "键名一律用英文；说明文字前加 #"
    if match := re.search(r"=\s*(True|TRUE|False|FALSE|是|否|yes|no)\s*(?:#.*)?$", line):
        return f"是否的写法不对：{match.group(1)}", "写成 true 或 false（小写，不加引号）"
    if match := _FIGURE_UNIT.search(line):
        return (
            f"数字后面跟了文字：{match.group(1)}{match.group(2)[:10]}",
            f"只写数字 {match.group(1)}",
        )
    if _LEADING_ZERO.search(line) and "newline" in message:
        return "数字以 0 开头", "电话号码要加半角引号，数目去掉开头的 0"
    if "Invalid value" in message and (match := _BARE_VALUE.search(line)):
        return f"文字没有加引号：{match.group(1)[:30]}", f'写成 "{match.group(1)[:30]}"'
    return None


_MESSAGES = (
    (r"Cannot overwrite a value", "同一个键写了两次", "只留一个（一组里每个键只能出现一次）"),
    (r"Cannot declare", "同一个小标题 [ ] 写了两次，或与前面的键重名", "合并成一个；要写多个时用双方括号 [[ ]]"),
    (r"Cannot (?:mutate|redefine)", "同一个表分两处写了", "合并到一处"),
    (r"Expected '='", "这一行缺等号", "写成 键 = 值；说明文字前加 #"),
    (r"Expected '\]", "小标题的方括号没有配对", "写成 [limits] 或 [[unit]]"),
    (r"Unterminated string|Expected [\"']{1,3}|Illegal character '\\n'", "引号没有配对", "在这段文字末尾补上半角引号"),
(r"Unclosed inline table", "花括号 { } 没有收尾，或中间换了行", "花括号里的内容写在同一行，各项之间用半角逗号"),
    (r"Unescaped|hex value|escape", "引号里有反斜杠 \\", "改用单引号（'C:\\Users'），或把 \\ 写成 \\\\"),
    (r"Invalid date", "没有这一天", "核对月份和日期"),
    (r"Invalid value", "等号后面没有值，或值写得不完整", "补上值；文字加半角引号"),
    (r"Expected newline", "一行里写了多余的内容", "一行只写一个 键 = 值；引号里再用引号时里面用中文引号"),
    (r"Illegal character", "有看不见的控制字符", "删掉这一行重新打一遍"),
    (r"initial character|Invalid initial", "这里应当是键名", "花括号和方括号的末尾不要多余的逗号；键名用英文"),
)  # fmt: skip
