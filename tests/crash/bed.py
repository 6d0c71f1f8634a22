"""The installation that is killed: its mailbox on a real Dovecot, its SMTP server, its disk.

`Bed` makes the initial state once, copies it for every run, and reads what is there afterwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from itertools import count, zip_longest
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mailbot.adapters.system import SHANGHAI, shipped
from tests.integration.intake_help import letter, text_file
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import FaultServer

NOON = datetime(2026, 8, 12, 12, 0, tzinfo=SHANGHAI)
"""A Wednesday without a holiday near it."""
LATER = timedelta(minutes=15)
"""Longer than an uncertain send must be left alone (RFC 5321 section 4.5.3.2.6: ten minutes)."""
OFFICES = ("otog", "jinan")
FOLDERS = {
    "accepted": "已收",
    "returned": "已退",
    "held": "待核",
    "ignored": "自动邮件",
}
_PATIENCE = 30.0
_numbers = count(1)


def peopled(folder: Path, liaisons: int, heads: int) -> Path:
    """The shipped configuration, but the first units of otog have a liaison, and the first of them a
    head, with an address each."""
    config = folder / "config"
    shutil.copytree(shipped("config"), config)
    units = config / "offices" / "otog" / "units.toml"
    lines, number, in_unit = [], 0, False
    for line in units.read_text("utf-8").split("\n"):
        lines.append(line)
        in_unit = line.startswith("[[unit]]") or (in_unit and not line.startswith("["))
        if not in_unit or not (found := re.match(r'id = "([\w-]+)"', line)):
            continue
        people = [("liaison", "李丙", f"{found[1]}@example.net")] * (number < liaisons)
        people += [("head", "王甲", f"head.{found[1]}@example.net")] * (number < heads)
        said = [f'{{ role = "{r}", name = "{n}", address = "{a}" }}' for r, n, a in people]
        lines.append(f"contact = [{', '.join(said)}]")
        number += 1
    units.write_text("\n".join(lines), "utf-8")
    return config


EARLIER = letter(
    "自然资源局+违法占地整治取得成效+赵六+7622032",
    files=[text_file("整治.txt", "违法占地整治取得明显成效。" * 9)],
    sender="land@example.com",
    message_id="earlier@example.com",
)


def five_mails() -> list[bytes]:
    """Accept, return, its correction, hold (three items are stated, one is there), urgent."""
    return [
        letter(
            "农牧局+春耕备耕工作进展顺利+张三+7622029",
            files=[text_file("春耕备耕.txt")],
            sender="liaison@example.com",
            message_id="accept@example.com",
        ),
        letter(
            "水利局+渠道清淤工程全面完工+李四",
            files=[text_file("渠道清淤.txt", "渠道清淤工程全面完工，灌溉有了保障。" * 9)],
            sender="water@example.com",
            message_id="return@example.com",
        ),
        letter(
            "水利局+渠道清淤工程全面完工+李四+7622030",
            "补上联系电话，请查收。",
            sender="water@example.com",
            message_id="correction@example.com",
        ),
        letter(
            "教体局+8月信息3条+王五+7622031",
            "三条信息请查收。",
            files=[text_file("开学准备.txt", "全旗中小学秋季开学准备工作就绪。" * 9)],
            sender="school@example.com",
            message_id="hold@example.com",
        ),
        letter(
            "历下区要情专报",
            "我区一处供水管道破裂，抢修人员已到现场，无人员伤亡。",
            sender="lixia@example.com",
            message_id="urgent@example.com",
        ),
    ]


class FilingServer(FaultServer):
    """Takes letters, and files each into the sender's Sent folder before it answers, as NetEase's
    servers do (`sent`: that Maildir folder; None: nowhere)."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: Path | None = None
        self._busy = 0
        self._idle = threading.Condition()

    def _serve(self, client: Any) -> None:
        with self._idle:
            self._busy += 1
        try:
            super()._serve(client)
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def _say(self, client: Any, phase: str) -> Any:
        if phase == "dot" and self.sent is not None:
            _file_into(self.sent, _undotted(self.letters[-1]))
        return super()._say(client, phase)

    def settle(self) -> None:
        """Waits until what a killed sender left on the line has been taken in."""
        with self._idle:
            assert self._idle.wait_for(lambda: self._busy == 0, _PATIENCE), "a connection is open"

    def taken(self) -> list[bytes]:
        return [_undotted(raw) for raw in self.letters]

    def forget(self) -> None:
        self.letters.clear()
        self.commands.clear()


@dataclass(frozen=True)
class Ended:
    """How a run ended. `code` is the exit code, negative for the signal that ended it; `died` the
    point at which it was struck, empty where the run never came there."""

    code: int
    died: str
    labels: tuple[str, ...]
    said: str


class Zygote:
    """The process that forks the runs. See `tests.crash.zygote`."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote", *OFFICES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "TEST_CODE": "secret", "MAILBOT_LANG": "en", "PYTHONUTF8": "1"},
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the zygote did not start:\n{log.read_text('utf-8', 'replace')}")

    def run(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(_PATIENCE)
        self._process.stdout.close()
        self._log.close()


@dataclass
class State:
    """All that is there. Equal when nobody could tell the one from the other."""

    database: dict[str, list[dict[str, Any]]]
    archive: dict[str, str]
    mailbox: dict[str, Any]
    letters: Counter[tuple[str, str, str]]
    """To, Message-ID and hash of the bytes; how often it was taken."""

    def differences(self, other: State) -> list[str]:
        """What is here and what is there, where it is not the same."""
        found = []
        for part in ("database", "archive", "mailbox", "letters"):
            mine, yours = getattr(self, part), getattr(other, part)
            if mine == yours:
                continue
            for key in {**mine, **yours}:
                here, there = mine.get(key), yours.get(key)
                if here != there and isinstance(here, list) and isinstance(there, list):
                    found += [f"{part} {key}: {one}" for one in _row_differences(here, there)]
                elif here != there:
                    found.append(f"{part} {key}: {here!r} here, {there!r} there")
        return found


def _row_differences(here: list[dict[str, Any]], there: list[dict[str, Any]]) -> list[str]:
    found = []
    for number, (a, b) in enumerate(zip_longest(here, there, fillvalue={}), 1):
        columns = [c for c in {**a, **b} if a.get(c) != b.get(c)]
        if columns:
            said = ", ".join(f"{c} {a.get(c)!r:.120} / {b.get(c)!r:.120}" for c in columns[:6])
            found.append(f"row {number}: {said}")
    return found


MAY_DIFFER: Mapping[str, frozenset[str]] = {
    "inbound": frozenset({"attempts"}),
    "outbox": frozenset(
        {"attempts", "claimed", "claimed_by", "dot_sent", "finished", "answer", "looks", "looked"}
        | {"copies", "error", "due"}
    ),
    "folder": frozenset({"searched"}),
    "audit": frozenset({"id"}),
}
"""Columns that say how often and when something was tried, not what came of it."""
FOUND_OUT = ("outbox.found", "outbox.copied")
"""Audit: how it was found out whether a letter had gone."""
NO_RECORDS = frozenset({"worker", "lease", "sqlite_sequence"})


@dataclass
class Installation:
    """One copy of the initial state."""

    bed: Bed
    folder: Path
    user: str
    runs: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def maildir(self) -> Path:
        return self.bed.dovecot.maildir(self.user)

    def run(self, *argv: str, now: datetime = NOON, **how: Any) -> Ended:
        """The command (`once` where none is named) in a process of its own; `how` says where it
        is killed (`tests.crash.zygote`)."""
        self.runs += 1
        out, trace, died = (self.folder / f"{self.runs}.{x}" for x in ("out", "trace", "died"))
        order = {
            "argv": ["--config", str(self.folder / "mailbot.toml"), *(argv or ("once",))],
            "now": now.isoformat(),
            "out": str(out),
            "trace": str(trace),
            "died": str(died),
            "env": {"CRASH_SMTP_PORT": str(self.bed.server.port), **self.environment},
            **how,
        }
        self.bed.server.sent = self.maildir / ".Sent" if self.bed.files_sent else None
        code = self.bed.zygote.run(order)
        self.bed.server.settle()
        labels = trace.read_text("utf-8").split("\n") if trace.exists() else []
        return Ended(
            code,
            died.read_text("utf-8") if died.exists() else "",
            tuple(labels),
            out.read_text("utf-8", "replace") if out.exists() else "",
        )

    # what is there

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "data" / "mailbot.db")) as db:
            return db.execute(sql).fetchall()

    def state(self, exact: bool = False) -> State:
        """`exact`: with everything that may differ between two ways to the same end."""
        return State(
            self._database(exact),
            self._archive(),
            mailbox_at(self.maildir, exact),
            Counter(map(_told, self.bed.server.taken())),
        )

    def _database(self, exact: bool) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        with closing(sqlite3.connect(self.folder / "data" / "mailbot.db")) as db:
            db.row_factory = sqlite3.Row
            names = [r[0] for r in db.execute("select name from sqlite_master where type='table'")]
            for name in names:
                if name in NO_RECORDS:
                    continue
                free = frozenset() if exact else MAY_DIFFER.get(name, frozenset())
                rows = [dict(row) for row in db.execute(f'select * from "{name}"')]
                if name == "audit" and not exact:
                    rows = [row for row in rows if row["action"] not in FOUND_OUT]
                kept = [{k: v for k, v in row.items() if k not in free} for row in rows]
                found[name] = sorted(kept, key=repr) if exact else kept
        return found

    def _archive(self) -> dict[str, str]:
        root = self.folder / "data" / "archive"
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in root.rglob("*")
            if path.is_file()
        }

    def taken(self) -> list[tuple[str, str, str]]:
        """What the SMTP server took: To, Message-ID, hash of the bytes."""
        return [_told(raw) for raw in self.bed.server.taken()]

    def states(self) -> Counter[str]:
        """Of the letters in the outbox."""
        return Counter(str(row[0]) for row in self.rows("select state from outbox"))


class Bed:
    """`with Bed(dovecot, tmp_path) as bed: run = bed.fresh()`.

    `port`: of another IMAP server before the same mailboxes; `files_sent`: whether the SMTP server
    files what it takes; `mails`: what lies in the mailbox; `config`: the offices' data;
    `before`: commands that were run before the mails came; `vouched`: a later day of which somebody said
    that the clock is right.
    """

    def __init__(
        self,
        dovecot: Dovecot,
        folder: Path,
        zygote: Zygote,
        *,
        port: int | None = None,
        files_sent: bool = True,
        mails: Sequence[bytes] | None = None,
        config: Path | None = None,
        before: Sequence[Sequence[str]] = (),
        vouched: datetime | None = None,
    ) -> None:
        self.vouched = vouched
        self.dovecot, self.folder, self.zygote = dovecot, folder, zygote
        self.port = port or dovecot.imap_port
        self.files_sent = files_sent
        self.mails = list(five_mails() if mails is None else mails)
        self.config = config or shipped("config")
        self.before = before
        self.server = FilingServer()

    def __enter__(self) -> Self:
        self.server.__enter__()
        try:
            self._prepare()
        except BaseException:
            self.server.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.__exit__(kind, error, trace)

    def fresh(self) -> Installation:
        """The initial state once more; nothing is sent yet."""
        self.server.forget()
        user = self.dovecot.add_user(f"crash{next(_numbers)}")
        folder = self.folder / user
        shutil.copytree(self._initial, folder)
        shutil.copytree(self._maildir, self.dovecot.maildir(user), copy_function=_copy)
        _own(self.dovecot.maildir(user).parent)
        self._configure(folder, user)
        return Installation(self, folder, user)

    @contextmanager
    def once(self) -> Any:
        """A fresh installation that is gone afterwards, unless something failed."""
        made = self.fresh()
        yield made
        shutil.rmtree(made.folder)
        shutil.rmtree(made.maildir.parent, ignore_errors=True)

    def _prepare(self) -> None:
        """The office has been at work: a mail was answered, and the answer filed, an hour ago. Then
        the mails come."""
        user = self.dovecot.add_user(f"crash{next(_numbers)}")
        self._initial = self.folder / user
        self._initial.mkdir(parents=True)
        self._configure(self._initial, user)
        with self.dovecot.client(user) as client:
            client.create("Sent")
        self.dovecot.append(user, EARLIER, internaldate=NOON - timedelta(hours=2))
        first = Installation(self, self._initial, user)
        began = first.run(now=NOON - timedelta(hours=1))
        assert began.code == 0 and first.states() == {"sent": 1}, began.said
        for argv in self.before:
            done = first.run(*argv, now=NOON - timedelta(hours=1))
            assert done.code == 0, done.said
        if self.vouched is not None:
            done = first.run("duties", "--clock-is-right", now=self.vouched)
            assert done.code == 0, done.said
        for minutes, raw in enumerate(self.mails):
            self.dovecot.append(user, raw, internaldate=NOON - timedelta(minutes=30 - minutes))
        self._maildir = self.folder / "Maildir"
        shutil.copytree(self.dovecot.maildir(user), self._maildir, ignore=_no_caches)
        stored = mailbox_at(self._maildir, exact=False).get("INBOX", {})
        self.digests = {digest for digest, flags in stored if "T" not in flags}
        assert len(self.digests) == len(self.mails)
        for made in self._initial.glob("[0-9]*.*"):
            made.unlink()

    def _configure(self, folder: Path, user: str) -> None:
        moves = ", ".join(f'{key} = "{name}"' for key, name in FOLDERS.items())
        (folder / "mailbot.toml").write_text(
            f"""
data_dir = "data"
config_dir = "{self.config}"
reader_processes = 1

[[mailboxes]]
name = "otog"
offices = [{", ".join(f'"{o}"' for o in OFFICES)}]
address = "xinxi@example.org"
credential_env = "TEST_CODE"

[mailboxes.imap]
host = "127.0.0.1"
port = {self.port}
security = "plain"
username = "{user}"
sent_folder = "Sent"
flag = "$Mailbot"
moves = {{ {moves} }}

[mailboxes.outgoing.smtp]
host = "127.0.0.1"
port = {self.server.port}
security = "plain"
login = false
pace_seconds = 0
""",
            encoding="utf-8",
        )


# --- Maildirs ---------------------------------------------------------------------------------


def mailbox_at(maildir: Path, exact: bool) -> dict[str, Any]:
    """Folder -> its mails: content and flags, as often as each is there. Of a Sent folder only
    the contents: who filed them is the server's business."""
    found: dict[str, Any] = {}
    for folder in (maildir, *sorted(maildir.glob(".*"))):
        if not (folder / "cur").is_dir():
            continue
        words = _keywords(folder)
        mails: Counter[tuple[str, frozenset[str]]] = Counter()
        for part in ("cur", "new"):
            for path in (folder / part).iterdir():
                name, _, letters = path.name.partition(":2,")
                flags = frozenset(words.get(x, x) for x in letters)
                digest = digest_of(path.read_bytes())
                key = f"{digest} {name}" if exact else digest
                mails[key, frozenset() if folder.name == ".Sent" else flags] += 1
        if mails:
            found[folder.name if folder != maildir else "INBOX"] = dict(mails)
    return found


def _keywords(folder: Path) -> dict[str, str]:
    with suppress(FileNotFoundError):
        lines = (folder / "dovecot-keywords").read_text("utf-8").split("\n")
        pairs = (line.split(" ", 1) for line in lines if line)
        return {chr(ord("a") + int(number)): word for number, word in pairs}
    return {}


def _file_into(folder: Path, raw: bytes) -> None:
    name = f"{time.time_ns()}.{next(_numbers)}.sink"
    path = folder / "tmp" / name
    path.write_bytes(raw)
    stat = folder.stat()
    if os.getuid() == 0:
        os.chown(path, stat.st_uid, stat.st_gid)
    path.rename(folder / "new" / name)


def _told(raw: bytes) -> tuple[str, str, str]:
    mail = message_from_bytes(raw)
    return str(mail["To"]), str(mail["Message-ID"]), digest_of(raw)


def _undotted(body: bytes) -> bytes:
    return b"".join(
        line.removeprefix(b".") if line.startswith(b"..") else line
        for line in body.splitlines(keepends=True)
    )


def _no_caches(_folder: str, names: list[str]) -> list[str]:
    return [n for n in names if n.startswith(("dovecot.index", "dovecot.list", "dovecot.mailbox"))]


def _copy(source: str, target: str) -> str:
    return str(shutil.copy2(source, target))


def _own(home: Path) -> None:
    """Root copied it; the mail processes run as who owns the folder above."""
    if os.getuid() != 0:
        return
    owner = home.parent.stat()
    for path in (home, *home.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


def digest_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]
