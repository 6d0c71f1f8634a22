"""`mailbot health`: how the installation does, for people and for cron."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import typer
from rich.cells import set_cell_size

from mailbot.adapters.db.engine import open_store
from mailbot.adapters.i18n import N_, _
from mailbot.adapters.offices.rulefiles import load_offices
from mailbot.adapters.system import SystemClock
from mailbot.app.board import Board
from mailbot.app.health import Health, State, span
from mailbot.cli.context import print_json, say, settings
from mailbot.watching import health_look
from mailbot.web.figures import as_json

STATES = {
    State.OK: N_("all is well"),
    State.DEGRADED: N_("works, but something wants a person"),
    State.FAILED: N_("does not do its work"),
}
LETTERS = {
    "ready": N_("ready"),
    "withheld": N_("withheld"),
    "sending": N_("being sent"),
    "dot": N_("being sent"),
    "retry": N_("to be tried again"),
    "failed": N_("failed"),
    "unknown": N_("uncertain"),
}
_COLOURS = {
    State.OK: typer.colors.GREEN,
    State.DEGRADED: typer.colors.YELLOW,
    State.FAILED: typer.colors.RED,
}
_TITLE_CELLS = 22


def health(
    as_json_: Annotated[bool, typer.Option("--json", help=_("Print JSON."))] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help=_("Exit code 1 also where something wants a person."))
    ] = False,
) -> None:
    """What /healthz says, out of the database: also while `mailbot run` does not run, and also which
    part of it stands still. Changes nothing. Exit code 0: it does its work; 1: it does not."""
    found = settings()
    found.require_mailboxes()
    books = load_offices(found.offices_dir, found.offices)
    store = open_store(found.database, create=False)
    try:
        seen = health_look(found, books, store, Board(), SystemClock())()
    finally:
        store.close()
    if as_json_:
        print_json(as_json(seen))
    else:
        _show(seen)
    bad = seen.state is State.FAILED or (strict and seen.state is State.DEGRADED)
    raise typer.Exit(1 if bad else 0)


def _show(seen: Health) -> None:
    say(typer.style(_(STATES[seen.state]), fg=_COLOURS[seen.state], bold=True))
    for reason in seen.reasons:
        say(f"  {typer.style('●', fg=_COLOURS[reason.state])} {reason.text}")
    say()
    for title, value in _rows(seen):
        say(f"{set_cell_size(title, _TITLE_CELLS)}{value}".rstrip())


def _rows(seen: Health) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    if seen.free_bytes is not None:
        rows.append((_("disk free"), f"{seen.free_bytes // 1_000_000} MB"))
    figures = seen.figures
    if figures is None:
        return rows
    for name, box in figures.mailboxes.items():
        searched = _("never") if box.searched is None else _ago(seen, box.searched)
        said = _("searched {when}, {n} mails wait").format(when=searched, n=box.waiting)
        rows.append((_("mailbox {name}").format(name=name), said))
    letters = {_(LETTERS.get(state, state)): 0 for state in figures.letters}
    for state, count in figures.letters.items():
        letters[_(LETTERS.get(state, state))] += count
    rows.append((_("letters"), _listed(letters)))
    if figures.oldest_letter is not None:
        rows.append((_("oldest letter"), _ago(seen, figures.oldest_letter)))
    rows += [
        (_("items held"), str(figures.held)),
        (_("open tasks"), str(sum(figures.tasks.values()))),
        (
            _("answers last hour"),
            _listed({o: f"{n}/{seen.per_hour.get(o, '-')}" for o, n in figures.last_hour.items()}),
        ),
        (
            _("last backup"),
            _("never") if figures.last_backup is None else _ago(seen, figures.last_backup),
        ),
    ]
    if figures.workers:
        machines = _(", ").join(sorted(figures.hosts))
        rows.append((_("processes alive"), f"{figures.workers} ({machines})"))
    rows.append((_("database version"), figures.schema))
    return rows


def _ago(seen: Health, then: datetime) -> str:
    return _("{span} ago").format(span=span(seen.at - then).strip())


def _listed(counts: Mapping[str, int | str]) -> str:
    return _(", ").join(f"{name} {count}" for name, count in counts.items()) or _("none")
