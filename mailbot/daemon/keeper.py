"""Which mailboxes this process has, and until when.

`tick` is called several times within a lease's time: it says that this worker lives, renews what it
has, gives back what others should have, and takes what is free, up to its fair share. What nobody
takes for a whole lease's time it takes even so: another worker may not know that mailbox.

What is held counts only until the moment that was sure when its renewal was asked for, by this
machine's monotonic clock. Past it the work has to stop, whether the database was away, the network, or
this process asleep; the database refuses its writes by then anyway.

Only the database's side: who works on what is held is the supervisor's business (`daemon.main`).
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mailbot.app.leases import DUTIES, Lease, Leases

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Hold:
    """Something held. Read by any thread, moved on by the keeper's."""

    lease: Lease
    until: float
    """On the monotonic clock; infinite where there is but one process."""


class Keeper:
    """`tick` speaks with the database, from one thread; everything else may be called
    from any thread and does not wait for it."""

    def __init__(
        self,
        leases: Leases,
        mailboxes: Sequence[str],
        seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        """`mailboxes`: names of leases, shared fairly. What is due by the calendar (`DUTIES`) goes
        to whoever comes first."""
        self._leases, self._mailboxes = leases, tuple(mailboxes)
        self.alone = not leases.worker
        self._seconds = math.inf if self.alone else seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._held: dict[str, Hold] = {}
        self._leaving: set[str] = set()
        """To be given back as soon as the work on it has ended."""
        self._busy: frozenset[str] = frozenset()
        self._free_since: dict[str, float] = {}
        self._living = 0
        self._closing = False

    # --- from any thread

    def held(self) -> dict[str, Hold]:
        """What is to be worked on now."""
        now = self._monotonic()
        with self._lock:
            late = [name for name, hold in self._held.items() if hold.until <= now]
            for name in late:
                log.warning("%s: not renewed in time; stopped", name)
                self._drop(name)
            return {n: h for n, h in self._held.items() if n not in self._leaving}

    def has(self, name: str) -> bool:
        return name in self.held()

    def lose(self, hold: Hold) -> None:
        """The database has refused a write under it."""
        with self._lock:
            if self._held.get(hold.lease.name) is hold:
                self._drop(hold.lease.name)

    def busy(self, names: Iterable[str]) -> None:
        """What is being worked on, still or already; it is neither taken anew nor given back."""
        with self._lock:
            self._busy = frozenset(names)

    def close(self) -> None:
        """From now on nothing new is taken; what is held is renewed until the work has ended."""
        with self._lock:
            self._closing = True

    # --- from the keeper's thread

    def tick(self) -> None:
        """Raises `WorldFault` when the database is away."""
        living = self._leases.beat()
        self._renew()
        self._give_back(living)
        self._living = living
        if not self._closing:
            self._take(math.ceil(len(self._mailboxes) / max(living, 1)))

    def _renew(self) -> None:
        with self._lock:
            holds = list(self._held.values())
        began = self._monotonic()
        kept = self._leases.renew([hold.lease for hold in holds])
        with self._lock:
            for hold in holds:
                name = hold.lease.name
                if self._held.get(name) is not hold:
                    continue
                if name in kept:
                    hold.until = began + self._seconds
                else:
                    log.warning("%s: another machine has taken over; stopped", name)
                    self._drop(name)

    def _give_back(self, living: int) -> None:
        """Surplus only when another worker has joined: who took what nobody wanted keeps it."""
        share = math.ceil(len(self._mailboxes) / max(living, 1))
        with self._lock:
            mine = [m for m in self._mailboxes if m in self._held and m not in self._leaving]
            if living > self._living > 0 and len(mine) > share:
                log.info("%d workers now: giving back %s", living, ", ".join(mine[share:]))
                self._leaving.update(mine[share:])
            ended = [self._held[name].lease for name in self._leaving - self._busy]
        for lease in ended:
            self._leases.release(lease)
            with self._lock:
                self._drop(lease.name)

    def _take(self, share: int) -> None:
        with self._lock:
            mine = sum(m in self._held and m not in self._leaving for m in self._mailboxes)
            wanted = [
                name
                for name in (DUTIES, *self._mailboxes)
                if name not in self._held and name not in self._busy
            ]
        now = self._monotonic()
        free = self._leases.free(wanted) if wanted else frozenset()
        self._free_since = {name: self._free_since.get(name, now) for name in free}
        for name in wanted:
            if name not in free:
                continue
            forsaken = now - self._free_since[name] >= self._seconds
            if name != DUTIES and mine >= share and not forsaken:
                continue
            began = self._monotonic()
            lease = self._leases.acquire(name)
            if lease is None:
                continue
            mine += name != DUTIES
            with self._lock:
                self._held[name] = Hold(lease, began + self._seconds)
            if not self.alone:
                log.info("%s: taken (fence %d)", name, lease.fence)

    def _drop(self, name: str) -> None:
        """Whoever still works on it sees that it is over."""
        if hold := self._held.pop(name, None):
            hold.until = -math.inf
        self._leaving.discard(name)
