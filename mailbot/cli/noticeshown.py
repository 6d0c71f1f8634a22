"""Drafts as lines of a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from mailbot.adapters.i18n import N_, _
from mailbot.adapters.system import SHANGHAI
from mailbot.app.letter_records import DraftFile, DraftRow, DraftState, SentLetter
from mailbot.app.notices.addressing import SMS
from mailbot.app.notices.draftmail import called
from mailbot.app.notices.said import FACTS
from mailbot.app.notices.sending import Delivery
from mailbot.app.records import OutboxState
from mailbot.cli import words
from mailbot.cli.rows import Column, Lines, plain, room
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook

STATES = {
    DraftState.DRAFT.value: N_("waits for approval"),
    DraftState.APPROVED.value: N_("approved, not sent"),
    DraftState.SENT.value: N_("sent"),
    DraftState.REJECTED.value: N_("rejected"),
    DraftState.SUPERSEDED.value: N_("replaced by a newer draft"),
}
_WAITING = (OutboxState.READY, OutboxState.RETRY, OutboxState.SENDING, OutboxState.DOT)
_LOST = (OutboxState.FAILED, OutboxState.UNKNOWN, OutboxState.DROPPED)


def letter_name(row: DraftRow, book: OfficeBook | None) -> str:
    """The letter's name; its id where the office's data has it no more."""
    if book is not None:
        for rule in book.letters.letters:
            if rule.id == row.letter:
                return rule.name
    return row.letter


def time_of(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def list_lines(rows: Sequence[tuple[DraftRow, OfficeBook | None]]) -> Iterator[str]:
    lines = Lines(
        [
            Column(_("No."), 5),
            Column(_("Office"), 9, 0, 3),
            Column(_("Letter"), 18, 10),
            Column(_("Period"), 14, 12),
            Column(_("State"), words.width(STATES, _("State"))),
            Column(_("Drafted"), 16, 0, 1),
            Column(_("Title"), 60, 20, 2),
        ],
        room(),
    )
    yield lines.head()
    for row, book in rows:
        yield lines.row(
            [
                str(row.id),
                row.office,
                letter_name(row, book),
                Period.parse(row.period).name,
                words.word(STATES, row.state.value),
                time_of(row.created),
                row.title,
            ]
        )


def show_lines(
    row: DraftRow, book: OfficeBook, found: Sequence[Delivery], files: Sequence[DraftFile]
) -> Iterator[str]:
    state = words.word(STATES, row.state.value)
    name = letter_name(row, book)
    yield f"━━ {row.id}  {book.info.name}  {name}  {Period.parse(row.period).name}  {state}"
    yield plain(row.title)
    yield from _history(row)
    yield from _paragraphs(_("In short:"), row.summary)
    yield from _paragraphs(_("To look at:"), row.flags)
    yield ""
    yield from _recipients(book, found, row.state)
    yield ""
    for file in files:
        if file.role != FACTS:
            yield _("File: {name} ({size} kB)").format(
                name=file.name, size=max(1, len(file.content) // 1000)
            )


def _history(row: DraftRow) -> Iterator[str]:
    yield _("Drafted {time} by {who}.").format(time=time_of(row.created), who=row.by)
    if row.decided_at is None:
        return
    decided = {"time": time_of(row.decided_at), "who": row.decided_by}
    if row.state is DraftState.REJECTED:
        yield _("Rejected {time} by {who}: {why}").format(why=plain(row.why), **decided)
        return
    yield _("Approved {time} by {who}.").format(**decided)
    yield from numbered(row)


def numbered(row: DraftRow) -> Iterator[str]:
    """Under which number and date an approved draft goes out."""
    if row.number:
        yield _("Number: {number}").format(number=row.number)
    else:
        yield _("It has no document number.")
    if row.issued:
        yield _("Dated {day}.").format(day=row.issued)


def _paragraphs(heading: str, texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield ""
        yield heading
        yield from (f"  · {plain(text)}" for text in texts)


def _recipients(book: OfficeBook, found: Sequence[Delivery], state: DraftState) -> Iterator[str]:
    lines = Lines(
        [
            Column(_("Recipient"), 34, 18),
            Column(_("Address"), 32, 18),
            Column(_("State"), 44, 12),
        ],
        room(),
    )
    if found:
        yield lines.head()
    for one in found:
        yield lines.row([called(one.to, book), one.to.address or "-", delivery(one, state)])
        for letter in one.again:
            yield lines.row([_("  again"), letter.recipient, _became(letter)])
    yield counted(found, state)


def delivery(one: Delivery, state: DraftState) -> str:
    """What became of one letter."""
    letter = one.letter
    if not one.to.address:
        return _("no address: nothing is sent")
    if letter is None:
        return _("not queued") if state is DraftState.SENT else _("will get it")
    return _became(letter)


def _became(letter: SentLetter) -> str:
    told = words.word(words.LETTER_STATES, letter.state.value)
    if letter.bounced is not None:
        told = _("bounced {time}").format(time=time_of(letter.bounced))
        return f"{told} (mail:{letter.bounced_by})" if letter.bounced_by else told
    if letter.state is OutboxState.SENT and letter.finished is not None:
        return f"{told} {time_of(letter.finished)}"
    return f"{told}: {letter.error}" if letter.error and letter.state in _LOST else told


def counted(found: Sequence[Delivery], state: DraftState) -> str:
    numbers = counts(found)
    if state is not DraftState.SENT:
        return _("{letters} letters; {without} recipients have no address.").format(**numbers)
    return _(
        "{letters} letters: {sent} sent, {waiting} wait, {lost} not sent, {bounced} bounced;"
        " {without} recipients have no address."
    ).format(**numbers)


def counts(found: Sequence[Delivery]) -> dict[str, int]:
    """A letter that came back counts as bounced only; of those that followed one another to the same
    recipient, the last counts."""
    letters = [one.last for one in found if one.last is not None]
    kept = [letter for letter in letters if letter.bounced is None]
    return {
        "letters": sum(bool(one.to.address or one.again) for one in found),
        "without": sum(not (one.to.address or one.again) for one in found),
        "sent": sum(letter.state is OutboxState.SENT for letter in kept),
        "waiting": sum(letter.state in _WAITING for letter in kept),
        "lost": sum(letter.state in _LOST for letter in kept),
        "bounced": len(letters) - len(kept),
    }


# --- JSON --------------------------------------------------------------------------------------


def row_json(row: DraftRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "office": row.office,
        "letter": row.letter,
        "period": row.period,
        "no": row.no,
        "title": row.title,
        "state": row.state.value,
        "created": row.created,
        "by": row.by,
        "number": row.number,
        "issued": row.issued,
        "decided_at": row.decided_at,
        "decided_by": row.decided_by,
        "why": row.why,
    }


def show_json(
    row: DraftRow, found: Sequence[Delivery], files: Sequence[DraftFile]
) -> dict[str, Any]:
    return {
        **row_json(row),
        "digest": row.digest,
        "summary": row.summary,
        "flags": row.flags,
        "recipients": [_delivery_json(one) for one in found if one.to.kind != SMS],
        "counts": counts(found),
        "files": [
            {"role": f.role, "name": f.name, "size": len(f.content)}
            for f in files
            if f.role != FACTS
        ],
    }


def _delivery_json(one: Delivery) -> dict[str, Any]:
    to = one.to
    return {
        "key": to.key,
        "kind": to.kind,
        "unit": to.unit_id,
        "role": to.role,
        "name": to.name,
        "address": to.address,
        **_letter_json(one.letter),
        "again": [{"address": letter.recipient, **_letter_json(letter)} for letter in one.again],
    }


def _letter_json(letter: SentLetter | None) -> dict[str, Any]:
    return {
        "state": letter.state.value if letter else None,
        "queued": letter.queued if letter else None,
        "finished": letter.finished if letter else None,
        "error": letter.error if letter else "",
        "bounced": letter.bounced if letter else None,
        "bounced_by": letter.bounced_by if letter else None,
    }
