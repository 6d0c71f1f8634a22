"""What every session on PostgreSQL is protected by, whatever the role or the server is set to: it
notices a server that is gone, and cannot hold up the others for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from mailbot.adapters.db import dialect
from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.app.errors import OperatorFault, Retryable
from tests.servers.postgres import Postgres
from tests.unit.store_help import NOON

SETTINGS = ("idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout")


@pytest.fixture
def store(postgres: str) -> Iterator[SqlStore]:
    with closing(open_store(postgres)) as opened:
        yield opened


def limits(store: SqlStore, *, writes: bool) -> list[str]:
    with store.writing() if writes else store.snapshot() as db:
        return [str(db.exec_driver_sql(f"SHOW {name}").scalar_one()) for name in SETTINGS]


def test_a_writer_may_not_lie_still_and_a_reader_may_take_its_time(store: SqlStore) -> None:
    for _ in range(8):  # a statement used often is prepared by the driver
        assert limits(store, writes=True) == ["5min", "15min", "30s"]
        assert limits(store, writes=False) == ["4h", "0", "30s"]


def test_what_the_role_is_set_to_breaks_no_long_command(
    postgres_server: Postgres, postgres: str
) -> None:
    """Half a second, as an administrator may have thought enough for everybody: a backup, standings
    and an upgrade take longer."""
    for name in SETTINGS:
        postgres_server.execute(f"ALTER ROLE mailbot SET {name} = 500")
    try:
        with closing(open_store(postgres)) as store:  # which makes all tables
            with store.snapshot() as db:
                db.exec_driver_sql("SELECT pg_sleep(0.8)").all()
                threading.Event().wait(0.8)
                assert db.exec_driver_sql("SELECT 1").scalar_one() == 1
            with store.writing() as db:
                db.exec_driver_sql("SELECT pg_sleep(0.8)").all()
                threading.Event().wait(0.8)
                assert db.exec_driver_sql("SELECT 1").scalar_one() == 1
    finally:
        for name in SETTINGS:
            postgres_server.execute(f"ALTER ROLE mailbot RESET {name}")


def test_an_upgrade_may_take_as_long_as_it_likes(store: SqlStore) -> None:
    with store.writing() as db:
        dialect.lock_for_migration(db)
        assert db.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0"
    assert limits(store, writes=True)[1] == "15min", "and only that"


def test_who_lies_still_with_a_lock_in_hand_is_thrown_out(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command stopped with Ctrl-Z in the middle of its work, and the daemon that waits for it."""
    open_store(postgres).close()
    with monkeypatch.context() as patch, closing(open_store(postgres)) as other:
        patch.setattr(dialect, "IDLE_WRITER_SECONDS", 0.3)
        stopped = open_store(postgres)
        with pytest.raises(Retryable) as caught, closing(stopped), stopped.begin() as tx:
            tx.hold_offices(["otog"])
            tx.set_fact("written", "by the one that stopped", NOON)
            with other.begin() as waiting:
                waiting.hold_offices(["otog"])
                waiting.set_fact("written", "by the one that waited", NOON)
            tx.set_fact("written", "late", NOON)
        assert (caught.value.code, caught.value.systemic) == ("database_down", True)
        with other.reading() as reads:
            assert reads.fact("written") == "by the one that waited"


def test_a_statement_that_never_ends_is_broken_off(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "STATEMENT_SECONDS", 0.3)
    with closing(open_store(postgres)) as store:
        with pytest.raises(Retryable) as caught, store.writing() as db:
            db.exec_driver_sql("SELECT pg_sleep(60)").all()
        assert caught.value.systemic
        assert limits(store, writes=True)[1] == "300ms", "the next one works again"


def test_a_server_whose_machine_is_gone_is_noticed(store: SqlStore) -> None:
    with (
        store.snapshot() as db,
        socket.socket(fileno=socket.dup(db.connection.driver_connection.pgconn.socket)) as wire,
    ):
        options = [
            wire.getsockopt(level, name)
            for level, name in (
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
                (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
                (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
            )
        ]
    assert options == [1, 30, 10, 3, 60_000]


def test_a_server_that_takes_the_call_and_says_nothing(postgres_server: Postgres) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(OperatorFault) as caught:
            open_store(f"postgresql://mailbot@127.0.0.1:{port}/mailbot?connect_timeout=2")
    assert "database server" in str(caught.value)


def test_with_every_connection_in_use_leases_are_renewed_and_the_rest_comes_again(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases = store.leases(30)
    lease = leases.acquire("mailbox:box")
    assert lease is not None
    monkeypatch.setattr(store.engine.pool, "_timeout", 0.1)
    with ExitStack() as stack:
        with pytest.raises(Retryable) as caught:
            for _ in range(100):
                stack.enter_context(store.snapshot())
        assert (caught.value.code, caught.value.systemic) == ("database_busy", True)
        assert leases.renew([lease]) == {"mailbox:box"}
        with pytest.raises(Retryable), store.under(lease).begin():
            pytest.fail("there was a connection")
    with store.under(lease).begin() as tx:
        tx.set_fact("written", "afterwards", NOON)
