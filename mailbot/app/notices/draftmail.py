"""The mails that bring a draft to the office's own people, and the codes by which some of them may
decide about it in a reply.

A code is bound to the draft and to the address it was sent to; the store keeps its digest only. What
a reply says is read elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import chain

from mailbot.app.answers import Signer
from mailbot.app.letter_records import DraftFile, DraftRecipient, DraftRow, NewToken
from mailbot.app.notices.addressing import SMS
from mailbot.app.notices.files import DOCUMENT, STANDINGS, enclosure
from mailbot.app.posting import Addressee, Posted
from mailbot.core.duties.model import LetterRule
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.office import DraftLine, DraftMail
from mailbot.core.mail.compose import usable_address
from mailbot.core.rules.people import IN_A_SENTENCE
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import unit_name

VALID = timedelta(days=30)
"""A draft that nobody decided for so long is looked at anew at the terminal."""
APPROVE = "approve"
STAFF, APPROVER = "staff", "approver"


def draft_letters(
    row: DraftRow,
    recipients: Sequence[DraftRecipient],
    files: Sequence[DraftFile],
    book: OfficeBook,
    card: OfficeCard,
    signer: Signer,
    now: datetime,
) -> tuple[tuple[Posted, ...], tuple[NewToken, ...]]:
    """To each approver, with a code of its own, and to the rest of the staff without; where the
    office names no staff, to its mailbox. Addresses that no letter can carry are passed over."""
    rule = book.letters.letter(row.letter)
    enclosed = [enclosure(f) for f in files if f.role in (DOCUMENT, STANDINGS)]
    approvers = _once(book.letters.approvers)
    staff = [a for a in _once(book.letters.staff or (card.mailbox,)) if a not in approvers]
    letters, tokens = [], []
    for address, role in chain(((a, APPROVER) for a in approvers), ((a, STAFF) for a in staff)):
        code = signer.code(code_key(row.id, address)) if role == APPROVER else ""
        if code:
            subject = f"draft:{row.id}"
            digest = token_digest(code)
            tokens.append(NewToken(digest, row.office, APPROVE, subject, address, now + VALID))
        letters.append(
            Posted(
                key=f"draft:{row.id}:{address}",
                kind=LetterKind.DRAFT,
                letter=DraftMail(
                    office=card,
                    draft=row.id,
                    name=rule.name,
                    period=Period.parse(row.period).name,
                    title=row.title,
                    summary=row.summary,
                    flags=row.flags,
                    recipients=lines(recipients, book),
                    files=tuple(one.name for one in enclosed),
                    token=shown(code),
                    valid_until=now + VALID if code else None,
                    seals=rule.seals,
                ),
                to=Addressee(address, role),
                files=enclosed,
            )
        )
    return tuple(letters), tuple(tokens)


def announced(rule: LetterRule) -> bool:
    """Is anybody asked about a draft of the letter?"""
    return not rule.auto_approve


def lines(recipients: Sequence[DraftRecipient], book: OfficeBook) -> tuple[DraftLine, ...]:
    """Those who get a mail, or would if they had an address."""
    return tuple(DraftLine(called(one, book), one.address) for one in recipients if one.kind != SMS)


def called(who: DraftRecipient, book: OfficeBook) -> str:
    """教体局主要负责人王甲; 教体局主要负责人（零报送单位告知书）; a reader by name and title."""
    if not who.unit_id:
        return who.name
    role = IN_A_SENTENCE.get(who.role, who.role)
    person = f"{unit_name(who.unit_id, book.roster)}{role}{who.name}"
    return f"{person}（告知书）" if who.kind == LetterKind.OWN else person


def _once(addresses: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(a.lower() for a in addresses if usable_address(a)))


# --- codes ------------------------------------------------------------------------------------


def code_key(draft_id: int, address: str) -> str:
    return f"approve:draft:{draft_id}:{address}"


def shown(code: str) -> str:
    """As people read it: ABCD-EFGH."""
    return f"{code[:4]}-{code[4:]}" if code else ""


def plain_code(text: str) -> str:
    """As it was made, however a person typed it."""
    return "".join(c for c in text.upper() if c.isalnum())


def token_digest(text: str) -> str:
    """What the store knows a code by."""
    return sha256(plain_code(text).encode("utf-8")).hexdigest()
