"""A watched mailbox, as the application knows it: whose mail it is, whom it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One account. `offices` are office ids; the first is the one for mail that names no unit."""

    account: str
    address: str
    offices: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    """Further addresses that are this mailbox itself: never answered."""
    authserv_ids: frozenset[str] = frozenset()
    """Servers whose Authentication-Results count (RFC 8601 §5); empty: nothing can be verified."""
    from_name: str = ""

    @property
    def own_addresses(self) -> frozenset[str]:
        return frozenset(a.lower() for a in (self.address, *self.aliases) if a)

    @property
    def domain(self) -> str:
        """Right side of our Message-IDs."""
        return self.address.rpartition("@")[2] or "localhost"


@dataclass(frozen=True, slots=True)
class IntakePolicy:
    """Numbers of the installation, not of the office."""

    cap_bytes: int = 50_000_000
    """Above it only the header section is fetched and a person takes over."""
    answer_max_age: timedelta = timedelta(hours=72)
    """Answers to older mail are withheld until the operator says so: the first start on a full
    mailbox must not write to everybody at once."""
