"""No letter is sent twice, none is forgotten, and what is not known is told to a person."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.db.tables import metadata
from mailbot.app.leases import Lease
from mailbot.app.records import OutboxState
from tests.unit import store_help as h
from tests.unit.store_help import ADDRESS, NOON, OFFICE


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


def queue(
    store: SqlStore, *numbers: int, state: OutboxState = OutboxState.READY, **changes: Any
) -> list[int]:
    with store.begin() as tx:
        return [tx.queue(h.letter(n, **changes), NOON, state=state) for n in numbers]


def tasks(store: SqlStore) -> list[Any]:
    with store.snapshot() as db:
        return list(db.execute(metadata.tables["task"].select()))


def test_letters_go_out_oldest_first_each_with_its_bytes(store: SqlStore) -> None:
    ids = queue(store, 1, 2)
    first = store.outbox.claim(NOON)
    second = store.outbox.claim(NOON)
    assert first is not None and second is not None
    assert [first.id, second.id] == ids
    assert first.letter == h.letter(1)
    assert first.attempts == 1
    assert store.outbox.claim(NOON) is None


def test_a_ready_letter_goes_whatever_the_clock_says(store: SqlStore) -> None:
    queue(store, 1)
    assert store.outbox.claim(NOON - timedelta(days=365)) is not None


def test_a_retry_waits_for_its_time_and_then_goes_first(store: SqlStore) -> None:
    (first,) = queue(store, 1)
    store.outbox.claim(NOON)
    store.outbox.retry(first, "451 MI:SFQ", NOON + h.minutes(15))
    assert store.outbox.next_due() == NOON + h.minutes(15)
    assert store.outbox.claim(NOON + h.minutes(14)) is None
    queue(store, 2)
    again = store.outbox.claim(NOON + h.minutes(15))
    assert again is not None and (again.id, again.attempts) == (first, 2)


def test_a_letter_let_go_again_has_lost_no_attempt(store: SqlStore) -> None:
    (one,) = queue(store, 1)
    store.outbox.claim(NOON)
    store.outbox.release(one)
    again = store.outbox.claim(NOON)
    assert again is not None and again.attempts == 1


def test_what_waits_next(store: SqlStore) -> None:
    assert store.outbox.next_due() is None
    (one,) = queue(store, 1)
    assert store.outbox.next_due() == NOON
    store.outbox.claim(NOON)
    assert store.outbox.next_due() is None
    store.outbox.sent(one, "250 ok", NOON)
    assert store.outbox.next_due() is None


def test_after_a_crash_before_the_dot_the_letter_goes_again(store: SqlStore) -> None:
    (one,) = queue(store, 1)
    store.outbox.claim(NOON)
    assert store.outbox.recover(NOON) == (1, 0)
    again = store.outbox.claim(NOON)
    assert again is not None and again.letter == h.letter(1) and again.id == one
    assert tasks(store) == []


def test_after_a_crash_behind_the_dot_a_letter_is_uncertain(store: SqlStore) -> None:
    (one,) = queue(store, 1)
    store.outbox.claim(NOON)
    store.outbox.dot(one, NOON)
    assert store.outbox.recover(NOON) == (0, 1)
    assert store.outbox.recover(NOON) == (0, 0)
    assert store.outbox.claim(NOON + timedelta(days=9)) is None
    assert store.outbox.counts() == {"unknown": 1}
    assert tasks(store) == [], "finding out comes first"


def test_a_refused_letter_becomes_a_task_with_the_servers_words(store: SqlStore) -> None:
    (one,) = queue(store, 1)
    store.outbox.claim(NOON)
    store.outbox.failed(one, "550 RP:RCL", NOON)
    (task,) = tasks(store)
    assert task.kind == "failed_send"
    assert "550 RP:RCL" in task.text and ADDRESS in task.text


def test_steps_that_do_not_fit_are_refused_and_change_nothing(store: SqlStore) -> None:
    (one,) = queue(store, 1)
    box = store.outbox
    for step in (
        lambda: box.dot(one, NOON),
        lambda: box.sent(one, "250", NOON),
        lambda: box.failed(one, "x", NOON),
        lambda: box.release(one),
        lambda: box.dot(99, NOON),
    ):
        with pytest.raises(ValueError, match="cannot become"):
            step()
    box.claim(NOON)
    box.sent(one, "250", NOON)
    with pytest.raises(ValueError, match="is sent"):
        box.retry(one, "late", NOON)
    assert box.counts() == {"sent": 1}
    assert tasks(store) == []


def test_a_late_answer_to_the_first_makes_its_copy_needless(store: SqlStore) -> None:
    """A sender was taken for dead, its letter was not found, and then it reads its 250 after all."""
    box = store.outbox
    waits, put_off, under_way = queue(store, 1, 2, 3)
    for one in (waits, put_off, under_way):
        assert box.claim(NOON) is not None
        box.dot(one, NOON)
    assert box.recover(NOON) == (0, 3)
    store.uncertain.copy(put_off, "不在“已发送”里", NOON)
    assert box.claim(NOON) is not None
    box.retry(put_off, "451", NOON + h.minutes(15))
    for one in (waits, under_way):
        store.uncertain.copy(one, "不在“已发送”里", NOON)
    for one in (waits, put_off):
        box.sent(one, "250 late", NOON)
    again = box.claim(NOON + h.minutes(30))
    assert again is not None and again.id == under_way
    box.sent(under_way, "250 late", NOON)
    assert box.counts() == {"sent": 3}
    assert box.claim(NOON + timedelta(days=1)) is None


def test_a_late_answer_is_taken_from_one_who_has_lost_the_lease(store: SqlStore) -> None:
    (one,) = queue(store, 1)
    old = SqlStore(store.engine, Lease("mailbox:test", "old", 1)).outbox
    with store.writing() as db:
        values = {"state": OutboxState.READY, "copies": 1, "claimed_by": "old"}
        db.execute(metadata.tables["outbox"].update().values(**values))
    old.sent(one, "250 late", NOON)
    assert store.outbox.counts() == {"sent": 1}


def test_the_operator_lets_withheld_letters_go_or_drops_them(store: SqlStore) -> None:
    held = queue(store, 1, 2, 3, state=OutboxState.WITHHELD)
    other = queue(store, 4, state=OutboxState.WITHHELD, office="laiwu")
    (ready,) = queue(store, 5)
    box = store.outbox
    assert [x.id for x in box.withheld(OFFICE)] == held
    assert [x.id for x in box.withheld(None)] == held + other
    tomorrow = NOON + timedelta(days=1)
    assert box.set_withheld([*held[:1], ready, 999], True, "王芳芳", tomorrow) == 1
    assert box.set_withheld(held[1:2], False, "王芳芳", tomorrow) == 1
    assert box.set_withheld(held[:2], True, "王芳芳", tomorrow) == 0
    assert box.counts() == {"ready": 2, "dropped": 1, "withheld": 2}
    with store.reading() as reads:
        assert reads.answer_counts(OFFICE, ADDRESS, "", tomorrow).acknowledgements_today == 1
        assert reads.answer_counts(OFFICE, ADDRESS, "", NOON).acknowledgements_today == 1
    with store.snapshot() as db:
        trail = list(db.execute(metadata.tables["audit"].select()))
    assert [(a.action, a.subject, a.who) for a in trail] == [
        ("outbox.released", f"outbox:{held[0]}", "王芳芳"),
        ("outbox.dropped", f"outbox:{held[1]}", "王芳芳"),
    ]


CLAIMER = """
import sys
sys.path.insert(0, sys.argv[1])
from mailbot.adapters.db.engine import open_store
from tests.unit.store_help import NOON
store = open_store(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
while (got := store.outbox.claim(NOON)) is not None:
    store.outbox.dot(got.id, NOON)
    store.outbox.sent(got.id, "250 ok", NOON)
    print(got.letter.key, flush=True)
"""


def claim_from_four_processes(url: str) -> Counter[str]:
    root = str(Path(__file__).parents[2])
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER, root, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    claimed = Counter[str]()
    for child in children:
        out, _ = child.communicate()
        assert child.returncode == 0
        claimed.update(out.split())
    return claimed


def test_four_processes_claim_each_letter_once(store: SqlStore, database: str) -> None:
    queue(store, *range(120))
    claimed = claim_from_four_processes(database)
    assert claimed == Counter(f"answer:{n}:acknowledgement" for n in range(120))
    assert store.outbox.counts() == {"sent": 120}


class SendingWithCrashes(RuleBasedStateMachine):
    """Whatever happens in whatever order: a letter whose dot may have gone out is not sent again
    by itself, and every letter is somewhere a person or the sender finds it."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        type(self).runs += 1
        self.store = h.fresh(self.folder / str(type(self).runs))
        self.now = NOON
        self.queued = 0
        self.in_hand: int | None = None
        self.dotted = False
        self.done: set[int] = set()

    runs = 0

    @rule()
    def arrive(self) -> None:
        self.queued += 1
        queue(self.store, self.queued)

    @precondition(lambda self: self.in_hand is None)
    @rule(wait=st.integers(0, 40))
    def claim(self, wait: int) -> None:
        self.now += h.minutes(wait)
        got = self.store.outbox.claim(self.now)
        if got is not None:
            assert got.id not in self.done
            self.in_hand, self.dotted = got.id, False

    @precondition(lambda self: self.in_hand is not None and not self.dotted)
    @rule()
    def dot(self) -> None:
        assert self.in_hand is not None
        self.store.outbox.dot(self.in_hand, self.now)
        self.dotted = True

    @precondition(lambda self: self.in_hand is not None)
    @rule(end=st.sampled_from(["sent", "retry", "failed", "unknown", "release", "crash"]))
    def end(self, end: str) -> None:
        one, box = self.in_hand, self.store.outbox
        assert one is not None
        if end == "sent":
            box.sent(one, "250", self.now)
        elif end == "retry":
            box.retry(one, "451", self.now + h.minutes(15))
        elif end == "failed":
            box.failed(one, "550", self.now)
        elif end == "unknown":
            box.unknown(one, "lost", self.now)
        elif end == "release":
            box.release(one)
        else:
            assert box.recover(self.now) == ((0, 1) if self.dotted else (1, 0))
        if end in ("sent", "failed", "unknown") or (end == "crash" and self.dotted):
            self.done.add(one)
        self.in_hand = None

    @invariant()
    def every_letter_is_somewhere(self) -> None:
        counts = self.store.outbox.counts()
        assert sum(counts.values()) == self.queued
        final = sum(counts.get(s, 0) for s in ("sent", "failed", "unknown"))
        assert final == len(self.done)
        assert len(tasks(self.store)) == counts.get("failed", 0)

    def teardown(self) -> None:
        self.store.close()


def test_sending_with_crashes(tmp_path: Path) -> None:
    SendingWithCrashes.folder = tmp_path
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        SendingWithCrashes,
        settings=settings(max_examples=20, deadline=None, stateful_step_count=20),
    )
