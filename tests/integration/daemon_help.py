"""A real `mailbot run` process against a real Dovecot and a real SMTP server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import SmtpSink

PATIENCE = 60.0
"""Seconds a test waits for something that takes about one: machines are noisy."""


def submission(
    number: int, *, subject: str | None = None, sender: str = "zhangsan@example.net"
) -> bytes:
    """A mail as a liaison's client writes it; each number is another item."""
    mail = EmailMessage()
    mail["From"] = f"张三 <{sender}>"
    mail["To"] = "xinxi@example.org"
    mail["Subject"] = subject or f"农牧局+第{number}批春耕物资储备到位+张三+7622029"
    mail["Message-ID"] = f"<test-{number}-{sender}>"
    mail["Date"] = "Wed, 12 Aug 2026 09:30:00 +0800"
    mail.set_content(f"第{number}批春耕物资已经储备到位，种子化肥供应充足，农牧民满意。")
    return mail.as_bytes()


def configure(folder: Path, dovecot: Dovecot, user: str, sink: SmtpSink, extra: str = "") -> Path:
    """Writes a settings file for a plain-text loopback mailbox; returns its path."""
    config = folder / "mailbot.toml"
    config.write_text(
        f"""
data_dir = "data"
poll_seconds = 2
{extra}
[[mailboxes]]
name = "otog"
offices = ["otog"]
address = "xinxi@example.org"
credential_env = "TEST_CODE"
imap = {{ host = "127.0.0.1", port = {dovecot.imap_port}, security = "plain", username = "{user}" }}
[mailboxes.outgoing]
smtp = {{ host = "127.0.0.1", port = {sink.port}, security = "plain", login = false, pace_seconds = 0 }}
""",
        encoding="utf-8",
    )
    return config


class Bot:
    """`mailbot run` as its own process; `kill` is SIGKILL, `stop` is SIGTERM."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.log = config.parent / "bot.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mailbot", "--config", str(self.config), "run"],
                stdout=log,
                stderr=log,
                env=environment(),
            )

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def command(self, *args: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "mailbot", "--config", str(self.config), *args],
            capture_output=True,
            env=environment(),
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def __enter__(self) -> Bot:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.kill()


def environment() -> dict[str, str]:
    return {**os.environ, "TEST_CODE": "secret", "MAILBOT_LANG": "en", "PYTHONUTF8": "1"}


def until(
    condition: Callable[[], bool],
    what: str,
    log: Path | None = None,
    *,
    patience: float = PATIENCE,
) -> None:
    """Waits for a condition; fails naming what did not happen, with the daemon's log."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    said = log.read_text("utf-8", "replace")[-4000:] if log and log.exists() else ""
    raise AssertionError(f"{what} did not happen\n{said}")
