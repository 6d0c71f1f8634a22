"""Alerts by mail, through an account that is not the watched mailbox's: one letter a recipient, each
of them a channel of its own, so that one bad address keeps nothing from the others."""

from __future__ import annotations

from contextlib import closing
from html import escape

from mailbot.adapters.signing import Signer
from mailbot.adapters.smtp.transport import SmtpTransport
from mailbot.app.ports import Clock
from mailbot.app.records import Outgoing
from mailbot.core.letters.answers import Rendered
from mailbot.core.mail.compose import compose


class MailChannel:
    """`app.alerts.Channel`. A transport of its own, opened for each letter: there are few."""

    def __init__(
        self, transport: SmtpTransport, sender: str, recipient: str, signer: Signer, clock: Clock
    ) -> None:
        self.name = f"mail:{recipient}"
        self._transport, self._signer, self._clock = transport, signer, clock
        self._sender, self._recipient = sender, recipient

    def tell(self, title: str, text: str) -> None:
        now = self._clock.now()
        key = f"alert:{self._recipient}:{now.isoformat()}"
        message_id = self._signer.message_id(key, self._sender.rpartition("@")[2])
        raw = compose(
            rendered=Rendered(title, f"{text}\n", _html(text)),
            from_addr=self._sender,
            from_name="mailbot",
            to_addr=self._recipient,
            message_id=message_id,
            date=now,
            in_reply_to=None,
            references=(),
            auto_submitted="auto-generated",
            mark=self._signer.mark(message_id),
        )
        letter = Outgoing(
            key=key,
            kind="alert",
            office="",
            sender=self._sender,
            recipient=self._recipient,
            message_id=message_id,
            raw=raw,
            subject=title,
        )
        with closing(self._transport) as transport:
            transport.send(letter, lambda: None)


def _html(text: str) -> str:
    return "".join(f"<p>{escape(line)}</p>\n" for line in text.splitlines())
