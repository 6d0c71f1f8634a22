"""The year of 鄂托克前旗 (鄂前政办发〔2022〕65号): who works there, what its units send, what the desk
records, and what that must come to, reckoned by hand from the document.

Every month 8 items are owed in groups 1 and 2, 4 in group 3. A piece of news gives 1 point, a problem
5; forwarded to the city +2; 《鄂尔多斯政讯》 20, 《每日要情》 30, of both the higher; the city's
leaders' comment 20, the region's 30, of both the higher; a commission delivered in time 10.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tests.integration.year.clock import at
from tests.integration.year.days import Days
from tests.integration.year.installation import Person
from tests.integration.year.mails import NEWS
from tests.integration.year.sink import Letter
from tests.integration.year.story import Event, Reporter, Story, recorded

OFFICE = "otog"
HEAD_BOUNCES = "gone.chengchuan@example.org"

PEOPLE = (
    Person("big-data", "liaison", "乌仁", "liaison.big-data@example.org"),
    Person("big-data", "head", "巴图", "head.big-data@example.org", "13900000001"),
    Person("agriculture", "liaison", "李丙", "liaison.agriculture@example.org"),
    Person("agriculture", "head", "王甲", "head.agriculture@example.org", "13900000002"),
    Person("education", "liaison", "赵丁", "liaison.education@example.org"),
    Person("education", "head", "钱戊", phone="13900000003"),  # no address
    Person("chengchuan", "liaison", "孙己", "liaison.chengchuan@example.org"),
    Person("chengchuan", "head", "周庚", HEAD_BOUNCES),  # well written, but nobody is there
    Person("cdc", "liaison", "吴辛", "吴辛@example.org"),  # no letter can carry it
)
COVERS = {
    "head.big-data@example.org", "liaison.big-data@example.org",
    "head.agriculture@example.org", "liaison.agriculture@example.org",
    "liaison.education@example.org",
    HEAD_BOUNCES, "liaison.chengchuan@example.org",
}  # fmt: skip
"""Who gets each quarter's circular: every head and liaison that can be written to."""

BIG_DATA = Reporter(OFFICE, "大数据中心", "乌仁", "liaison.big-data@example.org")
FARMING = Reporter(OFFICE, "农牧局", "李丙", "liaison.agriculture@example.org")
SCHOOLS = Reporter(OFFICE, "教体局", "赵丁", "liaison.education@example.org")
TOWN = Reporter(OFFICE, "城川镇", "孙己", "liaison.chengchuan@example.org")
TASK_DUE, COMMISSION_MET, COMMISSION_MISSED = (
    date(2026, 7, 31),
    date(2026, 6, 10),
    date(2026, 9, 18),
)
GIVEN = {"filing": [TASK_DUE], "commissions": [COMMISSION_MET, COMMISSION_MISSED]}


def happens() -> Iterator[Event]:
    for month in range(1, 13):
        yield from BIG_DATA.month(month, 4)  # what it owes, by the 8th
        yield from SCHOOLS.month(month, 2)
    yield from _farming()
    yield from _town()
    yield from _returned_and_corrected()
    yield from _recorded()


def _farming() -> Iterator[Event]:
    yield from FARMING.month(1, 1)
    yield FARMING.sends("03-11 10:00", "部分嘎查灌溉机井年久失修", "问题")
    for month in (4, 5, 6):
        yield from FARMING.month(month, 2)
    # July: 6 before the first reminder (07-27), 2 between it and the second (07-30).
    yield from FARMING.month(7, 6)
    yield FARMING.sends("07-28 10:00", "7月第7项重点工作有序推进")
    yield FARMING.sends("07-29 10:00", "饲草料储备库建设资金缺口较大", "问题")
    yield from FARMING.month(8, 5)
    yield from FARMING.month(9, 3)
    for month in (10, 11, 12):
        yield from FARMING.month(month, 1, first=12)


def _town() -> Iterator[Event]:
    for month in (4, 5, 6):
        yield from TOWN.month(month, 1)
    yield TOWN.sends("08-10 10:00", "农村饮水管网冬季冻裂频发", "问题")
    yield TOWN.sends("08-11 10:00", "牧区快递进村末端网点亏损", "问题")


def _returned_and_corrected() -> Iterator[Event]:
    """No telephone number: returned on the quarter's last day, corrected on the third working day
    after it, a Saturday that is worked (10-10): it counts in September."""
    title = "国庆假期校园安全排查全面完成"
    yield SCHOOLS.writes("09-30 10:00", f"教体局+【动态】{title}+赵丁", NEWS.format(title=title))

    def corrects(days: Days) -> None:
        (returned,) = [x for x in days.sent if x.to == SCHOOLS.address and "请更正" in x.subject]
        line = f"教体局+【动态】{title}+赵丁+13912345678"
        thread = {"In_Reply_To": f"<{returned.id}>", "References": f"<{returned.id}>"}
        days.write(OFFICE, SCHOOLS.address, line, NEWS.format(title=title), **thread)

    yield Event(at("10-10 10:00"), corrects)


def _recorded() -> Iterator[Event]:
    of_farming = {"unit": "农牧局", "title": "5月第1项重点工作有序推进"}
    yield recorded("05-12 15:00", OFFICE, "采用", journal="鄂尔多斯政讯", **of_farming)
    yield recorded("08-20 15:00", OFFICE, "采用", journal="每日要情", **of_farming)
    of_data = {"unit": "大数据中心", "title": "8月第1项重点工作有序推进"}
    yield recorded("08-25 15:00", OFFICE, "转报", level="市", **of_data)
    of_schools = {"unit": "教体局", "title": "8月第2项重点工作有序推进"}
    yield recorded("09-02 15:00", OFFICE, "批示", level="市", urgent_major="否", **of_schools)
    yield recorded("09-10 15:00", OFFICE, "批示", level="自治区", urgent_major="否", **of_schools)
    # One commission is delivered in time, another never.
    met = {"unit": "农牧局", "number": "约1"}
    yield recorded("06-01 15:00", OFFICE, "约稿布置", title="夏粮长势", due="2026-06-10", **met)
    yield recorded("06-09 15:00", OFFICE, "约稿", level="市", outcome="完成", **met)
    missed = {"unit": "教体局", "number": "约2"}
    yield recorded("09-01 15:00", OFFICE, "约稿布置", title="校园食堂", due="2026-09-18", **missed)
    yield recorded("09-24 15:00", OFFICE, "约稿", level="旗", outcome="未完成", **missed)
    # The rules of one's own are to be filed by the end of July; done three days before.
    filing = {"unit": "大数据中心", "task": "filing-2022"}
    yield recorded("07-06 15:00", OFFICE, "任务", due="2026-07-31", **filing)
    yield recorded("07-28 15:00", OFFICE, "任务完成", **filing)
    # After the third quarter was sealed it turns out that nothing was forwarded.
    yield Event(at("10-26 15:00"), _takes_back_the_forwarding)


def _takes_back_the_forwarding(days: Days) -> None:
    with days.terminal.store.reading() as reads:
        (row,) = [r for r in reads.records(OFFICE) if r.new.kind == "forwarding"]
    days.take_back(OFFICE, row.id, "市里没有转报")


POINTS = {
    # big-data 4 a month; August's item forwarded +2, taken back in the fourth quarter.
    # agriculture: 1 and a problem; 6, the commission 10, 政讯 20; 7 + a problem, 5, 3, 要情 30 − 20.
    # education: 2 a month; in the third quarter one more, and the region's comment 30 (not + 20).
    # chengchuan: 1 a month in the second quarter, two problems in the third.
    "2026-Q1": {"big-data": 12, "agriculture": 1 + 5, "education": 6},
    "2026-Q2": {"big-data": 12, "agriculture": 6 + 10 + 20, "education": 6, "chengchuan": 3},
    "2026-Q3": {
        "big-data": 12 + 2, "agriculture": (7 + 5) + 5 + 3 + 10,
        "education": 7 + 30, "chengchuan": 5 + 5,
    },
    "2026-Q4": {"big-data": 12 - 2, "agriculture": 3, "education": 6},
    "2026": {"big-data": 48, "agriculture": 6 + 36 + 30 + 3, "education": 55, "chengchuan": 13},
}  # fmt: skip
"""Whoever is not named has none."""
SENT = {
    "2026-Q1": {"big-data": 12, "agriculture": 2, "education": 6},
    "2026-Q2": {"big-data": 12, "agriculture": 6, "education": 6, "chengchuan": 3},
    "2026-Q3": {"big-data": 12, "agriculture": 8 + 5 + 3, "education": 7, "chengchuan": 2},
    "2026-Q4": {"big-data": 12, "agriculture": 3, "education": 6},
    "2026": {"big-data": 48, "agriculture": 27, "education": 25, "chengchuan": 5},
}
PLACES_Q3 = {
    "big-data": (1, 16),
    "agriculture": (2, 31),
    "education": (1, 31),
    "chengchuan": (1, 5),
}
"""Place, and of how many; the others of a group share the next one."""
NOTHING_TO_SAY = {
    # Nobody was given what falls due any more, or it was done before.
    "filing:otog:2026-07-31:near", "filing:otog:2026-07-31:overdue",
    "commissions:otog:2026-06-10:overdue",
    # Of the time before the program came nobody knows what was sent.
    "result:otog:2025-12:result",
}  # fmt: skip
"""Settled without a letter."""


NUMBERS = {
    "第一": "鄂前政办通〔2026〕1号",
    "第二": "鄂前政办通〔2026〕2号",
    "第三": "鄂前政办通〔2026〕3号",
    "第四": "鄂前政办通〔2027〕1号",  # decided in January
}


def decides(draft: Letter) -> str:
    """What was before the program came is nobody's business."""
    if "2025年" in draft.subject:
        return "退回 投入使用以前的时段，不通报。"
    for word, number in NUMBERS.items():
        if f"{word}季度" in draft.subject:
            return f"批准 {number}"
    return "批准"


STORY = Story(
    office=OFFICE,
    people=PEOPLE,
    happens=happens,
    decides=decides,
    given=GIVEN,
    nothing_to_say=frozenset(NOTHING_TO_SAY),
    covers={"quarter": COVERS, "appraisal": set()},
)
