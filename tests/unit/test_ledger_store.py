"""The ledger in the store: items of other channels, records and reversals, seals, and the events
that are read back from all of them, one by one and in bulk."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from mailbot.adapters.db.dossier import everything_about
from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.db.listing import ItemFilter, list_items
from mailbot.adapters.system import SHANGHAI
from mailbot.app.records import ItemRow, ItemState, NewRecord, NewSeal, RecordRow
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import (
    Event,
    EventKind,
    Form,
    Outcome,
    Signer,
    UnitStatus,
)
from mailbot.core.rules.periods import Period
from tests.unit import store_help as h
from tests.unit.store_help import AUGUST, NOON, OFFICE

Q3 = Period.parse("2026-Q3")
A, B = "jiaotiju", "nongmuju"


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


def item(store: SqlStore, title: str = "全旗秋季开学准备就绪", **changes: Any) -> ItemRow:
    """An item of the OA system, accepted."""
    category = changes.pop("category", "brief")
    new = h.new_item(
        title,
        **{
            "channel": "oa",
            "evidence": "OA 2026-118",
            "version": h.version(title, category=category),
            **changes,
        },
    )
    with store.begin() as tx:
        return tx.add_channel_item(new, "EQ", "王五", NOON)


def mailed(store: SqlStore, **changes: Any) -> ItemRow:
    with store.begin() as tx:
        (mail,) = h.arrive(tx, 1, first_uid=len(tx.read.pending("box")) + 1)
        return tx.add_item(h.new_item(**changes), mail, "EQ", NOON)


def new_record(kind: EventKind = EventKind.ADOPTION, **changes: Any) -> NewRecord:
    values: dict[str, Any] = {
        "office": OFFICE,
        "kind": kind,
        "unit_id": A,
        "day": date(2026, 8, 20),
        "reason": "8月刊用",
        "evidence": "第31期",
    }
    return NewRecord(**(values | changes))


def record(store: SqlStore, kind: EventKind = EventKind.ADOPTION, **changes: Any) -> RecordRow:
    with store.begin() as tx:
        return tx.add_record(new_record(kind, **changes), "王五", NOON)


def reverse(store: SqlStore, number: int, office: str = OFFICE) -> RecordRow:
    back = new_record(unit_id="", office=office, reverses=number, reason="登错了单位")
    with store.begin() as tx:
        return tx.add_record(back, "赵六", NOON + timedelta(days=1))


def events(
    store: SqlStore,
    unit: str | None = A,
    first: date = Q3.first,
    last: date = Q3.last,
) -> list[Event]:
    with store.reading() as reads:
        return reads.unit_events(OFFICE, first, last, unit)


def bulk(store: SqlStore, *cuts: date, first: date = Q3.first, last: date = Q3.last) -> list[Event]:
    with store.reading() as reads:
        return reads.bulk_events(OFFICE, first, last, cuts)


# --- items of other channels


def test_an_item_of_another_channel_is_numbered_counted_and_shown_with_its_evidence(
    store: SqlStore,
) -> None:
    by_mail = mailed(store)
    by_oa = item(store, "草原防火")
    assert (by_mail.receipt, by_oa.receipt) == ("EQ202608-0001", "EQ202608-0002")
    assert (by_oa.channel, by_oa.evidence, by_oa.inbound_id) == ("oa", "OA 2026-118", None)
    with store.reading() as reads:
        assert reads.month_count(OFFICE, A, AUGUST) == 2
    about = everything_about(store, by_oa.receipt)
    assert about["mails"] == []
    (line,) = about["audit"]
    assert (line["who"], line["detail"]["evidence"]) == ("王五", "OA 2026-118")
    listed = {x.item.receipt: x for x in list_items(store, ItemFilter())}
    assert set(listed) == {by_mail.receipt, by_oa.receipt}
    assert listed[by_oa.receipt].decision == ""


def test_a_mail_can_bring_the_next_version_of_an_item_of_another_channel(store: SqlStore) -> None:
    first = item(store)
    with store.begin() as tx:
        (mail,) = h.arrive(tx)
        second = tx.add_item(h.new_item(replaces=first.id), mail, "EQ", NOON)
    assert (second.inbound_id, second.first_inbound_id, second.channel) == (mail, None, "oa")


@pytest.mark.parametrize("channel", ["mail", "pigeon", ""])
def test_only_known_other_channels_are_taken(store: SqlStore, channel: str) -> None:
    with pytest.raises(ValueError, match="channel"):
        item(store, channel=channel)


@pytest.mark.parametrize("marked", [(True, False), (False, True), (True, True), (False, False)])
def test_once_marked_as_commissioned_it_stays_so(
    store: SqlStore, marked: tuple[bool, bool]
) -> None:
    first = mailed(store, commissioned=marked[0])
    second = mailed(store, commissioned=marked[1], replaces=first.id)
    assert second.commissioned == any(marked)
    (found,) = events(store)
    assert found.commissioned == any(marked)


# --- records


def test_a_record_comes_back_as_the_event_that_was_entered(store: SqlStore) -> None:
    about = item(store, category="problem")
    facts = {"journal": "mryq", "form": "brief", "partners": [B], "shares": [[A, "0.4"]]}
    kept = record(store, item_id=about.id, facts=facts)
    assert (kept.receipt, kept.who, kept.reversed_by) == (about.receipt, "王五", None)
    found = next(e for e in events(store) if e.kind is EventKind.ADOPTION)
    assert found == Event(
        id=f"record:{kept.id}",
        kind=EventKind.ADOPTION,
        unit=A,
        day=date(2026, 8, 20),
        item=about.receipt,
        title="全旗秋季开学准备就绪",
        category="problem",
        form=Form.BRIEF,
        journal="mryq",
        partners=(B,),
        shares=((A, Decimal("0.4")),),
        recorded=NOON.date(),
        by="王五",
        reason="8月刊用",
        evidence="第31期",
    )


def test_every_kind_of_fact_is_kept(store: SqlStore) -> None:
    record(
        store,
        EventKind.EXPLANATION,
        facts={
            "about": "record:9",
            "accepted": True,
            "signer": "head",
            "points": "-0.50",
            "due": "2026-08-31",
            "times": 3,
            "status": "suspended",
            "outcome": "late",
            "people": ["分管 张三"],
        },
    )
    (found,) = events(store)
    assert (found.accepted, found.signer, found.points) == (True, Signer.HEAD, Decimal("-0.50"))
    assert (found.due, found.times, found.status) == (date(2026, 8, 31), 3, UnitStatus.SUSPENDED)
    assert (found.outcome, found.people) == (Outcome.LATE, ("分管 张三",))


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"jornal": "mryq"}, "jornal"),
        ({"form": "short"}, "form"),
        ({"points": 1.5}, "points"),
        ({"points": "NaN"}, "points"),
        ({"times": 0}, "times"),
        ({"times": True}, "times"),
        ({"accepted": "yes"}, "accepted"),
        ({"due": "31.8."}, "due"),
        ({"partners": "nongmuju"}, "partners"),
        ({"unit": B}, "unit"),
    ],
)
def test_what_could_not_be_read_back_is_not_kept(
    store: SqlStore, facts: dict[str, Any], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        record(store, facts=facts)
    with store.reading() as reads:
        assert reads.records(OFFICE) == []


def test_a_record_is_about_a_unit_and_an_item_of_its_own_office(store: SqlStore) -> None:
    other = item(store, office="laiwu")
    for wrong in (
        {"unit_id": ""},
        {"item_id": 99},
        {"item_id": other.id},
        {"item_id": other.id, "office": "laiwu", "facts": {"item": "x"}},
        {"kind": EventKind.SUBMISSION},
    ):
        with pytest.raises(ValueError):
            record(store, **wrong)


def test_a_reversal_takes_everything_from_what_it_takes_back(store: SqlStore) -> None:
    about = item(store)
    wrong = record(store, item_id=about.id, facts={"journal": "mryq"})
    back = reverse(store, wrong.id)
    assert (back.new.unit_id, back.new.day, back.new.facts) == (
        wrong.new.unit_id,
        wrong.new.day,
        wrong.new.facts,
    )
    assert (back.new.reverses, back.new.reason, back.who) == (wrong.id, "登错了单位", "赵六")
    assert [e.kind for e in events(store)] == [EventKind.SUBMISSION]
    with store.reading() as reads:
        both = reads.records(OFFICE, unit_id=A)
        assert [(r.id, r.reversed_by) for r in both] == [(wrong.id, back.id), (back.id, None)]
        assert reads.record(wrong.id) == both[0]
    audit = everything_about(store, about.receipt)["audit"]
    assert [a["action"] for a in audit] == ["item.added", "record", "record.reversed"]


def test_what_cannot_be_reversed_is_said(store: SqlStore) -> None:
    one, other = record(store), record(store, office="laiwu")
    back = reverse(store, one.id)
    for number, word in (
        (one.id, "already"),
        (back.id, "itself"),
        (other.id, "no record"),
        (99, "no record"),
    ):
        with pytest.raises(ValueError, match=word):
            reverse(store, number)
    assert reverse(store, other.id, office="laiwu").new.office == "laiwu"


def test_what_was_taken_back_can_be_entered_anew(store: SqlStore) -> None:
    wrong = record(store, facts={"journal": "mryq"})
    reverse(store, wrong.id)
    record(store, facts={"journal": "zx"})
    assert [e.journal for e in events(store)] == ["zx"]


def test_records_are_found_by_unit_kind_item_and_day(store: SqlStore) -> None:
    about = item(store)
    of_item = record(store, item_id=about.id, day=date(2026, 9, 1))
    of_other = record(store, unit_id=B, day=date(2026, 7, 1))
    training = record(store, EventKind.TRAINING, facts={"times": 2})
    with store.reading() as reads:

        def ids(**wanted: Any) -> list[int]:
            return [r.id for r in reads.records(OFFICE, **wanted)]

        assert ids() == [of_other.id, training.id, of_item.id]
        assert ids(unit_id=B) == [of_other.id]
        assert ids(kind=EventKind.TRAINING) == [training.id]
        assert ids(item_id=about.id) == [of_item.id]
        assert ids(first=date(2026, 8, 20), last=date(2026, 8, 31)) == [training.id]


# --- what counts, and when


@pytest.mark.parametrize(
    ("received", "month", "day"),
    [
        ((2026, 8, 12, 12, 0), (2026, 8, 1), (2026, 8, 12)),
        # The last minute of July in Shanghai is still July in UTC; so is the first of August.
        ((2026, 7, 31, 23, 59), (2026, 7, 1), (2026, 7, 31)),
        ((2026, 8, 1, 0, 0), (2026, 8, 1), (2026, 8, 1)),
        # Corrected too late: counts in the correction's month, from its first day.
        ((2026, 7, 30, 9, 0), (2026, 8, 1), (2026, 8, 1)),
        ((2026, 8, 3, 9, 0), (2026, 7, 1), (2026, 7, 31)),
    ],
)
def test_a_submission_stands_in_the_month_it_counts_in(
    store: SqlStore, received: tuple[int, ...], month: tuple[int, int, int], day: tuple[int, ...]
) -> None:
    item(store, received=datetime(*received, tzinfo=SHANGHAI), month=date(*month))  # type: ignore[misc]
    (found,) = events(store)
    assert found.day == date(*day)  # type: ignore[arg-type]
    (together,) = bulk(store, date(2026, 7, 15), date(2026, 8, 5))
    assert together.day == found.day


@pytest.mark.parametrize("state", ItemState)
def test_only_what_is_accepted_counts(store: SqlStore, state: ItemState) -> None:
    item(store, state=state)
    counts = state in (ItemState.ACCEPTED, ItemState.WITHDRAWAL_REQUESTED)
    assert len(events(store)) == len(bulk(store)) == counts


def test_lanes_units_and_follow_ups(store: SqlStore) -> None:
    item(store, "一", lane="urgent")
    item(store, "二", lane="task")
    item(store, "三", unit_id=None)
    item(store, "四", flags=("follow_up",))
    for found in (events(store), bulk(store), events(store, None)):
        assert {(e.urgent_major, e.follow_up) for e in found} == {(True, False), (False, True)}
        assert len(found) == 2


def test_staffs_category_is_the_one_that_counts(store: SqlStore) -> None:
    one = item(store)
    with store.begin() as tx:
        tx.set_category(one.id, "problem", "王五", "成因分析完整", NOON)
    assert [e.category for e in (*events(store), *bulk(store))] == ["problem", "problem"]


def test_a_commission_that_was_done_marks_its_item(store: SqlStore) -> None:
    answered, late = item(store, "一"), item(store, "二")
    record(store, EventKind.COMMISSION, item_id=late.id, facts={"outcome": "missed"})
    done = record(
        store,
        EventKind.COMMISSION,
        item_id=answered.id,
        facts={"outcome": "done"},
        day=date(2026, 10, 9),
    )
    marked = {e.title: e.commissioned for e in events(store) if e.kind is EventKind.SUBMISSION}
    assert marked == {"一": True, "二": False}
    reverse(store, done.id)
    assert not any(e.commissioned for e in events(store))


def test_an_items_urgency_stands_in_what_is_recorded_about_it_unless_said_otherwise(
    store: SqlStore,
) -> None:
    urgent = item(store, lane="urgent")
    record(store, EventKind.INSTRUCTION, item_id=urgent.id, facts={"level": "city"})
    record(store, EventKind.INSTRUCTION, item_id=urgent.id, facts={"urgent_major": False})
    found = [e.urgent_major for e in events(store) if e.kind is EventKind.INSTRUCTION]
    assert found == [True, False]


# --- what reaches back, and forward


def test_earlier_events_about_the_same_item_come_along(store: SqlStore) -> None:
    about, other = (
        item(store, t, received=NOON - timedelta(days=50), month=date(2026, 6, 1)) for t in "一二"
    )
    record(store, item_id=about.id, day=date(2026, 6, 25), facts={"journal": "zx"})
    record(store, item_id=other.id, day=date(2026, 6, 26), facts={"journal": "zx"})
    record(store, item_id=about.id, day=date(2026, 9, 2), facts={"journal": "mryq"})
    found = [(e.kind, e.journal) for e in events(store)]
    assert found == [
        (EventKind.SUBMISSION, ""),
        (EventKind.ADOPTION, "zx"),
        (EventKind.ADOPTION, "mryq"),
    ]
    assert bulk(store) == events(store)


def test_status_and_tasks_hold_on(store: SqlStore) -> None:
    long_ago = date(2024, 1, 1)
    record(store, EventKind.STATUS, facts={"status": "suspended"}, day=long_ago)
    record(store, EventKind.TASK, facts={"item": "t1", "due": "2026-08-31"}, day=long_ago)
    record(store, EventKind.TRAINING, facts={"times": 1}, day=long_ago)
    assert [e.kind for e in events(store)] == [EventKind.STATUS, EventKind.TASK]
    assert bulk(store) == events(store)


def test_an_explanation_given_later_comes_with_what_it_explains(store: SqlStore) -> None:
    missed = record(store, EventKind.COMMISSION, facts={"outcome": "missed"})
    after = Q3.last + timedelta(days=5)
    explained = {"about": f"record:{missed.id}", "accepted": True, "signer": "head"}
    record(store, EventKind.EXPLANATION, facts=explained, day=after)
    record(store, EventKind.EXPLANATION, facts={"about": "record:77"}, day=after)
    assert [e.kind for e in events(store)] == [EventKind.COMMISSION, EventKind.EXPLANATION]


def test_a_joint_event_is_each_partners(store: SqlStore) -> None:
    about = item(store)
    record(store, item_id=about.id, facts={"partners": [B]})
    record(store, EventKind.JOINT_RESEARCH, facts={"partners": ["third"]})
    assert [e.kind for e in events(store, B)] == [EventKind.ADOPTION]
    assert len(events(store, A)) == 3
    assert len(events(store, None)) == 3


# --- bulk and one by one


def test_like_submissions_are_taken_together_apart_at_the_cuts(store: SqlStore) -> None:
    for day in (1, 5, 14, 15, 31):
        received = datetime(2026, 8, day, 0, 0, tzinfo=SHANGHAI)
        item(store, str(day), received=received)
    assert [e.times for e in bulk(store)] == [5]
    (before, after) = bulk(store, date(2026, 8, 15))
    assert (before.times, after.times) == (3, 2)
    assert before.day < date(2026, 8, 15) <= after.day
    assert len({e.id for e in bulk(store, date(2026, 8, 15))}) == 2


def test_an_item_somebody_recorded_something_about_stands_by_itself(store: SqlStore) -> None:
    adopted = item(store, "一")
    item(store, "二")
    item(store, "三")
    record(store, item_id=adopted.id, facts={"journal": "mryq"})
    found = [(e.kind, e.item, e.times) for e in bulk(store)]
    assert sorted(found) == [
        (EventKind.ADOPTION, adopted.receipt, 1),
        (EventKind.SUBMISSION, "", 2),
        (EventKind.SUBMISSION, adopted.receipt, 1),
    ]


HAPPENED = st.lists(
    st.tuples(
        st.sampled_from([A, B]),
        st.integers(0, 95),
        st.sampled_from(["brief", "problem"]),
        st.sampled_from(["item", "urgent", "task"]),
        st.booleans(),
        st.sampled_from(["", "adopted", "taken back", "commission"]),
    ),
    max_size=12,
)
DAYS = st.dates(date(2026, 6, 20), date(2026, 10, 15))


@settings(max_examples=30, deadline=None)
@given(happened=HAPPENED, cuts=st.lists(DAYS, max_size=3), span=st.tuples(DAYS, DAYS))
def test_bulk_is_the_same_as_one_by_one(
    happened: list[tuple[str, int, str, str, bool, str]],
    cuts: list[date],
    span: tuple[date, date],
) -> None:
    """By unit and whatever a rule may ask; and on the same side of every cut."""
    first, last = min(span), max(span)
    with tempfile.TemporaryDirectory() as folder:
        store = h.fresh(Path(folder))
        for n, (unit, days, category, lane, commissioned, what) in enumerate(happened):
            received = datetime(2026, 6, 28, 23, 30, tzinfo=SHANGHAI) + timedelta(days=days)
            one = item(
                store,
                str(n),
                unit_id=unit,
                received=received,
                month=received.date().replace(day=1),
                category=category,
                lane=lane,
                commissioned=commissioned,
            )
            if what:
                kind = EventKind.COMMISSION if what == "commission" else EventKind.ADOPTION
                facts = {"outcome": "done"} if what == "commission" else {"journal": "zx"}
                day = received.date() + timedelta(days=9)
                kept = record(store, kind, unit_id=unit, item_id=one.id, day=day, facts=facts)
                if what == "taken back":
                    reverse(store, kept.id)
        detailed = events(store, None, first, last)
        together = bulk(store, *cuts, first=first, last=last)
        store.close()
    assert counted(detailed, cuts) == counted(together, cuts)
    assert len({e.id for e in together}) == len(together)
    assert [e for e in detailed if e.kind is not EventKind.SUBMISSION] == [
        e for e in together if e.kind is not EventKind.SUBMISSION
    ]
    for one_by_one in detailed:
        assert one_by_one.day <= last


def counted(found: list[Event], cuts: list[date]) -> Counter[Any]:
    count: Counter[Any] = Counter()
    for e in found:
        side = tuple(e.day >= cut for cut in cuts)
        asked = (e.category, e.commissioned, e.follow_up, e.urgent_major)
        count[(e.unit, e.kind, e.day.replace(day=1), side, *asked)] += e.times
    return count


def test_a_years_submissions_are_counted_from_one_index(store: SqlStore) -> None:
    with h.noted(store) as seen:
        bulk(store, date(2026, 8, 15), first=date(2026, 1, 1), last=date(2026, 12, 31))
        events(store)
    whole = h.whole_reads(h.plans_of(store, seen))
    assert not [step for step in whole if step.startswith(("SCAN record", "SCAN item"))], whole
    (grouped,) = [asked for asked in seen if "GROUP BY" in asked[0]]
    plan = h.plan_of(store, grouped)
    assert any("ix_item_ledger" in step for step in plan), plan


def test_records_become_known_in_the_order_of_their_numbers(store: SqlStore) -> None:
    """Or who reads on from the last one seen would pass over the one that is committed later."""
    begun = threading.Event()

    def second() -> None:
        begun.set()
        record(store, reason="后登记的")

    with store.begin() as tx:
        tx.add_record(new_record(reason="先登记的"), "王五", NOON)
        thread = threading.Thread(target=second)
        thread.start()
        assert begun.wait(30)
        thread.join(0.3)
        with store.reading() as reads:
            assert reads.records_entered(OFFICE, 0, [EventKind.ADOPTION]) == []
    thread.join()
    with store.reading() as reads:
        found = reads.records_entered(OFFICE, 0, [EventKind.ADOPTION])
    assert [row.new.reason for row in found] == ["先登记的", "后登记的"]


# --- seals


def entry(**changes: Any) -> Entry:
    values: dict[str, Any] = {
        "unit": A,
        "day": date(2026, 8, 20),
        "rule": "adoption",
        "version": date(2022, 7, 6),
        "points": Decimal("30"),
        "document": "鄂前政办发〔2022〕65号",
        "clause": "二（四）1（2）",
        "text": "《每日要情》采用",
        "item": "EQ202608-0001",
        "events": ("record:1",),
    }
    return Entry(**(values | changes))


def new_seal(**changes: Any) -> NewSeal:
    values: dict[str, Any] = {
        "office": OFFICE,
        "period": Q3,
        "book_digest": "b" * 64,
        "ledger_digest": "c" * 64,
        "standings": {"office": OFFICE, "tables": [{"名": "第一组"}]},
        "entries": [entry()],
    }
    return NewSeal(**(values | changes))


def test_a_seal_keeps_standings_and_entries_word_for_word(store: SqlStore) -> None:
    entries = [
        entry(points=Decimal("0.10"), times=3, stars=2),
        entry(points=Decimal("0.20"), events=(), item=""),
        entry(unit=B, points=Decimal("-1E+1"), corrects="2026-Q2"),
    ]
    with store.begin() as tx:
        kept = tx.add_seal(new_seal(entries=entries), "王五", NOON)
    with store.reading() as reads:
        assert reads.seals(OFFICE) == [kept]
        assert (kept.period, kept.standings) == (Q3, new_seal().standings)
        assert (kept.who, kept.at) == ("王五", NOON)
        assert reads.seal_entries(kept.id) == entries
        assert reads.seal_entries(kept.id, B) == entries[2:]
        assert reads.seal_corrections(kept.id) == entries[2:]
        assert reads.seal_totals(kept.id) == {A: Decimal("0.30"), B: Decimal("-10")}
        assert reads.seals("laiwu") == []


def test_a_period_is_sealed_once(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.add_seal(new_seal(entries=[]), "王五", NOON)
    with pytest.raises(ValueError, match="already"), store.begin() as tx:
        tx.add_seal(new_seal(entries=[]), "王五", NOON)
    with store.begin() as tx:
        tx.add_seal(new_seal(office="laiwu"), "王五", NOON)
        tx.add_seal(new_seal(period=Q3.next()), "王五", NOON)


def test_seals_stand_by_period(store: SqlStore) -> None:
    with store.begin() as tx:
        for period in (Q3, Q3.previous()):
            tx.add_seal(new_seal(period=period), "王五", NOON)
    with store.reading() as reads:
        assert [s.period.code for s in reads.seals(OFFICE)] == ["2026-Q2", "2026-Q3"]


@pytest.mark.parametrize("table", ["record", "seal", "seal_entry"])
@pytest.mark.parametrize("change", ["UPDATE {0} SET id = id", "DELETE FROM {0}"])
def test_the_ledger_is_only_ever_added_to(store: SqlStore, table: str, change: str) -> None:
    record(store)
    with store.begin() as tx:
        tx.add_seal(new_seal(), "王五", NOON)
    with pytest.raises(IntegrityError, match="append-only"), store.writing() as db:
        db.execute(text(change.format(table)))
    assert len(events(store)) == 1


def test_every_write_of_the_ledger_leaves_its_line(store: SqlStore) -> None:
    one = record(store)
    reverse(store, one.id)
    with store.begin() as tx:
        tx.hold_ledger()
        tx.add_seal(new_seal(), "王五", NOON)
    with store.snapshot() as db:
        lines = db.execute(text("SELECT action, subject, who FROM audit ORDER BY id")).all()
    assert [tuple(line) for line in lines] == [
        ("record", "record:1", "王五"),
        ("record.reversed", "record:2", "赵六"),
        ("seal", "seal:otog:2026-Q3", "王五"),
    ]
