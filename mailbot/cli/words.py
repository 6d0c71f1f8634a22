"""How codes read to the people of the office: one table for each kind of code.

A code without a row is shown as it is, so that a newer core never breaks an older table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.cells import cell_len

from mailbot.adapters.i18n import N_, _
from mailbot.adapters.resultsheets import CONSEQUENCES as CONSEQUENCES
from mailbot.adapters.resultsheets import UNIT_STATUSES as UNIT_STATUSES
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.scoring import NotScored
from mailbot.core.intake.model import DecisionKind, Relation
from mailbot.core.letters.answers import AnswerKind
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.events import NAMES, EventKind
from mailbot.core.rules.periods import Period

if TYPE_CHECKING:
    from mailbot.app.settle import Settled
    from mailbot.app.staff import NotDone

DECISIONS: Mapping[str, str] = {
    DecisionKind.ACCEPT.value: N_("accepted"),
    DecisionKind.RETURN.value: N_("returned"),
    DecisionKind.HOLD.value: N_("held"),
    DecisionKind.QUARANTINE.value: N_("quarantined"),
    DecisionKind.IGNORE.value: N_("ignored"),
    DecisionKind.COMMAND.value: N_("request"),
    "": N_("not yet decided"),
}
ITEM_STATES: Mapping[str, str] = {
    "accepted": N_("accepted"),
    "returned": N_("returned"),
    "held": N_("held"),
    "replaced": N_("replaced"),
    "withdrawal_requested": N_("withdrawal requested"),
    "duplicate": N_("duplicate"),
    "taken_back": N_("taken back"),
}
MAIL_STATES: Mapping[str, str] = {
    "new": N_("registered, not yet read"),
    "decided": N_("decided, not yet marked in the mailbox"),
    "settled": N_("done"),
    "vanished": N_("gone from the mailbox before it was read"),
}
ANSWERS: Mapping[str, str] = {
    AnswerKind.ACKNOWLEDGEMENT.value: N_("acknowledgement"),
    AnswerKind.REPEAT.value: N_("said again"),
    AnswerKind.RETURN.value: N_("return"),
    AnswerKind.PENDING.value: N_("being checked"),
    AnswerKind.LIMIT.value: N_("limit notice"),
    AnswerKind.SERVICE.value: N_("reply to a request"),
}
LETTER_STATES: Mapping[str, str] = {
    "ready": N_("waits to be sent"),
    "withheld": N_("withheld until a person decides (mailbot backlog)"),
    "sending": N_("being sent"),
    "dot": N_("handed over, the server's answer is awaited"),
    "sent": N_("sent"),
    "retry": N_("will be tried again"),
    "failed": N_("not sent"),
    "unknown": N_("perhaps sent: look into the mailbox's sent folder"),
    "dropped": N_("dropped by the office"),
}
PERIOD_KINDS: Mapping[str, str] = {
    "week": N_("week"),
    "month": N_("month"),
    "quarter": N_("quarter"),
    "half": N_("half-year"),
    "year": N_("year"),
}
NO_ANSWER: Mapping[str, str] = {
    "automatic": N_("a machine's mail is never answered"),
    "same_mail": N_("the same mail was answered before"),
    "other_channel": N_("it came by another channel, there is no address"),
    "no_author": N_("the mail names no single sender"),
    "authentication_failed": N_("the sender may be forged"),
    "refused_sender": N_("the office refuses this address"),
    "unreadable": N_("the mail could not be read"),
    "too_large": N_("the mail is too large"),
    "too_complex": N_("the mail was not read whole"),
    "empty": N_("the mail is empty"),
    "internal": N_("marked as internal material"),
    "secrets": N_("a secrets mark"),
    "closed": N_("addresses nobody has bound get no answer"),
    "stranger": N_("a stranger's mail that submits nothing"),
    "reply": N_("a reply that submits nothing"),
    "bug": N_("mailbot failed on this mail"),
    "no_rule": N_("it was received before the office's rules begin"),
    "no_usable_address": N_("the sender's address cannot be written to"),
    "no_content": N_("the mail's content was not kept"),
    "already_acknowledged": N_("this mail was acknowledged before"),
    "limit: day": N_("this address has had its answers for today"),
    "limit: repeat": N_("this address has had an answer of this kind today"),
    "limit: thread": N_("this conversation has had its answers"),
    "limit: row": N_("several mails of this address in a row had nothing that could be an item"),
    "limit: breaker": N_("the office's hourly limit of answers"),
    "gate": N_("no automatic answer to this mail"),
    "order": N_("answered when it has been carried out"),
    "unbound_command": N_("a request from an address nobody has bound"),
    "appeal_more": N_("a person answers what belongs to an appeal"),
    "not_approver": N_("the address may not approve drafts"),
    "ruling_doubted": N_("whether the approver wrote it is doubtful"),
}
RECEIVED_SOURCES: Mapping[str, str] = {
    "internaldate": N_("the mail server's time"),
    "file": N_("the file's time"),
    "given": N_("as given"),
    "received": N_("the topmost Received field"),
    "date": N_("the Date field"),
    "now": N_("the present moment: the mail names no time"),
}
CATEGORY_BY: Mapping[str, str] = {
    "mark": N_("as marked by the sender"),
    "rule": N_("by the rules"),
    "default": N_("the default"),
    "staff": N_("corrected by staff"),
}
FLAGS: Mapping[str, str] = {
    "category_doubtful": N_("the category is doubtful"),
    "follow_up": N_("continues an earlier report"),
    "first_address": N_("first mail from this address"),
    "unverified": N_("the sender was not verified by the mail server"),
    "same_title": N_("another item has the same title"),
    "same_message_id": N_("another mail has the same Message-ID"),
    "encrypted": N_("a file is encrypted"),
    "macro": N_("a file has macros"),
    "in_part": N_("a file was read only in part"),
}
RELATIONS: Mapping[str, str] = {
    Relation.DUPLICATE.value: N_("the same mail as"),
    Relation.RESEND.value: N_("sent again:"),
    Relation.CORRECTION.value: N_("corrects"),
    Relation.RECALL.value: N_("asks to withdraw"),
    Relation.BOUNCE.value: N_("did not arrive:"),
    Relation.RECEIPT.value: N_("was read:"),
    Relation.REPLY.value: N_("replies to"),
    Relation.SAME_ID.value: N_("has the same Message-ID as"),
    Relation.COPY.value: N_("a copy of our own"),
}
BINDINGS: Mapping[str, str] = {
    "proposed": N_("proposed"),
    "bound": N_("bound"),
    "refused": N_("refused"),
}
KINDS: Mapping[str, str] = {
    "word": N_("Word document"),
    "sheet": N_("spreadsheet"),
    "slides": N_("slides"),
    "pdf": "PDF",
    "ofd": "OFD",
    "text": N_("text"),
    "rtf": "RTF",
    "html": N_("web page"),
    "image": N_("picture"),
    "archive": N_("archive (zip, rar)"),
    "mail": N_("mail"),
    "calendar": N_("invitation"),
    "signature": N_("signature"),
    "other": N_("other"),
    "empty": N_("empty"),
}
DEFECTS: Mapping[str, str] = {
    "empty": N_("nothing in it"),
    "too_large": N_("too large: only the header was read"),
    "parser_failed": N_("structure not understood, read by the spare way"),
    "headers_cut": N_("header too long, read in part"),
    "header_damaged": N_("a header field is damaged"),
    "header_repeated": N_("a header field stands twice"),
    "charset_missing": N_("no charset named"),
    "charset_unknown": N_("unknown charset named"),
    "charset_wrong": N_("another charset than named"),
    "bytes_replaced": N_("some characters could not be read"),
    "control_removed": N_("control characters taken out"),
    "transfer_damaged": N_("damaged on the way"),
    "structure_damaged": N_("structure damaged"),
    "parts_cut": N_("too many parts, not all were read"),
    "depth_cut": N_("nested too deeply, not all was read"),
    "text_cut": N_("text not read to its end"),
    "address_damaged": N_("an address is damaged"),
    "date_damaged": N_("the date is damaged"),
    "tnef_unreadable": N_("winmail.dat could not be read"),
    "encrypted": N_("encrypted, kept unread"),
    "unreadable": N_("could not be read"),
}
ACTIONS: Mapping[str, str] = {
    "item.added": N_("registered"),
    "item.version": N_("new version"),
    "item.state": N_("state changed"),
    "item.category": N_("category corrected"),
    "release": N_("released"),
    "record": N_("entered"),
    "record.reversed": N_("taken back"),
    "seal": N_("sealed"),
    "binding": N_("address bound or refused"),
    "outbox.released": N_("withheld letter let go"),
    "outbox.dropped": N_("withheld letter dropped"),
    "suspended": N_("no more letters of our own accord to this address"),
    "appeal.opened": N_("appeal opened"),
    "appeal.joined": N_("appeal repeated"),
    "appeal.answered": N_("appeal answered"),
}
REPLAYED: Mapping[str, str] = {
    "decision": N_("decision"),
    "office": N_("office"),
    "answer": N_("answer"),
    "items": N_("number of items"),
    "unit": N_("unit"),
    "title": N_("title"),
    "submitter": N_("submitter"),
    "contact": N_("contact"),
    "category": N_("category"),
    "corrects": N_("corrects"),
    "month": N_("counts in"),
}


def word(table: Mapping[str, str], code: str) -> str:
    """The code in the reader's language."""
    return _(table[code]) if code in table else code


def width(table: Mapping[str, str], *more: str) -> int:
    """Cells the longest word of a table takes, or of the `more` words beside it."""
    return max(cell_len(w) for w in (*(_(t) for t in table.values()), *more))


def answer_name(kind: str) -> str:
    """An answer's kind; `-` for none."""
    return word(ANSWERS, kind) if kind in ANSWERS else "-"


def no_answer(why: str) -> str:
    """Why there is no answer: `NewDecision.answer` without its `none:`, or `Answer.none`."""
    plain = why.removeprefix("none:")
    if plain in NO_ANSWER:
        return word(NO_ANSWER, plain)
    head, _colon, detail = plain.partition(":")
    if head == "gate":
        return f"{word(NO_ANSWER, head)}: {detail.strip()}"
    return plain


def settled_answer(settled: Settled) -> str:
    """The answer of a mail just decided, `-` for none."""
    kind = settled.answer.kind
    return answer_name(kind.value) if kind and settled.answer.letter else "-"


def code_of(table: Mapping[str, str], text: str) -> str | None:
    """The code a person means by a code or by its word; None for neither."""
    for code, message in table.items():
        if text and text.strip().lower() in (code, message.lower(), _(message).lower()):
            return code
    return None


def choices(table: Mapping[str, str], codes: Iterable[str] | None = None) -> str:
    """The codes with their words, for a message that lists what may be given."""
    return "、".join(f"{c}（{word(table, c)}）" for c in (codes or table) if c)


@contextmanager
def in_words() -> Iterator[None]:
    """What staff asked for and could not be done, as a fault with what to do."""
    from mailbot.app.staff import NotDone  # here: not every command about results deals with mail

    try:
        yield
    except NotDone as fault:
        raise OperatorFault(_fault(fault)) from None


def _fault(fault: NotDone) -> Fault:
    names = "、".join(fault.choices)
    match fault.code:
        case "no_item":
            found = _("there is no such receipt number")
            remedy = _("see the numbers with: mailbot items")
        case "not_open":
            found = _("its state is: {state}").format(state=word(ITEM_STATES, fault.found))
            remedy = _("only what is held or returned can be released; look with: mailbot show")
        case "no_unit":
            found = _("it is not known which unit it is from")
            remedy = _("add --unit NAME")
        case "no_title":
            found = _("it has no title")
            remedy = _("add --title TITLE")
        case "unknown_category":
            found = _("no such category")
            remedy = _("known: {names}").format(names=names)
        case "unknown_unit":
            found = _("no unit in the roster has this name")
            remedy = (
                _("the nearest: {names}").format(names=names)
                if names
                else _("write the name as in the roster; see them with: mailbot rules units")
            )
        case "several_units":
            found = _("several units have this name")
            remedy = _("write the whole name: {names}").format(names=names)
        case _:
            found = _("this office is not set up (any more)")
            remedy = _("known: {names}").format(names=names)
    return Fault(fault.what, found, remedy)


def period(text: str) -> Period:
    """As people write one. Raises `OperatorFault`."""
    try:
        return Period.parse(text)
    except ValueError:
        raise OperatorFault(
            Fault(text, _("this is no period"), _("write it like 2026-08, 2026-Q3, 2026-H1, 2026"))
        ) from None


def no_rule(gap: NoRuleInForce) -> Fault:
    return Fault(
        gap.office,
        _("no rule ({rule}) is in force on {day}").format(rule=gap.rule, day=gap.day),
        _("ask for a later period, or add the rules of that day to the office's data"),
    )


def not_scored(refusal: NotScored) -> Fault:
    """Why a period could not be reckoned or sealed, and what to do."""
    match refusal.code:
        case "wrong_kind":
            kind = word(PERIOD_KINDS, refusal.found)
            found = _("this office closes its books by {kind}").format(kind=kind)
            remedy = _("name a period of that kind, e.g. 2026-Q3")
        case "not_begun":
            found = _("it begins on {day}").format(day=refusal.found)
            remedy = _("name a period that has begun, or a later --as-of")
        case "not_over":
            found = _("it is not over before {day}").format(day=refusal.found)
            remedy = _("look at it as it stands with: mailbot standings")
        case "sealed_already":
            found = _("sealed {day} by {who}").format(
                day=refusal.found, who="、".join(refusal.choices)
            )
            remedy = _("record corrections; they become entries of the running period")
        case "unscorable":
            found = _("it cannot be scored as it was entered: {why}").format(why=refusal.found)
            remedy = _("take it back with: mailbot record --reverse NUMBER, and enter it again")
        case "regrouped":
            now, sealed, last = refusal.choices
            found = _("in {period}, which is sealed, it was in group {then}, not {now}").format(
                period=sealed, then=refusal.found, now=now
            )
            remedy = _(
                'write into units.toml: earlier_groups = [{{ group = "{then}", end = {last} }}]'
                " (or the later day on which it moved)"
            ).format(then=refusal.found, last=last)
        case "earlier_open":
            found = _("{period} before it is not sealed yet").format(period=refusal.found)
            remedy = _("seal {period} first").format(period=refusal.found)
        case _:
            found = _("there is no such office or unit")
            remedy = _("known: {names}").format(names="、".join(refusal.choices))
    return Fault(refusal.what, found, remedy)


def event_name(kind: EventKind) -> str:
    """The office's own word, whatever the language: it stands so in its documents."""
    return NAMES[kind.value]
