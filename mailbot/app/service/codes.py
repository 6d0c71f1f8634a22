"""The codes with which approvers rule on drafts in a reply: whose they are, and whether they count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from mailbot.app.letter_records import TokenRow
from mailbot.app.notices.draftmail import APPROVE, token_digest
from mailbot.app.ports import Reads
from mailbot.core.intake.commands import Ruling
from mailbot.core.intake.model import CodeState, DecisionKind
from mailbot.core.intake.requests import WRONG_CODE
from mailbot.core.rules.periods import OFFICE_ZONE, day_of
from mailbot.core.rules.rulebook import OfficeBook

_DRAFT = "draft:"
_MOST = 5
"""Codes in one mail."""
_DAYS = timedelta(days=3)
"""Within which a mail is looked at after it came, as a rule."""


@dataclass(frozen=True, slots=True)
class Code:
    state: CodeState
    known: bool = False
    """One of ours, for whomever it was made."""


def approves(address: str, book: OfficeBook) -> bool:
    """May the address rule on the office's drafts?"""
    return bool(address) and address.lower() in {a.lower() for a in book.letters.approvers}


def own_tokens(ruling: Ruling, address: str, office: str, reads: Reads) -> list[TokenRow]:
    """Those of the ruling's codes that were made for this very address."""
    return [
        token
        for token in _known(ruling, office, reads)
        if token.new.address.lower() == address.lower()
    ]


def draft_of(token: TokenRow) -> int:
    return int(token.new.subject.removeprefix(_DRAFT))


def code_of(ruling: Ruling, address: str, office: str, received: datetime, reads: Reads) -> Code:
    """Received before it expired counts, however late the mail is looked at. What only looks like
    a code (a telephone number in a signature) is passed over."""
    known = bool(_known(ruling, office, reads))
    mine = own_tokens(ruling, address, office, reads)
    if len(mine) != 1:
        return Code(CodeState.SEVERAL if mine else CodeState.UNKNOWN, known)
    if mine[0].used is not None:
        return Code(CodeState.USED, known)
    expired = received >= mine[0].new.expires
    return Code(CodeState.EXPIRED if expired else CodeState.GOOD, known)


def _known(ruling: Ruling, office: str, reads: Reads) -> list[TokenRow]:
    """A mail full of codes is a try to guess one: of such none is looked up."""
    if len(ruling.codes) > _MOST:
        return []
    found = (reads.token(token_digest(code)) for code in ruling.codes)
    return [t for t in found if t and t.new.office == office and t.new.purpose == APPROVE]


def wrong_codes(address: str, office: str, received: datetime, reads: Reads) -> int:
    """Mails of the address with a wrong code, looked at since the day of this one began."""
    midnight = datetime.combine(day_of(received), time(), OFFICE_ZONE)
    lines = reads.mail_lines(office, midnight, midnight + _DAYS)
    return sum(
        line.from_addr.lower() == address.lower()
        and line.kind == DecisionKind.COMMAND
        and line.reasons == (WRONG_CODE,)
        for line in lines
    )
