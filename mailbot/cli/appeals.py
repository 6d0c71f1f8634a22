"""`appeals`: units' objections (申诉) that came by mail, and the office's answers.

An answer is mailed to whoever objected, kept beside what it is about, and never changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mailbot.adapters.db.staff_lists import close_tasks, open_tasks, replies_to
from mailbot.adapters.i18n import _
from mailbot.adapters.system import SHANGHAI
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.letter_records import AppealRow
from mailbot.app.records import InboundRow
from mailbot.app.service.appeals import MORE, TASK, NotAnswered, answer_appeal, shown_by
from mailbot.app.service.entries import appeal_name
from mailbot.bootstrap import Office
from mailbot.cli import context, words
from mailbot.cli.context import decided_by, installation, print_json, say
from mailbot.cli.rows import Column, Lines, plain, room
from mailbot.cli.statementtables import appeal_json, appeal_lines
from mailbot.core.intake.content import content_of, own_text
from mailbot.core.intake.describe import human_size
from mailbot.core.mail.model import IncomingMail
from mailbot.core.subject.units import unit_name

appeals = typer.Typer(no_args_is_help=True)

Number = Annotated[int, typer.Argument(help=_("Number of the appeal."))]
AsJson = Annotated[bool, typer.Option("--json", help=_("Print JSON."))]
LONGEST = 10_000
"""Characters of an answer."""


@appeals.command("list", help=_("Appeals that wait for an answer; with --all also the answered."))
def list_(
    office: Annotated[str, typer.Option(help=_("Only this office."))] = "",
    everything: Annotated[bool, typer.Option("--all", help=_("Also those answered."))] = False,
    as_json: AsJson = False,
) -> None:
    here = installation(letters=False)
    if office and office not in here.books:
        raise _no_office(here, office)
    with here.store.reading() as reads:
        offices = [office] if office else list(here.books)
        found = [a for o in offices for a in reads.appeals(o, waiting=not everything)]
    if as_json:
        print_json([appeal_json(one) for one in found])
        return
    if not found:
        say(_("No appeal yet.") if everything else _("No appeal waits for an answer."))
        return
    lines = Lines(
        [
            Column(_("No."), 5),
            Column(_("Opened"), 16, 0, 1),
            Column(_("Unit"), 20, 10),
            Column(_("About"), 16),
            Column(_("State"), words.width({}, _("answered"), _("waits"), _("State"))),
            Column(_("Sender"), 30, 0, 2),
        ],
        room(),
    )
    say(lines.head())
    for one in found:
        say(
            lines.row(
                [
                    str(one.id),
                    one.opened.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"),
                    unit_name(one.new.unit_id, here.books[one.new.office].roster),
                    appeal_name(one.new.about),
                    _("answered") if one.answered_at else _("waits"),
                    one.from_addr,
                ]
            )
        )


@appeals.command("show", help=_("One appeal: what it is about, what was written, the answer."))
def show(number: Number, as_json: AsJson = False) -> None:
    here = installation(letters=False)
    with here.store.reading() as reads:
        found = reads.appeal(number)
        mail = reads.mail(found.new.inbound_id) if found else None
        letters = reads.letters_about(f"appeal:{number}")
    if found is None:
        raise _told(NotAnswered("no_appeal", number))
    more = _more(here, found)
    if as_json:
        text = mail.text if mail is not None else ""
        later = [_mail_json(row, content) for row, content in more]
        print_json({**appeal_json(found), "subject": found.subject, "text": text, "more": later})
        return
    book = here.books.get(found.new.office)
    unit = unit_name(found.new.unit_id, book.roster) if book else found.new.unit_id
    say(f"━━ {number}  {unit}  {appeal_name(found.new.about)}")
    say(
        _("From {sender}: {subject} (mail:{mail})").format(
            sender=plain(found.from_addr), subject=plain(found.subject), mail=found.new.inbound_id
        )
    )
    _print_content(mail, mail.text if mail is not None else "")
    for row, content in more:
        say(
            _("More of {day}: {subject} (mail:{mail})").format(
                day=f"{row.received.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
                subject=plain(row.subject),
                mail=row.id,
            )
        )
        _print_content(content, own_text(content.text) if content is not None else "")
    for line in appeal_lines(found):
        say(line)
    for letter in letters:
        state = words.word(words.LETTER_STATES, letter.state.value)
        state = _("bounced") if letter.bounced is not None else state
        say(_("Letter to {to}: {state}").format(to=letter.recipient, state=state))
    about = found.new.about.upper() if found.new.item_id and not found.new.record_id else ""
    if about:
        say(_("The item: mailbot show {receipt}").format(receipt=about))
    if found.answered_at is None:
        say(_("Answer it with: mailbot appeals answer {number} --text “…”").format(number=number))


@appeals.command("answer", help=_("Answers an appeal, once; the answer is mailed and stays."))
def answer(
    number: Number,
    text: Annotated[str, typer.Option(help=_("The answer."))] = "",
    file: Annotated[Path | None, typer.Option("--file", help=_("A text file with it."))] = None,
    who: Annotated[str, typer.Option(help=_("Who decides; default the login name."))] = "",
) -> None:
    here = installation()
    name, said = decided_by(who), _text(text, file)
    try:
        done = answer_appeal(
            number,
            said,
            name,
            store=here.store,
            books=here.books,
            posting_for=here.posting,
            now=here.clock.now(),
        )
    except NotAnswered as refusal:
        raise _told(refusal) from None
    say(_("Appeal {number} is answered.").format(number=number))
    if done.to:
        say(_("The answer to {to} is in the outbox.").format(to=done.to))
    else:
        say(_("No mail: {why}").format(why=done.why_not))
    _close(here, done.row, name)


def _close(here: Office, row: AppealRow, who: str) -> None:
    """The tasks that asked for this answer."""
    tasks = [t for kind in (TASK, MORE) for t in open_tasks(here.store, row.new.office, kind)]
    waiting = [task.id for task in tasks if task.text.endswith(shown_by(row.id))]
    if waiting:
        close_tasks(here.store, waiting, who, here.clock.now())


Mail = tuple[InboundRow, IncomingMail | None]


def _more(here: Office, appeal: AppealRow) -> list[Mail]:
    """What the unit wrote about it afterwards, oldest first."""
    rows = replies_to(here.store, appeal.new.inbound_id)
    with here.store.reading() as reads:
        return [(row, reads.mail(row.id)) for row in rows]


def _print_content(mail: IncomingMail | None, text: str) -> None:
    for line in (part for part in text.splitlines() if part.strip()):
        say(f"  │ {plain(line)}")
    for file in content_of(mail).files if mail is not None else ():
        say(
            "  │ "
            + _("File: {name} ({size})").format(name=plain(file.name), size=human_size(file.size))
        )


def _mail_json(row: InboundRow, mail: IncomingMail | None) -> dict[str, Any]:
    return {
        "mail": row.id,
        "received": row.received,
        "subject": row.subject,
        "text": own_text(mail.text) if mail is not None else "",
        "files": [file.name for file in content_of(mail).files] if mail is not None else [],
    }


def _text(text: str, file: Path | None) -> str:
    if text and file is not None:
        raise OperatorFault(Fault("--text --file", _("two answers at once"), _("give one of them")))
    if file is not None:
        text = _read(file)
    if len(text) > LONGEST:
        raise OperatorFault(
            Fault(
                "--file" if file else "--text",
                _("it has {count} characters").format(count=len(text)),
                _("say it in at most {count}").format(count=LONGEST),
            )
        )
    return text


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        found = _("there is no such file")
    except IsADirectoryError:
        found = _("this is a folder")
    except OSError as error:
        found = _("cannot be read ({why})").format(why=context.why(error))
    except UnicodeDecodeError:
        found = _("this is no text in UTF-8")
    raise OperatorFault(Fault(str(file), found, _("name a plain text file (.txt, UTF-8)")))


def _told(refusal: NotAnswered) -> OperatorFault:
    match refusal.code:
        case "no_appeal":
            found = _("there is no such appeal")
            remedy = _("see the numbers with: mailbot appeals list --all")
        case "answered":
            found = _("it was answered by {who}").format(who=refusal.found)
            remedy = _("see the answer with: mailbot appeals show {number}").format(
                number=refusal.number
            )
        case "no_text":
            found = _("the answer is empty")
            remedy = _("give it with --text or --file")
        case _:
            found = _("this office is not set up (any more)")
            remedy = _("check `offices` in the settings")
    return OperatorFault(Fault(str(refusal.number), found, remedy))


def _no_office(here: Office, office: str) -> OperatorFault:
    known = _("known: {names}").format(names="、".join(here.books))
    return OperatorFault(Fault(office, _("this office is not set up"), known))
