"""Backups and checks read the archive; a removal takes from it. Not at the same time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault

NAME = "upkeep.lock"


@contextmanager
def upkeep_lock(data_dir: Path, *, alone: bool = False) -> Iterator[None]:
    """Any number may read at a time; `alone` keeps all others out. Ends with the process."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(data_dir / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OperatorFault(
                Fault(
                    str(data_dir / NAME),
                    _("a backup, a check or a removal is running"),
                    _("wait until it has ended"),
                )
            ) from None
        yield
    finally:
        os.close(handle)
