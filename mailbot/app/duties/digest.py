"""The morning's digest: one mail to each of the office's own people on every working day, also when
there is nothing new, so that a morning without one means that something is wrong.

It begins where the last one ended, however long ago that was; the first one begins on the last
working morning. What a batch of mail wrote while the last digest was being made up carries a time
before its end and was not in it: so each looks back a little further, and leaves out what the last
one told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from mailbot.app.duties.digest_parts import Morning, News, parts_of
from mailbot.app.duties.model import Prepared
from mailbot.app.duties.rounds import staff
from mailbot.app.letter_records import DutyState
from mailbot.app.ports import Reads
from mailbot.app.posting import Posted
from mailbot.core.duties.model import DutyKind
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.duties.schedule import of_working_days, stage_day
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.office import Digest, DigestPart
from mailbot.core.rules.periods import OFFICE_ZONE, WorkingDay, day_of, working_days_after
from mailbot.core.rules.rulebook import OfficeBook

LATE = timedelta(minutes=15)
"""Longest that what was decided may take to be in the books."""
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)

Coming = Callable[[Reads, OfficeBook, datetime, datetime], Sequence[Occurrence]]
"""Duties due after the first and not after the second moment."""


def nothing_coming(
    reads: Reads, book: OfficeBook, since: datetime, until: datetime
) -> Sequence[Occurrence]:
    return ()


@dataclass(frozen=True, slots=True)
class Told:
    """Where the last digest ended, and what it told of the minutes before."""

    until: datetime
    late: frozenset[str]


class DigestRunner:
    """Of DIGEST. `warnings`: what the office should know on a day, whole sentences (the holiday
    calendar ends); `coming`: the office's other duties, for what is due today, done already or not,
    and next."""

    def __init__(
        self,
        *,
        is_working_day: WorkingDay,
        posting_card: Callable[[OfficeBook], OfficeCard],
        warnings: Callable[[date], list[str]],
        coming: Coming = nothing_coming,
    ) -> None:
        self._working, self._card = is_working_day, posting_card
        self._warnings, self._coming = warnings, coming

    def occurrences(
        self, reads: Reads, book: OfficeBook, since: datetime, until: datetime
    ) -> list[Occurrence]:
        return [
            occurrence
            for rule in book.letters.letters
            if rule.kind is DutyKind.DIGEST
            for occurrence in of_working_days(book.info.id, rule, since, until, self._working)
        ]

    def prepare(
        self, reads: Reads, book: OfficeBook, occurrence: Occurrence, now: datetime
    ) -> Prepared:
        card = self._card(book)
        people, wrong = staff(book, card)
        if not people:
            why = "本室没有可用的邮箱，简报发不出去。"
            return Prepared(DutyState.SKIPPED, why, warnings=tuple(wrong))
        last = _told(reads, occurrence, now)
        since = last.until if last is not None else self._last_morning(occurrence)
        parts = parts_of(reads, book, self._morning(reads, book, last, since, now))
        digest = Digest(
            office=card,
            day=day_of(occurrence.due),
            since=since,
            until=now,
            parts=parts,
            warnings=tuple(self._warnings(day_of(now))),
        )
        letters = [
            Posted(
                f"{occurrence.key}:staff{f'#{n}' if n > 1 else ''}", LetterKind.DIGEST, digest, p
            )
            for n, p in enumerate(people, 1)
        ]
        why = f"{_said(parts)}；发给 {len(people)} 人。"
        detail = _detail(News.of(reads, book.info.id, now - LATE, now), now)
        return Prepared(DutyState.DONE, why, tuple(letters), None, detail, tuple(wrong))

    def _morning(
        self, reads: Reads, book: OfficeBook, last: Told | None, since: datetime, now: datetime
    ) -> Morning:
        office = book.info.id
        if last is None:
            news = News.of(reads, office, since, now)
        else:
            news = News.of(reads, office, since - LATE, now).without(last.late)
        today = day_of(now)
        start = _midnight(today) - MOMENT
        end = _midnight(working_days_after(today, 1, self._working) + DAY) - MOMENT
        due = tuple(self._coming(reads, book, start, end))
        settled = {row.new.key: row.new for row in reads.duties(office, start)}
        return Morning(news, since, now, due, settled)

    def _last_morning(self, occurrence: Occurrence) -> datetime:
        """At the same hour of the last working day before."""
        day = stage_day(-1, day_of(occurrence.due) - DAY, self._working)
        return datetime.combine(day, occurrence.stage.at, OFFICE_ZONE)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), OFFICE_ZONE)


def _told(reads: Reads, occurrence: Occurrence, now: datetime) -> Told | None:
    """None where there was no digest yet, or only one from a clock that was ahead."""
    duty = reads.last_duty(occurrence.office, occurrence.rule.id)
    if duty is None:
        return None
    detail = duty.new.detail
    until = datetime.fromisoformat(detail["until"]) if "until" in detail else duty.at
    return Told(until, frozenset(detail.get("late", ()))) if until <= now else None


def _detail(late: News, now: datetime) -> dict[str, Any]:
    return {"until": now.isoformat(), "late": sorted(late.marks())}


def _said(parts: Sequence[DigestPart]) -> str:
    told = [f"{part.title} {part.total} 项" for part in parts if part.total]
    return "、".join(told) or "没有新情况"
