"""Who is told of which record.

The submitter is the address the item's first mail came from, where it speaks for the unit: bound to
it, in its roster, or, where the office answers everybody, an address whose mail was accepted and
that nobody bound elsewhere or refused. Else the unit's liaison is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from mailbot.app.duties.recipients import LIAISON, recipients
from mailbot.app.ports import Reads
from mailbot.app.posting import Addressee
from mailbot.app.recording.tell import as_event
from mailbot.app.records import Binding, ItemRow, RecordRow
from mailbot.core.letters.periodic import NewsLine
from mailbot.core.mail.compose import usable_address
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.events import Event, units_of
from mailbot.core.rules.reckoning.words import Words
from mailbot.core.rules.rulebook import OfficeBook, SenderPolicy
from mailbot.core.subject.roster import Unit
from mailbot.core.subject.units import unit_name

SUBMITTER = "submitter"
HEAD = "head"
EVERYBODY = (LIAISON, HEAD)
"""Where a stage names no roles. `liaison` in them means: the submitter, else the liaison."""


@dataclass(slots=True)
class Told:
    """One reader and what the letter says."""

    to: Addressee
    unit: str
    lines: list[NewsLine] = field(default_factory=list)


class Readers:
    """Finds the readers of records on one day."""

    def __init__(self, reads: Reads, book: OfficeBook, roles: Sequence[str], day: date) -> None:
        self._reads, self._book, self._day = reads, book, day
        self._roles = tuple(roles) or EVERYBODY
        self._words = Words(book)
        self._units = {unit.id: unit for unit in book.roster.units}
        self._bindings: list[Binding] = reads.bound_addresses(book.info.id)
        self._suspended = reads.suspended(book.info.id)
        self._told: dict[tuple[str, str], Told] = {}
        self.outcomes: dict[str, dict[str, Any]] = {}
        """For the duty's detail: `{"jiaoti": {"outcome": "sent", "why": ""}}`."""
        self.unreached: list[str] = []
        """Sentences about units nobody could be written to."""

    def of(self, rows: Iterable[RecordRow]) -> list[Told]:
        """By unit, in the roster's order; each address of a unit once, with all it is told."""
        for row in rows:
            item = self._reads.item_by_receipt(row.receipt) if row.receipt else None
            event = as_event(row.new, f"record:{row.id}", item)
            for unit_id in units_of(event):
                self._tell(unit_id, event, item)
        for unit_id, outcome in self.outcomes.items():
            if outcome["outcome"] != "sent":
                name = unit_name(unit_id, self._book.roster)
                self.unreached.append(f"{name}没有收到采用消息：{outcome['why']}。")
        order = {unit_id: n for n, unit_id in enumerate(self._units)}
        return sorted(self._told.values(), key=lambda told: order[told.to.unit_id])

    def _tell(self, unit_id: str, event: Event, item: ItemRow | None) -> None:
        unit = self._units.get(unit_id)
        if unit is None or not unit.on(self._day):
            self._note(unit_id, [], ("该单位已不在名册里",))
            return
        people, lacking = self._people(unit, item)
        self._note(unit_id, people, lacking)
        line = NewsLine(
            receipt=_called(unit_id, event, item),
            title=event.title,
            day=event.day,
            what=self._words.event(replace(event, title="", item="")),
        )
        for person in people:
            told = self._told.setdefault((unit_id, person.address.lower()), Told(person, unit.name))
            told.lines.append(line)

    def _people(self, unit: Unit, item: ItemRow | None) -> tuple[list[Addressee], tuple[str, ...]]:
        submitter = self._submitter(unit, item) if LIAISON in self._roles else None
        roles = [r for r in self._roles if submitter is None or r != LIAISON]
        found = recipients(unit, roles, self._day, self._bindings, self._suspended)
        people = {p.address.lower(): p for p in ((submitter,) if submitter else ())}
        for person in found.people:
            people.setdefault(person.address.lower(), person)
        return list(people.values()), found.lacking

    def _note(self, unit_id: str, people: Sequence[Addressee], lacking: Sequence[str]) -> None:
        """A unit that somebody is told in was reached, whoever else lacks an address."""
        before = self.outcomes.get(unit_id)
        if people or before is None:
            reached = bool(people) or (before is not None and before["outcome"] == "sent")
            outcome = "sent" if reached else "unreachable"
            self.outcomes[unit_id] = {"outcome": outcome, "why": "；".join(lacking)}

    # --- the submitter

    def _submitter(self, unit: Unit, item: ItemRow | None) -> Addressee | None:
        if item is None or item.first_inbound_id is None or item.unit_id != unit.id:
            return None
        mail = self._reads.inbound(item.first_inbound_id)
        address = mail.from_addr if mail is not None else ""
        if not usable_address(address) or not self._speaks_for(unit, address):
            return None
        contacts = (c for c in unit.contacts if c.address.lower() == address and c.on(self._day))
        name = next((c.name for c in contacts if c.name), "")
        return Addressee(address, SUBMITTER, unit.id, name)

    def _speaks_for(self, unit: Unit, address: str) -> bool:
        office = self._book.info.id
        binding = self._reads.binding(office, address)
        if binding is not None and binding.state != "proposed":
            return binding.state == "bound" and binding.unit_id == unit.id
        owner = self._book.roster.by_address(address, self._day)
        if owner is not None:
            return owner.id == unit.id
        if binding is not None and binding.unit_id != unit.id:
            return False
        return self._answers_everybody() and self._reads.address_seen(office, address)

    def _answers_everybody(self) -> bool:
        try:
            return self._book.convention_on(self._day).senders is SenderPolicy.OPEN
        except NoRuleInForce:
            return False


def _called(unit_id: str, event: Event, item: ItemRow | None) -> str:
    """The number a unit knows it by, and may object under. The receipt number of a joint item is
    that of the unit which sent it in."""
    if item is None or item.unit_id == unit_id:
        return event.item
    return f"记录{event.id.removeprefix('record:')}"
