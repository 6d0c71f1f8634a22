"""An office's own Word template: filled, and its faults told before it is used."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import docx
import pytest
from docx.oxml.ns import qn

from mailbot.adapters.word import own
from mailbot.adapters.word.example import example
from mailbot.adapters.word.fields import FIELDS
from mailbot.adapters.word.gongwen import DRAFT_MARK
from mailbot.app.errors import Fault, OperatorFault
from mailbot.core.documents.model import Document, Paragraph
from tests.word_help import LONG_NAME, circular, plain

Template = Callable[..., Path]


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """A template of these paragraphs, saved by the library as Word would."""

    def make(*paragraphs: str, header: str = "", cells: tuple[str, ...] = ()) -> Path:
        file = docx.Document()
        for text in paragraphs:
            file.add_paragraph(text)
        if header:
            file.sections[0].header.paragraphs[0].text = header
        if cells:
            table = file.add_table(rows=len(cells), cols=1)
            for row, text in zip(table.rows, cells, strict=True):
                row.cells[0].text = text
        path = tmp_path / "quarter.docx"
        file.save(str(path))
        return path

    return make


def words(data: bytes) -> list[str]:
    body = docx.Document(io.BytesIO(data)).element.body
    return ["".join(t.text or "" for t in p.iter(qn("w:t"))) for p in body.iter(qn("w:p"))]


def only(faults: list[Fault]) -> Fault:
    assert len(faults) == 1, faults
    return faults[0]


def refused(path: Path, document: Document) -> str:
    with pytest.raises(OperatorFault) as raised:
        own.render(path, document)
    return str(raised.value)


def test_the_example_is_good_and_names_every_field(tmp_path: Path) -> None:
    path = tmp_path / "quarter.docx"
    path.write_bytes(example())
    assert own.check(path) == []
    assert example() == example()
    shown = "".join(words(example()))
    assert all(f"{name}：" in shown for name in FIELDS)
    filled = words(own.render(path, circular()))
    assert own.render(path, circular()) == own.render(path, circular())
    assert "示例旗人民政府办公室文件" in filled
    assert LONG_NAME in filled
    assert not any("{" in text or "说明" in text for text in filled)


def test_simple_fields_lists_and_tables(template: Template) -> None:
    path = template(
        "{{ 标题 }}",
        "{%p for 一节 in 章节 %}",
        "{{ 一节.标题 }}有{{ 一节.段落|length }}段",
        "{%p for 一表 in 一节.表格 %}",
        "{{ 一表.表名 }}：{{ 一表.行[0][1] }}得{{ 一表.行|map('last')|first }}分",
        "{%p endfor %}",
        "{%p endfor %}",
        "{%p for 一件 in 附件 %}",
        "{{ 一件.序号 }}《{{ 一件.标题 }}》共{{ 一件.表格|length }}张表",
        "{%p endfor %}",
        "{{ 年 }}/{{ 月 }}/{{ 日 }}",
    )
    assert own.check(path) == []
    filled = words(own.render(path, circular()))
    assert "第一组：第一组示例局01号得1320.5分" in filled
    assert "一、总体情况有1段" in filled
    assert "附件1《2026年第三季度采用信息标题》共1张表" in filled
    assert "2026/10/8" in filled


def test_values_are_shown_never_run_and_break_nothing(template: Template) -> None:
    path = template("{{ 标题 }}", "{%p for 一段 in 段落 %}", "{{ 一段 }}", "{%p endfor %}")
    hostile = "<w:p/>&lt;{{ 7*7 }}{% for %}\x00\ud800 ]]>"
    filled = words(own.render(path, plain(Paragraph(hostile), title=hostile)))
    assert filled[0].startswith("<w:p/>&lt;{{ 7*7 }}{% for %}")
    assert filled[1] == filled[0]
    properties = docx.Document(io.BytesIO(own.render(path, plain(title="甲&乙")))).core_properties
    assert properties.title == "甲&乙"


@pytest.mark.parametrize(
    ("text", "found", "remedy"),
    [
        ("{{ 题目 }}", "没有叫“题目”的字段", "是不是“标题”"),
        ("{{ 发文号 }}", "没有叫“发文号”的字段", "文号"),
        ("{% if 公开 %}甲{% endif %}", "没有叫“公开”的字段", "标题"),
        ("{% for 一件 in 附件 %}{{ 一件.名称 }}{% endfor %}", "“一件”里没有“名称”", "标题"),
        ("{% for 甲 in 表格 %}{% for 乙 in 甲.列 %}{% endfor %}{% endfor %}", "“甲”里没有“列”", "行"),
        ("{{ 附件.标题 }}", "“附件”是列表", "序号"),
        ("{{ 附件[0].题 }}", "里没有“题”", "标题"),
        ("{{ (附件|first).题 }}", "里没有“题”", "标题"),
        ("{% set 件 = 附件 %}{% for 一 in 件 %}{{ 一['题'] }}{% endfor %}", "里没有“题”", "标题"),
        ("{{ 标题.全称 }}", "是文字", ""),
        ("{% if false %}{{ 没有的 }}{% endif %}", "没有叫“没有的”的字段", ""),
        ("{{ loop.index }}", "没有叫“loop”的字段", ""),
        ("{{ ''.__class__ }}", "没有“__class__”|安全|access", ""),
    ],
)  # fmt: skip
def test_an_unknown_field_is_named(template: Template, text: str, found: str, remedy: str) -> None:
    fault = only(own.check(template(text, "{{p 版式正文 }}")))
    assert any(one in fault.found for one in found.split("|")), fault
    assert remedy in fault.remedy
    assert "quarter.docx" in fault.where


def test_every_unknown_field_at_once_with_its_part(template: Template) -> None:
    path = template(
        "{{ 甲甲 }}", "{{ 乙乙 }}{{ 甲甲 }}", header="{{ 丙丙 }}", cells=("{{ 丁丁 }}",)
    )
    faults = own.check(path)
    assert [f.found for f in faults if "（正文）" in f.where] == [
        f"没有叫“{name}”的字段" for name in ("甲甲", "乙乙", "丁丁")
    ]
    assert [f.found for f in faults if "（页眉）" in f.where] == ["没有叫“丙丙”的字段"]
    assert "甲甲" in refused(path, plain())


@pytest.mark.parametrize(
    "text",
    ["{% for 甲 in 附件 %}没有完", "{{ 标题", "{% endif %}", "{{ 标题 | 大写 }}", "{% 如果 %}"],
)
def test_a_slip_in_the_writing_is_quoted(template: Template, text: str) -> None:
    fault = only(own.check(template("第一段", text, "{{p 版式正文 }}")))
    assert any(one in fault.found for one in ("写法不对", "不成对", "出错"))
    assert "出错" in fault.found or text in fault.found
    assert fault.remedy


def test_ready_made_parts_need_a_paragraph_of_their_own(template: Template) -> None:
    fault = only(own.check(template("正文：{{ 版式正文 }}完")))
    assert "单独占一段" in fault.remedy
    assert own.check(template("{{p 版式正文 }}")) == []


def test_a_template_without_the_text_is_refused(template: Template) -> None:
    assert "没有正文" in only(own.check(template("{{ 标题 }}"))).found
    assert "没有正文" in only(own.check(template("只有字"))).found


def test_annexes_are_never_left_out(template: Template) -> None:
    path = template("{{ 标题 }}", "{{p 版式正文 }}")
    assert own.check(path) == []
    assert "2026年第三季度采用信息标题" in refused(path, circular())
    assert own.render(path, replace(circular(), annexes=()))


def test_a_draft_is_marked_once_whatever_the_template_has(template: Template) -> None:
    draft = plain(Paragraph("甲"), issued=None)
    without = template("{{ 标题 }}", "{{p 版式正文 }}")
    assert words(own.render(without, draft)).count(DRAFT_MARK) == 1
    assert DRAFT_MARK not in words(own.render(without, plain(Paragraph("甲"))))
    placed = template("{{ 草稿标记 }}", "{{p 版式正文 }}")
    assert words(own.render(placed, draft)).count(DRAFT_MARK) == 1


def test_a_file_that_is_being_edited(template: Template) -> None:
    path = template("{{p 版式正文 }}")
    for name in ("~$quarter.docx", "~$arter.docx", "~$uarter.docx", ".~lock.quarter.docx#"):
        lock = path.with_name(name)
        lock.touch()
        fault = only(own.check(path))
        assert "正在被编辑" in fault.found
        assert name in fault.found
        assert "正在被编辑" in refused(path, plain())
        lock.unlink()
    assert own.check(path) == []


def test_a_file_that_windows_keeps_to_itself(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = template("{{p 版式正文 }}")

    def denied(_self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    fault = only(own.check(path))
    assert "读不了：Permission denied" in fault.found
    assert "权限" in fault.remedy


def test_files_that_cannot_be_read(tmp_path: Path, template: Template) -> None:
    assert "没有这个文件" in only(own.check(tmp_path / "none.docx")).found
    folder = tmp_path / "folder.docx"
    folder.mkdir()
    assert "读不了" in only(own.check(folder)).found


def packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    return packed(parts | {name: content})


_BODY = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"}


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "不是 Word 文档"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "旧格式"),
        (b"PK\x03\x04 broken", "已损坏"),
        (example()[:-400], "已损坏"),
        (packed({"a.txt": b"a"}), "没有 Word 文档的正文"),
        (packed(_BODY), "已损坏"),
        (with_part(example(), "word/vbaProject.bin", b"x"), "宏"),
        (with_part(example(), "word/document.xml", b"<!DOCTYPE a><a/>"), "DOCTYPE"),
        (with_part(example(), "word/document.xml", b"<w:document"), "已损坏"),
        (with_part(example(), "word/bomb.xml", b" " * 30_000_000), "过大"),
        (with_part(example(), "word/media/bomb.bin", bytes(120_000_000)), "过大"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_good(tmp_path: Path, data: bytes, found: str) -> None:
    path = tmp_path / "quarter.docx"
    path.write_bytes(data)
    assert found in only(own.check(path)).found
    assert found in refused(path, plain())


def test_where_an_office_keeps_its_templates(tmp_path: Path) -> None:
    found = own.template_path(tmp_path, "otog", "quarter")
    assert found == tmp_path / "otog" / "templates" / "word" / "quarter.docx"
