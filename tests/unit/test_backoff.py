"""Delays grow, stay within their bounds, and start again after a success."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.adapters.backoff import Backoff


class Fixed:
    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


def test_doubles_up_to_the_cap() -> None:
    backoff = Backoff(base=2, cap=900, rng=Fixed(1.0))
    delays = [backoff.next() for _ in range(12)]
    assert delays == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 200), st.floats(0.1, 5000))
def test_every_delay_lies_between_half_and_the_whole(
    share: float, failures: int, cap: float
) -> None:
    backoff = Backoff(base=0.1, cap=cap, rng=Fixed(share))
    for n in range(failures):
        whole = min(cap, 0.1 * 2.0**n)
        assert whole / 2 <= backoff.next() <= whole


def test_two_installations_do_not_come_back_together() -> None:
    first, second = Backoff(rng=random.Random(1)), Backoff(rng=random.Random(2))
    assert [first.next() for _ in range(5)] != [second.next() for _ in range(5)]


def test_a_success_makes_it_short_again() -> None:
    backoff = Backoff(rng=Fixed(1.0))
    for _ in range(8):
        backoff.next()
    assert backoff.failures == 8
    backoff.reset()
    assert (backoff.failures, backoff.next()) == (0, 2)


def test_what_the_server_asked_for_wins_even_over_the_cap() -> None:
    backoff = Backoff(base=2, cap=10, rng=Fixed(0.0))
    assert backoff.next(at_least=3600) == 3600
    assert backoff.next(at_least=0.5) == 2


def test_thousands_of_failures_do_not_overflow() -> None:
    backoff = Backoff(rng=Fixed(1.0))
    assert [backoff.next() for _ in range(5000)][-1] == 900


@pytest.mark.parametrize(("base", "cap"), [(0, 900), (-1, 900), (10, 5)])
def test_senseless_settings_are_refused(base: float, cap: float) -> None:
    with pytest.raises(ValueError, match="base"):
        Backoff(base=base, cap=cap)
