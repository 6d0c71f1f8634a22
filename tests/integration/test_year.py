"""A year of the five offices in one installation, day by day, with a virtual clock.

Units write mails, the desk records what journals and leaders did with them, heads' mailboxes bounce,
the approver answers the drafts; letters leave for a real SMTP server. What the year is made of
stands in `tests/integration/year/<office>.py`, beside what it must come to, reckoned by hand. What
is due is derived by plain code in `year/calendar.py`. How the same goes with the program down, killed,
the clock set and the relay away is told in `test_year_trouble.py`.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import chinese_calendar
import docx
import pytest

from mailbot.app.letter_records import DraftRow, DraftState, DutyState
from mailbot.app.notices.sending import progress
from mailbot.core.rules.entries import Row, Standings
from tests.integration.year import calendar, jinan, laiwu, openness, otog, shandong
from tests.integration.year.clock import at
from tests.integration.year.days import Days
from tests.integration.year.installation import approver_of, mailbox_of, staff_of
from tests.integration.year.sink import Letter
from tests.integration.year.story import Event, Story, begin, live
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.long

START, END = at("2026-01-01 07:00"), at("2027-01-20 17:00")
STORIES = tuple(m.STORY for m in (otog, laiwu, shandong, jinan, openness))
OFFICES = [story.office for story in STORIES]
QUARTERS = ("2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4")


@dataclass
class Year:
    """The year when it is over."""

    days: Days

    def letters(self, to: str, *words: str) -> list[Letter]:
        return [x for x in self.days.sent if x.to == to and all(w in x.subject for w in words)]

    def drafts(self, office: str) -> list[DraftRow]:
        with self.days.terminal.store.reading() as reads:
            return reads.drafts(office)

    def draft(self, office: str, letter: str, period: str) -> DraftRow:
        (found,) = [d for d in self.drafts(office) if (d.letter, d.period) == (letter, period)]
        return found

    def rows(self, office: str, period: str) -> dict[str, Row]:
        standings = self.days.standings(office, period)
        return {row.unit: row for table in standings.tables for row in table.rows}


def interludes() -> Iterator[Event]:
    """What happens to letters that did arrive somewhere, and who asks for what."""
    yield Event(at("04-10 10:00"), _head_is_gone)
    # A liaison asks for a month of the unit; somebody nobody knows asks the same.
    yield otog.SCHOOLS.writes("08-12 10:00", "查询 2026年7月", "")
    yield Event(
        at("08-12 10:05"),
        lambda days: days.write("otog", "nobody@example.net", "查询 2026年7月", ""),
    )


def _head_is_gone(days: Days) -> None:
    (cover,) = [x for x in days.sent if x.to == otog.HEAD_BOUNCES and "第一季度" in x.subject]
    days.bounce("otog", cover, "550 5.1.1 User unknown")


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    with SmtpSink() as sink:
        days = begin(tmp_path_factory.mktemp("year"), sink, STORIES, START)
        live(days, STORIES, END, also=interludes())
        yield Year(days)
        days.stop()


# --- what was due ------------------------------------------------------------------------------


def test_the_calendar_copied_by_hand_is_the_one_of_the_package() -> None:
    days = (at("01-01 00:00").date() + timedelta(days=n) for n in range(365))
    differing = [d for d in days if calendar.is_working_day(d) != chinese_calendar.is_workday(d)]
    assert differing == []


@pytest.mark.parametrize("story", STORIES, ids=OFFICES)
def test_every_duty_is_settled_exactly_once_on_its_day(year: Year, story: Story) -> None:
    offices = year.days.root / "config" / "offices"
    due = calendar.due_keys(offices, story.office, START, END, story.given)
    settled = year.days.duties(story.office)
    assert settled.keys() == due.keys()
    assert {k: r.at.date() for k, r in settled.items()} == {k: m.date() for k, m in due.items()}
    skipped = {k: r.new.why for k, r in settled.items() if r.new.state is DutyState.SKIPPED}
    assert skipped.keys() == story.nothing_to_say
    assert all(why.endswith("。") for why in skipped.values())


@pytest.mark.parametrize("story", STORIES, ids=OFFICES)
def test_each_notice_is_drafted_once_and_decided_by_the_approver(year: Year, story: Story) -> None:
    notices = {
        key.rsplit(":", 1)[0]
        for key, row in year.days.duties(story.office).items()
        if row.new.letter in story.covers or row.new.letter == "advanced"
        if row.new.state is DutyState.DONE
    }
    drafts = year.drafts(story.office)
    assert Counter(f"{d.letter}:{d.office}:{d.period}" for d in drafts) == Counter(notices)
    waiting = [(d.letter, d.period) for d in drafts if d.state is DraftState.DRAFT]
    # The advanced persons' names are for people to enter: nobody may approve that draft as it is.
    assert waiting == ([("advanced", "2026")] if story.office == "laiwu" else [])
    for draft in drafts:
        if draft.state is DraftState.DRAFT:
            continue
        assert draft.state is (DraftState.REJECTED if "2025" in draft.period else DraftState.SENT)
        assert draft.decided_by.startswith(approver_of(story.office))
    answers = year.letters(approver_of(story.office), "已批准")
    assert len(answers) == sum(d.state is DraftState.SENT for d in drafts)


def test_each_morning_brings_the_office_one_digest(year: Year) -> None:
    first = START.date()
    mornings = [first + timedelta(days=n) for n in range((END.date() - first).days + 1)]
    worked = [day for day in mornings if calendar.is_working_day(day)]
    for office in OFFICES:
        digests = year.letters(staff_of(office), "每日简报")
        assert [x.when.date() for x in digests] == worked


# --- the letters themselves --------------------------------------------------------------------


def test_no_letter_is_sent_twice(year: Year) -> None:
    sent = year.days.sent
    assert len(sent) > 2000
    assert [i for i, n in Counter(x.id for x in sent).items() if n > 1] == []
    assert [k for k, n in Counter(x.key for x in year.days.outbox()).items() if n > 1] == []
    # Nor does anybody read the same words twice on one day.
    said = Counter((x.to, x.subject, x.text, x.when.date()) for x in sent)
    assert [words[:2] for words, n in said.items() if n > 1] == []


def test_what_was_queued_is_what_arrived(year: Year) -> None:
    queued = year.days.outbox()
    assert {x.state for x in queued} == {"sent"}
    assert {x.message_id for x in queued} == {x.id for x in year.days.sent}


def test_every_letter_says_that_a_machine_wrote_it(year: Year) -> None:
    for letter in year.days.sent:
        assert letter.mail.defects == [], letter.subject
        assert letter.mail["Auto-Submitted"] in ("auto-generated", "auto-replied"), letter.subject
        assert letter.mail["X-Auto-Response-Suppress"] == "All", letter.subject
        assert letter.mail["X-Mailbot-Id"], letter.subject
        assert letter.sender in [mailbox_of(office) for office in OFFICES]
        assert str(letter.mail["To"]) == letter.to
        assert letter.text.strip() and letter.mail.get_body(("html",)) is not None


def test_a_letter_fed_back_into_its_mailbox_is_never_answered(year: Year) -> None:
    """One of each kind of each office, just as it left."""
    days = year.days
    kinds = {x.message_id: (x.office, x.kind) for x in days.outbox()}
    one_of_each = {kinds[letter.id]: letter for letter in days.sent}
    before = len(days.outbox())
    for (office, _), letter in one_of_each.items():
        days.deliver(office, letter.taken.raw)
    days.clock.advance(days.now + timedelta(minutes=30))
    days.round()
    assert {
        "reminder",
        "result",
        "tasks",
        "summary",
        "digest",
        "draft",
        "cover",
        "own",
        "reader",
    } <= {kind for _, kind in one_of_each}
    assert len(days.outbox()) == before


@pytest.mark.parametrize("story", STORIES, ids=OFFICES)
def test_nothing_goes_to_a_unit_that_is_not_its_own(year: Year, story: Story) -> None:
    unit_of = {person.address: person.unit for person in story.people if person.address}
    roster = year.days.terminal.books[story.office].roster
    names = {unit.id: unit.name for unit in roster.units}
    own = [x for x in year.days.outbox() if x.office == story.office and x.recipient in unit_of]
    texts = {x.id: x.text for x in year.days.sent}
    for letter in own:
        if letter.kind == "return":
            continue  # shows the convention with the convention's own example
        unit = unit_of[letter.recipient]
        assert letter.unit_id in ("", unit), letter.key
        others = [n for i, n in names.items() if i != unit and n not in names[unit]]
        assert [n for n in others if n in texts[letter.message_id]] == [], letter.key


# --- reminders ---------------------------------------------------------------------------------


def test_whoever_has_met_its_quota_before_a_stage_is_not_reminded_at_it(year: Year) -> None:
    head, liaison = "head.agriculture@example.org", otog.FARMING.address
    # 大数据中心 sends its four by the 8th of each month: never reminded of items, no result.
    for address in (otog.BIG_DATA.address, "head.big-data@example.org"):
        said = [x.subject for x in year.letters(address) if "政务信息还差" in x.subject]
        assert said == []
        assert year.letters(address, "【结果】", "2026年") == []
    # 农牧局 has 6 of 8 in July at the first reminder, 8 at the second.
    (first,) = year.letters(liaison, "【提醒】2026年7月")
    assert first.when == at("07-27 09:00") and "还差2条" in first.subject
    assert year.letters(head, "【提醒】2026年7月") == []
    # August: both stages, the head with the second one only.
    assert [x.when for x in year.letters(liaison, "【提醒】2026年8月")] == [
        at("08-25 09:00"),
        at("08-28 09:00"),
    ]
    assert [x.when for x in year.letters(head, "【提醒】2026年8月")] == [at("08-28 09:00")]
    # 莱芜's audit office sends the quarter's research between the two reminders of it.
    asked = year.letters(laiwu.AUDIT.address, "【提醒】2026年第三季度")
    assert [x.when for x in asked] == [at("09-10 09:00")]


def test_a_reminder_falls_on_worked_weekends_and_never_on_holidays(year: Year) -> None:
    reminded = {x.when.date() for x in year.days.sent if x.subject.startswith("【提醒】")}
    assert [day for day in reminded if not calendar.is_working_day(day)] == []
    # 09-18 is a Friday; the first working day after it is a Sunday, worked for 国庆.
    late = year.letters(otog.SCHOOLS.address, "逾期", "校园食堂")
    assert [x.when for x in late] == [at("09-20 09:00")]


def test_what_is_done_before_its_stage_is_not_asked_for(year: Year) -> None:
    asked = year.letters(otog.FARMING.address, "夏粮长势")
    assert [x.when for x in asked] == [at("06-09 09:00")]  # done in the afternoon
    filing = year.letters(otog.BIG_DATA.address, "工作任务")
    assert [x.when for x in filing] == [at("07-20 09:00")]  # done on 07-28, the day before
    supervised = year.letters(jinan.PINGYIN.address, "工作任务")
    assert [x.when for x in supervised] == [at("05-15 09:00"), at("05-18 09:00")]
    again = year.letters("deputy.pingyin@example.org", "逾期")
    assert [x.when for x in again] == [at("05-22 09:00")]
    late = year.letters("head.qingdao@example.org", "工作任务")
    assert [x.when for x in late] == [at("06-09 09:00"), at("06-16 09:00")]


def test_whoever_cannot_be_written_to_is_named_to_the_office(year: Year) -> None:
    (summary,) = year.letters(staff_of("otog"), "【汇总】2026年8月报送任务提醒", "49个")
    of_cdc = summary.text.partition("疾控中心")[2][:200]
    assert "吴辛@example.org" in of_cdc or "写错" in summary.text
    assert "教体局" in summary.text and "没有邮箱" in summary.text


def test_nobody_is_accused_of_the_time_before_the_program_came(year: Year) -> None:
    """It began on 2026-01-01: no result of what was over, no silence reckoned from before."""
    owing = (otog.STORY, laiwu.STORY, shandong.STORY)
    people = {person.address for story in owing for person in story.people if person.address}
    told = [x for x in year.days.sent if x.to in people and "2025年" in x.subject + x.text]
    assert [(x.to, x.subject) for x in told] == []
    assert not year.letters(staff_of("otog"), "【汇总】", "2025年")
    assert [d.period for d in year.drafts("laiwu") if d.letter == "interviews"] == ["2026-08"]
    skipped = year.days.duties("otog")["result:otog:2025-12:result"].new
    assert "投入使用以前没有登记，不发结果" in skipped.why
    (county,) = next(
        one.listed
        for one in year.days.standings("shandong", "2026-Q1").lists
        if one.id == "silence"
    )
    assert (county.unit, county.why) == ("county-d", "1月、2月、3月连续未报送")
    # The first quarter's cover draws no month of last year, the first notice names no such either.
    for name in ("otog", "laiwu", "shandong"):
        draft = year.draft(name, "quarter", "2026-Q1")
        with year.days.terminal.store.reading() as reads:
            (document,) = [f for f in reads.draft_files(draft.id) if f.role == "document"]
        words = docx.Document(io.BytesIO(document.content))
        assert "2025年" not in "".join(p.text for p in words.paragraphs)


# --- standings, by hand ------------------------------------------------------------------------


@pytest.mark.parametrize("period", [*QUARTERS, "2026"])
def test_otog_comes_to_what_was_reckoned_by_hand(year: Year, period: str) -> None:
    rows = year.rows("otog", period)
    assert {u: int(r.points) for u, r in rows.items() if r.points} == otog.POINTS[period]
    assert {u: r.submissions for u, r in rows.items() if r.submissions} == otog.SENT[period]


@pytest.mark.parametrize("period", [*QUARTERS, "2026"])
def test_laiwu_comes_to_what_was_reckoned_by_hand(year: Year, period: str) -> None:
    rows = year.rows("laiwu", period)
    assert {u: int(r.points) for u, r in rows.items() if r.points} == laiwu.POINTS[period]
    months = 12 if period == "2026" else 3
    assert {u: r.submissions for u, r in rows.items() if r.submissions != months} == laiwu.SENT.get(
        period, {}
    )


def test_laiwu_names_who_is_praised_and_who_is_to_be_interviewed(year: Year) -> None:
    found = _lists(year.days.standings("laiwu", "2026-Q3"))
    assert {name: found[name] for name in laiwu.LISTS_Q3} == laiwu.LISTS_Q3
    assert "land" in found["last"] and "industrial-zone" not in found["last"]
    # The interview's letter went to the deputy and the head, once it was approved.
    for address in ("deputy.xueye@example.org", "head.xueye@example.org"):
        assert len(year.letters(address, "约谈告知书")) == 1
    assert len(year.letters("head.xueye@example.org", "零报送单位告知书")) == 1


@pytest.mark.parametrize("period", QUARTERS)
def test_shandong_comes_to_what_was_counted_by_hand(year: Year, period: str) -> None:
    rows = year.rows("shandong", period)
    assert {u: r.submissions for u, r in rows.items() if r.submissions} == shandong.SENT[period]
    adopted = {u: r.adopted for u, r in rows.items() if r.adopted}
    assert adopted == shandong.ADOPTED.get(period, {})
    assert {u: r.place for u, r in rows.items() if r.place} == shandong.PLACES[period]
    lists = _lists(year.days.standings("shandong", period))
    for name, units in shandong.LISTS.get(period, {}).items():
        assert lists[name] == units


def test_jinan_and_openness_come_to_what_was_counted_by_hand(year: Year) -> None:
    for period, sent in jinan.SENT.items():
        rows = year.rows("jinan", period)
        assert {u: r.submissions for u, r in rows.items() if r.submissions} == sent
    assert _lists(year.days.standings("jinan", "2026-H1"))["accountability"] == {"pingyin"}
    rows = year.rows("openness", "2026")
    assert {u: dict(rows[u].columns) for u in openness.COLUMNS_2026} == openness.COLUMNS_2026


def _lists(standings: Standings) -> dict[str, set[str]]:
    return {found.id: {one.unit for one in found.listed} for found in standings.lists}


# --- notices -----------------------------------------------------------------------------------


@pytest.mark.parametrize("story", STORIES, ids=OFFICES)
def test_an_approved_notice_reaches_exactly_its_recipients(year: Year, story: Story) -> None:
    sent = [d for d in year.drafts(story.office) if d.state is DraftState.SENT]
    assert sent
    arrived = {x.id: x for x in year.days.sent}
    for draft in sent:
        letters = [x for x in year.days.outbox() if x.key.startswith(f"notice:{draft.id}:")]
        letters = [x for x in letters if x.office == story.office]
        covers = [x for x in letters if x.kind == "cover"]
        assert Counter(x.recipient for x in covers) == Counter(story.covers[draft.letter]), draft.id
        for letter in letters:
            assert any(name.endswith(".docx") for name in arrived[letter.message_id].files)
        with year.days.terminal.store.reading() as reads:
            listed = reads.draft_recipients(draft.id)
        assert sorted(x.recipient for x in letters) == sorted(
            r.address for r in listed if r.address and r.kind != "sms"
        )


def test_laiwus_leaders_get_the_notice_in_writing(year: Year) -> None:
    with_files = [x for x in year.letters(laiwu.READER) if x.files]
    assert len(with_files) == len(QUARTERS)


def test_the_approval_seals_the_quarter_as_it_was_shown(year: Year) -> None:
    with year.days.terminal.store.reading() as reads:
        sealed = {seal.period.code: seal for seal in reads.seals("otog")}
    assert tuple(sealed) == QUARTERS
    for number, period in zip(otog.NUMBERS.values(), QUARTERS, strict=True):
        draft = year.draft("otog", "quarter", period)
        assert draft.number == number
        assert sealed[period].who == draft.decided_by and draft.decided_at == sealed[period].at
        assert year.days.standings("otog", period).sealed


@pytest.mark.parametrize("period", QUARTERS)
def test_a_cover_begins_with_the_units_own_line(year: Year, period: str) -> None:
    """Points, submissions and the sum since January, against the sums by hand."""
    word = {"1": "第一", "2": "第二", "3": "第三", "4": "第四"}[period[-1]]
    before = QUARTERS[: QUARTERS.index(period) + 1]
    for address, unit in (
        ("head.big-data@example.org", "big-data"),
        ("head.agriculture@example.org", "agriculture"),
        (otog.SCHOOLS.address, "education"),
    ):
        (cover,) = year.letters(address, f"2026年{word}季度", "通报")
        head = cover.text[: cover.text.index("【报送任务】")]
        assert f"报送{otog.SENT[period][unit]}条" in head
        assert f"本期得分{otog.POINTS[period][unit]}分" in head
        assert f"累计得分{sum(otog.POINTS[p].get(unit, 0) for p in before)}分" in head
        if period == "2026-Q3":
            place, of = otog.PLACES_Q3[unit]
            assert f"共{of}个单位" in head and f"第{place}位" in head


def test_a_correction_of_a_sealed_quarter_is_told_in_the_next_notice(year: Year) -> None:
    """Forwarded in August (+2), taken back in October: Q3 stays as it was, Q4 has −2."""
    assert year.rows("otog", "2026-Q3")["big-data"].points == 14
    draft = year.draft("otog", "quarter", "2026-Q4")
    with year.days.terminal.store.reading() as reads:
        (document,) = [f for f in reads.draft_files(draft.id) if f.role == "document"]
    words = "\n".join(p.text for p in docx.Document(io.BytesIO(document.content)).paragraphs)
    assert "以前季度积分的更正" in words
    assert re.search(r"大数据中心.*2026年第三季度|2026年第三季度.*大数据中心", words)


def test_a_returned_item_corrected_in_time_counts_where_it_was_first_sent(year: Year) -> None:
    """Sent on 09-30, corrected on the third working day after it, a worked Saturday."""
    assert year.rows("otog", "2026-Q3")["education"].submissions == 7
    (result,) = year.letters(otog.SCHOOLS.address, "【结果】2026年9月")
    assert "实报3条" in result.subject


# --- bounces and requests ----------------------------------------------------------------------


def test_a_bounce_is_shown_at_its_letter(year: Year) -> None:
    draft = year.draft("otog", "quarter", "2026-Q1")
    with year.days.terminal.store.reading() as reads:
        bounced = {
            d.letter.recipient: d.letter.bounced
            for d in progress(reads, draft.id)
            if d.letter is not None and d.letter.bounced is not None
        }
        tasks = [text for _, text, _ in reads.open_tasks("otog")]
    assert bounced.keys() == {otog.HEAD_BOUNCES}
    assert [t for t in tasks if otog.HEAD_BOUNCES in t], tasks
    (digest,) = [
        x for x in year.letters(staff_of("otog"), "每日简报") if x.when == at("04-13 09:00")
    ]
    assert otog.HEAD_BOUNCES in digest.text
    # The mail server's letter is no person's: nobody answers it.
    assert year.letters("MAILER-DAEMON@mx.example.org") == []


def test_a_unit_that_asks_gets_its_own_account_and_a_stranger_nothing(year: Year) -> None:
    asked = [
        x for x in year.letters(otog.SCHOOLS.address) if x.when.date() == at("08-12 00:00").date()
    ]
    (account,) = asked
    assert "2026年7月" in account.subject + account.text
    assert "应报8条" in account.text and "7月第2项重点工作有序推进" in account.text
    assert "农牧局" not in account.text and "大数据中心" not in account.text
    assert year.letters("nobody@example.net") == []
