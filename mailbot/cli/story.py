"""Long prints: one explained mail, one recorded item or mail with its whole history.

Written for a clerk who settles a dispute on the telephone: Chinese labels, whole sentences, times,
and who did what. Codes and details for the administrator stand behind, in square brackets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.cells import set_cell_size

from mailbot.adapters.i18n import _
from mailbot.adapters.system import SHANGHAI
from mailbot.app.recording.columns import CHANNEL_NAMES
from mailbot.app.records import MAIL_CHANNEL
from mailbot.app.service.entries import appeal_name
from mailbot.app.settle import Settled
from mailbot.cli import words
from mailbot.cli.context import say
from mailbot.cli.rows import plain
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
from mailbot.core.subject.model import Certainty, FieldName, FieldValue, Source, UnitValue
from mailbot.core.subject.roster import Roster

LABEL = 12
"""Cells of the label column."""
BODY_LINES = 15
"""Lines of a mail's text that are printed; the whole is in the archived mail."""


# --- a mail that was only looked at ----------------------------------------------------------


def print_settled(name: str, settled: Settled) -> None:
    """What was read, from where, what was decided and why, and the answer that would go out."""
    decision = settled.decision
    say(f"━━ {plain(name)}")
    source = words.word(words.RECEIVED_SOURCES, settled.received_source)
    line(_("Received"), f"{settled.received.strftime('%Y-%m-%d %H:%M')} ({source})")
    line(_("Decision"), words.word(words.DECISIONS, decision.kind.value))
    for reason in decision.reasons:
        line("", reason.text + (f" [{reason.detail}]" if reason.detail else ""))
    if decision.keep_content:
        _content(settled)
    answer = settled.answer
    if answer.letter is None or answer.rendered is None:
        line(_("Answer"), _("none: {why}").format(why=words.no_answer(answer.none)))
    else:
        line(_("Answer"), f"{words.settled_answer(settled)} → {answer.letter.recipient}")
        line(_("Subject"), answer.rendered.subject)
        say()
        for text in answer.rendered.text.splitlines():
            say(f"    │ {text}".rstrip())
    say()


def _content(settled: Settled) -> None:
    """Nothing of this is said after a secrets hit."""
    decision, mail = settled.decision, settled.mail
    roster = settled.facts.book.roster
    line(_("Subject"), mail.subject or _("(none)"))
    senders = ", ".join(f"{a.name} <{a.addr}>".strip() for a in mail.from_)
    line(_("Sender"), senders or _("(none)"))
    for file in mail.attachments:
        _file(file.name, file.size, file.kind.value)
    for number, draft in enumerate(decision.drafts, 1):
        if len(decision.drafts) > 1:
            say(_("  Item {number}").format(number=number))
        _draft(draft, settled)
    if not decision.drafts and decision.reading is not None:
        reading = decision.reading
        _fields(reading.unit, reading.title, reading.submitter, reading.contact, roster)
    for problem in decision.problems:
        found = problem.found or "、".join(
            roster.get(c).name if any(u.id == c for u in roster.units) else c
            for c in problem.candidates
        )
        line(_("Fault"), PROBLEM_LABELS[problem.code] + (f": {found}" if found else ""))
    for warning in decision.warnings:
        line(_("Warning"), warning)
    for defect in mail.defects:
        _defect(defect.code.value, defect.where, defect.detail)


def _draft(draft: Draft, settled: Settled) -> None:
    found = draft.classification
    categories = settled.facts.book.categories_on(day_of(settled.received))
    _fields(draft.unit, draft.title, draft.submitter, draft.contact, settled.facts.book.roster)
    doubtful = _(" (doubtful)") if found.doubtful else ""
    by = words.word(words.CATEGORY_BY, found.by)
    line(_("Category"), f"{categories.get(found.category).name} ({by}){doubtful}")
    for evidence in found.evidence:
        line("", evidence)
    if draft.link is not None and draft.target is not None:
        relation = words.word(words.RELATIONS, draft.link.value)
        line(_("Relates to"), f"{relation} {draft.target.receipt}")


def _fields(
    unit: UnitValue | None,
    title: FieldValue | None,
    submitter: FieldValue | None,
    contact: Sequence[FieldValue],
    roster: Roster,
) -> None:
    for name, values in (
        (FieldName.UNIT, [unit] if unit else []),
        (FieldName.TITLE, [title] if title else []),
        (FieldName.SUBMITTER, [submitter] if submitter else []),
        (FieldName.CONTACT, list(contact)),
    ):
        if not values:
            line(FIELD_LABELS[name], _("(nothing found)"))
        for value in values:
            where = f"{SOURCE_LABELS[value.source]}, {CERTAINTY_LABELS[value.certainty]}"
            resolved = _resolved(value, roster) if isinstance(value, UnitValue) else ""
            line(FIELD_LABELS[name], f"{value.value}{resolved}  ({where})")


def _resolved(value: UnitValue, roster: Roster) -> str:
    if value.unit_id:
        name = roster.get(value.unit_id).name
        return f" = {name}" if name != value.value else ""
    if value.candidates:
        names = "、".join(roster.get(c).name for c in value.candidates)
        return _(" = perhaps {names}").format(names=names)
    return _(" = nobody in the roster")


# --- what is recorded ------------------------------------------------------------------------


class Record:
    """Prints what `everything_about` found. `file_of` tells where the raw mail of a hash lies."""

    def __init__(
        self, books: Mapping[str, OfficeBook], file_of: Callable[[str], str] = lambda _: ""
    ) -> None:
        self.books, self.file_of = books, file_of

    def show(self, record: Mapping[str, Any]) -> None:
        """Everything recorded about an item or mail."""
        receipts = {i["id"]: i["receipt"] for i in record["items"]}
        for item in record["items"]:
            self._item(item)
        for mail in record["mails"]:
            self._mail(mail, receipts)
        if record["appeals"]:
            say(_("── Appeals"))
        for appeal in record["appeals"]:
            line(_time(appeal["opened"]), _appeal(appeal), 20)
            for text in appeal["answer"].splitlines():
                line("", text, 20)
        if record["tasks"]:
            say(_("── Tasks"))
        for task in record["tasks"]:
            state = _("open, number {id}").format(id=task["id"])
            if task["done_at"]:
                state = _("done by {who}, {time}").format(
                    who=task["done_by"], time=_time(task["done_at"])
                )
            line(_time(task["created"]), f"{task['text']} ({state})", 20)
        if record["audit"]:
            say(_("── Log"))
        for entry in record["audit"]:
            line(_time(entry["at"]), self._entry(entry, record), 20)

    def _item(self, item: Mapping[str, Any]) -> None:
        newest = item["versions"][-1]
        unit = self._unit(item["office"], item["unit_id"]) or newest["unit_written"]
        say(f"━━ {item['receipt']}  {unit}  {plain(newest['title'])}".rstrip())
        line(_("State"), words.word(words.ITEM_STATES, item["state"]))
        line(_("Received"), _time(item["received"]))
        line(_("Counts in"), str(item["month"])[:7])
        if item["channel"] != MAIL_CHANNEL:
            line(_("Channel"), CHANNEL_NAMES.get(item["channel"], item["channel"]))
            line(_("Evidence"), item["evidence"] or _("(none)"))
        if item["inbound_id"] is not None:
            line(_("Sender"), item["from_addr"])
        if item["commissioned"]:
            line(_("Commission"), _("the answer to a commission"))
        for flag in item["flags"]:
            line(_("To look at"), words.word(words.FLAGS, flag))
        for version in reversed(item["versions"]):
            now = _(", the present one") if version is newest else ""
            mail = version["inbound_id"]
            head = _("  Version {no} (mail:{mail}){now}") if mail else _("  Version {no}{now}")
            say(head.format(no=version["no"], mail=mail, now=now))
            self._version(version, item)

    def _version(self, version: Mapping[str, Any], item: Mapping[str, Any]) -> None:
        fields = version["fields"]
        line(FIELD_LABELS[FieldName.UNIT], version["unit_written"] + _source(fields.get("unit")))
        line(FIELD_LABELS[FieldName.TITLE], version["title"] + _source(fields.get("title")))
        submitter = version["submitter"] + _source(fields.get("submitter"))
        line(FIELD_LABELS[FieldName.SUBMITTER], submitter)
        contact = (fields.get("contact") or [None])[0]
        line(FIELD_LABELS[FieldName.CONTACT], "、".join(version["contact"]) + _source(contact))
        by = words.word(words.CATEGORY_BY, version["category_by"])
        name = self._category(item, version["category"])
        line(_("Category"), f"{name} ({by})")
        for evidence in version["category_evidence"]:
            line("", evidence)
        if version["attachments_from"]:
            line(
                _("Attachment"),
                _("those of mail:{mail}").format(mail=version["attachments_from"]),
            )
        if version["topics"]:
            line(_("Topics"), "、".join(version["topics"]))
        if version["scope"]:
            line(_("Scope"), version["scope"])

    def _mail(self, mail: Mapping[str, Any], receipts: Mapping[int, str]) -> None:
        say(f"── mail:{mail['id']}  {plain(mail['subject'])}".rstrip())
        source = words.word(words.RECEIVED_SOURCES, mail["received_source"])
        line(_("Received"), f"{_time(mail['received'])} ({source})")
        line(_("Sender"), mail["from_addr"])
        origin = mail["origin"]
        place = f"{origin['account']} {origin['folder']} UID {origin['uid']}"
        line(_("Mailbox"), f"{place} ({words.word(words.MAIL_STATES, mail['state'])})")
        self._body(mail)
        for decision in mail["decisions"]:
            self._decision(decision)
        for link in mail["links"]:
            _link(link, mail["id"], receipts)
        for answer in mail["answers"]:
            _letter(answer)

    def _body(self, mail: Mapping[str, Any]) -> None:
        content, removed = mail["content"], mail["removed"] or {}
        if content is None:
            if removed.get("content"):
                when = f"{removed['content']:%Y-%m-%d}"
                line(_("Content"), _("removed on {day}, past the office's time").format(day=when))
            elif mail["decision"]:
                line(_("Content"), _("not kept"))
            return
        for file in content["attachments"]:
            _file(file["name"], file["size"], file["kind"])
        for defect in content["defects"]:
            _defect(defect["code"], defect["where"], defect["detail"])
        if where := self.file_of(mail["sha256"]):
            line(_("Original"), where)
        elif removed.get("raw"):
            when = f"{removed['raw']:%Y-%m-%d}"
            line(_("Original"), _("removed on {day}, past the office's time").format(day=when))
        text = [t for t in content["text"].splitlines() if t.strip()]
        for number, each in enumerate(text[:BODY_LINES]):
            line(_("Text") if not number else "", each)
        if len(text) > BODY_LINES:
            more = len(text) - BODY_LINES
            line("", _("({count} more lines: see the original)").format(count=more))

    def _decision(self, decision: Mapping[str, Any]) -> None:
        kind = words.word(words.DECISIONS, decision["kind"])
        line(_("Decision"), f"{kind} ({_who(decision['who'])}, {_time(decision['at'])})")
        for reason in decision["reasons"]:
            line("", reason)
        for entry in decision["log"]:
            code, _colon, detail = entry.partition(": ")
            if detail:
                for each in f"[{code}: {detail}]".splitlines():
                    line("", each)
        if decision["answer"].startswith("none:"):
            why = words.no_answer(decision["answer"])
            line(_("Answer"), _("none: {why}").format(why=why))

    def _entry(self, entry: Mapping[str, Any], record: Mapping[str, Any]) -> str:
        """One line of the audit trail."""
        detail = dict(entry["detail"])
        item = next((i for i in record["items"] if entry["subject"] == f"item:{i['id']}"), None)
        parts = [_who(entry["who"]), words.word(words.ACTIONS, entry["action"])]
        if entry["action"] == "item.category" and item is not None:
            change = (detail.get("from", ""), detail.get("to", ""))
            parts.append(" → ".join(self._category(item, c) for c in change))
        elif entry["action"] == "item.state":
            change = (detail.get("from", ""), detail.get("to", ""))
            parts.append(" → ".join(words.word(words.ITEM_STATES, s) for s in change))
        elif entry["action"] in ("item.added", "item.version"):
            state = words.word(words.ITEM_STATES, detail.get("state", ""))
            parts.append(
                _("version {no}, {state}").format(no=detail.get("version", ""), state=state)
            )
        elif entry["action"] == "release" and item is not None:
            parts.append(self._unit(item["office"], detail.get("unit")))
        elif detail:
            parts.append(", ".join(f"{k}={v}" for k, v in detail.items()))
        if detail.get("why"):
            parts.append(_("reason: {why}").format(why=detail["why"]))
        return "  ".join(p for p in parts if p)

    def _unit(self, office: str, unit_id: str | None) -> str:
        book = self.books.get(office)
        if unit_id and book is not None and any(u.id == unit_id for u in book.roster.units):
            return book.roster.get(unit_id).name
        return unit_id or ""

    def _category(self, item: Mapping[str, Any], category: str) -> str:
        book = self.books.get(item["office"])
        try:
            assert book is not None
            return book.categories_on(day_of(item["received"])).get(category).name
        except (AssertionError, LookupError):
            return category


def _link(link: Mapping[str, Any], mail_id: int, receipts: Mapping[int, str]) -> None:
    relation = words.word(words.RELATIONS, link["relation"])
    if link["to_inbound"] == mail_id:
        line(_("Linked"), f"mail:{link['inbound_id']} {relation} mail:{mail_id}")
    elif link["to_inbound"]:
        line(_("Linked"), f"{relation} mail:{link['to_inbound']}")
    elif link["to_item"]:
        line(_("Linked"), f"{relation} {receipts.get(link['to_item'], link['to_item'])}")
    elif link["to_outbox"]:
        line(
            _("Linked"), _("{relation} letter {id}").format(relation=relation, id=link["to_outbox"])
        )


def _letter(answer: Mapping[str, Any]) -> None:
    state = words.word(words.LETTER_STATES, answer["state"])
    when = _time(answer["finished"] or answer["due"] or answer["queued"])
    kind = words.answer_name(answer["kind"])
    line(_("Answer"), f"{kind} → {answer['recipient']}  ({state}, {when})")
    line("", answer["subject"])
    if answer["error"]:
        line("", f"[{answer['error']}]")


def _appeal(appeal: Mapping[str, Any]) -> str:
    about = appeal_name(appeal["new"]["about"])
    said = _("appeal {number} about {about}, mail:{mail}").format(
        number=appeal["id"], about=about, mail=appeal["new"]["inbound_id"]
    )
    state = _("waits for an answer")
    if appeal["answered_at"]:
        state = _("answered by {who}, {time}").format(
            who=appeal["answered_by"], time=_time(appeal["answered_at"])
        )
    return f"{said} ({state})"


def _file(name: str, size: int, kind: str) -> None:
    shown = name or _("(no name)")
    line(_("Attachment"), f"{shown}  {human_size(size)}  ({words.word(words.KINDS, kind)})")


def _defect(code: str, where: str, detail: str) -> None:
    more = f" [{where}{': ' if detail else ''}{detail}]" if where or detail else ""
    line(_("Defect"), words.word(words.DEFECTS, code) + more)


def _source(field: Mapping[str, Any] | None) -> str:
    """Where a field was found and how sure it is."""
    if not field or field.get("source") not in {s.value for s in Source}:
        return ""
    source = SOURCE_LABELS[Source(field["source"])]
    return f"  ({source}, {CERTAINTY_LABELS[Certainty(field['certainty'])]})"


def _who(who: str) -> str:
    return _("the program") if who == "mailbot" else who


def _time(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    return str(value or "")


def line(label: str, text: str, width: int = LABEL) -> None:
    """A label and its value."""
    say(f"  {set_cell_size(label, width)}{plain(text)}".rstrip())
