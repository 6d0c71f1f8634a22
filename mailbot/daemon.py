"""`mailbot run`: one thread per mailbox, one for delivery, one heartbeat.

A mailbox's thread repeats search, intake, wait; IDLE is only a hint to come back sooner. Delivery
wakes when something was queued or is due. The heartbeat (the main thread) runs `schedule`'s jobs:
every minute what is due by the calendar is done (`app.duties.engine`), and the watchdog judges a
mailbox by the time since its last good search: a connection that looks alive and delivers nothing
is dropped and made anew.

A fault of the world costs a pause (backoff with jitter), never the process. A refused login is
tried again rarely, so that the provider does not lock the account.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import schedule

from mailbot.adapters.backoff import Backoff
from mailbot.adapters.doctor.remedies import explain_fault
from mailbot.adapters.settings.model import MailboxSettings
from mailbot.app.duties.clockguard import ClockGuard
from mailbot.app.errors import OperatorFault, Permanent, WorldFault
from mailbot.app.ports import MailSource
from mailbot.app.records import NewTask
from mailbot.app.settle import Settled
from mailbot.bootstrap import Office

log = logging.getLogger("mailbot.daemon")

LOGIN_PAUSE = 900.0
"""Seconds between logins after a refusal: providers lock accounts that keep trying."""
STALE = timedelta(minutes=15)
"""Without a good search for this long a mailbox counts as broken."""
DELIVERY_TICK = 5.0
"""Longest sleep of the delivery thread, for letters queued by another process (`once`, desk)."""


@dataclass
class Watcher:
    """One mailbox's thread."""

    office: Office
    box: MailboxSettings
    stop: threading.Event
    queued: threading.Event
    on_settled: Callable[[Settled], None]
    last_good: float = 0.0
    source: MailSource | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name=f"mailbox-{self.box.name}")

    def _run(self) -> None:
        self.last_good = self.office.clock.monotonic()
        pauses = Backoff()
        intake = self.office.intake(self.box, self._settled)
        self.source = source = self.office.source(self.box, self.stop)
        try:
            while not self.stop.is_set():
                try:
                    report = intake.run_pass(source, self._alive)
                    self.last_good = self.office.clock.monotonic()
                    pauses.reset()
                    for fault in report.faults:
                        log.error("%s: %s", self.box.name, fault)
                    self._tell_missing(source.missing_folders)
                    source.wait(self.office.settings.poll_seconds)
                except (WorldFault, OperatorFault) as fault:
                    self._pause(fault, pauses)
                except Exception:
                    # Our bug, outside any single mail. Nothing was marked; try again later.
                    log.exception("%s: unexpected error in a pass", self.box.name)
                    self.stop.wait(pauses.next())
        finally:
            source.close()
            intake.reader.close()

    def _alive(self) -> bool:
        """Asked before every batch of a pass, which may be the reading of years of mail: it is no
        sign of trouble that the next search is far. True when the pass should end."""
        self.last_good = self.office.clock.monotonic()
        return self.stop.is_set()

    def _tell_missing(self, folders: frozenset[str]) -> None:
        """A folder that is gone (renamed in webmail) stops nothing, but somebody must know."""
        if not folders:
            return
        names = "、".join(sorted(folders))
        text = f"邮箱{self.box.name}里没有要看的文件夹：{names}。请核对 config/mailbot.toml 的 folders。"
        _tell(self.office, NewTask(self.box.offices[0], "folder", text))

    def break_off(self) -> None:
        """Cuts the connection under the thread's feet; it then starts afresh."""
        if self.source is not None:
            self.source.abort()
        self.last_good = self.office.clock.monotonic()  # a new chance before the next cut

    def _settled(self, settled: Settled) -> None:
        self.queued.set()
        self.on_settled(settled)

    def _pause(self, fault: WorldFault | OperatorFault, pauses: Backoff) -> None:
        pause = pauses.next()
        if isinstance(fault, Permanent) and fault.code in ("login", "unsafe_login"):
            pause = max(pause, LOGIN_PAUSE)
        said = explain_fault(fault) if isinstance(fault, WorldFault) else str(fault)
        log.warning("%s: %s (again in %.0f s)", self.box.name, said, pause)
        self.stop.wait(pause)


class Daemon:
    """All threads of one installation."""

    def __init__(self, office: Office, on_settled: Callable[[Settled], None] | None = None) -> None:
        self.office = office
        self.stop = threading.Event()
        self.queued = threading.Event()
        self.watchers = [
            Watcher(office, box, self.stop, self.queued, on_settled or _log_settled)
            for box in office.settings.require_mailboxes()
        ]
        self.duties = office.duties()
        self.clock_guard = ClockGuard(office.clock)
        self.calendar_told: date | None = None
        self.scheduler = schedule.Scheduler()
        self.scheduler.every(60).seconds.do(self._guarded, self._watchdog)
        self.scheduler.every(60).seconds.do(self._guarded, self._do_duties)

    def run(self) -> None:
        """Until SIGTERM or SIGINT. What is under way is finished first."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())
        recovered = self.office.store.outbox.recover(self.office.clock.now())
        if any(recovered):
            log.warning("outbox: %d letters made ready again, %d uncertain", *recovered)
        delivery = threading.Thread(target=self._deliver, name="delivery")
        threads = [delivery, *(w.thread for w in self.watchers)]
        for thread in threads:
            thread.start()
        log.info("watching %s", ", ".join(w.box.name for w in self.watchers))
        self._guarded(self._do_duties)
        while not self.stop.wait(1.0):
            self.scheduler.run_pending()
        self.queued.set()
        for thread in threads:
            thread.join()
        log.info("stopped")

    def _deliver(self) -> None:
        deliverer = self.office.deliverer()
        pauses = Backoff()
        try:
            while not self.stop.is_set():
                pause = DELIVERY_TICK
                self.queued.clear()
                try:
                    deliverer.deliver_due(self.office.clock.now(), stop=self.stop)
                    pauses.reset()
                except Exception:
                    # The database is away, or our bug: what was claimed is recovered at the start.
                    pause = pauses.next()
                    log.exception("delivery: a round failed (again in %.0f s)", pause)
                self.queued.wait(pause)
        finally:
            deliverer.close()

    def _do_duties(self) -> None:
        """What is due by the calendar, unless the clock cannot be believed right now."""
        look = self.clock_guard.look()
        self._tell_calendar(look.now.date())
        if look.warning:
            log.warning("%s", look.warning)
            _tell(self.office, NewTask(next(iter(self.office.books)), "clock", look.warning))
        if look.hold:
            return
        report = self.duties.tick(look.now)
        for warning in report.warnings:
            log.warning("%s", warning)
        if report.done or report.skipped:
            said = "duties: %d done, %d passed over, %d letters queued"
            log.info(said, len(report.done), len(report.skipped), report.letters)
        if report.done:
            self.queued.set()

    def _tell_calendar(self, today: date) -> None:
        """Once a day, that the known holidays end soon."""
        if today == self.calendar_told:
            return
        self.calendar_told = today
        for warning in self.office.calendar.warnings(today):
            log.warning("%s", warning)

    def _watchdog(self) -> None:
        """Breaks off a connection that has not given a good search for too long."""
        for watcher in self.watchers:
            age = self.office.clock.monotonic() - watcher.last_good
            if age > STALE.total_seconds():
                log.error("%s: no good search for %.0f minutes", watcher.box.name, age / 60)
                watcher.break_off()

    @staticmethod
    def _guarded(job: Callable[[], None]) -> None:
        """`schedule` drops every later job when one raises; none may."""
        try:
            job()
        except Exception:
            log.exception("a scheduled job failed")


def _tell(office: Office, task: NewTask) -> None:
    """A task for a person, unless one of its kind is open."""
    with office.store.begin() as tx:
        if not tx.read.has_open_task(task.office, task.kind):
            tx.add_task(task, office.clock.now())


def _log_settled(settled: Settled) -> None:
    answer = settled.answer.kind.value if settled.answer.kind else settled.answer.none
    receipts = ",".join(i.receipt for i in settled.items)
    log.info("mail %d: %s %s answer=%s", settled.inbound_id, settled.kind, receipts, answer)
