"""Opens the database: the one way in.

`open_store` checks and upgrades, and gives a `SqlStore`, which several threads may use (each
transaction has a connection of its own) and several processes may share.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mailbot.adapters.db import dialect, migrate
from mailbot.adapters.db.faults import world_fault
from mailbot.adapters.db.leases import SqlLeases, check_fence, worker_id
from mailbot.adapters.db.outbox import SqlOutbox
from mailbot.adapters.db.queries import SqlReads
from mailbot.adapters.db.restored import SqlWithheld
from mailbot.adapters.db.uncertain import SqlUncertain
from mailbot.adapters.db.unit_of_work import SqlTransaction
from mailbot.adapters.doctor.remedies import explain
from mailbot.adapters.i18n import N_, _
from mailbot.app.errors import Fault, OperatorFault, Retryable, WorldFault
from mailbot.app.leases import Alone, Lease, Leases

OPEN_WAIT_SECONDS = 60.0
"""How long a start waits for another program that is opening (perhaps upgrading) the database."""

_REMEDIES = {
    "database_corrupt": N_("restore the last backup; keep the damaged file for a look"),
    "database_readonly": N_("give mailbot's user the right to write the file and its folder"),
    "database_open": N_("check that the folder exists and mailbot's user may enter it"),
    "database_locked": N_("another program holds it: end that program and start again"),
    "database_down": N_("start the database server, check its address and password"),
    "database_busy": N_("let the database server take more connections (max_connections)"),
    "database_rights": N_(
        "make mailbot's role the owner of its database (ALTER DATABASE … OWNER TO)"
    ),
    "disk": N_("make room on the disk, then start again"),
}
_PASSING = {"database_down", "database_locked", "database_busy", "disk"}
"""What may be over by itself: after a power cut the database's machine may start last."""


class SqlStore:
    """`app.ports.Store` on SQLAlchemy."""

    def __init__(self, engine: Engine, lease: Lease | None = None) -> None:
        self.engine, self.lease = engine, lease
        self._outbox = SqlOutbox(self._unfenced if lease else self.writing, self.snapshot, lease)

    def under(self, lease: Lease) -> SqlStore:
        """The same database for one who holds the lease: every transaction that writes makes sure
        of it first, and raises `Retryable` (systemic, `lease_lost`) once another one has it."""
        return SqlStore(self.engine, lease) if lease.holder else self

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection inside one write transaction; commits unless the block raises."""
        with self._unfenced() as connection:
            if self.lease is not None:
                check_fence(connection, self.lease)
            yield connection

    @contextmanager
    def _unfenced(self) -> Iterator[Connection]:
        with _plain_errors(), dialect.writing(self.engine).begin() as connection:
            yield connection

    def leases(self, seconds: float) -> Leases:
        """What several processes on this database share mailboxes by. An SQLite database has but
        one, which the installation's lock sees to."""
        if not self.shared:
            return Alone()
        # A connection of its own: however many wait for one to read and write by, a renewal does not.
        own = SqlStore(dialect.make_engine(self.engine.url, connections=1))
        return SqlLeases(own.writing, worker_id(), seconds)

    @property
    def shared(self) -> bool:
        """Whether several machines may be using it."""
        return self.engine.dialect.name != "sqlite"

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection inside one read transaction: all its queries see the same moment."""
        with _plain_errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def begin(self) -> Iterator[SqlTransaction]:
        with self.writing() as connection:
            yield SqlTransaction(connection)

    @contextmanager
    def reading(self) -> Iterator[SqlReads]:
        with self.snapshot() as connection:
            yield SqlReads(connection)

    @property
    def outbox(self) -> SqlOutbox:
        return self._outbox

    @property
    def uncertain(self) -> SqlUncertain:
        return SqlUncertain(self.writing, self.snapshot)

    @property
    def withheld(self) -> SqlWithheld:
        return SqlWithheld(self.writing, self.snapshot)

    def check(self) -> list[str]:
        """Reads the whole database and tells what is damaged; empty when sound. For the doctor:
        takes about a second per gigabyte."""
        with self.snapshot() as connection:
            return [
                *dialect.integrity_faults(connection),
                *dialect.broken_references(connection),
            ]

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str, *, create: bool = True) -> SqlStore:
    """Opens the database at `url` (`sqlite:////var/lib/mailbot/mailbot.db`,
    `postgresql://user@host/name`), creating and upgrading it first unless `create` is False.

    Raises `OperatorFault` (what was found, what to do) when it cannot be used as it is.
    """
    engine = dialect.make_engine(url)
    path = dialect.database_path(engine)
    try:
        if path is None:
            migrate.ensure_head(engine, create=create)
        elif create:
            with _only_one(path):
                dialect.create_file(path)
                migrate.ensure_head(engine, create=True)
        elif not path.exists():
            raise OperatorFault(
                Fault(
                    str(path), _("no such database"), _("run `mailbot run` or `mailbot once` first")
                )
            )
        else:
            migrate.ensure_head(engine, create=False)
        if create:
            _prove_writable(engine)
    except (OSError, WorldFault, DBAPIError) as e:
        engine.dispose()
        raise _as_operator_fault(e, engine) from e
    except OperatorFault:
        engine.dispose()
        raise
    return SqlStore(engine)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """A value our column types refuse comes out as their ValueError, not wrapped by SQLAlchemy; and
    that no connection came free in half a minute is no bug."""
    try:
        yield
    except PoolTimeout as e:
        raise Retryable(
            "no connection to the database came free", code="database_busy", systemic=True
        ) from e
    except StatementError as e:
        if isinstance(e.orig, ValueError):
            raise e.orig from None
        raise


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """One process at a time creates or upgrades an SQLite file (two that switch it to WAL at the
    same moment are told "locked" without waiting). The lock is on a file of its own, because
    opening and closing the database file would drop SQLite's own locks in this process; it ends
    with the process, however that ends."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path.with_name(path.name + "-lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + OPEN_WAIT_SECONDS
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if time.monotonic() > deadline:
                raise OperatorFault(
                    Fault(
                        str(path),
                        _("another mailbot has been opening it for {seconds} s").format(
                            seconds=int(OPEN_WAIT_SECONDS)
                        ),
                        _("end that program and start again"),
                    )
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(lock)


def _prove_writable(engine: Engine) -> None:
    """A write that is taken back: a read-only file or folder shows now, not at the first mail.
    (BEGIN IMMEDIATE alone proves nothing: on a read-only file SQLite lets it pass.)"""
    with dialect.writing(engine).connect() as connection, connection.begin() as transaction:
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        transaction.rollback()


def _as_operator_fault(error: Exception, engine: Engine) -> OperatorFault:
    where = str(dialect.database_path(engine) or engine.url.render_as_string(hide_password=True))
    fault = error if isinstance(error, WorldFault) else world_fault(error)
    if isinstance(error, OSError):
        remedy = _REMEDIES["database_open"]
        found = _("cannot be opened ({error})").format(error=error)
        return OperatorFault(Fault(where, found, _(remedy)))
    code = fault.code if fault else ""
    if fault is not None and code in _REMEDIES:
        remedy = _REMEDIES[code]
        return OperatorFault(
            Fault(where, explain(fault).found, _(remedy)), passing=code in _PASSING
        )
    return OperatorFault(Fault(where, str(fault or error)))
