"""Counts every step by which a process touches the world, and kills it at one of them.

A step has two points, before and after it, each with a label such as `before commit inbound,outbox`,
`after rename tmp/new-x -> 12/ab/12ab.eml`, `before send smtp DATA`. Steps are

* opening a file for writing, mkdir (these have only the point before);
* fsync, fdatasync, rename, replace, link, unlink;
* an INSERT, UPDATE or DELETE (`write`), and a COMMIT with the tables written since the last one;
* connect, send and recv on a socket, with the last command sent on it;
* writing into a pipe and reading from it: the reading child's.

SQLite's own writes and fsyncs lie within its COMMIT; that a process may die there is SQLite's promise.
Nothing but these steps reaches the world, so dying after one is dying before the next.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

_WRITES = re.compile(r"\s*(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|UPDATE|DELETE\s+FROM)\s+\"?(\w+)", re.I)
_PATH_STEPS = ("rename", "replace", "link", "unlink", "remove")
_SOCKET_STEPS = ("connect", "send", "sendall", "recv", "recv_into")
_IMAP_COMMAND = re.compile(r"[A-P]{4}\d+ ((?:UID )?[A-Z]+.*)", re.DOTALL)


@dataclass
class Killer:
    """Strikes at point number `at` (from 1), or at the `nth` point whose label matches `match`;
    never where neither is given. `died` gets the label of that point."""

    strike: Callable[[], None]
    at: int | None = None
    match: str | None = None
    nth: int = 1
    died: Path | None = None
    labels: list[str] = field(default_factory=list)
    _off: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def point(self, label: str) -> None:
        with self._lock:
            if self._off:
                return
            self.labels.append(label)
            if not self._hits(label):
                return
            self._off = True
            if self.died is not None:
                self.died.write_text(label, encoding="utf-8")
            self.strike()

    def off(self) -> None:
        """In a process forked from this one: its steps are not ours."""
        self._off = True

    def _hits(self, label: str) -> bool:
        if self.at is not None:
            return len(self.labels) == self.at
        if self.match is None or not re.search(self.match, label):
            return False
        self.nth -= 1
        return self.nth == 0


class Counted:
    """Puts a killer's points around every step of this process, for as long as it lives."""

    def __init__(self, killer: Killer) -> None:
        self._point = killer.point
        self._written: list[str] = []
        self._said: dict[int, str] = {}
        self._files()
        self._pipes()
        self._sockets()
        self._database()

    def _around(self, holder: Any, name: str, label: Callable[..., str | None]) -> None:
        real, point = getattr(holder, name), self._point

        def step(*args: Any, **kwargs: Any) -> Any:
            what = label(*args, **kwargs)
            if what is None:
                return real(*args, **kwargs)
            point(f"before {what}")
            result = real(*args, **kwargs)
            point(f"after {what}")
            return result

        setattr(holder, name, step)

    def _files(self) -> None:
        sys.addaudithook(self._audit)
        for name in ("fsync", "fdatasync"):
            self._around(os, name, lambda fd, name=name: f"{name} {_file(fd)}")
        for name in _PATH_STEPS:
            self._around(
                os,
                name,
                lambda *paths, name=name, **_: f"{name} " + " -> ".join(map(_short, paths[:2])),
            )

    def _audit(self, what: str, args: tuple[Any, ...]) -> None:
        if what == "os.mkdir":
            self._point(f"before mkdir {_short(args[0])}")
        if what != "open" or not isinstance(args[0], str | bytes) or not isinstance(args[2], int):
            return
        path = os.fsdecode(args[0])
        if args[2] & os.O_ACCMODE != os.O_RDONLY and not path.startswith(("/dev/", "/proc/")):
            self._point(f"before open {_short(path)}")

    def _pipes(self) -> None:
        for name in ("write", "read"):
            self._around(
                os, name, lambda fd, _, name=name: f"pipe {name}" if _is_pipe(fd) else None
            )

    def _sockets(self) -> None:
        for name in _SOCKET_STEPS:
            self._around(
                socket.socket, name, lambda sock, *args, name=name: self._talk(name, sock, *args)
            )

    def _talk(self, name: str, sock: socket.socket, *args: Any) -> str | None:
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        if name == "connect":
            return f"connect {args[0][1]}"
        with suppress(OSError):
            port = sock.getpeername()[1]
            if name.startswith("send"):
                self._said[port] = _command(bytes(args[0]))
            said = self._said.get(port, "the greeting")
            return f"{'send' if name.startswith('send') else 'recv'} {port} {said}"
        return None

    def _database(self) -> None:
        def before(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if found := _WRITES.match(statement):
                self._point(f"before write {found[1]}")

        def after(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if found := _WRITES.match(statement):
                self._written.append(found[1])
                self._point(f"after write {found[1]}")

        event.listen(Engine, "before_cursor_execute", before)
        event.listen(Engine, "after_cursor_execute", after)
        event.listen(Engine, "rollback", lambda _c: self._written.clear())
        self._around(SQLiteDialect_pysqlite, "do_commit", self._commit)

    def _commit(self, *_: Any) -> str:
        tables = ",".join(dict.fromkeys(self._written)) or "nothing"
        self._written.clear()
        return f"commit {tables}"


def _file(fd: int) -> str:
    with suppress(OSError):
        return _short(Path(f"/proc/self/fd/{fd}").readlink())
    return "?"


def _short(path: Any) -> str:
    return "/".join(Path(os.fsdecode(path)).parts[-3:])


def _is_pipe(fd: int) -> bool:
    return stat.S_ISFIFO(os.fstat(fd).st_mode)


def _command(octets: bytes) -> str:
    """The command's first words; what follows DATA and what logs in stays out of the labels."""
    line = octets[:200].decode("utf-8", "replace").split("\r\n")[0]
    if imap := _IMAP_COMMAND.fullmatch(line):
        line = imap[1]
    if line == ".":
        return "the dot"
    word = line.split(" ")[0].upper()
    if word in ("LOGIN", "AUTH", "AUTHENTICATE"):
        return word
    if ":" in line and word not in ("MAIL", "RCPT") and not imap:
        return "the letter"
    return f"{word}{line[len(word) :]}"[:60]
