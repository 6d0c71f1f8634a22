"""A database restored from a backup, its mailbox not: what the lost time may have sent is not sent again.

The backup knows nothing of what came in, was answered and was numbered between its making (`taken`)
and the restore (`at`). All that mail is read again, and everything due is done again. So:

* Numbers of receipts and ids go on far beyond what can have been given (`leave_gap`): two items never
  share a number, and a code or Message-ID of the lost time never means something else. The gap stays
  to be seen.
* Letters that waited when the backup was made become UNKNOWN: `app.uncertain` looks for them.
* Answers to mail received before the restore, and letters of our own accord due before it, are
  WITHHELD (`state_for`).
* `Witnesses` then looks at the server. A letter of ours in Sent that answers the mail, the mail lying
  where settled mail is put, or its bearing our own keyword: it was dealt with, the answer is DROPPED. A
  letter of our own accord that lies in Sent under its Message-ID (made from its key, the same again):
  it is SENT.
* What nobody witnesses stays withheld for a person (`mailbot backlog`), with one task an office.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from mailbot.app.errors import OperatorFault, WorldFault
from mailbot.app.evidence import Restored, SentLetter, SentMail, WithheldLetter
from mailbot.app.ports import Clock, Reads, Store
from mailbot.app.records import NewTask, OutboxState

_log = logging.getLogger(__name__)

RESTORED_AT, RESTORED_FROM = "restored_at", "restored_from"
"""Facts that a restore writes: ISO times of the restore and of the backup."""
PREPARED = "restored_prepared"
"""Fact: the restore that was prepared for (its `restored_at`)."""
TASK = "restored"

MARGIN = timedelta(days=1)
"""Sent mail is looked through from so long before the backup: clocks differ, backups take time."""
READ_AGAIN = timedelta(days=14)
"""How long after a restore folders of settled mail are read for what the lost time put there."""
FAILED_LOOKS = 3
"""Looks in vain after which a person is asked without a witness."""
REST = 300.0
"""Seconds after a look that failed."""
_MOST = 500
_OFFICE_ZONE = ZoneInfo("Asia/Shanghai")


def restored(reads: Reads) -> Restored | None:
    """The last restore; None: there was none."""
    at = _moment(reads.fact(RESTORED_AT))
    if at is None:
        return None
    return Restored(_moment(reads.fact(RESTORED_FROM)) or at - timedelta(days=30), at)


def state_for(reads: Reads, moment: datetime) -> OutboxState:
    """Of a letter about what happened or was due at `moment`: it may have gone out before."""
    lost = restored(reads)
    if lost is not None and moment <= lost.at:
        return OutboxState.WITHHELD
    return OutboxState.READY


def prepare(store: Store, prefixes: Collection[str], now: datetime) -> bool:
    """Before anything else is done with a restored database: numbers, ids, unfinished letters. Once
    for each restore; True when it was done now."""
    with store.reading() as reads:
        if reads.fact(RESTORED_AT) == reads.fact(PREPARED):
            return False
    with store.begin() as tx:
        tx.hold_ledger()  # of several machines that open it at once, one does it
        at, lost = tx.read.fact(RESTORED_AT), restored(tx.read)
        if lost is None or at == tx.read.fact(PREPARED):
            return False
        tx.leave_gap(prefixes, lost, now)
        doubted = tx.doubt_unfinished(lost)
        tx.set_fact(PREPARED, at, now)
    _log.warning("restored from a backup of %s: %d letters to look for", lost.taken, doubted)
    return True


@dataclass(slots=True)
class WitnessReport:
    """One round, by outbox ids."""

    sent: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    withheld: list[int] = field(default_factory=list)
    """Without a witness; a person has a task."""
    faults: list[str] = field(default_factory=list)


class Witnesses:
    """Not shared between threads. `filed` gives, by account, the folders settled mail is put into;
    `is_ours` knows our own Message-IDs (a person may have answered by hand)."""

    def __init__(
        self,
        store: Store,
        sent_mail_for: Callable[[str], SentMail | None],
        clock: Clock,
        *,
        filed: Mapping[str, Collection[str]],
        is_ours: Callable[[str], bool],
        explain: Callable[[WorldFault], str] = str,
    ) -> None:
        self._store, self._letters = store, store.withheld
        self._sent_mail_for, self._clock = sent_mail_for, clock
        self._filed, self._is_ours, self._explain = filed, is_ours, explain
        self._rests: dict[str, float] = {}

    def look(self, now: datetime, senders: Collection[str] | None = None) -> WitnessReport:
        """Looks for what was not looked for yet; nothing to do without a restore. Raises what the
        store raises; looking again later is harmless."""
        report = WitnessReport()
        with self._store.reading() as reads:
            lost = restored(reads)
        if lost is None:
            return report
        letters = self._letters.letters(lost.at, FAILED_LOOKS, _MOST, senders)
        by_sender = sorted(letters, key=lambda one: (one.sender, one.id))
        for sender, group in groupby(by_sender, key=attrgetter("sender")):
            if self._rests.get(sender, 0.0) <= self._clock.monotonic():
                self._look_for(sender, list(group), lost, now, report)
        self._ask(lost, {one.id: one.office for one in letters}, now, report)
        return report

    def _look_for(
        self,
        sender: str,
        letters: Sequence[WithheldLetter],
        lost: Restored,
        now: datetime,
        report: WitnessReport,
    ) -> None:
        seen: Sequence[SentLetter] = ()
        failed = False
        try:
            seen = self._sent(sender, lost)
        except (WorldFault, OperatorFault) as error:
            failed = True
            self._rests[sender] = self._clock.monotonic() + REST
            fault = self._explain(error) if isinstance(error, WorldFault) else str(error)
            report.faults.append(f"{sender}: {fault}")
            _log.warning("%s: the sent mail could not be looked at: %s", sender, error)
        ids = {one.message_id.lower() for one in seen if one.message_id}
        answered = {
            one.in_reply_to.lower()
            for one in seen
            if one.in_reply_to and self._is_ours(one.message_id)
        }
        left = [one for one in letters if not self._witnessed(one, ids, answered, now, report)]
        # A look that failed is one of several; one that showed nothing is enough.
        for _ in range(1 if failed else FAILED_LOOKS):
            self._letters.looked([one.id for one in left], now)
        report.withheld += [o.id for o in left if not failed or o.looks + 1 >= FAILED_LOOKS]

    def _sent(self, sender: str, lost: Restored) -> Sequence[SentLetter]:
        sent = self._sent_mail_for(sender)
        if sent is None:
            return ()
        with closing(sent):
            return sent.letters(lost.taken - MARGIN) or ()

    def _witnessed(
        self,
        one: WithheldLetter,
        ids: Collection[str],
        answered: Collection[str],
        now: datetime,
        report: WitnessReport,
    ) -> bool:
        if one.message_id.lower() in ids:
            why = "数据库恢复以前已经发出：“已发送”里有这封信。"
            if self._letters.sent_before(one.id, why, now):
                report.sent.append(one.id)
            return True
        if one.answers and one.answers.lower() in answered:
            why = "数据库恢复以前已经答复：“已发送”里有对这封来信的答复。"
        elif one.account and one.folder in self._filed.get(one.account, ()):
            why = f"数据库恢复以前已经办理：这封来信已归入“{one.folder}”。"
        elif one.marked:
            why = "数据库恢复以前已经办理：这封来信带有本系统的标记。"
        else:
            return False
        if self._letters.drop(one.id, f"{why}不再重复发送。", now):
            report.dropped.append(one.id)
        return True

    def _ask(
        self, lost: Restored, offices: Mapping[int, str], now: datetime, report: WitnessReport
    ) -> None:
        for office in sorted({offices[one] for one in report.withheld}):
            with self._store.begin() as tx:
                if not tx.read.has_open_task(office, TASK):
                    tx.add_task(NewTask(office, TASK, _text(lost)), now)


def _text(lost: Restored) -> str:
    taken, at = (f"{t.astimezone(_OFFICE_ZONE):%Y-%m-%d %H:%M}" for t in (lost.taken, lost.at))
    return (
        f"数据库已于 {at} 用 {taken} 的备份恢复。这段时间里收到的来信和到期的信件，当时可能已经答复或发出，"
        "系统在邮箱里没有找到凭据，所以暂缓发送，以免对方收到两封。请用 mailbot backlog 查看，"
        "逐封核对邮箱的“已发送”或询问对方：没有发过的，用 --send --only 编号 发送；"
        "发过的，用 --drop --only 编号 作罢。其中可能有给保密员的涉密标记提醒，当时也可能已经发过，"
        "请一并告知保密员。这段时间的回执编号会重新编排，中间留有空号，属正常情况。"
    )


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=_OFFICE_ZONE)
