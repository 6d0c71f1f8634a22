"""How the installation does: what the database shows, what the parts of this process say of
themselves, and what follows from both.

`gather` only reads, and little: it is asked every few seconds. It answers also when the database
does not; that is then the first thing it tells. The sentences are for people and for the alerts made
of them: nothing of a mail is in them, addresses are masked.

Three states: OK; DEGRADED, mail is taken in and answered but something wants a person; FAILED, a
mailbox is not being looked after, or nothing can be written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from mailbot.app.board import Board
from mailbot.app.errors import OperatorFault, WorldFault
from mailbot.app.masking import masked
from mailbot.app.records import OutboxState


class State(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is not as it should be."""

    key: str
    """Stable: `mailbox:otog`, `delivery:<sender>`, `outbox`. For show: `name`."""
    state: State
    text: str
    """Chinese, whole sentences."""
    local: bool = False
    """A matter of this machine alone (its disk, its clock)."""

    @property
    def name(self) -> str:
        return masked(self.key)


@dataclass(frozen=True, slots=True)
class MailboxFigures:
    """What the database knows of one mailbox."""

    searched: datetime | None = None
    """Last search of any of its folders that went well."""
    decided: datetime | None = None
    """When its newest decided mail was decided: reading a long backlog is a sign of life."""
    waiting: int = 0
    """Mails registered and not decided yet."""
    oldest: datetime | None = None
    """Since when the one that waits longest is known."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One look into the database."""

    schema: str
    mailboxes: Mapping[str, MailboxFigures]
    letters: Mapping[str, int]
    """Letters by state; SENT and DROPPED ones are not counted."""
    oldest_letter: datetime | None = None
    """Since when the letter that waits longest (READY, RETRY) is queued."""
    held: int = 0
    """Items that wait for a person."""
    tasks: Mapping[str, int] = field(default_factory=dict)
    """Open tasks by kind."""
    oldest_task: datetime | None = None
    last_hour: Mapping[str, int] = field(default_factory=dict)
    """Answers of each office in the last hour."""
    last_backup: datetime | None = None
    """The last one that was whole."""
    backup_lacks: int = 0
    """Mails that one made since then lacks."""
    workers: int = 0
    """Processes known to live, where several share the database."""
    leased: frozenset[str] = frozenset()
    """Names of the leases that somebody holds."""
    hosts: frozenset[str] = frozenset()
    """Machines with a process that lives."""


class HealthReads(Protocol):
    def figures(self, now: datetime) -> Figures:
        """Raises `WorldFault` when the database is away."""
        ...

    def free_bytes(self) -> int | None:
        """Free space where mail is written down; None where nobody can tell."""
        ...


@dataclass(frozen=True, slots=True)
class Expected:
    """What is normal for this installation."""

    mailboxes: tuple[str, ...]
    per_hour: Mapping[str, int]
    """Most answers an hour, by office: at it the breaker stops them."""
    least_free: int
    """Bytes below which no mail is taken in."""
    backup_every: timedelta | None = timedelta(hours=48)
    """Older backups are told; None where somebody else makes them."""


SILENT, LOST = timedelta(minutes=15), timedelta(minutes=60)
"""Without a good search of a mailbox: somebody should look; it is not being looked after."""
SLOW, STUCK = timedelta(minutes=30), timedelta(hours=4)
"""A mail known and not decided."""
LETTER_LATE, LETTER_STUCK = timedelta(hours=1), timedelta(hours=24)
"""A letter ready and not sent. Retries after a temporary refusal go on for days."""
ROOM = 4
"""Free space below so many times the least there must be is told."""
_TASKS_MANY = 50

_LOCAL = frozenset({"disk", "clock", "reader", "database", "config"})
"""Keys of troubles that one machine has by itself."""
_FATAL = frozenset({"database", "disk", "reader"})
"""Board's troubles that stop the work."""


@dataclass(frozen=True, slots=True)
class Health:
    """One look at everything."""

    at: datetime
    state: State
    reasons: tuple[Reason, ...]
    """The worst first."""
    figures: Figures | None
    """None: the database could not be read."""
    free_bytes: int | None
    per_hour: Mapping[str, int]
    """As `Expected`, for those who show how near the breaker is."""


def gather(reads: HealthReads, board: Board, expected: Expected, now: datetime) -> Health:
    """Never raises for a fault of the world."""
    found: dict[str, Reason] = {}
    figures = None
    try:
        figures = reads.figures(now)
    except (WorldFault, OperatorFault) as fault:
        text = f"数据库现在读不了（{fault}）。新邮件暂不处理，也不会丢失；请检查数据库服务和磁盘。"
        found["database"] = _reason("database", State.FAILED, text)
    free = reads.free_bytes()
    for key, trouble in board.troubles().items():
        state = State.FAILED if key in _FATAL else State.DEGRADED
        found.setdefault(key, _reason(key, state, trouble.text))
    for reason in [*_of_disk(free, expected), *(_of_figures(figures, expected, now))]:
        old = found.get(reason.key)
        if old is None:
            found[reason.key] = reason
        elif _RANK[reason.state] < _RANK[old.state]:  # the part's own words tell why
            found[reason.key] = Reason(old.key, reason.state, old.text, old.local)
    reasons = tuple(sorted(found.values(), key=lambda r: (_RANK[r.state], r.key)))
    state = reasons[0].state if reasons else State.OK
    return Health(now, state, reasons, figures, free, expected.per_hour)


_RANK = {State.FAILED: 0, State.DEGRADED: 1, State.OK: 2}


def _reason(key: str, state: State, text: str) -> Reason:
    kind = key.partition(":")[0]
    return Reason(key, state, masked(text), kind in _LOCAL)


def _of_disk(free: int | None, expected: Expected) -> list[Reason]:
    if free is None or free >= ROOM * expected.least_free:
        return []
    left = f"数据目录所在的磁盘只剩 {free // 1_000_000} MB"
    if free < expected.least_free:
        text = f"{left}，已停止收取邮件；腾出空间后自动继续。邮件都还在邮箱里。"
        return [_reason("disk", State.FAILED, text)]
    text = f"{left}，低于 {expected.least_free // 1_000_000} MB 时将停止收取邮件，请清理。"
    return [_reason("disk", State.DEGRADED, text)]


def _of_figures(figures: Figures | None, expected: Expected, now: datetime) -> list[Reason]:
    if figures is None:
        return []
    reasons: list[Reason] = []
    for name in expected.mailboxes:
        reasons += _of_mailbox(name, figures.mailboxes.get(name, MailboxFigures()), now)
    reasons += _of_letters(figures, now)
    for office, limit in expected.per_hour.items():
        if figures.last_hour.get(office, 0) >= limit:
            text = f"{office} 一小时内已发出 {limit} 封答复，达到上限，自动答复暂停；来信照常登记。"
            text += "请用 mailbot tasks 看看是不是有人在成批来信。"
            reasons.append(_reason(f"breaker:{office}", State.DEGRADED, text))
    if bounced := figures.tasks.get("bounce", 0):
        text = f"有 {bounced} 封信被退回，收信地址可能有误。请用 mailbot tasks 逐条核对。"
        reasons.append(_reason("bounced", State.DEGRADED, text))
    open_tasks = sum(figures.tasks.values())
    if open_tasks >= _TASKS_MANY:
        text = f"有 {open_tasks} 件事等人处理。请用 mailbot tasks 查看。"
        reasons.append(_reason("tasks", State.DEGRADED, text))
    return reasons + _of_backup(figures, expected, now)


def _of_mailbox(name: str, box: MailboxFigures, now: datetime) -> list[Reason]:
    reasons = []
    signs = [t for t in (box.searched, box.decided) if t is not None]
    if not signs:
        text = f"邮箱 {name} 还没有查过信。请确认 mailbot 正在运行，并运行 mailbot doctor。"
        reasons.append(_reason(f"mailbox:{name}", State.DEGRADED, text))
    elif (age := now - max(signs)) > SILENT:
        state = State.FAILED if age > LOST else State.DEGRADED
        text = f"邮箱 {name} 已有 {span(age)}没有查信成功。请确认 mailbot 正在运行、网络通畅、"
        reasons.append(_reason(f"mailbox:{name}", state, text + "授权码有效：mailbot doctor。"))
    if box.oldest is not None and (age := now - box.oldest) > SLOW:
        state = State.FAILED if age > STUCK else State.DEGRADED
        text = f"邮箱 {name} 有 {box.waiting} 封来信尚未处理，最早的一封已等了{span(age)}。"
        reasons.append(_reason(f"waiting:{name}", state, text + "请查看 mailbot 的日志。"))
    return reasons


def _of_letters(figures: Figures, now: datetime) -> list[Reason]:
    reasons = []
    if figures.oldest_letter and (age := now - figures.oldest_letter) > LETTER_LATE:
        waiting = _count(figures, OutboxState.READY, OutboxState.RETRY)
        state = State.FAILED if age > LETTER_STUCK else State.DEGRADED
        text = f"有 {waiting} 封信等待发出，最早的一封已等了{span(age)}。请检查发信服务器："
        reasons.append(_reason("outbox", state, text + "mailbot doctor。"))
    if unknown := _count(figures, OutboxState.UNKNOWN):
        text = f"有 {unknown} 封信发出时连接断开，不知对方是否收到，尚未查明。"
        text += "mailbot 会自己去“已发送”里查找；查不明的会列在 mailbot tasks 里。"
        reasons.append(_reason("unknown", State.DEGRADED, text))
    if withheld := _count(figures, OutboxState.WITHHELD):
        text = f"有 {withheld} 封信暂缓发送：来信较早，或数据库恢复以前可能已经发过。"
        text += "请用 mailbot backlog 决定发还是不发。"
        reasons.append(_reason("withheld", State.DEGRADED, text))
    return reasons


def _of_backup(figures: Figures, expected: Expected, now: datetime) -> list[Reason]:
    if lacks := figures.backup_lacks:
        text = (
            f"最近一次备份缺 {lacks} 封来信的原件：原件档案里已损坏或丢失。请运行 mailbot verify，"
        )
        text += "按提示恢复原件，再运行 mailbot backup。"
        return [_reason("backup", State.DEGRADED, text)]
    every = expected.backup_every
    if every is None or figures.last_backup is None or now - figures.last_backup <= every:
        return []  # who never made one with mailbot makes them by other means
    text = f"上一次备份是在 {span(now - figures.last_backup)}前。请检查定时任务，"
    return [_reason("backup", State.DEGRADED, text + "或手工运行 mailbot backup。")]


def _count(figures: Figures, *states: OutboxState) -> int:
    return sum(figures.letters.get(state.value, 0) for state in states)


def span(age: timedelta) -> str:
    """A length of time as people say it."""
    minutes = max(int(age.total_seconds() // 60), 0)
    if minutes < 1:
        return "不到 1 分钟"
    if minutes < 120:
        return f" {minutes} 分钟"
    if minutes < 48 * 60:
        return f" {minutes // 60} 小时"
    return f" {minutes // (24 * 60)} 天"
