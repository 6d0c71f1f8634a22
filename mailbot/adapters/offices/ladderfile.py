"""Reads the steps of a ladder (`[[rule.version.step]]`): from so many on, below so many, points.

The first step that holds counts, so that a step which earlier ones leave nothing for is refused.
No step at all is sound: the office has not decided yet.
"""

from __future__ import annotations

from decimal import Decimal

from mailbot.adapters.offices.tablereader import Table
from mailbot.core.rules.kinds import Step

NOTHING = Decimal(0)


def read_steps(table: Table) -> tuple[Step, ...]:
    steps: list[Step] = []
    for inner in table.tables("step"):
        step = Step(
            points=inner.decimal("points") or NOTHING,
            clause=inner.text("clause"),
            at_least=inner.decimal("at_least", required=False, least=0),
            below=inner.decimal("below", required=False, least=0),
        )
        inner.close()
        if step.at_least is not None and step.below is not None and step.at_least >= step.below:
            found = f"从 {step.at_least} 起、不到 {step.below}，没有这样的数"
            inner.fault("below", found, "below 要大于 at_least（到了 below 就不算）")
        elif _taken(step, steps):
            inner.fault("at_least", "前面的档已经包括了这一档", "调整顺序或界限：从上往下先中先算")
        steps.append(step)
    return tuple(steps)


def _taken(step: Step, earlier: list[Step]) -> bool:
    """Whether some step before it holds for whatever this one would hold for."""
    low = step.at_least if step.at_least is not None else NOTHING
    for other in sorted(earlier, key=lambda s: s.at_least or NOTHING):
        if (other.at_least or NOTHING) > low:
            break
        if other.below is None:
            return True
        low = max(low, other.below)
        if step.below is not None and low >= step.below:
            return True
    return False
