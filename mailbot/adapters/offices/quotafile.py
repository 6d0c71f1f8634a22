"""Reads `quota.toml`: what is owed, by whom, how often, and what counts towards it.

Schema: `[[quota]] id, name, period, remark_only?` with `[[quota.version]] from, basis, counts,
need`. `need` names every group (0: nothing is owed), and single units with a number of their own.
"""

from __future__ import annotations

from datetime import date

from mailbot.adapters.offices.ruletables import read_versions
from mailbot.adapters.offices.rulewords import Words, read_matches
from mailbot.adapters.offices.tablereader import Table, TomlSource, nearest
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.scorebook import Quota, QuotaVersion

MOST = 10_000
"""A larger number is a slip of the finger."""


def read_quotas(source: TomlSource, words: Words) -> tuple[Quota, ...]:
    root = source.root()
    quotas: list[Quota] = []
    for table in root.tables("quota", required=True):
        quota = Quota(
            id=table.identifier("id"),
            name=table.text("name"),
            period=PeriodKind(table.choice("period", PeriodKind)),
            versions=read_versions(table, "version", lambda t, s, b: _version(t, s, b, words)),
            remark_only=table.flag("remark_only"),
        )
        if quota.id and quota.id in {q.id for q in quotas}:
            table.fault("id", f"“{quota.id}”写了两次", "每项任务的 id 各不相同")
        quotas.append(quota)
        table.close()
    root.close()
    return tuple(quotas)


def _version(table: Table, start: date, basis: Basis, words: Words) -> QuotaVersion:
    counts = read_matches(table, "counts", words, required=True)
    numbers = table.table("need")
    need = {key: numbers.number(key, least=0, most=MOST) for key in numbers.data}
    if words.groups is not None and words.units is not None:
        options = (*words.groups, *words.units)
        for key in need:
            if key not in options:
                numbers.fault(key, f"没有这个组或单位“{key}”", nearest(key, options))
        for group in words.groups:
            if group not in need and not numbers.stand_in:
                numbers.fault(
                    group, f"没有组“{group}”的条数", f"补上：{group} = 条数（没有任务写 0）"
                )
    return QuotaVersion(start, basis, tuple(need.items()), counts)
