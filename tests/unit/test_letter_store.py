"""What the store keeps of letters of our own accord: once, whole, found by index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.db.queries import SqlReads
from mailbot.adapters.system import SHANGHAI
from mailbot.app.letter_records import (
    DraftFile,
    DraftRecipient,
    DraftState,
    DutyState,
    NewAppeal,
    NewDraft,
    NewDuty,
    NewToken,
)
from mailbot.app.records import Binding, ItemState, NewRecord, NewTask, OutboxState, Relation
from mailbot.core.rules.events import EventKind
from tests.unit import store_help as h
from tests.unit.store_help import ADDRESS, NOON, OFFICE

HOUR = timedelta(hours=1)
CLERK = "王芳芳"


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


def audits(store: SqlStore) -> list[tuple[str, str, str]]:
    with store.engine.connect() as db:
        rows = db.exec_driver_sql("select who, action, subject from audit order by id")
        return [(r[0], r[1], r[2]) for r in rows]


# --- duties


def duty(key: str = "reminder:otog:2026-08:first", **changes: Any) -> NewDuty:
    values: dict[str, Any] = {
        "key": key,
        "office": OFFICE,
        "letter": "reminder",
        "period": "2026-08",
        "stage": "first",
        "due": NOON,
        "state": DutyState.DONE,
        "why": "12 个单位未完成，已提醒信息员 11 封。",
        "detail": {"units": {"nongmu": {"outcome": "sent", "why": ""}}},
    }
    return NewDuty(**(values | changes))


def test_a_duty_is_settled_once_whatever_is_said_the_second_time(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.add_duty(duty(), NOON)
        assert not tx.add_duty(duty(state=DutyState.SKIPPED, why="别的"), NOON + HOUR)
        assert tx.add_duty(duty("reminder:otog:2026-08:last"), NOON)
    with store.begin() as tx:
        assert not tx.add_duty(duty(), NOON - HOUR)
    with store.reading() as reads:
        found = reads.duty(duty().key)
        assert found is not None
        assert (found.new, found.at) == (duty(), NOON)
        assert reads.duty("reminder:otog:2026-09:first") is None


def test_a_duty_goes_with_the_letters_it_was_settled_with(store: SqlStore) -> None:
    with pytest.raises(RuntimeError), store.begin() as tx:
        assert tx.add_duty(duty(), NOON)
        tx.queue(h.letter(1), NOON)
        raise RuntimeError("the power went")
    with store.begin() as tx:
        assert tx.add_duty(duty(), NOON)
    assert store.outbox.claim(NOON) is None


def test_duties_are_listed_by_when_they_were_settled(store: SqlStore) -> None:
    with store.begin() as tx:
        for n, hours in enumerate((3, 1, 2)):
            tx.add_duty(duty(f"d{n}"), NOON + hours * HOUR)
        tx.add_duty(duty("other", office="laiwu"), NOON + 2 * HOUR)
    with store.reading() as reads:
        assert [d.new.key for d in reads.duties(OFFICE, NOON + 2 * HOUR)] == ["d2", "d0"]


def test_the_last_duty_is_the_last_written_whatever_the_clock_said(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.add_duty(duty("a"), NOON)
        tx.add_duty(duty("b"), NOON - 3 * HOUR)
        tx.add_duty(duty("c", state=DutyState.SKIPPED), NOON)
        tx.add_duty(duty("d", letter="result"), NOON)
    with store.reading() as reads:
        last = reads.last_duty(OFFICE, "reminder")
        skipped = reads.last_duty(OFFICE, "reminder", DutyState.SKIPPED)
        assert last is not None and last.new.key == "b"
        assert skipped is not None and skipped.new.key == "c"
        assert reads.last_duty("laiwu", "reminder") is None


def test_an_office_is_in_service_since_its_start_was_noted(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.read.in_service_since(OFFICE) is None
        tx.add_duty(duty("start:otog", letter="start"), NOON)
        tx.add_duty(duty("start:otog", letter="start"), NOON + HOUR)
    with store.reading() as reads:
        assert reads.in_service_since(OFFICE) == NOON
        assert reads.in_service_since("laiwu") is None


# --- drafts


def recipient(key: str = "cover:nongmu:head", **changes: Any) -> DraftRecipient:
    values = {
        "kind": "cover",
        "unit_id": "nongmu",
        "role": "head",
        "name": "王甲",
        "address": "wangjia@example.org",
        "phone": "13800000000",
        "sms": "农牧局第三季度报送 12 条。",
    }
    return DraftRecipient(key, **(values | changes))


def draft(**changes: Any) -> NewDraft:
    values: dict[str, Any] = {
        "office": OFFICE,
        "letter": "circular",
        "period": "2026-Q3",
        "title": "关于2026年第三季度政务信息工作情况的通报",
        "digest": "d1",
        "summary": ("52 个单位报送 812 条。",),
        "flags": ("水利局主要负责人没有邮箱。",),
        "recipients": (recipient(), recipient("cover:shuili:head", unit_id="shuili", address="")),
        "files": (
            DraftFile("document", "通报.docx", b"PK\x00\x01"),
            DraftFile("x", "附.xlsx", b""),
        ),
    }
    return NewDraft(**(values | changes))


def test_a_draft_is_kept_with_all_it_shows(store: SqlStore) -> None:
    with store.begin() as tx:
        row = tx.add_draft(draft(), CLERK, NOON)
    assert (row.no, row.state, row.by, row.created) == (1, DraftState.DRAFT, CLERK, NOON)
    assert (row.summary, row.flags) == (draft().summary, draft().flags)
    with store.reading() as reads:
        assert reads.draft(row.id) == row
        assert tuple(reads.draft_recipients(row.id)) == draft().recipients
        assert tuple(reads.draft_files(row.id)) == draft().files
        assert reads.draft(row.id + 1) is None
    assert audits(store) == [(CLERK, "draft.added", f"draft:{row.id}")]


def test_a_newer_draft_takes_the_place_of_one_that_waits(store: SqlStore) -> None:
    with store.begin() as tx:
        first = tx.add_draft(draft(), CLERK, NOON)
        other = tx.add_draft(draft(period="2026-Q2"), CLERK, NOON)
        second = tx.add_draft(draft(digest="d2"), CLERK, NOON)
    assert (first.no, other.no, second.no) == (1, 1, 2)
    with store.reading() as reads:
        assert [d.id for d in reads.drafts(OFFICE, waiting=True)] == [second.id, other.id]
        assert [d.id for d in reads.drafts()] == [second.id, other.id, first.id]
        assert reads.drafts("laiwu") == []
        superseded = reads.draft(first.id)
    assert superseded is not None and superseded.state is DraftState.SUPERSEDED
    assert ("王芳芳", "draft.superseded", f"draft:{first.id}") in audits(store)
    with pytest.raises(ValueError, match="superseded"), store.begin() as tx:
        tx.decide_draft(first.id, DraftState.APPROVED, CLERK, NOON)


def test_an_approved_draft_is_not_taken_back_by_a_newer_one(store: SqlStore) -> None:
    with store.begin() as tx:
        first = tx.add_draft(draft(), CLERK, NOON)
        tx.decide_draft(first.id, DraftState.APPROVED, CLERK, NOON)
        tx.add_draft(draft(), CLERK, NOON)
        kept = tx.read.draft(first.id)
    assert kept is not None and kept.state is DraftState.APPROVED


def test_approval_keeps_who_when_number_and_the_signed_document(store: SqlStore) -> None:
    signed = DraftFile("document", "通报（签发）.docx", b"signed")
    with store.begin() as tx:
        row = tx.add_draft(draft(), CLERK, NOON)
        approved = tx.decide_draft(
            row.id,
            DraftState.APPROVED,
            "李乙",
            NOON + HOUR,
            number="鄂前政办发〔2026〕30号",
            issued=date(2026, 10, 12),
            files=(signed,),
        )
    assert (approved.state, approved.decided_by) == (DraftState.APPROVED, "李乙")
    assert (approved.number, approved.issued) == ("鄂前政办发〔2026〕30号", date(2026, 10, 12))
    with store.begin() as tx:
        sent = tx.decide_draft(row.id, DraftState.SENT, "mailbot", NOON + 2 * HOUR)
    assert sent == replace(approved, state=DraftState.SENT)
    with store.reading() as reads:
        assert sorted(reads.draft_files(row.id), key=lambda f: f.role) == [signed, draft().files[1]]
        assert reads.drafts(waiting=True) == []
    assert [a[:2] for a in audits(store)[1:]] == [
        ("李乙", "draft.approved"),
        ("mailbot", "draft.sent"),
    ]


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ([], DraftState.SENT),
        ([], DraftState.DRAFT),
        ([], DraftState.SUPERSEDED),
        ([DraftState.REJECTED], DraftState.APPROVED),
        ([DraftState.APPROVED], DraftState.APPROVED),
        ([DraftState.APPROVED], DraftState.REJECTED),
        ([DraftState.APPROVED, DraftState.SENT], DraftState.SENT),
    ],
)
def test_any_other_step_is_refused_and_leaves_no_trace(
    store: SqlStore, steps: list[DraftState], refused: DraftState
) -> None:
    with store.begin() as tx:
        row = tx.add_draft(draft(), CLERK, NOON)
        for step in steps:
            row = tx.decide_draft(row.id, step, CLERK, NOON, why="核对过")
    before = audits(store)
    with pytest.raises(ValueError, match="draft"), store.begin() as tx:
        tx.decide_draft(row.id, refused, "李乙", NOON, files=draft().files)
    with pytest.raises(ValueError, match="not there"), store.begin() as tx:
        tx.decide_draft(row.id + 7, DraftState.APPROVED, "李乙", NOON)
    with store.reading() as reads:
        assert reads.draft(row.id) == row
    assert audits(store) == before


def test_two_recipients_of_one_key_are_our_bug(store: SqlStore) -> None:
    with pytest.raises(IntegrityError), store.begin() as tx:
        tx.add_draft(draft(recipients=(recipient(), recipient())), CLERK, NOON)
    with store.reading() as reads:
        assert reads.drafts() == []


# --- letters and bounces


def bounce(store: SqlStore, uid: int, *letters: int, at: datetime = NOON, late: Any = None) -> int:
    """A delivery failure about letters of ours, received at `at` and looked at `late` or then."""
    with store.begin() as tx:
        tx.register([h.envelope(uid, at)], "internaldate", at)
        inbound_id = max(r.id for r in tx.read.pending("box"))
        tx.decide(h.decided(inbound_id, "ignore", unit_id=None), h.mail(uid), late or at)
        for letter in letters:
            tx.link(inbound_id, Relation.BOUNCE, to_outbox=letter)
    return inbound_id


def queue(store: SqlStore, *numbers: int, **changes: Any) -> list[int]:
    with store.begin() as tx:
        return [tx.queue(h.letter(n, **changes), NOON) for n in numbers]


def test_letters_of_a_draft_are_shown_with_what_became_of_them(store: SqlStore) -> None:
    first, second = queue(store, 1, 2, kind="cover", about="draft:1", unit_id="nongmu", role="head")
    queue(store, 3, about="draft:11")
    store.outbox.claim(NOON)
    store.outbox.dot(first, NOON)
    store.outbox.sent(first, "250 ok", NOON + HOUR)
    later = bounce(store, 8, first, at=NOON + 3 * HOUR)
    early = bounce(store, 9, first, at=NOON + 2 * HOUR)
    with store.reading() as reads:
        one, two = reads.letters_about("draft:1")
        assert reads.letters_about("") == []
    assert later < early
    assert (one.id, one.unit_id, one.role, one.kind) == (first, "nongmu", "head", "cover")
    assert (one.state, one.finished) == (OutboxState.SENT, NOON + HOUR)
    assert (one.bounced, one.bounced_by) == (NOON + 2 * HOUR, early)
    assert (two.id, two.state, two.bounced) == (second, OutboxState.READY, None)


def test_a_bounce_is_told_in_the_span_in_which_it_was_looked_at(store: SqlStore) -> None:
    (one, two) = queue(store, 1, 2)
    (other,) = queue(store, 3, office="laiwu")
    bounce(store, 7, one, two, other, at=NOON, late=NOON + 2 * HOUR)
    bounce(store, 8, one, at=NOON + 5 * HOUR)
    with store.reading() as reads:

        def told(office: str, first: int, last: int) -> list[int]:
            return [x.id for x in reads.bounces(office, NOON + first * HOUR, NOON + last * HOUR)]

        assert told(OFFICE, 0, 2) == []
        assert told(OFFICE, 2, 3) == [one, two]
        assert told("laiwu", 2, 3) == [other]
        assert told(OFFICE, 5, 6) == [one]
        assert told(OFFICE, 0, 9) == [one, two]


def test_other_links_to_a_letter_are_no_bounce(store: SqlStore) -> None:
    (one,) = queue(store, 1)
    with store.begin() as tx:
        (inbound_id,) = h.arrive(tx)
        tx.decide(h.decided(inbound_id), h.mail(), NOON)
        tx.link(inbound_id, Relation.REPLY, to_outbox=one)
    with store.reading() as reads:
        assert reads.bounces(OFFICE, NOON - HOUR, NOON + HOUR) == []


# --- items, mail, answers


def item_of(store: SqlStore, uid: int, title: str, *, kind: str = "accept", **changes: Any) -> str:
    with store.begin() as tx:
        (inbound_id,) = h.arrive(tx, 1, uid)
        item = tx.add_item(h.new_item(title, **changes), inbound_id, "EQ", NOON)
        tx.decide(h.decided(inbound_id, kind), h.mail(uid), NOON + uid * h.minutes(1))
    return item.receipt


def test_a_units_items_are_those_of_its_months_in_any_state(store: SqlStore) -> None:
    july = date(2026, 7, 1)
    late = item_of(store, 1, "乙", received=NOON + HOUR)
    early = item_of(store, 2, "甲", state=ItemState.RETURNED)
    moved = item_of(store, 3, "丙", month=july)
    item_of(store, 4, "丁", unit_id="shuili")
    item_of(store, 5, "戊", unit_id=None)
    with store.reading() as reads:

        def found(first: date, last: date) -> list[str]:
            return [i.receipt for i in reads.unit_items(OFFICE, "jiaotiju", first, last)]

        assert found(date(2026, 8, 1), date(2026, 8, 31)) == [early, late]
        assert found(date(2026, 8, 20), date(2026, 8, 20)) == [early, late]
        assert found(july, date(2026, 8, 1)) == [early, moved, late]
        assert found(date(2026, 9, 1), date(2026, 9, 30)) == []


def test_open_items_are_the_returned_and_the_held(store: SqlStore) -> None:
    held = item_of(store, 1, "甲", state=ItemState.HELD, received=NOON + HOUR)
    back = item_of(store, 2, "乙", state=ItemState.RETURNED)
    other = item_of(store, 3, "丙", state=ItemState.RETURNED, unit_id=None)
    item_of(store, 4, "丁")
    item_of(store, 5, "戊", state=ItemState.RETURNED, received=NOON - 9 * HOUR)
    with store.reading() as reads:
        own = reads.open_items(OFFICE, "jiaotiju", NOON)
        assert [i.receipt for i in own] == [back, held]
        assert [i.receipt for i in reads.open_items(OFFICE, None, NOON)] == [back, other, held]
        assert reads.open_items("laiwu", None, NOON) == []


def test_mail_is_listed_as_decided_between_two_moments(store: SqlStore) -> None:
    receipt = item_of(store, 1, "春耕备耕")
    item_of(store, 2, "水利", state=ItemState.RETURNED, kind="return")
    with store.reading() as reads:
        both = reads.mail_lines(OFFICE, NOON, NOON + HOUR)
        first = reads.mail_lines(OFFICE, NOON, NOON + h.minutes(2))
        assert reads.mail_lines("laiwu", NOON, NOON + HOUR) == []
    assert [(m.kind, m.titles) for m in both] == [("accept", ("春耕备耕",)), ("return", ("水利",))]
    (line,) = first
    assert (line.receipts, line.unit_id, line.from_addr) == ((receipt,), "jiaotiju", ADDRESS)
    assert line.reasons == ("四项齐全。",)


def test_only_the_newest_decision_counts(store: SqlStore) -> None:
    item_of(store, 1, "春耕备耕", kind="hold")
    with store.begin() as tx:
        tx.decide(h.decided(1, "accept", reasons=("人工放行。",)), h.mail(1), NOON + HOUR)
    with store.reading() as reads:
        assert reads.mail_lines(OFFICE, NOON, NOON + HOUR) == []
        (line,) = reads.mail_lines(OFFICE, NOON, NOON + 2 * HOUR)
    assert (line.kind, line.reasons) == ("accept", ("人工放行。",))


def test_a_mail_whose_secrets_mark_was_found_late_shows_nothing_of_it(store: SqlStore) -> None:
    receipt = item_of(store, 1, "某机密工程进展")
    with store.begin() as tx:
        secret = h.decided(1, "quarantine", reasons=("发现疑似密级标志。",), sender=ADDRESS)
        tx.decide(secret, None, NOON + HOUR)
    with store.reading() as reads:
        (line,) = reads.mail_lines(OFFICE, NOON, NOON + 2 * HOUR)
    assert (line.kind, line.titles, line.receipts) == ("quarantine", (), (receipt,))
    assert "机密工程" not in repr(line)


def test_what_came_once_more_is_listed_with_the_number_it_has(store: SqlStore) -> None:
    receipt = item_of(store, 1, "春耕备耕")
    with store.begin() as tx:
        (again,) = h.arrive(tx, 1, 2)
        tx.decide(h.decided(again), h.mail(2), NOON + HOUR)
        tx.link(again, Relation.RESEND, to_item=1)
        tx.queue(h.letter(2, kind="repeat", inbound_id=again), NOON)
    store.outbox.claim(NOON)
    store.outbox.dot(1, NOON)
    store.outbox.sent(1, "250 ok", NOON + 2 * HOUR)
    with store.reading() as reads:
        (line,) = reads.mail_lines(OFFICE, NOON + HOUR, NOON + 2 * HOUR)
        (answer,) = reads.answer_lines(OFFICE, NOON + 2 * HOUR, NOON + 3 * HOUR)
    assert (line.receipts, line.titles) == ((receipt,), ("",))
    assert (answer.kind, answer.receipt, answer.sent) == ("repeat", receipt, NOON + 2 * HOUR)


def test_answers_are_those_that_went_out_and_answer_mail(store: SqlStore) -> None:
    receipt = item_of(store, 1, "春耕备耕")
    queue(store, 1, inbound_id=1)
    queue(store, 2, kind="return")
    queue(store, 3, kind="reminder")
    queue(store, 4)
    for n in (1, 2, 3):
        store.outbox.claim(NOON)
        store.outbox.dot(n, NOON)
        store.outbox.sent(n, "250 ok", NOON + n * HOUR)
    with store.reading() as reads:
        lines = reads.answer_lines(OFFICE, NOON, NOON + 9 * HOUR)
        assert reads.answer_lines(OFFICE, NOON, NOON + HOUR) == []
    assert [(a.kind, a.receipt) for a in lines] == [("acknowledgement", receipt), ("return", "")]
    assert (lines[0].recipient, lines[0].subject) == (ADDRESS, "回执 1")


def test_many_mails_are_listed_whole(store: SqlStore) -> None:
    with store.begin() as tx:
        for n in h.arrive(tx, 1203):
            tx.add_item(h.new_item(f"第{n}条"), n, "EQ", NOON)
            tx.decide(h.decided(n), h.mail(n), NOON)
    with store.reading() as reads:
        lines = reads.mail_lines(OFFICE, NOON, NOON + HOUR)
    assert [m.titles for m in lines] == [(f"第{m.inbound_id}条",) for m in lines]
    assert len(lines) == 1203


# --- people, records, objections, codes


def test_only_bound_addresses_speak_for_a_unit(store: SqlStore) -> None:
    with store.begin() as tx:
        for address, state in (("b@x.example", "bound"), ("a@x.example", "bound")):
            tx.add_binding(OFFICE, Binding(address, "nongmu", state), CLERK, NOON)
        tx.add_binding(OFFICE, Binding("c@x.example", "nongmu", "proposed"), CLERK, NOON)
        tx.add_binding("laiwu", Binding("d@x.example", "nongmu", "bound"), CLERK, NOON)
    with store.reading() as reads:
        assert [b.address for b in reads.bound_addresses(OFFICE)] == ["a@x.example", "b@x.example"]


def test_what_waits_for_a_person(store: SqlStore) -> None:
    with store.begin() as tx:
        for n, office in enumerate((OFFICE, "laiwu", OFFICE)):
            tx.add_task(NewTask(office, "look", f"第{n}件"), NOON + n * HOUR)
    with store.reading() as reads:
        assert reads.open_tasks(OFFICE) == [
            ("look", "第0件", NOON),
            ("look", "第2件", NOON + 2 * HOUR),
        ]


def adoption(unit: str = "jiaotiju", **changes: Any) -> NewRecord:
    facts = {"journal": "mryq", "form": "full"}
    values: dict[str, Any] = {"day": date(2026, 8, 3), "facts": facts}
    return NewRecord(OFFICE, EventKind.ADOPTION, unit, **(values | changes))


def test_records_are_found_by_when_they_were_entered_not_by_their_day(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.add_record(adoption(day=date(2026, 8, 9)), CLERK, NOON)
        tx.add_record(adoption(day=date(2025, 1, 9)), CLERK, NOON)
        tx.add_record(replace(adoption(), office="laiwu"), CLERK, NOON)
        tx.add_record(replace(adoption(), kind=EventKind.FILING, facts={}), CLERK, NOON)
        taken_back = NewRecord(
            OFFICE, EventKind.ADOPTION, "", NOON.date(), reason="录错", reverses=2
        )
        tx.add_record(taken_back, CLERK, NOON)
    with store.reading() as reads:
        kinds = (EventKind.ADOPTION, EventKind.INSTRUCTION)
        found = [(r.id, r.reversed_by) for r in reads.records_entered(OFFICE, 1, kinds)]
        assert found == [(2, 5), (5, None)]
        assert len(reads.records_entered(OFFICE, 0, kinds)) == 3
        assert reads.records_entered(OFFICE, 9, kinds) == []


def test_an_objection_is_answered_once(store: SqlStore) -> None:
    receipt = item_of(store, 1, "春耕备耕")
    about = NewAppeal(OFFICE, "jiaotiju", receipt, inbound_id=1, item_id=1)
    with store.begin() as tx:
        opened = tx.add_appeal(about, NOON)
        other = tx.add_appeal(replace(about, unit_id="shuili", item_id=None), NOON + HOUR)
    assert (opened.new, opened.opened, opened.answer) == (about, NOON, "")
    assert (opened.from_addr, opened.subject) == (ADDRESS, "教体局+标题+张三+7622029")
    with store.begin() as tx:
        answered = tx.answer_appeal(opened.id, "已核实，予以更正。", CLERK, NOON + HOUR)
    assert (answered.answered_by, answered.answered_at) == (CLERK, NOON + HOUR)
    with store.reading() as reads:
        assert [a.id for a in reads.appeals(OFFICE)] == [opened.id, other.id]
        assert [a.id for a in reads.appeals(OFFICE, waiting=True)] == [other.id]
        assert reads.appeals(OFFICE, unit_id="jiaotiju") == [answered]
        assert reads.appeals(OFFICE, unit_id="jiaotiju", waiting=True) == []
        assert reads.appeal(99) is None
    for number, why in ((opened.id, "already"), (99, "not there")):
        with pytest.raises(ValueError, match=why), store.begin() as tx:
            tx.answer_appeal(number, "别的", CLERK, NOON)
    acts = [a for a in audits(store) if a[2] == f"appeal:{opened.id}"]
    assert [a[:2] for a in acts] == [("mailbot", "appeal.opened"), (CLERK, "appeal.answered")]


def test_a_code_is_used_once(store: SqlStore) -> None:
    code = NewToken("f" * 64, OFFICE, "approve", "draft:1", ADDRESS, NOON + HOUR)
    longer = replace(code, expires=NOON + 9 * HOUR)
    with store.begin() as tx:
        tx.add_token(code, NOON)
        tx.add_token(longer, NOON + HOUR)
        row = tx.read.token(code.digest)
        assert row is not None and (row.new, row.created, row.used) == (longer, NOON, None)
        assert tx.use_token("0" * 64, NOON) is None
    with store.begin() as tx:
        used = tx.use_token(code.digest, NOON + HOUR)
        assert used is not None and (used.new, used.used) == (longer, NOON + HOUR)
        assert tx.use_token(code.digest, NOON + HOUR) is None
        tx.add_token(code, NOON)
        assert tx.read.token(code.digest) == used, "a used code does not come back"


# --- plans

LOOK_UPS: dict[str, Callable[[SqlReads], Any]] = {
    "duty": lambda r: r.duty("k"),
    "duties": lambda r: r.duties(OFFICE, NOON),
    "last_duty": lambda r: r.last_duty(OFFICE, "digest"),
    "drafts_waiting": lambda r: r.drafts(waiting=True),
    "drafts_of_office": lambda r: r.drafts(OFFICE),
    "draft": lambda r: r.draft(1),
    "draft_recipients": lambda r: r.draft_recipients(1),
    "draft_files": lambda r: r.draft_files(1),
    "letters_about": lambda r: r.letters_about("draft:1"),
    "bounces": lambda r: r.bounces(OFFICE, NOON, NOON + HOUR),
    "unit_items": lambda r: r.unit_items(OFFICE, "a", NOON.date(), NOON.date()),
    "open_items": lambda r: r.open_items(OFFICE, None, NOON),
    "open_items_of_unit": lambda r: r.open_items(OFFICE, "a", NOON),
    "bound_addresses": lambda r: r.bound_addresses(OFFICE),
    "mail_lines": lambda r: r.mail_lines(OFFICE, NOON, NOON + HOUR),
    "answer_lines": lambda r: r.answer_lines(OFFICE, NOON, NOON + HOUR),
    "open_tasks": lambda r: r.open_tasks(OFFICE),
    "records_entered": lambda r: r.records_entered(OFFICE, 5, (EventKind.ADOPTION,)),
    "appeals": lambda r: r.appeals(OFFICE),
    "appeals_waiting": lambda r: r.appeals(OFFICE, waiting=True),
    "appeals_of_unit": lambda r: r.appeals(OFFICE, unit_id="a"),
    "appeal": lambda r: r.appeal(1),
    "token": lambda r: r.token("d"),
}
BY = {
    "mail_lines": "ix_inbound_office_decided_at",
    "bounces": "ix_inbound_decided_at",
    "answer_lines": "ix_outbox_office_state_finished",
    "letters_about": "ix_outbox_about_id",
    "open_items": "ix_item_office_received",
    "records_entered": "ix_record_office_id",
}
"""What grows for ever is found by what it is asked for, not by its office alone."""


@pytest.mark.parametrize("name", LOOK_UPS)
def test_no_look_up_reads_a_whole_table(store: SqlStore, name: str) -> None:
    item_of(store, 1, "春耕备耕", received=NOON)
    (one,) = queue(store, 1, inbound_id=1, about="draft:1")
    store.outbox.claim(NOON)
    store.outbox.dot(one, NOON)
    store.outbox.sent(one, "250 ok", NOON)
    bounce(store, 7, one, at=NOON)
    with store.reading() as reads, h.noted(store) as seen:
        LOOK_UPS[name](reads)
    plans = h.plans_of(store, seen)
    assert not h.whole_reads(plans), plans
    if store.engine.dialect.name == "sqlite":  # which has counted nothing, and goes by its rules
        assert BY.get(name, "") in " ".join(plans), plans


def test_times_come_back_in_shanghai(store: SqlStore) -> None:
    utc = datetime.fromisoformat("2026-08-31T16:30:00+00:00")
    with store.begin() as tx:
        tx.add_duty(duty(due=utc), utc)
    with store.reading() as reads:
        found = reads.duty(duty().key)
    assert found is not None
    assert found.at == utc and found.at.tzinfo == SHANGHAI and found.new.due.day == 1
