"""What a single pass (`mailbot once`) needs of the leases: it takes what nobody has, for as long as it
lasts, and is no worker that others would share with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from mailbot.app.errors import WorldFault
from mailbot.app.leases import Lease
from mailbot.bootstrap import Office

log = logging.getLogger("mailbot.daemon")


@contextmanager
def holding(office: Office, names: Iterable[str]) -> Iterator[Mapping[str, Lease]]:
    """Those of the names that could be had. Should a renewal fail, the database refuses what is
    written under it."""
    leases = office.leases
    held = {name: lease for name in names if (lease := leases.acquire(name)) is not None}
    done = threading.Event()

    def renew() -> None:
        while not done.wait(office.settings.lease_seconds / 3):
            try:
                leases.renew(list(held.values()))
            except WorldFault as fault:
                log.warning("leases could not be renewed: %s", fault)

    thread = threading.Thread(target=renew, name="leases", daemon=True)
    if leases.worker:
        thread.start()
    try:
        yield held
    finally:
        done.set()
        if leases.worker:
            thread.join()
            try:
                leases.leave()
            except WorldFault as fault:
                log.warning("the leases could not be given back: %s", fault)
