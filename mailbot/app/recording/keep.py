"""Keeping a checked entry: as a record, or as an item of another channel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from mailbot.app.ports import Reads, Transaction
from mailbot.app.recording.entry import Checked
from mailbot.app.recording.tell import FOLLOW_UP, URGENT, sentence, submission_sentence
from mailbot.app.recording.worth import Change
from mailbot.app.records import ItemState, NewItem, NewVersion
from mailbot.core.intake.titles import normal_title
from mailbot.core.rules.events import Event, EventKind
from mailbot.core.rules.periods import day_of, month_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.model import Certainty, Source

SAME_TITLE = "same_title"
"""Flag of an item that has the title of another one, as intake sets it."""


@dataclass(frozen=True, slots=True)
class Entered:
    """An entry as kept. `number` of a record, `receipt` of an item of another channel."""

    event: Event
    said: str
    """One Chinese sentence."""
    warnings: tuple[str, ...]
    number: int | None = None
    receipt: str = ""
    points: Change = field(default_factory=Change)
    """What it changed in the unit's year; only of entries made one by one."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who enters, where, when. `source` as in `NewRecord`."""

    book: OfficeBook
    who: str
    now: datetime
    source: str = "hand"

    @property
    def today(self) -> date:
        return day_of(self.now)


def keep(checked: Checked, desk: Desk, tx: Transaction) -> Entered:
    if checked.answers.kind is EventKind.SUBMISSION:
        return _keep_item(checked, desk, tx)
    row = tx.add_record(checked.record(desk.book.info.id, desk.source), desk.who, desk.now)
    event = checked.event(f"record:{row.id}")
    warnings = (*checked.warnings, *sealed(event, desk, tx.read))
    return Entered(event, sentence(event, desk.book), warnings, row.id)


def _keep_item(checked: Checked, desk: Desk, tx: Transaction) -> Entered:
    new = _new_item(checked, desk)
    item = tx.add_channel_item(new, desk.book.info.receipt_prefix, desk.who, desk.now)
    event = replace(checked.event(f"item:{item.receipt}"), item=item.receipt)
    warnings = (*checked.warnings, *sealed(event, desk, tx.read))
    said = submission_sentence(event, item.channel, desk.book)
    return Entered(event, said, warnings, receipt=item.receipt)


def _new_item(checked: Checked, desk: Desk) -> NewItem:
    read, unit = checked.answers, checked.unit
    assert unit is not None, "without faults the unit is known"
    title, submitter, contact = read.text("title"), read.text("submitter"), read.text("contact")
    fields: dict[str, Any] = {
        "unit": _by_staff(read.text("unit")) | {"unit_id": unit.id},
        "title": _by_staff(title),
    }
    if submitter:
        fields["submitter"] = _by_staff(submitter)
    if contact:
        fields["contact"] = [_by_staff(contact)]
    flags = [FOLLOW_UP] if read.flag("follow_up") else []
    if read.flag("not_duplicate"):
        flags.append(SAME_TITLE)
    return NewItem(
        office=desk.book.info.id,
        unit_id=unit.id,
        state=ItemState.ACCEPTED,
        received=read.moment,
        month=month_of(read.moment),
        version=NewVersion(
            title=title,
            submitter=submitter,
            contact=(contact,) if contact else (),
            unit_written=read.text("unit"),
            fields=fields,
            category=checked.facts["category"],
            category_by="staff",
            scope=read.text("scope"),
        ),
        flags=tuple(flags),
        lane=URGENT if read.flag("urgent_major") else "item",
        title_key=normal_title(title),
        channel=read.text("channel"),
        evidence=read.text("evidence"),
        commissioned=read.flag("commissioned"),
    )


def _by_staff(value: str) -> dict[str, Any]:
    """As `staff` marks what people filled in."""
    return {"value": value, "source": Source.STAFF.value, "certainty": Certainty.CERTAIN.value}


def sealed(event: Event, desk: Desk, reads: Reads) -> tuple[str, ...]:
    for seal in reads.seals(desk.book.info.id):
        if event.day in seal.period:
            return (f"{seal.period.name}已封账：这一条作为更正记入其后的时段",)
    return ()
