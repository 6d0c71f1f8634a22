"""Row K14: the run of five mails, killed at every point, started again, compared with the
uninterrupted run, and started once more.

The points before each step are enough: nothing reaches the world between the end of a step and the
beginning of the next. Around what stays on the disk (commit, fsync, rename, unlink, open, mkdir) the
points after are taken too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.crash.bed import NOON, Bed, State, Zygote, five_mails
from tests.crash.mutants import MUTANTS
from tests.crash.sweep import DURABLE, Tally, survive, sweep, uninterrupted
from tests.servers.dovecot import Dovecot, Profile

pytestmark = pytest.mark.dovecot

SPREAD = 4
"""How many points, evenly spread, the sample takes beside the first of each kind of commit."""
IN_TURN = 2
"""Of the sockets', pipes' and statements' points the sweep takes every second, today the ones and
tomorrow the others."""


@pytest.fixture(scope="module")
def run(bed: Bed) -> tuple[State, tuple[str, ...]]:
    return uninterrupted(bed)


def every(labels: tuple[str, ...]) -> list[int]:
    return [
        n
        for n, label in enumerate(labels, 1)
        if label.startswith("before") or re.match(DURABLE, label)
    ]


def sample(labels: tuple[str, ...]) -> list[int]:
    """The first commit of each set of tables, the first rename, and others spread evenly; the dot's
    answer, where the most is at stake, always."""
    chosen: dict[str, int] = {}
    for number, label in enumerate(labels, 1):
        kind = re.sub(r"\w+/.*", "", label)
        if re.match(r"after (commit|replace)", label) or re.match(
            r"before (send|recv) .* the dot", label
        ):
            chosen.setdefault(re.sub(r"\d+ ", "", kind), number)
    points = every(labels)
    return sorted({*chosen.values(), *points[len(points) // (2 * SPREAD) :: len(points) // SPREAD]})


def all_well(tally: Tally, least: int) -> None:
    assert tally.faults == []
    assert tally.survived == tally.tried >= least


def test_k14_two_undisturbed_runs_are_the_same(
    bed: Bed, run: tuple[State, tuple[str, ...]]
) -> None:
    """Else no comparison would mean anything; nor would one that saw nothing."""
    wanted, labels = run
    again, same = uninterrupted(bed)
    assert wanted.differences(again) == []
    assert Counter(x.split(" ")[1] for x in labels) == Counter(x.split(" ")[1] for x in same)
    assert len(wanted.database["inbound"]) == 6
    assert len(wanted.letters) == 5
    assert len(wanted.archive) == 6
    kinds = {label.split(" ")[1] for label in labels}
    assert {"commit", "fsync", "replace", "send", "recv", "pipe", "write", "connect"} <= kinds


def test_k14_killed_at_a_sample_of_its_steps(bed: Bed, run: tuple[State, tuple[str, ...]]) -> None:
    wanted, labels = run
    tally = sweep(bed, wanted, labels, sample(labels))
    print(f"\nK14, sample: {tally}")
    all_well(tally, 12)


@pytest.mark.long
def test_k14_killed_at_every_lasting_step_and_every_second_of_the_others(
    bed: Bed, run: tuple[State, tuple[str, ...]]
) -> None:
    wanted, labels = run
    lasting = [n for n in every(labels) if re.match(DURABLE, labels[n - 1])]
    others = [n for n in every(labels) if not re.match(DURABLE, labels[n - 1])]
    turn = date.today().toordinal() % IN_TURN
    points = sorted([*lasting, *others[turn::IN_TURN]])
    tally = sweep(bed, wanted, labels, points)
    print(f"\nK14, turn {turn}: {tally}")
    all_well(tally, len(points) - 5)  # in how many pieces a stream comes is not ours to say


@pytest.mark.long
def test_k14_the_reading_child_killed_at_every_step_of_its_pipe(
    bed: Bed, run: tuple[State, tuple[str, ...]]
) -> None:
    """The daemon goes on with another child; a mail is not held against because its reader died."""
    wanted, labels = run
    points = [n for n, label in enumerate(labels, 1) if label.startswith("before pipe")]
    tally = sweep(bed, wanted, labels, points, strike="reader")
    print(f"\nK14, reading child: {tally}")
    all_well(tally, 10)


@pytest.mark.long
def test_k14_killed_twice(bed: Bed, run: tuple[State, tuple[str, ...]]) -> None:
    """The restart is killed as well, at its own steps."""
    wanted, labels = run
    points = every(labels)[7::29]
    tally = sweep(bed, wanted, labels, points, then=r"^after (commit|replace)")
    print(f"\nK14, killed twice: {tally}")
    all_well(tally, 10)


@pytest.mark.long
def test_k14_an_urgent_mail_killed_at_every_lasting_step(
    dovecots: Callable[[Profile], Dovecot], tmp_path: Path, zygote: Zygote
) -> None:
    with Bed(dovecots("full"), tmp_path, zygote, mails=five_mails()[4:]) as bed:
        wanted, labels = uninterrupted(bed)
        points = [
            n
            for n in every(labels)
            if re.match(DURABLE, labels[n - 1]) or "the dot" in labels[n - 1]
        ]
        tally = sweep(bed, wanted, labels, points)
    assert len(wanted.letters) == 1
    print(f"\nK14, urgent: {tally}")
    all_well(tally, 20)


def test_k14_with_nothing_to_show_whether_it_went_out(
    dovecots: Callable[[Profile], Dovecot], tmp_path: Path, zygote: Zygote
) -> None:
    """The server files nothing: one letter stays uncertain and becomes a person's task; all others
    are sent, and none twice."""
    with Bed(dovecots("full"), tmp_path, zygote, files_sent=False) as bed, bed.once() as run:
        assert run.run(match="after send .* the dot").code == -9
        for minutes in (0, 1, 5, 15, 30, 60, 90):
            assert run.run(now=NOON + timedelta(minutes=minutes)).code == 0
        assert run.states() == {"sent": 5, "unknown": 1}
        assert len(run.taken()) == 5
        assert len({message_id for _, message_id, _ in run.taken()}) == 5
        assert run.rows("select count(*) from task where kind = 'unknown_send'") == [(1,)]


# --- the harness can fail ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def caught() -> Iterator[dict[str, int]]:
    found: dict[str, int] = {}
    yield found
    print(f"\nmutants: {len(found)} tried, {sum(map(bool, found.values()))} caught")


@pytest.mark.long
@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_product_is_found_out(
    bed: Bed, run: tuple[State, tuple[str, ...]], caught: dict[str, int], name: str
) -> None:
    """Undisturbed it does the same as the whole one; killed it does not."""
    wanted, _ = run
    same, labels = uninterrupted(bed, mutant=name)
    assert wanted.differences(same) == []
    caught[name] = 0
    near = [n for n in every(labels) if re.search(MUTANTS[name].near, labels[n - 1])]
    for kills, at in enumerate(near, 1):
        died, faults = survive(bed, wanted, at=at, mutant=name)
        if faults:
            caught[name] = kills
            print(f"\n{name}: caught by kill {kills}, {died}: {faults[0][:200]}")
            return
    raise AssertionError(f"{name}: no kill shows it")
