"""The health page over real sockets, asked well, badly, slowly and by many."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from mailbot.app.errors import OperatorFault
from mailbot.app.health import Figures, Health, MailboxFigures, Reason, State
from mailbot.web import health as web
from mailbot.web.health import serve
from tests.servers.smtp_sink import free_port
from tests.unit import store_help as h

FIGURES = Figures("0004", {"otog": MailboxFigures(searched=h.NOON)}, {"ready": 2})


@dataclass
class Page:
    """A served health that the test sets."""

    port: int = 0
    state: State = State.OK
    asked: int = 0
    fault: Exception | None = None
    hold: threading.Event = field(default_factory=threading.Event)

    def look(self) -> Health:
        self.asked += 1
        self.hold.wait(30)
        if self.fault:
            raise self.fault
        reasons = () if self.state is State.OK else (Reason("outbox", self.state, "有信没发出。"),)
        return Health(h.NOON, self.state, reasons, FIGURES, 10**9, {"otog": 300})

    def get(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        line.request(method, path)
        answer = line.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setattr(web, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(web, "CLIENT_SECONDS", 0.3)
    monkeypatch.setattr(web, "STOP_SECONDS", 0.02)
    monkeypatch.setattr(web._Handler, "timeout", 0.3)
    one, stop = Page(free_port()), threading.Event()
    one.hold.set()
    thread = serve(f"127.0.0.1:{one.port}", one.look, stop)
    yield one
    stop.set()
    one.hold.set()
    thread.join(30)
    assert not thread.is_alive()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", one.port), 1).close()


@pytest.mark.parametrize(
    ("state", "status"), [(State.OK, 200), (State.DEGRADED, 200), (State.FAILED, 503)]
)
def test_the_state_is_the_status(page: Page, state: State, status: int) -> None:
    page.state = state
    found, headers, body = page.get("/healthz")
    assert found == status and json.loads(body)["state"] == state.value
    assert headers["Content-Type"].startswith("application/json")
    assert headers["Server"] == "mailbot", "no version of anything is told"
    assert headers["Cache-Control"] == "no-store"


def test_metrics_are_what_prometheus_reads(page: Page) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    page.state = State.FAILED
    status, headers, body = page.get("/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain")
    found = {f.name: f for f in text_string_to_metric_families(body.decode())}
    assert found["mailbot_mailbox_search_age_seconds"].samples[0].labels == {"mailbox": "otog"}
    assert found["mailbot_letters"].samples[0].value == 2
    assert {s.labels["state"]: s.value for s in found["mailbot_state"].samples}["failed"] == 1


def test_head_has_the_headers_alone(page: Page) -> None:
    status, headers, body = page.get("/healthz", "HEAD")
    assert status == 200 and body == b"" and int(headers["Content-Length"]) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
def test_nothing_but_get_and_head(page: Page, method: str) -> None:
    assert page.get("/healthz", method)[0] == 405


@pytest.mark.parametrize(
    "path", ["/", "/healthz/", "/../healthz", "/metrics/x", "/%00", "/etc/passwd"]
)
def test_nothing_but_the_two_addresses(page: Page, path: str) -> None:
    assert page.get(path)[0] == 404
    assert page.asked == 0


def test_a_question_mark_changes_nothing(page: Page) -> None:
    assert page.get("/healthz?verbose=1")[0] == 200


def test_our_bug_is_a_500_and_in_the_log(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    page.fault = ZeroDivisionError("x")
    with caplog.at_level(logging.ERROR):
        assert page.get("/healthz")[0] == 500
    assert "ZeroDivisionError" in caplog.text
    page.fault = None
    assert page.get("/healthz")[0] == 200


def raw(page: Page, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", page.port), 30) as line:
        line.sendall(sent)
        said = b""
        try:
            while piece := line.recv(65536):
                said += piece
        except ConnectionResetError:
            pass
        return said


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET http://[bad/healthz HTTP/1.1\r\n\r\n",
    ],
)
def test_nonsense_is_refused_and_the_next_one_served(page: Page, sent: bytes) -> None:
    said = raw(page, sent)
    assert b" 200 " not in said.partition(b"\r\n")[0]
    assert b"Python" not in said and b"Traceback" not in said
    assert page.get("/healthz")[0] == 200


def test_a_body_is_not_waited_for(page: Page) -> None:
    head = b"GET /healthz HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"
    assert b" 200 " in raw(page, head).partition(b"\r\n")[0]


def test_slow_clients_hold_up_nobody(page: Page) -> None:
    """More of them than there are threads, each sending a sign now and then."""
    stop = threading.Event()
    lines = [socket.create_connection(("127.0.0.1", page.port), 30) for _ in range(40)]

    def drip() -> None:
        while not stop.wait(0.1):
            for line in lines:
                try:
                    line.send(b"G")
                except OSError:
                    continue

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        for _ in range(600):
            try:
                assert page.get("/healthz")[0] == 200
                return
            except (OSError, http.client.HTTPException):
                stop.wait(0.05)
        raise AssertionError("never served")
    finally:
        stop.set()
        dripping.join()
        for line in lines:
            line.close()


def test_many_at_once_cost_one_look(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "FRESH_SECONDS", 3600.0)
    page.hold.clear()
    answers: list[int] = []
    asking = [
        threading.Thread(target=lambda: answers.append(page.get("/healthz")[0])) for _ in range(8)
    ]
    for thread in asking:
        thread.start()
    page.hold.set()
    for thread in asking:
        thread.join()
    assert answers == [200] * 8 and page.asked == 1


def test_a_look_that_hangs_is_a_failure_to_the_others(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "LOOK_SECONDS", 0.2)
    page.hold.clear()
    first = threading.Thread(target=page.get, args=("/healthz",))
    first.start()
    while page.asked == 0:
        threading.Event().wait(0.01)
    assert page.get("/healthz")[0] == 503
    page.hold.set()
    first.join()


def test_a_taken_port_is_the_operator_s_to_mend(page: Page) -> None:
    with pytest.raises(OperatorFault, match=str(page.port)):
        serve(f"127.0.0.1:{page.port}", page.look, threading.Event())
    with pytest.raises(OperatorFault):
        serve("192.0.2.1:8025", page.look, threading.Event())


def test_ipv6_is_served_too() -> None:
    stop, page = threading.Event(), Page()
    page.hold.set()
    port = free_port()
    try:
        thread = serve(f"[::1]:{port}", page.look, stop)
    except OperatorFault:
        pytest.skip("no IPv6 on this machine")
    with urllib.request.urlopen(f"http://[::1]:{port}/healthz", timeout=30) as answer:
        assert answer.status == 200
    stop.set()
    thread.join(30)
