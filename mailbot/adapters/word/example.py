"""A Word template for an office to start from: the official layout with a red head, each part a
field that can be moved, restyled or removed in Word; a guide to all fields stands at its end and is
not printed.
"""

from __future__ import annotations

import io

from mailbot.adapters.word.fields import FIELDS
from mailbot.adapters.word.gongwen import DRAFT_LOOK
from mailbot.adapters.word.markup import (
    INDENTED,
    SONG_TITLE,
    Look,
    paragraph,
)
from mailbot.adapters.word.measure import LINE
from mailbot.adapters.word.package import settled
from mailbot.adapters.word.sheet import sheet

_RED = "FF0000"
_RED_HEAD = Look(
    font=SONG_TITLE, size=60, align="center", squeeze=0, color=_RED, line=900, before=2 * LINE
)
_RED_LINE = Look(
    align="center",
    borders='<w:bottom w:val="single" w:sz="18" w:space="4" w:color="FF0000"/>',
)
_GUIDE = Look(size=21, squeeze=0, align="left", color="808080", line=360)


def example() -> bytes:
    """A .docx; `own.check` finds nothing wrong with it, and filled in it reads like the official
    layout."""
    empty = paragraph("", Look())
    body = [
        paragraph("{{ 署名 }}文件", _RED_HEAD),
        empty * 2,
        paragraph("{{ 文号 }}", _RED_LINE),
        empty * 2,
        paragraph("{{p 版式标题 }}", Look(align="center")),
        paragraph("{%p if 主送机关 %}", Look()),
        paragraph("{{ 主送机关 }}：", Look(align="left")),
        paragraph("{%p endif %}", Look()),
        paragraph("{{p 版式正文 }}", INDENTED),
        paragraph("{{p 版式附件说明 }}", INDENTED),
        paragraph("{{p 版式落款 }}", Look(align="right")),
        paragraph("{{p 版式附件 }}", Look()),
        paragraph("{{p 版式抄送 }}", Look()),
        *(paragraph(f"{{#p {line} #}}", _GUIDE) for line in _guide()),
    ]
    file = sheet(
        "".join(body),
        header=paragraph("{{ 草稿标记 }}", DRAFT_LOOK),
        title="",
        author="",
        made=None,
    )
    out = io.BytesIO()
    file.save(out)
    return settled(out.getvalue())


def _guide() -> list[str]:
    """Comments: seen in Word, not printed."""
    return [
        "以下灰色文字是说明，不会出现在文件里，可以删掉。两个花括号里的名称会换成文件的内容，可用的有：",
        "（“版式”开头的名称是排好的段落，前面要加字母 p，单独占一段，像上面那样写）",
        *(f"{name}：{what}" for name, (_, what) in FIELDS.items()),
    ]
