"""What the offices' retention lets go: its edges, and everything that holds a mail back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailbot.adapters.db.engine import open_store
from mailbot.adapters.db.removals import SqlRemovals
from mailbot.adapters.db.upkeep import all_kept
from mailbot.adapters.offices.retentionfile import without_retention
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.adapters.system import shipped
from mailbot.app.errors import OperatorFault
from mailbot.app.upkeep.checking import check_archive
from mailbot.app.upkeep.model import Part, Why
from mailbot.app.upkeep.retention import remove_due, what_is_due
from mailbot.core.rules.retention import Retention
from tests.integration.intake_help import NOON, World, item, letter

YEAR = 365
KEPT = {"otog": Retention(mail_days=YEAR, content_days=YEAR)}


@pytest.fixture
def world(tmp_path: Path, database: str) -> World:
    """One accepted item, with nothing left to do about it."""
    made = World(tmp_path, store=open_store(database))
    made.receive(item())
    made.run()  # told the mailbox
    with made.store.writing() as db:
        db.exec_driver_sql("update task set done_at = created")
        db.exec_driver_sql("update outbox set state = 'sent'")
        db.exec_driver_sql("update item set state = 'duplicate'")
    return made


def change(world: World, sql: str) -> None:
    with world.store.writing() as db:
        db.exec_driver_sql(sql)


def due(world: World, now: datetime) -> tuple[int, int]:
    """(raw, content)"""
    found = {d.part: d.count for d in what_is_due(KEPT, SqlRemovals(world.store), now)}
    return found[Part.RAW], found[Part.CONTENT]


def held_by(world: World) -> set[Why]:
    """What holds back the one mail, long past its time."""
    (raw, content) = what_is_due(KEPT, SqlRemovals(world.store), NOON + timedelta(days=999))
    assert raw.kept == content.kept
    assert (raw.count == 0) == bool(raw.kept)
    return {why for why, _count in raw.kept}


def remove(world: World, now: datetime) -> int:
    removals = SqlRemovals(world.store)
    return remove_due(KEPT, removals, world.archive, "王甲", now).gone


def damages(world: World) -> list[str]:
    total, kept = all_kept(world.store)
    return [d.found for d in check_archive(world.archive, kept, total)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_days_are_counted_from_the_day_after_receipt(world: World) -> None:
    midnight = NOON.replace(hour=0) + timedelta(days=YEAR + 1)
    assert due(world, midnight - timedelta(seconds=1)) == (0, 0)
    assert due(world, midnight) == (1, 1)


def test_a_removal_takes_bytes_and_text_and_leaves_the_records(world: World) -> None:
    digest = world.rows("select sha256 from inbound")[0][0]
    before = world.rows("select count(*) from decision")
    assert remove(world, NOON + timedelta(days=999)) == 1
    assert digest not in world.archive
    assert world.rows("select count(*) from mail") == [(0,)]
    assert world.rows("select count(*) from decision") == before
    assert world.rows("select count(*) from item_version") == [(1,)]
    assert [tuple(r) for r in world.rows("select who from audit where action='retention'")] == [
        ("王甲",),
        ("王甲",),
    ]
    assert damages(world) == []
    assert remove(world, NOON + timedelta(days=999)) == 0
    assert len(world.rows("select who from audit where action='retention'")) == 2


def test_nothing_holds_a_finished_mail(world: World) -> None:
    assert held_by(world) == set()


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("update task set done_at = null", Why.TASK),
        ("update item set state = 'held'", Why.ITEM),
        ("update item set state = 'returned'", Why.ITEM),
        ("update outbox set state = 'withheld'", Why.LETTER),
        ("update outbox set state = 'unknown'", Why.LETTER),
        ("update outbox set state = 'retry'", Why.LETTER),
    ],
)
def test_what_is_still_needed_stays(world: World, sql: str, why: Why) -> None:
    change(
        world,
        "insert into task (office, kind, text, inbound_id, created, done_by)"
        " select office, 'x', 'x', id, received, '' from inbound",
    )
    change(world, "update task set done_at = created")
    change(world, sql)
    assert held_by(world) == {why}
    assert remove(world, NOON + timedelta(days=999)) == 0
    assert damages(world) == []
    assert world.rows("select count(*) from mail") == [(1,)]


def test_a_task_about_the_item_or_a_letter_holds_the_mail(world: World) -> None:
    for column, table in (("item_id", "item"), ("outbox_id", "outbox")):
        change(
            world,
            f"insert into task (office, kind, text, {column}, created, done_by)"
            f" select 'otog', 'x', 'x', {table}.id, inbound.received, '' from {table}, inbound",
        )
        assert held_by(world) == {Why.TASK}, column
        change(world, "update task set done_at = created")


def test_an_appeal_holds_the_mail_until_it_is_answered(world: World) -> None:
    change(
        world,
        "insert into appeal (office, unit_id, about, inbound_id, item_id, opened, answer, answered_by)"
        " select 'otog', 'x', 'x', inbound.id, item.id, inbound.received, '', '' from item, inbound",
    )
    assert held_by(world) == {Why.APPEAL}
    change(world, "update appeal set answered_at = opened")
    assert held_by(world) == set()


def _seal(world: World, first: str, last: str) -> None:
    change(
        world,
        "insert into seal (office, period, first, last, book_digest, ledger_digest, standings, who, at)"
        f" select 'otog', '{first}', '{first}', '{last}', '', '', '{{}}', 'x', received from inbound",
    )


def test_a_period_holds_the_mail_until_it_is_sealed(world: World) -> None:
    change(world, "update item set state = 'accepted'")
    assert held_by(world) == {Why.PERIOD}
    _seal(world, "2026-04-01", "2026-06-30")
    _seal(world, "2026-08-10", "2026-08-16")
    assert held_by(world) == {Why.PERIOD}, "the quarter before, and a week of its month"
    _seal(world, "2026-07-01", "2026-09-30")
    assert held_by(world) == set()


def test_a_mail_whose_files_an_item_took_over_stays_with_it(world: World) -> None:
    """The first mail of a corrected item."""
    world.receive(letter(body="第二封"))
    world.run()
    change(world, "update task set done_at = created")
    change(world, "update outbox set state = 'sent'")
    change(world, "update item set state = 'duplicate' where inbound_id = 1")
    change(world, "update item set state = 'held', first_inbound_id = 2 where inbound_id = 2")
    assert due(world, NOON + timedelta(days=999)) == (1, 1)
    change(world, "update item_version set attachments_from = 1 where inbound_id = 2")
    assert due(world, NOON + timedelta(days=999)) == (0, 0)


def test_bytes_another_mail_still_has_stay(world: World) -> None:
    late = NOON + timedelta(days=300)
    world.receive(item(), at=late)  # the same bytes, a younger mail
    world.run()
    change(world, "update task set done_at = created")
    change(world, "update outbox set state = 'sent'")
    change(world, "update item set state = 'duplicate'")
    digest = world.rows("select sha256 from inbound")[0][0]
    assert due(world, NOON + timedelta(days=400)) == (1, 1)
    remove(world, NOON + timedelta(days=400))
    assert digest in world.archive
    assert damages(world) == []
    remove(world, NOON + timedelta(days=999))
    assert digest not in world.archive


def test_bytes_stay_while_the_same_mail_may_be_coming_in(world: World) -> None:
    """It is known by its size only, and its bytes may already lie there."""
    digest = world.rows("select sha256 from inbound")[0][0]
    late = NOON + timedelta(days=999)
    world.box.put(item(), late)
    world.box.hurt = _fail_at("fetch")
    with pytest.raises(RuntimeError):
        world.run()
    removals = SqlRemovals(world.store)
    done = remove_due(KEPT, removals, world.archive, "王甲", late)
    assert (done.gone, done.left) == (0, 1)
    assert digest in world.archive
    assert damages(world) == ["已确认删除，文件还在"]
    world.box.hurt = lambda _: None
    world.run()
    assert remove(world, late) == 1
    assert digest in world.archive, "the mail that came in has the same bytes"
    assert damages(world) == []


def _fail_at(step: str) -> Callable[[str], None]:
    def hurt(name: str) -> None:
        if name == step:
            raise RuntimeError(step)

    return hurt


def test_a_mail_the_mailbox_was_not_told_of_stays(world: World) -> None:
    change(world, "update inbound set state = 'decided'")
    assert due(world, NOON + timedelta(days=999)) == (0, 0)


def test_a_secrets_hit_has_nothing_to_remove(world: World) -> None:
    change(world, "delete from mail")
    assert due(world, NOON + timedelta(days=999)) == (0, 0)
    assert damages(world) == ["邮件带密级标志，原件却在存档里"]


def test_no_days_set_is_for_ever(world: World) -> None:
    late = NOON + timedelta(days=9999)
    assert what_is_due({"otog": Retention()}, SqlRemovals(world.store), late) == []
    only_raw = {"otog": Retention(mail_days=YEAR)}
    remove_due(only_raw, SqlRemovals(world.store), world.archive, "王甲", late)
    assert world.rows("select count(*) from mail") == [(1,)]
    assert damages(world) == []


# --- the office's file

OTOG = shipped("config") / "offices" / "otog"


def office_with(tmp_path: Path, text: str) -> Path:
    """otog with this at the end of office.toml."""
    folder = tmp_path / "otog"
    shutil.copytree(OTOG, folder)
    with (folder / "office.toml").open("a", encoding="utf-8") as file:
        file.write(text)
    return folder


@pytest.mark.parametrize(
    "text",
    [
        "\n# 保存期限\n[retention]\nmail_days = 1095\ncontent_days = 1825\n",
        "[retention]\n# 三年\nmail_days = 1095\n",
    ],
)
def test_retention_is_read_and_no_part_of_the_rules(tmp_path: Path, text: str) -> None:
    book = load_office(office_with(tmp_path, text))
    assert book.retention.mail_days == 1095
    assert book.digest == load_office(OTOG).digest


def test_what_stands_after_retention_is_part_of_the_rules() -> None:
    base = b'[office]\nid = "x"\n'
    limits = b"[limits]\nper_hour = 3\n"
    assert without_retention(base + b"\n[retention]\nmail_days = 90\n" + limits) == base + limits
    assert without_retention(base + limits) == base + limits


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[retention]\n", "没有写天数"),
        ("[retention]\nmail_days = 3\n", "mail_days"),
        ("[retention]\nmail_days = 0\n", "mail_days"),
        ("[retention]\ncontent_days = -1\n", "content_days"),
        ("[retention]\nmail_day = 365\n", "mail_days"),
        ('[retention]\nmail_days = "365"\n', "mail_days"),
    ],
)
def test_slips_in_retention_are_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(OperatorFault) as refused:
        load_office(office_with(tmp_path, text))
    assert told in str(refused.value)


def test_no_shipped_office_says_how_long_mail_is_kept() -> None:
    """No document does: it is each office's to decide."""
    for folder in OTOG.parent.iterdir():
        assert not load_office(folder).retention.is_set
