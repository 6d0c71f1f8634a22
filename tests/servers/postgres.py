"""A real PostgreSQL for the tests, on a free loopback port and a unix socket of its own.

It runs from a temporary folder and is gone with the `with` block. PostgreSQL refuses to run as
root, so root (containers) starts it as the account the Debian package made, or as `nobody`. Only
the server started here is ever signalled.

Its fsync is off: no test can cut the power, and what the server's own death may lose is the same
with and without it.

It is set up unkindly on purpose, as an administrator may have done: text sorts the Chinese way,
the server's own time zone is not UTC, and mailbot's role is no superuser.

    with Postgres() as server:
        url = server.new_database()
        server.restart()
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psycopg

ROLE = "mailbot"
_ADMIN = "admin"

_CONFIG = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{home}'
max_connections = 100
shared_buffers = 32MB
dynamic_shared_memory_type = mmap
fsync = off
full_page_writes = off
max_wal_size = 4GB
checkpoint_timeout = 1h
autovacuum = off
max_parallel_workers = 0
timezone = 'Asia/Shanghai'
lc_messages = 'C'
log_min_messages = warning
"""


_EMPTY = """\
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT relname FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND relname <> 'alembic_version'
    LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    PERFORM setval(oid, 1, false) FROM pg_class
        WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
END $$;
"""
"""Past the triggers that refuse to delete, and past the references."""


def missing() -> str | None:
    """The Debian package that is missing, or None when PostgreSQL can run here."""
    return None if _programs() else "postgresql"


class Postgres:
    """One server. `port` stays the same over restarts."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)

    # --- life ---------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        # Not pytest's tmp_path: that is closed to the user the server runs as.
        self.home = Path(tempfile.mkdtemp(prefix="mailbot-postgres-"))
        try:
            self._make()
            self.start()
            self.execute(f"CREATE ROLE {ROLE} LOGIN")
        except BaseException:
            self.stop("immediate")
            shutil.rmtree(self.home, ignore_errors=True)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self) -> None:
        """Starts the server on its port and waits until it lets people in."""
        with (self.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [_program("postgres"), "-D", str(self._data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_us,
                **_as_another(),
            )
        deadline = time.monotonic() + 60
        while not self._greets():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop("immediate")
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log()}")
            time.sleep(0.02)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def process(self) -> int:
        """The first of its processes."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def stop(self, how: Literal["fast", "immediate"] = "fast") -> None:
        """Ends the server and with it every connection: `fast` as an administrator does, and
        `immediate` as a crash does, to be recovered from at the next start."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT if how == "fast" else signal.SIGQUIT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self, how: Literal["fast", "immediate"] = "fast") -> None:
        self.stop(how)
        self.start()

    @contextlib.contextmanager
    def pause(self) -> Iterator[None]:
        """Within the block the server stands still: connections stay, nothing answers."""
        first = self.process
        os.kill(first, signal.SIGSTOP)  # and so starts no more of them
        children = Path(f"/proc/{first}/task/{first}/children").read_text()
        stopped = [first, *map(int, children.split())]
        for process in stopped[1:]:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    def log(self) -> str:
        """What the server logged so far."""
        with contextlib.suppress(FileNotFoundError):
            return (self.home / "server.log").read_text("utf-8", "replace")
        return ""

    # --- databases ----------------------------------------------------------------------------

    def new_database(self, template: str | None = None) -> str:
        """The address of a new database that mailbot's role owns: empty, or a copy of
        `template`, which nobody may be connected to."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} OWNER {ROLE} TEMPLATE {template or 'template1'}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drops it, whoever is still connected."""
        self.execute(f"DROP DATABASE {database_name(url)} WITH (FORCE)")

    def empty(self, url: str) -> None:
        """Takes every row out of a database at the present schema, and begins its numbers anew:
        much quicker than another database. Whoever is still connected is thrown out."""
        name = database_name(url)
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )
        self.execute(_EMPTY, name)

    def url(self, database: str, role: str = ROLE) -> str:
        return f"postgresql+psycopg://{role}@{self.host}:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """A statement of the administrator's; what it returns."""
        with self.connect(database) as connection:
            cursor = connection.execute(statement.encode())
            return list(cursor.fetchall()) if cursor.description else []

    def connect(self, database: str = "postgres", role: str = _ADMIN) -> psycopg.Connection:
        """A connection past mailbot, each statement a transaction of its own."""
        return psycopg.connect(
            host=str(self.home),
            port=self.port,
            user=role,
            dbname=database,
            autocommit=True,
            connect_timeout=10,
        )

    # --- making it ----------------------------------------------------------------------------

    @property
    def _data(self) -> Path:
        return self.home / "data"

    def _make(self) -> None:
        another = _as_another()
        if another:
            os.chown(self.home, another["user"], another["group"])
        done = subprocess.run(
            [
                *(_program("initdb"), "-D", str(self._data), "-U", _ADMIN, "--auth=trust"),
                *("--encoding=UTF8", "--locale=C", "--locale-provider=icu"),
                *("--icu-locale=zh-Hans-CN", "--no-sync", "--no-instructions"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **another,
        )
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stdout}{done.stderr}")
        with (self._data / "postgresql.conf").open("a") as config:
            config.write(_CONFIG.format(port=self.port, home=self.home))

    def _greets(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), self.connect():
            return True
        return False


def database_name(url: str) -> str:
    return url.rsplit("/", 1)[1]


def _as_another() -> dict[str, int | list[int]]:
    """Whom `subprocess` runs the server's programs as: root must be another, the rest themselves."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            account = pwd.getpwnam(name)
            return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL does not run as root, and there is no account `nobody` here")


def _end_with_us() -> None:
    """In the child: SIGQUIT when the test run is killed (Linux: PR_SET_PDEATHSIG is 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _programs() -> Path | None:
    """The folder with the newest server's programs. Debian keeps them out of the PATH."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(re.sub(r"\D", "", path.parts[-3]) or 0),
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _program(name: str) -> str:
    folder = _programs()
    if folder is None:
        raise RuntimeError("PostgreSQL is not installed (Debian package postgresql)")
    return str(folder / name)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
