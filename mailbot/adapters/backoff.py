"""How long to wait before trying a faulty server again.

Grows exponentially up to a cap and is spread at random, so that many installations behind one
provider do not come back together, and no login storm gets the account locked.
"""

from __future__ import annotations

import random
from typing import Protocol


class Rng(Protocol):
    """What is needed of `random.Random`."""

    def random(self) -> float: ...


class Backoff:
    """Delays in seconds: the n-th lies between half and the whole of `base * 2**n`, never above
    `cap` (15 minutes unless told)."""

    def __init__(self, base: float = 2, cap: float = 900, rng: Rng | None = None) -> None:
        if not 0 < base <= cap:
            raise ValueError(f"base {base} must be above 0 and not above cap {cap}")
        self._base, self._cap = base, cap
        self._rng: Rng = rng or random.Random()
        self._failures = 0

    @property
    def failures(self) -> int:
        """Failures since the last success."""
        return self._failures

    def next(self, at_least: float = 0.0) -> float:
        """The delay after one more failure. `at_least` is what the other side asked for
        (`Retryable.after`); it may exceed the cap."""
        # 2**60 seconds is beyond any cap; without the bound the power itself would overflow.
        ceiling = min(self._cap, self._base * 2.0 ** min(self._failures, 60))
        self._failures += 1
        return max(at_least, ceiling * (0.5 + 0.5 * self._rng.random()))

    def reset(self) -> None:
        """After a success: the next delay is short again."""
        self._failures = 0
