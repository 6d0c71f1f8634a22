"""Several `mailbot run` on one PostgreSQL, each on a host of its own: a folder, nothing shared but
the database, the mail servers and the signing secret."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from email import message_from_bytes
from pathlib import Path

from sqlalchemy import text

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.system import shipped
from tests.integration.daemon_help import PATIENCE, Bot, until
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import FaultServer, SmtpSink, Taken

LEASE = 3.0
"""Seconds; short, so that a takeover does not take a test's whole time."""
LONG_LEASE = 30.0
"""Where nobody takes over: on a busy machine a short one runs out in the middle of the work."""


class Machines:
    """The installation, and the hosts made so far."""

    def __init__(
        self,
        folder: Path,
        url: str,
        dovecot: Dovecot,
        users: Sequence[str],
        sink: SmtpSink | FaultServer,
        lease: float = LEASE,
    ) -> None:
        self.folder, self.url, self.lease = folder, url, lease
        self.dovecot, self.users, self.sink = dovecot, list(users), sink
        self.hosts: list[Bot] = []
        self.patience = 2 * PATIENCE
        self.extra = ""
        self.secret = folder / "secret.key"
        self.secret.touch(mode=0o600)
        self.secret.write_text(secrets.token_hex(32))

    def own_office(self, **limits: int) -> None:
        """The office's data, apart from these limits; for hosts made from now on."""
        office = self.folder / "config" / "offices" / "otog"
        shutil.copytree(shipped("config") / "offices" / "otog", office)
        shutil.rmtree(office / "cases")
        text = (office / "office.toml").read_text("utf-8")
        for name, value in limits.items():
            text, changed = re.subn(rf"(?m)^{name} = \d+", f"{name} = {value}", text)
            assert changed == 1, name
        (office / "office.toml").write_text(text, "utf-8")
        self.extra = f'config_dir = "{self.folder / "config"}"\n'

    def start(self, count: int) -> list[Bot]:
        """So many new machines, started at the same moment."""
        hosts = [self.host() for _ in range(count)]
        for bot in hosts:
            bot.start()
        return hosts

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Waits for a condition; fails with what every machine said."""
        try:
            until(condition, what, patience=self.patience)
        except AssertionError as late:
            told = [f"--- {bot.config.parent.name}\n{said(bot)[-4000:]}" for bot in self.hosts]
            raise AssertionError("\n".join([str(late), *told])) from None

    def host(self, name: str = "") -> Bot:
        """Another machine; the same one again under the same name."""
        folder = self.folder / (name or f"host{len(self.hosts)}")
        folder.mkdir(exist_ok=True)
        config = folder / "mailbot.toml"
        config.write_text(self._settings(), encoding="utf-8")
        bot = Bot(config)
        bot.log.touch()
        self.hosts.append(bot)
        return bot

    def _settings(self) -> str:
        parts = [
            f"""
data_dir = "data"
database_url = "{self.url}"
archive = "database"
secret_file = "{self.secret}"
lease_seconds = {self.lease}
poll_seconds = 1
{self.extra}"""
        ]
        for number, user in enumerate(self.users):
            parts.append(f"""
[[mailboxes]]
name = "box{number}"
offices = ["otog"]
address = "xinxi{number}@example.org"
credential_env = "TEST_CODE"
imap = {{ host = "127.0.0.1", port = {self.dovecot.imap_port}, security = "plain", username = "{user}" }}
[mailboxes.outgoing]
smtp = {{ host = "127.0.0.1", port = {self.sink.port}, security = "plain", login = false, pace_seconds = 0 }}
""")
        return "".join(parts)

    def __enter__(self) -> Machines:
        return self

    def __exit__(self, *_: object) -> None:
        for bot in self.hosts:
            if bot.process is not None:
                bot.process.send_signal(signal.SIGCONT)
                bot.kill()


def said(bot: Bot) -> str:
    return bot.log.read_text("utf-8", "replace") if bot.log.exists() else ""


def holders(store: SqlStore) -> dict[str, int]:
    """Process ids by the name of the lease they hold."""
    with store.snapshot() as db:
        rows = db.execute(text("SELECT name, holder FROM lease WHERE holder != ''")).all()
    return {name: int(holder.rsplit("-", 2)[1]) for name, holder in rows}


def holder_of(store: SqlStore, hosts: Sequence[Bot], box: int = 0) -> Bot | None:
    pid = holders(store).get(f"mailbox:box{box}")
    return next((b for b in hosts if b.process is not None and b.process.pid == pid), None)


def pause(bot: Bot) -> None:
    assert bot.process is not None
    bot.process.send_signal(signal.SIGSTOP)
    while "T" not in Path(f"/proc/{bot.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]:
        os.sched_yield()


def wake(bot: Bot) -> None:
    assert bot.process is not None
    bot.process.send_signal(signal.SIGCONT)


def sent_ids(letters: Sequence[Taken]) -> Counter[str]:
    return Counter(str(message_from_bytes(t.raw)["Message-ID"]) for t in letters)
