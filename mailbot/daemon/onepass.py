"""A single pass (`mailbot once`, for cron): every mailbox, the calendar, the outbox, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from mailbot.adapters.doctor.remedies import explain_fault
from mailbot.adapters.i18n import _
from mailbot.adapters.settings.model import MailboxSettings
from mailbot.app.board import Board
from mailbot.app.deliver import DeliverReport
from mailbot.app.duties.engine import TickReport
from mailbot.app.errors import WorldFault
from mailbot.app.leases import DUTIES, mailbox_lease
from mailbot.app.settle import Settled
from mailbot.bootstrap import Office
from mailbot.daemon.calendar import Calendar
from mailbot.daemon.holding import holding


@dataclass(frozen=True, slots=True)
class Passed:
    """What came of it, beside the mails that were told one by one."""

    report: DeliverReport
    ticked: TickReport
    failed: WorldFault | None
    """The first fault that concerned a mailbox as a whole; it was told already."""


def one_pass(
    office: Office,
    on_settled: Callable[[Settled], None],
    tell: Callable[[str], None],
    *,
    duties: bool,
) -> Passed:
    """`tell` is called with every trouble, a sentence. `duties`: also what is due by the calendar."""
    # Before the first search, or its guard would not see that the machine was off.
    calendar = Calendar(office, Board(), patience=timedelta(0)) if duties else None
    failed: WorldFault | None = None
    ticked = TickReport()
    boxes = {mailbox_lease(b.name): b for b in office.settings.require_mailboxes()}
    with holding(office, [*boxes, DUTIES]) as held:
        for name, box in boxes.items():
            if name not in held:
                tell(_("{mailbox}: another mailbot is watching it").format(mailbox=box.name))
                continue
            fault = _read(office.under(held[name]), box, on_settled, tell)
            failed = failed or fault
        if calendar is not None and DUTIES in held:
            # After the mail: it may have met a quota, and it vouches for the clock.
            ticked = calendar.tick(office, held[DUTIES])
        if office.store.shared:
            parts = [
                _deliver(office.under(held[name]), [box.address])
                for name, box in boxes.items()
                if name in held
            ]
        else:
            parts = [_deliver(office, None)]
    outcomes = tuple(o for part in parts for o in part.outcomes)
    rests = tuple(r for part in parts for r in part.rests)
    return Passed(DeliverReport(outcomes, rests), ticked, failed)


def _read(
    office: Office,
    box: MailboxSettings,
    on_settled: Callable[[Settled], None],
    tell: Callable[[str], None],
) -> WorldFault | None:
    """One mailbox that cannot be reached must not keep the others waiting."""
    intake = office.intake(box, on_settled)
    failed: WorldFault | None = None
    with closing(office.source(box)) as source, closing(intake.reader):
        try:
            faults = intake.run_pass(source).faults
        except WorldFault as fault:
            faults, failed = [explain_fault(fault)], fault
    for text in faults:
        tell(f"{box.name}: {text}")
    return failed


def _deliver(office: Office, senders: Sequence[str] | None) -> DeliverReport:
    """What is due, and what an earlier process left behind."""
    now = office.clock.now()
    office.store.outbox.recover(now, senders)
    office.witnesses().look(now, senders)
    uncertainties = office.uncertainties()
    uncertainties.look(now, senders)
    with closing(office.deliverer(senders)) as deliverer:
        report = deliverer.deliver_due(now)
    if report.unknown:  # where there is nowhere to look a person is told at once
        uncertainties.look(office.clock.now(), senders)
    return report
