"""A transport that delivers into a local Maildir instead of sending.

For the demo, for rehearsals on a copy of the real mailbox, and for offices that let another
program carry their mail. Same promises as SMTP: `before_dot` is called at the point of no return,
which here is the rename into `new/`; and a letter written twice is one file, because its name is
made from the Message-ID.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Sequence
from datetime import datetime
from email.parser import BytesHeaderParser
from pathlib import Path

from mailbot.app.errors import Retryable, Uncertain
from mailbot.app.evidence import SentLetter, Sight
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
        name = _name(letter.message_id)
        try:
            for folder in ("tmp", "new", "cur"):
                (self._root / folder).mkdir(parents=True, exist_ok=True)
            if _lies_in(self._root, name):
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


class MaildirSent:
    """What was delivered into such a Maildir (`app.evidence.SentMail`): the files are there or not.

    Conclusive unless another program takes letters away, which shows by those known to have been
    delivered. One that still lies in `tmp/` was certainly never delivered."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def sight(
        self, asked: Collection[str], known: Collection[str], since: datetime
    ) -> Sight | None:
        """Raises `Retryable` when the folder cannot be looked at (a disk that is not mounted)."""
        try:
            next((self._root / "new").iterdir(), None)
            found = frozenset(one for one in asked if _lies_in(self._root, _name(_bare(one))))
            unfinished = {one for one in asked if (self._root / "tmp" / _name(_bare(one))).exists()}
            kept = all(_lies_in(self._root, _name(_bare(one))) for one in known)
        except OSError as error:
            raise _disk(error) from error
        return Sight(found, kept or set(asked) - found <= unfinished, str(self._root))

    def letters(self, since: datetime) -> Sequence[SentLetter] | None:
        """The headers of the files changed since then."""
        try:
            files = [
                file
                for part in ("new", "cur")
                for file in (self._root / part).iterdir()
                if file.stat().st_mtime >= since.timestamp()
            ]
            return [_header(file.read_bytes()) for file in files]
        except OSError as error:
            raise _disk(error) from error

    def close(self) -> None:
        """Nothing is kept open."""


def _header(raw: bytes) -> SentLetter:
    head = BytesHeaderParser().parsebytes(raw)
    return SentLetter(_bare(head["Message-ID"] or ""), _bare(head["In-Reply-To"] or ""))


def _bare(message_id: str) -> str:
    return message_id.strip().removeprefix("<").removesuffix(">")


def _name(message_id: str) -> str:
    """A letter's file: the same however often it is written."""
    return hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:40]


def _lies_in(root: Path, name: str) -> bool:
    """In `new/`, or in `cur/` with whatever flags a mail reader gave it."""
    return (root / "new" / name).exists() or any(
        (root / "cur").glob(f"{name}*")  # hex only: no pattern characters
    )


def _disk(error: OSError) -> Retryable:
    return Retryable(f"outbox folder: {error}", code="disk", systemic=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
