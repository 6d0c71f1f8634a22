"""`/healthz` and `/metrics` over HTTP, for a monitoring system on this machine or near it.

It takes GET and HEAD for these two addresses, and nothing else. A client that is slow, or many at
once, hold up neither the others nor mailbot: each has a thread and a few seconds, there are few
threads, and the health is looked up at most every few seconds however often it is asked for.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from prometheus_client import CONTENT_TYPE_LATEST

from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.health import Health, State
from mailbot.web.figures import as_json, as_metrics

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

FRESH_SECONDS = 2.0
"""So long one look serves everybody who asks."""
LOOK_SECONDS = 8.0
"""Longest wait for a look somebody else has started: a database that hangs is a failure too."""
CLIENT_SECONDS = 5.0
"""For each read from a client; twice that for the whole request when there are many."""
STOP_SECONDS = 0.5
"""Longest wait of the end of the program for this thread."""
CLIENTS = 16
MAX_LINE = 4096

Look = Callable[[], Health]


def serve(address: str, health: Look, stop: threading.Event) -> threading.Thread:
    """Answers at `address` (`127.0.0.1:8025`) in a thread of its own until `stop`. Raises
    `OperatorFault` when nobody can listen there."""
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        server = _server_class(family)((host, port), _Handler)
    except (OSError, OverflowError) as error:
        raise _cannot_listen(address, error) from None
    server.set_app(HealthApp(health))
    thread = threading.Thread(target=_run, args=(server, stop), name="health", daemon=True)
    thread.start()
    return thread


def split_address(address: str) -> tuple[str, int]:
    """Host without brackets, and port."""
    host, _colon, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _cannot_listen(address: str, error: Exception) -> OperatorFault:
    found = f"健康检查的地址 {address} 用不了（{getattr(error, 'strerror', None) or error}）"
    remedy = "可能另一个程序占着这个端口：换一个端口，或删去 health 这一行"
    return OperatorFault(Fault("health", found, remedy))


def _run(server: _Server, stop: threading.Event) -> None:
    server.timeout = STOP_SECONDS
    with contextlib.closing(server.socket):
        while not stop.is_set():
            try:
                server.handle_request()
            except Exception:
                # Out of file handles or threads: the monitoring waits, mailbot does not.
                log.exception("health: a request failed")
                stop.wait(1.0)
        server.cut(0.0)


class HealthApp:
    """The WSGI application (PEP 3333)."""

    def __init__(self, health: Look) -> None:
        self._health = health
        self._lock = threading.Lock()
        self._last: Health | None = None
        self._until = 0.0

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        status, kind, body, *more = self._answer(environ)
        headers = [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *more,
        ]
        start(status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: WSGIEnvironment) -> tuple[Any, ...]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return (*_plain("405 Method Not Allowed"), ("Allow", "GET, HEAD"))
        path = environ.get("PATH_INFO", "")
        if path not in ("/healthz", "/metrics"):
            return _plain("404 Not Found")
        try:
            health = self._look()
        except Exception:
            log.exception("health: the look failed")
            return _plain("500 Internal Server Error")
        if health is None:
            return _plain("503 Service Unavailable")
        if path == "/metrics":
            return "200 OK", CONTENT_TYPE_LATEST, as_metrics(health)
        status = "503 Service Unavailable" if health.state is State.FAILED else "200 OK"
        body = json.dumps(as_json(health), ensure_ascii=False, indent=1) + "\n"
        return status, "application/json; charset=utf-8", body.encode()

    def _look(self) -> Health | None:
        """None: the look under way takes too long."""
        if not self._lock.acquire(timeout=LOOK_SECONDS):
            return None
        try:
            if self._last is None or time.monotonic() >= self._until:
                self._last = self._health()
                self._until = time.monotonic() + FRESH_SECONDS
            return self._last
        finally:
            self._lock.release()


def _plain(status: str) -> tuple[str, str, bytes]:
    return status, "text/plain; charset=utf-8", f"{status}\n".encode()


class _Response(ServerHandler):
    server_software = "mailbot"


class _Handler(WSGIRequestHandler):
    """One request of one client, then the line is closed."""

    timeout = CLIENT_SECONDS

    def handle(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(MAX_LINE + 1)
            if len(self.raw_requestline) > MAX_LINE:
                self.requestline = self.request_version = self.command = ""
                self.send_error(414)
                return
            if not self.parse_request():
                return
            environ = self.get_environ()
            wire = cast("IO[bytes]", self.rfile), cast("IO[bytes]", self.wfile)
            response = _Response(*wire, self.get_stderr(), environ)
            response.request_handler = self  # type: ignore[attr-defined]  # it logs through it
            response.run(self.server.get_app())  # type: ignore[attr-defined]
        except (OSError, ValueError):
            pass  # gone, too slow, or cut off: nobody is left to answer

    def address_string(self) -> str:
        return str(self.client_address[0])  # asking the name server would take its time

    def version_string(self) -> str:
        return "mailbot"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name upstream)
        log.debug("%s %s", self.address_string(), format % args)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = CLIENTS
    allow_reuse_address = True

    def __init__(self, *args: Any) -> None:
        self._lock = threading.Lock()
        self._clients: dict[int, tuple[float, socket.socket]] = {}
        super().__init__(*args)

    def server_bind(self) -> None:
        """Without WSGIServer's look for this machine's name, which may wait for a name server."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            full = len(self._clients) >= CLIENTS
        if full:
            self.cut(2 * CLIENT_SECONDS)
            self.shutdown_request(request)
            return
        with self._lock:
            self._clients[id(request)] = (time.monotonic(), request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._clients.pop(id(request), None)
        super().shutdown_request(request)

    def cut(self, older: float) -> None:
        """Cuts off those who have been here for longer."""
        with self._lock:
            now = time.monotonic()
            late = [s for since, s in self._clients.values() if now - since >= older]
        for line in late:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("health: a client was lost", exc_info=True)


class _Server6(_Server):
    address_family: ClassVar[int] = socket.AF_INET6  # type: ignore[misc]


def _server_class(family: int) -> type[_Server]:
    return _Server6 if family == socket.AF_INET6 else _Server
