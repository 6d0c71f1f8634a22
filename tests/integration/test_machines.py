"""Several daemons, as real processes, on one PostgreSQL: nothing lost, nothing twice, whoever dies,
sleeps or joins."""

from __future__ import annotations

import fcntl
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import text

from mailbot.adapters.db.engine import SqlStore, open_store
from tests.integration.daemon_help import Bot, configure, submission, until
from tests.integration.machines_help import (
    LEASE,
    LONG_LEASE,
    Machines,
    holder_of,
    holders,
    pause,
    said,
    sent_ids,
    wake,
)
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Postgres
from tests.servers.smtp_sink import FaultServer, Say, SmtpSink

pytestmark = pytest.mark.dovecot


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


@pytest.fixture
def store(postgres: str) -> Iterator[SqlStore]:
    opened = open_store(postgres)
    yield opened
    opened.close()


@pytest.fixture
def machines(
    tmp_path: Path, postgres: str, dovecot: Dovecot, mail_user: str, sink: SmtpSink
) -> Iterator[Machines]:
    with Machines(tmp_path, postgres, dovecot, [mail_user], sink) as made:
        yield made


def items(store: SqlStore) -> int:
    with store.snapshot() as db:
        return int(db.scalar(text("SELECT count(*) FROM item")) or 0)


def post(machines: Machines, numbers: range) -> None:
    """Mails in turn into each mailbox; no two of one sender and title."""
    for number in numbers:
        user = machines.users[number % len(machines.users)]
        mail = submission(number, sender=f"liaison{number}@example.net")
        machines.dovecot.append(user, mail)


def all_done(machines: Machines, store: SqlStore, count: int) -> Callable[[], bool]:
    def done() -> bool:
        assert isinstance(machines.sink, SmtpSink)
        return items(store) >= count and len(machines.sink.letters) >= count

    return done


def settled(store: SqlStore, count: int) -> Callable[[], bool]:
    """So many items, and no letter that somebody has still to send."""
    waiting = text(
        "SELECT count(*) FROM outbox WHERE state IN ('ready', 'retry', 'sending', 'dot')"
    )

    def done() -> bool:
        with store.snapshot() as db:
            return items(store) == count and not db.scalar(waiting)

    return done


def once_each(machines: Machines, store: SqlStore, count: int) -> None:
    """Every mail is one item and one answer, to its own sender."""
    assert isinstance(machines.sink, SmtpSink)
    assert items(store) == count
    to = Counter(t.recipients[0] for t in machines.sink.letters)
    assert to == Counter(f"liaison{n}@example.net" for n in range(count))
    assert set(sent_ids(machines.sink.letters).values()) == {1}


# --- P1 -----------------------------------------------------------------------------------------


@pytest.mark.long
def test_p1_two_daemons_on_one_mailbox_and_one_data_folder(
    tmp_path: Path, dovecot: Dovecot, mail_user: str, sink: SmtpSink
) -> None:
    """On a database file the second one ends with a word about the first."""
    first = Bot(configure(tmp_path, dovecot, mail_user, sink))
    with first:
        first.start()
        until(lambda: (tmp_path / "data" / "mailbot.db").exists(), "the start", first.log)
        until(lambda: "watching" in said(first), "the watching", first.log)
        second = Bot(first.config)
        second.log = tmp_path / "second.log"
        second.start()
        assert second.process is not None
        assert second.process.wait(60) == 2
        second.process = None
        assert "mailbot.lock" in said(second)
        assert first.stop() == 0


def p1_two_hosts(machines: Machines, count: int) -> None:
    """The database is empty when both start: each may find it half made by the other."""
    machines.lease = LONG_LEASE
    post(machines, range(count // 2))
    hosts = machines.start(2)
    post(machines, range(count // 2, count))
    with closing(open_store(machines.url)) as store:
        machines.until(all_done(machines, store, count), f"{count} answers")
        assert len({pid for name, pid in holders(store).items() if name != "duties"}) == 1
        assert [bot.stop() for bot in hosts] == [0, 0]
        once_each(machines, store, count)
        assert holders(store) == {}, "given back at the end"


def test_p1_two_daemons_on_one_mailbox_from_two_hosts(machines: Machines) -> None:
    p1_two_hosts(machines, 12)


@pytest.mark.long
def test_p1_a_thousand_mails(machines: Machines) -> None:
    """Half of them arrive while both daemons are busy with the other half."""
    machines.patience = 300
    machines.own_office(per_hour=100_000)
    p1_two_hosts(machines, 1000)


@pytest.mark.long
def test_once_beside_a_daemon_leaves_it_its_mailbox(machines: Machines, store: SqlStore) -> None:
    machines.lease = LONG_LEASE
    daemon, cron = machines.host(), machines.host()
    daemon.start()
    until(lambda: holder_of(store, [daemon]) is daemon, "the lease", daemon.log)
    post(machines, range(1))
    cron.command("once")
    machines.until(all_done(machines, store, 1), "the answer")
    assert daemon.stop() == 0
    post(machines, range(1, 2))
    cron.command("once")
    once_each(machines, store, 2)
    assert holders(store) == {}


# --- P2 -----------------------------------------------------------------------------------------


def test_p2_a_leader_that_sleeps_longer_than_the_lease(
    tmp_path: Path, postgres: str, store: SqlStore, dovecot: Dovecot, mail_user: str
) -> None:
    """It is stopped in the middle of a letter, before the dot; when it wakes another one has sent it."""
    with (
        FaultServer({"rcpt": [Say(b"250 Mail OK\r\n", wait=3.0)]}) as server,
        Machines(tmp_path, postgres, dovecot, [mail_user], server) as machines,
    ):
        hosts = machines.start(2)
        machines.until(lambda: all("watching" in said(bot) for bot in hosts), "both")
        post(machines, range(1))
        machines.until(lambda: any(c.upper().startswith("RCPT") for c in server.commands), "RCPT")
        leader = holder_of(store, hosts)
        assert leader is not None
        other = hosts[1] if leader is hosts[0] else hosts[0]
        pause(leader)
        began = time.monotonic()
        machines.until(lambda: holder_of(store, [other]) is other, "the takeover")
        print(f"takeover after {time.monotonic() - began:.1f} s, lease {LEASE} s")
        machines.until(lambda: len(server.letters) == 1, "the answer")
        wake(leader)
        machines.until(lambda: "not renewed in time" in said(leader), "a word about it")
        post(machines, range(1, 3))
        machines.until(lambda: len(server.letters) == 3, "the other answers")
        assert holder_of(store, [other]) is other
        assert leader.stop() == 0
        assert other.stop() == 0
        assert len(server.letters) == 3
        assert items(store) == 3
        with store.snapshot() as db:
            rows = db.execute(text("SELECT state, claimed_by FROM outbox ORDER BY id")).all()
        assert [state for state, _ in rows] == ["sent"] * 3


@pytest.mark.long
def test_p2_a_leader_that_sleeps_while_reading(machines: Machines, store: SqlStore) -> None:
    """Stopped at no particular moment, in the middle of a run of mails."""
    leader, other = machines.host(), machines.host()
    post(machines, range(30))
    leader.start()
    machines.until(lambda: items(store) >= 1, "the first item")
    other.start()
    pause(leader)
    machines.until(all_done(machines, store, 30), "the rest")
    wake(leader)
    machines.until(lambda: "not renewed in time" in said(leader), "a word about it")
    assert leader.stop() == 0
    assert other.stop() == 0
    once_each(machines, store, 30)


# --- P3 -----------------------------------------------------------------------------------------


@pytest.mark.long
def test_p3_a_lock_file_left_behind_and_its_pid_used_again(
    tmp_path: Path, dovecot: Dovecot, mail_user: str, sink: SmtpSink
) -> None:
    """The lock is the kernel's: a file with the number of a living process says nothing."""
    bot = Bot(configure(tmp_path, dovecot, mail_user, sink))
    lock = tmp_path / "data" / "mailbot.lock"
    lock.parent.mkdir()
    lock.write_text(f"{os.getpid()}\n")
    dovecot.append(mail_user, submission(1))
    with bot:
        bot.start()
        until(lambda: len(sink.letters) == 1, "the answer", bot.log)
        bot.kill()
        bot.start()
        dovecot.append(mail_user, submission(2))
        until(lambda: len(sink.letters) == 2, "the answer after a kill", bot.log)
        with lock.open() as held, pytest.raises(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert bot.stop() == 0


@pytest.mark.long
def test_p3_a_workers_row_left_behind_and_its_pid_used_again(
    machines: Machines, store: SqlStore
) -> None:
    """A worker's name is another one after every start."""
    bot = machines.host()
    bot.start()
    machines.until(lambda: holder_of(store, [bot]) is bot, "the lease")
    with store.writing() as db:
        mine = text("UPDATE lease SET holder = regexp_replace(holder, '[0-9a-f]*$', 'gone')")
        db.execute(mine)
    post(machines, range(1))
    machines.until(all_done(machines, store, 1), "the answer, once that lease ran out")
    assert bot.stop() == 0
    once_each(machines, store, 1)


# --- three machines -----------------------------------------------------------------------------


def test_one_of_three_is_killed_in_the_middle(
    tmp_path: Path,
    postgres: str,
    store: SqlStore,
    dovecot: Dovecot,
    new_user: Callable[[Dovecot], str],
    sink: SmtpSink,
) -> None:
    users, count = [new_user(dovecot) for _ in range(3)], 24
    with Machines(tmp_path, postgres, dovecot, users, sink) as machines:
        hosts = machines.start(3)
        boxes = [f"mailbox:box{n}" for n in range(3)]
        machines.until(
            lambda: len({holders(store).get(box) for box in boxes} - {None}) == 3,
            "a mailbox for each",
        )
        post(machines, range(count))
        machines.until(lambda: len(sink.letters) >= 5, "the first answers")
        victim = holder_of(store, hosts, 0)
        assert victim is not None and victim.process is not None
        dead = victim.process.pid
        victim.kill()
        began = time.monotonic()
        machines.until(lambda: dead not in holders(store).values(), "the takeover")
        print(f"takeover after {time.monotonic() - began:.1f} s, lease {LEASE} s")

        machines.until(settled(store, count), "the rest")
        rest = [bot for bot in hosts if bot is not victim]
        assert [bot.stop() for bot in rest] == [0, 0]
        ids = sent_ids(sink.letters)
        assert set(ids.values()) == {1}, "nothing twice"
        with store.snapshot() as db:
            unknown = db.scalar(text("SELECT count(*) FROM outbox WHERE state = 'unknown'")) or 0
            states = db.scalar(text("SELECT count(*) FROM outbox WHERE state = 'sent'")) or 0
        # A letter that was between its dot and the answer when the process died waits to be found.
        assert unknown <= 1
        assert states + unknown == count
        assert len(ids) >= states


@pytest.mark.long
def test_who_joins_gets_his_part_and_gives_it_back_at_the_end(
    tmp_path: Path,
    postgres: str,
    store: SqlStore,
    dovecot: Dovecot,
    new_user: Callable[[Dovecot], str],
    sink: SmtpSink,
) -> None:
    users = [new_user(dovecot) for _ in range(4)]
    with Machines(tmp_path, postgres, dovecot, users, sink) as machines:
        first, second = machines.host(), machines.host()
        boxes = [f"mailbox:box{n}" for n in range(4)]

        def shares() -> list[int]:
            held = holders(store)
            return sorted(Counter(held[box] for box in boxes if box in held).values())

        first.start()
        machines.until(lambda: shares() == [4], "all of them")
        second.start()
        machines.until(lambda: shares() == [2, 2], "half of them")
        post(machines, range(8))
        machines.until(all_done(machines, store, 8), "the answers")
        assert second.stop() == 0
        machines.until(lambda: shares() == [4], "all of them again")
        assert first.stop() == 0
        once_each(machines, store, 8)


# --- the database's machine ---------------------------------------------------------------------


@pytest.mark.long
def test_a_database_that_stands_still_and_restarts_under_two_machines(
    tmp_path: Path,
    postgres_server: Postgres,
    postgres: str,
    dovecot: Dovecot,
    new_user: Callable[[Dovecot], str],
    sink: SmtpSink,
) -> None:
    """Stopped for longer than a lease, then restarted as an administrator does, then as a crash
    does, each time in the middle of the work."""
    users = [new_user(dovecot) for _ in range(2)]
    troubles: list[Callable[[], AbstractContextManager[None]]] = [
        postgres_server.pause,
        partial(restarted, postgres_server, "fast"),
        partial(restarted, postgres_server, "immediate"),
    ]
    count = 0
    with (
        Machines(tmp_path, postgres, dovecot, users, sink) as machines,
        closing(open_store(postgres)) as store,
    ):
        machines.patience = 120
        hosts = machines.start(2)
        machines.until(lambda: len(set(holders(store).values())) == 2, "a mailbox for each")
        for trouble in troubles:
            post(machines, range(count, count + 16))
            machines.until(lambda at=count: len(sink.letters) > at, "the first answers")
            with trouble():
                time.sleep(LEASE + 1)
            count += 16
            machines.until(settled(store, count), "the rest")
        assert [bot.stop() for bot in hosts] == [0, 0]
        assert items(store) == count
        assert set(sent_ids(sink.letters).values()) == {1}, "nothing twice"
        with store.snapshot() as db:
            states = Counter(db.scalars(text("SELECT state FROM outbox")))
        # What was between its dot and the record of the answer waits to be found; the rest is sent.
        assert states["sent"] + states["unknown"] == count
        assert states["unknown"] <= len(troubles) * len(hosts)
        assert len(sink.letters) == count


@contextmanager
def restarted(server: Postgres, how: Literal["fast", "immediate"]) -> Iterator[None]:
    server.stop(how)
    yield
    server.start()
