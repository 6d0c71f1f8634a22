"""Standings, statements and seals of the offices: the use cases behind the commands, later the desk.

Standings of a sealed period are those that were sealed, word for word. A seal is made in one write
transaction with the reckoning it rests on, so that nothing is recorded in between. What cannot be
done is raised as `NotScored`, a value with a code: the command line finds the words. A day without
a rule stays `NoRuleInForce`.

`Scorer` answers one question at a time; `standings_in`, `statement_in` and `seal_in` answer within
a reading or transaction that is already open, for who asks several things about one moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from mailbot.app.ports import Reads, Store, Transaction
from mailbot.app.reckoning import Books, Reckoning, Regrouped
from mailbot.app.records import NewSeal, RecordRow, SealRow
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.columns import Tally
from mailbot.core.rules.entries import Entry, QuotaState, Standings
from mailbot.core.rules.events import NEVER_JUDGED
from mailbot.core.rules.ledger import UnscorableEvent
from mailbot.core.rules.periods import Period, day_of
from mailbot.core.rules.quota import QuotaBook
from mailbot.core.rules.rows import rows_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.sealing import digest
from mailbot.core.rules.standings import standings
from mailbot.core.rules.tasktable import settled
from mailbot.core.rules.versions import as_if, book_start
from mailbot.core.rules.wire import standings_from, standings_json


class NotScored(Exception):
    """Why a period could not be reckoned or sealed. `code`:

    * `no_office`, `no_unit`: unknown; `choices` are the known offices.
    * `unscorable`: the event `what` cannot be scored as it was entered; `found` says why.
    * `wrong_kind`: only periods of the kind `found` (`PeriodKind`) are sealed.
    * `not_begun`: the period's first day `found` is still to come.
    * `not_over`: the period's last day `found` has not passed.
    * `sealed_already`: on the day `found`, by `choices[0]`.
    * `regrouped`: the roster now has the unit in group `choices[0]` for the sealed period
      `choices[1]`, which ended on the day `choices[2]`; it was judged in group `found`.
    * `earlier_open`: the earlier period `found` has events and must be sealed first.

    `what` is the period, office, unit or event."""

    def __init__(
        self, code: str, what: str, found: str = "", choices: tuple[str, ...] = ()
    ) -> None:
        super().__init__(f"{code}: {what} {found} {choices}")
        self.code, self.what, self.found, self.choices = code, what, found, choices


@dataclass(frozen=True, slots=True)
class Statement:
    """A unit's account of one period, as an accountant could check it."""

    office: str
    unit: str
    period: Period
    as_of: date
    opening: Decimal
    """Points from 1 January to the day before the period."""
    entries: tuple[Entry, ...]
    """By day; entries of 0 points included, they say why nothing was given."""
    quotas: tuple[QuotaState, ...]
    reversed: tuple[RecordRow, ...]
    """Records about the unit dated in the period that were taken back."""
    seal: SealRow | None

    @property
    def total(self) -> Decimal:
        return sum((e.points for e in self.entries), Decimal(0))


class Scorer:
    """The results of the offices in `books`, from what is in the store."""

    def __init__(self, store: Store, books: Mapping[str, OfficeBook]) -> None:
        self.store, self.books = store, books

    def standings(self, office: str, period: Period, as_of: date) -> Standings:
        """Of a sealed period those that were sealed; else as the rules see it on `as_of`."""
        with self.store.reading() as reads:
            return standings_in(reads, self._book(office), period, as_of)

    def statement(self, office: str, unit_id: str, period: Period, as_of: date) -> Statement:
        with self.store.reading() as reads:
            return statement_in(reads, self._book(office), unit_id, period, as_of)

    def seal(self, office: str, period: Period, who: str, now: datetime) -> SealRow:
        """Freezes the period with its standings and entries, the digest of the rule book and of
        the ledger."""
        book = self._book(office)
        with self.store.begin() as tx:
            return seal_in(tx, book, period, who, now)

    def compare(
        self, office: str, period: Period, day_a: date, day_b: date, as_of: date
    ) -> tuple[Standings, Standings]:
        """The period under the rules in force on two days, as if they had always held and nothing
        had been sealed."""
        book = self._book(office)
        with _refusals(), self.store.reading() as reads:
            return _under(book, day_a, reads, period, as_of), _under(
                book, day_b, reads, period, as_of
            )

    def _book(self, office: str) -> OfficeBook:
        if office not in self.books:
            raise NotScored("no_office", office, choices=tuple(self.books))
        return self.books[office]


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except Regrouped as refusal:
        period = refusal.period
        choices = (refusal.now, period.code, period.last.isoformat())
        raise NotScored("regrouped", refusal.unit, refusal.then, choices) from refusal
    except UnscorableEvent as refusal:
        raise NotScored("unscorable", refusal.event, str(refusal)) from refusal


# --- within a reading or transaction -----------------------------------------------------------


def standings_in(reads: Reads, book: OfficeBook, period: Period, as_of: date) -> Standings:
    """As `Scorer.standings`."""
    _must_have_begun(period, as_of)
    with _refusals():
        reckoning = Reckoning(book, reads, as_of)
        return _sealed(reckoning, period) or _running(reckoning, period)[0]


def statement_in(
    reads: Reads, book: OfficeBook, unit_id: str, period: Period, as_of: date
) -> Statement:
    """As `Scorer.statement`."""
    return statements_in(reads, book, period, as_of)(unit_id)


def statements_in(
    reads: Reads, book: OfficeBook, period: Period, as_of: date
) -> Callable[[str], Statement]:
    """The same for unit after unit, of one moment."""
    _must_have_begun(period, as_of)
    reckoning = Reckoning(book, reads, as_of)
    return partial(_statement, reckoning, period)


def seal_in(tx: Transaction, book: OfficeBook, period: Period, who: str, now: datetime) -> SealRow:
    """As `Scorer.seal`; the ledger is held until the transaction ends."""
    with _refusals():
        tx.hold_ledger()
        reckoning = Reckoning(book, tx.read, day_of(now))
        _may_be_sealed(reckoning, period)
        found, books = _running(reckoning, period, exact=True)
        entries = [e for e in books.entries if e.day in period]
        new = NewSeal(
            office=book.info.id,
            period=period,
            book_digest=book.digest,
            ledger_digest=digest(entries),
            standings=standings_json(replace(found, sealed=True)),
            entries=entries,
        )
        return tx.add_seal(new, who, now)


def open_before(reads: Reads, book: OfficeBook, period: Period, as_of: date) -> Period | None:
    """The first period that must be sealed before this one can be; None where none is open."""
    return _open_before(Reckoning(book, reads, as_of), period)


# --- standings --------------------------------------------------------------------------------


def _must_have_begun(period: Period, as_of: date) -> None:
    """Before it nobody stands anywhere, and a table would only say that all share the first place."""
    if period.first > as_of:
        raise NotScored("not_begun", period.code, period.first.isoformat())


def _sealed(reckoning: Reckoning, period: Period) -> Standings | None:
    seal = reckoning.seal_of(period)
    return None if seal is None else standings_from(seal.standings)


def _running(
    reckoning: Reckoning, period: Period, *, exact: bool = False
) -> tuple[Standings, Books]:
    """The standings now, and the books they rest on."""
    before = period.previous()
    previous = _sealed(reckoning, before)
    comparable = previous is None and _in_force(reckoning.book, before)
    books = reckoning.books(period, since=before.first if comparable else None, exact=exact)
    if comparable:
        found = _standings(reckoning, books, before, lists=False)
        previous = found if _is_told(found) else None
    return _standings(reckoning, books, period, previous), books


def _standings(
    reckoning: Reckoning,
    books: Books,
    period: Period,
    previous: Standings | None = None,
    *,
    lists: bool = True,
) -> Standings:
    return standings(
        reckoning.book,
        books.events,
        books.entries,
        period,
        reckoning.as_of,
        previous,
        quotas=books.quotas,
        lists=lists,
        began=reckoning.began,
    )


def _is_told(found: Standings) -> bool:
    """Did anything happen then? Where nobody sent anything, everybody shares the first place, and
    whoever is not first now would seem to have fallen."""
    rows = (row for table in found.tables for row in table.rows)
    return any(row.submissions or row.adopted or row.points for row in rows)


def _in_force(book: OfficeBook, period: Period) -> bool:
    """Was there a ranking, and did the rules cover all of the period?"""
    start = book_start(book)
    ranked = in_force(book.scoring.rankings, period.last) is not None
    return ranked and start is not None and start <= period.first


def _under(book: OfficeBook, day: date, reads: Reads, period: Period, as_of: date) -> Standings:
    reckoning = Reckoning(as_if(book, day), reads, as_of, sealing=False)
    return _standings(reckoning, reckoning.books(period), period)


def _statement(reckoning: Reckoning, period: Period, unit_id: str) -> Statement:
    with _refusals():
        known = any(u.id == unit_id for u in reckoning.book.roster.units)
        books = reckoning.of_unit(unit_id, period)
        if not known and not books.entries:
            raise NotScored("no_unit", unit_id)
        records = reckoning.reads.records(
            reckoning.office, unit_id=unit_id, first=period.first, last=period.last
        )
        before = (e.points for e in books.entries if e.day < period.first)
        return Statement(
            office=reckoning.office,
            unit=unit_id,
            period=period,
            as_of=reckoning.as_of,
            opening=sum(before, Decimal(0)),
            entries=tuple(e for e in books.entries if e.day in period),
            quotas=_quotas(reckoning, unit_id, period, books),
            reversed=tuple(
                r for r in records if r.reversed_by is not None and r.new.kind not in NEVER_JUDGED
            ),
            seal=reckoning.seal_of(period),
        )


def _quotas(
    reckoning: Reckoning, unit_id: str, period: Period, books: Books
) -> tuple[QuotaState, ...]:
    """As sealed, else as the unit stands with each quota now."""
    sealed = _sealed(reckoning, period)
    if sealed is not None:
        rows = [row for table in sealed.tables for row in table.rows]
    else:
        book = reckoning.book.only({unit_id})
        events = settled(books.events, book.scoring.tasks)
        tally = Tally(events, period.first, min(period.last, reckoning.as_of))
        owed = QuotaBook(book, events, reckoning.as_of)
        rows = rows_of(book, period, reckoning.as_of, tally, owed, books.entries)
    return next((row.quotas for row in rows if row.unit == unit_id), ())


# --- sealing ----------------------------------------------------------------------------------


def _may_be_sealed(reckoning: Reckoning, period: Period) -> None:
    settles = reckoning.book.scoring.settles
    if period.kind is not settles:
        raise NotScored("wrong_kind", period.code, settles.value)
    if period.last >= reckoning.as_of:
        raise NotScored("not_over", period.code, period.last.isoformat())
    seal = reckoning.seal_of(period)
    if seal is not None:
        raise NotScored("sealed_already", period.code, day_of(seal.at).isoformat(), (seal.who,))
    if (earlier := _open_before(reckoning, period)) is not None:
        raise NotScored("earlier_open", period.code, earlier.code)


def _open_before(reckoning: Reckoning, period: Period) -> Period | None:
    """The first period since the office's first event that should have been sealed before this
    one. Silence counts from then on, but not the years before anything was recorded here."""
    began = reckoning.reads.first_event(reckoning.office)
    if began is None:
        return None
    day = max(began, book_start(reckoning.book) or began)
    earlier = Period.of(period.kind, day)
    sealed = {s.period for s in reckoning.seals}
    while earlier < period:
        if earlier not in sealed:
            return earlier
        earlier = earlier.next()
    return None
