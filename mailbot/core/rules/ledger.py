"""From events to point entries: every rule of the office applied once, in a fixed order.

`post` is a pure function of the book, the events and the days: the same events in any order give
the same entries. The kinds are reckoned in the order of `KINDS`, inside a kind in the order of the
file, because a cap looks at what was booked before it. What is missing is never zero: an event that
no line covers, a quota without a number, a day before the first rule are `NoRuleInForce`.

What happens to periods that are sealed already is `sealing`'s business, who stands where
`standings`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.events import Event
from mailbot.core.rules.kinds import KINDS, Conversion, Rule
from mailbot.core.rules.quota import QuotaBook
from mailbot.core.rules.reckoning.byhand import book_manual
from mailbot.core.rules.reckoning.frame import Frame, UnscorableEvent, reach
from mailbot.core.rules.reckoning.ladders import book_ladder
from mailbot.core.rules.reckoning.limits import (
    book_cap,
    book_conversions,
    book_floor,
    book_zeroing,
)
from mailbot.core.rules.reckoning.periodic import book_base, book_shortage
from mailbot.core.rules.reckoning.points import book_points
from mailbot.core.rules.reckoning.sheet import Sheet
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.versions import book_start

__all__ = ["UnscorableEvent", "passes_on", "post", "reach"]


def post(
    book: OfficeBook,
    events: Sequence[Event],
    first: date,
    last: date,
    as_of: date,
    quotas: QuotaBook | None = None,
    *,
    texts: bool = True,
) -> list[Entry]:
    """All entries dated from `first` to `last`, by day, as known on `as_of`.

    `events` must hold all of the days that `reach` names, and earlier ones about the same items.
    `quotas` saves counting them again where the caller has counted the same events already.
    Without `texts` an entry's text may be empty: for sums, which nobody reads entry by entry.

    Raises `NoRuleInForce` when `last` is before the office's first rule or an event is not covered,
    and `UnscorableEvent` when a rule cannot be applied to an event as it was entered.
    """
    opening = book_start(book)
    if opening is None:
        return []
    if last < opening:
        raise NoRuleInForce(book.info.id, "规则、报送任务或排名", last)
    frame, sheet = Frame(book, events, first, last, as_of, quotas, texts=texts), Sheet()
    for kind in KINDS:
        rules = _of_kind(book, kind)
        if kind == "points":
            book_points(rules, _of_kind(book, "multiplier"), frame, sheet, opening)
        elif kind == "manual":
            book_manual(rules, frame, sheet)
        elif kind == "conversion":
            book_conversions(rules, frame, sheet)
        elif kind != "multiplier":  # entered the points with their lines
            for rule in rules:
                _ONE_BY_ONE[kind](rule, frame, sheet)
    asked_for = (entry for entry in sheet.entries() if first <= entry.day <= last)
    return sorted(asked_for, key=lambda entry: entry.day)


def passes_on(book: OfficeBook) -> bool:
    """Do points of one unit become another's, by any version?"""
    values = (v.values for rule in book.scoring.rules for v in rule.versions)
    return any(isinstance(v, Conversion) and v.factor is not None for v in values)


def _of_kind(book: OfficeBook, kind: str) -> list[Rule]:
    return [rule for rule in book.scoring.rules if rule.kind == kind]


_ONE_BY_ONE: dict[str, Callable[[Rule, Frame, Sheet], None]] = {
    "base": book_base,
    "shortage": book_shortage,
    "ladder": book_ladder,
    "cap": book_cap,
    "floor": book_floor,
    "zeroing": book_zeroing,
}
