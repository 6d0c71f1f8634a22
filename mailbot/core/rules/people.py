"""Who answers for a unit on a day, as lists and records name them: “分管 王甲”."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from mailbot.core.subject.roster import Unit

CALLED = {"head": "主要负责人", "deputy": "分管", "liaison": "信息员", "counterpart": "对接人"}
"""By role (`Contact.role`)."""
IN_A_SENTENCE = {**CALLED, "deputy": "分管负责人"}
"""Where no name follows."""


def in_office(unit: Unit, roles: Sequence[str], day: date) -> tuple[str, ...]:
    """The roster's people in these roles on the day, in the roles' order; those without a name are
    left out."""
    return tuple(
        f"{CALLED[role]} {contact.name}"
        for role in roles
        for contact in unit.contacts
        if contact.role == role and contact.name and contact.on(day)
    )
