"""What a check-up found: values only. The checks themselves look at the machine (`adapters.doctor`).

Every check says what was found, and, unless all is well, what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    """Works, but somebody should look."""
    FAIL = "fail"
    """mailbot cannot do its work like this."""
    SKIP = "skip"
    """Could not be looked at, because something before it failed or is not there."""


@dataclass(frozen=True, slots=True)
class Check:
    """One part looked at. `name` is stable, for scripts: `data_dir`, `imap.login:otog`; `title`
    is for people."""

    name: str
    title: str
    state: State
    found: str
    remedy: str = ""


def healthy(checks: Iterable[Check]) -> bool:
    """No check failed. Warnings and skipped checks are no illness."""
    return all(check.state is not State.FAIL for check in checks)
