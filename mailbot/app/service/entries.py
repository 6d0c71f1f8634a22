"""Point entries as a unit reads them in a mail: why, how much, and under which number it may be
objected to. Only the unit's own entries come here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailbot.app.letter_content import without_links
from mailbot.app.letter_records import AppealRow
from mailbot.core.letters.service import AccountEntry, AppealLine
from mailbot.core.rules.entries import Entry
from mailbot.core.rules.periods import Period, day_of

RECORD = "record:"
_LONGEST = 300


def account_entries(entries: Iterable[Entry], own: frozenset[str]) -> tuple[AccountEntry, ...]:
    """`own`: receipt numbers of the unit's items. An entry about a joint item of another unit goes
    by the number of its record."""
    return tuple(
        AccountEntry(e.day, e.points, _text(e, own), f"{e.document} {e.clause}".strip())
        for e in entries
    )


def _text(entry: Entry, own: frozenset[str]) -> str:
    source = entry.item if entry.item in own else ""
    numbers = records_of(entry)
    if not source and numbers:
        source = f"记录{'、'.join(str(n) for n in numbers[:3])}"
    text = without_links(entry.text[:_LONGEST])
    return f"{text}（{source}）" if source and source not in text else text


def records_of(entry: Entry) -> list[int]:
    """The numbers of the records behind it."""
    found = (event.removeprefix(RECORD) for event in entry.events if event.startswith(RECORD))
    return [int(number) for number in found if number.isdigit()]


# --- appeals beside them


def appeal_name(about: str) -> str:
    """As people write it: EQ202608-0012, 记录17."""
    return about.replace(RECORD, "记录")


def appeal_lines(appeals: Iterable[AppealRow]) -> tuple[AppealLine, ...]:
    return tuple(
        AppealLine(a.id, appeal_name(a.new.about), day_of(a.opened), a.answer) for a in appeals
    )


def beside(
    appeals: Iterable[AppealRow], entries: Sequence[Entry], period: Period
) -> list[AppealRow]:
    """The unit's appeals that belong to an account: about one of its entries, or opened in it."""
    about = {e.item for e in entries if e.item}
    about |= {f"{RECORD}{number}" for e in entries for number in records_of(e)}
    return [a for a in appeals if a.new.about in about or day_of(a.opened) in period]
