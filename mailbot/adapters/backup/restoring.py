"""Brings an installation back from a backup folder.

Nothing is ever overwritten: the data folder must hold no data, the database must be empty, and of the
configuration only what is missing is brought back. Every byte is compared with the manifest before it
is used, and read back before it takes its place.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mailbot.adapters.archive import FileArchive
from mailbot.adapters.backup import configuration
from mailbot.adapters.backup import manifest as manifests
from mailbot.adapters.backup.files import (
    copy_file,
    digest_of,
    make_folder,
    plain_faults,
    sync_folder,
    sync_tree,
)
from mailbot.adapters.backup.inspecting import check_files
from mailbot.adapters.backup.journal import WORK, Journal, begun_by_us, read_journal, write_journal
from mailbot.adapters.backup.making import SECRET
from mailbot.adapters.backup.manifest import MAILS, Manifest
from mailbot.adapters.backup.repository import Repository
from mailbot.adapters.db import dump
from mailbot.adapters.db.engine import open_store
from mailbot.adapters.db.health import BACKUP_LACKS, LAST_BACKUP
from mailbot.adapters.db.unit_of_work import SqlTransaction
from mailbot.adapters.db.upkeep import fact_in, is_empty, prepare_restored_file, row_counts
from mailbot.adapters.i18n import _
from mailbot.adapters.installation import NAME_FILE
from mailbot.adapters.settings.model import Settings
from mailbot.app.errors import Fault, OperatorFault, Permanent
from mailbot.app.upkeep.model import Damage, Progress, silent
from mailbot.app.witness import RESTORED_AT, RESTORED_FROM

_HARMLESS = {"lost+found", "secret", "mailbot.lock", "mailbot.db-lock", "upkeep.lock", WORK}
"""May lie in the data folder: what the system or the operator put there, locks, our own work."""
_ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Came:
    manifest: Manifest
    mails: int
    lost: list[str] = field(default_factory=list)
    """Mails the backup has no sound copy of."""


def bring_configuration(repository: Repository, stamp: str, target: Path) -> list[Path]:
    """The settings file, where there is none, and beside it the offices' data and holidays where they
    were the operator's. What was written."""
    folder = repository.folder_of(stamp)
    manifest = _read(folder)
    _refuse(check_files(folder, manifest))
    if target.exists() or f"{configuration.FOLDER}/{configuration.SETTINGS}" not in manifest.files:
        return []
    written: list[Path] = []
    with plain_faults(target, _("look at the folder and its rights, then run it again")):
        for name in manifest.files:
            inside = name.removeprefix(f"{configuration.FOLDER}/")
            beside = target.parent / inside
            ours = name != inside and not inside.startswith(f"{configuration.TEMPLATES}/")
            if not ours or inside == configuration.SETTINGS or beside.exists():
                continue
            if manifest.own_offices:
                _put(folder / name, beside)
                written.append(beside)
        # Last: a restore that was cut short before is begun anew.
        _put(folder / f"{configuration.FOLDER}/{configuration.SETTINGS}", target)
    return [target, *written]


class Restorer:
    def __init__(self, repository: Repository, settings: Settings) -> None:
        """`settings.data_dir` is where it goes; `settings.database` must be empty."""
        self.repository, self.settings = repository, settings
        self.data, self.work = settings.data_dir, settings.data_dir / WORK

    def restore(self, stamp: str, now: datetime, who: str, progress: Progress = silent) -> Came:
        """`stamp` empty: the newest. Raises `OperatorFault`, `WorldFault`; run again it goes on.
        Nobody else may use the data folder meanwhile."""
        folder = self.repository.folder_of(stamp)
        manifest = _read(folder)
        with plain_faults(self.data, _("look at the folder and its rights, then run it again")):
            journal = self._begun(folder, manifest)
            if journal is None:
                _refuse(check_files(folder, manifest, progress))
                journal = Journal(str(self.repository.root), manifest.stamp, now.isoformat(), False)
                lost = self._make(folder, manifest, journal, who, progress)
                journal = Journal(journal.backup, journal.stamp, journal.at, True)
                write_journal(self.data, journal)
            else:
                lost = []
            self._put_in_place(folder, manifest, journal, who)
            self._bring_templates(folder, manifest)
        return Came(manifest, manifest.mails - len(lost), lost)

    # --- before anything is written

    def _begun(self, folder: Path, manifest: Manifest) -> Journal | None:
        """The journal of the same restore where only the last steps are missing; None after making
        sure that nothing can be overwritten."""
        if self.data.exists():
            journal = read_journal(self.data)
            if journal is not None and journal.checked:
                if journal.stamp == manifest.stamp:
                    return journal
                raise OperatorFault(
                    Fault(
                        str(self.work),
                        _("the restore of another snapshot ({stamp}) was cut short here").format(
                            stamp=journal.stamp
                        ),
                        _(
                            "finish it with --snapshot {stamp}, or restore into another folder"
                        ).format(stamp=journal.stamp),
                    )
                )
            there = sorted(p.name for p in self.data.iterdir() if p.name not in _HARMLESS)
            if journal is None and self.work.exists() and not begun_by_us(self.work):
                there.append(WORK)
            if there:
                raise OperatorFault(
                    Fault(
                        str(self.data),
                        _("the folder is not empty ({names}); a restore never overwrites").format(
                            names=", ".join(there[:5])
                        ),
                        _("name an empty or new folder with --into, or move the old one away"),
                    )
                )
        self._fits(manifest)
        return None

    def _fits(self, manifest: Manifest) -> None:
        wanted = "sqlite" if self.settings.database.startswith("sqlite") else "postgresql"
        faults = []
        if manifest.database != wanted:
            faults.append(
                Fault(
                    "database_url",
                    _("the backup is of {found}, the settings name {wanted}").format(
                        found=manifest.database, wanted=wanted
                    ),
                    _("set database_url as it was when the backup was made"),
                )
            )
        elif wanted == "postgresql" and not is_empty(self.settings.database):
            faults.append(
                Fault(
                    "database_url",
                    _("the database is not empty"),
                    _("name a new, empty database: a restore never overwrites"),
                )
            )
        if manifest.archive != self.settings.archive:
            faults.append(
                Fault(
                    "archive",
                    _("the backup keeps raw mail in {found}, the settings say {wanted}").format(
                        found=manifest.archive, wanted=self.settings.archive
                    ),
                    _("set archive as it was when the backup was made"),
                )
            )
        secret = self.settings.secret_path
        kept = manifest.files.get(SECRET)
        if not secret.is_relative_to(self.data) and secret.exists() and digest_of(secret) != kept:
            faults.append(
                Fault(
                    str(secret),
                    _("another signing secret lies there"),
                    _("move it away, or name another place with secret_file"),
                )
            )
        if faults:
            raise OperatorFault(*faults)

    # --- making

    def _make(
        self, folder: Path, manifest: Manifest, journal: Journal, who: str, progress: Progress
    ) -> list[str]:
        """Everything, in `restoring/`; the mails that are lost."""
        if self.work.exists():
            shutil.rmtree(self.work)  # of a restore that was cut short: ours alone
        make_folder(self.work)
        write_journal(self.data, journal)
        _copy_checked(folder / SECRET, self.work / SECRET, manifest.files[SECRET])
        lost: list[str] = []
        if manifest.archive == "files":
            lost = self._mails(folder, manifest, progress)
        if manifest.database == "sqlite":
            target = self.work / dump.SQLITE_FILE
            _copy_checked(folder / dump.SQLITE_FILE, target, manifest.files[dump.SQLITE_FILE])
            self._prepare_file(target, manifest, journal, who)
        sync_tree(self.work)
        return lost

    def _mails(self, folder: Path, manifest: Manifest, progress: Progress) -> list[str]:
        archive = FileArchive(self.work / _ARCHIVE, min_free_bytes=0)
        source = self.repository.archive_folder
        lost: list[str] = []
        with (folder / MAILS).open("r", encoding="ascii") as lines:
            for done, line in enumerate(lines, 1):
                sha256 = line.strip()
                path = source / sha256[:2] / sha256[2:4] / f"{sha256}.eml"
                try:
                    archive.put([(sha256, path.read_bytes())])
                    archive.get(sha256)  # as it lies on the new disk
                except (FileNotFoundError, ValueError, Permanent):
                    lost.append(sha256)
                progress("mails", done, manifest.mails)
        if NAME_FILE in manifest.files:
            _copy_checked(
                folder / NAME_FILE, self.work / _ARCHIVE / NAME_FILE, manifest.files[NAME_FILE]
            )
        return lost

    def _prepare_file(self, path: Path, manifest: Manifest, journal: Journal, who: str) -> None:
        """Brought up to date, with the marks of the restore; still under another name."""
        prepare_restored_file(path)
        store = open_store(f"sqlite:///{path}")
        try:
            with store.snapshot() as db:
                _compare(row_counts(db), manifest)
            with store.begin() as tx:
                _note(tx, manifest, journal, who)
        finally:
            store.close()
        # What its opening left beside it; closed in peace, there is nothing in it.
        for name in ("-lock", "-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)

    # --- the last steps, which a second run takes up

    def _put_in_place(self, folder: Path, manifest: Manifest, journal: Journal, who: str) -> None:
        if manifest.database == "postgresql":
            self._load(folder, manifest, journal, who)
        secret = self.settings.secret_path
        fresh = self.work / SECRET
        if fresh.exists():
            if secret.exists():
                fresh.unlink()  # the same one, outside the data folder
            elif secret.parent == self.data:
                fresh.rename(secret)
            else:
                _put(fresh, secret)
                fresh.unlink()
        for name in (_ARCHIVE, dump.SQLITE_FILE):
            if (self.work / name).exists():
                (self.work / name).rename(self.data / name)
        sync_folder(self.data)
        shutil.rmtree(self.work)
        sync_folder(self.data)

    def _load(self, folder: Path, manifest: Manifest, journal: Journal, who: str) -> None:
        if fact_in(self.settings.database, RESTORED_AT) == journal.at:
            return  # an earlier run came so far

        def finish(tx: SqlTransaction) -> None:
            _note(tx, manifest, journal, who)

        dump.load_postgres(
            self.settings.database,
            folder / dump.COPY_FOLDER,
            manifest.schema,
            dict(manifest.counts),
            finish,
        )

    def _bring_templates(self, folder: Path, manifest: Manifest) -> None:
        """Configuration that lies elsewhere than beside the settings file, where it is missing."""
        if not manifest.own_offices:
            return
        for name in manifest.files:
            place = configuration.place_of(name, self.settings)
            if place is not None and not place.exists():
                _put(folder / name, place)


def _note(tx: SqlTransaction, manifest: Manifest, journal: Journal, who: str) -> None:
    at = datetime.fromisoformat(journal.at)
    tx.set_fact(RESTORED_AT, journal.at, at)
    tx.set_fact(RESTORED_FROM, manifest.taken.isoformat(), at)
    # Its making was written down after its moment.
    if not manifest.damaged:
        tx.set_fact(LAST_BACKUP, manifest.taken.isoformat(), at)
    tx.set_fact(BACKUP_LACKS, str(len(manifest.damaged) or ""), at)
    tx.audit(who, "restore", "installation", {"snapshot": manifest.stamp}, at)


def _compare(found: dict[str, int], manifest: Manifest) -> None:
    for name, count in manifest.counts.items():
        if found.get(name) != count:
            raise OperatorFault(
                Fault(
                    manifest.stamp,
                    _("table {name} has {found} rows instead of {wanted}").format(
                        name=name, found=found.get(name), wanted=count
                    ),
                    _("use another snapshot: mailbot verify --backup tells which are sound"),
                )
            )


def _read(folder: Path) -> Manifest:
    manifest = manifests.read(folder)
    if manifest.schema not in dump.known_schemas():
        raise OperatorFault(
            Fault(
                str(folder),
                _("made by a newer mailbot ({version}, schema {schema})").format(
                    version=manifest.mailbot, schema=manifest.schema
                ),
                _("install that version or a newer one, then restore"),
            )
        )
    return manifest


def _refuse(damages: Iterable[Damage]) -> None:
    faults = [Fault(d.where, d.found, d.remedy) for d in damages]
    if faults:
        raise OperatorFault(*faults)


def _put(source: Path, target: Path) -> None:
    """Appears whole under its name, and never in the place of another."""
    make_folder(target.parent)
    fresh = target.with_name(f".{target.name}.restoring")
    fresh.unlink(missing_ok=True)
    copy_file(source, fresh)
    fresh.rename(target)
    sync_folder(target.parent)


def _copy_checked(source: Path, target: Path, digest: str) -> None:
    copy_file(source, target)
    if digest_of(target) != digest:
        raise OperatorFault(
            Fault(
                str(source),
                _("what was written is not what the manifest says"),
                _("check both disks, then run it again"),
            )
        )
