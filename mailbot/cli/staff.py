"""What staff do until they have the desk: tasks, categories, release, addresses, backlog."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from mailbot.adapters.db.staff_lists import bindings, close_tasks, held_mail, open_tasks
from mailbot.adapters.i18n import _
from mailbot.app import staff as by_hand
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.mailbox import Mailbox
from mailbot.bootstrap import Office, open_office
from mailbot.cli.context import settings
from mailbot.cli.rows import Column, Lines, settled_lines, settled_row

Who = Annotated[str, typer.Option(help=_("Who decided; default the login name."))]


def tasks(
    done: Annotated[
        list[int] | None, typer.Option(help=_("Number of a task that is done."))
    ] = None,
    who: Who = "",
) -> None:
    """Open tasks, oldest first."""
    office = open_office(settings())
    if done:
        count = close_tasks(office.store, done, who or getpass.getuser(), office.clock.now())
        typer.echo(_("{count} tasks closed.").format(count=count))
        return
    lines = Lines(
        [
            Column("#", 5),
            Column(_("Time"), 11),
            Column(_("Mail"), 9),
            Column(_("Number"), 14),
            Column(_("What to do"), 90),
        ]
    )
    typer.echo(lines.head())
    for task in open_tasks(office.store):
        mail = f"mail:{task.inbound_id}" if task.inbound_id else ""
        typer.echo(
            lines.row(
                [str(task.id), task.created.strftime("%m-%d %H:%M"), mail, task.receipt, task.text]
            )
        )


def category(
    receipt: Annotated[str, typer.Argument(help=_("Receipt number."))],
    new: Annotated[str, typer.Argument(help=_("Category, by id or name: problem, 问题."))],
    why: Annotated[str, typer.Option(help=_("The reason, kept with the item."))] = "",
    who: Who = "",
) -> None:
    """Corrects an item's category; the earlier reading stays in its history."""
    office = open_office(settings())
    item = by_hand.correct_category(
        receipt, new, who or getpass.getuser(), why, office.books, office.store, office.clock.now()
    )
    typer.echo(
        _("{receipt} is now {category}.").format(
            receipt=item.receipt, category=item.version.category
        )
    )


def release(
    receipt: Annotated[str, typer.Argument(help=_("Receipt number."))],
    unit: Annotated[
        str | None, typer.Option(help=_("The unit, where the mail left it open."))
    ] = None,
    who: Who = "",
) -> None:
    """Accepts a held or returned item by hand and acknowledges it."""
    office = open_office(settings())
    settler = office.settler(_mailbox_of(office, receipt))
    item = by_hand.release(
        receipt, unit, who or getpass.getuser(), settler, office.store, office.clock.now()
    )
    typer.echo(
        _("{receipt} accepted; the acknowledgement is in the outbox.").format(receipt=item.receipt)
    )


def senders(
    bind: Annotated[str | None, typer.Option(help=_("Address to bind to --unit."))] = None,
    unit: Annotated[str | None, typer.Option(help=_("Unit the address belongs to."))] = None,
    refuse: Annotated[str | None, typer.Option(help=_("Address whose mail is not taken."))] = None,
    office: Annotated[str | None, typer.Option(help=_("Office; default the first one."))] = None,
    who: Who = "",
) -> None:
    """Lists the addresses, binds one or refuses one. Held mail of it is looked at again."""
    here = open_office(settings())
    name = office or next(iter(here.books))
    if name not in here.books:
        raise OperatorFault(Fault(name, _("no such office"), ", ".join(here.books)))
    if bind and not unit:
        raise OperatorFault(Fault("--bind", _("the unit is missing"), _("add --unit NAME")))
    address = bind or refuse
    if address:
        box = next(b for b in here.settings.require_mailboxes() if name in b.offices)
        again = by_hand.bind(
            address,
            unit if bind else None,
            who or getpass.getuser(),
            here.settler(here.mailbox(box)),
            name,
            held_mail(here.store, name, address) if bind else [],
            here.store,
            here.clock.now(),
        )
        typer.echo(_("Done: {address}").format(address=address))
        lines = settled_lines()
        for settled in again:
            typer.echo(settled_row(lines, settled))
        return
    lines = Lines([Column(_("Address"), 40), Column(_("Unit"), 24), Column(_("State"), 10)])
    typer.echo(lines.head())
    roster = here.books[name].roster
    for known in bindings(here.store, name):
        unit_name = roster.get(known.unit_id).name if known.unit_id else ""
        typer.echo(lines.row([known.address, unit_name, _binding_name(known.state)]))


def backlog(
    send: Annotated[bool, typer.Option("--send", help=_("Send them all."))] = False,
    drop: Annotated[bool, typer.Option("--drop", help=_("Never send them."))] = False,
    only: Annotated[
        list[int] | None, typer.Option(help=_("Only this letter (its number)."))
    ] = None,
    who: Who = "",
) -> None:
    """Answers withheld because their mail was older than `answer_max_age_hours`."""
    if send and drop:
        raise OperatorFault(Fault("--send --drop", _("only one of the two can be meant")))
    here = open_office(settings())
    letters = [x for x in here.store.outbox.withheld() if not only or x.id in only]
    if send or drop:
        count = here.store.outbox.set_withheld(
            [x.id for x in letters], send, who or getpass.getuser(), here.clock.now()
        )
        said = _("{count} letters will be sent.") if send else _("{count} letters dropped.")
        typer.echo(said.format(count=count))
        return
    lines = Lines([Column("#", 6), Column(_("To"), 36), Column(_("Subject"), 80)])
    typer.echo(lines.head())
    for letter in letters:
        typer.echo(lines.row([str(letter.id), letter.recipient, letter.subject]))
    typer.echo("")
    typer.echo(
        _("{count} withheld. Send them with --send, drop them with --drop.").format(
            count=len(letters)
        )
    )


def _mailbox_of(office: Office, receipt: str) -> Mailbox:
    with office.store.reading() as reads:
        item = reads.item_by_receipt(receipt.strip().upper())
        row = reads.inbound(item.inbound_id) if item else None
    boxes = office.settings.require_mailboxes()
    box = next((b for b in boxes if row and b.name == row.origin.account), boxes[0])
    return office.mailbox(box)


def _binding_name(state: str) -> str:
    return {
        "proposed": _("proposed"),
        "bound": _("bound"),
        "refused": _("refused"),
    }.get(state, state)
