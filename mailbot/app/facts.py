"""What our records know about a mail, gathered for the decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailbot.app.mailbox import Mailbox
from mailbot.app.ports import InboundRow, ItemRow, Reads
from mailbot.core.intake.decide import read_submission
from mailbot.core.intake.model import EarlierItem, Facts
from mailbot.core.intake.titles import similarity
from mailbot.core.mail.authentication import authentication
from mailbot.core.mail.automatic import (
    Automatic,
    AutomaticKind,
    Ourselves,
    answer_refused,
    bounced_message_ids,
    judge,
    recalled_subject,
)
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import OfficeBook

RECALLED = 0.8
"""Similarity from which a recall notice's title names an item."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts, and the letters of ours a bounce is about."""

    facts: Facts
    bounced: tuple[int, ...] = ()
    """Outbox ids."""


def gather(
    mail: IncomingMail,
    row: InboundRow,
    mailbox: Mailbox,
    book: OfficeBook,
    us: Ourselves,
    reads: Reads,
) -> Gathered:
    """Everything `core.intake.decide` wants to know. A handful of indexed look-ups."""
    office = book.info.id
    author = mail.author
    sender = author.addr if author else ""
    automatic = judge(mail, us)
    since = row.received - timedelta(days=book.limits.duplicate_days)

    roster_unit = book.roster.by_address(sender, day_of(row.received)) if sender else None
    binding = reads.binding(office, sender) if sender else None
    bound = roster_unit.id if roster_unit else None
    if binding is not None and binding.state == "bound":
        bound = binding.unit_id

    same = reads.inbound_by_content(mail.content_key, row.id)
    same_id = reads.inbound_by_message_id(mail.message_id, row.id) if mail.message_id else None
    letters = reads.outgoing_by_message_ids((*mail.in_reply_to, *mail.references))
    of_sender = _earlier(reads.items_of_sender(office, sender, since), reads) if sender else ()

    facts = Facts(
        book=book,
        received=row.received,
        automatic=automatic,
        answer_refused=answer_refused(mail, us),
        authentication=authentication(
            mail, mailbox.authserv_ids, sender.rpartition("@")[2] if sender else ""
        ),
        verifiable=bool(mailbox.authserv_ids),
        bound_unit=bound,
        refused_sender=binding is not None and binding.state == "refused",
        known_sender=bool(sender) and reads.address_seen(office, sender),
        duplicate_of=same.id if same else None,
        duplicate_decision=same.decision if same else "",
        same_id_as=same_id.id if same_id and not same else None,
        answers_our_letter=bool(letters),
        of_sender=of_sender,
        attempts=max(row.attempts, 1),
    )
    if not mail.secrets and automatic is None:
        reading = read_submission(mail, facts)
        facts = replace(facts, reading=reading)
        if reading.unit is not None and reading.unit.unit_id is not None:
            items = reads.items_of_unit(office, reading.unit.unit_id, since)
            facts = replace(facts, of_unit=_earlier(items, reads))
    bounced: tuple[int, ...] = ()
    if automatic is not None and automatic.kind is AutomaticKind.BOUNCE:
        hit = reads.outgoing_by_message_ids(bounced_message_ids(mail))
        bounced = tuple(outbox_id for outbox_id, _ in hit)
        letters = [*letters, *hit]
    thread = _thread(mail, automatic, facts, letters, office, reads)
    return Gathered(replace(facts, thread=thread), bounced)


def _thread(
    mail: IncomingMail,
    automatic: Automatic | None,
    facts: Facts,
    letters: list[tuple[int, int | None]],
    office: str,
    reads: Reads,
) -> tuple[EarlierItem, ...]:
    """Items the mail is about: by our letter it answers, by receipt number, by a recall's title."""
    found: dict[int, ItemRow] = {}
    for _, inbound_id in letters:
        if inbound_id is not None:
            found.update({i.id: i for i in reads.items_of(inbound_id)})
    if facts.reading is not None and facts.reading.reference:
        item = reads.item_by_receipt(facts.reading.reference)
        if item is not None:
            found[item.id] = item
    items = _earlier([i for i in found.values() if i.office == office], reads)
    if automatic is not None and automatic.kind is AutomaticKind.RECALL:
        title = recalled_subject(mail) or ""
        items += tuple(i for i in facts.of_sender if i.id not in found and _names(title, i))
    return items


def _names(recalled: str, item: EarlierItem) -> bool:
    """A recall notice repeats the whole subject, of which the title is a part."""
    return bool(item.title) and (
        item.title in recalled or similarity(recalled, item.title) >= RECALLED
    )


def _earlier(rows: list[ItemRow], reads: Reads) -> tuple[EarlierItem, ...]:
    return tuple(
        EarlierItem(
            id=r.id,
            receipt=r.receipt,
            state=r.state.value,
            unit_id=r.unit_id,
            title=r.version.title,
            from_addr=r.from_addr,
            received=r.received,
            inbound_id=r.inbound_id,
            fingerprint=frozenset(r.version.fields.get("fingerprint", ())),
            has_attachments=bool(r.version.attachment_paths),
        )
        for r in rows
    )


def received_of_saved(
    mail: IncomingMail, given: datetime | None, fallback: datetime
) -> tuple[datetime, str]:
    """When a saved mail was received, and how that is known: as given, else the topmost Received,
    else Date, else `fallback` (the moment of reading)."""
    if given is not None:
        return given, "given"
    if mail.received:
        return mail.received[0], "received"
    if mail.date is not None:
        return mail.date, "date"
    return fallback, "now"
