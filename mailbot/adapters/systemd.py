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
