"""Checks of one mailbox: name, port, certificate, login, folders, sending, or its Maildir.

Each step is a check of its own, in the order in which a connection goes through them, so that the
first failure names the very thing to mend; what comes after it is skipped, not guessed. Nothing is
changed in the mailbox and no mail is sent.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailbot.adapters.doctor.remedies import explain
from mailbot.adapters.i18n import _
from mailbot.adapters.imap.source import ImapSource, ProbeReport
from mailbot.adapters.imap.source import probe as probe_imap
from mailbot.adapters.settings.accounts import (
    Code,
    credential_of,
    imap_account,
    imap_secret,
    smtp_account,
    smtp_secret,
)
from mailbot.adapters.settings.model import ImapSettings, MailboxSettings, SmtpSettings
from mailbot.adapters.settings.providers import Provider, profile_for
from mailbot.adapters.smtp.transport import SmtpTransport
from mailbot.app.doctor import Check, State
from mailbot.app.errors import OperatorFault, Permanent, Retryable, WorldFault
from mailbot.app.ports import Clock

CONNECT_SECONDS = 10.0
"""Long enough for a slow line, short enough for somebody who watches."""
CERTIFICATE_DAYS = 14
"""From here on a certificate's end is worth a warning."""
CLOCK_TOLERANCE = timedelta(minutes=10)


def check_mailbox(box: MailboxSettings, clock: Clock, code: Code | None = None) -> Iterator[Check]:
    """All checks of one mailbox. `code` stands in for the configured credential while `init` has
    not written it yet."""
    if box.kind == "maildir" and box.maildir is not None:
        yield _maildir(box, box.maildir)
    sends = box.outgoing.smtp is not None and box.outgoing.smtp.login
    if code is None and (box.imap is not None or sends):
        credential = _credential(box)
        yield credential
        if credential.state is State.FAIL:
            yield from _skipped(box, _("the authorisation code cannot be read"))
            return
    if box.imap is not None:
        yield from _check_imap(box, box.imap, clock, code)
    if box.outgoing.smtp is not None:
        yield from _check_smtp(box, box.outgoing.smtp, clock, code)
    if box.outgoing.outbox is not None:
        yield _outbox(box, box.outgoing.outbox)


def provider_of(box: MailboxSettings) -> Provider:
    """The profile a mailbox's words and defaults come from."""
    return profile_for(box.provider or box.address, box.address)


# --- receiving ------------------------------------------------------------------------------


def _check_imap(
    box: MailboxSettings, imap: ImapSettings, clock: Clock, code: Code | None
) -> Iterator[Check]:
    yield (reached := _reach(f"imap.connect:{box.name}", _title(box, "IMAP"), imap, clock))
    if reached.state is State.FAIL:
        yield _skip(f"imap.login:{box.name}", _title(box, _("IMAP login")), _unreached())
        return
    name, title = f"imap.login:{box.name}", _title(box, _("IMAP login"))
    secret = imap_secret(box, code)
    try:
        report = probe_imap(imap_account(box), secret())
    except (Permanent, Retryable) as fault:
        yield _failed(name, title, fault, provider_of(box))
        return
    except OperatorFault as fault:
        yield _operator(name, title, fault)
        return
    yield Check(name, title, State.OK, _("logged in as {user}").format(user=imap.username))
    yield _folders(box, imap, report)
    yield _server_clock(box, ImapSource(imap_account(box), secret, clock=clock), clock)


def _folders(box: MailboxSettings, imap: ImapSettings, report: ProbeReport) -> Check:
    """Watched folders with their numbers of mails. Folders that must exist and targets of moves
    that do not are faults; spam folders may be absent."""
    name, title = f"imap.folders:{box.name}", _title(box, _("folders"))
    wanted = {*imap.folders, *imap.moves.values()}
    missing = [folder for folder in report.missing if folder in wanted]
    if missing:
        return Check(
            name,
            title,
            State.FAIL,
            _("the mailbox has no folder {missing}; it has: {names}").format(
                missing="、".join(missing), names="、".join(report.folders) or "-"
            ),
            _("correct the names under imap, or create the folders in the webmail"),
        )
    found = "、".join(
        _("{folder}: {n} mails").format(folder=folder, n=n) for folder, n in report.exists.items()
    )
    return Check(name, title, State.OK, found)


def _server_clock(box: MailboxSettings, source: ImapSource, clock: Clock) -> Check:
    """IMAP tells no time, but the newest mail's INTERNALDATE is the server's clock at its arrival:
    ours must not be behind it. How far ours may be ahead cannot be seen from here."""
    name, title = f"imap.clock:{box.name}", _title(box, _("clock"))
    try:
        states = source.search()
        state = next(states, None)
        newest = list(source.envelopes(state, [max(state.uids)])) if state and state.uids else []
    except WorldFault as fault:
        return _skip(name, title, explain(fault).found)
    finally:
        source.close()
    if not newest:
        return _skip(name, title, _("no mail there to compare this machine's clock with"))
    received, now = newest[0].received, clock.now()
    stamps = {"received": f"{received:%Y-%m-%d %H:%M}", "now": f"{now:%Y-%m-%d %H:%M}"}
    if received - now > CLOCK_TOLERANCE:
        return Check(
            name,
            title,
            State.FAIL,
            _("the newest mail arrived at {received}, but this machine says {now}").format(
                **stamps
            ),
            _("set the clock: sudo timedatectl set-ntp true, then look at: timedatectl"),
        )
    found = _("this machine says {now}, the newest mail arrived at {received}").format(**stamps)
    return Check(name, title, State.OK, found)


# --- sending --------------------------------------------------------------------------------


def _check_smtp(
    box: MailboxSettings, smtp: SmtpSettings, clock: Clock, code: Code | None
) -> Iterator[Check]:
    yield (reached := _reach(f"smtp.connect:{box.name}", _title(box, "SMTP"), smtp, clock))
    name, title = f"smtp.login:{box.name}", _title(box, _("SMTP login"))
    if reached.state is State.FAIL:
        yield _skip(name, title, _unreached())
        return
    try:
        SmtpTransport(smtp_account(box), smtp_secret(box, code), clock).probe()
    except WorldFault as fault:
        yield _failed(name, title, fault, provider_of(box))
        return
    except OperatorFault as fault:
        yield _operator(name, title, fault)
        return
    found = (
        _("logged in as {user}").format(user=smtp.username)
        if smtp.login
        else _("the server takes mail without a login")
    )
    yield Check(name, title, State.OK, found)


# --- the way to a server --------------------------------------------------------------------


def _reach(name: str, title: str, server: ImapSettings | SmtpSettings, clock: Clock) -> Check:
    """Name, port and (with TLS from the first byte) certificate of one server."""
    place = f"{server.host}:{server.port}"
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return _failed(name, title, Retryable(f"{server.host}: {error}", code="dns"))
    try:
        plain = socket.create_connection((server.host, server.port), CONNECT_SECONDS)
    except OSError as error:
        return _failed(name, title, Retryable(f"{place}: {error}", code="connect"))
    address = str(found[0][4][0])
    with plain:
        if server.security != "tls":
            return Check(name, title, State.OK, f"{place} ({address}, {server.security})")
        try:
            expires = _certificate_end(plain, server)
        except OSError as error:  # ssl.SSLError too
            words = getattr(error, "verify_message", "") or str(error)
            return _failed(name, title, Retryable(f"{place}: {words}", code="tls"))
    left = expires - clock.now()
    if left < timedelta(days=CERTIFICATE_DAYS):
        return Check(
            name,
            title,
            State.WARN,
            _("{place}: the certificate ends in {n} days").format(place=place, n=left.days),
            _("Tell the mail system's administrator to renew it in time."),
        )
    return Check(
        name,
        title,
        State.OK,
        _("{place} ({address}, TLS, certificate until {day})").format(
            place=place, address=address, day=expires.date().isoformat()
        ),
    )


def _certificate_end(plain: socket.socket, server: ImapSettings | SmtpSettings) -> datetime:
    context = ssl.create_default_context()
    if server.ca_file is not None:
        context.load_verify_locations(cafile=server.ca_file)
    with context.wrap_socket(plain, server_hostname=server.host) as secure:
        certificate = secure.getpeercert() or {}
    end = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return datetime.fromtimestamp(end, UTC)


# --- this machine's side --------------------------------------------------------------------


def _credential(box: MailboxSettings) -> Check:
    name, title = f"credential:{box.name}", _title(box, _("authorisation code"))
    try:
        credential = credential_of(box)
    except OperatorFault as fault:
        return _operator(name, title, fault)
    found = _("read from {source}").format(source=credential.source)
    return Check(name, title, State.OK, found)


def _maildir(box: MailboxSettings, path: Path) -> Check:
    name, title = f"maildir:{box.name}", _title(box, "Maildir")
    if not path.is_dir():
        return Check(
            name,
            title,
            State.FAIL,
            _("the folder {path} does not exist").format(path=path),
            _("correct maildir, or have the mail program create it"),
        )
    lacking = [part for part in ("cur", "new", "tmp") if not (path / part).is_dir()]
    if lacking:
        return Check(
            name,
            title,
            State.FAIL,
            _("{path} lacks {parts}").format(path=path, parts=", ".join(lacking)),
            _("a Maildir has cur, new and tmp: name the folder that holds them"),
        )
    if not all(os.access(path / part, os.R_OK | os.W_OK | os.X_OK) for part in ("cur", "new")):
        return Check(
            name,
            title,
            State.FAIL,
            _("{path} cannot be read and written").format(path=path),
            _("give the user that runs mailbot the right to it"),
        )
    return Check(name, title, State.OK, str(path))


def _outbox(box: MailboxSettings, path: Path) -> Check:
    name, title = f"outbox:{box.name}", _title(box, _("outbox folder"))
    nearest = next(p for p in (path, *path.parents) if p.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return Check(
            name,
            title,
            State.FAIL,
            _("{path} cannot be written").format(path=nearest),
            _("give the user that runs mailbot the right to it"),
        )
    return Check(
        name,
        title,
        State.WARN,
        _("answers go into {path}: nothing is sent to anybody").format(path=path),
        _("for real work set outgoing.smtp instead of outbox"),
    )


# --- the same few results -------------------------------------------------------------------


def _title(box: MailboxSettings, part: str) -> str:
    return _("mailbox {name}: {part}").format(name=box.name, part=part)


def _unreached() -> str:
    return _("the server was not reached")


def _skip(name: str, title: str, why: str) -> Check:
    return Check(name, title, State.SKIP, why)


def _skipped(box: MailboxSettings, why: str) -> Iterator[Check]:
    if box.imap is not None:
        yield _skip(f"imap.login:{box.name}", _title(box, _("IMAP login")), why)
    if box.outgoing.smtp is not None:
        yield _skip(f"smtp.login:{box.name}", _title(box, _("SMTP login")), why)


def _failed(name: str, title: str, fault: WorldFault, provider: Provider | None = None) -> Check:
    words = explain(fault, provider)
    return Check(name, title, State.FAIL, words.found, words.remedy)


def _operator(name: str, title: str, fault: OperatorFault) -> Check:
    found = "; ".join(f"{f.where}: {f.found}" for f in fault.faults)
    return Check(name, title, State.FAIL, found, "; ".join(f.remedy for f in fault.faults))
