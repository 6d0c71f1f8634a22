"""A line cut into pieces: where delimiters stand, what the brackets hold, what each piece could be.

What separates is `delimiters`' business; nothing separates inside quotes, inside a telephone number
or a unit's own name, or inside brackets that hold ordinary text.
"""

from __future__ import annotations

import re
from itertools import pairwise

from mailbot.core.subject.delimiters import (
    DELIMITERS,
    RANK,
    class_of,
    is_delimiter,
    set_off_before,
    stronger,
)
from mailbot.core.subject.labels import is_label
from mailbot.core.subject.names import (
    NameShape,
    is_padded_name,
    name_at_end,
    name_shape,
    names_shape,
)
from mailbot.core.subject.phones import Phone, find_phones
from mailbot.core.subject.pieces import Context, Kind, Piece, Pieces
from mailbot.core.subject.statements import (
    ATTRIBUTE,
    BLANK,
    COURTESY,
    mark_of,
    statement,
)
from mailbot.core.subject.text import Line, bracket_pairs, is_cjk, quoted_spans
from mailbot.core.subject.units import find_units, is_place, match_unit

_EMAIL = re.compile(r"[a-z0-9][a-z0-9._+-]{0,40}@[a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,20}){1,4}")


def cut(line: Line, context: Context) -> Pieces:
    """The line in pieces, each with what it could be by itself. Linear in the length."""
    folded = line.fold
    size = len(folded)
    quoted = [False] * size
    gone = [False] * size
    for start, end in quoted_spans(line.text):
        if _quotes_a_field(line, start, end, context):
            gone[start] = gone[end - 1] = True
        else:
            quoted[start:end] = [True] * (end - start)
    result = Pieces(line, [], [])
    for match in BLANK.finditer(folded):
        gone[match.start() : match.end()] = [True] * (match.end() - match.start())
        result.blanks = True
    for match in _EMAIL.finditer(folded):
        if not any(quoted[match.start() : match.end()]):
            result.emails.append(match.group(0))
            gone[match.start() : match.end()] = [True] * (match.end() - match.start())
    busy = [q or g for q, g in zip(quoted, gone, strict=True)]
    open_text = "".join(" " if g else c for c, g in zip(folded, gone, strict=True))
    phones = _accepted(find_phones(open_text, busy), open_text, context)
    inside_phone = [False] * size
    for phone in phones:
        inside_phone[phone.start : phone.end] = [True] * (phone.end - phone.start)
    busy = [b or p for b, p in zip(busy, inside_phone, strict=True)]
    result.units = [
        u
        for u in find_units(line.text, context.roster, context.day)
        if not any(busy[u.start : u.end])
    ]
    solid = list(quoted)
    for unit in result.units:
        if any(c in DELIMITERS or c in "()[]" for c in folded[unit.start : unit.end]):
            solid[unit.start : unit.end] = [True] * (unit.end - unit.start)
    splits = {u.start for u in result.units if set_off_before(folded, u.start)}
    splits |= {end for start, end in quoted_spans(line.text) if _name_follows(folded, end)}
    _brackets(result, context, busy, solid, gone, splits, phones)
    _assemble(result, phones, inside_phone, solid, gone, splits)
    for piece in result.items:
        classify(result, piece, context)
    _pad_names(result)
    result.primary = _primary(result)
    return result


def _quotes_a_field(line: Line, start: int, end: int, context: Context) -> bool:
    """“张三”+“7622029”: quotes around a whole field that is no title."""
    folded = line.fold
    if (start and not is_delimiter(folded, start - 1)) or (
        end < len(folded) and not is_delimiter(folded, end)
    ):
        return False
    inner = folded[start + 1 : end - 1]
    if not 2 <= len(inner) <= 40:
        return False
    return (
        names_shape(inner) >= NameShape.FAIR
        or match_unit(inner, context.roster, context.day) is not None
        or any(
            p.start == 0 and p.end == len(inner) for p in find_phones(inner, [False] * len(inner))
        )
    )


def _name_follows(folded: str, at: int) -> bool:
    """《…的报告》张三+7622029: a name run into the book marks of the title."""
    if folded[at - 1] != "》":
        return False
    end = at
    while end < len(folded) and end - at < 12 and is_cjk(folded[end]):
        end += 1
    return name_shape(folded[at:end]) is NameShape.STRONG


def classify(pieces: Pieces, piece: Piece, context: Context) -> None:
    """What the piece could be by itself; changes `piece` in place."""
    if piece.kind is Kind.PHONE:
        return
    folded = pieces.fold(piece)
    bare = folded.strip("“”‘’\"'[]()!~ ") if folded[:1] in "“‘\"[('" else folded
    piece.kind, piece.shape, piece.unit = Kind.TEXT, NameShape.NONE, None
    exact = next(
        (
            u
            for u in pieces.units
            if piece.start <= u.start and u.end <= piece.end and u.end - u.start == len(bare)
        ),
        None,
    )
    if exact:
        piece.kind, piece.unit = Kind.UNIT, exact
    elif (
        bare in context.noise
        or COURTESY.fullmatch(bare)
        or is_place(bare, context.roster, context.day)
    ):
        piece.kind = Kind.NOISE
    elif is_label(bare):
        piece.kind = Kind.LABEL
    elif found := statement(bare):
        piece.kind, piece.statement = Kind.STATEMENT, found
    elif ATTRIBUTE.fullmatch(bare) and not _belongs_before(pieces, piece):
        piece.kind = Kind.ATTRIBUTE
    else:
        piece.shape = names_shape(folded)
        if piece.shape >= NameShape.FAIR:
            piece.kind = Kind.NAME


def _belongs_before(pieces: Pieces, piece: Piece) -> bool:
    """…请示（修改稿）, …工作会（8月12日）: brackets run into the text before them say something about
    that text."""
    folded, start = pieces.line.fold, piece.start
    return folded[start] in "([" and start > 0 and not is_delimiter(folded, start - 1)


def _accepted(found: list[Phone], folded: str, context: Context) -> list[Phone]:
    """Those numbers that stand where a contact stands: by themselves, or directly after or before
    a name. A number inside the running text of a title is the title's, unless there is no other."""
    good = [p for p in found if p.clean or _beside_name(p, folded, context)]
    if good:
        return good
    return [p for p in found[-1:] if not p.right_glued and folded[p.end :].strip(" )].。") == ""]


def _beside_name(phone: Phone, folded: str, context: Context) -> bool:
    if phone.right_glued:
        end = phone.end
        while end < len(folded) and end - phone.end < 12 and not is_delimiter(folded, end):
            end += 1
        return names_shape(folded[phone.end : end]) >= NameShape.FAIR and not phone.left_glued
    start = phone.start
    while start > 0 and phone.start - start < 60 and not is_delimiter(folded, start - 1):
        start -= 1
    before = folded[start : phone.start]
    if names_shape(before) >= NameShape.FAIR or name_at_end(before):
        return True
    ends = [u.end for u in find_units(before, context.roster, context.day) if u.start == 0]
    return bool(ends) and (
        ends[0] == len(before) or names_shape(before[ends[0] :]) >= NameShape.FAIR
    )


def _brackets(
    result: Pieces, context: Context, busy: list[bool], solid: list[bool], gone: list[bool],
    splits: set[int], phones: list[Phone],
) -> None:  # fmt: skip
    """Decides for each pair of brackets whether it separates (it holds fields), is a mark (taken
    out), or belongs to the text (then nothing inside it separates)."""
    folded = result.line.fold
    skip = [b or s for b, s in zip(busy, solid, strict=True)]
    for start, end in bracket_pairs(folded, skip):
        inner = folded[start + 1 : end].strip()
        if any(start < p.start < end for p in phones) or any(gone[start + 1 : end]):
            continue
        if mark_of(inner, context.marks):
            result.marks.append(result.line.text[start + 1 : end].strip())
            gone[start : end + 1] = [True] * (end + 1 - start)
        elif not inner or inner in context.noise:
            gone[start : end + 1] = [True] * (end + 1 - start)
        elif not _holds_fields(inner, result, start, end):
            solid[start : end + 1] = [True] * (end + 1 - start)
            splits.update((start, end + 1))


def _holds_fields(inner: str, result: Pieces, start: int, end: int) -> bool:
    """Whether the text in brackets is nothing but fields: a unit, names, labels, a statement."""
    if statement(inner) or names_shape(inner) >= NameShape.FAIR:
        return True
    if any(
        u.start > start and u.end <= end and u.end - u.start == len(inner) for u in result.units
    ):
        return True
    units = {result.line.fold[u.start : u.end] for u in result.units if start < u.start < end}
    parts = [p for p in re.split(r"[ +\-_/|、,;:]+", inner) if p]
    return len(parts) > 1 and all(
        p in units or name_shape(p) >= NameShape.FAIR or is_label(p) is not None for p in parts
    )


def _assemble(
    result: Pieces, phones: list[Phone], inside_phone: list[bool], solid: list[bool],
    gone: list[bool], splits: set[int],
) -> None:  # fmt: skip
    """Runs of text between delimiters, and the telephones, in order, with their borders."""
    folded = result.line.fold
    starts = {p.start: p for p in phones}
    items: list[Piece] = []
    border, at, size = "^", 0, len(folded)
    edges = {p.start - 1 for p in phones} | {p.end for p in phones}
    separates = [
        not solid[i] and (is_delimiter(folded, i) or (i in edges and folded[i] in DELIMITERS))
        for i in range(size)
    ]
    while at < size:
        if at in starts:
            phone = starts[at]
            items.append(Piece(at, phone.end, border, "^", Kind.PHONE, phone=phone))
            at, border = phone.end, "#"
            continue
        if gone[at]:
            border = stronger(border, "(")
            at += 1
            continue
        if separates[at]:
            border = stronger(border, class_of(folded[at]))
            at += 1
            continue
        end = at + 1
        while end < size and not (
            gone[end] or inside_phone[end] or end in splits or separates[end]
        ):
            end += 1
        items.append(Piece(at, end, border))
        at = end
        border = "*" if end in splits else ""
    for piece, following in pairwise(items):
        piece.right = "#" if following.kind is Kind.PHONE else following.left or "g"
    if items:
        items[-1].right = "^"
    for piece in items:
        piece.left = piece.left or "g"
    result.items = items


def _pad_names(pieces: Pieces) -> None:
    """张　三, 李 明 月 in one piece again."""
    merged: list[Piece] = []
    for piece in pieces.items:
        merged.append(piece)
        for size in (3, 2):
            parts = merged[-size:]
            if len(parts) == size and _padded(pieces, parts):
                whole = Piece(parts[0].start, piece.end, parts[0].left, piece.right)
                whole.kind, whole.shape = Kind.NAME, NameShape.STRONG
                merged[-size:] = [whole]
                break
    pieces.items = merged


def _padded(pieces: Pieces, parts: list[Piece]) -> bool:
    return all(p.left == " " for p in parts[1:]) and is_padded_name(
        pieces.line.fold[parts[0].start : parts[-1].end]
    )


def _primary(pieces: Pieces) -> str:
    """The class of delimiter that stands most often beside something unmistakable (a unit, a
    strong name, a telephone); the more deliberate one where two stand equally often."""
    counts: dict[str, int] = {}
    for piece, following in pairwise(pieces.items):
        between = following.left if following.left in RANK else ""
        if following.kind is Kind.PHONE or piece.kind is Kind.PHONE:
            between = _between(pieces, piece, following)
        if not between or between == "(":
            continue
        for side in (piece, following):
            if side.kind in (Kind.UNIT, Kind.PHONE) or side.shape is NameShape.STRONG:
                counts[between] = counts.get(between, 0) + 1
    if not counts:
        return next((p.left for p in pieces.items if p.left in RANK and p.left not in "(* "), " ")
    return min(counts, key=lambda c: (-counts[c], RANK.index(c)))


def _between(pieces: Pieces, piece: Piece, following: Piece) -> str:
    gap = pieces.line.fold[piece.end : following.start]
    return min((class_of(c) for c in gap), key=RANK.index, default="")
