"""What `rules check` says of an office's letters: which there are, when each is due, who gets it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mailbot.adapters.i18n import N_, _
from mailbot.cli import words
from mailbot.cli.context import say
from mailbot.core.duties.model import RECOMMENDER, DutyKind, LetterRule, NewsMode, Stage
from mailbot.core.rules.people import IN_A_SENTENCE
from mailbot.core.rules.rulebook import OfficeBook

_OF_PERIOD = (
    N_("working day {n} counted back from the end of the {period}"),
    N_("the last day of the {period}"),
    N_("working day {n} after the {period}"),
)
_OF_DUE_DAY = (
    N_("working day {n} counted back from the due day"),
    N_("the due day"),
    N_("working day {n} after the due day"),
)
"""Before, on and after it."""
_NEWS = {
    NewsMode.OFF: N_("switched off"),
    NewsMode.AT_ONCE: N_("as soon as it is recorded"),
    NewsMode.WEEKLY: N_("the first working day of each week"),
}


def letter_lines(book: OfficeBook) -> list[str]:
    """One line a letter, then where the office's own mail goes."""
    letters = book.letters.letters
    if not letters:
        return [_("no letters of our own accord: there is none in letters.toml")]
    lines = [_("Letters of our own accord ({count})").format(count=len(letters))]
    lines += [f"  · {letter.name}  {_told(letter, book)}" for letter in letters]
    return [*lines, *_own_people(book)]


def print_letters(book: OfficeBook) -> None:
    for line in letter_lines(book):
        say(line)


def letters_json(book: OfficeBook) -> list[dict[str, Any]]:
    return [
        {
            "id": letter.id,
            "kind": letter.kind.value,
            "name": letter.name,
            "period": letter.period.value if letter.period else None,
            "stages": [
                {"id": s.id, "days": s.days, "at": s.at.isoformat("minutes"), "to": list(s.to)}
                for s in letter.stages
            ],
            "to": list(letter.to),
            "readers": letter.readers,
            "seals": letter.seals,
            "auto_approve": letter.auto_approve,
            "news": letter.news.value if letter.kind is DutyKind.NEWS else None,
        }
        for letter in book.letters.letters
    ]


def when(letter: LetterRule, stage: Stage) -> str:
    """The day of a stage in words: working day 5 counted back from the end of the month."""
    if letter.kind is DutyKind.DIGEST:
        return _("every working day")
    if letter.kind is DutyKind.NEWS:
        return _(_NEWS[letter.news])
    texts = _OF_PERIOD if letter.period else _OF_DUE_DAY
    text = texts[(stage.days > 0) - (stage.days < 0) + 1]
    period = words.word(words.PERIOD_KINDS, letter.period or "")
    return _(text).format(n=abs(stage.days), period=period)


def _told(letter: LetterRule, book: OfficeBook) -> str:
    if letter.kind is DutyKind.NEWS and letter.news is not NewsMode.WEEKLY:
        return _(_NEWS[letter.news])
    told = "；".join(_stage(letter, stage, book) for stage in letter.stages)
    names = {one.id: one.name for one in book.scoring.lists}
    for own in letter.own:
        text = _("each unit of the list “{name}” gets its own letter")
        told += "；" + text.format(name=names.get(own.list, own.list))
    return told + (_("; seals the period") if letter.seals else "")


def _stage(letter: LetterRule, stage: Stage, book: OfficeBook) -> str:
    whom = _whom(stage.to or letter.to, len(book.letters.readers) if letter.readers else 0)
    if letter.kind is DutyKind.NEWS and not whom:
        text = _("{when} {at} to submitters and heads")
    elif letter.kind is not DutyKind.NOTICE:
        text = _("{when} {at} to {whom}")
    elif not whom:
        text = _("{when} {at} drafted for the office")
    elif letter.auto_approve:
        text = _("{when} {at} drafted and sent without approval to {whom}")
    else:
        text = _("{when} {at} drafted, once approved to {whom}")
    at = stage.at.isoformat("minutes")
    return text.format(when=when(letter, stage), at=at, whom=whom or _("the office only"))


def _whom(roles: Sequence[str], readers: int) -> str:
    people: Iterable[str] = [
        _("the recommending unit") if role == RECOMMENDER else IN_A_SENTENCE[role] for role in roles
    ]
    if readers:
        people = [*people, _("{count} readers outside the units").format(count=readers)]
    return "、".join(people)


def _own_people(book: OfficeBook) -> list[str]:
    """Who in the office reads what the duties did, and who may approve by mail."""
    letters = book.letters
    lines = []
    if letters.staff:
        to = "、".join(letters.staff)
        lines.append(_("Summaries, drafts and digests go to {to}").format(to=to))
    elif book.info.mailbox:
        text = _("No staff is set: summaries, drafts and digests go to the mailbox itself, {to}")
        lines.append(text.format(to=book.info.mailbox))
    else:
        text = _(
            "No staff is set, nor a mailbox in office.toml: summaries, drafts and digests go to the mailbox that serves the office"
        )
        lines.append(text)
    if any(letter.kind is DutyKind.NOTICE for letter in letters.letters):
        lines.append(
            _("Drafts may be approved by reply from {to}").format(to="、".join(letters.approvers))
            if letters.approvers
            else _("No approvers are set: drafts are approved by command only (mailbot notices)")
        )
    return [f"  {line}" for line in lines]
