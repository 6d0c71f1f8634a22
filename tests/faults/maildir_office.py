"""An installation on a Maildir, run as its own process: `mailbot once` and what it left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

CONFIG = """
data_dir = "{data}"
answer_max_age_hours = 100000
{extra}
[[mailboxes]]
name = "box"
kind = "maildir"
offices = ["otog"]
address = "xinxi@example.org"
maildir = "mailbox"
outgoing = {{ outbox = "outbox" }}
"""


class MaildirOffice:
    def __init__(self, folder: Path, data: Path | None = None, extra: str = "") -> None:
        self.folder, self.data = folder, data or folder / "data"
        for part in ("tmp", "new", "cur"):
            (folder / "mailbox" / part).mkdir(parents=True)
        self.config = folder / "mailbot.toml"
        self.config.write_text(CONFIG.format(data=self.data, extra=extra), encoding="utf-8")

    def put(self, name: str, raw: bytes) -> Path:
        path = self.folder / "mailbox" / "new" / f"{name}.test"
        path.write_bytes(raw)
        return path

    def run(
        self,
        *words: str,
        environment: dict[str, str] | None = None,
        before: Callable[[], None] | None = None,
        out: int | Any = subprocess.PIPE,
    ) -> subprocess.CompletedProcess[bytes]:
        """`before` runs in the child before the program starts (limits)."""
        return subprocess.run(
            [sys.executable, "-m", "mailbot", "--config", str(self.config), "--lang", "en", *words],
            env={**os.environ, "PYTHONUTF8": "1", **(environment or {})},
            stdout=out,
            stderr=subprocess.PIPE if out is subprocess.PIPE else out,
            preexec_fn=before,
            timeout=120,
            check=False,
        )

    def items(self) -> list[dict[str, Any]]:
        done = self.run("items", "--json")
        assert done.returncode == 0, done.stderr.decode()
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def mails(self) -> list[str]:
        """File names in the mailbox, without flags."""
        folder = self.folder / "mailbox"
        return sorted(
            p.name.partition(":")[0] for d in ("new", "cur") for p in (folder / d).iterdir()
        )

    def letters(self) -> list[Message]:
        folder = self.folder / "outbox" / "new"
        if not folder.exists():
            return []
        return [message_from_bytes(p.read_bytes()) for p in sorted(folder.iterdir())]
