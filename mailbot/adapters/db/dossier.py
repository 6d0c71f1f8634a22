"""Everything known of one item or mail, for `mailbot show N`: the dossier a dispute is settled by.

Plain values only, so that the command line prints it for people and as JSON from the same data.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.db.queries import SqlReads
from mailbot.adapters.db.tables import audit, decision, item_version, link, outbox, removal, task
from mailbot.app.letter_records import AppealRow
from mailbot.app.records import ItemRow


def everything_about(store: SqlStore, what: str) -> dict[str, Any]:
    """For `mailbot show N`. `what`: a receipt number, an item id, or `mail:ID`.

    The keys: `items` (each the fields of `ItemRow`, and `versions`), `mails` (each the fields of
    `InboundRow`, `content` (the mail's facts, None after a secrets hit or once
    wiped), `removed` (what retention took, and when), `decisions`, `links`,
    `answers`), `tasks`, `audit`, `records` (of the items: the fields of `RecordRow`), `appeals` (about
    the items, or opened by the mails: the fields of `AppealRow`); lists oldest first. Values are text, numbers, aware datetimes,
    dates, None, lists and dicts: `json.dumps(…, default=str)` prints them.
    Raises LookupError when there is no such thing.
    """
    with store.snapshot() as db:
        reads = SqlReads(db)
        items, mail_ids = _find(db, reads, what.strip())
        outbox_ids = list(db.scalars(select(outbox.c.id).where(outbox.c.inbound_id.in_(mail_ids))))
        item_ids = [i.id for i in items]
        records = [r for i in items for r in reads.records(i.office, item_id=i.id)]
        appeals = _appeals(reads, items, mail_ids)
        subjects = (
            [f"item:{i}" for i in item_ids]
            + [f"mail:{i}" for i in mail_ids]
            + [f"outbox:{i}" for i in outbox_ids]
            + [f"record:{r.id}" for r in records]
            + [f"appeal:{a.id}" for a in appeals]
        )
        return {
            "items": [_item_facts(reads, i) for i in items],
            "mails": [_mail_facts(db, reads, i) for i in mail_ids],
            "tasks": _dicts(
                db,
                select(*task.c)
                .where(
                    or_(
                        task.c.inbound_id.in_(mail_ids),
                        task.c.item_id.in_(item_ids),
                        task.c.outbox_id.in_(outbox_ids),
                    )
                )
                .order_by(task.c.id),
            ),
            "audit": _dicts(
                db, select(*audit.c).where(audit.c.subject.in_(subjects)).order_by(audit.c.id)
            ),
            "records": [_flat(r) for r in records],
            "appeals": [_flat(a) for a in appeals],
        }


def _appeals(reads: SqlReads, items: list[ItemRow], mail_ids: list[int]) -> list[AppealRow]:
    """About the items and their entries, or opened by one of the mails."""
    receipts, numbers = {i.receipt for i in items}, {i.id for i in items}
    rows = (reads.inbound(mail_id) for mail_id in mail_ids)
    offices = {i.office for i in items} | {row.office for row in rows if row is not None}
    return [
        appeal
        for office in sorted(offices - {""})
        for appeal in reads.appeals(office)
        if appeal.new.about in receipts
        or appeal.new.item_id in numbers
        or appeal.new.inbound_id in mail_ids
    ]


def _find(db: Connection, reads: SqlReads, what: str) -> tuple[list[ItemRow], list[int]]:
    """The items and the ids of the mails they are about, those linked to them included."""
    if what.lower().startswith("mail:"):
        number = what[5:].strip()
        found = reads.inbound(int(number)) if _is_id(number) else None
        if found is None:
            raise LookupError(f"no mail {number!r}")
        return reads.items_of(found.id), [found.id]
    one = reads.item_by_receipt(what.upper())
    if one is None and _is_id(what):
        one = reads.item(int(what))
    if one is None:
        raise LookupError(f"no item {what!r}")
    versions = select(item_version.c.inbound_id).where(item_version.c.item_id == one.id)
    # None of an item that came by another channel.
    own = {i for i in (*db.scalars(versions), one.first_inbound_id) if i is not None}
    linked = db.scalars(
        select(link.c.inbound_id).where(
            or_(link.c.to_item == one.id, link.c.to_inbound.in_(sorted(own)))
        )
    )
    return [one], sorted(own | set(linked))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _item_facts(reads: SqlReads, row: ItemRow) -> dict[str, Any]:
    facts = _flat(row)
    del facts["version"]
    facts["versions"] = [
        {"no": no, "inbound_id": inbound_id, **_flat(version)}
        for no, inbound_id, version in reads.version_history(row.id)
    ]
    return facts


def _mail_facts(db: Connection, reads: SqlReads, inbound_id: int) -> dict[str, Any]:
    row = reads.inbound(inbound_id)
    assert row is not None, "found a moment ago in the same snapshot"
    content = reads.mail(inbound_id)
    letters = select(*(c for c in outbox.c if c.name != "raw"))
    return {
        **_flat(row),
        "content": None
        if content is None
        else {
            "from": [_flat(a) for a in content.from_],
            "to": [_flat(a) for a in content.to],
            "cc": [_flat(a) for a in content.cc],
            "date": content.date,
            "in_reply_to": list(content.in_reply_to),
            "text": content.text,
            "attachments": [
                {k: v for k, v in _flat(a).items() if k != "text"} for a in content.attachments
            ],
            "cloud_attachments": [_flat(a) for a in content.cloud_attachments],
            "nested": [{"path": n.path, "subject": n.subject} for n in content.nested],
            "secrets": [_flat(s) for s in content.secrets],
            "defects": [_flat(d) for d in content.defects],
        },
        "removed": next(
            iter(_dicts(db, select(*removal.c).where(removal.c.inbound_id == inbound_id))), None
        ),
        "decisions": _dicts(
            db,
            select(*decision.c).where(decision.c.inbound_id == inbound_id).order_by(decision.c.id),
        ),
        "links": _dicts(
            db,
            select(*link.c)
            .where(or_(link.c.inbound_id == inbound_id, link.c.to_inbound == inbound_id))
            .order_by(link.c.id),
        ),
        "answers": _dicts(
            db, letters.where(outbox.c.inbound_id == inbound_id).order_by(outbox.c.id)
        ),
    }


def _dicts(db: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in db.execute(query)]


def _flat(record: Any) -> dict[str, Any]:
    """A record as plain values: enum members as text, tuples as lists."""
    plain: dict[str, Any] = _plain(asdict(record))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, str) else value
