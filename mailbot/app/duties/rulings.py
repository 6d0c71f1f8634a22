"""What became of drafts of notices since the last digest: who approved or rejected them, by reply, by
command or the program by itself, and how many letters went out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.app.letter_records import DraftRow, DraftState
from mailbot.app.ports import Reads
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.office import DigestLine

_OF_NOTICE = (LetterKind.COVER, LetterKind.OWN, LetterKind.READER)
_LONGEST_WAIT = timedelta(days=60)
"""Between approving a draft and sending it: what takes longer is not looked for."""


@dataclass(frozen=True, slots=True)
class Ruling:
    mark: str
    """What tells it from every other."""
    line: DigestLine


def rulings(reads: Reads, office: str, since: datetime, until: datetime) -> Iterator[Ruling]:
    """Those made in the span, oldest first."""
    found = []
    for draft in reads.drafts(office):
        decided = draft.decided_at
        if decided is None or not since - _LONGEST_WAIT <= decided < until:
            continue
        letters, moment = 0, decided
        if draft.state is DraftState.SENT:
            sent = [x for x in reads.letters_about(f"draft:{draft.id}") if x.kind in _OF_NOTICE]
            letters, moment = len(sent), max((x.queued for x in sent), default=decided)
        if since <= moment < until:
            found.append((moment, draft.id, _ruling(draft, letters, moment)))
    return (ruling for _moment, _id, ruling in sorted(found, key=lambda one: one[:2]))


def _ruling(draft: DraftRow, letters: int, moment: datetime) -> Ruling:
    match draft.state:
        case DraftState.SENT:
            said = f"批准，信件 {letters} 封已交付发送"
        case DraftState.APPROVED:
            said = "批准，信件还没有发出"
        case _:
            said = "退回" + (f"：{draft.why.rstrip('。')}" if draft.why else "")
    text = f"《{draft.title}》（第 {draft.id} 号草稿）由{draft.decided_by}{said}"
    line = DigestLine(moment, text, f"mailbot notices show {draft.id}")
    return Ruling(f"draft:{draft.id}:{draft.state.value}", line)
