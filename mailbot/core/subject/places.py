"""Which of the units named in a line is the one that reports.

A unit's place is at the front, or set apart by delimiters or brackets; a unit named inside a title
is none. What stands in a unit's place but is nobody in the roster is told with the near misses.
"""

from __future__ import annotations

import re

from mailbot.core.subject.fields import Fields
from mailbot.core.subject.labels import Label, bare_label
from mailbot.core.subject.model import Ambiguity, Certainty, FieldName, Source, UnitValue
from mailbot.core.subject.names import NameShape, names_shape
from mailbot.core.subject.statements import statement
from mailbot.core.subject.tokens import Context, Kind, Piece, Pieces, classify
from mailbot.core.subject.units import (
    INSTITUTION,
    UnitMatch,
    match_unit,
    near_misses,
    own_place_at_end,
)

_VERB = re.compile(r"(?:关于)?(?:报送|上报|呈报|供稿|投稿|来稿|报)(?:的)?")
_ALSO = re.compile(r"(?:和|与|及|同|会同|联合|、)+")
_VISITOR = re.compile(r"(?:到|来|莅临|深入|赴)(?:我|全|前)?(?:旗|县|市|区|镇|乡|局|校|院)")
_PART = re.compile(
    r".{0,10}(?:办公室|股|科|室|大队|中队|支队|分局|站|所|队|中心|院|公司|学校|小学|中学|幼儿园|社区|村|嘎查|村委会|支部|党委|团委|工会)"
)
_HIGHER = re.compile(r"(?:.{2,8}(?:省|自治区|市|盟|州|地区|县|区)|内蒙古|国家|中国|中共)+")
_PLACE = re.compile(r".{1,12}(?:省|自治区|市|盟|州|县|区|旗|镇|乡)|[省市县区盟州]")
_STRICT = re.compile(
    r".{0,14}(?:局|委员会|管委会|镇|苏木|街道|街道办事处|办公室|发改委|卫健委|服务中心|执法局|政府)"
)

_FRONT, _EXACT, _NAMED, _PARTLY, _LEADING = 41, 40, 36, 30, 20


def place_unit(pieces: Pieces, fields: Fields, context: Context) -> None:
    """Finds the reporting unit, puts it into `fields` and marks or cuts the pieces it stood in."""
    _take_bare_labels(pieces, context)
    found = _candidates(pieces, context)
    if found:
        best = max(grade for grade, _, _ in found)
        top = [(piece, unit) for grade, piece, unit in found if grade == best]
        if best >= _LEADING:
            rivals = _rivals(pieces, top, found)
            if rivals:
                fields.ambiguities.append(Ambiguity(FieldName.UNIT, rivals))
                for piece, _ in top:
                    piece.used = piece.kind is Kind.UNIT
                return
            piece, unit = top[0]
            _take(pieces, piece, unit, best, fields, context)
            _drop_repeats(pieces, unit)
            return
    _unknown(pieces, fields, context)


def _take_bare_labels(pieces: Pieces, context: Context) -> None:
    """报送人张三, 报送单位农牧局: labels that lost their colon; and labels that are pieces."""
    previous: Piece | None = None
    for piece in pieces.items:
        if previous is not None and previous.kind is Kind.LABEL and piece.kind is Kind.NAME:
            piece.labelled = True
        previous = piece
        if piece.kind is not Kind.TEXT:
            continue
        label = bare_label(pieces.fold(piece))
        if not label or piece.start + label[1] >= piece.end:
            continue
        rest = Piece(piece.start + label[1], piece.end, "g", piece.right)
        classify(pieces, rest, context)
        fits = {
            Label.UNIT: rest.kind is Kind.UNIT,
            Label.TITLE: rest.kind is Kind.TEXT,
            Label.SUBMITTER: rest.kind is Kind.NAME,
            Label.PERSON: rest.kind is Kind.NAME,
        }.get(label[0], False)
        if fits:
            piece.start, piece.left = rest.start, "^"
            piece.kind, piece.shape, piece.unit, piece.labelled = (
                rest.kind,
                rest.shape,
                rest.unit,
                True,
            )


def _candidates(pieces: Pieces, context: Context) -> list[tuple[int, Piece, UnitMatch]]:
    """Units in a unit's place, each with a grade: 40 set apart (less where a weak delimiter sets
    it apart), 36 with only a name or a verb, 30 with the name of a part, 20 at the front."""
    found = []
    leading = True
    for piece in pieces.items:
        if piece.kind is Kind.UNIT and piece.unit:
            borders = pieces.strength(piece.left) + pieces.strength(piece.right)
            if piece.right == ":":  # 昂素镇：草畜平衡出新招 is how titles begin, too
                borders -= 1
            found.append((50 if piece.labelled else _EXACT - 4 + borders, piece, piece.unit))
        elif piece.kind in (Kind.TEXT, Kind.STATEMENT):
            inside = [u for u in pieces.units if piece.start <= u.start and u.end <= piece.end]
            first = next((u for u in inside if u.start == piece.start), None)
            if first:
                found += _glued(pieces, piece, first, leading, context)
            elif inside:
                found += _preceded(pieces, piece, inside[-1], context)
        if piece.kind is Kind.TEXT:
            leading = False
    return found


def _glued(
    pieces: Pieces, piece: Piece, unit: UnitMatch, leading: bool, context: Context
) -> list[tuple[int, Piece, UnitMatch]]:
    rest = pieces.line.fold[unit.end : piece.end]
    if _is_filler(rest, context) or statement(rest) or names_shape(rest) >= NameShape.FAIR:
        return [(_FRONT if leading and _is_filler(rest, context) else _NAMED, piece, unit)]
    if _PART.fullmatch(rest):
        whole = pieces.line.text[piece.start : piece.end]
        others = [i for i in near_misses(whole, context.roster, context.day) if i != unit.unit_id]
        single = len([p for p in pieces.items if p.kind is Kind.TEXT]) == 1
        if rest.endswith(("办公室", "股", "科", "室")) or not (others or single):
            return [(_PARTLY, piece, unit)]
        if others:
            return []
    if leading and not _VISITOR.match(rest):
        return [(_LEADING, piece, unit)]
    return []


def _preceded(
    pieces: Pieces, piece: Piece, unit: UnitMatch, context: Context
) -> list[tuple[int, Piece, UnitMatch]]:
    """A unit at the end of a piece, after a name (张三农牧局) or its own higher places."""
    if unit.end != piece.end:
        return []
    before = pieces.line.fold[piece.start : unit.bare]
    if names_shape(pieces.line.fold[piece.start : unit.start]) is NameShape.STRONG:
        return [(_NAMED - 1, piece, unit)]
    own = own_place_at_end(before, context.roster, context.day)
    if own is not None and _HIGHER.fullmatch(before[:own]):
        return [
            (
                _EXACT,
                piece,
                UnitMatch(
                    piece.start,
                    piece.end,
                    unit.bare,
                    pieces.text(piece),
                    unit.unit_id,
                    unit.candidates,
                ),
            )
        ]
    return []


def _is_filler(rest: str, context: Context) -> bool:
    """报送, 上报政务信息: words between a unit and what it sends in."""
    if rest in context.noise or _VERB.fullmatch(rest):
        return True
    verb = _VERB.match(rest)
    return verb is not None and rest[verb.end() :] in context.noise


def _rivals(
    pieces: Pieces, top: list[tuple[Piece, UnitMatch]], found: list[tuple[int, Piece, UnitMatch]]
) -> tuple[str, ...]:
    """Names of the units between which the line does not decide; () when it does."""
    piece, unit = top[0]
    rivals = [unit, *(u for _, u in top[1:] if u.unit_id != unit.unit_id)]
    if unit.unit_id is None:
        return (unit.text, *unit.candidates)
    at = pieces.items.index(piece)
    following = pieces.items[at + 1] if at + 1 < len(pieces.items) else None
    if (
        following is not None
        and following.kind is Kind.UNIT
        and following.unit
        and following not in [p for p, _ in top]
    ):
        joint = following.left in "、,/& " and not (
            following.right == ":"
            or (following.left == pieces.primary and pieces.strength(following.right) == 1)
        )
        if joint and following.unit.unit_id != unit.unit_id:
            rivals.append(following.unit)
    rest = pieces.line.fold[unit.end : piece.end]
    if also := _ALSO.match(rest):
        second = next((u for u in pieces.units if u.start == unit.end + also.end()), None)
        if second and second.unit_id != unit.unit_id:
            rivals.append(second)
    return tuple(dict.fromkeys(u.text for u in rivals)) if len(rivals) > 1 else ()


def _take(
    pieces: Pieces, piece: Piece, unit: UnitMatch, grade: int, fields: Fields, context: Context
) -> None:
    sure = grade > _PARTLY and grade != _NAMED - 1 and not (piece.right == ":" != pieces.primary)
    text = pieces.line.text[piece.start : piece.end] if grade == _PARTLY else unit.text
    fields.unit = UnitValue(
        text, Source.SUBJECT, Certainty.CERTAIN if sure else Certainty.LIKELY, unit.unit_id
    )
    if (
        piece.kind is Kind.UNIT
        or grade == _PARTLY
        or (unit.start, unit.end) == (piece.start, piece.end)
    ):
        piece.used = True
        return
    at = pieces.items.index(piece)
    if unit.start > piece.start:
        rest = Piece(piece.start, unit.start, piece.left, "g")
        taken = Piece(unit.start, unit.end, "g", piece.right, Kind.UNIT, unit=unit, used=True)
        parts = [rest, taken]
    else:
        taken = Piece(piece.start, unit.end, piece.left, "g", Kind.UNIT, unit=unit, used=True)
        rest = Piece(unit.end, piece.end, "g", piece.right)
        parts = [taken, rest]
    classify(pieces, rest, context)
    if _is_filler(pieces.fold(rest), context):
        rest.kind, rest.used = Kind.NOISE, True
    pieces.items[at : at + 1] = parts


def _drop_repeats(pieces: Pieces, unit: UnitMatch) -> None:
    """The same unit set apart once more carries nothing."""
    for piece in pieces.items:
        if piece.kind is Kind.UNIT and piece.unit and piece.unit.unit_id == unit.unit_id:
            piece.used = True


def _unknown(pieces: Pieces, fields: Fields, context: Context) -> None:
    """Something stands where the unit should and is nobody in the roster, or a misspelling."""
    texts = [p for p in pieces.items if p.kind in (Kind.TEXT, Kind.NAME) and not p.used]
    if not texts:
        return
    for piece in texts[:8]:
        folded = pieces.fold(piece)
        if piece.kind is Kind.NAME and piece.shape is NameShape.STRONG:
            continue
        candidates = near_misses(folded, context.roster, context.day)
        foreign = _foreign(pieces, piece)
        strict = INSTITUTION.search(folded) and (_STRICT.fullmatch(folded) or _PLACE.match(folded))
        others = any(p is not piece and p.kind is Kind.TEXT for p in texts)
        if (candidates and (others or INSTITUTION.search(folded))) or (
            (foreign or (strict and piece is texts[0]))
            and len(folded) <= 20
            and (others or foreign)
        ):
            piece.used, piece.kind = True, Kind.UNIT
            fields.unit = UnitValue(
                pieces.text(piece), Source.SUBJECT, Certainty.GUESS, None,
                candidates or ((foreign,) if foreign else ()),
            )  # fmt: skip
            return
    _misspelt_front(pieces, texts[0], fields, context)


def _foreign(pieces: Pieces, piece: Piece) -> str | None:
    """The unit whose name ends the piece after the name of another place (乌审旗农牧局)."""
    for unit in pieces.units:
        if unit.end == piece.end and piece.start < unit.bare:
            before = pieces.line.fold[piece.start : unit.bare]
            if _PLACE.fullmatch(before) and unit.unit_id:
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
        if place and place.unit_id and _PLACE.fullmatch(pieces.line.fold[piece.start : place.bare]):
            candidates = candidates or (place.unit_id,)
        if candidates:
            text = pieces.line.text[piece.start : piece.start + end]
            fields.unit = UnitValue(text, Source.SUBJECT, Certainty.GUESS, None, candidates)
            piece.start += end
            piece.left = "g"
            classify(pieces, piece, context)
            return
