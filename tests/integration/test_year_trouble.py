"""The same year when things go wrong: the program is down for days, dies between two transactions,
the clock is set back, the relay is away. What the units sent and the desk recorded stays the same,
so what it comes to must, too; and nobody may get a letter twice.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.app.letter_records import DutyRow, DutyState
from tests.integration.year import calendar, jinan, laiwu, openness, otog, shandong
from tests.integration.year.clock import at
from tests.integration.year.days import Days, Killed
from tests.integration.year.installation import staff_of
from tests.integration.year.sink import Relay
from tests.integration.year.story import Story, begin, live
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.long


# --- down for days, and killed -----------------------------------------------------------------


@dataclass
class Weather:
    """When the program is not running: for one to nine days now and then. In some rounds it dies
    after so many transactions, and is started again at once, as a service is."""

    dice: random.Random
    until: date = date.min
    down: list[date] = field(default_factory=list)
    deaths: int = 0

    def round(self, days: Days) -> None:
        today = days.now.date()
        if today > self.until and self.dice.random() < 0.06:
            self.until = today + timedelta(days=self.dice.randint(0, 8))
        if today <= self.until:
            self.down.append(today)
            days.stop()
            return
        if days.process is None:
            days.start()
        if self.dice.random() < 0.25:
            self._die_in_a_round(days)
        days.round()

    def _die_in_a_round(self, days: Days) -> None:
        assert days.process is not None
        days.process.store.lives = self.dice.randint(1, 60)
        try:
            days.round()
        except Killed:
            self.deaths += 1
            days.stop()
            days.start()
        else:  # it had less to do than that
            assert days.process is not None
            days.process.store.lives = None


@pytest.mark.parametrize(
    ("seed", "stories", "start", "end"),
    [
        (1, (otog.STORY,), "01-01 07:00", "2027-01-20 17:00"),
        (3, (laiwu.STORY,), "06-01 07:00", "10-20 17:00"),
        (4, (shandong.STORY, jinan.STORY, openness.STORY), "01-01 07:00", "07-20 17:00"),
    ],
    ids=["otog-1", "laiwu-3", "others-4"],
)
def test_whenever_the_program_was_away_everything_is_done_once(
    tmp_path: Path, seed: int, stories: tuple[Story, ...], start: str, end: str
) -> None:
    weather = Weather(random.Random(seed))
    with SmtpSink() as sink:
        days = begin(tmp_path, sink, stories, at(start))
        live(days, stories, at(end), wake=weather.round)
        if days.process is None:
            days.start()
        days.round()
        assert len(set(weather.down)) > 10 and weather.deaths >= 3
        for story in stories:
            _all_settled(days, story, at(start), at(end))
        _nothing_twice(days)
        if (seed, start) == (1, "01-01 07:00"):
            _totals_as_ever(days)
        days.stop()


def _all_settled(days: Days, story: Story, start: datetime, end: datetime) -> None:
    """Each duty is settled, and one without a letter says why: it was to be so, or the program was
    away while there was still something in it."""
    given = {k: [d for d in v if d > start.date() + timedelta(40)] for k, v in story.given.items()}
    offices = days.root / "config" / "offices"
    due = calendar.due_keys(offices, story.office, start, end, given)
    settled = days.duties(story.office)
    assert due.keys() <= settled.keys()
    extra = settled.keys() - due.keys()
    assert {settled[k].new.letter for k in extra} <= set(story.given), extra
    for key, moment in due.items():
        row = settled[key]
        nothing = key in story.nothing_to_say
        awake = min(r for r in days.rounds if r >= moment)
        assert row.at.date() >= awake.date()
        if row.new.state is DutyState.SKIPPED:
            assert row.new.why.endswith("。"), key
            excused = _excused(key, row, awake, due) or _before(row, start)
            assert excused or nothing or _was_done(row), (key, row.new.why)
        else:
            assert not nothing or row.new.letter in story.given, key
            assert not _before(row, start), key


def _excused(key: str, row: DutyRow, awake: datetime, due: dict[str, datetime]) -> bool:
    """By plain dates: the morning's digest is of that day; of two stages missed the later one
    stands for both; nobody is reminded after the period, nor told its result after the next."""
    letter, _, about, _ = key.split(":")
    if letter == "digest":
        return awake.date() > due[key].date()
    prefix = key.rpartition(":")[0]
    later = [m for k, m in due.items() if k.startswith(f"{prefix}:") and m > due[key]]
    if any(m <= awake for m in later):
        return True
    if letter in ("filing", "tasks", "commissions"):
        return awake.date() > date.fromisoformat(about)
    if letter == "result":
        months = 3 if "Q" in about else 1
        after = _last_day(about) + timedelta(days=1)
        over = date(
            after.year + (after.month + months - 1) // 12, (after.month + months - 1) % 12 + 1, 1
        )
        return awake.date() >= over
    return "reminder" in letter and awake.date() > _last_day(about)


def _before(row: DutyRow, start: datetime) -> bool:
    """The result of what was over before the program came: nothing of it was recorded."""
    return row.new.letter == "result" and _last_day(row.new.period) < start.date()


def _last_day(code: str) -> date:
    year, _, rest = code.partition("-")
    if not rest:
        return date(int(year), 12, 31)
    month = int(rest[1:]) * {"Q": 3, "H": 6}[rest[0]] if rest[0] in "QH" else int(rest)
    return date(int(year) + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _was_done(row: DutyRow) -> bool:
    return "都已完成" in row.new.why


def _nothing_twice(days: Days) -> None:
    assert [i for i, n in Counter(x.id for x in days.sent).items() if n > 1] == []
    said = Counter((x.to, x.subject, x.text, x.when.date()) for x in days.sent)
    assert [words[:2] for words, n in said.items() if n > 1] == []
    arrived = {x.id for x in days.sent}
    for letter in days.outbox():
        match letter.state:
            case "sent":
                assert letter.message_id in arrived, letter.key
            case "unknown":  # it died between the dot and its answer; a person looks
                assert letter.error
            case "dropped":
                assert letter.message_id not in arrived and letter.error, letter.key
            case "withheld":  # an answer to a mail that had waited for days: the office's to send
                assert letter.key.startswith("answer:")
            case other:
                raise AssertionError(f"{letter.key}: {other}")
    # A notice goes to each of its readers once: no draft was approved twice.
    covers = Counter((x.recipient, x.about) for x in days.outbox() if x.kind == "cover")
    assert [c for c, n in covers.items() if n > 1] == []
    with days.terminal.store.reading() as reads:
        drafts = Counter((d.office, d.letter, d.period) for d in reads.drafts())
    assert [d for d, n in drafts.items() if n > 1] == []


def _totals_as_ever(days: Days) -> None:
    for period, points in otog.POINTS.items():
        standings = days.standings("otog", period)
        rows = [row for table in standings.tables for row in table.rows]
        assert {r.unit: int(r.points) for r in rows if r.points} == points
        assert {r.unit: r.submissions for r in rows if r.submissions} == otog.SENT[period]


# --- the clock ---------------------------------------------------------------------------------


def test_a_clock_set_back_by_a_day_sends_nothing_again(tmp_path: Path) -> None:
    """Over the first reminders of July (07-27), with the restart that people try first."""
    with SmtpSink() as sink:
        days = begin(tmp_path, sink, [otog.STORY], at("07-04 07:00"))
        live(days, [otog.STORY], at("07-28 09:00"))
        before, settled = len(days.outbox()), set(days.duties("otog"))
        days.clock.set_back(timedelta(days=1))
        days.round()
        days.stop()
        days.start()
        for _ in range(8):  # the day once more, hour by hour
            days.clock.advance(days.now + timedelta(hours=3))
            days.round()
        assert days.now == at("07-28 09:00")
        assert len(days.outbox()) == before
        assert set(days.duties("otog")) == settled
        live(days, [otog.STORY], at("07-31 17:00"))
        _nothing_twice(days)
        reminded = [
            x.when for x in days.sent if x.to == otog.SCHOOLS.address and "提醒" in x.subject
        ]
        assert reminded == [at("07-27 09:00"), at("07-30 09:00")]
        days.stop()


# --- the relay ---------------------------------------------------------------------------------


def test_letters_wait_for_the_relay_and_those_not_wanted_any_more_are_dropped(
    tmp_path: Path,
) -> None:
    """Away for two days when the first reminders of July are due, and for two more when the second
    ones are and the month ends. 农牧局 sends what it still owed during the first."""
    story = otog.STORY
    with Relay() as relay:
        days = begin(tmp_path, relay, [story], at("07-04 07:00"))
        live(days, [story], at("07-27 08:00"))
        _without(relay, days, at("07-29 15:00"))
        live(days, [story], at("07-30 08:00"))
        _without(relay, days, at("08-01 08:00"))
        live(days, [story], at("08-07 17:00"))
        _nothing_twice(days)
        outbox = {x.key: x for x in days.outbox()}
        dropped = {key: x.error for key, x in outbox.items() if x.state == "dropped"}
        assert {x.state for key, x in outbox.items() if key not in dropped} == {"sent"}
        met = "reminder:otog:2026-07:agriculture:first:liaison"
        assert dropped.pop(met) == "基础条数已完成"
        late = {key for key in outbox if key.startswith("reminder:otog:2026-07:")} & {
            key for key, x in outbox.items() if ":second:" in key and x.kind == "reminder"
        }
        assert dropped.keys() == late and len(late) == 3
        assert all("2026-08-01 00:00" in why for why in dropped.values())
        # The first ones came late, and the office's own mails all came.
        first = [x.when for x in days.sent if x.to == otog.SCHOOLS.address and "提醒" in x.subject]
        assert first == [at("07-29 16:00")]
        digests = [x for x in days.sent if x.to == staff_of("otog") and "每日简报" in x.subject]
        worked = [at("07-04 07:00").date() + timedelta(days=n) for n in range(35)]
        assert len(digests) == len([d for d in worked if calendar.is_working_day(d)])
        days.stop()


def _without(relay: Relay, days: Days, until: datetime) -> None:
    """The machine is started again meanwhile, as people do when no mail goes out."""
    days.stop()
    relay.go_away()
    before = len(relay.letters)
    days.start()
    live(days, [otog.STORY], until)
    assert len(relay.letters) == before
    relay.come_back()
