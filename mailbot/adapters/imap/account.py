"""One watched IMAP mailbox as configured, and the secret that opens it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mailbot.app.errors import Fault, OperatorFault


@dataclass(frozen=True)
class Secret:
    """What proves who we are: a password (or the provider's authorisation code, 授权码), or an
    OAuth2 access token. Never shown by repr."""

    kind: Literal["password", "oauth2"]
    value: str = field(repr=False)


@dataclass(frozen=True)
class ImapAccount:
    """Settings of one mailbox. Folder names are the server's, in Unicode (`垃圾邮件`,
    `INBOX/已收`)."""

    name: str
    """Stable: part of every mail's origin."""
    host: str
    port: int
    security: Literal["tls", "starttls", "plain"]
    username: str
    folders: tuple[str, ...] = ("INBOX",)
    """Watched; the first one that exists by IDLE as well."""
    ca_file: str | None = None
    """PEM file trusted instead of the system's certificates."""
    send_id: bool = True
    idle: bool = True
    timeout: float = 60
    """Seconds without a byte after which the connection is given up."""
    moves: Mapping[str, str] = field(default_factory=dict)
    """`Disposition` value -> folder. Empty: nothing is moved."""
    flag: str | None = None
    """IMAP keyword for settled mail; not set where the server permits no keywords."""
    since_days: int | None = None
    """Search only mail received in the last so many days (and one more)."""
    allow_plain: bool = False
    """Permit `plain` to another machine."""
    lost_time: tuple[datetime, datetime] | None = None
    """The database was restored, and of mail received then knows nothing: what was moved away by
    `moves` meanwhile is looked for where it was moved to."""
    optional_folders: tuple[str, ...] = ()
    """Watched where the mailbox has them (spam folders)."""

    def __post_init__(self) -> None:
        faults = []
        if self.flag is not None and not re.fullmatch(
            r"\\(Flagged|Answered|Seen)|[A-Za-z0-9$_.-]+", self.flag, re.IGNORECASE
        ):
            faults.append(
                Fault(
                    f"{self.name}: flag", f"{self.flag!r}", "\\Flagged, or a word such as $Mailbot"
                )
            )
        faults += [
            Fault(f"{self.name}: moves.{key}", f"{target!r} is a watched folder", "another folder")
            for key, target in self.moves.items()
            if target in self.watched
        ]
        if faults:
            raise OperatorFault(*faults)

    @property
    def watched(self) -> tuple[str, ...]:
        """All watched folders, each once."""
        return tuple(dict.fromkeys((*self.folders, *self.optional_folders)))

    @property
    def keyword(self) -> str:
        """`flag` where only mailbot sets it; empty for flags that people set as well."""
        return "" if not self.flag or self.flag.startswith("\\") else self.flag

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"
