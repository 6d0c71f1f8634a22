"""The morning's digest: every working day, everything once, no word of what must not be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from mailbot.adapters.offices.calendar import WorkingCalendar
from mailbot.app.letter_records import DraftState, DutyState, NewAppeal, NewDraft, NewDuty
from mailbot.app.ports import Reads
from mailbot.app.records import NewTask, OutboxState, Outgoing
from mailbot.core.duties.model import DutyKind
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.duties.schedule import of_periods
from mailbot.core.letters.office import Digest
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.roster import Contact
from tests.integration.intake_help import (
    LIAISON,
    OFFICE_ADDRESS,
    item,
    letter,
    text_file,
    with_limits,
)
from tests.integration.morning_help import (
    DIGEST,
    Days,
    bounce_of,
    office,
    part,
    texts,
    titles,
)
from tests.unit import store_help as h


@pytest.fixture
def days(tmp_path: Path) -> Days:
    """In service since Tuesday evening, 11 August 2026."""
    made = Days(tmp_path, office(DIGEST))
    made.tick("08-11 18:00")
    return made


def incomplete(title: str = "秋季防火工作扎实有力", **more: str) -> bytes:
    """Names no unit, so it goes back."""
    return letter(title, files=[text_file(f"{title}.txt")], **more)


def test_a_morning_lists_what_the_day_before_brought(days: Days) -> None:
    days.at("08-11 19:00")
    days.world.receive(item())
    days.world.receive(incomplete(sender="b@example.com"))
    days.world.receive(letter("", "", sender="c@example.com"))
    days.world.receive(letter("秘密★10年 某工程+李四", sender="d@example.com"))
    days.world.receive(
        letter("Out of office", "不在", sender="e@example.com", Auto_Submitted="auto-replied")
    )
    days.deliver()
    days.tick("08-12 08:30")
    (digest,) = days.digests()
    assert digest.day == date(2026, 8, 12)
    assert digest.until == days.clock.now()
    assert texts(digest, "收到") == ["农牧局：春耕备耕工作进展顺利｜EQ202608-0001"]
    (back,) = part(digest, "退回").lines
    assert "秋季防火工作扎实有力" in back.text and "EQ202608-0002" in back.detail
    (held,) = part(digest, "待核").lines
    assert "c@example.com" in held.text and "陌生邮箱" in held.detail
    assert part(digest, "待核").urgent and part(digest, "隔离").urgent
    (secret,) = texts(digest, "隔离")
    assert "d@example.com" in secret and "密级" in secret
    assert texts(digest, "自动回执") == [f"{LIAISON}｜EQ202608-0001"]
    others = "".join(texts(digest, "其他自动信件"))
    assert "退回通知 1 封" in others and "自动邮件（含退信）1 封" in others
    assert (part(digest, "退信").total, part(digest, "退信").urgent) == (0, False)
    assert "某工程" not in repr(digest)


def test_it_goes_to_the_mailbox_where_nobody_is_named_and_else_to_each_of_the_staff(
    days: Days, tmp_path: Path
) -> None:
    days.tick("08-12 08:30")
    assert [(x.kind, x.recipient) for x in days.sent] == [("digest", OFFICE_ADDRESS)]
    (tmp_path / "b").mkdir()
    named = Days(tmp_path / "b", office(DIGEST, staff=("a@example.org", "写错了", "b@example.org")))
    named.tick("08-11 18:00")
    report = named.tick("08-12 08:30")
    assert [x.recipient for x in named.sent] == ["a@example.org", "b@example.org"]
    assert [x.key for x in named.sent] == [
        "digest:otog:2026-08-12:morning:staff",
        "digest:otog:2026-08-12:morning:staff#2",
    ]
    assert ["写错了" in w for w in report.warnings] == [True]


def test_a_morning_without_anything_new_has_its_digest_too(days: Days) -> None:
    report = days.tick("08-12 08:30")
    assert report.done == ["digest:otog:2026-08-12:morning"]
    (digest,) = days.digests()
    assert titles(digest) == {}
    assert "没有新情况" in _text_of(days.sent[-1].raw)
    (row,) = days.done()
    assert (row.new.state, "没有新情况" in row.new.why) == (DutyState.DONE, True)


def _text_of(raw: bytes) -> str:
    body = message_from_bytes(raw, policy=default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_each_digest_begins_where_the_last_one_ended(days: Days) -> None:
    titles_sent = []
    for day, hour in ((11, 20), (12, 8), (12, 9), (13, 7), (13, 8)):
        days.at(f"08-{day} {hour:02d}:29")
        title = f"第{day}日{hour}时重点工作进展情况"
        days.world.receive(item(title))
        titles_sent.append(title)
        if (day, hour) in ((12, 8), (13, 8)):
            days.tick(f"08-{day} 08:45")
    listed = [[line.text for line in part(d, "收到").lines] for d in days.digests()]
    assert [text.split("：")[1] for some in listed for text in some] == titles_sent
    first, second = days.digests()
    assert second.since == first.until


def test_a_long_holiday_has_no_digest_and_the_first_morning_after_it_tells_all(
    tmp_path: Path,
) -> None:
    """国庆 2026: 1 to 7 October free, Saturday the 10th worked."""
    days = Days(tmp_path, office(DIGEST))
    days.tick("09-29 18:00")
    days.run("09-30 07:00", "09-30 12:00")
    days.at("10-03 10:00")
    days.world.receive(item("节日期间安全生产工作有序开展"))
    days.run("10-01 00:00", "10-12 12:00", hours=3)
    assert [d.day.isoformat()[5:] for d in days.digests()] == [
        "09-30",
        "10-08",
        "10-09",
        "10-10",
        "10-12",
    ]
    assert [part(d, "收到").total for d in days.digests()] == [0, 1, 0, 0, 0]


def test_the_first_one_begins_on_the_last_working_morning(days: Days, tmp_path: Path) -> None:
    days.tick("08-12 08:30")
    (digest,) = days.digests()
    assert digest.since == datetime.fromisoformat("2026-08-11T08:30:00+08:00")
    (tmp_path / "b").mkdir()
    monday = Days(tmp_path / "b", office(DIGEST))
    monday.tick("08-15 10:00")
    monday.tick("08-17 08:30")
    assert monday.digests()[0].since == datetime.fromisoformat("2026-08-14T08:30:00+08:00")


def test_after_downtime_one_digest_tells_of_all_the_days(days: Days) -> None:
    days.tick("08-12 08:30")
    for day in (12, 13, 18):
        days.at(f"08-{day} 15:00")
        days.world.receive(item(f"{day}日防汛备汛工作部署到位"))
    days.restart()
    days.tick("08-20 11:00")
    days.tick("08-20 12:00")
    assert [d.day.day for d in days.digests()] == [12, 20]
    assert part(days.digests()[1], "收到").total == 3
    assert len([x for x in days.sent if x.kind == "digest"]) == 2
    skipped = [r.new.period for r in days.done() if r.new.state is DutyState.SKIPPED]
    assert skipped == ["2026-08-13", "2026-08-14", "2026-08-17", "2026-08-18", "2026-08-19"]


def test_a_clock_set_back_sends_no_digest_twice(days: Days) -> None:
    days.tick("08-12 08:30")
    days.tick("08-13 08:30")
    days.restart()
    days.run("08-12 07:00", "08-13 23:00")
    assert [d.day.day for d in days.digests()] == [12, 13]
    days.tick("08-14 08:30")
    assert days.digests()[-1].since == days.digests()[-2].until


def test_an_earlier_morning_can_be_looked_at_after_a_later_one_was_sent(days: Days) -> None:
    days.tick("08-20 08:30")
    now = days.at("08-13 09:00")
    occurrence = Occurrence("otog", DIGEST, "2026-08-13", DIGEST.stages[0], now)
    with days.world.store.reading() as reads:
        (posted,) = days.digest.prepare(reads, days.book, occurrence, now).letters
    assert isinstance(posted.letter, Digest)
    assert posted.letter.since == datetime.fromisoformat("2026-08-12T08:30:00+08:00")


def test_mail_that_was_being_written_while_the_digest_was_made_up_is_told_the_next_day(
    days: Days,
) -> None:
    """A batch takes its time before it commits: its decision is older than the digest's end."""
    days.at("08-12 08:29")
    days.world.receive(item("先到的一条工作信息"))
    days.tick("08-12 08:40")
    days.at("08-12 08:35")
    days.world.receive(item("提交较晚的一条工作信息"))
    days.tick("08-13 08:30")
    listed = [[line.text for line in part(d, "收到").lines] for d in days.digests()]
    assert listed == [["农牧局：先到的一条工作信息"], ["农牧局：提交较晚的一条工作信息"]]


def test_what_was_corrected_before_the_morning_is_not_told_as_returned(days: Days) -> None:
    days.at("08-11 19:00")
    days.world.receive(incomplete())
    days.world.receive(incomplete("冬季供暖工作准备就绪", sender="b@example.com"))
    sent = days.world.sent()[0]
    days.world.receive(
        letter(
            "农牧局+秋季防火工作扎实有力+张三+7622029",
            In_Reply_To=f"<{sent.message_id}>",
            References=f"<{sent.message_id}>",
        )
    )
    days.tick("08-12 08:30")
    (digest,) = days.digests()
    (only,) = part(digest, "退回").lines
    assert "冬季供暖" in only.text
    assert part(digest, "收到").total == 1
    days.tick("08-13 08:30")
    assert part(days.digests()[1], "退回").total == 0
    (old,) = part(days.digests()[1], "此前退回未更正").lines
    assert "冬季供暖" in old.text


@pytest.mark.parametrize("known_by", ["roster", "binding"])
def test_a_bounce_names_the_letter_and_the_unit(tmp_path: Path, known_by: str) -> None:
    contacts = {"agriculture": [Contact("liaison", "张三", address=LIAISON)]}
    days = Days(tmp_path, office(DIGEST, contacts=contacts if known_by == "roster" else None))
    if known_by == "binding":
        days.world.bind(LIAISON, "agriculture")
    days.tick("08-11 18:00")
    days.world.receive(item())
    days.deliver()
    days.at("08-11 22:00")
    days.world.receive(bounce_of(days.sent[0]))
    days.tick("08-12 08:30")
    (told,) = texts(days.digests()[0], "退信")
    assert "农牧局" in told and LIAISON in told and days.sent[0].subject in told
    assert "8月11日" in told
    assert part(days.digests()[0], "退信").urgent
    days.tick("08-13 08:30")
    assert part(days.digests()[1], "退信").total == 0


def test_late_secrets_leave_no_title(days: Days) -> None:
    """The same mail looked at again, its mark found now: what the digest lists has no content."""
    days.at("08-11 19:00")
    days.world.receive(item("某专项工程进展顺利"))
    with days.world.store.begin() as tx:
        secret = h.decided(1, "quarantine", office="otog", sender=LIAISON)
        tx.decide(replace(secret, reasons=("发现疑似密级标志。",)), None, days.clock.now())
    days.tick("08-12 08:30")
    (digest,) = days.digests()
    assert (part(digest, "收到").total, part(digest, "隔离").total) == (0, 1)
    assert "某专项工程" not in repr(digest)


def test_many_items_are_counted_and_not_all_listed(tmp_path: Path) -> None:
    book = with_limits(office(DIGEST), acknowledgements_per_day=500, per_hour=500)
    days = Days(tmp_path, book)
    days.tick("08-11 18:00")
    days.world.receive(*(item(f"第{n}批帮扶项目全面开工建设") for n in range(1, 61)))
    days.tick("08-12 08:30")
    received = part(days.digests()[0], "收到")
    assert (received.total, len(received.lines)) == (60, 50)
    assert len(days.sent[-1].raw) < 60_000


def test_what_waits_and_what_is_due_is_listed(tmp_path: Path) -> None:
    reminder = replace(
        DIGEST,
        id="reminder",
        kind=DutyKind.REMINDER,
        name="报送任务提醒",
        stages=(
            replace(DIGEST.stages[0], id="near", days=-13),
            replace(DIGEST.stages[0], id="far", days=-11),
        ),
    )

    working = WorkingCalendar(None).is_working_day

    def coming(
        reads: Reads, book: OfficeBook, since: datetime, until: datetime
    ) -> Sequence[Occurrence]:
        return of_periods(book.info.id, reminder, PeriodKind.MONTH, since, until, working)

    days = Days(tmp_path, office(DIGEST), coming=coming)
    days.tick("08-11 18:00")
    days.world.receive(item())
    days.world.receive(letter("", "", sender="c@example.com"))
    with days.world.store.begin() as tx:
        draft = NewDraft("otog", "circular", "2026-Q2", "二季度通报", "d", (), (), (), ())
        tx.add_draft(draft, "mailbot", days.clock.now())
        tx.add_appeal(NewAppeal("otog", "agriculture", "EQ202608-0001", 1, 1), days.clock.now())
    days.tick("08-12 08:30")
    (digest,) = days.digests()
    due = texts(digest, "今天和下一个工作日到期")
    assert "《二季度通报》（第 1 号草稿）等待审批｜mailbot notices show 1" in due
    assert any("农牧局" in line and "EQ202608-0001" in line and "申诉" in line for line in due)
    assert [line for line in due if "报送任务提醒（2026年8月）" in line]
    whens = [x.when for x in part(digest, "今天和下一个工作日到期").lines if "提醒" in x.text]
    assert all(w is not None and w.day in (12, 13) for w in whens) and whens
    assert [line for line in texts(digest, "待办") if "陌生邮箱" in line]


def test_the_offices_warnings_are_in_it(tmp_path: Path) -> None:
    asked: list[date] = []

    def warnings(day: date) -> list[str]:
        asked.append(day)
        return ["即将没有节假日安排。"]

    days = Days(tmp_path, office(DIGEST), warnings=warnings)
    days.tick("08-11 18:00")
    days.tick("08-12 08:30")
    assert days.digests()[0].warnings == ("即将没有节假日安排。",)
    assert asked == [date(2026, 8, 12)]


def test_another_offices_mail_is_not_in_it(tmp_path: Path) -> None:
    days = Days(tmp_path, office(DIGEST))
    days.tick("08-11 18:00")
    days.world.receive(item())
    other = replace(days.book, info=replace(days.book.info, id="laiwu"))
    occurrence = Occurrence(
        "laiwu", DIGEST, "2026-08-12", DIGEST.stages[0], days.clock.now() + timedelta(hours=1)
    )
    with days.world.store.reading() as reads:
        prepared = days.digest.prepare(reads, other, occurrence, days.clock.now())
    (posted,) = prepared.letters
    assert isinstance(posted.letter, Digest) and titles(posted.letter) == {}


def test_nobody_to_send_it_to_is_said(tmp_path: Path) -> None:
    days = Days(tmp_path, office(DIGEST))
    days.world.mailbox = replace(days.world.mailbox, address="")
    days.book = replace(days.book, info=replace(days.book.info, mailbox=""))
    days.restart()
    days.tick("08-11 18:00")
    report = days.tick("08-12 08:30")
    assert report.skipped == ["digest:otog:2026-08-12:morning"]
    assert report.letters == 0 and len(report.warnings) == 1


# --- the whole day, notices, withheld answers ---------------------------------------------------


def test_a_late_digest_lists_all_of_the_day_also_what_was_done(tmp_path: Path) -> None:
    """Two reminders fall on the 12th, at 09:00 and 14:30. The digest, due at 08:30, is made at
    09:05: the first was done by then."""
    stages = (
        replace(DIGEST.stages[0], id="near", days=-14, at=time(9)),
        replace(DIGEST.stages[0], id="noon", days=-14, at=time(14, 30)),
    )
    reminder = replace(DIGEST, id="reminder", kind=DutyKind.REMINDER, name="提醒", stages=stages)
    working = WorkingCalendar(None).is_working_day

    def coming(
        reads: Reads, book: OfficeBook, since: datetime, until: datetime
    ) -> Sequence[Occurrence]:
        return of_periods(book.info.id, reminder, PeriodKind.MONTH, since, until, working)

    days = Days(tmp_path, office(DIGEST), coming=coming)
    days.tick("08-11 18:00")
    now = days.at("08-12 09:00")
    done = "reminder:otog:2026-08:near"
    duty = NewDuty(done, "otog", "reminder", "2026-08", "near", now, DutyState.DONE, "写信 3 封。")
    with days.world.store.begin() as tx:
        tx.add_duty(duty, now)
    days.tick("08-12 09:05")
    assert texts(days.digests()[0], "今天和下一个工作日到期") == [
        "提醒（2026年8月）：已办｜写信 3 封",
        "提醒（2026年8月）｜",
    ]


def _draft(days: Days, title: str, moment: str) -> int:
    new = NewDraft("otog", title, "2026-Q2", title, "d", (), (), (), ())
    with days.world.store.begin() as tx:
        return tx.add_draft(new, "mailbot", days.at(moment)).id


def test_what_became_of_drafts_is_told_once(days: Days) -> None:
    first, second, third = (_draft(days, f"{n}季度通报", "08-11 19:00") for n in ("一", "二", "三"))
    boss = "boss@example.org（回信 mail:7）"
    with days.world.store.begin() as tx:
        now = days.at("08-11 20:00")
        tx.decide_draft(first, DraftState.APPROVED, boss, now)
        tx.queue(_cover(first), now)
        tx.decide_draft(first, DraftState.SENT, boss, now)
        tx.decide_draft(second, DraftState.REJECTED, "王芳芳", now, why="数字有误。")
        tx.decide_draft(third, DraftState.APPROVED, "mailbot（自动批准）", now)
    days.tick("08-12 08:30")
    told = texts(days.digests()[0], "通报办理")
    assert told == [
        f"《一季度通报》（第 1 号草稿）由{boss}批准，信件 1 封已交付发送｜mailbot notices show 1",
        "《二季度通报》（第 2 号草稿）由王芳芳退回：数字有误｜mailbot notices show 2",
        "《三季度通报》（第 3 号草稿）由mailbot（自动批准）批准，信件还没有发出｜mailbot notices show 3",
    ]
    assert [x.when for x in part(days.digests()[0], "通报办理").lines] == [now] * 3
    # The third one's letters leave a day later; the others are not told of again.
    with days.world.store.begin() as tx:
        now = days.at("08-12 20:00")
        tx.queue(_cover(third), now)
        tx.decide_draft(third, DraftState.SENT, "mailbot（自动批准）", now)
    days.tick("08-13 08:30")
    (again,) = texts(days.digests()[1], "通报办理")
    assert "三季度" in again and "信件 1 封已交付发送" in again
    days.tick("08-14 08:30")
    assert part(days.digests()[2], "通报办理").total == 0


def _cover(draft: int) -> Outgoing:
    return h.letter(
        draft,
        key=f"notice:{draft}:cover:agriculture:head",
        office="otog",
        kind="cover",
        about=f"draft:{draft}",
    )


def test_a_draft_approved_while_the_digest_was_made_up_is_told_the_next_day(days: Days) -> None:
    draft = _draft(days, "二季度通报", "08-11 19:00")
    days.tick("08-12 08:40")
    with days.world.store.begin() as tx:
        tx.decide_draft(draft, DraftState.APPROVED, "王芳芳", days.at("08-12 08:35"))
    days.tick("08-13 08:30")
    assert [part(d, "通报办理").total for d in days.digests()] == [0, 1]


def test_answers_that_wait_in_the_backlog_are_counted(days: Days) -> None:
    with days.world.store.begin() as tx:
        now = days.at("08-11 19:00")
        for n in range(3):
            letter_ = h.letter(n, office="otog" if n else "laiwu")
            tx.queue(letter_, now, state=OutboxState.WITHHELD)
        tx.add_task(NewTask("otog", "withheld", "请用 mailbot backlog 查看。"), now)
    days.tick("08-12 08:30")
    waits = part(days.digests()[0], "待办")
    assert (waits.total, waits.urgent) == (1, True)
    assert texts(days.digests()[0], "待办") == [
        "有 2 封信暂缓发送（来信较早，或数据库恢复以前可能已经发过），请决定发送还是作废｜mailbot backlog"
    ]
    days.world.store.outbox.set_withheld([1, 2, 3], False, "王芳芳", now)
    with days.world.store.begin() as tx:
        tx.close_tasks("otog", "withheld", now)
    days.tick("08-13 08:30")
    assert part(days.digests()[1], "待办").total == 0


def test_a_held_mail_without_a_title_is_told_by_its_subject(days: Days) -> None:
    """But not after a secrets hit, and never with a stranger's link."""
    days.at("08-11 19:00")
    subject = "查询 2026年7月 www.example.com/x"
    days.world.receive(letter(subject, "", sender="c@example.com"))
    with days.world.store.reading() as reads:
        (mail,) = reads.mail_lines("otog", days.clock.now() - timedelta(1), days.at("08-12 08:00"))
    assert (mail.kind, mail.subject) == ("hold", subject)
    days.tick("08-12 08:30")
    (held,) = part(days.digests()[0], "待核").lines
    assert "查询 2026年7月" in held.text and "没有标题" not in held.text
    assert "example.com/x" not in held.text
    with days.world.store.begin() as tx:
        secret = h.decided(1, "hold", office="otog", sender="c@example.com")
        tx.decide(replace(secret, reasons=("发现疑似密级标志。",)), None, days.clock.now())
    days.tick("08-13 08:30")
    (secret,) = part(days.digests()[1], "待核").lines
    assert "没有标题" in secret.text and "2026年7月" not in repr(days.digests()[1])
