"""One mailbox's sending: letters from its address, when something was queued or is due; and finding
out what became of those whose answer was never read.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing

from mailbot.adapters.backoff import Backoff
from mailbot.adapters.db.leases import DEAD_AFTER
from mailbot.adapters.settings.model import MailboxSettings
from mailbot.app.board import Board
from mailbot.app.deliver import Deliverer, DeliverReport
from mailbot.app.errors import WorldFault
from mailbot.app.leases import LOST
from mailbot.bootstrap import Office
from mailbot.daemon.notes import Notes

log = logging.getLogger("mailbot.daemon")

TICK = 5.0
"""Longest sleep, for letters queued by another process (`once`, desk)."""
LOOK = 60.0
"""Seconds between two looks at letters of unknown fate, and at what others left behind."""


class Sending:
    """`run` is the thread's. `over` says that the lease is lost or the daemon stops: then nothing
    more is begun."""

    def __init__(
        self,
        office: Office,
        box: MailboxSettings,
        board: Board,
        stop: threading.Event,
        over: Callable[[], bool],
    ) -> None:
        self.office, self.box, self._stop, self._over = office, box, stop, over
        self.queued = threading.Event()
        self.lease_lost = False
        self._notes = Notes(board, f"delivery:{box.address}", f"{box.address} 暂时发不了信")
        self._unknown, self._witnesses = office.uncertainties(), office.witnesses()
        # What a worker that died had in hand is free once it is struck off the list.
        struck_off = DEAD_AFTER * office.settings.lease_seconds + 1
        self._next_look = office.clock.monotonic() + min(LOOK, struck_off)
        self._recovered = False

    def run(self) -> None:
        pauses = Backoff()
        with closing(self.office.deliverer([self.box.address])) as deliverer:
            while not self.is_set():
                pause = TICK
                self.queued.clear()
                try:
                    self._recover()
                    self._note(deliverer.deliver_due(self.office.clock.now(), stop=self))
                    self._look()
                    pauses.reset()
                except Exception as error:
                    if isinstance(error, WorldFault) and error.code == LOST:
                        log.warning("%s: another machine has taken over (%s)", self.box.name, error)
                        self.lease_lost = True
                        break
                    # The database is away, or our bug: what was claimed is recovered at the start.
                    pause = pauses.next()
                    said = "%s: a round failed (again in %.0f s): %s"
                    trace = not isinstance(error, WorldFault)
                    log.error(said, self.box.address, pause, error, exc_info=trace)
                    self._notes.fault(error, self.office.clock.now())
                self.queued.wait(pause)
            self._settle_accounts(deliverer)
        self._notes.clear()

    # `app.deliver.Stop`

    def is_set(self) -> bool:
        return self._over()

    def wait(self, timeout: float | None = None) -> bool:
        return self._stop.wait(timeout) or self._over()

    def _recover(self) -> None:
        """What whoever sent from here before had in hand."""
        if self._recovered:
            return
        now = self.office.clock.now()
        found = self.office.store.outbox.recover(now, [self.box.address])
        self._recovered = True
        if any(found):
            said = "%s: %d letters made ready again, %d uncertain"
            log.warning(said, self.box.address, *found)

    def _look(self) -> None:
        if self.office.clock.monotonic() < self._next_look or self.is_set():
            return
        self._next_look = self.office.clock.monotonic() + LOOK
        now, senders = self.office.clock.now(), [self.box.address]
        if self.office.store.lease is not None:
            self.office.store.outbox.recover(now, senders, own=False)
        self._witnesses.look(now, senders)
        report = self._unknown.look(now, senders)
        if report.copied:
            self.queued.set()

    def _note(self, report: DeliverReport) -> None:
        for rest in report.rests:
            said = f"{rest.sender} 暂时发不了信：{rest.reason.rstrip('。')}。"
            if rest.until is None:
                said += (
                    "已连续多次被拒绝，为免账号被锁定，不再尝试发信；收信照常，待发的信都保留着。"
                    "请改好授权码或发信地址，然后重新启动 mailbot。"
                )
            self._notes.note(said, self.office.clock.now())
        if not report.rests:
            self._notes.clear()

    def _settle_accounts(self, deliverer: Deliverer) -> None:
        """An outcome that could not be written down in the last round is tried once more."""
        try:
            deliverer.write_down()
        except Exception:
            log.exception("%s: an outcome could not be recorded", self.box.address)
