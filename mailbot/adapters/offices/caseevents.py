"""Reads the events of a case (`[[case.event]]`): what a record or a mail would have said.

Keys are the fields of `core.rules.events.Event`; which of them an event may and must have follows
from its kind. A submission that was `corrected` counts in the month the office's rules give it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from mailbot.adapters.offices.casenames import Names
from mailbot.adapters.offices.rulewords import CONDITIONS, FLAGS, OUTCOMES
from mailbot.adapters.offices.tablereader import Table, nearest
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.events import (
    NAMES,
    Event,
    EventKind,
    Fault,
    Form,
    Outcome,
    Signer,
    UnitStatus,
    units_of,
)
from mailbot.core.rules.periods import WorkingDay, working_days_after
from mailbot.core.rules.scorebook import ListKind

ALWAYS = ("id", "unit", "kind", "day", "title", "recorded", "by", "reason", "evidence")
_ITEM = ("item", "times", "partners", "shares")
EXTRA: dict[EventKind, tuple[str, ...]] = {
    EventKind.SUBMISSION: (*_ITEM, "corrected"),
    EventKind.ADOPTION: _ITEM,
    EventKind.INSTRUCTION: _ITEM,
    EventKind.FORWARDING: _ITEM,
    EventKind.COMMISSION: (*_ITEM, "about"),
    EventKind.STAFF: ("times",),
    EventKind.TRAINING: ("times",),
    EventKind.JOINT_RESEARCH: _ITEM,
    EventKind.FILING: ("item",),
    EventKind.ERROR: ("item", "times", "people"),
    EventKind.EXPLANATION: ("about", "accepted", "signer"),
    EventKind.MANUAL: ("item", "rule", "points"),
    EventKind.MENTION: ("item", "rule", "people"),
    EventKind.STATUS: ("status",),
    EventKind.TASK: ("item", "due"),
    EventKind.TASK_DONE: ("item",),
    EventKind.ASSIGNMENT: ("item", "due", "level"),
}
"""What an event may say beside the conditions that rules ask for (`CONDITIONS`)."""
REQUIRED: dict[EventKind, tuple[str, ...]] = {
    EventKind.ADOPTION: ("journal",),
    EventKind.INSTRUCTION: ("level",),
    EventKind.FORWARDING: ("level",),
    EventKind.COMMISSION: ("outcome",),
    EventKind.ERROR: ("fault",),
    EventKind.EXPLANATION: ("about", "signer"),
    EventKind.MANUAL: ("rule", "points", "reason"),
    EventKind.MENTION: ("rule",),
    EventKind.STATUS: ("status",),
    EventKind.TASK: ("item",),
    EventKind.TASK_DONE: ("item",),
    EventKind.ASSIGNMENT: ("title",),
}
MOST_TIMES = 100_000
WHOLE = Decimal(1)


def _ordered_as(kind: EventKind) -> EventKind:
    """A commission is given by the levels that it is finished for."""
    return EventKind.COMMISSION if kind is EventKind.ASSIGNMENT else kind


@dataclass
class Reader:
    """Reads one case's events in their order."""

    names: Names
    is_working_day: WorkingDay
    events: list[Event] = field(default_factory=list)

    def read(self, tables: list[Table]) -> tuple[Event, ...]:
        explanations: list[tuple[Table, Event]] = []
        for number, table in enumerate(tables, 1):
            event = self._event(table, number)
            if event is not None:
                self.events.append(event)
                if event.kind is EventKind.EXPLANATION:
                    explanations.append((table, event))
            table.close()
        self._check_explanations(explanations)
        return self._with_their_items()

    def _check_explanations(self, told: list[tuple[Table, Event]]) -> None:
        """Of something in the case, by a unit that it is about: nobody answers for others."""
        known = {e.id: e for e in self.events}
        for table, event in told:
            explained = known.get(event.about)
            if explained is None and event.about:
                found = f"没有 id 是“{event.about}”的事项"
                table.fault("about", found, nearest(event.about, known))
            elif explained is not None and event.unit not in units_of(explained):
                found = f"“{event.about}”不是“{table.data.get('unit')}”的事"
                table.fault("about", found, "说明由各单位自己写")

    def _with_their_items(self) -> tuple[Event, ...]:
        """What is about an item has the item's category, and whether it was commissioned."""
        items = {e.item: e for e in self.events if e.kind is EventKind.SUBMISSION and e.item}
        found = []
        for event in self.events:
            own = items.get(event.item)
            if own is not None and event.kind is not EventKind.SUBMISSION:
                event = replace(
                    event,
                    category=event.category or own.category,
                    commissioned=event.commissioned or own.commissioned,
                )
            found.append(event)
        return tuple(found)

    def _event(self, table: Table, number: int) -> Event | None:
        kind_word = table.choice("kind", EventKind)
        if table.data.get("kind") != kind_word:
            table.forgive()  # which keys it may have depends on the kind
            return None
        kind = EventKind(kind_word)
        self._check_keys(table, kind)
        day = table.recent_day("day")
        word = table.text("unit")
        if day is None:
            return None  # names cannot be judged without the day
        unit = self.names.unit(table, "unit", word, day)
        name = table.identifier("id") if "id" in table.data else f"event-{number}"
        if name in {e.id for e in self.events}:
            table.fault("id", f"“{name}”写了两次", "每件事的 id 各不相同")
        event = Event(id=name, kind=kind, unit=unit, day=day)
        event = self._told(table, event)
        event = self._judged(table, event)
        event = self._special(table, event)
        self._check_task(table, event)
        if event.times > 1 and event.item:
            table.fault("times", "既写了 item 又写了 times", "合在一起写的几条没有 item，分开写")
        return self._counted(table, event)

    def _check_keys(self, table: Table, kind: EventKind) -> None:
        usable = (*ALWAYS, *CONDITIONS.get(kind, ()), *EXTRA[kind])
        for key in table.data:
            if key not in usable:
                what = f"{NAMES[kind.value]}（{kind.value}）没有 {key} 这一项"
                table.fault(key, what, nearest(key, usable, "可以写"))
        for key in REQUIRED.get(kind, ()):
            if key not in table.data:
                what = f"{NAMES[kind.value]}（{kind.value}）缺少 {key}"
                table.fault(key, what, f"补上 {key}")
        table.forgive()

    def _told(self, table: Table, event: Event) -> Event:
        """What any event may say."""
        partners = tuple(
            found
            for word in table.texts("partners")
            if (found := self.names.unit(table, "partners", word, event.day))
        )
        if event.unit and event.unit in partners:
            table.fault("partners", f"“{event.unit}”是它自己", "只写其他单位")
        return replace(
            event,
            item=table.text("item", ""),
            title=table.text("title", ""),
            times=table.number("times", 1, least=1, most=MOST_TIMES),
            partners=partners,
            shares=self._shares(table, event, partners),
            recorded=table.recent_day("recorded", required=False),
            by=table.text("by", ""),
            reason=table.text("reason", ""),
            evidence=table.text("evidence", ""),
            people=table.texts("people"),
        )

    def _judged(self, table: Table, event: Event) -> Event:
        """What rules ask for."""
        flags: dict[str, Any] = {name: table.flag(name) for name in FLAGS}
        outcomes = OUTCOMES.get(event.kind, tuple(Outcome))
        return replace(
            event,
            category=self._category(table, event),
            form=Form(table.choice("form", Form, Form.FULL.value)),
            journal=self.names.journal(table) if "journal" in table.data else "",
            level=self.names.level(table, _ordered_as(event.kind)) if "level" in table.data else "",
            outcome=(
                Outcome(table.choice("outcome", outcomes)) if "outcome" in table.data else None
            ),
            fault=Fault(table.choice("fault", Fault)) if "fault" in table.data else None,
            **flags,
        )

    def _special(self, table: Table, event: Event) -> Event:
        """What only one kind of event says."""
        return replace(
            event,
            rule=self._rule(table, event.kind) if "rule" in table.data else "",
            points=table.decimal("points", required=False),
            about=table.text("about", ""),
            accepted=table.flag("accepted"),
            signer=Signer(table.choice("signer", Signer)) if "signer" in table.data else None,
            status=(
                UnitStatus(table.choice("status", UnitStatus)) if "status" in table.data else None
            ),
            due=table.recent_day("due", required=False),
        )

    def _check_task(self, table: Table, event: Event) -> None:
        """A task is one of the plan's, or one of another ledger, which then has a title."""
        ledger = [t.id for t in self.names.book.scoring.tasks]
        if event.kind is EventKind.TASK and ledger and event.item not in ledger:
            if event.item and not event.title:
                found = f"tasks.toml 里没有任务“{event.item}”"
                table.fault("item", found, f"{nearest(event.item, ledger)} 另立的台账要写 title")
        elif event.kind is EventKind.TASK_DONE and event.item not in ledger:
            given = [e.item for e in self.events if e.kind is EventKind.TASK]
            if event.item and event.item not in given:
                table.fault("item", f"前面没有交办任务“{event.item}”", nearest(event.item, given))

    def _category(self, table: Table, event: Event) -> str:
        if "category" in table.data:
            return self.names.category(table, event.day)
        if event.kind is not EventKind.SUBMISSION:
            return ""
        held = in_force(self.names.book.categories, event.day)
        return held.default if held is not None else ""  # as intake does

    def _rule(self, table: Table, kind: EventKind) -> str:
        word = table.text("rule")
        scoring = self.names.book.scoring
        if kind is EventKind.MANUAL:
            options = [r.id for r in scoring.rules if r.kind == "manual"]
            what = "人工记分规则（manual）"
        else:
            options = [r.id for r in scoring.lists if r.kind is ListKind.MENTIONED]
            what = "由人列入的名单（mentioned）"
        if word and word not in options:
            remedy = nearest(word, options) if options else "这个办公室没有这样的规则"
            table.fault("rule", f"没有这个{what}“{word}”", remedy)
        return word

    def _shares(
        self, table: Table, event: Event, partners: tuple[str, ...]
    ) -> tuple[tuple[str, Decimal], ...]:
        if "shares" not in table.data:
            return ()
        inner = table.table("shares")
        before = len(table.source.faults)
        shares: dict[str, Decimal] = {}
        for word in inner.data:
            share = inner.decimal(word, least=0, most=1)
            unit = self.names.unit(inner, word, word, event.day)
            if unit and unit not in (event.unit, *partners):
                inner.fault(word, "不在联合单位里", "在 partners 里加上它")
            shares[unit] = share if share is not None else Decimal(0)
        total = sum(shares.values(), Decimal(0))
        if len(table.source.faults) == before and total != WHOLE:
            table.fault("shares", f"各份加起来是 {total}", "加起来要正好是 1")
        return tuple(shares.items())

    def _counted(self, table: Table, event: Event) -> Event:
        """A corrected submission counts in the month of its first mail when it was corrected in
        time, else in that of the correction; until the correction it was not there."""
        corrected = table.recent_day("corrected", required=False)
        if corrected is None or event.kind is not EventKind.SUBMISSION:
            return event
        if corrected < event.day:
            table.fault("corrected", f"更正 {corrected} 早于报送 {event.day}", "核对日期")
            return event
        in_time = working_days_after(
            event.day, self.names.book.limits.correction_days, self.is_working_day
        )
        counts_first = corrected <= in_time or corrected.replace(day=1) == event.day.replace(day=1)
        day = event.day if counts_first else corrected
        return replace(event, day=day, recorded=event.recorded or corrected)
