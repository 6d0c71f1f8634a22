"""The days of an installation: mail lies in its mailboxes, the machine wakes, does what the daemon
does in a round (take in, settle, what is due, deliver), and sleeps again.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.settings.model import Settings
from mailbot.adapters.system import SHANGHAI
from mailbot.app.duties.clockguard import CONFIRMED, ClockGuard
from mailbot.app.duties.engine import TickReport
from mailbot.app.letter_records import DutyRow
from mailbot.app.recording.desk import enter, enter_all, reverse
from mailbot.app.recording.forms import Given
from mailbot.app.recording.keep import Desk, Entered
from mailbot.app.scoring import Scorer
from mailbot.app.settle import Settled
from mailbot.bootstrap import Office
from mailbot.core.rules.entries import Standings
from mailbot.core.rules.periods import Period
from tests.integration.year.clock import VirtualClock
from tests.integration.year.installation import mailbox_of
from tests.integration.year.mails import bounce, reply, written
from tests.integration.year.sink import Letter
from tests.servers.smtp_sink import SmtpSink

MORNING, AFTERNOON = time(9, 0), time(16, 0)
"""When the program looks: when letters have just become due, and again where mail came since."""


class Queued(NamedTuple):
    """A letter in the outbox, as far as the tests look at it."""

    office: str
    key: str
    kind: str
    recipient: str
    message_id: str
    state: str
    unit_id: str
    about: str
    error: str


class Killed(BaseException):
    """The process died, as by SIGKILL: nothing of it runs any more."""


class MortalStore(SqlStore):
    """The real store, and a process that may die before or after any of its transactions."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        # What dies here is a process, not the machine: no commit need reach the disk.
        event.listen(engine, "connect", _hastily)
        engine.dispose()
        self.lives: int | None = None
        """Beginnings and ends of transactions left to it; None: it goes on living."""

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        self._spend()
        with super().writing() as connection:
            yield connection
        self._spend()

    def _spend(self) -> None:
        """Once dead, dead: what is cleaned up on the way out writes nothing."""
        if self.lives is not None:
            self.lives = max(self.lives - 1, 0)
            if self.lives == 0:
                raise Killed


def _hastily(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF")


class Process:
    """One run of the program, from its start to its end. `terminal` has read the offices' files and
    templates, which takes a while: they have not changed."""

    def __init__(self, terminal: Office) -> None:
        settings, self.clock = terminal.settings, terminal.clock
        self.store = MortalStore(open_store(settings.database).engine)
        office = dataclasses.replace(terminal, store=self.store)
        office.__dict__["templates"] = terminal.templates
        office.store.outbox.recover(self.clock.now())
        self.settled: list[Settled] = []
        self._intakes = [
            (office.source(box), office.intake(box, self.settled.append))
            for box in settings.mailboxes
        ]
        self._duties = office.duties()
        self._deliverer = office.deliverer()
        self._guard = ClockGuard(self.clock, office.store)
        with self.store.begin() as tx:  # who switches the machine on looks at its clock
            tx.set_fact(CONFIRMED, self.clock.now().isoformat(), self.clock.now())
        self.warnings: list[str] = []

    def round(self) -> TickReport:
        for source, intake in self._intakes:
            report = intake.run_pass(source)
            assert not report.faults, report.faults
        look = self._guard.look()
        if look.warning:
            self.warnings.append(look.warning)
        ticked = TickReport() if look.hold else self._duties.tick(look.now)
        self._deliverer.deliver_due(self.clock.now())
        return ticked

    def end(self) -> None:
        self._deliverer.close()
        for source, intake in self._intakes:
            source.close()
            intake.reader.close()
        self.store.close()


@dataclass
class Days:
    """An installation through its days: the program, which may be running or not, and the terminal
    on which the office's people work, which is always there."""

    root: Path
    settings: Settings
    sink: SmtpSink
    clock: VirtualClock
    terminal: Office
    sent: list[Letter] = field(default_factory=list)
    """Everything the relay took, in order."""
    rounds: list[datetime] = field(default_factory=list)
    """When the program was at work."""
    warnings: list[str] = field(default_factory=list)
    process: Process | None = None
    mail_waits: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    # --- the program

    def start(self) -> None:
        self.process = Process(self.terminal)

    def stop(self) -> None:
        if self.process is not None:
            self.process.end()
            self.process = None

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def round(self) -> TickReport:
        """Nothing may fail unseen."""
        if self.process is None:
            return TickReport()
        try:
            report = self.process.round()
        finally:
            self._collect()
        assert report.failed == [], report.failed
        self.rounds.append(self.now)
        self.mail_waits = False
        self.warnings += report.warnings
        return report

    def _collect(self) -> None:
        fresh = self.sink.letters[len(self.sent) :]
        self.sent += [Letter(taken, self.now) for taken in fresh]

    # --- what happens outside

    def deliver(self, office: str, raw: bytes) -> None:
        """The mail server puts a mail into the office's mailbox, now."""
        self.mail_waits = True
        number = next(self._numbers)
        folder = self.root / "mail" / office
        name = f"{int(self.now.timestamp())}.{number}.mx"
        (folder / "tmp" / name).write_bytes(raw)
        os.utime(folder / "tmp" / name, (self.now.timestamp(),) * 2)
        (folder / "tmp" / name).rename(folder / "new" / name)

    def write(self, office: str, sender: str, subject: str, body: str, **headers: str) -> str:
        """Somebody writes to the office; the mail's Message-ID."""
        number = next(self._numbers)
        to = mailbox_of(office)
        self.deliver(office, written(sender, to, subject, body, self.now, number, **headers))
        return f"{number}.{sender}"

    def reply(self, office: str, letter: Letter, said: str) -> None:
        self.deliver(office, reply(letter, said, self.now, next(self._numbers)))

    def bounce(self, office: str, letter: Letter, said: str) -> None:
        self.deliver(office, bounce(letter, said, self.now))

    def record(self, office: str, kind: str, **values: str) -> Entered:
        """As `mailbot record`: the values are what a person writes into the columns."""
        given = Given({"kind": kind, "evidence": "值班记录", **values}, {}, "登记 第2行")
        return enter(given, self._desk(office), self.terminal.store)

    def import_rows(self, office: str, rows: Iterable[Mapping[str, str]]) -> list[Entered]:
        """As `mailbot record --import FILE --apply`."""
        given = [Given(dict(row), {}, f"登记 第{n}行") for n, row in enumerate(rows, 2)]
        return enter_all(given, self._desk(office), self.terminal.store, apply=True)

    def take_back(self, office: str, number: int, why: str) -> Entered:
        return reverse(number, why, "", self._desk(office), self.terminal.store)

    def _desk(self, office: str) -> Desk:
        return Desk(self.terminal.books[office], "王芳芳", self.now)

    # --- what is recorded

    def duties(self, office: str) -> dict[str, DutyRow]:
        """By key, without the marks of its beginning."""
        with self.terminal.store.reading() as reads:
            rows = reads.duties(office, datetime(2020, 1, 1, tzinfo=SHANGHAI))
        return {row.new.key: row for row in rows if row.new.letter != "start"}

    def outbox(self) -> list[Queued]:
        """Every letter that was ever queued."""
        sql = f"select {', '.join(Queued._fields)} from outbox order by id"
        with self.terminal.store.engine.connect() as db:
            return [Queued(*row) for row in db.exec_driver_sql(sql)]

    def standings(self, office: str, period: str) -> Standings:
        """As `mailbot standings` says it now."""
        scorer = Scorer(self.terminal.store, self.terminal.books)
        return scorer.standings(office, Period.parse(period), self.now.date())
