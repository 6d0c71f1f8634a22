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
from dataclasses import replace
from datetime import timedelta

from mailbot.adapters.fetching import batches
from mailbot.adapters.imap import faults as imap_faults
from mailbot.adapters.imap import fetch as imap_fetch
from mailbot.adapters.imap.account import ImapAccount, Secret
from mailbot.adapters.imap.faults import Refused
from mailbot.adapters.imap.filing import file
from mailbot.adapters.imap.idling import Idling
from mailbot.adapters.imap.probe import ProbeReport, probe
from mailbot.adapters.imap.session import Opened, Session
from mailbot.adapters.imap.unnumbered import Numbers
from mailbot.adapters.imap.wire import search_day
from mailbot.app.errors import Permanent, Retryable, Unfetched
from mailbot.app.ports import Clock
from mailbot.app.records import Disposition, Envelope, Fetched, FolderState, Origin

__all__ = ["ImapAccount", "ImapSource", "ProbeReport", "Secret", "probe"]

log = logging.getLogger(__name__)

_DAY = timedelta(days=1)
STALE = 20
"""Seconds of silence after which a connection is tried with NOOP before it is trusted."""


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
        self._numbers = Numbers()
        self._idling = Idling(clock, self._stop)

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
            if opened.uidvalidity:
                yield FolderState(folder, opened.uidvalidity, uids, opened.uidnext)
            else:
                numbers = self._numbers.of(self._live(), folder, uids)
                yield FolderState(folder, 0, sorted(numbers), lasting=True)
        yield from self._moved_away()
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
        if session is None:
            return
        named = self._named(session, state.folder, state.uidvalidity, uids)
        real = sorted(named)
        keyword = self._settings.keyword
        for found in imap_fetch.read_envelopes(
            session, self.account, state, real, self._clock, keyword
        ):
            if self._of_another_time(found):
                continue
            yield replace(found, origin=replace(found.origin, uid=named[found.origin.uid]))

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
        named = self._named(session, origin.folder, origin.uidvalidity, [origin.uid])
        for uid in named:
            file(session, uid, keyword, target, f"{self.account} {origin.folder} UID {uid}")

    def wait(self, seconds: float) -> bool:
        if seconds <= 0 or self._stop.is_set():
            return False
        if self._settings.idle:
            session = self._live()
            if self._idling.worth_trying(session):
                return self._idle(seconds)
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

    def _named(
        self, session: Session, folder: str, uidvalidity: int, uids: Sequence[int]
    ) -> dict[int, int]:
        """The server's UIDs on this connection -> the numbers the mails are known by."""
        if uidvalidity:
            return {uid: uid for uid in uids}
        real = {self._numbers.real(session, folder, uid): uid for uid in uids}
        return {uid: lasting for uid, lasting in real.items() if uid is not None}

    def _moved_away(self) -> Iterator[FolderState]:
        """After a restore: what was settled in the lost time lies where settled mail is moved to."""
        if self._settings.lost_time is None:
            return
        since, until = self._settings.lost_time
        days = ("SINCE", search_day(since - _DAY), "BEFORE", search_day(until + 2 * _DAY))
        for folder in dict.fromkeys(self._settings.moves.values()):
            opened = self._open(folder)
            if opened is not None and opened.uidvalidity:
                uids = self._searched(folder, days)
                yield FolderState(folder, opened.uidvalidity, uids, opened.uidnext)

    def _of_another_time(self, envelope: Envelope) -> bool:
        """In such a folder, not of the lost time: days are coarse, and some servers ignore them."""
        lost = self._settings.lost_time
        if lost is None or envelope.origin.folder in self._settings.watched:
            return False
        return not (envelope.dated and lost[0] <= envelope.received <= lost[1])

    def _criteria(self) -> tuple[str, ...]:
        """ALL or SINCE, nothing else: Tencent answers other keys with everything, Aliyun refuses
        CHARSET. SINCE compares days in the server's zone, hence a day more."""
        if self._settings.since_days is None:
            return ("ALL",)
        day = (self._clock.now() - timedelta(days=self._settings.since_days + 1)).date()
        return ("SINCE", search_day(day))

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
            numbers = [envelope.origin.uid for envelope in batch]
            named = self._named(session, first.folder, first.uidvalidity, numbers)
            asked = {n: uid for uid, n in named.items()}
            there = [_at_uid(e, asked[e.origin.uid]) for e in batch if e.origin.uid in asked]
            results = imap_fetch.read_batch(session, there, cap, self._sizes) if there else []
        except Retryable as fault:
            yield from self._lost(batch, cap, failed, fault)
            return
        yield from (Fetched(e, None) for e in batch if e.origin.uid not in asked)
        for result in results:
            envelope = _at_uid(result.envelope, named[result.envelope.origin.uid])
            self._suspects.pop(envelope.origin, None)
            if isinstance(result, Fetched):
                yield replace(result, envelope=envelope)
            else:
                failed.append((envelope.origin, result.why))

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

    # --- waiting ------------------------------------------------------------------------------

    def _idle(self, seconds: float) -> bool:
        """IDLE tells only of what comes while it stands, so the folder is compared with the last
        search first: mail may have arrived in between."""
        folder = next((f for f in self._settings.watched if f not in self.missing_folders), None)
        if folder is None or (opened := self._open(folder)) is None:
            self._stop.wait(seconds)
            return False
        seen = self._seen.get(folder)
        if seen is not None and _changed(seen, opened):
            return True
        return self._idling.wait(self._live(), seconds)


def _at_uid(envelope: Envelope, uid: int) -> Envelope:
    return replace(envelope, origin=replace(envelope.origin, uid=uid))


def _changed(before: Opened, now: Opened) -> bool:
    return (before.uidvalidity, before.exists, before.uidnext) != (
        now.uidvalidity,
        now.exists,
        now.uidnext,
    )
