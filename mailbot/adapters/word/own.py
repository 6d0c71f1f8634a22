"""An office's own Word template in place of the official layout.

`<offices>/<office>/templates/word/<letter>.docx` is a Word file with names in double braces
(`fields.FIELDS`); docxtpl fills it. Promises:

* Templates run in jinja2's sandbox, every unknown name is an error, every value is escaped.
* A file is looked at (`package.refusal`) before anything opens it, and read once, whole.
* `check` tells all faults at once, each with the part of the file and what to do; `render` refuses
  rather than leave out annexes that the template has no place for, and marks every draft.

Nothing here decides what a document says.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from docx.opc.oxml import parse_xml
from docx.oxml.ns import qn
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from mailbot.adapters.word.fieldcheck import Walk
from mailbot.adapters.word.fields import ANNEX_FIELDS, BODY_FIELDS, DRAFT_FIELD, FIELDS, context_of
from mailbot.adapters.word.gongwen import DRAFT_LOOK, DRAFT_MARK
from mailbot.adapters.word.markup import NAMESPACE, paragraph
from mailbot.adapters.word.package import refusal, settled
from mailbot.adapters.word.text import clean
from mailbot.app.errors import Fault, OperatorFault
from mailbot.core.documents.model import Annex, Document, Heading, Paragraph, TableBlock

_PARTS = (("header", "页眉"), ("footer", "页脚"), ("footnotes", "脚注"))
_PAIR = re.compile(r"\{#.*?#\}|\{\{(?:(?!\{\{|\{%).)*?\}\}|\{%(?:(?!\{\{|\{%).)*?%\}", re.DOTALL)
_BRACES = "检查花括号、百分号是否成对，for 有没有 endfor，if 有没有 endif"
_SHOWN = 60
"""Characters of a paragraph quoted in a message."""


def template_path(offices: Path, office_id: str, letter_id: str) -> Path:
    """Where an office's own template for a letter would be; most offices have none."""
    return offices / office_id / "templates" / "word" / f"{letter_id}.docx"


def check(path: Path) -> list[Fault]:
    """All faults of a template; empty when it is good."""
    try:
        data = _read(path)
        faults, used = _names(path, data)
        if faults:
            return faults
        if not used & set(BODY_FIELDS):
            names = "、".join(BODY_FIELDS)
            return [
                Fault(
                    str(path),
                    "模板里没有正文：发出去的文件会缺内容",
                    f"在正文的位置单独一段写 {{{{p 版式正文 }}}}，或用这些字段之一：{names}",
                )
            ]
        for sample in _samples(annexes=bool(used & set(ANNEX_FIELDS))):
            _filled(path, data, sample, mark=False)
    except OperatorFault as fault:
        return list(fault.faults)
    return []


def render(path: Path, document: Document) -> bytes:
    """A .docx by the template. Raises `OperatorFault` when the template is broken or has no place
    for the document's annexes."""
    data = _read(path)
    faults, used = _names(path, data)
    if document.annexes and not used & set(ANNEX_FIELDS):
        titles = "、".join(clean(a.title) for a in document.annexes)
        faults.append(
            Fault(
                str(path),
                f"模板里没有放附件的地方，这份文件有附件：{titles}",
                "在文末单独一段写 {{p 版式附件 }}",
            )
        )
    if faults:
        raise OperatorFault(*faults)
    return _filled(path, data, document, mark=DRAFT_FIELD not in used)


# --- the file ----------------------------------------------------------------------------------


def _read(path: Path) -> bytes:
    """Raises `OperatorFault` for a file that is absent, locked, broken or not to be opened."""
    lock = next((f for f in _lock_files(path) if f.exists()), None)
    if lock is not None:
        raise OperatorFault(
            Fault(
                str(path),
                f"文件正在被编辑（旁边有锁定文件 {lock.name}）",
                "在 Word 或 WPS 里保存并关闭它；没有人打开它的话，删掉这个锁定文件",
            )
        )
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise OperatorFault(Fault(str(path), "没有这个文件", "检查文件名和文件夹")) from None
    except OSError as error:
        raise OperatorFault(
            Fault(
                str(path),
                f"文件读不了：{error.strerror or error}",
                "检查文件权限，或先关闭打开着它的程序",
            )
        ) from error
    why = refusal(data)
    if why:
        raise OperatorFault(Fault(str(path), why, "用 Word 或 WPS 打开，另存为新的 .docx 再放回来"))
    return data


def _lock_files(path: Path) -> Iterator[Path]:
    """Word puts `~$` before a short name and in place of a longer one's first letters; WPS and
    LibreOffice have their own."""
    for name in (f"~${path.name}", f"~${path.name[1:]}", f"~${path.name[2:]}"):
        yield path.with_name(name)
    yield path.with_name(f".~{path.name}")
    yield path.with_name(f".~lock.{path.name}#")


def _opened(path: Path, data: bytes) -> _Template:
    template = _Template(io.BytesIO(data))
    try:
        template.init_docx()
    except Exception as error:  # the library raises whatever a broken file makes it stumble over
        raise OperatorFault(
            Fault(
                str(path),
                f"文件已损坏，Word 文档的内容读不出来（{type(error).__name__}）",
                "用 Word 或 WPS 打开，另存为新的 .docx 再放回来",
            )
        ) from error
    return template


# --- names -------------------------------------------------------------------------------------


def _names(path: Path, data: bytes) -> tuple[list[Fault], set[str]]:
    """Syntax errors and unknown names of every part, and the fields that are used."""
    template, environment = _opened(path, data), _environment()
    walk = Walk()
    faults: list[Fault] = []
    known = {name: kind for name, (kind, _) in FIELDS.items()}
    for part, xml in _parts(template):
        where = f"{path}（{part}）"
        torn = list(_torn(xml))
        faults += (Fault(where, f"花括号不成对；在这一段：{text}", _BRACES) for text in torn)
        if torn:
            continue
        before = len(walk.unknown)
        source = re.sub(r"<w:p([ >])", r"\n<w:p\1", template.patch_xml(xml))
        try:
            tree = environment.parse(source)
        except TemplateSyntaxError as error:
            near = _paragraph_text(source, error.lineno)
            found = f"模板写法不对：{error.message}" + (f"；在这一段：{near}" if near else "")
            faults.append(Fault(where, found, _BRACES))
            continue
        walk.template(tree, known, set(environment.globals))
        faults += (Fault(where, u.why, u.remedy) for u in walk.unknown[before:])
    return faults, walk.used


def _parts(template: _Template) -> Iterator[tuple[str, str]]:
    """Name and XML of each part that is filled."""
    yield "正文", template.get_xml()
    for part in template.docx.part.package.iter_parts():
        for key, name in _PARTS:
            if str(part.partname).startswith(f"/word/{key}"):
                yield name, template.xml_to_string(parse_xml(part.blob))


def _torn(xml: str) -> Iterator[str]:
    """Paragraphs with half a pair of braces: the library would look for the other half further on
    and lose what stands between."""
    for paragraph_xml in re.findall(r"<w:p[ >].*?</w:p>", xml, re.DOTALL):
        text = html.unescape(re.sub(r"<[^>]*>", "", paragraph_xml))
        if re.search(r"\{\{|\}\}|\{%|%\}|\{#|#\}", _PAIR.sub("", text)):
            yield _quoted(text)


def _paragraph_text(source: str, line: int | None) -> str:
    found = source.split("\n")
    if line is None or not 0 < line <= len(found):
        return ""
    return _quoted(html.unescape(re.sub(r"<[^>]*>", "", found[line - 1])))


def _quoted(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


# --- filling -----------------------------------------------------------------------------------


class _Template(DocxTemplate):  # type: ignore[misc]
    def fix_tables(self, xml: str) -> Any:
        """Before the library repairs what was filled in, silently dropping what it cannot: is it
        still a Word document?"""
        tree = parse_xml(xml)
        for element in tree.iter(qn("w:p"), qn("w:tbl")):
            if element.getparent().tag in (qn("w:t"), qn("w:r"), qn("w:p")):
                raise _NotAlone
        return super().fix_tables(xml)


class _NotAlone(Exception):
    """Ready-made paragraphs inside a paragraph."""


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    environment.globals = {
        name: environment.globals[name] for name in ("range", "dict", "namespace")
    }
    return environment


def _filled(path: Path, data: bytes, document: Document, *, mark: bool) -> bytes:
    """`mark`: the template has no place of its own for the words that mark a draft."""
    template = _opened(path, data)
    out = io.BytesIO()
    try:
        template.render(context_of(document), _environment(), autoescape=True)
        template.docx.core_properties.title = clean(document.title)[:255]
        if mark and document.issued is None:
            words = paragraph(DRAFT_MARK, DRAFT_LOOK).replace("<w:p>", f"<w:p {NAMESPACE}>", 1)
            template.docx.element.body.insert(0, parse_xml(words))
        template.save(out)
    except _NotAlone:
        raise OperatorFault(
            Fault(
                str(path),
                "版式正文、版式附件和“版式”字段不能和别的文字放在一段里",
                "单独占一段，写成 {{p 版式正文 }}（两个花括号后面紧跟字母 p）",
            )
        ) from None
    except Exception as error:  # whatever a template can do wrong while it runs
        said = error.message if isinstance(error, TemplateError) else str(error)
        raise OperatorFault(
            Fault(
                str(path),
                f"模板填写时出错：{clean(said or type(error).__name__)}",
                "检查 {%p、{%tr、{%tc 是否各自单独占一段、一行或一格，字段是否写对",
            )
        ) from error
    return settled(out.getvalue())


def _samples(*, annexes: bool) -> Iterator[Document]:
    """A document with everything, and one with next to nothing."""
    table = TableBlock(("名次", "单位"), (("1", "示例局"),), (3, 10), "第一组", "注：示例。")
    yield Document(
        title="关于2026年第三季度政务信息报送采用情况的通报",
        blocks=(
            Paragraph("现将有关情况通报如下："),
            Heading(1, "一、总体情况"),
            Paragraph("示例 & 一段 <文字>。"),
            Heading(2, "（一）排名"),
            table,
        ),
        number="示政办通〔2026〕1号",
        addressee="各有关单位",
        annexes=(Annex("采用信息标题", (table,)),) if annexes else (),
        issuer="示例办公室",
        issued=date(2026, 10, 12),
        openness="主动公开",
        copies="示例单位",
    )
    yield Document(title="示例", blocks=(Paragraph("示例。"),))
