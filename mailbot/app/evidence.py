"""What shows whether a letter went out, when the server's answer to it was never read.

Where to look is the adapters' business: the mailbox's Sent folder, copies to ourselves that came
back through the intake, a local outbox. What follows from it is `app.uncertain`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look at the sent mail showed. Message-IDs with their angle brackets."""

    found: frozenset[str]
    """Of those asked for, the ones that lie there."""
    conclusive: bool
    """Whether one that is not there was certainly not sent: the folder demonstrably holds what we
    send (others known as sent since then lie in it)."""
    where: str = ""
    """What was looked through, for people: the folder's name."""


@dataclass(frozen=True, slots=True)
class SentLetter:
    """One mail among the sent ones. Ids without brackets, empty where it has none."""

    message_id: str
    in_reply_to: str


class SentMail(Protocol):
    def sight(
        self, asked: Collection[str], known: Collection[str], since: datetime
    ) -> Sight | None:
        """Looks for `asked` among what was sent from `since` on; `known` are letters of ours that
        were accepted in that time. None: nowhere to look. Raises `WorldFault`."""
        ...

    def letters(self, since: datetime) -> Sequence[SentLetter] | None:
        """All that was sent from `since` on. None: nowhere to look. Raises `WorldFault`, also when
        it cannot be read to its end."""
        ...

    def close(self) -> None: ...


UNKNOWN_SEND = "unknown_send"
"""Kind of the task about a letter of which nobody can tell whether it went out."""


@dataclass(frozen=True, slots=True)
class UncertainLetter:
    """An UNKNOWN letter of the outbox, and what is known about it."""

    id: int
    office: str
    sender: str
    recipient: str
    subject: str
    message_id: str
    """Without angle brackets, as it is stored."""
    queued: datetime
    dot: datetime
    """When the final dot may have gone out, the last time."""
    not_after: datetime | None
    error: str
    looks: int
    looked: datetime | None
    copies: int
    asked: bool
    """A person has a task about it."""
    traced: str
    """Where it came back to ourselves, a Chinese clause; empty: it did not."""


class UncertainLetters(Protocol):
    """The outbox's UNKNOWN letters; each call is a transaction of its own. A step whose letter is
    not UNKNOWN any more changes nothing and gives False."""

    def letters(self, below: int, senders: Collection[str] | None = None) -> list[UncertainLetter]:
        """Those looked at less than `below` times, only of these senders; not those a person has
        dealt with."""
        ...

    def accepted(self, sender: str, since: datetime, until: datetime, limit: int) -> list[str]:
        """Message-IDs of the sender's letters known as SENT in that time, newest first."""
        ...

    def looked(self, outbox_ids: Iterable[int], now: datetime) -> None:
        """One more look was taken."""
        ...

    def found(self, outbox_id: int, where: str, now: datetime) -> bool:
        """SENT after all. Closes the task about it."""
        ...

    def copy(self, outbox_id: int, why: str, now: datetime) -> bool:
        """READY again, once: the same bytes and Message-ID. Never while a person has a task."""
        ...

    def drop(self, outbox_id: int, why: str, now: datetime) -> bool: ...

    def ask(self, outbox_id: int, text: str, now: datetime) -> bool:
        """The task for a person, once per letter."""
        ...


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore: when, and how old the backup was."""

    taken: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class WithheldLetter:
    """A letter withheld, and the mail it answers (None: of our own accord)."""

    id: int
    office: str
    sender: str
    message_id: str
    folder: str | None
    """Where the mail lay when it was found."""
    account: str | None
    answers: str | None
    """The mail's Message-ID."""
    marked: bool | None
    """It bore our keyword when it was found."""
    looks: int


class WithheldLetters(Protocol):
    """Each call is a transaction of its own. A step whose letter is withheld no more changes nothing
    and gives False."""

    def letters(
        self, until: datetime, below: int, limit: int, senders: Collection[str] | None = None
    ) -> list[WithheldLetter]:
        """Of our own accord, or answers to mail received until then; looked at less than `below`
        times."""
        ...

    def looked(self, outbox_ids: Iterable[int], now: datetime) -> None: ...

    def sent_before(self, outbox_id: int, why: str, now: datetime) -> bool: ...

    def drop(self, outbox_id: int, why: str, now: datetime) -> bool: ...
