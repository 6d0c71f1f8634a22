"""The mails that bring an approved notice to its readers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.periodic import QuotaLine


@dataclass(frozen=True, slots=True)
class ChartImage:
    """A small picture in the HTML of a letter; the text says the same in words."""

    cid: str
    caption: str
    alt: str
    """All it shows, as text."""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class UnitLine:
    """A unit's own line of the standings."""

    table: str
    """第一组; empty where the unit is in none."""
    place: int | None
    of: int
    """Units in the table."""
    tied: int
    """Further units on the same place."""
    previous_place: int | None
    change: int | None
    """Places won (positive) or lost."""
    submissions: int
    adopted: int
    points: Decimal | None
    """None where the office gives none."""
    cumulative: Decimal | None
    quotas: tuple[QuotaLine, ...]
    listed: tuple[str, ...]
    """Lists of the notice that name the unit, with the reason: “通报表扬：季度得分首位”."""
    silent: bool = False
    """Nothing sent and nothing taken up, and no points won: its place, shared with all others of the
    kind, is no merit."""


@dataclass(frozen=True, slots=True)
class Cover:
    """To a unit's head (or liaison): the unit's own line first, the notice attached."""

    office: OfficeCard
    unit: str
    to: str
    """The person's name; may be empty."""
    role: str
    period: str
    title: str
    number: str
    line: UnitLine
    files: tuple[str, ...]
    charts: tuple[ChartImage, ...] = ()


@dataclass(frozen=True, slots=True)
class ReaderCover:
    """To somebody outside the units."""

    office: OfficeCard
    to: str
    period: str
    title: str
    number: str
    summary: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwnNotice:
    """The mail that brings a letter of its own (零报送单位告知书); the document is attached."""

    office: OfficeCard
    unit: str
    to: str
    role: str
    period: str
    title: str
    text: tuple[str, ...]
    files: tuple[str, ...]
