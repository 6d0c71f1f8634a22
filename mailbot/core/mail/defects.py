"""Collects what was wrong with one mail while it is read.

The only mutable thing in the reader. Keeps each defect once, in the order found, short and clean,
and never more than a hostile mail may make us carry.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailbot.core.mail.clean import one_line
from mailbot.core.mail.limits import DEFECTS_MAX, DETAIL_CHARS
from mailbot.core.mail.model import Defect, DefectCode


class Defects:
    """An ordered set of `Defect`. Each code is kept at least once even above the cap."""

    def __init__(self) -> None:
        self._found: dict[Defect, None] = {}
        self._codes: set[DefectCode] = set()

    def add(self, code: DefectCode, where: str, detail: str = "") -> None:
        if len(self._found) >= DEFECTS_MAX and code in self._codes:
            return
        defect = Defect(code, one_line(where[:DETAIL_CHARS])[0], one_line(detail[:DETAIL_CHARS])[0])
        self._found[defect] = None
        self._codes.add(code)

    def add_all(self, codes: Iterable[DefectCode], where: str, detail: str = "") -> None:
        for code in codes:
            self.add(code, where, detail)

    def found(self) -> tuple[Defect, ...]:
        return tuple(self._found)
