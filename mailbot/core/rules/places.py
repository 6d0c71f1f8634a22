"""Who stands where: one order for tables and lists, and who shares a place."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from decimal import Decimal

from mailbot.core.rules.entries import Row
from mailbot.core.rules.scorebook import OrderBy, Ties

Key = tuple[Decimal | int, ...]


def order_key(row: Row, order: Sequence[OrderBy]) -> Key:
    """What it is ranked by, the first thing first; the higher, the better."""
    return tuple(_value(row, by) for by in order)


def places(keys: Sequence[Key], ties: Ties) -> list[int]:
    """The place of each, from 1 for the highest. Equal keys share it."""
    rising = sorted(set(keys) if ties is Ties.DENSE else keys)
    return [len(rising) - bisect_right(rising, key) + 1 for key in keys]


def places_from_below(keys: Sequence[Key], ties: Ties) -> list[int]:
    """The same, counted from the lowest."""
    rising = sorted(set(keys) if ties is Ties.DENSE else keys)
    return [bisect_left(rising, key) + 1 for key in keys]


def _value(row: Row, by: OrderBy) -> Decimal | int:
    match by:
        case OrderBy.POINTS:
            return row.points
        case OrderBy.ADOPTED:
            return row.adopted
    return row.submissions
