"""Any database opens at the present schema, or is refused unchanged with what to do."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.exc import IntegrityError

from mailbot.adapters.db import dialect
from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.db.migrate import SCRIPTS, alembic_config
from mailbot.adapters.db.tables import APPEND_ONLY, HEAD, metadata
from mailbot.app.errors import OperatorFault
from mailbot.app.letter_records import NewDraft
from mailbot.app.records import OutboxState
from mailbot.core.rules.events import EventKind
from tests.servers.postgres import Postgres, database_name
from tests.unit import store_help as h

ROOT = Path(__file__).parents[2]


def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mailbot.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, path: Path) -> str:
    """The address of a database with nothing in it, once of each kind."""
    if request.param == "sqlite":
        return url(path)
    address: str = request.getfixturevalue("postgres")
    return address


def test_the_head_named_in_the_code_is_the_newest_script() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert scripts.get_heads() == [HEAD]


def test_the_scripts_ship_inside_the_package() -> None:
    import mailbot

    assert SCRIPTS.is_relative_to(Path(mailbot.__file__).parent)
    assert (SCRIPTS / "env.py").is_file()


def test_a_fresh_upgrade_gives_the_tables_of_the_code(empty_database: str) -> None:
    store = open_store(empty_database)
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
        assert triggers(db) == {t.name for t in APPEND_ONLY}
    store.close()


def triggers(db: Connection) -> set[str]:
    """The tables that have some."""
    if db.dialect.name == "sqlite":
        query = "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT event_object_table FROM information_schema.triggers"
    return set(db.scalars(text(query)))


def test_ids_are_never_given_twice_in_a_file(path: Path) -> None:
    store = open_store(url(path))
    with store.snapshot() as db:
        for table in metadata.sorted_tables:
            sql = db.scalar(
                text("SELECT sql FROM sqlite_master WHERE name = :n"), {"n": table.name}
            )
            wanted = table.dialect_options["sqlite"]["autoincrement"]
            assert ("AUTOINCREMENT" in str(sql)) == bool(wanted), table.name
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
    refused_as_it_is(url(path), words)
    assert path.read_bytes() == before


def refused_as_it_is(address: str, words: str) -> None:
    with pytest.raises(OperatorFault, match=words) as caught:
        open_store(address)
    (fault,) = caught.value.faults
    assert fault.where == address.removeprefix("sqlite:///")
    assert fault.remedy


def change(address: str, *statements: str, **values: object) -> None:
    """Past mailbot."""
    engine = dialect.make_engine(address)
    with dialect.writing(engine).begin() as db:
        for statement in statements:
            db.execute(text(statement), values)
    engine.dispose()


def shape(address: str) -> tuple[dict[str, list[str]], list[str]]:
    """Every table with its columns, and the schema version."""
    engine = dialect.make_engine(address)
    with engine.connect() as db:
        columns = inspect(db).get_multi_columns()
        found = {name: [c["name"] for c in of_table] for (_, name), of_table in columns.items()}
        versioned = "alembic_version" in found
        versions = db.scalars(text("SELECT * FROM alembic_version")).all() if versioned else []
    engine.dispose()
    return found, list(versions)


def test_a_newer_database_is_refused(empty_database: str) -> None:
    open_store(empty_database).close()
    change(empty_database, "UPDATE alembic_version SET version_num = '0099'")
    before = shape(empty_database)
    refused_as_it_is(empty_database, "newer")
    assert shape(empty_database) == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO alembic_version VALUES ('0000')",
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
        "DROP TABLE link",
        "ALTER TABLE item DROP COLUMN created",
    ],
)
def test_k13_a_database_between_versions_is_refused(empty_database: str, statement: str) -> None:
    open_store(empty_database).close()
    change(empty_database, statement)
    before = shape(empty_database)
    refused_as_it_is(empty_database, "schema version|without|lacks")
    assert shape(empty_database) == before


def test_another_programs_database_is_refused(empty_database: str) -> None:
    change(empty_database, "CREATE TABLE contacts (id INTEGER)")
    refused_as_it_is(empty_database, "another program")
    assert shape(empty_database) == ({"contacts": ["id"]}, [])


@pytest.mark.parametrize("damage", ["header", "text", "first page"])
def test_r3_a_damaged_file_is_refused(path: Path, damage: str) -> None:
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


def test_r3_a_read_only_file_is_refused(path: Path) -> None:
    """A write version above 2 in the header makes a file read-only (SQLite file format, 1.3.3);
    modes do not stop root, as whom tests may run."""
    open_store(url(path)).close()
    raw = bytearray(path.read_bytes())
    raw[18] = 3
    path.write_bytes(raw)
    refused(path, words="read-only")


def test_r3_a_file_we_may_not_write_is_refused() -> None:
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
            [sys.executable, "-c", code, url(path), str(ROOT)],
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


# --- upgrades of what earlier releases left


NOW = "2026-08-12 04:00:00.000000"
"""UTC, as every session speaks."""


def upgrade(address: str, revision: str) -> None:
    """To a release's schema, as that release did it."""
    engine = dialect.make_engine(address)
    path = dialect.database_path(engine)
    if path is not None:
        dialect.create_file(path)
    with dialect.writing(engine).connect() as connection:
        dialect.turn_on_wal(connection)
        dialect.foreign_keys(connection, on=False)
        with connection.begin():
            command.upgrade(alembic_config(connection), revision)
    engine.dispose()


def fill(address: str, *statements: str) -> None:
    """Rows with the ids they say, and the next ids after them."""
    sqlite = address.startswith("sqlite")
    raw = "X'0D0A'" if sqlite else r"'\x0d0a'::bytea"
    change(address, *(s.format(now=f"'{NOW}'", raw=raw, no="(1 = 0)") for s in statements))
    if not sqlite:
        of_table = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), max(id)) FROM {0}"
        tables = {s.split()[2] for s in statements} - {"receipt_counter"}
        change(address, *(of_table.format(table) for table in sorted(tables)))


def made_by_0001(address: str) -> None:
    """A database as the first release left it: mails, an item corrected once and marked as a
    commission, one deleted, the highest number."""
    upgrade(address, "0001")
    version = "INSERT INTO item_version VALUES ({}, {}, {}, {}, '{}', '张三', '[]', '', '{}', "
    version += "'{}', 'mark', '[]', NULL, '[]', '[]', '', {{now}})"
    receipt = "INSERT INTO item VALUES ({0}, 'EQ202608-000{0}', 'otog', '{1}', 'accepted', "
    receipt += "{{now}}, '2026-08-01', {2}, {3}, 1, 'a@example.com', "
    receipt += "'a@example.com', '', '[]', 'item', {{now}})"
    mail = "INSERT INTO inbound VALUES ({0}, 'box', 'INBOX', 1, {0}, 9, {{now}}, "
    mail += "'internaldate', 'settled', 1, {{now}}, '', '', '', '', '', 'otog', "
    mail += "'accept', NULL)"
    marks = '{{"marks":["约稿"]}}', '{{"title":"\\"marks\\"' + r"\:" + '["}}'
    fill(
        address,
        *(mail.format(n) for n in (1, 2)),
        receipt.format(1, "a", 2, 2),
        receipt.format(2, "b", 1, 2),
        receipt.format(7, "c", 1, 2),
        version.format(1, 1, 1, 1, "旧题", marks[0], "brief"),
        version.format(2, 1, 2, 2, "新题", "{{}}", "problem"),
        version.format(3, 2, 1, 2, "题", marks[1], "brief"),
        "INSERT INTO decision VALUES (1, 1, {now}, 'mailbot', 'accept', 'otog', 'a', '[]', '[]', "
        "'', '')",
        "INSERT INTO link VALUES (1, 2, 'correction', NULL, 1, NULL)",
        "INSERT INTO receipt_counter VALUES ('EQ', '202608', 7)",
    )
    change(address, "DELETE FROM item WHERE id = 7")


def made_by_0002(address: str) -> None:
    """As the second release left it: the same, a letter sent, one to be tried again, a record of
    the item, a sealed quarter."""
    made_by_0001(address)
    upgrade(address, "0002")
    letter = "INSERT INTO outbox VALUES ({0}, 'answer:{0}:return', 'return', 'otog', "
    letter += "'o@example.org', 'a@example.com', 'm{0}@example.org', '回执', {0}, '', '{1}', 1, "
    letter += "{{now}}, {2}, NULL, NULL, NULL, '250 ok', '', {{raw}})"
    fill(
        address,
        letter.format(1, "sent", "NULL"),
        letter.format(2, "retry", "'2026-08-12 05:00:00.000000'"),
        "INSERT INTO record VALUES (1, 'otog', 'adoption', 'a', '2026-08-13', 1, "
        r"""'{{"journal"\:"mryq","form"\:"full"}}', {no}, '', '', NULL, 'hand', '王芳芳', {now})""",
        "INSERT INTO seal VALUES (1, 'otog', '2026-Q2', '2026-04-01', '2026-06-30', '', '', "
        "'{{}}', '王芳芳', {now})",
    )


def made_by_0003(address: str) -> None:
    """As the third release left it: the same, a duty done, an approved draft with its recipient
    and file, an objection, a code, a letter of the draft whose fate is unknown."""
    made_by_0002(address)
    upgrade(address, "0003")
    fill(
        address,
        "INSERT INTO duty VALUES (1, 'start:otog', 'otog', '', '', '', {now}, 'done', '', "
        "'{{}}', {now})",
        "INSERT INTO draft VALUES (1, 'otog', 'notice', '2026-Q2', 1, '通报', 'd', '[]', '[]', "
        "'approved', {now}, '王芳芳', '1 号', '2026-07-20', {now}, '李四', '')",
        "INSERT INTO draft_recipient VALUES (1, 1, 'a', 'unit', 'a', 'head', '王甲', "
        "'a@example.com', '', '')",
        "INSERT INTO draft_file VALUES (1, 1, 'notice', '通报.docx', {raw})",
        "INSERT INTO appeal VALUES (1, 'otog', 'a', 'item:1', 2, 1, NULL, {now}, '', NULL, '')",
        "INSERT INTO token VALUES (1, 'x', 'otog', 'approve', 'draft:1', 'a@example.com', {now}, "
        "{now}, NULL)",
        "INSERT INTO outbox VALUES (3, 'notice:1:a', 'notice', 'otog', 'o@example.org', "
        "'a@example.com', 'm3@example.org', '通报', NULL, '', 'unknown', 1, {now}, NULL, {now}, "
        "{now}, {now}, '', 'lost', {raw}, 'a', 'head', 'draft:1', {now})",
    )


EARLIER: dict[str, Callable[[str], None]] = {
    "0001": made_by_0001,
    "0002": made_by_0002,
    "0003": made_by_0003,
}


def check_what_0001_kept(store: SqlStore) -> None:
    with store.reading() as reads:
        first, second = (reads.item_by_receipt(f"EQ202608-000{n}") for n in (1, 2))
        assert first is not None
        assert second is not None
        assert (first.version.title, first.version_no, first.inbound_id) == ("新题", 2, 2)
        assert (first.channel, first.evidence, first.first_inbound_id) == ("mail", "", 1)
        assert (first.commissioned, second.commissioned) == (True, False)
        assert first.received == h.NOON
        assert [v.title for _no, _mail, v in reads.version_history(first.id)] == ["旧题", "新题"]
        bulk = reads.bulk_events("otog", first.month, date(2026, 8, 31), (), by_item=False)
        assert {(e.unit, e.category) for e in bulk if e.kind is EventKind.SUBMISSION} == {
            ("a", "problem"),
            ("b", "brief"),
        }


def check_what_0002_kept(store: SqlStore) -> None:
    check_what_0001_kept(store)
    with store.begin() as tx:
        assert tx.queue(h.letter(1, key="answer:1:return"), h.NOON) == 1, "known, not sent again"
        new = tx.queue(h.letter(9, unit_id="a", role="head", about="draft:9"), h.NOON)
    with store.reading() as reads:
        assert [(r.id, r.receipt) for r in reads.records("otog")] == [(1, "EQ202608-0001")]
        assert [s.period.code for s in reads.seals("otog")] == ["2026-Q2"]
        assert [x.id for x in reads.letters_about("draft:9")] == [new]
    claimed = [store.outbox.claim(h.NOON + h.minutes(90)) for _ in range(2)]
    letters = [(q.id, q.letter.unit_id, q.letter.about, q.letter.not_after) for q in claimed if q]
    assert letters == [(2, "", "", None), (new, "a", "draft:9", None)]


def check_what_0003_kept(store: SqlStore) -> None:
    check_what_0002_kept(store)
    with store.reading() as reads:
        assert reads.in_service_since("otog") == h.NOON
        (draft,) = reads.drafts("otog", waiting=True)
        assert (draft.title, draft.issued, draft.number) == ("通报", date(2026, 7, 20), "1 号")
        assert [r.name for r in reads.draft_recipients(1)] == ["王甲"]
        assert [f.content for f in reads.draft_files(1)] == [b"\r\n"]
        assert [a.new.item_id for a in reads.appeals("otog", waiting=True)] == [1]
        token = reads.token("x")
        assert token is not None and token.new.expires == h.NOON and token.used is None
        (letter,) = reads.letters_about("draft:1")
        assert (letter.state, letter.error) == (OutboxState.UNKNOWN, "lost")
    assert store.outbox.counts()["unknown"] == 1
    with store.begin() as tx:
        again = NewDraft("otog", "notice", "2026-Q2", "通报", "e", (), (), (), ())
        assert tx.add_draft(again, "王芳芳", h.NOON + timedelta(days=1)).no == 2


KEPT: dict[str, Callable[[SqlStore], None]] = {
    "0001": check_what_0001_kept,
    "0002": check_what_0002_kept,
    "0003": check_what_0003_kept,
}


def test_every_earlier_release_is_upgraded_from() -> None:
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    assert {s.revision for s in scripts} - {HEAD} == set(EARLIER)


@pytest.mark.parametrize("release", EARLIER)
def test_an_earlier_releases_database_upgrades_with_all_it_holds(
    empty_database: str, release: str
) -> None:
    EARLIER[release](empty_database)
    store = open_store(empty_database)
    assert store.check() == []
    KEPT[release](store)
    store.close()


def test_numbers_given_before_the_upgrade_are_not_given_again(empty_database: str) -> None:
    made_by_0001(empty_database)
    store = open_store(empty_database)
    with store.begin() as tx:
        new = tx.add_item(h.new_item(), 1, "EQ", h.NOON)
    assert (new.id, new.receipt) == (8, "EQ202608-0008")
    store.close()


@pytest.mark.parametrize("release", EARLIER)
def test_what_was_append_only_stays_so_after_the_upgrade(empty_database: str, release: str) -> None:
    EARLIER[release](empty_database)
    store = open_store(empty_database)
    kept = ["decision"] if release == "0001" else ["decision", "record", "seal"]
    for table in kept:
        with pytest.raises(IntegrityError, match="append-only"), store.writing() as db:
            db.execute(text(f"DELETE FROM {table}"))
    with pytest.raises(IntegrityError), store.writing() as db:
        db.execute(text("UPDATE item SET inbound_id = 99"))
    store.close()


def killed_at(address: str, step: int) -> bool:
    """Opens it in a process that is killed after so many statements, or before a commit among them;
    whether it came so far."""

    def open_watched() -> None:
        left = step

        def count(*_args: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        made = dialect.make_engine

        def watched(address: str) -> Engine:
            engine = made(address)
            event.listen(engine, "after_cursor_execute", count)
            event.listen(engine, "commit", count)
            return engine

        dialect.make_engine = watched
        open_store(address)

    status = os.waitpid(in_a_process(open_watched), 0)[1]
    assert status in (0, signal.SIGKILL)
    return bool(status)


@pytest.mark.parametrize("step", [4, 12, 20])
@pytest.mark.parametrize("release", EARLIER)
def test_k13_a_killed_upgrade_changes_nothing(empty_database: str, release: str, step: int) -> None:
    EARLIER[release](empty_database)
    before = shape(empty_database)
    assert killed_at(empty_database, step)
    assert shape(empty_database) == before
    store = open_store(empty_database)
    assert store.check() == []
    KEPT[release](store)
    store.close()


@pytest.mark.long
@pytest.mark.parametrize("release", EARLIER)
def test_k13_an_upgrade_killed_anywhere_leaves_the_old_version_or_the_new(
    empty_database: str, running_postgres: Postgres, tmp_path: Path, release: str
) -> None:
    """At every statement and every commit."""
    EARLIER[release](empty_database)
    before = shape(empty_database)
    sqlite = empty_database.startswith("sqlite")

    def copied(step: int) -> str:
        if not sqlite:
            return running_postgres.new_database(database_name(empty_database))
        file = tmp_path / f"{step}.db"
        shutil.copy(tmp_path / "mailbot.db", file)
        return url(file)

    step, killed = 0, True
    while killed:
        step += 1
        address = copied(step)
        killed = killed_at(address, step)
        after = shape(address)
        store = open_store(address)
        assert after in (before, shape(address)), step
        assert store.check() == []
        KEPT[release](store)
        store.close()
        if not sqlite:
            running_postgres.drop_database(address)
    assert step > 20


@pytest.mark.parametrize("step", [1, 3, 8, 20, 45, 60])
def test_k13_a_killed_first_start_leaves_nothing_or_everything(
    empty_database: str, step: int
) -> None:
    assert killed_at(empty_database, step)
    tables, _versions = shape(empty_database)
    assert not tables or set(tables) >= set(metadata.tables)
    store = open_store(empty_database)
    assert store.check() == []
    with store.begin() as tx:
        assert len(h.arrive(tx, 1)) == 1
    store.close()


def test_several_programs_starting_at_once_make_one_database(empty_database: str) -> None:
    children = [in_a_process(lambda: open_store(empty_database).check()) for _ in range(4)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0, 0]
    store = open_store(empty_database, create=False)
    assert store.check() == []
    store.close()


def in_a_process(work: Callable[[], object]) -> int:
    """Its id. It ends with 0 when the work was done."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return child


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
