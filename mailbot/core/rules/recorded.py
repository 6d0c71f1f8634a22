"""What an office that began in the middle may hold against its units: nothing of the time before the
first thing was recorded here. Silence then proves nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from mailbot.core.rules.basis import in_force
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Quota


def since(book: OfficeBook, began: date | None) -> OfficeBook:
    """The book with quotas only of periods that end on `began` or later: nobody owed, or missed,
    anything in one that was over before. None: as it stands."""
    if began is None:
        return book
    return replace(book, quotas=tuple(_from(quota, began) for quota in book.quotas))


def _from(quota: Quota, began: date) -> Quota:
    held = in_force(quota.versions, began)
    later = tuple(v for v in quota.versions if v.start > began)
    first = () if held is None else (replace(held, start=began),)
    return replace(quota, versions=(*first, *later))
