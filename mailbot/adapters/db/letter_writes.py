"""Writing what letters of our own accord leave behind (`app.letter_ports.LetterWrites`): duties
settled, drafts and what was decided about them, objections, one-time codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, update

from mailbot.adapters.db import letter_queries as q
from mailbot.adapters.db.dialect import hold_tables
from mailbot.adapters.db.letter_rows import (
    appeal_values,
    draft_values,
    duty_values,
    file_values,
    recipient_values,
    token_values,
)
from mailbot.adapters.db.queries import SqlReads
from mailbot.adapters.db.statements import INSERTS, Upserts
from mailbot.adapters.db.tables import appeal as appeal_table
from mailbot.adapters.db.tables import draft as draft_table
from mailbot.adapters.db.tables import draft_file, task
from mailbot.adapters.db.tables import token as token_table
from mailbot.adapters.db.trail import BOT, add_audit
from mailbot.app.letter_records import (
    AppealRow,
    DraftFile,
    DraftRow,
    DraftState,
    NewAppeal,
    NewDraft,
    NewDuty,
    NewToken,
    TokenRow,
)

_STEPS = {
    DraftState.APPROVED: DraftState.DRAFT,
    DraftState.REJECTED: DraftState.DRAFT,
    DraftState.SENT: DraftState.APPROVED,
}
"""What a draft may become, and from which state only."""


class LetterWrites:
    """The part of `SqlTransaction` that letters use."""

    _db: Connection
    _read: SqlReads
    _sql: Upserts

    # duties

    def add_duty(self, duty: NewDuty, now: datetime) -> bool:
        values = duty_values(duty) | {"at": now}
        return self._db.execute(self._sql.duty, values).scalar_one_or_none() is not None

    def close_tasks(self, office: str, kind: str, now: datetime) -> None:
        self._db.execute(
            update(task)
            .where(task.c.office == office, task.c.kind == kind, task.c.done_at.is_(None))
            .values(done_at=now, done_by=BOT)
        )

    # drafts

    def add_draft(self, draft: NewDraft, who: str, now: datetime) -> DraftRow:
        """One that is approved and not sent yet stays: its letters are promised."""
        hold_tables(self._db, "draft")  # of two at once, one gets the next number
        same = {"office": draft.office, "letter": draft.letter, "period": draft.period}
        earlier = self._db.execute(q.SAME_LETTER, same).all()
        no = max((row.no for row in earlier), default=0) + 1
        draft_id = self._add_letter_row(
            "draft",
            **draft_values(draft),
            no=no,
            state=DraftState.DRAFT,
            created=now,
            who=who,
        )
        for table, rows in (
            ("draft_recipient", [recipient_values(r, draft_id) for r in draft.recipients]),
            ("draft_file", [file_values(f, draft_id) for f in draft.files]),
        ):
            if rows:
                self._db.execute(INSERTS[table], rows)
        detail = {**same, "no": no, "digest": draft.digest, "recipients": len(draft.recipients)}
        add_audit(self._db, who, "draft.added", f"draft:{draft_id}", detail, now)
        for row in earlier:
            if row.state == DraftState.DRAFT:
                self._move(row.id, DraftState.SUPERSEDED, DraftState.DRAFT)
                told = {"by": draft_id}
                add_audit(self._db, who, "draft.superseded", f"draft:{row.id}", told, now)
        return self._draft(draft_id)

    def decide_draft(
        self,
        draft_id: int,
        state: DraftState,
        who: str,
        now: datetime,
        *,
        why: str = "",
        number: str = "",
        issued: date | None = None,
        files: Sequence[DraftFile] | None = None,
    ) -> DraftRow:
        """Who decided, when and why is that of the approval or rejection; who sent it is in the
        audit trail."""
        before = _STEPS.get(state)
        if before is None:
            raise ValueError(f"a draft is not made {state}")
        values: dict[str, Any] = {}
        if state is not DraftState.SENT:
            values = {"decided_at": now, "decided_by": who, "why": why}
        values |= {"number": number} if number else {}
        values |= {"issued": issued} if issued is not None else {}
        self._move(draft_id, state, before, **values)
        self._replace_files(draft_id, files or ())
        detail = {"why": why, "number": number, "files": [f.name for f in files or ()]}
        detail["issued"] = issued.isoformat() if issued else ""
        kept = {name: value for name, value in detail.items() if value}
        add_audit(self._db, who, f"draft.{state.value}", f"draft:{draft_id}", kept, now)
        return self._draft(draft_id)

    def _move(self, draft_id: int, state: DraftState, before: DraftState, **values: Any) -> None:
        moved = self._db.execute(
            update(draft_table)
            .where(draft_table.c.id == draft_id, draft_table.c.state == before)
            .values(state=state, **values)
        )
        if moved.rowcount != 1:
            found = self._read.draft(draft_id)
            is_now = f"is {found.state.value}" if found else "is not there"
            raise ValueError(f"draft {draft_id} {is_now}, cannot become {state.value}")

    def _replace_files(self, draft_id: int, files: Sequence[DraftFile]) -> None:
        if not files:
            return
        roles = sorted({file.role for file in files})
        self._db.execute(
            delete(draft_file).where(
                draft_file.c.draft_id == draft_id, draft_file.c.role.in_(roles)
            )
        )
        self._db.execute(INSERTS["draft_file"], [file_values(f, draft_id) for f in files])

    def _draft(self, draft_id: int) -> DraftRow:
        found = self._read.draft(draft_id)
        assert found is not None, "written a moment ago"
        return found

    # objections

    def add_appeal(self, appeal: NewAppeal, now: datetime) -> AppealRow:
        appeal_id = self._add_letter_row("appeal", **appeal_values(appeal), opened=now)
        detail = {"unit": appeal.unit_id, "about": appeal.about, "mail": appeal.inbound_id}
        add_audit(self._db, BOT, "appeal.opened", f"appeal:{appeal_id}", detail, now)
        return self._appeal(appeal_id)

    def answer_appeal(self, appeal_id: int, text: str, who: str, now: datetime) -> AppealRow:
        answered = self._db.execute(
            update(appeal_table)
            .where(appeal_table.c.id == appeal_id, appeal_table.c.answered_at.is_(None))
            .values(answer=text, answered_at=now, answered_by=who)
        )
        if answered.rowcount != 1:
            known = self._read.appeal(appeal_id) is not None
            raise ValueError(
                f"appeal {appeal_id} is {'answered already' if known else 'not there'}"
            )
        subject = f"appeal:{appeal_id}"
        add_audit(self._db, who, "appeal.answered", subject, {"answer": text}, now)
        return self._appeal(appeal_id)

    def _appeal(self, appeal_id: int) -> AppealRow:
        found = self._read.appeal(appeal_id)
        assert found is not None, "written a moment ago"
        return found

    # codes

    def add_token(self, token: NewToken, now: datetime) -> None:
        """One that is known and unused gets the new expiry: the same mail may be written again."""
        self._db.execute(self._sql.token, token_values(token) | {"created": now})

    def use_token(self, digest: str, now: datetime) -> TokenRow | None:
        used = self._db.execute(
            update(token_table)
            .where(token_table.c.digest == digest, token_table.c.used.is_(None))
            .values(used=now)
        )
        return self._read.token(digest) if used.rowcount == 1 else None

    # shared

    def _add_letter_row(self, table: str, **values: Any) -> int:
        """The new row's id."""
        key = self._db.execute(INSERTS[table], values).inserted_primary_key
        assert key is not None, "a single row was inserted"
        return int(key[0])
