"""Reads `tasks.toml`: the sentences of a plan that order something, quoted, each a task.

Schema: `document, year`, `[[task]] id, clause, quote, units?, due?`. The units are named as the
text names them: who answers for a task is recorded when it is given out, not here.
"""

from __future__ import annotations

from mailbot.adapters.offices.tablereader import LAST_YEAR, OLDEST_YEAR, TomlSource
from mailbot.core.rules.scorebook import LedgerTask


def read_tasks(source: TomlSource) -> tuple[LedgerTask, ...]:
    root = source.root()
    root.text("document")
    year = root.number("year", least=OLDEST_YEAR, most=LAST_YEAR)
    tasks: list[LedgerTask] = []
    for table in root.tables("task", required=True):
        task = LedgerTask(
            id=table.identifier("id"),
            clause=table.text("clause"),
            quote=table.text("quote"),
            year=year,
            units=table.texts("units"),
            due=table.recent_day("due", required=False),
        )
        table.close()
        if task.id and task.id in {t.id for t in tasks}:
            table.fault("id", f"任务“{task.id}”写了两次", "每项任务的 id 各不相同")
        if task.due is not None and task.due.year < year:
            table.fault("due", f"期限 {task.due} 早于 {year} 年", "核对年份")
        tasks.append(task)
    root.close()
    return tuple(tasks)
