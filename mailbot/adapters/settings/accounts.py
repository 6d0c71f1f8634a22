"""From a mailbox's settings to what the mail adapters want: accounts and secrets.

The secrets are functions: each login reads the credential anew, so that a rotated token or a
renewed authorisation code works without a restart.
"""

from __future__ import annotations

from collections.abc import Callable

from mailbot.adapters.imap.source import ImapAccount, Secret
from mailbot.adapters.settings.credentials import Credential, CredentialKind, read_credential
from mailbot.adapters.settings.model import AlertSettings, MailboxSettings
from mailbot.adapters.settings.providers import profile_for
from mailbot.adapters.smtp.transport import SmtpAccount

Code = Callable[[], str]
"""Stands in for the configured credential while it is not written down yet."""


def credential_of(box: MailboxSettings) -> Credential:
    """The mailbox's credential, read now. Raises `OperatorFault`."""
    return read_credential(box.credential_env, box.credential_file, box.credential_kind)


def imap_account(box: MailboxSettings) -> ImapAccount:
    """Raises `ValueError` for a mailbox that is not read over IMAP."""
    imap = box.imap
    if imap is None:
        raise ValueError(f"mailbox {box.name} has no IMAP settings")
    return ImapAccount(
        name=box.name,
        host=imap.host,
        port=imap.port,
        security=imap.security,
        username=imap.username,
        folders=imap.folders,
        optional_folders=imap.optional_folders,
        ca_file=str(imap.ca_file) if imap.ca_file else None,
        send_id=imap.send_id,
        idle=imap.idle,
        moves={disposition.value: folder for disposition, folder in imap.moves.items()},
        flag=imap.flag or None,
        since_days=imap.since_days,
        allow_plain=imap.allow_plain,
    )


def imap_secret(box: MailboxSettings, code: Code | None = None) -> Callable[[], Secret]:
    """What `ImapSource` and `probe` log in with."""

    def secret() -> Secret:
        return Secret(box.credential_kind, code() if code else credential_of(box).value)

    return secret


def files_sent(box: MailboxSettings) -> bool:
    """Whether the provider files what goes out over SMTP in the Sent folder by itself."""
    return profile_for(box.provider or box.address, box.address).files_sent_itself


def smtp_account(box: MailboxSettings) -> SmtpAccount:
    """Raises `ValueError` for a mailbox whose answers do not go out over SMTP."""
    smtp = box.outgoing.smtp
    if smtp is None:
        raise ValueError(f"mailbox {box.name} has no SMTP settings")
    return SmtpAccount(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        from_addr=box.address,
        username=smtp.username if smtp.login else "",
        auth=CredentialKind(box.credential_kind),
        ca_file=smtp.ca_file,
        allow_plain=smtp.allow_plain,
        pace_seconds=smtp.pace_seconds,
        copy_to=box.address if box.outgoing.copy_to_self else "",
    )


def smtp_secret(box: MailboxSettings, code: Code | None = None) -> Callable[[], str]:
    """What `SmtpTransport` logs in with."""

    def secret() -> str:
        return code() if code else credential_of(box).value

    return secret


def alert_account(alerts: AlertSettings) -> SmtpAccount:
    """What alerts are mailed with. Raises `ValueError` where none is set."""
    smtp = alerts.smtp
    if smtp is None:
        raise ValueError("alerts have no SMTP settings")
    return SmtpAccount(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        from_addr=alerts.mail_from,
        username=smtp.username if smtp.login else "",
        ca_file=smtp.ca_file,
        allow_plain=smtp.allow_plain,
        pace_seconds=smtp.pace_seconds,
    )


def alert_secret(alerts: AlertSettings) -> Callable[[], str]:
    """Read anew for each login, like a mailbox's."""

    def secret() -> str:
        return read_credential(alerts.credential_env, alerts.credential_file).value

    return secret
