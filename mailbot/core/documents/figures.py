"""The parts of a document that tell of a period in figures: overview, corrections, shortfalls,
adopted titles, tasks."""

from __future__ import annotations

from collections.abc import Sequence

from mailbot.core.documents.ground import Ground
from mailbot.core.documents.material import AdoptedItem, Counts, TaskLine
from mailbot.core.documents.model import Block, Paragraph, TableBlock
from mailbot.core.documents.words import basis, clean, day, form, sentence, several, tight
from mailbot.core.duties.model import Section
from mailbot.core.rules.entries import Entry, Row
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.periods import Period, PeriodKind

UNTITLED = "（标题未登记）"


def overview(section: Section, ground: Ground) -> list[Block]:
    return [Paragraph("".join(summary(ground)))]


def summary(ground: Ground) -> list[str]:
    """The period in a few sentences."""
    material, period = ground.material, ground.period
    counts, before = material.counts, material.before
    when = period.name
    if material.as_of <= period.last:
        when = f"{period.name}（截至{day(material.as_of)}）"
    said = []
    if counts.submissions or not material.tasks:
        received = (
            "未收到信息"
            if not counts.submissions
            else (f"共收到{counts.units}个单位报送的信息{counts.submissions}条")
        )
        more = _compared(counts.submissions, before.submissions if before else None, period)
        said.append(f"{when}，{received}{more}。")
        if counts.adopted:
            said.append(_adopted(counts, before, ground))
        elif ground.book.scoring.journals and counts.submissions:
            said.append("没有信息被采用。")
        if counts.instructed:
            said.append(f"有{counts.instructed}条信息得到领导批示。")
    if material.tasks:
        start = "" if said else f"{when}，"
        said.append(start + _tasks(material.tasks))
    return said


def _adopted(counts: Counts, before: Counts | None, ground: Ground) -> str:
    text = f"采用{counts.adopted}条"
    text += _compared(counts.adopted, before.adopted if before else None, ground.period)
    if counts.journals:
        by = several(f"{ground.journal(j)}{n}条" for j, n in counts.journals)
        text += f"，其中{by}" if len(counts.journals) > 1 else f"，均为{by}"
    if sum(n for _, n in counts.journals) > counts.adopted:
        text += "（同一条信息被多个刊物采用的，各刊物分别统计）"
    return f"{text}。"


def _compared(now: int, then: int | None, period: Period) -> str:
    if then is None:
        return ""
    before = period.previous().name
    if now == then:
        return f"，与{before}持平"
    return f"，比{before}{'增加' if now > then else '减少'}{abs(now - then)}条"


def _tasks(lines: Sequence[TaskLine]) -> str:
    given, on_time, late, still, overdue = (
        sum(getattr(line, name) for line in lines)
        for name in ("given", "on_time", "late", "open", "overdue")
    )
    text = f"交办任务{given}项，按时办结{on_time}项，逾期办结{late}项，未办结{still}项"
    return text + (f"，其中已超过期限{overdue}项。" if overdue else "。")


# --- corrections


def corrections(section: Section, ground: Ground) -> list[Block]:
    """What was put right about sealed periods, each by itself."""
    entries = ground.material.standings.corrections
    texts = [_correction(entry, ground) for entry in entries]
    marked = [f"{n}. {t}" for n, t in enumerate(texts, start=1)] if len(texts) > 1 else texts
    return [Paragraph(text) for text in marked]


def _correction(entry: Entry, ground: Ground) -> str:
    name = Period.parse(entry.corrects).name
    why = clean(entry.text).removeprefix(f"更正{name}：")
    points = f"{'增加' if entry.points >= 0 else '减少'}{plain(abs(entry.points))}分"
    unit = ground.name(entry.unit)
    return sentence(f"对{name}的更正：{unit}{points}，{_numbers_tight(why)}") + basis(entry)


def _numbers_tight(why: str) -> str:
    """Not where a title is quoted."""
    parts = why.split("“")
    kept = [tight(parts[0])]
    for part in parts[1:]:
        quoted, end, after = part.rpartition("”")
        kept.append(f"“{quoted}{end}{tight(end + after)[len(end) :]}")
    return "".join(kept)


# --- quotas


def quotas(section: Section, ground: Ground) -> list[Block]:
    """Units that missed something, table by table, as they stand there. What is only wished for (“原则上”) stands apart
    by its name."""
    names = {q.id: clean(q.name) for q in ground.book.quotas}
    details: dict[tuple[str, str], list[str]] = {}
    for one in ground.material.shortfalls:
        said = f"{_part(one.period, ground.period)}{one.missing}条"
        details.setdefault((one.unit, one.quota), []).append(said)
    rows = {row.unit: row for row in ground.rows() if any(q.missing for q in row.quotas)}
    missed = {(q.quota, q.remark_only) for row in rows.values() for q in row.quotas if q.missing}
    # Where all missed the same thing, it need not be said line by line.
    told = len(missed) > 1 or any(remark for _, remark in missed)
    found: list[Block] = []
    for table, units in ground.by_table(rows).items():
        body = [line for unit in units for line in _owed(rows[unit], names, details, ground)]
        kept = [0, *([1] if told else []), 2, 3, 4, 5]
        found.append(
            TableBlock(
                header=tuple(_OWED[i] for i in kept),
                rows=tuple(tuple(line[i] for i in kept) for line in body),
                widths=tuple(_OWED_WIDTHS[i] for i in kept),
                caption=clean(table),
                centred=frozenset(at for at, i in enumerate(kept) if i in (2, 3, 4)),
                note="注：各期分别计算，多报的不抵其他时段。" if _surplus(body) else "",
            )
        )
    return found


_OWED = ("单位", "任务", "应报", "实报", "缺报", "缺报时段")
_OWED_WIDTHS = (10, 7, 4, 4, 4, 11)


def _owed(
    row: Row, names: dict[str, str], details: dict[tuple[str, str], list[str]], ground: Ground
) -> list[tuple[str, ...]]:
    return [
        (
            ground.name(row.unit),
            names.get(q.quota, q.quota) + ("（原则上）" if q.remark_only else ""),
            str(q.need),
            str(q.got),
            str(q.missing),
            several(details.get((row.unit, q.quota), ())),
        )
        for q in row.quotas
        if q.missing
    ]


def _surplus(rows: Sequence[tuple[str, ...]]) -> bool:
    """Would a reader who subtracts find another number?"""
    return any(int(need) - int(got) != int(missing) for _, _, need, got, missing, _ in rows)


def _part(part: Period, within: Period) -> str:
    """7月, 第三季度; with its year where that is not plain."""
    if part.kind is PeriodKind.YEAR:
        return "全年"
    same = part.first.year == within.first.year and part.kind is not PeriodKind.WEEK
    return part.name.split("年", 1)[1] if same else part.name


# --- adopted titles


def titles(section: Section, ground: Ground) -> list[Block]:
    """Each item once, under the table of its first unit."""
    by_unit: dict[str, list[AdoptedItem]] = {}
    for item in ground.material.adopted:
        by_unit.setdefault(item.units[0], []).append(item)
    found: list[Block] = []
    for table, units in ground.by_table(by_unit).items():
        items = [item for unit in units for item in by_unit[unit]]
        found.append(
            TableBlock(
                header=("序号", "单位", "信息标题", "采用情况"),
                rows=tuple(
                    (
                        str(n),
                        several(ground.name(u) for u in item.units),
                        clean(item.title) or UNTITLED,
                        _printed(item, ground),
                    )
                    for n, item in enumerate(items, start=1)
                ),
                widths=(4, 9, 15, 14),
                caption=clean(table),
                centred=frozenset({0}),
            )
        )
    return found


def _printed(item: AdoptedItem, ground: Ground) -> str:
    return "；".join(
        f"{ground.journal(p.journal)}{form(p.form.value)}{p.day.month}月{p.day.day}日"
        for p in item.printings
    )


# --- tasks


def tasks(section: Section, ground: Ground) -> list[Block]:
    lines = {line.unit: line for line in ground.material.tasks}
    return [
        TableBlock(
            header=("单位", "交办", "按时办结", "逾期办结", "未办结", "其中超期"),
            rows=tuple(
                (
                    ground.name(u),
                    *map(str, (line.given, line.on_time, line.late, line.open, line.overdue)),
                )
                for u in units
                for line in (lines[u],)
            ),
            widths=(12, 5, 5, 5, 5, 5),
            caption=clean(table),
            centred=frozenset(range(1, 6)),
        )
        for table, units in ground.by_table(lines).items()
    ]
