"""Runs stored mail through the present code and data, and tells what would come out differently.

The stored mails are read again from their archived bytes, in the order in which they came, in a
throwaway store: the records stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailbot.app.ports import Archive, Envelope, InboundRow, MailReader, Reads, Store
from mailbot.app.settle import Settled, Settler

BATCH = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One mail whose outcome changed: (what, before, now) for each part that did."""

    row: InboundRow
    changes: tuple[tuple[str, str, str], ...]


def replay(
    rows: Iterable[InboundRow],
    recorded: Reads,
    archive: Archive,
    reader: MailReader,
    settler: Settler,
    bench: Store,
    cap_bytes: int,
) -> Iterator[Difference | InboundRow]:
    """For each stored mail its row when nothing changed, else the difference. `rows` oldest
    first. Mail without archived bytes (after a secrets hit) is passed over."""
    for row in rows:
        if not row.sha256 or row.sha256 not in archive:
            continue
        raw = archive.get(row.sha256)
        mail = reader.read(raw, complete=row.size <= cap_bytes)
        with bench.begin() as tx:
            tx.register(
                [Envelope(row.origin, row.size, row.received)], row.received_source, row.received
            )
            fresh = tx.read.pending(row.origin.account)[-1]
            now = settler.settle(mail, fresh, tx, row.received)
        changes = tuple(_changes(row, recorded, now))
        yield Difference(row, changes) if changes else row


def _changes(row: InboundRow, recorded: Reads, now: Settled) -> Iterator[tuple[str, str, str]]:
    if row.decision != now.kind:
        yield "decision", row.decision, now.kind
    before = {
        (i.unit_id or "", v.title, v.submitter, "、".join(v.contact), v.category)
        for i in recorded.items_of(row.id)
        for _no, inbound_id, v in recorded.version_history(i.id)
        if inbound_id == row.id and v.category_by != "staff"
    }
    after = {
        (
            (d.unit.unit_id or "") if d.unit else "",
            d.title.value if d.title else "",
            d.submitter.value if d.submitter else "",
            "、".join(c.value for c in d.contact),
            d.classification.category,
        )
        for d in now.decision.drafts
        if now.items
    }
    if before and before != after:
        names = ("unit", "title", "submitter", "contact", "category")
        old, new = sorted(before - after), sorted(after - before)
        if len(old) == len(new) == 1:
            for name, x, y in zip(names, old[0], new[0], strict=True):
                if x != y:
                    yield name, x, y
        else:
            yield "items", str(len(before)), str(len(after))
