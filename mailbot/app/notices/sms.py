"""The text messages to heads that go with an approved notice, for the system that sends them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.app.letter_records import DraftRecipient, DraftRow, DraftState
from mailbot.app.notices.refusals import NotDecided
from mailbot.app.ports import Reads
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.phones import phones_in
from mailbot.core.subject.text import fold
from mailbot.core.subject.units import unit_name

ONE, EACH = 70, 67
"""Characters (UCS-2) of a message by itself, and of each part of a longer one: 140 octets, of which
the parts' header takes six (3GPP TS 23.040, 9.2.3.24.1)."""
_MOBILE = re.compile(r"1[3-9]\d{9}")


@dataclass(frozen=True, slots=True)
class Message:
    unit: str
    name: str
    phone: str
    """A mobile's eleven digits; empty: there is none."""
    text: str
    why: str = ""
    """Why nothing can be sent to it."""

    @property
    def length(self) -> int:
        """As the network counts: a character outside the BMP (𬭎) takes two."""
        return len(self.text.encode("utf-16-le")) // 2

    @property
    def parts(self) -> int:
        return 1 if self.length <= ONE else -(-self.length // EACH)


@dataclass(frozen=True, slots=True)
class Messages:
    sendable: tuple[Message, ...]
    """Each number once for each text."""
    others: tuple[Message, ...]
    """Heads without a mobile."""


def messages(reads: Reads, row: DraftRow, book: OfficeBook) -> Messages:
    """Of an approved draft. Raises `NotDecided` (`no_sms`, `not_approved`)."""
    recipients = reads.draft_recipients(row.id)
    if not any(one.sms for one in recipients):
        raise NotDecided("no_sms", row.id, row.title)
    if row.state not in (DraftState.APPROVED, DraftState.SENT):
        raise NotDecided("not_approved", row.id, row.state.value)
    return _sorted(recipients, book)


def _sorted(recipients: Sequence[DraftRecipient], book: OfficeBook) -> Messages:
    sendable: dict[tuple[str, str], Message] = {}
    others = []
    for one in recipients:
        if not one.sms:
            continue
        unit, phone = unit_name(one.unit_id, book.roster), mobile(one.phone)
        if phone:
            sendable.setdefault((phone, one.sms), Message(unit, one.name, phone, one.sms))
        else:
            why = f"{one.phone} 不是手机号" if one.phone else "名册里没有电话"
            others.append(Message(unit, one.name, "", one.sms, why))
    return Messages(tuple(sendable.values()), tuple(others))


def mobile(text: str) -> str:
    """The first mobile of a contact's numbers: 0477-7622029、13900000000."""
    for number in phones_in(fold(text)):
        digits = "".join(c for c in number if c.isdigit())
        if _MOBILE.fullmatch(digits[-11:]):
            return digits[-11:]
    return ""
