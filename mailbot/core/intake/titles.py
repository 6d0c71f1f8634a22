"""Titles compared and taken from file names.

Two titles are the same item's when they differ only in punctuation, widths, version words or a
category mark; `similarity` is for everything softer.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache

from mailbot.core.subject.roster import Roster

_VERSION = re.compile(
    r"[（(【\[]?(?:第[一二三四五六\d]{1,2}[稿版]|(?:修改|修订|更正|更新|改正|订正|补充)(?:稿|版|后)?|定稿|终稿|最终版|[vV]\d{1,2})"
    r"\d{0,2}[）)】\]]?\s*$"
)
_VERSION_ANYWHERE = re.compile(
    r"修改稿|修订稿|更正稿|定稿|终稿|最终版|以此为准|以本(?:邮)?件为准|重新报送|重报|更正如下|替换(?:前|上)|作废|有误"
)
_MARK = re.compile(r"^\s*[【\[][^】\]]{1,8}[】\]]")
_NOT_WORD = re.compile(r"[\W_]+")
_EXTENSION = re.compile(
    r"\.(?:docx?|wps|pdf|ofd|txt|rtf|html?|eml|xlsx?|et|zip|rar|7z|jpe?g|png)$", re.I
)
_NUMBERING = re.compile(
    r"^\s*(?:附件)?\s*(?:[（(]?\s*(?:\d{1,2}|[一二三四五六七八九十]{1,3})\s*[）)]?\s*[.．、:：)）_\-—\s]\s*)"
    r"|^\s*附件\s*[:：_\-—]\s*"
)
_NO_TITLE = re.compile(
    r"^(?:附件|正文|文档|文稿|材料|稿件|扫描件?|新建.*|无标题|未命名|(?:政务)?信息|简讯|动态"
    r"|微信图片.*|mmexport.*|img.*|scan.*|wps文档|document|untitled|doc|file|\d+)?"
    r"\s*[(（]?\s*[\d_\-]*[一二三四五六七八九十]{0,3}\s*[)）]?$",
    re.I,
)
_SIGNED_COPY = re.compile(
    r"[（(【\[_\-—\s]*(?:盖章|签字|签批|审签|签发|扫描|已盖章|红头)(?:版|件|稿|页|单)*[）)】\]]?\s*$"
)
_PERIOD = re.compile(
    r"\d{4}年|\d{1,2}(?:月|日|季度|周|旬|号)|第?[\d一二三四五六七八九十]{1,4}(?:期|季度|周|批次?|轮|次|号)"
    r"|[一二三四五六七八九十]{1,2}月|[上中下](?:旬|半年|半月)|[（(][一二三四五六七八九十\d]{1,3}[)）]"
    r"|之[一二三四五六]|[上中下]篇"
)
_DIGITS = str.maketrans("一二三四五六七八九", "123456789")
_LONGEST = 200
_BEHIND_UNIT = "-_+—－＿＋:：、,，|｜ \u3000》】)）"
"""What parts a unit's name from the title in a file's name."""

OTHER_ISSUE = 0.5
"""Most that two titles are alike which name different months, issues or parts of a series."""


@lru_cache(maxsize=8192)
def normal_title(title: str) -> str:
    """A title reduced to what makes it this title: no widths, punctuation, marks or version."""
    text = unicodedata.normalize("NFKC", title[:_LONGEST])
    text = _MARK.sub("", text)
    text = _EXTENSION.sub("", text.strip())
    previous = None
    while previous != text:
        previous, text = text, _VERSION.sub("", text).rstrip()
    return _NOT_WORD.sub("", text).lower()


def similarity(a: str, b: str) -> float:
    """0 to 1; 1 for titles that are equal once normalised. 7月工作动态 and 8月工作动态 are two issues
    of one column, however few characters tell them apart."""
    x, y = normal_title(a), normal_title(b)
    if not x or not y:
        return 0.0
    if x == y:
        return 1.0
    ratio = SequenceMatcher(None, x, y, autojunk=False).ratio()
    return min(ratio, OTHER_ISSUE) if other_issue(a, b) else ratio


def other_issue(a: str, b: str) -> bool:
    """Does each title name a month, number or part that the other does not? 7月 and 2026年7月 agree."""
    x, y = _periods(a), _periods(b)
    return bool(x - y) and bool(y - x)


def same_numbers(a: str, b: str) -> bool:
    """Do the titles hold the same numerals, in whatever order?"""
    return sorted(re.findall(r"\d+", normal_title(a))) == sorted(
        re.findall(r"\d+", normal_title(b))
    )


def _periods(title: str) -> frozenset[str]:
    text = unicodedata.normalize("NFKC", title[:_LONGEST])
    return frozenset(_arabic(p.removeprefix("第")) for p in _PERIOD.findall(text))


def _arabic(text: str) -> str:
    """十二月 as 12月, so that two ways of writing one month do not look like two months."""
    text = re.sub(r"(?<![一二三四五六七八九])十(?=[一二三四五六七八九])", "1", text)
    text = re.sub(r"(?<=[一二三四五六七八九])十(?=[一二三四五六七八九])", "", text)
    return text.replace("十", "10").translate(_DIGITS)


def says_new_version(*texts: str) -> bool:
    """Does any text say that it replaces an earlier one (修改稿, 以此为准, （修改2）)?"""
    return any(
        _VERSION_ANYWHERE.search(t[:2000]) or _VERSION.search(t[:_LONGEST].strip())
        for t in texts
        if t
    )


def bare_copy_name(name: str) -> str:
    """A file name without what sets a signed or scanned copy apart from the text itself: 秋播.docx
    and 2.秋播（盖章版）.pdf give the same."""
    text = _EXTENSION.sub("", unicodedata.normalize("NFKC", name[:_LONGEST]).strip())
    return normal_title(_SIGNED_COPY.sub("", _NUMBERING.sub("", text)))


def title_from_file_name(name: str, roster: Roster) -> str:
    """The title a file name carries, or "" when it is a name like 附件1.docx or 新建文档.docx.

    Numbering (1. 附件2：), the extension and a leading unit name with its delimiter go; what is left
    keeps its punctuation as written (，stays full-width).
    """
    text = unicodedata.normalize("NFC", name[:_LONGEST]).strip()
    text = _EXTENSION.sub("", text)
    text = _NUMBERING.sub("", text).strip()
    names = sorted((n.text for u in roster.units for n in u.names), key=len, reverse=True)
    for prefix in (*roster.prefixes, ""):
        for unit_name in names:
            start = prefix + unit_name
            rest = text[len(start) :]
            if text.startswith(start) and rest[:1] and rest[0] in _BEHIND_UNIT:
                text = rest.lstrip(_BEHIND_UNIT)
                break
        else:
            continue
        break
    return "" if _NO_TITLE.match(text) else text.strip()
