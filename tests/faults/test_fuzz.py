"""No mail can break it: damaged fixtures through the whole intake, and through the limited child.

The unit tests fuzz the decoder alone (tests/unit/test_decode_hostile.py) and the subject line
(tests/unit/test_subject_properties.py); here a mail goes all the way to the letter that answers it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.adapters.sandbox import SandboxedReader
from mailbot.core.mail.model import DefectCode, IncomingMail
from tests.faults.mutate import damaged
from tests.integration.intake_help import NOON, OFFICE_ADDRESS, World, item
from tests.unit import hostile
from tests.unit.test_decode_hostile import check

_HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "Precedence", "MIME-Version", "Content-Type", "X-Mailbot-Id",
    "Content-Transfer-Encoding",
}  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database to copy: making one takes longer than reading a mail."""
    folder = tmp_path_factory.mktemp("empty")
    World(folder).store.close()
    return folder / "mailbot.db"


def through_the_intake(folder: Path, empty: Path, seeds: list[int]) -> None:
    """Several damaged mails and a good one, in one pass: nothing breaks, and the good one is answered."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copyfile(empty, folder / "mailbot.db")
    world = World(folder)
    for seed in seeds:
        world.box.put(damaged(seed), NOON)
    world.box.put(
        item("完好的一条", message_id="good@example.com", sender="good@example.com"), NOON
    )
    report = world.run()
    assert report.faults == []
    assert world.rows("select count(*) from inbound where state = 'new'") == [(0,)]
    assert world.rows("select log from decision where log like '%Traceback%'") == []
    assert "完好的一条" in [title for title, _, _ in world.items()]
    for sent in world.sent():
        letter = message_from_bytes(sent.raw)
        assert set(letter.keys()) <= _HEADERS, sorted(set(letter.keys()) - _HEADERS)
        assert len(letter.keys()) == len(set(letter.keys()))
        assert letter["To"].count("@") == 1
        assert OFFICE_ADDRESS not in letter["To"]
        assert str(letter["Auto-Submitted"]) == "auto-replied"
    for settled in world.log:
        check(settled.mail)
    world.store.close()


_FOLDER = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=40, deadline=None, suppress_health_check=_FOLDER)
@given(st.lists(st.integers(0, 1 << 40), min_size=1, max_size=6))
def test_damaged_mails_through_the_whole_intake(
    tmp_path: Path, empty: Path, seeds: list[int]
) -> None:
    through_the_intake(tmp_path / "world", empty, seeds)


@pytest.mark.long
@settings(max_examples=700, deadline=None, suppress_health_check=_FOLDER)
@given(st.lists(st.integers(0, 1 << 40), min_size=1, max_size=8))
def test_many_damaged_mails_through_the_whole_intake(
    tmp_path: Path, empty: Path, seeds: list[int]
) -> None:
    through_the_intake(tmp_path / "world", empty, seeds)


# --- within a second and half a gigabyte --------------------------------------------------------


@pytest.fixture(scope="module")
def strict() -> Iterator[SandboxedReader]:
    """A second of processor time and 512 MB for each mail: the child enforces both."""
    reader = SandboxedReader(seconds=1, memory_mb=512)
    yield reader
    reader.close()


def unreadable(mail: IncomingMail) -> list[str]:
    return [d.detail for d in mail.defects if d.code is DefectCode.UNREADABLE]


@pytest.mark.parametrize("name", hostile.CASES)
def test_a9_a10_a11_a12_a_hostile_mail_is_read_in_a_second_and_512_mb(
    strict: SandboxedReader, name: str
) -> None:
    assert unreadable(strict.read(hostile.CASES[name]())) == []


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_a_damaged_mail_is_read_in_a_second_and_512_mb(strict: SandboxedReader, first: int) -> None:
    for seed in range(first, first + 50):
        assert unreadable(strict.read(damaged(seed))) == [], seed


@pytest.mark.long
def test_thousands_of_damaged_mails_are_read_in_a_second_and_512_mb_each(
    strict: SandboxedReader,
) -> None:
    for seed in range(1_000, 9_000):
        assert unreadable(strict.read(damaged(seed))) == [], seed


# --- guided by coverage -------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="atheris is not to be had for this Python")
@pytest.mark.parametrize("target", ["mail", "subject", "command", "authentication"])
def test_coverage_guided_fuzzing_finds_nothing(tmp_path: Path, target: str) -> None:
    """atheris for some seconds on each target; what it found is in the output and in `found`."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.guided", target, f"-artifact_prefix={tmp_path}/found-",
         "-max_total_time=12", "-max_len=4000", "-timeout=5", "-rss_limit_mb=2048", str(corpus)],
        capture_output=True, timeout=180, env={**os.environ, "PYTHONUTF8": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
    assert b"Done " in done.stderr
