"""The command line in this process: what it printed, and its exit code."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters import i18n
from mailbot.cli import main

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "emails"

CONFIG = """\
data_dir = "data"
config_dir = "{config}"

[[mailboxes]]
name = "box"
kind = "maildir"
offices = ["otog"]
address = "xinxi@example.org"
maildir = "mailbox"
outgoing = {{ outbox = "outbox" }}
"""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """Runs commands against one installation."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, config: Path
    ) -> None:
        self.capsys, self.monkeypatch, self.config = capsys, monkeypatch, config
        self.folder = config.parent

    def __call__(self, *args: str) -> Said:
        return self.bare("--config", str(self.config), *args)

    def bare(self, *args: str) -> Said:
        """Without naming a settings file. A traceback fails the test: main lets none out."""
        self.monkeypatch.setattr(sys, "argv", ["mailbot", *args])
        self.capsys.readouterr()
        code = main()
        return Said(code, *self.capsys.readouterr())

    def good(self, *args: str) -> str:
        said = self(*args)
        assert said.code == 0, said.err
        return said.out

    def refused(self, *args: str) -> str:
        """What a command says that the operator has to mend (exit code 2, nothing on stdout)."""
        said = self(*args)
        assert said.code == 2, said
        assert said.out == ""
        assert "→" in said.err, "it says what was found, but not what to do"
        return said.err

    # mail

    def drop(self, raw: bytes, received: datetime, name: str) -> None:
        """Puts a mail into the Maildir as if it had come at that time."""
        path = self.folder / "mailbox" / "new" / f"{received.timestamp():.0f}.{name}.test"
        path.write_bytes(raw)
        os.utime(path, (received.timestamp(), received.timestamp()))

    def letters(self) -> list[Path]:
        return sorted((self.folder / "outbox" / "new").glob("*"))


def installed(folder: Path, config_dir: Path) -> Path:
    """An empty installation with one Maildir; the path of its settings file."""
    for part in ("tmp", "new", "cur"):
        (folder / "mailbox" / part).mkdir(parents=True)
    config = folder / "mailbot.toml"
    config.write_text(CONFIG.format(config=config_dir), encoding="utf-8")
    return config


@cache
def _demo(base: Path) -> Path:
    folder = base / "demo"
    before = sys.argv
    sys.argv = ["mailbot", "demo", "--folder", str(folder)]
    try:
        assert main() == 0
    finally:
        sys.argv = before
    return folder


def demo_copy(base: Path, target: Path) -> Path:
    """An office that has just taken in all sample mails; the path of its settings file. Made once
    in a test run, copied for each test."""
    shutil.copytree(_demo(base), target)
    return target / "mailbot.toml"


@contextmanager
def speaking(language: i18n.Language) -> Iterator[None]:
    before = i18n.current()
    i18n.install(language)
    try:
        yield
    finally:
        i18n.install(before)


def mail(
    subject: str,
    *,
    sender: str = "zhangsan@example.net",
    body: str = "各项工作有序推进，群众满意。",
    message_id: str = "",
    reply_to: str = "",
    headers: dict[str, str] | None = None,
) -> bytes:
    """A mail as a liaison's client writes it."""
    made = EmailMessage()
    made["From"] = f"张三 <{sender}>"
    made["To"] = "xinxi@example.org"
    made["Subject"] = subject
    made["Message-ID"] = message_id or f"<{abs(hash((subject, sender, body)))}@example.net>"
    if reply_to:
        made["In-Reply-To"] = reply_to
    for name, value in (headers or {}).items():
        made[name] = value
    made.set_content(body)
    return made.as_bytes()
