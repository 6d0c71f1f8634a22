"""What stands in a subject and is no field: statements of number and month (7月信息3条), numbered
titles, marks, noise words, placeholders, and our own blanks left unfilled.

Each function looks at one piece of folded text and says whether it is wholly such a thing. Where
the pieces come from is `plain`'s business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HAN = "一二三四五六七八九十两"
_NUM = rf"(?:[0-9]{{1,2}}|[{_HAN}]{{1,3}})"
_WHEN = (
    rf"(?:(?:20)?[0-9]{{2}}年(?:度)?)?[ ]*(?:(?P<month>{_NUM})月(?:份)?|(?P<months>{_NUM}(?:月)?[-、至到和~]{_NUM}月(?:份)?)"
    r"|本月|当月|上月|今日|本周|本期)?[ ]*(?:上旬|中旬|下旬|上半月|下半月|第[一二三四1-4]周|第[一二三四五六1-6]批)?[ ]*(?:份)?"
)
_THING = (
    r"(?:上报|报送|呈报|投送|提供|报)?(?:的)?(?:政务|工作|党政|问题类?|动态类?|简讯类?|综合类?|党务|党建|税务|税收|农牧|民政|财政|司法|教育|交通|水利|审计|统计|信访)?(?:信息|简讯|简报|稿件|信息稿件|信息稿|材料)"
    r"(?:类)?(?:上报|报送|汇总|统计)?"
)
_UNITS = r"(?:条|篇|份|则|件)"
_SENT = r"(?:(?:报送|上报|呈报)(?:的)?)?"
_COUNTED = (
    re.compile(
        rf"{_SENT}{_WHEN}[ ]*{_THING}[ ,:、(\[-]*(?:共|合计|共计|计)?[ ]*(?P<count>{_NUM})[ ]*{_UNITS}[ )\]]*"
        rf"(?:[(\[](?P<after>{_NUM})月(?:份)?[)\]])?"
    ),
    re.compile(
        rf"{_SENT}{_WHEN}[ ]*(?:共|上报|报送)?[ ]*(?P<count>{_NUM})[ ]*{_UNITS}[ ]*{_THING}"
    ),
    re.compile(rf"{_WHEN}[ ]*(?:上报|报送)(?P<count>{_NUM})[ ]*{_UNITS}"),
)
_MONTHLY = re.compile(rf"(?:20[0-9]{{2}}年)?(?P<month>{_NUM})月(?:份)?{_THING}")


_INCLUDED = re.compile(r"[(\[,]?[ ]*(?:其中|含|包括)[^()\[\]]{1,16}[)\]]?$")
_AND = re.compile(r"[ ]*[、,;和及]+[ ]*")


@dataclass(frozen=True, slots=True)
class Statement:
    """So many items, of such a month (1..12); either may be unsaid."""

    count: int | None
    month: int | None


def statement(folded: str) -> Statement | None:
    """7月信息3条 / 7月3篇上报信息 / 7月份政务信息(3条) / 三条信息 / 7月政务信息 / 动态信息2篇、问题信息1篇
    (added up) / 信息4条（含问题类1条）, else None."""
    if not 3 <= len(folded) <= 40:
        return None
    folded = _INCLUDED.sub("", folded)
    if (whole := _counted(folded)) is not None:
        return whole
    parts = [_counted(p) for p in _AND.split(folded)]
    if len(parts) > 1 and all(p is not None for p in parts):
        known = [p for p in parts if p is not None]
        month = next((p.month for p in known if p.month), None)
        return Statement(sum(p.count or 0 for p in known), month)
    if (match := _MONTHLY.fullmatch(folded)) and 1 <= (month := _number(match["month"]) or 0) <= 12:
        return Statement(None, month)
    return None


def _counted(folded: str) -> Statement | None:
    for shape in _COUNTED:
        if match := shape.fullmatch(folded):
            after = match.groupdict().get("after")
            count, month = _number(match["count"]), _number(match["month"] or after)
            if count and (month is None or 1 <= month <= 12):
                return Statement(count, month)
    return None


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    value = {c: i for i, c in enumerate("一二三四五六七八九", 1)} | {"两": 2, "": 0}
    if not ten:
        return value.get(text)
    if tens not in value or ones not in value:
        return None
    return (value[tens] or 1) * 10 + value[ones]


_MARKERS = (
    re.compile(r"(?<![0-9.])([1-9])[ ]?[.、](?![0-9])"),
    re.compile(r"[(\[]([1-9])[)\]]"),
    re.compile(r"(?<![0-9])([1-9])[)](?![0-9])"),
    re.compile(r"([①②③④⑤⑥⑦⑧⑨])"),
    re.compile(r"(?<![一-鿿])([一二三四五六七八九])[、.]"),
    re.compile(r"\(([一二三四五六七八九])\)"),
)
_VALUE = {
    c: i for row in ("123456789", "①②③④⑤⑥⑦⑧⑨", "一二三四五六七八九") for i, c in enumerate(row, 1)
}


def numbered_titles(folded: str) -> tuple[tuple[int, int], ...]:
    """Spans of the single titles of a text such as `1.春耕进展 2.防疫情况` (numbers and delimiters
    left out); () unless it begins with number one and counts on without a gap."""
    for marker in _MARKERS:
        first = marker.match(folded)
        if not first or _VALUE[first.group(1)] != 1:
            continue
        marks = [first]
        for match in marker.finditer(folded, first.end()):
            if _VALUE[match.group(1)] == len(marks) + 1:
                marks.append(match)
        ends = [*(m.start() for m in marks[1:]), len(folded)]
        spans = []
        for mark, end in zip(marks, ends, strict=True):
            start = mark.end()
            while start < end and folded[start] in " .、:":
                start += 1
            while end > start and folded[end - 1] in " ,;、。+|/-_":
                end -= 1
            spans.append((start, end))
        if len(spans) >= 2 and all(end - start >= 2 for start, end in spans):
            return tuple(spans)
    return ()


_EXTENSION = re.compile(
    r"(?:[ ]*(?:\([0-9]{1,2}\))?\.(?:docx?|docm|wps|wpt|dotx?|rtf|txt|pdf|ofd|odt|xlsx?|et|csv|pptx?|dps|html?|zip|rar|7z|eml))+"
    r"[ ]*$"
)


def without_extension(folded: str, end: int) -> int:
    """Where the text up to `end` ends without the extension of a document."""
    match = _EXTENSION.search(folded[:end])
    return match.start() if match else end


_PLACEHOLDER = re.compile(
    r"[<(\[ ]*(?:无主题|无标题|没有主题|主题为空|空主题|空|无|none|null|nil|no[ ]?subject|untitled|未命名|未命名文档|无题|"
    r"新建(?:[ ]?microsoft)?(?:[ ]?(?:office)?[ ]?(?:word|wps|docx?))?[ ]?(?:文档|文件|邮件)|文档[0-9]{0,2}|附件[0-9]{0,2}|"
    r"document[0-9]{0,2}|邮件|信件|subject|主题|标题|见附件|如题|[x×*?○〇]{2,20}|某{2,10})[>)\] ]*"
)


def is_placeholder(folded: str) -> bool:
    """(无主题), 无标题, (no subject), 新建 Microsoft Word 文档, XXXX, 某某某: what programs and hurried
    people write, or leave of a pattern, where a subject or a field should be."""
    return _PLACEHOLDER.fullmatch(folded) is not None


BLANK = re.compile(
    r"[(\[]?[ ]*请填(?:写|报送单位|信息标题|报送人|联系方式|单位|标题)[^()\[\]]{0,80}[)\]]?"
)
"""A blank of the corrected line which nobody filled in (folded): （请填报送人）."""


ATTRIBUTE = re.compile(
    r"(?:[0-9]{4}级|[0-9]{2,4}届|[一二三四五六]年级|大[一二三四五]|研[一二三]|高[一二三]|初[一二三]|博士|硕士|本科|大专|专科|研究生|是|否|"
    r"(?:20)?[0-9]{2}年(?:[0-9]{1,2}月(?:[0-9]{1,2}[日号])?(?:上旬|中旬|下旬)?)?|[0-9]{1,2}月(?:份|[0-9]{1,2}[日号]|上旬|中旬|下旬)?|"
    r"[0-9]{1,3}年|(?:19|20)[0-9]{2}[-./]?[01]?[0-9](?:[-./]?[0-3]?[0-9])?|第[0-9一二三四五六七八九十]{1,4}[期号]|"
    r"(?:传真|fax|qq|微信|邮编)[ :]*[0-9a-z-]+|(?:20)?[0-9]{2}年第[0-9一二三四五六七八九十]{1,4}[期号]|"
    r"[a-z]{0,4}[0-9][0-9 x.-]*|附件[0-9]*|word版?|终稿|定稿|修改稿|已签批|盖章|(?:19|20)[0-9]{2})"
)
"""A piece by itself that says something about the mail but is no title: a date, a year, a bare
number, a class, a degree (folded)."""


EVENT = re.compile(
    r"(?:议|大|进|谈|训|彰|度|员|署|场|流|讨|告|布|动|席|题|工作|析|结|长|聘|面|乐|览|销|洽|听证|审|调|头|党|生活|民主|讲|摩|唱|"
    r"晚|年|例|话|接|介|商|视频|运动)会$"
)
"""推进会, 座谈会, 晚会: how a title about a meeting ends, which is no body's name."""


COURTESY = re.compile(
    r"(?:敬?请|望|恳请)?(?:您|领导|各位领导)?(?:予以)?(?:查收|查阅|审阅|审核|审定|审批|采纳|采用|指正|批评指正|斧正|阅示|阅处|知悉)(?:谢谢)?[!。]*"
    r"|(?:非常)?(?:谢谢|感谢|多谢)(?:您|老师|领导)?[!。]*|辛苦了[!。]*|已(?:经)?(?:审核|审批|签批|校对|盖章|领导审核|报备)(?:通过)?"
    r"|(?:您好|你好|领导好|老师好)[!。]*|(?:重发|重新报送|再次报送|补发|补报|重报|更正|更正稿|以此为准|以此件为准|请以此为准|撤回前稿|最新版)"
    r"|(?:来自|发自|由).{0,12}(?:邮箱|iphone|手机|客户端|foxmail|安卓|android|华为|小米|ipad|mail).{0,6}"
)
"""What people and programs add to a line and is no field: 请查收, 重新报送, 来自网易邮箱 (folded)."""


_MARK_TAILS = ("", "类", "信息", "类信息", "稿", "稿件", "类稿件")
_ALWAYS_MARKS = frozenset({"紧急", "加急", "特急", "急", "急件"})


def mark_of(folded: str, marks: frozenset[str]) -> bool:
    """Whether the text is a declared mark, perhaps with 类, 信息 or 稿 after it. `marks` folded."""
    word = folded.strip()
    if word in _ALWAYS_MARKS:
        return True
    return any(word.endswith(t) and word[: len(word) - len(t)] in marks for t in _MARK_TAILS)
