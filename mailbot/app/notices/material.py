"""Reads what a document or a cover can say about a period from the store: everybody's events in bulk,
once, whatever the number of units."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from mailbot.app.ports import Reads
from mailbot.app.reckoning import Reckoning, recorded_from
from mailbot.core.documents.counting import PLACES, events_from, material_of
from mailbot.core.documents.material import Material
from mailbot.core.rules.entries import Entry, Standings
from mailbot.core.rules.ledger import passes_on
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.wire import standings_from

_DAY = timedelta(days=1)


def gather(
    reads: Reads, book: OfficeBook, period: Period, as_of: date, standings: Standings
) -> Material:
    """`standings` are the period's, as of that day. Raises `NoRuleInForce` as they do."""
    cuts = {as_of + _DAY, period.first, period.last + _DAY}
    since, until = events_from(period), min(period.last, as_of)
    return material_of(
        book,
        reads.bulk_events(book.info.id, since, until, sorted(cuts)),
        standings,
        _earlier(reads, standings),
        tuple(_conversions(reads, book, period, as_of)),
        began=recorded_from(reads, book.info.id),
    )


def _earlier(reads: Reads, standings: Standings) -> list[Standings]:
    """The sealed periods of the same kind before this one, as far as they are told of."""
    period = standings.period
    seals = [
        seal
        for seal in reads.seals(standings.office)
        if seal.period.kind is period.kind and seal.period.last < period.first
    ]
    newest = sorted(seals, key=lambda seal: seal.period)[1 - PLACES :]
    return [standings_from(seal.standings) for seal in newest]


def _conversions(reads: Reads, book: OfficeBook, period: Period, as_of: date) -> Iterator[Entry]:
    """Only an office that passes points on is reckoned for them."""
    if not passes_on(book):
        return
    rules = {rule.id for rule in book.scoring.rules if rule.kind == "conversion"}
    for entry in Reckoning(book, reads, as_of).books(period).entries:
        if entry.rule in rules and entry.day in period and not entry.corrects:
            yield entry
