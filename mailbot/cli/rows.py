"""Lines of a table that is printed while it grows, aligned for double-width characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from mailbot.adapters.i18n import _
from mailbot.app.settle import Settled
from mailbot.core.intake.model import DecisionKind
from mailbot.core.letters import AnswerKind
from mailbot.core.rules.periods import day_of


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    width: int


class Lines:
    """Formats rows one by one. Values that are too long are cut with an ellipsis."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns

    def head(self) -> str:
        rule = "  ".join("─" * c.width for c in self.columns)
        return f"{self.row([c.title for c in self.columns])}\n{rule}"

    def row(self, values: Sequence[str]) -> str:
        cells = []
        for column, value in zip(self.columns, values, strict=True):
            text = " ".join(value.split())
            if cell_len(text) > column.width:
                text = set_cell_size(text, column.width - 1).rstrip() + "…"
            cells.append(set_cell_size(text, column.width))
        return "  ".join(cells).rstrip()


def decision_name(kind: str) -> str:
    """A decision in the reader's language."""
    return {
        DecisionKind.ACCEPT.value: _("accepted"),
        DecisionKind.RETURN.value: _("returned"),
        DecisionKind.HOLD.value: _("held"),
        DecisionKind.QUARANTINE.value: _("quarantined"),
        DecisionKind.IGNORE.value: _("ignored"),
        "": _("not yet decided"),
    }.get(kind, kind)


def answer_name(kind: str) -> str:
    """An answer's kind in the reader's language; `-` for none."""
    return {
        AnswerKind.ACKNOWLEDGEMENT.value: _("acknowledgement"),
        AnswerKind.REPEAT.value: _("acknowledgement"),
        AnswerKind.RETURN.value: _("return"),
        AnswerKind.PENDING.value: _("being checked"),
        AnswerKind.LIMIT.value: _("limit notice"),
    }.get(kind, "-")


def settled_lines() -> Lines:
    return Lines(
        [
            Column(_("Time"), 11),
            Column(_("Unit"), 18),
            Column(_("Title"), 40),
            Column(_("Category"), 8),
            Column(_("Decision"), 8),
            Column(_("Answer"), 8),
            Column(_("Number / reason"), 42),
        ]
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
            decision_name(settled.kind),
            answer_name(settled.answer.kind.value) if settled.answer.kind else "-",
            note,
        ]
    )
