"""The supervisor: begins and ends the work on what the keeper holds, and all of it at SIGTERM.

Threads: this one (never waits for the database: it stops what was not renewed in time), the keeper's,
the calendar's, two for each mailbox held, and one for each job given.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable

import schedule

from mailbot.app.board import Board
from mailbot.app.errors import WorldFault
from mailbot.app.leases import DUTIES, LOST, mailbox_lease
from mailbot.app.settle import Settled
from mailbot.bootstrap import Office
from mailbot.daemon.calendar import Calendar
from mailbot.daemon.keeper import Keeper
from mailbot.daemon.notes import Notes
from mailbot.daemon.work import MailboxWork
from mailbot.reloading import renewed

log = logging.getLogger("mailbot.daemon")

DRAIN = 630.0
"""Seconds an end waits for what is under way: a server may take ten minutes to answer the final dot
(RFC 5321 §4.5.3.2.6)."""


class Daemon:
    """One process. `jobs` is what is done once a minute, by the name of its thread: more may be
    added before it runs."""

    def __init__(
        self,
        office: Office,
        on_settled: Callable[[Settled], None] | None = None,
        *,
        board: Board | None = None,
    ) -> None:
        self.office = office
        self.board = board or Board()
        self.stop = threading.Event()
        self._on_settled = on_settled or _log_settled
        self._boxes = {mailbox_lease(b.name): b for b in office.settings.require_mailboxes()}
        self._leases = office.leases
        seconds = office.settings.lease_seconds
        self.keeper = Keeper(self._leases, tuple(self._boxes), seconds, office.clock.monotonic)
        self._works: dict[str, tuple[Office, MailboxWork]] = {}
        self._ended = threading.Event()
        self._reload = threading.Event()
        self._keeper_notes = Notes(self.board, "database", "数据库暂时不能用")
        self.calendar = Calendar(office, self.board, self._wake_sending)
        self.jobs: dict[str, Callable[[], None]] = {"calendar": self.do_duties}
        if not self.keeper.alone:
            log.info("worker %s", self._leases.worker)

    def run(self) -> None:
        """Until SIGTERM or SIGINT; what is under way is finished first. SIGHUP reads settings, data
        and templates afresh."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())
        signal.signal(signal.SIGHUP, lambda *_: self._reload.set())
        if self.keeper.alone:
            recovered = self.office.store.outbox.recover(self.office.clock.now())
            if any(recovered):
                log.warning("outbox: %d letters made ready again, %d uncertain", *recovered)
        self._tick()
        self.supervise()
        threads = [
            threading.Thread(target=self._minutely, args=(job,), name=name, daemon=True)
            for name, job in self.jobs.items()
        ]
        threads.append(threading.Thread(target=self._reload_when_told, name="reload", daemon=True))
        if not self.keeper.alone:
            threads.append(threading.Thread(target=self._keep, name="keeper", daemon=True))
        for thread in threads:
            thread.start()
        log.info("watching %s", ", ".join(b.name for b in self._boxes.values()))
        while not self.stop.wait(1.0):
            self.supervise()
        self._drain(threads)

    # --- the mailboxes

    def supervise(self) -> None:
        """Once a second. The work follows what is held, and its office."""
        held = self.keeper.held()
        for name, (office, work) in list(self._works.items()):
            if work.lease_lost:
                self.keeper.lose(work.hold)
            if work.ended:
                del self._works[name]
            elif work.hold.until <= self.office.clock.monotonic():
                work.break_off()
            elif held.get(name) is not work.hold or office is not self.office:
                work.end()
            else:
                work.reading.watch()
        for name, hold in held.items():
            if name in self._boxes and name not in self._works and not self.stop.is_set():
                work = MailboxWork(
                    self.office, self._boxes[name], hold, self.board, self._on_settled
                )
                self._works[name] = (self.office, work)
        self.keeper.busy(self._works)

    def _wake_sending(self) -> None:
        for _office, work in list(self._works.values()):
            work.sending.queued.set()

    def _drain(self, threads: list[threading.Thread]) -> None:
        self.keeper.close()
        for _office, work in self._works.values():
            work.end()
        deadline = self.office.clock.monotonic() + DRAIN
        while self._works and self.office.clock.monotonic() < deadline:
            self._ended.wait(0.05)
            self.supervise()
        self._ended.set()
        for thread in threads:
            thread.join(max(0.0, deadline - self.office.clock.monotonic()))
        if self._works:
            log.error("not ended in time: %s", ", ".join(self._works))
        try:
            self._leases.leave()
        except WorldFault as fault:
            log.warning("the leases could not be given back: %s", fault)
        log.info("stopped")

    # --- the other threads

    def _keep(self) -> None:
        """A third of the lease's time: a renewal may fail once without harm."""
        while not self._ended.wait(self.office.settings.lease_seconds / 3):
            self._tick()

    def _tick(self) -> None:
        try:
            self.keeper.tick()
            self._keeper_notes.clear()
        except Exception as fault:
            # What is held runs out by itself unless it is renewed soon.
            log.warning("leases could not be renewed: %s", fault, exc_info=_unexpected(fault))
            self._keeper_notes.fault(fault, self.office.clock.now())

    def do_duties(self) -> None:
        hold = self.keeper.held().get(DUTIES)
        if hold is None:
            return
        try:
            self.calendar.tick(self.office, hold.lease)
        except WorldFault as fault:
            if fault.code != LOST:
                raise
            log.warning("another machine has taken over the calendar (%s)", fault)
            self.keeper.lose(hold)

    def _reload_when_told(self) -> None:
        """What was read afresh is taken up mailbox by mailbox, each after what it has under way."""
        while not self.stop.is_set():
            if self._reload.wait(1.0):
                self._reload.clear()
                self.office = renewed(self.office, self.board)

    def _minutely(self, job: Callable[[], None]) -> None:
        """At once, then every minute. `schedule` drops a job that raises; none may."""
        scheduler = schedule.Scheduler()
        scheduler.every(60).seconds.do(_guarded, job)
        _guarded(job)
        while not self.stop.wait(1.0):
            scheduler.run_pending()


def _guarded(job: Callable[[], None]) -> None:
    try:
        job()
    except Exception:
        log.exception("a scheduled job failed")


def _unexpected(fault: Exception) -> bool:
    return not isinstance(fault, WorldFault)


def _log_settled(settled: Settled) -> None:
    if settled.answer.none == "same_mail":
        return  # a renumbered mailbox brings them by the hundred, and says so in one line
    answer = settled.answer.kind.value if settled.answer.kind else settled.answer.none
    receipts = ",".join(i.receipt for i in settled.items)
    log.info("mail %d: %s %s answer=%s", settled.inbound_id, settled.kind, receipts, answer)
