"""How a document writes things: braces, numbers of headings, clauses, dates, what stands in
brackets. Words only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

from mailbot.core.mail.clean import one_line
from mailbot.core.rules.entries import Entry, NoticeList
from mailbot.core.rules.events import NAMES

_BRACES = re.compile(r"\{(\w+)\}")
_DIGITS = "〇一二三四五六七八九"


def fill(text: str, values: Mapping[str, str]) -> str:
    """The names in braces with what they stand for; other braces stay. What is put in is not
    looked at again."""
    return _BRACES.sub(lambda found: values.get(found[1], found[0]), text)


def clean(text: str) -> str:
    """One line without invisible characters: titles come from mail that anybody may write."""
    return " ".join(one_line(text)[0].split())


def numeral(number: int) -> str:
    """一, 十, 十二, 二十, 九十九, from 1 to 99; beyond, in digits."""
    tens, ones = divmod(number, 10)
    if number > 99:
        return str(number)
    if not tens:
        return _DIGITS[ones]
    return f"{_DIGITS[tens] if tens > 1 else ''}十{_DIGITS[ones] if ones else ''}"


def day(when: date) -> str:
    return f"{when.year}年{when.month}月{when.day}日"


_ISO = re.compile(r"(?<=[（于])(\d{4})-(\d\d)-(\d\d)(?=[）前])")


def days_in(text: str) -> str:
    """A reason with its days as documents write them: （2026-08-03） is （2026年8月3日）."""
    return _ISO.sub(lambda d: day(date(int(d[1]), int(d[2]), int(d[3]))), text)


_SPACED = re.compile(r"(?<=[\u4e00-\u9fff”]) (?=-?\d)|(?<=\d) (?=[\u4e00-\u9fff])")


def tight(text: str) -> str:
    """Without the spaces that screens have around numbers. Not for texts with titles in them."""
    return _SPACED.sub("", text)


def place_of(clause: str) -> str:
    """Where in the document a clause stands, without the sentences quoted from it:
    五（二）：“首位的进行通报表扬” is 五（二）."""
    kept: list[str] = []
    depth = 0
    for at, char in enumerate(clause):
        if char == "“" and (depth or clause[at - 1 : at] == "："):
            if not depth:
                kept.pop()  # the colon
            depth += 1
        elif char == "”" and depth:
            depth -= 1
        elif not depth:
            kept.append(char)
    if depth:
        return clause  # quotation marks that do not pair leave nothing to go by
    parts = (part.strip() for part in "".join(kept).split("；"))
    return "、".join(_article(part) for part in parts if part)


_NUMBERS = re.compile(r"\d+(、\d+)*")


def _article(place: str) -> str:
    """A bare number would run into that of the document: 86号17."""
    return f"第{place}条" if _NUMBERS.fullmatch(place) else place.replace("号 ", "号")


def basis(of: NoticeList | Entry) -> str:
    """（依据：某政办发〔2020〕1号三（一））"""
    return f"（依据：{of.document}{place_of(of.clause)}）"


_ROLES = re.compile(r"^(主要负责人|分管|信息员|对接人) ")


def person(named: str) -> str:
    """“分管 王甲” is 分管负责人王甲; what people entered otherwise stays."""
    return _ROLES.sub(lambda r: "分管负责人" if r[1] == "分管" else r[1], clean(named))


def sentence(text: str) -> str:
    return text if text.endswith(("。", "！", "？", "）。")) else f"{text}。"


def several(names: Iterable[str]) -> str:
    return "、".join(names)


def form(code: str) -> str:
    """（简讯）; nothing of a whole text."""
    return "" if code == "full" else f"（{NAMES.get(code, code)}）"
