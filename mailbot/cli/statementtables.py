"""Statements as lines of a terminal and as JSON.

A statement puts each clause once at its end, under the number its entries carry: a unit that
disputes a line finds the sentence, and the account stays readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from mailbot.adapters.i18n import _
from mailbot.adapters.resultsheets import STAR, rule_name
from mailbot.app.letter_records import AppealRow
from mailbot.app.scoring import Statement
from mailbot.app.service.entries import appeal_name
from mailbot.cli import words
from mailbot.cli.rows import Column, Lines, room
from mailbot.cli.rows import plain as one_line
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.numbers import plain, signed
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.wire import entry_json
from mailbot.core.subject.units import unit_name


def statement_lines(
    found: Statement, book: OfficeBook, appeals: Sequence[AppealRow] = ()
) -> Iterable[str]:
    """`appeals`: those that belong beside its entries."""
    yield f"━━ {book.info.name}  {unit_name(found.unit, book.roster)}  {found.period.name}"
    if found.seal is not None:
        yield _("Sealed {day} by {who}.").format(day=found.seal.at.date(), who=found.seal.who)
    elif found.period.last >= found.as_of:
        yield _(
            "Not over yet: as of {day}. Quotas, bases and shortages are those of the months that"
            " are over."
        ).format(day=found.as_of)
    lines = Lines(
        [
            Column(_("Day"), 10),
            Column(_("Points"), 7, right=True),
            Column(_("Total"), 7, right=True),
            Column(_("Rule"), 16, 10, 1),
            Column(_("What for"), 110, 24),
            Column(_("Item"), 16, 0, 2),
            Column(_("Basis"), 5),
        ],
        room(),
    )
    clauses = _clauses(found.entries)
    yield lines.head()
    total = Decimal(0)
    for entry in found.entries:
        total += entry.points
        yield lines.row(
            [
                entry.day.isoformat(),
                signed(entry.points),
                plain(total),
                rule_name(entry, book),
                entry.text + (f"（{STAR * entry.stars}）" if entry.stars else ""),
                _source(entry),
                f"[{clauses[_cited(entry)]}]",
            ]
        )
    yield ""
    yield _(
        "Total of the period {total}; brought forward from January {opening}; together {all}."
    ).format(
        total=plain(found.total),
        opening=plain(found.opening),
        all=plain(found.opening + found.total),
    )
    names = {q.id: q.name for q in book.quotas}
    for state in found.quotas:
        yield _("{name}: owed {need}, sent {got}, missing {missing}.").format(
            name=names.get(state.quota, state.quota),
            need=state.need,
            got=state.got,
            missing=state.missing,
        )
    for (rule, version, document, clause), mark in clauses.items():
        since = _("from {day}").format(day=version)
        yield f"[{mark}] {document} {clause}（{rule}，{since}）"
    for record in found.reversed:
        yield _("Taken back: record {number} of {day}, {kind}; see record {reversal}.").format(
            number=record.id,
            day=record.new.day,
            kind=words.event_name(record.new.kind),
            reversal=record.reversed_by,
        )

    for appeal in appeals:
        yield from appeal_lines(appeal)


def appeal_lines(appeal: AppealRow) -> Iterable[str]:
    """One appeal, with its answer where it has one."""
    about, day = appeal_name(appeal.new.about), day_of(appeal.opened)
    if appeal.answered_at is None:
        told = _("Appeal {number} of {day} about {about}: waits for an answer.")
        yield told.format(number=appeal.id, day=day, about=about)
        return
    told = _("Appeal {number} of {day} about {about}: answered {answered} by {who}:")
    answered = day_of(appeal.answered_at)
    yield told.format(
        number=appeal.id, day=day, about=about, answered=answered, who=appeal.answered_by
    )
    for text in appeal.answer.splitlines():
        if text.strip():
            yield f"    {one_line(text)}"


def _source(entry: Entry) -> str:
    """The item, or the record behind the entry: what to look up, or to take back."""
    records = [event.removeprefix("record:") for event in entry.events if ":" in event]
    if entry.item or not records:
        return entry.item
    return _("record {number}").format(number="、".join(records[:3]))


Cited = tuple[str, date, str, str]


def _cited(entry: Entry) -> Cited:
    return entry.rule, entry.version, entry.document, entry.clause


def _clauses(entries: Sequence[Entry]) -> dict[Cited, int]:
    """Each cited clause and the number it goes by, in the order of first use."""
    marks: dict[Cited, int] = {}
    for entry in entries:
        marks.setdefault(_cited(entry), len(marks) + 1)
    return marks


def appeal_json(appeal: AppealRow) -> dict[str, Any]:
    return {
        "id": appeal.id,
        "office": appeal.new.office,
        "unit": appeal.new.unit_id,
        "about": appeal.new.about,
        "mail": appeal.new.inbound_id,
        "from": appeal.from_addr,
        "opened": appeal.opened,
        "answer": appeal.answer,
        "answered_at": appeal.answered_at,
        "answered_by": appeal.answered_by,
    }


def statement_json(
    found: Statement, book: OfficeBook, appeals: Sequence[AppealRow] = ()
) -> dict[str, Any]:
    return {
        "office": found.office,
        "unit": found.unit,
        "name": unit_name(found.unit, book.roster),
        "period": found.period.code,
        "as_of": found.as_of,
        "opening": str(found.opening),
        "total": str(found.total),
        "entries": [entry_json(entry) for entry in found.entries],
        "quotas": [
            {"quota": q.quota, "need": q.need, "got": q.got, "missing": q.missing}
            for q in found.quotas
        ],
        "reversed": [record.id for record in found.reversed],
        "sealed": found.seal.at if found.seal else None,
        "appeals": [appeal_json(appeal) for appeal in appeals],
    }
