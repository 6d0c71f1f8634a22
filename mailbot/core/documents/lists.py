"""The lists of a notice in a document: who is named, why, and by which clause."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mailbot.core.documents.ground import Ground
from mailbot.core.documents.model import Block, Heading, Paragraph
from mailbot.core.documents.words import (
    basis,
    clean,
    days_in,
    numeral,
    person,
    sentence,
    several,
    tight,
)
from mailbot.core.duties.model import Section
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.entries import Listed, NoticeList
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Consequence, ListKind

_BY_NUMBERS = (ListKind.FIRST, ListKind.LAST, ListKind.BELOW)
"""Their reasons hold no titles."""


def lists(section: Section, ground: Ground) -> list[Block]:
    """Those of the section that name somebody. A list that is repealed, or of no such period, is
    not among the standings' lists and is not spoken of."""
    known = {one.id: one for one in ground.material.standings.lists}
    asked = [known[i] for i in section.lists if i in known] if section.lists else known.values()
    shown = [one for one in asked if one.listed]
    found: list[Block] = []
    for at, one in enumerate(shown, start=1):
        name = clean(one.name)
        body = _body(one, ground)
        if len(shown) > 1:
            found.append(Heading(2, f"（{numeral(at)}）{name}"))
        elif name not in ground.fill(section.heading):
            found.append(Paragraph(f"{name}："))
        found += body
    return found


def speaks_of_none(section: Section, ground: Ground) -> bool:
    """Does no list of the section exist in this period?"""
    known = {one.id for one in ground.material.standings.lists}
    return bool(section.lists) and known.isdisjoint(section.lists)


def _body(one: NoticeList, ground: Ground) -> list[Block]:
    texts = [sentence(text) for text in _named(one, ground)]
    ends = ["提请研究。"] if one.consequence is Consequence.REVIEW else []
    if len(texts) == 1:
        return [Paragraph("".join([texts[0], *ends, basis(one)]))]
    if ends:
        ends = ["以上单位提请研究。"]
    return [Paragraph(text) for text in (*texts, "".join([*ends, basis(one)]))]


def _named(one: NoticeList, ground: Ground) -> Iterable[str]:
    """A sentence for each reason, without its full stop: units named for the same thing, with
    nobody answering for them, stand together. Where each table has its own, table by table."""
    kind, by_table = _kind_of(one, ground)
    together: dict[tuple[str, ...], list[str]] = {}
    for who in one.listed:
        alone = who.unit if who.people or who.recommender else ""
        table = clean(ground.table_of.get(who.unit, "")) if by_table else ""
        together.setdefault((_said(who, kind), table, alone), []).append(_unit(who, ground))
    for (why, table, _), units in together.items():
        if table:
            yield f"{table}：{several(units)}，{why}"
            continue
        named = several(units) + (f"（共{len(units)}个单位）" if len(units) > 1 else "")
        colon = "，" if "：" in why and kind is not ListKind.OVERDUE else "："
        yield f"{named}{colon}{why}" if why else named


def _kind_of(one: NoticeList, ground: Ground) -> tuple[ListKind | None, bool]:
    """Of what kind the list is, and whether each table has its own, so that it is to be named. A
    list of a sealed period may be gone from the office's data."""
    for rule in ground.book.scoring.lists:
        if rule.id == one.id:
            version = in_force(rule.versions, ground.period.last)
            by_table = rule.kind in (ListKind.FIRST, ListKind.LAST)
            tables = sum(bool(t.id) for t in ground.material.standings.tables)
            return rule.kind, by_table and tables > 1 and not (version and version.together)
    return None, False


def reason(one: NoticeList, who: Listed, book: OfficeBook) -> str:
    """Why a unit stands on the list, as documents and covers write it."""
    return _said(who, next((rule.kind for rule in book.scoring.lists if rule.id == one.id), None))


def _said(who: Listed, kind: ListKind | None) -> str:
    why = clean(who.why).rstrip("。；")
    if kind in _BY_NUMBERS:
        return tight(why)
    if kind is ListKind.SHORT:
        return why.replace("：", "", 1)  # 信息：7月缺3条
    if kind is ListKind.OVERDUE:
        why = _TASK.sub(r"“\1”\2", why)
    return days_in(why)


_TASK = re.compile(r"(?:^|(?<=；))(.+?)：(应于\d{4}-\d\d-\d\d前完成)(?=；|$)")
"""A task of a plan, in the reason of a list of overdue ones."""


def _unit(who: Listed, ground: Ground) -> str:
    """With those who answer for it, and who recommended it."""
    more = [several(map(person, who.people))] if who.people else []
    if who.recommender:
        more.append(f"推荐单位：{clean(who.recommender)}")
    name = ground.name(who.unit)
    return f"{name}（{'；'.join(more)}）" if more else name
