"""The year of the duty desk of 济南市 (济政办字〔2016〕47号): urgent reports, counted and not scored. A
chain is one report; being late is entered by a person, in the half-year of the event.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tests.integration.year.installation import Person
from tests.integration.year.sink import Letter
from tests.integration.year.story import Event, Reporter, Story, recorded

OFFICE = "jinan"
PEOPLE = (
    Person("lixia", "liaison", "卢甲", "liaison.lixia@example.org"),
    Person("lixia", "head", "卢乙", "head.lixia@example.org"),
    Person("pingyin", "liaison", "贝甲", "liaison.pingyin@example.org"),
    Person("pingyin", "deputy", "贝丙", "deputy.pingyin@example.org"),
)
COVERS = {
    "liaison.lixia@example.org", "head.lixia@example.org", "liaison.pingyin@example.org",
}  # fmt: skip
LIXIA = Reporter(OFFICE, "历下区", "卢甲", "liaison.lixia@example.org")
PINGYIN = Reporter(OFFICE, "平阴县", "贝甲", "liaison.pingyin@example.org")
TASK = date(2026, 5, 15)
GIVEN = {"tasks": [TASK]}
FILES = {
    "tasks.toml": """\
document = "鲁政办字〔2016〕86号"
year = 2026
[[task]]
id = "D1"
clause = "16"
quote = "查明供水管网隐患，限期整改。"
units = ["平阴县"]
"""
}
"""The ledger of what the desk coordinates and supervises; the shipped office has none yet."""


def happens() -> Iterator[Event]:
    for when, what in (
        ("02-03 11:00", "某路段燃气泄漏处置情况"),
        ("06-11 23:00", "某小区雨后停电情况"),
        ("08-08 02:00", "某路口货车侧翻情况"),
    ):
        yield LIXIA.writes(when, f"历下区要情专报+{what}", f"{what}：已组织处置，无人员伤亡。")
    yield PINGYIN.writes("05-06 12:00", "平阴县要情专报+某村水管爆裂情况", "某村水管爆裂，已抢修。")
    yield recorded("05-07 15:00", OFFICE, "差错", unit="平阴县", fault="迟报",
                   serious="否", bad_effect="是", forecast="否", day="2026-05-04")  # fmt: skip
    yield recorded("05-08 15:00", OFFICE, "任务", unit="平阴县", task="D1", due="2026-05-15")
    yield recorded("06-03 15:00", OFFICE, "任务完成", unit="平阴县", task="D1")


SENT = {
    "2026-H1": {"lixia": 2, "pingyin": 1},
    "2026-H2": {"lixia": 1},
    "2026": {"lixia": 3, "pingyin": 1},
}
LISTS = {"2026-H1": {"accountability": {"pingyin"}}}
NOTHING_TO_SAY = {
    f"overdue:jinan:2026-{month:02}:draft" for month in range(1, 13) if month != 5
} | {
    "overdue:jinan:2025-12:draft", "accountability:jinan:2025-H2:draft",
    "accountability:jinan:2026-H2:draft",
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
    covers={"half": COVERS, "overdue": set(), "accountability": set(), "appraisal": set()},
    files=FILES,
)
