"""`mailbot run` as an operator sees it: health page, alerts, logs, systemd, reload; and
`mailbot health` beside it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from mailbot.adapters.systemd import notify
from tests.integration.daemon_help import PATIENCE, environment, submission, until
from tests.servers.smtp_sink import free_port

SETTINGS = """
data_dir = "data"
poll_seconds = 1
log_format = "json"
log_redact = true
health = "127.0.0.1:{port}"
answer_max_age_hours = 1000000
[alerts]
command = ["{script}"]
[[mailboxes]]
name = "otog"
kind = "maildir"
maildir = "in"
offices = ["otog"]
address = "xinxi@example.org"
outgoing.outbox = "out"
"""


def healthz(port: int) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        return dict(json.load(error))
    except OSError:
        return {}


def command(config: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mailbot", "--config", str(config), *args],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )


def test_a_day_of_an_operator(tmp_path: Path) -> None:
    for part in ("cur", "new", "tmp"):
        (tmp_path / "in" / part).mkdir(parents=True)
    script, told, port = tmp_path / "sms", tmp_path / "told", free_port()
    script.write_text(f"#!/bin/sh\ncat >> {told}\n")
    script.chmod(0o755)
    config, log = tmp_path / "mailbot.toml", tmp_path / "bot.log"
    good = SETTINGS.format(port=port, script=script)
    config.write_text(good, "utf-8")
    (tmp_path / "in" / "new" / "1.mail").write_bytes(submission(1))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    listener.settimeout(PATIENCE)
    with log.open("wb") as out:
        bot = subprocess.Popen(
            [sys.executable, "-m", "mailbot", "--config", str(config), "run"],
            stdout=out,
            stderr=out,
            env=environment() | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
    try:
        assert "READY=1" in listener.recv(100).decode().split("\n")
        until(lambda: any((tmp_path / "out" / "new").glob("*")), "the answer", log)
        until(lambda: healthz(port).get("state") in ("ok", "degraded"), "a good state", log)
        shown = healthz(port)
        assert shown["mailboxes"]["otog"]["waiting"] == 0 and shown["schema"]
        assert "@" not in json.dumps(shown)
        done = command(config, "health", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["letters"] == shown["letters"]
        # A reload with a fault: told at once, the old settings stay; mended: taken.
        config.write_text("pol_seconds = 1\n" + good, "utf-8")
        bot.send_signal(signal.SIGHUP)
        until(lambda: "config" in [r["key"] for r in healthz(port)["reasons"]], "the fault", log)
        config.write_text(good, "utf-8")
        bot.send_signal(signal.SIGHUP)
        until(lambda: "config" not in [r["key"] for r in healthz(port)["reasons"]], "its end", log)
        (tmp_path / "in" / "new" / "2.mail").write_bytes(submission(2))
        until(lambda: len(list((tmp_path / "out" / "new").glob("*"))) == 2, "the second", log)
    finally:
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(PATIENCE) == 0, log.read_text("utf-8", "replace")
        listener.close()
    said = log.read_text("utf-8")
    events = [json.loads(line) for line in said.splitlines()]
    assert {"time", "level", "logger", "message"} <= set(events[0])
    assert any("pol_seconds" in event["message"] for event in events)
    for hidden in ("zhangsan@", "xinxi@", "7622029", "春耕物资储备到位"):
        assert hidden not in said, "no address, number or title in the log"


def test_health_says_by_its_exit_code_that_nothing_runs(tmp_path: Path) -> None:
    config = tmp_path / "mailbot.toml"
    config.write_text(SETTINGS.format(port=free_port(), script="/bin/true"), "utf-8")
    assert command(config, "health").returncode == 2, "never started: there is no database"
    for part in ("cur", "new", "tmp"):
        (tmp_path / "in" / part).mkdir(parents=True)
    assert command(config, "once").returncode == 0
    assert command(config, "health").returncode == 0
    import sqlite3

    db = sqlite3.connect(tmp_path / "data" / "mailbot.db")
    db.execute("UPDATE folder SET searched = '2026-01-01 00:00:00.000000'")
    db.commit()
    db.close()
    done = command(config, "health")
    assert done.returncode == 1 and "没有查信成功" in done.stdout


def test_systemd_is_told_where_it_listens_and_nobody_else(tmp_path: Path) -> None:
    assert not notify("READY=1", {})
    assert not notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "nowhere")})
    assert not notify("READY=1", {"NOTIFY_SOCKET": "relative"})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind("\0mailbot-test-abstract")
        assert notify("STATUS=收信", {"NOTIFY_SOCKET": "@mailbot-test-abstract"})
        assert line.recv(100).decode() == "STATUS=收信"
