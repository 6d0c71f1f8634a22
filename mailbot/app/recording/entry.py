"""One entry on its way from answers to a record or an item: what is known of it so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mailbot.app.errors import Fault
from mailbot.app.recording.forms import Answers
from mailbot.app.recording.tell import as_event, to_facts
from mailbot.app.recording.values import Wrong
from mailbot.app.records import ItemRow, NewRecord
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.events import Event
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.versions import book_start
from mailbot.core.subject.roster import Unit

T = TypeVar("T")


@dataclass(slots=True)
class Checked:
    """What an entry means. `facts` are fields of `Event`, still typed."""

    answers: Answers
    unit: Unit | None = None
    item: ItemRow | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    dateless: bool = False
    """Its day is at fault; today stands in for it."""

    @property
    def faults(self) -> list[Fault]:
        return self.answers.faults

    def fault(self, key: str, found: str, remedy: str) -> None:
        self.answers.fault(key, found, remedy)

    def record(self, office: str, source: str) -> NewRecord:
        answers = self.answers
        return NewRecord(
            office=office,
            kind=answers.kind,
            unit_id=self.unit.id if self.unit else "",
            day=answers.day,
            item_id=self.item.id if self.item else None,
            facts=to_facts(self.facts),
            reason=answers.text("reason"),
            evidence=answers.text("evidence"),
            source=source,
        )

    def event(self, event_id: str) -> Event:
        """As the rules will see it; with faults, as far as it is known."""
        return as_event(self.record("", ""), event_id, self.item)


def no_rule(missing: NoRuleInForce, book: OfficeBook) -> tuple[str, str]:
    """What was found and what to do, in the office's words."""
    start = book_start(book)
    begins = (
        f"规则从 {start} 起；核对日期"
        if start and missing.day < start
        else "核对这一行；规则没有漏写时请本室补上"
    )
    return f"{missing.office}：{missing.day} 没有适用的规则（{missing.rule}）", begins


def look(found: Checked, key: str, how: Callable[[], T]) -> T | None:
    try:
        return how()
    except Wrong as wrong:
        found.fault(key, wrong.found, wrong.remedy)
    except NoRuleInForce as missing:
        found.fault(
            key, f"{missing.office}：{missing.day} 没有适用的规则（{missing.rule}）", "核对日期"
        )
    return None
