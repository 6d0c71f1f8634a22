"""Text that leaves the office's own records (logs, alerts, health pages) without naming anybody.

Addresses, telephone and identity numbers and quoted titles are replaced by what is left of them: an
address keeps its first letter and its domain, and each gets a short print, so that two lines about
the same one can still be told to be so. The print is keyed: without the key nobody finds a number by
trying all of them. Receipt numbers, mail numbers and dates stay.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

_ADDRESS = re.compile(
    r"([^\s@<>\"'“”《》「」,;:()（），；：、=]+)@([\w-]+(?:\.[\w-]+)*)", re.UNICODE
)
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])\d{6}(?:19|20)\d{9}[\dXx](?![0-9A-Za-z])")
_PHONE = re.compile(
    r"(?<![\w.-])(?:\+?86[- ]?)?(?:"
    r"1[3-9]\d[- ]?\d{4}[- ]?\d{4}"  # mobile
    r"|[(（]?0\d{2,3}[)）]?[- ]?\d{7,8}"  # with its area code
    r"|[2-8]\d{6,7}"  # local
    r")(?![0-9A-Za-z]|[-.]\d)",
    re.ASCII,
)
_DATE = re.compile(r"20\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])")
_QUOTED = re.compile(
    r"《[^《》\n]*》|“[^“”\n]*”|「[^「」\n]*」|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\""
)
_TITLE_SIGNS = 8
"""Chinese characters from which something in quotation marks is taken for a title: a folder's name
or an office's word is shorter."""
_CHINESE = re.compile(r"[\u3400-\u9fff]")

Print = Callable[[str], str]


def keyed_print(key: bytes) -> Print:
    """Six hex digits that are the same for the same text and tell nothing without `key`."""

    def of(text: str) -> str:
        return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:6]

    return of


def no_print(text: str) -> str:
    """For what is read by people, who do not compare."""
    return ""


def masked(text: str, print_of: Print = no_print, *, titles: bool = True) -> str:
    """The text with addresses, numbers and, with `titles`, quoted titles masked."""
    if titles:
        text = _QUOTED.sub(lambda m: _title(m[0], print_of), text)
    text = _ADDRESS.sub(lambda m: _address(m[1], m[2], print_of), text)
    text = _IDENTITY.sub(lambda m: _number(m[0], 6, print_of), text)
    return _PHONE.sub(lambda m: m[0] if _DATE.fullmatch(m[0]) else _phone(m[0], print_of), text)


def _address(local: str, domain: str, print_of: Print) -> str:
    whole = f"{local}@{domain}".lower()
    return f"{local[0]}***@{domain}{_mark(whole, print_of)}"


def _phone(number: str, print_of: Print) -> str:
    digits = "".join(c for c in number if c.isdigit())
    return _number(digits, 3, print_of)


def _number(digits: str, kept: int, print_of: Print) -> str:
    return f"{digits[:kept]}***{_mark(digits, print_of)}"


def _title(quoted: str, print_of: Print) -> str:
    inner = quoted[1:-1]
    if len(_CHINESE.findall(inner)) < _TITLE_SIGNS:
        return quoted
    return f"{quoted[0]}…{_mark(inner, print_of)}{quoted[-1]}"


def _mark(text: str, print_of: Print) -> str:
    found = print_of(text)
    return f"#{found}" if found else ""
