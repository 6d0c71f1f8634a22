"""Reads `scoring.toml`: the office's journals and levels, its rules, its rankings, what is left open.

Schema: `settles`; `[[journal]]` and `[[level]] id, name, aliases?, rank?` (a level also `events?`);
`[[rule]] id, name, kind, dated_by` with `[[rule.version]] from, basis` and the values of its kind
(`kindfile`) or `repealed = true`; `[[ranking]]` (`rankingfile`); `[[left]] about, basis`.

The terms are read first, because quotas speak of them too: `read_terms`, then `read_scoring`. What
the rules of one kind say is `kindfile`'s business, what they leave without points `linechecks`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from mailbot.adapters.offices.kindfile import RuleNames, read_values
from mailbot.adapters.offices.linechecks import PointsVersion, find_gaps
from mailbot.adapters.offices.rankingfile import read_rankings
from mailbot.adapters.offices.ruletables import read_left, read_versions
from mailbot.adapters.offices.rulewords import Words, members
from mailbot.adapters.offices.tablereader import Table, TomlSource
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.events import EventKind
from mailbot.core.rules.kinds import KINDS, DatedBy, Points, Rule, Version
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.rulebook import Categories
from mailbot.core.rules.scorebook import Scoring, Term

HIGHEST_RANK = 99


@dataclass(frozen=True, slots=True)
class Terms:
    """The half-read file: its terms, and the rest for `read_scoring`."""

    root: Table
    journals: tuple[Term, ...]
    levels: tuple[Term, ...]
    sound: bool
    """False after a fault in them: then nothing can be said of what rules leave out."""


def read_terms(source: TomlSource) -> Terms:
    root = source.root()
    journals = _terms(root, "journal")
    levels = _terms(root, "level")
    return Terms(root, journals, levels, not source.faults)


def read_scoring(terms: Terms, words: Words, categories: Sequence[Categories]) -> Scoring:
    """`categories` are the versions of `categories.toml`, to ask whether every one has points."""
    root = terms.root
    settles = PeriodKind(root.choice("settles", PeriodKind))
    rules, points = _rules(root, words)
    if terms.sound and points is not None and words.categories is not None:
        find_gaps(points, words, categories)
    scoring = Scoring(
        settles=settles,
        journals=terms.journals,
        levels=terms.levels,
        rules=rules,
        rankings=read_rankings(root, words),
        left=read_left(root),
    )
    root.close()
    return scoring


def _terms(root: Table, key: str) -> tuple[Term, ...]:
    terms: list[Term] = []
    said: dict[str, str] = {}
    for table in root.tables(key):
        term = Term(
            id=table.identifier("id"),
            name=table.text("name"),
            aliases=table.texts("aliases"),
            rank=table.number("rank", 0, most=HIGHEST_RANK),
            events=members(table, "events", EventKind) if key == "level" else (),
        )
        table.close()
        if term.id and term.id in {t.id for t in terms}:
            table.fault("id", f"“{term.id}”写了两次", "每个 id 各不相同")
        elif term.id:
            for where, name in (("name", term.name), *(("aliases", a) for a in term.aliases)):
                if name and said.setdefault(name, term.id) != term.id:
                    table.fault(where, f"“{name}”已是 {said[name]} 的名称", "换一种说法")
        terms.append(term)
    return tuple(terms)


# --- rules ------------------------------------------------------------------------------------


def _rules(root: Table, words: Words) -> tuple[tuple[Rule, ...], list[PointsVersion] | None]:
    """The rules, and the versions of points rules with their places (None after a fault in one)."""
    tables = root.tables("rule")
    names = _names(tables)
    rules: list[Rule] = []
    points: list[PointsVersion] = []
    sound = True
    for table in tables:
        before = len(root.source.faults)
        rule, found = _rule(table, words, names)
        if rule.id and rule.id in {r.id for r in rules}:
            table.fault("id", f"规则“{rule.id}”写了两次", "每条规则的 id 各不相同")
        rules.append(rule)
        points.extend(found)
        if rule.kind == "points" and len(root.source.faults) > before:
            sound = False
    return tuple(rules), points if sound else None


def _names(tables: Sequence[Table]) -> RuleNames:
    """Kind by id, of all rules: a cap may stand before the rules it speaks of."""
    raw = ((t.data.get("id"), t.data.get("kind")) for t in tables)
    return {str(i): str(k) for i, k in raw if isinstance(i, str)}


def _rule(table: Table, words: Words, names: Mapping[str, str]) -> tuple[Rule, list[PointsVersion]]:
    kind = table.choice("kind", KINDS)
    known_kind = table.data.get("kind") == kind
    places: list[PointsVersion] = []

    def read(inner: Table, start: date, basis: Basis) -> Version:
        if not known_kind:
            inner.forgive()  # what it should hold depends on the kind
            return Version(start, basis, None)
        if inner.flag("repealed"):
            _refuse_values(inner)
            places.append(PointsVersion(inner, start, None))
            return Version(start, basis, None)
        values = read_values(kind, inner, words, names)
        places.append(PointsVersion(inner, start, values if isinstance(values, Points) else None))
        return Version(start, basis, values)

    rule = Rule(
        id=table.identifier("id"),
        name=table.text("name"),
        kind=kind,
        dated_by=DatedBy(table.choice("dated_by", DatedBy)),
        versions=read_versions(table, "version", read),
    )
    table.close()
    if known_kind and rule.versions and places:
        first = min(places, key=lambda p: p.start)
        if rule.versions[0].values is None:
            first.table.fault("repealed", "第一个版本就是废止", "规则没有生效过，删掉整条")
    for place in places:
        following = [p.start for p in places if p.start > place.start]
        place.end = min(following, default=None)
    return rule, places if kind == "points" else []


def _refuse_values(table: Table) -> None:
    extra = [k for k in table.data if k not in ("from", "basis", "repealed")]
    for key in extra:
        table.fault(key, f"废止的版本还写了 {key}", "废止的版本只写 from、basis 和 repealed")
    table.forgive()
