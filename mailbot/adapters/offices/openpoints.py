"""What an office must know about its own rules: how they were read where the document can be read
in two ways, and what nobody has decided yet.

A plain list from the data, for `mailbot rules check`; nothing here is a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailbot.core.duties.model import LetterRule
from mailbot.core.mail.compose import usable_address
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.kinds import Conversion, Ladder, Rule
from mailbot.core.rules.people import CALLED, IN_A_SENTENCE
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.roster import Unit

LIAISON, HEAD = "liaison", "head"
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
    READERS = "readers"
    """People outside the units who get notices and have no address."""
    ADDRESSES = "addresses"
    """How many units have nobody with an address in a role that is written to."""
    PHONES = "phones"
    """How many units have no number for text messages."""


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
    left = (*book.scoring.left, *book.letters.left)
    found = [Open(OpenKind.LEFT, one.about, one.basis) for one in left]
    for rule in book.scoring.rules:
        found.extend(_undecided(rule))
    if not book.info.mailbox:
        found.append(Open(OpenKind.MAILBOX, book.info.name))
    settled = {
        group
        for u in book.roster.units
        for group in (u.group, *(e.group for e in u.earlier_groups))
    }
    found.extend(Open(OpenKind.GROUP, g.name, g.basis) for g in book.groups if g.id not in settled)
    notes: dict[str, list[str]] = {}
    for unit in book.roster.units:
        if unit.note:
            said = unit.note.removeprefix(TO_CONFIRM).lstrip(":： ")  # the kind says it already
            notes.setdefault(said, []).append(unit.name)
    found.extend(
        Open(OpenKind.UNIT, f"{'、'.join(names)}：{note}") for note, names in notes.items()
    )
    return [*found, *_unreachable(book)]


def _unreachable(book: OfficeBook) -> Iterator[Open]:
    """Whom the office's letters are meant for and cannot reach. Counted: each letter's summary
    names the units."""
    missing = [reader.name for reader in book.letters.readers if not reader.address]
    if missing:
        yield Open(OpenKind.READERS, "、".join(missing))
    units = [u for u in book.roster.units if u.end is None]
    for role in _written_to(book.letters.letters):
        lacking = sum(not _has_address(u, role) for u in units)
        if lacking:
            note = "；来信绑定的邮箱也会用上" if role == LIAISON else ""
            text = f"{lacking} 个单位的{IN_A_SENTENCE[role]}没有邮箱（在册 {len(units)} 个{note}）"
            yield Open(OpenKind.ADDRESSES, text)
    wrong = [
        f"{u.name}{IN_A_SENTENCE[c.role]}（{c.address}）"
        for u in units
        for c in u.contacts
        if c.address and not usable_address(c.address)
    ]
    if wrong:
        yield Open(OpenKind.ADDRESSES, f"邮箱写错了，收不到信：{'、'.join(wrong)}")
    if any(letter.sms for letter in book.letters.letters):
        lacking = sum(not any(c.role == HEAD and c.phone for c in u.contacts) for u in units)
        if lacking:
            text = f"{lacking} 个单位的{IN_A_SENTENCE[HEAD]}没有电话（在册 {len(units)} 个）"
            yield Open(OpenKind.PHONES, text)


def _written_to(letters: Iterable[LetterRule]) -> list[str]:
    roles: set[str] = set()
    for letter in letters:
        roles.update(letter.to, *(s.to for s in letter.stages), *(o.to for o in letter.own))
    return [role for role in CALLED if role in roles]


def _has_address(unit: Unit, role: str) -> bool:
    own = [c.address for c in unit.contacts if c.role == role]
    return any(map(usable_address, (*own, *(unit.addresses if role == LIAISON else ()))))


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
    for letter in book.letters.letters:
        yield f"信件“{letter.name}” {letter.start}", letter.basis
