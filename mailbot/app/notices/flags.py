"""Everything unusual about a draft, a whole sentence each, for whoever is to approve it.

What is flagged here stops nothing. Sentences say the same as long as the facts are the same: a new
one after the draft was shown makes the approval ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from mailbot.app.letter_records import DraftRecipient
from mailbot.app.notices import standingflags
from mailbot.app.notices.addressing import SMS
from mailbot.app.notices.flagfacts import Flagged, shown
from mailbot.app.notices.sms import mobile
from mailbot.app.records import ItemRow, ItemState
from mailbot.core.documents.words import place_of
from mailbot.core.duties.model import Part
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.rules.basis import Basis, in_force
from mailbot.core.rules.lists import lists_of
from mailbot.core.rules.numbers import signed
from mailbot.core.rules.people import IN_A_SENTENCE
from mailbot.core.rules.periods import Period
from mailbot.core.rules.scorebook import Consequence, Left

LEFT_OPEN = "文件留给本室定、与本期通报有关的"
"""Opens the one flag that stands apart from what is unusual."""
_SHOWN = 10
"""Receipt numbers, or commissions, named in one sentence."""


def flags(of: Flagged) -> tuple[str, ...]:
    """The gravest first; what is the same every time comes last, in one."""
    return tuple(sentence for part in _PARTS for sentence in part(of))


# --- the period ------------------------------------------------------------------------------


def _emptiness(of: Flagged) -> Iterator[str]:
    standings = of.material.standings
    rows = [row for table in standings.tables for row in table.rows]
    if not rows:
        yield "名册里没有应列入的单位，成绩表是空的，请核对名册（units.toml）。"
    elif _is_empty(of):
        deducted = any(standingflags.something(row) for row in rows)
        only = "报送和采用都是 0，扣分和名单只因没有登记" if deducted else "报送、采用和得分都是 0"
        yield (
            f"{of.period.name}没有任何登记：所有单位的{only}。"
            "请先确认这一期的信息、采用和批示是否已经录入，再决定是否印发。"
        )


def _is_empty(of: Flagged) -> bool:
    rows = [row for table in of.material.standings.tables for row in table.rows]
    return not of.recorded or not any(standingflags.something(row) for row in rows)


def _new_here(of: Flagged) -> Iterator[str]:
    if of.began is not None:
        day = f"{of.began.year}年{of.began.month}月{of.began.day}日"
        yield f"本系统自{day}起使用，此前没有登记的信息不在内，请核对名单。"


def _not_over(of: Flagged) -> Iterator[str]:
    material = of.material
    if not material.standings.sealed and of.period.last >= material.as_of:
        yield f"{of.period.name}还没有结束（{of.period.last.isoformat()}止），数字还会变。"


def _earlier(of: Flagged) -> Iterator[str]:
    if of.earlier_open is not None:
        yield (
            f"{of.earlier_open.name}还没有封账，批准本期之前要先封账"
            f"（mailbot seal {of.book.info.id} {of.earlier_open.code}，或批准那一期的通报）。"
        )


def _undecided(of: Flagged) -> Iterator[str]:
    held = [i for i in of.waiting if i.state is ItemState.HELD]
    returned = [i for i in of.waiting if i.state is ItemState.RETURNED]
    if held:
        yield f"本期还有 {len(held)} 条信息待核，没有计入：{_receipts(held)}。"
    if returned:
        yield f"本期还有 {len(returned)} 条信息已退回、没有改正，没有计入：{_receipts(returned)}。"


def _receipts(items: Sequence[ItemRow]) -> str:
    shown = "、".join(sorted(i.receipt for i in items)[:_SHOWN])
    return f"{shown} 等" if len(items) > _SHOWN else shown


def _appealed(of: Flagged) -> Iterator[str]:
    for appeal in of.appeals:
        yield (
            f"{of.name(appeal.new.unit_id)}对 {appeal.new.about} 的申诉（第 {appeal.id} 号）"
            "还没有答复。"
        )


def _unsettled(of: Flagged) -> Iterator[str]:
    if of.overdue:
        said = [f"{of.name(g.unit)}“{g.event.title}”（{g.due} 到期）" for g in of.overdue]
        more = f" 等 {len(said)} 项" if len(said) > _SHOWN else ""
        yield (
            f"有 {len(said)} 项约稿已逾期、还没有登记结果，没有计入：{'；'.join(said[:_SHOWN])}{more}。"
            "请登记是否完成（mailbot record commission --outcome done 或 missed），或改定期限。"
        )


def _corrections(of: Flagged) -> Iterator[str]:
    found = of.material.standings.corrections
    if found:
        said = "；".join(
            f"{of.name(e.unit)} {signed(e.points)} 分（{Period.parse(e.corrects).name}）"
            for e in found
        )
        yield f"本期含对已封账各期的更正 {len(found)} 笔：{said}。"


# --- the lists -------------------------------------------------------------------------------


def _both_ways(of: Flagged) -> Iterator[str]:
    lists = [one for one in of.material.standings.lists if one.id in shown(of.rule, of.material)]
    good = {
        who.unit: one.name
        for one in lists
        if one.consequence is Consequence.PRAISE
        for who in one.listed
    }
    for one in lists:
        if one.consequence not in (Consequence.CRITICISE, Consequence.INTERVIEW):
            continue
        for who in one.listed:
            if who.unit in good:
                yield (
                    f"{of.name(who.unit)}既列入“{good[who.unit]}”，"
                    f"又列入“{one.name}”（{who.why}）。"
                )


def _nobody(of: Flagged) -> Iterator[str]:
    wanted = shown(of.rule, of.material)
    lists = {one.id: one for one in of.material.standings.lists}
    empty = [lists[i].name for i in wanted if i in lists and not lists[i].listed]
    if empty:
        yield f"本期没有单位列入的名单：{'、'.join(f'“{name}”' for name in empty)}。"
    names = {one.id: one.name for one in of.book.scoring.lists}
    missing = [names.get(i, i) for i in wanted if i not in lists]
    if missing:
        yield (
            f"通报里要写的名单在本期没有：{'、'.join(f'“{name}”' for name in missing)}"
            "（不属于这种周期，或当时还没有这样规定）。"
        )


def _people(of: Flagged) -> Iterator[str]:
    document = of.rule.document
    for section in (*document.sections, *document.annexes) if document else ():
        if section.part is Part.PEOPLE:
            yield (
                f"“{section.heading or of.rule.name}”要填写 {section.number} 个姓名，"
                "请在 Word 稿中填好，批准时用 --document 换上。"
            )


# --- who gets it -----------------------------------------------------------------------------


def _unaddressed(of: Flagged) -> Iterator[str]:
    written = [r for r in of.recipients if r.kind != SMS]
    lacking = [r for r in written if not r.address]
    if not written:
        yield "按设置，这份通报没有任何收件人：批准后不会发出邮件。"
        return
    if len(lacking) == len(written):
        yield "所有收件人都没有可用的邮箱：批准后一封邮件也发不出去。"
    for kind, what in _KINDS.items():
        people: dict[str, list[str]] = {}
        for one in lacking:
            if one.kind == kind:
                people.setdefault(of.name(one.unit_id), []).append(_person(one))
        if people:
            number = sum(map(len, people.values()))
            said = "；".join(f"{unit}{'、'.join(names)}" for unit, names in people.items())
            yield f"没有可用邮箱、收不到{what}的 {number} 人：{said}。"


_KINDS = {LetterKind.COVER: "通报", LetterKind.OWN: "告知书", LetterKind.READER: "报送件"}


def _person(who: DraftRecipient) -> str:
    return f"{IN_A_SENTENCE.get(who.role, who.role)}{who.name}" if who.unit_id else who.name


def _unmessaged(of: Flagged) -> Iterator[str]:
    without = [r for r in of.recipients if r.sms and not mobile(r.phone)]
    if without:
        names = "、".join(dict.fromkeys(of.name(r.unit_id) for r in without))
        yield f"主要负责人没有手机号、收不到短信的单位：{names}。"


# --- what the document leaves open -------------------------------------------------------------


def _left(of: Flagged) -> Iterator[str]:
    """All in one, apart from what is unusual: it is the same every time."""
    cited = {(b.document, place_of(b.clause)) for b in _cited(of)}
    said = [
        f"{left.about.rstrip('。')}（{left.basis.document}{place_of(left.basis.clause)}）"
        for left in (*of.book.scoring.left, *of.book.letters.left)
        if _touched(left, cited)
    ]
    if said:
        numbered = [f"{n}. {one}" for n, one in enumerate(said, 1)] if len(said) > 1 else said
        yield f"{LEFT_OPEN} {len(said)} 处（每期相同）：{'；'.join(numbered)}。"


def _touched(left: Left, cited: Iterable[tuple[str, str]]) -> bool:
    return (left.basis.document, place_of(left.basis.clause)) in cited


def _cited(of: Flagged) -> Iterator[Basis]:
    """What this notice rests on: its own clause, the ranking's, its lists', those of quotas it
    shows as missed."""
    yield of.rule.basis
    last = of.period.last
    if (ranking := in_force(of.book.scoring.rankings, last)) is not None:
        yield ranking.basis
    wanted = shown(of.rule, of.material)
    yield from (v.basis for one, v in lists_of(of.book, of.period) if one.id in wanted)
    missed = {s.quota for s in of.material.shortfalls}
    for quota in of.book.quotas:
        if quota.id in missed and (version := in_force(quota.versions, last)) is not None:
            yield version.basis


def _standing(of: Flagged) -> Iterator[str]:
    if _is_empty(of):
        return  # then everybody ties
    document = of.rule.document
    sections = (*document.sections, *document.annexes) if document else ()
    places = bool(of.rule.to) or any(s.part is Part.STANDINGS for s in sections)
    wanted = shown(of.rule, of.material)
    yield from standingflags.flags(of.book, of.material.standings, wanted, tables=places)


_PARTS: tuple[Callable[[Flagged], Iterator[str]], ...] = (
    _emptiness,
    _new_here,
    _not_over,
    _earlier,
    _unaddressed,
    _unmessaged,
    _undecided,
    _unsettled,
    _appealed,
    _people,
    _both_ways,
    _standing,
    _corrections,
    _nobody,
    _left,
)
