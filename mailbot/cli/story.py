"""Long prints: one explained mail, one recorded item with its whole history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from mailbot.adapters.i18n import _
from mailbot.app.settle import Settled
from mailbot.cli.rows import answer_name, decision_name
from mailbot.core.intake.describe import (
    CERTAINTY_LABELS,
    FIELD_LABELS,
    PROBLEM_LABELS,
    SOURCE_LABELS,
    human_size,
)
from mailbot.core.intake.model import Draft
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.model import FieldName, FieldValue, UnitValue


def print_settled(name: str, settled: Settled) -> None:
    """What was read, from where, what was decided and why, and the answer that would go out."""
    decision = settled.decision
    typer.echo(f"━━ {name}")
    received = settled.received.strftime("%Y-%m-%d %H:%M")
    _line(_("Received"), f"{received} ({settled.received_source})")
    _line(_("Decision"), decision_name(decision.kind.value))
    for reason in decision.reasons:
        _line("", reason.text + (f" [{reason.detail}]" if reason.detail else ""))
    if decision.keep_content:
        _line(_("Subject"), settled.mail.subject)
        _line(_("Sender"), ", ".join(f"{a.name} <{a.addr}>" for a in settled.mail.from_))
        for number, draft in enumerate(decision.drafts, 1):
            _draft(number, draft, settled)
        if not decision.drafts and decision.reading is not None:
            reading = decision.reading
            _fields(reading.unit, reading.title, reading.submitter, reading.contact, settled)
    for problem in decision.problems:
        found = problem.found or "、".join(problem.candidates)
        _line(_("Fault"), PROBLEM_LABELS[problem.code] + (f": {found}" if found else ""))
    for defect in settled.mail.defects:
        _line(_("Defect"), f"{defect.code.value} @ {defect.where} {defect.detail}")
    if settled.answer.letter is None or settled.answer.rendered is None:
        _line(_("Answer"), _("none ({why})").format(why=settled.answer.none))
    else:
        rendered = settled.answer.rendered
        kind = settled.answer.kind.value if settled.answer.kind else ""
        _line(_("Answer"), f"{answer_name(kind)} → {settled.answer.letter.recipient}")
        _line(_("Subject"), rendered.subject)
        typer.echo("")
        for text in rendered.text.splitlines():
            typer.echo(f"    │ {text}")
    typer.echo("")


def _draft(number: int, draft: Draft, settled: Settled) -> None:
    categories = settled.facts.book.categories_on(day_of(settled.received))
    found = draft.classification
    typer.echo(_("  Item {number}").format(number=number))
    _fields(draft.unit, draft.title, draft.submitter, draft.contact, settled)
    doubtful = _(" (doubtful)") if found.doubtful else ""
    _line(_("Category"), f"{categories.get(found.category).name} [{found.by}]{doubtful}")
    for evidence in found.evidence:
        _line("", evidence)
    if draft.link is not None and draft.target is not None:
        _line(_("Relates to"), f"{draft.link.value} {draft.target.receipt}")


def _fields(
    unit: UnitValue | None,
    title: FieldValue | None,
    submitter: FieldValue | None,
    contact: Sequence[FieldValue],
    settled: Settled,
) -> None:
    roster = settled.facts.book.roster
    for name, values in (
        (FieldName.UNIT, [unit] if unit else []),
        (FieldName.TITLE, [title] if title else []),
        (FieldName.SUBMITTER, [submitter] if submitter else []),
        (FieldName.CONTACT, list(contact)),
    ):
        if not values:
            _line(FIELD_LABELS[name], _("(nothing found)"))
        for value in values:
            where = f"{SOURCE_LABELS[value.source]}, {CERTAINTY_LABELS[value.certainty]}"
            resolved = ""
            if isinstance(value, UnitValue):
                resolved = (
                    f" = {roster.get(value.unit_id).name}"
                    if value.unit_id
                    else _(" = nobody in the roster")
                )
            _line(FIELD_LABELS[name], f"{value.value}{resolved}  ({where})")


def print_record(record: Mapping[str, Any], books: Mapping[str, OfficeBook]) -> None:
    """Everything recorded about an item or mail, oldest first."""
    for item in record["items"]:
        book = books.get(item["office"])
        unit = item["unit_id"] or ""
        if book is not None and any(u.id == unit for u in book.roster.units):
            unit = book.roster.get(unit).name
        typer.echo(f"━━ {item['receipt']}  {item['state']}  {unit}")
        _line(_("Received"), _time(item["received"]))
        _line(_("Counts in"), str(item["month"])[:7])
        _line(_("Flags"), ", ".join(item["flags"]) or "-")
        for version in item["versions"]:
            typer.echo(
                _("  Version {no} (mail:{mail})").format(
                    no=version["no"], mail=version["inbound_id"]
                )
            )
            _line(FIELD_LABELS[FieldName.UNIT], version["unit_written"])
            _line(FIELD_LABELS[FieldName.TITLE], version["title"])
            _line(FIELD_LABELS[FieldName.SUBMITTER], version["submitter"])
            _line(FIELD_LABELS[FieldName.CONTACT], "、".join(version["contact"]))
            evidence = "；".join(version["category_evidence"])
            _line(_("Category"), f"{version['category']} [{version['category_by']}] {evidence}")
    for mail in record["mails"]:
        _mail(mail)
    for task in record["tasks"]:
        state = _("done by {who}").format(who=task["done_by"]) if task["done_at"] else _("open")
        _line(_("Task"), f"{task['text']} ({state})")
    for entry in record["audit"]:
        _line(_("Log"), f"{_time(entry['at'])} {entry['who']} {entry['action']} {entry['detail']}")


def _mail(mail: Mapping[str, Any]) -> None:
    typer.echo(f"── mail:{mail['id']}  {mail['subject']}")
    _line(_("Received"), f"{_time(mail['received'])} ({mail['received_source']})")
    _line(_("Sender"), mail["from_addr"])
    _line(_("State"), mail["state"])
    content = mail["content"]
    if content is not None:
        for file in content["attachments"]:
            _line(_("Attachment"), f"{file['name']} {human_size(file['size'])} ({file['kind']})")
        for defect in content["defects"]:
            _line(_("Defect"), f"{defect['code']} @ {defect['where']} {defect['detail']}")
    for decision in mail["decisions"]:
        kind = decision_name(decision["kind"])
        _line(_("Decision"), f"{kind} ({decision['by']}, {_time(decision['at'])})")
        for reason in decision["reasons"]:
            _line("", reason)
    for link in mail["links"]:
        target = next((link[k] for k in ("to_item", "to_inbound", "to_outbox") if link[k]), "")
        _line(_("Linked"), f"{link['relation']} {target}")
    for answer in mail["answers"]:
        state = f"{answer['state']} {_time(answer['sent_at'])}".strip()
        _line(_("Answer"), f"{answer_name(answer['kind'])} → {answer['recipient']}: {state}")
        _line("", answer["subject"])


def _time(value: Any) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S") if hasattr(value, "strftime") else str(value or "")


def _line(label: str, text: str) -> None:
    from rich.cells import set_cell_size

    typer.echo(f"  {set_cell_size(label, 12)}{text}")
