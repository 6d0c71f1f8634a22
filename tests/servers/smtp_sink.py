"""Two SMTP servers for tests: a real one that keeps what it gets, and one that misbehaves on cue.

`SmtpSink` is aiosmtpd with TLS, STARTTLS and AUTH. `FaultServer` speaks just enough SMTP over raw
sockets to say anything at any moment, to cut a line in the middle, or to say nothing at all.
Both listen on a loopback port of their own choosing and are context managers.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult, Envelope, Session

# It tells of every line it hears, from a thread that may outlive the test's output.
logging.getLogger("mail.log").setLevel(logging.WARNING)

Security = Literal["tls", "starttls", "plain"]


@dataclass(frozen=True)
class Taken:
    """One accepted letter."""

    mail_from: str
    recipients: tuple[str, ...]
    raw: bytes
    login: str | None
    tls: bool


class Authority:
    """A certificate authority of the tests' own."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.ca_file = folder / "test-ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(host).configure_cert(self.context)


class SmtpSink:
    """Accepts everything, or only after a login with one of `logins` (user to secret; a secret
    `Bearer …` is an XOAUTH2 token)."""

    def __init__(
        self,
        security: Security = "plain",
        authority: Authority | None = None,
        logins: dict[str, str] | None = None,
        refuse: dict[str, str] | None = None,
        port: int = 0,
    ) -> None:
        """`port`: a free one unless it is named."""
        self.letters: list[Taken] = []
        self.connections = 0
        self.attempts = 0
        """Logins tried, good or bad."""
        self.refuse = refuse or {}
        """Recipient to the answer its RCPT gets."""
        self._logins = logins
        context = authority.context if authority else None
        options: dict[str, Any] = {
            "tls_context": context if security == "starttls" else None,
            "require_starttls": security == "starttls",
            "authenticator": self._authenticate if logins is not None else None,
            "auth_require_tls": False,
        }
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=port or free_port(),
            ssl_context=context if security == "tls" else None,
            **options,
        )

    @property
    def port(self) -> int:
        return int(self._controller.port)

    def __enter__(self) -> SmtpSink:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    # aiosmtpd's hooks

    async def handle_EHLO(
        self, server: Server, session: Session, envelope: Envelope, name: str, lines: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = name
        return lines

    async def handle_MAIL(
        self, server: Server, session: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        if self._logins is not None and not session.authenticated:
            return "530 Authentication required"
        envelope.mail_from = sender
        return "250 Mail OK"

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, to: str, options: list[str]
    ) -> str:
        if to in self.refuse:
            return self.refuse[to]
        envelope.rcpt_tos.append(to)
        return "250 Mail OK"

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content
        assert isinstance(content, bytes)
        self.letters.append(
            Taken(
                envelope.mail_from or "",
                tuple(envelope.rcpt_tos),
                content,
                session.auth_data.decode() if isinstance(session.auth_data, bytes) else None,
                server.transport.get_extra_info("sslcontext") is not None,
            )
        )
        return f"250 Mail OK queued as test{len(self.letters)}"

    async def auth_XOAUTH2(self, server: Server, args: list[str]) -> AuthResult:
        """User and token out of `user=…^Aauth=Bearer …^A^A`."""
        fields = base64.b64decode(args[1]).decode().split("\1")
        user, token = fields[0].removeprefix("user="), fields[1].removeprefix("auth=")
        self.attempts += 1
        if (self._logins or {}).get(user) == token:
            return AuthResult(success=True, auth_data=user.encode())
        await server.push("334 eyJzdGF0dXMiOiI0MDEifQ==")
        await server._reader.readline()  # the client's empty answer to the error report
        return AuthResult(success=False, handled=False)

    def _authenticate(
        self, server: Server, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if isinstance(data, bytes | str):  # XOAUTH2 has judged itself
            return AuthResult(success=True, auth_data=data)
        self.attempts += 1
        user, secret = data.login.decode(), data.password.decode()
        good = (self._logins or {}).get(user) == secret
        return AuthResult(success=good, handled=False, auth_data=data.login)


# --- the one that misbehaves ----------------------------------------------------------------


@dataclass(frozen=True)
class Say:
    """What the fault server does in a phase: waits `wait` seconds, sends `text` as it stands (no
    line end is added), then closes the connection when `cut`, or says no more until the test ends when `stall`."""

    text: bytes = b""
    cut: bool = False
    stall: bool = False
    wait: float = 0.0


CUT = Say(cut=True)
STALL = Say(stall=True)


def reply(line: str) -> Say:
    """An ordinary, whole answer."""
    return Say(line.encode("utf-8") + b"\r\n")


_GOOD = {
    "connect": reply("220 faulty.example Anti-spam GT for Coremail System"),
    "ehlo": Say(b"250-faulty.example\r\n250-AUTH LOGIN PLAIN XOAUTH2\r\n250 8BITMIME\r\n"),
    "helo": reply("250 faulty.example"),
    "auth": reply("235 Authentication successful"),
    "mail": reply("250 Mail OK"),
    "rcpt": reply("250 Mail OK"),
    "data": reply("354 End data with <CR><LF>.<CR><LF>"),
    "dot": reply("250 Mail OK queued as faulty"),
    "rset": reply("250 OK"),
    "noop": reply("250 OK"),
    "quit": Say(b"221 Bye\r\n", cut=True),
    "starttls": reply("502 Error: command not implemented"),
}


@dataclass
class FaultServer:
    """Answers by `script`: phase (`connect`, `ehlo`, `auth`, `mail`, `rcpt`, `data`, `body`, `dot`,
    `quit`, …) to what is said there, one after the other over all connections; when a phase's list
    is used up it answers well again. `body` strikes at the first line after 354."""

    script: dict[str, Sequence[Say]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    letters: list[bytes] = field(default_factory=list)
    """Bodies whose final dot arrived, whatever was answered."""
    connections: int = 0

    def __post_init__(self) -> None:
        self._left = {phase: list(says) for phase, says in self.script.items()}
        self._end = threading.Event()
        self._threads: list[threading.Thread] = []
        self._clients: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> FaultServer:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        for one in (self._listener, *self._clients):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Any, *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._end.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._clients.append(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(20)
        with client, client.makefile("rb") as lines, contextlib.suppress(OSError, _CutError):
            self._say(client, "connect")
            while line := lines.readline():
                words = line.decode("utf-8", "replace").strip()
                self.commands.append(words)
                phase = words.partition(" ")[0].lower()
                said = self._say(client, phase if phase in _GOOD else "noop")
                if phase == "data" and said.text.startswith(b"354"):
                    self._take_body(client, lines)

    def _take_body(self, client: socket.socket, lines: Any) -> None:
        body = bytearray()
        while line := lines.readline():
            if self._left.get("body"):
                self._say(client, "body")
            if line == b".\r\n":
                self.letters.append(bytes(body))
                self._say(client, "dot")
                return
            body += line

    def _say(self, client: socket.socket, phase: str) -> Say:
        left = self._left.get(phase)
        say = left.pop(0) if left else _GOOD[phase]
        self._end.wait(say.wait)
        client.sendall(say.text)
        if say.stall:
            self._end.wait(20)
        if say.cut or say.stall:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            raise _CutError
        return say


class _CutError(Exception):
    """The script ended this connection."""


def free_port() -> int:
    """A loopback port nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def sinks(*servers: SmtpSink | FaultServer) -> Iterator[None]:
    """Several servers at once."""
    with contextlib.ExitStack() as stack:
        for server in servers:
            stack.enter_context(server)
        yield
