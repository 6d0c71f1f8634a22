"""Which of the units named in a line is the one that reports.

A unit's place is at the front, or set apart by delimiters or brackets; a unit named inside a title
is none. What stands in a unit's place but is nobody in the roster is told with the near misses.
"""

from __future__ import annotations

import re

from mailbot.core.subject.fields import Fields
from mailbot.core.subject.labels import Label, bare_label, is_label
from mailbot.core.subject.model import Ambiguity, Certainty, FieldName, Source, UnitValue
from mailbot.core.subject.names import NameShape, names_shape
from mailbot.core.subject.pieces import Context, Kind, Piece, Pieces
from mailbot.core.subject.statements import statement
from mailbot.core.subject.strangers import unknown_unit
from mailbot.core.subject.tokens import classify
from mailbot.core.subject.units import (
    UnitMatch,
    near_misses,
    own_place_at_end,
    unit_name,
)

_VERB = re.compile(r"(?:关于)?(?:报送|上报|呈报|供稿|投稿|来稿|报)(?:的)?")
_SENT_TITLE = re.compile(
    r"(?P<verb>(?:关于)?(?:报送|上报|呈报|供稿|投稿|来稿)(?:的)?(?:政务信息|信息|稿件|材料)?)"
    r"(?P<title>《[^《》]+》|“[^“”]+”)(?P<tail>(?:的)?(?:政务信息|信息|稿件|材料)?)"
)
"""报送《…》的信息: the whole of what follows a unit, its title in quotation marks."""
_ALSO = re.compile(r"(?:和|与|及|同|会同|联合|、)+")
_VISITOR = re.compile(r"(?:到|来|莅临|深入|赴)(?:我|全|前)?(?:旗|县|市|区|镇|乡|局|校|院)")
_PART = re.compile(
    r".{0,10}(?:办公室|股|科|室|大队|中队|支队|分局|站|所|队|中心|院|公司|学校|小学|中学|幼儿园|社区|村|嘎查|村委会|支部|党委|团委|工会)"
)
_HIGHER = re.compile(r"(?:.{2,8}(?:省|自治区|市|盟|州|地区|县|区)|内蒙古|国家|中国|中共)+")
_OFFICE = re.compile(
    r".{0,8}(?:办公室|综合办|党政办|股|科|室|大队|中队|支队|党委|党组|党总支|党支部|支部|工会|妇联|团委|团支部)"
)
"""Parts of a unit that cannot be anybody else's."""

_FRONT, _EXACT, _NAMED, _OWN_PART, _PARTLY, _LEADING = 41, 40, 36, 34, 30, 20


def place_unit(pieces: Pieces, fields: Fields, context: Context) -> None:
    """Finds the reporting unit, puts it into `fields` and marks or cuts the pieces it stood in."""
    _take_bare_labels(pieces, context)
    found = _candidates(pieces, context)
    if found:
        best = max(grade for grade, _, _ in found)
        top = [(piece, unit) for grade, piece, unit in found if grade == best]
        if best >= _LEADING:
            rivals = _rivals(pieces, top, context)
            if rivals:
                fields.ambiguities.append(Ambiguity(FieldName.UNIT, rivals))
                for piece, _ in top:
                    piece.used = piece.kind is Kind.UNIT
                return
            piece, unit = top[0]
            _take(pieces, piece, unit, best, fields, context)
            _drop_repeats(pieces, unit)
            return
    unknown_unit(pieces, fields, context)


def _take_bare_labels(pieces: Pieces, context: Context) -> None:
    """报送人张三, 报送单位农牧局: labels that lost their colon; and labels that are pieces."""
    previous: Piece | None = None
    for piece in pieces.items:
        if previous is not None and previous.kind is Kind.LABEL and piece.kind is Kind.NAME:
            piece.labelled = True
        previous = piece
        if piece.kind is not Kind.TEXT:
            continue
        _take_bare_label(pieces, piece, context)


def _take_bare_label(pieces: Pieces, piece: Piece, context: Context) -> None:
    label = bare_label(pieces.fold(piece))
    if not label or piece.start + label[1] >= piece.end:
        return
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
        piece.kind, piece.shape, piece.unit = rest.kind, rest.shape, rest.unit
        piece.labelled = True


def _candidates(pieces: Pieces, context: Context) -> list[tuple[int, Piece, UnitMatch]]:
    """Units in a unit's place, each with a grade: 40 set apart (less where a weak delimiter sets
    it apart), 41 or 36 with only a name, a verb or a label, 34 and 30 with the name of a part, 20
    at the front."""
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
    if _OFFICE.fullmatch(rest):
        return [(_OWN_PART, piece, unit)]
    if _is_filler(rest, context) or _SENT_TITLE.fullmatch(rest):
        return [(_FRONT if leading else _NAMED, piece, unit)]
    part = _PART.fullmatch(rest)
    if statement(rest) or _is_named(rest) or (not part and names_shape(rest) >= NameShape.FAIR):
        return [(_NAMED, piece, unit)]
    if part:
        whole = pieces.line.text[piece.start : piece.end]
        others = [i for i in near_misses(whole, context.roster, context.day) if i != unit.unit_id]
        single = len([p for p in pieces.items if p.kind is Kind.TEXT]) == 1
        if not (others or single):
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
    """报送, 上报政务信息, 信息员: words between a unit and what it sends in."""
    if rest in context.noise or _VERB.fullmatch(rest) or is_label(rest):
        return True
    verb = _VERB.match(rest)
    return verb is not None and rest[verb.end() :] in context.noise


def _is_named(rest: str) -> bool:
    """信息员张三: a label that lost its colon, and a name."""
    label = bare_label(rest)
    return (
        label is not None
        and label[0] in (Label.SUBMITTER, Label.PERSON)
        and names_shape(rest[label[1] :]) >= NameShape.FAIR
    )


def _rivals(
    pieces: Pieces, top: list[tuple[Piece, UnitMatch]], context: Context
) -> tuple[str, ...]:
    """Names of the units between which the line does not decide; () when it does."""
    piece, unit = top[0]
    rivals = [unit, *(u for _, u in top[1:] if u.unit_id != unit.unit_id)]
    if unit.unit_id is None:
        return tuple(unit_name(u, context.roster) for u in unit.candidates)
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
    elif following is not None and following.left in "、,/&" and following.left != pieces.primary:
        # 民政局、农牧局联合…: the second unit runs into the title
        rivals += [
            u for u in pieces.units if u.start == following.start and u.unit_id != unit.unit_id
        ]
    rest = pieces.line.fold[unit.end : piece.end]
    if also := _ALSO.match(rest):
        second = next((u for u in pieces.units if u.start == unit.end + also.end()), None)
        if second and second.unit_id != unit.unit_id:
            rivals.append(second)
    return tuple(dict.fromkeys(u.text for u in rivals)) if len(rivals) > 1 else ()


def _take(
    pieces: Pieces, piece: Piece, unit: UnitMatch, grade: int, fields: Fields, context: Context
) -> None:
    sure = grade > _PARTLY and grade != _NAMED - 1
    whole = grade in (_PARTLY, _OWN_PART)
    text = pieces.line.text[piece.start : piece.end] if whole else unit.text
    fields.unit = UnitValue(
        text, Source.SUBJECT, Certainty.CERTAIN if sure else Certainty.LIKELY, unit.unit_id
    )
    at = pieces.items.index(piece)
    if piece.kind is Kind.UNIT or whole or (unit.start, unit.end) == (piece.start, piece.end):
        piece.used = True
        if at + 1 < len(pieces.items):
            _bare_title(pieces, pieces.items[at + 1])
        return
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
    elif rest.kind is Kind.TEXT:
        _take_bare_label(pieces, rest, context)
        _bare_title(pieces, rest)
    pieces.items[at : at + 1] = parts


def _bare_title(pieces: Pieces, piece: Piece) -> None:
    """Leaves of 报送《…》的信息 the title."""
    sent = _SENT_TITLE.fullmatch(pieces.fold(piece)) if piece.kind is Kind.TEXT else None
    if sent is not None:
        piece.start, piece.end = piece.start + sent.start("title"), piece.start + sent.end("title")


def _drop_repeats(pieces: Pieces, unit: UnitMatch) -> None:
    """The same unit set apart once more carries nothing."""
    for piece in pieces.items:
        if piece.kind is Kind.UNIT and piece.unit and piece.unit.unit_id == unit.unit_id:
            piece.used = True
