"""What staff do until they have the desk: tasks, categories, release, addresses, backlog."""

from __future__ import annotations

from typing import Annotated

import typer

from mailbot.adapters.db.outbox import FAILED_SEND
from mailbot.adapters.db.staff_lists import (
    ListedTask,
    bindings,
    close_tasks,
    held_mail,
    open_tasks,
    tasks_of_address,
    tasks_of_mail,
)
from mailbot.adapters.i18n import _
from mailbot.app import bounces
from mailbot.app import staff as by_hand
from mailbot.app.answers import WITHHELD
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.evidence import UNKNOWN_SEND
from mailbot.app.mailbox import Mailbox
from mailbot.app.records import InboundRow, OutboxState
from mailbot.app.service import appeals
from mailbot.app.settle import Settled, Settler
from mailbot.app.witness import TASK as RESTORED
from mailbot.bootstrap import Office
from mailbot.cli import words
from mailbot.cli.context import decided_by, installation, say
from mailbot.cli.listing import category_name, unit_name
from mailbot.cli.rows import GAP, Column, Lines, plain, room, settled_lines, settled_row
from mailbot.core.mail.compose import usable_address

Who = Annotated[str, typer.Option(help=_("Who decided; default the login name."))]

ADDRESS_TASKS = frozenset({"complete", "correction", "resend", "unbound_sender"})
"""Kinds of task (`Reason.code` of the decision) that only ask whose address it is."""

OWN_ANSWER = frozenset(
    {appeals.TASK, appeals.MORE, bounces.TASK, "breaker", "limit", FAILED_SEND, UNKNOWN_SEND}
)
"""Kinds of task that no release of an item answers, whichever mail they are about: an objection
waits for its answer, a letter that was not delivered for somebody who tells its reader."""


def tasks(
    numbers: Annotated[
        list[int] | None, typer.Argument(help=_("Numbers of tasks to read whole."))
    ] = None,
    done: Annotated[
        list[int] | None, typer.Option(help=_("Number of a task that is done."))
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help=_("Also the addresses that wait for a word."))
    ] = False,
    who: Who = "",
) -> None:
    """Open tasks, oldest first."""
    office = installation()
    found = open_tasks(office.store)
    if done:
        _all_open(done, found, "--done", _("no open task has this number; nothing was closed"))
        count = close_tasks(office.store, done, decided_by(who), office.clock.now())
        say(_("{count} tasks closed.").format(count=count))
        return
    if numbers:
        _all_open(numbers, found, "mailbot tasks", _("no open task has this number"))
        _print_whole([t for t in found if t.id in numbers])
        return
    addresses = [t for t in found if t.kind in ADDRESS_TASKS]
    shown = found if all_ else [t for t in found if t.kind not in ADDRESS_TASKS]
    _print_tasks(shown)
    say(_("{count} tasks.").format(count=len(shown)))
    if shown:
        say(_("To read one whole: mailbot tasks NUMBER."))
    if addresses and not all_:
        say(
            _(
                "Another {count} ask whose address a mail came from: see mailbot tasks --all, "
                "answer them with mailbot senders --bind ADDRESS --unit NAME."
            ).format(count=len(addresses))
        )


def _all_open(asked: list[int], found: list[ListedTask], where: str, fault: str) -> None:
    if unknown := sorted(set(asked) - {t.id for t in found}):
        place = " ".join([where, *map(str, unknown)])
        raise OperatorFault(Fault(place, fault, _("see the numbers with: mailbot tasks --all")))


def _print_whole(found: list[ListedTask]) -> None:
    """A table has no room for what a task says of how to end it."""
    for task in found:
        mail = f"mail:{task.inbound_id}" if task.inbound_id else ""
        about = [str(task.id), f"{task.created:%Y-%m-%d %H:%M}", mail, task.receipt, task.sender]
        say("━━ " + GAP.join(plain(part) for part in about if part))
        say(plain(task.text))


def _print_tasks(found: list[ListedTask]) -> None:
    if not found:
        return
    lines = Lines(
        [
            Column(_("No."), 5),
            Column(_("Time"), 11, 0, 2),
            Column(_("Mail"), 9),
            Column(_("Number"), 14),
            Column(_("Sender"), 28, 20, 3),
            Column(_("What to do"), 90, 30),
        ],
        room(),
    )
    say(lines.head())
    for task in found:
        mail = f"mail:{task.inbound_id}" if task.inbound_id else ""
        time = task.created.strftime("%m-%d %H:%M")
        say(lines.row([str(task.id), time, mail, task.receipt, task.sender, task.text]))
    say()


def category(
    receipt: Annotated[str, typer.Argument(help=_("Receipt number."))],
    new: Annotated[str, typer.Argument(help=_("Category, by id or name: problem, 问题."))],
    why: Annotated[str, typer.Option(help=_("The reason, kept with the item."))] = "",
    who: Who = "",
) -> None:
    """Corrects an item's category; the earlier reading stays in its history."""
    office = installation()
    with words.in_words():
        item = by_hand.correct_category(
            receipt,
            new.strip(),
            decided_by(who),
            why,
            office.books,
            office.store,
            office.clock.now(),
        )
    name = category_name(office, item.office, item.received, item.version.category)
    say(_("{receipt} is now {category}.").format(receipt=item.receipt, category=name))


def release(
    receipt: Annotated[str, typer.Argument(help=_("Receipt number."))],
    unit: Annotated[str, typer.Option(help=_("The unit, where the mail left it open."))] = "",
    title: Annotated[str, typer.Option(help=_("The title, where it is missing or wrong."))] = "",
    submitter: Annotated[str, typer.Option(help=_("The submitter, likewise."))] = "",
    contact: Annotated[str, typer.Option(help=_("The contact, likewise."))] = "",
    why: Annotated[str, typer.Option(help=_("The reason, kept with the item."))] = "",
    who: Who = "",
) -> None:
    """Accepts a held or returned item by hand and acknowledges it."""
    office = installation()
    settler = office.settler(_mailbox_of(office, receipt))
    filled = by_hand.Filled(unit, title, submitter, contact)
    now = office.clock.now()
    with words.in_words():
        done = by_hand.release(receipt, filled, decided_by(who), why, settler, office.store, now)
    item = done.item
    name = unit_name(office, item.office, item.unit_id)
    say(
        _("{receipt} accepted: {unit}, {title}, counts in {month}.").format(
            receipt=item.receipt,
            unit=name,
            title=item.version.title,
            month=item.month.strftime("%Y-%m"),
        )
    )
    if done.answer.letter is not None:
        to = done.answer.letter.recipient
        say(_("The acknowledgement to {address} is in the outbox.").format(address=to))
    else:
        say(_("No acknowledgement: {why}.").format(why=words.no_answer(done.answer.none)))
    if done.still_open:
        numbers = " ".join(done.still_open)
        say(_("Of the same mail these still wait: {numbers}").format(numbers=numbers))
    elif item.inbound_id is not None:
        waiting = tasks_of_mail(office.store, item.inbound_id)
        _close(office, [t for t in waiting if t.kind not in OWN_ANSWER], decided_by(who))


def senders(
    bind: Annotated[str | None, typer.Option(help=_("Address to bind to --unit."))] = None,
    unit: Annotated[str | None, typer.Option(help=_("Unit the address belongs to."))] = None,
    refuse: Annotated[str | None, typer.Option(help=_("Address whose mail is not taken."))] = None,
    office: Annotated[str | None, typer.Option(help=_("Office; default the first one."))] = None,
    who: Who = "",
) -> None:
    """Lists the addresses, binds one or refuses one. Held mail of it is looked at again."""
    if bind and refuse:
        raise OperatorFault(Fault("--bind --refuse", _("only one of the two can be meant")))
    if bind and not unit:
        raise OperatorFault(Fault("--bind", _("the unit is missing"), _("add --unit NAME")))
    if unit and not bind:
        raise OperatorFault(Fault("--unit", _("the address is missing"), _("add --bind ADDRESS")))
    here = installation()
    name = office or next(iter(here.books))
    if name not in here.books:
        raise OperatorFault(Fault(name, _("no such office"), ", ".join(here.books)))
    if bind:
        _bind(here, name, _address("--bind", bind), unit or "", decided_by(who))
    elif refuse:
        _refuse(here, name, _address("--refuse", refuse), decided_by(who))
    else:
        _list_senders(here, name)


def _bind(here: Office, name: str, address: str, unit: str, who: str) -> None:
    now = here.clock.now()
    with words.in_words():
        unit_id = by_hand.resolve_unit(unit, here.books[name], now.date())
    waiting = tasks_of_address(here.store, name, address)
    held = held_mail(here.store, name, address)
    again = by_hand.bind(
        address, unit_id, who, lambda row: _settler_of(here, row), name, held, here.store, now
    )
    unit = unit_name(here, name, unit_id)
    say(_("{address} now belongs to {unit}.").format(address=address, unit=unit))
    _print_again(again)
    settled = {s.inbound_id for s in again if s.kind != "hold"}
    done = [t for t in waiting if t.kind in ADDRESS_TASKS or t.inbound_id in settled]
    _close(here, done, who)


def _refuse(here: Office, name: str, address: str, who: str) -> None:
    waiting = tasks_of_address(here.store, name, address)
    by_hand.bind(
        address,
        None,
        who,
        lambda row: _settler_of(here, row),
        name,
        [],
        here.store,
        here.clock.now(),
    )
    say(_("Mail from {address} is no longer taken.").format(address=address))
    _close(here, [t for t in waiting if t.kind in ADDRESS_TASKS], who)


def _print_again(again: list[Settled]) -> None:
    if not again:
        return
    say(_("{count} held mails were decided again:").format(count=len(again)))
    lines = settled_lines()
    say(lines.head())
    for settled in again:
        say(settled_row(lines, settled))
    withheld = sum(
        s.answer.letter is not None and s.answer.state is OutboxState.WITHHELD for s in again
    )
    if withheld:
        say(
            _("{count} answers to old mail are withheld: see `mailbot backlog`.").format(
                count=withheld
            )
        )


def _list_senders(here: Office, name: str) -> None:
    known = sorted(bindings(here.store, name), key=lambda b: (b.state != "proposed", b.address))
    if not known:
        say(_("No address is known yet."))
        return
    lines = Lines(
        [Column(_("Address"), 40, 28), Column(_("Unit"), 24, 14), Column(_("State"), 10)], room()
    )
    say(lines.head())
    for one in known:
        unit = unit_name(here, name, one.unit_id) if one.unit_id else ""
        say(lines.row([one.address, unit, words.word(words.BINDINGS, one.state)]))
    say()
    proposed = sum(b.state == "proposed" for b in known)
    say(
        _("{count} addresses, {proposed} of them wait for a word.").format(
            count=len(known), proposed=proposed
        )
    )


def backlog(
    send: Annotated[bool, typer.Option("--send", help=_("Send them all."))] = False,
    drop: Annotated[bool, typer.Option("--drop", help=_("Never send them."))] = False,
    only: Annotated[
        list[int] | None, typer.Option(help=_("Only this letter (its number)."))
    ] = None,
    who: Who = "",
) -> None:
    """Letters withheld: answers to mail older than `answer_max_age_hours`, and what may have gone out
    before the database was restored."""
    if send and drop:
        raise OperatorFault(Fault("--send --drop", _("only one of the two can be meant")))
    here = installation()
    letters = here.store.outbox.withheld()
    unknown = sorted(set(only or ()) - {x.id for x in letters})
    if unknown:
        raise OperatorFault(
            Fault(
                "--only " + " ".join(map(str, unknown)),
                _("no withheld letter has this number; nothing was done"),
                _("see the numbers with: mailbot backlog"),
            )
        )
    letters = [x for x in letters if not only or x.id in only]
    if send or drop:
        count = here.store.outbox.set_withheld(
            [x.id for x in letters], send, decided_by(who), here.clock.now()
        )
        said = _("{count} letters will be sent.") if send else _("{count} letters dropped.")
        say(said.format(count=count))
        _close_backlog_tasks(here, {x.office for x in letters})
        return
    if letters:
        lines = Lines(
            [Column(_("No."), 6), Column(_("To"), 36, 24), Column(_("Subject"), 80, 40)], room()
        )
        say(lines.head())
        for letter in letters:
            say(lines.row([str(letter.id), letter.recipient, letter.subject]))
        say()
    say(
        _("{count} withheld. Send them with --send, drop them with --drop.").format(
            count=len(letters)
        )
        if letters
        else _("No answer is withheld.")
    )


def _close_backlog_tasks(here: Office, offices: set[str]) -> None:
    """Of those offices where no letter is withheld any more."""
    for office in sorted(offices):
        with here.store.begin() as tx:
            if not tx.read.withheld_answers(office):
                for kind in (WITHHELD, RESTORED):
                    tx.close_tasks(office, kind, here.clock.now())


# --- helpers ---------------------------------------------------------------------------------


def _close(office: Office, found: list[ListedTask], who: str) -> None:
    """Closes the tasks a decision has answered."""
    if not found:
        return
    count = close_tasks(office.store, [t.id for t in found], who, office.clock.now())
    say(_("{count} tasks closed.").format(count=count))


def _address(option: str, text: str) -> str:
    address = text.strip().strip("<>").lower()
    if not usable_address(address):
        raise OperatorFault(
            Fault(
                f"{option} {text}",
                _("this is no mail address"),
                _("write it like name@example.com"),
            )
        )
    return address


def _mailbox_of(office: Office, receipt: str) -> Mailbox:
    with office.store.reading() as reads:
        item = reads.item_by_receipt(receipt.strip().upper())
        row = reads.inbound(item.inbound_id) if item and item.inbound_id is not None else None
    boxes = office.settings.require_mailboxes()
    box = next((b for b in boxes if row and b.name == row.origin.account), boxes[0])
    return office.mailbox(box)


def _settler_of(office: Office, row: InboundRow) -> Settler:
    boxes = office.settings.require_mailboxes()
    box = next((b for b in boxes if b.name == row.origin.account), boxes[0])
    return office.settler(office.mailbox(box))
