"""The channels the operator set."""

from __future__ import annotations

from dataclasses import replace

from mailbot.adapters.alerting.command import CommandChannel
from mailbot.adapters.alerting.mail import MailChannel
from mailbot.adapters.alerting.webhook import WebhookChannel
from mailbot.adapters.settings.accounts import alert_account, alert_secret
from mailbot.adapters.settings.model import AlertSettings
from mailbot.adapters.signing import Signer
from mailbot.adapters.smtp.transport import SmtpTransport
from mailbot.app.alerts import Channel
from mailbot.app.ports import Clock

_MAIL_SECONDS = 30.0
"""An alert that waits ten minutes for an answer holds up the other channels."""


def channels(settings: AlertSettings, signer: Signer, clock: Clock) -> list[Channel]:
    found: list[Channel] = []
    if settings.command:
        found.append(CommandChannel(settings.command))
    if settings.webhook:
        found.append(WebhookChannel(settings.webhook, settings.webhook_format))
    if settings.smtp is not None:
        account = replace(alert_account(settings), timeout=_MAIL_SECONDS, dot_timeout=_MAIL_SECONDS)
        for recipient in settings.mail_to:
            transport = SmtpTransport(account, alert_secret(settings), clock)
            found.append(MailChannel(transport, settings.mail_from, recipient, signer, clock))
    return found
