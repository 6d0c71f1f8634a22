"""Kill, restart, compare, restart again: one way through for one point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.crash.bed import LATER, NOON, Bed, Ended, Installation, State

DURABLE = r"^(before|after) (commit|f(data)?sync|rename|replace|link|unlink|open|mkdir) "
"""Points around what stays on the disk."""
_FINAL = {"sent", "dropped", "failed", "withheld"}

Ease = Callable[[State], State]
"""Takes out of a state what a server without MOVE may leave twice; see the caller."""


@dataclass
class Tally:
    """What a sweep did."""

    steps: int = 0
    """Points in the uninterrupted run."""
    tried: int = 0
    survived: int = 0
    faults: list[str] = field(default_factory=list)
    at: Counter[str] = field(default_factory=Counter)
    """Kills by the kind of step."""

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(self.at.items()))
        return f"{self.steps} points, {self.tried} kills, {self.survived} survived ({kinds})"


def finish(run: Installation, now: datetime = NOON, **how: Any) -> Ended:
    """Starts it again, and later once more, as often as letters wait for a time."""
    ended = run.run(now=now, **how)
    for number in range(1, 4):
        if set(run.states()) <= _FINAL:
            break
        ended = run.run(now=now + number * LATER, **how)
    return ended


def uninterrupted(bed: Bed, **how: Any) -> tuple[State, tuple[str, ...]]:
    """What is there at the end of an undisturbed run, and the points it went through."""
    with bed.once() as run:
        ended = run.run(**how)
        assert ended.code == 0, ended.said
        return run.state(), ended.labels


def survive(
    bed: Bed,
    wanted: State,
    *,
    ease: Ease = lambda s: s,
    mutant: str = "",
    then: str = "",
    **kill: Any,
) -> tuple[str, list[str]]:
    """Killed as `kill` says (and its restart at the first point that matches `then`), started again
    until all is quiet, and once more. The point at which it died (empty: it never came there), and
    everything that is not as it should be."""
    broken = {"mutant": mutant} if mutant else {}
    with bed.once() as run:
        first = run.run(**kill, **broken)
        if not first.died:
            return "", []
        faults = [] if first.code in (-9, 0) else [f"exit code {first.code}: {first.said}"]
        if then:
            run.run(match=then, **broken)
        faults += _lost(run)
        again = finish(run, **broken)
        faults += [] if again.code == 0 else [f"exit code {again.code}: {again.said}"]
        faults += ease(wanted).differences(ease(run.state()))
        before = run.state(exact=True)
        once_more = run.run(now=NOON + 3 * LATER, **broken)
        faults += [] if once_more.code == 0 else [f"exit code {once_more.code}: {once_more.said}"]
        second = before.differences(_at_rest(run.state(exact=True), before))
        faults += [f"second restart: {one}" for one in second]
        return first.died, [f"[{first.died}] {fault}" for fault in faults]


def sweep(
    bed: Bed, wanted: State, labels: Sequence[str], points: Iterable[int], **how: Any
) -> Tally:
    """Kills at each of the points (numbers from 1), and says what came of it."""
    tally = Tally(steps=len(labels))
    for at in points:
        died, faults = survive(bed, wanted, at=at, **how)
        if not died:
            continue
        tally.tried += 1
        tally.at[died.split(" ")[1]] += 1
        tally.survived += not faults
        tally.faults += [f"at {at} {fault}" for fault in faults]
    return tally


def _lost(run: Installation) -> list[str]:
    """Every mail lies in some folder at every moment."""
    there = {digest for mails in run.state().mailbox.values() for digest, _flags in mails}
    return ["a mail is in no folder"] if not run.bed.digests <= there else []


def _at_rest(state: State, before: State) -> State:
    """The time of the last good search is all that a run with nothing to do may write."""
    for row, old in zip(state.database["folder"], before.database["folder"], strict=False):
        row["searched"] = old["searched"]
    return state
