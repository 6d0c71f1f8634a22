"""Which of the names in a line is the submitter.

A name counts by where it stands: set apart like a field, next to the telephone. Neighbouring names
are one list of submitters. Two names in equally good places are a question for the sender; a name
that only half looks like one is a guess at best.
"""

from __future__ import annotations

from itertools import pairwise

from mailbot.core.subject.fields import Fields, value
from mailbot.core.subject.model import Ambiguity, Certainty, FieldName
from mailbot.core.subject.names import (
    NameShape,
    is_padded_name,
    may_be_name,
    name_at_end,
    name_shape,
    without_honorific,
)
from mailbot.core.subject.pieces import Context, Kind, Piece, Pieces
from mailbot.core.subject.tokens import classify


def place_submitter(pieces: Pieces, fields: Fields, context: Context) -> None:
    _split_honorifics(pieces, context)
    _drop_repeats(pieces)
    groups = _groups(pieces)
    if not groups:
        if not _glued_name(pieces, fields, context):
            _unusual_name(pieces, fields)
        return
    rest = any(p.kind is Kind.TEXT and not p.used for p in pieces.items) or any(
        p.kind is Kind.STATEMENT for p in pieces.items
    )
    ranked = sorted(groups, key=lambda g: -_strength(pieces, g))
    top = [g for g in ranked if _strength(pieces, g) == _strength(pieces, ranked[0])]
    if len(top) > 1:
        near = [g for g in top if _near_phone(g)]
        if len(near) == 1 and all(g is near[0] or _outranked(pieces, g, near[0]) for g in top):
            top = near
    if paired := _paired_with_phones(pieces, groups):
        for piece in paired:
            piece.used = True
        fields.submitter = value("、".join(pieces.text(p) for p in paired), Certainty.LIKELY)
        return
    if len(top) > 1 or _too_many(pieces, top[0], rest):
        candidates = (
            [_group_text(pieces, g) for g in top]
            if len(top) > 1
            else [pieces.text(p) for p in top[0]]
        )
        fields.ambiguities.append(Ambiguity(FieldName.SUBMITTER, tuple(candidates)))
        for group in top:
            for piece in group:
                piece.used = True
        return
    group = top[0]
    if joined := _runs_into(pieces, group):
        fields.ambiguities.append(Ambiguity(FieldName.SUBMITTER, joined))
    for piece in group:
        piece.used = True
    if joined:
        return
    shape = min(p.shape for p in group)
    sure = shape is NameShape.STRONG and _strength(pieces, group) == 4
    labelled = all(p.labelled for p in group)
    fields.submitter = value(
        _group_text(pieces, group), Certainty.CERTAIN if sure or labelled else Certainty.LIKELY
    )


def _split_honorifics(pieces: Pieces, context: Context) -> None:
    """李四老师申请 → 李四 and 申请."""
    out: list[Piece] = []
    for piece in pieces.items:
        parts = (
            None
            if piece.used or piece.kind is not Kind.TEXT
            else without_honorific(pieces.fold(piece))
        )
        if not parts or not parts[1]:
            out.append(piece)
            continue
        name = Piece(piece.start, piece.start + len(parts[0]), piece.left, "g")
        rest = Piece(piece.end - len(parts[1]), piece.end, "g", piece.right)
        for part in (name, rest):
            classify(pieces, part, context)
            out.append(part)
    pieces.items = out


def _drop_repeats(pieces: Pieces) -> None:
    """The same name once more (…+张三+7622029（张三）) carries nothing."""
    seen: set[str] = set()
    for piece in pieces.items:
        if piece.kind is Kind.NAME and not piece.used:
            if pieces.fold(piece) in seen:
                piece.used = True
            seen.add(pieces.fold(piece))


def _groups(pieces: Pieces) -> list[list[Piece]]:
    """Neighbouring names, as one list of submitters each."""
    groups: list[list[Piece]] = []
    last: Piece | None = None
    for piece in pieces.items:
        if piece.kind is Kind.NAME and not piece.used:
            if last is not None and last.kind is Kind.NAME and not last.used:
                groups[-1].append(piece)
            else:
                groups.append([piece])
        last = piece
    return groups


def _strength(pieces: Pieces, group: list[Piece]) -> int:
    if any(p.labelled for p in group):
        return 5
    return pieces.strength(group[0].left) + pieces.strength(group[-1].right)


def _paired_with_phones(pieces: Pieces, groups: list[list[Piece]]) -> list[Piece]:
    """张三 7622029 李四 7622030: each name with a telephone of its own, one after the other."""
    names = [g[0] for g in groups if len(g) == 1 and g[0].right == "#"]
    places = [pieces.items.index(n) for n in names]
    in_turn = all(
        later - earlier == 2 and pieces.items[earlier + 1].kind is Kind.PHONE
        for earlier, later in pairwise(places)
    )
    return names if len(names) == len(groups) > 1 and in_turn else []


def _near_phone(group: list[Piece]) -> bool:
    return group[-1].right == "#" or group[0].left == "#"


def _outranked(pieces: Pieces, group: list[Piece], near: list[Piece]) -> bool:
    """A name that the one beside the telephone beats: of weaker shape, or inside running text."""
    if min(p.shape for p in group) < min(p.shape for p in near):
        return True
    at = pieces.items.index(group[0])
    until = pieces.items.index(group[-1])
    before = pieces.items[at - 1] if at else None
    after = pieces.items[until + 1] if until + 1 < len(pieces.items) else None
    inside = (
        before is not None and after is not None
        and before.kind is after.kind is Kind.TEXT
        and not before.used and not after.used
    )  # fmt: skip
    return inside and pieces.primary == " "


def _too_many(pieces: Pieces, group: list[Piece], rest: bool) -> bool:
    """Two names where one of them might be the title: nothing else is there for a title, and they
    are set apart like fields, not like a list; or one only half looks like a name."""
    if len(group) < 2:
        return False
    apart = any(
        p.left == pieces.primary and (p.left not in "、,/;&" or not rest) for p in group[1:]
    )
    if not rest:
        return apart
    return apart and pieces.primary != " " and min(p.shape for p in group) < NameShape.STRONG


def _runs_into(pieces: Pieces, group: list[Piece]) -> tuple[str, ...]:
    """…群众增收张三、李四7622029: no delimiter before the first of two names. Both readings."""
    at = pieces.items.index(group[0])
    before = pieces.items[at - 1] if at else None
    after = pieces.items[at + len(group)] if at + len(group) < len(pieces.items) else None
    if before is None or after is None or before.kind is not Kind.TEXT or before.used:
        return ()
    if (
        group[0].left not in "、,/& "
        or after.kind is not Kind.PHONE
        or group[-1].end != after.start
    ):
        return ()
    names = name_at_end(pieces.fold(before))
    if not names:
        return ()
    text = pieces.line.text
    return (_group_text(pieces, group), text[before.end - len(names[0]) : group[-1].end])


def _group_text(pieces: Pieces, group: list[Piece]) -> str:
    if len(group) == 1:
        text = pieces.text(group[0])
        return "".join(text.split()) if is_padded_name(pieces.fold(group[0])) else text
    if any(p.left == pieces.primary and p.left in "+|_-" for p in group[1:]):
        return "、".join(pieces.text(p) for p in group)
    return pieces.line.text[group[0].start : group[-1].end]


def _unusual_name(pieces: Pieces, fields: Fields) -> None:
    """A short piece by itself next to the telephone that no pattern knows as a name (萧红 of a
    surname not listed): offered as a guess, so that the corrected line can label it. One that is
    transcribed throughout (a Mongolian name of rare parts) is likely enough in that place."""
    texts = [p for p in pieces.items if p.kind is Kind.TEXT and not p.used]
    near = [
        p for p in texts
        if "#" in (p.left, p.right) and may_be_name(pieces.fold(p))
        and pieces.strength(p.left) + pieces.strength(p.right) == 4
    ]  # fmt: skip
    if len(near) == 1 and len(texts) > 1 and fields.unit is not None:
        near[0].used = True
        transcribed = name_shape(pieces.fold(near[0])) is NameShape.WEAK and (
            near[0].end - near[0].start >= 4
        )
        fields.submitter = value(
            pieces.text(near[0]), Certainty.LIKELY if transcribed else Certainty.GUESS
        )


def _glued_name(pieces: Pieces, fields: Fields, context: Context) -> bool:
    """…进展顺利张三7622029: a name at the end of the text that runs into the telephone."""
    for piece, following in pairwise(pieces.items):
        if following.kind is not Kind.PHONE or piece.kind is not Kind.TEXT or piece.used:
            continue
        if piece.end != following.start:
            continue
        names = name_at_end(pieces.fold(piece))
        if not names:
            continue
        if len(names) > 1:
            fields.ambiguities.append(
                Ambiguity(
                    FieldName.SUBMITTER,
                    tuple(pieces.line.text[piece.end - len(n) : piece.end] for n in names),
                )
            )
            piece.end -= len(names[0])
        else:
            piece.end -= len(names[0])
            fields.submitter = value(
                pieces.line.text[piece.end : piece.end + len(names[0])], Certainty.LIKELY
            )
        classify(pieces, piece, context)
        return True
    return False
