"""Fault P5: a mail that kills whoever reads it costs itself, and nobody else."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mailbot.adapters.sandbox import SandboxedReader
from mailbot.app.ports import MailReader
from mailbot.core.mail.model import IncomingMail
from tests.integration.intake_help import NOON, World, item, letter

POISON = ("segfault", "loop", "sleep", "eat", "exit", "abort")

_CHILD = """
import os, signal, sys, time
sys.path[:0] = {path!r}
from mailbot.adapters import sandbox_child
from mailbot.core.mail.reading import read_mail

def read(raw, complete):
    if b"X-Poison: segfault" in raw:
        os.kill(os.getpid(), signal.SIGSEGV)
    if b"X-Poison: abort" in raw:
        os.abort()
    if b"X-Poison: loop" in raw:
        while True:
            pass
    if b"X-Poison: sleep" in raw:
        time.sleep(600)
    if b"X-Poison: eat" in raw:
        eaten = [bytes(8_000_000) for _ in range(10_000)]
    if b"X-Poison: exit" in raw:
        os._exit(0)
    return read_mail(raw, complete)

sandbox_child.main(sys.argv[1:], read)
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    script = tmp_path / "child.py"
    script.write_text(textwrap.dedent(_CHILD.format(path=sys.path)))
    made = World(tmp_path)
    made.reader = SandboxedReader(seconds=1, memory_mb=512, command=[sys.executable, str(script)])
    yield made
    made.reader.close()


@pytest.mark.parametrize("what", POISON)
def test_p5_a_mail_that_kills_the_reader_goes_to_a_person_and_the_others_are_answered(
    world: World, what: str
) -> None:
    for number in range(3):
        world.box.put(item(f"第{number}批", message_id=f"a{number}@example.com"), NOON)
        if number == 1:
            world.box.put(letter("毒", message_id="p@example.com", X_Poison=what), NOON)
    report = world.run()
    assert report.faults == []
    assert world.rows("select count(*) from inbound where state = 'new'") == [(0,)]
    assert [title for title, state, _ in world.items() if state == "accepted"] == [
        "第0批", "第1批", "第2批",
    ]  # fmt: skip
    assert world.rows("select count(*) from inbound where decision = 'quarantine'") == [(1,)]
    assert [kind for kind, _, _ in world.letters()] == ["acknowledgement"] * 3
    assert len(world.tasks()) >= 1
    assert world.rows("select count(*) from inbound where sha256 = ''") == [(0,)]
    for (sha256,) in world.rows("select sha256 from inbound"):
        assert sha256 in world.archive, "what nobody could read is kept all the same"


class Deadly:
    """Takes the whole process down with some mails, as a fault in the parent would."""

    def __init__(self, inner: MailReader) -> None:
        self.inner = inner

    def read(self, raw: bytes, *, complete: bool = True) -> IncomingMail:
        if b"X-Poison" in raw:
            raise KeyboardInterrupt
        return self.inner.read(raw, complete=complete)

    def read_all(self, mails: Sequence[tuple[bytes, bool]]) -> list[IncomingMail]:
        return [self.read(raw, complete=complete) for raw, complete in mails]

    def close(self) -> None:
        self.inner.close()


def test_p5_a_mail_that_kills_the_daemon_itself_is_not_read_a_fourth_time(world: World) -> None:
    inner, world.reader = world.reader, Deadly(world.reader)
    for number in range(3):
        world.box.put(item(f"第{number}批", message_id=f"a{number}@example.com"), NOON)
    world.box.put(letter("毒", message_id="p@example.com", X_Poison="anything"), NOON)
    deaths = 0
    for _ in range(8):
        try:
            world.run()
        except KeyboardInterrupt:
            deaths += 1
    world.reader = inner
    assert deaths == 3
    assert sorted(state for _, state, _ in world.items()) == ["accepted"] * 3
    assert world.rows("select decision from inbound order by id desc limit 1") == [("quarantine",)]
    assert len(world.tasks()) >= 1
