"""Whether a machine belongs to the installation: one secret, one archive."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from mailbot.adapters.db.archive import DbArchive
from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.installation import (
    NAME_FILE,
    _named,
    accept_secret,
    check_installation,
    open_archive,
    print_of,
)
from mailbot.adapters.settings.model import Settings
from mailbot.adapters.signing import load_or_create_secret
from mailbot.app.errors import OperatorFault, Permanent
from mailbot.cli import main
from tests.unit.store_help import NOON

SECRET = bytes(range(32))
RAW = b"Subject: x\r\n\r\nx\r\n"
DIGEST = hashlib.sha256(RAW).hexdigest()


@pytest.fixture
def store(postgres: str) -> Iterator[SqlStore]:
    opened = open_store(postgres)
    yield opened
    opened.close()


def host(folder: Path, archive: str = "files") -> Settings:
    folder.mkdir(exist_ok=True)
    given = {"data_dir": folder, "config_dir": folder, "templates_dir": folder}
    return Settings.model_validate({**given, "archive": archive, "max_mail_mb": 1})


def check(store: SqlStore, settings: Settings, secret: bytes = SECRET) -> None:
    check_installation(settings, store, secret, NOON)


def test_the_first_start_says_what_holds_and_the_same_machine_starts_again(
    store: SqlStore, tmp_path: Path
) -> None:
    for _ in range(2):
        check(store, host(tmp_path / "a"))


def test_another_secret_or_another_archive_is_refused(store: SqlStore, tmp_path: Path) -> None:
    check(store, host(tmp_path / "a"))
    with pytest.raises(OperatorFault) as refusal:
        check(store, host(tmp_path / "b"), bytes(32))
    first, second = refusal.value.faults
    assert first.where.endswith("secret.key") and "secret_file" in first.remedy
    assert second.where.endswith("archive") and "database" in second.remedy


def test_nothing_can_be_told_of_the_secret_from_what_is_written_down(
    store: SqlStore, tmp_path: Path
) -> None:
    check(store, host(tmp_path / "a"))
    with store.reading() as reads:
        print_ = reads.fact("secret")
    assert len(print_) == 16
    assert print_ not in (SECRET.hex()[:16], hashlib.sha256(SECRET).hexdigest()[:16])


def test_machines_with_the_archive_in_the_database_need_no_folder(
    store: SqlStore, tmp_path: Path
) -> None:
    check(store, host(tmp_path / "a", "database"))
    check(store, host(tmp_path / "b", "database"))
    with pytest.raises(OperatorFault, match="database"):
        check(store, host(tmp_path / "c"))


def test_who_keeps_the_mail_moves_it_into_the_database_and_the_others_follow(
    store: SqlStore, tmp_path: Path
) -> None:
    check(store, host(tmp_path / "a"))
    open_archive(host(tmp_path / "a"), store).put([(DIGEST, RAW)])
    with pytest.raises(OperatorFault, match="another machine"):
        check(store, host(tmp_path / "b", "database"))
    check(store, host(tmp_path / "a", "database"))
    check(store, host(tmp_path / "b", "database"))
    assert open_archive(host(tmp_path / "b", "database"), store).get(DIGEST) == RAW


def test_a_database_file_is_not_asked(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/mailbot.db")
    for secret in (SECRET, bytes(32)):
        check(store, host(tmp_path / "a"), secret)
    with store.reading() as reads:
        assert reads.fact("secret") == ""


# --- several first starts at once


def at_once(count: int, start: Callable[[int], None]) -> list[BaseException]:
    """What went wrong in so many threads that begin at the same moment."""
    ready, wrong = threading.Barrier(count), []

    def one(number: int) -> None:
        ready.wait(60)
        try:
            start(number)
        except BaseException as fault:
            wrong.append(fault)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return wrong


def test_machines_that_start_first_at_the_same_moment_agree(postgres: str, tmp_path: Path) -> None:
    """On an empty database, with a secret that is not there yet, and a new folder they share."""

    def start(_number: int) -> None:
        settings = host(tmp_path / "shared")
        opened = open_store(postgres)
        try:
            check(opened, settings, load_or_create_secret(tmp_path / "secret.key"))
        finally:
            opened.close()

    assert at_once(5, start) == []
    assert len(list((tmp_path / "shared" / "archive").iterdir())) == 1


def test_an_archive_is_named_once(tmp_path: Path) -> None:
    for turn in range(20):
        folder, names = tmp_path / f"{turn}", []
        assert at_once(4, lambda _n, folder=folder, names=names: names.append(_named(folder))) == []
        assert set(names) == {(folder / NAME_FILE).read_text().strip()}
        assert [path.name for path in folder.iterdir()] == [NAME_FILE]


# --- a secret that is lost


def test_another_secret_counts_once_somebody_says_so(store: SqlStore, tmp_path: Path) -> None:
    check(store, host(tmp_path / "a", "database"))
    before, after = accept_secret(store, bytes(32), 30, "王甲", NOON)
    assert (before, after) == (print_of(SECRET), print_of(bytes(32)))
    check(store, host(tmp_path / "a", "database"), bytes(32))
    with pytest.raises(OperatorFault, match="new-secret"):
        check(store, host(tmp_path / "b", "database"))
    assert accept_secret(store, bytes(32), 30, "王甲", NOON) == (after, after)
    with store.snapshot() as db:
        told = db.execute(text("SELECT who, action, detail FROM audit")).all()
    assert [(row.who, row.action) for row in told] == [("王甲", "secret.replaced")]
    assert json.loads(told[0].detail) == {"before": before, "after": after}


def test_not_while_a_machine_signs_with_the_old_one(store: SqlStore, tmp_path: Path) -> None:
    check(store, host(tmp_path / "a", "database"))
    working = store.leases(30)
    working.beat()
    with pytest.raises(OperatorFault, match="stop mailbot on every machine"):
        accept_secret(store, bytes(32), 30, "王甲", NOON)
    check(store, host(tmp_path / "a", "database"))
    working.leave()
    accept_secret(store, bytes(32), 30, "王甲", NOON)


def test_the_command_for_it(
    postgres: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "mailbot.toml").write_text(
        f'data_dir = "data"\ndatabase_url = "{postgres}"\narchive = "database"\n'
        '[[mailboxes]]\nname = "box"\nkind = "maildir"\nmaildir = "box"\noffices = ["otog"]\n'
        'address = "box@example.org"\noutgoing.outbox = "out"\n'
    )

    def said(*words: str) -> tuple[int, str]:
        command = ["mailbot", "--config", str(tmp_path / "mailbot.toml"), "--lang", "en", *words]
        monkeypatch.setattr(sys, "argv", command)
        code = main()
        told = capsys.readouterr()
        return code, told.out + told.err

    assert said("tasks")[0] == 0
    (tmp_path / "data" / "secret.key").unlink()
    code, told = said("tasks")
    assert code == 2 and "mailbot new-secret" in told
    code, told = said("new-secret", "--who", "王甲", "--yes")
    assert code == 0 and "no longer known as ours" in told and "Copy" in told
    assert said("tasks")[0] == 0
    assert "Nothing was changed" in said("new-secret", "--who", "王甲", "--yes")[1]


# --- the archive in the database, on both kinds


@pytest.fixture
def archive(database: str) -> Iterator[DbArchive]:
    opened = open_store(database)
    yield DbArchive(opened.writing, opened.snapshot)
    opened.close()


def test_what_was_put_is_there_once(archive: DbArchive) -> None:
    other = bytes(range(256)) * 50_000  # more than one transaction takes
    pairs = [(DIGEST, RAW), (hashlib.sha256(other).hexdigest(), other), (DIGEST, RAW)]
    archive.put(pairs)
    archive.put(pairs)
    assert archive.get(DIGEST) == RAW
    assert archive.get(pairs[1][0]) == other
    assert list(archive.digests()) == sorted({sha for sha, _ in pairs})
    assert DIGEST in archive and "0" * 64 not in archive
    archive.remove(DIGEST)
    archive.remove(DIGEST)
    with pytest.raises(KeyError):
        archive.get(DIGEST)


def test_wrong_bytes_are_neither_taken_nor_given(archive: DbArchive, database: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        archive.put([(DIGEST, RAW + b"!")])
    archive.put([(DIGEST, RAW)])
    store = open_store(database)
    with store.writing() as db:
        db.exec_driver_sql(
            "UPDATE raw SET raw = CAST('y' AS BLOB)"
            if "sqlite" in database
            else "UPDATE raw SET raw = 'y'"
        )
    store.close()
    with pytest.raises(Permanent, match="damaged"):
        archive.get(DIGEST)
