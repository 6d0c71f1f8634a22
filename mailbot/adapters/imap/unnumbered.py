"""Lasting numbers for the mails of a folder whose own numbers do not last.

A server that gives no UIDVALIDITY (or 0) supports no unique identifiers (RFC 3501 §6.3.1): its UIDs
mean something as long as the folder stays open, and nothing tomorrow. Here each mail is numbered by
what does not change: its size, its INTERNALDATE and the beginning of its header, which holds the trace
of its last delivery. So a mail is known again on every later pass without its body being fetched. Two
mails that agree in all of it are one mail that was copied.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mailbot.adapters.imap.fetch import body_of
from mailbot.adapters.imap.session import Session
from mailbot.adapters.imap.wire import uid_chunks

log = logging.getLogger(__name__)

HEADER = 8 << 10
"""Bytes of the header a number is made from."""
_BATCH = 100

_Marks = tuple[object, object]
"""RFC822.SIZE and INTERNALDATE as the server writes them."""


class Numbers:
    """Of one connection: another one may number the mails differently."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._known: dict[str, dict[int, tuple[_Marks, int]]] = {}
        """Folder -> the server's UID -> the mail's marks and its lasting number."""

    def of(self, session: Session, folder: str, uids: Sequence[int]) -> dict[int, int]:
        """Lasting number -> the server's UID, of the mails in the open folder. Headers are fetched
        of those not seen on this connection, or that look different now."""
        if session is not self._session:
            self._session, self._known = session, {}
        before = self._known.get(folder, {})
        now: dict[int, tuple[_Marks, int]] = {}
        fresh: dict[int, _Marks] = {}
        for chunk in uid_chunks(uids):
            for uid, mail in session.fetch(chunk, "RFC822.SIZE INTERNALDATE").mails.items():
                marks = (mail.get(b"RFC822.SIZE"), mail.get(b"INTERNALDATE"))
                if uid in before and before[uid][0] == marks:
                    now[uid] = before[uid]
                else:
                    fresh[uid] = marks
        for uid, head in _heads(session, fresh):
            now[uid] = (fresh[uid], _number(fresh[uid], head))
        self._known[folder] = now
        return {lasting: uid for uid, (_, lasting) in sorted(now.items(), reverse=True)}

    def real(self, session: Session, folder: str, lasting: int) -> int | None:
        """The server's UID on this connection; None when the mail is not there (any more)."""
        if session is not self._session:
            self.of(session, folder, session.search("ALL"))
        found = (uid for uid, (_, n) in self._known.get(folder, {}).items() if n == lasting)
        return min(found, default=None)


def _heads(session: Session, uids: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """What the server does not hand out is left out: the next pass asks again."""
    for chunk in uid_chunks(uids, count=_BATCH):
        limit = HEADER * 2
        item = f"BODY.PEEK[HEADER]<0.{HEADER}>"
        mails: dict[int, dict[bytes, Any]] = session.fetch(chunk, item, literal_limit=limit).mails
        for uid in chunk:
            head = body_of(mails.get(uid), b"BODY[HEADER]", 0)
            if head is None:
                log.warning("UID %d: the server does not hand out its header", uid)
            else:
                yield uid, head[:HEADER]


def _number(marks: _Marks, head: bytes) -> int:
    """A positive number of 63 bits, which is what the database keeps."""
    digest = hashlib.sha256(repr(marks).encode() + b"\0" + head).digest()
    return int.from_bytes(digest[:8], "big") >> 1 or 1
