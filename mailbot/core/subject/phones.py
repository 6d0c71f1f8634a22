"""Telephone numbers in one folded line, and the many numbers that are none.

Shapes follow the national numbering plan: mobiles have eleven digits from 13 to 19; an area code
is 0 and two or three digits; a local number has seven or eight digits and begins with 2 to 8; 400
and 800 numbers have ten. An 18-digit identity number (GB 11643), a student number, a year, a date,
a document number or an amount is never taken for one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SEP = r"[- .]?"
_EXT = (
    r"(?:[ ]*(?:转|转分机|分机|ext\.?|#)[ ]*[0-9]{1,6}(?![0-9])(?:[ ]?分机)?"
    r"|-(?!(?:19|20)[0-9]{2}(?![0-9]))[0-9]{1,5}(?=$|[ +_/|、,;:。()\[\]*~&]|-(?![0-9]{1,2}[月日.])))"
)
_MOBILE = rf"1[3-9][0-9](?:{_SEP}[0-9]{{4}}{_SEP}[0-9]{{4}}|{_SEP}[0-9]{{3}}{_SEP}[0-9]{{5}}|[0-9]{_SEP}[0-9]{{3}}{_SEP}[0-9]{{4}})"
_AREA = r"(?:\([ ]*0[1-9][0-9]{1,2}[ ]*\)[- ]{0,3}|0(?:10|2[0-9])[- ]{0,3}|0[3-9][0-9]{2}[- ]{0,3})"
_LOCAL = r"[2-8][0-9]{6,7}"
_INTL = (
    rf"(?:\+|00)[ ]?86[- ]{{0,2}}(?:{_MOBILE}|\(?0?[1-9][0-9]{{1,2}}\)?[- ]{{1,2}}{_LOCAL}{_EXT}?)"
)

_CANDIDATE = re.compile(
    rf"(?P<intl>{_INTL})(?![0-9])"
    rf"|(?<![0-9])(?P<area>{_AREA}(?:{_LOCAL}|[2-8][0-9]{{2,3}}[ ][0-9]{{4}})(?:{_EXT})?)(?![0-9])"
    rf"|(?<![0-9])(?P<mobile>(?:86[- ]?)?{_MOBILE})(?![0-9])"
    rf"|(?<![0-9])(?P<service>[48]00-?[0-9]{{3}}-?[0-9]{{4}}|[48]00-?[0-9]{{4}}-?[0-9]{{3}})(?![0-9])"
    rf"|(?<![0-9])(?P<local>{_LOCAL}(?:{_EXT})?)(?![0-9])"
    r"|(?P<run>[0-9]{14,26})"
)
_RUN_PARTS = (
    re.compile(rf"(0[1-9][0-9]{{1,2}}{_LOCAL}|{_LOCAL})(1[3-9][0-9]{{9}})"),
    re.compile(rf"(1[3-9][0-9]{{9}})(0[1-9][0-9]{{1,2}}{_LOCAL}|{_LOCAL}|1[3-9][0-9]{{9}})"),
    re.compile(r"([2-8][0-9]{6})([2-8][0-9]{6})"),
)
_LABEL = re.compile(
    r"(?:联系|办公|移动|固定|本人|值班|咨询|单位|办公室)?"
    r"(?:办公室|电话号码|电话|手机号码|手机号|手机|座机|固话|联系方式|联系|tel|phone|mobile|mob|办|宅)"
    r"\.?[ ]*[(\[/、]?(?:电话|手机|号码|微信|微信同号|qq)?[)\]]?[ ]*[:为]?[ ]*$"
)
_LABEL_AHEAD = re.compile(r"(?:手机|电话|办公|座机|固话|移动|联系|传真|tel|或|和|及)")
_NOT_AFTER = re.compile(
    r"(?:传真|fax|学号|工号|编号|账号|账户|帐号|卡号|文号|单号|序号|邮编|证号|证|qq|微信|微信号|no\.?|金额|第|约|达|共|超|超过|"
    r"[¥￥$第])[ ]*[:]?[ ]*$|[a-z%〔]$|[0-9][.]$"
)
_UNIT_AFTER = re.compile(
    r"[ ]?(?:元|万|亿|千|百|亩|人|户|头|只|匹|吨|斤|公斤|公里|千米|米|平方|立方|千瓦|度|次|个|条|篇|件|份|家|株|棵|袋|箱|"
    r"台|辆|年|月|日|号|级|届|期|岁|届|例|%|‰|℃|㎡|°|\.[0-9]|[a-z])"
)
_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_ID18 = re.compile(
    r"[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{4}"
)
_BOUND = "<#^ +-_/|、,;:。()[]·~\\&>=*\t"


@dataclass(frozen=True, slots=True)
class Phone:
    """A number at `start`..`end` of the line (its label, 手机 or 联系电话：, included).

    `values` has two entries where two numbers were run together. `clean`: it stands by itself,
    nothing but delimiters, labels or the line's ends around it."""

    start: int
    end: int
    values: tuple[str, ...]
    clean: bool
    labelled: bool
    left_glued: bool
    """Text (perhaps a name) stands directly before it."""
    right_glued: bool


def find_phones(folded: str, skip: list[bool]) -> list[Phone]:
    """All telephone numbers of a folded line, left to right, not overlapping, outside the
    positions marked in `skip`. Numbers that are no phone are simply not in the list."""
    found: list[Phone] = []
    at = 0
    while match := _CANDIDATE.search(folded, at):
        start, end = match.span()
        at = end
        if skip[start] or any(skip[start:end]):
            continue
        values = _values(match)
        if not values:
            continue
        head = folded[max(0, start - 16) : start]
        label = _LABEL.search(head)
        if (
            label
            and label.group(0).strip() in ("办", "宅")
            and not _bound_before(head, label.start())
        ):
            label = None
        begin = start - len(head) + label.start() if label else start
        if any(skip[begin:start]):
            label, begin = None, start
        if label is None and _NOT_AFTER.search(head):
            continue
        if _UNIT_AFTER.match(folded, end):
            continue
        left = begin > 0 and folded[begin - 1] not in _BOUND and not _ends(found, begin)
        stop = folded[end : end + 1] == "." and not folded[end + 1 : end + 2].strip()
        right = (
            end < len(folded)
            and folded[end] not in _BOUND
            and not stop
            and not _label_follows(folded, end)
        )
        found.append(Phone(begin, end, values, not (left or right), bool(label), left, right))
    return found


def phones_in(folded: str) -> tuple[str, ...]:
    """Values of all numbers of a text known to be a contact field."""
    return tuple(v for p in find_phones(folded, [False] * len(folded)) for v in p.values)


def _bound_before(head: str, at: int) -> bool:
    return at == 0 or head[at - 1] in _BOUND or head[at - 1].isdigit()


def _ends(found: list[Phone], at: int) -> bool:
    return bool(found) and found[-1].end == at


def _label_follows(folded: str, at: int) -> bool:
    return _LABEL_AHEAD.match(folded, at) is not None


def _values(match: re.Match[str]) -> tuple[str, ...]:
    kind, text = match.lastgroup, match.group(0)
    if kind == "run":
        return _split_run(text)
    if kind == "intl":
        return (re.sub(r" +", " ", text).strip(),)
    if kind == "mobile":
        digits = re.sub(r"[^0-9]", "", text)
        return (digits,)
    if kind == "local":
        bare = re.match(r"[0-9]+", text)
        if bare and len(bare.group(0)) == 8 and _DATE.fullmatch(bare.group(0)):
            return ()
    return (
        re.sub(
            r" *(转分机|转|分机|ext\.?|#) *(?=[0-9])",
            r"\1",
            re.sub(r" *- *", "-", re.sub(r" +", " ", text)),
        )
        .removesuffix("分机")
        .strip(),
    )


def _split_run(digits: str) -> tuple[str, ...]:
    """Two numbers run together (762202913847700000); never an identity number."""
    if _ID18.fullmatch(digits):
        return ()
    for shape in _RUN_PARTS:
        if both := shape.fullmatch(digits):
            return both.group(1), both.group(2)
    return ()
