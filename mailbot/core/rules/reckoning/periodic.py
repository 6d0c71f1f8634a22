"""What periods give and take by their quotas (`base`, `shortage`).

Only a period that is over is judged, by the version in force on its last day, and only units that
were there for all of it and appointed at its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from mailbot.core.rules.entries import Entry
from mailbot.core.rules.kinds import (
    BaseLine,
    Mode,
    QuotaBase,
    Rule,
    Shortage,
    ShortageLine,
    Version,
)
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.quota import Owed
from mailbot.core.rules.reckoning.frame import Frame, governing, rounded
from mailbot.core.rules.reckoning.sheet import ZERO, Sheet
from mailbot.core.rules.reckoning.words import owed_text, short
from mailbot.core.rules.scorebook import Quota
from mailbot.core.subject.roster import Unit


def book_base(rule: Rule, frame: Frame, sheet: Sheet) -> None:
    """Points of each period of the rule (a month, mostly) that is over. A quota over a longer one
    is asked about each part of it: nothing is booked for them while it runs and is not met yet."""
    page = sheet.open(rule)
    for kind in _kinds(rule):
        for period in frame.past(kind):
            found = governing(rule, period.last, QuotaBase)
            if found is None or found[1].period is not kind:
                continue
            version, values = found
            for line in values.lines:
                quotas = [_deciding(frame.quota(name), period) for name in line.quotas]
                for unit in frame.serving(line.groups, period):
                    entry = _base(rule, version, values.mode, line, quotas, unit, period, frame)
                    if entry is not None:
                        page.append(entry)


def _kinds(rule: Rule) -> list[PeriodKind]:
    kinds = {v.values.period for v in rule.versions if isinstance(v.values, QuotaBase)}
    return [kind for kind in PeriodKind if kind in kinds]


_Judged = tuple[Quota, Period, Owed]


def _deciding(quota: Quota, period: Period) -> tuple[Quota, tuple[Period, ...]]:
    """The quota's periods that decide about the base's: those within it, or the one around it."""
    order = list(PeriodKind)
    if order.index(quota.period) < order.index(period.kind):
        return quota, period.parts(quota.period)
    return quota, (Period.of(quota.period, period.first),)


def _base(
    rule: Rule,
    version: Version,
    mode: Mode,
    line: BaseLine,
    quotas: list[tuple[Quota, tuple[Period, ...]]],
    unit: Unit,
    period: Period,
    frame: Frame,
) -> Entry | None:
    judged = _owed(quotas, unit, frame)
    share = _share(judged, mode, frame)
    if share is None:
        return None
    points, reason = _given(line.points, share, judged)
    return Entry(
        unit=unit.id,
        day=period.last,
        rule=rule.id,
        version=version.start,
        points=points,
        document=version.basis.document,
        clause=line.clause,
        text=_text(line, period, reason) if frame.texts else "",
    )


def _text(line: BaseLine, period: Period, reason: tuple[str, str]) -> str:
    label = f"（{line.label}）" if line.label else ""
    if not line.quotas:
        return f"{short(period)}基础分{label}"
    return f"{short(period)}{reason[0]}报送任务{label}，{reason[1]}"


def _owed(
    quotas: list[tuple[Quota, tuple[Period, ...]]], unit: Unit, frame: Frame
) -> list[_Judged] | None:
    """None when the unit does not owe one of them: there is nothing then that it could meet."""
    judged: list[_Judged] = []
    for quota, periods in quotas:
        for period in periods:
            owed = frame.quotas.owed(quota, unit, period)
            if owed is None:
                return None
            judged.append((quota, period, owed))
    return judged


def _share(judged: list[_Judged] | None, mode: Mode, frame: Frame) -> Fraction | None:
    """How much of the points is earned, from 0 to 1; None while that is open."""
    if judged is None:
        return None
    short_of = [(period, owed) for _, period, owed in judged if owed.missing]
    if not short_of:
        return Fraction(1)
    decided = [frame.is_over(period) for period, _ in short_of]
    if mode is Mode.ALL_OR_NOTHING:
        return Fraction(0) if any(decided) else None
    if not all(decided):
        return None
    need: dict[str, int] = {}
    got: dict[str, int] = {}
    for quota, _, owed in judged:
        need[quota.id] = need.get(quota.id, 0) + owed.need
        got[quota.id] = got.get(quota.id, 0) + min(owed.got, owed.need)
    return min(Fraction(got[q], need[q]) if need[q] else Fraction(1) for q in need)


def _given(
    points: Decimal, share: Fraction, judged: list[_Judged] | None
) -> tuple[Decimal, tuple[str, str]]:
    if share == 1:
        return points, ("完成", "得基础分")
    detail = "；".join(owed_text(*one) for one in judged or () if one[2].missing)
    if not share:
        return ZERO, ("未完成", f"不得基础分：{detail}")
    earned = rounded(points * share.numerator / share.denominator)
    return earned, ("部分完成", f"按比例得基础分 {plain(earned)} 分：{detail}")


def book_shortage(rule: Rule, frame: Frame, sheet: Sheet) -> None:
    """Points for each missing item, period by period of the quota. A quota that is only a remark
    has none."""
    page = sheet.open(rule)
    for kind in PeriodKind:
        for period in frame.past(kind):
            found = governing(rule, period.last, Shortage)
            for line in found[1].lines if found else ():
                quota = frame.quota(line.quota)
                if found is not None and quota.period is kind and not quota.remark_only:
                    page.extend(_shortages(rule, found[0], line, quota, period, frame))


def _shortages(
    rule: Rule, version: Version, line: ShortageLine, quota: Quota, period: Period, frame: Frame
) -> Iterator[Entry]:
    for unit in frame.serving(line.groups, period):
        owed = frame.quotas.owed(quota, unit, period)
        if owed is None or not owed.missing:
            continue
        points = line.points_each * owed.missing
        text = owed_text(quota, period, owed)
        if line.label:
            text = f"{line.label}：{text}"
        if line.least is not None and points < line.least:
            points = line.least
            text += f"，最多扣 {plain(-line.least)} 分"
        yield Entry(
            unit=unit.id,
            day=period.last,
            rule=rule.id,
            version=version.start,
            points=points,
            document=version.basis.document,
            clause=line.clause,
            text=text,
        )
