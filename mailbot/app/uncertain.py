"""Finds out what became of letters whose final dot went out and whose answer was never read.

For each of them, in this order:

1. A copy of it came back to our own mailbox, or a bounce of it: it went out. SENT.
2. It lies among the sent mail (`app.evidence.SentMail`): it went out. SENT.
3. It certainly does not lie there (the look is conclusive), and the server has had the time it may
   take over a mail it was handed (`SETTLING`): one identical copy, the same bytes and Message-ID, so
   that even a reader who gets both has one mail. Only once, and only while it is still of use.
4. Anything else is a person's: nowhere to look, nothing conclusive after several looks, unknown a
   second time. One task, which says what was looked at. A letter found later closes it.

It promises that no letter goes out twice on a guess: what is not known is asked. A look that fails
(no connection, login refused) counts as a look that showed nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from mailbot.app.errors import OperatorFault, Permanent, WorldFault
from mailbot.app.evidence import SentLetter, SentMail, Sight, UncertainLetter
from mailbot.app.ports import Clock, Store

_log = logging.getLogger(__name__)

SETTLING = timedelta(minutes=12)
"""RFC 5321 §4.5.3.2.6: a server may take ten minutes over the final dot; and some more to file it."""
LOOKS = tuple(timedelta(minutes=n) for n in (1, 5, 15, 30, 60))
"""When a letter is looked for, counted from the dot. After the last of them a person is asked …"""
LATE_LOOKS = (timedelta(hours=3), timedelta(hours=12), timedelta(days=1))
"""… and it is looked for a few times more, to close the task by itself."""
COMPARED = timedelta(days=1)
"""Letters accepted since so long before the dot show whether the sent mail is kept."""
COMPARED_MOST = 10
_FILING = timedelta(minutes=2)
"""A letter accepted just now need not be filed yet."""
_RESTS = {True: 900.0, False: 60.0}
"""Seconds without a look after one that failed; longer after a refused login: accounts are locked."""
_OFFICE_ZONE = ZoneInfo("Asia/Shanghai")
_ALL_LOOKS = (*LOOKS, *LATE_LOOKS)


@dataclass(slots=True)
class UncertainReport:
    """One round: outbox ids by what became of them."""

    found: list[int] = field(default_factory=list)
    copied: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    """A person has a task from now on."""
    waiting: list[int] = field(default_factory=list)
    """To be looked for again."""
    faults: list[str] = field(default_factory=list)
    """Why the sent mail could not be looked at."""


class OwnCopies:
    """`SentMail` of a sender with no sent mail to look at, who gets a copy of each letter himself:
    it comes in through the intake, and waiting for it is worth while."""

    def sight(
        self, asked: Collection[str], known: Collection[str], since: datetime
    ) -> Sight | None:
        return Sight(frozenset(), conclusive=False)

    def letters(self, since: datetime) -> Sequence[SentLetter] | None:
        return None

    def close(self) -> None:
        return None


class Uncertainties:
    """Not shared between threads. `sent_mail_for` gives what to look at for a sender's address, anew
    for each round and closed after it; None: nowhere. `explain` puts a fault into Chinese."""

    def __init__(
        self,
        store: Store,
        sent_mail_for: Callable[[str], SentMail | None],
        clock: Clock,
        *,
        explain: Callable[[WorldFault], str] = str,
    ) -> None:
        self._letters = store.uncertain
        self._sent_mail_for, self._clock, self._explain = sent_mail_for, clock, explain
        self._rests: dict[str, float] = {}

    def look(self, now: datetime, senders: Collection[str] | None = None) -> UncertainReport:
        """Looks for what is due; only letters of `senders` where given. Raises what the store
        raises; looking again later is harmless."""
        report = UncertainReport()
        letters = self._letters.letters(len(_ALL_LOOKS), senders)
        for sender, group in groupby(sorted(letters, key=_by_sender), key=attrgetter("sender")):
            open_ = [one for one in group if not self._came_back(one, now, report)]
            due = [one for one in open_ if is_due(one, now)]
            if not due and any(not one.asked for one in open_) and self._nowhere(sender):
                due = open_  # there is nothing to wait for
            if due and self._rests.get(sender, 0.0) <= self._clock.monotonic():
                self._look_for(sender, due, now, report)
            else:
                due = []
            report.waiting += [one.id for one in open_ if one not in due and not one.asked]
        return report

    def _came_back(self, one: UncertainLetter, now: datetime, report: UncertainReport) -> bool:
        if not one.traced:
            return False
        where = f"没有读到邮件服务器的答复；后来在{one.traced}，可见已经发出。"
        if self._letters.found(one.id, where, now):
            report.found.append(one.id)
        return True

    def _look_for(
        self, sender: str, due: Sequence[UncertainLetter], now: datetime, report: UncertainReport
    ) -> None:
        sight: Sight | None = None
        fault = ""
        try:
            sight = self._sight(sender, due, now)
        except (WorldFault, OperatorFault) as error:
            refused = isinstance(error, Permanent)
            self._rests[sender] = self._clock.monotonic() + _RESTS[refused]
            fault = self._explain(error) if isinstance(error, WorldFault) else str(error)
            report.faults.append(f"{sender}: {fault}")
            _log.warning("%s: the sent mail could not be looked at: %s", sender, error)
            sight = Sight(frozenset(), conclusive=False)
        if sight is not None:
            self._letters.looked([one.id for one in due], now)
        for one in due:
            self._judge(one, sight, fault, now, report)

    def _nowhere(self, sender: str) -> bool:
        sent = self._sent_mail_for(sender)
        if sent is not None:
            sent.close()
        return sent is None

    def _sight(self, sender: str, due: Sequence[UncertainLetter], now: datetime) -> Sight | None:
        sent = self._sent_mail_for(sender)
        if sent is None:
            return None
        dots = min(_asked_since(one) for one in due)
        since = min(dots, now) - COMPARED
        known = self._letters.accepted(sender, since, now - _FILING, COMPARED_MOST)
        with closing(sent):
            return sent.sight(
                [bracketed(one.message_id) for one in due],
                [bracketed(message_id) for message_id in known if message_id],
                since,
            )

    def _judge(
        self,
        one: UncertainLetter,
        sight: Sight | None,
        fault: str,
        now: datetime,
        report: UncertainReport,
    ) -> None:
        if sight is not None and bracketed(one.message_id) in sight.found:
            place = f"“{sight.where}”" if sight.where else "已发送的邮件"
            where = f"没有读到邮件服务器的答复；后来在{place}里查到这封信，可见已经发出。"
            if self._letters.found(one.id, where, now):
                report.found.append(one.id)
            return
        if one.asked:
            return
        missing = sight is not None and sight.conclusive and now - one.dot >= SETTLING
        if missing and one.copies == 0 and self._once_more(one, sight, now, report):
            return
        if sight is None or missing or one.looks + 1 >= len(LOOKS):
            if self._letters.ask(one.id, _text(one, sight, fault), now):
                report.asked.append(one.id)
            return
        report.waiting.append(one.id)

    def _once_more(
        self, one: UncertainLetter, sight: Sight | None, now: datetime, report: UncertainReport
    ) -> bool:
        place = sight.where if sight else ""
        gone = (
            f"没有读到邮件服务器的答复；“{place or '已发送'}”里有同期的信，没有这一封，可见没有发出"
        )
        if one.not_after is not None and now >= one.not_after:
            until = f"{one.not_after.astimezone(_OFFICE_ZONE):%Y-%m-%d %H:%M}"
            dropped = self._letters.drop(
                one.id, f"{gone}。这封信只在 {until} 之前有用，不再发送。", now
            )
            report.dropped += [one.id] if dropped else []
            return dropped
        if not self._letters.copy(one.id, f"{gone}，原样再发一次。", now):
            return False
        report.copied.append(one.id)
        return True


def is_due(one: UncertainLetter, now: datetime) -> bool:
    """Whether its next look is due. A clock that was set back must not put it off for ever."""
    at = _ALL_LOOKS[one.looks]
    if one.looked is None or one.looked > now:
        return now >= one.dot + at or one.dot > now
    since = at - _ALL_LOOKS[one.looks - 1] if one.looks else at
    return now >= one.looked + since and (now >= one.dot + at or one.dot > now)


def bracketed(message_id: str) -> str:
    return f"<{message_id}>"


def _by_sender(one: UncertainLetter) -> tuple[str, int]:
    return one.sender, one.id


def _asked_since(one: UncertainLetter) -> datetime:
    """Of one that was sent twice, either may lie there."""
    return one.queued if one.copies else one.dot


def _text(one: UncertainLetter, sight: Sight | None, fault: str) -> str:
    looks = one.looks + 1
    place = f"“{sight.where}”" if sight and sight.where else "“已发送”"
    twice = "第一次查明没有发出，系统原样再发了一次，这一次也没有等到答复。" if one.copies else ""
    if sight is None:
        looked = "这个邮箱里没有保存本系统所发信件的文件夹，系统无处查对。"
    elif fault:
        looked = f"系统{looks}次想查看邮箱的已发送邮件，最后一次没有成功：{fault.rstrip('。')}。"
    elif sight.conclusive:
        looked = f"系统查看了邮箱的{place}，里面没有这封信。"
    else:
        looked = (
            f"系统{looks}次查看邮箱的{place}，没有查到这封信，"
            "但那里看不到本系统同期发出的其他信件，所以不能断定它没有发出。"
        )
    return (
        f"发给 {one.recipient} 的信件“{one.subject}”已经交给邮件服务器，但没有等到答复，"
        f"不能确定对方是否收到。{twice}{looked}"
        "系统不会再自动发送，以免对方收到两封。请登录邮箱，在“已发送”里查找这封信"
        f"（Message-ID：{one.message_id}）：有，就是已经发出，关闭本任务；"
        "没有，请打电话告知对方，或者人工再发一次，再关闭本任务。"
    )
