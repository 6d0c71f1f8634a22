"""How many items a mail carries, and whose file is whose."""

from __future__ import annotations

from datetime import date

import pytest

from mailbot.core.intake.content import Content
from mailbot.core.intake.split import Split, split
from mailbot.core.mail.model import DOCUMENT_KINDS, Attachment, AttachmentKind
from mailbot.core.subject.model import Certainty, FieldValue, Reading, Source
from tests.unit.roster_helper import made_of

ROSTER = made_of("农牧局", "水利局")
DAY = date(2026, 8, 12)
W, P, IMG, A, S = (
    AttachmentKind.WORD,
    AttachmentKind.PDF,
    AttachmentKind.IMAGE,
    AttachmentKind.ARCHIVE,
    AttachmentKind.SHEET,
)


def file(name: str, kind: AttachmentKind = W, text: str = "") -> Attachment:
    return Attachment(name, "x/y", kind, 10, f"sha {name}", name, text=text)


def of(*files: Attachment, text: str = "请查收附件") -> Content:
    return Content(text, tuple(f for f in files if f.kind in DOCUMENT_KINDS), files)


def counted(count: int | None, title: str | None = None) -> Reading:
    value = FieldValue(title, Source.SUBJECT, Certainty.CERTAIN) if title else None
    return Reading("", title=value, count=count)


def shape(result: Split) -> list[tuple[str, list[str]]]:
    return [(p.title, [f.name for f in p.files]) for p in result.parts]


def test_a_single_item_keeps_everything() -> None:
    content = of(file("稿.docx"), file("图.jpg", IMG), file("表.xlsx", S), file("b.zip", A))
    result = split(counted(None, "春耕"), content, ROSTER, DAY)
    assert shape(result) == [("", ["稿.docx", "图.jpg", "表.xlsx", "b.zip"])]
    assert split(counted(1, "春耕"), content, ROSTER, DAY) == result


def test_the_stated_number_of_documents() -> None:
    content = of(file("1.春耕.docx"), file("2.防火.docx"), file("表.xlsx", S))
    result = split(counted(2), content, ROSTER, DAY)
    assert shape(result) == [("春耕", ["1.春耕.docx", "表.xlsx"]), ("防火", ["2.防火.docx"])]
    assert result.titles_from is Source.ATTACHMENT


def test_a_word_file_and_its_stamped_copy_are_one() -> None:
    content = of(
        file("春耕（盖章版）.pdf", P), file("春耕.docx"), file("防火.docx"), file("防火.pdf", P)
    )
    result = split(counted(2), content, ROSTER, DAY)
    assert shape(result) == [
        ("春耕", ["春耕.docx", "春耕（盖章版）.pdf"]),
        ("防火", ["防火.docx", "防火.pdf"]),
    ]


def test_two_word_files_of_one_name_stay_two() -> None:
    assert not split(counted(2), of(file("春耕.docx"), file("春耕.docx")), ROSTER, DAY).disagreement


@pytest.mark.parametrize(
    "files",
    [
        (),
        (file("春耕.docx"),),
        (file("春耕.docx"), file("防火.docx"), file("造林.docx")),
        (file("照片1.jpg", IMG), file("照片2.jpg", IMG)),
        (file("两条信息.zip", A),),
    ],
)
def test_disagreement_keeps_all_in_one_part(files: tuple[Attachment, ...]) -> None:
    result = split(counted(2), of(*files), ROSTER, DAY)
    assert "2条" in result.disagreement
    assert shape(result) == [("", [f.name for f in files])]


def test_an_archive_is_named_in_the_disagreement() -> None:
    result = split(counted(3), of(file("7月信息.zip", A)), ROSTER, DAY)
    assert "压缩包1个" in result.disagreement


def test_nameless_files_are_titled_by_their_heading() -> None:
    one = "农牧局\n政务信息\n第12期\n2026年8月1日\n春耕备耕工作进展顺利\n今年以来，" + "春" * 80
    two = "2026年草原防火工作全面部署\n正文"
    content = of(file("附件1.docx", text=one), file("附件2.docx", text=two))
    result = split(counted(2), content, ROSTER, DAY)
    assert [p.title for p in result.parts] == [
        "春耕备耕工作进展顺利",
        "2026年草原防火工作全面部署",
    ]


def test_a_file_that_says_nothing_is_for_a_person() -> None:
    content = of(file("附件1.docx"), file("春耕.docx"))
    assert "附件1.docx" in split(counted(2), content, ROSTER, DAY).disagreement


def test_files_named_like_whole_subjects() -> None:
    content = of(
        file("农牧局+春耕备耕工作进展顺利+张三+7622029.docx"),
        file("农牧局+草原防火宣传深入牧户+张三+7622029.docx"),
    )
    result = split(counted(2), content, ROSTER, DAY)
    assert [p.title for p in result.parts] == ["春耕备耕工作进展顺利", "草原防火宣传深入牧户"]


def test_numbered_titles_find_their_files_whatever_their_order() -> None:
    reading = Reading("", titles=("春耕备耕工作进展顺利", "草原防火宣传深入牧户"))
    content = of(
        file("草原防火宣传深入牧户.docx"),
        file("春耕备耕工作进展顺利（定稿）.docx"),
        file("草原防火宣传深入牧户.jpg", IMG),
    )
    assert shape(split(reading, content, ROSTER, DAY)) == [
        ("春耕备耕工作进展顺利", ["春耕备耕工作进展顺利（定稿）.docx"]),
        ("草原防火宣传深入牧户", ["草原防火宣传深入牧户.docx", "草原防火宣传深入牧户.jpg"]),
    ]


def test_a_file_that_fits_the_second_title_is_not_spent_on_the_first() -> None:
    """7月 and 8月 differ by one character; the nameless file is the first title's."""
    reading = Reading("", titles=("8月份工作动态", "7月份工作动态"))
    content = of(file("7月份工作动态.docx"), file("附件.docx"))
    assert shape(split(reading, content, ROSTER, DAY)) == [
        ("8月份工作动态", ["附件.docx"]),
        ("7月份工作动态", ["7月份工作动态.docx"]),
    ]


def test_one_text_with_all_titles_in_it() -> None:
    reading = Reading("", titles=("春耕备耕", "草原防火"))
    both = "一、春耕备耕\n……\n二、草原防火\n……"
    for content in (of(text=both), of(file("信息.docx", text=both))):
        result = split(reading, content, ROSTER, DAY)
        assert not result.disagreement
        assert [p.title for p in result.parts] == ["春耕备耕", "草原防火"]
    assert split(reading, of(file("信息.docx", text="一、春耕备耕")), ROSTER, DAY).disagreement


def test_a_correction_without_files_is_about_what_is_awaited() -> None:
    awaited = ("春耕备耕", "草原防火")
    result = split(counted(2), of(text=""), ROSTER, DAY, awaited=awaited)
    assert shape(result) == [("春耕备耕", []), ("草原防火", [])]
    assert result.titles_from is Source.EARLIER
    assert split(counted(3), of(text=""), ROSTER, DAY, awaited=awaited).disagreement
    assert split(counted(2), of(file("x.docx")), ROSTER, DAY, awaited=awaited).disagreement
