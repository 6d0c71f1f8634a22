"""Breaks the product on purpose, in the process that is going to be killed: each does undisturbed
what the whole one does, and puts one step where it does not belong.

The seams are the store, the archive, the mailbox and the line out, so that the product's own code
stays as it is between them.
"""

from __future__ import annotations

import os
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mailbot.adapters.archive import FileArchive
from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.db.outbox import SqlOutbox
from mailbot.adapters.db.unit_of_work import SqlTransaction
from mailbot.adapters.imap.source import ImapSource
from mailbot.adapters.smtp.transport import SmtpTransport
from mailbot.app.records import Disposition


@dataclass(frozen=True)
class Mutant:
    apply: Callable[[], None]
    near: str
    """Which of the sweep's points are tried: to try them all takes minutes for each mutant."""


def _after_commit(act: Callable[[SqlStore], None]) -> None:
    """Runs `act` each time a transaction of the store was committed."""
    begin = SqlStore.begin

    @contextmanager
    def begin_and(self: SqlStore) -> Iterator[SqlTransaction]:
        with begin(self) as tx:
            yield tx
        act(self)

    SqlStore.begin = begin_and  # type: ignore[method-assign]


def letters_in_a_transaction_of_their_own() -> None:
    waiting: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    queue, begin = SqlTransaction.queue, SqlStore.begin

    def later(_self: SqlTransaction, *args: Any, **more: Any) -> None:
        waiting.append((args, more))

    def flush(store: SqlStore) -> None:
        if waiting:
            with begin(store) as tx:
                while waiting:
                    args, more = waiting.pop(0)
                    queue(tx, *args, **more)

    SqlTransaction.queue = later  # type: ignore[assignment,method-assign]
    _after_commit(flush)


def archived_after_the_decision() -> None:
    waiting: list[tuple[FileArchive, list[tuple[str, bytes]]]] = []
    put = FileArchive.put
    FileArchive.put = lambda self, raws: waiting.append((self, list(raws)))  # type: ignore[method-assign]

    def flush(_store: SqlStore) -> None:
        while waiting:
            put(*waiting.pop(0))

    _after_commit(flush)


def the_dot_is_not_recorded() -> None:
    SqlOutbox.dot = lambda *_: None  # type: ignore[method-assign]


def sent_is_recorded_before_the_dot() -> None:
    dot = SqlOutbox.dot
    sent = SqlOutbox.sent

    def both(self: SqlOutbox, outbox_id: int, now: Any) -> None:
        dot(self, outbox_id, now)
        sent(self, outbox_id, "250 surely", now)

    SqlOutbox.dot = both  # type: ignore[method-assign]
    SqlOutbox.sent = lambda *_: None  # type: ignore[method-assign]


def answered_before_the_commit() -> None:
    """The answer leaves while the decision is not yet committed; the outbox only books it."""
    queue, send = SqlTransaction.queue, SmtpTransport.send
    gone: set[str] = set()

    def queue_and_send(self: SqlTransaction, letter: Any, *args: Any, **more: Any) -> Any:
        with smtplib.SMTP("127.0.0.1", int(os.environ["CRASH_SMTP_PORT"])) as smtp:
            smtp.sendmail(letter.sender, [letter.recipient], letter.raw)
        gone.add(letter.message_id)
        return queue(self, letter, *args, **more)

    def pretend(self: SmtpTransport, letter: Any, before_dot: Any) -> str:
        if letter.message_id in gone:
            before_dot()
            return "250 sent before"
        return send(self, letter, before_dot)

    SqlTransaction.queue = queue_and_send  # type: ignore[method-assign]
    SmtpTransport.send = pretend  # type: ignore[method-assign]


def moved_before_the_commit() -> None:
    """The mail leaves its folder while the decision is not yet committed."""
    decide, real_fetch, settle = SqlTransaction.decide, ImapSource.fetch, ImapSource.settle
    words = {"accept": "accepted", "return": "returned", "hold": "held"}
    seen: list[Any] = []

    def fetch(self: ImapSource, envelopes: Any, cap: int) -> Any:
        seen[:] = [self, {e.origin.uid: e.origin for e in envelopes}]
        return real_fetch(self, envelopes, cap)

    def decide_and_move(self: SqlTransaction, new: Any, *args: Any) -> Any:
        source, origins = seen
        uid = self._db.exec_driver_sql(
            "SELECT uid FROM inbound WHERE id = ?", (new.inbound_id,)
        ).scalar_one()
        settle(source, origins[uid], Disposition(words[new.kind]))
        return decide(self, new, *args)

    ImapSource.fetch = fetch  # type: ignore[method-assign]
    SqlTransaction.decide = decide_and_move  # type: ignore[method-assign]
    ImapSource.settle = lambda *_: None  # type: ignore[method-assign]


def called_moved_before_it_is() -> None:
    waiting: list[tuple[Any, ...]] = []
    settle = ImapSource.settle
    ImapSource.settle = lambda *args: waiting.append(args)  # type: ignore[method-assign]

    def flush(_store: SqlStore) -> None:
        while waiting:
            settle(*waiting.pop(0))

    _after_commit(flush)


def uncertain_sends_go_again() -> None:
    """At the start, what was between the dot and its answer is called unsent."""
    recover = SqlOutbox.recover

    def blind(self: SqlOutbox, *args: Any, **more: Any) -> Any:
        with self._writing() as db:
            db.exec_driver_sql("UPDATE outbox SET state = 'sending' WHERE state = 'dot'")
        return recover(self, *args, **more)

    SqlOutbox.recover = blind  # type: ignore[method-assign]


DECIDED = r"(before|after) commit .*\bitem\b"
DOT = r"(before|after) (send|recv) .* the dot"

MUTANTS: dict[str, Mutant] = {
    "letters in a transaction of their own": Mutant(letters_in_a_transaction_of_their_own, DECIDED),
    "archived after the decision": Mutant(archived_after_the_decision, DECIDED),
    "answered before the commit": Mutant(answered_before_the_commit, DECIDED),
    "moved before the commit": Mutant(moved_before_the_commit, DECIDED),
    "called moved before it is": Mutant(called_moved_before_it_is, r"after commit inbound$"),
    "the dot is not recorded": Mutant(the_dot_is_not_recorded, DOT),
    "sent is recorded before the dot": Mutant(sent_is_recorded_before_the_dot, DOT),
    "uncertain sends go again": Mutant(uncertain_sends_go_again, DOT),
}
