"""Raw mail on disk (`app.ports.Archive`), as plain `.eml` files a person can open.

A mail lies under the SHA-256 of its bytes, `ab/cd/abcd….eml`, so the same mail is there once
however often it arrives, and damage shows. It is written to `tmp/`, fsynced, renamed and its folder
fsynced before `put` returns: a file under its final name is whole, and what was put survives a
power cut. Nothing is ever deleted here by itself but unfinished files of a program that was killed.

What may be archived (never after a secrets hit) is not its business.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault, Permanent, Retryable

GROUP = 50
"""Files written before the first of them is fsynced: the disk orders their blocks better, and one
folder fsync serves several. Also the number of files open at a time."""

MIN_FREE_BYTES = 128 * 1024 * 1024
"""When the caller names no other limit: one mail of the usual cap (50 MB) × 1.5, and room for the
database."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PAIR = re.compile(r"[0-9a-f]{2}")
_NO_HANDLES = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}


class FileArchive:
    """`min_free_bytes`: below it nothing is written any more (Postfix's rule: 1.5 × the largest
    mail, plus room for the rest of the system)."""

    def __init__(self, root: Path, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        """Creates the folder (0700) and sweeps unfinished files. Raises `OperatorFault` when it
        cannot be used."""
        self.root = root.absolute()
        self.tmp = self.root / "tmp"
        self.min_free_bytes = min_free_bytes
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.tmp.mkdir(mode=0o700, exist_ok=True)
            self.swept = self._sweep()
            probe, name = tempfile.mkstemp(dir=self.tmp, prefix="probe-")
            os.close(probe)
            Path(name).unlink()
        except OSError as e:
            raise OperatorFault(
                Fault(
                    str(root),
                    _("the mail archive cannot be written ({error})").format(error=e.strerror or e),
                    _(
                        "give mailbot's user the right to write this folder, or make room on its disk"
                    ),
                )
            ) from e

    def put(self, raws: Iterable[tuple[str, bytes]]) -> None:
        """(sha256, raw) pairs, consumed in groups; all durable on return.

        Raises `Retryable` (systemic, `disk`) when the disk is full, fails or is nearly full; what
        was already written then stays and is taken up by its hash the next time. Raises ValueError
        when a digest does not fit its bytes."""
        pairs = iter(raws)
        while group := dict(islice(pairs, GROUP)):
            with _world_faults():
                self._put_group(group)

    def get(self, sha256: str) -> bytes:
        path = self.path_of(sha256)
        if path is None:
            raise KeyError(sha256)
        with _world_faults():
            try:
                raw = path.read_bytes()
            except FileNotFoundError:
                raise KeyError(sha256) from None
        if hashlib.sha256(raw).hexdigest() != sha256:
            raise Permanent(f"archived mail {sha256} is damaged on disk", code="archive_damaged")
        return raw

    def __contains__(self, sha256: object) -> bool:
        path = self.path_of(sha256) if isinstance(sha256, str) else None
        return path is not None and path.is_file()

    def path_of(self, sha256: str) -> Path | None:
        """Where the mail lies or would lie; None for what is no digest."""
        if not _SHA256.fullmatch(sha256):
            return None
        return self.root / sha256[:2] / sha256[2:4] / f"{sha256}.eml"

    def digests(self) -> Iterator[str]:
        """All it holds, in ascending order. What is named otherwise is not the archive's."""
        for first in _entries(self.root):
            for second in _entries(first) if _PAIR.fullmatch(first.name) else ():
                for path in _entries(second) if _PAIR.fullmatch(second.name) else ():
                    if path == self.path_of(path.stem):
                        yield path.stem

    def remove(self, sha256: str) -> None:
        """Durably gone on return. Harmless when it is not there. For what a person has confirmed:
        nothing is removed by itself."""
        path = self.path_of(sha256)
        if path is None:
            return
        with _world_faults():
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                _fsync_folder(path.parent)

    def free_bytes(self) -> int:
        """What this user may still write on the archive's disk."""
        return shutil.disk_usage(self.root).free

    # --- writing

    def _put_group(self, group: dict[str, bytes]) -> None:
        folders: set[Path] = set()
        with ExitStack() as files:
            written: list[tuple[int, Path, Path]] = []
            for sha256, raw in group.items():
                target = self.path_of(sha256)
                if target is None or hashlib.sha256(raw).hexdigest() != sha256:
                    raise ValueError("the digest does not fit the mail's bytes")
                # The folder is fsynced for a known mail too: its writer may have been killed
                # between rename and fsync.
                folders.add(target.parent)
                if not _has_size(target, len(raw)):
                    self._check_room(len(raw))
                    fd, tmp = files.enter_context(self._unfinished())
                    _write(fd, raw)
                    written.append((fd, tmp, target))
            for fd, _, _ in written:
                os.fsync(fd)
            for _, tmp, target in written:
                folders |= self._make_folder(target.parent)
                tmp.replace(target)
            for folder in folders:
                _fsync_folder(folder)

    def _make_folder(self, folder: Path) -> set[Path]:
        """Creates `ab/cd`; the parents whose entries changed."""
        changed = set()
        for each in (folder.parent, folder):
            with contextlib.suppress(FileExistsError):
                each.mkdir(mode=0o700)
                changed.add(each.parent)
        return changed

    def _check_room(self, size: int) -> None:
        free = self.free_bytes()
        if free - size < self.min_free_bytes:
            raise Retryable(
                f"only {free // 1_000_000} MB free on the archive's disk, "
                f"{self.min_free_bytes // 1_000_000} MB must stay free",
                code="disk",
                systemic=True,
            )

    @contextmanager
    def _unfinished(self) -> Iterator[tuple[int, Path]]:
        """A file in `tmp/`, locked while its writer lives, gone afterwards unless renamed."""
        while True:
            fd, name = tempfile.mkstemp(dir=self.tmp, prefix="new-")  # 0600
            fcntl.flock(fd, fcntl.LOCK_EX)
            if os.fstat(fd).st_nlink:
                break
            os.close(fd)  # a sweeper took it between creation and lock
        try:
            yield fd, Path(name)
        finally:
            Path(name).unlink(missing_ok=True)
            os.close(fd)

    def _sweep(self) -> int:
        """Removes files whose writer is gone (their lock is free); how many."""
        swept = 0
        for path in self.tmp.iterdir():
            try:
                fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
                swept += 1
            except BlockingIOError:
                pass
            finally:
                os.close(fd)
        return swept


def _entries(folder: Path) -> list[Path]:
    """Sorted by name; none where there is no such folder."""
    with _world_faults():
        try:
            return sorted(folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def _write(fd: int, raw: bytes) -> None:
    rest = memoryview(raw)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _fsync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def _world_faults() -> Iterator[None]:
    """Any failure of the file system stops the pass: the next mail would meet it too."""
    try:
        yield
    except OSError as e:
        code = "resources" if e.errno in _NO_HANDLES else "disk"
        raise Retryable(
            f"the mail archive cannot be used: {e.strerror or e}", code=code, systemic=True
        ) from e
