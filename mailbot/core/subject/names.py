"""Is this the name of a person? Judged by shape, never by a dictionary of people.

Three kinds of name are written in Chinese here: Han names (a surname, sometimes a compound one, and
one or two further characters), names of other peoples in transcription (乌云其木格, 那顺巴雅尔), and
transcriptions with a middle dot (斯琴·图雅). A shape is evidence, not proof: 夏收 (summer harvest)
has the shape of a name, so the caller weighs position against it and asks when two words fit.
"""

from __future__ import annotations

import re
from enum import IntEnum

from mailbot.core.subject.names_data import (
    COMMON_SURNAMES,
    COMPOUND_SURNAMES,
    GIVEN,
    MONGOL_ELEMENTS,
    MONGOL_MARKERS,
    MONGOL_SYLLABLES,
    NAMEABLE,
    RARE_SURNAMES,
)
from mailbot.core.subject.prose_data import NEVER_GIVEN, PLACES, WORDS
from mailbot.core.subject.text import is_cjk

_SENDING = frozenset(("申请", "报名", "投稿", "供稿", "来稿", "报送", "撰稿", "稿件"))


class NameShape(IntEnum):
    NONE = 0
    WEAK = 1
    """A surname seldom met, or a character seldom given: a word as likely as a name."""
    FAIR = 2
    STRONG = 3


_SETTLEMENTS = ("嘎查", "苏木", "浩特", "艾里")
"""How transcribed names of places end."""

JOINER = re.compile(r"[ ]*(?:[、,;/&]|和|及|与)[ ]*|[ ]+")
"""What stands between the names of several submitters (folded)."""

_HONORIFIC = re.compile(
    r"(老师|同志|主任|副主任|局长|副局长|科长|股长|所长|站长|镇长|副镇长|书记|秘书|干事|科员|先生|女士|教授|经理)"
)


def name_shape(word: str) -> NameShape:
    """How much a folded word without inner blanks looks like one person's name. Constant time:
    longer words than any name are NONE at once."""
    if not 2 <= len(word) <= 24:
        return NameShape.NONE
    if "·" in word or "." in word:
        return _dotted(word.replace(".", "·"))
    if len(word) > 10 or not all(is_cjk(c) for c in word):
        return NameShape.NONE
    if word in NAMEABLE:
        return NameShape.FAIR
    if (
        word.endswith(_SETTLEMENTS)
        or word in WORDS
        or word in PLACES
        or any(p in word for p in PLACES if len(p) > 2)
    ):
        return NameShape.NONE
    return max(_han(word), _mongol(word), _with_honorific(word), _familiar(word))


def split_names(text: str) -> tuple[str, ...]:
    """The single names in a folded text that holds nothing but names (张三、李四), else ()."""
    if name_shape(text) >= NameShape.FAIR:
        return (text,)
    parts = tuple(p for p in JOINER.split(text) if p)
    if len(parts) <= 3 and is_padded_name(text):
        return (text,)
    if 2 <= len(parts) <= 8 and all(name_shape(p) >= NameShape.FAIR for p in parts):
        return parts
    return ()


def names_shape(text: str) -> NameShape:
    """The weakest shape among the names of a list; NONE where anything else stands in it."""
    names = split_names(text)
    if not names:
        return NameShape.NONE
    if is_padded_name(text):
        return NameShape.STRONG
    return min(name_shape(n) for n in names)


def may_be_name(word: str) -> bool:
    """Whether a folded word could be a name that no pattern here knows: short, without a character
    that is in no name, and no word of official prose. Good for a question, never for an answer."""
    if (
        not 2 <= len(word) <= 9
        or word in WORDS
        or word in PLACES
        or not all(is_cjk(c) for c in word)
    ):
        return False
    if any(c in NEVER_GIVEN for c in word):
        return False
    return len(word) <= 3 or all(c in MONGOL_SYLLABLES for c in word)


def is_padded_name(text: str) -> bool:
    """张　三, 李 明 月: the characters of a Han name set apart, as in Chinese typesetting."""
    parts = text.split()
    return (
        2 <= len(parts) <= 3
        and all(len(p) == 1 for p in parts)
        and name_shape("".join(parts)) >= NameShape.FAIR
        and (parts[0] in COMMON_SURNAMES or parts[0] in RARE_SURNAMES)
    )


def name_at_end(text: str) -> tuple[str, ...]:
    """Names that a text without a delimiter may end in (…进展顺利张三), best first: more than one
    where none is clearly better. Only strong shapes count; the longer of two wins only when its
    surname is far more common than the shorter one's."""
    tails = [text[-size:] for size in range(min(12, len(text) - 1), 1, -1)]
    shapes = {t: name_shape(t) for t in tails if not _HONORIFIC.search(t)}
    strong = [t for t, shape in shapes.items() if shape is NameShape.STRONG]
    transcribed = [t for t in strong if "·" in t or _mongol(t) is NameShape.STRONG]
    if transcribed:
        whole = [t for t in transcribed if all(map(_of_elements, t.split("·")))]
        return (whole[0],) if whole else tuple(transcribed[:2])
    common = [t for t in strong if t[0] in COMMON_SURNAMES or t[:2] in COMPOUND_SURNAMES]
    if not common:
        return ()
    longest = common[0]
    shorter = next(
        (t for t, shape in shapes.items() if shape >= NameShape.FAIR and len(t) < len(longest)),
        None,
    )
    if shorter is None or longest[:2] in COMPOUND_SURNAMES:
        return (longest,)
    if longest[0] in COMMON_SURNAMES[:40] and shorter[0] not in COMMON_SURNAMES[:60]:
        return (longest,)
    return (longest, shorter)


def without_honorific(word: str) -> tuple[str, str] | None:
    """张三老师申请 → (张三, 申请): a strong name, its title of address dropped, and what the person
    does with the mail. 王明同志先进事迹 is a title about somebody and stays whole."""
    for size in (4, 3, 2):
        match = _HONORIFIC.match(word, size)
        if (
            match
            and word[match.end() :] in _SENDING
            and max(_han(word[:size]), _mongol(word[:size])) is NameShape.STRONG
        ):
            return word[:size], word[match.end() :]
    return None


def _han(word: str) -> NameShape:
    size = len(word)
    if size in (3, 4) and word[:2] in COMPOUND_SURNAMES:
        return _given(word[2:], NameShape.STRONG)
    common = word[0] in COMMON_SURNAMES
    if not common and word[0] not in RARE_SURNAMES:
        return NameShape.NONE
    if 4 <= size <= 8 and _mongol(word[1:]) is NameShape.STRONG:
        return NameShape.FAIR
    if size == 3 and word[1:] in MONGOL_ELEMENTS:
        return NameShape.STRONG if common else NameShape.FAIR
    if size > 4:
        return NameShape.NONE
    if size == 4:
        both = word[1] in COMMON_SURNAMES and all(c in GIVEN for c in word[2:])
        return NameShape.FAIR if common and both else NameShape.NONE
    best = _given(word[1:], NameShape.STRONG if common else NameShape.FAIR)
    return best if common or best is NameShape.FAIR else NameShape(min(best, NameShape.WEAK))


def _given(given: str, best: NameShape) -> NameShape:
    if any(c in NEVER_GIVEN for c in given):
        return NameShape.NONE
    if all(c in GIVEN for c in given):
        return best
    return NameShape(best - 1)


def _mongol(word: str) -> NameShape:
    if _of_elements(word):
        return NameShape.STRONG if len(word) >= 3 else NameShape.FAIR
    if not 3 <= len(word) <= 9 or not all(c in MONGOL_SYLLABLES for c in word):
        return NameShape.NONE
    marks = sum(c in MONGOL_MARKERS for c in word)
    if marks < 2:
        return NameShape.WEAK if marks and len(word) >= 4 else NameShape.NONE
    return NameShape.STRONG if len(word) >= 4 else NameShape.FAIR


def _of_elements(word: str) -> bool:
    """Whether the word is made of known elements only (乌云 + 其木格)."""
    reach = {0}
    for start in range(len(word)):
        if start in reach:
            reach.update(
                end
                for end in range(start + 1, min(len(word), start + 6) + 1)
                if word[start:end] in MONGOL_ELEMENTS
            )
    return len(word) in reach


def _dotted(word: str) -> NameShape:
    parts = word.split("·")
    if not 2 <= len(parts) <= 4 or not all(1 <= len(p) <= 8 for p in parts):
        return NameShape.NONE
    if not all(
        is_cjk(c) and (c not in NEVER_GIVEN or c in MONGOL_SYLLABLES) for p in parts for c in p
    ):
        return NameShape.NONE
    if any(p in WORDS or p in PLACES for p in parts):
        return NameShape.NONE
    foreign = all(sum(c in MONGOL_SYLLABLES for c in p) * 4 >= len(p) * 3 for p in parts)
    return NameShape.STRONG if foreign else NameShape.WEAK


def _with_honorific(word: str) -> NameShape:
    match = _HONORIFIC.search(word)
    if not match or match.end() != len(word) or match.start() == 0:
        return NameShape.NONE
    name = word[: match.start()]
    if len(name) == 1:
        return NameShape.FAIR if name in COMMON_SURNAMES else NameShape.NONE
    return max(_han(name), _mongol(name))


def _familiar(word: str) -> NameShape:
    """小李, 老王."""
    return (
        NameShape.FAIR
        if len(word) == 2 and word[0] in "小老" and word[1] in COMMON_SURNAMES[:100]
        else NameShape.NONE
    )
