"""What upkeep speaks about: damage found, progress made, mails as the checks see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it must be."""

    where: str
    found: str
    remedy: str


class Progress(Protocol):
    def __call__(self, what: str, done: int, total: int) -> None:
        """`total` 0: not known. Called often; must be quick."""
        ...


def silent(what: str, done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database says of all mails with the same bytes."""

    sha256: str
    wanted: bool
    """They must lie in the archive. Else they must not: `secret` or given up by retention."""
    secret: bool
    """A mail with a secrets mark has these bytes."""
    leaving: bool
    """Given up, and the removal was not finished."""
    inbound_id: int
    """One of the mails."""


class Archived(Protocol):
    """The archive as upkeep sees it."""

    def digests(self) -> Iterator[str]:
        """All it holds, in ascending order."""
        ...

    def get(self, sha256: str) -> bytes:
        """As `app.ports.Archive`."""
        ...

    def remove(self, sha256: str) -> None:
        """Durably gone on return. Harmless when it is not there."""
        ...


# --- retention


class Part(StrEnum):
    """What may be removed of a mail, each after a time of its own."""

    RAW = "raw"
    CONTENT = "content"


class Why(StrEnum):
    """Why something that is past its time stays."""

    TASK = "task"
    ITEM = "item"
    """A held or returned item, or one whose withdrawal was asked for."""
    APPEAL = "appeal"
    PERIOD = "period"
    LETTER = "letter"


@dataclass(frozen=True, slots=True)
class Due:
    """What is past its time in one office, of one part."""

    office: str
    part: Part
    days: int
    before: datetime
    """Received before this moment."""
    count: int
    size: int
    """Bytes, as far as known."""
    oldest: datetime | None
    newest: datetime | None
    kept: tuple[tuple[Why, int], ...]
    """How many more are past their time and still needed, by the reason; one may have several."""


class Removals(Protocol):
    """What a removal asks of the database."""

    def due(self, office: str, part: Part, days: int, before: datetime) -> Due: ...

    def mark(self, office: str, part: Part, before: datetime, now: datetime, most: int) -> int:
        """Gives up what is due (of the content: wipes it), at most so many mails in one
        transaction; how many it were."""
        ...

    def note(self, due: Due, count: int, who: str, now: datetime) -> None:
        """The audit line."""
        ...

    def leaving(self, most: int, passed: Iterable[str]) -> list[str]:
        """Digests that were given up and are not yet gone, without those passed over."""
        ...

    def remove(self, sha256: str, archive: Archived, now: datetime) -> bool:
        """Removes the bytes unless another mail needs them or may be about to. False: not now."""
        ...
