"""Wires what watches over a running installation: its health, and who is told of troubles.

Beside `bootstrap`, because a look must need nothing that may itself be broken: `mailbot health`
opens the database as it stands, without templates and without upgrading it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from datetime import timedelta

from mailbot.adapters.alerting.channels import channels
from mailbot.adapters.db.alerts import SqlAlarms
from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.db.health import SqlHealthReads
from mailbot.adapters.settings.model import Settings
from mailbot.app.alerts import Alerts
from mailbot.app.board import Board
from mailbot.app.health import Expected, Health, gather
from mailbot.app.leases import DUTIES, mailbox_lease
from mailbot.app.ports import Clock
from mailbot.bootstrap import Office
from mailbot.core.rules.rulebook import OfficeBook

BACKUP_EVERY = timedelta(hours=48)
"""A daily backup that was left out once is no trouble yet."""


def health_look(
    settings: Settings,
    books: Mapping[str, OfficeBook],
    store: SqlStore,
    board: Board,
    clock: Clock,
) -> Callable[[], Health]:
    """A function that looks now. For any number of threads."""
    accounts = tuple(box.name for box in settings.mailboxes)
    served = {office: books[office] for office in settings.offices if office in books}
    reads = SqlHealthReads(store.snapshot, settings.data_dir, accounts, tuple(served))
    expected = Expected(
        mailboxes=accounts,
        per_hour={office: book.limits.per_hour for office, book in served.items()},
        least_free=int(1.5 * settings.max_mail_mb * 1_000_000),
        backup_every=BACKUP_EVERY,
    )
    return lambda: gather(reads, board, expected, clock.now())


class Watch:
    """What a running process has to tell of itself. `health` may be asked by any thread; `look` is
    called once a minute, by one."""

    def __init__(self, office: Office, board: Board, has: Callable[[str], bool]) -> None:
        """`has`: does this process hold that lease."""
        self._has = has
        self._boxes = {box.name: box for box in office.settings.mailboxes}
        self._names = {box.address: box.name for box in office.settings.mailboxes}
        self._leased: frozenset[str] = frozenset()
        self.health = health_look(office.settings, office.books, office.store, board, office.clock)
        shared = office.store.shared
        self._alerts = Alerts(
            SqlAlarms(office.store),
            channels(office.settings.alerts, office.signer, office.clock),
            office.clock,
            host=socket.gethostname() if shared else "",
            title=_title(office),
            mine=self._mine if shared else lambda key: True,
        )

    def look(self) -> None:
        found = self.health()
        if found.figures is not None:
            self._leased = found.figures.leased
        self._alerts.look(found)

    def _mine(self, key: str) -> bool:
        """A mailbox's troubles are told by whoever holds it; those of one that nobody holds, and
        everything else, by whoever does what is due."""
        kind, _colon, name = key.partition(":")
        name = self._names.get(name, name) if kind == "delivery" else name
        if kind in ("mailbox", "waiting", "delivery") and name in self._boxes:
            lease = mailbox_lease(name)
            if self._has(lease) or lease in self._leased:
                return self._has(lease)
        return self._has(DUTIES)


def _title(office: Office) -> str:
    names = [book.info.name for book in office.served.values()]
    return f"mailbot {'、'.join(names[:3])}".strip()
