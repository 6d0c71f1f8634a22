"""`tasks.toml`: the sentences of a plan, quoted; every slip told with its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mailbot.adapters.offices.rulefiles import load_office
from tests.unit.rulefile_help import SOUND, Broken, broken, tell_all, write

TASKS = """document = "甲政办发〔2021〕5号"
year = 2021

[[task]]
id = "t1"
clause = "（一）"
quote = "年底前完成。"
units = ["各镇", "发展改革部门"]
due = 2021-12-31

[[task]]
id = "t2"
clause = "（二）"
quote = "加强公开。"
"""


def test_tasks_are_read_as_the_plan_has_them(tmp_path: Path) -> None:
    book = load_office(write(tmp_path / "jia", {**SOUND, "tasks.toml": TASKS}))
    first, second = book.scoring.tasks
    assert (first.id, first.clause, first.quote, first.year) == (
        "t1",
        "（一）",
        "年底前完成。",
        2021,
    )
    assert (first.units, first.due) == (("各镇", "发展改革部门"), date(2021, 12, 31))
    assert (second.units, second.due) == ((), None)


def test_an_office_without_the_file_has_no_tasks(tmp_path: Path) -> None:
    assert load_office(write(tmp_path / "jia", dict(SOUND))).scoring.tasks == ()


def swap(name: str, old: str, new: str, *say: str) -> Broken:
    assert old in TASKS
    text = TASKS.replace(old, new, 1) if old else TASKS + new
    return broken(name, ("tasks.toml", "", text), say=[f"tasks.toml|{s}" for s in say])


BROKEN = [
    swap("without document and year", 'document = "甲政办发〔2021〕5号"\nyear = 2021\n', "", "缺少 document", "缺少 year"),
    swap("a year of another age", "year = 2021", "year = 21", "第 2 行|year|21 超出范围"),
    swap("an empty plan", TASKS[TASKS.index("[[task]]"):], "", "缺少 task|[[task]]"),
    swap("a task twice", 'id = "t2"', 'id = "t1"', "第 12 行|[[task]] 第 2 个|id|任务“t1”写了两次"),
    swap("a task of nothing", 'id = "t2"\nclause = "（二）"\nquote = "加强公开。"\n', "", "缺少 id", "缺少 clause", "缺少 quote"),
    swap("due before the year, units as text", 'units = ["各镇", "发展改革部门"]\ndue = 2021-12-31',
         'units = "各镇"\ndue = 2020-12-31', "units|文字 各镇|列表", "第 9 行|due|2020-12-31 早于 2021 年"),
    swap("due in words", "due = 2021-12-31", 'due = "年底"', "due|文字 年底|日期"),
    swap("an unknown key", 'clause = "（二）"', 'clause = "（二）"\nowner = "x"', "不认识的键 owner"),
]  # fmt: skip


@pytest.mark.parametrize("case", BROKEN, ids=lambda b: b.name)
def test_a_broken_file_tells_all_its_faults_at_once(tmp_path: Path, case: Broken) -> None:
    tell_all(tmp_path, case, load_office)
