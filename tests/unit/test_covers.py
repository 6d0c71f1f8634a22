"""The mails around a notice: a unit's own line, its charts, and nothing of anybody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from mailbot.app.notices.covers import cover, own_notice, reader_cover, unit_line
from mailbot.app.papers import Bar, DraftTraces
from mailbot.app.posting import Addressee
from mailbot.app.scoring import Statement
from mailbot.core.documents.material import Material
from mailbot.core.documents.model import Document
from mailbot.core.duties.model import DocumentRule, DutyKind, LetterRule, OwnLetter, Part, Section
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.periodic import QuotaLine
from mailbot.core.rules.entries import Standings
from mailbot.core.rules.events import Event, EventKind, UnitStatus
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Consequence, ListKind, OrderBy
from tests.unit.document_help import of_lists, reckoned, rule
from tests.unit.standings_help import (
    BASIS,
    Q3,
    START,
    adopted,
    book,
    event,
    list_rule,
    points_rule,
    quota,
    ranking,
    sent,
    unit,
)

CARD = OfficeCard("甲办", "甲办信息室", "7622000", "office@example.org")
Q2 = Q3.previous()


class Papers:
    """Keeps what it was asked to draw."""

    def __init__(self) -> None:
        self.drawn: list[list[Bar]] = []

    def chart(self, bars: Sequence[Bar], width: int, height: int) -> bytes:
        self.drawn.append(list(bars))
        return b"png%d" % len(self.drawn)

    def document(self, book: OfficeBook, letter_id: str, document: Document) -> bytes:
        raise AssertionError("a cover makes no document")

    def noted(self, docx: bytes, draft: int) -> bytes:
        raise NotImplementedError

    def draft_traces(self, docx: bytes) -> DraftTraces:
        raise NotImplementedError

    def statement(self, book: OfficeBook, statement: Statement) -> bytes:
        raise AssertionError("a cover makes no statement")

    def standings(self, book: OfficeBook, standings: Standings) -> bytes:
        raise AssertionError("a cover makes no standings")


def office(**more: object) -> OfficeBook:
    values: dict[str, object] = {
        "rules": (points_rule(1),),
        "quotas": (quota(2),),
        "lists": (list_rule(ListKind.FIRST), list_rule(ListKind.NO_SUBMISSION, list_id="silent")),
    }
    return book(*(unit(u) for u in "abcd"), **(values | more))  # type: ignore[arg-type]


EVENTS = [
    sent("a", "2022-07-01", times=5),
    sent("b", "2022-07-01", times=5),
    sent("c", "2022-08-01", times=1),
    adopted("c", "2022-08-09", "i", title="丙的好信息"),
    sent("d", "2022-09-01", times=3),
    sent("d", "2022-05-01", times=7),
    sent("a", "2022-05-01", times=1),
]


def quarter(**more: object) -> LetterRule:
    document = rule(of_lists("named", heading="通报表扬"), of_lists("silent", heading="零报送"))
    values: dict[str, object] = {"period": PeriodKind.QUARTER, "document": document}
    return LetterRule(
        "quarter",
        DutyKind.NOTICE,
        "季度通报",
        BASIS,
        START,
        (),
        **(values | more),  # type: ignore[arg-type]
    )


def with_previous(own: OfficeBook) -> Material:
    before = reckoned(own, EVENTS, Q2)
    return reckoned(own, EVENTS, previous=before.standings)


# --- the unit's line ---------------------------------------------------------------------------


def test_the_line_says_place_change_and_numbers() -> None:
    own = office()
    line = unit_line(own, with_previous(own), "a", quarter().document)
    assert (line.table, line.place, line.of, line.tied) == ("部门", 2, 4, 1)
    assert (line.previous_place, line.change) == (2, 0)
    assert (line.submissions, line.adopted) == (5, 0)
    assert (line.points, line.cumulative) == (Decimal(5), Decimal(6))
    assert line.quotas == (QuotaLine("信息", 6, 5, 4),)
    assert line.listed == ("零报送：名单（8月、9月未报送）",)


def test_places_lost_are_counted() -> None:
    own = office()
    line = unit_line(own, with_previous(own), "d")
    assert (line.place, line.previous_place, line.change) == (4, 1, -3)


def test_a_unit_that_sent_nothing_is_known_for_it() -> None:
    own = office()
    material = with_previous(own)
    lines = {unit: unit_line(own, material, unit) for unit in "abc"}
    assert any(line.submissions for line in lines.values())
    for line in lines.values():
        worth = line.submissions or line.adopted or (line.points or 0) > 0
        assert line.silent is not bool(worth)
    row = material.standings.tables[0].rows[0]
    nothing = replace(row, submissions=0, adopted=0, points=Decimal(-10))
    table = replace(material.standings.tables[0], rows=(nothing,))
    bare = replace(material, standings=replace(material.standings, tables=(table,)))
    assert unit_line(own, bare, row.unit).silent


def test_lists_that_the_notice_does_not_show_are_not_told() -> None:
    proposed = replace(
        list_rule(ListKind.NO_ADOPTION, list_id="weak"), consequence=Consequence.REVIEW
    )
    own = office(lists=(list_rule(ListKind.FIRST), proposed))
    material = reckoned(own, EVENTS)
    assert unit_line(own, material, "c").listed == ("名单（第一位，11分）",)
    assert unit_line(own, material, "a").listed == ()
    shown = rule(of_lists("weak", heading="提请研究"))
    assert unit_line(own, material, "a", shown).listed == (
        "提请研究：名单（2022年第三季度无采用）",
    )
    assert unit_line(own, material, "c", shown).listed == ()


def test_a_section_that_names_no_list_shows_them_all() -> None:
    own = office()
    every = rule(Section(Part.LISTS, "名单"))
    assert len(unit_line(own, reckoned(own, EVENTS), "c", every).listed) == 2


def test_a_suspended_unit_has_no_place_and_is_not_counted_among_the_others() -> None:
    own = office()
    away = event(EventKind.STATUS, "b", "2022-09-01", status=UnitStatus.SUSPENDED)
    material = reckoned(own, [*EVENTS, away])
    assert unit_line(own, material, "b").place is None
    assert unit_line(own, material, "a").of == 3


def test_an_office_without_points_tells_none() -> None:
    own = office(rules=(), rank=ranking(order=(OrderBy.ADOPTED, OrderBy.SUBMISSIONS)))
    line = unit_line(own, reckoned(own, EVENTS), "c")
    assert (line.points, line.cumulative, line.place) == (None, None, 1)


def test_a_unit_in_no_table_and_one_that_came_later_have_lines_too() -> None:
    own = book(unit("a"), unit("x", "county"), unit("n", start=date(2022, 12, 1)))
    material = reckoned(own, [sent("x", "2022-07-01", times=4)])
    outside, late = unit_line(own, material, "x"), unit_line(own, material, "n")
    assert (outside.table, outside.place, outside.submissions) == ("", None, 4)
    assert (late.place, late.submissions, late.listed) == (None, 0, ())


# --- covers ------------------------------------------------------------------------------------


def test_a_cover_draws_the_year_against_what_was_owed_and_says_the_same() -> None:
    own, papers = office(), Papers()
    to = Addressee("a@example.org", "head", "a", "王甲")
    letter, images = cover(
        own, quarter(), with_previous(own), to, CARD, papers, title="通报", files=("通报.docx",)
    )
    assert (letter.unit, letter.to, letter.role, letter.period) == (
        "a局",
        "王甲",
        "head",
        "2022年第三季度",
    )
    course, places = papers.drawn
    assert [(b.label, b.value, b.line) for b in course][4:8] == [
        ("5", 1.0, 2.0),
        ("6", 0.0, 2.0),
        ("7", 5.0, 2.0),
        ("8", 0.0, 2.0),
    ]
    assert [b.label for b in course if b.strong] == ["7", "8", "9"]
    first, second = letter.charts
    assert "7月5条（应报2条），8月0条（应报2条）" in first.alt
    assert [b.label for b in places] == ["Q2", "Q3"]
    assert second.alt == "近几期位次：2022年第二季度第2位，2022年第三季度第2位（共4个单位）。"
    assert [c.cid for c in letter.charts] == [i.cid for i in images]
    assert [i.content for i in images] == [b"png1", b"png2"]
    assert all(b.label.isascii() for bars in papers.drawn for b in bars)


def test_the_better_the_place_the_higher_the_bar_and_four_periods_at_most() -> None:
    own, papers = office(), Papers()
    year = [Period.parse(f"2022-Q{n}") for n in (1, 2)] + [Period.parse("2021-Q4")]
    older = [Period.parse("2021-Q3"), Period.parse("2021-Q2")]
    earlier = tuple(reckoned(own, EVENTS, p).standings for p in (*year, *older))
    material = reckoned(own, EVENTS, earlier=earlier)
    cover(own, quarter(), material, Addressee("d@example.org", "head", "d"), CARD, papers, title="")
    places = papers.drawn[-1]
    assert [b.label for b in places] == ["Q4", "Q1", "Q2", "Q3"]
    assert places[2].value > places[3].value and places[3].strong


def test_without_anything_to_draw_there_is_no_chart() -> None:
    own, papers = office(quotas=()), Papers()
    to = Addressee("a@example.org", "head", "a")
    letter, images = cover(own, quarter(), reckoned(own, []), to, CARD, papers, title="通报")
    assert (letter.charts, images, papers.drawn) == ((), (), [])


def test_a_quarterly_quota_is_drawn_by_the_quarter() -> None:
    own, papers = office(quotas=(quota(3, PeriodKind.QUARTER),)), Papers()
    to = Addressee("d@example.org", "head", "d")
    cover(own, quarter(), reckoned(own, EVENTS), to, CARD, papers, title="通报")
    assert [(b.label, b.value, b.line) for b in papers.drawn[0]] == [
        ("Q1", 0.0, 3.0),
        ("Q2", 7.0, 3.0),
        ("Q3", 3.0, 3.0),
    ]


@pytest.mark.parametrize("unit_id", list("abcd"))
def test_nothing_of_another_unit_stands_in_a_cover(unit_id: str) -> None:
    own, papers = office(), Papers()
    to = Addressee("x@example.org", "head", unit_id)
    letter, _ = cover(own, quarter(), with_previous(own), to, CARD, papers, title="通报")
    said = repr(letter)
    assert all(f"{other}局" not in said for other in "abcd" if other != unit_id)
    assert "丙的好信息" not in said


def test_a_reader_gets_the_period_in_numbers() -> None:
    own = office()
    to = Addressee("r@example.org", "reader", name="某领导")
    letter = reader_cover(own, with_previous(own), to, CARD, title="通报", number="甲〔2022〕1号")
    assert (letter.to, letter.title, letter.number) == ("某领导", "通报", "甲〔2022〕1号")
    assert letter.summary == (
        "2022年第三季度，共收到4个单位报送的信息14条，比2022年第二季度增加6条。",
        "采用1条，比2022年第二季度增加1条，均为《政讯》1条。",
    )


def test_the_mail_around_a_letter_of_its_own_says_its_words() -> None:
    own = office()
    letter = OwnLetter("silent", DocumentRule("告知书", lead=("{period}，{unit}{why}。",)))
    material = reckoned(own, EVENTS)
    to = Addressee("a@example.org", "head", "a", "王甲")
    notice = own_notice(own, letter, material, to, CARD, title="告知书", files=("告知书.docx",))
    assert notice.text == ("2022年第三季度，a局8月、9月未报送。",)
    assert (notice.unit, notice.files) == ("a局", ("告知书.docx",))
    full: list[Event] = [sent("a", f"2022-0{m}-02") for m in (7, 8, 9)]
    with pytest.raises(KeyError):
        own_notice(own, letter, reckoned(own, full), to, CARD, title="告知书")
