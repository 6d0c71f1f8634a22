"""`record`: enters what happened, one event or a whole file, lists it, takes it back.

One command for all of it, as people look for one. What an entry means and whether it makes sense
is `app.recording`'s business; what it prints, `recordshown`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.recording.columns import COLUMNS, KIND_COLUMN, Read
from mailbot.app.recording.desk import enter, reverse, reverse_item
from mailbot.app.recording.forms import Given, closed_word
from mailbot.app.recording.keep import Desk
from mailbot.app.recording.values import Wrong, folded, read_day
from mailbot.app.staff import resolve_unit
from mailbot.bootstrap import DEFAULT_OFFICE, Office
from mailbot.cli import words
from mailbot.cli.context import decided_by, installation, say
from mailbot.cli.recordfile import import_file, refusals, write
from mailbot.cli.recordshown import list_records, print_entered, print_taken_back
from mailbot.cli.staff import Who
from mailbot.core.rules.events import EventKind
from mailbot.core.rules.rulebook import OfficeBook

Text = str | None
Yes = bool | None


def record(
    ctx: typer.Context,
    kind: Annotated[
        str, typer.Argument(help=_("What happened: adoption, 采用, instruction, 批示 ..."))
    ] = "",
    # the event
    unit: Annotated[Text, typer.Option(help=_("Unit, by name or alias."))] = None,
    day: Annotated[
        Text, typer.Option(help=_("Its day, 2026-08-03; of a submission when it was received."))
    ] = None,
    receipt: Annotated[Text, typer.Option(help=_("Receipt number of the item."))] = None,
    title: Annotated[Text, typer.Option(help=_("Title of the item."))] = None,
    evidence: Annotated[
        Text, typer.Option(help=_("What shows it: document number, issue, file."))
    ] = None,
    reason: Annotated[Text, typer.Option(help=_("Why, in words."))] = None,
    journal: Annotated[Text, typer.Option(help=_("Journal that printed it."))] = None,
    form: Annotated[Text, typer.Option(help=_("full, brief, roundup or special."))] = None,
    level: Annotated[Text, typer.Option(help=_("Level of leader, target or orderer."))] = None,
    urgent_major: Annotated[
        Yes,
        typer.Option("--urgent-major/--not-urgent-major", help=_("Was it a major urgent item?")),
    ] = None,
    outcome: Annotated[Text, typer.Option(help=_("Of a commission: done or missed."))] = None,
    fault: Annotated[
        Text, typer.Option(help=_("Of an error: late, omitted, concealed, wrong, untrue ..."))
    ] = None,
    major: Annotated[
        Yes, typer.Option("--major/--not-major", help=_("Was the matter a major one?"))
    ] = None,
    serious: Annotated[
        Yes, typer.Option("--serious/--not-serious", help=_("Was the error serious?"))
    ] = None,
    bad_effect: Annotated[
        Yes, typer.Option("--bad-effect/--no-bad-effect", help=_("Had it a bad effect?"))
    ] = None,
    forecast: Annotated[
        Yes,
        typer.Option("--forecast/--no-forecast", help=_("A forecast, or overtaken by events?")),
    ] = None,
    deputy: Annotated[
        Text, typer.Option(help=_("Deputy in office that day; default by the roster."))
    ] = None,
    liaison: Annotated[
        Text, typer.Option(help=_("Liaison in office that day; default by the roster."))
    ] = None,
    about: Annotated[
        Text, typer.Option(help=_("Of an explanation: number of the record it is about."))
    ] = None,
    accepted: Annotated[
        Yes, typer.Option("--accepted/--not-accepted", help=_("Was the explanation accepted?"))
    ] = None,
    signer: Annotated[
        Text, typer.Option(help=_("Who signed it: head, deputy, liaison or other."))
    ] = None,
    status: Annotated[
        Text, typer.Option(help=_("From that day: appointed, suspended or withdrawn."))
    ] = None,
    rule: Annotated[Text, typer.Option(help=_("Rule for points set by hand."))] = None,
    points: Annotated[Text, typer.Option(help=_("Points set by hand."))] = None,
    list_name: Annotated[
        Text, typer.Option("--on-list", help=_("List of the notice the unit is put on."))
    ] = None,
    task: Annotated[Text, typer.Option(help=_("Id of the ledger's task."))] = None,
    number: Annotated[
        Text, typer.Option(help=_("Of a commission: the number it was given under."))
    ] = None,
    due: Annotated[Text, typer.Option(help=_("Its due day; default the ledger's."))] = None,
    times: Annotated[Text, typer.Option(help=_("How many persons or person-times."))] = None,
    partners: Annotated[
        Text, typer.Option(help=_("The other units of a joint item, with commas."))
    ] = None,
    shares: Annotated[Text, typer.Option(help=_("Their parts: 农牧局0.6,水利局0.4"))] = None,
    # an item of another channel
    category: Annotated[Text, typer.Option(help=_("Category, by name or id."))] = None,
    channel: Annotated[
        Text, typer.Option(help=_("oa, fax, official_mail, letter, wechat or other."))
    ] = None,
    submitter: Annotated[Text, typer.Option(help=_("The submitter, if known."))] = None,
    contact: Annotated[Text, typer.Option(help=_("The contact, if known."))] = None,
    commissioned: Annotated[
        Yes, typer.Option("--commissioned/--not-commissioned", help=_("Answers a commission."))
    ] = None,
    follow_up: Annotated[
        Yes, typer.Option("--follow-up/--no-follow-up", help=_("Continues an earlier report."))
    ] = None,
    scope: Annotated[Text, typer.Option(help=_("Distribution scope as marked."))] = None,
    not_duplicate: Annotated[
        bool, typer.Option("--not-duplicate", help=_("It is another one, though it looks alike."))
    ] = False,
    # a file
    template: Annotated[
        Path | None, typer.Option(help=_("Write the template to fill in (.xlsx or .csv)."))
    ] = None,
    import_: Annotated[
        Path | None,
        typer.Option("--import", help=_("Read a filled-in file; without --apply only a trial.")),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help=_("Enter all of it."))] = False,
    # what was entered
    list_: Annotated[bool, typer.Option("--list", help=_("List what was entered."))] = False,
    of_kind: Annotated[str, typer.Option("--kind", help=_("With --list: only this kind."))] = "",
    since: Annotated[str, typer.Option(help=_("With --list: from this day on."))] = "",
    reversed_: Annotated[
        str, typer.Option("--reverse", help=_("Take back a record (number), with --why."))
    ] = "",
    why_: Annotated[str, typer.Option("--why", help=_("Why it is taken back."))] = "",
    office: Annotated[str, typer.Option(help=_("Office; default the only one."))] = "",
    who: Who = "",
) -> None:
    """Enters one event, unless a file, the list or a reversal is asked for."""
    modes = {
        "KIND": bool(kind.strip()),
        "--template": template is not None,
        "--import": import_ is not None,
        "--list": list_,
        "--reverse": bool(reversed_),
    }
    _one_of(modes)
    here = installation()
    book = _book(here, office)
    today = here.clock.now().date()
    if template is not None:
        write(template, book, today)
    elif list_:
        list_records(
            here,
            book,
            unit=_unit_id(unit, book, today),
            kind=_kind(of_kind),
            since=_day("--since", since),
        )
    elif import_ is not None:
        import_file(import_, evidence or "", _desk(here, book, decided_by(who)), here, apply=apply)
    elif reversed_:
        _reverse(reversed_, why_, evidence or "", here, _desk(here, book, decided_by(who)))
    else:
        given = _given(kind, ctx.params)
        desk = _desk(here, book, decided_by(who))
        with refusals():
            entered = enter(given, desk, here.store)
        print_entered(entered)


def _one_of(modes: Mapping[str, bool]) -> None:
    asked = [name for name, wanted in modes.items() if wanted]
    if len(asked) > 1:
        raise OperatorFault(
            Fault(" ".join(asked), _("one of them at a time"), _("run the command twice"))
        )
    if not asked:
        kinds = "、".join(f"{code}（{name}）" for code, name in KIND_COLUMN.words.items())
        raise OperatorFault(
            Fault(
                "mailbot record",
                _("it is not said what to record"),
                _("name one: {kinds}; or --template, --import, --list, --reverse").format(
                    kinds=kinds
                ),
            )
        )


def _given(kind: str, options: Mapping[str, Any]) -> Given:
    """The options as an entry: what was not given is left out."""
    named = {"list": "list_name"}
    values: dict[str, str] = {"kind": kind}
    places = {"kind": f"mailbot record {kind}"}
    for column in COLUMNS[1:]:
        value = options[named.get(column.key, column.key)]
        option = "on-list" if column.key == "list" else column.key.replace("_", "-")
        places[column.key] = f"--{option}"
        if column.read is Read.YES:
            if value is not None and not (column.key == "not_duplicate" and not value):
                values[column.key] = "是" if value else "否"
        elif value is not None:
            values[column.key] = value
    return Given(values, places, f"mailbot record {kind}")


# --- reversal ----------------------------------------------------------------------------------


def _reverse(what: str, reason: str, evidence: str, here: Office, desk: Desk) -> None:
    plain = folded(what)
    number = plain.lstrip("#").removeprefix("record:")
    with refusals():
        if number.isdecimal():
            print_taken_back(reverse(int(number), reason, evidence, desk, here.store), int(number))
            return
        item = reverse_item(plain.upper(), reason, desk, here.store)
    say(_("{receipt} is taken back and counts no more.").format(receipt=item.receipt))


# --- helpers -----------------------------------------------------------------------------------


def _desk(here: Office, book: OfficeBook, who: str) -> Desk:
    return Desk(book, who, here.clock.now())


def _book(here: Office, name: str) -> OfficeBook:
    """The office asked for; else the only one, else the default one."""
    if not name:
        name = next(iter(here.books)) if len(here.books) == 1 else DEFAULT_OFFICE
    if name not in here.books:
        raise OperatorFault(Fault(f"--office {name}", _("no such office"), ", ".join(here.books)))
    return here.books[name]


def _unit_id(text: str | None, book: OfficeBook, today: date) -> str | None:
    if not text:
        return None
    with words.in_words():
        return resolve_unit(text, book, today)


def _kind(text: str) -> EventKind | None:
    if not text:
        return None
    try:
        return EventKind(closed_word(folded(text), KIND_COLUMN))
    except Wrong as wrong:
        raise OperatorFault(Fault("--kind", wrong.found, wrong.remedy)) from None


def _day(option: str, text: str) -> date | None:
    if not text:
        return None
    try:
        return read_day(text)
    except Wrong as wrong:
        raise OperatorFault(Fault(option, wrong.found, wrong.remedy)) from None
