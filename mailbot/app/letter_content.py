"""What an answer says: the decision and the records turned into a letter's content.

To an address nobody vouches for, values go back short and without links: a forged sender must not
make us deliver an advertisement (faults A17). Whether a letter goes out at all, and its form as a
mail, are not this module's business.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from mailbot.app.mailbox import Mailbox
from mailbot.app.ports import Reads
from mailbot.app.records import InboundRow, ItemRow
from mailbot.core.intake.content import content_of
from mailbot.core.intake.describe import mailto
from mailbot.core.intake.model import Decision, Facts, Relation
from mailbot.core.letters.answers import (
    Acknowledgement,
    AnswerKind,
    AnswerLetter,
    AttachmentLine,
    ItemLine,
    OfficeCard,
    PendingNotice,
    ReturnNotice,
    UnderstoodField,
)
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.example import example_for
from mailbot.core.subject.form import corrected_subject
from mailbot.core.subject.model import FieldName, FieldValue, Reading
from mailbot.core.subject.text import fold

UNVERIFIED_LENGTH = 60
"""Characters of a value that are repeated to an address nobody vouches for (faults A17)."""
_LOOKED_AT = 300
"""Characters of a value that are searched for links, so that a hostile one costs nothing."""
_URL = re.compile(
    r"(?:https?:[/_]{2}|www\.)\S+"
    r"|[A-Za-z0-9_-][A-Za-z0-9._-]*\.(?:com|cn|net|org|top|xyz|vip|cc|info|shop|site|club|link|io|me)"
    r"(?![A-Za-z0-9])\S*",
    re.I,
)


def office_card(book: OfficeBook, mailbox: Mailbox) -> OfficeCard:
    info = book.info
    return OfficeCard(
        info.name,
        info.signature,
        info.phone,
        mailbox.address or info.mailbox,
        book.limits.correction_days,
    )


def build_letter(
    decision: Decision,
    mail: IncomingMail,
    row: InboundRow,
    items: Sequence[ItemRow],
    facts: Facts,
    reads: Reads,
    mailbox: Mailbox,
) -> AnswerLetter:
    """What the decided answer says."""
    card = office_card(facts.book, mailbox)
    if decision.answer is AnswerKind.RETURN:
        return _return_notice(decision, mail, row, items, facts, card)
    if decision.answer is AnswerKind.PENDING:
        receipt = items[0].receipt if items else f"{facts.book.info.receipt_prefix}-{row.id}"
        return PendingNotice(card, row.received, receipt)
    return _acknowledgement(decision, mail, row, items, facts, reads, card)


def _acknowledgement(
    decision: Decision,
    mail: IncomingMail,
    row: InboundRow,
    items: Sequence[ItemRow],
    facts: Facts,
    reads: Reads,
    card: OfficeCard,
) -> Acknowledgement:
    book = facts.book
    categories = book.categories_on(day_of(row.received))
    clean = _cleaner(facts)
    month = items[0].month
    unit_id = items[0].unit_id
    count, quota = 0, None
    if unit_id is not None:
        count = reads.month_count(book.info.id, unit_id, month)
        quota = _quota(book, unit_id, month)
    return Acknowledgement(
        office=card,
        received=row.received,
        items=tuple(
            ItemLine(
                receipt=i.receipt,
                title=clean(i.version.title),
                unit=book.roster.get(i.unit_id).name
                if i.unit_id
                else clean(i.version.unit_written),
                submitter=clean(i.version.submitter),
                contact=clean("、".join(i.version.contact)),
                category=categories.get(i.version.category).name,
                category_doubtful="category_doubtful" in i.flags,
            )
            for i in items
        ),
        attachments=_attachments(decision, mail, items, row, reads, clean),
        month=month,
        month_count=count,
        month_quota=quota,
        corrects=_receipts(decision, Relation.CORRECTION),
        duplicate_of=_receipts(decision, Relation.RESEND),
        warnings=decision.warnings,
    )


def _quota(book: OfficeBook, unit_id: str, month: date) -> int | None:
    """None, never zero, where no quota is in force: the letter then says nothing about it."""
    try:
        return book.quota_on(book.roster.get(unit_id), month)
    except NoRuleInForce:
        return None


def _return_notice(
    decision: Decision,
    mail: IncomingMail,
    row: InboundRow,
    items: Sequence[ItemRow],
    facts: Facts,
    card: OfficeCard,
) -> ReturnNotice:
    reading = decision.reading
    assert reading is not None, "a return is about a reading"
    clean = _cleaner(facts)
    line, complete = corrected_subject(reading, facts.book.roster)
    if not _vouched_for(facts):
        line = without_links(line, "")
    files = content_of(mail).files
    keeps = bool(files) or any(d.keeps_content for d in decision.drafts)
    receipt = items[0].receipt
    return ReturnNotice(
        office=card,
        received=row.received,
        receipt=receipt,
        original_subject=clean(mail.subject),
        problems=tuple(
            replace(p, found=clean(p.found), candidates=tuple(clean(c) for c in p.candidates))
            for p in decision.problems
        ),
        understood=tuple(_understood(reading, name, clean) for name in FieldName),
        corrected_subject=line,
        complete=complete,
        mailto=mailto(card.mailbox, line, f"（更正退回的来信，编号{receipt}）"),
        example=_example(items[0].unit_id or facts.bound_unit, facts.book, day_of(row.received)),
        keeps_attachments=keeps,
        attachments=tuple(AttachmentLine(clean(f.name), f.size) for f in files),
    )


def _example(unit_id: str | None, book: OfficeBook, day: date) -> str:
    """The convention's, as the sender's unit would write it. Anybody may write under a unit's name:
    no person of its is named."""
    example = book.convention_on(day).example
    if unit_id is None or not example:
        return example
    return example_for(unit_id, example, book.roster, day, named=False)


def _understood(reading: Reading, name: FieldName, clean: _Clean) -> UnderstoodField:
    value = reading.field(name)
    values: tuple[FieldValue, ...] = (
        value if isinstance(value, tuple) else ((value,) if value else ())
    )
    if not values:
        return UnderstoodField(name)
    return UnderstoodField(
        name,
        clean("、".join(v.value for v in values)),
        values[0].source,
        values[0].certainty,
    )


def _attachments(
    decision: Decision,
    mail: IncomingMail,
    items: Sequence[ItemRow],
    row: InboundRow,
    reads: Reads,
    clean: _Clean,
) -> tuple[AttachmentLine, ...]:
    lines = [AttachmentLine(clean(f.name), f.size) for f in content_of(mail).files]
    earlier = {i.version.attachments_from for i in items} - {None, row.id}
    for inbound_id in sorted(e for e in earlier if e is not None):
        first = reads.mail(inbound_id)
        if first is not None:
            lines += [AttachmentLine(clean(f.name), f.size, True) for f in content_of(first).files]
    return tuple(lines)


def _receipts(decision: Decision, relation: Relation) -> tuple[str, ...]:
    return tuple(
        d.target.receipt for d in decision.drafts if d.link is relation and d.target is not None
    )


class _Clean(Protocol):
    def __call__(self, value: str) -> str: ...


def _cleaner(facts: Facts) -> _Clean:
    """To an address nobody vouches for, values go back short and without links: a forged sender
    must not make us deliver an advertisement."""
    if _vouched_for(facts):
        return lambda value: value
    return lambda value: without_links(value[:_LOOKED_AT])[:UNVERIFIED_LENGTH]


def without_links(value: str, instead: str = "（链接已略去）") -> str:
    """Also of those in full width (ｗｗｗ．), which webmail makes clickable all the same."""
    kept, at = [], 0
    for link in _URL.finditer(fold(value)):
        kept += [value[at : link.start()], instead]
        at = link.end()
    return "".join(kept) + value[at:]


def _vouched_for(facts: Facts) -> bool:
    return facts.bound_unit is not None or facts.authentication is AuthResult.PASS
