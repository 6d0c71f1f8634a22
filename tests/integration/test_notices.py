"""A circular's way from draft to heads, on a real database: what was shown is what goes out, once,
to exactly those shown, or nothing goes out at all."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from docx import Document as Word
from openpyxl import load_workbook

from mailbot.adapters.db.engine import open_store
from mailbot.adapters.word.gongwen import DRAFT_MARK
from mailbot.app.errors import OperatorFault
from mailbot.app.letter_records import DraftState, DutyState, NewDuty
from mailbot.app.notices.addressing import message
from mailbot.app.notices.approval import AUTOMATIC
from mailbot.app.notices.refusals import NotDecided, told
from mailbot.app.notices.sending import Delivery, progress
from mailbot.app.notices.sms import messages
from mailbot.app.records import ItemState, OutboxState, Relation
from mailbot.app.scoring import NotScored
from mailbot.cli.noticeshown import counts
from mailbot.core.duties.model import LetterBook, Part, Section
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.scorebook import Consequence, ListKind, ListRule, ListVersion
from mailbot.core.subject.roster import Contact
from tests.integration.notice_help import (
    CIRCULAR,
    DOCUMENT,
    OCTOBER,
    OFFICE,
    UNITS,
    Bureau,
    finished,
    names,
    noon,
    office,
    text,
    to,
)
from tests.unit import rules_help as r
from tests.unit import store_help as h

Q2, Q3, Q4 = (Period.parse(f"2026-Q{n}") for n in (2, 3, 4))
NUMBER = "某办通〔2026〕12号"


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    bureau = filled(Bureau(tmp_path))
    yield bureau
    bureau.store.close()


@pytest.fixture
def either_bureau(tmp_path: Path, database: str) -> Iterator[Bureau]:
    """On either kind of database."""
    bureau = filled(Bureau(tmp_path, store=open_store(database)))
    yield bureau
    bureau.store.close()


def filled(bureau: Bureau) -> Bureau:
    bureau.item("2026-07-06", "a")
    bureau.item("2026-08-06", "a")
    bureau.item("2026-09-07", "a", "problem")
    bureau.item("2026-08-07", "b")
    return bureau


def refused(code: str, call: object, *args: object, **more: object) -> NotDecided:
    with pytest.raises(NotDecided) as caught:
        call(*args, **more)  # type: ignore[operator]
    assert caught.value.code == code
    found, remedy = told(caught.value)
    assert found and remedy, "it says what was found and what to do"
    return caught.value


def words_of(docx: bytes) -> str:
    """All text of a Word document, tables and foot included."""
    xml = zipfile.ZipFile(io.BytesIO(docx)).read("word/document.xml").decode()
    return "".join(re.findall(r"<w:t[^>]*>([^<]*)</w:t>", xml))


# --- the draft


def test_a_draft_says_who_gets_what_and_what_is_unusual(bureau: Bureau) -> None:
    row = bureau.draft(Q3)
    assert (row.id, row.state, row.title) == (
        1,
        DraftState.DRAFT,
        "某办关于2026年第三季度政务信息工作的通报",
    )
    with bureau.store.reading() as reads:
        recipients = {x.key: (x.kind, x.address) for x in reads.draft_recipients(1)}
        roles = {f.role: f.name for f in reads.draft_files(1)}
    assert recipients == {
        "cover:a:head": ("cover", "a.head@example.org"),
        "cover:b:head": ("cover", ""),
        "cover:c:head": ("cover", ""),
        "cover:d:head": ("cover", ""),
        "own:silent:b:head": ("own", ""),
        "own:silent:c:head": ("own", ""),
        "own:silent:d:head": ("own", ""),
        "reader:1": ("reader", "reader@example.org"),
        "reader:2": ("reader", ""),
    }
    assert set(roles) == {
        *("document", "standings", "facts"),
        *(f"own:silent:{unit}" for unit in "bcd"),
    }
    assert roles["own:silent:b"] == "零报送单位告知书（b局）.docx"
    flags = "\n".join(row.flags)
    assert "b局主要负责人李乙；c局主要负责人赵丙；d局主要负责人" in flags
    assert "吴某旗长" in flags
    assert "末位" in flags or "通报批评" in flags, "c and d tie for the last place"
    assert "没有手机号、收不到短信的单位：b局、d局" in flags


def test_the_draft_mail_brings_a_code_to_approvers_only(bureau: Bureau) -> None:
    bureau.draft(Q3)
    mails = {str(m["To"]): m for m in bureau.mails()}
    assert set(mails) == {"staff@example.org", "boss@example.org"}
    code = re.search(r"\b[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}\b", text(mails["boss@example.org"]))
    assert code is not None
    assert not re.search(
        r"\b[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}\b", text(mails["staff@example.org"])
    )
    digest = hashlib.sha256(code[0].replace("-", "").encode()).hexdigest()
    with bureau.store.reading() as reads:
        token = reads.token(digest)
    assert token is not None
    assert (token.new.subject, token.new.address) == ("draft:1", "boss@example.org")
    assert token.new.expires == OCTOBER + timedelta(days=30)
    assert sorted(names(mails["boss@example.org"])) == [
        "第1号草稿 2026年第三季度成绩表.xlsx",
        "第1号草稿 某办关于2026年第三季度政务信息工作的通报.docx",
    ]


def test_without_staff_the_draft_goes_to_the_mailbox_itself(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, office(staff=(), approvers=()))
    bureau.item("2026-07-06")
    bureau.draft(Q3)
    assert to(bureau.mails()) == ["xinxi@example.org"]


def test_a_quarter_without_any_data_is_drafted_and_loudly_flagged(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path)
    row = bureau.draft(Q3)
    assert row.flags[0].startswith("2026年第三季度没有任何登记")
    assert not any("并列" in flag for flag in row.flags)


def test_a_quarter_that_cannot_be_reckoned_is_not_drafted(bureau: Bureau) -> None:
    bureau.record("2026-08-10", "manual", rule="byhand", points="11")
    with pytest.raises(NotScored) as caught:
        bureau.draft(Q3)
    assert caught.value.code == "unscorable"
    with pytest.raises(NotScored) as caught:
        bureau.draft(Period.parse("2027-Q1"))
    assert caught.value.code == "not_begun"


def test_nobody_has_an_address(tmp_path: Path) -> None:
    nobody = tuple(replace(u, contacts=()) for u in UNITS)
    bureau = Bureau(tmp_path, office(replace(CIRCULAR, readers=False), nobody))
    bureau.item("2026-07-06")
    row = bureau.draft(Q3)
    assert any(f.startswith("所有收件人都没有可用的邮箱") for f in row.flags)
    bureau.mails()
    done = bureau.approval.approve(1, "王五", OCTOBER)
    assert (done.row.state, done.sealed, done.queued) == (DraftState.SENT, True, 0)
    assert bureau.mails() == []


# --- approval


def test_an_approved_notice_goes_to_exactly_those_shown_and_seals(either_bureau: Bureau) -> None:
    bureau = either_bureau
    bureau.draft(Q3)
    bureau.mails()
    done = bureau.approval.approve(1, "王五", OCTOBER, number=NUMBER, issued=date(2026, 10, 13))
    assert (done.row.state, done.sealed, done.queued) == (DraftState.SENT, True, 2)
    assert bureau.standings(Q3).sealed
    mails = {str(m["To"]): m for m in bureau.mails()}
    assert set(mails) == {"a.head@example.org", "reader@example.org"}
    cover = mails["a.head@example.org"]
    document, statement = names(cover)
    assert document.endswith("通报.docx") and statement == "a局2026年第三季度得分明细.xlsx"
    assert "王甲" in text(cover) and "7" in text(cover)
    attached = next(iter(cover.iter_attachments())).get_content()
    assert attached == bureau.file(1, "document")
    words = words_of(attached)
    assert NUMBER in words and "2026年10月13日" in words
    rows = load_workbook(io.BytesIO(bureau.file(1, "statement:a"))).active
    assert rows is not None and rows.max_row >= 4
    assert names(mails["reader@example.org"]) == [document]
    with bureau.store.reading() as reads:
        found = {d.to.key: d.letter.state if d.letter else None for d in progress(reads, 1)}
    assert found["cover:a:head"] is OutboxState.SENT
    assert found["cover:b:head"] is None


def test_a_draft_without_number_and_date_leaves_them_open(bureau: Bureau) -> None:
    bureau.draft(Q3)
    assert "〔2026〕" not in words_of(bureau.file(1, "document"))
    bureau.approval.approve(1, "王五", OCTOBER)
    assert "2026年10月12日" in words_of(bureau.file(1, "document")), "the day of the approval"


def test_facts_that_changed_since_stop_the_approval_and_make_a_new_draft(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.mails()
    bureau.record("2026-09-20", unit="b", on="2026-10-12")
    refusal = refused("stale", bureau.approval.approve, 1, "王五", OCTOBER)
    assert refusal.found == "2"
    assert "b局：名次 2 变为 1" in "".join(refusal.choices)
    assert bureau.row(1).state is DraftState.SUPERSEDED
    fresh = bureau.row(2)
    assert (fresh.state, fresh.by) == (DraftState.DRAFT, "mailbot")
    assert fresh.flags[0].startswith("与第 1 号草稿相比：") and "b局" in fresh.flags[0]
    assert to(bureau.mails()) == ["boss@example.org", "staff@example.org"]
    assert not bureau.standings(Q3).sealed
    refused("superseded", bureau.approval.approve, 1, "王五", OCTOBER)
    assert bureau.approval.approve(2, "王五", OCTOBER).sealed


def test_a_head_s_new_address_since_the_draft_stops_the_approval(bureau: Bureau) -> None:
    bureau.draft(Q3)
    b = replace(UNITS[1], contacts=(Contact("head", "李乙", "", "b.head@example.org"),))
    bureau.use(office(units=(UNITS[0], b, *UNITS[2:])))
    refusal = refused("stale", bureau.approval.approve, 1, "王五", OCTOBER)
    assert any("b.head@example.org" in change for change in refusal.choices)
    assert bureau.approval.approve(2, "王五", OCTOBER).queued == 4


def test_something_unusual_that_came_up_since_stops_the_approval(bureau: Bureau) -> None:
    bureau.draft(Q3)
    late = bureau.item("2026-09-29", "b", state=ItemState.HELD)
    refusal = refused("stale", bureau.approval.approve, 1, "王五", OCTOBER)
    assert late.receipt in "".join(refusal.choices)
    # And what is no longer unusual stops nothing.
    bureau.state(late, ItemState.DUPLICATE, "2026-10-12")
    assert bureau.approval.approve(2, "王五", OCTOBER).sealed


def test_the_same_draft_is_good_on_another_day(bureau: Bureau) -> None:
    bureau.draft(Q3)
    assert bureau.approval.approve(1, "王五", OCTOBER + timedelta(days=9)).sealed


def test_two_people_approve_at_once(either_bureau: Bureau) -> None:
    bureau = either_bureau
    bureau.draft(Q3)
    bureau.mails()
    results: list[object] = []

    def approve(who: str) -> None:
        try:
            results.append(bureau.approval.approve(1, who, OCTOBER))
        except NotDecided as refusal:
            results.append(refusal)

    threads = [threading.Thread(target=approve, args=(who,)) for who in ("王五", "赵六")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refusals = [x for x in results if isinstance(x, NotDecided)]
    assert [x.code for x in refusals] == ["not_draft"]
    assert refusals[0].choices[0] == bureau.row(1).decided_by
    assert len(bureau.mails()) == 2
    with bureau.store.reading() as reads:
        assert len(reads.seals(OFFICE)) == 1


def test_approving_and_sending_twice_sends_once(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.mails()
    bureau.approval.approve(1, "王五", OCTOBER)
    refused("not_draft", bureau.approval.approve, 1, "赵六", OCTOBER)
    refused("sent", bureau.approval.send, 1, "赵六", OCTOBER)
    assert len(bureau.mails()) == 2
    refused("sent", bureau.draft, Q3)


def test_a_rejected_draft_is_drafted_anew_by_hand_only(bureau: Bureau) -> None:
    bureau.draft(Q3)
    refused("no_reason", bureau.approval.reject, 1, "王五", "  ", OCTOBER)
    assert bureau.approval.reject(1, "王五", "数字不对", OCTOBER).why == "数字不对"
    refused("not_draft", bureau.approval.approve, 1, "王五", OCTOBER)
    refused("not_approved", bureau.approval.send, 1, "王五", OCTOBER)
    with bureau.store.reading() as reads:
        (due,) = bureau.runner.occurrences(
            reads, bureau.book, noon("2026-10-01"), noon("2026-10-31")
        )
        assert bureau.runner.prepare(reads, bureau.book, due, OCTOBER).state is DutyState.SKIPPED
    fresh = bureau.draft(Q3, who="王五")
    assert (fresh.id, fresh.no, fresh.by) == (2, 2, "王五")
    refused("same", bureau.draft, Q3)
    assert bureau.approval.approve(2, "王五", OCTOBER).sealed


def test_sealed_meanwhile_with_the_same_facts(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.seal(Q3, "2026-10-12")
    done = bureau.approval.approve(1, "王五", OCTOBER)
    assert (done.row.state, done.sealed) == (DraftState.SENT, False)


def test_sealed_meanwhile_with_other_facts(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.item("2026-09-30", "b")
    bureau.seal(Q3, "2026-10-12")
    refused("stale", bureau.approval.approve, 1, "王五", OCTOBER)
    # What is recorded after the seal is another quarter's: the draft holds.
    bureau.record("2026-09-20", unit="b", on="2026-10-13")
    assert bureau.approval.approve(2, "王五", OCTOBER + timedelta(days=2)).queued == 2


def test_an_earlier_open_quarter_is_flagged_and_keeps_the_approval_back(bureau: Bureau) -> None:
    bureau.item("2026-05-06", "a")
    row = bureau.draft(Q3)
    assert any("2026年第二季度还没有封账" in flag for flag in row.flags)
    with pytest.raises(NotScored) as caught:
        bureau.approval.approve(1, "王五", OCTOBER)
    assert caught.value.code == "earlier_open"
    assert bureau.row(1).state is DraftState.DRAFT
    bureau.seal(Q2, "2026-10-12")
    # The flag is gone, which stops nothing.
    assert bureau.approval.approve(1, "王五", OCTOBER).sealed


def test_a_running_quarter_may_be_drafted_but_not_sealed(bureau: Bureau) -> None:
    row = bureau.draft(Q3, noon("2026-09-20"))
    assert any("还没有结束" in flag for flag in row.flags)
    with pytest.raises(NotScored) as caught:
        bureau.approval.approve(1, "王五", noon("2026-09-20"))
    assert caught.value.code == "not_over"


@pytest.mark.parametrize(
    "number", ["某办通[2026]12号", "12号", "某办通〔2026〕12", "某 办〔2026〕1号"]
)
def test_a_number_that_is_none(bureau: Bureau, number: str) -> None:
    bureau.draft(Q3)
    refused("number", bureau.approval.approve, 1, "王五", OCTOBER, number=number)
    assert bureau.row(1).state is DraftState.DRAFT


def test_no_two_notices_have_one_number(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.approval.approve(1, "王五", OCTOBER, number=NUMBER)
    bureau.draft(Q4, noon("2027-01-11"))
    dated = {"number": NUMBER, "issued": date(2026, 12, 31)}
    refusal = refused(
        "number_used", bureau.approval.approve, 2, "王五", noon("2027-01-11"), **dated
    )
    assert refusal.choices == ("1",)


def test_a_number_of_another_year(bureau: Bureau) -> None:
    bureau.draft(Q3)
    number = NUMBER.replace("2026", "2019")
    refusal = refused("number_year", bureau.approval.approve, 1, "王五", OCTOBER, number=number)
    assert refusal.choices == ("2026",)
    assert bureau.row(1).state is DraftState.DRAFT


@pytest.mark.parametrize("issued", [date(2026, 9, 29), date(2062, 10, 13)])
def test_a_date_before_the_period_is_over_or_far_ahead(bureau: Bureau, issued: date) -> None:
    bureau.draft(Q3)
    refused("date", bureau.approval.approve, 1, "王五", OCTOBER, issued=issued)
    assert bureau.row(1).state is DraftState.DRAFT


def test_a_letter_goes_out_once_however_many_drafts_there_are_of_it(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.approval.approve(1, "王五", OCTOBER, send=False)
    bureau.item("2026-10-03", "b")
    second = bureau.draft(Q3)
    bureau.approval.reject(second.id, "王五", "先发第一份", OCTOBER)
    bureau.mails()
    bureau.approval.send(1, "王五", OCTOBER)
    refused("sent", bureau.draft, Q3)
    assert len(bureau.mails()) == 2


# --- the office's own document


def test_the_office_s_own_document_goes_out_in_place_of_ours(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.mails()
    own = Word(io.BytesIO(finished(bureau.exported(1))))
    own.add_paragraph("领导改过的一句话。")
    edited = io.BytesIO()
    own.save(edited)
    done = bureau.approval.approve(1, "王五", OCTOBER, document=edited.getvalue())
    assert done.notices == ()
    cover = next(m for m in bureau.mails() if m["To"] == "a.head@example.org")
    attached = next(iter(cover.iter_attachments()))
    assert attached.get_content() == edited.getvalue()


def test_a_pdf_is_attached_as_one(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.mails()
    done = bureau.approval.approve(1, "王五", OCTOBER, document=b"%PDF-1.7\n%%EOF\n")
    assert "没有核对" in "".join(done.notices)
    cover = next(m for m in bureau.mails() if m["To"] == "a.head@example.org")
    attached = next(iter(cover.iter_attachments()))
    assert attached.get_content_type() == "application/pdf"
    assert (attached.get_filename() or "").endswith(".pdf")


def zipped(**members: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return made.getvalue()


def with_macro(docx: bytes) -> bytes:
    made = io.BytesIO(docx)
    with zipfile.ZipFile(made, "a") as file:
        file.writestr("word/vbaProject.bin", b"x")
    return made.getvalue()


def test_what_is_no_document_is_refused(bureau: Bureau) -> None:
    bureau.draft(Q3)
    good = bureau.file(1, "document")
    for code, content in (
        ("document_kind", b""),
        ("document_kind", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)),
        ("document_kind", bureau.file(1, "standings")),
        ("document_kind", zipped(readme="x")),
        ("document_kind", b"<html>%PDF-1.7</html>"),
        ("document_marked", with_macro(good)),
        ("document_large", b"%PDF-1.7" + bytes(5_000_001)),
    ):
        refused(code, bureau.approval.approve, 1, "王五", OCTOBER, document=content)
    assert bureau.row(1).state is DraftState.DRAFT


def test_places_for_names_must_be_filled_in(tmp_path: Path) -> None:
    people = Section(Part.PEOPLE, "先进个人", number=10)
    document = replace(DOCUMENT, sections=(*DOCUMENT.sections, people))
    bureau = Bureau(tmp_path, office(replace(CIRCULAR, document=document)))
    bureau.item("2026-07-06")
    row = bureau.draft(Q3)
    assert any("“先进个人”要填写 10 个姓名" in flag for flag in row.flags)
    refused("unfilled", bureau.approval.approve, 1, "王五", OCTOBER)
    filled = finished(bureau.exported(1))
    assert bureau.approval.approve(1, "王五", OCTOBER, document=filled).sealed


def test_an_exported_draft_does_not_go_out_as_one(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.mails()
    raw = bureau.exported(1)
    refusal = refused(
        "document_draft", bureau.approval.approve, 1, "王五", OCTOBER, number=NUMBER, document=raw
    )
    assert DRAFT_MARK in refusal.found and "成文日期还空着" in refusal.found
    assert NUMBER in refusal.found
    # On even pages as well.
    half = Word(io.BytesIO(raw))
    half.sections[0].header.paragraphs[0].clear()
    saved = io.BytesIO()
    half.save(saved)
    refused(
        "document_draft", bureau.approval.approve, 1, "王五", OCTOBER, document=saved.getvalue()
    )
    # One day left open, and the number that it is to be known by not in it.
    open_day = finished(raw, date="2026年10月  日")
    refused("document_draft", bureau.approval.approve, 1, "王五", OCTOBER, document=open_day)
    bare = finished(raw)
    refused(
        "document_draft", bureau.approval.approve, 1, "王五", OCTOBER, number=NUMBER, document=bare
    )
    assert bureau.row(1).state is DraftState.DRAFT and bureau.mails() == []
    good = finished(raw, number=NUMBER)
    done = bureau.approval.approve(1, "王五", OCTOBER, number=NUMBER, document=good)
    assert (done.queued, done.notices) == (2, ())


def test_an_export_of_another_draft_is_recognised(bureau: Bureau) -> None:
    bureau.draft(Q3)
    old = finished(bureau.exported(1))
    bureau.record("2026-09-20", unit="b", on="2026-10-12")
    refused("stale", bureau.approval.approve, 1, "王五", OCTOBER)
    refusal = refused("document_other", bureau.approval.approve, 2, "王五", OCTOBER, document=old)
    assert "第 1 号" in str(refusal) and "第 2 号" in str(refusal)
    # What was approved and never sent is another draft's too.
    bureau.approval.approve(2, "王五", OCTOBER, send=False)
    bureau.draft(Q3)
    approved = bureau.exported(2)
    assert approved == bureau.file(2, "document"), "it is shown as it was approved"
    refused("document_other", bureau.approval.approve, 3, "王五", OCTOBER, document=approved)
    assert (
        bureau.approval.approve(3, "王五", OCTOBER, document=finished(bureau.exported(3))).queued
        == 2
    )


def test_a_document_of_nobody_knows_which_draft_is_taken_with_a_remark(bureau: Bureau) -> None:
    bureau.draft(Q3)
    own = Word()
    own.add_paragraph("某办通〔2026〕8号")
    own.add_paragraph("自己写的通报。")
    own.add_paragraph("收到日期")
    own.add_paragraph("　　年　　月　　日")
    saved = io.BytesIO()
    own.save(saved)
    done = bureau.approval.approve(
        1, "王五", OCTOBER, number=NUMBER, document=saved.getvalue(), send=False
    )
    said = "".join(done.notices)
    assert "不是从第 1 号草稿导出的" in said and NUMBER in said and "成文日期" in said


def test_a_broken_document_is_refused(bureau: Bureau) -> None:
    bureau.draft(Q3)
    broken = zipped(**{"[Content_Types]_xml": "<Types/>", "word__document_xml": "<w:document"})
    refused("document_broken", bureau.approval.approve, 1, "王五", OCTOBER, document=broken)
    twice = bureau.exported(1)
    assert bureau.drafting.papers.draft_traces(bureau.drafting.papers.noted(twice, 7)).draft == 7, (
        "a note takes the place of an earlier one"
    )


# --- sending again


def bounced(bureau: Bureau, outbox_id: int) -> None:
    with bureau.store.begin() as tx:
        (inbound,) = h.arrive(tx, first_uid=outbox_id)
        tx.decide(h.decided(inbound, "ignore", office=OFFICE), h.mail(), h.NOON)
        tx.link(inbound, Relation.BOUNCE, to_outbox=outbox_id)


def letter_to(bureau: Bureau, key: str) -> Delivery:
    with bureau.store.reading() as reads:
        return next(d for d in progress(reads, 1) if d.to.key == key)


def test_a_letter_that_came_back_goes_again_to_that_one_person(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.mails()
    refused("not_sent", bureau.resending.send, 1, "a", "王五", OCTOBER)
    bureau.approval.approve(1, "王五", OCTOBER, number=NUMBER)
    refused("no_again", bureau.resending.send, 1, "cover:a:head", "王五", OCTOBER)
    (first,) = (m for m in bureau.mails() if m["To"] == "a.head@example.org")
    refused("no_again", bureau.resending.send, 1, "a", "王五", OCTOBER)
    sent = letter_to(bureau, "cover:a:head").letter
    assert sent is not None
    bounced(bureau, sent.id)
    # What is recorded since is not in it.
    bureau.record("2026-09-20", unit="a", on="2026-10-13")
    done = bureau.resending.send(
        1, "a局", "王五", OCTOBER, address="a.new@example.org", why="原邮箱停用"
    )
    assert (done.to.key, done.number) == ("cover:a:head", 1)
    (again,) = bureau.mails()
    assert again["To"] == "a.new@example.org" and again["Subject"] == first["Subject"]
    assert text(again) == text(first)
    attached = [part.get_content() for part in first.iter_attachments()]
    assert [part.get_content() for part in again.iter_attachments()] == attached
    found = letter_to(bureau, "cover:a:head")
    assert [x.key for x in found.again] == ["notice:1:cover:a:head:again:1"]
    refused("no_again", bureau.resending.send, 1, "a", "王五", OCTOBER)
    with bureau.store.reading() as reads:
        assert counts(progress(reads, 1))["bounced"] == 0
    bounced(bureau, found.again[0].id)
    assert bureau.resending.send(1, "cover:a:head", "王五", OCTOBER).number == 2
    assert to(bureau.mails()) == ["a.new@example.org"], "the last address known"


def test_whoever_had_no_address_gets_the_letter_later(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.approval.approve(1, "王五", OCTOBER)
    bureau.mails()
    refused("no_address", bureau.resending.send, 1, "cover:b:head", "王五", OCTOBER)
    refused("which", bureau.resending.send, 1, "b", "王五", OCTOBER)
    refused("nobody", bureau.resending.send, 1, "教体局", "王五", OCTOBER)
    refused("nobody", bureau.resending.send, 1, "", "王五", OCTOBER)
    for wrong, code in (("not an address", "address"), ("A.head@example.org", "address_of")):
        refused(code, bureau.resending.send, 1, "cover:b:head", "王五", OCTOBER, address=wrong)
    for key in ("cover:b:head", "own:silent:b:head"):
        bureau.resending.send(1, key, "王五", OCTOBER, address="b.head@example.org")
    cover, own = bureau.mails()
    assert names(cover)[1] == "b局2026年第三季度得分明细.xlsx"
    assert names(own) == ["零报送单位告知书（b局）.docx"]


def test_two_people_send_again_at_once(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.approval.approve(1, "王五", OCTOBER)
    bureau.mails()
    outcomes: list[str] = []

    def send() -> None:
        try:
            bureau.resending.send(1, "cover:b:head", "王五", OCTOBER, address="b.head@example.org")
            outcomes.append("sent")
        except NotDecided as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["no_again"] * 3 + ["sent"]
    assert to(bureau.mails()) == ["b.head@example.org"]


# --- what the books may lack


def test_a_month_with_nothing_in_the_books_is_flagged_though_points_are_lost(
    tmp_path: Path,
) -> None:
    bureau = Bureau(tmp_path, office(replace(CIRCULAR, period=PeriodKind.MONTH, seals=False)))
    bureau.item("2026-05-06")
    row = bureau.draft(Period.parse("2026-09"))
    assert row.flags[0].startswith("2026年9月没有任何登记")
    bureau.item("2026-08-06")
    august = bureau.draft(Period.parse("2026-08"))
    assert not any("没有任何登记" in flag for flag in august.flags)


def test_a_notice_about_a_time_before_the_first_record_says_so(bureau: Bureau) -> None:
    assert "本系统自2026年7月1日起使用" in "".join(bureau.draft(Q3).flags)
    bureau.item("2026-06-30", "d")
    assert not any("起使用" in flag for flag in bureau.draft(Q3).flags)


def test_commissions_past_their_day_that_nobody_settled_are_named(bureau: Bureau) -> None:
    for title, due in (
        ("秋粮收购", "2026-09-10"),
        ("冬储安排", "2026-10-09"),
        ("已交的稿", "2026-09-11"),
    ):
        bureau.record("2026-08-03", "assignment", "b", title=title, due=due)
    bureau.record("2026-09-09", "commission", "b", title="已交的稿", outcome="done")
    (flag,) = (f for f in bureau.draft(Q3).flags if "约稿" in f)
    assert "1 项约稿已逾期" in flag and "b局“秋粮收购”（2026-09-10 到期）" in flag
    bureau.record("2026-09-20", "commission", "b", title="秋粮收购", outcome="missed")
    bureau.approval.reject(1, "王五", "登记了约稿的结果", OCTOBER)
    assert not any("约稿" in f for f in bureau.draft(Q3).flags)


def test_a_list_of_months_running_speaks_of_the_months_before(tmp_path: Path) -> None:
    version = ListVersion(r.START, r.BASIS, running=2)
    kinds = (PeriodKind.MONTH,)
    running = ListRule(
        "two", "连续两个月未报送", ListKind.NO_SUBMISSION, Consequence.NAME, kinds, (version,)
    )
    section = Section(Part.LISTS, "名单", lists=("two",))
    monthly = replace(
        CIRCULAR,
        period=PeriodKind.MONTH,
        seals=False,
        own=(),
        document=replace(DOCUMENT, sections=(section,)),
    )
    book = office(monthly)
    lists = (*book.scoring.lists, running)
    bureau = Bureau(tmp_path, replace(book, scoring=replace(book.scoring, lists=lists)))
    for day in ("2026-07-06", "2026-08-06", "2026-09-07"):
        bureau.item(day)
    told = {
        month: any(
            "本系统自2026年7月1日起使用" in flag for flag in bureau.draft(Period.parse(month)).flags
        )
        for month in ("2026-08", "2026-09")
    }
    assert told == {"2026-08": True, "2026-09": False}


def test_a_service_that_began_in_the_middle_proves_nothing_of_the_days_before(
    bureau: Bureau,
) -> None:
    bureau.item("2026-06-30", "d")
    start = NewDuty(f"start:{OFFICE}", OFFICE, "start", "", "", noon("2026-08-20"), DutyState.DONE)
    with bureau.store.begin() as tx:
        tx.add_duty(start, noon("2026-08-20"))
    assert "本系统自2026年8月20日起使用" in "".join(bureau.draft(Q3).flags)
    assert not any("起使用" in f for f in bureau.draft(Q4, noon("2027-01-11")).flags)


# --- sending


def test_killed_between_approval_and_sending(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    bureau.draft(Q3)
    bureau.mails()

    def killed(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("mailbot.app.notices.approval.composed", killed)
        with pytest.raises(KeyboardInterrupt):
            bureau.approval.approve(1, "王五", OCTOBER)
    assert bureau.row(1).state is DraftState.APPROVED
    assert bureau.standings(Q3).sealed
    assert bureau.mails() == []
    # What is recorded before it is sent does not get into what was approved.
    bureau.record("2026-09-20", unit="a", on="2026-10-13")
    done = bureau.approval.send(1, "王五", noon("2026-10-14"))
    assert (done.row.state, done.queued) == (DraftState.SENT, 2)
    cover = next(m for m in bureau.mails() if m["To"] == "a.head@example.org")
    attached = list(cover.iter_attachments())
    assert attached[1].get_content() == bureau.file(1, "statement:a")


def test_one_letter_that_cannot_be_written_stops_them_all(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.mails()
    folder = bureau.folder / "offices" / OFFICE / "templates" / "mail"
    folder.mkdir(parents=True)
    (folder / "reader.txt.j2").write_text("{{ letter.nothing_of_the_kind.at_all }}")
    bureau.use(bureau.book)
    refusal = refused("letter_failed", bureau.approval.approve, 1, "王五", OCTOBER)
    assert refusal.choices == ("周某副旗长",)
    assert "reader" in refusal.found
    assert bureau.row(1).state is DraftState.APPROVED
    assert bureau.mails() == []
    (folder / "reader.txt.j2").unlink()
    bureau.use(bureau.book)
    assert bureau.approval.send(1, "王五", OCTOBER).queued == 2


def test_a_bounce_is_tied_to_its_letter(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.mails()
    bureau.approval.approve(1, "王五", OCTOBER)
    bureau.mails()
    with bureau.store.reading() as reads:
        cover = next(d.letter for d in progress(reads, 1) if d.to.key == "cover:a:head")
    assert cover is not None and cover.bounced is None
    with bureau.store.begin() as tx:
        (inbound,) = h.arrive(tx)
        tx.decide(h.decided(inbound, "ignore", office=OFFICE), h.mail(), h.NOON)
        tx.link(inbound, Relation.BOUNCE, to_outbox=cover.id)
    with bureau.store.reading() as reads:
        found = progress(reads, 1)
    assert {d.to.key for d in found if d.letter and d.letter.bounced} == {"cover:a:head"}
    (back,) = (d.letter for d in found if d.letter and d.letter.bounced)
    assert back.bounced_by == inbound
    assert counts(found) == {
        "letters": 2,
        "without": 7,
        "sent": 1,
        "waiting": 0,
        "lost": 0,
        "bounced": 1,
    }


def test_only_the_newest_of_two_approved_ones_goes_out(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.approval.approve(1, "王五", OCTOBER, send=False)
    assert bureau.row(1).state is DraftState.APPROVED
    bureau.draft(Q3)
    bureau.approval.approve(2, "王五", OCTOBER, number=NUMBER, send=False)
    refused("superseded", bureau.approval.send, 1, "王五", OCTOBER)
    assert bureau.approval.send(2, "王五", OCTOBER).queued == 2


def test_a_later_correction_stands_in_the_next_notice(bureau: Bureau) -> None:
    bureau.draft(Q3)
    bureau.approval.approve(1, "王五", OCTOBER)
    bureau.record("2026-09-20", unit="a", on="2026-10-20")
    row = bureau.draft(Q4, noon("2027-01-11"))
    assert any("更正 1 笔：a局 +10 分（2026年第三季度）" in flag for flag in row.flags)
    assert "a局增加10分" in words_of(bureau.file(row.id, "document"))


def test_many_letters_are_queued_in_one_transaction(tmp_path: Path) -> None:
    units = tuple(
        r.unit(f"u{n}", contacts=(Contact("head", "", "", f"head{n}@example.org"),))
        for n in range(60)
    )
    bureau = Bureau(tmp_path, office(replace(CIRCULAR, own=()), units))
    bureau.item("2026-07-06", "u3")
    bureau.draft(Q3)
    bureau.mails()
    done = bureau.approval.approve(1, "王五", OCTOBER)
    assert done.queued == 61
    with bureau.store.reading() as reads:
        assert len({x.queued for x in reads.letters_about("draft:1") if x.kind != "draft"}) == 1


# --- as a duty


def test_the_calendar_drafts_once(bureau: Bureau) -> None:
    with bureau.store.reading() as reads:
        (due,) = bureau.runner.occurrences(
            reads, bureau.book, noon("2026-10-01"), noon("2026-10-31")
        )
        assert (due.about, due.due.date()) == ("2026-Q3", date(2026, 10, 8))
        prepared = bureau.runner.prepare(reads, bureau.book, due, OCTOBER)
    assert prepared.state is DutyState.DONE and prepared.draft is not None
    assert "将发 2 封，另有 7 人没有邮箱" in prepared.why
    bureau.draft(Q3)
    with bureau.store.reading() as reads:
        again = bureau.runner.prepare(reads, bureau.book, due, OCTOBER)
    assert (again.state, again.draft) == (DutyState.SKIPPED, None)
    assert "第 1 号草稿" in again.why


def test_a_period_sealed_by_hand_is_not_drafted_by_itself(bureau: Bureau) -> None:
    bureau.seal(Q3, "2026-10-06")
    with bureau.store.reading() as reads:
        (due,) = bureau.runner.occurrences(
            reads, bureau.book, noon("2026-10-01"), noon("2026-10-31")
        )
        skipped = bureau.runner.prepare(reads, bureau.book, due, OCTOBER)
    assert skipped.state is DutyState.SKIPPED
    assert "王五" in skipped.why and "mailbot notices draft" in skipped.why


def test_a_letter_with_nobody_to_name_is_passed_over(tmp_path: Path) -> None:
    section = Section(Part.LISTS, "名单", lists=("silent",))
    only = replace(
        CIRCULAR, skip_empty=True, own=(), document=replace(DOCUMENT, sections=(section,))
    )
    monthly = replace(only, period=PeriodKind.MONTH, seals=False)
    bureau = Bureau(tmp_path, office(monthly))
    bureau.item("2026-06-08")  # in use since then
    for unit in "abcd":
        bureau.item("2026-09-06", unit)
    month = Period.parse("2026-09")
    with bureau.store.reading() as reads:
        assert bureau.drafting.draft(reads, bureau.book, monthly, month, OCTOBER) is None
        august = Period.parse("2026-08")
        assert bureau.drafting.draft(reads, bureau.book, monthly, august, OCTOBER) is not None
    refused("nothing", bureau.approval.draft, OFFICE, "", month, "王五", OCTOBER)


def test_a_letter_that_approves_itself(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, office(replace(CIRCULAR, auto_approve=True)))
    for day in ("2026-07-06", "2026-08-06", "2026-09-07"):
        bureau.item(day)
    row = bureau.draft(Q3)
    assert bureau.mails() == [], "nobody is asked"
    done = bureau.approval.decide(row, OCTOBER)
    assert (done.row.state, done.row.decided_by) == (DraftState.SENT, AUTOMATIC)
    assert to(bureau.mails()) == ["a.head@example.org", "reader@example.org"]


def test_a_self_approving_letter_left_between_approval_and_sending(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, office(replace(CIRCULAR, auto_approve=True)))
    bureau.item("2026-07-06")
    bureau.draft(Q3)
    bureau.approval.approve(1, AUTOMATIC, OCTOBER, send=False)
    # The notice and, of the two months without an item, a letter of its own.
    assert bureau.approval.decide(bureau.row(1), OCTOBER).queued == 3


# --- text messages


def test_text_messages_of_an_approved_notice(bureau: Bureau) -> None:
    row = bureau.draft(Q3)
    with bureau.store.reading() as reads:
        refused("not_approved", messages, reads, row, bureau.book)
    bureau.approval.approve(1, "王五", OCTOBER)
    with bureau.store.reading() as reads:
        found = messages(reads, bureau.row(1), bureau.book)
    assert [(m.unit, m.phone) for m in found.sendable] == [
        ("a局", "13900000001"),
        ("c局", "13900000003"),
    ]
    assert found.sendable[0].text == (
        "a局：2026年第三季度报送3条，得7分，在全部4个单位中列第1位。某办"
    )
    assert found.sendable[1].text.endswith("在全部4个单位中并列第3位。某办"), "with d"
    assert found.sendable[0].parts == 1
    assert [(m.unit, m.why) for m in found.others] == [
        ("b局", "0477-7622029 不是手机号"),
        ("d局", "名册里没有电话"),
    ]


def test_a_notice_without_text_messages_says_so(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, office(replace(CIRCULAR, sms="")))
    bureau.item("2026-07-06")
    row = bureau.draft(Q3)
    with bureau.store.reading() as reads:
        refused("no_sms", messages, reads, row, bureau.book)


@pytest.mark.parametrize(
    ("text_", "said"),
    [
        ("在{table}{of}个单位中列第{place}位", "在全部4个单位中并列第3位"),
        ("{table}位列第{place}", "全部并列第3"),
        ("排名第{place}位（共{of}个）", "排名并列第3位（共4个）"),
        ("位次：{place}", "位次：并列第3"),
        ("并列的也写第{place}位", "并列的也写第3位"),
    ],
)
def test_a_shared_place_is_told_in_the_office_s_own_words(
    bureau: Bureau, text_: str, said: str
) -> None:
    assert message(bureau.book, replace(CIRCULAR, sms=text_), bureau.standings(Q3), "d") == said


def test_a_text_that_nobody_can_get_is_no_change(bureau: Bureau) -> None:
    bureau.draft(Q3)
    b = replace(UNITS[1], contacts=(Contact("head", "李乙", "0477-7622030"),))
    bureau.use(office(units=(UNITS[0], b, *UNITS[2:])))
    refusal = refused("stale", bureau.approval.approve, 1, "王五", OCTOBER)
    assert "短信" not in "".join(refusal.choices) and refusal.choices
    b = replace(UNITS[1], contacts=(Contact("head", "李乙", "13900000002"),))
    bureau.use(office(units=(UNITS[0], b, *UNITS[2:])))
    refusal = refused("stale", bureau.approval.approve, 2, "王五", OCTOBER)
    assert "短信的内容或号码有变化：李乙。" in refusal.choices


def test_unknown_drafts_offices_and_letters(bureau: Bureau) -> None:
    refused("no_draft", bureau.approval.approve, 99, "王五", OCTOBER)
    refused("no_draft", bureau.approval.send, 99, "王五", OCTOBER)
    refused("no_office", bureau.approval.draft, "nowhere", "", Q3, "王五", OCTOBER)
    refused("no_letter", bureau.approval.draft, OFFICE, "year", Q3, "王五", OCTOBER)
    refused("no_letter", bureau.approval.draft, OFFICE, "", Period.parse("2026"), "王五", OCTOBER)
    bureau.draft(Q3)
    refused("no_name", bureau.approval.approve, 1, " ", OCTOBER)
    bureau.use(replace(bureau.book, letters=LetterBook()))
    refused("no_letter", bureau.approval.approve, 1, "王五", OCTOBER)


def test_a_broken_word_template_names_itself_and_leaves_the_draft(bureau: Bureau) -> None:
    bureau.draft(Q3)
    folder = bureau.folder / "offices" / OFFICE / "templates" / "word"
    folder.mkdir(parents=True)
    (folder / "quarter.docx").write_bytes(b"no document at all")
    with pytest.raises(OperatorFault) as caught:
        bureau.approval.approve(1, "王五", OCTOBER)
    assert "quarter.docx" in str(caught.value)
    assert bureau.row(1).state is DraftState.DRAFT
