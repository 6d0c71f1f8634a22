"""The four fields out of a line without labels.

The way: what is unmistakable is taken out first (telephones, a unit in a unit's place, a name in a
name's place); what remains in one stretch, with its own delimiters, is the title. Where two pieces
fit one field equally well, the field stays empty and both are named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailbot.core.subject.fields import Fields, set_titles, value
from mailbot.core.subject.model import Ambiguity, Certainty, FieldName
from mailbot.core.subject.people import place_submitter
from mailbot.core.subject.phones import phones_in
from mailbot.core.subject.pieces import Context, Kind, Piece, Pieces
from mailbot.core.subject.places import place_unit
from mailbot.core.subject.statements import (
    is_placeholder,
    mark_of,
    numbered_titles,
    statement,
    without_extension,
)
from mailbot.core.subject.strangers import unit_by_position
from mailbot.core.subject.text import Line, is_cjk, trim
from mailbot.core.subject.tokens import cut
from mailbot.core.subject.units import match_unit

EDGE = " +-_/|、,;:~&*·=><#^\\"
"""What is trimmed from the ends of a title (folded)."""

_SIDE = re.compile(
    r"(?:.{0,8}(?:股|科|室|办|站|队|股长|科长|所长|站长|主任|局长|书记|干事|科员|镇长|秘书|同志|老师|专干)|.{1,4}[男女])"
)
"""A person's office or rank standing by itself."""


def read_plain(line: Line, context: Context) -> Fields:
    """Reads one line that has no labels. Total; linear in its length."""
    fields = Fields()
    line = _unnumbered(_unwrapped(line), context)
    line = line.cut(
        greeting.end() if (greeting := _GREETING.match(line.fold)) else 0, len(line.fold)
    )
    line = line.cut(0, without_extension(line.fold, len(line.fold))).strip()
    if not line.fold or is_placeholder(line.fold):
        return fields
    pieces = cut(_closed_up(line, context), context)
    fields.marks.extend(pieces.marks)
    _contact(pieces, fields)
    _bare_marks(pieces, fields, context)
    place_unit(pieces, fields, context)
    place_submitter(pieces, fields, context)
    unit_by_position(pieces, fields)
    _title(pieces, fields)
    return fields


_GREETING = re.compile(r"(?:尊敬的)?(?:您好|你好|领导好|老师好|各位领导好?|领导)[!,。:~ ]+")


def _unnumbered(line: Line, context: Context) -> Line:
    """1、民政局 2、养老服务 3、张三 4、7622029: the numbers of a form's fields, not of titles."""
    spans = numbered_titles(line.fold)
    if not 3 <= len(spans) <= 5:
        return line
    parts = [line.cut(start, end) for start, end in spans]
    if any(match_unit(p.text, context.roster, context.day) for p in parts) and any(
        phones_in(p.fold) for p in parts
    ):
        return Line.of("+".join(p.text for p in parts))
    return line


def _unwrapped(line: Line) -> Line:
    """The line without one pair of brackets or quotes around all of it."""
    line = line.strip()
    while len(line.fold) > 2:
        first, last = line.fold[0], line.fold[-1]
        if (first, last) not in (("[", "]"), ("(", ")"), ("“", "”"), ('"', '"')):
            break
        inner = line.fold[1:-1]
        if first in inner or last in inner or not any(c in inner for c in "+-_/|、,; "):
            break
        line = line.cut(1, len(line.fold) - 1).strip()
    return line


_SPREAD = re.compile(r"(?<![^\W\d_a-z])[^\W\d_a-z](?: [^\W\d_a-z]){2,7}(?![^\W\d_a-z])")


def _closed_up(line: Line, context: Context) -> Line:
    """农 牧 局 as 农牧局: a unit's name set apart to fill a line."""
    at, text = 0, ""
    for match in _SPREAD.finditer(line.fold):
        name = line.text[match.start() : match.end()].replace(" ", "").replace("\u3000", "")
        if match_unit(name, context.roster, context.day):
            text += line.text[at : match.start()] + name
            at = match.end()
    return Line.of(text + line.text[at:]) if at else line


def _contact(pieces: Pieces, fields: Fields) -> None:
    for piece in pieces.items:
        if piece.phone:
            piece.used = True
            sure = piece.phone.clean or piece.phone.labelled
            for number in piece.phone.values:
                if number not in [c.value for c in fields.contact]:
                    fields.contact.append(
                        value(number, Certainty.CERTAIN if sure else Certainty.LIKELY)
                    )
    if not fields.contact:
        fields.contact.extend(value(e, Certainty.LIKELY) for e in pieces.emails)
    else:
        fields.leftover.extend(pieces.emails)


def _bare_marks(pieces: Pieces, fields: Fields, context: Context) -> None:
    """A declared mark as a field of its own without brackets (农牧局+问题类+…). Between blanks a
    bare word is the title's unless it says 类 or 信息: a category must be declared, not met."""
    for piece in pieces.items:
        folded = pieces.fold(piece)
        if piece.kind not in (Kind.TEXT, Kind.NAME) or not mark_of(folded, context.marks):
            continue
        if pieces.strength(piece.left) + pieces.strength(piece.right) < 4:
            continue
        if len(pieces.items) > 1 and pieces.primary == " " and not folded.endswith(("类", "信息")):
            continue
        piece.kind, piece.used = Kind.MARK, True
        fields.marks.append(pieces.text(piece))


@dataclass(slots=True)
class _Run:
    start: int
    end: int
    weight: int


def _title(pieces: Pieces, fields: Fields) -> None:
    runs = _runs(pieces, fields)
    if not runs:
        # Only a code stands there (BJ12): perhaps a title, never accepted as one by itself.
        code = next(
            (t for t in fields.leftover if any(c.isalpha() and c.isascii() for c in t)), None
        )
        if code and fields.title is None and "@" not in code:
            fields.leftover.remove(code)
            fields.title = value(code, Certainty.GUESS)
        return
    best = max(runs, key=lambda r: r.weight)
    rivals = [r for r in runs if r.weight * 2 > best.weight]
    chosen = rivals[0]
    for run in runs:
        if run is not chosen:
            fields.leftover.append(pieces.line.text[run.start : run.end])
    text = pieces.line.text[chosen.start : chosen.end]
    if len(rivals) > 1:
        candidates = tuple(pieces.line.text[r.start : r.end] for r in rivals)
        fields.ambiguities.append(Ambiguity(FieldName.TITLE, candidates))
        fields.title = value(text, Certainty.GUESS)
        return
    sure = (
        fields.unit is not None and fields.unit.certainty is Certainty.CERTAIN
        and fields.submitter is not None and fields.submitter.certainty is Certainty.CERTAIN
        and not fields.leftover
    )  # fmt: skip
    fields.title = value(text, Certainty.CERTAIN if sure else Certainty.LIKELY)
    set_titles(fields, text, pieces.line.fold[chosen.start : chosen.end])


def _is_stand_in(pieces: Pieces, piece: Piece) -> bool:
    """农牧局+春耕+XXX+7622029: a field of the pattern that nobody filled in. Between mere blanks it
    could be part of a title."""
    return (
        piece.kind is Kind.TEXT
        and pieces.primary != " "
        and pieces.strength(piece.left) == pieces.strength(piece.right) == 2
        and is_placeholder(pieces.fold(piece))
    )


def _runs(pieces: Pieces, fields: Fields) -> list[_Run]:
    """Stretches of text that are no other field, as spans of the line; statements, lone dates and
    numbers taken out of them."""
    stretches: list[list[Piece]] = [[]]
    for piece in pieces.items:
        skipped = piece.used or piece.kind in (Kind.NOISE, Kind.LABEL, Kind.MARK)
        if skipped or _is_stand_in(pieces, piece):
            stretches.append([])
        else:
            stretches[-1].append(piece)
    runs = []
    for stretch in stretches:
        stretch = _peeled(pieces, _without_statements(pieces, stretch, fields), fields)
        if not stretch:
            continue
        start, end = _with_edges(pieces, stretch)
        end = without_extension(pieces.line.fold, end)
        start, end = trim(pieces.line.fold, *_unbracketed(pieces.line.fold, start, end), " ")
        folded = pieces.line.fold[start:end]
        if is_placeholder(folded):
            continue
        if not any(c.isalpha() for c in folded):
            if folded:
                fields.leftover.append(pieces.line.text[start:end])
            continue
        weight = sum(2 if is_cjk(c) else 1 for c in folded)
        aside = pieces.line.fold[stretch[0].start] == "(" or _SIDE.fullmatch(folded)
        runs.append(_Run(start, end, max(1, weight // 4) if aside else weight))
    return runs


_OPENING = "=#@^~&-+/*<>"
"""Delimiters that a title may begin or end with in its own right: =SUM(A1), #话题#, -20℃, <话题>."""


def _with_edges(pieces: Pieces, stretch: list[Piece]) -> tuple[int, int]:
    """The span of a title. A character that could separate but does not in this line, and stands
    between the line's delimiter and the title, is the title's own first or last one."""
    folded = pieces.line.fold
    start, end = trim(folded, stretch[0].start, stretch[-1].end, EDGE)
    at = pieces.items.index(stretch[0])
    floor = pieces.items[at - 1].end if at else 0
    after = pieces.items.index(stretch[-1]) + 1
    ceiling = pieces.items[after].start if after < len(pieces.items) else len(folded)
    elsewhere = folded[:floor] + folded[ceiling:] + pieces.primary
    first = start
    while first > floor and folded[first - 1] in _OPENING and folded[first - 1] not in elsewhere:
        first -= 1
    last = end
    while last < ceiling and folded[last] in _OPENING and folded[last] not in elsewhere:
        last += 1
    if pieces.primary in folded[floor:first] and folded[first - 1] in pieces.primary + "])":
        start = first
    if pieces.primary in folded[last:ceiling] and folded[last] in pieces.primary + "[(":
        end = last
    return start, end


def _without_statements(pieces: Pieces, stretch: list[Piece], fields: Fields) -> list[Piece]:
    if not stretch:
        return stretch
    start, end = trim(pieces.line.fold, stretch[0].start, stretch[-1].end, EDGE)
    whole = statement(pieces.line.fold[start:end])
    if whole:
        fields.count, fields.month = fields.count or whole.count, fields.month or whole.month
        return []
    kept = []
    for piece in stretch:
        if (
            piece.statement
            and piece.kind is Kind.STATEMENT
            and (piece is stretch[0] or piece is stretch[-1])
        ):
            fields.count = fields.count or piece.statement.count
            fields.month = fields.month or piece.statement.month
        else:
            kept.append(piece)
    return kept


def _peeled(pieces: Pieces, stretch: list[Piece], fields: Fields) -> list[Piece]:
    """Without lone dates, numbers, classes at its ends, where they are set apart like fields."""
    if stretch and numbered_titles(pieces.line.fold[stretch[0].start : stretch[-1].end]):
        return stretch
    while stretch and stretch[0].kind is Kind.ATTRIBUTE and not _goes_on(pieces, stretch):
        fields.leftover.append(pieces.text(stretch.pop(0)))
    tail: list[str] = []
    while stretch and stretch[-1].kind is Kind.ATTRIBUTE:
        tail.insert(0, pieces.text(stretch.pop()))
    fields.leftover.extend(tail)
    return stretch


_DATE_ON = re.compile(r"[-~][0-9]{1,4}[年月日号]")


def _goes_on(pieces: Pieces, stretch: list[Piece]) -> bool:
    """Whether the first piece is only the beginning of something: the number of the first of
    several titles (1、…), the first day of several (5月20日-25日…)."""
    first = stretch[0]
    numbers = first.end - first.start <= 2 and first.right == "、" and pieces.fold(first).isdigit()
    return numbers or (len(stretch) > 1 and bool(_DATE_ON.match(pieces.line.fold, first.end)))


def _unbracketed(folded: str, start: int, end: int) -> tuple[int, int]:
    """The span without a pair of brackets around all of it (【春耕备耕】 → 春耕备耕)."""
    while end - start > 2 and folded[start] + folded[end - 1] in ("[]", "()"):
        inner = folded[start + 1 : end - 1]
        if any(c in inner for c in "[]()"):
            break
        start, end = start + 1, end - 1
    return start, end
