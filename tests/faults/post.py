"""One office's whole way of a mail against real servers: IMAP or a box in memory in, SMTP out, the
database and everything between them real, and a clock the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mailbot.adapters.imap.account import ImapAccount, Secret
from mailbot.adapters.imap.source import ImapSource
from mailbot.adapters.smtp.transport import SmtpAccount, SmtpTransport
from mailbot.adapters.system import SystemClock
from mailbot.app.deliver import Deliverer, DeliverReport
from mailbot.app.records import OutboxState, Outgoing
from mailbot.app.suspension import Suspended
from mailbot.core.letters.kinds import LetterKind
from tests.integration.intake_help import NOON, OFFICE_ADDRESS, World

SECRET = Secret("password", "secret")


class Clock:
    """Wall and monotonic time, moved together."""

    def __init__(self, now: datetime) -> None:
        self.time, self.seconds = now, 0.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def pass_(self, **time: float) -> None:
        self.time += timedelta(**time)
        self.seconds += timedelta(**time).total_seconds()


class Office(World):
    """`World` with a delivery over SMTP."""

    moved: Clock

    def __init__(self, root: Path, now: datetime = NOON) -> None:
        super().__init__(root)
        self.moved = Clock(now)
        self.clock: Any = self.moved
        self._deliverer: Deliverer | None = None

    def sends_over(self, port: int, **changes: Any) -> None:
        """A new process of the delivery, over this server."""
        self.close()
        account: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": port,
            "security": "plain",
            "from_addr": OFFICE_ADDRESS,
            "timeout": 5,
            "dot_timeout": 5,
        }
        self._deliverer = Deliverer(
            self.store,
            lambda _: SmtpTransport(SmtpAccount(**(account | changes)), "code", self.moved),
            self.moved,
            wanted=Suspended(self.store).why_not,
        )

    def deliver(self) -> DeliverReport:
        assert self._deliverer is not None
        return self._deliverer.deliver_due(self.moved.now())

    def close(self) -> None:
        if self._deliverer is not None:
            self._deliverer.close()
            self._deliverer = None

    def queue(self, letter: Outgoing) -> int:
        with self.store.begin() as tx:
            return tx.queue(letter, self.moved.now())

    def states(self) -> list[str]:
        return [row.state for row in self.rows("select state from outbox order by id")]

    def count(self, state: OutboxState) -> int:
        return self.states().count(state.value)


def reminder(number: int, recipient: str = "", **changes: Any) -> Outgoing:
    """A letter of our own accord."""
    values: dict[str, Any] = {
        "key": f"reminder:otog:2026-08:unit{number}:first:liaison",
        "kind": LetterKind.REMINDER.value,
        "office": "otog",
        "sender": OFFICE_ADDRESS,
        "recipient": recipient or f"unit{number}@example.net",
        "message_id": f"reminder.{number}@example.org",
        "raw": f"Subject: reminder {number}\r\nMessage-ID: <reminder.{number}@example.org>\r\n\r\nx\r\n".encode(),
        "subject": f"8月报送提醒 {number}",
        "unit_id": f"unit{number}",
        "role": "liaison",
        "about": f"duty:{number}",
    }
    return Outgoing(**(values | changes))


@contextmanager
def imap_office(root: Path, port: int, user: str, **changes: Any) -> Iterator[Office]:
    """An office that reads a real mailbox, today."""
    office = Office(root, SystemClock().now())
    box = office.box = imap_box(port, user, **changes)  # type: ignore[assignment]
    try:
        yield office
    finally:
        box.close()
        office.close()


def imap_box(port: int, user: str, **changes: Any) -> ImapSource:
    settings: dict[str, Any] = {"security": "plain", "timeout": 5.0} | changes
    account = ImapAccount(name="test", host="127.0.0.1", port=port, username=user, **settings)
    return ImapSource(account, lambda: SECRET, clock=SystemClock())
