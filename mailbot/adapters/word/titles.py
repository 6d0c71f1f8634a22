"""Where a long title is broken: words whole, lines of like length (GB/T 9704—2012, 7.3.1: 词意完整，
排列对称，长短适宜).

Without a dictionary of Chinese: a few words that titles of notices are made of are never cut, a
line begins with 关于 where that fits and never with 的 or a closing mark.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise

from mailbot.adapters.word.measure import width

ROOM = 20
"""Characters of 22 pt in 156 mm."""

_EXTRA_LINE = 15.0
"""What a line more than necessary costs."""
_WHOLE = re.compile(
    r"政务信息|政务公开|重要信息|舆情|要情专报|信息|报送|采用|情况|工作|考核|评价|评优|评选|结果|通报"
    r"|通知|告知书|提醒|建议|名单|一览表|台账|先进|单位|个人|直报点|调整|表扬|约稿|约谈|整改|落实"
    r"|人民政府|办公室|办公厅|委员会|管委会|管理局|街道|开发区|示范区|工业区|年度|半年|季度|月份|全[省市县区旗]"
    r"|\d+年(?:第[一二三四]季度|[上下]半年|度|\d+月份?|[一二三四]季度)?|第[一二三四]季度|关于"
    r"|《[^》]{1,18}》|（[^）]{1,14}）|“[^”]{1,14}”|[!-~]+"
)
_NOT_FIRST = frozenset("的了及与和、，。；：！？）》”’〕】")
_NOT_LAST = frozenset("（《“‘〔【第")
_AFTER = frozenset("室厅局委会处府镇度月、，》”")
"""A break behind these is a good one."""


def title_lines(title: str, room: int = ROOM) -> list[str]:
    """The title as lines of at most `room` characters."""
    total = width(title)
    if total <= room:
        return [title]
    count = math.ceil(total / room)
    few, many = _split(title, count, room), _split(title, count + 1, room)
    if few is None and many is None:
        return [title]  # no good place to break: the word processor finds one
    if few is None or (many is not None and many[0] + _EXTRA_LINE < few[0]):
        few = many
    assert few is not None
    return few[1]


def _split(title: str, count: int, room: int) -> tuple[float, list[str]] | None:
    """The cheapest way into `count` lines, and what it costs; None where none fits."""
    costs = _break_costs(title)
    ideal = width(title) / count
    places = [0, *(i for i in range(1, len(title)) if costs[i] < math.inf), len(title)]
    before = [0.0]
    for char in title:
        before.append(before[-1] + width(char))
    best: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}
    for _ in range(count):
        following: dict[int, tuple[float, list[int]]] = {}
        for start, (cost, cuts) in best.items():
            for end in places:
                size = before[end] - before[start]
                if end <= start or size > room:
                    continue
                total = cost + (size - ideal) ** 2 + (costs[end] if end < len(title) else 0.0)
                if end not in following or total < following[end][0]:
                    following[end] = (total, [*cuts, end])
        best = following
    if len(title) not in best:
        return None
    cost, cuts = best[len(title)]
    return cost, [title[a:b].strip() for a, b in pairwise([0, *cuts])]


def _break_costs(title: str) -> list[float]:
    """What a break before each character costs; infinite inside a word."""
    costs = [12.0] * len(title)
    for i, (last, first) in enumerate(pairwise(title), 1):
        if first in _NOT_FIRST or last in _NOT_LAST:
            costs[i] = math.inf
        elif title.startswith("关于", i):
            costs[i] = -40.0
        elif last in _AFTER or last == "的":
            costs[i] = 2.0
    for word in _WHOLE.finditer(title):
        if word.end() - word.start() > 1:
            costs[word.start() + 1 : word.end()] = [math.inf] * (word.end() - word.start() - 1)
            if word.start() and costs[word.start()] == 12.0:
                costs[word.start()] = 4.0
            if word.end() < len(title) and costs[word.end()] == 12.0:
                costs[word.end()] = 4.0
    return costs
