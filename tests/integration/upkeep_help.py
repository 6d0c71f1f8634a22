"""An installation with five mails, and programs that die or fail at a chosen step."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.system import SHANGHAI, shipped
from mailbot.cli import main
from tests.integration.cli_help import Cli, installed, mail

_STEPS = ("fsync", "rename", "replace", "unlink", "mkdir")
RECEIVED = datetime.now(SHANGHAI) - timedelta(hours=2)


@cache
def _made(base: Path) -> Path:
    config_dir = base / "config"
    shutil.copytree(shipped("config") / "offices" / "otog", config_dir / "offices" / "otog")
    own = config_dir / "offices" / "otog" / "templates"
    own.mkdir(exist_ok=True)
    (own / "sign.code").write_text("secret-code-1")  # what looks like a credential stays behind
    config = installed(base, config_dir)
    text = config.read_text("utf-8").replace(f'config_dir = "{config_dir}"\n', "")
    config.write_text(text, "utf-8")
    config.rename(config_dir / "mailbot.toml")
    config = config_dir / "mailbot.toml"
    config.write_text(
        text.replace('"data"', '"../data"')
        .replace('"mailbox"', '"../mailbox"')
        .replace('"outbox"', '"../outbox"')
    )
    for number, (subject, sender) in enumerate(
        (
            ("农牧局+春耕备耕工作进展顺利+张三+7622029", "one@example.net"),
            ("水利局+抗旱保水工作有序开展+李四+13800000001", "two@example.net"),
            ("关于春季造林的信息", "three@example.net"),
            ("住建局+机密★1年的规划+王五+13800000002", "four@example.net"),
            ("教体局+校园安全检查全覆盖+赵六+13800000003", "five@example.net"),
        )
    ):
        path = base / "mailbox" / "new" / f"{number}.test"
        path.write_bytes(mail(subject, sender=sender, body=f"{subject}，第{number}段正文。" * 20))
        stamp = (RECEIVED + timedelta(minutes=number)).timestamp()
        os.utime(path, (stamp, stamp))
    before = sys.argv
    sys.argv = ["mailbot", "--config", str(config), "once"]
    try:
        assert main() == 0
    finally:
        sys.argv = before
    return base


def installation(
    base: Path, target: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """A copy of its own; the settings file is `config/mailbot.toml`."""
    shutil.copytree(_made(base), target)
    return Cli(capsys, monkeypatch, target / "config" / "mailbot.toml")


def in_child(work: Callable[[], int]) -> int:
    """Runs it in a child process; its exit code, or -9 when it killed itself."""
    child = os.fork()
    if not child:
        code = 99
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            code = work()
        finally:
            os._exit(code)
    _pid, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def command(config: Path, *args: str) -> Callable[[], int]:
    def run() -> int:
        sys.argv = ["mailbot", "--config", str(config), *args]
        return main()

    return run


@contextmanager
def at_step(number: int, act: Callable[[], None]) -> Iterator[list[int]]:
    """Before the n-th step that changes what lies on the disk, `act`. Gives the count of steps."""
    count = [0]
    real: dict[str, Any] = {name: getattr(os, name) for name in _STEPS}

    def wrapped(name: str) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            count[0] += 1
            if count[0] == number:
                act()
            return real[name](*args, **options)

        return step

    for name in _STEPS:
        setattr(os, name, wrapped(name))
    try:
        yield count
    finally:
        for name in _STEPS:
            setattr(os, name, real[name])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def disk_full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def killed_at(number: int, config: Path, *args: str) -> bool:
    """Whether the command died; False when it ended before that step."""
    run = command(config, *args)

    def work() -> int:
        with at_step(number, die):
            return run()

    code = in_child(work)
    assert code in (-signal.SIGKILL, 0), code
    return code != 0


def steps_of(config: Path, *args: str) -> int:
    """How many steps the command takes."""
    run = command(config, *args)
    reading, writing = os.pipe()

    def work() -> int:
        with at_step(0, die) as count:
            code = run()
        os.write(writing, str(count[0]).encode())
        return code

    assert in_child(work) == 0
    os.close(writing)
    with os.fdopen(reading) as told:
        return int(told.read())
