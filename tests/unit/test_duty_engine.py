"""Duties are done once: whenever the program wakes, however it died, and whatever the clock says.

The store and the signer are real; what a letter says is made up, because it is no matter here.
"""

from __future__ import annotations

import random
import time as timing
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.offices.calendar import WorkingCalendar
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.adapters.signing import Signer
from mailbot.adapters.system import SHANGHAI, shipped
from mailbot.app.duties.engine import Duties, TickReport
from mailbot.app.duties.model import Prepared
from mailbot.app.duties.view import Standing, overview
from mailbot.app.errors import Fault, OperatorFault, Retryable
from mailbot.app.letter_records import DraftState, DutyState, NewDraft
from mailbot.app.mailbox import Mailbox
from mailbot.app.ports import Reads
from mailbot.app.posting import Addressee, Posted, Posting
from mailbot.app.records import OutboxState
from mailbot.app.scoring import NotScored
from mailbot.core.duties.model import DutyKind, LetterBook, LetterRule, Stage
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.duties.schedule import of_periods, of_working_days
from mailbot.core.letters.answers import OfficeCard, Rendered
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.office import Digest
from mailbot.core.rules.basis import Basis, NoRuleInForce
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from tests.unit.store_help import fresh

working = WorkingCalendar(None).is_working_day
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def rule(id_: str, kind: DutyKind, *stages: Stage, **more: Any) -> LetterRule:
    values: dict[str, Any] = {"period": PeriodKind.MONTH} | more
    basis = Basis("某办发〔2022〕1号", "二（四）")
    return LetterRule(id_, kind, f"《{id_}》", basis, date(2022, 1, 1), stages, **values)


REMINDER = rule(
    "reminder",
    DutyKind.REMINDER,
    Stage("first", -5, time(9), ("liaison",)),
    Stage("last", -2, time(9), ("liaison", "head")),
)
RESULT = rule("result", DutyKind.RESULT, Stage("done", 1, time(10), ("head",)))
NOTICE = rule("notice", DutyKind.NOTICE, Stage("draft", 3, time(9)), period=PeriodKind.QUARTER)
DIGEST = rule("digest", DutyKind.DIGEST, Stage("morning", 0, time(8, 30)))
ALL = (REMINDER, RESULT, NOTICE, DIGEST)


@cache
def _shipped_book() -> OfficeBook:
    return load_office(shipped("config") / "offices" / "otog")


def book(*rules: LetterRule, office: str = "otog") -> OfficeBook:
    made = _shipped_book()
    return replace(made, info=replace(made.info, id=office), letters=LetterBook(rules))


class PlainRenderer:
    def render(self, office_id: str, letter: object) -> Rendered:
        return Rendered("主题", "正文。\n", "<p>正文。</p>")


@dataclass
class Fake:
    """Writes one letter to each of three units for every role, and a draft for a notice."""

    fails: dict[str, Exception] = field(default_factory=dict)
    """By key: what preparing it raises."""
    blocked: Exception | None = None
    prepared: Counter[str] = field(default_factory=Counter)
    units: tuple[str, ...] = ("jiaotiju", "nongmuju", "shuiliju")
    wrong: str = ""
    """Address of a further unit that no letter can be written to."""

    def occurrences(
        self, reads: Reads, book: OfficeBook, since: datetime, until: datetime
    ) -> list[Occurrence]:
        if self.blocked is not None:
            raise self.blocked
        found: list[Occurrence] = []
        for one in book.letters.letters:
            if one.kind is DutyKind.DIGEST:
                found += of_working_days(book.info.id, one, since, until, working)
            else:
                assert one.period is not None
                found += of_periods(book.info.id, one, one.period, since, until, working)
        return found

    def prepare(
        self, reads: Reads, book: OfficeBook, occurrence: Occurrence, now: datetime
    ) -> Prepared:
        self.prepared[occurrence.key] += 1
        if occurrence.key in self.fails:
            raise self.fails[occurrence.key]
        if occurrence.rule.kind is DutyKind.NOTICE:
            assert occurrence.period is not None
            draft = NewDraft(
                book.info.id,
                occurrence.rule.id,
                occurrence.period.code,
                "通报",
                "d",
                (),
                (),
                (),
                (),
            )
            return Prepared(DutyState.DONE, "已起草。", draft=draft)
        roles = occurrence.stage.to or ("staff",)
        units = self.units if occurrence.stage.to else ("",)
        posted = [
            posting_of(occurrence, unit, role, f"{unit or 'office'}.{role}@example.org")
            for unit in units
            for role in roles
        ]
        if self.wrong:
            posted.append(posting_of(occurrence, "wrong", "liaison", self.wrong))
        return Prepared(
            DutyState.DONE,
            f"已写信 {len(posted)} 封。",
            tuple(posted),
            detail={"units": {u: {"outcome": "sent", "why": ""} for u in units if u}},
        )


def posting_of(occurrence: Occurrence, unit: str, role: str, address: str) -> Posted:
    card = OfficeCard("某办公室", "某办公室", "", "office@example.org")
    letter = Digest(card, occurrence.due.date(), occurrence.due, occurrence.due, ())
    key = f"{occurrence.key}:{unit}:{role}"
    return Posted(key, LetterKind.REMINDER, letter, Addressee(address, role, unit))


def announce(tx: object, book: OfficeBook, row: Any, now: datetime) -> list[Posted]:
    card = OfficeCard("某办公室", "某办公室", "", "office@example.org")
    to = Addressee("approver@example.org", "approver")
    return [Posted(f"draft:{row.id}", LetterKind.DRAFT, Digest(card, now.date(), now, now, ()), to)]


POSTING = Posting(
    Mailbox("box", "office@example.org", ("otog",)), PlainRenderer(), Signer(b"s" * 32)
)


class Killed(BaseException):
    """The process is gone; nothing may catch it."""


@dataclass
class Office:
    """A database that processes come and go on."""

    store: SqlStore
    rules: tuple[LetterRule, ...] = ALL
    offices: tuple[str, ...] = ("otog",)
    fake: Fake = field(default_factory=Fake)

    @property
    def runners(self) -> dict[DutyKind, Fake]:
        return dict.fromkeys(DutyKind, self.fake)

    def process(self, **more: Any) -> Duties:
        values: dict[str, Any] = {
            "store": self.store,
            "books": {o: book(*self.rules, office=o) for o in self.offices},
            "runners": self.runners,
            "posting_for": lambda _office: POSTING,
            "announce": announce,
        }
        return Duties(**(values | more))

    def settled(self, office: str = "otog") -> dict[str, tuple[DutyState, str]]:
        with self.store.reading() as reads:
            rows = reads.duties(office, at("2020-01-01"))
        found = {r.new.key: (r.new.state, r.new.why) for r in rows if r.new.letter != "start"}
        assert len(found) == sum(r.new.letter != "start" for r in rows)
        return found

    def done(self) -> list[str]:
        return [k for k, (state, _) in self.settled().items() if state is DutyState.DONE]

    def letters(self, key: str) -> list[str]:
        with self.store.reading() as reads:
            return sorted(f"{x.unit_id}:{x.role}" for x in reads.letters_about(f"duty:{key}"))

    def tasks(self) -> list[str]:
        with self.store.reading() as reads:
            return [text for _kind, text, _at in reads.open_tasks("otog")]

    def expected(self, since: datetime, until: datetime) -> dict[str, Occurrence]:
        with self.store.reading() as reads:
            found = self.fake.occurrences(reads, book(*self.rules), since, until)
        return {o.key: o for o in found}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store = fresh(tmp_path)
    yield Office(store)
    store.close()


def hours(first: datetime, last: datetime) -> Iterator[datetime]:
    """Every quarter of an hour at which something may be due."""
    day = first
    while day <= last:
        for hour in (time(8, 30), time(9), time(10)):
            moment = datetime.combine(day.date(), hour, SHANGHAI)
            if first <= moment <= last:
                yield moment
        day += timedelta(days=1)


# --- the ordinary course ----------------------------------------------------------------------


def test_the_first_tick_only_writes_when_service_began(office: Office) -> None:
    duties = office.process()
    report = duties.tick(at("2026-08-31T12:00"))
    assert report == TickReport()
    assert office.settled() == {}
    with office.store.reading() as reads:
        assert reads.in_service_since("otog") == at("2026-08-31T12:00")
    duties.tick(at("2026-09-01T09:59"))  # August's reminders were due before
    assert office.done() == ["digest:otog:2026-09-01:morning"]


def test_each_duty_of_a_quarter_is_done_once_with_all_its_letters(office: Office) -> None:
    duties = office.process()
    start, end = at("2026-06-30T12:00"), at("2026-10-15T23:00")
    duties.tick(start)
    for moment in hours(start, end):
        report = duties.tick(moment)
        assert report.failed == []
        assert duties.tick(moment + MINUTE) == TickReport()
    assert set(office.done()) == set(office.expected(start, end))
    assert all(n == 1 for n in office.fake.prepared.values())
    assert office.letters("reminder:otog:2026-08:last") == sorted(
        f"{unit}:{role}" for unit in office.fake.units for role in ("liaison", "head")
    )


def test_a_draft_comes_with_the_mails_that_bring_it(office: Office) -> None:
    duties = office.process()
    duties.tick(at("2026-10-08T08:00"))
    duties.tick(at("2026-10-10T09:00"))
    with office.store.reading() as reads:
        (draft,) = reads.drafts("otog")
        (letter,) = reads.letters_about(f"draft:{draft.id}")
    assert (draft.letter, draft.period, draft.by) == ("notice", "2026-Q3", "mailbot")
    assert letter.recipient == "approver@example.org"


def test_what_is_worth_nothing_later_does_not_go_out_later(office: Office) -> None:
    duties = office.process()
    duties.tick(at("2026-08-20T12:00"))
    duties.tick(at("2026-08-25T09:00"))
    queued = office.store.outbox.claim(at("2026-08-25T09:01"))
    while queued is not None and not queued.letter.unit_id:
        queued = office.store.outbox.claim(at("2026-08-25T09:01"))
    assert queued is not None
    assert queued.letter.not_after == at("2026-09-01")


# --- away -------------------------------------------------------------------------------------


def test_of_several_missed_stages_the_newest_is_sent_for_all(office: Office) -> None:
    office.rules = (
        replace(
            REMINDER,
            stages=(
                Stage("first", -5, time(9), ("liaison",)),
                Stage("last", -2, time(9), ("head",)),
            ),
        ),
    )
    office.process().tick(at("2026-08-20T12:00"))
    report = office.process().tick(at("2026-08-31T20:00"))
    assert report.done == ["reminder:otog:2026-08:last"]
    state, why = office.settled()["reminder:otog:2026-08:first"]
    assert state is DutyState.SKIPPED
    assert why.startswith("已并入")
    assert office.letters("reminder:otog:2026-08:last") == sorted(
        f"{unit}:{role}" for unit in office.fake.units for role in ("liaison", "head")
    )


def test_a_reminder_is_passed_over_when_its_month_is_over_and_the_result_is_sent(
    office: Office,
) -> None:
    office.process().tick(at("2026-08-20T12:00"))
    office.process().tick(at("2026-09-03T08:00"))
    settled = office.settled()
    assert settled["reminder:otog:2026-08:last"][0] is DutyState.SKIPPED
    assert "不再补发" in settled["reminder:otog:2026-08:last"][1]
    assert settled["result:otog:2026-08:done"][0] is DutyState.DONE
    assert settled["digest:otog:2026-09-02:morning"][0] is DutyState.SKIPPED
    assert "digest:otog:2026-09-03:morning" not in settled  # due at half past eight


@pytest.mark.parametrize("seed", range(4))
def test_a_year_with_the_program_away_at_random(office: Office, seed: int) -> None:
    """Everything is settled once, and what could still be of use was done."""
    chance = random.Random(seed)
    start, end = at("2025-12-01T12:00"), at("2026-12-31T23:00")
    duties = office.process()
    duties.tick(start)
    awake: list[datetime] = [start]
    moment = start
    while moment < end:
        away = timedelta(days=chance.choice((3, 9, 40))) if chance.random() < 0.02 else timedelta()
        moment += away + timedelta(minutes=chance.choice((1, 30, 300, 600)))
        if away:
            duties = office.process()
        duties.tick(moment)
        awake.append(moment)
    expected = office.expected(start, moment)
    settled = office.settled()
    assert set(settled) == set(expected)
    for key, (state, _why) in settled.items():
        one = expected[key]
        in_time = next((m for m in awake if m >= one.due), None)
        assert in_time is not None
        if one.until is not None and in_time >= one.until:
            assert state is DutyState.SKIPPED
        elif state is DutyState.SKIPPED:  # a later stage stands for it
            later = [
                o for o in expected.values() if (o.rule.id, o.about) == (one.rule.id, one.about)
            ]
            assert any(one.due < o.due <= in_time for o in later)


def test_a_letter_added_later_does_not_write_about_the_months_before(office: Office) -> None:
    office.rules = (DIGEST,)
    office.process().tick(at("2026-03-02T12:00"))
    office.rules = (DIGEST, RESULT)
    office.process().tick(at("2026-08-25T12:00"))
    assert [k for k in office.settled() if k.startswith("result")] == []
    office.process().tick(at("2026-09-02T12:00"))
    assert [k for k in office.settled() if k.startswith("result")] == ["result:otog:2026-08:done"]


def test_a_stage_that_was_renamed_is_not_done_again(office: Office) -> None:
    office.rules = (RESULT,)
    office.process().tick(at("2026-06-02T12:00"))
    office.process().tick(at("2026-08-05T12:00"))
    before = office.settled()
    (stage,) = RESULT.stages
    office.rules = (replace(RESULT, stages=(replace(stage, id="other"),)),)
    office.process().tick(at("2026-08-06T12:00"))
    office.process().tick(at("2026-08-07T12:00"))
    assert office.settled() == before
    view = overview(
        office.store, book(*office.rules), office.runners, at("2026-08-07T12:01"), days=40
    )
    assert view.due == ()
    assert [d.key for d in view.coming] == ["result:otog:2026-08:other"]
    office.process().tick(at("2026-09-01T12:00"))
    assert "result:otog:2026-08:other" in office.done()


# --- killed -----------------------------------------------------------------------------------


@contextmanager
def killed_in(store: SqlStore, monkeypatch: pytest.MonkeyPatch, method: str, calls: int):
    """The process dies in the n-th call of a write."""
    from mailbot.adapters.db.unit_of_work import SqlTransaction

    real: Callable[..., Any] = getattr(SqlTransaction, method)
    left = [calls]

    def dying(self: Any, *args: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return real(self, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(SqlTransaction, method, dying)
        with pytest.raises(Killed):
            yield


@pytest.mark.parametrize(
    ("method", "calls"), [("add_duty", 1), ("add_duty", 2), ("queue", 1), ("queue", 4)]
)
def test_a_kill_in_between_leaves_nothing_and_the_next_start_does_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, method: str, calls: int
) -> None:
    office.rules = (REMINDER,)
    office.process().tick(at("2026-08-20T12:00"))
    with killed_in(office.store, monkeypatch, method, calls):
        office.process().tick(at("2026-08-31T10:00"))
    assert office.settled() == {}
    assert office.letters("reminder:otog:2026-08:last") == []
    office.process().tick(at("2026-08-31T10:05"))
    assert len(office.letters("reminder:otog:2026-08:last")) == 6
    assert len(office.settled()) == 2


def test_a_kill_between_draft_and_its_mails_leaves_no_draft(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.rules = (NOTICE,)
    office.process().tick(at("2026-10-08T08:00"))
    with killed_in(office.store, monkeypatch, "queue", 1):
        office.process().tick(at("2026-10-10T09:00"))
    with office.store.reading() as reads:
        assert reads.drafts("otog") == []
    office.process().tick(at("2026-10-10T09:01"))
    with office.store.reading() as reads:
        assert [d.no for d in reads.drafts("otog")] == [1]


# --- two at once, and clocks ------------------------------------------------------------------


def test_two_processes_on_one_database_do_it_once(office: Office) -> None:
    office.rules = (REMINDER,)
    one, two = office.process(), office.process()
    one.tick(at("2026-08-20T12:00"))
    two.tick(at("2026-08-20T12:00"))

    class Overtaken(Fake):
        """While this one prepares, the other process does it."""

        def prepare(self, reads: Reads, *args: Any) -> Prepared:
            two.tick(at("2026-08-25T09:00"))
            return super().prepare(reads, *args)

    slow = office.process(runners=dict.fromkeys(DutyKind, Overtaken()))
    report = slow.tick(at("2026-08-25T09:00"))
    assert report == TickReport()
    assert len(office.letters("reminder:otog:2026-08:first")) == 3
    assert slow.tick(at("2026-08-25T09:01")) == TickReport()


def test_c1_a_clock_set_back_sends_nothing_twice(office: Office) -> None:
    duties = office.process()
    duties.tick(at("2026-08-20T12:00"))
    for moment in hours(at("2026-08-21"), at("2026-09-04")):
        duties.tick(moment)
    before, letters = office.settled(), office.fake.prepared.copy()
    for process in (duties, office.process()):
        for moment in hours(at("2026-08-21"), at("2026-09-04")):
            assert process.tick(moment) == TickReport()
    assert office.settled() == before
    assert office.fake.prepared == letters


def test_a_start_written_by_a_wrong_clock_silences_nobody(office: Office) -> None:
    office.process().tick(at("2099-01-01"))
    duties = office.process()
    duties.tick(at("2026-08-24T12:00"))
    assert "digest:otog:2026-08-25:morning" in duties.tick(at("2026-08-25T08:30")).done
    (task,) = office.tasks()
    assert "2099-01-01" in task


# --- failures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotScored("unscorable", "record:12", "没有这一级的分值"), "record:12 无法计分"),
        (NoRuleInForce("otog", "报送任务", date(2026, 8, 25)), "2026-08-25 没有有效的报送任务"),
        (OperatorFault(Fault("reminder.txt.j2", "未知的变量 nmae", "改成 name")), "改成 name"),
        (KeyError("oops"), "KeyError"),
        (Retryable("no answer"), "no answer"),
    ],
)
def test_one_that_fails_stays_open_is_told_once_and_keeps_nobody_waiting(
    office: Office, error: Exception, said: str
) -> None:
    key = "reminder:otog:2026-08:first"
    office.fake.fails[key] = error
    duties = office.process()
    duties.tick(at("2026-08-25T08:00"))
    report = duties.tick(at("2026-08-25T09:00"))
    assert report.done == ["digest:otog:2026-08-25:morning"]
    assert [f.what for f in report.failed] == [key]
    for minute in range(1, 60):
        duties.tick(at("2026-08-25T09:00") + minute * MINUTE)
    assert key not in office.settled()
    assert 4 <= office.fake.prepared[key] <= 8  # 2, 4, 8 … minutes apart
    (task,) = office.tasks()
    assert "《reminder》（2026年8月，08月25日 09:00 到期）没有办成" in task
    assert said in task
    office.process().tick(at("2026-08-25T10:00"))
    assert len(office.tasks()) == 1
    del office.fake.fails[key]
    duties.tick(at("2026-08-25T12:00"))
    assert key in office.done()
    assert office.tasks() == []  # it has settled itself


def test_a_runner_that_cannot_tell_what_is_due_is_told_and_others_go_on(office: Office) -> None:
    broken = Fake(blocked=ValueError("no working day"))
    runners = dict.fromkeys(DutyKind, office.fake) | {DutyKind.NOTICE: broken}
    office.rules = (DIGEST, NOTICE)
    duties = office.process(runners=runners)
    duties.tick(at("2026-08-25T08:00"))
    report = duties.tick(at("2026-08-25T09:00"))
    assert report.done == ["digest:otog:2026-08-25:morning"]
    duties.tick(at("2026-08-25T09:01"))
    (task,) = office.tasks()
    assert "《notice》" in task


def test_one_office_s_trouble_is_not_another_s(office: Office) -> None:
    office.offices, office.rules = ("otog", "laiwu"), (DIGEST,)

    def posting_for(name: str) -> Posting:
        if name == "otog":
            raise OperatorFault(Fault("config/mailbot.toml", "没有邮箱", "写上"))
        return POSTING

    duties = office.process(posting_for=posting_for)
    duties.tick(at("2026-08-25T08:00"))
    report = duties.tick(at("2026-08-25T09:00"))
    assert report.done == ["digest:laiwu:2026-08-25:morning"]
    assert "没有邮箱" in office.tasks()[0]


def test_a_letter_that_cannot_be_written_keeps_the_others_from_nothing(office: Office) -> None:
    office.fake.wrong = "没有地址"
    office.rules = (REMINDER,)
    duties = office.process()
    duties.tick(at("2026-08-25T08:00"))
    report = duties.tick(at("2026-08-25T09:00"))
    assert report.letters == 3
    assert "没有地址" in report.warnings[0]
    with office.store.reading() as reads:
        row = reads.duty("reminder:otog:2026-08:first")
    assert row is not None
    assert row.new.detail["warnings"] == report.warnings


def test_a_database_that_is_away_ends_the_tick_and_nothing_is_lost(office: Office) -> None:
    duties = office.process()
    duties.tick(at("2026-08-25T08:00"))
    office.fake.fails["digest:otog:2026-08-25:morning"] = Retryable("locked", systemic=True)
    with pytest.raises(Retryable):
        duties.tick(at("2026-08-25T09:00"))
    office.fake.fails.clear()
    assert len(duties.tick(at("2026-08-25T09:01")).done) == 2


# --- approved without asking ------------------------------------------------------------------


def test_only_what_the_data_says_is_approved_without_asking(office: Office) -> None:
    office.rules = (replace(NOTICE, auto_approve=True), replace(NOTICE, id="other"))
    seen: list[str] = []

    def decide(row: Any, now: datetime, state: OutboxState) -> None:
        assert state is OutboxState.READY
        seen.append(row.letter)
        with office.store.begin() as tx:
            tx.decide_draft(row.id, DraftState.APPROVED, "mailbot（自动批准）", now)
            if len(seen) == 1:
                raise Killed
            tx.decide_draft(row.id, DraftState.SENT, "mailbot（自动批准）", now)

    office.process(decide=decide).tick(at("2026-10-08T08:00"))
    with pytest.raises(Killed):
        office.process(decide=decide).tick(at("2026-10-10T09:00"))
    duties = office.process(decide=decide)
    duties.tick(at("2026-10-10T09:01"))
    duties.tick(at("2026-10-10T09:02"))
    assert seen == ["notice", "notice"]
    with office.store.reading() as reads:
        states = {d.letter: d.state for d in reads.drafts("otog")}
    assert states == {"notice": DraftState.SENT, "other": DraftState.DRAFT}


# --- looking ----------------------------------------------------------------------------------


def test_looking_at_any_day_writes_nothing(office: Office, tmp_path: Path) -> None:
    now = at("2026-08-20T12:00")
    view = overview(office.store, book(*ALL), office.runners, now, moment=at("2026-08-25T23:59"))
    assert [(d.key, d.standing, d.letters) for d in view.due] == [
        ("digest:otog:2026-08-25:morning", Standing.DUE, 1),
        ("reminder:otog:2026-08:first", Standing.DUE, 3),
    ]
    assert view.due[1].units == office.fake.units
    assert view.in_service is None
    assert view.coming[0].key == "digest:otog:2026-08-26:morning"
    assert max(d.due for d in view.coming) <= at("2026-09-24T23:59")
    with office.store.reading() as reads:
        assert reads.in_service_since("otog") is None
        assert reads.duties("otog", at("2020-01-01")) == []
    assert office.store.outbox.next_due() is None


def test_the_view_tells_what_was_done_what_not_and_why(office: Office) -> None:
    office.rules = (REMINDER, RESULT)
    key = "result:otog:2026-08:done"
    office.fake.fails[key] = NotScored("unscorable", "record:12", "没有这一级的分值")
    office.process().tick(at("2026-08-20T12:00"))
    now = at("2026-09-02T08:00")
    duties = office.process()
    duties.tick(now)
    view = overview(
        office.store,
        book(*office.rules),
        office.runners,
        now,
        days=60,
        covered_until=date(2026, 9, 30),
    )
    assert {d.standing for d in view.settled} == {Standing.SKIPPED}
    assert all(d.why for d in view.settled)
    (due,) = view.due
    assert (due.key, due.standing) == (key, Standing.FAILS)
    assert "无法计分" in due.why
    guessed = {d.key: d.guessed for d in view.coming}
    assert guessed == {
        "reminder:otog:2026-09:first": False,
        "reminder:otog:2026-09:last": False,
        "result:otog:2026-09:done": True,
        "reminder:otog:2026-10:first": True,
        "reminder:otog:2026-10:last": True,
    }


def test_of_a_day_to_come_only_its_own_duties_are_due(office: Office) -> None:
    office.process().tick(at("2026-08-20T12:00"))
    view = overview(
        office.store,
        book(*ALL),
        office.runners,
        at("2026-08-20T13:00"),
        moment=at("2026-09-01T23:59"),
    )
    assert [d.key for d in view.due] == [
        "digest:otog:2026-09-01:morning",
        "result:otog:2026-08:done",
    ]


# --- cost -------------------------------------------------------------------------------------


def test_an_idle_tick_writes_nothing_and_looks_at_little(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.offices = ("a", "b", "c", "d", "e")
    duties = office.process()
    duties.tick(at("2025-10-01T12:00"))
    for moment in hours(at("2026-09-01"), at("2026-09-02")):
        duties.tick(moment)

    def refused(*_: object) -> None:
        raise AssertionError("an idle tick began to write")

    monkeypatch.setattr(SqlStore, "begin", refused)
    asked: list[timedelta] = []
    real = office.fake.occurrences

    def counted(reads: Reads, book: OfficeBook, since: datetime, until: datetime) -> Any:
        asked.append(until - since)
        return real(reads, book, since, until)

    monkeypatch.setattr(office.fake, "occurrences", counted)
    began = timing.perf_counter()
    for minute in range(1, 41):
        duties.tick(at("2026-09-01T10:05") + minute * MINUTE)
    print(f"{(timing.perf_counter() - began) / 40 * 1000:.1f} ms a tick")
    assert max(asked) <= timedelta(days=10)


def test_a_preview_of_a_draft_does_not_say_that_it_was_written(office: Office) -> None:
    office.rules = (NOTICE,)
    now = at("2026-10-01")
    office.process().tick(now)
    shown = overview(office.store, book(NOTICE), office.runners, now, moment=at("2026-10-10T23:59"))
    (line,) = shown.due
    assert (line.standing, line.why, line.draft) == (Standing.DUE, "将起草。", "通报")
    office.process().tick(at("2026-10-10T09:00"))
    after = overview(office.store, book(NOTICE), office.runners, at("2026-10-10T10:00"))
    assert [one.why for one in after.settled] == ["已起草。"]
