"""What happened, as far as rules may ask: items submitted, adopted, praised, and everything else
that an office's document gives or takes points for.

An event is a value; nothing here knows what it is worth. The closed lists below are the words that
rule data, imports and case files may use.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum


class EventKind(StrEnum):
    """The closed list of events. The Chinese words are `NAMES`."""

    SUBMISSION = "submission"
    """An item received, by mail or through another channel. Counts in its counting month."""
    ADOPTION = "adoption"
    """An item printed by a journal (`journal`, `form`)."""
    INSTRUCTION = "instruction"
    """A leader's written comment on an item (`level`)."""
    FORWARDING = "forwarding"
    """An item the office sent up to `level` (转报)."""
    COMMISSION = "commission"
    """A commission that is finished: `outcome` done or missed, ordered by `level`."""
    STAFF = "staff"
    """Full-time officers beyond the required one, `times` of them, as the office confirmed."""
    TRAINING = "training"
    """以干代训, `times` person-times."""
    JOINT_RESEARCH = "joint_research"
    FILING = "filing"
    """The unit's own information rules, filed or confirmed."""
    ERROR = "error"
    """A person's finding against a report: `fault`."""
    EXPLANATION = "explanation"
    """A signed explanation of the event `about`: `accepted` or not, by a `signer`."""
    MANUAL = "manual"
    """Points a person sets by the rule `rule`, within its range, with reason."""
    MENTION = "mention"
    """A person puts the unit on the list `rule` of a notice, with reason."""
    STATUS = "status"
    """From this day the unit is `status`."""
    TASK = "task"
    """A task of a ledger given to the unit; `item` is the task's id, `due` its day if it has one."""
    TASK_DONE = "task_done"
    """The task `item` is finished."""
    ASSIGNMENT = "assignment"
    """A commission given to the unit: `title` is its topic, `item` its number, `due` its day,
    `level` who ordered it. A `COMMISSION` finishes it (`assignments`). No rule looks at it."""


class Form(StrEnum):
    """How a journal printed an item."""

    FULL = "full"
    BRIEF = "brief"
    ROUNDUP = "roundup"
    SPECIAL = "special"


class Outcome(StrEnum):
    """Of a commission: done on time and as ordered, or not. Of a finished task (`TASK_DONE`): set
    from its due day."""

    DONE = "done"
    MISSED = "missed"
    ON_TIME = "on_time"
    LATE = "late"


class Fault(StrEnum):
    """What a report was found to be."""

    LATE = "late"
    OMITTED = "omitted"
    CONCEALED = "concealed"
    WRONG = "wrong"
    UNTRUE = "untrue"
    SECRETS = "secrets"
    """Secrets rules broken."""
    SCOPE = "scope"
    """A special distribution scope that was not marked."""
    QUALITY = "quality"


class Signer(StrEnum):
    HEAD = "head"
    DEPUTY = "deputy"
    LIAISON = "liaison"
    OTHER = "other"


class UnitStatus(StrEnum):
    """`APPOINTED` is what a unit of the roster is until something else is recorded."""

    APPOINTED = "appointed"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


NAMES: dict[str, str] = {
    "submission": "报送",
    "adoption": "采用",
    "instruction": "批示",
    "forwarding": "转报",
    "commission": "约稿",
    "staff": "专职人员",
    "training": "以干代训",
    "joint_research": "联合调研",
    "filing": "制度备案",
    "error": "差错",
    "explanation": "情况说明",
    "manual": "人工记分",
    "mention": "列入名单",
    "status": "资格变动",
    "task": "任务",
    "task_done": "任务完成",
    "assignment": "约稿布置",
    "full": "全文",
    "brief": "简讯",
    "roundup": "综合",
    "special": "专报",
    "done": "完成",
    "missed": "未完成",
    "on_time": "按时",
    "late": "迟报",
    "omitted": "漏报",
    "concealed": "瞒报",
    "wrong": "错报",
    "untrue": "失实",
    "secrets": "违反保密规定",
    "scope": "发布范围未标注",
    "quality": "质量不高",
    "head": "主要负责人",
    "deputy": "分管负责人",
    "liaison": "信息员",
    "other": "其他人",
    "appointed": "在册",
    "suspended": "暂停",
    "withdrawn": "取消资格",
}
"""What an office calls the words above."""


NEVER_JUDGED = frozenset({EventKind.ASSIGNMENT})
"""Kinds that no rule, quota, column or list may look at: they only say what is still to come."""


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about one unit. Fields that do not concern its kind keep their defaults.

    `times` is how many: persons, or like submissions taken together (then `item` is empty).
    An event that was reversed never reaches the rules; `recorded` is when it was entered.
    """

    id: str
    """`item:<receipt>`, `record:<number>`; unique among the events of one reckoning."""
    kind: EventKind
    unit: str
    day: date
    """Its own date: received, printed, commented ... For submissions the day of receipt, moved
    into the counting month where the two differ."""
    item: str = ""
    """Key shared by all events about one item: its receipt number, a task's id, or the number of a
    commission that was given."""
    title: str = ""
    times: int = 1
    category: str = ""
    """Of the item, wherever the event is about one."""
    commissioned: bool = False
    """The item answers a commission: it was not sent on the unit's own motion."""
    follow_up: bool = False
    """Continues an earlier report (续报): shown, never counted again."""
    urgent_major: bool = False
    """The item was a major urgent one (重大紧急类)."""
    form: Form = Form.FULL
    journal: str = ""
    level: str = ""
    outcome: Outcome | None = None
    fault: Fault | None = None
    major: bool = False
    """Of an error: the matter was a major one (重大信息)."""
    serious: bool = False
    bad_effect: bool = False
    forecast: bool = False
    """The item was a forecast, or was overtaken by events it had reported in time."""
    partners: tuple[str, ...] = ()
    """The other units of a joint item; the event stands once, under the first of them."""
    shares: tuple[tuple[str, Decimal], ...] = ()
    """By hand: unit id and its part of the points, from 0 to 1, summing to 1."""
    rule: str = ""
    points: Decimal | None = None
    about: str = ""
    """Of an explanation: the event it explains; of a commission: the number it was given under."""
    accepted: bool = False
    signer: Signer | None = None
    status: UnitStatus | None = None
    due: date | None = None
    recorded: date | None = None
    by: str = ""
    reason: str = ""
    evidence: str = ""
    people: tuple[str, ...] = ()
    """Deputy and liaison in office that day, of an error: “分管 某某”."""


def units_of(event: Event) -> tuple[str, ...]:
    """All units an event is about, each once: a joint item is about every one of its units."""
    if not event.partners and not event.shares:
        return (event.unit,)
    sharing = (unit for unit, _ in event.shares)
    return tuple(dict.fromkeys((event.unit, *event.partners, *sharing)))


def known_on(events: Iterable[Event], day: date) -> list[Event]:
    """Those that had been recorded by then, where it is known when they were."""
    return [e for e in events if e.recorded is None or e.recorded <= day]


@dataclass(frozen=True, slots=True)
class Match:
    """Which events something is about. Empty or None: any. All that is given must hold."""

    event: EventKind
    category: tuple[str, ...] = ()
    journal: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    form: tuple[Form, ...] = ()
    outcome: tuple[Outcome, ...] = ()
    fault: tuple[Fault, ...] = ()
    commissioned: bool | None = None
    follow_up: bool | None = None
    urgent_major: bool | None = None
    major: bool | None = None
    serious: bool | None = None
    bad_effect: bool | None = None
    forecast: bool | None = None

    def __call__(self, event: Event) -> bool:
        if event.kind is not self.event:
            return False
        for name in _CONDITIONS:
            wanted = getattr(self, name)
            if wanted is None or wanted == ():
                continue
            found = getattr(event, name)
            if (found not in wanted) if isinstance(wanted, tuple) else (found is not wanted):
                return False
        return True


_CONDITIONS = tuple(f.name for f in fields(Match) if f.name != "event")
