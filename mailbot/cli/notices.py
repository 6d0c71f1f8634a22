"""`notices`: drafts of circulars and what people decide about them. Nothing of one is sent before a
person has approved it, unless the office's data says so of the letter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.letter_records import DraftFile, DraftRow, DraftState
from mailbot.app.notices.again import Resending
from mailbot.app.notices.draftmail import called
from mailbot.app.notices.files import exported
from mailbot.app.notices.refusals import NotDecided, told
from mailbot.app.notices.sending import Delivery, progress
from mailbot.app.notices.sms import Message, messages
from mailbot.app.scoring import NotScored
from mailbot.bootstrap import Office
from mailbot.cli import context, words
from mailbot.cli.context import decided_by, installation, print_json, say
from mailbot.cli.noticefiles import export, read_document, write_files
from mailbot.cli.noticeshown import (
    counts,
    letter_name,
    list_lines,
    numbered,
    row_json,
    show_json,
    show_lines,
)
from mailbot.cli.rows import plain
from mailbot.cli.wordtemplates import template
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook

notices = typer.Typer(no_args_is_help=True)
notices.command("template", help=_("A Word template to make your own; checks those there are."))(
    template
)

Number = Annotated[int, typer.Argument(help=_("Number of the draft."))]
Who = Annotated[str, typer.Option(help=_("Who decides; default the login name."))]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))]
AsJson = Annotated[bool, typer.Option("--json", help=_("Print JSON."))]


@notices.command("list", help=_("The drafts, newest first, with what became of them."))
def list_(
    office: Annotated[str, typer.Option(help=_("Only this office."))] = "",
    waiting: Annotated[
        bool, typer.Option("--waiting", help=_("Only those that wait for somebody."))
    ] = False,
    as_json: AsJson = False,
) -> None:
    here = installation(letters=False)
    if office:
        _book(here, office)
    with here.store.reading() as reads:
        rows = reads.drafts(office or None, waiting=waiting)
    if as_json:
        print_json([row_json(row) for row in rows])
        return
    if not rows:
        say(_("No draft yet. The calendar makes them; by hand: mailbot notices draft."))
        return
    for line in list_lines([(row, here.books.get(row.office)) for row in rows]):
        say(line)


@notices.command(
    "show", help=_("A draft: what it says, what is unusual, who gets it, what became of it.")
)
def show(
    number: Number,
    files: Annotated[
        Path | None, typer.Option("--files", help=_("Write its files into this folder."))
    ] = None,
    as_json: AsJson = False,
) -> None:
    here = installation(letters=False)
    row, book, found, kept = _draft(here, number)
    if as_json:
        print_json(show_json(row, found, kept))
    else:
        for line in show_lines(row, book, found, kept):
            say(line)
    if files is not None:
        written = write_files(files, exported(kept, row, here.papers))
        if not as_json:
            say(_("{count} files written to {path}.").format(count=written, path=files))


@notices.command("draft", help=_("Drafts a period's notice now, by hand."))
def draft(
    office: Annotated[str, typer.Argument(help=_("The office, e.g. otog."))],
    period: Annotated[str, typer.Argument(help="2026-08, 2026-Q3, 2026-H1, 2026")],
    letter: Annotated[str, typer.Option(help=_("Which letter, by id or name."))] = "",
    who: Who = "",
) -> None:
    here = installation()
    _book(here, office)
    wanted, name = words.period(period), decided_by(who)
    with _in_words(office):
        row = here.approval.draft(office, letter.strip(), wanted, name, here.clock.now())
    say(_("Draft {number}: {title}").format(number=row.id, title=plain(row.title)))
    _say_flags(row)
    say(_("Look at it with: mailbot notices show {number}").format(number=row.id))


@notices.command(
    "approve", help=_("Approves a draft, seals its period where it does, and sends it.")
)
def approve(
    number: Number,
    number_given: Annotated[
        str, typer.Option("--number", help=_("Document number: 某政办通〔2026〕12号."))
    ] = "",
    date: Annotated[
        str | None, typer.Option("--date", help=_("Date on the document; default today."))
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option("--document", help=_("Your own .docx or .pdf in place of the draft's.")),
    ] = None,
    hold: Annotated[bool, typer.Option("--hold", help=_("Do not send it yet."))] = False,
    who: Who = "",
    yes: Yes = False,
) -> None:
    here = installation()
    row, book, found, _kept = _draft(here, number)
    name = decided_by(who)
    issued = context.moment("--date", date)
    content = None if document is None else read_document(document)
    if row.state is DraftState.DRAFT and not yes:
        say(plain(row.title))
        _say_flags(row)
        if not number_given.strip():
            say(_("It gets no document number: give one with --number, if it is to have one."))
        typer.confirm(_question(row, book, found, hold=hold), abort=True)
    with _in_words(str(number)):
        done = here.approval.approve(
            number,
            name,
            here.clock.now(),
            number=number_given,
            issued=issued.date() if issued else None,
            document=content,
            send=not hold,
        )
    say(_("Draft {number} is approved.").format(number=number))
    for line in numbered(done.row):
        say(line)
    for remark in done.notices:
        say(plain(remark))
    if done.sealed:
        say(_("{period} is sealed with it.").format(period=Period.parse(row.period).name))
    if hold:
        say(
            _("Nothing is sent yet. Send it with: mailbot notices send {number}").format(
                number=number
            )
        )
    else:
        _say_queued(number, done.queued, found)


@notices.command(
    "send", help=_("Sends an approved draft that was held back, or could not be sent.")
)
def send(number: Number, who: Who = "", yes: Yes = False) -> None:
    here = installation()
    row, _of, found, _kept = _draft(here, number)
    name = decided_by(who)
    if row.state is DraftState.APPROVED and not yes:
        question = _("Send “{title}” to {letters} recipients? {without} have no address.")
        typer.confirm(question.format(title=plain(row.title), **counts(found)), abort=True)
    with _in_words(str(number)):
        done = here.approval.send(number, name, here.clock.now())
    _say_queued(number, done.queued, found)


@notices.command(
    "resend", help=_("Sends a letter that bounced or failed again, to that one recipient.")
)
def resend(
    number: Number,
    to: Annotated[
        str, typer.Option("--to", help=_("The recipient's key (show --json), or the unit."))
    ],
    address: Annotated[
        str, typer.Option("--address", help=_("Where it goes now; default: the same address."))
    ] = "",
    why: Annotated[str, typer.Option("--why", help=_("The reason, kept in the audit."))] = "",
    who: Who = "",
) -> None:
    here = installation()
    _row, book, _found, _kept = _draft(here, number)
    name = decided_by(who)
    resending = Resending(
        store=here.store,
        books=here.books,
        papers=here.papers,
        posting_for=here.approval.posting_for,
    )
    with _in_words(str(number)):
        done = resending.send(number, to, name, here.clock.now(), address=address, why=why)
    told_who = _("One letter is in the outbox again, to {who} <{address}>.")
    say(told_who.format(who=plain(called(done.to, book)), address=done.to.address))
    if address.strip():
        say(_("Put the address into the roster too (units.toml), so that the next one gets there."))


@notices.command("reject", help=_("Rejects a draft. The period can be drafted anew."))
def reject(
    number: Number,
    why: Annotated[str, typer.Option(help=_("The reason, kept with the draft."))],
    who: Who = "",
) -> None:
    here = installation(letters=False)
    name = decided_by(who)
    with _in_words(str(number)):
        row = here.approval.reject(number, name, why, here.clock.now())
    say(_("Draft {number} is rejected.").format(number=number))
    told_how = _(
        "Draft the period anew with: mailbot notices draft {office} {period} --letter {letter}"
    )
    say(told_how.format(office=row.office, period=row.period, letter=row.letter))


@notices.command("sms", help=_("Text messages to heads, for the system that sends them."))
def sms(
    number: Number,
    csv: Annotated[Path | None, typer.Option("--csv", help=_("Write a CSV file."))] = None,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help=_("Write an Excel file."))] = None,
    as_json: AsJson = False,
) -> None:
    if csv is not None and xlsx is not None:
        raise OperatorFault(
            Fault("--csv --xlsx", _("two files at once"), _("name one, then the other"))
        )
    here = installation(letters=False)
    row, book, _found, _kept = _draft(here, number)
    with _in_words(str(number)), here.store.reading() as reads:
        found = messages(reads, row, book)
    if as_json:
        print_json({"sendable": _rows_json(found.sendable), "others": _rows_json(found.others)})
        return
    if csv is not None or xlsx is not None:
        export(csv, xlsx, found)
    else:
        for one in found.sendable:
            say(f"{plain(one.name)}  {one.phone}  {plain(one.text)}")
    say(
        _("{count} messages, {parts} as the network counts.").format(
            count=len(found.sendable), parts=sum(one.parts for one in found.sendable)
        )
    )
    if found.others:
        say(_("No mobile, nothing can be sent ({count}):").format(count=len(found.others)))
        for one in found.others:
            say(f"  · {plain(one.unit)} {plain(one.name)}（{plain(one.why)}）")


# --- what is said ------------------------------------------------------------------------------


def _say_flags(row: DraftRow) -> None:
    if row.flags:
        say(_("To look at:"))
        for flag in row.flags:
            say(f"  · {plain(flag)}")


def _question(row: DraftRow, book: OfficeBook, found: list[Delivery], *, hold: bool) -> str:
    rule = next((r for r in book.letters.letters if r.id == row.letter), None)
    texts = {"number": row.id, "name": letter_name(row, book), **counts(found)}
    if hold:
        asked = _("Approve draft {number} ({name}), without sending it yet?")
    else:
        asked = _(
            "Approve draft {number} ({name}) and send it to exactly {letters} recipients?"
            " {without} have no address."
        )
    question = asked.format(**texts)
    if rule is not None and rule.seals:
        told_so = _("{period} is sealed with it: its entries can never be changed again.")
        return f"{told_so.format(period=Period.parse(row.period).name)}\n{question}"
    return question


def _say_queued(number: int, queued: int, found: list[Delivery]) -> None:
    say(_("{count} letters are in the outbox.").format(count=queued))
    without = counts(found)["without"]
    if without:
        told_who = _(
            "{count} recipients have no address; see them with: mailbot notices show {number}"
        )
        say(told_who.format(count=without, number=number))


@contextmanager
def _in_words(where: str) -> Iterator[None]:
    """What could not be done, as a fault with what to do."""
    try:
        yield
    except NotDecided as refusal:
        raise OperatorFault(Fault(where, *told(refusal))) from None
    except NotScored as refusal:
        raise OperatorFault(words.not_scored(refusal)) from None
    except NoRuleInForce as gap:
        raise OperatorFault(words.no_rule(gap)) from None


# --- what is asked for ---------------------------------------------------------------------------


def _draft(
    here: Office, number: int
) -> tuple[DraftRow, OfficeBook, list[Delivery], list[DraftFile]]:
    with _in_words(str(number)), here.store.reading() as reads:
        row = reads.draft(number)
        if row is None:
            raise NotDecided("no_draft", number)
        book = _book(here, row.office)
        return row, book, progress(reads, number), reads.draft_files(number)


def _book(here: Office, office: str) -> OfficeBook:
    if office not in here.books:
        raise OperatorFault(
            Fault(
                office,
                _("this office is not set up"),
                _("known: {names}").format(names="、".join(here.books)),
            )
        )
    return here.books[office]


def _rows_json(found: tuple[Message, ...]) -> list[dict[str, object]]:
    return [
        {
            "unit": m.unit,
            "name": m.name,
            "phone": m.phone,
            "text": m.text,
            "length": m.length,
            "parts": m.parts,
            "why": m.why,
        }
        for m in found
    ]
