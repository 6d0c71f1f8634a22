"""Who stands where in a period: tables and places, from events and booked entries.

The same facts give the same standings, whatever their order. What the entries are worth was decided
before (`ledger`, `books`); the numbers in a line are `rows`' business, who is named in a notice and
why `lists`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from mailbot.core.rules.basis import NoRuleInForce, in_force
from mailbot.core.rules.columns import Tally
from mailbot.core.rules.entries import Entry, Row, Standings, Table
from mailbot.core.rules.events import Event, UnitStatus
from mailbot.core.rules.lists import Ground, event_lists, proposed
from mailbot.core.rules.periods import Period
from mailbot.core.rules.places import order_key, places
from mailbot.core.rules.quota import QuotaBook
from mailbot.core.rules.recorded import since
from mailbot.core.rules.rows import rows_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Ranking
from mailbot.core.rules.tasktable import settled

OTHERS = "其他"
"""Heading of the units that no table of the ranking is for."""


def standings(
    book: OfficeBook,
    events: Sequence[Event],
    entries: Sequence[Entry],
    period: Period,
    as_of: date,
    previous: Standings | None = None,
    *,
    quotas: QuotaBook | None = None,
    lists: bool = True,
    began: date | None = None,
) -> Standings:
    """The period as it stands on `as_of`; of one that is not over all is provisional.

    `entries` are all entries from `rows.year_start` to the period's last day. `events` reach back
    as far as `lists.events_from` says; earlier changes of status and open tasks are among them.
    `quotas` saves counting the events again, which then are settled (`tasktable`) already and of the
    book as `recorded.since` has it. Without `lists` only the tables are made: all that the standings
    of the next period want of these, as their `previous`. `began`: the day from which on anything
    was recorded here, so that nobody is held to have been silent before; None: always.
    Raises `NoRuleInForce` where no ranking covers the period.
    """
    ranking = in_force(book.scoring.rankings, period.last)
    if ranking is None:
        raise NoRuleInForce(book.info.id, "排名", period.last)
    end = min(period.last, as_of)
    book = since(book, began)
    if quotas is None:
        events = settled(events, book.scoring.tasks)
        quotas = QuotaBook(book, events, as_of)
    naming = event_lists(book, period) if lists else ()
    tally = Tally(events, period.first, end, ranking.columns, naming, book.scoring.tasks)
    rows = rows_of(book, period, as_of, tally, quotas, entries)
    shown = {row.unit for row in rows}
    present = frozenset(
        u.id
        for u in book.roster.units
        if u.id in shown and u.on(end) and quotas.status(u.id, end) is UnitStatus.APPOINTED
    )
    tables = _tables(ranking, rows, present, previous)
    recorded = date.min if began is None else began.replace(day=1)
    ground = Ground(book, period, as_of, ranking, tables, tally, quotas, present, recorded)
    return Standings(
        office=book.info.id,
        period=period,
        as_of=as_of,
        book_digest=book.digest,
        tables=tables,
        lists=proposed(ground) if lists else (),
        corrections=tuple(e for e in entries if e.corrects and e.day in period),
    )


def _tables(
    ranking: Ranking, rows: Sequence[Row], present: frozenset[str], previous: Standings | None
) -> tuple[Table, ...]:
    """The ranking's tables, even where nobody stands in one, and the rest at the end."""
    before = {
        (table.id, row.unit): row.place
        for table in (previous.tables if previous else ())
        for row in table.rows
    }
    tables = []
    for table in ranking.tables:
        placed = _placed([r for r in rows if r.group in table.groups], ranking, present)
        own = [
            replace(r, place=place, previous_place=before.get((table.id, r.unit)))
            for r, place in placed
        ]
        tables.append(Table(table.id, table.name, tuple(own)))
    ranked_groups = {g for table in ranking.tables for g in table.groups}
    rest = tuple(r for r in rows if r.group not in ranked_groups)
    return (*tables, Table("", OTHERS, rest)) if rest else tuple(tables)


def _placed(
    rows: Sequence[Row], ranking: Ranking, present: frozenset[str]
) -> list[tuple[Row, int | None]]:
    """With their places, by place; behind them those that are not ranked."""
    if not ranking.order:
        return [(r, None) for r in rows]
    ranked = [r for r in rows if r.unit in present]
    found = places([order_key(r, ranking.order) for r in ranked], ranking.ties)
    placed = sorted(zip(ranked, found, strict=True), key=lambda one: one[1])
    return [*placed, *((r, None) for r in rows if r.unit not in present)]
