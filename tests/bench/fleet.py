"""An installation with any number of daemons, mailboxes and offices, and what its work costs."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import text

from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.system import shipped

LIMIT = 600.0
"""Seconds after which a measurement gives up."""
_TICK = os.sysconf("SC_CLK_TCK")
_LIMITS = ("acknowledgements_per_day", "returns_per_day", "repeats_per_day", "per_hour")


@dataclass(frozen=True, slots=True)
class Shape:
    """`url` empty: SQLite."""

    url: str = ""
    archive: str = "files"
    hosts: int = 1
    mailboxes: int = 1
    offices: int = 1
    readers: int = 2
    lease: float = 30.0
    smtp: str = ""
    """Settings of the server answers go to; empty: into a folder."""


class Fleet:
    """`mailbot run`, as many as the shape says. They share the folder, as on a shared disk."""

    def __init__(self, folder: Path, shape: Shape) -> None:
        self.folder, self.shape = folder, shape
        self.running: list[subprocess.Popen[bytes]] = []
        for number in range(shape.offices):
            self._office(number)
        (folder / "secret.key").write_text(secrets.token_hex(32))
        (folder / "secret.key").chmod(0o600)
        for host in range(shape.hosts):
            (folder / f"host{host}.toml").write_text(self._settings(), "utf-8")

    def _office(self, number: int) -> None:
        office = self.folder / "config" / "offices" / f"office{number}"
        shutil.copytree(shipped("config") / "offices" / "otog", office)
        shutil.rmtree(office / "cases")
        told = (office / "office.toml").read_text("utf-8")
        told = told.replace('"otog"', f'"office{number}"')
        letters = chr(65 + number // 26) + chr(65 + number % 26)
        told = re.sub(r'(?m)^receipt_prefix = ".*?"', f'receipt_prefix = "{letters}"', told)
        for name in _LIMITS:  # a flood must be answered here
            told = re.sub(rf"(?m)^{name} = \d+", f"{name} = 100000", told)
        (office / "office.toml").write_text(told, "utf-8")

    def _settings(self) -> str:
        shape, folder = self.shape, self.folder
        lines = [
            f'data_dir = "{folder / "data"}"',
            f'config_dir = "{folder / "config"}"',
            f'secret_file = "{folder / "secret.key"}"',
            f'archive = "{shape.archive}"',
            f"reader_processes = {shape.readers}",
            f"lease_seconds = {shape.lease}",
            "poll_seconds = 1",
            "answer_max_age_hours = 1000000",
        ]
        if shape.url:
            lines.append(f'database_url = "{shape.url}"')
        for box in range(shape.mailboxes):
            lines += [
                "[[mailboxes]]",
                f'name = "box{box}"',
                'kind = "maildir"',
                f'maildir = "{self._box(box)}"',
                f'offices = ["office{box % shape.offices}"]',
                f'address = "box{box}@example.org"',
                shape.smtp or f'outgoing.outbox = "{folder / "out"}"',
            ]
        return "\n".join(lines) + "\n"

    def _box(self, number: int) -> Path:
        box = self.folder / f"box{number}"
        for part in ("cur", "new", "tmp"):
            (box / part).mkdir(parents=True, exist_ok=True)
        return box

    # --- its life

    def __enter__(self) -> Self:
        for host in range(self.shape.hosts):
            with (self.folder / f"host{host}.log").open("ab") as log:
                self.running.append(
                    subprocess.Popen(
                        [
                            *(sys.executable, "-m", "mailbot"),
                            *("--config", str(self.folder / f"host{host}.toml"), "run"),
                        ],
                        stdout=log,
                        stderr=log,
                    )
                )
        self.wait(lambda: all(map(self._watches, range(self.shape.hosts))), "the start")
        self.store = self._store()
        if self.shape.url:
            self.wait(self._shared_out, "a part of the mailboxes for each")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if hasattr(self, "store"):
            self.store.close()
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _store(self) -> SqlStore:
        return open_store(
            self.shape.url or f"sqlite:///{self.folder}/data/mailbot.db", create=False
        )

    def _watches(self, host: int) -> bool:
        return "mailbot.daemon watching" in (self.folder / f"host{host}.log").read_text("utf-8")

    def _shared_out(self) -> bool:
        query = text("SELECT holder, count(*) FROM lease WHERE name != 'duties' GROUP BY 1")
        with self.store.snapshot() as db:
            held = {holder: count for holder, count in db.execute(query).all() if holder}
        least = self.shape.mailboxes // self.shape.hosts
        return (
            sum(held.values()) == self.shape.mailboxes
            and len(held) == min(self.shape.hosts, self.shape.mailboxes)
            and min(held.values()) >= min(least, 1)
        )

    def wait(self, done: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + LIMIT
        while not done():
            for host, process in enumerate(self.running):
                if process.poll() not in (None, -signal.SIGKILL):
                    raise SystemExit((self.folder / f"host{host}.log").read_text("utf-8")[-3000:])
            if time.monotonic() > end:
                raise SystemExit(f"{what}: not within {LIMIT:.0f} s")
            time.sleep(0.1)

    # --- its work

    def lay(self, mails: Iterable[bytes]) -> int:
        """Writes them beside the mailboxes, in turn; how many. `deliver` puts them in."""
        count = 0
        for count, raw in enumerate(mails, 1):
            (self._box((count - 1) % self.shape.mailboxes) / "tmp" / f"{count}.mail").write_bytes(
                raw
            )
        return count

    def deliver(self) -> None:
        for path in self.folder.glob("box*/tmp/*.mail"):
            path.rename(path.parents[1] / "new" / path.name)

    def settled(self, count: int) -> Callable[[], bool]:
        """So many mails done, and no letter that waits."""
        mails = text("SELECT count(*) FROM inbound WHERE state = 'settled'")
        waiting = text("SELECT count(*) FROM outbox WHERE state IN ('ready', 'sending', 'dot')")

        def done() -> bool:
            with self.store.snapshot() as db:
                return db.scalar(mails) == count and not db.scalar(waiting)

        return done

    def letters(self) -> int:
        return self.store.outbox.counts().get("sent", 0)

    def database_bytes(self) -> int:
        if not self.shape.url:
            return sum(p.stat().st_size for p in (self.folder / "data").glob("mailbot.db*"))
        with self.store.snapshot() as db:
            return int(db.scalar(text("SELECT pg_database_size(current_database())")) or 0)


# --- what processes use ------------------------------------------------------------------------


def family(process: int) -> Iterator[int]:
    """A process and all below it."""
    yield process
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from family(int(child))


def processor_seconds(process: int) -> float:
    """Of a process and all below it, ended children included."""
    total = 0
    for one in family(process):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            told = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(map(int, told[11:15]))
    return total / _TICK


def megabytes(processes: Iterable[int]) -> float:
    """Their proportional share of memory."""
    total = 0
    for one in processes:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            found = re.search(r"(?m)^Pss:\s+(\d+) kB", rollup)
            total += int(found.group(1)) if found else 0
    return total / 1024
