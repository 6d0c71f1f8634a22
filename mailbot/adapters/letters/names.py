"""Which templates a letter is made from, and the names they may use."""

from __future__ import annotations

from dataclasses import fields

from mailbot.core.letters.answers import (
    Acknowledgement,
    AnswerKind,
    LimitNotice,
    PendingNotice,
    ReturnNotice,
)
from mailbot.core.letters.every import Letter
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.notices import Cover, OwnNotice, ReaderCover
from mailbot.core.letters.office import Digest, DraftMail, RoundSummary, SecretsAlert
from mailbot.core.letters.periodic import (
    AdoptionNews,
    PeriodResult,
    Reminder,
    TaskReminder,
    Thanks,
)
from mailbot.core.letters.service import (
    Account,
    AppealAnswer,
    AppealReceived,
    DraftDecided,
    Help,
    ItemAccount,
    NotDone,
)

TEMPLATE_NAMES: dict[type[Letter], str] = {
    Acknowledgement: AnswerKind.ACKNOWLEDGEMENT,
    ReturnNotice: AnswerKind.RETURN,
    PendingNotice: AnswerKind.PENDING,
    LimitNotice: AnswerKind.LIMIT,
    Reminder: LetterKind.REMINDER,
    PeriodResult: LetterKind.RESULT,
    Thanks: LetterKind.THANKS,
    TaskReminder: LetterKind.TASKS,
    AdoptionNews: LetterKind.NEWS,
    RoundSummary: LetterKind.SUMMARY,
    Digest: LetterKind.DIGEST,
    DraftMail: LetterKind.DRAFT,
    SecretsAlert: LetterKind.SECRETS,
    Cover: LetterKind.COVER,
    ReaderCover: LetterKind.READER,
    OwnNotice: LetterKind.OWN,
    AppealAnswer: LetterKind.APPEAL_ANSWER,
    Account: "account",
    ItemAccount: "item_account",
    Help: "help",
    AppealReceived: "appeal_received",
    NotDone: "not_done",
    DraftDecided: "draft_decided",
}
REPLIES = {letter: name for letter, name in TEMPLATE_NAMES.items() if name not in set(LetterKind)}
"""What is written while mail is being taken in. A letter of our own accord that cannot be written
fails alone; without these nothing can be answered."""
PARTS = ("subject", "txt", "html")

_ALWAYS = {"letter", "brevity", "shown_items", "shown_lines", "part", "say"}
"""Names in every template beside the letter's own fields; the last two are imported."""
_DERIVED: dict[type[Letter], set[str]] = {Acknowledgement: {"same_people"}}


def known_names(letter: type[Letter]) -> set[str]:
    """What a template of the letter may use."""
    return {f.name for f in fields(letter)} | _ALWAYS | _DERIVED.get(letter, set())
