"""Finds secrets marks (密级标志) before anything of a mail is written down.

State secrets must not travel by internet mail, not even be received (保守国家秘密法 2024, arts. 29,
31). So this module promises: the same answer for the same text, linear time for any text, and not
one character of the text in what it returns, only rule ids and places.

| rule          | what it is                                                          | weight    |
|---------------|---------------------------------------------------------------------|-----------|
| `level-star`  | 绝密/机密/秘密 directly followed by ★ (GB/T 9704 §7.2.2: 机密★1年)    | hit       |
| `level-label` | a level after 密级：, or ticked in such a line                       | hit       |
| `level-list`  | 密级： followed by levels to choose from (绝密□ 机密□, 绝密/机密)      | hold only |
| `level-alone` | a bare level as a marking: in brackets at the head, on its own line | hold only |
| `internal`    | 内部资料, 注意保存, 工作秘密 ... as a marking                         | hold only |

☆ and the other stars of input methods count as ★, an asterisk only with a term behind it
(秘密*10年): whoever types 机密☆1年 means the mark. ★★★★ alone grades a leader's instruction, 商业秘密
保护 and 保守国家秘密 are topics, 密级：无 is a denial: no hits. Where a rule had to choose, a hit too
many costs a person one look and a hit too few breaks the law.

Not its business: finding the text (the caller hands in what decode read) and what follows a hit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from mailbot.core.mail.model import SecretsMark
from mailbot.core.mail.traditional import SIMPLIFIED

# Invisible characters: format controls, variation selectors (★ + U+FE0F), fillers. Stripping them
# first lets the rules below speak of visible characters only.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]+"
)
_BREAKS = re.compile("\r\n?|[\u000b\u000c\u0085\u2028\u2029]")

# Every quantifier over these classes is bounded, so each pattern is linear.
_SEP = r"[\s.·・‧•_|~\u2800-]"
_W = _SEP + r"{0,8}"
_OPEN = r"""[\[【(〔「『《〈<{"“'‘]"""
_CLOSE = r"""[\]】)〕」』》〉>}"”'’]"""
_LEVEL = rf"(?:[绝絕]{_W}密|[机機]{_W}密|[秘祕]{_W}密)"
_STARS = r"[★☆⭐🌟✩✪✫✬✭✮✯✰⚝⋆✡]"
_TERM = (
    rf"(?:[0-9〇零一二两三四五六七八九十百]{{1,4}}{_W}(?:年|个{_W}月|月|天|日)|长{_W}期|永{_W}久)"
)
_TICK = r"[☑☒✅√✓✔■▣●◉]"
_COLON = r"[:∶꞉ː=]"

_LEVEL_STAR = re.compile(
    rf"(?P<word>{_LEVEL})(?:{_W}级)?"
    rf"(?P<gap>(?:{_SEP}|{_OPEN}|{_CLOSE}){{0,12}})"
    rf"(?:(?P<star>{_STARS})|\*{_W}(?={_TERM}))"
)
_STAR_AGAIN = re.compile(rf"\s{{0,4}}{_STARS}")
_TERM_NEXT = re.compile(_W + _TERM)
_LABEL = (
    rf"(?:密{_W}级(?:{_W}别)?|密{_W}等|(?:保|涉){_W}密{_W}(?:等{_W}级|级{_W}别|程{_W}度)"
    rf"|秘{_W}密{_W}(?:等{_W}级|级{_W}别|程{_W}度))"
)
_LEVEL_LABEL = re.compile(
    rf"{_LABEL}(?:{_W}{_CLOSE}){{0,2}}{_W}{_COLON}(?:{_SEP}|{_OPEN}|{_TICK}|{_COLON}){{0,12}}{_LEVEL}"
)
# A table cell or a form line without a colon: the label opens the line or a bracket.
_LEVEL_CELL = re.compile(
    rf"(?:^|{_OPEN}|\|)[^\S\n]{{0,8}}{_LABEL}(?:{_SEP}|{_OPEN}|{_CLOSE}){{1,12}}{_LEVEL}"
    rf"(?:{_W}级)?(?={_SEP}|{_CLOSE}|$)",
    re.MULTILINE,
)
_LEVEL_TICKED = re.compile(
    rf"{_LABEL}{_W}{_COLON}[^\n]{{0,40}}?"
    rf"(?:{_TICK}[^\S\n]{{0,4}}{_LEVEL}|{_LEVEL}{_OPEN}?{_TICK})"
)
_LIST_NEXT = re.compile(rf"(?:{_W}级)?{_W}(?:[□☐○]|[、/,，或和及与]{_W}{_LEVEL})")

_INTERNAL = (
    rf"(?:内{_W}部{_W}(?:资{_W}料|文{_W}件|材{_W}料|参{_W}考|刊{_W}物|信{_W}息|使{_W}用|传{_W}阅)"
    rf"|(?:请{_W})?注{_W}意{_W}(?:保{_W}存|保{_W}密|保{_W}管)|工{_W}作{_W}秘{_W}密"
    rf"|(?:请{_W}勿|严{_W}禁|不{_W}得|禁{_W}止){_W}(?:外{_W}传|转{_W}发|扩{_W}散)"
    rf"|(?:仅{_W}供|限){_W}内{_W}部(?:{_W}(?:使{_W}用|传{_W}阅|参{_W}考))?)"
)
_ALONE = rf"{_STARS}?{_W}{_LEVEL}(?:{_W}级)?(?:{_W}{_TERM})?"
_JOIN = r"[\s,，、。;；.·|_!~-]{0,6}"
_MARKING = rf"(?:{_INTERNAL}(?:{_JOIN}{_INTERNAL}){{0,4}})"


def _marking(phrase: str) -> re.Pattern[str]:
    """A phrase used as a marking in a text: a line of its own, or in brackets at either end of a
    line. `（内部资料）` in mid-sentence cites a source and is none."""
    return re.compile(
        rf"^{_JOIN}(?:{_OPEN}{_JOIN}){{0,2}}{phrase}{_JOIN}(?:{_CLOSE}{_JOIN}){{0,2}}$"
        rf"|^{_JOIN}{_OPEN}{_JOIN}{phrase}{_JOIN}{_CLOSE}"
        rf"|{_OPEN}{_JOIN}{phrase}{_JOIN}{_CLOSE}{_JOIN}$",
        re.MULTILINE,
    )


def _marking_in_line(phrase: str) -> re.Pattern[str]:
    """The same in a subject or file name: in brackets anywhere, or a field between delimiters."""
    edge = r"[\s+,，、;；:|_/—–-]"
    return re.compile(
        rf"{_OPEN}{_JOIN}{phrase}{_JOIN}{_CLOSE}"
        rf"|(?:^|{edge}|{_CLOSE}){phrase}(?=$|{edge}|{_OPEN}|[.](?=[a-z0-9]{{1,5}}$))",
        re.IGNORECASE | re.MULTILINE,
    )


# 内部资料 第12期: words that open a line near the head and are followed by a gap.
_INTERNAL_HEAD = re.compile(rf"^{_JOIN}{_MARKING}(?=[\s:★☆])", re.MULTILINE)
_HEAD_CHARS = 400

_RULES_TEXT = {"level-alone": _marking(_ALONE), "internal": _marking(_MARKING)}
_RULES_LINE = {"level-alone": _marking_in_line(_ALONE), "internal": _marking_in_line(_MARKING)}
# 内部资料 and 注意保存 side by side are the classic imprint, wherever they stand.
_IMPRINT = re.compile(
    rf"内{_W}部{_W}[资文材]{_W}[料件]{_JOIN}(?:请{_W})?注{_W}意{_W}保{_W}[存密管]"
)

_ORDER = ("level-star", "level-label", "level-list", "level-alone", "internal")
_HITS = frozenset({"level-star", "level-label"})


def find_secrets(
    *,
    subject: str,
    body: str,
    attachment_names: Sequence[str],
    attachment_texts: Sequence[str],
    nested_texts: Sequence[str],
) -> tuple[SecretsMark, ...]:
    """Every mark once per place, real hits first. `nested_texts` holds subjects, names and texts of
    nested mails alike. The result carries rule ids and places, never content."""
    found: set[tuple[str, str]] = set()
    found.update((rule, "subject") for rule in _scan(subject, line=True))
    found.update((rule, "body") for rule in _scan(body, line=False))
    for name in attachment_names:
        found.update((rule, "attachment name") for rule in _scan(name, line=True))
    for text in attachment_texts:
        found.update((rule, "attachment text") for rule in _scan(text, line=False))
    for text in nested_texts:
        found.update((rule, "nested mail") for rule in _scan(text, line=False))
    # A bare level says nothing more where the place already has a full mark.
    full = {where for rule, where in found if rule.startswith("level-") and rule != "level-alone"}
    found = {(rule, where) for rule, where in found if rule != "level-alone" or where not in full}
    return tuple(
        SecretsMark(rule=rule, where=where, hold_only=rule not in _HITS)
        for rule, where in sorted(found, key=lambda mark: (_ORDER.index(mark[0]), mark[1]))
    )


def _scan(text: str, *, line: bool) -> Iterator[str]:
    text = _visible(text)
    # Nothing below can match without one of these; most mails end here.
    if "密" in text:
        yield from _levels(text)
    if "密" in text or "内" in text or "注" in text or "传" in text or "禁" in text or "勿" in text:
        for rule, pattern in (_RULES_LINE if line else _RULES_TEXT).items():
            if pattern.search(text):
                yield rule
        if _IMPRINT.search(text) or (not line and _INTERNAL_HEAD.search(text[:_HEAD_CHARS])):
            yield "internal"


def _visible(text: str) -> str:
    """What a reader sees: compatibility forms folded (NFKC), invisible characters gone, one kind of
    line break, traditional characters as simplified ones."""
    text = _BREAKS.sub("\n", text)
    text = _INVISIBLE.sub("", text)
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(SIMPLIFIED)


def _levels(text: str) -> Iterator[str]:
    if any(_is_star_mark(match, text) for match in _LEVEL_STAR.finditer(text)):
        yield "level-star"
    for pattern in (_LEVEL_LABEL, _LEVEL_CELL):
        for match in pattern.finditer(text):
            yield "level-list" if _LIST_NEXT.match(text, match.end()) else "level-label"
    if _LEVEL_TICKED.search(text):
        yield "level-label"


def _is_star_mark(match: re.Match[str], text: str) -> bool:
    """Directly followed is a mark. Across white space, several stars are the grade of an
    instruction (国家秘密 ★★★★); across a line break a single star may be a bullet, so there the level
    must open its line or a term must follow."""
    gap, end = match["gap"], match.end()
    if not any(c.isspace() for c in gap):
        return True
    if _STAR_AGAIN.match(text, end):
        return False
    if "\n" not in gap or match["star"] is None or _TERM_NEXT.match(text, end):
        return True
    before = text[max(0, match.start() - 1) : match.start()]
    return not before.isalnum()
