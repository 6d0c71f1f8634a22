"""Alerts to a program of the operator's (a text message modem, a provider's tool).

The message comes on its standard input, the title first. Exit code 0 means it was taken. It gets
none of our environment but what programs need to run, so no authorisation code is handed on, and
it is ended with all it started when it takes too long.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence

from mailbot.app.errors import Retryable

_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "TZ", "USER")


class CommandChannel:
    """`app.alerts.Channel`."""

    name = "command"

    def __init__(self, command: Sequence[str], seconds: float = 60.0) -> None:
        self._command, self._seconds = list(command), seconds

    def tell(self, title: str, text: str) -> None:
        environment = {k: os.environ[k] for k in _ENVIRONMENT if k in os.environ}
        try:
            child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise Retryable(
                f"the program cannot be started: {error}", code="alert_program"
            ) from None
        try:
            child.communicate(f"{title}\n{text}\n".encode(), timeout=self._seconds)
        except subprocess.TimeoutExpired:
            raise Retryable(f"no end after {self._seconds:.0f} s", code="timeout") from None
        finally:
            if child.poll() is None:
                with contextlib.suppress(OSError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        if child.returncode != 0:
            code = child.returncode
            raise Retryable(f"the program ended with {code}", code=f"exit_{code}")
