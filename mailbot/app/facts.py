"""What our records know about a mail, gathered for the decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailbot.app.mailbox import Mailbox
from mailbot.app.ports import Reads
from mailbot.app.records import InboundRow, ItemRow
from mailbot.app.service.codes import approves, code_of, wrong_codes
from mailbot.core.intake.classify import Classification
from mailbot.core.intake.commands import Ruling, Supplement, read_command
from mailbot.core.intake.lifecycle import DOUBTFUL
from mailbot.core.intake.model import EarlierItem, Facts
from mailbot.core.intake.submission import read_submission, titles_in
from mailbot.core.intake.titles import normal_title, similarity
from mailbot.core.mail.authentication import AuthResult, authentication
from mailbot.core.mail.automatic import (
    Automatic,
    AutomaticKind,
    Ourselves,
    answer_refused,
    bounced_message_ids,
    judge,
    recalled_subject,
)
from mailbot.core.mail.bounces import is_failure
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import OfficeBook

_ANY_ID = 2**63 - 1
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
    left = bool(sender) and book.roster.has_left(sender, day_of(row.received))
    # Whoever left a unit speaks for it no longer, whatever was bound in his time.
    if binding is not None and binding.state == "bound" and not left:
        bound = binding.unit_id

    # Of all mail, whatever its id: mail is looked at in the order of receipt, rows are numbered as
    # the folders list them. A mail that is looked at again is not its own duplicate.
    same = reads.inbound_by_content(mail.content_key, _ANY_ID)
    same_id = reads.inbound_by_message_id(mail.message_id, _ANY_ID) if mail.message_id else None
    known = same is not None and same.id != row.id
    # A copy to another office's mailbox is no duplicate: each office registers its own.
    duplicate = same if known and same is not None and same.office in mailbox.offices else None
    letters = reads.outgoing_by_message_ids((*mail.in_reply_to, *mail.references))
    of_sender = _earlier(reads.open_items_of_sender(office, sender, since))

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
        duplicate_of=duplicate.id if duplicate else None,
        duplicate_decision=duplicate.decision if duplicate else "",
        same_id_as=same_id.id if same_id and same_id.id != row.id and not known else None,
        answers_our_letter=bool(letters),
        of_sender=of_sender,
    )
    if not mail.secret and automatic is None:
        facts = _with_command(mail, sender, facts, reads)
    if not mail.secret and automatic is None and _in_force(facts):
        reading = read_submission(mail, facts)
        facts = replace(facts, reading=reading)
        if reading.unit is not None and reading.unit.unit_id is not None:
            keys = {normal_title(t) for t in titles_in(mail, facts)} - {""}
            items = [
                item
                for key in sorted(keys)
                for item in reads.items_with_title(office, reading.unit.unit_id, key, since)
            ]
            facts = replace(facts, of_unit=_earlier(items))
    bounced: tuple[int, ...] = ()
    if automatic is not None and automatic.kind is AutomaticKind.BOUNCE:
        hit = reads.outgoing_by_message_ids(bounced_message_ids(mail))
        if is_failure(mail) and facts.authentication is not AuthResult.FAIL:
            bounced = tuple(outbox_id for outbox_id, _ in hit)
        letters = [*letters, *hit]
    thread = _thread(mail, automatic, facts, letters, office, reads)
    facts = replace(facts, thread=thread)
    revised = [reads.item_by_receipt(i.revises) for i in (*thread, *facts.of_sender) if i.revises]
    known_ids = {i.id for i in facts.of_unit}
    more = {i.id: i for i in revised if i is not None and i.id not in known_ids}
    facts = replace(facts, of_unit=(*facts.of_unit, *_earlier(list(more.values()))))
    return Gathered(facts, bounced)


def _with_command(mail: IncomingMail, sender: str, facts: Facts, reads: Reads) -> Facts:
    """What the mail asks of the bot, and what deciding that needs."""
    book, command = facts.book, read_command(mail, day_of(facts.received))
    facts = replace(facts, command=command, approver=approves(sender, book))
    if isinstance(command, Supplement):
        appeal = reads.appeal(command.appeal)
        own = appeal is not None and (appeal.new.office, appeal.new.unit_id) == (
            book.info.id,
            facts.bound_unit,
        )
        if appeal is None or not own:
            return facts
        return replace(facts, appeal_open=not appeal.answer, appeal_mail=appeal.new.inbound_id)
    if isinstance(command, Ruling):
        code = code_of(command, sender, book.info.id, facts.received, reads)
        wrong = wrong_codes(sender, book.info.id, facts.received, reads) if facts.approver else 0
        return replace(facts, code=code.state, code_known=code.known, wrong_codes=wrong)
    return facts


def _in_force(facts: Facts) -> bool:
    """Has the office rules for the day? Mail from before them is only recorded."""
    day = day_of(facts.received)
    try:
        facts.book.convention_on(day)
        facts.book.categories_on(day)
    except NoRuleInForce:
        return False
    return True


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
    items = _earlier([i for i in found.values() if i.office == office])
    if facts.reading is not None and facts.reading.reference:
        item = reads.item_by_receipt(facts.reading.reference)
        if item is not None and item.office == office and item.id not in found:
            items += tuple(replace(i, by_reference=True) for i in _earlier([item]))
    if automatic is not None and automatic.kind is AutomaticKind.RECALL and mail.author:
        title = recalled_subject(mail) or ""
        since = facts.received - timedelta(days=facts.book.limits.duplicate_days)
        sent = _earlier(reads.items_of_sender(office, mail.author.addr, since))
        named = [i for i in sent if i.id not in found and _names(title, i)]
        # One mail was recalled: of 动态 and 工作动态 the one that is named most fully, and newest.
        items += tuple(sorted(named, key=lambda i: (len(i.title), i.id))[-1:])
    return items


def _names(recalled: str, item: EarlierItem) -> bool:
    """A recall notice repeats the whole subject, of which the title is a part."""
    return bool(item.title) and (
        item.title in recalled or similarity(recalled, item.title) >= RECALLED
    )


def _earlier(rows: list[ItemRow]) -> tuple[EarlierItem, ...]:
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
            has_content=bool(r.version.fields.get("content")),
            month=r.month,
            submitter=r.version.submitter,
            contact=r.version.contact,
            attachment_paths=r.version.attachment_paths,
            content_from=r.version.attachments_from,
            classification=Classification(
                category=r.version.category,
                by=r.version.category_by,
                evidence=r.version.category_evidence,
                doubtful=DOUBTFUL in r.flags,
                link=(),
                topics=r.version.topics,
            ),
            scope=r.version.scope,
            revises=r.version.fields.get("revises", ""),
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
