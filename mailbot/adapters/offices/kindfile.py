"""Reads the values of a rule's version, kind by kind (`core.rules.kinds`).

One reader for each kind of the closed list; a test holds the two equal. Beside the shapes each
refuses what could never hold or would silently give nothing: a line behind another that takes all
its events, a step that never holds, a factor of one, a shortage that adds points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from mailbot.adapters.offices.ladderfile import read_steps
from mailbot.adapters.offices.linechecks import find_unreachable
from mailbot.adapters.offices.rulewords import Words, known, members, read_match, read_matches
from mailbot.adapters.offices.tablereader import MOST_POINTS, Table, nearest
from mailbot.core.rules.events import NAMES, EventKind, Match, Signer
from mailbot.core.rules.kinds import (
    BaseLine,
    Cap,
    Conversion,
    Floor,
    Joint,
    Ladder,
    Line,
    Manual,
    Measure,
    Mode,
    Multiplier,
    Points,
    QuotaBase,
    Repeat,
    Shortage,
    ShortageLine,
    Values,
    Zeroing,
)
from mailbot.core.rules.periods import PeriodKind

RuleNames = Mapping[str, str]
"""Kind by id, of all rules of the office."""

NOTHING = Decimal(0)
MOST_STARS = 4
MOST_FACTOR = 100
FACTOR_PLACES = 6
WITHOUT_POINTS = (
    EventKind.EXPLANATION,
    EventKind.MANUAL,
    EventKind.MENTION,
    EventKind.STATUS,
)
"""Events that carry their own consequence; a line for them could only count them twice."""

GIVERS = ("points", "multiplier", "base", "shortage", "ladder", "manual")
"""Kinds that book points of their own, which limits may be put on."""


def read_values(kind: str, table: Table, words: Words, names: RuleNames) -> Values:
    """The values of one version; faults are noted in the table."""
    return READERS[kind](table, words, names)


def _points(table: Table, words: Words, _names: RuleNames) -> Points:
    lines: list[Line] = []
    told: list[tuple[Table, Match | None]] = []
    for inner in table.tables("line", required=True):
        before = len(table.source.faults)
        lines.append(_line(inner, words))
        sound = len(table.source.faults) == before
        told.append((inner, lines[-1].match if sound else None))
    find_unreachable(told)
    return Points(
        lines=tuple(lines),
        repeat=Repeat(table.choice("repeat", Repeat, Repeat.EACH.value)),
        joint=Joint(table.choice("joint", Joint, Joint.FULL.value)),
    )


def _line(table: Table, words: Words) -> Line:
    match = read_match(table, words)
    if table.data.get("event") == match.event.value and match.event in WITHOUT_POINTS:
        what = f"{NAMES[match.event]}（{match.event.value}）不能写成记分的一行"
        table.fault("event", what, "人工记分另设 kind = “manual” 的规则；其余的不直接记分")
    line = Line(
        match=match,
        points=table.decimal("points") or NOTHING,
        clause=table.text("clause"),
        label=table.text("label", ""),
        stars=table.number("stars", 0, most=MOST_STARS),
        per_count=table.flag("per_count"),
        excused_by=members(table, "excused_by", Signer),
    )
    table.close()
    return line


def _multiplier(table: Table, words: Words, names: RuleNames) -> Multiplier:
    factor = table.decimal("factor", least=0, most=MOST_FACTOR, places=FACTOR_PLACES)
    if factor == 1:
        table.fault("factor", "是 1，等于没有", "写上倍数，或删掉这条规则")
    return Multiplier(
        rules=_rules(table, names, ("points",)),
        matches=read_matches(table, "match", words, required=True),
        factor=factor if factor is not None else Decimal(1),
    )


def _base(table: Table, words: Words, _names: RuleNames) -> QuotaBase:
    lines = []
    for inner in table.tables("line", required=True):
        lines.append(
            BaseLine(
                groups=known(inner, "groups", words.groups, "组", required=True),
                quotas=_quotas(inner, "quotas", words),  # none: given in any case
                points=inner.decimal("points") or NOTHING,
                clause=inner.text("clause"),
                label=inner.text("label", ""),
            )
        )
        inner.close()
    return QuotaBase(
        lines=tuple(lines),
        mode=Mode(table.choice("mode", Mode)),
        period=PeriodKind(table.choice("period", PeriodKind, PeriodKind.MONTH.value)),
    )


def _shortage(table: Table, words: Words, _names: RuleNames) -> Shortage:
    lines = []
    for inner in table.tables("line", required=True):
        each = inner.decimal("points_each")
        if each is not None and each >= 0:
            inner.fault("points_each", f"{each} 不是扣分", "写负数，例如 -2")
        least = inner.decimal("least", required=False)
        if least is not None and least >= 0:
            inner.fault("least", f"{least} 不是扣分的下限", "写负数，例如 -20；没有下限就删掉")
        lines.append(
            ShortageLine(
                groups=known(inner, "groups", words.groups, "组", required=True),
                quota=_quota(inner, words),
                points_each=each or NOTHING,
                clause=inner.text("clause"),
                least=least,
                label=inner.text("label", ""),
            )
        )
        inner.close()
    return Shortage(tuple(lines))


def _manual(table: Table, _words: Words, _names: RuleNames) -> Manual:
    least, most = table.decimal("least") or NOTHING, table.decimal("most") or NOTHING
    if least > most:
        table.fault("least", f"最少 {least} 大于最多 {most}", "两个数对调")
    return Manual(least, most)


def _cap(table: Table, _words: Words, names: RuleNames) -> Cap:
    most = table.decimal("most", required=False, least=0)
    least = table.decimal("least", required=False)
    if least is not None and least >= 0:
        table.fault("least", f"{least} 不是扣分的下限", "写负数，例如 -10")
    if not table.stand_in and not {"most", "least"} & set(table.data):
        table.fault("most", "没有写上限", "加分至多几分写 most，扣分至多几分写 least（负数）")
    return Cap(
        rules=_rules(table, names, (*GIVERS, "conversion")),
        most=most,
        period=_period(table),
        least=least,
    )


def _floor(table: Table, _words: Words, names: RuleNames) -> Floor:
    return Floor(
        rules=_rules(table, names, GIVERS),
        at=table.decimal("at") or NOTHING,
        period=_period(table),
        of=_rules(table, names, GIVERS, "of") if "of" in table.data else (),
    )


def _zeroing(table: Table, words: Words, _names: RuleNames) -> Zeroing:
    return Zeroing(
        matches=read_matches(table, "match", words, required=True),
        at_least=table.number("at_least", least=1, most=MOST_POINTS),
        period=_period(table),
        excused_by=members(table, "excused_by", Signer),
    )


def _conversion(table: Table, words: Words, _names: RuleNames) -> Conversion:
    factor = table.decimal("factor", required=False, least=0, most=1, places=FACTOR_PLACES)
    if factor == 0:
        table.fault("factor", "是 0，什么也不折算", "写上比例；还没定就删掉这一行")
    return Conversion(factor, _period(table), known(table, "groups", words.groups, "组"))


def _ladder(table: Table, words: Words, _names: RuleNames) -> Ladder:
    measure = Measure(table.choice("measure", Measure))
    table.offer("quota")
    told = table.data.get("measure") == measure.value
    of_quota = told and measure in (Measure.MISSING, Measure.COMPLETION_RATE)
    of_events = told and measure is Measure.COUNT
    if told:
        _refuse(table, "quota", unless=of_quota, what=f"按 {measure.value} 计算不看报送任务")
        for key in ("match", "excused_by"):
            _refuse(table, key, unless=of_events, what=f"按 {measure.value} 计算不看事项")
    return Ladder(
        measure=measure,
        period=_period(table),
        steps=read_steps(table),
        quota=_quota(table, words) if of_quota or "quota" in table.data else "",
        matches=read_matches(table, "match", words, required=of_events),
        excused_by=members(table, "excused_by", Signer),
        groups=known(table, "groups", words.groups, "组"),
    )


def _refuse(table: Table, key: str, *, unless: bool, what: str) -> None:
    if key in table.data and not unless:
        table.fault(key, what, f"删掉 {key}，或换一个 measure")


# --- shared -----------------------------------------------------------------------------------


def _rules(
    table: Table, names: RuleNames, kinds: tuple[str, ...], key: str = "rules"
) -> tuple[str, ...]:
    """The ids of rules that the limit is about; only of kinds that it can be put on."""
    found = table.texts(key, required=True)
    for word in found:
        if word not in names:
            table.fault(key, f"没有这条规则“{word}”", nearest(word, names))
        elif names[word] in READERS and names[word] not in kinds:
            what = f"“{word}”是 {names[word]} 一类的规则，这里不能用"
            table.fault(key, what, f"只用这几类：{'、'.join(kinds)}")
    return found


def _period(table: Table) -> PeriodKind:
    return PeriodKind(table.choice("period", PeriodKind))


def _quotas(table: Table, key: str, words: Words) -> tuple[str, ...]:
    if key not in table.data and not table.stand_in:
        table.fault(key, f"缺少 {key}", f"补上任务的 id；不看任务、一律给分写 {key} = []")
    found = known(table, key, words.quotas, "报送任务")
    for word in found:
        _refuse_remark(table, key, word, words)
    return found


def _quota(table: Table, words: Words) -> str:
    word = table.text("quota")
    if words.quotas is not None and word and word not in words.quotas:
        table.fault("quota", f"没有这项报送任务“{word}”", nearest(word, words.quotas))
    _refuse_remark(table, "quota", word, words)
    return word


def _refuse_remark(table: Table, key: str, word: str, words: Words) -> None:
    if words.quotas is not None and words.quotas.get(word):
        what = f"“{word}”只作备注（remark_only），不能据以给分或扣分"
        table.fault(key, what, "换一项任务，或在 quota.toml 里去掉 remark_only")


READERS: dict[str, Callable[[Table, Words, RuleNames], Values]] = {
    "points": _points,
    "multiplier": _multiplier,
    "base": _base,
    "shortage": _shortage,
    "ladder": _ladder,
    "manual": _manual,
    "cap": _cap,
    "floor": _floor,
    "zeroing": _zeroing,
    "conversion": _conversion,
}
