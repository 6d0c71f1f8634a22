"""Who in a unit is written to, and who cannot be.

The roster's people come first. For the liaison, whoever is not in the roster with an address is
found through the addresses bound to the unit, but not one that the roster says has left; a head is
never guessed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from mailbot.app.posting import Addressee
from mailbot.app.records import Binding
from mailbot.core.mail.compose import usable_address
from mailbot.core.rules.people import IN_A_SENTENCE
from mailbot.core.subject.roster import Roster, Unit

LIAISON = "liaison"


@dataclass(frozen=True, slots=True)
class Found:
    people: tuple[Addressee, ...]
    """By role, then in the roster's order; each address once, under its first role."""
    lacking: tuple[str, ...]
    """Who cannot be written to, a Chinese phrase each: “主要负责人没有邮箱”."""


def recipients(
    unit: Unit,
    roles: Sequence[str],
    day: date,
    bindings: Iterable[Binding] = (),
    suspended: Container[str] = (),
) -> Found:
    """The unit's people in these roles on the day. `bindings`: the office's bound addresses;
    `suspended`: those that letters do not reach, in lower case."""

    def good(address: str) -> bool:
        return usable_address(address) and address.lower() not in suspended

    people: dict[str, Addressee] = {}
    lacking: list[str] = []
    alone = Roster((unit,))
    bound = [
        b.address for b in bindings if b.unit_id == unit.id and not alone.has_left(b.address, day)
    ]
    for role in roles:
        contacts = [c for c in unit.contacts if c.role == role and c.on(day)]
        written = [(c.name, c.address) for c in contacts if c.address]
        if role == LIAISON and not any(good(a) for _, a in written):
            name = contacts[0].name if contacts else ""
            written += [(name, a) for a in (*unit.addresses, *bound)]
        usable = [(name, a) for name, a in written if good(a)]
        for name, address in usable:
            people.setdefault(address.lower(), Addressee(address, role, unit.id, name))
        if not usable:
            lacking.append(_why(role, bool(contacts), [a for _, a in written]))
            continue
        # Of two heads one may be out of reach: the other's letter does not make up for it.
        lacking += [_unreached(role, c.name, c.address) for c in contacts if not good(c.address)]
    return Found(tuple(people.values()), tuple(lacking))


def _unreached(role: str, name: str, address: str) -> str:
    called = IN_A_SENTENCE[role] + name
    return f"{called}的{_fault(address)}：{address}" if address else f"{called}没有邮箱"


def _fault(address: str) -> str:
    return "邮箱多次退信，已暂停发信" if usable_address(address) else "邮箱写错了"


def _why(role: str, known: bool, refused: Sequence[str]) -> str:
    called = IN_A_SENTENCE.get(role, role)
    if refused:
        return f"{called}的{_fault(refused[0])}：{'、'.join(refused[:3])}"
    return f"{called}没有邮箱" if known else f"名册里没有{called}"
