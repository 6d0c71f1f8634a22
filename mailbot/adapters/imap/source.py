"""The mail source over IMAP: one watched mailbox.

`ImapSource` connects when it is first needed and again after a fault, searches every configured
folder by UID, reads without marking anything (EXAMINE and PEEK), and moves or flags settled mail as
a courtesy. What is new is the caller's business: a search always gives all UIDs of interest, since
UIDs may vanish, reappear and turn up out of order, and \\Seen says nothing.

Faults are systemic when login or the connection failed; the source has then closed its connection
and will open a new one at the next call. When to call again is the caller's business (`Backoff`).
One mail that kills the connection again and again is set apart, so that it cannot stop the others.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from mailbot.adapters.fetching import batches
from mailbot.adapters.imap import faults as imap_faults
from mailbot.adapters.imap import fetch as imap_fetch
from mailbot.adapters.imap.account import ImapAccount, Secret
from mailbot.adapters.imap.faults import Refused
from mailbot.adapters.imap.probe import ProbeReport, probe
from mailbot.adapters.imap.session import Opened, Session
from mailbot.app.errors import Permanent, Retryable, Unfetched
from mailbot.app.ports import Clock
from mailbot.app.records import Disposition, Envelope, Fetched, FolderState, Origin

__all__ = ["ImapAccount", "ImapSource", "ProbeReport", "Secret", "probe"]

log = logging.getLogger(__name__)

IDLE_RENEWAL = 9 * 60
"""Seconds in one IDLE. Servers may hang up after 30 minutes (RFC 2177), address translation after
10."""

STALE = 20
"""Seconds of silence after which a connection is tried with NOOP before it is trusted."""

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class ImapSource:
    """Implements `app.ports.MailSource`. Not shared between threads; from another one only `stop`
    may be set, which ends `wait` within a second, and `abort` be called."""

    def __init__(
        self,
        account: ImapAccount,
        secret: Callable[[], Secret],
        *,
        clock: Clock,
        stop: threading.Event | None = None,
    ) -> None:
        self.account = account.name
        self.missing_folders: frozenset[str] = frozenset()
        """Required folders the server does not have, as the last search found. One missing folder
        does not stop the others; the caller tells somebody."""
        self._absent: frozenset[str] = frozenset()
        """The same with the optional ones (spam folders), so that each is logged once."""
        self._settings, self._secret, self._clock = account, secret, clock
        self._stop = stop or threading.Event()
        self._session: Session | None = None
        self._seen: dict[str, Opened] = {}
        self._sizes = imap_fetch.SizeTrust()
        self._suspects: Counter[Origin] = Counter()
        self._idle_refused = False

    # --- the port -----------------------------------------------------------------------------

    def search(self) -> Iterator[FolderState]:
        missing = set()
        criteria = self._criteria()
        for folder in self._settings.watched:
            opened = self._open(folder)
            if opened is None:
                missing.add(folder)
                continue
            uids = self._searched(folder, criteria)
            self._seen[folder] = opened
            yield FolderState(folder, opened.uidvalidity, uids)
        for folder in sorted(missing - self._absent):
            level = logging.WARNING if folder in self._settings.folders else logging.INFO
            log.log(level, "%s: there is no folder %r on the server", self.account, folder)
        self._absent = frozenset(missing)
        self.missing_folders = self._absent & set(self._settings.folders)
        if missing >= set(self._settings.folders):
            raise Permanent(
                f"{self.account}: none of its folders exists: {', '.join(sorted(missing))}",
                code="folder",
                systemic=True,
            )

    def envelopes(self, state: FolderState, uids: Sequence[int]) -> Iterator[Envelope]:
        if not uids:
            return
        session = self._at(state.folder, state.uidvalidity)
        if session is not None:
            yield from imap_fetch.read_envelopes(session, self.account, state, uids, self._clock)

    def fetch(self, envelopes: Sequence[Envelope], cap: int) -> Iterator[Fetched]:
        """In the order given, but mails that were in flight when a connection broke come last and
        one by one. Raises `Unfetched` at the end for mails that could not be read whole."""
        failed: list[tuple[Origin, str]] = []
        suspects = [e for e in envelopes if e.origin in self._suspects]
        trusted = [e for e in envelopes if e.origin not in self._suspects]
        for batch in batches(trusted, cap):
            yield from self._batch(batch, cap, failed)
        for envelope in suspects:
            yield from self._batch([envelope], cap, failed)
        if failed:
            raise Unfetched(failed)

    def settle(self, origin: Origin, disposition: Disposition) -> None:
        target = self._settings.moves.get(disposition.value, "")
        keyword = self._settings.flag
        if target == origin.folder:
            target = ""
        if not target and not keyword:
            return
        session = self._at(origin.folder, origin.uidvalidity, writable=True)
        if session is None:
            return  # the folder is gone or renumbered: nothing there to settle
        opened = session.opened
        what = f"{self.account} {origin.folder} UID {origin.uid}"
        try:
            if keyword and opened and {"\\*", keyword.lower()} & opened.keywords:
                session.store(origin.uid, keyword)
            if target:
                self._move(session, origin.uid, target)
        except Refused as refusal:
            raise imap_faults.settle_refused(refusal.said, what) from refusal

    def wait(self, seconds: float) -> bool:
        if seconds <= 0 or self._stop.is_set():
            return False
        if self._settings.idle and not self._idle_refused:
            session = self._live()
            if "IDLE" in session.capabilities:
                return self._idle(session, seconds)
        self._stop.wait(seconds)
        return False

    def abort(self) -> None:
        """Cuts the connection under the feet of the thread that uses it: what it waits for fails
        as `closed`, and its next search connects anew."""
        session = self._session
        if session is not None:
            session.abort()

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    # --- connection and folders ---------------------------------------------------------------

    def _live(self) -> Session:
        """A session that answers. One that fell silent is tried first: that a server hung up
        during a pause is no fault."""
        session = self._session
        if session is not None and not session.closed:
            if self._clock.monotonic() - session.used < STALE:
                return session
            try:
                session.noop()
                return session
            except (Retryable, Refused) as fault:
                log.info("%s: connecting again: %s", self.account, fault)
                session.drop()
        self._session = Session(self._settings, self._secret(), self._clock.monotonic)
        return self._session

    def _open(self, folder: str, *, writable: bool = False) -> Opened | None:
        """Opens the folder anew; None when the server has none of that name."""
        session = self._live()
        try:
            return session.open(folder, writable=writable)
        except Refused as refusal:
            if fault := imap_faults.folder_refused(refusal.said, folder):
                raise fault from refusal
            return None

    def _at(self, folder: str, uidvalidity: int, *, writable: bool = False) -> Session | None:
        """The session with the folder open, or None when what the UIDs named is no more: the
        folder is gone, or was renumbered."""
        session = self._live()
        opened = session.opened
        if opened is None or opened.folder != folder or (writable and not opened.writable):
            opened = self._open(folder, writable=writable)
            session = self._live()
        if opened is None or opened.uidvalidity != uidvalidity:
            log.warning("%s: folder %r cannot be opened or was renumbered", self.account, folder)
            return None
        return session

    def _criteria(self) -> tuple[str, ...]:
        """ALL or SINCE, nothing else: Tencent answers other keys with everything, Aliyun refuses
        CHARSET. SINCE compares days in the server's zone, hence a day more."""
        if self._settings.since_days is None:
            return ("ALL",)
        day = (self._clock.now() - timedelta(days=self._settings.since_days + 1)).date()
        return ("SINCE", f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year:04d}")

    def _searched(self, folder: str, criteria: tuple[str, ...]) -> list[int]:
        try:
            return self._live().search(*criteria)
        except Refused as refusal:
            raise Retryable(
                f"{self.account}: SEARCH in {folder} refused: {refusal.said}",
                code="folder",
                systemic=True,
            ) from refusal

    # --- reading ------------------------------------------------------------------------------

    def _batch(
        self, batch: Sequence[Envelope], cap: int, failed: list[tuple[Origin, str]]
    ) -> Iterator[Fetched]:
        first = batch[0].origin
        session = self._at(first.folder, first.uidvalidity)
        if session is None:
            yield from (Fetched(envelope, None) for envelope in batch)
            return
        try:
            results = imap_fetch.read_batch(session, batch, cap, self._sizes)
        except Retryable as fault:
            yield from self._lost(batch, cap, failed, fault)
            return
        for result in results:
            self._suspects.pop(result.envelope.origin, None)
            if isinstance(result, Fetched):
                yield result
            else:
                failed.append((result.envelope.origin, result.why))

    def _lost(
        self,
        batch: Sequence[Envelope],
        cap: int,
        failed: list[tuple[Origin, str]],
        fault: Retryable,
    ) -> Iterator[Fetched]:
        """The connection broke while these were in flight. An absurd literal is one mail's doing
        and found at once; anything else may be the line's, until it happened three times."""
        if len(batch) > 1 and fault.code == "oversize":
            for envelope in batch:
                yield from self._batch([envelope], cap, failed)
            return
        for envelope in batch:
            self._suspects[envelope.origin] += 1
        alone = batch[0].origin
        if len(batch) > 1 or (fault.code != "oversize" and self._suspects[alone] < 3):
            raise fault
        failed.append((alone, str(fault)))

    # --- settling -----------------------------------------------------------------------------

    def _move(self, session: Session, uid: int, target: str) -> None:
        """MOVE, else COPY and mark as deleted, and take away this one mail where the server can
        (UIDPLUS). Never a plain EXPUNGE: it would also remove what a person has marked. A mail
        already marked as deleted is left alone: it was copied before, or a person's."""
        if "MOVE" in session.capabilities:
            self._into(session, target, session.move, uid)
            return
        flags = session.fetch([uid], "FLAGS").mails.get(uid, {}).get(b"FLAGS")
        if flags is None or b"\\deleted" in {bytes(f).lower() for f in flags}:
            return
        self._into(session, target, session.copy, uid)
        session.store(uid, "\\Deleted")
        if "UIDPLUS" in session.capabilities:
            session.expunge(uid)

    def _into(
        self, session: Session, target: str, act: Callable[[int, str], None], uid: int
    ) -> None:
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

    # --- waiting ------------------------------------------------------------------------------

    def _idle(self, session: Session, seconds: float) -> bool:
        """IDLE tells only of what comes while it stands, so the folder is compared with the last
        search first: mail may have arrived in between."""
        folder = next((f for f in self._settings.watched if f not in self.missing_folders), None)
        if folder is None or (opened := self._open(folder)) is None:
            self._stop.wait(seconds)
            return False
        seen = self._seen.get(folder)
        if seen is not None and _changed(seen, opened):
            return True
        end = self._clock.monotonic() + seconds
        began = self._clock.monotonic()
        try:
            while (left := end - self._clock.monotonic()) > 0 and not self._stop.is_set():
                if session.idle(min(left, IDLE_RENEWAL), self._stop):
                    return True
        except Refused as refusal:
            log.warning("%s: IDLE refused, polling instead: %s", self.account, refusal.said)
            self._idle_refused = True
            session.drop()
            self._stop.wait(max(0.0, end - self._clock.monotonic()))
        except Retryable as fault:
            # Many servers end long IDLEs. Only one that ends at once is a fault to back off from.
            if self._clock.monotonic() - began < 60:
                raise
            log.info("%s: %s", self.account, fault)
            return True
        return False


def _changed(before: Opened, now: Opened) -> bool:
    return (before.uidvalidity, before.exists, before.uidnext) != (
        now.uidvalidity,
        now.exists,
        now.uidnext,
    )
