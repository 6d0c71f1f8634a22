"""Finding units of a roster in text: by every name they have on a day, and near misses.

The longest name wins at every place, so that 农牧和水务执法局 is never read as 农牧局. A place name of
the roster may stand before any name (鄂托克前旗农牧局). What only resembles a name is never resolved:
it is returned as a near miss with the units it may mean.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from mailbot.core.subject.roster import Roster
from mailbot.core.subject.text import fold

MAX_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class UnitMatch:
    """A unit named at `start`..`end` (place prefix included). `unit_id` is None when the same text
    names several units on that day; they are then the `candidates`. `bare` is where the name itself
    begins, after the prefix."""

    start: int
    end: int
    bare: int
    text: str
    unit_id: str | None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Index:
    """All names of one roster on one day, folded."""

    by_head: dict[str, tuple[str, ...]]
    """First character to the names that begin with it, longest first."""
    owners: dict[str, tuple[str, ...]]
    prefixes: tuple[str, ...]
    former: dict[str, tuple[str, ...]]
    """Names that belong to a unit on some other day."""


class _Key:
    """A roster and a day as a cache key. Compares rosters by identity: hashing hundreds of names
    for every mail would cost more than reading it."""

    __slots__ = ("day", "roster")

    def __init__(self, roster: Roster, day: date) -> None:
        self.roster, self.day = roster, day

    def __hash__(self) -> int:
        return hash((id(self.roster), self.day))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.roster is self.roster and other.day == self.day


@lru_cache(maxsize=64)
def _index(key: _Key) -> _Index:
    owners: dict[str, list[str]] = {}
    former: dict[str, list[str]] = {}
    for unit in key.roster.units:
        for name in unit.names:
            folded = fold(name.text.strip())
            if not folded:
                continue
            table = owners if unit.on(key.day) and name.on(key.day) else former
            if unit.id not in table.setdefault(folded, []):
                table[folded].append(unit.id)
    by_head: dict[str, list[str]] = {}
    for name_text in sorted(owners, key=lambda n: (-len(n), n)):
        by_head.setdefault(name_text[0], []).append(name_text)
    return _Index(
        {head: tuple(names) for head, names in by_head.items()},
        {name: tuple(ids) for name, ids in owners.items()},
        tuple(sorted({fold(p) for p in key.roster.prefixes if p}, key=len, reverse=True)),
        {name: tuple(ids) for name, ids in former.items() if name not in owners},
    )


def find_units(text: str, roster: Roster, day: date) -> list[UnitMatch]:
    """Every place where a unit of the roster is named in `text`, left to right, longest first, not
    overlapping. Says nothing about whether the place is one where a reporting unit stands."""
    index = _index(_Key(roster, day))
    folded = fold(text)
    found: list[UnitMatch] = []
    at = 0
    while at < len(folded):
        match = _at(folded, at, index)
        if match is None:
            at += 1
            continue
        bare, end, ids = match
        found.append(
            UnitMatch(at, end, bare, text[at:end], ids[0] if len(ids) == 1 else None,
                      ids if len(ids) > 1 else ())
        )  # fmt: skip
        at = end
    return found


def match_unit(text: str, roster: Roster, day: date) -> UnitMatch | None:
    """The unit whose name, perhaps with a place prefix, is the whole of `text`."""
    index = _index(_Key(roster, day))
    folded = fold(text)
    ids = index.owners.get(folded)
    if ids:
        return UnitMatch(0, len(text), 0, text, ids[0] if len(ids) == 1 else None,
                         ids if len(ids) > 1 else ())  # fmt: skip
    match = _at(folded, 0, index) if folded else None
    if match and match[1] == len(folded):
        bare, end, ids = match
        return UnitMatch(0, end, bare, text, ids[0] if len(ids) == 1 else None,
                         ids if len(ids) > 1 else ())  # fmt: skip
    return None


def is_place(text: str, roster: Roster, day: date) -> bool:
    """Whether the text is nothing but a place prefix of the roster (鄂托克前旗 by itself)."""
    return len(text) > 1 and fold(text) in _index(_Key(roster, day)).prefixes


def own_place_at_end(text: str, roster: Roster, day: date) -> int | None:
    """Where a place prefix of the roster of two characters or more begins at the end of `text`."""
    folded = fold(text)
    for prefix in _index(_Key(roster, day)).prefixes:
        if len(prefix) > 1 and folded.endswith(prefix):
            return len(text) - len(prefix)
    return None


def _at(folded: str, at: int, index: _Index) -> tuple[int, int, tuple[str, ...]] | None:
    """The longest name at a position, with or without prefix: (bare start, end, unit ids)."""
    best: tuple[int, int, tuple[str, ...]] | None = None
    starts = {at}
    for prefix in index.prefixes:
        if folded.startswith(prefix, at):
            after = at + len(prefix)
            starts.add(after)
            if folded.startswith(" ", after):
                starts.add(after + 1)
    for start in sorted(starts):
        if start >= len(folded):
            continue
        for name in index.by_head.get(folded[start], ()):
            if folded.startswith(name, start):
                end = start + len(name)
                if best is None or end > best[1]:
                    best = (start, end, index.owners[name])
                break
    return best


INSTITUTION = re.compile(
    r"(?:局|委员会|委|办公室|办|中心|镇|乡|苏木|街道|办事处|政府|管委会|联合社|供销社|社区|分局|支队|大队|总队|队|总站|站|所|院|"
    r"公司|集团|学校|中学|小学|幼儿园|一中|二中|三中|大学|学院|医院|银行|协会|联合会|总工会|妇联|残联|团委|馆|部|处|室|厅|"
    r"农场|林场|牧场|园区|开发区|保护区|检察院|法院)$"
)
"""How names of institutions end."""


def near_misses(text: str, roster: Roster, day: date) -> tuple[str, ...]:
    """Ids of units whose name `text` may be meant for, best first: a name of another day, one wrong
    character in a short name and two in a long one, an abbreviation that keeps the order of the
    characters, a name inside or around. Never an exact name of the day."""
    index = _index(_Key(roster, day))
    word = fold(text).replace(" ", "")
    if not 2 <= len(word) <= 24:
        return ()
    variants = [word]
    variants += [
        word[len(p) :] for p in index.prefixes if word.startswith(p) and len(word) > len(p) + 1
    ]
    scores: dict[str, int] = {}

    def note(ids: Sequence[str], score: int) -> None:
        for unit_id in ids:
            scores[unit_id] = min(score, scores.get(unit_id, 99))

    for variant in variants:
        if variant in index.former:
            note(index.former[variant], 0)
        for name, ids in index.owners.items():
            score = _likeness(variant, name)
            if score is not None:
                note(ids, score)
    ranked = sorted(scores.items(), key=lambda item: item[1])
    return tuple(unit_id for unit_id, _ in ranked[:MAX_CANDIDATES])


def containing(text: str, roster: Roster, day: date) -> tuple[str, ...]:
    """Ids of the units that have a name of the day which `text` (two characters or more) begins or
    ends, or stands inside as three or more, in the roster's order: 执法局, 农牧, 上海庙. A place
    prefix of the roster before it does not count."""
    index = _index(_Key(roster, day))
    word = fold(text).replace(" ", "")
    if not 2 <= len(word) <= 24:
        return ()
    words = {word}
    words |= {
        word[len(p) :] for p in index.prefixes if word.startswith(p) and len(word) > len(p) + 1
    }
    found = {
        unit_id
        for name, ids in index.owners.items()
        for w in words
        if name.startswith(w) or name.endswith(w) or (len(w) > 2 and w in name)
        for unit_id in ids
    }
    return tuple(u.id for u in roster.units if u.id in found)


def unit_name(unit_id: str, roster: Roster) -> str:
    """The office's own name of a unit, for showing; the id where the roster has none such."""
    return next((u.name for u in roster.units if u.id == unit_id), unit_id)


def _likeness(word: str, name: str) -> int | None:
    """0 (same but for blanks) upwards; None when the two are not alike."""
    if word == name:
        return 0
    allowed = 0 if len(name) < 3 else 1 if len(name) < 6 else 2
    if abs(len(word) - len(name)) <= allowed:
        distance = edit_distance(word, name, allowed)
        if distance <= allowed:
            return distance * 2
    short, long = sorted((word, name), key=len)
    if len(short) >= 3 and short[0] == long[0] and short[-1] == long[-1] and _in_order(short, long):
        return 3
    if len(name) >= 3 and word.endswith(name):
        return 4
    if name.startswith(word):
        return 5
    return None


def _in_order(short: str, long: str) -> bool:
    rest = iter(long)
    return all(char in rest for char in short)


def edit_distance(a: str, b: str, limit: int) -> int:
    """Levenshtein distance with neighbouring characters exchanged as one step, `limit` + 1 when
    greater. Row by row, left as soon as a row exceeds the limit."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        older, before = before, row
        row = [i]
        for j, other in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (char != other))
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
