"""Who watches which mailbox, when several machines share one database.

A lease is held for a while and renewed; whoever holds it has a fence, a number that grows with
every change of holder. Every write of a holder carries its fence and is refused once another one has
taken over, so that a process that was asleep (stopped, swapped out, its machine suspended) changes
nothing and sends nothing when it wakes. Time is the database's, never a host's.

A single process on SQLite holds everything without asking (`Alone`): the installation's lock
already keeps a second one out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

LOST = "lease_lost"
"""Code of the fault that a write under a lost lease meets (`app.errors.Retryable`, systemic)."""
DUTIES = "duties"
"""The lease of whoever does what is due by the calendar."""


def mailbox_lease(account: str) -> str:
    """The lease of whoever reads a mailbox and sends from it."""
    return f"mailbox:{account}"


@dataclass(frozen=True, slots=True)
class Lease:
    name: str
    holder: str
    """The worker's id."""
    fence: int


class Leases(Protocol):
    """One worker's hold on things. Methods raise `WorldFault` when the database is away; a lease
    that could not be renewed in time must be taken for lost."""

    worker: str
    """This worker's id; empty where there is but one."""

    def beat(self) -> int:
        """Says that this worker lives; how many do, this one included. Forgets the dead."""
        ...

    def acquire(self, name: str) -> Lease | None:
        """Takes what is free or expired. None while another one has it."""
        ...

    def free(self, names: Collection[str]) -> frozenset[str]:
        """Those of the names that nobody has just now."""
        ...

    def renew(self, leases: Sequence[Lease]) -> frozenset[str]:
        """Names of those that are still held, now for another full period."""
        ...

    def release(self, lease: Lease) -> None:
        """Gives back at once what another one may be waiting for. Harmless when it is lost."""
        ...

    def leave(self) -> None:
        """At a clean end: gives back everything and takes this worker off the list."""
        ...


class Alone:
    """`Leases` of the only process there is."""

    worker = ""

    def beat(self) -> int:
        return 1

    def acquire(self, name: str) -> Lease | None:
        return Lease(name, "", 0)

    def free(self, names: Collection[str]) -> frozenset[str]:
        return frozenset(names)

    def renew(self, leases: Sequence[Lease]) -> frozenset[str]:
        return frozenset(lease.name for lease in leases)

    def release(self, lease: Lease) -> None:
        return None

    def leave(self) -> None:
        return None
