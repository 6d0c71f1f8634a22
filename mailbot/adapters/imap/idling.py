"""Waits in IDLE (RFC 2177) as long as the server plays along. IDLE is a hint: whoever waits searches
again when the time is over, whatever was heard."""

from __future__ import annotations

import logging
import threading

from mailbot.adapters.imap.faults import Refused
from mailbot.adapters.imap.session import Session
from mailbot.app.errors import Retryable
from mailbot.app.ports import Clock

log = logging.getLogger(__name__)

RENEWAL = 9 * 60
"""Seconds in one IDLE. Servers may hang up after 30 minutes (RFC 2177), address translation after
10."""
EARLY = 60
"""An IDLE that ends sooner is a fault to back off from; many servers end long ones."""
MOST_EARLY = 3
"""Early ends in a row, each of which costs a login, after which IDLE is let be."""
LET_BE = 3600
"""Seconds."""


class Idling:
    def __init__(self, clock: Clock, stop: threading.Event) -> None:
        self._clock, self._stop = clock, stop
        self._early = 0
        self._not_before = 0.0

    def worth_trying(self, session: Session) -> bool:
        return "IDLE" in session.capabilities and self._clock.monotonic() >= self._not_before

    def wait(self, session: Session, seconds: float) -> bool:
        """In the session's open folder; True when mail may have arrived."""
        began = self._clock.monotonic()
        end = began + seconds
        try:
            while (left := end - self._clock.monotonic()) > 0 and not self._stop.is_set():
                if session.idle(min(left, RENEWAL), self._stop):
                    self._early = self._early + 1 if session.closed else 0
                    self._give_up_for_now(session, "it broke off")
                    return True
        except Refused as refusal:
            log.warning("%s: IDLE refused, polling instead: %s", session.where, refusal.said)
            self._not_before = float("inf")
            session.drop()
        except Retryable as fault:
            if self._clock.monotonic() - began >= EARLY:
                log.info("%s: %s", session.where, fault)
                return True
            self._early += 1
            if not self._give_up_for_now(session, str(fault)):
                raise
        else:
            self._early = 0
            return False
        self._stop.wait(max(0.0, end - self._clock.monotonic()))
        return False

    def _give_up_for_now(self, session: Session, why: str) -> bool:
        """Early ends cost a login each."""
        if self._early < MOST_EARLY:
            return False
        log.warning("%s: IDLE keeps ending at once, polling instead: %s", session.where, why)
        self._early, self._not_before = 0, self._clock.monotonic() + LET_BE
        return True
