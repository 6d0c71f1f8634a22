"""Runs a rule case: posts its events, seals what it seals, and has what comes out compared with what
an official wrote down (`outcome`). Loading cases is `adapters.offices`' business.
"""

from __future__ import annotations

from datetime import timedelta

from mailbot.core.rules.books import Sealed, accounts
from mailbot.core.rules.cases import Case
from mailbot.core.rules.entries import Entry, Standings
from mailbot.core.rules.events import known_on
from mailbot.core.rules.outcome import differences
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.standings import standings

_DAY = timedelta(days=1)


def run_case(book: OfficeBook, case: Case) -> list[str]:
    """One message in the office's language for everything that is not as expected; none when the
    case holds."""
    if case.units is not None:
        book = book.with_units(case.units)
    refused = case.expected.error
    try:
        entries, result = _reckoned(book, case)
    except (LookupError, ValueError) as error:
        said = str(error)
        if not refused:
            return [f"本应算出结果，却不能计算：{said}"]
        return [] if refused in said else [f"不能计算的说明里应有“{refused}”，实为：{said}"]
    if refused:
        return [f"本应不能计算（说明里应有“{refused}”），却算出了结果"]
    booked = [e for e in entries if e.day in case.period]
    return differences(book, case.expected, booked, result)


def _reckoned(book: OfficeBook, case: Case) -> tuple[list[Entry], Standings]:
    recorded = [e.recorded for e in case.events if e.recorded is not None]
    as_of = case.as_of or max([case.period.last + _DAY, *recorded])
    events = known_on(case.events, as_of)
    entries = accounts(book, events, case.period, as_of, _sealed(book, case))
    return entries, standings(book, events, entries, case.period, as_of)


def _sealed(book: OfficeBook, case: Case) -> list[Sealed]:
    """Each of the case's seals as it was made on the day after its period, with what was recorded
    by the period's end."""
    sealed: list[Sealed] = []
    for period in sorted(case.seal_before):
        on = period.last + _DAY
        known = known_on(case.events, period.last)
        entries = accounts(book, known, period, on, sealed)
        sealed.append(Sealed(period, on, tuple(e for e in entries if e.day in period)))
    return sealed
