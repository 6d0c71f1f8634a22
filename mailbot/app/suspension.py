"""An address that letters do not reach gets no more of them of our own accord until a person has
looked.

Counted are letters, not notices of failure: a storm of notices about one letter is one failure. Three
failures in a row suspend the address; a task names it, and closing the task lifts the suspension. So
does a letter that evidently arrived: a server that only passes mail on accepts everything, so a letter
counts as arrived when a day has brought no notice of failure. Whoever writes to us is answered all the
same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.app.ports import Store
from mailbot.app.records import Outgoing

TASK = "suspended"
LIMIT = 3
PROVEN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one letter to an address."""

    failed: bool
    """Refused for good, or come back."""
    at: datetime


def failing(newest_first: Sequence[Tried], now: datetime) -> bool:
    """Did `LIMIT` letters fail since the last that arrived? A fresh one tells nothing yet."""
    failures = 0
    for one in newest_first:
        if one.failed:
            failures += 1
        elif now - one.at >= PROVEN:
            break
    return failures >= LIMIT


def task_text(recipient: str, subject: str, why: str) -> str:
    return (
        f"发往 {recipient} 的信件连续 {LIMIT} 封没有送达（最近一封是“{subject}”），"
        f"系统已暂停主动向这个邮箱发信；对方来信仍照常回复。{why}"
        "请电话核对地址，改正名册或 letters.toml 里的邮箱；地址无误、可以恢复发信的，关闭本任务即恢复："
        "mailbot tasks --done 任务号。"
    )


class Suspended:
    """Asked by the delivery just before a letter is sent."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def why_not(self, letter: Outgoing, now: datetime) -> str:
        """Why a letter is not sent to its address now, in Chinese; "" when it may go."""
        if letter.inbound_id is not None:
            return ""
        with self._store.reading() as reads:
            if letter.recipient.lower() not in reads.suspended(letter.office):
                return ""
        return (
            f"发往 {letter.recipient} 的信件连续 {LIMIT} 封没有送达，已暂停主动发信；"
            "核对地址、关闭对应的任务后恢复。"
        )
