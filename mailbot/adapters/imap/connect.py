"""Opens an IMAP connection and logs in.

Promises TLS 1.2 or later with a checked certificate and host name, at once or by STARTTLS. A server
that does not offer STARTTLS when it was asked for is refused, never spoken to in the clear. Plain
connections stay on this machine unless the account says otherwise. Every failure is a systemic
`WorldFault` (`imap_faults`), or an `OperatorFault` for an unreadable CA file.
"""

from __future__ import annotations

import contextlib
import imaplib
import ipaddress
import re
import socket
import ssl
from typing import Any

from imapclient import IMAPClient, SocketTimeout

from mailbot.adapters.imap import faults as imap_faults
from mailbot.adapters.imap.account import ImapAccount, Secret
from mailbot.adapters.imap.faults import GARBLED, Oversize
from mailbot.adapters.imap.wire import quoted
from mailbot.app.errors import Fault, OperatorFault, Permanent


def connect(account: ImapAccount) -> Any:
    """An encrypted (or allowed plain), not yet logged in `IMAPClient`."""
    where = account.where
    if account.security == "plain" and not (account.allow_plain or _loopback(account.host)):
        raise Permanent(
            f"{where}: plain connections are allowed to this machine only "
            "(security = tls or starttls, or allow_plain)",
            code="tls",
            systemic=True,
        )
    context = _tls_context(account.ca_file) if account.security != "plain" else None
    try:
        client = IMAPClient(
            account.host,
            account.port,
            ssl=account.security == "tls",
            ssl_context=context,
            timeout=SocketTimeout(connect=min(account.timeout, 30), read=account.timeout),
        )
    except (OSError, imaplib.IMAP4.error, *GARBLED) as error:
        raise imap_faults.connecting(error, where) from error
    # imapclient formats every byte received for its debug log: eightfold time and memory.
    client._imap.debug = 0
    client.normalise_times = False
    try:
        if account.security == "starttls":
            _starttls(client, context, where)
        _keepalive(client.socket())
    except BaseException:
        with contextlib.suppress(Exception):
            client.shutdown()
        raise
    return client


def _starttls(client: Any, context: ssl.SSLContext | None, where: str) -> None:
    stripped = Permanent(
        f"{where}: the server does not offer STARTTLS (or something between strips it); "
        "nothing was sent in the clear",
        code="tls",
        systemic=True,
    )
    # A PREAUTH greeting skips the only state in which STARTTLS is allowed (RFC 9051 §11.1).
    if client._imap.state != "NONAUTH" or "STARTTLS" not in client._imap.capabilities:
        raise stripped
    try:
        client.starttls(context)
    except imaplib.IMAP4.abort as error:
        raise imap_faults.connecting(error, where) from error
    except imaplib.IMAP4.error as error:
        raise stripped from error
    except (OSError, *GARBLED) as error:
        raise imap_faults.connecting(error, where) from error


def login(client: Any, account: ImapAccount, secret: Secret) -> None:
    """LOGIN, XOAUTH2, or PLAIN for secrets outside ASCII."""
    user, where = account.username, account.where
    if re.search(r"[\r\n\0]", user + secret.value):
        raise Permanent(
            f"login of {user}: user name or secret contains a line break",
            code="login",
            systemic=True,
        )
    offered = {str(name).upper() for name in client._imap.capabilities}
    if client._imap.state != "NONAUTH":
        raise Permanent(
            f"{where}: logged in before being asked (PREAUTH); as whom is unknown",
            code="login",
            systemic=True,
        )
    try:
        if secret.kind == "oauth2":
            client.oauth2_login(user, secret.value)
        elif (user + secret.value).isascii():
            if "LOGINDISABLED" in offered:
                raise Permanent(
                    f"{where}: the server allows no login without encryption",
                    code="tls",
                    systemic=True,
                )
            # imaplib quotes the password only.
            plain = re.fullmatch(r"[\w.@+-]+", user)
            client.login(user if plain else quoted(user), secret.value)
        elif "AUTH=PLAIN" in offered:
            client.plain_login(user, secret.value)
        else:
            raise Permanent(
                f"login of {user}: the secret has characters outside ASCII "
                "(full-width ones?) and the server takes none",
                code="login",
                systemic=True,
            )
    except imaplib.IMAP4.abort as error:
        raise imap_faults.broken(error, f"login at {where}") from error
    except imaplib.IMAP4.error as error:
        inner = error.__context__
        if isinstance(inner, imaplib.IMAP4.abort):
            raise imap_faults.broken(inner, f"login at {where}") from error
        raise imap_faults.login_refused(imap_faults.said(error), user) from error
    except (OSError, Oversize, *GARBLED) as error:
        raise imap_faults.broken(error, f"login at {where}") from error


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() in ("localhost", "localhost.localdomain", "ip6-localhost")


def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Certificate and host name are checked, against `ca_file` alone when it is given."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise OperatorFault(
            Fault(f"ca_file {ca_file}", f"cannot be read as certificates: {error}", "PEM file")
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _keepalive(sock: socket.socket) -> None:
    """A dropped line is noticed within about three minutes even while nobody speaks, and within
    two when what was said is not acknowledged (the kernel alone would try for a quarter of an
    hour)."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            ("TCP_KEEPIDLE", 90),
            ("TCP_KEEPINTVL", 30),
            ("TCP_KEEPCNT", 3),
            ("TCP_USER_TIMEOUT", 120_000),
        ):
            if hasattr(socket, option):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
