"""Word files on paper: printed by LibreOffice, measured in the PDF (GB/T 9704—2012)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from mailbot.adapters.word import example, own
from mailbot.adapters.word.gongwen import DRAFT_MARK, write
from mailbot.core.documents.model import Annex, Document, Paragraph, TableBlock
from tests.servers.office import Line, Page, layout_of, pages_of, pdf_of, png_of
from tests.word_help import HEADER, LONG_NAME, SENTENCE, circular, plain, ranking, titles

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("word_on_paper")]

MM = 72 / 25.4
LEFT, RIGHT, TOP, BOTTOM = 28 * MM, (210 - 26) * MM, 37 * MM, (297 - 35) * MM
CHAR = 15.75


@cache
def printed(make: Callable[[], Document]) -> bytes:
    return pdf_of(write(make()))


def layout(document: Document) -> list[Page]:
    return layout_of(pdf_of(write(document)))


def squeezed(text: str) -> str:
    """pdftotext puts blanks between scripts and fonts."""
    return "".join(text.split())


def text_area(page: Page) -> list[Line]:
    return [line for line in page.lines if line.top > TOP - 3 and line.bottom < BOTTOM + 3]


def page_number(page: Page) -> Line:
    return next(line for line in page.lines if line.top > BOTTOM)


def all_text(pages: list[Page]) -> str:
    return squeezed("".join(line.text for page in pages for line in page.lines))


def middle(line: Line) -> float:
    return (line.top + line.bottom) / 2


def overlaps(page: Page) -> list[tuple[str, str]]:
    found = []
    for i, a in enumerate(page.lines):
        for b in page.lines[i + 1 :]:
            across = min(a.right, b.right) - max(a.left, b.left)
            down = min(a.bottom, b.bottom) - max(a.top, b.top)
            if across > 2 and down > 5:
                found.append((a.text, b.text))
    return found


def assert_inside(pages: list[Page]) -> None:
    """Nothing beyond the margins but a hanging comma, nothing printed over another."""
    for page in pages:
        for line in page.lines:
            hanging = CHAR if line.text[-1:] in tuple("，。、；：") else 0
            assert line.left >= LEFT - 2, line
            assert line.right <= RIGHT + 2 + hanging, line
        assert not overlaps(page)


def test_a_full_page_has_22_lines_of_28_characters_on_a4() -> None:
    pages = layout(plain(Paragraph("政务信息工作" * 400)))
    assert (round(pages[0].width), round(pages[0].height)) == (595, 842)
    full = pages[1]
    lines = text_area(full)
    assert len(lines) == 22
    assert {len(squeezed(line.text)) for line in lines} == {28}
    assert_inside(pages)
    assert len(text_area(pages[0])) == 22 - 1, "a line of the title, two empty ones, 主送机关 …"
    assert lines[0].top - TOP < 10
    assert BOTTOM - lines[-1].bottom < 10
    assert len(lines) + 1 == len(full.lines), "only the page number stands outside"


def test_no_line_begins_with_a_comma() -> None:
    text = "一二三四五六七八九十一二三四五六七八九十一二三四五六七八，" * 20
    pages = layout(plain(Paragraph(text, indent=False)))
    assert_inside(pages)
    assert not any(line.text.startswith("，") for page in pages for line in page.lines)
    assert all_text(pages).count("，") == 20


def test_page_numbers_stand_outside() -> None:
    pages = layout_of(printed(circular))
    assert len(pages) > 4
    for number, page in enumerate(pages, 1):
        line = page_number(page)
        assert line.text == f"— {number} —"
        gap = line.left - LEFT if number % 2 == 0 else RIGHT - line.right
        assert abs(gap - 14) < 3, "a character of 14 pt from the margin"
        assert abs(middle(line) - BOTTOM - 7 * MM) < 4, "dashes 7 mm below"


def test_the_title_is_centred_and_the_addressee_flush() -> None:
    first = layout_of(printed(circular))[0]
    document = circular()
    texts = [squeezed(line.text) for line in first.lines]
    at = next(i for i, text in enumerate(texts) if text.startswith("示例旗人民政府办公室"))
    title: list[Line] = []
    while squeezed("".join(line.text for line in title)) != document.title:
        title.append(first.lines[at + len(title)])
    assert len(title) > 1
    for line in title:
        assert abs((line.left + line.right) / 2 - (LEFT + RIGHT) / 2) < 3
    number = first.lines[at - 1]
    assert squeezed(number.text) == document.number
    assert abs((number.left + number.right) / 2 - (LEFT + RIGHT) / 2) < 3
    assert number.top > TOP + 65 * MM, "room for the red head"
    to = next(line for line in first.lines if line.text.startswith("示例经济开发区"))
    assert abs(to.left - LEFT) < 2
    assert "直属单位：" in squeezed("".join(texts))
    assert any("根据有关规定" in text for text in texts), "the first page shows text"


def test_a_header_row_repeats_and_each_row_is_on_one_page() -> None:
    table = ranking("第九组", 60)
    pages = layout(plain(Paragraph(SENTENCE), table))
    assert len(pages) > 2
    seen: dict[str, list[int]] = {}
    for at, page in enumerate(pages):
        texts = [squeezed(line.text) for line in page.lines]
        with_rows = False
        for row in table.rows:
            if row[1] != LONG_NAME and row[1] in "".join(texts):
                seen.setdefault(row[1], []).append(at)
                with_rows = True
        if with_rows:
            assert squeezed("".join(texts)).count("累计得分") == 1
            assert sum(text.count("排名") for text in texts) == 1
    wanted = [row[1] for row in table.rows if row[1] != LONG_NAME]
    assert sorted(seen) == sorted(wanted)
    assert all(len(places) == 1 for places in seen.values())
    assert_inside(pages)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 9, 30])
@pytest.mark.parametrize("note", ["", "注：并列。"])
def test_no_table_is_torn_wherever_its_page_ends(rows: int, note: str) -> None:
    """Eighteen tables, each a line lower on its page than the one before."""

    def table(at: int) -> TableBlock:
        names = ((str(i), f"表{at:02}行{i:02}号") for i in range(1, rows + 1))
        return TableBlock(("序号", "名称"), tuple(names), (3, 10), f"题{at:02}", note)

    annexes = tuple(
        Annex(
            f"附{at}",
            (*(Paragraph(f"上{i}。") for i in range(at)), table(at), Paragraph("下。")),
        )
        for at in range(18)
    )
    pages = [all_text([p]) for p in layout(plain(Paragraph("如下。"), annexes=annexes))]
    for at in range(18):
        on = [[n for n, t in enumerate(pages) if f"{row[1]}" in t] for row in table(at).rows]
        assert all(len(places) == 1 for places in on), (at, on)
        assert any(f"题{at:02}" in t and f"表{at:02}行01号" in t for t in pages), at
        if rows > 2:
            assert on[-1] == on[-2], "the last row does not stand alone"
    for text in pages:
        if "序号名称" in text or (note and note in text):
            assert "行" in text, "neither header nor note stand alone"


def test_a_whole_circular_loses_no_character() -> None:
    document = circular()
    pages = layout_of(printed(circular))
    text = all_text(pages)
    for block in (*document.blocks, *document.annexes[0].blocks, *document.annexes[1].blocks):
        if isinstance(block, TableBlock):
            for row in block.rows:
                for cell in row:
                    # A cell's lines stand between those of its neighbours.
                    assert not set(squeezed(cell)) - set(text), cell
        else:
            for char in squeezed(block.text):
                assert char in text, char
    for char in "镕喆堃𬭳龘":
        assert text.count(char) == 1
    assert text.count("件：") - text.count("附件：") == 60
    for number in range(1, 61):
        assert text.count(f"第{number:03}件") == 1
    assert_inside(pages)


def test_an_annex_stands_on_a_new_page_with_its_title_in_the_third_line() -> None:
    pages = layout_of(printed(circular))
    for number, annex in enumerate(circular().annexes, 1):
        page = next(p for p in pages if squeezed(p.lines[0].text) == f"附件{number}")
        assert squeezed(page.lines[1].text) == annex.title
        assert abs(middle(page.lines[1]) - middle(page.lines[0]) - 2 * 28.95) < 5
    listed = squeezed("".join(line.text for page in pages for line in page.lines))
    assert "附件：1.2026年第三季度采用信息标题2.报送要求" in listed


def test_one_annex_has_no_number() -> None:
    pages = layout(plain(Paragraph("通知如下。"), annexes=(Annex("名单", (Paragraph("无。"),)),)))
    assert [squeezed(p.lines[0].text) for p in pages][1] == "附件"
    assert "附件：名单" in all_text(pages)


@pytest.mark.parametrize(
    "issuer",
    ["示例局", "示例旗人民政府办公室", "某某自治区某某市某某旗重要信息舆情工作领导小组办公室"],
)
def test_the_date_ends_four_characters_from_the_right_below_the_issuer(issuer: str) -> None:
    (page,) = layout(plain(Paragraph("通知如下。"), issuer=issuer))
    day = next(line for line in page.lines if squeezed(line.text) == "2026年10月8日")
    name = next(line for line in page.lines if squeezed(line.text) == issuer)
    assert abs((name.left + name.right) / 2 - (day.left + day.right) / 2) < 3
    assert name.right < RIGHT + 2
    if len(issuer) < 14:
        assert abs(RIGHT - day.right - 4 * CHAR) < CHAR
    assert name.bottom < day.bottom


@pytest.mark.parametrize("paragraphs", range(9, 20))
def test_the_foot_fits_wherever_the_text_ends(paragraphs: int) -> None:
    """The signature never stands alone, 抄送 at the last page's foot is printed over nothing."""
    pages = layout(
        plain(
            *(Paragraph(f"第{i}段。") for i in range(paragraphs)),
            openness="主动公开",
            copies="旗委办公室，旗人大常委会办公室，旗政协办公室，旗纪委监委，旗人民法院，旗人民检察院",
        )
    )
    assert_inside(pages)
    signed = next(p for p in pages if "2026年10月8日" in all_text([p]))
    assert f"第{paragraphs - 1}段" in all_text([signed])
    last = text_area(pages[-1])
    assert squeezed(last[-1].text).endswith("旗人民检察院。")
    assert BOTTOM - last[-1].bottom < 12
    assert "（此件公开发布）" in all_text(pages)


def test_a_draft_says_so_on_every_page_and_leaves_its_date_open() -> None:
    pages = layout(plain(Paragraph(SENTENCE * 30), issued=None, openness="依申请公开"))
    assert len(pages) > 2
    for page in pages:
        assert squeezed(page.lines[0].text) == DRAFT_MARK
        assert page.lines[0].bottom < TOP
    text = all_text(pages)
    assert "年月日" in text
    assert "公开发布" not in text
    assert DRAFT_MARK not in all_text(layout_of(printed(circular)))


def test_what_somebody_typed_breaks_nothing() -> None:
    """XML, control characters, a lone surrogate, right-to-left marks, an endless token, scripts
    the fonts lack."""
    hostile = 'A<b>&amp;"c"\x00\x07\x1b\ud83d\u202e尾\ufffe ]]> {{ x }} 😀 ᠮᠣᠩᠭᠣᠯ'
    token = "https://example.org/" + "abcdefghij" * 30
    table = TableBlock(
        ("序号", token[:90], "备注"),
        (("1", token, hostile), ("2", "9" * 60, "无")),
        (2, 10, 10),
    )
    pages = layout(
        plain(
            Paragraph(hostile), Paragraph(token), table,
            title=hostile, number=hostile, addressee=hostile + token, issuer=hostile,
            copies=token, annexes=(Annex(token, (Paragraph(hostile),)),),
        )
    )  # fmt: skip
    text = all_text(pages)
    assert text.count("<b>&amp;") >= 6
    assert "尾\ufffd]]>{{x}}" in text
    assert text.count("abcdefghij") > 60
    for page in pages:
        for line in page.lines:
            assert line.right <= RIGHT + 2, line


def test_a_row_taller_than_a_page_loses_nothing() -> None:
    words = "".join(f"甲{i:04}乙" for i in range(900))
    table = TableBlock(("序号", "内容"), (("1", words), ("2", "尾行")), (3, 20))
    text = all_text(layout(plain(table)))
    assert all(f"{i:04}乙" in text for i in range(900))
    assert "尾行" in text


def test_table_after_table_and_an_empty_one() -> None:
    empty = TableBlock(HEADER, (), (3, 14, 4, 4, 4, 5, 6))
    pages = layout(plain(empty, ranking("第一组", 1), titles(1)))
    assert all_text(pages).count("累计得分") == 2
    assert_inside(pages)


def test_the_shipped_template_prints_the_same_words(tmp_path: Path) -> None:
    path = tmp_path / "circular.docx"
    path.write_bytes(example.example())
    pages = layout_of(pdf_of(own.render(path, circular())))
    assert_inside(pages)
    text = all_text(pages)
    assert text.startswith("示例旗人民政府办公室文件示政办通〔2026〕12号")
    assert "{" not in text
    for number in range(1, 61):
        assert text.count(f"第{number:03}件") == 1
    assert squeezed(text_area(pages[-1])[-1].text).endswith("旗人民检察院。")
    assert page_number(pages[1]).left < page_number(pages[0]).left


def test_pictures_and_texts_of_pages() -> None:
    pdf = printed(circular)
    assert png_of(pdf, 1).startswith(b"\x89PNG")
    assert len(pages_of(pdf)) == len(layout_of(pdf))
