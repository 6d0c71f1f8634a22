"""Sends letters over SMTP, one recipient each (and a copy to ourselves where that is wanted), over a
connection that is kept open.

What this module promises beside `app.ports.Transport`:

* The moment that matters is cut in two. The body is written first, then `before_dot` is called,
  then the final dot goes out; `smtplib.data` would do it in one, and nobody could tell afterwards
  whether the server has the letter.
* An answer counts only when it was read whole. smtplib takes a reply "25" that was cut off for the
  code 25 and reports a refusal; here an unterminated line is a lost connection, and a lost answer
  after the dot is `Uncertain`, never a refusal (RFC 5321 §4.5.3.2.6: ten minutes' patience).
* TLS or nothing: certificate and host name are checked, a stripped STARTTLS ends the attempt, and
  plain text is for this machine only unless the operator says otherwise.
* One login attempt is one try with one mechanism (smtplib tries them all, and every one counts
  towards the provider's lock-out).
* The envelope sender is never the null sender of RFC 3834 §3.3, which Coremail and Tencent refuse,
  as they refuse any address but the login's: it is the mailbox's own, and the login's where that
  is refused. Auto-Submitted in the letter keeps the peace instead.

When to send again is the business of `app.deliver`; what an answer means, of `smtp_replies`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mailbot.adapters.i18n import _
from mailbot.adapters.settings.credentials import CredentialKind
from mailbot.adapters.smtp.connection import Connection, decode_answer
from mailbot.adapters.smtp.replies import Phase, classify
from mailbot.app.errors import Fault, OperatorFault, Permanent, Retryable, Uncertain, WorldFault
from mailbot.app.ports import BeforeDot, Clock
from mailbot.app.records import Outgoing
from mailbot.core.mail.compose import usable_address

_log = logging.getLogger(__name__)

_RECIPIENT_TAKEN = (250, 251, 252)
_PROBE_AFTER = 20.0
"""Seconds of silence after which NOOP asks whether the connection still lives."""
_REOPEN_AFTER = 240.0
"""Seconds after which it is opened anew: servers drop silent clients after five minutes
(RFC 5321 §4.5.3.2.7), NetEase somewhat earlier."""


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """One account to send from. Times in seconds."""

    host: str
    port: int
    security: Literal["tls", "starttls", "plain"]
    from_addr: str
    """Envelope sender, unless the server takes the login's address only."""
    username: str = ""
    """Empty: no login (a relay on this machine)."""
    auth: CredentialKind = CredentialKind.PASSWORD
    ca_file: Path | None = None
    """Certificates trusted beside the system's: an office network's own authority."""
    allow_plain: bool = False
    """`plain` to another machine than this one."""
    timeout: float = 60.0
    dot_timeout: float = 600.0
    pace_seconds: float = 0.0
    """Least time between the starts of two letters."""
    copy_to: str = ""
    """Each letter also goes there, to the mailbox itself: a second recipient of the envelope."""
    helo_name: str = "localhost.localdomain"
    """Tells nothing of the office's machine, and is the same on all of them."""


class SmtpTransport:
    """Implements `app.ports.Transport`. Not shared between threads.

    `secret` is the password, authorisation code or OAuth2 access token, or a function that reads
    it afresh for each login (tokens expire). Raises `OperatorFault` for an account that could
    never be used as written.
    """

    def __init__(self, account: SmtpAccount, secret: str | Callable[[], str], clock: Clock) -> None:
        self._account, self._secret, self._clock = account, secret, clock
        self._envelope_from = account.from_addr
        self._tls = _tls_context(account)
        self._smtp: Connection | None = None
        self._last_use = 0.0
        self._last_start: float | None = None
        self._copy_to = account.copy_to

    def send(self, letter: Outgoing, before_dot: BeforeDot) -> str:
        """Returns the server's final answer, `250 …`.

        Raises `Retryable` or `Permanent` while it is certain that the letter was not taken
        (systemic: no other letter of this account would fare better now), `Uncertain` after the
        dot. What `before_dot` raises passes through, and the letter was not sent.
        """
        self._keep_pace()
        smtp, copied = self._hand_over(letter)
        try:
            before_dot()
        except BaseException:
            self._drop()  # hard, without the dot: an unfinished DATA is not delivered
            raise
        try:
            return self._finish(smtp)
        except Permanent as refusal:
            if not copied or refusal.systemic:
                raise
            # It may be the second recipient that is refused: the letter goes again without it.
            self._no_more_copies(str(refusal))
            raise Retryable(str(refusal), code=refusal.code) from refusal

    def probe(self) -> None:
        """Connects, logs in and asks whether the account may send under its address, but sends
        nothing: for `init` and `doctor`. Raises as `send` does."""
        self._drop()
        try:
            self._mail_from(self._connect())
        finally:
            self.close()

    def close(self) -> None:
        """Says QUIT where the line is still up. What the server says to that changes nothing."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()

    # --- the steps of send ------------------------------------------------------------------

    def _hand_over(self, letter: Outgoing) -> tuple[Connection, bool]:
        """Everything up to the dot, and whether a copy goes to ourselves. Whatever goes wrong with
        the copy, the letter goes on without it."""
        if self._copy_to and self._copy_to.lower() != letter.recipient.lower():
            try:
                return self._body(letter, self._copy_to)
            except _CopyFailed as failure:
                if failure.for_good:
                    self._no_more_copies(str(failure))
        return self._body(letter, "")

    def _body(self, letter: Outgoing, copy_to: str) -> tuple[Connection, bool]:
        smtp = self._open_transaction()
        copied = False
        try:
            with _lost_connection(smtp):
                _expect(smtp, "rcpt", *smtp.rcpt(letter.recipient), accept=_RECIPIENT_TAKEN)
            copied = bool(copy_to) and self._copy_taken(smtp, copy_to)
            with _lost_connection(smtp):
                _expect(smtp, "data", *smtp.docmd("DATA"), accept=(354,))
                smtp.write_body(letter.raw)
        except BaseException as error:
            in_data = smtp.in_data
            self._after_fault()
            if copied and not in_data and isinstance(error, WorldFault):
                for_good = isinstance(error, Permanent)
                raise _CopyFailed(str(error), for_good=for_good) from error
            raise
        return smtp, copied

    def _copy_taken(self, smtp: Connection, copy_to: str) -> bool:
        """A refusal of one recipient leaves the others as they are (RFC 5321 §3.3). Providers that
        allow one only say 550 RP:RCL: then it is not tried again."""
        try:
            code, text = smtp.rcpt(copy_to)
        except (OSError, smtplib.SMTPException) as error:
            raise _CopyFailed(f"connection: {error}", for_good=True) from error
        said = f"rcpt: {code} {decode_answer(text)}"
        if code in _RECIPIENT_TAKEN:
            return True
        if code == 421 or not 400 <= code <= 599:
            smtp.close()
            raise _CopyFailed(said, for_good=True)
        if code >= 500:
            self._no_more_copies(said)
        return False

    def _no_more_copies(self, said: str) -> None:
        _log.warning("%s: no more copies to ourselves: %s", self._account.from_addr, said)
        self._copy_to = ""

    def _keep_pace(self) -> None:
        if self._last_start is not None and self._account.pace_seconds > 0:
            due = self._last_start + self._account.pace_seconds
            while (left := due - self._clock.monotonic()) > 0:
                time.sleep(min(left, self._account.pace_seconds))
        self._last_start = self._clock.monotonic()

    def _open_transaction(self) -> Connection:
        """A connection on which MAIL was accepted. A kept-open one that turns out to be dead or
        used up is replaced once: nothing of the letter has left yet."""
        kept = self._kept_connection()
        if kept is not None:
            try:
                return self._mail_from(kept)
            except WorldFault as fault:
                self._drop()
                if fault.code not in ("closed", "closing", "session", "login"):
                    raise
        return self._mail_from(self._connect())

    def _mail_from(self, smtp: Connection) -> Connection:
        try:
            with _lost_connection(smtp):
                code, text = smtp.mail(self._envelope_from)
                login = self._account.username
                if code >= 500 and usable_address(login) and login != self._envelope_from:
                    fault = classify("mail", code, decode_answer(text))
                    if fault.code == "sender":
                        code, text = smtp.mail(login)
                        if code == 250:
                            self._envelope_from = login
                _expect(smtp, "mail", code, text, accept=(250,))
        except BaseException:
            self._after_fault()
            raise
        return smtp

    def _finish(self, smtp: Connection) -> str:
        try:
            code, text = smtp.dot(self._account.dot_timeout)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise Uncertain(
                f"dot: sent, but no whole answer was read: {error}", code="no_answer"
            ) from error
        except BaseException:  # an interrupt while waiting: the line is no use any more
            self._drop()
            raise
        self._last_use = self._clock.monotonic()
        answer = decode_answer(text)
        if 200 <= code <= 299:
            return f"{code} {answer}".strip()
        if not 400 <= code <= 599:
            self._drop()
            raise Uncertain(f"dot: sent, answered {code} {answer}", code="garbled")
        fault = classify("dot", code, answer)
        if code == 421 or fault.code == "session":
            self._drop()
        raise fault

    def _after_fault(self) -> None:
        """Brings the session back to where MAIL may be said, or drops it."""
        smtp = self._smtp
        if smtp is None:
            return
        try:
            usable = smtp.sock is not None and not smtp.in_data and smtp.rset()[0] == 250
        except (OSError, smtplib.SMTPException):
            usable = False
        if usable:
            self._last_use = self._clock.monotonic()
        else:
            self._drop()

    # --- the connection ---------------------------------------------------------------------

    def _kept_connection(self) -> Connection | None:
        smtp = self._smtp
        if smtp is None:
            return None
        silent = self._clock.monotonic() - self._last_use
        if silent >= _REOPEN_AFTER:
            self.close()
            return None
        if silent >= _PROBE_AFTER:
            try:
                alive = smtp.noop()[0] == 250
            except (OSError, smtplib.SMTPException):
                alive = False
            if not alive:
                self._drop()
                return None
        return smtp

    def _connect(self) -> Connection:
        account = self._account
        smtp = Connection(
            account.timeout, account.helo_name, self._tls if account.security == "tls" else None
        )
        try:
            with _lost_connection(smtp, connecting=True):
                _expect(smtp, "connect", *smtp.connect(account.host, account.port), accept=(220,))
                _hello(smtp)
                if account.security == "starttls":
                    self._start_tls(smtp)
                if account.username:
                    self._log_in(smtp)
        except BaseException:
            smtp.close()
            raise
        self._smtp, self._last_use = smtp, self._clock.monotonic()
        return smtp

    def _start_tls(self, smtp: Connection) -> None:
        if not smtp.has_extn("starttls"):
            raise Retryable(
                "the server offers no STARTTLS; nothing is sent in plain text",
                code="starttls",
                systemic=True,
            )
        try:
            smtp.starttls(context=self._tls)
        except smtplib.SMTPResponseException as error:
            raise Retryable(
                f"STARTTLS refused: {error.smtp_code} {decode_answer(error.smtp_error)}",
                code="starttls",
                systemic=True,
            ) from error
        _hello(smtp)  # what was said before TLS counts no more (RFC 3207 §4.2)

    def _log_in(self, smtp: Connection) -> None:
        secret = self._secret if isinstance(self._secret, str) else self._secret()
        user = self._account.username
        offered = smtp.esmtp_features.get("auth", "").upper().split()
        if self._account.auth is CredentialKind.OAUTH2:
            reply = smtp.auth_once("XOAUTH2", [f"user={user}\1auth=Bearer {secret}\1\1"])
        elif "PLAIN" in offered or "LOGIN" not in offered:  # RFC 4954 §4: PLAIN is mandatory
            reply = smtp.auth_once("PLAIN", [f"\0{user}\0{secret}"])
        else:
            reply = smtp.auth_once("LOGIN", [user, secret])
        code, text = reply
        if code not in (235, 503):  # 503: already authenticated
            raise classify("login", code if code >= 400 else 454, decode_answer(text))

    def _drop(self) -> None:
        """Without QUIT."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()


class _CopyFailed(Exception):
    """The copy to ourselves spoilt the transaction. `for_good`: it would again."""

    def __init__(self, said: str, *, for_good: bool) -> None:
        super().__init__(said)
        self.for_good = for_good


@contextmanager
def _lost_connection(smtp: Connection, *, connecting: bool = False) -> Iterator[None]:
    """Turns what sockets, TLS and smtplib raise before the dot into our faults."""
    try:
        yield
    except WorldFault:
        raise
    except ssl.SSLError as error:
        smtp.close()
        reason = getattr(error, "verify_message", "") or str(error)
        raise Retryable(f"TLS: {reason}", code="tls", systemic=True) from error
    except (OSError, smtplib.SMTPException) as error:  # SMTPException is an OSError: said for once
        smtp.close()
        # Once the body is on its way the letter itself may be why the line was cut.
        raise Retryable(
            f"connection: {error}",
            code="connect" if connecting else "closed",
            systemic=connecting or not smtp.in_data,
        ) from error


def _hello(smtp: Connection) -> None:
    code, text = smtp.ehlo()
    if 500 <= code <= 599 and code != 554:
        code, text = smtp.helo()
    _expect(smtp, "hello", code, text, accept=(250,))


def _expect(
    smtp: Connection, phase: Phase, code: int, text: bytes, accept: tuple[int, ...]
) -> None:
    """Passes for a code in `accept`; raises what the answer means otherwise."""
    if code in accept:
        return
    if code == 421 or not 400 <= code <= 599:
        smtp.close()
    if not 400 <= code <= 599:
        raise Retryable(
            f"{phase}: unexpected answer {code} {decode_answer(text)}",
            code="connect",
            systemic=True,
        )
    raise classify(phase, code, decode_answer(text))


def _tls_context(account: SmtpAccount) -> ssl.SSLContext | None:
    where = f"smtp {account.host}"
    if account.security == "plain":
        if account.allow_plain or _loopback(account.host):
            return None
        raise OperatorFault(
            Fault(
                where,
                _("plain text is only for a server on this machine"),
                _('security = "tls" or "starttls", or allow_plain = true on a network you trust'),
            )
        )
    context = ssl.create_default_context()
    if account.ca_file is not None:
        try:
            context.load_verify_locations(cafile=account.ca_file)
        except OSError as error:  # ssl.SSLError too
            raise OperatorFault(
                Fault(
                    str(account.ca_file),
                    _("no certificates can be read from it: {error}").format(error=error),
                    _("name a PEM file with the certificate of the authority"),
                )
            ) from error
    return context


def _loopback(host: str) -> bool:
    if host.lower() in ("localhost", "localhost.localdomain"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
