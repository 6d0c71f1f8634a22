"""Sends what is due from the outbox, one letter at a time.

A letter's states are the store's (`app.records.OutboxState`); this loop decides which one follows
from what the transport reports:

* an answer was read: SENT, RETRY or FAILED, by the answer's class;
* the dot went out and no answer came back: UNKNOWN (`app.uncertain` finds out);
* the fault concerns the account and not the letter (no connection, login refused, the day's quota
  used up): the letter goes back to READY as if never touched, and the account rests.

A letter whose time is over, or that `wanted` says is not wanted any more, is DROPPED instead.

It promises that a letter is sent under the one Message-ID and with the bytes it was queued with,
that one account's trouble does not hold up another's letters, that a letter which always breaks
the connection ends in RETRY instead of blocking the queue, and that an outcome which could not be
recorded (database busy) is recorded before anything else is sent. Resting times use the monotonic
clock; a letter put off by a wall clock that is set back afterwards goes at once.

What is said in a letter, and finding out about UNKNOWN ones, is not its business.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from mailbot.app.errors import OperatorFault, Permanent, Retryable, Uncertain
from mailbot.app.leases import LOST
from mailbot.app.ports import Clock, Outbox, Store, Transport
from mailbot.app.records import OutboxState, Outgoing, QueuedLetter

_log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(minutes=5)
"""RFC 5321 §4.5.4.1 asks for 30 minutes between tries of a queue; greylisting and NetEase's
temporary refusals are over sooner, and a liaison is waiting. Doubles with every try."""
LONGEST_RETRY = timedelta(hours=12)
GIVE_UP = timedelta(days=4)
"""RFC 5321 §4.5.4.1: at least 4 to 5 days."""
LOGIN_TRIES = 3
"""Refused logins in a row before an account stops until restart: providers lock accounts."""

_CONNECT_REST = (60.0, 120.0, 300.0, 600.0, 900.0)
"""Seconds an account rests after its first, second … failed connection in a row."""
_LOGIN_REST = (900.0, 3600.0)
_RATE_REST = 60.0
_BREAKS = 3
"""Lost connections with the same letter in hand before they count as the letter's fault."""
_LETTERS_OWN = frozenset({"closed", "closing"})
"""Codes of faults after the login, which a letter can have brought about."""
_PARKED = 50
"""Letters of resting accounts set aside in one round to look for other accounts' letters."""
_OFFICE_ZONE = ZoneInfo("Asia/Shanghai")
"""Quotas of a day end at midnight where the providers are."""


class Stop(Protocol):
    """`threading.Event`, as far as it is used here."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> bool: ...


Wanted = Callable[[Outgoing, datetime], str]
"""Why a letter is not wanted any more, a Chinese sentence; empty: it is. Asked when its turn has
come, which may be days after it was queued."""


def always_wanted(letter: Outgoing, now: datetime) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one letter in a round. `state` READY: untouched, the account rests."""

    queued: QueuedLetter
    state: OutboxState
    detail: str
    """The server's answer, the fault, or why it was not wanted any more."""


@dataclass(frozen=True, slots=True)
class Rest:
    """An account that is not being used for now. `until` None: until restart."""

    sender: str
    code: str
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """One round. `rests`: accounts resting at its end; `next_try`: when the first of them, or the
    first letter in RETRY, is due (None: nothing is waiting for a time)."""

    outcomes: tuple[Outcome, ...] = ()
    rests: tuple[Rest, ...] = ()
    next_try: datetime | None = None

    def count(self, state: OutboxState) -> int:
        return sum(o.state is state for o in self.outcomes)

    @property
    def sent(self) -> int:
        return self.count(OutboxState.SENT)

    @property
    def retried(self) -> int:
        return self.count(OutboxState.RETRY)

    @property
    def failed(self) -> int:
        return self.count(OutboxState.FAILED)

    @property
    def unknown(self) -> int:
        return self.count(OutboxState.UNKNOWN)

    @property
    def dropped(self) -> int:
        return self.count(OutboxState.DROPPED)


@dataclass(slots=True)
class _Account:
    """What the loop remembers of one sender between letters; nothing of it outlives the process."""

    transport: Transport | None = None
    rest: Rest | None = None
    rest_over: float = 0.0
    """On the monotonic clock; infinite for until restart."""
    failed_connections: int = 0
    refused_logins: int = 0
    passed_over: bool = False
    """The last letter broke the line again and was put off; nothing was sent since."""
    slower: float = 0.0
    """Extra seconds between letters after the server asked to slow down."""
    last_start: float | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What follows from one try. `write` records it; None: the letter is parked untouched."""

    state: OutboxState
    detail: str
    write: Callable[[], None] | None = None


class Deliverer:
    """Not shared between threads. `transport_for` makes the transport of a sender's address; it is
    asked once and the transport kept until `close` (or until it proves unusable). `pace`: least
    seconds between the starts of two letters of one account. `wanted` must not write. `senders`:
    only their letters are sent."""

    def __init__(
        self,
        store: Store,
        transport_for: Callable[[str], Transport],
        clock: Clock,
        *,
        pace: float = 0.0,
        wanted: Wanted = always_wanted,
        senders: Collection[str] | None = None,
    ) -> None:
        self._outbox: Outbox = store.outbox
        self._senders = senders
        self._transport_for, self._clock, self._pace = transport_for, clock, pace
        self._wanted = wanted
        self._accounts: dict[str, _Account] = {}
        self._breaks: dict[int, int] = {}
        self._unrecorded: list[Callable[[], None]] = []

    def deliver_due(
        self, now: datetime, limit: int | None = None, stop: Stop | None = None
    ) -> DeliverReport:
        """Sends the letters due at `now`, at most `limit` of them, until none is left, every
        account with letters rests, or `stop` is set (the letter in hand is finished first).

        Raises what the store raises; the outcome in hand is then recorded at the next call,
        before anything else."""
        self._record()
        self._end_rests()
        outcomes: list[Outcome] = []
        parked: list[QueuedLetter] = []
        try:
            while not (stop and stop.is_set()) and len(parked) < _PARKED:
                if limit is not None and len(outcomes) >= limit:
                    break
                queued = self._outbox.claim(now, self._senders)
                if queued is None:
                    break
                account = self._accounts.setdefault(queued.letter.sender, _Account())
                if account.rest is not None or not self._paced(account, stop):
                    parked.append(queued)
                    continue
                verdict = self._not_wanted(queued) or self._try(queued, account)
                outcomes.append(Outcome(queued, verdict.state, verdict.detail))
                if verdict.write is None:
                    parked.append(queued)
                else:
                    self._record(verdict.write)
        finally:
            # Given back only now, or `claim` would hand them out again and again.
            self._record(*(partial(self._outbox.release, queued.id) for queued in parked))
        return DeliverReport(tuple(outcomes), self._rests(), self._next_try(now))

    def write_down(self) -> None:
        """Records what could not be recorded yet. Raises what the store raises."""
        self._record()

    def close(self) -> None:
        """Closes every connection."""
        for account in self._accounts.values():
            if account.transport is not None:
                account.transport.close()
                account.transport = None

    # --- one letter -------------------------------------------------------------------------

    def _not_wanted(self, queued: QueuedLetter) -> _Verdict | None:
        """A letter that cannot be looked at again goes out: one reminder too many does less harm
        than one that never comes."""
        now, over = self._now(), queued.letter.not_after
        if over is not None and now >= over:
            until = f"{over.astimezone(_OFFICE_ZONE):%Y-%m-%d %H:%M}"
            why = f"这封信只在 {until} 之前有用，轮到发送时已过时限，不再发送。"
        else:
            try:
                why = self._wanted(queued.letter, now)
            except Exception:
                _log.exception("letter %s could not be looked at again", queued.letter.key)
                return None
        if not why:
            return None
        self._breaks.pop(queued.id, None)
        return _Verdict(
            OutboxState.DROPPED, why, partial(self._outbox.dropped, queued.id, why, now)
        )

    def _try(self, queued: QueuedLetter, account: _Account) -> _Verdict:
        dotted = False
        store_fault: Exception | None = None

        def before_dot() -> None:
            nonlocal dotted, store_fault
            try:
                self._outbox.dot(queued.id, self._clock.now())
            except Exception as error:
                store_fault = error
                raise
            dotted = True

        account.last_start = self._clock.monotonic()
        try:
            if account.transport is None:
                account.transport = self._transport_for(queued.letter.sender)
            answer = account.transport.send(queued.letter, before_dot)
        except Exception as error:
            if store_fault is not None:
                # Without the record there was no dot: nothing was sent.
                self._unrecorded.append(partial(self._outbox.release, queued.id))
                raise
            return self._judge(error, dotted, queued, account)
        self._breaks.pop(queued.id, None)
        account.failed_connections = account.refused_logins = 0
        account.passed_over = False
        account.slower = account.slower / 2 if account.slower > 0.1 else 0.0
        return _Verdict(
            OutboxState.SENT, answer, partial(self._outbox.sent, queued.id, answer, self._now())
        )

    def _judge(
        self, error: Exception, dotted: bool, queued: QueuedLetter, account: _Account
    ) -> _Verdict:
        detail = str(error)
        match error:
            case OperatorFault():
                self._rest(account, queued, "config", detail, _CONNECT_REST[-1])
                return _Verdict(OutboxState.READY, detail)
            case Uncertain():
                return self._unknown(queued, detail)
            case Permanent(systemic=True, code=code):
                account.refused_logins += 1
                seconds = (
                    _LOGIN_REST[account.refused_logins - 1]
                    if account.refused_logins < LOGIN_TRIES
                    else math.inf
                )
                self._rest(account, queued, code, detail, seconds)
                return _Verdict(OutboxState.READY, detail)
            case Permanent():
                return self._failed(queued, detail)
            case Retryable(systemic=True, code="daily_quota"):
                self._rest(account, queued, "daily_quota", detail, self._until_tomorrow())
                return _Verdict(OutboxState.READY, detail)
            case Retryable(systemic=True, code=code, after=after):
                breaks = self._breaks.get(queued.id, 0) + (code in _LETTERS_OWN)
                self._breaks[queued.id] = breaks
                if breaks >= _BREAKS:  # the next letter shows at once whether it is the letter
                    if account.passed_over:
                        self._rest(account, queued, code, detail, _CONNECT_REST[0])
                    account.passed_over = True
                    return self._later(queued, detail, None)
                step = min(account.failed_connections, len(_CONNECT_REST) - 1)
                account.failed_connections += 1
                self._rest(account, queued, code, detail, max(_CONNECT_REST[step], after or 0.0))
                return _Verdict(OutboxState.READY, detail)
            case Retryable(code=code, after=after):
                if code == "rate":
                    account.slower = max(1.0, account.slower * 2)
                    self._rest(account, queued, code, detail, after or _RATE_REST)
                return self._later(queued, detail, after)
            case _:
                _log.error("transport failed on letter %s", queued.id, exc_info=error)
                detail = f"{type(error).__name__}: {detail}"
                if dotted:
                    return self._unknown(queued, detail)
                return self._later(queued, detail, None)

    def _unknown(self, queued: QueuedLetter, error: str) -> _Verdict:
        write = partial(self._outbox.unknown, queued.id, error, self._now())
        return _Verdict(OutboxState.UNKNOWN, error, write)

    def _failed(self, queued: QueuedLetter, error: str) -> _Verdict:
        write = partial(self._outbox.failed, queued.id, error, self._now())
        return _Verdict(OutboxState.FAILED, error, write)

    def _later(self, queued: QueuedLetter, error: str, after: float | None) -> _Verdict:
        delay = retry_delay(queued.attempts)
        if delay is None:
            return self._failed(queued, f"given up after {GIVE_UP.days} days: {error}")
        at = self._now() + max(delay, timedelta(seconds=after or 0.0))
        return _Verdict(OutboxState.RETRY, error, partial(self._outbox.retry, queued.id, error, at))

    # --- accounts ---------------------------------------------------------------------------

    def _rest(
        self, account: _Account, queued: QueuedLetter, code: str, reason: str, seconds: float
    ) -> None:
        account.rest_over = self._clock.monotonic() + seconds
        until = None if math.isinf(seconds) else self._now() + timedelta(seconds=seconds)
        account.rest = Rest(queued.letter.sender, code, reason, until)
        _log.warning("%s rests (%s) until %s: %s", queued.letter.sender, code, until, reason)

    def _end_rests(self) -> None:
        now = self._clock.monotonic()
        for account in self._accounts.values():
            if account.rest is not None and now >= account.rest_over:
                account.rest = None
                if account.transport is not None:  # made anew: the settings may be mended
                    account.transport.close()
                    account.transport = None

    def _rests(self) -> tuple[Rest, ...]:
        return tuple(a.rest for a in self._accounts.values() if a.rest is not None)

    def _next_try(self, now: datetime) -> datetime | None:
        rests = self._rests()
        times = [r.until for r in rests if r.until is not None]
        due = self._outbox.next_due()
        # A letter already due that was not sent waits for its account, unless none rests.
        if due is not None and (due > now or not rests):
            times.append(due)
        return min(times, default=None)

    def _until_tomorrow(self) -> float:
        """Seconds until ten past midnight: providers' counters are not reset to the second."""
        now = self._now().astimezone(_OFFICE_ZONE)
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
        return (midnight - now + timedelta(minutes=10)).total_seconds()

    def _paced(self, account: _Account, stop: Stop | None) -> bool:
        """Waits until the account may send again; False when told to stop meanwhile."""
        gap = self._pace + account.slower
        if gap <= 0 or account.last_start is None:
            return True
        left = account.last_start + gap - self._clock.monotonic()
        if left <= 0:
            return True
        if stop is not None:
            return not stop.wait(left)
        time.sleep(left)
        return True

    # --- records ----------------------------------------------------------------------------

    def _record(self, *writes: Callable[[], None]) -> None:
        """Writes what is still unrecorded, oldest first, then `writes`. What the world prevents is
        kept for the next call; any other fault of the store is raised and not tried again. What is
        refused because another worker has taken over is that one's to find out."""
        self._unrecorded.extend(writes)
        while self._unrecorded:
            write = self._unrecorded.pop(0)
            try:
                write()
            except Retryable as fault:
                if fault.code == LOST:
                    _log.warning("an outcome was left to the worker that took over: %s", fault)
                    continue
                self._unrecorded.insert(0, write)
                raise

    def _now(self) -> datetime:
        return self._clock.now()


def retry_delay(attempts: int) -> timedelta | None:
    """How long a letter waits after `attempts` tries (0 and 1 alike): 5 minutes, doubling up to 12
    hours; None once the waits together have reached four days."""
    waited, delay = timedelta(0), FIRST_RETRY
    for _ in range(1, max(attempts, 1)):
        waited += delay
        delay = min(delay * 2, LONGEST_RETRY)
    return None if waited >= GIVE_UP else delay
