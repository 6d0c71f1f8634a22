"""Forks the processes that are killed: `python -m tests.crash.zygote`.

It imports everything once and then forks a fresh process for every order (a JSON object on a line
of stdin), so that a run costs a fork and not seconds of importing. Such a process is the command line
with three things replaced: the clock shows the time it was told; the offices' data and templates are
read and checked once for all runs; the reading child is forked too instead of started anew (its code,
limits and pipes are the real ones). What is answered on stdout is the exit code, negative for a signal.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import logging
import os
import pkgutil
import signal
import subprocess
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import mailbot
from mailbot import bootstrap
from mailbot.adapters import sandbox_child
from mailbot.adapters.letters.render import MailTemplates
from mailbot.adapters.system import SystemClock, shipped
from mailbot.cli import main, work
from tests.crash import mutants
from tests.crash.steps import Counted, Killer

SECONDS = 90
"""A run that takes longer hangs: SIGALRM ends it."""
_SKIPPED = ("mailbot.__main__", "mailbot.locale.update")


class ForkedChild:
    """`subprocess.Popen` as far as the reader uses it: the reading child, forked."""

    running: ClassVar[list[ForkedChild]] = []

    def __init__(self, command: list[str], killer: Killer) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            killer.off()
            signal.alarm(0)
            os.dup2(theirs_in, 0)
            os.dup2(theirs_out, 1)
            os.closerange(3, 256)
            code = 1
            try:
                # Its own arguments follow the program text and the package's folder.
                sandbox_child.main(command[command.index("-c") + 3 :])
                code = 0
            finally:
                os._exit(code)
        os.close(theirs_in)
        os.close(theirs_out)
        self.stdin = os.fdopen(ours_out, "wb", buffering=0)
        self.stdout = os.fdopen(ours_in, "rb", buffering=0)
        self.running.append(self)

    def poll(self) -> int | None:
        return self._reap(os.WNOHANG)

    def wait(self, timeout: float | None = None) -> int | None:
        return self._reap(0)

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _reap(self, how: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, how)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _popen(killer: Killer) -> Any:
    real = subprocess.Popen

    def popen(command: list[str], **options: Any) -> Any:
        if any("sandbox_child" in word for word in command):
            return ForkedChild(command, killer)
        return real(command, **options)

    return popen


def _kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_reader() -> None:
    for child in ForkedChild.running:
        if child.returncode is None:
            os.kill(child.pid, signal.SIGKILL)


def _run(order: dict[str, Any]) -> int:
    signal.alarm(SECONDS)
    out = os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.update(order.get("env", {}))
    now = datetime.fromisoformat(order["now"])
    SystemClock.now = lambda _self: now  # type: ignore[method-assign]
    killer = Killer(
        strike=_kill_reader if order.get("strike") == "reader" else _kill_me,
        at=order.get("at"),
        match=order.get("match"),
        nth=order.get("nth", 1),
        died=Path(order["died"]),
    )
    subprocess.Popen = _popen(killer)  # type: ignore[misc]
    if name := order.get("mutant"):
        mutants.MUTANTS[name].apply()
    Counted(killer)
    sys.argv = ["mailbot", *order["argv"]]
    try:
        return main()
    finally:
        killer.off()
        Path(order["trace"]).write_text("\n".join(killer.labels), encoding="utf-8")


def _warm() -> None:
    for module in pkgutil.walk_packages(mailbot.__path__, "mailbot."):
        if module.name not in _SKIPPED and ".migrations" not in module.name:
            importlib.import_module(module.name)
    sandbox_child._warm_up(sandbox_child.read_mail)
    config = shipped("config") / "offices"
    bootstrap.load_offices = functools.cache(bootstrap.load_offices)
    bootstrap.load_offices(config, tuple(sys.argv[1:]))
    templates = MailTemplates(shipped("templates"), config)
    faults = [f for office in sys.argv[1:] for f in templates.check(office, replies_only=True)]
    assert not faults, faults
    bootstrap._templates = lambda _settings: templates
    bootstrap._checked_templates = lambda *_: templates
    work.failing_cases = lambda *_: ()
    gc.collect()
    gc.freeze()


def serve() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _warm()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = _run(order)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                sys.stdout.flush()
                logging.shutdown()
                os._exit(code)
        _pid, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


if __name__ == "__main__":
    serve()
