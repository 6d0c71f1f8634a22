"""What the database tells of its own: right, by indexes alone, without writing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.db.health import BACKUP_LACKS, LAST_BACKUP, SqlHealthReads
from mailbot.adapters.db.staff_lists import close_tasks, open_tasks
from mailbot.adapters.db.tables import fact, lease, worker
from mailbot.app.records import ItemState, NewTask
from tests.unit import store_help as h

NOW = h.NOON + timedelta(hours=1)


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


def reads(store: SqlStore, folder: Path) -> SqlHealthReads:
    return SqlHealthReads(store.snapshot, folder, ("box", "other"), ("otog",))


def test_an_empty_installation(store: SqlStore, tmp_path: Path) -> None:
    found = reads(store, tmp_path).figures(NOW)
    assert found.schema == "0004" and found.letters == {} and found.tasks == {}
    assert found.mailboxes["box"].searched is None and found.last_backup is None
    assert (reads(store, tmp_path).free_bytes() or 0) > 0
    assert reads(store, tmp_path / "nowhere").free_bytes() is None


def test_figures_of_a_day(store: SqlStore, tmp_path: Path) -> None:
    with store.begin() as tx:
        first, second, _third = h.arrive(tx, 3)
        tx.decide(h.decided(first), h.mail(), h.NOON)
        tx.searched("box", "INBOX", 1, h.NOON)
        tx.searched("box", "垃圾邮件", 1, h.NOON - timedelta(hours=3))
        item = tx.add_item(h.new_item(), first, "EQ", h.NOON)
        tx.set_item_state(item.id, ItemState.HELD, "mailbot", "", h.NOON)
        tx.add_task(NewTask("otog", "hold", "请核对。", second), h.NOON)
        tx.add_task(NewTask("otog", "bounce", "请核对。"), h.NOON + timedelta(minutes=1))
        for n in range(3):
            tx.queue(h.letter(n), h.NOON + timedelta(minutes=n))
    claimed = store.outbox.claim(h.NOON)
    assert claimed is not None
    store.outbox.sent(claimed.id, "250 OK", h.NOON)
    with store.writing() as db:
        db.execute(fact.insert().values(name=LAST_BACKUP, value=h.NOON.isoformat(), changed=h.NOON))
        db.execute(fact.insert().values(name=BACKUP_LACKS, value="3", changed=h.NOON))
        for name, seen in (("a", NOW), ("b", NOW - timedelta(hours=1))):
            row = {"id": name, "host": f"host-{name}", "pid": 1, "version": "", "started": NOW}
            db.execute(worker.insert().values(**row, seen=seen))
        db.execute(lease.insert().values(name="mailbox:box", holder="a", fence=1, until=NOW))
        db.execute(lease.insert().values(name="duties", holder="", fence=4, until=NOW))
    found = reads(store, tmp_path).figures(NOW)
    box = found.mailboxes["box"]
    assert (box.searched, box.decided, box.waiting, box.oldest) == (h.NOON, h.NOON, 2, h.NOON)
    assert found.letters == {"ready": 2}
    assert found.oldest_letter == h.NOON + timedelta(minutes=1)
    assert (found.held, found.tasks, found.oldest_task) == (1, {"bounce": 1, "hold": 1}, h.NOON)
    assert found.last_hour == {"otog": 2}, "the hour begins after noon"
    assert (found.last_backup, found.backup_lacks) == (h.NOON, 3)
    assert (found.workers, found.hosts) == (1, frozenset({"host-a"}))
    assert found.leased == {"mailbox:box"}


def test_an_uncertain_letter_is_no_trouble_once_a_person_has_closed_its_task(
    store: SqlStore, tmp_path: Path
) -> None:
    with store.begin() as tx:
        tx.queue(h.letter(1), h.NOON)
    claimed = store.outbox.claim(h.NOON)
    assert claimed is not None
    store.outbox.unknown(claimed.id, "connection lost", h.NOON)
    assert store.uncertain.ask(claimed.id, "请查对。", h.NOON)
    found = reads(store, tmp_path).figures(NOW)
    assert (found.letters, found.tasks) == ({"unknown": 1}, {"unknown_send": 1})
    close_tasks(store, [t.id for t in open_tasks(store)], "王甲", NOW)
    found = reads(store, tmp_path).figures(NOW)
    assert (found.letters, found.tasks) == ({}, {})


def test_a_backup_s_moment_that_is_none_is_passed_over(store: SqlStore, tmp_path: Path) -> None:
    for value in ("yesterday", "2026-08-12T12:00:00"):
        with store.writing() as db:
            db.execute(fact.delete())
            db.execute(fact.insert().values(name=LAST_BACKUP, value=value, changed=h.NOON))
        assert reads(store, tmp_path).figures(NOW).last_backup is None


def test_every_look_up_goes_by_an_index_and_none_writes(store: SqlStore, tmp_path: Path) -> None:
    with h.noted(store) as ran:
        reads(store, tmp_path).figures(NOW)
    selects = [asked for asked in ran if asked[0].lstrip().upper().startswith("SELECT")]
    others = {statement for statement, _values in ran if (statement, _values) not in selects}
    assert all(s.startswith(("BEGIN", "SET TRANSACTION")) for s in others), others
    # A row for each process or mailbox; and an index that holds the held items alone.
    small = ("alembic_version", "worker", "lease", "folder", "ix_item_held")
    for asked in selects:
        for step in h.plan_of(store, asked):
            assert not step.startswith("SCAN") or any(t in step for t in small), (step, asked)


def test_an_old_schema_tells_its_version(store: SqlStore, tmp_path: Path) -> None:
    with store.writing() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    assert reads(store, tmp_path).figures(NOW).schema == "0099"
