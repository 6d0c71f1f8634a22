"""Units and the many names people give them.

The roster is dated: a unit, an alias or an address counts only between its days, so that a mail
of last year is read with last year's names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class UnitName:
    """One name or alias, valid from `start` up to and including `end` (None: open)."""

    text: str
    start: date | None = None
    end: date | None = None

    def on(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who speaks for a unit. `role`: `liaison`, `head`, `deputy`; `counterpart` is the
    office's own contact for it (对接人)."""

    role: str
    name: str = ""
    phone: str = ""
    address: str = ""
    start: date | None = None
    end: date | None = None

    def on(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class EarlierGroup:
    """A group a unit was in up to and including `end`."""

    group: str
    end: date


@dataclass(frozen=True, slots=True)
class Unit:
    """A reporting unit (报送单位). `group` is the id of its ranking and quota group now; a period is
    judged by that of its last day (`group_on`)."""

    id: str
    names: tuple[UnitName, ...]
    """The office's own name first, then aliases as people write them."""
    group: str
    contacts: tuple[Contact, ...] = ()
    addresses: tuple[str, ...] = ()
    """Mail addresses bound to the unit by the roster file, lower case."""
    start: date | None = None
    end: date | None = None
    note: str = ""
    """For the office: "to be confirmed" and why."""
    recommender: str = ""
    """The unit that recommended it (推荐单位): a unit's id, or the name of one outside the roster."""
    earlier_groups: tuple[EarlierGroup, ...] = ()
    """Oldest first."""

    @property
    def name(self) -> str:
        return self.names[0].text

    def on(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def group_on(self, day: date) -> str:
        return next((e.group for e in self.earlier_groups if day <= e.end), self.group)


@dataclass(frozen=True, slots=True)
class Roster:
    """All units of one office. Look-ups take the day whose names count."""

    units: tuple[Unit, ...]
    prefixes: tuple[str, ...] = ()
    """Place names that may stand before any unit's name: 鄂托克前旗, 鄂前旗, 旗."""

    def get(self, unit_id: str) -> Unit:
        """The unit by id. Raises KeyError: ids come from the office's data or our own records."""
        for unit in self.units:
            if unit.id == unit_id:
                return unit
        raise KeyError(unit_id)

    def has_left(self, address: str, day: date) -> bool:
        """Was it the address of somebody who is no longer in office, and is it nobody else's?"""
        wanted = address.lower()
        contacts = [c for u in self.units for c in u.contacts if c.address.lower() == wanted]
        return bool(contacts) and self.by_address(address, day) is None

    def by_address(self, address: str, day: date) -> Unit | None:
        """The unit an address is bound to by the roster file."""
        wanted = address.lower()
        for unit in self.units:
            if unit.on(day) and (
                wanted in unit.addresses
                or any(
                    c.address.lower() == wanted and c.on(day) for c in unit.contacts if c.address
                )
            ):
                return unit
        return None
