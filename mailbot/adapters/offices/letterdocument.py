"""Reads the documents of `letters.toml`: the fixed words of a notice, its sections and annexes, and
the letters of their own that go with it.

Schema: `[letter.document] title, addressee?, lead?, closing?, issuer?, openness?, copies?`, with
`[[letter.document.section]]` and `[[letter.document.annex]]`: `part, heading?, text?, lists?,
empty?, columns?, number?`; `[[letter.own]] list, to?, [letter.own.document]`. A key that the part
does not look at is refused, or it would seem to do something.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailbot.adapters.offices.letterwords import (
    LetterWords,
    filled,
    list_of_period,
    paragraphs,
    roles,
)
from mailbot.adapters.offices.rulewords import known
from mailbot.adapters.offices.tablereader import Table
from mailbot.core.duties.model import (
    DOCUMENT_WORDS,
    OWN_WORDS,
    STANDING_COLUMNS,
    DocumentRule,
    OwnLetter,
    Part,
    Section,
)
from mailbot.core.rules.periods import PeriodKind

OPENNESS = ("主动公开", "依申请公开", "不予公开")
"""政府信息公开条例: the three attributes a document may carry."""
MOST_PEOPLE = 200

KEYS: dict[Part, tuple[str, ...]] = {
    Part.TEXT: ("text",),
    Part.OVERVIEW: ("text",),
    Part.STANDINGS: ("text", "columns", "empty"),
    Part.LISTS: ("text", "lists", "empty"),
    Part.CORRECTIONS: ("text", "empty"),
    Part.QUOTAS: ("text", "empty"),
    Part.TITLES: ("text", "empty"),
    Part.TASKS: ("text", "empty"),
    Part.PEOPLE: ("text", "number"),
}
"""What each part looks at, beside its heading."""
SPECIAL = tuple(dict.fromkeys(key for keys in KEYS.values() for key in keys))


def read_document(table: Table, period: PeriodKind | None, words: LetterWords) -> DocumentRule:
    """Of a notice: it has at least one section."""
    sections = _sections(table, "section", period, words, required=True)
    annexes = _sections(table, "annex", period, words)
    return _document(table, DOCUMENT_WORDS, sections, annexes)


def read_own(table: Table, period: PeriodKind | None, words: LetterWords) -> tuple[OwnLetter, ...]:
    found: list[OwnLetter] = []
    for inner in table.tables("own"):
        own = _own(inner, period, words)
        if own.list and own.list in {o.list for o in found}:
            inner.fault("list", f"名单“{own.list}”的单独告知书写了两次", "一份名单只写一封")
        found.append(own)
    return tuple(found)


def _own(table: Table, period: PeriodKind | None, words: LetterWords) -> OwnLetter:
    list_id = table.text("list")
    if list_id:
        known(table, "list", words.lists, "名单")
    list_of_period(table, "list", list_id, period, words)
    to = roles(table, "to") if "to" in table.data else ("head",)
    if "to" in table.data and not table.data["to"]:
        table.fault("to", "列表是空的", '告知书要写给谁，例如 to = ["head"]；不写就是主要负责人')
    inner = table.table("document")
    sections = [_section(one, OWN_WORDS, period, words) for one in inner.tables("section")]
    document = _document(inner, OWN_WORDS, sections, ())
    table.close()
    return OwnLetter(list=list_id, document=document, to=to)


def _document(
    table: Table, allowed: Sequence[str], sections: Sequence[Section], annexes: Sequence[Section]
) -> DocumentRule:
    document = DocumentRule(
        title=filled(table, "title", allowed, required=True),
        addressee=filled(table, "addressee", allowed),
        lead=paragraphs(table, "lead", allowed),
        sections=tuple(sections),
        annexes=tuple(annexes),
        closing=paragraphs(table, "closing", allowed),
        issuer=filled(table, "issuer", allowed),
        openness=table.choice("openness", OPENNESS) if "openness" in table.data else "",
        copies=filled(table, "copies", allowed),
    )
    table.offer("openness", "section")
    for key in ("addressee", "copies"):
        if getattr(document, key).endswith(("：", ":", "。")):
            table.fault(key, "末尾有标点", "删掉；冒号、句号由程序加")
    table.close()
    return document


def _sections(
    table: Table, key: str, period: PeriodKind | None, words: LetterWords, *, required: bool = False
) -> tuple[Section, ...]:
    found = []
    for inner in table.tables(key, required=required):
        section = _section(inner, DOCUMENT_WORDS, period, words)
        if key == "annex" and "heading" not in inner.data:
            inner.fault("heading", "缺少 heading", '附件要有标题，例如 heading = "采用信息目录"')
        found.append(section)
    return tuple(found)


def _section(
    table: Table, allowed: Sequence[str], period: PeriodKind | None, words: LetterWords
) -> Section:
    part = Part(table.choice("part", Part))
    if table.data.get("part") != part.value:
        table.forgive()  # what it should hold depends on the part
        return Section(part)
    wanted = KEYS[part]
    for key in SPECIAL:
        if key in table.data and key not in wanted:
            what = f"{part.value} 一类的段落不看 {key}"
            table.fault(key, what, f"删掉；可写的有：{'、'.join(('heading', *wanted))}")
    table.offer(*SPECIAL)
    section = Section(
        part=part,
        heading=filled(table, "heading", allowed),
        text=paragraphs(table, "text", allowed, required=part is Part.TEXT),
        lists=_lists(table, period, words) if "lists" in wanted else (),
        empty=filled(table, "empty", allowed) if "empty" in wanted else "",
        columns=_columns(table, words) if "columns" in wanted else (),
        number=table.number("number", least=1, most=MOST_PEOPLE) if "number" in wanted else 0,
    )
    table.close()
    return section


def _lists(table: Table, period: PeriodKind | None, words: LetterWords) -> tuple[str, ...]:
    found = known(table, "lists", words.lists, "名单", required=True)
    for list_id in found:
        list_of_period(table, "lists", list_id, period, words)
    return found


def _columns(table: Table, words: LetterWords) -> tuple[str, ...]:
    options = None if words.columns is None else (*STANDING_COLUMNS, *words.columns)
    return known(table, "columns", options, "列")
