"""Titles compared and taken from file names.

Two titles are the same item's when they differ only in punctuation, widths, version words or a
category mark; `similarity` is for everything softer.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

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
)
_NO_TITLE = re.compile(
    r"^(?:附件|正文|文档|新建.*|无标题|未命名|信息|document|untitled|doc|file|\d+)?\s*\d*$", re.I
)
_LONGEST = 200


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
    """0 to 1; 1 for titles that are equal once normalised."""
    x, y = normal_title(a), normal_title(b)
    if not x or not y:
        return 0.0
    return 1.0 if x == y else SequenceMatcher(None, x, y, autojunk=False).ratio()


def says_new_version(*texts: str) -> bool:
    """Does any text say that it replaces an earlier one (修改稿, 以此为准, （修改2）)?"""
    return any(
        _VERSION_ANYWHERE.search(t[:2000]) or _VERSION.search(t[:_LONGEST].strip())
        for t in texts
        if t
    )


def title_from_file_name(name: str, roster: Roster) -> str:
    """The title a file name carries, or "" when it is a name like 附件1.docx or 新建文档.docx.

    Numbering (1. 附件2：), the extension and a leading unit name with its delimiter go.
    """
    text = unicodedata.normalize("NFKC", name[:_LONGEST]).strip()
    text = _EXTENSION.sub("", text)
    text = _NUMBERING.sub("", text).strip()
    names = sorted((n.text for u in roster.units for n in u.names), key=len, reverse=True)
    for prefix in (*roster.prefixes, ""):
        for unit_name in names:
            start = prefix + unit_name
            rest = text[len(start) :]
            if text.startswith(start) and rest[:1] and rest[0] in "-_+—－:：、,， 》】)）":
                text = rest.lstrip("-_+—－:：、,， 》】)）")
                break
        else:
            continue
        break
    return "" if _NO_TITLE.match(text) else text.strip()
