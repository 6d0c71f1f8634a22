"""One round of letters: each reader of each unit gets one, the office's own people get a summary.

Keys follow from the round, so that a round prepared twice has the same letters. A unit that cannot
be written to stops nobody else; why is kept for the summary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from mailbot.app.duties.recipients import LIAISON, Found, recipients
from mailbot.app.ports import Reads
from mailbot.app.posting import Addressee, Posted
from mailbot.app.records import Binding
from mailbot.core.duties.model import RECOMMENDER
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.every import Letter
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.office import RoundSummary
from mailbot.core.mail.compose import usable_address
from mailbot.core.rules.people import CALLED
from mailbot.core.rules.periods import WorkingDay
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.roster import Unit

_NAMES = {**CALLED, RECOMMENDER: "推荐单位"}
_GONE = "单位已不在名册里"
_NAMED = 5
"""Units that a warning names."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one unit, as `RoundLine` tells it."""

    sent: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()


@dataclass
class Round:
    """Collects a round's letters. `day` is the day it is prepared on."""

    reads: Reads
    book: OfficeBook
    occurrence: Occurrence
    card: OfficeCard
    day: date
    letters: list[Posted] = field(default_factory=list)
    units: dict[str, dict[str, str]] = field(default_factory=dict)
    """For the duty's detail: `{"jiaoti": {"outcome": "sent", "why": ""}}`."""
    unreachable: list[tuple[str, str, str]] = field(default_factory=list)
    """Units nobody can be written to: name, why, and what to do about it."""
    _bindings: list[Binding] | None = None
    _suspended: frozenset[str] = frozenset()

    def write(
        self,
        unit: Unit,
        kind: LetterKind,
        letter_for: Callable[[Addressee], Letter],
        not_after: datetime | None,
    ) -> Written:
        """A letter to everybody in the stage's roles; `letter_for` says what it is to one. Nobody of
        a unit that is no more is written to."""
        if not unit.on(self.day):
            self.units[unit.id] = {"outcome": "unreachable", "why": _GONE}
            return Written((), (_GONE,))
        found = self._people(unit)
        seen: dict[str, int] = {}
        for person in found.people:
            seen[person.role] = seen.get(person.role, 0) + 1
            again = f"#{seen[person.role]}" if seen[person.role] > 1 else ""
            key = f"{self._key(unit.id)}:{person.role}{again}"
            letter = letter_for(person)
            self.letters.append(Posted(key, kind, letter, person, not_after=not_after))
        self._note(unit, found)
        return Written(
            tuple(f"{_NAMES.get(p.role, p.role)} {p.address}" for p in found.people), found.lacking
        )

    def count(self) -> dict[str, int]:
        """Letters by role, as people call it."""
        found: dict[str, int] = {}
        for posted in self.letters:
            name = _NAMES.get(posted.to.role, posted.to.role)
            found[name] = found.get(name, 0) + 1
        return found

    def said(self) -> str:
        """写给信息员 11 封、主要负责人 3 封"""
        counts = [f"{name} {number} 封" for name, number in self.count().items()]
        return f"写给{'、'.join(counts)}" if counts else "没有信可写"

    def summaries(self, summary: RoundSummary) -> tuple[list[Posted], list[str]]:
        """One to each of the office's own people, and who of them has no usable address."""
        people, wrong = staff(self.book, self.card)
        posted = [
            Posted(f"{self.occurrence.key}:summary:{n}", LetterKind.SUMMARY, summary, person)
            for n, person in enumerate(people, 1)
        ]
        return posted, wrong

    def detail(self) -> dict[str, Any]:
        return {"units": self.units}

    def note_unreachable(
        self,
        unit: str,
        why: str,
        remedy: str = "请在名册里补上邮箱，或用 mailbot senders 确认来信用过的邮箱",
    ) -> None:
        self.unreachable.append((unit, why, remedy))

    @property
    def unreached(self) -> list[str]:
        """A sentence for each reason: so many units, the first by name. The summary names all."""
        units: dict[tuple[str, str], list[str]] = {}
        for unit, why, remedy in self.unreachable:
            units.setdefault((why, remedy), []).append(unit)
        return [_unreached(names, *reason) for reason, names in units.items()]

    # --- helpers

    def _key(self, unit_id: str) -> str:
        """`reminder:otog:2026-08:jiaoti:first`"""
        one = self.occurrence
        return f"{one.rule.id}:{one.office}:{one.about}:{unit_id}:{one.stage.id}"

    def _note(self, unit: Unit, found: Found) -> None:
        outcome = "sent" if found.people else "unreachable"
        self.units[unit.id] = {"outcome": outcome, "why": "；".join(found.lacking)}
        if not found.people:
            self.note_unreachable(unit.name, "、".join(found.lacking) or "没有规定写给谁")

    def _people(self, unit: Unit) -> Found:
        if self._bindings is None:
            self._bindings = self.reads.bound_addresses(self.book.info.id)
            self._suspended = self.reads.suspended(self.book.info.id)
        roles = self.occurrence.stage.to
        own = [r for r in roles if r != RECOMMENDER]
        found = recipients(unit, own, self.day, self._bindings, self._suspended)
        if RECOMMENDER not in roles or not unit.recommender:
            return found
        return _with_copy(found, self._recommender(unit), unit)

    def _recommender(self, unit: Unit) -> Found:
        other = next((u for u in self.book.roster.units if u.id == unit.recommender), None)
        if other is None:
            return Found((), (f"推荐单位（{unit.recommender}）不在名册里，不抄送",))
        copy = recipients(other, (LIAISON,), self.day, self._bindings or (), self._suspended)
        if copy.people:
            return copy
        return Found((), tuple(f"推荐单位（{other.name}）的{why}" for why in copy.lacking))


def _with_copy(found: Found, copy: Found, unit: Unit) -> Found:
    """The letter stays the unit's own, whoever gets a copy."""
    known = {person.address.lower() for person in found.people}
    more = (
        replace(person, role=RECOMMENDER, unit_id=unit.id)
        for person in copy.people
        if person.address.lower() not in known
    )
    return Found((*found.people, *more), (*found.lacking, *copy.lacking))


def _unreached(units: Sequence[str], why: str, remedy: str) -> str:
    if len(units) == 1:
        return f"{units[0]}收不到信：{why}；{remedy}。"
    more = "等" if len(units) > _NAMED else ""
    return f"{len(units)} 个单位收不到信，{why}：{'、'.join(units[:_NAMED])}{more}；{remedy}。"


def staff(book: OfficeBook, card: OfficeCard) -> tuple[list[Addressee], list[str]]:
    """Who gets the office's summaries, the mailbox itself where nobody is named or nobody named can
    be written to; and what is wrong with addresses of theirs, a sentence each."""
    named = list(dict.fromkeys(a.strip() for a in book.letters.staff))
    wrong = [
        f"letters.toml 里本室人员的邮箱“{address}”写错了，汇总不发给它。"
        for address in named
        if not usable_address(address)
    ]
    usable = [address for address in named if usable_address(address)]
    if not usable and usable_address(card.mailbox):
        usable = [card.mailbox]
    if not usable:
        wrong.append("本室没有可用的邮箱，汇总发不出去。请在 letters.toml 里写上 staff。")
    return [Addressee(address, "staff") for address in usable], wrong


def liaison_name(unit: Unit, day: date) -> str:
    return next((c.name for c in unit.contacts if c.role == LIAISON and c.name and c.on(day)), "")


def working_days(today: date, deadline: date, is_working_day: WorkingDay) -> int:
    """From today to the deadline, both counted; 0 after it."""
    span = (deadline - today).days + 1
    return sum(1 for n in range(max(span, 0)) if is_working_day(today + timedelta(days=n)))
