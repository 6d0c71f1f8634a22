"""Turns what imapclient, imaplib, ssl and the socket raise into faults of the world.

Nothing above the adapters ever sees a library's exception. The `code` of a fault is what
`mailbot doctor` explains: `connect`, `tls`, `certificate`, `login`, `unsafe_login`, `folder`,
`timeout`, `closed`, `protocol`, `oversize`, `quota`.

What a server says is quoted cleaned and short; passwords never pass through here.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl

from mailbot.app.errors import Permanent, Retryable, WorldFault

GARBLED = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError)
"""What the libraries' parsers raise on answers that are no IMAP."""


class Refused(Exception):
    """The server answered a command with NO or BAD; the connection is still good. Internal to the
    IMAP adapter: each caller knows what the refusal means."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Oversize(Exception):
    """The server announced a literal larger than can belong to the command."""


def clean(text: object) -> str:
    """Server text for a message: decoded, one line, at most 200 characters."""
    if isinstance(text, (bytes, bytearray)):
        raw = bytes(text)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("gb18030", "replace")
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+", " ", str(text)).strip()[:200]


def said(error: BaseException) -> str:
    """What the server said, out of an exception. imapclient keeps only the repr of the bytes;
    imaplib's original, in the context, has them."""
    inner = error.__context__
    if isinstance(inner, imaplib.IMAP4.error) and not isinstance(inner, imaplib.IMAP4.abort):
        error = inner
    text = clean(error.args[0] if error.args else error)
    # imaplib: "LOGIN command error: BAD [b'...']"; imapclient: "select failed: ..."
    found = re.search(r"""(?:command error: (?:BAD|NO) \[b['"])(.*)['"]\]$""", text)
    return found.group(1) if found else text


def connecting(error: Exception, where: str) -> WorldFault:
    """A fault before login: network, TLS, greeting."""
    match error:
        case ssl.SSLCertVerificationError():
            return Permanent(
                f"{where}: the certificate was not accepted: {clean(error.verify_message)}",
                code="certificate",
                systemic=True,
            )
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ssl.SSLSyscallError():
            return Retryable(
                f"{where}: closed during the TLS handshake", code="closed", systemic=True
            )
        case ssl.SSLError():
            return Permanent(
                f"{where}: no TLS 1.2 or later could be agreed: {clean(error.reason or error)}",
                code="tls",
                systemic=True,
            )
        case socket.gaierror():
            return Retryable(
                f"{where}: the host name was not found: {clean(error.strerror)}",
                code="connect",
                systemic=True,
            )
        case TimeoutError():
            return Retryable(
                f"{where}: no answer in time (wrong port, or TLS expected there?)",
                code="timeout",
                systemic=True,
            )
        case imaplib.IMAP4.abort() | ConnectionResetError() | BrokenPipeError():
            return Retryable(f"{where}: closed: {said(error)}", code="closed", systemic=True)
        case imaplib.IMAP4.error():
            text = said(error)
            code = "closed" if text.upper().startswith("* BYE") else "connect"
            return Retryable(f"{where}: greeted with: {text}", code=code, systemic=True)
        case OSError():
            return Retryable(
                f"{where}: {clean(error.strerror or error)}", code="connect", systemic=True
            )
        case UnicodeError() if not isinstance(error, UnicodeDecodeError):
            return Permanent(f"{where}: not a host name", code="connect", systemic=True)
        case _:
            return Retryable(
                f"{where}: not an IMAP greeting: {clean(error)}", code="protocol", systemic=True
            )


def broken(error: BaseException, what: str) -> WorldFault:
    """A fault on a working connection, which is unusable from now on."""
    match error:
        case TimeoutError():
            return Retryable(f"{what}: no answer in time", code="timeout", systemic=True)
        case Oversize() | MemoryError():
            return Retryable(f"{what}: {clean(error)}", code="oversize", systemic=True)
        case imaplib.IMAP4.abort() | OSError():
            return Retryable(
                f"{what}: connection lost: {said(error)}", code="closed", systemic=True
            )
        case _:
            return Retryable(
                f"{what}: answer not understood: {type(error).__name__}: {clean(error)}",
                code="protocol",
                systemic=True,
            )


_UNSAFE = re.compile(r"unsafe\s+login", re.IGNORECASE)
_FINAL = re.compile(
    r"AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED|password|passwd|credential|incorrect"
    r"|密码|口令|授权码",
    re.IGNORECASE,
)
_BUSY = re.compile(
    r"too many|try (again|later)|later|temporar|busy|frequen|limit|maximum|unavailable"
    r"|频繁|稍后|繁忙|过多",
    re.IGNORECASE,
)


def login_refused(text: str, user: str) -> WorldFault:
    """LOGIN or AUTHENTICATE answered NO. Response codes: RFC 5530 §3. QQ names password, frequency
    and load in one sentence: then it is the password, since asking again could lock the account."""
    message = f"login of {user} refused: {text}"
    if _UNSAFE.search(text):
        return Permanent(message, code="unsafe_login", systemic=True)
    if re.match(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\b", text, re.IGNORECASE):
        return Retryable(message, code="login", systemic=True, after=60)
    if not _FINAL.search(text) and _BUSY.search(text):
        return Retryable(message, code="login", systemic=True, after=60)
    return Permanent(message, code="login", systemic=True)


def folder_refused(text: str, folder: str) -> WorldFault | None:
    """SELECT or EXAMINE answered NO. None when the folder simply is not there."""
    if _UNSAFE.search(text):
        return Permanent(f"folder {folder}: {text}", code="unsafe_login", systemic=True)
    if re.match(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\b", text, re.IGNORECASE):
        return Retryable(f"folder {folder}: {text}", code="folder", systemic=True)
    return None


def settle_refused(text: str, what: str) -> WorldFault:
    """Moving or flagging one mail was refused: a courtesy that failed, the pass goes on."""
    if "OVERQUOTA" in text.upper() or "quota" in text.lower():
        return Retryable(f"{what}: {text}", code="quota", after=3600)
    if re.match(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\b", text, re.IGNORECASE):
        return Retryable(f"{what}: {text}", code="folder")
    return Permanent(f"{what}: {text}", code="folder")
