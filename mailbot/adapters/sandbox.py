"""Reads mails in a child process with limits of time and memory.

One child reads many mails, so a mail costs a frame through a pipe and not a process. When a mail
kills or hangs the child, that mail comes back as UNREADABLE and the next one gets a fresh child.
Nothing but JSON comes back (no pickle), and it is checked.

`InProcessReader` is the same without protection, for tests and tools on mails one trusts.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import mailbot
from mailbot.adapters.sandbox_child import OUT_OF_MEMORY
from mailbot.adapters.system import SystemClock
from mailbot.app.errors import Retryable
from mailbot.app.ports import Clock
from mailbot.core.mail.decode import unread_mail
from mailbot.core.mail.model import Defect, DefectCode, IncomingMail
from mailbot.core.mail.reading import read_mail
from mailbot.core.mail.wire import from_json

MAILS_PER_CHILD: Final = 2_000
"""Then the child is replaced, so that nothing a library keeps can add up."""
_START_SECONDS: Final = 60.0
"""For starting Python and importing, on a machine that is busy."""
_GRACE_SECONDS: Final = 2.0
"""The wall clock runs longer than the processor limit, which then ends the child by itself."""
_ANSWER_MAX: Final = 64 * 1024 * 1024
_PIECE: Final = 65_536
_HEAD: Final = struct.Struct(">BQ")
_LENGTH: Final = struct.Struct(">Q")
# -I: neither the environment nor the working folder chooses what is imported; the package's own
# folder comes last, for a checkout that is not installed.
_BOOT: Final = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from mailbot.adapters.sandbox_child import main; main(sys.argv[1:])"
)
_ENVIRONMENT: Final = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT")


class _ChildFailed(Exception):
    """The child ended, hung or answered nonsense. `detail` for the defect."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class _TimeOver(_ChildFailed):
    """The mail used up its time."""


class InProcessReader:
    """`MailReader` without a child process: a hostile mail takes this process with it."""

    def read(self, raw: bytes, *, complete: bool = True) -> IncomingMail:
        return read_mail(raw, complete)

    def close(self) -> None:
        return None


class SandboxedReader:
    """`MailReader` through a limited child process. Not shared between threads.

    `seconds` per mail (wall and processor), `memory_mb` the child's address space. `command` starts
    another child, for tests: it gets `--seconds` and `--memory-mb` appended.
    """

    def __init__(
        self,
        *,
        seconds: float = 20,
        memory_mb: int = 512,
        mails_per_child: int = MAILS_PER_CHILD,
        command: Sequence[str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._seconds, self._memory_mb = seconds, memory_mb
        self._mails_per_child = mails_per_child
        self._command = list(command) if command else _command()
        self._clock = clock or SystemClock()
        self._child: _Child | None = None

    def read(self, raw: bytes, *, complete: bool = True) -> IncomingMail:
        """See `MailReader.read`. Raises `Retryable` (systemic) when no child can be started."""
        child = self._ready_child()
        worn = child.mails > 0
        try:
            return self._ask(child, raw, complete)
        except _TimeOver as failure:
            return self._unreadable(raw, failure)
        except _ChildFailed as failure:
            if not worn:
                return self._unreadable(raw, failure)
        # It may have died of what earlier mails left behind, or been killed from outside: only a
        # mail that also kills a fresh child is to blame.
        try:
            return self._ask(self._ready_child(), raw, complete)
        except _ChildFailed as failure:
            return self._unreadable(raw, failure)

    def close(self) -> None:
        """Ends the child. The reader can be used again; it starts another one."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _ready_child(self) -> _Child:
        if self._child is not None and self._child.mails >= self._mails_per_child:
            self.close()
        if self._child is None or not self._child.alive():
            self.close()
            arguments = ["--seconds", str(self._seconds), "--memory-mb", str(self._memory_mb)]
            self._child = _Child([*self._command, *arguments], self._clock)
        return self._child

    def _ask(self, child: _Child, raw: bytes, complete: bool) -> IncomingMail:
        try:
            answer = child.exchange(raw, complete, self._seconds + _GRACE_SECONDS)
            mail = from_json(answer.decode("utf-8"))
        except ValueError as error:
            self.close()
            raise _ChildFailed("answer of the reading process not understood") from error
        except _ChildFailed:
            self.close()
            raise
        if mail.size != len(raw):
            self.close()
            raise _ChildFailed("answer of the reading process belongs to another mail")
        return mail

    @staticmethod
    def _unreadable(raw: bytes, failure: _ChildFailed) -> IncomingMail:
        return unread_mail(raw, Defect(DefectCode.UNREADABLE, "mail", failure.detail))


class _Child:
    """One child process and its pipes."""

    def __init__(self, command: list[str], clock: Clock) -> None:
        self.mails = 0
        self._clock = clock
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                cwd="/",
                start_new_session=True,  # a Ctrl-C in the terminal is the parent's business
            )
        except (OSError, MemoryError) as error:
            raise Retryable(
                f"the reading process cannot be started: {error}", code="sandbox", systemic=True
            ) from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        try:
            self._receive(clock.monotonic() + _START_SECONDS)
        except _ChildFailed as failure:
            self.stop()
            raise Retryable(
                f"the reading process does not start: {failure.detail}",
                code="sandbox",
                systemic=True,
            ) from failure

    def alive(self) -> bool:
        return self._process.poll() is None

    def exchange(self, raw: bytes, complete: bool, seconds: float) -> bytes:
        """Sends one mail and returns the answer's bytes. Raises `_ChildFailed`."""
        self.mails += 1
        deadline = self._clock.monotonic() + seconds
        self._send(_HEAD.pack(complete, len(raw)), deadline)
        self._send(raw, deadline)
        return self._receive(deadline)

    def stop(self) -> None:
        """Kills the child if it is not gone yet and takes its exit code."""
        with suppress(OSError):
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._in, select.POLLOUT, deadline)
            try:
                view = view[os.write(self._in, view[: 16 * _PIECE]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._ended() from error

    def _receive(self, deadline: float) -> bytes:
        (length,) = _LENGTH.unpack(self._take(_LENGTH.size, deadline))
        if length > _ANSWER_MAX:
            raise _ChildFailed("answer of the reading process too long")
        return self._take(length, deadline)

    def _take(self, count: int, deadline: float) -> bytes:
        taken = bytearray()
        while len(taken) < count:
            self._wait(self._out, select.POLLIN, deadline)
            try:
                piece = os.read(self._out, min(count - len(taken), 16 * _PIECE))
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._ended() from error
            if not piece:
                raise self._ended()
            taken += piece
        return bytes(taken)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        """`poll`, not `select`: a daemon may have more than 1,024 descriptors."""
        left = deadline - self._clock.monotonic()
        poller = select.poll()
        poller.register(descriptor, event)
        if left <= 0 or not poller.poll(left * 1000):
            raise _TimeOver("reading took too long")

    def _ended(self) -> _ChildFailed:
        """Why the child is gone, in words for the defect."""
        try:
            code = self._process.wait(timeout=_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return _ChildFailed("reading process closed its pipe")
        if code == OUT_OF_MEMORY:
            return _ChildFailed("reading needed too much memory")
        if code == -signal.SIGXCPU:
            return _TimeOver("reading took too long")
        if code < 0:
            return _ChildFailed(f"reading process ended by signal {-code}")
        return _ChildFailed(f"reading process ended with code {code}")


def _command() -> list[str]:
    package = Path(mailbot.__file__).resolve().parent.parent
    return [sys.executable, "-I", "-X", "utf8", "-c", _BOOT, str(package)]
