"""What stands beside the subject fills what it lacks, under its own name, and never more."""

from __future__ import annotations

from datetime import date

import pytest

from mailbot.core.subject.form import BLANKS, corrected_subject, format_subject
from mailbot.core.subject.model import Certainty, FieldName, FieldValue, Hints, Reading, Source
from mailbot.core.subject.reader import read_subject
from mailbot.core.subject.roster import Contact, Roster, Unit, UnitName
from tests.unit.roster_helper import otog

DAY = date(2026, 8, 12)


def read(subject: str, hints: Hints, roster: Roster | None = None) -> Reading:
    return read_subject(
        subject, roster or otog(), DAY, hints=hints, noise=("政务信息",), marks=("问题", "约稿")
    )


def found(value: FieldValue | None) -> tuple[str, Source, Certainty] | None:
    return (value.value, value.source, value.certainty) if value else None


def test_a_labelled_line_of_the_body() -> None:
    reading = read(
        "春耕备耕工作进展顺利",
        Hints(body="今年以来……\n报送单位：农牧局\n报送人：张三　联系方式：13847700000"),
    )
    assert found(reading.unit) == ("农牧局", Source.BODY, Certainty.CERTAIN)
    assert found(reading.submitter) == ("张三", Source.BODY, Certainty.CERTAIN)
    assert [found(c) for c in reading.contact] == [("13847700000", Source.BODY, Certainty.CERTAIN)]
    assert found(reading.title) == ("春耕备耕工作进展顺利", Source.SUBJECT, Certainty.LIKELY)


def test_labels_in_brackets_at_the_end_of_the_text() -> None:
    reading = read(
        "春耕备耕", Hints(body="正文。（报送单位：旗农牧局  报送人：张三 电话：0477-7622029）")
    )
    assert reading.unit and reading.unit.unit_id == "agriculture"
    assert reading.submitter and reading.submitter.value == "张三"
    assert [c.value for c in reading.contact] == ["0477-7622029"]


def test_a_signature() -> None:
    reading = read(
        "春耕备耕工作进展顺利",
        Hints(body="您好，请查收。\n\n农牧局 乌云其木格\n0477-7622029转803\n"),
    )
    assert found(reading.unit) == ("农牧局", Source.BODY, Certainty.LIKELY)
    assert found(reading.submitter) == ("乌云其木格", Source.BODY, Certainty.LIKELY)
    assert [c.value for c in reading.contact] == ["0477-7622029转803"]


@pytest.mark.parametrize(
    "quoted",
    ["> 联系电话：7622029", "-----原始邮件-----\n联系电话：7622029", "发件人: 李四\n联系电话：7622029",
     "在 2026-08-01 10:00，李四 写道：\n联系电话：7622029"],
)  # fmt: skip
def test_what_is_quoted_from_an_earlier_mail_is_nobodys_signature(quoted: str) -> None:
    assert read("农牧局+春耕备耕工作+张三", Hints(body="请查收\n" + quoted)).contact == ()


def test_the_name_of_the_one_document_is_read_like_a_subject() -> None:
    reading = read(
        "", Hints(attachment_names=("农牧局+春耕备耕工作进展顺利+张三+7622029.docx", "照片1.jpg"))
    )
    assert found(reading.title) == ("春耕备耕工作进展顺利", Source.ATTACHMENT, Certainty.LIKELY)
    assert reading.unit and reading.unit.source is Source.ATTACHMENT
    assert reading.submitter and reading.submitter.source is Source.ATTACHMENT


def test_two_documents_give_no_title() -> None:
    assert read("农牧局", Hints(attachment_names=("春耕进展.docx", "防疫情况.docx"))).title is None


def test_what_stands_in_the_subject_is_never_overridden() -> None:
    subject = "农牧局+春耕备耕工作进展顺利+张三+7622029"
    hints = Hints(
        "报送单位：水利局\n报送人：李四\n联系电话：7622030", ("水利局+别的.docx",), "water", "王五"
    )
    assert read(subject, hints) == read(subject, Hints())


def test_an_unknown_or_ambiguous_unit_stays_so() -> None:
    hints = Hints(sender_unit_id="agriculture")
    misspelt = read("农收局+春耕备耕工作+张三+7622029", hints)
    assert misspelt.unit and misspelt.unit.unit_id is None and misspelt.unit.candidates
    assert read("农牧局+水利局+春耕备耕工作+张三+7622029", hints).unit is None


def test_the_bound_address_and_places_that_disagree() -> None:
    bound = read("春耕备耕工作进展顺利", Hints(sender_unit_id="agriculture"))
    assert found(bound.unit) == ("农牧局", Source.SENDER, Certainty.CERTAIN)
    torn = read("春耕备耕工作进展顺利", Hints("报送单位：水利局", (), "agriculture"))
    assert found(torn.unit) == ("水利局", Source.BODY, Certainty.GUESS)


def test_the_rosters_liaison_on_the_day_is_a_guess() -> None:
    gone = Contact("liaison", "李四", "7622031", end=date(2026, 6, 30))
    now = Contact("liaison", "张三", "7622029", start=date(2026, 7, 1))
    head = Contact("head", "王五", "7622000")
    roster = Roster((Unit("a", (UnitName("农牧局"),), "g", (gone, head, now)),))
    reading = read("农牧局+春耕备耕工作进展顺利", Hints(body="请查收"), roster)
    assert found(reading.submitter) == ("张三", Source.ROSTER, Certainty.GUESS)
    assert [found(c) for c in reading.contact] == [("7622029", Source.ROSTER, Certainty.GUESS)]


def test_a_display_name_is_a_guess_and_a_unit_is_no_person() -> None:
    named = read("农牧局+春耕备耕工作进展顺利", Hints(sender_name="张三"))
    assert found(named.submitter) == ("张三", Source.SENDER, Certainty.GUESS)
    office = read("春耕备耕工作进展顺利", Hints(sender_name="鄂托克前旗农牧局"))
    assert office.submitter is None
    assert (
        office.unit and office.unit.unit_id == "agriculture" and office.unit.source is Source.SENDER
    )


def test_titles_of_several_items_are_left_to_the_files() -> None:
    hints = Hints("全旗春耕备耕工作进展顺利\n正文", ("春耕备耕.docx",))
    reading = read("农牧局7月信息3条（张三 7622029）", hints)
    assert (reading.count, reading.month, reading.title) == (3, 7, None)


def test_the_opening_line_of_the_text_is_only_a_guess() -> None:
    reading = read("农牧局 张三 7622029", Hints(body="全旗春耕备耕工作进展顺利\n今年以来，……"))
    assert found(reading.title) == ("全旗春耕备耕工作进展顺利", Source.BODY, Certainty.GUESS)
    assert read("农牧局 张三 7622029", Hints(body="您好，请查收附件")).title is None


# --- the corrected line --------------------------------------------------------------------


def test_the_corrected_line_holds_what_was_found_and_blanks_for_the_rest() -> None:
    line, complete = corrected_subject(
        read("春耕备耕工作进展顺利", Hints(sender_unit_id="agriculture")), otog()
    )
    assert not complete
    assert (
        line
        == f"农牧局+春耕备耕工作进展顺利+{BLANKS[FieldName.SUBMITTER]}+{BLANKS[FieldName.CONTACT]}"
    )
    again = read(line, Hints())
    assert again.submitter is None and again.contact == () and not again.ambiguities


def test_marks_stay_before_the_title() -> None:
    line, complete = corrected_subject(
        read("农牧局+【问题类】【约稿】奶价下跌牧户压栏+张三", Hints(body="电话：7622029")), otog()
    )
    assert complete and line == "农牧局+【问题类】【约稿】奶价下跌牧户压栏+张三+7622029"
    assert read(line, Hints()).marks == ("问题类", "约稿")


def test_a_statement_of_several_items_stays() -> None:
    line, complete = corrected_subject(
        read("农牧局 7月信息3条", Hints(body="张三 7622029")), otog()
    )
    assert complete and line == "农牧局+7月信息3条+张三+7622029"


@pytest.mark.parametrize(
    ("subject", "named"),
    [
        ("农牧局+水利局+春耕备耕工作+张三+7622029", ("农牧局", "水利局")),
        ("农收局+春耕备耕工作+张三+7622029", ("农牧局",)),
        ("农牧局+高飞+李四+7622029", ("高飞", "李四")),
    ],
)
def test_an_open_question_is_a_blank_that_names_the_answers(
    subject: str, named: tuple[str, ...]
) -> None:
    line, complete = corrected_subject(read(subject, Hints()), otog())
    assert not complete and all(name in line for name in named)
    again = read(line, Hints())
    assert again.unit is None or again.submitter is None


def test_a_name_no_pattern_knows_is_offered_with_its_label() -> None:
    """Otherwise its bearer could send the same line for ever and never be accepted."""
    reading = read("农牧局+春耕备耕工作进展顺利+亘一+7622029", Hints())
    assert found(reading.submitter) == ("亘一", Source.SUBJECT, Certainty.GUESS)
    line, complete = corrected_subject(reading, otog())
    again = read(line, Hints())
    assert complete and found(again.submitter) == ("亘一", Source.SUBJECT, Certainty.CERTAIN)


def test_the_office_s_example_is_what_we_write() -> None:
    assert (
        format_subject("农牧局", "春耕备耕工作进展顺利", "张三", ["7622029"])
        == "农牧局+春耕备耕工作进展顺利+张三+7622029"
    )
