"""The work on one mailbox while its lease is held: a thread that reads, a thread that sends."""

from __future__ import annotations

import threading
from collections.abc import Callable

from mailbot.adapters.settings.model import MailboxSettings
from mailbot.app.board import Board
from mailbot.app.settle import Settled
from mailbot.bootstrap import Office
from mailbot.daemon.keeper import Hold
from mailbot.daemon.reading import Reading
from mailbot.daemon.sending import Sending


class MailboxWork:
    """Begins when made. `ended` once both threads are through: nobody else of this process may work
    on the mailbox before."""

    def __init__(
        self,
        office: Office,
        box: MailboxSettings,
        hold: Hold,
        board: Board,
        on_settled: Callable[[Settled], None],
    ) -> None:
        self.hold = hold
        self._stop = threading.Event()
        self._monotonic = office.clock.monotonic
        under = office.under(hold.lease)
        self.sending = Sending(under, box, board, self._stop, self._over)

        def settled(one: Settled) -> None:
            self.sending.queued.set()
            on_settled(one)

        self.reading = Reading(under, box, board, self._stop, self._over, settled)
        # Not waited for by the interpreter: an end that takes too long is cut short (`daemon.main`).
        self._threads = [
            threading.Thread(target=self.reading.run, name=f"mailbox-{box.name}", daemon=True),
            threading.Thread(target=self.sending.run, name=f"delivery-{box.name}", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _over(self) -> bool:
        return self._stop.is_set() or self._monotonic() >= self.hold.until

    def end(self) -> None:
        """What is under way is finished first."""
        self._stop.set()
        self.sending.queued.set()

    def break_off(self) -> None:
        """The lease is lost: nothing of it may be finished any more, but the wait for an answer to
        a letter that is out."""
        if not self._stop.is_set():
            self.end()
            self.reading.break_off()

    @property
    def lease_lost(self) -> bool:
        return self.reading.lease_lost or self.sending.lease_lost

    @property
    def ended(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)
