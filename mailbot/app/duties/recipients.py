"""Who in a unit is written to, and who cannot be.

The roster's people come first. For the liaison, whoever is not in the roster with an address is
found through the addresses bound to the unit; a head is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from mailbot.app.posting import Addressee
from mailbot.app.records import Binding
from mailbot.core.mail.compose import usable_address
from mailbot.core.rules.people import CALLED
from mailbot.core.subject.roster import Unit

LIAISON = "liaison"


@dataclass(frozen=True, slots=True)
class Found:
    people: tuple[Addressee, ...]
    """By role, then in the roster's order; each address once, under its first role."""
    lacking: tuple[str, ...]
    """Why nobody in a role can be written to, a Chinese phrase each: “主要负责人没有邮箱”."""


def recipients(
    unit: Unit, roles: Sequence[str], day: date, bindings: Iterable[Binding] = ()
) -> Found:
    """The unit's people in these roles on the day. `bindings`: the office's bound addresses."""
    people: dict[str, Addressee] = {}
    lacking: list[str] = []
    bound = [b.address for b in bindings if b.unit_id == unit.id]
    for role in roles:
        contacts = [c for c in unit.contacts if c.role == role and c.on(day)]
        written = [(c.name, c.address) for c in contacts if c.address]
        if role == LIAISON and not any(usable_address(a) for _, a in written):
            name = contacts[0].name if contacts else ""
            written += [(name, a) for a in (*unit.addresses, *bound)]
        usable = [(name, a) for name, a in written if usable_address(a)]
        for name, address in usable:
            people.setdefault(address.lower(), Addressee(address, role, unit.id, name))
        if not usable:
            lacking.append(_why(role, bool(contacts), [a for _, a in written]))
    return Found(tuple(people.values()), tuple(lacking))


def _why(role: str, known: bool, refused: Sequence[str]) -> str:
    called = "信息员" if role == LIAISON else f"{CALLED.get(role, role)}"
    if refused:
        return f"{called}的邮箱写错了：{'、'.join(refused[:3])}"
    return f"{called}没有邮箱" if known else f"名册里没有{called}"
