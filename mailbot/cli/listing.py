"""`items`: what came in, as a table, as JSON, as a CSV or Excel file.

The same columns everywhere: on a screen as many as fit, in a file all of them. JSON has stable
English keys and codes, whatever the language, so that a script does not break with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mailbot.adapters.db.listing import (
    ItemFilter,
    ListedItem,
    ListedMail,
    list_items,
    mails,
)
from mailbot.adapters.i18n import _
from mailbot.adapters.sheets import Cell, Sheet, write_csv, write_xlsx
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.recording.columns import CHANNEL_NAMES
from mailbot.app.records import MAIL_CHANNEL
from mailbot.app.staff import NotDone, resolve_unit
from mailbot.bootstrap import Office
from mailbot.cli import context, words
from mailbot.cli.context import installation, print_json, say, why
from mailbot.cli.rows import Column, Lines, room


@dataclass(frozen=True, slots=True)
class Field:
    """One column. `key` in JSON, where the value is `code` when there is one; `shown` on a screen
    and in files. A column without `column` is in files only."""

    key: str
    title: str
    column: Column | None = None


Row = dict[str, tuple[Any, Cell]]
"""By key: the value for scripts and the value for people."""


def items(
    unit: Annotated[str | None, typer.Option(help=_("Unit, by name or alias."))] = None,
    category: Annotated[str, typer.Option(help=_("Category, by name or id."))] = "",
    month: Annotated[str | None, typer.Option(help=_("Month that counts: 2026-08."))] = None,
    decision: Annotated[
        str, typer.Option(help=_("accept, return, hold, quarantine or ignore."))
    ] = "",
    text: Annotated[str, typer.Option(help=_("Part of title, submitter, number, sender."))] = "",
    office: Annotated[str, typer.Option(help=_("Only this office."))] = "",
    mail: Annotated[
        bool, typer.Option("--mails", help=_("All mails, also those without an item."))
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help=_("At most so many."))] = None,
    csv: Annotated[Path | None, typer.Option(help=_("Write a CSV file."))] = None,
    xlsx: Annotated[Path | None, typer.Option(help=_("Write an Excel file."))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print JSON."))] = False,
) -> None:
    """Newest first."""
    if sum((csv is not None, xlsx is not None, as_json)) > 1:
        raise OperatorFault(
            Fault("--csv --xlsx --json", _("one of them at a time"), _("run the command twice"))
        )
    counted = context.month("--month", month)
    here = installation(letters=False)
    wanted = ItemFilter(
        office=_office(here, office),
        unit_id=_unit_id(here, unit, office) if unit else "",
        category=_category(here, category, office) if category else "",
        month=counted,
        decision=_decision(decision) if decision else "",
        text=text,
        limit=limit,
    )
    # Ignored and quarantined mail never became an item, nor did what asked something of the bot.
    if mail or wanted.decision in ("ignore", "quarantine", "command"):
        fields, rows = _mail_fields(), _mail_rows(here, mails(here.store, wanted))
    else:
        fields, rows = _item_fields(), _item_rows(here, list_items(here.store, wanted))
    if csv is not None or xlsx is not None:
        _export(csv, xlsx, fields, rows)
    elif as_json:
        print_json([{key: value for key, (value, _shown) in row.items()} for row in rows])
    else:
        _print(fields, rows)


def _print(fields: list[Field], rows: Iterable[Row]) -> None:
    shown = [f for f in fields if f.column is not None]
    lines = Lines([f.column for f in shown if f.column is not None], room())
    count = 0
    for row in rows:
        if not count:
            say(lines.head())
        say(lines.row([_text(row[f.key][1]) for f in shown]))
        count += 1
    if count:
        say()
    say(_("{count} rows.").format(count=count) if count else _("Nothing fits what was asked."))


def _export(csv: Path | None, xlsx: Path | None, fields: list[Field], rows: Iterable[Row]) -> None:
    path = csv or xlsx
    assert path is not None
    titles = [f.title for f in fields]
    cells = ([row[f.key][1] for f in fields] for row in rows)
    if path.is_dir():
        raise OperatorFault(
            Fault(str(path), _("this is a folder"), _("name the file to write, e.g. items.xlsx"))
        )
    try:
        if csv is not None:
            count = write_csv(csv, titles, cells)
        else:
            count = write_xlsx(path, [Sheet(_("Items"), titles, cells)])
    except OSError as error:
        raise OperatorFault(
            Fault(
                str(path),
                _("cannot be written ({why})").format(why=why(error)),
                _("name a file in a folder that exists and that you may write to"),
            )
        ) from None
    except ValueError:
        raise OperatorFault(
            Fault(
                str(path),
                _("there are more rows than an Excel sheet can hold"),
                _("export a month at a time with --month, or write a CSV file"),
            )
        ) from None
    say(_("{count} rows written to {path}.").format(count=count, path=path))


def _text(value: Cell) -> str:
    if value is None:
        return ""
    # The year stands in the receipt number; the whole time in the exports.
    return value.strftime("%m-%d %H:%M") if isinstance(value, datetime) else str(value)


# --- what was asked for ----------------------------------------------------------------------


def _office(here: Office, office: str) -> str:
    if office and office not in here.books:
        raise OperatorFault(Fault(office, _("no such office"), ", ".join(here.books)))
    return office


def _unit_id(here: Office, text: str, office: str) -> str:
    """The unit in the office asked for, else in the first office that knows it."""
    books = [here.books[office]] if office else list(here.books.values())
    faults: list[NotDone] = []
    for book in books:
        try:
            return resolve_unit(text, book, here.clock.now().date())
        except NotDone as fault:
            faults.append(fault)
    with words.in_words():
        raise max(faults, key=lambda f: len(f.choices))
    raise AssertionError("unreachable")


def _category(here: Office, text: str, office: str) -> str:
    known: dict[str, str] = {}
    for book in [here.books[office]] if office else here.books.values():
        for version in book.categories:
            for one in version.categories:
                if text in (one.id, one.name, *one.marks):
                    return one.id
                known[one.id] = one.name
    raise OperatorFault(
        Fault(
            text,
            _("no such category"),
            _("known: {names}").format(names="、".join(f"{n}（{i}）" for i, n in known.items())),
        )
    )


def _decision(text: str) -> str:
    code = words.code_of(words.DECISIONS, text)
    if not code:
        raise OperatorFault(
            Fault(
                f"--decision {text}",
                _("no such decision"),
                _("known: {names}").format(names=words.choices(words.DECISIONS)),
            )
        )
    return code


# --- the columns -----------------------------------------------------------------------------


def _item_fields() -> list[Field]:
    state = Column(_("State"), words.width(words.ITEM_STATES, _("State")), 8)
    answer = Column(_("Answer"), words.width(words.ANSWERS, _("Answer")), 8, 4)
    return [
        Field("receipt", _("Number"), Column(_("Number"), 13)),
        Field("received", _("Received"), Column(_("Received"), 11, 0, 1)),
        Field("month", _("Counts in"), Column(_("Counts in"), 9, 0, 5)),
        Field("unit", _("Unit"), Column(_("Unit"), 18, 12)),
        Field("title", _("Title"), Column(_("Title"), 40, 28)),
        Field("submitter", _("Submitter"), Column(_("Submitter"), 10, 6, 3)),
        Field("contact", _("Contact"), Column(_("Contact"), 22, 13, 6)),
        Field("category", _("Category"), Column(_("Category"), 8, 0, 2)),
        Field("state", _("State"), state),
        Field("answer", _("Answer"), answer),
        Field("sender", _("Sender"), Column(_("Sender"), 28, 18, 7)),
        Field("scope", _("Distribution scope"), Column(_("Distribution scope"), 12, 8, 8)),
        Field("evidence", _("Evidence")),
        Field("decision", _("Decision")),
        Field("category_by", _("Category decided")),
        Field("flags", _("To look at")),
        Field("subject", _("Subject")),
    ]


def _item_rows(here: Office, listed: Iterator[ListedItem]) -> Iterator[Row]:
    for one in listed:
        item, version = one.item, one.item.version
        unit = unit_name(here, item.office, item.unit_id)
        yield {
            "receipt": (item.receipt, item.receipt),
            "office": (item.office, item.office),
            "received": (item.received, item.received),
            "month": (item.month.strftime("%Y-%m"), item.month.strftime("%Y-%m")),
            "unit_id": (item.unit_id, item.unit_id),
            "unit": (unit or version.unit_written, unit or version.unit_written),
            "title": (version.title, version.title),
            "submitter": (version.submitter, version.submitter),
            "contact": (list(version.contact), "、".join(version.contact)),
            "category": (
                version.category,
                category_name(here, item.office, item.received, version.category),
            ),
            "state": (item.state.value, words.word(words.ITEM_STATES, item.state.value)),
            "answer": (one.answer or None, words.answer_name(one.answer)),
            "answer_state": (one.answer_state or None, one.answer_state),
            "sender": (item.from_addr, item.from_addr or _channel(item.channel)),
            "channel": (item.channel, _channel(item.channel)),
            "scope": (version.scope, version.scope),
            "evidence": (item.evidence, item.evidence),
            "decision": (
                one.decision or None,
                words.word(words.DECISIONS, one.decision) if item.inbound_id is not None else "",
            ),
            "category_by": (
                version.category_by,
                words.word(words.CATEGORY_BY, version.category_by),
            ),
            "flags": (
                list(item.flags),
                "；".join(words.word(words.FLAGS, flag) for flag in item.flags),
            ),
            "subject": (one.subject, one.subject),
            "mail": (item.inbound_id, item.inbound_id),
        }


def _channel(channel: str) -> str:
    """How an item came, where not by mail."""
    return CHANNEL_NAMES.get(channel, "" if channel == MAIL_CHANNEL else channel)


def _mail_fields() -> list[Field]:
    decision = Column(_("Decision"), words.width(words.DECISIONS, _("Decision")))
    answer = Column(_("Answer"), words.width(words.ANSWERS, _("Answer")), 8, 2)
    return [
        Field("mail", _("Mail"), Column(_("Mail"), 9)),
        Field("received", _("Received"), Column(_("Received"), 11, 0, 1)),
        Field("sender", _("Sender"), Column(_("Sender"), 28, 18, 4)),
        Field("subject", _("Subject"), Column(_("Subject"), 44, 24)),
        Field("decision", _("Decision"), decision),
        Field("answer", _("Answer"), answer),
        Field("receipts", _("Number"), Column(_("Number"), 14, 0, 3)),
        Field("reasons", _("Reason"), Column(_("Reason"), 60, 16, 5)),
    ]


def _mail_rows(here: Office, listed: Iterator[ListedMail]) -> Iterator[Row]:
    for one in listed:
        row = one.inbound
        first, *more = one.receipts or ("",)
        yield {
            "mail": (row.id, f"mail:{row.id}"),
            "office": (row.office, row.office),
            "received": (row.received, row.received),
            "sender": (row.from_addr, row.from_addr),
            "subject": (row.subject, row.subject),
            "unit_id": (one.unit_id, one.unit_id),
            "decision": (row.decision, words.word(words.DECISIONS, row.decision)),
            "answer": (one.answer or None, words.answer_name(one.answer)),
            "answer_state": (one.answer_state or None, one.answer_state),
            "receipts": (list(one.receipts), f"{first}+{len(more)}" if more else first),
            "reasons": (list(one.reasons), "；".join(one.reasons)),
        }


def unit_name(here: Office, office: str, unit_id: str | None) -> str:
    """The unit's name; its id where the roster does not know it (any more)."""
    book = here.books.get(office)
    if book is None or unit_id is None:
        return unit_id or ""
    try:
        return book.roster.get(unit_id).name
    except KeyError:
        return unit_id


def category_name(here: Office, office: str, received: datetime, category: str) -> str:
    """The category's name on the day of receipt; its id where the data does not know it."""
    book = here.books.get(office)
    if book is None:
        return category
    try:
        return book.categories_on(received.date()).get(category).name
    except LookupError:
        return category
