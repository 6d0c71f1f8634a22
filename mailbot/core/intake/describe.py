"""How the system's words read in Chinese, and two small notations.

One home for the labels that letters, tables and task texts share, so that a field is called the
same everywhere. Pure look-ups; what a letter says with them is the templates' business.
"""

from __future__ import annotations

from urllib.parse import quote

from mailbot.core.intake.problems import ProblemCode
from mailbot.core.subject.model import Certainty, FieldName, Source

FIELD_LABELS: dict[FieldName, str] = {
    FieldName.UNIT: "报送单位",
    FieldName.TITLE: "信息标题",
    FieldName.SUBMITTER: "报送人",
    FieldName.CONTACT: "联系方式",
}

SOURCE_LABELS: dict[Source, str] = {
    Source.SUBJECT: "邮件主题",
    Source.EARLIER: "首次来信",
    Source.BODY: "邮件正文",
    Source.ATTACHMENT: "附件名称",
    Source.ROSTER: "单位名册",
    Source.SENDER: "发件人信息",
    Source.STAFF: "信息室核定",
}
"""Each reads well after 见 and 来自."""

CERTAINTY_LABELS: dict[Certainty, str] = {
    Certainty.CERTAIN: "确定",
    Certainty.LIKELY: "基本确定",
    Certainty.GUESS: "待确认",
}

PROBLEM_LABELS: dict[ProblemCode, str] = {
    ProblemCode.UNIT_MISSING: "缺报送单位",
    ProblemCode.UNIT_UNKNOWN: "报送单位不在名册",
    ProblemCode.UNIT_AMBIGUOUS: "报送单位不明确",
    ProblemCode.TITLE_MISSING: "缺信息标题",
    ProblemCode.TITLE_AMBIGUOUS: "信息标题不明确",
    ProblemCode.SUBMITTER_MISSING: "缺报送人",
    ProblemCode.SUBMITTER_AMBIGUOUS: "报送人不明确",
    ProblemCode.CONTACT_MISSING: "缺联系方式",
    ProblemCode.CONTACT_MALFORMED: "联系方式有误",
    ProblemCode.FIELDS_ELSEWHERE: "要素未写在主题中",
    ProblemCode.CONTENT_MISSING: "缺信息正文",
    ProblemCode.CLOUD_ATTACHMENT: "超大附件无法接收",
}
"""Short names for tables and lists; the sender reads the paragraphs of `problems.j2`."""


def human_size(size: int) -> str:
    """`size` bytes as people say it: 820 字节, 38 KB, 1.2 MB (1 KB = 1024 bytes).

    KB are whole and MB, GB have one decimal, as mail clients show them. Negative sizes are 0.
    """
    size = max(size, 0)
    if size < 1024:
        return f"{size} 字节"
    kb = (size + 512) // 1024
    if kb < 1024:
        return f"{kb} KB"
    for unit, factor in (("MB", 1024**2), ("GB", 1024**3)):
        tenths = (size * 10 + factor // 2) // factor
        if tenths < 10240 or unit == "GB":
            return f"{tenths // 10}.{tenths % 10} {unit}"
    raise AssertionError("unreachable: the last unit takes every size")


def mailto(address: str, subject: str, body: str = "") -> str:
    """A `mailto:` URI (RFC 6068): percent-encoded UTF-8, blanks as %20, line breaks of `body` as
    %0D%0A (§5); line breaks and control characters in `subject` become blanks (they could only
    forge header lines). Lone surrogates become `?`."""
    one_line = " ".join("".join(c if c.isprintable() else " " for c in subject).split())
    uri = f"mailto:{_encode(address, '@')}?subject={_encode(one_line)}"
    if body:
        uri += "&body=" + _encode("\r\n".join(body.splitlines()))
    return uri


def _encode(value: str, safe: str = "") -> str:
    return quote(value, safe=safe, encoding="utf-8", errors="replace")
