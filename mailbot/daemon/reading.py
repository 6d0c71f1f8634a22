"""One mailbox's reading: search, intake, wait, again and again; IDLE is only a hint to come back
sooner.

A fault of the world costs a pause (backoff with jitter), never the process. A refused login is tried
again rarely, so that the provider does not lock the account.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

from mailbot.adapters.backoff import Backoff
from mailbot.adapters.doctor.remedies import explain_fault
from mailbot.adapters.settings.model import MailboxSettings
from mailbot.app.board import Board
from mailbot.app.errors import OperatorFault, Permanent, WorldFault
from mailbot.app.leases import LOST
from mailbot.app.ports import MailSource
from mailbot.app.records import NewTask
from mailbot.app.settle import Settled
from mailbot.bootstrap import Office
from mailbot.daemon.notes import Notes, tell

log = logging.getLogger("mailbot.daemon")

LOGIN_PAUSE = 900.0
"""Seconds between logins after a refusal: providers lock accounts that keep trying."""
STALE = timedelta(minutes=15)
"""Without a good search for this long a mailbox counts as broken."""


class Reading:
    """`run` is the thread's. `over` says that the lease is lost or the daemon stops; `stop` is set
    soon after."""

    def __init__(
        self,
        office: Office,
        box: MailboxSettings,
        board: Board,
        stop: threading.Event,
        over: Callable[[], bool],
        on_settled: Callable[[Settled], None],
    ) -> None:
        self.office, self.box, self.stop, self.over = office, box, stop, over
        self.on_settled = on_settled
        self.lease_lost = False
        self._notes = Notes(board, f"mailbox:{box.name}", f"邮箱{box.name}暂时收不了信")
        self._last_good = office.clock.monotonic()
        self._source: MailSource | None = None

    def run(self) -> None:
        pauses = Backoff()
        intake = self.office.intake(self.box, self.on_settled)
        self._source = source = self.office.source(self.box, self.stop)
        with closing(source), closing(intake.reader):
            while not self.over():
                try:
                    report = intake.run_pass(source, self._alive)
                    self._last_good = self.office.clock.monotonic()
                    for fault in report.faults:
                        log.error("%s: %s", self.box.name, fault)
                    self._tell_missing(source.missing_folders)
                    self._notes.clear()
                    source.wait(self.office.settings.poll_seconds)
                    # Only now: a server that lets us search and hangs up in the waiting would else
                    # be logged into every two seconds for ever.
                    pauses.reset()
                except (WorldFault, OperatorFault) as fault:
                    if self.over():
                        break
                    if isinstance(fault, WorldFault) and fault.code == LOST:
                        log.warning("%s: another machine has taken over (%s)", self.box.name, fault)
                        self.lease_lost = True
                        break
                    self._pause(fault, pauses)
                except Exception as bug:
                    # Ours, outside any single mail. Nothing was marked; try again later.
                    log.exception("%s: unexpected error in a pass", self.box.name)
                    self._notes.fault(bug, self.office.clock.now())
                    self.stop.wait(pauses.next())
        self._notes.clear()

    def watch(self) -> None:
        """Breaks off a connection that has not given a good search for too long: it may look alive
        and deliver nothing. From another thread."""
        age = self.office.clock.monotonic() - self._last_good
        if age > STALE.total_seconds():
            log.error("%s: no good search for %.0f minutes", self.box.name, age / 60)
            self.break_off()
            self._last_good = self.office.clock.monotonic()  # a new chance before the next cut

    def break_off(self) -> None:
        """Cuts the connection under the thread's feet."""
        if self._source is not None:
            self._source.abort()

    def _alive(self) -> bool:
        """Asked before every batch of a pass, which may be the reading of years of mail: it is no
        sign of trouble that the next search is far. True when the pass should end."""
        self._last_good = self.office.clock.monotonic()
        return self.over()

    def _tell_missing(self, folders: frozenset[str]) -> None:
        """A folder that is gone (renamed in webmail) stops nothing, but somebody must know."""
        if not folders:
            return
        names = "、".join(sorted(folders))
        text = f"邮箱{self.box.name}里没有要看的文件夹：{names}。请核对 config/mailbot.toml 的 folders。"
        tell(self.office, NewTask(self.box.offices[0], "folder", text))

    def _pause(self, fault: WorldFault | OperatorFault, pauses: Backoff) -> None:
        pause = pauses.next(getattr(fault, "after", None) or 0.0)
        if isinstance(fault, Permanent) and fault.code in ("login", "unsafe_login"):
            pause = max(pause, LOGIN_PAUSE)
        said = explain_fault(fault) if isinstance(fault, WorldFault) else str(fault)
        log.warning("%s: %s (again in %.0f s)", self.box.name, said, pause)
        self._notes.fault(fault, self.office.clock.now())
        self.stop.wait(pause)
