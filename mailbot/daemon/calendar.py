"""What is due by the calendar, done by whoever holds the lease for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta

from mailbot.app.board import Board
from mailbot.app.duties.clockguard import PATIENCE, ClockGuard
from mailbot.app.duties.engine import Duties, TickReport
from mailbot.app.errors import WorldFault
from mailbot.app.leases import LOST, Lease
from mailbot.app.records import NewTask
from mailbot.bootstrap import Office
from mailbot.daemon.notes import Notes, tell

log = logging.getLogger("mailbot.daemon")

_CLOCK = "clock"
"""Kind of the task that asks a person to look at the clock."""


class Calendar:
    """One thread's. `wake` is called when letters were queued."""

    def __init__(
        self,
        office: Office,
        board: Board,
        wake: Callable[[], None] = lambda: None,
        *,
        patience: timedelta = PATIENCE,
    ) -> None:
        """Made before any mailbox is searched; `patience` is the clock guard's."""
        self._wake = wake
        self._guard = ClockGuard(office.clock, office.store, patience=patience)
        self._clock_notes = Notes(board, "clock", "系统时钟可疑")
        self._notes = Notes(board, "duties", "到期信件没有办成")
        self._orphan_notes = Notes(board, "delivery", "")
        self._told: date | None = None
        self._doubted = True
        """Also at the start: an earlier process may have told somebody."""
        self._made: tuple[Office, Lease, Office, Duties] | None = None

    def tick(self, office: Office, lease: Lease) -> TickReport:
        """Does what is due, unless the clock cannot be believed right now."""
        held, duties = self._under(office, lease)
        look = self._guard.look()
        self._tell_calendar(office, look.now.date())
        self._tell_orphans(held, look.now)
        if look.warning:
            log.warning("%s", look.warning)
            tell(held, NewTask(next(iter(office.books)), _CLOCK, look.warning))
            self._clock_notes.note(look.warning, look.now)
        if look.hold:
            self._doubted = True
            return TickReport()
        if not look.warning:
            self._believed(held, look.now)
        try:
            report = duties.tick(look.now)
        except Exception as fault:
            if not (isinstance(fault, WorldFault) and fault.code == LOST):
                self._notes.fault(fault, look.now)
            raise
        for warning in report.warnings:
            log.warning("%s", warning)
        if report.failed:
            listed = "；".join(f"{one.what}：{one.why}" for one in report.failed[:3])
            self._notes.note(f"到期信件没有办成：{listed}。", look.now)
        else:
            self._notes.clear()
        if report.done or report.skipped:
            said = "duties: %d done, %d passed over, %d letters queued"
            log.info(said, len(report.done), len(report.skipped), report.letters)
        if report.done:
            self._wake()
        return report

    def _believed(self, held: Office, now: datetime) -> None:
        """The clock is right: nobody need look at it any more."""
        self._clock_notes.clear()
        if not self._doubted:
            return
        self._doubted = False
        office = next(iter(held.books))
        with held.store.reading() as reads:
            told = reads.has_open_task(office, _CLOCK)
        if told:
            with held.store.begin() as tx:
                tx.close_tasks(office, _CLOCK, now)

    def _under(self, office: Office, lease: Lease) -> tuple[Office, Duties]:
        """Duties remember what is settled; a new lease or reloaded data begin afresh."""
        made = self._made
        if made is None or made[0] is not office or made[1] != lease:
            held = office.under(lease)
            made = self._made = (office, lease, held, held.duties())
        return made[2], made[3]

    def _tell_orphans(self, held: Office, now: datetime) -> None:
        """Letters of a mailbox that was taken out of the settings would wait for ever."""
        known = {box.address for box in held.settings.mailboxes}
        orphans = held.store.outbox.senders() - known
        self._orphan_notes.clear()
        for sender in sorted(orphans):
            text = (
                f"有信等着从 {sender} 发出，但 config/mailbot.toml 里没有这个邮箱。"
                "请恢复这个邮箱的设置；这些信在那之前不会发出。"
            )
            self._orphan_notes.note(text, now, f"delivery:{sender}")

    def _tell_calendar(self, office: Office, today: date) -> None:
        """Once a day, that the known holidays end soon."""
        if today == self._told:
            return
        self._told = today
        for warning in office.calendar.warnings(today):
            log.warning("%s", warning)
