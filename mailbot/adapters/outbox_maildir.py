"""A transport that delivers into a local Maildir instead of sending.

For the demo, for rehearsals on a copy of the real mailbox, and for offices that let another
program carry their mail. Same promises as SMTP: `before_dot` is called at the point of no return,
which here is the rename into `new/`; and a letter written twice is one file, because its name is
made from the Message-ID.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from mailbot.app.errors import Retryable, Uncertain
from mailbot.app.ports import BeforeDot
from mailbot.app.records import Outgoing


class MaildirTransport:
    """Writes letters below `root` (created with `tmp`, `new`, `cur` when missing)."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def send(self, letter: Outgoing, before_dot: BeforeDot) -> str:
        """Returns `250 …` with the file's name, also when the letter already lies there.

        Raises `Retryable` (systemic, code `disk`) when it could not be written, `Uncertain` when
        it was renamed but the folder could not be made durable.
        """
        name = hashlib.sha256(letter.message_id.encode("utf-8", "replace")).hexdigest()[:40]
        try:
            for folder in ("tmp", "new", "cur"):
                (self._root / folder).mkdir(parents=True, exist_ok=True)
            if self._lies_there(name):
                before_dot()
                return f"250 {name} was already there"
            temporary = self._root / "tmp" / name
            with temporary.open("wb") as out:
                out.write(letter.raw)
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise _disk(error) from error
        before_dot()
        try:
            temporary.rename(self._root / "new" / name)
        except OSError as error:  # the answer was read: it is no
            raise _disk(error) from error
        try:
            _sync(self._root / "new")
        except OSError as error:
            raise Uncertain(f"{name} written, folder not synced: {error}", code="disk") from error
        return f"250 {name}"

    def close(self) -> None:
        """Nothing is kept open."""

    def _lies_there(self, name: str) -> bool:
        """In `new/`, or in `cur/` with whatever flags a mail reader gave it."""
        return (self._root / "new" / name).exists() or any(
            (self._root / "cur").glob(f"{name}*")  # hex only: no pattern characters
        )


def _disk(error: OSError) -> Retryable:
    return Retryable(f"outbox folder: {error}", code="disk", systemic=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
