"""A delivery failure is tied to its letter. Of a letter of our own accord somebody is told: nobody
waits for it, so nobody would miss it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from mailbot.app.letter_records import SentLetter
from mailbot.app.ports import Transaction
from mailbot.app.records import InboundRow, NewTask, Relation
from mailbot.core.mail.bounces import failure_reason
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.people import CALLED
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import unit_name

TASK = "bounce"
QUIET = timedelta(hours=1)
_DRAFT = "draft:"
_LIAISON = "liaison"


def tell_bounces(
    outbox_ids: Sequence[int],
    mail: IncomingMail,
    row: InboundRow,
    books: Mapping[str, OfficeBook],
    tx: Transaction,
    now: datetime,
) -> None:
    """A letter that failed again makes no second task; neither does an address that a task of the
    last hour names already, or that is suspended: a storm of notices is told of once."""
    for outbox_id in outbox_ids:
        letter = tx.read.letter(outbox_id)
        tx.link(row.id, Relation.BOUNCE, to_outbox=outbox_id)
        tx.count_failure(outbox_id, now)
        if letter is None or letter.bounced is not None or not (letter.unit_id or letter.about):
            continue
        if _told(letter, tx, now):
            continue
        text = _text(letter, mail, books.get(letter.office))
        tx.add_task(NewTask(letter.office, TASK, text, row.id), now)


def _told(letter: SentLetter, tx: Transaction, now: datetime) -> bool:
    if letter.recipient.lower() in tx.read.suspended(letter.office):
        return True
    return any(
        kind == TASK and letter.recipient in text and now - QUIET < created <= now
        for kind, text, created in tx.read.open_tasks(letter.office)
    )


def _text(letter: SentLetter, mail: IncomingMail, book: OfficeBook | None) -> str:
    unit = unit_name(letter.unit_id, book.roster) if letter.unit_id and book else letter.unit_id
    role = "信息员" if letter.role == _LIAISON else CALLED.get(letter.role, "")
    to = f"{unit}{role if unit else ''}（{letter.recipient}）" if unit else letter.recipient
    where = "名册里的邮箱" if unit else "letters.toml 里的邮箱"
    text = f"给{to}的《{letter.subject}》没有送达：{failure_reason(mail)}；请核对{where}"
    if letter.about.startswith(_DRAFT):
        return f"{text}。各收件人的送达情况见 mailbot notices show {letter.about[len(_DRAFT) :]}"
    return f"{text}。"
