"""One firing of a letter: what it is about, when it is due, until when it is worth anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbot.core.duties.model import LetterRule, Stage
from mailbot.core.rules.periods import Period


@dataclass(frozen=True, slots=True)
class Occurrence:
    office: str
    rule: LetterRule
    about: str
    """The period's code (`2026-08`); of tasks and commissions their due day; of the digest the day;
    of news a week (`2026-W32`) or the records it is of."""
    stage: Stage
    due: datetime
    """Asia/Shanghai."""
    until: datetime | None = None
    """Not worth sending from then on: a reminder when its period is over. None: always."""
    period: Period | None = None

    @property
    def key(self) -> str:
        """Unique for ever: `reminder:otog:2026-08:first`."""
        return occurrence_key(self.rule.id, self.office, self.about, self.stage.id)


def occurrence_key(letter: str, office: str, about: str, stage: str) -> str:
    return f"{letter}:{office}:{about}:{stage}"
