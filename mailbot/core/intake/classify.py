"""Which category an item is, and what says so.

A declared mark (【问题类】) decides. Without one the office's dated rules weigh words of the title
and of the text, and keep what they found as evidence for staff.

The law: a category with `proof_required` (the five-point ones) is never decided by the title alone.
It needs a mark, or a title rule together with text evidence worth `Categories.proof`. An item that
looks like one but is not proven gets the office's default and is flagged as doubtful.

Pure and deterministic; time is linear in the text, of which only the first `TEXT_LIMIT` characters
are looked at. Points and quotas are not its business.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mailbot.core.rules.rulebook import Categories, Category, TitleRule

TEXT_LIMIT = 20_000
"""Characters: ten times the longest item an office asks for (莱芜: 2,000)."""
TITLE_LIMIT = 300
READABLE = 250
"""Characters from which a text is taken for the item itself and not for a covering note or a
disclaimer. Such a text without a single word of a `proof_required` category needs no second look.
"""


@dataclass(frozen=True, slots=True)
class Classification:
    """`category` is an id of the office's categories. `evidence` are short Chinese remarks for
    staff, each naming the mark or the rule. `link` are the office's link marks that are present
    (约稿); `topics` the names of the office's topics, in the office's order."""

    category: str
    by: str
    """`mark`, `rule` or `default`"""
    evidence: tuple[str, ...]
    doubtful: bool
    link: tuple[str, ...]
    topics: tuple[str, ...]


def classify(title: str, text: str, marks: Sequence[str], categories: Categories) -> Classification:
    """Decide one item's category.

    `title` is the item's title without unit, submitter and contact; `text` its own text ("" when
    it could not be read); `marks` the words of bracketed marks, without brackets.
    """
    folded_title, folded_text = _fold(title[:TITLE_LIMIT]), fold_text(text[:TEXT_LIMIT])
    link, declared = _read_marks(marks, categories)
    topics = _topics(folded_title, folded_text, categories)

    def decided(category: str, by: str, evidence: Sequence[str], doubtful: bool) -> Classification:
        return Classification(category, by, tuple(evidence), doubtful, link, topics)

    said = [f"标记【{mark}】为{category.name}" for mark, category in declared]
    kinds = {category.id for _, category in declared}
    if len(kinds) == 1:
        return decided(kinds.pop(), "mark", said, False)
    if kinds:
        return decided(categories.default, "default", [*said, "几个标记互相矛盾"], True)

    scores = _weigh(folded_title, folded_text, categories)
    evidence = [line for score in scores if score.spoken_for for line in score.evidence]
    leaders = _leaders(scores, categories)
    leader = leaders[0] if len(leaders) == 1 else None
    if leader is not None and leader.proven and leader.category.proof_required:
        return decided(leader.category.id, "rule", evidence, False)
    suspects = [s.category.name for s in scores if s.suspected]
    if suspects:
        remark = f"可能是{'、'.join(suspects)}，但没有标记，标题与正文也不足以互相印证"
        return decided(categories.default, "default", [*evidence, remark], True)
    if leader is not None:
        return decided(leader.category.id, "rule", evidence, False)
    remark = "几类依据相当" if leaders else "没有足够的依据"
    plain = len(folded_text) >= READABLE and not any(
        s.spoken_for and s.category.proof_required for s in scores
    )
    return decided(categories.default, "default", [*evidence, remark], not plain)


# --- marks ------------------------------------------------------------------------------------

_MARK_SEPARATORS = re.compile(r"[\s/\\|,;、。·・+&_:\-—–]+")
_MARK_TAIL = re.compile(r"(?:信息|类型|类别|类|稿件|稿|材料)$")


def _read_marks(
    marks: Sequence[str], categories: Categories
) -> tuple[tuple[str, ...], list[tuple[str, Category]]]:
    """The link marks present (as the office writes them) and each category mark as written. One
    bracket may hold both: 问题类约稿, 约稿/问题."""
    by_word: dict[str, Category] = {}
    for category in categories.categories:
        for word in (category.name, *category.marks):
            by_word.setdefault(_fold(word), category)
            by_word.setdefault(_stem(_fold(word)), category)
    links: dict[str, None] = {}
    found: list[tuple[str, Category]] = []
    for mark in marks:
        mark = unicodedata.normalize("NFKC", mark[:TITLE_LIMIT])
        whole = _fold(mark)
        one_word = whole in by_word or _stem(whole) in by_word
        for piece in [mark] if one_word else _MARK_SEPARATORS.split(mark):
            word = _fold(piece)
            for link in categories.link_marks:
                if _fold(link) in word:
                    links.setdefault(link)
                    word = word.replace(_fold(link), "", 1)
                    break
            hit = by_word.get(word) or by_word.get(_stem(word))
            if word and hit is not None:
                found.append((piece.strip(), hit))
    return tuple(links), found


def _stem(mark: str) -> str:
    """问题类信息 -> 问题; never empty, so that 信息 alone stays 信息."""
    while (shorter := _MARK_TAIL.sub("", mark)) != mark and shorter:
        mark = shorter
    return mark


# --- rules ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Score:
    category: Category
    total: int
    suspected: bool
    """It takes proof, and the title's words speak for it, or the text's structure does and the
    title does not outweigh it (召开, 整改)."""
    spoken_for: bool
    """Some word of title or text speaks for it; else there is only evidence against it."""
    proven: bool
    """Decided by the text and the title together; a matter of course where no proof is required."""
    evidence: tuple[str, ...]


def _weigh(title: str, text: str, categories: Categories) -> list[_Score]:
    """One score for each category that a rule spoke about."""
    ending = _without_version(title)
    places = {"title": title, "ending": ending, "text": text, "heading": "\n".join(headings(text))}
    scores = []
    for category in categories.categories:
        hits = [
            (rule, word)
            for rule in categories.rules
            if rule.category == category.id and (word := _hit(rule, places[rule.where])) is not None
        ]
        if not hits:
            continue
        in_title = sum(r.weight for r, _ in hits if r.where in ("title", "ending"))
        in_text = sum(r.weight for r, _ in hits if r.where in ("text", "heading"))
        proven = not category.proof_required or (in_title > 0 and in_text >= categories.proof)
        scores.append(
            _Score(
                category,
                in_title + in_text,
                category.proof_required
                and (
                    in_title > 0
                    or (in_text >= categories.proof and in_title + in_text >= categories.threshold)
                ),
                any(r.weight > 0 for r, _ in hits),
                proven,
                tuple(
                    f"{_PLACES[r.where]}“{w}”：{category.name}{r.weight:+d}（{r.id}）"
                    for r, w in hits
                ),
            )
        )
    return scores


_PLACES = {"title": "标题有", "ending": "标题末为", "text": "正文有", "heading": "正文小标题有"}


def _leaders(scores: Sequence[_Score], categories: Categories) -> list[_Score]:
    """The categories with the highest sum that reaches the threshold. One that takes proof takes
    part only when proven or suspected: a word in passing must not silence the others."""
    able = [s for s in scores if s.proven or s.suspected]
    best = max((s.total for s in able if s.total >= categories.threshold), default=None)
    return [s for s in able if s.total == best]


def _hit(rule: TitleRule, place: str) -> str | None:
    """The first of the rule's words that stands there, as the office wrote it."""
    for word in rule.words:
        folded = _fold(word)
        if not folded:
            continue
        if place.endswith(folded) if rule.where == "ending" else folded in place:
            return word
    return None


# --- the text's structure ---------------------------------------------------------------------

_SEGMENTS = re.compile(r"[。;!?]|(?=\([一二三四五六七八九十\d]{1,3}\))")
"""Where a sentence ends, or a （一） in the middle of a line opens another."""
_NUMBER = re.compile(
    r"(?:第?[一二三四五六七八九十]{1,3}[、.,:]|\([一二三四五六七八九十\d]{1,3}\)|\d{1,2}[、.)])"
)
_NUMBERED_HEAD = 30
"""Characters of a numbered line that can be its heading (GB/T 9704 sets one line as 28)."""
_BARE_HEAD = 14
"""Without a number only a short line, or a short label before a colon, is a heading."""


def headings(text: str) -> Iterator[str]:
    """What stands as a section heading in folded text: 一、存在问题 · （二）原因分析：… · a short
    line of its own · a short label before a colon."""
    for line in text.split("\n"):
        segments = [s for s in _SEGMENTS.split(line) if s]
        for segment in segments:
            number = _NUMBER.match(segment)
            body = segment[number.end() :] if number else segment
            head, colon, _ = body.partition(":")
            if number:
                yield head[:_NUMBERED_HEAD]
            elif len(head) <= _BARE_HEAD and (colon or segments == [line]):
                yield head


# --- topics -----------------------------------------------------------------------------------

_TOPIC_MENTIONS = 2
"""A topic not named in the title must be mentioned this often in the text."""


def _topics(title: str, text: str, categories: Categories) -> tuple[str, ...]:
    """Topics named in the title; when there are none, those the text keeps coming back to."""
    words = [(name, [_fold(w) for w in (name, *ws)]) for name, ws in categories.topics]
    named = tuple(name for name, ws in words if any(w in title for w in ws if w))
    if named:
        return named
    return tuple(
        name for name, ws in words if sum(text.count(w) for w in set(ws) if w) >= _TOPIC_MENTIONS
    )


# --- folding ----------------------------------------------------------------------------------

_VERSION = re.compile(
    r"[(\[【]?(?:第[一二三四五六\d]稿|(?:修改|修订|更正|补充)稿?|定稿|终稿)\d{0,2}[)\]】]?$"
)
_TRAILING = " .。!,;:、~-—_"


@lru_cache(maxsize=4096)  # the same few hundred words of the office's data for every item
def _fold(text: str) -> str:
    """Half width, lower case, no spaces, straight double quotes opened and closed in turn, so that
    “三个 in the data also finds "三个 and ＂三个."""
    return "".join(_fold_lines(text).split())


def fold_text(text: str) -> str:
    """As `_fold`, keeping the line breaks: headings are lines."""
    lines = ("".join(line.split()) for line in _fold_lines(text).split("\n"))
    return "\n".join(line for line in lines if line)


def _fold_lines(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).lower()
    pieces = text.replace("「", "“").replace("」", "”").split('"')
    folded = pieces[0]
    quotes = "“”"
    return folded + "".join(quotes[i % 2] + piece for i, piece in enumerate(pieces[1:]))


def _without_version(title: str) -> str:
    """The title's real ending: without （修改稿2） and closing punctuation."""
    previous = None
    while previous != title:
        previous, title = title, _VERSION.sub("", title.rstrip(_TRAILING)).rstrip(_TRAILING)
    return title
