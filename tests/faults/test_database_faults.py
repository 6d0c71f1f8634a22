"""Faults R2 and R3: the database locked, away, in the middle of a restart; read-only or damaged."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.db.engine import open_store
from mailbot.app.errors import OperatorFault, Retryable
from tests.faults.maildir_office import MaildirOffice
from tests.integration.daemon_help import environment, submission, until
from tests.integration.intake_help import NOON, World
from tests.integration.test_intake import final, mailbag
from tests.servers.postgres import Postgres, database_name

SHORT = 0.2
"""Seconds a program waits here for a locked file; else it is half a minute."""


def filled_world(root: Path, url: str) -> World:
    root.mkdir(exist_ok=True)
    world = World(root, store=open_store(url))
    for raw in mailbag():
        world.box.put(raw, NOON)
    return world


@pytest.fixture
def wanted(tmp_path: Path) -> dict[str, Any]:
    """What an undisturbed pass leaves."""
    world = filled_world(tmp_path / "undisturbed", f"sqlite:///{tmp_path}/undisturbed.db")
    world.run()
    found = final(world)
    world.store.close()
    return found


def attempts(world: World) -> set[int]:
    return {row.attempts for row in world.rows("select attempts from inbound")}


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another program is writing."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


# --- R2: a while without the database


@pytest.mark.parametrize("moment", ["search", "envelopes", "fetch", "settle"])
def test_r2_a_pass_that_meets_a_locked_file_is_repeated_as_a_whole(
    tmp_path: Path, wanted: dict[str, Any], moment: str
) -> None:
    file = tmp_path / "mailbot.db"
    world = filled_world(tmp_path / "office", f"sqlite:///{file}?timeout={SHORT}")
    other = sqlite3.connect(file, isolation_level=None)
    held: list[str] = []

    def hold(what: str) -> None:
        if what == moment and not held:
            other.execute("BEGIN IMMEDIATE")
            held.append(what)

    world.box.hurt = hold
    for _ in range(3):
        with pytest.raises(Retryable) as caught:
            world.run()
        assert (caught.value.code, caught.value.systemic) == ("database_locked", True)
    other.execute("ROLLBACK")
    other.close()
    world.run()
    assert final(world) == wanted
    assert attempts(world) == {1}, "it was no mail's fault"
    world.store.close()


@pytest.mark.parametrize("moment", ["search", "envelopes", "fetch", "settle"])
def test_r2_a_pass_goes_on_after_a_restart_of_the_server(
    tmp_path: Path,
    wanted: dict[str, Any],
    moment: str,
    postgres_server: Postgres,
    postgres_ready: str,
) -> None:
    """A crash of it in the middle of a pass: each connection is dead, and some of a transaction."""
    postgres_server.empty(postgres_ready)
    world = filled_world(tmp_path / "office", postgres_ready)
    hurt: list[str] = []

    def crash(what: str) -> None:
        if what == moment and not hurt:
            hurt.append(what)
            postgres_server.restart("immediate")

    world.box.hurt = crash
    for _ in range(2):
        try:
            world.run()
        except Retryable as fault:
            assert (fault.code, fault.systemic) == ("database_down", True)
    assert hurt
    world.run()
    assert final(world) == wanted
    assert attempts(world) == {1}, "it was no mail's fault"
    world.store.close()


def test_r2_a_transaction_the_server_broke_off_is_rolled_back_as_a_whole(
    postgres_server: Postgres, postgres_ready: str
) -> None:
    postgres_server.empty(postgres_ready)
    store = open_store(postgres_ready)
    world_rows = "select count(*) from audit"
    with pytest.raises(Retryable) as caught, store.begin() as tx:
        tx.audit("王五", "look", "item:1", {}, NOON)
        postgres_server.restart("fast")
        tx.audit("王五", "look", "item:2", {}, NOON)
    assert (caught.value.code, caught.value.systemic) == ("database_down", True)
    with store.snapshot() as db:
        assert db.exec_driver_sql(world_rows).scalar_one() == 0
    with store.begin() as tx:
        tx.audit("王五", "look", "item:1", {}, NOON)
    with store.snapshot() as db:
        assert db.exec_driver_sql(world_rows).scalar_one() == 1
    store.close()


def test_r2_a_restart_between_two_transactions_is_not_noticed(
    postgres_server: Postgres, postgres_ready: str
) -> None:
    store = open_store(postgres_ready)
    with store.reading() as first, store.reading() as second:
        assert first.pending("box") == second.pending("box")  # two connections in the pool
    postgres_server.restart("fast")
    for _ in range(3):
        with store.reading() as reads:
            reads.pending("box")
    store.close()


class Daemon:
    """`mailbot run` over a Maildir."""

    def __init__(self, folder: Path, url: str) -> None:
        self.office = MaildirOffice(folder, extra=f'poll_seconds = 1\ndatabase_url = "{url}"')
        self.log = folder / "log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mailbot", "--config", str(self.office.config), "run"],
                stdout=log,
                stderr=log,
                env=environment(),
            )

    def put(self, *numbers: int) -> None:
        for number in numbers:
            raw = submission(number, sender=f"liaison{number}@example.net")
            self.office.put(str(number), raw)

    def until_answered(self, count: int) -> None:
        until(lambda: len(self.office.letters()) >= count, f"{count} answers", self.log)

    def recipients(self) -> Counter[str]:
        return Counter(map(_to, self.office.letters()))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def _to(letter: Message) -> str:
    return str(letter["To"])


@pytest.fixture
def daemons() -> Iterator[list[Daemon]]:
    started: list[Daemon] = []
    yield started
    for one in started:
        one.process.kill()
        one.process.wait()


def test_r2_a_daemon_goes_on_by_itself_after_the_file_was_locked(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    file = tmp_path / "mailbot.db"
    open_store(f"sqlite:///{file}").close()
    daemon = Daemon(tmp_path / "office", f"sqlite:///{file}?timeout={SHORT}")
    daemons.append(daemon)
    daemon.put(*range(3))
    daemon.until_answered(3)
    with locked(file):
        daemon.put(*range(3, 6))
        until(lambda: "holds the database" in _said(daemon), "the trouble was told", daemon.log)
        assert len(daemon.office.letters()) == 3
    daemon.until_answered(6)
    assert daemon.stop() == 0
    assert daemon.recipients() == {f"liaison{n}@example.net": 1 for n in range(6)}
    assert len(daemon.office.items()) == 6


def test_r2_a_daemon_goes_on_by_itself_after_the_server_was_away(
    tmp_path: Path, daemons: list[Daemon], postgres_server: Postgres, postgres_ready: str
) -> None:
    postgres_server.empty(postgres_ready)
    daemon = Daemon(tmp_path / "office", postgres_ready)
    daemons.append(daemon)
    daemon.put(*range(6))
    daemon.until_answered(1)
    postgres_server.restart("immediate")
    daemon.put(*range(6, 9))
    daemon.until_answered(9)
    postgres_server.stop("immediate")
    daemon.put(*range(9, 12))
    until(lambda: "does not answer" in _said(daemon), "the trouble was told", daemon.log)
    postgres_server.start()
    daemon.until_answered(12)
    assert daemon.stop() == 0
    assert daemon.recipients() == {f"liaison{n}@example.net": 1 for n in range(12)}
    items = daemon.office.items()
    assert len({i["receipt"] for i in items}) == len(items) == 12


def _said(daemon: Daemon) -> str:
    return daemon.log.read_text("utf-8", "replace")


# --- R3: a database that cannot be used


def _damaged_header(file: Path) -> None:
    raw = file.read_bytes()
    file.write_bytes(b"\x00" * 16 + raw[16:])


def _read_only(file: Path) -> None:
    """By the write version in its header (SQLite file format, 1.3.3): modes do not stop root."""
    raw = bytearray(file.read_bytes())
    raw[18] = 3
    file.write_bytes(raw)


def _cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:10_000])


@pytest.mark.parametrize(
    ("command", "damage"),
    [("once", _damaged_header), ("once", _read_only), ("run", _cut_short)],
)
def test_r3_an_unusable_file_is_refused_and_the_mailbox_left_alone(
    tmp_path: Path, command: str, damage: Callable[[Path], None]
) -> None:
    office = MaildirOffice(tmp_path)
    file = office.data / "mailbot.db"
    open_store(f"sqlite:///{file}").close()
    damage(file)
    before = file.read_bytes()
    mail = office.put("1", submission(1))
    done = office.run(command)
    assert done.returncode == 2, done.stderr.decode()
    said = done.stderr.decode()
    assert str(file) in said.replace("\n", "") and "→" in said
    assert "Traceback" not in said
    assert mail.exists() and office.mails() == ["1.test"] and office.letters() == []
    assert file.read_bytes() == before


def refusal(url: str) -> str:
    with pytest.raises(OperatorFault) as caught:
        open_store(url)
    (fault,) = caught.value.faults
    assert fault.remedy, "it says what to do"
    return f"{fault.found} → {fault.remedy}"


def test_r3_a_server_that_is_away_is_told(postgres_server: Postgres, postgres_ready: str) -> None:
    postgres_server.stop()
    assert "start the database server" in refusal(postgres_ready).lower()
    postgres_server.start()
    open_store(postgres_ready).close()


def test_r3_a_database_or_role_that_is_not_there_is_told(
    postgres_server: Postgres, postgres_ready: str
) -> None:
    assert "no_such_db" in refusal(postgres_server.url("no_such_db"))
    assert "nobody" in refusal(postgres_server.url(database_name(postgres_ready), "nobody"))


def test_r3_a_database_that_may_only_be_read_is_told(
    postgres_server: Postgres, postgres: str
) -> None:
    open_store(postgres).close()
    name = database_name(postgres)
    postgres_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "read-only" in refusal(postgres)
    postgres_server.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    postgres_server.execute("REVOKE UPDATE ON alembic_version FROM mailbot", name)
    assert "owner" in refusal(postgres)


def test_r3_a_database_that_cannot_hold_chinese_text_is_told(postgres_server: Postgres) -> None:
    name = "in_latin1"
    postgres_server.execute(
        f"CREATE DATABASE {name} OWNER mailbot ENCODING 'LATIN1' LOCALE_PROVIDER libc "
        "LOCALE 'C' TEMPLATE template0"
    )
    url = postgres_server.url(name)
    assert re.search(r"LATIN1.*UTF8", refusal(url))
    postgres_server.drop_database(url)


def test_r3_no_connection_left_is_told(postgres_server: Postgres, postgres_ready: str) -> None:
    postgres_server.execute("ALTER ROLE mailbot CONNECTION LIMIT 0")
    try:
        assert "connections" in refusal(postgres_ready)
    finally:
        postgres_server.execute("ALTER ROLE mailbot CONNECTION LIMIT -1")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("timezone", "'Asia/Shanghai'"),
        ("synchronous_commit", "off"),
        ("default_transaction_isolation", "'serializable'"),
    ],
)
def test_what_the_role_is_set_to_does_not_matter(
    postgres_server: Postgres, postgres_ready: str, setting: str, value: str
) -> None:
    postgres_server.execute(f"ALTER ROLE mailbot SET {setting} = {value}")
    try:
        store = open_store(postgres_ready)
        with store.writing() as db:
            found = [
                db.exec_driver_sql(f"SHOW {name}").scalar_one()
                for name in ("timezone", "synchronous_commit", "transaction_isolation")
            ]
        store.close()
    finally:
        postgres_server.execute(f"ALTER ROLE mailbot RESET {setting}")
    assert found == ["UTC", "on", "read committed"]
