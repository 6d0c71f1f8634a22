"""Files that must be on the disk, whole, before anything is said of them."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailbot.app.errors import Fault, OperatorFault, Retryable

BLOCK = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def write_file(path: Path, data: bytes) -> None:
    """A new file of ours alone (0600), synced. Raises FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(handle)


def copy_file(source: Path, target: Path) -> str:
    """A copy of its own, never a link: damage to one must not be damage to both. Its SHA-256."""
    digest = hashlib.sha256()
    make_folder(target.parent)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out, source.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(handle)
    return digest.hexdigest()


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_folder(folder: Path) -> None:
    """With those above it that are missing, all of them 0700."""
    for one in (*reversed(folder.parents), folder):
        if not one.exists():
            one.mkdir(mode=0o700)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """The folder and everything in it, the innermost first."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
        else:
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    sync_folder(folder)


@contextmanager
def plain_faults(folder: Path, remedy: str) -> Iterator[None]:
    """A disk that is full or fails may be better later; any other failure is the operator's."""
    try:
        yield
    except OSError as e:
        where = str(e.filename or folder)
        if e.errno in _FULL:
            raise Retryable(f"{where}: {e.strerror}", code="disk", systemic=True) from e
        raise OperatorFault(Fault(where, str(e.strerror or e), remedy)) from e
