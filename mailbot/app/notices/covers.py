"""What the mails around an approved notice say: to a unit its own line first, to readers outside
the period in numbers, with a letter of its own that letter's words.

Of other units a cover says no more than how many there are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mailbot.app.notices.chartlines import places_chart, progress_chart
from mailbot.app.papers import Papers
from mailbot.app.posting import Addressee
from mailbot.core.documents.figures import summary
from mailbot.core.documents.ground import ground_of
from mailbot.core.documents.lists import reason
from mailbot.core.documents.material import Material
from mailbot.core.documents.notice import lists_shown, own_values
from mailbot.core.documents.standings import gives_points
from mailbot.core.documents.words import clean, fill
from mailbot.core.duties.model import DocumentRule, LetterRule, OwnLetter, Part
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.notices import Cover, OwnNotice, ReaderCover, UnitLine
from mailbot.core.letters.periodic import QuotaLine
from mailbot.core.mail.enclosures import InlineImage
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.entries import Row, Table
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Consequence
from mailbot.core.subject.units import unit_name


def unit_line(
    book: OfficeBook, material: Material, unit_id: str, document: DocumentRule | None = None
) -> UnitLine:
    """The unit's line of the standings. `document` says which lists the notice shows, and under
    which headings; without it they are all but the proposals."""
    listed = tuple(_listed(book, material, unit_id, document))
    ranking = in_force(book.scoring.rankings, material.period.last)
    scored = gives_points(book, ranking)
    for table in material.standings.tables:
        for row in table.rows:
            if row.unit == unit_id:
                return UnitLine(
                    table=clean(table.name) if table.id else "",
                    place=row.place,
                    of=sum(r.place is not None for r in table.rows) or len(table.rows),
                    tied=_tied(row, table),
                    previous_place=row.previous_place,
                    change=row.change,
                    submissions=row.submissions,
                    adopted=row.adopted,
                    points=row.points if scored else None,
                    cumulative=row.cumulative if scored else None,
                    quotas=_quotas(book, row),
                    listed=listed,
                    silent=_silent(row),
                )
    # Came to the roster after the period: nothing is to be told but that.
    return UnitLine("", None, 0, 0, None, None, 0, 0, None, None, (), listed)


def cover(
    book: OfficeBook,
    rule: LetterRule,
    material: Material,
    to: Addressee,
    card: OfficeCard,
    papers: Papers,
    *,
    title: str,
    number: str = "",
    files: Sequence[str] = (),
) -> tuple[Cover, tuple[InlineImage, ...]]:
    """To somebody of the unit `to.unit_id`. `files` are the names of what is attached."""
    unit = to.unit_id
    drawn = [
        chart
        for chart in (
            progress_chart(material.progress.get(unit, ()), material.period, papers),
            places_chart(material.places.get(unit, ()), papers),
        )
        if chart is not None
    ]
    letter = Cover(
        office=card,
        unit=clean(unit_name(unit, book.roster)),
        to=to.name,
        role=to.role,
        period=material.period.name,
        title=title,
        number=number,
        line=unit_line(book, material, unit, rule.document),
        files=tuple(files),
        charts=tuple(chart for chart, _ in drawn),
    )
    return letter, tuple(image for _, image in drawn)


def reader_cover(
    book: OfficeBook,
    material: Material,
    to: Addressee,
    card: OfficeCard,
    *,
    title: str,
    number: str = "",
    files: Sequence[str] = (),
) -> ReaderCover:
    """To somebody outside the units: the period in numbers."""
    return ReaderCover(
        office=card,
        to=to.name,
        period=material.period.name,
        title=title,
        number=number,
        summary=tuple(summary(ground_of(book, material, {}))),
        files=tuple(files),
    )


def own_notice(
    book: OfficeBook,
    own: OwnLetter,
    material: Material,
    to: Addressee,
    card: OfficeCard,
    *,
    title: str,
    files: Sequence[str] = (),
) -> OwnNotice:
    """The mail around `own`, which is attached. Raises KeyError when the unit is not on the
    list."""
    values = own_values(book, material, own.list, to.unit_id)
    ground = ground_of(book, material.only(to.unit_id), values)
    return OwnNotice(
        office=card,
        unit=values["unit"],
        to=to.name,
        role=to.role,
        period=material.period.name,
        title=title,
        text=tuple(text for lead in own.document.lead if (text := ground.fill(lead))),
        files=tuple(files),
    )


# --- a unit's line


def _tied(row: Row, table: Table) -> int:
    """Further units on the same place."""
    if row.place is None:
        return 0
    return sum(other.place == row.place for other in table.rows) - 1


def _silent(row: Row) -> bool:
    return not row.submissions and not row.adopted and row.points <= 0


def _quotas(book: OfficeBook, row: Row) -> tuple[QuotaLine, ...]:
    names = {quota.id: quota.name for quota in book.quotas}
    return tuple(
        QuotaLine(clean(names.get(q.quota, q.quota)), q.need, q.got, q.missing, q.remark_only)
        for q in row.quotas
    )


def _listed(
    book: OfficeBook, material: Material, unit_id: str, document: DocumentRule | None
) -> list[str]:
    """通报表扬：季度得分首位的单位（第一名，115分）"""
    headings = _headings(document, material)
    found = []
    for one in material.standings.lists:
        shown = (
            one.consequence is not Consequence.REVIEW if document is None else one.id in headings
        )
        if not shown:
            continue
        for who in one.listed:
            if who.unit == unit_id:
                said = f"{clean(one.name)}（{_in_places(reason(one, who, book))}）"
                found.append(f"{headings[one.id]}：{said}" if headings.get(one.id) else said)
    return found


_PLACE = re.compile(r"^(并列)?(倒数)?(第[一二三四五六七八九十\d]+|最后一)名(?=，)")


def _in_places(why: str) -> str:
    """并列第三名，86分: a unit's place is called 位 everywhere else in the letter."""
    return _PLACE.sub(lambda found: f"{found[0][:-1]}位", why)


def _headings(document: DocumentRule | None, material: Material) -> Mapping[str, str]:
    """By list the heading it stands under, of those that the document shows."""
    if document is None:
        return {}
    found = dict.fromkeys(lists_shown(document, material), "")
    values = {"period": material.period.name, "year": str(material.period.first.year)}
    for section in (*document.sections, *document.annexes):
        if section.part is Part.LISTS:
            for list_id in section.lists or found:
                found[list_id] = found[list_id] or clean(fill(section.heading, values))
    return found
