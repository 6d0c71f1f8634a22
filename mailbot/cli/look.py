"""`items`, `show`, `explain`, `subject`, `replay`, `rules check`: looking without touching."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from mailbot.adapters.db.listing import (
    ItemFilter,
    ListedItem,
    ListedMail,
    everything_about,
    list_items,
    mails,
)
from mailbot.adapters.i18n import _
from mailbot.adapters.rulefiles import load_offices
from mailbot.adapters.sandbox import SandboxedReader
from mailbot.adapters.settings import MailboxSettings, OutgoingSettings
from mailbot.adapters.sheets import Cell, Sheet, write_csv, write_xlsx
from mailbot.adapters.system import SHANGHAI
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.explain import Saved, explanation, look, subject_only
from mailbot.app.replay import Difference
from mailbot.app.replay import replay as run_again
from mailbot.app.settle import Settled, Settler
from mailbot.app.staff import resolve_unit
from mailbot.bootstrap import Office, open_bench, open_office
from mailbot.cli.context import print_json, settings
from mailbot.cli.rows import Column, Lines, answer_name, decision_name
from mailbot.cli.story import print_record, print_settled
from mailbot.core.intake.secrets import find_secrets

rules = typer.Typer(no_args_is_help=True)


def items(
    unit: Annotated[str | None, typer.Option(help=_("Unit, by name or alias."))] = None,
    category: Annotated[str, typer.Option(help=_("Category id."))] = "",
    month: Annotated[str | None, typer.Option(help=_("Month that counts: 2026-08."))] = None,
    decision: Annotated[
        str, typer.Option(help=_("accept, return, hold, quarantine or ignore."))
    ] = "",
    text: Annotated[str, typer.Option(help=_("Part of title, submitter, number, sender."))] = "",
    office: Annotated[str, typer.Option(help=_("Only this office."))] = "",
    mail: Annotated[
        bool, typer.Option("--mails", help=_("All mails, also those without an item."))
    ] = False,
    limit: Annotated[int | None, typer.Option(help=_("At most so many."))] = None,
    csv: Annotated[Path | None, typer.Option(help=_("Write a CSV file."))] = None,
    xlsx: Annotated[Path | None, typer.Option(help=_("Write an Excel file."))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print JSON."))] = False,
) -> None:
    """Newest first."""
    here = open_office(settings())
    wanted = ItemFilter(
        office=office,
        unit_id=_unit_id(here, unit, office) if unit else "",
        category=category,
        month=_month(month) if month else None,
        decision=decision,
        text=text,
        limit=limit,
    )
    # Ignored and quarantined mail never became an item.
    if mail or decision in ("ignore", "quarantine"):
        header, rows = _MAIL_HEADER(), _mail_rows(here, mails(here.store, wanted))
    else:
        header, rows = _ITEM_HEADER(), _item_rows(here, list_items(here.store, wanted))
    if csv is not None:
        _written(csv, write_csv(csv, [c.title for c in header], rows))
    if xlsx is not None:
        if csv is not None:
            raise OperatorFault(Fault("--csv --xlsx", _("one export at a time")))
        _written(xlsx, write_xlsx(xlsx, [Sheet(_("Items"), [c.title for c in header], rows)]))
    if csv is not None or xlsx is not None:
        return
    if as_json:
        titles = [c.title for c in header]
        print_json([dict(zip(titles, row, strict=True)) for row in rows])
        return
    lines = Lines(header)
    typer.echo(lines.head())
    count = 0
    for row in rows:
        typer.echo(lines.row([_cell(v) for v in row]))
        count += 1
    typer.echo("")
    typer.echo(_("{count} rows.").format(count=count))


def show(
    what: Annotated[str, typer.Argument(help=_("Receipt number, item number, or mail:NUMBER."))],
    as_json: Annotated[bool, typer.Option("--json", help=_("Print JSON."))] = False,
) -> None:
    """One item or mail with everything known about it."""
    here = open_office(settings())
    try:
        record = everything_about(here.store, what)
    except LookupError:
        raise OperatorFault(
            Fault(what, _("no such item or mail"), _("see the numbers with: mailbot items --mails"))
        ) from None
    if as_json:
        print_json(record)
    else:
        print_record(record, here.books)


def explain(
    files: Annotated[list[Path], typer.Argument(help=_("Saved mails (.eml)."))],
    as_json: Annotated[
        bool, typer.Option("--json", help=_("Print JSON: an object, or a list."))
    ] = False,
    received: Annotated[
        datetime | None, typer.Option(help=_("When they were received, e.g. 2026-08-12T09:30."))
    ] = None,
    together: Annotated[
        bool, typer.Option("--together", help=_("As mails of one mailbox, in this order."))
    ] = False,
    office: Annotated[str | None, typer.Option(help=_("Judge by this office's data."))] = None,
) -> None:
    """Changes nothing: no record, no answer."""
    found = settings()
    when = received.replace(tzinfo=SHANGHAI) if received and received.tzinfo is None else received
    raws = [(path, _bytes_of(path)) for path in files]
    with open_bench(found, office) as bench:
        reader = SandboxedReader(seconds=found.reader_seconds, memory_mb=found.reader_memory_mb)
        try:
            saved = [Saved(str(path), reader.read(raw), when) for path, raw in raws]
        finally:
            reader.close()
        results = look(saved, _settler(bench), bench.store, bench.clock.now(), together=together)
    _print_results([s.name for s in saved], results, as_json)


def subject(
    line: Annotated[str, typer.Argument(help=_("The subject line."))],
    as_json: Annotated[bool, typer.Option("--json", help=_("Print JSON."))] = False,
    received: Annotated[
        datetime | None, typer.Option(help=_("The day whose names and rules count."))
    ] = None,
    office: Annotated[str | None, typer.Option(help=_("Judge by this office's data."))] = None,
) -> None:
    """Judges the line alone: body and attachments are taken to be in order."""
    found = settings()
    mail = subject_only(line)
    marks = find_secrets(
        subject=line, body="", attachment_names=(), attachment_texts=(), nested_texts=()
    )
    with open_bench(found, office) as bench:
        when = received.replace(tzinfo=SHANGHAI) if received else bench.clock.now()

        saved = [Saved(line, replace(mail, secrets=marks), when)]
        results = look(saved, _settler(bench), bench.store, bench.clock.now())
    _print_results([line], results, as_json)


def replay(
    month: Annotated[str | None, typer.Option(help=_("Only mail received in this month."))] = None,
    limit: Annotated[int | None, typer.Option(help=_("At most so many mails."))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print JSON."))] = False,
) -> None:
    """Reads stored mail again and shows what the present code and data would decide differently."""
    found = settings()
    here = open_office(found)
    wanted = ItemFilter(month=_month(month) if month else None, limit=limit)
    rows = sorted((m.inbound for m in mails(here.store, wanted)), key=lambda r: r.id)
    differences: list[Difference] = []
    count = 0
    boxes = {b.name: b for b in found.require_mailboxes()}
    with open_bench(found) as bench, here.store.reading() as recorded:
        reader = here.reader()
        try:
            for name in dict.fromkeys(r.origin.account for r in rows):
                box = boxes.get(name)
                if box is None:
                    typer.echo(_("mailbox {name} is no longer set up").format(name=name), err=True)
                    continue
                own = (r for r in rows if r.origin.account == name)
                settler = bench.settler(bench.mailbox(box))
                cap = bench.policy.cap_bytes
                for one in run_again(
                    own, recorded, here.archive, reader, settler, bench.store, cap
                ):
                    count += 1
                    if isinstance(one, Difference):
                        differences.append(one)
        finally:
            reader.close()
    if as_json:
        print_json(
            {
                "mails": count,
                "different": [
                    {
                        "mail": d.row.id,
                        "subject": d.row.subject,
                        "changes": [{"what": w, "before": b, "now": n} for w, b, n in d.changes],
                    }
                    for d in differences
                ],
            }
        )
        return
    for d in differences:
        typer.echo(f"mail:{d.row.id}  {d.row.subject}")
        for what, before, now in d.changes:
            typer.echo(f"    {what}: {before or '-'} → {now or '-'}")
    typer.echo(
        _("{count} mails read again, {different} would come out differently.").format(
            count=count, different=len(differences)
        )
    )


@rules.command("check", help=_("Reads the offices' data and lists every fault."))
def check_rules() -> None:
    """Exit code 2 with all faults, each with file and key."""
    found = settings()
    root = found.config_dir / "offices"
    names = found.offices or tuple(sorted(p.name for p in root.iterdir() if p.is_dir()))
    for name, book in load_offices(root, names).items():
        typer.echo(
            _("{office}: {name}, {units} units, {aliases} names, digest {digest}").format(
                office=name,
                name=book.info.name,
                units=len(book.roster.units),
                aliases=sum(len(u.names) for u in book.roster.units),
                digest=book.digest[:12],
            )
        )
        for unit in book.roster.units:
            if unit.note:
                typer.echo(f"    {unit.name}: {unit.note}")


# --- helpers ---------------------------------------------------------------------------------


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


def _print_results(names: list[str], results: list[Settled], as_json: bool) -> None:
    documents = [
        {"file": name, **explanation(one)} for name, one in zip(names, results, strict=True)
    ]
    if as_json:
        print_json(documents[0] if len(documents) == 1 else documents)
        return
    for name, one in zip(names, results, strict=True):
        print_settled(name, one)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OperatorFault(Fault(str(path), str(error.strerror), _("name a saved mail"))) from None


def _unit_id(here: Office, text: str, office: str) -> str:
    book = here.books[office] if office in here.books else next(iter(here.books.values()))
    return resolve_unit(text, book, here.clock.now())


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise OperatorFault(Fault("--month", text, _("write it like 2026-08"))) from None


def _written(path: Path, count: int) -> None:
    typer.echo(_("{count} rows written to {path}.").format(count=count, path=path))


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return str(value)


def _ITEM_HEADER() -> list[Column]:
    return [
        Column(_("Number"), 13),
        Column(_("Received"), 16),
        Column(_("Counts in"), 8),
        Column(_("Unit"), 18),
        Column(_("Title"), 40),
        Column(_("Submitter"), 10),
        Column(_("Contact"), 22),
        Column(_("Category"), 8),
        Column(_("State"), 8),
        Column(_("Answer"), 8),
        Column(_("Sender"), 28),
    ]


def _item_rows(here: Office, listed: Iterator[ListedItem]) -> Iterator[list[Cell]]:
    for one in listed:
        item, version = one.item, one.item.version
        yield [
            item.receipt,
            item.received,
            item.month.strftime("%Y-%m"),
            _unit_name(here, item.office, item.unit_id) or version.unit_written,
            version.title,
            version.submitter,
            "、".join(version.contact),
            _category_name(here, item.office, item.received, version.category),
            state_name(item.state.value),
            answer_name(one.answer),
            item.from_addr,
        ]


def _MAIL_HEADER() -> list[Column]:
    return [
        Column(_("Mail"), 6),
        Column(_("Received"), 16),
        Column(_("Sender"), 28),
        Column(_("Subject"), 44),
        Column(_("Decision"), 8),
        Column(_("Answer"), 8),
        Column(_("Number"), 14),
        Column(_("Reason"), 60),
    ]


def _mail_rows(here: Office, listed: Iterator[ListedMail]) -> Iterator[list[Cell]]:
    for one in listed:
        row = one.inbound
        yield [
            row.id,
            row.received,
            row.from_addr,
            row.subject,
            decision_name(row.decision),
            answer_name(one.answer),
            " ".join(one.receipts),
            "；".join(one.reasons),
        ]


def _unit_name(here: Office, office: str, unit_id: str | None) -> str:
    book = here.books.get(office)
    if book is None or unit_id is None:
        return unit_id or ""
    try:
        return book.roster.get(unit_id).name
    except KeyError:
        return unit_id


def _category_name(here: Office, office: str, day: datetime, category: str) -> str:
    book = here.books.get(office)
    if book is None:
        return category
    try:
        return book.categories_on(day.date()).get(category).name
    except LookupError:
        return category


def state_name(state: str) -> str:
    """An item's state in the reader's language."""
    return {
        "accepted": _("accepted"),
        "returned": _("returned"),
        "held": _("held"),
        "replaced": _("replaced"),
        "withdrawal_requested": _("withdrawal requested"),
        "duplicate": _("duplicate"),
    }.get(state, state)
