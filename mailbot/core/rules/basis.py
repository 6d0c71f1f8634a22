"""Where a rule stands written, and what it means that none does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar


class NoRuleInForce(LookupError):
    """No version of a rule covers the day. Names the office, the rule (in the office's words) and
    the day: an official reads it."""

    def __init__(self, office: str, rule: str, day: date) -> None:
        super().__init__(f"{office}：{day.isoformat()} 没有有效的{rule}")
        self.office, self.rule, self.day = office, rule, day


@dataclass(frozen=True, slots=True)
class Basis:
    """Where a rule stands written. `reading` is true where the document can be read in two ways;
    `alternative` then names the other way."""

    document: str
    clause: str
    reading: bool = False
    alternative: str = ""


class Dated(Protocol):
    """A version of something, in force from `start` until the next one."""

    @property
    def start(self) -> date: ...


V = TypeVar("V", bound=Dated)


def in_force(versions: Iterable[V], day: date) -> V | None:
    """The version in force on `day`; None before the first."""
    return max((v for v in versions if v.start <= day), key=lambda v: v.start, default=None)
