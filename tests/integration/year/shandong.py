"""The year of 山东省政务信息直报点: places by what was adopted, then by what was sent; no points. A zone
and an enterprise owe 3 items a quarter, a research body 5, a county none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tests.integration.year.installation import Person
from tests.integration.year.sink import Letter
from tests.integration.year.story import Event, Reporter, Story, recorded

OFFICE = "shandong"
UNITS = """
[[unit]]
id = "city-office"
name = "东海市政府办公室"
group = "recommender"

[[unit]]
id = "zone-a"
name = "东海高新技术产业开发区"
aliases = ["东海高新区"]
group = "zone"
recommender = "city-office"

[[unit]]
id = "mill-b"
name = "北山纺织集团"
group = "enterprise"
recommender = "city-office"

[[unit]]
id = "school-c"
name = "南岭农业大学"
group = "research"
recommender = "city-office"

[[unit]]
id = "county-d"
name = "西河县人民政府"
aliases = ["西河县"]
group = "county"
"""
PEOPLE = (
    Person("zone-a", "liaison", "甘甲", "liaison.zone-a@example.org"),
    Person("zone-a", "head", "甘乙", "head.zone-a@example.org"),
    Person("mill-b", "liaison", "宁甲", "liaison.mill-b@example.org"),
    Person("school-c", "liaison", "蒲甲", "liaison.school-c@example.org"),
    Person("school-c", "head", "蒲乙", "head.school-c@example.org"),
    Person("county-d", "liaison", "丁甲", "liaison.county-d@example.org"),
)
COVERS = {person.address for person in PEOPLE}
ZONE = Reporter(OFFICE, "东海高新区", "甘甲", "liaison.zone-a@example.org")
MILL = Reporter(OFFICE, "北山纺织集团", "宁甲", "liaison.mill-b@example.org")
SCHOOL = Reporter(OFFICE, "南岭农业大学", "蒲甲", "liaison.school-c@example.org")
COUNTY = Reporter(OFFICE, "西河县", "丁甲", "liaison.county-d@example.org")
COMMISSION = date(2026, 3, 20)
GIVEN = {"commissions": [COMMISSION]}
_LEVEL = """\
[[level]]
id = "province"
name = "省"
events = ["commission"]
"""
CHANGES = (
    ("scoring.toml", "# ---- 刊物 journals ----\n", f"{_LEVEL}\n# ---- 刊物 journals ----\n"),
)
"""Without a level no commission can be recorded."""


def happens() -> Iterator[Event]:
    for month in (2, 5, 8, 11):
        yield from ZONE.month(month, 3)
        yield ZONE.sends(f"{month:02}-10 10:00", f"{month}月外贸企业订单走势分析", "专报")
    for month, number in ((2, 3), (5, 1), (8, 3), (11, 3)):
        yield from MILL.month(month, number)
    yield from SCHOOL.month(1, 5)  # and then nothing for the rest of the year
    yield COUNTY.sends("05-12 10:00", "小麦机收损失情况", "信息")
    zone = {"unit": "东海高新区"}
    yield recorded(
        "03-02 15:00", OFFICE, "采用", journal="国办", title="2月第1项重点工作有序推进", **zone
    )
    for n in (1, 2):
        title = f"8月第{n}项重点工作有序推进"
        yield recorded("09-02 15:00", OFFICE, "采用", journal="省办采用", title=title, **zone)
    yield recorded("09-03 15:00", OFFICE, "采用", journal="省办采用", unit="北山纺织集团",
                   title="8月第1项重点工作有序推进")  # fmt: skip
    yield recorded("03-02 15:00", OFFICE, "约稿布置", title="用工情况", number="约1",
                   due="2026-03-20", unit="南岭农业大学")  # fmt: skip
    yield recorded("03-27 15:00", OFFICE, "约稿", number="约1", level="省", outcome="未完成",
                   unit="南岭农业大学")  # fmt: skip


SENT = {
    "2026-Q1": {"zone-a": 4, "mill-b": 3, "school-c": 5},
    "2026-Q2": {"zone-a": 4, "mill-b": 1, "county-d": 1},
    "2026-Q3": {"zone-a": 4, "mill-b": 3},
    "2026-Q4": {"zone-a": 4, "mill-b": 3},
    "2026": {"zone-a": 16, "mill-b": 10, "school-c": 5, "county-d": 1},
}
ADOPTED = {"2026-Q1": {"zone-a": 1}, "2026-Q3": {"zone-a": 2, "mill-b": 1}}
PLACES = {
    "2026-Q1": {"zone-a": 1, "school-c": 2, "mill-b": 3},
    "2026-Q2": {"zone-a": 1, "mill-b": 2, "school-c": 3},
    "2026-Q3": {"zone-a": 1, "mill-b": 2, "school-c": 3},
    "2026-Q4": {"zone-a": 1, "mill-b": 2, "school-c": 3},
}
LISTS = {
    # Three months: of those before the program came it is not known who was silent in them.
    "2026-Q1": {"commissions": {"school-c"}, "silence": {"county-d"}},
    # Three months on end without an item, also across a quarter's end: the county until April.
    "2026-Q2": {"silence": {"school-c", "county-d"}},
}


def decides(draft: Letter) -> str:
    return "退回 投入使用以前的时段，不通报。" if "2025年" in draft.subject else "批准"


STORY = Story(
    office=OFFICE,
    people=PEOPLE,
    happens=happens,
    decides=decides,
    given=GIVEN,
    nothing_to_say=frozenset({"result:shandong:2025-Q4:result"}),
    covers={"quarter": COVERS, "review": set(), "year": COVERS},
    units=UNITS,
    changes=CHANGES,
)
