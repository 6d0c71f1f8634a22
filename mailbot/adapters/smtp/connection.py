"""smtplib as `adapters.smtp` needs it: whole replies, DATA in two steps, logins of one try.

Knows the protocol and nothing of letters, accounts or what an answer means for either.
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl

_MAX_LINE = 8192
_MAX_REPLY_LINES = 100


class Connection(smtplib.SMTP):
    """smtplib with whole replies, TLS from the first byte on request, DATA in two steps and
    logins of one try."""

    def __init__(self, timeout: float, helo_name: str, tls: ssl.SSLContext | None) -> None:
        self._wrap = tls
        self.in_data = False
        super().__init__(local_hostname=helo_name, timeout=timeout)

    def connect(  # type: ignore[override]  # remembers the name the certificate must carry
        self, host: str, port: int
    ) -> tuple[int, bytes]:
        self._host = host
        return super().connect(host, port)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        try:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            # Else the dot, written on its own, waits for the body's acknowledgement (RFC 896).
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._wrap.wrap_socket(plain, server_hostname=host) if self._wrap else plain
        except BaseException:
            plain.close()
            raise

    def getreply(self) -> tuple[int, bytes]:
        """One whole reply (RFC 5321 §4.2): every line ends and all carry one three-digit code.

        Anything else is `SMTPServerDisconnected`, and the connection is closed, because nobody
        knows what the next line would belong to."""
        if self.file is None:
            if self.sock is None:
                raise smtplib.SMTPServerDisconnected("not connected")
            self.file = self.sock.makefile("rb")
        texts: list[bytes] = []
        codes: set[bytes] = set()
        while len(texts) < _MAX_REPLY_LINES:
            try:
                line = self.file.readline(_MAX_LINE)
            except (OSError, ValueError) as error:
                self.close()
                raise smtplib.SMTPServerDisconnected(f"no answer: {error}") from error
            if not line:
                break
            reply = re.fullmatch(rb"([0-9]{3})(?:([ -])(.*))?\r?\n", line)
            if reply is None:
                self.close()
                raise smtplib.SMTPServerDisconnected(f"broken answer: {decode_answer(line[:80])!r}")
            codes.add(reply[1])
            texts.append((reply[3] or b"").strip())
            if reply[2] != b"-":
                if len(codes) > 1:
                    break
                return int(reply[1]), b"\n".join(texts)
        self.close()
        raise smtplib.SMTPServerDisconnected(
            "connection closed by the server" if not texts else "answer cut off or contradictory"
        )

    def auth_once(self, mechanism: str, words: list[str]) -> tuple[int, bytes]:
        """AUTH with the first of `words` as the initial response where the mechanism takes one
        (RFC 4954 §4; LOGIN does not), the others as answers to the server's challenges. A
        challenge beyond them gets an empty answer, which ends XOAUTH2's error report."""
        coded = [base64.b64encode(w.encode("utf-8")).decode("ascii") for w in words]
        if mechanism == "LOGIN":
            code, text = self.docmd("AUTH", "LOGIN")
        else:
            code, text = self.docmd("AUTH", f"{mechanism} {coded.pop(0)}")
        for _round in range(4):
            if code != 334:
                break
            code, text = self.docmd(coded.pop(0) if coded else "")
        return code, text

    def write_body(self, raw: bytes) -> None:
        """The mail's bytes after 354, lines ended by CRLF and dots doubled (RFC 5321 §4.5.2),
        everything but the final dot."""
        self.in_data = True
        body = re.sub(rb"\r\n?|\n", b"\r\n", raw)
        body = re.sub(rb"(?m)^\.", b"..", body)
        if body and not body.endswith(b"\r\n"):
            body += b"\r\n"
        self.send(body)

    def dot(self, timeout: float) -> tuple[int, bytes]:
        """Ends DATA and reads the answer, waiting up to `timeout` for it."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("connection lost before the dot")
        self.sock.settimeout(timeout)
        self.send(b".\r\n")
        reply = self.getreply()
        self.in_data = False
        self.sock.settimeout(self.timeout)
        return reply


def decode_answer(octets: bytes | str) -> str:
    """A server's words on one line: UTF-8 or, in China, GB18030; at most 300 characters."""
    if isinstance(octets, str):
        text = octets
    else:
        try:
            text = octets.decode("utf-8")
        except UnicodeDecodeError:
            text = octets.decode("gb18030", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]
