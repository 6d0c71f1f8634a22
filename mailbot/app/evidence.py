"""What shows whether a letter went out, when the server's answer to it was never read.

Where to look is the adapters' business: the mailbox's Sent folder, copies to ourselves that came
back through the intake, a local outbox. What follows from it is `app.uncertain`'s.
"""

from __future__ import annotations

from collections.abc import Collection
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


class SentMail(Protocol):
    def sight(
        self, asked: Collection[str], known: Collection[str], since: datetime
    ) -> Sight | None:
        """Looks for `asked` among what was sent from `since` on; `known` are letters of ours that
        were accepted in that time. None: nowhere to look. Raises `WorldFault`."""
        ...

    def close(self) -> None: ...
