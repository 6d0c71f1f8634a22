"""What the parts of a document share: the office's book, the material, names, braces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mailbot.core.documents.material import Material
from mailbot.core.documents.words import clean, fill
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.entries import Row
from mailbot.core.rules.periods import Period
from mailbot.core.rules.reckoning.words import Words
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Ranking

OTHERS = "其他单位"
"""Units in no table of the ranking."""


@dataclass(frozen=True, slots=True)
class Ground:
    book: OfficeBook
    material: Material
    values: Mapping[str, str]
    """What the braces stand for."""
    names: Mapping[str, str]
    words: Words
    ranking: Ranking | None
    table_of: Mapping[str, str]
    """By unit, the name of its table; empty for units in none."""

    @property
    def period(self) -> Period:
        return self.material.period

    def name(self, unit: str) -> str:
        return self.names.get(unit) or clean(unit)

    def fill(self, text: str) -> str:
        return clean(fill(text, self.values))

    def journal(self, journal: str) -> str:
        """《每日要情》; 省政府办公厅采用 where that is what it is called."""
        name = clean(self.words.journal(journal))
        return name.strip("《》") if name.strip("《》").endswith("采用") else name

    def rows(self) -> Iterator[Row]:
        for table in self.material.standings.tables:
            yield from table.rows

    def by_table(self, units: Iterable[str]) -> dict[str, list[str]]:
        """The units under their tables' names, tables in order; of one table in the given order."""
        found: dict[str, list[str]] = {t.name: [] for t in self.material.standings.tables if t.id}
        for unit in units:
            found.setdefault(self.table_of.get(unit) or OTHERS, []).append(unit)
        told = {table: members for table, members in found.items() if members}
        # A heading over the only table would say what goes without saying.
        return {"": told[OTHERS]} if list(told) == [OTHERS] else told


def ground_of(book: OfficeBook, material: Material, more: Mapping[str, str]) -> Ground:
    period = material.period
    names = {unit.id: clean(unit.name) for unit in book.roster.units}
    tables = material.standings.tables
    for row in (row for table in tables for row in table.rows):
        names.setdefault(row.unit, clean(row.name))
    values = {"period": period.name, "year": str(period.first.year), "office": book.info.name}
    return Ground(
        book,
        material,
        {**values, **more},
        names,
        Words(book),
        in_force(book.scoring.rankings, period.last),
        {row.unit: table.name if table.id else "" for table in tables for row in table.rows},
    )
