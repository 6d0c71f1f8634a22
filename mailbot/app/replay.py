"""Runs stored mail through the present code and data, and tells what would come out differently.

What happened is done over in a throwaway store, in the order in which it happened: the mails are
read again from their archived bytes and decided anew, what staff did by hand in between (addresses
bound, items released, categories corrected) is done again, and letters and receipt numbers keep their recorded names, so
that a reply or a correction finds what it is about. What then differs, differs because the code or
the office's data is another. The records stay as they are.

Staff's own words (a release, a corrected category) are never differences: only the machine's
decisions and readings are compared. Neither are limits on answers, which depend on the send log, nor
what was answered to a mail that asked something: that tells of ledger and codes, which no mail holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Protocol

from mailbot.app.explain import Saved, settle_or_quarantine
from mailbot.app.ports import Archive, MailReader, Reads, Store, Transaction
from mailbot.app.records import (
    Binding,
    Envelope,
    InboundRow,
    ItemRow,
    NewVersion,
    OutboxState,
    Outgoing,
)
from mailbot.app.settle import Settled, Settler
from mailbot.app.staff import RELEASABLE, released_item
from mailbot.core.intake.model import DecisionKind
from mailbot.core.mail.model import DefectCode, IncomingMail
from mailbot.core.subject.model import Source


@dataclass(frozen=True, slots=True)
class Decided:
    """The machine decided a mail. `last`: it did not look at it again later."""

    at: datetime
    row: InboundRow
    kind: str
    office: str
    answer: str
    """`NewDecision.answer`"""
    last: bool


@dataclass(frozen=True, slots=True)
class Bound:
    """A person bound or refused an address."""

    at: datetime
    office: str
    binding: Binding
    who: str


@dataclass(frozen=True, slots=True)
class Released:
    """A person accepted an item."""

    at: datetime
    receipt: str
    unit_id: str
    who: str


@dataclass(frozen=True, slots=True)
class Categorised:
    """A person corrected an item's category: later versions keep it."""

    at: datetime
    receipt: str
    category: str
    who: str


ByHand = Bound | Released | Categorised
Event = Decided | ByHand


class History(Protocol):
    """What happened in the office's store."""

    def rows(self) -> Iterable[InboundRow]:
        """Every registered mail, in the order of registration."""
        ...

    def events(self) -> Iterable[Event]:
        """In the order in which they happened."""
        ...

    def letters(self, inbound_id: int) -> Sequence[Outgoing]:
        """The letters that answered a mail, without their bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """One mail. `changes`: (what, before, now) for each part of the outcome that differs, values as
    recorded. `skipped` says why a mail could not be read again: `bytes`, `mailbox`."""

    row: InboundRow
    changes: tuple[tuple[str, str, str], ...] = ()
    skipped: str = ""


class Replay:
    """One run. `settlers` by mailbox; `bench` is an empty store that is thrown away; `renumber`
    gives a bench item its recorded receipt number (the bench's own numbers must not look like
    them)."""

    def __init__(
        self,
        *,
        history: History,
        recorded: Reads,
        archive: Archive,
        reader: MailReader,
        settlers: Mapping[str, Settler],
        bench: Store,
        renumber: Callable[[Transaction, int, str], None],
    ) -> None:
        self.history, self.recorded, self.archive, self.reader = history, recorded, archive, reader
        self.settlers, self.bench, self.renumber = settlers, bench, renumber
        self._bench_row: dict[int, InboundRow] = {}
        """By the recorded mail's id."""
        self._recorded_id: dict[int, int] = {}
        """By the bench mail's id."""
        self._released: set[str] = set()

    def run(self, wanted: Callable[[InboundRow], bool]) -> Iterator[Replayed]:
        """For each wanted mail what became of it, in the order in which they were decided. The
        others are only gone through for what later mail refers to, as they were read then."""
        self._register()
        for event in self.history.events():
            if isinstance(event, Decided):
                result = self._decide(event, wanted(event.row))
                if result is not None and event.last and wanted(event.row):
                    yield result
            elif isinstance(event, Bound):
                with self.bench.begin() as tx:
                    tx.add_binding(event.office, event.binding, event.who, event.at)
            elif isinstance(event, Released):
                self._release(event)
            else:
                self._categorise(event)

    def _register(self) -> None:
        """All at once and in the same order: which of two equal mails is the first is told by it."""
        rows = [r for r in self.history.rows() if r.origin.account in self.settlers]
        with self.bench.begin() as tx:
            for source, group in groupby(rows, key=lambda r: r.received_source):
                envelopes = [Envelope(r.origin, r.size, r.received) for r in group]
                tx.register(envelopes, source, envelopes[0].received)
            bench = {r.origin: r for a in self.settlers for r in tx.read.pending(a)}
        for row in rows:
            fresh = bench[row.origin]
            self._bench_row[row.id], self._recorded_id[fresh.id] = fresh, row.id

    def _decide(self, event: Decided, wanted: bool) -> Replayed | None:
        row = event.row
        settler = self.settlers.get(row.origin.account)
        if settler is None:
            return Replayed(row, skipped="mailbox")
        mail = self._mail(row, wanted)
        if mail is None:
            return Replayed(row, skipped="bytes")
        fresh = replace(self._bench_row[row.id], attempts=1)
        with self.bench.begin() as tx:
            now = settle_or_quarantine(settler, Saved("", mail), fresh, tx, event.at)
            self._keep_names(row, fresh, tx, event.at)
            return Replayed(row, tuple(self._changes(event, now, fresh, tx.read)))

    def _mail(self, row: InboundRow, wanted: bool) -> IncomingMail | None:
        """Read again from its bytes; a mail that is only context as it was read then. None for a
        mail whose bytes were never whole or were not kept (a secrets hit)."""
        known = self.recorded.mail(row.id)
        if known is not None and not wanted:
            return known
        if not row.sha256 or row.sha256 not in self.archive:
            return None
        raw = self.archive.get(row.sha256)
        if not raw and row.size:
            return None
        cut = known is not None and any(d.code is DefectCode.TOO_LARGE for d in known.defects)
        return self.reader.read(raw, complete=not cut)

    def _keep_names(
        self, row: InboundRow, fresh: InboundRow, tx: Transaction, at: datetime
    ) -> None:
        """Recorded receipt numbers and Message-IDs, so that later mail finds what it refers to."""
        receipts = [i.receipt for i in self._first_by(row.id, self.recorded)]
        for item, receipt in zip(self._first_by(fresh.id, tx.read), receipts, strict=False):
            if item.receipt != receipt:
                self.renumber(tx, item.id, receipt)
        for letter in self.history.letters(row.id):
            # DROPPED letters are found by their Message-ID and counted by no limit.
            kept = replace(letter, key=f"recorded:{letter.key}", inbound_id=fresh.id)
            tx.queue(kept, at, state=OutboxState.DROPPED)

    @staticmethod
    def _first_by(inbound_id: int, reads: Reads) -> list[ItemRow]:
        return [i for i in reads.items_of(inbound_id) if i.first_inbound_id == inbound_id]

    def _release(self, event: Released) -> None:
        self._released.add(event.receipt)
        with self.bench.begin() as tx:
            item = tx.read.item_by_receipt(event.receipt)
            if item is not None and item.inbound_id is not None and item.state in RELEASABLE:
                tx.add_item(released_item(item, event.unit_id), item.inbound_id, "", event.at)

    def _categorise(self, event: Categorised) -> None:
        with self.bench.begin() as tx:
            item = tx.read.item_by_receipt(event.receipt)
            if item is not None:
                tx.set_category(item.id, event.category, event.who, "", event.at)

    # --- the comparison

    def _changes(
        self, event: Decided, now: Settled, fresh: InboundRow, bench: Reads
    ) -> Iterator[tuple[str, str, str]]:
        row = event.row
        for what, before, after in (
            ("decision", event.kind, now.kind),
            ("office", event.office, now.office),
            ("answer", _answer(event.answer), _answer(_answer_of(now))),
        ):
            asked = what == "answer" and now.kind == event.kind == DecisionKind.COMMAND
            if before != after and "limit" not in (before, after) and not asked:
                yield what, before, after
        old = [
            self._facts(i, v, row.id, i.first_inbound_id, i.receipt in self._released)
            for i, v in _readings(row.id, self.recorded)
        ]
        new = [
            self._facts(i, v, fresh.id, self._recorded_first(i), False)
            for i, v in _readings(fresh.id, bench)
        ]
        if len(old) != len(new):
            yield "items", str(len(old)), str(len(new))
            return
        for number, (x, y) in enumerate(zip(old, new, strict=True), 1):
            for key in x:
                if x[key] != y[key] and None not in (x[key], y[key]):
                    label = key if len(old) == 1 else f"{key} {number}"
                    yield label, str(x[key]), str(y[key])

    def _recorded_first(self, item: ItemRow) -> int:
        assert item.first_inbound_id is not None, "on the bench everything came by mail"
        return self._recorded_id[item.first_inbound_id]

    def _facts(
        self, item: ItemRow, version: NewVersion, inbound_id: int, first: int | None, released: bool
    ) -> dict[str, str | None]:
        """What one mail said of one item. None where nothing can be compared: the month is known
        only of the item's present version, and what came by another channel is passed over."""
        unit = version.fields.get("unit") or {}
        own = item.first_inbound_id == inbound_id
        current = item.inbound_id == inbound_id and not released
        return {
            "unit": unit.get("unit_id") or version.unit_written,
            "title": version.title,
            "submitter": version.submitter,
            "contact": "、".join(version.contact),
            "category": version.category,
            "corrects": "" if own else f"mail:{first}" if first is not None else None,
            "month": item.month.strftime("%Y-%m") if current else None,
        }


def _readings(inbound_id: int, reads: Reads) -> list[tuple[ItemRow, NewVersion]]:
    """The items a mail gave a reading of, each with the machine's last one."""
    found = []
    for item in reads.items_of(inbound_id):
        own = [v for _no, source, v in reads.version_history(item.id) if source == inbound_id]
        # The first is the machine's even where it kept a category that staff had chosen; staff's
        # own versions are copies of one before.
        machine = own[:1] + [v for v in own[1:] if not _by_staff(v)]
        if machine:
            found.append((item, machine[-1]))
    return found


def _by_staff(version: NewVersion) -> bool:
    fields = [version.fields.get(name) for name in ("unit", "title", "submitter")]
    fields += version.fields.get("contact") or []
    return version.category_by == "staff" or any(
        f and f.get("source") == Source.STAFF.value for f in fields
    )


def _answer_of(settled: Settled) -> str:
    answer = settled.answer
    if answer.letter is None or answer.kind is None:
        return f"none:{answer.none}"
    return answer.kind.value


def _answer(recorded: str) -> str:
    """A kind of letter, `none`, or `limit` where the send log had its say."""
    if recorded == "limit" or recorded.startswith("none:limit"):
        return "limit"
    return "none" if recorded.startswith("none") else recorded
