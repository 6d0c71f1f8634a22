"""`duties`: what an office's calendar asks for. Looks only; `run` and `once` do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, time
from typing import Annotated, Any

import typer

from mailbot.adapters.i18n import N_, _
from mailbot.app.duties.clockguard import CONFIRMED
from mailbot.app.duties.view import DutyLine, OfficeDuties, Standing, overview
from mailbot.app.errors import Fault, OperatorFault
from mailbot.bootstrap import Office
from mailbot.cli import context, words
from mailbot.cli.context import installation, print_json, say
from mailbot.cli.rows import Column, Lines, plain, room
from mailbot.core.duties.model import DutyKind
from mailbot.core.rules.people import CALLED
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import unit_name

STANDINGS = {
    Standing.DONE.value: N_("done"),
    Standing.SKIPPED.value: N_("passed over"),
    Standing.DUE.value: N_("due"),
    Standing.PASSES.value: N_("nothing to send"),
    Standing.FAILS.value: N_("cannot be done"),
    Standing.COMING.value: N_("to come"),
}
NAMED = 12
"""Units and warnings that are named; of more the number is told (all are in the JSON)."""


def duties(
    office: Annotated[
        str | None, typer.Argument(help=_("The office, e.g. otog; default all."))
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(help=_("Preview another day (2026-08-25) or moment (2026-08-25T09:30).")),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=400, help=_("How many days ahead."))] = 30,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print JSON."))] = False,
    clock_is_right: Annotated[
        bool,
        typer.Option(
            "--clock-is-right",
            help=_("Vouch for this machine's clock: what waits because of it is done."),
        ),
    ] = False,
) -> None:
    """Changes nothing, whatever day is asked for; but `--clock-is-right` is kept."""
    moment = _moment(now)
    here = installation(letters=False)
    if clock_is_right:
        _vouch(here)
        return
    shown = [_shown(here, book, moment, days) for book in _books(here, office)]
    if as_json:
        found = [_json(here, book, view) for book, view in shown]
        print_json(found if office is None else found[0])
        return
    for warning in here.calendar.warnings((moment or here.clock.now()).date()):
        say(_("Attention: {warning}").format(warning=warning))
        say()
    for book, view in shown:
        _print(book, view, days, preview=moment is not None)


def _vouch(here: Office) -> None:
    now = here.clock.now()
    with here.store.begin() as tx:
        tx.set_fact(CONFIRMED, now.isoformat(), now)
        tx.audit("operator", "clock.confirmed", "clock", {"at": now.isoformat()}, now)
    say(
        _(
            "Noted: {now} is right. What is due goes out within a minute, or at the next `once`."
        ).format(now=f"{now:%Y-%m-%d %H:%M}")
    )


def _books(here: Office, name: str | None) -> list[OfficeBook]:
    if name is None:
        return list(here.books.values())
    if name not in here.books:
        raise OperatorFault(
            Fault(
                name,
                _("this office is not set up"),
                _("known: {names}").format(names="、".join(here.books)),
            )
        )
    return [here.books[name]]


def _moment(text: str | None) -> datetime | None:
    """A day alone is looked at as it ends, so that all of it is due."""
    found = context.moment("--now", text)
    if found is not None and text is not None and ":" not in text and "T" not in text.upper():
        return datetime.combine(found.date(), time(23, 59), found.tzinfo)
    return found


def _shown(
    here: Office, book: OfficeBook, moment: datetime | None, days: int
) -> tuple[OfficeBook, OfficeDuties | None]:
    """None for an office that no mailbox serves: it has no letters."""
    if book.info.id not in here.served:
        return book, None
    view = overview(
        here.store,
        book,
        here.runners,
        here.clock.now(),
        moment=moment,
        days=days,
        covered_until=here.calendar.covered_until,
    )
    return book, view


# --- as text ----------------------------------------------------------------------------------


def _print(book: OfficeBook, view: OfficeDuties | None, days: int, *, preview: bool) -> None:
    if view is None:
        say(f"━━ {_office(book)}")
        say(_("No mailbox serves this office, so it sends no letters."))
        say(_("Set one up with: mailbot init"))
        say()
        return
    say(f"━━ {_office(book)}  {view.moment:%Y-%m-%d %H:%M}")
    if preview:
        say(_("A preview: nothing is sent and nothing is written."))
    if view.in_service is None:
        told = _("Not in service yet: what is due counts from the first `mailbot run` or `once`.")
        say(told)
    else:
        told = _("In service since {day}; nothing due before is made up for.")
        say(told.format(day=f"{view.in_service:%Y-%m-%d %H:%M}"))
    if not book.letters.letters:
        say(_("This office's data names no letters (letters.toml)."))
    for blocked in view.blocked:
        say(_("Attention: {warning}").format(warning=blocked))
    say()
    say(_("Due now:"))
    _print_due(book, view.due)
    say(_("The last 30 days:"))
    _print_settled(view.settled)
    say(_("The next {days} days:").format(days=days))
    _print_coming(view.coming)


def _office(book: OfficeBook) -> str:
    """Two offices of an installation may be called alike."""
    return f"{book.info.id}  {book.info.name}"


def _print_due(book: OfficeBook, lines: Sequence[DutyLine]) -> None:
    for missed in _folded(lines):
        line = missed[-1]
        standing = words.word(STANDINGS, line.standing.value)
        say(f"  {line.due:%m-%d %H:%M}  {_called(line)}  [{standing}]{_guess(line)}")
        if line.why:
            say(f"    {plain(_run(missed) + line.why)}")
        if line.units:
            told = _("{letters} letters, {units} units: {names}")
            names = _names(book, line)
            say("    " + told.format(letters=line.letters, units=len(line.units), names=names))
        elif line.letters:
            say("    " + _("{letters} letters to the office").format(letters=line.letters))
        if line.draft:
            say("    " + _("a draft for approval: {title}").format(title=plain(line.draft)))
        for warning in line.warnings[:NAMED]:
            say(f"    ! {plain(warning)}")
        if len(line.warnings) > NAMED:
            more = _("and {count} more such notes (all with --json)")
            say("    ! " + more.format(count=len(line.warnings) - NAMED))
    if not lines:
        say("  " + _("nothing"))
    say()


def _print_settled(lines: Sequence[DutyLine]) -> None:
    """Of the digests that went out only the last one, those missed in one line: they would hide all
    the rest."""
    sent = [x for x in lines if x.kind == DutyKind.DIGEST and x.standing is Standing.DONE]
    lines = [line for line in lines if line not in sent[:-1]]
    if not lines:
        say("  " + _("nothing"))
        say()
        return
    table = Lines(
        [
            Column(_("Due"), 11),
            Column(_("Letter"), 44, 20),
            Column(_("What became of it"), words.width(STANDINGS, _("What became of it"))),
            Column(_("At"), 11, 0, 2),
            Column(_("Reason"), 90, 20, 1),
        ],
        room(),
    )
    say(table.head())
    for missed in _folded(lines):
        line = missed[-1]
        at = f"{line.at:%m-%d %H:%M}" if line.at is not None else ""
        standing = words.word(STANDINGS, line.standing.value)
        why = _run(missed) + line.why
        if line.warnings:
            why += " " + _("({count} notes)").format(count=len(line.warnings))
        if sent and line is sent[-1]:
            why = _("the last of {count}").format(count=len(sent)) + "；" + why
        say(table.row([f"{line.due:%m-%d %H:%M}", _called(line), standing, at, why]))
    say()


def _folded(lines: Sequence[DutyLine]) -> list[list[DutyLine]]:
    """Each line by itself, but one for a run of digests that were missed: settled at one moment, or
    for one reason. It stands where the last of them stood."""
    found: list[list[DutyLine]] = []
    runs: dict[tuple[str, object], list[DutyLine]] = {}
    for line in lines:
        if line.kind != DutyKind.DIGEST or line.standing not in (Standing.SKIPPED, Standing.PASSES):
            found.append([line])
            continue
        same = runs.get((line.letter, line.at)) or runs.get((line.letter, line.why)) or []
        if same in found:
            found.remove(same)
        found.append([*same, line])
        runs[line.letter, line.at] = runs[line.letter, line.why] = found[-1]
    return found


def _run(lines: Sequence[DutyLine]) -> str:
    if len(lines) < 2:
        return ""
    told = _("{count} of them, {first} to {last}, this one the last: ")
    return told.format(
        count=len(lines), first=f"{lines[0].due:%m-%d}", last=f"{lines[-1].due:%m-%d}"
    )


def _print_coming(lines: Sequence[DutyLine]) -> None:
    """The digest, due every working morning, has one line."""
    if not lines:
        say("  " + _("nothing"))
        say()
        return
    table = Lines(
        [
            Column(_("Due"), 11),
            Column(_("Weekday"), 7, 0, 1),
            Column(_("Letter"), 50, 24),
            Column(_("To"), 24, 10, 2),
            Column(_("Note"), 60, 16),
        ],
        room(),
    )
    say(table.head())
    daily: set[str] = set()
    for line in lines:
        notes = [plain(line.why)] if line.why else []
        if line.guessed:
            notes.append(_("guessed: beyond the known holidays"))
        note = "；".join(notes)
        called = _called(line)
        if line.kind == DutyKind.DIGEST:
            if line.letter in daily:
                continue
            daily.add(line.letter)
            called = line.name
            of_kind = [one for one in lines if one.letter == line.letter]
            guessed = sum(one.guessed for one in of_kind)
            note = _("every working day, {count} in all").format(count=len(of_kind))
            if guessed:
                note += _("; {count} of them guessed, beyond the known holidays").format(
                    count=guessed
                )
        weekday = _("Mon Tue Wed Thu Fri Sat Sun").split()[line.due.weekday()]
        roles = "、".join(CALLED.get(role, role) for role in line.roles) or _("the office")
        say(table.row([f"{line.due:%m-%d %H:%M}", weekday, called, roles, note]))
    say()


def _called(line: DutyLine) -> str:
    return " ".join(part for part in (line.name, line.about, line.time) if part)


def _guess(line: DutyLine) -> str:
    return " " + _("(guessed: beyond the known holidays)") if line.guessed else ""


def _names(book: OfficeBook, line: DutyLine) -> str:
    names = [unit_name(unit, book.roster) for unit in line.units]
    named = "、".join(names[:NAMED])
    if len(names) <= NAMED:
        return named
    return _("{names} and {count} more").format(names=named, count=len(names) - NAMED)


# --- as JSON ----------------------------------------------------------------------------------


def _json(here: Office, book: OfficeBook, view: OfficeDuties | None) -> dict[str, Any]:
    if view is None:
        return {"office": book.info.id, "served": False}
    day = view.moment.date()
    calendar = {"known_until": here.calendar.covered_until, "warnings": here.calendar.warnings(day)}
    return {"served": True, "calendar": calendar, **asdict(view)}
