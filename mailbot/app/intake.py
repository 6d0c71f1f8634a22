"""The main path: a mail in, a record and an answer out.

One pass over a mailbox:

1. `search` names what lies there; what is not known yet gets a row without content — commit 1.
2. Batches are fetched, read in the limited child, checked for secrets marks in memory, and their
   raw bytes made durable in the archive (never after a secrets hit).
3. Each mail is decided; decision, items and answer are written together — commit 2, one for the
   batch, with a savepoint for each mail.
4. The mail is flagged or moved in the mailbox: a courtesy, repeated when it failed.

A crash anywhere repeats the step on the next pass with the same result. An unexpected exception
puts that one mail into quarantine with its traceback; a systemic fault stops the pass and leaves
the mailbox untouched.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from mailbot.app.errors import OperatorFault, Unfetched, WorldFault
from mailbot.app.mailbox import IntakePolicy, Mailbox
from mailbot.app.numbers import known_numbers
from mailbot.app.ports import Archive, Clock, MailReader, MailSource, Store, Transaction
from mailbot.app.records import Disposition, Envelope, Fetched, FolderState, InboundRow
from mailbot.app.service.orders import Orders
from mailbot.app.settle import Settled, Settler
from mailbot.core.intake.requests import is_order
from mailbot.core.mail.decode import unread_mail
from mailbot.core.mail.model import Defect, DefectCode, IncomingMail

log = logging.getLogger(__name__)

BATCH_MAILS = 50
BATCH_BYTES = 8_000_000
MAX_ATTEMPTS = 3
"""Attempts after which a mail that keeps breaking goes to a person (faults P5, I3)."""

_DISPOSITIONS = {
    "accept": Disposition.ACCEPTED,
    "return": Disposition.RETURNED,
    "hold": Disposition.HELD,
    "quarantine": Disposition.QUARANTINED,
    "ignore": Disposition.IGNORED,
    "command": Disposition.ACCEPTED,
}


@dataclass
class PassReport:
    """What one pass did."""

    found: int = 0
    """Mails registered for the first time."""
    decided: dict[str, int] = field(default_factory=dict)
    vanished: int = 0
    faults: list[str] = field(default_factory=list)
    """Faults that concern single mails; systemic ones are raised."""

    @property
    def total(self) -> int:
        return sum(self.decided.values())


class Intake:
    """The intake of one mailbox. Not shared between threads."""

    def __init__(
        self,
        *,
        mailbox: Mailbox,
        policy: IntakePolicy,
        store: Store,
        archive: Archive,
        reader: MailReader,
        settler: Settler,
        clock: Clock,
        received_source: str = "internaldate",
        on_settled: Callable[[Settled], None] | None = None,
        orders: Orders | None = None,
    ) -> None:
        """`orders`: who carries out what approvers order by mail."""
        self.mailbox, self.policy, self.store = mailbox, policy, store
        self.archive, self.reader, self.settler, self.clock = archive, reader, settler, clock
        self.received_source, self.orders = received_source, orders
        self.on_settled = on_settled or (lambda _: None)

    def run_pass(self, source: MailSource, stop: Callable[[], bool] = lambda: False) -> PassReport:
        """One pass over the mailbox. Raises `WorldFault` for what concerns the whole of it."""
        report = PassReport()
        self._carry_out(report)
        for state in source.search():
            report.found += self._register(source, state)
        with self.store.reading() as reads:
            # In the order in which they came, whatever order the folder lists them in: a correction
            # must find the mail it corrects.
            pending = sorted(reads.pending(source.account), key=lambda r: (r.received, r.id))
            unsettled = reads.unsettled(source.account)
        self._settle_in_mailbox(source, unsettled, report)
        for batch in _batches(pending):
            if stop():
                break
            self._process(source, batch, report)
        return report

    # --- step 1

    def _register(self, source: MailSource, state: FolderState) -> int:
        """A row without content for every mail not known yet (commit 1)."""
        office, now = self.mailbox.offices[0], self.clock.now()
        known = known_numbers(source, state, self.store, office, now)
        new = [uid for uid in state.uids if uid not in known]
        count = 0
        # In chunks, so that the first start on a mailbox with years of mail shows progress.
        for chunk in _chunks(source.envelopes(state, new) if new else (), 2000):
            with self.store.begin() as tx:
                count += tx.register(chunk, self.received_source, self.clock.now())
        with self.store.begin() as tx:
            tx.searched(source.account, state.folder, state.uidvalidity, self.clock.now())
        return count

    # --- steps 2 and 3

    def _process(self, source: MailSource, rows: Sequence[InboundRow], report: PassReport) -> None:
        fetched = self._fetch(source, rows, report)
        # Counted before the attempt and after the fetch: what takes the process down while being
        # read counts against the mail, a broken connection does not.
        with self.store.begin() as tx:
            tx.strike([row.id for row, _ in fetched])
        try:
            read = self._read(fetched)
            self.archive.put(
                (mail.sha256, one.raw)
                for (_, one), (_, mail) in zip(fetched, read, strict=True)
                if one.raw is not None and not mail.secret
            )
            done = self._settle(read, report)
        except (WorldFault, OperatorFault) as fault:
            # A full disk or a broken template is no mail's fault: hours of it must not use up
            # anybody's attempts.
            if isinstance(fault, OperatorFault) or fault.systemic:
                with suppress(WorldFault), self.store.begin() as tx:
                    tx.pardon([row.id for row, _ in fetched])
            raise
        for settled in done:
            report.decided[settled.kind] = report.decided.get(settled.kind, 0) + 1
            if self.orders is not None and is_order(settled.decision):
                self.orders.add(settled.inbound_id)
            self.on_settled(settled)
        self._carry_out(report)
        # The security officer fetches a mail with a secrets mark by its UID: it stays where it is.
        kinds = {s.inbound_id: s.kind for s in done if s.decision.keep_content}
        self._mark(source, [row for row, _ in read], kinds, report)

    def _carry_out(self, report: PassReport) -> None:
        """What was ordered by mail that is decided; also what an earlier process left undone."""
        if self.orders is not None:
            report.faults += self.orders.carry_out(self.clock.now())

    def _fetch(
        self, source: MailSource, rows: Sequence[InboundRow], report: PassReport
    ) -> list[tuple[InboundRow, Fetched]]:
        """The batch's mails with their bytes. One that the server cannot give whole gets a strike
        and, after the last, goes to a person by what is known of it."""
        by_origin = {r.origin: r for r in rows}
        fetched: list[tuple[InboundRow, Fetched]] = []
        try:
            envelopes = [Envelope(r.origin, r.size, r.received) for r in rows]
            for one in source.fetch(envelopes, self.policy.cap_bytes):
                row = by_origin[one.envelope.origin]
                if one.raw is None:
                    log.info("%s: vanished before it was fetched", row.origin)
                    with self.store.begin() as tx:
                        tx.vanished(row.id)
                    report.vanished += 1
                else:
                    fetched.append((row, one))
        except Unfetched as fault:
            report.faults.append(str(fault))
            failed = [by_origin[o] for o in fault.origins]
            with self.store.begin() as tx:
                tx.strike([r.id for r in failed])
            for row in failed:
                if row.attempts + 1 >= MAX_ATTEMPTS:
                    fetched.append(
                        (row, Fetched(Envelope(row.origin, row.size, row.received), b""))
                    )
        return fetched

    def _settle(
        self, read: Sequence[tuple[InboundRow, IncomingMail]], report: PassReport
    ) -> list[Settled]:
        """Decisions, items and answers of the batch (commit 2)."""
        done: list[Settled] = []
        with self.store.begin() as tx:
            tx.hold_offices(self.mailbox.offices)
            for row, mail in read:
                try:
                    with tx.savepoint():
                        done.append(self.settler.settle(mail, row, tx, self.clock.now()))
                except (WorldFault, OperatorFault):
                    raise
                except Exception as bug:
                    done.append(self._quarantine(mail, row, tx))
                    # Its message may quote the mail, which after a secrets hit nothing may.
                    what = type(bug).__name__ + ("" if mail.secret else f": {bug}")
                    report.faults.append(f"{row.origin}: {what}")
        return done

    def _quarantine(self, mail: IncomingMail, row: InboundRow, tx: Transaction) -> Settled:
        """For a person, with the traceback of the exception at hand. Where even what was read
        cannot be stored, without it: its bytes are in the archive."""
        trace = traceback.format_exc(limit=-8)
        try:
            with tx.savepoint():
                return self.settler.quarantine(mail, row, trace, tx, self.clock.now())
        except (WorldFault, OperatorFault):
            raise
        except Exception:
            bare = IncomingMail(
                size=mail.size,
                sha256=mail.sha256,
                content_key=mail.sha256,
                secrets=mail.secrets,
                defects=(Defect(DefectCode.UNREADABLE, "mail", "reading could not be stored"),),
            )
            return self.settler.quarantine(bare, row, trace, tx, self.clock.now())

    def _read(
        self, fetched: Sequence[tuple[InboundRow, Fetched]]
    ) -> list[tuple[InboundRow, IncomingMail]]:
        readable = [(row, one) for row, one in fetched if not _given_up(row, one)]
        mails = self.reader.read_all([(_raw(one), one.complete) for _, one in readable])
        found = {row.id: mail for (row, _), mail in zip(readable, mails, strict=True)}
        return [(row, _as_read(row, one, found.get(row.id))) for row, one in fetched]

    # --- step 4

    def _settle_in_mailbox(
        self, source: MailSource, rows: Sequence[InboundRow], report: PassReport
    ) -> None:
        with self.store.reading() as reads:
            kinds = {
                r.id: r.decision
                for r in rows
                if r.decision != "quarantine" or reads.mail(r.id) is not None
            }
        self._mark(source, rows, kinds, report)

    def _mark(
        self,
        source: MailSource,
        rows: Sequence[InboundRow],
        kinds: Mapping[int, str],
        report: PassReport,
    ) -> None:
        """`kinds` leaves out what is not to be touched in the mailbox."""
        settled = []
        for row in rows:
            try:
                if row.id in kinds:
                    source.settle(row.origin, _DISPOSITIONS[kinds[row.id]])
            except WorldFault as fault:
                if fault.systemic:
                    raise
                report.faults.append(f"{row.origin}: {fault}")
                if fault.code == "quota":
                    break  # the next one would not fit either; all are tried again at the next pass
                continue
            settled.append(row.id)
        if settled:
            with self.store.begin() as tx:
                for inbound_id in settled:
                    tx.settled(inbound_id)


def _raw(fetched: Fetched) -> bytes:
    assert fetched.raw is not None, "what has vanished is not read"
    return fetched.raw


def _given_up(row: InboundRow, fetched: Fetched) -> bool:
    """It has taken the process down that often, or the server cannot give it whole: it is not even
    tried."""
    return row.attempts >= MAX_ATTEMPTS or (not fetched.raw and row.size > 0)


def _as_read(row: InboundRow, fetched: Fetched, mail: IncomingMail | None) -> IncomingMail:
    if mail is None:
        given_up = f"given up after {row.attempts} attempts"
        return unread_mail(_raw(fetched), Defect(DefectCode.UNREADABLE, "mail", given_up))
    # Of a mail over the cap only the header was fetched; its size is the server's word.
    return mail if fetched.complete else replace(mail, size=max(mail.size, row.size))


def _batches(rows: Sequence[InboundRow]) -> Iterable[Sequence[InboundRow]]:
    """By count and bytes. A mail that was tried before goes alone: should it take the process
    down, it takes nobody's attempt with it."""
    batch: list[InboundRow] = []
    size = 0
    for row in rows:
        alone = row.attempts > 0
        if batch and (alone or len(batch) >= BATCH_MAILS or size + row.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row.size
        if alone:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _chunks(items: Iterable[Envelope], size: int) -> Iterable[list[Envelope]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
