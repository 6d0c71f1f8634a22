"""Is everything that is stored still what it was? Reads all of it; changes nothing.

The archive and the database are walked side by side, both in the order of the digests, so that a
hundred thousand mails need no more memory than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mailbot.app.errors import Permanent
from mailbot.app.upkeep.model import Archived, Damage, Kept, Progress, silent

BACK = (
    "在备份文件夹的 archive 里找同名的文件复制回来；备份里也没有，就到邮箱里找原件，"
    "并把编号交给管理员"
)


def check_archive(
    archive: Archived, kept: Iterable[Kept], total: int, progress: Progress = silent
) -> Iterator[Damage]:
    """Every mail with content has its raw bytes, undamaged; nothing is there that must not be.
    Bytes no mail refers to are no damage: an intake that was cut short left them, and takes them up
    again. `total`: how many `kept` gives, for the progress."""
    held = archive.digests()
    lies = next(held, None)
    for done, one in enumerate(kept, 1):
        while lies is not None and lies < one.sha256:
            yield from _sound(archive, lies, "没有哪封邮件用到它")
            lies = next(held, None)
        here = lies == one.sha256
        where = f"邮件 mail:{one.inbound_id} 的原件 {one.sha256}"
        if one.wanted and not here:
            yield Damage(where, "不在存档里", BACK)
        elif one.wanted:
            yield from _sound(archive, one.sha256, f"邮件 mail:{one.inbound_id}")
        if here and one.secret:
            yield Damage(
                where,
                "邮件带密级标志，原件却在存档里",
                "立即告诉保密员，由保密员按规定处理；不要打开、转发或复制",
            )
        elif here and not one.wanted:
            yield Damage(
                where,
                "已确认删除，文件还在" if one.leaving else "登记为已删除，文件却在存档里",
                "再运行一次 mailbot retention --confirm，把没有删完的删完"
                if one.leaving
                else "核对是谁放回去的；确认不要的，删除这个文件",
            )
        if here:
            lies = next(held, None)
        progress("archive", done, total)
    while lies is not None:
        yield from _sound(archive, lies, "没有哪封邮件用到它")
        lies = next(held, None)


def _sound(archive: Archived, sha256: str, whose: str) -> Iterator[Damage]:
    try:
        archive.get(sha256)
    except Permanent:
        yield Damage(f"存档里的 {sha256}（{whose}）", "内容损坏，与编号对不上", BACK)
    except KeyError:
        yield Damage(f"存档里的 {sha256}（{whose}）", "检查时不见了", BACK)
