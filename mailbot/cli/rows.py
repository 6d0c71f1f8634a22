"""Lines of a table that is printed while it grows, aligned for double-width characters.

A table fits the terminal it is printed on: narrow columns first, then whole columns give way, the
least needed first. Into a file or a pipe it goes in full, for `grep` and for the printer.
"""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from mailbot.adapters.i18n import _
from mailbot.cli import words
from mailbot.core.intake.model import DecisionKind
from mailbot.core.rules.periods import day_of

if TYPE_CHECKING:
    from mailbot.app.settle import Settled

GAP = "  "
MIN_WIDTH = 6
"""Cells below which no column is cut: three characters and nothing can be read."""


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in cells where there is room, `least` where there is little (0: never narrower than
    `width`). `drop`: where even that is too wide, columns with the highest number go first; 0
    stays."""

    title: str
    width: int
    least: int = 0
    drop: int = 0
    right: bool = False
    """Numbers, under each other."""

    @property
    def narrow(self) -> int:
        return self.least or self.width


class Lines:
    """Formats rows one by one. Values that are too long are cut with an ellipsis. `room` in cells;
    None for as much as wanted."""

    def __init__(self, columns: Sequence[Column], room: int | None = None) -> None:
        self.shown = fit(columns, room)

    def head(self) -> str:
        titles = {i: c.title for i, c in self.shown.items()}
        rule = GAP.join("─" * c.width for c in self.shown.values())
        return f"{self._line(titles)}\n{rule}"

    def row(self, values: Sequence[str]) -> str:
        return self._line(dict(enumerate(values)))

    def _line(self, values: Mapping[int, str]) -> str:
        cells = [_cell(values[i], c.width, c.right) for i, c in self.shown.items()]
        return GAP.join(cells).rstrip()


def fit(columns: Sequence[Column], room: int | None) -> dict[int, Column]:
    """The columns that fit, by their place in the row, as wide as there is room for."""
    shown = dict(enumerate(columns))
    if room is None:
        return shown
    while _sum(c.narrow for c in shown.values()) > room:
        least_needed = max(shown, key=lambda i: (shown[i].drop, i))
        if not shown[least_needed].drop:
            break
        del shown[least_needed]
    while _sum(c.narrow for c in shown.values()) > room:  # a telephone's screen
        widest = max(shown, key=lambda i: shown[i].narrow)
        if shown[widest].narrow <= MIN_WIDTH:
            break
        shown[widest] = replace(shown[widest], least=shown[widest].narrow - 1)
    spare = room - _sum(c.narrow for c in shown.values())
    # The column that lost most gets back first: it is the one people read.
    for i, column in sorted(shown.items(), key=lambda e: e[1].narrow - e[1].width):
        more = max(0, min(column.width - column.narrow, spare))
        shown[i] = replace(column, width=column.narrow + more)
        spare -= more
    return shown


def _sum(widths: Iterable[int]) -> int:
    found = list(widths)
    return sum(found) + len(GAP) * max(len(found) - 1, 0)


def room() -> int | None:
    """Cells a line of the output may take: the terminal's, else what COLUMNS says, else any."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return max(shutil.get_terminal_size().columns, 40)
    return None


def plain(text: str) -> str:
    """One line for a terminal: what a title brings along must not move the cursor, turn the
    writing direction or colour the screen."""
    kept = (" " if c.isspace() or unicodedata.category(c)[0] == "C" else c for c in text)
    return " ".join("".join(kept).split())


def _cell(value: str, width: int, right: bool = False) -> str:
    text = plain(value)
    if cell_len(text) > width:
        text = set_cell_size(text, width - 1).rstrip() + "…"
    if right:
        return " " * (width - cell_len(text)) + text
    return set_cell_size(text, width)


def settled_lines() -> Lines:
    """The table of mails as they are decided."""
    return Lines(
        [
            Column(_("Time"), 11),
            Column(_("Unit"), 18, 12),
            Column(_("Title"), 40, 24),
            Column(_("Category"), 8, 0, 2),
            Column(_("Decision"), words.width(words.DECISIONS, _("Decision"))),
            Column(_("Answer"), words.width(words.ANSWERS, _("Answer"))),
            Column(_("Number / reason"), 42, 14, 3),
        ],
        room(),
    )


def settled_row(lines: Lines, settled: Settled) -> str:
    """One mail as it was decided. Says nothing of the content after a secrets hit."""
    book = settled.facts.book
    decision = settled.decision
    unit = title = category = ""
    if decision.keep_content:
        reading = decision.reading
        if reading is not None and reading.unit is not None:
            unit = (
                book.roster.get(reading.unit.unit_id).name
                if reading.unit.unit_id
                else reading.unit.value
            )
        elif settled.facts.bound_unit is not None and decision.command is not None:
            unit = book.roster.get(settled.facts.bound_unit).name
        titles = [d.title.value for d in decision.drafts if d.title is not None]
        title = "；".join(titles) or (f"（{settled.mail.subject}）" if settled.mail.subject else "")
        if decision.kind is DecisionKind.ACCEPT:
            categories = book.categories_on(day_of(settled.received))
            names = {categories.get(d.classification.category).name for d in decision.drafts}
            category = "、".join(sorted(names))
    receipts = [i.receipt for i in settled.items]
    why = "；".join(r.text for r in decision.reasons)
    note = why
    if decision.kind is DecisionKind.ACCEPT and receipts:
        note = receipts[0] + (f"–{receipts[-1][-4:]}" if len(receipts) > 1 else "")
        if decision.reasons[0].code not in ("complete",):
            note += f" {why}"
    return lines.row(
        [
            settled.received.strftime("%m-%d %H:%M"),
            unit,
            title,
            category,
            words.word(words.DECISIONS, settled.kind),
            words.settled_answer(settled),
            note,
        ]
    )
