"""Is a backup good? Re-hashes everything in it; changes nothing."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from mailbot.adapters.backup import manifest as manifests
from mailbot.adapters.backup.files import digest_of
from mailbot.adapters.backup.manifest import MAILS, Manifest
from mailbot.adapters.backup.repository import Repository
from mailbot.app.errors import OperatorFault
from mailbot.app.upkeep.model import Damage, Progress, silent

_OTHER = "恢复时换用别的快照；快照损坏多半是磁盘要坏，检查备份磁盘，再做一次备份"
_AGAIN = "把这个文件移走，再运行一次 mailbot backup，会从存档重新复制"


def check_backup(repository: Repository, progress: Progress = silent) -> Iterator[Damage]:
    """All mails once, then each snapshot. No snapshot at all is damage: nothing could be restored."""
    archive = repository.archive_folder
    if repository.archive_folder.is_dir():
        yield from _open_to_others(archive)
    lacking: set[str] = set()
    for done, path in enumerate(sorted(archive.glob("??/??/*.eml")), 1):
        progress("mails", done, 0)
        if (fault := _unlike(path, path.stem)) is not None:
            lacking.add(path.stem)
            yield Damage(str(path), fault, _AGAIN)
    good = 0
    for stamp in repository.folders():
        faults = list(check_snapshot(repository, stamp, lacking, progress))
        good += not faults
        yield from faults
    if not repository.folders():
        yield Damage(str(repository.root), "没有任何快照", "运行 mailbot backup，给同一个文件夹")


def check_snapshot(
    repository: Repository, stamp: str, lacking: set[str], progress: Progress = silent
) -> Iterator[Damage]:
    """`lacking`: mails of the backup's archive known to be damaged."""
    folder = repository.snapshots / stamp
    try:
        manifest = manifests.read(folder)
    except FileNotFoundError:
        yield Damage(str(folder), "没有 manifest.json，这个快照不算数", _OTHER)
        return
    except OperatorFault as fault:
        yield Damage(str(folder), str(fault), _OTHER)
        return
    yield from _open_to_others(folder)
    yield from check_files(folder, manifest, progress)
    if manifest.archive == "files":
        yield from _check_mails(repository, folder, manifest, lacking)


def check_files(folder: Path, manifest: Manifest, progress: Progress = silent) -> Iterator[Damage]:
    """The snapshot's own files are those of the manifest, and no others."""
    there = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    } - {manifests.NAME}
    for done, (name, digest) in enumerate(manifest.files.items(), 1):
        progress("files", done, len(manifest.files))
        if (fault := _unlike(folder / name, digest)) is not None:
            yield Damage(str(folder / name), fault, _OTHER)
    for name in sorted(there - set(manifest.files)):
        yield Damage(str(folder / name), "清单里没有这个文件", "核对是谁放进去的，移走它")


def _check_mails(
    repository: Repository, folder: Path, manifest: Manifest, lacking: set[str]
) -> Iterator[Damage]:
    try:
        lines = (folder / MAILS).open("r", encoding="ascii", errors="replace")
    except FileNotFoundError:
        return  # told as a missing file
    known = set(manifest.damaged)
    with lines:
        for line in lines:
            sha256 = line.strip()
            path = repository.archive_folder / sha256[:2] / sha256[2:4] / f"{sha256}.eml"
            if sha256 in lacking or path.is_file():
                continue
            yield Damage(
                str(path),
                f"快照 {manifest.stamp} 用到的邮件不在备份里"
                + ("，备份时原件就已损坏或缺失" if sha256 in known else ""),
                "本机存档里有的话，再运行一次 mailbot backup 就会补上；没有就到邮箱里找原件",
            )


def _unlike(path: Path, digest: str) -> str | None:
    try:
        return None if digest_of(path) == digest else "内容损坏，与清单对不上"
    except FileNotFoundError:
        return "文件不见了"
    except OSError as error:
        return f"读不出来（{error.strerror or error}）"


def _open_to_others(folder: Path) -> Iterator[Damage]:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        yield Damage(str(folder), f"别的用户也能进入（权限 {mode:04o}）", f"chmod 700 {folder}")
