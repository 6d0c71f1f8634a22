"""The reading child: what kills it costs one mail, and the next one is read."""

from __future__ import annotations

import hashlib
import os
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.adapters.sandbox import InProcessReader, SandboxedReader
from mailbot.app.errors import Retryable
from mailbot.core.mail.model import DefectCode, IncomingMail
from mailbot.core.mail.reading import read_mail
from tests.unit.hostile import attached, plain, word

GOOD = plain(word("农牧局+信息+张三+7622029", "gb18030"), "正文".encode("gbk"))

CHILD = """
import os, signal, sys, time
sys.path[:0] = {path!r}
from mailbot.adapters import sandbox_child
from mailbot.core.mail.reading import read_mail

def read(raw, complete):
    if b"X-Do: segfault" in raw:
        os.kill(os.getpid(), signal.SIGSEGV)
    if b"X-Do: sleep" in raw:
        time.sleep(60)
    if b"X-Do: loop" in raw:
        while True:
            pass
    if b"X-Do: eat" in raw:
        eaten = [bytes(8_000_000) for _ in range(10_000)]
    if b"X-Do: raise" in raw:
        raise RuntimeError("bug")
    if b"X-Do: exit" in raw:
        os._exit(3)
    if b"X-Do: shout" in raw:
        print("not a frame", flush=True)
        os.write(1, b"not a frame")
    if b"X-Do: write" in raw:
        with open({out!r}, "w") as file:
            file.write("x")
    if b"X-Do: once" in raw and not os.path.exists({out!r}):
        os.kill(os.getppid(), 0)
        os.mkdir({out!r})
        os.kill(os.getpid(), signal.SIGKILL)
    while b"X-Do: wait" in raw and not os.path.exists({out!r}):
        time.sleep(0.01)
    if b"X-Do: mkdir" in raw:
        os.mkdir({out!r})
    return read_mail(raw, complete)

sandbox_child.main(sys.argv[1:], read)
"""


REAL = f"""
import sys
sys.path[:0] = {sys.path!r}
from mailbot.adapters.sandbox_child import main
main(sys.argv[1:])
"""


def scripted(folder: Path) -> list[str]:
    script = folder / "child.py"
    script.write_text(textwrap.dedent(CHILD.format(path=sys.path, out=str(folder / "out"))))
    return [sys.executable, str(script)]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[SandboxedReader]:
    reader = SandboxedReader(seconds=1, memory_mb=400, command=scripted(tmp_path))
    yield reader
    reader.close()


def doing(what: str) -> bytes:
    return plain(b"s", b"x", f"X-Do: {what}\r\n".encode())


def unreadable(mail: IncomingMail) -> str:
    (defect,) = mail.defects
    assert defect.code is DefectCode.UNREADABLE
    return defect.detail


def test_the_real_child_reads_as_we_do() -> None:
    reader = SandboxedReader()
    mails = [GOOD, attached(b"%PDF-1.4", b"a.pdf"), b"", plain(b"secret", "机密★1年".encode())]
    try:
        for raw in mails:
            assert reader.read(raw) == read_mail(raw) == InProcessReader().read(raw)
        assert reader.read(GOOD, complete=False) == read_mail(GOOD, complete=False)
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("segfault", "signal 11"),
        ("sleep", "too long"),
        ("loop", "too long"),
        ("eat", "memory"),
        ("exit", "code 3"),
        ("raise", "code 1"),
    ],
)
def test_what_kills_the_child_costs_one_mail(
    reader: SandboxedReader, what: str, words: str
) -> None:
    assert reader.read(GOOD).subject == "农牧局+信息+张三+7622029"
    raw = doing(what)
    mail = reader.read(raw)
    assert words in unreadable(mail)
    assert mail.size == len(raw)
    assert mail.sha256 == hashlib.sha256(raw).hexdigest()
    assert mail.content_key == reader.read(raw).content_key != reader.read(raw + b"y").content_key
    assert reader.read(GOOD) == read_mail(GOOD)


def test_the_child_prints_nothing_into_the_answers(reader: SandboxedReader) -> None:
    assert reader.read(doing("shout")).subject == "s"
    assert reader.read(GOOD) == read_mail(GOOD)


def test_the_child_writes_no_file(reader: SandboxedReader, tmp_path: Path) -> None:
    unreadable(reader.read(doing("write")))
    assert not (tmp_path / "out").exists() or (tmp_path / "out").stat().st_size == 0


def test_a_death_that_was_not_the_mails_fault_is_tried_again(reader: SandboxedReader) -> None:
    assert reader.read(GOOD).defects == read_mail(GOOD).defects
    assert reader.read(doing("once")).subject == "s"


def test_the_child_is_replaced_after_its_share(tmp_path: Path) -> None:
    reader = SandboxedReader(mails_per_child=3)
    try:
        pids = []
        for _ in range(7):
            reader.read(GOOD)
            assert reader._places[0]._child is not None
            pids.append(reader._places[0]._child._process.pid)
        assert [len(set(pids[:3])), len(set(pids[3:6])), len(set(pids))] == [1, 1, 3]
    finally:
        reader.close()


def test_a_closed_reader_can_be_used_again() -> None:
    reader = SandboxedReader()
    reader.read(GOOD)
    assert reader._places[0]._child is not None
    process = reader._places[0]._child._process
    reader.close()
    reader.close()
    assert process.poll() is not None
    assert reader.read(GOOD).subject
    reader.close()


def test_no_child_can_be_started() -> None:
    reader = SandboxedReader(command=["/nonexistent/python"])
    with pytest.raises(Retryable) as caught:
        reader.read(GOOD)
    assert caught.value.systemic
    reader = SandboxedReader(command=[sys.executable, "-c", "raise SystemExit(5)"])
    with pytest.raises(Retryable) as caught:
        reader.read(GOOD)
    assert caught.value.systemic
    assert "code 5" in str(caught.value)


def test_a_child_that_answers_nonsense() -> None:
    nonsense = (
        "import os,struct,sys;os.write(1,struct.pack('>Q',0));os.read(0,9);"
        "os.write(1,struct.pack('>Q',2)+b'[]');os.read(0,9**6)"
    )
    reader = SandboxedReader(seconds=2, command=[sys.executable, "-c", nonsense])
    assert "not understood" in unreadable(reader.read(GOOD))
    reader.close()


def test_a_large_mail_fits_into_the_memory_limit() -> None:
    reader = SandboxedReader(memory_mb=512)
    try:
        data = os.urandom(1_000_000) * 30
        mail = reader.read(attached(data, b"scan.bin"))
        assert [(a.size, a.sha256) for a in mail.attachments] == [
            (len(data), hashlib.sha256(data).hexdigest())
        ]
    finally:
        reader.close()


def test_the_environment_does_not_choose_what_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chardet.py").write_text("raise SystemExit(9)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    reader = SandboxedReader()
    assert reader.read(GOOD).subject
    reader.close()


def test_a_batch_is_read_by_several_in_its_order() -> None:
    reader = SandboxedReader(processes=3)
    mails = [(plain(f"s{n}".encode(), b"x"), True) for n in range(20)]
    try:
        assert [m.subject for m in reader.read_all(mails)] == [f"s{n}" for n in range(20)]
        assert reader.read_all([]) == []
        assert sum(place._child is not None for place in reader._places) == 3
    finally:
        reader.close()


def test_p5_one_mail_that_hangs_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """The first mail is through only once a later one of the batch was read beside it."""
    reader = SandboxedReader(seconds=60, memory_mb=400, processes=2, command=scripted(tmp_path))
    try:
        mails = reader.read_all([(doing("wait"), True), (GOOD, True), (doing("mkdir"), True)])
    finally:
        reader.close()
    raws = [doing("wait"), GOOD, doing("mkdir")]
    assert mails == [read_mail(raw) for raw in raws]


def test_p5_a_batch_comes_back_whole_whatever_one_mail_does(tmp_path: Path) -> None:
    reader = SandboxedReader(seconds=1, memory_mb=400, processes=2, command=scripted(tmp_path))
    try:
        bad = [doing("sleep"), doing("segfault"), doing("eat")]
        mails = reader.read_all([(raw, True) for raw in (*bad, *[GOOD] * 5)])
    finally:
        reader.close()
    assert [bool(m.subject) for m in mails] == [False] * 3 + [True] * 5


def test_r6_one_child_that_starts_reads_for_those_that_do_not(tmp_path: Path) -> None:
    """Only the first to come finds room for a process."""
    only = [sys.executable, "-c", f"import os; os.mkdir({str(tmp_path / 'taken')!r})\n" + REAL]
    reader = SandboxedReader(processes=3, memory_mb=400, command=only)
    mails = [(plain(f"s{n}".encode(), b"x"), True) for n in range(12)]
    try:
        for _ in range(3):
            assert [m.subject for m in reader.read_all(mails)] == [f"s{n}" for n in range(12)]
            assert sum(place._child is not None for place in reader._places) == 1
        (tmp_path / "taken").rmdir()
        # Where none could be started before it is tried again.
        assert [m.subject for m in reader.read_all(mails)] == [f"s{n}" for n in range(12)]
    finally:
        reader.close()


def test_r6_without_threads_one_place_reads_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    reader = SandboxedReader(processes=3)
    try:
        assert [m.subject for m in reader.read_all([(plain(b"a", b"x"), True)] * 5)] == ["a"] * 5
    finally:
        reader.close()


def test_r6_no_child_at_any_place_ends_the_batch() -> None:
    reader = SandboxedReader(processes=3, command=[sys.executable, "-c", "raise SystemExit(5)"])
    with pytest.raises(Retryable) as caught:
        reader.read_all([(GOOD, True)] * 4)
    assert caught.value.systemic and caught.value.code == "sandbox"
