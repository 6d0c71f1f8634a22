"""What an office's own Word template may show, by Chinese names: the fields, and their documentation.

`FIELDS` is what a template sees first; the views below are what its lists hold. The guide in the
shipped example and the check of templates are both made from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailbot.adapters.word.blocks import annex_mark, annexes_xml, blocks_xml, title_xml
from mailbot.adapters.word.foot import (
    annex_list_xml,
    copies_xml,
    date_text,
    openness_text,
    signature_xml,
)
from mailbot.adapters.word.gongwen import DRAFT_MARK
from mailbot.adapters.word.text import clean
from mailbot.core.documents.model import Block, Document, Heading, TableBlock


class Laid:
    """Ready-made paragraphs and tables of the official format; `{{p 名称 }}` puts them in place of
    its own paragraph."""

    def __init__(self, xml: str) -> None:
        self._xml = xml

    def __html__(self) -> str:
        """What autoescaping leaves alone."""
        return self._xml

    def __bool__(self) -> bool:
        return bool(self._xml)

    __str__ = __html__


@dataclass(frozen=True, slots=True)
class TableView:
    表名: str
    表头: list[str]
    行: list[list[str]]
    表注: str
    版式: Laid


@dataclass(frozen=True, slots=True)
class BlockView:
    类型: str
    """标题, 段落 or 表格."""
    级别: int
    """Of a 标题: 1 to 4, else 0."""
    文字: str
    """Empty of a 表格."""
    表格: list[TableView]
    """One of a 表格, else none."""


@dataclass(frozen=True, slots=True)
class SectionView:
    标题: str
    """Empty for what stands before the first heading."""
    段落: list[str]
    表格: list[TableView]


@dataclass(frozen=True, slots=True)
class AnnexView:
    序号: str
    """附件, or 附件1, 附件2 … where there are several."""
    标题: str
    内容: list[BlockView]
    表格: list[TableView]
    版式: Laid


DRAFT_FIELD = "草稿标记"
FIELDS: dict[str, tuple[Any, str]] = {
    "标题": (str, "公文标题"),
    "文号": (str, "发文字号；没有编号时为空"),
    "主送机关": (str, "主送机关，不带冒号"),
    "版式标题": (Laid, "公文标题，2号小标宋居中，长的分成几行"),
    "版式正文": (Laid, "全部正文，按国标排好，含标题、段落和表格"),
    "版式附件说明": (Laid, "正文下的“附件：1.……”，没有附件时为空"),
    "版式落款": (Laid, "署名、成文日期和附注，右空四字"),
    "版式附件": (Laid, "全部附件，各自另起一页"),
    "版式抄送": (Laid, "版记里的抄送机关，在最后一页下端；没有时为空"),
    "内容": (list[BlockView], "正文逐块：类型（标题、段落、表格）、级别、文字、表格"),
    "段落": (list[str], "正文中标题和段落的文字，不含表格"),
    "章节": (list[SectionView], "正文按一级标题分开：标题、段落、表格"),
    "表格": (list[TableView], "正文中的表格：表名、表头、行、表注、版式"),
    "附件": (list[AnnexView], "附件：序号、标题、内容、表格、版式"),
    "署名": (str, "发文机关署名"),
    "成文日期": (str, "2026年10月12日；草稿为空白的年月日"),
    "年": (str, "成文年份；草稿为空"),
    "月": (str, "成文月份；草稿为空"),
    "日": (str, "成文日；草稿为空"),
    "附注": (str, "（此件公开发布），不公开的为空"),
    "抄送": (str, "抄送机关，不带句号"),
    DRAFT_FIELD: (str, "定稿前提醒不得印发的一句话，定稿为空；放在页眉里"),
}
"""Name, type and what it is, in the order of the guide."""
BODY_FIELDS = ("版式正文", "内容", "段落", "章节", "表格")
"""A template that has none of them shows nothing of the document's text."""
ANNEX_FIELDS = ("版式附件", "附件")


def context_of(document: Document) -> dict[str, Any]:
    day = document.issued
    blocks = document.blocks
    return {
        "标题": clean(document.title),
        "文号": clean(document.number),
        "主送机关": clean(document.addressee).rstrip(":："),
        "版式标题": Laid(title_xml(document.title)),
        "版式正文": Laid(blocks_xml(blocks, keep_last=True)),
        "版式附件说明": Laid(annex_list_xml(document)),
        "版式落款": Laid(signature_xml(document)),
        "版式附件": Laid(annexes_xml(document.annexes)),
        "版式抄送": Laid(copies_xml(document)),
        "内容": _blocks(blocks),
        "段落": [clean(b.text) for b in blocks if not isinstance(b, TableBlock)],
        "章节": _sections(blocks),
        "表格": _tables(blocks),
        "附件": [
            AnnexView(
                annex_mark(number, len(document.annexes)),
                clean(annex.title),
                _blocks(annex.blocks),
                _tables(annex.blocks),
                Laid(blocks_xml(annex.blocks)),
            )
            for number, annex in enumerate(document.annexes, 1)
        ],
        "署名": clean(document.issuer),
        "成文日期": date_text(document),
        "年": str(day.year) if day else "",
        "月": str(day.month) if day else "",
        "日": str(day.day) if day else "",
        "附注": openness_text(document),
        "抄送": clean(document.copies).rstrip("。.；;，,"),
        DRAFT_FIELD: DRAFT_MARK if day is None else "",
    }


def _blocks(blocks: tuple[Block, ...]) -> list[BlockView]:
    return [
        BlockView("表格", 0, "", [_table(b)])
        if isinstance(b, TableBlock)
        else BlockView("标题", b.level, clean(b.text), [])
        if isinstance(b, Heading)
        else BlockView("段落", 0, clean(b.text), [])
        for b in blocks
    ]


def _tables(blocks: tuple[Block, ...]) -> list[TableView]:
    return [_table(b) for b in blocks if isinstance(b, TableBlock)]


def _table(block: TableBlock) -> TableView:
    return TableView(
        clean(block.caption),
        [clean(c) for c in block.header],
        [[clean(c) for c in row] for row in block.rows],
        clean(block.note),
        Laid(blocks_xml((block,))),
    )


def _sections(blocks: tuple[Block, ...]) -> list[SectionView]:
    sections: list[SectionView] = []
    for block in blocks:
        if isinstance(block, Heading) and block.level == 1:
            sections.append(SectionView(clean(block.text), [], []))
            continue
        if not sections:
            sections.append(SectionView("", [], []))
        if isinstance(block, TableBlock):
            sections[-1].表格.append(_table(block))
        else:
            sections[-1].段落.append(clean(block.text))
    return sections
