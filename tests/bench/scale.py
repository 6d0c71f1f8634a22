"""What one host, one database and several hosts carry.

    .venv/bin/python -m tests.bench.scale [--mails 400] [--rounds 2] [--only TEXT]

Real `mailbot run` processes on loopback, each case several times in turn: mail lies in Maildirs, is
read, decided, archived, answered; the answers go into a folder, or to an SMTP server that takes
everything. PostgreSQL with its fsync on. Everything runs on this one machine: what several hosts
would carry follows from the processor time that the daemons and the database each take for a mail.
Asserts nothing: machines differ, ratios taken in one run say something.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import text

from mailbot.adapters.system import SystemClock
from mailbot.app.records import Outgoing
from tests.bench.corpus import corpus
from tests.bench.fleet import Fleet, Shape, family, megabytes, processor_seconds
from tests.servers.postgres import Postgres
from tests.servers.smtp_sink import SmtpSink

SERVER = "postgresql"
"""Stands for the address of a new database."""
DATABASE = Shape(url=SERVER, archive="database")
CASES = {
    "SQLite, 1 reader": Shape(readers=1),
    "SQLite, 2 readers": Shape(),
    "SQLite, 4 readers": Shape(readers=4),
    "PostgreSQL, archive in files": replace(DATABASE, archive="files"),
    "PostgreSQL, archive in it": DATABASE,
    "6 mailboxes, SQLite": Shape(mailboxes=6, readers=1),
    "6 mailboxes, 1 daemon": replace(DATABASE, mailboxes=6, readers=1),
    "6 mailboxes, 2 daemons": replace(DATABASE, mailboxes=6, readers=1, hosts=2),
    "6 mailboxes, 3 daemons": replace(DATABASE, mailboxes=6, readers=1, hosts=3),
    "10 mailboxes, 1 office": replace(DATABASE, mailboxes=10, readers=1),
    "10 mailboxes, 10 offices": replace(DATABASE, mailboxes=10, offices=10, readers=1),
    "50 mailboxes, 1 office": replace(DATABASE, mailboxes=50, readers=1),
    "50 mailboxes, 50 offices": replace(DATABASE, mailboxes=50, offices=50, readers=1),
}
LEASES = (5.0, 30.0)
LETTERS = 300
PACED = 20
SMTP = (
    'outgoing.smtp = {{ host = "127.0.0.1", port = {port}, security = "plain", login = false, '
    "pace_seconds = {pace} }}"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one mail; memory when all was done."""

    mails: float
    """A second."""
    letters: float
    """A mail."""
    daemon_ms: float
    database_ms: float
    daemon_mb: float
    readers_mb: float
    stored_kb: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mails", type=int, default=400)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--only", default="", help="cases whose name holds this")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and so ends what was started
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {_disk()}", flush=True)
    with Postgres() as server:
        for setting in ("fsync = on", "full_page_writes = on", "shared_buffers = '256MB'"):
            server.execute(f"ALTER SYSTEM SET {setting}")
        server.execute("ALTER SYSTEM SET autovacuum = on")
        server.restart()
        _cases(server, chosen.mails, chosen.rounds, chosen.only)
        others: dict[str, Callable[[Path], str]] = {
            "takeover": lambda folder: _takeovers(server, folder),
            "letters": lambda folder: _letters(server, folder),
        }
        for name, measure in others.items():
            for _ in range(chosen.rounds if chosen.only in name else 0):
                with tempfile.TemporaryDirectory(prefix="mailbot-bench-") as folder:
                    print(measure(Path(folder)), flush=True)


def _cases(server: Postgres, mails: int, rounds: int, only: str) -> None:
    raws = list(corpus(mails))
    size = sum(map(len, raws)) / len(raws) / 1000
    print(f"{mails} mails of {size:.0f} kB on average")
    found: dict[str, list[Cost]] = {name: [] for name in CASES if only in name}
    for _ in range(rounds):  # in turn, so that a noisy minute hits all of them
        for name, costs in found.items():
            costs.append(_cost(server, CASES[name], raws))
            print(f"  {name}: {costs[-1].mails:.1f} mails/s", flush=True)
        print(f"  load {os.getloadavg()[0]:.1f}", flush=True)
    print(
        f"{'':<30} {'mails/s':>12} {'letters':>8} {'daemons':>8} {'database':>9} "
        f"{'daemon':>7} {'readers':>8} {'stored':>8}"
    )
    print(
        f"{'':<30} {'(rounds)':>12} {'a mail':>8} {'ms/mail':>8} {'ms/mail':>9} "
        f"{'MB':>7} {'MB':>8} {'kB/mail':>8}"
    )
    for name, costs in found.items():
        one = costs[0]
        middle = {
            field: statistics.median(getattr(cost, field) for cost in costs)
            for field in Cost.__slots__
        }
        rates = " ".join(f"{cost.mails:.1f}" for cost in costs)
        print(
            f"{name:<30} {rates:>12} {one.letters:>8.2f} {middle['daemon_ms']:>8.0f} "
            f"{middle['database_ms']:>9.1f} {middle['daemon_mb']:>7.0f} "
            f"{middle['readers_mb']:>8.0f} {middle['stored_kb']:>8.0f}",
            flush=True,
        )


def _cost(server: Postgres, shape: Shape, raws: list[bytes]) -> Cost:
    with tempfile.TemporaryDirectory(prefix="mailbot-bench-") as folder:
        fleet = Fleet(Path(folder), _on(server, shape))
        count = fleet.lay(raws)
        with fleet:
            before = _used(fleet, server)
            empty = fleet.database_bytes()
            started = time.perf_counter()
            fleet.deliver()
            fleet.wait(fleet.settled(count), "the mails")
            seconds = time.perf_counter() - started
            daemons, database = (b - a for a, b in zip(before, _used(fleet, server), strict=True))
            first, *children = family(fleet.running[0].pid)
            cost = Cost(
                mails=count / seconds,
                letters=fleet.letters() / count,
                daemon_ms=daemons / count * 1000,
                database_ms=database / count * 1000,
                daemon_mb=megabytes([first]),
                readers_mb=megabytes(children),
                stored_kb=(fleet.database_bytes() - empty) / count / 1000,
            )
        if fleet.shape.url:
            server.drop_database(fleet.shape.url)
        return cost


def _used(fleet: Fleet, server: Postgres) -> tuple[float, float]:
    """Processor seconds of the daemons, and of the database's server."""
    return sum(processor_seconds(p.pid) for p in fleet.running), processor_seconds(server.process)


def _on(server: Postgres, shape: Shape) -> Shape:
    return replace(shape, url=server.new_database()) if shape.url else shape


def _takeovers(server: Postgres, folder: Path) -> str:
    """From the death of a daemon to the moment another one has its mailbox, and to the answer to
    a mail that came just then."""
    told = []
    for seconds in LEASES:
        shape = _on(server, replace(DATABASE, hosts=2, lease=seconds))
        inside = folder / f"{seconds}"
        inside.mkdir()
        fleet = Fleet(inside, shape)
        fleet.lay(corpus(1))
        with fleet:
            pid = _holder(fleet)
            assert pid is not None
            (victim,) = (p for p in fleet.running if p.pid == pid)
            victim.kill()
            died = time.perf_counter()
            fleet.deliver()
            fleet.wait(lambda of=fleet, dead=pid: _holder(of) not in (None, dead), "the takeover")
            over = time.perf_counter() - died
            fleet.wait(fleet.settled(1), "the answer")
            answered = time.perf_counter() - died
        told.append(f"lease {seconds:.0f} s: {over:.1f} s, answer after {answered:.1f} s")
    return "takeover of a killed daemon's mailbox: " + "; ".join(told)


def _holder(fleet: Fleet) -> int | None:
    with fleet.store.snapshot() as db:
        holder = db.scalar(text("SELECT holder FROM lease WHERE name = 'mailbox:box0'"))
    return int(holder.rsplit("-", 2)[1]) if holder else None


def _letters(server: Postgres, folder: Path) -> str:
    """Letters a second from one account, queued all at once."""
    told = []
    for name, url in (("SQLite", ""), ("PostgreSQL", SERVER)):
        for pace, count in ((0, LETTERS), (1, PACED)):
            with SmtpSink() as sink:
                smtp = SMTP.format(port=sink.port, pace=pace)
                inside = folder / f"{name}{pace}"
                inside.mkdir()
                with Fleet(inside, _on(server, Shape(url=url, smtp=smtp))) as fleet:
                    _queue(fleet, count)
                    fleet.wait(lambda sink=sink: len(sink.letters) > 0, "the first letter")
                    started, first = time.perf_counter(), len(sink.letters)
                    fleet.wait(lambda sink=sink, n=count: len(sink.letters) == n, "the letters")
                    rate = (count - first) / (time.perf_counter() - started)
            told.append(f"{name}, pace {pace} s: {rate:.1f}")
    return "letters a second from one account: " + "; ".join(told)


def _queue(fleet: Fleet, count: int) -> None:
    now = SystemClock().now()
    with fleet.store.begin() as tx:
        for number in range(count):
            name = f"bench.{number}@example.org"
            raw = f"Message-ID: <{name}>\r\nSubject: {number}\r\n\r\n" + ("x" * 60 + "\r\n") * 40
            letter = Outgoing(
                key=f"bench:{number}",
                kind="acknowledgement",
                office="office0",
                sender="box0@example.org",
                recipient=f"liaison{number}@example.net",
                message_id=name,
                raw=raw.encode(),
                subject=str(number),
            )
            tx.queue(letter, now)


def _disk() -> str:
    """What a commit waits for."""
    with tempfile.NamedTemporaryFile(prefix="mailbot-bench-") as file:
        started = time.perf_counter()
        for _ in range(100):
            file.write(bytes(8192))
            file.flush()
            os.fsync(file.fileno())
        return f"an fsync takes {(time.perf_counter() - started) * 10:.2f} ms"


if __name__ == "__main__":
    main()
