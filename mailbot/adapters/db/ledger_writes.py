"""Writing the ledger (`app.ports.Transaction`): records, reversals, seals. Only ever added to; every
write leaves its audit line in the same transaction.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mailbot.adapters.db.dialect import hold_tables
from mailbot.adapters.db.event_rows import check, entry_values, is_joint
from mailbot.adapters.db.queries import SqlReads
from mailbot.adapters.db.statements import INSERTS
from mailbot.adapters.db.trail import add_audit
from mailbot.app.records import NewRecord, NewSeal, RecordRow, SealRow

CHUNK = 500
"""Rows per statement."""


class LedgerWrites:
    """The part of `SqlTransaction` that keeps the ledger."""

    _db: Connection
    _read: SqlReads

    def hold_ledger(self) -> None:
        hold_tables(self._db, "item", "record", "seal")

    def add_record(self, record: NewRecord, who: str, now: datetime) -> RecordRow:
        """Records become known in the order of their numbers: whoever reads on from the last one
        seen misses none."""
        hold_tables(self._db, "record")
        if record.reverses is not None:
            record = self._reversal(record, record.reverses)
        check(record)
        item = None if record.item_id is None else self._read.item(record.item_id)
        if record.item_id is not None and (item is None or item.office != record.office):
            raise ValueError(f"{record.office} has no item {record.item_id}")
        record_id = self._add(
            "record",
            office=record.office,
            kind=record.kind,
            unit_id=record.unit_id,
            day=record.day,
            item_id=record.item_id,
            facts=record.facts,
            joint=is_joint(record.facts),
            reason=record.reason,
            evidence=record.evidence,
            reverses=record.reverses,
            source=record.source,
            who=who,
            at=now,
        )
        detail = {
            "kind": record.kind.value,
            "unit": record.unit_id,
            "day": record.day.isoformat(),
            **({"receipt": item.receipt} if item else {}),
            **({"reverses": record.reverses} if record.reverses is not None else {}),
            "source": record.source,
            "why": record.reason,
        }
        action = "record" if record.reverses is None else "record.reversed"
        add_audit(self._db, who, action, f"record:{record_id}", detail, now)
        kept = self._read.record(record_id)
        assert kept is not None, "written a moment ago"
        return kept

    def _reversal(self, record: NewRecord, number: int) -> NewRecord:
        """Everything as in the record it takes back, but why, what shows it, and where from."""
        old = self._read.record(number)
        if old is None or old.new.office != record.office:
            raise ValueError(f"{record.office} has no record {number}")
        if old.new.reverses is not None:
            raise ValueError(f"record {number} is itself a reversal")
        if old.reversed_by is not None:
            raise ValueError(f"record {number} is reversed already, by {old.reversed_by}")
        return replace(
            old.new,
            reason=record.reason,
            evidence=record.evidence,
            reverses=number,
            source=record.source,
        )

    def add_seal(self, seal: NewSeal, who: str, now: datetime) -> SealRow:
        hold_tables(self._db, "seal")
        known = {s.period: s for s in self._read.seals(seal.office)}
        if seal.period in known:
            raise ValueError(f"{seal.period.code} of {seal.office} is sealed already")
        seal_id = self._add(
            "seal",
            office=seal.office,
            period=seal.period.code,
            first=seal.period.first,
            last=seal.period.last,
            book_digest=seal.book_digest,
            ledger_digest=seal.ledger_digest,
            standings=seal.standings,
            who=who,
            at=now,
        )
        for start in range(0, len(seal.entries), CHUNK):
            rows = [entry_values(e, seal_id) for e in seal.entries[start : start + CHUNK]]
            self._db.execute(INSERTS["seal_entry"], rows)
        detail = {
            "office": seal.office,
            "period": seal.period.code,
            "book": seal.book_digest,
            "ledger": seal.ledger_digest,
            "entries": len(seal.entries),
        }
        add_audit(self._db, who, "seal", f"seal:{seal.office}:{seal.period.code}", detail, now)
        return next(s for s in self._read.seals(seal.office) if s.id == seal_id)

    def _add(self, table: str, **values: Any) -> int:
        """The new row's id."""
        key = self._db.execute(INSERTS[table], values).inserted_primary_key
        assert key is not None, "a single row was inserted"
        return int(key[0])
