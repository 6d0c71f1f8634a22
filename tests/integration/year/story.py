"""What makes a story: things that happen at moments, and people who answer what they get."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from mailbot.bootstrap import open_office
from tests.integration.year.calendar import is_working_day
from tests.integration.year.clock import VirtualClock, at
from tests.integration.year.days import AFTERNOON, MORNING, Days
from tests.integration.year.installation import Person, approver_of, install
from tests.integration.year.mails import NEWS, PROBLEM
from tests.integration.year.sink import Letter
from tests.servers.smtp_sink import SmtpSink


@dataclass(frozen=True)
class Event:
    when: datetime
    do: Callable[[Days], object]


@dataclass(frozen=True)
class Story:
    """An office's year."""

    office: str
    people: tuple[Person, ...]
    happens: Callable[[], Iterable[Event]]
    decides: Callable[[Letter], str]
    """What the approver writes back to the mail that brings a draft; "" where nothing."""
    given: Mapping[str, Sequence[date]]
    """By letter, the days on which tasks or commissions fall due."""
    nothing_to_say: frozenset[str]
    """Duties that are settled without a letter or a draft."""
    covers: Mapping[str, set[str]]
    """By notice, the addresses its letters go to each time; own letters and readers aside."""
    units: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reporter:
    """Somebody who writes for a unit."""

    office: str
    unit: str
    """As it stands in the subject."""
    name: str
    address: str

    def sends(self, when: str, title: str, kind: str = "动态") -> Event:
        """A submission as the convention has it; a problem with the headings that prove one."""
        text = PROBLEM if kind in ("问题", "调研报告") else NEWS
        line = f"{self.unit}+【{kind}】{title}+{self.name}+13912345678"
        return self.writes(when, line, text.format(title=title))

    def writes(self, when: str, subject: str, body: str) -> Event:
        return Event(at(when), lambda days: days.write(self.office, self.address, subject, body))

    def month(self, month: int, number: int, first: int = 5) -> Iterator[Event]:
        """So many pieces of news, one a day from the `first` on at ten."""
        for n in range(1, number + 1):
            title = f"{month}月第{n}项重点工作有序推进"
            yield self.sends(f"{month:02}-{first + n - 1:02} 10:00", title)


def recorded(when: str, office: str, kind: str, **values: str) -> Event:
    """The desk enters it at the moment; `day` is the day of the moment where none is given."""
    moment = at(when)
    values.setdefault("day", moment.date().isoformat())
    return Event(moment, lambda days: days.record(office, kind, **values))


def begin(root: Path, sink: SmtpSink, stories: Sequence[Story], now: datetime) -> Days:
    """A new installation that serves the offices of the stories; the program runs."""
    settings = install(
        root,
        [s.office for s in stories],
        {s.office: s.people for s in stories},
        sink.port,
        units={s.office: s.units for s in stories},
        changes={s.office: s.changes for s in stories},
        files={s.office: s.files for s in stories},
    )
    clock = VirtualClock(now)
    days = Days(root, settings, sink, clock, open_office(settings, clock=clock))
    days.start()
    days.round()
    return days


@dataclass
class Approver:
    """Reads the drafts as they come in and answers each of them in a reply."""

    story: Story
    drafts: list[Letter] = field(default_factory=list)
    _seen: int = 0

    def look(self, days: Days) -> None:
        for letter in days.sent[self._seen :]:
            if letter.to == approver_of(self.story.office) and "【待审批】" in letter.subject:
                self.drafts.append(letter)
                if said := self.story.decides(letter):
                    days.reply(self.story.office, letter, said)
        self._seen = len(days.sent)


def live(
    days: Days,
    stories: Iterable[Story],
    until: datetime,
    *,
    also: Iterable[Event] = (),
    wake: Callable[[Days], object] = Days.round,
) -> None:
    """Lets everything happen at its moment. The program works (`wake`) each morning but those of
    ordinary Sundays, and whenever mail has come since; then the approvers look at what they got."""
    known = list(stories)
    approvers = [Approver(story) for story in known]

    def round_(days: Days) -> None:
        if not days.mail_waits and (days.now.time() == AFTERNOON or _is_idle(days.now.date())):
            return
        wake(days)
        for approver in approvers:
            approver.look(days)

    told = [*also, *(e for s in known for e in s.happens())]
    events = [e for e in told if days.now < e.when <= until]
    events += [Event(moment, round_) for moment in _wakes(days.now, until)]
    for event in sorted(events, key=lambda e: e.when):
        days.clock.advance(event.when)
        event.do(days)


def _is_idle(day: date) -> bool:
    """Saturdays and holidays show well enough that nothing is sent on days off."""
    return day.weekday() == 6 and not is_working_day(day)


def _wakes(since: datetime, until: datetime) -> Iterator[datetime]:
    day = since.date()
    while day <= until.date():
        for hour in (MORNING, AFTERNOON):
            moment = datetime.combine(day, hour, since.tzinfo)
            if since < moment <= until:
                yield moment
        day += timedelta(days=1)
