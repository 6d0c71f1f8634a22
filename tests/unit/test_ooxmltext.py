"""The words of .docx files, good and hostile."""

from __future__ import annotations

import io
import zipfile

import docx
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.mail.ooxmltext import MAX_INFLATED, ooxml_text


def _zip(parts: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_what_word_writes_is_read_paragraph_by_paragraph() -> None:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "机密★1年"
    document.add_paragraph("春耕备耕工作进展")
    document.add_paragraph("“种＋养”<试点> & 推广")
    document.add_table(rows=1, cols=1).cell(0, 0).text = "表内文字"
    out = io.BytesIO()
    document.save(out)
    text, whole = ooxml_text(out.getvalue())
    assert whole
    assert text.split("\n") == ["机密★1年", "春耕备耕工作进展", "“种＋养”<试点> & 推广", "表内文字"]


def test_what_excel_writes_is_read_too() -> None:
    book = openpyxl.Workbook()
    book.active.append(["密级", "机密★3年"])
    out = io.BytesIO()
    book.save(out)
    text, whole = ooxml_text(out.getvalue())
    assert whole and text.split("\n") == ["密级", "机密★3年"]


def test_a_word_split_over_runs_stays_one_word() -> None:
    xml = "<w:p><w:r><w:t>机密</w:t></w:r><w:r><w:t xml:space='preserve'>★1年</w:t></w:r></w:p>"
    assert ooxml_text(_zip({"word/document.xml": xml}))[0] == "机密★1年"


def test_a8_entities_of_a_hostile_file_are_not_expanded() -> None:
    xml = (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
        "<w:p><w:t>&a;&f;公开</w:t></w:p>"
    )
    text, _ = ooxml_text(_zip({"word/document.xml": xml}))
    assert "root:" not in text and "aaaaaaaaaa" not in text and "公开" in text


def test_a7_a_bomb_is_cut_and_says_so() -> None:
    bomb = b"<w:p><w:t>" + "好".encode() * 1000 + b"</w:t></w:p>"
    text, whole = ooxml_text(_zip({"word/document.xml": bomb * (MAX_INFLATED // len(bomb) + 50)}))
    assert not whole and text.startswith("好好")


@pytest.mark.parametrize("body", ["<w:t " * 200_000, "<w:t>" * 200_000, "<w:t>a" * 300_000])
def test_unclosed_runs_cost_no_more_than_their_length(body: str) -> None:
    assert ooxml_text(_zip({"word/document.xml": body})) == ("", True)


def test_a_method_word_never_uses_is_not_unpacked() -> None:
    data = _zip({"word/document.xml": "<w:p><w:t>机密</w:t></w:p>"}, zipfile.ZIP_LZMA)
    assert ooxml_text(data)[0] == ""


@given(st.binary(max_size=400), st.integers(0, 600))
def test_any_bytes_are_survived(noise: bytes, at: int) -> None:
    good = _zip({"word/document.xml": "<w:p><w:t>春耕</w:t></w:p>"})
    for data in (noise, good[:at] + noise + good[at:], good[:at]):
        text, _ = ooxml_text(data)
        assert "\x00" not in text or b"\x00" in noise
