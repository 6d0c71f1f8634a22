"""Row K15: SIGTERM while the SMTP server has the whole letter and has not answered yet, to a real
`mailbot run`."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mailbot.adapters.smtp.transport import SmtpAccount
from tests.integration.daemon_help import PATIENCE, configure, environment, submission, until
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import STALL, FaultServer, Say

pytestmark = pytest.mark.dovecot

IMPATIENT = """
import sys
from dataclasses import replace
from mailbot.adapters.settings import accounts
whole = accounts.smtp_account
accounts.smtp_account = lambda box: replace(whole(box), dot_timeout=1.0)
from mailbot.cli import main
sys.exit(main())
"""
"""`mailbot` that waits a second for the answer to the dot, instead of ten minutes."""


def states(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "data" / "mailbot.db")) as db:
        return [row[0] for row in db.execute("select state from outbox")]


class Running:
    def __init__(self, folder: Path, *python: str) -> None:
        self.log = folder / "bot.log"
        command = [sys.executable, *python, "--config", str(folder / "mailbot.toml"), "run"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment())

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def holding(request: pytest.FixtureRequest) -> Iterator[FaultServer]:
    with FaultServer({"dot": [request.param]}) as server:
        yield server


SLOW = Say(b"250 Mail OK queued at last\r\n", wait=1.5)


@pytest.mark.parametrize("holding", [SLOW], indirect=True)
def test_k15_the_answer_that_is_under_way_is_waited_for(
    tmp_path: Path, dovecot: Dovecot, mail_user: str, holding: FaultServer
) -> None:
    configure(tmp_path, dovecot, mail_user, holding)  # type: ignore[arg-type]
    dovecot.append(mail_user, submission(1))
    with Running(tmp_path, "-m", "mailbot") as bot:
        until(lambda: len(holding.letters) == 1, "the dot", bot.log)
        assert states(tmp_path) == ["dot"]
        bot.process.send_signal(signal.SIGTERM)
        assert bot.process.wait(PATIENCE) == 0, bot.log.read_text("utf-8")
    assert states(tmp_path) == ["sent"]
    assert len(holding.letters) == 1


@pytest.mark.long
@pytest.mark.parametrize("holding", [STALL], indirect=True)
def test_k15_an_answer_that_never_comes_is_not_waited_for_for_ever(
    tmp_path: Path, dovecot: Dovecot, mail_user: str, holding: FaultServer
) -> None:
    """It ends by itself, cleanly, and the letter is known to be uncertain."""
    configure(tmp_path, dovecot, mail_user, holding)  # type: ignore[arg-type]
    dovecot.append(mail_user, submission(1))
    with Running(tmp_path, "-c", IMPATIENT) as bot:
        until(lambda: len(holding.letters) == 1, "the dot", bot.log)
        bot.process.send_signal(signal.SIGTERM)
        assert bot.process.wait(PATIENCE) == 0, bot.log.read_text("utf-8")
    assert states(tmp_path) == ["unknown"]


def test_k15_the_bound_is_the_ten_minutes_of_rfc_5321() -> None:
    """Section 4.5.3.2.6."""
    assert SmtpAccount("smtp.example.org", 465, "tls", "xinxi@example.org").dot_timeout == 600
