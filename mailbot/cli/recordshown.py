"""What `record` prints: entries made, a file's trial, the list of what was entered."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from mailbot.adapters.i18n import _
from mailbot.adapters.system import SHANGHAI
from mailbot.app.recording.desk import told
from mailbot.app.recording.keep import Entered
from mailbot.bootstrap import Office
from mailbot.cli.context import say
from mailbot.cli.rows import Column, Lines, plain, room
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import NAMES, EventKind
from mailbot.core.rules.numbers import signed
from mailbot.core.rules.rulebook import OfficeBook

SHOWN_PER_KIND = 10
"""Sentences of a file's entries shown for each kind; the rest is a number."""
MOST_WARNINGS = 50


def print_entered(entered: Entered) -> None:
    say(_line(entered))
    _print_change(entered)
    _print_warnings(entered.warnings)


def _line(entered: Entered) -> str:
    if entered.receipt:
        return f"{entered.receipt}: {plain(entered.said)}"
    return _("No. {number}: {said}").format(number=entered.number, said=plain(entered.said))


def _print_change(entered: Entered) -> None:
    """The event's own points with their clause first, then what they move elsewhere (a limit, a
    floor); of what is no longer booked, the same taken off."""
    change = entered.points
    moves = [(e, _("no longer {points}: {text}, {clause}")) for e in change.gone]
    moves += [(e, _("{points} points: {text}, {clause}")) for e in change.added]
    moves.sort(key=lambda move: entered.event.id not in move[0].events)
    for entry, said in moves:
        say("  " + said.format(**_words(entry)))
    if not moves:
        say("  " + _("It changes no points for now."))
    if len(moves) > 1:
        added = sum((e.points for e in change.added), Decimal(0))
        gone = sum((e.points for e in change.gone), Decimal(0))
        say("  " + _("together {points} points").format(points=signed(added - gone)))


def _words(entry: Entry) -> dict[str, str]:
    return {
        "points": signed(entry.points),
        "text": plain(entry.text),
        "clause": plain(f"{entry.document} {entry.clause}"),
    }


def _print_warnings(warnings: Sequence[str]) -> None:
    told_ones = list(dict.fromkeys(warnings))
    for warning in told_ones[:MOST_WARNINGS]:
        say(_("Note: {warning}").format(warning=plain(warning)), err=True)
    if (more := len(told_ones) - MOST_WARNINGS) > 0:
        say(_("... and {count} more notes.").format(count=more), err=True)


def print_taken_back(entered: Entered, number: int) -> None:
    say(
        _("No. {number} takes back no. {old}: {said}").format(
            number=entered.number, old=number, said=plain(entered.said)
        )
    )
    _print_change(entered)
    _print_warnings(entered.warnings)


def print_import(done: Sequence[Entered], path: Path, *, applied: bool) -> None:
    """By kind, the first sentences of each. A trial gives no numbers: it took them back."""
    kinds: dict[EventKind, list[Entered]] = defaultdict(list)
    for one in done:
        kinds[one.event.kind].append(one)
    numbers = frozenset(one.receipt for one in done if one.receipt)
    for kind, found in kinds.items():
        name = NAMES[kind.value]
        say(_("{kind}: {count}").format(kind=name, count=len(found)))
        for one in found[:SHOWN_PER_KIND]:
            say("  " + (_line(one) if applied else plain(_without(one.said, numbers))))
        if (more := len(found) - SHOWN_PER_KIND) > 0:
            say("  " + _("... and {count} more").format(count=more))
    _print_warnings([w for one in done for w in one.warnings])
    units = len({one.event.unit for one in done})
    if applied:
        said = _("{count} entries of {units} units were entered.")
    else:
        said = _("{count} entries of {units} units could be entered; nothing was. Enter them with:")
    say(said.format(count=len(done), units=units))
    if not applied:
        say(f"  mailbot record --import {path} --apply")


def _without(said: str, numbers: frozenset[str]) -> str:
    """A sentence without the receipt numbers that a trial gave and took back."""
    return re.sub(r"（([A-Z]+\d{6}-\d+)）", lambda m: "" if m[1] in numbers else m[0], said)


def list_records(
    here: Office,
    book: OfficeBook,
    *,
    unit: str | None,
    kind: EventKind | None,
    since: date | None,
) -> None:
    """By day; what was taken back is marked, nothing is left out."""
    lines = Lines(
        [
            Column(_("No."), 6),
            Column(_("What"), 100, 30),
            Column(_("Evidence"), 24, 10, 3),
            Column(_("Entered"), 24, 16, 2),
            Column(_("State"), 16, 10),
        ],
        room(),
    )
    with here.store.reading() as reads:
        rows = reads.records(book.info.id, unit_id=unit, kind=kind, first=since)
        if rows:
            say(lines.head())
        for row in rows:
            state = ""
            if row.new.reverses is not None:
                state = _("reverses {number}").format(number=row.new.reverses)
            elif row.reversed_by is not None:
                state = _("reversed by {number}").format(number=row.reversed_by)
            entered = f"{row.who} {row.at.astimezone(SHANGHAI):%Y-%m-%d}"
            say(lines.row([str(row.id), told(row, book, reads), row.new.evidence, entered, state]))
    if rows:
        say()
    say(_("{count} rows.").format(count=len(rows)) if rows else _("Nothing fits what was asked."))
    say(_("Items of other channels stand among all items: mailbot items"))
