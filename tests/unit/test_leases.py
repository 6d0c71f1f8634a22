"""Leases in the database, on both kinds of it: who has what, and what a former holder may no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.db.leases import SqlLeases
from mailbot.app.errors import Retryable
from mailbot.app.leases import LOST, Lease
from mailbot.app.records import OutboxState
from tests.unit import store_help as h
from tests.unit.store_help import NOON

BOX = "mailbox:otog"
SENDER = "office@example.org"


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


@pytest.fixture
def one(store: SqlStore) -> SqlLeases:
    return SqlLeases(store.writing, "one", 30)


@pytest.fixture
def two(store: SqlStore) -> SqlLeases:
    return SqlLeases(store.writing, "two", 30)


def taken(leases: SqlLeases, name: str = BOX) -> Lease:
    lease = leases.acquire(name)
    assert lease is not None
    return lease


def expire(store: SqlStore, table: str = "lease", column: str = "until") -> None:
    """As if the time had passed."""
    with store.writing() as db:
        db.execute(text(f"UPDATE {table} SET {column} = '2020-01-01 00:00:00.000000'"))


def refused(store: SqlStore) -> bool:
    try:
        with store.begin() as tx:
            tx.set_fact("written", "by", NOON)
    except Retryable as fault:
        assert fault.systemic and fault.code == LOST
        return True
    return False


def state(store: SqlStore, outbox_id: int) -> str:
    with store.snapshot() as db:
        return str(db.scalar(text(f"SELECT state FROM outbox WHERE id = {outbox_id}")))


def queue(store: SqlStore) -> int:
    with store.begin() as tx:
        return tx.queue(h.letter(1, sender=SENDER), NOON)


# --- who has what -------------------------------------------------------------------------------


def test_one_at_a_time(one: SqlLeases, two: SqlLeases) -> None:
    first = taken(one)
    assert two.acquire(BOX) is None
    assert two.free([BOX, "duties"]) == {"duties"}
    one.release(first)
    assert two.free([BOX]) == {BOX}
    assert taken(two).fence == first.fence + 1


def test_what_expired_is_taken_over_and_cannot_be_renewed(
    store: SqlStore, one: SqlLeases, two: SqlLeases
) -> None:
    old = taken(one)
    assert one.renew([old]) == {BOX}
    expire(store)
    new = taken(two)
    assert new.fence > old.fence
    assert one.renew([old]) == frozenset()
    one.release(old)  # harmless
    assert two.renew([new]) == {BOX}


def test_what_expired_and_nobody_took_is_renewed(store: SqlStore, one: SqlLeases) -> None:
    lease = taken(one)
    expire(store)
    assert one.renew([lease]) == {BOX}
    assert not refused(store.under(lease))


def test_the_dead_are_not_counted_and_then_forgotten(
    store: SqlStore, one: SqlLeases, two: SqlLeases
) -> None:
    assert (one.beat(), two.beat(), one.beat()) == (1, 2, 2)
    expire(store, "worker", "seen")
    assert two.beat() == 1
    with store.snapshot() as db:
        assert list(db.scalars(text("SELECT id FROM worker"))) == ["two"]


def test_leaving_gives_everything_back(one: SqlLeases, two: SqlLeases) -> None:
    one.beat()
    taken(one)
    taken(one, "duties")
    one.leave()
    assert two.beat() == 1
    taken(two)
    taken(two, "duties")


def test_several_at_once_never_take_the_same(store: SqlStore) -> None:
    names = [f"mailbox:{n}" for n in range(60)]
    got: dict[str, list[str]] = {}

    def grab(worker: str) -> None:
        leases = SqlLeases(store.writing, worker, 30)
        got[worker] = [name for name in names if leases.acquire(name) is not None]

    threads = [threading.Thread(target=grab, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A row that two reach for at the same moment may go to neither; the next round takes it.
    last = SqlLeases(store.writing, "last", 30)
    rest = [name for name in names if last.acquire(name) is not None]
    assert sorted([*rest, *(n for names in got.values() for n in names)]) == sorted(names)


# --- what a former holder may no more ----------------------------------------------------------


def test_a_write_under_a_lost_lease_is_refused(
    store: SqlStore, one: SqlLeases, two: SqlLeases
) -> None:
    old = taken(one)
    assert not refused(store.under(old))
    expire(store)
    assert refused(store.under(old)), "run out, though nobody took it"
    new = taken(two)
    assert refused(store.under(old))
    assert not refused(store.under(new))


def test_the_same_worker_again_is_another_holder(store: SqlStore, one: SqlLeases) -> None:
    old = taken(one)
    new = taken(one)
    assert refused(store.under(old))
    assert not refused(store.under(new))


def test_a_letter_claimed_by_a_former_holder_is_not_sent(
    store: SqlStore, one: SqlLeases, two: SqlLeases
) -> None:
    queue(store)
    old = store.under(taken(one)).outbox
    claimed = old.claim(NOON, [SENDER])
    assert claimed is not None
    expire(store)
    new = store.under(taken(two)).outbox
    assert new.recover(NOON, [SENDER]) == (1, 0)
    again = new.claim(NOON, [SENDER])
    assert again is not None and again.id == claimed.id
    with pytest.raises(Retryable, match="lease"):
        old.dot(claimed.id, NOON)
    with pytest.raises(Retryable, match="lease"):
        old.release(claimed.id)
    new.dot(again.id, NOON)
    with pytest.raises(Retryable, match="lease"):
        old.sent(claimed.id, "250 ok", NOON)
    new.sent(again.id, "250 ok", NOON)
    assert state(store, again.id) == OutboxState.SENT


def test_an_answer_that_was_read_counts_whoever_holds_the_lease(
    store: SqlStore, one: SqlLeases, two: SqlLeases
) -> None:
    """The lease ran out between the dot and the server's answer; the worker lives on."""
    one.beat()
    queue(store)
    old = store.under(taken(one)).outbox
    claimed = old.claim(NOON, [SENDER])
    assert claimed is not None
    old.dot(claimed.id, NOON)
    expire(store)
    new = store.under(taken(two)).outbox
    assert new.recover(NOON, [SENDER]) == (0, 0), "it may still read the answer"
    old.sent(claimed.id, "250 ok", NOON)
    assert state(store, claimed.id) == OutboxState.SENT


def test_a_dead_workers_dot_is_uncertain_and_not_sent_again(
    store: SqlStore, one: SqlLeases, two: SqlLeases
) -> None:
    one.beat()
    queue(store)
    old = store.under(taken(one)).outbox
    claimed = old.claim(NOON, [SENDER])
    assert claimed is not None
    old.dot(claimed.id, NOON)
    expire(store)
    expire(store, "worker", "seen")
    two.beat()
    new = store.under(taken(two)).outbox
    assert new.recover(NOON, [SENDER]) == (0, 1)
    assert new.claim(NOON, [SENDER]) is None
    # It was only asleep, and had read the answer: then it is no secret what became of the letter.
    old.sent(claimed.id, "250 ok", NOON)
    assert state(store, claimed.id) == OutboxState.SENT


def test_other_senders_letters_are_left_alone(store: SqlStore, one: SqlLeases) -> None:
    queue(store)
    outbox = store.under(taken(one)).outbox
    assert outbox.claim(NOON, ["other@example.org"]) is None
    assert outbox.claim(NOON, [SENDER]) is not None
    assert outbox.recover(NOON, ["other@example.org"]) == (0, 0)


# --- PostgreSQL: how writes, renewals and takeovers meet ----------------------------------------


@pytest.fixture
def shared(postgres: str) -> Iterator[SqlStore]:
    opened = open_store(postgres)
    yield opened
    opened.close()


def test_a_running_write_is_renewed_beside_and_not_overtaken(shared: SqlStore) -> None:
    one, two = (SqlLeases(shared.writing, name, 30) for name in ("one", "two"))
    lease = taken(one)
    with shared.under(lease).begin() as tx:
        tx.set_fact("written", "by one", NOON)
        assert one.renew([lease]) == {BOX}, "renewing does not wait for the write"
        expire(shared)
        assert two.acquire(BOX) is None, "and nobody waits for it either"
    assert taken(two).fence == lease.fence + 1
    with shared.reading() as reads:
        assert reads.fact("written") == "by one"


def test_who_sleeps_in_a_transaction_is_thrown_out_when_the_lease_is_over(
    shared: SqlStore,
) -> None:
    one, two = (SqlLeases(shared.writing, name, 0.5) for name in ("one", "two"))
    under = shared.under(taken(one))
    over = threading.Event()
    with pytest.raises(Retryable), under.begin() as tx:
        tx.set_fact("written", "by one", NOON)
        for _ in range(200):
            if two.acquire(BOX) is not None:
                break
            over.wait(0.1)
        else:
            pytest.fail("the sleeper was never thrown out")
    with shared.reading() as reads:
        assert reads.fact("written") == ""
