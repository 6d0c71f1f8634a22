"""Does a number in a folder still name the mail it named?

While a folder's UIDVALIDITY stays the same, a UID names one mail for ever (RFC 3501 §2.3.1.1). Servers
do not always keep to it: a mailbox put back from a backup carries its old UIDVALIDITY and gives numbers
out a second time, and one that was moved and moved back brings an old UIDVALIDITY again. A number taken
for known would then hide a new mail for ever. So a folder is doubted when its UIDVALIDITY is another
one than at the last search, when its next number went back, and once a day: size and time of every
known mail are compared with the folder's, and a number that names another mail by now is freed. What
is read again is known by its content: nothing is registered or answered twice (`core.intake`).

At every search the newest known mails are looked at. Numbers are given out upwards: where any is given
out a second time, so are all behind it, and the highest known one names another mail.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest

from mailbot.app.ports import MailSource, Store
from mailbot.app.records import Envelope, FolderState, KnownMail, NewTask

log = logging.getLogger(__name__)

TASK = "renumbered"
DAILY = timedelta(days=1)
NEWEST = 3


@dataclass(frozen=True, slots=True)
class _Note:
    """What was seen of a folder when its numbers were last trusted (a fact of the database)."""

    uidnext: int = 0
    checked: datetime | None = None

    @classmethod
    def read(cls, text: str) -> _Note:
        uidnext, _, checked = text.partition(" ")
        return cls(int(uidnext), datetime.fromisoformat(checked)) if checked else cls()

    def __str__(self) -> str:
        return f"{self.uidnext} {self.checked.isoformat() if self.checked else ''}"


def known_numbers(
    source: MailSource, state: FolderState, store: Store, office: str, now: datetime
) -> set[int]:
    """UIDs of the folder's mails that are registered already, and may be left alone."""
    name = f"folder:{source.account}:{state.folder}"
    with store.reading() as reads:
        known = reads.known_uids(source.account, state.folder, state.uidvalidity)
        before = reads.folder_validity(source.account, state.folder)
        note = _Note.read(reads.fact(name))
    renumbered = before is not None and before != state.uidvalidity
    fell = not renumbered and (
        0 < state.uidnext < note.uidnext or _newest_differ(source, state, store, known)
    )
    due = note.checked is None or abs(now - note.checked) >= DAILY
    if not (renumbered or fell or due or state.uidnext > note.uidnext):
        return known
    wrong: list[KnownMail] = []
    if (renumbered or fell or due) and not state.lasting:
        wrong = _wrong(source, state, store, sorted(known.intersection(state.uids)))
    checked = now if renumbered or fell or due else note.checked
    with store.begin() as tx:
        tx.free_numbers([mail.id for mail in wrong])
        tx.set_fact(name, str(_Note(state.uidnext, checked)), now)
        text = _told(source.account, state, before, fell, wrong)
        if text and not tx.read.has_open_task(office, TASK):
            tx.add_task(NewTask(office, TASK, text), now)
    if renumbered or fell or wrong:
        log.warning(
            "%s %s: renumbered (UIDVALIDITY %s, was %s): %d of %d mails looked at again by content",
            source.account,
            state.folder,
            state.uidvalidity or "missing",
            before,
            len(set(state.uids) - known) + len(wrong),
            len(state.uids),
        )
    return known - {mail.uid for mail in wrong}


def _newest_differ(source: MailSource, state: FolderState, store: Store, known: set[int]) -> bool:
    newest = nlargest(NEWEST, known.intersection(state.uids))
    return not state.lasting and bool(_wrong(source, state, store, newest[::-1]))


def _wrong(
    source: MailSource, state: FolderState, store: Store, here: Sequence[int]
) -> list[KnownMail]:
    """Mails, of those with these numbers (ascending), whose number names another one now."""
    if not here:
        return []
    with store.reading() as reads:
        mails = reads.known_mails(source.account, state.folder, state.uidvalidity, here[0])
    found = {e.origin.uid: e for e in source.envelopes(state, here)}
    return [m for m in mails if m.uid in found and _another(m, found[m.uid])]


def _another(mail: KnownMail, found: Envelope) -> bool:
    if mail.size and found.size and mail.size != found.size:
        return True
    return found.dated and found.received != mail.received


def _told(
    account: str,
    state: FolderState,
    before: int | None,
    fell: bool,
    wrong: Sequence[KnownMail],
) -> str:
    """What a person should know of it: nothing of an ordinary renumbering, which says so itself."""
    where = f"邮箱{account}的文件夹“{state.folder}”"
    done = "系统已按邮件内容逐封核对，登记过的邮件不会再次登记，也不会再次回复。"
    if not state.uidvalidity:
        if before == 0:
            return ""
        return (
            f"{where}没有给出有效的邮件编号标识（UIDVALIDITY），服务器的编号不能作准。{done}"
            "此后系统按邮件的大小、时间和信头识别邮件，功能不受影响；可请邮箱管理员检查服务器。"
        )
    if before is not None and 0 < state.uidvalidity < before:
        return (
            f"{where}的编号标识（UIDVALIDITY）从 {before} 变小为 {state.uidvalidity}，"
            f"邮箱可能换过服务器或从备份恢复过。{done}请邮箱管理员确认邮件没有缺失。"
        )
    if fell or wrong:
        return (
            f"{where}的邮件编号倒退或重复使用，邮箱可能从备份恢复过。{done}"
            "请邮箱管理员确认备份以后收到的邮件没有缺失。"
        )
    return ""
