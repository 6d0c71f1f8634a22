"""The year of 政务公开 (鲁政办发〔2021〕5号): a ledger of tasks. What is given, done in time, late, open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tests.integration.year.installation import Person
from tests.integration.year.sink import Letter
from tests.integration.year.story import Event, Story, recorded

OFFICE = "openness"
PEOPLE = (
    Person("jinan", "liaison", "柏甲", "liaison.jinan@example.org"),
    Person("qingdao", "liaison", "窦甲", "liaison.qingdao@example.org"),
    Person("qingdao", "head", "窦乙", "head.qingdao@example.org"),
    Person("zibo", "head", "章乙", "head.zibo@example.org"),
)
LIAISONS = {"liaison.jinan@example.org", "liaison.qingdao@example.org"}
DUE = date(2026, 6, 15)
GIVEN = {"tasks": [DUE]}


def happens() -> Iterator[Event]:
    """Two cities are given a task for the same day; one is done in time, the other five weeks late."""
    for city, task in (("济南市", "t13-2"), ("青岛市", "t15-3")):
        yield recorded("03-02 15:00", OFFICE, "任务", unit=city, task=task, due="2026-06-15")
    yield recorded("03-02 15:30", OFFICE, "任务", unit="济南市", task="t01-1", due="2027-12-31")
    yield recorded("06-10 15:00", OFFICE, "任务完成", unit="济南市", task="t13-2")
    yield recorded("07-20 15:00", OFFICE, "任务完成", unit="青岛市", task="t15-3")
    yield recorded("08-03 15:00", OFFICE, "列入名单", unit="淄博市", list="回头看：上一年度未完成、督促整改",
                   reason="2025年第7项没有办结")  # fmt: skip
    yield recorded("12-01 15:00", OFFICE, "列入名单", unit="济南市", list="表扬", reason="推动有力")


COLUMNS_2026 = {
    "jinan": {"tasks": 2, "on_time": 1, "late": 0, "open": 1},
    "qingdao": {"tasks": 1, "on_time": 0, "late": 1, "open": 0},
}
NOTHING_TO_SAY = {
    f"overdue:openness:2026-{month:02}:draft" for month in range(1, 13) if month != 6
} | {
    "overdue:openness:2025-12:draft", "look-back:openness:2025:draft",
    "honours:openness:2025:draft",
}  # fmt: skip


def decides(draft: Letter) -> str:
    return "退回 投入使用以前的时段，不办理。" if "2025年" in draft.subject else "批准"


STORY = Story(
    office=OFFICE,
    people=PEOPLE,
    happens=happens,
    decides=decides,
    given=GIVEN,
    nothing_to_say=frozenset(NOTHING_TO_SAY),
    covers={
        "overdue": LIAISONS,
        "progress": LIAISONS,
        "year": LIAISONS,
        "look-back": set(),
        "honours": {person.address for person in PEOPLE},
    },
)
