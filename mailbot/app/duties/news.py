"""News of adoptions, instructions and forwardings, to whoever sent the item and to the unit's head.

What is told is what was entered since the news that went out last: each record once, whatever its
own day, and never one that was reversed meanwhile. A unit is told of its own items; of a joint item
each unit gets a letter of its own that names no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from mailbot.app.duties.model import Prepared
from mailbot.app.duties.news_readers import Readers, Told
from mailbot.app.letter_records import DutyState
from mailbot.app.ports import Reads
from mailbot.app.posting import Posted
from mailbot.app.records import RecordRow
from mailbot.core.duties.model import DutyKind, LetterRule, NewsMode
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.duties.schedule import of_weeks
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.periodic import AdoptionNews
from mailbot.core.rules.events import EventKind
from mailbot.core.rules.periods import OFFICE_ZONE, WorkingDay, day_of
from mailbot.core.rules.rulebook import OfficeBook

KINDS = (EventKind.ADOPTION, EventKind.INSTRUCTION, EventKind.FORWARDING)
NO_NEWS = timedelta(days=31)
"""What was entered longer ago is told by the notices. An office that lets news go out for the first
time, or again, does not send half a year of them in one morning."""
RECORDS = "records:"


@dataclass(frozen=True, slots=True)
class Fresh:
    """Records not told yet, by number."""

    rows: tuple[RecordRow, ...]
    since: datetime | None
    """When news went out last."""

    @property
    def last(self) -> int:
        return self.rows[-1].id


class NewsRunner:
    """Of NEWS."""

    def __init__(
        self, *, is_working_day: WorkingDay, posting_card: Callable[[OfficeBook], OfficeCard]
    ) -> None:
        self._working, self._card = is_working_day, posting_card

    def occurrences(
        self, reads: Reads, book: OfficeBook, since: datetime, until: datetime
    ) -> list[Occurrence]:
        found: list[Occurrence] = []
        for rule in book.letters.letters:
            if rule.kind is not DutyKind.NEWS:
                continue
            if rule.news is NewsMode.WEEKLY:
                found += of_weeks(book.info.id, rule, since, until, self._working)
            elif rule.news is NewsMode.AT_ONCE:
                found += _at_once(reads, book.info.id, rule, since, until)
        return found

    def prepare(
        self, reads: Reads, book: OfficeBook, occurrence: Occurrence, now: datetime
    ) -> Prepared:
        fresh = _fresh(reads, occurrence.office, occurrence.rule, now, _last_of(occurrence.about))
        if not fresh.rows:
            return Prepared(DutyState.SKIPPED, "没有新登记的采用、批示、转报，不用写信。")
        readers = Readers(reads, book, occurrence.stage.to, day_of(now))
        told = readers.of(fresh.rows)
        weekly = occurrence.rule.news is NewsMode.WEEKLY
        card, since = self._card(book), fresh.since if weekly else None
        letters = _letters(told, occurrence, card, since)
        units = readers.outcomes
        detail = {"last": fresh.last, "until": now.isoformat(), "units": units}
        numbers = f"登记 {len(fresh.rows)} 条，涉及 {len(units)} 个单位"
        why = f"{numbers}，写信 {len(letters)} 封。" if letters else f"{numbers}，没有信可写。"
        state = DutyState.DONE
        return Prepared(state, why, tuple(letters), None, detail, tuple(readers.unreached))


def _at_once(
    reads: Reads, office: str, rule: LetterRule, since: datetime, until: datetime
) -> list[Occurrence]:
    """Everything entered by `until`, together, due when the newest of it was entered."""
    fresh = _fresh(reads, office, rule, until, None)
    if not fresh.rows or not rule.stages:
        return []
    newest = max(min(row.at, until) for row in fresh.rows)
    if not since < newest <= until:
        return []
    return [Occurrence(office, rule, f"{RECORDS}{fresh.last}", rule.stages[0], newest)]


def _last_of(about: str) -> int | None:
    """The last record an occurrence is about; None: all there are."""
    number = about.removeprefix(RECORDS)
    return int(number) if number != about and number.isdigit() else None


def _fresh(reads: Reads, office: str, rule: LetterRule, until: datetime, last: int | None) -> Fresh:
    """Live records up to number `last` that no news of the letter told. Those entered before the
    office's letters began, or the letter did, are none; nor is what is old."""
    start = reads.in_service_since(office)
    if start is None:
        return Fresh((), None)
    begin = datetime.combine(rule.start, time(), OFFICE_ZONE)
    told = reads.last_duty(office, rule.id)
    after, since = 0, None
    if told is not None:
        after = int(told.new.detail.get("last") or _last_of(told.new.period) or 0)
        since = told.at
    earliest = max(begin, until - NO_NEWS, start if start <= until else begin)
    entered = [
        row for row in reads.records_entered(office, after, KINDS) if last is None or row.id <= last
    ]
    # By number, not by time: several machines' clocks need not agree, and what has a lower number
    # than something known is known as well.
    known = max((row.id for row in entered if row.at <= until), default=0)
    rows = (row for row in entered if row.id <= known and earliest <= row.at)
    return Fresh(tuple(row for row in rows if _live(row)), since)


def _live(row: RecordRow) -> bool:
    return row.new.reverses is None and row.reversed_by is None


def _letters(
    told: Iterable[Told], occurrence: Occurrence, card: OfficeCard, since: datetime | None
) -> Sequence[Posted]:
    """A second person of one role in a unit has `#2` after the key."""
    one = occurrence
    seen: dict[str, int] = {}
    letters = []
    for person in told:
        to = person.to
        key = f"{one.rule.id}:{one.office}:{one.about}:{to.unit_id}:{one.stage.id}:{to.role}"
        seen[key] = seen.get(key, 0) + 1
        news = AdoptionNews(
            office=card, unit=person.unit, to=to.name, lines=tuple(person.lines), since=since
        )
        again = f"#{seen[key]}" if seen[key] > 1 else ""
        letters.append(Posted(f"{key}{again}", LetterKind.NEWS, news, to))
    return letters
