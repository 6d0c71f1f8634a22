"""The store keeps its word: atomic, append-only, gap-free, indexed, and clear about what it finds."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.db.listing import ItemFilter, everything_about, list_items, mails
from mailbot.adapters.db.staff_lists import close_tasks
from mailbot.adapters.db.tables import metadata
from mailbot.adapters.system import SHANGHAI
from mailbot.app.errors import OperatorFault, Permanent, Retryable
from mailbot.app.records import (
    Binding,
    Envelope,
    InboundState,
    ItemState,
    NewTask,
    Origin,
    OutboxState,
    Relation,
)
from mailbot.core.mail.model import Attachment, AttachmentKind, IncomingMail
from tests.unit import store_help as h
from tests.unit.store_help import ADDRESS, AUGUST, NOON, OFFICE

AUGUST_BEGAN = datetime(2026, 8, 1, tzinfo=SHANGHAI)


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[SqlStore]:
    """For what only SQLite does, or is asked with its words."""
    opened = h.fresh(tmp_path)
    yield opened
    opened.close()


def contents(store: SqlStore) -> dict[str, list[Any]]:
    """Every row of every table."""
    with store.snapshot() as db:
        return {
            name: sorted(map(tuple, db.execute(text(f'SELECT * FROM "{name}"'))), key=repr)
            for name in metadata.tables
        }


# --- coming in


def test_a_mail_is_registered_once_and_without_content(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.register([h.envelope(1), h.envelope(2)], "internaldate", NOON) == 2
        assert tx.register([h.envelope(2), h.envelope(3)], "internaldate", NOON) == 1
    with store.reading() as reads:
        rows = reads.pending("box")
        assert [r.origin.uid for r in rows] == [1, 2, 3]
        assert reads.known_uids("box", "INBOX", 1) == {1, 2, 3}
        assert reads.known_uids("box", "INBOX", 2) == set()
    assert rows[0].state is InboundState.NEW
    assert (rows[0].sha256, rows[0].subject, rows[0].message_id, rows[0].from_addr) == ("",) * 4


def test_the_same_origin_twice_in_one_call_is_one_mail(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.register([h.envelope(1), h.envelope(1)], "internaldate", NOON) == 1


def test_a_maildir_number_of_63_bits_and_a_large_uidvalidity_are_kept(store: SqlStore) -> None:
    origin = replace(h.envelope(1).origin, uid=2**63 - 1, uidvalidity=2**32 - 1)
    with store.begin() as tx:
        tx.register([replace(h.envelope(1), origin=origin)], "mtime", NOON)
    with store.reading() as reads:
        assert reads.known_uids("box", "INBOX", 2**32 - 1) == {2**63 - 1}


def test_more_mails_than_one_statement_takes(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.register([h.envelope(i) for i in range(1, 2501)], "internaldate", NOON) == 2500
        tx.strike([r.id for r in tx.read.pending("box")])
    with store.reading() as reads:
        assert {r.attempts for r in reads.pending("box")} == {1}


def test_a_vanished_mail_that_is_back_starts_afresh(store: SqlStore) -> None:
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        tx.strike([mail_id])
        tx.vanished(mail_id)
        assert tx.read.known_uids("box", "INBOX", 1) == set()
        assert tx.register([h.envelope(1)], "internaldate", NOON) == 1
        (row,) = tx.read.pending("box")
    assert (row.id, row.attempts, row.state) == (mail_id, 0, InboundState.NEW)


def test_a_decided_mail_is_not_registered_again(store: SqlStore) -> None:
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        tx.decide(h.decided(mail_id), h.mail(), NOON)
        assert tx.register([h.envelope(1)], "internaldate", NOON) == 0
        assert [r.id for r in tx.read.unsettled("box")] == [mail_id]
        tx.settled(mail_id)
        assert tx.read.unsettled("box") == []


def test_the_folder_remembers_its_validity_and_last_search(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.read.folder_validity("box", "INBOX") is None
        tx.searched("box", "INBOX", 7, NOON)
        tx.searched("box", "INBOX", 8, NOON + h.minutes(1))
        assert tx.read.folder_validity("box", "INBOX") == 8
        assert tx.read.last_moment() == NOON + h.minutes(1)


# --- deciding


def test_a_decision_keeps_mail_and_reasons_apart_and_the_newest_counts(store: SqlStore) -> None:
    letter = replace(
        h.mail(),
        attachments=(
            Attachment("附件.docx", "application/x", AttachmentKind.WORD, 9, "a" * 64, "2"),
        ),
    )
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        tx.decide(h.decided(mail_id, "hold"), letter, NOON)
        tx.decide(h.decided(mail_id, "accept", by="李四"), letter, NOON + h.minutes(5))
    with store.reading() as reads:
        row = reads.inbound(mail_id)
        assert row is not None
        assert (row.decision, row.subject, row.from_addr) == ("accept", letter.subject, ADDRESS)
        assert reads.mail(mail_id) == letter
    (facts,) = everything_about(store, f"mail:{mail_id}")["mails"]
    assert [(d["kind"], d["who"]) for d in facts["decisions"]] == [
        ("hold", "mailbot"),
        ("accept", "李四"),
    ]


def test_after_a_secrets_hit_no_content_is_anywhere(tmp_path: Path) -> None:
    """Even when an earlier reading had stored it: the bytes of the file are looked through."""
    word = "某工程代号七六二二"
    path = tmp_path / "mailbot.db"
    store = h.fresh(tmp_path)
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        tx.decide(h.decided(mail_id), replace(h.mail(subject=word), text=word * 3000), NOON)
    store.close()  # folds the write-ahead log into the file
    assert word.encode() in path.read_bytes()
    store = h.fresh(tmp_path)
    with store.begin() as tx:
        tx.decide(h.decided(mail_id, "quarantine", log=("secrets:level-star",)), None, NOON)
        tx.remember_hash(mail_id, "f" * 64, "k")
    with store.reading() as reads:
        row = reads.inbound(mail_id)
        assert row is not None and reads.mail(mail_id) is None
        assert (row.sha256, row.content_key, row.subject, row.message_id) == ("f" * 64, "k", "", "")
    store.close()
    assert [p for p in tmp_path.iterdir() if word.encode() in p.read_bytes()] == []


def test_duplicates_are_found_among_earlier_decided_mails_only(store: SqlStore) -> None:
    with store.begin() as tx:
        first, second, third = h.arrive(tx, 3)
        for each in (first, second):
            tx.decide(h.decided(each), h.mail(1), NOON)
        tx.remember_hash(third, "x", "key1")
        reads = tx.read
        hit = reads.inbound_by_content("key1", third)
        assert hit is not None and hit.id == first
        assert reads.inbound_by_content("key1", first) is None
        assert reads.inbound_by_content("", third) is None
        hit = reads.inbound_by_message_id("m1@example.com", third)
        assert hit is not None and hit.id == first
        assert reads.inbound_by_message_id("", third) is None


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"])
def test_text_no_database_can_keep_is_refused_and_nothing_written(
    store: SqlStore, bad: str
) -> None:
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
    before = contents(store)
    for broken in (
        h.new_item(bad),
        h.new_item(version=h.version(fields={"deep": [{"x": bad}]})),
        h.new_item(version=h.version(contact=("1", bad))),
    ):
        with pytest.raises(ValueError, match="reached the store"), store.begin() as tx:
            tx.add_item(broken, mail_id, "EQ", NOON)
    assert contents(store) == before


def test_text_that_only_looks_like_an_escape_is_kept(store: SqlStore) -> None:
    odd = "路径 \\u0000 与 '; DROP TABLE item; -- \u2028 𠮷"
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        item = tx.add_item(
            h.new_item(odd, version=h.version(odd, fields={"a": odd})), mail_id, "EQ", NOON
        )
    assert (item.version.title, item.version.fields) == (odd, {"a": odd})


# --- times


def test_times_come_back_in_shanghai_whatever_zone_they_came_in(store: SqlStore) -> None:
    late = datetime(2026, 7, 31, 16, 30, 0, 5, tzinfo=UTC)  # 1 August in Shanghai
    with store.begin() as tx:
        tx.register([h.envelope(1, late)], "internaldate", NOON)
        (row,) = tx.read.pending("box")
        item = tx.add_item(h.new_item(received=late), row.id, "EQ", NOON)
    assert row.received == late
    assert str(row.received.tzinfo) == "Asia/Shanghai"
    assert item.receipt == "EQ202608-0001"


@pytest.mark.parametrize("when", [datetime(2026, 8, 1), datetime.max.replace(tzinfo=UTC)])
def test_a_time_that_could_not_be_read_back_is_refused(store: SqlStore, when: datetime) -> None:
    with pytest.raises(ValueError, match="reached the store"), store.begin() as tx:
        tx.register([h.envelope(1, when)], "internaldate", NOON)


# --- items


def test_receipts_count_per_office_prefix_and_month_without_gaps(store: SqlStore) -> None:
    july = datetime(2026, 7, 31, 23, 59, tzinfo=SHANGHAI)
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        with pytest.raises(RuntimeError), tx.savepoint():
            tx.add_item(h.new_item(), mail_id, "EQ", NOON)
            raise RuntimeError
        got = [
            tx.add_item(h.new_item(received=when), mail_id, prefix, NOON).receipt
            for when, prefix in [(NOON, "EQ"), (july, "EQ"), (NOON, "LW"), (NOON, "EQ")]
        ]
    assert got == ["EQ202608-0001", "EQ202607-0001", "LW202608-0001", "EQ202608-0002"]
    with pytest.raises(RuntimeError), store.begin() as tx:
        tx.add_item(h.new_item(), mail_id, "EQ", NOON)
        raise RuntimeError
    with store.begin() as tx:
        assert tx.add_item(h.new_item(), mail_id, "EQ", NOON).receipt == "EQ202608-0003"


def test_a_correction_is_a_new_version_under_the_same_number(store: SqlStore) -> None:
    with store.begin() as tx:
        first, second = h.arrive(tx, 2)
        tx.decide(h.decided(first, "return"), h.mail(1), NOON)
        old = tx.add_item(h.new_item("旧题", state=ItemState.RETURNED), first, "EQ", NOON)
        tx.decide(h.decided(second), h.mail(2, sender="lisi@example.com"), NOON)
        new = tx.add_item(
            h.new_item("新题", replaces=old.id, version=h.version("新题", attachments_from=first)),
            second,
            "EQ",
            NOON,
        )
        assert (new.id, new.receipt, new.version_no) == (old.id, old.receipt, 2)
        assert (new.inbound_id, new.first_inbound_id) == (second, first)
        assert new.state is ItemState.ACCEPTED
        assert new.version.attachments_from == first
        history = tx.read.version_history(old.id)
        assert [(n, m, v.title) for n, m, v in history] == [(1, first, "旧题"), (2, second, "新题")]
        for mail_id in (first, second):
            assert [i.id for i in tx.read.items_of(mail_id)] == [old.id]
        since = NOON - timedelta(days=1)
        for address in (ADDRESS, "lisi@example.com"):
            assert [i.id for i in tx.read.items_of_sender(OFFICE, address, since)] == [old.id]
        assert tx.read.items_of_sender(OFFICE, "wangwu@example.com", since) == []
        assert tx.read.items_of_sender("other", ADDRESS, since) == []


def test_a_wrong_item_is_refused(store: SqlStore) -> None:
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        item = tx.add_item(h.new_item(), mail_id, "EQ", NOON)
        with pytest.raises(ValueError, match="another office"):
            tx.add_item(h.new_item(office="laiwu", replaces=item.id), mail_id, "LW", NOON)
        with pytest.raises(KeyError):
            tx.add_item(h.new_item(replaces=999), mail_id, "EQ", NOON)
        with pytest.raises(ValueError, match="month"):
            tx.add_item(h.new_item(month=date(2026, 8, 2)), mail_id, "EQ", NOON)


def test_items_written_before_the_decision_know_their_sender(store: SqlStore) -> None:
    """The order of the two calls within one transaction is the caller's choice."""
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        item = tx.add_item(h.new_item(), mail_id, "EQ", NOON)
        tx.decide(h.decided(mail_id), h.mail(), NOON)
        (found,) = tx.read.items_of_sender(OFFICE, ADDRESS, NOON)
    assert (found.id, found.from_addr) == (item.id, ADDRESS)


def test_only_accepted_items_count_in_their_month(store: SqlStore) -> None:
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        items = [
            tx.add_item(h.new_item(**change), mail_id, "EQ", NOON)
            for change in (
                {},
                {},
                {"state": ItemState.HELD},
                {"month": date(2026, 7, 1)},
                {"unit_id": "nongmuju"},
                {"unit_id": None},
            )
        ]
        count = lambda: tx.read.month_count(OFFICE, "jiaotiju", AUGUST)  # noqa: E731
        assert count() == 2
        tx.set_item_state(items[0].id, ItemState.DUPLICATE, "王芳芳", "重复", NOON)
        assert count() == 1


def test_items_are_found_by_unit_and_title(store: SqlStore) -> None:
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        for change in ({}, {"title_key": "别的"}, {"unit_id": "nongmuju"}, {"unit_id": None}):
            tx.add_item(h.new_item(**({"title_key": "秋季开学"} | change)), mail_id, "EQ", NOON)
        found = tx.read.items_with_title(OFFICE, "jiaotiju", "秋季开学", NOON)
        assert [i.receipt for i in found] == ["EQ202608-0001"]
        later = NOON + h.minutes(1)
        assert tx.read.items_with_title(OFFICE, "jiaotiju", "秋季开学", later) == []
        assert tx.read.items_with_title(OFFICE, "jiaotiju", "", NOON) == []


def test_only_open_items_of_a_sender_wait_for_a_correction(store: SqlStore) -> None:
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        for state in (ItemState.ACCEPTED, ItemState.RETURNED, ItemState.HELD, ItemState.DUPLICATE):
            tx.add_item(h.new_item(state=state), mail_id, "EQ", NOON)
        tx.decide(h.decided(mail_id), h.mail(), NOON)
        states = {i.state for i in tx.read.open_items_of_sender(OFFICE, ADDRESS, NOON)}
    assert states == {ItemState.RETURNED, ItemState.HELD}


def test_staff_correct_a_category_and_the_history_stays(store: SqlStore) -> None:
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        item = tx.add_item(
            h.new_item(flags=("category_doubtful", "unverified")), mail_id, "EQ", NOON
        )
        tx.set_category(item.id, "problem", "王芳芳", "正文反映困难", NOON)
        again = tx.read.item_by_receipt(item.receipt)
    assert again is not None
    assert (again.version.category, again.version.category_by) == ("problem", "staff")
    assert (again.version_no, again.flags) == (2, ("unverified",))
    trail = everything_about(store, item.receipt)["audit"]
    assert [(a["action"], a["who"]) for a in trail] == [
        ("item.added", "mailbot"),
        ("item.category", "王芳芳"),
    ]
    assert trail[1]["detail"]["why"] == "正文反映困难"


# --- people and addresses


def test_an_address_is_known_after_an_accepted_mail(store: SqlStore) -> None:
    with store.begin() as tx:
        first, second = h.arrive(tx, 2)
        tx.decide(h.decided(first, "hold"), h.mail(), NOON)
        assert not tx.read.address_seen(OFFICE, ADDRESS)
        tx.decide(h.decided(second), h.mail(2), NOON)
        assert tx.read.address_seen(OFFICE, ADDRESS.upper())
        assert not tx.read.address_seen("laiwu", ADDRESS)
        assert not tx.read.address_seen(OFFICE, "")


def test_a_mail_with_two_authors_makes_neither_known(store: SqlStore) -> None:
    two = replace(h.mail(), from_=(*h.mail().from_, *h.mail(sender="evil@example.net").from_))
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        tx.decide(h.decided(mail_id), two, NOON)
        assert not tx.read.address_seen(OFFICE, ADDRESS)
        assert not tx.read.address_seen(OFFICE, "evil@example.net")


def test_a_binding_changes_with_a_trace_and_repeats_without(store: SqlStore) -> None:
    with store.begin() as tx:
        proposed = Binding("Lisi@Example.com", "jiaotiju", "proposed")
        tx.add_binding(OFFICE, proposed, "mailbot", NOON)
        tx.add_binding(OFFICE, proposed, "mailbot", NOON)
        tx.add_binding(OFFICE, replace(proposed, state="bound"), "王芳芳", NOON)
        assert tx.read.binding(OFFICE, "lisi@example.com") == Binding(
            "lisi@example.com", "jiaotiju", "bound"
        )
        assert tx.read.binding("laiwu", "lisi@example.com") is None
    trail = contents(store)["audit"]
    assert len(trail) == 2


def test_an_open_task_is_known_by_office_and_kind(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.add_task(NewTask(OFFICE, "breaker", "请看"), NOON)
        assert tx.read.has_open_task(OFFICE, "breaker")
        assert not tx.read.has_open_task(OFFICE, "other")
        assert not tx.read.has_open_task("laiwu", "breaker")
    with store.writing() as db:
        db.execute(text("UPDATE task SET done_at = created"))
    with store.reading() as reads:
        assert not reads.has_open_task(OFFICE, "breaker")


def test_decisions_and_audit_lines_cannot_be_changed(store: SqlStore) -> None:
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        tx.decide(h.decided(mail_id), h.mail(), NOON)
        tx.audit("王芳芳", "looked", "mail:1", {}, NOON)
    for table in ("decision", "audit"):
        for statement in (f"UPDATE {table} SET who = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(IntegrityError, match="append-only"), store.writing() as db:
                db.execute(text(statement))


# --- counting answers


def test_answers_are_counted_by_address_day_thread_and_hour(store: SqlStore) -> None:
    midnight = NOON.replace(hour=0)
    with store.begin() as tx:
        for n, kind, when, changes in (
            (1, "acknowledgement", NOON, {"thread": "t@x"}),
            (2, "acknowledgement", midnight, {"thread": "t@x"}),
            (3, "acknowledgement", midnight - h.minutes(1), {"thread": "t@x"}),  # yesterday
            (4, "return", NOON - h.minutes(59), {}),
            (5, "limit", NOON - h.minutes(61), {}),
            (6, "return", NOON, {"recipient": "lisi@example.com"}),
            (7, "return", NOON, {"office": "laiwu"}),
            (8, "reminder", NOON, {}),
        ):
            tx.queue(h.letter(n, kind, **changes), when)
        tx.queue(h.letter(9, "return"), NOON, state=OutboxState.WITHHELD)
        counts = tx.read.answer_counts(OFFICE, ADDRESS, "t@x", NOON)
    assert counts.acknowledgements_today == 2
    assert counts.returns_today == 1
    assert counts.kind_today == {"acknowledgement": 2, "return": 1, "limit": 1, "reminder": 1}
    assert counts.thread_ever == 3
    assert counts.office_last_hour == 3
    assert counts.limit_notice_today


def test_letters_without_thread_are_no_thread(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.queue(h.letter(1), NOON)
        assert tx.read.answer_counts(OFFICE, ADDRESS, "", NOON).thread_ever == 0


def test_the_day_is_the_one_in_shanghai(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.queue(h.letter(1), datetime(2026, 8, 11, 15, 59, tzinfo=UTC))  # 23:59 on the 11th
        tx.queue(h.letter(2), datetime(2026, 8, 11, 16, 0, tzinfo=UTC))  # 0:00 on the 12th
        now = datetime(2026, 8, 11, 17, 0, tzinfo=UTC)
        assert tx.read.answer_counts(OFFICE, ADDRESS, "", now).acknowledgements_today == 1


def test_a_clock_once_a_year_ahead_does_not_silence_the_office(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.queue(h.letter(1), NOON + timedelta(days=365))
        counts = tx.read.answer_counts(OFFICE, ADDRESS, "", NOON)
    assert (counts.acknowledgements_today, counts.office_last_hour) == (0, 0)


def test_our_letters_are_found_by_message_id_with_and_without_brackets(store: SqlStore) -> None:
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        a = tx.queue(h.letter(1, message_id="a@x", inbound_id=mail_id), NOON)
        b = tx.queue(h.letter(2, message_id="<b@x>"), NOON)
        found = tx.read.outgoing_by_message_ids(["b@x", "<a@x>", "strange@x", ""])
        assert found == [(a, mail_id), (b, None)]
        assert tx.read.outgoing_by_message_ids([]) == []


# --- all or nothing


def test_queueing_a_known_key_changes_nothing(store: SqlStore) -> None:
    with store.begin() as tx:
        first = tx.queue(h.letter(1), NOON)
        before = tx.read.outgoing_by_message_ids(["1.acknowledgement@example.org"])
        assert tx.queue(h.letter(1, raw=b"other", message_id="other@x"), NOON) == first
        assert tx.read.outgoing_by_message_ids(["1.acknowledgement@example.org"]) == before


def write_one_mail(tx: Any, mail_id: int, steps: list[str]) -> None:
    for step in steps:
        if step == "decide":
            tx.decide(h.decided(mail_id), h.mail(mail_id), NOON)
        elif step == "item":
            tx.add_item(h.new_item(), mail_id, "EQ", NOON)
        elif step == "queue":
            tx.queue(h.letter(mail_id, inbound_id=mail_id), NOON)
        elif step == "task":
            tx.add_task(NewTask(OFFICE, "look", "请看", inbound_id=mail_id), NOON)
        elif step == "link":
            tx.link(mail_id, Relation.RESEND, to_inbound=mail_id)
        elif step == "binding":
            tx.add_binding(OFFICE, Binding(f"p{mail_id}@x.cn", "u", "proposed"), "mailbot", NOON)
        elif step == "hash":
            tx.remember_hash(mail_id, "ab", "cd")
        elif step == "bug":
            tx.add_item(h.new_item(replaces=10**6), mail_id, "EQ", NOON)


STEPS = st.lists(
    st.sampled_from(["decide", "item", "queue", "task", "link", "binding", "hash"]), max_size=6
)


@settings(max_examples=40, deadline=None)
@given(good=st.lists(STEPS, min_size=1, max_size=3), bad=STEPS, at=st.integers(0, 2))
def test_a_savepoint_undoes_exactly_one_mails_writes(
    tmp_path_factory: pytest.TempPathFactory, good: list[list[str]], bad: list[str], at: int
) -> None:
    """A batch with a failing mail in it equals the batch without that mail."""

    def batch(with_bad: bool) -> dict[str, list[Any]]:
        store = h.fresh(tmp_path_factory.mktemp("db"))
        with store.begin() as tx:
            ids = h.arrive(tx, len(good) + 1)
            failing, fine = ids[-1], ids[:-1]
            for position, (mail_id, steps) in enumerate(zip(fine, good, strict=True)):
                if with_bad and position == min(at, len(good) - 1):
                    with pytest.raises(KeyError), tx.savepoint():
                        write_one_mail(tx, failing, [*bad, "bug"])
                with tx.savepoint():
                    write_one_mail(tx, mail_id, steps)
        found = contents(store)
        store.close()
        return found

    assert batch(with_bad=True) == batch(with_bad=False)


def test_a_killed_writer_leaves_nothing_behind(database: str) -> None:
    open_store(database).close()
    code = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[2])\n"
        "from mailbot.adapters.db.engine import open_store\n"
        "from tests.unit import store_help as h\n"
        "store = open_store(sys.argv[1])\n"
        "with store.begin() as tx:\n"
        "    ids = h.arrive(tx, 300)\n"
        "    for i in ids:\n"
        "        tx.decide(h.decided(i), h.mail(i), h.NOON)\n"
        "        tx.add_item(h.new_item(), i, 'EQ', h.NOON)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    here = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", code, database, here], check=False)
    assert done.returncode == -signal.SIGKILL
    store = open_store(database)
    assert not any(contents(store).values())
    assert store.check() == []
    with store.begin() as tx:
        first, _ = h.arrive(tx, 2)
        assert tx.add_item(h.new_item(), first, "EQ", NOON).receipt == "EQ202608-0001"
    store.close()


def test_threads_write_side_by_side_without_losing_anything(store: SqlStore) -> None:
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(10):
                with store.begin() as tx:
                    tx.add_item(h.new_item(), mail_id, "EQ", NOON)
                with store.reading() as reads:
                    reads.month_count(OFFICE, "jiaotiju", AUGUST)
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with store.reading() as reads:
        receipts = {i.receipt for i in reads.items_of(mail_id)}
    assert receipts == {f"EQ202608-{n:04d}" for n in range(1, 41)}


def test_a_reader_sees_one_moment_and_does_not_wait_for_the_writer(store: SqlStore) -> None:
    with store.reading() as reads:
        assert reads.pending("box") == []
        with store.begin() as tx:
            h.arrive(tx, 2)
        assert reads.pending("box") == []
    with store.reading() as reads:
        assert len(reads.pending("box")) == 2


# --- the world's faults


def test_a_locked_database_is_retryable_and_systemic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.adapters.db.dialect.BUSY_SECONDS", 0.05)
    store = h.fresh(tmp_path)
    other = sqlite3.connect(tmp_path / "mailbot.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Retryable) as caught, store.begin() as tx:
        h.arrive(tx)
    assert (caught.value.code, caught.value.systemic) == ("database_locked", True)
    other.execute("ROLLBACK")
    with store.begin() as tx:
        assert h.arrive(tx) == [1]
    store.close()


def test_a_full_disk_stops_the_batch_even_when_the_caller_goes_on(file_store: SqlStore) -> None:
    """SQLite rolls the whole transaction back by itself then; what follows must not be committed
    statement by statement."""
    store = file_store
    with store.begin() as tx:
        first, second = h.arrive(tx, 2)
    before = contents(store)
    with store.writing() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar_one()
    limit = lambda connection, *_: connection.execute(f"PRAGMA max_page_count={pages + 4}")  # noqa: E731
    event.listen(store.engine, "checkout", limit)
    huge = replace(h.mail(), text="长" * 200_000)
    with pytest.raises(Exception) as final, store.begin() as tx:
        with pytest.raises(Retryable) as caught, tx.savepoint():
            tx.decide(h.decided(first), huge, NOON)
        assert (caught.value.code, caught.value.systemic) == ("disk", True)
        tx.decide(h.decided(second), h.mail(2), NOON)
    assert "rolled back" in str(final.value)
    event.remove(store.engine, "checkout", limit)
    assert contents(store) == before


def test_an_error_within_a_savepoint_leaves_the_transaction_whole(store: SqlStore) -> None:
    """PostgreSQL refuses everything after an error, but for a way back to the savepoint."""
    with store.begin() as tx:
        first, second = h.arrive(tx, 2)
        with tx.savepoint():
            tx.decide(h.decided(first), h.mail(), NOON)
        with pytest.raises(IntegrityError), tx.savepoint():
            tx.add_item(h.new_item(), second, "EQ", NOON)
            tx.add_task(NewTask(OFFICE, "look", "请看", inbound_id=77), NOON)
        with pytest.raises(Exception, match="NUL"), tx.savepoint():
            tx.add_task(NewTask(OFFICE, "look", "请\0看"), NOON)
        with tx.savepoint():
            tx.add_item(h.new_item(), first, "EQ", NOON)
    with store.reading() as reads:
        assert [item.receipt for item in reads.items_of(first)] == ["EQ202608-0001"]
        assert reads.items_of(second) == [] and reads.mail(first) == h.mail()


def test_two_who_correct_one_item_wait_for_each_other(store: SqlStore) -> None:
    """Each version gets a number of its own, and none is lost."""
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        one = tx.add_item(h.new_item(), mail_id, "EQ", NOON)
    failures: list[BaseException] = []

    def correct(name: str) -> None:
        try:
            for n in range(5):
                new = h.new_item(f"{name}{n}", replaces=one.id)
                with store.begin() as tx:
                    tx.add_item(new, mail_id, "EQ", NOON)
                    tx.set_item_state(one.id, ItemState.ACCEPTED, name, "", NOON)
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=correct, args=(name,)) for name in "甲乙丙"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with store.reading() as reads:
        assert [no for no, _mail, _version in reads.version_history(one.id)] == list(range(1, 17))
        found = reads.item(one.id)
        assert found is not None and found.version_no == 16


def test_the_largest_values_a_mail_may_have_are_kept(store: SqlStore) -> None:
    """Numbers beyond 31 bits; text as long as the reader lets it be, in what is looked up by."""
    names = [chr(0x4E00 + n * 7919 % 20_000) for n in range(32_768)]  # nothing to be compressed
    long = "".join(names)
    uid = 2**32 - 1
    origin = Origin("box", "归档/" + long[:250], uid, uid)
    mail = replace(
        h.mail(subject=long, sender=f"{long[:5_000]}@example.com"), message_id=long[:250]
    )
    with store.begin() as tx:
        tx.register([Envelope(origin, 2**40, NOON)], "internaldate", NOON)
        tx.searched("box", origin.folder, uid, NOON)
        (row,) = tx.read.pending("box")
        tx.decide(h.decided(row.id), mail, NOON)
        tx.add_item(h.new_item(long, title_key=long, version=h.version(long)), row.id, "EQ", NOON)
    with store.reading() as reads:
        assert reads.known_uids("box", origin.folder, uid) == {uid}
        found = reads.inbound_by_message_id(long[:250], row.id + 1)
        assert found is not None and found.id == row.id
        assert reads.mail(row.id) == mail
        assert reads.items_of_sender(OFFICE, f"{long[:5_000]}@example.com", AUGUST_BEGAN)
        assert not reads.items_of_sender(OFFICE, f"{long[:4_999]}@example.com", AUGUST_BEGAN)
        assert reads.items_with_title(OFFICE, "jiaotiju", long, AUGUST_BEGAN)
        assert not reads.items_with_title(OFFICE, "jiaotiju", long[:-1], AUGUST_BEGAN)
        assert [i.version.title for i in reads.items_of(row.id)] == [long]


def test_a_number_that_nothing_has_finds_nothing(store: SqlStore) -> None:
    """As somebody may write it in a command."""
    for number in (2**31, 2**63 - 1):
        with store.reading() as reads:
            assert reads.inbound(number) is None and reads.item(number) is None
            assert reads.record(number) is None and reads.draft(number) is None
            assert reads.letter(number) is None and reads.appeal(number) is None
            assert reads.inbound_by_content("k", number) is None
        assert close_tasks(store, [number], "王五", NOON) == 0


def test_damage_met_at_work_is_permanent_and_systemic(tmp_path: Path) -> None:
    store = h.fresh(tmp_path)
    with store.begin() as tx:
        ids = h.arrive(tx, 300)
        for i in ids:
            tx.decide(h.decided(i), h.mail(i), NOON)
    store.close()
    path = tmp_path / "mailbot.db"
    raw = bytearray(path.read_bytes())
    raw[8 * 4096 :] = b"\xff" * (len(raw) - 8 * 4096)
    path.write_bytes(raw)
    with pytest.raises((Permanent, OperatorFault)) as caught:
        store = open_store(f"sqlite:///{path}")
        with store.reading() as reads:
            for i in ids:
                reads.mail(i)
    if isinstance(caught.value, Permanent):
        assert (caught.value.code, caught.value.systemic) == ("database_corrupt", True)


# --- plans


HOT = {
    "known_uids": lambda r: r.known_uids("box", "INBOX", 1),
    "folder_validity": lambda r: r.folder_validity("box", "INBOX"),
    "pending": lambda r: r.pending("box"),
    "unsettled": lambda r: r.unsettled("box"),
    "inbound": lambda r: r.inbound(1),
    "inbound_by_content": lambda r: r.inbound_by_content("k", 9),
    "inbound_by_message_id": lambda r: r.inbound_by_message_id("k", 9),
    "mail": lambda r: r.mail(1),
    "outgoing_by_message_ids": lambda r: r.outgoing_by_message_ids(["a", "b"]),
    "items_of": lambda r: r.items_of(1),
    "item_by_receipt": lambda r: r.item_by_receipt("EQ202608-0001"),
    "items_of_sender": lambda r: r.items_of_sender(OFFICE, ADDRESS, NOON),
    "open_items_of_sender": lambda r: r.open_items_of_sender(OFFICE, ADDRESS, NOON),
    "items_with_title": lambda r: r.items_with_title(OFFICE, "jiaotiju", "t", NOON),
    "month_count": lambda r: r.month_count(OFFICE, "jiaotiju", AUGUST),
    "binding": lambda r: r.binding(OFFICE, ADDRESS),
    "address_seen": lambda r: r.address_seen(OFFICE, ADDRESS),
    "answer_counts": lambda r: r.answer_counts(OFFICE, ADDRESS, "t", NOON),
    "has_open_task": lambda r: r.has_open_task(OFFICE, "look"),
    "version_history": lambda r: r.version_history(1),
}


@pytest.mark.parametrize("name", HOT)
def test_no_look_up_reads_a_whole_table(store: SqlStore, name: str) -> None:
    with h.noted(store) as seen, store.reading() as reads:
        HOT[name](reads)
    plans = h.plans_of(store, seen)
    assert not h.whole_reads(plans), plans
    if name in ("pending", "unsettled", "inbound_by_content", "inbound_by_message_id"):
        assert not [p for p in plans if "TEMP B-TREE" in p], plans


# --- listing


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    """Mail 1 accepted (two items, answered), 2 returned, 3 held, 4 ignored, 5 not decided."""
    with store.begin() as tx:
        ids = h.arrive(tx, 5)
        tx.decide(h.decided(ids[0]), h.mail(1), NOON)
        tx.add_item(h.new_item("秋粮收购 100% 到位"), ids[0], "EQ", NOON)
        tx.add_item(
            h.new_item("草原_防火", version=h.version("草原_防火", category="problem")),
            ids[0],
            "EQ",
            NOON,
        )
        tx.queue(h.letter(1, inbound_id=ids[0]), NOON)
        tx.decide(
            h.decided(ids[1], "return", unit_id="nongmuju", answer="return"),
            h.mail(2, sender="lisi@example.com", subject="报送信息"),
            NOON,
        )
        tx.add_item(
            h.new_item(
                "缺项",
                unit_id="nongmuju",
                state=ItemState.RETURNED,
                month=date(2026, 7, 1),
                received=NOON - timedelta(days=20),
            ),
            ids[1],
            "EQ",
            NOON,
        )
        tx.queue(h.letter(2, "return", inbound_id=ids[1]), NOON, state=OutboxState.WITHHELD)
        tx.decide(h.decided(ids[2], "hold", unit_id=None, answer="none:limit"), h.mail(3), NOON)
        tx.decide(h.decided(ids[3], "ignore", unit_id=None), h.mail(4), NOON)
        tx.link(ids[3], Relation.BOUNCE, to_inbound=ids[1])
    return store


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        (ItemFilter(), {"秋粮收购 100% 到位", "草原_防火", "缺项"}),
        (ItemFilter(unit_id="nongmuju"), {"缺项"}),
        (ItemFilter(category="problem"), {"草原_防火"}),
        (ItemFilter(month=date(2026, 7, 15)), {"缺项"}),
        (ItemFilter(decision="return"), {"缺项"}),
        (ItemFilter(state="accepted"), {"秋粮收购 100% 到位", "草原_防火"}),
        (ItemFilter(text="100%"), {"秋粮收购 100% 到位"}),
        (ItemFilter(text="%"), {"秋粮收购 100% 到位"}),
        (ItemFilter(text="_"), {"草原_防火"}),
        (ItemFilter(text="LISI@"), {"缺项"}),
        (ItemFilter(text="eq202608-0002"), {"草原_防火"}),
        (ItemFilter(office="laiwu"), set()),
        (ItemFilter(limit=1, offset=1), {"秋粮收购 100% 到位"}),
        (ItemFilter(offset=2), {"缺项"}),
    ],
)
def test_items_are_filtered(filled: SqlStore, wanted: ItemFilter, titles: set[str]) -> None:
    assert {i.item.version.title for i in list_items(filled, wanted)} == titles


def test_an_item_shows_decision_and_answer(filled: SqlStore) -> None:
    shown = {i.item.version.title: i for i in list_items(filled, ItemFilter())}
    assert (shown["缺项"].decision, shown["缺项"].answer) == ("return", "return")
    assert shown["缺项"].answer_state == "withheld"
    assert shown["草原_防火"].answer_state == "ready"


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (ItemFilter(), {1, 2, 3, 4, 5}),
        (ItemFilter(decision="hold"), {3}),
        (ItemFilter(unit_id="nongmuju"), {2}),
        (ItemFilter(state="new"), {5}),
        (ItemFilter(category="problem"), {1}),
        (ItemFilter(text="报送"), {2}),
        (ItemFilter(text="EQ202608-0002"), {1}),
        (ItemFilter(month=AUGUST), {1, 2, 3, 4, 5}),
        (ItemFilter(month=date(2026, 12, 1)), set()),
    ],
)
def test_all_mails_are_listed_also_without_items(
    filled: SqlStore, wanted: ItemFilter, ids: set[int]
) -> None:
    assert {m.inbound.id for m in mails(filled, wanted)} == ids


def test_a_mail_shows_its_receipts_reasons_and_why_it_was_not_answered(filled: SqlStore) -> None:
    shown = {m.inbound.id: m for m in mails(filled, ItemFilter())}
    assert shown[1].receipts == ("EQ202608-0001", "EQ202608-0002")
    assert (shown[3].why_answered, shown[3].answer) == ("none:limit", "")
    assert shown[2].reasons == ("四项齐全。",)
    assert shown[5].reasons == ()


def test_everything_about_an_item_prints_as_json(filled: SqlStore) -> None:
    for what in ("EQ202607-0001", "eq202607-0001", "3"):
        found = everything_about(filled, what)
        (item,) = found["items"]
        assert (item["receipt"], item["versions"][0]["title"]) == ("EQ202607-0001", "缺项")
        assert [m["id"] for m in found["mails"]] == [2, 4]  # its own, and the bounce
        mail = found["mails"][0]
        assert mail["content"]["from"] == [{"addr": "lisi@example.com", "name": "张三"}]
        assert mail["answers"][0]["state"] == "withheld"
        assert "raw" not in mail["answers"][0]
        assert [a["action"] for a in found["audit"]] == ["item.added"]
        assert json.loads(json.dumps(found, default=str, ensure_ascii=False))


@pytest.mark.parametrize("what", ["", "999", "EQ209901-0001", "mail:999", "mail:x", "mail:", "²"])
def test_what_is_not_there_is_said(filled: SqlStore, what: str) -> None:
    with pytest.raises(LookupError):
        everything_about(filled, what)


def test_a_mail_that_could_not_be_stored_whole_is_shown_without_content(filled: SqlStore) -> None:
    with filled.begin() as tx:
        tx.decide(h.decided(5, "quarantine"), None, NOON)
    (mail,) = everything_about(filled, "mail:5")["mails"]
    assert mail["content"] is None
    assert mail["decisions"][0]["kind"] == "quarantine"


# --- opening


def test_the_file_is_for_us_alone(tmp_path: Path) -> None:
    store = h.fresh(tmp_path / "state")
    with store.begin() as tx:
        h.arrive(tx)
    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "state").iterdir()}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}, modes
    store.close()


def test_commits_are_on_disk_when_they_return(file_store: SqlStore) -> None:
    with file_store.writing() as db:
        ask = lambda name: db.exec_driver_sql(f"PRAGMA {name}").scalar_one()  # noqa: E731
        assert (ask("journal_mode"), ask("synchronous"), ask("foreign_keys")) == ("wal", 2, 1)


def test_references_must_point_to_something(store: SqlStore) -> None:
    with pytest.raises(IntegrityError), store.begin() as tx:
        tx.add_task(NewTask(OFFICE, "look", "请看", inbound_id=77), NOON)


def test_an_unread_mail_keeps_a_row(store: SqlStore) -> None:
    unread = IncomingMail(size=1, sha256="0" * 64, content_key="0" * 64)
    with store.begin() as tx:
        (mail_id,) = h.arrive(tx)
        tx.decide(h.decided(mail_id, "quarantine", unit_id=None), unread, NOON)
        assert tx.read.mail(mail_id) == unread
