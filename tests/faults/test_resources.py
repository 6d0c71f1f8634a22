"""Faults R1, R4–R6: no disk, no memory, no handles, too many mails at once.

(R2 and R3, the database locked, away, read-only or damaged: tests/faults/test_database_faults.py.)
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.adapters.archive import FileArchive
from mailbot.adapters.db.engine import open_store
from mailbot.adapters.sandbox import SandboxedReader
from mailbot.app.errors import OperatorFault, Retryable, WorldFault
from tests.faults.maildir_office import MaildirOffice
from tests.integration.intake_help import LIAISON, NOON, World, item, letter

# --- R1: the disk is full -----------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        why = f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Takes all room but `leave` bytes."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with filler.open("wb") as out:
        while free > leave:
            size = min(free - leave, 1 << 20)
            out.write(bytes(size))
            out.flush()
            free -= size
    return filler


def test_r1_a_full_disk_answers_nothing_moves_nothing_and_goes_on_by_itself(
    tmp_path: Path, small_disk: Path
) -> None:
    office = MaildirOffice(tmp_path / "office", small_disk / "data", "max_mail_mb = 1")
    assert office.run("once").returncode == 0
    for number in range(4):
        office.put(
            f"mail{number}", item(f"第{number}批物资到位", message_id=f"{number}@example.com")
        )
    before = office.mails()
    filler = fill(small_disk, leave=1_200_000)  # 1.5 × the largest mail must stay free
    done = office.run("once")
    assert done.returncode == 3
    assert "free" in done.stderr.decode()
    assert (office.mails(), office.letters()) == (before, [])
    filler.unlink()
    assert office.run("once").returncode == 0
    assert len(office.items()) == len(office.letters()) == 4
    assert len({i["receipt"] for i in office.items()}) == 4


@pytest.mark.parametrize("leave", [0, 4_096, 16_384, 40_960, 90_112, 200_704])
def test_r1_wherever_the_room_ends_nothing_is_half_done(
    tmp_path: Path, small_disk: Path, leave: int
) -> None:
    """At the archive, at the first row, in the middle of the transaction: the archive's own rule of
    free room is off here, so that each of them is met. Where not even the attempt can be taken back, it
    stays counted; further ones fail before they count, so that no mail is given up."""
    whole = World(tmp_path)
    world = World(tmp_path, store=open_store(f"sqlite:///{small_disk}/mailbot.db"))
    world.archive = FileArchive(small_disk / "archive", min_free_bytes=0)
    for one in (whole, world):
        for number in range(5):
            one.box.put(item(f"第{number}批物资到位", message_id=f"{number}@example.com"), NOON)
        one.box.put(letter("缺了单位", message_id="bad@example.com"), NOON)
    whole.run()
    filler = fill(small_disk, leave)
    for _ in range(5):
        try:
            world.run()
        except (WorldFault, OperatorFault) as fault:
            assert isinstance(fault, Retryable)
            assert fault.systemic
    filler.unlink()
    world.run()
    assert world.items() == whole.items()
    assert world.letters() == whole.letters()
    assert world.rows("select count(*) from inbound where attempts > 2") == [(0,)]
    assert world.tasks() == whole.tasks()
    assert world.store.check() == []


def test_r1_a_log_that_cannot_be_written_stops_no_mail(tmp_path: Path) -> None:
    office = MaildirOffice(tmp_path / "office")
    office.put("mail", item())
    with open("/dev/full", "wb") as full:
        office.run("once", out=full)
    assert len(office.items()) == len(office.letters()) == 1


# --- R4: little memory, a large mail ------------------------------------------------------------


def test_r4_a_mail_of_100_mb_is_taken_by_its_header_in_half_a_gigabyte(tmp_path: Path) -> None:
    office = MaildirOffice(tmp_path / "office")
    huge = office.put("huge", item("一部大片", message_id="huge@example.com"))
    with huge.open("ab") as out:
        line = b"QUJD" * 18 + b"\r\n"
        for _ in range(100):
            out.write(line * (1_000_000 // len(line)))
    office.put("small", item("一条信息", message_id="small@example.com"))

    def little_memory() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (512 << 20, 512 << 20))

    done = office.run("once", before=little_memory)
    assert done.returncode == 0, done.stderr.decode()
    states = Counter(i["state"] for i in office.items())
    assert states["accepted"] == 1
    tasks = office.run("tasks").stdout.decode()
    assert "邮件过大（99 MB）" in tasks
    assert sum(str(m["Auto-Submitted"]).startswith("auto-replied") for m in office.letters()) <= 2


# --- R5: a flood from one sender ----------------------------------------------------------------


def flood(world: World, count: int) -> None:
    for number in range(count):
        kind = number % 4
        raw = (
            item(f"第{number}号工程开工", message_id=f"a{number}@example.com")
            if kind < 2
            else letter(f"没有单位的第{number}封", message_id=f"b{number}@example.com")
            if kind == 2
            else item("同一条信息", message_id=f"c{number}@example.com")
        )
        world.box.put(raw, NOON)
    world.run()


@pytest.mark.parametrize("count", [200, pytest.param(1_000, marks=pytest.mark.long)])
def test_r5_a_flood_is_stored_whole_answered_to_a_limit_and_told_once(
    tmp_path: Path, count: int
) -> None:
    world = World(tmp_path)
    flood(world, count)
    ((stored, archived),) = world.rows("select count(*), count(distinct sha256) from inbound")
    assert (stored, archived) == (count, count)
    assert world.rows("select count(*) from inbound where state = 'new'") == [(0,)]
    answers = Counter(
        kind for kind, to, state in world.letters() if to == LIAISON and state == "ready"
    )
    assert answers["acknowledgement"] <= 60
    assert answers["return"] <= 20
    assert sum(answers.values()) <= 60 + 20 + 10
    told = Counter(world.tasks())
    assert told["answer_limit"] + told["hourly_limit"] + told["limit"] <= 2


# --- R6: no handles, no processes ---------------------------------------------------------------


def test_r6_without_file_handles_the_pass_ends_and_the_next_one_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.reader = SandboxedReader()
    world.box.put(item(), NOON)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    in_use = max(int(fd.name) for fd in Path("/proc/self/fd").iterdir()) + 1
    try:
        for more in range(6):
            resource.setrlimit(resource.RLIMIT_NOFILE, (in_use + more, hard))
            try:
                world.run()
            except Retryable as fault:
                assert fault.systemic
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        world.run()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        world.reader.close()
    assert [state for _, state, _ in world.items()] == ["accepted"]
    assert len(world.letters()) == 1


def test_r6_when_no_process_can_be_started_mail_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    world.reader = SandboxedReader()
    world.box.put(item(), NOON)

    def no_fork(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as m:
        m.setattr(subprocess, "Popen", no_fork)
        for _ in range(5):
            with pytest.raises(Retryable) as raised:
                world.run()
            assert raised.value.systemic
    world.run()
    world.reader.close()
    assert [state for _, state, _ in world.items()] == ["accepted"]
