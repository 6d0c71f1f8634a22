"""Any database opens at the present schema, or is refused unchanged with what to do."""

from __future__ import annotations

import fcntl
import signal
import sqlite3
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from mailbot.adapters.db import dialect
from mailbot.adapters.db.engine import open_store
from mailbot.adapters.db.migrate import SCRIPTS, alembic_config
from mailbot.adapters.db.tables import APPEND_ONLY, HEAD, metadata
from mailbot.app.errors import OperatorFault
from tests.unit import store_help as h


def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mailbot.db"


def test_the_head_named_in_the_code_is_the_newest_script() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert scripts.get_heads() == [HEAD]


def test_the_scripts_ship_inside_the_package() -> None:
    import mailbot

    assert SCRIPTS.is_relative_to(Path(mailbot.__file__).parent)
    assert (SCRIPTS / "env.py").is_file()


def test_a_fresh_upgrade_gives_the_tables_of_the_code(path: Path) -> None:
    store = open_store(url(path))
    with store.snapshot() as db:
        context = MigrationContext.configure(
            db, opts={"compare_type": True, "target_metadata": metadata}
        )
        assert compare_metadata(context, metadata) == []
        found = inspect(db)
        for table in metadata.sorted_tables:
            # What the comparison leaves out: names of keys, and AUTOINCREMENT.
            names = {u["name"] for u in found.get_unique_constraints(table.name)}
            assert names == {
                str(c.name) for c in table.constraints if c.__visit_name__ == "unique_constraint"
            }
            keys = {f["name"] for f in found.get_foreign_keys(table.name)}
            assert keys == {str(c.name) for c in table.foreign_key_constraints}
            sql = db.scalar(
                text("SELECT sql FROM sqlite_master WHERE name = :n"), {"n": table.name}
            )
            wanted = table.dialect_options["sqlite"]["autoincrement"]
            assert ("AUTOINCREMENT" in str(sql)) == bool(wanted), table.name
        triggers = set(
            db.scalars(text("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"))
        )
    assert triggers == {t.name for t in APPEND_ONLY}
    store.close()


def test_opening_again_changes_nothing(path: Path) -> None:
    open_store(url(path)).close()
    before = path.read_bytes()
    open_store(url(path)).close()
    open_store(url(path), create=False).close()
    assert path.read_bytes() == before


def test_looking_does_not_create(path: Path) -> None:
    with pytest.raises(OperatorFault, match="no such database"):
        open_store(url(path), create=False)
    assert not path.exists()
    path.touch()
    with pytest.raises(OperatorFault, match="schema version none"):
        open_store(url(path), create=False)
    assert path.stat().st_size == 0


def refused(path: Path, *, words: str) -> None:
    """Refused with a remedy, and not a byte of it changed."""
    before = path.read_bytes()
    with pytest.raises(OperatorFault, match=words) as caught:
        open_store(url(path))
    (fault,) = caught.value.faults
    assert fault.where == str(path)
    assert fault.remedy
    assert path.read_bytes() == before


def change(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def test_a_newer_database_is_refused(path: Path) -> None:
    open_store(url(path)).close()
    change(path, "UPDATE alembic_version SET version_num = '0099'")
    refused(path, words="newer")


@pytest.mark.parametrize(
    "statements",
    [
        ["INSERT INTO alembic_version VALUES ('0000')"],
        ["DELETE FROM alembic_version"],
        ["DROP TABLE alembic_version"],
        ["DROP TABLE link"],
        ["ALTER TABLE item DROP COLUMN created"],
    ],
)
def test_a_database_between_versions_is_refused(path: Path, statements: list[str]) -> None:
    open_store(url(path)).close()
    change(path, *statements)
    refused(path, words="schema version|without|lacks")


def test_another_programs_database_is_refused(path: Path) -> None:
    change(path, "CREATE TABLE contacts (id INTEGER)")
    refused(path, words="another program")


@pytest.mark.parametrize("damage", ["header", "text", "first page"])
def test_a_damaged_file_is_refused(path: Path, damage: str) -> None:
    open_store(url(path)).close()
    raw = bytearray(path.read_bytes())
    if damage == "header":
        raw[:16] = b"\x00" * 16
    elif damage == "text":
        raw[:] = "这不是数据库".encode() * 500
    else:
        raw[100:4096] = b"\xa5" * 3996
    path.write_bytes(raw)
    refused(path, words="damaged|no SQLite database")


def test_a_read_only_file_is_refused(path: Path) -> None:
    """A write version above 2 in the header makes a file read-only (SQLite file format, 1.3.3);
    modes do not stop root, as whom tests may run."""
    open_store(url(path)).close()
    raw = bytearray(path.read_bytes())
    raw[18] = 3
    path.write_bytes(raw)
    refused(path, words="read-only")


def test_a_file_we_may_not_write_is_refused() -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "from mailbot.adapters.db.engine import open_store\n"
        "from mailbot.app.errors import OperatorFault\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try: open_store(sys.argv[1])\n"
        "except OperatorFault as e: print(e)\n"
    )
    # Not under pytest's own folder, which only its owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mailbot.db"
        open_store(url(path)).close()
        path.chmod(0o444)
        path.parent.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", code, url(path), str(Path(__file__).parents[2])],
            capture_output=True,
            text=True,
            check=False,
        )
        path.parent.chmod(0o755)
    assert str(path) in done.stdout, done.stderr
    assert "→" in done.stdout


@pytest.mark.parametrize(
    "address",
    ["mysql://h/x", "sqlite://", "sqlite:///:memory:", "nonsense", "", "postgresql+nodriver://h/x"],
)
def test_an_address_that_names_no_usable_database_is_refused(address: str) -> None:
    with pytest.raises(OperatorFault) as caught:
        open_store(address)
    assert caught.value.faults[0].where == "database.url"


def test_a_folder_that_cannot_be_made_is_the_operators_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OperatorFault):
        open_store(url(tmp_path / "file" / "mailbot.db"))


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[3])
from sqlalchemy import event
from mailbot.adapters.db import dialect, engine
left = int(sys.argv[2])
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
make = dialect.make_engine
def watched(url):
    made = make(url)
    event.listen(made, "after_cursor_execute", count)
    return made
dialect.make_engine = watched
engine.open_store(sys.argv[1])
"""


# --- from 0001


def made_by_0001(path: Path) -> None:
    """A database as the first release left it: three mails, an item corrected once and marked as a
    commission, one deleted, the highest number."""
    engine = dialect.make_engine(url(path))
    dialect.create_file(path)
    with dialect.writing(engine).connect() as connection:
        dialect.turn_on_wal(connection)
        with connection.begin():
            command.upgrade(alembic_config(connection), "0001")
    engine.dispose()
    version = "INSERT INTO item_version VALUES ({}, {}, {}, {}, '{}', '张三', '[]', '', '{}', "
    version += "'{}', 'mark', '[]', NULL, '[]', '[]', '', '2026-08-12 04:00:00.000000')"
    receipt = "INSERT INTO item VALUES ({0}, 'EQ202608-000{0}', 'otog', '{1}', 'accepted', "
    receipt += "'2026-08-12 04:00:00.000000', '2026-08-01', {2}, {3}, 1, 'a@example.com', "
    receipt += "'a@example.com', '', '[]', 'item', '2026-08-12 04:00:00.000000')"
    mail = "INSERT INTO inbound VALUES ({0}, 'box', 'INBOX', 1, {0}, 9, '2026-08-12 04:00:00', "
    mail += "'internaldate', 'settled', 1, '2026-08-12 04:00:00', '', '', '', '', '', 'otog', "
    mail += "'accept', NULL)"
    decision = "INSERT INTO decision VALUES (1, 1, '2026-08-12 04:00:00', 'mailbot', 'accept', "
    decision += "'otog', 'a', '[]', '[]', '', '')"
    change(
        path,
        *(mail.format(n) for n in (1, 2)),
        receipt.format(1, "a", 2, 2),
        receipt.format(2, "b", 1, 2),
        receipt.format(7, "c", 1, 2),
        version.format(1, 1, 1, 1, "旧题", '{"marks":["约稿"]}', "brief"),
        version.format(2, 1, 2, 2, "新题", "{}", "problem"),
        version.format(3, 2, 1, 2, "题", '{"title":"\\"marks\\":["}', "brief"),
        "DELETE FROM item WHERE id = 7",
        decision,
        "INSERT INTO link VALUES (1, 2, 'correction', NULL, 1, NULL)",
        "INSERT INTO receipt_counter VALUES ('EQ', '202608', 7)",
    )


def test_a_database_of_the_first_release_upgrades_with_all_it_holds(path: Path) -> None:
    made_by_0001(path)
    store = open_store(url(path))
    assert store.check() == []
    with store.reading() as reads:
        first, second = (reads.item_by_receipt(f"EQ202608-000{n}") for n in (1, 2))
        assert first is not None
        assert second is not None
        assert (first.version.title, first.version_no, first.inbound_id) == ("新题", 2, 2)
        assert (first.channel, first.evidence, first.first_inbound_id) == ("mail", "", 1)
        assert (first.commissioned, second.commissioned) == (True, False)
        assert [v.title for _no, _mail, v in reads.version_history(first.id)] == ["旧题", "新题"]
        bulk = reads.bulk_events("otog", first.month, date(2026, 8, 31), ())
        assert {(e.unit, e.category) for e in bulk} == {("a", "problem"), ("b", "brief")}
    store.close()


def test_numbers_given_before_the_upgrade_are_not_given_again(path: Path) -> None:
    made_by_0001(path)
    store = open_store(url(path))
    with store.begin() as tx:
        new = tx.add_item(h.new_item(), 1, "EQ", h.NOON)
    assert (new.id, new.receipt) == (8, "EQ202608-0008")
    store.close()


def test_what_was_append_only_stays_so_after_the_upgrade(path: Path) -> None:
    made_by_0001(path)
    store = open_store(url(path))
    with pytest.raises(IntegrityError, match="append-only"), store.writing() as db:
        db.execute(text("DELETE FROM decision"))
    with pytest.raises(IntegrityError), store.writing() as db:
        db.execute(text("UPDATE item SET inbound_id = 99"))
    store.close()


@pytest.mark.parametrize("step", [5, 12, 25, 40])
def test_a_killed_upgrade_from_the_first_release_changes_nothing(path: Path, step: int) -> None:
    made_by_0001(path)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, url(path), str(step), str(Path(__file__).parents[2])],
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    store = open_store(url(path))
    assert store.check() == []
    with store.reading() as reads:
        assert reads.item_by_receipt("EQ202608-0001") is not None
    store.close()


# --- from 0002


def made_by_0002(path: Path) -> None:
    """As the second release left it: the same, a letter sent, one to be tried again, a record of
    the item, a sealed quarter."""
    made_by_0001(path)
    engine = dialect.make_engine(url(path))
    with dialect.writing(engine).connect() as connection:
        dialect.foreign_keys(connection, on=False)
        with connection.begin():
            command.upgrade(alembic_config(connection), "0002")
    engine.dispose()
    letter = "INSERT INTO outbox VALUES ({0}, 'answer:{0}:return', 'return', 'otog', "
    letter += "'o@example.org', 'a@example.com', 'm{0}@example.org', '回执', {0}, '', '{1}', 1, "
    letter += "'2026-08-12 04:00:00.000000', {2}, NULL, NULL, NULL, '250 ok', '', X'0D0A')"
    change(
        path,
        letter.format(1, "sent", "NULL"),
        letter.format(2, "retry", "'2026-08-12 05:00:00.000000'"),
        "INSERT INTO record VALUES (1, 'otog', 'adoption', 'a', '2026-08-13', 1, "
        "'{\"journal\":\"mryq\",\"form\":\"full\"}', 0, '', '', NULL, 'hand', '王芳芳', "
        "'2026-08-13 04:00:00.000000')",
        "INSERT INTO seal VALUES (1, 'otog', '2026-Q2', '2026-04-01', '2026-06-30', '', '', '{}', "
        "'王芳芳', '2026-07-13 04:00:00.000000')",
    )


def test_a_database_of_the_second_release_upgrades_with_all_it_holds(path: Path) -> None:
    made_by_0002(path)
    store = open_store(url(path))
    assert store.check() == []
    with store.begin() as tx:
        assert tx.queue(h.letter(1, key="answer:1:return"), h.NOON) == 1, "known, not sent again"
        new = tx.queue(h.letter(3, unit_id="a", role="head", about="draft:1"), h.NOON)
    with store.reading() as reads:
        assert [(r.id, r.receipt) for r in reads.records("otog")] == [(1, "EQ202608-0001")]
        assert [s.period.code for s in reads.seals("otog")] == ["2026-Q2"]
        assert [x.id for x in reads.letters_about("draft:1")] == [new]
        assert reads.duties("otog", h.NOON) == [] and reads.drafts() == []
    claimed = [store.outbox.claim(h.NOON + h.minutes(90)) for _ in range(2)]
    letters = [(q.id, q.letter.unit_id, q.letter.about, q.letter.not_after) for q in claimed if q]
    assert letters == [(2, "", "", None), (new, "a", "draft:1", None)]
    store.close()


def test_what_the_second_release_kept_append_only_stays_so(path: Path) -> None:
    made_by_0002(path)
    store = open_store(url(path))
    for table in ("decision", "record", "seal"):
        with pytest.raises(IntegrityError, match="append-only"), store.writing() as db:
            db.execute(text(f"DELETE FROM {table}"))
    store.close()


@pytest.mark.parametrize("step", [4, 9, 16, 25])
def test_a_killed_upgrade_from_the_second_release_changes_nothing(path: Path, step: int) -> None:
    made_by_0002(path)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, url(path), str(step), str(Path(__file__).parents[2])],
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    db = sqlite3.connect(path)
    assert db.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]
    db.close()
    store = open_store(url(path))
    assert store.check() == []
    with store.reading() as reads:
        assert len(reads.seals("otog")) == 1
    store.close()


@pytest.mark.parametrize("step", [1, 3, 8, 20, 45, 60])
def test_a_killed_upgrade_leaves_the_old_version_or_the_new(path: Path, step: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, url(path), str(step), str(Path(__file__).parents[2])],
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    db = sqlite3.connect(path)
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    db.close()
    assert not tables or tables >= set(metadata.tables)
    store = open_store(url(path))
    assert store.check() == []
    with store.begin() as tx:
        assert h.arrive(tx, 1) == [1]
    store.close()


def test_several_programs_starting_at_once_make_one_database(path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from mailbot.adapters.db.engine import open_store\n"
        "open_store(sys.argv[1]).check()\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, url(path), str(Path(__file__).parents[2])])
        for _ in range(4)
    ]
    assert [child.wait() for child in children] == [0, 0, 0, 0]
    store = open_store(url(path), create=False)
    assert store.check() == []
    store.close()


def test_a_start_does_not_wait_for_ever_for_another(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(url(path)).close()
    monkeypatch.setattr("mailbot.adapters.db.engine.OPEN_WAIT_SECONDS", 0.05)
    with path.with_name("mailbot.db-lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OperatorFault, match="another mailbot"):
            open_store(url(path))
    open_store(url(path)).close()


def test_a_percent_sign_in_the_path_is_only_a_character(tmp_path: Path) -> None:
    store = open_store(url(tmp_path / "100%数据" / "mailbot.db"))
    assert store.check() == []
    store.close()
    assert [p.name for p in tmp_path.iterdir()] == ["100%数据"]
