"""Second channels against real counterparts: a program, a robot's web server, an SMTP server."""

from __future__ import annotations

import email.policy
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mailbot.adapters.alerting.channels import channels
from mailbot.adapters.alerting.command import CommandChannel
from mailbot.adapters.alerting.webhook import WebhookChannel, cut
from mailbot.adapters.doctor.watch import check_watching
from mailbot.adapters.settings.model import AlertSettings, SmtpSettings, load_settings
from mailbot.adapters.signing import Signer
from mailbot.adapters.system import SystemClock
from mailbot.app.doctor import Check, State
from mailbot.app.errors import Retryable, WorldFault
from mailbot.app.health import Health
from mailbot.app.health import State as HealthState
from mailbot.web.health import serve
from tests.servers.smtp_sink import SmtpSink, free_port

TITLE, TEXT = "mailbot 鄂托克前旗：1 处故障", "● 故障：邮箱 otog 有故障。\n○ 已恢复：磁盘。"


@dataclass
class Robot:
    """Takes POSTs; answers as it is told."""

    port: int = 0
    status: int = 200
    answer: bytes = b'{"errcode":0,"errmsg":"ok"}'
    location: str = ""
    got: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Path, content type, body."""


@contextmanager
def robot() -> Iterator[Robot]:
    one = Robot()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            one.got.append((self.path, self.headers["Content-Type"], self.rfile.read(length)))
            self.send_response(one.status)
            if one.location:
                self.send_header("Location", one.location)
            self.send_header("Content-Length", str(len(one.answer)))
            self.end_headers()
            self.wfile.write(one.answer)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Handler)
    one.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def url(one: Robot) -> str:
    return f"http://127.0.0.1:{one.port}/cgi-bin/webhook/send?key=hunter2"


@pytest.mark.parametrize("form", ["wecom", "dingtalk"])
def test_a_robot_gets_its_json(form: str) -> None:
    with robot() as one:
        WebhookChannel(url(one), form).tell(TITLE, TEXT)  # type: ignore[arg-type]
    ((path, kind, body),) = one.got
    assert path.endswith("key=hunter2") and kind.startswith("application/json")
    assert json.loads(body) == {"msgtype": "text", "text": {"content": f"{TITLE}\n{TEXT}"}}


def test_anything_else_gets_the_text_as_it_is() -> None:
    with robot() as one:
        one.answer = b"thanks"
        WebhookChannel(url(one), "plain").tell(TITLE, TEXT)
    ((_path, kind, body),) = one.got
    assert body.decode() == f"{TITLE}\n{TEXT}" and kind.startswith("text/plain")


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (200, b'{"errcode":93000,"errmsg":"invalid webhook url"}', "errcode_93000"),
        (200, b"<html>welcome</html>", "alert_robot"),
        (200, b"[]", "alert_robot"),
        (200, b"", "alert_robot"),
        (404, b"", "http_404"),
        (500, b'{"errcode":0}', "http_500"),
    ],
)
def test_a_robot_that_refuses_is_a_failure_without_its_key(
    status: int, answer: bytes, code: str
) -> None:
    with robot() as one, pytest.raises(Retryable) as caught:
        one.status, one.answer = status, answer
        WebhookChannel(url(one), "wecom").tell(TITLE, TEXT)
    assert caught.value.code == code
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirection_is_followed(status: int) -> None:
    with robot() as other, robot() as one, pytest.raises(Retryable):
        one.status, one.location = status, url(other)
        WebhookChannel(url(one), "wecom").tell(TITLE, TEXT)
    assert other.got == [] and len(one.got) == 1


def test_nobody_there_is_a_failure_without_the_key() -> None:
    with robot() as one:
        gone = url(one)
    with pytest.raises(Retryable) as caught:
        WebhookChannel(gone, "wecom").tell(TITLE, TEXT)
    assert "hunter2" not in str(caught.value) and caught.value.__cause__ is None


def test_a_robot_s_limit_is_kept_in_bytes() -> None:
    with robot() as one:
        WebhookChannel(url(one), "wecom").tell(TITLE, "长" * 5000)
    content = json.loads(one.got[0][2])["text"]["content"]
    assert len(content.encode()) <= 2048 and content.endswith("长…")
    assert cut("abc", 3) == "abc"


# --- a program ------------------------------------------------------------------------------


def script(folder: Path, body: str) -> Path:
    path = folder / "sms"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_a_program_gets_the_text_and_none_of_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILBOT_OTOG_CODE", "hunter2")
    out = tmp_path / "out"
    path = script(tmp_path, f'{{ echo "$1"; cat; env; }} > {out}')
    CommandChannel([str(path), "13800000000"]).tell(TITLE, TEXT)
    said = out.read_text()
    assert said.startswith(f"13800000000\n{TITLE}\n{TEXT}\n")
    assert "hunter2" not in said and "PATH=" in said


def test_arguments_are_no_shell_s_business(tmp_path: Path) -> None:
    out = tmp_path / "out"
    CommandChannel([str(script(tmp_path, f'echo "$1" > {out}')), "$(id); x"]).tell("a", "b")
    assert out.read_text() == "$(id); x\n"


@pytest.mark.parametrize("body", ["exit 3", "kill -9 $$"])
def test_a_program_that_fails_is_told(tmp_path: Path, body: str) -> None:
    with pytest.raises(Retryable):
        CommandChannel([str(script(tmp_path, body))]).tell(TITLE, TEXT)


def test_a_program_that_is_not_there_or_reads_nothing(tmp_path: Path) -> None:
    with pytest.raises(Retryable, match="cannot be started"):
        CommandChannel([str(tmp_path / "nowhere")]).tell(TITLE, TEXT)
    CommandChannel([str(script(tmp_path, "exit 0"))]).tell(TITLE, TEXT * 50_000)


def test_a_program_that_hangs_ends_with_all_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    path = script(tmp_path, f"sleep 600 & echo $! > {pid}.tmp; mv {pid}.tmp {pid}; wait")
    with pytest.raises(Retryable, match="no end"):
        CommandChannel([str(path)], seconds=2).tell(TITLE, TEXT)
    child = Path(f"/proc/{pid.read_text().strip()}/stat")
    for _ in range(200):
        if not child.exists() or " Z " in child.read_text():
            return
        time.sleep(0.05)
    raise AssertionError("the program's child still runs")


# --- mail -----------------------------------------------------------------------------------


def mailed(sink: SmtpSink, *to: str) -> AlertSettings:
    smtp = SmtpSettings(
        host="127.0.0.1", port=sink.port, security="plain", login=False, pace_seconds=0
    )
    return AlertSettings(mail_to=to, mail_from="jiankong@example.org", smtp=smtp)


def test_a_letter_to_each_through_the_other_account() -> None:
    signer = Signer(b"0" * 32)
    with SmtpSink(refuse={"b@example.org": "550 no such user"}) as sink:
        first, second, third = channels(
            mailed(sink, "a@example.org", "b@example.org", "c@example.org"), signer, SystemClock()
        )
        first.tell(TITLE, TEXT)
        with pytest.raises(WorldFault):
            second.tell(TITLE, TEXT)
        third.tell(TITLE, TEXT)
        first.tell(TITLE, TEXT)
    assert [t.recipients for t in sink.letters] == [
        ("a@example.org",), ("c@example.org",), ("a@example.org",)
    ]  # fmt: skip
    letter = message_from_bytes(sink.letters[0].raw, policy=email.policy.default)
    assert letter["Subject"] == TITLE and letter["Auto-Submitted"] == "auto-generated"
    body = letter.get_body(("plain",))
    assert body is not None and "邮箱 otog 有故障" in body.get_content()
    assert signer.is_ours(str(letter["X-Mailbot-Id"])), "our own alerts are never answered"
    ids = {message_from_bytes(t.raw)["Message-ID"] for t in sink.letters}
    assert len(ids) == 3, "two alerts are two letters"


def test_the_channels_that_are_set_are_made() -> None:
    with SmtpSink() as sink:
        settings = mailed(sink, "a@example.org").model_copy(
            update={"command": ("/bin/true",), "webhook": "https://robot.example.org/send"}
        )
        names = [c.name for c in channels(settings, Signer(b"0" * 32), SystemClock())]
    assert names == ["command", "webhook", "mail:a@example.org"]
    assert channels(AlertSettings(), Signer(b"0" * 32), SystemClock()) == []


# --- the doctor -----------------------------------------------------------------------------


def doctored(tmp_path: Path, send: bool, text: str) -> dict[str, Check]:
    file = tmp_path / "mailbot.toml"
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    settings = load_settings(file, {})
    return {c.name: c for c in check_watching(settings, SystemClock(), send=send)}


def test_the_doctor_sends_a_test_message_only_when_asked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    sms = script(tmp_path, f"cat > {out}")
    with robot() as one:
        text = f'[alerts]\ncommand = ["{sms}"]\nwebhook = "{url(one)}"\n'
        assert doctored(tmp_path, False, text)["alerts"].state is State.OK
        assert one.got == [] and not out.exists()
        found = doctored(tmp_path, True, text)
        assert len(one.got) == 1 and "测试" in out.read_text()
        assert {c.state for c in found.values()} == {State.OK}
        one.answer = b'{"errcode":93000}'
        failed = doctored(tmp_path, True, text)["alerts.test:webhook"]
    assert failed.state is State.FAIL and "93000" in failed.found and failed.remedy
    assert "hunter2" not in str(failed)


def test_the_doctor_looks_at_what_the_channels_need(tmp_path: Path) -> None:
    assert doctored(tmp_path, True, "")["alerts"].state is State.SKIP
    gone = doctored(tmp_path, False, f'[alerts]\ncommand = ["{tmp_path}/nowhere"]\n')["alerts"]
    assert gone.state is State.FAIL and "nowhere" in gone.found
    text = '[alerts]\nwebhook = "https://robot.example.org/send?key=hunter2"\n'
    assert doctored(tmp_path, False, text)["alerts"].state is State.OK
    (tmp_path / "mailbot.toml").chmod(0o644)
    settings = load_settings(tmp_path / "mailbot.toml", {})
    (check,) = check_watching(settings, SystemClock(), send=False)
    assert check.state is State.WARN and check.remedy.startswith("chmod 600")


def test_the_doctor_knows_a_health_page_that_runs_from_a_taken_port(tmp_path: Path) -> None:
    port = free_port()
    text = f'health = "127.0.0.1:{port}"\n'
    assert doctored(tmp_path, False, text)["health"].state is State.OK
    stop = threading.Event()
    health = Health(SystemClock().now(), HealthState.FAILED, (), None, None, {})
    thread = serve(f"127.0.0.1:{port}", lambda: health, stop)
    assert "answers" in doctored(tmp_path, False, text)["health"].found
    stop.set()
    thread.join(30)
    with robot() as other:
        taken = doctored(tmp_path, False, f'health = "127.0.0.1:{other.port}"\n')["health"]
    assert taken.state is State.FAIL and taken.remedy
