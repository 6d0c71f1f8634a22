"""Answers counted from the send log (MAIL.md, "Automatic mail and loops")."""

from __future__ import annotations

from typing import Any

import pytest

from mailbot.app.limits import refusal
from mailbot.app.records import AnswerCounts
from mailbot.core.letters.answers import AnswerKind as K
from mailbot.core.rules.rulebook import Limits

LIMITS = Limits()


def counts(**values: Any) -> AnswerCounts:
    zero = {
        "acknowledgements_today": 0,
        "returns_today": 0,
        "kind_today": {},
        "thread_ever": 0,
        "office_last_hour": 0,
        "limit_notice_today": False,
    }
    return AnswerCounts(**(zero | values))


@pytest.mark.parametrize(
    ("kind", "spent", "accepted", "wanted"),
    [
        (K.ACKNOWLEDGEMENT, {}, True, None),
        (K.ACKNOWLEDGEMENT, {"acknowledgements_today": 59}, True, None),
        (K.ACKNOWLEDGEMENT, {"acknowledgements_today": 60}, True, "day"),
        (K.ACKNOWLEDGEMENT, {"returns_today": 20}, True, None),
        (K.RETURN, {"returns_today": 19}, True, None),
        (K.RETURN, {"returns_today": 20}, True, "day"),
        (K.RETURN, {"acknowledgements_today": 60}, True, None),
        (K.PENDING, {"kind_today": {"pending": 19}}, True, None),
        (K.PENDING, {"kind_today": {"pending": 20}}, True, "day"),
        (K.REPEAT, {"kind_today": {"acknowledgement": 5}}, True, None),
        (K.REPEAT, {"kind_last_day": {"repeat": 1}}, True, "repeat"),
        (K.RETURN, {"kind_last_day": {"return": 1}, "returns_today": 0}, False, "repeat"),
        (K.RETURN, {"kind_last_day": {"pending": 1}}, False, None),
        (K.PENDING, {"kind_last_day": {"pending": 1}}, False, "repeat"),
        (K.RETURN, {"thread_ever": 2}, True, None),
        (K.RETURN, {"thread_ever": 3}, True, "thread"),
        (K.SERVICE, {"kind_today": {"service": 59}, "acknowledgements_today": 60}, True, None),
        (K.SERVICE, {"kind_today": {"service": 60}}, True, "day"),
        (K.SERVICE, {"thread_ever": 3}, True, "thread"),
        (K.SERVICE, {"office_last_hour": 300}, True, "breaker"),
        (K.ACKNOWLEDGEMENT, {"office_last_hour": 299}, True, None),
        (K.ACKNOWLEDGEMENT, {"office_last_hour": 300}, True, "breaker"),
    ],
)
def test_what_may_go_out(
    kind: K, spent: dict[str, Any], accepted: bool, wanted: str | None
) -> None:
    assert refusal(kind, counts(**spent), LIMITS, accepted_sender=accepted) == wanted


def test_l2_the_breaker_comes_before_all_else() -> None:
    spent = counts(office_last_hour=300, thread_ever=3, acknowledgements_today=60)
    assert refusal(K.ACKNOWLEDGEMENT, spent, LIMITS, accepted_sender=True) == "breaker"


def test_a_thread_that_gets_one_letter_ever() -> None:
    assert refusal(K.PENDING, counts(), LIMITS, accepted_sender=False, once=True) is None
    spent = counts(thread_ever=1)
    assert refusal(K.PENDING, spent, LIMITS, accepted_sender=False, once=True) == "thread"
    assert refusal(K.PENDING, spent, LIMITS, accepted_sender=False) is None
