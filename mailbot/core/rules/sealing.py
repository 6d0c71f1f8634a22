"""What a sealed period keeps, and what has to be said when it comes out differently later.

A sealed period is never rewritten. Its entries have a digest, so that nobody can change them
unseen; when a later reckoning of the same period differs, each difference becomes an entry of the
running period, with the rule it follows and the events behind it. The frozen entries and all their
corrections together always come to what the period is worth today.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from operator import attrgetter

from mailbot.core.rules.entries import Entry
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.periods import Period

_said = attrgetter(*(field.name for field in fields(Entry)))


def digest(entries: Iterable[Entry]) -> str:
    """SHA-256 over all that the entries say, whatever their order."""
    lines = sorted(_canonical(entry) for entry in entries)
    return sha256("\n".join(lines).encode()).hexdigest()


def _canonical(entry: Entry) -> str:
    """One line. Equal amounts are written alike: 10 and 10.00, 0 and -0."""
    values = (plain(v + 0) if isinstance(v, Decimal) else v for v in _said(entry))
    return json.dumps(list(values), ensure_ascii=False, default=str)


_Key = tuple[str, str, str, tuple[str, ...]]


def corrections(
    frozen: Sequence[Entry], recomputed: Sequence[Entry], sealed_period_code: str, day: date
) -> list[Entry]:
    """The entries, dated `day`, that take a sealed period to what it is worth today.

    `frozen` are its entries as sealed, with the corrections of it that were sealed since; those of
    other periods are passed over. `recomputed` are its entries as they come out now. Entries are
    compared by unit, rule, item and event; those that judge a period, having no one event behind
    them, by unit and rule. What is worth the same as before gives nothing.
    """
    name = Period.parse(sealed_period_code).name
    before = _by_key(e for e in frozen if e.corrects in ("", sealed_period_code))
    after = _by_key(recomputed)
    found = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, []), after.get(key, [])
        difference = _sum(new) - _sum(old)
        if difference:
            basis, why = _why(old, new)
            found.append(
                replace(
                    basis,
                    day=day,
                    points=difference,
                    text=f"更正{name}：{why}",
                    events=tuple(dict.fromkeys(i for e in (*old, *new) for i in e.events)),
                    # What is taken back does not bring its stars again.
                    stars=basis.stars if difference > 0 else 0,
                    corrects=sealed_period_code,
                )
            )
    return found


def _by_key(entries: Iterable[Entry]) -> dict[_Key, list[Entry]]:
    found: dict[_Key, list[Entry]] = defaultdict(list)
    for entry in entries:
        events = entry.events if len(entry.events) == 1 else ()
        found[entry.unit, entry.rule, entry.item, events].append(entry)
    return found


def _sum(entries: Iterable[Entry]) -> Decimal:
    return sum((entry.points for entry in entries), Decimal(0))


def _why(old: Sequence[Entry], new: Sequence[Entry]) -> tuple[Entry, str]:
    """The entry whose rule holds (that of today, else what was sealed), and what changed."""
    kept = {_worth(e) for e in old} & {_worth(e) for e in new}
    gone = [e for e in old if not e.corrects and _worth(e) not in kept]
    come = [e for e in new if _worth(e) not in kept]
    parts = [f"原计“{e.text}”{plain(e.points)} 分" for e in gone]
    if come:
        parts += [f"现计“{e.text}”{plain(e.points)} 分" for e in come]
    elif gone:
        parts.append("现不计")
    corrected = [e for e in old if e.corrects]
    if corrected:
        parts.append(f"此前已更正 {plain(_sum(corrected))} 分")
    basis = (come or list(new) or gone or list(old))[0]
    return basis, "，".join(parts if gone or come else [f"“{basis.text}”", *parts])


def _worth(entry: Entry) -> tuple[date, str, Decimal]:
    return entry.day, entry.text, entry.points
