"""How long an office keeps what came by mail.

Days as the office's data sets them; unset means for ever. What is due is proposed to a person and
removed only when one confirms it. Items, versions, decisions, records and entries always stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Retention:
    mail_days: int | None = None
    """Whole days after the day of receipt on which the raw mail is still kept."""
    content_days: int | None = None
    """The same for the mail as read: its text and what its attachments say."""

    @property
    def is_set(self) -> bool:
        return self.mail_days is not None or self.content_days is not None


def due_before(days: int, today: date) -> date:
    """Mail received before this day is past its time: with 30 days, what came on 1 August may go on
    1 September (the 31st day after) and not before."""
    return today - timedelta(days=days)
