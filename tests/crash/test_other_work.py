"""Rows K11 and K12, and a notice killed between its approval and its last letter."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from mailbot.adapters.system import SHANGHAI
from tests.crash.bed import NOON, Bed, Installation, State, Zygote, peopled
from tests.crash.sweep import DURABLE, Tally, finish, uninterrupted
from tests.servers.dovecot import Dovecot, Profile

pytestmark = pytest.mark.dovecot

EVE = datetime(2026, 8, 28, 9, 0, tzinfo=SHANGHAI)
"""The second last working day of August 2026: liaisons and heads are reminded."""


# --- K11: a monthly reminder ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def reminding(
    dovecots: Callable[[Profile], Dovecot], tmp_path_factory: pytest.TempPathFactory, zygote: Zygote
) -> Iterator[Bed]:
    folder = tmp_path_factory.mktemp("reminding")
    config = peopled(folder, liaisons=52, heads=28)
    with Bed(dovecots("full"), folder, zygote, mails=[], config=config, vouched=EVE) as bed:
        yield bed


@pytest.fixture(scope="module")
def all_80(reminding: Bed) -> tuple[State, tuple[str, ...]]:
    return uninterrupted(reminding, now=EVE)


@pytest.mark.parametrize("in_hand", ["sending", "dot"])
def test_k11_at_recipient_37_of_80(
    reminding: Bed, all_80: tuple[State, tuple[str, ...]], in_hand: str
) -> None:
    """Killed when 37 of the 80 are sent and the 38th is in hand, the restart sends the other 43;
    where the 38th had got its final dot, it is found among the sent mail and not sent again."""
    wanted, labels = all_80
    recipients = [n for n, x in enumerate(labels, 1) if re.match(r"before send .*RCPT.*@e.*net", x)]
    assert len(recipients) == 80
    at = recipients[37]
    if in_hand == "dot":
        at += next(n for n, x in enumerate(labels[at:], 1) if re.match("after send .*the dot", x))
    with reminding.once() as run:
        ended = run.run(now=EVE, at=at)
        assert ended.code == -9, ended.said
        states = "select state, count(*) from outbox where kind = 'reminder' group by state"
        assert dict(run.rows(states)) == {"sent": 37, in_hand: 1, "ready": 42}
        before = run.taken()
        finish(run, now=EVE)
        assert run.taken()[: len(before)] == before
        assert wanted.differences(run.state()) == []
        to = Counter(to for to, _, _ in run.taken() if to.endswith("@example.net"))
        assert (len(to), set(to.values())) == (80, {1})
        key = "reminder:otog:2026-08:second"
        assert run.rows(f"select count(*) from duty where key = '{key}'") == [(1,)]


# --- K12: files for people ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(
    dovecots: Callable[[Profile], Dovecot], tmp_path_factory: pytest.TempPathFactory, zygote: Zygote
) -> Iterator[Installation]:
    """The five mails are registered, and a notice is drafted."""
    folder = tmp_path_factory.mktemp("filled")
    bed = Bed(
        dovecots("full"),
        folder,
        zygote,
        config=peopled(folder, liaisons=3, heads=1),
        before=[SUBMITTED, ("notices", "draft", "otog", "2026-Q2")],
    )
    with bed, bed.once() as run:
        assert run.run().code == 0
        yield run


SUBMITTED = (
    *("record", "submission", "--unit", "农牧局", "--title", "草场管护工作扎实推进"),
    *("--day", "2026-05-06 10:20", "--category", "动态", "--channel", "oa", "--evidence", "OA 1"),
)


def whole(path: Path) -> bool:
    """Not a part of a file."""
    if path.suffix == ".csv":
        return path.read_bytes().endswith(b"\r\n")
    if path.suffix == ".toml" or path.suffix == ".md":
        return path.read_bytes().endswith(b"\n")
    try:
        with zipfile.ZipFile(path) as found:
            return found.testzip() is None
    except zipfile.BadZipFile:
        return False


def kill_at_each_file_step(
    run: Installation, argv: Sequence[str], target: Path, old: bytes | None
) -> int:
    """Runs the command, killed at each of its steps on files, with `old` under the target's name
    (None: nothing is there). How many kills."""
    kills, at = 0, 1
    while True:
        _clear(target)
        if old is not None:
            target.write_bytes(old)
        ended = run.run(*argv, match=f"{DURABLE}.*{re.escape(target.parent.name)}/", nth=at)
        if not ended.died:
            assert ended.code == 0, ended.said
            return kills
        kills, at = kills + 1, at + 1
        for path in [target] if target.is_file() else sorted(target.rglob("[!.]*")):
            if path.is_file() and path.read_bytes() != old:
                assert whole(path), f"{path.name} is not whole after dying {ended.died}"
        assert old is None or target.exists(), f"gone after dying {ended.died}"


def _files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]


def _clear(target: Path) -> None:
    for path in sorted(target.rglob("*"), reverse=True) if target.is_dir() else [target]:
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("items", "--csv"), "条目.csv"),
        (("standings", "otog", "2026-08", "--xlsx"), "排名.xlsx"),
    ],
)
def test_k12_while_writing_an_export(
    filled: Installation, tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    target = tmp_path / name
    assert kill_at_each_file_step(filled, (*command, str(target)), target, b"old") >= 4


def test_k12_while_writing_a_drafts_documents(filled: Installation, tmp_path: Path) -> None:
    """Word and Excel files of a draft; those already there are not overwritten."""
    target = tmp_path / "通报"
    target.mkdir()
    command = ("notices", "show", "1", "--files", str(target))
    assert kill_at_each_file_step(filled, command, target, None) >= 6
    assert {p.suffix for p in _files(target)} == {".docx", ".xlsx"}


def test_k12_while_writing_a_word_template(filled: Installation) -> None:
    """A half one would be taken for the office's own."""
    folder = filled.bed.config / "offices" / "otog" / "templates" / "word"
    target = folder / "quarter.docx"
    command = ("notices", "template", "otog", "quarter")
    assert kill_at_each_file_step(filled, command, target, None) >= 4


def test_k12_while_writing_the_folder_of_a_new_office(filled: Installation, tmp_path: Path) -> None:
    """It is there with all its files or not at all; the command can be given again."""
    root = tmp_path / "offices"
    command = ("rules", "new", "ceshi", "--path", str(root))
    steps = f"{DURABLE}.*(ceshi|offices)"
    assert filled.run(*command).code == 0
    complete = sorted(p.name for p in _files(root / "ceshi"))
    for nth in (1, 3, 6, 9):
        shutil.rmtree(root)
        ended = filled.run(*command, match=steps, nth=nth)
        assert ended.code == -9, ended.said
        assert not (root / "ceshi").exists()
        assert filled.run(*command).code == 0
        assert sorted(p.name for p in _files(root / "ceshi")) == complete
        assert [p.name for p in tmp_path.iterdir()] == ["offices"]


# --- a notice -------------------------------------------------------------------------------------

APPROVE = ("notices", "approve", "1", "--yes", "--who", "王芳芳")
SEND = ("notices", "send", "1", "--yes", "--who", "王芳芳")


def _approved_and_sent(run: Installation, **kill: object) -> str:
    """As a person does it: approve, and where that was cut short, approve or send again; then the
    letters go out. What the second command refuses has been done."""
    first = run.run(*APPROVE, **kill)
    if first.code != 0:
        again = run.run(*APPROVE)
        if again.code != 0:
            run.run(*SEND)
    finish(run)
    return first.died


@pytest.fixture(scope="module")
def drafted(
    dovecots: Callable[[Profile], Dovecot], tmp_path_factory: pytest.TempPathFactory, zygote: Zygote
) -> Iterator[Bed]:
    folder = tmp_path_factory.mktemp("drafted")
    with Bed(
        dovecots("full"),
        folder,
        zygote,
        mails=[],
        config=peopled(folder, liaisons=2, heads=1),
        before=[SUBMITTED, ("notices", "draft", "otog", "2026-Q2")],
    ) as bed:
        yield bed


def said(state: State) -> State:
    """Without the bytes of the documents, which tell the second in which they were written."""
    made = {"outbox": {"raw"}, "draft_file": {"content", "sha256", "digest", "size"}}
    database = {
        table: [{k: v for k, v in row.items() if k not in made.get(table, ())} for row in rows]
        for table, rows in state.database.items()
    }
    letters = Counter({(to, mid, ""): n for (to, mid, _), n in state.letters.items()})
    return replace(state, database=database, letters=letters, mailbox={})


def _sweep_of_the_approval(bed: Bed, match: str) -> Tally:
    with bed.once() as run:
        assert _approved_and_sent(run) == ""
        wanted = run.state()
        assert {"head", "example"} <= {
            word for to, _, _ in wanted.letters for word in re.split(r"\W", to)
        }
        assert set(wanted.letters.values()) == {1}
    tally = Tally()
    while True:
        with bed.once() as run:
            died = _approved_and_sent(run, match=match, nth=tally.tried + 1)
            if not died:
                return tally
            faults = said(wanted).differences(said(run.state()))
            tally.tried += 1
            tally.survived += not faults
            tally.at[died.split(" ")[1]] += 1
            tally.faults += [f"[{died}] {fault}" for fault in faults]


@pytest.mark.long
def test_an_approval_killed_at_every_commit(drafted: Bed) -> None:
    tally = _sweep_of_the_approval(drafted, "(before|after) commit")
    print(f"\nnotice approved, at every commit: {tally}")
    assert tally.faults == []
    assert tally.survived == tally.tried >= 2


def test_the_letters_of_a_notice_killed_between_them(drafted: Bed) -> None:
    with drafted.once() as run:
        assert run.run(*APPROVE).code == 0
        assert run.run(match=r"after send .* the dot", nth=2).code == -9
        finish(run)
        to = Counter(to for to, _, _ in run.taken() if to.endswith("@example.net"))
        assert sorted(to.values()) == [1, 1, 1]
        assert set(run.states()) == {"sent"}
        assert run.run(*SEND, now=NOON).code == 2, "it has been sent"
        assert re.search("已经发送过", run.run(*SEND, now=NOON).said)
