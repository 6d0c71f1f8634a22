"""Moves or flags one settled mail in the mailbox: a courtesy to people, repeatable."""

from __future__ import annotations

from collections.abc import Callable

from mailbot.adapters.imap import faults as imap_faults
from mailbot.adapters.imap.faults import Refused
from mailbot.adapters.imap.session import Session


def file(session: Session, uid: int, keyword: str | None, target: str, what: str) -> None:
    """Sets the keyword where the open folder permits it, and moves to `target` (empty: stays).
    `what` names the mail in a fault."""
    opened = session.opened
    try:
        if keyword and opened and {"\\*", keyword.lower()} & opened.keywords:
            session.store(uid, keyword)
        if target:
            _move(session, uid, target)
    except Refused as refusal:
        raise imap_faults.settle_refused(refusal.said, what) from refusal


def _move(session: Session, uid: int, target: str) -> None:
    """MOVE, else COPY and mark as deleted, and take away this one mail where the server can
    (UIDPLUS). Never a plain EXPUNGE: it would also remove what a person has marked. A mail
    already marked as deleted is left alone: it was copied before, or a person's."""
    if "MOVE" in session.capabilities:
        _into(session, target, session.move, uid)
        return
    flags = session.fetch([uid], "FLAGS").mails.get(uid, {}).get(b"FLAGS")
    if flags is None or b"\\deleted" in {bytes(f).lower() for f in flags}:
        return
    _into(session, target, session.copy, uid)
    session.store(uid, "\\Deleted")
    if "UIDPLUS" in session.capabilities:
        session.expunge(uid)


def _into(session: Session, target: str, act: Callable[[int, str], None], uid: int) -> None:
    """Makes the folder when it is missing (RFC 3501 TRYCREATE; not all servers say so)."""
    try:
        act(uid, target)
    except Refused as refusal:
        if "quota" in refusal.said.lower():
            raise
        try:
            session.create(target)
        except Refused:
            raise refusal from None
        act(uid, target)
