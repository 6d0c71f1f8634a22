"""What came out of the installation, as its readers' mail programs see it."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import cached_property

from aiosmtpd.controller import Controller

from tests.servers.smtp_sink import SmtpSink, Taken


class Relay(SmtpSink):
    """A relay that may be away: nobody listens on its port then."""

    def __enter__(self) -> Relay:
        super().__enter__()
        return self

    def go_away(self) -> None:
        self._controller.stop()

    def come_back(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()


@dataclass(frozen=True)
class Letter:
    """One letter that the relay took. Equal when it is the same one."""

    taken: Taken
    when: datetime

    @cached_property
    def mail(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.taken.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def to(self) -> str:
        (address,) = self.taken.recipients
        return address

    @property
    def sender(self) -> str:
        return self.taken.mail_from

    @property
    def id(self) -> str:
        return str(self.mail["Message-ID"]).strip("<>")

    @property
    def subject(self) -> str:
        return str(self.mail["Subject"])

    @cached_property
    def text(self) -> str:
        body = self.mail.get_body(("plain",))
        assert body is not None, self.subject
        return str(body.get_content())

    @property
    def files(self) -> list[str]:
        return [part.get_filename() or "" for part in self.mail.iter_attachments()]
