"""What `quick` makes is what the class makes, and as frozen."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import date

import pytest

from mailbot.core.rules.events import Event, EventKind, Match
from mailbot.core.rules.matching import classes, matches_in
from mailbot.core.rules.quick import quick
from mailbot.core.rules.scorebook import Column, ColumnCount

GIVEN = {"id": "item:1", "kind": EventKind.SUBMISSION, "unit": "a", "day": date(2026, 8, 1)}


def test_a_quick_value_is_the_value() -> None:
    event, made = Event(**GIVEN, title="标题"), quick(Event)(**GIVEN, title="标题")
    assert type(made) is Event
    assert (made, hash(made), repr(made)) == (event, hash(event), repr(event))
    assert replace(made, times=2) == replace(event, times=2)


def test_a_quick_value_is_frozen_and_wants_what_the_class_wants() -> None:
    with pytest.raises(FrozenInstanceError):
        quick(Event)(**GIVEN).title = "别的"  # type: ignore[misc]
    with pytest.raises(TypeError):
        quick(Event)(id="item:1")  # type: ignore[call-arg]


def test_categories_are_apart_only_where_some_match_tells_them_apart() -> None:
    problem = Match(EventKind.SUBMISSION, category=("problem", "research"))
    column = Column("research", "调研", (Match(EventKind.SUBMISSION, category=("research",)),))
    of = classes([problem, *matches_in((column, ColumnCount.ITEMS))])
    assert of("news") == of("brief") != of("problem")
    assert of("problem") != of("research")
