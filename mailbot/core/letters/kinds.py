"""The letters that go out of our own accord, by the name they have in the outbox and of their
templates. Answers to mail have theirs in `answers.AnswerKind`."""

from __future__ import annotations

from enum import StrEnum


class LetterKind(StrEnum):
    REMINDER = "reminder"
    RESULT = "result"
    THANKS = "thanks"
    SUMMARY = "summary"
    TASKS = "tasks"
    NEWS = "news"
    DIGEST = "digest"
    DRAFT = "draft"
    COVER = "cover"
    READER = "reader"
    OWN = "own"
    APPEAL_ANSWER = "appeal_answer"
    SECRETS = "secrets"
