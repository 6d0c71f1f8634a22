"""Cleaning and shortening the words of a letter, and reading the files it is made from.

Kept apart from `render`, which alone knows the template engine. Everything here is safe to call
with whatever a stranger wrote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault

_ZONE = ZoneInfo("Asia/Shanghai")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_INVISIBLE = re.compile(r"[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LINK = re.compile(
    r"(?:https?|ftps?)[:：]//?[^\s\u3000-\u303f\uff00-\uffef\u4e00-\u9fff]*"
    r"|\bwww\.[^\s\u3000-\u303f\uff00-\uffef\u4e00-\u9fff]+",
    re.IGNORECASE | re.ASCII,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template's text, and where it stands for messages."""

    text: str
    path: Path


def read_templates(folder: Path) -> dict[str, TemplateFile]:
    """Every template of a folder: UTF-8, with or without the mark Notepad writes, else GB18030.

    Raises `OperatorFault` naming all files that cannot be read."""
    sources: dict[str, TemplateFile] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.j2")) if folder.is_dir() else ():
        try:
            octets = path.read_bytes()
        except OSError as error:
            faults.append(
                Fault(str(path), _("cannot be read: {error}").format(error=error.strerror or error))
            )
            continue
        for charset in ("utf-8-sig", "gb18030"):
            try:
                sources[path.name] = TemplateFile(octets.decode(charset), path)
                break
            except UnicodeDecodeError:
                continue
        else:
            faults.append(
                Fault(str(path), _("is neither UTF-8 nor GBK text"), _("save it as UTF-8"))
            )
    if faults:
        raise OperatorFault(*faults)
    return sources


def clean(value: T) -> T:
    """A letter whose every string is one clean line, whatever made it."""
    if isinstance(value, StrEnum):
        return value
    if isinstance(value, str):
        return one_line(value)  # type: ignore[return-value]
    if isinstance(value, tuple):
        return tuple(clean(v) for v in value)  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: clean(getattr(value, f.name)) for f in fields(value)})
    return value


def one_line(text: str) -> str:
    """Without control, direction and invisible characters; lone surrogates become U+FFFD. Joiners
    (U+200C, U+200D) stay: Mongolian script needs them."""
    text = _INVISIBLE.sub("", _CONTROL.sub(" ", text))
    return _SURROGATE.sub("\ufffd", text).strip()


def tidy(text: str) -> str:
    """No blanks at line ends, at most one empty line between paragraphs, one line end at last."""
    lines = "\n".join(line.rstrip(" \t") for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def when(moment: datetime) -> str:
    """2026年8月12日09:31, in the office's time."""
    local = moment.astimezone(_ZONE)
    return f"{local.year}年{local.month}月{local.day}日{local:%H:%M}"


def day(value: date) -> str:
    """2026年8月12日; of a moment its day in the office's time."""
    local = value.astimezone(_ZONE) if isinstance(value, datetime) else value
    return f"{local.year}年{local.month}月{local.day}日"


def short_day(value: date) -> str:
    """8月12日, where the year is plain from what stands around it."""
    return day(value).partition("年")[2]


def clock(moment: datetime) -> str:
    """8月12日09:31."""
    return when(moment).partition("年")[2]


def code_shown(token: str) -> str:
    """A one-time code as people read it out: ABCD-EFGH."""
    plain = token.replace("-", "")
    return f"{plain[:4]}-{plain[4:]}" if len(plain) == 8 else token


def short(text: str, limit: int) -> str:
    """At most `limit` characters, addresses of web pages cut out first."""
    text = _LINK.sub("［链接］", one_line(text))
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
