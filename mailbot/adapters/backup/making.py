"""Makes a snapshot: the database first, then the mails it refers to, the manifest last.

Mails archived after the database's moment do no harm; what the database refers to is all there. The
daemon goes on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mailbot import __version__
from mailbot.adapters.archive import FileArchive
from mailbot.adapters.backup import configuration
from mailbot.adapters.backup.files import copy_file, digest_of, plain_faults
from mailbot.adapters.backup.manifest import MAILS, Manifest
from mailbot.adapters.backup.repository import Repository
from mailbot.adapters.db import dump
from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.db.health import BACKUP_LACKS, LAST_BACKUP
from mailbot.adapters.db.tables import HEAD
from mailbot.adapters.db.upkeep import engine_kind, kept_mails, row_counts
from mailbot.adapters.i18n import _
from mailbot.adapters.installation import NAME_FILE
from mailbot.adapters.settings.model import Settings
from mailbot.app.errors import Permanent
from mailbot.app.upkeep.model import Archived, Progress, silent

SECRET = "secret.key"


@dataclass(frozen=True, slots=True)
class Made:
    manifest: Manifest
    folder: Path
    new_mails: int
    dropped: list[str] = field(default_factory=list)


class BackupMaker:
    def __init__(
        self, settings: Settings, store: SqlStore, archive: Archived, installation: str
    ) -> None:
        """`installation`: the print of its signing secret."""
        self.settings, self.store, self.archive = settings, store, archive
        self.installation = installation

    def make(
        self, root: Path, now: datetime, *, keep: int = 0, progress: Progress = silent
    ) -> Made:
        """Raises `OperatorFault` (the folder), `WorldFault` (disk, database). `keep` 0: all."""
        repository = Repository.create(root, self.installation)
        with repository.lock():
            repository.sweep()
            stamp = repository.new_stamp(now)
            with (
                plain_faults(root, _("look at the folder and its rights, then run it again")),
                repository.unfinished(stamp) as folder,
            ):
                counts = self._database(folder, progress)
                self._belongings(folder)
                mails = sum(1 for _line in _lines(folder / MAILS))
                new, damaged = self._mails(repository, folder / MAILS, mails, progress)
                manifest = Manifest(
                    stamp=stamp,
                    taken=now,
                    mailbot=__version__,
                    schema=HEAD,
                    database=engine_kind(self.store),
                    archive=self.settings.archive,
                    installation=self.installation,
                    counts=counts,
                    mails=mails,
                    files=_digests(folder),
                    damaged=tuple(damaged),
                    own_offices=configuration.own_offices(self.settings),
                )
                repository.publish(folder, manifest)
            with self.store.begin() as tx:
                if not damaged:
                    tx.set_fact(LAST_BACKUP, now.isoformat(), now)
                tx.set_fact(BACKUP_LACKS, str(len(damaged) or ""), now)
            dropped = repository.drop_older(keep, stamp) if keep else []
        return Made(manifest, repository.snapshots / stamp, new, dropped)

    def _database(self, folder: Path, progress: Progress) -> dict[str, int]:
        """The dump, the list of mails and the counts, all of one moment."""
        with self.store.snapshot() as connection:
            dump.dump(connection, folder, lambda done, total: progress("database", done, total))
            with _new_text(folder / MAILS) as put:
                for one in kept_mails(connection):
                    if one.wanted and not one.secret:
                        put(one.sha256 + "\n")
            counts = row_counts(connection)
        if (folder / dump.SQLITE_FILE).exists():
            dump.prove_sqlite(folder / dump.SQLITE_FILE)
        return counts

    def _belongings(self, folder: Path) -> None:
        copy_file(self.settings.secret_path, folder / SECRET)
        name = self.settings.data_dir / "archive" / NAME_FILE
        if self.settings.archive == "files" and name.exists():
            copy_file(name, folder / NAME_FILE)
        for source, inside in configuration.to_keep(self.settings):
            copy_file(source, folder / inside)

    def _mails(
        self, repository: Repository, listed: Path, total: int, progress: Progress
    ) -> tuple[int, list[str]]:
        """Copies those that are not there yet; how many, and which could not be. One damaged mail
        must not keep all the others from being backed up."""
        if self.settings.archive == "database":
            return 0, []
        target = repository.archive(int(1.5 * self.settings.max_mail_mb * 1_000_000))
        copied = 0
        damaged: list[str] = []

        def missing() -> Iterator[tuple[str, bytes]]:
            nonlocal copied
            for done, sha256 in enumerate(_lines(listed), 1):
                progress("mails", done, total)
                if sha256 in target:
                    continue
                try:
                    raw = self.archive.get(sha256)
                except (KeyError, Permanent):
                    damaged.append(sha256)
                    continue
                copied += 1
                yield sha256, raw

        _put_bounded(target, missing())
        return copied, damaged


def _put_bounded(target: FileArchive, raws: Iterator[tuple[str, bytes]]) -> None:
    """The archive takes groups of fifty into memory; fifty large mails would be too much."""
    group: list[tuple[str, bytes]] = []
    size = 0
    for sha256, raw in raws:
        group.append((sha256, raw))
        size += len(raw)
        if len(group) >= 50 or size > 32_000_000:
            target.put(group)
            group, size = [], 0
    target.put(group)


def _lines(path: Path) -> Iterator[str]:
    with path.open("r", encoding="ascii") as file:
        for line in file:
            yield line.strip()


@contextmanager
def _new_text(path: Path) -> Iterator[Callable[[str], int]]:
    with path.open("x", encoding="ascii") as out:
        path.chmod(0o600)
        yield out.write


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): digest_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
