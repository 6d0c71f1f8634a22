"""What an office must know about its own rules: how they were read where the document can be read
in two ways, and what nobody has decided yet.

A plain list from the data, for `mailbot rules check`; nothing here is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailbot.core.rules.basis import Basis
from mailbot.core.rules.kinds import Conversion, Ladder, Rule
from mailbot.core.rules.rulebook import OfficeBook

TO_CONFIRM = "to be confirmed"
"""How the note of a unit begins that the document does not name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence that can be read in two ways; `where` names the rule, list, quota ..."""

    where: str
    basis: Basis


class OpenKind(StrEnum):
    LEFT = "left"
    """The document leaves it to the office (`[[left]]`)."""
    LADDER = "ladder"
    """A ladder without steps: shown, without points."""
    FACTOR = "factor"
    """A conversion without its factor: off."""
    GROUP = "group"
    """A group of units without units."""
    UNIT = "unit"
    """A unit, or several, that the office is asked to confirm."""
    NOTE = "note"
    """Another note beside units."""
    MAILBOX = "mailbox"
    """No mailbox is named."""


@dataclass(frozen=True, slots=True)
class Open:
    kind: OpenKind
    about: str
    basis: Basis | None = None


def readings(book: OfficeBook) -> list[Reading]:
    """In the order of the files. Those of `[[left]]` stand there and not here."""
    return [Reading(where, basis) for where, basis in _bases(book) if basis.reading]


def open_points(book: OfficeBook) -> list[Open]:
    """What is left to the office, the document's own gaps first."""
    found = [Open(OpenKind.LEFT, left.about, left.basis) for left in book.scoring.left]
    for rule in book.scoring.rules:
        found.extend(_undecided(rule))
    if not book.info.mailbox:
        found.append(Open(OpenKind.MAILBOX, book.info.name))
    settled = {u.group for u in book.roster.units}
    found.extend(Open(OpenKind.GROUP, g.name, g.basis) for g in book.groups if g.id not in settled)
    notes: dict[str, list[str]] = {}
    for unit in book.roster.units:
        if unit.note:
            said = unit.note.removeprefix(TO_CONFIRM).lstrip(":： ")  # the kind says it already
            notes.setdefault(said, []).append(unit.name)
    found.extend(
        Open(OpenKind.UNIT, f"{'、'.join(names)}：{note}") for note, names in notes.items()
    )
    return found


def _undecided(rule: Rule) -> Iterator[Open]:
    """What the rule's last version does not say yet."""
    version = rule.versions[-1]
    match version.values:
        case Ladder(steps=()):
            yield Open(OpenKind.LADDER, rule.name, version.basis)
        case Conversion(factor=None):
            yield Open(OpenKind.FACTOR, rule.name, version.basis)
        case _:
            pass


def _bases(book: OfficeBook) -> Iterator[tuple[str, Basis]]:
    for group in book.groups:
        yield f"组“{group.name}”", group.basis
    for convention in book.conventions:
        yield f"主题 subject.toml {convention.start}", convention.basis
    for categories in book.categories:
        yield f"类别 categories.toml {categories.start}", categories.basis
    for quota in book.quotas:
        for owed in quota.versions:
            yield f"任务“{quota.name}” {owed.start}", owed.basis
    for rule in book.scoring.rules:
        for version in rule.versions:
            yield f"规则“{rule.name}” {version.start}", version.basis
    for ranking in book.scoring.rankings:
        yield f"排名 scoring.toml {ranking.start}", ranking.basis
    for one in book.scoring.lists:
        for listed in one.versions:
            yield f"名单“{one.name}” {listed.start}", listed.basis
