"""Reads mails over one IMAP session: envelopes, and bytes that are whole or not taken at all.

A body counts as whole when its length agrees with RFC822.SIZE. Servers count line ends in two ways
(as stored with LF, as sent with CRLF), which is allowed for. Anything else is fetched once more and
then refused, so that a mail cut by a faulty server or middlebox is never stored as if it were
complete. Some servers (Exchange by default) only estimate the size: once several mails of a source
have shown that, a body is taken when it came twice the same and nothing follows it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from imapclient.datetime_util import parse_to_datetime

from mailbot.adapters.fetching import HEADER_CAP, PIECE, header_section
from mailbot.adapters.imap.faults import Refused
from mailbot.adapters.imap.session import Session
from mailbot.adapters.imap.wire import uid_chunks
from mailbot.adapters.system import SHANGHAI
from mailbot.app.ports import Clock
from mailbot.app.records import Envelope, Fetched, FolderState, Origin

log = logging.getLogger(__name__)

SLACK = 64 << 10
"""What a literal may exceed the announced size by before it is refused unread."""

_UNKNOWN_SIZE_LIMIT = (1 << 63) - 1


@dataclass(frozen=True)
class Garbled:
    """A mail that is there but did not come whole."""

    envelope: Envelope
    why: str


@dataclass
class SizeTrust:
    """Whether this server's RFC822.SIZE is exact, learnt from the mails seen."""

    exact: int = 0
    wrong: set[Origin] = field(default_factory=set)

    def agrees(self, envelope: Envelope, raw: bytes) -> bool:
        """Does the length fit? Up to two bytes of a closing line end may differ."""
        crlf = raw.count(b"\r\n")
        lengths = (len(raw), len(raw) - crlf, len(raw) + raw.count(b"\n") - crlf)
        fits = any(abs(length - envelope.size) <= 2 for length in lengths)
        if fits:
            self.exact += 1
        return fits

    def estimates(self, origin: Origin) -> bool:
        """Notes one more disagreement; does the server only estimate?"""
        self.wrong.add(origin)
        return len(self.wrong) >= 3 and len(self.wrong) > self.exact


def read_envelopes(
    session: Session,
    account: str,
    state: FolderState,
    uids: Sequence[int],
    clock: Clock,
    keyword: str = "",
) -> Iterator[Envelope]:
    """Size and INTERNALDATE of the UIDs that exist, in the order asked; and whether they bear the
    keyword."""
    items = "RFC822.SIZE INTERNALDATE FLAGS" if keyword else "RFC822.SIZE INTERNALDATE"
    found: dict[int, Envelope] = {}
    for chunk in uid_chunks(uids):
        reply = session.fetch(chunk, items)
        missing = [u for u in chunk if not _complete(reply.mails.get(u))]
        if missing and (reply.damaged or len(missing) < len(chunk)):
            again = {u: session.fetch([u], items).mails for u in missing}
            for uid, mails in again.items():
                reply.mails.setdefault(uid, {}).update(mails.get(uid, {}))
        for uid in chunk:
            if mail := reply.mails.get(uid):
                origin = Origin(account, state.folder, state.uidvalidity, uid)
                received = _received(mail)
                if received is None:
                    log.warning("%s UID %d has no usable INTERNALDATE", state.folder, uid)
                # Without any date the moment it was first seen: late, but it never loses a mail.
                found[uid] = Envelope(
                    origin,
                    _size(mail),
                    received or clock.now(),
                    dated=received is not None,
                    marked=_bears(mail, keyword),
                )
    yield from (found[uid] for uid in dict.fromkeys(uids) if uid in found)


def _bears(mail: dict[bytes, Any], keyword: str) -> bool:
    flags = mail.get(b"FLAGS")
    if not keyword or not isinstance(flags, tuple):
        return False
    return keyword.lower().encode("ascii") in {f.lower() for f in flags if isinstance(f, bytes)}


def _complete(mail: dict[bytes, Any] | None) -> bool:
    return mail is not None and b"RFC822.SIZE" in mail and b"INTERNALDATE" in mail


def _size(mail: dict[bytes, Any]) -> int:
    """0 when the server does not tell: such a mail is read in pieces."""
    size = mail.get(b"RFC822.SIZE")
    return min(size, _UNKNOWN_SIZE_LIMIT) if isinstance(size, int) and size > 0 else 0


def _received(mail: dict[bytes, Any]) -> datetime | None:
    """INTERNALDATE in Asia/Shanghai; a missing zone is read as the office's own."""
    try:
        moment: datetime = parse_to_datetime(mail[b"INTERNALDATE"], normalise=False)
        if moment.tzinfo is None:
            return moment.replace(tzinfo=SHANGHAI)
        return moment.astimezone(SHANGHAI)
    except (LookupError, ValueError, TypeError, AttributeError, OverflowError):
        return None


def read_batch(
    session: Session, batch: Sequence[Envelope], cap: int, sizes: SizeTrust
) -> list[Fetched | Garbled]:
    """Bytes of mails in the open folder, cut by `fetching.batches`. A lone large mail is read in
    pieces, one above the cap only up to the end of its header section."""
    if len(batch) == 1 and not 0 < batch[0].size <= min(cap, PIECE):
        return [_read_large(session, batch[0], cap, sizes)]
    uids = [envelope.origin.uid for envelope in batch]
    limit = 2 * PIECE + SLACK
    reply = session.fetch(uids, "BODY.PEEK[]", literal_limit=limit)
    results: list[Fetched | Garbled] = []
    for envelope in batch:
        body = body_of(reply.mails.get(envelope.origin.uid))
        if body is not None and sizes.agrees(envelope, body):
            results.append(Fetched(envelope, body))
        else:
            results.append(_once_more(session, envelope, body, sizes))
    return results


def _once_more(
    session: Session, envelope: Envelope, first: bytes | None, sizes: SizeTrust
) -> Fetched | Garbled:
    """A second, single fetch for a body that was missing or of the wrong length."""
    uid = envelope.origin.uid
    reply = session.fetch([uid], "RFC822.SIZE BODY.PEEK[]", literal_limit=2 * PIECE + SLACK)
    mail = reply.mails.get(uid)
    body = body_of(mail)
    if body is None:
        # Recalled by its sender, or moved by a person; but not when the server failed to say so.
        if (reply.damaged or first) and _exists(session, uid):
            return Garbled(envelope, "the server does not hand it out")
        return Fetched(envelope, None)
    if mail and _size(mail):
        envelope = replace(envelope, size=_size(mail))
    if sizes.agrees(envelope, body):
        return Fetched(envelope, body)
    if sizes.estimates(envelope.origin) and body == first and _ends(session, uid, len(body)):
        log.info("UID %d taken with %d bytes, announced %d", uid, len(body), envelope.size)
        return Fetched(envelope, body)
    return Garbled(envelope, f"{len(body)} bytes came, {envelope.size} were announced")


def _exists(session: Session, uid: int) -> bool:
    """Only an answer without the UID proves that a mail is gone."""
    try:
        return session.search("UID", str(uid)) == [uid]
    except Refused:
        return True


def _ends(session: Session, uid: int, offset: int) -> bool:
    """Does the server say that nothing follows?"""
    return _piece(session, uid, "BODY.PEEK[]", offset, 4096) == b""


def _read_large(
    session: Session, envelope: Envelope, cap: int, sizes: SizeTrust
) -> Fetched | Garbled:
    """In pieces: the server's answer for one command stays small, and so does what a lost
    connection costs."""
    if envelope.size > cap:
        return _read_header(session, envelope)
    uid = envelope.origin.uid
    whole = io.BytesIO()
    while True:
        piece = _piece(session, uid, "BODY.PEEK[]", whole.tell(), PIECE)
        if piece is None:
            if _exists(session, uid):
                return Garbled(envelope, f"no bytes from {whole.tell()} on")
            return Fetched(envelope, None)
        whole.write(piece)
        if whole.tell() > cap:
            return _read_header(session, replace(envelope, size=max(envelope.size, whole.tell())))
        if len(piece) < PIECE or whole.tell() == envelope.size:
            break
    raw = whole.getvalue()
    if envelope.size == 0:
        return Fetched(replace(envelope, size=len(raw)), raw)
    if sizes.agrees(envelope, raw):
        return Fetched(envelope, raw)
    if sizes.estimates(envelope.origin) and _ends(session, uid, len(raw)):
        return Fetched(envelope, raw)
    return Garbled(envelope, f"{len(raw)} bytes came, {envelope.size} were announced")


def _read_header(session: Session, envelope: Envelope) -> Fetched | Garbled:
    uid = envelope.origin.uid
    head = _piece(session, uid, "BODY.PEEK[HEADER]", 0, HEADER_CAP)
    if head is None:
        if _exists(session, uid):
            return Garbled(envelope, "the server does not hand out its header")
        return Fetched(envelope, None, complete=False)
    return Fetched(envelope, header_section(head), complete=False)


def _piece(session: Session, uid: int, item: str, offset: int, length: int) -> bytes | None:
    """`length` bytes from `offset` (RFC 3501 §6.4.5), fewer at the end."""
    reply = session.fetch([uid], f"{item}<{offset}.{length}>", literal_limit=length + SLACK)
    body = body_of(reply.mails.get(uid), item.replace(".PEEK", "").encode("ascii"), offset)
    return None if body is None else body[:length]


def body_of(
    mail: dict[bytes, Any] | None, item: bytes = b"BODY[]", offset: int | None = None
) -> bytes | None:
    """The section's bytes out of a response: only the section and the origin asked for. None for
    NIL and for no such section. A server that leaves the origin out means the beginning."""
    names = [item] if offset is None else [b"%s<%d>" % (item, offset)]
    if offset == 0:
        names.append(item)
    for name in names:
        value = (mail or {}).get(name)
        if isinstance(value, (bytes, bytearray)):
            return bytes(value)
    return None
