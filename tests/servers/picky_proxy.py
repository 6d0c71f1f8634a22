"""Stands before a real IMAP server and behaves like NetEase's, or breaks on order.

As NetEase: SELECT and EXAMINE are refused ("Unsafe Login") until ID came after LOGIN; no IDLE, no
MOVE, no UIDPLUS, no STARTTLS; no UIDNEXT; commands it does not announce are BAD.

Breaking: `proxy.inject(...)` queues rules that see every whole server response (lines and literals)
and may change it, cut it, hold it back, or hang up.

    with PickyProxy(("127.0.0.1", server.imap_port)) as proxy:
        proxy.inject(cut_in_literal())
        connect("127.0.0.1", proxy.port)
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import BinaryIO, Self

NETEASE_HIDES = ("IDLE", "MOVE", "UIDPLUS", "STARTTLS", "CONDSTORE", "QRESYNC", "ESEARCH")

_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n$")
_UNSAFE = b"NO SELECT Unsafe Login. Please contact kefu@188.com for help\r\n"


@dataclass
class Response:
    """One whole response on its way to the client: `line`, or line, literal, line …"""

    parts: list[bytes]
    cut_at: int | None = None
    """Send only so many bytes of it …"""
    then: str = "go on"
    """… and then `go on`, `close`, or `stall` (keep the connection, say nothing more)."""

    @property
    def raw(self) -> bytes:
        return b"".join(self.parts)

    @property
    def literal(self) -> bytes | None:
        return self.parts[1] if len(self.parts) > 1 else None


Rule = Callable[[Response], bool]
"""Changes a response when it is the one it waits for; says whether it was. A rule is used up by the
first response it was meant for, unless it was injected with `always`."""


@dataclass
class _Rules:
    once: list[Rule] = field(default_factory=list)
    always: list[Rule] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def apply(self, response: Response) -> None:
        with self.lock:
            for rule in self.always:
                rule(response)
            for rule in list(self.once):
                if rule(response):
                    self.once.remove(rule)
                    break


class PickyProxy:
    """One proxy on a free loopback port, plain IMAP towards both sides."""

    host = "127.0.0.1"

    def __init__(
        self,
        upstream: tuple[str, int],
        *,
        hide: Sequence[str] = NETEASE_HIDES,
        demand_id: bool = True,
        uidnext: bool = False,
        deny: Mapping[str, bytes] | None = None,
    ) -> None:
        """`deny`: answers (`b"NO not now"`) to commands that are announced all the same."""
        self._upstream, self._hide = upstream, [name.encode() for name in hide]
        self._demand_id, self._uidnext = demand_id, uidnext
        self._deny = {name.encode(): answer for name, answer in (deny or {}).items()}
        self._rules = _Rules()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self.commands: list[str] = []
        """What clients sent, without tags; the arguments of LOGIN are left out."""
        self.connections = 0

    def inject(self, *rules: Rule, always: bool = False) -> None:
        """Queues rules; each hits once unless `always`."""
        with self._rules.lock:
            (self._rules.always if always else self._rules.once).extend(rules)

    def behave(self) -> None:
        """Forgets every rule and refusal."""
        with self._rules.lock:
            self._rules.once.clear()
            self._rules.always.clear()
        self._deny.clear()

    def refuse(self, command: str, answer: bytes) -> None:
        """From now on the command is answered with this (`b"NO [UNAVAILABLE] later"`)."""
        self._deny[command.encode()] = answer

    def hang_up(self) -> None:
        """Closes all connections, both sides, without a word."""
        for sock in list(self._sockets):
            _shut(sock)

    # --- life ---------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        _shut(self._listener)
        self.hang_up()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._upstream, 10)
            except OSError:
                client.close()
                continue
            self.connections += 1
            self._sockets |= {client, server}
            server.settimeout(None)
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = _Link(self, client, server)
            self._start(link.upwards)
            self._start(link.downwards)


class _Link:
    """One client's connection and its counterpart at the server."""

    def __init__(self, proxy: PickyProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._logged_in_with_id = False
        self._lock = threading.Lock()

    def upwards(self) -> None:
        """Client to server."""
        with contextlib.suppress(OSError), self._client.makefile("rb") as lines:
            while parts := _read(lines, self._grant_literal):
                self._command(parts)
        self._end()

    def _command(self, parts: list[bytes]) -> None:
        words = parts[0].split()
        if len(words) < 2:  # DONE, the answer to a challenge
            self._server.sendall(b"".join(parts))
            return
        tag, name = words[0], words[1].upper()
        shown = parts[0].split(b" ", 1)[1].strip() if name != b"LOGIN" else b"LOGIN"
        self._proxy.commands.append(shown.decode("utf-8", "replace"))
        hidden = {word.upper() for word in words[1:3]} & set(self._proxy._hide)
        uid_expunge = words[1:3] == [b"UID", b"EXPUNGE"] and b"UIDPLUS" in self._proxy._hide
        if hidden or uid_expunge:
            self._say(tag + b" BAD command not supported\r\n")
            return
        if name in self._proxy._deny:
            self._say(tag + b" " + self._proxy._deny[name] + b"\r\n")
            return
        if name == b"LOGIN":
            self._logged_in_with_id = False
        if name == b"ID":
            self._logged_in_with_id = True
        if (
            name in (b"SELECT", b"EXAMINE")
            and self._proxy._demand_id
            and not self._logged_in_with_id
        ):
            self._say(tag + b" " + _UNSAFE)
            return
        self._server.sendall(b"".join(parts))

    def _grant_literal(self) -> None:
        self._say(b"+ go ahead\r\n")

    def downwards(self) -> None:
        """Server to client."""
        with contextlib.suppress(OSError), self._server.makefile("rb") as lines:
            while parts := _read(lines):
                response = Response(parts)
                self._disguise(response)
                self._proxy._rules.apply(response)
                raw = response.raw
                self._say(raw if response.cut_at is None else raw[: response.cut_at])
                if response.then == "stall":
                    self._proxy._closing.wait()
                    break
                if response.then == "close":
                    break
        self._end()

    def _disguise(self, response: Response) -> None:
        line = response.parts[0]
        if not self._proxy._uidnext and b"[UIDNEXT" in line.upper():
            response.parts = [b""]
            return
        if b"CAPABILITY" in line.upper():
            head, sep, rest = line.partition(b"]" if b"[CAPABILITY" in line.upper() else b"\r\n")
            for name in self._proxy._hide:
                head = re.sub(rb"(?i) " + re.escape(name) + rb"(=\S+)?(?= |$)", b"", head)
            response.parts = [head + sep + rest]

    def _say(self, raw: bytes) -> None:
        with self._lock:
            self._client.sendall(raw)

    def _end(self) -> None:
        _shut(self._client)
        _shut(self._server)


def _read(lines: BinaryIO, before_literal: Callable[[], None] | None = None) -> list[bytes]:
    """One command or response: a line, and while it ends in {n}, n bytes and another line. Empty
    at the end. The client's synchronizing literals are granted here and sent on non-synchronizing
    (`{n+}`), so that nobody waits for anybody."""
    parts: list[bytes] = []
    while True:
        line = lines.readline()
        if not line.endswith(b"\r\n"):
            return []
        found = _LITERAL.search(line)
        if before_literal is not None and found and b"+}" not in found[0]:
            before_literal()
            line = line[: found.start()] + b"{%s+}\r\n" % found[1]
        parts.append(line)
        if found is None:
            return parts
        literal = lines.read(int(found[1]))
        if len(literal) < int(found[1]):
            return []
        parts.append(literal)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


# --- rules ----------------------------------------------------------------------------------


def cut_in_literal(*, then: str = "close", at_least: int = 1) -> Rule:
    """Half of the literal, then EOF (or `stall`: nothing more for ever)."""

    def rule(response: Response) -> bool:
        literal = response.literal
        if literal is None or len(literal) < at_least or b"FETCH" not in response.parts[0]:
            return False
        response.cut_at = len(response.parts[0]) + len(literal) // 2
        response.then = then
        return True

    return rule


def bye(when: bytes = b" OK ") -> Rule:
    """Says BYE and hangs up instead of the first line that contains `when`."""

    def rule(response: Response) -> bool:
        if when not in response.parts[0]:
            return False
        response.parts = [b"* BYE [UNAVAILABLE] server is going down\r\n"]
        response.then = "close"
        return True

    return rule


def half_reply(when: bytes = b"FETCH") -> Rule:
    """Half of the first line that contains `when`, then the end."""

    def rule(response: Response) -> bool:
        if when not in response.parts[0]:
            return False
        response.cut_at = len(response.parts[0]) // 2
        response.then = "close"
        return True

    return rule


def silence(when: bytes = b"+ idling") -> Rule:
    """A half-open line: nothing more after the line that starts with `when`."""

    def rule(response: Response) -> bool:
        if not response.parts[0].startswith(when):
            return False
        response.then = "stall"
        return True

    return rule


def uidvalidity(value: int | None) -> Rule:
    """Another UIDVALIDITY at every opening of a folder; None: none at all."""
    line = b"" if value is None else b"* OK [UIDVALIDITY %d] UIDs valid\r\n" % value
    return replace(rb"^\* OK \[UIDVALIDITY.*\r\n", line)


def unlisted(uid: int) -> Rule:
    """SEARCH leaves out one UID."""
    return replace(rb"^(\* SEARCH.*?) %d(?=[ \r])" % uid, rb"\1")


def nil_body(uid: int) -> Rule:
    """BODY[] NIL for one UID."""
    return replace(rb"(UID %d .*?BODY\[\][^ ]*) \{\d+\}\r\n$" % uid, rb"\1 NIL", drop_literal=True)


def replace(pattern: bytes, by: bytes, *, drop_literal: bool = False) -> Rule:
    """Rewrites the first line of a response; may drop its literal."""

    def rule(response: Response) -> bool:
        line, hits = re.subn(pattern, by, response.parts[0], flags=re.IGNORECASE)
        if not hits:
            return False
        response.parts = [line, *response.parts[2 if drop_literal else 1 :]]
        return True

    return rule


def shorten(by: int) -> Rule:
    """Takes bytes off the end of a literal and announces the shorter length."""

    def rule(response: Response) -> bool:
        literal = response.literal
        if literal is None or len(literal) <= by or b"BODY[]" not in response.parts[0]:
            return False
        short = literal[:-by]
        head = _LITERAL.sub(b"{%d}\r\n" % len(short), response.parts[0])
        response.parts = [head, short, *response.parts[2:]]
        return True

    return rule


def add_before(when: bytes, line: bytes) -> Rule:
    """An unasked response before the first one that contains `when`."""

    def rule(response: Response) -> bool:
        if when not in response.parts[0]:
            return False
        response.parts = [line + response.parts[0], *response.parts[1:]]
        return True

    return rule
