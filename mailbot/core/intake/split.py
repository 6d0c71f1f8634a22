"""How many items a mail carries, and which of its files belong to which.

A stated number (7月信息3条) or several numbered titles must agree with what is attached; then the
mail is split without a person. When the counts disagree, a person looks.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.core.intake.content import Content
from mailbot.core.intake.titles import similarity, title_from_file_name
from mailbot.core.mail.model import Attachment
from mailbot.core.subject.model import Reading
from mailbot.core.subject.roster import Roster

SAME_TITLE = 0.6
"""Similarity from which a file name is taken to carry a stated title."""


@dataclass(frozen=True, slots=True)
class Part:
    """One item's share: its title ("" when the subject's own title holds) and its files."""

    title: str
    files: tuple[Attachment, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of a mail. `disagreement` is a Chinese sentence when stated and found differ;
    then there is exactly one part with everything in it."""

    parts: tuple[Part, ...]
    disagreement: str = ""
    titles_from_files: bool = False


def split(reading: Reading, content: Content, roster: Roster) -> Split:
    whole = Split((Part("", content.files, content.text),))
    if len(reading.titles) > 1:
        return _by_titles(reading.titles, content, roster)
    stated = reading.count
    if stated is None or (stated == 1 and reading.title is not None):
        return whole
    found = len(content.documents)
    if found != stated:
        return Split(
            whole.parts,
            f"主题写明报送{stated}条，邮件里能认出的文字附件是{found}个，数目不一致，需人工核对。",
        )
    parts = []
    for document in content.documents:
        title = title_from_file_name(document.name, roster) or _first_line(document.text)
        if not title:
            return Split(
                whole.parts,
                f"主题写明报送{stated}条，但附件“{document.name or '（无文件名）'}”看不出信息标题，需人工核对。",
            )
        parts.append(Part(title, (document,), document.text))
    return Split(tuple(parts), titles_from_files=True)


def _by_titles(titles: tuple[str, ...], content: Content, roster: Roster) -> Split:
    everything = Part("", content.files, content.text)
    if len(content.documents) == len(titles):
        return Split(_matched(titles, content.documents, roster))
    if len(content.documents) <= 1 and _all_in_text(titles, content):
        # One text with all the items in it, each under its own heading.
        return Split(tuple(Part(t, content.files, content.text) for t in titles))
    return Split(
        (everything,),
        f"主题列出{len(titles)}个信息标题，邮件里能认出的文字附件是{len(content.documents)}个，"
        "数目不一致，需人工核对。",
    )


def _matched(
    titles: tuple[str, ...], documents: tuple[Attachment, ...], roster: Roster
) -> tuple[Part, ...]:
    """Each title with the file whose name is most like it; by order where names say nothing."""
    left = list(documents)
    parts = []
    for title in titles:
        scores = [similarity(title, title_from_file_name(d.name, roster)) for d in left]
        best = max(range(len(left)), key=lambda i: scores[i])
        document = left.pop(best if scores[best] >= SAME_TITLE else 0)
        parts.append(Part(title, (document,), document.text))
    return tuple(parts)


def _all_in_text(titles: tuple[str, ...], content: Content) -> bool:
    text = content.text + "\n".join(d.text for d in content.documents)
    return all(title in text for title in titles)


def _first_line(text: str) -> str:
    line = next((s.strip() for s in text.split("\n") if s.strip()), "")
    return line if 4 <= len(line) <= 60 else ""
