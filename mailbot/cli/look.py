"""`show`, `explain`, `subject`, `replay`: looking without touching."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from mailbot.adapters.db.history import SqlHistory, renumber
from mailbot.adapters.db.listing import everything_about
from mailbot.adapters.fetching import header_section
from mailbot.adapters.i18n import _
from mailbot.adapters.settings.model import MailboxSettings, OutgoingSettings
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.explain import Saved, explanation, look, subject_only
from mailbot.app.records import InboundRow
from mailbot.app.replay import Replay, Replayed
from mailbot.app.service.foretold import foretold
from mailbot.app.settle import Settler
from mailbot.bootstrap import Office, open_bench
from mailbot.cli import context, words
from mailbot.cli.context import installation, print_json, say, settings
from mailbot.cli.listing import category_name, unit_name
from mailbot.cli.listing import items as items
from mailbot.cli.rows import plain
from mailbot.cli.story import Record, print_settled
from mailbot.core.intake.commands import Request, read_request
from mailbot.core.intake.secrets import find_secrets
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.periods import day_of

ReceivedOption = Annotated[
    str | None, typer.Option(help=_("When they were received, e.g. 2026-08-12T09:30."))
]
OfficeOption = Annotated[str | None, typer.Option(help=_("Judge by this office's data."))]


def show(
    what: Annotated[str, typer.Argument(help=_("Receipt number, item number, or mail:NUMBER."))],
    as_json: Annotated[bool, typer.Option("--json", help=_("Print JSON."))] = False,
) -> None:
    """One item or mail with everything known about it."""
    here = installation(letters=False)
    try:
        record = everything_about(here.store, what)
    except LookupError:
        raise OperatorFault(
            Fault(what, _("no such item or mail"), _("see the numbers with: mailbot items --mails"))
        ) from None
    if as_json:
        print_json(record)
        return

    def file_of(sha256: str) -> str:
        path = here.archive.path_of(sha256)
        return str(path) if path is not None and path.exists() else ""

    Record(here.books, file_of).show(record)


def explain(
    files: Annotated[list[Path], typer.Argument(help=_("Saved mails (.eml)."))],
    as_json: Annotated[
        bool, typer.Option("--json", help=_("Print JSON: an object, or a list."))
    ] = False,
    received: ReceivedOption = None,
    together: Annotated[
        bool, typer.Option("--together", help=_("As mails of one mailbox, in this order."))
    ] = False,
    office: OfficeOption = None,
) -> None:
    """Changes nothing: no record, no answer."""
    when = context.moment("--received", received)
    raws = _bytes_of(files)
    with open_bench(settings(), office) as bench:
        cap = bench.policy.cap_bytes
        reader = bench.reader()
        try:
            saved = [
                Saved(str(path), reader.read(raw), when)
                if len(raw) <= cap
                else Saved(str(path), reader.read(header_section(raw), complete=False), when)
                for path, raw in raws
            ]
        finally:
            reader.close()
        _explain(saved, bench, together, as_json)


def subject(
    line: Annotated[str, typer.Argument(help=_("The subject line."))],
    as_json: Annotated[bool, typer.Option("--json", help=_("Print JSON."))] = False,
    received: Annotated[
        str | None, typer.Option(help=_("The day whose names and rules count."))
    ] = None,
    office: OfficeOption = None,
) -> None:
    """Judges the line alone: text, attachments and sender are taken to be in order. Of a request
    (查询, 申诉, 帮助) it says what would be answered."""
    when = context.moment("--received", received)
    # As a terminal or a script may hand it over; a header holds none of these.
    line = plain(line.encode("utf-8", "replace").decode("utf-8"))
    marks = find_secrets(
        subject=line, body="", attachment_names=(), attachment_texts=(), nested_texts=()
    )
    with open_bench(settings(), office) as bench:
        request = read_request(line, day_of(when or bench.clock.now()))
        if request is not None and not marks:
            _tell_request(line, request, day_of(when or bench.clock.now()), as_json)
            return
        mail = replace(subject_only(line), secrets=marks)
        _explain([Saved(line, mail, when, line_only=True)], bench, False, as_json)


def replay(
    month: Annotated[str | None, typer.Option(help=_("Only mail received in this month."))] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help=_("Only so many mails, the newest."))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print JSON."))] = False,
) -> None:
    """Reads stored mail again and shows what the present code and data would decide differently."""
    first = context.month("--month", month)
    here = installation()
    history = SqlHistory(here.store)
    chosen = sorted(history.rows(), key=lambda r: (r.received, r.id))
    if first is not None:
        chosen = [
            r for r in chosen if (r.received.year, r.received.month) == (first.year, first.month)
        ]
    ids = {r.id for r in (chosen[-limit:] if limit else chosen)}
    found: list[Replayed] = []
    with open_bench(here.settings) as bench, here.store.reading() as recorded:
        reader = here.reader()
        try:
            run = Replay(
                history=history,
                recorded=recorded,
                archive=here.archive,
                reader=reader,
                settlers=_settlers(here, bench),
                bench=bench.store,
                renumber=renumber,
            )
            found.extend(run.run(lambda row: row.id in ids))
        finally:
            reader.close()
    different = [r for r in found if r.changes]
    skipped = [r for r in found if r.skipped]
    if as_json:
        print_json(
            {
                "mails": len(found) - len(skipped),
                "different": [
                    {
                        "mail": r.row.id,
                        "subject": r.row.subject,
                        "changes": [{"what": w, "before": b, "now": n} for w, b, n in r.changes],
                    }
                    for r in different
                ],
                "skipped": [{"mail": r.row.id, "why": r.skipped} for r in skipped],
            }
        )
        return
    for one in different:
        say(f"mail:{one.row.id}  {plain(one.row.subject)}")
        for what, before, now in one.changes:
            _print_change(here, one.row, what, before, now)
    say(
        _("{count} mails read again, {different} would come out differently.").format(
            count=len(found) - len(skipped), different=len(different)
        )
    )
    _print_skipped(skipped)


# --- helpers ---------------------------------------------------------------------------------


def _explain(saved: list[Saved], bench: Office, together: bool, as_json: bool) -> None:
    try:
        results = look(saved, _settler(bench), bench.store, bench.clock.now(), together=together)
    except NoRuleInForce as gap:
        raise OperatorFault(
            Fault(
                gap.office,
                _("no rule ({rule}) is in force on {day}").format(rule=gap.rule, day=gap.day),
                _("give another day with --received, or add the rules of that day"),
            )
        ) from None
    if as_json:
        documents = [
            {"file": s.name, **explanation(one)} for s, one in zip(saved, results, strict=True)
        ]
        print_json(documents[0] if len(documents) == 1 else documents)
        return
    for one, result in zip(saved, results, strict=True):
        print_settled(one.name, result)


def _tell_request(line: str, request: Request, today: date, as_json: bool) -> None:
    told = foretold(request, today)
    if not as_json:
        say(f"━━ {plain(line)}")
        say(told)
        return
    print_json(
        {
            "file": line,
            "decision": "command",
            "reasons": [{"code": "command", "text": told, "detail": ""}],
            "items": [],
            "request": {
                "verb": request.verb.value,
                "period": request.period.code if request.period else None,
                "receipt": request.receipt or None,
                "record": request.record,
                "unread": request.unread or None,
            },
        }
    )


def _settler(bench: Office) -> Settler:
    """The first configured mailbox's settings decide; without any, the office's defaults."""
    found = bench.settings
    box = next(iter(found.mailboxes), None) or MailboxSettings(
        name="saved",
        offices=tuple(bench.books),
        address="mailbot@localhost",
        outgoing=OutgoingSettings(outbox=Path("unused")),
    )
    if not set(box.offices) <= set(bench.books):
        box = box.model_copy(update={"offices": tuple(bench.books)})
    return bench.settler(bench.mailbox(box))


def _settlers(here: Office, bench: Office) -> dict[str, Settler]:
    """A settler for each mailbox on the bench's store. Our own letters must be known by their key;
    and the bench's receipt numbers must not be taken for recorded ones."""
    numbered = {
        name: replace(book, info=replace(book.info, receipt_prefix="REPLAY"))
        for name, book in bench.books.items()
    }
    wired = replace(bench, signer=here.signer, books=numbered)
    return {b.name: wired.settler(wired.mailbox(b)) for b in here.settings.mailboxes}


def _print_change(here: Office, row: InboundRow, what: str, before: str, now: str) -> None:
    kind, _blank, number = what.partition(" ")
    if kind == "decision":
        before, now = (words.word(words.DECISIONS, v) for v in (before, now))
    elif kind == "answer":
        before, now = (words.answer_name(v) for v in (before, now))
    elif kind == "unit":
        before, now = (unit_name(here, row.office, v) for v in (before, now))
    elif kind == "category":
        before, now = (category_name(here, row.office, row.received, v) for v in (before, now))
    label = words.word(words.REPLAYED, kind) + (f" {number}" if number else "")
    say(f"    {label}: {before or '-'} → {now or '-'}")


def _print_skipped(skipped: list[Replayed]) -> None:
    kept_not = sum(r.skipped == "bytes" for r in skipped)
    if kept_not:
        say(_("{count} mails have no stored content and were passed over.").format(count=kept_not))
    gone = {r.row.origin.account for r in skipped if r.skipped == "mailbox"}
    for name in sorted(gone):
        say(_("mailbox {name} is no longer set up").format(name=name), err=True)


def _bytes_of(paths: list[Path]) -> list[tuple[Path, bytes]]:
    """The files' bytes. Raises with every file that cannot be read."""
    raws, faults = [], []
    for path in paths:
        try:
            raws.append((path, path.read_bytes()))
        except FileNotFoundError:
            faults.append(Fault(str(path), _("there is no such file"), _("name a saved mail")))
        except IsADirectoryError:
            remedy = _("name the mails in it: {pattern}").format(pattern=path / "*.eml")
            faults.append(Fault(str(path), _("this is a folder"), remedy))
        except OSError as error:
            why = _("cannot be read ({why})").format(why=context.why(error))
            faults.append(Fault(str(path), why, _("name a saved mail")))
    if faults:
        raise OperatorFault(*faults)
    return raws
