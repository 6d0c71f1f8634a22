"""The names a case file may use for units, journals, levels and categories: ids, or what people
say. What is not known is refused with the nearest names; nothing is guessed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from mailbot.adapters.offices.tablereader import Table, nearest
from mailbot.core.rules.events import EventKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Term
from mailbot.core.subject.roster import Unit


@dataclass
class Names:
    """The words of one case. `units` are those that take part; `roster` whether these are simply
    the office's."""

    book: OfficeBook
    units: tuple[Unit, ...]
    whole_roster: bool = True

    def unit(self, table: Table, key: str, word: str, day: date) -> str:
        """The unit's id; "" after a fault. A name counts on its days, an id on any."""
        if not word:
            return ""
        for unit in self.units:
            if word == unit.id:
                return unit.id
        wanted = _fold(word)
        bare = {wanted, *(wanted.removeprefix(_fold(p)) for p in self.book.roster.prefixes)}
        named = [(u, n) for u in self.units for n in u.names if _fold(n.text) in bare]
        for unit, name in named:
            if name.on(day):
                return unit.id
        if named:
            unit, name = named[0]
            found = f"{day} 没有单位叫“{word}”"
            table.fault(key, found, f"那天要写 {unit.name}（{unit.id}）")
        elif not self.whole_roster and self._elsewhere(word, wanted):
            table.fault(key, f"“{word}”没有列入这一例的单位", "在 units 里加上它")
        else:
            known = [w for u in self.units for w in (*(n.text for n in u.names), u.id)]
            table.fault(key, f"没有这个单位“{word}”", nearest(word, known))
        return ""

    def _elsewhere(self, word: str, folded: str) -> bool:
        units = self.book.roster.units
        return any(word == u.id or folded in {_fold(n.text) for n in u.names} for u in units)

    def journal(self, table: Table) -> str:
        return _term(table, "journal", self.book.scoring.journals, "刊物")

    def level(self, table: Table, kind: EventKind) -> str:
        usable = [t for t in self.book.scoring.levels if not t.events or kind in t.events]
        return _term(table, "level", usable, "级别")

    def category(self, table: Table, day: date) -> str:
        word = table.text("category")
        versions = self.book.categories
        current = max((v for v in versions if v.start <= day), key=lambda v: v.start, default=None)
        known = (current or versions[0]).categories
        for category in known:
            if word in (category.id, category.name, *category.marks):
                return category.id
        if word:
            options = [w for c in known for w in (c.id, c.name)]
            table.fault("category", f"没有这个类别“{word}”", nearest(word, options))
        return ""


def chosen_units(table: Table, book: OfficeBook, brought: tuple[Unit, ...], day: date) -> Names:
    """Who takes part: the units the case brings and those of `units`; without either, all."""
    everybody = Names(book, book.roster.units)
    ids = [everybody.unit(table, "units", w, day) for w in table.texts("units")]
    own = {u.id for u in brought}
    chosen = [u for u in book.roster.units if u.id in ids]
    for unit in chosen:
        if unit.id in own:
            table.fault("units", f"“{unit.id}”又写成了 [[case.unit]]", "只写一处")
    if not brought and "units" not in table.data:
        return everybody
    return Names(book, (*chosen, *brought), whole_roster=False)


def _term(table: Table, key: str, terms: Iterable[Term], what: str) -> str:
    word = table.text(key)
    known = list(terms)
    wanted = _fold(word)
    for term in known:
        if word == term.id or wanted in {_fold(n) for n in (term.name, *term.aliases)}:
            return term.id
    if word:
        options = [w for t in known for w in (t.name, *t.aliases, t.id)]
        remedy = nearest(word, options) if options else f"scoring.toml 里没有 [[{key}]] 可用于此"
        table.fault(key, f"没有这个{what}“{word}”", remedy)
    return ""


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).lower()
    return "".join(c for c in plain if not c.isspace() and c not in "《》「」“”")
