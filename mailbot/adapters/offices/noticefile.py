"""Reads `notices.toml`: the lists that a notice proposes, and who may never stand on one.

Schema: `[[list]] id, name, kind, consequence, periods, people?` with `[[list.version]] from,
basis, tables?, groups?, exclude?, places?, running?, together?, match?, quota?, points?` or
`repealed = true`. A file without any list is sound: not every document orders one. A key that the
kind of list does not look at is refused, or it would seem to do something.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from mailbot.adapters.offices.ruletables import read_versions
from mailbot.adapters.offices.rulewords import Words, known, members, read_matches
from mailbot.adapters.offices.tablereader import MOST_POINTS, Table, TomlSource, nearest
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.people import CALLED
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.scorebook import Consequence, ListKind, ListRule, ListVersion, Ranking

MOST_PLACES = 1_000
MOST_RUNNING = 24
"""Months."""

KEYS: dict[ListKind, tuple[str, ...]] = {
    ListKind.FIRST: ("tables", "places", "together", "unless", "unless_silent"),
    ListKind.LAST: ("tables", "places", "together"),
    ListKind.NO_SUBMISSION: ("running",),
    ListKind.NO_ADOPTION: (),
    ListKind.EVENTS: ("match", "at_least"),
    ListKind.MENTIONED: ("at_least",),
    ListKind.SHORT: ("quota",),
    ListKind.OVERDUE: (),
    ListKind.BELOW: ("points",),
}
"""What each kind looks at, beside the groups and the units left out."""
SPECIAL = tuple(dict.fromkeys(key for keys in KEYS.values() for key in keys))


def read_notices(
    source: TomlSource, words: Words, rankings: Sequence[Ranking] | None
) -> tuple[ListRule, ...]:
    """`rankings` None: `scoring.toml` could not be read, its tables cannot be checked."""
    root = source.root()
    lists: list[ListRule] = []
    for table in root.tables("list"):
        rule = _list(table, words, rankings)
        if rule.id and rule.id in {r.id for r in lists}:
            table.fault("id", f"名单“{rule.id}”写了两次", "每份名单的 id 各不相同")
        lists.append(rule)
    root.close()
    return tuple(lists)


def _list(table: Table, words: Words, rankings: Sequence[Ranking] | None) -> ListRule:
    kind = ListKind(table.choice("kind", ListKind))
    known_kind = table.data.get("kind") == kind.value
    ranked = kind in (ListKind.FIRST, ListKind.LAST)
    if known_kind and ranked and rankings and not any(r.order for r in rankings):
        table.fault(
            "kind", "scoring.toml 里没有排名（order 都是空的）", "删掉这份名单，或写上 order"
        )

    def read(inner: Table, start: date, basis: Basis) -> ListVersion:
        if not known_kind:
            inner.forgive()
            return ListVersion(start, basis)
        return _version(inner, start, basis, kind, words, rankings)

    rule = ListRule(
        id=table.identifier("id"),
        name=table.text("name"),
        kind=kind,
        consequence=Consequence(table.choice("consequence", Consequence)),
        periods=members(table, "periods", PeriodKind, required=True),
        versions=read_versions(table, "version", read),
        people=known(table, "people", tuple(CALLED), "身份"),
        recommender=table.flag("recommender"),
    )
    table.close()
    if rule.versions and rule.versions[0].repealed:
        table.fault("version", "第一个版本就是废止", "名单没有生效过，删掉整份")
    return rule


def _version(
    table: Table,
    start: date,
    basis: Basis,
    kind: ListKind,
    words: Words,
    rankings: Sequence[Ranking] | None,
) -> ListVersion:
    if table.flag("repealed"):
        for key in table.data:
            if key not in ("from", "basis", "repealed"):
                table.fault(key, f"废止的版本还写了 {key}", "只写 from、basis 和 repealed")
        table.forgive()
        return ListVersion(start, basis, repealed=True)
    wanted = KEYS[kind]
    for key in SPECIAL:
        if key in table.data and key not in wanted:
            what = f"{kind.value} 一类的名单不看 {key}"
            table.fault(key, what, f"删掉；可写的有：{'、'.join((*wanted, 'groups', 'exclude'))}")
    of_tables = None if rankings is None else [t.id for r in rankings for t in r.tables]
    return ListVersion(
        start=start,
        basis=basis,
        tables=known(table, "tables", of_tables, "排名表"),
        groups=known(table, "groups", words.groups, "组"),
        exclude=known(table, "exclude", words.units, "单位"),
        places=table.number("places", 1, least=1, most=MOST_PLACES),
        running=table.number("running", 1, least=1, most=MOST_RUNNING),
        together=table.flag("together"),
        matches=read_matches(table, "match", words, required="match" in wanted),
        quota=_quota(table, words, required="quota" in wanted),
        at_least=table.number("at_least", 1, least=1, most=MOST_POINTS),
        unless=read_matches(table, "unless", words),
        unless_silent=table.number("unless_silent", 0, least=0, most=MOST_RUNNING),
        points=table.number(
            "points", None if "points" in wanted else 0, least=-MOST_POINTS, most=MOST_POINTS
        ),
    )


def _quota(table: Table, words: Words, *, required: bool) -> str:
    quota = table.text("quota", None if required else "")
    if quota and words.quotas is not None and quota not in words.quotas:
        table.fault("quota", f"没有这项报送任务“{quota}”", nearest(quota, words.quotas))
    return quota
