"""What was put is there for good, under its digest, or the caller is told that it is not."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.adapters.archive import FileArchive
from mailbot.app.errors import OperatorFault, Permanent, Retryable


def pair(raw: bytes) -> tuple[str, bytes]:
    return hashlib.sha256(raw).hexdigest(), raw


@pytest.fixture
def archive(tmp_path: Path) -> FileArchive:
    return FileArchive(tmp_path / "archive", min_free_bytes=0)


def files(archive: FileArchive) -> list[Path]:
    return [p for p in archive.root.rglob("*") if p.is_file()]


def test_a_mail_is_one_plain_file_under_its_digest(archive: FileArchive) -> None:
    sha, raw = pair(b"Subject: x\r\n\r\nhello\r\n")
    archive.put([(sha, raw), (sha, raw)])
    archive.put([(sha, raw)])
    (path,) = files(archive)
    assert path == archive.root / sha[:2] / sha[2:4] / f"{sha}.eml"
    assert path.read_bytes() == raw == archive.get(sha)
    assert sha in archive
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@settings(max_examples=30, deadline=None)
@given(raws=st.lists(st.binary(max_size=300), max_size=8))
def test_what_was_put_comes_back(
    tmp_path_factory: pytest.TempPathFactory, raws: list[bytes]
) -> None:
    archive = FileArchive(tmp_path_factory.mktemp("a"), min_free_bytes=0)
    archive.put(map(pair, raws))
    assert [archive.get(pair(r)[0]) for r in raws] == raws
    assert len(files(archive)) == len(set(raws))


def test_more_mails_than_one_group(archive: FileArchive) -> None:
    raws = [str(n).encode() for n in range(130)]
    archive.put(pair(r) for r in raws)
    assert len(files(archive)) == 130
    assert list(archive.tmp.iterdir()) == []


@pytest.mark.parametrize("key", ["", "0" * 64, "../../etc/passwd", "A" * 64, "0" * 63 + "\n"])
def test_what_is_not_there_is_a_key_error(archive: FileArchive, key: str) -> None:
    assert key not in archive
    with pytest.raises(KeyError):
        archive.get(key)


def test_a_digest_that_does_not_fit_is_refused(archive: FileArchive) -> None:
    sha, _ = pair(b"a")
    for key in (sha, "../x", "0" * 64):
        with pytest.raises(ValueError, match="digest"):
            archive.put([(key, b"b")])
    assert files(archive) == []


def test_damage_on_disk_shows(archive: FileArchive) -> None:
    sha, raw = pair(b"hello")
    archive.put([(sha, raw)])
    path = archive.path_of(sha)
    assert path is not None
    path.write_bytes(b"hellO")
    with pytest.raises(Permanent) as caught:
        archive.get(sha)
    assert caught.value.code == "archive_damaged"


def test_a_file_cut_short_is_written_again(archive: FileArchive) -> None:
    sha, raw = pair(b"hello")
    archive.put([(sha, raw)])
    path = archive.path_of(sha)
    assert path is not None
    path.write_bytes(b"he")
    archive.put([(sha, raw)])
    assert archive.get(sha) == raw


def syscalls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Records what reaches the disk, in order: (call, path)."""
    seen: list[tuple[str, str]] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(fd: int) -> None:
        seen.append(("fsync", str(Path(f"/proc/self/fd/{fd}").readlink())))
        real_fsync(fd)

    def replace(self: Path, target: Path) -> Path:
        seen.append(("rename", str(target)))
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    return seen


def test_bytes_are_on_disk_before_the_name_and_the_name_before_return(
    archive: FileArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = syscalls(monkeypatch)
    sha, raw = pair(b"hello")
    archive.put([(sha, raw)])
    final = str(archive.path_of(sha))
    renamed = seen.index(("rename", final))
    assert [c for c, p in seen[:renamed] if "/tmp/new-" in p] == ["fsync"]
    folders = {p for c, p in seen[renamed:] if c == "fsync"}
    # The mail's folder, and the two whose entries are new.
    assert folders == {
        str(archive.root / sha[:2] / sha[2:4]),
        str(archive.root / sha[:2]),
        str(archive.root),
    }


def test_a_known_mail_is_not_written_but_its_name_made_durable(
    archive: FileArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first writer may have been killed between rename and fsync of the folder."""
    sha, raw = pair(b"hello")
    archive.put([(sha, raw)])
    seen = syscalls(monkeypatch)
    archive.put([(sha, raw)])
    assert seen == [("fsync", str(archive.root / sha[:2] / sha[2:4]))]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("call", ["write", "fsync", "mkdir"])
def test_a_failing_disk_stops_the_pass_and_leaves_no_half_file(
    archive: FileArchive, monkeypatch: pytest.MonkeyPatch, code: int, call: str
) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(Path if call == "mkdir" else os, call, fail)
        with pytest.raises(Retryable) as caught:
            archive.put([pair(b"hello"), pair(b"world")])
    assert (caught.value.code, caught.value.systemic) == ("disk", True)
    assert files(archive) == []
    archive.put([pair(b"hello")])
    assert archive.get(pair(b"hello")[0]) == b"hello"


def test_a_short_write_is_continued(archive: FileArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:7])))
    sha, raw = pair(b"x" * 1000)
    archive.put([(sha, raw)])
    assert archive.get(sha) == raw


def test_nothing_is_written_when_the_disk_is_nearly_full(tmp_path: Path) -> None:
    archive = FileArchive(tmp_path / "a", min_free_bytes=2**62)
    with pytest.raises(Retryable) as caught:
        archive.put([pair(b"hello")])
    assert (caught.value.code, caught.value.systemic) == ("disk", True)
    assert files(archive) == []


def test_no_file_handles_left_is_said_apart(
    archive: FileArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("mailbot.adapters.archive.tempfile.mkstemp", fail)
    with pytest.raises(Retryable) as caught:
        archive.put([pair(b"hello")])
    assert caught.value.code == "resources"


def test_unfinished_files_of_the_killed_are_swept_those_of_the_living_kept(
    archive: FileArchive,
) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from mailbot.adapters.archive import FileArchive\n"
        "real = os.fsync\n"
        "def fsync(fd):\n"
        "    real(fd)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "os.fsync = fsync\n"
        "import hashlib\n"
        "raw = b'hello'\n"
        "FileArchive(Path(sys.argv[1]), min_free_bytes=0)"
        ".put([(hashlib.sha256(raw).hexdigest(), raw)])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(archive.root)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(archive.tmp.iterdir())) == 1
    living = archive.tmp / "new-living"
    with living.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        again = FileArchive(archive.root, min_free_bytes=0)
        assert again.swept == 1
        assert list(archive.tmp.iterdir()) == [living]
    sha, raw = pair(b"hello")
    assert sha not in again
    again.put([(sha, raw)])
    assert again.get(sha) == raw


def test_a_place_that_cannot_be_an_archive_is_the_operators_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OperatorFault) as caught:
        FileArchive(tmp_path / "file")
    assert str(tmp_path / "file") in str(caught.value)
    assert caught.value.faults[0].remedy
