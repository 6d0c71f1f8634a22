"""Paragraphs as WordprocessingML (ECMA-376, part 1, clause 17), each with all its formatting on
itself: it looks the same in our layout and inside an office's own template, whose styles are not
ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailbot.adapters.word.measure import CHAR, LINE, SQUEEZE
from mailbot.adapters.word.text import xml

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'

FANGSONG, SONG_TITLE, HEI, KAI, SONG = (
    "仿宋_GB2312",
    "方正小标宋简体",
    "黑体",
    "楷体_GB2312",
    "宋体",
)
SUBSTITUTES = {FANGSONG: "仿宋", SONG_TITLE: "华文中宋", HEI: "SimHei", KAI: "楷体", SONG: "SimSun"}
"""What Word takes on a machine that has not the font itself (`altName`)."""

BODY, TITLE, PAGE_NUMBER, COPIES = 32, 44, 28, 28
"""Sizes in half-points: 3号 16 pt, 2号 22 pt, 4号 14 pt."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a paragraph looks; the defaults are the body's."""

    font: str = FANGSONG
    size: int = BODY
    bold: bool = False
    color: str = ""
    align: str = "both"
    left: int = 0
    right: int = 0
    first: int = 0
    """Of the first line, against `left`; may be negative."""
    before: int = 0
    line: int = LINE
    squeeze: int = SQUEEZE
    keep_next: bool = False
    new_page: bool = False
    outline: int | None = None
    """Level in Word's navigation, from 0."""
    extra: str = ""
    """Further paragraph properties that stand between `pageBreakBefore` and `widowControl`."""
    borders: str = ""
    tabs: tuple[int, ...] = field(default=())


INDENTED = Look(first=2 * CHAR)


def run_properties(look: Look) -> str:
    fonts = (
        f'w:ascii="{look.font}" w:hAnsi="{look.font}" w:eastAsia="{look.font}" w:cs="{look.font}"'
    )
    return (
        f'<w:rPr><w:rFonts w:hint="eastAsia" {fonts}/>'
        + ("<w:b/><w:bCs/>" if look.bold else "")
        + (f'<w:color w:val="{look.color}"/>' if look.color else "")
        + (f'<w:spacing w:val="{look.squeeze}"/>' if look.squeeze else "")
        + f'<w:sz w:val="{look.size}"/><w:szCs w:val="{look.size}"/>'
        + '<w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr>'
    )


def paragraph_properties(look: Look) -> str:
    """In the order the schema prescribes (CT_PPrBase). No blank between Chinese and digits, and a
    comma after the 28th character may hang: both keep the 28 characters of a line."""
    indent = f'<w:ind w:left="{look.left}" w:right="{look.right}"'
    if look.first >= 0:
        indent += f' w:firstLine="{look.first}"/>'
    else:
        indent += f' w:hanging="{-look.first}"/>'
    stops = "".join(f'<w:tab w:val="left" w:pos="{at}"/>' for at in look.tabs)
    return (
        "<w:pPr>"
        + ("<w:keepNext/>" if look.keep_next else "")
        + ("<w:pageBreakBefore/>" if look.new_page else "")
        + look.extra
        + '<w:widowControl w:val="0"/>'
        + (f"<w:pBdr>{look.borders}</w:pBdr>" if look.borders else "")
        + (f"<w:tabs>{stops}</w:tabs>" if stops else "")
        + '<w:overflowPunct/><w:autoSpaceDE w:val="0"/><w:autoSpaceDN w:val="0"/>'
        + '<w:snapToGrid w:val="0"/>'
        + f'<w:spacing w:before="{look.before}" w:beforeAutospacing="0" w:after="0" '
        + f'w:afterAutospacing="0" w:line="{look.line}" w:lineRule="exact"/>'
        + f'{indent}<w:jc w:val="{look.align}"/>'
        + (f'<w:outlineLvl w:val="{look.outline}"/>' if look.outline is not None else "")
        + "</w:pPr>"
    )


def run(text: str, look: Look) -> str:
    return f'<w:r>{run_properties(look)}<w:t xml:space="preserve">{xml(text)}</w:t></w:r>'


def literal(text: str, look: Look) -> str:
    """Our own words: blanks at their ends stay."""
    return f'<w:r>{run_properties(look)}<w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph_of(runs: Sequence[str], look: Look) -> str:
    return f"<w:p>{paragraph_properties(look)}{''.join(runs)}</w:p>"


def paragraph(text: str, look: Look) -> str:
    return paragraph_of([run(text, look)] if text else [], look)


def lines_of(texts: Sequence[str], look: Look) -> str:
    """One paragraph whose line ends are ours."""
    broken = f"<w:r>{run_properties(look)}<w:br/></w:r>"
    return paragraph_of([broken.join(run(t, look) for t in texts)], look)


def field_run(instruction: str, shown: str, look: Look) -> str:
    """A field that Word computes (PAGE)."""
    properties = run_properties(look)

    def mark(kind: str) -> str:
        return f'<w:r>{properties}<w:fldChar w:fldCharType="{kind}"/></w:r>'

    code = f'<w:r>{properties}<w:instrText xml:space="preserve"> {instruction} </w:instrText></w:r>'
    return mark("begin") + code + mark("separate") + run(shown, look) + mark("end")
