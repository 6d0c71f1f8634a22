"""The clock, and where this installation keeps its own files. The only module that asks the
machine for the time."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class SystemClock:
    """The machine's clock, in the office's time zone whatever TZ says."""

    def now(self) -> datetime:
        return datetime.now(SHANGHAI)

    def monotonic(self) -> float:
        return time.monotonic()


def shipped(name: str) -> Path:
    """A folder that ships with mailbot (`templates`, `config`): in a checkout beside the package,
    in an installed wheel inside it. Raises FileNotFoundError when the installation lacks it."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package.parent / name, package / "_data" / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"mailbot was installed without its {name!r} folder")
