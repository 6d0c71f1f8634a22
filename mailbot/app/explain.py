"""Looks at saved mail with the real code and without a trace.

A mail is registered, decided and answered in a transaction of a throwaway store, and the
transaction is rolled back: what `explain` prints is what the daemon would do.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailbot.app.errors import WorldFault
from mailbot.app.facts import received_of_saved
from mailbot.app.ports import Store, Transaction
from mailbot.app.records import Envelope, InboundRow, Origin
from mailbot.app.settle import Settled, Settler
from mailbot.core.intake.explain import decision_json
from mailbot.core.mail.model import Address, IncomingMail
from mailbot.core.rules.periods import day_of


class _Undo(Exception):
    """Rolls back the transaction; never leaves this module."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A mail to look at, and when it was received if somebody knows."""

    name: str
    mail: IncomingMail
    received: datetime | None = None
    line_only: bool = False
    """Of the mail only the subject counts."""


def look(
    saved: Sequence[Saved], settler: Settler, store: Store, now: datetime, *, together: bool = False
) -> list[Settled]:
    """What would become of each mail. `together`: each sees what the ones before it left, as in
    one mailbox; else every mail stands alone."""
    found: list[Settled] = []
    if together:
        _look(saved, settler, store, now, found)
    else:
        for one in saved:
            _look([one], settler, store, now, found)
    return found


def _look(
    saved: Sequence[Saved], settler: Settler, store: Store, now: datetime, found: list[Settled]
) -> None:
    try:
        with store.begin() as tx:
            for uid, one in enumerate(saved, 1):
                received, source = received_of_saved(one.mail, one.received, now)
                origin = Origin("saved", "", 1, uid)
                tx.register([Envelope(origin, one.mail.size, received)], source, now)
                row = tx.read.pending("saved")[-1]
                # The age of a saved mail says nothing: answer as if it had just come.
                found.append(settle_or_quarantine(settler, one, row, tx, received))
            raise _Undo
    except _Undo:
        pass


def settle_or_quarantine(
    settler: Settler, saved: Saved, row: InboundRow, tx: Transaction, now: datetime
) -> Settled:
    """As the intake does it: a bug of ours costs that one mail."""
    try:
        with tx.savepoint():
            return settler.settle(saved.mail, row, tx, now, line_only=saved.line_only)
    except WorldFault:
        raise
    except Exception:
        return settler.quarantine(saved.mail, row, traceback.format_exc(limit=-8), tx, now)


def subject_only(line: str, address: str = "liaison@example.org") -> IncomingMail:
    """A mail of which only the subject is of interest."""
    return IncomingMail(
        size=0,
        sha256="",
        content_key="",
        subject=line,
        from_=(Address(address),),
        headers=(("From", address), ("Subject", line)),
    )


def explanation(settled: Settled) -> dict[str, Any]:
    """Everything about one decided mail as JSON values."""
    book = settled.facts.book
    day = day_of(settled.received)
    answer = settled.answer
    out = decision_json(settled.decision, book.roster, book.categories_on(day))
    out["office"] = book.info.id
    out["received"] = {"time": settled.received.isoformat(), "source": settled.received_source}
    out["answer"] = None
    out["no_answer"] = answer.none or None
    if answer.letter is not None and answer.rendered is not None and answer.kind is not None:
        out["answer"] = {
            "kind": answer.kind.value,
            "to": answer.letter.recipient,
            "subject": answer.rendered.subject,
            "text": answer.rendered.text,
        }
    # After a secrets hit nothing is told, not even what was wrong with the bytes: a defect quotes.
    if settled.decision.keep_content:
        out["mail"] = mail_facts(settled.mail)
        out["defects"] = [
            {"code": d.code.value, "where": d.where, "detail": d.detail}
            for d in settled.mail.defects
        ]
    return out


def mail_facts(mail: IncomingMail) -> dict[str, Any]:
    """A mail as it was read, without its body."""
    return {
        "subject": mail.subject,
        "from": [{"address": a.addr, "name": a.name} for a in mail.from_],
        "message_id": mail.message_id,
        "date": mail.date.isoformat() if mail.date else None,
        "size": mail.size,
        "text": mail.text[:2000],
        "attachments": [
            {
                "name": a.name,
                "kind": a.kind.value,
                "size": a.size,
                "path": a.path,
                "inline": a.inline,
                "flags": list(a.flags),
            }
            for a in mail.attachments
        ],
        "nested": [{"path": n.path, "subject": n.subject} for n in mail.nested],
        "calendar": list(mail.calendar),
    }
