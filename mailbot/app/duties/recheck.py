"""Is a letter that waits in the outbox still wanted? Asked just before it is sent.

A reminder is queued in the morning and sent when its turn comes; in between the unit may have sent
what it owed. One look at one unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mailbot.app.duties.quotas import QuotaView, quotas_of
from mailbot.app.duties.task_letters import CALLED
from mailbot.app.duties.taskstages import due_day
from mailbot.app.duties.waiting import given, waiting
from mailbot.app.ports import Store
from mailbot.app.records import Outgoing
from mailbot.core.duties.model import LetterRule
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.periods import Period, day_of
from mailbot.core.rules.rulebook import OfficeBook

_DUTY = "duty:"


class Recheck:
    """Of reminders of quotas, tasks and commissions; any other letter stays wanted."""

    def __init__(self, *, store: Store, books: Mapping[str, OfficeBook]) -> None:
        self._store, self._books = store, books

    def still_short(self, letter: Outgoing, now: datetime) -> str:
        """Why it is no longer wanted, in Chinese; "" when it is, or when that can no longer
        be said."""
        if letter.kind not in (LetterKind.REMINDER, LetterKind.TASKS):
            return ""
        book = self._books.get(letter.office)
        parts = letter.about.removeprefix(_DUTY).split(":")
        if book is None or not letter.about.startswith(_DUTY) or len(parts) != 4:
            return ""
        rule = next((r for r in book.letters.letters if r.id == parts[0]), None)
        if rule is None:
            return ""  # renamed since; what it says still holds
        if letter.kind == LetterKind.TASKS:
            return self._tasks(book, rule, parts[2], letter.unit_id, now)
        return self._quotas(book, rule, Period.parse(parts[2]), letter.unit_id, now)

    def _quotas(
        self, book: OfficeBook, rule: LetterRule, period: Period, unit_id: str, now: datetime
    ) -> str:
        unit = next((u for u in book.roster.units if u.id == unit_id), None)
        quotas = quotas_of(book, rule)
        if unit is None or not quotas:
            return "单位或报送任务已不在数据里"
        with self._store.reading() as reads:
            view = QuotaView(reads, book, quotas, period, day_of(now), unit_id)
            try:
                one = view.of(unit)
            except NoRuleInForce:
                return ""  # the office's data has changed since: what was reckoned then holds
        if one is None:
            return "本期已没有报送任务"
        return "" if one.short else "基础条数已完成"

    def _tasks(
        self, book: OfficeBook, rule: LetterRule, about: str, unit_id: str, now: datetime
    ) -> str:
        due = due_day(about)
        with self._store.reading() as reads:
            known = given(reads, book, rule.kind, unit_id)
            left = waiting(reads, book, rule.kind, known, day_of(now), unit_id)
        return "" if any(g.due == due for g in left) else f"{CALLED[rule.kind]}已完成"
