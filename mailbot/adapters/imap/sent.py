"""What lies in a mailbox's Sent folder: the evidence of what went out (`app.evidence.SentMail`).

Looks only, over a connection of its own: EXAMINE and PEEK, nothing is ever appended, marked or moved.
Providers answer header searches with everything or with nothing, so the server is asked for the mails
since a day and told nothing of what is looked for; Message-IDs are compared here. A server that
ignores even the day is read from its newest mail backwards, as far as the time goes.

Whether a letter that is not there was not sent is another question: some providers file what goes out
over SMTP, some do not, and with some it is a switch in webmail. It is answered by what is seen: all of
the letters known to have been accepted in that time lie there, and every mail could be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from imapclient.datetime_util import parse_to_datetime

from mailbot.adapters.imap import faults as imap_faults
from mailbot.adapters.imap.account import ImapAccount, Secret
from mailbot.adapters.imap.faults import Refused
from mailbot.adapters.imap.session import Session
from mailbot.adapters.imap.wire import search_day
from mailbot.adapters.system import SHANGHAI
from mailbot.app.errors import Retryable
from mailbot.app.evidence import SentLetter, Sight
from mailbot.app.ports import Clock

NAMES = frozenset(
    {
        "已发送", "已发送邮件", "已发送信件", "已发邮件", "发件箱", "已发件箱", "已發送", "寄件備份",
        "sent", "sent messages", "sent items", "sent mail", "sent-mail", "sentmail", "sentbox",
    }
)  # fmt: skip
"""Last parts of folder names, in lower case."""
BATCH = 500
"""Headers in one answer."""
MOST = 20_000
"""Headers read in one look; a folder with more since the day is not looked through to the end."""
_FIELDS = "MESSAGE-ID IN-REPLY-TO"
_ITEMS = f"INTERNALDATE BODY.PEEK[HEADER.FIELDS ({_FIELDS})]"
_DAY = timedelta(days=1)


@dataclass(slots=True)
class _Seen:
    """One walk through one folder or several."""

    letters: dict[str, SentLetter] = field(default_factory=dict)
    """By Message-ID in lower case, without brackets."""
    whole: bool = True
    """Every mail of the time could be read."""
    folders: list[str] = field(default_factory=list)


class SentFolder:
    """Of one mailbox. `folder` is where the operator says it is; else it is found by its mark or its
    name. `expected`: its provider files what goes out over SMTP by itself. `copies`: each letter also
    goes to the mailbox itself, so that it is worth while to wait even where nothing is filed. Not
    shared between threads."""

    def __init__(
        self,
        account: ImapAccount,
        secret: Callable[[], Secret],
        *,
        clock: Clock,
        folder: str = "",
        expected: bool = True,
        copies: bool = False,
    ) -> None:
        self._account, self._secret, self._clock = account, secret, clock
        self._folder, self._expected = folder, expected or bool(folder)
        self._copies = copies
        self._session: Session | None = None

    def sight(
        self, asked: Collection[str], known: Collection[str], since: datetime
    ) -> Sight | None:
        """None also where nothing is expected to lie there and nothing of ours does."""
        wanted = {_plain(one): one for one in asked}
        others = {_plain(one) for one in known}
        seen = self._walk(since, wanted.keys() | others)
        if seen is None:
            return Sight(frozenset(), conclusive=False) if self._copies else None
        found = frozenset(one for key, one in wanted.items() if key in seen.letters)
        there = others & seen.letters.keys()
        if not (self._expected or self._copies or found or there):
            return None
        conclusive = seen.whole and bool(others) and there == others
        return Sight(found, conclusive, "、".join(seen.folders))

    def letters(self, since: datetime) -> Sequence[SentLetter] | None:
        """Everything filed there since then; None where there is no such folder. Raises `Retryable`
        when it could not be read to the end."""
        seen = self._walk(since, None)
        if seen is None:
            return None
        if not seen.whole:
            raise Retryable(
                f"{self._account.name}: {'、'.join(seen.folders)} could not be read to its end",
                code="folder",
            )
        return list(seen.letters.values())

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    # --- looking ------------------------------------------------------------------------------

    def _walk(self, since: datetime, until_seen: Collection[str] | None) -> _Seen | None:
        """Newest mail first; ends early when all of `until_seen` were met. None: no folder."""
        session = self._live()
        seen = _Seen()
        for folder in self._candidates(session):
            try:
                session.open(folder)
            except Refused as refusal:
                if fault := imap_faults.folder_refused(refusal.said, folder):
                    raise fault from refusal
                continue
            seen.folders.append(folder)
            self._walk_open(session, since, until_seen, seen)
        return seen if seen.folders else None

    def _walk_open(
        self, session: Session, since: datetime, until_seen: Collection[str] | None, seen: _Seen
    ) -> None:
        oldest = since - 2 * _DAY  # days are the server's, and its clock may be off
        uids = _searched(session, since)
        left = MOST
        for batch in _backwards(uids):
            if until_seen is not None and seen.letters.keys() >= set(until_seen):
                return
            left -= len(batch)
            if left < 0:
                seen.whole = False
                return
            reply = session.fetch(batch, _ITEMS)
            seen.whole = seen.whole and not reply.damaged and set(batch) <= reply.mails.keys()
            times = []
            for mail in reply.mails.values():
                letter = _letter(mail)
                if letter is None:
                    seen.whole = False
                elif letter.message_id:
                    seen.letters.setdefault(_plain(letter.message_id), letter)
                times.append(_filed(mail))
            # A server that took no notice of the day: the rest is older still.
            if times and all(t is not None and t < oldest for t in times):
                return

    def _candidates(self, session: Session) -> list[str]:
        """The operator's folder; else the marked ones (RFC 6154), and those with a telling name: a
        mail program's own folder may stand beside the server's."""
        if self._folder:
            return [self._folder]
        listed = session.listed()
        marked = [name for name, flags, _ in listed if "\\sent" in flags]
        if not marked:
            marked = session.marked("\\sent")
        named = [name for name, _, separator in listed if _last(name, separator) in NAMES]
        return list(dict.fromkeys((*marked, *named)))

    def _live(self) -> Session:
        if self._session is None or self._session.closed:
            self._session = Session(self._account, self._secret(), self._clock.monotonic)
        return self._session


def _searched(session: Session, since: datetime) -> list[int]:
    try:
        return session.search("SINCE", search_day((since - _DAY).date()))
    except Refused as refusal:
        raise Retryable(
            f"SEARCH in the sent mail refused: {refusal.said}", code="folder", systemic=True
        ) from refusal


def _backwards(uids: Sequence[int]) -> Iterator[list[int]]:
    for end in range(len(uids), 0, -BATCH):
        yield list(uids[max(0, end - BATCH) : end])


def _letter(mail: dict[bytes, Any]) -> SentLetter | None:
    """None: the server did not give its header. A mail without the fields has an empty one."""
    head = next((v for k, v in mail.items() if k.startswith(b"BODY[HEADER.FIELDS")), None)
    if not isinstance(head, bytes):
        return None
    lines = re.sub(rb"\r?\n[ \t]+", b" ", head)
    return SentLetter(
        message_id=_id_in(lines, b"message-id"),
        in_reply_to=_id_in(lines, b"in-reply-to"),
    )


def _id_in(lines: bytes, name: bytes) -> str:
    """The first id of the field, without brackets."""
    found = re.search(rb"(?im)^" + name + rb"[ \t]*:[^\r\n<]*<([^>\r\n]+)>", lines)
    return found.group(1).decode("utf-8", "replace").strip() if found else ""


def _plain(message_id: str) -> str:
    """As it is compared: some relays fold the case of an id."""
    return message_id.strip().removeprefix("<").removesuffix(">").strip().lower()


def _filed(mail: dict[bytes, Any]) -> datetime | None:
    """INTERNALDATE; a missing zone is read as the office's own."""
    try:
        moment: datetime = parse_to_datetime(mail[b"INTERNALDATE"], normalise=False)
    except (LookupError, ValueError, TypeError, AttributeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _last(name: str, separator: str) -> str:
    part = name.rpartition(separator)[2] if separator else name
    return part.strip().lower()
