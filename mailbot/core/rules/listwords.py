"""Why a unit stands on a list, as the office would say it. Words only: who is named, and for what,
is decided elsewhere (`lists`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from mailbot.core.rules.entries import Row
from mailbot.core.rules.events import NAMES, Event, EventKind
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.scorebook import LedgerTask, ListKind, OrderBy, Quota
from mailbot.core.rules.tasktable import OpenTask

_NUMERALS = "一二三四五六七八九十"
_QUOTE = 30
"""Characters of a plan's sentence that tell which task is meant."""


def place(row: Row, by: OrderBy, kind: ListKind, at: int, shared: bool) -> str:
    """`at`: from the top, or from below for the last. 第一名，86 分; 并列倒数第二名，采用 1 条."""
    ordinal = _NUMERALS[at - 1] if at <= len(_NUMERALS) else str(at)
    if kind is ListKind.FIRST:
        named = f"第{ordinal}名"
    else:
        named = "最后一名" if at == 1 else f"倒数第{ordinal}名"
    match by:
        case OrderBy.POINTS:
            reached = f"{plain(row.points)} 分"
        case OrderBy.ADOPTED:
            reached = f"采用 {row.adopted} 条"
        case OrderBy.SUBMISSIONS:
            reached = f"报送 {row.submissions} 条"
    return f"{'并列' if shared else ''}{named}，{reached}"


def silence(runs: Sequence[Sequence[Period]], within: Period) -> str:
    """7月、8月未报送; of several running: 6月、7月连续未报送. Runs that touch are said as one."""
    running = len(runs[0]) > 1
    joined: list[list[Period]] = []
    for run in runs:
        if joined and (not running or run[0].previous() <= joined[-1][-1]):
            joined[-1] += [m for m in run if m > joined[-1][-1]]
        else:
            joined.append(list(run))
    said = "连续未报送" if running else "未报送"
    return "；".join("、".join(_part(m, within) for m in run) + said for run in joined)


def no_adoption(period: Period) -> str:
    return f"{period.name}无采用"


def happened(event: Event) -> str:
    """迟报：草场火情（2026-08-03）; 约稿未完成（2026-08-03）."""
    what = NAMES[event.kind.value]
    if event.kind is EventKind.ERROR and event.fault is not None:
        what = NAMES[event.fault.value]
    elif event.outcome is not None:
        what += NAMES[event.outcome.value]
    elif event.status is not None:
        what = NAMES[event.status.value]
    if event.times > 1:
        what += f"{event.times}次"
    about = event.title or event.reason
    return f"{what}{'：' if about else ''}{about}（{event.day.isoformat()}）"


def mentioned(event: Event) -> str:
    """As the person said who put it there."""
    about = event.reason or event.title or NAMES[event.kind.value]
    return f"{about}（{event.day.isoformat()}）"


def shortage(quota: Quota, missing: Sequence[tuple[Period, int]], within: Period) -> str:
    """信息：7月缺3条、9月缺1条."""
    said = "、".join(f"{_part(part, within)}缺{number}条" for part, number in missing)
    return f"{quota.name}：{said}"


def overdue(task: OpenTask, ledger: Sequence[LedgerTask]) -> str:
    """《……》应于2021-12-31前完成."""
    quoted = next((t.quote for t in ledger if t.id == task.given.item), "")
    short = quoted if len(quoted) <= _QUOTE else f"{quoted[:_QUOTE]}……"
    about = task.given.title or short or task.given.item
    assert isinstance(task.due, date)
    return f"{about}：应于{task.due.isoformat()}前完成"


def below(points: Decimal, least: int) -> str:
    return f"{plain(points)} 分，低于 {least} 分"


def _part(part: Period, within: Period) -> str:
    """7月 where the year is plain, 2021年12月 where it is not."""
    if part.kind is PeriodKind.MONTH and part.first.year == within.first.year:
        return f"{part.first.month}月"
    return part.name
