"""Who gets what of a notice, and the text message of each head: worked out when it is drafted, shown
to whoever approves it, and then followed to the letter.

Whoever cannot be written to is in the list too, without an address, so that he is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from mailbot.app.duties.recipients import LIAISON, recipients
from mailbot.app.letter_records import DraftRecipient
from mailbot.app.ports import Reads
from mailbot.app.records import Binding
from mailbot.core.documents.words import clean, fill
from mailbot.core.duties.model import LetterRule, OwnLetter
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.mail.compose import usable_address
from mailbot.core.rules.entries import Standings
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.roster import Contact, Unit

HEAD = "head"
READER = "reader"
SMS = "sms"
"""Kind of somebody who is not written to but gets a text message."""
WITHDRAWN = "withdrawn"
"""Status (`Row.status`) of a unit that no longer belongs to the office's."""
_NONE = "—"
"""In a text message, for a place that there is none of."""


def addressees(
    reads: Reads, book: OfficeBook, rule: LetterRule, standings: Standings, day: date
) -> tuple[DraftRecipient, ...]:
    """By unit in the roster's order: covers, then letters of their own, readers, and those who only
    get a text message. `day` is the one whose roster counts."""
    bindings = reads.bound_addresses(book.info.id)
    units = [u for u in book.roster.units if u.on(day)]
    rows = {row.unit: row for table in standings.tables for row in table.rows}
    served = [u for u in units if u.id in rows and rows[u.id].status != WITHDRAWN]
    found = [
        one
        for unit in served
        for one in _people(LetterKind.COVER, "cover", unit, rule.to, day, bindings)
    ]
    for own in rule.own:
        found += _own(own, standings, units, day, bindings)
    if rule.readers:
        found += _readers(book)
    if rule.sms:
        found = _with_messages(found, book, rule, standings, served, day)
    return tuple(found)


def _people(
    kind: LetterKind,
    key: str,
    unit: Unit,
    roles: Sequence[str],
    day: date,
    bindings: Iterable[Binding],
) -> Iterator[DraftRecipient]:
    """The unit's people in these roles, each address once. Whoever has none is there without; of a
    role in which nobody is known, one line."""
    written: set[str] = set()
    for role in roles:
        contacts = [c for c in unit.contacts if c.role == role and c.on(day)]
        people = recipients(unit, (role,), day, bindings).people
        # Of an address that stands in for a liaison's the roster's name is borrowed.
        named = role != LIAISON or any(usable_address(c.address) for c in contacts)
        lost = [c for c in contacts if not usable_address(c.address)] if named or not people else []
        for number, one in enumerate(lost or ([] if people else [Contact(role)]), len(people) + 1):
            yield DraftRecipient(
                _numbered(f"{key}:{unit.id}:{role}", number),
                kind,
                unit.id,
                role,
                one.name,
                "",
                one.phone,
            )
        fresh = [p for p in people if p.address.lower() not in written]
        for number, person in enumerate(fresh, 1):
            written.add(person.address.lower())
            yield DraftRecipient(
                _numbered(f"{key}:{unit.id}:{role}", number),
                kind,
                unit.id,
                role,
                person.name,
                person.address,
                _phone(contacts, person.address, person.name),
            )


def _phone(contacts: Sequence[Contact], address: str, name: str) -> str:
    same = [c for c in contacts if c.address.lower() == address.lower() or c.name == name]
    return next((c.phone for c in same if c.phone), "")


def _numbered(key: str, number: int) -> str:
    return key if number == 1 else f"{key}#{number}"


def _own(
    own: OwnLetter,
    standings: Standings,
    units: Sequence[Unit],
    day: date,
    bindings: Iterable[Binding],
) -> Iterator[DraftRecipient]:
    """The people of everybody on the list; of somebody the roster does not have, a line without
    address."""
    known = {u.id: u for u in units}
    for unit_id in listed(standings, own.list):
        unit = known.get(unit_id)
        if unit is not None:
            yield from _people(LetterKind.OWN, f"own:{own.list}", unit, own.to, day, bindings)
        else:
            role = own.to[0] if own.to else ""
            key = f"own:{own.list}:{unit_id}:{role}"
            yield DraftRecipient(key, LetterKind.OWN, unit_id, role, "", "")


def listed(standings: Standings, list_id: str) -> list[str]:
    """Units on a list, each once."""
    found = (one for lst in standings.lists if lst.id == list_id for one in lst.listed)
    return list(dict.fromkeys(one.unit for one in found))


def _readers(book: OfficeBook) -> Iterator[DraftRecipient]:
    for number, reader in enumerate(book.letters.readers, 1):
        yield DraftRecipient(
            key=f"reader:{number}",
            kind=LetterKind.READER,
            unit_id="",
            role=READER,
            name=f"{reader.name}{reader.title}",
            address=reader.address if usable_address(reader.address) else "",
            phone=reader.phone,
        )


def reach(recipients: Iterable[DraftRecipient]) -> tuple[int, int]:
    """Letters that go out, and people who cannot be written to."""
    written = [bool(one.address) for one in recipients if one.kind != SMS]
    return sum(written), len(written) - sum(written)


# --- text messages ---------------------------------------------------------------------------


def _with_messages(
    found: Sequence[DraftRecipient],
    book: OfficeBook,
    rule: LetterRule,
    standings: Standings,
    units: Sequence[Unit],
    day: date,
) -> list[DraftRecipient]:
    """The same, each head with his message; heads who get no mail are added."""
    people = {one.key: one for one in found}
    for unit in units:
        text = message(book, rule, standings, unit.id)
        heads = [c for c in unit.contacts if c.role == HEAD and c.on(day)] or [Contact(HEAD)]
        for number, head in enumerate(heads, 1):
            mine = next((p for p in people.values() if _is(p, unit, head)), None)
            if mine is not None:
                people[mine.key] = replace(mine, phone=head.phone, sms=text)
            else:
                key = _numbered(f"{SMS}:{unit.id}:{HEAD}", number)
                people[key] = DraftRecipient(
                    key, SMS, unit.id, HEAD, head.name, "", head.phone, text
                )
    return list(people.values())


def _is(person: DraftRecipient, unit: Unit, head: Contact) -> bool:
    return (
        person.kind == LetterKind.COVER
        and (person.unit_id, person.role, person.name) == (unit.id, HEAD, head.name)
        and not person.sms
    )


def message(book: OfficeBook, rule: LetterRule, standings: Standings, unit_id: str) -> str:
    """The text message of a unit in the standings."""
    table, row = next(
        (table, row) for table in standings.tables for row in table.rows if row.unit == unit_id
    )
    tied = row.place is not None and sum(other.place == row.place for other in table.rows) > 1
    values = {
        "unit": row.name,
        "period": standings.period.name,
        "submissions": str(row.submissions),
        "adopted": str(row.adopted),
        "points": plain(row.points),
        "table": table.name,
        "place": _NONE if row.place is None else str(row.place),
        "of": _NONE if row.place is None else str(sum(r.place is not None for r in table.rows)),
        "office": book.info.name,
    }
    return clean(fill(_shared(rule.sms) if tied else rule.sms, values))


_PLACE = re.compile(r"(?:[位名]?列)?第\{place\}|\{place\}")


def _shared(text: str) -> str:
    """The office's text for a unit that shares its place: 中列第{place}位 becomes 中并列第{place}位."""
    return text if "并列" in text else _PLACE.sub("并列第{place}", text)
