"""From a row of a file or the options of a command to typed answers.

Pure; promises to find every fault of an entry at once, each with its place. What a name means
(which unit, which journal) is `words`' business, whether it makes sense `check`'s.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from mailbot.app.errors import Fault
from mailbot.app.recording.columns import (
    COLUMNS,
    KIND_COLUMN,
    Column,
    Needs,
    Read,
    needs_in,
)
from mailbot.app.recording.values import (
    LONGEST,
    Cell,
    Unreadable,
    Wrong,
    folded,
    near,
    read_count,
    read_day,
    read_list,
    read_moment,
    read_number,
    read_text,
    read_yes,
)
from mailbot.core.rules.events import NAMES, EventKind
from mailbot.core.rules.rulebook import OfficeBook


@dataclass(frozen=True, slots=True)
class Given:
    """One entry as a person gave it. `places` says where each value stands (`登记!F12`,
    `--journal`), `row` where the entry as a whole does, `absent` what the file has no column for."""

    values: Mapping[str, Cell]
    places: Mapping[str, str]
    row: str
    absent: frozenset[str] = frozenset()
    sheet: str = ""

    def place(self, key: str) -> str:
        return self.places.get(key, self.row)

    def fault(self, key: str, found: str, remedy: str) -> Fault:
        return Fault(self.place(key), found, remedy)


@dataclass(slots=True)
class Answers:
    """An entry with every value of its right type. With `faults` it is incomplete."""

    given: Given
    kind: EventKind
    needs: Needs
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, key: str, found: str, remedy: str) -> None:
        self.faults.append(self.given.fault(key, found, remedy))

    def text(self, key: str) -> str:
        return str(self.values.get(key, ""))

    def names(self, key: str) -> tuple[str, ...]:
        return tuple(self.values.get(key, ()))

    def flag(self, key: str) -> bool:
        return bool(self.values.get(key, False))

    @property
    def moment(self) -> datetime:
        return self.values["day"]  # type: ignore[no-any-return]

    @property
    def day(self) -> date:
        return self.moment.date()


def answers(given: Given, book: OfficeBook) -> Answers | list[Fault]:
    """The entry read, with what its kind needs in this office; only faults where not even its kind is known."""
    try:
        word = folded(given.values.get("kind"))
        if not word:
            raise Wrong("没有写事项", f"写其中一个：{'、'.join(KIND_COLUMN.words.values())}")
        kind = EventKind(closed_word(word, KIND_COLUMN))
    except Wrong as wrong:
        return [given.fault("kind", wrong.found, wrong.remedy), *_unreadable(given)]
    found = Answers(given, kind, needs_in(kind, book))
    for column in COLUMNS[1:]:
        _read(column, found)
    _demand_item(found)
    return found


def _unreadable(given: Given) -> Iterator[Fault]:
    """Cells that no kind of entry could have: told together with the kind that is none."""
    for column in COLUMNS[1:]:
        cell = given.values.get(column.key)
        if cell is None or cell == "":
            continue
        try:
            READERS[column.read](cell, column)
        except Wrong as wrong:
            yield given.fault(column.key, wrong.found, wrong.remedy)


def _read(column: Column, into: Answers) -> None:
    cell = into.given.values.get(column.key)
    name = NAMES[into.kind.value]
    if cell is None or (isinstance(cell, str) and not read_text(cell[:LONGEST])):
        if column.key in into.needs.required:
            _demand(column, into)
        return
    if column.key not in into.needs.known:
        shown = _shown(cell)
        into.fault(
            column.key, f"“{name}”没有“{column.header}”这一项，却写了“{shown}”", "清空，或改事项"
        )
        return
    try:
        into.values[column.key] = READERS[column.read](cell, column)
    except Wrong as wrong:
        into.fault(column.key, wrong.found, wrong.remedy)


def _shown(cell: Cell) -> str:
    """The beginning of what stands there, whatever it is."""
    if isinstance(cell, Unreadable):
        return cell.found[:20]
    return read_text(cell[:LONGEST] if isinstance(cell, str) else cell)[:20]


def _demand(column: Column, into: Answers) -> None:
    name = NAMES[into.kind.value]
    if column.key in into.given.absent:
        # Said once for the file, not once for every row.
        into.faults.append(
            Fault(
                into.given.sheet,
                f"有“{name}”，表头里却没有“{column.header}”这一列",
                f"加上“{column.header}”列：{column.hint}",
            )
        )
        return
    into.fault(column.key, f"“{name}”没有写{column.header}", column.hint)


def _demand_item(into: Answers) -> None:
    """An item is named by its receipt number, or by its unit and title."""
    if into.needs.item != "must" or into.values.get("receipt"):
        return
    if {f.where for f in into.faults} & {into.given.place("receipt"), into.given.place("title")}:
        return
    if not into.values.get("title") or not into.values.get("unit"):
        name = NAMES[into.kind.value]
        into.fault("receipt", f"“{name}”没有写是哪一条信息", "写回执编号，或写单位和标题")


def closed_word(word: str, column: Column) -> str:
    """The code of a closed list that a word, in any case, stands for."""
    for code, name in column.words.items():
        if word.lower() in (code, name.lower()):
            return code
    raise Wrong(f"没有{column.header}“{word[:30]}”", near(word, column.words.values()))


def _word(cell: Cell, column: Column) -> str:
    return closed_word(folded(cell), column)


READERS: dict[Read, Callable[[Cell, Column], Any]] = {
    Read.TEXT: lambda cell, column: read_text(cell),
    Read.DAY: lambda cell, column: read_day(cell),
    Read.MOMENT: lambda cell, column: read_moment(cell),
    Read.NUMBER: lambda cell, column: read_number(cell),
    Read.COUNT: lambda cell, column: read_count(cell),
    Read.YES: lambda cell, column: read_yes(cell),
    Read.NAMES: lambda cell, column: read_list(cell),
    Read.WORD: _word,
}


# --- a file's header row ----------------------------------------------------------------------


def header_key(text: str) -> str | None:
    """The column a header names; None for none. Widths, blanks, stars and remarks in brackets do
    not count: “日期 *”, “单位（全称）”."""
    plain = unicodedata.normalize("NFKC", text).split("(")[0]
    plain = "".join(c for c in plain if c not in "*:：" and not c.isspace())
    for column in COLUMNS:
        if plain in (column.header, *column.aliases):
            return column.key
    return None


def headers_of(texts: Sequence[str]) -> dict[int, str]:
    """Index in the row to key, of those headers that are known; the first of two like ones."""
    found: dict[int, str] = {}
    for index, text in enumerate(texts):
        key = header_key(text)
        if key is not None and key not in found.values():
            found[index] = key
    return found
