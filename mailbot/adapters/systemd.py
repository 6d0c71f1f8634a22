"""Tells systemd how the service does (`sd_notify(3)`): ready, alive, stopping. Without systemd, or
when it does not listen, nothing happens."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping


def notify(state: str, environ: Mapping[str, str] = os.environ) -> bool:
    """`READY=1`, `WATCHDOG=1`, `STOPPING=1`, `STATUS=…` (several on lines of their own). Whether
    somebody was told."""
    address = environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return False
    # An abstract address begins with NUL, which systemd writes as @.
    target = "\0" + address[1:] if address.startswith("@") else address
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line,
    ):
        line.settimeout(1.0)
        line.sendto(state.encode(), target)
        return True
    return False


def watchdog_seconds(environ: Mapping[str, str] = os.environ) -> float | None:
    """How often `WATCHDOG=1` is due: half of what the unit's WatchdogSec= allows. None where nobody
    waits for it from this process."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        allowed = int(environ.get("WATCHDOG_USEC", "0")) / 1_000_000
    except ValueError:
        return None
    return allowed / 2 if allowed > 0 else None
