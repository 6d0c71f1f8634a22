"""The circular, and the letters of its own that go with it: an office's `DocumentRule` with what a
period's material has to say.

Sections number themselves; one that has nothing to say and no words for that is left out, and
leaves no gap. Which list means praise and which criticism is said by the section's heading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from mailbot.core.documents.figures import corrections, overview, quotas, tasks, titles
from mailbot.core.documents.ground import Ground, ground_of
from mailbot.core.documents.lists import lists, reason, speaks_of_none
from mailbot.core.documents.material import Material
from mailbot.core.documents.model import Annex, Block, Document, Heading, Paragraph
from mailbot.core.documents.silence import tells_of_silence, unrecorded
from mailbot.core.documents.standings import standings
from mailbot.core.documents.words import clean, numeral
from mailbot.core.duties.model import DocumentRule, LetterRule, OwnLetter, Part, Section
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import unit_name

BLANK = "＿＿＿＿＿＿"
"""Where a person is to write."""


def notice_document(
    book: OfficeBook,
    rule: LetterRule | DocumentRule,
    material: Material,
    *,
    number: str = "",
    issued: date | None = None,
) -> Document:
    """Raises ValueError for a letter that has no document."""
    document = rule.document if isinstance(rule, LetterRule) else rule
    if document is None:
        raise ValueError("this letter has no document")
    return _document(ground_of(book, material, {}), document, number, issued)


def own_document(
    book: OfficeBook,
    rule: LetterRule | DocumentRule,
    own: OwnLetter,
    unit_id: str,
    material: Material,
    *,
    number: str = "",
    issued: date | None = None,
) -> Document:
    """To a unit on the list `own.list`; it says nothing of any other. Raises KeyError when the unit
    is not on it."""
    values = own_values(book, material, own.list, unit_id)
    ground = ground_of(book.only({unit_id}), material.only(unit_id), values)
    return _document(ground, own.document, number, issued)


def own_values(book: OfficeBook, material: Material, list_id: str, unit_id: str) -> dict[str, str]:
    """What `{unit}` and `{why}` stand for in a letter of its own. Raises KeyError when the unit is
    not on the list."""
    for one in material.standings.lists:
        for who in one.listed:
            if (one.id, who.unit) == (list_id, unit_id):
                name = clean(unit_name(unit_id, book.roster))
                return {"unit": name, "why": reason(one, who, book)}
    raise KeyError(f"{unit_id} is not on the list {list_id}")


def lists_shown(rule: DocumentRule, material: Material) -> tuple[str, ...]:
    """Ids of the lists that the document speaks of."""
    found: dict[str, None] = {}
    for section in (*rule.sections, *rule.annexes):
        if section.part is Part.LISTS:
            every = (one.id for one in material.standings.lists)
            found |= dict.fromkeys(section.lists or every)
    return tuple(found)


def _document(ground: Ground, rule: DocumentRule, number: str, issued: date | None) -> Document:
    return Document(
        title=ground.fill(rule.title),
        blocks=(
            *_paragraphs(rule.lead, ground),
            *_sections(rule.sections, ground),
            *_paragraphs(rule.closing, ground),
        ),
        number=number,
        addressee=ground.fill(rule.addressee),
        annexes=tuple(
            Annex(ground.fill(annex.heading) or ground.fill(rule.title), tuple(blocks))
            for annex in rule.annexes
            if (blocks := _blocks(annex, ground))
        ),
        issuer=ground.fill(rule.issuer) or ground.book.info.name,
        issued=issued,
        openness=rule.openness,
        copies=ground.fill(rule.copies),
    )


def _sections(sections: Iterable[Section], ground: Ground) -> list[Block]:
    shown = [(section, blocks) for section in sections if (blocks := _blocks(section, ground))]
    numbered = sum(bool(section.heading) for section, _ in shown)
    found: list[Block] = []
    at = 0
    for section, blocks in shown:
        if section.heading:
            at += 1
            # A 一、 without a 二、 would be a slip.
            mark = f"{numeral(at)}、" if numbered > 1 else ""
            found.append(Heading(1, mark + ground.fill(section.heading)))
        found += blocks
    return found


def _blocks(section: Section, ground: Ground) -> list[Block]:
    """Nothing where the section is to be left out."""
    text = _paragraphs(section.text, ground)
    if section.part is Part.TEXT:
        return text
    blocks = _PARTS[section.part](section, ground)
    unknown = (
        _paragraphs((unrecorded(ground),), ground) if tells_of_silence(section, ground) else []
    )
    if blocks:
        return [*text, *blocks, *unknown]
    if unknown and section.empty:  # that everybody sent everything cannot be said either
        return unknown
    if section.part is Part.LISTS and speaks_of_none(section, ground):
        return []  # “nobody” would be said of a list that there is no more
    return _paragraphs((section.empty,), ground)


def _paragraphs(texts: Iterable[str], ground: Ground) -> list[Block]:
    return [Paragraph(filled) for text in texts if (filled := ground.fill(text))]


def _people(section: Section, ground: Ground) -> list[Block]:
    return [
        Paragraph(f"{n}. 姓名：{BLANK}，单位及职务：{BLANK}{BLANK}")
        for n in range(1, section.number + 1)
    ]


_PARTS: dict[Part, Callable[[Section, Ground], list[Block]]] = {
    Part.OVERVIEW: overview,
    Part.STANDINGS: standings,
    Part.LISTS: lists,
    Part.CORRECTIONS: corrections,
    Part.QUOTAS: quotas,
    Part.TITLES: titles,
    Part.TASKS: tasks,
    Part.PEOPLE: _people,
}
