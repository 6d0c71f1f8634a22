"""How many items a mail carries, and which of its files belong to which.

A stated number (7月信息3条) or several numbered titles must agree with what is attached; then the
mail is split without a person. When the counts disagree, a person looks.

A text and its signed copy (秋播.docx, 秋播（盖章版）.pdf) are one document, and photographs are never
counted: they go with the document whose name they bear, else with the first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mailbot.core.intake.content import Content
from mailbot.core.intake.titles import bare_copy_name, similarity, title_from_file_name
from mailbot.core.mail.model import Attachment, AttachmentKind
from mailbot.core.subject.model import Reading, Source
from mailbot.core.subject.reader import read_subject
from mailbot.core.subject.roster import Roster

SAME_TITLE = 0.6
"""Similarity from which a file name is taken to carry a stated title."""
WHOLE_TITLE = 6
"""Characters from which a file name is a title rather than 签批单 or 汇总表."""
HEAD_LINES = 5
"""Lines of a document among which its title is looked for when its name says nothing."""

_NO_HEADING = re.compile(
    r"^(?:政务信息|信息|简报|工作简报|政务信息专报|(?:签发人?|编辑|审核)[:：].*|[（(]?总?第.{1,8}期.*"
    r"|[（(]?\d{4}年\d{1,2}月(?:\d{1,2}日)?[）)]?|.*办公室编印?.*)$"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One item's share: its title ("" when the subject's own title holds) and its files."""

    title: str
    files: tuple[Attachment, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of a mail. `disagreement` is a Chinese sentence when stated and found differ;
    then there is exactly one part with everything in it. `titles_from` says where the parts'
    titles stand."""

    parts: tuple[Part, ...]
    disagreement: str = ""
    titles_from: Source = Source.SUBJECT


def split(
    reading: Reading,
    content: Content,
    roster: Roster,
    day: date,
    *,
    awaited: Sequence[str] = (),
) -> Split:
    """`awaited` are the titles of the items of one earlier mail that wait for a correction: a mail
    without files that states as many is about them."""
    whole = Split((Part("", content.files, content.text),))
    several = len(reading.titles) > 1
    stated = len(reading.titles) if several else reading.count
    if stated is None and reading.title is not None:
        return _unstated(whole, reading.title.value, content, roster, day)
    if stated is None or (stated == 1 and reading.title is not None):
        return whole
    if not content.files and len(awaited) == stated:
        titles = reading.titles if several else awaited
        return Split(
            tuple(Part(t, (), "") for t in titles),
            titles_from=Source.SUBJECT if several else Source.EARLIER,
        )
    groups = _documents(content.documents)
    if several:
        return _by_titles(reading.titles, groups, content, roster, day)
    if len(groups) != stated:
        return Split(whole.parts, f"主题写明报送{stated}条，" + _found(groups, content))
    titles = [_title_of(group[0], roster, day) for group in groups]
    for group, title in zip(groups, titles, strict=True):
        if not title:
            return Split(
                whole.parts,
                f"主题写明报送{stated}条，但附件“{group[0].name or '（无文件名）'}”看不出信息标题，需人工核对。",
            )
    return Split(_parts(titles, groups, content, roster), titles_from=Source.ATTACHMENT)


def _unstated(whole: Split, title: str, content: Content, roster: Roster, day: date) -> Split:
    """One title and no number: one item with its annexes, unless two or more files bear whole
    titles of their own and none bears the subject's."""
    named = [_title_of(group[0], roster, day) for group in _documents(content.documents)]
    own = [t for t in named if len(t) >= WHOLE_TITLE]
    if len(own) < 2 or any(similarity(t, title) >= SAME_TITLE for t in named):
        return whole
    return Split(
        whole.parts,
        f"主题只写了一个信息标题，邮件却附了{len(own)}个另有标题的文字附件，请核对是一条还是{len(own)}条。",
    )


def _found(groups: Sequence[tuple[Attachment, ...]], content: Content) -> str:
    archives = sum(f.kind is AttachmentKind.ARCHIVE for f in content.files)
    also = f"（另有压缩包{archives}个，不自动分条）" if archives else ""
    return f"邮件里能认出的文字附件是{len(groups)}个{also}，数目不一致，需人工核对。"


def _documents(documents: Sequence[Attachment]) -> list[tuple[Attachment, ...]]:
    """The documents, each with its copies: of one name in different kinds (Word and PDF) or with a
    remark such as 盖章版; the text itself first."""
    groups: list[list[Attachment]] = []
    for document in documents:
        name = bare_copy_name(document.name)
        for group in groups:
            if (
                name
                and bare_copy_name(group[0].name) == name
                and document.kind not in {d.kind for d in group}
            ):
                group.append(document)
                break
        else:
            groups.append([document])
    return [tuple(sorted(g, key=lambda d: d.kind is AttachmentKind.PDF)) for g in groups]


def _parts(
    titles: Sequence[str],
    groups: Sequence[tuple[Attachment, ...]],
    content: Content,
    roster: Roster,
) -> tuple[Part, ...]:
    """Each title with its documents, and every other file with the part it is named after."""
    files = [list(group) for group in groups]
    for other in content.files:
        if other in content.documents:
            continue
        name = title_from_file_name(other.name, roster)
        scores = [similarity(name, title) for title in titles]
        best = max(range(len(titles)), key=lambda i: scores[i])
        files[best if scores[best] >= SAME_TITLE else 0].append(other)
    return tuple(
        Part(title, tuple(own), group[0].text)
        for title, own, group in zip(titles, files, groups, strict=True)
    )


def _by_titles(
    titles: tuple[str, ...],
    groups: list[tuple[Attachment, ...]],
    content: Content,
    roster: Roster,
    day: date,
) -> Split:
    if len(groups) == len(titles):
        matched = _matched(titles, groups, roster, day)
        return Split(_parts(titles, matched, content, roster))
    if len(groups) <= 1 and _all_in_text(titles, content):
        # One text with all the items in it, each under its own heading.
        return Split(tuple(Part(t, content.files, content.text) for t in titles))
    return Split(
        (Part("", content.files, content.text),),
        f"主题列出{len(titles)}个信息标题，" + _found(groups, content),
    )


def _matched(
    titles: tuple[str, ...], groups: list[tuple[Attachment, ...]], roster: Roster, day: date
) -> list[tuple[Attachment, ...]]:
    """The documents in the titles' order: by likeness of their names, best pairs first, and those
    whose names say nothing in the order in which they stand."""
    names = [_named_title(group[0], roster, day) for group in groups]
    pairs = sorted(
        (-similarity(title, name), t, g)
        for t, title in enumerate(titles)
        for g, name in enumerate(names)
    )
    found: dict[int, int] = {}
    for score, t, g in pairs:
        if -score >= SAME_TITLE and t not in found and g not in found.values():
            found[t] = g
    rest = iter([g for g in range(len(groups)) if g not in found.values()])
    return [groups[found[t] if t in found else next(rest)] for t in range(len(titles))]


def _all_in_text(titles: tuple[str, ...], content: Content) -> bool:
    text = content.text + "\n".join(d.text for d in content.documents)
    return all(title in text for title in titles)


def _title_of(document: Attachment, roster: Roster, day: date) -> str:
    return _named_title(document, roster, day) or _heading(document.text, roster)


def _named_title(document: Attachment, roster: Roster, day: date) -> str:
    """The title in a file's name, which may be a whole subject line (单位+标题+报送人+电话.docx)."""
    title = title_from_file_name(document.name, roster)
    line = read_subject(document.name, roster, day)
    if line.unit and line.unit.unit_id and line.title and (line.contact or line.submitter):
        return line.title.value
    return title


def _heading(text: str, roster: Roster) -> str:
    """The title at the head of a document: not the name of the unit, an issue number or a date."""
    names = {n.text for u in roster.units for n in u.names}
    names |= {prefix + name for prefix in roster.prefixes for name in names}
    lines = [line.strip() for line in text[:2000].split("\n") if line.strip()]
    for line in lines[:HEAD_LINES]:
        if 4 <= len(line) <= 60 and line not in names and not _NO_HEADING.match(line):
            return line
    return ""
