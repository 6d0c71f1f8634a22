"""What an office's calendar looks like at a moment: done, passed over and why, due, and to come.

Reads only, so any day can be looked at: what would be sent on it is found by preparing it. Of a day
to come it is taken that everything due before it was done in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from mailbot.app.duties.news import RECORDS
from mailbot.app.duties.reasons import why_not
from mailbot.app.duties.scan import LOOK_BACK, Runners, scan
from mailbot.app.duties.service import START, counts, stages_since
from mailbot.app.duties.taskstages import LATE
from mailbot.app.duties.waiting import GIVEN_BY
from mailbot.app.errors import WorldFault
from mailbot.app.letter_records import DutyRow, DutyState
from mailbot.app.ports import Reads, Store
from mailbot.core.duties.catchup import Passed, catch_up
from mailbot.core.duties.model import LetterRule
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.rules.periods import OFFICE_ZONE, Period, day_of
from mailbot.core.rules.rulebook import OfficeBook

BEHIND = timedelta(days=30)
"""How far back settled duties are shown."""


class Standing(StrEnum):
    DONE = "done"
    SKIPPED = "skipped"
    DUE = "due"
    """Would be done by a tick at the moment shown."""
    PASSES = "passes"
    """Would be settled by it without anything being sent."""
    FAILS = "fails"
    """Cannot be done as things are."""
    COMING = "coming"


@dataclass(frozen=True, slots=True)
class DutyLine:
    key: str
    letter: str
    """Id."""
    kind: str
    name: str
    about: str
    """As people say it: 2026年8月; a day."""
    stage: str
    time: str
    """Which of the letter's several stages it is: 第一次; empty where there is only one."""
    due: datetime
    standing: Standing
    why: str = ""
    """Of what is to come: that nothing would be sent as things are, and why."""
    at: datetime | None = None
    """When it was settled."""
    roles: tuple[str, ...] = ()
    letters: int = 0
    """Of what is due: how many would be queued."""
    units: tuple[str, ...] = ()
    """Ids of the units that would be written to."""
    draft: str = ""
    """Title of the draft that would be written."""
    warnings: tuple[str, ...] = ()
    guessed: bool = False
    """The day lies beyond the known holiday calendar: Monday to Friday stand in."""


@dataclass(frozen=True, slots=True)
class OfficeDuties:
    office: str
    moment: datetime
    in_service: datetime | None
    """None: no tick has been made here yet."""
    settled: tuple[DutyLine, ...]
    due: tuple[DutyLine, ...]
    coming: tuple[DutyLine, ...]
    blocked: tuple[str, ...] = ()
    """Letters of which it cannot be said when they are due, and why."""


def overview(
    store: Store,
    book: OfficeBook,
    runners: Runners,
    now: datetime,
    *,
    moment: datetime | None = None,
    days: int = 30,
    covered_until: date = date.max,
) -> OfficeDuties:
    """`now` is the real time, `moment` the one looked at (a preview). Writes nothing."""
    at = moment or now
    with store.reading() as reads:
        start = reads.in_service_since(book.info.id)
        otherwise = now
        if moment is not None:  # its own day is always shown, whatever happened before
            otherwise = min(now, datetime.combine(day_of(at), time(), OFFICE_ZONE))
        since = max(min(start or otherwise, otherwise), at - LOOK_BACK)
        ahead = at + timedelta(days=days)
        found = scan(reads, book, runners, since, ahead)
        rows = reads.duties(book.info.id, min(since, at - BEHIND))
        settled = {row.new.key for row in rows}
        seen = stages_since(reads, book)
        relevant = [
            o
            for o in found.occurrences
            if o.key in settled or (_matters(o, now, at) and counts(o, seen, otherwise))
        ]
        due: list[DutyLine] = []
        for step in catch_up(relevant, settled, at):
            due += (_passes(p, covered_until) for p in step.passed)
            if step.do is not None:
                due.append(_prepared(reads, book, runners, step.do, now, at, covered_until))
        blocked = tuple(why_not(b.error, book) for b in found.blocked)
        coming = tuple(
            _coming(reads, book, runners, one, at, covered_until)
            for one in found.occurrences
            if one.due > at and one.key not in settled
        )
    return OfficeDuties(
        office=book.info.id,
        moment=at,
        in_service=start,
        settled=tuple(
            _settled(row, book, covered_until)
            for row in rows
            if at - BEHIND < row.new.due <= at and row.new.letter != START
        ),
        due=tuple(sorted(due, key=lambda line: line.due)),
        coming=coming,
        blocked=blocked,
    )


def _matters(occurrence: Occurrence, now: datetime, at: datetime) -> bool:
    """Before the day looked at, what will be due until then will have been done."""
    return occurrence.due <= now or day_of(occurrence.due) == day_of(at)


def _prepared(
    reads: Reads,
    book: OfficeBook,
    runners: Runners,
    occurrence: Occurrence,
    now: datetime,
    at: datetime,
    covered_until: date,
) -> DutyLine:
    """What would be sent: of what is due on a day looked at, as of its own hour."""
    preview = at != now and day_of(occurrence.due) == day_of(at)
    try:
        runner = runners[occurrence.rule.kind]
        prepared = runner.prepare(reads, book, occurrence, occurrence.due if preview else at)
    except Exception as error:
        if isinstance(error, WorldFault) and error.systemic:
            raise
        return _line(occurrence, Standing.FAILS, covered_until, why=why_not(error, book))
    units = dict.fromkeys(p.to.unit_id for p in prepared.letters if p.to.unit_id)
    return _line(
        occurrence,
        Standing.DUE if prepared.state is DutyState.DONE else Standing.PASSES,
        covered_until,
        why=prepared.why if prepared.draft is None else _before_it_is_done(prepared.why),
        letters=len(prepared.letters),
        units=tuple(units),
        draft=prepared.draft.title if prepared.draft is not None else "",
        warnings=prepared.warnings,
    )


def _coming(
    reads: Reads,
    book: OfficeBook,
    runners: Runners,
    occurrence: Occurrence,
    at: datetime,
    covered_until: date,
) -> DutyLine:
    """Of tasks and commissions it is known today when nothing is left to remind of."""
    why = ""
    if occurrence.rule.kind in GIVEN_BY:
        try:
            prepared = runners[occurrence.rule.kind].prepare(reads, book, occurrence, at)
        except Exception as error:
            if isinstance(error, WorldFault) and error.systemic:
                raise  # else it is told when it is due
        else:
            why = prepared.why if prepared.state is DutyState.SKIPPED else ""
    return _line(occurrence, Standing.COMING, covered_until, why=why)


def _passes(passed: Passed, covered_until: date) -> DutyLine:
    return _line(passed.occurrence, Standing.PASSES, covered_until, why=passed.why)


def _line(
    occurrence: Occurrence,
    standing: Standing,
    covered_until: date,
    *,
    why: str = "",
    letters: int = 0,
    units: Sequence[str] = (),
    draft: str = "",
    warnings: Sequence[str] = (),
) -> DutyLine:
    rule = occurrence.rule
    return DutyLine(
        key=occurrence.key,
        letter=rule.id,
        kind=rule.kind.value,
        name=rule.name,
        about=_about(occurrence.about),
        stage=occurrence.stage.id,
        time=_time(rule, occurrence.stage.id),
        due=occurrence.due,
        standing=standing,
        why=why,
        roles=occurrence.stage.to or rule.to,
        letters=letters,
        units=tuple(units),
        draft=draft,
        warnings=tuple(warnings),
        guessed=_guessed(occurrence, covered_until),
    )


def _before_it_is_done(why: str) -> str:
    """What the record will say was done is still to be done."""
    return why.replace("已起草", "将起草", 1)


def _guessed(occurrence: Occurrence, covered_until: date) -> bool:
    """Does its day rest on days whose schedule is not known? A stage counted back from the end of
    a period rests on the days up to that end."""
    days = [day_of(occurrence.due)]
    if occurrence.period is not None and occurrence.stage.days < 0:
        days.append(occurrence.period.last)
    return max(days) > covered_until


def _settled(row: DutyRow, book: OfficeBook, covered_until: date) -> DutyLine:
    new = row.new
    rule = next((r for r in book.letters.letters if r.id == new.letter), None)
    detail = new.detail
    units = detail.get("units")
    warnings = detail.get("warnings")
    return DutyLine(
        key=new.key,
        letter=new.letter,
        kind=rule.kind.value if rule is not None else "",
        name=rule.name if rule is not None else new.letter,
        about=_about(new.period),
        stage=new.stage,
        time=_time(rule, new.stage),
        due=new.due,
        standing=Standing.DONE if new.state is DutyState.DONE else Standing.SKIPPED,
        why=new.why,
        at=row.at,
        units=tuple(units) if isinstance(units, dict) else (),
        warnings=tuple(map(str, warnings)) if isinstance(warnings, list) else (),
        guessed=day_of(new.due) > covered_until,
    )


def _about(code: str) -> str:
    """What a letter is about, as people say it."""
    if code.startswith(RECORDS):
        return ""  # at once: its own day says enough
    due, late, _entered = code.partition(LATE)
    if late:
        return f"{due}（到期前补办）"
    try:
        return Period.parse(code).name
    except ValueError:
        return code


def _time(rule: LetterRule | None, stage: str) -> str:
    stages = [s.id for s in rule.stages] if rule is not None else []
    if len(stages) < 2 or stage not in stages:
        return ""
    return f"第{stages.index(stage) + 1}次"
