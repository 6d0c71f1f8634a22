"""Every letter there is."""

from __future__ import annotations

from mailbot.core.letters.answers import AnswerLetter
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

Letter = (
    AnswerLetter
    | Reminder
    | PeriodResult
    | Thanks
    | TaskReminder
    | AdoptionNews
    | RoundSummary
    | Digest
    | DraftMail
    | SecretsAlert
    | Cover
    | ReaderCover
    | OwnNotice
    | Account
    | ItemAccount
    | Help
    | AppealReceived
    | AppealAnswer
    | NotDone
    | DraftDecided
)
