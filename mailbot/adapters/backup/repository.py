"""The backup folder.

    backup.json                  whose it is; a folder without it is not ours and is left alone
    archive/ab/cd/<sha256>.eml   every mail once, shared by all snapshots; only ever added to
    snapshots/<stamp>/           the rest at one moment, its manifest written last
    tmp/                         what is being made; swept by the next backup
    backup.lock

A snapshot is made in `tmp/`, synced, and appears under its name by one rename: it is there whole or
not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from mailbot.adapters.archive import FileArchive
from mailbot.adapters.backup import manifest as manifests
from mailbot.adapters.backup.files import (
    make_folder,
    plain_faults,
    sync_folder,
    sync_tree,
    write_file,
)
from mailbot.adapters.backup.manifest import Manifest
from mailbot.adapters.i18n import _
from mailbot.adapters.system import SHANGHAI
from mailbot.app.errors import Fault, OperatorFault

MARK = "backup.json"
LOCK = "backup.lock"
_STAMP = re.compile(r"\d{8}-\d{6}(-\d+)?")


class Repository:
    """An existing backup folder. `create` makes or opens one to write to."""

    def __init__(self, root: Path) -> None:
        """Raises `OperatorFault` for a folder that is none."""
        self.root = root.absolute()
        self.snapshots, self.tmp = self.root / "snapshots", self.root / "tmp"
        self.archive_folder = self.root / "archive"
        self.installation = self._whose()

    @classmethod
    def create(cls, root: Path, installation: str) -> Repository:
        """Opens it for the installation, making it where there is none. Raises `OperatorFault` for a
        folder that is something else, or another installation's."""
        root = root.absolute()
        with _rights(root):
            make_folder(root)
            strange = [p.name for p in root.iterdir() if p.name not in (LOCK, "lost+found")]
            if not (root / MARK).exists():
                # A first backup that was killed may have left the mark unfinished, nothing else.
                if [n for n in strange if not n.startswith(f".{MARK}")]:
                    raise OperatorFault(
                        Fault(
                            str(root),
                            _("the folder is not empty and holds no backups of mailbot"),
                            _("name an empty or new folder"),
                        )
                    )
                _write_mark(root, installation)
            found = cls(root)
            if found.installation != installation:
                raise OperatorFault(
                    Fault(
                        str(root),
                        _("holds the backups of another installation (another signing secret)"),
                        _("name another folder for this one"),
                    )
                )
            for folder in (found.snapshots, found.tmp, found.archive_folder):
                make_folder(folder)
            sync_folder(root)
        return found

    def archive(self, min_free_bytes: int) -> FileArchive:
        return FileArchive(self.archive_folder, min_free_bytes=min_free_bytes)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One program at a time. A folder that cannot be written (a read-only disk) needs none."""
        try:
            handle = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            yield
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise OperatorFault(
                Fault(
                    str(self.root / LOCK),
                    _("another mailbot is working on this backup folder"),
                    _("wait until it has ended"),
                )
            ) from None
        try:
            yield
        finally:
            os.close(handle)

    def stamps(self) -> list[str]:
        """The snapshots that count, oldest first."""
        return [s for s in self.folders() if (self.snapshots / s / manifests.NAME).is_file()]

    def folders(self) -> list[str]:
        """Also those without a manifest."""
        if not self.snapshots.is_dir():
            return []
        return sorted(
            (p.name for p in self.snapshots.iterdir() if p.is_dir() and _STAMP.fullmatch(p.name)),
            key=_order,
        )

    def folder_of(self, stamp: str) -> Path:
        """Raises `OperatorFault` for a snapshot that is not there. Empty: the newest."""
        known = self.stamps()
        if not known or (stamp and stamp not in known):
            found = _("there is no snapshot {stamp}") if stamp else _("there is no snapshot in it")
            raise OperatorFault(
                Fault(
                    str(self.snapshots),
                    found.format(stamp=stamp),
                    _("name one of: {stamps}").format(stamps=", ".join(known[-10:]))
                    if known
                    else _("name the folder that `mailbot backup` was given"),
                )
            )
        return self.snapshots / (stamp or known[-1])

    # --- writing, under the lock

    def sweep(self) -> None:
        """Removes what a killed backup left unfinished."""
        with _rights(self.root):
            for path in self.tmp.iterdir():
                shutil.rmtree(path)

    def new_stamp(self, now: datetime) -> str:
        base = now.astimezone(SHANGHAI).strftime("%Y%m%d-%H%M%S")
        taken = set(self.folders())
        number = 1
        while (stamp := base if number == 1 else f"{base}-{number}") in taken:
            number += 1
        return stamp

    @contextmanager
    def unfinished(self, stamp: str) -> Iterator[Path]:
        """The folder in which a snapshot is made; gone afterwards unless published."""
        folder = self.tmp / stamp
        with _rights(self.root):
            folder.mkdir(mode=0o700)
            try:
                yield folder
            finally:
                with contextlib.suppress(OSError):
                    shutil.rmtree(folder, ignore_errors=True)

    def publish(self, folder: Path, manifest: Manifest) -> None:
        """Durable on return."""
        sync_tree(folder)
        write_file(folder / manifests.NAME, manifests.to_bytes(manifest))
        sync_folder(folder)
        folder.rename(self.snapshots / manifest.stamp)
        sync_folder(self.snapshots)

    def drop_older(self, keep: int, never: str) -> list[str]:
        """Removes all snapshots that count but the `keep` newest; `never` stays whatever the clock
        says. Mails are not touched."""
        dropped = [s for s in self.stamps()[:-keep] if s != never]
        with _rights(self.root):
            for stamp in dropped:
                # Out of sight first: a removal that is cut short leaves no half snapshot.
                gone = self.tmp / f"old-{stamp}"
                (self.snapshots / stamp).rename(gone)
                sync_folder(self.snapshots)
                shutil.rmtree(gone)
        return dropped

    def _whose(self) -> str:
        path = self.root / MARK
        try:
            found = json.loads(path.read_bytes())
            if found["format"] > manifests.FORMAT:
                raise ValueError(f"format {found['format']}")
            return str(found["installation"])
        except (OSError, ValueError, KeyError, TypeError) as e:
            missing = isinstance(e, FileNotFoundError | NotADirectoryError)
            raise OperatorFault(
                Fault(
                    str(self.root if missing else path),
                    _("this is no backup folder of mailbot")
                    if missing
                    else _("cannot be read ({why})").format(why=e),
                    _("name the folder that `mailbot backup` was given"),
                )
            ) from None


def _order(stamp: str) -> tuple[str, int]:
    base, number = stamp[:15], stamp[16:]
    return base, int(number or 1)


def _write_mark(root: Path, installation: str) -> None:
    fresh = root / f".{MARK}.{os.getpid()}"
    fresh.unlink(missing_ok=True)
    text = json.dumps({"format": manifests.FORMAT, "installation": installation}) + "\n"
    write_file(fresh, text.encode())
    fresh.rename(root / MARK)
    for left in root.glob(f".{MARK}.*"):
        left.unlink()


def _rights(root: Path) -> contextlib.AbstractContextManager[None]:
    return plain_faults(root, _("give mailbot's user the right to write the backup folder"))
