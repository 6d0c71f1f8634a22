"""What stands where the reporting unit should and is nobody in the roster.

Three cases, never resolved by guessing: a name that could be short for several units (执法局) is an
`Ambiguity` with exactly those; a misspelling, or a name that could be short for one unit only, is an
unknown unit with the units it may mean; a field that can be nothing else by its place is an unknown
unit without any, so that the sender hears "not in the roster" and not "missing".
"""

from __future__ import annotations

import re

from mailbot.core.subject.fields import Fields
from mailbot.core.subject.model import Ambiguity, Certainty, FieldName, Source, UnitValue
from mailbot.core.subject.names import NameShape
from mailbot.core.subject.pieces import Context, Kind, Piece, Pieces
from mailbot.core.subject.statements import EVENT
from mailbot.core.subject.text import Line, trim
from mailbot.core.subject.tokens import classify
from mailbot.core.subject.units import INSTITUTION, containing, match_unit, near_misses, unit_name

PLACE = re.compile(r".{1,12}(?:省|自治区|市|盟|州|县|区|旗|镇|乡)|[省市县区盟州]")
_STRICT = re.compile(
    r".{0,14}(?:局|委员会|管委会|镇|苏木|街道|街道办事处|办公室|发改委|卫健委|服务中心|执法局|政府)"
)
_BODY = re.compile(r".{2,12}(?:会|社|团|联盟|合作社|基金会|志愿者|服务队)")
"""How bodies that are no institutions end; meetings (`EVENT`) end in 会, too."""

_DOING = re.compile(
    r"(?:[举承主协督代交开领查帮快严专联催新]办|[全局]部|[到好坏难远深]处|到[位站])$"
)
"""Verbs and adverbs that end like an institution (举办)."""

_LONGEST = 16
_DELIBERATE = "+|_/\\-;"
"""Delimiters nobody types inside a sentence."""


def unknown_unit(pieces: Pieces, fields: Fields, context: Context) -> None:
    """A short name, a misspelling, a unit of another place, or the name of an institution."""
    texts = [p for p in pieces.items if p.kind in (Kind.TEXT, Kind.NAME) and not p.used]
    if not texts:
        return
    for piece in texts[:8]:
        name = _bare(pieces, piece)
        if piece.kind is Kind.NAME and piece.shape is NameShape.STRONG:
            continue
        foreign = _foreign(pieces, piece)
        several = () if foreign else containing(name.fold, context.roster, context.day)
        close = near_misses(name.fold, context.roster, context.day)
        candidates = several if len(several) > 1 else tuple(dict.fromkeys((*several, *close)))
        institution = INSTITUTION.search(name.fold)
        strict = institution and (_STRICT.fullmatch(name.fold) or PLACE.match(name.fold))
        others = any(p is not piece and p.kind is Kind.TEXT for p in texts)
        if (candidates and (others or institution)) or (
            (foreign or (strict and piece is texts[0]))
            and len(name.fold) <= 20
            and (others or foreign)
        ):
            piece.used, piece.kind = True, Kind.UNIT
            put_stranger(
                name, several, candidates or ((foreign,) if foreign else ()), fields, context
            )
            return
    _misspelt_front(pieces, texts[0], fields, context)


def put_stranger(
    name: Line, several: tuple[str, ...], candidates: tuple[str, ...], fields: Fields, context: Context
) -> None:  # fmt: skip
    """Notes a name that is no unit's: with `several` units it is short for, a question."""
    if len(several) > 1:
        names = tuple(unit_name(u, context.roster) for u in several)
        fields.ambiguities.append(Ambiguity(FieldName.UNIT, names))
        return
    fields.unit = UnitValue(name.text, Source.SUBJECT, Certainty.GUESS, None, candidates)


def unit_by_position(pieces: Pieces, fields: Fields) -> None:
    """草原文化研究会+民歌传承人培训班举办+金花+7622090: submitter and contact are found, two fields
    remain, and one of them must be the unit. Only where the line says clearly what a field is."""
    asked = any(a.field is FieldName.UNIT for a in fields.ambiguities)
    if fields.unit is not None or asked or not fields.contact:
        return
    texts = [p for p in pieces.items if p.kind is Kind.TEXT and not p.used]
    apart = all(_apart(pieces, p) for p in texts)
    if len(texts) < 2 or not apart or (fields.submitter is None and len(texts) != 2):
        return
    first, *rest = texts
    names = [p for p in texts if _like_a_body(_bare(pieces, p).fold)]
    if len(names) == 1 and len(texts) == 2:
        chosen = names[0]
    elif first in names or (
        len(texts) == 2
        and fields.submitter is not None
        and pieces.primary in _DELIBERATE
        and _plain(_bare(pieces, first).fold)
        and first.end - first.start < rest[0].end - rest[0].start
    ):
        chosen = first
    else:
        return
    name = _bare(pieces, chosen)
    chosen.used, chosen.kind = True, Kind.UNIT
    fields.unit = UnitValue(name.text, Source.SUBJECT, Certainty.GUESS)


def _like_a_body(folded: str) -> bool:
    if not _plain(folded) or _DOING.search(folded):
        return False
    body = _BODY.fullmatch(folded) and not EVENT.search(folded)
    return bool(body or INSTITUTION.search(folded))


def _apart(pieces: Pieces, piece: Piece) -> bool:
    """Between deliberate delimiters, or in brackets of its own beside text."""
    folded = pieces.fold(piece)
    if folded[0] + folded[-1] == "[]":
        return True
    before = pieces.line.fold[piece.start - 1 : piece.start]
    return (pieces.strength(piece.left) == 2 or piece.left in _DELIBERATE or before == "]") and (
        pieces.strength(piece.right) == 2 or piece.right in _DELIBERATE
    )


def _plain(folded: str) -> bool:
    return 2 <= len(folded) <= _LONGEST and all(c.isalpha() or c in "()" for c in folded)


def _bare(pieces: Pieces, piece: Piece) -> Line:
    """The piece without brackets or quotes around all of it."""
    folded = pieces.line.fold
    start, end = trim(folded, piece.start, piece.end, " ")
    while end - start > 2 and folded[start] + folded[end - 1] in ("[]", "()", "“”", '""'):
        start, end = trim(folded, start + 1, end - 1, " ")
    return pieces.line.cut(start, end)


def _foreign(pieces: Pieces, piece: Piece) -> str | None:
    """The unit whose name ends the piece after the name of another place (乌审旗农牧局)."""
    for unit in pieces.units:
        if unit.end == piece.end and piece.start < unit.bare:
            before = pieces.line.fold[piece.start : unit.bare]
            if PLACE.fullmatch(before) and unit.unit_id:
                return unit.unit_id
    return None


def _misspelt_front(pieces: Pieces, piece: Piece, fields: Fields, context: Context) -> None:
    """农收局春耕备耕…: a misspelt unit run into the title."""
    folded = pieces.fold(piece)
    for end in range(3, min(len(folded) - 1, 16)):
        if not INSTITUTION.search(folded[:end]):
            continue
        head = folded[:end]
        if match_unit(head, context.roster, context.day):
            return
        candidates = near_misses(head, context.roster, context.day)
        place = next(
            (u for u in pieces.units if u.end == piece.start + end and u.bare > piece.start), None
        )
        if place and place.unit_id and PLACE.fullmatch(pieces.line.fold[piece.start : place.bare]):
            candidates = candidates or (place.unit_id,)
        if candidates:
            text = pieces.line.text[piece.start : piece.start + end]
            fields.unit = UnitValue(text, Source.SUBJECT, Certainty.GUESS, None, candidates)
            piece.start += end
            piece.left = "g"
            classify(pieces, piece, context)
            return
