"""What is in a Word file of the official format, without printing it."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date

import docx
import pytest
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.adapters.word.gongwen import write
from mailbot.adapters.word.measure import TEXT_WIDTH
from mailbot.adapters.word.titles import ROOM, title_lines
from mailbot.core.documents.model import Annex, Document, Paragraph, TableBlock
from tests.word_help import HEADER, circular, plain, ranking


def text_of(data: bytes) -> str:
    body = docx.Document(io.BytesIO(data)).element.body
    return "".join(t.text or "" for t in body.iter(qn("w:t")))


def test_the_same_document_gives_the_same_bytes() -> None:
    first = write(circular())
    assert write(circular()) == first
    assert write(replace(circular(), issued=date(2026, 10, 9))) != first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist()[0] == "[Content_Types].xml"
        assert not any("thumbnail" in n or "customXml" in n for n in archive.namelist())


def test_properties_come_from_the_document() -> None:
    properties = docx.Document(io.BytesIO(write(circular()))).core_properties
    assert properties.title == circular().title
    assert properties.author == circular().issuer
    assert properties.created is not None
    assert properties.created.date() == circular().issued


def test_the_page_and_its_grid() -> None:
    with zipfile.ZipFile(io.BytesIO(write(circular()))) as archive:
        body = archive.read("word/document.xml").decode()
        settings_xml = archive.read("word/settings.xml").decode()
        fonts = archive.read("word/fontTable.xml").decode()
    grid = re.search(r"<w:docGrid[^>]*>", body)
    assert grid
    assert 'w:type="lines"' in grid[0]
    assert 'w:linePitch="579"' in grid[0]
    assert "w:evenAndOddHeaders" in settings_xml
    assert '<w:font w:name="仿宋_GB2312"><w:altName w:val="仿宋"/>' in fonts


def test_what_may_not_stand_in_xml_is_seen_or_harmless() -> None:
    data = write(
        plain(
            Paragraph("甲\x00乙\x0b丙\ud83d丁\ufffe戊<w:t>&amp;]]>\u202e己"),
            title="\x00",
            number="\ud800",
            issuer="\x1f",
        )
    )
    assert "甲 乙 丙\ufffd丁\ufffd戊<w:t>&amp;]]>己" in text_of(data)


_TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)


@settings(max_examples=60)
@given(_TEXTS, _TEXTS, st.lists(st.tuples(_TEXTS, _TEXTS), max_size=3))
def test_any_text_gives_a_file_that_opens(
    one: str, other: str, rows: list[tuple[str, str]]
) -> None:
    table = TableBlock((one, other), tuple(rows), (1, 3), one, other, frozenset({1}))
    data = write(
        Document(
            title=one, blocks=(Paragraph(other), table), number=other, addressee=one,
            annexes=(Annex(one, (table,)),), issuer=other, copies=one,
        )
    )  # fmt: skip
    found = set(text_of(data))
    for char in one + other:
        if char.isprintable() and not char.isspace() and char not in "。.；;，,:：":
            assert char in found


@settings(max_examples=60)
@given(
    st.integers(1, 9).flatmap(
        lambda n: st.tuples(
            st.lists(st.text("甲1a.", max_size=40), min_size=n, max_size=n),
            st.lists(st.integers(1, 40), min_size=n, max_size=n),
        )
    )
)
def test_columns_fill_the_text_area_exactly(made: tuple[list[str], list[int]]) -> None:
    cells, widths = made
    data = write(plain(TableBlock(tuple(cells), (tuple(cells),), tuple(widths))))
    body = docx.Document(io.BytesIO(data)).element.body
    columns = [int(c.get(qn("w:w"))) for c in body.iter(qn("w:gridCol"))]
    assert len(columns) == len(cells)
    assert sum(columns) == TEXT_WIDTH
    assert min(columns) > 0


def test_numbers_get_the_room_they_need() -> None:
    """A long number in a column said to be narrow."""
    table = TableBlock(("序", "得分"), (("1", "123456789.5"), ("2", "1")), (20, 2))
    body = docx.Document(io.BytesIO(write(plain(table)))).element.body
    columns = [int(c.get(qn("w:w"))) for c in body.iter(qn("w:gridCol"))]
    assert columns[1] > 11 * 240 * 0.5


def test_a_row_of_another_length_is_our_bug() -> None:
    with pytest.raises(ValueError, match="argument"):
        write(plain(TableBlock(HEADER, (("1", "甲"),), (1,) * 7)))


def test_table_rows_are_whole_and_the_header_repeats() -> None:
    body = docx.Document(io.BytesIO(write(plain(ranking("第一组", 3))))).element.body
    rows = list(body.iter(qn("w:tr")))
    assert [len(list(r.iter(qn("w:cantSplit")))) for r in rows] == [1] * 4
    assert [len(list(r.iter(qn("w:tblHeader")))) for r in rows] == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("关于召开会议的通知", ["关于召开会议的通知"]),
        (
            "示例旗人民政府办公室关于2026年第三季度政务信息报送采用情况的通报",
            ["示例旗人民政府办公室", "关于2026年第三季度", "政务信息报送采用情况的通报"],
        ),
        (
            "关于2026年第三季度未报送政务信息的告知书",
            ["关于2026年第三季度", "未报送政务信息的告知书"],
        ),
    ],
)
def test_titles_are_broken_between_words(title: str, lines: list[str]) -> None:
    assert title_lines(title) == lines


@given(st.text("关于政务信息的通报、2026年《》（）甲乙", max_size=80))
def test_a_broken_title_keeps_every_character(title: str) -> None:
    lines = title_lines(title)
    assert "".join(lines) == title
    assert len(lines) == 1 or all(0 < len(line) <= 2 * ROOM for line in lines)
    assert not any(line.startswith(("的", "、", "》", "）")) for line in lines[1:])
