"""The delivery side (`app.ports.Outbox`): which letter is sent next, and how far each one got.

Each call is one short transaction, so that two senders never hold the same letter and a crash at
any point leaves a state that says what is known:

    READY -> SENDING -> DOT -> SENT
               |         |---> RETRY -> SENDING ...   (the server's answer was read)
               |         |---> FAILED                  (the same)
               |         `---> UNKNOWN                 (no answer read: `uncertain` finds out)
               |-> READY                               (crash or release before the dot)
               `-> DROPPED                             (not wanted any more)

A step that does not fit the letter's state is our bug and raises ValueError: better no record than
a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from time import monotonic
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, update

from mailbot.adapters.db.leases import check_fence, lost
from mailbot.adapters.db.statements import LETTER
from mailbot.adapters.db.suspension import count_failure
from mailbot.adapters.db.tables import outbox, worker
from mailbot.adapters.db.trail import BOT, add_audit, add_task
from mailbot.app.leases import Lease
from mailbot.app.records import NewTask, OutboxState, Outgoing, QueuedLetter

_LISTED = (
    "id",
    "key",
    "kind",
    "office",
    "recipient",
    "subject",
    "message_id",
    "inbound_id",
    "state",
    "attempts",
    "queued",
    "due",
    "finished",
    "answer",
    "error",
)
_TRYING = (OutboxState.SENDING, OutboxState.DOT)

NEXT_READY = (
    select(outbox.c.id)
    .where(outbox.c.state == OutboxState.READY.value)
    .order_by(outbox.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_OF_SENDERS = outbox.c.sender.in_(bindparam("senders", expanding=True))
NEXT_DUE = (
    select(outbox.c.id)
    .where(
        outbox.c.state == OutboxState.RETRY.value,
        or_(outbox.c.due <= bindparam("now"), outbox.c.due > bindparam("too_far")),
    )
    .order_by(outbox.c.due)
    .limit(1)
    .with_for_update(skip_locked=True)
)
CLAIM = (
    update(outbox)
    .where(outbox.c.id == bindparam("row_id"))
    .values(
        state=OutboxState.SENDING.value,
        attempts=outbox.c.attempts + 1,
        claimed=bindparam("claimed"),
        claimed_by=bindparam("worker"),
        due=None,
    )
    .returning(outbox.c.id, outbox.c.attempts, *(outbox.c[name] for name in LETTER))
)
_Begin = Callable[[], AbstractContextManager[Connection]]

FARTHEST = timedelta(days=2)
"""No letter is put off for longer: one due later was put off by a clock that has been set back since."""

FAILED_SEND = "failed_send"


@dataclass(frozen=True, slots=True)
class ListedLetter:
    """An outbox row for people: everything but the bytes."""

    id: int
    key: str
    kind: str
    office: str
    recipient: str
    subject: str
    message_id: str
    inbound_id: int | None
    state: OutboxState
    attempts: int
    queued: datetime
    due: datetime | None
    finished: datetime | None
    answer: str
    error: str


class SqlOutbox:
    """`writing` and `reading` each give a connection inside a transaction of its own.

    Under a lease every step makes sure of it first, and that the letter is still in this worker's
    hands. An answer that was read is the exception (`sent`): it stays true whoever holds the
    lease."""

    def __init__(self, writing: _Begin, reading: _Begin, lease: Lease | None = None) -> None:
        self._any_writing, self._reading, self._lease = writing, reading, lease
        self._worker = lease.holder if lease else ""

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._any_writing() as db:
            if self._lease is not None:
                check_fence(db, self._lease)
            yield db

    # sending

    def claim(self, now: datetime, senders: Collection[str] | None = None) -> QueuedLetter | None:
        """`attempts` counts this attempt too: 1 the first time.

        The oldest row goes first, whether new or due again. SQLite's write lock makes this atomic;
        PostgreSQL skips rows another sender has locked (SQLite ignores that clause)."""
        with self._writing() as db:
            ready, due = NEXT_READY, NEXT_DUE
            values: dict[str, Any] = {"now": now, "too_far": now + FARTHEST}
            if senders is not None:
                ready, due = ready.where(_OF_SENDERS), due.where(_OF_SENDERS)
                values["senders"] = list(senders)
            candidates = [
                found
                for found in (db.scalar(ready, values), db.scalar(due, values))
                if found is not None
            ]
            if not candidates:
                return None
            claim = {"row_id": min(candidates), "claimed": now, "worker": self._worker}
            row = db.execute(CLAIM, claim).one()
        letter = Outgoing(**dict(zip(LETTER, row[2:], strict=True)))
        return QueuedLetter(id=row[0], letter=letter, attempts=row[1])

    def dot(self, outbox_id: int, now: datetime) -> None:
        """Under a lease that has run out by the time this is on record (the process was stopped
        meanwhile) it raises: nothing may be sent any more."""
        began, left = monotonic(), inf
        with self._any_writing() as db:
            if self._lease is not None:
                left = check_fence(db, self._lease)
            self._step(db, outbox_id, (OutboxState.SENDING,), state=OutboxState.DOT, dot_sent=now)
        if self._lease is not None and monotonic() - began >= left:
            raise lost(self._lease)

    def sent(self, outbox_id: int, answer: str, now: datetime) -> None:
        """Also for an UNKNOWN letter that was found to have arrived; and for one whose copy waits
        already, when the answer to the first comes late: the copy is not needed any more."""
        values = {"answer": answer, "error": "", "finished": now}
        waiting = (OutboxState.READY, OutboxState.RETRY)
        with self._any_writing() as db:
            copy = update(outbox).where(
                outbox.c.id == outbox_id, outbox.c.copies > 0, outbox.c.state.in_(waiting)
            )
            if db.execute(copy.values(state=OutboxState.SENT, due=None, **values)).rowcount:
                return
            allowed = (*_TRYING, OutboxState.UNKNOWN)
            self._step(db, outbox_id, allowed, state=OutboxState.SENT, **values)

    def retry(self, outbox_id: int, error: str, at: datetime) -> None:
        with self._writing() as db:
            self._step(db, outbox_id, _TRYING, state=OutboxState.RETRY, error=error, due=at)

    def release(self, outbox_id: int) -> None:
        with self._writing() as db:
            self._step(
                db,
                outbox_id,
                _TRYING,
                state=OutboxState.READY,
                attempts=outbox.c.attempts - 1,
                claimed=None,
                claimed_by="",
            )

    def failed(self, outbox_id: int, error: str, now: datetime) -> None:
        with self._writing() as db:
            self._step(db, outbox_id, _TRYING, state=OutboxState.FAILED, error=error, finished=now)
            _task_about(db, outbox_id, FAILED_SEND, _failed_text, now)
            count_failure(db, outbox_id, now)

    def dropped(self, outbox_id: int, why: str, now: datetime) -> None:
        with self._writing() as db:
            claimed = (OutboxState.SENDING,)
            self._step(db, outbox_id, claimed, state=OutboxState.DROPPED, error=why, finished=now)
            add_audit(db, BOT, "outbox.dropped", f"outbox:{outbox_id}", {"why": why}, now)

    def unknown(self, outbox_id: int, error: str, now: datetime) -> None:
        with self._writing() as db:
            self._step(db, outbox_id, _TRYING, state=OutboxState.UNKNOWN, error=error, finished=now)

    def recover(
        self, now: datetime, senders: Collection[str] | None = None, *, own: bool = True
    ) -> tuple[int, int]:
        """Without a lease: only while no other process is sending from this database, for a letter
        another one has just claimed would be sent twice.

        Under the lease of `senders`: whoever claimed a letter of theirs before may not send its
        dot any more, so that it is ready again; one whose dot was sent is left alone while the
        worker that sent it lives and may still read the answer. `own` False: so are this worker's
        own."""
        of_senders = [] if senders is None else [outbox.c.sender.in_(list(senders))]
        others = [] if own else [outbox.c.claimed_by != self._worker]
        with self._writing() as db:
            ready = db.execute(
                update(outbox)
                .where(outbox.c.state == OutboxState.SENDING, *of_senders, *others)
                .values(state=OutboxState.READY, claimed=None, claimed_by="")
            ).rowcount
            if self._lease is not None:
                living = select(worker.c.id).where(worker.c.id != self._worker)
                others.append(outbox.c.claimed_by.not_in(living))
            dotted = db.execute(
                update(outbox)
                .where(outbox.c.state == OutboxState.DOT, *of_senders, *others)
                .values(
                    state=OutboxState.UNKNOWN,
                    error="stopped between the final dot and the server's answer",
                    finished=now,
                )
            ).rowcount
        return ready, dotted

    def next_due(self) -> datetime | None:
        """When `claim` has something next: a past time when a letter is READY, None when nothing
        waits."""
        with self._reading() as db:
            ready = db.scalar(
                select(outbox.c.queued)
                .where(outbox.c.state == OutboxState.READY)
                .order_by(outbox.c.id)
                .limit(1)
            )
            due = db.scalar(
                select(func.min(outbox.c.due)).where(outbox.c.state == OutboxState.RETRY)
            )
        return min((x for x in (ready, due) if x is not None), default=None)

    def _step(
        self, db: Connection, outbox_id: int, allowed: Sequence[OutboxState], **values: Any
    ) -> None:
        fitting = [outbox.c.id == outbox_id, outbox.c.state.in_(allowed)]
        if self._lease is not None:
            fitting.append(outbox.c.claimed_by == self._worker)
        done = db.execute(update(outbox).where(*fitting).values(**values))
        if done.rowcount == 1:
            return
        query = select(outbox.c.state, outbox.c.claimed_by).where(outbox.c.id == outbox_id)
        row = db.execute(query).one_or_none()
        if row is not None and self._lease is not None and row.claimed_by != self._worker:
            raise lost(self._lease)
        state = row.state if row is not None else None
        raise ValueError(f"letter {outbox_id} is {state}, cannot become {values['state'].value}")

    def senders(self) -> frozenset[str]:
        """Of letters that wait or are under way."""
        states = (OutboxState.READY, OutboxState.RETRY, *_TRYING)
        with self._reading() as db:
            return frozenset(
                db.scalars(select(outbox.c.sender).where(outbox.c.state.in_(states)).distinct())
            )

    # the operator

    def withheld(self, office: str | None = None) -> list[ListedLetter]:
        """Letters waiting for the operator's word, oldest first."""
        query = _select_listed().where(outbox.c.state == OutboxState.WITHHELD)
        if office is not None:
            query = query.where(outbox.c.office == office)
        with self._reading() as db:
            return [_listed(r) for r in db.execute(query.order_by(outbox.c.id))]

    def set_withheld(self, ids: Sequence[int], send: bool, who: str, now: datetime) -> int:
        """Lets withheld letters go, or drops them; how many. Others among the ids stay as they
        are. One that goes counts against today's limits."""
        state = OutboxState.READY if send else OutboxState.DROPPED
        values: dict[str, Any] = {"queued": now} if send else {"finished": now}
        changed = 0
        with self._writing() as db:
            for outbox_id in ids:
                done = db.execute(
                    update(outbox)
                    .where(outbox.c.id == outbox_id, outbox.c.state == OutboxState.WITHHELD)
                    .values(state=state, **values)
                )
                if done.rowcount:
                    changed += 1
                    action = "outbox.released" if send else "outbox.dropped"
                    add_audit(db, who, action, f"outbox:{outbox_id}", {}, now)
        return changed

    def counts(self) -> dict[str, int]:
        """How many letters are in each state (states without letters are left out)."""
        query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        with self._reading() as db:
            return {str(state): n for state, n in db.execute(query)}


def _select_listed() -> Any:
    return select(*(outbox.c[n] for n in _LISTED))


def _listed(row: Any) -> ListedLetter:
    values = dict(zip(_LISTED, row, strict=True))
    return ListedLetter(**(values | {"state": OutboxState(values["state"])}))


def _task_about(
    db: Connection,
    outbox_id: int,
    kind: str,
    words: Callable[[str, str, str], str],
    now: datetime,
) -> None:
    row = db.execute(
        select(
            outbox.c.office,
            outbox.c.inbound_id,
            outbox.c.recipient,
            outbox.c.subject,
            outbox.c.error,
        ).where(outbox.c.id == outbox_id)
    ).one()
    text = words(row.recipient, row.subject, row.error)
    task = NewTask(office=row.office, kind=kind, text=text, inbound_id=row.inbound_id)
    add_task(db, task, now, outbox_id=outbox_id)


def _failed_text(recipient: str, subject: str, error: str) -> str:
    return (
        f"发给 {recipient} 的信件“{subject}”没有发出，系统不再重试。邮件服务器的说明：{error or '无'}。"
        "请核对地址是否正确，需要时电话告知对方，或者人工发送。"
    )
