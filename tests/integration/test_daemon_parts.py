"""The daemon's parts in this process: what they put on the board and take off again, and how two
mailboxes of one office, or a dead worker's letters, are dealt with."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from mailbot.adapters.db.leases import SqlLeases
from mailbot.adapters.settings.model import load_settings
from mailbot.app import deliver
from mailbot.app.board import Board
from mailbot.bootstrap import Office, open_office
from mailbot.daemon import Daemon, reading, sending
from tests.integration.daemon_help import submission, until
from tests.servers.postgres import Postgres
from tests.servers.smtp_sink import SmtpSink, free_port
from tests.unit.store_help import NOON, letter

BOX = """
[[mailboxes]]
name = "{name}"
kind = "maildir"
maildir = "{name}"
offices = ["otog"]
address = "{name}@example.org"
"""
DROPPED = 'outgoing.outbox = "out"\n'
SENT = """
[mailboxes.outgoing]
smtp = {{ host = "127.0.0.1", port = {port}, security = "plain", login = false, pace_seconds = 0 }}
"""
QUICK = 0.1


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # only the main thread may
    monkeypatch.setattr(deliver, "_CONNECT_REST", (QUICK,) * 5)
    monkeypatch.setattr(sending, "TICK", QUICK)
    monkeypatch.setattr(sending, "LOOK", QUICK)
    for module in (reading, sending):
        backoff = module.Backoff
        monkeypatch.setattr(module, "Backoff", lambda backoff=backoff: backoff(QUICK, 2 * QUICK))


def office(folder: Path, url: str, boxes: list[str], outgoing: str = DROPPED) -> Office:
    head = f'data_dir = "data"\ndatabase_url = "{url}"\nlease_seconds = 2\npoll_seconds = 1\n'
    head += "answer_max_age_hours = 1000000\n"
    for name in boxes:
        head += BOX.format(name=name) + outgoing
        for part in ("cur", "new", "tmp"):
            (folder / name / part).mkdir(parents=True)
    (folder / "mailbot.toml").write_text(head, "utf-8")
    return open_office(load_settings(folder / "mailbot.toml", {}))


@contextmanager
def running(made: Office) -> Iterator[Daemon]:
    daemon = Daemon(made, board=Board())
    daemon.jobs.clear()
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        yield daemon
    finally:
        daemon.stop.set()
        thread.join(60)
        assert not thread.is_alive()


def put(folder: Path, box: str, number: int) -> None:
    mail = submission(number, sender=f"liaison{number}@example.net")
    (folder / box / "tmp" / f"{number}.mail").write_bytes(mail)
    (folder / box / "tmp" / f"{number}.mail").rename(folder / box / "new" / f"{number}.mail")


def on(daemon: Daemon, key: str) -> Callable[[], bool]:
    return lambda: key in daemon.board.troubles()


def off(daemon: Daemon) -> Callable[[], bool]:
    return lambda: not daemon.board.troubles()


def test_a_mailbox_that_is_away_is_on_the_board_until_it_is_back(
    tmp_path: Path, postgres: str
) -> None:
    with running(office(tmp_path, postgres, ["box"])) as daemon:
        (tmp_path / "box").rename(tmp_path / "away")
        until(on(daemon, "mailbox:box"), "the trouble")
        assert "收不了信" in daemon.board.troubles()["mailbox:box"].text
        (tmp_path / "away").rename(tmp_path / "box")
        until(off(daemon), "its end")


def test_a_delivery_that_is_refused_is_on_the_board_until_it_works(
    tmp_path: Path, postgres: str
) -> None:
    port = free_port()
    made = office(tmp_path, postgres, ["box"], SENT.format(port=port))
    with running(made) as daemon:
        put(tmp_path, "box", 1)
        until(on(daemon, "delivery:box@example.org"), "the trouble")
        assert "box@example.org" in daemon.board.troubles()["delivery:box@example.org"].text
        with SmtpSink(port=port) as sink:
            until(lambda: len(sink.letters) == 1, "the letter")
            until(off(daemon), "its end")


def test_a_database_that_is_away_is_on_the_board_until_it_is_back(
    tmp_path: Path, postgres_server: Postgres, postgres: str
) -> None:
    made = office(tmp_path, postgres, ["box"])
    with running(made) as daemon:
        until(lambda: daemon.keeper.has("mailbox:box"), "the mailbox")
        postgres_server.stop("immediate")
        until(on(daemon, "database"), "the trouble")
        assert list(daemon.board.troubles()) == ["database"], (
            "and not the mailbox's or the sender's"
        )
        put(tmp_path, "box", 1)
        postgres_server.start()
        until(off(daemon), "its end")
        until(lambda: made.store.outbox.counts() == {"sent": 1}, "the answer")


def test_a_dead_workers_letters_after_the_dot_become_uncertain(
    tmp_path: Path, postgres: str
) -> None:
    """And are looked for. Not at the takeover, while it may still read the answer; once it is given
    up for dead."""
    made = office(tmp_path, postgres, ["box"])
    dead = SqlLeases(made.store.writing, "dead", 2)
    dead.beat()
    lease = dead.acquire("mailbox:box")
    assert lease is not None
    with made.store.begin() as tx:
        tx.queue(letter(1, sender="box@example.org"), NOON)
        tx.queue(letter(2, sender="box@example.org"), NOON)
    outbox = made.store.under(lease).outbox
    for _ in range(2):
        taken = outbox.claim(NOON, ["box@example.org"])
        assert taken is not None
    outbox.dot(taken.id, NOON)
    with running(made) as daemon:
        until(lambda: daemon.keeper.has("mailbox:box"), "the takeover")
        until(lambda: made.store.outbox.counts().get("sent") == 1, "what was before its dot")
        assert made.store.outbox.counts().get("dot") == 1
        # In the outbox folder it is not to be found: it goes once more.
        until(lambda: made.store.outbox.counts() == {"sent": 2}, "the end of the dead")
    with made.store.snapshot() as db:
        copies = list(db.scalars(text("SELECT copies FROM outbox ORDER BY id")))
    assert copies == [0, 1]


def test_the_same_mail_in_two_mailboxes_of_one_office_is_one_item(
    tmp_path: Path, postgres: str
) -> None:
    """Both are read at the same moment, again and again."""
    made = office(tmp_path, postgres, ["one", "two"])
    rounds, each = 5, 8
    boxes = made.settings.mailboxes
    intakes = [(made.intake(box), made.source(box)) for box in boxes]
    started = threading.Barrier(len(boxes))
    faults: list[object] = []

    def read(number: int) -> None:
        intake, source = intakes[number]
        started.wait(60)
        faults.extend(intake.run_pass(source).faults)

    try:
        for turn in range(rounds):
            for number in range(turn * each, (turn + 1) * each):
                for box in boxes:
                    put(tmp_path, box.name, number)
            threads = [threading.Thread(target=read, args=(n,)) for n in range(len(boxes))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
    finally:
        for intake, source in intakes:
            source.close()
            intake.reader.close()
    assert faults == []
    with made.store.snapshot() as db:
        count = db.scalar(text("SELECT count(*) FROM item"))
        decided = Counter(db.scalars(text("SELECT decision FROM inbound")))
        answers = db.scalar(text("SELECT count(*) FROM outbox"))
    assert count == rounds * each
    assert sum(decided.values()) == 2 * rounds * each
    assert answers == rounds * each
