"""Standings, statements and seals on a real database: what was sealed stays word for word, what
changes afterwards is booked to the running quarter, and large and small ways of reckoning agree.

The office: news 1, problem 5; adoption 10 or 20, only the highest of an item; 2 off for each item
short of two a month; the first is praised.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.system import SHANGHAI
from mailbot.app.records import ItemRow, ItemState, NewItem, NewRecord, RecordRow
from mailbot.app.scoring import NotScored, Scorer
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.entries import Standings
from mailbot.core.rules.events import EventKind
from mailbot.core.rules.kinds import Conversion, Manual, Repeat, Shortage, ShortageLine
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import ListKind, OrderBy, Ranking, RankingTable, Ties
from mailbot.core.rules.sealing import digest
from mailbot.core.rules.wire import standings_json
from mailbot.core.subject.roster import EarlierGroup
from tests.unit import rules_help as r
from tests.unit import store_help as h
from tests.unit.standings_help import list_rule, listed

OFFICE = "office"
Q1, Q2, Q3, Q4 = (Period.parse(f"2026-Q{n}") for n in (1, 2, 3, 4))
YEAR = Period.parse("2026")
D = Decimal


def ranking(start: date = r.START) -> Ranking:
    table = RankingTable("all", "全部", ("g", "h"))
    return Ranking(start, r.BASIS, (table,), (OrderBy.POINTS,), Ties.SHARE, ())


def office(**changes: Any) -> OfficeBook:
    sent = r.rule(
        "sent",
        r.points(
            r.line("submission", 5, category=("problem",)),
            r.line("submission", 1),
        ),
    )
    highest = r.points(
        r.line("adoption", 20, journal=("jn",)),
        r.line("adoption", 10),
        repeat=Repeat.HIGHEST_PER_ITEM,
    )
    short = Shortage((ShortageLine(("g", "h"), "items", D(-2), "第二条"),))
    rules = (
        sent,
        r.rule("adopted", highest),
        r.rule("byhand", Manual(D(-10), D(10))),
        r.rule("short", short),
    )
    values: dict[str, Any] = {
        "quotas": (r.quota(need={"g": 2, "h": 2}),),
        "rankings": (ranking(),),
    }
    return r.book(*changes.pop("rules", rules), **(values | changes))


BOOK = office()


class Desk:
    """The store with short ways to fill it, and the scorer on it."""

    def __init__(
        self, folder: Path, book: OfficeBook = BOOK, store: SqlStore | None = None
    ) -> None:
        self.store: SqlStore = store or h.fresh(folder)
        self.use(book)

    def use(self, book: OfficeBook) -> None:
        self.book, self.scorer = book, Scorer(self.store, {OFFICE: book})

    def item(
        self, day: str, unit: str = "a", category: str = "news", on: str = "", **changes: Any
    ) -> ItemRow:
        """Of another channel, received on `day` and entered `on` another."""
        received = datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=SHANGHAI)
        values: dict[str, Any] = {
            "office": OFFICE,
            "unit_id": unit,
            "state": ItemState.ACCEPTED,
            "received": received,
            "month": received.date().replace(day=1),
            "version": h.version(category=category),
            "channel": "oa",
        }
        with self.store.begin() as tx:
            new = NewItem(**(values | changes))
            return tx.add_channel_item(new, "MB", "王五", noon(on) if on else received)

    def record(
        self,
        day: str,
        kind: str = "adoption",
        unit: str = "a",
        item: ItemRow | None = None,
        on: str = "",
        **facts: Any,
    ) -> RecordRow:
        new = NewRecord(
            OFFICE,
            EventKind(kind),
            unit,
            date.fromisoformat(day),
            item.id if item else None,
            facts or ({"journal": "lw"} if kind == "adoption" else {}),
        )
        with self.store.begin() as tx:
            return tx.add_record(new, "王五", noon(on or day))

    def reverse(self, record: RecordRow, on: str) -> None:
        back = NewRecord(OFFICE, record.new.kind, "", record.new.day, reverses=record.id)
        with self.store.begin() as tx:
            tx.add_record(back, "赵六", noon(on))

    def state(self, item: ItemRow, state: ItemState, on: str) -> None:
        with self.store.begin() as tx:
            tx.set_item_state(item.id, state, "赵六", "", noon(on))

    def seal(self, period: Period, on: str = "") -> None:
        day = on or (period.last + timedelta(days=5)).isoformat()
        self.scorer.seal(OFFICE, period, "王五", noon(day))

    def standings(self, period: Period, as_of: str = "2027-01-05") -> Standings:
        return self.scorer.standings(OFFICE, period, date.fromisoformat(as_of))

    def points(self, period: Period, as_of: str = "2027-01-05") -> dict[str, Decimal]:
        rows = self.standings(period, as_of).tables[0].rows
        return {row.unit: row.points for row in rows}

    def entries(
        self, unit: str, period: Period, as_of: str = "2027-01-05"
    ) -> list[tuple[str, str, Decimal, str]]:
        """(day, rule, points, corrected period) of each."""
        found = self.scorer.statement(OFFICE, unit, period, date.fromisoformat(as_of))
        return [(e.day.isoformat(), e.rule, e.points, e.corrects) for e in found.entries]


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=SHANGHAI)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, office(rules=BOOK.scoring.rules[:3]))
    yield desk
    desk.store.close()


# --- standings and statements


def test_a_quarter_is_ranked_and_each_unit_can_be_explained(desk: Desk) -> None:
    desk.use(BOOK)
    problem = desk.item("2026-07-06", category="problem")
    for day in ("2026-07-07", "2026-08-03", "2026-08-04", "2026-09-01"):
        desk.item(day)
    desk.item("2026-07-31", "b")
    desk.record("2026-08-20", item=problem)
    desk.record("2026-09-10", item=problem, journal="jn")
    found = desk.standings(Q3)
    # a: 5 + 4×1 + 10 + (20-10) = 29, one short in September: -2. b: 1, five short: -10.
    assert {row.unit: (row.place, row.points) for row in found.tables[0].rows} == {
        "a": (1, D(27)),
        "b": (2, D(-9)),
        "c": (3, D(-12)),
        "d": (3, D(-12)),
    }
    a = found.row("a")
    assert (a.submissions, a.adopted, a.quotas[0].missing) == (5, 1, 1)
    statement = desk.scorer.statement(OFFICE, "a", Q3, date(2027, 1, 5))
    assert (statement.total, statement.quotas) == (D(27), a.quotas)
    assert [(e.day.isoformat(), e.points) for e in statement.entries] == [
        ("2026-07-06", D(5)),
        ("2026-07-07", D(1)),
        ("2026-08-03", D(1)),
        ("2026-08-04", D(1)),
        ("2026-08-20", D(10)),
        ("2026-09-01", D(1)),
        ("2026-09-10", D(10)),
        ("2026-09-30", D(-2)),
    ]
    # The first half-year was over before anything was recorded here: it costs nobody anything.
    assert statement.opening == D(0)


def test_silence_before_anything_was_recorded_is_nobodys_fault(tmp_path: Path) -> None:
    """The office began in August: July is not owed, nor does it cost points."""
    desk = Desk(tmp_path)
    after = "2026-10-01"
    assert desk.standings(Q3, after).row("b").quotas == ()
    desk.item("2026-08-03")
    assert [(q.need, q.missing) for q in desk.standings(Q3, after).row("b").quotas] == [(4, 4)]
    assert desk.points(Q3, after) == {"a": D(1 - 6), "b": D(-8), "c": D(-8), "d": D(-8)}
    assert [e[0] for e in desk.entries("b", Q3, after)] == ["2026-08-31", "2026-09-30"]
    # Once what came in July elsewhere is entered, July counts for everybody.
    desk.item("2026-07-06")
    assert [q.missing for q in desk.standings(Q3, after).row("b").quotas] == [6]
    assert desk.points(Q3, after)["b"] == D(-12)
    desk.store.close()


def test_the_first_notice_accuses_nobody_of_the_months_before(tmp_path: Path) -> None:
    lists = (
        list_rule(ListKind.NO_SUBMISSION, running=2),
        list_rule(ListKind.NO_ADOPTION, list_id="unadopted"),
    )
    desk = Desk(tmp_path, office(lists=lists))
    named = {one.id: one.listed for one in desk.standings(Q3, "2026-10-01").lists}
    assert named == {"named": (), "unadopted": ()}
    desk.item("2026-08-03")
    third, fourth = desk.standings(Q3, "2026-10-01"), desk.standings(Q4)
    assert listed(third) == dict.fromkeys("bcd", "8月、9月连续未报送")
    assert listed(third, "unadopted") == {}
    assert set(listed(fourth, "unadopted")) == set("abcd")
    desk.store.close()


def test_places_are_compared_with_the_period_before(desk: Desk) -> None:
    desk.item("2026-05-06", "b")
    desk.item("2026-07-06", "a")
    row = desk.standings(Q3).row("a")
    assert (row.place, row.previous_place, row.change) == (1, 2, 1)
    assert desk.standings(Q1).row("a").previous_place is None


def test_of_the_first_quarter_the_one_before_lies_in_another_year(desk: Desk) -> None:
    desk.use(replace(desk.book, scoring=older(desk.book)))
    desk.item("2025-11-03", "b")
    desk.item("2026-01-05", "a")
    desk.item("2026-01-06", "a")
    row = desk.standings(Q1).row("b")
    assert (row.place, row.previous_place, row.cumulative) == (2, 1, 0)


def older(book: OfficeBook) -> Any:
    """The same rules from a year before."""
    start = date(2025, 1, 1)
    rules = tuple(
        replace(rule, versions=tuple(replace(v, start=start) for v in rule.versions))
        for rule in book.scoring.rules
    )
    return replace(book.scoring, rules=rules, rankings=(ranking(start),))


def test_only_what_happened_by_the_day_one_looks_counts(desk: Desk) -> None:
    desk.item("2026-08-10")
    desk.item("2026-08-20")
    assert desk.points(Q3, "2026-08-15")["a"] == 1
    assert desk.points(Q3, "2026-08-20")["a"] == 2


def test_a_running_week_has_standings_of_its_own(desk: Desk) -> None:
    for day in ("2026-08-09", "2026-08-10", "2026-08-16", "2026-08-17"):
        desk.item(day)
    assert desk.points(Period.parse("2026-W33"))["a"] == 2


def test_a_statement_tells_what_was_taken_back(desk: Desk) -> None:
    wrong = desk.record("2026-08-20")
    desk.reverse(wrong, "2026-08-21")
    statement = desk.scorer.statement(OFFICE, "a", Q3, date(2026, 10, 8))
    assert [x.id for x in statement.reversed] == [wrong.id]
    assert statement.entries == ()


def test_points_pass_on_to_the_recommending_unit(desk: Desk) -> None:
    units = (r.unit("a"), r.unit("b", recommender="a"), r.unit("c", recommender="市科协"))
    passed = r.rule("passed", Conversion(D("0.5"), PeriodKind.MONTH))
    desk.use(office(rules=(*desk.book.scoring.rules, passed), units=units))
    for unit in "bc":
        desk.item("2026-08-10", unit, category="problem")
    assert desk.entries("a", Q3) == [("2026-08-31", "passed", D("2.5"), "")]
    assert desk.entries("市科协", Q3) == [("2026-08-31", "passed", D("2.5"), "")]
    assert desk.points(Q3)["a"] == D("2.5")
    # What is recorded too late for the seal passes on as well.
    desk.seal(Q3, "2026-10-05")
    desk.item("2026-08-11", "b", category="problem")
    assert sum(x[2] for x in desk.entries("a", Q4)) == D("2.5")
    assert desk.points(Q4)["a"] == D("2.5")


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda s: s.standings("nowhere", Q3, date(2026, 10, 8)), "no_office"),
        (lambda s: s.statement(OFFICE, "nobody", Q3, date(2026, 10, 8)), "no_unit"),
        (lambda s: s.seal(OFFICE, YEAR, "王五", noon("2027-01-05")), "wrong_kind"),
        (lambda s: s.seal(OFFICE, Q3, "王五", noon("2026-09-30")), "not_over"),
    ],
)
def test_what_cannot_be_done_is_a_value(
    desk: Desk, ask: Callable[[Scorer], object], code: str
) -> None:
    with pytest.raises(NotScored) as refused:
        ask(desk.scorer)
    assert refused.value.code == code


def test_an_event_no_rule_can_score_is_named(desk: Desk) -> None:
    kept = desk.record("2026-08-10", "manual", rule="byhand", points="11")
    with pytest.raises(NotScored) as refused:
        desk.standings(Q3)
    assert (refused.value.code, refused.value.what) == ("unscorable", f"record:{kept.id}")


def test_a_day_before_the_rules_is_said(desk: Desk) -> None:
    with pytest.raises(NoRuleInForce):
        desk.standings(Period.parse("2025-Q4"))


# --- seals


def test_sealed_standings_stay_word_for_word(desk: Desk) -> None:
    item = desk.item("2026-08-10")
    desk.seal(Q3)
    sealed = desk.standings(Q3)
    assert sealed.sealed
    desk.record("2026-09-20", item=item, on="2026-10-20")
    desk.item("2026-09-21")
    desk.use(replace(desk.book, digest="another"))
    assert standings_json(desk.standings(Q3)) == standings_json(sealed)
    assert desk.entries("a", Q3) == [("2026-08-10", "sent", D(1), "")]


def test_a_later_higher_adoption_books_only_the_difference(desk: Desk) -> None:
    item = desk.item("2026-08-10")
    desk.record("2026-08-20", item=item, journal="lw")
    desk.seal(Q3)
    desk.record("2026-10-12", item=item, journal="jn")
    assert desk.points(Q4)["a"] == 10
    assert desk.entries("a", Q4) == [("2026-10-12", "adopted", D(10), "")]


def test_what_was_recorded_after_the_seal_is_a_correction_of_the_running_quarter(
    desk: Desk,
) -> None:
    item = desk.item("2026-08-10")
    desk.record("2026-08-20", item=item, journal="lw")
    desk.seal(Q3)
    desk.record("2026-09-28", item=item, journal="jn", on="2026-10-20")
    found = desk.standings(Q4)
    assert [(e.unit, e.points, e.day, e.corrects) for e in found.corrections] == [
        ("a", D(10), date(2026, 10, 20), "2026-Q3")
    ]
    assert found.corrections[0].item == item.receipt
    assert desk.points(Q4) == {"a": 10, "b": 0, "c": 0, "d": 0}
    assert desk.points(YEAR)["a"] == 21
    assert desk.points(Q4, "2026-10-19")["a"] == 0


def test_what_is_recorded_on_the_seal_s_own_day_after_it_stands_on_that_day(desk: Desk) -> None:
    item = desk.item("2026-08-10")
    desk.record("2026-08-20", item=item, journal="lw", on="2026-10-06")
    desk.seal(Q3, on="2026-10-06")
    desk.record("2026-09-28", item=item, journal="jn", on="2026-10-06")
    assert [(e.points, e.day) for e in desk.standings(Q4).corrections] == [
        (D(10), date(2026, 10, 6))
    ]


def test_an_item_of_another_channel_entered_after_the_seal_stands_on_the_day_it_was_entered(
    desk: Desk,
) -> None:
    desk.item("2026-09-30", "b")
    desk.seal(Q3)
    desk.item("2026-09-10", "a", "problem", on="2026-11-20")
    assert desk.entries("a", Q4) == [("2026-11-20", "sent", D(5), "2026-Q3")]
    assert desk.points(Period.parse("2026-10"))["a"] == 0


def test_an_item_released_after_the_seal_is_a_correction(desk: Desk) -> None:
    late = desk.item("2026-09-29", state=ItemState.HELD, category="problem")
    desk.item("2026-09-30", "b")
    desk.seal(Q3)
    desk.state(late, ItemState.ACCEPTED, "2026-10-09")
    assert desk.entries("a", Q4) == [("2026-10-01", "sent", D(5), "2026-Q3")]
    (entry,) = desk.standings(Q4).corrections
    assert late.receipt in (entry.item, *entry.events) or f"item:{late.receipt}" in entry.events


def test_a_record_taken_back_after_the_seal_takes_its_points_back(desk: Desk) -> None:
    wrong = desk.record("2026-08-20")
    desk.seal(Q3)
    desk.reverse(wrong, "2026-10-12")
    assert desk.points(Q4)["a"] == -10
    assert [x[2:] for x in desk.entries("a", Q4)] == [(D(-10), "2026-Q3")]


def test_a_sealed_correction_is_not_booked_again(desk: Desk) -> None:
    late = desk.record("2026-05-20", on="2026-05-20")
    desk.seal(Q2)
    desk.record("2026-06-20", unit="b", on="2026-07-20")
    desk.seal(Q3)
    assert desk.points(Q4) == {"a": 0, "b": 0, "c": 0, "d": 0}
    # And when it turns out wrong itself, only that is put right, in the quarter after.
    desk.reverse(late, "2026-11-02")
    assert desk.points(Q4) == {"a": -10, "b": 0, "c": 0, "d": 0}
    assert desk.points(YEAR) == {"a": 0, "b": 10, "c": 0, "d": 0}


def test_a_correction_reaches_back_over_the_year(desk: Desk) -> None:
    wrong = desk.record("2026-11-20")
    desk.seal(Q4, "2027-01-08")
    desk.reverse(wrong, "2027-02-02")
    found = desk.points(Period.parse("2027-Q1"), "2027-03-01")
    assert found["a"] == -10


def test_a_month_of_a_sealed_quarter_shows_what_was_sealed(desk: Desk) -> None:
    desk.item("2026-08-10")
    desk.item("2026-09-10")
    desk.seal(Q3)
    desk.record("2026-08-20", on="2026-10-20")
    found = desk.points(Period.parse("2026-08"))
    assert found["a"] == 1


def test_rules_put_right_later_change_no_sealed_quarter(desk: Desk) -> None:
    desk.item("2026-08-10")
    desk.seal(Q3)
    dearer = r.rule("sent", r.points(r.line("submission", 3)))
    desk.use(replace(office(rules=(dearer, *desk.book.scoring.rules[1:])), digest="1"))
    assert desk.points(Q3)["a"] == 1
    assert desk.entries("a", Q4) == [("2026-10-01", "sent", D(2), "2026-Q3")]


def test_a_unit_moved_to_another_group_keeps_what_was_sealed(desk: Desk) -> None:
    quotas = (r.quota(need={"g": 2, "h": 0}),)
    desk.use(office(quotas=quotas))
    desk.item("2026-08-10")
    desk.seal(Q3)
    sealed = desk.points(Q3)["a"]

    def moved(**more: Any) -> OfficeBook:
        others = (u for u in desk.book.roster.units if u.id != "a")
        return office(quotas=quotas).with_units((r.unit("a", "h", **more), *others))

    desk.use(moved())
    for look in (desk.standings, lambda period: desk.entries("a", period)):
        with pytest.raises(NotScored) as caught:
            look(Q4)
        assert (caught.value.code, caught.value.found) == ("regrouped", "g")
        assert caught.value.choices == ("h", "2026-Q3", "2026-09-30")
    desk.use(moved(earlier_groups=(EarlierGroup("g", date(2026, 9, 30)),)))
    assert desk.points(Q3)["a"] == sealed
    assert not [entry for entry in desk.entries("a", Q4) if entry[3]]


def test_a_seal_keeps_the_digests_of_rules_and_ledger(desk: Desk) -> None:
    desk.item("2026-08-10")
    desk.item("2026-08-11")
    kept = desk.scorer.seal(OFFICE, Q3, "王五", noon("2026-10-08"))
    with desk.store.reading() as reads:
        entries = reads.seal_entries(kept.id)
    assert (kept.book_digest, kept.ledger_digest) == (desk.book.digest, digest(entries))
    # One by one, although the standings were counted in bulk.
    assert [e.times for e in entries] == [1, 1]
    assert len({e.item for e in entries}) == 2


def test_quarters_are_sealed_once_and_in_their_order(desk: Desk) -> None:
    desk.item("2026-05-10")
    desk.item("2026-11-10")
    for period, code, found in ((Q4, "earlier_open", "2026-Q2"), (Q3, "earlier_open", "2026-Q2")):
        with pytest.raises(NotScored) as refused:
            desk.seal(period, "2027-01-08")
        assert (refused.value.code, refused.value.found) == (code, found)
    # Q1: nothing had been recorded yet, so there is nothing to seal before Q2.
    for period in (Q2, Q3):
        desk.seal(period, "2027-01-08")
    with pytest.raises(NotScored) as refused:
        desk.seal(Q3, "2027-01-09")
    assert (refused.value.code, refused.value.found) == ("sealed_already", "2027-01-08")
    desk.seal(Q4, "2027-01-09")


def test_a_status_from_long_ago_opens_no_quarter(desk: Desk) -> None:
    desk.record("2026-01-10", "status", status="suspended")
    desk.item("2026-08-10")
    desk.seal(Q3)


def test_nothing_is_recorded_between_the_reckoning_and_the_seal(desk: Desk) -> None:
    """Whatever the order in which the two get through, the record stands in the books once."""
    desk.item("2026-08-10")
    threads = [
        threading.Thread(target=desk.seal, args=(Q3, "2026-10-08")),
        threading.Thread(target=desk.record, args=("2026-08-20",), kwargs={"on": "2026-10-08"}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.points(YEAR)["a"] == 11
    with desk.store.reading() as reads:
        (seal,) = reads.seals(OFFICE)
        assert sum(reads.seal_totals(seal.id).values()) == desk.points(Q3)["a"]


# --- other rules


def test_a_period_is_scored_under_the_rules_of_two_days(desk: Desk) -> None:
    cheap = r.version(r.points(r.line("submission", 1)))
    dear = r.version(r.points(r.line("submission", 4)), date(2026, 8, 1))
    desk.use(office(rules=(r.rule("sent", cheap, dear),)))
    desk.item("2026-07-10")
    desk.item("2026-08-10")
    desk.seal(Q3)
    before, after = desk.scorer.compare(
        OFFICE, Q3, date(2026, 7, 31), date(2026, 8, 1), date(2026, 10, 8)
    )
    assert (before.row("a").points, after.row("a").points) == (2, 8)
    assert desk.points(Q3)["a"] == 5


# --- the two ways of reckoning

THINGS = st.tuples(
    st.sampled_from("abcd"),
    st.integers(0, 270),
    st.sampled_from(["news", "problem"]),
    st.sampled_from(["", "lw", "jn"]),
    st.integers(0, 60),
    st.booleans(),
)


@settings(max_examples=25, deadline=None)
@given(
    things=st.lists(THINGS, max_size=10), sealed=st.sets(st.sampled_from([Q1, Q2, Q3]), max_size=3)
)
def test_standings_and_statements_always_agree(
    things: list[tuple[str, int, str, str, int, bool]], sealed: set[Period]
) -> None:
    """Whatever was sealed when, and whatever came afterwards: each row is its statement's total,
    the year is the sum of its quarters, and nothing is lost or booked twice."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        for period in (Q1, Q2, Q3):
            for unit, day, category, journal, later, late in things:
                sent = date(2026, 1, 5) + timedelta(days=day)
                if (sent + timedelta(days=95 if late else 0)) not in period:
                    continue
                item = desk.item(sent.isoformat(), unit, category)
                if journal:
                    on = (sent + timedelta(days=later)).isoformat()
                    desk.record(on, unit=unit, item=item, journal=journal)
            if period in sealed and all(p in sealed for p in (Q1, Q2, Q3) if p < period):
                desk.seal(period)
        quarters = [desk.points(p) for p in (Q1, Q2, Q3, Q4)]
        for period, found in zip((Q1, Q2, Q3, Q4), quarters, strict=True):
            for unit, points in found.items():
                assert sum(x[2] for x in desk.entries(unit, period)) == points, (unit, period)
        months = {p: [desk.points(m) for m in p.parts(PeriodKind.MONTH)] for p in sealed}
        for period, found in months.items():
            whole = desk.points(period)
            assert whole == {u: sum((m[u] for m in found), D(0)) for u in whole}, period
        year = desk.points(YEAR)
        unsealed = Scorer(desk.store, {OFFICE: desk.book}).compare(
            OFFICE, YEAR, date(2026, 1, 1), date(2026, 1, 1), date(2027, 1, 5)
        )[0]
        desk.store.close()
    assert year == {u: sum((q[u] for q in quarters), D(0)) for u in year}
    assert year == {row.unit: row.points for row in unsealed.tables[0].rows}
