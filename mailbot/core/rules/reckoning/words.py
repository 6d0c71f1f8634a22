"""The reason of an entry in the office's words. Only texts; nothing is decided here."""

from __future__ import annotations

from mailbot.core.rules.events import NAMES, Event, EventKind, Form, Outcome
from mailbot.core.rules.periods import Period
from mailbot.core.rules.quota import Owed
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Quota

_NO_PAPER = ("办", "厅", "室", "委", "院", "部", "府", "央")
"""A “journal” whose name ends so is an authority (国办采用): it takes no title marks."""


class Words:
    """Names as the office's data gives them; an id that it does not know stands for itself."""

    def __init__(self, book: OfficeBook) -> None:
        self._journals = {j.id: j.name for j in book.scoring.journals}
        self._levels = {level.id: level.name for level in book.scoring.levels}
        self._categories = {c.id: c.name for v in book.categories for c in v.categories}
        self._units = {u.id: u.name for u in book.roster.units}

    def unit(self, unit_id: str) -> str:
        return self._units.get(unit_id, unit_id)

    def journal(self, journal: str) -> str:
        name = self._journals.get(journal, journal)
        if not name:
            return ""  # the office names no journals
        return name if "《" in name or name.endswith(_NO_PAPER) else f"《{name}》"

    def event(self, event: Event, label: str = "") -> str:
        """What happened, with the title, and how many of it."""
        return (label or self._what(event)) + self._which(event)

    def _what(self, event: Event) -> str:
        level = self._levels.get(event.level, event.level)
        match event.kind:
            case EventKind.SUBMISSION:
                return f"报送{self._categories.get(event.category, event.category) or '信息'}"
            case EventKind.ADOPTION:
                form = "" if event.form is Form.FULL else NAMES[event.form]
                return f"{self.journal(event.journal)}采用{form}"
            case EventKind.INSTRUCTION:
                return f"{level if '领导' in level else level + '领导'}批示"
            case EventKind.FORWARDING:
                return f"转报{level}"
            case EventKind.COMMISSION:
                done = "完成" if event.outcome is Outcome.DONE else "未完成"
                return f"{done}{level}约稿"
            case EventKind.ERROR:
                return _error(event)
        outcome = f"（{NAMES[event.outcome]}）" if event.outcome else ""
        return NAMES[event.kind] + outcome

    @staticmethod
    def _which(event: Event) -> str:
        if event.title:
            return f"《{event.title.replace('《', '〈').replace('》', '〉')}》"
        match event.kind:
            case EventKind.SUBMISSION:
                return f" {event.times} 条"
            case EventKind.STAFF:
                return f" {event.times} 人"
            case EventKind.TRAINING:
                return f" {event.times} 人次"
        return f"（{event.item}）" if event.item else ""


def _error(event: Event) -> str:
    what = "重大信息" if event.major else ""
    how = "严重" if event.serious else ""
    fault = NAMES[event.fault] if event.fault else NAMES[event.kind]
    return what + how + fault + ("，造成不良后果" if event.bad_effect else "")


def short(period: Period) -> str:
    """Within its year: 8月, 第三季度, 上半年, 第32周; the year itself as 2026年."""
    return period.name.split("年", 1)[1] or period.name


def owed_text(quota: Quota, period: Period, owed: Owed) -> str:
    """8月报送信息 5 条，任务 8 条，少 3 条"""
    missing = f"，少 {owed.missing} 条" if owed.missing else ""
    return f"{short(period)}报送{quota.name} {owed.got} 条，任务 {owed.need} 条{missing}"
