"""Labelled fields: 报送单位：… 信息标题：… 报送人：… 联系方式：…

Finds the labels of a folded line and cuts it at them. The words are those of the convention and
those people write instead; a label counts only with its colon and where a word begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Label(Enum):
    UNIT = "unit"
    TITLE = "title"
    SUBMITTER = "submitter"
    PERSON = "person"
    """联系人: the submitter unless 报送人 or an author is named too."""
    CONTACT = "contact"
    MARK = "mark"
    OTHER = "other"
    """Somebody or something that is none of the four: 审核人, 来源, 传真."""


_WORDS: dict[Label, tuple[str, ...]] = {
    Label.UNIT: (
        "报送单位名称", "信息报送单位", "报送单位", "上报单位", "供稿单位", "来稿单位", "投稿单位", "填报单位", "单位名称",
        "报送部门", "所在单位", "报送机构", "信息来源单位", "单位", "部门",
    ),
    Label.TITLE: (
        "信息标题", "信息题目", "信息名称", "文章标题", "稿件标题", "稿件名称", "信息主题", "标题", "题目", "题名", "主题", "内容",
    ),
    Label.SUBMITTER: (
        "信息报送人", "报送人姓名", "报送人员", "报送人", "上报人", "报送者", "填报人", "供稿人", "撰稿人", "投稿人", "作者姓名",
        "作者", "撰稿", "供稿", "信息员", "通讯员", "撰写人", "执笔人", "执笔", "起草人", "姓名",
    ),
    Label.PERSON: ("联系人姓名", "联系人", "经办人", "联络人", "联络员"),
    Label.CONTACT: (
        "联系方式", "联系电话", "联系手机", "报送人电话", "办公电话", "电话号码", "手机号码", "移动电话", "固定电话", "手机号",
        "手机", "电话", "座机", "固话", "tel", "phone", "mobile",
    ),
    Label.MARK: ("信息类别", "信息类型", "信息种类", "类别", "类型", "种类", "栏目"),
    Label.OTHER: (
        "审核人", "审核", "审签人", "审签", "签发人", "签发", "审批", "核稿", "校对", "分管领导", "负责人", "来源", "获取途径", "日期",
        "时间", "报送时间", "报送日期", "传真", "邮箱", "电子邮箱", "e-mail", "email", "备注", "附件", "地址", "邮编", "编号", "期数",
    ),
}  # fmt: skip
_KIND = {word: kind for kind, words in _WORDS.items() for word in words}
_ALTERNATIVES = "|".join(re.escape(w) for w in sorted(_KIND, key=len, reverse=True))
_BOTH = (
    "(?:"
    + "|".join(sorted((*_WORDS[Label.SUBMITTER], *_WORDS[Label.PERSON]), key=len, reverse=True))
    + ")(?:及其|及|和|与|、|/|,|&)?(?:"
    + "|".join(sorted(_WORDS[Label.CONTACT], key=len, reverse=True))
    + ")"
)
"""联系人及电话: one label for both; what stands under it is read for both."""
_LABEL = re.compile(rf"[(\[]?[ ]*({_BOTH}|{_ALTERNATIVES})[ ]*[)\]]?[ ]*:[ ]*")
_BARE = re.compile(
    r"(报送单位|上报单位|供稿单位|信息标题|信息题目|报送人姓名|报送人|上报人|供稿人|撰稿人|投稿人|作者|信息员|通讯员|撰稿|联系人|经办人|审核人|审核)"
)
_FIRST = (Label.UNIT, Label.SUBMITTER, Label.CONTACT)


@dataclass(frozen=True, slots=True)
class Segment:
    """Text `start`..`end` of the line under a label; None before the first one."""

    label: Label | None
    start: int
    end: int
    last: bool
    """Nothing follows: its trailing punctuation is its own."""


def label_segments(folded: str, skip: list[bool], starts: set[int]) -> list[Segment]:
    """The line cut at its labels. Labels inside `skip` (quotes) do not count, nor a second label
    of a kind already seen: it belongs to the value. Once unit, submitter and contact have stood
    before the title, the title runs to the end of the line, whatever stands in it; this is how
    `form.format_subject` writes a title that itself contains labels. `starts` are positions where a
    word may begin although text stands directly before (after a unit's name)."""
    found: list[tuple[Label, int, int]] = []
    seen: set[Label] = set()
    at = 0
    while match := _LABEL.search(folded, at):
        word = match.start(1)
        at = match.end()
        kind = _KIND.get(match.group(1), Label.PERSON)
        if skip[word] or not _begins(folded, match.start(), word, len(match.group(1)), starts):
            at = match.start() + 1 if skip[word] else match.end()
            continue
        if kind in seen and kind not in (Label.CONTACT, Label.OTHER):
            continue
        if kind is Label.CONTACT and found and found[-1][0] is Label.CONTACT:
            continue
        found.append((kind, match.start(), match.end()))
        seen.add(kind)
        if kind is Label.TITLE and all(k in seen for k in _FIRST):
            break
    if not found:
        return []
    segments = [Segment(None, 0, found[0][1], last=False)] if found[0][1] else []
    for (kind, _, start), following in zip(found, [*found[1:], None], strict=True):
        end = following[1] if following else len(folded)
        segments.append(Segment(kind, start, end, last=following is None))
    return segments


def mentions_label(folded: str) -> bool:
    """Whether a label with its colon stands anywhere in the text, begun as a word or not."""
    return _LABEL.search(folded) is not None


def bare_label(folded: str) -> tuple[Label, int] | None:
    """A label without its colon at the beginning of a piece (报送人张三): its kind and length."""
    match = _BARE.match(folded)
    return (_KIND[match.group(1)], match.end()) if match else None


def is_label(folded: str) -> Label | None:
    """The label that is the whole of a piece (报送人, between two delimiters)."""
    return _KIND.get(folded)


def _begins(folded: str, at: int, word: int, size: int, starts: set[int]) -> bool:
    """A label begins where no word runs into it; long labels (报送单位) anywhere. `at` is where
    the blanks or the bracket before the `word` begin."""
    if word == 0 or at in starts or word in starts or size >= 4:
        return True
    before = folded[word - 1]
    return not (before.isalnum() or before == "的") or before.isdigit()
