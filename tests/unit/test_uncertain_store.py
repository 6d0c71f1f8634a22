"""Letters that may have gone out, as both databases keep them: UNKNOWN ones, and those withheld after a
restore."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.db.tables import metadata
from mailbot.app.evidence import Restored
from mailbot.app.records import OutboxState, Relation
from tests.unit import store_help as h
from tests.unit.store_help import NOON, OFFICE, minutes

SENDER = "office@example.org"


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


def queue(store: SqlStore, n: int, **changes: Any) -> int:
    with store.begin() as tx:
        return tx.queue(h.letter(n, **changes), NOON)


def unknown(store: SqlStore, n: int, **changes: Any) -> int:
    one = queue(store, n, **changes)
    claimed = store.outbox.claim(NOON)
    assert claimed is not None and claimed.id == one
    store.outbox.dot(one, NOON)
    store.outbox.unknown(one, "connection lost", NOON)
    return one


def rows(store: SqlStore, table: str) -> list[Any]:
    with store.snapshot() as db:
        return list(db.execute(metadata.tables[table].select()))


def test_an_unknown_letter_tells_all_that_looking_for_it_needs(store: SqlStore) -> None:
    one = unknown(store, 1, not_after=NOON + minutes(30))
    unknown(store, 2, sender="other@example.org")
    (letter,) = store.uncertain.letters(5, [SENDER])
    assert (letter.id, letter.office, letter.sender) == (one, OFFICE, SENDER)
    assert letter.message_id == h.letter(1).message_id
    assert (letter.dot, letter.not_after) == (NOON, NOON + minutes(30))
    assert (letter.looks, letter.looked, letter.copies) == (0, None, 0)
    assert (letter.asked, letter.traced) == (False, "")
    assert len(store.uncertain.letters(5)) == 2
    store.uncertain.looked([one], NOON + minutes(1))
    (letter,) = store.uncertain.letters(5, [SENDER])
    assert (letter.looks, letter.looked) == (1, NOON + minutes(1))
    assert store.uncertain.letters(1, [SENDER]) == []


def test_each_step_is_taken_once_and_only_while_the_letter_is_unknown(store: SqlStore) -> None:
    found, again, gone, asked = (unknown(store, n) for n in range(1, 5))
    box = store.uncertain
    steps = (
        (found, lambda: box.found(found, "在“已发送”里", NOON)),
        (again, lambda: box.copy(again, "不在“已发送”里", NOON)),
        (gone, lambda: box.drop(gone, "已过时限", NOON)),
        (asked, lambda: box.ask(asked, "请核对", NOON)),
    )
    for _, step in steps:
        assert step() and not step()
    states = {r.id: r.state for r in rows(store, "outbox")}
    assert states == {found: "sent", again: "ready", gone: "dropped", asked: "unknown"}
    assert [(t.kind, t.outbox_id) for t in rows(store, "task")] == [("unknown_send", asked)]
    assert [a.action for a in rows(store, "audit")] == [
        "outbox.found",
        "outbox.copied",
        "outbox.dropped",
    ]
    claimed = store.outbox.claim(NOON)
    assert claimed is not None and claimed.letter == h.letter(2)


def test_nothing_is_sent_again_once_a_person_was_asked(store: SqlStore) -> None:
    one = unknown(store, 1)
    assert store.uncertain.ask(one, "请核对", NOON)
    assert not store.uncertain.copy(one, "", NOON) and not store.uncertain.drop(one, "", NOON)
    assert store.uncertain.letters(5)[0].asked
    assert store.uncertain.found(one, "后来找到", NOON)
    (task,) = rows(store, "task")
    assert (task.done_at, task.done_by) == (NOON, "mailbot")


def test_a_letter_goes_a_second_time_at_most(store: SqlStore) -> None:
    one = unknown(store, 1)
    assert store.uncertain.copy(one, "", NOON)
    store.outbox.claim(NOON)
    store.outbox.dot(one, NOON + minutes(20))
    store.outbox.unknown(one, "lost again", NOON + minutes(20))
    (letter,) = store.uncertain.letters(5)
    assert (letter.copies, letter.looks, letter.dot) == (1, 0, NOON + minutes(20))
    assert not store.uncertain.copy(one, "", NOON + minutes(40))


def test_what_came_back_is_a_trace(store: SqlStore) -> None:
    unknown(store, 1)
    bounced = unknown(store, 2)
    with store.begin() as tx:
        copy, report = h.arrive(tx, 2)
        back = replace(h.mail(1), message_id=h.letter(1).message_id)
        tx.decide(h.decided(report, "ignore"), h.mail(9), NOON)
        tx.link(report, Relation.BOUNCE, to_outbox=bounced)
        tx.decide(h.decided(copy, "ignore"), back, NOON)
    first, second = store.uncertain.letters(5)
    assert "抄给本邮箱" in first.traced and "退信" in second.traced


def test_letters_known_as_accepted_are_told_newest_first(store: SqlStore) -> None:
    for n in range(1, 5):
        one = queue(store, n)
        store.outbox.claim(NOON)
        store.outbox.dot(one, NOON)
        store.outbox.sent(one, "250", NOON + minutes(n))
    ids = store.uncertain.accepted(SENDER, NOON + minutes(2), NOON + minutes(4), 2)
    assert ids == [h.letter(4).message_id, h.letter(3).message_id]
    assert store.uncertain.accepted("other@example.org", NOON, NOON + minutes(9), 5) == []


def test_a_restored_database_doubts_what_waited_and_leaps_over_numbers(store: SqlStore) -> None:
    with store.begin() as tx:
        (mail,) = h.arrive(tx)
        first = tx.add_item(h.new_item(), mail, "EQ", NOON)
        tx.decide(h.decided(mail), h.mail(), NOON)
    waiting, retried, dotted, done = (queue(store, n) for n in range(1, 5))
    for one in (waiting, retried, dotted, done):
        claimed = store.outbox.claim(NOON)
        assert claimed is not None and claimed.id == one
    store.outbox.release(waiting)
    store.outbox.retry(retried, "451", NOON + minutes(5))
    store.outbox.dot(dotted, NOON)
    store.outbox.sent(done, "250", NOON)
    lost = Restored(NOON + minutes(1), NOON + timedelta(days=1))
    with store.begin() as tx:
        tx.leave_gap(["NEW"], lost, lost.at)
        assert tx.doubt_unfinished(lost) == 3
    assert [r.state for r in sorted(rows(store, "outbox"), key=lambda r: r.id)] == [
        "unknown", "unknown", "unknown", "sent",
    ]  # fmt: skip
    assert store.outbox.recover(lost.at) == (0, 0) and store.outbox.claim(lost.at) is None
    assert {one.dot for one in store.uncertain.letters(5)} == {lost.taken}
    with store.begin() as tx:
        (mail,) = h.arrive(tx, first_uid=2)
        second = tx.add_item(h.new_item("另一条"), mail, "EQ", NOON)
        third = tx.add_item(h.new_item("又一条"), mail, "NEW", NOON)
        tx.decide(h.decided(mail), h.mail(2), NOON)
    numbers = [int(one.receipt[-4:]) for one in (first, second, third)]
    assert numbers == [1, 1002, 1001]
    assert second.id > first.id + 999 and mail > 1000 and queue(store, 9) > done + 999


def test_withheld_letters_end_as_sent_or_dropped_and_once(store: SqlStore) -> None:
    with store.begin() as tx:
        old, young = h.arrive(tx, 2)
        tx.decide(h.decided(old), h.mail(1), NOON)
        tx.decide(h.decided(young), h.mail(2), NOON)
        ids = [
            tx.queue(h.letter(n, inbound_id=mail), NOON, state=OutboxState.WITHHELD)
            for n, mail in ((1, old), (2, None))
        ]
    box = store.withheld
    answer, own = box.letters(NOON, 3, 10)
    assert (answer.id, answer.answers, answer.folder, answer.account) == (
        ids[0], "m1@example.com", "INBOX", "box",
    )  # fmt: skip
    assert (own.id, own.answers, own.marked) == (ids[1], None, None)
    assert not answer.marked
    assert [one.id for one in box.letters(NOON - minutes(1), 3, 10)] == [ids[1]]
    assert box.letters(NOON, 3, 10, ["other@example.org"]) == []
    box.looked(ids, NOON)
    assert box.letters(NOON, 1, 10) == []
    assert box.drop(ids[0], "已经答复", NOON) and not box.drop(ids[0], "已经答复", NOON)
    assert box.sent_before(ids[1], "已经发出", NOON) and not box.drop(ids[1], "", NOON)
    assert sorted(r.state for r in rows(store, "outbox")) == ["dropped", "sent"]
    assert len(rows(store, "audit")) == 2
