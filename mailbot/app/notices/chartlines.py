"""The small charts of a unit's cover: what each shows, and the same in words.

A chart is drawn where it helps: one bar alone, or a year in which nothing was sent or owed, is said
by the text already.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailbot.app.papers import Bar, Papers
from mailbot.core.documents.material import PlaceThen, Progress
from mailbot.core.letters.notices import ChartImage
from mailbot.core.mail.enclosures import InlineImage
from mailbot.core.rules.periods import Period, PeriodKind

WIDTH, HEIGHT = 480, 160
Chart = tuple[ChartImage, InlineImage]


def progress_chart(course: Sequence[Progress], about: Period, papers: Papers) -> Chart | None:
    """Items sent in each part of the year, against what was owed."""
    if len(course) < 2 or not any(one.got or one.need for one in course):
        return None
    owed = any(one.need for one in course)
    bars = [
        Bar(
            _label(one.period),
            float(one.got),
            None if one.need is None else float(one.need),
            strong=one.period.first in about,
        )
        for one in course
    ]
    year = f"{course[0].period.first.year}年"
    said = (
        f"{_part(one.period)}{one.got}条" + (f"（应报{one.need}条）" if one.need else "")
        for one in course
    )
    caption = f"{year}各{'月' if _monthly(course) else '季度'}报送条数"
    if owed:
        caption += "（横线为应报条数）"
    alt = f"{year}报送条数：{'，'.join(said)}。"
    return _drawn("progress", caption, alt, bars, papers)


def places_chart(places: Sequence[PlaceThen], papers: Papers) -> Chart | None:
    """The unit's places of the last periods; the higher the bar, the better the place."""
    if len(places) < 2:
        return None
    base = max(max(one.place, one.of or 0) for one in places)
    bars = [
        Bar(
            _label(one.period),
            float(base + 1 - one.place),
            strong=one is places[-1],
            shown=str(one.place),
        )
        for one in places
    ]
    said = (
        f"{one.period.name}第{one.place}位" + (f"（共{one.of}个单位）" if one.of else "")
        for one in places
    )
    caption = "近几期位次（柱越高位次越靠前）"
    return _drawn("places", caption, f"近几期位次：{'，'.join(said)}。", bars, papers)


def _drawn(name: str, caption: str, alt: str, bars: Sequence[Bar], papers: Papers) -> Chart:
    cid = f"{name}@chart"
    image = InlineImage(cid, papers.chart(bars, WIDTH, HEIGHT))
    return ChartImage(cid, caption, alt, WIDTH, HEIGHT), image


def _monthly(course: Sequence[Progress]) -> bool:
    return course[0].period.kind is PeriodKind.MONTH


def _label(period: Period) -> str:
    """7, Q3, H1, 2026: what the period's code has behind the year."""
    return period.code.rpartition("-")[2].lstrip("0")


def _part(period: Period) -> str:
    """7月, 第三季度."""
    return period.name.split("年", 1)[1] or period.name
