"""What a notice says, read from a real store: with the standings it goes with, after a seal, and with
as many queries for a thousand units as for ten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.system import SHANGHAI
from mailbot.app.notices.material import gather
from mailbot.app.records import NewRecord
from mailbot.app.scoring import Scorer
from mailbot.core.documents.material import Material, Printing
from mailbot.core.rules.events import EventKind, Form
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from tests.unit import store_help as h
from tests.unit.standings_help import book, points_rule, quota, unit

Q2, Q3 = Period.parse("2026-Q2"), Period.parse("2026-Q3")
AFTER = date(2026, 10, 9)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = h.fresh(tmp_path)
    yield store
    store.close()


def office(*units: str) -> OfficeBook:
    return book(*(unit(u) for u in units), rules=(points_rule(1),), quotas=(quota(2),))


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T10:00:00").replace(tzinfo=SHANGHAI)


def send(store: SqlStore, who: str, day: str, title: str = "一条信息") -> int:
    new = h.new_item(
        title,
        office="jia",
        unit_id=who,
        received=at(day),
        month=at(day).date().replace(day=1),
        channel="oa",
        evidence="OA",
    )
    with store.begin() as tx:
        return tx.add_channel_item(new, "JA", "王五", at(day)).id


def adopt(
    store: SqlStore, item: int, who: str, day: str, entered: str = "", **facts: object
) -> None:
    new = NewRecord(
        office="jia",
        kind=EventKind.ADOPTION,
        unit_id=who,
        day=date.fromisoformat(day),
        item_id=item,
        facts={"journal": "zhengxun", **facts},
        reason="刊用",
        evidence="第31期",
    )
    with store.begin() as tx:
        tx.add_record(new, "王五", at(entered or day))


def gathered(store: SqlStore, own: OfficeBook, period: Period = Q3, day: date = AFTER) -> Material:
    found = Scorer(store, {"jia": own}).standings("jia", period, day)
    with store.reading() as reads:
        return gather(reads, own, period, day, found)


def test_it_tells_what_the_standings_count(store: SqlStore) -> None:
    own = office("a", "b", "c")
    send(store, "c", "2026-01-08")
    send(store, "a", "2026-05-08")
    both = send(store, "a", "2026-07-08", "两家联合的信息")
    for _ in range(2):
        send(store, "a", "2026-07-09")
    send(store, "b", "2026-08-09")
    adopt(store, both, "a", "2026-08-20", partners=["b"])
    adopt(store, both, "a", "2026-09-20", journal="mryq", form="brief", partners=["b"])
    found = gathered(store, own)
    rows = [row for table in found.standings.tables for row in table.rows]
    assert found.counts.submissions == sum(row.submissions for row in rows) == 4
    assert (found.counts.adopted, found.counts.units) == (1, 2)
    assert found.counts.journals == (("mryq", 1), ("zhengxun", 1))
    assert found.before is not None and found.before.submissions == 1
    (item,) = found.adopted
    assert (item.title, item.units) == ("两家联合的信息", ("a", "b"))
    assert item.printings == (
        Printing("zhengxun", Form.FULL, date(2026, 8, 20)),
        Printing("mryq", Form.BRIEF, date(2026, 9, 20)),
    )
    short = {(s.unit, s.period.code): s.missing for s in found.shortfalls}
    for row in rows:
        (state,) = row.quotas
        assert state.missing == sum(n for (who, _), n in short.items() if who == row.unit)
    course = {p.period.code: (p.got, p.need) for p in found.progress["a"]}
    assert course["2026-05"] == (1, 2) and course["2026-07"] == (3, 2)
    assert list(course) == [f"2026-{m:02d}" for m in range(1, 10)]


def test_months_before_anything_was_recorded_are_not_told(store: SqlStore) -> None:
    own = office("a", "b")
    empty = gathered(store, own)
    assert (empty.shortfalls, empty.progress["a"]) == ((), ())
    send(store, "a", "2026-08-08")
    found = gathered(store, own)
    assert [p.period.code for p in found.progress["b"]] == ["2026-08", "2026-09"]
    assert {s.period.code for s in found.shortfalls} == {"2026-08", "2026-09"}
    (missing,) = {q.missing for q in found.standings.row("b").quotas}
    assert missing == sum(s.missing for s in found.shortfalls if s.unit == "b")


def test_months_in_which_a_unit_was_not_there_are_not_told_of_it(store: SqlStore) -> None:
    own = book(unit("a"), unit("b", start=date(2026, 8, 15)), quotas=(quota(2),))
    send(store, "a", "2026-05-08")
    found = gathered(store, own)
    assert [p.period.code for p in found.progress["b"]] == ["2026-08", "2026-09"]
    assert len(found.progress["a"]) == 5


def test_after_the_seal_it_tells_what_was_sealed(store: SqlStore) -> None:
    own = office("a", "b")
    for day in ("2026-04-08", "2026-07-08"):
        item = send(store, "a", day, "早登记的")
    adopt(store, item, "a", "2026-08-20")
    scorer = Scorer(store, {"jia": own})
    scorer.seal("jia", Q2, "王五", at("2026-07-09"))
    scorer.seal("jia", Q3, "王五", at("2026-10-09"))
    late = send(store, "b", "2026-09-08", "晚登记的")
    adopt(store, late, "b", "2026-09-20", entered="2026-11-03")
    found = gathered(store, own, day=date(2026, 11, 9))
    assert [one.title for one in found.adopted] == ["早登记的"]
    assert [(p.period.code, p.place, p.of) for p in found.places["a"]] == [
        ("2026-Q2", 1, 2),
        ("2026-Q3", 1, 2),
    ]
    later = gathered(store, own, Period.parse("2026-Q4"), date(2027, 1, 9))
    assert [e.corrects for e in later.standings.corrections] == ["2026-Q3"] * 2
    assert [p.period.code for p in later.places["b"]] == ["2026-Q2", "2026-Q3", "2026-Q4"]


def test_a_reversed_adoption_is_not_told(store: SqlStore) -> None:
    own = office("a")
    adopt(store, send(store, "a", "2026-07-08"), "a", "2026-08-20")
    assert len(gathered(store, own).adopted) == 1
    with store.begin() as tx:
        (row,) = tx.read.records("jia")
        back = replace(row.new, item_id=None, unit_id="", facts={}, reverses=row.id)
        tx.add_record(back, "赵六", at("2026-08-21"))
    assert gathered(store, own).adopted == ()


def test_as_many_queries_for_a_thousand_units_as_for_ten(store: SqlStore) -> None:
    for n in range(10):
        send(store, f"u{n}", "2026-07-08")
    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: asked.append(str(args[2])))
    numbers = []
    for size in (10, 1000):
        own = office(*(f"u{n}" for n in range(size)))
        found = Scorer(store, {"jia": own}).standings("jia", Q3, AFTER)
        asked.clear()
        with store.reading() as reads:
            material = gather(reads, own, Q3, AFTER, found)
        assert len(material.progress) == size
        numbers.append(len(asked))
    assert numbers[0] == numbers[1] < 20


def test_a_day_inside_the_period_counts_up_to_it(store: SqlStore) -> None:
    own = office("a")
    send(store, "a", "2026-07-08")
    send(store, "a", "2026-08-20")
    found = gathered(store, own, day=date(2026, 8, 12))
    assert (found.counts.submissions, found.as_of) == (1, date(2026, 8, 12))
    assert [s.period.code for s in found.shortfalls] == ["2026-07"]
