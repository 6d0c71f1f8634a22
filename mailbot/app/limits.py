"""How many automatic answers an address may get (RFC 3834 §2, §4).

Headers alone do not stop a loop: answers are counted from the send log. Distinct submissions of an
accepted address get plenty (month's end is busy); repeats, other addresses and single threads get
next to nothing. A responder that gives every mail a new subject, and quotes nothing of ours, looks
like a liaison who keeps making mistakes: mails without anything of an item get three returns in a
row, until one is accepted again.
"""

from __future__ import annotations

from mailbot.app.records import AnswerCounts
from mailbot.core.letters.answers import AnswerKind
from mailbot.core.rules.rulebook import Limits


def refusal(
    kind: AnswerKind,
    counts: AnswerCounts,
    limits: Limits,
    *,
    accepted_sender: bool,
    once: bool = False,
    hollow: bool = False,
) -> str | None:
    """Why no answer of this kind may go out now (`breaker`, `thread`, `row`, `repeat`, `day`), or
    None.

    `accepted_sender`: the address is bound or had mail accepted. `once`: the thread that `counts`
    is about gets one letter ever. `hollow`: the mail brought nothing that could be an item, as a
    responder's without any sign of one.
    """
    if counts.office_last_hour >= limits.per_hour:
        return "breaker"
    if counts.thread_ever >= (1 if once else limits.per_thread):
        return "thread"
    if hollow and counts.in_a_row >= limits.per_thread:
        return "row"
    scarce = kind is AnswerKind.REPEAT or not accepted_sender
    if scarce and counts.kind_last_day.get(kind.value, 0) >= limits.repeats_per_day:
        return "repeat"
    if kind is AnswerKind.SERVICE:
        asked = counts.kind_today.get(kind.value, 0)
        return "day" if asked >= limits.acknowledgements_per_day else None
    if kind in (AnswerKind.ACKNOWLEDGEMENT, AnswerKind.REPEAT):
        return "day" if counts.acknowledgements_today >= limits.acknowledgements_per_day else None
    pending_today = counts.kind_today.get(AnswerKind.PENDING.value, 0)
    spent = pending_today if kind is AnswerKind.PENDING else counts.returns_today
    return "day" if spent >= limits.returns_per_day else None
