"""What a part of the daemon has on the board, and how it names its troubles."""

from __future__ import annotations

import logging
from datetime import datetime

from mailbot.adapters.doctor.remedies import explain_fault
from mailbot.app.board import Board
from mailbot.app.errors import OperatorFault, WorldFault
from mailbot.app.records import NewTask
from mailbot.bootstrap import Office

log = logging.getLogger("mailbot.daemon")

_SHARED = {
    "database": "数据库暂时不能用，收信和发信都要等它恢复",
    "disk": "磁盘写不进去，收信和发信暂停",
    "reader": "读邮件的子进程起不来，收信暂停",
}
"""Troubles that are not the part's own, by their key."""


class Notes:
    """One part's. It takes off only what it put on itself: another part may still be in trouble."""

    def __init__(self, board: Board, key: str, what: str) -> None:
        """`what`: how the part's own trouble begins, in Chinese."""
        self._board, self._key, self._what = board, key, what
        self._on: set[str] = set()

    def fault(self, fault: Exception, now: datetime) -> None:
        key = _key_of(fault) or self._key
        said = explain_fault(fault) if isinstance(fault, WorldFault) else str(fault)
        if not isinstance(fault, WorldFault | OperatorFault):
            said = f"程序自身出错（{type(fault).__name__}），会接着重试；请把日志交给维护人员"
        self.note(f"{_SHARED.get(key, self._what)}：{said.rstrip('。')}。", now, key)

    def note(self, text: str, now: datetime, key: str = "") -> None:
        key = key or self._key
        self._on.add(key)
        self._board.note(key, text, now)

    def clear(self) -> None:
        for key in self._on:
            self._board.clear(key)
        self._on.clear()


def _key_of(fault: Exception) -> str:
    code = fault.code if isinstance(fault, WorldFault) else ""
    if code.startswith("database"):
        return "database"
    if code == "disk":
        return "disk"
    return "reader" if code == "sandbox" else ""


def tell(office: Office, task: NewTask) -> None:
    """A task for a person, unless one of its kind is open."""
    with office.store.begin() as tx:
        if not tx.read.has_open_task(task.office, task.kind):
            tx.add_task(task, office.clock.now())
