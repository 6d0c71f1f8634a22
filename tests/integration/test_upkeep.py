"""Backup, restore, verify and retention, as an administrator meets them."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailbot.adapters.backup.journal import WORK
from mailbot.adapters.backup.repository import Repository
from mailbot.adapters.db.engine import open_store
from mailbot.adapters.settings.model import load_settings
from mailbot.adapters.system import SHANGHAI
from tests.integration.cli_help import Cli, mail, speaking
from tests.integration.upkeep_help import (
    at_step,
    disk_full,
    installation,
    killed_at,
    steps_of,
)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("office")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with speaking("en"):
        yield


@pytest.fixture
def cli(
    base: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Cli:
    return installation(base, tmp_path / "live", capsys, monkeypatch)


@pytest.fixture
def another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """An empty machine: no settings file, no data."""
    return Cli(capsys, monkeypatch, tmp_path / "new" / "config" / "mailbot.toml")


def data(cli: Cli) -> Path:
    return cli.folder.parent / "data"


def stored(cli: Cli) -> list[Path]:
    return sorted((data(cli) / "archive").glob("??/??/*.eml"))


def snapshot_of(folder: Path) -> Path:
    return folder / "snapshots" / Repository(folder).stamps()[-1]


def seen(cli: Cli) -> list[str]:
    """What a clerk sees of it."""
    shown = [
        cli.good("items"),
        cli.good("items", "--mails"),
        cli.good("standings", "otog", f"{datetime.now(SHANGHAI):%Y-%m}"),
        cli.good("tasks"),
    ]
    record = json.loads(cli.good("show", "1", "--json"))
    return [*shown, json.dumps(record, sort_keys=True)]


def rows(cli: Cli) -> dict[str, list[object]]:
    """What the database holds of mails and items; quicker than looking at it as a clerk."""
    store = open_store(load_settings(cli.config, {}).database, create=False)
    try:
        with store.snapshot() as db:
            return {
                table: [tuple(r) for r in db.exec_driver_sql(f"select * from {table} order by 1")]
                for table in ("inbound", "mail", "decision", "item", "item_version", "task", "link")
            }
    finally:
        store.close()


# --- there and back


def test_a_restore_on_an_empty_machine_brings_everything_back(
    cli: Cli, another: Cli, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    before = seen(cli)
    cli.good("backup", str(folder))
    shutil.rmtree(cli.folder.parent)  # the machine is gone
    said = another.good("restore", str(folder), "--who", "王甲")
    assert "4 mails" in said
    assert another.config.exists()
    assert (another.folder / "offices" / "otog" / "office.toml").exists()
    assert "Everything is sound" in another.good("verify")
    assert seen(another) == before
    assert oct(data(another).stat().st_mode)[-3:] == "700"
    assert oct((data(another) / "secret.key").stat().st_mode)[-3:] == "600"
    with open_store(f"sqlite:///{data(another)}/mailbot.db").reading() as reads:
        restored_from = datetime.fromisoformat(reads.fact("restored_from"))
        assert restored_from < datetime.fromisoformat(reads.fact("restored_at"))
        assert reads.fact("last_backup") == reads.fact("restored_from")
    with closing(sqlite3.connect(data(another) / "mailbot.db")) as db:
        assert db.execute("select who, action from audit where action = 'restore'").fetchall() == [
            ("王甲", "restore")
        ]
        assert db.execute("pragma journal_mode").fetchone() == ("wal",)


def test_a_backup_holds_no_credential_and_is_nobody_elses_to_read(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    for path in folder.rglob("*"):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o700 if path.is_dir() else 0o600), path
        if path.is_file():
            assert b"secret-code-1" not in path.read_bytes(), path
    copies = sorted(folder.glob("archive/??/??/*.eml"))
    assert [p.name for p in copies] == [p.name for p in stored(cli)]
    assert {p.stat().st_nlink for p in copies} == {1}, "a link would share the damage"


def test_a_second_backup_adds_only_what_is_new(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    assert "4 of them new" in cli.good("backup", str(folder))
    first = {p: p.stat().st_mtime_ns for p in folder.glob("archive/??/??/*.eml")}
    (cli.folder.parent / "mailbox" / "new" / "6.test").write_bytes(
        mail("统计局+经济运行分析+孙七+13800000004", body="一季度经济运行平稳。" * 30)
    )
    cli.good("once")
    assert "1 of them new" in cli.good("backup", str(folder))
    now = {p: p.stat().st_mtime_ns for p in folder.glob("archive/??/??/*.eml")}
    assert len(now) == len(first) + 1
    assert first.items() <= now.items()
    assert len(Repository(folder).stamps()) == 2
    assert "Older snapshots removed" in cli.good("backup", str(folder), "--keep", "1")
    assert len(Repository(folder).stamps()) == 1
    assert len(list(folder.glob("archive/??/??/*.eml"))) == len(now)
    assert "sound" in cli.good("verify", "--backup", str(folder))


def test_an_older_snapshot_can_be_named(cli: Cli, another: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    before = rows(cli)
    old = Repository(folder).stamps()[0]
    receipt = json.loads(cli.good("show", "1", "--json"))["items"][0]["receipt"]
    cli.good("category", receipt, "问题", "--who", "王甲")
    assert rows(cli) != before
    cli.good("backup", str(folder))
    another.good("restore", str(folder), "--snapshot", old, "--who", "王甲")
    assert rows(another) == before
    assert "20200101-000000" in another.refused(
        "restore", str(folder), "--snapshot", "20200101-000000", "--into", str(tmp_path / "x")
    )


def test_health_learns_when_the_last_backup_was(cli: Cli, tmp_path: Path) -> None:
    assert "No backup" in (said := cli("backup", "--check")).out
    assert said.code == 1
    cli.good("backup", str(tmp_path / "backup"))
    assert "0 hours ago" in cli.good("backup", "--check")
    with open_store(f"sqlite:///{data(cli)}/mailbot.db").begin() as tx:
        old = datetime.now(SHANGHAI) - timedelta(hours=49)
        tx.set_fact("last_backup", old.isoformat(), old)
    assert cli("backup", "--check").code == 1
    cli.good("backup", "--check", "--max-hours", "50")


# --- while others work


def _copied(path: Path, word: str) -> list[list[str]]:
    """The rows with the word in a field, of which the field after it."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        fields = [line.rstrip("\n").split("\t") for line in lines]
    return [[row[row.index(word) + 1]] for row in fields if word in row]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_while_mail_comes_in_is_of_one_moment(
    cli: Cli, another: Cli, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    folder = tmp_path / "backup"
    cli_on_postgres = kind == "postgresql"
    if cli_on_postgres:
        _move_to(cli, request.getfixturevalue("postgres"), "files")
    store = open_store(load_settings(cli.config, {}).database)
    stop = threading.Event()
    written = 0

    def write() -> None:
        """Two rows at a time, in two tables, that belong together."""
        nonlocal written
        while not stop.is_set():
            with store.begin() as tx:
                now = datetime.now(SHANGHAI)
                tx.set_fact("left", str(written), now)
                tx.audit("甲", "test", "installation", {"text": "字" * 3000}, now)
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            before = written
            cli.good("backup", str(folder))
            assert written > before, "the writer was held up"
    finally:
        stop.set()
        writer.join()
    if cli_on_postgres:
        tables = snapshot_of(folder) / "database"
        ((left,),) = _copied(next(tables.glob("*-fact.copy.gz")), "left")
        assert len(_copied(next(tables.glob("*-audit.copy.gz")), "test")) == int(left) + 1
        return
    for stamp in Repository(folder).stamps():
        copy = folder / "snapshots" / stamp / "mailbot.db"
        with closing(sqlite3.connect(f"file:{copy}?immutable=1", uri=True)) as db:
            (left,) = db.execute("select value from fact where name = 'left'").fetchone()
            (lines,) = db.execute("select count(*) from audit where action = 'test'").fetchone()
            assert lines == int(left) + 1
            assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    another.good("restore", str(folder), "--who", "王甲")
    assert "sound" in another.good("verify")


def test_two_backups_at_once_are_refused(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    with Repository(folder).lock():
        assert "another mailbot" in cli.refused("backup", str(folder))
    cli.good("backup", str(folder))


# --- killed, or out of room, at any step


def _some(total: int, count: int) -> list[int]:
    return sorted({1 + total * n // count for n in range(count)} | {total - 1, total})


def _backup_survives(cli: Cli, folder: Path, number: int) -> None:
    killed_at(number, cli.config, "backup", str(folder))
    if (folder / "backup.json").exists() and Repository(folder).stamps():
        assert "sound" in cli.good("verify", "--backup", str(folder))
    cli.good("backup", str(folder))
    assert "sound" in cli.good("verify", "--backup", str(folder))
    assert list((folder / "tmp").iterdir()) == []


def test_a_backup_killed_at_any_step_leaves_whole_snapshots(cli: Cli, tmp_path: Path) -> None:
    total = steps_of(cli.config, "backup", str(tmp_path / "count"))
    for number in _some(total, 3):
        _backup_survives(cli, tmp_path / f"b{number}", number)


@pytest.mark.long
def test_a_backup_killed_at_many_steps(cli: Cli, tmp_path: Path) -> None:
    total = steps_of(cli.config, "backup", str(tmp_path / "count"))
    for number in range(1, total + 1, 2):
        _backup_survives(cli, tmp_path / f"b{number}", number)
        shutil.rmtree(tmp_path / f"b{number}")


def _restore_survives(cli: Cli, backup: Path, number: int, before: dict[str, list[object]]) -> None:
    again = ("restore", str(backup), "--who", "王甲")
    if killed_at(number, cli.config, *again):
        if (data(cli) / WORK).exists():
            # Half an installation must never start: it would answer all mail again.
            if cli.config.exists():
                assert "cut short" in cli.refused("once")
            cli.good(*again)
        elif not (data(cli) / "secret.key").exists():
            cli.good(*again)  # it had not begun
    assert "sound" in cli.good("verify")
    assert rows(cli) == before
    assert not (data(cli) / WORK).exists()


def _another(cli: Cli, folder: Path) -> Cli:
    return Cli(cli.capsys, cli.monkeypatch, folder / "config" / "mailbot.toml")


def test_a_restore_killed_at_any_step_goes_on(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    before = rows(cli)
    cli.good("backup", str(folder))
    counted = _another(cli, tmp_path / "count")
    total = steps_of(counted.config, "restore", str(folder), "--who", "王甲")
    for number in sorted({total // 2, *range(total - 4, total)}):
        _restore_survives(_another(cli, tmp_path / f"r{number}"), folder, number, before)


@pytest.mark.long
def test_a_restore_killed_at_many_steps(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    before = rows(cli)
    cli.good("backup", str(folder))
    counted = _another(cli, tmp_path / "count")
    total = steps_of(counted.config, "restore", str(folder), "--who", "王甲")
    for number in {*range(1, total + 1, 3), *range(total - 15, total)}:
        _restore_survives(_another(cli, tmp_path / f"r{number}"), folder, number, before)
        shutil.rmtree(tmp_path / f"r{number}")


def test_a_full_disk_at_any_step_leaves_nothing_half(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    total = steps_of(cli.config, "backup", str(folder))
    failed = 0
    for number in _some(total, 6):
        before = Repository(folder).stamps()
        with at_step(number, disk_full):
            said = cli("backup", str(folder))
        failed += said.code != 0
        assert said.code in (0, 2, 3), said  # 0: only tidying up was left, or a folder was there
        grown = Repository(folder).stamps()
        assert grown[: len(before)] == before
        if said.code == 0:
            assert len(grown) == len(before) + 1
    assert failed >= 3
    cli.good("backup", str(folder))
    assert "sound" in cli.good("verify", "--backup", str(folder))


# --- damage


def test_verify_names_what_is_damaged(cli: Cli) -> None:
    assert "sound" in cli.good("verify")
    first, second = stored(cli)[:2]
    first.write_bytes(first.read_bytes().replace(b"From", b"Form", 1))
    second.unlink()
    said = cli("verify")
    assert said.code == 1
    assert f"{first.stem}（邮件 mail:" in said.out
    assert second.stem in said.out
    assert "2 things are damaged" in said.out


def test_verify_finds_a_mail_that_must_not_be_kept(cli: Cli) -> None:
    """The raw bytes of a mail with a secrets mark."""
    raw = next(p for p in (cli.folder.parent / "mailbox").glob("*/*") if "3.test" in p.name)
    with closing(sqlite3.connect(data(cli) / "mailbot.db")) as db:
        (digest,) = db.execute(
            "select sha256 from inbound where id not in (select inbound_id from mail)"
        ).fetchone()
    path = data(cli) / "archive" / digest[:2] / digest[2:4] / f"{digest}.eml"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(raw, path)
    said = cli("verify")
    assert (said.code, "保密员" in said.out) == (1, True)


def test_verify_finds_a_table_that_lost_its_guard(cli: Cli) -> None:
    with closing(sqlite3.connect(data(cli) / "mailbot.db")) as db:
        db.execute("drop trigger audit_no_update")
        db.commit()
    said = cli("verify")
    assert (said.code, "audit" in said.out) == (1, True)


def test_a_damaged_mail_does_not_stop_the_backup_of_the_others(
    cli: Cli, another: Cli, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    bad = stored(cli)[0]
    good = bad.read_bytes()
    bad.write_bytes(b"rubbish")
    said = cli("backup", str(folder))
    assert (said.code, bad.stem in said.err) == (1, True)
    assert cli("verify", "--backup", str(folder)).code == 1
    restored = another("restore", str(folder), "--who", "王甲")
    assert (restored.code, bad.stem in restored.err) == (0, True)
    assert another("verify").code == 1
    assert "lacks 1" in cli("backup", "--check").out
    assert cli("backup", "--check").code == 1, "no whole one was ever made"
    bad.write_bytes(good)
    cli.good("backup", str(folder))
    assert "sound" in cli.good("verify", "--backup", str(folder)), "the next one has it"
    assert "lacks" not in cli.good("backup", "--check")
    bad.unlink()
    assert cli("backup", str(tmp_path / "elsewhere")).code == 1
    said = cli("backup", "--check")
    assert (said.code, "lacks 1" in said.out) == (1, True), "the one before was whole; this is not"
    assert "缺 1 封来信的原件" in cli("health").out


def _drop_manifest(snapshot: Path) -> None:
    (snapshot / "manifest.json").unlink()


def _break_database(snapshot: Path) -> None:
    path = snapshot / "mailbot.db"
    raw = bytearray(path.read_bytes())
    raw[5000] ^= 1
    path.write_bytes(raw)


def _lose_secret(snapshot: Path) -> None:
    (snapshot / "secret.key").unlink()


def _add_file(snapshot: Path) -> None:
    (snapshot / "config" / "offices" / "otog" / "more.toml").write_text("")


def _cut_manifest(snapshot: Path) -> None:
    path = snapshot / "manifest.json"
    path.write_bytes(path.read_bytes()[:200])


def _change(snapshot: Path, **values: object) -> None:
    path = snapshot / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _newer_format(snapshot: Path) -> None:
    _change(snapshot, format=99)


def _lead_elsewhere(snapshot: Path) -> None:
    files = json.loads((snapshot / "manifest.json").read_text())["files"]
    _change(snapshot, files={**files, "../../evil": "0" * 64})


@pytest.mark.parametrize(
    "hurt",
    [
        _drop_manifest,
        _break_database,
        _lose_secret,
        _add_file,
        _cut_manifest,
        _newer_format,
        _lead_elsewhere,
    ],
)
def test_a_damaged_snapshot_is_told_and_not_restored(
    cli: Cli, another: Cli, tmp_path: Path, hurt: Callable[[Path], None]
) -> None:
    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    hurt(snapshot_of(folder))
    assert cli("verify", "--backup", str(folder)).code == 1
    another.refused("restore", str(folder), "--who", "王甲")
    assert not data(another).exists()
    assert not another.config.exists()
    cli.good("backup", str(folder))
    another.good("restore", str(folder), "--who", "王甲")


def test_a_backup_of_a_newer_mailbot_is_refused(cli: Cli, another: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    _change(snapshot_of(folder), schema="9999")
    assert "newer mailbot" in another.refused("restore", str(folder), "--who", "王甲")


def test_a_damaged_mail_in_the_backup_is_copied_again_once_moved_away(
    cli: Cli, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    bad = next(folder.glob("archive/??/??/*.eml"))
    bad.write_bytes(b"rubbish")
    said = cli("verify", "--backup", str(folder))
    assert (said.code, str(bad) in said.out) == (1, True)
    bad.unlink()
    assert "1 of them new" in cli.good("backup", str(folder))
    assert "sound" in cli.good("verify", "--backup", str(folder))


def test_rights_for_others_are_told(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    snapshot_of(folder).chmod(0o755)
    said = cli("verify", "--backup", str(folder))
    assert (said.code, "chmod 700" in said.out) == (1, True)


# --- wrong places


def test_foreign_folders_are_left_alone(cli: Cli, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine")
    cli.refused("backup", str(foreign))
    cli.refused("verify", "--backup", str(foreign))
    cli.refused("restore", str(foreign), "--who", "王甲")
    cli.refused("verify", "--backup", str(tmp_path / "nowhere"))
    cli.refused("backup", str(data(cli) / "backup"))
    cli.refused("backup")
    assert [p.name for p in foreign.iterdir()] == ["letter.txt"]


def test_two_installations_do_not_share_a_backup_folder(
    cli: Cli, another: Cli, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    (data(cli) / "secret.key").write_text("ab" * 32 + "\n")
    assert "another installation" in cli.refused("backup", str(folder))
    # The one that was restored from it goes on with it.
    another.good("restore", str(folder), "--who", "王甲")
    another.good("backup", str(folder))


def test_a_restore_never_overwrites(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    database = (data(cli) / "mailbot.db").read_bytes()
    assert "not empty" in cli.refused("restore", str(folder), "--who", "王甲")
    assert (data(cli) / "mailbot.db").read_bytes() == database
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "notes.txt").write_text("mine")
    cli.refused("restore", str(folder), "--into", str(elsewhere), "--who", "王甲")
    (elsewhere / "notes.txt").unlink()
    (elsewhere / "secret").mkdir()  # codes put back beforehand
    said = cli.good("restore", str(folder), "--into", str(elsewhere), "--who", "王甲")
    assert "data_dir" in said


def test_a_restore_keeps_off_a_running_mailbot(cli: Cli, tmp_path: Path) -> None:
    from mailbot.bootstrap import only_one

    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    empty = tmp_path / "empty"
    with only_one(empty):
        cli.refused("restore", str(folder), "--into", str(empty), "--who", "王甲")


# --- PostgreSQL


def _move_to(cli: Cli, url: str, archive: str) -> None:
    shutil.rmtree(data(cli))
    shutil.rmtree(cli.folder.parent / "outbox")
    text = cli.config.read_text("utf-8")
    cli.config.write_text(f'database_url = "{url}"\narchive = "{archive}"\n{text}', "utf-8")
    for path in (cli.folder.parent / "mailbox" / "cur").iterdir():
        path.rename(cli.folder.parent / "mailbox" / "new" / path.name.split(":")[0])
    cli.good("once")


@pytest.mark.parametrize("archive", ["files", "database"])
def test_there_and_back_on_postgresql(
    cli: Cli, another: Cli, tmp_path: Path, postgres: str, postgres_server: object, archive: str
) -> None:
    from tests.servers.postgres import Postgres

    assert isinstance(postgres_server, Postgres)
    _move_to(cli, postgres, archive)
    folder = tmp_path / "backup"
    before = rows(cli)
    cli.good("backup", str(folder))
    assert "sound" in cli.good("verify", "--backup", str(folder))
    assert "not empty" in another.refused("restore", str(folder), "--who", "王甲")
    fresh = postgres_server.new_database()
    another.config.write_text(another.config.read_text("utf-8").replace(postgres, fresh), "utf-8")
    try:
        another.good("restore", str(folder), "--who", "王甲")
        assert "sound" in another.good("verify")
        assert rows(another) == before
        # Numbers go on after those that came back.
        (another.folder.parent / "mailbox").mkdir()
        for part in ("new", "cur", "tmp"):
            (another.folder.parent / "mailbox" / part).mkdir()
        (another.folder.parent / "mailbox" / "new" / "9.test").write_bytes(
            mail("统计局+经济运行分析+孙七+13800000004", body="一季度经济运行平稳。" * 30)
        )
        another.good("once")
        assert "sound" in another.good("verify")
        another.refused("restore", str(folder), "--who", "王甲")
    finally:
        postgres_server.drop_database(fresh)


@pytest.mark.long
def test_a_restore_into_postgresql_killed_at_any_step_goes_on(
    cli: Cli, tmp_path: Path, postgres: str, postgres_server: object
) -> None:
    from tests.servers.postgres import Postgres

    assert isinstance(postgres_server, Postgres)
    _move_to(cli, postgres, "files")
    folder = tmp_path / "backup"
    before = rows(cli)
    cli.good("backup", str(folder))

    def empty(name: str) -> tuple[Cli, str]:
        target = _another(cli, tmp_path / name)
        fresh = postgres_server.new_database()
        shutil.copytree(cli.folder, target.folder)
        target.config.write_text(cli.config.read_text("utf-8").replace(postgres, fresh), "utf-8")
        return target, fresh

    counted, fresh = empty("count")
    total = steps_of(counted.config, "restore", str(folder), "--who", "王甲")
    postgres_server.drop_database(fresh)
    for number in range(total - 4, total):
        target, fresh = empty(f"r{number}")
        _restore_survives(target, folder, number, before)
        postgres_server.drop_database(fresh)


# --- retention


def _keep_for(cli: Cli, **days: int) -> None:
    office = cli.folder / "offices" / "otog" / "office.toml"
    lines = "".join(f"{key} = {value}\n" for key, value in days.items())
    office.write_text(office.read_text("utf-8") + f"\n[retention]\n{lines}", "utf-8")


def _age(cli: Cli, days: int) -> None:
    """Everything came so many days earlier, and nothing waits for anybody."""
    with closing(sqlite3.connect(data(cli) / "mailbot.db")) as db:
        db.execute(
            "update inbound set received = strftime('%Y-%m-%d %H:%M:%f000', received, ?)",
            (f"-{days} days",),
        )
        db.execute("update item set state = 'duplicate'")
        db.execute("update task set done_at = created")
        db.execute("update outbox set state = 'sent'")
        db.commit()


def test_retention_shows_and_removes_only_when_confirmed(
    cli: Cli, another: Cli, tmp_path: Path
) -> None:
    assert "for ever" in cli.good("retention")
    folder = tmp_path / "backup"
    cli.good("backup", str(folder))
    _keep_for(cli, mail_days=365, content_days=400)
    assert "0 due" in cli.good("retention")
    _age(cli, 380)
    files = stored(cli)
    said = cli.good("retention")
    assert "raw mail, kept 365 days: 4 due" in said
    assert "text as read, kept 400 days: 0 due" in said
    assert "Nothing was removed" in said
    assert stored(cli) == files
    assert "4 raw mails removed" in cli.good("retention", "--confirm", "--who", "王甲")
    assert stored(cli) == []
    assert "removed on" in cli.good("show", "mail:1")
    assert "sound" in cli.good("verify")
    _age(cli, 30)
    assert "4 texts wiped" in cli.good("retention", "--confirm", "--who", "王甲")
    with closing(sqlite3.connect(data(cli) / "mailbot.db")) as db:
        assert db.execute("select count(*) from mail").fetchone() == (0,)
        assert db.execute("select count(*) from item_version").fetchone() != (0,)
        assert db.execute("select count(*) from decision").fetchone() == (5,)
        assert (
            db.execute("select who from audit where action = 'retention'").fetchall()
            == [("王甲",)] * 2
        )
    assert "removed on" in cli.good("show", "mail:1")
    assert "sound" in cli.good("verify")
    cli.good("replay")
    # A backup made now wants none of them; one made before still has them.
    assert "0 mails" in cli.good("backup", str(folder))
    another.good("restore", str(folder), "--who", "王甲")
    assert "sound" in another.good("verify")
    cli.refused("retention", "--confirm", "--who", "mailbot")


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)])
def test_retention_killed_at_any_step_is_finished_by_the_next(
    cli: Cli, tmp_path: Path, every: bool
) -> None:
    _keep_for(cli, mail_days=365, content_days=365)
    _age(cli, 380)
    args = ("retention", "--confirm", "--who", "王甲")
    copied = tmp_path / "count"
    shutil.copytree(cli.folder.parent, copied)
    total = steps_of(copied / "config" / "mailbot.toml", *args)
    assert total > 8
    for number in range(1, total + 1) if every else (total - 5, total - 2):
        target = _another(cli, tmp_path / f"k{number}")
        shutil.copytree(cli.folder.parent, target.folder.parent)
        killed_at(number, target.config, *args)
        target.good(*args)
        assert stored(target) == []
        assert "sound" in target.good("verify")
        shutil.rmtree(target.folder.parent)
