"""D4 of faults.tsv: the database comes back from yesterday's backup, the mailbox does not.

Everything that came in, was answered and was numbered since the backup happens a second time: read
again, due again. Nobody gets a second letter, no number is given twice, and what nothing shows is a
person's. The database is a real copy taken in between; Sent is a Dovecot's.
"""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.db.unit_of_work import SqlTransaction
from mailbot.adapters.imap.account import ImapAccount, Secret
from mailbot.adapters.imap.sent import SentFolder
from mailbot.adapters.imap.source import ImapSource
from mailbot.app.duties.engine import Duties
from mailbot.app.duties.service import marks, office_start, stage_start
from mailbot.app.errors import Retryable
from mailbot.app.evidence import Restored, SentLetter, SentMail, Sight
from mailbot.app.records import Outgoing
from mailbot.app.uncertain import Uncertainties
from mailbot.app.witness import (
    FAILED_LOOKS,
    MARGIN,
    PREPARED,
    RESTORED_AT,
    RESTORED_FROM,
    Witnesses,
    WitnessReport,
    prepare,
    restored,
)
from mailbot.core.duties.model import DutyKind
from mailbot.core.subject.roster import Contact
from tests.faults.test_secrets_mail import OFFICER, officers_told, told_world
from tests.integration import duty_letters_help as duty
from tests.integration.daemon_help import until
from tests.integration.intake_help import (
    LIAISON,
    NOON,
    World,
    item,
    letter,
    otog,
)
from tests.integration.notice_help import CIRCULAR, OCTOBER, Bureau, noon, office
from tests.servers.dovecot import Dovecot

TAKEN = NOON
"""When the backup was made."""


@dataclass
class Sent:
    """`SentMail` of a list."""

    raws: list[SentLetter] = field(default_factory=list)
    fault: Exception | None = None

    def files(self, *letters: Outgoing, answers: str = "") -> None:
        self.raws += [SentLetter(one.message_id.upper(), answers) for one in letters]

    def sight(self, asked: Any, known: Any, since: datetime) -> Sight | None:
        ids = {f"<{one.message_id.lower()}>" for one in self.raws}
        found = frozenset(one for one in asked if one.lower() in ids)
        return Sight(found, all(one.lower() in ids for one in known))

    def letters(self, since: datetime) -> Sequence[SentLetter] | None:
        if self.fault is not None:
            raise self.fault
        return self.raws

    def close(self) -> None:
        return None


def copied(world: World, to: Path) -> Path:
    """A backup of the database as it is now."""
    source = sqlite3.connect(world.root / "mailbot.db")
    with closing(source), closing(sqlite3.connect(to)) as target:
        source.backup(target)
    return to


def after_restore(old: World, backup: Path, root: Path, *, at: datetime) -> World:
    """The same mailbox over the database as it was, marked as a restore marks it."""
    root.mkdir()
    shutil.copyfile(backup, root / "mailbot.db")
    shutil.copytree(old.root / "archive", root / "archive")
    new = World(root, *old.books)
    new.box, new.clock.time = old.box, at + timedelta(minutes=1)
    mark(new.store, TAKEN, at)
    prepare(new.store, ["EQ"], new.clock.time)
    return new


def mark(store: SqlStore, taken: datetime, at: datetime) -> None:
    with store.begin() as tx:
        tx.set_fact(RESTORED_FROM, taken.isoformat(), at)
        tx.set_fact(RESTORED_AT, at.isoformat(), at)


def deliver(world: World, limit: int | None = None) -> list[Outgoing]:
    """Sends what waits; what went out."""
    gone = []
    while limit is None or len(gone) < limit:
        claimed = world.store.outbox.claim(world.clock.now())
        if claimed is None:
            break
        world.store.outbox.dot(claimed.id, world.clock.now())
        world.store.outbox.sent(claimed.id, "250 ok", world.clock.now())
        gone.append(claimed.letter)
    return gone


def witnesses(
    world: World, sent: SentMail | None, filed: tuple[str, ...] = ()
) -> Callable[[], WitnessReport]:
    witness = Witnesses(
        world.store,
        lambda _: sent,
        world.clock,
        filed={world.mailbox.account: filed},
        is_ours=world.signer.is_ours,
    )
    return lambda: witness.look(world.clock.now())


def receipts(world: World) -> list[str]:
    return [row[0] for row in world.rows("select receipt from item order by id")]


def states(world: World) -> list[str]:
    return [row[0] for row in world.rows("select state from outbox order by id")]


@pytest.fixture
def lost_day(tmp_path: Path) -> tuple[World, World, list[Outgoing]]:
    """Two mails answered before the backup, two after it; the world then, the world restored, and
    the letters of the lost time."""
    (tmp_path / "then").mkdir()
    then = World(tmp_path / "then")
    then.receive(item("春耕", message_id="one@example.com"), at=NOON - timedelta(hours=2))
    then.receive(item("秋收", message_id="two@example.com"), at=NOON - timedelta(hours=1))
    deliver(then)
    backup = copied(then, tmp_path / "backup.db")
    then.receive(item("防火", message_id="three@example.com"), at=NOON + timedelta(hours=1))
    then.receive(item("防汛", message_id="four@example.com"), at=NOON + timedelta(hours=2))
    lost = deliver(then)
    assert len(lost) == 2
    new = after_restore(then, backup, tmp_path / "new", at=NOON + timedelta(hours=20))
    return then, new, lost


# --- answers -------------------------------------------------------------------------------------


def test_d4_answers_of_the_lost_time_are_dropped_with_a_witness_and_held_without(
    lost_day: tuple[World, World, list[Outgoing]],
) -> None:
    then, new, lost = lost_day
    sent = Sent()
    sent.files(lost[0], answers="THREE@example.com")
    new.run()
    assert states(new) == ["sent", "sent", "withheld", "withheld"]
    assert deliver(new) == []
    look = witnesses(new, sent)
    assert look() == WitnessReport(dropped=[_id(new, 3)], withheld=[_id(new, 4)])
    assert look() == WitnessReport()
    assert deliver(new) == [] and states(new)[2:] == ["dropped", "withheld"]
    assert new.tasks().count("restored") == 1
    ((why,),) = new.rows("select error from outbox where state = 'dropped'")
    assert "已经答复" in why
    (withheld,) = new.store.outbox.withheld()
    new.store.outbox.set_withheld([withheld.id], True, "王甲", new.clock.now())
    assert [one.recipient for one in deliver(new)] == [LIAISON]
    assert new.items()[2:] == then.items()[2:], "nothing of what came in is missing"


def test_d4_an_answer_written_by_hand_is_no_witness(
    lost_day: tuple[World, World, list[Outgoing]],
) -> None:
    _, new, _ = lost_day
    new.run()
    by_hand = Sent([SentLetter("a.person@example.org", "three@example.com")])
    assert len(witnesses(new, by_hand)().withheld) == 2


def test_d4_a_restore_s_withheld_answers_have_one_task_and_old_mail_s_another(
    lost_day: tuple[World, World, list[Outgoing]],
) -> None:
    _, new, _ = lost_day
    new.run()
    assert "withheld" not in new.tasks(), "they are looked for first"
    witnesses(new, None)()
    new.clock.time += timedelta(days=30)
    new.box.put(item("植树", message_id="five@example.com"), new.clock.now() - timedelta(days=5))
    new.run()
    assert (new.tasks().count("restored"), new.tasks().count("withheld")) == (1, 1)


def test_d4_what_came_after_the_restore_is_answered(
    lost_day: tuple[World, World, list[Outgoing]],
) -> None:
    _, new, _ = lost_day
    new.run()
    new.receive(item("植树", message_id="five@example.com"))
    assert len(deliver(new)) == 1
    assert witnesses(new, None)().withheld != []
    assert states(new)[-1] == "sent"


def test_d4_a_mail_waiting_since_before_the_backup_is_no_exception(tmp_path: Path) -> None:
    """It was registered and not decided when the backup was made, and answered after it."""
    (tmp_path / "then").mkdir()
    then = World(tmp_path / "then")
    then.clock.time = NOON - timedelta(hours=5)
    then.box.put(item("春耕", message_id="one@example.com"), then.clock.time)
    for state in then.box.search():
        with then.store.begin() as tx:
            tx.register(list(then.box.envelopes(state, state.uids)), "internaldate", NOON)
    backup = copied(then, tmp_path / "backup.db")
    then.clock.time = NOON
    then.run()
    assert len(deliver(then)) == 1
    new = after_restore(then, backup, tmp_path / "new", at=NOON + timedelta(hours=2))
    new.run()
    assert states(new) == ["withheld"]


def test_d4_a_sent_folder_out_of_reach_is_tried_again_and_then_a_person_is_asked(
    lost_day: tuple[World, World, list[Outgoing]],
) -> None:
    _, new, _ = lost_day
    new.run()
    clock = Ticking(new.clock)
    sent = Sent(fault=Retryable("cut", code="closed", systemic=True))
    look = Witnesses(new.store, lambda _: sent, clock, filed={}, is_ours=new.signer.is_ours)
    for _ in range(FAILED_LOOKS - 1):
        assert look.look(new.clock.now()).withheld == []
        assert look.look(new.clock.now()).faults == [], "it rests"
        clock.seconds += 3600
    assert "restored" not in new.tasks()
    assert len(look.look(new.clock.now()).withheld) == 2
    assert new.tasks().count("restored") == 1


@dataclass
class Ticking:
    wall: Any
    seconds: float = 0.0

    def now(self) -> datetime:
        moment: datetime = self.wall.now()
        return moment

    def monotonic(self) -> float:
        return self.seconds


# --- letters that waited when the backup was made ------------------------------------------------


@pytest.mark.parametrize("went_out", [True, False])
def test_d4_a_letter_queued_in_the_backup_is_looked_for_before_it_goes(
    went_out: bool, tmp_path: Path
) -> None:
    (tmp_path / "then").mkdir()
    then = World(tmp_path / "then")
    then.receive(item("春耕", message_id="one@example.com"), at=NOON - timedelta(hours=2))
    sent = Sent()
    sent.files(*deliver(then))
    then.receive(item("秋收", message_id="two@example.com"), at=NOON - timedelta(minutes=1))
    backup = copied(then, tmp_path / "backup.db")
    lost = deliver(then)
    assert len(lost) == 1
    if went_out:
        sent.files(*lost)
    new = after_restore(then, backup, tmp_path / "new", at=NOON + timedelta(hours=20))
    assert states(new) == ["sent", "unknown"]
    new.store.outbox.recover(new.clock.now())
    assert deliver(new) == []
    new.clock.time += timedelta(minutes=2)
    report = Uncertainties(new.store, lambda _: sent, new.clock).look(new.clock.now())
    assert bool(report.found) is went_out and bool(report.copied) is not went_out
    assert [one.raw for one in deliver(new)] == ([] if went_out else [lost[0].raw])


# --- numbers -------------------------------------------------------------------------------------


def test_d4_no_receipt_number_of_the_lost_time_is_given_again(
    lost_day: tuple[World, World, list[Outgoing]],
) -> None:
    """In the lost time 0003 was given to 防火. Where it is not read again (a person has deleted it
    meanwhile), 0003 must not become another item's."""
    then, new, _ = lost_day
    assert [r[-4:] for r in receipts(then)] == ["0001", "0002", "0003", "0004"]
    uid = next(u for u, mail in new.box.mails.items() if b"three@" in mail.raw)
    del new.box.mails[uid]
    new.run()
    assert [r[-4:] for r in receipts(new)[:2]] == ["0001", "0002"]
    assert not set(receipts(new)[2:]) & set(receipts(then))
    for moment in (NOON - timedelta(days=60), NOON + timedelta(hours=21)):
        new.receive(item(f"植树{moment:%m}", message_id=f"{moment:%m}@example.com"), at=moment)
        assert int(receipts(new)[-1][-4:]) > 1000
    assert len(set(receipts(new))) == len(receipts(new))


def test_d4_ids_that_codes_and_message_ids_are_made_from_are_not_given_again(
    lost_day: tuple[World, World, list[Outgoing]],
) -> None:
    then, new, lost = lost_day
    new.run()
    for table in ("item", "outbox"):
        known = {row[0] for row in then.rows(f"select id from {table}")}
        fresh = {row[0] for row in new.rows(f"select id from {table} where id > 2")}
        assert fresh and not fresh & known
    assert {one.message_id for one in new.sent()[2:]}.isdisjoint(o.message_id for o in lost)
    ((last,),) = new.rows("select seq from sqlite_sequence where name = 'draft'")
    assert last >= 1000


def test_d4_a_restore_is_prepared_for_once_and_again_for_the_next(
    lost_day: tuple[World, World, list[Outgoing]],
) -> None:
    _, new, _ = lost_day
    before = new.rows("select last from receipt_counter order by prefix, month")
    assert not prepare(new.store, ["EQ"], new.clock.now())
    assert new.rows("select last from receipt_counter order by prefix, month") == before
    mark(new.store, TAKEN, NOON + timedelta(days=3))
    assert prepare(new.store, ["EQ"], new.clock.now())
    after = new.rows("select last from receipt_counter order by prefix, month")
    assert all(now > was for (now,), (was,) in zip(after, before, strict=True))
    with new.store.reading() as reads:
        assert restored(reads) == Restored(TAKEN, NOON + timedelta(days=3))
        assert reads.fact(PREPARED) == reads.fact(RESTORED_AT)


def test_d4_without_a_restore_nothing_changes(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert not prepare(world.store, ["EQ"], world.clock.now())
    world.receive(item("春耕", message_id="one@example.com"))
    assert receipts(world)[0].endswith("0001") and len(deliver(world)) == 1
    assert witnesses(world, None)() == WitnessReport()


def test_d4_of_two_machines_that_open_a_restored_database_at_once_one_prepares_it(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other waits for it. Twice over, the first one's new letters would become doubtful."""
    store = open_store(postgres)
    mark(store, TAKEN, NOON)
    leave_gap, gaps, said = SqlTransaction.leave_gap, [], []
    other = Thread(target=lambda: said.append(prepare(store, ["EQ"], NOON)))

    def slowly(tx: SqlTransaction, *args: Any) -> None:
        gaps.append(args)
        if len(gaps) == 1:
            other.start()
            until(lambda: len(gaps) > 1 or _waits(store), "the other came")
        leave_gap(tx, *args)

    monkeypatch.setattr(SqlTransaction, "leave_gap", slowly)
    assert prepare(store, ["EQ"], NOON)
    other.join()
    assert (len(gaps), said) == (1, [False])
    store.close()


def _waits(store: SqlStore) -> bool:
    with store.snapshot() as db:
        return bool(db.exec_driver_sql("select count(*) from pg_locks where not granted").scalar())


# --- letters of our own accord -------------------------------------------------------------------


def test_d4_reminders_of_the_lost_time_do_not_go_again(tmp_path: Path) -> None:
    """Their Message-ID is made from their key: the same letter has the same one again, so Sent tells
    exactly which ones went out."""
    book = duty.with_letters(otog(), duty.rule(DutyKind.REMINDER, quota="items"))
    some = [unit.id for unit in book.roster.units][:40]
    people = {unit: (Contact("liaison", "李丙", address=f"{unit}@example.net"),) for unit in some}
    book = duty.with_people(book, people)
    (tmp_path / "then").mkdir()
    then = duty.Letters(tmp_path / "then", book)
    _tick(then, then.world, "2026-08-03 09:00")
    backup = copied(then.world, tmp_path / "backup.db")
    assert _tick(then, then.world, "2026-08-25 09:01") > 2
    lost = deliver(then.world)
    sent = Sent()
    sent.files(*lost[:-1])  # the last was not filed
    at = duty.at("2026-08-25 14:00")
    new = after_restore(then.world, backup, tmp_path / "new", at=at)
    assert _tick(then, new, "2026-08-25 14:05") == len(lost)
    assert {o.message_id for o in new.sent()} == {o.message_id for o in lost}
    assert deliver(new) == []
    report = witnesses(new, sent)()
    assert (len(report.sent), len(report.withheld)) == (len(lost) - 1, 1)
    assert deliver(new) == [] and new.tasks().count("restored") == 1
    assert _tick(then, new, "2026-08-28 09:01") > 0
    assert len(deliver(new)) > 0, "what is due after the restore goes out"


def _tick(letters: duty.Letters, world: World, moment: str) -> int:
    world.clock.time = duty.at(moment)
    duties = Duties(
        store=world.store,
        books={letters.book.info.id: letters.book},
        runners={DutyKind.REMINDER: letters.quota},
        posting_for=lambda _: letters.posting,
    )
    return duties.tick(world.clock.time).letters


def test_d4_a_notice_approved_by_itself_does_not_go_again(tmp_path: Path) -> None:
    """Nobody is asked about it (`auto_approve`), so nobody would notice."""
    bureau = Bureau(tmp_path, office(dataclasses.replace(CIRCULAR, auto_approve=True)))
    for day in ("2026-07-06", "2026-08-06", "2026-09-07"):
        bureau.item(day)
    begun, at = noon("2026-07-01"), OCTOBER + timedelta(hours=2)
    with bureau.store.begin() as tx:
        tx.add_duty(office_start(bureau.book.info.id, begun), begun)
        for one in marks(bureau.book):
            tx.add_duty(stage_start(bureau.book.info.id, one, begun), begun)
    mark(bureau.store, noon("2026-10-07"), at)
    prepare(bureau.store, ["EQ"], at)
    duties = Duties(
        store=bureau.store,
        books=bureau.approval.books,
        runners={DutyKind.NOTICE: bureau.runner},
        posting_for=bureau.approval.posting_for,
        announce=bureau.approval.announce,
        decide=bureau.approval.decide,
    )
    report = duties.tick(at + timedelta(minutes=5))
    assert any(key.startswith("draft:") for key in report.done), "it is drafted and approved"
    assert bureau.mails() == []
    withheld = len(bureau.store.outbox.withheld())
    assert withheld > 0 and set(bureau.store.outbox.counts()) == {"withheld"}
    bureau.item("2026-10-20")
    bureau.item("2026-11-06")
    duties.tick(noon("2027-01-20"))
    assert len(bureau.mails()) > 0, "what is due after the restore goes out"
    assert len(bureau.store.outbox.withheld()) == withheld
    bureau.store.close()


# --- alerts to the security officer --------------------------------------------------------------


@pytest.mark.parametrize("filed", [True, False])
def test_d4_an_alert_of_a_secrets_mark_does_not_go_again(filed: bool, tmp_path: Path) -> None:
    (tmp_path / "then").mkdir()
    then = told_world(tmp_path / "then")
    backup = copied(then, tmp_path / "backup.db")
    at = NOON + timedelta(hours=20)
    then.receive(letter("机密★1年", "见附件"), at=NOON + timedelta(hours=1))
    lost = deliver(then)
    assert [one.recipient for one in lost] == [OFFICER]
    sent = Sent()
    if filed:
        sent.files(*lost)
    new = officers_told(after_restore(then, backup, tmp_path / "new", at=at))
    new.run()
    assert states(new) == ["withheld"] and "secrets" in new.tasks()
    report = witnesses(new, sent)()
    assert (bool(report.sent), bool(report.withheld)) == (filed, not filed)
    assert deliver(new) == []
    if not filed:
        ((said,),) = new.rows("select text from task where kind = 'restored'")
        assert "保密员" in said
    new.receive(letter("机密★2年", "另一封", message_id="two@example.com"))
    assert [one.recipient for one in deliver(new)] == [OFFICER], "of a new one he is told"


# --- on a real server ----------------------------------------------------------------------------


@pytest.mark.dovecot
def test_d4_the_sent_folder_of_a_real_server_is_the_witness(
    dovecot: Dovecot, mail_user: str, lost_day: tuple[World, World, list[Outgoing]]
) -> None:
    _, new, lost = lost_day
    dovecot.append(mail_user, lost[0].raw, "已发送", NOON + timedelta(hours=1))
    new.run()
    account = ImapAccount("test", "127.0.0.1", dovecot.imap_port, "plain", mail_user)
    folder = SentFolder(account, lambda: Secret("password", "secret"), clock=new.clock)
    report = witnesses(new, folder)()
    assert (report.dropped, report.withheld) == ([_id(new, 3)], [_id(new, 4)])


@pytest.mark.dovecot
def test_d4_mail_marked_or_moved_away_by_mailbot_is_known_as_dealt_with(
    dovecot: Dovecot, mail_user: str, tmp_path: Path
) -> None:
    """What was moved in the lost time lies in no watched folder: it is read where it was moved to, or
    the items in it would be missing for good. What was not of that time is left where it lies."""
    world = World(tmp_path)
    at = NOON + timedelta(hours=20)
    world.clock.time = at + timedelta(minutes=1)
    mark(world.store, TAKEN, at)
    prepare(world.store, ["EQ"], world.clock.time)
    during, before = NOON + timedelta(hours=1), TAKEN - MARGIN - timedelta(hours=2)
    plain, keyword, moved, old = (
        item(title, message_id=f"{n}@example.com")
        for n, title in enumerate(("春耕", "秋收", "防火", "防汛"))
    )
    dovecot.append(mail_user, plain, internaldate=during)
    dovecot.append(mail_user, keyword, internaldate=during, flags="($Mailbot)")
    dovecot.append(mail_user, moved, "已收", during)
    dovecot.append(mail_user, old, "已收", before)
    account = ImapAccount(
        "test", "127.0.0.1", dovecot.imap_port, "plain", mail_user,
        moves={"accepted": "已收"}, flag="$Mailbot", lost_time=(TAKEN - MARGIN, at),
    )  # fmt: skip
    with closing(
        ImapSource(account, lambda: Secret("password", "secret"), clock=world.clock)
    ) as source:
        for _ in range(3):
            world.intake.run_pass(source)
    assert sorted(i[0] for i in world.items()) == ["春耕", "秋收", "防火"]
    assert states(world) == ["withheld"] * 3
    report = witnesses(world, None, filed=("已收",))()
    assert (len(report.dropped), len(report.withheld)) == (2, 1)
    ((subject,),) = world.rows("select subject from outbox where state = 'withheld'")
    assert deliver(world) == [] and "春耕" in subject


def _id(world: World, number: int) -> int:
    """Of the so-manyth letter."""
    found: int = world.rows("select id from outbox order by id")[number - 1][0]
    return found
