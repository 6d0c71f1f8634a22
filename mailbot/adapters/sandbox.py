"""Reads mails in a child process with limits of time and memory.

One child reads many mails, so a mail costs a frame through a pipe and not a process, and several
children read a batch together. When a mail kills or hangs its child, that mail comes back as
UNREADABLE and the next one gets a fresh child.
Nothing but JSON comes back (no pickle), and it is checked.

`InProcessReader` is the same without protection, for tests and tools on mails one trusts.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
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

log = logging.getLogger(__name__)

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


class _Killed(_ChildFailed):
    """SIGKILL: from outside (somebody, the kernel out of memory); no limit of ours ends so."""


class InProcessReader:
    """`MailReader` without a child process: a hostile mail takes this process with it."""

    def read(self, raw: bytes, *, complete: bool = True) -> IncomingMail:
        return read_mail(raw, complete)

    def read_all(self, mails: Sequence[tuple[bytes, bool]]) -> list[IncomingMail]:
        return [self.read(raw, complete=complete) for raw, complete in mails]

    def close(self) -> None:
        return None


class SandboxedReader:
    """`MailReader` through limited child processes, at most `processes` of them. Not shared between
    threads.

    `seconds` per mail (wall and processor), `memory_mb` a child's address space. `command` starts
    another child, for tests: it gets `--seconds` and `--memory-mb` appended.
    """

    def __init__(
        self,
        *,
        seconds: float = 20,
        memory_mb: int = 512,
        processes: int = 1,
        mails_per_child: int = MAILS_PER_CHILD,
        command: Sequence[str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        limits = ["--seconds", str(seconds), "--memory-mb", str(memory_mb)]
        started_by = [*(command or _command()), *limits]
        self._places = [
            _Place(started_by, seconds, mails_per_child, clock or SystemClock())
            for _ in range(processes)
        ]

    def read(self, raw: bytes, *, complete: bool = True) -> IncomingMail:
        """See `MailReader.read`. Raises `Retryable` (systemic) when no child can be started."""
        return self._places[0].read(raw, complete)

    def read_all(self, mails: Sequence[tuple[bytes, bool]]) -> list[IncomingMail]:
        """A mail that hangs holds up the place it is read in; the others read on meanwhile. So they
        do where no child can be started, as long as one place has its own."""
        batch = _Batch(mails)
        places = self._places[: len(mails)]
        while batch.left and places:
            _at_once(batch.read_at, places)
            # What was in hand where no child started is left to the others, who may be through.
            places = [place for place in places if place not in batch.gave_up]
        return batch.whole()

    def close(self) -> None:
        """Ends the children. The reader can be used again; it starts others."""
        for place in self._places:
            place.close()


class _Batch:
    """Mails that several places read, each the next one when it is free."""

    def __init__(self, mails: Sequence[tuple[bytes, bool]]) -> None:
        self.left = deque(enumerate(mails))
        self.gave_up: dict[_Place, Retryable] = {}
        """Where no child could be started."""
        self._count = len(mails)
        self._read: dict[int, IncomingMail] = {}
        self._bugs: list[BaseException] = []

    def read_at(self, place: _Place) -> None:
        while self.left and not self._bugs:
            try:
                number, (raw, complete) = self.left.popleft()
            except IndexError:
                return  # another place was quicker
            try:
                self._read[number] = place.read(raw, complete)
            except Retryable as fault:
                self.gave_up[place] = fault
                self.left.append((number, (raw, complete)))
                return
            except BaseException as bug:
                self._bugs.append(bug)
                return

    def whole(self) -> list[IncomingMail]:
        """Raises what kept it from being read."""
        for bug in self._bugs:
            raise bug
        for fault in self.gave_up.values():
            if self.left:
                raise fault
            log.warning("read by fewer processes than there should be: %s", fault)
            break
        return [self._read[number] for number in range(self._count)]


def _at_once(work: Callable[[_Place], None], places: Sequence[_Place]) -> None:
    """The first in this thread, and each other in one of its own. Where no more threads can be
    started, fewer work."""
    threads = []
    for place in places[1:]:
        thread = threading.Thread(target=work, args=(place,), name="reading", daemon=True)
        with suppress(RuntimeError):
            thread.start()
            threads.append(thread)
    work(places[0])
    for thread in threads:
        thread.join()


class _Place:
    """Where one child at a time reads mail after mail."""

    def __init__(
        self, command: list[str], seconds: float, mails_per_child: int, clock: Clock
    ) -> None:
        self._command, self._seconds, self._clock = command, seconds, clock
        self._mails_per_child = mails_per_child
        self._child: _Child | None = None

    def read(self, raw: bytes, complete: bool) -> IncomingMail:
        child = self._ready_child()
        worn = child.mails > 0
        try:
            return self._ask(child, raw, complete)
        except _TimeOver as failure:
            return self._unreadable(raw, failure)
        except _ChildFailed as failure:
            if not (worn or isinstance(failure, _Killed)):
                return self._unreadable(raw, failure)
        # It may have died of what earlier mails left behind, or been killed from outside: only a
        # mail that also kills a fresh child is to blame.
        try:
            return self._ask(self._ready_child(), raw, complete)
        except _ChildFailed as failure:
            return self._unreadable(raw, failure)

    def close(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _ready_child(self) -> _Child:
        if self._child is not None and self._child.mails >= self._mails_per_child:
            self.close()
        if self._child is None or not self._child.alive():
            self.close()
            self._child = _Child(self._command, self._clock)
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
        if code == -signal.SIGKILL:
            return _Killed("reading process was killed")
        if code < 0:
            return _ChildFailed(f"reading process ended by signal {-code}")
        return _ChildFailed(f"reading process ended with code {code}")


def _command() -> list[str]:
    package = Path(mailbot.__file__).resolve().parent.parent
    return [sys.executable, "-I", "-X", "utf8", "-c", _BOOT, str(package)]
