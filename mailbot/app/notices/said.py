"""All that a draft says, as values: what its files are made from, what its digest is over, and what
is compared with it when it is approved.

Kept beside the draft as a file of its own, so that what goes out later is what was approved, and a
change can be named. Number and date are no part of it: they are given with the approval.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from mailbot.app.letter_records import DraftFile, DraftRecipient
from mailbot.core.documents.material import Material
from mailbot.core.documents.model import Document
from mailbot.core.duties.model import LetterRule
from mailbot.core.rules.entries import Standings
from mailbot.core.rules.wire import standings_from, standings_json

FACTS = "facts"
"""Role of the file that keeps them. It is never sent."""
_OF_THE_DAY = ("as_of", "book_digest", "sealed")
"""What standings say beside the facts: they are the same standings on another day."""


@dataclass(frozen=True, slots=True)
class OwnDocument:
    """A unit's letter of its own."""

    list: str
    unit: str
    document: Document


@dataclass(frozen=True, slots=True)
class Said:
    rule: LetterRule
    material: Material
    document: Document
    own: tuple[OwnDocument, ...]
    recipients: tuple[DraftRecipient, ...]
    summary: tuple[str, ...]
    flags: tuple[str, ...]

    @property
    def standings(self) -> Standings:
        return self.material.standings

    @property
    def facts(self) -> dict[str, Any]:
        """JSON, as it is read back."""
        own = {f"{one.list}:{one.unit}": asdict(one.document) for one in self.own}
        facts = {
            "standings": standings_json(self.standings),
            "document": asdict(self.document),
            "own": own,
            "recipients": [asdict(one) for one in self.recipients],
        }
        found: dict[str, Any] = json.loads(_text(facts))
        return found

    @property
    def digest(self) -> str:
        """SHA-256 over everything that goes out. The same facts have the same digest on whatever
        day, sealed or not."""
        facts = self.facts
        facts["standings"] = comparable(facts["standings"])
        return sha256(_text(facts).encode("utf-8")).hexdigest()

    def facts_file(self) -> DraftFile:
        return DraftFile(FACTS, "facts.json", _text(self.facts).encode("utf-8"))


def facts_of(files: Sequence[DraftFile]) -> dict[str, Any]:
    """As kept with a draft. Raises KeyError for a draft without."""
    for file in files:
        if file.role == FACTS:
            found: dict[str, Any] = json.loads(file.content)
            return found
    raise KeyError(FACTS)


def standings_of(files: Sequence[DraftFile]) -> Standings:
    """Those that were drafted. Raises KeyError for a draft without."""
    return standings_from(facts_of(files)["standings"])


def comparable(standings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in standings.items() if key not in _OF_THE_DAY}


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_plain)


def _plain(value: object) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    assert isinstance(value, frozenset), f"{type(value).__name__} in a draft's facts"
    return sorted(value)
