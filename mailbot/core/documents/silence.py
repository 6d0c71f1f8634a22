"""What a document says where part of its period was over before anything was recorded here: neither
that a unit was silent then, nor that none was."""

from __future__ import annotations

from mailbot.core.documents.ground import Ground
from mailbot.core.duties.model import Part, Section
from mailbot.core.rules.scorebook import ListKind

_OF_SILENCE = (ListKind.NO_SUBMISSION, ListKind.NO_ADOPTION, ListKind.SHORT)


def tells_of_silence(section: Section, ground: Ground) -> bool:
    """Does it name units for what they did not send?"""
    if section.part is Part.QUOTAS:
        return True
    if section.part is not Part.LISTS:
        return False
    shown = {one.id for one in ground.material.standings.lists}
    shown &= set(section.lists or shown)
    return any(one.kind in _OF_SILENCE for one in ground.book.scoring.lists if one.id in shown)


def unrecorded(ground: Ground) -> str:
    """A sentence; empty where all of the period was recorded."""
    period, began = ground.period, ground.material.began
    if began is None or period.first >= began.replace(day=1):
        return ""
    when = period.name if period.last < began else f"{began.year}年{began.month}月以前"
    return f"{when}没有登记信息，缺报、未报送和无采用的情况未作统计。"
