"""The year of 莱芜区 (莱芜政办字〔2019〕3号 and its annex). Most of its items come through the OA system
and are entered from a file once a month; one department writes mails.

Every month towns and the first tier owe 20 items, the second tier 10: met, they give 20 points, each
one missing costs 2, though never below 0. Towns get 10 more for a research report and two special
reports a month, the second tier 10 for each month of a quarter with a research report.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from functools import partial

from mailbot.adapters.system import shipped
from tests.integration.year.clock import at
from tests.integration.year.days import Days
from tests.integration.year.installation import Person
from tests.integration.year.sink import Letter
from tests.integration.year.story import Event, Reporter, Story, recorded

OFFICE = "laiwu"
READER = "leader@example.org"
CHANGES = (
    (
        "letters.toml",
        'name = "区政府主要负责同志"   # 待填\naddress = ""',
        f'name = "冯癸"\naddress = "{READER}"',
    ),
)
"""The office has filled in the first of its two leaders."""

PEOPLE = (
    Person("kouzhen", "liaison", "郑甲", "liaison.kouzhen@example.org"),
    Person("kouzhen", "head", "郑乙", "head.kouzhen@example.org", "13800000001"),
    Person("audit", "liaison", "何甲", "liaison.audit@example.org"),
    Person("audit", "head", "何乙", "head.audit@example.org", "13800000002"),
    Person("education", "head", "吕乙", "head.education@example.org", "13800000003"),
    Person("xueye", "deputy", "施丙", "deputy.xueye@example.org"),
    Person("xueye", "head", "施乙", "head.xueye@example.org", "13800000004"),
    Person("land", "liaison", "张甲"),  # no address
)
COVERS = {
    "head.kouzhen@example.org", "head.audit@example.org", "head.education@example.org",
    "head.xueye@example.org",
}  # fmt: skip
SILENT = "雪野镇人民政府"
"""Sends nothing in July and August."""
AUDIT = Reporter(OFFICE, "区审计局", "何甲", "liaison.audit@example.org")
COMMISSION = date(2026, 8, 14)
GIVEN = {"commissions": [COMMISSION]}


def happens() -> Iterator[Event]:
    for month in range(1, 13):
        yield Event(at(f"{month:02}-12 17:00"), partial(_imports, month))
    for month in (7, 8):
        yield from AUDIT.month(month, 9, first=2)
    yield from AUDIT.month(9, 8, first=2)
    yield from _recorded()


def _imports(month: int, days: Days) -> None:
    """What lay in the OA system: one item of everybody, of 口镇 20 in July and August."""
    roster = tomllib.loads((shipped("config") / "offices/laiwu/units.toml").read_text("utf-8"))
    rows = []
    for unit in roster["unit"]:
        name = unit["name"]
        if name == SILENT and month in (7, 8):
            continue
        number = 20 if name == "口镇人民政府" and month in (7, 8) else 1
        rows += [_row(name, month, n, _category(month, n, number)) for n in range(1, number + 1)]
    days.import_rows(OFFICE, rows)


def _category(month: int, n: int, number: int) -> str:
    """口镇 sends its research and its two special reports in July only."""
    if number == 20 and month == 7:
        return {1: "调研", 2: "市专报", 3: "市专报"}.get(n, "动态")
    return "动态"


def _row(unit: str, month: int, n: int, category: str) -> dict[str, str]:
    return {
        "kind": "报送",
        "unit": unit,
        "title": _title(month, n),
        "category": category,
        "channel": "OA系统",
        "day": f"2026-{month:02}-{n % 10 + 1:02} 10:00",
        "evidence": f"OA {month}-{n}",
    }


def _title(month: int, n: int) -> str:
    return f"{month}月OA第{n}件：重点工作有序推进"


def _recorded() -> Iterator[Event]:
    of_kouzhen = {"unit": "口镇", "title": _title(7, 5)}
    yield recorded("07-20 15:00", OFFICE, "采用", journal="莱芜政务信息", form="全文", **of_kouzhen)
    yield recorded("07-22 15:00", OFFICE, "转报", level="济南市", **of_kouzhen)
    of_schools = {"unit": "区教育和体育局", "title": _title(8, 1)}
    yield recorded("08-20 15:00", OFFICE, "采用", journal="济南政务信息", form="全文", **of_schools)
    of_audit = {"unit": "区审计局", "title": "8月第3项重点工作有序推进"}
    yield recorded("08-21 15:00", OFFICE, "批示", level="莱芜区", form="全文", **of_audit)
    # The second tier's research report of the quarter comes between its two reminders.
    yield recorded(
        "09-15 15:00", OFFICE, "报送", unit="区审计局", title="乡镇财政资金使用情况调研",
        category="调研", channel="OA系统", day="2026-09-15 10:00",
    )  # fmt: skip
    yield recorded("08-03 15:00", OFFICE, "约稿布置", unit="区自然资源局", title="耕地保护",
                   number="市约1", due="2026-08-14")  # fmt: skip
    yield recorded("08-24 15:00", OFFICE, "约稿", unit="区自然资源局", number="市约1",
                   level="济南市", outcome="未完成")  # fmt: skip


POINTS = {
    "2026-Q1": {},
    "2026-Q2": {},
    # 口镇: July 20 + 10, August 20, September 19 short: −38; printed 10, sent on 5: 65 − 38.
    # 区审计局: 10, 10 and 10 in the months: 60, the research report 30, the district's comment 30.
    # 区教育和体育局: printed 20, short by 57: −114, which takes no more than there is.
    # 区自然资源局: the city's commission −20, below 0; being short takes no more than there is.
    "2026-Q3": {"kouzhen": 27, "audit": 120, "land": -20},
    "2026-Q4": {},
    "2026": {"kouzhen": 27, "audit": 120, "land": -20},
}
SENT: dict[str, dict[str, int]] = {
    "2026-Q3": {"kouzhen": 20 + 20 + 1, "audit": 10 + 10 + 10, "xueye": 1},
    "2026": {"kouzhen": 9 + 41, "audit": 9 + 30, "xueye": 9 + 1},
}
"""Whoever is not named sent one item a month."""
LISTS_Q3 = {
    "first": {"kouzhen", "audit"},  # of the first tier nobody has points
    "no_submission": {"xueye"},
    "no_submission_twice": {"xueye"},
}
NOTHING_TO_SAY = {
    f"interviews:laiwu:2026-{month:02}:draft" for month in range(1, 13) if month != 8
} | {
    # Before the program came nothing was recorded: nobody was silent, nobody owed anything.
    "interviews:laiwu:2025-12:draft", "result:laiwu:2025-12:result",
}  # fmt: skip


def decides(draft: Letter) -> str:
    if "2025年" in draft.subject:
        return "退回 投入使用以前的时段，不办理。"
    if "先进" in draft.subject:
        return ""  # the names are still to be entered by hand
    return "批准"


STORY = Story(
    office=OFFICE,
    people=PEOPLE,
    happens=happens,
    decides=decides,
    given=GIVEN,
    nothing_to_say=frozenset(NOTHING_TO_SAY),
    covers={"quarter": COVERS, "interviews": set()},
    changes=CHANGES,
)
